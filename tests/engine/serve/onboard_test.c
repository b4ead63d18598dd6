/* SPDX-License-Identifier: Apache-2.0 */
/* engine/serve/onboard: what comes back from memories below the cache and when; leap on and off;
 * shared memories; what is not worth a load; rules of levels. */
#include "engine/base/rng.h"
#include "engine/serve/cell.h"
#include "tests/engine/serve/play.h"
#include "tests/test.h"

#include <math.h>

enum {
    n_call_max = 200,
    n_session = 12,
    block_tok = 16
};

static struct mr_serving serving_of(struct mr_profile *profile, const struct mr_onboard_plan *plan)
{
    return (struct mr_serving){.policy = &mr_policy_vllm1,
                               .pricer = {.profile = profile},
                               .batch_max = 8,
                               .token_max = 4096,
                               .block_tokens = block_tok,
                               .n_block = 150,
                               .has_cache = true,
                               .onboard = plan};
}

static struct mr_onboard_level host(double n_block)
{
    return (struct mr_onboard_level){
        .n_block = n_block, .latency_s = 1e-3, .bytes_s = 50e6, .shared_bytes_s = (double)INFINITY};
}

/* Two sessions of 100 blocks in a memory of 150: the second pushes the end of the first one out,
 * and it comes back. */
MR_TEST(half_a_context_comes_back_at_bytes_over_bandwidth_and_latency)
{
    struct mr_profile *profile = play_five_constants();
    struct mr_onboard_plan plan = {.level[0] = host(1000), .n_level = 1, .block_bytes = 1e4};
    struct mr_serving serving = serving_of(profile, &plan);
    mr_onboard_price(&plan, &serving);
    struct play_call call[] = {
        {.arrived_s = 0, .n_prompt = 1600, .n_output = 1, .space = 1},
        {.arrived_s = 10, .n_prompt = 1600, .n_output = 1, .space = 2},
        {.arrived_s = 20, .n_prompt = 1610, .n_output = 1, .space = 1},
    };
    const struct play_result below = play(&serving, call, 3);
    const double step_s = .002 + .010 + 3.36e-9 * 10 * (1600 + 5);
    assert_int_equal(call[2].n_cached, 1600);
    assert_int_equal(call[2].n_loaded[0], 50);
    mr_assert_near(call[2].first_s - 20, 50 * 1e4 / 50e6 + 1e-3 + step_s, 0, 2e-4);
    mr_assert_near(call[2].scheduled_s - 20, 50 * 1e4 / 50e6 + 1e-3, 0, 1e-12);
    mr_assert_near(call[2].load_s, 50 * 1e4 / 50e6 + 1e-3, 0, 1e-12);
    assert_true(call[0].load_s == 0 && call[1].load_s == 0);
    assert_int_equal(below.loads.n_load, 1);
    assert_int_equal(below.n_resident[0], 101); /* its own 50, of which the other's 51 */

    serving.onboard = NULL; /* what has gone is gone */
    play(&serving, call, 3);
    assert_int_equal(call[2].n_cached, 800);
    assert_true(call[2].n_loaded[0] == 0 && call[2].load_s == 0 && call[2].scheduled_s == 20);
    mr_profile_destroy(profile);
    assert_int_equal(mr_test_live_allocations(), 0);
}

/* A way that carries less than is computed in the same time is not taken; and not what was never
 * used, if the level asks for it. */
