/* SPDX-License-Identifier: Apache-2.0 */
/* engine/serve/cell: calls through every router and policy. Little's law, conservation while calls
 * are shed and restarted, the same bytes again, each instance as if it were alone, saturation. */
#include "engine/serve/cell.h"

#include "engine/base/mem.h"
#include "engine/base/rng.h"
#include "engine/base/shelf.h"
#include "engine/serve/policy.h"
#include "tests/engine/serve/play.h"
#include "tests/test.h"

enum {
    n_call = 400,
    n_instance = 5,
    n_tier = 3,
    n_router = MR_ROUTER_AFFINITY + 1
};

/* What became of a call, as it is compared byte for byte. */
struct outcome {
    double scheduled_s, first_s, finished_s;
    uint64_t n_restart, n_cached, instance, n_told;
    int64_t refusal; /* -1: none */
};

struct world {
    struct mr_serving serving;
    struct mr_cell_plan plan;
    struct mr_cell cell;
    struct mr_ticket ticket[n_call];
    double arrived_s[n_call];
    struct outcome out[n_call];
    double sojourn_s, last_s, area; /* area: time integral of the calls in the system */
};

static void finished(void *context, const struct mr_ticket *ticket, const struct mr_call *call,
                     double now_s)
{
    struct world *w = context;
    w->out[ticket->id] = (struct outcome){.scheduled_s = call->scheduled_s,
                                          .first_s = call->first_s,
                                          .finished_s = now_s,
                                          .n_restart = call->n_restart,
                                          .n_cached = ticket->n_cached,
                                          .instance = ticket->instance,
                                          .n_told = w->out[ticket->id].n_told + 1,
                                          .refusal = -1};
    w->sojourn_s += now_s - w->arrived_s[ticket->id];
}

static void refused(void *context, const struct mr_ticket *ticket, double now_s,
                    enum mr_cell_refusal why)
{
    struct world *w = context;
    assert_true(now_s == w->arrived_s[ticket->id]);
    w->out[ticket->id] = (struct outcome){.instance = ticket->instance,
                                          .n_told = w->out[ticket->id].n_told + 1,
                                          .refusal = (int64_t)why};
}

static uint64_t n_inside(const struct mr_cell *cell)
{
    uint64_t n = 0, n_routed = 0;
    for (uint32_t i = 0; i < cell->plan.n_instance; i++) {
        n += cell->instance[i].n_run + cell->instance[i].queue.n;
        n_routed += cell->router.n_call[i];
    }
    assert_int_equal(n, n_routed);
    return n;
}

/* Event by event: what is inside stays so until the next one. */
static void play_until(struct world *w, double until_s, struct mr_err *err)
{
    while (mr_cell_due_s(&w->cell) < until_s - MR_SEGMENT_TIE_S) {
        const double due_s = mr_cell_due_s(&w->cell);
        w->area += (double)n_inside(&w->cell) * (due_s - w->last_s);
        w->last_s = due_s;
        /* this event, and what comes within a nanosecond of it */
        assert_int_equal(mr_cell_play(&w->cell, fmin(until_s, due_s + 2 * MR_SEGMENT_TIE_S), err),
                         MR_OK);
    }
    if (!isinf(until_s)) {
        w->area += (double)n_inside(&w->cell) * (until_s - w->last_s);
        w->last_s = until_s;
    }
}

static void draw(struct world *w, const struct mr_profile *profile, const struct mr_policy *policy,
                 int router, uint64_t seed)
{
    struct mr_rng rng = mr_rng_stream(81, MR_RNG_TEST, seed);
    double at_s = 0;
    *w = (struct world){.serving = {.policy = policy,
                                    .pricer = {.profile = profile},
                                    .batch_max = 12,
                                    .token_max = policy->reads_whole ? 2048 : 256,
                                    .context_max = 700,
                                    .block_tokens = 16,
                                    .n_block = 150,
                                    .watermark_frac = 0.01,
                                    .preempts_lowest = seed % 2 == 1,
                                    .has_cache = policy == &mr_policy_vllm1 && seed % 3 == 0}};
    w->plan = (struct mr_cell_plan){.serving = &w->serving,
                                    .n_instance = n_instance,
                                    .router = router,
                                    .seed = seed,
                                    .rank = {1, 0, 1},
                                    .wait_max = {6, 0, 12}};
    for (uint32_t i = 0; i < n_call; i++) {
        at_s += i % 9 == 0 ? 0 : mr_rng_exponential(&rng, i < 250 ? 0.03 : 0.3);
        w->arrived_s[i] = at_s;
        w->ticket[i] = (struct mr_ticket){.id = i,
                                          .session = (uint32_t)mr_rng_below(&rng, 60),
                                          .n_prompt = 1 + (uint32_t)mr_rng_below(&rng, 400),
                                          .n_output = 1 + (uint32_t)mr_rng_below(&rng, 250),
                                          .tier = (uint8_t)mr_rng_below(&rng, n_tier)};
        if (i % 50 == 7)
            w->ticket[i].n_prompt = 3000; /* more than there are blocks */
    }
}

