/* SPDX-License-Identifier: Apache-2.0 */
/* Events of requests and tools as sessions, and sessions as events. */
#include "tests/engine/work/trace_whole.h"

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

static void write_request(struct whole *whole, struct mr_buf *buf, struct mr_trace_lost *lost)
{
    struct mr_err err = {0};
    for (size_t i = 0; i < whole->n; i++)
        assert_int_equal(mr_trace_write_request(buf, mr_trace_book(whole->trace),
                                                &whole->session[i], i, lost, &err),
                         MR_OK);
}

static mr_status write_all_requests(void *context, struct mr_err *err)
{
    const struct whole *whole = context;
    struct mr_buf buf = {0};
    struct mr_trace_lost lost = {0};
    const mr_status st = mr_trace_write_request(&buf, mr_trace_book(whole->trace),
                                                &whole->session[0], 0, &lost, err);
    mr_buf_fini(&buf);
    return st;
}

/* What was read from events is what is read from the events that are written of it. */
MR_TEST(request_traces_there_and_back)
{
    struct whole whole, again;
    struct mr_buf text = {0}, same = {0}, first = {0}, second = {0};
    struct mr_trace_lost lost = {0};
    read_text(&whole, requests);
    write_request(&whole, &text, &lost);
    assert_int_equal(mr_trace_lost_total(&lost), 0);
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
    write_request(&again, &same, &lost); /* hashes are new names, the same in both */
    assert_int_equal(mr_trace_lost_total(&lost), 0);
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
    struct mr_trace_lost lost = {0};
    read_text(&whole, demo);
    write_request(&whole, &text, &lost);
    assert_true(mr_trace_lost_total(&lost) >
                0); /* its tier and promises, the memory of its tools */
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

/* Recorded starts are rounded to a second: the second call, of 14.8 s, seems to begin before the
 * tools of its pause have ended. Behind a call without a duration they are all that is known. */
MR_TEST(rounded_starts)
{
    struct whole whole, again;
    struct mr_buf text = {0};
    struct mr_trace_lost lost = {0};
    read_text(&whole,
              "{\"requests\":["
              "{\"t\":0,\"type\":\"n\",\"in\":64,\"out\":1,\"hash_ids\":[1],\"api_time\":10.4},"
              "{\"t\":14,\"type\":\"n\",\"in\":64,\"out\":1,\"hash_ids\":[1],\"think_time\":4.4,"
              "\"input_types\":[\"tool_result\"]},"
              "{\"t\":30,\"type\":\"n\",\"in\":64,\"out\":1,\"hash_ids\":[1],\"think_time\":1,"
              "\"api_time\":2},"
              "{\"t\":40,\"type\":\"n\",\"in\":64,\"out\":1,\"hash_ids\":[1],\"think_time\":8}]}");
    write_request(&whole, &text, &lost);
    read_text(&again, text.text);
    const struct mr_session *a = &whole.session[0], *b = &again.session[0];
    assert_int_equal(a->n_tool, 1);
    assert_int_equal(b->n_node, a->n_node);
    for (size_t i = 0; i < a->n_node; i++)
        assert_int_equal(b->node[i].kind, a->node[i].kind);
    mr_assert_near(b->tool[0].wall_s, a->tool[0].wall_s, 0, 1e-6);
    mr_assert_near(b->llm[1].start_s, 14.8, 0, 1e-6);
    mr_assert_near(b->llm[2].start_s, 30, 0, 1e-6);
    mr_assert_near(b->llm[3].start_s, 40, 0, 1e-6);
    mr_assert_near(b->think[b->n_think - 1].s, 8, 0, 1e-6);
    close_whole(&whole);
    close_whole(&again);
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

MR_TEST_MAIN(MR_TEST_ENTRY(request_traces), MR_TEST_ENTRY(request_traces_there_and_back),
             MR_TEST_ENTRY(sessions_as_request_traces), MR_TEST_ENTRY(rounded_starts),
             MR_TEST_ENTRY(request_traces_that_are_wrong))
