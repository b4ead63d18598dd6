/* SPDX-License-Identifier: Apache-2.0 */
/* The root of a function between two ends of different sign: false position with the Illinois
 * step, bisection where that is slow. The same steps everywhere, and a bound on their number. */
#ifndef MR_THERMAL_ROOT_H
#define MR_THERMAL_ROOT_H

typedef double mr_root_fn(double x, const void *context);

/** @param[in] low, high f(low) and f(high) differ in sign, else the end with the smaller |f|
 *  @param[in] tolerance width of the bracket at which to stop */
double mr_root_of(mr_root_fn *f, const void *context, double low, double high, double tolerance);

#endif
