/* SPDX-License-Identifier: Apache-2.0 */
/* Values that all trace formats have. Times are decimal numbers of some power of ten of seconds:
 * they are scaled as such, so that 0.1 ms is the double nearest to 0.0001 s, and what is written is
 * what was read. */
#include "engine/base/mem.h"
#include "engine/base/num.h"
#include "engine/work/trace_impl.h"

#include <math.h>
#include <stdio.h>

mr_status mr_trace_scale(struct mr_str text, int exp10, double *value)
{
    struct mr_num_decimal decimal;
    if (text.n == 0 || mr_num_scan_decimal(text.p, text.n, &decimal) != text.n)
        return MR_PARSE;
    if (!decimal.is_exact || decimal.exp10 > 400 || decimal.exp10 < -400) {
        MR_TRY(mr_num_parse_f64(text, value));
        for (; exp10 < 0; exp10++)
            *value /= 10;
        return MR_OK;
    }
    *value = mr_num_from_decimal(decimal.digits, decimal.exp10 + exp10);
    if (decimal.negative)
        *value = -*value;
    return MR_OK;
}

mr_status mr_trace_judge(struct mr_trace *trace, struct mr_place at, double *value, double nearest,
                         const char *what, struct mr_err *err)
{
    const char *hint = trace->options.bad_hint != NULL ? trace->options.bad_hint : "";
    if (trace->options.bad == MR_TRACE_BAD_ERROR)
        return mr_err_set(err, MR_RANGE, at, "%g %s%s", *value, what, hint);
    trace->is_bad_row |= trace->options.bad == MR_TRACE_BAD_SKIP;
    trace->is_cut_row = true;
    *value = nearest;
    return MR_OK;
}

mr_status mr_trace_tokens(struct mr_trace *trace, struct mr_place at, double number,
                          uint32_t *value, struct mr_err *err)
{
    static const double most = 4e9;
    if (!(number >= 0 && number <= most && number == floor(number)))
        MR_TRY(mr_trace_judge(trace, at, &number, floor(fmin(most, fmax(0, number))),
                              "is not a number of tokens", err));
    *value = (uint32_t)number;
    return MR_OK;
}

mr_status mr_trace_when(struct mr_trace *trace, struct mr_place at, double *time_s,
                        struct mr_err *err)
{
    if (*time_s >= 0 && *time_s <= 1e12)
        return MR_OK;
    return mr_trace_judge(trace, at, time_s, 0, "is not a time", err);
}

bool mr_trace_row_counts(struct mr_trace *trace)
{
    const bool is_in = !trace->is_bad_row;
    trace->counts.bad_row += is_in ? 0 : 1;
    trace->counts.cut_row += is_in && trace->is_cut_row ? 1 : 0;
    trace->is_bad_row = false;
    trace->is_cut_row = false;
    return is_in;
}

mr_status mr_trace_scaled(struct mr_json *json, int exp10, double *value, struct mr_err *err)
{
    struct mr_json_decimal decimal;
    mr_status st = MR_OK;
    MR_TRY(mr_json_decimal(json, &decimal, err));
    if (decimal.is_exact && decimal.exp10 <= 400 && decimal.exp10 >= -400) {
        *value = mr_num_from_decimal(decimal.digits, (int)decimal.exp10 + exp10);
        *value = decimal.is_negative ? -*value : *value;
    } else {
        st = mr_trace_scale(decimal.text, exp10, value);
    }
    char shown[MR_QUOTE_CAP];
    return st == MR_OK ? MR_OK
                       : mr_json_error(json, err, MR_RANGE, "%s is not a number that can be held",
                                       mr_text_quote(decimal.text, shown));
}

mr_status mr_trace_time(struct mr_json *json, int exp10, double *value_s, struct mr_err *err)
{
    MR_TRY(mr_trace_scaled(json, exp10, value_s, err));
    if (*value_s >= 0 && *value_s <= 1e12)
        return MR_OK;
    char shown[MR_QUOTE_CAP];
    return mr_json_error(json, err, MR_RANGE, "%s is not a time",
                         mr_text_quote(mr_json_text(json), shown));
}

mr_status mr_trace_u32(struct mr_json *json, uint32_t *value, struct mr_err *err)
{
    uint64_t wide;
    MR_TRY(mr_json_u64(json, &wide, err));
    if (wide > 4000000000)
        return mr_json_error(json, err, MR_RANGE, "%llu is more than 4e9",
                             (unsigned long long)wide);
    *value = (uint32_t)wide;
    return MR_OK;
}

