/* SPDX-License-Identifier: Apache-2.0 */
/* Facility water loop: its volume as one exact node at the return temperature, its pumps. Heat
 * comes from CDUs, rooms and pumps, and goes where thermal/rejection.h says, along heat + slope (T
 * - T0) over one plant period:
 *
 *   C dT/dt = Q + pump to fluid - heat - slope (T - T0)
 *
 * Pumps follow the affinity laws: flow ~ speed, head ~ speed^2, power ~ speed^3; flow needs dP ~
 * V^1.85, so at part speed it is a little more than in proportion. Pipes and their heat loss to the
 * surroundings are not modeled. */
#ifndef MR_THERMAL_FACILITY_H
#define MR_THERMAL_FACILITY_H

#include "thermal/limits.h"
#include "thermal/node.h"
#include "thermal/sum.h"

struct mr_facility_params {
    double design_heat_w, design_rise_k;
    double volume_m3_w; /* water in the loop for each watt of design heat */
    double cp_j_kgk, density_kg_m3;
    double head_pa;                           /* at design flow */
    double pump_frac, motor_frac, drive_frac; /* efficiencies */
    uint64_t n_pump, n_spare;
    double speed_min_frac;
};

/* Const after mr_facility_make. */
struct mr_facility {
    struct mr_facility_params p;
    double capacity_j_k;         /* of the water */
    double flow_m3_s, water_w_k; /* at design */
    double pump_w;               /* electric, all duty pumps at design */
};

/* What one period does. */
struct mr_facility_in {
    double heat_w;                /* into the water from what it cools, mean of the period */
    double rejected_w, slope_w_k; /* at the state's temperature at its start */
    double speed_frac;            /* of the pumps that run */
    uint64_t n_pump_lost;
};

/* Integrals count from the start of the run. */
struct mr_facility_state {
    double return_c;
    struct mr_sum heat_j, rejected_j, pump_j, pump_heat_j;
    double started_c; /* for the energy that is stored */
};

extern const struct mr_limits_table mr_facility_table;

void mr_facility_defaults(struct mr_facility_params *params);
MR_CHECKED mr_status mr_facility_make(const char *what, const struct mr_facility_params *params,
                                      struct mr_facility *facility, struct mr_err *err);

/** Flow over design of the pumps that are left at this speed; speeds below the least one are that.
 *  0 without pumps or at speed 0. */
double mr_facility_flow_frac(const struct mr_facility *facility, double speed_frac,
                             uint64_t n_pump_lost);

/** Flow of heat capacity [W/K]. */
double mr_facility_water_w_k(const struct mr_facility *facility, double flow_frac);

/** Electric power of the pumps; the share that ends as heat in the water is mr_facility_fluid_w. */
double mr_facility_pump_w(const struct mr_facility *facility, double speed_frac,
                          uint64_t n_pump_lost);
double mr_facility_fluid_w(const struct mr_facility *facility, double pump_w);

void mr_facility_start(struct mr_facility_state *state, double return_c);

/** Advance over dt_s. @return heat rejected in that time [J] */
double mr_facility_step(const struct mr_facility *facility, struct mr_facility_state *state,
                        const struct mr_facility_in *in, double dt_s);

/** First-law residual since the start over the energy that went in. */
double mr_facility_residual(const struct mr_facility *facility,
                            const struct mr_facility_state *state);

#endif
