/* SPDX-License-Identifier: Apache-2.0 */
/* Step series: building, reading from CSV, looking up, integrating, ranking.
 * Map: building - dates - reading - looking up - integrals - summary. */
#include "power/series.h"

#include "engine/base/assert.h"
#include "engine/base/csv.h"
#include "engine/base/date.h"
#include "engine/base/mem.h"
#include "engine/base/num.h"

#include <math.h>

static const double gap_default_s = 3600;

/* ---- building ---- */

static mr_status finish(struct mr_arena *arena, const double *start_s, const double *value,
                        uint32_t n, double end_s, struct mr_series *out, struct mr_err *err)
{
    double *const start = mr_arena_alloc(arena, ((size_t)n + 1) * sizeof *start, err);
    double *const values = mr_arena_alloc(arena, (size_t)n * sizeof *values, err);
    double *const area = mr_arena_alloc(arena, ((size_t)n + 1) * sizeof *area, err);
    if (start == NULL || values == NULL || area == NULL)
        return MR_NOMEM;
    memcpy(values, value, n * sizeof *values);
    area[0] = 0;
    for (uint32_t i = 0; i < n; i++) {
        start[i] = start_s[i] - start_s[0];
        const double next_s = (i + 1 < n ? start_s[i + 1] : end_s) - start_s[0];
        area[i + 1] = area[i] + value[i] * (next_s - start[i]);
    }
    start[n] = end_s - start_s[0];
    *out = (struct mr_series){.n = n, .start_s = start, .value = values, .area = area};
    return MR_OK;
}

mr_status mr_series_of(struct mr_arena *arena, const double *start_s, const double *value,
                       uint32_t n, double end_s, struct mr_series *out, struct mr_err *err)
{
    if (n == 0)
        return mr_err_set(err, MR_RANGE, MR_NOWHERE, "a series needs a row");
    for (uint32_t i = 0; i < n; i++) {
        const double next_s = i + 1 < n ? start_s[i + 1] : end_s;
        if (!(next_s > start_s[i]) || !isfinite(next_s) || !isfinite(value[i]))
            return mr_err_set(err, MR_RANGE, MR_NOWHERE,
                              "row %u of a series: %g at %g s, the next at %g s: values must be "
                              "numbers, times must rise",
                              i, value[i], start_s[i], next_s);
    }
    return finish(arena, start_s, value, n, end_s, out, err);
}

/* ---- dates ---- */

bool mr_series_date(struct mr_str text, double *unix_s)
{
    return mr_date_parse(text, unix_s, NULL);
}

/* ---- reading ---- */

struct table {
    double *start_s, *value;
    size_t n, cap_start, cap_value;
    bool has_dates;
};

static mr_status read_time(const struct mr_csv *csv, size_t column, struct table *table,
                           double *t_s, struct mr_err *err)
{
    const struct mr_str text = mr_csv_field(csv, column);
    if (table->n == 0)
        table->has_dates = mr_series_date(text, t_s);
    if (!table->has_dates)
        return mr_csv_f64(csv, column, t_s, err);
    if (mr_series_date(text, t_s))
        return MR_OK;
    char quoted[MR_QUOTE_CAP];
    return mr_csv_error(csv, column, err, MR_PARSE,
                        "\"%s\" is no date like 2024-01-31 06:00:00+00:00",
                        mr_text_quote(text, quoted));
}

static mr_status add_row(const struct mr_csv *csv, const size_t column[2], double scale,
                         double gap_max_s, struct table *table, struct mr_err *err)
{
    double t_s = 0, value;
    MR_TRY(read_time(csv, column[0], table, &t_s, err));
    MR_TRY(mr_csv_f64(csv, column[1], &value, err));
    if (table->n > 0) {
        const double gap_s = t_s - table->start_s[table->n - 1];
        if (!(gap_s > 0))
            return mr_csv_error(csv, column[0], err, MR_RANGE,
                                "%g s after the row before: times must rise", gap_s);
        if (gap_s > gap_max_s)
            return mr_csv_error(csv, column[0], err, MR_RANGE,
                                "a gap: %g s after the row before, %g s at most (fill it in the "
                                "file)",
                                gap_s, gap_max_s);
    }
    MR_TRY(mr_grow(&table->start_s, &table->cap_start, table->n + 1, sizeof *table->start_s, err));
    MR_TRY(mr_grow(&table->value, &table->cap_value, table->n + 1, sizeof *table->value, err));
    table->start_s[table->n] = t_s;
    table->value[table->n++] = value * scale;
    return MR_OK;
}

