/* SPDX-License-Identifier: Apache-2.0 */
/* JSON writer: one small stack says what the innermost container is and whether it needs a comma.
 * What it writes is always valid RFC 8259: asserted nesting, escaped control characters, U+FFFD for
 * bytes that are not UTF-8, null for doubles that JSON has no name for. */
#include "engine/base/jsonw.h"

#include "engine/base/assert.h"
#include "engine/base/num.h"

#include <math.h>

void mr_jsonw_init(struct mr_jsonw *w, struct mr_buf *buf, int indent)
{
    MR_ASSERT(buf != NULL && indent >= 0);
    *w = (struct mr_jsonw){.buf = buf, .indent = indent};
}

/* ---- layout ---- */

static void new_line(struct mr_jsonw *w)
{
    static const char spaces[] = "                                ";
    if (w->indent == 0)
        return;
    mr_buf_char(w->buf, '\n');
    for (size_t n = (size_t)w->indent * (size_t)w->depth; n > 0;) {
        const size_t part = n < sizeof spaces - 1 ? n : sizeof spaces - 1;
        mr_buf_add(w->buf, spaces, part);
        n -= part;
    }
}

/* Comma and new line in front of an item of the innermost container. */
static void separate(struct mr_jsonw *w)
{
    bool *const has_item = &w->has_item[w->depth - 1];
    if (*has_item)
        mr_buf_char(w->buf, ',');
    *has_item = true;
    new_line(w);
}

/* A value may stand at the top, after a key, or in an array. */
static void begin_value(struct mr_jsonw *w)
{
    if (w->after_key) {
        w->after_key = false;
    } else if (w->depth > 0) {
        MR_ASSERT(w->is_array[w->depth - 1]); /* in an object a key comes first */
        separate(w);
    }
}

static void open_container(struct mr_jsonw *w, bool is_array)
{
    begin_value(w);
    MR_ASSERT(w->depth < mr_jsonw_depth_max);
    w->is_array[w->depth] = is_array;
    w->has_item[w->depth] = false;
    w->depth++;
    mr_buf_char(w->buf, is_array ? '[' : '{');
}

void mr_jsonw_object(struct mr_jsonw *w)
{
    open_container(w, false);
}

void mr_jsonw_array(struct mr_jsonw *w)
{
    open_container(w, true);
}

void mr_jsonw_end(struct mr_jsonw *w)
{
    MR_ASSERT(w->depth > 0 && !w->after_key);
    w->depth--;
    if (w->has_item[w->depth])
        new_line(w);
    mr_buf_char(w->buf, w->is_array[w->depth] ? ']' : '}');
}

/* ---- strings ---- */

static void add_escaped(struct mr_buf *buf, unsigned char c)
{
    static const char hex[] = "0123456789abcdef";
    const char *const short_form = c == '"'    ? "\\\""
                                   : c == '\\' ? "\\\\"
                                   : c == '\n' ? "\\n"
                                   : c == '\r' ? "\\r"
                                   : c == '\t' ? "\\t"
                                   : c == '\b' ? "\\b"
                                   : c == '\f' ? "\\f"
                                               : NULL;
    if (short_form != NULL) {
        mr_buf_add(buf, short_form, 2);
    } else {
        const char long_form[6] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};
        mr_buf_add(buf, long_form, sizeof long_form);
    }
}

static bool must_escape(unsigned char c)
{
    return c < 0x20 || c == '"' || c == '\\';
}

/* Text that is known to be UTF-8. */
static void add_valid(struct mr_buf *buf, const char *p, size_t n)
{
    size_t i_plain = 0; /* start of the run that needs no escape */
    for (size_t i = 0; i < n; i++) {
        if (!must_escape((unsigned char)p[i]))
            continue;
        mr_buf_add(buf, p + i_plain, i - i_plain);
        add_escaped(buf, (unsigned char)p[i]);
        i_plain = i + 1;
    }
    mr_buf_add(buf, p + i_plain, n - i_plain);
}

static void add_quoted(struct mr_buf *buf, struct mr_str s)
{
    mr_buf_char(buf, '"');
    while (s.n > 0) {
        const size_t n = mr_utf8_valid_len(s.p, s.n);
        add_valid(buf, s.p, n);
        s.p += n;
        s.n -= n;
        if (s.n > 0) { /* one replacement per bad byte */
            mr_buf_add(buf, "\xEF\xBF\xBD", 3);
            s.p++;
            s.n--;
        }
    }
    mr_buf_char(buf, '"');
}

void mr_jsonw_key(struct mr_jsonw *w, const char *key)
{
    MR_ASSERT(w->depth > 0 && !w->is_array[w->depth - 1] && !w->after_key);
    separate(w);
    add_quoted(w->buf, mr_str_of(key));
    mr_buf_char(w->buf, ':');
    if (w->indent > 0)
        mr_buf_char(w->buf, ' ');
    w->after_key = true;
}

void mr_jsonw_str(struct mr_jsonw *w, struct mr_str s)
{
    begin_value(w);
    add_quoted(w->buf, s);
}

void mr_jsonw_text(struct mr_jsonw *w, const char *text)
{
    if (text == NULL)
        mr_jsonw_null(w);
    else
        mr_jsonw_str(w, mr_str_of(text));
}

/* ---- numbers and words ---- */

static void add_scalar(struct mr_jsonw *w, const char *text, size_t n)
{
    begin_value(w);
    mr_buf_add(w->buf, text, n);
}

void mr_jsonw_f64(struct mr_jsonw *w, double value)
{
    char text[MR_NUM_CAP];
    if (isfinite(value))
        add_scalar(w, text, mr_num_format_f64(value, text));
    else
        mr_jsonw_null(w);
}

void mr_jsonw_u64(struct mr_jsonw *w, uint64_t value)
{
    char text[MR_NUM_CAP];
    add_scalar(w, text, mr_num_format_u64(value, text));
}

void mr_jsonw_i64(struct mr_jsonw *w, int64_t value)
{
    char text[MR_NUM_CAP];
    add_scalar(w, text, mr_num_format_i64(value, text));
}

void mr_jsonw_bool(struct mr_jsonw *w, bool value)
{
    if (value)
        add_scalar(w, "true", 4);
    else
        add_scalar(w, "false", 5);
}

void mr_jsonw_null(struct mr_jsonw *w)
{
    add_scalar(w, "null", 4);
}

/* ---- key and value in one call ---- */

void mr_jsonw_key_text(struct mr_jsonw *w, const char *key, const char *text)
{
    mr_jsonw_key(w, key);
    mr_jsonw_text(w, text);
}

void mr_jsonw_key_f64(struct mr_jsonw *w, const char *key, double value)
{
    mr_jsonw_key(w, key);
    mr_jsonw_f64(w, value);
}

void mr_jsonw_key_u64(struct mr_jsonw *w, const char *key, uint64_t value)
{
    mr_jsonw_key(w, key);
    mr_jsonw_u64(w, value);
}

void mr_jsonw_key_bool(struct mr_jsonw *w, const char *key, bool value)
{
    mr_jsonw_key(w, key);
    mr_jsonw_bool(w, value);
}

void mr_jsonw_key_figures(struct mr_jsonw *w, const char *key, const struct mr_jsonw_figure *figure,
                          size_t n)
{
    mr_jsonw_key(w, key);
    mr_jsonw_object(w);
    for (size_t i = 0; i < n; i++)
        mr_jsonw_key_f64(w, figure[i].key, figure[i].value);
    mr_jsonw_end(w);
}