static void run(struct world *w)
{
    struct mr_err err = {0};
    w->sojourn_s = w->last_s = w->area = 0;
    memset(w->out, 0, sizeof w->out);
    assert_int_equal(
        mr_cell_init(&w->cell, &w->plan, &(struct mr_cell_sink){finished, refused, w}, &err),
        MR_OK);
    for (uint32_t i = 0; i < n_call; i++) {
        play_until(w, w->arrived_s[i], &err);
        assert_int_equal(mr_cell_arrive(&w->cell, &w->ticket[i], w->arrived_s[i], &err), MR_OK);
    }
    play_until(w, (double)INFINITY, &err);
}

static const struct mr_policy *const all_policies[] = {
    &mr_policy_vllm1, &mr_policy_sarathi, &mr_policy_vllm0, &mr_policy_orca, &mr_policy_static};

/* Calls inside, over time, are as much as the time that calls spend inside: mean number = rate x
 * mean latency. One side counts who runs and waits, event by event; the other adds up latencies. */
MR_TEST(littles_law)
{
    struct mr_profile *profile = play_five_constants();
    static struct world w;
    for (int k = 0; k < 5 * n_router; k++) {
        draw(&w, profile, all_policies[k / n_router], k % n_router, (uint64_t)k);
        run(&w);
        assert_true(w.sojourn_s > 100);
        mr_assert_near(w.area, w.sojourn_s, 1e-9, 1e-6);
        mr_assert_near(w.cell.area_s, w.area, 1e-9, 1e-6);
        assert_true(mr_cell_little_rel(&w.cell) < 1e-9);
        mr_cell_fini(&w.cell);
    }
    mr_profile_destroy(profile);
    assert_int_equal(mr_test_live_allocations(), 0);
}

MR_TEST(nothing_is_lost_where_calls_are_shed_and_restarted)
{
    struct mr_profile *profile = play_five_constants();
    static struct world w;
    uint64_t n_restart = 0, n_shed = 0;
    for (int k = 0; k < 5 * n_router; k++) {
        draw(&w, profile, all_policies[k / n_router], k % n_router, (uint64_t)k);
        run(&w);
        uint64_t n_of_calls = 0, n_own = 0;
        for (uint32_t i = 0; i < n_call; i++) {
            const struct outcome *out = &w.out[i];
            assert_int_equal(out->n_told, 1);
            assert_int_equal(out->instance < n_instance, out->refusal != MR_CELL_REFUSAL_TOO_LONG);
            assert_int_equal(out->refusal == MR_CELL_REFUSAL_TOO_LONG, i % 50 == 7);
            assert_false(out->refusal == MR_CELL_REFUSAL_SHED && w.ticket[i].tier == 1);
            n_shed += out->refusal == MR_CELL_REFUSAL_SHED;
            if (out->refusal >= 0)
                continue;
            assert_true(out->scheduled_s >= w.arrived_s[i] - MR_SEGMENT_TIE_S);
            assert_true(out->first_s > out->scheduled_s && out->finished_s >= out->first_s);
            assert_true((out->finished_s == out->first_s) == (w.ticket[i].n_output == 1));
            assert_true(out->n_cached < w.ticket[i].n_prompt);
            n_of_calls += out->n_restart;
        }
        assert_int_equal(n_inside(&w.cell), 0);
        for (uint32_t i = 0; i < n_instance; i++) {
            const struct mr_instance *instance = &w.cell.instance[i];
            assert_int_equal(instance->n_free, w.serving.n_block);
            assert_int_equal(instance->kv_tokens + instance->kv_steps + instance->cache.n_pinned,
                             0);
            n_own += instance->n_restart;
        }
        assert_int_equal(n_of_calls, n_own);
        n_restart += n_own;
        mr_cell_fini(&w.cell);
    }
    print_message("%llu shed, %llu restarts\n", (unsigned long long)n_shed,
                  (unsigned long long)n_restart);
    assert_true(n_shed > 100 && n_restart > 100);
    mr_profile_destroy(profile);
}

/* Twice in two places of memory: the same bytes. Then each instance with its own calls alone, the
 * last one first: what others do, and which of them is played first, has no part in it. */
