/* SPDX-License-Identifier: Apache-2.0 */
/* power/plan: what is refused and why, events of a kind that overlap, shares of a draw, a start
 * that is steady. */
#include "power/plan.h"

#include "engine/base/mem.h"
#include "platforms/layout.h"
#include "tests/test.h"

struct world {
    struct mr_site *site;
    struct mr_supply *supply;
    struct mr_plan plan;
    struct mr_err err;
};

#define HALL "<hall><row count=\"4\"><rack card=\"gb200_nvl72\" count=\"8\"/></row></hall>"

/* 32 racks of 132 kW behind UPS that diesel sets relieve; four turbines, three for the load */
static const char *const backed =
    "<layout name=\"s\"><grid limit=\"6 MW\" voltage=\"110 kV\"/><power><generator/></power>" HALL
    "</layout>";
static const char *const island =
    "<layout name=\"i\"><grid interconnect=\"island\"/><power ups=\"none\"><turbine "
    "rating=\"2 MW\" units=\"4\" spare=\"1\" name=\"gt\"/><bess name=\"bess\"/></power>" HALL
    "</layout>";

static const double rack_w = 120e3;

static struct world begin(const char *layout)
{
    struct world w = {0};
    struct mr_diags diags = {0};
    struct mr_supply_options o = {0};
    mr_supply_defaults(&o.params);
    if (mr_layout_load_text("t", mr_str_of(layout), &w.site, &diags) != MR_OK)
        fail_msg("%s", diags.item[0].err.text);
    if (mr_supply_create(w.site, &o, &w.supply, &diags) != MR_OK)
        fail_msg("%s", diags.item[0].err.text);
    for (uint32_t i = 0; i < w.site->n_rack; i++)
        mr_supply_set_rack(w.supply, i, rack_w);
    mr_supply_advance(w.supply, 0);
    return w;
}

static void end(struct world *w)
{
    mr_free(w->plan.item);
    mr_supply_destroy(w->supply);
    mr_site_destroy(w->site);
}

static mr_status read_plan(struct world *w, const char *const *text, size_t n)
{
    const char *item[8];
    for (size_t i = 0; i < n; i++)
        item[i] = text[i];
    const struct mr_param_list list = {.item = item, .n = n};
    mr_free(w->plan.item);
    return mr_plan_read(&list, w->site, &w->plan, &w->err);
}

/* Everything of the plan up to t_s, then on to there. */
static void play(struct world *w, size_t *next, double t_s)
{
    for (; *next < w->plan.n && w->plan.item[*next].t_s <= t_s; (*next)++) {
        mr_supply_advance(w->supply, w->plan.item[*next].t_s);
        if (mr_plan_apply(&w->plan.item[*next], w->supply, &w->err) != MR_OK)
            fail_msg("%s", w->err.text);
    }
    mr_supply_advance(w->supply, t_s);
}

static void begin_plan(struct world *w, const char *const *text, size_t n)
{
    if (read_plan(w, text, n) != MR_OK)
        fail_msg("%s", w->err.text);
}

static struct mr_supply_reading now(const struct world *w)
{
    struct mr_supply_reading reading;
    mr_supply_read(w->supply, &reading);
    return reading;
}

static void refused(const char *layout, const char *text, const char *why)
{
    struct world w = begin(layout);
    if (read_plan(&w, &text, 1) == MR_OK)
        fail_msg("%s was taken", text);
    mr_assert_contains(w.err.text, why);
    end(&w);
}

MR_TEST(units_that_are_not_there_are_refused)
{
    refused(backed, "units:S.sub0@10min=99", "S.sub0 has ");
    refused(backed, "units:H0.upsA@10s=50", "H0.upsA has ");
    refused(island, "units:S.gt@10min=500", "S.gt has ");
    refused(island, "units:S.gt@10min=1.5", "1.5 units lost");
    refused(island, "units:S.bess@10min=1", "units of batteries");
    refused(backed, "curtail@10min+1h=150%", "no curtailment");
    refused(backed, "utility@10min+1h~30s", "only curtail has a notice");
    refused(backed, "curtail@10min=none best_effort", "a release has no effort");
    refused(backed, "curtail@10min=75% best-effort", "75% best-effort");
    refused(backed, "curtail@10min=best_effort", "best_effort");
    refused(backed, "curtail@10min= best_effort", "curtail@10min");
    refused(backed, "curtail@10min+1h~=75%", "how long before");
    refused(backed, "curtail@10min+1h~-30s=75%", "0 or more");
    refused(backed, "close:H0.upsA@10min+1h", "takes no duration");
}

