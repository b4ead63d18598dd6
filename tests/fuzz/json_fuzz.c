/* SPDX-License-Identifier: Apache-2.0 */
/* Arbitrary bytes as a stream of JSON documents. The first two bytes choose a small window and a
 * pace. A small window gives the tokens, places and errors of a big one; skipping gives the verdict
 * of reading; raw text reads like what it was cut from; what is accepted and written again by jsonw
 * reads the same; line-wise recovery ends. */
#include "engine/base/json.h"
#include "engine/base/jsonw.h"
#include "engine/base/mem.h"
#include "engine/base/num.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "invariant broken: %s\n", what);
    abort();
}

static bool same(const struct mr_buf *a, const struct mr_buf *b)
{
    return a->n == b->n && (a->n == 0 || memcmp(a->text, b->text, a->n) == 0);
}

static void add_err(struct mr_buf *out, const struct mr_err *err)
{
    char text[1024];
    mr_err_print(err, text, sizeof text);
    mr_buf_text(out, text);
}

static bool has_text(enum mr_json_token token)
{
    return token == MR_JSON_KEY || token == MR_JSON_STRING || token == MR_JSON_NUMBER;
}

/* Every token with place and text, and the error. */
static mr_status dump(const uint8_t *data, size_t size, const struct mr_json_options *options,
                      struct mr_buf *out)
{
    struct mr_err err = {0};
    struct mr_json *r = NULL;
    enum mr_json_token token = MR_JSON_NULL;
    mr_status st = mr_json_open_memory(data, size, "f", options, &r, &err);
    while (st == MR_OK && token != MR_JSON_END) {
        st = mr_json_next(r, &token, &err);
        if (st != MR_OK)
            break;
        const struct mr_place at = mr_json_place(r);
        mr_buf_printf(out, "%d:%d %d ", at.line, at.col, (int)token);
        if (has_text(token))
            mr_buf_add(out, mr_json_text(r).p, mr_json_text(r).n);
        mr_buf_char(out, '\n');
    }
    if (st != MR_OK)
        add_err(out, &err);
    mr_json_close(r);
    return st;
}

/* Pass over every document, asking for its text if `copy` is given. */
static mr_status skip_all(const uint8_t *data, size_t size, const struct mr_json_options *options,
                          struct mr_buf *copy, struct mr_err *err)
{
    struct mr_json *r = NULL;
    bool has_more = true;
    mr_status st = mr_json_open_memory(data, size, "f", options, &r, err);
    while (st == MR_OK && has_more) {
        struct mr_str text;
        st = mr_json_document(r, &has_more, err);
        if (st != MR_OK || !has_more)
            break;
        st = copy != NULL ? mr_json_raw(r, &text, err) : mr_json_skip(r, err);
        if (st == MR_OK && copy != NULL) {
            mr_buf_add(copy, text.p, text.n);
            mr_buf_char(copy, '\n');
        }
    }
    mr_json_close(r);
    return st;
}

/* Write what is read; numbers as the double they mean. False when the writer cannot say it: numbers
 * beyond doubles, keys with a NUL, nesting beyond its own limit, several documents. */
static bool rewrite(const uint8_t *data, size_t size, struct mr_buf *out)
{
    struct mr_json *r = NULL;
    struct mr_jsonw w;
    enum mr_json_token token = MR_JSON_NULL;
    struct mr_buf key = {0};
    bool can = mr_json_open_memory(data, size, "f", NULL, &r, NULL) == MR_OK;
    mr_jsonw_init(&w, out, 1);
    while (can) {
        check(mr_json_next(r, &token, NULL) == MR_OK, "reads again");
        const struct mr_str text = mr_json_text(r);
        double value = 0.0;
        if (token == MR_JSON_END || (w.depth == 0 && out->n > 0)) {
            can = token == MR_JSON_END;
            break;
        }
        if (token == MR_JSON_BEGIN_ARRAY || token == MR_JSON_BEGIN_OBJECT) {
            can = w.depth < mr_jsonw_depth_max;
            if (can && token == MR_JSON_BEGIN_ARRAY)
                mr_jsonw_array(&w);
            else if (can)
                mr_jsonw_object(&w);
        } else if (token == MR_JSON_END_ARRAY || token == MR_JSON_END_OBJECT) {
            mr_jsonw_end(&w);
        } else if (token == MR_JSON_STRING) {
            mr_jsonw_str(&w, text);
        } else if (token == MR_JSON_NUMBER) {
            can = mr_num_parse_f64(text, &value) == MR_OK;
            mr_jsonw_f64(&w, value);
        } else if (token == MR_JSON_KEY) {
            can = text.n == 0 || memchr(text.p, '\0', text.n) == NULL;
            mr_buf_clear(&key);
            mr_buf_add(&key, text.p, text.n);
            mr_jsonw_key(&w, key.text);
        } else if (token == MR_JSON_NULL) {
            mr_jsonw_null(&w);
        } else {
            mr_jsonw_bool(&w, token == MR_JSON_TRUE);
        }
    }
    mr_buf_fini(&key);
    mr_json_close(r);
    return can && out->n > 0;
}