MR_TEST(the_same_bytes_again_and_alone)
{
    struct mr_profile *profile = play_five_constants();
    static struct world a, b;
    static struct play_call call[n_call];
    static uint32_t id[n_call];
    for (int k = 0; k < 5 * n_router; k++) {
        draw(&a, profile, all_policies[k / n_router], k % n_router, (uint64_t)k);
        a.serving.has_cache = false; /* play() has no sessions that go from place to place */
        b = a;
        b.plan.serving = &b.serving;
        run(&a);
        run(&b);
        assert_memory_equal(a.out, b.out, sizeof a.out);
        assert_int_equal(a.cell.n_event, b.cell.n_event);
        for (uint32_t i = n_instance; i-- > 0;) {
            size_t n = 0;
            for (uint32_t c = 0; c < n_call; c++) {
                if (a.out[c].refusal >= 0 || a.out[c].instance != i)
                    continue;
                id[n] = c;
                call[n++] = (struct play_call){.arrived_s = a.arrived_s[c],
                                               .n_prompt = a.ticket[c].n_prompt,
                                               .n_output = a.ticket[c].n_output,
                                               .rank = a.plan.rank[a.ticket[c].tier]};
            }
            const struct play_result alone = play(&a.serving, call, n);
            assert_int_equal(alone.n_iteration, a.cell.instance[i].n_iteration);
            for (size_t c = 0; c < n; c++) {
                assert_true(call[c].scheduled_s == a.out[id[c]].scheduled_s);
                assert_true(call[c].first_s == a.out[id[c]].first_s);
                assert_true(call[c].finished_s == a.out[id[c]].finished_s);
            }
        }
        mr_cell_fini(&a.cell);
        mr_cell_fini(&b.cell);
    }
    mr_profile_destroy(profile);
}

/* Tokens per second of `n` equal calls that are all there at once. */
static double rate_tok_s(const struct mr_serving *serving, uint32_t n_output)
{
    enum {
        n = 1024
    };
    static struct play_call call[n];
    for (size_t i = 0; i < n; i++)
        call[i] = (struct play_call){.n_prompt = 16, .n_output = n_output};
    return (double)n * n_output / play(serving, call, n).end_s;
}

/* Full batches of equal calls: the longer their outputs, the nearer to n tokens in the time T(n) of
 * a decode step at the mean context; never above what memory and products alone would allow. */
MR_TEST(saturation_is_the_rate_of_full_steps)
{
    struct mr_shelf *shelf;
    struct mr_diags diags = {0};
    struct mr_err err = {0};
    struct mr_step *step;
    assert_int_equal(mr_shelf_create(&shelf, &err), MR_OK);
    const struct mr_step_setup setup = {
        .gpu = mr_gpu_of(mr_shelf_card(shelf, &mr_gpu_kind, "h100_sxm", MR_NOWHERE, &diags)),
        .llm = mr_llm_of(mr_shelf_card(shelf, &mr_llm_kind, "Llama-3.1-8B", MR_NOWHERE, &diags)),
        .software =
            mr_software_of(mr_shelf_card(shelf, &mr_software_kind, "vllm", MR_NOWHERE, &diags)),
        .parallel = {1, 1, 1, 1, 1},
        .dense_format = MR_FORMAT_BF16,
        .expert_format = MR_FORMAT_BF16,
        .kv_element_bytes = 2};
    assert_int_equal(mr_step_create(&setup, &step, &err), MR_OK);
    for (size_t k = 0; k < 5; k++) {
        for (uint32_t n = 1; n <= 256; n *= 4) {
            const struct mr_serving serving = {.policy = all_policies[k],
                                               .pricer = {.step = step},
                                               .batch_max = n,
                                               .token_max = 65536,
                                               .context_max = 1100,
                                               .block_tokens = 16,
                                               .n_block = 300 * 256};
            for (uint32_t n_output = 10; n_output <= 1000; n_output *= 10) {
                const struct mr_batch mean = {.n_decode = n,
                                              .kv_tokens = n * (16 + n_output / 2.0)};
                struct mr_step_terms terms;
                mr_step_terms(&setup, &(struct mr_batch){.n_decode = n, .kv_tokens = n * 16.}, 1,
                              &terms);
                double compute_s = 0, memory_s = 0;
                for (int i = 0; i < MR_STEP_TERMS; i++) {
                    compute_s += terms.part[i].compute_s;
                    memory_s += terms.part[i].memory_s;
                }
                const double rate = rate_tok_s(&serving, n_output);
                const double full = n / mr_step_time(step, &mean, 1);
                /* a first token comes of a prompt's step, which reads the weights as a decode does
                 */
                assert_true(rate < n / fmax(compute_s, memory_s));
                if (n_output == 1000)
                    mr_assert_near(rate, full, 0.02, 0);
            }
        }
    }
    mr_step_destroy(step);
    mr_shelf_destroy(shelf);
    assert_int_equal(mr_test_live_allocations(), 0);
}

MR_TEST_MAIN(MR_TEST_ENTRY(littles_law),
             MR_TEST_ENTRY(nothing_is_lost_where_calls_are_shed_and_restarted),
             MR_TEST_ENTRY(the_same_bytes_again_and_alone),
             MR_TEST_ENTRY(saturation_is_the_rate_of_full_steps))
