/* SPDX-License-Identifier: Apache-2.0 */
/* Files, the order of the sections, charts made of series. */
#include "postprocess/report.h"

#include "engine/base/mem.h"
#include "postprocess/report_impl.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* ---- files ---- */

static mr_status load_file(const char *path, struct mr_report_file *file, struct mr_err *err)
{
    if (!mr_runread_is(path))
        return mr_figures_load(path, &file->figures, err);
    MR_TRY(mr_runread_open(path, NULL, &file->run, err));
    return mr_figures_read(file->run, &file->figures, err);
}

static bool is_name_of_another(const struct mr_report *report, size_t i)
{
    for (size_t k = 0; k < report->n; k++)
        if (k != i && strcmp(report->file[k].figures.name, report->file[i].figures.name) == 0)
            return true;
    return false;
}

/* Runs of one scenario are told apart by their files. @param[out] name NULL: as they were */
static mr_status tell_apart(struct mr_report *report, const char *const *path, const char **name,
                            struct mr_err *err)
{
    for (size_t i = 0; i < report->n; i++) {
        struct mr_figures *f = &report->file[i].figures;
        const char *slash = strrchr(path[i], '/'), *base = slash != NULL ? slash + 1 : path[i];
        bool is_base_alone = true;
        name[i] = NULL;
        if (!is_name_of_another(report, i))
            continue;
        for (size_t k = 0; k < report->n; k++) {
            const char *other = strrchr(path[k], '/');
            is_base_alone =
                is_base_alone && (k == i || strcmp(base, other != NULL ? other + 1 : path[k]) != 0);
        }
        struct mr_buf text = {0};
        mr_buf_printf(&text, "%s (%s)", f->name, is_base_alone ? base : path[i]);
        mr_status st = mr_buf_check(&text, err);
        if (st == MR_OK) {
            name[i] = mr_arena_text(&f->arena, (struct mr_str){text.text, text.n}, err);
            st = name[i] != NULL ? MR_OK : MR_NOMEM;
        }
        mr_buf_fini(&text);
        MR_TRY(st);
    }
    for (size_t i = 0; i < report->n; i++)
        if (name[i] != NULL)
            report->file[i].figures.name = name[i];
    return MR_OK;
}

mr_status mr_report_load(const char *const *path, size_t n, size_t baseline, struct mr_report *out,
                         struct mr_err *err)
{
    *out = (struct mr_report){.n = n, .baseline = baseline};
    out->file = mr_alloc_zero(n, sizeof *out->file);
    if (out->file == NULL)
        return mr_err_nomem(err, n * sizeof *out->file);
    for (size_t i = 0; i < n; i++) {
        if (n > 26)
            (void)snprintf(out->file[i].label, sizeof out->file[i].label, "F%zu", i + 1);
        else if (n > 1)
            (void)snprintf(out->file[i].label, sizeof out->file[i].label, "%c", (int)('A' + i));
        MR_TRY(load_file(path[i], &out->file[i], err));
    }
    const char **name = mr_alloc(n, sizeof *name);
    const mr_status st =
        name != NULL ? tell_apart(out, path, name, err) : mr_err_nomem(err, n * sizeof *name);
    mr_free(name);
    return st;
}

void mr_report_fini(struct mr_report *report)
{
    for (size_t i = 0; report->file != NULL && i < report->n; i++) {
        mr_runread_close(report->file[i].run);
        mr_figures_fini(&report->file[i].figures);
    }
    mr_free(report->file);
    *report = (struct mr_report){0};
}

/* ---- charts ---- */

void mr_report_chart_add(struct mr_report_chart *chart, struct mr_curve *take_series,
                         enum mr_chart_style style, const char *fmt, ...)
{
    va_list args;
    size_t n_value = 0;
    for (size_t i = 0; i < take_series->n; i++)
        n_value += isnan(take_series->value[i]) ? 0 : 1;
    if (n_value == 0 || chart->n == MR_REPORT_LINES) {
        mr_curve_fini(take_series);
        return;
    }
    va_start(args, fmt);
    (void)vsnprintf(chart->name[chart->n], sizeof chart->name[0], fmt, args);
    va_end(args);
    struct mr_curve *whole = &chart->whole[chart->n];
    const size_t n_max = chart->has_dots   ? MR_REPORT_DOTS
                         : chart->has_ends ? 2 * MR_REPORT_POINTS
                                           : MR_REPORT_POINTS;
    struct mr_err ignored = {0};
    if (chart->is_whole && take_series->n > n_max &&
        mr_curve_copy(take_series, whole, &ignored) != MR_OK)
        chart->has_failed = true;
    mr_curve_thin(take_series, n_max,
                  chart->has_dots    ? MR_CURVE_PLAIN
                  : chart->has_ends  ? MR_CURVE_ENDS
                  : chart->has_peaks ? MR_CURVE_MAX
                  : chart->has_lows  ? MR_CURVE_MIN
                                     : MR_CURVE_MEAN);
    chart->style[chart->n] = style;
    chart->series[chart->n++] = *take_series;
    *take_series = (struct mr_curve){.units = ""};
}

