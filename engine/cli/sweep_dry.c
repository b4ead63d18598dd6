/* SPDX-License-Identifier: Apache-2.0 */
/* How much a row has to do is guessed from its scenario: calls, and seconds of each thing that the
 * layout counts. That serves to order rows and to place them between those that were played; where
 * it says nothing, the first, the middle and the last row stand for all. */
#include "engine/cli/sweep_dry.h"

#include "engine/base/mem.h"
#include "engine/base/num.h"
#include "engine/base/unit.h"
#include "engine/twin/scenario.h"

#include <math.h>
#include <stdlib.h>

enum {
    n_probe_max = 3
};

struct work {
    double amount;
    size_t row;
};

struct dry {
    struct mr_sweep_row *row;
    struct work *work; /* of the rows that would run, the least first */
    size_t n_work;
    size_t probe[n_probe_max]; /* places in work, the least first */
    struct mr_sweep_row_cost cost[n_probe_max];
    size_t n_probe;
};

/* ---- how much there is to do ---- */

/* "layout/hall/row/count=8" has eight times as much of it. */
static double count_of(const struct mr_sweep_row *row)
{
    double product = 1;
    for (size_t k = 0; k < row->n_set; k++) {
        const char *equals = strchr(row->set[k], '=');
        double n;
        if (strncmp(row->set[k], "layout/", 7) == 0 && equals != NULL && equals - row->set[k] > 5 &&
            strncmp(equals - 5, "count", 5) == 0 &&
            mr_num_parse_f64(mr_str_of(equals + 1), &n) == MR_OK)
            product *= n;
    }
    return product;
}

static double amount_of(const struct mr_scenario *s, double n_part)
{
    const struct mr_arrivals_spec *w = &s->workload;
    const double rate_s =
        s->has_agents ? s->agents.rate_s + (double)s->agents.n_session : w->rate_s * w->output_tok;
    const double most_s = s->top.until_s > 0 ? s->top.until_s : (double)INFINITY;
    const double all_s =
        !s->has_agents && w->n_call > 0 ? (double)w->n_call / fmax(w->rate_s, 1e-9) : most_s;
    const double until_s = fmin(most_s, all_s);
    return isfinite(until_s) ? until_s * (rate_s + (double)s->deployment.n_instance + n_part)
                             : rate_s + n_part;
}

static int compare_work(const void *a, const void *b)
{
    const struct work *p = a, *q = b;
    if (p->amount < q->amount || p->amount > q->amount)
        return p->amount < q->amount ? -1 : 1;
    return (p->row > q->row) - (p->row < q->row);
}

static mr_status list_work(struct dry *d, const bool *is_on, struct mr_err *err)
{
    const size_t n_row = d->row->design->n_row;
    d->work = mr_alloc(n_row + 1, sizeof *d->work);
    if (d->work == NULL)
        return mr_err_nomem(err, n_row * sizeof *d->work);
    for (size_t i = 0; i < n_row; i++) {
        struct mr_scenario scenario = {0};
        struct mr_diags diags = {0};
        if (!is_on[i])
            continue;
        MR_TRY(mr_sweep_row_settings(d->row, i, err));
        const mr_status st = mr_scenario_load(d->row->experiment->top.scenario, d->row->set,
                                              d->row->n_set, &scenario, &diags);
        const double amount = st == MR_OK ? amount_of(&scenario, count_of(d->row)) : 0;
        mr_scenario_fini(&scenario);
        if (st != MR_OK) /* every row was loaded before */
            return mr_err_set(err, st, MR_NOWHERE, "row %zu cannot be loaded again", i);
        d->work[d->n_work++] = (struct work){amount, i};
    }
    qsort(d->work, d->n_work, sizeof *d->work, compare_work);
    return MR_OK;
}

/* ---- probes ---- */

