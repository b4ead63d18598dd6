/* SPDX-License-Identifier: Apache-2.0 */
/* At most half full. */
#include "engine/work/session_index.h"

#include "engine/base/mem.h"

static uint64_t *find(uint64_t *slot, size_t n_slot, uint32_t session)
{
    size_t i = (size_t)(session * UINT64_C(0x9e3779b97f4a7c15) >> 32) & (n_slot - 1);
    while (slot[i] != 0 && slot[i] >> 32 != session)
        i = (i + 1) & (n_slot - 1);
    return &slot[i];
}

static mr_status grow(struct mr_session_index *index, struct mr_err *err)
{
    const size_t n_slot = index->n_slot > 0 ? 2 * index->n_slot : 64;
    uint64_t *slot = mr_alloc_zero(n_slot, sizeof *slot);
    if (slot == NULL)
        return mr_err_nomem(err, n_slot * sizeof *slot);
    for (size_t i = 0; i < index->n_slot; i++)
        if (index->slot[i] != 0)
            *find(slot, n_slot, (uint32_t)(index->slot[i] >> 32)) = index->slot[i];
    mr_free(index->slot);
    index->slot = slot;
    index->n_slot = n_slot;
    return MR_OK;
}

static mr_status take_place(struct mr_session_index *index, uint32_t *place, struct mr_err *err)
{
    if (index->free != 0) {
        *place = index->free - 1;
        index->free = index->number[*place];
        index->n_free--;
        return MR_OK;
    }
    MR_TRY(mr_grow(&index->number, &index->cap, (size_t)index->n + 1, sizeof *index->number, err));
    *place = index->n++;
    return MR_OK;
}

static void put(struct mr_session_index *index, uint64_t *slot, uint32_t session, uint32_t place)
{
    index->number[place] = session;
    *slot = (uint64_t)session << 32 | (place + 1);
}

mr_status mr_session_index_at(struct mr_session_index *index, uint32_t session, uint32_t *place,
                              struct mr_err *err)
{
    if (index->n_slot <= 2 * (size_t)(index->n - index->n_free))
        MR_TRY(grow(index, err));
    uint64_t *slot = find(index->slot, index->n_slot, session);
    if (*slot == 0) {
        MR_TRY(take_place(index, place, err));
        put(index, slot, session, *place);
    }
    *place = (uint32_t)*slot - 1;
    return MR_OK;
}

void mr_session_index_keep(struct mr_session_index *index, const bool *is_kept)
{
    for (size_t i = 0; i < index->n_slot; i++) {
        const uint32_t place = (uint32_t)index->slot[i] - 1;
        if (index->slot[i] != 0 && !is_kept[place]) {
            index->number[place] = index->free;
            index->free = place + 1;
            index->n_free++;
        }
        index->slot[i] = 0;
    }
    for (uint32_t i = 0; i < index->n; i++)
        if (is_kept[i])
            put(index, find(index->slot, index->n_slot, index->number[i]), index->number[i], i);
}

void mr_session_index_fini(struct mr_session_index *index)
{
    mr_free(index->slot);
    mr_free(index->number);
    *index = (struct mr_session_index){0};
}
