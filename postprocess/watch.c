/* SPDX-License-Identifier: Apache-2.0 */
/* A line per quantity: its last value and its course in characters of eight heights, as many as the
 * terminal has room for; where it is narrow names are short. Of large files little more is read
 * than is shown: rows here and there, and the last calls. */
#include "postprocess/watch.h"

#include "engine/base/hist.h"
#include "engine/base/mem.h"
#include "engine/base/num.h"
#include "engine/base/unit.h"
#include "postprocess/curve.h"
#include "postprocess/figures.h"

#include <math.h>
#include <stdio.h>

enum {
    long_fixed = 54,  /* columns of a line before its course: with the long name, */
    short_fixed = 31, /* and with the short one */
    short_below = 80, /* columns in which names are short */
    n_spark_max = MR_WATCH_COLUMNS_MAX - long_fixed,
    n_tier_max = 8,
    n_call_max = 20000,   /* the last of them */
    n_value_max = 1 << 19 /* of a series */
};

/* ---- courses ---- */

struct frame {
    size_t columns, n_spark;
    bool is_short;
    double until_s;
    struct mr_buf *out;
};

/* A quantity has a name for each width. */
struct title {
    const char *text, *brief; /* brief: at most 11 characters */
};

static void put_spark(const double *value, size_t n, struct mr_buf *out)
{
    static const char *const blocks[] = {"\xe2\x96\x81", "\xe2\x96\x82", "\xe2\x96\x83",
                                         "\xe2\x96\x84", "\xe2\x96\x85", "\xe2\x96\x86",
                                         "\xe2\x96\x87", "\xe2\x96\x88"};
    double low = HUGE_VAL, high = -HUGE_VAL;
    for (size_t i = 0; i < n; i++) {
        low = fmin(low, value[i]); /* fmin and fmax pass over NaN */
        high = fmax(high, value[i]);
    }
    for (size_t i = 0; i < n; i++)
        if (isnan(value[i]))
            mr_buf_char(out, ' ');
        else
            mr_buf_text(out,
                        blocks[high > low ? (size_t)((value[i] - low) / (high - low) * 7.99) : 3]);
}

static void put_line(const struct frame *f, struct title title, double last, const char *unit,
                     const double *value, size_t n)
{
    char text[MR_NUM_CAP] = "-";
    if (!isnan(last))
        (void)mr_num_format_human(last, 4, text);
    if (f->is_short)
        mr_buf_printf(f->out, "  %-11s %10s %-5s ", title.brief, text, unit);
    else
        mr_buf_printf(f->out, "  %-30s %10s %-9s ", title.text, text, unit);
    put_spark(value, n, f->out);
    mr_buf_char(f->out, '\n');
}

// clang-format off
static const struct quantity {
    const char *path;
    enum mr_curve_how how;
    struct title title;
    double scale;
    const char *unit;
} quantities[] = {
    {"/pools/tok_s", MR_CURVE_SUM, {"output tokens made by pools", "tokens made"}, 1, "tok/s"},
    {"/grid/feed/calculated_load_kw", MR_CURVE_SUM, {"load at the meter", "at meter"}, 1e-3, "MW"},
    {"/site/it_kw", MR_CURVE_SUM, {"power of all racks", "all racks"}, 1e-3, "MW"},
    {"/racks/power_kw", MR_CURVE_SUM, {"power of all racks", "all racks"}, 1e-3, "MW"},
    {"/racks/die_max_c", MR_CURVE_MAX, {"hottest die", "hottest die"}, 1, "degC"},
    {"/racks/throttled_gpus", MR_CURVE_SUM, {"throttled packages", "throttled"}, 1, ""},
    {"/racks/liquid_supply_c", MR_CURVE_MAX, {"warmest supply", "supply"}, 1, "degC"},
    {"/weather/dry_bulb_c", MR_CURVE_MEAN, {"outdoor air", "outdoor air"}, 1, "degC"},
    {"/power/storage_energy_kwh", MR_CURVE_SUM, {"energy of storages", "stored"}, 1, "kWh"},
};
// clang-format on

