/* SPDX-License-Identifier: Apache-2.0 */
/* Memory that is freed all at once: descriptions are built in an arena and live as long as it does.
 * Zero-initialize; the arena owns everything it gave out. Reset keeps the largest block for reuse,
 * so a scratch arena stops allocating after a few rounds. */
#ifndef MR_ENGINE_BASE_ARENA_H
#define MR_ENGINE_BASE_ARENA_H

#include "engine/base/text.h"

struct mr_arena_block;

struct mr_arena {
    struct mr_arena_block *top;
    size_t used_bytes;  /* handed out since the last reset, alignment included */
    size_t block_bytes; /* size of the next block; 0: default */
};

/** @return `bytes` uninitialized bytes aligned to 16, or NULL with `err` filled. */
void *mr_arena_alloc(struct mr_arena *arena, size_t bytes, struct mr_err *err) MR_CHECKED;

/** @return zeroed memory for n elements, or NULL. */
void *mr_arena_zero(struct mr_arena *arena, size_t n, size_t size, struct mr_err *err) MR_CHECKED;

/** @return a terminated copy, or NULL. */
char *mr_arena_text(struct mr_arena *arena, struct mr_str s, struct mr_err *err) MR_CHECKED;

/** Take everything back at once. What was lent is gone. */
void mr_arena_reset(struct mr_arena *arena);
void mr_arena_fini(struct mr_arena *arena);

#endif
