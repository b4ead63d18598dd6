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
#include "thermal/manifold.h"
#include "thermal/orbit.h"
#include "thermal/plant_ask.h"
#include "thermal/plant_event.h"
#include "thermal/plant_outage.h"
#include "thermal/rejection.h"
#include "thermal/room.h"
#include "thermal/weather.h"

enum {
    MR_PLANT_PACKAGES = 64 /* kinds of package, flow and supply of one site */
};

/* name, text, what the watts are that a plant is told */
#define MR_PLANT_LEAKAGE_LIST(X)                                                          \
    X(INCLUDED, "included", "with the leakage of a die that rests at its design coolant") \
    X(ADDED, "added", "without leakage")                                                  \
    X(NONE, "none", "what is drawn, whatever the die's temperature")

enum mr_plant_leakage {
#define MR_PLANT_LEAKAGE_ENUM(name, text, doc) MR_PLANT_LEAKAGE_##name,
    MR_PLANT_LEAKAGE_LIST(MR_PLANT_LEAKAGE_ENUM)
#undef MR_PLANT_LEAKAGE_ENUM
};

struct mr_plant_params {
    double period_s, band_k;
    int leakage; /* enum mr_plant_leakage */
    bool may_float, may_oversize, has_water, has_ups_pumps, starts_full;
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
    double granted_w;  /* its design flow is for this */
    struct mr_manifold manifold;
    double header_pa;  /* held by its group */
    double valve_frac; /* stroke that gives design flow there; 1 where that is not enough */
};

/* A rack's power as its owner knows it; with or without leakage as the plant's parameter says. */
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
    double own_frac;           /* flow over design that its valve lets through at the header */
    struct mr_manifold_stroke valve;
    double stroke_s; /* of a full stroke, as it moves now */
    int valve_class; /* that own_frac has while the valve moves */
    bool is_moving;
    int flow;                                     /* class of its plates */
    double flow_frac, fouling_frac;               /* that it was made of */
    double inlet_c, liquid_w;                     /* mean of the last step */
    uint32_t n_leak, n_known, n_tray, n_isolated; /* leaks: all, seen, of a tray, shut off */
    uint32_t n_cut;                               /* leaks seen that cut off the whole rack */
    uint32_t n_off;                               /* cohorts that switched off */
    bool is_low, is_hot, is_tripped;              /* tripped: off, in air or coolant too hot */
    bool renews;                                  /* its power is looked at when the step ends */
    double in_j, liquid_j, air_j, asked_j, held_s, die_max_c;
};

/* One leak of one rack, while it is there. */
struct mr_plant_leak {
    struct mr_leak leak;
    uint32_t rack, cohort; /* the tray's; UINT32_MAX: none of its own */
};

/* Units of a CDU group that leak, as far as anybody knows. */
struct mr_plant_unit_leak {
    uint32_t n_known;          /* stopped */
    double seen_s, isolated_s; /* when what is told is seen, then shut off; INFINITY: it is */
};

struct mr_plant_loop {
    const char *name;
    struct mr_facility facility;
    struct mr_rejection rejection;
    bool has_orbit; /* a radiator in space in place of both */
    struct mr_orbit orbit;
};

struct mr_plant_loop_state {
    struct mr_facility_state water;
    struct mr_rejection_state rejection;
    struct mr_rejection_out out;
    struct mr_orbit_state radiator;
    double heat_j; /* given since the last step */
    double heat_w; /* over the last step */
    double from_c; /* return temperature that `out` was asked for */
    double water_w_k;
    int mode;
    bool is_high, is_clamped;
    double fan_j, work_j, ambient_j, water_m3, high_s;
    double mode_s[MR_REJECTION_N_MODE];
};

enum mr_plant_supply {
    MR_PLANT_SUPPLY_NOT_TOLD, /* as the utility is */
    MR_PLANT_SUPPLY_FED,
    MR_PLANT_SUPPLY_DARK
};

struct mr_plant_hall_state {
    struct mr_room_state room;
    double heat_j, inlet_c; /* given since the last step; air to racks */
    double heat_w, given_w; /* over the last step: to the air; from there to the loop */
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
    uint32_t n_dark;     /* leaks that took its power */
};

struct mr_plant_state {
    double t_s, next_period_s;
    double *told[MR_PLANT_N_OUTAGE]; /* what is lost, per part */
    bool *is_unfed;      /* pumps of groups, then of loops: told that they have no power */
    uint8_t *air_supply; /* of halls: enum mr_plant_supply, what air handlers were told */
    struct mr_err fault; /* the state is none that a plant can have */
    struct mr_plant_leak *leak;
    size_t n_leak, cap_leak;
    struct mr_plant_unit_leak *unit_leak; /* per group */
    struct mr_plant_cohort *cohort;
    size_t n_cohort, cap_cohort;
    struct mr_plant_rack_state *rack;
    struct mr_cdu_group_state *group;
    double *group_j, *group_w;                     /* heat given since the last step; mean of it */
    double *group_need;                            /* of the neediest rack, as last asked */
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

/** Go on to t_s, or to the first state that no plant can have (mr_plant_fault). */
void mr_plant_advance(const struct mr_plant *plant, struct mr_plant_state *state, double t_s);

/** Has a temperature left -100 .. 400 degC, or is it no number? Then time stands still.
 *  @return MR_DIVERGED, and err names the part and its last inputs */
MR_CHECKED mr_status mr_plant_fault(const struct mr_plant_state *state, struct mr_err *err);

/** Do the next step of the plant, which ends at t_s at the latest: for readers between steps. */
void mr_plant_step(const struct mr_plant *plant, struct mr_plant_state *state, double t_s);

/** Date at which the next step would end by itself. */
double mr_plant_step_end_s(const struct mr_plant *plant, const struct mr_plant_state *state);

#endif
