/* SPDX-License-Identifier: Apache-2.0 */
/* Arbitrary 64-bit block hashes as runs. Traces name a block by a hash of everything up to it, so
 * hashes that are new together mostly stay together: numbered in the order of first appearance they
 * come in runs, which is what the cache compares. Each hash is looked up once, when its list is
 * read; from there on a call costs its runs. 12 to 24 B per distinct hash. */
#ifndef MR_ENGINE_SERVE_CACHE_NAMES_H
#define MR_ENGINE_SERVE_CACHE_NAMES_H

#include "engine/serve/cache_tree.h"

/* Zero-initialize. One object per scope of hashes (a whole trace, or a session). */
struct mr_cache_names {
    uint64_t *hash;
    uint32_t *name; /* number + 1; 0: empty */
    uint32_t cap, n;
};

/* Growable; zero-initialize, mr_cache_names_runs_fini. */
struct mr_cache_runs {
    struct mr_cache_run *item;
    size_t n, cap;
};

/** Append the runs of a list of hashes, all of them in one space (cache.h: mr_cache_id).
 *  @return MR_OK, MR_NOMEM, MR_LIMIT; on an error some may have been appended */
MR_CHECKED mr_status mr_cache_names_add(struct mr_cache_names *names, uint32_t space,
                                        const uint64_t *hash, size_t n, struct mr_cache_runs *runs,
                                        struct mr_err *err);

/** Append blocks, joined with the last run where they continue it. */
MR_CHECKED mr_status mr_cache_names_run(struct mr_cache_runs *runs, struct mr_cache_run run,
                                        struct mr_err *err);

void mr_cache_names_fini(struct mr_cache_names *names);
void mr_cache_names_runs_fini(struct mr_cache_runs *runs);

#endif
