/* SPDX-License-Identifier: Apache-2.0 */
/* engine/serve/cell_outage: instances that go down, drain, slow down and come back while calls run.
 * Nothing is lost or told twice, leaps and steps agree, an empty instance has everything free, a
 * stop at every date of a small run, one by hand. */
#include "engine/serve/cell_outage.h"

#include "engine/base/mem.h"
#include "engine/serve/split.h"
#include "tests/engine/serve/apart.h"
#include "tests/engine/serve/play.h"

enum {
    n_event_max = 60,
    n_decode = 3,
    n_read = 2
};

enum what {
    WHAT_DOWN,
    WHAT_DRAIN,
    WHAT_SLOW,
    WHAT_UP,
    N_WHAT
};

struct event {
    double at_s, phi;
    uint32_t seat;
    enum what what;
};

static void happen(struct mr_cell *cell, const struct event *event)
{
    struct mr_err err = {0};
    assert_int_equal(mr_cell_play(cell, event->at_s, &err), MR_OK);
    switch (event->what) {
    case WHAT_DOWN:
        assert_int_equal(mr_cell_down(cell, event->seat, event->at_s, &err), MR_OK);
        assert_int_equal(mr_cell_instance(cell, event->seat)->n_run, 0);
        assert_true(isinf(mr_instance_due_s(mr_cell_instance(cell, event->seat))));
        assert_int_equal(mr_cell_instance(cell, event->seat)->n_free,
                         mr_cell_instance(cell, event->seat)->serving->n_block);
        break;
    case WHAT_DRAIN:
        mr_cell_drain(cell, event->seat, event->at_s);
        break;
    case WHAT_SLOW:
        mr_cell_slow(cell, event->seat, event->phi, event->at_s);
        break;
    case WHAT_UP:
    case N_WHAT:
        assert_int_equal(mr_cell_up(cell, event->seat, event->at_s, &err), MR_OK);
        break;
    }
}

/* Calls and events by date; in the end all seats are up. */
static void play_all(const struct mr_cell_plan *plan, struct item *item, size_t n,
                     const struct event *event, size_t n_event, struct total *total)
{
    struct mr_cell cell;
    struct mr_err err = {0};
    size_t e = 0;
    *total = (struct total){0};
    assert_int_equal(
        mr_cell_init(&cell, plan, &(struct mr_cell_sink){finished, refused, item}, &err), MR_OK);
    for (size_t i = 0; i < n; i++) {
        const struct mr_ticket ticket = {.id = i,
                                         .session = item[i].session,
                                         .n_prompt = item[i].n_prompt,
                                         .n_output = item[i].n_output};
        item[i].finished_s = (double)NAN;
        item[i].is_refused = false;
        for (; e < n_event && event[e].at_s <= item[i].arrived_s; e++)
            happen(&cell, &event[e]);
        assert_int_equal(mr_cell_play(&cell, item[i].arrived_s, &err), MR_OK);
        assert_int_equal(mr_cell_arrive(&cell, &ticket, item[i].arrived_s, &err), MR_OK);
    }
    for (; e < n_event; e++)
        happen(&cell, &event[e]);
    const double last_s = n_event > 0 ? event[n_event - 1].at_s : 0;
    for (uint32_t s = 0; s < mr_cell_n_seat(&cell); s++)
        happen(&cell, &(struct event){fmax(last_s, item[n - 1].arrived_s), 1, s, WHAT_UP});
    assert_int_equal(cell.n_parked, 0);
    assert_int_equal(mr_cell_play(&cell, (double)INFINITY, &err), MR_OK);
    for (uint32_t s = 0; s < mr_cell_n_seat(&cell); s++) {
        assert_true(mr_cell_is_empty(&cell, s));
        add(total, mr_cell_instance(&cell, s));
    }
    if (cell.split != NULL) {
        const struct mr_transfer_count net = mr_transfer_counted(cell.split->net);
        assert_int_equal(net.n_flight, 0);
        assert_int_equal(net.n_canceled, cell.split->counts.n_lost);
        total->n_transfer = cell.split->counts.n_lost; /* reported below */
    }
    total->n_local = cell.n_rerouted;
    mr_cell_fini(&cell);
}

