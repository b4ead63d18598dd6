/* SPDX-License-Identifier: Apache-2.0 */
/* Real traces: every figure comes from scripts that share no code with this program. */
#include "engine/work/trace.h"
#include "engine/work/trace_stat.h"
#include "tests/test.h"

struct golden {
    const char *file, *format;
    struct mr_trace_stat stat; /* 0: not asserted */
    uint64_t by_end, by_start, orphan;
    double pause_s; /* tools and thinks, however a pause is divided; 0: not asserted */
    uint64_t cut_gap;
};

static const struct golden cases[] = {
    {"agentic/packed_dedup.jsonl.gz", "weka",
     .stat = {.sessions = 676,
              .calls = 44758,
              .root_calls = 44082,
              .lanes = 63,
              .input_tok = 5222989712,
              .root_input_tok = 5192381614,
              .output_tok = 19541224,
              .root_output_tok = 19197631,
              .blocks = 81587090,
              .hits = 78517962,
              .keep = 78460690,
              .runs = 45031,
              .transitions = 44019,
              .resets = 743,
              .input_max_tok = 894371},
     .by_end = 59, .by_start = 4, .orphan = 2, .pause_s = 5052997, .cut_gap = 4118},
    {"agentic/packed_ci_sample.jsonl", "weka",
     .stat = {.sessions = 32,
              .calls = 1362,
              .root_calls = 1098,
              .lanes = 24,
              .input_tok = 122866362,
              .root_input_tok = 109914880,
              .output_tok = 743772,
              .root_output_tok = 604191,
              .blocks = 1919128,
              .hits = 1802630,
              .keep = 1797972,
              .runs = 1381,
              .transitions = 1306,
              .resets = 19,
              .input_max_tok = 322108},
     .by_end = 24, .pause_s = 132082, .cut_gap = 119},
    {"agentic/raw/trace_0291.json", "weka",
     .stat = {.sessions = 1,
              .calls = 32,
              .root_calls = 20,
              .lanes = 2,
              .input_tok = 2254119,
              .output_tok = 19504,
              .blocks = 35209,
              .hits = 31603},
     .by_end = 2},
    {"agentic/raw/trace_0504.json", "weka",
     .stat = {.sessions = 1,
              .calls = 3,
              .root_calls = 3,
              .input_tok = 33739,
              .output_tok = 337,
              .blocks = 525,
              .hits = 343}},
    {"agentic/raw/trace_0187.json", "weka",
     .stat = {.sessions = 1,
              .calls = 3,
              .root_calls = 3,
              .input_tok = 35830,
              .output_tok = 788,
              .blocks = 558,
              .hits = 338}},
    {"agentic/raw/trace_0295_excerpt.json", "weka",
     .stat = {.sessions = 1,
              .calls = 44,
              .root_calls = 7,
              .lanes = 4,
              .input_tok = 2399928,
              .output_tok = 28051,
              .blocks = 37478,
              .hits = 31637},
     .by_start = 4},
    {"mooncake/conversation_trace.jsonl.gz", "mooncake",
     .stat = {.sessions = 12031,
              .calls = 12031,
              .input_tok = 144793823,
              .output_tok = 4122048,
              .blocks = 288500,
              .hits = 105710,
              .ids = 182790,
              .ids_once = 138646,
              .ticks = 1180,
              .arrivals = 12031,
              .last_s = 3536.999}},
    {"azure/azure_llm_2023_conv.csv", "azure",
     .stat = {.sessions = 19366,
              .calls = 19366,
              .input_tok = 22361870,
              .output_tok = 4088665,
              .arrivals = 19366}},
    {"reference/ref_8B_r1_n1000.csv", "csv",
     .stat = {.sessions = 1000, .calls = 1000, .input_tok = 1014189, .output_tok = 247262}},
    {"reference/ref_8B_r1_n10000.csv", "csv",
     .stat = {.sessions = 10000, .calls = 10000, .input_tok = 12424297, .output_tok = 2184052}},
    {"reference/ref_8B_r1_n1000_kvtight.csv", "csv",
     .stat = {.sessions = 1000, .calls = 1000, .input_tok = 1014189, .output_tok = 247262}},
    {"reference/ref_8B_r1_n1000_vllmsched.csv", "csv",
     .stat = {.sessions = 1000, .calls = 1000, .input_tok = 1014189, .output_tok = 247262}},
};

