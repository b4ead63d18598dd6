/* SPDX-License-Identifier: Apache-2.0 */
/* engine/serve/fill: a prompt's first token has come through all stages. Known answers of single
 * calls and of rows of prompts; that leaps are steps with pipelines is in split_leap_test.c. */
#include "engine/base/shelf.h"
#include "tests/engine/serve/play.h"
#include "tests/test.h"

#include <math.h>

struct plant {
    struct mr_shelf *shelf;
    struct mr_step *step;
    struct mr_serving serving;
};

static void set_up(struct plant *p, uint32_t pp)
{
    struct mr_diags diags = {0};
    struct mr_err err = {0};
    assert_int_equal(mr_shelf_create(&p->shelf, &err), MR_OK);
    const struct mr_step_setup setup = {
        .gpu = mr_gpu_of(mr_shelf_card(p->shelf, &mr_gpu_kind, "h100_sxm", MR_NOWHERE, &diags)),
        .llm = mr_llm_of(mr_shelf_card(p->shelf, &mr_llm_kind, "Llama-3.1-8B", MR_NOWHERE, &diags)),
        .software =
            mr_software_of(mr_shelf_card(p->shelf, &mr_software_kind, "spec", MR_NOWHERE, &diags)),
        .parallel = {1, 1, pp, 1, 1},
        .dense_format = MR_FORMAT_BF16,
        .expert_format = MR_FORMAT_BF16,
        .kv_element_bytes = 2};
    assert_int_equal(diags.n_error, 0);
    assert_int_equal(mr_step_create(&setup, &p->step, &err), MR_OK);
    p->serving = (struct mr_serving){.policy = &mr_policy_vllm1,
                                     .pricer = {.step = p->step},
                                     .batch_max = 8,
                                     .token_max = 1000,
                                     .block_tokens = 16,
                                     .n_block = 4000};
}

static void tear_down(struct plant *p)
{
    mr_step_destroy(p->step);
    mr_shelf_destroy(p->shelf);
}

/* One step that reads `chunk` tokens behind `before` alone. */
static double read_s(const struct plant *p, double before, double chunk, bool ends)
{
    return mr_step_time(
        p->step,
        &(struct mr_batch){.chunk_tokens = chunk,
                           .chunk_pairs = chunk * (before + chunk / 2),
                           .chunk_window_pairs = mr_step_window_pairs(before, chunk, 0),
                           .chunk_kv_tokens = before + chunk,
                           .n_prompt_end = ends},
        1);
}

/* A prompt of two chunks alone: the fill of the last one, (pp - 1) / pp of its step, comes once.
 * The steps that follow begin when the first token is there. */
MR_TEST(one_call_waits_for_all_stages)
{
    for (uint32_t pp = 1; pp <= 8; pp *= 2) {
        struct plant p;
        set_up(&p, pp);
        struct play_call call = {.arrived_s = 3, .n_prompt = 1600, .n_output = 40};
        const double first_s = read_s(&p, 0, 1000, false);
        const double last_s = read_s(&p, 1000, 600, true);
        double at_s = 3 + first_s + last_s + (pp - 1.0) / pp * last_s;
        const struct play_result result = play(&p.serving, &call, 1);
        mr_assert_near(call.first_s, at_s, 1e-12, 0);
        for (uint32_t k = 0; k < 39; k++)
            at_s +=
                mr_step_time(p.step, &(struct mr_batch){.n_decode = 1, .kv_tokens = 1600 + k}, 1);
        mr_assert_near(call.finished_s, at_s, 1e-12, 0);
        assert_int_equal(result.n_iteration, 2 + 39);
        tear_down(&p);
    }
}

/* One token is one part: it meets nobody in the pipeline, and waits for nobody behind it. */
MR_TEST(a_prompt_of_few_tokens_has_few_parts)
{
    struct plant p;
    set_up(&p, 8);
    for (uint32_t n = 1; n <= 16; n++) {
        struct play_call call = {.n_prompt = n, .n_output = 1};
        (void)play(&p.serving, &call, 1);
        const double parts = fmin(n, 8);
        mr_assert_near(call.first_s, read_s(&p, 0, n, true) * (1 + (parts - 1) / 8), 1e-12, 0);
        assert_true(call.finished_s == call.first_s);
    }
    tear_down(&p);
}

/* Prompts one after the other keep the stages busy: they come at the pace of steps, each as much
 * later as the last part takes, and only the first one finds empty stages. */
MR_TEST(rows_of_prompts_come_at_the_pace_of_steps)
{
    enum {
        n = 20
    };
    struct plant p;
    struct play_call call[n];
    set_up(&p, 4);
    for (size_t i = 0; i < n; i++)
        call[i] = (struct play_call){.n_prompt = 1000, .n_output = 1};
    const struct play_result result = play(&p.serving, call, n);
    const double step_s = read_s(&p, 0, 1000, true);
    for (size_t i = 0; i < n; i++)
        mr_assert_near(call[i].finished_s, ((double)i + 1 + 0.75) * step_s, 1e-12, 0);
    assert_int_equal(result.n_iteration, n);
    tear_down(&p);
}

MR_TEST_MAIN(MR_TEST_ENTRY(one_call_waits_for_all_stages),
             MR_TEST_ENTRY(a_prompt_of_few_tokens_has_few_parts),
             MR_TEST_ENTRY(rows_of_prompts_come_at_the_pace_of_steps))
