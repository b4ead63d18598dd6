/* SPDX-License-Identifier: Apache-2.0 */
/* Writing numbers. The shortest decimal inside a double's rounding interval, by Giulietti's
 * Schubfach: scale the interval by one power of ten so that it is between 2 and 20 wide in units of
 * the last digit, with products rounded to odd so that comparisons with the exact bounds stay
 * right; then at most one multiple of ten, else the nearer of two neighbors, lies inside. */
#include "engine/base/num.h"
#include "engine/base/num_impl.h"

#include <math.h>
#include <stdio.h>

struct decimal {
    uint64_t digits;
    int exp10;
};

/* High 64 bits of (g * cp) / 2^128, the lowest bit set when anything was cut off. */
static uint64_t product_to_odd(const struct mr_num_pow10 *g, uint64_t cp)
{
    const uint64_t carry = (uint64_t)(((mr_u128)g->low * cp) >> 64);
    const mr_u128 y = (mr_u128)g->high * cp + carry;
    return (uint64_t)(y >> 64) | ((uint64_t)y > 1);
}

/* floor(log10(2^q)), or of 3/4 * 2^q when the lower neighbor is closer. Exact for |q| < 1500. */
static int floor_log10(int q, bool is_three_quarters)
{
    return (q * 1262611 - (is_three_quarters ? 524031 : 0)) >> 22;
}

static struct decimal shortest(uint64_t fraction, int biased)
{
    const uint64_t c = biased > 0 ? fraction | UINT64_C(1) << 52 : fraction;
    const int q = (biased > 0 ? biased : 1) - 1075;
    const bool is_closer_below = fraction == 0 && biased > 1;
    const uint64_t is_open = c & 1; /* odd: the bounds themselves round elsewhere */
    const int k = floor_log10(q, is_closer_below);
    const int h = q + mr_num_log2_pow10(-k) + 1;
    const struct mr_num_pow10 *g = &mr_num_pow10[-k - mr_num_pow10_min];
    const uint64_t low = product_to_odd(g, (4 * c - 2 + is_closer_below) << h) + is_open;
    const uint64_t middle = product_to_odd(g, (4 * c) << h);
    const uint64_t high = product_to_odd(g, (4 * c + 2) << h) - is_open;
    const uint64_t s = middle / 4;
    if (s >= 10) {
        const uint64_t tens = s / 10;
        const bool below = low <= 40 * tens, above = 40 * tens + 40 <= high;
        if (below != above)
            return (struct decimal){tens + above, k + 1};
    }
    const bool below = low <= 4 * s, above = 4 * s + 4 <= high;
    if (below != above)
        return (struct decimal){s + above, k};
    const bool up = middle > 4 * s + 2 || (middle == 4 * s + 2 && (s & 1) != 0);
    return (struct decimal){s + up, k};
}

/* @return number of digits */
static size_t write_digits(uint64_t value, char *out)
{
    char text[20] = {(char)('0' + value % 10)};
    size_t n = 1;
    for (value /= 10; value > 0; value /= 10)
        text[n++] = (char)('0' + value % 10);
    for (size_t i = 0; i < n; i++)
        out[i] = text[n - 1 - i];
    return n;
}

static size_t write_exponent(int exponent, char *out)
{
    char digits[20];
    size_t n = 0;
    out[n++] = 'e';
    if (exponent < 0)
        out[n++] = '-';
    const size_t n_digit = write_digits((uint64_t)(exponent < 0 ? -exponent : exponent), digits);
    memcpy(out + n, digits, n_digit);
    return n + n_digit;
}

/* Digits with their point `n_int` places from the left (may be outside), or with an exponent. */
static size_t layout(const char *digits, size_t n, int n_int, bool is_plain, char *out)
{
    size_t m = 0;
    if (!is_plain) {
        out[m++] = digits[0];
        if (n > 1) {
            out[m++] = '.';
            memcpy(out + m, digits + 1, n - 1);
            m += n - 1;
        }
        return m + write_exponent(n_int - 1, out + m);
    }
    if (n_int <= 0) {
        out[m++] = '0';
        out[m++] = '.';
        for (int i = n_int; i < 0; i++)
            out[m++] = '0';
        memcpy(out + m, digits, n);
        return m + n;
    }
    for (size_t i = 0; i < n || i < (size_t)n_int; i++) {
        if (i == (size_t)n_int)
            out[m++] = '.';
        out[m++] = i < n ? digits[i] : '0';
    }
    return m;
}

static size_t write_text(const char *text, char out[MR_NUM_CAP])
{
    const size_t n = strlen(text);
    memcpy(out, text, n + 1);
    return n;
}

size_t mr_num_format_f64(double value, char out[MR_NUM_CAP])
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    const uint64_t fraction = bits & (UINT64_MAX >> 12);
    const int biased = (int)(bits >> 52 & 0x7FF);
    const bool negative = bits >> 63 != 0;
    if (biased == 0x7FF)
        return write_text(fraction != 0 ? "nan" : negative ? "-inf" : "inf", out);
    size_t m = 0;
    if (negative)
        out[m++] = '-';
    if ((bits << 1) == 0) {
        out[m++] = '0';
        out[m] = '\0';
        return m;
    }
    char digits[20] = {0};
    const struct decimal d = shortest(fraction, biased);
    size_t n = write_digits(d.digits, digits);
    const int n_int = (int)n + d.exp10;
    while (n > 1 && digits[n - 1] == '0')
        n--;
    const double size = negative ? -value : value;
    m += layout(digits, n, n_int, size >= 1e-5 && size < 1e17, out + m);
    out[m] = '\0';
    return m;
}

size_t mr_num_format_human(double value, int digits, char out[MR_NUM_CAP])
{
    enum {
        digits_max = 17
    };
    char text[MR_NUM_CAP], plain[20] = {0};
    if (!isfinite(value) || value == 0)
        return mr_num_format_f64(value == 0 ? 0 : value, out);
    digits = digits < 1 ? 1 : digits > digits_max ? digits_max : digits;
    /* "d.ddde+x" is correctly rounded by printf in the C locale, which nobody ever leaves */
    snprintf(text, sizeof text, "%.*e", digits - 1, value);
    size_t n = 0, m = 0, i = 0;
    if (text[0] == '-') {
        out[m++] = '-';
        i++;
    }
    for (; text[i] != 'e'; i++)
        if (text[i] != '.')
            plain[n++] = text[i];
    const bool is_small = text[i + 1] == '-';
    int exponent = 0;
    for (i += 2; text[i] != '\0'; i++)
        exponent = exponent * 10 + (text[i] - '0');
    exponent = is_small ? -exponent : exponent;
    while (n > 1 && plain[n - 1] == '0')
        n--;
    m += layout(plain, n, exponent + 1, exponent >= -4 && exponent < 7, out + m);
    out[m] = '\0';
    return m;
}

size_t mr_num_format_u64(uint64_t value, char out[MR_NUM_CAP])
{
    const size_t n = write_digits(value, out);
    out[n] = '\0';
    return n;
}

size_t mr_num_format_i64(int64_t value, char out[MR_NUM_CAP])
{
    if (value >= 0)
        return mr_num_format_u64((uint64_t)value, out);
    out[0] = '-';
    const size_t n = 1 + write_digits(0 - (uint64_t)value, out + 1);
    out[n] = '\0';
    return n;
}
