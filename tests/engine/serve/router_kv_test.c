/* SPDX-License-Identifier: Apache-2.0 */
/* engine/serve/router_kv: the choice is the cheapest of all instances as long as extents remember
 * all of them, and never worse than the least loaded; a warm instance is taken if and only if it
 * saves more than it makes wait; leaps and steps agree. */
#include "engine/serve/router_kv.h"

#include "engine/serve/call_path.h"
#include "engine/serve/cell_outage.h"
#include "engine/serve/instance_cache.h"
#include "engine/serve/instance_wait.h"
#include "engine/serve/onboard.h"
#include "tests/engine/serve/apart.h"
#include "tests/engine/serve/play.h"

enum {
    n_call = 600
};

/* Conversations and documents many of them begin with, as runs of blocks. */
struct prompt {
    struct mr_cache_run run[3];
    uint32_t n_run, n_token;
};

static struct prompt draw_prompt(struct mr_rng *rng)
{
    struct prompt p = {.n_run = 2};
    const uint32_t document = (uint32_t)mr_rng_below(rng, 6);
    const uint32_t shared = 5 + (uint32_t)mr_rng_below(rng, 20);
    const uint32_t own = 1 + (uint32_t)mr_rng_below(rng, 20);
    const uint32_t who = (uint32_t)mr_rng_below(rng, 30);
    p.run[0] = (struct mr_cache_run){mr_cache_id(100 + document, 0), shared};
    p.run[1] = (struct mr_cache_run){mr_cache_id(1000 + who, 0), own};
    p.n_token = 16 * (shared + own) + (uint32_t)mr_rng_below(rng, 16) + 1;
    return p;
}

/* All instances, each asked as it is. */
static double cheapest_s(const struct mr_cell *cell, const struct mr_call *call, double now_s,
                         uint32_t *best)
{
    double least_s = (double)INFINITY;
    for (uint32_t i = 0; i < cell->plan.n_instance; i++) {
        if (cell->seat[i].state != MR_CELL_SEAT_UP)
            continue;
        const double cost_s =
            mr_router_kv_cost_s(cell->kv, &cell->router, call, i, cell->kv->call_s, now_s);
        if (cost_s < least_s) {
            least_s = cost_s;
            *best = i;
        }
    }
    return least_s;
}

struct tally {
    uint64_t n_right, n_choice, n_warm, n_look;
    double regret_s, spread_s; /* over the best; over the least loaded, had it been taken */
};

