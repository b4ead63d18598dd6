/* SPDX-License-Identifier: Apache-2.0 */
/* engine/base/json on streams: windows of every size, slow sources, tokens and lines of many
 * megabytes, compressed input, failing memory, and the sums of real trace files. */
#include "engine/base/json.h"
#include "engine/base/jsonw.h"
#include "engine/base/mem.h"
#include "tests/test.h"

#include <unistd.h>

/* Every token with its place and text, one per line; then the error, if that is how it ends. */
static mr_status dump(struct mr_json *r, struct mr_buf *out)
{
    enum mr_json_token token = MR_JSON_NULL;
    struct mr_err err = {0};
    mr_status st = MR_OK;
    while (token != MR_JSON_END && (st = mr_json_next(r, &token, &err)) == MR_OK) {
        const struct mr_place at = mr_json_place(r);
        mr_buf_printf(out, "%d:%d %s ", at.line, at.col, mr_json_token_text(token));
        if (token == MR_JSON_KEY || token == MR_JSON_STRING || token == MR_JSON_NUMBER)
            mr_buf_add(out, mr_json_text(r).p, mr_json_text(r).n);
        mr_buf_char(out, '\n');
    }
    if (st != MR_OK)
        mr_buf_printf(out, "%d:%d %s\n", err.line, err.col, err.text);
    assert_int_equal(out->status, MR_OK);
    return st;
}

static const char document[] =
    "\xEF\xBB\xBF{\"id\":\"trace_1\",\"models\":[\"a\\u00e9\\ud83d\\ude00\",\"\xE2\x82\xAC "
    "uro\"],\r\n"
    " \"requests\" : [ {\"t\":0.0,\"in\":17869,\"hash_ids\":[1,2, 3,18446744073709551615]} ,\n"
    "\t{\"t\":-1.25e-3,\"in\":0,\"hash_ids\":[],\"stop\":null,\"ok\":[true,false]}\n"
    "        ]}\n\n12 [] \"last\"";

MR_TEST(every_window_and_every_pace)
{
    struct mr_buf expected = {0};
    struct mr_json *r = NULL;
    assert_int_equal(mr_json_open_memory(document, sizeof document - 1, "d", NULL, &r, NULL),
                     MR_OK);
    assert_int_equal(dump(r, &expected), MR_OK);
    mr_json_close(r);
    for (size_t window = 1; window <= 64; window++)
        for (size_t pace = 1; pace <= 9; pace++) {
            const struct mr_json_options options = {.window_bytes = window, .read_bytes = pace};
            struct mr_buf out = {0};
            assert_int_equal(
                mr_json_open_memory(document, sizeof document - 1, "d", &options, &r, NULL), MR_OK);
            assert_int_equal(dump(r, &out), MR_OK);
            assert_string_equal(out.text, expected.text);
            mr_json_close(r);
            mr_buf_fini(&out);
        }
    mr_buf_fini(&expected);
}

/* A record cut anywhere gives the same tokens and the same error through every window. */
MR_TEST(every_cut_and_every_window)
{
    for (size_t n = 1; n < sizeof document - 1; n++) {
        struct mr_buf expected = {0};
        struct mr_json *r = NULL;
        assert_int_equal(mr_json_open_memory(document, n, "d", NULL, &r, NULL), MR_OK);
        (void)dump(r, &expected);
        mr_json_close(r);
        for (size_t window = 1; window <= 32; window += 1 + window / 5) {
            const struct mr_json_options options = {.window_bytes = window};
            struct mr_buf out = {0};
            assert_int_equal(mr_json_open_memory(document, n, "d", &options, &r, NULL), MR_OK);
            (void)dump(r, &out);
            assert_string_equal(out.text, expected.text);
            mr_json_close(r);
            mr_buf_fini(&out);
        }
        mr_buf_fini(&expected);
    }
}

