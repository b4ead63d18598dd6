/* SPDX-License-Identifier: Apache-2.0 */
/* The first k with G(k) >= y: with m = k - 1 and z = y - first, b m^2 / 2 + (a + b / 2) m >= z, so
 *   m >= 2 z / (q + sqrt(q^2 + 2 b z)),   q = a + b / 2,
 * which is stable for b = 0 too. The root may be off by one step through rounding: the neighbors
 * are tried with G itself, so that G alone decides. */
#include "engine/serve/segment.h"

#include <math.h>

static uint64_t root(const struct mr_segment *segment, double y_s)
{
    const double z_s = y_s - segment->first_s;
    if (!(z_s > 0))
        return 1;
    const double q_s = segment->a_s + segment->b_s / 2;
    const double m = 2 * z_s / (q_s + sqrt(q_s * q_s + 2 * segment->b_s * z_s));
    return m < 9e15 ? 1 + (uint64_t)ceil(m) : segment->n_step;
}

uint64_t mr_segment_until(const struct mr_segment *segment, double time_s)
{
    const double y_s = time_s - segment->start_s - segment->lost_s - MR_SEGMENT_TIE_S;
    uint64_t k = root(segment, y_s);
    if (k >= segment->n_step)
        k = segment->n_step;
    while (k > 1 && mr_segment_sum_s(segment, k - 1) >= y_s)
        k--;
    while (k < segment->n_step && mr_segment_sum_s(segment, k) < y_s)
        k++;
    return k;
}

uint64_t mr_segment_ended(const struct mr_segment *segment, double time_s)
{
    const double y_s = time_s - segment->start_s - segment->lost_s;
    if (segment->n_step == 0 || y_s < segment->first_s)
        return 0;
    uint64_t k = root(segment, y_s);
    if (k >= segment->n_step)
        k = segment->n_step;
    while (k > 0 && mr_segment_sum_s(segment, k) > y_s)
        k--;
    while (k < segment->n_step && mr_segment_sum_s(segment, k + 1) <= y_s)
        k++;
    return k;
}

double mr_segment_share(const struct mr_segment *segment, uint64_t k, double time_s,
                        double done_frac)
{
    const double into_s = time_s - mr_segment_end_s(segment, k);
    if (k > 0)
        return into_s / (segment->a_s + segment->b_s * (double)k);
    return segment->first_s > 0 ? done_frac + (1 - done_frac) * into_s / segment->first_s : 1;
}
