/* SPDX-License-Identifier: Apache-2.0 */
/* What levels of the power chain had left: how long the fullest breakers carried how much of their
 * rating, and the breaker that came nearest to it first. A
 * breaker protects one running unit of its level (a feed of two, a supply of three), so its row has
 * that unit's current and that unit's power, both of the sample in which the current was highest;
 * the level's own power stands beside how many units carried it. */
#include "engine/base/mem.h"
#include "postprocess/report_impl.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    n_shown = 8,
    n_drawn = 3 /* of a single file; of several the fullest of each */
};

/* A load that lasts may take this share of a breaker's rating (NEC, UL 489; power/breaker.h). */
static const double continuous_pct = 80;

static const double none = (double)NAN;

struct meter {
    const char *name;
    size_t i; /* on the axis */
    double peak_a, limit_a;
    double units, unit_kw, level_kw; /* when the current was highest; read for those shown */
};

static double used_frac(const struct meter *m)
{
    return m->peak_a / m->limit_a;
}

static int compare_meters(const void *a, const void *b)
{
    const struct meter *x = a, *y = b;
    const double used[2] = {used_frac(x), used_frac(y)};
    if (used[0] < used[1] || used[0] > used[1])
        return used[0] < used[1] ? 1 : -1;
    return strcmp(x->name, y->name);
}

/* Those with a breaker, the fullest first. @param[out] meter mr_free */
static mr_status read_meters(struct mr_runread *run, struct meter **meter, size_t *n,
                             struct mr_err *err)
{
    const struct mr_runread_set *set = mr_runread_find(run, "/meters/current_limit_a");
    const char *const *name;
    double *limit_a = NULL, *peak_a = NULL;
    size_t n_name, n_a = 0;
    *meter = NULL;
    *n = 0;
    MR_TRY(mr_report_names(run, "/meters/meter", &name, &n_name, err));
    if (name == NULL || set == NULL || set->is_text || set->rank != 1 || set->dim[0] != n_name)
        return MR_OK;
    mr_status st = mr_runread_all(run, set, &limit_a, err);
    if (st == MR_OK)
        st = mr_curve_entities(run, "/meters/phase_current_a", MR_CURVE_MAX, &peak_a, &n_a, err);
    const bool is_whole = st == MR_OK && peak_a != NULL && n_a == n_name;
    struct meter *m = is_whole ? mr_alloc(n_name, sizeof *m) : NULL;
    if (is_whole && m == NULL)
        st = mr_err_nomem(err, n_name * sizeof *m);
    for (size_t i = 0; m != NULL && i < n_name; i++)
        if (limit_a[i] > 0 && isfinite(limit_a[i]) && isfinite(peak_a[i]))
            m[(*n)++] = (struct meter){name[i], i, peak_a[i], limit_a[i], none, none, none};
    if (*n > 0)
        qsort(m, *n, sizeof *m, compare_meters);
    mr_free(limit_a);
    mr_free(peak_a);
    *meter = m;
    return st;
}

/* ---- over time ---- */

static mr_status add_fullest(const struct mr_report_file *file, size_t n_most,
                             struct mr_report_chart *chart, struct mr_err *err)
{
    struct meter *meter = NULL;
    size_t n = 0;
    char named[96];
    if (file->run == NULL)
        return MR_OK;
    mr_status st = read_meters(file->run, &meter, &n, err);
    for (size_t i = 0; i < n && i < n_most && st == MR_OK; i++) {
        struct mr_curve used = {.units = ""};
        st = mr_curve_one(file->run, "/meters/phase_current_a", meter[i].i, &used, err);
        for (size_t k = 0; k < used.n; k++)
            used.value[k] *= 100 / meter[i].limit_a;
        if (st == MR_OK)
            st = mr_curve_duration(&used, err);
        mr_report_chart_add(chart, &used, MR_CHART_LINE, "%s",
                            mr_report_named(file, meter[i].name, named));
    }
    mr_free(meter);
    return st;
}

mr_status mr_report_fullest(const struct mr_report *report, struct mr_page *page,
                            struct mr_err *err)
{
    struct mr_report_chart chart = {.is_whole = report->is_whole, .has_peaks = true};
    mr_status st = MR_OK;
    for (size_t i = 0; i < report->n && st == MR_OK; i++)
        st = add_fullest(&report->file[i], report->n > 1 ? 1 : n_drawn, &chart, err);
    mr_report_chart_mark(&chart, continuous_pct, false, "most that may last: 80 %%");
    mr_report_chart_mark(&chart, 100, false, "rating: 100 %%");
    const struct mr_report_axes axes = {.title = "Duration curve of the fullest breakers",
                                        .x_label = "share of the time, %",
                                        .y_label = "% of their rating",
                                        .sheet = "power_breakers",
                                        .is_from_zero = true,
                                        .shade_x = none};
    if (st == MR_OK)
        (void)mr_report_chart_put(&chart, &axes, page);
    mr_report_chart_fini(&chart);
    return st;
}

