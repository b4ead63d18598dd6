/* SPDX-License-Identifier: Apache-2.0 */
/* The verdict in words, the table of key figures, the Pareto front, and both for the terminal.
 * Map: words - table - front - terminal. */
#include "engine/base/mem.h"
#include "engine/base/unit.h"
#include "engine/base/xml.h"
#include "postprocess/breach.h"
#include "postprocess/report_impl.h"

#include <math.h>
#include <stdio.h>

enum {
    n_tier_max = 16 /* side by side */
};

/* ---- words ---- */

const char *mr_report_human(double value, int digits, char out[MR_NUM_CAP])
{
    (void)mr_num_format_human(value, digits, out);
    return out;
}

static double value_of(const struct mr_report_file *file, const char *path)
{
    return mr_figures_value(&file->figures, path);
}

/* Mean power at the widest boundary that both know. @return whether that is all that a site takes
 */
static bool power_of_both(const struct mr_report_file *a, const struct mr_report_file *b,
                          double mw[2])
{
    static const char *const paths[] = {"power.site_mw_mean", "power.grid_mw_mean",
                                        "power.it_mw_mean", "power.packages_mw_mean"};
    bool is_site = false;
    mw[0] = mw[1] = (double)NAN;
    for (size_t i = 0; i < sizeof paths / sizeof *paths && (isnan(mw[0]) || isnan(mw[1])); i++) {
        mw[0] = value_of(a, paths[i]);
        mw[1] = value_of(b, paths[i]);
        is_site = i == 0;
    }
    return is_site;
}

struct sentence {
    struct mr_buf *out;
    bool has_part;
};

static void part(struct sentence *s)
{
    mr_buf_text(s->out, s->has_part ? "; " : " ");
    s->has_part = true;
}

/* @param[in] who "", or of whom that is said */
static void put_violations(struct sentence *s, const struct mr_figures *f, const char *who)
{
    if (!f->has_violations)
        return;
    part(s);
    mr_buf_printf(s->out, "%s%s", who, who[0] != '\0' ? " " : "");
    if (f->n_violation == 0)
        mr_buf_text(s->out, "breaks no limit of the site");
    for (size_t i = 0; i < f->n_violation && i < 3; i++) {
        const double count = f->violation[i].count;
        mr_buf_printf(s->out, "%s%s%s%s", i == 0 ? "breaks " : ", ",
                      mr_breach_words(f->violation[i].what),
                      f->violation[i].where[0] != '\0' ? " at " : "", f->violation[i].where);
        if (count > 2)
            mr_buf_printf(s->out, " %.0f times", count);
        else
            mr_buf_text(s->out, count > 1 ? " twice" : " once");
    }
    if (f->n_violation > 3)
        mr_buf_printf(s->out, " and %zu more", f->n_violation - 3);
}

static double turned_away_frac(const struct mr_report_file *file)
{
    return value_of(file, "requests.shed") / value_of(file, "requests.arrived");
}

/* What users did not get: calls turned away, calls beyond objectives. Beside it what those of the
 * baseline did not get, for a share alone does not tell whether it is better.
 * @param[in] base NULL: there is none */
static void put_objectives(struct sentence *s, const struct mr_report_file *file,
                           const struct mr_report_file *base)
{
    const struct mr_figures *f = &file->figures;
    const double away = turned_away_frac(file),
                 base_away = base != NULL ? turned_away_frac(base) : (double)NAN;
    if (away > 0 || (away >= 0 && base_away > 0)) {
        part(s);
        if (away > 0)
            mr_buf_printf(s->out, "turns %.3g %% of its calls away", 100 * away);
        else
            mr_buf_text(s->out, "turns no call away");
        mr_report_refusals(file, s->out);
        if (base_away >= 0)
            mr_buf_printf(s->out, ", %s %.3g %%", base->label, 100 * base_away);
    }
    for (size_t i = 0; i < f->n_tier && i < 5; i++) {
        char path[128];
        (void)snprintf(path, sizeof path, "tiers.%s.slo_met_frac", f->tier[i]);
        const double met = mr_figures_value(f, path);
        if (isnan(met))
            continue;
        part(s);
        mr_buf_printf(s->out, "tier %s is within its objectives for %.4g %% of its calls",
                      f->tier[i], 100 * met);
        const double base_met = base != NULL ? value_of(base, path) : (double)NAN;
        if (!isnan(base_met))
            mr_buf_printf(s->out, ", %s for %.4g %%", base->label, 100 * base_met);
    }
}

