/* SPDX-License-Identifier: Apache-2.0 */
/* The energy lost is heat in minus energy stored: exact, and closed by construction. */
#include "thermal/node.h"

#include "engine/base/assert.h"
#include "engine/base/fmath.h"

#include <math.h>

static const double series_below = 1e-3;

/* x = g t / C; phi1 = t f1(x), phi2 = t^2 f2(x) */
static void shape(double x, double *f1, double *f2)
{
    if (fabs(x) < series_below) { /* next terms x^4/120, x^4/720 */
        *f1 = 1 - x * (1.0 / 2 - x * (1.0 / 6 - x * (1.0 / 24 - x * (1.0 / 120))));
        *f2 = 1.0 / 2 - x * (1.0 / 6 - x * (1.0 / 24 - x * (1.0 / 120 - x * (1.0 / 720))));
    } else {
        *f1 = -mr_expm1(-x) / x;
        *f2 = (1 - *f1) / x;
    }
}

double mr_node_advance(double capacity_j_k, double t_c, const struct mr_node_in *in, double dt_s,
                       double *lost_j)
{
    double f1, f2;
    shape(in->g_w_k * dt_s / capacity_j_k, &f1, &f2);
    const double net_w = in->heat_w - (in->g_w_k > 0 ? in->g_w_k * (t_c - in->sink_c) : 0);
    const double stored_j = dt_s * (f1 * net_w + f2 * in->heat_w_s * dt_s);
    if (lost_j != NULL)
        *lost_j = dt_s * (in->heat_w + 0.5 * in->heat_w_s * dt_s) - stored_j;
    return t_c + stored_j / capacity_j_k;
}

/* log(1 + u) to full precision near 0: the rounding of 1 + u is in both factors and cancels. */
static double log_of_1_plus(double u)
{
    const double v = 1 + u;
    return v == 1 ? u : mr_log(v) * (u / (v - 1));
}

/* T - T0 = (1 - e^(-g t / C)) net / g, solved for t without ever subtracting the steady state. */
double mr_node_crossing_s(double capacity_j_k, double t_c, const struct mr_node_in *in,
                          double level_c)
{
    MR_ASSERT(in->heat_w_s == 0);
    if (level_c == t_c)
        return 0;
    const double net_w = in->heat_w - (in->g_w_k > 0 ? in->g_w_k * (t_c - in->sink_c) : 0);
    const double first_s = (level_c - t_c) * capacity_j_k / net_w; /* at the first rate */
    if (!(first_s > 0))                                            /* away from it, or still */
        return (double)INFINITY;
    const double done_frac = first_s * in->g_w_k / capacity_j_k; /* of the way to steady */
    if (done_frac >= 1)
        return (double)INFINITY;
    return done_frac > 0 ? first_s * (-log_of_1_plus(-done_frac) / done_frac) : first_s;
}
