/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks that are of use for a time only, as agents say of a call: if nobody of their session has
 * come by then, what is the session's own of them leaves the cache of the instance that served the
 * call. A heap of dates; nothing is done per session, and nothing at all in a cell without such
 * calls. Dates are kept as soon as anything happens in the cell: in between nobody looks. */
#ifndef MR_ENGINE_SERVE_CELL_EXPIRY_H
#define MR_ENGINE_SERVE_CELL_EXPIRY_H

#include "engine/serve/cell.h"

struct mr_cell_expiry_date {
    double at_s;
    uint64_t number;            /* of equal dates the first one first */
    uint32_t use;               /* of its space, when the call ended */
    uint32_t instance, prefill; /* prefill: instance that read it, or MR_ROUTER_NOWHERE */
    struct mr_call call;        /* as it ended */
};

struct mr_cell_expiry {
    struct mr_cell_expiry_date *date; /* a heap */
    uint32_t *use;                    /* by space: calls that have come or ended */
    size_t n, cap, cap_use;
    uint64_t n_added, n_expired; /* calls */
};

void mr_cell_expiry_destroy(struct mr_cell_expiry *expiry); /* NULL is fine */

/** A call has ended whose blocks are of use until a date. */
MR_CHECKED mr_status mr_cell_expiry_add(struct mr_cell *cell, const struct mr_call *call,
                                        uint32_t instance, uint32_t prefill, double at_s,
                                        struct mr_err *err);

/** What only a call's session could use is dropped where it was decoded, and where it was read. */
MR_CHECKED mr_status mr_cell_expiry_drop(struct mr_cell *cell, const struct mr_call *call,
                                         uint32_t instance, uint32_t prefill, struct mr_err *err);

/** Dates up to now. */
MR_CHECKED mr_status mr_cell_expiry_keep(struct mr_cell *cell, double now_s, struct mr_err *err);

static inline mr_status mr_cell_expiry_run(struct mr_cell *cell, double now_s, struct mr_err *err)
{
    return cell->expiry != NULL && cell->expiry->n > 0 && cell->expiry->date[0].at_s <= now_s
               ? mr_cell_expiry_keep(cell, now_s, err)
               : MR_OK;
}

/** A call of a space has come. */
static inline void mr_cell_expiry_used(struct mr_cell *cell, uint32_t space)
{
    if (cell->expiry != NULL && space < cell->expiry->cap_use)
        cell->expiry->use[space]++;
}

#endif
