/* SPDX-License-Identifier: Apache-2.0 */
/* engine/serve/instance: every policy against a plain scheduler that touches every request in every
 * step, on random workloads with scarce and ample blocks, with ranks and without; leap on and off;
 * what cannot be. */
#include "engine/base/rng.h"
#include "tests/engine/serve/play.h"
#include "tests/test.h"

enum {
    n_call_max = 160
};

/* ---- the plain scheduler ---- */

struct plain_call {
    uint32_t p, d, x, blocks,
        chunk; /* prompt, output, computed; chunk: of this step, 0: not in it */
    bool reads;
    uint32_t n_restart;
};

struct plain {
    const struct mr_serving *serving;
    struct play_call *call;
    struct plain_call state[n_call_max];
    size_t n, n_arrived;
    int run[n_call_max], wait[2 * n_call_max];
    size_t n_run, n_wait;
    uint64_t free, n_iteration, n_restart;
};

static uint32_t ceil_blocks(const struct plain *s, uint64_t tokens)
{
    return (uint32_t)((tokens + s->serving->block_tokens - 1) / s->serving->block_tokens);
}

static uint32_t reserve(const struct plain *s, const struct plain_call *c)
{
    const uint32_t longest = s->serving->context_max;
    if (s->serving->policy == &mr_policy_orca)
        return ceil_blocks(s, c->p + c->d > longest ? c->p + c->d : longest);
    if (s->serving->policy == &mr_policy_static)
        return ceil_blocks(s, c->p + c->d);
    return ceil_blocks(s, c->p);
}

static void drop_from_run(struct plain *s, size_t at)
{
    for (s->n_run--; at < s->n_run; at++)
        s->run[at] = s->run[at + 1];
}

/* Ranks, and within a rank levels, of which the larger goes first: less is served first. */
static int order_of(const struct play_call *call)
{
    return 16 * call->rank - call->level;
}

/* Before all that wait and are of its order or behind it; or behind all of its order. */
static void put_in_queue(struct plain *s, int r, bool is_first)
{
    const int own = order_of(&s->call[r]);
    size_t at = 0;
    while (at < s->n_wait && (order_of(&s->call[s->wait[at]]) < own ||
                              (!is_first && order_of(&s->call[s->wait[at]]) == own)))
        at++;
    for (size_t i = s->n_wait++; i > at; i--)
        s->wait[i] = s->wait[i - 1];
    s->wait[at] = r;
}

/* The last to run, or of the last rank the latest, wherever it stands. */
static size_t victim(const struct plain *s)
{
    size_t worst = 0;
    if (!s->serving->preempts_lowest)
        return s->n_run - 1;
    for (size_t i = 1; i < s->n_run; i++) {
        const struct play_call *a = &s->call[s->run[i]], *b = &s->call[s->run[worst]];
        if (order_of(a) > order_of(b) ||
            (order_of(a) == order_of(b) && a->arrived_s >= b->arrived_s))
            worst = i;
    }
    return worst;
}

/* vLLM's preemption: computed tokens are lost, outputs are kept and read again. */
static void preempt(struct plain *s, size_t at)
{
    const int r = s->run[at];
    struct plain_call *c = &s->state[r];
    drop_from_run(s, at);
    if (!c->reads) {
        const uint32_t known = c->x + 1;
        c->d = c->p + c->d - known;
        c->p = known;
    }
    s->free += c->blocks;
    c->blocks = c->x = c->chunk = 0;
    c->reads = true;
    c->n_restart++;
    s->n_restart++;
    put_in_queue(s, r, true);
}

static bool take_blocks(struct plain *s, struct plain_call *c, uint32_t tokens)
{
    const uint32_t need = ceil_blocks(s, tokens);
    if (need > c->blocks + s->free)
        return false;
    s->free -= need > c->blocks ? need - c->blocks : 0;
    c->blocks = need > c->blocks ? need : c->blocks;
    return true;
}

