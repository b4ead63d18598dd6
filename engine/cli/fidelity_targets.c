/* SPDX-License-Identifier: Apache-2.0 */
/* A network that no card was fitted on is predicted with the card "spec": so the row of unseen
 * models is that card's error on all of them. Which rows anchor a fit is chosen by the hash of
 * their configurations, never by their times. */
#include "engine/cli/fidelity_targets.h"

#include "engine/base/assert.h"
#include "engine/base/mem.h"

#include <stdio.h>
#include <string.h>

enum {
    n_anchor = 8
};

/* Fractions; 0: not asked. Near: TPOT within 20 %, TTFT within a factor of two. */
struct bar {
    double median, mean, near;
};

static const struct {
    const char *name;
    int score;
    bool only_held_out, needs_fits;
    struct bar good, excellent;
} rows[MR_FIDELITY_TARGETS] = {
    [MR_FIDELITY_TARGET_TPOT_MIXED] = {"TPOT aggregated, unseen configurations",
                                       MR_FIDELITY_SCORE_TPOT_MIXED,
                                       true,
                                       false,
                                       {0.12, 0.16, 0.7},
                                       {0.065, 0.09, 0.88}},
    [MR_FIDELITY_TARGET_TPOT_SPLIT] = {"TPOT disaggregated, workers known",
                                       MR_FIDELITY_SCORE_TPOT_SPLIT,
                                       true,
                                       false,
                                       {0.13, 0.17, 0},
                                       {0.08, 0.1, 0}},
    [MR_FIDELITY_TARGET_UNSEEN_SYSTEM] = {"TPOT aggregated, unseen system",
                                          MR_FIDELITY_SCORE_TPOT_MIXED,
                                          false,
                                          true,
                                          {0.2, 0.25, 0},
                                          {0.12, 0.15, 0}},
    [MR_FIDELITY_TARGET_UNSEEN_MODEL] = {"TPOT aggregated, unseen model",
                                         MR_FIDELITY_SCORE_TPOT_MIXED,
                                         false,
                                         false,
                                         {0, 0, 0},
                                         {0.14, 0.18, 0}},
    [MR_FIDELITY_TARGET_TTFT_MIXED] = {"TTFT aggregated below 1 s",
                                       MR_FIDELITY_SCORE_TTFT_MIXED,
                                       true,
                                       false,
                                       {0.25, 0, 0.8},
                                       {0.15, 0, 0.92}},
    [MR_FIDELITY_TARGET_TTFT_SPLIT] = {"TTFT disaggregated",
                                       MR_FIDELITY_SCORE_TTFT_SPLIT,
                                       true,
                                       false,
                                       {0.6, 0, 0},
                                       {0.35, 0, 0.7}},
    [MR_FIDELITY_TARGET_ANCHORS] = {"TPOT aggregated, 8 rows of the system",
                                    MR_FIDELITY_SCORE_TPOT_MIXED,
                                    false,
                                    true,
                                    {0.1, 0.13, 0},
                                    {0.07, 0.09, 0}},
};

/* ---- fits ---- */

/* One backend on one system: fitted without it, and with a few of its rows. */
struct group {
    const char *backend, *system; /* lent by the rows */
    bool is_fitted, is_anchored;
    struct mr_software_card fitted, anchored;
    uint64_t anchor[n_anchor]; /* configurations */
    size_t n;
};

struct groups {
    struct group *group;
    size_t n, cap;
    bool is_anchored; /* which card predicts */
    bool is_spec;     /* the rows of these fits, predicted without any */
    const struct mr_software_card *spec;
};

static struct group *group_of(const struct groups *groups, const struct mr_measured_row *row)
{
    for (size_t i = 0; i < groups->n; i++)
        if (strcmp(groups->group[i].backend, row->backend) == 0 &&
            strcmp(groups->group[i].system, row->system) == 0)
            return &groups->group[i];
    return NULL;
}

static bool is_anchor(const struct group *group, const struct mr_measured_row *row)
{
    for (size_t i = 0; i < group->n; i++)
        if (group->anchor[i] == row->config)
            return true;
    return false;
}

/* The next configuration by hash that is not taken: its first row. SIZE_MAX: none is left. */
static size_t next_anchor(const struct mr_measured *set, const struct mr_fidelity_case *cases,
                          const struct group *group)
{
    size_t best = SIZE_MAX;
    for (size_t i = 0; i < set->n; i++) {
        const struct mr_measured_row *row = &set->row[i];
        if (!cases[i].is_scored || !cases[i].is_clean || row->is_split ||
            strcmp(row->backend, group->backend) != 0 || strcmp(row->system, group->system) != 0 ||
            is_anchor(group, row))
            continue;
        if (best == SIZE_MAX || row->config < set->row[best].config)
            best = i;
    }
    return best;
}

