/* SPDX-License-Identifier: Apache-2.0 */
/* One box for all charts: 480 x 270 units, text of 11 units, which stays readable on a telephone
 * and on paper. Plans are in chart_plan.c. Map: numbers - axes - marks - series - legend - chart.
 */
#include "postprocess/chart.h"

#include "engine/base/num.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double width = 480, height = 270, left = 62, right = 14, top = 14, bottom = 46;
static const double label_step = 13; /* between lines of text */

enum {
    n_tick_max = 12,
    n_mark_max = 8,
    n_named_max = 24, /* points of a series that can be pointed at */
    n_lettered_max = 26
};

struct axis {
    double low, high, step, from, length; /* from: where low is drawn; length may be negative */
};

/* ---- numbers ---- */

static void put_xml(struct mr_buf *out, const char *text)
{
    mr_buf_xml(out, mr_str_of(text));
}

static void put_number(struct mr_buf *out, double value)
{
    char text[MR_NUM_CAP];
    (void)mr_num_format_human(value, 4, text);
    mr_buf_text(out, text);
}

/* Four digits, or as many as tell a tick from the next. */
static void put_tick(const struct axis *a, double value, struct mr_buf *out)
{
    char text[MR_NUM_CAP];
    int digits = 4;
    double told = 1e3 * a->step; /* the largest that four digits tell from the next */
    while (told <= fmax(fabs(a->low), fabs(a->high)) && digits < 8) {
        told *= 10;
        digits++;
    }
    (void)mr_num_format_human(fabs(value) < a->step * 1e-6 ? 0 : value, digits, text);
    mr_buf_text(out, text);
}

/* A place of the drawing itself: "62", "57.5". */
static void put_place(struct mr_buf *out, double at_unit)
{
    const long tenths = lround(at_unit * 10);
    mr_buf_printf(out, tenths % 10 == 0 ? "%.0f" : "%.1f", (double)tenths / 10);
}

const char *mr_chart_time(double span_s, double *unit_s)
{
    static const struct {
        double from_s, unit_s;
        const char *name;
    } units[] = {{4 * 86400.0, 86400, "d"}, {4 * 3600.0, 3600, "h"}, {600, 60, "min"}};
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (span_s >= units[i].from_s) {
            *unit_s = units[i].unit_s;
            return units[i].name;
        }
    *unit_s = 1;
    return "s";
}

/* ---- axes ---- */

/* The least step of 1, 2, 5 x 10^k that gives at most n ticks. */
static double round_step(double span, int n)
{
    static const double factors[] = {1, 2, 5, 10};
    double power = 1;
    while (power * 10 <= span / n)
        power *= 10;
    while (power > span / n)
        power /= 10;
    for (size_t i = 0; i < sizeof factors / sizeof *factors; i++)
        if (factors[i] * power >= span / n)
            return factors[i] * power;
    return 10 * power;
}

static struct axis axis_over(double low, double high, int n, double from, double length)
{
    if (!(high - low > 1e-9 * fmax(fabs(low), fabs(high)))) { /* the same but for rounding */
        const double half = fabs(low) > 0 ? fabs(low) * 0.05 : 1;
        low -= half;
        high += half;
    }
    struct axis a = {low, high, round_step(high - low, n), from, length};
    a.low = floor(low / a.step + 1e-9) * a.step;
    a.high = ceil(high / a.step - 1e-9) * a.step;
    return a;
}

static double at(const struct axis *a, double value)
{
    return a->from + (value - a->low) / (a->high - a->low) * a->length;
}

static bool find_range(const struct mr_chart *chart, bool is_x, double *low, double *high)
{
    *low = HUGE_VAL;
    *high = -HUGE_VAL;
    for (size_t s = 0; s < chart->n_series; s++) {
        const struct mr_chart_series *series = &chart->series[s];
        for (size_t i = 0; i < series->n; i++) {
            if (!isfinite(series->x[i]) || !isfinite(series->y[i]))
                continue;
            const double v = is_x ? series->x[i] : series->y[i];
            *low = fmin(*low, v);
            *high = fmax(*high, v);
        }
        if (series->style == MR_CHART_BARS && is_x && series->n > 1) {
            const double half = (series->x[1] - series->x[0]) / 2;
            *low = fmin(*low, series->x[0] - half);
            *high = fmax(*high, series->x[series->n - 1] + half);
        }
    }
    if (!(*high >= *low))
        return false;
    for (size_t i = 0; i < chart->n_mark; i++)
        if (chart->mark[i].is_upright == is_x && isfinite(chart->mark[i].at)) {
            *low = fmin(*low, chart->mark[i].at);
            *high = fmax(*high, chart->mark[i].at);
        }
    if (!is_x && chart->is_from_zero)
        *low = fmin(*low, 0);
    return true;
}

