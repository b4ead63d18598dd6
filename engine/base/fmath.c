/* SPDX-License-Identifier: Apache-2.0 */
/* Table-driven exp and log.
 *
 * exp: x = k ln2/64 + r, |r| <= ln2/128, k = 64 m + j; exp(x) = 2^m 2^(j/64) exp(r). ln2/64 is
 * split so that k * high is exact; exp(r) - 1 is its Taylor sum to r^6 (the next term is below
 * 3e-20). The table holds 2^(j/64) as high + low, so the only rounding of weight is the last
 * addition. expm1: |x| < 0.35: x + x^2/2 + x^3 q(x) with x^2 exact in two doubles; above, (2^m T -
 * 1) + 2^m T p with the difference exact in two doubles: nothing cancels any more. log: x = 2^k z,
 * c ~ 1/z from a table with few bits, r = c z - 1 exactly in two doubles, |r| < 2^-7; log x = k ln2
 * - log c + log1p(r). Around 1 c is 1, so r carries the whole answer. pow: log in two doubles
 * (relative error 2^-66), times y in two doubles, exp with a low part.
 *
 * Map: bits and exact sums - exp - expm1 - log - pow. */
#include "engine/base/fmath.h"

#include "engine/base/fmath_tables.inc"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* A value as the unevaluated sum of two doubles. */
struct twin {
    double high, low;
};

