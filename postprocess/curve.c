/* SPDX-License-Identifier: Apache-2.0 */
/* Rows are read in blocks, so that a gigawatt's racks need no more memory than one row and a chart.
 */
#include "postprocess/curve.h"

#include "engine/base/mem.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    block_values = 1 << 20
};

static const struct mr_runread_set *find(const struct mr_runread *run, const char *path)
{
    const struct mr_runread_set *set = mr_runread_find(run, path);
    if (set == NULL || set->is_text || set->is_axis || set->rank < 1 || set->rank > 2)
        return NULL;
    const struct mr_runread_set *axis = mr_runread_find(run, set->axis[0]);
    return axis != NULL && axis->rank == 1 && !axis->is_text && !axis->is_bare &&
                   strcmp(axis->name, "time") == 0
               ? set
               : NULL;
}

bool mr_curve_is(const struct mr_runread *run, const char *path)
{
    const struct mr_runread_set *set = find(run, path);
    return set != NULL && mr_runread_rows(run, set) > 0 && mr_runread_width(set) > 0;
}

/* What is under way: blocks of rows with their times. */
struct reader {
    const struct mr_runread *run;
    const struct mr_runread_set *set;
    double *t_s, *block;
    size_t n, width, n_block; /* rows, values of a row, rows of a block */
};

static mr_status begin(struct reader *r, const struct mr_runread *run, const char *path,
                       struct mr_err *err)
{
    *r = (struct reader){.run = run, .set = find(run, path)};
    if (r->set == NULL)
        return MR_OK;
    r->n = mr_runread_rows(run, r->set);
    r->width = mr_runread_width(r->set);
    if (r->width == 0 || r->width > block_values) {
        r->n = 0;
        return MR_OK;
    }
    r->n_block = block_values / r->width;
    r->block = mr_alloc(r->n_block * r->width, sizeof *r->block);
    r->t_s = mr_alloc(r->n + 1, sizeof *r->t_s);
    if (r->block == NULL || r->t_s == NULL)
        return mr_err_nomem(err, r->n * sizeof *r->t_s);
    return mr_runread_f64(run, mr_runread_find(run, r->set->axis[0]), 0, r->n, r->t_s, err);
}

static void end(struct reader *r)
{
    mr_free(r->t_s);
    mr_free(r->block);
}

static double join(const double *value, size_t n, enum mr_curve_how how)
{
    double sum = 0, max = -HUGE_VAL, min = HUGE_VAL;
    size_t n_there = 0;
    for (size_t i = 0; i < n; i++)
        if (!isnan(value[i])) {
            sum += value[i];
            max = fmax(max, value[i]);
            min = fmin(min, value[i]);
            n_there++;
        }
    if (n_there == 0)
        return (double)NAN;
    return how == MR_CURVE_SUM   ? sum
           : how == MR_CURVE_MAX ? max
           : how == MR_CURVE_MIN ? min
                                 : sum / (double)n_there;
}

enum mr_curve_how mr_curve_way(const struct mr_runread_set *set, bool adds_up,
                               enum mr_curve_how other)
{
    return set->is_peak  ? MR_CURVE_MAX
           : set->is_low ? MR_CURVE_MIN
           : adds_up     ? MR_CURVE_SUM
                         : other;
}

static mr_status read_rows(struct reader *r, enum mr_curve_how how, struct mr_curve *out,
                           struct mr_err *err)
{
    out->value = mr_alloc(r->n + 1, sizeof *out->value);
    if (out->value == NULL)
        return mr_err_nomem(err, r->n * sizeof *out->value);
    for (size_t at = 0; at < r->n; at += r->n_block) {
        const size_t n = r->n - at < r->n_block ? r->n - at : r->n_block;
        MR_TRY(mr_runread_f64(r->run, r->set, at, n, r->block, err));
        for (size_t i = 0; i < n; i++)
            out->value[at + i] = join(r->block + i * r->width, r->width, how);
    }
    out->n = r->n;
    out->units = r->set->units;
    out->is_before = r->set->is_before;
    out->t_s = r->t_s;
    r->t_s = NULL;
    return MR_OK;
}

