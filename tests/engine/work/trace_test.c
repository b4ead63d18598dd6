/* SPDX-License-Identifier: Apache-2.0 */
/* The native form and tables; what is wrong in a file of any format is refused with its line. */
#include "engine/base/gz.h"
#include "tests/engine/work/trace_whole.h"

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
              "\"hash_scope\":\"global\",\"models\":{\"a\":\"A\",\"b\":\"B\"}}\r\n\n"
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

    /* as TraceLab writes it: another name; a first round that others had left a prefix for, a
     * second one with more than the first had */
    read_text(&whole, "id,input_len,output_len,arrival_time,round_idx,tool_wait_after_ms,"
                      "prefix_len\n0,640,10,0.000000,0,500.000000,6400\n"
                      "0,64,5,0.000000,1,0.000000,8000\n");
    assert_int_equal(whole.n, 1);
    assert_int_equal(whole.session[0].llm[0].n_input, 7040);
    assert_int_equal(whole.session[0].llm[1].n_input, 8064);
    assert_int_equal(whole.session[0].llm[0].keep, 0);
    assert_int_equal(whole.session[0].llm[1].keep, whole.session[0].llm[0].n_block);
    assert_int_equal(mr_trace_counted(whole.trace)->beyond, 2);
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

#define ROUNDS "session_id,round_idx,prefix_len,input_len,output_len\n"

static const struct {
    const char *text;
    int line;
    const char *part;
} wrong[] = {
    {"", 1, "empty"},
    {"\n \n", 1, "empty"},
    {"\x1f\x8b", 0, ""},
    {"{}\n", 1, "no trace format known"},
    {"{\"name\":\"chat\",\"spanId\":\"1\",\"attributes\":{}}\n", 1, "other form than OTLP JSON"},
    {"{\"session_id\":\"s\",\"turns\":[],\"forks\":[]}\n", 1, "AIPerf's dag_jsonl"},
    {"a,b\n1,2\n", 1, "no trace format known"},
    {"{\"schema\":\"mine\"}\n", 1, "schema"},
    {"{\"schema\":\"millrace.session\"}\n", 1, "version"},
    {"{\"schema\":\"millrace.session\",\"version\":2}\n", 1, "version 2"},
    {H "{\"nodes\":[]}\n", 2, "no LLM call"},
    {H "{\"nodes\":[{\"n\":1,\"k\":\"llm\",\"in\":64}]}\n", 2, "needs in and out"},
    {"{\"schema\":\"millrace.session\",\"version\":1,\"models\":{\"a\":\"A\"}}\n"
     "{\"nodes\":[{\"n\":1,\"k\":\"llm\",\"in\":64,\"out\":1,\"m\":\"b\"}]}\n",
     2, "none of the header's models"},
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
    {H "{\"nodes\":[{\"n\":1,\"k\":\"llm\",\"in\":640,\"out\":1,\"keep\":5}]}\n", 2,
     "keeps 5 blocks of 0"},
    {"{\"schema\":\"millrace.session\",\"version\":1,\"block_size\":0}\n", 1, "block_size is 0"},
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
    {"{\"timestamp\":0,\"input_length\":1,\"output_length\":1,\"strict_priority\":-1}\n", 1, ""},
    {"{\"timestamp\":0,\"input_length\":1,\"output_length\":1,\"strict_priority\":\"a\"}\n", 1, ""},
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
    {"TIMESTAMP,ContextTokens,GeneratedTokens\n2023-02-30 18:15:46,1,1\n", 2, "not a date"},
    {"TIMESTAMP,ContextTokens,GeneratedTokens\n2100-02-29 18:15:46,1,1\n", 2, "not a date"},
    {ROUNDS "a,1,0,100,10\nb,1,0,1,1\na,1,110,50,10\n", 4, "round 1 of its session comes after"},
    {"{\"num_turns\":3,\"input_prompt_length\":1,\"assistant_response_length\":[1],"
     "\"tool_call_output_length\":[1],\"final_assistant_response_length\":1}\n",
     1, "3 turns with 1 responses"},
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

/* Totals that are none are counted; so are arrivals that nobody can have made. */
MR_TEST(burstgpt_that_is_made_up)
{
    struct mr_buf buf = {0};
    struct whole whole;
    struct mr_session session = {0};
    for (int is_even = 0; is_even < 2; is_even++) {
        bool has = true;
        struct mr_trace *trace;
        mr_buf_clear(&buf);
        mr_buf_text(&buf, "Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type\n");
        for (int i = 0; i < 250; i++)
            mr_buf_printf(&buf, "%d,ChatGPT,%d,%d,%d,API log\n", i + (is_even ? 0 : i == 249), i, i,
                          i == 7 ? 15 : 2 * i);
        assert_int_equal(mr_trace_open_memory(buf.text, buf.n, "t", NULL, &trace, NULL), MR_OK);
        while (has)
            assert_int_equal(mr_trace_next(trace, &session, &has, NULL), MR_OK);
        assert_int_equal(mr_trace_counted(trace)->even, is_even ? 250 : 0);
        assert_int_equal(mr_trace_counted(trace)->total, 1);
        mr_trace_close(trace);
    }
    mr_session_fini(&session);
    mr_buf_fini(&buf);
    read_text(&whole, "TIMESTAMP,ContextTokens,GeneratedTokens\n2024-02-29 18:15:46,1,1\n");
    assert_int_equal(whole.n, 1);
    close_whole(&whole);
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

MR_TEST(every_failing_allocation)
{
    mr_test_every_nomem(read_all, (char *)(uintptr_t)demo);
}

MR_TEST_MAIN(MR_TEST_ENTRY(native_demo), MR_TEST_ENTRY(native_rest),
             MR_TEST_ENTRY(times_keep_their_digits), MR_TEST_ENTRY(tables),
             MR_TEST_ENTRY(what_is_wrong_is_told_with_its_line),
             MR_TEST_ENTRY(burstgpt_that_is_made_up), MR_TEST_ENTRY(cut_gzip),
             MR_TEST_ENTRY(long_lines), MR_TEST_ENTRY(unknown_keys),
             MR_TEST_ENTRY(every_failing_allocation))