/* @param[in] is_sane each choice compared with all instances */
static void play_kv(struct mr_serving *serving, uint32_t n_instance, uint64_t seed, bool is_sane,
                    struct item *item, struct tally *tally)
{
    const struct mr_cell_plan plan = {.serving = serving,
                                      .n_instance = n_instance,
                                      .router = MR_ROUTER_KV,
                                      .call_s = 0.004,
                                      .seed = seed};
    struct mr_rng rng = mr_rng_stream(601, MR_RNG_TEST, seed);
    struct mr_cell cell;
    struct mr_err err = {0};
    double at_s = 0;
    assert_int_equal(
        mr_cell_init(&cell, &plan, &(struct mr_cell_sink){finished, refused, item}, &err), MR_OK);
    for (uint32_t i = 0; i < n_call; i++) {
        const struct prompt p = draw_prompt(&rng);
        struct mr_ticket ticket = {.id = i,
                                   .session = i,
                                   .n_prompt = p.n_token,
                                   .n_output = 1 + (uint32_t)mr_rng_below(&rng, 60),
                                   .n_run = p.n_run,
                                   .run = p.run};
        at_s += mr_rng_exponential(&rng, 0.2 / n_instance);
        item[i] = (struct item){.finished_s = (double)NAN};
        assert_int_equal(mr_cell_play(&cell, at_s, &err), MR_OK);
        if (i % 97 == 50)
            assert_int_equal(mr_cell_down(&cell, i % n_instance, at_s, &err), MR_OK);
        if (i % 97 == 70)
            for (uint32_t k = 0; k < n_instance; k++)
                assert_int_equal(mr_cell_up(&cell, k, at_s, &err), MR_OK);
        uint32_t best = MR_ROUTER_NOWHERE;
        double least_s = 0;
        struct mr_call call = {
            .n_prompt = ticket.n_prompt, .n_output = ticket.n_output, .space = 9};
        assert_int_equal(mr_call_path_take(&cell.calls, p.run, p.n_run, &call, &err), MR_OK);
        if (is_sane)
            least_s = cheapest_s(&cell, &call, at_s, &best);
        const uint32_t at = mr_router_kv_choose(
            cell.kv, &cell.router,
            &(struct mr_router_seeker){&call, i, MR_ROUTER_NOWHERE, {0, 0}, 0.004}, at_s);
        if (is_sane) {
            const double cost_s =
                mr_router_kv_cost_s(cell.kv, &cell.router, &call, at, 0.004, at_s);
            const uint32_t idle = mr_tree_winner(&cell.kv->load);
            const double idle_s =
                mr_router_kv_cost_s(cell.kv, &cell.router, &call, idle, 0.004, at_s);
            assert_true(cost_s <= idle_s + 2e-9);
            tally->regret_s += cost_s - least_s;
            tally->spread_s += idle_s - least_s;
            tally->n_right += cost_s <= least_s + 2e-9 ? 1u : 0u;
            tally->n_choice++;
        }
        mr_call_path_give(&cell.calls, &call);
        assert_int_equal(mr_cell_arrive(&cell, &ticket, at_s, &err), MR_OK);
    }
    assert_int_equal(mr_cell_play(&cell, (double)INFINITY, &err), MR_OK);
    tally->n_look += cell.kv->n_look;
    struct total total = {0};
    for (uint32_t i = 0; i < n_instance; i++)
        add(&total, &cell.instance[i]);
    for (uint32_t i = 0; i < n_call; i++) {
        assert_true(item[i].finished_s > 0);
        tally->n_warm += item[i].n_cached > 0 ? 1u : 0u;
    }
    mr_cell_fini(&cell);
}

static struct mr_serving cached(const struct mr_profile *profile, uint64_t n_block)
{
    struct mr_serving serving = serving_of(profile);
    serving.has_cache = true;
    serving.n_block = n_block;
    return serving;
}

MR_TEST(the_cheapest_of_all)
{
    struct mr_profile *profile = play_five_constants();
    static struct item item[n_call];
    struct tally tally = {0};
    for (uint64_t seed = 0; seed < 24; seed++) {
        struct mr_serving serving = cached(profile, 150 + 60 * (seed % 5));
        play_kv(&serving, 2 + (uint32_t)(seed % (MR_ROUTER_KV_HOLDERS - 1)), seed, true, item,
                &tally);
    }
    print_message("%llu of %llu choices are the best, %llu calls found something\n",
                  (unsigned long long)tally.n_right, (unsigned long long)tally.n_choice,
                  (unsigned long long)tally.n_warm);
    assert_int_equal(tally.n_right, tally.n_choice);
    assert_true(tally.n_warm > tally.n_choice / 3);
    mr_profile_destroy(profile);
    assert_int_equal(mr_test_live_allocations(), 0);
}

/* Of forty an extent remembers eight: nearly all that can be gained is. */
MR_TEST(nearly_the_cheapest_of_many)
{
    struct mr_profile *profile = play_five_constants();
    static struct item item[n_call];
    struct tally tally = {0};
    for (uint64_t seed = 100; seed < 110; seed++) {
        struct mr_serving serving = cached(profile, 300);
        play_kv(&serving, 40, seed, true, item, &tally);
    }
    print_message("%llu of %llu choices are the best; %.3g of what can be gained is lost; %.3g "
                  "looks a call\n",
                  (unsigned long long)tally.n_right, (unsigned long long)tally.n_choice,
                  tally.regret_s / tally.spread_s,
                  (double)tally.n_look / (2 * (double)tally.n_choice));
    assert_true(tally.regret_s < 0.1 * tally.spread_s);
    assert_true(tally.n_look <= 2 * tally.n_choice * (MR_ROUTER_KV_HOLDERS + 4));
    mr_profile_destroy(profile);
}

