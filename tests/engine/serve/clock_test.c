/* SPDX-License-Identifier: Apache-2.0 */
/* engine/serve/instance under clocks that change at any time: leaps against steps, joules against
 * their sum, a change that is taken back at once, reading without changing, step by step. */
#include "engine/base/mem.h"
#include "engine/base/rng.h"
#include "engine/base/shelf.h"
#include "engine/serve/instance_step.h"
#include "engine/serve/policy.h"
#include "tests/engine/serve/play.h"
#include "tests/test.h"

enum {
    n_call = 80,
    n_change = 60,
    n_step_max = 40000
};

struct plant {
    struct mr_shelf *shelf;
    struct mr_step *step;
    struct mr_power power;
    struct mr_serving serving;
};

static void set_up(struct plant *p, const struct mr_policy *policy, uint32_t n_draft,
                   double accepted)
{
    struct mr_diags diags = {0};
    struct mr_err err = {0};
    assert_int_equal(mr_shelf_create(&p->shelf, &err), MR_OK);
    const struct mr_step_setup setup = {
        .gpu = mr_gpu_of(mr_shelf_card(p->shelf, &mr_gpu_kind, "b200_sxm", MR_NOWHERE, &diags)),
        .llm = mr_llm_of(mr_shelf_card(p->shelf, &mr_llm_kind, "gpt-oss-20b", MR_NOWHERE, &diags)),
        .software =
            mr_software_of(mr_shelf_card(p->shelf, &mr_software_kind, "spec", MR_NOWHERE, &diags)),
        .parallel = {1, 1, 1, 1, 1},
        .dense_format = MR_FORMAT_BF16,
        .expert_format = MR_FORMAT_MXFP4,
        .kv_element_bytes = 2,
        .n_draft = n_draft,
        .accepted = accepted};
    assert_int_equal(mr_step_create(&setup, &p->step, &err), MR_OK);
    assert_int_equal(mr_power_of(setup.gpu, &p->power, &err), MR_OK);
    p->serving = (struct mr_serving){.policy = policy,
                                     .pricer = {p->step, NULL, &p->power, NULL},
                                     .batch_max = 24,
                                     .token_max = 256,
                                     .block_tokens = 16,
                                     .n_block = 900,
                                     .window_tokens = mr_llm_window(setup.llm),
                                     .accept = {.extra = mr_step_accepted(&setup) - 1,
                                                .n_draft = n_draft,
                                                .is_drawn = true,
                                                .seed = 5}};
}

static void tear_down(struct plant *p)
{
    mr_step_destroy(p->step);
    mr_shelf_destroy(p->shelf);
}

struct change {
    double at_s, phi;
};

struct outcome {
    double finished_s[n_call];
    double energy_j, busy_s, read_j[n_change];
    uint64_t n_iteration;
    struct mr_instance_step step[n_step_max]; /* as watched */
    size_t n_step;
};

static void watched(void *context, const struct mr_instance *instance, uint64_t n_step)
{
    struct outcome *out = context;
    assert_true(out->n_step + n_step <= n_step_max);
    for (uint64_t j = 0; j < n_step; j++)
        out->step[out->n_step++] = mr_instance_step_of(instance, j);
}

static void finished(void *context, uint32_t call, double now_s)
{
    struct outcome *out = context;
    out->finished_s[call] = now_s;
}