static mr_status read_rows(struct mr_csv *csv, const struct mr_series_columns *columns,
                           struct table *table, struct mr_err *err)
{
    const double gap_max_s = columns->gap_max_s > 0 ? columns->gap_max_s : gap_default_s;
    size_t column[2];
    MR_TRY(mr_csv_column(csv, columns->time, &column[0], err));
    MR_TRY(mr_csv_column(csv, columns->value, &column[1], err));
    for (;;) {
        bool has_row;
        MR_TRY(mr_csv_next(csv, &has_row, err));
        if (!has_row)
            break;
        MR_TRY(add_row(csv, column, columns->scale, gap_max_s, table, err));
    }
    if (table->n == 0 || table->n >= UINT32_MAX)
        return mr_err_set(err, MR_RANGE, mr_csv_place(csv, 0), "a series needs rows");
    return MR_OK;
}

mr_status mr_series_read(struct mr_arena *arena, const char *path,
                         const struct mr_series_columns *columns, struct mr_series *out,
                         struct mr_err *err)
{
    struct mr_csv *csv;
    struct table table = {0};
    MR_TRY(mr_csv_open(path, NULL, &csv, err));
    mr_status st = read_rows(csv, columns, &table, err);
    mr_csv_close(csv);
    if (st == MR_OK) {
        const size_t n = table.n;
        const double *const t = table.start_s;
        MR_ASSERT(n > 0 && t != NULL);
        const double last_s = n > 1 ? t[n - 1] - t[n - 2] : gap_default_s;
        st = finish(arena, t, table.value, (uint32_t)n, t[n - 1] + last_s, out, err);
        if (st == MR_OK && table.has_dates)
            out->origin_s = t[0];
        else if (st == MR_OK)
            out->shift_s = -t[0];
    }
    mr_free(table.start_s);
    mr_free(table.value);
    return st;
}

/* What a file holds is told by its header: files that are handed out as they are, then ours. */
static const struct known {
    const char *time, *value;
    int kind; /* enum mr_series_kind */
} known_columns[] = {{"Datetime (UTC)", "Price (USD/MWh)", MR_SERIES_PRICE},
                     {"timestamp", "avg_CI", MR_SERIES_CARBON},
                     {"time", "usd_mwh", MR_SERIES_PRICE},
                     {"time", "g_kwh", MR_SERIES_CARBON},
                     {"time", "share", MR_SERIES_SHARE},
                     {"time", "hz", MR_SERIES_FREQUENCY}};

static const struct {
    const char *what, *column;
    double scale; /* base units per unit of the file */
} kinds[] = {[MR_SERIES_PRICE] = {"prices", "usd_mwh", 1 / 3.6e9},
             [MR_SERIES_CARBON] = {"carbon intensities", "g_kwh", 1e-3 / 3.6e6},
             [MR_SERIES_SHARE] = {"shares of a rating", "share", 1},
             [MR_SERIES_FREQUENCY] = {"frequencies", "hz", 1}};