static mr_status put_curve(const struct mr_runread *run, const struct quantity *q, struct frame *f,
                           struct mr_err *err)
{
    struct mr_curve curve;
    const struct mr_runread_set *set = mr_runread_find(run, q->path);
    const size_t width = set != NULL && mr_runread_width(set) > 0 ? mr_runread_width(set) : 1;
    const size_t n = n_value_max / width > f->n_spark ? n_value_max / width : f->n_spark;
    MR_TRY(mr_curve_glance(run, q->path, q->how, n, &curve, err));
    if (curve.n > 0) {
        const double last = curve.value[curve.n - 1];
        f->until_s = fmax(f->until_s, curve.t_s[curve.n - 1]);
        mr_curve_thin(&curve, f->n_spark, q->how == MR_CURVE_MAX ? q->how : MR_CURVE_MEAN);
        put_line(f, q->title, last * q->scale, q->unit, curve.value, curve.n);
    }
    mr_curve_fini(&curve);
    return MR_OK;
}

/* ---- calls ---- */

struct calls {
    double *arrived_s, *first_s, *finished_s, *output, *tier;
    size_t n, n_all; /* here; in the file */
};

static mr_status read_calls(const struct mr_runread *run, struct calls *c, struct mr_err *err)
{
    const struct {
        const char *path;
        double **to;
    } columns[] = {{"/requests/arrived_s", &c->arrived_s},
                   {"/requests/first_token_s", &c->first_s},
                   {"/requests/finished_s", &c->finished_s},
                   {"/requests/output", &c->output},
                   {"/requests/tier", &c->tier}};
    c->n_all = SIZE_MAX;
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++) {
        const struct mr_runread_set *set = mr_runread_find(run, columns[i].path);
        const size_t n = set != NULL && !set->is_text ? mr_runread_rows(run, set) : 0;
        c->n_all = n < c->n_all ? n : c->n_all;
    }
    c->n = c->n_all < n_call_max ? c->n_all : n_call_max;
    for (size_t i = 0; i < sizeof columns / sizeof *columns && c->n > 0; i++) {
        *columns[i].to = mr_alloc(c->n, sizeof **columns[i].to);
        if (*columns[i].to == NULL)
            return mr_err_nomem(err, c->n * sizeof **columns[i].to);
        MR_TRY(mr_runread_f64(run, mr_runread_find(run, columns[i].path), c->n_all - c->n, c->n,
                              *columns[i].to, err));
    }
    return MR_OK;
}

/* Tokens of calls by the time of their end. */
static void put_tokens(const struct calls *c, struct frame *f)
{
    double tok_s[n_spark_max] = {0}, end_s = 0;
    for (size_t i = 0; i < c->n; i++)
        end_s = fmax(end_s, c->finished_s[i]);
    f->until_s = fmax(f->until_s, end_s);
    if (!(end_s > 0) || c->n < c->n_all)
        return;
    for (size_t i = 0; i < c->n; i++)
        if (c->finished_s[i] >= 0) {
            const size_t k = (size_t)(c->finished_s[i] / end_s * (double)f->n_spark);
            tok_s[k < f->n_spark ? k : f->n_spark - 1] += c->output[i] * (double)f->n_spark / end_s;
        }
    put_line(f, (struct title){"output tokens of ended calls", "tokens out"}, tok_s[f->n_spark - 1],
             "tok/s", tok_s, f->n_spark);
}

