/* SPDX-License-Identifier: Apache-2.0 */
/* What stands beside the chain, as a supply keeps it: storages, blocks of machines, sunshine, and
 * those of them that carry bars together. */
#ifndef MR_POWER_SUPPLY_SOURCE_IMPL_H
#define MR_POWER_SUPPLY_SOURCE_IMPL_H

#include "power/buffer.h"
#include "power/frequency.h"
#include "power/generator.h"

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
    bool is_full, is_empty;  /* storages: told */
    bool is_spent;           /* battery plants: caps do not count on it before it is charged */
    bool has_started;        /* generators: asked to run */
    uint32_t n_on, n_failed; /* generators: units, told */
};

/* Sources that stand at the same bars carry them together. */
struct mr_supply_group {
    uint32_t at[mr_supply_stand_max];
    uint32_t n_at;
    uint32_t *source; /* indices */
    uint32_t n_source;
    bool is_ups, is_plant;      /* a UPS's own battery; something that works beside a living grid */
    bool is_away;               /* a bar of it has no feed */
    bool is_backed, is_own;     /* told to the chain; carries its bars now */
    double load_w;              /* of its bars when last fed: what it must be able to carry */
    double own_w, given_w;      /* asked of it; what its generators and sun give over the step */
    bool has_machines;          /* generators or turbines: what it carries alone has a frequency */
    bool has_collapsed;         /* not yet told */
    bool was_own;               /* told */
    double nadir_hz, lowest_hz; /* not yet told; of this swing. 0: none */
    uint64_t n_told;            /* relays of `swing` that have shed */
    double since_s;             /* it has carried its bars */
    double tried_w;             /* expected at the last try to carry */
    double beyond_w;            /* asked beyond what was expected, when it was short last */
    double promised_w, start_s; /* to racks that start now; none starts before */
    bool is_waited_for;         /* by a rack that others may not pass */
    bool is_balanced;           /* has carried its bars in balance since it took them over */
    double missing_w;           /* that its machines' set points do not give now */
    struct mr_frequency swing;
    struct mr_frequency_params swing_params; /* base and headroom of what runs */
};

/* What turbines beside a grid are asked for: it rises at once, and falls when it has been less for
 * a while. */
struct mr_supply_turbine_ask {
    double now_w, held_w, since_s;
};

struct mr_supply_params;

/** What a battery plant is for. One that buys by price has nothing to fill up to but that: where
 *  `refill` is all of its window, only its reserve is filled at any price. */
struct mr_buffer_plan mr_supply_plan_of(const struct mr_supply_params *params,
                                        const struct mr_buffer_params *p);

struct mr_supply;
struct mr_supply_reading;

/* ---- supply_island.c ---- */

/** A group over the step to t_s, with what was missing (or < 0) beside set points. @return any run
 */
bool mr_supply_island_step(struct mr_supply *s, struct mr_supply_group *group, double t_s,
                           double missing_w);
/** What frequency relays have done during the last step. */
void mr_supply_island_act(struct mr_supply *s);

void mr_supply_island_rest(struct mr_supply *s, struct mr_supply_group *group);
bool mr_supply_island_moves(const struct mr_supply *s);
double mr_supply_island_next_s(const struct mr_supply *s);
/** The lowest of all islands now, or the nominal; what its machines and sun give. */
double mr_supply_island_hz(const struct mr_supply *s);
void mr_supply_island_read(const struct mr_supply *s, struct mr_supply_reading *reading);

#endif
