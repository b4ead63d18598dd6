/* SPDX-License-Identifier: Apache-2.0 */
/* power/feed: a curtailment in the order of its words, breaches, schedules, releases, random
 * targets against a plain reading of the rules, feeds that cannot be. */
#include "power/feed.h"

#include "engine/base/rng.h"
#include "tests/test.h"

static const double never = (double)INFINITY;

static struct mr_feed_params plain(void)
{
    struct mr_feed_params params;
    mr_feed_defaults(&params);
    params.limit_w = 120e6;
    params.min_w = 10e6;
    params.ramp_up_w_s = params.ramp_down_w_s = 1e6;
    params.escalate_s = 3600;
    return params;
}

static void set(const struct mr_feed_params *params, struct mr_feed *feed, double start_s,
                double end_s, double limit_w)
{
    struct mr_err err = {0};
    const struct mr_feed_target target = {start_s, end_s, limit_w, false};
    if (mr_feed_set(params, feed, &target, &err) != MR_OK)
        fail_msg("%s", err.text);
}

/* The load follows the budget second by second. */
static void follow(const struct mr_feed_params *params, struct mr_feed *feed, double until_s,
                   double want_w)
{
    while (feed->t_s < until_s) {
        const double t_s = fmin(feed->t_s + 1, until_s);
        mr_feed_step(params, feed, t_s, feed->load_w);
        mr_feed_step(params, feed, t_s, fmin(want_w, mr_feed_budget_w(feed, t_s)));
    }
}

/* 100 MW, -25 % for 3 h, told 30 s ahead. */
MR_TEST(a_curtailment_in_its_words)
{
    const struct mr_feed_params params = plain();
    struct mr_feed feed;
    mr_feed_start(&params, 0, 100e6, &feed);
    assert_true(mr_feed_next_s(&params, &feed) == (double)INFINITY);
    follow(&params, &feed, 1000, 100e6);
    set(&params, &feed, 1030, 1030 + 3 * 3600, 75e6);
    assert_int_equal(feed.phase, MR_FEED_SCHEDULED);
    assert_true(mr_feed_next_s(&params, &feed) == 1030);
    struct mr_feed_status s[256]; /* the trace, taken as it comes */
    uint32_t n = 0, i = 0;
    while (feed.t_s < 14000) {
        follow(&params, &feed, feed.t_s + 50, 100e6);
        memcpy(s + n, feed.status, feed.n_status * sizeof *s);
        n += feed.n_status;
        feed.n_status = 0;
    }
    assert_int_equal(feed.n_lost, 0);
    assert_int_equal(feed.n_alert, 0);
    assert_int_equal(s[i].event, MR_FEED_TARGET_SET);
    assert_true(s[i].t_s == 1000 && s[i].target_w == (double)INFINITY && s[i].compliant);
    assert_int_equal(s[++i].event, MR_FEED_START_RAMP_DOWN);
    assert_true(s[i].t_s == 1030 && s[i].in_flight && !s[i].compliant && s[i].target_w == 75e6);
    assert_int_equal(s[++i].event, MR_FEED_END_RAMP_DOWN);
    assert_true(s[i].t_s == 1055 && s[i].compliant && !s[i].in_flight); /* 25 MW at 1 MW/s */
    assert_true(s[i].power_minimum_w == 10e6 && s[i].default_constraint_w == 120e6);
    for (uint32_t k = 0; s[++i].event == MR_FEED_PERIODIC; k++)
        assert_true(s[i].t_s == 1100 + 100 * k && s[i].compliant && s[i].target_w == 75e6);
    assert_int_equal(i, 3 + 108); /* 1,100 s to 11,800 s */
    assert_int_equal(s[i].event, MR_FEED_START_RAMP_UP);
    assert_true(s[i].t_s == 1030 + 3 * 3600 && s[i].in_flight);
    assert_int_equal(s[++i].event, MR_FEED_END_RAMP_UP);
    assert_true(s[i].t_s == 1030 + 3 * 3600 + 45); /* 75 to 120 MW */
    assert_int_equal(i + 1, n);
    assert_true(feed.load_w == 100e6 && feed.phase == MR_FEED_IDLE);
}

