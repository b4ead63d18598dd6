/* SPDX-License-Identifier: Apache-2.0 */
/* Power over time: duration curve, worst hour, ramps; temperatures and PUE against the weather;
 * then every other series that the file has. Map: the load - power - heat - groups. */
#include "engine/base/mem.h"
#include "engine/base/num.h"
#include "postprocess/report_impl.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double none = (double)NAN;

enum {
    n_ramp_bin = 24,
    group_charts_max = 40
};

/* ---- the load ---- */

mr_status mr_report_load_kw(const struct mr_report_file *file, struct mr_curve *out,
                            const char **what, struct mr_err *err)
{
    static const struct {
        const char *path, *what;
    } sources[] = {{"/grid/feed/measured_load_kw", "at the meter"},
                   {"/grid/feed/calculated_load_kw", "at the meter"},
                   {"/site/power_kw", "of the site"},
                   {"/site/it_kw", "of all racks"},
                   {"/power/rack_kw", "of all racks"},
                   {"/racks/power_kw", "of all racks"},
                   {"/pools/power_kw", "of the packages"}};
    *out = (struct mr_curve){.units = ""};
    *what = "";
    for (size_t i = 0; file->run != NULL && i < sizeof sources / sizeof *sources; i++)
        if (mr_curve_is(file->run, sources[i].path)) {
            *what = sources[i].what;
            return mr_curve_read(file->run, sources[i].path, MR_CURVE_SUM, out, err);
        }
    return MR_OK;
}

/* ---- power ---- */

struct lasting {
    double value, dt_s;
};

static int compare_down(const void *a, const void *b)
{
    const double x = ((const struct lasting *)a)->value, y = ((const struct lasting *)b)->value;
    return (x < y) - (x > y);
}

/* Values in falling order over the share of time, from 0 % for the highest to 100 % for the lowest.
 */