MR_TEST(a_pipe_of_single_bytes)
{
    int ends[2];
    struct mr_json *r = NULL;
    struct mr_err err = {0};
    struct mr_str text;
    static const char words[] = "[\"slow\", \"and\"]\n[\"steady\"]";
    assert_int_equal(pipe(ends), 0);
    const int saved = dup(STDIN_FILENO);
    assert_true(saved >= 0 && dup2(ends[0], STDIN_FILENO) >= 0);
    assert_int_equal(write(ends[1], words, sizeof words - 1), sizeof words - 1);
    close(ends[1]);
    const struct mr_json_options options = {.read_bytes = 1};
    bool more;
    assert_int_equal(mr_json_open("-", &options, &r, &err), MR_OK);
    assert_int_equal(mr_json_skip(r, &err), MR_OK);
    assert_int_equal(mr_json_enter_array(r, &err), MR_OK);
    assert_int_equal(mr_json_array_more(r, &more, &err), MR_OK);
    assert_int_equal(mr_json_str(r, &text, &err), MR_OK);
    assert_true(mr_str_is(text, "steady"));
    assert_string_equal(mr_json_place(r).file, "standard input");
    mr_json_close(r);
    assert_true(dup2(saved, STDIN_FILENO) >= 0);
    close(saved);
    close(ends[0]);
}

/* ---- large tokens and lines ---- */

enum {
    mega = 1 << 20
};

MR_TEST(tokens_of_megabytes)
{
    struct mr_buf buf = {0};
    mr_buf_text(&buf, "{\"text\":\"");
    for (int i = 0; i < 3 * mega / 16; i++)
        mr_buf_text(&buf, "0123456789\\n\xC3\xA9"
                          "ab");
    mr_buf_text(&buf, "\",\"number\":");
    for (int i = 0; i < mega; i++)
        mr_buf_char(&buf, '9');
    mr_buf_text(&buf, ".25}");
    assert_int_equal(buf.status, MR_OK);
    for (size_t window = 7; window < 8 * mega; window *= 50) {
        const struct mr_json_options options = {.window_bytes = window};
        struct mr_json *r = NULL;
        struct mr_str key, text;
        bool more;
        uint64_t value;
        assert_int_equal(mr_json_open_memory(buf.text, buf.n, "big", &options, &r, NULL), MR_OK);
        assert_int_equal(mr_json_enter_object(r, NULL), MR_OK);
        assert_int_equal(mr_json_key(r, &key, &more, NULL), MR_OK);
        assert_int_equal(mr_json_str(r, &text, NULL), MR_OK);
        assert_int_equal(text.n, 3 * mega / 16 * 15);
        assert_memory_equal(text.p + text.n - 15,
                            "0123456789\n\xC3\xA9"
                            "ab",
                            15);
        assert_int_equal(mr_json_key(r, &key, &more, NULL), MR_OK);
        assert_true(mr_str_is(key, "number"));
        assert_int_equal(mr_json_u64(r, &value, NULL), MR_SCHEMA);
        assert_int_equal(mr_json_raw(r, &text, NULL), MR_OK);
        assert_int_equal(text.n, mega + 3);
        mr_json_close(r);
    }
    mr_buf_fini(&buf);
}

/* A line of any length passes through a small window, and columns count on. */
MR_TEST(lines_of_megabytes)
{
    enum {
        n_number = 2 * mega
    };
    struct mr_buf buf = {0};
    mr_buf_text(&buf, "{}\n[");
    for (uint64_t i = 0; i < n_number; i++)
        mr_buf_printf(&buf, i == 0 ? "%llu" : ",%llu", (unsigned long long)(i * 37 % 9999991));
    mr_buf_text(&buf, ",x]");
    const struct mr_json_options options = {.window_bytes = 4096, .window_max_bytes = 4096};
    struct mr_json *r = NULL;
    struct mr_err err = {0};
    uint64_t *data = NULL;
    size_t cap = 0, n = 0;
    assert_int_equal(mr_json_open_memory(buf.text, buf.n, "long", &options, &r, &err), MR_OK);
    assert_int_equal(mr_json_skip(r, &err), MR_OK);
    assert_int_equal(mr_json_u64_array(r, &data, &cap, &n, &err), MR_PARSE);
    assert_int_equal(n, n_number);
    for (uint64_t i = 0; i < n; i++)
        assert_true(data[i] == i * 37 % 9999991);
    assert_int_equal(err.line, 2);
    assert_int_equal(err.col, buf.n - 4);
    mr_json_close(r);
    mr_free(data);
    mr_buf_fini(&buf);
}

