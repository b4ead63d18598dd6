/* SPDX-License-Identifier: Apache-2.0 */
/* SATF: nodes and edges as sessions, to Millrace's own form and to agentic Mooncake. */
#include "tests/engine/work/trace_whole.h"

#define HEAD                                                                    \
    "{\"format\":\"satf\",\"format_version\":\"2.0.0\",\"time_base\":\"us\",\n" \
    "\"block_size_tokens\":64,\"sessions\":["
#define CALL(id, in, out, more, ids)                                                             \
    "{\"kind\":\"llm_infer\",\"id\":\"" id "\"," more "\"payload\":{\"input_tokens_total\":" #in \
    ",\"output_tokens\":" #out ",\"kv_block_ids\":[" ids                                         \
    "],\"request_parameters\":{\"model\":\"m\"}}}"
#define EDGE(from, to, delay) \
    "{\"from\":\"" from "\",\"to\":\"" to "\",\"delay_after_predecessor_us\":" #delay "}"

/* As a frontend's events are written: calls first, then tools, each as call and result. Two tools
 * of call a, one that waits for both, a call beside c that goes on from b, one that waits for it.
 */
static const char graph[] = HEAD
    "{\"session_id\":\"s\",\"nodes\":[\n" CALL("c", 330, 20, "\"duration_us\":500000,",
                                               "0,1,2,7,8,9") ",\n" CALL("a", 130, 10,
                                                                         "\"duration_us\":2000000,"
                                                                         "\"min_start_delay_us\":"
                                                                         "5000000,"
                                                                         "\"performance_metrics\":{"
                                                                         "\"source\":\"x\",\"time_"
                                                                         "to_first_token_us\":"
                                                                         "250000.0},",
                                                                         "0,1,2") ",\n" CALL("d", 260, 4, "\"duration_us\":1000000,", "0,1,2,7,11") ",\n"
                                                                                                                                                    "{\"kind\":\"tool_call\",\"id\":\"t1\",\"payload\":{\"tool_name\":\"test\",\"tool_call_id\":"
                                                                                                                                                    "\"k1\"}},"
                                                                                                                                                    "{\"kind\":\"tool_result\",\"id\":\"r1\",\"duration_us\":3000000,\"payload\":{\"tool_call_id\":"
                                                                                                                                                    "\"k1\",\"is_error\":true},\"extensions\":{\"nvidia.dynamo\":{\"status\":\"failed\","
                                                                                                                                                    "\"tool_class\":\"other\",\"output_tokens\":77},\"else\":[]}},"
                                                                                                                                                    "{\"kind\":\"tool_call\",\"id\":\"t2\",\"payload\":{\"tool_name\":\"git\"}},"
                                                                                                                                                    "{\"kind\":\"tool_result\",\"id\":\"r2\",\"duration_us\":1000000,\"payload\":{\"tool_call_id\":"
                                                                                                                                                    "\"k2\"}},\n" CALL("b", 200, 30, "\"duration_us\":100,", "0,1,2,7") ",\n" CALL("e", 340, 1, "", "0,1,2,7,8,9") "],\"edges\":[" EDGE("a", "t1", 100000) "," EDGE("t1",
                                                                                                                                                                                                                                                                                                                    "r1",
                                                                                                                                                                                                                                                                                                                    0) "," EDGE("a",
                                                                                                                                                                                                                                                                                                                                "t2",
                                                                                                                                                                                                                                                                                                                                200000) "," EDGE("t2",
                                                                                                                                                                                                                                                                                                                                                 "r2",
                                                                                                                                                                                                                                                                                                                                                 50000) "," EDGE("r1",
                                                                                                                                                                                                                                                                                                                                                                 "b",
                                                                                                                                                                                                                                                                                                                                                                 400000) "," EDGE("r2",
                                                                                                                                                                                                                                                                                                                                                                                  "b",
                                                                                                                                                                                                                                                                                                                                                                                  0) "," EDGE("b", "c", 1000000) "," EDGE("b",
                                                                                                                                                                                                                                                                                                                                                                                                                          "d",
                                                                                                                                                                                                                                                                                                                                                                                                                          2000000) "," EDGE("c",
                                                                                                                                                                                                                                                                                                                                                                                                                                            "e",
                                                                                                                                                                                                                                                                                                                                                                                                                                            0) "," EDGE("d",
                                                                                                                                                                                                                                                                                                                                                                                                                                                        "e",
                                                                                                                                                                                                                                                                                                                                                                                                                                                        10) "]},\n{\"session_id\":\"u\",\"nodes\":[" CALL("a",
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                          64,
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                          1,
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                          "\"min_start_delay_us\":0,\"duration_us\":1,", "0") "],\"edges\":[],\"extensions\":{\"nvidia.dynamo\":{\"parent_session_id\":\"s\"}}}],"
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                              "\"producer\":{\"name\":\"hand\"}}\n";

