/* SPDX-License-Identifier: Apache-2.0 */
/* Map: order - table - front - text. */
#include "engine/cli/size_tell.h"

#include "engine/base/mem.h"
#include "engine/base/num.h"
#include "engine/cli/size_why.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    n_shown = 16, /* builds in the table */
    n_row = 14,   /* of the plot */
    n_col = 60,
    column_max = 24
};

/* ---- order ---- */

static int rank_of(enum mr_search_fate fate)
{
    static const int ranks[] = {
        [MR_SEARCH_UNCONFIRMED] = 3, [MR_SEARCH_BEST] = 0,   [MR_SEARCH_EQUAL] = 1,
        [MR_SEARCH_LESS] = 2,        [MR_SEARCH_MISSED] = 3, [MR_SEARCH_FAILED] = 4,
        [MR_SEARCH_BOUND] = 5,       [MR_SEARCH_LARGER] = 6, [MR_SEARCH_OPEN] = 7,
        [MR_SEARCH_REFUSED] = 8};
    return ranks[fate];
}

bool mr_size_tell_is_before(const struct mr_size_told *told, size_t a, size_t b)
{
    const struct mr_search_item *x = &told->space->item[a], *y = &told->space->item[b];
    if (rank_of(x->fate) != rank_of(y->fate))
        return rank_of(x->fate) < rank_of(y->fate);
    if (x->lo != y->lo)
        return x->lo > y->lo;
    if (x->tok_s < y->tok_s || x->tok_s > y->tok_s)
        return x->tok_s > y->tok_s;
    if (x->size < y->size || x->size > y->size)
        return x->size < y->size;
    return a < b;
}

/* Owned by the caller; NULL without memory. */
static size_t *ordered(const struct mr_size_told *told)
{
    size_t *order = mr_alloc(told->space->n_build, sizeof *order);
    for (size_t i = 0; order != NULL && i < told->space->n_build; i++) {
        size_t k = i;
        for (; k > 0 && mr_size_tell_is_before(told, i, order[k - 1]); k--)
            order[k] = order[k - 1];
        order[k] = i;
    }
    return order;
}

/* ---- table ---- */

/* "rack/count" of "layout/hall/row/rack/count" */
static const char *short_name(const char *path)
{
    const char *last = strrchr(path, '/');
    if (last == NULL)
        return path;
    const char *p = last;
    while (p > path && p[-1] != '/')
        p--;
    return p;
}

/* As wide as the name and the longest value. */
static int width_of(const struct mr_size_factor *factor)
{
    size_t n = strlen(short_name(factor->path));
    for (size_t i = 0; i < factor->n_value; i++)
        n = strlen(factor->value[i]) > n ? strlen(factor->value[i]) : n;
    return n < column_max ? (int)n : column_max;
}

static void put_number(struct mr_buf *out, double value, double scale, int width)
{
    char text[MR_NUM_CAP] = "-";
    if (isfinite(value))
        mr_num_format_human(value * scale, 4, text);
    mr_buf_printf(out, " %*s", width, text);
}

/* ">" before what is at least so much. */
static void put_tokens(const struct mr_size_told *told, size_t i, struct mr_buf *out)
{
    const struct mr_search_item *item = &told->space->item[i];
    char number[MR_NUM_CAP], text[MR_NUM_CAP + 1] = "-";
    if (item->lo >= 0 && isfinite(item->tok_s)) {
        mr_num_format_human(item->tok_s, 4, number);
        snprintf(text, sizeof text, "%s%s", mr_size_is_bounded(told, i) ? ">" : "", number);
    }
    mr_buf_printf(out, " %10s", text);
}

static void put_head(const struct mr_size_told *told, struct mr_buf *out)
{
    mr_buf_text(out, "   ");
    for (size_t k = 0; k < told->space->n_factor; k++)
        mr_buf_printf(out, " %*.*s", width_of(&told->space->factor[k]), column_max,
                      short_name(told->space->factor[k].path));
    mr_buf_printf(out, " %6s %8s %8s %8s %10s", "racks", "MUSD", "peak MW", "(limits)", "tok/s");
    if (told->space->load.n_value > 1)
        mr_buf_printf(out, " %12s", short_name(told->space->load.path));
    mr_buf_text(out, "  why\n");
}

/* In parentheses: nothing has drawn so much. */
static void put_limits(const struct mr_size_build *build, struct mr_buf *out)
{
    char number[MR_NUM_CAP], text[MR_NUM_CAP + 2] = "-";
    if (isfinite(build->nominal_w)) {
        mr_num_format_human(build->nominal_w * 1e-6, 4, number);
        snprintf(text, sizeof text, "(%s)", number);
    }
    mr_buf_printf(out, " %8s", text);
}

