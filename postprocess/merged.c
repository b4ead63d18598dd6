/* SPDX-License-Identifier: Apache-2.0 */
/* Columns of /kpi over runs; those that are factors say so. A main effect is the spread of the
 * means over a factor's levels; an interaction of two factors is what the means of their pairs
 * leave unexplained by the sum of both: mean(a, b) - mean(a) - mean(b) + mean, the largest of it.
 * Both are what they say only where the runs cover the factors evenly; holes are counted. Runs that
 * are missing count nowhere. Map: columns - effects - front - tables - pages. */
#include "postprocess/merged.h"

#include "engine/base/mem.h"
#include "postprocess/chart.h"
#include "postprocess/kpi.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    n_level_max = 32,
    n_factor_max = 16,
    n_shown = 20,
    label_cap = 160
};

struct factor {
    const char *name;
    size_t *level;              /* of each run */
    char text[n_level_max][48]; /* of each level */
    size_t n_level;
};

struct merged {
    struct mr_runread *run;
    const char *const *id;
    size_t n;
    struct factor factor[n_factor_max];
    size_t n_factor;
    double *x, *y;  /* of the front: tokens/s of a user, tokens/s per MW */
    double *broken; /* limits, NULL: not told */
    bool *is_best;  /* nobody is better in both */
};

/* ---- columns ---- */

bool mr_merged_is(const struct mr_runread *run)
{
    const char *kind = mr_runread_attr(run, "/", "kind");
    return kind != NULL && strcmp(kind, "merge") == 0;
}

static mr_status read_column(const struct merged *m, const char *path, double **value,
                             struct mr_err *err)
{
    const struct mr_runread_set *set = mr_runread_find(m->run, path);
    *value = NULL;
    if (set == NULL || set->is_text || set->rank != 1 || set->dim[0] != m->n)
        return MR_OK;
    return mr_runread_all(m->run, set, value, err);
}

/* The level of a text: an earlier one of the same, or a new one. n_level_max: too many. */
static size_t level_of(struct factor *f, const char *text)
{
    char cut[48];
    (void)snprintf(cut, sizeof cut, "%s", text);
    for (size_t i = 0; i < f->n_level; i++)
        if (strcmp(f->text[i], cut) == 0)
            return i;
    if (f->n_level < n_level_max)
        (void)snprintf(f->text[f->n_level++], sizeof f->text[0], "%s", cut);
    return f->n_level - 1;
}

static mr_status read_factor(struct merged *m, const struct mr_runread_set *set, struct mr_err *err)
{
    struct factor *f = &m->factor[m->n_factor];
    const char *const *text = NULL;
    double *value = NULL;
    f->name = set->name;
    f->level = mr_alloc_zero(m->n + 1, sizeof *f->level);
    if (f->level == NULL)
        return mr_err_nomem(err, m->n * sizeof *f->level);
    m->n_factor++;
    if (set->is_text)
        MR_TRY(mr_runread_texts(m->run, set, &text, err));
    else
        MR_TRY(mr_runread_all(m->run, set, &value, err));
    for (size_t i = 0; i < m->n; i++) {
        char number[MR_NUM_CAP];
        if (value != NULL)
            (void)mr_num_format_human(value[i], 6, number);
        f->level[i] = level_of(f, value != NULL ? number : text != NULL ? text[i] : "");
    }
    mr_free(value);
    return MR_OK;
}

/* A run is best when no other gives users and megawatts at least as much and one of them more. */
static void find_best(struct merged *m)
{
    for (size_t i = 0; i < m->n && m->x != NULL && m->y != NULL; i++) {
        m->is_best[i] = !isnan(m->x[i]) && !isnan(m->y[i]);
        for (size_t k = 0; k < m->n && m->is_best[i]; k++)
            if (m->x[k] >= m->x[i] && m->y[k] >= m->y[i] &&
                (m->x[k] > m->x[i] || m->y[k] > m->y[i]))
                m->is_best[i] = false;
    }
}

