/* SPDX-License-Identifier: Apache-2.0 */
/* What held the site back, longest first: throttled racks, racks at their caps, CDUs at their end,
 * constraints of the grid, and what report_limits_serve.c knows of pools and tiers. Times come from
 * the series, so they are as fine as the recording. A limit held when less was drawn than asked for
 * and the load was near it: governors keep a margin below what they may use. Map: candidates - the
 * feed - racks - CDUs - the table. */
#include "engine/base/mem.h"
#include "engine/base/unit.h"
#include "postprocess/report_limits_impl.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    n_shown = 10,
    block_values = 1 << 18 /* read at once, of one series */
};

/* ---- candidates ---- */

/* Shares of a limit above which the load is at it, where what was asked for is known and where it
 * is not; and how much more than drawn is "more". */
static const double near_frac = 0.95, at_frac = 0.995, more_frac = 1.001;

mr_status mr_report_limits_add(struct mr_report_limits *list, const struct mr_report_limit *item,
                               struct mr_err *err)
{
    if (!(item->held_s > 0) && !isnan(item->held_s))
        return MR_OK;
    MR_TRY(mr_grow(&list->item, &list->cap, list->n + 1, sizeof *item, err));
    list->item[list->n++] = *item;
    return MR_OK;
}

static int compare_items(const void *a, const void *b)
{
    const struct mr_report_limit *x = a, *y = b;
    const double held_s[2] = {fmax(x->held_s, 0), fmax(y->held_s, 0)}; /* not known: last */
    if (held_s[0] < held_s[1] || held_s[0] > held_s[1])
        return held_s[0] < held_s[1] ? 1 : -1;
    if (x->is_root != y->is_root)
        return x->is_root ? -1 : 1;
    const int what = strcmp(x->what, y->what);
    return what != 0 ? what : strcmp(x->where, y->where);
}

mr_status mr_report_names(struct mr_runread *run, const char *path, const char *const **name,
                          size_t *n, struct mr_err *err)
{
    const struct mr_runread_set *set = mr_runread_find(run, path);
    *name = NULL;
    *n = 0;
    if (set == NULL || !set->is_text || set->rank != 1)
        return MR_OK;
    *n = set->dim[0];
    return mr_runread_texts(run, set, name, err);
}

/* "H0.R3.K7" stands in row "H0.R3". */
static size_t row_length(const char *name)
{
    const char *dot = strrchr(name, '.');
    return dot != NULL ? (size_t)(dot - name) : strlen(name);
}

/* ---- the feed ---- */

/* Load near its constraint while racks asked for more than they drew. With a tenth more, racks
 * would have had min(asked, 1.1 drawn) instead of what they drew: taken at the racks' own dates,
 * for the least of two means is more than the mean of the least. Feed and racks have intervals of
 * their own: where the load was near for a part of one in which racks are known as a whole, no gain
 * is told. */
enum feed_series {
    LOAD,
    TARGET,
    ASKED,
    DRAWN,
    MORE, /* they would have had of a tenth more */
    n_feed_series
};

/* When it held; mr_curve_fini. Dates rise, so a place in it moves on only. */
struct feed {
    struct mr_curve held; /* share of the time from a date to the next */
    size_t at;
};

/* The load becomes whether it was near its constraint, which becomes a number wherever it was.
 * @return the most that it was above it [kW] */
static double find_near(struct mr_curve *c, double near)
{
    double above_kw = 0;
    for (size_t i = 0; i < c[LOAD].n; i++) {
        double *target = i < c[TARGET].n ? &c[TARGET].value[i] : NULL;
        const bool is_near = target != NULL && c[LOAD].value[i] >= near * *target;
        if (is_near && i + 1 < c[LOAD].n)
            above_kw = fmax(above_kw, c[LOAD].value[i] - *target);
        c[LOAD].value[i] = is_near ? 1 : 0;
        if (target != NULL && !is_near)
            *target = (double)NAN;
    }
    return above_kw;
}

