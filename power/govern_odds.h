/* SPDX-License-Identifier: Apache-2.0 */
/* How often packages that share a limit exceed it, before any cap acts: the question behind
 * oversubscription. A package is busy with some probability and draws high_w then, else low_w; any
 * two are correlated alike (one workload swings them together). */
#ifndef MR_POWER_GOVERN_ODDS_H
#define MR_POWER_GOVERN_ODDS_H

#include "engine/base/status.h"

#include <stdint.h>

struct mr_govern_group {
    uint64_t n;
    double low_w, high_w, busy_frac;
};

struct mr_govern_spread {
    double mean_w, deviation_w, peak_w; /* of the sum; peak: all busy */
};

/** @param[in] correlation of any two packages, 0..1 */
struct mr_govern_spread mr_govern_spread_of(const struct mr_govern_group *group, uint32_t n_group,
                                            double correlation);

/** Probability that the sum exceeds the limit, the sum taken as normal: good from some ten packages
 *  on; tails beyond the peak are cut off. */
double mr_govern_odds(const struct mr_govern_spread *spread, double limit_w);

/** The same of one group of independent packages, exactly (binomial). O(n). */
double mr_govern_odds_exact(const struct mr_govern_group *group, double limit_w);

/** Most packages of the group's kind under a limit such that it is exceeded with probability
 *  `odds` at most; group->n is not read. At least
 *  2^52 means any number. */
uint64_t mr_govern_odds_fit(const struct mr_govern_group *group, double correlation, double limit_w,
                            double odds);

/** Probability that a standard normal variable exceeds z; relative error below 1e-13 to z = 35. */
double mr_govern_normal_tail(double z);

#endif
