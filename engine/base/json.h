/* SPDX-License-Identifier: Apache-2.0 */
/* Streaming JSON reader (RFC 8259, strict): a pull tokenizer over a sliding window. Memory stays at
 * the window whatever the file's size; the window grows only when one string or number, or a value
 * asked for as raw text, does not fit. A stream is a sequence of documents separated by white
 * space: one document or JSON Lines, plain or gzip. A reader either takes tokens (mr_json_next) or
 * says what it expects (mr_json_enter_object, mr_json_key, mr_json_u64, ...); both may be mixed.
 * One reader belongs to one thread.
 *
 *     for (;;) {
 *         MR_TRY(mr_json_document(r, &has_more, err));
 *         if (!has_more)
 *             break;
 *         MR_TRY(mr_json_enter_object(r, err));
 *         for (;;) {
 *             MR_TRY(mr_json_key(r, &key, &has_more, err));
 *             if (!has_more)
 *                 break;
 *             if (mr_str_is(key, "in"))
 *                 MR_TRY(mr_json_u64(r, &in, err));
 *             else
 *                 MR_TRY(mr_json_skip(r, err));
 *         }
 *     }
 *
 * Errors carry file:line:column (columns count bytes from 1), what was found and what was expected.
 * MR_SCHEMA and MR_RANGE say that a value is not what the caller wanted: it is still the next one,
 * and mr_json_skip passes over it. Every other error ends the reading; it is told again by every
 * call until mr_json_skip_line. A call that does not fit where the reader stands is asserted. */
#ifndef MR_ENGINE_BASE_JSON_H
#define MR_ENGINE_BASE_JSON_H

#include "engine/base/gz.h"
#include "engine/base/text.h"

enum {
    mr_json_depth_max = 64,
    mr_json_path_cap = 200
};

/* name, how a message calls it */
#define MR_JSON_TOKEN_LIST(X)    \
    X(BEGIN_OBJECT, "an object") \
    X(END_OBJECT, "\"}\"")       \
    X(BEGIN_ARRAY, "an array")   \
    X(END_ARRAY, "\"]\"")        \
    X(KEY, "a key")              \
    X(STRING, "a string")        \
    X(NUMBER, "a number")        \
    X(TRUE, "true")              \
    X(FALSE, "false")            \
    X(NULL, "null")              \
    X(END, "the end of the file")

enum mr_json_token {
#define MR_JSON_TOKEN_ENUM(name, text) MR_JSON_##name,
    MR_JSON_TOKEN_LIST(MR_JSON_TOKEN_ENUM)
#undef MR_JSON_TOKEN_ENUM
};

struct mr_json; /* one reader */

/* Zero means the default. */
struct mr_json_options {
    size_t window_bytes;     /* 256 KiB */
    size_t window_max_bytes; /* 64 MiB: the longest string, number or raw value */
    size_t read_bytes;       /* most bytes asked of the source at once; unlimited */
    /* A document must end on the line it begins on. Then a cut record is reported on its own line,
     * and mr_json_skip_line continues with exactly the next record. */
    bool is_lines;
};

/* ---- opening ---- */

/** @param[in] options NULL: defaults @param[out] out owned by the caller: mr_json_close */
MR_CHECKED mr_status mr_json_open(const char *path, const struct mr_json_options *options,
                                  struct mr_json **out, struct mr_err *err);

/** Read from memory that outlives the reader. @param[in] name used in messages, copied */
MR_CHECKED mr_status mr_json_open_memory(const void *bytes, size_t n, const char *name,
                                         const struct mr_json_options *options,
                                         struct mr_json **out, struct mr_err *err);

/** Read from an open stream, which belongs to the reader from here on, also after an error. */
MR_CHECKED mr_status mr_json_create(struct mr_gz *take_gz, const struct mr_json_options *options,
                                    struct mr_json **out, struct mr_err *err);

void mr_json_close(struct mr_json *r); /* NULL is fine */

/** The stream it reads. Lent; what is read from it the reader does not see. */
struct mr_gz *mr_json_stream(const struct mr_json *r);

/* ---- tokens ---- */

/** The next token; commas and colons are checked and passed over. MR_JSON_END at the end. */
MR_CHECKED mr_status mr_json_next(struct mr_json *r, enum mr_json_token *token, struct mr_err *err);

/** After MR_JSON_KEY and MR_JSON_STRING the text without escapes, after MR_JSON_NUMBER the digits
 * as they stand. Valid until the next call. */
struct mr_str mr_json_text(const struct mr_json *r);

/** What the next value will be, judged by its first byte, where a value may stand; or MR_JSON_END.
 */
MR_CHECKED mr_status mr_json_peek(struct mr_json *r, enum mr_json_token *token, struct mr_err *err);

/* ---- structure ---- */