mr_status mr_trace_i32(struct mr_json *json, int32_t *value, struct mr_err *err)
{
    int64_t wide;
    MR_TRY(mr_json_i64(json, &wide, err));
    if (wide > INT32_MAX || wide < INT32_MIN)
        return mr_json_error(json, err, MR_RANGE, "%lld is not within 32 bits", (long long)wide);
    *value = (int32_t)wide;
    return MR_OK;
}

mr_status mr_trace_strict(struct mr_json *json, uint32_t *value, bool *is_truth, struct mr_err *err)
{
    enum mr_json_token token;
    bool is_true = false;
    MR_TRY(mr_json_peek(json, &token, err));
    *is_truth = token != MR_JSON_NUMBER;
    if (!*is_truth)
        return mr_trace_u32(json, value, err);
    MR_TRY(mr_json_bool(json, &is_true, err));
    *value = is_true;
    return MR_OK;
}

mr_status mr_trace_amount(struct mr_json *json, double *value, struct mr_err *err)
{
    MR_TRY(mr_json_f64(json, value, err));
    if (!(*value >= 0) || *value > 1e15)
        return mr_json_error(json, err, MR_RANGE, "%g is not within 0 to 1e15", *value);
    return MR_OK;
}

mr_status mr_trace_name(struct mr_json *json, struct mr_str *name, struct mr_err *err)
{
    enum mr_json_token token;
    MR_TRY(mr_json_peek(json, &token, err));
    if (token == MR_JSON_NUMBER) {
        MR_TRY(mr_json_next(json, &token, err));
        *name = mr_json_text(json);
        return MR_OK;
    }
    MR_TRY(mr_json_str(json, name, err));
    if (name->n > 0 && memchr(name->p, '\0', name->n) != NULL)
        return mr_json_error(json, err, MR_SCHEMA, "a name with a NUL byte in it");
    return MR_OK;
}

mr_status mr_trace_text(struct mr_json *json, struct mr_session *session, uint32_t *at,
                        struct mr_err *err)
{
    struct mr_str name;
    MR_TRY(mr_trace_name(json, &name, err));
    return mr_session_text_add(session, name, at, err);
}

mr_status mr_trace_choice(struct mr_json *json, const char *const *names, size_t n, uint8_t *i,
                          struct mr_err *err)
{
    char hint[64] = "", shown[MR_QUOTE_CAP];
    struct mr_str text;
    MR_TRY(mr_json_str(json, &text, err));
    const size_t k = mr_json_key_index(text, names, n);
    *i = (uint8_t)k;
    if (k < n)
        return MR_OK;
    mr_text_hint(text, names, n, hint, sizeof hint);
    char known[160] = "";
    size_t at = 0;
    for (size_t j = 0; j < n && at < sizeof known; j++)
        at += (size_t)snprintf(known + at, sizeof known - at, j > 0 ? ", %s" : "%s", names[j]);
    return mr_json_error(json, err, MR_SCHEMA, "\"%s\" is none of those known: %s%s",
                         mr_text_quote(text, shown), known, hint);
}

mr_status mr_trace_runs(struct mr_json *json, struct mr_session_run **data, size_t *cap, size_t *n,
                        struct mr_err *err)
{
    bool has_more = false;
    MR_TRY(mr_json_enter_array(json, err));
    for (;;) {
        struct mr_session_run run = {0};
        MR_TRY(mr_json_array_more(json, &has_more, err));
        if (!has_more)
            return MR_OK;
        MR_TRY(mr_json_enter_array(json, err));
        MR_TRY(mr_json_array_more(json, &has_more, err));
        if (has_more)
            MR_TRY(mr_json_u64(json, &run.id, err));
        if (has_more)
            MR_TRY(mr_json_array_more(json, &has_more, err));
        if (has_more)
            MR_TRY(mr_trace_u32(json, &run.n, err));
        else
            return mr_json_error(json, err, MR_SCHEMA, "a run is [first id, number of blocks]");
        if (run.n > 0 && run.n - 1 > UINT64_MAX - run.id)
            return mr_json_error(json, err, MR_RANGE, "ids end at 2^64 - 1");
        MR_TRY(mr_json_array_more(json, &has_more, err));
        if (has_more)
            return mr_json_error(json, err, MR_SCHEMA, "a run is [first id, number of blocks]");
        MR_TRY(mr_grow(data, cap, *n + 1, sizeof **data, err));
        (*data)[(*n)++] = run;
    }
}

