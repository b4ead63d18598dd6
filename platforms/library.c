/* SPDX-License-Identifier: Apache-2.0 */
/* A shelf with typed doors. */
#include "platforms/library.h"

#include "engine/base/mem.h"
#include "engine/base/shelf.h"

struct mr_library {
    struct mr_shelf *shelf;
};

mr_status mr_library_create(struct mr_library **out, struct mr_err *err)
{
    *out = mr_alloc_zero(1, sizeof **out);
    if (*out == NULL)
        return mr_err_nomem(err, sizeof **out);
    const mr_status st = mr_shelf_create(&(*out)->shelf, err);
    if (st != MR_OK) {
        mr_free(*out);
        *out = NULL;
    }
    return st;
}

void mr_library_destroy(struct mr_library *library)
{
    if (library == NULL)
        return;
    mr_shelf_destroy(library->shelf);
    mr_free(library);
}

void mr_library_forget_misses(struct mr_library *library)
{
    mr_shelf_forget_misses(library->shelf);
}

const struct mr_card *mr_library_card(struct mr_library *library, const struct mr_card_kind *kind,
                                      const char *id, struct mr_place at, struct mr_diags *diags)
{
    return mr_shelf_card(library->shelf, kind, id, at, diags);
}

const struct mr_card *mr_library_nth(const struct mr_library *library, size_t i)
{
    return mr_shelf_nth(library->shelf, i);
}

#define LOOKUP(name)                                                                             \
    const struct mr_##name##_card *mr_library_##name(struct mr_library *library, const char *id, \
                                                     struct mr_place at, struct mr_diags *diags) \
    {                                                                                            \
        const struct mr_card *card =                                                             \
            mr_shelf_card(library->shelf, &mr_##name##_kind, id, at, diags);                     \
        return card != NULL ? mr_##name##_of(card) : NULL;                                       \
    }
LOOKUP(rack)
LOOKUP(cdu)
LOOKUP(switch)
LOOKUP(reject)