/* What lies below HBM counts as what loading it takes: it is worth the wait for one more call where
 * the way is fast and free, and nothing where computing is faster. */
MR_TEST(what_lies_below_is_weighed_by_its_load)
{
    enum {
        n_block = 100,
        n_left = 9 /* in HBM, when 141 blocks of another call have pushed the rest out */
    };
    struct mr_profile *profile = play_five_constants();
    struct mr_onboard_plan below = {.level[0] = {.n_block = 1000,
                                                 .latency_s = 1e-3,
                                                 .bytes_s = 50e6,
                                                 .shared_bytes_s = (double)INFINITY},
                                    .n_level = 1,
                                    .block_bytes = 1e4};
    struct mr_serving serving = cached(profile, 150);
    serving.onboard = &below;
    mr_onboard_price(&below, &serving);
    const struct mr_cell_plan plan = {
        .serving = &serving, .n_instance = 2, .router = MR_ROUTER_KV, .call_s = 0.05};
    static struct item item[3];
    struct mr_cell cell;
    assert_int_equal(
        mr_cell_init(&cell, &plan, &(struct mr_cell_sink){finished, refused, item}, NULL), MR_OK);
    const struct mr_cache_run run[] = {{mr_cache_id(100, 0), n_block}, {mr_cache_id(200, 0), 141}};
    for (uint32_t i = 0; i < 2; i++) {
        const struct mr_ticket ticket = {.id = i,
                                         .session = i,
                                         .n_prompt = 16 * run[i].n,
                                         .n_output = 1,
                                         .n_run = 1,
                                         .run = &run[i]};
        item[i].finished_s = (double)NAN;
        assert_int_equal(mr_cell_arrive(&cell, &ticket, 10. * i, NULL), MR_OK);
        assert_int_equal(mr_cell_play(&cell, 10. * i + 9, NULL), MR_OK);
    }
    struct mr_call call = {.n_prompt = 16 * n_block + 10, .n_output = 1, .space = 9};
    assert_int_equal(mr_call_path_take(&cell.calls, run, 1, &call, NULL), MR_OK);
    const double found = 16 * n_left, rest = call.n_prompt - found;
    const double all_s = mr_instance_wait_read_s(&serving, found, rest);
    const double load_s = (n_block - n_left) * 1e4 / 50e6 + 1e-3;
    const double cost_s = mr_router_kv_cost_s(cell.kv, &cell.router, &call, 0, 0, 20);
    const double price_s = below.block_s * rest / 16; /* pairs come to little here */
    assert_int_equal((int)mr_instance_cache_found(&cell.instance[0], &call), 16 * n_left);
    mr_assert_near(all_s - cost_s, price_s - load_s, 0, 0.1 * price_s);
    const struct mr_router_seeker seeker = {&call, 5, MR_ROUTER_NOWHERE, {0, 0}, 0.05};
    cell.router.n_call[0]++;
    mr_router_kv_update(cell.kv, &cell.router, 0);
    assert_int_equal(mr_router_kv_choose(cell.kv, &cell.router, &seeker, 20), 0);
    cell.onboard->each[0].way[0].free_s = 30; /* others load */
    assert_int_equal(mr_router_kv_choose(cell.kv, &cell.router, &seeker, 20), 1);
    cell.onboard->each[0].way[0].free_s = 0;
    cell.onboard->each[0].way[0].bytes_s = 1e4 / below.block_s / 100;
    assert_int_equal(mr_router_kv_choose(cell.kv, &cell.router, &seeker, 20), 1);
    cell.router.n_call[0]--;
    assert_true(mr_router_kv_cost_s(cell.kv, &cell.router, &call, 0, 0, 20) == all_s);
    mr_call_path_give(&cell.calls, &call);
    mr_cell_fini(&cell);
    mr_profile_destroy(profile);
    assert_int_equal(mr_test_live_allocations(), 0);
}