/* What has become of the load by the end of the notice counts, not what it was before. */
MR_TEST(the_load_at_the_end_of_the_notice_counts)
{
    const struct mr_feed_params params = plain();
    struct mr_feed feed;
    mr_feed_start(&params, 0, 100e6, &feed);
    set(&params, &feed, 1000, 5000, 75e6);
    mr_feed_step(&params, &feed, 1000, 100e6);
    mr_feed_advance(&params, &feed, 1030);
    assert_int_equal(feed.n_alert, 0);
    mr_feed_load(&params, &feed, 75e6);
    assert_int_equal(feed.n_alert, 0);
    assert_int_equal(feed.phase, MR_FEED_HOLDING);
    mr_feed_start(&params, 0, 100e6, &feed);
    set(&params, &feed, 1000, 5000, 75e6);
    mr_feed_step(&params, &feed, 1000, 100e6);
    mr_feed_advance(&params, &feed, 1030);
    mr_feed_load(&params, &feed, 76e6);
    assert_int_equal(feed.n_alert, 1);
    assert_true(feed.alert[0].t_s == 1030);
}

MR_TEST(breaches_are_told_and_resolved)
{
    struct mr_feed_params params = plain();
    struct mr_feed feed;
    mr_feed_start(&params, 0, 100e6, &feed);
    set(&params, &feed, 100, 1000, 100e6 / 1.21); /* held 21 % over */
    mr_feed_step(&params, &feed, 129, 100e6);
    assert_int_equal(feed.n_alert, 0); /* the notice runs */
    assert_true(mr_feed_next_s(&params, &feed) == 130);
    mr_feed_step(&params, &feed, 200, 100e6);
    assert_int_equal(feed.n_alert, 1);
    assert_int_equal(feed.alert[0].breach, MR_FEED_ACTIVE);
    assert_int_equal(feed.alert[0].severity, MR_FEED_CRITICAL);
    assert_int_equal(feed.alert[0].severity, MR_FEED_CRITICAL);
    assert_true(feed.alert[0].t_s == 130 && feed.alert[0].start_s == 130);
    mr_feed_step(&params, &feed, 300, 80e6);
    assert_int_equal(feed.n_alert, 2);
    assert_int_equal(feed.alert[1].breach, MR_FEED_RESOLVED);
    assert_true(feed.alert[1].t_s == 300);
    /* 20 % over is a warning; it becomes critical, and that is escalated */
    mr_feed_step(&params, &feed, 400, 1.2 * 100e6 / 1.21);
    assert_int_equal(feed.alert[2].severity, MR_FEED_WARNING);
    mr_feed_step(&params, &feed, 500, 100e6);
    assert_int_equal(feed.alert[3].breach, MR_FEED_ESCALATED);
    assert_int_equal(feed.alert[3].severity, MR_FEED_CRITICAL);
    /* the target ends: the same load is fine */
    mr_feed_step(&params, &feed, 2000, 100e6);
    assert_int_equal(feed.n_alert, 5);
    assert_int_equal(feed.alert[4].breach, MR_FEED_RESOLVED);
    assert_true(feed.alert[4].t_s == 1000);
    /* above the contract there is no notice; a warning that lasts is escalated */
    params.escalate_s = 60;
    mr_feed_step(&params, &feed, 2100, 121e6);
    assert_int_equal(feed.alert[5].severity, MR_FEED_WARNING);
    assert_true(feed.alert[5].t_s == 2100 && mr_feed_next_s(&params, &feed) == 2160);
    mr_feed_step(&params, &feed, 3000, 121e6);
    assert_int_equal(feed.n_alert, 7);
    assert_int_equal(feed.alert[6].breach, MR_FEED_ESCALATED);
    assert_true(feed.alert[6].t_s == 2160);
}