MR_TEST(what_is_not_worth_it_is_computed_again)
{
    struct mr_profile *profile = play_five_constants();
    struct mr_onboard_plan plan = {.level[0] = host(1000), .n_level = 1, .block_bytes = 1e4};
    const struct mr_serving serving = serving_of(profile, &plan);
    mr_onboard_price(&plan, &serving);
    struct play_call call[] = {
        {.arrived_s = 0, .n_prompt = 1600, .n_output = 1, .space = 1},
        {.arrived_s = 10, .n_prompt = 1600, .n_output = 1, .space = 2},
        {.arrived_s = 20, .n_prompt = 1610, .n_output = 1, .space = 1},
    };
    plan.level[0].bytes_s = 1e4 / plan.block_s / 100;
    assert_int_equal(play(&serving, call, 3).loads.n_load, 0);
    assert_int_equal(call[2].n_cached, 800);
    plan.level[0] = host(1000);
    plan.level[0].min_use = 1;
    assert_int_equal(play(&serving, call, 3).n_resident[0], 0);
    plan.level[0].min_use = 0;
    plan.level[0].n_block = 20; /* heads stay longer than tails */
    play(&serving, call, 3);
    assert_int_equal(call[2].n_loaded[0], 20);
    assert_int_equal(call[2].n_cached, 800 + 20 * block_tok);
    mr_profile_destroy(profile);
}

/* Written when calls end, a level has all of it at once; two ways in a row. */
MR_TEST(levels_one_after_the_other)
{
    struct mr_profile *profile = play_five_constants();
    struct mr_onboard_plan plan = {
        .level = {host(20), host(1000)}, .n_level = 2, .block_bytes = 1e4};
    plan.level[1].takes_ended = true;
    plan.level[1].bytes_s = 25e6;
    const struct mr_serving serving = serving_of(profile, &plan);
    mr_onboard_price(&plan, &serving);
    struct play_call call[] = {
        {.arrived_s = 0, .n_prompt = 1600, .n_output = 1, .space = 1},
        {.arrived_s = 10, .n_prompt = 1600, .n_output = 1, .space = 2},
        {.arrived_s = 20, .n_prompt = 1610, .n_output = 1, .space = 1},
    };
    const struct play_result below = play(&serving, call, 3);
    assert_int_equal(call[2].n_loaded[0], 20);
    assert_int_equal(call[2].n_loaded[1], 30);
    assert_int_equal(call[2].n_cached, 1600);
    mr_assert_near(call[2].scheduled_s - 20, 20 * 1e4 / 50e6 + 30 * 1e4 / 25e6 + 2e-3, 0, 1e-12);
    assert_int_equal(below.n_resident[1], 200);
    mr_profile_destroy(profile);
}

static size_t draw_calls(struct mr_rng *rng, struct play_call *call)
{
    const size_t n = 60 + mr_rng_below(rng, n_call_max - 60);
    uint32_t context[n_session] = {0};
    double at_s = 0;
    for (size_t i = 0; i < n; i++) {
        const uint32_t s = (uint32_t)mr_rng_below(rng, n_session);
        at_s += mr_rng_exponential(rng, 0.15);
        const uint32_t more = 1 + (uint32_t)mr_rng_below(rng, 200);
        if (context[s] > 1200)
            context[s] = 0;
        call[i] = (struct play_call){.arrived_s = at_s,
                                     .n_prompt = context[s] + more,
                                     .n_output = 1 + (uint32_t)mr_rng_below(rng, 100),
                                     .space = 1 + s,
                                     .rank = (uint8_t)mr_rng_below(rng, 3)};
        context[s] += more + call[i].n_output;
    }
    return n;
}

static void draw_plan(struct mr_rng *rng, struct mr_onboard_plan *plan)
{
    *plan =
        (struct mr_onboard_plan){.n_level = 1 + (uint32_t)mr_rng_below(rng, 3), .block_bytes = 1e4};
    for (uint32_t k = 0; k < plan->n_level; k++) {
        plan->level[k] = host(20 + (double)mr_rng_below(rng, 400));
        plan->level[k].bytes_s = 1e6 * (double)(1 + mr_rng_below(rng, 100));
        plan->level[k].latency_s = 1e-4 * (double)mr_rng_below(rng, 100);
        plan->level[k].min_use = (uint32_t)mr_rng_below(rng, 2);
        plan->level[k].takes_ended = k > 0 || mr_rng_below(rng, 2) == 0;
    }
}

