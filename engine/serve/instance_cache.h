/* SPDX-License-Identifier: Apache-2.0 */
/* An instance's blocks with a prefix cache: total = own blocks of running calls + pinned ones +
 * free ones, and what is cached but not pinned lies in the free ones until somebody takes them. */
#ifndef MR_ENGINE_SERVE_INSTANCE_CACHE_H
#define MR_ENGINE_SERVE_INSTANCE_CACHE_H

#include "engine/serve/instance.h"

/** Cached blocks give way to those that have been taken: before anything is looked up. */
static inline void mr_instance_cache_yield(struct mr_instance *instance)
{
    if (instance->serving->has_cache && mr_cache_evictable(&instance->cache) > instance->n_free)
        (void)mr_cache_limit(&instance->cache,
                             (uint32_t)(instance->cache.n_pinned + instance->n_free));
}

/** A call begins: what is cached of its prompt is pinned and counts as read. */
MR_CHECKED mr_status mr_instance_cache_take(struct mr_instance *instance, struct mr_call *call,
                                            struct mr_err *err);

/** What has been loaded of a call's prompt is cached, pinned and counts as read.
 *  @param[in] n_block all of its blocks that are here now */
MR_CHECKED mr_status mr_instance_cache_came(struct mr_instance *instance, struct mr_call *call,
                                            uint32_t n_block, struct mr_err *err);

/** A call ends or stops with `n_computed` tokens in its blocks: whole blocks become cached, all of
 *  them free or evictable. */
MR_CHECKED mr_status mr_instance_cache_leave(struct mr_instance *instance, struct mr_call *call,
                                             uint64_t n_computed, struct mr_err *err);

/** Cached blocks that a running call has pinned; 0 without a cache. */
uint32_t mr_instance_cache_held(const struct mr_instance *instance, const struct mr_call *call);

/** Forget what only a call's session could use of its blocks. No other call of it runs. */
MR_CHECKED mr_status mr_instance_cache_forget(struct mr_instance *instance,
                                              const struct mr_call *call, struct mr_err *err);

/** A call's prompt becomes cached without being computed, if there is room. */
MR_CHECKED mr_status mr_instance_cache_warm(struct mr_instance *instance,
                                            const struct mr_call *call, double now_s,
                                            struct mr_err *err);

/** Tokens of a call's prompt that are cached and need not be computed. */
uint64_t mr_instance_cache_found(struct mr_instance *instance, const struct mr_call *call);

#endif
