/* SPDX-License-Identifier: Apache-2.0 */
/* Runs of a merged file, grouped into configurations: those that agree in all factors but the seed.
 * Factors with many numbers for levels (a Latin hypercube) are told by five parts of equally many
 * configurations. Map: columns - configurations - levels - goals and constraints. */
#include "engine/base/mem.h"
#include "postprocess/merged_impl.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    n_level_numeric_max = 8, /* more of them are put into parts */
    n_part = 5
};

/* Without power nothing is known by the megawatt. */
static const char goal_name[] = "tok_s_per_mw", plain_goal_name[] = "tok_s.output",
                  against_name[] = "tok_s.output_per_user_p50";

bool mr_merged_is(const struct mr_runread *run)
{
    const char *kind = mr_runread_attr(run, "/", "kind");
    return kind != NULL && strcmp(kind, "merge") == 0;
}

/* ---- columns ---- */

static bool is_column(const struct mr_merged *m, const struct mr_runread_set *set)
{
    return strcmp(set->group, "/kpi") == 0 && !set->is_axis && set->rank == 1 &&
           set->dim[0] == m->n;
}

static bool is_factor(const struct mr_merged *m, const struct mr_runread_set *set)
{
    return is_column(m, set) && strncmp(set->long_name, "Factor ", 7) == 0;
}

static const char *keep(struct mr_merged *m, const char *text, struct mr_err *err)
{
    return mr_arena_text(&m->arena, mr_str_of(text), err);
}

/* Values of a factor as texts. */
static mr_status read_texts(struct mr_merged *m, const struct mr_runread_set *set,
                            const char ***out, struct mr_err *err)
{
    const char *const *text = NULL;
    double *value = NULL;
    *out = mr_arena_zero(&m->arena, m->n, sizeof **out, err);
    if (*out == NULL)
        return MR_NOMEM;
    if (set->is_text)
        MR_TRY(mr_runread_texts(m->run, set, &text, err));
    else
        MR_TRY(mr_runread_all(m->run, set, &value, err));
    const bool has_unit = set->units[0] != '\0' && strcmp(set->units, "1") != 0;
    for (size_t i = 0; i < m->n; i++) {
        char number[MR_NUM_CAP + 64];
        if (value != NULL) {
            const size_t n = mr_num_format_human(value[i], 12, number);
            if (has_unit)
                (void)snprintf(number + n, sizeof number - n, " %s", set->units);
        }
        (*out)[i] = keep(m, value != NULL ? number : text != NULL ? text[i] : "", err);
        if ((*out)[i] == NULL) {
            mr_free(value);
            return MR_NOMEM;
        }
    }
    mr_free(value);
    return MR_OK;
}

static mr_status read_factors(struct mr_merged *m, struct mr_err *err)
{
    size_t n = 0;
    for (size_t i = 0; i < mr_runread_n(m->run); i++)
        n += is_factor(m, mr_runread_at(m->run, i));
    m->factor = mr_arena_zero(&m->arena, n + 1, sizeof *m->factor, err);
    if (m->factor == NULL)
        return MR_NOMEM;
    for (size_t i = 0; i < mr_runread_n(m->run); i++) {
        const struct mr_runread_set *set = mr_runread_at(m->run, i);
        if (!is_factor(m, set))
            continue;
        const bool is_seed = strcmp(set->name, "seed") == 0;
        struct mr_merged_factor *f = &m->factor[m->n_factor];
        MR_TRY(read_texts(m, set, is_seed ? &m->seed : &f->text, err));
        if (is_seed)
            continue;
        f->name = set->name;
        m->n_factor++;
    }
    return MR_OK;
}

