/* SPDX-License-Identifier: Apache-2.0 */
/* engine/serve/gate: calls that wait outside come in when a call ends, when their bucket is full
 * enough, in a cheaper tier, or never, each at a date known by hand; and in random runs, with and
 * without a prefill pool, none is lost or told twice, lines keep their order, leaps and steps
 * agree. */
#include "engine/base/mem.h"
#include "engine/base/rng.h"
#include "engine/serve/cell.h"
#include "engine/serve/policy.h"
#include "engine/serve/split.h"
#include "tests/engine/serve/play.h"
#include "tests/test.h"

#include <math.h>
#include <string.h>

enum {
    n_call_max = 400
};

struct item {
    double arrived_s;
    uint32_t n_prompt, n_output;
    uint8_t tier;
    /* filled */
    uint8_t end_tier;
    bool is_refused;
    enum mr_cell_refusal why;
    double scheduled_s, ended_s;
    uint32_t n_told;
};

struct all {
    struct item item[n_call_max];
    uint32_t n_moved;
};

static void finished(void *context, const struct mr_ticket *ticket, const struct mr_call *call,
                     double now_s)
{
    struct item *item = &((struct all *)context)->item[ticket->id];
    item->scheduled_s = call->scheduled_s;
    item->ended_s = now_s;
    item->end_tier = ticket->tier;
    item->n_told++;
}

static void refused(void *context, const struct mr_ticket *ticket, double now_s,
                    enum mr_cell_refusal why)
{
    struct item *item = &((struct all *)context)->item[ticket->id];
    item->is_refused = true;
    item->why = why;
    item->ended_s = now_s;
    item->end_tier = ticket->tier;
    item->n_told++;
}

static void expired(void *context, const struct mr_ticket *ticket, const struct mr_call *call,
                    double now_s)
{
    const struct item *item = &((struct all *)context)->item[ticket->id];
    assert_true(call->arrived_s == item->arrived_s);
    refused(context, ticket, now_s, MR_CELL_REFUSAL_EXPIRED);
}

static void moved(void *context, const struct mr_ticket *ticket, uint8_t from_tier)
{
    assert_true(ticket->tier != from_tier);
    ((struct all *)context)->n_moved++;
}

static void play_all(const struct mr_cell_plan *plan, struct all *all, size_t n)
{
    struct mr_cell cell;
    struct mr_err err = {0};
    assert_int_equal(
        mr_cell_init(&cell, plan, &(struct mr_cell_sink){finished, refused, all}, &err), MR_OK);
    cell.moved = moved;
    cell.expired = expired;
    all->n_moved = 0;
    for (size_t i = 0; i < n; i++) {
        const struct item *item = &all->item[i];
        const struct mr_ticket ticket = {.id = i,
                                         .n_prompt = item->n_prompt,
                                         .n_output = item->n_output,
                                         .tier = item->tier,
                                         .is_alone = true};
        all->item[i].n_told = 0;
        all->item[i].is_refused = false;
        assert_int_equal(mr_cell_play(&cell, item->arrived_s, &err), MR_OK);
        assert_int_equal(mr_cell_arrive(&cell, &ticket, item->arrived_s, &err), MR_OK);
    }
    assert_int_equal(mr_cell_play(&cell, (double)INFINITY, &err), MR_OK);
    assert_true(isinf(mr_cell_due_s(&cell)));
    assert_int_equal(cell.gate.n, 0);
    assert_int_equal(cell.n_inside, 0);
    assert_true(mr_cell_little_rel(&cell) < 1e-9);
    for (uint32_t t = 0; t < 256; t++)
        assert_int_equal(cell.admission[t].n_inside, 0);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(all->item[i].n_told, 1);
    mr_cell_fini(&cell);
}

static struct mr_serving serving_of(const struct mr_profile *profile)
{
    return (struct mr_serving){.policy = &mr_policy_vllm1,
                               .pricer = {.profile = profile},
                               .batch_max = 8,
                               .token_max = 512,
                               .context_max = 2000,
                               .block_tokens = 16,
                               .n_block = 2000};
}

/* Two calls of 50 + 10 tokens at 0 in one tier; how they end. */
static void two(const struct mr_cell_plan *plan, struct all *all)
{
    *all =
        (struct all){.item = {{.n_prompt = 50, .n_output = 10}, {.n_prompt = 50, .n_output = 10}}};
    play_all(plan, all, 2);
}

