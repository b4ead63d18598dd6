/* SPDX-License-Identifier: Apache-2.0 */
/* Open loops from files of every format: known sums of real traces, what becomes of bad rows, and
 * that reading holds no more after many rows than after few. */
#include "engine/work/arrivals.h"

#include "tests/test.h"

#include <math.h>
#include <string.h>

struct sums {
    uint64_t n, input, output, hashes;
    double first_s, last_s;
    struct mr_arrivals_counts counts;
};

static mr_status drain(struct mr_arrivals_source *source, struct sums *sums, struct mr_err *err)
{
    struct mr_arrival call;
    *sums = (struct sums){0};
    for (bool has_call = true;;) {
        MR_TRY(mr_arrivals_next(source, &call, &has_call, err));
        sums->counts = mr_arrivals_counted(source);
        if (!has_call)
            return MR_OK;
        sums->first_s = sums->n == 0 ? call.arrived_s : sums->first_s;
        sums->last_s = call.arrived_s;
        sums->n++;
        sums->input += call.n_input;
        sums->output += call.n_output;
        sums->hashes += call.n_hash;
    }
}

/* ---- real traces ---- */

static const struct {
    const char *file;
    uint64_t n, input, output, hashes;
    double first_s, last_s;
} known[] = {
    {"azure/azure_llm_2023_conv.csv", 19366, 22361870, 4088665, 0, 0, 3501.7219370},
    {"mooncake/conversation_trace.jsonl.gz", 12031, 144793823, 4122048, 288500, 0, 3536.999},
    {"reference/ref_8B_r1_n1000.csv", 1000, 0, 0, 0, (double)NAN, (double)NAN},
    {"reference/ref_8B_r1_n10000.csv", 10000, 0, 0, 0, (double)NAN, (double)NAN},
};

MR_TEST(real_traces)
{
    if (mr_test_data("") == NULL)
        mr_test_skip("no MILLRACE_DATA");
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        const struct mr_arrivals_spec spec = {.file = mr_test_data(known[i].file), .speed = 1};
        struct mr_arrivals_source *source;
        struct sums sums;
        struct mr_err err = {0};
        if (spec.file == NULL)
            mr_test_skip("a trace is not in MILLRACE_DATA");
        assert_int_equal(mr_arrivals_open(&spec, 1, NULL, &source, &err), MR_OK);
        assert_int_equal(drain(source, &sums, &err), MR_OK);
        mr_arrivals_close(source);
        assert_int_equal(sums.n, known[i].n);
        assert_int_equal(sums.hashes, known[i].hashes);
        if (!isnan(known[i].first_s)) {
            assert_int_equal(sums.input, known[i].input);
            assert_int_equal(sums.output, known[i].output);
            assert_true(sums.first_s == known[i].first_s);
            mr_assert_near(sums.last_s, known[i].last_s, 0, 1e-9);
        }
    }
    assert_int_equal(mr_test_live_allocations(), 0);
}

/* ---- rows that cannot be played ---- */

#define AZURE "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:15:46.5,10,2\n"
#define BURST "Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type\n"
#define MOON  "{\"timestamp\": 0, \"input_length\": 10, \"output_length\": 2}\n"

