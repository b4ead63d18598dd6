/* SPDX-License-Identifier: Apache-2.0 */
/* A main effect is the spread of the means over a factor's levels; an interaction of two factors is
 * what the means of their pairs leave unexplained by the sum of both: mean(a, b) - mean(a) -
 * mean(b)
 * + mean, the largest of it. Means are over configurations, each with the mean over its seeds, so
 * that a missing seed shifts none. Effects are what they say only where the configurations cover
 * the factors evenly. Where a pair of levels has no run, its interaction cannot be told from main
 * effects by these means, and is not.
 *
 * Intervals come from the spread of seeds within configurations, pooled over all of them: with
 * standard deviation s, n_c runs in each of the K configurations of a level, the mean of the level
 * has variance s^2 sum(1 / n_c) / K^2, and the difference of two levels the sum of both. Runs of
 * one seed are taken as independent; where they move together the intervals are too wide. */
#include "engine/base/mem.h"
#include "postprocess/merged_impl.h"

#include <math.h>
#include <stdio.h>

enum {
    n_pair_max = 1000000 /* names by the thousand, which next to no pair has a run for */
};

/* Of configurations: the mean of their means, and what its variance is in s^2. */
struct cell {
    size_t n, n_run;
    double sum, shares; /* shares: of 1 / n_c */
};

static void add(struct cell *cell, const struct mr_repeat *repeat)
{
    cell->n++;
    cell->n_run += repeat->n;
    cell->sum += repeat->mean;
    cell->shares += 1 / (double)repeat->n;
}

static double mean_of(const struct cell *cell)
{
    return cell->n > 0 ? cell->sum / (double)cell->n : (double)NAN;
}

static double variance_of(const struct cell *cell)
{
    return cell->shares / ((double)cell->n * (double)cell->n);
}

double mr_merged_pooled_sd(const struct mr_merged *m, const struct mr_merged_figure *figure,
                           size_t *n_free)
{
    double squares = 0;
    *n_free = 0;
    for (size_t c = 0; c < m->n_config; c++)
        if (figure->of[c].n > 1) {
            squares += figure->of[c].squares;
            *n_free += figure->of[c].n - 1;
        }
    return *n_free > 0 ? sqrt(squares / (double)*n_free) : (double)NAN;
}

bool mr_merged_effect(const struct mr_merged *m, const struct mr_merged_figure *figure,
                      size_t factor, struct mr_merged_effect *out)
{
    const struct mr_merged_factor *f = &m->factor[factor];
    struct cell all = {0}, low = {0}, high = {0};
    size_t n_free, n_level = 0;
    const double sd = mr_merged_pooled_sd(m, figure, &n_free);
    *out = (struct mr_merged_effect){0};
    for (size_t a = 0; a < f->n_level; a++) {
        struct cell cell = {0};
        for (size_t c = 0; c < m->n_config; c++)
            if (f->level[c] == a && figure->of[c].n > 0) {
                add(&cell, &figure->of[c]);
                add(&all, &figure->of[c]);
            }
        if (cell.n == 0)
            continue;
        if (n_level == 0 || mean_of(&cell) < mean_of(&low)) {
            low = cell;
            out->lowest = a;
        }
        if (n_level++ == 0 || mean_of(&cell) > mean_of(&high)) {
            high = cell;
            out->highest = a;
        }
    }
    if (n_level < 2)
        return false;
    out->mean = mean_of(&all);
    out->value = mean_of(&high) - mean_of(&low);
    out->half95 = mr_repeat_t95(n_free) * sd * sqrt(variance_of(&low) + variance_of(&high));
    return true;
}

/* Of an even design the residue of a pair has variance s^2 (1/n_ab - 1/n_a - 1/n_b + 1/n). */
static double residue_variance(const struct cell *pair, const struct cell *a, const struct cell *b,
                               const struct cell *all)
{
    return fmax(0, 1 / (double)pair->n_run - 1 / (double)a->n_run - 1 / (double)b->n_run +
                       1 / (double)all->n_run);
}