MR_TEST(targets_follow_each_other)
{
    struct mr_feed_params params = plain();
    params.notice_s = 31; /* the longest ramp, and the second by which the load lags */
    struct mr_feed feed;
    mr_feed_start(&params, 0, 100e6, &feed);
    set(&params, &feed, 300, 400, 60e6); /* set later ones first */
    set(&params, &feed, 100, 200, 80e6);
    set(&params, &feed, 200, 300, 90e6);
    assert_true(feed.target[0].start_s == 100 && feed.target[2].start_s == 300);
    follow(&params, &feed, 150, 100e6);
    assert_true(feed.load_w == 80e6 && mr_feed_constraint_w(&params, &feed) == 80e6);
    follow(&params, &feed, 250, 100e6); /* up to the next one, not to the contract */
    assert_true(feed.load_w == 90e6);
    assert_int_equal(feed.phase, MR_FEED_HOLDING);
    follow(&params, &feed, 350, 100e6);
    assert_true(feed.load_w == 60e6);
    follow(&params, &feed, 430, 100e6);
    assert_true(feed.load_w == 90e6 && feed.phase == MR_FEED_RAMPING_UP);
    follow(&params, &feed, 600, 100e6);
    assert_true(feed.load_w == 100e6 && feed.phase == MR_FEED_IDLE);
    assert_true(mr_feed_budget_w(&feed, 600) == 120e6);
    assert_int_equal(feed.n_alert, 0);
}

MR_TEST(null_releases)
{
    const struct mr_feed_params params = plain();
    struct mr_feed feed;
    mr_feed_start(&params, 0, 100e6, &feed);
    set(&params, &feed, 50, never, 70e6);
    set(&params, &feed, 0, never, never); /* before it began */
    assert_true(feed.phase == MR_FEED_IDLE && feed.n_target == 0);
    set(&params, &feed, 50, never, 70e6);
    follow(&params, &feed, 200, 100e6);
    assert_true(feed.load_w == 70e6);
    feed.n_status = 0;
    set(&params, &feed, 200, never, never);
    mr_feed_step(&params, &feed, 200, 70e6);
    assert_int_equal(feed.status[0].event, MR_FEED_TARGET_SET);
    assert_int_equal(feed.status[1].event, MR_FEED_START_RAMP_UP);
    assert_int_equal(feed.phase, MR_FEED_RAMPING_UP);
    follow(&params, &feed, 300, 100e6);
    assert_true(feed.load_w == 100e6 && feed.phase == MR_FEED_IDLE);
    /* and the statuses stop coming */
    feed.n_status = 0;
    mr_feed_step(&params, &feed, 10000, 100e6);
    assert_int_equal(feed.n_status, 0);
    assert_true(mr_feed_next_s(&params, &feed) == (double)INFINITY);
}

static void expect_words(struct mr_feed *feed, const double (*told)[3], uint32_t n)
{
    assert_int_equal(feed->n_status, n);
    for (uint32_t i = 0; i < n; i++) {
        assert_int_equal(feed->status[i].event, (int)told[i][1]);
        assert_true(feed->status[i].t_s == told[i][0] && feed->status[i].target_w == told[i][2]);
    }
    feed->n_status = 0;
}

