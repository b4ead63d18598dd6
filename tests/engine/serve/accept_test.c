/* SPDX-License-Identifier: Apache-2.0 */
/* engine/serve/accept, and instances with drafts: steps of a call and their mean, whole tokens and
 * blocks against every request looked at, times against plain stepping, what drafts are worth to a
 * batch that waits for memory. */
#include "engine/serve/accept.h"

#include "engine/base/mem.h"
#include "engine/base/rng.h"
#include "engine/base/shelf.h"
#include "tests/engine/serve/play.h"
#include "tests/test.h"

enum {
    n_call = 90
};

struct plant {
    struct mr_shelf *shelf;
    struct mr_step_setup setup;
    struct mr_step *step;
    struct mr_serving serving;
};

static void set_up(struct plant *p, const char *llm, uint32_t n_draft, double accepted)
{
    struct mr_diags diags = {0};
    struct mr_err err = {0};
    assert_int_equal(mr_shelf_create(&p->shelf, &err), MR_OK);
    p->setup = (struct mr_step_setup){
        .gpu = mr_gpu_of(mr_shelf_card(p->shelf, &mr_gpu_kind, "b200_sxm", MR_NOWHERE, &diags)),
        .llm = mr_llm_of(mr_shelf_card(p->shelf, &mr_llm_kind, llm, MR_NOWHERE, &diags)),
        .software =
            mr_software_of(mr_shelf_card(p->shelf, &mr_software_kind, "spec", MR_NOWHERE, &diags)),
        .parallel = {1, 1, 1, 1, 1},
        .dense_format = MR_FORMAT_BF16,
        .expert_format = MR_FORMAT_MXFP4,
        .kv_element_bytes = 2,
        .n_draft = n_draft,
        .accepted = accepted};
    assert_int_equal(mr_step_create(&p->setup, &p->step, &err), MR_OK);
    p->serving = (struct mr_serving){.policy = &mr_policy_vllm1,
                                     .pricer = {.step = p->step},
                                     .batch_max = 24,
                                     .token_max = 512,
                                     .block_tokens = 16,
                                     .n_block = 900,
                                     .window_tokens = mr_llm_window(p->setup.llm),
                                     .accept = {.extra = mr_step_accepted(&p->setup) - 1,
                                                .n_draft = n_draft,
                                                .is_drawn = false,
                                                .seed = 1}};
}

/* The same chance for every draft. */
static void draw_each(struct mr_accept *accept, bool is_each)
{
    char mean[32];
    accept->is_each = is_each;
    snprintf(mean, sizeof mean, "%g", 1 + accept->extra);
    if (is_each)
        assert_int_equal(mr_accept_chances(mean, accept, NULL), MR_OK);
}

static void tear_down(struct plant *p)
{
    mr_step_destroy(p->step);
    mr_shelf_destroy(p->shelf);
    assert_int_equal(mr_test_live_allocations(), 0);
}

MR_TEST(steps_make_the_tokens)
{
    const struct mr_accept none = {0},
                           two = {.extra = 1, .n_draft = 3, .is_drawn = false, .seed = 1},
                           odd = {.extra = 0.8, .n_draft = 1, .is_drawn = false, .seed = 1};
    const struct mr_accept drawn = {.extra = 0.8, .n_draft = 1, .is_drawn = true, .seed = 1},
                           other = {.extra = 0.8, .n_draft = 1, .is_drawn = true, .seed = 2};
    assert_int_equal(mr_accept_steps(&none, 1, 77), 77);
    assert_int_equal(mr_accept_steps(&two, 1, 0), 0);
    assert_int_equal(mr_accept_steps(&two, 1, 1), 1);
    assert_int_equal(mr_accept_steps(&two, 1, 8), 4);
    assert_int_equal(mr_accept_steps(&two, 1, 9), 5);
    assert_int_equal(mr_accept_steps(&odd, 1, 9), 5);
    assert_int_equal(mr_accept_steps(&odd, 1, 10), 6);
    assert_int_equal(mr_accept_made(&two, 1000001), 2000002);
    static const uint32_t tokens[] = {2, 3, 50, 1000};
    for (size_t k = 0; k < sizeof tokens / sizeof *tokens; k++) {
        enum {
            n_draw = 100000
        };
        double sum = 0;
        int n_other = 0;
        for (uint32_t i = 0; i < n_draw; i++) {
            const uint32_t n = mr_accept_steps(&drawn, i, tokens[k]);
            assert_true(n >= 1 && fabs(n - tokens[k] / 1.8) < 1);
            assert_int_equal(n, mr_accept_steps(&drawn, i, tokens[k]));
            n_other += n != mr_accept_steps(&other, i, tokens[k]);
            sum += n;
        }
        /* of one draw at most 1/2: four deviations of the mean */
        mr_assert_near(sum / n_draw, tokens[k] / 1.8, 0, 4 * 0.5 / sqrt(n_draw));
        assert_true(n_other > n_draw / 10);
    }
}

