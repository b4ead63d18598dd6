/* SPDX-License-Identifier: Apache-2.0 */
/* Memories below the HBM of a pool's instances, and what comes back from them. A call that begins
 * finds a part of its context in HBM; the next part may lie in host memory, on flash, in a context
 * store. What of it is faster to load than to compute is loaded: the call waits in the running list
 * with its slot and room for its whole prompt, in no step, until its blocks have arrived; then it
 * is the first to read what is left.
 *
 *   ready = max(now, way free) + bytes / rate + latency        level after level
 *
 * A way carries one load after the other at the instance's rate; where a memory is shared by a
 * cell's instances its own rate is a second way. As many bytes leave as with fair shares, those who
 * asked first have theirs first.
 *
 * Writing: a level takes what HBM evicts (the first level only), or what a call has in its blocks
 * when it ends or stops. Both go the other way of full-duplex links beside the steps: counted, but
 * they delay nobody. Instances of a cell see a shared memory in the order of time only where it is
 * written at the ends of calls, for blocks give way in the middle of a run of steps.
 *
 * Not here: loads before a call asks (speculative prefill begins a call that does), expiry by time
 * (cell_expiry.h drops a context from all levels). */
#ifndef MR_ENGINE_SERVE_ONBOARD_H
#define MR_ENGINE_SERVE_ONBOARD_H

#include "engine/serve/cache_load.h"
#include "engine/serve/cache_tier.h"
#include "engine/serve/instance.h"

enum {
    MR_ONBOARD_LEVELS = 4
};

/* One level. Instances have their own, which is lost when they go down, or share one. */
struct mr_onboard_level {
    double n_block; /* of an instance, or its part of what is shared */
    double latency_s;
    double bytes_s;        /* of an instance's way, one way */
    double shared_bytes_s; /* an instance's part of the way that all share */
    double byte_j;
    uint32_t min_use;            /* mr_cache_tier_params */
    bool is_shared, takes_ended; /* takes_ended: else what is evicted */
};

struct mr_onboard_plan {
    struct mr_onboard_level level[MR_ONBOARD_LEVELS];
    uint32_t n_level;
    double block_bytes;
    double block_s, pair_s; /* mr_cache_load_compute; mr_onboard_price sets them */
};

/* A call whose blocks are on their way. */
struct mr_onboard_load {
    double asked_s, ready_s;
    uint32_t call;
    uint32_t n_reserved; /* blocks of its prompt, without what it has pinned */
    uint32_t n_rest;     /* tokens that are left to read then */
    uint32_t n_block[MR_ONBOARD_LEVELS];
};

struct mr_onboard_way {
    double free_s, bytes_s;
};

struct mr_onboard_counts {
    uint64_t n_load, n_block[MR_ONBOARD_LEVELS]; /* loads that have arrived */
    double load_s;                               /* from asking to arriving, of all of them */
};

/* Of one instance. */
struct mr_onboard {
    const struct mr_onboard_plan *plan;
    struct mr_cache_tier *tier[MR_ONBOARD_LEVELS];
    struct mr_cache_tier own[MR_ONBOARD_LEVELS];
    struct mr_onboard_way way[MR_ONBOARD_LEVELS], *shared[MR_ONBOARD_LEVELS];
    struct mr_onboard_load *load; /* in the order of time */
    size_t n_load, load_cap;
    size_t n_ready; /* of them: here, waiting for a boundary to read */
    struct mr_onboard_counts counts;
};

/* Of all instances of a pool of a cell. */
struct mr_onboard_pool {
    const struct mr_onboard_plan *plan;
    struct mr_onboard *each; /* [n] */
    uint32_t n;
    struct mr_cache_tier tier[MR_ONBOARD_LEVELS]; /* that they share */
    struct mr_onboard_way way[MR_ONBOARD_LEVELS];
};

/** What computing costs, from two steps of the pricer: all else of the plan is set. */
void mr_onboard_price(struct mr_onboard_plan *plan, const struct mr_serving *serving);

/** @return MR_OK, or MR_RANGE naming the level that cannot be */
MR_CHECKED mr_status mr_onboard_check(const struct mr_onboard_plan *plan, struct mr_err *err);

/** Gives `n` instances their levels; their serving has a plan. @param[out] out owned by the caller
 */
MR_CHECKED mr_status mr_onboard_open(struct mr_instance *instance, uint32_t n,
                                     struct mr_onboard_pool **out, struct mr_err *err);
void mr_onboard_close(struct mr_onboard_pool *pool); /* NULL is fine */

/* ---- for the instance; all of them are fine without levels ---- */

/* When the first load arrives that has not been told: instance.h. */

/** It has arrived: a boundary is near. */
void mr_onboard_arrived(struct mr_instance *instance);

/** Before a step is formed: who has arrived by then. */
void mr_onboard_look(struct mr_instance *instance, double now_s);

static inline bool mr_onboard_has_ready(const struct mr_instance *instance)
{
    return instance->onboard != NULL && instance->onboard->n_ready > 0;
}

static inline bool mr_onboard_has_load(const struct mr_instance *instance)
{
    return instance->onboard != NULL && instance->onboard->n_load > 0;
}

/** The head of the queue has pinned what is in HBM. Is the rest worth a load? Then it leaves the
 *  queue, and is in the running list from now on. */
MR_CHECKED mr_status mr_onboard_ask(struct mr_instance *instance, double now_s, bool *loads,
                                    struct mr_err *err);

static inline mr_status mr_onboard_begin(struct mr_instance *instance, double now_s, bool *loads,
                                         struct mr_err *err)
{
    *loads = false;
    return instance->onboard != NULL ? mr_onboard_ask(instance, now_s, loads, err) : MR_OK;
}

/** Seconds that a call would gain by what lies below, asking now with its first `n_held` blocks in
 * HBM: loading, behind the loads under way, and computing the rest, against computing all. */
double mr_onboard_gain_s(const struct mr_instance *instance, const struct mr_call *call,
                         uint32_t n_held, double now_s);

/** Blocks that it would load then. */
uint32_t mr_onboard_worth(const struct mr_instance *instance, const struct mr_call *call,
                          uint32_t n_held, double now_s);

/** The first that has arrived reads from now on: its blocks are pinned, the room for the others is
 *  free again. @param[out] call last in the running list, its n_read set */
MR_CHECKED mr_status mr_onboard_take(struct mr_instance *instance, uint32_t *call,
                                     struct mr_err *err);

/** A call is stopped before it reads. */
void mr_onboard_forget(struct mr_instance *instance, uint32_t call);

/** A call has ended or stopped: node `end` of the cache is the last of its path. */
void mr_onboard_write(struct mr_instance *instance, uint32_t end);

/** A session ends: what is below of a path from block `first` on. */
MR_CHECKED mr_status mr_onboard_drop(struct mr_instance *instance, const struct mr_cache_path *path,
                                     uint32_t first, struct mr_err *err);

/** The instance is down: its own memories are lost, and whatever was on its way. */
void mr_onboard_lose(struct mr_instance *instance);

/** Blocks of a level that are this instance's part of it. */
double mr_onboard_resident(const struct mr_onboard_pool *pool, uint32_t level);

#endif