/* What lies along an edge is not seen for the axis, and points there are halved: upright marks and
 * points have a step more room, and so have lines that stay at the foot. A foot of 0 stays. */
static void clear_edges(const struct mr_chart *chart, bool is_x, struct axis *a)
{
    const double near = 0.02 * (a->high - a->low);
    bool is_low = false, is_high = false;
    for (size_t s = 0; s < chart->n_series; s++) {
        const struct mr_chart_series *series = &chart->series[s];
        const bool has_points = series->style == MR_CHART_POINTS;
        double low = HUGE_VAL, high = -HUGE_VAL;
        for (size_t i = 0; i < series->n; i++) {
            const double v = is_x ? series->x[i] : series->y[i];
            low = fmin(low, v);
            high = fmax(high, v);
        }
        is_low = is_low || (low - a->low < near && (has_points || (series->style != MR_CHART_BARS &&
                                                                   !is_x && high - a->low < near)));
        is_high = is_high || (has_points && a->high - high < near);
    }
    for (size_t i = 0; is_x && i < chart->n_mark; i++)
        if (chart->mark[i].is_upright) {
            is_low = is_low || chart->mark[i].at - a->low < near;
            is_high = is_high || a->high - chart->mark[i].at < near;
        }
    if (is_low && fabs(a->low) > 0)
        a->low -= a->step;
    if (is_high)
        a->high += a->step;
}

/* The style knows what 'e' (ends there) and 'm' (in the middle) are. */
static void put_text(struct mr_buf *out, char anchor, double x, double y)
{
    mr_buf_printf(out, "<text class=\"%c\" x=\"", anchor);
    put_place(out, x);
    mr_buf_text(out, "\" y=\"");
    put_place(out, y);
    mr_buf_text(out, "\">");
}

static void draw_axes(const struct mr_chart *chart, const struct axis *x, const struct axis *y,
                      struct mr_buf *out)
{
    mr_buf_printf(out, "<path class=\"grid\" d=\"");
    for (int i = 0; i <= n_tick_max && y->low + i * y->step <= y->high + y->step / 2; i++) {
        mr_buf_printf(out, "M%.0f ", left);
        put_place(out, at(y, y->low + i * y->step));
        mr_buf_printf(out, "H%.0f", width - right);
    }
    mr_buf_printf(out, "\"/><path class=\"axis\" d=\"M%.0f %.0fV%.0fH%.0f\"/>\n", left, top,
                  height - bottom, width - right);
    for (int i = 0; i <= n_tick_max && y->low + i * y->step <= y->high + y->step / 2; i++) {
        const double v = y->low + i * y->step;
        put_text(out, 'e', left - 5, at(y, v) + 4);
        put_tick(y, v, out);
        mr_buf_text(out, "</text>");
    }
    for (int i = 0; i <= n_tick_max && x->low + i * x->step <= x->high + x->step / 2; i++) {
        const double v = x->low + i * x->step;
        put_text(out, 'm', at(x, v), height - bottom + 18);
        put_tick(x, v, out);
        mr_buf_text(out, "</text>");
    }
    mr_buf_printf(out, "<text x=\"%.0f\" y=\"%.0f\" class=\"e name\">", width - right, height - 7);
    put_xml(out, chart->x_label);
    mr_buf_text(out, "</text>\n");
}

/* ---- marks ---- */

static bool is_free(const double *taken, size_t n, double y)
{
    if (y < 10 || y > height - bottom - 2) /* above the box is room for one line */
        return false;
    for (size_t i = 0; i < n; i++)
        if (fabs(y - taken[i]) < label_step)
            return false;
    return true;
}

