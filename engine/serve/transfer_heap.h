/* SPDX-License-Identifier: Apache-2.0 */
/* Heap of (key, id), smallest first, equal keys by id, with the place of every id known: any entry
 * can leave or get a new key in O(log n). Places stand in an array of the owner's, by id, so that
 * many heaps may hold parts of one set. Four children per node: half the levels, one cache line. */
#ifndef MR_ENGINE_SERVE_TRANSFER_HEAP_H
#define MR_ENGINE_SERVE_TRANSFER_HEAP_H

#include "engine/base/status.h"

#include <stdint.h>

#define MR_TRANSFER_HEAP_OUT UINT32_MAX /* place of an id that is in no heap */

struct mr_transfer_heap_entry {
    double key;
    uint32_t id;
};

/* Zero-initialize. */
struct mr_transfer_heap {
    struct mr_transfer_heap_entry *item;
    size_t n, cap;
};

MR_CHECKED mr_status mr_transfer_heap_reserve(struct mr_transfer_heap *heap, size_t n,
                                              struct mr_err *err);
void mr_transfer_heap_fini(struct mr_transfer_heap *heap);

/** There must be room. */
void mr_transfer_heap_push(struct mr_transfer_heap *heap, uint32_t *place, double key, uint32_t id);
void mr_transfer_heap_remove(struct mr_transfer_heap *heap, uint32_t *place, uint32_t id);
void mr_transfer_heap_rekey(struct mr_transfer_heap *heap, uint32_t *place, double key,
                            uint32_t id);

#endif
