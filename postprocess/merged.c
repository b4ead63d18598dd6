/* SPDX-License-Identifier: Apache-2.0 */
/* What rank.kpi says orders configurations, else tokens per megawatt after the number of limits
 * they broke. Feasible ones come first; one without any run is told as missing, and not ranked.
 * Map: ranking - front - missing runs - several files - pages - text. */
#include "postprocess/merged.h"

#include "engine/base/mem.h"
#include "postprocess/chart.h"
#include "postprocess/merged_impl.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    n_shown = 20, /* rows on a page or a screen; sheets have all */
    sheet_cap = 64
};

/* ---- ranking ---- */

struct rank {
    double worth, n_limit;
    bool is_feasible;
    size_t config;
};

static int compare_ranks(const void *a, const void *b)
{
    const struct rank *p = a, *q = b;
    if (p->is_feasible != q->is_feasible)
        return p->is_feasible ? -1 : 1;
    if (p->n_limit < q->n_limit || p->n_limit > q->n_limit)
        return p->n_limit > q->n_limit ? 1 : -1;
    if (p->worth < q->worth || p->worth > q->worth)
        return p->worth < q->worth ? 1 : -1;
    return (p->config > q->config) - (p->config < q->config);
}

/* @param[out] rank mr_free @param[out] n configurations that have the figure */
static mr_status rank_all(const struct mr_merged *m, struct rank **rank, size_t *n,
                          struct mr_err *err)
{
    const bool has_rule = m->has_own_rank || m->constraints != NULL;
    *n = 0;
    *rank = mr_alloc(m->n_config + 1, sizeof **rank);
    if (*rank == NULL)
        return mr_err_nomem(err, m->n_config * sizeof **rank);
    for (size_t c = 0; c < m->n_config && m->goal.name != NULL; c++) {
        const double mean = mr_repeat_mean(&m->goal.of[c]);
        if (isnan(mean))
            continue;
        struct rank r = {mean, 0, m->of[c].is_feasible, c};
        if (m->goal.better == MR_KPI_DOWN)
            r.worth = -mean;
        if (!has_rule && m->broken_limits.name != NULL && m->broken_limits.of[c].n > 0)
            r.n_limit = m->broken_limits.of[c].mean;
        (*rank)[(*n)++] = r;
    }
    qsort(*rank, *n, sizeof **rank, compare_ranks);
    return MR_OK;
}

/* "ttft_s.p99 <= 2 (2 of 3 runs)" */
static void tell_broken(const struct mr_merged *m, size_t config, struct mr_buf *out)
{
    const struct mr_merged_config *c = &m->of[config];
    mr_buf_clear(out);
    if (c->n_infeasible == 0)
        return;
    mr_merged_broken(m, config, out);
    if (c->n_there > 1)
        mr_buf_printf(out, " (%zu of %zu runs)", c->n_infeasible, c->n_there);
}

static void put_repeat(struct mr_page_table *table, const struct mr_merged_figure *figure,
                       size_t config)
{
    static const struct mr_repeat none = {0, 0, 0};
    const struct mr_repeat *r = figure->name != NULL ? &figure->of[config] : &none;
    mr_page_cell_f64(table, mr_repeat_mean(r));
    mr_page_cell_f64(table, mr_repeat_half95(r));
    mr_page_cell_f64(table, mr_repeat_sd(r));
}

static void put_rank(const struct mr_merged *m, const struct rank *rank, size_t place,
                     struct mr_buf *why, struct mr_page_table *table)
{
    const struct mr_merged_config *c = &m->of[rank->config];
    mr_page_row(table);
    mr_page_cell_f64(table, c->is_feasible ? (double)place : (double)NAN);
    for (size_t k = 0; k < m->n_factor; k++)
        mr_page_cell(table, m->factor[k].text[c->first]);
    mr_page_cell_f64(table, (double)c->n_there);
    mr_page_cell_f64(table, (double)c->n_run);
    put_repeat(table, &m->goal, rank->config);
    put_repeat(table, &m->against, rank->config);
    mr_page_cell_f64(table, m->broken_limits.name != NULL
                                ? mr_repeat_mean(&m->broken_limits.of[rank->config])
                                : (double)NAN);
    tell_broken(m, rank->config, why);
    mr_page_cell(table, why->n > 0 ? why->text : "");
    mr_page_cell(table, c->is_best ? "yes" : "no");
}

