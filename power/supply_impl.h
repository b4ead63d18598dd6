/* SPDX-License-Identifier: Apache-2.0 */
/* The state of a supply, shared by its parts, supply_*.c; racks stand in supply_rack_impl.h. */
#ifndef MR_POWER_SUPPLY_IMPL_H
#define MR_POWER_SUPPLY_IMPL_H

#include "power/feed_ramp.h"
#include "power/series.h"
#include "power/supply.h"
#include "power/supply_emit_impl.h"
#include "power/supply_odds_impl.h"
#include "power/supply_part_impl.h"
#include "power/supply_rack_impl.h"
#include "power/supply_relay_impl.h"
#include "power/supply_shelf_impl.h"
#include "power/supply_source_impl.h"
#include "power/supply_still_impl.h"
#include "power/supply_tree_impl.h"

struct mr_supply {
    const struct mr_site *site;
    struct mr_supply_options options;
    struct mr_supply_params params;
    struct mr_wire wire;
    struct mr_chain *chain;
    double t_s, look_s; /* look_s: of readings, powers hold from t_s */
    bool is_island, has_grid;

    struct mr_supply_source *source;
    struct mr_supply_group *group;
    uint32_t n_source, n_group;
    uint32_t *group_of; /* of nodes of the chain: what stands there; MR_SITE_NONE */

    struct mr_supply_rack *rack;
    struct mr_supply_leaf *leaf;
    struct mr_supply_level *level, site_level, contract; /* feeds, then rows; site; at its meter */
    uint32_t n_leaf, n_level, n_feed;
    struct mr_supply_shelf *shelf; /* of racks; NULL: none has capacitors */
    double shelf_own_j;            /* asked of them */
    double *part_want_w, *part_cap_w, *part_least_w, *part_rest_w; /* of one; below 0: not told */
    bool has_parts;                                                /* racks may rest in part, now */
    uint32_t *part_turn, *turn_of; /* parts by rack and turn; where each stands in that */
    uint32_t n_waiting;            /* racks that wait for a permit */

    struct mr_govern_tree *tree;
    struct mr_govern_load load;
    struct mr_govern_pass pass;
    struct mr_govern_clock clock;
    bool is_hurried; /* a target has begun, or a rack has asked, while a command was under way */
    bool has_asked;  /* racks that were away, since the last look */
    struct mr_supply_still still;
    double *low_w, *high_w, *max_q_w, *demand_w; /* of the governor's nodes */
    uint8_t *tier;
    double budget_w, stop_w, watched_s; /* of all racks, at the last sample; levels, until then */

    struct mr_feed_params feed_params;
    struct mr_feed feed;
    double base_w;                  /* drawn before the first of the targets that are known */
    struct mr_feed_target deepened; /* by the last that deepens; its end is 0: none did */
    bool has_feed, has_permits, has_grid_ramp; /* a limit is stated; steps up take permits */
    int feed_event;                            /* last one told */
    const struct mr_feed_alert *alert;         /* being told */
    const struct mr_feed_status *status;
    struct mr_feed_ride ride;
    struct mr_supply_relay relay;
    double voltage_frac; /* told */
    struct mr_feed_ramp ramp;
    struct mr_feed_permit permit;
    struct mr_tariff tariff;