MR_TEST(outages_that_overlap_last_to_the_last_end)
{
    const char *const text[] = {"utility@10min+10min", "utility@15min+20min"};
    struct world w = begin(backed);
    size_t next = 0;
    begin_plan(&w, text, 2);
    assert_int_equal(w.plan.n, 4);
    for (double t_s = 60; t_s <= 3600; t_s += 60) {
        play(&w, &next, t_s + 1);
        if (t_s < 600 || t_s > 36 * 60)
            assert_true(now(&w).has_grid);
        else if (t_s < 35 * 60)
            assert_false(now(&w).has_grid);
    }
    end(&w);
}

/* What every item of the plan says, in order. */
static void expect(struct world *w, const double *value)
{
    for (size_t i = 0; i < w->plan.n; i++)
        mr_assert_near(w->plan.item[i].value, value[i], 0, 0);
}

MR_TEST(events_of_a_kind_are_counted_by_node)
{
    struct world w = begin(island);
    const char *const units[] = {"units:S.gt@1min+10min=1", "units:S.gt@5min+10min=1"};
    begin_plan(&w, units, 2);
    expect(&w, (const double[]){1, 2, 1, 0});
    const char *const good[] = {"units:S.gt@1min=1", "units:S.gt@5min+10min=1",
                                "units:S.gt@20min=0"};
    begin_plan(&w, good, 3);
    expect(&w, (const double[]){1, 2, 1, 0});
    const char *const twice[] = {"node:H0.R1.rppA@1min+10min", "node:H0.R1.rppA@5min+10min",
                                 "units:S.gt@6min+1min=2"};
    begin_plan(&w, twice, 3);
    expect(&w, (const double[]){1, 1, 2, 0, 1, 0});
    const char *const dips[] = {"utility@1min+10min=0.5", "utility@5min+1min=0.2",
                                "utility@20min+1min=0.9"};
    begin_plan(&w, dips, 3);
    expect(&w, (const double[]){0.5, 0.2, 0.5, 1, 0.9, 1});
    const char *const policies[] = {"policy@1min+10min=max_q", "policy@5min+1min=max_lps"};
    begin_plan(&w, policies, 2);
    expect(&w, (const double[]){1, 2, 1, mr_plan_own});
    const char *const meet[] = {"utility@1min+1min", "utility@2min+1min"};
    begin_plan(&w, meet, 2);
    expect(&w, (const double[]){0, 1, 0, 1});
    end(&w);
}

MR_TEST(a_share_is_of_what_was_drawn_before)
{
    const char *const at_start = "curtail@0s+1h=75%";
    struct world w = begin(backed);
    size_t next = 0;
    const double meter_w = now(&w).grid_w;
    assert_true(meter_w > 32 * rack_w);
    begin_plan(&w, &at_start, 1);
    play(&w, &next, 600);
    mr_assert_near(now(&w).target_w, 0.75 * meter_w, 1e-12, 0);
    assert_true(now(&w).n_rack_held == 0 && now(&w).rack_w > 0.6 * 32 * rack_w);
    end(&w);
}

/* Told 30 s before, a target is met when it begins; told then, it is not yet. */
MR_TEST(a_target_with_a_notice_is_met_at_its_start)
{
    static const char *const text[] = {"curtail@10min+1h=75%", "curtail@10min+1h~30s=75%",
                                       "curtail@10min+1h~2h=75%"};
    for (int i = 0; i < 3; i++) {
        struct world w = begin(backed);
        size_t next = 0;
        const double meter_w = now(&w).grid_w;
        begin_plan(&w, &text[i], 1);
        play(&w, &next, 590);
        assert_true(now(&w).grid_w > 0.75 * meter_w || i > 0);
        play(&w, &next, 600);
        mr_assert_near(now(&w).target_w, 0.75 * meter_w, 1e-3, 0);
        assert_true((now(&w).grid_w <= now(&w).target_w) == (i > 0));
        play(&w, &next, 4000);
        assert_true(now(&w).grid_w <= 0.75 * meter_w);
        play(&w, &next, 4230);
        mr_assert_near(now(&w).grid_w, meter_w, 1e-3, 0);
        end(&w);
    }
}

MR_TEST(a_share_while_the_grid_is_away_is_of_the_last_draw)
{
    const char *const text[] = {"utility@5min+10min", "curtail@10min+1h=75%"};
    struct world w = begin(backed);
    size_t next = 0;
    begin_plan(&w, text, 2);
    play(&w, &next, 299);
    const double meter_w = now(&w).grid_w;
    play(&w, &next, 601);
    assert_true(!now(&w).has_grid && now(&w).grid_w == 0);
    mr_assert_near(now(&w).target_w, 0.75 * meter_w, 1e-3, 0);
    end(&w);
}