static void form_vllm1(struct plain *s)
{
    uint32_t left = s->serving->token_max;
    bool preempted = false;
    for (size_t i = 0; i < s->n_run && left > 0;) {
        struct plain_call *c = &s->state[s->run[i]];
        const uint32_t want = c->reads ? c->p - c->x : 1, chunk = want < left ? want : left;
        if (take_blocks(s, c, c->x + chunk)) {
            c->chunk = chunk;
            left -= chunk;
            i++;
            continue;
        }
        const size_t v = victim(s);
        preempted = true;
        left += s->state[s->run[v]].chunk;
        preempt(s, v);
        i -= v < i; /* itself: who stands behind it is next */
    }
    while (!preempted && s->n_wait > 0 && s->n_run < s->serving->batch_max && left > 0) {
        struct plain_call *c = &s->state[s->wait[0]];
        if (ceil_blocks(s, c->p) > s->free)
            break;
        c->chunk = c->p < left ? c->p : left;
        assert_true(take_blocks(s, c, c->chunk));
        left -= c->chunk;
        s->run[s->n_run++] = s->wait[0];
        for (size_t i = 1; i < s->n_wait; i++)
            s->wait[i - 1] = s->wait[i];
        s->n_wait--;
    }
}

static void form_reserving(struct plain *s)
{
    const bool may_admit = s->serving->policy == &mr_policy_orca || s->n_run == 0;
    for (size_t i = 0; i < s->n_run; i++)
        s->state[s->run[i]].chunk = 1;
    while (may_admit && s->n_wait > 0 && s->n_run < s->serving->batch_max) {
        struct plain_call *c = &s->state[s->wait[0]];
        if (reserve(s, c) > s->free)
            break;
        c->blocks = reserve(s, c);
        s->free -= c->blocks;
        c->chunk = c->p;
        s->run[s->n_run++] = s->wait[0];
        for (size_t i = 1; i < s->n_wait; i++)
            s->wait[i - 1] = s->wait[i];
        s->n_wait--;
    }
}

static double step_time_s(const struct plain *s)
{
    const bool counts_newest = s->serving->policy->n_unread == 0;
    double tokens = 0, kv = 0, pairs = 0;
    for (size_t i = 0; i < s->n_run; i++) {
        const struct plain_call *c = &s->state[s->run[i]];
        tokens += c->chunk;
        if (c->chunk > 0 && c->reads)
            pairs += c->chunk * (c->x + c->chunk / 2.0);
        else if (c->chunk > 0)
            kv += c->x + (counts_newest ? 1 : 0);
    }
    return 0.002 + fmax(0.010, 8.56e-5 * tokens) + 8.19e-8 * kv + 3.36e-9 * pairs;
}

static void end_step(struct plain *s, double now_s)
{
    for (size_t i = 0; i < s->n_run;) {
        struct plain_call *c = &s->state[s->run[i]];
        struct play_call *out = &s->call[s->run[i]];
        c->x += c->chunk;
        if (c->chunk > 0 && c->reads && c->x == c->p) {
            c->reads = false;
            if (out->first_s < 0)
                out->first_s = now_s;
        }
        c->chunk = 0;
        if (c->reads || c->x < c->p + c->d - 1) {
            i++;
            continue;
        }
        out->finished_s = now_s;
        out->n_restart = c->n_restart;
        s->free += c->blocks;
        drop_from_run(s, i);
    }
}

