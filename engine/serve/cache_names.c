/* SPDX-License-Identifier: Apache-2.0 */
/* Open addressing, at most half full, doubled when it would be more. */
#include "engine/serve/cache_names.h"

#include "engine/base/mem.h"

enum {
    cap_first = 16
};

/* Where a hash stands, or the empty place where it belongs. */
static uint32_t place_of(const struct mr_cache_names *names, uint64_t hash)
{
    uint64_t h = (hash ^ hash >> 32) * 0x9e3779b97f4a7c15u;
    uint32_t at = (uint32_t)(h >> 32) & (names->cap - 1);
    while (names->name[at] != 0 && names->hash[at] != hash)
        at = (at + 1) & (names->cap - 1);
    return at;
}

static mr_status grow(struct mr_cache_names *names, struct mr_err *err)
{
    if (names->cap > UINT32_MAX / 2)
        return mr_err_set(err, MR_LIMIT, MR_NOWHERE, "more than 2^31 distinct block hashes");
    struct mr_cache_names larger = {.cap = names->cap > 0 ? 2 * names->cap : cap_first,
                                    .n = names->n};
    larger.hash = mr_alloc(larger.cap, sizeof *larger.hash);
    larger.name = mr_alloc_zero(larger.cap, sizeof *larger.name);
    if (larger.hash == NULL || larger.name == NULL) {
        mr_cache_names_fini(&larger);
        return mr_err_nomem(err, (size_t)2 * names->cap * sizeof *larger.hash);
    }
    for (uint32_t i = 0; i < names->cap; i++)
        if (names->name[i] != 0) {
            const uint32_t at = place_of(&larger, names->hash[i]);
            larger.hash[at] = names->hash[i];
            larger.name[at] = names->name[i];
        }
    mr_cache_names_fini(names);
    *names = larger;
    return MR_OK;
}

mr_status mr_cache_names_run(struct mr_cache_runs *runs, struct mr_cache_run run,
                             struct mr_err *err)
{
    if (run.n == 0)
        return MR_OK;
    struct mr_cache_run *last = runs->n > 0 ? &runs->item[runs->n - 1] : NULL;
    if (last != NULL && last->id + last->n == run.id && run.n <= UINT32_MAX - last->n) {
        last->n += run.n;
        return MR_OK;
    }
    MR_TRY(mr_grow(&runs->item, &runs->cap, runs->n + 1, sizeof *runs->item, err));
    runs->item[runs->n++] = run;
    return MR_OK;
}

mr_status mr_cache_names_add(struct mr_cache_names *names, uint32_t space, const uint64_t *hash,
                             size_t n, struct mr_cache_runs *runs, struct mr_err *err)
{
    for (size_t i = 0; i < n; i++) {
        if (names->n >= names->cap / 2)
            MR_TRY(grow(names, err));
        const uint32_t at = place_of(names, hash[i]);
        if (names->name[at] == 0) {
            names->hash[at] = hash[i];
            names->name[at] = ++names->n;
        }
        const uint64_t id = (uint64_t)space << 32 | (names->name[at] - 1);
        MR_TRY(mr_cache_names_run(runs, (struct mr_cache_run){id, 1}, err));
    }
    return MR_OK;
}

void mr_cache_names_fini(struct mr_cache_names *names)
{
    mr_free(names->hash);
    mr_free(names->name);
    *names = (struct mr_cache_names){0};
}

void mr_cache_names_runs_fini(struct mr_cache_runs *runs)
{
    mr_free(runs->item);
    *runs = (struct mr_cache_runs){0};
}