static mr_status add_head(struct mr_merged *m, const char **head, size_t *n, const char *name,
                          const char *after, struct mr_err *err)
{
    char text[200];
    (void)snprintf(text, sizeof text, "#%s%s", name != NULL ? name : "none", after);
    head[*n] = mr_arena_text(&m->arena, mr_str_of(text), err);
    return head[(*n)++] != NULL ? MR_OK : MR_NOMEM;
}

/* Texts of heads live in the arena. */
static mr_status make_heads(struct mr_merged *m, const char ***head, size_t *n, struct mr_err *err)
{
    static const char *const after[] = {"", " +-95 %", " sd"};
    const char *const goal[] = {m->goal.name, m->against.name};
    *n = 0;
    *head = mr_arena_zero(&m->arena, m->n_factor + 16, sizeof **head, err);
    if (*head == NULL)
        return MR_NOMEM;
    (*head)[(*n)++] = "#place";
    for (size_t i = 0; i < m->n_factor; i++)
        (*head)[(*n)++] = m->factor[i].name;
    (*head)[(*n)++] = "#runs";
    (*head)[(*n)++] = "#of";
    for (size_t i = 0; i < 2; i++)
        for (size_t k = 0; k < sizeof after / sizeof *after; k++)
            MR_TRY(add_head(m, *head, n, goal[i], after[k], err));
    (*head)[(*n)++] = "#limits broken";
    (*head)[(*n)++] = "breaks";
    (*head)[(*n)++] = "on the front";
    return MR_OK;
}

