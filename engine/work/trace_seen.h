/* SPDX-License-Identifier: Apache-2.0 */
/* Which block ids were seen, and which of them more than once: pages of 64 consecutive ids, two
 * bits each, in a hash table. A call costs a look-up per 64 blocks. Zero-initialize. */
#ifndef MR_ENGINE_WORK_TRACE_SEEN_H
#define MR_ENGINE_WORK_TRACE_SEEN_H

#include "engine/work/session.h"

struct mr_trace_seen_page {
    uint64_t key; /* id / 64, twice, + 1 where minted; */
    uint64_t once, again;
};

struct mr_trace_seen {
    struct mr_trace_seen_page *page; /* empty: once is 0 */
    size_t cap, n;
    uint64_t n_id, n_once; /* ids seen; of them once */
};

/** Forget all, keep the memory. */
void mr_trace_seen_clear(struct mr_trace_seen *seen);
void mr_trace_seen_fini(struct mr_trace_seen *seen);

/** Blocks at the beginning of the run that were seen before. */
uint32_t mr_trace_seen_count(const struct mr_trace_seen *seen, const struct mr_session_run *run);
MR_CHECKED mr_status mr_trace_seen_add(struct mr_trace_seen *seen, const struct mr_session_run *run,
                                       struct mr_err *err);

#endif
