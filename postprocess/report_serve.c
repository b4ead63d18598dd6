/* SPDX-License-Identifier: Apache-2.0 */
/* What users got and paid: tiers, latency distributions from every call, caches. Map: money - what
 * is behind the warm-up - calls - latency - cache. */
#include "engine/base/hist.h"
#include "engine/base/mem.h"
#include "engine/base/unit.h"
#include "postprocess/report_impl.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    n_tier_max = 8,
    n_point = 160
};

/* ---- money ---- */

static double tier_value(const struct mr_figures *f, const char *tier, const char *name)
{
    char path[160];
    (void)snprintf(path, sizeof path, "tiers.%s.%s", tier, name);
    return mr_figures_value(f, path);
}

/* Costs of the site fall on tiers by their share of the output tokens. */
void mr_report_money(const struct mr_report *report, struct mr_page *page)
{
    static const char *const head[] = {"file",
                                       "tier",
                                       "#tokens/s",
                                       "#revenue USD/h",
                                       "#USD/Mtok earned",
                                       "#USD/Mtok spent",
                                       "#SLO met, %",
                                       "#energy USD/h",
                                       "#capital USD/h",
                                       "#CO2 kg/h"};
    struct mr_page_table table;
    size_t n = 0;
    bool has_costs = false, has_capital = false;
    for (size_t i = 0; i < report->n; i++)
        n += report->file[i].figures.n_tier;
    if (n == 0) {
        mr_page_missing(page, "No tiers in the file: nothing was sold.");
        return;
    }
    mr_page_table(&table, page, "tiers", head, sizeof head / sizeof *head);
    for (size_t i = 0; i < report->n; i++) {
        const struct mr_figures *f = &report->file[i].figures;
        const double all_tok_s = mr_figures_value(f, "tok_s.output");
        for (size_t k = 0; k < f->n_tier; k++) {
            char named[96];
            const double tok_s = tier_value(f, f->tier[k], "tok_s"), share = tok_s / all_tok_s;
            const double usd_h = tier_value(f, f->tier[k], "revenue_usd_h");
            const double energy = share * mr_figures_value(f, "economy.energy_usd_h"),
                         capital = share * mr_figures_value(f, "economy.capital_usd_h"),
                         carbon = share * mr_figures_value(f, "economy.co2_kg_h");
            mr_page_row(&table);
            mr_page_cell(&table, mr_report_named(&report->file[i], f->name, named));
            mr_page_cell(&table, f->tier[k]);
            mr_page_cell_f64(&table, tok_s);
            mr_page_cell_f64(&table, usd_h);
            mr_page_cell_f64(&table, tok_s > 0 ? usd_h / tok_s / 3600 * 1e6 : (double)NAN);
            mr_page_cell_f64(&table,
                             tok_s > 0 ? (energy + capital) / tok_s / 3600 * 1e6 : (double)NAN);
            mr_page_cell_f64(&table, 100 * tier_value(f, f->tier[k], "slo_met_frac"));
            mr_page_cell_f64(&table, energy);
            mr_page_cell_f64(&table, capital);
            mr_page_cell_f64(&table, carbon);
            has_capital = has_capital || !isnan(capital);
            has_costs = has_costs || !isnan(energy) || !isnan(capital) || !isnan(carbon);
        }
    }
    mr_page_table_end(&table);
    mr_page_say(page, "SLO met: finished within all objectives of the tier, of the calls that came "
                      "and stayed in it, refused ones among them; those in flight at the end count "
                      "where an objective is missed already.");
    if (!has_costs)
        mr_page_missing(
            page, "Energy, capital and carbon by tier are not in the file: its summary has no "
                  "economy.energy_usd_h, capital_usd_h or co2_kg_h.");
    else
        mr_page_say(page,
                    "Costs of the site are divided among tiers by output tokens%s. USD/Mtok: per "
                    "million output tokens, spent on energy and capital.",
                    has_capital ? ""
                                : "; capital is not known: not every card of these racks has a "
                                  "price");
}

/* ---- behind the warm-up ---- */

