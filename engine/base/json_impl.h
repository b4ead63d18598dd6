/* SPDX-License-Identifier: Apache-2.0 */
/* Inside of the JSON reader, shared by json*.c only.
 * The window holds bytes [p, end) still to be read, followed by pad_bytes zeros: zero is no legal
 * JSON byte, so every loop stops there without comparing pointers, and eight bytes may always be
 * loaded. A scanner leaves r->p at the start of its token while it looks ahead; mr_json_window_fill
 * keeps what lies from there (or from r->hold) on, moves it to the front and reads more behind it.
 */
#ifndef MR_ENGINE_BASE_JSON_IMPL_H
#define MR_ENGINE_BASE_JSON_IMPL_H

#include "engine/base/json.h"

enum {
    pad_bytes = 32,
    key_shown = 32 /* bytes of a key that messages know */
};

/* What may come next. */
enum mr_json_state {
    MR_JSON_BEFORE_DOCUMENT,
    MR_JSON_BEFORE_VALUE,
    MR_JSON_IN_ARRAY,  /* the next element or the end */
    MR_JSON_IN_OBJECT, /* the next key or the end */
    MR_JSON_FAILED
};

/* Offsets count decoded bytes from the start of the stream, after a byte order mark. */
struct mr_json_spot {
    uint64_t offset, line, line_start;
};

struct mr_json_level {
    struct mr_json_spot begin;
    uint64_t n_item;           /* begun, the current one included */
    enum mr_json_state inside; /* state after a value at this level */
    unsigned key_n;            /* length of the current key, which may be more than key[] holds */
    char key[key_shown];
};

struct mr_json {
    const char *p;
    char *end, *window;
    enum mr_json_state state;
    int depth;
    uint64_t base; /* offset of window[0] */
    uint64_t line, line_start;
    struct mr_json_spot spot; /* the last token */
    struct mr_str text;
    const char *hold; /* first byte to keep, or NULL */
    size_t cap;       /* of the window in use */
    size_t cap_alloc; /* with padding */
    struct mr_json_options options;
    bool is_input_end;
    struct mr_gz *gz;
    struct mr_err err;                                 /* why the state is failed */
    struct mr_json_level level[mr_json_depth_max + 1]; /* [0]: the documents */
};

/* ---- json_window.c: bytes, white space, places, errors ---- */

/** Bring more bytes behind r->end; pointers into the window change, r->p and r->hold with it. Does
 *  nothing at the end of the input. */
MR_CHECKED mr_status mr_json_window_fill(struct mr_json *r, struct mr_err *err);

/** Have n bytes at r->p, unless the input ends before. */
MR_CHECKED mr_status mr_json_window_want(struct mr_json *r, size_t n, struct mr_err *err);

/** Pass over white space; then r->p is at another byte or at the end of the input. */
MR_CHECKED mr_status mr_json_window_space(struct mr_json *r, struct mr_err *err);

/** Stop the reader with an error at the byte `at` of the window. @return st */
mr_status mr_json_window_error(struct mr_json *r, const char *at, mr_status st, struct mr_err *err,
                               const char *fmt, ...) MR_PRINTF(5, 6);

/** The same: `expected WHAT, found ...`. */
mr_status mr_json_window_expected(struct mr_json *r, const char *at, const char *what,
                                  struct mr_err *err);

/** Tell the error that stopped the reader (again). */
mr_status mr_json_window_failed(struct mr_json *r, struct mr_err *err);

/** Path of what is current at level `depth`. */
const char *mr_json_window_path(const struct mr_json *r, int depth, char out[mr_json_path_cap]);

/* ---- json_string.c ---- */

/** The string that begins at r->p; r->p goes behind it. Its escapes are resolved inside the window
 * if `text` is asked for. @param[out] text may be NULL */
MR_CHECKED mr_status mr_json_string_scan(struct mr_json *r, struct mr_str *text,
                                         struct mr_err *err);

/* ---- json_number.c ---- */

/* value = (-1)^is_negative * digits * 10^exp10, unless digits were dropped */
struct mr_json_number {
    struct mr_str text;
    uint64_t digits;
    int64_t exp10, exponent; /* exponent: as written */
    bool is_negative, is_integer /* no point, no exponent */, is_exact /* digits are all */;
};

/** The number that begins at r->p, which stays there. */
MR_CHECKED mr_status mr_json_number_scan(struct mr_json *r, struct mr_json_number *x,
                                         struct mr_err *err);

/** An integer of 8 to 20 digits at p, if it fits 64 bits and its end is in the window.
 *  @return behind it; NULL: look closer */
const char *mr_json_number_long(const char *p, uint64_t *value);

/** Nearest double; may be infinite. */
double mr_json_number_f64(const struct mr_json_number *x);

/** |value| as an integer. @return MR_OK, MR_SCHEMA (not an integer), MR_RANGE (above 2^64 - 1) */
MR_CHECKED mr_status mr_json_number_magnitude(const struct mr_json_number *x, uint64_t *value);

/* ---- eight bytes at a time ---- */

#define MR_JSON_EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

/* First byte lowest, on any machine. */
static inline uint64_t mr_json_load8(const char *p)
{
    uint64_t x;
    memcpy(&x, p, sizeof x);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    x = __builtin_bswap64(x);
#endif
    return x;
}

/* Given bytes minus '0' each: a mark (0x80) in the first byte that was no digit. Bytes above that
 * one may be marked wrongly by a carry. */
static inline uint64_t mr_json_not_digits(uint64_t x)
{
    return ((x + MR_JSON_EACH(0x76)) | x) & MR_JSON_EACH(0x80);
}

/* A mark (0x80) in the first byte that is a quote, a backslash or a control character; bytes above
 * that one may be marked wrongly by a borrow. */
static inline uint64_t mr_json_special(uint64_t x)
{
    const uint64_t ones = MR_JSON_EACH(0x01), quote = x ^ MR_JSON_EACH('"'),
                   backslash = x ^ MR_JSON_EACH('\\');
    return (((quote - ones) & ~quote) | ((backslash - ones) & ~backslash) |
            ((x - MR_JSON_EACH(0x20)) & ~x)) &
           MR_JSON_EACH(0x80);
}

/* Value of eight digits 0..9, the first one lowest in the word. */
static inline uint64_t mr_json_eight_digits(uint64_t x)
{
    x = x * 10 + (x >> 8); /* pairs, in every second byte */
    const uint64_t fours = (x & UINT64_C(0x000000FF000000FF)) * UINT64_C(0x000F424000000064);
    const uint64_t other =
        ((x >> 16) & UINT64_C(0x000000FF000000FF)) * UINT64_C(0x0000271000000001);
    return (fours + other) >> 32;
}

#endif
