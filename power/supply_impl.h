/* SPDX-License-Identifier: Apache-2.0 */
/* The state of a supply, shared by its three parts: supply.c (building, time, readings),
 * supply_source.c (what stands beside the chain), supply_govern.c (racks, caps, permits, feed). */
#ifndef MR_POWER_SUPPLY_IMPL_H
#define MR_POWER_SUPPLY_IMPL_H

#include "power/feed_ramp.h"
#include "power/series.h"
#include "power/supply.h"

enum {
    mr_supply_stand_max = 4 /* nodes that one group of sources stands at */
};

/* One storage, one block of generators, or one field of the site. */
struct mr_supply_source {
    uint32_t power; /* of the site */
    const char *name;
    bool is_storage, is_turbine, is_solar;
    struct mr_buffer_params buffer_params;
    struct mr_buffer buffer;
    struct mr_generator_params block_params;
    struct mr_generator block;
    double first_j;      /* generator: what its warm-up delivered */
    double first_fuel_j; /* and burnt */
    double rated_w;      /* solar, all units */
    double mean_w;       /* over the running step: given; storages at their terminals, < 0 gives */
    double energy_j;     /* solar: given */
    bool is_full, is_empty; /* storages: told */
    bool has_started;       /* generators: asked to run */
};

/* Sources that stand at the same bars carry them together. */
struct mr_supply_group {
    uint32_t at[mr_supply_stand_max];
    uint32_t n_at;
    uint32_t *source; /* indices */
    uint32_t n_source;
    bool is_ups, is_plant;  /* a UPS's own battery; something that works beside a living grid */
    bool is_away;           /* a bar of it has no feed */
    bool is_backed, is_own; /* told to the chain; carries its bars now */
    double load_w;          /* of its bars when last fed: what it must be able to carry */
    double own_w, given_w;  /* asked of it; what its generators and sun give over the step */
};

enum mr_supply_rack_state {
    MR_SUPPLY_RACK_ON,
    MR_SUPPLY_RACK_DARK,
    MR_SUPPLY_RACK_WAITING /* fed again, not yet permitted */
};

struct mr_supply_rack {
    double want_w, cap_w, draw_w;
    double told_w; /* with is_told: drawn while on, whatever the cap */
    bool is_told;
    double ready_s; /* WAITING: not before */
    int state;      /* enum mr_supply_rack_state */
    uint32_t leaf;  /* of the governor's tree */
};

/* By more than the rounding of sums of caps. */
static inline bool mr_supply_is_capped(const struct mr_supply_rack *rack)
{
    return rack->draw_w < rack->want_w * (1 - 1e-9);
}

struct mr_supply {
    const struct mr_site *site;
    struct mr_supply_options options;
    struct mr_supply_params params;
    struct mr_wire wire;
    struct mr_chain *chain;
    double t_s;
    bool is_island, has_grid;

    struct mr_supply_source *source;
    struct mr_supply_group *group;
    uint32_t n_source, n_group;

    struct mr_supply_rack *rack;
    uint32_t n_waiting; /* racks that wait for a permit */

    struct mr_govern_tree *tree;
    struct mr_govern_load load;
    struct mr_govern_pass pass;
    struct mr_govern_clock clock;
    double *low_w, *high_w, *max_q_w, *demand_w; /* of the governor's nodes */
    double budget_w;                             /* of all racks, at the last sample */

    struct mr_feed_params feed_params;
    struct mr_feed feed;
    bool has_feed; /* a limit is stated */
    struct mr_feed_ride ride;
    struct mr_feed_ramp ramp;
    struct mr_feed_permit permit;
    bool has_permits;
    struct mr_tariff tariff;

    double grid_w;
    double spare_w;     /* away from the grid: what may go into storages */
    bool is_infeasible; /* told */
    double fuel_usd, fuel_kg;
    struct mr_supply_total total; /* what only grows */
    struct mr_arena arena;
};

void mr_supply_emit(struct mr_supply *s, int kind, const char *entity, const char *detail,
                    double value, double limit);

/* ---- supply_source.c ---- */

MR_CHECKED mr_status mr_supply_source_init(struct mr_supply *s, struct mr_err *err);

/** Decide what every source does from now on. @return whether the chain must settle again */
bool mr_supply_source_decide(struct mr_supply *s);

/** Next date of any source; the step must not go beyond it. */
double mr_supply_source_next_s(const struct mr_supply *s);

/** Sources give their energy up to t_s; injections into the chain for this step are set. */
void mr_supply_source_step(struct mr_supply *s, double t_s);
void mr_supply_source_set_units_failed(struct mr_supply *s, uint32_t source, uint32_t n_failed);
uint32_t mr_supply_source_of(const struct mr_supply *s, uint32_t power);

/** Does a generator ramp, so that steps must be short? */
bool mr_supply_source_moves(const struct mr_supply *s);

/** What sources could carry now where there is no grid; INFINITY with one. */
double mr_supply_source_capacity_w(const struct mr_supply *s);

/* ---- supply_govern.c ---- */

/* A rack's step at the meter over its own watts, at most: all losses of the longest chain. */
extern const double mr_supply_meter_per_rack;

MR_CHECKED mr_status mr_supply_govern_init(struct mr_supply *s, struct mr_err *err);

/** The first caps are in force at once, as if all racks wanted all they may. */
void mr_supply_govern_start(struct mr_supply *s);

/** Racks that have lost or found their feed change state; draws follow caps and wants.
 *  @return whether the chain must settle again */
bool mr_supply_govern_racks(struct mr_supply *s);
double mr_supply_govern_next_s(const struct mr_supply *s);

/** Whatever of governor, permits and feed is due at now. */
void mr_supply_govern_act(struct mr_supply *s);

#endif