static void play_watched(const struct plant *p, const struct change *change, int n, bool is_watched,
                         struct outcome *out)
{
    struct mr_rng rng = mr_rng_stream(31, MR_RNG_TEST, 1);
    struct mr_calls calls;
    struct mr_instance instance;
    struct mr_err err = {0};
    const struct mr_instance_sink sink = {.finished = finished, .context = out};
    const struct mr_instance_watch watch = {watched, out};
    double at_s = 0;
    int next = 0, turn = 0;
    out->n_step = 0;
    play_take_calls(&calls, n_call);
    struct mr_call *const call = calls.call;
    for (int i = 0; i < n_call; i++) {
        at_s += mr_rng_exponential(&rng, 0.08);
        call[i] = (struct mr_call){.arrived_s = at_s,
                                   .n_prompt = 1 + (uint32_t)mr_rng_below(&rng, 900),
                                   .n_output = 1 + (uint32_t)mr_rng_below(&rng, 300)};
    }
    assert_int_equal(mr_instance_init(&instance, &p->serving, &calls, &err), MR_OK);
    instance.watch = is_watched ? &watch : NULL;
    for (;;) {
        const double due_s = mr_instance_due_s(&instance);
        const double arrival_s = next < n_call ? call[next].arrived_s : (double)INFINITY;
        if (turn < n && change[turn].at_s <= fmin(due_s, arrival_s)) {
            out->read_j[turn] = mr_instance_energy_j(&instance, change[turn].at_s);
            mr_instance_set_clock(&instance, change[turn].phi, change[turn].at_s);
            turn++;
        } else if (arrival_s <= due_s + MR_SEGMENT_TIE_S && next < n_call) {
            assert_int_equal(mr_instance_arrive(&instance, (uint32_t)next, arrival_s, &err), MR_OK);
            next++;
        } else if (!isinf(due_s)) {
            assert_int_equal(mr_instance_advance(&instance, &sink, &err), MR_OK);
        } else {
            break;
        }
    }
    assert_int_equal(instance.n_free, p->serving.n_block);
    assert_int_equal(instance.window.tokens + instance.kv_tokens + instance.kv_steps, 0);
    out->energy_j = instance.busy_j;
    out->busy_s = instance.busy_s;
    out->n_iteration = instance.n_iteration;
    mr_instance_fini(&instance);
    mr_call_fini(&calls);
}

static void play_changes(const struct plant *p, const struct change *change, int n,
                         struct outcome *out)
{
    play_watched(p, change, n, true, out);
}

/* Steps follow each other and add up to what the instance has counted. */
static void adds_up(const struct outcome *a)
{
    double time_s = 0, package_j = 0;
    for (size_t i = 0; i < a->n_step; i++) {
        time_s += a->step[i].time_s;
        package_j += a->step[i].package_j;
        if (i > 0)
            assert_true(a->step[i].start_s > a->step[i - 1].start_s + a->step[i - 1].time_s - 1e-9);
    }
    assert_int_equal(a->n_step, a->n_iteration);
    mr_assert_near(time_s, a->busy_s, 1e-9, 0);
    mr_assert_near(package_j, a->energy_j, 1e-9, 0);
}

static void same_steps(const struct outcome *a, const struct outcome *b)
{
    assert_int_equal(a->n_step, b->n_step);
    for (size_t i = 0; i < a->n_step; i++) {
        const struct mr_instance_step *s = &a->step[i], *t = &b->step[i];
        mr_assert_near(s->start_s, t->start_s, 0, 1e-9);
        mr_assert_near(s->time_s, t->time_s, 0, 1e-9);
        mr_assert_near(s->kv_tok, t->kv_tok, 1e-9, 1e-9);
        mr_assert_near(s->package_j, t->package_j, 1e-9, 1e-9);
        assert_true(s->n_decode == t->n_decode && s->prefill_tok == t->prefill_tok &&
                    s->phi == t->phi);
    }
}

static void same(const struct outcome *a, const struct outcome *b, int n)
{
    for (int i = 0; i < n_call; i++)
        mr_assert_near(a->finished_s[i], b->finished_s[i], 0, 1e-9);
    for (int i = 0; i < n; i++)
        mr_assert_near(a->read_j[i], b->read_j[i], 1e-9, 0);
    mr_assert_near(a->energy_j, b->energy_j, 1e-9, 0);
    mr_assert_near(a->busy_s, b->busy_s, 1e-9, 0);
    assert_int_equal(a->n_iteration, b->n_iteration);
}

