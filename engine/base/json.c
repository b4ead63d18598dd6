/* SPDX-License-Identifier: Apache-2.0 */
/* Structure of the JSON reader: what may come next, levels, and the calls readers make.
 * One state says where the reader stands; each level remembers the state that follows a value in
 * it. Map: documents and values - short strings and numbers - containers - scalars - tokens -
 * arrays of integers - skipping. Opening, bytes and places are in json_window.c, the rest of
 * strings and numbers in json_string.c and json_number.c. */
#include "engine/base/json.h"

#include "engine/base/assert.h"
#include "engine/base/json_impl.h"
#include "engine/base/mem.h"

#include <float.h>

static const char *const token_texts[] = {
#define TOKEN_ROW(name, text) text,
    MR_JSON_TOKEN_LIST(TOKEN_ROW)
#undef TOKEN_ROW
};

/* ---- documents and values ---- */

static inline mr_status pass_space(struct mr_json *r, struct mr_err *err)
{
    if ((unsigned char)*r->p > ' ')
        return MR_OK;
    if (*r->p == ' ' && (unsigned char)r->p[1] > ' ') {
        r->p++;
        return MR_OK;
    }
    return mr_json_window_space(r, err);
}

static inline void mark_spot(struct mr_json *r)
{
    r->spot.offset = r->base + (uint64_t)(r->p - r->window);
    r->spot.line = r->line;
    r->spot.line_start = r->line_start;
}

static inline void end_value(struct mr_json *r)
{
    r->state = r->level[r->depth].inside;
}

static bool is_at_end(const struct mr_json *r)
{
    return r->p == r->end && r->is_input_end;
}

mr_status mr_json_document(struct mr_json *r, bool *has_more, struct mr_err *err)
{
    *has_more = false;
    if (r->state == MR_JSON_FAILED)
        return mr_json_window_failed(r, err);
    MR_ASSERT(r->depth == 0); /* inside a document */
    if (r->state == MR_JSON_BEFORE_DOCUMENT) {
        MR_TRY(mr_json_window_want(r, 1, err));
        if (r->level[0].n_item > 0 && !is_at_end(r) && !mr_char_is_space(*r->p))
            return mr_json_window_expected(r, r->p, "white space between documents", err);
        MR_TRY(mr_json_window_space(r, err));
        mark_spot(r);
        if (is_at_end(r))
            return MR_OK;
        r->level[0].n_item++;
        r->state = MR_JSON_BEFORE_VALUE;
    }
    *has_more = true;
    return MR_OK;
}

mr_status mr_json_end(struct mr_json *r, struct mr_err *err)
{
    bool has_more;
    MR_TRY(mr_json_document(r, &has_more, err));
    return has_more ? mr_json_window_expected(r, r->p, "the end of the file", err) : MR_OK;
}

static mr_status begin_other(struct mr_json *r, struct mr_err *err)
{
    bool has_more;
    if (r->state == MR_JSON_FAILED)
        return mr_json_window_failed(r, err);
    MR_ASSERT(r->state ==
              MR_JSON_BEFORE_DOCUMENT); /* mr_json_array_more or mr_json_key comes first */
    MR_TRY(mr_json_document(r, &has_more, err));
    return has_more ? MR_OK : mr_json_window_expected(r, r->p, "a value", err);
}

/* Stand at the first byte of the next value. */
static inline mr_status begin_value(struct mr_json *r, struct mr_err *err)
{
    if (r->state != MR_JSON_BEFORE_VALUE)
        MR_TRY(begin_other(r, err));
    MR_TRY(pass_space(r, err));
    mark_spot(r);
    return MR_OK;
}