static struct play_result play_plainly(const struct mr_serving *serving, struct play_call *call,
                                       size_t n)
{
    struct plain s = {.serving = serving, .call = call, .n = n, .free = serving->n_block};
    double now_s = 0;
    for (size_t i = 0; i < n; i++) {
        s.state[i] =
            (struct plain_call){.p = call[i].n_prompt, .d = call[i].n_output, .reads = true};
        call[i].first_s = call[i].scheduled_s = -1;
    }
    for (;;) {
        if (s.n_run == 0 && s.n_wait == 0 && s.n_arrived == n)
            break;
        if (s.n_run == 0 && s.n_wait == 0)
            now_s = fmax(now_s, call[s.n_arrived].arrived_s);
        while (s.n_arrived < n && call[s.n_arrived].arrived_s <= now_s + MR_SEGMENT_TIE_S)
            put_in_queue(&s, (int)s.n_arrived++, false);
        if (serving->policy == &mr_policy_vllm1)
            form_vllm1(&s);
        else
            form_reserving(&s);
        assert_true(s.n_run > 0);
        for (size_t i = 0; i < s.n_run; i++)
            if (s.state[s.run[i]].chunk > 0 && call[s.run[i]].scheduled_s < 0)
                call[s.run[i]].scheduled_s = now_s;
        now_s += step_time_s(&s);
        s.n_iteration++;
        end_step(&s, now_s);
    }
    return (struct play_result){.n_iteration = s.n_iteration,
                                .n_segment = s.n_iteration,
                                .n_restart = s.n_restart,
                                .end_s = now_s};
}

/* ---- comparison ---- */

static size_t draw_calls(struct mr_rng *rng, struct play_call *call, uint32_t length)
{
    const size_t n = 20 + mr_rng_below(rng, n_call_max - 20);
    const double gap_s = mr_rng_range(rng, 0.005, 0.4);
    double at_s = 0;
    for (size_t i = 0; i < n; i++) {
        at_s += i % 7 == 0 ? 0 : mr_rng_exponential(rng, gap_s); /* some come together */
        call[i] = (struct play_call){.arrived_s = at_s,
                                     .n_prompt = 1 + (uint32_t)mr_rng_below(rng, length),
                                     .n_output = 1 + (uint32_t)mr_rng_below(rng, length)};
    }
    return n;
}

static void same(const struct play_call *a, const struct play_call *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (fabs(a[i].scheduled_s - b[i].scheduled_s) > 1e-9 ||
            fabs(a[i].first_s - b[i].first_s) > 1e-9 ||
            fabs(a[i].finished_s - b[i].finished_s) > 1e-9 || a[i].n_restart != b[i].n_restart)
            fail_msg("call %zu: scheduled %.9f %.9f, first %.9f %.9f, finished %.9f %.9f, "
                     "restarts %u %u",
                     i, a[i].scheduled_s, b[i].scheduled_s, a[i].first_s, b[i].first_s,
                     a[i].finished_s, b[i].finished_s, a[i].n_restart, b[i].n_restart);
}

static struct mr_serving draw_serving(struct mr_rng *rng, const struct mr_policy *policy,
                                      const struct mr_profile *profile, uint32_t length)
{
    struct mr_serving serving = {.policy = policy,
                                 .pricer = {.profile = profile},
                                 .batch_max = 1 + (uint32_t)mr_rng_below(rng, 40),
                                 .block_tokens = 1u << mr_rng_below(rng, 6),
                                 .context_max = 2 * length,
                                 .watermark_frac = mr_rng_below(rng, 2) == 0 ? 0.01 : 0};
    serving.token_max = serving.batch_max + (uint32_t)mr_rng_below(rng, 300);
    if (policy == &mr_policy_vllm0)
        serving.token_max += 2 * length;
    /* from just enough for the largest to ample */
    const uint64_t least = 2 * length / serving.block_tokens + 8;
    serving.n_block = least + least / 50 + mr_rng_below(rng, 6 * least);
    return serving;
}

