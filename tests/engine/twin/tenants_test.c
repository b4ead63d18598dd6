/* SPDX-License-Identifier: Apache-2.0 */
/* engine/twin/tenants: budgets of periods, what is beyond them, what is paid. */
#include "engine/twin/tenants.h"

#include "tests/test.h"

enum {
    day_s = 86400
};

static struct mr_scenario *make(int over)
{
    struct mr_scenario *s = calloc(1, sizeof *s);
    assert_non_null(s);
    s->path = "test";
    s->n_tier = 2;
    s->tier[0] = (struct mr_scenario_tier){.name = "free"};
    s->tier[1] = (struct mr_scenario_tier){
        .name = "paid", .input_usd_mtok = 2, .cached_usd_mtok = 0.5, .output_usd_mtok = 10};
    s->n_tenant = 1;
    s->tenant[0] = (struct mr_demand_tenant){.name = "lab",
                                             .lower = "free",
                                             .n_employee = 5,
                                             .agents_each = 2,
                                             .budget_tok = 365.0 * 1000, /* 10,000 a day of all */
                                             .over = over,
                                             .period_s = day_s};
    return s;
}

static enum mr_tenants_answer ask(struct mr_tenants *tenants, double now_s, uint8_t *tier,
                                  double *until_s)
{
    struct mr_tenants_call call = {.n_input = 2900, .n_output = 100, .tier = *tier};
    const enum mr_tenants_answer answer = mr_tenants_ask(tenants, 0, now_s, &call);
    *tier = call.tier;
    *until_s = call.until_s;
    return answer;
}

/* 3,000 tokens: 2,000 read anew, 900 cached, 100 made. */
static void finish(struct mr_tenants *tenants, uint8_t tier, double now_s)
{
    const struct mr_ticket ticket = {
        .n_prompt = 2900, .n_cached = 900, .n_output = 100, .tier = tier};
    const struct mr_call call = {.arrived_s = now_s - 5, .first_s = now_s - 4};
    mr_tenants_finished(tenants, 0, &ticket, &call, now_s);
}

MR_TEST(beyond_the_budget)
{
    static const enum mr_tenants_answer answers[] = {[MR_DEMAND_UNLIMITED] = MR_TENANTS_SERVE,
                                                     [MR_DEMAND_STOP] = MR_TENANTS_STOP,
                                                     [MR_DEMAND_DOWNGRADE] = MR_TENANTS_SERVE,
                                                     [MR_DEMAND_THROTTLE] = MR_TENANTS_LATER};
    for (int over = MR_DEMAND_UNLIMITED; over <= MR_DEMAND_THROTTLE; over++) {
        struct mr_scenario *scenario = make(over);
        struct mr_tenants *tenants;
        struct mr_err err = {0};
        double until_s;
        assert_int_equal(mr_tenants_create(scenario, 1, &tenants, &err), MR_OK);
        const struct mr_tenant *t = &tenants->tenant[0];
        mr_assert_near(t->budget_tok, 10000, 1e-12, 0);
        for (int k = 0; k < 4; k++) { /* 9,000 are below it, 12,000 beyond */
            uint8_t tier = 1;
            assert_int_equal(ask(tenants, 100, &tier, &until_s), MR_TENANTS_SERVE);
            assert_int_equal(tier, 1);
            finish(tenants, 1, 100 + k);
        }
        uint8_t tier = 1;
        assert_int_equal(ask(tenants, 110, &tier, &until_s), answers[over]);
        assert_int_equal(tier, over == MR_DEMAND_DOWNGRADE ? 0 : 1);
        assert_int_equal(t->sum.n_stopped, over == MR_DEMAND_STOP);
        assert_int_equal(t->sum.n_downgraded, over == MR_DEMAND_DOWNGRADE);
        assert_int_equal(t->sum.n_delayed, over == MR_DEMAND_THROTTLE);
        if (over == MR_DEMAND_THROTTLE)
            assert_true(until_s == day_s);
        /* the next day */
        tier = 1;
        assert_int_equal(ask(tenants, day_s + 1, &tier, &until_s), MR_TENANTS_SERVE);
        assert_int_equal(tier, 1);
        finish(tenants, 0, day_s + 2); /* for nothing */
        mr_assert_near(t->used_tok, 3000, 0, 0);
        mr_assert_near(t->sum.usd, 4 * (2000 * 2 + 900 * 0.5 + 100 * 10) * 1e-6, 1e-12, 0);
        assert_int_equal(t->sum.n_finished, 5);
        mr_assert_near(mr_hist_mean_s(&t->hist.ttft), 1, 1e-3, 0);
        mr_tenants_destroy(tenants);
        free(scenario);
    }
}