MR_TEST(tokens_beyond_the_limit)
{
    static const struct {
        const char *text;
        int col;
    } cases[] = {
        {"[1,\"0123456789abcdefghij\",2]", 4},
        {"[1,123456789012345678901234,2]", 4},
        {"{\"0123456789abcdefghij\":2}", 2},
    };
    const struct mr_json_options options = {.window_bytes = 8, .window_max_bytes = 16};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct mr_json *r = NULL;
        struct mr_err err = {0};
        assert_int_equal(
            mr_json_open_memory(cases[i].text, strlen(cases[i].text), "m", &options, &r, &err),
            MR_OK);
        assert_int_equal(mr_json_skip(r, &err), MR_LIMIT);
        assert_string_equal(err.text, "more than 16 bytes in one string or number");
        assert_int_equal(err.line, 1);
        assert_int_equal(err.col, cases[i].col);
        assert_int_equal(mr_json_skip_line(r, &err), MR_OK); /* the rest can still be passed over */
        mr_json_close(r);
    }
    struct mr_json *r = NULL;
    struct mr_str text;
    struct mr_err err = {0};
    assert_int_equal(mr_json_open_memory("[1,2,3,4,5,6,7,8,9]", 19, "m", &options, &r, &err),
                     MR_OK);
    assert_int_equal(mr_json_raw(r, &text, &err), MR_LIMIT);
    assert_string_equal(err.text, "more than 16 bytes in one value");
    mr_json_close(r);
}

/* ---- sources ---- */

MR_TEST(compressed_and_cut)
{
    struct mr_buf buf = {0}, expected = {0}, out = {0};
    struct mr_err err = {0};
    struct mr_json *r = NULL;
    void *packed = NULL;
    size_t n_packed;
    for (int i = 0; i < 2000; i++)
        mr_buf_printf(&buf, "{\"i\":%d,\"square\":%d}\n", i, i * i);
    assert_int_equal(mr_gz_compress(buf.text, buf.n, 6, &packed, &n_packed, &err), MR_OK);
    assert_int_equal(mr_json_open_memory(buf.text, buf.n, "m", NULL, &r, &err), MR_OK);
    assert_int_equal(dump(r, &expected), MR_OK);
    mr_json_close(r);
    assert_int_equal(mr_json_open_memory(packed, n_packed, "m", NULL, &r, &err), MR_OK);
    assert_int_equal(dump(r, &out), MR_OK);
    assert_string_equal(out.text, expected.text);
    mr_json_close(r);
    mr_buf_clear(&out);
    assert_int_equal(mr_json_open_memory(packed, n_packed / 2, "m", NULL, &r, &err), MR_OK);
    assert_int_equal(dump(r, &out), MR_PARSE);
    mr_assert_contains(out.text, "gzip data ends after");
    assert_int_equal(mr_json_skip_line(r, &err), MR_PARSE); /* no way on */
    mr_assert_contains(err.text, "gzip data ends after");
    mr_json_close(r);
    mr_free(packed);
    mr_buf_fini(&buf);
    mr_buf_fini(&out);
    mr_buf_fini(&expected);
}

/* A source that fails while a message is made leaves lines in the window: they are read before the
 * failure is told again, and nothing behind them is. */
MR_TEST(lines_left_by_a_failed_source)
{
    enum {
        n_line = 14
    };
    struct mr_buf text = {0};
    struct mr_err err = {0};
    void *packed = NULL;
    size_t n_packed;
    for (int i = 0; i < n_line; i++) /* blank lines out of step with every window */
        mr_buf_printf(&text, "%s%.*s", i % 2 == 0 ? "word" : "[2]", 1 + i * 7 % 5, "\n\n\n\n\n");
    assert_int_equal(mr_gz_compress(text.text, text.n, 6, &packed, &n_packed, &err), MR_OK);
    for (size_t window = 1; window < 80; window++) {
        const struct mr_json_options options = {.window_bytes = window, .is_lines = true};
        struct mr_json *r = NULL;
        int n_good = 0, n_bad = 0;
        mr_status st = mr_json_open_memory(packed, n_packed - 8, "m", &options, &r, &err);
        while (st == MR_OK) {
            bool has_more;
            st = mr_json_document(r, &has_more, NULL);
            if (st == MR_OK)
                st = mr_json_skip(r, NULL);
            n_good += st == MR_OK;
            n_bad += st != MR_OK;
            if (st != MR_OK)
                st = mr_json_skip_line(r, NULL);
        }
        assert_int_equal(n_good, n_line / 2);
        assert_int_equal(n_bad, n_line / 2 + 1); /* the words, and the end that is missing */
        mr_json_close(r);
    }
    mr_free(packed);
    mr_buf_fini(&text);
}