/* The nearest free line of text above or below a mark. */
static double free_line(const double *taken, size_t n, double mark_y)
{
    for (int i = 0; i < n_mark_max; i++) {
        const double above = mark_y - 4 - i * label_step, below = mark_y + 12 + i * label_step;
        if (is_free(taken, n, above))
            return above;
        if (is_free(taken, n, below))
            return below;
    }
    return mark_y;
}

/* From one point of a series to the next, is it drawn between these places and heights? */
static bool is_between(const double a[2], const double b[2], bool is_step, double from_x,
                       double to_x, double top_y, double foot_y)
{
    const double low_x = fmin(a[0], b[0]), high_x = fmax(a[0], b[0]), way = b[0] - a[0];
    double y0 = a[1], y1 = b[1];
    if (high_x < from_x || low_x > to_x)
        return false;
    if (is_step && b[0] > to_x) {
        y1 = a[1]; /* it goes up or down behind them */
    } else if (!is_step && way > 0) {
        y0 = a[1] + (b[1] - a[1]) * (fmax(from_x, a[0]) - a[0]) / way;
        y1 = a[1] + (b[1] - a[1]) * (fmin(to_x, b[0]) - a[0]) / way;
    }
    return fmax(y0, y1) >= top_y && fmin(y0, y1) <= foot_y;
}

/* Would a line of text there lie on what is drawn? */
static bool is_on_data(const struct mr_chart *chart, const struct axis *x, const struct axis *y,
                       double from_x, double to_x, double text_y)
{
    for (size_t i = 0; i < chart->n_series; i++) {
        const struct mr_chart_series *s = &chart->series[i];
        double last[2] = {0};
        bool has_last = false;
        for (size_t k = 0; k < s->n; k++) {
            const double now[2] = {at(x, s->x[k]), at(y, s->y[k])};
            const bool is_good = isfinite(s->x[k]) && isfinite(s->y[k]),
                       is_line = s->style == MR_CHART_LINE || s->style == MR_CHART_STEP,
                       is_hit = s->style == MR_CHART_BARS
                                    ? now[0] >= from_x && now[0] <= to_x && now[1] <= text_y + 4
                                    : is_between(is_line && has_last ? last : now, now,
                                                 s->style == MR_CHART_STEP, from_x, to_x,
                                                 text_y - 12, text_y + 4);
            if (is_good && is_hit)
                return true;
            has_last = is_good;
            last[0] = now[0];
            last[1] = now[1];
        }
    }
    return false;
}

/* Where the label of a level mark ends: above or below it, as far to the right as it is on no other
 * label and not on data; else at the right end, where a line is free. @param[out] label_y its
 * height */
static double level_label(const struct mr_chart *chart, const struct axis *x, const struct axis *y,
                          const struct mr_chart_mark *mark, const double *taken, size_t n,
                          double *label_y)
{
    const double py = at(y, mark->at), place[] = {py - 4, py + 12}, end_x = width - right - 4,
                 n_x = 6 * (double)strlen(mark->label); /* of letters of 11 units */
    for (int k = 0; end_x - 8 * k - n_x >= left + 4; k++)
        for (int i = 0; i < 2; i++) {
            const double to_x = end_x - 8 * k;
            *label_y = place[i];
            if (is_free(taken, n, place[i]) &&
                !is_on_data(chart, x, y, to_x - n_x - 4, to_x + 4, place[i]))
                return to_x;
        }
    *label_y = free_line(taken, n, py);
    return end_x;
}

/* Labels of level marks stand beside them, those of upright ones beside their foot. */
static void draw_marks(const struct mr_chart *chart, const struct axis *x, const struct axis *y,
                       struct mr_buf *out)
{
    double taken[n_mark_max];
    size_t n_taken = 0;
    for (size_t i = 0; i < chart->n_mark && n_taken < n_mark_max; i++) {
        const struct mr_chart_mark *mark = &chart->mark[i];
        if (!isfinite(mark->at))
            continue;
        if (mark->is_upright) {
            const double px = at(x, mark->at);
            const bool is_right = px > (left + width - right) / 2;
            const double label = free_line(taken, n_taken, height - bottom - 2);
            taken[n_taken++] = label;
            mr_buf_printf(out,
                          "<path class=\"mark\" d=\"M%.1f %.1fV%.1f\"/><text class=\"note\" "
                          "x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">",
                          px, top, height - bottom, px + (is_right ? -4 : 4), label,
                          is_right ? "end" : "start");
        } else {
            const double py = at(y, mark->at);
            double label;
            const double to_x = level_label(chart, x, y, mark, taken, n_taken, &label);
            taken[n_taken++] = label;
            mr_buf_printf(out,
                          "<path class=\"mark\" d=\"M%.1f %.1fH%.1f\"/><text class=\"note\" "
                          "x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">",
                          left, py, width - right, to_x, label);
        }
        put_xml(out, mark->label);
        mr_buf_text(out, "</text>\n");
    }
}

