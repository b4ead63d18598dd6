/* SPDX-License-Identifier: Apache-2.0 */
/* Power over time: duration curve, worst hour, ramps; temperatures and PUE against the weather.
 * Map: the load - ramps - the worst hour - power - heat. */
#include "engine/base/mem.h"
#include "postprocess/report_impl.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const double none = (double)NAN;

enum {
    n_ramp_bin = 24
};

/* ---- the load ---- */

/* @param[out] peaks path of its highest seconds, NULL: none; of many racks they do not add up */
static mr_status load_of(const struct mr_report_file *file, struct mr_curve *out, const char **what,
                         const char **peaks, struct mr_err *err)
{
    static const struct {
        const char *path, *what, *peaks;
    } sources[] = {{"/grid/feed/measured_load_kw", "at the meter", "/grid/feed/load_max_kw"},
                   {"/grid/feed/calculated_load_kw", "at the meter", "/grid/feed/load_max_kw"},
                   {"/site/power_kw", "of the site", NULL},
                   {"/site/it_kw", "of all racks", "/site/it_max_kw"},
                   {"/power/rack_kw", "of all racks", NULL},
                   {"/racks/power_kw", "of all racks", NULL},
                   {"/pools/power_kw", "of the packages", NULL}};
    *out = (struct mr_curve){.units = ""};
    *what = "";
    *peaks = NULL;
    for (size_t i = 0; file->run != NULL && i < sizeof sources / sizeof *sources; i++)
        if (mr_curve_is(file->run, sources[i].path)) {
            *what = sources[i].what;
            if (sources[i].peaks != NULL && mr_curve_is(file->run, sources[i].peaks))
                *peaks = sources[i].peaks;
            return mr_curve_read(file->run, sources[i].path, MR_CURVE_SUM, out, err);
        }
    return MR_OK;
}

mr_status mr_report_load_kw(const struct mr_report_file *file, struct mr_curve *out,
                            const char **what, struct mr_err *err)
{
    const char *peaks;
    return load_of(file, out, what, &peaks, err);
}