/* Asked and drawn are of one group: their dates are the same. */
static void find_more(struct mr_curve *c)
{
    for (size_t i = 0; i < c[MORE].n; i++) {
        const double asked = c[ASKED].value[i];
        const double drawn = i < c[DRAWN].n ? c[DRAWN].value[i] : (double)NAN;
        c[MORE].value[i] = asked > 1.1 * drawn ? 0.1 * drawn : asked - drawn;
    }
}

static double lowest_of(const struct mr_curve *target)
{
    double lowest = HUGE_VAL;
    for (size_t i = 0; i + 1 < target->n; i++)
        lowest = fmin(lowest, target->value[i]); /* passes over NaN */
    return lowest;
}

/* All on dates of their own by now. The load becomes the share of the time that the feed held. */
static void find_held(struct mr_curve *c, double above_kw, struct mr_report_limit *item)
{
    double gain_kws = 0, asked_kws = 0, drawn_kws = 0;
    const bool has_asked = c[ASKED].n > 0 && c[DRAWN].n > 0;
    for (size_t i = 0; i + 1 < c[LOAD].n; i++) {
        const double share = c[LOAD].value[i],
                     held_s = share * (c[LOAD].t_s[i + 1] - c[LOAD].t_s[i]);
        const double asked = has_asked ? c[ASKED].value[i] : (double)NAN;
        const double drawn = has_asked ? c[DRAWN].value[i] : (double)NAN;
        if (asked <= more_frac * drawn)
            c[LOAD].value[i] = 0;
        if (!(c[LOAD].value[i] > 0))
            continue;
        item->held_s += held_s;
        asked_kws += asked * held_s;
        drawn_kws += drawn * held_s;
        gain_kws += share < 1 - 1e-9 || !has_asked ? (double)NAN : c[MORE].value[i] * held_s;
    }
    if (drawn_kws > 0)
        (void)snprintf(item->why, sizeof item->why, "racks asked for %.3g %% more than they drew",
                       100 * (asked_kws / drawn_kws - 1));
    else if (asked_kws > 0 && above_kw > 0)
        (void)snprintf(item->why, sizeof item->why,
                       "all racks are stopped; the load was up to %.4g kW above it", above_kw);
    else
        (void)snprintf(item->why, sizeof item->why, "the load is at it");
    if (has_asked && !isnan(gain_kws))
        (void)snprintf(item->gain, sizeof item->gain, "%.4g kWh for racks", gain_kws / 3600);
    else
        (void)snprintf(item->gain, sizeof item->gain,
                       "not told: what racks asked for is not recorded%s",
                       has_asked ? " as finely" : "");
}

static mr_status add_feed(const struct mr_runread *run, struct mr_report_limits *list,
                          struct feed *feed, struct mr_err *err)
{
    static const char *const paths[n_feed_series] = {
        [LOAD] = "/grid/feed/calculated_load_kw",
        [TARGET] = "/grid/feed/target_kw",
        [ASKED] = "/power/asked_kw",
        [DRAWN] = "/power/rack_kw",
        [MORE] = "/power/asked_kw",
    };
    struct mr_curve c[n_feed_series] = {{.n = 0}};
    struct mr_report_limit item = {
        .what = "constraint of the grid", .where = "feed", .is_root = true};
    double above_kw = 0;
    mr_status st = MR_OK;
    for (size_t k = 0; k < n_feed_series && st == MR_OK; k++)
        st = mr_curve_read(run, paths[k], MR_CURVE_SUM, &c[k], err);
    if (st == MR_OK)
        st = mr_curve_pair(c, 2, err); /* of one group: values only move to where they begin */
    if (st == MR_OK)
        st = mr_curve_pair(&c[ASKED], 3, err);
    if (st == MR_OK)
        find_more(c);
    if (st == MR_OK) {
        above_kw = find_near(c, c[ASKED].n > 0 && c[DRAWN].n > 0 ? near_frac : at_frac);
        (void)snprintf(item.limit, sizeof item.limit, "%.5g kW", lowest_of(&c[TARGET]));
        mr_curve_fini(&c[TARGET]);
        st = mr_curve_pair(c, n_feed_series, err);
    }
    if (st == MR_OK) {
        find_held(c, above_kw, &item);
        st = mr_report_limits_add(list, &item, err);
        feed->held = c[LOAD];
        c[LOAD] = (struct mr_curve){.units = ""};
    }
    for (size_t k = 0; k < n_feed_series; k++)
        mr_curve_fini(&c[k]);
    return st;
}