MR_TEST(files_that_cannot_be_read)
{
    struct mr_json *r = NULL;
    struct mr_err err = {0};
    assert_int_equal(mr_json_open(mr_test_tmp_path("absent"), NULL, &r, &err), MR_IO);
    assert_null(r);
    err = (struct mr_err){0};
    assert_int_equal(mr_json_open(mr_test_tmp(), NULL, &r, &err), MR_IO);
    assert_null(r);
    mr_json_close(NULL);
}

static mr_status read_everything(void *context, struct mr_err *err)
{
    const struct mr_json_options options = {.window_bytes = 3};
    const struct mr_str *const text = context;
    struct mr_json *r = NULL;
    uint64_t *data = NULL;
    size_t cap = 0, n = 0;
    bool more = true;
    mr_status st = mr_json_open_memory(text->p, text->n, "m", &options, &r, err);
    while (st == MR_OK && more) {
        st = mr_json_document(r, &more, err);
        if (st == MR_OK && more)
            st = mr_json_u64_array(r, &data, &cap, &n, err);
    }
    mr_free(data);
    mr_json_close(r);
    return st;
}

MR_TEST(every_allocation_may_fail)
{
    struct mr_buf buf = {0};
    mr_buf_text(&buf, "[");
    for (int i = 0; i < 300; i++)
        mr_buf_printf(&buf, "%d,", i);
    mr_buf_text(&buf, "1.0000000000000000000000000000000000000000000000000000]\n[1]");
    struct mr_str text = {buf.text, buf.n};
    mr_test_every_nomem(read_everything, &text);
    mr_buf_fini(&buf);
}

/* ---- what is read can be written and read again ---- */

static void rewrite(struct mr_json *r, struct mr_jsonw *w)
{
    enum mr_json_token token = MR_JSON_NULL;
    struct mr_buf key = {0};
    while (token != MR_JSON_END) {
        assert_int_equal(mr_json_next(r, &token, NULL), MR_OK);
        const struct mr_str text = mr_json_text(r);
        if (token == MR_JSON_BEGIN_OBJECT)
            mr_jsonw_object(w);
        else if (token == MR_JSON_BEGIN_ARRAY)
            mr_jsonw_array(w);
        else if (token == MR_JSON_END_OBJECT || token == MR_JSON_END_ARRAY)
            mr_jsonw_end(w);
        else if (token == MR_JSON_STRING)
            mr_jsonw_str(w, text);
        else if (token == MR_JSON_TRUE || token == MR_JSON_FALSE)
            mr_jsonw_bool(w, token == MR_JSON_TRUE);
        else if (token == MR_JSON_NULL)
            mr_jsonw_null(w);
        if (token == MR_JSON_KEY) {
            mr_buf_clear(&key);
            mr_buf_add(&key, text.p, text.n);
            mr_jsonw_key(w, key.text);
        }
    }
    mr_buf_fini(&key);
}

MR_TEST(writer_and_reader_agree)
{
    static const char text[] =
        "{\"a\":[true,false,null,\"\\u0001\\\"\\\\/\xF0\x9F\x98\x80\",[],{}],\"b\\n\":{\"\":\"\"}}";
    struct mr_buf once = {0}, twice = {0};
    struct mr_jsonw w;
    struct mr_json *r = NULL;
    assert_int_equal(mr_json_open_memory(text, sizeof text - 1, "m", NULL, &r, NULL), MR_OK);
    mr_jsonw_init(&w, &once, 4);
    rewrite(r, &w);
    mr_json_close(r);
    assert_int_equal(mr_json_open_memory(once.text, once.n, "m", NULL, &r, NULL), MR_OK);
    mr_jsonw_init(&w, &twice, 0);
    rewrite(r, &w);
    mr_json_close(r);
    assert_string_equal(twice.text, text);
    mr_buf_fini(&once);
    mr_buf_fini(&twice);
}

/* ---- real files ---- */

static void check(mr_status st, const struct mr_err *err)
{
    if (st != MR_OK)
        fail_msg("%s:%d:%d: %s", err->file, err->line, err->col, err->text);
}

