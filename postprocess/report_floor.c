/* SPDX-License-Identifier: Apache-2.0 */
/* Floor plans: racks where the file places them (x_m, y_m), else by their names, one row of racks
 * after the other. One scale for all files, one metric at a time on the screen, all of them on
 * paper. */
#include "engine/base/mem.h"
#include "postprocess/report_impl.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

// clang-format off
static const struct metric {
    const char *path;
    enum mr_curve_how how;
    const char *minus; /* what the first may be at most: the least that remained */
    const char *title, *unit, *id;
    double scale; /* 0: as it is */
} metrics[] = {
    {"/racks/power_kw", MR_CURVE_MAX, NULL, "Peak power", "kW", "power_peak", 0},
    {"/racks/power_kw", MR_CURVE_MEAN, NULL, "Mean power", "kW", "power_mean", 0},
    {"/racks/power_kw", MR_CURVE_MAX, "/racks/cap_kw", "Least left below the cap", "kW", "power_left", 0},
    {"/racks/stranded_kw", MR_CURVE_MEAN, NULL, "Stranded power", "kW", "stranded", 0},
    {"/racks/die_max_c", MR_CURVE_MAX, NULL, "Hottest die", "degC", "die", 0},
    {"/racks/liquid_supply_c", MR_CURVE_MAX, NULL, "Warmest supply", "degC", "supply", 0},
    {"/racks/liquid_return_c", MR_CURVE_MAX, NULL, "Warmest return", "degC", "return", 0},
    {"/racks/throttled_gpus", MR_CURVE_TIME, NULL, "Time with throttled packages", "s", "throttled", 0},
    {"/racks/tok_s", MR_CURVE_MEAN, NULL, "Output tokens per second", "tok/s", "tok_s", 0},
    {"/racks/kv_resident_frac", MR_CURVE_MEAN, NULL, "KV residency", "%", "kv", 100},
};
// clang-format on

enum {
    n_metric = sizeof metrics / sizeof *metrics
};

/* ---- places ---- */

struct plan {
    struct mr_chart_cell *cell;
    double *value; /* of all metrics, cell by cell */
    size_t n;
    bool is_placed; /* by the file */
};

