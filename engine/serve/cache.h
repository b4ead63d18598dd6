/* SPDX-License-Identifier: Apache-2.0 */
/* Prefix cache of one instance: which blocks of which contexts are in its KV memory, and which go
 * when room is needed. Equal, hit for hit, to a list of single blocks in order of last use where a
 * call's last block counts as its oldest (tail first: the order in which engines free blocks), yet
 * extents (cache_tree.h) are all it touches: a growing session costs the same per call at 180,000
 * tokens as at 200.
 *
 * A call: acquire (how much is there; it is pinned from now on), run, extend (what it computed
 * becomes cached, still pinned), release (everything of it becomes youngest). Pinned blocks are
 * never evicted. Generated tokens become cached as whole blocks in the same way: the path given to
 * extend is simply longer.
 *
 * The caller's part:
 * - Tokens to blocks. Only whole blocks are cached (mr_cache_whole); at least one token of a call
 *   must be computed, so acquire asks for mr_cache_reusable(prompt) blocks at most.
 * - Names. A block id is any 64-bit number. Blocks of a session are named mr_cache_id(space, 0),
 *   (space, 1), ... in a space of their own, a fresh one for every life of a recycled session, and
 *   never a name twice for different contents: a session that keeps k blocks of its last context
 *   goes on with names it has not used. What sessions share (tools, system prompt) stands in front
 *   as a run in the space of that prefix. Arbitrary hashes become runs by mr_cache_names.
 *   Instances serve one model; pools of several models have caches of their own.
 * - Room. used + cached <= total: the caller tells by mr_cache_limit how many blocks may be cached
 *   now, where blocks of running requests that are not cached (yet) count as used.
 *
 * Not here: head-first order (it strands blocks whose beginnings are gone), sliding windows that
 * free blocks in the middle, state checkpoints of hybrid models (the caller rounds hits down). */
#ifndef MR_ENGINE_SERVE_CACHE_H
#define MR_ENGINE_SERVE_CACHE_H

#include "engine/base/fetch.h"
#include "engine/serve/cache_list.h"

struct mr_cache_tier;

/* What a running call has pinned: the first `n_block` blocks of its path. */
struct mr_cache_hold {
    uint32_t node, n_block;
};

struct mr_cache_counts {
    uint64_t n_acquired;  /* calls */
    uint64_t n_hit_block; /* found by them */
    uint64_t n_inserted_block;
    uint64_t n_evicted_block; /* for want of room */
    uint64_t n_dropped_block; /* by drop and clear */
    uint64_t n_eviction;      /* extents cut or removed */
};

struct mr_cache {
    struct mr_cache_tree tree;
    struct mr_cache_list list; /* of extents that are not pinned */
    struct mr_cache_list
        first; /* of those: used by background work alone. They are evicted first */
    uint32_t n_block, n_pinned, n_limit;
    bool has_yielding; /* blocks that background work has made, at some time */
    struct mr_cache_counts counts;
    struct mr_cache_tier *lower; /* takes what is evicted; NULL: lost. Lent; set after init */
};

/** @param[in] n_limit blocks it may hold for now */
MR_CHECKED mr_status mr_cache_init(struct mr_cache *cache, uint32_t n_limit, struct mr_err *err);
void mr_cache_fini(struct mr_cache *cache);

/** Pin the longest cached beginning of a path, at most `n_max` blocks.
 *  @param[out] hold n_block is the hit; must be released once
 *  @return MR_OK, MR_NOMEM (nothing changed) */
MR_CHECKED mr_status mr_cache_acquire(struct mr_cache *cache, const struct mr_cache_path *path,
                                      uint32_t n_max, struct mr_cache_hold *hold,
                                      struct mr_err *err);

/** All blocks of the path are computed: those that are not cached yet are now, pinned by `hold`.
 *  What others have cached meanwhile is shared: path->n_block minus *n_new of the call's own blocks
 *  beyond the old hold are superfluous and free again.
 *  @param[in] path begins with the blocks held; its hint is not needed
 *  @param[out] n_new blocks that were not there; NULL: not wanted
 *  @return MR_OK, MR_NOMEM, MR_LIMIT (nothing changed) */
MR_CHECKED mr_status mr_cache_extend(struct mr_cache *cache, struct mr_cache_hold *hold,
                                     const struct mr_cache_path *path, uint32_t *n_new,
                                     struct mr_err *err);

/** End a hold: its blocks become youngest, the last one oldest of them, unless others pin them.
 *  Then evict down to the limit.
 *  @return where the path ends: the hint of the lane's next call */
struct mr_cache_ref mr_cache_release(struct mr_cache *cache, struct mr_cache_hold *hold);

/** Blocks acquire would find. Changes nothing but the count of steps. */
uint32_t mr_cache_resident(struct mr_cache *cache, const struct mr_cache_path *path,
                           uint32_t n_max);

/** Evict until at most `n_limit` blocks are cached or all that is left is pinned.
 *  @return blocks still above the limit */
uint32_t mr_cache_limit(struct mr_cache *cache, uint32_t n_limit);

/** Free at once what is cached of a path from its block `first` on, with all that branches off
 *  there (a session ends: from the block after the shared prefix). Pinned blocks stay.
 *  @return MR_OK, MR_NOMEM (nothing changed) */
MR_CHECKED mr_status mr_cache_drop(struct mr_cache *cache, const struct mr_cache_path *path,
                                   uint32_t first, struct mr_err *err);

/** The memory is lost, holds too: they must not be released. */
void mr_cache_clear(struct mr_cache *cache);

/** Bytes allocated, the structure itself included. */
size_t mr_cache_bytes(const struct mr_cache *cache);

/** Blocks that could be evicted now. */
static inline uint32_t mr_cache_evictable(const struct mr_cache *cache)
{
    return cache->n_block - cache->n_pinned;
}

/** Bring the extent where a lane's last call ended near the processor, a few calls before its next
 *  one. No effect on results; stale references are fine. */
MR_FETCH void mr_cache_prefetch(const struct mr_cache *cache, struct mr_cache_ref hint)
{
    mr_fetch(&cache->tree.node[hint.i]);
}

/** The second step, some calls later: what acquire will touch around that extent. */
MR_FETCH void mr_cache_prefetch_around(const struct mr_cache *cache, struct mr_cache_ref hint)
{
    const struct mr_cache_node *node = &cache->tree.node[hint.i];
    mr_fetch(&cache->tree.node[node->older]);
    mr_fetch(&cache->tree.node[node->younger]);
    mr_fetch(&cache->tree.node[node->parent]);
}

/** Name of block `i` of a space. */
static inline uint64_t mr_cache_id(uint32_t space, uint32_t i)
{
    return (uint64_t)space << 32 | i;
}

/** Blocks that `n_tok` tokens fill. */
static inline uint32_t mr_cache_whole(uint64_t n_tok, uint32_t block_tok)
{
    return (uint32_t)(n_tok / block_tok);
}

/** Blocks of a prompt that may come from the cache: at least its last token is computed. */
static inline uint32_t mr_cache_reusable(uint64_t prompt_tok, uint32_t block_tok)
{
    return prompt_tok > 0 ? mr_cache_whole(prompt_tok - 1, block_tok) : 0;
}

#endif