static mr_status make_duration(struct mr_curve *s, struct mr_err *err)
{
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

/* Energy from a sample to the next [kW s]. */
static double energy_kws(const struct mr_curve *s, size_t i)
{
    return isnan(s->value[i]) ? 0 : s->value[i] * (s->t_s[i + 1] - s->t_s[i]);
}

/* The hour with the largest mean, in its minutes; all of a shorter run. Windows are as many whole
 * intervals as an hour holds. */
static mr_status cut_worst_hour(struct mr_curve *s, struct mr_err *err)
{
    static const double hour_s = 3600 + 1e-6;
    double sum_kws = 0, best = -HUGE_VAL;
    size_t from = 0, best_from = 0, best_to = s->n;
    (void)err;
    mr_curve_hold(s);
    for (size_t i = 0; i + 1 < s->n; i++) {
        sum_kws += energy_kws(s, i);
        while (from < i && s->t_s[i + 1] - s->t_s[from] > hour_s)
            sum_kws -= energy_kws(s, from), from++;
        const double mean = sum_kws / (s->t_s[i + 1] - s->t_s[from]);
        if (mean > best && (i + 2 == s->n || s->t_s[i + 2] - s->t_s[from] > hour_s)) {
            best = mean;
            best_from = from;
            best_to = i + 2;
        }
    }
    s->n = best_to - best_from;
    const double from_s = s->t_s[best_from];
    for (size_t i = 0; i < s->n; i++) {
        s->t_s[i] = (s->t_s[best_from + i] - from_s) / 60;
        s->value[i] = s->value[best_from + i];
    }
    return MR_OK;
}

/* Slope of the load over a minute [MW/min], as grids count ramps: what single samples do is noise.
 * Of a short run, over a part of it. NaN before a window is full.
 * @param[in,out] before the sample a window before the i-th */
static double slope_at(const struct mr_curve *s, size_t i, size_t *before)
{
    const double window_s = fmin(60, (s->t_s[s->n - 1] - s->t_s[0]) / n_ramp_bin);
    while (*before + 1 < i && s->t_s[i] - s->t_s[*before + 1] >= window_s)
        (*before)++;
    const double span_s = s->t_s[i] - s->t_s[*before];
    return span_s >= window_s ? (s->value[i] - s->value[*before]) * 0.06 / span_s : none;
}

/* Share of the time by slope. */
static mr_status make_ramps(struct mr_curve *s, struct mr_err *err)
{
    double in_bin_s[n_ramp_bin] = {0}, all_s = 0, steepest = 0;
    size_t before = 0;
    (void)err;
    for (size_t i = 1; i < s->n; i++)
        steepest = fmax(steepest, fabs(slope_at(s, i, &before))); /* fmax passes over NaN */
    if (!(steepest > 0) || s->n < n_ramp_bin) {
        s->n = 0;
        return MR_OK;
    }
    before = 0;
    for (size_t i = 1; i < s->n; i++) {
        const double slope = slope_at(s, i, &before);
        if (isnan(slope))
            continue;
        const size_t bin = (size_t)((slope / steepest + 1) / 2 * n_ramp_bin);
        in_bin_s[bin < n_ramp_bin ? bin : n_ramp_bin - 1] += s->t_s[i] - s->t_s[i - 1];
        all_s += s->t_s[i] - s->t_s[i - 1];
    }
    for (size_t i = 0; i < n_ramp_bin; i++) {
        s->t_s[i] = ((double)i + 0.5) / n_ramp_bin * 2 * steepest - steepest;
        s->value[i] = 100 * in_bin_s[i] / all_s;
    }
    s->n = n_ramp_bin;
    return MR_OK;
}

static mr_status put_load_chart(const struct mr_report *report,
                                mr_status (*shape)(struct mr_curve *s, struct mr_err *err),
                                enum mr_chart_style style, const struct mr_report_axes *axes,
                                bool has_limits, struct mr_page *page, bool *is_drawn,
                                struct mr_err *err)
{
    struct mr_report_chart chart = {.is_whole = report->is_whole};
    mr_status st = MR_OK;
    for (size_t i = 0; i < report->n && st == MR_OK; i++) {
        const struct mr_report_file *file = &report->file[i];
        struct mr_curve load, target = {.units = ""};
        char named[96];
        const char *what;
        st = mr_report_load_kw(file, &load, &what, err);
        if (st == MR_OK && has_limits && i == report->baseline && file->run != NULL)
            st = mr_curve_read(file->run, "/grid/feed/target_kw", MR_CURVE_SUM, &target, err);
        double lowest = none;
        for (size_t k = 0; k < target.n; k++)
            lowest = fmin(lowest, target.value[k]); /* fmin passes over NaN */
        if (st == MR_OK && load.n > 0)
            st = shape(&load, err);
        mr_report_chart_add(&chart, &load, style, "%s", mr_report_named(file, what, named));
        if (has_limits && i == report->baseline) {
            mr_report_chart_mark(&chart, lowest, false, "tightest constraint of the grid");
            mr_report_chart_mark(&chart,
                                 1e3 * mr_figures_value(&file->figures, "power.feed_limit_mw"),
                                 false, "limit of the feed");
        }
        mr_curve_fini(&target);
    }
    *is_drawn = st == MR_OK && mr_report_chart_put(&chart, axes, page);
    mr_report_chart_fini(&chart);
    return st;
}

mr_status mr_report_power(const struct mr_report *report, struct mr_page *page, struct mr_err *err)
{
    bool has_duration, has_hour, has_ramps;
    mr_buf_text(&page->out, "<div class=\"grid\">");
    MR_TRY(put_load_chart(report, make_duration, MR_CHART_LINE,
                          &(struct mr_report_axes){.title = "Duration curve",
                                                   .x_label = "share of the time, %",
                                                   .y_label = "kW",
                                                   .sheet = "power_duration",
                                                   .shade_x = none},
                          true, page, &has_duration, err));
    MR_TRY(put_load_chart(report, cut_worst_hour, MR_CHART_STEP,
                          &(struct mr_report_axes){.title = "Hour of the highest load",
                                                   .x_label = "minute of that hour",
                                                   .y_label = "kW",
                                                   .sheet = "power_worst_hour",
                                                   .shade_x = none},
                          true, page, &has_hour, err));
    MR_TRY(put_load_chart(report, make_ramps, MR_CHART_BARS,
                          &(struct mr_report_axes){.title = "Ramps",
                                                   .x_label = "MW/min, over a minute at most",
                                                   .y_label = "% of the time",
                                                   .sheet = "power_ramps",
                                                   .is_from_zero = true,
                                                   .shade_x = none},
                          false, page, &has_ramps, err));
    mr_buf_text(&page->out, "</div>\n");
    if (!has_duration)
        mr_page_missing(page,
                        "No power over time in the file: it would come from /grid/feed, /site or "
                        "/racks.");
    else if (!has_ramps)
        mr_page_missing(page,
                        "No ramps: the load never changed, or too few samples were recorded.");
    return MR_OK;
}

/* ---- heat ---- */

struct quantity {
    const char *path, *name;
    enum mr_curve_how how;
};

/* A chart of one unit: of a single file all quantities, of several one chart per quantity. */
static mr_status put_quantities(const struct mr_report *report, const struct quantity *q, size_t n,
                                const char *title, const char *sheet, struct mr_page *page,
                                bool *is_drawn, struct mr_err *err)
{
    struct mr_report_chart chart = {.is_whole = report->is_whole};
    mr_status st = MR_OK;
    for (size_t k = 0; k < n && st == MR_OK; k++)
        for (size_t i = 0; i < report->n && st == MR_OK; i++) {
            const struct mr_report_file *file = &report->file[i];
            struct mr_curve series = {.units = ""};
            char named[96];
            if (file->run != NULL)
                st = mr_curve_read(file->run, q[k].path, q[k].how, &series, err);
            chart.has_peaks = q[k].how == MR_CURVE_MAX;
            mr_report_chart_add(&chart, &series, MR_CHART_LINE, "%s",
                                mr_report_named(file, q[k].name, named));
        }
    const struct mr_report_axes axes = {
        .title = title, .y_label = "degC", .sheet = sheet, .is_over_time = true, .shade_x = none};
    if (st == MR_OK && mr_report_chart_put(&chart, &axes, page))
        *is_drawn = true;
    mr_report_chart_fini(&chart);
    return st;
}

/* Series of several groups that make a PUE against the weather. */
enum pue_series {
    RACKS,
    AIR,
    PART, /* the first of those that are over the racks' */
    n_pue_series = PART + 4
};

/* (more + parts) / racks over the dry bulb, from date to date that all have. Empty without racks,
 * weather or the first part. @param[in,out] c the parts are there; all are given up */
static mr_status make_pue(const struct mr_runread *run, const char *racks, double more,
                          const double *sign, struct mr_curve *c, struct mr_curve *out,
                          struct mr_err *err)
{
    mr_status st = mr_curve_read(run, racks, MR_CURVE_SUM, &c[RACKS], err);
    if (st == MR_OK)
        st = mr_curve_read(run, "/weather/dry_bulb_c", MR_CURVE_MEAN, &c[AIR], err);
    if (st == MR_OK)
        st = mr_curve_pair(c, n_pue_series, err);
    const size_t n = c[RACKS].n > 0 && c[PART].n > 0 ? c[AIR].n : 0;
    for (size_t i = 0; i < n; i++) {
        double sum_kw = 0;
        for (size_t k = PART; k < n_pue_series; k++)
            sum_kw += c[k].n > 0 ? sign[k - PART] * c[k].value[i] : 0;
        c[AIR].t_s[i] = c[AIR].value[i];
        c[AIR].value[i] = c[RACKS].value[i] > 0 ? more + sum_kw / c[RACKS].value[i] : none;
    }
    if (st == MR_OK && n > 0) {
        *out = c[AIR];
        out->n = n > 1 ? n - 1 : 1; /* the last date begins nothing */
        c[AIR] = (struct mr_curve){.units = ""};
    }
    for (size_t k = 0; k < n_pue_series; k++)
        mr_curve_fini(&c[k]);
    return st;
}

/* Everything that comes in over the racks, as the figure power.pue has it: below 0 storages give.
 */
static mr_status read_whole_pue(const struct mr_report_file *file, struct mr_curve *out,
                                struct mr_err *err)
{
    static const char *const own[] = {"/power/generator_kw", "/power/solar_kw",
                                      "/power/storage_kw"};
    static const double sign[] = {1, 1, 1, -1};
    struct mr_curve c[n_pue_series] = {{.n = 0}};
    const char *what;
    if (!mr_curve_is(file->run, "/power/rack_kw"))
        return MR_OK;
    mr_status st = mr_report_load_kw(file, &c[PART], &what, err);
    if (strcmp(what, "at the meter") != 0)
        mr_curve_fini(&c[PART]);
    for (size_t k = 0; k < sizeof own / sizeof *own && st == MR_OK; k++)
        st = mr_curve_read(file->run, own[k], MR_CURVE_SUM, &c[PART + 1 + k], err);
    if (st == MR_OK)
        return make_pue(file->run, "/power/rack_kw", 0, sign, c, out, err);
    for (size_t k = 0; k < n_pue_series; k++)
        mr_curve_fini(&c[k]);
    return st;
}

/* (racks + what cools them) / racks. What cools is known as one number where the power was played,
 * air handlers and all; else as the sum of its parts. Empty without. */
static mr_status read_cooling_pue(const struct mr_runread *run, struct mr_curve *out,
                                  struct mr_err *err)
{
    static const char *const house[] = {"/power/house_kw"};
    static const char *const extras[] = {"/cdus/electric_kw", "/plant/rejection/fan_power_kw",
                                         "/plant/rejection/chiller_power_kw",
                                         "/plant/rejection/pump_power_kw"};
    static const double sign[] = {1, 1, 1, 1};
    const bool is_whole = mr_curve_is(run, house[0]);
    const char *const *path = is_whole ? house : extras;
    const size_t n = is_whole ? 1 : sizeof extras / sizeof *extras;
    struct mr_curve c[n_pue_series] = {{.n = 0}};
    mr_status st = MR_OK;
    if (!is_whole && !mr_curve_is(run, "/plant/rejection/fan_power_kw"))
        return MR_OK;
    for (size_t k = 0; k < n && st == MR_OK; k++)
        st = mr_curve_read(run, path[k], MR_CURVE_SUM, &c[PART + k], err);
    if (st == MR_OK)
        return make_pue(run, is_whole ? "/power/rack_kw" : "/racks/power_kw", 1, sign, c, out, err);
    for (size_t k = 0; k < n_pue_series; k++)
        mr_curve_fini(&c[k]);
    return st;
}

static void add_pue(const struct mr_report_file *file, struct mr_curve *take_pue, const char *name,
                    struct mr_report_chart *chart)
{
    char named[96];
    mr_report_chart_add(chart, take_pue, MR_CHART_POINTS, "%s", mr_report_named(file, name, named));
}

static mr_status put_pue(const struct mr_report *report, struct mr_page *page, bool *is_drawn,
                         struct mr_err *err)
{
    struct mr_report_chart chart = {.is_whole = report->is_whole};
    mr_status st = MR_OK;
    for (size_t i = 0; i < report->n && st == MR_OK; i++) {
        const struct mr_report_file *file = &report->file[i];
        struct mr_curve whole = {.units = ""}, cooling = {.units = ""};
        if (file->run == NULL)
            continue;
        st = read_whole_pue(file, &whole, err);
        if (st == MR_OK)
            add_pue(file, &whole, "all that comes in", &chart);
        if (st == MR_OK)
            st = read_cooling_pue(file->run, &cooling, err);
        if (st == MR_OK)
            add_pue(file, &cooling, "cooling alone", &chart);
        mr_curve_fini(&whole);
        mr_curve_fini(&cooling);
    }
    const struct mr_report_axes axes = {.title = "PUE against the weather",
                                        .x_label = "dry bulb, degC",
                                        .y_label = "power over that of the racks",
                                        .sheet = "heat_pue",
                                        .shade_x = none};
    *is_drawn = st == MR_OK && mr_report_chart_put(&chart, &axes, page);
    mr_report_chart_fini(&chart);
    return st;
}

mr_status mr_report_heat(const struct mr_report *report, struct mr_page *page, struct mr_err *err)
{
    static const struct quantity dies[] = {{"/racks/die_max_c", "hottest die", MR_CURVE_MAX},
                                           {"/racks/die_mean_c", "mean die", MR_CURVE_MEAN}};
    static const struct quantity water[] = {
        {"/racks/liquid_supply_c", "warmest supply of a rack", MR_CURVE_MAX},
        {"/racks/liquid_return_c", "warmest return of a rack", MR_CURVE_MAX},
        {"/plant/rejection/leaving_c", "facility water out", MR_CURVE_MAX}};
    static const struct quantity air[] = {{"/weather/dry_bulb_c", "dry bulb", MR_CURVE_MEAN},
                                          {"/weather/wet_bulb_c", "wet bulb", MR_CURVE_MEAN},
                                          {"/plant/room_c", "warmest room", MR_CURVE_MAX}};
    bool has_any = false, has_weather = false, has_pue;
    mr_buf_text(&page->out, "<div class=\"grid\">");
    MR_TRY(put_quantities(report, dies, 2, "Dies", "heat_dies", page, &has_any, err));
    MR_TRY(put_quantities(report, water, 3, "Coolant", "heat_coolant", page, &has_any, err));
    MR_TRY(put_quantities(report, air, 3, "Air", "heat_air", page, &has_weather, err));
    MR_TRY(put_pue(report, page, &has_pue, err));
    mr_buf_text(&page->out, "</div>\n");
    if (!has_any && !has_weather)
        mr_page_missing(
            page, "No temperatures in the file (groups /racks, /plant, /weather): the run did "
                  "not drive the coolant.");
    else if (!has_pue)
        mr_page_missing(page,
                        "No PUE against weather: this needs /racks, /cdus, /plant/rejection and "
                        "/weather in one file.");
    return MR_OK;
}

/* ---- groups ---- */

static bool is_shown_elsewhere(const char *group)
{
    static const char *const groups[] = {"/racks", "/weather", "/cdus",
                                         "/plant", "/meters",  "/plant/rejection"};
    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++)
        if (strcmp(group, groups[i]) == 0)
            return true;
    return false;
}

