/* SPDX-License-Identifier: Apache-2.0 */
/* Recorded sessions of coding agents: what their times and blocks become. */
#include "engine/base/gz.h"
#include "engine/base/json.h"
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

/* All lines of a text in the other form. */
static mr_status rewrite(const char *text, size_t n, bool packs, struct mr_buf *out,
                         struct mr_err *err)
{
    struct mr_gz *gz;
    struct mr_json *json;
    bool has_more = true;
    mr_status st = mr_gz_open_memory(text, n, "t", &gz, err);
    if (st == MR_OK)
        st = mr_json_create(gz, NULL, &json, err);
    if (st != MR_OK)
        return st;
    while (st == MR_OK && has_more)
        st = mr_trace_write_weka(json, packs, out, &has_more, err);
    mr_json_close(json);
    return st;
}

static mr_status there_and_back(void *context, struct mr_err *err)
{
    struct mr_buf packed = {0}, plain = {0};
    mr_status st = rewrite(context, strlen(context), true, &packed, err);
    if (st == MR_OK)
        st = rewrite(packed.text, packed.n, false, &plain, err);
    mr_buf_fini(&packed);
    mr_buf_fini(&plain);
    return st;
}

/* To the packed form and back not a byte is lost, but white space: members that sessions have no
 * place for, escapes, numbers as they stand, ids of 64 bits, calls without any. */
MR_TEST(weka_there_and_back)
{
    static const char odd[] =
        "{ \"id\" : \"a \\\" [1, 2]\",\n \"mine\": {\"x y\": [1.50, null]}, \"requests\": [\n"
        "{\"t\":0.0,\"type\":\"n\",\"in\":1,\"out\":1,\"hash_ids\":[18446744073709551615,0,1, 5],"
        "\"stop\":\"\"},\n"
        "{\"t\":1,\"type\":\"n\",\"in\":1,\"out\":1},"
        "{\"t\":2,\"type\":\"n\",\"hash_ids\":[18446744073709551615,0],\"in\":1,\"out\":1},"
        "{\"t\":3,\"type\":\"n\",\"hash_ids\":[],\"in\":1,\"out\":1}]}\n";
    static const char odd_packed[] =
        "{\"id\":\"a \\\" [1, 2]\",\"mine\":{\"x y\":[1.50,null]},\"requests\":["
        "{\"t\":0.0,\"type\":\"n\",\"in\":1,\"out\":1,\"keep\":0,"
        "\"new\":[[18446744073709551615,1],[0,2],[5,1]],\"stop\":\"\"},"
        "{\"t\":1,\"type\":\"n\",\"in\":1,\"out\":1},"
        "{\"t\":2,\"type\":\"n\",\"keep\":2,\"new\":[],\"in\":1,\"out\":1},"
        "{\"t\":3,\"type\":\"n\",\"keep\":0,\"new\":[],\"in\":1,\"out\":1}]}\n";
    struct mr_buf packed = {0}, plain = {0};
    struct mr_err err = {0};
    assert_int_equal(rewrite(weka, strlen(weka), true, &packed, &err), MR_OK);
    mr_assert_contains(packed.text, "\"keep\":2,\"new\":[[9,3]]");
    assert_int_equal(rewrite(packed.text, packed.n, false, &plain, &err), MR_OK);
    assert_int_equal(plain.n, strlen(weka) + 1);
    assert_memory_equal(plain.text, weka, strlen(weka));
    mr_buf_clear(&packed);
    mr_buf_clear(&plain);
    assert_int_equal(rewrite(odd, strlen(odd), true, &packed, &err), MR_OK);
    assert_string_equal(packed.text, odd_packed);
    assert_int_equal(rewrite(packed.text, packed.n, false, &plain, &err), MR_OK);
    mr_assert_contains(plain.text, "\"hash_ids\":[18446744073709551615,0,1,5]");
    mr_buf_clear(&packed);
    assert_int_equal(rewrite(plain.text, plain.n, true, &packed, &err), MR_OK);
    assert_string_equal(packed.text, odd_packed);
    mr_buf_fini(&packed);
    mr_buf_fini(&plain);
    mr_test_every_nomem(there_and_back, (char *)(uintptr_t)weka);
}

MR_TEST(weka_packed_that_is_wrong)
{
    static const struct {
        const char *call, *says;
    } cases[] = {{"\"keep\":1,\"new\":[]", "keeps 1 blocks of 0"},
                 {"\"keep\":0", "belong together"},
                 {"\"requests\":[{\"requests\":[]}]", "sub-agents of sub-agents"}};
    for (size_t i = 0; i < 3; i++) {
        struct mr_buf text = {0}, plain = {0};
        struct mr_err err = {0};
        mr_buf_printf(&text, "{\"requests\":[{%s}]}", cases[i].call);
        assert_int_not_equal(rewrite(text.text, text.n, false, &plain, &err), MR_OK);
        mr_assert_contains(err.text, cases[i].says);
        mr_buf_fini(&text);
        mr_buf_fini(&plain);
    }
}

MR_TEST(weka_every_failing_allocation)
{
    mr_test_every_nomem(read_all, (char *)(uintptr_t)weka);
}

MR_TEST_MAIN(MR_TEST_ENTRY(weka_plain_and_packed), MR_TEST_ENTRY(weka_time_basis),
             MR_TEST_ENTRY(weka_calls_without_an_end), MR_TEST_ENTRY(weka_there_and_back),
             MR_TEST_ENTRY(weka_packed_that_is_wrong), MR_TEST_ENTRY(weka_every_failing_allocation))