/* Marks at one place are one, with both labels. */
static bool is_marked(struct mr_report_chart *chart, double at, bool is_upright, const char *label)
{
    for (size_t i = 0; i < chart->n_mark; i++) {
        const struct mr_chart_mark *mark = &chart->mark[i];
        char *text = chart->mark_label[i];
        const size_t n = strlen(text), cap = sizeof chart->mark_label[i];
        if (mark->is_upright != is_upright || fabs(mark->at - at) > 1e-9 * fabs(at))
            continue;
        (void)snprintf(text + n, cap - n, ", %s", label);
        return true;
    }
    return false;
}

void mr_report_chart_mark(struct mr_report_chart *chart, double at, bool is_upright,
                          const char *fmt, ...)
{
    const size_t i = chart->n_mark;
    char label[sizeof chart->mark_label[0]];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(label, sizeof label, fmt, args);
    va_end(args);
    if (!isfinite(at) || is_marked(chart, at, is_upright, label) ||
        i == sizeof chart->mark / sizeof *chart->mark)
        return;
    (void)snprintf(chart->mark_label[i], sizeof label, "%s", label);
    chart->mark[i] = (struct mr_chart_mark){at, chart->mark_label[i], is_upright};
    chart->n_mark++;
}

static void write_head(const struct mr_report_chart *chart, const struct mr_report_axes *axes,
                       bool is_wide, struct mr_csv_writer *w)
{
    if (!is_wide)
        mr_csv_put_text(w, "series");
    mr_csv_put_text(w, axes->is_over_time ? "t_s" : axes->x_label);
    for (size_t s = 0; is_wide && s < chart->n; s++)
        mr_csv_put_text(w, chart->n > 1 ? chart->name[s] : axes->y_label);
    if (!is_wide)
        mr_csv_put_text(w, axes->y_label);
    mr_csv_put_end(w);
}

/* The sheet has every sample where they were kept; the brief one, of the link, what is drawn. */
static void write_sheet(const struct mr_report_chart *chart, const struct mr_report_axes *axes,
                        bool is_brief, struct mr_buf *csv)
{
    struct mr_csv_writer w = {csv, false};
    write_head(chart, axes, false, &w);
    for (size_t s = 0; s < chart->n; s++) {
        const struct mr_curve *series =
            !is_brief && chart->whole[s].n > 0 ? &chart->whole[s] : &chart->series[s];
        for (size_t i = 0; i < series->n; i++) {
            mr_csv_put_text(&w, chart->name[s]);
            (is_brief ? mr_page_brief_f64 : mr_csv_put_f64)(&w, series->t_s[i]);
            (is_brief ? mr_page_brief_f64 : mr_csv_put_f64)(&w, series->value[i]);
            mr_csv_put_end(&w);
        }
    }
}

/* Whether all series have the same dates. */
static bool is_on_one_grid(const struct mr_report_chart *chart)
{
    const struct mr_curve *first = &chart->series[0];
    for (size_t s = 1; s < chart->n; s++)
        if (chart->series[s].n != first->n ||
            memcmp(chart->series[s].t_s, first->t_s, first->n * sizeof *first->t_s) != 0)
            return false;
    return true;
}

/* Before and after lines have lost what cannot be seen. */
struct thinned {
    double *all[MR_REPORT_LINES + 1]; /* dates; values of every series */
    size_t n;
};

static bool keep_all(const struct mr_report_chart *chart, struct thinned *t)
{
    *t = (struct thinned){.n = chart->series[0].n};
    if (!is_on_one_grid(chart))
        return false;
    for (size_t s = 0; s <= chart->n; s++) {
        const double *from = s == 0 ? chart->series[0].t_s : chart->series[s - 1].value;
        t->all[s] = mr_alloc(t->n + 1, sizeof **t->all);
        if (t->all[s] == NULL)
            return false;
        memcpy(t->all[s], from, t->n * sizeof **t->all);
    }
    return true;
}

