/* SPDX-License-Identifier: Apache-2.0 */
/* Four-ary min-heaps in storage the caller gives: of 64-bit keys (the finish heap of an instance:
 * finish counter above, request below) and of events (what happens inside the current window). They
 * never allocate; the caller knows how many can be in flight and cuts that from its slab.
 *
 * Four children and not two: half the levels, and the least of four is found without a branch, from
 * one cache line where the storage is aligned to 32 bytes one element before its start. All inline:
 * a push takes a few nanoseconds, of which a call, with the sizes spilled around it, would be half.
 * Equal keys are the same key, so no order among them is promised or needed. */
#ifndef MR_ENGINE_CLOCK_HEAP_H
#define MR_ENGINE_CLOCK_HEAP_H

#include "engine/clock/event.h"

/* ---- whole numbers ---- */

struct mr_heap {
    uint64_t *key; /* lent */
    uint32_t n, cap;
};

/** Empty, in lent storage of `cap` keys. */
static inline struct mr_heap mr_heap_in(uint64_t *storage, uint32_t cap)
{
    return (struct mr_heap){storage, 0, cap};
}

static inline uint64_t mr_heap_key(uint32_t finish, uint32_t id)
{
    return (uint64_t)finish << 32 | id;
}

static inline uint32_t mr_heap_key_finish(uint64_t key)
{
    return (uint32_t)(key >> 32);
}

static inline uint32_t mr_heap_key_id(uint64_t key)
{
    return (uint32_t)key;
}

/** The least key; it stays. The heap is not empty. */
static inline uint64_t mr_heap_top(const struct mr_heap *heap)
{
    MR_ASSERT(heap->n > 0);
    return heap->key[0];
}

static inline void mr_heap_push(struct mr_heap *heap, uint64_t key)
{
    MR_ASSERT(heap->n < heap->cap);
    uint64_t *const k = heap->key;
    uint32_t hole = heap->n++;
    while (hole > 0) {
        const uint32_t parent = (hole - 1) / 4;
        if (k[parent] <= key)
            break;
        k[hole] = k[parent];
        hole = parent;
    }
    k[hole] = key;
}

/** Put `key` where the least key was. The heap is not empty. The place of the least of four is
 * added up from comparisons, and selected by a mask: compilers make branches of conditional
 * operators here, and which child is the least is a coin toss. Its key is read again, for the line
 * is there: as fast as selecting it, too, and a third fewer instructions. */
static inline void mr_heap_replace(struct mr_heap *heap, uint64_t key)
{
    MR_ASSERT(heap->n > 0);
    uint64_t *const k = heap->key;
    const uint64_t n = heap->n;
    uint64_t hole = 0;
    for (uint64_t first = 1; first < n; first = 4 * hole + 1) {
        uint64_t best = first;
        if (first + 4 <= n) {
            const uint64_t low = first + (k[first + 1] < k[first]);
            const uint64_t high = first + 2 + (k[first + 3] < k[first + 2]);
            const uint64_t is_high = 0 - (uint64_t)(k[high] < k[low]);
            best = low ^ ((low ^ high) & is_high);
        } else {
            for (uint64_t i = first + 1; i < n; i++)
                best = k[i] < k[best] ? i : best;
        }
        if (k[best] >= key)
            break;
        k[hole] = k[best];
        hole = best;
    }
    k[hole] = key;
}

/** Take the least key out. The heap is not empty. */
static inline uint64_t mr_heap_pop(struct mr_heap *heap)
{
    const uint64_t top = mr_heap_top(heap);
    const uint64_t last = heap->key[--heap->n];
    if (heap->n > 0)
        mr_heap_replace(heap, last);
    return top;
}

/** Count finishes from `by` on: a decode clock that nears 2^32 starts again. All finishes are at
 *  least `by`; taking the same from each keeps their order, so nothing moves. */
static inline void mr_heap_rebase(struct mr_heap *heap, uint32_t by)
{
    for (uint32_t i = 0; i < heap->n; i++) {
        MR_ASSERT(mr_heap_key_finish(heap->key[i]) >= by);
        heap->key[i] -= (uint64_t)by << 32;
    }
}

/* ---- events: the same, twice as wide ---- */

struct mr_heap_events {
    struct mr_event *event; /* lent */
    uint32_t n, cap;
};

static inline struct mr_event mr_heap_events_top(const struct mr_heap_events *heap)
{
    MR_ASSERT(heap->n > 0);
    return heap->event[0];
}

static inline void mr_heap_events_push(struct mr_heap_events *heap, struct mr_event event)
{
    MR_ASSERT(heap->n < heap->cap);
    struct mr_event *const e = heap->event;
    uint32_t hole = heap->n++;
    while (hole > 0) {
        const uint32_t parent = (hole - 1) / 4;
        if (!mr_event_is_before(event, e[parent]))
            break;
        e[hole] = e[parent];
        hole = parent;
    }
    e[hole] = event;
}

/** Put `event` where the first one was. The heap is not empty. */
static inline void mr_heap_events_replace(struct mr_heap_events *heap, struct mr_event event)
{
    MR_ASSERT(heap->n > 0);
    struct mr_event *const e = heap->event;
    const uint32_t n = heap->n;
    uint32_t hole = 0;
    for (uint64_t first = 1; first < n; first = 4 * (uint64_t)hole + 1) {
        uint64_t best = first;
        if (first + 4 <= n) {
            const uint64_t a = first + mr_event_is_before(e[first + 1], e[first]);
            const uint64_t b = first + 2 + mr_event_is_before(e[first + 3], e[first + 2]);
            best = mr_event_is_before(e[b], e[a]) ? b : a;
        } else {
            for (uint64_t i = first + 1; i < n; i++)
                best = mr_event_is_before(e[i], e[best]) ? i : best;
        }
        if (!mr_event_is_before(e[best], event))
            break;
        e[hole] = e[best];
        hole = (uint32_t)best;
    }
    e[hole] = event;
}

static inline struct mr_event mr_heap_events_pop(struct mr_heap_events *heap)
{
    const struct mr_event top = mr_heap_events_top(heap);
    const struct mr_event last = heap->event[--heap->n];
    if (heap->n > 0)
        mr_heap_events_replace(heap, last);
    return top;
}

#endif
