/* SPDX-License-Identifier: Apache-2.0 */
/* Repetitions: mean, spread and how far the mean may be off. A mean of n values with standard
 * deviation s lies within t(0.975, n - 1) s / sqrt(n) of the true one 19 times of 20 (Student). */
#ifndef MR_POSTPROCESS_REPEAT_H
#define MR_POSTPROCESS_REPEAT_H

#include <stddef.h>

/* Zero-initialize. */
struct mr_repeat {
    size_t n;
    double mean, squares; /* squares: sum of squared distances from the mean */
};

void mr_repeat_add(struct mr_repeat *repeat, double value); /* NaN is left out */

double mr_repeat_mean(const struct mr_repeat *repeat); /* NaN without values */
double mr_repeat_sd(const struct mr_repeat *repeat);   /* NaN below two */

/** Half of the 95 % interval of the mean; NaN below two values. */
double mr_repeat_half95(const struct mr_repeat *repeat);

/** Quantile 0.975 of Student's t with that many degrees of freedom, at least one; NaN at none. */
double mr_repeat_t95(size_t n_free);

#endif