/* What could not be read to its end is nothing. */
static mr_status whole(mr_status st, struct mr_curve *out)
{
    if (st != MR_OK)
        mr_curve_fini(out);
    return st;
}

mr_status mr_curve_read(const struct mr_runread *run, const char *path, enum mr_curve_how how,
                        struct mr_curve *out, struct mr_err *err)
{
    struct reader r;
    *out = (struct mr_curve){.units = ""};
    mr_status st = begin(&r, run, path, err);
    if (st == MR_OK && r.n > 0)
        st = read_rows(&r, how, out, err);
    end(&r);
    return whole(st, out);
}

static mr_status read_some(struct reader *r, enum mr_curve_how how, size_t n, struct mr_curve *out,
                           struct mr_err *err)
{
    out->value = mr_alloc(n + 1, sizeof *out->value);
    if (out->value == NULL)
        return mr_err_nomem(err, n * sizeof *out->value);
    for (size_t i = 0; i < n; i++) {
        const size_t row = n > 1 ? i * (r->n - 1) / (n - 1) : r->n - 1;
        MR_TRY(mr_runread_f64(r->run, r->set, row, 1, r->block, err));
        out->value[i] = join(r->block, r->width, how);
        r->t_s[i] = r->t_s[row]; /* row >= i */
    }
    out->n = n;
    out->units = r->set->units;
    out->is_before = r->set->is_before;
    out->t_s = r->t_s;
    r->t_s = NULL;
    return MR_OK;
}

mr_status mr_curve_glance(const struct mr_runread *run, const char *path, enum mr_curve_how how,
                          size_t n, struct mr_curve *out, struct mr_err *err)
{
    struct reader r;
    *out = (struct mr_curve){.units = ""};
    mr_status st = begin(&r, run, path, err);
    if (st == MR_OK && r.n > 0)
        st = r.n > n ? read_some(&r, how, n, out, err) : read_rows(&r, how, out, err);
    end(&r);
    return whole(st, out);
}

mr_status mr_curve_one(const struct mr_runread *run, const char *path, size_t entity,
                       struct mr_curve *out, struct mr_err *err)
{
    struct reader r;
    *out = (struct mr_curve){.units = ""};
    mr_status st = begin(&r, run, path, err);
    if (st == MR_OK && r.n > 0 && entity < r.width) {
        out->value = mr_alloc(r.n + 1, sizeof *out->value);
        st = out->value == NULL ? mr_err_nomem(err, r.n * sizeof *out->value)
             : r.set->rank == 1 ? mr_runread_f64(run, r.set, 0, r.n, out->value, err)
                                : mr_runread_column(run, r.set, entity, out->value, err);
        out->n = st == MR_OK ? r.n : 0;
        out->units = r.set->units;
        out->is_before = r.set->is_before;
        out->t_s = r.t_s;
        r.t_s = NULL;
    }
    end(&r);
    return whole(st, out);
}

void mr_curve_fini(struct mr_curve *series)
{
    mr_free(series->t_s);
    mr_free(series->value);
    *series = (struct mr_curve){.units = ""};
}

mr_status mr_curve_copy(const struct mr_curve *series, struct mr_curve *out, struct mr_err *err)
{
    *out = *series;
    out->t_s = mr_alloc(series->n + 1, sizeof *out->t_s);
    out->value = mr_alloc(series->n + 1, sizeof *out->value);
    if (out->t_s == NULL || out->value == NULL) {
        mr_curve_fini(out);
        return mr_err_nomem(err, series->n * sizeof *out->value);
    }
    memcpy(out->t_s, series->t_s, series->n * sizeof *out->t_s);
    memcpy(out->value, series->value, series->n * sizeof *out->value);
    return MR_OK;
}

/* What a sample counts for; a single one for all. */
static double lasts_s(const double *t_s, size_t i, size_t n, bool is_before)
{
    if (n < 2)
        return 1;
    if (is_before)
        return i > 0 ? t_s[i] - t_s[i - 1] : 0;
    return i + 1 < n ? t_s[i + 1] - t_s[i] : 0;
}

