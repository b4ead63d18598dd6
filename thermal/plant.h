/* SPDX-License-Identifier: Apache-2.0 */
/* The heat of a whole site: cohorts of packages in racks, racks on CDU groups, groups on facility
 * loops, loops on heat rejection, rejection in the weather.
 *
 * Between two dates the driver names, the plant goes from step to step: the plant's own period, a
 * flow class of a pump that coasts or starts, a stage of a leak. Inside a step nothing crosses
 * racks, so every cohort plays its own events at their exact dates; what racks gave to the coolant
 * is the heat their group takes over the step, and so on outwards: energy is passed on as
 * integrals, never as samples. At a step's end supplies are handed inwards again; racks see a new
 * inlet when it moved by more than `band_k`. Reading changes nothing: rows show the last step's
 * end.
 *
 * Power is per rack, watts at full clocks. A share of it belongs to packages; throttled ones draw
 * less, and the plant says how much was asked for and not drawn. Whoever owns clocks tells instead
 * what is drawn, packages and rest apart (mr_plant_set_load), and asks what is allowed. */
#ifndef MR_THERMAL_PLANT_H
#define MR_THERMAL_PLANT_H

#include "platforms/site.h"
#include "thermal/cdu_group.h"
#include "thermal/cohort.h"
#include "thermal/facility.h"
#include "thermal/leak.h"
#include "thermal/manifold.h"
#include "thermal/plant_event.h"
#include "thermal/rejection.h"
#include "thermal/room.h"
#include "thermal/weather.h"

enum {
    MR_PLANT_PACKAGES = 64 /* kinds of package, flow and supply of one site */
};

struct mr_plant_params {
    double period_s, band_k;
    bool adds_leakage; /* powers come without leakage; else they are what is drawn */
    bool may_float, may_oversize, has_water, has_ups_pumps;
    double fouled_s; /* time since the last cleaning at the start */
    double recirculation_k;
    uint64_t n_cohort; /* room for splits, over one for each rack */
    struct mr_leak_params leak;
};

struct mr_plant_rack {
    uint32_t i_site, group, hall;     /* MR_SITE_NONE: no liquid */
    const struct mr_package *package; /* NULL: plain heat */
    uint32_t n_package, n_tray;
    double share_frac; /* of the rack's power, in packages */
    struct mr_manifold manifold;
};

/* A rack's power as its owner knows it, without leakage where the plant adds it. */
struct mr_plant_load {
    double package_w, demand_w; /* of one package: drawn now; at full clocks */
    double other_w;             /* of the rest of the rack */
    bool is_dark;               /* the rack has no power: all are 0, and nothing leaks */
};

struct mr_plant_rack_state {
    double demand_w, other_w;  /* asked for; outside packages */
    struct mr_plant_load load; /* with is_told */
    bool is_told;              /* what packages draw, so holding them is the owner's business */
    uint32_t first;            /* cohort; UINT32_MAX: none */
    double own_frac;           /* of the group's flow; below 1: its valve is closing */
    struct mr_flow_path valve;
    int valve_class;                /* that own_frac has while the valve moves */
    int flow;                       /* class of its plates */
    double flow_frac, fouling_frac; /* that it was made of */
    double inlet_c, liquid_w;       /* mean of the last step */
    struct mr_leak leak;
    uint32_t n_dark; /* packages without power */
    bool is_low, is_hot;
    double in_j, liquid_j, air_j, asked_j, held_s, die_max_c;
};

struct mr_plant_loop {
    const char *name;
    struct mr_facility facility;
    struct mr_rejection rejection;
};

struct mr_plant_loop_state {
    struct mr_facility_state water;
    struct mr_rejection_state rejection;
    struct mr_rejection_out out;
    double heat_j; /* given since the last step */
    double from_c; /* return temperature that `out` was asked for */
    double water_w_k;
    int mode;
    bool is_high;
    double fan_j, work_j, ambient_j, water_m3, high_s;
    double mode_s[MR_REJECTION_N_MODE];
};

struct mr_plant_hall_state {
    struct mr_room_state room;
    double heat_j, inlet_c; /* given since the last step; air to racks */
    bool is_high;
};

/* Const but for nothing: built once. */
struct mr_plant {
    const struct mr_site *site;
    const struct mr_weather *weather;
    struct mr_plant_params p;
    size_t n_package, n_rack, n_group, n_loop, n_hall;
    struct mr_package *package[MR_PLANT_PACKAGES];
    char package_name[MR_PLANT_PACKAGES][48];
    struct mr_plant_rack *rack;
    struct mr_cdu_group *group;
    uint32_t *group_loop;
    struct mr_plant_loop *loop;
    struct mr_room *room; /* per hall */
    uint32_t *room_loop;  /* MR_SITE_NONE: the hall's heat leaves without help */
    double *group_w;      /* design heat of each group */
    double *hall_set_c;   /* air of each hall at design */
    mr_plant_on_event *on_event;
    void *context;
};

struct mr_plant_cohort {
    struct mr_cohort cohort;
    uint32_t rack, next; /* in its rack; UINT32_MAX: last */
    double stored0_j;    /* of one package at the start */
    bool is_dark;        /* without power */
};