/** Go to the next document. @param[out] has_more false at the end of the stream */
MR_CHECKED mr_status mr_json_document(struct mr_json *r, bool *has_more, struct mr_err *err);

/** Nothing but white space may follow: for files that hold one document. */
MR_CHECKED mr_status mr_json_end(struct mr_json *r, struct mr_err *err);

MR_CHECKED mr_status mr_json_enter_object(struct mr_json *r, struct mr_err *err);

/** Go to the next member of the object, whose value the caller reads or skips.
 *  @param[out] key valid until the next call; eight bytes from its start may be read whatever its
 *  length @param[out] has_more false: the object is left */
MR_CHECKED mr_status mr_json_key(struct mr_json *r, struct mr_str *key, bool *has_more,
                                 struct mr_err *err);

MR_CHECKED mr_status mr_json_enter_array(struct mr_json *r, struct mr_err *err);

/** Go to the next element, which the caller reads or skips. @param[out] has_more false: the array
 * is left */
MR_CHECKED mr_status mr_json_array_more(struct mr_json *r, bool *has_more, struct mr_err *err);

/* ---- values ---- */

/** Integers are exact over their whole range; 1e3 and 2.0 are integers, 0.5 is not (MR_SCHEMA). */
MR_CHECKED mr_status mr_json_u64(struct mr_json *r, uint64_t *value, struct mr_err *err);
MR_CHECKED mr_status mr_json_i64(struct mr_json *r, int64_t *value, struct mr_err *err);

/** Correctly rounded; MR_RANGE beyond the largest double. */
MR_CHECKED mr_status mr_json_f64(struct mr_json *r, double *value, struct mr_err *err);

/* digits * 10^exp10, negative or not. Not exact: digits were dropped, the text has them all. */
struct mr_json_decimal {
    uint64_t digits;
    int64_t exp10;
    struct mr_str text; /* lent until the next call */
    bool is_negative, is_exact;
};

/** A number as it stands, which is mr_json_text now. */
MR_CHECKED mr_status mr_json_decimal(struct mr_json *r, struct mr_json_decimal *value,
                                     struct mr_err *err);
MR_CHECKED mr_status mr_json_bool(struct mr_json *r, bool *value, struct mr_err *err);

/** Text without escapes, valid until the next call. It may hold NUL bytes. */
MR_CHECKED mr_status mr_json_str(struct mr_json *r, struct mr_str *value, struct mr_err *err);

/** Consume a null, if one comes next. */
MR_CHECKED mr_status mr_json_null(struct mr_json *r, bool *is_null, struct mr_err *err);

/** Append a whole array of integers; the fast way. On an error some may have been appended.
 *  @param[in,out] data, cap, n growable array (mem.h) */
MR_CHECKED mr_status mr_json_u64_array(struct mr_json *r, uint64_t **data, size_t *cap, size_t *n,
                                       struct mr_err *err);

/** Pass over one value of any kind, still checking it. */
MR_CHECKED mr_status mr_json_skip(struct mr_json *r, struct mr_err *err);

/** Pass over one value and lend its text as it stands in the file. Valid until the next call. */
MR_CHECKED mr_status mr_json_raw(struct mr_json *r, struct mr_str *text, struct mr_err *err);

/** Leave whatever is open, forget the error and go to the line after the one being read. An error
 * of the source itself stays. */
MR_CHECKED mr_status mr_json_skip_line(struct mr_json *r, struct mr_err *err);

/* ---- for messages ---- */

/** Where the last token or value begins. The file name is lent by the reader. */
struct mr_place mr_json_place(const struct mr_json *r);

/** Path of the last token or value in its document, as requests[3].in; "" for the document itself.
 *  Long keys are cut. @return out */
const char *mr_json_path(const struct mr_json *r, char out[mr_json_path_cap]);

/** An error of the caller's about the last value: "PATH: text" at its place. It does not stop the
 *  reader. @return st */
mr_status mr_json_error(const struct mr_json *r, struct mr_err *err, mr_status st, const char *fmt,
                        ...) MR_PRINTF(4, 5);

/** "a string", "an object", ... */
const char *mr_json_token_text(enum mr_json_token token);

/** Decoded bytes passed so far. */
uint64_t mr_json_offset(const struct mr_json *r);

/** Is a key that text? Most differ in their first letter: nothing is measured before. */
static inline bool mr_json_key_is(struct mr_str key, const char *name)
{
    size_t k = 0;
    while (k < key.n && name[k] == key.p[k] && name[k] != '\0')
        k++;
    return k == key.n && name[k] == '\0';
}

/** Index of `key` among the names, n when it is none of them. */
static inline size_t mr_json_key_index(struct mr_str key, const char *const *names, size_t n)
{
    size_t i = 0;
    while (i < n && !mr_json_key_is(key, names[i]))
        i++;
    return i;
}

#endif
