/* SPDX-License-Identifier: Apache-2.0 */
/* A binary heap. A date whose session has been used since does nothing when it comes. */
#include "engine/serve/cell_expiry.h"

#include "engine/base/mem.h"
#include "engine/serve/instance_cache.h"
#include "engine/serve/split.h"

void mr_cell_expiry_destroy(struct mr_cell_expiry *expiry)
{
    if (expiry == NULL)
        return;
    mr_free(expiry->date);
    mr_free(expiry->use);
    mr_free(expiry);
}

static bool is_before(const struct mr_cell_expiry_date *a, const struct mr_cell_expiry_date *b)
{
    return a->at_s < b->at_s || (a->at_s <= b->at_s && a->number < b->number);
}

static void push(struct mr_cell_expiry *expiry, const struct mr_cell_expiry_date *date)
{
    size_t i = expiry->n++;
    for (; i > 0 && is_before(date, &expiry->date[(i - 1) / 2]); i = (i - 1) / 2)
        expiry->date[i] = expiry->date[(i - 1) / 2];
    expiry->date[i] = *date;
}

static struct mr_cell_expiry_date pop(struct mr_cell_expiry *expiry)
{
    struct mr_cell_expiry_date *date = expiry->date;
    const struct mr_cell_expiry_date first = date[0], last = date[--expiry->n];
    size_t i = 0, child;
    while ((child = 2 * i + 1) < expiry->n) {
        child += child + 1 < expiry->n && is_before(&date[child + 1], &date[child]);
        if (!is_before(&date[child], &last))
            break;
        date[i] = date[child];
        i = child;
    }
    date[i] = last;
    return first;
}

mr_status mr_cell_expiry_drop(struct mr_cell *cell, const struct mr_call *call, uint32_t instance,
                              uint32_t prefill, struct mr_err *err)
{
    if (prefill != MR_ROUTER_NOWHERE)
        MR_TRY(mr_instance_cache_forget(&cell->split->instance[prefill], call, err));
    return mr_instance_cache_forget(&cell->instance[instance], call, err);
}

mr_status mr_cell_expiry_add(struct mr_cell *cell, const struct mr_call *call, uint32_t instance,
                             uint32_t prefill, double at_s, struct mr_err *err)
{
    struct mr_cell_expiry *expiry = cell->expiry;
    if (!cell->plan.serving->has_cache &&
        (cell->split == NULL || !cell->split->plan.serving->has_cache))
        return MR_OK;
    if (expiry == NULL) {
        expiry = mr_alloc_zero(1, sizeof *expiry);
        if (expiry == NULL)
            return mr_err_nomem(err, sizeof *expiry);
        cell->expiry = expiry;
    }
    const size_t before = expiry->cap_use;
    MR_TRY(mr_grow(&expiry->date, &expiry->cap, expiry->n + 1, sizeof *expiry->date, err));
    MR_TRY(
        mr_grow(&expiry->use, &expiry->cap_use, (size_t)call->space + 1, sizeof *expiry->use, err));
    for (size_t i = before; i < expiry->cap_use; i++)
        expiry->use[i] = 0;
    push(expiry, &(struct mr_cell_expiry_date){.at_s = at_s,
                                               .number = expiry->n_added++,
                                               .use = ++expiry->use[call->space],
                                               .instance = instance,
                                               .prefill = prefill,
                                               .call = *call});
    return MR_OK;
}

mr_status mr_cell_expiry_keep(struct mr_cell *cell, double now_s, struct mr_err *err)
{
    struct mr_cell_expiry *expiry = cell->expiry;
    while (expiry->n > 0 && expiry->date[0].at_s <= now_s) {
        const struct mr_cell_expiry_date date = pop(expiry);
        if (expiry->use[date.call.space] != date.use)
            continue;
        expiry->n_expired++;
        MR_TRY(mr_cell_expiry_drop(cell, &date.call, date.instance, date.prefill, err));
    }
    return MR_OK;
}