/* 80 MW for an hour; deepened to 60 for 200 s, relaxed to 90 for as long, released. */
MR_TEST(one_in_force_is_deepened_relaxed_and_released)
{
    struct mr_feed_params params = plain();
    params.periodic_s = 86400;
    struct mr_feed feed;
    mr_feed_start(&params, 0, 100e6, &feed);
    set(&params, &feed, 100, 3700, 80e6);
    follow(&params, &feed, 500, 100e6);
    assert_true(feed.load_w == 80e6);
    set(&params, &feed, 500, 700, 60e6);
    follow(&params, &feed, 600, 100e6);
    assert_true(feed.load_w == 60e6 && feed.phase == MR_FEED_HOLDING);
    follow(&params, &feed, 1000, 100e6); /* what was before it holds again */
    assert_true(feed.load_w == 80e6 && feed.phase == MR_FEED_HOLDING);
    set(&params, &feed, 1000, 1200, 90e6);
    follow(&params, &feed, 1100, 100e6);
    assert_true(feed.load_w == 90e6 && feed.phase == MR_FEED_HOLDING);
    follow(&params, &feed, 1500, 100e6);
    assert_true(feed.load_w == 80e6);
    set(&params, &feed, 1500, never, never);
    follow(&params, &feed, 2000, 100e6);
    assert_true(feed.load_w == 100e6 && feed.phase == MR_FEED_IDLE && feed.n_target == 0);
    const double told[][3] = {
        {0, MR_FEED_TARGET_SET, never},       {100, MR_FEED_START_RAMP_DOWN, 80e6},
        {120, MR_FEED_END_RAMP_DOWN, 80e6},   {500, MR_FEED_TARGET_SET, 80e6},
        {500, MR_FEED_START_RAMP_DOWN, 60e6}, {520, MR_FEED_END_RAMP_DOWN, 60e6},
        {700, MR_FEED_START_RAMP_UP, 80e6},   {720, MR_FEED_END_RAMP_UP, 80e6},
        {1000, MR_FEED_TARGET_SET, 80e6},     {1000, MR_FEED_START_RAMP_UP, 90e6},
        {1010, MR_FEED_END_RAMP_UP, 90e6},    {1200, MR_FEED_START_RAMP_DOWN, 80e6},
        {1210, MR_FEED_END_RAMP_DOWN, 80e6},  {1500, MR_FEED_TARGET_SET, 80e6},
        {1500, MR_FEED_START_RAMP_UP, never}, {1540, MR_FEED_END_RAMP_UP, never}};
    expect_words(&feed, told, sizeof told / sizeof *told);
    assert_int_equal(feed.n_alert, 0);
}

/* A target that is exceeded does not become less so by another: the old one counts until the notice
 * of the new one is over, and that one then. Relaxed, it may be met at once. */
MR_TEST(a_breach_lasts_through_a_change)
{
    const struct mr_feed_params params = plain(); /* notice 30 s */
    struct mr_feed feed;
    mr_feed_start(&params, 0, 100e6, &feed);
    set(&params, &feed, 100, never, 90e6); /* 11 % over */
    mr_feed_step(&params, &feed, 200, 100e6);
    assert_int_equal(feed.n_alert, 1);
    set(&params, &feed, 200, never, 50e6);
    mr_feed_step(&params, &feed, 229, 100e6);
    assert_int_equal(feed.n_alert, 1); /* still the same warning */
    mr_feed_step(&params, &feed, 229, 85e6);
    assert_int_equal(feed.n_alert, 2);
    assert_int_equal(feed.alert[1].breach, MR_FEED_RESOLVED);
    assert_true(feed.alert[1].target_w == 90e6 && mr_feed_next_s(&params, &feed) == 230);
    mr_feed_step(&params, &feed, 300, 85e6);
    assert_int_equal(feed.n_alert, 3);
    assert_true(feed.alert[2].t_s == 230 && feed.alert[2].target_w == 50e6);
    assert_int_equal(feed.alert[2].severity, MR_FEED_CRITICAL);
    set(&params, &feed, 300, never, 85e6);
    mr_feed_step(&params, &feed, 300, 85e6);
    assert_int_equal(feed.alert[3].breach, MR_FEED_RESOLVED);
    /* the contract is none of a target's: its breach lasts too */
    mr_feed_start(&params, 0, 130e6, &feed);
    set(&params, &feed, 100, never, 90e6);
    mr_feed_step(&params, &feed, 110, 130e6);
    assert_true(feed.n_alert == 1 && feed.is_breached);
}

/* What was not met asks nobody to stop as it ends: the way back begins at the load. */
MR_TEST(the_way_back_begins_at_the_load)
{
    const struct mr_feed_params params = plain();
    struct mr_feed feed;
    mr_feed_start(&params, 0, 100e6, &feed);
    set(&params, &feed, 10, 100, 20e6);
    set(&params, &feed, 100, 200, 50e6);
    mr_feed_step(&params, &feed, 99, 60e6);
    assert_true(mr_feed_budget_w(&feed, 99) == 20e6);
    mr_feed_step(&params, &feed, 100, 60e6);
    assert_int_equal(feed.phase, MR_FEED_RAMPING_DOWN);
    assert_true(mr_feed_budget_w(&feed, 100) == 60e6 && mr_feed_budget_w(&feed, 110) == 50e6);
    mr_feed_step(&params, &feed, 200, 60e6);
    assert_true(mr_feed_budget_w(&feed, 200) == 60e6 && mr_feed_budget_w(&feed, 260) == 120e6);
}

