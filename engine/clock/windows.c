/* SPDX-License-Identifier: Apache-2.0 */
/* Dealing out cells, the loop, and the two exchanges at the end of a window. The first carries each
 * rank's status and the records of its cells; the second, after the decisions, the status again,
 * whether this was the last window, and how many bytes of mail go to each rank; then the mail, when
 * there is any at all. Every rank takes part in every exchange whatever has happened to it, so that
 * none waits for one that has failed. */
#include "engine/clock/windows.h"

#include "engine/base/mem.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- who owns what ---- */

/* Cell c of n belongs to rank c * n_rank / n, rounded down; a hall goes where its first cell does.
 */
static void deal_halls(struct mr_windows *windows)
{
    const struct mr_windows_plan *const plan = &windows->plan;
    const uint32_t n_hall = plan->hall_first != NULL ? plan->n_hall : plan->n_cell;
    uint32_t rank = 0;
    for (uint32_t h = 0; h < n_hall; h++) {
        const uint32_t cell = plan->hall_first != NULL ? plan->hall_first[h] : h;
        MR_ASSERT(plan->hall_first == NULL || cell < plan->hall_first[h + 1]);
        const uint64_t owner = (uint64_t)cell * windows->ranks->n / plan->n_cell;
        while (rank < owner)
            windows->rank_first[++rank] = cell;
    }
    while (rank < windows->ranks->n)
        windows->rank_first[++rank] = plan->n_cell;
}

uint32_t mr_windows_rank_of(const struct mr_windows *windows, uint32_t cell)
{
    MR_ASSERT(cell < windows->plan.n_cell);
    /* the last rank that starts at or before the cell */
    uint32_t low = 0, high = windows->ranks->n;
    while (high - low > 1) {
        const uint32_t middle = low + (high - low) / 2;
        if (windows->rank_first[middle] <= cell)
            low = middle;
        else
            high = middle;
    }
    return low;
}

static void *zeroed(size_t n, size_t size, mr_status *st, struct mr_err *err)
{
    void *const p = *st == MR_OK ? mr_alloc_zero(n, size) : NULL;
    if (p == NULL && *st == MR_OK)
        *st = mr_err_nomem(err, n * size);
    return p;
}

mr_status mr_windows_init(struct mr_windows *windows, const struct mr_windows_plan *plan,
                          struct mr_ranks *ranks, struct mr_err *err)
{
    const size_t n = ranks->n;
    mr_status st = MR_OK;
    MR_ASSERT(plan->n_cell > 0 && plan->end_s >= 0 && plan->grid.window_s > 0);
    MR_ASSERT(plan->hall_first == NULL ||
              (plan->hall_first[0] == 0 && plan->hall_first[plan->n_hall] == plan->n_cell));
    *windows = (struct mr_windows){.plan = *plan, .ranks = ranks};
    windows->context.seed = plan->seed;
    windows->rank_first = zeroed(n + 1, sizeof *windows->rank_first, &st, err);
    windows->n_bytes = zeroed(2 * n, sizeof *windows->n_bytes, &st, err);
    windows->header = zeroed((n + 1) * (n + 2), sizeof *windows->header, &st, err);
    windows->out = zeroed(n, sizeof *windows->out, &st, err);
    if (st != MR_OK) {
        mr_windows_fini(windows);
        return st;
    }
    deal_halls(windows);
    windows->first = windows->rank_first[ranks->i];
    windows->end = windows->rank_first[ranks->i + 1];
    return MR_OK;
}

void mr_windows_fini(struct mr_windows *windows)
{
    for (uint32_t r = 0; windows->out != NULL && r < windows->ranks->n; r++)
        mr_free(windows->out[r].bytes);
    mr_free(windows->out);
    mr_free(windows->rank_first);
    mr_free(windows->n_bytes);
    mr_free(windows->header);
    mr_free(windows->own.bytes);
    mr_free(windows->all.bytes);
    mr_free(windows->packed.bytes);
    mr_free(windows->in.bytes);
    mr_free(windows->mail);
    *windows = (struct mr_windows){0};
}

/* ---- mail ---- */

/* Before the bytes of each piece, which are filled up to a multiple of eight. */
struct head {
    uint32_t from, to;
    uint64_t n_bytes;
};

static size_t filled(size_t n)
{
    return (n + 7) & ~(size_t)7;
}

static mr_status reserve(struct mr_windows_box *box, size_t n, struct mr_err *err)
{
    return mr_grow(&box->bytes, &box->cap, n > 0 ? n : 1, 1, err); /* never NULL */
}

