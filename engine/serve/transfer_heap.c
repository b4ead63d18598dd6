/* SPDX-License-Identifier: Apache-2.0 */
/* Entries move through a hole, so that each is written once. */
#include "engine/serve/transfer_heap.h"

#include "engine/base/assert.h"
#include "engine/base/mem.h"

enum {
    n_child = 4
};

typedef struct mr_transfer_heap_entry entry;

mr_status mr_transfer_heap_reserve(struct mr_transfer_heap *heap, size_t n, struct mr_err *err)
{
    return mr_grow(&heap->item, &heap->cap, n, sizeof *heap->item, err);
}

void mr_transfer_heap_fini(struct mr_transfer_heap *heap)
{
    mr_free(heap->item);
    *heap = (struct mr_transfer_heap){0};
}

static bool is_before(entry a, entry b)
{
    return a.key < b.key || (a.key == b.key && a.id < b.id);
}

static void put(struct mr_transfer_heap *heap, uint32_t *place, size_t i, entry e)
{
    heap->item[i] = e;
    place[e.id] = (uint32_t)i;
}

static void rise(struct mr_transfer_heap *heap, uint32_t *place, size_t i, entry e)
{
    while (i > 0) {
        const size_t parent = (i - 1) / n_child;
        if (!is_before(e, heap->item[parent]))
            break;
        put(heap, place, i, heap->item[parent]);
        i = parent;
    }
    put(heap, place, i, e);
}

static void sink(struct mr_transfer_heap *heap, uint32_t *place, size_t i, entry e)
{
    for (;;) {
        const size_t first = n_child * i + 1;
        if (first >= heap->n)
            break;
        const size_t end = first + n_child < heap->n ? first + n_child : heap->n;
        size_t least = first;
        for (size_t c = first + 1; c < end; c++)
            if (is_before(heap->item[c], heap->item[least]))
                least = c;
        if (!is_before(heap->item[least], e))
            break;
        put(heap, place, i, heap->item[least]);
        i = least;
    }
    put(heap, place, i, e);
}

static void settle(struct mr_transfer_heap *heap, uint32_t *place, size_t i, entry e)
{
    if (i > 0 && is_before(e, heap->item[(i - 1) / n_child]))
        rise(heap, place, i, e);
    else
        sink(heap, place, i, e);
}

void mr_transfer_heap_push(struct mr_transfer_heap *heap, uint32_t *place, double key, uint32_t id)
{
    MR_ASSERT(heap->n < heap->cap);
    rise(heap, place, heap->n++, (entry){key, id});
}

void mr_transfer_heap_remove(struct mr_transfer_heap *heap, uint32_t *place, uint32_t id)
{
    const size_t i = place[id];
    MR_ASSERT(i < heap->n && heap->item[i].id == id);
    place[id] = MR_TRANSFER_HEAP_OUT;
    heap->n--;
    if (i < heap->n)
        settle(heap, place, i, heap->item[heap->n]);
}

void mr_transfer_heap_rekey(struct mr_transfer_heap *heap, uint32_t *place, double key, uint32_t id)
{
    const size_t i = place[id];
    MR_ASSERT(i < heap->n && heap->item[i].id == id);
    settle(heap, place, i, (entry){key, id});
}
