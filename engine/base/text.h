/* SPDX-License-Identifier: Apache-2.0 */
/* Text: lent slices, a growing buffer, quoting of hostile input for messages, nearest-name hints
 * and a UTF-8 check. Locale-free: only ASCII letters have a case here. */
#ifndef MR_ENGINE_BASE_TEXT_H
#define MR_ENGINE_BASE_TEXT_H

#include "engine/base/status.h"

#include <stdint.h>
#include <string.h>

/* A lent run of bytes; not terminated. */
struct mr_str {
    const char *p;
    size_t n;
};

#define MR_STR(literal) ((struct mr_str){(literal), sizeof(literal) - 1})

static inline struct mr_str mr_str_of(const char *text)
{
    return (struct mr_str){text, strlen(text)};
}

static inline bool mr_str_eq(struct mr_str a, struct mr_str b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline bool mr_str_is(struct mr_str a, const char *text)
{
    return mr_str_eq(a, mr_str_of(text));
}

static inline bool mr_char_is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static inline bool mr_char_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/** The slice without ASCII white space at both ends. */
struct mr_str mr_str_trim(struct mr_str s);

/** Equal but for the case of ASCII letters. */
bool mr_str_eq_nocase(struct mr_str a, struct mr_str b);

/** A terminated copy, cut where it is longer than cap - 1. @param[in] cap at least 1 */
void mr_str_copy(struct mr_str s, char *out, size_t cap);

/** 64-bit hash (FNV-1a with a final mix), the same on every machine. For look-up tables only: no
 *  result may depend on the order a table happens to have. */
uint64_t mr_str_hash(struct mr_str s);

/* ---- growing buffer; text is always terminated once anything was added ---- */

struct mr_buf {
    char *text; /* NULL while empty */
    size_t n, cap;
    mr_status status; /* sticky: after a failure every add is a no-op */
};

/* Adds never fail loudly: write a whole document, then look at `status` once (or mr_buf_check). */
void mr_buf_add(struct mr_buf *buf, const char *bytes, size_t n);
void mr_buf_text(struct mr_buf *buf, const char *text);
void mr_buf_char(struct mr_buf *buf, char c);
void mr_buf_printf(struct mr_buf *buf, const char *fmt, ...) MR_PRINTF(2, 3);

/** @return MR_OK, or MR_NOMEM with the error filled. */
MR_CHECKED mr_status mr_buf_check(const struct mr_buf *buf, struct mr_err *err);

/** Forget the text, keep the memory. */
void mr_buf_clear(struct mr_buf *buf);
void mr_buf_fini(struct mr_buf *buf);

/** Text for XML content and double-quoted attributes: & < > " and control characters escaped. */
void mr_buf_xml(struct mr_buf *buf, struct mr_str s);

/* ---- messages ---- */

#define MR_QUOTE_CAP 96

/** Input as it may stand inside a message: at most 60 bytes, control characters and bytes that are
 *  not UTF-8 as \xNN, "..." where it was cut. No quotes added.
 *  @param[out] out at least MR_QUOTE_CAP bytes @return out */
const char *mr_text_quote(struct mr_str s, char out[MR_QUOTE_CAP]);

/** Add words, broken before they would pass a column; a word longer than a line stands alone.
 *  @param[in] column where the first word begins @param[in] indent where later lines begin */
void mr_buf_wrap(struct mr_buf *out, const char *words, size_t column, size_t indent, size_t width);

/** The name nearest to `word` by edit distance (case and transposition count half and one), or NULL
 *  when none is near enough to be meant: distance at most a third of the longer length, or an
 *  abbreviation.
 *  @param[in] names n names; ties go to the first */
const char *mr_text_nearest(struct mr_str word, const char *const *names, size_t n);

/** Append ` (did you mean "NAME"?)` for the nearest of the names, or nothing. */
void mr_text_hint(struct mr_str word, const char *const *names, size_t n, char *out, size_t cap);

/** Length of the longest valid UTF-8 prefix (RFC 3629: no surrogates, no overlong forms). */
size_t mr_utf8_valid_len(const char *p, size_t n);

/** Encode one scalar value. @param[out] out up to 4 bytes @return bytes written */
size_t mr_utf8_encode(uint32_t scalar, char out[4]);

#endif
