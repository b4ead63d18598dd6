/* SPDX-License-Identifier: Apache-2.0 */
/* Reading and merging histograms. Adding is inline in the header. */
#include "engine/base/hist.h"

#include <math.h>

void mr_hist_reset(struct mr_hist *hist)
{
    memset(hist, 0, sizeof *hist);
}

void mr_hist_merge(struct mr_hist *hist, const struct mr_hist *from)
{
    if (from->n == 0)
        return;
    hist->min_s = hist->n == 0 ? from->min_s : fmin(hist->min_s, from->min_s);
    hist->max_s = fmax(hist->max_s, from->max_s);
    hist->n += from->n;
    hist->n_tiny += from->n_tiny;
    for (int i = 0; i < MR_HIST_OCTAVES; i++) {
        struct mr_hist_sum *const sum = &hist->sum[i];
        const bool carries = __builtin_add_overflow(sum->low, from->sum[i].low, &sum->low);
        sum->high += from->sum[i].high + carries;
    }
    for (int i = 0; i < MR_HIST_BINS; i++)
        hist->bin[i] += from->bin[i];
}

/* ---- sum ---- */

/* A sum and the rounding errors left out of it (Neumaier 1974): as if carried in twice the digits.
 */
struct carried {
    double sum, error;
};

static void carry(struct carried *c, double x)
{
    const double sum = c->sum + x;
    c->error += fabs(c->sum) >= fabs(x) ? (c->sum - sum) + x : (x - sum) + c->sum;
    c->sum = sum;
}

/* 2^e for normal exponents, exact. */
static double power_of_two(int e)
{
    const uint64_t bits = (uint64_t)(1023 + e) << 52;
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* Every piece is a double exactly: the upper half stays below 2^53, as n < 2^64 and units < 2^53.
 */
double mr_hist_sum_s(const struct mr_hist *hist)
{
    struct carried c = {0, 0};
    for (int i = MR_HIST_OCTAVES; i-- > 0;) {
        const struct mr_hist_sum *const sum = &hist->sum[i];
        const double unit_s = power_of_two(MR_HIST_EXP_FIRST + i - 52);
        carry(&c, (double)sum->high * 0x1p64 * unit_s);
        carry(&c, (double)(sum->low >> 32) * 0x1p32 * unit_s);
        carry(&c, (double)(sum->low & UINT32_MAX) * unit_s);
    }
    return c.sum + c.error;
}

double mr_hist_mean_s(const struct mr_hist *hist)
{
    return hist->n > 0 ? mr_hist_sum_s(hist) / (double)hist->n : (double)NAN;
}

/* ---- quantiles ---- */

/* The middle of bin i: its lower edge with the bit below the last one of the index set. */
static double middle_s(int i)
{
    const uint64_t first = (uint64_t)(1023 + MR_HIST_EXP_FIRST) << MR_HIST_BITS;
    const uint64_t bits = (first + (uint64_t)i) << (52 - MR_HIST_BITS) | UINT64_C(1)
                                                                             << (51 - MR_HIST_BITS);
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* Value of rank k, 0 the least. `*i` and `*n_below` remember where the last, lower rank was found.
 */
static double value_s(const struct mr_hist *hist, uint64_t k, int *i, uint64_t *n_below)
{
    if (k == 0)
        return hist->min_s;
    if (k == hist->n - 1)
        return hist->max_s;
    if (k < hist->n_tiny)
        return hist->min_s;
    while (k - *n_below >= hist->bin[*i]) {
        *n_below += hist->bin[*i];
        ++*i;
        MR_ASSERT(*i < MR_HIST_BINS);
    }
    return fmin(fmax(middle_s(*i), hist->min_s), hist->max_s);
}

double mr_hist_quantile_s(const struct mr_hist *hist, double q)
{
    MR_ASSERT(q >= 0 && q <= 1);
    if (hist->n == 0)
        return (double)NAN;
    /* above 2^53 values p may round up past the last rank */
    const double p = q * (double)(hist->n - 1);
    const uint64_t last = hist->n - 1, k = p < 0x1p63 && (uint64_t)p < last ? (uint64_t)p : last;
    const double part = p - (double)k;
    int i = 0;
    uint64_t n_below = hist->n_tiny;
    const double low_s = value_s(hist, k, &i, &n_below);
    if (k == last || part <= 0)
        return low_s;
    const double high_s = value_s(hist, k + 1, &i, &n_below);
    return fmin(low_s + part * (high_s - low_s), high_s);
}
