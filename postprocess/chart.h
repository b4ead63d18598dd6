/* SPDX-License-Identifier: Apache-2.0 */
/* Charts as SVG inside a page (page.h holds their style): lines, steps, points and bars over two
 * linear axes with rounded ticks, marks with labels, a shaded part. Series are told apart by color,
 * dash and the shape of their points; the legend below names them. Nothing overlaps: ticks are as
 * many as fit, labels of marks are pushed apart. */
#ifndef MR_POSTPROCESS_CHART_H
#define MR_POSTPROCESS_CHART_H

#include "engine/base/text.h"

enum mr_chart_style {
    MR_CHART_LINE,
    MR_CHART_STEP,
    MR_CHART_POINTS,
    MR_CHART_BARS /* around their x, as wide as the distance to the next */
};

enum {
    MR_CHART_COLORS = 8 /* further series begin again with another dash */
};

struct mr_chart_series {
    const char *name;
    const double *x, *y; /* points with a NaN are gaps */
    size_t n;
    enum mr_chart_style style;
    const char *const *label; /* of each point, for its tooltip; NULL: none */
};

struct mr_chart_mark {
    double at;
    const char *label;
    bool is_upright; /* at an x */
};

struct mr_chart {
    const char *title, *x_label, *y_label;
    const struct mr_chart_series *series;
    size_t n_series;
    const struct mr_chart_mark *mark;
    size_t n_mark;
    bool is_from_zero; /* the y axis */
    double shade_x;    /* everything right of it; NaN: nothing */
};

/** @return false when no series has a point: nothing was written */
bool mr_chart_svg(const struct mr_chart *chart, struct mr_buf *out);

/** Unit that suits a span of time, and its seconds. */
const char *mr_chart_time(double span_s, double *unit_s);

/* Places with values on one scale of color. */
struct mr_chart_cell {
    double x, y; /* in cells, from the upper left */
    const char *name;
    double value; /* NaN: an empty frame */
};

/** A plan of cells. @param[in] low, high ends of the scale @return false without a value */
bool mr_chart_plan(const char *title, const char *unit, const struct mr_chart_cell *cell, size_t n,
                   double low, double high, struct mr_buf *out);

/** Color of the scale at 0..1, "#rrggbb". It runs through cividis, which people with every kind of
 *  color vision see as even. */
void mr_chart_color(double at, char out[8]);

#endif