static void describe_one(const struct mr_report_file *file, struct mr_buf *out)
{
    static const struct {
        const char *path, *fmt;
        double scale;
    } facts[] = {{"tok_s.output", "serves %s output tokens/s", 1},
                 {"tok_s_per_mw", "%s tokens/s per megawatt", 1},
                 {"power.pue", "PUE %s", 1},
                 {"energy.rack_j", "racks took %s MWh", 1 / 3.6e9},
                 {"power.grid_mw_peak", "at most %s MW from the grid", 1},
                 {"thermal.die_c_max", "hottest die %s degC", 1},
                 {"ttft_s.p99", "99 %% of first tokens within %s s", 1}};
    struct sentence s = {out, false};
    mr_buf_text(out, file->figures.name);
    for (size_t i = 0; i < sizeof facts / sizeof *facts; i++) {
        const double value = value_of(file, facts[i].path) * facts[i].scale;
        char text[MR_NUM_CAP];
        const char *at = strstr(facts[i].fmt, "%s");
        if (isnan(value))
            continue;
        part(&s);
        for (const char *p = facts[i].fmt; p < at; p++)
            if (p[0] != '%' || p[1] != '%')
                mr_buf_char(out, *p);
        mr_buf_printf(out, "%s%s", mr_report_human(value, 4, text), at + 2);
    }
    put_objectives(&s, file, NULL);
    put_violations(&s, &file->figures, "");
    if (!s.has_part)
        mr_buf_text(out, " holds no key figure");
    mr_buf_char(out, '.');
}

/* "VERB 3 % UP", "VERB 3 % DOWN", or what is said of equal values. */
static void put_share(struct sentence *s, double base, double now, const char *verb, const char *up,
                      const char *down, const char *same)
{
    if (isnan(base) || isnan(now) || !(base > 0))
        return;
    const double rise = now / base - 1;
    part(s);
    if (fabs(rise) < 0.0005)
        mr_buf_text(s->out, same);
    else
        mr_buf_printf(s->out, "%s %.3g %% %s", verb, 100 * fabs(rise), rise > 0 ? up : down);
}

