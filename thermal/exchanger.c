/* SPDX-License-Identifier: Apache-2.0 */
/* Effectiveness and its inverse, design and off-design. */
#include "thermal/exchanger.h"

#include "engine/base/fmath.h"

#include <math.h>

static const double balanced = 1e-9; /* |1 - c| below it: the limit c = 1 */
static const double film_exponent = 0.8;

double mr_exchanger_effectiveness(double n_transfer, double c)
{
    if (fabs(1 - c) < balanced)
        return n_transfer / (1 + n_transfer);
    /* 1 - E and 1 - c E without differences of near-equals */
    const double e = mr_expm1(-n_transfer * (1 - c));
    return -e / ((1 - c) - c * e);
}

double mr_exchanger_n_transfer(double effectiveness, double c)
{
    if (fabs(1 - c) < balanced)
        return effectiveness / (1 - effectiveness);
    return mr_log((1 - c * effectiveness) / (1 - effectiveness)) / (1 - c);
}

mr_status mr_exchanger_of(double heat_w, double approach_k, double hot_w_k, double cold_w_k,
                          struct mr_exchanger *exchanger, struct mr_err *err)
{
    const double least_w_k = fmin(hot_w_k, cold_w_k), most_w_k = fmax(hot_w_k, cold_w_k);
    const double effectiveness = heat_w / (least_w_k * (approach_k + heat_w / hot_w_k));
    if (!(effectiveness < 1) || !(effectiveness > 0))
        return mr_err_set(err, MR_RANGE, MR_NOWHERE,
                          "no exchanger moves %g W at an approach of %g K with %g W/K of coolant "
                          "and %g W/K of facility water (effectiveness %.3f)",
                          heat_w, approach_k, hot_w_k, cold_w_k, effectiveness);
    const double n_transfer = mr_exchanger_n_transfer(effectiveness, least_w_k / most_w_k);
    *exchanger = (struct mr_exchanger){hot_w_k, cold_w_k, n_transfer * least_w_k};
    return MR_OK;
}

double mr_exchanger_w_k(const struct mr_exchanger *exchanger, double hot_frac, double cold_frac,
                        double fouling_frac)
{
    if (!(hot_frac > 0) || !(cold_frac > 0))
        return 0;
    const double films =
        0.5 * (mr_pow(hot_frac, -film_exponent) + mr_pow(cold_frac, -film_exponent));
    const double ua_w_k = exchanger->ua_w_k / (films * (1 + fouling_frac));
    const double hot_w_k = exchanger->hot_w_k * hot_frac,
                 cold_w_k = exchanger->cold_w_k * cold_frac;
    const double least_w_k = fmin(hot_w_k, cold_w_k), most_w_k = fmax(hot_w_k, cold_w_k);
    return least_w_k * mr_exchanger_effectiveness(ua_w_k / least_w_k, least_w_k / most_w_k);
}