/* Power, energy, rates and sizes of many are one in all; temperatures and shares are not. */
static bool adds_up(const char *units)
{
    static const char *const sums[] = {"kW", "kW h", "s-1", "GB", "L min-1"};
    for (size_t i = 0; i < sizeof sums / sizeof *sums; i++)
        if (strcmp(units, sums[i]) == 0)
            return true;
    return false;
}

static mr_status add_entities(const struct mr_report_file *file, const struct mr_runread_set *set,
                              struct mr_report_chart *chart, struct mr_err *err)
{
    enum {
        n_entity_max = 8
    };
    const size_t n = mr_runread_width(set);
    const struct mr_runread_set *axis =
        set->rank == 2 ? mr_runread_find(file->run, set->axis[1]) : NULL;
    const char *const *name = NULL;
    char named[96];
    struct mr_curve series;
    if (axis != NULL && axis->is_text)
        MR_TRY(mr_runread_texts(file->run, axis, &name, err));
    if (n > n_entity_max) {
        const bool is_sum = adds_up(set->units);
        MR_TRY(mr_curve_read(file->run, set->path, is_sum ? MR_CURVE_SUM : MR_CURVE_MEAN, &series,
                             err));
        mr_report_chart_add(chart, &series, MR_CHART_LINE, "%s%s of %zu",
                            mr_report_named(file, "", named), is_sum ? "sum" : "mean", n);
        return MR_OK;
    }
    for (size_t k = 0; k < n; k++) {
        MR_TRY(mr_curve_one(file->run, set->path, k, &series, err));
        mr_report_chart_add(chart, &series, MR_CHART_LINE, "%s",
                            mr_report_named(file, name != NULL ? name[k] : set->name, named));
    }
    return MR_OK;
}

