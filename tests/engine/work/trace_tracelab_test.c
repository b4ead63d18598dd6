/* SPDX-License-Identifier: Apache-2.0 */
/* engine/work/trace_tracelab: rounds become calls, tools and thinks at their dates; what is not
 * known stays so. */
#include "tests/engine/work/trace_whole.h"

#define AT(s)          "\"2026-06-01T05:40:" s "Z\""
#define EVENT(what, s) "{\"event_type\":\"" what "\",\"timestamp\":" AT(s) ",\"source\":\"x\"}"
#define TOOL(name, from, rest)                                                                \
    "{\"tool_index\":0,\"tool_name\":\"" name "\",\"tool_call_id\":\"c\",\"emitted_at\":" AT( \
        from) ",\"input_chars\":9,\"tool_internal_latency_ms\":null," rest "}"
#define ROUND(session, prefix, fresh, out, events, tools)                                         \
    "{\"provider\":\"claude\",\"session_id\":\"" session "\",\"round_index\":0,\"model\":"        \
    "\"m\",\"prefix_tokens\":" prefix ",\"newly_append_tokens\":" fresh ",\"output_tokens\":" out \
    ",\"reasoning_output_tokens\":null,\"timing_events\":[" events "],\"tools\":[" tools          \
    "],\"trace_key\":\"k\"}\n"

/* Two tools, one begun while the round still writes; the next round begins with the later result;
 * then a user thinks. The last line is the first in time. */
static const char rounds[] = ROUND(
    "s", "6400", "640", "100",
    EVENT("user_message", "20") "," EVENT("reasoning", "29") "," EVENT("tool_call", "30") "," EVENT(
        "tool_call", "31.5"),
    TOOL(
        "Bash", "30",
        "\"result_at\":" AT(
            "31.75") ",\"result_chars\":231,\"is_error\":true") "," TOOL("WebSearch", "31.5",
                                                                         "\"tool_wall_latency_ms\":"
                                                                         "8500,\"result_at\":null,"
                                                                         "\"result_chars\":null,"
                                                                         "\"is_error\":false"))
    ROUND("s", "7000", "300", "50",
          EVENT("tool_result", "31.75") "," EVENT("tool_result", "40") "," EVENT("text", "44"), "")
        ROUND("s", "6400", "2000", "10", EVENT("user_message", "50") "," EVENT("text", "51"), "")
            ROUND("r", "0", "64", "1", EVENT("user_message", "10") "," EVENT("text", "11"), "");

MR_TEST(rounds_and_tools)
{
    struct whole whole;
    read_text(&whole, rounds);
    assert_string_equal(mr_trace_format_name(whole.trace), "tracelab");
    assert_int_equal(mr_trace_unknown(whole.trace)->n, 0);
    assert_int_equal(whole.n, 2);
    assert_int_equal(whole.session[0].n_llm, 1);
    const struct mr_session *s = &whole.session[1];
    assert_string_equal(mr_session_text(s, s->head.id), "s");
    mr_assert_near(s->head.arrival_s, 10, 0, 1e-6);
    /* call, tool, tool, call, think, call */
    static const int kinds[] = {MR_SESSION_LLM, MR_SESSION_TOOL,  MR_SESSION_TOOL,
                                MR_SESSION_LLM, MR_SESSION_THINK, MR_SESSION_LLM};
    assert_int_equal(s->n_node, 6);
    for (uint32_t i = 0; i < 6; i++)
        assert_int_equal(s->node[i].kind, kinds[i]);
    mr_assert_near(s->tool[0].wall_s, 1.75, 0, 1e-6);
    mr_assert_near(s->tool[1].wall_s, 8.5, 0, 1e-6);
    assert_true(s->tool[0].is_error && !s->tool[1].is_error);
    assert_int_equal(s->tool[0].n_output, 231 / 4);
    assert_true(s->after[s->node[1].after].is_dispatch);
    mr_assert_near(s->after[s->node[1].after].delay_s, 10, 0, 1e-6);
    mr_assert_near(s->think[0].s, 6, 0, 1e-6);
    assert_int_equal(s->llm[0].n_input, 7040);
    assert_int_equal(s->llm[1].n_input, 7300);
    mr_assert_near(s->llm[0].service_s, 11.5, 0, 1e-6);
    mr_assert_near(s->llm[1].service_s, 4, 0, 1e-6);
    /* what others had left in the cache is new to the session; then 7000 and 6400 tokens */
    static const uint32_t keep[] = {0, 109, 100};
    for (uint32_t i = 0; i < 3; i++)
        assert_int_equal(s->llm[i].keep, keep[i]);
    assert_int_equal(mr_trace_counted(whole.trace)->beyond, 1);
    check_native(&whole);
    close_whole(&whole);
    mr_test_every_nomem(read_all, (char *)(uintptr_t)rounds);
}

MR_TEST(what_rounds_lack)
{
    static const struct {
        const char *text, *says;
    } wrong[] = {
        {"{\"newly_append_tokens\":1,\"prefix_tokens\":0,\"output_tokens\":1}\n", "session_id"},
        {"{\"session_id\":\"s\",\"newly_append_tokens\":1,\"output_tokens\":1}\n", "needs"},
        {"{\"session_id\":\"s\",\"newly_append_tokens\":1,\"prefix_tokens\":0,"
         "\"output_tokens\":1,\"timing_events\":[]}\n",
         "timestamp"},
        {"{\"session_id\":\"s\",\"newly_append_tokens\":1,\"prefix_tokens\":2,"
         "\"output_tokens\":1,\"input_tokens_total\":4}\n",
         "are 3, input_tokens_total is 4"},
        {"{\"session_id\":\"s\",\"newly_append_tokens\":1,\"timing_events\":[{\"timestamp\":"
         "\"noon\"}]}\n",
         "not a date"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        check_wrong(wrong[i].text, 1, wrong[i].says);
    /* a tool without dates is counted and left out, one without an end takes no time */
    struct whole whole;
    read_text(&whole, ROUND("s", "0", "64", "1", EVENT("user_message", "10"),
                            "{\"tool_name\":\"a\",\"emitted_at\":null},"
                            "{\"tool_name\":null,\"emitted_at\":" AT("12") "}"));
    assert_int_equal(whole.session[0].n_tool, 1);
    assert_true(whole.session[0].tool[0].wall_s == 0);
    assert_int_equal(mr_trace_counted(whole.trace)->lost, 1);
    assert_int_equal(mr_trace_counted(whole.trace)->no_duration, 2);
    close_whole(&whole);
}

MR_TEST_MAIN(MR_TEST_ENTRY(rounds_and_tools), MR_TEST_ENTRY(what_rounds_lack))