/* Draft by draft: with chances .8 and .5 a step makes 1, 2 or 3 tokens with .2, .4, .4. The steps
 * of n tokens on the mean are h(n) = 1 + .2 h(n - 1) + .4 h(n - 2) + .4 h(n - 3), h of none being
 * 0. */
MR_TEST(every_draft_has_its_chance)
{
    enum {
        n_draw = 100000
    };
    static const uint32_t tokens[] = {1, 2, 7, 60};
    struct mr_accept each = {.extra = 1.2, .n_draft = 2, .seed = 3, .is_each = true};
    double h[61] = {0};
    assert_int_equal(mr_accept_chances("0.8 0.5", &each, NULL), MR_OK);
    mr_assert_near(each.beyond[0], 0.8, 0, 1e-15);
    mr_assert_near(each.beyond[1], 0.4, 0, 1e-15);
    for (int n = 1; n <= 60; n++)
        h[n] = 1 + 0.2 * h[n - 1] + (n > 1 ? 0.4 * h[n - 2] : 0) + (n > 2 ? 0.4 * h[n - 3] : 0);
    for (size_t k = 0; k < sizeof tokens / sizeof *tokens; k++) {
        double sum = 0, squares = 0;
        for (uint32_t i = 0; i < n_draw; i++) {
            const uint32_t n = mr_accept_steps(&each, i, tokens[k]);
            assert_true(n <= tokens[k] && 3 * n >= tokens[k]);
            sum += n;
            squares += (double)n * n;
        }
        const double mean = sum / n_draw, variance = squares / n_draw - mean * mean;
        mr_assert_near(mean, h[tokens[k]], 0, 4 * sqrt(variance / n_draw) + 1e-12);
        assert_true(tokens[k] < 2 || variance > 0);
    }
    /* of a mean alone: p + p^2 + p^3 = 1.5 */
    struct mr_accept mean = {.extra = 1.5, .n_draft = 3, .is_each = true};
    assert_int_equal(mr_accept_chances("2.5", &mean, NULL), MR_OK);
    mr_assert_near(mean.beyond[0] + mean.beyond[1] + mean.beyond[2], 1.5, 0, 1e-12);
    mr_assert_near(mean.beyond[0] * mean.beyond[1], mean.beyond[2], 0, 1e-12);
    mean.n_draft = MR_ACCEPT_DRAFTS + 1;
    assert_int_equal(mr_accept_chances("2.5", &mean, NULL), MR_RANGE);
}

/* 1 + 0.8 + 0.8 0.6 + 0.8 0.6 0.4 = 2.472 */
MR_TEST(chances_of_drafts_make_a_mean)
{
    static const struct {
        const char *text;
        uint32_t n_draft;
        double mean;
    } good[] = {{"0.8 0.6 0.4", 3, 2.472},
                {" 0.8  0.6 0.4 ", 3, 2.472},
                {"0.7", 1, 1.7},
                {"1 1 1", 3, 4},
                {"0.9 0 0.9", 3, 1.9},
                {"2.8", 4, 2.8},
                {"0", 3, 0},
                {"1", 3, 1}};
    static const struct {
        const char *text;
        mr_status st;
        const char *says;
    } bad[] = {{"0.8 0.6", MR_RANGE, "2 chances for 3 drafts"},
               {"0.8", MR_RANGE, "1 chances for 3 drafts"},
               {"", MR_RANGE, "0 chances"},
               {"0.8 1.2 0.4", MR_RANGE, "1.2 is no chance"},
               {"2 0.5 0.5", MR_RANGE, "2 is no chance"},
               {"0.8 -0.6 0.4", MR_RANGE, "-0.6 is no chance"},
               {"-1", MR_RANGE, "-1 is no chance"},
               {"0.8,0.6,0.4", MR_PARSE, "spaces between"},
               {"much", MR_PARSE, "mean tokens of a step"}};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        double mean = -1;
        assert_int_equal(mr_accept_mean(good[i].text, good[i].n_draft, &mean, NULL), MR_OK);
        mr_assert_near(mean, good[i].mean, 1e-15, 0);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct mr_err err = {0};
        double mean = -1;
        assert_int_equal(mr_accept_mean(bad[i].text, 3, &mean, &err), bad[i].st);
        mr_assert_contains(err.text, bad[i].says);
    }
}

