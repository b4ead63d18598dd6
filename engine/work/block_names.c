/* SPDX-License-Identifier: Apache-2.0 */
/* Open addressing, at most three quarters full. What is forgotten stays where it is: its marks are
 * smaller than all that are given since, and its slots count as free. */
#include "engine/work/block_names.h"

#include "engine/base/mem.h"

#include <string.h>

static size_t slot_of(const struct mr_block_names *names, uint64_t id)
{
    size_t i = (size_t)((id ^ id >> 32) * UINT64_C(0x9e3779b97f4a7c15) >> 20) & (names->cap - 1);
    while (names->mark[i] > names->forgotten && names->id[i] != id)
        i = (i + 1) & (names->cap - 1);
    return i;
}

static mr_status grow(struct mr_block_names *names, struct mr_err *err)
{
    struct mr_block_names larger = {
        .cap = names->cap > 0 ? 2 * names->cap : 64, .n = names->n, .forgotten = names->forgotten};
    larger.id = mr_alloc(larger.cap, sizeof *larger.id);
    larger.mark = mr_alloc_zero(larger.cap, sizeof *larger.mark);
    if (larger.id == NULL || larger.mark == NULL) {
        mr_block_names_fini(&larger);
        return mr_err_nomem(err, larger.cap * sizeof *larger.id);
    }
    for (size_t i = 0; i < names->cap; i++)
        if (names->mark[i] > names->forgotten) {
            const size_t at = slot_of(&larger, names->id[i]);
            larger.id[at] = names->id[i];
            larger.mark[at] = names->mark[i];
        }
    mr_free(names->id);
    mr_free(names->mark);
    *names = larger;
    return MR_OK;
}

mr_status mr_block_names_of(struct mr_block_names *names, uint64_t id, uint32_t *number,
                            struct mr_err *err)
{
    if (names->n >= names->cap / 4 * 3)
        MR_TRY(grow(names, err));
    const size_t at = slot_of(names, id);
    if (names->mark[at] <= names->forgotten) {
        if (names->n >= UINT32_MAX - names->forgotten)
            return mr_err_set(err, MR_LIMIT, MR_NOWHERE, "more blocks than are counted");
        names->id[at] = id;
        names->mark[at] = names->forgotten + ++names->n;
    }
    *number = names->mark[at] - names->forgotten - 1;
    return MR_OK;
}

void mr_block_names_clear(struct mr_block_names *names)
{
    if (names->forgotten < UINT32_MAX / 2 && names->n < UINT32_MAX / 4) {
        names->forgotten += names->n;
    } else { /* room for numbers again */
        memset(names->mark, 0, names->cap * sizeof *names->mark);
        names->forgotten = 0;
    }
    names->n = 0;
}

void mr_block_names_fini(struct mr_block_names *names)
{
    mr_free(names->id);
    mr_free(names->mark);
    *names = (struct mr_block_names){0};
}