static double over_run(const struct mr_figures *f, const char *path)
{
    return mr_figures_value(f, path) / mr_figures_value(f, "sim_s");
}

void mr_report_measured(const struct mr_report *report, struct mr_page *page)
{
    static const char *const head[] = {"file", "figure", "unit", "#measured", "#whole run"};
    static const struct {
        const char *text, *unit, *measured, *whole;
        bool is_count; /* whole: of a count, over the time of the run */
    } rows[] = {
        {"calls that came", "1/s", "measured.calls_s", "requests.arrived", true},
        {"input", "tok/s", "measured.input_tok_s", "tok_s.input", false},
        {"output", "tok/s", "measured.output_tok_s", "tok_s.output", false},
        {"input that was cached", "1", "measured.prefix_hit_frac", "sessions.prefix_hit_frac",
         false},
        {"time to first token, p50", "s", "measured.ttft_s.p50", "ttft_s.p50", false},
        {"time to first token, p99", "s", "measured.ttft_s.p99", "ttft_s.p99", false},
        {"time per output token, p50", "s", "measured.tpot_s.p50", "tpot_s.p50", false},
        {"time per output token, p99", "s", "measured.tpot_s.p99", "tpot_s.p99", false},
        {"call to its last token, p50", "s", "measured.e2e_s.p50", "e2e_s.p50", false},
        {"call to its last token, p99", "s", "measured.e2e_s.p99", "e2e_s.p99", false},
        {"session, mean", "s", "measured.completion_s.mean", "sessions.completion_s.mean", false},
        {"session, p99", "s", "measured.completion_s.p99", "sessions.completion_s.p99", false},
    };
    struct mr_page_table table;
    mr_page_table(&table, page, "measured", head, sizeof head / sizeof *head);
    for (size_t i = 0; i < report->n; i++) {
        const struct mr_figures *f = &report->file[i].figures;
        char named[96];
        for (size_t k = 0; k < sizeof rows / sizeof *rows && mr_report_is_measured(f); k++) {
            mr_page_row(&table);
            mr_page_cell(&table, mr_report_named(&report->file[i], f->name, named));
            mr_page_cell(&table, rows[k].text);
            mr_page_cell(&table, rows[k].unit);
            mr_page_cell_f64(&table, mr_figures_value(f, rows[k].measured));
            mr_page_cell_f64(&table, rows[k].is_count ? over_run(f, rows[k].whole)
                                                      : mr_figures_value(f, rows[k].whole));
        }
    }
    mr_page_table_end(&table);
    for (size_t i = 0; i < report->n; i++) {
        const struct mr_figures *f = &report->file[i].figures;
        const double from_s = mr_figures_value(f, "measured.from_s"),
                     rest_s = mr_figures_value(f, "sim_s") - from_s;
        char from[MR_UNIT_CAP], rest[MR_UNIT_CAP], named[96];
        if (!mr_report_is_measured(f))
            continue;
        (void)mr_report_named(&report->file[i], "", named);
        if (!(rest_s > 0)) {
            mr_page_missing(page, "%sNothing was measured: the run ended within its warm-up.",
                            named);
            continue;
        }
        mr_unit_human(from_s, MR_Q_TIME, 5, from);
        mr_unit_human(rest_s, MR_Q_TIME, 3, rest);
        mr_page_say(page,
                    "%sMeasured from %s on, for %s, calls that came and calls that finished in "
                    "that time, of all tiers. 30 min are usual, 15 min the least that says what is "
                    "the rule.",
                    named, from, rest);
    }
}

bool mr_report_is_measured(const struct mr_figures *figures)
{
    return mr_figures_find(figures, "measured.arrived") != NULL;
}

/* ---- calls ---- */