mr_status mr_series_read_known(struct mr_arena *arena, const char *path, int kind,
                               struct mr_series *out, struct mr_err *err)
{
    struct mr_csv *csv = NULL;
    const struct known *found = NULL;
    MR_TRY(mr_csv_open(path, NULL, &csv, err));
    for (size_t i = 0; i < sizeof known_columns / sizeof *known_columns; i++)
        if (mr_csv_find_column(csv, known_columns[i].time) != SIZE_MAX &&
            mr_csv_find_column(csv, known_columns[i].value) != SIZE_MAX &&
            (found == NULL || known_columns[i].kind == kind))
            found = &known_columns[i];
    mr_csv_close(csv);
    if (found == NULL)
        return mr_err_set(err, MR_SCHEMA, (struct mr_place){path, 1, 0},
                          "columns \"time\" and \"%s\" are wanted", kinds[kind].column);
    if (found->kind != kind)
        return mr_err_set(err, MR_SCHEMA, (struct mr_place){path, 1, 0},
                          "column \"%s\" holds %s, %s are wanted (columns \"time\" and \"%s\")",
                          found->value, kinds[found->kind].what, kinds[kind].what,
                          kinds[kind].column);
    const struct mr_series_columns columns = {found->time, found->value, kinds[kind].scale, 0};
    return mr_series_read(arena, path, &columns, out, err);
}

void mr_series_align(struct mr_series *series, double unix_s)
{
    series->shift_s = unix_s - series->origin_s;
}

mr_status mr_series_check_span(const struct mr_series *series, double from_s, double to_s,
                               const char *name, struct mr_err *err)
{
    const double begin_s = 0 - series->shift_s, end_s = begin_s + series->start_s[series->n];
    if (series->wraps || (from_s >= begin_s && to_s <= end_s))
        return MR_OK;
    return mr_err_set(err, MR_RANGE, MR_NOWHERE,
                      "%s: reaches from %g s to %g s of the run, which goes from %g s to %g s (a "
                      "longer file, or another start)",
                      name, begin_s, end_s, from_s, to_s);
}

/* ---- looking up ---- */

/* Where a time of the run lies: turn and row. */
struct locus {
    double turns;
    uint32_t row;
};

/* The end of a turn is the start of the next one, to the bit. */
static double time_of(const struct mr_series *series, double turns, uint32_t row)
{
    const double span_s = series->start_s[series->n];
    return row < series->n ? turns * span_s + series->start_s[row] - series->shift_s
                           : (turns + 1) * span_s - series->shift_s;
}

static uint32_t search(const struct mr_series *series, double local_s)
{
    uint32_t low = 0, high = series->n;
    while (high - low > 1) {
        const uint32_t middle = low + (high - low) / 2;
        if (series->start_s[middle] <= local_s)
            low = middle;
        else
            high = middle;
    }
    return low;
}

/* The search may be one row off, as turns and shift round: the time at which a row is said to begin
 * (mr_series_next_s) decides, so that whoever comes then reads that row. */
static struct locus locate(const struct mr_series *series, double t_s)
{
    const double span_s = series->start_s[series->n], local_s = t_s + series->shift_s;
    struct locus at = {.turns = series->wraps ? floor(local_s / span_s) : 0};
    at.row = search(series, local_s - at.turns * span_s);
    if (time_of(series, at.turns, at.row + 1) <= t_s) {
        if (at.row + 1 < series->n) {
            at.row++;
        } else if (series->wraps) {
            at.turns++;
            at.row = 0;
        }
    } else if (time_of(series, at.turns, at.row) > t_s) {
        if (at.row > 0) {
            at.row--;
        } else if (series->wraps) {
            at.turns--;
            at.row = series->n - 1;
        }
    }
    return at;
}

double mr_series_at(const struct mr_series *series, double t_s)
{
    return series->value[locate(series, t_s).row];
}

double mr_series_next_s(const struct mr_series *series, double t_s)
{
    const struct locus at = locate(series, t_s);
    return at.row + 1 < series->n || series->wraps ? time_of(series, at.turns, at.row + 1)
                                                   : (double)INFINITY;
}

/* ---- integrals ---- */

static double area_to(const struct mr_series *series, double t_s)
{
    const struct locus at = locate(series, t_s);
    return at.turns * series->area[series->n] + series->area[at.row] +
           series->value[at.row] * (t_s - time_of(series, at.turns, at.row));
}

double mr_series_integral(const struct mr_series *series, double from_s, double to_s)
{
    if (mr_series_next_s(series, from_s) >= to_s) /* one row: no difference of large sums */
        return mr_series_at(series, from_s) * (to_s - from_s);
    return area_to(series, to_s) - area_to(series, from_s);
}

