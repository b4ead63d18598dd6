/* SPDX-License-Identifier: Apache-2.0 */
/* engine/serve/split: random workloads leap as they step, whatever the policy, with caches, with
 * drafts, with blocks that are scarce in both pools, with clocks that change at any moment; tokens
 * and bytes are conserved. */
#include "engine/base/shelf.h"
#include "tests/engine/serve/apart.h"
#include "tests/engine/serve/play.h"

enum {
    n_pace_max = 24
};

static struct mr_serving draw_serving(struct mr_rng *rng, const struct mr_policy *policy,
                                      const struct mr_profile *profile, uint32_t length,
                                      bool has_cache)
{
    struct mr_serving serving = {.policy = policy,
                                 .pricer = {.profile = profile},
                                 .batch_max = 1 + (uint32_t)mr_rng_below(rng, 40),
                                 .block_tokens = 1u << mr_rng_below(rng, 6),
                                 .context_max = 2 * length,
                                 .watermark_frac = mr_rng_below(rng, 2) == 0 ? 0.01 : 0,
                                 .has_cache = has_cache};
    serving.token_max = serving.batch_max + (uint32_t)mr_rng_below(rng, 300);
    if (policy == &mr_policy_vllm0)
        serving.token_max += 2 * length;
    /* from just enough for the largest to ample */
    const uint64_t least = 2 * length / serving.block_tokens + 8;
    serving.n_block = least + least / 50 + mr_rng_below(rng, 6 * least);
    return serving;
}

/* Turns of sessions: each prompt is what was said before and more. */
static void talk(struct mr_rng *rng, struct item *item, size_t n, uint32_t length)
{
    enum {
        n_session = 12
    };
    uint32_t context[n_session] = {0};
    for (size_t i = 0; i < n; i++) {
        const uint32_t s = (uint32_t)mr_rng_below(rng, n_session);
        if (context[s] > length / 2)
            context[s] = 0;
        item[i].session = s;
        item[i].n_prompt = context[s] + 1 + (uint32_t)mr_rng_below(rng, length / 4);
        item[i].n_output = 1 + (uint32_t)mr_rng_below(rng, length / 4);
        context[s] = item[i].n_prompt + item[i].n_output;
    }
}

static void same(const struct item *a, const struct item *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (fabs(a[i].scheduled_s - b[i].scheduled_s) > 1e-9 ||
            fabs(a[i].first_s - b[i].first_s) > 1e-9 ||
            fabs(a[i].finished_s - b[i].finished_s) > 1e-9 || a[i].n_restart != b[i].n_restart ||
            a[i].prefill != b[i].prefill || a[i].n_cached != b[i].n_cached)
            fail_msg("call %zu: scheduled %.9f %.9f, first %.9f %.9f, finished %.9f %.9f, "
                     "restarts %u %u, cached %u %u, read by %u %u",
                     i, a[i].scheduled_s, b[i].scheduled_s, a[i].first_s, b[i].first_s,
                     a[i].finished_s, b[i].finished_s, a[i].n_restart, b[i].n_restart,
                     a[i].n_cached, b[i].n_cached, a[i].prefill, b[i].prefill);
}

/* Clocks change at random dates, some of them in the middle of steps and leaps. */
static size_t draw_paces(struct mr_rng *rng, const struct mr_cell_plan *plan, double until_s,
                         struct pace *pace)
{
    const size_t n = 1 + mr_rng_below(rng, n_pace_max);
    const uint32_t n_reading = plan->split != NULL ? plan->split->n_instance : 0;
    for (size_t i = 0; i < n; i++)
        pace[i] = (struct pace){
            .at_s = (i > 0 ? pace[i - 1].at_s : 0) + mr_rng_exponential(rng, until_s / (double)n),
            .phi = mr_rng_below(rng, 4) == 0 ? 1 : mr_rng_range(rng, 0.3, 1),
            .instance = (uint32_t)mr_rng_below(rng, plan->n_instance + n_reading)};
    return n;
}

