/* SPDX-License-Identifier: Apache-2.0 */
/* Welford's update keeps the digits of values that lie close together. The quantile is a table up
 * to 30 degrees of freedom; beyond, the expansion of Cornish and Fisher around the normal one,
 *   t = z + (z^3 + z) / 4v + (5 z^5 + 16 z^3 + 3 z) / 96 v^2
 *     + (3 z^7 + 19 z^5 + 17 z^3 - 15 z) / 384 v^3,
 * is right to six digits (Abramowitz and Stegun 26.7.5). */
#include "postprocess/repeat.h"

#include <math.h>

static const double t95[] = {12.7062, 4.30265, 3.18245, 2.77645, 2.57058, 2.44691, 2.36462, 2.30600,
                             2.26216, 2.22814, 2.20099, 2.17881, 2.16037, 2.14479, 2.13145, 2.11991,
                             2.10982, 2.10092, 2.09302, 2.08596, 2.07961, 2.07387, 2.06866, 2.06390,
                             2.05954, 2.05553, 2.05183, 2.04841, 2.04523, 2.04227};

void mr_repeat_add(struct mr_repeat *repeat, double value)
{
    if (isnan(value))
        return;
    const double off = value - repeat->mean;
    repeat->n++;
    repeat->mean += off / (double)repeat->n;
    repeat->squares += off * (value - repeat->mean);
}

double mr_repeat_mean(const struct mr_repeat *repeat)
{
    return repeat->n > 0 ? repeat->mean : (double)NAN;
}

double mr_repeat_sd(const struct mr_repeat *repeat)
{
    return repeat->n > 1 ? sqrt(repeat->squares / (double)(repeat->n - 1)) : (double)NAN;
}

double mr_repeat_half95(const struct mr_repeat *repeat)
{
    return repeat->n > 1
               ? mr_repeat_t95(repeat->n - 1) * mr_repeat_sd(repeat) / sqrt((double)repeat->n)
               : (double)NAN;
}

double mr_repeat_t95(size_t n_free)
{
    const double z = 1.959963984540054, v = (double)n_free;
    const double z3 = z * z * z, z5 = z3 * z * z, z7 = z5 * z * z;
    if (n_free == 0)
        return (double)NAN;
    if (n_free <= sizeof t95 / sizeof *t95)
        return t95[n_free - 1];
    return z + (z3 + z) / (4 * v) + (5 * z5 + 16 * z3 + 3 * z) / (96 * v * v) +
           (3 * z7 + 19 * z5 + 17 * z3 - 15 * z) / (384 * v * v * v);
}
