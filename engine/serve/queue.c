/* SPDX-License-Identifier: Apache-2.0 */
/* A ring that is full grows where it stands: the part before the wrap moves to the new end. */
#include "engine/serve/queue.h"

#include "engine/base/mem.h"

void mr_queue_fini(struct mr_queue *queue)
{
    for (uint32_t r = 0; r < queue->n_ring; r++)
        mr_free(queue->ring[r].call);
    mr_free(queue->ring);
    *queue = (struct mr_queue){0};
}

static mr_status grow(struct mr_queue_ring *ring, struct mr_err *err)
{
    const uint32_t before = ring->cap;
    size_t cap = before;
    MR_TRY(mr_grow(&ring->call, &cap, (size_t)before + 1, sizeof *ring->call, err));
    ring->cap = cap < UINT32_MAX ? (uint32_t)cap : UINT32_MAX; /* calls of a cell are fewer */
    /* what stood before the wrap goes behind the old end, one by one: it may wrap again */
    const uint32_t n_head = before - ring->first;
    for (uint32_t i = n_head; i > 0; i--)
        ring->call[ring->cap - n_head + i - 1] = ring->call[ring->first + i - 1];
    ring->first = n_head > 0 ? ring->cap - n_head : 0;
    return MR_OK;
}

/* Room for one more call in the ring of a rank. */
static mr_status ring_of(struct mr_queue *queue, uint32_t rank, struct mr_queue_ring **ring,
                         struct mr_err *err)
{
    if (rank >= queue->n_ring) { /* as many as there are ranks, no more: each instance has them */
        struct mr_queue_ring *more = mr_alloc_zero((size_t)rank + 1, sizeof *more);
        if (more == NULL)
            return mr_err_nomem(err, ((size_t)rank + 1) * sizeof *more);
        for (uint32_t r = 0; r < queue->n_ring; r++)
            more[r] = queue->ring[r];
        mr_free(queue->ring);
        queue->ring = more;
        queue->n_ring = rank + 1;
    }
    *ring = &queue->ring[rank];
    return (*ring)->n < (*ring)->cap ? MR_OK : grow(*ring, err);
}

static void count(struct mr_queue *queue, uint32_t rank)
{
    queue->ring[rank].n++;
    queue->ranks |= 1u << rank;
    queue->n++;
}

static uint32_t *place(struct mr_queue_ring *ring, size_t k)
{
    const size_t at = ring->first + k;
    return &ring->call[at < ring->cap ? at : at - ring->cap];
}

mr_status mr_queue_add(struct mr_queue *queue, uint32_t rank, uint32_t call, size_t n_behind,
                       struct mr_err *err)
{
    MR_ASSERT(rank < MR_QUEUE_RANKS && n_behind <= mr_queue_n(queue, rank));
    struct mr_queue_ring *ring;
    MR_TRY(ring_of(queue, rank, &ring, err));
    for (size_t k = ring->n; k > ring->n - n_behind; k--)
        *place(ring, k) = *place(ring, k - 1);
    *place(ring, ring->n - n_behind) = call;
    count(queue, rank);
    return MR_OK;
}

mr_status mr_queue_return(struct mr_queue *queue, uint32_t rank, uint32_t call, size_t n_before,
                          struct mr_err *err)
{
    MR_ASSERT(rank < MR_QUEUE_RANKS && n_before <= mr_queue_n(queue, rank));
    struct mr_queue_ring *ring;
    MR_TRY(ring_of(queue, rank, &ring, err));
    ring->first = ring->first > 0 ? ring->first - 1 : ring->cap - 1;
    for (size_t k = 0; k < n_before; k++)
        *place(ring, k) = *place(ring, k + 1);
    *place(ring, n_before) = call;
    count(queue, rank);
    return MR_OK;
}

uint32_t mr_queue_take(struct mr_queue *queue)
{
    const uint32_t call = mr_queue_head(queue);
    const uint32_t rank = (uint32_t)__builtin_ctz(queue->ranks);
    struct mr_queue_ring *ring = &queue->ring[rank];
    ring->first = ring->first + 1 < ring->cap ? ring->first + 1 : 0;
    ring->n--;
    queue->n--;
    if (ring->n == 0)
        queue->ranks &= ~(1u << rank);
    return call;
}