static void put_row(const struct mr_size_told *told, size_t i, struct mr_buf *out)
{
    const struct mr_size_space *space = told->space;
    const struct mr_size_build *build = &space->build[i];
    const struct mr_search_item *item = &space->item[i];
    char why[MR_SIZE_WHY];
    mr_buf_text(out, i == told->best ? "  *" : "   ");
    for (size_t k = 0; k < space->n_factor; k++)
        mr_buf_printf(out, " %*.*s", width_of(&space->factor[k]), column_max, build->value[k]);
    mr_buf_printf(out, " %6llu", (unsigned long long)build->n_rack);
    put_number(out, build->capital_usd, 1e-6, 8);
    put_number(out, mr_size_peak_mw(told, i), 1, 8);
    put_limits(build, out);
    put_tokens(told, i, out);
    if (space->load.n_value > 1)
        mr_buf_printf(out, " %12s", item->lo >= 0 ? space->load.value[item->lo] : "-");
    mr_size_why(told, i, why, sizeof why);
    mr_buf_printf(out, "  %s\n", why);
}

static bool has_site(const struct mr_size_told *told)
{
    for (size_t i = 0; i < told->space->n_build; i++)
        if (isfinite(told->space->build[i].nominal_w))
            return true;
    return false;
}

static void put_table(const struct mr_size_told *told, const size_t *order, struct mr_buf *out)
{
    const size_t n = told->space->n_build;
    put_head(told, out);
    for (size_t k = 0; k < n && k < n_shown; k++)
        put_row(told, order[k], out);
    if (n > n_shown)
        mr_buf_printf(out, "    ... and %zu more (--csv FILE, --json FILE: all of them)\n",
                      n - n_shown);
    for (size_t i = 0; i < n; i++)
        if (mr_size_is_bounded(told, i)) {
            mr_buf_text(out, "    > at least: heavier loads were not tried once it was decided "
                             "(--refine N tries them)\n");
            break;
        }
    if (has_site(told))
        mr_buf_text(out,
                    "    peak MW: taken by the site in its run, which --limit-mw is compared with; "
                    "(limits): what its racks may draw by their limits\n");
}

/* ---- front ---- */

/* Dollars where they are known of all that held, else megawatts as their runs drew them. */
static bool is_by_money(const struct mr_size_told *told)
{
    bool is = true;
    for (size_t i = 0; i < told->space->n_build; i++)
        is = is && (told->space->item[i].lo < 0 || isfinite(told->space->build[i].capital_usd));
    return is;
}

static double x_of(const struct mr_size_told *told, size_t i, bool by_money)
{
    return by_money ? told->space->build[i].capital_usd * 1e-6 : mr_size_peak_mw(told, i);
}

/* Nothing that costs as little or less makes as much or more. */
static bool is_on_front(const struct mr_size_told *told, size_t i, bool by_money)
{
    const struct mr_search_item *item = told->space->item;
    const double x = x_of(told, i, by_money);
    for (size_t k = 0; k < told->space->n_build; k++) {
        const double other = x_of(told, k, by_money);
        if (k == i || item[k].lo < 0 || !(other <= x) || item[k].tok_s < item[i].tok_s)
            continue;
        if (other < x || item[k].tok_s > item[i].tok_s || k < i)
            return false;
    }
    return true;
}

/* Of a sign in the plot. What is only bounded is on no front that is known. */
static int kind_of(const struct mr_size_told *told, size_t i, bool by_money)
{
    if (i == told->best)
        return 3;
    if (mr_size_is_bounded(told, i))
        return 0;
    return is_on_front(told, i, by_money) ? 2 : 1;
}

