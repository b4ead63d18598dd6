/* SPDX-License-Identifier: Apache-2.0 */
/* A prediction is the steady state of the row's setup; statistics are of sorted absolute errors,
 * the element floor(q n) of them. */
#include "models/fidelity.h"

#include "models/fit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double queued_s = 5, quick_s = 1;

enum {
    usual_drafts = 2 /* of the second reading */
};

static const double usual_accepted = 2.2; /* mean tokens per step with two drafts: estimated */

static const char *const score_names[] = {
#define SCORE_NAME(name, text, doc) text,
    MR_FIDELITY_SCORE_LIST(SCORE_NAME)
#undef SCORE_NAME
};

const char *mr_fidelity_score_name(int score)
{
    return score_names[score];
}

/* ---- predictions ---- */

static struct mr_step_setup setup_of(const struct mr_measured_row *row,
                                     const struct mr_software_card *software,
                                     const struct mr_parallel *parallel, uint32_t n_draft)
{
    struct mr_step_setup setup = {.gpu = row->gpu,
                                  .llm = row->llm,
                                  .software = software,
                                  .parallel = *parallel,
                                  .dense_format = row->dense_format,
                                  .expert_format = row->expert_format,
                                  .kv_element_bytes = row->kv_element_bytes,
                                  .n_draft = n_draft,
                                  .accepted = n_draft > 0 ? row->accepted : 0};
    if (n_draft > 0 && mr_step_accepted(&setup) <= 1)
        setup.accepted = fmin(usual_accepted, 1 + (double)n_draft);
    return setup;
}

mr_status mr_fidelity_predict(const struct mr_measured_row *row,
                              const struct mr_software_card *software, uint32_t n_draft,
                              struct mr_steady *out, struct mr_err *err)
{
    const struct mr_steady_load load = {.n_request = row->concurrency,
                                        .input = row->input,
                                        .output = row->output,
                                        .n_sequence_max = row->n_sequence_max,
                                        .n_block = row->n_block,
                                        .protocol = row->protocol};
    if (!row->is_split) {
        const struct mr_step_setup setup = setup_of(row, software, &row->mixed, n_draft);
        return mr_steady_mixed(&setup, &load, out, err);
    }
    const struct mr_step_setup prefill = setup_of(row, software, &row->prefill, n_draft);
    const struct mr_step_setup decode = setup_of(row, software, &row->decode, n_draft);
    return mr_steady_split(
        &(struct mr_steady_split){&prefill, &decode, row->n_prefill, row->n_decode}, &load, out,
        err);
}

static bool has_drafts(const struct mr_llm_card *llm)
{
    return llm->drafts != 0;
}

void mr_fidelity_cases(const struct mr_measured *set, mr_fidelity_software *software, void *context,
                       struct mr_fidelity_case *out)
{
    const double holdout_frac = set->has_holdout ? set->holdout_frac : 0.5;
    for (size_t i = 0; i < set->n; i++) {
        const struct mr_measured_row *row = &set->row[i];
        const struct mr_software_card *card =
            row->fate == MR_MEASURED_FATE_GOOD ? software(context, row) : NULL;
        out[i] =
            (struct mr_fidelity_case){.is_held_out = mr_fit_is_held_out(row->config, holdout_frac)};
        if (card == NULL ||
            mr_fidelity_predict(row, card, row->n_draft, &out[i].plain, NULL) != MR_OK)
            continue;
        out[i].is_scored = true;
        out[i].is_clean = row->ttft_s <= queued_s;
        out[i].may_draft = !row->knows_drafts && has_drafts(row->llm);
        out[i].drafted = out[i].plain;
        if (out[i].may_draft &&
            mr_fidelity_predict(row, card, usual_drafts, &out[i].drafted, NULL) != MR_OK)
            out[i].drafted = out[i].plain;
    }
}

/* ---- scores ---- */

static bool belongs(const struct mr_measured_row *row, int score)
{
    switch (score) {
    case MR_FIDELITY_SCORE_TPOT_MIXED:
        return !row->is_split;
    case MR_FIDELITY_SCORE_TPOT_SPLIT:
    case MR_FIDELITY_SCORE_TTFT_SPLIT:
        return row->is_split && row->knows_workers;
    case MR_FIDELITY_SCORE_TPOT_SPLIT_BLIND:
        return row->is_split && !row->knows_workers;
    default:
        return !row->is_split && row->ttft_s < quick_s;
    }
}

static bool is_first_token(int score)
{
    return score == MR_FIDELITY_SCORE_TTFT_MIXED || score == MR_FIDELITY_SCORE_TTFT_SPLIT;
}

static bool is_among(const char *wanted, const char *has)
{
    return wanted == NULL || strcmp(wanted, has) == 0;
}

double mr_fidelity_ratio(const struct mr_measured_row *row, const struct mr_fidelity_case *it,
                         const struct mr_fidelity_filter *filter)
{
    if (!it->is_scored || (!it->is_clean && !filter->is_raw) || !belongs(row, filter->score) ||
        (filter->only_held_out && !it->is_held_out) || (filter->without_drafts && it->may_draft) ||
        !is_among(filter->system, row->system) || !is_among(filter->model, row->llm_id) ||
        !is_among(filter->backend, row->backend))
        return (double)NAN;
    const struct mr_steady *said = filter->as_drafted && it->may_draft ? &it->drafted : &it->plain;
    return is_first_token(filter->score) ? said->ttft_s / row->ttft_s : said->tpot_s / row->tpot_s;
}

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

struct mr_fidelity_stat mr_fidelity_stat_of(const struct mr_measured *set,
                                            const struct mr_fidelity_case *cases,
                                            const struct mr_fidelity_filter *filter,
                                            double *scratch)
{
    struct mr_fidelity_stat stat = {0};
    const double far = is_first_token(filter->score) ? 2 : 1.2;
    const double near = is_first_token(filter->score) ? 0.5 : 0.8;
    size_t n_near = 0;
    double sum = 0;
    for (size_t i = 0; i < set->n; i++) {
        const double ratio = mr_fidelity_ratio(&set->row[i], &cases[i], filter);
        if (isnan(ratio))
            continue;
        n_near += ratio >= near && ratio <= far;
        sum += fabs(ratio - 1);
        scratch[stat.n++] = ratio - 1;
    }
    if (stat.n == 0)
        return stat;
    qsort(scratch, stat.n, sizeof *scratch, by_value);
    stat.bias = scratch[stat.n / 2];
    for (size_t i = 0; i < stat.n; i++)
        scratch[i] = fabs(scratch[i]);
    qsort(scratch, stat.n, sizeof *scratch, by_value);
    stat.median = scratch[stat.n / 2];
    stat.p90 = scratch[(size_t)(0.9 * (double)stat.n)];
    stat.mean = sum / (double)stat.n;
    stat.near_frac = (double)n_near / (double)stat.n;
    return stat;
}
