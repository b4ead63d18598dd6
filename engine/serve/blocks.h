/* SPDX-License-Identifier: Apache-2.0 */
/* KV blocks of decoding requests without touching them. A request whose step starts with y tokens
 * needs ceil(y / size) blocks: it takes one exactly when (y - 1) mod size = 0. Every decode step
 * adds one to y, so y = u + c with c the decode clock: at clock c take a block those whose residue
 * u mod size is (1 - c) mod size. Counting requests by residue is all that is needed. */
#ifndef MR_ENGINE_SERVE_BLOCKS_H
#define MR_ENGINE_SERVE_BLOCKS_H

#include "engine/base/status.h"

#include <stdint.h>

struct mr_blocks {
    uint32_t *count;            /* [size] requests by residue of u */
    uint32_t size, mask, shift; /* tokens of a block, a power of two; size - 1; its logarithm */
    uint32_t n;                 /* requests in all */
};

/** @param[in] size tokens of a block: a power of two */
MR_CHECKED mr_status mr_blocks_init(struct mr_blocks *blocks, uint32_t size, struct mr_err *err);
void mr_blocks_fini(struct mr_blocks *blocks);

/** Blocks that `n` tokens fill or begin. */
static inline uint64_t mr_blocks_of(const struct mr_blocks *blocks, uint64_t n)
{
    return (n + blocks->mask) >> blocks->shift;
}

/** A request with `y` tokens at its next step begins or ends to decode at clock `c`. */
static inline void mr_blocks_enter(struct mr_blocks *blocks, uint64_t y, uint64_t c)
{
    blocks->count[(y - c) & blocks->mask]++;
    blocks->n++;
}

static inline void mr_blocks_leave(struct mr_blocks *blocks, uint64_t y, uint64_t c)
{
    blocks->count[(y - c) & blocks->mask]--;
    blocks->n--;
}

/** Blocks taken by the step at clock c. */
static inline uint32_t mr_blocks_demand(const struct mr_blocks *blocks, uint64_t c)
{
    return blocks->count[(1 - c) & blocks->mask];
}

/** Blocks taken by the `k` steps from clock c on. O(block). */
uint64_t mr_blocks_demand_of(const struct mr_blocks *blocks, uint64_t c, uint64_t k);

/** How many steps from clock c on, at most `k`, leave at least `spare` of `n_free` blocks after
 *  each of them. O(block). */
uint64_t mr_blocks_safe(const struct mr_blocks *blocks, uint64_t c, uint64_t k, uint64_t n_free,
                        uint64_t spare);

#endif