static void describe_against(const struct mr_report_file *base, const struct mr_report_file *now,
                             struct mr_buf *out)
{
    struct sentence s = {out, false};
    const double warmer = value_of(now, "thermal.die_c_max") - value_of(base, "thermal.die_c_max");
    double mw[2];
    const bool is_site = power_of_both(base, now, mw);
    mr_buf_text(out, now->label);
    put_share(&s, value_of(base, "tok_s.output"), value_of(now, "tok_s.output"), "serves",
              "more tokens/s", "fewer tokens/s", "serves as many tokens/s");
    const double served = value_of(now, "tok_s.output") / value_of(base, "tok_s.output") - 1,
                 made = value_of(now, "tok_s.made") / value_of(base, "tok_s.made") - 1;
    if (s.has_part && fabs(made) >= 0.0005 && fabs(made - served) > 0.01) /* a short run */
        mr_buf_printf(out, " (makes %.3g %% %s, of calls that had not ended too)", 100 * fabs(made),
                      made > 0 ? "more" : "fewer");
    const double limit_mw = value_of(now, "power.feed_limit_mw");
    if (s.has_part && fabs(limit_mw - value_of(base, "power.feed_limit_mw")) < 1e-9 * limit_mw) {
        char text[MR_NUM_CAP];
        mr_buf_printf(out, " inside the same %s MW", mr_report_human(limit_mw, 4, text));
    }
    if (is_site) /* stores may carry what the site does not take */
        put_share(&s, mw[0], mw[1], "draws", "more for its site", "less for its site",
                  "draws as much for its site");
    else
        put_share(&s, mw[0], mw[1], "takes", "more power", "less power", "takes the same power");
    put_share(&s, value_of(base, "ttft_s.p99"), value_of(now, "ttft_s.p99"),
              "its slowest first tokens (p99) come", "later", "sooner",
              "first tokens come as soon");
    put_share(&s, value_of(base, "economy.usd_per_mtok"), value_of(now, "economy.usd_per_mtok"),
              "a token costs", "more", "less", "a token costs the same");
    if (!isnan(warmer)) {
        part(&s);
        if (fabs(warmer) < 0.05)
            mr_buf_text(out, "its hottest die is as warm");
        else
            mr_buf_printf(out, "its hottest die is %.3g K %s", fabs(warmer),
                          warmer > 0 ? "warmer" : "cooler");
    }
    put_objectives(&s, now, base);
    put_violations(&s, &now->figures, "");
    if (now->figures.has_violations && base->figures.n_violation > 0)
        put_violations(&s, &base->figures, base->label);
    if (!s.has_part)
        mr_buf_text(out, " has no key figure in common");
    mr_buf_printf(out, " (against %s).", base->label);
}

static void put_verdict(const struct mr_report *report, struct mr_buf *out)
{
    if (report->n == 1) {
        describe_one(&report->file[0], out);
        return;
    }
    for (size_t i = 0; i < report->n; i++)
        if (i != report->baseline) {
            if (out->n > 0)
                mr_buf_char(out, '\n');
            describe_against(&report->file[report->baseline], &report->file[i], out);
        }
}

void mr_report_verdict(const struct mr_report *report, struct mr_page *page)
{
    struct mr_buf words = {0}, text = {0};
    put_verdict(report, &words);
    for (size_t i = 0; i < words.n; i++) /* no line ends between a number and %, K or MW */
        if (words.text[i] == ' ' && i > 0 && words.text[i - 1] >= '0' && words.text[i - 1] <= '9' &&
            i + 1 < words.n && strchr("%KM", words.text[i + 1]) != NULL)
            mr_buf_text(&text, "\xc2\xa0");
        else
            mr_buf_char(&text, words.text[i]);
    mr_buf_fini(&words);
    mr_buf_text(&page->out, "<div class=\"verdict\">");
    for (const char *p = text.text; p != NULL && *p != '\0';) {
        const size_t n = strcspn(p, "\n");
        mr_buf_text(&page->out, "<p>");
        mr_buf_xml(&page->out, (struct mr_str){p, n});
        mr_buf_text(&page->out, "</p>");
        p += n + (p[n] == '\n');
    }
    mr_buf_text(&page->out, "</div>\n");
    mr_buf_fini(&text);
}

/* ---- table ---- */

/* A share of a temperature in degrees Celsius says nothing: their zero is anywhere. */
static bool has_share(const struct mr_figures_item *item)
{
    return strcmp(item->unit, "degC") != 0;
}

static const char *mark_of(const struct mr_figures_item *item, double base, double now)
{
    const enum mr_kpi_better better = item->kpi != NULL ? item->kpi->better : MR_KPI_NEITHER;
    if (isnan(base) || isnan(now))
        return "";
    if (mr_kpi_is_same(item->kpi, base, now))
        return "same";
    if (better == MR_KPI_NEITHER ||
        mr_kpi_is_speed(item->path)) /* the computer's, not the site's */
        return "differs";
    return (now > base) == (better == MR_KPI_UP) ? "better" : "worse";
}

/* What bounds the figure in the file that has the least left of it, and which one that is. A file
 * that does not tell its limit is held to the baseline's. @param[out] left NaN: no limit, or no
 * figure */