static void put_tier(const struct frame *f, const char *name, size_t n_ended, bool is_all,
                     const struct mr_hist *ttft)
{
    char p50[MR_UNIT_CAP] = "-", p99[MR_UNIT_CAP] = "-";
    if (ttft->n > 0) {
        (void)mr_unit_human(mr_hist_quantile_s(ttft, 0.5), MR_Q_TIME, 3, p50);
        (void)mr_unit_human(mr_hist_quantile_s(ttft, 0.99), MR_Q_TIME, 3, p99);
    }
    const char *calls = is_all ? "calls" : "last calls";
    if (f->columns >= MR_WATCH_COLUMNS)
        mr_buf_printf(f->out, "  tier %-25s %10zu %-10s first token p50 %s, p99 %s\n", name,
                      n_ended, calls, p50, p99);
    else
        mr_buf_printf(f->out, "  tier %s: %zu %s\n    first token p50 %s, p99 %s\n", name, n_ended,
                      calls, p50, p99);
}

static mr_status put_tiers(struct mr_runread *run, const struct calls *c, const struct frame *f,
                           struct mr_err *err)
{
    const struct mr_runread_set *set = mr_runread_find(run, "/tiers/tier");
    const char *const *name;
    if (set == NULL || !set->is_text || c->n == 0)
        return MR_OK;
    MR_TRY(mr_runread_texts(run, set, &name, err));
    struct mr_hist *hist = mr_alloc(1, sizeof *hist);
    if (hist == NULL)
        return mr_err_nomem(err, sizeof *hist);
    for (size_t k = 0; k < set->dim[0] && k < n_tier_max; k++) {
        size_t n_ended = 0;
        mr_hist_reset(hist);
        for (size_t i = 0; i < c->n; i++) {
            const double ttft_s = c->first_s[i] - c->arrived_s[i];
            if (c->tier[i] < (double)k || c->tier[i] > (double)k)
                continue;
            n_ended += c->finished_s[i] >= 0 ? 1 : 0;
            if (ttft_s >= 0 && ttft_s < MR_HIST_END_S)
                mr_hist_add(hist, ttft_s);
        }
        put_tier(f, name[k], n_ended, c->n == c->n_all, hist);
    }
    mr_free(hist);
    return MR_OK;
}

/* Where calls are not recorded: tokens of each tier's calls, by the samples of the run. */
static mr_status put_tier_courses(struct mr_runread *run, const struct frame *f, struct mr_err *err)
{
    const struct mr_runread_set *set = mr_runread_find(run, "/tiers/tier"),
                                *course = mr_runread_find(run, "/tiers/ended_tok_s");
    const char *const *name;
    if (set == NULL || !set->is_text || course == NULL || !mr_curve_is(run, course->path) ||
        mr_runread_rows(run, course) * mr_runread_width(course) > n_value_max)
        return MR_OK;
    MR_TRY(mr_runread_texts(run, set, &name, err));
    for (size_t k = 0; k < set->dim[0] && k < n_tier_max; k++) {
        struct mr_curve curve;
        char title[64], brief[12];
        (void)snprintf(title, sizeof title, "ended calls of tier %s", name[k]);
        (void)snprintf(brief, sizeof brief, "%s", name[k]);
        MR_TRY(mr_curve_one(run, course->path, k, &curve, err));
        if (curve.n > 0) {
            const double last = curve.value[curve.n - 1];
            mr_curve_thin(&curve, f->n_spark, MR_CURVE_MEAN);
            put_line(f, (struct title){title, brief}, last, "tok/s", curve.value, curve.n);
        }
        mr_curve_fini(&curve);
    }
    return MR_OK;
}

static mr_status put_calls(struct mr_runread *run, struct frame *f, struct mr_err *err)
{
    struct calls c = {0};
    mr_status st = read_calls(run, &c, err);
    if (st == MR_OK)
        put_tokens(&c, f);
    if (st == MR_OK)
        st = c.n > 0 ? put_tiers(run, &c, f, err) : put_tier_courses(run, f, err);
    mr_free(c.arrived_s);
    mr_free(c.first_s);
    mr_free(c.finished_s);
    mr_free(c.output);
    mr_free(c.tier);
    return st;
}

/* ---- the frame ---- */