static void put_front(const struct mr_size_told *told, struct mr_buf *out)
{
    char plane[n_row][n_col + 1], top[MR_NUM_CAP], right[MR_NUM_CAP];
    const bool by_money = is_by_money(told);
    double x_max = 0, y_max = 0;
    for (size_t i = 0; i < told->space->n_build; i++)
        if (told->space->item[i].lo >= 0 && isfinite(x_of(told, i, by_money))) {
            x_max = fmax(x_max, x_of(told, i, by_money));
            y_max = fmax(y_max, told->space->item[i].tok_s);
        }
    if (!(x_max > 0) || !(y_max > 0))
        return;
    memset(plane, ' ', sizeof plane);
    for (int pass = 0; pass < 4; pass++) /* the front over the others, the best over all */
        for (size_t i = 0; i < told->space->n_build; i++) {
            const struct mr_search_item *item = &told->space->item[i];
            const double x = x_of(told, i, by_money);
            const int kind = kind_of(told, i, by_money);
            if (item->lo < 0 || !isfinite(x) || kind != pass)
                continue;
            plane[(size_t)((1 - item->tok_s / (1.02 * y_max)) * n_row)]
                 [(size_t)(x / (1.02 * x_max) * n_col)] = "+o#*"[kind];
        }
    mr_num_format_human(1.02 * y_max, 3, top);
    mr_num_format_human(1.02 * x_max, 3, right);
    mr_buf_printf(out, "\n  tokens/s, up to %s\n", top);
    for (size_t r = 0; r < n_row; r++) {
        size_t length = n_col;
        while (length > 0 && plane[r][length - 1] == ' ')
            length--;
        mr_buf_printf(out, "  |%.*s\n", (int)length, plane[r]);
    }
    mr_buf_text(out, "  +");
    for (size_t c = 0; c < n_col; c++)
        mr_buf_char(out, '-');
    mr_buf_printf(out, "\n   %s, up to %s   (* the answer, # the front, o within it, + at least)\n",
                  by_money ? "capital, MUSD" : "peak MW of the site", right);
}

/* ---- text ---- */

static void put_counts(const struct mr_size_told *told, struct mr_buf *out)
{
    static const enum mr_search_fate unplayed[] = {MR_SEARCH_REFUSED, MR_SEARCH_BOUND,
                                                   MR_SEARCH_LARGER};
    static const char *const texts[] = {"over a limit or not buildable",
                                        "whose cards cannot make as much",
                                        "larger than the answer"};
    const struct mr_size_space *space = told->space;
    size_t n_played = 0;
    for (size_t i = 0; i < space->n_build; i++)
        n_played += mr_size_run_of(told, i) != NULL;
    mr_buf_printf(out, "%zu builds, %zu of them played in %zu runs", space->n_build, n_played,
                  told->play->n_run);
    for (size_t k = 0; k < sizeof unplayed / sizeof *unplayed; k++) {
        size_t n = 0;
        for (size_t i = 0; i < space->n_build; i++)
            n += space->item[i].fate == unplayed[k];
        if (n > 0)
            mr_buf_printf(out, "; %zu %s", n, texts[k]);
    }
    mr_buf_text(out, "\n");
    size_t n_unpriced = 0;
    for (size_t i = 0; i < space->n_build; i++)
        n_unpriced += isfinite(space->build[i].nominal_w) && !isfinite(space->build[i].capital_usd);
    if (n_unpriced > 0)
        mr_buf_printf(out,
                      "%zu have racks whose price nobody knows (millrace models): their cost is "
                      "not counted, and --budget refuses them\n",
                      n_unpriced);
    if (space->load.path == NULL)
        mr_buf_text(out, "the load is the scenario's own for all of them: it was not varied "
                         "(--load PATH=VALUES)\n");
}

/* Numbers from first to last: beyond an end there may be more. */
static bool is_at_edge(const struct mr_size_factor *factor, const char *value)
{
    double x;
    const size_t n = factor->n_value;
    return n > 1 && mr_num_scan_f64(value, strlen(value), &x) > 0 &&
           (strcmp(value, factor->value[0]) == 0 || strcmp(value, factor->value[n - 1]) == 0);
}

/* Even where calls were fastest. */
static bool are_runs_short(const struct mr_size_told *told)
{
    double least_frac = (double)INFINITY;
    for (size_t i = 0; i < told->play->n_run; i++)
        least_frac = fmin(least_frac, told->play->run[i].call_frac);
    return isfinite(least_frac) && least_frac > MR_SIZE_OPEN_MAX_FRAC;
}

/* "97.5 % (+-0.4 %) of 1234 calls within objectives of tier all, 95 % wanted" */
static void put_verdict(const struct mr_steady_verdict *v, struct mr_buf *out)
{
    if (v->n_call == 0) {
        mr_buf_text(out, "no call to judge it by");
        return;
    }
    mr_buf_printf(out, "%s: %.4g %% +-%.2g %% of %zu calls, %.4g %% wanted%s", v->what,
                  100 * v->share, 100 * v->half95, v->n_call, 100 * v->wanted_frac,
                  v->is_sure ? "" : ": within chance (--until: longer runs)");
}

