/* SPDX-License-Identifier: Apache-2.0 */
/* A share f of n calls is known to 1.96 sqrt(f (1 - f) / n) (normal approximation), and never
 * better than to 3 / n: n calls without a miss leave room for so many (1 - 3 / n)^n = 0.05). */
#include "experiments/steady.h"

#include "engine/base/csv.h"
#include "engine/base/mem.h"

#include <math.h>
#include <stdio.h>

enum {
    of_goal, /* both objectives of the tier */
    of_ttft_p90,
    of_ttft_p99,
    of_tpot_p90,
    of_tpot_p99,
    n_promise
};

struct tier {
    const struct mr_steady_goal *goal;
    double limit_s[n_promise], wanted[n_promise]; /* wanted 0: nothing is promised */
    size_t n[n_promise], n_kept[n_promise];
};

struct columns {
    size_t tier, arrived, first, finished, output, outcome;
};

static void promise(struct tier *t, const struct mr_sla *sla, double met_frac)
{
    t->wanted[of_goal] = met_frac;
    for (size_t i = 0; i < sla->n_tier; i++) {
        const struct mr_sla_tier *s = &sla->tier[i];
        if (strcmp(s->name, t->goal->tier) != 0)
            continue;
        const double limit_s[] = {0, s->ttft_p90_s, s->ttft_p99_s, s->tpot_p90_s, s->tpot_p99_s};
        const double wanted[] = {s->met_frac, 0.9, 0.99, 0.9, 0.99};
        for (int k = 0; k < n_promise; k++) {
            t->limit_s[k] = limit_s[k];
            t->wanted[k] = k == of_goal || limit_s[k] > 0 ? wanted[k] : 0;
        }
    }
}

static mr_status find_columns(const struct mr_csv *csv, struct columns *c, struct mr_err *err)
{
    MR_TRY(mr_csv_column(csv, "tier", &c->tier, err));
    MR_TRY(mr_csv_column(csv, "arrived_s", &c->arrived, err));
    MR_TRY(mr_csv_column(csv, "first_token_s", &c->first, err));
    MR_TRY(mr_csv_column(csv, "finished_s", &c->finished, err));
    MR_TRY(mr_csv_column(csv, "output", &c->output, err));
    return mr_csv_column(csv, "outcome", &c->outcome, err);
}

/* A time that may not be there yet: NaN. */
static mr_status read_time(const struct mr_csv *csv, size_t column, double *value,
                           struct mr_err *err)
{
    *value = (double)NAN;
    return mr_csv_field(csv, column).n > 0 ? mr_csv_f64(csv, column, value, err) : MR_OK;
}

static bool is_within(double value_s, double limit_s)
{
    return !(limit_s > 0) || value_s <= limit_s;
}

static void count(struct tier *t, double ttft_s, double tpot_s, bool is_open)
{
    const struct mr_steady_goal *g = t->goal;
    const bool keeps[] = {
        is_within(ttft_s, g->ttft_s) && is_within(tpot_s, g->tpot_s),
        is_within(ttft_s, t->limit_s[of_ttft_p90]), is_within(ttft_s, t->limit_s[of_ttft_p99]),
        is_within(tpot_s, t->limit_s[of_tpot_p90]), is_within(tpot_s, t->limit_s[of_tpot_p99])};
    for (int k = 0; k < n_promise; k++) {
        if (is_open && keeps[k]) /* not lost yet */
            continue;
        t->n[k]++;
        t->n_kept[k] += keeps[k];
    }
}

