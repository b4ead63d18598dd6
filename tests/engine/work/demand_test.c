/* SPDX-License-Identifier: Apache-2.0 */
/* engine/work/demand: shapes of mean 1, starts and zones, sessions' own tiers, tenants and
 * schedules, budgets that are spent, bursts that keep the mean, dates in order, the middle of
 * lives. */
#include "engine/work/demand.h"

#include "tests/test.h"

static const double day_s = 86400;

/* `n` sessions of one call of 900 + 100 tokens, arrivals 10, 9, ... */
static void make_script(struct mr_script *script, int n)
{
    *script = (struct mr_script){0};
    for (int i = 0; i < n; i++) {
        const struct mr_script_session session = {.arrival_s = n - i};
        const struct mr_script_node node = {
            .kind = MR_SCRIPT_LLM, .offset_s = NAN, .llm = {900, 100, 0}};
        assert_int_equal(mr_script_session_begin(script, &session, NULL), MR_OK);
        for (uint32_t k = 0; k <= (uint32_t)i; k++) {
            const struct mr_script_after after = {k == 0 ? MR_SCRIPT_NONE : k - 1, 0, false};
            assert_int_equal(mr_script_node_add(script, &node, &after, 1, NULL), MR_OK);
        }
        assert_int_equal(mr_script_session_end(script, NULL), MR_OK);
    }
}

MR_TEST(shapes_have_mean_one)
{
    for (int shape = 0; shape < 4; shape++)
        for (int w = 0; w <= 2; w++) {
            double sum = 0;
            for (int h = 0; h < 7 * 24; h++)
                sum += mr_demand_shape(shape, 0.5 * w, 3600 * (h + 0.5));
            mr_assert_near(sum / (7 * 24), 1, 1e-12, 0);
        }
    assert_true(mr_demand_shape(3, 0.1, 10.5 * 3600) > 10 * mr_demand_shape(3, 0.1, 3.5 * 3600));
}

struct run {
    struct mr_script script;
    struct mr_life life;
    struct mr_demand demand;
    struct mr_demand_plan plan;
    uint8_t tier_of[MR_DEMAND_TENANTS];
    double share[2];
};

static void setup(struct run *run, int mode)
{
    *run = (struct run){.share = {1, 3}};
    make_script(&run->script, 10);
    run->plan = (struct mr_demand_plan){.spec = {.mode = mode, .speed = 1},
                                        .tier_of_tenant = run->tier_of,
                                        .tier_share = run->share,
                                        .n_tier = 2,
                                        .script = &run->script,
                                        .life = &run->life,
                                        .seed = 7};
}

static void open_demand(struct run *run)
{
    struct mr_err err = {0};
    const double cap_s = run->plan.spec.idle_cap_s;
    const struct mr_player_plan as = {.script = &run->script,
                                      .idle_cap_s = cap_s > 0 ? cap_s : (double)INFINITY};
    if (run->plan.spec.is_warm)
        assert_int_equal(mr_life_init(&run->life, &as, &err), MR_OK);
    assert_int_equal(mr_demand_init(&run->demand, &run->plan, &err), MR_OK);
}

static bool take(struct run *run, struct mr_player_start *start)
{
    const struct mr_player_source source = mr_demand_source(&run->demand);
    return source.next(source.context, start);
}

static void teardown(struct run *run)
{
    mr_demand_fini(&run->demand);
    mr_life_fini(&run->life);
    mr_script_fini(&run->script);
}

/* Sessions until a date, in order of time. */
static uint64_t count_until(struct run *run, double end_s)
{
    struct mr_player_start start;
    double last_s = 0;
    uint64_t n = 0;
    while (take(run, &start) && start.at_s < end_s) {
        assert_true(start.at_s >= last_s && start.session < 10);
        last_s = start.at_s;
        n++;
    }
    return n;
}

/* 1,000 tokens a call, 5.5 calls a session: 100 agents of 5.5e8 tokens a year begin 1e7 sessions.
 */