/* Where nothing that was recorded lasts: the mean of equals. */
static double mean_of(const struct mr_curve *s, size_t from, size_t to)
{
    double sum = 0, weight_s = 0;
    for (size_t i = from; i < to; i++) {
        const double dt_s = lasts_s(s->t_s, i, s->n, s->is_before);
        sum += isnan(s->value[i]) ? 0 : s->value[i] * dt_s;
        weight_s += isnan(s->value[i]) ? 0 : dt_s;
    }
    return weight_s > 0 ? sum / weight_s : join(s->value + from, to - from, MR_CURVE_MEAN);
}

/* What a chart of that many parts shows of a course is from where to where it goes in each. */
static void thin_to_ends(struct mr_curve *s, size_t n_part)
{
    const size_t n = s->n;
    s->n = 0;
    for (size_t i = 0; i < n_part; i++) {
        const size_t from = n * i / n_part, to = n * (i + 1) / n_part;
        size_t low = from, high = from;
        for (size_t k = from + 1; k < to; k++) {
            low = s->value[k] < s->value[low] || isnan(s->value[low]) ? k : low;
            high = s->value[k] > s->value[high] || isnan(s->value[high]) ? k : high;
        }
        const size_t kept[2] = {low < high ? low : high, low < high ? high : low};
        for (size_t k = 0; k < (low == high ? 1 : 2); k++) { /* never beyond what was read */
            s->t_s[s->n] = s->t_s[kept[k]];
            s->value[s->n++] = s->value[kept[k]];
        }
    }
}

/* A part is read before its place is written; the date before it is of a part of one, or its own.
 */
void mr_curve_thin(struct mr_curve *series, size_t n_max, enum mr_curve_how how)
{
    const size_t n = series->n;
    if (n <= n_max || n_max == 0)
        return;
    if (how == MR_CURVE_ENDS) {
        thin_to_ends(series, (n_max + 1) / 2);
        return;
    }
    for (size_t i = 0; i < n_max; i++) {
        const size_t from = n * i / n_max, to = n * (i + 1) / n_max;
        series->value[i] = how == MR_CURVE_MEAN ? mean_of(series, from, to)
                                                : join(series->value + from, to - from, how);
        series->t_s[i] = join(series->t_s + from, to - from, MR_CURVE_MEAN);
    }
    series->n = n_max;
}

/* ---- what cannot be seen ---- */

/* Is every point between two others within one unit of the straight piece that joins them? */
static bool is_straight(const struct mr_curve *s, size_t from, size_t to, double unit_s,
                        double unit)
{
    const double dx = (s->t_s[to] - s->t_s[from]) / unit_s;
    const double dy = (s->value[to] - s->value[from]) / unit, length2 = dx * dx + dy * dy;
    for (size_t i = from + 1; i < to; i++) {
        const double x = (s->t_s[i] - s->t_s[from]) / unit_s;
        const double y = (s->value[i] - s->value[from]) / unit;
        const double along = length2 > 0 ? (x * dx + y * dy) / length2 : 0;
        const double at = fmin(fmax(along, 0), 1), off_x = x - at * dx, off_y = y - at * dy;
        if (!(off_x * off_x + off_y * off_y <= 1))
            return false;
    }
    return true;
}

static bool is_level(const struct mr_curve *s, size_t from, size_t to, double unit)
{
    for (size_t i = from + 1; i <= to; i++)
        if (!(fabs(s->value[i] - s->value[from]) <= unit))
            return false;
    return true;
}

/* From every kept point to the farthest that it can be joined with. Reaches are limited: the work
 * stays linear, and a long straight line costs a point in 64. */
void mr_curve_straighten(struct mr_curve *series, double unit_s, double unit, bool is_step)
{
    enum {
        reach = 64
    };
    size_t n = 0;
    for (size_t i = 0; i < series->n;) {
        size_t next = i + 1;
        series->t_s[n] = series->t_s[i];
        series->value[n++] = series->value[i];
        if (!(unit_s > 0 && unit > 0) || isnan(series->value[i])) {
            i = next;
            continue;
        }
        while (next + 1 < series->n && next - i < reach && !isnan(series->value[next + 1]) &&
               (is_step ? is_level(series, i, next, unit)
                        : is_straight(series, i, next + 1, unit_s, unit)))
            next++;
        i = next;
    }
    series->n = n;
}

