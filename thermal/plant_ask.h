/* SPDX-License-Identifier: Apache-2.0 */
/* What a plant answers: how its racks are, what comes next, what packages may draw, energies.
 * Nobody who asks changes anything. */
#ifndef MR_THERMAL_PLANT_ASK_H
#define MR_THERMAL_PLANT_ASK_H

#include "thermal/rejection.h"

#include <stdint.h>

struct mr_plant;
struct mr_plant_state;

struct mr_plant_rack_row {
    double power_w, supply_c, return_c, flow_m3_s, die_max_c, die_mean_c;
    double header_pa, header_set_pa, drop_pa, valve_frac;
    uint32_t n_throttled, n_off; /* n_off: by heat, coolant, leaks */
    bool is_dark;                /* no power comes to the rack: all are off */
    bool is_leaking, is_tray_leaking, is_sensor_faulty; /* as detectors say */
    bool is_liquid_requested, is_liquid_isolated, is_power_requested, is_power_isolated;
};

void mr_plant_rack_row(const struct mr_plant *plant, const struct mr_plant_state *state,
                       uint32_t rack, struct mr_plant_rack_row *row);

/** Of that row, what the rack draws and its hottest die alone; NaN: it has no packages. */
void mr_plant_rack_brief(const struct mr_plant_state *state, uint32_t rack, double *power_w,
                         double *die_max_c);

/** Of that row, its packages that are off. */
uint32_t mr_plant_rack_off(const struct mr_plant_state *state, uint32_t rack);

/** Pressure of the header that feeds the rack, as its row tells; NaN: it is cooled by air [Pa]. */
double mr_plant_header_pa(const struct mr_plant *plant, const struct mr_plant_state *state,
                          uint32_t rack);

/** Is any package of the rack throttled, off or without power, as a row tells? */
bool mr_plant_rack_is_held(const struct mr_plant_state *state, uint32_t rack);

/** The most one package of the rack may draw, without leakage: INFINITY while none is held, 0 when
 *  all are off. */
double mr_plant_rack_allowed_w(const struct mr_plant *plant, const struct mr_plant_state *state,
                               uint32_t rack);

/* What happens next if everything stays as it is. */
struct mr_plant_next {
    double t_s;         /* INFINITY: nothing is foreseen */
    int kind;           /* enum mr_plant_event_kind */
    const char *entity; /* lent */
    uint32_t rack;      /* MR_SITE_NONE: of a CDU group */
};

/** The next crossing that somebody who owns clocks must know of: throttling, a memory at its limit,
 *  shutdown, restart of a rack's packages; a CDU group at its limits or its supply high. Exact for
 *  packages under their present inlet, for groups under their heat of the last step. */
struct mr_plant_next mr_plant_next_crossing(const struct mr_plant *plant,
                                            const struct mr_plant_state *state);

/** Earliest date at which a package would be held or go off, as things are now. */
double mr_plant_alarm_s(const struct mr_plant *plant, const struct mr_plant_state *state);

/** Die of one package at the state's date, manufacturing spread included.
 *  @param[in] package of the rack, from 0 on */
double mr_plant_die_c(const struct mr_plant *plant, const struct mr_plant_state *state,
                      uint64_t seed, uint32_t rack, uint32_t package);

/** Facility water sent out by a loop. */
double mr_plant_facility_c(const struct mr_plant *plant, const struct mr_plant_state *state,
                           uint32_t loop);

/** The most that fans and compressors of heat rejection draw at a time from now until then if heat
 *  and weather stay; where they have no power, what they would if it came back, with pumps of loops
 *  and air handlers that stand still [W]. */
double mr_plant_ahead_w(const struct mr_plant *plant, const struct mr_plant_state *state,
                        double until_s);

/* Integrals since the start; energies [J]. */
struct mr_plant_sums {
    double it_j, asked_j; /* drawn by racks; asked for */
    double cdu_j, facility_pump_j, fan_j, work_j, air_j;
    double ambient_j, stored_j;
    double absorbed_j; /* radiators in orbit: sunlight, and what the Earth sends */
    double water_m3;
    double throttled_s, supply_high_s, facility_high_s; /* packages, groups, loops x time */
    double mode_s[MR_REJECTION_N_MODE];                 /* loops x time */
    double die_max_c, supply_max_c;
    double die_limit_c, supply_limit_c; /* where those packages throttle and that group is high */
    double residual[4]; /* of packages, racks, loops, site: the largest, over energy that went in */
};

void mr_plant_sums(const struct mr_plant *plant, const struct mr_plant_state *state,
                   struct mr_plant_sums *sums);

#endif