static mr_status fit_group(const struct mr_measured *set, const struct mr_fidelity_case *cases,
                           struct group *group, bool *uses, struct mr_err *err)
{
    struct mr_calibrate_result result;
    MR_ASSERT(uses != NULL);
    mr_status st = mr_calibrate_rows(set,
                                     &(struct mr_calibrate_options){.backend = group->backend,
                                                                    .skip_system = group->system,
                                                                    .uses_all = true},
                                     &result, err);
    if (st == MR_NOMEM)
        return st;
    group->is_fitted = st == MR_OK; /* else too few rows of other systems */
    group->fitted = result.card;
    memset(uses, 0, set->n * sizeof *uses);
    while (group->n < n_anchor) {
        const size_t i = next_anchor(set, cases, group);
        if (i == SIZE_MAX)
            return MR_OK;
        uses[i] = true;
        group->anchor[group->n++] = set->row[i].config;
    }
    st = mr_calibrate_rows(
        set,
        &(struct mr_calibrate_options){.backend = group->backend,
                                       .uses = uses,
                                       .start = group->is_fitted ? &group->fitted : NULL},
        &result, err);
    group->is_anchored = st == MR_OK;
    group->anchored = result.card;
    return st == MR_NOMEM ? st : MR_OK;
}

static mr_status fit_groups(const struct mr_measured *set, const struct mr_fidelity_case *cases,
                            struct groups *groups, struct mr_err *err)
{
    bool *uses = mr_alloc_zero(set->n, sizeof *uses);
    mr_status st = uses != NULL ? MR_OK : mr_err_nomem(err, set->n * sizeof *uses);
    for (size_t i = 0; i < set->n && st == MR_OK; i++) {
        const struct mr_measured_row *row = &set->row[i];
        if (!cases[i].is_scored || row->is_split || group_of(groups, row) != NULL)
            continue;
        st = mr_grow(&groups->group, &groups->cap, groups->n + 1, sizeof *groups->group, err);
        if (st != MR_OK)
            break;
        groups->group[groups->n] = (struct group){.backend = row->backend, .system = row->system};
        st = fit_group(set, cases, &groups->group[groups->n++], uses, err);
    }
    mr_free(uses);
    return st;
}

static const struct mr_software_card *card_of(void *context, const struct mr_measured_row *row)
{
    const struct groups *groups = context;
    const struct group *group = group_of(groups, row);
    if (group == NULL)
        return NULL;
    if (!groups->is_anchored)
        return !group->is_fitted ? NULL : groups->is_spec ? groups->spec : &group->fitted;
    if (!group->is_anchored || is_anchor(group, row))
        return NULL;
    return groups->is_spec ? groups->spec : &group->anchored;
}

/* ---- scores ---- */

static const struct mr_software_card *same_card(void *context, const struct mr_measured_row *row)
{
    (void)row;
    return ((const struct groups *)context)->spec;
}

static struct mr_fidelity_stat stat_of(const struct mr_measured *set,
                                       const struct mr_fidelity_case *cases, int target,
                                       double *scratch)
{
    const struct mr_fidelity_filter filter = {.score = rows[target].score,
                                              .only_held_out = rows[target].only_held_out};
    return mr_fidelity_stat_of(set, cases, &filter, scratch);
}

static void score_fits(const struct mr_measured *set, struct groups *groups, int target,
                       struct mr_fidelity_case *cases, double *scratch,
                       struct mr_fidelity_targets *out)
{
    groups->is_anchored = target == MR_FIDELITY_TARGET_ANCHORS;
    for (int is_spec = 0; is_spec < 2; is_spec++) {
        groups->is_spec = is_spec;
        mr_fidelity_cases(set, card_of, groups, cases);
        *(is_spec ? &out->spec[target] : &out->own[target]) = stat_of(set, cases, target, scratch);
    }
}

mr_status mr_fidelity_targets_of(const struct mr_measured *set,
                                 const struct mr_fidelity_case *cases,
                                 const struct mr_software_card *spec, bool with_fits,
                                 struct mr_fidelity_targets *out, struct mr_err *err)
{
    struct groups groups = {.spec = spec};
    struct mr_fidelity_case *other = mr_alloc_zero(set->n + 1, sizeof *other);
    double *scratch = mr_alloc_zero(set->n + 1, sizeof *scratch);
    mr_status st =
        other != NULL && scratch != NULL ? MR_OK : mr_err_nomem(err, set->n * sizeof *other);
    *out = (struct mr_fidelity_targets){.with_fits = with_fits};
    if (st == MR_OK) {
        mr_fidelity_cases(set, same_card, &groups, other);
        for (int i = 0; i < MR_FIDELITY_TARGETS; i++)
            if (!rows[i].needs_fits) {
                out->spec[i] = stat_of(set, other, i, scratch);
                out->own[i] = i == MR_FIDELITY_TARGET_UNSEEN_MODEL
                                  ? out->spec[i]
                                  : stat_of(set, cases, i, scratch);
            }
    }
    if (st == MR_OK && with_fits)
        st = fit_groups(set, cases, &groups, err);
    if (st == MR_OK && with_fits) {
        score_fits(set, &groups, MR_FIDELITY_TARGET_UNSEEN_SYSTEM, other, scratch, out);
        score_fits(set, &groups, MR_FIDELITY_TARGET_ANCHORS, other, scratch, out);
    }
    mr_free(groups.group);
    mr_free(other);
    mr_free(scratch);
    return st;
}