/* ---- series ---- */

/* Its color, and from the ninth series on another dash or filling too. */
static void put_class(size_t i_series, struct mr_buf *out)
{
    mr_buf_printf(out, "c%zu", i_series % MR_CHART_COLORS);
    if (i_series >= MR_CHART_COLORS)
        mr_buf_printf(out, " r%zu", i_series / MR_CHART_COLORS);
}

/* Data are drawn in halves of a unit, as whole numbers below a scale: half a unit is less than a
 * pixel in every window but the widest, and a third of a line's width. The way between places is
 * told, so that rounding does not add up. */
static long halves(double at_unit)
{
    return lround(at_unit * 2);
}

/* "3", "-4", " 12": a blank where it would run into the number before. */
static void put_whole(struct mr_buf *out, long value)
{
    const char before = out->n > 0 ? out->text[out->n - 1] : ' ';
    mr_buf_printf(out, before >= '0' && before <= '9' && value >= 0 ? " %ld" : "%ld", value);
}

static void put_way(struct mr_buf *out, char letter, long way)
{
    if (way == 0)
        return;
    mr_buf_char(out, letter);
    put_whole(out, way);
}

static void draw_line(const struct mr_chart_series *s, size_t i_color, const struct axis *x,
                      const struct axis *y, struct mr_buf *out)
{
    bool is_down = false, is_along = false; /* "l 1 2 3 4": one letter for all that follow */
    long from_x = 0, from_y = 0;
    mr_buf_text(out, "<path class=\"d l ");
    put_class(i_color, out);
    mr_buf_text(out, "\" d=\"");
    for (size_t i = 0; i < s->n; i++) {
        if (!isfinite(s->x[i]) || !isfinite(s->y[i])) {
            is_down = false;
            continue;
        }
        const long px = halves(at(x, s->x[i])), py = halves(at(y, s->y[i]));
        if (!is_down) {
            mr_buf_char(out, 'M');
            put_whole(out, px);
            put_whole(out, py);
        } else if (s->style == MR_CHART_STEP) {
            put_way(out, 'h', px - from_x);
            put_way(out, 'v', py - from_y);
        } else if (px != from_x || py != from_y) {
            if (!is_along)
                mr_buf_char(out, 'l');
            put_whole(out, px - from_x);
            put_whole(out, py - from_y);
            is_along = true;
        }
        if (!is_down && (i + 1 == s->n || !isfinite(s->y[i + 1])))
            mr_buf_text(out, "h1"); /* a point alone is seen too */
        is_along = is_along && is_down;
        is_down = true;
        from_x = px;
        from_y = py;
    }
    mr_buf_text(out, "\"/>\n");
}

/* Circle, square, diamond, triangle. */
static void draw_point(size_t shape, double x, double y, struct mr_buf *out)
{
    static const char *const shapes[] = {"m-4 0a4 4 0 1 1 0 .01z", "m-3.5-3.5h7v7h-7z",
                                         "m0-5l5 5l-5 5l-5-5z", "m0-5l4.5 8h-9z"};
    mr_buf_char(out, 'M');
    put_place(out, x);
    mr_buf_char(out, ' ');
    put_place(out, y);
    mr_buf_text(out, shapes[shape % 4]);
}

static void draw_named_point(const struct mr_chart_series *s, size_t i, size_t shape, double x,
                             double y, struct mr_buf *out)
{
    mr_buf_text(out, "<path d=\"");
    draw_point(shape, x, y, out);
    mr_buf_text(out, "\"><title>");
    put_xml(out, s->label != NULL ? s->label[i] : s->name);
    mr_buf_text(out, ": ");
    put_number(out, s->x[i]);
    mr_buf_text(out, ", ");
    put_number(out, s->y[i]);
    mr_buf_text(out, "</title></path>\n");
}