static double limit_of(const struct mr_report *report, const struct mr_figures_item *item,
                       double *left, const char **whose)
{
    double tightest = (double)NAN;
    *left = (double)NAN;
    *whose = "";
    if (item->kpi == NULL || item->kpi->limit == NULL)
        return tightest;
    const double base = value_of(&report->file[report->baseline], item->kpi->limit);
    for (size_t i = 0; i < report->n; i++) {
        const double own = value_of(&report->file[i], item->kpi->limit);
        const double limit = isnan(own) ? base : own;
        const double rest = limit - value_of(&report->file[i], item->path);
        if (isnan(rest) || rest >= *left)
            continue;
        *left = rest;
        tightest = limit;
        *whose = report->file[i].label;
    }
    return tightest;
}

static void put_row(const struct mr_report *report, const struct mr_figures_item *item,
                    bool has_limits, struct mr_page_table *table)
{
    const double base = value_of(&report->file[report->baseline], item->path);
    double left;
    const char *whose;
    const double limit = limit_of(report, item, &left, &whose);
    mr_page_row(table);
    mr_page_cell_hint(table, item->path, item->doc);
    mr_page_cell(table, item->unit);
    for (size_t i = 0; i < report->n; i++)
        mr_page_cell_f64(table, value_of(&report->file[i], item->path));
    for (size_t i = 0; i < report->n; i++) {
        const double now = value_of(&report->file[i], item->path);
        if (i == report->baseline)
            continue;
        mr_page_cell_f64(table, now - base);
        mr_page_cell_f64(table, has_share(item) && fabs(base) > 0 ? 100 * (now - base) / fabs(base)
                                                                  : (double)NAN);
        mr_page_cell(table, mark_of(item, base, now));
    }
    if (has_limits) {
        mr_page_cell_f64(table, limit);
        mr_page_cell_f64(table, left);
        if (report->n > 1)
            mr_page_cell(table, whose);
    }
}

/* Figures of all files: those of the first, then what only later ones have. */
static bool is_first_with(const struct mr_report *report, size_t i_file, const char *path)
{
    for (size_t i = 0; i < i_file; i++)
        if (mr_figures_find(&report->file[i].figures, path) != NULL)
            return false;
    return true;
}

/* Tiers of one file stand side by side: a row per figure, not per figure and tier. */
static bool has_tier_table(const struct mr_report *report)
{
    const size_t n = report->file[0].figures.n_tier;
    return report->n == 1 && n > 1 && n <= n_tier_max;
}

static void put_tiers(const struct mr_figures *f, struct mr_page *page)
{
    const char *head[n_tier_max + 2] = {"figure of a tier", "unit"};
    char text[n_tier_max][64];
    struct mr_page_table table;
    char first[96];
    (void)snprintf(first, sizeof first, "tiers.%s.", f->tier[0]);
    for (size_t t = 0; t < f->n_tier; t++) {
        (void)snprintf(text[t], sizeof text[t], "#%s", f->tier[t]);
        head[t + 2] = text[t];
    }
    mr_page_table(&table, page, "figures_tiers", head, f->n_tier + 2);
    for (size_t k = 0; k < f->n_item; k++) {
        const struct mr_figures_item *item = &f->item[k];
        if (strncmp(item->path, first, strlen(first)) != 0)
            continue;
        mr_page_row(&table);
        mr_page_cell_hint(&table, item->path + strlen(first), item->doc);
        mr_page_cell(&table, item->unit);
        for (size_t t = 0; t < f->n_tier; t++) {
            char path[192];
            (void)snprintf(path, sizeof path, "tiers.%s.%s", f->tier[t],
                           item->path + strlen(first));
            mr_page_cell_f64(&table, mr_figures_value(f, path));
        }
    }
    mr_page_table_end(&table);
}