MR_TEST(leaps_as_it_steps)
{
    struct mr_profile *profile = play_five_constants();
    static struct item leap[n_call], step[n_call];
    struct tally tally = {0};
    for (uint64_t seed = 200; seed < 220; seed++) {
        struct mr_serving serving = cached(profile, 200);
        serving.token_max = seed % 2 == 0 ? 64 : 512; /* prompts of many pieces */
        play_kv(&serving, 3 + (uint32_t)(seed % 9), seed, false, leap, &tally);
        serving.steps_singly = true;
        play_kv(&serving, 3 + (uint32_t)(seed % 9), seed, false, step, &tally);
        for (size_t i = 0; i < n_call; i++) {
            assert_int_equal(leap[i].instance, step[i].instance);
            assert_int_equal(leap[i].n_cached, step[i].n_cached);
            mr_assert_near(leap[i].finished_s, step[i].finished_s, 0, 1e-9);
        }
    }
    mr_profile_destroy(profile);
}

/* Instance 0 has the context. With nothing to wait for it is taken; behind a prompt that takes
 * longer than the context is worth it is not. */
MR_TEST(warm_if_it_pays)
{
    struct mr_profile *profile = play_five_constants();
    struct mr_serving serving = cached(profile, 2000);
    const struct mr_cell_plan plan = {.serving = &serving, .n_instance = 3, .router = MR_ROUTER_KV};
    static struct item item[4];
    struct mr_err err = {0};
    for (int is_busy = 0; is_busy < 2; is_busy++) {
        struct mr_cell cell;
        const struct mr_cache_run known = {mr_cache_id(500, 0), 60};
        const struct mr_ticket first = {
            .id = 0, .session = 0, .n_prompt = 970, .n_output = 2, .n_run = 1, .run = &known};
        struct mr_ticket again = first,
                         other = {.id = 2, .session = 0, .n_prompt = 20000, .n_output = 2};
        for (size_t i = 0; i < 4; i++)
            item[i].finished_s = (double)NAN;
        again.id = 1;
        again.session = 5;
        assert_int_equal(
            mr_cell_init(&cell, &plan, &(struct mr_cell_sink){finished, refused, item}, &err),
            MR_OK);
        assert_int_equal(mr_cell_arrive(&cell, &first, 0, &err), MR_OK);
        assert_int_equal(mr_cell_play(&cell, 10, &err), MR_OK);
        if (is_busy) { /* a long prompt that only instance 0 may take */
            mr_cell_drain(&cell, 1, 10);
            mr_cell_drain(&cell, 2, 10);
            assert_int_equal(mr_cell_arrive(&cell, &other, 10, &err), MR_OK);
            assert_int_equal(mr_cell_up(&cell, 1, 10, &err), MR_OK);
            assert_int_equal(mr_cell_up(&cell, 2, 10, &err), MR_OK);
        }
        assert_int_equal(mr_cell_arrive(&cell, &again, 10, &err), MR_OK);
        assert_int_equal(mr_cell_play(&cell, (double)INFINITY, &err), MR_OK);
        assert_int_equal(item[0].instance, 0);
        assert_int_equal(item[1].instance, is_busy);
        assert_int_equal(item[1].n_cached, is_busy ? 0 : 960);
        mr_cell_fini(&cell);
    }
    mr_profile_destroy(profile);
}

/* Calls that wait count what they still have to read, not what is there already: behind a short
 * prompt three of a long context that instance 0 holds wait, and a fourth one joins them. */