static mr_status read_merged(struct mr_runread *run, struct merged *m, struct mr_err *err)
{
    const struct mr_runread_set *axis = mr_runread_find(run, "/kpi/run");
    *m = (struct merged){.run = run};
    if (axis == NULL || !axis->is_text || axis->rank != 1)
        return mr_err_set(err, MR_SCHEMA, (struct mr_place){mr_runread_path(run), 0, 0},
                          "dataset /kpi/run: a merged file names its runs there");
    MR_TRY(mr_runread_texts(run, axis, &m->id, err));
    m->n = axis->dim[0];
    m->is_best = mr_alloc_zero(m->n + 1, sizeof *m->is_best);
    if (m->is_best == NULL)
        return mr_err_nomem(err, m->n);
    for (size_t i = 0; i < mr_runread_n(run) && m->n_factor < n_factor_max; i++) {
        const struct mr_runread_set *set = mr_runread_at(run, i);
        if (strcmp(set->group, "/kpi") == 0 && !set->is_axis && set->rank == 1 &&
            set->dim[0] == m->n && strncmp(set->long_name, "Factor ", 7) == 0)
            MR_TRY(read_factor(m, set, err));
    }
    MR_TRY(read_column(m, "/kpi/tok_s.output_per_user_p50", &m->x, err));
    MR_TRY(read_column(m, "/kpi/tok_s_per_mw", &m->y, err));
    MR_TRY(read_column(m, "/kpi/violations", &m->broken, err));
    find_best(m);
    return MR_OK;
}

static void forget(struct merged *m)
{
    for (size_t i = 0; i < m->n_factor; i++)
        mr_free(m->factor[i].level);
    mr_free(m->x);
    mr_free(m->y);
    mr_free(m->broken);
    mr_free(m->is_best);
}

/* ---- effects ---- */

/* Mean of the runs at level a of one factor and b of another; NULL factors stand for all. */
static double mean_at(const struct merged *m, const double *value, const struct factor *f, size_t a,
                      const struct factor *g, size_t b)
{
    double sum = 0;
    size_t n = 0;
    for (size_t i = 0; i < m->n; i++)
        if (!isnan(value[i]) && (f == NULL || f->level[i] == a) &&
            (g == NULL || g->level[i] == b)) {
            sum += value[i];
            n++;
        }
    return n > 0 ? sum / (double)n : (double)NAN;
}

static double main_effect(const struct merged *m, const double *value, const struct factor *f,
                          size_t *lowest, size_t *highest)
{
    double low = HUGE_VAL, high = -HUGE_VAL;
    for (size_t a = 0; a < f->n_level; a++) {
        const double mean = mean_at(m, value, f, a, NULL, 0);
        if (mean < low) {
            low = mean;
            *lowest = a;
        }
        if (mean > high) {
            high = mean;
            *highest = a;
        }
    }
    return high >= low ? high - low : (double)NAN;
}

static double interaction(const struct merged *m, const double *value, const struct factor *f,
                          const struct factor *g, size_t *n_hole)
{
    const double all = mean_at(m, value, NULL, 0, NULL, 0);
    double largest = (double)NAN;
    *n_hole = 0;
    for (size_t a = 0; a < f->n_level; a++)
        for (size_t b = 0; b < g->n_level; b++) {
            const double pair = mean_at(m, value, f, a, g, b);
            if (isnan(pair)) {
                ++*n_hole;
                continue;
            }
            largest = fmax(largest, fabs(pair - mean_at(m, value, f, a, NULL, 0) -
                                         mean_at(m, value, g, b, NULL, 0) + all));
        }
    return largest;
}

static void put_effect(const struct merged *m, const char *figure, const double *value,
                       struct mr_page_table *table)
{
    const double all = mean_at(m, value, NULL, 0, NULL, 0);
    for (size_t k = 0; k < m->n_factor; k++) {
        size_t lowest = 0, highest = 0;
        const double effect = main_effect(m, value, &m->factor[k], &lowest, &highest);
        if (m->factor[k].n_level < 2 || isnan(effect))
            continue;
        mr_page_row(table);
        mr_page_cell(table, figure);
        mr_page_cell(table, m->factor[k].name);
        mr_page_cell_f64(table, effect);
        mr_page_cell_f64(table, all > 0 || all < 0 ? 100 * effect / fabs(all) : (double)NAN);
        mr_page_cell(table, m->factor[k].text[lowest]);
        mr_page_cell(table, m->factor[k].text[highest]);
    }
}

static void put_interaction(const struct merged *m, const char *figure, const double *value,
                            struct mr_page_table *table)
{
    const double all = mean_at(m, value, NULL, 0, NULL, 0);
    for (size_t k = 0; k < m->n_factor; k++)
        for (size_t j = k + 1; j < m->n_factor; j++) {
            size_t n_hole;
            if (m->factor[k].n_level < 2 || m->factor[j].n_level < 2)
                continue;
            const double residue = interaction(m, value, &m->factor[k], &m->factor[j], &n_hole);
            mr_page_row(table);
            mr_page_cell(table, figure);
            mr_page_cell(table, m->factor[k].name);
            mr_page_cell(table, m->factor[j].name);
            mr_page_cell_f64(table, residue);
            mr_page_cell_f64(table, all > 0 || all < 0 ? 100 * residue / fabs(all) : (double)NAN);
            mr_page_cell_f64(table, (double)n_hole);
        }
}

