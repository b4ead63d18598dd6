/* SPDX-License-Identifier: Apache-2.0 */
/* Recursive descent, evaluated while it is read: formulas are short and are asked for once per run.
 *   sum = product {(+|-) product}; product = unit {(*|/) unit}
 *   unit = number | path | [path] | min(sum, sum) | max(sum, sum) | (sum) | -unit */
#include "postprocess/formula.h"

#include "engine/base/num.h"

#include <math.h>

enum {
    depth_max = 64
};

struct reading {
    const char *text, *p;
    double (*value_of)(const void *context, struct mr_str path);
    const void *context;
    struct mr_err *err;
    int depth;
    bool is_by_zero;
};

static mr_status complain(struct reading *r, const char *what)
{
    return mr_err_set(r->err, MR_PARSE, MR_NOWHERE, "formula \"%s\": %s at character %d", r->text,
                      what, (int)(r->p - r->text) + 1);
}

static char next(struct reading *r)
{
    while (mr_char_is_space(*r->p))
        r->p++;
    return *r->p;
}

static bool take(struct reading *r, char c)
{
    if (next(r) != c)
        return false;
    r->p++;
    return true;
}

static bool is_of_path(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || mr_char_is_digit(c) || c == '_' ||
           c == '.';
}

static mr_status read_sum(struct reading *r, double *value);

// NOLINTNEXTLINE(misc-no-recursion): depth_max bounds it
static mr_status read_pair(struct reading *r, bool is_min, double *value)
{
    double a, b;
    r->p++; /* the parenthesis */
    MR_TRY(read_sum(r, &a));
    if (!take(r, ','))
        return complain(r, "a comma is missing");
    MR_TRY(read_sum(r, &b));
    if (!take(r, ')'))
        return complain(r, "\")\" is missing");
    if (isnan(a) || isnan(b)) /* fmin and fmax would hide it */
        *value = (double)NAN;
    else
        *value = is_min ? fmin(a, b) : fmax(a, b);
    return MR_OK;
}

// NOLINTNEXTLINE(misc-no-recursion): depth_max bounds it
static mr_status read_name(struct reading *r, double *value)
{
    const char *from = r->p;
    while (is_of_path(*r->p))
        r->p++;
    const struct mr_str name = {from, (size_t)(r->p - from)};
    if (name.n == 0)
        return complain(r, *r->p == '\0' ? "it ends too early" : "a number or a path is missing");
    const bool is_min = mr_str_is(name, "min");
    if ((is_min || mr_str_is(name, "max")) && next(r) == '(')
        return read_pair(r, is_min, value);
    *value = r->value_of(r->context, name);
    return MR_OK;
}

// NOLINTNEXTLINE(misc-no-recursion): depth_max bounds it
static mr_status read_plain(struct reading *r, double *value)
{
    const char c = next(r);
    *value = (double)NAN;
    if (take(r, '(')) {
        MR_TRY(read_sum(r, value));
        return take(r, ')') ? MR_OK : complain(r, "\")\" is missing");
    }
    if (c == '[') {
        const char *end = strchr(r->p, ']');
        if (end == NULL)
            return complain(r, "\"]\" is missing");
        *value = r->value_of(r->context, (struct mr_str){r->p + 1, (size_t)(end - r->p) - 1});
        r->p = end + 1;
        return MR_OK;
    }
    if (mr_char_is_digit(c) || c == '.') {
        const size_t n = mr_num_scan_f64(r->p, strlen(r->p), value);
        r->p += n;
        return n > 0 ? MR_OK : complain(r, "a number is missing");
    }
    return read_name(r, value);
}

// NOLINTNEXTLINE(misc-no-recursion): depth_max bounds it
static mr_status read_unit(struct reading *r, double *value)
{
    bool is_minus = false;
    while (take(r, '-'))
        is_minus = !is_minus;
    MR_TRY(read_plain(r, value));
    *value = is_minus ? -*value : *value;
    return MR_OK;
}

// NOLINTNEXTLINE(misc-no-recursion): depth_max bounds it
static mr_status read_product(struct reading *r, double *value)
{
    MR_TRY(read_unit(r, value));
    for (char c = next(r); c == '*' || c == '/'; c = next(r)) {
        double other;
        r->p++;
        MR_TRY(read_unit(r, &other));
        r->is_by_zero = r->is_by_zero || (c == '/' && fpclassify(other) == FP_ZERO);
        *value = c == '*' ? *value * other : *value / other;
    }
    return MR_OK;
}

// NOLINTNEXTLINE(misc-no-recursion): depth_max bounds it
static mr_status read_sum(struct reading *r, double *value)
{
    if (++r->depth > depth_max)
        return complain(r, "too deep");
    MR_TRY(read_product(r, value));
    for (char c = next(r); c == '+' || c == '-'; c = next(r)) {
        double other;
        r->p++;
        MR_TRY(read_product(r, &other));
        *value = c == '+' ? *value + other : *value - other;
    }
    r->depth--;
    return MR_OK;
}

mr_status mr_formula_value(const char *text,
                           double (*value_of)(const void *context, struct mr_str path),
                           const void *context, double *value, const char **why, struct mr_err *err)
{
    struct reading r = {
        .text = text, .p = text, .value_of = value_of, .context = context, .err = err};
    *why = "";
    MR_TRY(read_sum(&r, value));
    if (next(&r) != '\0')
        return complain(&r, "something is left over");
    if (r.is_by_zero || isinf(*value)) { /* 1 / (1 / 0) is no 0 either */
        *why = r.is_by_zero ? "is divided by 0" : "is too large";
        *value = (double)NAN;
    }
    return MR_OK;
}