/* Any number of changes: what holds is what was set last, and never another. */
MR_TEST(what_is_set_last_holds)
{
    for (uint64_t seed = 0; seed < 200; seed++) {
        struct mr_rng rng = mr_rng_stream(seed, MR_RNG_TEST, 2);
        const struct mr_feed_params params = plain();
        struct mr_feed feed;
        double want_w[100]; /* second by second */
        for (int i = 0; i < 100; i++)
            want_w[i] = params.limit_w;
        mr_feed_start(&params, 0, 50e6, &feed);
        for (int t = 0; t < 100; t++) {
            struct mr_err err = {0};
            const int start = t + (int)mr_rng_range(&rng, 0, 20);
            const int end = start + 1 + (int)mr_rng_range(&rng, 0, 40);
            const struct mr_feed_target target = {
                start, mr_rng_range(&rng, 0, 1) < 0.2 ? never : end,
                mr_rng_range(&rng, 0, 1) < 0.2 ? never : mr_rng_range(&rng, 10e6, 110e6), false};
            mr_feed_advance(&params, &feed, t);
            if (mr_rng_range(&rng, 0, 1) < 0.5 &&
                mr_feed_set(&params, &feed, &target, &err) == MR_OK)
                for (int i = start; i < 100 && i < target.end_s; i++)
                    want_w[i] = fmin(target.limit_w, params.limit_w);
            mr_feed_step(&params, &feed, t, 50e6);
            assert_true(mr_feed_constraint_w(&params, &feed) == want_w[t]);
            for (uint32_t i = 0; i + 1 < feed.n_target; i++)
                assert_true(feed.target[i].end_s <= feed.target[i + 1].start_s);
            feed.n_status = feed.n_alert = 0;
        }
    }
}

/* One that deepens leaves what is deeper: of every moment the least of both holds. */
MR_TEST(what_deepens_relaxes_nothing)
{
    const struct mr_feed_params params = plain();
    struct mr_err err = {0};
    for (uint64_t seed = 0; seed < 300; seed++) {
        struct mr_rng rng = mr_rng_stream(seed, MR_RNG_TEST, 3);
        struct mr_feed feed;
        double want_w[100];
        mr_feed_start(&params, 0, 50e6, &feed);
        for (int i = 0; i < 100; i++)
            want_w[i] = params.limit_w;
        for (int k = 0; k < 5; k++) { /* the last one deepens */
            const int start = (int)mr_rng_range(&rng, 0, 60);
            const int end = start + 1 + (int)mr_rng_range(&rng, 0, 40);
            const struct mr_feed_target target = {
                start, end, mr_rng_range(&rng, 0, 1) < 0.2 ? 60e6 : mr_rng_range(&rng, 10e6, 110e6),
                false};
            if (k == 4)
                assert_int_equal(mr_feed_deepen(&params, &feed, &target, &err), MR_OK);
            else
                set(&params, &feed, start, end, target.limit_w);
            for (int i = start; i < end && i < 100; i++)
                want_w[i] = k == 4 ? fmin(want_w[i], target.limit_w) : target.limit_w;
        }
        for (int t = 0; t < 100; t++) {
            mr_feed_step(&params, &feed, t, 50e6);
            assert_true(mr_feed_constraint_w(&params, &feed) == want_w[t]);
            feed.n_status = feed.n_alert = 0;
        }
    }
}