MR_TEST(steps_within_tokens)
{
    struct mr_rng rng = mr_rng_stream(51, MR_RNG_TEST, 1);
    for (int i = 0; i < 20000; i++) {
        const struct mr_accept accept = {.extra = i % 3 == 0 ? (double)mr_rng_below(&rng, 5)
                                                             : 5 * mr_rng_f64(&rng),
                                         .n_draft = 5};
        const uint64_t clock = mr_rng_below(&rng, 1u << 30), n = mr_rng_below(&rng, 40);
        const uint64_t tokens = mr_rng_below(&rng, 100), from = mr_accept_made(&accept, clock);
        uint64_t k = 0;
        while (k < n && mr_accept_made(&accept, clock + k + 1) - from <= tokens)
            k++;
        assert_int_equal(mr_accept_within(&accept, clock, n, tokens), k);
        assert_true(mr_accept_made(&accept, clock + 1) - from <= mr_accept_most(&accept));
    }
}

static size_t draw_calls(uint64_t seed, struct play_call *call)
{
    struct mr_rng rng = mr_rng_stream(52, MR_RNG_TEST, seed);
    double at_s = 0;
    for (size_t i = 0; i < n_call; i++) {
        at_s += mr_rng_exponential(&rng, 0.05);
        call[i] = (struct play_call){.arrived_s = at_s,
                                     .n_prompt = 1 + (uint32_t)mr_rng_below(&rng, 900),
                                     .n_output = 1 + (uint32_t)mr_rng_below(&rng, 300)};
    }
    return n_call;
}

/* All blocks and all tokens of all calls, after every event. */
static void look_at_all(const struct mr_instance *instance)
{
    const double g = 1 + instance->serving->accept.extra;
    uint64_t n_used = 0, n_known = 0, n_step = 0;
    double window = 0;
    for (uint32_t i = instance->head; i != MR_CALL_NONE; i = mr_instance_link(instance, i)->next) {
        const struct mr_call *c = &instance->calls->call[i];
        if (c->state == MR_CALL_READING)
            continue;
        const uint64_t made = instance->clock - mr_instance_entered(instance, c),
                       y = mr_instance_known(instance, c);
        const double context = c->n_prompt + g * (double)made;
        assert_true(fabs((double)y - context - 1) < 1);
        assert_true(g != floor(g) || (double)y == context + 1);
        n_used += mr_blocks_of(&instance->blocks, y - 1);
        n_used += instance->decodes ? mr_instance_takes(instance, c) : 0;
        n_known += c->n_prompt + 1;
        n_step += made;
        window += fmin(context, (double)instance->window.size);
    }
    for (size_t i = 0; i < instance->n_part; i++) {
        const struct mr_call *c = &instance->calls->call[instance->part[i].call];
        n_used += mr_blocks_of(&instance->blocks, c->n_read + instance->part[i].chunk);
    }
    assert_int_equal(instance->n_free + n_used, instance->serving->n_block);
    assert_int_equal(instance->kv_tokens, n_known);
    assert_int_equal(instance->kv_steps, n_step);
    mr_assert_near(mr_sliding_sum(&instance->window), window, 1e-12, 1e-9);
}

static uint64_t n_done, n_done_tokens;

static void done(void *context, uint32_t call, double now_s)
{
    const struct mr_calls *calls = context;
    (void)now_s;
    n_done++;
    n_done_tokens += calls->call[call].n_prompt + calls->call[call].n_output;
}