mr_status mr_merged_interaction(const struct mr_merged *m, const struct mr_merged_figure *figure,
                                size_t a, size_t b, struct mr_merged_interaction *out,
                                struct mr_err *err)
{
    const struct mr_merged_factor *f = &m->factor[a], *g = &m->factor[b];
    const size_t n_pair = f->n_level * g->n_level;
    size_t n_free;
    const double sd = mr_merged_pooled_sd(m, figure, &n_free);
    *out = (struct mr_merged_interaction){(double)NAN, (double)NAN, (double)NAN, 0, false};
    if (n_pair > n_pair_max)
        return MR_OK;
    struct cell all = {0}, *cell = mr_alloc_zero(n_pair + f->n_level + g->n_level, sizeof *cell);
    if (cell == NULL)
        return mr_err_nomem(err, n_pair * sizeof *cell);
    struct cell *of_f = cell + n_pair, *of_g = of_f + f->n_level;
    for (size_t c = 0; c < m->n_config; c++) {
        if (figure->of[c].n == 0)
            continue;
        add(&cell[f->level[c] * g->n_level + g->level[c]], &figure->of[c]);
        add(&of_f[f->level[c]], &figure->of[c]);
        add(&of_g[g->level[c]], &figure->of[c]);
        add(&all, &figure->of[c]);
    }
    out->mean = mean_of(&all);
    for (size_t i = 0; i < n_pair; i++) {
        const struct cell *x = &of_f[i / g->n_level], *y = &of_g[i % g->n_level];
        if (cell[i].n == 0) {
            out->n_hole++;
            continue;
        }
        const double residue = fabs(mean_of(&cell[i]) - mean_of(x) - mean_of(y) + out->mean);
        if (!isnan(out->value) && residue <= out->value)
            continue;
        out->value = residue;
        out->half95 = mr_repeat_t95(n_free) * sd * sqrt(residue_variance(&cell[i], x, y, &all));
    }
    mr_free(cell);
    if (out->n_hole > 0)
        out->value = out->half95 = (double)NAN;
    out->is_together = out->n_hole > 0 &&
                       (n_pair - out->n_hole == f->n_level || n_pair - out->n_hole == g->n_level);
    return MR_OK;
}

/* ---- tables ---- */

static double percent(double value, double mean)
{
    return mean > 0 || mean < 0 ? 100 * value / fabs(mean) : (double)NAN;
}

static bool is_shown(const struct mr_runread_set *set)
{
    const struct mr_kpi *kpi = mr_kpi_find(set->name);
    return strcmp(set->group, "/kpi") == 0 && !set->is_axis && !set->is_text && set->rank == 1 &&
           strncmp(set->long_name, "Factor ", 7) != 0 &&
           (set->asked[0] != '\0' || (kpi != NULL && kpi->is_headline));
}

static void put_effects_of(const struct mr_merged *m, const struct mr_merged_figure *figure,
                           struct mr_page_table *table)
{
    for (size_t k = 0; k < m->n_factor; k++) {
        struct mr_merged_effect e;
        if (!mr_merged_effect(m, figure, k, &e))
            continue;
        mr_page_row(table);
        mr_page_cell(table, figure->name);
        mr_page_cell(table, m->factor[k].name);
        mr_page_cell_f64(table, e.value);
        mr_page_cell_f64(table, e.half95);
        mr_page_cell_f64(table, percent(e.value, e.mean));
        mr_page_cell(table, m->factor[k].level_text[e.lowest]);
        mr_page_cell(table, m->factor[k].level_text[e.highest]);
    }
}

static mr_status put_interactions_of(const struct mr_merged *m,
                                     const struct mr_merged_figure *figure,
                                     struct mr_page_table *table, struct mr_err *err)
{
    for (size_t k = 0; k < m->n_factor; k++)
        for (size_t j = k + 1; j < m->n_factor; j++) {
            struct mr_merged_interaction x;
            if (m->factor[k].n_level < 2 || m->factor[j].n_level < 2)
                continue;
            MR_TRY(mr_merged_interaction(m, figure, k, j, &x, err));
            mr_page_row(table);
            mr_page_cell(table, figure->name);
            mr_page_cell(table, m->factor[k].name);
            mr_page_cell(table, m->factor[j].name);
            mr_page_cell_f64(table, x.value);
            mr_page_cell_f64(table, x.half95);
            mr_page_cell_f64(table, percent(x.value, x.mean));
            mr_page_cell_f64(table, (double)x.n_hole);
        }
    return MR_OK;
}

static mr_status put_all(struct mr_merged *m, bool is_pairs, struct mr_page_table *table,
                         struct mr_err *err)
{
    for (size_t i = 0; i < mr_runread_n(m->run); i++) {
        const struct mr_runread_set *set = mr_runread_at(m->run, i);
        struct mr_merged_figure figure;
        if (!is_shown(set))
            continue;
        MR_TRY(mr_merged_figure(m, set->name, NULL, &figure, err));
        if (figure.name == NULL)
            continue;
        if (is_pairs)
            MR_TRY(put_interactions_of(m, &figure, table, err));
        else
            put_effects_of(m, &figure, table);
    }
    return MR_OK;
}