mr_status mr_report_calls(const struct mr_report_file *file, struct mr_report_calls *calls,
                          struct mr_err *err)
{
    const struct {
        const char *path;
        double **to;
    } columns[] = {{"/requests/arrived_s", &calls->arrived_s},
                   {"/requests/scheduled_s", &calls->scheduled_s},
                   {"/requests/first_token_s", &calls->first_s},
                   {"/requests/finished_s", &calls->finished_s},
                   {"/requests/kv_load_s", &calls->load_s},
                   {"/requests/output", &calls->output},
                   {"/requests/tier", &calls->tier},
                   {"/requests/session", &calls->session}};
    *calls = (struct mr_report_calls){0};
    size_t n = SIZE_MAX;
    for (size_t i = 0; file->run != NULL && i < sizeof columns / sizeof *columns; i++) {
        const struct mr_runread_set *set = mr_runread_find(file->run, columns[i].path);
        if (set == NULL || set->is_text || set->rank != 1)
            continue;
        const size_t rows = mr_runread_rows(file->run, set);
        MR_TRY(mr_runread_all(file->run, set, columns[i].to, err));
        n = rows < n ? rows : n;
    }
    calls->n = n == SIZE_MAX ? 0 : n;
    return MR_OK;
}

void mr_report_calls_fini(struct mr_report_calls *calls)
{
    double *const all[] = {calls->arrived_s, calls->scheduled_s, calls->first_s, calls->finished_s,
                           calls->load_s,    calls->output,      calls->tier,    calls->session};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        mr_free(all[i]);
    *calls = (struct mr_report_calls){0};
}

/* ---- latency ---- */

enum latency {
    TTFT,
    TPOT,
    E2E
};

static double latency_of(const struct mr_report_calls *c, enum latency which, size_t i)
{
    if (which == TTFT)
        return c->first_s[i] - c->arrived_s[i];
    if (which == E2E)
        return c->finished_s[i] - c->arrived_s[i];
    return c->output[i] > 1 ? (c->finished_s[i] - c->first_s[i]) / (c->output[i] - 1) : (double)NAN;
}

/* The distribution as seconds over share: at most n_point points up to the 99.5th percentile. */
static mr_status make_curve(const struct mr_hist *hist, struct mr_curve *out, struct mr_err *err)
{
    *out = (struct mr_curve){mr_alloc(n_point, sizeof(double)), mr_alloc(n_point, sizeof(double)),
                             n_point, "s", false};
    if (out->t_s == NULL || out->value == NULL) {
        mr_curve_fini(out);
        return mr_err_nomem(err, n_point * sizeof(double));
    }
    for (size_t i = 0; i < n_point; i++) {
        const double q = 0.995 * (double)i / (n_point - 1);
        out->t_s[i] = mr_hist_quantile_s(hist, q);
        out->value[i] = 100 * q;
    }
    return MR_OK;
}

static mr_status add_curves(const struct mr_report_file *file, const struct mr_report_calls *calls,
                            enum latency which, struct mr_hist *hist, struct mr_report_chart *chart,
                            struct mr_err *err)
{
    const struct mr_runread_set *tiers = mr_runread_find(file->run, "/tiers/tier");
    const char *const *name = NULL;
    size_t n_tier = 1;
    if (tiers != NULL && tiers->is_text && calls->tier != NULL) {
        MR_TRY(mr_runread_texts(file->run, tiers, &name, err));
        n_tier = tiers->dim[0] < n_tier_max ? tiers->dim[0] : n_tier_max;
    }
    for (size_t k = 0; k < n_tier; k++) {
        struct mr_curve curve;
        char named[96];
        mr_hist_reset(hist);
        for (size_t i = 0; i < calls->n; i++) {
            const double s = latency_of(calls, which, i);
            if (s >= 0 && s < MR_HIST_END_S && (name == NULL || (size_t)calls->tier[i] == k))
                mr_hist_add(hist, s);
        }
        if (hist->n == 0)
            continue;
        MR_TRY(make_curve(hist, &curve, err));
        mr_report_chart_add(chart, &curve, MR_CHART_LINE, "%s",
                            mr_report_named(file, name != NULL ? name[k] : "all calls", named));
    }
    return MR_OK;
}