static size_t draw_events(struct mr_rng *rng, uint32_t n_seat, double end_s, struct event *event)
{
    const size_t n = mr_rng_below(rng, n_event_max);
    double at_s = 0;
    for (size_t i = 0; i < n; i++) {
        at_s += mr_rng_exponential(rng, end_s / (double)n);
        event[i] =
            (struct event){at_s, mr_rng_range(rng, 0.3, 1), (uint32_t)mr_rng_below(rng, n_seat),
                           (enum what)mr_rng_below(rng, N_WHAT + 1)};
    }
    return n;
}

static const struct mr_policy *const policies[] = {&mr_policy_vllm1, &mr_policy_sarathi,
                                                   &mr_policy_vllm0, &mr_policy_orca};

MR_TEST(leaps_and_steps_agree_and_nothing_is_lost)
{
    struct mr_profile *profile = play_five_constants();
    static struct item leap[n_call_max], step[n_call_max];
    struct event event[n_event_max];
    uint64_t n_rerouted = 0, n_flight = 0;
    for (uint64_t seed = 0; seed < 240; seed++) {
        struct mr_rng rng = mr_rng_stream(501, MR_RNG_TEST, seed);
        const bool is_apart = seed % 2 == 1;
        struct mr_serving serving = serving_of(profile);
        serving.policy = policies[seed / 2 % 4];
        serving.token_max = serving.policy->reads_whole ? 2048 : 256;
        serving.n_block = 150;
        serving.has_cache = serving.policy == &mr_policy_vllm1 && seed % 3 == 0;
        struct mr_serving reading = serving;
        struct mr_split_plan split = plan_of(&reading);
        split.n_instance = n_read;
        split.is_shared = seed % 4 == 1;
        struct mr_cell_plan plan = {.serving = &serving,
                                    .n_instance = n_decode,
                                    .router = (int)(seed / 8 % (MR_ROUTER_AFFINITY + 1)),
                                    .seed = seed,
                                    .split = is_apart ? &split : NULL};
        split.router = plan.router;
        const size_t n = draw_calls(&rng, leap, 400);
        const size_t n_event =
            draw_events(&rng, n_decode + (is_apart ? n_read : 0), leap[n - 1].arrived_s, event);
        memcpy(step, leap, sizeof step);
        struct total a, b;
        play_all(&plan, leap, n, event, n_event, &a);
        serving.steps_singly = reading.steps_singly = true;
        play_all(&plan, step, n, event, n_event, &b);
        assert_int_equal(a.n_iteration, b.n_iteration);
        assert_int_equal(a.n_restart, b.n_restart);
        for (size_t i = 0; i < n; i++) {
            assert_int_equal(leap[i].is_refused, step[i].is_refused);
            if (leap[i].is_refused)
                continue;
            assert_true(leap[i].finished_s >= leap[i].first_s);
            assert_int_equal(leap[i].n_restart, step[i].n_restart);
            assert_int_equal(leap[i].instance, step[i].instance);
            mr_assert_near(leap[i].scheduled_s, step[i].scheduled_s, 0, 1e-9);
            mr_assert_near(leap[i].first_s, step[i].first_s, 0, 1e-9);
            mr_assert_near(leap[i].finished_s, step[i].finished_s, 0, 1e-9);
        }
        n_rerouted += a.n_local;
        n_flight += a.n_transfer;
    }
    print_message("%llu calls found another instance, %llu transfers were lost\n",
                  (unsigned long long)n_rerouted, (unsigned long long)n_flight);
    assert_true(n_rerouted > 1000 && n_flight > 20);
    mr_profile_destroy(profile);
    assert_int_equal(mr_test_live_allocations(), 0);
}

/* One call alone goes down with its instance in the middle of its fifth decode step; 4 tokens of
 * these and the first are delivered. The other instance reads prompt and tokens as one prompt. */
