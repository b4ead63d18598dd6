/* SPDX-License-Identifier: Apache-2.0 */
/* Ramp watch and start permits.
 *
 * Permits: with steps s_i and waits s_i / r after each, a half-open window of length w holds steps
 * whose waits but for the last one's lie inside it, so their sum is at most r w + s_max. With
 * r = R - s_max / w that is R w. */
#include "power/feed_ramp.h"

#include "engine/base/assert.h"

#include <math.h>

static const double slack = 1e-9; /* rounding of averages */

struct mr_feed_ramp mr_feed_ramp_start(double t_s, double window_s)
{
    MR_ASSERT(window_s > 0);
    return (struct mr_feed_ramp){.t_s = t_s,
                                 .window_end_s = t_s + window_s,
                                 .mean_w = (double)NAN,
                                 .first_s = (double)INFINITY};
}

static bool close_window(struct mr_feed_ramp *ramp, double window_s, double up_w_s, double down_w_s)
{
    const double mean_w = ramp->window_j / window_s;
    const double rate_w_s = isnan(ramp->mean_w) ? 0 : (mean_w - ramp->mean_w) / window_s;
    const double tolerance_w_s = slack * (fabs(mean_w) + 1) / window_s;
    const bool is_over = rate_w_s > up_w_s + tolerance_w_s || -rate_w_s > down_w_s + tolerance_w_s;
    if (fabs(rate_w_s) > fabs(ramp->worst_w_s))
        ramp->worst_w_s = rate_w_s;
    if (rate_w_s > 0)
        ramp->up_w_s = fmax(ramp->up_w_s, rate_w_s);
    else
        ramp->down_w_s = fmax(ramp->down_w_s, 0 - rate_w_s); /* not -0 */
    if (is_over)
        ramp->over_w_s = rate_w_s;
    ramp->mean_w = mean_w;
    ramp->window_j = 0;
    ramp->window_end_s += window_s;
    return is_over;
}

/* Whole windows from now on that are as the one before. */
static double n_still(const struct mr_feed_ramp *ramp, double window_s, double t_s, double power_w)
{
    const bool is_begin = ramp->window_end_s - ramp->t_s >= window_s * (1 - 1e-12);
    const bool is_same = fabs(power_w - ramp->mean_w) <= 1e-12 * fabs(power_w);
    return is_begin && is_same ? floor((t_s - ramp->t_s) / window_s) : 0;
}

double mr_feed_ramp_next_s(const struct mr_feed_ramp *ramp, double window_s, double t_s,
                           double power_w)
{
    const double n = n_still(ramp, window_s, t_s, power_w);
    return fmin(t_s, n > 0 ? ramp->t_s + n * window_s : ramp->window_end_s);
}

uint64_t mr_feed_ramp_advance(struct mr_feed_ramp *ramp, double window_s, double up_w_s,
                              double down_w_s, double t_s, double from_w, double to_w)
{
    MR_ASSERT(t_s >= ramp->t_s);
    const double begin_s = ramp->t_s, span_s = t_s - begin_s;
    double p_w = from_w;
    uint64_t n = 0;
    while (ramp->t_s < t_s) {
        const double n_same = from_w == to_w ? n_still(ramp, window_s, t_s, to_w) : 0;
        ramp->t_s += n_same * window_s;
        ramp->window_end_s += n_same * window_s;
        if (ramp->t_s >= t_s)
            break;
        const double end_s = fmin(t_s, ramp->window_end_s);
        const double end_w =
            end_s == t_s ? to_w : from_w + (to_w - from_w) * ((end_s - begin_s) / span_s);
        ramp->window_j += 0.5 * (p_w + end_w) * (end_s - ramp->t_s);
        ramp->t_s = end_s;
        p_w = end_w;
        if (end_s >= ramp->window_end_s && close_window(ramp, window_s, up_w_s, down_w_s)) {
            n++;
            ramp->first_s = fmin(ramp->first_s, end_s);
        }
    }
    ramp->n_violation += n;
    return n;
}

mr_status mr_feed_permit_start(double t_s, double up_w_s, double window_s, double step_w,
                               const char *name, struct mr_feed_permit *permit, struct mr_err *err)
{
    const double rate_w_s = up_w_s - step_w / window_s;
    if (!(rate_w_s > 0))
        return mr_err_set(
            err, MR_RANGE, MR_NOWHERE,
            "%s: a step of %g W breaks the ramp limit of %g MW/min over %g s by itself "
            "(smaller steps, or ramp assistance of a battery)",
            name, step_w, up_w_s * 60e-6, window_s);
    *permit = (struct mr_feed_permit){.rate_w_s = rate_w_s, .ready_s = t_s};
    return MR_OK;
}

double mr_feed_permit_take(struct mr_feed_permit *permit, double t_s, double step_w)
{
    const double at_s = fmax(t_s, permit->ready_s);
    permit->ready_s = at_s + step_w / permit->rate_w_s;
    return at_s;
}