static mr_status put_ranking(struct mr_merged *m, const char *sheet, struct mr_page *page,
                             struct mr_err *err)
{
    struct mr_page_table table;
    struct mr_buf why = {0};
    struct rank *rank = NULL;
    const char **head = NULL;
    size_t n = 0, n_head = 0;
    mr_status st = make_heads(m, &head, &n_head, err);
    if (st == MR_OK)
        st = rank_all(m, &rank, &n, err);
    if (st == MR_OK && n == 0)
        mr_page_missing(page, "No run of the file has the figure that ranks: nothing to rank.");
    if (st == MR_OK && n > 0) {
        mr_page_say(page,
                    "By %s (%s), %s is better%s%s%s. Means over the seeds of a configuration, "
                    "the 95 %% interval of each mean (Student), and the standard deviation.",
                    m->goal.name, m->goal.units, m->goal.better == MR_KPI_DOWN ? "less" : "more",
                    m->constraints != NULL ? "; within " : "",
                    m->constraints != NULL ? m->constraints : "",
                    m->constraints != NULL ? ": who breaks one has no place" : "");
        mr_page_table(&table, page, sheet, head, n_head);
        for (size_t k = 0; k < n; k++) {
            if (k == n_shown)
                mr_page_table_rest(&table);
            put_rank(m, &rank[k], k + 1, &why, &table);
        }
        mr_page_table_end(&table);
        if (n > n_shown)
            mr_page_say(page, "%d of %zu; the sheet has all.", (int)n_shown, n);
    }
    mr_buf_fini(&why);
    mr_free(rank);
    return st;
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

/* Points of configurations: feasible, others, and the front. 3 n_config points. */
struct front {
    double *x, *y;
    const char **label;
    struct point *best;
    size_t n_feasible, n_other, n_best;
};

static mr_status collect(struct mr_merged *m, struct front *front, struct mr_err *err)
{
    const size_t n = m->n_config + 1;
    front->x = mr_arena_zero(&m->arena, 3 * n, sizeof *front->x, err);
    front->y = mr_arena_zero(&m->arena, 3 * n, sizeof *front->y, err);
    front->label = mr_arena_zero(&m->arena, 2 * n, sizeof *front->label, err);
    front->best = mr_arena_zero(&m->arena, n, sizeof *front->best, err);
    if (front->x == NULL || front->y == NULL || front->label == NULL || front->best == NULL)
        return MR_NOMEM;
    for (size_t c = 0; c < m->n_config; c++) {
        const size_t at = m->of[c].is_feasible ? front->n_feasible++ : n + front->n_other++;
        char label[MR_MERGED_LABEL];
        front->x[at] = mr_repeat_mean(&m->against.of[c]);
        front->y[at] = mr_repeat_mean(&m->goal.of[c]);
        front->label[at] = mr_arena_text(&m->arena, mr_str_of(mr_merged_label(m, c, label)), err);
        if (front->label[at] == NULL)
            return MR_NOMEM;
        if (m->of[c].is_best)
            front->best[front->n_best++] = (struct point){front->x[at], front->y[at]};
    }
    qsort(front->best, front->n_best, sizeof *front->best, compare_points);
    for (size_t i = 0; i < front->n_best; i++) {
        front->x[2 * n + i] = front->best[i].x;
        front->y[2 * n + i] = front->best[i].y;
    }
    return MR_OK;
}

/* All configurations as points; those that nobody beats joined by a line. */
static mr_status put_front(struct mr_merged *m, struct mr_page *page, struct mr_err *err)
{
    const size_t n = m->n_config + 1;
    struct front f = {0};
    char x_label[160], y_label[160];
    if (m->goal.name == NULL || m->against.name == NULL) {
        mr_page_missing(page, "No front: the runs have not both figures of it.");
        return MR_OK;
    }
    MR_TRY(collect(m, &f, err));
    (void)snprintf(x_label, sizeof x_label, "%s, %s", m->against.name, m->against.units);
    (void)snprintf(y_label, sizeof y_label, "%s, %s", m->goal.name, m->goal.units);
    const struct mr_chart_series series[] = {
        {"configurations", f.x, f.y, f.n_feasible, MR_CHART_POINTS, f.label},
        {"front: nobody is better in both", f.x + 2 * n, f.y + 2 * n, f.n_best, MR_CHART_LINE,
         NULL},
        {"those that break a constraint, or have no run", f.x + n, f.y + n, f.n_other,
         MR_CHART_POINTS, f.label + n}};
    const struct mr_chart chart = {
        "Pareto front", x_label, y_label, series,     f.n_other > 0 ? 3 : 2,
        NULL,           0,       true,    (double)NAN};
    mr_buf_text(&page->out, "<div class=\"grid\">");
    const bool is_drawn = mr_chart_svg(&chart, &page->out);
    mr_buf_text(&page->out, "</div>\n");
    if (!is_drawn)
        mr_page_missing(page, "No front: no run has both figures.");
    return MR_OK;
}

/* ---- missing runs ---- */

/* What is said of a run among the missing ones, from where the last one stood. */
static void why_missing(const char **at, const char *id, char *out, size_t cap)
{
    char name[128];
    (void)snprintf(name, sizeof name, "run_%s.h5 (", id);
    const char *from = *at != NULL ? strstr(*at, name) : NULL;
    out[0] = '\0';
    if (from == NULL)
        return;
    from += strlen(name);
    const char *end = strstr(from, "), run_");
    const size_t n = end != NULL ? (size_t)(end - from) : strlen(from) - 1;
    (void)snprintf(out, cap, "%.*s", (int)n, from);
    *at = from;
}

static void put_missing(const struct mr_merged *m, const char *sheet, struct mr_page *page)
{
    static const char *const head[] = {"run", "configuration", "seed", "why"};
    const char *at = m->missing;
    struct mr_page_table table;
    size_t n = 0;
    mr_page_table(&table, page, sheet, head, sizeof head / sizeof *head);
    for (size_t i = 0; i < m->n; i++) {
        char label[MR_MERGED_LABEL], why[256];
        if (m->is_there[i])
            continue;
        if (n++ == n_shown)
            mr_page_table_rest(&table);
        why_missing(&at, m->id[i], why, sizeof why);
        mr_page_row(&table);
        mr_page_cell(&table, m->id[i]);
        mr_page_cell(&table, mr_merged_label(m, m->config[i], label));
        mr_page_cell(&table, m->seed != NULL ? m->seed[i] : "");
        mr_page_cell(&table, why);
    }
    mr_page_table_end(&table);
    if (n > n_shown)
        mr_page_say(page, "%d of %zu; the sheet has all.", (int)n_shown, n);
}

/* ---- several files ---- */

struct match {
    const char *label;
    size_t config;
};

static int compare_matches(const void *a, const void *b)
{
    const struct match *p = a, *q = b;
    return strcmp(p->label, q->label);
}

/* Labels of all configurations, sorted. @param[out] out lives as long as m */
static mr_status index_configs(struct mr_merged *m, struct match **out, struct mr_err *err)
{
    *out = mr_arena_zero(&m->arena, m->n_config + 1, sizeof **out, err);
    if (*out == NULL)
        return MR_NOMEM;
    for (size_t c = 0; c < m->n_config; c++) {
        struct mr_buf text = {0};
        for (size_t k = 0; k < m->n_factor; k++) /* uncut */
            mr_buf_printf(&text, "%s%s=%s", k > 0 ? " " : "", m->factor[k].name,
                          m->factor[k].text[m->of[c].first]);
        mr_status st = mr_buf_check(&text, err);
        (*out)[c].config = c;
        if (st == MR_OK)
            (*out)[c].label =
                mr_arena_text(&m->arena, mr_str_of(text.n > 0 ? text.text : "the scenario"), err);
        mr_buf_fini(&text);
        MR_TRY(st);
        if ((*out)[c].label == NULL)
            return MR_NOMEM;
    }
    qsort(*out, m->n_config, sizeof **out, compare_matches);
    return MR_OK;
}

struct compared {
    struct mr_merged *m;
    const struct mr_merged_file *file;
    struct mr_merged_figure goal; /* of the baseline's name */
    struct match *match;
};

/* Two means of independent seeds: the variances add up; the fewer degrees of freedom count. */
static double difference95(const struct mr_repeat *a, const struct mr_repeat *b)
{
    if (a->n < 2 || b->n < 2)
        return (double)NAN;
    const double va = a->squares / (double)(a->n - 1) / (double)a->n,
                 vb = b->squares / (double)(b->n - 1) / (double)b->n;
    return mr_repeat_t95((a->n < b->n ? a->n : b->n) - 1) * sqrt(va + vb);
}

static const char *verdict(enum mr_kpi_better better, double change, double half95)
{
    if (isnan(change) || fabs(change) <= 0 || fabs(change) <= half95)
        return "";
    return (change > 0) == (better != MR_KPI_DOWN) ? "better" : "worse";
}

static mr_status load_compared(struct compared *c, size_t n, size_t baseline, struct mr_err *err)
{
    const struct mr_merged_figure *goal = &c[baseline].m->goal;
    for (size_t i = 0; i < n; i++) {
        if (goal->name != NULL)
            MR_TRY(mr_merged_figure(c[i].m, goal->name, goal->better == MR_KPI_DOWN ? "down" : "up",
                                    &c[i].goal, err));
        MR_TRY(index_configs(c[i].m, &c[i].match, err));
    }
    return MR_OK;
}

/* A configuration of the baseline in another file, or NULL. */
static const struct match *find_match(const struct compared *c, const char *label)
{
    const struct match key = {label, 0};
    return bsearch(&key, c->match, c->m->n_config, sizeof key, compare_matches);
}

static const struct mr_repeat *repeat_of(const struct compared *c, const struct match *match)
{
    static const struct mr_repeat none = {0, 0, 0};
    return match != NULL && c->goal.name != NULL ? &c->goal.of[match->config] : &none;
}

/* The best configuration of each file, by its own rule. */
static mr_status put_winners(const struct compared *c, size_t n, struct mr_page *page,
                             struct mr_err *err)
{
    static const char *const head[] = {
        "file",      "",        "#runs",   "#of",   "best configuration",
        "ranked by", "#figure", "#+-95 %", "breaks"};
    struct mr_page_table table;
    struct mr_buf why = {0};
    mr_status st = MR_OK;
    mr_page_table(&table, page, "winners", head, sizeof head / sizeof *head);
    for (size_t i = 0; i < n && st == MR_OK; i++) {
        const struct mr_merged *m = c[i].m;
        struct rank *rank = NULL;
        size_t n_rank = 0;
        char label[MR_MERGED_LABEL];
        st = rank_all(m, &rank, &n_rank, err);
        const bool has_rank = st == MR_OK && n_rank > 0;
        const size_t first = has_rank ? rank[0].config : 0;
        mr_page_row(&table);
        mr_page_cell(&table, c[i].file->label);
        mr_page_cell(&table, mr_runread_path(m->run));
        mr_page_cell_f64(&table, (double)m->n_there);
        mr_page_cell_f64(&table, (double)m->n);
        mr_page_cell(&table, has_rank ? mr_merged_label(m, first, label) : "none");
        mr_page_cell(&table, m->goal.name != NULL ? m->goal.name : "");
        mr_page_cell_f64(&table, has_rank ? m->goal.of[first].mean : (double)NAN);
        mr_page_cell_f64(&table, has_rank ? mr_repeat_half95(&m->goal.of[first]) : (double)NAN);
        if (has_rank)
            tell_broken(m, first, &why);
        mr_page_cell(&table, has_rank && why.n > 0 ? why.text : "");
        mr_free(rank);
    }
    mr_page_table_end(&table);
    mr_buf_fini(&why);
    return st;
}

static void put_same(const struct compared *c, size_t n, size_t baseline, struct mr_page *page)
{
    static const char *const head[] = {"configuration", "#baseline", "file",    "#figure",
                                       "#difference",   "#%",        "#+-95 %", "verdict"};
    const struct compared *base = &c[baseline];
    struct mr_page_table table;
    size_t n_same = 0;
    mr_page_table(&table, page, "side_by_side", head, sizeof head / sizeof *head);
    for (size_t k = 0; k < base->m->n_config && base->goal.name != NULL; k++)
        for (size_t i = 0; i < n; i++) {
            const struct match *match =
                i != baseline ? find_match(&c[i], base->match[k].label) : NULL;
            const struct mr_repeat *a = repeat_of(base, &base->match[k]),
                                   *b = repeat_of(&c[i], match);
            if (match == NULL)
                continue;
            const double change = mr_repeat_mean(b) - mr_repeat_mean(a),
                         half95 = difference95(a, b);
            if (n_same++ == n_shown)
                mr_page_table_rest(&table);
            mr_page_row(&table);
            mr_page_cell(&table, base->match[k].label);
            mr_page_cell_f64(&table, mr_repeat_mean(a));
            mr_page_cell(&table, c[i].file->label);
            mr_page_cell_f64(&table, mr_repeat_mean(b));
            mr_page_cell_f64(&table, change);
            mr_page_cell_f64(&table, 100 * change / fabs(mr_repeat_mean(a)));
            mr_page_cell_f64(&table, half95);
            mr_page_cell(&table, verdict(base->goal.better, change, half95));
        }
    mr_page_table_end(&table);
    if (n_same == 0)
        mr_page_missing(page, "No configuration is in two of the files.");
    else if (n_same > n_shown)
        mr_page_say(page, "%d of %zu; the sheet has all.", (int)n_shown, n_same);
}

/* ---- pages ---- */

/* "a_ranking" of file A, "ranking" of one that is alone. */
static const char *sheet_of(const struct mr_merged_file *file, const char *name,
                            char out[sheet_cap])
{
    (void)snprintf(out, sheet_cap, "%s%s%s", file->label, file->label[0] != '\0' ? "_" : "", name);
    for (char *p = out; *p != '\0'; p++)
        if (*p >= 'A' && *p <= 'Z')
            *p = (char)(*p - 'A' + 'a');
    return out;
}

static void put_section(const struct mr_merged_file *file, const char *id, const char *title,
                        struct mr_page *page)
{
    char own[sheet_cap], text[160];
    (void)snprintf(text, sizeof text, "%s%s%s", file->label, file->label[0] != '\0' ? ": " : "",
                   title);
    mr_page_section(page, sheet_of(file, id, own), text);
}

static mr_status put_file(struct mr_merged *m, const struct mr_merged_file *file,
                          struct mr_page *page, struct mr_err *err)
{
    char sheet[sheet_cap];
    put_section(file, "ranking", "Winners", page);
    mr_page_say(page, "%s: %zu runs, %zu of them there, %zu configurations of %zu factors",
                mr_runread_path(m->run), m->n, m->n_there, m->n_config, m->n_factor);
    if (m->n_repeat > 0)
        mr_page_say(page, "Runs of the same values and seed as another, counted once: %zu",
                    m->n_repeat);
    if (m->n_factor == 0)
        mr_page_missing(page, "No factors in the file: no effects.");
    MR_TRY(put_ranking(m, sheet_of(file, "ranking", sheet), page, err));
    put_section(file, "front", "Pareto front", page);
    MR_TRY(put_front(m, page, err));
    put_section(file, "effects", "Main effects", page);
    mr_page_say(page, "How far the means over a factor's levels lie apart. An effect within its "
                      "95 %% interval may come from the seeds alone; a dash: one seed, no "
                      "interval.");
    MR_TRY(mr_merged_put_effects(m, sheet_of(file, "effects", sheet), page, err));
    put_section(file, "interactions", "Interactions", page);
    mr_page_say(page,
                "What the mean of a pair of levels differs from the sum of both effects, the "
                "largest over all pairs. A dash: pairs of levels have no run, and it cannot be "
                "told from the main effects; factors of a zip go together in those, too.");
    MR_TRY(mr_merged_put_interactions(m, sheet_of(file, "interactions", sheet), page, err));
    if (m->n_there < m->n) {
        put_section(file, "missing", "Missing runs", page);
        put_missing(m, sheet_of(file, "missing", sheet), page);
    }
    return MR_OK;
}

static mr_status read_all(const struct mr_merged_file *file, size_t n, struct compared **out,
                          struct mr_err *err)
{
    struct compared *c = *out = mr_alloc_zero(n, sizeof *c);
    struct mr_merged *m = mr_alloc_zero(n, sizeof *m);
    if (c == NULL || m == NULL) {
        mr_free(c);
        mr_free(m);
        *out = NULL;
        (void)mr_err_nomem(err, n * sizeof *m);
        return MR_NOMEM;
    }
    mr_status st = MR_OK;
    for (size_t i = 0; i < n; i++) {
        c[i].m = &m[i];
        c[i].file = &file[i];
    }
    for (size_t i = 0; i < n && st == MR_OK; i++)
        st = mr_merged_read(file[i].run, c[i].m, err);
    return st;
}

static void forget_all(struct compared *c, size_t n)
{
    if (c == NULL)
        return;
    struct mr_merged *first = c[0].m;
    for (size_t i = 0; i < n; i++)
        mr_merged_forget(c[i].m);
    mr_free(first);
    mr_free(c);
}

mr_status mr_merged_html(const struct mr_merged_file *file, size_t n, size_t baseline,
                         const char *title, struct mr_page *page, struct mr_err *err)
{
    struct compared *c = NULL;
    *page = (struct mr_page){0};
    mr_status st = read_all(file, n, &c, err);
    if (st == MR_OK)
        st = load_compared(c, n, baseline, err);
    mr_page_begin(page, title);
    if (st == MR_OK && n > 1) {
        mr_page_section(page, "winners", "Winners of each");
        st = put_winners(c, n, page, err);
        mr_page_section(page, "side_by_side", "The same configurations side by side");
        mr_page_say(page,
                    "By %s, against %s. A verdict stands where the difference is beyond the "
                    "95 %% interval that the seeds leave, or where there is one seed each.",
                    c[baseline].goal.name != NULL ? c[baseline].goal.name : "nothing",
                    file[baseline].label);
        put_same(c, n, baseline, page);
    }
    for (size_t i = 0; i < n && st == MR_OK; i++)
        st = put_file(c[i].m, &file[i], page, err);
    mr_page_end(page);
    forget_all(c, n);
    return st == MR_OK ? mr_page_check(page, err) : st;
}

/* ---- text ---- */

static void tell_number(struct mr_buf *out, double value)
{
    char number[MR_NUM_CAP] = "-";
    if (!isnan(value))
        (void)mr_num_format_human(value, 4, number);
    mr_buf_printf(out, " %10s", number);
}

static void tell_head(const struct mr_merged *m, struct mr_buf *out)
{
    mr_buf_printf(out, "%s: %zu runs, %zu of them there, %zu configurations of %zu factors\n",
                  mr_runread_path(m->run), m->n, m->n_there, m->n_config, m->n_factor);
    if (m->n_repeat > 0)
        mr_buf_printf(out, "  runs of the same values and seed as another, counted once: %zu\n",
                      m->n_repeat);
    if (m->goal.name == NULL)
        return;
    mr_buf_printf(out, "  ranked by %s (%s, %s is better)", m->goal.name, m->goal.units,
                  m->goal.better == MR_KPI_DOWN ? "less" : "more");
    if (m->against.name != NULL)
        mr_buf_printf(out, ", front against %s (%s, %s)", m->against.name, m->against.units,
                      m->against.better == MR_KPI_DOWN ? "less" : "more");
    if (m->constraints != NULL)
        mr_buf_printf(out, "; within %s", m->constraints);
    mr_buf_printf(out, "\n  %5s %10s %10s %10s %10s %6s  %s\n", "place", "figure", "+-95 %", "sd",
                  "against", "runs", "configuration (*: on the front)");
}

static mr_status tell_ranking(const struct mr_merged *m, struct mr_buf *out, struct mr_err *err)
{
    struct mr_buf why = {0};
    struct rank *rank = NULL;
    size_t n = 0;
    MR_TRY(rank_all(m, &rank, &n, err));
    for (size_t k = 0; k < n && k < n_shown; k++) {
        const size_t c = rank[k].config;
        char label[MR_MERGED_LABEL], place[24] = "-";
        if (m->of[c].is_feasible)
            (void)snprintf(place, sizeof place, "%zu", k + 1);
        mr_buf_printf(out, "  %5s", place);
        tell_number(out, m->goal.of[c].mean);
        tell_number(out, mr_repeat_half95(&m->goal.of[c]));
        tell_number(out, mr_repeat_sd(&m->goal.of[c]));
        tell_number(out, m->against.name != NULL ? mr_repeat_mean(&m->against.of[c]) : (double)NAN);
        tell_broken(m, c, &why);
        mr_buf_printf(out, " %3zu/%zu  %c%s%s%s\n", m->of[c].n_there, m->of[c].n_run,
                      m->of[c].is_best ? '*' : ' ', mr_merged_label(m, c, label),
                      why.n > 0 ? "  breaks " : "", why.n > 0 ? why.text : "");
    }
    if (n > n_shown)
        mr_buf_printf(out, "  ... %zu more (--csv DIR writes all)\n", n - n_shown);
    mr_buf_fini(&why);
    mr_free(rank);
    return MR_OK;
}

static void tell_missing(const struct mr_merged *m, struct mr_buf *out)
{
    size_t n = 0;
    for (size_t i = 0; i < m->n; i++) {
        char label[MR_MERGED_LABEL];
        if (m->is_there[i] || n++ >= n_shown)
            continue;
        mr_buf_printf(out, "  missing: run %s, %s%s%s\n", m->id[i],
                      mr_merged_label(m, m->config[i], label), m->seed != NULL ? " seed=" : "",
                      m->seed != NULL ? m->seed[i] : "");
    }
    if (n > n_shown)
        mr_buf_printf(out, "  missing: %zu more (--csv DIR writes all)\n", n - n_shown);
}

static void tell_same(const struct compared *c, size_t n, size_t baseline, struct mr_buf *out)
{
    const struct compared *base = &c[baseline];
    size_t n_same = 0;
    if (base->goal.name == NULL)
        return;
    for (size_t k = 0; k < base->m->n_config; k++)
        for (size_t i = 0; i < n; i++) {
            const struct match *match =
                i != baseline ? find_match(&c[i], base->match[k].label) : NULL;
            const struct mr_repeat *a = repeat_of(base, &base->match[k]),
                                   *b = repeat_of(&c[i], match);
            if (match == NULL || n_same++ >= n_shown)
                continue;
            if (n_same == 1)
                mr_buf_printf(out, "%s of the same configurations\n  %10s %10s %10s  %s\n",
                              base->goal.name, base->file->label, "difference", "+-95 %",
                              "file, configuration");
            mr_buf_text(out, " ");
            tell_number(out, mr_repeat_mean(a));
            tell_number(out, mr_repeat_mean(b) - mr_repeat_mean(a));
            tell_number(out, difference95(a, b));
            mr_buf_printf(out, "  %s %s\n", c[i].file->label, base->match[k].label);
        }
    if (n_same > n_shown)
        mr_buf_printf(out, "  ... %zu more (--csv DIR writes all)\n", n_same - n_shown);
}

mr_status mr_merged_text(const struct mr_merged_file *file, size_t n, size_t baseline,
                         struct mr_buf *out, struct mr_err *err)
{
    struct compared *c = NULL;
    mr_status st = read_all(file, n, &c, err);
    if (st == MR_OK)
        st = load_compared(c, n, baseline, err);
    for (size_t i = 0; i < n && st == MR_OK; i++) {
        if (n > 1)
            mr_buf_printf(out, "%s  ", file[i].label);
        tell_head(c[i].m, out);
        st = tell_ranking(c[i].m, out, err);
        tell_missing(c[i].m, out);
        if (st == MR_OK)
            st = mr_merged_tell_effects(c[i].m, out, err);
    }
    if (st == MR_OK && n > 1)
        tell_same(c, n, baseline, out);
    forget_all(c, n);
    return st;
}