/* Seconds between two dates in which the feed held. Ask in rising order. */
static double held_between(struct feed *feed, double from_s, double to_s)
{
    const struct mr_curve *h = &feed->held;
    double held_s = 0;
    while (feed->at + 1 < h->n && h->t_s[feed->at + 1] <= from_s)
        feed->at++;
    for (size_t i = feed->at; i + 1 < h->n && h->t_s[i] < to_s; i++)
        held_s += h->value[i] * fmax(fmin(to_s, h->t_s[i + 1]) - fmax(from_s, h->t_s[i]), 0);
    return held_s;
}

/* ---- racks ---- */

/* Series of racks that are looked at together; the first of two that the file has. */
#define RACK_SERIES_LIST(X)                                  \
    X(OFF, "/racks/off_gpus", "/racks/off_gpus")             \
    X(THROTTLED, "/racks/throttled_gpus", "/racks/off_gpus") \
    X(DRAWN, "/racks/drawn_kw", "/racks/power_kw")           \
    X(CAP, "/racks/cap_kw", "/racks/cap_kw")                 \
    X(HELD, "/racks/held_gpus", "/racks/held_gpus")          \
    X(WANT, "/racks/want_kw", "/racks/want_kw")              \
    X(TOK_S, "/racks/tok_s", "/racks/tok_s")

enum rack_series {
#define RACK_SERIES_ENUM(name, path, other) RACK_##name,
    RACK_SERIES_LIST(RACK_SERIES_ENUM)
#undef RACK_SERIES_ENUM
    n_rack_series
};

enum cause {
    BY_HEAT,
    BY_CAP,
    BY_STOP,
    BY_REST,
    BY_DARKNESS,
    n_cause
};

/* What held a rack, for how long, how long the feed held meanwhile, and what a tenth more would
 * have given it. all_s: over racks, where held_s is the longest of them. */
struct tally {
    double held_s, all_s, feed_s, cap_kw, asked_kws, drawn_kws, more_kws, more_tok;
};

struct racks {
    const struct mr_runread_set *set[n_rack_series]; /* NULL: not in the file */
    double *block[n_rack_series], *t_s;
    struct tally *tally; /* [n * n_cause] */
    size_t n, n_row, n_block;
    double undone_tok; /* that calls asked for and nobody has made; INFINITY: not known */
};

/* Tokens follow watts at most, at the rack's own tokens per joule: idle watts make none, and
 * waiting for memory takes some. */
static void hold(struct tally *tally, double dt_s, double drawn_kw, double want_kw, double tok_s)
{
    const double more = fmin(want_kw / drawn_kw, 1.1) - 1;
    tally->held_s += dt_s;
    tally->all_s += dt_s;
    tally->asked_kws += want_kw * dt_s;
    tally->drawn_kws += drawn_kw * dt_s;
    if (more > 0 && isfinite(more)) {
        tally->more_kws += more * drawn_kw * dt_s;
        tally->more_tok += more * tok_s * dt_s; /* NaN where tokens are not told */
    }
}

/* Between a row and the next: what is of dates holds from the first, means are told by the second.
 */