MR_TEST(blocks_are_those_of_all_calls)
{
    static const double accepted[] = {1, 2, 3, 1.8, 3.7};
    uint64_t n_restart = 0;
    for (size_t k = 0; k < 5; k++) {
        struct plant p;
        struct play_call call[n_call];
        struct mr_calls calls;
        struct mr_instance instance;
        struct mr_err err = {0};
        const struct mr_instance_sink sink = {.finished = done, .context = &calls};
        uint64_t n_token = 0;
        set_up(&p, "gpt-oss-20b", 3, accepted[k]);
        p.serving.n_block = 1300 >> (k % 2 * 2);
        p.serving.block_tokens = 1u << (k % 2 * 2);
        p.serving.preempts_lowest = k > 1;
        size_t next = 0;
        const size_t n = draw_calls(k, call);
        n_done = n_done_tokens = 0;
        play_take_calls(&calls, n_call);
        struct mr_call *const state = calls.call;
        assert_int_equal(mr_instance_init(&instance, &p.serving, &calls, &err), MR_OK);
        for (size_t i = 0; i < n; i++) {
            state[i] = (struct mr_call){.arrived_s = call[i].arrived_s,
                                        .n_prompt = call[i].n_prompt,
                                        .n_output = call[i].n_output,
                                        .number = (uint32_t)i,
                                        .rank = (unsigned)i % 3 & 3u};
            n_token += call[i].n_prompt + call[i].n_output;
        }
        for (;;) {
            const double due_s = mr_instance_due_s(&instance);
            if (next < n && call[next].arrived_s <= due_s + MR_SEGMENT_TIE_S) {
                assert_int_equal(
                    mr_instance_arrive(&instance, (uint32_t)next, call[next].arrived_s, &err),
                    MR_OK);
                next++;
            } else if (!isinf(due_s)) {
                assert_int_equal(mr_instance_advance(&instance, &sink, &err), MR_OK);
                look_at_all(&instance);
            } else {
                break;
            }
        }
        assert_int_equal(n_done, n);
        assert_int_equal(n_done_tokens, n_token); /* also of those that were restarted */
        n_restart += instance.n_restart;
        mr_instance_fini(&instance);
        mr_call_fini(&calls);
        tear_down(&p);
    }
    print_message("%llu restarts\n", (unsigned long long)n_restart);
    assert_true(n_restart > 20);
}

MR_TEST(leaps_are_steps)
{
    static const struct mr_policy *const policies[] = {
        &mr_policy_vllm1, &mr_policy_sarathi, &mr_policy_vllm0, &mr_policy_orca, &mr_policy_static};
    static const double accepted[] = {1, 3, 1.8, 3.9};
    static struct play_call a[n_call], b[n_call];
    uint64_t n_restart = 0;
    for (size_t k = 0; k < 20; k++) {
        struct plant p;
        set_up(&p, "gpt-oss-20b", 3, accepted[k % 4]);
        p.serving.policy = policies[k / 4];
        p.serving.accept.is_drawn = k % 3 == 0;
        draw_each(&p.serving.accept, k % 3 == 1);
        p.serving.n_block = k % 2 == 0 ? 130 : 400;
        p.serving.token_max = p.serving.policy->reads_whole ? 4096 : 512;
        const size_t n = draw_calls(k, a);
        memcpy(b, a, sizeof a);
        const struct play_result leaping = play(&p.serving, a, n);
        p.serving.steps_singly = true;
        const struct play_result stepping = play(&p.serving, b, n);
        assert_int_equal(leaping.n_iteration, stepping.n_iteration);
        assert_int_equal(leaping.n_restart, stepping.n_restart);
        assert_true(leaping.n_segment < stepping.n_segment);
        for (size_t i = 0; i < n; i++) {
            mr_assert_near(a[i].first_s, b[i].first_s, 0, 1e-9);
            mr_assert_near(a[i].finished_s, b[i].finished_s, 0, 1e-9);
        }
        n_restart += leaping.n_restart;
        tear_down(&p);
    }
    print_message("%llu restarts\n", (unsigned long long)n_restart);
    assert_true(n_restart > 20);
}

/* Calls that begin together: contexts and steps of each, one by one. */
MR_TEST(times_are_those_of_plain_steps)
{
    struct plant p;
    struct play_call call[20];
    struct mr_rng rng = mr_rng_stream(53, MR_RNG_TEST, 1);
    const double g = 2.3;
    set_up(&p, "Llama-3.1-8B", 3, g);
    p.serving.policy = &mr_policy_static;
    p.serving.n_block = 4000;
    struct mr_batch batch = {0};
    for (size_t i = 0; i < 20; i++) {
        call[i] = (struct play_call){.n_prompt = 1 + (uint32_t)mr_rng_below(&rng, 500),
                                     .n_output = 1 + (uint32_t)mr_rng_below(&rng, 400)};
        batch.chunk_tokens += call[i].n_prompt;
        batch.chunk_pairs += call[i].n_prompt * (call[i].n_prompt / 2.0);
        batch.chunk_kv_tokens += call[i].n_prompt;
        batch.n_prompt_end++;
    }
    play(&p.serving, call, 20);
    double now_s = mr_step_time(p.step, &batch, 1);
    uint32_t n_left = 20;
    for (int j = 0; n_left > 0; j++) {
        batch = (struct mr_batch){0};
        n_left = 0;
        for (size_t i = 0; i < 20; i++) {
            const int n_step = (int)ceil((call[i].n_output - 1) / g);
            if (n_step == j)
                mr_assert_near(call[i].finished_s, now_s, 1e-12, 0);
            if (n_step <= j)
                continue;
            n_left++;
            batch.n_decode++;
            batch.kv_tokens += call[i].n_prompt + 1 + g * j;
        }
        now_s += mr_step_time(p.step, &batch, 1);
    }
    tear_down(&p);
}