/* Is what the short runs said true? */
static void put_confirmed(const struct mr_size_told *told, struct mr_buf *out)
{
    const struct mr_size_space *space = told->space;
    char until[MR_UNIT_CAP], warm[MR_UNIT_CAP];
    if (told->play->n_confirm == 0) {
        mr_buf_text(out, "not confirmed in a longer run: runs end when all calls have\n");
        return;
    }
    mr_unit_format(MR_SIZE_LONGER * space->until_s, MR_Q_TIME, until);
    mr_unit_format(space->until_s, MR_Q_TIME, warm);
    mr_buf_printf(out, "runs of %s, judged by the calls after the first %s:\n", until, warm);
    for (size_t i = 0; i < told->play->n_confirm; i++) {
        const struct mr_size_confirm *c = &told->play->confirm[i];
        mr_buf_text(out, c->trial.item == told->best ? "  *" : "   ");
        for (size_t k = 0; k < space->n_factor; k++)
            mr_buf_printf(out, " %s=%s", short_name(space->factor[k].path),
                          space->build[c->trial.item].value[k]);
        if (space->load.n_value > 1)
            mr_buf_printf(out, " at %s", space->load.value[c->trial.load]);
        mr_buf_text(out, c->holds ? " holds: " : " does not hold: ");
        if (c->holds)
            put_verdict(&c->verdict, out);
        else
            mr_buf_text(out, c->trial.why);
        mr_buf_printf(out, "; %.4g tok/s", c->tok_s);
        if (isfinite(c->peak_mw))
            mr_buf_printf(out, ", peak of %.4g MW", c->peak_mw);
        mr_buf_text(out, "\n");
    }
}

/* What makes the answer less certain than it looks. */
static void put_doubts(const struct mr_size_told *told, struct mr_buf *out)
{
    const struct mr_size_space *space = told->space;
    const struct mr_size_build *build = &space->build[told->best];
    const struct mr_size_run *run = mr_size_run_of(told, told->best);
    for (size_t k = 0; k < space->n_factor; k++)
        if (is_at_edge(&space->factor[k], build->value[k]))
            mr_buf_printf(out, "%s=%s is an edge of --over: what is beyond it was not tried\n",
                          space->factor[k].path, build->value[k]);
    if (run == NULL)
        return;
    if (run->n_violation > 0)
        mr_buf_printf(out, "its run passed %.0f limits inside the site (report of -o FILE)\n",
                      run->n_violation);
    if (space->grid_w > 0 && build->nominal_w > space->grid_w)
        mr_buf_printf(
            out,
            "its racks' limits add up to %.4g MW, more than the %.4g MW of the connection "
            "by as much as losses are uncertain; its run took %.4g MW at most\n",
            build->nominal_w * 1e-6, space->grid_w * 1e-6, mr_size_peak_mw(told, told->best));
    if (run->open_frac > MR_SIZE_OPEN_MAX_FRAC)
        mr_buf_printf(out,
                      "%.3g %% of the calls were under way when its short run ended, and judged by "
                      "those that ended: in longer ones it may hold more (--until); a result file "
                      "counts them as missed\n",
                      100 * run->open_frac);
    put_confirmed(told, out);
}

static void put_best(const struct mr_size_told *told, struct mr_buf *out)
{
    const struct mr_size_space *space = told->space;
    if (told->best == space->n_build) {
        if (are_runs_short(told))
            mr_buf_text(out, "the runs are too short to be steady: a call takes more than a "
                             "twentieth of them (--until)\n");
        mr_buf_text(out, "no build holds it\n");
        return;
    }
    const struct mr_size_build *build = &space->build[told->best];
    const struct mr_search_item *item = &space->item[told->best];
    const size_t n_user = space->opts->set.n;
    mr_buf_text(out, "best:");
    for (size_t k = n_user; k < build->n_set; k++)
        mr_buf_printf(out, " --set '%s'", build->set[k]);
    if (space->load.path != NULL)
        mr_buf_printf(out, " --set '%s=%s'", space->load.path, space->load.value[item->lo]);
    mr_buf_text(out, "\n");
    if (space->load.n_value > 1 && item->lo + 1 == (long)space->load.n_value)
        mr_buf_printf(out,
                      "it holds the heaviest load of all: more may be possible (--load '%s=...')\n",
                      space->load.path);
    put_doubts(told, out);
}

void mr_size_tell_text(const struct mr_size_told *told, struct mr_buf *out)
{
    size_t *order = ordered(told);
    if (order == NULL) {
        out->status = MR_NOMEM;
        return;
    }
    put_counts(told, out);
    put_table(told, order, out);
    put_front(told, out);
    mr_buf_char(out, '\n');
    put_best(told, out);
    mr_free(order);
}
