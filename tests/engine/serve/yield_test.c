/* SPDX-License-Identifier: Apache-2.0 */
/* engine/serve/yield: calls of paid tiers beside background work that fills what is left; leap on
 * and off; who is not stopped for nothing. */
#include "engine/base/rng.h"
#include "tests/engine/serve/play.h"
#include "tests/test.h"

enum {
    n_paid = 60,
    n_background = 40
};

static struct mr_serving serving_of(struct mr_profile *profile)
{
    return (struct mr_serving){.policy = &mr_policy_vllm1,
                               .pricer = {.profile = profile},
                               .batch_max = 8,
                               .token_max = 512,
                               .block_tokens = 16,
                               .n_block = 1000};
}

/* A paid call every half second; background calls that all came at the start. */
static size_t make_calls(struct play_call *call, bool has_background, bool yields)
{
    size_t n = 0;
    for (uint32_t i = 0; has_background && i < n_background; i++)
        call[n++] = (struct play_call){.n_prompt = 3000 + 37 * i,
                                       .n_output = 500 + i,
                                       .space = 100 + i,
                                       .rank = 1,
                                       .yields = yields};
    for (uint32_t i = 0; i < n_paid; i++)
        call[n++] = (struct play_call){
            .arrived_s = 1 + 0.5 * i, .n_prompt = 100 + 5 * i, .n_output = 10, .space = 1 + i};
    return n;
}

/* Beside background work that waits for it a paid call waits for the step in flight, and its own
 * step has the decodes of that work in it, of which none takes longer than .1 s. Where it does not
 * yield a paid call waits for prompts and slots. */
MR_TEST(a_paid_call_waits_for_no_more_than_a_step)
{
    struct mr_profile *profile = play_five_constants();
    struct mr_serving serving = serving_of(profile);
    static struct play_call alone[n_paid], beside[n_paid + n_background];
    serving.batch_max = 4;
    play(&serving, alone, make_calls(alone, false, false));
    for (int i = 0; i < 2; i++) {
        serving.has_cache = i == 1;
        const size_t n = make_calls(beside, true, true);
        const struct play_result result = play(&serving, beside, n);
        double worst_s = 0, end_s = 0;
        for (size_t k = 0; k < n_paid; k++) {
            const struct play_call *b = &beside[n_background + k];
            const double later_s =
                (b->first_s - b->arrived_s) - (alone[k].first_s - alone[k].arrived_s);
            assert_true(later_s >= -1e-9);
            worst_s = fmax(worst_s, later_s);
            assert_int_equal(b->n_restart, 0);
        }
        for (size_t k = 0; k < n_background; k++)
            end_s = fmax(end_s, beside[k].finished_s);
        print_message("%.3g s later at most, %llu stops, background ends at %.4g s\n", worst_s,
                      (unsigned long long)result.n_restart, end_s);
        assert_true(worst_s < 2 * .1);
        assert_true(result.n_restart > 5);
        assert_true(end_s > 31); /* it went on when the paid ones had ended, and came to its end */
    }
    const size_t n = make_calls(beside, true, false);
    play(&serving, beside, n);
    double worst_s = 0;
    for (size_t k = 0; k < n_paid; k++)
        worst_s =
            fmax(worst_s, beside[n_background + k].first_s - beside[n_background + k].arrived_s);
    print_message("%.3g s where it does not yield\n", worst_s);
    assert_true(worst_s > .5);
    mr_profile_destroy(profile);
    assert_int_equal(mr_test_live_allocations(), 0);
}

/* What is left is used: without paid calls background work takes as long as if it did not yield,
 * and none is stopped; nor is it for a call that would not fit anyway. */
MR_TEST(nobody_is_stopped_for_nothing)
{
    struct mr_profile *profile = play_five_constants();
    struct mr_serving serving = serving_of(profile);
    struct play_call a[] = {
        {.n_prompt = 400, .n_output = 900, .space = 1, .rank = 1, .yields = true},
        {.n_prompt = 400, .n_output = 900, .space = 2, .rank = 1}};
    struct play_call b[] = {a[0], a[1]};
    b[0].yields = false;
    assert_int_equal(play(&serving, a, 2).n_restart, 0);
    play(&serving, b, 2);
    assert_true(a[0].finished_s == b[0].finished_s && a[1].finished_s == b[1].finished_s);
    /* 100 blocks: 27 of the one that yields, 57 of the other; the third wants 63 and waits */
    serving.n_block = 100;
    struct play_call c[] = {
        {.n_prompt = 400, .n_output = 30, .space = 1, .rank = 1, .yields = true},
        {.n_prompt = 900, .n_output = 30, .space = 2},
        {.arrived_s = .2, .n_prompt = 1000, .n_output = 2, .space = 3},
    };
    assert_int_equal(play(&serving, c, 3).n_restart, 0);
    assert_true(c[2].scheduled_s >= c[1].finished_s - 1e-9);
    mr_profile_destroy(profile);
}