/* A few points have names and numbers to point at. Of many, all of one path, those at one place are
 * drawn once, if they follow one another. */
static void draw_points(const struct mr_chart_series *s, size_t i_color, const struct axis *x,
                        const struct axis *y, struct mr_buf *out)
{
    const bool is_named = s->label != NULL || s->n <= n_named_max;
    long last_x = -1, last_y = -1;
    mr_buf_text(out, "<g class=\"d p ");
    put_class(i_color, out);
    mr_buf_text(out, is_named ? "\">\n" : " many\"><path d=\"");
    for (size_t i = 0; i < s->n; i++) {
        if (!isfinite(s->x[i]) || !isfinite(s->y[i]))
            continue;
        const double px = at(x, s->x[i]), py = at(y, s->y[i]);
        if (is_named) {
            draw_named_point(s, i, i_color, px, py, out);
        } else if (halves(px) != last_x || halves(py) != last_y) {
            last_x = halves(px);
            last_y = halves(py);
            draw_point(i_color, px, py, out);
        }
    }
    mr_buf_text(out, is_named ? "</g>\n" : "\"/></g>\n");
}

static void draw_bars(const struct mr_chart_series *s, size_t i_color, size_t n_series,
                      const struct axis *x, const struct axis *y, struct mr_buf *out)
{
    const double step = s->n > 1 ? fabs(at(x, s->x[1]) - at(x, s->x[0])) : 20;
    const double one = 0.9 * step / (double)n_series;
    mr_buf_text(out, "<path class=\"d b ");
    put_class(i_color, out);
    mr_buf_text(out, "\" transform=\"scale(.5)\" d=\"");
    for (size_t i = 0; i < s->n; i++) {
        const double from = at(x, s->x[i]) - 0.45 * step + one * (double)i_color;
        const long base = halves(at(y, fmax(y->low, 0))), top_at = halves(at(y, s->y[i]));
        const long wide = halves(from + one) - halves(from);
        if (!isfinite(s->y[i]) || top_at == base)
            continue;
        mr_buf_printf(out, "M%ld %ldh%ldV%ldh%ldz", halves(from), base, wide > 0 ? wide : 1, top_at,
                      wide > 0 ? -wide : -1);
    }
    mr_buf_text(out, "\"/>\n");
}

/* ---- letters ---- */

struct box {
    double x[2], y[2];
};

static bool is_clear(const struct box *box, const struct box *taken, size_t n)
{
    if (box->x[0] < left + 2 || box->x[1] > width - right || box->y[0] < top ||
        box->y[1] > height - bottom - label_step)
        return false;
    for (size_t i = 0; i < n; i++)
        if (box->x[0] < taken[i].x[1] && taken[i].x[0] < box->x[1] && box->y[0] < taken[i].y[1] &&
            taken[i].y[0] < box->y[1])
            return false;
    return true;
}

/* Where a letter is clear of what is taken: right, left, above, below. @return whether there is */
static bool place_letter(double x, double y, double wide, const struct box *taken, size_t n,
                         struct box *out)
{
    const double from[4][2] = {
        {x + 8, y - 6}, {x - 8 - wide, y - 6}, {x - wide / 2, y - 20}, {x - wide / 2, y + 8}};
    for (size_t k = 0; k < 4; k++) {
        *out = (struct box){{from[k][0], from[k][0] + wide}, {from[k][1], from[k][1] + 12}};
        if (is_clear(out, taken, n))
            return true;
    }
    return false;
}

/* Files of one point each have their letter beside it: one may lie below another. What has no room
 * has none. */