MR_TEST(who_waits_counts_what_it_must_read)
{
    enum {
        n_block = 300,
        n_new = 10,
        n_wait = 3,
        n_other = 1500
    };
    struct mr_profile *profile = play_five_constants();
    struct mr_serving serving = cached(profile, 2000);
    const struct mr_cell_plan plan = {.serving = &serving, .n_instance = 2, .router = MR_ROUTER_KV};
    const struct mr_cache_run known = {mr_cache_id(500, 0), n_block};
    static struct item item[n_wait + 3];
    struct mr_cell cell;
    assert_int_equal(
        mr_cell_init(&cell, &plan, &(struct mr_cell_sink){finished, refused, item}, NULL), MR_OK);
    for (size_t i = 0; i < sizeof item / sizeof *item; i++)
        item[i].finished_s = (double)NAN;
    struct mr_ticket ticket = {
        .n_prompt = 16 * n_block + n_new, .n_output = 2, .n_run = 1, .run = &known};
    assert_int_equal(mr_cell_arrive(&cell, &ticket, 0, NULL), MR_OK);
    assert_int_equal(mr_cell_play(&cell, 10, NULL), MR_OK);
    mr_cell_drain(&cell, 1, 10);
    const struct mr_ticket other = {.id = 1, .session = 1, .n_prompt = n_other, .n_output = 2};
    assert_int_equal(mr_cell_arrive(&cell, &other, 10, NULL), MR_OK);
    assert_int_equal(mr_cell_play(&cell, 10.01, NULL), MR_OK);
    for (uint32_t i = 0; i <= n_wait; i++) {
        if (i == n_wait)
            assert_int_equal(mr_cell_up(&cell, 1, 10.01, NULL), MR_OK);
        ticket.id = ticket.session = 2 + i;
        assert_int_equal(mr_cell_arrive(&cell, &ticket, 10.01, NULL), MR_OK);
        assert_int_equal(mr_instance_wait_whole_tok(&cell.instance[0]), n_other + (i + 1) * n_new);
    }
    assert_int_equal(mr_cell_play(&cell, (double)INFINITY, NULL), MR_OK);
    for (uint32_t i = 0; i <= n_wait; i++) {
        assert_int_equal(item[2 + i].instance, 0);
        assert_int_equal(item[2 + i].n_cached, 16 * n_block);
    }
    assert_int_equal(mr_instance_wait_whole_tok(&cell.instance[0]), 0);
    mr_cell_fini(&cell);
    mr_profile_destroy(profile);
    assert_int_equal(mr_test_live_allocations(), 0);
}

/* ---- by what the tier was promised ---- */

static uint32_t chosen(const struct mr_cell *cell, const struct mr_call *call,
                       struct mr_router_goal goal, uint32_t last, double now_s)
{
    const struct mr_router_seeker seeker = {call, 7, last, goal, cell->kv->call_s};
    return mr_router_kv_choose(cell->kv, &cell->router, &seeker, now_s);
}

/* Only this instance is open while a call comes. */
static void send_to(struct mr_cell *cell, const struct mr_ticket *ticket, uint32_t instance,
                    double now_s)
{
    struct mr_err err = {0};
    mr_cell_drain(cell, 1 - instance, now_s);
    assert_int_equal(mr_cell_arrive(cell, ticket, now_s, &err), MR_OK);
    assert_int_equal(mr_cell_up(cell, 1 - instance, now_s, &err), MR_OK);
}

/* Instance 1 decodes six calls and reads nothing, 0 reads a prompt. Who asks for a first token goes
 * to 1, who asks for a pace that only 0 has goes there, if its prompt is read in time. */