MR_TEST(leaps_and_steps_load_the_same)
{
    struct mr_profile *profile = play_five_constants();
    struct mr_rng rng = mr_rng_stream(43, MR_RNG_TEST, 1);
    static struct play_call a[n_call_max], b[n_call_max];
    uint64_t n_load = 0, n_restart = 0;
    double again_s[2] = {0}, total_s = 0, asked_s = 0;
    for (int i = 0; i < 300; i++) {
        struct mr_onboard_plan plan;
        const size_t n = draw_calls(&rng, a);
        draw_plan(&rng, &plan);
        struct mr_serving serving = serving_of(profile, &plan);
        serving.batch_max = 1 + (uint32_t)mr_rng_below(&rng, 16);
        serving.token_max = 64 + (uint32_t)mr_rng_below(&rng, 400);
        serving.n_block = 110 + mr_rng_below(&rng, 200);
        serving.preempts_lowest = i % 2 == 0;
        mr_onboard_price(&plan, &serving);
        memcpy(b, a, sizeof a);
        const struct play_result leaping = play(&serving, a, n);
        serving.steps_singly = true;
        const struct play_result stepping = play(&serving, b, n);
        assert_int_equal(leaping.n_iteration, stepping.n_iteration);
        assert_memory_equal(leaping.loads.n_block, stepping.loads.n_block,
                            sizeof leaping.loads.n_block);
        for (uint32_t k = 0; k < plan.n_level; k++)
            assert_int_equal(leaping.n_resident[k], stepping.n_resident[k]);
        n_load += leaping.loads.n_load;
        n_restart += leaping.n_restart;
        double load_s = 0;
        for (size_t k = 0; k < n; k++) {
            const uint32_t *from = a[k].n_loaded;
            assert_int_equal(a[k].n_cached, b[k].n_cached);
            assert_memory_equal(from, b[k].n_loaded, sizeof a[k].n_loaded);
            mr_assert_near(a[k].finished_s, b[k].finished_s, 0, 1e-9);
            assert_true((from[0] + from[1] + from[2]) * block_tok <= a[k].n_cached);
            assert_true(a[k].n_cached < a[k].n_prompt);
            assert_true(a[k].load_s <= a[k].scheduled_s - a[k].arrived_s + 1e-9);
            assert_true(a[k].again_s[0] <= a[k].first_s - a[k].scheduled_s + 1e-9);
            assert_true(a[k].again_s[1] <= a[k].finished_s - a[k].first_s + 1e-9);
            load_s += a[k].load_s + a[k].again_s[0] + a[k].again_s[1];
            again_s[0] += a[k].again_s[0];
            again_s[1] += a[k].again_s[1];
        }
        /* but for those that were given up on the way */
        assert_true(load_s <= leaping.loads.load_s + 1e-9);
        total_s += load_s;
        asked_s += leaping.loads.load_s;
    }
    print_message("of %g s of loads %g s in calls, %g and %g s after preemptions\n", asked_s,
                  total_s, again_s[0], again_s[1]);
    assert_true(again_s[0] > 0 && again_s[1] > 0 && total_s > 0.95 * asked_s);
    print_message("%llu loads, %llu restarts\n", (unsigned long long)n_load,
                  (unsigned long long)n_restart);
    assert_true(n_load > 1000 && n_restart > 50);
    mr_profile_destroy(profile);
    assert_int_equal(mr_test_live_allocations(), 0);
}

MR_TEST(only_the_first_level_takes_what_is_evicted)
{
    struct mr_onboard_plan plan = {.level = {host(20), host(1000)}, .n_level = 2};
    struct mr_err err = {0};
    assert_int_equal(mr_onboard_check(&plan, &err), MR_RANGE);
    assert_non_null(strstr(err.text, "level 2"));
    plan.level[1].takes_ended = true;
    assert_int_equal(mr_onboard_check(&plan, &err), MR_OK);
    plan.level[0].is_shared = true;
    assert_int_equal(mr_onboard_check(&plan, &err), MR_RANGE);
}

