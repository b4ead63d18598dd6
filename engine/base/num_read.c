/* SPDX-License-Identifier: Apache-2.0 */
/* Reading numbers. A decimal is w * 10^q with up to 19 digits in w. Three ways, each exact:
 *   1. w < 2^53 and |q| <= 22: w and 10^|q| are doubles, one rounding (Clinger 1990).
 *   2. w * g_q and w * (g_q - 1) bound the value from both sides (num_pow10.py); when both round to
 * the same double, that is it. Digits beyond the 19th widen the upper bound to w + 1.
 *   3. otherwise the decimal and the midpoint between the two candidates are compared as integers.
 * Map: scanning digits - way 2 - way 3 - public functions. */
#include "engine/base/assert.h"
#include "engine/base/num.h"
#include "engine/base/num_impl.h"

#include <math.h>

enum {
    digits_max = 19,  /* 10^19 < 2^64 */
    q_max = 100000,   /* beyond any double, with room for 10^5 more digits */
    big_digits = 800, /* more than any midpoint has (767): the rest is only "greater" */
    big_words = 160   /* 5,120 bits: 800 digits times 2^1100 or 5^1120 */
};

const struct mr_num_pow10 mr_num_pow10[] = {
#include "engine/base/num_pow10.inc"
};

/* ---- scanning ---- */

