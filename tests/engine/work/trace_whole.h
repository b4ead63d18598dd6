/* SPDX-License-Identifier: Apache-2.0 */
/* Workload files of a few lines, read whole: for tests of readers and writers. */
#ifndef MR_TESTS_ENGINE_WORK_TRACE_WHOLE_H
#define MR_TESTS_ENGINE_WORK_TRACE_WHOLE_H

#include "engine/base/mem.h"
#include "engine/work/session_copy.h"
#include "engine/work/trace.h"
#include "engine/work/trace_pack.h"
#include "engine/work/trace_write.h"
#include "tests/test.h"

/* All sessions of a text. */
struct whole {
    struct mr_session session[16];
    size_t n;
    struct mr_trace *trace;
    struct mr_err err;
    mr_status status;
};

static MR_UNUSED void read_with(struct whole *whole, const char *text, size_t n,
                                const struct mr_trace_options *options)
{
    bool has = true;
    *whole = (struct whole){0};
    whole->status = mr_trace_open_memory(text, n, "t", options, &whole->trace, &whole->err);
    while (whole->status == MR_OK && has) {
        assert_true(whole->n < 16);
        whole->status = mr_trace_next(whole->trace, &whole->session[whole->n], &has, &whole->err);
        whole->n += whole->status == MR_OK && has;
    }
}

static MR_UNUSED void read_text(struct whole *whole, const char *text)
{
    read_with(whole, text, strlen(text), NULL);
    if (whole->status != MR_OK)
        fail_msg("%s:%d: %s", whole->err.file, whole->err.line, whole->err.text);
}

static MR_UNUSED void close_whole(struct whole *whole)
{
    for (size_t i = 0; i < 16; i++)
        mr_session_fini(&whole->session[i]);
    mr_trace_close(whole->trace);
}

static MR_UNUSED void write_native(struct whole *whole, struct mr_buf *buf)
{
    mr_trace_write_header(buf, mr_trace_book(whole->trace), NULL);
    for (size_t i = 0; i < whole->n; i++)
        mr_trace_write_session(buf, mr_trace_book(whole->trace), &whole->session[i]);
    assert_int_equal(buf->status, MR_OK);
}

static MR_UNUSED void write_pack(struct whole *whole, struct mr_buf *buf)
{
    struct mr_trace_pack pack;
    mr_trace_pack_begin(&pack, buf, mr_trace_book(whole->trace));
    for (size_t i = 0; i < whole->n; i++)
        assert_int_equal(mr_trace_pack_add(&pack, buf, &whole->session[i], NULL), MR_OK);
    mr_trace_pack_end(&pack, buf);
    assert_int_equal(buf->status, MR_OK);
}

/* In binary and back: the same sessions and the same names. */
static MR_UNUSED void check_pack(struct whole *whole)
{
    struct mr_buf packed = {0}, first = {0}, second = {0};
    struct whole again;
    write_pack(whole, &packed);
    read_with(&again, packed.text, packed.n, NULL);
    if (again.status != MR_OK)
        fail_msg("%s:%d: %s", again.err.file, again.err.line, again.err.text);
    assert_string_equal(mr_trace_format_name(again.trace), "pack");
    assert_int_equal(again.n, whole->n);
    for (size_t i = 0; i < whole->n; i++)
        assert_true(mr_session_is_equal(&whole->session[i], &again.session[i]));
    write_native(whole, &first);
    write_native(&again, &second);
    assert_string_equal(first.text, second.text);
    close_whole(&again);
    mr_buf_fini(&packed);
    mr_buf_fini(&first);
    mr_buf_fini(&second);
}

/* To the native form and back: the same sessions; and written again: the same bytes. */
static MR_UNUSED void check_native(struct whole *whole)
{
    struct mr_buf first = {0}, second = {0};
    struct whole again;
    write_native(whole, &first);
    read_text(&again, first.text);
    assert_string_equal(mr_trace_format_name(again.trace), "millrace");
    assert_int_equal(again.n, whole->n);
    for (size_t i = 0; i < whole->n; i++)
        if (!mr_session_is_equal(&whole->session[i], &again.session[i]))
            fail_msg("session %zu changed: %s", i, first.text);
    write_native(&again, &second);
    assert_string_equal(first.text, second.text);
    close_whole(&again);
    mr_buf_fini(&first);
    mr_buf_fini(&second);
    check_pack(whole);
}