/* Is it one number for all and for ever? That is no picture. @param[out] value NaN: none at all */
static bool is_constant(const struct mr_report_chart *chart, double *value)
{
    *value = none;
    for (size_t s = 0; s < chart->n; s++)
        for (size_t i = 0; i < chart->series[s].n; i++) {
            const double v = chart->series[s].value[i];
            if (isnan(*value))
                *value = v;
            else if (!isnan(v) && (v < *value || v > *value))
                return false;
        }
    return chart->n > 0;
}

/* Series that were drawn, over their largest value: many others are these times a factor (a
 * voltage, a power factor, the only row of a hall), and say nothing new. */
struct drawn {
    struct {
        char name[96];
        size_t n;
        double *part;
        double from_s, to_s; /* groups have dates of their own */
        size_t i_chart;
    } series[group_charts_max * MR_REPORT_LINES];
    const char *path[group_charts_max]; /* of the file */
    size_t n_series, n_chart;
    struct mr_buf still, alike; /* what is told in words */
};

static double largest(const struct mr_curve *curve)
{
    double most = 0;
    for (size_t i = 0; i < curve->n; i++)
        most = fmax(most, isnan(curve->value[i]) ? 0 : fabs(curve->value[i]));
    return most;
}

/* To a hundredth of what the curve spans. */
static bool is_part(const struct mr_curve *curve, const double *part)
{
    const double most = largest(curve);
    double low = HUGE_VAL, high = -HUGE_VAL;
    for (size_t i = 0; i < curve->n; i++) {
        low = fmin(low, part[i]); /* fmin passes over NaN */
        high = fmax(high, part[i]);
    }
    for (size_t i = 0; i < curve->n; i++) {
        const double v = most > 0 ? curve->value[i] / most : 0;
        if (isnan(v) != isnan(part[i]) || fabs(v - part[i]) > (high - low) / 100)
            return false;
    }
    return true;
}