static void assert_after(const struct mr_session *s, uint32_t node, uint32_t k, uint32_t before,
                         double delay_s, int relation)
{
    const struct mr_session_after *after = &s->after[s->node[node].after + k];
    assert_true(k < s->node[node].n_after);
    assert_int_equal(after->node, before);
    mr_assert_near(after->delay_s, delay_s, 0, 1e-9);
    assert_false(after->is_dispatch);
    assert_int_equal(after->relation, relation);
}

static void assert_call(const struct mr_session *s, uint32_t i, const char *name, uint16_t lane,
                        uint32_t keep, uint32_t n_block, double start_s)
{
    const struct mr_session_llm *llm = mr_session_llm_of(s, i);
    assert_int_equal(s->node[i].kind, MR_SESSION_LLM);
    assert_string_equal(mr_session_text(s, llm->name), name);
    assert_int_equal(s->node[i].lane, lane);
    assert_int_equal(llm->keep, keep);
    assert_int_equal(llm->n_block, n_block);
    mr_assert_near(llm->start_s, start_s, 0, 1e-9);
}

MR_TEST(graphs_of_calls_and_tools)
{
    struct whole whole;
    read_text(&whole, graph);
    assert_string_equal(mr_trace_format_name(whole.trace), "satf");
    assert_int_equal(mr_trace_book(whole.trace)->block_tok, 64);
    assert_true(mr_trace_book(whole.trace)->is_global);
    assert_int_equal(mr_trace_unknown(whole.trace)->n, 0);
    assert_int_equal(mr_trace_counted(whole.trace)->no_duration, 1);
    assert_int_equal(whole.n, 2);
    const struct mr_session *s = &whole.session[0];
    assert_string_equal(mr_session_text(s, s->head.id), "s");
    mr_assert_near(s->head.arrival_s, 5, 0, 0);
    /* a, r1, r2, b, c, d, e: each after what it waits for, otherwise as they stand */
    assert_int_equal(s->n_node, 7);
    assert_int_equal(s->n_lane, 2);
    assert_call(s, 0, "s/a", 0, 0, 3, 0);
    assert_after(s, 0, 0, MR_SESSION_NONE, 0, MR_SESSION_SEQ);
    mr_assert_near(s->llm[0].service_s, 2, 0, 0);
    mr_assert_near(s->llm[0].ttft_s, 0.25, 0, 0);
    assert_int_equal(s->node[1].kind, MR_SESSION_TOOL);
    assert_after(s, 1, 0, 0, 0.1, MR_SESSION_SEQ);
    assert_after(s, 2, 0, 0, 0.25, MR_SESSION_SEQ); /* the way to its call and from there */
    mr_assert_near(s->tool[0].wall_s, 3, 0, 0);
    assert_true(s->tool[0].is_error && !s->tool[1].is_error);
    assert_int_equal(s->tool[0].n_output, 77);
    assert_string_equal(mr_intern_text(&mr_trace_book(whole.trace)->class, s->tool[0].class),
                        "test");
    assert_string_equal(mr_intern_text(&mr_trace_book(whole.trace)->class, s->tool[1].class),
                        "git");
    /* the last of the two tools: 2 + 0.1 + 3 + 0.4 */
    assert_call(s, 3, "s/b", 0, 3, 4, 5.5);
    assert_after(s, 3, 0, 1, 0.4, MR_SESSION_SEQ);
    assert_after(s, 3, 1, 2, 0, MR_SESSION_SEQ);
    assert_call(s, 4, "s/c", 0, 4, 6, 6.5001);
    assert_call(s, 5, "s/d", 1, 4, 5, 7.5001); /* beside c, from b */
    assert_after(s, 5, 0, 3, 2, MR_SESSION_SPAWN);
    assert_int_equal(mr_session_llm_of(s, 5)->base, 3);
    assert_call(s, 6, "s/e", 0, 6, 6, 8.50011); /* all of c's blocks, four of d's */
    assert_after(s, 6, 0, 4, 0, MR_SESSION_SEQ);
    assert_after(s, 6, 1, 5, 0.00001, MR_SESSION_JOIN);
    /* block 0 of the other session is the same */
    mr_assert_near(whole.session[1].head.arrival_s, 0, 0, 0);
    assert_int_equal(whole.session[1].run[0].id, s->run[0].id);
    assert_false(whole.session[1].run[0].is_minted);
    check_native(&whole);
    close_whole(&whole);
    mr_test_every_nomem(read_all, (char *)(uintptr_t)graph);
}