static void look_at_rack(struct racks *r, size_t rack, size_t row, double dt_s, double feed_s)
{
    double v[n_rack_series];
    struct tally *tally = &r->tally[rack * n_cause];
    for (size_t k = 0; k < n_rack_series; k++)
        v[k] = r->set[k] != NULL ? r->block[k][(row + (r->set[k]->is_before ? 1 : 0)) * r->n + rack]
                                 : (double)NAN;
    if (v[RACK_HELD] > 0 && v[RACK_TOK_S] > 0) /* a part of it: what works may be held, too */
        tally[BY_REST].held_s += dt_s;
    if (v[RACK_CAP] == 0) { /* shut: off, too */
        tally[BY_STOP].held_s += dt_s;
    } else if (v[RACK_OFF] > 0) {
        tally[BY_DARKNESS].held_s += dt_s;
    } else if (v[RACK_HELD] > 0 && !(v[RACK_TOK_S] > 0)) {
        tally[BY_REST].held_s += dt_s;
    } else if (v[RACK_THROTTLED] > 0) {
        hold(&tally[BY_HEAT], dt_s, v[RACK_DRAWN], v[RACK_WANT], v[RACK_TOK_S]);
    } else if (isnan(v[RACK_WANT]) ? v[RACK_DRAWN] >= at_frac * v[RACK_CAP]
                                   : v[RACK_DRAWN] >= near_frac * v[RACK_CAP] &&
                                         v[RACK_WANT] > more_frac * v[RACK_DRAWN]) {
        hold(&tally[BY_CAP], dt_s, v[RACK_DRAWN], v[RACK_WANT], v[RACK_TOK_S]);
        tally[BY_CAP].feed_s += feed_s;
        tally[BY_CAP].cap_kw = v[RACK_CAP];
    }
}

/* Blocks share a row: the last of one is the first of the next. */
static mr_status look_at_rows(const struct mr_runread *run, struct racks *r, struct feed *feed,
                              struct mr_err *err)
{
    for (size_t at = 0; at + 1 < r->n_row; at += r->n_block) {
        const size_t n = r->n_row - at <= r->n_block ? r->n_row - at : r->n_block + 1;
        for (size_t k = 0; k < n_rack_series; k++)
            if (r->set[k] != NULL)
                MR_TRY(mr_runread_f64(run, r->set[k], at, n, r->block[k], err));
        for (size_t row = 0; row + 1 < n; row++) {
            const double *t_s = r->t_s + at + row, feed_s = held_between(feed, t_s[0], t_s[1]);
            for (size_t i = 0; i < r->n; i++)
                look_at_rack(r, i, row, t_s[1] - t_s[0], feed_s);
        }
    }
    return MR_OK;
}

static mr_status open_racks(const struct mr_runread *run, size_t n_name, struct racks *r,
                            struct feed *feed, struct mr_err *err)
{
    static const char *const paths[n_rack_series][2] = {
#define RACK_SERIES_PATHS(name, path, other) {path, other},
        RACK_SERIES_LIST(RACK_SERIES_PATHS)
#undef RACK_SERIES_PATHS
    };
    const struct mr_runread_set *time = NULL;
    r->n = n_name;
    for (size_t k = 0; k < n_rack_series; k++)
        for (size_t i = 0; i < 2 && r->set[k] == NULL; i++) {
            const struct mr_runread_set *set = mr_runread_find(run, paths[k][i]);
            if (set == NULL || !mr_curve_is(run, paths[k][i]) || mr_runread_width(set) != n_name)
                continue;
            const size_t n_row = mr_runread_rows(run, set);
            r->n_row = time == NULL || n_row < r->n_row ? n_row : r->n_row;
            time = mr_runread_find(run, set->axis[0]);
            r->set[k] = set;
        }
    if (time == NULL || n_name == 0)
        return MR_OK;
    r->n_block = block_values / n_name + 1;
    r->t_s = mr_alloc(r->n_row + 1, sizeof *r->t_s);
    r->tally = mr_alloc_zero(n_name * n_cause, sizeof *r->tally);
    bool has_all = r->t_s != NULL && r->tally != NULL;
    for (size_t k = 0; k < n_rack_series; k++) {
        r->block[k] = mr_alloc((r->n_block + 1) * n_name, sizeof *r->block[k]);
        has_all = has_all && r->block[k] != NULL;
    }
    if (!has_all)
        return mr_err_nomem(err, r->n_block * n_name * sizeof(double));
    MR_TRY(mr_runread_f64(run, time, 0, r->n_row, r->t_s, err));
    return look_at_rows(run, r, feed, err);
}

