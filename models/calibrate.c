/* SPDX-License-Identifier: Apache-2.0 */
/* Residuals are logarithms of predicted over measured, in units of what a good model is off by: a
 * tenth for time per token, a half for first tokens below a second. Rows that may have used drafts
 * count with the nearer of both readings and twice the doubt: they tell something about the rest,
 * and which reading is true is not asked for afterwards.
 *
 * Doubts are one standard deviation of the prior in logarithms: shares of bandwidth are known
 * within a quarter, starts of collectives and launches within a factor of two, host time hardly at
 * all.
 *
 * Whether an engine leaves all-reduces to switches is not said by rows either, and most do not
 * unless told to: both are fitted, the better fit is kept. A fit drawn to a card keeps the card's
 * answer. */
#include "models/calibrate.h"

#include "engine/base/fmath.h"
#include "engine/base/mem.h"
#include "models/fit.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

static const double tpot_doubt = 0.1, ttft_doubt = 0.5, draft_doubt = 2;
static const double known_doubt = 0.5; /* of a card that was fitted, over that of a typical one */
static const double quick_s = 1;       /* first tokens below it are compared */

static const struct {
    const char *figure;
    double start, doubt; /* typical; standard deviation of its logarithm */
} knobs[] = {
    {"host", 0.0015, 1},
    {"layer", 2.2e-05, 0.4},
    {"memory.dense", 0.87, 0.1},
    {"memory.experts", 0.65, 0.15},
    {"expand.share", 0.8, 0.4},
    {"memory.kv", 0.67, 0.2},
    {"flop.dense", 0.76, 0.1},
    {"flop.experts", 0.41, 0.2},
    {"flop.attention", 0.4, 0.3},
    {"flop.half_rows", 48, 0.5},
    {"flop.expert_half_rows", 12, 0.5},
    {"experts.distinct", 0.95, 0.04},
    {"experts.imbalance", 1.12, 0.05},
    {"reduce.start", 6.7e-06, 0.4},
    {"reduce.share", 0.45, 0.3},
    {"exchange.start", 2.4e-05, 0.5},
    {"exchange.share", 0.16, 0.4},
    {"prefill.mixed", 1, 0.15},
    {"decode.disaggregated", 0.85, 0.15},
    {"prefill.burst", 0.1, 1},
    {"prefill.start", 20e-3, 1},
    {"prefill.layer", 300e-6, 0.5},
};

enum {
    n_knob = sizeof knobs / sizeof *knobs,
    n_least_row = 8
};

/* One residual of one row. */
struct target {
    const struct mr_measured_row *row;
    bool is_first_token, may_draft;
};

struct fitting {
    const struct mr_measured *set;
    struct mr_software_card card;
    struct target *target;
    size_t n;
    struct mr_steady *said,
        *drafted; /* per target's row, in order: filled once per residual call */
};

static double *figure(struct mr_software_card *card, const char *name)
{
    const struct mr_param_table *table = mr_software_kind.table;
    const size_t i = mr_param_find(table, mr_str_of(name));
    return (double *)(void *)((char *)card + table->row[i].offset);
}

size_t mr_calibrate_figures(const size_t **row)
{
    static size_t index[n_knob];
    for (size_t i = 0; i < n_knob; i++)
        index[i] = mr_param_find(mr_software_kind.table, mr_str_of(knobs[i].figure));
    *row = index;
    return n_knob;
}

bool mr_calibrate_chooses(const struct mr_param *row)
{
    return row->offset == offsetof(struct mr_software_card, reduces_in_switch);
}

static double log_ratio(double said_s, double measured_s)
{
    return mr_log(fmax(said_s, 1e-9) / measured_s);
}

static double residual_of(const struct target *target, const struct mr_steady *plain,
                          const struct mr_steady *drafted)
{
    const struct mr_measured_row *row = target->row;
    const double doubt = target->is_first_token ? ttft_doubt : tpot_doubt;
    const double truth = target->is_first_token ? row->ttft_s : row->tpot_s;
    const double a = log_ratio(target->is_first_token ? plain->ttft_s : plain->tpot_s, truth);
    if (!target->may_draft)
        return a / doubt;
    const double b = log_ratio(target->is_first_token ? drafted->ttft_s : drafted->tpot_s, truth);
    return (fabs(a) < fabs(b) ? a : b) / (doubt * draft_doubt);
}

static void residuals(void *context, const double *x, double *residual)
{
    struct fitting *f = context;
    struct mr_steady plain = {0}, drafted = {0};
    const struct mr_measured_row *last = NULL;
    for (size_t k = 0; k < n_knob; k++)
        *figure(&f->card, knobs[k].figure) = mr_exp(x[k]);
    for (size_t i = 0; i < f->n; i++) {
        const struct target *target = &f->target[i];
        if (target->row != last) {
            /* what could be priced once can be priced again: only figures of time have moved */
            (void)!mr_fidelity_predict(target->row, &f->card, target->row->n_draft, &plain, NULL);
            if (target->may_draft)
                (void)!mr_fidelity_predict(target->row, &f->card, 2, &drafted, NULL);
        }
        last = target->row;
        residual[i] = residual_of(target, &plain, &drafted);
    }
}