/* Shares of one curtailment are of one draw: that before it. What has no duration holds until the
 * next that has none; what has one counts while it lasts. */
MR_TEST(a_curtailment_is_deepened_relaxed_and_released)
{
    static const char *const text[] = {"curtail@10min=75%", "curtail@20min+10min~1min=50%",
                                       "curtail@40min=90%", "curtail@50min=none"};
    static const double share[] = {0.75, 0.5, 0.75, 0.9, 1, 1};
    struct world w = begin(backed);
    size_t next = 0;
    begin_plan(&w, text, 4);
    play(&w, &next, 599);
    const double meter_w = now(&w).grid_w;
    for (int i = 0; i < 6; i++) {
        const double limit_w = i < 4 ? share[i] * meter_w : 6e6;
        play(&w, &next, 600 * (i + 1) + 300);
        mr_assert_near(now(&w).target_w, limit_w, 1e-3, 0);
        assert_true(now(&w).is_compliant && now(&w).n_rack_held == 0);
        mr_assert_near(now(&w).grid_w, share[i] * meter_w, 0.02, 0);
    }
    end(&w);
}

/* Lowest caps are 35 % of 132 kW; a quarter of the draw is less. Asked hard, racks rest. */
MR_TEST(best_effort_stops_nobody)
{
    static const char *const text[] = {"curtail@10min+10min=25% best_effort",
                                       "curtail@10min+10min=25%"};
    for (int i = 0; i < 2; i++) {
        struct world w = begin(backed);
        size_t next = 0;
        begin_plan(&w, &text[i], 1);
        assert_true(w.plan.item[0].is_best_effort == (i == 0));
        play(&w, &next, 900);
        assert_true(now(&w).is_compliant == (i == 1) && (now(&w).n_rack_held > 0) == (i == 1));
        if (i == 0)
            mr_assert_near(now(&w).rack_w, 32 * 0.35 * 132e3, 1e-9, 0);
        end(&w);
    }
}

MR_TEST(an_island_has_nothing_to_curtail)
{
    const char *const text = "curtail@0s+1h=75%";
    struct world w = begin(island);
    begin_plan(&w, &text, 1);
    assert_int_equal(mr_plan_apply(&w.plan.item[0], w.supply, &w.err), MR_RANGE);
    mr_assert_contains(w.err.text, "nothing to curtail");
    end(&w);
}

MR_TEST(racks_told_to_stop_as_the_grid_goes_are_no_negative_load)
{
    const char *const text[] = {"curtail@0s+1h=0 W", "utility@0s+10min"};
    struct world w = begin(backed);
    struct mr_supply_total total;
    size_t next = 0;
    begin_plan(&w, text, 2);
    play(&w, &next, 3600);
    mr_supply_total(w.supply, &total);
    assert_true(total.n_shut > 0 && total.closure_rel < 1e-9);
    end(&w);
}

MR_TEST(what_fails_at_the_start_is_ridden_through_as_later)
{
    uint64_t n_lost[2];
    for (int late = 0; late < 2; late++) {
        const char *const text = late ? "node:S.sub0@10min+10min" : "node:S.sub0@0s+10min";
        struct world w = begin(backed);
        struct mr_supply_total total;
        size_t next = 0;
        begin_plan(&w, &text, 1);
        play(&w, &next, 1800);
        mr_supply_total(w.supply, &total);
        n_lost[late] = total.n_lost;
        end(&w);
    }
    assert_true(n_lost[0] == 0 && n_lost[1] == 0);
}

MR_TEST_MAIN(MR_TEST_ENTRY(units_that_are_not_there_are_refused),
             MR_TEST_ENTRY(outages_that_overlap_last_to_the_last_end),
             MR_TEST_ENTRY(events_of_a_kind_are_counted_by_node),
             MR_TEST_ENTRY(a_share_is_of_what_was_drawn_before),
             MR_TEST_ENTRY(a_target_with_a_notice_is_met_at_its_start),
             MR_TEST_ENTRY(a_curtailment_is_deepened_relaxed_and_released),
             MR_TEST_ENTRY(best_effort_stops_nobody),
             MR_TEST_ENTRY(a_share_while_the_grid_is_away_is_of_the_last_draw),
             MR_TEST_ENTRY(an_island_has_nothing_to_curtail),
             MR_TEST_ENTRY(racks_told_to_stop_as_the_grid_goes_are_no_negative_load),
             MR_TEST_ENTRY(what_fails_at_the_start_is_ridden_through_as_later))
