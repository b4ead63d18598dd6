/* SPDX-License-Identifier: Apache-2.0 */
/* OpenTelemetry spans as sessions. */
#include "tests/engine/work/trace_whole.h"

#define S(key, text) "{\"key\":\"" key "\",\"value\":{\"stringValue\":\"" text "\"}}"
#define I(key, n)    "{\"key\":\"" key "\",\"value\":{\"intValue\":\"" #n "\"}}"
#define SPAN(trace, id, parent, from, to, atts)                                   \
    "{\"traceId\":\"" trace "\",\"spanId\":\"" id "\",\"parentSpanId\":\"" parent \
    "\",\"startTimeUnixNano\":\"1" #from "000000\",\"endTimeUnixNano\":\"1" #to   \
    "000000\",\"attributes\":[" atts "]}"
#define CALL(trace, id, parent, from, to, in, out, more)                           \
    SPAN(trace, id, parent, from, to,                                              \
         S("gen_ai.operation.name", "chat") "," I("gen_ai.usage.input_tokens",     \
                                                  in) "," I("gen_ai.usage.output_" \
                                                            "tokens",              \
                                                            out) more)
#define CACHED(n) "," I("gen_ai.usage.cache_read.input_tokens", n)
#define AGENT(trace, id, parent, from, to, more) \
    SPAN(trace, id, parent, from, to, S("gen_ai.operation.name", "invoke_agent") more)
#define TOOL(trace, id, parent, from, to, name) \
    SPAN(trace, id, parent, from, to,           \
         S("gen_ai.operation.name", "execute_tool") "," S("gen_ai.tool.name", name))
#define FILE_OF(spans)                                                  \
    "{\"resourceSpans\":[{\"resource\":{},\"scopeSpans\":[{\"scope\":{" \
    "\"name\":\"x\"},\"spans\":[" spans "]}]}]}\n"

/* A turn of an agent: a call, a tool beside a tool that runs another agent of two calls, the next
 * call; then the next turn of the conversation, in a trace and a line of its own. Spans are written
 * when they end. */
static const char turns[] =
    FILE_OF(CALL("t1", "c1", "a1", 00000, 02000, 1000, 50, CACHED(0)) "," TOOL(
        "t1", "x1", "h1", 02100, 02600,
        "grep") "," CALL("t1", "c3", "a2", 02500, 03000, 300, 20,
                         "") "," CALL("t1", "c4", "a2", 03500, 04000, 400, 20,
                                      CACHED(
                                          256)) "," AGENT("t1", "a2", "x2", 02400, 04100,
                                                          "") "," TOOL("t1", "x2", "a1", 02200,
                                                                       04200,
                                                                       "task") "," CALL("t1", "c2",
                                                                                        "a1", 05000,
                                                                                        06000, 1400,
                                                                                        70,
                                                                                        CACHED(
                                                                                            1024)))
        FILE_OF(SPAN("t1", "h1", "a1", 02000, 02700, "") "," AGENT(
            "t1", "a1", "", 00000, 06000, "," S("gen_ai.conversation.id", "conv")))
            FILE_OF(AGENT("t2", "a1", "gone", 20000, 22000,
                          "," S("gen_ai.conversation.id",
                                "conv")) "," CALL("t2", "c1", "a1", 20000, 22000, 1600, 10,
                                                  CACHED(1472)) "," CALL("t3", "c1", "", 30000,
                                                                         31000, 64, 1, ""));

static void assert_after(const struct mr_session *s, uint32_t node, uint32_t k, uint32_t before,
                         double delay_s, int relation)
{
    const struct mr_session_after *after = &s->after[s->node[node].after + k];
    assert_true(k < s->node[node].n_after);
    assert_int_equal(after->node, before);
    mr_assert_near(after->delay_s, delay_s, 0, 1e-6);
    assert_int_equal(after->relation, relation);
}