/* One tier's. The last bin has no upper edge. */
static mr_status add_bins(const struct mr_report_file *file, const char *tier, const double *count,
                          const double *upper, size_t n, struct mr_report_chart *chart,
                          struct mr_err *err)
{
    struct mr_curve curve = {mr_alloc(n + 1, sizeof(double)), mr_alloc(n + 1, sizeof(double)), 0,
                             "s", false};
    double all = 0, below = 0;
    char named[96];
    if (curve.t_s == NULL || curve.value == NULL) {
        mr_curve_fini(&curve);
        return mr_err_nomem(err, n * sizeof(double));
    }
    for (size_t i = 0; i < n; i++)
        all += count[i];
    for (size_t i = 0; i + 1 < n && below < 0.995 * all; i++) {
        below += count[i];
        if (!(below > 0) && !(count[i + 1] > 0))
            continue;
        curve.t_s[curve.n] = upper[i];
        curve.value[curve.n++] = 100 * below / all;
    }
    if (curve.n == 0)
        mr_curve_fini(&curve);
    else
        mr_report_chart_add(chart, &curve, MR_CHART_LINE, "%s", mr_report_named(file, tier, named));
    return MR_OK;
}

static bool has_counts(const struct mr_report_file *file, const char *path)
{
    if (file->run == NULL)
        return false;
    const struct mr_runread_set *count = mr_runread_find(file->run, path),
                                *edge = mr_runread_find(file->run, "/histograms/bin_upper"),
                                *tiers = mr_runread_find(file->run, "/histograms/tier");
    return count != NULL && count->rank == 2 && edge != NULL && edge->rank == 1 &&
           edge->dim[0] == count->dim[1] && tiers != NULL && tiers->is_text;
}

/* Bins of all calls, as shares below their upper edges: recorded calls may be a sample. */
static mr_status add_counted(const struct mr_report_file *file, const char *path,
                             struct mr_report_chart *chart, struct mr_err *err)
{
    const struct mr_runread_set *count = mr_runread_find(file->run, path),
                                *edge = mr_runread_find(file->run, "/histograms/bin_upper"),
                                *tiers = mr_runread_find(file->run, "/histograms/tier");
    const char *const *name = NULL;
    double *n = NULL, *upper = NULL;
    MR_TRY(mr_runread_texts(file->run, tiers, &name, err));
    mr_status st = mr_runread_all(file->run, edge, &upper, err);
    if (st == MR_OK)
        st = mr_runread_all(file->run, count, &n, err);
    for (size_t k = 0; k < count->dim[0] && k < n_tier_max && st == MR_OK; k++)
        st = add_bins(file, name[k], n + k * edge->dim[0], upper, edge->dim[0], chart, err);
    mr_free(n);
    mr_free(upper);
    return st;
}

static bool has_latency(const struct mr_report_calls *c, enum latency which)
{
    return c->n > 0 && c->finished_s != NULL && c->arrived_s != NULL &&
           (which == E2E || c->first_s != NULL) && (which != TPOT || c->output != NULL);
}

static mr_status put_curves(const struct mr_report *report, const struct mr_report_calls *calls,
                            struct mr_hist *hist, struct mr_page *page, size_t *n_drawn,
                            struct mr_err *err)
{
    static const struct {
        const char *title, *sheet, *counts;
    } charts[] = {{"Time to first token", "latency_ttft", "/histograms/ttft"},
                  {"Time per output token", "latency_tpot", "/histograms/tpot"},
                  {"End to end", "latency_e2e", "/histograms/e2e"}};
    for (size_t w = 0; w < sizeof charts / sizeof *charts; w++) {
        struct mr_report_chart chart = {.is_whole = report->is_whole};
        mr_status st = MR_OK;
        for (size_t i = 0; i < report->n && st == MR_OK; i++)
            if (has_counts(&report->file[i], charts[w].counts))
                st = add_counted(&report->file[i], charts[w].counts, &chart, err);
            else if (has_latency(&calls[i], (enum latency)w))
                st = add_curves(&report->file[i], &calls[i], (enum latency)w, hist, &chart, err);
        const struct mr_report_axes axes = {.title = charts[w].title,
                                            .x_label = "s",
                                            .y_label = "% of calls within",
                                            .sheet = charts[w].sheet,
                                            .is_from_zero = true,
                                            .shade_x = (double)NAN};
        *n_drawn += st == MR_OK && mr_report_chart_put(&chart, &axes, page) ? 1 : 0;
        mr_report_chart_fini(&chart);
        MR_TRY(st);
    }
    return MR_OK;
}

