/* SPDX-License-Identifier: Apache-2.0 */
/* Recorded sessions of coding agents: what their times and blocks become. */
#include "tests/engine/work/trace_whole.h"

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

/* A think time counts from the last call whose end was recorded. Here two calls have none: the
 * pause before the one that follows them cannot be longer than the time since they began. */
MR_TEST(weka_calls_without_an_end)
{
    struct whole whole;
    read_text(
        &whole,
        "{\"requests\":["
        "{\"t\":0,\"type\":\"n\",\"in\":64,\"out\":1,\"hash_ids\":[1],\"api_time\":4},"
        "{\"t\":104,\"type\":\"n\",\"in\":64,\"out\":1,\"hash_ids\":[1],\"think_time\":100},"
        "{\"t\":117,\"type\":\"n\",\"in\":64,\"out\":1,\"hash_ids\":[1],\"think_time\":113},"
        "{\"t\":133,\"type\":\"n\",\"in\":64,\"out\":1,\"hash_ids\":[1],\"think_time\":129,"
        "\"api_time\":2},"
        "{\"t\":140,\"type\":\"n\",\"in\":64,\"out\":1,\"hash_ids\":[1],\"think_time\":5.25},"
        "{\"t\":150,\"type\":\"n\",\"in\":64,\"out\":1,\"hash_ids\":[1],\"think_time\":1.5}]}");
    static const double pauses_s[] = {100, 13, 16, 5.25, 1.5};
    const struct mr_session *s = &whole.session[0];
    assert_int_equal(s->n_think, 5);
    for (int i = 0; i < 5; i++)
        mr_assert_near(s->think[i].s, pauses_s[i], 0, 0);
    assert_int_equal(mr_trace_counted(whole.trace)->cut_gap, 2);
    close_whole(&whole);
}

MR_TEST(weka_every_failing_allocation)
{
    mr_test_every_nomem(read_all, (char *)(uintptr_t)weka);
}

MR_TEST_MAIN(MR_TEST_ENTRY(weka_plain_and_packed), MR_TEST_ENTRY(weka_time_basis),
             MR_TEST_ENTRY(weka_calls_without_an_end), MR_TEST_ENTRY(weka_every_failing_allocation))