static void check(const struct golden *golden)
{
    struct mr_trace *trace;
    struct mr_session session = {0};
    struct mr_trace_stat stat = {0};
    struct mr_err err = {0};
    bool has = true;
    if (mr_test_data(golden->file) == NULL)
        mr_test_skip("%s is not there", golden->file);
    assert_int_equal(mr_trace_open(mr_test_data(golden->file), NULL, &trace, &err), MR_OK);
    assert_string_equal(mr_trace_format_name(trace), golden->format);
    while (has) {
        const mr_status st = mr_trace_next(trace, &session, &has, &err);
        if (st != MR_OK)
            fail_msg("%s:%d: %s", err.file, err.line, err.text);
        if (has)
            assert_int_equal(mr_trace_stat_add(&stat, &session, mr_trace_book(trace), &err), 0);
    }
    mr_trace_stat_end(&stat);
#define CHECK(name, doc)                                                                       \
    if (golden->stat.name > 0 && stat.name != golden->stat.name)                               \
        fail_msg("%s: %s: %llu, not %llu", golden->file, #name, (unsigned long long)stat.name, \
                 (unsigned long long)golden->stat.name);
    MR_TRACE_STAT_LIST(CHECK)
#undef CHECK
    assert_int_equal(mr_trace_counted(trace)->by_end, golden->by_end);
    assert_int_equal(mr_trace_counted(trace)->by_start, golden->by_start);
    assert_int_equal(mr_trace_counted(trace)->orphan, golden->orphan);
    assert_int_equal(mr_trace_counted(trace)->cut_gap, golden->cut_gap);
    if (golden->pause_s > 0)
        mr_assert_near(stat.tool_s + stat.think_s, golden->pause_s, 1e-9, 0);
    if (golden->stat.last_s > 0)
        assert_true(stat.last_s == golden->stat.last_s);
    if (strcmp(golden->format, "azure") == 0) {
        mr_assert_near(stat.last_s, 3501.722, 0, 1e-3);
        mr_assert_near(mr_trace_stat_gap_cv(&stat), 1.094, 5e-4, 0);
        assert_int_equal(session.n_llm, 0); /* past the end */
    }
    mr_trace_stat_fini(&stat);
    mr_session_fini(&session);
    mr_trace_close(trace);
}

MR_TEST(packed_corpus)
{
    check(&cases[0]);
}

MR_TEST(packed_sample)
{
    check(&cases[1]);
}

MR_TEST(raw_sessions)
{
    for (int i = 2; i < 6; i++)
        check(&cases[i]);
}

MR_TEST(mooncake_conversation)
{
    check(&cases[6]);
}

MR_TEST(azure_conversation)
{
    check(&cases[7]);
}

MR_TEST(reference_tables)
{
    for (int i = 8; i < 12; i++)
        check(&cases[i]);
}

/* The two sub-agents of this session began 101.3 s after the call at 1085 s that took 15.64 s. */
MR_TEST(sub_agents_begin_and_join)
{
    struct mr_trace *trace;
    struct mr_session s = {0};
    struct mr_err err = {0};
    bool has = false;
    int n_spawn = 0, n_join = 0;
    if (mr_test_data("agentic/raw/trace_0291.json") == NULL)
        mr_test_skip("agentic/raw/trace_0291.json is not there");
    assert_int_equal(mr_trace_open(mr_test_data("agentic/raw/trace_0291.json"), NULL, &trace, &err),
                     MR_OK);
    assert_int_equal(mr_trace_next(trace, &s, &has, &err), MR_OK);
    assert_true(has);
    for (size_t i = 0; i < s.n_node; i++)
        for (uint32_t k = 0; k < s.node[i].n_after; k++) {
            const struct mr_session_after *after = &s.after[s.node[i].after + k];
            if (after->relation == MR_SESSION_SPAWN) {
                n_spawn++;
                assert_true(mr_session_llm_of(&s, after->node)->start_s == 1085);
                assert_false(after->is_dispatch);
                mr_assert_near(after->delay_s, n_spawn == 1 ? 0.717 : 0.729, 0, 1e-9);
            }
            if (after->relation == MR_SESSION_JOIN) {
                n_join++;
                assert_true(mr_session_llm_of(&s, (uint32_t)i)->start_s == 1209);
            }
        }
    assert_int_equal(n_spawn, 2);
    assert_int_equal(n_join, 2);
    mr_session_fini(&s);
    mr_trace_close(trace);
}

MR_TEST_MAIN(MR_TEST_ENTRY(packed_corpus), MR_TEST_ENTRY(packed_sample),
             MR_TEST_ENTRY(raw_sessions), MR_TEST_ENTRY(mooncake_conversation),
             MR_TEST_ENTRY(azure_conversation), MR_TEST_ENTRY(reference_tables),
             MR_TEST_ENTRY(sub_agents_begin_and_join))