    bool is_coming, is_sampled, is_counted; /* voltage is back; it is read, caps count it */
    double house_more_w; /* told: what cooling may come to draw beyond what it does */
    double grid_w;
    double meter_w;        /* the same, and while the grid is away the last before */
    double *room_w;        /* of nodes of the chain, for storages that charge */
    uint32_t *way, *seen;  /* scratch; seen: all 0 */
    double spare_w;        /* away from the grid: what may go into storages */
    double ramp_w, ramp_s; /* the meter over the last step, and when that began; NAN: none yet */
    bool is_assisting;     /* storages hold the meter to its ramp */
    bool is_returning;     /* the load goes back to the grid, since back_s */
    bool is_handing;       /* somebody still gives of what the meter may not take at once */
    double back_s;
    double planned_w; /* the meter, with what groups have decided; supplies charge last */
    struct mr_supply_turbine_ask set, run; /* of all turbines beside a grid: watts; on the bus */
    double set_w, run_w, bear_w,
        stay_s;                   /* not yet asked of any; what the site takes of least loads */
    double low_hz;                /* since the start */
    uint32_t *order;              /* racks by tier, then by index */
    bool is_infeasible;           /* told */
    uint32_t n_capped;            /* racks, told */
    bool has_started, is_probing; /* caps hold for first demands; before: draws are not real */
    double fuel_usd, fuel_kg;
    struct mr_supply_total total; /* what only grows */
    struct mr_arena arena;
};

/* ---- supply_make.c ---- */

MR_CHECKED mr_status mr_supply_source_init(struct mr_supply *s, struct mr_err *err);

/** Warns of contracts that starve and batteries that end early; refuses what nobody can keep. */
MR_CHECKED mr_status mr_supply_doubt(struct mr_supply *s, struct mr_diags *diags);

/** A source of the site, by its power node; MR_SITE_NONE. */
uint32_t mr_supply_source_of(const struct mr_supply *s, uint32_t power);

/* ---- supply_source.c ---- */

/** What every source does from now on. @return whether the chain must settle again */
bool mr_supply_source_decide(struct mr_supply *s);
/** Those that carry bars give what these ask for now. After the last decision. */
void mr_supply_source_carry(struct mr_supply *s);
/** Racks draw otherwise: nothing charges until sources have decided anew. */
void mr_supply_source_give_way(struct mr_supply *s);
/** Next date of any source; the step must not go beyond it. */
double mr_supply_source_next_s(const struct mr_supply *s);
/** Of a storage, at the date of readings. */
double mr_supply_source_energy_j(const struct mr_supply *s, uint32_t source);

/** Sources give their energy up to t_s; injections into the chain for this step are set. */
void mr_supply_source_step(struct mr_supply *s, double t_s);
void mr_supply_source_set_units_failed(struct mr_supply *s, uint32_t source, uint32_t n_failed);

/** Does a generator ramp, so that steps must be short? */
bool mr_supply_source_moves(const struct mr_supply *s);

/** Ask a block for watts, with units on the bus for more that will be asked for. */
void mr_supply_source_ask(struct mr_supply *s, struct mr_supply_source *source, double load_w,
                          double more_w);

/** What sources could carry now where there is no grid; INFINITY with one. */
double mr_supply_source_capacity_w(const struct mr_supply *s);

/** What a group could carry of bars that have lost their feed, reserves included. */
double mr_supply_source_group_w(const struct mr_supply *s, const struct mr_supply_group *group);

double mr_supply_source_sun_w(const struct mr_supply *s, const struct mr_supply_source *source);
bool mr_supply_source_is_full(const struct mr_supply_source *source);
bool mr_supply_source_is_empty(const struct mr_supply_source *source, bool uses_reserve);

/* ---- supply_start.c ---- */

MR_CHECKED mr_status mr_supply_start_init(struct mr_supply *s, struct mr_err *err);

/** What bars that are dark would ask for if they were carried now. */
double mr_supply_start_expected_w(const struct mr_supply *s, const struct mr_supply_group *group);
/** Pumps and fans that come back with their bars, as far as they ask for it or the last try to
 *  carry these has shown; 0 beside a grid. */
double mr_supply_start_house_w(const struct mr_supply *s);
/** Racks are looked at in order, highest tier first; may one that is ready start and draw w? */
void mr_supply_start_begin(struct mr_supply *s);
bool mr_supply_start_may(struct mr_supply *s, uint32_t rack, double w);
/** When machines can take the next one. */
double mr_supply_start_next_s(const struct mr_supply *s);