static void check_budget(struct mr_demand_tenant tenant)
{
    struct run run;
    setup(&run, MR_DEMAND_ARRIVALS);
    tenant.n_employee = 50;
    tenant.agents_each = 2;
    tenant.budget_tok = 5.5e8;
    run.plan.tenant = &tenant;
    run.plan.n_tenant = 1;
    open_demand(&run);
    const double expected = 1e7 * 28 / 365;
    const double n = (double)count_until(&run, 28 * day_s);
    /* busy hours are drawn: 672 of them, each with probability 1 / f */
    const double sigma = sqrt(expected) + expected * sqrt((tenant.burst - 1) / 672) * 1.3;
    assert_true(fabs(n - expected) < 4 * sigma);
    teardown(&run);
}

MR_TEST(budgets_are_spent)
{
    check_budget((struct mr_demand_tenant){.burst = 1, .weekend_frac = 1});
    check_budget((struct mr_demand_tenant){.burst = 1, .weekend_frac = 0.2, .shape = 3});
    check_budget((struct mr_demand_tenant){.burst = 1, .weekend_frac = 0, .shape = 2});
    check_budget((struct mr_demand_tenant){.burst = 4, .weekend_frac = 1, .shape = 1});
}

MR_TEST(one_tenant_does_not_shift_another)
{
    double first_s[2] = {0};
    for (int k = 0; k < 2; k++) {
        struct run run;
        struct mr_player_start start = {0};
        struct mr_demand_tenant tenant[] = {
            {.n_employee = 1, .agents_each = 1, .budget_tok = 1e9, .burst = 1, .weekend_frac = 1},
            {.n_employee = 1 + k,
             .agents_each = 1,
             .budget_tok = 1e9,
             .burst = 1,
             .weekend_frac = 1}};
        setup(&run, MR_DEMAND_ARRIVALS);
        run.plan.tenant = tenant;
        run.plan.n_tenant = 2;
        open_demand(&run);
        for (int i = 0; i < 100;) {
            assert_true(take(&run, &start));
            i += start.tenant == 0;
        }
        first_s[k] = start.at_s;
        teardown(&run);
    }
    assert_true(first_s[0] == first_s[1]);
}

MR_TEST(schedules_begin_all_agents)
{
    struct run run;
    struct mr_player_start start;
    const struct mr_demand_tenant tenant = {
        .n_employee = 30, .agents_each = 2, .cron = "0 9 * * *", .jitter_s = 30, .burst = 1};
    double sum_s = 0;
    setup(&run, MR_DEMAND_ARRIVALS);
    run.tier_of[0] = 1;
    run.plan.tenant = &tenant;
    run.plan.n_tenant = 1;
    open_demand(&run);
    for (int i = 0; i < 600; i++) {
        const double date_s = i / 60 * day_s + 9 * 3600;
        assert_true(take(&run, &start) && start.tier == 1);
        assert_true(start.at_s >= date_s && start.at_s <= date_s + 30);
        sum_s += start.at_s - date_s;
    }
    mr_assert_near(sum_s / 600, 15, 0.1, 0);
    teardown(&run);
}

MR_TEST(recorded_arrivals_are_sorted)
{
    struct run run;
    struct mr_player_start start;
    setup(&run, MR_DEMAND_OPEN);
    run.plan.spec.speed = 2;
    open_demand(&run);
    for (uint32_t i = 0; i < 10; i++) {
        assert_true(take(&run, &start));
        assert_true(start.session == 9 - i && start.at_s == (i + 1) / 2.0);
    }
    assert_false(take(&run, &start));
    teardown(&run);
}

/* The schedule of a tenant is kept where it is: noon of the start's zone is 9 h later in the west.
 */
