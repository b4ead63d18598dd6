/* SPDX-License-Identifier: Apache-2.0 */
/* The outer loop of a run: every cell is played for a whole window while its state is hot in cache,
 * then the next; nothing crosses cells inside a window. At its end, in this order:
 *
 *   report    each cell writes a record of fixed size (loads, watts, ...);
 *   exchange  every rank sees the records of all cells, in cell order, and decides what the site
 *             decides: the same everywhere, as it sees the same;
 *   deliver   what was posted to a cell since the last time (sessions that move) arrives, ordered
 * by sender and the sender's own order.
 *
 * None of this depends on how many ranks there are: a run with one has the same bits as with many.
 * Halls are runs of cells; a rank owns whole halls. What the model keeps per cell is its business;
 * a cell's state may only be touched by its own rank. */
#ifndef MR_ENGINE_CLOCK_WINDOWS_H
#define MR_ENGINE_CLOCK_WINDOWS_H

#include "engine/clock/ranks.h"
#include "engine/clock/window.h"

struct mr_windows_plan {
    uint32_t n_cell;
    const uint32_t *hall_first; /* [n_hall + 1] first cell of each hall, then n_cell; NULL: every
                                   cell is a hall */
    uint32_t n_hall;
    struct mr_window_grid grid;
    double end_s;  /* the last window ends here, not at its own edge */
    uint64_t seed; /* for failing assertions to print */
};

struct mr_windows;

/* Something posted: lent until the call returns. */
struct mr_windows_mail {
    uint32_t from, to; /* cells */
    const void *bytes; /* aligned to 8 */
    size_t n_bytes;
};

/* What a run does. `state` is the model's own; every call may fail, and all ranks then stop. */
struct mr_windows_model {
    size_t report_bytes; /* of one cell; a multiple of 8, or 0 */
    /* Play one own cell through windows->now. */
    mr_status (*play)(void *state, struct mr_windows *windows, uint32_t cell, struct mr_err *err);
    /* Fill the record of one own cell, zeroed before. NULL when report_bytes is 0 */
    void (*report)(void *state, const struct mr_windows *windows, uint32_t cell, void *record);
    /* All records, [n_cell] in cell order. `*is_last` set: the run ends with this window; all ranks
     * must say the same, or the run fails. NULL: nothing to decide */
    mr_status (*exchange)(void *state, struct mr_windows *windows, const void *records,
                          bool *is_last, struct mr_err *err);
    /* One piece of mail to an own cell. NULL: nothing is posted */
    mr_status (*deliver)(void *state, const struct mr_windows *windows,
                         const struct mr_windows_mail *mail, struct mr_err *err);
    /* End of the window that begins now, for runs whose windows end where something is exchanged;
     * all ranks must say the same. NULL: the edges of the plan's grid */
    double (*edge)(void *state, double start_s);
};

struct mr_windows_box { /* growable bytes */
    char *bytes;
    size_t n, cap;
};

struct mr_windows {
    struct mr_windows_plan plan;
    struct mr_ranks *ranks; /* lent */
    uint32_t first, end;    /* own cells: first .. end - 1 */
    struct mr_window now;
    struct mr_assert_context context; /* models keep now_s and n_event current */
    uint32_t *rank_first;             /* [n_rank + 1] first cell of each rank */
    size_t *n_bytes;                  /* [2 n_rank] scratch of exchanges */
    uint64_t *header;                 /* [(n_rank + 1) * (n_rank + 2)] */
    struct mr_windows_box *out;       /* [n_rank] posted to the cells of a rank */
    struct mr_windows_box own, all;   /* records of this rank, of all cells */
    struct mr_windows_box packed, in; /* mail to all ranks, from all ranks */
    struct mr_windows_mail *mail;     /* [cap_mail] what came in, sorted */
    size_t cap_mail;
};

/** Deal the halls out to ranks. After it the model can make the state of windows->first .. end - 1.
 *  @param[in] plan copied; hall_first lent @param[in] ranks lent, open */
MR_CHECKED mr_status mr_windows_init(struct mr_windows *windows, const struct mr_windows_plan *plan,
                                     struct mr_ranks *ranks, struct mr_err *err);
void mr_windows_fini(struct mr_windows *windows);

/** Play from time 0 to plan.end_s. When a rank fails all stop at the end of its window: that rank
 *  with its error, the others with the same status and its number. */
MR_CHECKED mr_status mr_windows_run(struct mr_windows *windows,
                                    const struct mr_windows_model *model, void *state,
                                    struct mr_err *err);

/** Post bytes (copied) from an own cell to any cell; it gets them at the end of this window. Called
 *  from play and exchange. */
MR_CHECKED mr_status mr_windows_post(struct mr_windows *windows, uint32_t from, uint32_t to,
                                     const void *bytes, size_t n_bytes, struct mr_err *err);

/** The rank that owns a cell. */
uint32_t mr_windows_rank_of(const struct mr_windows *windows, uint32_t cell);

#endif
