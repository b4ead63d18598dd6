/* SPDX-License-Identifier: Apache-2.0 */
/* Opening a JSON reader, its sliding window, and everything that knows where in the file it stands:
 * white space (the only place a line can end in), the next line, places, paths, error texts. */
#include "engine/base/assert.h"
#include "engine/base/json_impl.h"
#include "engine/base/mem.h"

#include <limits.h>
#include <stdio.h>

/* ---- bytes ---- */

static mr_status grow(struct mr_json *r, size_t cap, struct mr_err *err)
{
    const size_t at = (size_t)(r->p - r->window), n = (size_t)(r->end - r->window);
    const size_t held = r->hold != NULL ? (size_t)(r->hold - r->window) : 0;
    MR_TRY(mr_grow(&r->window, &r->cap_alloc, cap + pad_bytes, 1, err));
    r->cap = cap;
    r->p = r->window + at;
    r->end = r->window + n;
    if (r->hold != NULL)
        r->hold = r->window + held;
    return MR_OK;
}

/* Drop what lies before `from`. */
static void shift(struct mr_json *r, const char *from)
{
    const size_t n_drop = (size_t)(from - r->window), n_keep = (size_t)(r->end - from);
    if (n_drop == 0)
        return;
    if (n_keep > 0)
        memmove(r->window, from, n_keep);
    r->base += n_drop;
    r->p -= n_drop;
    r->end -= n_drop;
    if (r->hold != NULL)
        r->hold -= n_drop;
    memset(r->end, 0, pad_bytes);
}

static mr_status make_room(struct mr_json *r, struct mr_err *err)
{
    const size_t max = r->options.window_max_bytes;
    shift(r, r->hold != NULL ? r->hold : r->p);
    if ((size_t)(r->end - r->window) < r->cap)
        return MR_OK;
    if (r->cap >= max)
        return mr_json_window_error(r, r->hold != NULL ? r->hold : r->p, MR_LIMIT, err,
                                    "more than %zu bytes in one %s", max,
                                    r->hold != NULL ? "value" : "string or number");
    const mr_status st = grow(r, r->cap > max / 2 ? max : 2 * r->cap, &r->err);
    return st == MR_OK ? MR_OK : mr_json_window_failed(r, err);
}

mr_status mr_json_window_fill(struct mr_json *r, struct mr_err *err)
{
    if (r->is_input_end)
        return MR_OK;
    MR_TRY(make_room(r, err));
    /* a window that grew for one token reads small pieces again when the token is gone */
    const size_t n_keep = (size_t)(r->end - r->window), room = r->cap - n_keep;
    size_t n = n_keep > r->options.window_bytes ? n_keep : r->options.window_bytes, got;
    n = n < room ? n : room;
    n = n < r->options.read_bytes ? n : r->options.read_bytes;
    const mr_status st = mr_gz_read(r->gz, r->end, n, &got, &r->err);
    r->end += got;
    memset(r->end, 0, pad_bytes); /* also after a failure: what is left may still be read */
    r->is_input_end = st == MR_OK && got == 0;
    return st == MR_OK ? MR_OK : mr_json_window_failed(r, err);
}

mr_status mr_json_window_want(struct mr_json *r, size_t n, struct mr_err *err)
{
    while ((size_t)(r->end - r->p) < n && !r->is_input_end)
        MR_TRY(mr_json_window_fill(r, err));
    return MR_OK;
}

/* Byte order marks: UTF-8's is passed over, UTF-16's is named. */
static mr_status begin_stream(struct mr_json *r, struct mr_err *err)
{
    MR_TRY(mr_json_window_want(r, 1, err));
    const unsigned char first = (unsigned char)*r->p;
    if (first < 0xEF)
        return MR_OK;
    MR_TRY(mr_json_window_want(r, 3, err));
    const size_t n = (size_t)(r->end - r->p);
    if (n >= 3 && memcmp(r->p, "\xEF\xBB\xBF", 3) == 0) {
        r->p += 3;
        r->line_start = 3;
    } else if (n >= 2 && (memcmp(r->p, "\xFE\xFF", 2) == 0 || memcmp(r->p, "\xFF\xFE", 2) == 0)) {
        return mr_json_window_error(r, r->p, MR_PARSE, err,
                                    "expected UTF-8 text, found UTF-16 (convert the file)");
    }
    return MR_OK;
}

static mr_status init_window(struct mr_json *r, struct mr_err *err)
{
    MR_TRY(mr_grow(&r->window, &r->cap_alloc, r->options.window_bytes + pad_bytes, 1, err));
    r->cap = r->options.window_bytes;
    r->p = r->end = r->window;
    memset(r->end, 0, pad_bytes);
    r->line = 1;
    return begin_stream(r, err);
}

/* ---- opening ---- */