/* A column per series, a row per date that one of them has kept: the link of the page names series
 * once, and lacks nothing that the lines show. */
static void write_wide(const struct mr_report_chart *chart, const struct mr_report_axes *axes,
                       const struct thinned *t, struct mr_buf *csv)
{
    struct mr_csv_writer w = {csv, false};
    size_t at[MR_REPORT_LINES] = {0};
    write_head(chart, axes, true, &w);
    for (size_t i = 0; i < t->n; i++) {
        bool is_kept = false;
        for (size_t s = 0; s < chart->n; s++) {
            const struct mr_curve *series = &chart->series[s];
            if (at[s] < series->n && !(series->t_s[at[s]] > t->all[0][i])) {
                is_kept = true;
                at[s]++;
            }
        }
        for (size_t s = 0; is_kept && s <= chart->n; s++)
            if (t->all[s] != NULL) /* as keep_all has made sure */
                mr_page_brief_f64(&w, t->all[s][i]);
        if (is_kept)
            mr_csv_put_end(&w);
    }
}

static double spread(const struct mr_report_chart *chart, bool is_x)
{
    double low = HUGE_VAL, high = -HUGE_VAL;
    for (size_t s = 0; s < chart->n; s++)
        for (size_t i = 0; i < chart->series[s].n; i++) {
            const double v = is_x ? chart->series[s].t_s[i] : chart->series[s].value[i];
            low = fmin(low, v); /* fmin passes over NaN */
            high = fmax(high, v);
        }
    return high > low ? high - low : 1;
}

/* To 0.4 units of the drawing, which has 400 x 210 of them: a quarter of the width of a
 * line. */
static void straighten(struct mr_report_chart *chart)
{
    const double unit_s = spread(chart, true) / 1000, unit = spread(chart, false) / 525;
    for (size_t s = 0; s < chart->n; s++)
        if (chart->style[s] == MR_CHART_LINE || chart->style[s] == MR_CHART_STEP)
            mr_curve_straighten(&chart->series[s], unit_s, unit, chart->style[s] == MR_CHART_STEP);
}

static double span_s(const struct mr_report_chart *chart)
{
    double span = 0;
    for (size_t s = 0; s < chart->n; s++)
        span = fmax(span, chart->series[s].t_s[chart->series[s].n - 1] - chart->series[s].t_s[0]);
    return span;
}

bool mr_report_chart_put(struct mr_report_chart *chart, const struct mr_report_axes *axes,
                         struct mr_page *page)
{
    struct mr_chart_series line[MR_REPORT_LINES];
    struct mr_buf csv = {0}, brief = {0};
    char x_label[64];
    double unit_s = 1;
    if (chart->n == 0)
        return false;
    if (chart->has_failed)
        (void)mr_err_nomem(&page->err, sizeof(double));
    write_sheet(chart, axes, false, &csv);
    struct thinned thinned;
    const bool is_wide = keep_all(chart, &thinned);
    straighten(chart);
    if (is_wide)
        write_wide(chart, axes, &thinned, &brief);
    else
        write_sheet(chart, axes, true, &brief);
    for (size_t s = 0; s <= chart->n; s++)
        mr_free(thinned.all[s]);
    (void)snprintf(x_label, sizeof x_label, "%s", axes->x_label != NULL ? axes->x_label : "");
    mr_buf_text(&page->out, "<div>");
    if (axes->is_over_time) {
        const char *unit = mr_chart_time(span_s(chart), &unit_s);
        (void)snprintf(x_label, sizeof x_label, "simulated time, %s", unit);
    }
    for (size_t s = 0; s < chart->n; s++) {
        struct mr_curve *series = &chart->series[s];
        for (size_t i = 0; i < series->n; i++)
            series->t_s[i] /= unit_s;
        line[s] = (struct mr_chart_series){chart->name[s], series->t_s,     series->value,
                                           series->n,      chart->style[s], NULL};
    }
    const struct mr_chart drawn = {axes->title,  x_label,     axes->y_label, line,
                                   chart->n,     chart->mark, chart->n_mark, axes->is_from_zero,
                                   axes->shade_x};
    const bool is_drawn = mr_chart_svg(&drawn, &page->out);
    if (is_drawn)
        mr_page_sheet_brief(page, axes->sheet, &csv, &brief);
    mr_buf_fini(&csv);
    mr_buf_fini(&brief);
    mr_buf_text(&page->out, "</div>\n");
    return is_drawn;
}