/* What the byte c begins; MR_JSON_END for a byte that begins no value. */
static enum mr_json_token kind_of(char c)
{
    switch (c) {
    case '{':
        return MR_JSON_BEGIN_OBJECT;
    case '[':
        return MR_JSON_BEGIN_ARRAY;
    case '"':
        return MR_JSON_STRING;
    case 't':
        return MR_JSON_TRUE;
    case 'f':
        return MR_JSON_FALSE;
    case 'n':
        return MR_JSON_NULL;
    default:
        return c == '-' || mr_char_is_digit(c) ? MR_JSON_NUMBER : MR_JSON_END;
    }
}

/* The value at r->p is of another kind than the caller wants, or none at all. */
static mr_status mismatch(struct mr_json *r, const char *wanted, struct mr_err *err)
{
    const enum mr_json_token kind = kind_of(*r->p);
    if (kind == MR_JSON_END)
        return mr_json_window_expected(r, r->p, wanted, err);
    return mr_json_error(r, err, MR_SCHEMA, "expected %s, found %s", wanted, token_texts[kind]);
}

mr_status mr_json_peek(struct mr_json *r, enum mr_json_token *token, struct mr_err *err)
{
    bool has_more = true;
    *token = MR_JSON_END;
    if (r->state == MR_JSON_BEFORE_DOCUMENT)
        MR_TRY(mr_json_document(r, &has_more, err));
    if (!has_more)
        return MR_OK;
    MR_TRY(begin_value(r, err));
    *token = kind_of(*r->p);
    return *token != MR_JSON_END ? MR_OK : mr_json_window_expected(r, r->p, "a value", err);
}

/* ---- short strings and numbers ---- */

/* The string at r->p; most are plain ASCII and end within a few words. */
static inline mr_status read_string(struct mr_json *r, struct mr_str *text, struct mr_err *err)
{
    enum {
        n_word = 3
    };
    const char *const begin = r->p + 1;
    for (int i = 0; i < n_word && r->end - begin >= 8 * n_word; i++) {
        const uint64_t word = mr_json_load8(begin + 8 * i);
        const uint64_t marks = mr_json_special(word) | (word & MR_JSON_EACH(0x80));
        if (marks == 0)
            continue;
        const char *const stop = begin + 8 * i + (__builtin_ctzll(marks) >> 3);
        if (*stop != '"')
            break;
        r->p = stop + 1;
        if (text != NULL)
            *text = (struct mr_str){begin, (size_t)(stop - begin)};
        return MR_OK;
    }
    return mr_json_string_scan(r, text, err);
}

/* Length of the number at p in bits, if it is one to seven digits and a byte that surely ends it;
 * its digits are in *word. 0 otherwise: look closer. */
static inline int short_digits(const char *p, uint64_t *word)
{
    *word = mr_json_load8(p) ^ MR_JSON_EACH('0');
    const uint64_t marks = mr_json_not_digits(*word);
    if (marks == 0)
        return 0;
    const int n_bits = __builtin_ctzll(marks) & ~7;
    const char after = p[n_bits / 8];
    if ((after != ',' && after != ']' && after != '}') || (*p == '0' && n_bits > 8))
        return 0;
    return n_bits;
}

/* ---- containers ---- */

static mr_status push(struct mr_json *r, enum mr_json_state inside, struct mr_err *err)
{
    if (r->depth == mr_json_depth_max)
        return mr_json_window_error(r, r->p, MR_LIMIT, err, "nesting deeper than %d levels",
                                    mr_json_depth_max);
    struct mr_json_level *const level = &r->level[++r->depth];
    level->begin = r->spot;
    level->n_item = 0;
    level->inside = inside;
    level->key_n = 0;
    r->state = inside;
    r->p++;
    return MR_OK;
}

static void pop(struct mr_json *r)
{
    mark_spot(r);
    r->p++;
    r->depth--;
    end_value(r);
}

mr_status mr_json_enter_object(struct mr_json *r, struct mr_err *err)
{
    MR_TRY(begin_value(r, err));
    return *r->p == '{' ? push(r, MR_JSON_IN_OBJECT, err) : mismatch(r, "an object", err);
}