static bool next_document(struct mr_json *r)
{
    struct mr_err err = {0};
    bool has_more = false;
    check(mr_json_document(r, &has_more, &err), &err);
    return has_more;
}

static bool next_key(struct mr_json *r, struct mr_str *key)
{
    struct mr_err err = {0};
    bool has_more = false;
    check(mr_json_key(r, key, &has_more, &err), &err);
    return has_more;
}

static bool next_element(struct mr_json *r)
{
    struct mr_err err = {0};
    bool has_more = false;
    check(mr_json_array_more(r, &has_more, &err), &err);
    return has_more;
}

static uint64_t u64(struct mr_json *r)
{
    struct mr_err err = {0};
    uint64_t value = 0;
    check(mr_json_u64(r, &value, &err), &err);
    return value;
}

static bool is_text(struct mr_json *r, const char *text)
{
    struct mr_err err = {0};
    struct mr_str value = {0};
    check(mr_json_str(r, &value, &err), &err);
    return mr_str_is(value, text);
}

MR_TEST(mooncake_sums)
{
    const char *path = mr_test_data("mooncake/conversation_trace.jsonl.gz");
    if (path == NULL)
        mr_test_skip("no data file mooncake/conversation_trace.jsonl.gz");
    static const char *const names[] = {"timestamp", "input_length", "output_length", "hash_ids"};
    const struct mr_json_options options = {.is_lines = true};
    struct mr_json *r = NULL;
    struct mr_err err = {0};
    uint64_t *ids = NULL, sums[3] = {0}, last = 0, id_max = 0;
    size_t cap = 0, n = 0, n_row = 0;
    struct mr_str key;
    check(mr_json_open(path, &options, &r, &err), &err);
    while (next_document(r)) {
        n_row++;
        check(mr_json_enter_object(r, &err), &err);
        while (next_key(r, &key)) {
            const size_t i = mr_json_key_index(key, names, 4);
            assert_true(i < 4);
            if (i == 3) {
                check(mr_json_u64_array(r, &ids, &cap, &n, &err), &err);
                continue;
            }
            const uint64_t value = u64(r);
            sums[i] += value;
            last = i == 0 ? value : last;
        }
    }
    for (size_t i = 0; i < n; i++)
        id_max = ids[i] > id_max ? ids[i] : id_max;
    assert_int_equal(n_row, 12031);
    assert_int_equal(sums[1], 144793823);
    assert_int_equal(sums[2], 4122048);
    assert_int_equal(n, 288500);
    assert_int_equal(id_max, 182789);
    assert_int_equal(last, 3536999);
    mr_json_close(r);
    mr_free(ids);
}

/* calls, input, output of [0] root and [1] sub-agent requests */
struct totals {
    uint64_t n_trace, n_call[2], n_in[2], n_out[2], n_agent[2], n_block;
};

static void read_requests(struct mr_json *r, int i_stream, struct totals *totals);

/* Blocks of one request: keep, then runs [start, length]; or the list itself. */
static void read_request(struct mr_json *r, int i_stream, struct totals *totals)
{
    struct mr_err err = {0};
    uint64_t *ids = NULL;
    size_t cap = 0;
    struct mr_str key;
    bool is_agent = false, is_done = false;
    check(mr_json_enter_object(r, &err), &err);
    while (next_key(r, &key)) {
        size_t n = 0;
        if (mr_str_is(key, "type")) {
            is_agent = is_text(r, "subagent");
        } else if (mr_str_is(key, "status")) {
            is_done = is_text(r, "completed");
        } else if (mr_str_is(key, "requests")) {
            read_requests(r, 1, totals);
        } else if (mr_str_is(key, "in")) {
            totals->n_in[i_stream] += u64(r);
        } else if (mr_str_is(key, "out")) {
            totals->n_out[i_stream] += u64(r);
        } else if (mr_str_is(key, "keep")) {
            totals->n_block += u64(r);
        } else if (mr_str_is(key, "hash_ids")) {
            check(mr_json_u64_array(r, &ids, &cap, &n, &err), &err);
            totals->n_block += n;
        } else if (mr_str_is(key, "new")) {
            check(mr_json_enter_array(r, &err), &err);
            while (next_element(r)) {
                n = 0;
                check(mr_json_u64_array(r, &ids, &cap, &n, &err), &err);
                assert_int_equal(n, 2);
                totals->n_block += ids[1];
            }
        } else {
            check(mr_json_skip(r, &err), &err);
        }
    }
    totals->n_call[i_stream] += !is_agent;
    totals->n_agent[!is_done] += is_agent;
    mr_free(ids);
}