/* What is wrong is always in the file's third line, but for one that is not known at all. */
static const struct {
    const char *text, *why;
    int line;
    struct mr_arrivals_counts skip, clip; /* of rows */
} bad[] = {
    {AZURE "2023-11-16 18:15:45,10,2\n", "before the first row", 3, {1, 0, 0}, {0, 1, 0}},
    {AZURE "2023-11-16 18:15:47,-10,2\n", "-10 is not a number of tokens", 3, {1, 0, 0}, {0, 1, 1}},
    {AZURE "2023-11-16 18:15:47,10,5e9\n", "5e+09 is not a number", 3, {1, 0, 0}, {0, 1, 0}},
    {BURST "1,served,10,2,12,x\n-4,served,1,1,2,x\n", "-4 is not a time", 3, {1, 0, 0}, {0, 1, 0}},
    {BURST "1,served,10,2,12,x\n4,other,1,1,2,x\n",
     "\"served\" is served",
     3,
     {1, 0, 0},
     {1, 0, 0}},
    {"arrived_s,input,output\n1,10,2\n0.5,3,4\n", "sort the file", 3, {1, 0, 0}, {0, 1, 0}},
    {"arrived_s,input,output\n1,10,2\n1e11,3,4\n", "too late for a run", 3, {1, 0, 0}, {0, 1, 0}},
    {"arrived_s,input,output\n1,10,2\n2,1.5,4\n", "1.5 is not a number", 3, {1, 0, 0}, {0, 1, 0}},
    {MOON "\n{\"timestamp\": -1, \"input_length\": 1, \"output_length\": 1}",
     "-0.001 is not a time",
     3,
     {1, 0, 0},
     {0, 1, 0}},
    {MOON "\n{\"timestamp\": 1, \"input_length\": 1e30, \"output_length\": 1}",
     "1e+30 is not a number",
     3,
     {1, 0, 0},
     {0, 1, 0}},
};

static mr_status play(const char *text, int policy, struct sums *sums, struct mr_err *err)
{
    static const struct mr_arrivals_served served = {.model = "served"};
    const struct mr_arrivals_spec spec = {.speed = 1, .bad = policy};
    struct mr_arrivals_source *source;
    MR_TRY(mr_arrivals_open_memory(text, strlen(text), "t", &spec, &served, &source, err));
    const mr_status st = drain(source, sums, err);
    mr_arrivals_close(source);
    return st;
}

static void same(const struct mr_arrivals_counts *a, const struct mr_arrivals_counts *b)
{
    assert_int_equal(a->n_skipped, b->n_skipped);
    assert_int_equal(a->n_clipped, b->n_clipped);
    assert_int_equal(a->n_empty, b->n_empty);
}

MR_TEST(bad_rows)
{
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct sums sums;
        struct mr_err err = {0};
        assert_int_not_equal(play(bad[i].text, MR_TRACE_BAD_ERROR, &sums, &err), MR_OK);
        assert_int_equal(err.line, bad[i].line);
        assert_non_null(strstr(err.text, bad[i].why));
        assert_int_equal(play(bad[i].text, MR_TRACE_BAD_SKIP, &sums, &err), MR_OK);
        assert_int_equal(sums.n, 1);
        same(&sums.counts, &bad[i].skip);
        assert_int_equal(play(bad[i].text, MR_TRACE_BAD_CLIP, &sums, &err), MR_OK);
        assert_int_equal(sums.n, 2 - bad[i].clip.n_skipped);
        same(&sums.counts, &bad[i].clip);
    }
    assert_int_equal(mr_test_live_allocations(), 0);
}

