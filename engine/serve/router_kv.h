/* SPDX-License-Identifier: Apache-2.0 */
/* Routing by what is cached where: a call goes where it costs the fewest seconds,
 *
 *   J_i = W_i + X_i + w n_i
 *   W_i   prompts that wait on i, without what it had of them when they came, and those that
 *         are being read, at the pace of full steps
 *   X_i   the prompt without what i has cached of it, read in one piece; less what it gains by
 *         loading a part from its memories below HBM, behind the loads under way (onboard.h)
 *   w n_i calls of i, each at w seconds: what one more takes from those that run there. Where its
 *         agent has said how many tokens to expect, w is that many steps, each longer by what
 *         reading its context takes
 *
 * A directory, a tree of extents like the caches' own, remembers who was sent which context: every
 * extent knows the last few instances. Candidates are those of the
 * longest extent that matches, where the session was last, two at random, and the instance with the
 * least W + w n, which beats all others that have nothing. Each is looked at as it is: the
 * directory may be out of date, the answer is not. A call costs a walk in the directory, O(log n)
 * and a dozen looks at most. With no more instances than an extent remembers the answer is the best
 * of all.
 *
 * Or, by what the tier was promised, of the same candidates
 *
 *   TTFT_i = prompts that wait or are being read on i, at the pace of full steps,
 *            and the step that reads this one beside all that decode there, less what loads gain
 *   TPOT_i = a step of all that decode there and this one
 *
 * the one with the least TTFT_i of those that meet both objectives, or else of all. Without caches
 * nobody holds anything: the candidates are the least loaded, the last, and two at random.
 *
 * Ignored: that news of caches and loads take time to reach a router; that a load shares its time
 * with the prompts that wait (the load begins when its call is admitted). */
#ifndef MR_ENGINE_SERVE_ROUTER_KV_H
#define MR_ENGINE_SERVE_ROUTER_KV_H

#include "engine/serve/instance.h"
#include "engine/serve/router.h"

enum {
    MR_ROUTER_KV_HOLDERS = 8
};

/* Who was sent a context down to some extent. */
struct mr_router_kv_extent {
    uint32_t generation;
    uint32_t n;
    uint32_t holder[MR_ROUTER_KV_HOLDERS]; /* instances, the last first */
};

struct mr_router_kv {
    struct mr_instance *instance; /* lent */
    uint32_t n;
    double call_s;     /* w */
    bool by_slo;       /* else J */
    double read_tok_s; /* tokens of prompts a second in full steps, the inverse of W's pace */
    struct mr_cache directory;
    struct mr_router_kv_extent *extent; /* by node of the directory */
    size_t extent_cap;
    struct mr_tree load; /* W + w n in nanoseconds; MR_TREE_NEVER while closed */
    uint32_t *chain;     /* scratch: nodes of a path, the deepest first */
    size_t chain_cap;
    uint64_t n_look; /* instances looked at so far */
};

/* What a tier was promised; 0: nothing. */
struct mr_router_goal {
    double ttft_s, tpot_s;
};

/** @param[in] instance [n], alike; lent @param[in] policy MR_ROUTER_KV, with a prefix cache, or
 *  MR_ROUTER_SLO @param[in] call_s w */
MR_CHECKED mr_status mr_router_kv_create(struct mr_instance *instance, uint32_t n, int policy,
                                         double call_s, struct mr_router_kv **out,
                                         struct mr_err *err);
void mr_router_kv_destroy(struct mr_router_kv *kv);

/* A call that looks for an instance. */
struct mr_router_seeker {
    const struct mr_call *call; /* with its prompt and path */
    uint64_t id;                /* draws are made from it */
    uint32_t last;              /* instance of the session, or MR_ROUTER_NOWHERE */
    struct mr_router_goal goal; /* of its tier */
    double call_s;              /* w of this call */
};

/** @param[in] router whose seats are open or closed, with its counts; draws are its own
 *  @return MR_ROUTER_NOWHERE when all are closed */
uint32_t mr_router_kv_choose(struct mr_router_kv *kv, const struct mr_router *router,
                             const struct mr_router_seeker *seeker, double now_s);

/** Does the router look at instances? Then it needs one of these. */
static inline bool mr_router_kv_is(int policy, bool has_cache)
{
    return policy == MR_ROUTER_SLO || (policy == MR_ROUTER_KV && has_cache);
}

/** J_i. @param[in] call_s w of this call */
double mr_router_kv_cost_s(const struct mr_router_kv *kv, const struct mr_router *router,
                           const struct mr_call *call, uint32_t i, double call_s, double now_s);

/** TTFT_i and TPOT_i. */
struct mr_router_goal mr_router_kv_predict(const struct mr_router_kv *kv,
                                           const struct mr_call *call, uint32_t i, double now_s);

/** A call was sent there. */
MR_CHECKED mr_status mr_router_kv_sent(struct mr_router_kv *kv, const struct mr_call *call,
                                       uint32_t i, struct mr_err *err);

/** The load of an instance, or whether it is open, has changed. */
void mr_router_kv_update(struct mr_router_kv *kv, const struct mr_router *router, uint32_t i);

#endif