mr_status mr_windows_post(struct mr_windows *windows, uint32_t from, uint32_t to, const void *bytes,
                          size_t n_bytes, struct mr_err *err)
{
    MR_ASSERT(from >= windows->first && from < windows->end);
    struct mr_windows_box *const box = &windows->out[mr_windows_rank_of(windows, to)];
    const struct head head = {from, to, n_bytes};
    const size_t n = box->n + sizeof head + filled(n_bytes);
    MR_TRY(reserve(box, n, err));
    memcpy(box->bytes + box->n, &head, sizeof head);
    if (n_bytes > 0)
        memcpy(box->bytes + box->n + sizeof head, bytes, n_bytes);
    memset(box->bytes + box->n + sizeof head + n_bytes, 0, filled(n_bytes) - n_bytes);
    box->n = n;
    return MR_OK;
}

/* To the lowest cell first, of those from the lowest; what one cell sent to another lies in the
 * order it was posted, and so does its address here. */
static int by_cells(const void *a, const void *b)
{
    const struct mr_windows_mail *x = a, *y = b;
    if (x->to != y->to)
        return x->to < y->to ? -1 : 1;
    if (x->from != y->from)
        return x->from < y->from ? -1 : 1;
    return (x->bytes > y->bytes) - (x->bytes < y->bytes);
}

static mr_status sort_mail(struct mr_windows *windows, size_t *n_mail, struct mr_err *err)
{
    *n_mail = 0;
    for (size_t at = 0; at < windows->in.n;) {
        struct head head;
        memcpy(&head, windows->in.bytes + at, sizeof head);
        MR_TRY(
            mr_grow(&windows->mail, &windows->cap_mail, *n_mail + 1, sizeof *windows->mail, err));
        windows->mail[(*n_mail)++] = (struct mr_windows_mail){
            head.from, head.to, windows->in.bytes + at + sizeof head, head.n_bytes};
        at += sizeof head + filled(head.n_bytes);
    }
    if (*n_mail > 1)
        qsort(windows->mail, *n_mail, sizeof *windows->mail, by_cells);
    return MR_OK;
}

/* ---- exchanges ---- */

/* The first rank that failed, if any, decides for all. The one that knows why has filled its error.
 */
static mr_status agree(struct mr_windows *windows, size_t stride, mr_status own, struct mr_err *err)
{
    for (uint32_t r = 0; r < windows->ranks->n; r++) {
        const mr_status st = (mr_status)(int64_t)windows->header[r * stride];
        if (st != MR_OK && own == MR_OK)
            return mr_err_set(err, st, MR_NOWHERE, "rank %" PRIu32 " of %" PRIu32 ": %s", r,
                              windows->ranks->n, mr_status_text(st));
    }
    return own;
}

/* Each rank gives the `stride` numbers at its place of windows->header and gets those of all. */
static mr_status gather_header(struct mr_windows *windows, const uint64_t *mine, size_t stride,
                               struct mr_err *err)
{
    for (uint32_t r = 0; r < windows->ranks->n; r++)
        windows->n_bytes[r] = stride * sizeof *mine;
    return mr_ranks_gather(windows->ranks, mine, windows->n_bytes, windows->header, err);
}

static mr_status gather_records(struct mr_windows *windows, const struct mr_windows_model *model,
                                void *state, mr_status played, struct mr_err *err)
{
    const size_t each = model->report_bytes, n_own = (windows->end - windows->first) * each;
    mr_status st = played;
    if (st == MR_OK)
        st = reserve(&windows->own, n_own, err);
    if (st == MR_OK)
        st = reserve(&windows->all, windows->plan.n_cell * each, err);
    const uint64_t mine = (uint64_t)(int64_t)st;
    MR_TRY(gather_header(windows, &mine, 1, err));
    MR_TRY(agree(windows, 1, st, err));
    if (each == 0)
        return MR_OK;
    memset(windows->own.bytes, 0, n_own);
    for (uint32_t cell = windows->first; cell < windows->end; cell++)
        model->report(state, windows, cell, windows->own.bytes + (cell - windows->first) * each);
    for (uint32_t r = 0; r < windows->ranks->n; r++)
        windows->n_bytes[r] = (windows->rank_first[r + 1] - windows->rank_first[r]) * each;
    return mr_ranks_gather(windows->ranks, windows->own.bytes, windows->n_bytes, windows->all.bytes,
                           err);
}

/* Header of a rank: status, last or not, bytes of mail to each rank. Out come the last two agreed
 * upon, and how much mail comes from whom. */
static mr_status settle(struct mr_windows *windows, mr_status decided, bool *is_last,
                        bool *has_mail, struct mr_err *err)
{
    const uint32_t n = windows->ranks->n, self = windows->ranks->i;
    const size_t stride = (size_t)n + 2;
    uint64_t *const header = windows->header, *const mine = header + n * stride;
    mine[0] = (uint64_t)(int64_t)decided;
    mine[1] = *is_last;
    for (uint32_t r = 0; r < n; r++)
        mine[2 + r] = windows->out[r].n;
    MR_TRY(gather_header(windows, mine, stride, err));
    MR_TRY(agree(windows, stride, decided, err));
    *has_mail = false;
    for (uint32_t r = 0; r < n; r++) {
        MR_ASSERT(header[r * stride + 1] == header[1]); /* all saw the same records */
        for (uint32_t to = 0; to < n; to++)
            *has_mail |= header[r * stride + 2 + to] > 0;
        windows->n_bytes[r] = windows->out[r].n;
        windows->n_bytes[n + r] = header[r * stride + 2 + self];
    }
    return MR_OK;
}

