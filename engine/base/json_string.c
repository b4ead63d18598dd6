/* SPDX-License-Identifier: Apache-2.0 */
/* Strings of the JSON reader. The closing quote is found first, eight bytes at a time; most strings
 * are plain ASCII and done by then. The others are walked once more, in order, for UTF-8 and
 * escapes, which are resolved in place: no escape is shorter than what it stands for. */
#include "engine/base/json_impl.h"

/* ---- finding the closing quote ---- */

/* From p to the next quote, backslash or control character. *high gets a bit if a byte >= 0x80 was
 * passed; perhaps also for one among the few bytes after the stop. */
static inline const char *pass_plain(const char *p, uint64_t *high)
{
    for (;;) {
        const uint64_t x = mr_json_load8(p), marks = mr_json_special(x);
        *high |= x & MR_JSON_EACH(0x80);
        if (marks != 0)
            return p + (__builtin_ctzll(marks) >> 3);
        p += 8;
    }
}

/* ---- the second walk ---- */

static bool hex_digit(char c, unsigned *value)
{
    if (c >= '0' && c <= '9')
        *value = (unsigned)(c - '0');
    else if (c >= 'a' && c <= 'f')
        *value = (unsigned)(c - 'a') + 10;
    else if (c >= 'A' && c <= 'F')
        *value = (unsigned)(c - 'A') + 10;
    else
        return false;
    return true;
}

/* \u and four digits at p. @return NULL, or where a digit is missing (never behind the closing
 * quote, which is none) */
static const char *unicode_escape(const char *p, uint32_t *unit)
{
    *unit = 0;
    for (int i = 2; i < 6; i++) {
        unsigned digit;
        if (!hex_digit(p[i], &digit))
            return p + i;
        *unit = *unit << 4 | digit;
    }
    return NULL;
}

struct walk {
    const char *p, *end; /* end: the closing quote, or where the search for it stopped */
    char *out;           /* NULL: only check */
    const char *fault, *expected;
};

static bool fault(struct walk *w, const char *at, const char *expected)
{
    w->fault = at;
    w->expected = expected;
    return false;
}

static void put(struct walk *w, const char *bytes, size_t n)
{
    if (w->out == NULL)
        return;
    memmove(w->out, bytes, n);
    w->out += n;
}

static bool walk_unicode(struct walk *w)
{
    static const char four_digits[] = "four hexadecimal digits after \"\\u\"";
    static const char pair[] = "a surrogate pair (\\uD800-\\uDBFF, then \\uDC00-\\uDFFF)";
    uint32_t unit = 0, low = 0;
    const char *bad = unicode_escape(w->p, &unit);
    if (bad != NULL)
        return fault(w, bad, four_digits);
    const char *const begin = w->p;
    w->p += 6;
    if (unit >= 0xDC00 && unit <= 0xDFFF)
        return fault(w, begin, pair);
    if (unit >= 0xD800 && unit <= 0xDBFF) {
        if (w->p[0] != '\\' || w->p[1] != 'u')
            return fault(w, begin, pair);
        bad = unicode_escape(w->p, &low);
        if (bad != NULL)
            return fault(w, bad, four_digits);
        if (low < 0xDC00 || low > 0xDFFF)
            return fault(w, begin, pair);
        w->p += 6;
        unit = 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
    }
    char utf8[4] = {0};
    const size_t n = mr_utf8_encode(unit, utf8);
    put(w, utf8, n);
    return true;
}

static bool walk_escape(struct walk *w)
{
    static const char escapes[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
    const char c = w->p[1];
    if (c == 'u')
        return walk_unicode(w);
    const char *const found = c != '\0' ? strchr(escapes, c) : NULL;
    if (found == NULL)
        return fault(w, w->p + 1, "one of \"\\/bfnrtu after \"\\\"");
    put(w, &meant[found - escapes], 1);
    w->p += 2;
    return true;
}

/* Check (and resolve) everything up to w->end, in order. */
static bool walk_all(struct walk *w)
{
    while (w->p < w->end) {
        const size_t n_left = (size_t)(w->end - w->p);
        const char *const backslash = memchr(w->p, '\\', n_left);
        const size_t n = backslash != NULL ? (size_t)(backslash - w->p) : n_left;
        const size_t n_valid = mr_utf8_valid_len(w->p, n);
        if (n_valid < n)
            return fault(w, w->p + n_valid, "valid UTF-8");
        put(w, w->p, n);
        w->p += n;
        if (backslash != NULL && !walk_escape(w))
            return false;
    }
    return true;
}

/* ---- the scanner ---- */

enum {
    longest_piece = 12 /* a surrogate pair */
};

/* The string stops at `stop` without a closing quote. A fault before that place is told first,
 * unless it is only that the input was cut inside an escape or a character. */
static mr_status not_closed(struct mr_json *r, const char *stop, struct mr_err *err)
{
    struct walk w = {.p = r->p + 1, .end = stop};
    const bool is_cut = stop == r->end;
    if (!walk_all(&w) && (!is_cut || stop - w.fault > longest_piece))
        return mr_json_window_expected(r, w.fault, w.expected, err);
    if (is_cut)
        return mr_json_window_expected(r, stop, "the closing quote of a string", err);
    return mr_json_window_expected(r, stop, "the closing quote (control characters are escaped)",
                                   err);
}

mr_status mr_json_string_scan(struct mr_json *r, struct mr_str *text, struct mr_err *err)
{
    const char *p = r->p + 1;
    uint64_t high = 0;
    bool has_escape = false;
    for (;;) {
        p = pass_plain(p, &high);
        if (*p == '"')
            break;
        if (*p == '\\' && (unsigned char)p[1] >= 0x20) {
            has_escape = true;
            p += 2;
            continue;
        }
        /* the end of the window, at p or just behind a backslash, or a control character */
        const size_t n_seen = (size_t)(p - r->p);
        const char *const stop = *p == '\\' ? p + 1 : p;
        if (stop < r->end)
            return not_closed(r, stop, err);
        MR_TRY(mr_json_window_fill(r, err));
        if (r->is_input_end)
            return not_closed(r, r->end, err);
        p = r->p + n_seen;
    }
    struct walk w = {.p = r->p + 1, .end = p};
    const struct mr_str plain = {w.p, (size_t)(p - w.p)};
    char *const out = r->window + (w.p - r->window);
    r->p = p + 1;
    if (text != NULL)
        *text = plain;
    if (high == 0 && !has_escape)
        return MR_OK;
    w.out = text != NULL && has_escape && r->hold == NULL ? out : NULL;
    if (!walk_all(&w))
        return mr_json_window_expected(r, w.fault, w.expected, err);
    if (w.out != NULL && text != NULL)
        text->n = (size_t)(w.out - out);
    return MR_OK;
}