/* Whether the row belongs into the table. */
static bool is_row(const struct mr_report *report, size_t i_file, size_t k, bool is_headline)
{
    const struct mr_figures_item *item = &report->file[i_file].figures.item[k];
    return (item->kpi != NULL && item->kpi->is_headline) == is_headline &&
           !(has_tier_table(report) && !is_headline && strncmp(item->path, "tiers.", 6) == 0) &&
           is_first_with(report, i_file, item->path);
}

static void put_table(const struct mr_report *report, bool is_headline, const char *sheet,
                      struct mr_page *page)
{
    char text[5 * 32][64];
    const char *head[5 * 32];
    struct mr_page_table table;
    size_t n = 0;
    const size_t n_file = report->n < 32 ? report->n : 32;
    head[n++] = "figure";
    head[n++] = "unit";
    for (size_t i = 0; i < n_file; i++, n++) {
        (void)snprintf(text[n], sizeof text[n], "#%s",
                       report->n == 1 ? "value" : report->file[i].label);
        head[n] = text[n];
    }
    for (size_t i = 0; i < n_file; i++) {
        if (i == report->baseline)
            continue;
        const char *a = report->file[report->baseline].label, *b = report->file[i].label;
        (void)snprintf(text[n], sizeof text[n], "#%s - %s", b, a);
        (void)snprintf(text[n + 1], sizeof text[n], "#%%");
        (void)snprintf(text[n + 2], sizeof text[n], "%s is", b);
        for (size_t k = 0; k < 3; k++, n++)
            head[n] = text[n];
    }
    bool has_limits = false;
    for (size_t i = 0; i < n_file; i++)
        for (size_t k = 0; k < report->file[i].figures.n_item; k++)
            has_limits = has_limits || (is_row(report, i, k, is_headline) &&
                                        report->file[i].figures.item[k].kpi != NULL &&
                                        report->file[i].figures.item[k].kpi->limit != NULL);
    if (has_limits) {
        head[n++] = "#limit";
        head[n++] = "#headroom";
        if (report->n > 1)
            head[n++] = "file";
    }
    const struct mr_report shown = {report->file, n_file, report->baseline, report->is_whole};
    mr_page_table(&table, page, sheet, head, n);
    for (size_t i = 0; i < n_file; i++)
        for (size_t k = 0; k < report->file[i].figures.n_item; k++)
            if (is_row(report, i, k, is_headline))
                put_row(&shown, &report->file[i].figures.item[k], has_limits, &table);
    mr_page_table_end(&table);
}

void mr_report_figures(const struct mr_report *report, bool is_headline, struct mr_page *page)
{
    size_t n = 0;
    for (size_t i = 0; i < report->n; i++)
        n += report->file[i].figures.n_item;
    if (n > 0)
        put_table(report, is_headline, is_headline ? "figures" : "figures_other", page);
    if (n > 0 && !is_headline && has_tier_table(report))
        put_tiers(&report->file[0].figures, page);
    if (n == 0)
        mr_page_missing(page, "No key figures: the file has neither a summary nor a group /kpi.");
}

/* ---- front ---- */

/* Objectives of tiers, out of the effective configuration: <tier name= tpot=>. */
static void put_objective_marks(const struct mr_report *report, struct mr_report_chart *chart,
                                double *strictest)
{
    struct mr_runread *run = report->file[report->baseline].run;
    const struct mr_runread_set *set =
        run != NULL ? mr_runread_find(run, "/config/effective") : NULL;
    const char *const *text;
    struct mr_xml_doc *doc = NULL;
    struct mr_err ignored = {0};
    if (set == NULL || mr_runread_texts(run, set, &text, &ignored) != MR_OK ||
        mr_xml_load_text("effective", mr_str_of(text[0]), NULL, &doc, &ignored) != MR_OK)
        return;
    const struct mr_xml_node *root = mr_xml_root(doc);
    for (const struct mr_xml_node *n = mr_xml_child(root, "tier"); n != NULL;
         n = mr_xml_next(n, "tier")) {
        const char *tpot = mr_xml_value(n, "tpot"), *name = mr_xml_value(n, "name");
        double tpot_s;
        struct mr_err err = {0};
        if (tpot == NULL ||
            mr_unit_parse(mr_str_of(tpot), MR_Q_TIME, "tpot", MR_NOWHERE, &tpot_s, &err) != MR_OK ||
            !(tpot_s > 0))
            continue;
        mr_report_chart_mark(chart, 1 / tpot_s, true, "%s", name != NULL ? name : "a tier");
        *strictest = isnan(*strictest) ? 1 / tpot_s : fmax(*strictest, 1 / tpot_s);
    }
    mr_xml_destroy(doc);
}