mr_status mr_json_enter_array(struct mr_json *r, struct mr_err *err)
{
    MR_TRY(begin_value(r, err));
    return *r->p == '[' ? push(r, MR_JSON_IN_ARRAY, err) : mismatch(r, "an array", err);
}

mr_status mr_json_array_more(struct mr_json *r, bool *has_more, struct mr_err *err)
{
    *has_more = false;
    if (r->state == MR_JSON_FAILED)
        return mr_json_window_failed(r, err);
    MR_ASSERT(r->state == MR_JSON_IN_ARRAY);
    MR_TRY(pass_space(r, err));
    struct mr_json_level *const level = &r->level[r->depth];
    if (*r->p == ']') {
        pop(r);
        return MR_OK;
    }
    if (level->n_item > 0) {
        if (*r->p != ',')
            return mr_json_window_expected(r, r->p, "\",\" or \"]\" after an array element", err);
        r->p++;
    }
    level->n_item++;
    r->state = MR_JSON_BEFORE_VALUE;
    *has_more = true;
    return MR_OK;
}

/* White space between a key and its colon: the key must survive a move of the window. */
static mr_status pass_space_after(struct mr_json *r, struct mr_str *key, struct mr_err *err)
{
    const uint64_t offset = r->base + (uint64_t)(key->p - r->window);
    const bool is_held = r->hold != NULL;
    if (!is_held)
        r->hold = key->p;
    MR_TRY(mr_json_window_space(r, err));
    if (!is_held)
        r->hold = NULL;
    key->p = r->window + (offset - r->base);
    return MR_OK;
}

/* The key at r->p and its colon. @param[out] key NULL: only check */
static inline mr_status read_key(struct mr_json *r, struct mr_str *key, struct mr_err *err)
{
    struct mr_json_level *const level = &r->level[r->depth];
    struct mr_str text = {r->p, 0};
    if (*r->p != '"')
        return mr_json_window_expected(
            r, r->p, level->n_item == 0 ? "a key or \"}\"" : "a key after \",\"", err);
    mark_spot(r);
    level->n_item++;
    MR_TRY(read_string(r, &text, err));
    memcpy(level->key, text.p, key_shown); /* behind a short key: other bytes of the window */
    level->key_n = text.n < UINT32_MAX ? (unsigned)text.n : UINT32_MAX;
    if (*r->p != ':') {
        MR_TRY(pass_space_after(r, &text, err));
        if (*r->p != ':')
            return mr_json_window_expected(r, r->p, "\":\" after a key", err);
    }
    r->p++;
    r->state = MR_JSON_BEFORE_VALUE;
    *key = text;
    return MR_OK;
}

mr_status mr_json_key(struct mr_json *r, struct mr_str *key, bool *has_more, struct mr_err *err)
{
    *has_more = false;
    if (r->state == MR_JSON_FAILED)
        return mr_json_window_failed(r, err);
    MR_ASSERT(r->state == MR_JSON_IN_OBJECT);
    MR_TRY(pass_space(r, err));
    if (*r->p == '}') {
        pop(r);
        return MR_OK;
    }
    if (r->level[r->depth].n_item > 0) {
        if (*r->p != ',')
            return mr_json_window_expected(r, r->p, "\",\" or \"}\" after an object member", err);
        r->p++;
        MR_TRY(pass_space(r, err));
    }
    MR_TRY(read_key(r, key, err));
    *has_more = true;
    return MR_OK;
}

/* ---- scalars ---- */

static mr_status find_number(struct mr_json *r, const char *wanted, struct mr_json_number *x,
                             struct mr_err *err)
{
    if (*r->p != '-' && !mr_char_is_digit(*r->p))
        return mismatch(r, wanted, err);
    return mr_json_number_scan(r, x, err);
}

static mr_status integer_error(const struct mr_json *r, mr_status st, const char *wanted,
                               struct mr_str text, struct mr_err *err)
{
    char quoted[MR_QUOTE_CAP];
    return mr_json_error(r, err, st, "expected %s, found %s", wanted, mr_text_quote(text, quoted));
}