/* The s-th of its chart, or of the same name. */
static bool is_in_chart(const struct drawn *drawn, size_t i_chart, const struct mr_curve *curve,
                        const char *name, size_t s, bool is_in_order)
{
    size_t i = 0;
    for (size_t k = 0; k < drawn->n_series; k++) {
        if (drawn->series[k].i_chart != i_chart)
            continue;
        const bool is_meant = is_in_order ? i == s : strcmp(drawn->series[k].name, name) == 0;
        i++;
        if (is_meant && drawn->series[k].n == curve->n &&
            fabs(drawn->series[k].from_s - curve->t_s[0]) < 1e-6 &&
            fabs(drawn->series[k].to_s - curve->t_s[curve->n - 1]) < 1e-6 &&
            is_part(curve, drawn->series[k].part))
            return true;
    }
    return false;
}

/* @return the chart that all series are of, or one past the last */
static size_t find_alike(const struct drawn *drawn, const struct mr_report_chart *chart)
{
    for (size_t c = 0; c < drawn->n_chart; c++)
        for (int is_in_order = 0; is_in_order < 2; is_in_order++) {
            size_t n_found = 0;
            for (size_t s = 0; s < chart->n; s++)
                n_found +=
                    is_in_chart(drawn, c, &chart->series[s], chart->name[s], s, is_in_order != 0)
                        ? 1
                        : 0;
            if (n_found == chart->n)
                return c;
        }
    return drawn->n_chart;
}

