/* SPDX-License-Identifier: Apache-2.0 */
/* Sums of two-state packages.
 *
 *   mean = sum n (low + p (high - low))        sigma_i^2 = p (1 - p) (high - low)^2
 *   variance = (1 - rho) sum n sigma_i^2 + rho (sum n sigma_i)^2
 *
 * With rho above 0 the second term wins in large sites: averaging over many packages stops to help,
 * which is why a step-synchronous workload cannot be oversubscribed. */
#include "power/govern_odds.h"

#include "engine/base/assert.h"
#include "engine/base/fmath.h"

#include <math.h>

static const double inverse_sqrt_2pi = 0.39894228040143267794;
static const uint64_t n_unbounded = UINT64_C(1) << 52; /* packages that draw nothing */

struct mr_govern_spread mr_govern_spread_of(const struct mr_govern_group *group, uint32_t n_group,
                                            double correlation)
{
    struct mr_govern_spread sum = {0};
    double variance = 0, deviation_w = 0;
    for (uint32_t i = 0; i < n_group; i++) {
        const double n = (double)group[i].n, p = group[i].busy_frac;
        const double swing_w = group[i].high_w - group[i].low_w;
        const double sigma_w = sqrt(p * (1 - p)) * swing_w;
        sum.mean_w += n * (group[i].low_w + p * swing_w);
        sum.peak_w += n * group[i].high_w;
        variance += n * sigma_w * sigma_w;
        deviation_w += n * sigma_w;
    }
    sum.deviation_w = sqrt((1 - correlation) * variance + correlation * deviation_w * deviation_w);
    return sum;
}

/* Up to z = 3 the series 1/2 - phi(z) (z + z^3/3 + z^5/15 + ...), above the continued fraction
 * phi(z) / (z + 1/(z + 2/(z + ...))). */
double mr_govern_normal_tail(double z)
{
    if (z < 0)
        return 1 - mr_govern_normal_tail(-z);
    const double density = inverse_sqrt_2pi * mr_exp(-0.5 * z * z);
    if (z < 3) {
        double term = z, sum = z;
        for (int k = 3; term > sum * 1e-17; k += 2) {
            term *= z * z / k;
            sum += term;
        }
        return 0.5 - density * sum;
    }
    double fraction = z;
    for (int k = 200; k > 0; k--)
        fraction = z + k / fraction;
    return density / fraction;
}

double mr_govern_odds(const struct mr_govern_spread *spread, double limit_w)
{
    if (spread->peak_w <= limit_w)
        return 0;
    if (spread->deviation_w == 0)
        return spread->mean_w > limit_w ? 1 : 0;
    return mr_govern_normal_tail((limit_w - spread->mean_w) / spread->deviation_w);
}

/* Weights of k busy packages relative to the most likely number, so that nothing underflows where
 * it counts: w(k+1) / w(k) = (n - k) / (k + 1) p / (1 - p). */
double mr_govern_odds_exact(const struct mr_govern_group *group, double limit_w)
{
    const double n = (double)group->n, p = group->busy_frac;
    const double swing_w = group->high_w - group->low_w;
    if (p == 0 || p == 1 || swing_w == 0)
        return n * (group->low_w + p * swing_w) > limit_w ? 1 : 0;
    const uint64_t mode = (uint64_t)fmin((n + 1) * p, n);
    const double odds = p / (1 - p);
    double over = 0, all = 0, weight = 1;
    for (uint64_t i = mode; i <= group->n && weight > 0; i++) {
        const double k = (double)i;
        all += weight;
        over += n * group->low_w + k * swing_w > limit_w ? weight : 0;
        weight *= (n - k) / (k + 1) * odds;
    }
    weight = 1;
    for (uint64_t i = mode; i > 0 && weight > 0; i--) {
        const double k = (double)i;
        weight *= k / ((n - k + 1) * odds);
        all += weight;
        over += n * group->low_w + (k - 1) * swing_w > limit_w ? weight : 0;
    }
    return over / all;
}

static bool is_within(const struct mr_govern_group *group, uint64_t n, double correlation,
                      double limit_w, double odds)
{
    struct mr_govern_group trial = *group;
    trial.n = n;
    const struct mr_govern_spread spread = mr_govern_spread_of(&trial, 1, correlation);
    /* tails of no more than 1e-300 are 0 as doubles, yet not never */
    return odds > 0 ? mr_govern_odds(&spread, limit_w) <= odds : spread.peak_w <= limit_w;
}

uint64_t mr_govern_odds_fit(const struct mr_govern_group *group, double correlation, double limit_w,
                            double odds)
{
    MR_ASSERT(odds >= 0 && limit_w >= 0);
    uint64_t fits = 0, over = 1;
    while (is_within(group, over, correlation, limit_w, odds)) {
        if (over >= n_unbounded)
            return over;
        fits = over;
        over *= 2;
    }
    while (over - fits > 1) {
        const uint64_t middle = fits + (over - fits) / 2;
        if (is_within(group, middle, correlation, limit_w, odds))
            fits = middle;
        else
            over = middle;
    }
    return fits;
}