static mr_status long_u64(struct mr_json *r, uint64_t *value, struct mr_err *err)
{
    struct mr_json_number x = {0};
    uint64_t magnitude = 0;
    const char *const end = mr_json_number_long(r->p, value);
    if (end != NULL) {
        r->p = end;
        return MR_OK;
    }
    MR_TRY(find_number(r, "a number", &x, err));
    mr_status st = mr_json_number_magnitude(&x, &magnitude);
    if (st == MR_SCHEMA)
        return integer_error(r, st, "an integer", x.text, err);
    if (st == MR_OK && x.is_negative && magnitude > 0)
        st = MR_RANGE;
    if (st != MR_OK)
        return integer_error(r, st, "an integer from 0 to 18446744073709551615", x.text, err);
    r->p += x.text.n;
    *value = magnitude;
    return MR_OK;
}

mr_status mr_json_u64(struct mr_json *r, uint64_t *value, struct mr_err *err)
{
    uint64_t word;
    MR_TRY(begin_value(r, err));
    const int n_bits = short_digits(r->p, &word);
    if (n_bits > 0) {
        *value = mr_json_eight_digits(word << (64 - n_bits));
        r->p += n_bits / 8;
    } else {
        MR_TRY(long_u64(r, value, err));
    }
    end_value(r);
    return MR_OK;
}

mr_status mr_json_i64(struct mr_json *r, int64_t *value, struct mr_err *err)
{
    struct mr_json_number x = {0};
    uint64_t magnitude = 0;
    MR_TRY(begin_value(r, err));
    MR_TRY(find_number(r, "a number", &x, err));
    mr_status st = mr_json_number_magnitude(&x, &magnitude);
    if (st == MR_SCHEMA)
        return integer_error(r, st, "an integer", x.text, err);
    if (magnitude > (uint64_t)INT64_MAX + (x.is_negative ? 1 : 0))
        st = MR_RANGE;
    if (st != MR_OK)
        return integer_error(r, st, "an integer from -9223372036854775808 to 9223372036854775807",
                             x.text, err);
    r->p += x.text.n;
    end_value(r);
    /* -1 - (m - 1): -2^63 has no positive counterpart */
    *value = !x.is_negative || magnitude == 0 ? (int64_t)magnitude : -1 - (int64_t)(magnitude - 1);
    return MR_OK;
}

mr_status mr_json_f64(struct mr_json *r, double *value, struct mr_err *err)
{
    struct mr_json_number x = {0};
    MR_TRY(begin_value(r, err));
    MR_TRY(find_number(r, "a number", &x, err));
    const double nearest = mr_json_number_f64(&x);
    if (!(nearest >= -DBL_MAX && nearest <= DBL_MAX))
        return integer_error(r, MR_RANGE, "a number of at most 1.7976931348623157e308", x.text,
                             err);
    r->p += x.text.n;
    end_value(r);
    *value = nearest;
    return MR_OK;
}

mr_status mr_json_decimal(struct mr_json *r, struct mr_json_decimal *value, struct mr_err *err)
{
    struct mr_json_number x = {0};
    MR_TRY(begin_value(r, err));
    MR_TRY(find_number(r, "a number", &x, err));
    *value = (struct mr_json_decimal){x.digits, x.exp10, x.text, x.is_negative, x.is_exact};
    r->text = x.text;
    r->p += x.text.n;
    end_value(r);
    return MR_OK;
}

/* true, false or null at r->p, whose first letter says which. */
static mr_status read_word(struct mr_json *r, struct mr_err *err)
{
    const char *const word = *r->p == 't' ? "true" : *r->p == 'f' ? "false" : "null";
    const size_t n = strlen(word);
    MR_TRY(mr_json_window_want(r, n + 1, err));
    const char after = memcmp(r->p, word, n) == 0 ? r->p[n] : 'x';
    if ((after >= 'a' && after <= 'z') || (after >= 'A' && after <= 'Z') ||
        mr_char_is_digit(after) || after == '_')
        return mr_json_window_expected(r, r->p, "a value", err);
    r->p += n;
    end_value(r);
    return MR_OK;
}

