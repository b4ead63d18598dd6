/* SPDX-License-Identifier: Apache-2.0 */
/* Slower memories below the cache of an instance: host memory, flash, a pod's context store, shared
 * storage. A tier takes what the tier above evicts, if it was used often enough, and gives it back
 * when a call wants it and loading is faster than computing. Several instances may share one.
 *
 * Blocks stand alone here: a tier may hold the end of a context whose beginning is still above.
 * It is equal to a list of single blocks in order of their last writing or loading, deeper ones
 * older; a hit in a tier above refreshes nothing below. A loaded block stays where it was.
 *
 * Not here: who shares a link, and when (the caller's transfers); expiry by time; prefetch. */
#ifndef MR_ENGINE_SERVE_CACHE_TIER_H
#define MR_ENGINE_SERVE_CACHE_TIER_H

#include "engine/serve/cache_list.h"

struct mr_cache_tier_params {
    uint64_t n_limit; /* blocks; UINT32_MAX and more: no limit */
    double block_bytes;
    double latency_s, bytes_s; /* of a load */
    double byte_j;             /* energy of a byte moved, either way */
    uint32_t min_use;   /* taken if as many calls, up to MR_CACHE_USES, have found it above since it
                           came there */
    bool is_write_back; /* false: takes nothing */
};

struct mr_cache_tier_counts {
    uint64_t n_written_block;
    uint64_t n_again_block;    /* offered, but they were here already: refreshed */
    uint64_t n_declined_block; /* offered, but not used often enough, or no write-back */
    uint64_t n_loaded_block;   /* hits */
    uint64_t n_evicted_block, n_dropped_block;
};

struct mr_cache_tier {
    struct mr_cache_tree tree;
    struct mr_cache_list list; /* of extents that are here */
    struct mr_cache_tier_params params;
    struct mr_cache_tier_counts counts;
    struct mr_cache_tier *lower; /* as in struct mr_cache */
    uint32_t n_block, n_limit;
    /* Not MR_OK: there was no memory to write to; sticky. Evicting cannot fail, so whoever runs
     * the tier asks now and then. */
    mr_status status;
    struct mr_cache_run *run; /* of the path being written */
    size_t cap_run;
};

MR_CHECKED mr_status mr_cache_tier_init(struct mr_cache_tier *tier,
                                        const struct mr_cache_tier_params *params,
                                        struct mr_err *err);
void mr_cache_tier_fini(struct mr_cache_tier *tier);

/** Offer the last `n` blocks of an extent that is about to go. */
void mr_cache_tier_take(struct mr_cache_tier *tier, const struct mr_cache_tree *above, uint32_t i,
                        uint32_t n);

/** Evict down to the limit, once all is offered that goes together: what is offered does not push
 *  out what is offered next. */
void mr_cache_tier_settle(struct mr_cache_tier *tier);

/** Blocks of the path that are here, without a gap, from block `first` on. */
uint32_t mr_cache_tier_resident(struct mr_cache_tier *tier, const struct mr_cache_path *path,
                                uint32_t first);

/** A call loads blocks first .. end - 1, all of them here: they become youngest.
 *  @return MR_OK, MR_NOMEM (nothing changed) */
MR_CHECKED mr_status mr_cache_tier_load(struct mr_cache_tier *tier,
                                        const struct mr_cache_path *path, uint32_t first,
                                        uint32_t end, struct mr_err *err);

/** Free what is here of a path from its block `first` on, with all below (a session ends).
 *  @return MR_OK, MR_NOMEM (nothing changed) */
MR_CHECKED mr_status mr_cache_tier_drop(struct mr_cache_tier *tier,
                                        const struct mr_cache_path *path, uint32_t first,
                                        struct mr_err *err);

/** The memory is lost. */
void mr_cache_tier_clear(struct mr_cache_tier *tier);

/** Energy of all transfers so far [J]. */
double mr_cache_tier_energy_j(const struct mr_cache_tier *tier);

#endif