MR_TEST(turns_of_agents)
{
    struct whole whole;
    read_text(&whole, turns);
    assert_string_equal(mr_trace_format_name(whole.trace), "otel");
    assert_int_equal(mr_trace_unknown(whole.trace)->n, 0);
    assert_int_equal(whole.n, 2);
    const struct mr_session *s = &whole.session[0];
    assert_string_equal(mr_session_text(s, s->head.id), "conv");
    /* c1, x1, c3, think, c4, think, c2, think, c1 of the next turn; x2 is what a2 does */
    static const int kinds[] = {MR_SESSION_LLM,   MR_SESSION_TOOL,  MR_SESSION_LLM,
                                MR_SESSION_THINK, MR_SESSION_LLM,   MR_SESSION_THINK,
                                MR_SESSION_LLM,   MR_SESSION_THINK, MR_SESSION_LLM};
    assert_int_equal(s->n_node, 9);
    for (uint32_t i = 0; i < 9; i++)
        assert_int_equal(s->node[i].kind, kinds[i]);
    assert_int_equal(s->n_tool, 1);
    mr_assert_near(s->tool[0].wall_s, 0.5, 0, 1e-6);
    assert_string_equal(mr_intern_text(&mr_trace_book(whole.trace)->class, s->tool[0].class),
                        "grep");
    assert_after(s, 1, 0, 0, 0.1, MR_SESSION_SEQ);
    assert_after(s, 2, 0, 0, 0.5, MR_SESSION_SPAWN);
    assert_int_equal(s->node[2].lane, 1);
    assert_string_equal(mr_session_text(s, s->lane[1].name), "t1/a2");
    mr_assert_near(s->think[0].s, 0.5, 0, 1e-6);
    mr_assert_near(s->think[1].s, 1, 0, 1e-6);  /* since a2's last call: 4 to 5 */
    mr_assert_near(s->think[2].s, 14, 0, 1e-6); /* the user's */
    assert_int_equal(s->node[8].lane, 0);
    /* blocks of 64: c3 is new, c4 keeps 4, c2 has found 16, the next turn 23 of c2's 21 */
    static const uint32_t keep[] = {0, 0, 4, 15, 21}, n_block[] = {15, 4, 6, 21, 25};
    for (uint32_t i = 0; i < 5; i++) {
        assert_int_equal(s->llm[i].keep, keep[i]);
        assert_int_equal(s->llm[i].n_block, n_block[i]);
    }
    mr_assert_near(s->llm[0].service_s, 2, 0, 1e-6);
    assert_string_equal(mr_session_text(s, s->llm[0].name), "t1/c1");
    mr_assert_near(whole.session[1].head.arrival_s, 30, 0, 1e-6);
    assert_string_equal(mr_session_text(&whole.session[1], whole.session[1].head.id), "t3");
    check_native(&whole);
    close_whole(&whole);
    mr_test_every_nomem(read_all, (char *)(uintptr_t)turns);
}

/* c2 and c3 of one agent overlap, c4 begins when the longer of them, begun first, has ended; a
 * child does the same, and its parent goes on when both of its calls have ended. */
MR_TEST(calls_beside_calls)
{
    struct whole whole;
    read_text(&whole, FILE_OF(AGENT("t", "a", "", 00000, 62000, "") "," CALL(
                          "t", "c1", "a", 00000, 02000, 640, 10,
                          "") "," CALL("t", "c2", "a", 02000, 50000, 650, 80,
                                       "") "," CALL("t", "c3", "a", 02100, 08000, 320, 10,
                                                    "") "," CALL("t", "c4", "a", 50100, 52000, 1500,
                                                                 10, "")));
    const struct mr_session *s = &whole.session[0];
    assert_int_equal(s->n_node, 5); /* c1, c2, c3, think, c4 */
    assert_int_equal(s->node[3].kind, MR_SESSION_THINK);
    mr_assert_near(s->think[0].s, 0.1, 0, 1e-6);
    assert_int_equal(s->node[3].n_after, 2);
    assert_after(s, 3, 0, 2, 0, MR_SESSION_SEQ);
    assert_after(s, 3, 1, 1, 0, MR_SESSION_SEQ);
    close_whole(&whole);
    read_text(&whole,
              FILE_OF(AGENT("t", "a", "", 00000, 62000, "") "," AGENT(
                  "t", "b", "a", 02000, 50000,
                  "") "," CALL("t", "c1", "a", 00000, 02000, 640, 10,
                               "") "," CALL("t", "c2", "b", 02000, 50000, 650, 80,
                                            "") "," CALL("t", "c3", "b", 02100, 08000, 320, 10,
                                                         "") "," CALL("t", "c4", "a", 50100, 52000,
                                                                      1500, 10, "")));
    s = &whole.session[0];
    assert_int_equal(s->n_node, 5);
    mr_assert_near(s->think[0].s, 0.1, 0, 1e-6);
    assert_int_equal(s->node[3].n_after, 3);
    assert_after(s, 3, 0, 0, 0, MR_SESSION_SEQ);
    assert_after(s, 3, 1, 2, 0, MR_SESSION_JOIN);
    assert_after(s, 3, 2, 1, 0, MR_SESSION_JOIN);
    close_whole(&whole);
}