/* Contexts of paid sessions stay between their calls, whatever background work there is: it has its
 * own to lose, and no more of the memory than is left to it. Its prompts are read in pieces that
 * keep a paid call's tokens short. */
MR_TEST(contexts_and_paces_stay)
{
    enum {
        n_session = 4,
        n_turn = 6,
        n_all = n_session * n_turn + n_background
    };
    struct mr_profile *profile = play_five_constants();
    struct mr_serving serving = serving_of(profile);
    static struct play_call call[n_all];
    serving.has_cache = true;
    for (int i = 0; i < 2; i++) {
        size_t n = 0;
        double longest_s = 0;
        serving.yield_spare_frac = i == 0 ? 0 : 0.5;
        serving.yield_token_max = i == 0 ? 0 : 32;
        for (uint32_t k = 0; k < n_background; k++)
            call[n++] = (struct play_call){
                .n_prompt = 3000, .n_output = 30, .space = 100 + k, .rank = 1, .yields = true};
        for (uint32_t k = 0; k < n_session * n_turn; k++)
            call[n++] = (struct play_call){.arrived_s = 1 + 0.7 * k,
                                           .n_prompt = 1000 + 60 * (k / n_session),
                                           .n_output = 40,
                                           .space = 1 + k % n_session};
        play(&serving, call, n);
        uint32_t n_kept = 0;
        for (size_t k = n_background + n_session; k < n; k++) {
            n_kept += call[k].n_cached >= 960;
            longest_s = fmax(longest_s, (call[k].finished_s - call[k].first_s) / 39);
        }
        print_message("%u of %u contexts kept, %.3g s for a token\n", n_kept,
                      n_session * (n_turn - 1), longest_s);
        assert_int_equal(n_kept == n_session * (n_turn - 1), i);
        assert_int_equal(longest_s < 0.025, i);
    }
    mr_profile_destroy(profile);
    assert_int_equal(mr_test_live_allocations(), 0);
}

/* Long contexts of background work that decodes: a paid call's tokens take no longer than those
 * that were let in make a step, and its own. Somebody of it is always there. */
MR_TEST(decodes_beside_stay_short)
{
    enum {
        n_long = 12,
        n_short = 20
    };
    struct mr_profile *profile = play_five_constants();
    struct mr_serving serving = serving_of(profile);
    static struct play_call call[n_long + n_short];
    serving.batch_max = 16;
    serving.n_block = 50000;
    serving.has_cache = true;
    serving.yield_token_max = 64;
    for (int i = 0; i < 2; i++) {
        double longest_s = 0, end_s = 0;
        serving.yield_step_s = i == 0 ? 0 : 0.02;
        for (uint32_t k = 0; k < n_long; k++)
            call[k] = (struct play_call){
                .n_prompt = 30000, .n_output = 9000, .space = 100 + k, .rank = 1, .yields = true};
        for (uint32_t k = 0; k < n_short; k++)
            call[n_long + k] = (struct play_call){
                .arrived_s = 150 + 2 * k, .n_prompt = 200, .n_output = 40, .space = 1 + k};
        play(&serving, call, n_long + n_short);
        for (uint32_t k = 0; k < n_long; k++)
            end_s = fmax(end_s, call[k].finished_s);
        for (uint32_t k = n_long; k < n_long + n_short; k++)
            longest_s = fmax(longest_s, (call[k].finished_s - call[k].first_s) / 39);
        print_message("%.3g s for a token, background ends at %.4g s\n", longest_s, end_s);
        assert_int_equal(longest_s < 0.03, i);
    }
    mr_profile_destroy(profile);
    assert_int_equal(mr_test_live_allocations(), 0);
}

/* Nobody is there to whom steps could be too long: they run as without a bound. */
MR_TEST(alone_they_run_as_others_do)
{
    enum {
        n_long = 12
    };
    struct mr_profile *profile = play_five_constants();
    struct mr_serving serving = serving_of(profile);
    static struct play_call call[n_long], bound[n_long];
    serving.batch_max = 16;
    serving.n_block = 50000;
    serving.has_cache = true;
    for (uint32_t k = 0; k < n_long; k++)
        call[k] = bound[k] = (struct play_call){
            .n_prompt = 30000, .n_output = 900, .space = 100 + k, .rank = 1, .yields = true};
    play(&serving, call, n_long);
    serving.yield_step_s = 1e-3; /* less than a step takes */
    play(&serving, bound, n_long);
    for (uint32_t k = 0; k < n_long; k++)
        assert_true(bound[k].finished_s == call[k].finished_s && call[k].finished_s > 0);
    mr_profile_destroy(profile);
    assert_int_equal(mr_test_live_allocations(), 0);
}

