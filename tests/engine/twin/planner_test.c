/* SPDX-License-Identifier: Apache-2.0 */
/* engine/twin/planner: a step of load is met exactly after the time of a start, sevenfold faster
 * from a running peer; nothing turns back inside the cooldown; least and most hold; pools give to
 * each other within their total; no call is lost meanwhile. */
#include "engine/twin/planner.h"

#include "engine/base/mem.h"
#include "engine/base/rng.h"
#include "engine/serve/policy.h"
#include "tests/engine/serve/play.h"
#include "tests/test.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum {
    n_note_max = 4000
};

struct note {
    double t_s, needed;
    char kind[16], entity[32];
};

static struct {
    struct note note[n_note_max];
    size_t n;
    uint64_t n_done;
    double first_s[8]; /* start of the first call on each instance */
} seen;

static void take(void *context, double t_s, const char *kind, const char *entity, double value,
                 double limit)
{
    (void)context, (void)limit;
    assert_true(seen.n < n_note_max);
    struct note *note = &seen.note[seen.n++];
    *note = (struct note){.t_s = t_s, .needed = value};
    snprintf(note->kind, sizeof note->kind, "%s", kind);
    snprintf(note->entity, sizeof note->entity, "%s", entity);
}

static void finished(void *context, const struct mr_ticket *ticket, const struct mr_call *call,
                     double now_s)
{
    double *first_s = &seen.first_s[ticket->instance];
    (void)context, (void)now_s;
    seen.n_done++;
    *first_s = fmin(*first_s, call->scheduled_s);
}

static void refused(void *context, const struct mr_ticket *ticket, double now_s,
                    enum mr_cell_refusal why)
{
    (void)context, (void)ticket, (void)now_s, (void)why;
    fail_msg("refused");
}

static struct mr_planner_spec spec_of(void)
{
    return (struct mr_planner_spec){.interval_s = 10,
                                    .prompt_use = 0.7,
                                    .output_use = 0.8,
                                    .slack_frac = 0.1,
                                    .cooldown_s = 100,
                                    .allocate_s = 10,
                                    .load_bytes_s = 1e9,
                                    .weight_bytes = 14e9,
                                    .warm_s = 28,
                                    .flip_s = 3,
                                    .fast = 7};
}

/* Calls a second over time. */
typedef double (*rate_fn)(double t_s);

struct site {
    struct mr_profile *profile;
    struct mr_pool pool;
    struct mr_scenario scenario;
    struct mr_cell cell;
    struct mr_outages *outages;
    struct mr_planner *planner;
    struct mr_split_plan split;
};

static void open_site(struct site *site, const struct mr_planner_spec *spec, bool is_apart,
                      uint64_t n_start)
{
    static const uint32_t n = 4;
    struct mr_err err = {0};
    memset(&seen, 0, sizeof seen);
    for (int i = 0; i < 8; i++)
        seen.first_s[i] = (double)INFINITY;
    memset(site, 0, sizeof *site);
    site->profile = play_five_constants();
    site->pool.serving = (struct mr_serving){.policy = &mr_policy_vllm1,
                                             .pricer = {.profile = site->profile},
                                             .batch_max = 16,
                                             .token_max = 512,
                                             .context_max = 4000,
                                             .block_tokens = 16,
                                             .n_block = 4000};
    site->scenario.deployment.n_instance = n;
    site->scenario.has_prefill = is_apart;
    site->scenario.prefill.n_instance = n;
    site->split = (struct mr_split_plan){.serving = &site->pool.serving,
                                         .n_instance = n,
                                         .n_slot = 1000,
                                         .token_bytes = 1e3,
                                         .n_layer = 32,
                                         .send_bytes_s = 2e9,
                                         .receive_bytes_s = 1e9,
                                         .latency_s = 1e-3,
                                         .efficiency = 0.5};
    const struct mr_cell_plan plan = {
        .serving = &site->pool.serving, .n_instance = n, .split = is_apart ? &site->split : NULL};
    struct mr_planner_plan how = {.spec = *spec,
                                  .pool = {{.pool = &site->pool,
                                            .n = n,
                                            .name = "deployment",
                                            .n_min = 1,
                                            .n_start = n_start,
                                            .reads = !is_apart,
                                            .decodes = true},
                                           {.pool = &site->pool,
                                            .from = n,
                                            .n = n,
                                            .name = "prefill",
                                            .n_min = 1,
                                            .n_start = n_start,
                                            .reads = true}},
                                  .n_pool = is_apart ? 2 : 1,
                                  .event = take};
    assert_int_equal(
        mr_cell_init(&site->cell, &plan, &(struct mr_cell_sink){finished, refused, NULL}, &err),
        MR_OK);
    assert_int_equal(
        mr_outages_create(
            &site->scenario,
            &(struct mr_outages_span){.n = (uint32_t)site->scenario.deployment.n_instance,
                                      .n_reader = site->scenario.has_prefill
                                                      ? (uint32_t)site->scenario.prefill.n_instance
                                                      : 0},
            &site->outages, &err),
        MR_OK);
    assert_int_equal(mr_planner_create(&how, &site->planner, &err), MR_OK);
    assert_int_equal(mr_planner_begin(site->planner, &site->cell, site->outages, &err), MR_OK);
}

