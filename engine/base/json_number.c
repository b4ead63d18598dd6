/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers of the JSON reader: the strict grammar, the decimal value on the way, and what is left to
 * do when more than 19 digits or an exponent stand in the way of an exact integer. */
#include "engine/base/json_impl.h"
#include "engine/base/num.h"

enum {
    digits_max = 19 /* always fit 64 bits */
};

/* An exponent that no text of possible length can bring back into range. */
#define EXPONENT_MAX INT64_C(1000000000000)

/* ---- scanning ---- */

/* Digits at p appended to the value, as long as they fit; the rest is counted. */
static const char *scan_digits(const char *p, struct mr_json_number *x, int64_t *n_dropped)
{
    for (;;) {
        const uint64_t word = mr_json_load8(p) ^ MR_JSON_EACH('0');
        if ((mr_json_not_digits(word)) != 0 || x->digits >= UINT64_C(100000000000))
            break;
        x->digits = x->digits * 100000000 + mr_json_eight_digits(word);
        p += 8;
    }
    for (; mr_char_is_digit(*p); p++) {
        if (x->digits < UINT64_C(1000000000000000000)) { /* fewer than digits_max digits so far */
            x->digits = x->digits * 10 + (uint64_t)(*p - '0');
        } else {
            x->is_exact = false;
            ++*n_dropped;
        }
    }
    return p;
}

/* The exponent at p, which is at 'e'. @return behind it, or NULL with *fault where a digit is
 * missing */
static const char *scan_exponent(const char *p, struct mr_json_number *x, const char **fault)
{
    const bool is_negative = p[1] == '-';
    int64_t exponent = 0; /* saturates */
    p += p[1] == '-' || p[1] == '+' ? 2 : 1;
    if (!mr_char_is_digit(*p)) {
        *fault = p;
        return NULL;
    }
    for (; mr_char_is_digit(*p); p++)
        if (exponent < EXPONENT_MAX)
            exponent = exponent * 10 + (*p - '0');
    x->exponent = is_negative ? -exponent : exponent;
    return p;
}

/* The longest number at p. @return behind it, or NULL with *fault and *expected */
static const char *scan(const char *p, struct mr_json_number *x, const char **fault,
                        const char **expected)
{
    int64_t n_dropped = 0, n_dropped_frac = 0;
    *x = (struct mr_json_number){.is_integer = true, .is_exact = true, .is_negative = *p == '-'};
    p += *p == '-';
    *fault = p;
    *expected = "a digit after \"-\"";
    if (!mr_char_is_digit(*p))
        return NULL;
    *expected = "no digit after a leading zero";
    *fault = p + 1;
    if (p[0] == '0' && mr_char_is_digit(p[1]))
        return NULL;
    p = scan_digits(p, x, &n_dropped);
    x->exp10 = n_dropped;
    if (*p == '.') {
        const char *const begin = ++p;
        *fault = p;
        *expected = "a digit after \".\"";
        if (!mr_char_is_digit(*p))
            return NULL;
        p = scan_digits(p, x, &n_dropped_frac);
        x->exp10 -= (p - begin) - n_dropped_frac;
        x->is_integer = false;
    }
    if (*p == 'e' || *p == 'E') {
        *expected = "a digit in an exponent";
        x->is_integer = false;
        p = scan_exponent(p, x, fault);
        x->exp10 += x->exponent;
    }
    return p;
}

/* The number may go on behind the window, of which it takes the last n_seen bytes: read on. Once it
 * is long, read on to the end of the digits, lest every small piece costs another scan from the
 * start. */
static mr_status read_on(struct mr_json *r, size_t n_seen, struct mr_err *err)
{
    enum {
        long_bytes = 64
    };
    do {
        MR_TRY(mr_json_window_fill(r, err));
        while (mr_char_is_digit(r->p[n_seen]))
            n_seen++;
    } while (n_seen > long_bytes && r->p + n_seen == r->end && !r->is_input_end);
    return MR_OK;
}

