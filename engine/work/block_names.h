/* SPDX-License-Identifier: Apache-2.0 */
/* Small numbers for block ids of any 64 bits, in the order in which they are met: ids that are new
 * together, as those of one prompt mostly are, get numbers that follow one another. One look-up a
 * block; 16 to 32 B for each that is known. */
#ifndef MR_ENGINE_WORK_BLOCK_NAMES_H
#define MR_ENGINE_WORK_BLOCK_NAMES_H

#include "engine/base/status.h"

#include <stddef.h>
#include <stdint.h>

/* Zero-initialize. */
struct mr_block_names {
    uint64_t *id;
    uint32_t *mark; /* number + 1 + those forgotten; up to `forgotten`: a free slot */
    size_t cap;     /* a power of two */
    uint32_t n, forgotten;
};

/** Number of an id, from 0; the next one if it is new.
 *  @return MR_OK, MR_NOMEM, MR_LIMIT: 2^32 - 1 numbers are given */
MR_CHECKED mr_status mr_block_names_of(struct mr_block_names *names, uint64_t id, uint32_t *number,
                                       struct mr_err *err);

/** Forget all, at no cost, and keep the memory. */
void mr_block_names_clear(struct mr_block_names *names);
void mr_block_names_fini(struct mr_block_names *names);

#endif