/* A run is there when it has any figure. */
static mr_status find_missing(struct mr_merged *m, struct mr_err *err)
{
    m->is_there = mr_arena_zero(&m->arena, m->n, sizeof *m->is_there, err);
    if (m->is_there == NULL)
        return MR_NOMEM;
    for (size_t k = 0; k < mr_runread_n(m->run); k++) {
        const struct mr_runread_set *set = mr_runread_at(m->run, k);
        double *value = NULL;
        if (!is_column(m, set) || is_factor(m, set) || set->is_text)
            continue;
        MR_TRY(mr_runread_all(m->run, set, &value, err));
        for (size_t i = 0; i < m->n; i++)
            m->is_there[i] = m->is_there[i] || !isnan(value[i]);
        mr_free(value);
    }
    for (size_t i = 0; i < m->n; i++)
        m->n_there += m->is_there[i];
    m->missing = mr_runread_attr(m->run, "/kpi", "missing");
    return MR_OK;
}

/* ---- configurations ---- */

/* A run with its place; sorted by all factors, then by place. qsort hands no context on. */
struct key {
    const struct mr_merged *m;
    size_t i;
};

static int compare_factors(const struct mr_merged *m, size_t a, size_t b)
{
    for (size_t k = 0; k < m->n_factor; k++) {
        const int sign = strcmp(m->factor[k].text[a], m->factor[k].text[b]);
        if (sign != 0)
            return sign;
    }
    return 0;
}

static int compare_keys(const void *a, const void *b)
{
    const struct key *p = a, *q = b;
    const int sign = compare_factors(p->m, p->i, q->i);
    return sign != 0 ? sign : (p->i > q->i) - (p->i < q->i);
}

static int compare_seeds(const struct mr_merged *m, size_t a, size_t b)
{
    return m->seed != NULL ? strcmp(m->seed[a], m->seed[b]) : (a > b) - (a < b);
}

static int compare_runs(const void *a, const void *b)
{
    const struct key *p = a, *q = b;
    const int sign = compare_factors(p->m, p->i, q->i),
              of_seeds = sign != 0 ? sign : compare_seeds(p->m, p->i, q->i);
    return of_seeds != 0 ? of_seeds : (p->i > q->i) - (p->i < q->i);
}

/* Samples that meet are one run, and no evidence twice: the first of them that is there counts.
 * @param[in,out] key all runs, in any order */
static mr_status find_repeats(struct mr_merged *m, struct key *key, struct mr_err *err)
{
    m->is_repeat = mr_arena_zero(&m->arena, m->n, sizeof *m->is_repeat, err);
    if (m->is_repeat == NULL)
        return MR_NOMEM;
    qsort(key, m->n, sizeof *key, compare_runs);
    for (size_t i = 1, kept = 0; i < m->n; i++) {
        if (compare_factors(m, key[kept].i, key[i].i) != 0 ||
            compare_seeds(m, key[kept].i, key[i].i) != 0) {
            kept = i;
            continue;
        }
        const bool is_better = !m->is_there[key[kept].i] && m->is_there[key[i].i];
        m->is_repeat[key[is_better ? kept : i].i] = true;
        kept = is_better ? i : kept;
        m->n_repeat++;
    }
    return MR_OK;
}

/* In the order of their first runs. */
static mr_status group_runs(struct mr_merged *m, struct mr_err *err)
{
    struct key *key = mr_alloc(m->n + 1, sizeof *key);
    m->config = mr_arena_zero(&m->arena, m->n, sizeof *m->config, err);
    m->of = mr_arena_zero(&m->arena, m->n, sizeof *m->of, err);
    if (key == NULL || m->config == NULL || m->of == NULL) {
        mr_free(key);
        return mr_err_nomem(err, m->n * sizeof *key);
    }
    for (size_t i = 0; i < m->n; i++)
        key[i] = (struct key){m, i};
    const mr_status st = find_repeats(m, key, err);
    if (st != MR_OK) {
        mr_free(key);
        return st;
    }
    qsort(key, m->n, sizeof *key, compare_keys);
    for (size_t i = 0, first = 0; i < m->n; i++) {
        if (compare_factors(m, key[first].i, key[i].i) != 0)
            first = i;
        m->config[key[i].i] = key[first].i; /* for now: the first run of its configuration */
    }
    mr_free(key);
    for (size_t i = 0; i < m->n; i++) {
        const size_t first = m->config[i];
        if (first == i) {
            m->of[m->n_config].first = i;
            m->config[i] = m->n_config++;
        } else {
            m->config[i] = m->config[first]; /* which stands before it */
        }
        struct mr_merged_config *c = &m->of[m->config[i]];
        c->n_run += !m->is_repeat[i];
        c->n_there += m->is_there[i] && !m->is_repeat[i];
    }
    return MR_OK;
}

