/* SPDX-License-Identifier: Apache-2.0 */
/* Which sessions are taken: by size and model, one of copies, a sample; spread arrivals. */
#include "engine/work/trace_pick.h"

#include "tests/engine/work/trace_whole.h"

#include <math.h>

#define CALL(in, out, model) \
    "{\"n\":" #in ",\"k\":\"llm\",\"m\":\"" model "\",\"in\":" #in ",\"out\":" #out "}"

/* 0 and 2 begin alike, 2 has more calls; 1 is another's; 3 is long */
static const char sessions[] =
    "{\"schema\":\"millrace.session\",\"version\":1,\"block_size\":64}\n"
    "{\"arrival_ms\":3000,\"nodes\":[" CALL(100, 5, "a") "," CALL(200, 6, "a") "," CALL(
        300, 7,
        "a") "]}\n"
             "{\"arrival_ms\":3000,\"nodes\":[" CALL(100, 5, "a") "," CALL(
                 200, 6,
                 "b") "]}\n"
                      "{\"arrival_ms\":3000,\"nodes\":[" CALL(100, 5, "a") "," CALL(
                          200, 6,
                          "a") "," CALL(300, 7,
                                        "a") "," CALL(301, 1,
                                                      "a") "]}\n"
                                                           "{\"arrival_ms\":6000,\"nodes\":[" CALL(
                                                               5000, 50, "b") "]}\n";

static void pick(const struct mr_trace_pick_plan *plan, const char *taken)
{
    struct mr_trace_pick pick = {.plan = *plan};
    struct whole whole;
    double arrival_s;
    char got[8] = "";
    size_t n = 0;
    read_text(&whole, sessions);
    for (size_t i = 0; i < whole.n; i++)
        assert_int_equal(
            mr_trace_pick_add(&pick, mr_trace_book(whole.trace), &whole.session[i], i, NULL),
            MR_OK);
    assert_int_equal(mr_trace_pick_choose(&pick, NULL), MR_OK);
    for (int round = 0; round < 2; round++, n = 0) {
        for (uint64_t i = 0; i < whole.n; i++)
            if (mr_trace_pick_takes(&pick, i, &arrival_s))
                got[n++] = (char)('0' + i);
        got[n] = '\0';
        assert_string_equal(got, taken);
        mr_trace_pick_rewind(&pick);
    }
    mr_trace_pick_fini(&pick);
    close_whole(&whole);
}

MR_TEST(rules)
{
    pick(&(struct mr_trace_pick_plan){0}, "0123");
    pick(&(struct mr_trace_pick_plan){.call_min = 2}, "012");
    pick(&(struct mr_trace_pick_plan){.call_min = 2, .call_max = 3}, "01");
    pick(&(struct mr_trace_pick_plan){.context_max = 5050}, "0123");
    pick(&(struct mr_trace_pick_plan){.context_max = 5049}, "012");
    pick(&(struct mr_trace_pick_plan){.model = "b"}, "13");
    pick(&(struct mr_trace_pick_plan){.model = "c"}, "");
    pick(&(struct mr_trace_pick_plan){.is_once = true}, "123");
    pick(&(struct mr_trace_pick_plan){.is_once = true, .call_max = 3}, "013");
    pick(&(struct mr_trace_pick_plan){.n_sample = 9}, "0123");
    assert_false(mr_trace_pick_is_needed(&(struct mr_trace_pick_plan){.seed = 1}));
    assert_true(mr_trace_pick_is_needed(&(struct mr_trace_pick_plan){.tick_s = 1}));
}

/* Each of 50 numbers is in a sample of 10 about 400 of 2,000 times: 6 deviations of 17.9. */
MR_TEST(samples_are_even)
{
    enum {
        n_item = 50,
        n_sample = 10,
        n_seed = 2000
    };
    int n_taken[n_item] = {0};
    struct whole whole;
    double arrival_s;
    read_text(&whole, sessions);
    for (uint64_t seed = 0; seed < n_seed; seed++) {
        struct mr_trace_pick pick = {.plan = {.n_sample = n_sample, .seed = seed}};
        int n = 0;
        for (uint64_t i = 0; i < n_item; i++)
            assert_int_equal(
                mr_trace_pick_add(&pick, mr_trace_book(whole.trace), &whole.session[0], i, NULL),
                MR_OK);
        assert_int_equal(mr_trace_pick_choose(&pick, NULL), MR_OK);
        for (uint64_t i = 0; i < n_item; i++)
            if (mr_trace_pick_takes(&pick, i, &arrival_s)) {
                n_taken[i]++;
                n++;
            }
        assert_int_equal(n, n_sample);
        mr_trace_pick_fini(&pick);
    }
    for (int i = 0; i < n_item; i++)
        assert_in_range(n_taken[i], 400 - 107, 400 + 107);
    close_whole(&whole);
}

/* Arrivals of a tick lie in it, in order; their mean is its middle. */
MR_TEST(ticks_are_spread)
{
    enum {
        n_item = 3000
    };
    struct mr_trace_pick pick = {.plan = {.tick_s = 3, .seed = 5}};
    struct whole whole;
    double before_s = 0, arrival_s, sum_s = 0;
    read_text(&whole, sessions);
    for (uint64_t i = 0; i < n_item; i++) {
        whole.session[0].head.arrival_s = i < n_item / 2 ? 3 : i + 1 < n_item ? 6 : (double)NAN;
        assert_int_equal(
            mr_trace_pick_add(&pick, mr_trace_book(whole.trace), &whole.session[0], i, NULL),
            MR_OK);
    }
    assert_int_equal(mr_trace_pick_choose(&pick, NULL), MR_OK);
    for (uint64_t i = 0; i + 1 < n_item; i++) {
        const double tick_s = i < n_item / 2 ? 3 : 6;
        assert_true(mr_trace_pick_takes(&pick, i, &arrival_s));
        assert_true(arrival_s >= before_s && arrival_s >= tick_s && arrival_s < tick_s + 3);
        before_s = arrival_s;
        sum_s += arrival_s - tick_s;
    }
    assert_true(mr_trace_pick_takes(&pick, n_item - 1, &arrival_s));
    assert_true(isnan(arrival_s)); /* it had none */
    mr_assert_near(sum_s / (n_item - 1), 1.5, 0, 6 * 3 / sqrt(12.0 * n_item));
    mr_trace_pick_fini(&pick);
    close_whole(&whole);
}

MR_TEST_MAIN(MR_TEST_ENTRY(rules), MR_TEST_ENTRY(samples_are_even), MR_TEST_ENTRY(ticks_are_spread))
