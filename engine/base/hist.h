/* SPDX-License-Identifier: Apache-2.0 */
/* Logarithmic histogram of durations: quantiles to 0.79 %, everything else exact.
 *
 * The bin is cut out of the double's own bits, exponent and first six bits of the fraction: 64 bins
 * per octave, each 0.8 to 1.6 % wide, no logarithm. A value taken as the middle of its bin is wrong
 * by at most half a width over the lower edge, 1/128. Durations below 2^-30 s (0.93 ns) share one
 * bin; MR_HIST_END_S, 544 years, is refused.
 *
 * The sum is exact: within one octave all doubles are whole multiples of one unit, so the 53-bit
 * fractions are added as integers, 128 bits wide, one sum per octave (durations below 2^-30 s in
 * whole 2^-82 s). Counts and sums are integers, so merging is exact and in any order the same bits.
 * Zero-initialize (or mr_hist_reset); 34 kB, of which an add touches three cache lines. */
#ifndef MR_ENGINE_BASE_HIST_H
#define MR_ENGINE_BASE_HIST_H

#include "engine/base/assert.h"

#include <string.h>

enum {
    MR_HIST_EXP_FIRST = -30, /* octaves 2^-30 .. 2^34 s */
    MR_HIST_OCTAVES = 64,
    MR_HIST_BITS = 6, /* of the fraction */
    MR_HIST_BINS = MR_HIST_OCTAVES << MR_HIST_BITS
};

#define MR_HIST_END_S 0x1p34 /* 2^(MR_HIST_EXP_FIRST + MR_HIST_OCTAVES) */

struct mr_hist_sum {
    uint64_t low, high; /* 128 bits of units of 2^(octave's exponent - 52) s */
};

struct mr_hist {
    uint64_t n;          /* all values */
    uint64_t n_tiny;     /* those below 2^-30 s, in no bin */
    double min_s, max_s; /* exact; 0 while n = 0 */
    struct mr_hist_sum sum[MR_HIST_OCTAVES];
    uint64_t bin[MR_HIST_BINS];
};

void mr_hist_reset(struct mr_hist *hist);

/** Count `n` values x_s. Inline: with a constant n this is a handful of instructions on the path of
 *  every call. @param[in] x_s 0 <= x_s < MR_HIST_END_S, not NaN */
static inline void mr_hist_add_n(struct mr_hist *hist, double x_s, uint64_t n)
{
    __extension__ typedef unsigned __int128 u128;
    MR_ASSERT(x_s >= 0 && x_s < MR_HIST_END_S);
    const double plain = x_s + 0.0; /* -0 is 0 */
    uint64_t bits;
    memcpy(&bits, &plain, sizeof bits);
    const uint64_t one = UINT64_C(1) << 52;
    const uint64_t first = (uint64_t)(1023 + MR_HIST_EXP_FIRST) << MR_HIST_BITS;
    uint64_t bin = (bits >> (52 - MR_HIST_BITS)) - first, units = (bits & (one - 1)) | one;
    if (bin < MR_HIST_BINS) {
        hist->bin[bin] += n;
    } else { /* below the first octave: in its units, cut off */
        hist->n_tiny += n;
        units = (uint64_t)(plain * 0x1p82);
        bin = 0;
    }
    struct mr_hist_sum *const sum = &hist->sum[bin >> MR_HIST_BITS];
    const u128 total = ((u128)sum->high << 64 | sum->low) + (u128)units * n;
    sum->low = (uint64_t)total;
    sum->high = (uint64_t)(total >> 64);
    if ((hist->n == 0 || plain < hist->min_s) && n > 0)
        hist->min_s = plain;
    if (plain > hist->max_s && n > 0)
        hist->max_s = plain;
    hist->n += n;
}

static inline void mr_hist_add(struct mr_hist *hist, double x_s)
{
    mr_hist_add_n(hist, x_s, 1);
}

/** Count what `from` counted. The result has the same bits in whatever order histograms merge. */
void mr_hist_merge(struct mr_hist *hist, const struct mr_hist *from);

/** Sum of all values, rounded once or twice at the very end [s]. */
double mr_hist_sum_s(const struct mr_hist *hist);

/** sum / n, or NaN when nothing was counted [s]. */
double mr_hist_mean_s(const struct mr_hist *hist);

/** Quantile q of the n values x_0 <= ... <= x_(n-1): with p = q (n - 1), linear between x_floor(p)
 *  and x_ceil(p) (the rule of numpy and R's type 7), where x_0 and x_(n-1) are exact and every
 * other value is the middle of its bin, no less than the least and no more than the largest. Never
 *  decreases with q; at most 1/128 from the same rule on the values themselves (1 ns below 2^-30
 * s).
 *  @param[in] q 0..1 @return NaN when nothing was counted [s] */
double mr_hist_quantile_s(const struct mr_hist *hist, double q);

#endif