/* ---- levels ---- */

struct level {
    const char *text;
    double value; /* NaN: no number */
    size_t config;
};

/* Numbers by value, then texts. */
static int compare_levels(const void *a, const void *b)
{
    const struct level *p = a, *q = b;
    if (isnan(p->value) || isnan(q->value)) {
        if (isnan(p->value) != isnan(q->value))
            return isnan(p->value) ? 1 : -1;
    } else if (p->value < q->value || p->value > q->value) {
        return p->value < q->value ? -1 : 1;
    }
    const int sign = strcmp(p->text, q->text);
    return sign != 0 ? sign : (p->config > q->config) - (p->config < q->config);
}

static mr_status name_part(struct mr_merged *m, const struct level *from, const struct level *to,
                           const char **out, struct mr_err *err)
{
    char low[MR_NUM_CAP], high[MR_NUM_CAP];
    double ignored;
    struct mr_buf text = {0};
    (void)mr_num_format_human(from->value, 4, low);
    (void)mr_num_format_human(to->value, 4, high);
    mr_buf_printf(&text, "%s..%s%s", low, high,
                  to->text + mr_num_scan_f64(to->text, strlen(to->text), &ignored));
    mr_status st = mr_buf_check(&text, err);
    if (st == MR_OK)
        *out = keep(m, text.text, err);
    mr_buf_fini(&text);
    return st == MR_OK && *out == NULL ? MR_NOMEM : st;
}

/* Equal values stay in one part. */
static mr_status put_parts(struct mr_merged *m, struct mr_merged_factor *f, struct level *level,
                           struct mr_err *err)
{
    const size_t n = m->n_config;
    for (size_t from = 0; from < n;) {
        size_t to = (f->n_level + 1) * n / n_part;
        to = to > from ? to : from + 1;
        while (to < n && strcmp(level[to].text, level[to - 1].text) == 0)
            to++;
        for (size_t i = from; i < to; i++)
            f->level[level[i].config] = f->n_level;
        MR_TRY(name_part(m, &level[from], &level[to - 1], &f->level_text[f->n_level++], err));
        from = to;
    }
    return MR_OK;
}

static mr_status find_levels(struct mr_merged *m, struct mr_merged_factor *f, struct level *level,
                             struct mr_err *err)
{
    bool is_numeric = true;
    size_t n_value = 0;
    f->level = mr_arena_zero(&m->arena, m->n_config, sizeof *f->level, err);
    f->level_text = mr_arena_zero(&m->arena, m->n_config + n_part, sizeof *f->level_text, err);
    if (f->level == NULL || f->level_text == NULL)
        return MR_NOMEM;
    for (size_t c = 0; c < m->n_config; c++) {
        level[c] = (struct level){f->text[m->of[c].first], (double)NAN, c};
        is_numeric = mr_num_scan_f64(level[c].text, strlen(level[c].text), &level[c].value) > 0 &&
                     is_numeric;
    }
    qsort(level, m->n_config, sizeof *level, compare_levels);
    for (size_t i = 0; i < m->n_config; i++)
        n_value += i == 0 || strcmp(level[i].text, level[i - 1].text) != 0;
    if (is_numeric && n_value > n_level_numeric_max)
        return put_parts(m, f, level, err);
    for (size_t i = 0; i < m->n_config; i++) {
        if (i == 0 || strcmp(level[i].text, level[i - 1].text) != 0)
            f->level_text[f->n_level++] = level[i].text;
        f->level[level[i].config] = f->n_level - 1;
    }
    return MR_OK;
}