static MR_UNUSED const char demo[] =
    "{\"schema\":\"millrace.session\",\"version\":1,\"time_base\":\"ms\",\"block_size\":64,"
    "\"hash_scope\":\"local\",\"models\":{\"big\":\"DeepSeek-R1\",\"small\":\"Llama-3.1-8B\"},"
    "\"tiers\":{\"high\":{\"in\":1.2,\"cache_write\":1.5,\"cache_read\":0.12,\"out\":6}},"
    "\"prefixes\":{\"tools-v1\":6400}}\n"
    "{\"id\":\"demo\",\"arrival_ms\":0,\"tier\":\"high\",\"priority\":1,"
    "\"slo\":{\"ttft_ms\":2000,\"tpot_ms\":30},\"shared\":[\"tools-v1\"],\"nodes\":["
    "{\"n\":1,\"k\":\"llm\",\"in\":8000,\"out\":200,\"keep\":0,\"new\":[[1,25]],"
    "\"hints\":{\"osl\":200}},"
    "{\"n\":2,\"k\":\"tool\",\"class\":\"file\",\"where\":\"cpu\",\"cpu_ms\":25,\"wall_ms\":26,"
    "\"mem_mb\":210,\"out_tokens\":400,\"after\":[[1,\"c\",0,\"seq\"]]},"
    "{\"n\":3,\"k\":\"tool\",\"class\":\"test\",\"where\":\"cpu\",\"cpu_ms\":3350,"
    "\"wall_ms\":4100,\"mem_mb\":287,\"out_tokens\":700,\"after\":[[1,\"c\",0,\"seq\"]]},"
    "{\"n\":4,\"k\":\"llm\",\"lane\":1,\"m\":\"small\",\"in\":7040,\"out\":150,\"keep\":0,"
    "\"new\":[[100,10]],\"after\":[[1,\"c\",50,\"spawn\"]]},"
    "{\"n\":5,\"k\":\"llm\",\"lane\":0,\"in\":9500,\"out\":300,\"keep\":25,\"new\":[[26,23]],"
    "\"after\":[[2,\"c\",0,\"seq\"],[3,\"c\",0,\"seq\"],[4,\"c\",0,\"join\"]]},"
    "{\"n\":6,\"k\":\"think\",\"ms\":42000,\"after\":[[5,\"c\",0,\"seq\"]]},"
    "{\"n\":7,\"k\":\"llm\",\"in\":9900,\"out\":120,\"keep\":48,\"new\":[[49,6]],"
    "\"hints\":{\"session_final\":true},\"after\":[[6,\"c\",0,\"seq\"]]}]}\n";

static MR_UNUSED void write_agentic(struct whole *whole, struct mr_buf *buf,
                                    struct mr_trace_lost *lost)
{
    struct mr_err err = {0};
    mr_trace_write_agentic_header(buf, mr_trace_book(whole->trace), NULL);
    for (size_t i = 0; i < whole->n; i++)
        assert_int_equal(mr_trace_write_agentic(buf, mr_trace_book(whole->trace),
                                                &whole->session[i], i, lost, &err),
                         MR_OK);
}

/* For mr_test_every_nomem. @param[in] context the text */
static MR_UNUSED mr_status read_all(void *context, struct mr_err *err)
{
    struct mr_trace *trace;
    struct mr_session session = {0};
    struct mr_buf buf = {0};
    struct mr_trace_lost lost = {0};
    bool has = true;
    mr_status st = mr_trace_open_memory(context, strlen(context), "t", NULL, &trace, err);
    if (st != MR_OK)
        return st;
    while (st == MR_OK && has) {
        st = mr_trace_next(trace, &session, &has, err);
        if (st == MR_OK && has)
            st = mr_trace_write_agentic(&buf, mr_trace_book(trace), &session, 0, &lost, err);
    }
    mr_buf_fini(&buf);
    mr_session_fini(&session);
    mr_trace_close(trace);
    return st;
}

static MR_UNUSED void check_wrong(const char *text, int line, const char *part)
{
    struct whole whole;
    read_with(&whole, text, strlen(text), NULL);
    if (whole.status == MR_OK || strstr(whole.err.text, part) == NULL || whole.err.line != line)
        fail_msg("%s: %d: line %d, not %d: %s", text, (int)whole.status, whole.err.line, line,
                 whole.err.text);
    close_whole(&whole);
}

#endif
