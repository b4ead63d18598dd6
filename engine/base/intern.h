/* SPDX-License-Identifier: Apache-2.0 */
/* Interned strings: equal texts get equal dense ids in order of first appearance, so that names are
 * compared as integers and stored once. Zero-initialize; texts live until mr_intern_fini. */
#ifndef MR_ENGINE_BASE_INTERN_H
#define MR_ENGINE_BASE_INTERN_H

#include "engine/base/arena.h"

#define MR_INTERN_NONE UINT32_MAX

struct mr_intern {
    struct mr_arena arena;
    struct mr_str *item; /* by id; the text is also terminated */
    size_t n, cap;
    uint32_t *slot; /* open addressing, id + 1, 0 = empty */
    size_t n_slot;
};

/** Id of the text, added when new. */
MR_CHECKED mr_status mr_intern_add(struct mr_intern *intern, struct mr_str s, uint32_t *id,
                                   struct mr_err *err);

/** Id of the text, or MR_INTERN_NONE. */
uint32_t mr_intern_find(const struct mr_intern *intern, struct mr_str s);

/** Terminated text of an id that was given out. */
const char *mr_intern_text(const struct mr_intern *intern, uint32_t id);
struct mr_str mr_intern_str(const struct mr_intern *intern, uint32_t id);

void mr_intern_fini(struct mr_intern *intern);

#endif