/* 10,000 tokens a day are let in whoever comes at once, those refused give theirs back, and days
 * are those of the zone. */
MR_TEST(calls_count_when_they_come)
{
    struct mr_scenario *scenario = make(MR_DEMAND_THROTTLE);
    struct mr_tenants *tenants;
    struct mr_err err = {0};
    const struct mr_ticket ticket = {.n_prompt = 2900, .n_output = 100, .tier = 1};
    double until_s;
    uint8_t tier = 1;
    int n = 0;
    scenario->agents.start = "2024-07-03T10:00Z"; /* 03:00 where the tenant is */
    scenario->tenant[0].zone = "-07:00";
    assert_int_equal(mr_tenants_create(scenario, 1, &tenants, &err), MR_OK);
    while (ask(tenants, 5, &tier, &until_s) == MR_TENANTS_SERVE)
        n++;
    assert_int_equal(n, 4);
    assert_true(until_s == 21 * 3600);
    mr_tenants_refused(tenants, 0, &ticket, 6);
    assert_int_equal(ask(tenants, 7, &tier, &until_s), MR_TENANTS_SERVE);
    assert_int_equal(ask(tenants, 8, &tier, &until_s), MR_TENANTS_LATER);
    assert_int_equal(ask(tenants, until_s, &tier, &until_s), MR_TENANTS_SERVE);
    mr_tenants_destroy(tenants);
    free(scenario);
}

/* 2,900 x 2 + 100 x 10 are 6,800 micro-dollars uncached, 5,450 of them when 900 are cached. */
MR_TEST(budgets_of_money)
{
    struct mr_scenario *scenario = make(MR_DEMAND_STOP);
    struct mr_tenants *tenants;
    struct mr_err err = {0};
    double until_s;
    uint8_t tier = 1;
    scenario->tenant[0].budget_tok = 0;
    scenario->tenant[0].budget_usd = 365 * 1.3e-3; /* 13,000 micro-dollars a day of ten agents */
    assert_int_equal(mr_tenants_create(scenario, 1, &tenants, &err), MR_OK);
    assert_int_equal(ask(tenants, 1, &tier, &until_s), MR_TENANTS_SERVE);
    assert_int_equal(ask(tenants, 2, &tier, &until_s), MR_TENANTS_SERVE);
    assert_int_equal(ask(tenants, 3, &tier, &until_s), MR_TENANTS_STOP);
    finish(tenants, 1, 10);
    assert_int_equal(ask(tenants, 11, &tier, &until_s), MR_TENANTS_SERVE);
    mr_assert_near(tenants->tenant[0].used_usd, 19.05e-3, 1e-12, 0);
    assert_int_equal(ask(tenants, 12, &tier, &until_s), MR_TENANTS_STOP);
    mr_tenants_destroy(tenants);
    free(scenario);
}

MR_TEST(what_is_missing_is_said)
{
    struct mr_scenario *scenario = make(MR_DEMAND_DOWNGRADE);
    struct mr_tenants *tenants;
    struct mr_err err = {0};
    scenario->tenant[0].lower = "gold";
    assert_int_equal(mr_tenants_create(scenario, 1, &tenants, &err), MR_REF);
    mr_assert_contains(err.text, "\"gold\"");
    scenario->tenant[0].lower = NULL;
    err = (struct mr_err){0};
    assert_int_equal(mr_tenants_create(scenario, 1, &tenants, &err), MR_REF);
    mr_assert_contains(err.text, "lower");
    scenario->tenant[0].over = MR_DEMAND_STOP;
    scenario->tenant[0].budget_tok = 0;
    err = (struct mr_err){0};
    assert_int_equal(mr_tenants_create(scenario, 1, &tenants, &err), MR_RANGE);
    mr_assert_contains(err.text, "budget");
    assert_null(tenants);
    free(scenario);
}

MR_TEST_MAIN(MR_TEST_ENTRY(beyond_the_budget), MR_TEST_ENTRY(calls_count_when_they_come),
             MR_TEST_ENTRY(budgets_of_money), MR_TEST_ENTRY(what_is_missing_is_said))