MR_TEST(soonest_of_those_that_meet)
{
    struct mr_profile *profile = play_five_constants();
    const struct mr_serving serving = serving_of(profile); /* without a cache */
    const struct mr_cell_plan plan = {
        .serving = &serving, .n_instance = 2, .router = MR_ROUTER_SLO, .call_s = 0.001};
    static struct item item[8];
    struct mr_cell cell;
    struct mr_err err = {0};
    for (size_t i = 0; i < 8; i++)
        item[i].finished_s = (double)NAN;
    assert_int_equal(
        mr_cell_init(&cell, &plan, &(struct mr_cell_sink){finished, refused, item}, &err), MR_OK);
    for (uint32_t i = 0; i < 6; i++)
        send_to(&cell,
                &(struct mr_ticket){.id = i, .n_prompt = 1500, .n_output = 400, .is_alone = true},
                1, 0);
    assert_int_equal(mr_cell_play(&cell, 3, &err), MR_OK);
    assert_int_equal(cell.instance[1].finish.n, 6);
    send_to(&cell, &(struct mr_ticket){.id = 6, .n_prompt = 1800, .n_output = 2, .is_alone = true},
            0, 3);
    const struct mr_call call = {.n_prompt = 100, .n_output = 50};
    const struct mr_router_goal a = mr_router_kv_predict(cell.kv, &call, 0, 3),
                                b = mr_router_kv_predict(cell.kv, &call, 1, 3);
    assert_true(b.ttft_s < a.ttft_s && a.tpot_s < b.tpot_s);
    /* by hand: 6 decodes of 1501 tokens and more, the steps of full prompts */
    const double tpot_s = .002 + .010 + 8.19e-8 * 101;
    mr_assert_near(a.tpot_s, tpot_s, 0, 1e-12);
    const double pace_s = .002 + 8.56e-5 * 512 + 3.36e-9 * 512 * 256;
    mr_assert_near(a.ttft_s, 1800 * pace_s / 512 + .002 + .010 + 3.36e-9 * 5000, 0, 1e-12);
    const double between_s = (a.tpot_s + b.tpot_s) / 2;
    for (uint32_t last = 0; last < 2; last++) {
        const struct mr_router_goal none = {0, 0}, pace = {0, between_s},
                                    both = {a.ttft_s * 0.9, between_s};
        assert_int_equal(chosen(&cell, &call, none, last, 3), 1);
        assert_int_equal(chosen(&cell, &call, pace, 0, 3), 0);
        assert_int_equal(chosen(&cell, &call, both, last, 3), 1); /* nobody meets them */
    }
    assert_int_equal(mr_cell_play(&cell, (double)INFINITY, &err), MR_OK);
    mr_cell_fini(&cell);
    mr_profile_destroy(profile);
    assert_int_equal(mr_test_live_allocations(), 0);
}

static void play_slo(const struct mr_serving *serving, uint64_t seed, struct item *item)
{
    struct mr_cell_plan plan = {.serving = serving,
                                .n_instance = 4,
                                .router = MR_ROUTER_SLO,
                                .call_s = 0.004,
                                .goal = {{0.2, 0.015}, {0, 0.0125}, {0.05, 0}},
                                .seed = seed};
    struct mr_rng rng = mr_rng_stream(602, MR_RNG_TEST, seed);
    struct mr_cell cell;
    struct mr_err err = {0};
    double at_s = 0;
    assert_int_equal(
        mr_cell_init(&cell, &plan, &(struct mr_cell_sink){finished, refused, item}, &err), MR_OK);
    for (uint32_t i = 0; i < n_call; i++) {
        const struct prompt p = draw_prompt(&rng);
        const struct mr_ticket ticket = {.id = i,
                                         .session = i,
                                         .n_prompt = p.n_token,
                                         .n_output = 1 + (uint32_t)mr_rng_below(&rng, 60),
                                         .n_run = p.n_run,
                                         .run = p.run,
                                         .tier = (uint8_t)mr_rng_below(&rng, 3)};
        at_s += mr_rng_exponential(&rng, 0.05);
        item[i] = (struct item){.finished_s = (double)NAN};
        assert_int_equal(mr_cell_play(&cell, at_s, &err), MR_OK);
        assert_int_equal(mr_cell_arrive(&cell, &ticket, at_s, &err), MR_OK);
    }
    assert_int_equal(mr_cell_play(&cell, (double)INFINITY, &err), MR_OK);
    mr_cell_fini(&cell);
}

