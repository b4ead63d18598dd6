/* SPDX-License-Identifier: Apache-2.0 */
/* Counter-flow heat exchanger by effectiveness and number of transfer units.
 *
 *   Q = eps Cmin (hot in - cold in)     eps = (1 - E) / (1 - c E), E = e^(-N (1 - c)), c =
 * Cmin/Cmax 1/UA = (1 + fouling) (1/hA_hot + 1/hA_cold), hA ~ flow^0.8, equal at design (LBNL)
 *
 * No state, no wall. */
#ifndef MR_THERMAL_EXCHANGER_H
#define MR_THERMAL_EXCHANGER_H

#include "engine/base/status.h"

struct mr_exchanger {
    double hot_w_k, cold_w_k, ua_w_k; /* capacity rates and conductance at design */
};

double mr_exchanger_effectiveness(double n_transfer, double c);

/** The number of transfer units with this effectiveness, 0 <= eps < 1. */
double mr_exchanger_n_transfer(double effectiveness, double c);

/** The exchanger that moves `heat_w` with the hot side leaving `approach_k` above the cold inlet.
 *  @return MR_OK; MR_RANGE when no conductance does */
MR_CHECKED mr_status mr_exchanger_of(double heat_w, double approach_k, double hot_w_k,
                                     double cold_w_k, struct mr_exchanger *exchanger,
                                     struct mr_err *err);

/** eps Cmin at flows over design [W/K]; 0 without flow. */
double mr_exchanger_w_k(const struct mr_exchanger *exchanger, double hot_frac, double cold_frac,
                        double fouling_frac);

#endif