/* A night's background work fills an instance; who comes in the morning stops what is too much. */
MR_TEST(who_comes_first_shortens_steps)
{
    enum {
        n_long = 12,
        n = n_long + 1
    };
    struct mr_profile *profile = play_five_constants();
    struct mr_serving serving = serving_of(profile);
    static struct play_call call[n];
    serving.batch_max = 16;
    serving.n_block = 50000;
    serving.has_cache = true;
    serving.yield_token_max = 64;
    for (int i = 0; i < 2; i++) {
        serving.yield_step_s = i == 0 ? 0 : 0.02;
        for (uint32_t k = 0; k < n_long; k++)
            call[k] = (struct play_call){
                .n_prompt = 30000, .n_output = 9000, .space = 100 + k, .rank = 1, .yields = true};
        call[n_long] =
            (struct play_call){.arrived_s = 150, .n_prompt = 200, .n_output = 40, .space = 1};
        play(&serving, call, n);
        const double token_s = (call[n_long].finished_s - call[n_long].first_s) / 39;
        print_message("%.3g s for a token\n", token_s);
        assert_int_equal(token_s < 0.03, i);
    }
    mr_profile_destroy(profile);
    assert_int_equal(mr_test_live_allocations(), 0);
}

MR_TEST(leaps_and_steps_stop_the_same)
{
    enum {
        n_max = 120
    };
    struct mr_profile *profile = play_five_constants();
    struct mr_rng rng = mr_rng_stream(47, MR_RNG_TEST, 1);
    static struct play_call a[n_max], b[n_max];
    uint64_t n_restart = 0;
    for (int i = 0; i < 300; i++) {
        struct mr_serving serving = serving_of(profile);
        double at_s = 0;
        serving.batch_max = 1 + (uint32_t)mr_rng_below(&rng, 8);
        serving.token_max = 64 + (uint32_t)mr_rng_below(&rng, 400);
        serving.n_block = 130 + mr_rng_below(&rng, 300);
        serving.has_cache = i % 2 == 0;
        serving.preempts_lowest = i % 3 == 0;
        serving.yield_token_max = i % 5 < 3 ? 0 : 1 + (uint32_t)mr_rng_below(&rng, 100);
        serving.yield_spare_frac = i % 7 < 4 ? 0.5 : 0;
        serving.yield_step_s = i % 11 < 6 ? 0 : 0.012 + 1e-6 * (double)mr_rng_below(&rng, 1000);
        for (uint32_t k = 0; k < n_max; k++) {
            at_s += mr_rng_exponential(&rng, 0.2);
            const bool yields = mr_rng_below(&rng, 2) == 0;
            a[k] = (struct play_call){.arrived_s = at_s,
                                      .n_prompt = 1 + (uint32_t)mr_rng_below(&rng, 1500),
                                      .n_output = 1 + (uint32_t)mr_rng_below(&rng, 150),
                                      .space = 1 + (uint32_t)mr_rng_below(&rng, 30),
                                      .rank = yields ? 2 : (uint8_t)mr_rng_below(&rng, 2),
                                      .yields = yields};
        }
        memcpy(b, a, sizeof a);
        const struct play_result leaping = play(&serving, a, n_max);
        serving.steps_singly = true;
        const struct play_result stepping = play(&serving, b, n_max);
        assert_int_equal(leaping.n_iteration, stepping.n_iteration);
        assert_int_equal(leaping.n_restart, stepping.n_restart);
        n_restart += leaping.n_restart;
        for (size_t k = 0; k < n_max; k++) {
            assert_int_equal(a[k].n_cached, b[k].n_cached);
            mr_assert_near(a[k].first_s, b[k].first_s, 0, 1e-9);
            mr_assert_near(a[k].finished_s, b[k].finished_s, 0, 1e-9);
        }
    }
    print_message("%llu stops\n", (unsigned long long)n_restart);
    assert_true(n_restart > 1000);
    mr_profile_destroy(profile);
}

MR_TEST_MAIN(MR_TEST_ENTRY(a_paid_call_waits_for_no_more_than_a_step),
             MR_TEST_ENTRY(nobody_is_stopped_for_nothing), MR_TEST_ENTRY(contexts_and_paces_stay),
             MR_TEST_ENTRY(decodes_beside_stay_short), MR_TEST_ENTRY(alone_they_run_as_others_do),
             MR_TEST_ENTRY(who_comes_first_shortens_steps),
             MR_TEST_ENTRY(leaps_and_steps_stop_the_same))