double mr_series_weighted(const struct mr_series *series, double from_s, double to_s, double from_w,
                          double to_w)
{
    if (from_w == to_w)
        return from_w * mr_series_integral(series, from_s, to_s);
    const double slope = (to_w - from_w) / (to_s - from_s);
    double sum = 0;
    for (double t_s = from_s; t_s < to_s;) {
        const double end_s = fmin(mr_series_next_s(series, t_s), to_s);
        const double middle_w = from_w + slope * (0.5 * (t_s + end_s) - from_s);
        sum += mr_series_at(series, t_s) * middle_w * (end_s - t_s);
        t_s = end_s;
    }
    return sum;
}

/* ---- summary ---- */

struct ranked {
    double value;
    uint32_t row;
};

static bool is_above(const struct ranked *a, const struct ranked *b)
{
    return a->value > b->value || (a->value == b->value && a->row < b->row);
}

static void sift(struct ranked *heap, size_t i, size_t n)
{
    for (size_t k = 2 * i + 1; k < n; k = 2 * i + 1) {
        if (k + 1 < n && is_above(&heap[k], &heap[k + 1]))
            k++;
        if (!is_above(&heap[i], &heap[k]))
            return;
        const struct ranked swap = heap[i];
        heap[i] = heap[k];
        heap[k] = swap;
        i = k;
    }
}

/* Rows from the highest value down, of equal ones the earlier first. Heap sort. */
static struct ranked *rank(const struct mr_series *series, struct mr_err *err)
{
    const size_t n = series->n;
    struct ranked *const item = mr_alloc(n, sizeof *item);
    if (item == NULL) {
        mr_err_nomem(err, n * sizeof *item);
        return NULL;
    }
    for (size_t i = 0; i < n; i++)
        item[i] = (struct ranked){series->value[i], (uint32_t)i};
    for (size_t i = n / 2; i-- > 0;)
        sift(item, i, n);
    for (size_t end = n; end-- > 1;) {
        const struct ranked swap = item[0];
        item[0] = item[end];
        item[end] = swap;
        sift(item, 0, end);
    }
    return item;
}

mr_status mr_series_summarize(const struct mr_series *series, struct mr_series_summary *summary,
                              struct mr_err *err)
{
    struct ranked *const item = rank(series, err);
    if (item == NULL)
        return MR_NOMEM;
    const uint32_t n = series->n;
    *summary = (struct mr_series_summary){
        .mean = series->area[n] / series->start_s[n],
        .median = 0.5 * (item[(n - 1) / 2].value + item[n / 2].value),
        .max = item[0].value,
        .min = item[n - 1].value,
    };
    for (uint32_t i = 0; i < n; i++)
        summary->n_negative += series->value[i] < 0;
    mr_free(item);
    return MR_OK;
}

mr_status mr_series_highest(struct mr_arena *arena, const struct mr_series *series,
                            double share_frac, struct mr_series *out, struct mr_err *err)
{
    if (!(share_frac >= 0 && share_frac <= 1))
        return mr_err_set(err, MR_RANGE, MR_NOWHERE, "share %g of a series: must be 0 to 1",
                          share_frac);
    struct ranked *const item = rank(series, err);
    if (item == NULL)
        return MR_NOMEM;
    const uint32_t n = series->n;
    double *const is_high = mr_arena_zero(arena, n, sizeof *is_high, err);
    mr_status st = is_high != NULL ? MR_OK : MR_NOMEM;
    /* rows are taken whole while they fit */
    double left_s = share_frac * series->start_s[n] * (1 + 1e-12);
    for (uint32_t k = 0; k < n && st == MR_OK; k++) {
        const uint32_t i = item[k].row;
        const double length_s = series->start_s[i + 1] - series->start_s[i];
        if (length_s > left_s)
            break;
        left_s -= length_s;
        is_high[i] = 1;
    }
    mr_free(item);
    if (st == MR_OK)
        st = finish(arena, series->start_s, is_high, n, series->start_s[n], out, err);
    if (st == MR_OK) {
        out->origin_s = series->origin_s;
        out->shift_s = series->shift_s;
        out->wraps = series->wraps;
    }
    return st;
}
