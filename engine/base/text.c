/* SPDX-License-Identifier: Apache-2.0 */
/* Slices, the growing buffer, quoting, edit distance, UTF-8.
 * The edit distance is restricted Damerau-Levenshtein with weights in half steps: a letter's case
 * costs 1, an insertion, deletion, substitution or transposition of neighbors costs 2. */
#include "engine/base/text.h"

#include "engine/base/assert.h"
#include "engine/base/mem.h"

#include <stdio.h>

/* ---- slices ---- */

struct mr_str mr_str_trim(struct mr_str s)
{
    while (s.n > 0 && mr_char_is_space(s.p[0])) {
        s.p++;
        s.n--;
    }
    while (s.n > 0 && mr_char_is_space(s.p[s.n - 1]))
        s.n--;
    return s;
}

void mr_str_copy(struct mr_str s, char *out, size_t cap)
{
    MR_ASSERT(cap > 0);
    const size_t n = s.n < cap ? s.n : cap - 1;
    if (n > 0) /* an empty slice may have no bytes to point to */
        memcpy(out, s.p, n);
    out[n] = '\0';
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool mr_str_eq_nocase(struct mr_str a, struct mr_str b)
{
    if (a.n != b.n)
        return false;
    for (size_t i = 0; i < a.n; i++)
        if (lower(a.p[i]) != lower(b.p[i]))
            return false;
    return true;
}

uint64_t mr_str_hash(struct mr_str s)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < s.n; i++)
        h = (h ^ (unsigned char)s.p[i]) * UINT64_C(0x100000001b3);
    h ^= h >> 32;
    h *= UINT64_C(0xd6e8feb86659fd93);
    return h ^ (h >> 32);
}

/* ---- growing buffer ---- */

static bool reserve(struct mr_buf *buf, size_t n)
{
    if (buf->status != MR_OK)
        return false;
    if (n >= SIZE_MAX - buf->n)
        buf->status = MR_NOMEM;
    else
        buf->status = mr_grow(&buf->text, &buf->cap, buf->n + n + 1, 1, NULL);
    return buf->status == MR_OK;
}

void mr_buf_add(struct mr_buf *buf, const char *bytes, size_t n)
{
    if (!reserve(buf, n))
        return;
    if (n > 0)
        memcpy(buf->text + buf->n, bytes, n);
    buf->n += n;
    buf->text[buf->n] = '\0';
}

void mr_buf_text(struct mr_buf *buf, const char *text)
{
    mr_buf_add(buf, text, strlen(text));
}

void mr_buf_char(struct mr_buf *buf, char c)
{
    mr_buf_add(buf, &c, 1);
}

void mr_buf_printf(struct mr_buf *buf, const char *fmt, ...)
{
    va_list args, again;
    va_start(args, fmt);
    va_copy(again, args);
    const int n = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    if (n < 0)
        buf->status = buf->status != MR_OK ? buf->status : MR_LIMIT;
    else if (reserve(buf, (size_t)n)) {
        vsnprintf(buf->text + buf->n, (size_t)n + 1, fmt, again);
        buf->n += (size_t)n;
    }
    va_end(again);
}

mr_status mr_buf_check(const struct mr_buf *buf, struct mr_err *err)
{
    if (buf->status == MR_OK)
        return MR_OK;
    return mr_err_set(err, buf->status, MR_NOWHERE, "text of more than %zu bytes: %s", buf->n,
                      mr_status_text(buf->status));
}

void mr_buf_clear(struct mr_buf *buf)
{
    buf->n = 0;
    buf->status = MR_OK;
    if (buf->text != NULL)
        buf->text[0] = '\0';
}

void mr_buf_fini(struct mr_buf *buf)
{
    mr_free(buf->text);
    *buf = (struct mr_buf){0};
}

void mr_buf_xml(struct mr_buf *buf, struct mr_str s)
{
    for (size_t i = 0; i < s.n; i++) {
        const unsigned char c = (unsigned char)s.p[i];
        if (c == '&')
            mr_buf_text(buf, "&amp;");
        else if (c == '<')
            mr_buf_text(buf, "&lt;");
        else if (c == '>')
            mr_buf_text(buf, "&gt;");
        else if (c == '"')
            mr_buf_text(buf, "&quot;");
        else if (c == '\t' || c == '\n' || c == '\r')
            mr_buf_printf(buf, "&#%d;", c);
        else if (c < 0x20)
            mr_buf_text(buf, "\xEF\xBF\xBD"); /* XML 1.0 has no way to write it: U+FFFD */
        else
            mr_buf_char(buf, (char)c);
    }
}

/* ---- UTF-8 ---- */

/* Length of the valid sequence that starts at p, or 0. */
static size_t utf8_sequence(const unsigned char *p, size_t n)
{
    if (n == 0)
        return 0;
    if (p[0] < 0x80)
        return 1;
    if (p[0] < 0xC2 || p[0] > 0xF4)
        return 0;
    const size_t len = p[0] < 0xE0 ? 2 : p[0] < 0xF0 ? 3 : 4;
    if (n < len)
        return 0;
    for (size_t i = 1; i < len; i++)
        if ((p[i] & 0xC0) != 0x80)
            return 0;
    /* second byte: no overlong form, no surrogate, nothing above U+10FFFF */
    if ((p[0] == 0xE0 && p[1] < 0xA0) || (p[0] == 0xED && p[1] > 0x9F) ||
        (p[0] == 0xF0 && p[1] < 0x90) || (p[0] == 0xF4 && p[1] > 0x8F))
        return 0;
    return len;
}

