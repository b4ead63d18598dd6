/* SPDX-License-Identifier: Apache-2.0 */
/* engine/serve/sliding: sums of min(context, window) against contexts that are stepped one by one,
 * with calls that end early, places taken again and clocks counted anew; leaps of a network with
 * windows against its steps. */
#include "engine/serve/sliding.h"

#include "engine/base/rng.h"
#include "engine/base/shelf.h"
#include "tests/engine/serve/play.h"
#include "tests/test.h"

enum {
    n_place = 12,
    n_round = 4000
};

MR_TEST(sums_equal_stepping)
{
    struct mr_rng rng = mr_rng_stream(21, MR_RNG_TEST, 1);
    struct mr_sliding window = {.size = 50};
    struct mr_call call[n_place] = {{0}};
    uint64_t context[n_place] = {0}; /* 0: nobody there */
    uint32_t clock = 0;
    struct mr_err err = {0};
    for (int i = 0; i < n_round; i++) {
        const uint32_t at = (uint32_t)mr_rng_below(&rng, n_place);
        if (context[at] > 0) {
            mr_sliding_leave(&window, &call[at], context[at], 0); /* context: as of now */
            context[at] = 0;
        } else {
            context[at] = 1 + mr_rng_below(&rng, 70);
            assert_int_equal(mr_sliding_enter(&window, &call[at], at, context[at], clock, &err),
                             MR_OK);
        }
        if (clock > 100 && i % 97 == 0) {
            mr_sliding_rebase(&window, call, 100);
            clock -= 100;
        }
        const uint64_t left = mr_sliding_left(&window, call, clock);
        uint64_t n = 1 + mr_rng_below(&rng, 9), least = UINT64_MAX, sum = 0;
        n = n < left ? n : left;
        for (int k = 0; k < n_place; k++)
            if (context[k] > 0 && context[k] < window.size && window.size - context[k] < least)
                least = window.size - context[k];
        assert_int_equal(left, least);
        clock += (uint32_t)n;
        mr_sliding_step(&window, call, n, clock);
        uint32_t n_growing = 0;
        for (int k = 0; k < n_place; k++) {
            context[k] += context[k] > 0 ? n : 0;
            sum += context[k] < window.size ? context[k] : window.size;
            n_growing += context[k] > 0 && context[k] < window.size;
        }
        assert_int_equal(window.tokens, sum);
        assert_int_equal(window.n_growing, n_growing);
    }
    mr_sliding_fini(&window);
    assert_int_equal(mr_test_live_allocations(), 0);
}

MR_TEST(a_network_with_windows_leaps_as_it_steps)
{
    enum {
        n = 120
    };
    struct mr_shelf *shelf;
    struct mr_diags diags = {0};
    struct mr_err err = {0};
    struct mr_step *step;
    struct play_call a[n], b[n];
    struct mr_rng rng = mr_rng_stream(22, MR_RNG_TEST, 1);
    double at_s = 0;
    assert_int_equal(mr_shelf_create(&shelf, &err), MR_OK);
    const struct mr_step_setup setup = {
        .gpu = mr_gpu_of(mr_shelf_card(shelf, &mr_gpu_kind, "b200_sxm", MR_NOWHERE, &diags)),
        .llm = mr_llm_of(mr_shelf_card(shelf, &mr_llm_kind, "gpt-oss-20b", MR_NOWHERE, &diags)),
        .software =
            mr_software_of(mr_shelf_card(shelf, &mr_software_kind, "spec", MR_NOWHERE, &diags)),
        .parallel = {1, 1, 1, 1, 1},
        .dense_format = MR_FORMAT_BF16,
        .expert_format = MR_FORMAT_MXFP4,
        .kv_element_bytes = 2};
    assert_true(mr_llm_window(setup.llm) > 0);
    assert_int_equal(mr_step_create(&setup, &step, &err), MR_OK);
    struct mr_serving serving = {.policy = &mr_policy_vllm1,
                                 .pricer = {.step = step},
                                 .batch_max = 32,
                                 .token_max = 512,
                                 .block_tokens = 16,
                                 .n_block = 4000,
                                 .window_tokens = mr_llm_window(setup.llm)};
    for (size_t i = 0; i < n; i++) {
        at_s += mr_rng_exponential(&rng, 0.02);
        a[i] = (struct play_call){.arrived_s = at_s,
                                  .n_prompt = 1 + (uint32_t)mr_rng_below(&rng, 400),
                                  .n_output = 1 + (uint32_t)mr_rng_below(&rng, 400)};
    }
    memcpy(b, a, sizeof a);
    const struct play_result leaping = play(&serving, a, n);
    serving.steps_singly = true;
    const struct play_result stepping = play(&serving, b, n);
    assert_int_equal(leaping.n_iteration, stepping.n_iteration);
    assert_true(leaping.n_segment < stepping.n_segment / 2);
    for (size_t i = 0; i < n; i++)
        mr_assert_near(a[i].finished_s, b[i].finished_s, 0, 1e-9);
    mr_step_destroy(step);
    mr_shelf_destroy(shelf);
}

MR_TEST_MAIN(MR_TEST_ENTRY(sums_equal_stepping),
             MR_TEST_ENTRY(a_network_with_windows_leaps_as_it_steps))