static mr_status one_point(double x, double y, struct mr_curve *out)
{
    struct mr_curve s = {mr_alloc(1, sizeof(double)), mr_alloc(1, sizeof(double)), 1, "", false};
    *out = s;
    if (s.t_s == NULL || s.value == NULL) {
        mr_curve_fini(out);
        return MR_NOMEM;
    }
    s.t_s[0] = x;
    s.value[0] = y;
    return MR_OK;
}

void mr_report_front(const struct mr_report *report, struct mr_page *page)
{
    struct mr_report_chart chart = {0};
    double strictest = (double)NAN;
    for (size_t i = 0; i < report->n; i++) {
        const struct mr_report_file *file = &report->file[i];
        const double x = value_of(file, "tok_s.output_per_user_p50"),
                     y = value_of(file, "tok_s_per_mw");
        struct mr_curve point;
        char named[96];
        if (isnan(x) || isnan(y) || one_point(x, y, &point) != MR_OK)
            continue;
        mr_report_chart_add(&chart, &point, MR_CHART_POINTS, "%s",
                            mr_report_named(file, file->figures.name, named));
    }
    put_objective_marks(report, &chart, &strictest);
    const struct mr_report_axes axes = {.title = "Throughput of a megawatt",
                                        .x_label = "tokens/s of a user (p50)",
                                        .y_label = "output tokens/s per MW",
                                        .sheet = "front",
                                        .is_from_zero = true,
                                        .shade_x = strictest};
    if (!mr_report_chart_put(&chart, &axes, page))
        mr_page_missing(page,
                        "No tokens per megawatt here: this needs the figures tok_s_per_mw and "
                        "tok_s.output_per_user_p50 of a run that serves and knows its watts.");
    else if (!isnan(strictest))
        mr_page_say(page, "Dotted: objectives of tiers. Shaded: users get their tokens as fast as "
                          "the strictest tier demands.");
    if (report->n == 1 && chart.n == 1)
        mr_page_say(page,
                    "One run is one point: millrace compare, or the merged file of a sweep, shows "
                    "a front.");
    mr_report_chart_fini(&chart);
}

/* ---- terminal ---- */

/* In percent, temperatures in kelvin, to a tenth; what is less than that, to its first digit: a
 * figure that is called worse does not stand beside a zero. Empty where the baseline is zero. */
static void put_change(const struct mr_figures_item *item, double base, double now,
                       char out[MR_NUM_CAP])
{
    const bool is_share = has_share(item);
    const double rise = is_share ? 100 * (now - base) / fabs(base) : now - base;
    if (isnan(rise) || isinf(rise))
        out[0] = '\0';
    else if (fabs(rise) >= 0.05 || !(fabs(rise) > 0))
        (void)snprintf(out, MR_NUM_CAP, "%+.1f %s", rise, is_share ? "%" : "K");
    else
        (void)snprintf(out, MR_NUM_CAP, "%+.1g %s", rise, is_share ? "%" : "K");
}

