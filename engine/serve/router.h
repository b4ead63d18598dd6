/* SPDX-License-Identifier: Apache-2.0 */
/* Which instance of a pool a call goes to. The router knows loads, kept in a winner tree, and where
 * a session was last. An instance that is closed (down, drained)
 * is chosen by none of them. */
#ifndef MR_ENGINE_SERVE_ROUTER_H
#define MR_ENGINE_SERVE_ROUTER_H

#include "engine/base/status.h"
#include "engine/clock/tree.h"

#include <stdbool.h>
#include <stdint.h>

/* name in files, meaning */
#define MR_ROUTER_LIST(X)                                                                          \
    X(LEAST, "least_outstanding", "fewest calls running and waiting")                              \
    X(ROUND, "round_robin", "in turn")                                                             \
    X(RANDOM, "random", "any, all equally likely")                                                 \
    X(CHOICES, "power_of_two", "the less loaded of two drawn at random")                           \
    X(AFFINITY, "affinity", "where the session was last, unless it is far busier than the best")   \
    X(KV, "kv_aware", "where what is cached and what waits cost the fewest seconds (router_kv.h)") \
    X(SLO, "predicted_slo", "the first token soonest, of those that meet the tier (router_kv.h)")

enum mr_router_policy {
#define MR_ROUTER_ENUM(name, text, doc) MR_ROUTER_##name,
    MR_ROUTER_LIST(MR_ROUTER_ENUM)
#undef MR_ROUTER_ENUM
};

#define MR_ROUTER_NOWHERE UINT32_MAX /* a session that was never anywhere */

struct mr_router {
    int policy; /* enum mr_router_policy */
    uint64_t seed;
    uint64_t n_routed;
    /* calls more than the best instance has that a session puts up with: a share of them, and so
     * many. Leaving costs the whole context: with a number alone sessions of a busy pool, where
     * loads differ by the root of hundreds, would lose their caches all the time */
    double affinity_share, affinity_excess;
    struct mr_tree load; /* key: calls of the instance; MR_TREE_NEVER while it is closed */
    uint64_t *n_call;    /* [load.n] */
    uint32_t *open;      /* those that are open, in order */
    uint32_t n_open;
    /* affinity in a small pool: keys of open instances are those of the last look at all of them,
     * which is due when this bound does not answer */
    uint64_t *key;    /* [load.n] of that look; NULL: keys are always those of now */
    uint64_t n_least; /* no open instance has fewer calls now */
};

/** @param[in] n instances */
MR_CHECKED mr_status mr_router_init(struct mr_router *router, int policy, uint32_t n, uint64_t seed,
                                    struct mr_err *err);
void mr_router_fini(struct mr_router *router);

/** May calls go there? All may at first. O(n), rarely called. */
void mr_router_open(struct mr_router *router, uint32_t instance, bool is_open);

/** @return an instance that is open, MR_ROUTER_NOWHERE without any
 *  @param[in] call number that draws at random are made from, so that order does not matter
 *  @param[in] last instance of the session, or MR_ROUTER_NOWHERE */
uint32_t mr_router_choose(struct mr_router *router, uint64_t call, uint32_t last);

/** A call has come to an instance, or left it. */
void mr_router_count(struct mr_router *router, uint32_t instance, int more);

#endif
