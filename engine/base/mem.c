/* SPDX-License-Identifier: Apache-2.0 */
/* malloc behind one door; MR_TORTURE turns it into the least helpful allocator the standard allows.
 */
#include "engine/base/mem.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#ifdef MR_TORTURE
enum {
    cap_first = 1,
    poison = 0xFF
};
#else
enum {
    cap_first = 16
};
#endif

enum {
    line_bytes = 64
};

void *mr_alloc(size_t n, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(n, size, &bytes) || bytes > PTRDIFF_MAX)
        return NULL;
    void *p = malloc(bytes > 0 ? bytes : 1);
#ifdef MR_TORTURE
    if (p != NULL)
        memset(p, poison, bytes);
#endif
    return p;
}

void *mr_alloc_zero(size_t n, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(n, size, &bytes) || bytes > PTRDIFF_MAX)
        return NULL;
    return calloc(bytes > 0 ? bytes : 1, 1);
}

void mr_free(void *p)
{
    free(p);
}

char *mr_alloc_text(const char *text, size_t n)
{
    if (n == SIZE_MAX)
        return NULL;
    char *copy = mr_alloc(n + 1, 1);
    if (copy == NULL)
        return NULL;
    if (n > 0)
        memcpy(copy, text, n);
    copy[n] = '\0';
    return copy;
}

static void *resize(void *old, size_t old_bytes, size_t bytes)
{
#ifdef MR_TORTURE
    void *p = mr_alloc(bytes, 1);
    if (p == NULL)
        return NULL;
    if (old != NULL) {
        memcpy(p, old, old_bytes);
        memset(old, poison, old_bytes); /* a stale pointer reads NaN, not the old value */
        free(old);
    }
    return p;
#else
    (void)old_bytes;
    return realloc(old, bytes);
#endif
}

/* Capacity at least doubles. @return bytes of the new one, or 0: too many */
static size_t grown(size_t *cap, size_t need, size_t size)
{
    size_t bytes;
    *cap = *cap < cap_first ? cap_first : *cap;
    while (*cap < need) {
        if (*cap > SIZE_MAX / 2)
            return 0;
        *cap *= 2;
    }
    return __builtin_mul_overflow(*cap, size, &bytes) || bytes > PTRDIFF_MAX - line_bytes ? 0
                                                                                          : bytes;
}

mr_status mr_mem_grow(void **data, size_t *cap, size_t need, size_t size, struct mr_err *err)
{
    if (need <= *cap)
        return MR_OK;
    size_t cap_new = *cap;
    const size_t bytes = grown(&cap_new, need, size);
    if (bytes == 0)
        return mr_err_nomem(err, SIZE_MAX);
    void *p = resize(*data, *cap * size, bytes);
    if (p == NULL)
        return mr_err_nomem(err, bytes);
    *data = p;
    *cap = cap_new;
    return MR_OK;
}

mr_status mr_mem_grow_lines(void **data, void **slab, size_t *cap, size_t need, size_t size,
                            struct mr_err *err)
{
    if (need <= *cap)
        return MR_OK;
    size_t cap_new = *cap;
    const size_t bytes = grown(&cap_new, need, size);
    if (bytes == 0)
        return mr_err_nomem(err, SIZE_MAX);
    /* not a fresh block and a copy: large ones grow where they are, or by moving pages */
    const size_t skip = *cap > 0 ? (size_t)((char *)*data - (char *)*slab) : 0;
    const size_t held = *cap > 0 ? *cap * size + line_bytes : 0;
    char *const fresh = resize(*slab, held, bytes + line_bytes);
    if (fresh == NULL)
        return mr_err_nomem(err, bytes + line_bytes);
    char *const aligned = fresh + (line_bytes - (uintptr_t)fresh % line_bytes) % line_bytes;
    if (*cap > 0 && aligned != fresh + skip)
        memmove(aligned, fresh + skip, *cap * size);
    *slab = fresh;
    *data = aligned;
    *cap = cap_new;
    return MR_OK;
}