mr_status mr_merged_put_effects(struct mr_merged *m, const char *sheet, struct mr_page *page,
                                struct mr_err *err)
{
    static const char *const head[] = {"figure",         "factor",    "#effect",   "#+-95 %",
                                       "#% of the mean", "lowest at", "highest at"};
    struct mr_page_table table;
    mr_page_table(&table, page, sheet, head, sizeof head / sizeof *head);
    const mr_status st = put_all(m, false, &table, err);
    mr_page_table_end(&table);
    return st;
}

mr_status mr_merged_put_interactions(struct mr_merged *m, const char *sheet, struct mr_page *page,
                                     struct mr_err *err)
{
    static const char *const head[] = {"figure",
                                       "factor",
                                       "with",
                                       "#residue",
                                       "#+-95 %",
                                       "#% of the mean",
                                       "#pairs without a run"};
    struct mr_page_table table;
    mr_page_table(&table, page, sheet, head, sizeof head / sizeof *head);
    const mr_status st = put_all(m, true, &table, err);
    mr_page_table_end(&table);
    return st;
}

/* ---- the terminal ---- */

static void put_number(struct mr_buf *out, double value, const char *after)
{
    char number[MR_NUM_CAP] = "-";
    if (!isnan(value))
        (void)mr_num_format_human(value, 4, number);
    mr_buf_printf(out, " %10s%s", number, after);
}

static bool is_goal(const struct mr_merged *m, const char *name)
{
    return (m->goal.name != NULL && strcmp(name, m->goal.name) == 0) ||
           (m->against.name != NULL && strcmp(name, m->against.name) == 0);
}

static void tell_effects_of(const struct mr_merged *m, const struct mr_merged_figure *figure,
                            bool *has_head, struct mr_buf *out)
{
    for (size_t k = 0; k < m->n_factor; k++) {
        struct mr_merged_effect e;
        if (!mr_merged_effect(m, figure, k, &e))
            continue;
        if (!*has_head)
            mr_buf_printf(out, "  %-26s %-26s %10s %10s %12s  %s\n", "main effect on", "of",
                          "spread", "+-95 %", "of the mean", "lowest | highest at");
        *has_head = true;
        mr_buf_printf(out, "  %-26s %-26s", figure->name, m->factor[k].name);
        put_number(out, e.value, "");
        put_number(out, e.half95, "");
        put_number(out, percent(e.value, e.mean), " %");
        mr_buf_printf(out, "  %s | %s\n", m->factor[k].level_text[e.lowest],
                      m->factor[k].level_text[e.highest]);
    }
}

static mr_status tell_interactions(struct mr_merged *m, struct mr_buf *out, struct mr_err *err)
{
    bool has_head = false;
    for (size_t k = 0; k < m->n_factor && m->goal.name != NULL; k++)
        for (size_t j = k + 1; j < m->n_factor; j++) {
            struct mr_merged_interaction x;
            MR_TRY(mr_merged_interaction(m, &m->goal, k, j, &x, err));
            if (m->factor[k].n_level < 2 || m->factor[j].n_level < 2 || isnan(x.mean))
                continue;
            if (!has_head)
                mr_buf_printf(out, "  %-26s %-26s %10s %10s %12s  %s\n", "interaction", "with",
                              "residue", "+-95 %", "of the mean", "pairs without a run");
            has_head = true;
            mr_buf_printf(out, "  %-26s %-26s", m->factor[k].name, m->factor[j].name);
            put_number(out, x.value, "");
            put_number(out, x.half95, "");
            put_number(out, percent(x.value, x.mean), " %");
            mr_buf_printf(out, "  %zu%s\n", x.n_hole,
                          x.is_together ? ": they go together, and so do their main effects" : "");
        }
    return MR_OK;
}

mr_status mr_merged_tell_effects(struct mr_merged *m, struct mr_buf *out, struct mr_err *err)
{
    bool has_head = false;
    for (size_t i = 0; i < mr_runread_n(m->run); i++) {
        const struct mr_runread_set *set = mr_runread_at(m->run, i);
        struct mr_merged_figure figure;
        if (strcmp(set->group, "/kpi") != 0 || (set->asked[0] == '\0' && !is_goal(m, set->name)))
            continue;
        MR_TRY(mr_merged_figure(m, set->name, NULL, &figure, err));
        if (figure.name != NULL)
            tell_effects_of(m, &figure, &has_head, out);
    }
    return tell_interactions(m, out, err);
}