static void text_row(const struct mr_report *report, const struct mr_figures_item *item,
                     struct mr_buf *out)
{
    const double base = value_of(&report->file[report->baseline], item->path);
    mr_buf_printf(out, "  %-28s %-9s", item->path, item->unit);
    for (size_t i = 0; i < report->n; i++) {
        const double value = value_of(&report->file[i], item->path);
        char text[MR_NUM_CAP] = "-";
        if (!isnan(value))
            (void)mr_report_human(value, 4, text);
        mr_buf_printf(out, " %11s", text);
        if (i == report->baseline)
            continue;
        put_change(item, base, value, text);
        mr_buf_printf(out, " %9s %-7s", text, mark_of(item, base, value));
    }
    mr_buf_char(out, '\n');
}

/* Points on a plane of characters, each its file's letter. */
static void text_front(const struct mr_report *report, struct mr_buf *out)
{
    enum {
        n_row = 14,
        n_col = 56
    };
    char plane[n_row][n_col + 1];
    double x_max = 0, y_max = 0;
    size_t n = 0;
    for (size_t i = 0; i < report->n; i++) {
        const double x = value_of(&report->file[i], "tok_s.output_per_user_p50"),
                     y = value_of(&report->file[i], "tok_s_per_mw");
        if (!(x > 0) || !(y > 0))
            continue;
        x_max = fmax(x_max, x);
        y_max = fmax(y_max, y);
        n++;
    }
    if (n == 0)
        return;
    memset(plane, ' ', sizeof plane);
    for (size_t i = 0; i < report->n; i++) {
        const double x = value_of(&report->file[i], "tok_s.output_per_user_p50"),
                     y = value_of(&report->file[i], "tok_s_per_mw");
        if (!(x > 0) || !(y > 0))
            continue;
        char *cell = &plane[(size_t)((1 - y / (1.05 * y_max)) * n_row)]
                           [(size_t)(x / (1.05 * x_max) * n_col)];
        *cell = *cell != ' ' ? '*' : report->n == 1 ? 'o' : report->file[i].label[0];
    }
    char top[MR_NUM_CAP], right[MR_NUM_CAP];
    mr_buf_printf(out, "\n  tokens/s per MW, up to %s\n", mr_report_human(1.05 * y_max, 4, top));
    for (size_t r = 0; r < n_row; r++) {
        plane[r][n_col] = '\0';
        size_t length = n_col;
        while (length > 0 && plane[r][length - 1] == ' ')
            plane[r][--length] = '\0';
        mr_buf_printf(out, "  |%s\n", plane[r]);
    }
    mr_buf_text(out, "  +");
    for (size_t c = 0; c < n_col; c++)
        mr_buf_char(out, '-');
    mr_buf_printf(out, "\n   tokens/s of a user, up to %s%s\n",
                  mr_report_human(1.05 * x_max, 4, right), report->n > 1 ? "   (*: several)" : "");
}

void mr_report_text(const struct mr_report *report, struct mr_buf *out)
{
    struct mr_buf words = {0};
    for (size_t i = 0; i < report->n; i++)
        mr_buf_printf(out, "%s%s%s: %s%s\n", report->file[i].label,
                      report->file[i].label[0] != '\0' ? " " : "", report->file[i].figures.name,
                      report->file[i].figures.file,
                      report->file[i].figures.is_partial ? " (PARTIAL)" : "");
    put_verdict(report, &words);
    mr_buf_printf(out, "%s\n\n  %-28s %-9s", words.text != NULL ? words.text : "", "figure",
                  "unit");
    mr_buf_fini(&words);
    for (size_t i = 0; i < report->n; i++) {
        mr_buf_printf(out, " %11s", report->n == 1 ? "value" : report->file[i].label);
        if (i != report->baseline)
            mr_buf_printf(out, " %9s %-7s", "change", "");
    }
    mr_buf_char(out, '\n');
    for (size_t i = 0; i < report->n; i++)
        for (size_t k = 0; k < report->file[i].figures.n_item; k++) {
            const struct mr_figures_item *item = &report->file[i].figures.item[k];
            if (item->kpi != NULL && item->kpi->is_headline && is_first_with(report, i, item->path))
                text_row(report, item, out);
        }
    text_front(report, out);
}
