/* SPDX-License-Identifier: Apache-2.0 */
/* Steps are counted, not added up, and written with twelve digits, so that steps of 0.1 read as
 * such. */
#include "experiments/values.h"

#include "engine/base/mem.h"
#include "engine/base/num.h"

#include <math.h>

struct number {
    double value;
    struct mr_str unit;
};

struct reading {
    struct mr_str text;
    const char *what;
    size_t n_max;
    struct mr_arena *texts;
    const char ***value;
    size_t *n, *cap;
    struct mr_err *err;
};

static mr_status refuse(const struct reading *r, mr_status st, const char *why)
{
    char quoted[MR_QUOTE_CAP];
    return mr_err_set(r->err, st, MR_NOWHERE, "%s \"%s\": %s", r->what,
                      mr_text_quote(r->text, quoted), why);
}

static mr_status add(const struct reading *r, struct mr_str text)
{
    if (*r->n == r->n_max)
        return refuse(r, MR_LIMIT, "too many values");
    MR_TRY(mr_grow(r->value, r->cap, *r->n + 1, sizeof **r->value, r->err));
    const char *own = mr_arena_text(r->texts, text, r->err);
    if (own == NULL)
        return MR_NOMEM;
    (*r->value)[(*r->n)++] = own;
    return MR_OK;
}

/* Up to the separator; the rest stays in `left`. */
static struct mr_str cut(struct mr_str *left, char separator)
{
    const char *at = left->n > 0 ? memchr(left->p, separator, left->n) : NULL;
    const size_t n = at != NULL ? (size_t)(at - left->p) : left->n;
    const struct mr_str part = mr_str_trim((struct mr_str){left->p, n});
    *left = at != NULL ? (struct mr_str){at + 1, left->n - n - 1} : (struct mr_str){left->p + n, 0};
    return part;
}

static bool scan(struct mr_str text, struct number *out)
{
    const size_t n = mr_num_scan_f64(text.p, text.n, &out->value);
    out->unit = mr_str_trim((struct mr_str){text.p + n, text.n - n});
    return n > 0 && isfinite(out->value);
}

static mr_status put_step(const struct reading *r, double value, struct mr_str unit)
{
    char number[MR_NUM_CAP];
    struct mr_buf text = {0};
    mr_num_format_human(value, 12, number);
    mr_buf_printf(&text, "%s%s%.*s", number, unit.n > 0 ? " " : "", (int)unit.n, unit.p);
    mr_status st = mr_buf_check(&text, r->err);
    if (st == MR_OK)
        st = add(r, (struct mr_str){text.text, text.n});
    mr_buf_fini(&text);
    return st;
}

static mr_status read_steps(const struct reading *r)
{
    struct number a, b, step;
    struct mr_str left = r->text;
    const struct mr_str from = cut(&left, ':'), to = cut(&left, ':'), by = cut(&left, ':');
    if (left.n > 0 || !scan(from, &a) || !scan(to, &b) || !scan(by, &step))
        return refuse(r, MR_PARSE, "not FROM:TO:STEP, as in 4:8:2 (nor a list, as in 4,6,8)");
    if (!mr_str_eq(a.unit, b.unit) || !mr_str_eq(a.unit, step.unit))
        return refuse(r, MR_UNIT, "not in the same unit");
    if (!(step.value > 0) || b.value < a.value)
        return refuse(r, MR_RANGE, "leads nowhere: the step is above 0, and FROM not above TO");
    const double n = floor((b.value - a.value) / step.value * (1 + 1e-12) + 1e-9);
    if (n + 1 > (double)(r->n_max - *r->n))
        return refuse(r, MR_LIMIT, "too many values");
    for (size_t i = 0; i <= (size_t)n; i++)
        MR_TRY(put_step(r, a.value + (double)i * step.value, a.unit));
    return MR_OK;
}

mr_status mr_values_read(struct mr_str text, const char *what, size_t n_max, struct mr_arena *texts,
                         const char ***value, size_t *n, size_t *cap, struct mr_err *err)
{
    const struct reading r = {text, what, n_max, texts, value, n, cap, err};
    struct mr_str left = mr_str_trim(text);
    if (left.n > 0 && memchr(left.p, ',', left.n) == NULL && memchr(left.p, ':', left.n) != NULL)
        return read_steps(&r);
    do {
        const bool is_last = left.n == 0 || memchr(left.p, ',', left.n) == NULL;
        const struct mr_str item = cut(&left, ',');
        if (item.n == 0)
            return refuse(&r, MR_PARSE, "an empty value");
        MR_TRY(add(&r, item));
        if (is_last)
            return MR_OK;
    } while (true);
}