/* The least that is hard: of the targets that are not of best effort. */
MR_TEST(best_effort_is_not_hard)
{
    const struct mr_feed_params params = plain();
    const struct mr_feed_target soft = {10, 100, 50e6, true};
    struct mr_err err = {0};
    struct mr_feed feed;
    mr_feed_start(&params, 0, 60e6, &feed);
    set(&params, &feed, 0, never, 80e6);
    mr_feed_step(&params, &feed, 0, 60e6);
    assert_false(mr_feed_is_best_effort(&feed, 90));
    assert_int_equal(mr_feed_set(&params, &feed, &soft, &err), MR_OK);
    assert_true(mr_feed_is_best_effort(&feed, 90) && !mr_feed_is_best_effort(&feed, 9));
    assert_true(mr_feed_least_budget_w(&params, &feed, 90) == 50e6);
    assert_true(mr_feed_hard_budget_w(&params, &feed, 90) == 80e6);
    mr_feed_step(&params, &feed, 40, 60e6);
    assert_true(mr_feed_least_budget_w(&params, &feed, 90) == 50e6);
    assert_true(mr_feed_hard_budget_w(&params, &feed, 90) == 120e6);
    assert_true(mr_feed_hard_budget_w(&params, &feed, 101) == 80e6);
    mr_feed_step(&params, &feed, 100, 60e6); /* back to what is hard */
    assert_true(mr_feed_least_budget_w(&params, &feed, 110) == 60e6);
    assert_true(mr_feed_is_best_effort(&feed, 100) && feed.phase == MR_FEED_RAMPING_UP);
    assert_true(mr_feed_hard_budget_w(&params, &feed, 110) == 80e6);
    mr_feed_step(&params, &feed, 120, 60e6);
    assert_false(mr_feed_is_best_effort(&feed, 120));
    assert_true(mr_feed_hard_budget_w(&params, &feed, 130) == 80e6);
}

MR_TEST(followed_budgets_never_breach_nor_jump)
{
    for (uint64_t seed = 0; seed < 100; seed++) {
        struct mr_rng rng = mr_rng_stream(seed, MR_RNG_TEST, 1);
        struct mr_feed_params params = plain();
        params.notice_s = 120; /* as long as the deepest ramp */
        struct mr_feed feed;
        mr_feed_start(&params, 0, 100e6, &feed);
        double t_s = 0;
        for (int k = 0; k < 10; k++) {
            const double start_s = t_s + mr_rng_range(&rng, 0, 500);
            t_s = start_s + mr_rng_range(&rng, 1, 900);
            set(&params, &feed, start_s, t_s, mr_rng_range(&rng, 10e6, 110e6));
        }
        double before_w = 100e6;
        while (feed.t_s < t_s + 500) {
            follow(&params, &feed, feed.t_s + 1, 100e6);
            assert_true(fabs(feed.load_w - before_w) <= 1e6 * (1 + 1e-9));
            before_w = feed.load_w;
            feed.n_status = 0;
        }
        assert_int_equal(feed.n_alert, 0);
        assert_int_equal(feed.n_lost, 0);
        assert_true(feed.load_w == 100e6 && feed.phase == MR_FEED_IDLE);
    }
}

MR_TEST(what_is_asked_of_the_site)
{
    struct mr_feed_hint hint[3];
    int action[4];
    assert_int_equal(mr_feed_hints(MR_FEED_WARNING, false, hint), 2);
    assert_string_equal(mr_feed_action_text(hint[0].action), "power_cap");
    assert_string_equal(mr_feed_resource_text(hint[0].resource), "gpu");
    assert_int_equal(mr_feed_hints(MR_FEED_CRITICAL, false, hint), 3);
    assert_string_equal(mr_feed_action_text(hint[2].action), "suspend");
    assert_int_equal(mr_feed_hints(MR_FEED_CRITICAL, true, hint), 2); /* nothing is stopped */
    assert_int_equal(mr_feed_infrastructure(MR_FEED_CRITICAL, true, action), 0);
    assert_int_equal(mr_feed_infrastructure(MR_FEED_CRITICAL, false, action), 4);
    assert_string_equal(mr_feed_infrastructure_text(action[3]), "TRIP_BREAKERS");
    assert_string_equal(mr_feed_result_text(mr_feed_result(10, 0)), "success");
    assert_string_equal(mr_feed_result_text(mr_feed_result(10, 4)), "partial");
    assert_string_equal(mr_feed_result_text(mr_feed_result(10, 10)), "error");
    assert_string_equal(mr_feed_event_text(MR_FEED_END_RAMP_UP), "end_ramp_up");
    assert_string_equal(mr_feed_breach_text(MR_FEED_ESCALATED), "escalated");
}