static uint64_t bits_of(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static double from_bits(uint64_t bits)
{
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* a + b exactly (Knuth). */
static inline struct twin sum_of(double a, double b)
{
    const double s = a + b, t = s - a;
    return (struct twin){s, (a - (s - t)) + (b - t)};
}

/* a * b exactly (Dekker), for factors below 2^996. */
static inline struct twin product_of(double a, double b)
{
    const double splitter = 0x1p27 + 1;
    const double p = a * b;
    const double ta = splitter * a, ah = ta - (ta - a), al = a - ah;
    const double tb = splitter * b, bh = tb - (tb - b), bl = b - bh;
    return (struct twin){p, ((ah * bh - p) + ah * bl + al * bh) + al * bl};
}

/* x * 2^m for x in [0.99, 2.01] and -1080 < m <= 1024: only the second factor may round or
 * overflow. */
static double scaled(double x, int m)
{
    const int first = m > 0 ? 1000 : -900;
    return x * from_bits((uint64_t)(first + 1023) << 52) *
           from_bits((uint64_t)(m - first + 1023) << 52);
}

/* ---- exp ---- */

/* exp(x) = 2^m * (t_high + t_low) * (1 + p) */
struct reduced {
    double high, low, p;
    int m;
};

/* Taylor sum of exp(r) - 1 for |r| <= 0.00542. */
static inline double exp_tail(double r)
{
    const double r2 = r * r;
    const double a = 0.5 + r * (1.0 / 6), b = 1.0 / 24 + r * (1.0 / 120) + r2 * (1.0 / 720);
    return r + r2 * (a + r2 * b);
}

/* |x| < 1100 */
static inline struct reduced reduce(double x, double x_low)
{
    const double round_to_int = 0x1.8p52;
    const double shifted = x * inverse_ln2_64 + round_to_int, k = shifted - round_to_int;
    const int32_t n = (int32_t)(uint32_t)bits_of(shifted); /* the integer is in the low bits */
    const double r = x - k * ln2_64_high;                  /* exact */
    const int32_t j = n & 63;
    return (struct reduced){exp2_table[j].high, exp2_table[j].low,
                            exp_tail((r - k * ln2_64_low) + x_low), (n - j) / 64};
}

static double exp_of(double x, double x_low)
{
    const struct reduced e = reduce(x, x_low);
    const double y = e.high + (e.low + e.high * e.p); /* in [0.99, 2.01] */
    if (e.m > -1000 && e.m < 1000)
        return y * from_bits((uint64_t)(e.m + 1023) << 52);
    return scaled(y, e.m);
}

double mr_exp(double x)
{
    if (x > -745.2 && x < 709.8)
        return exp_of(x, 0);
    if (isnan(x))
        return x + x;
    return x > 0 ? HUGE_VAL : 0;
}

/* ---- expm1 ---- */

/* x + x^2/2 + x^3 (1/6 + x/24 + ... + x^11/14!), |x| < 0.35 */
static double expm1_near_zero(double x)
{
    const struct twin x2 = product_of(x, x);
    const double z = x2.high, z2 = z * z, z4 = z2 * z2;
    const double a = (1.0 / 6 + x * (1.0 / 24)) + z * (1.0 / 120 + x * (1.0 / 720));
    const double b = (1.0 / 5040 + x * (1.0 / 40320)) + z * (1.0 / 362880 + x * (1.0 / 3628800));
    const double c = (1.0 / 39916800 + x * (1.0 / 479001600)) +
                     z * (1.0 / 6227020800.0 + x * (1.0 / 87178291200.0));
    const double tail = x * z * (a + z2 * b + z4 * c);
    const struct twin s = sum_of(x, 0.5 * z);
    return s.high + (s.low + 0.5 * x2.low + tail);
}

double mr_expm1(double x)
{
    if (x > -0.35 && x < 0.35) {
        /* below this x is the answer, and x^2 would lose its low part */
        const double tiny = 5.5e-17; /* < 2^-54 */
        return fabs(x) < tiny ? x : expm1_near_zero(x);
    }
    if (x > -38 && x < 700) {
        const struct reduced e = reduce(x, 0);
        const double scale = from_bits((uint64_t)(e.m + 1023) << 52);
        const struct twin s = sum_of(e.high * scale, -1);
        return s.high + (s.low + scale * (e.low + e.high * e.p));
    }
    if (isnan(x))
        return x + x;
    return x > 0 ? mr_exp(x) : -1;
}

/* ---- log ---- */

/* log x = base + log1p(r), base = k ln2 - log c in two doubles, r in two. */
struct log_parts {
    struct twin base, r;
};

/* x positive, finite, not denormal after scaling by the caller. */
static inline struct log_parts log_split(double x, int k)
{
    uint64_t bits = bits_of(x);
    const unsigned j = (unsigned)(bits >> 45) & 127;
    k += (int)(bits >> 52) - 1023 + (j >= 53);
    /* z in [0.707, 1.414) with the exponent of 1 or 1/2 */
    bits = (bits & (UINT64_MAX >> 12)) | (uint64_t)(1023 - (j >= 53)) << 52;
    const double z = from_bits(bits), zh = from_bits(bits & ~(uint64_t)0x7FFFFFF), zl = z - zh;
    const double c = log_table[j].c;
    /* zh has 26 bits, c 9: both products and the difference are exact */
    const struct twin r = sum_of(zh * c - 1, zl * c);
    return (struct log_parts){{k * ln2_high + log_table[j].high, k * ln2_low + log_table[j].low},
                              r};
}

/* Taylor sum of log1p(r) - r + r^2/2, |r| < 2^-7 */
static inline double log1p_tail(double r)
{
    const double r2 = r * r;
    const double a = 1.0 / 3 - r * 0.25, b = 0.2 - r * (1.0 / 6), c = 1.0 / 7 - r * 0.125;
    return r * r2 * ((a + r2 * b) + r2 * r2 * (c + r2 * (1.0 / 9)));
}

/* Special arguments of log; false when x is positive and finite. */
static bool log_special(double x, double *result)
{
    if (x > 0 && x < HUGE_VAL)
        return false;
    *result = x == 0 ? -HUGE_VAL : x > 0 || isnan(x) ? x + x : (double)NAN;
    return true;
}

double mr_log(double x)
{
    double special;
    int k = 0;
    if (log_special(x, &special))
        return special;
    if (x < 0x1p-1022) {
        x *= 0x1p54;
        k = -54;
    }
    const struct log_parts p = log_split(x, k);
    const double r = p.r.high;
    const struct twin s = sum_of(p.base.high, r);
    return s.high + (s.low + (p.r.low + p.base.low) + (log1p_tail(r) - 0.5 * r * r));
}

/* ---- pow ---- */

/* log of a positive, finite x with a relative error near 2^-66 */
static struct twin log_twin(double x)
{
    int k = 0;
    if (x < 0x1p-1022) {
        x *= 0x1p54;
        k = -54;
    }
    const struct log_parts p = log_split(x, k);
    const double r = p.r.high;
    const struct twin square = product_of(r, r);
    const struct twin s1 = sum_of(p.base.high, r), s2 = sum_of(s1.high, -0.5 * square.high);
    const double low = (s1.low + s2.low) + (p.base.low + (p.r.low - r * p.r.low)) +
                       (log1p_tail(r) - 0.5 * square.low);
    return sum_of(s2.high, low);
}

static bool is_integer(double y)
{
    return fabs(y) >= 0x1p52 || (y + 0x1.8p52) - 0x1.8p52 == y;
}

static bool is_odd(double y)
{
    if (!is_integer(y) || fabs(y) >= 0x1p53)
        return false;
    return ((uint64_t)fabs(y) & 1) != 0;
}

/* x and y for which no logarithm is taken: zeros, infinities, NaN, negative x with fractional y. */
static double pow_special(double x, double y)
{
    if (isnan(x) || isnan(y))
        return x + y;
    const bool flips = signbit(x) != 0 && is_odd(y);
    if (isinf(y)) {
        if (fabs(x) == 1)
            return 1;
        return (fabs(x) > 1) == (y > 0) ? HUGE_VAL : 0;
    }
    if (x == 0 || isinf(x)) {
        const double size = (x == 0) == (y > 0) ? 0 : HUGE_VAL;
        return flips ? -size : size;
    }
    return (double)NAN; /* negative x, y not an integer */
}

double mr_pow(double x, double y)
{
    if (y == 0 || x == 1)
        return 1;
    if (x == 0 || !isfinite(x) || !isfinite(y) || (x < 0 && !is_integer(y)))
        return pow_special(x, y);
    const double sign = x < 0 && is_odd(y) ? -1 : 1;
    x = fabs(x);
    if (x == 1)
        return sign;
    if (fabs(y) > 0x1p66) /* |log x| >= 2^-53: out of range on one side */
        return sign * ((x > 1) == (y > 0) ? HUGE_VAL : 0);
    if (fabs(y) < 0x1p-66) /* |y log x| < 2^-56 */
        return sign;
    const struct twin l = log_twin(x), p = product_of(l.high, y);
    const double e = p.high, e_low = p.low + l.low * y;
    if (e > 709.79)
        return sign * HUGE_VAL;
    if (e < -745.2)
        return sign * 0;
    return sign * exp_of(e, e_low);
}