/* ---- axes of their own ---- */

void mr_curve_hold(struct mr_curve *curve)
{
    for (size_t i = 0; curve->is_before && i + 1 < curve->n; i++)
        curve->value[i] = curve->value[i + 1];
    curve->is_before = false;
}

/* Move on to a date, or past it. @return whether it is there */
static bool has_date(const struct mr_curve *curve, double date_s, size_t *at)
{
    static const double same_s = 1e-6; /* dates are multiples of intervals, added up or not */
    while (*at < curve->n && curve->t_s[*at] < date_s - same_s)
        ++*at;
    return *at < curve->n && curve->t_s[*at] <= date_s + same_s;
}

/* @param[out] date_s as many as the shortest curve has @return dates that all have */
static size_t find_dates(const struct mr_curve *curve, size_t n, const struct mr_curve *shortest,
                         size_t *at, double *date_s)
{
    size_t n_date = 0;
    for (size_t k = 0; k < n; k++)
        at[k] = 0;
    for (size_t i = 0; i < shortest->n; i++) {
        bool is_common = true;
        for (size_t k = 0; k < n && is_common; k++)
            is_common = curve[k].n == 0 || has_date(&curve[k], shortest->t_s[i], &at[k]);
        if (is_common)
            date_s[n_date++] = shortest->t_s[i];
    }
    return n_date;
}

/* Mean of what holds from one sample to another; of a single one the value itself, to the bit. */
static double mean_between(const struct mr_curve *curve, size_t from, size_t to)
{
    double sum = 0, weight_s = 0;
    if (to <= from + 1)
        return curve->value[from];
    for (size_t i = from; i < to; i++) {
        const double dt_s = curve->t_s[i + 1] - curve->t_s[i];
        if (isnan(curve->value[i]))
            continue;
        sum += curve->value[i] * dt_s;
        weight_s += dt_s;
    }
    return weight_s > 0 ? sum / weight_s : (double)NAN;
}

/* Dates are some of its own, so what is written was read before. */
static void put_on_dates(struct mr_curve *curve, const double *date_s, size_t n_date)
{
    size_t from = 0, to = 0;
    for (size_t i = 0; i < n_date; i++, from = to) {
        (void)has_date(curve, date_s[i], &from);
        to = from;
        if (i + 1 < n_date)
            (void)has_date(curve, date_s[i + 1], &to);
        curve->value[i] = mean_between(curve, from, to);
        curve->t_s[i] = date_s[i];
    }
    curve->n = n_date;
}

mr_status mr_curve_pair(struct mr_curve *curve, size_t n, struct mr_err *err)
{
    const struct mr_curve *shortest = NULL;
    for (size_t k = 0; k < n; k++) {
        mr_curve_hold(&curve[k]);
        if (curve[k].n > 0 && (shortest == NULL || curve[k].n < shortest->n))
            shortest = &curve[k];
    }
    if (shortest == NULL)
        return MR_OK;
    double *date_s = mr_alloc(shortest->n, sizeof *date_s);
    size_t *at = mr_alloc(n, sizeof *at);
    if (date_s == NULL || at == NULL) {
        mr_free(date_s);
        mr_free(at);
        return mr_err_nomem(err, shortest->n * sizeof *date_s);
    }
    const size_t n_date = find_dates(curve, n, shortest, at, date_s);
    for (size_t k = 0; k < n; k++)
        if (curve[k].n > 0)
            put_on_dates(&curve[k], date_s, n_date);
    mr_free(date_s);
    mr_free(at);
    return MR_OK;
}

/* ---- duration ---- */

struct lasting {
    double value, dt_s;
};

static int compare_down(const void *a, const void *b)
{
    const double x = ((const struct lasting *)a)->value, y = ((const struct lasting *)b)->value;
    return (x < y) - (x > y);
}