enum mr_watch_end mr_watch_end(const struct mr_runread *run, const struct mr_watch_look *look)
{
    const char *reason = mr_runread_attr(run, "/", "exit_reason");
    if (mr_runread_is_complete(run))
        return MR_WATCH_ENDED;
    if (look->is_written)
        return MR_WATCH_RUNNING;
    return reason != NULL && reason[0] != '\0' ? MR_WATCH_ENDED : MR_WATCH_KILLED;
}

static void put_head(const struct mr_runread *run, const struct mr_watch_look *look,
                     const struct frame *f, struct mr_buf *out)
{
    const char *title = mr_runread_attr(run, "/", "title"),
               *state = mr_runread_attr(run, "/", "status"),
               *reason = mr_runread_attr(run, "/", "exit_reason");
    const struct mr_runread_set *events = mr_runread_find(run, "/events/t_s");
    const enum mr_watch_end end = mr_watch_end(run, look);
    char time[MR_UNIT_CAP];
    mr_buf_printf(out, "%s: ", title != NULL ? title : mr_runread_path(run));
    if (end != MR_WATCH_ENDED)
        mr_buf_text(out, end == MR_WATCH_KILLED ? "killed" : "running");
    else
        mr_buf_printf(out, "%s%s%s", state != NULL ? state : "of unknown state",
                      reason != NULL ? ": " : "", reason != NULL ? reason : "");
    (void)mr_unit_human(f->until_s, MR_Q_TIME, 4, time);
    if (f->until_s > 0) /* else there are no dates in it that would tell */
        mr_buf_printf(out, ", simulated %s", time);
    if (events != NULL)
        mr_buf_printf(out, ", %zu events", mr_runread_rows(run, events));
}

/* Lines of a text, cut where the terminal ends. Bytes 10xxxxxx go on with a character. */
static void put_cut(const char *text, size_t columns, struct mr_buf *out)
{
    size_t n = 0;
    for (const char *c = text; *c != '\0'; c++) {
        if (*c == '\n')
            n = 0;
        else if (((unsigned char)*c & 0xC0u) != 0x80u)
            n++;
        if (n <= columns)
            mr_buf_char(out, *c);
    }
}

mr_status mr_watch_frame(struct mr_runread *run, const struct mr_watch_look *look,
                         struct mr_buf *out, struct mr_err *err)
{
    struct mr_buf head = {0}, body = {0}, all = {0};
    struct frame f = {.columns = look->columns, .out = &body};
    f.columns = f.columns > MR_WATCH_COLUMNS_MIN ? f.columns : MR_WATCH_COLUMNS_MIN;
    f.columns = f.columns < MR_WATCH_COLUMNS_MAX ? f.columns : MR_WATCH_COLUMNS_MAX;
    f.is_short = f.columns < short_below;
    f.n_spark = f.columns - (f.is_short ? short_fixed : long_fixed);
    mr_status st = put_calls(run, &f, err);
    for (size_t i = 0; i < sizeof quantities / sizeof *quantities && st == MR_OK; i++) {
        const struct quantity *q = &quantities[i];
        if (i > 0 && strcmp(q->title.text, q[-1].title.text) == 0 && mr_curve_is(run, q[-1].path))
            continue; /* the same from elsewhere */
        st = put_curve(run, q, &f, err);
    }
    put_head(run, look, &f, &head);
    if (head.text != NULL)
        mr_buf_wrap(&all, head.text, 0, 2, f.columns);
    mr_buf_char(&all, '\n');
    mr_buf_text(&all, body.n > 0 ? body.text : "  nothing recorded over time so far\n");
    if (st == MR_OK)
        st = mr_buf_check(&body, err);
    if (st == MR_OK)
        st = mr_buf_check(&all, err);
    if (st == MR_OK)
        put_cut(all.text, f.columns, out);
    mr_buf_fini(&head);
    mr_buf_fini(&body);
    mr_buf_fini(&all);
    return st == MR_OK ? mr_buf_check(out, err) : st;
}