typedef void effect_fn(const struct merged *m, const char *figure, const double *value,
                       struct mr_page_table *table);

/* Every headline figure of the file. */
static mr_status put_effects(const struct merged *m, effect_fn *put, struct mr_page_table *table,
                             struct mr_err *err)
{
    for (size_t i = 0; i < mr_runread_n(m->run); i++) {
        const struct mr_runread_set *set = mr_runread_at(m->run, i);
        const struct mr_kpi *kpi = mr_kpi_find(set->name);
        double *value;
        if (strcmp(set->group, "/kpi") != 0 || kpi == NULL || !kpi->is_headline)
            continue;
        MR_TRY(read_column(m, set->path, &value, err));
        if (value != NULL)
            put(m, set->name, value, table);
        mr_free(value);
    }
    return MR_OK;
}

/* ---- tables ---- */

static void describe(const struct merged *m, size_t i, char out[label_cap])
{
    out[0] = '\0';
    for (size_t k = 0; k < m->n_factor; k++) {
        const size_t n = strlen(out);
        (void)snprintf(out + n, label_cap - n, "%s%s=%s", k > 0 ? " " : "", m->factor[k].name,
                       m->factor[k].text[m->factor[k].level[i]]);
    }
}

struct rank {
    double y, broken;
    size_t i;
};

/* First those that break nothing, then by tokens per megawatt. */
static int compare_ranks(const void *a, const void *b)
{
    const struct rank *p = a, *q = b;
    if (p->broken < q->broken || p->broken > q->broken)
        return p->broken > q->broken ? 1 : -1;
    if (p->y < q->y || p->y > q->y)
        return p->y < q->y ? 1 : -1;
    return (p->i > q->i) - (p->i < q->i);
}

/* @param[out] rank mr_free @param[out] n runs that have a figure */
static mr_status rank_runs(const struct merged *m, struct rank **rank, size_t *n,
                           struct mr_err *err)
{
    *n = 0;
    *rank = mr_alloc(m->n + 1, sizeof **rank);
    if (*rank == NULL)
        return mr_err_nomem(err, m->n * sizeof **rank);
    for (size_t i = 0; i < m->n && m->y != NULL; i++)
        if (!isnan(m->y[i]))
            (*rank)[(*n)++] = (struct rank){
                m->y[i], m->broken != NULL && !isnan(m->broken[i]) ? m->broken[i] : 0, i};
    qsort(*rank, *n, sizeof **rank, compare_ranks);
    return MR_OK;
}

static mr_status put_ranking(const struct merged *m, struct mr_page *page, struct mr_err *err)
{
    static const char *const head[] = {
        "#place",         "run",         "factors", "#tokens/s per MW", "#tokens/s of a user",
        "#limits broken", "on the front"};
    struct mr_page_table table;
    struct rank *rank;
    size_t n;
    MR_TRY(rank_runs(m, &rank, &n, err));
    if (n == 0) {
        mr_page_missing(page, "No run of the file has tokens per megawatt: nothing to rank.");
    } else {
        mr_page_table(&table, page, "ranking", head, sizeof head / sizeof *head);
        for (size_t k = 0; k < n && k < n_shown; k++) {
            char label[label_cap];
            const size_t i = rank[k].i;
            describe(m, i, label);
            mr_page_row(&table);
            mr_page_cell_f64(&table, (double)k + 1);
            mr_page_cell(&table, m->id[i]);
            mr_page_cell(&table, label);
            mr_page_cell_f64(&table, m->y[i]);
            mr_page_cell_f64(&table, m->x != NULL ? m->x[i] : (double)NAN);
            mr_page_cell_f64(&table, rank[k].broken);
            mr_page_cell(&table, m->is_best[i] ? "yes" : "no");
        }
        mr_page_table_end(&table);
    }
    mr_free(rank);
    return MR_OK;
}

/* ---- front ---- */

struct point {
    double x, y;
};

static int compare_points(const void *a, const void *b)
{
    const struct point *p = a, *q = b;
    return p->x > q->x ? 1 : p->x < q->x ? -1 : (p->y < q->y) - (p->y > q->y);
}