struct mr_plant_state {
    double t_s, next_period_s;
    bool has_utility;
    struct mr_plant_cohort *cohort;
    size_t n_cohort, cap_cohort;
    struct mr_plant_rack_state *rack;
    struct mr_cdu_group_state *group;
    double *group_j;                               /* heat given since the last step */
    double *group_high_s, *group_max_c, *group0_j; /* supply high; warmest; stored at the start */
    struct mr_plant_loop_state *loop;
    struct mr_plant_hall_state *hall;
    uint64_t n_event[MR_PLANT_N_EVENT];
    double stored0_j; /* at start */
};

/* Overrides: every row of the tables of packages, manifolds, CDU groups and leaks. */
struct mr_plant_set {
    const char *scope, *name, *value; /* "package", "r2", "0.02 K/W" */
};

extern const struct mr_limits_table mr_plant_table;
void mr_plant_defaults(struct mr_plant_params *params);

/** Build the plant of a site. Refusals of its parts name the part and are told all; warnings too.
 *  @param[in] site, weather lent for the plant's life
 *  @param[in] set n overrides
 *  @param[out] out owned by the caller: mr_plant_destroy */
MR_CHECKED mr_status mr_plant_create(const struct mr_site *site, const struct mr_weather *weather,
                                     const struct mr_plant_params *params,
                                     const struct mr_plant_set *set, size_t n_set,
                                     struct mr_plant **out, struct mr_diags *diags);
void mr_plant_destroy(struct mr_plant *plant);

MR_CHECKED mr_status mr_plant_state_create(const struct mr_plant *plant, double t_s,
                                           struct mr_plant_state **out, struct mr_err *err);
void mr_plant_state_destroy(struct mr_plant_state *state);

/** Power that rack i asks for from now on. */
void mr_plant_set_power(const struct mr_plant *plant, struct mr_plant_state *state, uint32_t rack,
                        double power_w);

/** What rack i draws and would draw from now on: clocks are the caller's. */
void mr_plant_set_load(const struct mr_plant *plant, struct mr_plant_state *state, uint32_t rack,
                       const struct mr_plant_load *load);

/** Steady state of the powers and the weather of now.
 *  @return MR_DIVERGED when there is none within 200 rounds */
MR_CHECKED mr_status mr_plant_settle(const struct mr_plant *plant, struct mr_plant_state *state,
                                     struct mr_err *err);

/** Go on to t_s. */
void mr_plant_advance(const struct mr_plant *plant, struct mr_plant_state *state, double t_s);

/** Do the next step of the plant, which ends at t_s at the latest: for readers between steps. */
void mr_plant_step(const struct mr_plant *plant, struct mr_plant_state *state, double t_s);

/** Date at which the next step would end by itself. */
double mr_plant_step_end_s(const struct mr_plant *plant, const struct mr_plant_state *state);

/** Earliest date at which something happens by itself: an event of a cohort, a step of the plant.
 */
double mr_plant_next_s(const struct mr_plant *plant, const struct mr_plant_state *state);

/** Earliest date at which a package would be held or go off, as things are now. */
double mr_plant_alarm_s(const struct mr_plant *plant, const struct mr_plant_state *state);

/* ---- outages, at the state's date ---- */

void mr_plant_lose_units(const struct mr_plant *plant, struct mr_plant_state *state, uint32_t group,
                         int n); /* below 0: they are back */
void mr_plant_set_pumps(const struct mr_plant *plant, struct mr_plant_state *state, uint32_t group,
                        bool has_power);
void mr_plant_set_fans(const struct mr_plant *plant, struct mr_plant_state *state, uint32_t loop,
                       double fans_frac); /* share of the fans that can run */
void mr_plant_leak(const struct mr_plant *plant, struct mr_plant_state *state, uint32_t rack,
                   enum mr_leak_scope scope);
void mr_plant_set_utility(const struct mr_plant *plant, struct mr_plant_state *state,
                          bool has_power);

/* ---- what a reader asks for ---- */

struct mr_plant_rack_row {
    double power_w, supply_c, return_c, flow_m3_s, die_max_c, die_mean_c;
    uint32_t n_throttled, n_off;
    bool is_leaking, is_isolated;
};

void mr_plant_rack_row(const struct mr_plant *plant, const struct mr_plant_state *state,
                       uint32_t rack, struct mr_plant_rack_row *row);

/** The most one package of the rack may draw, without leakage: INFINITY while none is held, 0 when
 *  all are off. */
double mr_plant_rack_allowed_w(const struct mr_plant *plant, const struct mr_plant_state *state,
                               uint32_t rack);

/** Facility water sent out by a loop. */
double mr_plant_facility_c(const struct mr_plant *plant, const struct mr_plant_state *state,
                           uint32_t loop);

/* Integrals since the start; energies [J]. */
struct mr_plant_sums {
    double it_j, asked_j; /* drawn by racks; asked for */
    double cdu_j, facility_pump_j, fan_j, work_j, air_j;
    double ambient_j, stored_j;
    double water_m3;
    double throttled_s, supply_high_s, facility_high_s; /* packages, groups, loops x time */
    double mode_s[MR_REJECTION_N_MODE];                 /* loops x time */
    double die_max_c, supply_max_c;
    double residual[4]; /* of packages, racks, loops, site: the largest, over energy that went in */
};

void mr_plant_sums(const struct mr_plant *plant, const struct mr_plant_state *state,
                   struct mr_plant_sums *sums);

/** (IT + cooling) / IT; NaN without IT energy. The electric chain is not in here. */
double mr_plant_pue(const struct mr_plant_sums *sums);

#endif