/* Calls and their blocks survive agentic Mooncake, though not from where a lane goes on; what reads
 * them says the same again. */
MR_TEST(graphs_as_agentic_mooncake)
{
    struct whole whole, again, third;
    struct mr_buf first = {0}, second = {0};
    struct mr_trace_lost lost = {0};
    read_text(&whole, graph);
    write_agentic(&whole, &first, &lost);
    read_text(&again, first.text);
    assert_int_equal(again.n, 2);
    assert_int_equal(again.session[0].n_llm, 5);
    write_agentic(&again, &second, &lost);
    assert_string_equal(first.text, second.text);
    read_text(&third, second.text);
    for (size_t k = 0; k < 5; k++) {
        assert_int_equal(third.session[0].llm[k].n_block, whole.session[0].llm[k].n_block);
        assert_int_equal(third.session[0].llm[k].n_input, whole.session[0].llm[k].n_input);
    }
    close_whole(&whole);
    close_whole(&again);
    close_whole(&third);
    mr_buf_fini(&first);
    mr_buf_fini(&second);
}

#define S(nodes, edges) \
    HEAD "{\"session_id\":\"s\",\"nodes\":[" nodes "],\n\"edges\":[" edges "]}]}\n"
#define A CALL("a", 64, 1, "", "1")