MR_TEST(runs_start_somewhere_and_somewhen)
{
    static const struct {
        const char *start, *zone;
        double first_s;
    } cases[] = {{NULL, NULL, 12 * 3600},
                 {"2024-07-03T10:00+01:00", NULL, 2 * 3600},
                 {"2024-07-03T10:00+01:00", "-08:00", 11 * 3600},
                 {"2024-07-05T13:00Z", NULL, 3 * 86400 - 3600}}; /* a Friday, past noon */
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct run run;
        struct mr_player_start start;
        const struct mr_demand_tenant tenant = {.n_employee = 1,
                                                .agents_each = 1,
                                                .cron = "0 12 * * 1-5",
                                                .zone = cases[i].zone,
                                                .burst = 1};
        setup(&run, MR_DEMAND_ARRIVALS);
        run.plan.spec.start = cases[i].start;
        run.plan.tenant = &tenant;
        run.plan.n_tenant = 1;
        open_demand(&run);
        assert_true(take(&run, &start) && start.at_s == cases[i].first_s);
        teardown(&run);
    }
}

/* An office that is closed at weekends: a run that starts on a Saturday waits for Monday. */
MR_TEST(weeks_begin_where_the_run_does)
{
    struct run run;
    struct mr_player_start start;
    const struct mr_demand_tenant tenant = {
        .n_employee = 1e4, .agents_each = 1, .budget_tok = 1e9, .burst = 1, .weekend_frac = 0};
    setup(&run, MR_DEMAND_ARRIVALS);
    run.plan.spec.start = "2024-07-06T00:00Z";
    run.plan.tenant = &tenant;
    run.plan.n_tenant = 1;
    open_demand(&run);
    assert_true(take(&run, &start));
    assert_true(start.at_s >= 2 * day_s && start.at_s < 2 * day_s + 100);
    teardown(&run);
}

MR_TEST(wrong_starts_are_refused)
{
    static const char *const starts[] = {"Monday", "2024-13-01", "2024-07-01T25:00"};
    for (size_t i = 0; i < 4; i++) {
        struct run run;
        struct mr_err err = {0};
        const struct mr_demand_tenant tenant = {.n_employee = 1,
                                                .agents_each = 1,
                                                .budget_tok = 1e9,
                                                .burst = 1,
                                                .zone = i == 3 ? "PST" : NULL};
        setup(&run, MR_DEMAND_ARRIVALS);
        run.plan.spec.start = i < 3 ? starts[i] : NULL;
        run.plan.tenant = &tenant;
        run.plan.n_tenant = 1;
        assert_int_equal(mr_demand_init(&run.demand, &run.plan, &err), MR_PARSE);
        mr_assert_contains(err.text, i < 3 ? "2024-07-01T09:00-07:00" : "+05:30");
        teardown(&run);
    }
}

/* Sessions of tenant 1 are drawn for it alone; the other tenant has what is nobody's. A session's
 * own tier beats its tenant's. */
