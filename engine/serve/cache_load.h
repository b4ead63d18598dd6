/* SPDX-License-Identifier: Apache-2.0 */
/* Load or recompute: how much of a context that lies in slower memories is worth fetching. A call
 * may load the beginning and compute the rest; loading goes on while the call waits its turn, what
 * is left of it delays the call.
 *
 *   delay(L) = max(0, load(L) - wait) + compute(L)
 *   load(L) = sum over sources touched of latency + blocks x time of one
 *   compute(L) = (n - L) block + (n^2 - L^2) / 2 pair        n blocks of context, a fraction
 * allowed
 *
 * Sources are fetched from one after the other. Rates are what the caller's links give now. */
#ifndef MR_ENGINE_SERVE_CACHE_LOAD_H
#define MR_ENGINE_SERVE_CACHE_LOAD_H

#include <stdint.h>

/* The next blocks of the path, all in one place. */
struct mr_cache_load_source {
    uint32_t n_block;
    double latency_s, block_s;
};

/* What the instance takes to compute [s]: per block, and per pair of a block with one before it. */
struct mr_cache_load_compute {
    double n_block;         /* of the whole context, what cannot be loaded included */
    double block_s, pair_s; /* at least 0 */
};

struct mr_cache_load {
    uint32_t n_load; /* blocks after those held */
    double load_s, compute_s;
    double delay_s;
};

/** The cheapest L, the smallest of equals. O(sources).
 *  @param[in] n_held blocks in the cache of the instance, before the sources' */
struct mr_cache_load mr_cache_load_choose(const struct mr_cache_load_source *source, int n_source,
                                          uint32_t n_held,
                                          const struct mr_cache_load_compute *compute,
                                          double wait_s);

/** Time to compute all blocks after the first `n_held` [s]. */
double mr_cache_load_compute_s(const struct mr_cache_load_compute *compute, double n_held);

#endif
