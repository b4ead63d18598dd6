/* SPDX-License-Identifier: Apache-2.0 */
/* engine/serve/instance with a prefix cache: what sessions and prefixes save, in whole blocks; leap
 * on and off where blocks are scarce; nothing found in a cache that is never there. */
#include "engine/base/rng.h"
#include "tests/engine/serve/play.h"
#include "tests/test.h"

enum {
    n_call_max = 200,
    n_session = 12
};

MR_TEST(whole_blocks_of_what_was_computed_before)
{
    struct mr_profile *profile = play_five_constants();
    const struct mr_serving serving = {.policy = &mr_policy_vllm1,
                                       .pricer = {.profile = profile},
                                       .batch_max = 8,
                                       .token_max = 512,
                                       .block_tokens = 16,
                                       .n_block = 400,
                                       .has_cache = true};
    /* far apart: a call, its session's next, the same prompt again, another session of its prefix
     */
    struct play_call call[] = {
        {.arrived_s = 0, .n_prompt = 1000, .n_output = 50, .space = 1, .n_prefix = 300},
        {.arrived_s = 10, .n_prompt = 1200, .n_output = 50, .space = 1, .n_prefix = 300},
        {.arrived_s = 20, .n_prompt = 1200, .n_output = 1, .space = 1, .n_prefix = 300},
        {.arrived_s = 30, .n_prompt = 500, .n_output = 2, .space = 2, .n_prefix = 300},
        {.arrived_s = 40, .n_prompt = 16, .n_output = 2, .space = 2, .n_prefix = 0},
    };
    play(&serving, call, sizeof call / sizeof *call);
    assert_int_equal(call[0].n_cached, 0);
    assert_int_equal(call[1].n_cached, 1049 / 16 * 16); /* the last token was never stored */
    assert_int_equal(call[2].n_cached, 1199 / 16 * 16); /* one token at least is computed */
    assert_int_equal(call[3].n_cached, 300 / 16 * 16);
    assert_int_equal(call[4].n_cached, 0);
    mr_profile_destroy(profile);
}

static size_t draw_calls(struct mr_rng *rng, struct play_call *call, uint32_t n_prefix)
{
    const size_t n = 40 + mr_rng_below(rng, n_call_max - 40);
    uint32_t context[n_session] = {0};
    double at_s = 0;
    for (size_t i = 0; i < n; i++) {
        const uint32_t s = (uint32_t)mr_rng_below(rng, n_session);
        at_s += mr_rng_exponential(rng, 0.15);
        if (context[s] > 1200)
            context[s] = 0; /* a fresh life is not told: it would be another space */
        const uint32_t more = 1 + (uint32_t)mr_rng_below(rng, 200);
        call[i] = (struct play_call){.arrived_s = at_s,
                                     .n_prompt = n_prefix + context[s] + more,
                                     .n_output = 1 + (uint32_t)mr_rng_below(rng, 100),
                                     .space = 1 + s,
                                     .n_prefix = n_prefix};
        context[s] += more + call[i].n_output;
    }
    return n;
}

MR_TEST(leaps_and_steps_find_the_same)
{
    struct mr_profile *profile = play_five_constants();
    struct mr_rng rng = mr_rng_stream(41, MR_RNG_TEST, 1);
    static struct play_call a[n_call_max], b[n_call_max];
    uint64_t n_cached = 0, n_restart = 0, n_prompt = 0;
    for (int i = 0; i < 200; i++) {
        const uint32_t n_prefix = (uint32_t)mr_rng_below(&rng, 200);
        const size_t n = draw_calls(&rng, a, n_prefix);
        struct mr_serving serving = {.policy = &mr_policy_vllm1,
                                     .pricer = {.profile = profile},
                                     .batch_max = 1 + (uint32_t)mr_rng_below(&rng, 16),
                                     .token_max = 64 + (uint32_t)mr_rng_below(&rng, 400),
                                     .block_tokens = 1u << (2 + mr_rng_below(&rng, 4)),
                                     .has_cache = true};
        serving.n_block =
            2000 / serving.block_tokens + mr_rng_below(&rng, 8000) / serving.block_tokens;
        serving.preempts_lowest = i % 2 == 0;
        for (size_t k = 0; k < n && i % 2 == 0; k++)
            a[k].rank = (uint8_t)mr_rng_below(&rng, 3);
        memcpy(b, a, sizeof a);
        const struct play_result leaping = play(&serving, a, n);
        serving.steps_singly = true;
        const struct play_result stepping = play(&serving, b, n);
        assert_int_equal(leaping.n_iteration, stepping.n_iteration);
        n_restart += leaping.n_restart;
        for (size_t k = 0; k < n; k++) {
            assert_int_equal(a[k].n_cached, b[k].n_cached);
            mr_assert_near(a[k].finished_s, b[k].finished_s, 0, 1e-9);
            assert_true(a[k].n_cached % serving.block_tokens == 0);
            assert_true(a[k].n_cached < a[k].n_prompt);
            n_cached += a[k].n_cached;
            n_prompt += a[k].n_prompt;
        }
    }
    print_message("%.1f %% of the input cached, %llu restarts\n",
                  100 * (double)n_cached / (double)n_prompt, (unsigned long long)n_restart);
    assert_true(n_cached > n_prompt / 4 && n_restart > 50);
    mr_profile_destroy(profile);
    assert_int_equal(mr_test_live_allocations(), 0);
}

/* With room for everything a session finds all whole blocks it ever computed. */
MR_TEST(ample_room_finds_all_there_is)
{
    struct mr_profile *profile = play_five_constants();
    const struct mr_serving serving = {.policy = &mr_policy_vllm1,
                                       .pricer = {.profile = profile},
                                       .batch_max = 64,
                                       .token_max = 4096,
                                       .block_tokens = 16,
                                       .n_block = 100000,
                                       .has_cache = true};
    struct play_call call[30];
    uint32_t context = 0;
    for (size_t i = 0; i < 30; i++) {
        call[i] = (struct play_call){.arrived_s = 20. * (double)i,
                                     .n_prompt = context + 37,
                                     .n_output = 5 + (uint32_t)i,
                                     .space = 1};
        context += 37 + call[i].n_output;
    }
    play(&serving, call, 30);
    for (size_t i = 1; i < 30; i++)
        assert_int_equal(call[i].n_cached,
                         (call[i - 1].n_prompt + call[i - 1].n_output - 1) / 16 * 16);
    mr_profile_destroy(profile);
}

MR_TEST_MAIN(MR_TEST_ENTRY(whole_blocks_of_what_was_computed_before),
             MR_TEST_ENTRY(leaps_and_steps_find_the_same),
             MR_TEST_ENTRY(ample_room_finds_all_there_is))