mr_status mr_trace_source_read(struct mr_trace *trace, struct mr_err *err)
{
#define NAME(name, text) text,
    static const char *const names[] = {MR_SESSION_SOURCE_LIST(NAME)};
#undef NAME
    bool has_more = false;
    size_t k;
    MR_TRY(mr_json_enter_object(trace->json, err));
    for (;;) {
        struct mr_str text;
        MR_TRY(mr_trace_key(trace, names, MR_SESSION_SOURCES, &k, &has_more, err));
        if (!has_more)
            return MR_OK;
        MR_TRY(mr_trace_name(trace->json, &text, err));
        MR_TRY(mr_session_book_source(&trace->book, (enum mr_session_source)k, text, err));
    }
}

mr_status mr_trace_unknown_key(struct mr_trace *trace, struct mr_str key, struct mr_err *err)
{
    uint32_t id;
    if (trace->options.is_strict) {
        char shown[MR_QUOTE_CAP];
        return mr_json_error(trace->json, err, MR_SCHEMA, "key \"%s\" is not known",
                             mr_text_quote(key, shown));
    }
    trace->counts.unknown_key++;
    if (trace->unknown.n < 1000 || mr_intern_find(&trace->unknown, key) != MR_INTERN_NONE)
        MR_TRY(mr_intern_add(&trace->unknown, key, &id, err));
    return mr_json_skip(trace->json, err);
}

/* A list and what is remembered of it; NULL: nothing can be. */
static struct mr_trace_order *order_of(struct mr_trace *trace, const char *const *names, size_t n)
{
    struct mr_trace_order *o = trace->recent;
    if (o != NULL && o->names == names)
        return o;
    for (o = trace->order; o < trace->order + mr_trace_orders; o++) {
        if (o->names == NULL && n <= mr_trace_keys_max)
            o->names = names;
        if (o->names == names)
            return trace->recent = o;
    }
    return NULL;
}

/* The first eight bytes of a key, zeros behind a shorter one. */
static inline uint64_t head_of(struct mr_str key)
{
    uint64_t head;
    memcpy(&head, key.p, sizeof head); /* mr_json_key: they may be read */
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    head = __builtin_bswap64(head);
#endif
    return key.n < 8 ? head & ((UINT64_C(1) << (8 * key.n)) - 1) : head;
}

static inline bool is_name(const struct mr_trace_order *order, size_t i, struct mr_str key,
                           uint64_t head)
{
    if (order->n_name[i] != key.n || order->head[i] != head)
        return false;
    for (size_t k = 8; k < key.n; k++)
        if (order->names[i][k] != key.p[k])
            return false;
    return true;
}

/* First the keys that have come next before, a few as what comes next depends on what kind of thing
 * is told; then those that stand next in the list. */
static size_t key_index(struct mr_trace *trace, struct mr_str key, const char *const *names,
                        size_t n)
{
    struct mr_trace_order *order = order_of(trace, names, n);
    if (order == NULL)
        return mr_json_key_index(key, names, n);
    const uint64_t head = head_of(key);
    uint8_t *const guess = order->next[order->last];
    for (int g = 0; g < mr_trace_guesses; g++)
        if (is_name(order, guess[g], key, head))
            return order->last = guess[g];
    size_t i = order->last, k = 0;
    do
        i = i + 1 < n ? i + 1 : 0;
    while (!mr_json_key_is(key, names[i]) && ++k < n);
    if (k == n)
        return n;
    memmove(guess + 1, guess, mr_trace_guesses - 1);
    guess[0] = (uint8_t)i;
    order->n_name[i] = (uint32_t)key.n;
    order->head[i] = head;
    return order->last = (uint8_t)i;
}

mr_status mr_trace_key(struct mr_trace *trace, const char *const *names, size_t n, size_t *i,
                       bool *has_more, struct mr_err *err)
{
    for (;;) {
        struct mr_str key;
        bool is_null = false;
        MR_TRY(mr_json_key(trace->json, &key, has_more, err));
        if (!*has_more)
            return MR_OK;
        *i = key_index(trace, key, names, n);
        if (*i == n) {
            MR_TRY(mr_trace_unknown_key(trace, key, err));
            continue;
        }
        MR_TRY(mr_json_null(trace->json, &is_null, err));
        if (!is_null)
            return MR_OK;
    }
}