MR_TEST(impossible_feeds)
{
    struct mr_feed_params params = plain();
    struct mr_err err = {0};
    assert_int_equal(mr_feed_check(&params, "grid", &err), MR_OK);
    params.min_w = 130e6;
    assert_int_equal(mr_feed_check(&params, "grid", &err), MR_RANGE);
    mr_assert_contains(err.text, "grid: contract of 1.2e+08 W: the site draws 1.3e+08 W at least");
    params = plain();
    params.limit_w = params.min_w = 0;
    err = (struct mr_err){0};
    assert_int_equal(mr_feed_check(&params, "grid", &err), MR_RANGE);
    mr_assert_contains(err.text, "grid: contract of 0 W: nothing could be drawn");
    params = plain();
    params.ramp_down_w_s = 0;
    err = (struct mr_err){0};
    assert_int_equal(mr_feed_check(&params, "grid", &err), MR_RANGE);
    mr_assert_contains(err.text, "grid: ramp limit 0 W/s");
}

static void refused(struct mr_feed_target target, const char *part)
{
    const struct mr_feed_params params = plain();
    struct mr_feed feed;
    struct mr_err err = {0};
    mr_feed_start(&params, 10, 100e6, &feed);
    set(&params, &feed, 100, 200, 50e6);
    assert_true(mr_feed_set(&params, &feed, &target, &err) != MR_OK);
    mr_assert_contains(err.text, part);
    assert_int_equal(feed.n_target, 1);
}

MR_TEST(impossible_targets)
{
    refused((struct mr_feed_target){300, 400, -1, false}, "load target of -1 W");
    refused((struct mr_feed_target){5, 50, 1e6, false}, "must lie ahead of 10 s");
    refused((struct mr_feed_target){300, 300, 1e6, false}, "have a length");
    refused((struct mr_feed_target){300, 400, (double)NAN, false}, "load target of nan W");
    const struct mr_feed_params params = plain();
    struct mr_feed feed;
    struct mr_err err = {0};
    mr_feed_start(&params, 0, 100e6, &feed);
    for (int i = 0; i < MR_FEED_TARGETS; i++)
        set(&params, &feed, 10 * i, 10 * i + 10, 50e6);
    assert_int_equal(
        mr_feed_set(&params, &feed, &(struct mr_feed_target){900, 901, 1, false}, &err), MR_LIMIT);
    mr_assert_contains(err.text, "more than 16 load targets");
    /* in the midst of one there are two ends too many; in place of one there is room */
    err = (struct mr_err){0};
    const struct mr_feed_target inside = {13, 14, 1, false}, instead = {10, 20, 1, false};
    assert_int_equal(mr_feed_set(&params, &feed, &inside, &err), MR_LIMIT);
    assert_true(feed.n_target == 16 && feed.target[1].end_s == 20 && feed.target[1].limit_w > 1);
    assert_int_equal(mr_feed_set(&params, &feed, &instead, &err), MR_OK);
    assert_true(feed.n_target == 16 && feed.target[1].limit_w == 1);
}

MR_TEST_MAIN(MR_TEST_ENTRY(a_curtailment_in_its_words),
             MR_TEST_ENTRY(the_load_at_the_end_of_the_notice_counts),
             MR_TEST_ENTRY(breaches_are_told_and_resolved),
             MR_TEST_ENTRY(targets_follow_each_other), MR_TEST_ENTRY(null_releases),
             MR_TEST_ENTRY(one_in_force_is_deepened_relaxed_and_released),
             MR_TEST_ENTRY(a_breach_lasts_through_a_change),
             MR_TEST_ENTRY(the_way_back_begins_at_the_load), MR_TEST_ENTRY(what_is_set_last_holds),
             MR_TEST_ENTRY(what_deepens_relaxes_nothing), MR_TEST_ENTRY(best_effort_is_not_hard),
             MR_TEST_ENTRY(followed_budgets_never_breach_nor_jump),
             MR_TEST_ENTRY(what_is_asked_of_the_site), MR_TEST_ENTRY(impossible_feeds),
             MR_TEST_ENTRY(impossible_targets))
