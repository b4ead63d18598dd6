/* SPDX-License-Identifier: Apache-2.0 */
/* A chain of blocks; the newest is filled from the bottom. Blocks double up to 1 MiB so that small
 * arenas stay small and large ones make few calls. In the torture build every block holds one
 * object only, so that a sanitizer sees each overrun. */
#include "engine/base/arena.h"

#include "engine/base/mem.h"

struct mr_arena_block {
    struct mr_arena_block *next;
    size_t cap, used;
    _Alignas(16) unsigned char bytes[];
};

#ifdef MR_TORTURE
enum {
    block_first = 16,
    block_max = 16
};
#else
enum {
    block_first = 4096,
    block_max = 1 << 20
};
#endif

static struct mr_arena_block *add_block(struct mr_arena *arena, size_t bytes, struct mr_err *err)
{
    size_t cap = arena->block_bytes > 0 ? arena->block_bytes : block_first;
    if (cap < bytes)
        cap = bytes;
    struct mr_arena_block *block = NULL;
    if (cap <= SIZE_MAX - sizeof *block)
        block = mr_alloc(1, sizeof *block + cap);
    if (block == NULL) {
        (void)mr_err_nomem(err, cap);
        return NULL;
    }
    block->next = arena->top;
    block->cap = cap;
    block->used = 0;
    arena->top = block;
    arena->block_bytes = cap < block_max / 2 ? 2 * cap : block_max;
    return block;
}

void *mr_arena_alloc(struct mr_arena *arena, size_t bytes, struct mr_err *err)
{
    if (bytes > PTRDIFF_MAX - 16) {
        (void)mr_err_nomem(err, bytes);
        return NULL;
    }
    const size_t rounded = (bytes + 15) & ~(size_t)15;
    struct mr_arena_block *block = arena->top;
    if (block == NULL || block->cap - block->used < rounded) {
        block = add_block(arena, rounded, err);
        if (block == NULL)
            return NULL;
    }
    void *p = block->bytes + block->used;
    block->used += rounded;
    arena->used_bytes += rounded;
    return p;
}

void *mr_arena_zero(struct mr_arena *arena, size_t n, size_t size, struct mr_err *err)
{
    size_t bytes;
    if (__builtin_mul_overflow(n, size, &bytes)) {
        (void)mr_err_nomem(err, SIZE_MAX);
        return NULL;
    }
    void *p = mr_arena_alloc(arena, bytes, err);
    if (p != NULL)
        memset(p, 0, bytes);
    return p;
}

char *mr_arena_text(struct mr_arena *arena, struct mr_str s, struct mr_err *err)
{
    char *copy = mr_arena_alloc(arena, s.n < SIZE_MAX ? s.n + 1 : s.n, err);
    if (copy == NULL)
        return NULL;
    if (s.n > 0)
        memcpy(copy, s.p, s.n);
    copy[s.n] = '\0';
    return copy;
}

void mr_arena_reset(struct mr_arena *arena)
{
    struct mr_arena_block *kept = NULL, *block = arena->top;
    while (block != NULL) {
        struct mr_arena_block *next = block->next;
        if (kept == NULL || block->cap > kept->cap) {
            mr_free(kept);
            kept = block;
        } else {
            mr_free(block);
        }
        block = next;
    }
    if (kept != NULL) {
        kept->next = NULL;
        kept->used = 0;
    }
    arena->top = kept;
    arena->used_bytes = 0;
}

void mr_arena_fini(struct mr_arena *arena)
{
    struct mr_arena_block *block = arena->top;
    while (block != NULL) {
        struct mr_arena_block *next = block->next;
        mr_free(block);
        block = next;
    }
    *arena = (struct mr_arena){0};
}