/* A framework's call around those of its client, of which one failed and one made a tool's call:
 * c1 and c3 are one call each, c2 and c4 two. */
MR_TEST(calls_around_calls)
{
    struct whole whole;
    read_text(
        &whole,
        FILE_OF(CALL("t", "i1", "h", 00100, 01900, 640, 10, "") "," AGENT("t", "a", "", 00000, 62000, "") "," CALL("t", "c1", "a", 00000, 02000, 640, 10, "") "," SPAN(
            "t", "h", "c1", 00000,
            01000,
            "") "," SPAN("t", "i3", "c3", 02100, 02900,
                         S("gen_ai.operation.name",
                           "chat")) "," CALL("t", "c3", "a", 02000, 03000, 700, 10,
                                             "") "," CALL("t", "c2", "a", 03000, 06000, 800, 10,
                                                          "") "," TOOL("t", "x2", "c2", 04000,
                                                                       05000,
                                                                       "task") "," CALL("t", "i2",
                                                                                        "x2",
                                                                                        04100,
                                                                                        04900, 900,
                                                                                        10,
                                                                                        "") "," CALL("t",
                                                                                                     "c4",
                                                                                                     "a",
                                                                                                     06000,
                                                                                                     09000,
                                                                                                     2300,
                                                                                                     20,
                                                                                                     "") "," CALL("t",
                                                                                                                  "i5",
                                                                                                                  "c4",
                                                                                                                  07000,
                                                                                                                  08000,
                                                                                                                  1200,
                                                                                                                  10,
                                                                                                                  "") "," CALL("t",
                                                                                                                               "i4",
                                                                                                                               "c4",
                                                                                                                               06000,
                                                                                                                               07000,
                                                                                                                               1100,
                                                                                                                               10,
                                                                                                                               "")));
    static const uint32_t input[] = {640, 700, 800, 900, 1100, 1200};
    const struct mr_session *s = &whole.session[0];
    assert_int_equal(whole.n, 1);
    assert_int_equal(s->n_llm, 6);
    for (uint32_t i = 0; i < 6; i++)
        assert_int_equal(s->llm[i].n_input, input[i]);
    assert_int_equal(s->n_tool, 0); /* the tool is the call below it */
    assert_int_equal(mr_trace_counted(whole.trace)->around, 2);
    assert_int_equal(mr_trace_counted(whole.trace)->no_length, 1);
    close_whole(&whole);
}

/* It is told that they end before they begin; they take no time. */
MR_TEST(spans_that_end_before_they_begin)
{
    struct whole whole;
    read_text(&whole, FILE_OF(CALL("t", "c1", "", 02000, 01000, 640, 10,
                                   "") "," CALL("t", "c2", "", 03000, 04000, 700, 10, "")));
    assert_int_equal(mr_trace_counted(whole.trace)->backward, 1);
    mr_assert_near(whole.session[0].llm[0].service_s, 0, 0, 0);
    mr_assert_near(whole.session[0].llm[1].start_s, 1, 0, 1e-6);
    close_whole(&whole);
}

MR_TEST(turns_as_agentic_mooncake)
{
    struct whole whole, again;
    struct mr_buf first = {0}, second = {0};
    struct mr_trace_lost lost = {0};
    read_text(&whole, turns);
    write_agentic(&whole, &first, &lost);
    read_text(&again, first.text);
    assert_int_equal(again.n, 2);
    assert_int_equal(again.session[0].n_llm, 5);
    write_agentic(&again, &second, &lost);
    assert_string_equal(first.text, second.text);
    for (size_t k = 0; k < 5; k++)
        assert_int_equal(again.session[0].llm[k].n_block, whole.session[0].llm[k].n_block);
    close_whole(&whole);
    close_whole(&again);
    mr_buf_fini(&first);
    mr_buf_fini(&second);
}