static void against_plain(const struct mr_policy *policy, bool must_restart, uint32_t n_rank)
{
    struct mr_profile *profile = play_five_constants();
    struct mr_rng rng = mr_rng_stream(11, MR_RNG_TEST, 1);
    static struct play_call a[n_call_max], b[n_call_max];
    uint64_t n_restart = 0, n_segment = 0, n_iteration = 0;
    for (int i = 0; i < 300; i++) {
        const uint32_t length = 20 + (uint32_t)mr_rng_below(&rng, 400);
        const size_t n = draw_calls(&rng, a, length);
        struct mr_serving serving = draw_serving(&rng, policy, profile, length);
        serving.preempts_lowest = n_rank > 1 && i % 3 != 0;
        for (size_t k = 0; k < n; k++) {
            a[k].rank = (uint8_t)mr_rng_below(&rng, n_rank);
            a[k].level = (int8_t)(n_rank > 1 && i % 2 == 0 ? (int)mr_rng_below(&rng, 16) - 8 : 0);
        }
        memcpy(b, a, sizeof a);
        const struct play_result plain = play_plainly(&serving, b, n);
        for (int singly = 0; singly < 2; singly++) {
            serving.steps_singly = singly == 1;
            const struct play_result result = play(&serving, a, n);
            same(a, b, n);
            assert_int_equal(result.n_iteration, plain.n_iteration);
            assert_int_equal(result.n_restart, plain.n_restart);
            n_segment += singly == 0 ? result.n_segment : 0;
        }
        n_iteration += plain.n_iteration;
        n_restart += plain.n_restart;
    }
    print_message("%llu iterations in %llu segments, %llu restarts\n",
                  (unsigned long long)n_iteration, (unsigned long long)n_segment,
                  (unsigned long long)n_restart);
    assert_true(n_segment < n_iteration);
    assert_true(must_restart == (n_restart > 100));
    mr_profile_destroy(profile);
    assert_int_equal(mr_test_live_allocations(), 0);
}

MR_TEST(vllm1_as_stepped_request_by_request)
{
    against_plain(&mr_policy_vllm1, true, 1);
}

MR_TEST(vllm1_with_ranks_as_stepped_request_by_request)
{
    against_plain(&mr_policy_vllm1, true, 3);
}

MR_TEST(orca_with_ranks_as_stepped_request_by_request)
{
    against_plain(&mr_policy_orca, false, 4);
}

MR_TEST(orca_as_stepped_request_by_request)
{
    against_plain(&mr_policy_orca, false, 1);
}

MR_TEST(static_batches_as_stepped_request_by_request)
{
    against_plain(&mr_policy_static, false, 1);
}

/* The rules of sarathi and vllm0 are held to recorded runs (reference_test.c); here leap to step,
 * where blocks are scarce and chunks smaller than batches. */
static void leap_is_step(const struct mr_policy *policy)
{
    struct mr_profile *profile = play_five_constants();
    struct mr_rng rng = mr_rng_stream(12, MR_RNG_TEST, 1);
    static struct play_call a[n_call_max], b[n_call_max];
    uint64_t n_restart = 0;
    for (int i = 0; i < 600; i++) {
        const uint32_t length = 20 + (uint32_t)mr_rng_below(&rng, 400);
        const size_t n = draw_calls(&rng, a, length);
        struct mr_serving serving = draw_serving(&rng, policy, profile, length);
        for (size_t k = 0; k < n && i % 2 == 0; k++)
            a[k].rank = (uint8_t)mr_rng_below(&rng, MR_QUEUE_RANKS);
        if (policy == &mr_policy_sarathi && i % 3 == 0)
            serving.token_max = 1 + (uint32_t)mr_rng_below(&rng, 20);
        memcpy(b, a, sizeof a);
        const struct play_result leaping = play(&serving, a, n);
        serving.steps_singly = true;
        const struct play_result stepping = play(&serving, b, n);
        same(a, b, n);
        assert_int_equal(leaping.n_iteration, stepping.n_iteration);
        assert_int_equal(leaping.n_restart, stepping.n_restart);
        n_restart += leaping.n_restart;
    }
    assert_true(n_restart > 100);
    mr_profile_destroy(profile);
}

MR_TEST(sarathi_leaps_as_it_steps)
{
    leap_is_step(&mr_policy_sarathi);
}

MR_TEST(vllm0_leaps_as_it_steps)
{
    leap_is_step(&mr_policy_vllm0);
}

