/* SPDX-License-Identifier: Apache-2.0 */
/* Every series over time that no other section shows, a chart each; those that are another one
 * times a factor, and those that never change, are told in words. */
#include "engine/base/mem.h"
#include "engine/base/num.h"
#include "postprocess/report_impl.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const double none = (double)NAN;

enum {
    group_charts_max = 40
};

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
        const enum mr_curve_how how = mr_curve_way(set, adds_up(set->units), MR_CURVE_MEAN);
        const char *const word = how == MR_CURVE_SUM   ? "sum"
                                 : how == MR_CURVE_MAX ? "largest"
                                 : how == MR_CURVE_MIN ? "least"
                                                       : "mean";
        MR_TRY(mr_curve_read(file->run, set->path, how, &series, err));
        mr_report_chart_add(chart, &series, MR_CHART_LINE, "%s%s of %zu",
                            mr_report_named(file, "", named), word, n);
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
        chart.has_peaks = set->is_peak;
        chart.has_lows = set->is_low;
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
                    "than %d samples, of peaks their largest. --csv and millrace export give every "
                    "sample, export also "
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
