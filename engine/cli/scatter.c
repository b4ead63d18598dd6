/* SPDX-License-Identifier: Apache-2.0 */
/* Axes run over whole decades that hold all points. Colors are those of a palette that people with
 * every kind of color vision tell apart. */
#include "engine/cli/scatter.h"

#include "engine/base/fmath.h"

#include <math.h>

static const double side = 420, gap = 70, top = 40, left = 60, legend = 22;

static const char *const colors[MR_SCATTER_GROUPS] = {"#0072b2", "#e69f00", "#009e73", "#cc79a7",
                                                      "#d55e00", "#56b4e9", "#f0e442", "#000000",
                                                      "#8c564b", "#7f7f7f", "#bcbd22", "#17becf"};

struct axes {
    double x0, y0;            /* corner at the lower left */
    double low_log, high_log; /* decades */
};

static double log10_of(double x)
{
    return mr_log(x) / 2.302585092994045684;
}

static double along(const struct axes *a, double value)
{
    return (log10_of(value) - a->low_log) / (a->high_log - a->low_log) * side;
}

static void text(struct mr_buf *out, double x, double y, const char *anchor, const char *what)
{
    mr_buf_printf(out, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">", x, y, anchor);
    for (; *what != '\0'; what++) {
        if (*what == '<')
            mr_buf_text(out, "&lt;");
        else if (*what == '&')
            mr_buf_text(out, "&amp;");
        else
            mr_buf_char(out, *what);
    }
    mr_buf_text(out, "</text>\n");
}

static struct axes axes_of(const struct mr_scatter_panel *panel, double x0)
{
    double low = HUGE_VAL, high = 0;
    for (size_t i = 0; i < panel->n; i++) {
        low = fmin(low, fmin(panel->point[i].measured_s, panel->point[i].predicted_s));
        high = fmax(high, fmax(panel->point[i].measured_s, panel->point[i].predicted_s));
    }
    if (!(high > 0) || !(low > 0))
        low = 1e-3, high = 1;
    struct axes a = {x0, top + side, floor(log10_of(low)), ceil(log10_of(high))};
    if (a.high_log <= a.low_log)
        a.high_log = a.low_log + 1;
    return a;
}

static void draw_axes(const struct axes *a, const struct mr_scatter_panel *panel,
                      struct mr_buf *out)
{
    mr_buf_printf(out,
                  "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"none\" "
                  "stroke=\"#888\"/>\n",
                  a->x0, a->y0 - side, side, side);
    const int n_decade = (int)(a->high_log - a->low_log);
    for (int i = 0; i <= n_decade; i++) {
        const double d = a->low_log + i;
        const double at = (d - a->low_log) / (a->high_log - a->low_log) * side;
        const double seconds = mr_exp(d * 2.302585092994045684);
        char label[32];
        struct mr_buf tmp = {0};
        if (seconds < 1)
            mr_buf_printf(&tmp, "%.4g ms", seconds * 1e3);
        else
            mr_buf_printf(&tmp, "%.4g s", seconds);
        size_t n = tmp.n < sizeof label - 1 ? tmp.n : sizeof label - 1;
        memcpy(label, n > 0 ? tmp.text : "", n);
        label[n] = '\0';
        mr_buf_fini(&tmp);
        text(out, a->x0 + at, a->y0 + 16, "middle", label);
        text(out, a->x0 - 6, a->y0 - at + 4, "end", label);
    }
    text(out, a->x0 + side / 2, a->y0 - side - 12, "middle", panel->title);
    text(out, a->x0 + side / 2, a->y0 + 34, "middle", "measured");
    text(out, a->x0 + 6, a->y0 - side + 16, "start", "predicted");
    const double shift =
        log10_of(panel->band) / (a->high_log - a->low_log) * side; /* of the band's edges */
    mr_buf_printf(out,
                  "<path d=\"M%.1f %.1fL%.1f %.1f\" stroke=\"#444\"/>\n"
                  "<path d=\"M%.1f %.1fL%.1f %.1fM%.1f %.1fL%.1f %.1f\" stroke=\"#aaa\" "
                  "stroke-dasharray=\"4 3\" fill=\"none\"/>\n",
                  a->x0, a->y0, a->x0 + side, a->y0 - side, a->x0, a->y0 - shift,
                  a->x0 + side - shift, a->y0 - side, a->x0 + shift, a->y0, a->x0 + side,
                  a->y0 - side + shift);
}

static void draw_points(const struct axes *a, const struct mr_scatter_panel *panel,
                        struct mr_buf *out)
{
    for (size_t i = 0; i < panel->n; i++) {
        const struct mr_scatter_point *p = &panel->point[i];
        const int g = p->group < MR_SCATTER_GROUPS ? p->group : MR_SCATTER_GROUPS - 1;
        if (!(p->measured_s > 0) || !(p->predicted_s > 0))
            continue;
        mr_buf_printf(out,
                      "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"2.2\" fill=\"%s\" "
                      "fill-opacity=\"0.55\"/>\n",
                      a->x0 + along(a, p->measured_s), a->y0 - along(a, p->predicted_s), colors[g]);
    }
}

void mr_scatter_svg(const struct mr_scatter_panel *panel, size_t n_panel, const char *const *group,
                    size_t n_group, struct mr_buf *out)
{
    const double width = left + (double)n_panel * (side + gap);
    const double height = top + side + 60 + legend * ceil((double)n_group / 4);
    mr_buf_printf(out,
                  "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" height=\"%.0f\" "
                  "font-family=\"sans-serif\" font-size=\"12\">\n"
                  "<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n",
                  width, height);
    for (size_t i = 0; i < n_panel; i++) {
        const struct axes a = axes_of(&panel[i], left + (double)i * (side + gap));
        draw_axes(&a, &panel[i], out);
        draw_points(&a, &panel[i], out);
    }
    for (size_t i = 0; i < n_group && i < MR_SCATTER_GROUPS; i++) {
        const double x = left + (double)(i % 4) * 220,
                     y = top + side + 60 + legend * floor((double)i / 4);
        mr_buf_printf(out, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"4\" fill=\"%s\"/>\n", x, y - 4,
                      colors[i]);
        text(out, x + 10, y, "start", group[i]);
    }
    mr_buf_text(out, "</svg>\n");
}
