/* SPDX-License-Identifier: Apache-2.0 */
/* SimGrid's spellings: a table of units, a decimal scaled exactly by powers of ten before its one
 * rounding, then by a power of two (exact) or by minutes to weeks. */
#include "platforms/sgunit.h"

#include "engine/base/assert.h"
#include "engine/base/num.h"

#include <math.h>

struct unit {
    enum mr_quantity q;
    const char *text;
    int exp10, exp2;
    double times;
};

// clang-format off
#define UNIT(q_, text_, exp10_, exp2_, times_) \
    {.q = (q_), .text = (text_), .exp10 = (exp10_), .exp2 = (exp2_), .times = (times_)}
#define RATE(prefix, ibi, e, e2)                       \
    UNIT(MR_Q_DATA_RATE, prefix "Bps", e, 0, 1),       \
    UNIT(MR_Q_DATA_RATE, prefix "bps", e, -3, 1),     \
    UNIT(MR_Q_DATA_RATE, ibi "Bps", 0, e2, 1),        \
    UNIT(MR_Q_DATA_RATE, ibi "bps", 0, (e2) - 3, 1)
#define SPEED(prefix, word, e)                               \
    UNIT(MR_Q_FLOP_RATE, prefix "f", e, 0, 1),    \
    UNIT(MR_Q_FLOP_RATE, word "flops", e, 0, 1)

/* the first of a quantity is its base unit; 8 bits are a byte */
static const struct unit units[] = {
    UNIT(MR_Q_DATA_RATE, "Bps", 0, 0, 1),
    UNIT(MR_Q_DATA_RATE, "bps", 0, -3, 1),
    RATE("k", "Ki", 3, 10), RATE("M", "Mi", 6, 20), RATE("G", "Gi", 9, 30), RATE("T", "Ti", 12, 40),
    RATE("P", "Pi", 15, 50), RATE("E", "Ei", 18, 60),
    UNIT(MR_Q_TIME, "s", 0, 0, 1),
    UNIT(MR_Q_TIME, "ms", -3, 0, 1),
    UNIT(MR_Q_TIME, "us", -6, 0, 1),
    UNIT(MR_Q_TIME, "ns", -9, 0, 1),
    UNIT(MR_Q_TIME, "ps", -12, 0, 1),
    UNIT(MR_Q_TIME, "m", 0, 0, 60),
    UNIT(MR_Q_TIME, "h", 0, 0, 3600),
    UNIT(MR_Q_TIME, "d", 0, 0, 86400),
    UNIT(MR_Q_TIME, "w", 0, 0, 604800),
    UNIT(MR_Q_FLOP_RATE, "f", 0, 0, 1),
    UNIT(MR_Q_FLOP_RATE, "flops", 0, 0, 1),
    SPEED("k", "kilo", 3), SPEED("M", "mega", 6), SPEED("G", "giga", 9), SPEED("T", "tera", 12),
    SPEED("P", "peta", 15), SPEED("E", "exa", 18), SPEED("Z", "zetta", 21), SPEED("Y", "yotta", 24),
};
// clang-format on

enum {
    n_unit = sizeof units / sizeof *units
};

static const struct unit *find(enum mr_quantity q, struct mr_str text)
{
    for (size_t i = 0; i < n_unit; i++)
        if (units[i].q == q && (text.n == 0 || mr_str_is(text, units[i].text)))
            return &units[i];
    return NULL;
}

static mr_status unknown(struct mr_str text, enum mr_quantity q, const char *subject,
                         struct mr_place at, struct mr_err *err)
{
    const struct mr_str name = mr_str_trim(text);
    const char *names[n_unit];
    char quoted[MR_QUOTE_CAP], hint[96];
    size_t n = 0;
    if (name.n < text.n && find(q, name) != NULL)
        return mr_err_set(err, MR_UNIT, at, "%s: SimGrid allows no space around the unit \"%s\"",
                          subject, mr_text_quote(name, quoted));
    for (size_t i = 0; i < n_unit; i++)
        if (units[i].q == q)
            names[n++] = units[i].text;
    mr_text_hint(name, names, n, hint, sizeof hint);
    return mr_err_set(err, MR_UNIT, at, "%s: unknown unit \"%s\"%s", subject,
                      mr_text_quote(name, quoted), hint);
}

mr_status mr_sgunit_parse(struct mr_str text, enum mr_quantity q, const char *subject,
                          struct mr_place at, double *value, bool *has_unit, struct mr_err *err)
{
    struct mr_num_decimal decimal;
    const size_t n = mr_num_scan_decimal(text.p, text.n, &decimal);
    if (n == 0)
        return mr_err_set(err, MR_PARSE, at, "%s: not a number", subject);
    const struct mr_str rest = {text.p + n, text.n - n};
    const struct unit *unit = find(q, rest);
    if (unit == NULL)
        return unknown(rest, q, subject, at, err);
    double x = mr_num_from_decimal(decimal.digits, decimal.exp10 + unit->exp10);
    if (!decimal.is_exact) { /* more than 19 digits: the nearest double first, as SimGrid does */
        (void)mr_num_scan_f64(text.p, n, &x);
        x = fabs(x);
        for (int e = 0; e < unit->exp10; e++)
            x *= 10;
        for (int e = 0; e > unit->exp10; e--)
            x /= 10;
    }
    x = ldexp(x, unit->exp2) * unit->times;
    if (isinf(x))
        return mr_err_set(err, MR_RANGE, at, "%s: too large", subject);
    *value = decimal.negative ? -x : x;
    *has_unit = rest.n > 0;
    return MR_OK;
}

size_t mr_sgunit_format(double value, enum mr_quantity q, char out[MR_UNIT_CAP])
{
    /* "14.4 TB/s": number, blank, prefix, base unit; only the base unit and the blank differ */
    char text[MR_UNIT_CAP];
    MR_ASSERT(isfinite(value));
    const size_t n = mr_unit_format(value, q, text);
    const size_t n_base = strlen(mr_unit_quantity_base(q));
    const struct unit *unit = find(q, (struct mr_str){NULL, 0});
    const char *blank = memchr(text, ' ', n);
    MR_ASSERT(unit != NULL && blank != NULL);
    const size_t n_number = (size_t)(blank - text), n_prefix = n - n_base - n_number - 1;
    const size_t n_text = n_number + n_prefix + strlen(unit->text);
    memcpy(out, text, n_number);
    memcpy(out + n_number, blank + 1, n_prefix);
    memcpy(out + n_number + n_prefix, unit->text, strlen(unit->text) + 1);
    if (find(q, (struct mr_str){out + n_number, n_text - n_number}) != NULL)
        return n_text;
    /* a prefix that SimGrid does not know */
    const size_t n_plain = mr_num_format_f64(value, out);
    memcpy(out + n_plain, unit->text, strlen(unit->text) + 1);
    return n_plain + strlen(unit->text);
}