void mr_report_chart_fini(struct mr_report_chart *chart)
{
    for (size_t i = 0; i < chart->n; i++) {
        mr_curve_fini(&chart->series[i]);
        mr_curve_fini(&chart->whole[i]);
    }
    chart->n = chart->n_mark = 0;
}

const char *mr_report_named(const struct mr_report_file *file, const char *name, char out[96])
{
    (void)snprintf(out, 96, "%s%s%s", file->label, file->label[0] != '\0' ? " " : "", name);
    return out;
}

/* ---- the page ---- */

static void put_files(const struct mr_report *report, struct mr_page *page)
{
    for (size_t i = 0; i < report->n; i++) {
        const struct mr_report_file *file = &report->file[i];
        char named[96];
        mr_page_say(page, "%s: %s", mr_report_named(file, file->figures.name, named),
                    file->figures.file);
        if (file->figures.is_partial)
            mr_page_missing(page,
                            "%sPARTIAL: this run was not finished; what follows is what it had "
                            "written by then.",
                            file->label[0] != '\0' ? named : "");
    }
}

/* Only agents have a warm-up: pages about others do without this section. */
static bool is_measured(const struct mr_report *report)
{
    for (size_t i = 0; i < report->n; i++)
        if (mr_report_is_measured(&report->file[i].figures))
            return true;
    return false;
}

static void put_contents(const struct mr_report *report, struct mr_page *page)
{
    static const struct {
        const char *id, *text;
    } links[] = {{"figures", "Figures"},    {"floor", "Floor"},   {"front", "Pareto"},
                 {"power", "Power"},        {"heat", "Heat"},     {"money", "Money"},
                 {"limits", "Limits"},      {"events", "Events"}, {"latency", "Latency"},
                 {"measured", "Measured"},  {"task", "Tasks"},    {"groups", "Over time"},
                 {"rest", "Other figures"}, {"source", "Sources"}};
    mr_buf_text(&page->out, "<nav>");
    for (size_t i = 0; i < sizeof links / sizeof *links; i++)
        if (strcmp(links[i].id, "measured") != 0 || is_measured(report))
            mr_buf_printf(&page->out, "<a href=\"#%s\">%s</a> ", links[i].id, links[i].text);
    mr_buf_text(&page->out, "</nav>\n");
}

mr_status mr_report_html(const struct mr_report *report, const char *title, struct mr_page *page,
                         struct mr_err *err)
{
    *page = (struct mr_page){0};
    mr_page_begin(page, title);
    put_files(report, page);
    mr_report_verdict(report, page);
    put_contents(report, page);
    mr_page_section(page, "figures", "Key figures");
    mr_report_figures(report, true, page);
    mr_page_section(page, "floor", "Floor plan");
    MR_TRY(mr_report_floor(report, page, err));
    mr_page_section(page, "front", "Tokens per megawatt against tokens per user");
    mr_report_front(report, page);
    mr_page_section(page, "power", "Power");
    MR_TRY(mr_report_power(report, page, err));
    MR_TRY(mr_report_meters(report, page, err));
    mr_page_section(page, "heat", "Temperatures and weather");
    MR_TRY(mr_report_heat(report, page, err));
    mr_page_section(page, "money", "Cost and revenue by tier");
    mr_report_money(report, page);
    mr_page_section(page, "limits", "What limits");
    MR_TRY(mr_report_limits(report, page, err));
    mr_page_section(page, "events", "Events");
    MR_TRY(mr_report_events(report, page, err));
    mr_page_section(page, "latency", "Latency and cache");
    MR_TRY(mr_report_latency(report, page, err));
    if (is_measured(report)) {
        mr_page_section(page, "measured", "Behind the warm-up");
        mr_report_measured(report, page);
    }
    mr_page_section(page, "task", "Where the time of an agent's task goes");
    MR_TRY(mr_report_task(report, page, err));
    mr_page_section(page, "groups", "Over time");
    MR_TRY(mr_report_groups(report, page, err));
    mr_page_section(page, "rest", "All other figures");
    mr_report_figures(report, false, page);
    mr_page_section(page, "source", "Assumptions and provenance");
    MR_TRY(mr_report_source(report, page, err));
    mr_page_end(page);
    return mr_page_check(page, err);
}