MR_TEST(dates_by_hand)
{
    struct mr_profile *profile = play_five_constants();
    const struct mr_serving serving = serving_of(profile);
    struct mr_cell_plan plan = {.serving = &serving, .n_instance = 1};
    static struct all all;

    /* a place is free when the first has ended */
    plan.admission[0] = (struct mr_admission_rule){.n_inside = 1};
    plan.patience_s[0] = 100;
    two(&plan, &all);
    assert_false(all.item[1].is_refused);
    assert_true(all.item[1].scheduled_s == all.item[0].ended_s);
    const double alone_s = all.item[0].ended_s;
    mr_assert_near(all.item[1].ended_s, 2 * alone_s, 0, 1e-12);

    /* not so long */
    plan.patience_s[0] = alone_s / 2;
    two(&plan, &all);
    assert_true(all.item[1].is_refused && all.item[1].why == MR_CELL_REFUSAL_EXPIRED);
    assert_true(all.item[1].ended_s == alone_s / 2);

    /* it has no patience: refused at once */
    plan.patience_s[0] = 0;
    two(&plan, &all);
    assert_true(all.item[1].is_refused && all.item[1].why == MR_CELL_REFUSAL_LIMIT);
    assert_true(all.item[1].ended_s == 0);

    /* a bucket of 90 that the first takes 60 of fills to 60 at 10 tokens a second in 3 s */
    plan.admission[0] = (struct mr_admission_rule){.rate_tok_s = 10, .burst_tok = 90};
    plan.patience_s[0] = 100;
    two(&plan, &all);
    mr_assert_near(all.item[1].scheduled_s, 3, 0, 1e-8);

    /* it never holds as much: the deadline */
    plan.admission[0].burst_tok = 59;
    two(&plan, &all);
    assert_true(all.item[0].is_refused && all.item[1].is_refused);
    assert_true(all.item[0].ended_s == 100 && all.item[1].ended_s == 100);

    /* a cheaper tier takes it at once, or when it has waited */
    plan.admission[0] = (struct mr_admission_rule){.n_inside = 1};
    plan.cheaper[0] = 2;
    plan.patience_s[0] = 0;
    two(&plan, &all);
    assert_true(!all.item[1].is_refused && all.item[1].end_tier == 1 && all.n_moved == 1);
    assert_true(all.item[1].scheduled_s == 0);
    plan.patience_s[0] = alone_s / 2;
    two(&plan, &all);
    assert_true(!all.item[1].is_refused && all.item[1].end_tier == 1);
    assert_true(all.item[1].scheduled_s >= alone_s / 2 && all.item[1].scheduled_s < alone_s);

    /* none of them does: refused for the reason of its own tier */
    plan.patience_s[0] = 0;
    plan.admission[1] = (struct mr_admission_rule){.rate_tok_s = 1, .burst_tok = 1};
    two(&plan, &all);
    assert_true(all.item[1].is_refused && all.item[1].why == MR_CELL_REFUSAL_LIMIT);
    assert_true(all.item[1].end_tier == 0 && all.n_moved == 0);
    mr_profile_destroy(profile);
}

static void draw(struct all *all, struct mr_rng *rng, size_t n)
{
    double at_s = 0;
    for (size_t i = 0; i < n; i++) {
        at_s += mr_rng_exponential(rng, 0.02);
        all->item[i] = (struct item){.arrived_s = at_s,
                                     .n_prompt = 1 + (uint32_t)(mr_rng_f64(rng) * 700),
                                     .n_output = 1 + (uint32_t)(mr_rng_f64(rng) * 60),
                                     .tier = (uint8_t)(mr_rng_f64(rng) * 3)};
    }
}

static void compare(const struct mr_cell_plan *plan, struct mr_serving *serving,
                    struct mr_serving *reading, struct all *a, struct all *b, size_t n)
{
    uint32_t n_why[MR_CELL_REFUSALS] = {0}, n_waited = 0;
    memcpy(b, a, sizeof *b);
    serving->steps_singly = false;
    reading->steps_singly = false;
    play_all(plan, a, n);
    serving->steps_singly = true;
    reading->steps_singly = true;
    play_all(plan, b, n);
    assert_int_equal(a->n_moved, b->n_moved);
    assert_true(a->n_moved > 0);
    double first_s[3] = {0};
    for (size_t i = 0; i < n; i++) {
        const struct item *x = &a->item[i], *y = &b->item[i];
        assert_int_equal(x->is_refused, y->is_refused);
        assert_int_equal(x->end_tier, y->end_tier);
        mr_assert_near(x->ended_s, y->ended_s, 0, 1e-9);
        if (x->is_refused) {
            assert_int_equal(x->why, y->why);
            n_why[x->why]++;
            assert_true(x->ended_s <= x->arrived_s + plan->patience_s[x->tier] + 1e-9);
        } else if (x->end_tier == x->tier) { /* those of a tier come in in order */
            assert_true(x->scheduled_s >= first_s[x->tier] - 0.5);
            first_s[x->tier] = fmax(first_s[x->tier], x->arrived_s);
            n_waited += x->scheduled_s > x->arrived_s + 0.1;
        }
    }
    assert_true(n_why[MR_CELL_REFUSAL_EXPIRED] > 0 && n_waited > 0);
}

MR_TEST(random_runs)
{
    struct mr_profile *profile = play_five_constants();
    struct mr_serving serving = serving_of(profile), reading = serving;
    static struct all a, b;
    for (uint64_t seed = 0; seed < 24; seed++) {
        struct mr_rng rng = mr_rng_stream(seed, MR_RNG_ARRIVAL, 0);
        const struct mr_split_plan split = {.serving = &reading,
                                            .n_instance = 1,
                                            .n_slot = 1000,
                                            .token_bytes = 1e5,
                                            .n_layer = 32,
                                            .overlap_frac = 1,
                                            .send_bytes_s = 2e9,
                                            .receive_bytes_s = 1e9,
                                            .latency_s = 1e-3,
                                            .efficiency = 0.5};
        struct mr_cell_plan plan = {.serving = &serving,
                                    .n_instance = 2,
                                    .split = seed % 2 == 1 ? &split : NULL,
                                    .patience_s = {0.4, 0.1, 0.7},
                                    .cheaper = {2, 0, 1},
                                    .rank = {1, 2, 0}};
        plan.admission[0] = (struct mr_admission_rule){.n_inside = 3};
        plan.admission[1] = (struct mr_admission_rule){.rate_tok_s = 3000, .burst_tok = 900};
        plan.admission[2] = (struct mr_admission_rule){.n_inside = 6, .ttft_s = 0.08};
        draw(&a, &rng, n_call_max);
        compare(&plan, &serving, &reading, &a, &b, n_call_max);
    }
    mr_profile_destroy(profile);
    assert_int_equal(mr_test_live_allocations(), 0);
}

MR_TEST_MAIN(MR_TEST_ENTRY(dates_by_hand), MR_TEST_ENTRY(random_runs))