static void draw_letters(const struct mr_chart *chart, const struct axis *x, const struct axis *y,
                         struct mr_buf *out)
{
    struct box taken[2 * n_lettered_max + n_mark_max];
    size_t n = 0;
    if (chart->n_series < 2 || chart->n_series > n_lettered_max)
        return;
    for (size_t s = 0; s < chart->n_series; s++) {
        const struct mr_chart_series *series = &chart->series[s];
        if (series->style != MR_CHART_POINTS || series->n != 1)
            return;
        const double px = at(x, series->x[0]), py = at(y, series->y[0]);
        taken[n++] = (struct box){{px - 6, px + 6}, {py - 6, py + 6}};
    }
    for (size_t i = 0; i < chart->n_mark && i < n_mark_max; i++) {
        const double place = at(chart->mark[i].is_upright ? x : y, chart->mark[i].at);
        taken[n++] = chart->mark[i].is_upright ? (struct box){{place - 2, place + 2}, {0, height}}
                                               : (struct box){{0, width}, {place - 2, place + 2}};
    }
    for (size_t s = 0; s < chart->n_series; s++) {
        const struct mr_chart_series *series = &chart->series[s];
        const size_t n_letter = strcspn(series->name, " ");
        struct box box;
        if (!place_letter(at(x, series->x[0]), at(y, series->y[0]), 8 * (double)n_letter, taken, n,
                          &box))
            continue;
        taken[n++] = box;
        mr_buf_printf(out, "<text class=\"note\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">",
                      (box.x[0] + box.x[1]) / 2, box.y[0] + 10);
        mr_buf_xml(out, (struct mr_str){series->name, n_letter});
        mr_buf_text(out, "</text>\n");
    }
}

/* ---- legend ---- */

static void draw_legend(const struct mr_chart *chart, struct mr_buf *out)
{
    mr_buf_text(out, "<p class=\"legend\">");
    for (size_t i = 0; i < chart->n_series; i++) {
        const bool has_points = chart->series[i].style == MR_CHART_POINTS;
        mr_buf_printf(out, "<span><svg class=\"key\" viewBox=\"0 0 24 12\"><path class=\"%s ",
                      has_points                                ? "p"
                      : chart->series[i].style == MR_CHART_BARS ? "b"
                                                                : "l");
        put_class(i, out);
        mr_buf_text(out, "\" d=\"");
        if (has_points)
            draw_point(i, 12, 6, out);
        else if (chart->series[i].style == MR_CHART_BARS)
            mr_buf_text(out, "M4 1h16v10h-16z");
        else
            mr_buf_text(out, "M2 12h44");
        mr_buf_text(out, "\"/></svg> ");
        put_xml(out, chart->series[i].name);
        mr_buf_text(out, "</span> ");
    }
    mr_buf_text(out, "</p>\n");
}

/* ---- chart ---- */

bool mr_chart_svg(const struct mr_chart *chart, struct mr_buf *out)
{
    double low, high;
    if (!find_range(chart, true, &low, &high))
        return false;
    struct axis x = axis_over(low, high, 6, left, width - left - right);
    clear_edges(chart, true, &x);
    (void)find_range(chart, false, &low, &high);
    struct axis y = axis_over(low, high, 5, height - bottom, top + bottom - height);
    clear_edges(chart, false, &y);
    mr_buf_text(out, "<figure><figcaption>");
    put_xml(out, chart->title);
    mr_buf_text(out, " <small>");
    put_xml(out, strcmp(chart->y_label, "1") != 0 ? chart->y_label : ""); /* a number of things */
    mr_buf_printf(out,
                  "</small></figcaption><svg class=\"chart\" role=\"img\" "
                  "xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %.0f %.0f\"><title>",
                  width, height);
    put_xml(out, chart->title);
    mr_buf_text(out, "</title>\n");
    if (isfinite(chart->shade_x) && chart->shade_x < x.high) {
        const double from = fmax(at(&x, chart->shade_x), left);
        mr_buf_printf(out,
                      "<rect class=\"shade\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" "
                      "height=\"%.1f\"/>\n",
                      from, top, width - right - from, height - top - bottom);
    }
    draw_axes(chart, &x, &y, out);
    for (size_t i = 0; i < chart->n_series; i++) {
        const struct mr_chart_series *s = &chart->series[i];
        if (s->style == MR_CHART_POINTS)
            draw_points(s, i, &x, &y, out);
        else if (s->style == MR_CHART_BARS)
            draw_bars(s, i, chart->n_series, &x, &y, out);
        else
            draw_line(s, i, &x, &y, out);
    }
    draw_marks(chart, &x, &y, out);
    draw_letters(chart, &x, &y, out);
    mr_buf_text(out, "</svg>\n");
    draw_legend(chart, out);
    mr_buf_text(out, "</figure>\n");
    return true;
}