MR_TEST(what_is_wrong_is_told_with_its_line)
{
    static const struct {
        const char *text;
        int line;
        const char *part;
    } wrong[] = {
        {"{\"sessions\":[{\"nodes\":[" A "],\"edges\":[]}]}\n", 1, "block_size_tokens"},
        {"{\"sessions\":[],\"block_size_tokens\":64}\n", 1, "stand before the sessions"},
        {"{\"block_size_tokens\":0,\"sessions\":[]}\n", 1, "above 0"},
        {"{\"format\":\"x\",\"block_size_tokens\":1}\n", 1, "not \"satf\""},
        {"{\"format_version\":\"1.0\",\"block_size_tokens\":1}\n", 1, "versions 2.x"},
        {"{\"time_base\":\"ms\",\"block_size_tokens\":1}\n", 1, "\"us\""},
        {"{\"block_size_tokens\":1,\"sessions\":[],\"sessions\":[]}\n", 1, "twice"},
        {"{\"block_size_tokens\":1,\"sessions\":[]}\n{}\n", 2, "the end of the file"},
        {S("{\"kind\":\"llm_infer\",\"payload\":{}}", ""), 2, "needs an id"},
        {S("{\"kind\":\"llm\",\"id\":\"a\"}", ""), 2, "kind"},
        {S("{\"id\":\"a\"}", ""), 2, "needs a kind"},
        {S("{\"kind\":\"llm_infer\",\"id\":\"a\",\"payload\":{\"output_tokens\":1}}", ""), 2,
         "needs input_tokens_total and output_tokens"},
        {S(A ",\n" A, ""), 3, "in line 2, too"},
        {S(A, EDGE("a", "b", 1)), 2, "\"b\", which is no node"},
        {S(A, "{\"from\":\"a\"}"), 3, "needs from and to"},
        {S(A, EDGE("a", "a", 1)), 2, "a cycle"},
        {S(A "," CALL("b", 64, 1, "", "1"), EDGE("a", "b", 1) "," EDGE("b", "a", 1)), 2, "a cycle"},
        {S(A, EDGE("a", "a", -1)), 3, "not a time"},
        {S(CALL("a", 64, 1, "", "1,2,3"), ""), 2, "3 blocks for 64 tokens"},
        {S(CALL("a", 64, 1, "", "1.5"), ""), 2, "integer"},
        {HEAD "{\"nodes\":[", 2, ""},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        check_wrong(wrong[i].text, wrong[i].line, wrong[i].part);
}

/* A call of its own blocks beside one that goes on, and one that waits for both: whatever order
 * they stand in, what has the blocks goes on in the lane. */
MR_TEST(the_order_of_nodes_means_nothing)
{
    static const char *const nodes[] = {
        CALL("a", 256, 8, "\"duration_us\":2000000,", "5,6,7,8"),
        CALL("sub", 128, 4, "\"duration_us\":1000000,", "100,101"),
        CALL("b", 384, 8, "\"duration_us\":2000000,", "5,6,7,8,1,2"),
        CALL("c", 512, 8, "\"duration_us\":2000000,", "5,6,7,8,1,2,3,4")};
    static const int orders[][4] = {{0, 1, 2, 3}, {0, 2, 1, 3}, {3, 2, 1, 0}, {1, 3, 0, 2}};
    for (size_t k = 0; k < sizeof orders / sizeof *orders; k++) {
        struct whole whole;
        struct mr_buf text = {0};
        mr_buf_text(&text, HEAD "{\"session_id\":\"s\",\"nodes\":[");
        for (int i = 0; i < 4; i++)
            mr_buf_printf(&text, "%s%s", i > 0 ? "," : "", nodes[orders[k][i]]);
        mr_buf_text(&text, "],\"edges\":[" EDGE("a", "sub", 10) "," EDGE("sub", "c", 0) "," EDGE(
                               "a", "b", 3000000) "," EDGE("b", "c", 20) "]}]}\n");
        read_text(&whole, text.text);
        const struct mr_session *s = &whole.session[0];
        assert_call(s, 0, "s/a", 0, 0, 4, 0);
        assert_call(s, 1, "s/sub", 1, 0, 2, 2.00001);
        assert_call(s, 2, "s/b", 0, 4, 6, 5);
        assert_call(s, 3, "s/c", 0, 6, 8, 7.00002);
        close_whole(&whole);
        mr_buf_fini(&text);
    }
}

/* The file goes on; that there was one, and that a name was there before, is told. */
MR_TEST(sessions_without_calls_and_names_of_two)
{
    static const char text[] =
        HEAD "{\"session_id\":\"s\",\"nodes\":[" A "],\"edges\":[]},"
             "{\"session_id\":\"t\",\"nodes\":[{\"kind\":\"tool_result\",\"id\":\"r\","
             "\"payload\":{}}],\"edges\":[]},{\"nodes\":[],\"edges\":[]},"
             "{\"session_id\":\"s\",\"nodes\":[" A "],\"edges\":[]}]}\n";
    struct whole whole;
    read_with(&whole, text, strlen(text), &(struct mr_trace_options){.knows_names = true});
    assert_int_equal(whole.n, 2);
    assert_int_equal(whole.session[1].n_tool, 0);
    assert_int_equal(mr_trace_counted(whole.trace)->no_call, 2);
    assert_int_equal(mr_trace_counted(whole.trace)->namesake, 1);
    check_native(&whole);
    close_whole(&whole);
}

/* Tools alone, or before any call; calls of no date; ids that are not there. */
MR_TEST(what_is_missing_is_not_made_up)
{
    struct whole whole;
    read_text(&whole, S("{\"kind\":\"tool_result\",\"id\":\"r\",\"payload\":{}}," CALL(
                            "a", 130, 1, "", "") "," CALL("b", 200, 1, "", ""),
                        EDGE("r", "a", 7)));
    const struct mr_session *s = &whole.session[0];
    assert_int_equal(whole.n, 1);
    assert_true(isnan(s->head.arrival_s));
    assert_true(isnan(s->tool[0].wall_s));
    mr_assert_near(s->llm[0].start_s, 0, 0, 0); /* b: nothing before it */
    assert_true(isnan(s->llm[1].start_s) && isnan(s->llm[1].service_s));
    assert_int_equal(s->llm[1].n_block, 2);
    assert_true(s->run[0].is_minted);
    assert_int_equal(s->node[2].lane, 1); /* beside b: another context */
    assert_int_equal(s->llm[1].keep, 0);
    assert_int_equal(mr_trace_counted(whole.trace)->no_block, 2);
    check_native(&whole);
    close_whole(&whole);
}

MR_TEST_MAIN(MR_TEST_ENTRY(graphs_of_calls_and_tools), MR_TEST_ENTRY(graphs_as_agentic_mooncake),
             MR_TEST_ENTRY(the_order_of_nodes_means_nothing),
             MR_TEST_ENTRY(sessions_without_calls_and_names_of_two),
             MR_TEST_ENTRY(what_is_wrong_is_told_with_its_line),
             MR_TEST_ENTRY(what_is_missing_is_not_made_up))