static mr_status reserve_mail(struct mr_windows *windows, struct mr_err *err)
{
    const uint32_t n = windows->ranks->n;
    size_t n_out = 0, n_in = 0;
    for (uint32_t r = 0; r < n; r++) {
        n_out += windows->n_bytes[r];
        n_in += windows->n_bytes[n + r];
    }
    windows->packed.n = 0;
    windows->in.n = n_in;
    MR_TRY(reserve(&windows->packed, n_out, err));
    return reserve(&windows->in, n_in, err);
}

/* Memory first, and everybody's: a rank that has none may not leave the others waiting. */
static mr_status swap_mail(struct mr_windows *windows, struct mr_err *err)
{
    const uint32_t n = windows->ranks->n;
    const mr_status st = reserve_mail(windows, err);
    const uint64_t mine = (uint64_t)(int64_t)st;
    size_t *const in_bytes = windows->n_bytes + n;
    MR_TRY(gather_header(windows, &mine, 1, err));
    MR_TRY(agree(windows, 1, st, err));
    for (uint32_t r = 0; r < n; r++) { /* the gather has used the sizes out; they stand here */
        struct mr_windows_box *const out = &windows->out[r];
        windows->n_bytes[r] = out->n;
        if (out->n > 0)
            memcpy(windows->packed.bytes + windows->packed.n, out->bytes, out->n);
        windows->packed.n += out->n;
        out->n = 0;
    }
    return mr_ranks_swap(windows->ranks, windows->packed.bytes, windows->n_bytes, windows->in.bytes,
                         in_bytes, err);
}

static mr_status deliver(struct mr_windows *windows, const struct mr_windows_model *model,
                         void *state, struct mr_err *err)
{
    size_t n_mail = 0;
    MR_TRY(sort_mail(windows, &n_mail, err));
    for (size_t i = 0; i < n_mail; i++) {
        MR_ASSERT(model->deliver != NULL);
        MR_TRY(model->deliver(state, windows, &windows->mail[i], err));
    }
    return MR_OK;
}

/* ---- the loop ---- */

static mr_status play_cells(struct mr_windows *windows, const struct mr_windows_model *model,
                            void *state, struct mr_err *err)
{
    for (uint32_t cell = windows->first; cell < windows->end; cell++)
        MR_TRY(model->play(state, windows, cell, err));
    return MR_OK;
}

/* `*st` is what this rank alone has met since the last agreement. @return what all agreed on */
static mr_status play_window(struct mr_windows *windows, const struct mr_windows_model *model,
                             void *state, bool *is_last, mr_status *st, struct mr_err *err)
{
    bool has_mail = false;
    if (*st == MR_OK)
        *st = play_cells(windows, model, state, err);
    MR_TRY(gather_records(windows, model, state, *st, err));
    if (model->exchange != NULL)
        *st = model->exchange(state, windows, windows->all.bytes, is_last, err);
    MR_TRY(settle(windows, *st, is_last, &has_mail, err));
    if (!has_mail)
        return MR_OK;
    MR_TRY(swap_mail(windows, err));
    *st = deliver(windows, model, state, err);
    return MR_OK;
}

mr_status mr_windows_run(struct mr_windows *windows, const struct mr_windows_model *model,
                         void *state, struct mr_err *err)
{
    const struct mr_windows_plan *const plan = &windows->plan;
    mr_status st = MR_OK, agreed = MR_OK;
    bool is_last = false;
    MR_ASSERT(model->play != NULL && model->report_bytes % 8 == 0);
    MR_ASSERT(model->report_bytes == 0 || model->report != NULL);
    mr_assert_context_set(&windows->context);
    for (uint64_t k = 0; agreed == MR_OK && !is_last; k++) {
        const double start_s =
            model->edge != NULL ? windows->now.end_s : mr_window_start_s(plan->grid, k);
        if (start_s >= plan->end_s)
            break;
        const double edge_s = model->edge != NULL ? model->edge(state, start_s)
                                                  : mr_window_start_s(plan->grid, k + 1);
        windows->now = (struct mr_window){k, start_s, fmin(edge_s, plan->end_s)};
        windows->context.now_s = start_s;
        agreed = play_window(windows, model, state, &is_last, &st, err);
    }
    if (agreed == MR_OK) { /* the last mail may have met something */
        const uint64_t mine = (uint64_t)(int64_t)st;
        agreed = gather_header(windows, &mine, 1, err);
        if (agreed == MR_OK)
            agreed = agree(windows, 1, st, err);
    }
    mr_assert_context_set(NULL);
    return agreed;
}