mr_status mr_json_bool(struct mr_json *r, bool *value, struct mr_err *err)
{
    MR_TRY(begin_value(r, err));
    const char c = *r->p;
    if (c != 't' && c != 'f')
        return mismatch(r, "true or false", err);
    MR_TRY(read_word(r, err));
    *value = c == 't';
    return MR_OK;
}

mr_status mr_json_null(struct mr_json *r, bool *is_null, struct mr_err *err)
{
    *is_null = false;
    MR_TRY(begin_value(r, err));
    if (*r->p != 'n')
        return MR_OK;
    MR_TRY(read_word(r, err));
    *is_null = true;
    return MR_OK;
}

mr_status mr_json_str(struct mr_json *r, struct mr_str *value, struct mr_err *err)
{
    MR_TRY(begin_value(r, err));
    if (*r->p != '"')
        return mismatch(r, "a string", err);
    MR_TRY(read_string(r, value, err));
    end_value(r);
    return MR_OK;
}

/* ---- tokens ---- */

const char *mr_json_token_text(enum mr_json_token token)
{
    return token_texts[token];
}

struct mr_str mr_json_text(const struct mr_json *r)
{
    return r->text;
}

static mr_status take_long_number(struct mr_json *r, struct mr_err *err)
{
    struct mr_json_number x = {0};
    MR_TRY(mr_json_number_scan(r, &x, err));
    r->text = x.text;
    r->p += x.text.n;
    return MR_OK;
}

static inline mr_status take_number(struct mr_json *r, struct mr_err *err)
{
    uint64_t word;
    const int n_bits = short_digits(r->p, &word);
    if (n_bits == 0)
        return take_long_number(r, err);
    r->text = (struct mr_str){r->p, (size_t)n_bits / 8};
    r->p += n_bits / 8;
    return MR_OK;
}

/* The value that begins at r->p. Strings are only checked when no text is wanted. */
static inline mr_status take_value(struct mr_json *r, enum mr_json_token *token, bool wants_text,
                                   struct mr_err *err)
{
    *token = kind_of(*r->p);
    switch (*token) {
    case MR_JSON_NUMBER:
        MR_TRY(take_number(r, err));
        break;
    case MR_JSON_STRING:
        MR_TRY(read_string(r, wants_text ? &r->text : NULL, err));
        break;
    case MR_JSON_BEGIN_OBJECT:
        return push(r, MR_JSON_IN_OBJECT, err);
    case MR_JSON_BEGIN_ARRAY:
        return push(r, MR_JSON_IN_ARRAY, err);
    case MR_JSON_TRUE:
    case MR_JSON_FALSE:
    case MR_JSON_NULL:
        return read_word(r, err);
    case MR_JSON_END_OBJECT:
    case MR_JSON_END_ARRAY:
    case MR_JSON_KEY:
    case MR_JSON_END:
    default:
        return mr_json_window_expected(r, r->p, "a value", err);
    }
    end_value(r);
    return MR_OK;
}

mr_status mr_json_next(struct mr_json *r, enum mr_json_token *token, struct mr_err *err)
{
    bool has_more = true;
    if (r->state == MR_JSON_IN_ARRAY) {
        *token = MR_JSON_END_ARRAY;
        MR_TRY(mr_json_array_more(r, &has_more, err));
    } else if (r->state == MR_JSON_IN_OBJECT) {
        MR_TRY(mr_json_key(r, &r->text, &has_more, err));
        *token = has_more ? MR_JSON_KEY : MR_JSON_END_OBJECT;
        return MR_OK;
    } else if (r->state == MR_JSON_BEFORE_DOCUMENT) {
        *token = MR_JSON_END;
        MR_TRY(mr_json_document(r, &has_more, err));
    }
    if (!has_more)
        return MR_OK;
    MR_TRY(begin_value(r, err));
    return take_value(r, token, true, err);
}