/* @param[in] cards whose pricer and drafts are taken; NULL: five constants, no drafts */
static void leap_is_step(const struct mr_policy *policy, bool has_cache,
                         const struct mr_serving *cards)
{
    struct mr_profile *profile = play_five_constants();
    struct mr_rng rng = mr_rng_stream(23, MR_RNG_TEST, has_cache);
    static struct item a[n_call_max], b[n_call_max];
    struct pace pace[n_pace_max];
    struct total sum = {0};
    const bool is_apart = policy != &mr_policy_static; /* calls come one by one from another pool */
    for (int i = 0; i < 400; i++) {
        const uint32_t length = 20 + (uint32_t)mr_rng_below(&rng, 400);
        const size_t n = draw_calls(&rng, a, length);
        struct mr_serving decode = draw_serving(&rng, policy, profile, length, has_cache);
        struct mr_serving reads = draw_serving(&rng, policy, profile, length, has_cache);
        struct mr_split_plan split = plan_of(&reads);
        const struct mr_cell_plan plan = {.serving = &decode,
                                          .n_instance = 1 + (uint32_t)mr_rng_below(&rng, 3),
                                          .router = (int)mr_rng_below(&rng, 5),
                                          .split = is_apart ? &split : NULL};
        if (cards != NULL) {
            decode.pricer = reads.pricer = cards->pricer;
            decode.accept = cards->accept;
            decode.token_max += cards->accept.n_draft * decode.batch_max;
            assert_int_equal(mr_instance_check(&decode, NULL), MR_OK);
        }
        if (has_cache)
            talk(&rng, a, n, length);
        split.n_instance = 1 + (uint32_t)mr_rng_below(&rng, 3);
        split.router = (int)mr_rng_below(&rng, 5);
        split.local_tok = mr_rng_below(&rng, 2) * mr_rng_below(&rng, length);
        split.n_slot = mr_rng_below(&rng, 2) == 0 ? 1000 : 1 + mr_rng_below(&rng, 8);
        split.is_shared = mr_rng_below(&rng, 2) == 0;
        split.way = (int)mr_rng_below(&rng, 2);
        split.token_bytes = mr_rng_range(&rng, 0, 2e6);
        memcpy(b, a, sizeof a);
        const size_t n_pace =
            cards != NULL ? draw_paces(&rng, &plan, 1.5 * a[n - 1].arrived_s, pace) : 0;
        const struct total leaping = play_paced(&plan, a, n, pace, n_pace);
        decode.steps_singly = reads.steps_singly = true;
        const struct total stepping = play_paced(&plan, b, n, pace, n_pace);
        same(a, b, n);
        assert_int_equal(leaping.n_iteration, stepping.n_iteration);
        assert_int_equal(leaping.n_restart, stepping.n_restart);
        assert_int_equal(leaping.n_transfer, stepping.n_transfer);
        mr_assert_near(leaping.sent_bytes, stepping.sent_bytes, 1e-12, 0);
        double bytes = 0;
        size_t n_sent = 0;
        for (size_t k = 0; k < n; k++) {
            assert_false(a[k].is_refused);
            n_sent += a[k].prefill != MR_ROUTER_NOWHERE && a[k].n_output > 1;
            if (a[k].prefill != MR_ROUTER_NOWHERE && a[k].n_output > 1)
                bytes += split.token_bytes * a[k].n_prompt + split.sequence_bytes;
        }
        assert_int_equal(leaping.n_transfer, n_sent);
        if (!has_cache)
            mr_assert_near(leaping.sent_bytes, bytes, 1e-12, 0);
        assert_true(leaping.sent_bytes <= bytes * (1 + 1e-12));
        sum.n_local += leaping.n_local;
        sum.n_restart += leaping.n_restart;
        sum.n_transfer += leaping.n_transfer;
        sum.n_segment += leaping.n_segment;
        sum.n_iteration += leaping.n_iteration;
        sum.sent_bytes += bytes - leaping.sent_bytes;
    }
    print_message("%s: %llu transfers, %llu local, %llu restarts, %llu steps in %llu segments\n",
                  policy->name, (unsigned long long)sum.n_transfer, (unsigned long long)sum.n_local,
                  (unsigned long long)sum.n_restart, (unsigned long long)sum.n_iteration,
                  (unsigned long long)sum.n_segment);
    assert_true(!is_apart || (sum.n_transfer > 1000 && sum.n_local > 1000));
    assert_true(sum.n_segment < sum.n_iteration);
    assert_true(policy->takes_blocks ? sum.n_restart > 10 : sum.n_restart == 0);
    assert_true(!has_cache || sum.sent_bytes > 0);
    mr_profile_destroy(profile);
}

MR_TEST(vllm1_leaps_as_it_steps)
{
    leap_is_step(&mr_policy_vllm1, false, NULL);
    assert_int_equal(mr_test_live_allocations(), 0);
}

MR_TEST(with_caches_it_leaps_as_it_steps)
{
    leap_is_step(&mr_policy_vllm1, true, NULL);
}

MR_TEST(sarathi_leaps_as_it_steps)
{
    leap_is_step(&mr_policy_sarathi, false, NULL);
}

MR_TEST(vllm0_leaps_as_it_steps)
{
    leap_is_step(&mr_policy_vllm0, false, NULL);
}

MR_TEST(orca_leaps_as_it_steps)
{
    leap_is_step(&mr_policy_orca, false, NULL);
}

MR_TEST(static_leaps_as_it_steps)
{
    leap_is_step(&mr_policy_static, false, NULL);
}

/* ---- clocks that change: priced from cards, which know them ---- */

