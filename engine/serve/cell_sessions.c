/* SPDX-License-Identifier: Apache-2.0 */
/* A session's own blocks are named in its space, so the spaces of all extents tell whose blocks are
 * cached. Spaces are looked up in a table of the sessions' own, at most half full. */
#include "engine/serve/cell_sessions.h"

#include "engine/base/mem.h"
#include "engine/serve/cell_outage.h"
#include "engine/serve/onboard.h"
#include "engine/serve/split.h"

struct spaces {
    uint64_t *slot; /* space << 32 | session; 0: empty, for no session has space 0 here */
    size_t n_slot;  /* a power of two */
};

static uint64_t *find(const struct spaces *spaces, uint32_t space)
{
    size_t i = (size_t)(space * UINT64_C(0x9e3779b97f4a7c15) >> 32) & (spaces->n_slot - 1);
    while (spaces->slot[i] != 0 && spaces->slot[i] >> 32 != space)
        i = (i + 1) & (spaces->n_slot - 1);
    return &spaces->slot[i];
}

static mr_status list_spaces(const struct mr_cell *cell, uint32_t n, struct spaces *spaces,
                             struct mr_err *err)
{
    spaces->n_slot = 2;
    while (spaces->n_slot < 2 * (size_t)n)
        spaces->n_slot *= 2;
    spaces->slot = mr_alloc_zero(spaces->n_slot, sizeof *spaces->slot);
    if (spaces->slot == NULL)
        return mr_err_nomem(err, spaces->n_slot * sizeof *spaces->slot);
    for (uint32_t i = 0; i < n; i++) {
        const uint32_t space = cell->session[i].space;
        if (space != 0)
            *find(spaces, space) = (uint64_t)space << 32 | i;
    }
    return MR_OK;
}

static void keep_cached(const struct mr_cache_tree *tree, const struct spaces *spaces,
                        bool *is_kept)
{
    for (uint32_t i = 1; i < tree->n_slot; i++) {
        if (tree->node[i].n == 0)
            continue;
        const uint64_t slot = *find(spaces, (uint32_t)(tree->node[i].id >> 32));
        if (slot != 0)
            is_kept[(uint32_t)slot] = true;
    }
}

static void keep_inside(const struct mr_cell *cell, bool *is_kept)
{
    for (size_t i = 0; i < cell->calls.n; i++)
        if (cell->calls.call[i].state != MR_CALL_DONE && !cell->stub[i].is_alone)
            is_kept[cell->stub[i].session] = true;
}

static void forget(struct mr_cell *cell, uint32_t session)
{
    cell->session[session] = (struct mr_cell_session){.instance = MR_ROUTER_NOWHERE};
    if (cell->split != NULL && session < cell->split->last_cap)
        cell->split->last[session] = 0;
}

mr_status mr_cell_sessions_forget(struct mr_cell *cell, uint32_t n, bool *is_kept,
                                  struct mr_err *err)
{
    const uint32_t n_seat = cell->plan.serving->has_cache ? mr_cell_n_seat(cell) : 0;
    struct spaces spaces;
    for (uint32_t i = 0; i < n; i++)
        is_kept[i] = false;
    n = n < cell->session_cap ? n : (uint32_t)cell->session_cap;
    MR_TRY(list_spaces(cell, n, &spaces, err));
    for (uint32_t seat = 0; seat < n_seat; seat++) {
        const struct mr_cache *cache = &mr_cell_instance(cell, seat)->cache;
        const struct mr_onboard *below = mr_cell_instance(cell, seat)->onboard;
        keep_cached(&cache->tree, &spaces, is_kept);
        for (uint32_t k = 0; below != NULL && k < below->plan->n_level; k++)
            keep_cached(&below->tier[k]->tree, &spaces, is_kept);
    }
    keep_inside(cell, is_kept);
    mr_free(spaces.slot);
    for (uint32_t i = 0; i < n; i++)
        if (!is_kept[i])
            forget(cell, i);
    return MR_OK;
}