static struct mr_json_options filled_in(const struct mr_json_options *options)
{
    struct mr_json_options o = {0};
    if (options != NULL)
        o = *options;
    if (o.window_max_bytes == 0)
        o.window_max_bytes = (size_t)64 << 20;
    if (o.window_bytes == 0)
        o.window_bytes = (size_t)256 << 10;
    if (o.window_bytes > o.window_max_bytes)
        o.window_bytes = o.window_max_bytes;
    if (o.read_bytes == 0)
        o.read_bytes = SIZE_MAX;
    return o;
}

mr_status mr_json_create(struct mr_gz *take_gz, const struct mr_json_options *options,
                         struct mr_json **out, struct mr_err *err)
{
    *out = NULL;
    struct mr_json *r = mr_alloc_zero(1, sizeof *r);
    if (r == NULL) {
        mr_gz_close(take_gz);
        return mr_err_nomem(err, sizeof *r);
    }
    r->gz = take_gz;
    r->options = filled_in(options);
    const mr_status st = init_window(r, err);
    if (st != MR_OK)
        mr_json_close(r);
    else
        *out = r;
    return st;
}

mr_status mr_json_open(const char *path, const struct mr_json_options *options,
                       struct mr_json **out, struct mr_err *err)
{
    struct mr_gz *gz;
    *out = NULL;
    MR_TRY(mr_gz_open(path, &gz, err));
    return mr_json_create(gz, options, out, err);
}

mr_status mr_json_open_memory(const void *bytes, size_t n, const char *name,
                              const struct mr_json_options *options, struct mr_json **out,
                              struct mr_err *err)
{
    struct mr_gz *gz;
    *out = NULL;
    MR_TRY(mr_gz_open_memory(bytes, n, name, &gz, err));
    return mr_json_create(gz, options, out, err);
}

struct mr_gz *mr_json_stream(const struct mr_json *r)
{
    return r->gz;
}

void mr_json_close(struct mr_json *r)
{
    if (r == NULL)
        return;
    mr_gz_close(r->gz);
    mr_free(r->window);
    mr_free(r);
}

/* ---- white space ---- */

mr_status mr_json_window_space(struct mr_json *r, struct mr_err *err)
{
    for (;;) {
        const char *p = r->p;
        while (*p == ' ' || *p == '\t' || *p == '\r' || *p == '\n') {
            if (*p++ != '\n')
                continue;
            if (r->options.is_lines && r->depth > 0)
                return mr_json_window_expected(r, p - 1, "the rest of the document", err);
            r->line++;
            r->line_start = r->base + (uint64_t)(p - r->window);
            while (mr_json_load8(p) == MR_JSON_EACH(' ')) /* indentation */
                p += 8;
        }
        r->p = p;
        if (p < r->end || r->is_input_end)
            return MR_OK;
        MR_TRY(mr_json_window_fill(r, err));
    }
}

mr_status mr_json_skip_line(struct mr_json *r, struct mr_err *err)
{
    r->err = (struct mr_err){0};
    r->hold = NULL;
    r->depth = 0;
    r->state = MR_JSON_BEFORE_DOCUMENT;
    r->level[0].n_item = 0; /* nothing in front of the next document on its line */
    for (;;) {
        const char *const line_end = memchr(r->p, '\n', (size_t)(r->end - r->p));
        r->p = line_end != NULL ? line_end + 1 : r->end;
        if (line_end != NULL) {
            r->line++;
            r->line_start = mr_json_offset(r);
            return MR_OK;
        }
        MR_TRY(mr_json_window_fill(r, err));
        if (r->is_input_end)
            return MR_OK;
    }
}

/* ---- places and paths ---- */

static int clamp(uint64_t n)
{
    return n < INT_MAX ? (int)n : INT_MAX;
}

static struct mr_place place_of(const struct mr_json *r, struct mr_json_spot spot)
{
    return (struct mr_place){mr_gz_name(r->gz), clamp(spot.line),
                             clamp(spot.offset - spot.line_start + 1)};
}

struct mr_place mr_json_place(const struct mr_json *r)
{
    return place_of(r, r->spot);
}

uint64_t mr_json_offset(const struct mr_json *r)
{
    return r->base + (uint64_t)(r->p - r->window);
}

static bool is_plain_key(struct mr_str key)
{
    for (size_t i = 0; i < key.n; i++) {
        const char c = key.p[i];
        const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!is_letter && !mr_char_is_digit(c) && c != '_' && c != '-')
            return false;
    }
    return key.n > 0;
}

static int print_key(const struct mr_json_level *level, bool is_first, char *out, size_t cap)
{
    const size_t n = level->key_n < key_shown ? level->key_n : key_shown;
    const struct mr_str key = {level->key, n};
    const char *const cut = level->key_n > key_shown ? "..." : "";
    char quoted[MR_QUOTE_CAP];
    mr_text_quote(key, quoted);
    if (is_plain_key(key))
        return snprintf(out, cap, "%s%s%s", is_first ? "" : ".", quoted, cut);
    return snprintf(out, cap, "[\"%s%s\"]", quoted, cut);
}