MR_TEST(sessions_know_whose_they_are)
{
    struct run run;
    struct mr_player_start start;
    const struct mr_demand_tenant tenant[] = {
        {.n_employee = 9, .agents_each = 1, .budget_tok = 1e9, .burst = 1, .weekend_frac = 1},
        {.n_employee = 9, .agents_each = 1, .budget_tok = 1e9, .burst = 1, .weekend_frac = 1}};
    bool is_seen[10] = {false};
    setup(&run, MR_DEMAND_ARRIVALS);
    run.tier_of[0] = 1;
    run.plan.tenant = tenant;
    run.plan.n_tenant = 2;
    for (int i = 0; i < 3; i++)
        run.script.session[i].tenant = 2;
    run.script.session[5].has_tier = true;
    open_demand(&run);
    for (int i = 0; i < 1000; i++) {
        assert_true(take(&run, &start));
        assert_true((start.session < 3) == (start.tenant == 1));
        assert_int_equal(start.tier, start.tenant == 1 || start.session == 5 ? 0 : 1);
        is_seen[start.session] = true;
    }
    for (int i = 0; i < 10; i++)
        assert_true(is_seen[i]);
    teardown(&run);
    setup(&run, MR_DEMAND_OPEN); /* in the file's other modes they keep it, too */
    run.tier_of[0] = 1;
    run.plan.tenant = tenant;
    run.plan.n_tenant = 2;
    run.script.session[9].tenant = 1;
    run.script.session[8].tenant = 2;
    open_demand(&run);
    assert_true(take(&run, &start) && start.tenant == 0 && start.tier == 1);
    assert_true(take(&run, &start) && start.tenant == 1 && start.tier == 0);
    assert_true(take(&run, &start) && start.tenant == MR_PLAYER_NO_TENANT);
    teardown(&run);
    setup(&run, MR_DEMAND_ARRIVALS);
    struct mr_err err = {0};
    run.plan.tenant = tenant;
    run.plan.n_tenant = 2;
    for (int i = 0; i < 10; i++)
        run.script.session[i].tenant = 2;
    assert_int_equal(mr_demand_init(&run.demand, &run.plan, &err), MR_RANGE);
    mr_assert_contains(err.text, "tenant 1");
    teardown(&run);
}

/* Two sessions on schedules among eight that arrive at 1 .. 8 s of a run that starts 5 s to nine.
 */
MR_TEST(scheduled_sessions_come_again)
{
    struct run run;
    struct mr_player_start start;
    struct mr_cron cron[2];
    double last_s = 0;
    int n_of[10] = {0};
    assert_int_equal(mr_cron_parse("0 9 * * *", &cron[0], NULL), MR_OK);
    assert_int_equal(mr_cron_parse("*/30 * * * *", &cron[1], NULL), MR_OK);
    setup(&run, MR_DEMAND_OPEN);
    run.script.cron = cron;
    run.script.n_cron = 2;
    run.script.session[0].cron = 1;
    run.script.session[1].cron = 2;
    run.plan.spec.start = "2024-07-03T08:59:55Z";
    open_demand(&run);
    for (int i = 0; i < 8 + 4 + 145; i++) { /* three days and a bit: dates at 5 s + k x 30 min */
        assert_true(take(&run, &start) && start.at_s >= last_s);
        last_s = start.at_s;
        n_of[start.session]++;
        if (start.session == 0)
            assert_true(fmod(start.at_s, day_s) == 5);
        if (start.session == 1)
            assert_true(fmod(start.at_s, 1800) == 5);
    }
    assert_int_equal(n_of[0], 4);
    assert_int_equal(n_of[1], 145);
    for (int i = 2; i < 10; i++)
        assert_int_equal(n_of[i], 1);
    run.script.cron = NULL; /* lent here */
    teardown(&run);
}

/* Session i has i + 1 of 55 calls, equally long: a life is entered in one of them at random. */
MR_TEST(live_sessions_are_met_in_the_middle)
{
    enum {
        n = 20000
    };
    struct run run;
    struct mr_player_start start;
    uint32_t n_of[10] = {0}, n_tier = 0;
    setup(&run, MR_DEMAND_LIVE);
    run.plan.spec.n_session = n;
    run.plan.spec.is_warm = true;
    run.plan.spec.ramp_s = 10;
    open_demand(&run);
    for (int i = 0; i < n; i++) {
        assert_true(take(&run, &start));
        const struct mr_script_session *session = &run.script.session[start.session];
        assert_true(start.cut >= session->node && start.cut < session->node + session->n_node);
        assert_true(start.at_s == 10.0 * i / n);
        n_of[start.session]++;
        n_tier += start.tier;
    }
    assert_false(take(&run, &start));
    for (int i = 0; i < 10; i++)
        mr_assert_near(n_of[i], n * (i + 1) / 55.0, 0.15, 0);
    mr_assert_near(n_tier, n * 0.75, 0.02, 0);
    teardown(&run);
}

/* A call that was recorded to take 2 s, a think of 30 s that is capped at 8 s, and a call of 100
 * tokens that was not recorded: 2.9 + 1.52 s. */
