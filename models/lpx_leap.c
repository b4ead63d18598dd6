/* SPDX-License-Identifier: Apache-2.0 */
/* The upper envelope of a few lines over whole steps. */
#include "models/lpx_leap.h"

#include "engine/base/assert.h"

#include <math.h>

static const double last_step = 1e15; /* beyond it no kink is looked for */

/* The highest line at step j, and of equal ones the steepest, among those steeper than `least`. */
static int highest(const struct mr_lpx_leap_line *line, int n, double j, double least)
{
    int best = -1;
    for (int i = 0; i < n; i++) {
        if (!(line[i].b_s > least))
            continue;
        const double gain =
            best < 0 ? 1 : line[i].a_s + line[i].b_s * j - (line[best].a_s + line[best].b_s * j);
        if (gain > 0 || (gain == 0 && line[i].b_s > line[best].b_s))
            best = i;
    }
    return best;
}

/* Upper envelope over whole steps. Slopes only grow along it, so every line has at most one piece:
 * from the first step at which a steeper line is not below the present one. */
struct mr_lpx_leap mr_lpx_leap_of(const struct mr_lpx_leap_line *line, int n)
{
    struct mr_lpx_leap leap = {0};
    double j = 0;
    int i = highest(line, n, j, -1);
    MR_ASSERT(i >= 0 && n <= MR_LPX_LEAP_PIECES);
    while (i >= 0) {
        leap.piece[leap.n_piece++] =
            (struct mr_lpx_leap_piece){(uint64_t)j, line[i].a_s, line[i].b_s};
        double next = last_step;
        for (int k = 0; k < n; k++)
            if (line[k].b_s > line[i].b_s)
                next = fmin(next, ceil((line[i].a_s - line[k].a_s) / (line[k].b_s - line[i].b_s)));
        if (next >= last_step)
            break;
        j = fmax(next, j + 1);
        i = highest(line, n, j, line[i].b_s);
    }
    return leap;
}

double mr_lpx_leap_step_s(const struct mr_lpx_leap *leap, uint64_t j)
{
    int i = leap->n_piece - 1;
    while (i > 0 && leap->piece[i].first > j)
        i--;
    return leap->piece[i].a_s + leap->piece[i].b_s * (double)j;
}

double mr_lpx_leap_sum_s(const struct mr_lpx_leap *leap, uint64_t n_step)
{
    double sum_s = 0;
    for (int i = 0; i < leap->n_piece && leap->piece[i].first < n_step; i++) {
        const uint64_t end = i + 1 < leap->n_piece && leap->piece[i + 1].first < n_step
                                 ? leap->piece[i + 1].first
                                 : n_step;
        const double first = (double)leap->piece[i].first, k = (double)end - first;
        sum_s += k * leap->piece[i].a_s + leap->piece[i].b_s * (k * first + k * (k - 1) / 2);
    }
    return sum_s;
}

struct mr_lpx_leap mr_lpx_leap_scaled(const struct mr_lpx_leap *leap, double factor)
{
    struct mr_lpx_leap out = *leap;
    for (int i = 0; i < out.n_piece; i++) {
        out.piece[i].a_s *= factor;
        out.piece[i].b_s *= factor;
    }
    return out;
}