/* ---- the table ---- */

enum {
    UNIT_A,
    LEVEL_A,
    LEVEL_KVA,
    n_reading
};

/* Currents and apparent power are of a date (active power is a mean). A unit's share of the level's
 * current is its share of the power. */
static mr_status read_at_peak(const struct mr_runread *run, double power_factor, struct meter *m,
                              struct mr_err *err)
{
    static const char *const paths[n_reading] = {[UNIT_A] = "/meters/phase_current_a",
                                                 [LEVEL_A] = "/meters/current_a",
                                                 [LEVEL_KVA] = "/meters/apparent_power_kva"};
    struct mr_curve c[n_reading] = {{.n = 0}};
    mr_status st = MR_OK;
    for (size_t k = 0; k < n_reading && st == MR_OK; k++)
        st = mr_curve_one(run, paths[k], m->i, &c[k], err);
    size_t at = 0;
    for (size_t i = 1; i < c[UNIT_A].n; i++)
        if (!(c[UNIT_A].value[at] >= c[UNIT_A].value[i]))
            at = i;
    if (st == MR_OK && at < c[LEVEL_A].n && at < c[LEVEL_KVA].n) {
        m->units = c[LEVEL_A].value[at] / c[UNIT_A].value[at];
        m->level_kw = c[LEVEL_KVA].value[at] * power_factor;
        m->unit_kw = m->level_kw / m->units;
    }
    for (size_t k = 0; k < n_reading; k++)
        mr_curve_fini(&c[k]);
    return st;
}

static mr_status read_peaks(const struct mr_runread *run, struct meter *m, size_t n,
                            struct mr_err *err)
{
    double *power_factor = NULL;
    if (n == 0) /* nor is there a file always */
        return MR_OK;
    const struct mr_runread_set *set = mr_runread_find(run, "/meters/power_factor");
    if (set == NULL || set->is_text || set->rank != 1)
        return MR_OK;
    mr_status st = mr_runread_all(run, set, &power_factor, err);
    for (size_t i = 0; i < n && i < n_shown && st == MR_OK; i++)
        if (m[i].i < set->dim[0])
            st = read_at_peak(run, power_factor[m[i].i], &m[i], err);
    mr_free(power_factor);
    return st;
}

static void put_meters(const struct mr_report_file *file, const struct meter *meter, size_t n,
                       struct mr_page_table *table, struct mr_page *page)
{
    static const char *const head[] = {"file",        "level",         "#all its units, kW",
                                       "#units",      "#one unit, kW", "#its current, A",
                                       "#breaker, A", "#left, %"};
    char named[96];
    if (n > 0 && table->page == NULL) {
        mr_buf_text(&page->out, "<h3>Breakers, the fullest first</h3>\n");
        mr_page_table(table, page, "power_levels", head, sizeof head / sizeof *head);
    }
    for (size_t i = 0; i < n && i < n_shown; i++) {
        mr_page_row(table);
        mr_page_cell(table, mr_report_named(file, file->figures.name, named));
        mr_page_cell(table, meter[i].name);
        mr_page_cell_f64(table, meter[i].level_kw);
        mr_page_cell_f64(table, meter[i].units);
        mr_page_cell_f64(table, meter[i].unit_kw);
        mr_page_cell_f64(table, meter[i].peak_a);
        mr_page_cell_f64(table, meter[i].limit_a);
        mr_page_cell_f64(table, 100 * (1 - used_frac(&meter[i])));
    }
}

mr_status mr_report_meters(const struct mr_report *report, struct mr_page *page, struct mr_err *err)
{
    struct mr_page_table table = {.page = NULL};
    struct mr_buf bare = {0};
    mr_status st = MR_OK;
    for (size_t i = 0; i < report->n && st == MR_OK; i++) {
        struct meter *meter = NULL;
        size_t n = 0;
        if (report->file[i].run != NULL)
            st = read_meters(report->file[i].run, &meter, &n, err);
        if (st == MR_OK)
            st = read_peaks(report->file[i].run, meter, n, err);
        if (st == MR_OK)
            put_meters(&report->file[i], meter, n, &table, page);
        if (n == 0)
            mr_buf_printf(&bare, "%s %s", bare.n > 0 ? "," : "", report->file[i].label);
        mr_free(meter);
    }
    if (table.page != NULL)
        mr_page_table_end(&table);
    if (st == MR_OK)
        st = mr_buf_check(&bare, err);
    if (st == MR_OK && bare.n > 0)
        mr_page_missing(page,
                        "No limits of breakers and PDUs%s%s: no level of the power chain in the "
                        "file (group /meters) has a breaker with a rating.",
                        report->n > 1 ? " of" : "", report->n > 1 ? bare.text : "");
    mr_buf_fini(&bare);
    return st;
}