/* More watts make no calls: what those that came still wanted is an end to the gain. Agents that
 * are served sooner ask again sooner, so theirs is not known. Calls in flight are taken to be as
 * long as those that ended. */
static double undone_tok(const struct mr_figures *figures)
{
    const double finished = mr_figures_value(figures, "requests.finished");
    const double mean_tok = mr_figures_value(figures, "tokens.output") / finished;
    const double asked_tok = mean_tok * mr_figures_value(figures, "requests.arrived");
    const double made_tok =
        mr_figures_value(figures, "tok_s.made") * mr_figures_value(figures, "sim_s");
    const bool is_known = finished > 0 && isfinite(asked_tok) && isfinite(made_tok) &&
                          isnan(mr_figures_value(figures, "sessions.finished"));
    return is_known ? fmax(0, asked_tok - made_tok) : (double)INFINITY;
}

static void say_gain(const struct tally *sum, bool has_want, double undone,
                     struct mr_report_limit *item)
{
    char tokens[MR_NUM_CAP];
    if (!has_want)
        (void)snprintf(item->gain, sizeof item->gain,
                       "not told: what racks asked for is not recorded");
    else if (isfinite(sum->more_tok))
        (void)snprintf(item->gain, sizeof item->gain, "%.4g kWh for racks, at most %s tokens",
                       sum->more_kws / 3600,
                       mr_report_human(fmin(sum->more_tok, undone), 3, tokens));
    else
        (void)snprintf(item->gain, sizeof item->gain, "%.4g kWh for racks", sum->more_kws / 3600);
}

static void say_why(const struct tally *sum, bool is_cap, struct mr_report_limit *item)
{
    char more[64] = "";
    if (sum->asked_kws > sum->drawn_kws)
        (void)snprintf(more, sizeof more, "asked for %.3g %% more than drawn",
                       100 * (sum->asked_kws / sum->drawn_kws - 1));
    if (is_cap && sum->feed_s > 0)
        (void)snprintf(item->why, sizeof item->why, "%s%sthe grid's constraint held %.3g %% of it",
                       more, more[0] != '\0' ? "; " : "", 100 * sum->feed_s / sum->all_s);
    else
        (void)snprintf(item->why, sizeof item->why, "%s", more);
}

/* Racks that a cause held in rows that stand one after the other: an item of the list. */
struct stretch {
    const char *first, *last; /* names of racks */
    size_t n_row, n_rack;
    struct tally sum;
};

static mr_status add_stretch(const struct racks *r, const struct stretch *s, enum cause cause,
                             struct mr_report_limits *list, struct mr_err *err)
{
    static const char *const what[n_cause] = {[BY_HEAT] = "throttled packages",
                                              [BY_CAP] = "cap on racks",
                                              [BY_STOP] = "racks shut for want of watts",
                                              [BY_REST] = "packages at rest for want of watts",
                                              [BY_DARKNESS] = "packages without power or coolant"};
    struct mr_report_limit item = {.gain = "what they served: they must come back",
                                   .held_s = s->sum.held_s};
    if (s->n_row == 0)
        return MR_OK;
    (void)snprintf(item.what, sizeof item.what, "%s", what[cause]);
    if (s->n_row > 1)
        (void)snprintf(item.where, sizeof item.where, "%.*s to %.*s, %zu racks",
                       (int)row_length(s->first), s->first, (int)row_length(s->last), s->last,
                       s->n_rack);
    else if (s->n_rack > 1)
        (void)snprintf(item.where, sizeof item.where, "%.*s, %zu racks", (int)row_length(s->first),
                       s->first, s->n_rack);
    else
        (void)snprintf(item.where, sizeof item.where, "%s", s->first);
    if (cause == BY_CAP)
        (void)snprintf(item.limit, sizeof item.limit, "%.4g kW", s->sum.cap_kw);
    else
        (void)snprintf(item.limit, sizeof item.limit, "%s",
                       cause == BY_HEAT   ? "die temperature"
                       : cause == BY_REST ? "at rest"
                                          : "off");
    if (cause == BY_STOP || cause == BY_REST)
        (void)snprintf(item.why, sizeof item.why,
                       "at lowest clocks and at rest all take more than there is: others have it");
    if (cause == BY_HEAT || cause == BY_CAP) {
        say_gain(&s->sum, r->set[RACK_WANT] != NULL, r->undone_tok, &item);
        say_why(&s->sum, cause == BY_CAP, &item);
    }
    return mr_report_limits_add(list, &item, err);
}