/* All runs as points; those that nobody beats joined by a line. */
static mr_status put_front(const struct merged *m, struct mr_page *page, struct mr_err *err)
{
    struct point *best = mr_alloc(m->n + 1, sizeof *best);
    double *line = mr_alloc(2 * m->n + 1, sizeof *line);
    size_t n = 0;
    if (best == NULL || line == NULL || m->x == NULL || m->y == NULL) {
        const bool lacks_memory = best == NULL || line == NULL;
        mr_free(best);
        mr_free(line);
        if (lacks_memory)
            return mr_err_nomem(err, m->n * sizeof *best);
        mr_page_missing(page, "No front: the runs have no tokens per megawatt and user.");
        return MR_OK;
    }
    for (size_t i = 0; i < m->n; i++)
        if (m->is_best[i])
            best[n++] = (struct point){m->x[i], m->y[i]};
    qsort(best, n, sizeof *best, compare_points);
    for (size_t i = 0; i < n; i++) {
        line[i] = best[i].x;
        line[m->n + i] = best[i].y;
    }
    const struct mr_chart_series series[] = {
        {"runs", m->x, m->y, m->n, MR_CHART_POINTS, m->id},
        {"front: nobody is better in both", line, line + m->n, n, MR_CHART_LINE, NULL}};
    const struct mr_chart chart = {"Throughput of a megawatt",
                                   "tokens/s of a user (p50)",
                                   "output tokens/s per MW",
                                   series,
                                   2,
                                   NULL,
                                   0,
                                   true,
                                   (double)NAN};
    mr_buf_text(&page->out, "<div class=\"grid\">");
    const bool is_drawn = mr_chart_svg(&chart, &page->out);
    mr_buf_text(&page->out, "</div>\n");
    if (!is_drawn)
        mr_page_missing(page, "No front: no run has both figures.");
    mr_free(best);
    mr_free(line);
    return MR_OK;
}

/* ---- pages ---- */

static mr_status put_sections(const struct merged *m, struct mr_page *page, struct mr_err *err)
{
    static const char *const effects[] = {"figure",         "factor",    "#effect",
                                          "#% of the mean", "lowest at", "highest at"};
    static const char *const pairs[] = {"figure",   "factor",         "with",
                                        "#residue", "#% of the mean", "#pairs without a run"};
    struct mr_page_table table;
    mr_page_section(page, "ranking", "Winners");
    MR_TRY(put_ranking(m, page, err));
    mr_page_section(page, "front", "Tokens per megawatt against tokens per user");
    MR_TRY(put_front(m, page, err));
    mr_page_section(page, "effects", "Main effects");
    mr_page_say(page, "How far the means over a factor's levels lie apart.");
    mr_page_table(&table, page, "effects", effects, sizeof effects / sizeof *effects);
    mr_status st = put_effects(m, put_effect, &table, err);
    mr_page_table_end(&table);
    MR_TRY(st);
    mr_page_section(page, "interactions", "Interactions");
    mr_page_say(page, "What the mean of a pair of levels differs from the sum of both effects, the "
                      "largest over all pairs. Pairs without a run make it uncertain.");
    mr_page_table(&table, page, "interactions", pairs, sizeof pairs / sizeof *pairs);
    st = put_effects(m, put_interaction, &table, err);
    mr_page_table_end(&table);
    return st;
}

mr_status mr_merged_html(struct mr_runread *run, const char *title, struct mr_page *page,
                         struct mr_err *err)
{
    struct merged m;
    *page = (struct mr_page){0};
    mr_status st = read_merged(run, &m, err);
    mr_page_begin(page, title);
    if (st == MR_OK) {
        mr_page_say(page, "%s: %zu runs, %zu factors", mr_runread_path(run), m.n, m.n_factor);
        if (m.n_factor == 0)
            mr_page_missing(page, "No factors in the file: no effects.");
        st = put_sections(&m, page, err);
    }
    mr_page_end(page);
    forget(&m);
    return st == MR_OK ? mr_page_check(page, err) : st;
}

mr_status mr_merged_text(struct mr_runread *run, struct mr_buf *out, struct mr_err *err)
{
    struct merged m;
    struct rank *rank = NULL;
    size_t n = 0;
    mr_status st = read_merged(run, &m, err);
    if (st == MR_OK)
        st = rank_runs(&m, &rank, &n, err);
    if (st == MR_OK)
        mr_buf_printf(out, "%s: %zu runs, %zu factors\n  %5s %-10s %12s %12s  %s\n",
                      mr_runread_path(run), m.n, m.n_factor, "place", "run", "tok/s/MW",
                      "tok/s/user", "factors (*: on the front)");
    for (size_t k = 0; k < n && k < n_shown && m.y != NULL; k++) {
        char label[label_cap], y[MR_NUM_CAP], x[MR_NUM_CAP] = "-";
        const size_t i = rank[k].i;
        describe(&m, i, label);
        (void)mr_num_format_human(m.y[i], 4, y);
        if (m.x != NULL && !isnan(m.x[i]))
            (void)mr_num_format_human(m.x[i], 4, x);
        mr_buf_printf(out, "  %5zu %-10s %12s %12s %c%s\n", k + 1, m.id[i], y, x,
                      m.is_best[i] ? '*' : ' ', label);
    }
    mr_free(rank);
    forget(&m);
    return st;
}