/* Poisson arrivals, one at a time, equal service: mean wait rho s / (2 (1 - rho)). */
MR_TEST(one_at_a_time_waits_as_queueing_theory_says)
{
    enum {
        n = 200000
    };
    struct mr_profile *profile = play_five_constants();
    static const double loads[] = {0.5, 0.8};
    struct play_call *call = calloc(n, sizeof *call);
    const struct mr_serving serving = {.policy = &mr_policy_vllm1,
                                       .pricer = {.profile = profile},
                                       .batch_max = 1,
                                       .token_max = 512,
                                       .block_tokens = 16,
                                       .n_block = 100};
    const double service_s = 0.012 + 3.36e-9 * 100 * 50; /* a prompt of 100 and its one token */
    for (size_t k = 0; k < sizeof loads / sizeof *loads; k++) {
        struct mr_rng rng = mr_rng_stream(13, MR_RNG_TEST, k);
        double at_s = 0, wait_s = 0;
        for (int i = 0; i < n; i++) {
            at_s += mr_rng_exponential(&rng, service_s / loads[k]);
            call[i] = (struct play_call){.arrived_s = at_s, .n_prompt = 100, .n_output = 1};
        }
        play(&serving, call, n);
        for (int i = 0; i < n; i++)
            wait_s += (call[i].scheduled_s - call[i].arrived_s) / n;
        /* three deviations of the mean of correlated waits, by batches elsewhere: about 3 % */
        mr_assert_near(wait_s, loads[k] * service_s / (2 * (1 - loads[k])), 0.03, 0);
    }
    free(call);
    mr_profile_destroy(profile);
}

MR_TEST(servings_that_cannot_be)
{
    struct mr_profile *profile = play_five_constants();
    const struct mr_serving good = {.policy = &mr_policy_vllm1,
                                    .pricer = {.profile = profile},
                                    .batch_max = 8,
                                    .token_max = 64,
                                    .block_tokens = 16,
                                    .n_block = 10};
    struct mr_serving bad = good;
    struct mr_err err = {0};
    struct mr_calls calls = {0};
    struct mr_instance instance;
    assert_int_equal(mr_instance_check(&good, &err), MR_OK);
    bad.block_tokens = 12;
    assert_int_equal(mr_instance_check(&bad, &err), MR_RANGE);
    mr_assert_contains(err.text, "power of two");
    bad = good;
    bad.token_max = 7;
    err = (struct mr_err){0};
    assert_int_equal(mr_instance_check(&bad, &err), MR_RANGE);
    mr_assert_contains(err.text, "cannot hold a batch of 8");
    bad = good;
    bad.n_block = 0;
    assert_int_equal(mr_instance_check(&bad, NULL), MR_RANGE);
    /* 160 tokens are 10 blocks: the last output is never stored */
    assert_int_equal(mr_instance_init(&instance, &good, &calls, &err), MR_OK);
    assert_true(mr_instance_can_hold(&instance, 100, 61));
    assert_false(mr_instance_can_hold(&instance, 100, 62));
    assert_true(mr_instance_can_hold(&instance, 160, 1));
    assert_false(mr_instance_can_hold(&instance, 161, 1));
    mr_instance_fini(&instance);
    mr_profile_destroy(profile);
}

MR_TEST_MAIN(MR_TEST_ENTRY(vllm1_as_stepped_request_by_request),
             MR_TEST_ENTRY(vllm1_with_ranks_as_stepped_request_by_request),
             MR_TEST_ENTRY(orca_as_stepped_request_by_request),
             MR_TEST_ENTRY(orca_with_ranks_as_stepped_request_by_request),
             MR_TEST_ENTRY(static_batches_as_stepped_request_by_request),
             MR_TEST_ENTRY(sarathi_leaps_as_it_steps), MR_TEST_ENTRY(vllm0_leaps_as_it_steps),
             MR_TEST_ENTRY(one_at_a_time_waits_as_queueing_theory_says),
             MR_TEST_ENTRY(servings_that_cannot_be))