const char *mr_json_window_path(const struct mr_json *r, int depth, char out[mr_json_path_cap])
{
    size_t n = 0;
    out[0] = '\0';
    for (int i = 1; i <= depth; i++) {
        const struct mr_json_level *level = &r->level[i];
        char part[MR_QUOTE_CAP + 8];
        int n_part = 0;
        if (level->n_item == 0)
            break;
        if (level->inside == MR_JSON_IN_ARRAY)
            n_part = snprintf(part, sizeof part, "[%llu]", (unsigned long long)level->n_item - 1);
        else
            n_part = print_key(level, n == 0, part, sizeof part);
        if (n_part < 0 || n + (size_t)n_part + 4 > mr_json_path_cap) {
            memcpy(out + n, "...", 4);
            break;
        }
        memcpy(out + n, part, (size_t)n_part + 1);
        n += (size_t)n_part;
    }
    return out;
}

const char *mr_json_path(const struct mr_json *r, char out[mr_json_path_cap])
{
    return mr_json_window_path(r, r->depth, out);
}

/* ---- errors ---- */

mr_status mr_json_window_failed(struct mr_json *r, struct mr_err *err)
{
    MR_ASSERT(r->err.status != MR_OK);
    r->state = MR_JSON_FAILED;
    if (err != NULL && err->status == MR_OK)
        *err = r->err;
    return r->err.status;
}

mr_status mr_json_window_error(struct mr_json *r, const char *at, mr_status st, struct mr_err *err,
                               const char *fmt, ...)
{
    va_list args;
    r->p = at;
    const struct mr_json_spot spot = {mr_json_offset(r), r->line, r->line_start};
    va_start(args, fmt);
    mr_err_vset(&r->err, st, place_of(r, spot), fmt, args);
    va_end(args);
    return mr_json_window_failed(r, err);
}

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || mr_char_is_digit(c) || c == '_' ||
           c == '+' || c == '-' || c == '.';
}

enum {
    found_cap = MR_QUOTE_CAP + 2 * mr_json_path_cap
};

/* The line or the input ends at r->p: say what is open. */
static void describe_end(const struct mr_json *r, const char *what, char out[found_cap])
{
    char path[mr_json_path_cap];
    if (r->depth == 0) {
        snprintf(out, found_cap, "the end of the %s", what);
        return;
    }
    const struct mr_json_level *open = &r->level[r->depth];
    const struct mr_place at = place_of(r, open->begin);
    mr_json_window_path(r, r->depth - 1, path);
    snprintf(out, found_cap, "the end of the %s inside the %s%s%s that begins at %d:%d", what,
             open->inside == MR_JSON_IN_ARRAY ? "array" : "object", path[0] != '\0' ? " " : "",
             path, at.line, at.col);
}

/* What stands at r->p: a whole word where one begins, one byte otherwise. */
static mr_status describe(struct mr_json *r, char out[found_cap])
{
    enum {
        word_max = 24
    };
    char quoted[MR_QUOTE_CAP];
    size_t n = 1;
    if (is_word(*r->p)) {
        MR_TRY(mr_json_window_want(r, word_max, NULL));
        while (n < word_max && is_word(r->p[n]))
            n++;
    }
    if (r->p == r->end)
        describe_end(r, "file", out);
    else if (*r->p == '\n')
        describe_end(r, "line", out);
    else if (*r->p == '"')
        snprintf(out, found_cap, "'\"'");
    else
        snprintf(out, found_cap, "\"%s\"", mr_text_quote((struct mr_str){r->p, n}, quoted));
    return MR_OK;
}

mr_status mr_json_window_expected(struct mr_json *r, const char *at, const char *what,
                                  struct mr_err *err)
{
    char found[found_cap];
    r->p = at;
    r->hold = NULL;
    if (describe(r, found) != MR_OK) /* the source failed: that is the error then */
        return mr_json_window_failed(r, err);
    return mr_json_window_error(r, r->p, MR_PARSE, err, "expected %s, found %s", what, found);
}

mr_status mr_json_error(const struct mr_json *r, struct mr_err *err, mr_status st, const char *fmt,
                        ...)
{
    char path[mr_json_path_cap];
    struct mr_err plain = {0};
    va_list args;
    va_start(args, fmt);
    mr_err_vset(&plain, st, MR_NOWHERE, fmt, args);
    va_end(args);
    mr_json_path(r, path);
    return mr_err_set(err, st, mr_json_place(r), "%s%s%s", path, path[0] != '\0' ? ": " : "",
                      plain.text);
}