MR_TEST(none_accepted_is_none_drafted)
{
    static struct play_call a[n_call], b[n_call];
    struct plant p;
    set_up(&p, "gpt-oss-20b", 0, 0);
    p.serving.n_block = 130;
    const size_t n = draw_calls(7, a);
    memcpy(b, a, sizeof a);
    const struct play_result plain = play(&p.serving, a, n);
    p.serving.accept = (struct mr_accept){.extra = 0, .n_draft = 0, .is_drawn = true, .seed = 3};
    const struct play_result drawn = play(&p.serving, b, n);
    assert_memory_equal(a, b, sizeof a);
    assert_memory_equal(&plain, &drawn, sizeof plain);
    tear_down(&p);
}

/* A small batch waits for weights: a step with drafts is hardly longer, and makes g tokens. */
MR_TEST(a_batch_bound_by_memory_gains)
{
    enum {
        n = 4,
        n_output = 1001
    };
    double end_s[2], step_s[2];
    const double g = 2.5;
    for (uint32_t k = 0; k < 2; k++) {
        struct plant p;
        struct play_call call[n];
        set_up(&p, "Llama-3.1-8B", 3 * k, k == 0 ? 0 : g);
        p.serving.token_max = 4096;
        for (size_t i = 0; i < n; i++)
            call[i] = (struct play_call){.n_prompt = 100, .n_output = n_output};
        play(&p.serving, call, n);
        end_s[k] = call[0].finished_s - call[0].first_s;
        const struct mr_batch batch = {.n_decode = n, .kv_tokens = n * (100 + n_output / 2.0)};
        step_s[k] = mr_step_time(p.step, &batch, 1);
        tear_down(&p);
    }
    print_message("%.3f times the tokens\n", end_s[0] / end_s[1]);
    mr_assert_near(end_s[0] / end_s[1], g * step_s[0] / step_s[1], 1e-3, 0);
    assert_true(end_s[0] / end_s[1] > 1.5 && end_s[0] / end_s[1] <= g);
}

MR_TEST(what_cannot_be)
{
    struct mr_err err = {0};
    const struct mr_accept much = {.extra = 3.5, .n_draft = 3, .is_drawn = false, .seed = 1},
                           less = {.extra = -0.5, .n_draft = 3, .is_drawn = false, .seed = 1};
    assert_int_equal(mr_accept_check(&much, &err), MR_RANGE);
    mr_assert_contains(err.text, "1 to 4 tokens of a call, not 4.5");
    assert_int_equal(mr_accept_check(&less, NULL), MR_RANGE);
    struct plant p;
    set_up(&p, "gpt-oss-20b", 3, 2);
    p.serving.token_max = 4 * p.serving.batch_max;
    assert_int_equal(mr_instance_check(&p.serving, NULL), MR_OK);
    p.serving.token_max--;
    assert_int_equal(mr_instance_check(&p.serving, NULL), MR_RANGE);
    p.serving.token_max = 512;
    p.serving.pricer.step = NULL;
    err = (struct mr_err){0};
    assert_int_equal(mr_instance_check(&p.serving, &err), MR_RANGE);
    mr_assert_contains(err.text, "profile");
    tear_down(&p);
}

MR_TEST_MAIN(MR_TEST_ENTRY(steps_make_the_tokens), MR_TEST_ENTRY(every_draft_has_its_chance),
             MR_TEST_ENTRY(chances_of_drafts_make_a_mean), MR_TEST_ENTRY(steps_within_tokens),
             MR_TEST_ENTRY(blocks_are_those_of_all_calls), MR_TEST_ENTRY(leaps_are_steps),
             MR_TEST_ENTRY(times_are_those_of_plain_steps),
             MR_TEST_ENTRY(none_accepted_is_none_drafted),
             MR_TEST_ENTRY(a_batch_bound_by_memory_gains), MR_TEST_ENTRY(what_cannot_be))