/* Whatever the policy: no rows that are calls of an open loop. */
MR_TEST(no_open_loop)
{
    static const struct {
        const char *text, *why;
        int line;
    } cases[] = {
        {MOON
         "{\"timestamp\": 1, \"input_length\": 1, \"output_length\": 1, \"session_id\": \"a\"}",
         "take \"session_id\" out", 2},
        {"{\"timestamp\": 1, \"input_length\": 1}", "a row needs input and output", 1},
        {"{\"input_length\": 1, \"output_length\": 1}", "a call has no time", 1},
        {AZURE "2023-31-16 18:15:46.5,10,2\n", "not a date", 3},
        {"arrived_s,input,output\n1,nan,1\n", "\"nan\" is not a number", 2},
        {"arrived_s,input,output,tier\n1,1,1,256\n", "there is no tier \"256\"", 2},
        {"arrived_s,input,output,session\n1,1,1,bob\n", "session: a number", 2},
        {"arrived_s,input\n1,1\n", "output", 1},
        {"one,two\n1,2\n", "no trace format known", 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int policy = 0; policy < 3; policy++) {
            struct sums sums;
            struct mr_err err = {0};
            assert_int_not_equal(play(cases[i].text, policy, &sums, &err), MR_OK);
            if (strstr(err.text, cases[i].why) == NULL)
                fail_msg("%s", err.text);
            assert_int_equal(err.line, cases[i].line);
        }
    assert_int_equal(mr_test_live_allocations(), 0);
}

MR_TEST(any_model_by_name_or_number_of_tier)
{
    static const char text[] =
        "arrived_s,input,output,tier,model\n1,1,1,gold,x\n2,1,1,0,y\n3,1,1,,\n";
    static const char *const tiers[] = {"free", "gold"};
    const struct mr_arrivals_served served = {.model = "served", .tier = tiers, .n_tier = 2};
    const struct mr_arrivals_spec spec = {.speed = 1, .models = MR_ARRIVALS_MODELS_ANY};
    static const uint8_t want[] = {1, 0, 0};
    struct mr_arrivals_source *source;
    struct mr_arrival call;
    bool has_call;
    assert_int_equal(
        mr_arrivals_open_memory(text, sizeof text - 1, "t", &spec, &served, &source, NULL), MR_OK);
    for (size_t i = 0; i < sizeof want; i++) {
        assert_int_equal(mr_arrivals_next(source, &call, &has_call, NULL), MR_OK);
        assert_int_equal(call.tier, want[i]);
    }
    mr_arrivals_close(source);
}

/* ---- rows out of order ---- */

enum {
    n_row = 4000
};

/* Calls a tenth of a second apart, each written up to 20 s late; the input tells the call, a hash
 * id it, too. @param[out] text JSON Lines */
static void put_late(struct mr_buf *text)
{
    static uint32_t due[n_row + 400][8];
    static uint8_t n_due[n_row + 400];
    struct mr_rng rng = mr_rng_stream(5, MR_RNG_TEST, 0);
    memset(n_due, 0, sizeof n_due);
    for (uint32_t i = 0; i < n_row; i++) {
        uint64_t slot;
        do
            slot = i + mr_rng_below(&rng, 200);
        while (n_due[slot] == 8);
        due[slot][n_due[slot]++] = i;
    }
    for (size_t slot = 0; slot < n_row + 400; slot++)
        for (uint32_t k = 0; k < n_due[slot]; k++) {
            const uint32_t i = due[slot][k];
            mr_buf_printf(text,
                          "{\"timestamp\": %u, \"input_length\": %u, \"output_length\": 1, "
                          "\"hash_ids\": [%u]}\n",
                          100 * i, 1 + i % 500, i);
        }
}

MR_TEST(rows_of_a_window_come_by_time)
{
    struct mr_buf text = {0};
    put_late(&text);
    for (int speed = 1; speed < 10; speed += 4) {
        const struct mr_arrivals_spec spec = {.speed = speed, .window_s = 20};
        struct mr_arrivals_source *source;
        struct mr_arrival call;
        bool has_call;
        assert_int_equal(
            mr_arrivals_open_memory(text.text, text.n, "t", &spec, NULL, &source, NULL), MR_OK);
        for (uint32_t i = 0; i < n_row; i++) {
            assert_int_equal(mr_arrivals_next(source, &call, &has_call, NULL), MR_OK);
            assert_true(has_call && call.n_hash == 1 && call.hash[0] == i);
            assert_int_equal(call.n_input, 1 + i % 500);
            assert_int_equal(call.session, i);
            assert_true(fabs(call.arrived_s - 0.1 * i / speed) < 1e-9);
        }
        assert_int_equal(mr_arrivals_next(source, &call, &has_call, NULL), MR_OK);
        assert_false(has_call);
        mr_arrivals_close(source);
    }
    const struct mr_arrivals_spec narrow = {.speed = 1, .window_s = 2};
    struct mr_arrivals_source *source;
    struct sums sums;
    struct mr_err err = {0};
    assert_int_equal(mr_arrivals_open_memory(text.text, text.n, "t", &narrow, NULL, &source, NULL),
                     MR_OK);
    assert_int_equal(drain(source, &sums, &err), MR_RANGE);
    assert_non_null(strstr(err.text, "sort the file"));
    mr_arrivals_close(source);
    mr_buf_fini(&text);
    assert_int_equal(mr_test_live_allocations(), 0);
}

/* Beyond so many rows the window is as long as they are. */
MR_TEST(what_is_read_ahead_is_bounded)
{
    const struct mr_arrivals_spec spec = {.speed = 1, .window_s = 1e6};
    struct mr_arrivals_source *source;
    struct sums sums;
    struct mr_err err = {0};
    struct mr_buf text = {0};
    mr_buf_text(&text, "arrived_s,input,output\n");
    for (int i = 0; i <= MR_ARRIVALS_AHEAD; i++)
        mr_buf_printf(&text, "%d,1,1\n", 5 + i);
    mr_buf_text(&text, "5,1,1\n");
    assert_int_equal(mr_arrivals_open_memory(text.text, text.n, "t", &spec, NULL, &source, NULL),
                     MR_OK);
    assert_int_equal(drain(source, &sums, &err), MR_RANGE);
    assert_int_equal(err.line, MR_ARRIVALS_AHEAD + 3);
    mr_arrivals_close(source);
    mr_buf_fini(&text);
}

/* ---- what reading holds ---- */

static long held_after(struct mr_buf *text, int format, int n)
{
    const struct mr_arrivals_spec spec = {.speed = 1};
    struct mr_arrivals_source *source;
    struct mr_arrival call;
    bool has_call = true;
    mr_buf_clear(text);
    if (format == 0)
        mr_buf_text(text, "TIMESTAMP,ContextTokens,GeneratedTokens\n");
    if (format == 1)
        mr_buf_text(text, "arrived_s,input,output,session\n");
    for (int i = 0; i < n; i++) {
        const int minute = i / 60 % 60, hour = i / 3600;
        if (format == 0)
            mr_buf_printf(text, "2023-11-16 %02d:%02d:%02d,%d,5\n", hour, minute, i % 60,
                          1 + i % 99);
        else if (format == 1)
            mr_buf_printf(text, "%d,%d,5,%d\n", i, 1 + i % 99, i);
        else
            mr_buf_printf(text,
                          "{\"timestamp\": %d, \"input_length\": 1000, \"output_length\": 1, "
                          "\"hash_ids\": [%d, %d], \"request_id\": \"a rather long name %d\"}\n",
                          i, i, 2 * i, i);
    }
    assert_int_equal(mr_arrivals_open_memory(text->text, text->n, "t", &spec, NULL, &source, NULL),
                     MR_OK);
    for (int i = 0; i < n; i++)
        assert_int_equal(mr_arrivals_next(source, &call, &has_call, NULL), MR_OK);
    assert_true(has_call);
    const long n_live = mr_test_live_allocations();
    mr_arrivals_close(source);
    return n_live;
}

MR_TEST(nothing_is_kept)
{
    struct mr_buf text = {0};
    for (int format = 0; format < 3; format++)
        assert_int_equal(held_after(&text, format, 1000), held_after(&text, format, 50000));
    mr_buf_fini(&text);
    assert_int_equal(mr_test_live_allocations(), 0);
}

MR_TEST_MAIN(MR_TEST_ENTRY(real_traces), MR_TEST_ENTRY(bad_rows), MR_TEST_ENTRY(no_open_loop),
             MR_TEST_ENTRY(any_model_by_name_or_number_of_tier),
             MR_TEST_ENTRY(rows_of_a_window_come_by_time),
             MR_TEST_ENTRY(what_is_read_ahead_is_bounded), MR_TEST_ENTRY(nothing_is_kept))
