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

mr_status mr_mem_grow(void **data, size_t *cap, size_t need, size_t size, struct mr_err *err)
{
    if (need <= *cap)
        return MR_OK;
    size_t cap_new = *cap < cap_first ? cap_first : *cap;
    while (cap_new < need) {
        if (cap_new > SIZE_MAX / 2)
            return mr_err_nomem(err, SIZE_MAX);
        cap_new *= 2;
    }
    size_t bytes;
    if (__builtin_mul_overflow(cap_new, size, &bytes) || bytes > PTRDIFF_MAX)
        return mr_err_nomem(err, SIZE_MAX);
    void *p = resize(*data, *cap * size, bytes);
    if (p == NULL)
        return mr_err_nomem(err, bytes);
    *data = p;
    *cap = cap_new;
    return MR_OK;
}