MR_TEST(objectives_leap_as_they_step)
{
    struct mr_profile *profile = play_five_constants();
    static struct item leap[n_call], step[n_call];
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct mr_serving serving = seed % 2 == 0 ? cached(profile, 300) : serving_of(profile);
        play_slo(&serving, seed, leap);
        serving.steps_singly = true;
        play_slo(&serving, seed, step);
        for (size_t i = 0; i < n_call; i++) {
            assert_int_equal(leap[i].instance, step[i].instance);
            mr_assert_near(leap[i].finished_s, step[i].finished_s, 0, 1e-9);
        }
    }
    mr_profile_destroy(profile);
}

/* ---- a prefill pool ---- */

/* Two contexts come at once and are read by two instances; the second one comes again, alone: with
 * caches in mind it is read where it was, and finds itself, else by the first. */
MR_TEST(prompts_are_read_where_they_were)
{
    struct mr_profile *profile = play_five_constants();
    const struct mr_serving serving = cached(profile, 2000);
    static struct item item[4];
    struct mr_err err = {0};
    for (int k = 0; k < 2; k++) {
        struct mr_split_plan split = plan_of(&serving);
        split.n_instance = 2;
        split.router = k == 0 ? MR_ROUTER_LEAST : MR_ROUTER_KV;
        struct mr_serving decoding = serving;
        decoding.has_cache = false;
        const struct mr_cell_plan plan = {.serving = &decoding, .n_instance = 2, .split = &split};
        const struct mr_cache_run run[2] = {{mr_cache_id(500, 0), 60}, {mr_cache_id(600, 0), 60}};
        struct mr_cell cell;
        assert_int_equal(
            mr_cell_init(&cell, &plan, &(struct mr_cell_sink){finished, refused, item}, &err),
            MR_OK);
        for (uint32_t i = 0; i < 3; i++) {
            const double at_s = i < 2 ? 0 : 10;
            const struct mr_ticket ticket = {.id = i,
                                             .n_prompt = 970,
                                             .n_output = 2,
                                             .is_alone = true,
                                             .n_run = 1,
                                             .run = &run[i > 0]};
            item[i].finished_s = (double)NAN;
            assert_int_equal(mr_cell_play(&cell, at_s, &err), MR_OK);
            assert_int_equal(mr_cell_arrive(&cell, &ticket, at_s, &err), MR_OK);
        }
        assert_int_equal(mr_cell_play(&cell, (double)INFINITY, &err), MR_OK);
        assert_int_equal(item[0].prefill, 0);
        assert_int_equal(item[1].prefill, 1);
        assert_int_equal(item[2].prefill, k);
        assert_int_equal(item[2].n_cached, k == 0 ? 0 : 960);
        mr_cell_fini(&cell);
    }
    mr_profile_destroy(profile);
    assert_int_equal(mr_test_live_allocations(), 0);
}

MR_TEST_MAIN(MR_TEST_ENTRY(the_cheapest_of_all), MR_TEST_ENTRY(nearly_the_cheapest_of_many),
             MR_TEST_ENTRY(what_lies_below_is_weighed_by_its_load),
             MR_TEST_ENTRY(leaps_as_it_steps), MR_TEST_ENTRY(warm_if_it_pays),
             MR_TEST_ENTRY(who_waits_counts_what_it_must_read),
             MR_TEST_ENTRY(soonest_of_those_that_meet), MR_TEST_ENTRY(objectives_leap_as_they_step),
             MR_TEST_ENTRY(prompts_are_read_where_they_were))