static void read_requests(struct mr_json *r, int i_stream, struct totals *totals)
{
    struct mr_err err = {0};
    check(mr_json_enter_array(r, &err), &err);
    while (next_element(r))
        read_request(r, i_stream, totals);
}

static struct totals read_traces(const char *path)
{
    struct totals totals = {0};
    struct mr_json *r = NULL;
    struct mr_err err = {0};
    struct mr_str key;
    check(mr_json_open(path, NULL, &r, &err), &err);
    while (next_document(r)) {
        totals.n_trace++;
        check(mr_json_enter_object(r, &err), &err);
        while (next_key(r, &key))
            if (mr_str_is(key, "requests"))
                read_requests(r, 0, &totals);
            else
                check(mr_json_skip(r, &err), &err);
    }
    mr_json_close(r);
    return totals;
}

static void expect_totals(const char *name, struct totals expected)
{
    const char *path = mr_test_data(name);
    if (path == NULL)
        mr_test_skip("no data file %s", name);
    const struct totals totals = read_traces(path);
    assert_int_equal(totals.n_trace, expected.n_trace);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(totals.n_call[i], expected.n_call[i]);
        assert_int_equal(totals.n_in[i], expected.n_in[i]);
        assert_int_equal(totals.n_out[i], expected.n_out[i]);
        assert_int_equal(totals.n_agent[i], expected.n_agent[i]);
    }
    assert_int_equal(totals.n_block, expected.n_block);
}

MR_TEST(agentic_sample_sums)
{
    expect_totals("agentic/packed_ci_sample.jsonl",
                  (struct totals){
                      32, {1098, 264}, {109914880, 12951482}, {604191, 139581}, {24, 0}, 1919128});
}

MR_TEST(agentic_corpus_sums)
{
    expect_totals(
        "agentic/packed_dedup.jsonl.gz",
        (struct totals){
            676, {44082, 676}, {5192381614, 30608098}, {19197631, 343593}, {59, 4}, 81587090});
}

MR_TEST(agentic_raw_sums)
{
    static const struct {
        const char *name;
        uint64_t n_root, n_sub, n_in, n_out, n_block;
    } cases[] = {
        {"agentic/raw/trace_0504.json", 3, 0, 33739, 337, 525},
        {"agentic/raw/trace_0187.json", 3, 0, 35830, 788, 558},
        {"agentic/raw/trace_0291.json", 20, 12, 2254119, 19504, 35209},
        {"agentic/raw/trace_0295_excerpt.json", 7, 37, 2399928, 28051, 37478},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *path = mr_test_data(cases[i].name);
        if (path == NULL)
            mr_test_skip("no data file %s", cases[i].name);
        const struct totals totals = read_traces(path);
        assert_int_equal(totals.n_trace, 1);
        assert_int_equal(totals.n_call[0], cases[i].n_root);
        assert_int_equal(totals.n_call[1], cases[i].n_sub);
        assert_int_equal(totals.n_in[0] + totals.n_in[1], cases[i].n_in);
        assert_int_equal(totals.n_out[0] + totals.n_out[1], cases[i].n_out);
        assert_int_equal(totals.n_block, cases[i].n_block);
    }
}

MR_TEST_MAIN(MR_TEST_ENTRY(every_window_and_every_pace), MR_TEST_ENTRY(every_cut_and_every_window),
             MR_TEST_ENTRY(a_pipe_of_single_bytes), MR_TEST_ENTRY(tokens_of_megabytes),
             MR_TEST_ENTRY(lines_of_megabytes), MR_TEST_ENTRY(tokens_beyond_the_limit),
             MR_TEST_ENTRY(compressed_and_cut), MR_TEST_ENTRY(lines_left_by_a_failed_source),
             MR_TEST_ENTRY(files_that_cannot_be_read), MR_TEST_ENTRY(every_allocation_may_fail),
             MR_TEST_ENTRY(writer_and_reader_agree), MR_TEST_ENTRY(mooncake_sums),
             MR_TEST_ENTRY(agentic_sample_sums), MR_TEST_ENTRY(agentic_corpus_sums),
             MR_TEST_ENTRY(agentic_raw_sums))