/* All but the time, which is the longest of any, and the cap, which is the highest. */
static void add_tally(struct tally *sum, const struct tally *more)
{
    sum->held_s = fmax(sum->held_s, more->held_s);
    sum->cap_kw = fmax(sum->cap_kw, more->cap_kw);
    sum->all_s += more->all_s;
    sum->feed_s += more->feed_s;
    sum->asked_kws += more->asked_kws;
    sum->drawn_kws += more->drawn_kws;
    sum->more_kws += more->more_kws;
    sum->more_tok += more->more_tok;
}

/* One row of racks. */
static struct stretch sum_of_row(const struct racks *r, const char *const *name, size_t from,
                                 size_t to, enum cause cause)
{
    struct stretch s = {.n_row = 0};
    for (size_t i = from; i < to; i++) {
        const struct tally *tally = &r->tally[i * n_cause + cause];
        if (!(tally->held_s > 0))
            continue;
        if (s.n_rack++ == 0)
            s.first = s.last = name[i];
        s.n_row = 1;
        add_tally(&s.sum, tally);
    }
    return s;
}

/* Rows that were held nearly alike are told once, or they would crowd out what else there is. */
static bool are_alike(const struct stretch *a, const struct stretch *b)
{
    return a->n_row > 0 && b->n_row > 0 &&
           fabs(a->sum.held_s - b->sum.held_s) <= 0.05 * a->sum.held_s &&
           fabs(a->sum.cap_kw - b->sum.cap_kw) <= 0.05 * a->sum.cap_kw;
}

static mr_status add_cause(const struct racks *r, const char *const *name, enum cause cause,
                           struct mr_report_limits *list, struct mr_err *err)
{
    struct stretch held = {.n_row = 0};
    for (size_t from = 0, to; from < r->n; from = to) {
        const size_t length = row_length(name[from]);
        for (to = from + 1; to < r->n && row_length(name[to]) == length &&
                            memcmp(name[to], name[from], length) == 0;)
            to++;
        const struct stretch row = sum_of_row(r, name, from, to, cause);
        if (are_alike(&held, &row)) {
            held.last = row.last;
            held.n_row++;
            held.n_rack += row.n_rack;
            add_tally(&held.sum, &row.sum);
            continue;
        }
        MR_TRY(add_stretch(r, &held, cause, list, err));
        held = row;
    }
    return add_stretch(r, &held, cause, list, err);
}

static mr_status add_racks(const struct mr_report_file *file, struct mr_report_limits *list,
                           struct feed *feed, struct mr_err *err)
{
    struct mr_runread *run = file->run;
    const char *const *name;
    size_t n_name;
    struct racks r = {.undone_tok = undone_tok(&file->figures)};
    MR_TRY(mr_report_names(run, "/racks/rack", &name, &n_name, err));
    mr_status st = open_racks(run, n_name, &r, feed, err);
    for (int cause = 0; cause < n_cause && name != NULL && r.tally != NULL && st == MR_OK; cause++)
        st = add_cause(&r, name, (enum cause)cause, list, err);
    for (size_t k = 0; k < n_rack_series; k++)
        mr_free(r.block[k]);
    mr_free(r.t_s);
    mr_free(r.tally);
    return st;
}

/* ---- CDUs ---- */