/* ---- supply_refill.c ---- */

MR_CHECKED mr_status mr_supply_refill_init(struct mr_supply *s, struct mr_err *err);

/** Bars of a group and all nodes above them. @return how many are in s->way */
uint32_t mr_supply_refill_way(struct mr_supply *s, const struct mr_supply_group *group);

/** What the nodes above storages have left; what those of a group take from living bars. */
void mr_supply_refill_begin(struct mr_supply *s);
double mr_supply_refill_taken_w(const struct mr_supply *s, const struct mr_supply_group *group);

/** @return what of w a group's storage may take from the grid; it is taken */
double mr_supply_refill_w(struct mr_supply *s, const struct mr_supply_group *group, double w);

/* ---- supply_hold.c ---- */

MR_CHECKED mr_status mr_supply_hold_init(struct mr_supply *s, struct mr_err *err);

/** Racks by tier, after a change. */
void mr_supply_hold_sort(struct mr_supply *s);

/** Who must stop, by tiers, so that the rest fits the budget; who may go on. */
void mr_supply_hold_decide(struct mr_supply *s);

/** What was decided comes in force. */
void mr_supply_hold_apply(struct mr_supply *s);

/** Who is stopped when time begins. */
void mr_supply_hold_tell_start(struct mr_supply *s);

/** A frequency relay opens: racks of so many watts are shut now, until free_s at least. */
void mr_supply_hold_shed(struct mr_supply *s, double w, double free_s);

/* ---- supply_smooth.c ---- */

bool mr_supply_smooths(const struct mr_supply *s, uint32_t rack);

/** What a rack that is on, or is not, draws now when it is asked for w. */
double mr_supply_smooth_w(struct mr_supply *s, uint32_t rack, bool is_on, double w);

/** Racks draw their means over the step to t_s. */
void mr_supply_smooth_step(struct mr_supply *s, double t_s);
double mr_supply_smooth_next_s(const struct mr_supply *s);

/* ---- supply_budget.c ---- */

/* A rack's step at the meter over its own watts, at most: all losses of the longest chain. */
extern const double mr_supply_meter_per_rack;

/** What all racks together may draw; INFINITY: all they want. */
double mr_supply_budget_w(struct mr_supply *s);

/** Of that, or above it, what racks stop for: a target of best effort stops nobody. */
double mr_supply_stop_w(struct mr_supply *s, double budget_w);

/* ---- supply_govern.c ---- */

MR_CHECKED mr_status mr_supply_govern_init(struct mr_supply *s, struct mr_err *err);

/** The first caps are in force at once; racks of which nothing is known want all they may. */
void mr_supply_govern_start(struct mr_supply *s);

/** What of them is an event, when time begins. */
void mr_supply_govern_tell_start(struct mr_supply *s);

/** Bounds of a rack's cap, from its card and what holds it. */
void mr_supply_govern_bound(struct mr_supply *s, uint32_t rack);

/** It draws w from now on. */
void mr_supply_draw(struct mr_supply *s, uint32_t rack, double w);

/** A permit to start, or the end of the wait where none is needed. @return when */
double mr_supply_govern_permit(struct mr_supply *s, uint32_t rack, double from_s);

/** Racks that have lost or found their feed change state; draws follow caps and wants.
 *  @return whether the chain must settle again */
bool mr_supply_govern_racks(struct mr_supply *s);
double mr_supply_govern_next_s(const struct mr_supply *s); /* but for the controller */

/** A decision that is in force at once; what has changed is read now, or as soon as a command that
 *  is under way is in force. */
void mr_supply_govern_at_once(struct mr_supply *s);
void mr_supply_govern_hurry(struct mr_supply *s);

/** Whatever of governor, permits and feed is due at now. */
void mr_supply_govern_act(struct mr_supply *s);

/** The connection sees what the meter shows after all have acted. */
void mr_supply_govern_meter(struct mr_supply *s);

#endif
