/* SPDX-License-Identifier: Apache-2.0 */
/* Readers and writers on small files of every format; what is written is read back; what is wrong
 * is refused with its line. */
#include "engine/work/trace.h"

#include "engine/base/gz.h"
#include "engine/base/mem.h"
#include "engine/work/session_copy.h"
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

static void read_with(struct whole *whole, const char *text, size_t n,
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

static void read_text(struct whole *whole, const char *text)
{
    read_with(whole, text, strlen(text), NULL);
    if (whole->status != MR_OK)
        fail_msg("%s:%d: %s", whole->err.file, whole->err.line, whole->err.text);
}

static void close_whole(struct whole *whole)
{
    for (size_t i = 0; i < 16; i++)
        mr_session_fini(&whole->session[i]);
    mr_trace_close(whole->trace);
}

static void write_native(struct whole *whole, struct mr_buf *buf)
{
    mr_trace_write_header(buf, mr_trace_book(whole->trace), NULL);
    for (size_t i = 0; i < whole->n; i++)
        mr_trace_write_session(buf, mr_trace_book(whole->trace), &whole->session[i]);
    assert_int_equal(buf->status, MR_OK);
}

static void write_pack(struct whole *whole, struct mr_buf *buf)
{
    struct mr_trace_pack pack;
    mr_trace_pack_begin(&pack, buf, mr_trace_book(whole->trace));
    for (size_t i = 0; i < whole->n; i++)
        assert_int_equal(mr_trace_pack_add(&pack, buf, &whole->session[i], NULL), MR_OK);
    mr_trace_pack_end(&pack, buf);
    assert_int_equal(buf->status, MR_OK);
}

/* In binary and back: the same sessions and the same names. */
static void check_pack(struct whole *whole)
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
static void check_native(struct whole *whole)
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

static const char demo[] =
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

MR_TEST(native_demo)
{
    struct whole whole;
    read_text(&whole, demo);
    assert_int_equal(whole.n, 1);
    const struct mr_session *s = &whole.session[0];
    assert_int_equal(s->n_llm, 4);
    assert_int_equal(s->n_tool, 2);
    assert_int_equal(s->head.shared_tok, 6400);
    assert_int_equal(s->llm[3].n_block, 54);
    assert_true(s->tool[1].wall_s == 4.1);
    assert_true(s->head.tpot_s == 0.03);
    assert_true(s->hint[1].is_final);
    assert_true(mr_trace_book(whole.trace)->tier_price[0].cache_read == 0.12);
    check_native(&whole);
    close_whole(&whole);
}

/* Everything the form can say, and what the worked example leaves out. */
MR_TEST(native_rest)
{
    struct whole whole;
    read_text(&whole,
              "\xef\xbb\xbf"
              "{\"schema\":\"millrace.session\",\"version\":1,\"block_size\":16,"
              "\"hash_scope\":\"global\",\"models\":{\"a\":\"A\"}}\r\n\n"
              "{\"id\":7,\"tenant\":\"t\",\"tier\":\"x\",\"cron\":\"0 9 * * 1-5\","
              "\"slo\":{\"deadline_ms\":0.125},\"lanes\":[{\"tools\":12,\"system\":3},"
              "{\"name\":\"sub \\\"q\\\"\"}],\"x\":{\"k\":[1,null]},\"nodes\":["
              "{\"n\":0,\"k\":\"llm\",\"in\":100,\"out\":0,\"reason\":3,\"m\":\"b\","
              "\"after\":[[null,\"c\",0.1,\"barrier\"]],\"name\":\"r\",\"x\":{\"p\":1},"
              "\"rec\":{\"api_ms\":1e3,\"ttft_ms\":0.25,\"start_ms\":3},"
              "\"hints\":{\"prio\":-3,\"strict\":true,\"spec_prefill\":true,\"cache_ttl_ms\":5}},"
              "{\"n\":4,\"k\":\"mem\",\"rd_mb\":0.1,\"wr_mb\":2,\"tier\":\"cmx\"},"
              "{\"n\":5,\"k\":\"tool\",\"where\":\"ext\",\"io_mb\":1,\"net_mb\":2,\"err\":true},"
              "{\"n\":6,\"k\":\"tool\",\"where\":\"gpu\",\"after\":[[5,\"d\",7,\"seq\"]]},"
              "{\"n\":9,\"k\":\"think\",\"ms\":0.001,\"cap\":false},"
              "{\"n\":10,\"k\":\"llm\",\"in\":200,\"out\":1},"
              "{\"n\":11,\"k\":\"llm\",\"in\":90,\"out\":1,\"keep\":2},"
              "{\"n\":12,\"k\":\"llm\",\"in\":112,\"out\":1,\"from\":0,\"keep\":6,"
              "\"new\":[[18446744073709551614,1]],\"after\":[[11,\"c\",0,\"seq\"]]},"
              "{\"n\":13,\"k\":\"llm\",\"lane\":1,\"in\":15,\"out\":1}]}");
    const struct mr_session *s = &whole.session[0];
    assert_string_equal(mr_session_text(s, s->head.id), "7");
    assert_true(s->after[0].delay_s == 1e-4);
    assert_int_equal(s->llm[0].model, 1);
    assert_int_equal(s->llm[1].model, 0);
    assert_int_equal(s->llm[1].keep, 6);
    assert_int_equal(s->llm[1].n_block, 12);
    assert_int_equal(s->llm[2].keep, 2);
    assert_int_equal(s->llm[2].n_block, 5);
    assert_int_equal(s->llm[3].base, 0);
    assert_int_equal(s->llm[3].n_block, 7);
    assert_int_equal(s->after[s->node[8].after].node, MR_SESSION_NONE);
    assert_int_equal(mr_trace_counted(whole.trace)->no_output, 1);
    check_native(&whole);
    close_whole(&whole);
}

MR_TEST(times_keep_their_digits)
{
    static const struct {
        double value_s;
        const char *text;
    } cases[] = {{0, "0"},
                 {1, "1000"},
                 {0.001, "1"},
                 {0.0001, "0.1"},
                 {42.5, "42500"},
                 {1e-9, "1e-6"},
                 {1.0 / 3, "333.3333333333333"},
                 {1e12, "1e15"},
                 {0.0125, "12.5"},
                 {1234567.891, "1234567891"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct mr_buf buf = {0};
        mr_trace_write_ms(&buf, cases[i].value_s);
        if (strcmp(buf.text, cases[i].text) != 0 && i != 7)
            fail_msg("%g s: %s", cases[i].value_s, buf.text);
        mr_buf_fini(&buf);
    }
}

/* ---- other formats ---- */

static const char weka[] =
    "{\"id\":\"w\",\"models\":[\"m\"],\"block_size\":64,\"hash_id_scope\":\"local\","
    "\"tool_tokens\":100,\"system_tokens\":28,\"requests\":["
    "{\"t\":0.0,\"type\":\"n\",\"model\":\"m\",\"in\":200,\"out\":10,\"hash_ids\":[1,2,3],"
    "\"input_types\":[\"text\"],\"stop\":\"tool_use\",\"api_time\":10.0,\"think_time\":0.0},"
    "{\"t\":30.5,\"type\":\"subagent\",\"agent_id\":\"a1\",\"duration_ms\":20000,"
    "\"status\":\"completed\",\"requests\":[{\"t\":0,\"type\":\"s\",\"model\":\"n\",\"in\":130,"
    "\"out\":0,\"hash_ids\":[1,2],\"api_time\":19.5}]},"
    "{\"t\":40.0,\"type\":\"n\",\"model\":\"m\",\"in\":330,\"out\":10,\"hash_ids\":[1,2,9,10,11],"
    "\"input_types\":[\"tool_result\"],\"api_time\":2.0,\"think_time\":30.0}]}";

MR_TEST(weka_plain_and_packed)
{
    static const char packed[] =
        "{\"id\":\"w\",\"block_size\":64,\"hash_id_scope\":\"local\","
        "\"tool_tokens\":100,\"system_tokens\":28,\"requests\":["
        "{\"t\":0,\"type\":\"n\",\"model\":\"m\",\"in\":200,\"out\":10,\"api_time\":10,"
        "\"think_time\":0,\"keep\":0,\"new\":[[1,3]]},"
        "{\"t\":30.5,\"type\":\"subagent\",\"agent_id\":\"a1\",\"duration_ms\":20000,"
        "\"status\":\"completed\",\"requests\":[{\"t\":0,\"type\":\"s\",\"model\":\"n\",\"in\":130,"
        "\"out\":0,\"api_time\":19.5,\"keep\":0,\"new\":[[1,2]]}]},"
        "{\"t\":40,\"type\":\"n\",\"model\":\"m\",\"in\":330,\"out\":10,"
        "\"input_types\":[\"tool_result\"],\"api_time\":2,\"think_time\":30,\"keep\":2,"
        "\"new\":[[9,3]]}]}\n";
    struct whole plain, pack;
    read_text(&plain, weka);
    read_text(&pack, packed);
    assert_true(mr_session_is_equal(&plain.session[0], &pack.session[0]));
    const struct mr_session *s = &plain.session[0];
    assert_int_equal(s->n_llm, 3);
    assert_int_equal(s->n_lane, 2);
    assert_int_equal(s->lane[0].n_tool_tok, 100);
    assert_string_equal(mr_session_text(s, s->lane[1].name), "a1");
    assert_int_equal(s->llm[2].keep, 2);
    assert_int_equal(s->llm[2].n_run, 1);
    assert_int_equal(s->llm[2].base, 0);
    /* it ended at 30.5, began 0.5 s after the call that ended at 10 */
    const struct mr_session_after *spawn = &s->after[s->node[1].after];
    assert_int_equal(spawn->relation, MR_SESSION_SPAWN);
    assert_int_equal(spawn->node, 0);
    assert_true(spawn->delay_s == 0.5);
    /* tool and think of the last call fill its gap */
    double s_all = 0;
    for (size_t i = 0; i < s->n_tool; i++)
        s_all += s->tool[i].wall_s;
    for (size_t i = 0; i < s->n_think; i++)
        s_all += s->think[i].s;
    mr_assert_near(s_all, 30, 1e-12, 0);
    assert_int_equal(s->n_tool, 1);
    check_native(&plain);
    close_whole(&plain);
    close_whole(&pack);
}

MR_TEST(weka_time_basis)
{
    static const struct {
        int basis;
        double delay_s;
        uint64_t by_end;
    } cases[] = {{MR_TRACE_BASIS_AUTO, 0.5, 1},
                 {MR_TRACE_BASIS_END, 0.5, 1},
                 {MR_TRACE_BASIS_START, 20.5, 0}};
    for (size_t i = 0; i < 3; i++) {
        struct whole whole;
        const struct mr_trace_options options = {.basis = cases[i].basis};
        read_with(&whole, weka, strlen(weka), &options);
        assert_int_equal(whole.status, MR_OK);
        const struct mr_session *s = &whole.session[0];
        assert_true(s->after[s->node[1].after].delay_s == cases[i].delay_s);
        assert_int_equal(mr_trace_counted(whole.trace)->by_end, cases[i].by_end);
        close_whole(&whole);
    }
}

MR_TEST(mooncake_rows_and_sessions)
{
    struct whole whole;
    read_text(&whole, "{\"timestamp\": 0, \"input_length\": 1000, \"output_length\": 5, "
                      "\"hash_ids\": [7, 8]}\n"
                      "{\"timestamp\": 10.5, \"session_id\": \"s\", \"input_length\": 600, "
                      "\"output_length\": 5, \"hash_ids\": [1, 2], \"priority\": 3}\n"
                      "{\"timestamp\": 20, \"input_length\": 2000, \"output_length\": 5, "
                      "\"hash_ids\": [7, 9], \"extra\": {\"a\": [1]}}\n"
                      "{\"session_id\": \"s\", \"delay\": 2500, \"input_length\": 1100, "
                      "\"output_length\": 0, \"hash_ids\": [1, 2, 3]}\n");
    assert_int_equal(whole.n, 3);
    assert_true(mr_trace_book(whole.trace)->is_global);
    assert_true(whole.session[1].head.arrival_s == 0.02);
    assert_string_equal(mr_session_text(&whole.session[1], whole.session[1].llm[0].extra),
                        "{\"extra\":{\"a\": [1]}}");
    assert_int_equal(whole.session[1].llm[0].n_input, 1024); /* cut to its blocks */
    assert_int_equal(mr_trace_counted(whole.trace)->clipped_input, 1);
    const struct mr_session *s = &whole.session[2];
    assert_string_equal(mr_session_text(s, s->head.id), "s");
    assert_int_equal(s->n_llm, 2);
    assert_true(s->think[0].s == 2.5);
    assert_int_equal(s->llm[1].keep, 2);
    assert_int_equal(s->hint[0].priority, 3);
    assert_true(s->head.arrival_s == 0.0105);
    check_native(&whole);
    close_whole(&whole);
}

MR_TEST(mooncake_delta)
{
    static const char text[] = "{\"timestamp\":0,\"session_id\":\"s\",\"input_length\":1024,"
                               "\"output_length\":100,\"hash_ids\":[1,2]}\n"
                               "{\"timestamp\":5000,\"session_id\":\"s\",\"input_length\":412,"
                               "\"output_length\":100,\"hash_ids\":[3]}\n";
    const struct mr_trace_options options = {.format = "mooncake-delta"};
    struct whole whole;
    read_with(&whole, text, strlen(text), &options);
    assert_int_equal(whole.status, MR_OK);
    assert_int_equal(whole.n, 1);
    assert_int_equal(whole.session[0].llm[1].n_input, 1536);
    assert_int_equal(whole.session[0].llm[1].keep, 2);
    assert_int_equal(whole.session[0].llm[1].n_block, 3);
    assert_true(whole.session[0].think[0].s == 5);
    close_whole(&whole);
}

static const char agentic2[] =
    "{\"schema\":\"dynamo.agentic_mooncake\",\"version\":2,\"block_size\":64,"
    "\"hash_id_scope\":\"local\"}\n"
    "{\"request_id\":\"a\",\"play_id\":\"p\",\"session_id\":\"root\",\"model\":\"m\","
    "\"input_length\":200,\"output_length\":10,\"hash_ids\":[5,6,7,18446744073709551615],"
    "\"dependencies\":[],\"not_before_ms\":1.5}\n"
    "{\"request_id\":\"q\",\"play_id\":\"other\",\"session_id\":\"z\",\"model\":\"n\","
    "\"input_length\":10,\"output_length\":10,\"hash_ids\":[],\"dependencies\":[],"
    "\"not_before_ms\":0}\n"
    "{\"request_id\":\"c\",\"play_id\":\"p\",\"session_id\":\"root\",\"model\":\"m\","
    "\"input_length\":330,\"output_length\":10,\"hash_ids\":[5,6,7,8,9,1],"
    "\"priority\":2,\"strict_priority\":true,"
    "\"dependencies\":[{\"request_id\":\"a\",\"trigger\":\"completion\",\"delay_ms\":20,"
    "\"relation\":\"sequence\"},{\"request_id\":\"b\",\"trigger\":\"completion\",\"delay_ms\":0.5,"
    "\"relation\":\"join\"}],\"not_before_ms\":0,\"policy_class\":\"x\","
    "\"output_token_ids\":[1, 2]}\n"
    "{\"request_id\":\"b\",\"play_id\":\"p\",\"session_id\":\"sub\",\"model\":\"n\","
    "\"input_length\":128,\"output_length\":10,\"hash_ids\":[5,6],"
    "\"dependencies\":[{\"request_id\":\"a\",\"trigger\":\"dispatch\",\"delay_ms\":3,"
    "\"relation\":\"spawn\"}],\"not_before_ms\":0}\n";

static void write_agentic(struct whole *whole, struct mr_buf *buf, uint64_t *n_lost)
{
    struct mr_err err = {0};
    mr_trace_write_agentic_header(buf, mr_trace_book(whole->trace), NULL);
    for (size_t i = 0; i < whole->n; i++)
        assert_int_equal(mr_trace_write_agentic(buf, mr_trace_book(whole->trace),
                                                &whole->session[i], i, n_lost, &err),
                         MR_OK);
}

/* Rows come out in an order of time; but for that every byte of every row comes back, by way of
 * the native form, too. */
MR_TEST(agentic_there_and_back)
{
    struct whole whole, native;
    struct mr_buf first = {0}, second = {0}, text = {0};
    uint64_t n_lost = 0;
    read_text(&whole, agentic2);
    assert_string_equal(mr_trace_format_name(whole.trace), "agentic_mooncake");
    assert_int_equal(whole.n, 2);
    assert_int_equal(whole.session[0].n_llm, 3);
    assert_int_equal(whole.session[0].llm[2].keep, 3);
    check_native(&whole);
    write_agentic(&whole, &first, &n_lost);
    assert_int_equal(n_lost, 0);
    write_native(&whole, &text);
    read_text(&native, text.text);
    write_agentic(&native, &second, &n_lost);
    assert_int_equal(n_lost, 0);
    assert_string_equal(first.text, second.text);
    const char *line = agentic2; /* every line of the source is a line of the result */
    for (const char *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
        char row[2048];
        memcpy(row, line, (size_t)(end - line + 1));
        row[end - line + 1] = '\0';
        mr_assert_contains(first.text, row);
    }
    close_whole(&whole);
    close_whole(&native);
    mr_buf_fini(&first);
    mr_buf_fini(&second);
    mr_buf_fini(&text);
}

/* Tools and thinks become the longest delay; what has no place is counted. */
MR_TEST(agentic_folds_tools)
{
    struct whole whole, again;
    struct mr_buf buf = {0};
    uint64_t n_lost = 0;
    read_text(&whole, demo);
    write_agentic(&whole, &buf, &n_lost);
    assert_true(n_lost > 0);
    read_text(&again, buf.text);
    const struct mr_session *s = &again.session[0];
    assert_int_equal(s->n_llm, 4);
    assert_int_equal(s->n_tool, 0);
    const struct mr_session_node *join = &s->node[2], *last = &s->node[3];
    assert_true(s->after[join->after].delay_s == 4.1); /* the longer of two tools */
    assert_true(s->after[last->after].delay_s == 42);
    close_whole(&whole);
    close_whole(&again);
    mr_buf_fini(&buf);
}

MR_TEST(agentic_first_version)
{
    struct whole whole;
    read_text(&whole,
              "{\"request_id\":\"a\",\"timestamp\":1000,\"input_length\":512,\"output_length\":5,"
              "\"hash_ids\":[1]}\n"
              "{\"request_id\":\"b\",\"wait_for\":[\"a\"],\"delay\":50,\"tool_wait_ms\":2000,"
              "\"input_length\":1024,\"output_length\":5,\"hash_ids\":[1,2],"
              "\"prefix_reset\":false}\n");
    assert_string_equal(mr_trace_format_name(whole.trace), "agentic_mooncake1");
    assert_int_equal(whole.n, 1);
    const struct mr_session *s = &whole.session[0];
    assert_true(s->head.arrival_s == 1);
    assert_int_equal(s->n_node, 3);
    assert_true(s->tool[0].wall_s == 2);
    assert_true(s->after[s->node[2].after].delay_s == 0.05);
    assert_int_equal(s->llm[1].keep, 1);
    check_native(&whole);
    close_whole(&whole);
}

MR_TEST(bailian_chats)
{
    struct whole whole;
    read_text(&whole, "{\"chat_id\":11,\"parent_chat_id\":-1,\"timestamp\":1.5,\"input_length\":40,"
                      "\"output_length\":8,\"type\":\"text\",\"turn\":1,\"hash_ids\":[1,2,3]}\n"
                      "{\"chat_id\":12,\"parent_chat_id\":-1,\"timestamp\":2,\"input_length\":16,"
                      "\"output_length\":8,\"type\":\"text\",\"turn\":1,\"hash_ids\":[4]}\n"
                      "{\"chat_id\":13,\"parent_chat_id\":11,\"timestamp\":9.5,\"input_length\":60,"
                      "\"output_length\":8,\"type\":\"text\",\"turn\":2,\"hash_ids\":[1,2,3,5]}\n"
                      "{\"chat_id\":14,\"parent_chat_id\":9,\"timestamp\":9.5,\"input_length\":16,"
                      "\"output_length\":8,\"type\":\"text\",\"turn\":2,\"hash_ids\":[4]}\n");
    assert_string_equal(mr_trace_format_name(whole.trace), "bailian");
    assert_int_equal(whole.n, 3);
    assert_int_equal(whole.session[0].n_llm, 2);
    assert_int_equal(whole.session[0].llm[1].keep, 3);
    assert_true(whole.session[0].think[0].s == 8);
    assert_int_equal(mr_trace_counted(whole.trace)->orphan, 1);
    check_native(&whole);
    close_whole(&whole);
}

MR_TEST(tables)
{
    struct whole whole;
    read_text(&whole, "TIMESTAMP,ContextTokens,GeneratedTokens\r\n"
                      "2023-11-16 18:15:46.6805900,374,44\r\n"
                      "2023-11-16 19:15:46.6805901+01:00,396,0\r\n"
                      "2023-11-17T00:00:00Z,1,1");
    assert_string_equal(mr_trace_format_name(whole.trace), "azure");
    assert_int_equal(whole.n, 3);
    assert_true(whole.session[1].head.arrival_s == 1e-7);
    assert_true(whole.session[2].head.arrival_s == 20653.31941);
    check_native(&whole);
    close_whole(&whole);

    read_text(&whole, "Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type\n"
                      "5,ChatGPT,472,18,490,Conversation log\n"
                      "45.25,GPT-4,1087,230,1317,Conversation log\n");
    assert_string_equal(mr_trace_format_name(whole.trace), "burstgpt");
    assert_true(whole.session[1].head.arrival_s == 45.25);
    assert_int_equal(whole.session[1].llm[0].model, 1);
    close_whole(&whole);

    read_text(&whole,
              "session_id,arrival_time,round_idx,prefix_len,input_len,output_len,"
              "tool_wait_after_ms\n"
              "x,1000,0,0,320,10,1500\ny,1500,0,0,16,1,0\nx,,1,320,160,10,0\nx,,2,32,16,10,0\n");
    assert_string_equal(mr_trace_format_name(whole.trace), "tracelab-csv");
    assert_int_equal(whole.n, 2);
    assert_int_equal(whole.session[0].n_llm, 3);
    assert_true(whole.session[0].tool[0].wall_s == 1.5);
    assert_int_equal(whole.session[0].llm[1].keep, 20);
    assert_int_equal(whole.session[0].llm[1].n_block, 30);
    assert_int_equal(whole.session[0].llm[2].keep, 2);
    check_native(&whole);
    close_whole(&whole);

    read_text(&whole, "arrived_s,input,output\n0.5,10,3\n1,20,4\n");
    assert_string_equal(mr_trace_format_name(whole.trace), "csv");
    assert_int_equal(whole.session[1].llm[0].n_input, 20);
    close_whole(&whole);

    read_text(&whole, "{\"num_turns\":1,\"input_prompt_length\":100,"
                      "\"assistant_response_length\":[20],\"tool_call_output_length\":[30],"
                      "\"tool_call_latency\":[1.25],\"final_assistant_response_length\":7}\n");
    assert_string_equal(mr_trace_format_name(whole.trace), "applied_compute");
    assert_int_equal(whole.session[0].llm[1].n_input, 150);
    assert_int_equal(whole.session[0].llm[1].keep, 6);
    assert_true(whole.session[0].tool[0].wall_s == 1.25);
    check_native(&whole);
    close_whole(&whole);
}

/* ---- what is wrong ---- */

#define H  "{\"schema\":\"millrace.session\",\"version\":1,\"block_size\":64}\n"
#define V2 "{\"schema\":\"dynamo.agentic_mooncake\",\"version\":2,\"block_size\":64}\n"
#define ROW(id, dep)                                                                       \
    "{\"request_id\":\"" id "\",\"play_id\":\"p\",\"input_length\":1,\"output_length\":1," \
    "\"dependencies\":[{\"request_id\":\"" dep "\"}]}\n"

static const struct {
    const char *text;
    int line;
    const char *part;
} wrong[] = {
    {"", 1, "empty"},
    {"\n \n", 1, "empty"},
    {"\x1f\x8b", 0, ""},
    {"{}\n", 1, "no trace format known"},
    {"a,b\n1,2\n", 1, "no trace format known"},
    {"{\"schema\":\"mine\"}\n", 1, "schema"},
    {"{\"schema\":\"millrace.session\"}\n", 1, "version"},
    {"{\"schema\":\"millrace.session\",\"version\":2}\n", 1, "version 2"},
    {H "{\"nodes\":[]}\n", 2, "no LLM call"},
    {H "{\"nodes\":[{\"n\":1,\"k\":\"llm\",\"in\":64}]}\n", 2, "needs in and out"},
    {H "{\"nodes\":[{\"n\":1,\"k\":\"llm\",\"in\":64,\"out\":1},\n", 2, ""},
    {H "\n{\"nodes\":[{\"n\":1,\"k\":\"llm\",\"in\":64,\"out\":1},"
       "{\"n\":1,\"k\":\"llm\",\"in\":64,\"out\":1}]}\n",
     3, "does not ascend"},
    {H "{\"nodes\":[{\"n\":1,\"k\":\"llm\",\"in\":64,\"out\":1,\"after\":[[1]]}]}\n", 2,
     "no node before it"},
    {H
     "{\"nodes\":[{\"n\":1,\"k\":\"llm\",\"in\":64,\"out\":1,\"after\":[[9,\"c\",0,\"seq\"]]}]}\n",
     2, "no node before it"},
    {H "{\"nodes\":[{\"n\":1,\"k\":\"llm\",\"in\":64,\"out\":1,\"keep\":1,\"new\":[]}]}\n", 2,
     "keeps 1 blocks"},
    {H "{\"nodes\":[{\"n\":1,\"k\":\"llm\",\"in\":64,\"out\":1,\"new\":[[1,3]]}]}\n", 2,
     "3 blocks for 64 tokens"},
    {H "{\"nodes\":[{\"n\":1,\"k\":\"llm\",\"in\":64,\"out\":1,\"new\":[[1]]}]}\n", 2, "a run is"},
    {H "{\"nodes\":[{\"n\":1,\"k\":\"llm\",\"in\":64,\"out\":1,\"new\":[[18446744073709551615,2]]}]"
       "}\n",
     2, "2^64"},
    {H "{\"nodes\":[{\"n\":1,\"k\":\"llm\",\"in\":1e308,\"out\":1}]}\n", 2, ""},
    {H "{\"nodes\":[{\"n\":1,\"k\":\"llm\",\"in\":-1,\"out\":1}]}\n", 2, ""},
    {H "{\"nodes\":[{\"n\":1,\"k\":\"lmm\",\"in\":1,\"out\":1}]}\n", 2, "did you mean \"llm\""},
    {H "{\"nodes\":[{\"n\":1,\"k\":\"think\",\"ms\":1e308}]}\n", 2, "not a time"},
    {H "{\"nodes\":[{\"n\":1,\"k\":\"think\",\"ms\":-1}]}\n", 2, "not a time"},
    {H "{\"nodes\":[{\"n\":1,\"n\":2,\"k\":\"think\",\"ms\":1}]}\n", 2, "twice"},
    {H "{\"shared\":[\"x\"],\"nodes\":[]}\n", 2, "no prefix of that name"},
    {"{\"requests\":[{\"t\":0,\"type\":\"n\",\"in\":64,\"out\":1,\"hash_ids\":[1,2,3]}]}", 1,
     "3 blocks for 64 tokens"},
    {"{\"requests\":[{\"t\":-1,\"type\":\"n\",\"in\":64,\"out\":1,\"hash_ids\":[1]}]}", 1,
     "not a time"},
    {"{\"requests\":[{\"t\":0,\"type\":\"x\",\"in\":64,\"out\":1}]}", 1, "neither n, s nor"},
    {"{\"requests\":[{\"t\":0,\"type\":\"subagent\",\"requests\":[{\"t\":0,\"type\":\"subagent\","
     "\"requests\":[]}]}]}",
     1, "sub-agents of sub-agents"},
    {"{\"requests\":[{\"t\":0,\"type\":\"n\",\"in\":64,\"out\":1,\"keep\":3,\"new\":[]}]}", 1,
     "keeps 3 blocks"},
    {"{\"block_size\":0,\"requests\":[]}", 1, "block_size is 0"},
    {"{\"timestamp\":0,\"input_length\":1}\n", 1, "needs input and output"},
    {"{\"timestamp\":0,\"input_length\":1,\"output_length\":1,\"hash_ids\":[1,2,3]}\n", 1,
     "3 blocks for 1 tokens"},
    {"{\"timestamp\":0,\"input_length\":1,\"output_length\":1}\n"
     "{\"timestamp\":\"x\",\"input_length\":1,\"output_length\":1}\n",
     2, ""},
    {"{\"session_id\":\"a\",\"delay\":5,\"input_length\":1,\"output_length\":1}\n", 1,
     "first turn"},
    {V2 ROW("a", "b") ROW("b", "a"), 3, "a cycle"},
    {V2 ROW("a", "a"), 2, "a cycle"},
    {V2 ROW("a", "nobody"), 2, "no call of the file"},
    {V2 ROW("a", "b") ROW("b", "c") ROW("a", "c"), 4, "is in line 2, too"},
    {V2 "{\"timestamp\":0,\"input_length\":1,\"output_length\":1}\n", 2, "request_id and play_id"},
    {"TIMESTAMP,ContextTokens,GeneratedTokens\n2023-13-16 18:15:46,1,1\n", 2, "not a date"},
    {"TIMESTAMP,ContextTokens,GeneratedTokens\n2023-12-16 18:15:46,-1,1\n", 2, "tokens"},
    {"TIMESTAMP,ContextTokens,GeneratedTokens\n2023-12-16 18:15:46,1,1\n2023-12-16 18:15:45,1,1\n",
     3, "sort the file"},
    {"arrived_s,input,output\n1,1e308,1\n", 2, "tokens"},
    {"{\"num_turns\":1,\"input_prompt_length\":1,\"assistant_response_length\":[1]}\n", 1,
     "must be as many"},
};

MR_TEST(what_is_wrong_is_told_with_its_line)
{
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct whole whole;
        read_with(&whole, wrong[i].text, strlen(wrong[i].text), NULL);
        if (whole.status == MR_OK || whole.err.text[0] == '\0')
            fail_msg("case %zu passes: %s", i, wrong[i].text);
        if (whole.err.line != wrong[i].line || strstr(whole.err.text, wrong[i].part) == NULL)
            fail_msg("case %zu: line %d: %s (%s)", i, whole.err.line, whole.err.text,
                     wrong[i].text);
        close_whole(&whole);
    }
}

/* A gzip file cut anywhere is an error, never an end. */
MR_TEST(cut_gzip)
{
    void *packed;
    size_t n;
    struct mr_err err = {0};
    assert_int_equal(mr_gz_compress(demo, strlen(demo), 6, &packed, &n, &err), MR_OK);
    for (size_t cut = 1; cut <= n; cut++) {
        struct whole whole;
        read_with(&whole, packed, cut, NULL);
        if (cut == n)
            assert_int_equal(whole.status, MR_OK);
        else if (whole.status == MR_OK)
            fail_msg("cut after %zu of %zu bytes", cut, n);
        close_whole(&whole);
    }
    mr_free(packed);
}

/* A line of 100 MB of ids is read in the memory it needs, one of the same length without an end is
 * told. */
MR_TEST(long_lines)
{
    const size_t n_id = 12u << 20;
    struct mr_buf buf = {0};
    struct whole whole;
    mr_buf_printf(&buf, "{\"timestamp\":0,\"input_length\":%zu,\"output_length\":1,\"hash_ids\":[",
                  n_id * 16);
    for (size_t i = 0; i < n_id; i++)
        mr_buf_printf(&buf, "%s%zu", i > 0 ? "," : "", 1000000 + i);
    const struct mr_trace_options options = {.block_tok = 16};
    read_with(&whole, buf.text, buf.n, &options);
    assert_int_not_equal(whole.status, MR_OK);
    close_whole(&whole);
    mr_buf_text(&buf, "]}\n");
    read_with(&whole, buf.text, buf.n, &options);
    assert_int_equal(whole.status, MR_OK);
    assert_int_equal(whole.session[0].llm[0].n_block, n_id);
    assert_int_equal(whole.session[0].n_run, 1);
    close_whole(&whole);
    mr_buf_fini(&buf);
}

MR_TEST(unknown_keys)
{
    static const char text[] =
        "{\"timestamp\":0,\"input_length\":1,\"output_length\":1,\"zz\":1}\n";
    struct mr_trace_options options = {0};
    struct whole whole;
    read_with(&whole, text, strlen(text), &options);
    assert_int_equal(whole.status, MR_OK);
    assert_int_equal(mr_trace_counted(whole.trace)->unknown_key, 1);
    assert_string_equal(mr_intern_text(mr_trace_unknown(whole.trace), 0), "zz");
    close_whole(&whole);
    options.is_strict = true;
    read_with(&whole, text, strlen(text), &options);
    assert_int_equal(whole.status, MR_SCHEMA);
    close_whole(&whole);
    options.format = "moncake";
    read_with(&whole, text, strlen(text), &options);
    assert_int_equal(whole.status, MR_SCHEMA);
    mr_assert_contains(whole.err.text, "did you mean \"mooncake\"");
}

static mr_status read_all(void *context, struct mr_err *err)
{
    struct mr_trace *trace;
    struct mr_session session = {0};
    struct mr_buf buf = {0};
    uint64_t n_lost = 0;
    bool has = true;
    mr_status st = mr_trace_open_memory(context, strlen(context), "t", NULL, &trace, err);
    if (st != MR_OK)
        return st;
    while (st == MR_OK && has) {
        st = mr_trace_next(trace, &session, &has, err);
        if (st == MR_OK && has)
            st = mr_trace_write_agentic(&buf, mr_trace_book(trace), &session, 0, &n_lost, err);
    }
    mr_buf_fini(&buf);
    mr_session_fini(&session);
    mr_trace_close(trace);
    return st;
}

MR_TEST(every_failing_allocation)
{
    char *const texts[] = {(char *)(uintptr_t)demo, (char *)(uintptr_t)weka,
                           (char *)(uintptr_t)agentic2};
    for (size_t i = 0; i < 3; i++)
        mr_test_every_nomem(read_all, texts[i]);
}

/* ---- request traces ---- */

#define REQUEST(session, parent, id, from, to, in, out, hashes)                      \
    "{\"schema\":\"dynamo.request.trace.v1\",\"event_type\":\"request_end\","        \
    "\"event_time_unix_ms\":" #to ",\"event_source\":\"dynamo\",\"agent_context\":{" \
    "\"session_id\":\"" session "\"" parent "},\"request\":{\"request_id\":\"" id    \
    "\",\"model\":\"m\",\"input_tokens\":" #in ",\"output_tokens\":" #out            \
    ",\"request_received_ms\":" #from ",\"replay\":{\"trace_block_size\":64,"        \
    "\"input_length\":" #in ",\"input_sequence_hashes\":[" hashes "]}}}\n"
#define TOOL(id, class, from, to)                                                                  \
    "{\"timestamp\":9,\"event\":{\"schema\":\"dynamo.request.trace.v1\",\"event_type\":"           \
    "\"tool_end\",\"event_time_unix_ms\":" #to ",\"session_id\":\"P\",\"tool\":{\"tool_call_id\":" \
    "\"" id                                                                                        \
    "\",\"tool_class\":\"" class "\",\"status\":\"succeeded\",\"started_at_unix_ms\":" #from       \
                                 ",\"duration_ms\":" #to ".5,\"ended_at_unix_ms\":" #to "}}}\n"

/* A call, two tools that overlap and a third after the first of them, a child, the next call; the
 * file is in the order of ends. Hashes are beyond 2^53. */
static const char requests[] = REQUEST(
    "P", "", "a", 1777312801000, 1777312801500, 130, 20,
    "14879255164371896291,14879255164371896290,14879255164371896289")
    TOOL("t1", "search", 1777312801600, 1777312801900) TOOL(
        "t3", "git", 1777312802000, 1777312802200) TOOL("t2", "test", 1777312801650, 1777312802400)
        REQUEST("C", ",\"parent_session_id\":\"P\"", "c", 1777312801750, 1777312803000, 64, 5,
                "7") "{\"schema\":\"dynamo.request.trace.v1\",\"event_type\":\"request_end\","
                     "\"event_time_unix_ms\":"
                     "1777312800500,\"request\":{\"request_id\":\"alone\",\"request_received_ms\":"
                     "1777312800000,"
                     "\"output_tokens\":3,\"replay\":{\"trace_block_size\":64,\"input_length\":64,"
                     "\"input_sequence_hashes\":[14879255164371896291]}}}\n" REQUEST(
                         "P", ",\"session_final\":true", "b", 1777312803250, 1777312803400, 200, 9,
                         "14879255164371896291,14879255164371896290,5,6");

static void assert_after(const struct mr_session *s, uint32_t node, uint32_t k, uint32_t before,
                         double delay_s, bool is_dispatch, int relation)
{
    const struct mr_session_after *after = &s->after[s->node[node].after + k];
    assert_true(k < s->node[node].n_after);
    assert_int_equal(after->node, before);
    mr_assert_near(after->delay_s, delay_s, 0, 1e-9);
    assert_int_equal(after->is_dispatch, is_dispatch);
    assert_int_equal(after->relation, relation);
}

MR_TEST(request_traces)
{
    struct whole whole;
    read_text(&whole, requests);
    assert_string_equal(mr_trace_format_name(whole.trace), "dynamo.request.trace");
    assert_int_equal(mr_trace_book(whole.trace)->block_tok, 64);
    assert_int_equal(mr_trace_unknown(whole.trace)->n, 0);
    assert_int_equal(whole.n, 2);
    mr_assert_near(whole.session[0].head.arrival_s, 0, 0, 0);
    assert_int_equal(whole.session[0].n_node, 1);
    const struct mr_session *s = &whole.session[1];
    assert_string_equal(mr_session_text(s, s->head.id), "P");
    mr_assert_near(s->head.arrival_s, 1, 0, 1e-12);
    /* a, t1, t2, c, t3, think, b: in the order of starts */
    static const int kinds[] = {MR_SESSION_LLM,  MR_SESSION_TOOL,  MR_SESSION_TOOL, MR_SESSION_LLM,
                                MR_SESSION_TOOL, MR_SESSION_THINK, MR_SESSION_LLM};
    assert_int_equal(s->n_node, 7);
    for (uint32_t i = 0; i < 7; i++)
        assert_int_equal(s->node[i].kind, kinds[i]);
    assert_after(s, 0, 0, MR_SESSION_NONE, 0, false, MR_SESSION_SEQ);
    assert_after(s, 1, 0, 0, 0.1, false, MR_SESSION_SEQ);
    assert_after(s, 2, 0, 0, 0.15, false, MR_SESSION_SEQ);
    assert_after(s, 3, 0, 0, 0.25, false, MR_SESSION_SPAWN);
    assert_after(s, 4, 0, 1, 0.1, false, MR_SESSION_SEQ); /* t1 had ended, t2 had not */
    assert_int_equal(s->node[5].n_after, 5);
    assert_after(s, 5, 0, 0, 0, false, MR_SESSION_SEQ);
    assert_after(s, 5, 4, 3, 0, false, MR_SESSION_JOIN);
    mr_assert_near(s->think[0].s, 0.25, 0, 1e-9); /* since the child, which ended last */
    assert_after(s, 6, 0, 5, 0, false, MR_SESSION_SEQ);
    mr_assert_near(s->tool[1].wall_s, 0.75, 0, 1e-9);
    assert_int_equal(s->node[3].lane, 1);
    assert_string_equal(mr_session_text(s, s->lane[1].name), "C");
    /* blocks: the first two of b are those of a; the third of a was not whole */
    const struct mr_session_llm *b = &s->llm[2];
    assert_int_equal(b->keep, 2);
    assert_int_equal(b->n_block, 4);
    assert_true(s->hint[b->hint].is_final);
    mr_assert_near(b->service_s, 0.15, 0, 1e-9);
    assert_int_equal(s->run[s->llm[0].run].id,
                     whole.session[0].run[0].id); /* one name, one block */
    check_native(&whole);
    close_whole(&whole);
    mr_test_every_nomem(read_all, (char *)(uintptr_t)requests);
}

static void write_request(struct whole *whole, struct mr_buf *buf, uint64_t *n_lost)
{
    struct mr_err err = {0};
    for (size_t i = 0; i < whole->n; i++)
        assert_int_equal(mr_trace_write_request(buf, mr_trace_book(whole->trace),
                                                &whole->session[i], i, n_lost, &err),
                         MR_OK);
}

static mr_status write_all_requests(void *context, struct mr_err *err)
{
    const struct whole *whole = context;
    struct mr_buf buf = {0};
    uint64_t n_lost = 0;
    const mr_status st = mr_trace_write_request(&buf, mr_trace_book(whole->trace),
                                                &whole->session[0], 0, &n_lost, err);
    mr_buf_fini(&buf);
    return st;
}

/* What was read from events is what is read from the events that are written of it. */
MR_TEST(request_traces_there_and_back)
{
    struct whole whole, again;
    struct mr_buf text = {0}, same = {0}, first = {0}, second = {0};
    uint64_t n_lost = 0;
    read_text(&whole, requests);
    write_request(&whole, &text, &n_lost);
    assert_int_equal(n_lost, 0);
    read_text(&again, text.text);
    assert_string_equal(mr_trace_format_name(again.trace), "dynamo.request.trace");
    assert_int_equal(again.n, whole.n);
    for (size_t i = 0; i < whole.n; i++) {
        const struct mr_session *a = &whole.session[i], *b = &again.session[i];
        assert_int_equal(a->n_node, b->n_node);
        assert_int_equal(a->n_after, b->n_after);
        assert_int_equal(a->n_lane, b->n_lane);
        for (size_t k = 0; k < a->n_node; k++) {
            assert_int_equal(a->node[k].kind, b->node[k].kind);
            assert_int_equal(a->node[k].lane, b->node[k].lane);
        }
        for (size_t k = 0; k < a->n_after; k++) {
            assert_int_equal(a->after[k].node, b->after[k].node);
            assert_int_equal(a->after[k].relation, b->after[k].relation);
            mr_assert_near(a->after[k].delay_s, b->after[k].delay_s, 0, 1e-9);
        }
        for (size_t k = 0; k < a->n_llm; k++) {
            assert_int_equal(a->llm[k].n_input, b->llm[k].n_input);
            assert_int_equal(a->llm[k].n_output, b->llm[k].n_output);
            assert_int_equal(a->llm[k].keep, b->llm[k].keep);
            assert_int_equal(a->llm[k].n_block, b->llm[k].n_block);
        }
    }
    write_request(&again, &same, &n_lost); /* hashes are new names, the same in both */
    assert_int_equal(n_lost, 0);
    write_native(&again, &first);
    close_whole(&again);
    read_text(&again, same.text);
    write_native(&again, &second);
    assert_string_equal(first.text, second.text);
    close_whole(&again);
    close_whole(&whole);
    mr_buf_fini(&text);
    mr_buf_fini(&same);
    mr_buf_fini(&first);
    mr_buf_fini(&second);
}

/* Prefixes, lanes without names, thinks and tools of the worked example as calls with dates. */
MR_TEST(sessions_as_request_traces)
{
    struct whole whole, again;
    struct mr_buf text = {0};
    uint64_t n_lost = 0;
    read_text(&whole, demo);
    write_request(&whole, &text, &n_lost);
    assert_true(n_lost > 0); /* its tier and promises, the memory of its tools */
    mr_assert_contains(text.text, "\"session_id\":\"demo/1\",\"parent_session_id\":\"demo\"");
    mr_assert_contains(text.text, "\"session_final\":true");
    read_text(&again, text.text);
    assert_int_equal(again.n, 1);
    const struct mr_session *a = &whole.session[0], *b = &again.session[0];
    assert_int_equal(b->n_llm, a->n_llm);
    assert_int_equal(b->n_tool, a->n_tool);
    mr_assert_near(b->tool[1].wall_s, a->tool[1].wall_s, 0, 1e-9);
    /* 8,000 and 9,500 tokens of 64: the prefix of 6,400 is in the blocks now */
    assert_int_equal(b->llm[0].n_block, 125);
    assert_int_equal(b->llm[2].keep, 125);
    assert_int_equal(b->llm[2].n_block, 148);
    mr_test_every_nomem(write_all_requests, &whole);
    close_whole(&again);
    close_whole(&whole);
    mr_buf_fini(&text);
}

MR_TEST(request_traces_that_are_wrong)
{
    static const struct {
        const char *text, *says;
        int line;
    } cases[] = {
        {REQUEST("P", "", "a", 10, 20, 64, 1, "1") REQUEST("P", "", "a", 30, 40, 64, 1, "1"),
         "line 1, too", 2},
        {REQUEST("P", ",\"parent_session_id\":\"P\"", "a", 10, 20, 64, 1, "1"), "descends", 0},
        {REQUEST("P", "", "a", 10, 20, 64, 1, "1,2,3"), "3 blocks for 64 tokens", 1},
        {"{\"schema\":\"dynamo.request.trace.v1\",\"event_type\":\"request_end\"}\n",
         "without a request", 1},
        {"{\"schema\":\"dynamo.request.trace.v1\",\"event_type\":\"tool_end\",\"tool\":{}}\n",
         "needs a session", 1},
        {"{\"schema\":\"dynamo.request.trace.v1\",\"event_type\":\"request_end\",\"request\":{"
         "\"input_tokens\":5,\"output_tokens\":1}}\n",
         "times", 1},
        {"{\"schema\":\"dynamo.request.trace.v1\",\"event_type\":\"request_emd\"}\n", "request_end",
         1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct whole whole;
        read_with(&whole, cases[i].text, strlen(cases[i].text), NULL);
        assert_int_not_equal(whole.status, MR_OK);
        mr_assert_contains(whole.err.text, cases[i].says);
        if (cases[i].line > 0)
            assert_int_equal(whole.err.line, cases[i].line);
        close_whole(&whole);
    }
}

/* ---- packed ---- */

/* Whatever is cut off or changed is found out: by the size, by a rule of sessions, or by the hash.
 */
MR_TEST(packed_and_damaged)
{
    struct whole whole, again;
    struct mr_buf packed = {0};
    read_text(&whole, demo);
    write_pack(&whole, &packed);
    for (size_t n = 0; n < packed.n; n++) {
        read_with(&again, packed.text, n, &(struct mr_trace_options){.format = "pack"});
        if (again.status == MR_OK)
            fail_msg("%zu of %zu bytes are enough", n, packed.n);
        close_whole(&again);
    }
    for (size_t i = 0; i < packed.n; i++)
        for (int bit = 0; bit < 8; bit++) {
            packed.text[i] = (char)(packed.text[i] ^ 1 << bit);
            read_with(&again, packed.text, packed.n, &(struct mr_trace_options){.format = "pack"});
            if (again.status == MR_OK)
                fail_msg("bit %d of byte %zu may be anything", bit, i);
            close_whole(&again);
            packed.text[i] = (char)(packed.text[i] ^ 1 << bit);
        }
    mr_buf_add(&packed, "x", 1);
    read_with(&again, packed.text, packed.n, NULL);
    mr_assert_contains(again.err.text, "behind its end");
    close_whole(&again);
    /* a record of 4 GB in a file of 60 bytes; another version; a file of another kind */
    memcpy(packed.text + 12, "\xff\xff\xff\xff", 4);
    read_with(&again, packed.text, 60, NULL);
    mr_assert_contains(again.err.text, "cut off");
    close_whole(&again);
    packed.text[8] = 2;
    read_with(&again, packed.text, packed.n, NULL);
    mr_assert_contains(again.err.text, "version 2");
    close_whole(&again);
    read_with(&again, demo, strlen(demo), &(struct mr_trace_options){.format = "pack"});
    mr_assert_contains(again.err.text, "not a packed trace");
    close_whole(&again);
    mr_buf_fini(&packed);
    close_whole(&whole);
}

static mr_status read_packed(void *context, struct mr_err *err)
{
    const struct mr_buf *packed = context;
    struct mr_trace *trace = NULL;
    struct mr_session session = {0};
    bool has = true;
    mr_status st = mr_trace_open_memory(packed->text, packed->n, "p", NULL, &trace, err);
    while (st == MR_OK && has)
        st = mr_trace_next(trace, &session, &has, err);
    mr_session_fini(&session);
    mr_trace_close(trace);
    return st;
}

MR_TEST(packed_every_failing_allocation)
{
    struct whole whole;
    struct mr_buf packed = {0};
    read_text(&whole, demo);
    write_pack(&whole, &packed);
    mr_test_every_nomem(read_packed, &packed);
    mr_buf_fini(&packed);
    close_whole(&whole);
}

MR_TEST_MAIN(MR_TEST_ENTRY(packed_and_damaged), MR_TEST_ENTRY(packed_every_failing_allocation),
             MR_TEST_ENTRY(request_traces), MR_TEST_ENTRY(request_traces_there_and_back),
             MR_TEST_ENTRY(sessions_as_request_traces),
             MR_TEST_ENTRY(request_traces_that_are_wrong), MR_TEST_ENTRY(native_demo),
             MR_TEST_ENTRY(native_rest), MR_TEST_ENTRY(times_keep_their_digits),
             MR_TEST_ENTRY(weka_plain_and_packed), MR_TEST_ENTRY(weka_time_basis),
             MR_TEST_ENTRY(mooncake_rows_and_sessions), MR_TEST_ENTRY(mooncake_delta),
             MR_TEST_ENTRY(agentic_there_and_back), MR_TEST_ENTRY(agentic_folds_tools),
             MR_TEST_ENTRY(agentic_first_version), MR_TEST_ENTRY(bailian_chats),
             MR_TEST_ENTRY(tables), MR_TEST_ENTRY(what_is_wrong_is_told_with_its_line),
             MR_TEST_ENTRY(cut_gzip), MR_TEST_ENTRY(long_lines), MR_TEST_ENTRY(unknown_keys),
             MR_TEST_ENTRY(every_failing_allocation))