static bool reaches(const struct mr_fidelity_stat *stat, const struct bar *bar)
{
    return (bar->median <= 0 || stat->median <= bar->median) &&
           (bar->mean <= 0 || stat->mean <= bar->mean) && stat->near_frac >= bar->near;
}

int mr_fidelity_targets_verdict(const struct mr_fidelity_targets *targets, int target)
{
    const struct mr_fidelity_stat *own = &targets->own[target];
    if (own->n == 0)
        return MR_FIDELITY_VERDICT_NONE;
    if (reaches(own, &rows[target].excellent))
        return MR_FIDELITY_VERDICT_EXCELLENT;
    /* without a bar of its own: no worse than no fit */
    const struct bar *good = &rows[target].good;
    const bool is_good =
        good->median > 0 ? reaches(own, good) : own->median <= targets->spec[target].median;
    return is_good ? MR_FIDELITY_VERDICT_GOOD : MR_FIDELITY_VERDICT_MISSED;
}

/* ---- printing ---- */

static const char *const verdicts[] = {"-", "missed", "good", "excellent"};

/* "12 / 16, 70 % near", of what is asked. */
static const char *bar_text(const struct bar *bar, char text[48])
{
    char mean[16] = "", near[16] = "";
    if (bar->median <= 0)
        return "no worse than spec";
    if (bar->mean > 0)
        snprintf(mean, sizeof mean, " / %g", 100 * bar->mean);
    if (bar->near > 0)
        snprintf(near, sizeof near, ", %.0f %%", 100 * bar->near);
    snprintf(text, 48, "%g%s%s", 100 * bar->median, mean, near);
    return text;
}

void mr_fidelity_targets_print(const struct mr_fidelity_targets *targets, struct mr_buf *out)
{
    mr_buf_printf(out, "%-40s %5s %18s %18s  %-18s %-18s %s\n", "targets: median / mean [%], near",
                  "rows", "this", "spec", "good", "excellent", "verdict");
    for (int i = 0; i < MR_FIDELITY_TARGETS; i++) {
        const struct mr_fidelity_stat *own = &targets->own[i], *spec = &targets->spec[i];
        char good[48], excellent[48], numbers[2][48] = {"-", "-"};
        if (own->n > 0)
            snprintf(numbers[0], sizeof numbers[0], "%.1f / %.1f, %.0f %%", 100 * own->median,
                     100 * own->mean, 100 * own->near_frac);
        if (spec->n > 0)
            snprintf(numbers[1], sizeof numbers[1], "%.1f / %.1f, %.0f %%", 100 * spec->median,
                     100 * spec->mean, 100 * spec->near_frac);
        mr_buf_printf(out, "%-40s %5zu %18s %18s  %-18s %-18s %s\n", rows[i].name, own->n,
                      numbers[0], numbers[1], bar_text(&rows[i].good, good),
                      bar_text(&rows[i].excellent, excellent),
                      rows[i].needs_fits && !targets->with_fits
                          ? "needs --targets"
                          : verdicts[mr_fidelity_targets_verdict(targets, i)]);
    }
}

void mr_fidelity_targets_json(const struct mr_fidelity_targets *targets, struct mr_jsonw *w)
{
    mr_jsonw_key(w, "targets");
    mr_jsonw_array(w);
    for (int i = 0; i < MR_FIDELITY_TARGETS; i++) {
        mr_jsonw_object(w);
        mr_jsonw_key_text(w, "target", rows[i].name);
        mr_jsonw_key_u64(w, "rows", targets->own[i].n);
        mr_jsonw_key_f64(w, "median", targets->own[i].median);
        mr_jsonw_key_f64(w, "mean", targets->own[i].mean);
        mr_jsonw_key_f64(w, "near", targets->own[i].near_frac);
        mr_jsonw_key_f64(w, "spec_median", targets->spec[i].median);
        mr_jsonw_key_f64(w, "spec_mean", targets->spec[i].mean);
        mr_jsonw_key_text(w, "verdict", verdicts[mr_fidelity_targets_verdict(targets, i)]);
        mr_jsonw_end(w);
    }
    mr_jsonw_end(w);
}