static mr_status play(struct dry *d, const char *within, const struct mr_batch_options *options,
                      struct mr_err *err)
{
    const size_t at[n_probe_max] = {0, d->n_work / 2, d->n_work - 1};
    for (size_t i = 0; i < n_probe_max && d->n_work > 0; i++) {
        if (i > 0 && at[i] == at[i - 1])
            continue;
        d->probe[d->n_probe] = at[i];
        MR_TRY(mr_sweep_row_probe(d->row, d->work[at[i]].row, within, options, &d->cost[d->n_probe],
                                  err));
        d->n_probe++;
    }
    return MR_OK;
}

/* Where a row lies between two probes: by the amount of work; by its place where both have as
 * much. */
static double share_of(const struct dry *d, size_t k, size_t *low, size_t *high)
{
    *high = d->n_probe > 1 ? 1 : 0;
    while (*high + 1 < d->n_probe && d->probe[*high] < k)
        ++*high;
    *low = *high > 0 ? *high - 1 : 0;
    const size_t first = d->probe[*low], last = d->probe[*high];
    const double from = d->work[first].amount, to = d->work[last].amount;
    if (to > from)
        return (d->work[k].amount - from) / (to - from);
    return last > first ? (double)(k - first) / (double)(last - first) : 0;
}

/* ---- the answer ---- */

static void tell_probes(const struct dry *d, struct mr_buf *out)
{
    for (size_t i = 0; i < d->n_probe; i++) {
        const struct mr_sweep_row_cost *cost = &d->cost[i];
        char data[MR_UNIT_CAP], time[MR_UNIT_CAP], id[MR_DESIGN_ID];
        mr_unit_human(cost->bytes, MR_Q_DATA, 3, data);
        mr_unit_human(cost->wall_s, MR_Q_TIME, 3, time);
        mr_buf_printf(out, "row %s, played now: %s, %s, %.3g MB of memory\n",
                      mr_design_id(d->work[d->probe[i]].row, id), time, data,
                      (double)cost->rss_bytes / 1e6);
    }
}

static void tell_sums(const struct dry *d, size_t n_slot, struct mr_buf *out)
{
    const double n = (double)d->n_work, slots = fmin((double)n_slot, n);
    double all_s = 0, all_b = 0, least_s = (double)INFINITY, most_s = 0, least_b = least_s,
           most_b = 0;
    char data[MR_UNIT_CAP], least[MR_UNIT_CAP], most[MR_UNIT_CAP];
    for (size_t k = 0; k < d->n_work; k++) {
        size_t low, high;
        const double share = share_of(d, k, &low, &high);
        const struct mr_sweep_row_cost *a = &d->cost[low], *b = &d->cost[high];
        all_s += a->wall_s + share * (b->wall_s - a->wall_s);
        all_b += a->bytes + share * (b->bytes - a->bytes);
    }
    for (size_t i = 0; i < d->n_probe; i++) {
        least_s = fmin(least_s, d->cost[i].wall_s);
        most_s = fmax(most_s, d->cost[i].wall_s);
        least_b = fmin(least_b, d->cost[i].bytes);
        most_b = fmax(most_b, d->cost[i].bytes);
    }
    mr_unit_human(all_b, MR_Q_DATA, 3, data);
    mr_buf_printf(out, "expected: %.3g hours of one core, %.3g hours with -j %.0f, %s\n",
                  all_s / 3600, fmax(all_s / slots, most_s) / 3600, slots, data);
    mr_unit_human(n * least_b, MR_Q_DATA, 3, least);
    mr_unit_human(n * most_b, MR_Q_DATA, 3, most);
    mr_buf_printf(out,
                  "between %.3g and %.3g hours of one core, %s and %s, if all rows were as the "
                  "cheapest or the dearest of these\n",
                  n * least_s / 3600, n * most_s / 3600, least, most);
}

mr_status mr_sweep_dry(struct mr_sweep_row *row, const bool *is_on, const char *within,
                       const struct mr_batch_options *options, size_t n_slot, struct mr_buf *out,
                       struct mr_err *err)
{
    struct dry d = {.row = row};
    mr_status st = list_work(&d, is_on, err);
    if (st == MR_OK)
        st = play(&d, within, options, err);
    if (st == MR_OK && d.n_work > 0) {
        tell_probes(&d, out);
        tell_sums(&d, n_slot, out);
    }
    mr_free(d.work);
    return st;
}