static mr_status find_all_levels(struct mr_merged *m, struct mr_err *err)
{
    struct level *level = mr_alloc(m->n_config + 1, sizeof *level);
    if (level == NULL)
        return mr_err_nomem(err, m->n_config * sizeof *level);
    mr_status st = MR_OK;
    for (size_t k = 0; k < m->n_factor && st == MR_OK; k++)
        st = find_levels(m, &m->factor[k], level, err);
    mr_free(level);
    return st;
}

/* ---- goals and constraints ---- */

mr_status mr_merged_figure(struct mr_merged *m, const char *name, const char *better,
                           struct mr_merged_figure *out, struct mr_err *err)
{
    const struct mr_kpi *kpi = mr_kpi_find(name);
    struct mr_buf path = {0};
    double *value = NULL;
    mr_buf_printf(&path, "/kpi/%s", name);
    mr_status st = mr_buf_check(&path, err);
    const struct mr_runread_set *set = st == MR_OK ? mr_runread_find(m->run, path.text) : NULL;
    mr_buf_fini(&path);
    *out = (struct mr_merged_figure){.better = MR_KPI_UP};
    if (st != MR_OK || set == NULL || !is_column(m, set) || set->is_text)
        return st;
    if (better == NULL || strcmp(better, "own") == 0)
        better = set->better;
    if (better[0] == '\0' && kpi != NULL && kpi->better == MR_KPI_DOWN)
        better = "down";
    out->better = strcmp(better, "down") == 0 ? MR_KPI_DOWN : MR_KPI_UP;
    out->name = set->name;
    out->units = set->units;
    out->value = mr_arena_zero(&m->arena, m->n, sizeof *out->value, err);
    out->of = mr_arena_zero(&m->arena, m->n_config, sizeof *out->of, err);
    if (out->value == NULL || out->of == NULL)
        return MR_NOMEM;
    MR_TRY(mr_runread_all(m->run, set, &value, err));
    for (size_t i = 0; i < m->n; i++) {
        out->value[i] = value[i];
        if (!m->is_repeat[i])
            mr_repeat_add(&out->of[m->config[i]], value[i]);
    }
    mr_free(value);
    return MR_OK;
}

static mr_status read_goals(struct mr_merged *m, struct mr_err *err)
{
    const char *by = mr_runread_attr(m->run, "/kpi", "rank_by"),
               *against = mr_runread_attr(m->run, "/kpi", "against");
    m->has_own_rank = by != NULL;
    MR_TRY(mr_merged_figure(m, by != NULL ? by : goal_name,
                            mr_runread_attr(m->run, "/kpi", "rank_better"), &m->goal, err));
    if (by == NULL && m->goal.name == NULL)
        MR_TRY(mr_merged_figure(m, plain_goal_name, NULL, &m->goal, err));
    MR_TRY(mr_merged_figure(m, against != NULL ? against : against_name,
                            mr_runread_attr(m->run, "/kpi", "against_better"), &m->against, err));
    return mr_merged_figure(m, "violations", NULL, &m->broken_limits, err);
}

static mr_status read_constraints(struct mr_merged *m, struct mr_err *err)
{
    const struct mr_runread_set *broken = mr_runread_find(m->run, "/kpi/broken");
    m->constraints = mr_runread_attr(m->run, "/kpi", "constraints");
    if (m->constraints != NULL && broken != NULL && is_column(m, broken) && broken->is_text)
        MR_TRY(mr_runread_texts(m->run, broken, &m->broken, err));
    for (size_t i = 0; i < m->n && m->broken != NULL; i++)
        if (m->is_there[i] && !m->is_repeat[i] && m->broken[i][0] != '\0')
            m->of[m->config[i]].n_infeasible++;
    for (size_t c = 0; c < m->n_config; c++)
        m->of[c].is_feasible = m->of[c].n_there > 0 && m->of[c].n_infeasible == 0;
    return MR_OK;
}

/* How good a configuration is by a figure: larger is better. */
static double worth(const struct mr_merged_figure *figure, size_t config)
{
    const double mean = mr_repeat_mean(&figure->of[config]);
    return figure->better == MR_KPI_DOWN ? -mean : mean;
}