static mr_status keep_drawn(struct drawn *drawn, const struct mr_report_chart *chart,
                            const char *path, struct mr_err *err)
{
    if (drawn->n_chart == group_charts_max)
        return MR_OK;
    for (size_t s = 0; s < chart->n; s++) {
        const struct mr_curve *curve = &chart->series[s];
        const double most = largest(curve);
        double *part = mr_alloc_zero(curve->n + 1, sizeof *part);
        if (part == NULL)
            return mr_err_nomem(err, curve->n * sizeof *part);
        for (size_t i = 0; i < curve->n; i++)
            part[i] = most > 0 ? curve->value[i] / most : 0;
        (void)snprintf(drawn->series[drawn->n_series].name, sizeof drawn->series[0].name, "%s",
                       chart->name[s]);
        drawn->series[drawn->n_series].n = curve->n;
        drawn->series[drawn->n_series].part = part;
        drawn->series[drawn->n_series].from_s = curve->n > 0 ? curve->t_s[0] : 0;
        drawn->series[drawn->n_series].to_s = curve->n > 0 ? curve->t_s[curve->n - 1] : 0;
        drawn->series[drawn->n_series++].i_chart = drawn->n_chart;
    }
    drawn->path[drawn->n_chart++] = path;
    return MR_OK;
}

