/* SPDX-License-Identifier: Apache-2.0 */
/* Leaps and steps over a recorded hour: all calls of the Azure conversation trace, every policy,
 * with clocks that change. Times agree to 1e-9 s after an hour, energy to 1e-9, steps, restarts and
 * tokens found in the cache are the same. */
#include "engine/base/mem.h"
#include "engine/base/rng.h"
#include "engine/base/shelf.h"
#include "engine/serve/cell.h"
#include "engine/serve/cell_outage.h"
#include "engine/serve/policy.h"
#include "engine/work/arrivals.h"
#include "models/power.h"
#include "models/step.h"
#include "tests/engine/serve/play.h"
#include "tests/test.h"

#include <math.h>

enum {
    n_call_max = 20000,
    n_instance = 2
};

struct outcome {
    double scheduled_s, first_s, finished_s;
    uint32_t n_restart, n_cached;
};

struct run {
    struct outcome outcome[n_call_max];
    uint64_t n_call, n_iteration, n_segment;
    double energy_j;
};

static void finished(void *context, const struct mr_ticket *ticket, const struct mr_call *call,
                     double now_s)
{
    struct run *run = context;
    run->outcome[ticket->id] = (struct outcome){call->scheduled_s, call->first_s, now_s,
                                                call->n_restart, ticket->n_cached};
}

static void refused(void *context, const struct mr_ticket *ticket, double now_s,
                    enum mr_cell_refusal why)
{
    (void)context, (void)ticket, (void)now_s, (void)why;
    fail_msg("refused");
}

static void play_trace(const char *path, const struct mr_serving *serving, bool changes_clocks,
                       struct run *run)
{
    const struct mr_arrivals_spec spec = {.file = path, .speed = 1};
    const struct mr_cell_plan plan = {
        .serving = serving, .n_instance = n_instance, .router = MR_ROUTER_ROUND};
    struct mr_rng rng = mr_rng_stream(8, MR_RNG_TEST, 2);
    struct mr_arrivals_source *source;
    struct mr_cell cell;
    double slow_s = changes_clocks ? 10 : (double)INFINITY;
    *run = (struct run){0};
    assert_int_equal(mr_arrivals_open(&spec, 1, NULL, &source, NULL), MR_OK);
    assert_int_equal(
        mr_cell_init(&cell, &plan, &(struct mr_cell_sink){finished, refused, run}, NULL), MR_OK);
    for (;; run->n_call++) {
        struct mr_arrival arrival;
        bool has_call;
        assert_int_equal(mr_arrivals_next(source, &arrival, &has_call, NULL), MR_OK);
        if (!has_call)
            break;
        assert_true(run->n_call < n_call_max);
        while (slow_s < arrival.arrived_s) {
            assert_int_equal(mr_cell_play(&cell, slow_s, NULL), MR_OK);
            mr_cell_slow(&cell, (uint32_t)mr_rng_below(&rng, n_instance),
                         0.5 + 0.5 * mr_rng_f64(&rng), slow_s);
            slow_s += mr_rng_exponential(&rng, 5);
        }
        const struct mr_ticket ticket = {.id = run->n_call,
                                         .session = (uint32_t)run->n_call % 4000,
                                         .n_prompt = arrival.n_input,
                                         .n_output = arrival.n_output,
                                         .n_prefix = 640};
        assert_int_equal(mr_cell_play(&cell, arrival.arrived_s, NULL), MR_OK);
        assert_int_equal(mr_cell_arrive(&cell, &ticket, arrival.arrived_s, NULL), MR_OK);
    }
    assert_int_equal(mr_cell_play(&cell, (double)INFINITY, NULL), MR_OK);
    assert_true(mr_cell_little_rel(&cell) < 1e-9);
    for (uint32_t i = 0; i < n_instance; i++) {
        run->n_iteration += cell.instance[i].n_iteration;
        run->n_segment += cell.instance[i].n_segment;
        run->energy_j += cell.instance[i].busy_j;
    }
    mr_cell_fini(&cell);
    mr_arrivals_close(source);
}