/* ---- arrays of integers ---- */

/* From an element on: pass over elements of up to seven digits that are followed by "," or ", ", at
 * most `room` of them, and stand at the element after. @param[out] out NULL: do not keep them
 * @return how many */
static inline size_t integer_run(struct mr_json *r, uint64_t *out, size_t room)
{
    enum {
        longest = 9 /* seven digits, comma, space */
    };
    const char *p = r->p;
    size_t n = 0;
    for (; r->end - p > longest && n < room; n++) {
        const uint64_t word = mr_json_load8(p) ^ MR_JSON_EACH('0');
        const uint64_t marks = mr_json_not_digits(word);
        if (marks == 0)
            break;
        const int n_bits = __builtin_ctzll(marks) & ~7;
        if (p[n_bits / 8] != ',' || n_bits == 0 || (*p == '0' && n_bits > 8))
            break;
        if (out != NULL)
            out[n] = mr_json_eight_digits(word << (64 - n_bits));
        p += n_bits / 8 + 1;
        p += *p == ' ';
    }
    r->p = p;
    r->level[r->depth].n_item += n;
    return n;
}

/* The same for elements of 8 to 20 digits, followed by ",". */
static inline size_t long_run(struct mr_json *r, uint64_t *out, size_t room)
{
    size_t n = 0;
    for (; n < room; n++) {
        const char *const end = mr_json_number_long(r->p, &out[n]);
        if (end == NULL || *end != ',' || (unsigned char)end[1] <= ' ')
            break;
        r->p = end + 1;
    }
    r->level[r->depth].n_item += n;
    return n;
}

mr_status mr_json_u64_array(struct mr_json *r, uint64_t **data, size_t *cap, size_t *n,
                            struct mr_err *err)
{
    bool has_more;
    MR_TRY(mr_json_enter_array(r, err));
    MR_TRY(mr_json_array_more(r, &has_more, err));
    while (has_more) {
        MR_TRY(mr_grow(data, cap, *n + 1, sizeof **data, err));
        MR_TRY(pass_space(r, err));
        *n += integer_run(r, *data + *n, *cap - *n);
        *n += long_run(r, *data + *n, *cap - *n);
        if (*n == *cap)
            continue;
        MR_TRY(mr_json_u64(r, *data + *n, err));
        ++*n;
        MR_TRY(mr_json_array_more(r, &has_more, err));
    }
    return MR_OK;
}

/* ---- skipping ---- */

mr_status mr_json_skip(struct mr_json *r, struct mr_err *err)
{
    enum mr_json_token token;
    struct mr_str key;
    bool has_more = true;
    MR_TRY(begin_value(r, err));
    const struct mr_json_spot spot = r->spot;
    const int depth = r->depth;
    MR_TRY(take_value(r, &token, false, err));
    while (r->depth > depth) {
        if (r->state == MR_JSON_IN_ARRAY)
            MR_TRY(mr_json_array_more(r, &has_more, err));
        else
            MR_TRY(mr_json_key(r, &key, &has_more, err));
        if (!has_more)
            continue;
        MR_TRY(begin_value(r, err));
        if (r->level[r->depth].inside == MR_JSON_IN_ARRAY && mr_char_is_digit(*r->p)) {
            integer_run(r, NULL, SIZE_MAX);
            MR_TRY(begin_value(r, err));
        }
        MR_TRY(take_value(r, &token, false, err));
    }
    r->spot = spot;
    return MR_OK;
}

mr_status mr_json_raw(struct mr_json *r, struct mr_str *text, struct mr_err *err)
{
    MR_TRY(begin_value(r, err));
    r->hold = r->p;
    MR_TRY(mr_json_skip(r, err));
    *text = (struct mr_str){r->hold, (size_t)(r->p - r->hold)};
    r->hold = NULL;
    return MR_OK;
}