static void any_schedule(uint32_t n_draft, double accepted)
{
    static const struct mr_policy *const policies[] = {&mr_policy_vllm1, &mr_policy_sarathi,
                                                       &mr_policy_vllm0, &mr_policy_orca};
    static struct outcome leaping, stepping;
    struct mr_rng rng = mr_rng_stream(32, MR_RNG_TEST, 1);
    for (size_t k = 0; k < 4; k++) {
        struct plant p;
        set_up(&p, policies[k], n_draft, accepted);
        if (policies[k] == &mr_policy_vllm0)
            p.serving.token_max = 4096;
        for (int i = 0; i < 8; i++) {
            struct change change[n_change];
            double at_s = 0;
            for (int c = 0; c < n_change; c++) {
                at_s += mr_rng_exponential(&rng, c % 5 == 0 ? 1e-3 : 0.2); /* some in one step */
                change[c] = (struct change){at_s, mr_rng_range(&rng, 0.35, 1)};
            }
            p.serving.steps_singly = false;
            play_changes(&p, change, n_change, &leaping);
            p.serving.steps_singly = true;
            play_changes(&p, change, n_change, &stepping);
            same(&leaping, &stepping, n_change);
            same_steps(&leaping, &stepping);
            adds_up(&leaping);
            adds_up(&stepping);
        }
        tear_down(&p);
    }
    assert_int_equal(mr_test_live_allocations(), 0);
}

MR_TEST(leaps_and_steps_agree_under_any_schedule)
{
    any_schedule(0, 0);
}

MR_TEST(leaps_and_steps_agree_with_drafts)
{
    any_schedule(3, 3);
    any_schedule(2, 1.8);
    any_schedule(7, 4.3);
}

MR_TEST(a_change_taken_back_at_once_changes_nothing)
{
    static struct outcome plain, nervous;
    struct change change[n_change];
    struct plant p;
    set_up(&p, &mr_policy_vllm1, 0, 0);
    for (int c = 0; c < n_change; c++)
        change[c] = (struct change){0.1 * (c / 2), c % 2 == 0 ? 0.5 : 1};
    play_changes(&p, NULL, 0, &plain);
    play_changes(&p, change, n_change, &nervous);
    same(&plain, &nervous, 0);
    tear_down(&p);
}

MR_TEST(watching_changes_nothing)
{
    static struct outcome alone, seen;
    const struct change change[] = {{0.3, 0.5}, {0.31, 0.7}, {4, 1}};
    struct plant p;
    set_up(&p, &mr_policy_vllm1, 0, 0);
    play_watched(&p, change, 3, false, &alone);
    play_watched(&p, change, 3, true, &seen);
    assert_int_equal(alone.n_step, 0);
    assert_true(seen.n_step > 0);
    assert_memory_equal(alone.finished_s, seen.finished_s, sizeof seen.finished_s);
    assert_true(alone.energy_j == seen.energy_j && alone.busy_s == seen.busy_s);
    tear_down(&p);
}

MR_TEST(slower_clocks_draw_less_and_take_longer)
{
    static struct outcome fast, slow;
    const struct change change[] = {{0, 0.5}};
    struct plant p;
    set_up(&p, &mr_policy_vllm1, 0, 0);
    play_changes(&p, NULL, 0, &fast);
    play_changes(&p, change, 1, &slow);
    assert_true(slow.busy_s > fast.busy_s);
    assert_true(slow.energy_j / slow.busy_s < fast.energy_j / fast.busy_s);
    tear_down(&p);
}

MR_TEST_MAIN(MR_TEST_ENTRY(leaps_and_steps_agree_under_any_schedule),
             MR_TEST_ENTRY(leaps_and_steps_agree_with_drafts),
             MR_TEST_ENTRY(a_change_taken_back_at_once_changes_nothing),
             MR_TEST_ENTRY(watching_changes_nothing),
             MR_TEST_ENTRY(slower_clocks_draw_less_and_take_longer))
