/* SPDX-License-Identifier: Apache-2.0 */
/* engine/serve/shortage: while watts are short calls of cheaper tiers come in as far as their
 * estimates, by hand here, leave dearer ones what they were promised; others always do.
 * In random runs none is lost or told twice, and leaps and steps agree. */
#include "engine/base/mem.h"
#include "engine/base/rng.h"
#include "engine/serve/cell.h"
#include "engine/serve/policy.h"
#include "tests/engine/serve/play.h"
#include "tests/test.h"

#include <math.h>
#include <string.h>

enum {
    CHEAP,
    DEAR,
    n_call_max = 600
};

struct all {
    double ended_s[n_call_max], arrived_s[n_call_max];
    int why[n_call_max]; /* MR_CELL_REFUSALS: finished */
    uint32_t n_told[n_call_max];
};

static void finished(void *context, const struct mr_ticket *ticket, const struct mr_call *call,
                     double now_s)
{
    struct all *all = context;
    (void)call;
    all->ended_s[ticket->id] = now_s;
    all->why[ticket->id] = MR_CELL_REFUSALS;
    all->n_told[ticket->id]++;
}

static void refused(void *context, const struct mr_ticket *ticket, double now_s,
                    enum mr_cell_refusal why)
{
    struct all *all = context;
    all->ended_s[ticket->id] = now_s;
    all->why[ticket->id] = (int)why;
    all->n_told[ticket->id]++;
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

static void come(struct mr_cell *cell, uint64_t id, uint8_t tier, uint32_t n_output, double now_s)
{
    struct mr_err err = {0};
    const struct mr_ticket ticket = {
        .id = id, .n_prompt = 100, .n_output = n_output, .tier = tier, .is_alone = true};
    ((struct all *)cell->sink.context)->arrived_s[id] = now_s;
    assert_int_equal(mr_cell_play(cell, now_s, &err), MR_OK);
    assert_int_equal(mr_cell_arrive(cell, &ticket, now_s, &err), MR_OK);
}

static void set_short(struct mr_cell *cell, bool is_short, double now_s)
{
    struct mr_err err = {0};
    assert_int_equal(mr_cell_play(cell, now_s, &err), MR_OK);
    assert_int_equal(mr_cell_set_short(cell, is_short, now_s, &err), MR_OK);
}

static void open_cell(struct mr_cell *cell, const struct mr_cell_plan *plan, struct all *all)
{
    struct mr_err err = {0};
    *all = (struct all){0};
    assert_int_equal(mr_cell_init(cell, plan, &(struct mr_cell_sink){finished, refused, all}, &err),
                     MR_OK);
}

/* Fate of a cheap call of 100 + 10 tokens behind `n` dear ones of 100 + 1000 at 0. */
static int fate(const struct mr_cell_plan *plan, uint32_t n, double at_s, bool is_short)
{
    static struct all all;
    struct mr_err err = {0};
    struct mr_cell cell;
    open_cell(&cell, plan, &all);
    for (uint32_t i = 0; i < n; i++)
        come(&cell, i, DEAR, 1000, 0);
    set_short(&cell, is_short, at_s);
    come(&cell, n, CHEAP, 10, at_s);
    assert_int_equal(mr_cell_play(&cell, (double)INFINITY, &err), MR_OK);
    for (uint32_t i = 0; i < n; i++)
        assert_int_equal(all.why[i], MR_CELL_REFUSALS);
    mr_cell_fini(&cell);
    return all.why[n];
}

MR_TEST(estimates_by_hand)
{
    struct mr_profile *profile = play_five_constants();
    const struct mr_serving serving = serving_of(profile);
    struct mr_cell_plan plan = {.serving = &serving, .n_instance = 1};

    /* 100 tokens before it are read at the pace of a step of 512 */
    const double wait_s = 100. / 512 * (.002 + 8.56e-5 * 512 + 3.36e-9 * 512 * 256);
    plan.spared[CHEAP].ttft_s = wait_s * (1 + 1e-6);
    assert_int_equal(fate(&plan, 1, 0, true), MR_CELL_REFUSALS);
    plan.spared[CHEAP].ttft_s = wait_s * (1 - 1e-6);
    assert_int_equal(fate(&plan, 1, 0, true), MR_CELL_REFUSAL_WATTS);
    assert_int_equal(fate(&plan, 1, 0, false), MR_CELL_REFUSALS);
    assert_int_equal(fate(&plan, 1, 1, true), MR_CELL_REFUSALS); /* they have been read */

    /* it decodes behind a context of 101 in .012 + 8.19e-8 101 s */
    const double step_s = .012 + 8.19e-8 * 101;
    plan.spared[CHEAP] = (struct mr_router_goal){.tpot_s = step_s * (1 + 1e-6)};
    assert_int_equal(fate(&plan, 0, 1, true), MR_CELL_REFUSALS);
    plan.spared[CHEAP].tpot_s = step_s * (1 - 1e-6);
    assert_int_equal(fate(&plan, 0, 1, true), MR_CELL_REFUSAL_WATTS);
    assert_int_equal(fate(&plan, 0, 1, false), MR_CELL_REFUSALS);

    /* a slot is free, or is not, whatever is promised for the first token */
    plan.spared[CHEAP] = (struct mr_router_goal){.ttft_s = 1e9};
    assert_int_equal(fate(&plan, 7, 1, true), MR_CELL_REFUSALS);
    assert_int_equal(fate(&plan, 8, 1, true), MR_CELL_REFUSAL_WATTS);
    assert_int_equal(fate(&plan, 8, 1, false), MR_CELL_REFUSALS);

    /* nothing was promised to anybody dearer */
    plan.spared[CHEAP] = (struct mr_router_goal){0};
    assert_int_equal(fate(&plan, 8, 1, true), MR_CELL_REFUSALS);
    mr_profile_destroy(profile);
}

/* One call of 100 + 1000 tokens: a step of 12 ms reads its prompt, then step j, j = 0, 1, ..., has
 * 101 + j tokens to look back at. Prompts of others lengthen steps, which no estimate knows. */
MR_TEST(steps_of_late)
{
    struct mr_profile *profile = play_five_constants();
    const struct mr_serving serving = serving_of(profile);
    struct mr_cell_plan plan = {.serving = &serving, .n_instance = 1};
    struct mr_shortage shortage = {0};
    struct mr_err err = {0};
    static struct all all;
    struct mr_cell cell;
    double by_s = .012 + 3.36e-9 * 5000, n_step = 1;
    while (by_s + .012 + 8.19e-8 * (100 + n_step) <= 1) {
        by_s += .012 + 8.19e-8 * (100 + n_step);
        n_step++;
    }
    plan.spared[CHEAP].tpot_s = 1;
    open_cell(&cell, &plan, &all);
    come(&cell, 0, DEAR, 1000, 0);
    assert_int_equal(mr_cell_play(&cell, 1, &err), MR_OK);
    mr_shortage_look(&shortage, cell.instance, 1, 1);
    mr_assert_near(shortage.n_step, n_step, 0, 0);
    mr_assert_near(shortage.late_s, 1, 0, 1e-12); /* the step in flight is time as well */
    assert_int_equal(mr_cell_play(&cell, (double)INFINITY, &err), MR_OK);
    const double end_s = all.ended_s[0], keep = 10 / (10 + end_s - 1);
    mr_shortage_look(&shortage, cell.instance, 1, end_s);
    mr_assert_near(shortage.n_late, keep * n_step + 1000 - n_step, 0, 1e-9);
    mr_assert_near(shortage.late_s, keep + end_s - 1, 0, 1e-9);
    mr_shortage_look(&shortage, cell.instance, 1, end_s + 90);
    mr_assert_near(shortage.n_late, 0.1 * (keep * n_step + 1000 - n_step), 0, 1e-9);
    mr_cell_fini(&cell);

    /* what it was of late counts even where the next step would be short enough */
    plan.spared[CHEAP].tpot_s = .0125;
    open_cell(&cell, &plan, &all);
    set_short(&cell, true, 0);
    for (uint32_t i = 0; i < 20; i++) /* a prompt a step, each of 8.56e-5 (1 + 400) s and more */
        for (uint32_t k = 0; k < 4; k++)
            come(&cell, 4 * i + k, DEAR, 2, .04 * i);
    set_short(&cell, true, 2);
    come(&cell, 80, CHEAP, 10, 2);
    assert_int_equal(all.why[80], MR_CELL_REFUSAL_WATTS);
    come(&cell, 81, DEAR, 1000, 3); /* steps that are short enough count more and more */
    set_short(&cell, true, 14);
    come(&cell, 82, CHEAP, 10, 14);
    assert_int_equal(mr_cell_play(&cell, (double)INFINITY, &err), MR_OK);
    assert_int_equal(all.why[82], MR_CELL_REFUSALS);
    mr_cell_fini(&cell);
    mr_profile_destroy(profile);
}

/* Who waits outside comes in when watts are back, whether calls end then or not. */
MR_TEST(patience)
{
    struct mr_profile *profile = play_five_constants();
    const struct mr_serving serving = serving_of(profile);
    struct mr_cell_plan plan = {.serving = &serving, .n_instance = 1, .patience_s = {10}};
    struct mr_err err = {0};
    static struct all all;
    struct mr_cell cell;
    plan.spared[CHEAP].tpot_s = .001;
    open_cell(&cell, &plan, &all);
    set_short(&cell, true, 1);
    come(&cell, 0, CHEAP, 1, 2);
    come(&cell, 1, DEAR, 1, 2);
    set_short(&cell, true, 5);
    assert_int_equal(cell.gate.n, 1);
    set_short(&cell, false, 6);
    come(&cell, 2, CHEAP, 1, 7);
    assert_int_equal(mr_cell_play(&cell, (double)INFINITY, &err), MR_OK);
    for (int i = 0; i < 3; i++)
        assert_int_equal(all.why[i], MR_CELL_REFUSALS);
    mr_assert_near(all.ended_s[0], 6 + .012 + 3.36e-9 * 5000, 0, 1e-9);
    assert_true(all.ended_s[1] < 3);
    set_short(&cell, true, 10);
    come(&cell, 3, CHEAP, 1, 11);
    assert_int_equal(mr_cell_play(&cell, (double)INFINITY, &err), MR_OK);
    assert_int_equal(all.why[3], MR_CELL_REFUSAL_EXPIRED);
    mr_assert_near(all.ended_s[3], 21, 0, 1e-9);
    mr_cell_fini(&cell);
    mr_profile_destroy(profile);
}

static uint32_t random_run(struct mr_serving *serving, uint64_t seed, bool singly, struct all *all)
{
    const struct mr_cell_plan plan = {.serving = serving,
                                      .n_instance = 3,
                                      .spared = {[CHEAP] = {.ttft_s = .1, .tpot_s = .01206}},
                                      .rank = {0, 0}};
    struct mr_rng rng = mr_rng_stream(seed, MR_RNG_ARRIVAL, 0);
    struct mr_err err = {0};
    struct mr_cell cell;
    double now_s = 0, tick_s = .5;
    uint32_t n_watts = 0;
    serving->steps_singly = singly;
    open_cell(&cell, &plan, all);
    for (uint32_t i = 0; i < n_call_max; i++) {
        now_s += mr_rng_exponential(&rng, 0.03);
        for (; tick_s <= now_s; tick_s += .5)
            set_short(&cell, fmod(tick_s, 8) > 2, tick_s);
        const uint32_t n_output = 1 + (uint32_t)(mr_rng_f64(&rng) * 90);
        come(&cell, i, mr_rng_f64(&rng) < 0.5 ? CHEAP : DEAR, n_output, now_s);
    }
    assert_int_equal(mr_cell_play(&cell, (double)INFINITY, &err), MR_OK);
    assert_int_equal(cell.n_inside, 0);
    for (uint32_t i = 0; i < n_call_max; i++) {
        assert_int_equal(all->n_told[i], 1);
        n_watts += all->why[i] == MR_CELL_REFUSAL_WATTS;
        if (all->why[i] == MR_CELL_REFUSAL_WATTS) /* at once, while they were short */
            assert_true(all->ended_s[i] == all->arrived_s[i] &&
                        fmod(floor(all->ended_s[i] / .5) * .5, 8) > 2);
    }
    mr_cell_fini(&cell);
    return n_watts;
}

MR_TEST(random_runs)
{
    struct mr_profile *profile = play_five_constants();
    struct mr_serving serving = serving_of(profile);
    static struct all a, b;
    for (uint64_t seed = 0; seed < 12; seed++) {
        const uint32_t n = random_run(&serving, seed, false, &a);
        assert_true(n > 20 && n < n_call_max / 2);
        assert_int_equal(random_run(&serving, seed, true, &b), n);
        for (uint32_t i = 0; i < n_call_max; i++) {
            assert_int_equal(a.why[i], b.why[i]);
            mr_assert_near(a.ended_s[i], b.ended_s[i], 0, 1e-9);
        }
    }
    mr_profile_destroy(profile);
    assert_int_equal(mr_test_live_allocations(), 0);
}

MR_TEST_MAIN(MR_TEST_ENTRY(estimates_by_hand), MR_TEST_ENTRY(steps_of_late),
             MR_TEST_ENTRY(patience), MR_TEST_ENTRY(random_runs))
