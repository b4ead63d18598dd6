/* SPDX-License-Identifier: Apache-2.0 */
/* Floor plans: cells on one scale of color. Map: colors - cells - plans. */
#include "engine/base/num.h"
#include "postprocess/chart.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- colors ---- */

void mr_chart_color(double at_frac, char out[8])
{
    static const unsigned char scale[][3] = {{0, 34, 78},     {51, 67, 107},   {87, 93, 109},
                                             {123, 121, 119}, {165, 151, 112}, {208, 184, 92},
                                             {254, 232, 56}};
    const double place = fmin(fmax(at_frac, 0), 1) * 6;
    const size_t i = place >= 6 ? 5 : (size_t)place;
    unsigned char mix[3];
    for (size_t k = 0; k < 3; k++)
        mix[k] =
            (unsigned char)(scale[i][k] +
                            (place - (double)i) * ((double)scale[i + 1][k] - scale[i][k]) + 0.5);
    (void)snprintf(out, 8, "#%02x%02x%02x", mix[0], mix[1], mix[2]);
}

/* A bar of the scale's colors, which the style knows, over its ends. */
static void draw_scale(const char *unit, double low, double high, double plan_width,
                       struct mr_buf *out)
{
    char text[2][MR_NUM_CAP];
    mr_buf_printf(out, "<p class=\"scale\" style=\"max-width:%.0fpx\"><span>",
                  fmin(plan_width, 220));
    (void)mr_num_format_human(low, 4, text[0]);
    (void)mr_num_format_human(high, 4, text[1]);
    mr_buf_printf(out, "%s</span><span>%s ", text[0], text[1]);
    mr_buf_xml(out, mr_str_of(unit));
    mr_buf_text(out, "</span></p>\n");
}

/* ---- cells ---- */

/* One after the other, the same to three digits and of the same of 64 shades: one path for all. */
static bool is_alike(const struct mr_chart_cell *a, const struct mr_chart_cell *last, double low,
                     double high)
{
    const struct mr_chart_cell *b = last + 1;
    const double shades = high > low ? 64 / (high - low) : 0;
    char text[2][MR_NUM_CAP];
    if (b->y < a->y || b->y > a->y || !(fabs(b->x - last->x - 1) < 1e-9) ||
        isnan(a->value) != isnan(b->value))
        return false;
    (void)mr_num_format_human(a->value, 3, text[0]);
    (void)mr_num_format_human(b->value, 3, text[1]);
    return isnan(a->value) ||
           (strcmp(text[0], text[1]) == 0 &&
            fabs(floor((a->value - low) * shades) - floor((b->value - low) * shades)) < 0.5);
}

/* "H0.R0.K0 to K11": what the last name shares with the first up to its last dot is not said again.
 */
static void put_names(const struct mr_chart_cell *first, const struct mr_chart_cell *last,
                      struct mr_buf *out)
{
    const char *dot = strrchr(last->name, '.');
    const size_t n = dot != NULL ? (size_t)(dot - last->name) + 1 : 0;
    mr_buf_xml(out, mr_str_of(first->name));
    if (first == last)
        return;
    mr_buf_text(out, " to ");
    mr_buf_xml(out,
               mr_str_of(strncmp(first->name, last->name, n) == 0 ? last->name + n : last->name));
}

/* Neighbors `first` to `last`, as a stroke as wide as cells are high, with dashes of the style
 * between them. */
static void draw_cells(const struct mr_chart_cell *first, const struct mr_chart_cell *last,
                       const char *unit, double low, double high, struct mr_buf *out)
{
    char color[8];
    mr_chart_color(high > low ? (first->value - low) / (high - low) : 0.5, color);
    if (isnan(first->value))
        mr_buf_text(out, "<path class=\"none\" d=\"");
    else
        mr_buf_printf(out, "<path stroke=\"%s\" d=\"", color);
    if (isnan(first->value))
        for (const struct mr_chart_cell *cell = first; cell <= last; cell++)
            mr_buf_printf(out, "M%.0f %.0fh.92v.92h-.92z", cell->x, cell->y);
    else
        mr_buf_printf(out, "M%.0f %.0f.46h%.0f", first->x, first->y, last->x - first->x + 1);
    mr_buf_text(out, "\"><title>");
    put_names(first, last, out);
    mr_buf_text(out, ": ");
    if (isnan(first->value)) {
        mr_buf_text(out, "not recorded");
    } else {
        char text[MR_NUM_CAP];
        (void)mr_num_format_human(first->value, first == last ? 4 : 3, text);
        mr_buf_text(out, text);
        mr_buf_char(out, ' ');
        mr_buf_xml(out, mr_str_of(unit));
    }
    mr_buf_text(out, "</title></path>\n");
}

/* ---- plans ---- */

bool mr_chart_plan(const char *title, const char *unit, const struct mr_chart_cell *cell, size_t n,
                   double low, double high, struct mr_buf *out)
{
    double n_x = 1, n_y = 1;
    size_t n_value = 0;
    for (size_t i = 0; i < n; i++) {
        n_x = fmax(n_x, cell[i].x + 1);
        n_y = fmax(n_y, cell[i].y + 1);
        n_value += isnan(cell[i].value) ? 0 : 1;
    }
    if (n_value == 0)
        return false;
    const double size = fmin(fmax(460 / n_x, 4), 36), plan_width = fmax(n_x * size, 130);
    mr_buf_text(out, "<figure><figcaption>");
    mr_buf_xml(out, mr_str_of(title));
    mr_buf_printf(out,
                  "</figcaption><svg class=\"plan\" role=\"img\" "
                  "xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %.0f %.0f\" "
                  "style=\"max-width:%.0fpx\"><title>",
                  plan_width, n_y * size, fmax(plan_width, 200));
    mr_buf_xml(out, mr_str_of(title));
    mr_buf_printf(out, "</title>\n<g class=\"d cell\" transform=\"scale(%.4g)\">\n", size);
    for (size_t i = 0, last; i < n; i = last + 1) {
        last = i;
        while (last + 1 < n && is_alike(&cell[i], &cell[last], low, high))
            last++;
        draw_cells(&cell[i], &cell[last], unit, low, high, out);
    }
    mr_buf_text(out, "</g>\n");
    mr_buf_text(out, "</svg>");
    draw_scale(unit, low, high, plan_width, out);
    mr_buf_text(out, "</figure>\n");
    return true;
}