static void compare(const struct mr_serving *plan, bool changes_clocks)
{
    static struct run leaps, steps;
    struct mr_serving serving = *plan;
    double worst_s = 0;
    const char *path = mr_test_data("azure/azure_llm_2023_conv.csv");
    if (path == NULL)
        mr_test_skip("azure/azure_llm_2023_conv.csv is not in MILLRACE_DATA");
    assert_int_equal(mr_instance_check(&serving, NULL), MR_OK);
    play_trace(path, &serving, changes_clocks, &leaps);
    serving.steps_singly = true;
    play_trace(path, &serving, changes_clocks, &steps);
    assert_int_equal(leaps.n_call, steps.n_call);
    assert_true(leaps.n_call > 19000);
    for (uint64_t i = 0; i < leaps.n_call; i++) {
        const struct outcome *a = &leaps.outcome[i], *b = &steps.outcome[i];
        worst_s = fmax(worst_s, fabs(a->scheduled_s - b->scheduled_s));
        worst_s = fmax(worst_s, fabs(a->first_s - b->first_s));
        worst_s = fmax(worst_s, fabs(a->finished_s - b->finished_s));
        assert_int_equal(a->n_restart, b->n_restart);
        assert_int_equal(a->n_cached, b->n_cached);
    }
    print_message("%s: %llu calls, %llu steps in %llu leaps, largest difference %.2g s\n",
                  serving.policy->name, (unsigned long long)leaps.n_call,
                  (unsigned long long)leaps.n_iteration, (unsigned long long)leaps.n_segment,
                  worst_s);
    assert_true(worst_s <= 1e-9);
    assert_int_equal(leaps.n_iteration, steps.n_iteration);
    assert_true(leaps.n_segment < steps.n_segment);
    mr_assert_near(leaps.energy_j, steps.energy_j, 1e-9, 0);
}

MR_TEST(an_hour_of_five_constants)
{
    enum {
        n_policy = 4
    };
    static const struct mr_policy *const policies[n_policy] = {&mr_policy_sarathi, &mr_policy_vllm0,
                                                               &mr_policy_vllm1, &mr_policy_orca};
    struct mr_profile *profile = play_five_constants();
    for (size_t k = 0; k < n_policy; k++) {
        const struct mr_serving serving = {.policy = policies[k],
                                           .pricer = {.profile = profile},
                                           .batch_max = 128,
                                           .token_max = k % 2 == 0 ? 512 : 16384,
                                           .block_tokens = 16,
                                           .n_block = 2500,
                                           .watermark_frac = 0.01};
        compare(&serving, false);
    }
    mr_profile_destroy(profile);
    assert_int_equal(mr_test_live_allocations(), 0);
}

/* Cards, a prefix cache, few blocks; clocks change every five seconds, in the middle of steps. */
MR_TEST(an_hour_of_cards_and_clocks)
{
    struct mr_shelf *shelf;
    struct mr_diags diags = {0};
    struct mr_step *step;
    struct mr_power power;
    assert_int_equal(mr_shelf_create(&shelf, NULL), MR_OK);
    const struct mr_card *const gpu =
        mr_shelf_card(shelf, &mr_gpu_kind, "h100_sxm", MR_NOWHERE, &diags);
    const struct mr_card *const llm =
        mr_shelf_card(shelf, &mr_llm_kind, "Llama-3.1-70B", MR_NOWHERE, &diags);
    const struct mr_card *const software =
        mr_shelf_card(shelf, &mr_software_kind, "spec", MR_NOWHERE, &diags);
    assert_int_equal(diags.n_error, 0);
    const struct mr_step_setup setup = {.gpu = gpu->object,
                                        .llm = llm->object,
                                        .software = software->object,
                                        .parallel = {4, 1, 1, 1, 1},
                                        .dense_format = MR_FORMAT_FP8,
                                        .expert_format = MR_FORMAT_FP8,
                                        .kv_element_bytes = 1};
    assert_int_equal(mr_step_create(&setup, &step, NULL), MR_OK);
    assert_int_equal(mr_power_of(setup.gpu, &power, NULL), MR_OK);
    const struct mr_serving serving = {.policy = &mr_policy_vllm1,
                                       .pricer = {step, NULL, &power, NULL},
                                       .batch_max = 64,
                                       .token_max = 2048,
                                       .block_tokens = 16,
                                       .n_block = 3000,
                                       .has_cache = true};
    compare(&serving, true);
    mr_step_destroy(step);
    mr_shelf_destroy(shelf);
    assert_int_equal(mr_test_live_allocations(), 0);
}

MR_TEST_MAIN(MR_TEST_ENTRY(an_hour_of_five_constants), MR_TEST_ENTRY(an_hour_of_cards_and_clocks))