/* Calls that failed have no lengths; spans of other kinds, of no tree, events of other signals. */
MR_TEST(what_is_no_call_is_passed_over)
{
    struct whole whole;
    read_text(
        &whole,
        "{\"resourceLogs\":[{\"x\":1}]}\n" FILE_OF(SPAN(
            "t", "f", "", 00000, 01000,
            S("gen_ai.operation.name", "chat") "," S(
                "error.type",
                "timeout")) ","
                            "{\"traceId\":\"t\",\"spanId\":\"n\",\"name\":\"GET\","
                            "\"attributes\":[{\"key\":\"a\","
                            "\"value\":{\"arrayValue\":{\"values\":[{\"intValue\":1}]}}},{"
                            "\"value\":{"
                            "\"intValue\":77},\"key\":\"gen_ai.usage.input_tokens\"},{"
                            "\"key\":\"b\"}]},"
                            "{\"traceId\":\"t\",\"spanId\":\"o\",\"startTimeUnixNano\":"
                            "1777312800000000000,"
                            "\"endTimeUnixNano\":1777312801500000000,\"status\":{\"code\":2},"
                            "\"attributes\":["
                            "{\"value\":{\"intValue\":77},\"key\":\"gen_ai.usage.input_"
                            "tokens\"}," S("gen_ai.operation.name", "generate_content") "," S(
                                "gen_ai.response.model",
                                "b") "," S("gen_ai.request.model",
                                           "a") "," I("gen_ai.usage.output_tokens",
                                                      3) ",{\"key\":\"gen_ai.response.time_to_"
                                                         "first_chunk\","
                                                         "\"value\":{\"doubleValue\":0.25}}]}"));
    assert_int_equal(whole.n, 1);
    assert_int_equal(mr_trace_counted(whole.trace)->no_length, 1);
    assert_int_equal(whole.session[0].llm[0].n_input, 77);
    assert_string_equal(
        mr_intern_text(&mr_trace_book(whole.trace)->model, whole.session[0].llm[0].model), "b");
    mr_assert_near(whole.session[0].llm[0].ttft_s, 0.25, 0, 0);
    mr_assert_near(whole.session[0].llm[0].service_s, 1.5, 0, 1e-6);
    close_whole(&whole);
}

MR_TEST(what_is_wrong_is_told_with_its_line)
{
    static const struct {
        const char *text;
        int line;
        const char *part;
    } wrong[] = {
        {FILE_OF("{\"spanId\":\"a\"}"), 1, "needs traceId and spanId"},
        {"\n" FILE_OF(AGENT("t", "a", "", 0, 1, "") "," AGENT("t", "a", "", 0, 1, "")), 2,
         "\"t/a\" is there twice"},
        {FILE_OF(AGENT("t", "a", "b", 0, 1, "") "," AGENT("t", "b", "a", 0, 1, "")), 1,
         "descends from itself"},
        {FILE_OF("{\"traceId\":\"t\",\"spanId\":\"a\",\"startTimeUnixNano\":\"x\"}"), 1,
         "not a time"},
        {FILE_OF("{\"traceId\":\"t\",\"spanId\":\"a\",\"attributes\":[" S(
             "gen_ai.usage.input_tokens", "many") "]}"),
         1, "gen_ai.usage.input_tokens: \"many\" is not a number"},
        {FILE_OF("{\"traceId\":\"t\",\"spanId\":\"a\",\"attributes\":[" S(
             "gen_ai.usage.input_tokens", "-1") "]}"),
         1, "-1 is not a number of tokens"},
        {FILE_OF("{\"traceId\":\"t\",\"spanId\":\"a\",\"attributes\":[" S("gen_ai.operation.name",
                                                                          "execute_tool") "]}"),
         1, "needs startTimeUnixNano and endTimeUnixNano"},
        {FILE_OF("{\"traceId\":\"t\",\"spanId\":\"a\",\"startTimeUnixNano\":\"0\","
                 "\"endTimeUnixNano\":\"1777312801500000000\",\"attributes\":[" S(
                     "gen_ai.operation.name", "execute_tool") "]}"),
         1, "0 is neither"},
        {"{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{\"traceId\":\"t\",", 1, ""},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        check_wrong(wrong[i].text, wrong[i].line, wrong[i].part);
}

MR_TEST_MAIN(MR_TEST_ENTRY(turns_of_agents), MR_TEST_ENTRY(calls_beside_calls),
             MR_TEST_ENTRY(calls_around_calls), MR_TEST_ENTRY(spans_that_end_before_they_begin),
             MR_TEST_ENTRY(turns_as_agentic_mooncake),
             MR_TEST_ENTRY(what_is_no_call_is_passed_over),
             MR_TEST_ENTRY(what_is_wrong_is_told_with_its_line))