static void close_site(struct site *site)
{
    mr_planner_destroy(site->planner);
    mr_outages_destroy(site->outages);
    mr_cell_fini(&site->cell);
    mr_profile_destroy(site->profile);
    assert_int_equal(mr_test_live_allocations(), 0);
}

/* Seats that calls are routed to, or that are about to be: never more than the total. */
static void check_seats(const struct site *site, uint64_t n_total)
{
    uint64_t n = 0, n_up = 0;
    for (uint32_t i = 0; i < mr_cell_n_seat(&site->cell); i++) {
        n += site->cell.seat[i].state != MR_CELL_SEAT_DOWN;
        n_up += site->cell.seat[i].state == MR_CELL_SEAT_UP;
        if (i == site->cell.plan.n_instance - 1 || i == mr_cell_n_seat(&site->cell) - 1) {
            assert_true(n_up >= 1);
            n_up = 0;
        }
    }
    assert_true(n_total == 0 || n <= n_total);
}

static uint64_t run(struct site *site, rate_fn rate, double end_s, uint32_t n_prompt,
                    uint32_t n_output, uint64_t n_total)
{
    struct mr_err err = {0};
    uint64_t id = 0;
    for (double t_s = 0.013; t_s < end_s; t_s += 1 / rate(t_s)) {
        for (double s; s = mr_planner_next_s(site->planner), s <= t_s;) {
            assert_int_equal(mr_cell_play(&site->cell, s, &err), MR_OK);
            assert_int_equal(mr_planner_do(site->planner, &site->cell, site->outages, s, &err),
                             MR_OK);
            check_seats(site, n_total);
        }
        const struct mr_ticket ticket = {
            .id = id++, .n_prompt = n_prompt, .n_output = n_output, .is_alone = true};
        assert_int_equal(mr_cell_play(&site->cell, t_s, &err), MR_OK);
        assert_int_equal(mr_cell_arrive(&site->cell, &ticket, t_s, &err), MR_OK);
    }
    assert_int_equal(mr_cell_play(&site->cell, (double)INFINITY, &err), MR_OK);
    assert_int_equal(seen.n_done, id);
    assert_true(mr_cell_little_rel(&site->cell) < 1e-9);
    return id;
}

static double date_of(const char *kind, const char *entity)
{
    for (size_t i = 0; i < seen.n; i++)
        if (strcmp(seen.note[i].kind, kind) == 0 && strcmp(seen.note[i].entity, entity) == 0)
            return seen.note[i].t_s;
    return (double)NAN;
}

/* ---- a step ---- */

static double step(double t_s)
{
    return t_s < 50 ? 1 : 12;
}