struct scan {
    uint64_t w;              /* the first 19 significant digits */
    int q;                   /* exponent of w */
    bool negative, has_more; /* digits after the 19th that are not all zero */
    const char *digits;      /* first significant digit, for way 3 */
    size_t n_digits; /* characters from there to the end of the mantissa, a point included */
    size_t n_used;   /* 0: not a number */
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Eight digits at once: the low byte is the first digit. */
static bool eight_digits(const char *p, uint32_t *value)
{
    uint64_t v;
    memcpy(&v, p, 8);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    v = __builtin_bswap64(v);
#endif
    const uint64_t zeros = UINT64_C(0x3030303030303030);
    if ((((v + UINT64_C(0x4646464646464646)) | (v - zeros)) & UINT64_C(0x8080808080808080)) != 0)
        return false;
    v -= zeros;
    v = v * 10 + (v >> 8); /* pairs */
    v = (((v & UINT64_C(0x000000FF000000FF)) * UINT64_C(0x000F424000000064)) +
         (((v >> 16) & UINT64_C(0x000000FF000000FF)) * UINT64_C(0x0000271000000001))) >>
        32;
    *value = (uint32_t)v;
    return true;
}

/* [eE][+-]digits, or nothing. */
static size_t scan_exponent(const char *p, size_t n, int64_t *exponent)
{
    size_t i = 1;
    *exponent = 0;
    if (n < 2 || (p[0] != 'e' && p[0] != 'E'))
        return 0;
    const bool negative = p[1] == '-';
    if (p[1] == '+' || p[1] == '-')
        i++;
    if (i == n || !is_digit(p[i]))
        return 0;
    int64_t e = 0;
    for (; i < n && is_digit(p[i]); i++)
        if (e < INT64_MAX / 100) /* more than any count of digits can make up for */
            e = e * 10 + (p[i] - '0');
    *exponent = negative ? -e : e;
    return i;
}

/* Digits around the point into w; the slow loop for what the fast one leaves. */
static struct scan scan(const char *p, size_t n)
{
    struct scan s = {0};
    size_t i = 0;
    if (n > 0 && (p[0] == '-' || p[0] == '+')) {
        s.negative = p[0] == '-';
        i = 1;
    }
    int n_significant = 0;
    int64_t n_dropped = 0, n_fraction = 0;
    bool has_digit = false, has_point = false;
    for (; i < n; i++) {
        const char c = p[i];
        uint32_t eight;
        if (n_significant <= digits_max - 8 && n - i >= 8 && eight_digits(p + i, &eight) &&
            (n_significant > 0 || c != '0')) {
            if (s.digits == NULL)
                s.digits = p + i;
            s.w = s.w * 100000000u + eight;
            n_significant += 8;
            n_fraction += has_point ? 8 : 0;
            has_digit = true;
            i += 7;
            continue;
        }
        if (c == '.' && !has_point) {
            has_point = true;
            continue;
        }
        if (!is_digit(c))
            break;
        has_digit = true;
        if (n_significant < digits_max) {
            if (c != '0' || n_significant > 0) {
                if (s.digits == NULL)
                    s.digits = p + i;
                n_significant++;
            }
            s.w = s.w * 10 + (uint64_t)(c - '0');
            n_fraction += has_point;
        } else {
            s.has_more |= c != '0';
            n_dropped += !has_point;
        }
    }
    if (!has_digit)
        return s;
    s.n_digits = s.digits != NULL ? (size_t)(p + i - s.digits) : 0;
    int64_t exponent;
    i += scan_exponent(p + i, n - i, &exponent);
    const int64_t q = exponent - n_fraction + n_dropped;
    s.q = (int)(q > q_max ? q_max : q < -q_max ? -q_max : q);
    s.n_used = i;
    return s;
}

/* ---- way 2: bounds ---- */

static double from_bits(uint64_t bits)
{
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* Nearest double of (high:low as 128 bits, and a non-zero rest below when is_inexact) * 2^e2. */
static uint64_t round_bits(mr_u128 m, int e2, bool is_inexact)
{
    if (m == 0)
        return 0;
    const int lead = (uint64_t)(m >> 64) != 0 ? __builtin_clzll((uint64_t)(m >> 64))
                                              : 64 + __builtin_clzll((uint64_t)m);
    // cppcheck-suppress shiftNegative ; the value is not 0, so fewer than 128 zeros lead it
    m <<= lead;
    e2 -= lead;
    int biased = e2 + 127 + 1023; /* of the leading bit */
    int shift = 128 - 53;
    if (biased <= 0) { /* denormal: fewer bits */
        shift += 1 - biased;
        biased = 0;
        if (shift > 128)
            return 0;
    }
    MR_ASSERT(shift > 0);
    const mr_u128 kept = shift == 128 ? 0 : m >> shift;
    const mr_u128 half = (mr_u128)1 << (shift - 1);
    const mr_u128 rest = m & (half | (half - 1));
    uint64_t bits = (uint64_t)kept;
    if (rest > half || (rest == half && (is_inexact || (bits & 1) != 0)))
        bits++;
    /* a carry out of the significand moves into the exponent by itself */
    bits += biased > 0 ? (uint64_t)(biased - 1) << 52 : 0;
    const uint64_t infinity = UINT64_C(0x7FF) << 52;
    return bits < infinity && biased < 2047 ? bits : infinity;
}

/* w * (high:low) as 192 bits, rounded: the 128 leading bits with what is below them as is_inexact.
 */
static uint64_t product_bits(uint64_t w, uint64_t high, uint64_t low, int e2, bool is_above)
{
    const mr_u128 bottom = (mr_u128)w * low;
    const mr_u128 top = (mr_u128)w * high + (uint64_t)(bottom >> 64);
    return round_bits(top, e2 + 64, is_above || (uint64_t)bottom != 0);
}

/* Both bounds of w * 10^q. @return true when they round to one double */
static bool bounded(const struct scan *s, uint64_t *bits)
{
    const struct mr_num_pow10 *g = &mr_num_pow10[s->q - mr_num_pow10_min];
    const int e2 = mr_num_log2_pow10(s->q) - 127;
    const bool is_exact = s->q >= 0 && s->q <= 55;
    const uint64_t w_above = s->w + s->has_more; /* 19 digits: no overflow */
    const uint64_t low = is_exact ? g->low : g->low - 1,
                   high = g->high - (!is_exact && g->low == 0);
    *bits = product_bits(s->w, high, low, e2, !is_exact || s->has_more);
    if (is_exact && !s->has_more)
        return true;
    return *bits == product_bits(w_above, g->high, g->low, e2, false);
}

/* ---- way 3: integers of any size ---- */

struct big {
    uint32_t word[big_words]; /* least first */
    int n;
};

static void big_multiply_add(struct big *b, uint32_t factor, uint32_t add)
{
    uint64_t carry = add;
    for (int i = 0; i < b->n; i++) {
        carry += (uint64_t)b->word[i] * factor;
        b->word[i] = (uint32_t)carry;
        carry >>= 32;
    }
    if (carry > 0) {
        MR_ASSERT(b->n < big_words);
        b->word[b->n++] = (uint32_t)carry;
    }
}

static void big_multiply_pow5(struct big *b, int k)
{
    for (; k >= 13; k -= 13)
        big_multiply_add(b, 1220703125u, 0); /* 5^13 < 2^32 */
    for (; k > 0; k--)
        big_multiply_add(b, 5, 0);
}

static void big_shift(struct big *b, int n_bit)
{
    const int n_word = n_bit / 32, rest = n_bit % 32;
    if (b->n == 0)
        return;
    MR_ASSERT(b->n + n_word < big_words);
    for (int i = b->n - 1; i >= 0; i--)
        b->word[i + n_word] = b->word[i];
    for (int i = 0; i < n_word; i++)
        b->word[i] = 0;
    b->n += n_word;
    if (rest > 0)
        big_multiply_add(b, UINT32_C(1) << rest, 0);
}

static int big_compare(const struct big *a, const struct big *b)
{
    if (a->n != b->n)
        return a->n < b->n ? -1 : 1;
    for (int i = a->n - 1; i >= 0; i--)
        if (a->word[i] != b->word[i])
            return a->word[i] < b->word[i] ? -1 : 1;
    return 0;
}

/* All digits as an integer; *q becomes their exponent. What is beyond big_digits only counts as
 * more. */
static void big_read(struct big *b, const struct scan *s, int *q)
{
    int n = 0;
    bool has_more = false;
    *b = (struct big){.n = 0};
    for (size_t i = 0; i < s->n_digits; i++) {
        if (s->digits[i] == '.')
            continue;
        const uint32_t digit = (uint32_t)(s->digits[i] - '0');
        if (n < big_digits) {
            big_multiply_add(b, 10, digit);
            n++;
        } else {
            has_more |= digit != 0;
        }
    }
    if (has_more) {
        big_multiply_add(b, 10, 1);
        n++;
    }
    *q = n > digits_max ? s->q + digits_max - n : s->q; /* q is that of the first 19 */
}

/* `low` rounds the lower bound; the value lies between it and the next double. Which is nearer? */
static uint64_t decided(const struct scan *s, uint64_t low)
{
    struct big value, middle = {.n = 0};
    int q;
    big_read(&value, s, &q);
    /* midpoint above the double: (2 m + 1) * 2^(e - 1) */
    const int biased = (int)(low >> 52);
    uint64_t m = low & (UINT64_MAX >> 12);
    int e = -1075;
    if (biased > 0) {
        m |= UINT64_C(1) << 52;
        e += biased - 1;
    }
    m = 2 * m + 1;
    middle.word[0] = (uint32_t)m;
    middle.word[1] = (uint32_t)(m >> 32);
    middle.n = middle.word[1] != 0 ? 2 : 1;
    /* value * 10^q against middle * 2^e, both made whole */
    if (q >= 0)
        big_multiply_pow5(&value, q);
    else
        big_multiply_pow5(&middle, -q);
    if (e >= q)
        big_shift(&middle, e - q);
    else
        big_shift(&value, q - e);
    const int order = big_compare(&value, &middle);
    return low + (order > 0 || (order == 0 && (low & 1) != 0));
}

/* ---- public ---- */

static uint64_t magnitude(const struct scan *s)
{
    if (s->w == 0 || s->q < mr_num_pow10_min)
        return 0; /* below 10^19 * 10^-343: less than half the smallest denormal */
    if (s->q > 308)
        return UINT64_C(0x7FF) << 52;
    uint64_t bits;
    if (bounded(s, &bits))
        return bits;
    return decided(s, bits);
}

/* Way 1. @return false when it does not apply */
static bool is_simple(const struct scan *s, double *value)
{
    static const double pow10[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                   1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                   1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    if (s->w > UINT64_C(1) << 53 || s->q < -22 || s->q > 22 || s->has_more)
        return false;
    const double w = (double)s->w;
    const double x = s->q < 0 ? w / pow10[-s->q] : w * pow10[s->q];
    *value = s->negative ? -x : x;
    return true;
}

static double value_of(const struct scan *s)
{
    double value;
    if (is_simple(s, &value))
        return value;
    return from_bits(magnitude(s) | (uint64_t)s->negative << 63);
}

size_t mr_num_scan_f64(const char *p, size_t n, double *value)
{
    const struct scan s = scan(p, n);
    if (s.n_used > 0)
        *value = value_of(&s);
    return s.n_used;
}

/* Nothing but a few digits, as columns of counts are. */
static bool is_count(struct mr_str s, double *value)
{
    uint32_t x = 0;
    if (s.n == 0 || s.n > 9)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        if (!is_digit(s.p[i]))
            return false;
        x = x * 10 + (uint32_t)(s.p[i] - '0');
    }
    *value = x;
    return true;
}

mr_status mr_num_parse_f64(struct mr_str s, double *value)
{
    double x;
    if (is_count(s, value))
        return MR_OK;
    if (s.n == 0 || mr_num_scan_f64(s.p, s.n, &x) != s.n)
        return MR_PARSE;
    if (!isfinite(x))
        return MR_RANGE;
    *value = x;
    return MR_OK;
}

size_t mr_num_scan_decimal(const char *p, size_t n, struct mr_num_decimal *decimal)
{
    const struct scan s = scan(p, n);
    *decimal = (struct mr_num_decimal){s.w, s.q, s.negative, !s.has_more};
    return s.n_used;
}

double mr_num_from_decimal(uint64_t digits, int exp10)
{
    char text[MR_NUM_CAP];
    struct scan s = {.w = digits, .q = exp10};
    double value;
    if (is_simple(&s, &value))
        return value;
    s.digits = text;
    s.n_digits = mr_num_format_u64(digits, text);
    if (s.n_digits > digits_max) { /* way 2 keeps room for w + 1 */
        s.w = digits / 10;
        s.q = exp10 + 1;
        s.has_more = digits % 10 != 0;
    }
    return value_of(&s);
}

mr_status mr_num_parse_u64(struct mr_str s, uint64_t *value)
{
    uint64_t x = 0;
    if (s.n == 0)
        return MR_PARSE;
    for (size_t i = 0; i < s.n; i++)
        if (!is_digit(s.p[i]))
            return MR_PARSE;
    for (size_t i = 0; i < s.n; i++)
        if (__builtin_mul_overflow(x, 10, &x) ||
            __builtin_add_overflow(x, (uint64_t)(s.p[i] - '0'), &x))
            return MR_RANGE;
    *value = x;
    return MR_OK;
}

mr_status mr_num_parse_i64(struct mr_str s, int64_t *value)
{
    uint64_t x;
    const bool negative = s.n > 0 && s.p[0] == '-';
    if (negative) {
        s.p++;
        s.n--;
    }
    MR_TRY(mr_num_parse_u64(s, &x));
    if (x > (uint64_t)INT64_MAX + negative)
        return MR_RANGE;
    *value = negative ? (int64_t)(0 - x) : (int64_t)x;
    return MR_OK;
}