static int compare_values(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Places in meters become ranks among the different ones. */
static mr_status rank_of(const double *value, size_t n, double *rank, struct mr_err *err)
{
    double *sorted = mr_alloc(n + 1, sizeof *sorted);
    size_t n_different = 0;
    if (sorted == NULL)
        return mr_err_nomem(err, n * sizeof *sorted);
    memcpy(sorted, value, n * sizeof *sorted);
    qsort(sorted, n, sizeof *sorted, compare_values);
    for (size_t i = 0; i < n; i++)
        if (n_different == 0 || sorted[i] > sorted[n_different - 1])
            sorted[n_different++] = sorted[i];
    for (size_t i = 0; i < n; i++) {
        size_t k = 0;
        while (k + 1 < n_different && sorted[k] < value[i])
            k++;
        rank[i] = (double)k;
    }
    mr_free(sorted);
    return MR_OK;
}

static mr_status place_by_file(const struct mr_runread *run, struct plan *plan, struct mr_err *err)
{
    const struct mr_runread_set *set[2] = {mr_runread_find(run, "/racks/x_m"),
                                           mr_runread_find(run, "/racks/y_m")};
    double *rank = mr_alloc(plan->n + 1, sizeof *rank);
    if (rank == NULL)
        return mr_err_nomem(err, plan->n * sizeof *rank);
    mr_status st = MR_OK;
    for (size_t k = 0; k < 2 && st == MR_OK; k++) {
        double *value = NULL;
        if (set[k] == NULL || set[k]->is_text || set[k]->rank != 1 || set[k]->dim[0] < plan->n)
            break;
        st = mr_runread_all(run, set[k], &value, err);
        if (st == MR_OK)
            st = rank_of(value, plan->n, rank, err);
        for (size_t i = 0; i < plan->n && st == MR_OK; i++)
            *(k == 0 ? &plan->cell[i].x : &plan->cell[i].y) = rank[i];
        plan->is_placed = k == 1;
        mr_free(value);
    }
    mr_free(rank);
    return st;
}

static size_t prefix_length(const char *name)
{
    const char *dot = strrchr(name, '.');
    return dot != NULL ? (size_t)(dot - name) : 0;
}

/* "H0.R3.K7" stands in row "H0.R3". Names without rows fill a square. */
static void place_by_name(struct plan *plan)
{
    size_t n_row = 0, n_col = 0, at = 0;
    for (size_t i = 0; i < plan->n; i++, at++) {
        const char *name = plan->cell[i].name;
        const size_t length = prefix_length(name);
        const bool is_new = i == 0 || length != prefix_length(plan->cell[i - 1].name) ||
                            memcmp(name, plan->cell[i - 1].name, length) != 0;
        if (is_new) {
            n_row++;
            at = 0;
        }
        plan->cell[i].x = (double)at;
        plan->cell[i].y = (double)(n_row - 1);
        n_col = at + 1 > n_col ? at + 1 : n_col;
    }
    if (n_row == plan->n || n_row == 1) {
        const size_t side = (size_t)ceil(sqrt((double)plan->n));
        for (size_t i = 0; i < plan->n; i++) {
            const size_t row = i / side;
            plan->cell[i].x = (double)(i % side);
            plan->cell[i].y = (double)row;
        }
    } else if (n_row > n_col) { /* lie down: pages are wide */
        for (size_t i = 0; i < plan->n; i++) {
            const double x = plan->cell[i].x;
            plan->cell[i].x = plan->cell[i].y;
            plan->cell[i].y = x;
        }
    }
}

static mr_status make_plan(struct mr_runread *run, struct plan *plan, struct mr_err *err)
{
    const struct mr_runread_set *set = run != NULL ? mr_runread_find(run, "/racks/rack") : NULL;
    const char *const *name;
    *plan = (struct plan){0};
    if (set == NULL || !set->is_text)
        return MR_OK;
    MR_TRY(mr_runread_texts(run, set, &name, err));
    plan->cell = mr_alloc_zero(set->dim[0] + 1, sizeof *plan->cell);
    if (plan->cell == NULL)
        return mr_err_nomem(err, set->dim[0] * sizeof *plan->cell);
    plan->n = set->dim[0];
    plan->value = mr_alloc(plan->n * n_metric + 1, sizeof *plan->value);
    if (plan->value == NULL)
        return mr_err_nomem(err, plan->n * n_metric * sizeof *plan->value);
    for (size_t i = 0; i < plan->n; i++)
        plan->cell[i].name = name[i];
    MR_TRY(place_by_file(run, plan, err));
    if (!plan->is_placed)
        place_by_name(plan);
    return MR_OK;
}

/* ---- values ---- */

/* A power is a mean of the time since the row before, in which the limit was that of either row:
 * the least that was left in any such time; NaN without a limit. @param[out] left mr_free */
static mr_status least_left(const struct mr_runread *run, const struct metric *metric, size_t n,
                            double **left, struct mr_err *err)
{
    const struct mr_runread_set *set[2] = {mr_runread_find(run, metric->path),
                                           mr_runread_find(run, metric->minus)};
    *left = NULL;
    for (size_t k = 0; k < 2; k++)
        if (set[k] == NULL || mr_runread_width(set[k]) != n)
            return MR_OK;
    if (strcmp(set[0]->axis[0], set[1]->axis[0]) != 0)
        return MR_OK;
    const size_t n_power = mr_runread_rows(run, set[0]), n_limit = mr_runread_rows(run, set[1]);
    const size_t n_row = n_power < n_limit ? n_power : n_limit;
    double *row = mr_alloc(3 * n + 1, sizeof *row), *least = mr_alloc(n + 1, sizeof *least);
    mr_status st = MR_OK;
    if (row == NULL || least == NULL) {
        mr_free(row);
        mr_free(least);
        return mr_err_nomem(err, 3 * n * sizeof *row);
    }
    for (size_t i = 0; i < n; i++)
        least[i] = (double)NAN;
    for (size_t r = 0; r < n_row && st == MR_OK; r++) {
        double *power = row, *limit = row + n + r % 2 * n, *before = row + n + (r + 1) % 2 * n;
        st = mr_runread_f64(run, set[0], r, 1, power, err);
        if (st == MR_OK)
            st = mr_runread_f64(run, set[1], r, 1, limit, err);
        for (size_t i = 0; i < n && r > 0 && st == MR_OK; i++)
            if (isfinite(before[i]) && isfinite(limit[i]))
                least[i] = fmin(least[i], fmax(before[i], limit[i]) - power[i]);
    }
    mr_free(row);
    if (st == MR_OK)
        *left = least;
    else
        mr_free(least);
    return st;
}

/* One metric of one file into its cells; nothing where the file lacks it. @param[out] has_it */
static mr_status fill(const struct mr_runread *run, const struct metric *metric, struct plan *plan,
                      bool *has_it, struct mr_err *err)
{
    double *value = NULL;
    size_t n = plan->n;
    *has_it = false;
    if (plan->n == 0)
        return MR_OK;
    const mr_status st = metric->minus != NULL
                             ? least_left(run, metric, plan->n, &value, err)
                             : mr_curve_entities(run, metric->path, metric->how, &value, &n, err);
    const bool is_there = st == MR_OK && value != NULL && n == plan->n;
    for (size_t i = 0; i < plan->n; i++) {
        plan->cell[i].value = is_there ? value[i] : (double)NAN;
        if (metric->scale > 0)
            plan->cell[i].value *= metric->scale;
        plan->value[i * n_metric + (size_t)(metric - metrics)] = plan->cell[i].value;
        *has_it = *has_it || isfinite(plan->cell[i].value);
    }
    mr_free(value);
    return st;
}

static void put_sheet(const struct mr_report *report, const struct plan *plan,
                      const struct metric *metric, struct mr_page *page)
{
    struct mr_buf csv = {0};
    struct mr_csv_writer w = {&csv, false};
    char name[64];
    static const char *const head[] = {"file", "rack", "column", "row", "value"};
    for (size_t i = 0; i < sizeof head / sizeof *head; i++)
        mr_csv_put_text(&w, head[i]);
    mr_csv_put_end(&w);
    for (size_t f = 0; f < report->n; f++)
        for (size_t i = 0; i < plan[f].n; i++) {
            mr_csv_put_text(&w, report->file[f].figures.file);
            mr_csv_put_text(&w, plan[f].cell[i].name);
            mr_csv_put_f64(&w, plan[f].cell[i].x);
            mr_csv_put_f64(&w, plan[f].cell[i].y);
            mr_csv_put_f64(&w, plan[f].cell[i].value);
            mr_csv_put_end(&w);
        }
    (void)snprintf(name, sizeof name, "floor_%s", metric->id);
    mr_page_sheet_brief(page, name, &csv, NULL);
}

static void write_racks(const struct mr_report *report, const struct plan *plan, const bool *has,
                        bool is_brief, struct mr_buf *csv)
{
    struct mr_csv_writer w = {csv, false};
    mr_csv_put_text(&w, "file");
    mr_csv_put_text(&w, "rack");
    for (size_t m = 0; m < n_metric; m++)
        if (has[m])
            mr_csv_put_text(&w, metrics[m].id);
    mr_csv_put_end(&w);
    for (size_t f = 0; f < report->n; f++)
        for (size_t i = 0; i < plan[f].n; i++) {
            mr_csv_put_text(&w, is_brief && report->n > 1 ? report->file[f].label
                                                          : report->file[f].figures.file);
            mr_csv_put_text(&w, plan[f].cell[i].name);
            for (size_t m = 0; m < n_metric; m++)
                if (has[m])
                    (is_brief ? mr_page_brief_f64
                              : mr_csv_put_f64)(&w, plan[f].value[i * n_metric + m]);
            mr_csv_put_end(&w);
        }
}

/* A rack's numbers in one row, for the link: a sheet per metric would name every rack again.
 * Several files go by their letters in the link, by their paths in the sheet. */
static void put_racks(const struct mr_report *report, const struct plan *plan, const bool *has,
                      struct mr_page *page)
{
    struct mr_buf csv = {0}, brief = {0};
    write_racks(report, plan, has, false, &csv);
    write_racks(report, plan, has, true, &brief);
    mr_page_sheet_brief(page, "floor", &csv, &brief);
    mr_buf_fini(&brief);
}

/* Colors tell racks apart: where all are alike to a hundredth, none may look like an extreme. */
static void widen(double *low, double *high)
{
    static const double least_rel = 0.02;
    const double more = least_rel * fmax(fabs(*low), fabs(*high)) - (*high - *low);
    if (!(more > 0) || !(*high > *low))
        return;
    const bool is_signed = *low < 0;
    *low -= more / 2;
    *high += more / 2;
    if (!is_signed && *low < 0)
        *low = 0;
}

/* One metric of all files, on one scale. */
static mr_status put_metric(const struct mr_report *report, struct plan *plan,
                            const struct metric *metric, struct mr_page *page, struct mr_err *err)
{
    double low = HUGE_VAL, high = -HUGE_VAL;
    for (size_t f = 0; f < report->n; f++) {
        bool has_it;
        MR_TRY(fill(report->file[f].run, metric, &plan[f], &has_it, err));
        for (size_t i = 0; i < plan[f].n; i++)
            if (isfinite(plan[f].cell[i].value)) {
                low = fmin(low, plan[f].cell[i].value);
                high = fmax(high, plan[f].cell[i].value);
            }
    }
    widen(&low, &high);
    mr_buf_printf(&page->out,
                  "<div class=\"panel\" id=\"floor-%s\"><h3>%s</h3><div class=\"grid\">",
                  metric->id, metric->title);
    for (size_t f = 0; f < report->n; f++) {
        char named[96];
        if (!mr_chart_plan(mr_report_named(&report->file[f], report->file[f].figures.name, named),
                           metric->unit, plan[f].cell, plan[f].n, low, high, &page->out))
            mr_page_missing(page, "%s: not in this file (%s)", named, metric->path);
    }
    mr_buf_text(&page->out, "</div>");
    put_sheet(report, plan, metric, page);
    mr_buf_text(&page->out, "</div>\n");
    return MR_OK;
}

static bool has_metric(const struct mr_report *report, const struct metric *metric)
{
    for (size_t f = 0; f < report->n; f++) {
        const struct mr_runread *run = report->file[f].run;
        if (run != NULL && mr_curve_is(run, metric->path) &&
            (metric->minus == NULL || mr_curve_is(run, metric->minus)))
            return true;
    }
    return false;
}

/* Tabs are radio buttons and a rule each. */
static void put_tabs(const bool *has, struct mr_page *page)
{
    bool is_first = true;
    mr_buf_text(&page->out, "<style>");
    for (size_t i = 0; i < n_metric; i++)
        if (has[i])
            mr_buf_printf(&page->out, "#tab-%s:checked~#floor-%s{display:block}", metrics[i].id,
                          metrics[i].id);
    mr_buf_text(&page->out, "</style><div class=\"tabs\">");
    for (size_t i = 0; i < n_metric; i++) {
        if (!has[i])
            continue;
        mr_buf_printf(&page->out,
                      "<input type=\"radio\" name=\"floor\" id=\"tab-%s\"%s/>"
                      "<label for=\"tab-%s\">%s</label>",
                      metrics[i].id, is_first ? " checked=\"checked\"" : "", metrics[i].id,
                      metrics[i].title);
        is_first = false;
    }
    mr_buf_char(&page->out, '\n');
}

static mr_status put_floor(const struct mr_report *report, struct plan *plan, struct mr_page *page,
                           struct mr_err *err)
{
    struct mr_buf absent = {0};
    bool has[n_metric], has_any = false, is_named = false;
    for (size_t f = 0; f < report->n; f++) {
        MR_TRY(make_plan(report->file[f].run, &plan[f], err));
        is_named = is_named || (plan[f].n > 0 && !plan[f].is_placed);
    }
    for (size_t i = 0; i < n_metric; i++) {
        has[i] = has_metric(report, &metrics[i]);
        has_any = has_any || has[i];
        if (!has[i])
            mr_buf_printf(&absent, "%s%s", absent.n > 0 ? ", " : "", metrics[i].title);
    }
    if (!has_any) {
        mr_page_missing(page,
                        "No rack over time in the file (group /racks): nothing to color. millrace "
                        "thermal and power write it, and runs of a site that record racks.");
    } else {
        put_tabs(has, page);
        mr_status st = MR_OK;
        for (size_t i = 0; i < n_metric && st == MR_OK; i++)
            if (has[i])
                st = put_metric(report, plan, &metrics[i], page, err);
        mr_buf_text(&page->out, "</div>\n");
        if (st == MR_OK)
            put_racks(report, plan, has, page);
        if (is_named)
            mr_page_say(page,
                        "Racks stand in the order of their names: the file does not place them.");
        if (absent.n > 0)
            mr_page_missing(page, "Not in the file: %s.", absent.text);
        if (st != MR_OK) {
            mr_buf_fini(&absent);
            return st;
        }
    }
    mr_buf_fini(&absent);
    return MR_OK;
}

mr_status mr_report_floor(const struct mr_report *report, struct mr_page *page, struct mr_err *err)
{
    struct plan *plan = mr_alloc_zero(report->n, sizeof *plan);
    if (plan == NULL)
        return mr_err_nomem(err, report->n * sizeof *plan);
    const mr_status st = put_floor(report, plan, page, err);
    for (size_t f = 0; f < report->n; f++)
        mr_free(plan[f].value), mr_free(plan[f].cell);
    mr_free(plan);
    return st;
}