static bool is_of(const struct mr_measured_row *row, const struct mr_calibrate_options *options)
{
    return row->fate == MR_MEASURED_FATE_GOOD &&
           (options->backend == NULL || strcmp(options->backend, row->backend) == 0) &&
           (!row->is_split || row->knows_workers) &&
           (options->skip_system == NULL || strcmp(options->skip_system, row->system) != 0) &&
           (options->skip_model == NULL || strcmp(options->skip_model, row->llm_id) != 0);
}

static mr_status pick(struct fitting *f, const struct mr_calibrate_options *options,
                      const struct mr_fidelity_case *cases, struct mr_calibrate_result *result,
                      struct mr_err *err)
{
    f->target = mr_alloc(2 * f->set->n, sizeof *f->target);
    if (f->target == NULL)
        return mr_err_nomem(err, 2 * f->set->n * sizeof *f->target);
    for (size_t i = 0; i < f->set->n; i++) {
        const struct mr_measured_row *row = &f->set->row[i];
        if (!is_of(row, options) || !cases[i].is_clean ||
            (options->uses != NULL && !options->uses[i]))
            continue;
        if (cases[i].is_held_out && !options->uses_all && options->uses == NULL) {
            result->n_held_out++;
            continue;
        }
        result->n_row++;
        f->target[f->n++] = (struct target){row, false, cases[i].may_draft};
        if (row->ttft_s < quick_s)
            f->target[f->n++] = (struct target){row, true, cases[i].may_draft};
    }
    if (result->n_row >= n_least_row)
        return MR_OK;
    return mr_err_set(err, MR_RANGE, MR_NOWHERE, "%zu rows of %s to fit, at least %d are needed",
                      result->n_row, options->backend != NULL ? options->backend : "any backend",
                      n_least_row);
}

static const struct mr_software_card *same_card(void *context, const struct mr_measured_row *row)
{
    (void)row;
    return context;
}

static mr_status solve(struct fitting *f, const struct mr_calibrate_options *options,
                       struct mr_calibrate_result *result, struct mr_err *err)
{
    struct mr_fit_problem problem = {.n_param = n_knob,
                                     .n_residual = f->n,
                                     .scale = 2,
                                     .n_round = options->n_round > 0 ? options->n_round : 30,
                                     .context = f,
                                     .residuals = residuals};
    struct mr_fit_report report;
    double x[MR_FIT_PARAMS];
    const size_t *rows;
    (void)mr_calibrate_figures(&rows);
    struct mr_software_card from = {0};
    const double doubt = options->start != NULL ? known_doubt : 1;
    for (size_t k = 0; k < n_knob; k++)
        *figure(&from, knobs[k].figure) = knobs[k].start;
    if (options->start != NULL)
        from = *options->start;
    for (size_t k = 0; k < n_knob; k++) {
        const struct mr_param *row = &mr_software_kind.table->row[rows[k]];
        const double start = fmax(*figure(&from, knobs[k].figure), 1e-9);
        problem.param[k] = (struct mr_fit_param){.start = mr_log(start),
                                                 .low = mr_log(fmax(row->min, 1e-9)),
                                                 .high = mr_log(row->max),
                                                 .doubt = doubt * knobs[k].doubt};
    }
    MR_TRY(mr_fit_solve(&problem, x, &report, err));
    for (size_t k = 0; k < n_knob; k++)
        *figure(&f->card, knobs[k].figure) = mr_exp(x[k]);
    result->card = f->card;
    result->cost_before = report.cost_before;
    result->cost_after = report.cost_after;
    return MR_OK;
}

/* With and without switches that add; the prior says neither. */
static mr_status solve_both(struct fitting *f, const struct mr_calibrate_options *options,
                            struct mr_calibrate_result *result, struct mr_err *err)
{
    if (options->start != NULL) {
        f->card.reduces_in_switch = options->start->reduces_in_switch;
        return solve(f, options, result, err);
    }
    f->card.reduces_in_switch = false;
    MR_TRY(solve(f, options, result, err));
    struct mr_calibrate_result other = *result;
    f->card.reduces_in_switch = true;
    MR_TRY(solve(f, options, &other, err));
    if (other.cost_after < result->cost_after)
        *result = other;
    return MR_OK;
}

mr_status mr_calibrate_rows(const struct mr_measured *set,
                            const struct mr_calibrate_options *options,
                            struct mr_calibrate_result *result, struct mr_err *err)
{
    struct fitting f = {.set = set};
    *result = (struct mr_calibrate_result){0};
    mr_software_defaults(&f.card);
    if (options->keep != NULL)
        f.card = *options->keep;
    struct mr_fidelity_case *cases = mr_alloc_zero(set->n, sizeof *cases);
    if (cases == NULL)
        return mr_err_nomem(err, set->n * sizeof *cases);
    mr_fidelity_cases(set, same_card, &f.card, cases);
    mr_status st = pick(&f, options, cases, result, err);
    if (st == MR_OK)
        st = solve_both(&f, options, result, err);
    mr_free(f.target);
    mr_free(cases);
    return st;
}