mr_status mr_curve_duration(struct mr_curve *s, struct mr_err *err)
{
    if (s->n == 0)
        return MR_OK;
    struct lasting *part = mr_alloc(s->n + 1, sizeof *part);
    size_t n = 0;
    double all_s = 0, before_s = 0;
    if (part == NULL)
        return mr_err_nomem(err, s->n * sizeof *part);
    mr_curve_hold(s);
    for (size_t i = 0; i + 1 < s->n; i++)
        if (!isnan(s->value[i])) {
            part[n++] = (struct lasting){s->value[i], s->t_s[i + 1] - s->t_s[i]};
            all_s += part[n - 1].dt_s;
        }
    qsort(part, n, sizeof *part, compare_down);
    if (n > 0)
        all_s -= part[n - 1].dt_s;
    for (size_t i = 0; i < n; i++) {
        s->t_s[i] = all_s > 0 ? 100 * before_s / all_s : 0;
        s->value[i] = part[i].value;
        before_s += part[i].dt_s;
    }
    s->n = n;
    mr_free(part);
    return MR_OK;
}

/* ---- entities ---- */

static void add_row(const double *row, size_t width, double step_s, enum mr_curve_how how,
                    double *value, double *weight)
{
    for (size_t k = 0; k < width; k++) {
        const double v = row[k];
        if (isnan(v))
            continue;
        if (how == MR_CURVE_MAX)
            value[k] = fmax(value[k], v);
        else
            value[k] += how == MR_CURVE_TIME ? (v > 0 ? step_s : 0) : v * step_s;
        weight[k] += step_s;
    }
}

static mr_status add_rows(struct reader *r, enum mr_curve_how how, double *value, double *weight,
                          struct mr_err *err)
{
    for (size_t k = 0; k < r->width && how == MR_CURVE_MAX; k++)
        value[k] = (double)NAN; /* fmax passes over it */
    for (size_t at = 0; at < r->n; at += r->n_block) {
        const size_t n = r->n - at < r->n_block ? r->n - at : r->n_block;
        MR_TRY(mr_runread_f64(r->run, r->set, at, n, r->block, err));
        for (size_t i = 0; i < n; i++)
            add_row(r->block + i * r->width, r->width,
                    lasts_s(r->t_s, at + i, r->n, r->set->is_before), how, value, weight);
    }
    for (size_t k = 0; k < r->width && how != MR_CURVE_MAX; k++)
        if (!(weight[k] > 0))
            value[k] = (double)NAN;
        else if (how == MR_CURVE_MEAN)
            value[k] /= weight[k];
    return MR_OK;
}

/* "/racks/power_kw" has means and peaks beside it, in "/racks/power_mean_kw" and "_max_kw". */
static const char *beside(const struct mr_runread *run, const char *path, enum mr_curve_how how,
                          char *other, size_t cap)
{
    const char *unit = strrchr(path, '_');
    if (unit == NULL || strchr(unit, '/') != NULL)
        return path;
    const int n = snprintf(other, cap, "%.*s_%s%s", (int)(unit - path), path,
                           how == MR_CURVE_MAX ? "max" : "mean", unit);
    return n > 0 && (size_t)n < cap && mr_curve_is(run, other) ? other : path;
}

mr_status mr_curve_entities(const struct mr_runread *run, const char *path, enum mr_curve_how how,
                            double **value, size_t *n, struct mr_err *err)
{
    struct reader r;
    char other[128];
    *value = NULL;
    *n = 0;
    if (how == MR_CURVE_MAX || how == MR_CURVE_MEAN)
        path = beside(run, path, how, other, sizeof other);
    mr_status st = begin(&r, run, path, err);
    if (st == MR_OK && r.n > 0) {
        double *weight = mr_alloc_zero(r.width, sizeof *weight);
        *value = mr_alloc_zero(r.width, sizeof **value);
        st = weight == NULL || *value == NULL ? mr_err_nomem(err, r.width * sizeof *weight)
                                              : add_rows(&r, how, *value, weight, err);
        *n = r.width;
        mr_free(weight);
        if (st != MR_OK) {
            mr_free(*value);
            *value = NULL;
        }
    }
    end(&r);
    return st;
}
