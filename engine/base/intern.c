/* SPDX-License-Identifier: Apache-2.0 */
/* Hash table of ids with linear probing, at most half full. The table's order never shows: ids are
 * given in order of first appearance. */
#include "engine/base/intern.h"

#include "engine/base/assert.h"
#include "engine/base/mem.h"

/* Slot that holds `s`, or the empty slot where it belongs. */
static size_t probe(const struct mr_intern *intern, struct mr_str s)
{
    const size_t mask = intern->n_slot - 1;
    size_t i = (size_t)mr_str_hash(s) & mask;
    while (intern->slot[i] != 0 && !mr_str_eq(intern->item[intern->slot[i] - 1], s))
        i = (i + 1) & mask;
    return i;
}

static mr_status rehash(struct mr_intern *intern, size_t n_slot, struct mr_err *err)
{
    uint32_t *slot = mr_alloc_zero(n_slot, sizeof *slot);
    if (slot == NULL)
        return mr_err_nomem(err, n_slot * sizeof *slot);
    mr_free(intern->slot);
    intern->slot = slot;
    intern->n_slot = n_slot;
    for (size_t id = 0; id < intern->n; id++)
        slot[probe(intern, intern->item[id])] = (uint32_t)id + 1;
    return MR_OK;
}

mr_status mr_intern_add(struct mr_intern *intern, struct mr_str s, uint32_t *id, struct mr_err *err)
{
    *id = mr_intern_find(intern, s);
    if (*id != MR_INTERN_NONE)
        return MR_OK;
    if (intern->n >= MR_INTERN_NONE - 1)
        return mr_err_set(err, MR_LIMIT, MR_NOWHERE, "more than %u distinct names",
                          MR_INTERN_NONE - 1);
    if (2 * (intern->n + 1) > intern->n_slot)
        MR_TRY(rehash(intern, intern->n_slot == 0 ? 32 : 2 * intern->n_slot, err));
    MR_TRY(mr_grow(&intern->item, &intern->cap, intern->n + 1, sizeof *intern->item, err));
    const char *copy = mr_arena_text(&intern->arena, s, err);
    if (copy == NULL)
        return MR_NOMEM;
    *id = (uint32_t)intern->n++;
    const size_t i = probe(intern, s);
    intern->item[*id] = (struct mr_str){copy, s.n};
    intern->slot[i] = *id + 1;
    return MR_OK;
}

uint32_t mr_intern_find(const struct mr_intern *intern, struct mr_str s)
{
    if (intern->n_slot == 0)
        return MR_INTERN_NONE;
    const uint32_t found = intern->slot[probe(intern, s)];
    return found == 0 ? MR_INTERN_NONE : found - 1;
}

struct mr_str mr_intern_str(const struct mr_intern *intern, uint32_t id)
{
    MR_ASSERT(id < intern->n);
    return intern->item[id];
}

const char *mr_intern_text(const struct mr_intern *intern, uint32_t id)
{
    return mr_intern_str(intern, id).p;
}

void mr_intern_fini(struct mr_intern *intern)
{
    mr_arena_fini(&intern->arena);
    mr_free(intern->item);
    mr_free(intern->slot);
    *intern = (struct mr_intern){0};
}
