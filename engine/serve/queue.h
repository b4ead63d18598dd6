/* SPDX-License-Identifier: Apache-2.0 */
/* Calls that wait, by rank and within a rank in the order they came: a ring for each of few ranks
 * and a bit for each ring that is not empty, so that nothing is sorted or searched. */
#ifndef MR_ENGINE_SERVE_QUEUE_H
#define MR_ENGINE_SERVE_QUEUE_H

#include "engine/base/assert.h"
#include "engine/base/status.h"

#include <stddef.h>
#include <stdint.h>

enum {
    MR_QUEUE_RANKS = 16
};

struct mr_queue_ring {
    uint32_t *call;
    size_t cap, first, n;
};

/* All 0: empty. */
struct mr_queue {
    struct mr_queue_ring ring[MR_QUEUE_RANKS]; /* rank 0 is served first */
    uint32_t ranks;                            /* bit r: ring r is not empty */
    size_t n;
};

void mr_queue_fini(struct mr_queue *queue);

/** Behind all of its rank. @param[in] rank below MR_QUEUE_RANKS */
MR_CHECKED mr_status mr_queue_add(struct mr_queue *queue, uint32_t rank, uint32_t call,
                                  struct mr_err *err);

/** Before all of its rank. */
MR_CHECKED mr_status mr_queue_return(struct mr_queue *queue, uint32_t rank, uint32_t call,
                                     struct mr_err *err);

/** The first of the first rank that is not empty; it stays. There is one. */
static inline uint32_t mr_queue_head(const struct mr_queue *queue)
{
    MR_ASSERT(queue->ranks != 0);
    const struct mr_queue_ring *ring = &queue->ring[__builtin_ctz(queue->ranks)];
    return ring->call[ring->first];
}

/** The head leaves. @return it */
uint32_t mr_queue_take(struct mr_queue *queue);

#endif