/* ---- ramps ---- */

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
static void make_ramps(struct mr_curve *s)
{
    double in_bin_s[n_ramp_bin] = {0}, all_s = 0, steepest = 0;
    size_t before = 0;
    for (size_t i = 1; i < s->n; i++)
        steepest = fmax(steepest, fabs(slope_at(s, i, &before))); /* fmax passes over NaN */
    if (!(steepest > 0) || s->n < n_ramp_bin) {
        s->n = 0;
        return;
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
}

/* ---- the worst hour ---- */

/* Energy from a sample to the next [kW s]. */
static double energy_kws(const struct mr_curve *s, size_t i)
{
    return isnan(s->value[i]) ? 0 : s->value[i] * (s->t_s[i + 1] - s->t_s[i]);
}

struct span {
    double from_s, to_s;
};

/* The hour with the largest mean; all of a shorter run. Windows are as many whole intervals as an
 * hour holds. @param[in] s holds from its dates on */
static struct span find_worst_hour(const struct mr_curve *s)
{
    static const double hour_s = 3600 + 1e-6;
    struct span worst = {s->t_s[0], s->t_s[s->n - 1]};
    double sum_kws = 0, best = -HUGE_VAL;
    size_t from = 0;
    for (size_t i = 0; i + 1 < s->n; i++) {
        sum_kws += energy_kws(s, i);
        while (from < i && s->t_s[i + 1] - s->t_s[from] > hour_s)
            sum_kws -= energy_kws(s, from), from++;
        const double mean = sum_kws / (s->t_s[i + 1] - s->t_s[from]);
        if (mean > best && (i + 2 == s->n || s->t_s[i + 2] - s->t_s[from] > hour_s)) {
            best = mean;
            worst = (struct span){s->t_s[from], s->t_s[i + 1]};
        }
    }
    return worst;
}

/* What lies in it, in its minutes. */
static void cut(struct mr_curve *s, struct span span)
{
    size_t n = 0;
    for (size_t i = 0; i < s->n; i++) {
        if (!(s->t_s[i] >= span.from_s) || s->t_s[i] > span.to_s)
            continue;
        s->value[n] = s->value[i];
        s->t_s[n++] = (s->t_s[i] - span.from_s) / 60;
    }
    s->n = n;
}

/* Samples as they are, and where they are means of more than a second the highest second of each.
 * Of more samples than can be seen the lowest and the highest of equal parts stay. */
static mr_status add_hour(const struct mr_report_file *file, struct mr_report_chart *chart,
                          struct mr_err *err)
{
    static const double second_s = 1 + 1e-6;
    struct mr_curve load, peak = {.units = ""};
    const char *what, *peaks;
    char named[96], words[96];
    MR_TRY(load_of(file, &load, &what, &peaks, err));
    if (load.n < 2) {
        mr_curve_fini(&load);
        return MR_OK;
    }
    mr_curve_hold(&load);
    const struct span hour = find_worst_hour(&load);
    const double apart_s = (load.t_s[load.n - 1] - load.t_s[0]) / (double)(load.n - 1);
    mr_status st = MR_OK;
    if (apart_s > second_s && peaks != NULL)
        st = mr_curve_read(file->run, peaks, MR_CURVE_MAX, &peak, err);
    mr_curve_hold(&peak);
    cut(&load, hour);
    cut(&peak, hour);
    (void)snprintf(words, sizeof words, "%s, highest second", what);
    mr_report_chart_add(chart, &load, MR_CHART_STEP, "%s", mr_report_named(file, what, named));
    if (st == MR_OK)
        mr_report_chart_add(chart, &peak, MR_CHART_STEP, "%s", mr_report_named(file, words, named));
    return st;
}

/* ---- power ---- */

/* The least that the grid allowed, in kW; NaN: nothing told. */
static mr_status read_constraint(const struct mr_report_file *file, double *lowest,
                                 struct mr_err *err)
{
    struct mr_curve target = {.units = ""};
    *lowest = none;
    if (file->run != NULL)
        MR_TRY(mr_curve_read(file->run, "/grid/feed/target_kw", MR_CURVE_SUM, &target, err));
    for (size_t k = 0; k < target.n; k++)
        *lowest = fmin(*lowest, target.value[k]); /* fmin passes over NaN */
    mr_curve_fini(&target);
    return MR_OK;
}

static bool is_near(double a, double b)
{
    return fabs(a - b) <= 1e-9 * fabs(a);
}

/* A mark for each level, with the letters of its files where others have another one. */
static void mark_levels(const struct mr_report *report, const double *level, const char *what,
                        struct mr_report_chart *chart)
{
    for (size_t i = 0; i < report->n; i++) {
        char whose[32] = "";
        bool is_told = false, is_of_all = true;
        for (size_t k = 0; k < report->n; k++) {
            if (!is_near(level[k], level[i])) {
                is_of_all = is_of_all && isnan(level[k]);
                continue;
            }
            is_told = is_told || k < i;
            const size_t n = strlen(whose);
            (void)snprintf(whose + n, sizeof whose - n, "%s ", report->file[k].label);
        }
        if (!is_told)
            mr_report_chart_mark(chart, level[i], false, "%s%s", is_of_all ? "" : whose, what);
    }
}

/* Constraints of the grid and limits of feeds, of every file. */
static mr_status add_limits(const struct mr_report *report, struct mr_report_chart *chart,
                            struct mr_err *err)
{
    double *level = mr_alloc(report->n, sizeof *level);
    mr_status st = MR_OK;
    if (level == NULL)
        return mr_err_nomem(err, report->n * sizeof *level);
    for (size_t i = 0; i < report->n; i++)
        level[i] = 1e3 * mr_figures_value(&report->file[i].figures, "power.feed_limit_mw");
    mark_levels(report, level, "limit of the feed", chart);
    for (size_t i = 0; i < report->n && st == MR_OK; i++)
        st = read_constraint(&report->file[i], &level[i], err);
    if (st == MR_OK)
        mark_levels(report, level, "tightest grid constraint", chart);
    mr_free(level);
    return st;
}

static mr_status add_duration(const struct mr_report_file *file, struct mr_report_chart *chart,
                              struct mr_err *err)
{
    struct mr_curve load;
    const char *what;
    char named[96];
    MR_TRY(mr_report_load_kw(file, &load, &what, err));
    const mr_status st = mr_curve_duration(&load, err);
    mr_report_chart_add(chart, &load, MR_CHART_LINE, "%s", mr_report_named(file, what, named));
    return st;
}

static mr_status add_ramps(const struct mr_report_file *file, struct mr_report_chart *chart,
                           struct mr_err *err)
{
    struct mr_curve load;
    const char *what;
    char named[96];
    MR_TRY(mr_report_load_kw(file, &load, &what, err));
    if (load.n > 0)
        make_ramps(&load);
    mr_report_chart_add(chart, &load, MR_CHART_BARS, "%s", mr_report_named(file, what, named));
    return MR_OK;
}

static mr_status put_load_chart(const struct mr_report *report,
                                mr_status (*add)(const struct mr_report_file *file,
                                                 struct mr_report_chart *chart, struct mr_err *err),
                                bool has_limits, const struct mr_report_axes *axes,
                                struct mr_page *page, bool *is_drawn, struct mr_err *err)
{
    struct mr_report_chart chart = {.is_whole = report->is_whole, .has_ends = add == add_hour};
    mr_status st = MR_OK;
    for (size_t i = 0; i < report->n && st == MR_OK; i++)
        st = add(&report->file[i], &chart, err);
    if (st == MR_OK && has_limits)
        st = add_limits(report, &chart, err);
    *is_drawn = st == MR_OK && mr_report_chart_put(&chart, axes, page);
    mr_report_chart_fini(&chart);
    return st;
}

mr_status mr_report_power(const struct mr_report *report, struct mr_page *page, struct mr_err *err)
{
    bool has_duration, has_hour, has_ramps;
    mr_buf_text(&page->out, "<div class=\"grid\">");
    MR_TRY(put_load_chart(report, add_duration, true,
                          &(struct mr_report_axes){.title = "Duration curve",
                                                   .x_label = "share of the time, %",
                                                   .y_label = "kW",
                                                   .sheet = "power_duration",
                                                   .shade_x = none},
                          page, &has_duration, err));
    MR_TRY(mr_report_fullest(report, page, err));
    MR_TRY(put_load_chart(report, add_hour, true,
                          &(struct mr_report_axes){.title = "Hour of the highest load",
                                                   .x_label = "minute of that hour",
                                                   .y_label = "kW",
                                                   .sheet = "power_worst_hour",
                                                   .shade_x = none},
                          page, &has_hour, err));
    MR_TRY(put_load_chart(report, add_ramps, false,
                          &(struct mr_report_axes){.title = "Ramps",
                                                   .x_label = "MW/min, over a minute at most",
                                                   .y_label = "% of the time",
                                                   .sheet = "power_ramps",
                                                   .is_from_zero = true,
                                                   .shade_x = none},
                          page, &has_ramps, err));
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