MR_TEST(a_step_is_met_after_the_time_of_a_start)
{
    static struct site site;
    for (int is_fast = 0; is_fast < 2; is_fast++) {
        struct mr_planner_spec spec = spec_of();
        spec.is_fast = is_fast == 1;
        open_site(&site, &spec, false, 1);
        const double start_s = mr_planner_start_s(&spec, &site.pool);
        assert_true(start_s == 10 + (14 + 28.0) / (is_fast == 1 ? 7 : 1));
        run(&site, step, 200, 400, 60, 0);
        /* seen first at 60 s: the rate from 50 s on */
        assert_true(date_of("plan.start", "deployment 1") == 60);
        assert_true(date_of("plan.ready", "deployment 1") == 60 + start_s);
        /* nothing there before, and the next call at once */
        assert_true(seen.first_s[1] >= 60 + start_s && seen.first_s[1] < 60 + start_s + 1 / 12.0);
        const struct mr_planner_counts counts = mr_planner_counted(site.planner, 200);
        mr_assert_near(counts.starting_s, (double)counts.n_start * start_s, 0, 1e-9);
        assert_true(counts.off_s > 0);
        close_site(&site);
    }
}

/* ---- no flapping ---- */

static double square(double t_s)
{
    return fmod(t_s, 80) < 40 ? 1 : 12;
}

/* Turns of direction, and the shortest time between two. */
static size_t turns(double *shortest_s)
{
    size_t n = 0;
    const struct note *last = NULL;
    *shortest_s = (double)INFINITY;
    for (size_t i = 0; i < seen.n; i++) {
        const struct note *note = &seen.note[i];
        const bool is_up = strcmp(note->kind, "plan.start") == 0;
        if (!is_up && strcmp(note->kind, "plan.drain") != 0)
            continue;
        if (last != NULL && (strcmp(last->kind, "plan.start") == 0) != is_up) {
            *shortest_s = fmin(*shortest_s, note->t_s - last->t_s);
            n++;
        }
        last = note;
    }
    return n;
}

MR_TEST(nothing_turns_back_inside_the_cooldown)
{
    static struct site site;
    size_t n_turn[2];
    for (int k = 0; k < 2; k++) {
        struct mr_planner_spec spec = spec_of();
        double shortest_s;
        spec.cooldown_s = k == 0 ? 0 : 200;
        spec.is_fast = true;
        open_site(&site, &spec, false, 1);
        run(&site, square, 1600, 400, 60, 0);
        n_turn[k] = turns(&shortest_s);
        assert_true(k == 0 ? shortest_s < 100 : shortest_s >= 200);
        close_site(&site);
    }
    assert_true(n_turn[0] > 2 * n_turn[1] && n_turn[1] > 0);
}

/* ---- two pools, one total ---- */

static double steady(double t_s)
{
    (void)t_s;
    return 20;
}

MR_TEST(pools_give_to_each_other)
{
    static struct site site;
    struct mr_planner_spec spec = spec_of();
    spec.n_total = 5;
    spec.cooldown_s = 30;
    open_site(&site, &spec, true, 2);
    /* long prompts, short outputs: the prefill pool takes what decode has too many of */
    run(&site, steady, 400, 1500, 8, 5);
    const struct mr_planner_counts counts = mr_planner_counted(site.planner, 400);
    assert_true(counts.n_flip >= 1);
    for (size_t i = 0; i < seen.n; i++)
        if (strcmp(seen.note[i].kind, "plan.flip") == 0)
            mr_assert_near(date_of("plan.ready", seen.note[i].entity), seen.note[i].t_s + 3, 0,
                           1e-9);
    close_site(&site);
}

MR_TEST_MAIN(MR_TEST_ENTRY(a_step_is_met_after_the_time_of_a_start),
             MR_TEST_ENTRY(nothing_turns_back_inside_the_cooldown),
             MR_TEST_ENTRY(pools_give_to_each_other))