struct place {
    double x, y;
    size_t config;
};

static int compare_places(const void *a, const void *b)
{
    const struct place *p = a, *q = b;
    if (p->x < q->x || p->x > q->x)
        return p->x < q->x ? 1 : -1;
    if (p->y < q->y || p->y > q->y)
        return p->y < q->y ? 1 : -1;
    return (p->config > q->config) - (p->config < q->config);
}

/* From the best x on: on the front is whose y beats all before it, or equals the last of it in
 * both. */
static mr_status find_front(struct mr_merged *m, struct mr_err *err)
{
    size_t n = 0;
    if (m->goal.name == NULL || m->against.name == NULL)
        return MR_OK;
    struct place *place = mr_alloc(m->n_config + 1, sizeof *place);
    if (place == NULL)
        return mr_err_nomem(err, m->n_config * sizeof *place);
    for (size_t c = 0; c < m->n_config; c++) {
        place[n] = (struct place){worth(&m->against, c), worth(&m->goal, c), c};
        n += m->of[c].is_feasible && !isnan(place[n].x) && !isnan(place[n].y);
    }
    qsort(place, n, sizeof *place, compare_places);
    for (size_t i = 0, best = 0; i < n; i++) {
        const bool is_equal = !(place[i].y < place[best].y) && !(place[i].x < place[best].x);
        m->of[place[i].config].is_best = i == 0 || place[i].y > place[best].y || is_equal;
        best = place[i].y > place[best].y ? i : best;
    }
    mr_free(place);
    return MR_OK;
}

/* ---- the whole ---- */

mr_status mr_merged_read(struct mr_runread *run, struct mr_merged *m, struct mr_err *err)
{
    const struct mr_runread_set *axis = mr_runread_find(run, "/kpi/run");
    *m = (struct mr_merged){.run = run};
    if (axis == NULL || !axis->is_text || axis->rank != 1)
        return mr_err_set(err, MR_SCHEMA, (struct mr_place){mr_runread_path(run), 0, 0},
                          "dataset /kpi/run: a merged file names its runs there");
    MR_TRY(mr_runread_texts(run, axis, &m->id, err));
    m->n = axis->dim[0];
    MR_TRY(read_factors(m, err));
    MR_TRY(find_missing(m, err));
    MR_TRY(group_runs(m, err));
    MR_TRY(find_all_levels(m, err));
    MR_TRY(read_goals(m, err));
    MR_TRY(read_constraints(m, err));
    return find_front(m, err);
}

void mr_merged_forget(struct mr_merged *m)
{
    mr_arena_fini(&m->arena);
    *m = (struct mr_merged){0};
}

const char *mr_merged_label(const struct mr_merged *m, size_t config, char out[MR_MERGED_LABEL])
{
    (void)snprintf(out, MR_MERGED_LABEL, "%s", m->n_factor == 0 ? "the scenario" : "");
    for (size_t k = 0; k < m->n_factor; k++) {
        const size_t n = strlen(out);
        (void)snprintf(out + n, MR_MERGED_LABEL - n, "%s%s=%s", k > 0 ? " " : "", m->factor[k].name,
                       m->factor[k].text[m->of[config].first]);
    }
    return out;
}

void mr_merged_broken(const struct mr_merged *m, size_t config, struct mr_buf *out)
{
    for (size_t i = m->of[config].first; m->broken != NULL && i < m->n; i++) {
        if (m->config[i] != config || !m->is_there[i])
            continue;
        for (const char *p = m->broken[i]; *p != '\0';) {
            const char *end = strstr(p, "; ");
            const size_t n = end != NULL ? (size_t)(end - p) : strlen(p);
            char one[256];
            (void)snprintf(one, sizeof one, "%.*s", (int)(n < 255 ? n : 255), p);
            if (out->n == 0 || strstr(out->text, one) == NULL)
                mr_buf_printf(out, "%s%s", out->n > 0 ? "; " : "", one);
            p += n + (end != NULL ? 2 : 0);
        }
    }
}