MR_TEST(lives_are_met_at_any_time)
{
    enum {
        n = 20000
    };
    struct run run;
    struct mr_player_start start;
    uint32_t n_first = 0, n_think = 0;
    double sum_s = 0;
    setup(&run, MR_DEMAND_LIVE);
    mr_script_fini(&run.script);
    run.script = (struct mr_script){0};
    const struct mr_script_session session = {.arrival_s = (double)NAN};
    const struct mr_script_node call = {
        .kind = MR_SCRIPT_LLM, .offset_s = NAN, .llm = {900, 100, 0}};
    const struct mr_script_node think = {.kind = MR_SCRIPT_THINK, .offset_s = NAN, .think = {30}};
    const struct mr_script_node *const node[3] = {&call, &think, &call};
    assert_int_equal(mr_script_session_begin(&run.script, &session, NULL), MR_OK);
    for (uint32_t k = 0; k < 3; k++) {
        const struct mr_script_after after = {k == 0 ? MR_SCRIPT_NONE : k - 1, 0, false};
        assert_int_equal(mr_script_node_add(&run.script, node[k], &after, 1, NULL), MR_OK);
    }
    assert_int_equal(mr_script_session_end(&run.script, NULL), MR_OK);
    run.script.service_s[0] = 2;
    run.plan.spec.n_session = n;
    run.plan.spec.is_warm = true;
    run.plan.spec.idle_cap_s = 8;
    open_demand(&run);
    while (take(&run, &start)) {
        assert_true(start.past_s >= 0 && start.past_s <= (start.cut == 0 ? 10 : 4.42));
        n_first += start.cut == 0;
        n_think += start.cut == 0 && start.past_s > 2;
        sum_s += start.past_s;
    }
    mr_assert_near(n_first, n * 10 / 14.42, 0.02, 0);
    mr_assert_near(n_think, n * 8 / 14.42, 0.02, 0);
    mr_assert_near(sum_s / n, (50 + 4.42 * 4.42 / 2) / 14.42, 0.02, 0);
    teardown(&run);
}

MR_TEST(what_a_mode_lacks_is_said)
{
    struct run run;
    struct mr_err err = {0};
    setup(&run, MR_DEMAND_ARRIVALS);
    assert_int_equal(mr_demand_init(&run.demand, &run.plan, &err), MR_RANGE);
    mr_assert_contains(err.text, "\"rate\"");
    teardown(&run);
    const struct mr_demand_tenant tenant = {.n_employee = 1, .agents_each = 1, .burst = 1};
    setup(&run, MR_DEMAND_ARRIVALS);
    run.plan.tenant = &tenant;
    run.plan.n_tenant = 1;
    err = (struct mr_err){0};
    assert_int_equal(mr_demand_init(&run.demand, &run.plan, &err), MR_RANGE);
    mr_assert_contains(err.text, "\"budget\"");
    teardown(&run);
}

MR_TEST_MAIN(MR_TEST_ENTRY(shapes_have_mean_one), MR_TEST_ENTRY(budgets_are_spent),
             MR_TEST_ENTRY(one_tenant_does_not_shift_another),
             MR_TEST_ENTRY(schedules_begin_all_agents), MR_TEST_ENTRY(recorded_arrivals_are_sorted),
             MR_TEST_ENTRY(live_sessions_are_met_in_the_middle),
             MR_TEST_ENTRY(lives_are_met_at_any_time),
             MR_TEST_ENTRY(runs_start_somewhere_and_somewhen),
             MR_TEST_ENTRY(weeks_begin_where_the_run_does), MR_TEST_ENTRY(wrong_starts_are_refused),
             MR_TEST_ENTRY(sessions_know_whose_they_are),
             MR_TEST_ENTRY(scheduled_sessions_come_again), MR_TEST_ENTRY(what_a_mode_lacks_is_said))