/* Read arrays of integers in bulk, element by element and with typed calls; count what is good. */
static void integers(const uint8_t *data, size_t size, const struct mr_json_options *options)
{
    struct mr_json *bulk = NULL, *single = NULL;
    struct mr_err err_bulk = {0}, err_single = {0};
    uint64_t *ids = NULL, value = 0;
    size_t cap = 0, n = 0, n_single = 0;
    bool has_more = false;
    if (mr_json_open_memory(data, size, "f", options, &bulk, NULL) == MR_OK &&
        mr_json_open_memory(data, size, "f", NULL, &single, NULL) == MR_OK) {
        const mr_status st = mr_json_u64_array(bulk, &ids, &cap, &n, &err_bulk);
        mr_status st_single = mr_json_enter_array(single, &err_single);
        while (st_single == MR_OK) {
            st_single = mr_json_array_more(single, &has_more, &err_single);
            if (st_single != MR_OK || !has_more)
                break;
            st_single = mr_json_u64(single, &value, &err_single);
            if (st_single == MR_OK) {
                check(n_single < n && ids[n_single] == value, "same integers in bulk");
                n_single++;
            }
        }
        check(st == st_single && n == n_single, "same verdict in bulk");
        check(err_bulk.col == err_single.col && strcmp(err_bulk.text, err_single.text) == 0,
              "same error in bulk");
    }
    mr_free(ids);
    mr_json_close(bulk);
    mr_json_close(single);
}

/* One record per line, bad ones passed over: every round gets on. */
static void recover(const uint8_t *data, size_t size, size_t window)
{
    const struct mr_json_options options = {.window_bytes = window, .is_lines = true};
    struct mr_json *r = NULL;
    uint64_t last = 0;
    bool has_more = true;
    mr_status st = mr_json_open_memory(data, size, "f", &options, &r, NULL);
    while (st == MR_OK && has_more) {
        st = mr_json_document(r, &has_more, NULL);
        if (st == MR_OK && has_more)
            st = mr_json_skip(r, NULL);
        if (st == MR_OK)
            continue;
        st = mr_json_skip_line(r, NULL); /* a source that failed fails again */
        check(st != MR_OK || mr_json_offset(r) > last, "recovery makes progress");
        last = mr_json_offset(r);
    }
    mr_json_close(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    const struct mr_json_options small = {.window_bytes = 1 + data[0] % 64,
                                          .read_bytes = data[1] % 16};
    data += 2;
    size -= 2;
    struct mr_buf big_out = {0}, small_out = {0}, copy = {0}, written = {0}, again = {0};
    struct mr_err err = {0}, err_raw = {0};
    const mr_status st = dump(data, size, NULL, &big_out);
    check(dump(data, size, &small, &small_out) == st, "same verdict through a small window");
    check(same(&big_out, &small_out), "same tokens through a small window");
    check(skip_all(data, size, &small, NULL, &err) == st, "same verdict by skipping");
    check(skip_all(data, size, &small, &copy, &err_raw) == st, "same verdict by copying");
    check(err.line == err_raw.line && err.col == err_raw.col, "same place by copying");
    integers(data, size, &small);
    recover(data, size, small.window_bytes);
    if (st == MR_OK && rewrite(data, size, &written)) {
        check(rewrite((const uint8_t *)written.text, written.n, &again) && same(&written, &again),
              "what was written reads the same");
        mr_buf_clear(&again);
        check(rewrite((const uint8_t *)copy.text, copy.n, &again) && same(&written, &again),
              "raw text reads the same");
    }
    mr_buf_fini(&big_out);
    mr_buf_fini(&small_out);
    mr_buf_fini(&copy);
    mr_buf_fini(&written);
    mr_buf_fini(&again);
    return 0;
}