static void leap_is_step_of_cards(const struct mr_policy *policy, bool has_cache, uint32_t n_draft,
                                  uint32_t n_stage)
{
    struct mr_shelf *shelf;
    struct mr_step *step;
    struct mr_diags diags = {0};
    struct mr_err err = {0};
    assert_int_equal(mr_shelf_create(&shelf, &err), MR_OK);
    const struct mr_step_setup setup = {
        .gpu = mr_gpu_of(mr_shelf_card(shelf, &mr_gpu_kind, "h100_sxm", MR_NOWHERE, &diags)),
        .llm = mr_llm_of(mr_shelf_card(shelf, &mr_llm_kind, "Llama-3.1-8B", MR_NOWHERE, &diags)),
        .software =
            mr_software_of(mr_shelf_card(shelf, &mr_software_kind, "spec", MR_NOWHERE, &diags)),
        .parallel = {1, 1, n_stage, 1, 1},
        .dense_format = MR_FORMAT_BF16,
        .expert_format = MR_FORMAT_BF16,
        .kv_element_bytes = 2,
        .n_draft = n_draft,
        .accepted = n_draft > 0 ? 2.4 : 0};
    assert_int_equal(mr_step_create(&setup, &step, &err), MR_OK);
    struct mr_serving cards = {.pricer = {.step = step}};
    if (n_draft > 0)
        cards.accept = (struct mr_accept){.extra = mr_step_accepted(&setup) - 1,
                                          .n_draft = n_draft,
                                          .is_drawn = false,
                                          .seed = 1};
    const long before = mr_test_live_allocations();
    leap_is_step(policy, has_cache, &cards);
    assert_int_equal(mr_test_live_allocations(), before);
    mr_step_destroy(step);
    mr_shelf_destroy(shelf);
}

MR_TEST(clocks_change_under_vllm1)
{
    leap_is_step_of_cards(&mr_policy_vllm1, false, 0, 1);
}

/* The pool that decodes makes 2.4 tokens a step. */
MR_TEST(clocks_change_with_drafts)
{
    leap_is_step_of_cards(&mr_policy_vllm1, false, 3, 1);
}

MR_TEST(clocks_change_with_caches_and_drafts)
{
    leap_is_step_of_cards(&mr_policy_vllm1, true, 3, 1);
}

MR_TEST(clocks_change_under_sarathi)
{
    leap_is_step_of_cards(&mr_policy_sarathi, false, 0, 1);
}

MR_TEST(clocks_change_under_vllm0)
{
    leap_is_step_of_cards(&mr_policy_vllm0, false, 0, 1);
}

MR_TEST(clocks_change_under_orca)
{
    leap_is_step_of_cards(&mr_policy_orca, false, 0, 1);
}

MR_TEST(clocks_change_under_static)
{
    leap_is_step_of_cards(&mr_policy_static, false, 0, 1);
}

/* ---- pipelines: first tokens come after their steps ---- */

MR_TEST(pipelines_under_vllm1)
{
    leap_is_step_of_cards(&mr_policy_vllm1, false, 0, 4);
}

MR_TEST(pipelines_with_caches_and_drafts)
{
    leap_is_step_of_cards(&mr_policy_vllm1, true, 3, 8);
}

MR_TEST(pipelines_under_sarathi)
{
    leap_is_step_of_cards(&mr_policy_sarathi, false, 0, 4);
}

MR_TEST(pipelines_under_vllm0)
{
    leap_is_step_of_cards(&mr_policy_vllm0, false, 0, 2);
}

MR_TEST(pipelines_under_orca)
{
    leap_is_step_of_cards(&mr_policy_orca, false, 0, 4);
}

MR_TEST(pipelines_under_static)
{
    leap_is_step_of_cards(&mr_policy_static, false, 0, 4);
}

MR_TEST_MAIN(MR_TEST_ENTRY(pipelines_under_vllm1), MR_TEST_ENTRY(pipelines_with_caches_and_drafts),
             MR_TEST_ENTRY(pipelines_under_sarathi), MR_TEST_ENTRY(pipelines_under_vllm0),
             MR_TEST_ENTRY(pipelines_under_orca), MR_TEST_ENTRY(pipelines_under_static),
             MR_TEST_ENTRY(vllm1_leaps_as_it_steps),
             MR_TEST_ENTRY(with_caches_it_leaps_as_it_steps),
             MR_TEST_ENTRY(sarathi_leaps_as_it_steps), MR_TEST_ENTRY(vllm0_leaps_as_it_steps),
             MR_TEST_ENTRY(orca_leaps_as_it_steps), MR_TEST_ENTRY(static_leaps_as_it_steps),
             MR_TEST_ENTRY(clocks_change_under_vllm1), MR_TEST_ENTRY(clocks_change_with_drafts),
             MR_TEST_ENTRY(clocks_change_with_caches_and_drafts),
             MR_TEST_ENTRY(clocks_change_under_sarathi), MR_TEST_ENTRY(clocks_change_under_vllm0),
             MR_TEST_ENTRY(clocks_change_under_orca), MR_TEST_ENTRY(clocks_change_under_static))