static mr_status read_call(const struct mr_csv *csv, const struct columns *c, double from_s,
                           double end_s, struct tier *tier, size_t n_tier, struct mr_err *err)
{
    const struct mr_str name = mr_csv_field(csv, c->tier), outcome = mr_csv_field(csv, c->outcome);
    double arrived_s, first_s, finished_s, n_output;
    size_t i = 0;
    MR_TRY(mr_csv_f64(csv, c->arrived, &arrived_s, err));
    MR_TRY(read_time(csv, c->first, &first_s, err));
    MR_TRY(read_time(csv, c->finished, &finished_s, err));
    MR_TRY(read_time(csv, c->output, &n_output, err));
    while (i < n_tier && !mr_str_is(name, tier[i].goal->tier))
        i++;
    if (i == n_tier || arrived_s < from_s)
        return MR_OK;
    if (mr_str_is(outcome, "finished"))
        count(&tier[i], first_s - arrived_s,
              n_output > 1 ? (finished_s - first_s) / (n_output - 1) : 0, false);
    else if (mr_str_is(outcome, "in_flight")) /* it has waited so long, at least */
        count(&tier[i], (isnan(first_s) ? end_s : first_s) - arrived_s, 0, true);
    else
        count(&tier[i], (double)INFINITY, (double)INFINITY, false);
    return MR_OK;
}

/* The last date of the file: the run had come that far at least. */
static mr_status read_end(const char *path, double *end_s, struct mr_err *err)
{
    struct mr_csv *csv = NULL;
    struct columns c;
    bool has_row = true;
    *end_s = 0;
    MR_TRY(mr_csv_open(path, NULL, &csv, err));
    mr_status st = find_columns(csv, &c, err);
    while (st == MR_OK && has_row) {
        double arrived_s = 0, finished_s = 0;
        st = mr_csv_next(csv, &has_row, err);
        if (st != MR_OK || !has_row)
            break;
        st = mr_csv_f64(csv, c.arrived, &arrived_s, err);
        if (st == MR_OK)
            st = read_time(csv, c.finished, &finished_s, err);
        *end_s = fmax(*end_s, fmax(arrived_s, finished_s)); /* fmax leaves NaN out */
    }
    mr_csv_close(csv);
    return st;
}

/* The worst of all promises: broken by most, else kept by least. */
static void conclude(const struct tier *tier, size_t n_tier, struct mr_steady_verdict *out)
{
    static const char *const texts[] = {"within objectives", "within ttft p90", "within ttft p99",
                                        "within tpot p90", "within tpot p99"};
    double least = (double)INFINITY;
    *out = (struct mr_steady_verdict){.is_kept = true, .share = (double)NAN, .half95 = (double)NAN};
    for (size_t i = 0; i < n_tier; i++)
        for (int k = 0; k < n_promise; k++) {
            const struct tier *t = &tier[i];
            const double n = (double)t->n[k];
            if (!(t->wanted[k] > 0) || t->n[k] == 0)
                continue;
            const double share = (double)t->n_kept[k] / n, margin = share - t->wanted[k];
            if (margin >= least)
                continue;
            least = margin;
            out->share = share;
            out->wanted_frac = t->wanted[k];
            out->n_call = t->n[k];
            out->half95 = fmax(1.959964 * sqrt(share * (1 - share) / n), 3 / n);
            out->is_kept = margin >= 0;
            out->is_sure = fabs(margin) > out->half95;
            (void)snprintf(out->what, sizeof out->what, "tier %.60s: %s", t->goal->tier, texts[k]);
        }
}

mr_status mr_steady_judge(const char *path, double from_s, const struct mr_steady_goal *goal,
                          size_t n_goal, const struct mr_sla *sla, double met_frac,
                          struct mr_steady_verdict *out, struct mr_err *err)
{
    struct mr_csv *csv = NULL;
    struct columns c;
    double end_s;
    bool has_row = true;
    struct tier *tier = mr_alloc_zero(n_goal + 1, sizeof *tier);
    if (tier == NULL)
        return mr_err_nomem(err, n_goal * sizeof *tier);
    for (size_t i = 0; i < n_goal; i++) {
        tier[i].goal = &goal[i];
        promise(&tier[i], sla, met_frac);
    }
    mr_status st = read_end(path, &end_s, err);
    if (st == MR_OK)
        st = mr_csv_open(path, NULL, &csv, err);
    if (st == MR_OK)
        st = find_columns(csv, &c, err);
    while (st == MR_OK && has_row) {
        st = mr_csv_next(csv, &has_row, err);
        if (st == MR_OK && has_row)
            st = read_call(csv, &c, from_s, end_s, tier, n_goal, err);
    }
    mr_csv_close(csv);
    if (st == MR_OK)
        conclude(tier, n_goal, out);
    mr_free(tier);
    return st;
}