size_t mr_utf8_valid_len(const char *p, size_t n)
{
    size_t i = 0;
    while (i < n) {
        uint64_t word;
        if (n - i >= sizeof word) { /* eight ASCII bytes at a time */
            memcpy(&word, p + i, sizeof word);
            if ((word & UINT64_C(0x8080808080808080)) == 0) {
                i += sizeof word;
                continue;
            }
        }
        const size_t len = utf8_sequence((const unsigned char *)p + i, n - i);
        if (len == 0)
            break;
        i += len;
    }
    return i;
}

size_t mr_utf8_encode(uint32_t scalar, char out[4])
{
    if (scalar < 0x80) {
        out[0] = (char)scalar;
        return 1;
    }
    const size_t len = scalar < 0x800 ? 2 : scalar < 0x10000 ? 3 : 4;
    static const unsigned char lead[] = {0, 0, 0xC0, 0xE0, 0xF0};
    for (size_t i = len - 1; i > 0; i--) {
        out[i] = (char)(0x80 | (scalar & 0x3F));
        scalar >>= 6;
    }
    out[0] = (char)(lead[len] | scalar);
    return len;
}

/* ---- messages ---- */

const char *mr_text_quote(struct mr_str s, char out[MR_QUOTE_CAP])
{
    enum {
        shown_max = 60,
        reserve_bytes = 8
    }; /* room for \xNN and "..." */
    size_t n = 0, i = 0;
    while (i < s.n && n < shown_max) {
        const unsigned char c = (unsigned char)s.p[i];
        const size_t len = utf8_sequence((const unsigned char *)s.p + i, s.n - i);
        if (len == 0 || c < 0x20 || c == 0x7F) {
            n += (size_t)snprintf(out + n, MR_QUOTE_CAP - n, "\\x%02X", c);
            i++;
        } else {
            memcpy(out + n, s.p + i, len);
            n += len;
            i += len;
        }
    }
    _Static_assert(shown_max + reserve_bytes + 4 < MR_QUOTE_CAP, "quote buffer too small");
    if (i < s.n) {
        memcpy(out + n, "...", 3);
        n += 3;
    }
    out[n] = '\0';
    return out;
}

enum {
    word_max = 64
};

static int substitution_cost(char a, char b)
{
    return a == b ? 0 : lower(a) == lower(b) ? 1 : 2;
}

static int min2(int a, int b)
{
    return a < b ? a : b;
}

/* Half steps between two words of at most word_max bytes. */
static int edit_distance(struct mr_str a, struct mr_str b)
{
    int row[3][word_max + 1]; /* before last, last, current */
    int *before = row[0], *last = row[1], *now = row[2];
    for (size_t j = 0; j <= b.n; j++)
        last[j] = (int)(2 * j);
    for (size_t i = 1; i <= a.n; i++) {
        now[0] = (int)(2 * i);
        for (size_t j = 1; j <= b.n; j++) {
            int d = last[j - 1] + substitution_cost(a.p[i - 1], b.p[j - 1]);
            d = min2(d, min2(last[j], now[j - 1]) + 2);
            if (i > 1 && j > 1 && lower(a.p[i - 1]) == lower(b.p[j - 2]) &&
                lower(a.p[i - 2]) == lower(b.p[j - 1]))
                d = min2(d, before[j - 2] + 2);
            now[j] = d;
        }
        int *const free_row = before;
        before = last;
        last = now;
        now = free_row;
    }
    return last[b.n];
}

const char *mr_text_nearest(struct mr_str word, const char *const *names, size_t n)
{
    const char *best = NULL;
    int best_d = 0;
    if (word.n == 0 || word.n > word_max)
        return NULL;
    for (size_t i = 0; i < n; i++) {
        const struct mr_str name = mr_str_of(names[i]);
        if (name.n == 0 || name.n > word_max)
            continue;
        const size_t longer = name.n > word.n ? name.n : word.n;
        const int limit = longer < 3 ? 2 : (int)(2 * longer / 3);
        int d = edit_distance(word, name);
        if (d > limit && word.n >= 2 && name.n > word.n && memcmp(name.p, word.p, word.n) == 0)
            d = limit; /* an abbreviation */
        if (d <= limit && d < (int)(2 * longer) && (best == NULL || d < best_d)) {
            best = names[i];
            best_d = d;
        }
    }
    return best;
}

void mr_buf_wrap(struct mr_buf *out, const char *words, size_t column, size_t indent, size_t width)
{
    bool is_first = true;
    for (const char *word = words; word != NULL && *word != '\0';) {
        const size_t n = strcspn(word, " ");
        if (!is_first && column + 1 + n > width) {
            mr_buf_printf(out, "\n%*s", (int)indent, "");
            column = indent;
        } else if (!is_first) {
            mr_buf_char(out, ' ');
            column++;
        }
        mr_buf_add(out, word, n);
        column += n;
        word += n + strspn(word + n, " ");
        is_first = false;
    }
}

void mr_text_hint(struct mr_str word, const char *const *names, size_t n, char *out, size_t cap)
{
    const char *nearest = mr_text_nearest(word, names, n);
    if (cap == 0)
        return;
    if (nearest == NULL)
        out[0] = '\0';
    else
        snprintf(out, cap, " (did you mean \"%s\"?)", nearest);
}