/* CDU groups in their last mode, "saturated". */
static mr_status add_cdus(struct mr_runread *run, struct mr_report_limits *list, struct mr_err *err)
{
    const struct mr_runread_set *mode = mr_runread_find(run, "/cdus/mode");
    const char *const *name;
    size_t n_name, saturated = 0;
    MR_TRY(mr_report_names(run, "/cdus/cdu", &name, &n_name, err));
    for (size_t i = 0; mode != NULL && i < mode->n_flag; i++)
        if (strcmp(mode->flag[i], "saturated") == 0)
            saturated = i;
    if (saturated == 0 || !mr_curve_is(run, "/cdus/mode"))
        return MR_OK;
    for (size_t k = 0; k < n_name && k < mr_runread_width(mode); k++) {
        struct mr_curve s;
        struct mr_report_limit item = {
            .what = "CDU at the end of its range",
            .limit = "supply set point",
            .why = "its exchangers are at their limit, the supply floats up",
            .gain = "not told: it takes another run"};
        MR_TRY(mr_curve_one(run, "/cdus/mode", k, &s, err));
        mr_curve_hold(&s);
        for (size_t i = 0; i + 1 < s.n; i++)
            item.held_s += s.value[i] >= (double)saturated ? s.t_s[i + 1] - s.t_s[i] : 0;
        mr_curve_fini(&s);
        (void)snprintf(item.where, sizeof item.where, "%s", name[k]);
        MR_TRY(mr_report_limits_add(list, &item, err));
    }
    return MR_OK;
}

/* ---- the table ---- */

static mr_status collect(const struct mr_report_file *file, struct mr_report_limits *list,
                         struct mr_err *err)
{
    struct feed feed = {.at = 0};
    struct mr_runread *run = file->run;
    if (run == NULL)
        return mr_report_limits_serve(file, list, err);
    mr_status st = add_feed(run, list, &feed, err);
    if (st == MR_OK)
        st = add_racks(file, list, &feed, err);
    if (st == MR_OK)
        st = add_cdus(run, list, err);
    if (st == MR_OK)
        st = mr_report_limits_serve(file, list, err);
    mr_curve_fini(&feed.held);
    return st;
}

/* The ten that held longest of each file; the table begins with the first. */
static void put_items(const struct mr_report_file *file, const struct mr_report_limits *list,
                      struct mr_page_table *table, struct mr_page *page)
{
    static const char *const head[] = {"file",         "what",
                                       "where",        "limit",
                                       "#held it for", "#of the time, %",
                                       "because",      "10 % more would give"};
    const double sim_s = mr_figures_value(&file->figures, "sim_s");
    char named[96], held[MR_UNIT_CAP];
    if (list->n > 0 && table->page == NULL)
        mr_page_table(table, page, "limits", head, sizeof head / sizeof *head);
    for (size_t k = 0; k < list->n && k < n_shown; k++) {
        const struct mr_report_limit *item = &list->item[k];
        mr_page_row(table);
        mr_page_cell(table, mr_report_named(file, file->figures.name, named));
        mr_page_cell(table, item->what);
        mr_page_cell(table, item->where);
        mr_page_cell(table, item->limit);
        held[0] = '\0';
        if (!isnan(item->held_s))
            (void)mr_unit_human(item->held_s, MR_Q_TIME, 4, held);
        mr_page_cell(table, held);
        mr_page_cell_f64(table, 100 * item->held_s / sim_s);
        mr_page_cell(table, item->why);
        mr_page_cell(table, item->gain);
    }
}

mr_status mr_report_limits(const struct mr_report *report, struct mr_page *page, struct mr_err *err)
{
    struct mr_page_table table = {.page = NULL};
    mr_status st = MR_OK;
    for (size_t i = 0; i < report->n && st == MR_OK; i++) {
        struct mr_report_limits list = {0};
        st = collect(&report->file[i], &list, err);
        if (list.n > 0)
            qsort(list.item, list.n, sizeof *list.item, compare_items);
        put_items(&report->file[i], &list, &table, page);
        mr_free(list.item);
    }
    if (table.page != NULL)
        mr_page_table_end(&table);
    else
        mr_page_missing(
            page, "Nothing in the file was at a limit that it records: throttled packages, CDUs "
                  "at their end, caps of racks, constraints of the grid, memory, batch and time of "
                  "pools, calls refused, budgets of tenants.");
    return st;
}
