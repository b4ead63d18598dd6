/* SPDX-License-Identifier: Apache-2.0 */
/* A sum of very many small terms, as energies over a year are: what each addition rounds away is
 * kept beside it (Neumaier), so the error does not grow with their number. */
#ifndef MR_THERMAL_SUM_H
#define MR_THERMAL_SUM_H

#include <math.h>

struct mr_sum {
    double high, low;
};

static inline void mr_sum_add(struct mr_sum *sum, double term)
{
    const double next = sum->high + term;
    if (fabs(sum->high) >= fabs(term))
        sum->low += (sum->high - next) + term;
    else
        sum->low += (term - next) + sum->high;
    sum->high = next;
}

static inline double mr_sum_of(struct mr_sum sum)
{
    return sum.high + sum.low;
}

#endif