/* ---- cache ---- */

static void put_cache(const struct mr_report *report, struct mr_page *page)
{
    static const struct {
        const char *path, *text;
    } rows[] = {{"tokens.input", "Tokens of prompts"},
                {"tokens.cached_input", "Of them found in the prefix cache"},
                {"requests.shed", "Calls turned away"},
                {"engine.restarts", "Calls preempted, their KV lost"},
                {"prefill.transfers", "KV transfers from prefill to decode"},
                {"prefill.sent_bytes", "Bytes of KV sent"},
                {"prefill.transfer_s_mean", "Mean time a transfer was waited for, s"}};
    char text[26][32];
    const char *head[27] = {"KV and cache"};
    struct mr_page_table table;
    const size_t n = report->n < 26 ? report->n : 26;
    for (size_t i = 0; i < n; i++) {
        (void)snprintf(text[i], sizeof text[i], "#%s",
                       report->n > 1 ? report->file[i].label : "value");
        head[i + 1] = text[i];
    }
    mr_page_table(&table, page, "cache", head, n + 1);
    for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
        mr_page_row(&table);
        mr_page_cell(&table, rows[k].text);
        for (size_t i = 0; i < n; i++)
            mr_page_cell_f64(&table, mr_figures_value(&report->file[i].figures, rows[k].path));
    }
    mr_page_row(&table);
    mr_page_cell(&table, "Share of prompts from the cache, %");
    for (size_t i = 0; i < n; i++) {
        const struct mr_figures *f = &report->file[i].figures;
        mr_page_cell_f64(&table, 100 * mr_figures_value(f, "tokens.cached_input") /
                                     mr_figures_value(f, "tokens.input"));
    }
    mr_page_table_end(&table);
}

static mr_status put_latency(const struct mr_report *report, struct mr_report_calls *calls,
                             struct mr_hist *hist, struct mr_page *page, struct mr_err *err)
{
    size_t n_drawn = 0;
    bool has_bins = false;
    for (size_t i = 0; i < report->n; i++)
        if (has_counts(&report->file[i], "/histograms/ttft"))
            has_bins = true;
        else
            MR_TRY(mr_report_calls(&report->file[i], &calls[i], err));
    mr_buf_text(&page->out, "<div class=\"grid\">");
    MR_TRY(put_curves(report, calls, hist, page, &n_drawn, err));
    mr_buf_text(&page->out, "</div>\n");
    if (has_bins && n_drawn > 0)
        mr_page_say(page, "Of all calls, recorded one by one or not: bins 3 to 6 %% wide (group "
                          "/histograms), to the 99.5th percentile.");
    if (n_drawn == 0)
        mr_page_missing(
            page, "No distributions: the file has no finished call under /requests or /histograms. "
                  "Quantiles stand among the key figures where the summary has them.");
    for (size_t i = 0; i < report->n; i++)
        if (!isnan(mr_figures_value(&report->file[i].figures, "tokens.input"))) {
            put_cache(report, page);
            return MR_OK;
        }
    mr_page_missing(page, "No KV or cache figures: nothing was served in this file.");
    return MR_OK;
}

mr_status mr_report_latency(const struct mr_report *report, struct mr_page *page,
                            struct mr_err *err)
{
    struct mr_report_calls *calls = mr_alloc_zero(report->n, sizeof *calls);
    struct mr_hist *hist = mr_alloc_zero(1, sizeof *hist);
    const mr_status st = calls == NULL || hist == NULL
                             ? mr_err_nomem(err, sizeof *hist)
                             : put_latency(report, calls, hist, page, err);
    for (size_t i = 0; calls != NULL && i < report->n; i++)
        mr_report_calls_fini(&calls[i]);
    mr_free(calls);
    mr_free(hist);
    return st;
}
