/* SPDX-License-Identifier: Apache-2.0 */
/* Calls that wait, by rank and within a rank in the order they came, unless the caller says how
 * many a call goes before: a ring for each of few ranks and a bit for each ring that is not empty,
 * so that nothing is sorted or searched. */
#ifndef MR_ENGINE_SERVE_QUEUE_H
#define MR_ENGINE_SERVE_QUEUE_H

#include "engine/base/assert.h"
#include "engine/base/status.h"

#include <stddef.h>
#include <stdint.h>

enum {
    MR_QUEUE_RANKS = 32
};

struct mr_queue_ring {
    uint32_t *call;
    uint32_t cap, first, n;
};

/* All 0: empty. */
struct mr_queue {
    struct mr_queue_ring *ring; /* [n_ring], of ranks there have been; rank 0 is served first */
    uint32_t n_ring;
    uint32_t ranks; /* bit r: ring r is not empty */
    size_t n;
};

void mr_queue_fini(struct mr_queue *queue);

/** Behind all of its rank but the last `n_behind`. O(n_behind)
 *  @param[in] rank below MR_QUEUE_RANKS */
MR_CHECKED mr_status mr_queue_add(struct mr_queue *queue, uint32_t rank, uint32_t call,
                                  size_t n_behind, struct mr_err *err);

/** Before all of its rank but the first `n_before`. O(n_before) */
MR_CHECKED mr_status mr_queue_return(struct mr_queue *queue, uint32_t rank, uint32_t call,
                                     size_t n_before, struct mr_err *err);

/** Calls of a rank. */
static inline size_t mr_queue_n(const struct mr_queue *queue, uint32_t rank)
{
    return rank < queue->n_ring ? queue->ring[rank].n : 0;
}

/** The k-th call of a rank, from its first one. @param[in] k below mr_queue_n(rank) */
static inline uint32_t mr_queue_at(const struct mr_queue *queue, uint32_t rank, size_t k)
{
    const struct mr_queue_ring *ring = &queue->ring[rank];
    const size_t at = ring->first + k;
    return ring->call[at < ring->cap ? at : at - ring->cap];
}

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