/* ---- a cell ---- */

struct told {
    double first_s[8];
    uint32_t n_cached[8], n_loaded[8], n;
    const struct mr_cell *cell;
};

static void finished(void *context, const struct mr_ticket *ticket, const struct mr_call *call,
                     double now_s)
{
    struct told *told = context;
    (void)now_s;
    told->first_s[ticket->id] = call->first_s;
    told->n_cached[ticket->id] = ticket->n_cached;
    told->n_loaded[ticket->id] = mr_call_loaded(&told->cell->calls, call, 0);
    told->n++;
}

static void refused(void *context, const struct mr_ticket *ticket, double now_s,
                    enum mr_cell_refusal why)
{
    (void)context, (void)ticket, (void)now_s, (void)why;
    fail_msg("refused");
}

/* What one instance has written another one reads, over a way that both share. A call of each is
 * on it at a time: the second waits for the first. */
MR_TEST(a_shared_memory_outlives_its_instances)
{
    struct mr_profile *profile = play_five_constants();
    struct mr_onboard_plan plan = {.level[0] = host(1000), .n_level = 1, .block_bytes = 1e4};
    plan.level[0].is_shared = plan.level[0].takes_ended = true;
    plan.level[0].shared_bytes_s = 10e6; /* of an instance: 20e6 in all */
    const struct mr_serving serving = serving_of(profile, &plan);
    mr_onboard_price(&plan, &serving);
    struct told told = {0};
    struct mr_cell cell;
    struct mr_err err = {0};
    const struct mr_cell_plan cell_plan = {
        .serving = &serving, .n_instance = 2, .router = MR_ROUTER_ROUND};
    assert_int_equal(
        mr_cell_init(&cell, &cell_plan, &(struct mr_cell_sink){finished, refused, &told}, &err),
        MR_OK);
    told.cell = &cell;
    static const struct {
        double at_s;
        uint32_t session, n_prompt;
    } calls[] = {{0, 0, 1600}, {5, 1, 1600}, {10, 1, 1610}, {10, 0, 1610}};
    for (uint64_t i = 0; i < 4; i++) {
        const struct mr_ticket ticket = {
            .id = i, .session = calls[i].session, .n_prompt = calls[i].n_prompt, .n_output = 1};
        assert_int_equal(mr_cell_play(&cell, calls[i].at_s, &err), MR_OK);
        assert_int_equal(mr_cell_arrive(&cell, &ticket, calls[i].at_s, &err), MR_OK);
    }
    assert_int_equal(mr_cell_play(&cell, 1e9, &err), MR_OK);
    assert_int_equal(told.n, 4);
    /* in turn: each session's second call is where the other one's first was */
    assert_int_equal(told.n_loaded[2], 100);
    assert_int_equal(told.n_loaded[3], 100);
    const double step_s = .002 + .010;
    mr_assert_near(told.first_s[2] - 10, 100 * 1e4 / 20e6 + 1e-3 + step_s, 0, 2e-3);
    mr_assert_near(told.first_s[3] - told.first_s[2], 100 * 1e4 / 20e6, 0, 1e-9);
    mr_cell_fini(&cell);
    mr_profile_destroy(profile);
    assert_int_equal(mr_test_live_allocations(), 0);
}

MR_TEST_MAIN(MR_TEST_ENTRY(half_a_context_comes_back_at_bytes_over_bandwidth_and_latency),
             MR_TEST_ENTRY(what_is_not_worth_it_is_computed_again),
             MR_TEST_ENTRY(levels_one_after_the_other),
             MR_TEST_ENTRY(leaps_and_steps_load_the_same),
             MR_TEST_ENTRY(only_the_first_level_takes_what_is_evicted),
             MR_TEST_ENTRY(a_shared_memory_outlives_its_instances))