static mr_status put_set(const struct mr_report *report, const char *path, struct mr_page *page,
                         struct drawn *drawn, struct mr_err *err)
{
    struct mr_buf *still = &drawn->still;
    struct mr_report_chart chart = {.is_whole = report->is_whole};
    const struct mr_runread_set *shown = NULL;
    mr_status st = MR_OK;
    for (size_t i = 0; i < report->n && st == MR_OK; i++) {
        const struct mr_report_file *file = &report->file[i];
        const struct mr_runread_set *set =
            file->run != NULL ? mr_runread_find(file->run, path) : NULL;
        if (set == NULL || !mr_curve_is(file->run, path))
            continue;
        shown = set;
        st = add_entities(file, set, &chart, err);
    }
    char sheet[64], title[160];
    if (shown == NULL)
        return st;
    (void)snprintf(sheet, sizeof sheet, "series%s", path);
    for (char *p = sheet; *p != '\0'; p++)
        if (*p == '/')
            *p = '_';
    (void)snprintf(title, sizeof title, "%s (%s)",
                   shown->long_name[0] != '\0' ? shown->long_name : shown->name, path + 1);
    const struct mr_report_axes axes = {.title = title,
                                        .y_label = shown->units,
                                        .sheet = sheet,
                                        .is_over_time = true,
                                        .shade_x = none};
    double value;
    char number[MR_NUM_CAP];
    if (st == MR_OK && is_constant(&chart, &value)) {
        (void)mr_num_format_human(value, 4, number);
        mr_buf_printf(still, "%s%s: %s", still->n > 0 ? "; " : "", path + 1,
                      isnan(value) ? "none" : number);
        if (strcmp(shown->units, "1") != 0 && !isnan(value))
            mr_buf_printf(still, " %s", shown->units);
    } else if (st == MR_OK && chart.n > 0) {
        const size_t same = find_alike(drawn, &chart);
        if (same < drawn->n_chart) {
            mr_buf_printf(&drawn->alike, "%s%s (%s)", drawn->alike.n > 0 ? "; " : "", path + 1,
                          drawn->path[same]);
        } else {
            st = keep_drawn(drawn, &chart, path + 1, err);
            (void)mr_report_chart_put(&chart, &axes, page);
        }
    }
    mr_report_chart_fini(&chart);
    return st;
}

/* Whether a file before this one has shown the path already. */
static bool is_done(const struct mr_report *report, size_t i_file, const char *path)
{
    for (size_t i = 0; i < i_file; i++)
        if (report->file[i].run != NULL && mr_curve_is(report->file[i].run, path))
            return true;
    return false;
}

static mr_status put_sets(const struct mr_report *report, struct mr_page *page, struct drawn *drawn,
                          struct mr_err *err)
{
    for (size_t i = 0; i < report->n; i++) {
        const struct mr_runread *run = report->file[i].run;
        for (size_t k = 0;
             run != NULL && k < mr_runread_n(run) && drawn->n_chart < group_charts_max; k++) {
            const struct mr_runread_set *set = mr_runread_at(run, k);
            if (set->n_flag > 0 || is_shown_elsewhere(set->group) || !mr_curve_is(run, set->path) ||
                is_done(report, i, set->path))
                continue;
            MR_TRY(put_set(report, set->path, page, drawn, err));
        }
    }
    return MR_OK;
}

mr_status mr_report_groups(const struct mr_report *report, struct mr_page *page, struct mr_err *err)
{
    struct drawn *drawn = mr_alloc_zero(1, sizeof *drawn);
    if (drawn == NULL)
        return mr_err_nomem(err, sizeof *drawn);
    mr_buf_text(&page->out, "<div class=\"grid\">");
    const mr_status st = put_sets(report, page, drawn, err);
    mr_buf_text(&page->out, "</div>\n");
    if (drawn->n_chart > 0)
        mr_page_say(page,
                    "Drawn, and behind the links: means of equal parts where a course has more "
                    "than %d samples. --csv and millrace export give every sample, export also "
                    "those of /meters, /racks and /cdus one by one.",
                    MR_REPORT_POINTS);
    if (drawn->alike.n > 0)
        mr_page_say(page,
                    "Drawn as another, with which they are the same but for a factor, to 1 %% of "
                    "the range: %s.",
                    drawn->alike.text);
    if (drawn->still.n > 0)
        mr_page_say(page, "The same throughout: %s.", drawn->still.text);
    if (drawn->n_chart == 0)
        mr_page_missing(page,
                        "No series of the site, its pools, tiers, halls or feeds in the file.");
    mr_buf_fini(&drawn->still);
    mr_buf_fini(&drawn->alike);
    for (size_t i = 0; i < drawn->n_series; i++)
        mr_free(drawn->series[i].part);
    mr_free(drawn);
    return st;
}