mr_status mr_json_number_scan(struct mr_json *r, struct mr_json_number *x, struct mr_err *err)
{
    const char *fault = NULL, *expected = NULL;
    const char *p = scan(r->p, x, &fault, &expected);
    while ((p != NULL ? p : fault) == r->end && !r->is_input_end) {
        MR_TRY(read_on(r, (size_t)(r->end - r->p), err));
        p = scan(r->p, x, &fault, &expected);
    }
    if (p == NULL)
        return mr_json_window_expected(r, fault, expected, err);
    x->text = (struct mr_str){r->p, (size_t)(p - r->p)};
    return MR_OK;
}

/* Up to 20 digits and a byte that surely ends them: all there is of most hashes. */
const char *mr_json_number_long(const char *p, uint64_t *value)
{
    const uint64_t first = mr_json_load8(p) ^ MR_JSON_EACH('0');
    if (mr_json_not_digits(first) != 0 || *p == '0')
        return NULL;
    uint64_t sum = mr_json_eight_digits(first);
    p += 8;
    const uint64_t second = mr_json_load8(p) ^ MR_JSON_EACH('0');
    const uint64_t marks = mr_json_not_digits(second);
    if (marks == 0) {
        sum = sum * 100000000 + mr_json_eight_digits(second);
        p += 8;
    }
    const char *const most = p + (marks == 0 ? 4 : 7);
    for (; mr_char_is_digit(*p) && p < most; p++)
        if (__builtin_mul_overflow(sum, 10, &sum) ||
            __builtin_add_overflow(sum, (uint64_t)(*p - '0'), &sum))
            return NULL;
    *value = sum;
    return *p == ',' || *p == ']' || *p == '}' ? p : NULL;
}

/* ---- values ---- */

double mr_json_number_f64(const struct mr_json_number *x)
{
    enum {
        exp10_far = 1000 /* infinite or zero, whatever 19 digits say */
    };
    double value = 0.0;
    if (!x->is_exact) {
        (void)mr_num_scan_f64(x->text.p, x->text.n, &value);
        return value;
    }
    const int64_t exp10 = x->exp10 > exp10_far    ? exp10_far
                          : x->exp10 < -exp10_far ? -exp10_far
                                                  : x->exp10;
    value = mr_num_from_decimal(x->digits, (int)exp10);
    return x->is_negative ? -value : value;
}

/* *value times 10^power. @return false when that is more than 64 bits */
static bool scale_up(uint64_t *value, int64_t power)
{
    for (; power > 0 && *value != 0; power--)
        if (__builtin_mul_overflow(*value, 10, value))
            return false;
    return true;
}

/* All digits of the text, the zeros at their end left out, make an integer; the exponent and those
 * zeros say by which power of ten to scale it. */
static mr_status any_magnitude(const struct mr_json_number *x, uint64_t *value)
{
    uint64_t sum = 0;
    int64_t n_zero = 0, n_frac = 0;
    bool fits = true, is_frac = false;
    for (size_t i = 0; i < x->text.n; i++) {
        const char c = x->text.p[i];
        if (c == 'e' || c == 'E')
            break;
        if (c == '.')
            is_frac = true;
        if (!mr_char_is_digit(c))
            continue;
        n_frac += is_frac;
        if (c == '0') {
            n_zero++;
            continue;
        }
        fits = fits && scale_up(&sum, n_zero + 1) &&
               !__builtin_add_overflow(sum, (uint64_t)(c - '0'), &sum);
        n_zero = 0;
    }
    const int64_t power = n_zero + x->exponent - n_frac;
    if (sum == 0 && fits)
        *value = 0;
    else if (power < 0)
        return MR_SCHEMA;
    else if (fits && scale_up(&sum, power))
        *value = sum;
    else
        return MR_RANGE;
    return MR_OK;
}

mr_status mr_json_number_magnitude(const struct mr_json_number *x, uint64_t *value)
{
    if (!x->is_integer || !x->is_exact)
        return any_magnitude(x, value);
    *value = x->digits;
    return MR_OK;
}
