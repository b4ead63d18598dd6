/* SPDX-License-Identifier: Apache-2.0 */
/* The only door to malloc, and the growth rule of every growable array. Sizes are checked for
 * overflow; a failed call returns NULL or MR_NOMEM and leaves what was there untouched.
 * In the torture build every growth moves, starts at one element, and fresh memory is all ones
 * (NaN when read as double). Whoever allocates frees, with mr_free. */
#ifndef MR_ENGINE_BASE_MEM_H
#define MR_ENGINE_BASE_MEM_H

#include "engine/base/status.h"

/** @return memory for `n` elements of `size` bytes, or NULL. n * size == 0 gives a unique pointer.
 */
void *mr_alloc(size_t n, size_t size) MR_CHECKED;
void *mr_alloc_zero(size_t n, size_t size) MR_CHECKED;
void mr_free(void *p);

/** Text copied into fresh memory and terminated, or NULL. */
char *mr_alloc_text(const char *text, size_t n) MR_CHECKED;

/** Make room for `need` elements of `size` bytes in the array `*data` of capacity `*cap`; capacity
 *  at least doubles, so appending is amortized O(1). The array may move. Where there is room, as
 * most often, no function is called; `need` and `cap` are evaluated more than once.
 *  @param[in,out] data address of the array pointer (NULL when cap is 0)
 *  Use: MR_TRY(mr_grow(&v->item, &v->cap, v->n + 1, sizeof *v->item, err)); */
#define mr_grow(data, cap, need, size, err) \
    (*(data) != NULL && (need) <= *(cap)    \
         ? MR_OK                            \
         : mr_mem_grow((void **)(data), (cap), (need), (size), (err)))
MR_CHECKED mr_status mr_mem_grow(void **data, size_t *cap, size_t need, size_t size,
                                 struct mr_err *err);

/** The same for arrays of cache lines: the first element begins one. Growing may move them.
 *  @param[in,out] slab what holds the array, for mr_free; NULL when cap is 0 */
#define mr_grow_lines(data, slab, cap, need, size, err) \
    (*(data) != NULL && (need) <= *(cap)                \
         ? MR_OK                                        \
         : mr_mem_grow_lines((void **)(data), (slab), (cap), (need), (size), (err)))
MR_CHECKED mr_status mr_mem_grow_lines(void **data, void **slab, size_t *cap, size_t need,
                                       size_t size, struct mr_err *err);

#endif