MR_TEST(one_call_by_hand)
{
    struct mr_profile *profile = play_five_constants();
    struct mr_serving serving = serving_of(profile);
    const struct mr_cell_plan plan = {.serving = &serving, .n_instance = 2};
    struct item item = {.arrived_s = 1, .n_prompt = 100, .n_output = 10};
    double t = 1 + .012 + 3.36e-9 * 5000;
    for (int i = 0; i < 4; i++)
        t += .012 + 8.19e-8 * (100 + i);
    const struct event event = {t + .006, 1, 0, WHAT_DOWN};
    struct total total;
    play_all(&plan, &item, 1, &event, 1, &total);
    assert_int_equal(item.instance, 1);
    assert_int_equal(item.n_restart, 1);
    mr_assert_near(item.first_s, 1 + .012 + 3.36e-9 * 5000, 0, 1e-12);
    t += .006 + .012 + 3.36e-9 * 105 * 52.5; /* and the sixth token */
    for (int i = 0; i < 4; i++)
        t += .012 + 8.19e-8 * (105 + i);
    mr_assert_near(item.finished_s, t, 0, 1e-12);
    mr_profile_destroy(profile);
}

/* A drained instance ends what it has and gets nothing more; without any that is open calls wait,
 * and go on in the order they came. */
MR_TEST(drained_and_closed)
{
    struct mr_profile *profile = play_five_constants();
    struct mr_serving serving = serving_of(profile);
    struct mr_cell_plan plan = {.serving = &serving, .n_instance = 2, .router = MR_ROUTER_ROUND};
    struct item item[6];
    struct total total;
    for (size_t i = 0; i < 6; i++)
        item[i] = (struct item){.arrived_s = (double)i, .n_prompt = 50, .n_output = 400};
    const struct event drain[] = {{1.5, 1, 0, WHAT_DRAIN}, {4.5, 1, 0, WHAT_UP}};
    play_all(&plan, item, 6, drain, 2, &total);
    assert_int_equal(item[0].instance, 0);
    assert_true(item[0].finished_s > 4 && item[0].n_restart == 0);
    for (size_t i = 1; i < 5; i++)
        assert_int_equal(item[i].instance, 1);
    assert_int_equal(total.n_local, 0);
    const struct event down[] = {
        {0.5, 1, 0, WHAT_DOWN}, {0.5, 1, 1, WHAT_DOWN}, {4.5, 1, 1, WHAT_UP}};
    play_all(&plan, item, 6, down, 3, &total);
    for (size_t i = 0; i < 5; i++)
        assert_true(item[i].instance == 1 && (i == 0 || item[i].scheduled_s >= 4.5));
    mr_profile_destroy(profile);
}

/* A stop at every boundary of a small run, and within a tie of it: calls end once, with all tokens.
 */
MR_TEST(a_stop_at_every_date)
{
    struct mr_profile *profile = play_five_constants();
    struct mr_serving serving = serving_of(profile);
    struct mr_cell_plan plan = {.serving = &serving, .n_instance = 2};
    static struct item item[12];
    struct total total;
    static const double aside_s[] = {-2e-9, -1e-9, 0, 1e-9, 2e-9, 5e-3};
    serving.n_block = 60;
    for (int k = 0; k < 200; k++) {
        for (size_t i = 0; i < 12; i++)
            item[i] = (struct item){
                .arrived_s = 0.03 * (double)i, .n_prompt = 60 + 20 * (uint32_t)i, .n_output = 30};
        const double at_s = 0.012 * (double)(k / 6 + 1) + aside_s[k % 6];
        const struct event event[] = {{at_s, 1, 0, WHAT_DOWN}, {at_s + 0.1, 1, 0, WHAT_UP}};
        play_all(&plan, item, 12, event, 2, &total);
        for (size_t i = 0; i < 12; i++)
            assert_true(item[i].finished_s > item[i].first_s);
    }
    mr_profile_destroy(profile);
}

MR_TEST_MAIN(MR_TEST_ENTRY(leaps_and_steps_agree_and_nothing_is_lost),
             MR_TEST_ENTRY(one_call_by_hand), MR_TEST_ENTRY(drained_and_closed),
             MR_TEST_ENTRY(a_stop_at_every_date))
