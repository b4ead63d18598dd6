/* SPDX-License-Identifier: Apache-2.0 */
/* power/supply and what limits it: the connection, targets, budgets; who is capped, who rests, in
 * which order. */
#include "engine/base/rng.h"
#include "tests/power/supply_bed.h"

/* Parameters and the site both state the connection: the smaller holds. */
MR_TEST(the_smaller_limit_of_the_connection_holds)
{
    static const char *const grids[] = {"<grid limit=\"6 MW\"/>", "<grid/>",
                                        "<grid limit=\"2 MW\"/>"};
    for (int i = 0; i < 3; i++) {
        struct mr_supply_options o = options();
        char layout[4096];
        o.params.feed.limit_w = i < 2 ? 2e6 : 6e6;
        assert_true(snprintf(layout, sizeof layout, "<layout name=\"s\">%s%s</layout>", grids[i],
                             HALL) < (int)sizeof layout);
        begin(layout, &o);
        want_all(130e3);
        mr_supply_advance(world.supply, 3600);
        assert_true(now().limit_w == 2e6);
        assert_true(now().grid_w <= 2e6 && now().grid_w > 1.9e6);
        assert_int_equal(totals().n_breach, 0);
        end(1e-9);
    }
}

/* A ramp alone, of the site or of parameters, lets racks return one by one. */
MR_TEST(a_ramp_needs_no_limit)
{
    static const char *const grids[] = {"<grid ramp=\"1 MW/min\"/>", "<grid limit=\"6 MW\"/>"};
    for (int i = 0; i < 2; i++) {
        struct mr_supply_options o = options();
        char layout[4096];
        if (i == 1)
            o.params.feed.ramp_up_w_s = 1e6 / 60;
        assert_true(snprintf(layout, sizeof layout, "<layout name=\"s\">%s%s</layout>", grids[i],
                             HALL) < (int)sizeof layout);
        begin(layout, &o);
        want_all(100e3);
        mr_supply_advance(world.supply, 600);
        mr_supply_set_voltage(world.supply, 0);
        mr_supply_advance(world.supply, 3600);
        mr_supply_set_voltage(world.supply, 1);
        assert_int_equal(now().n_rack_on, 0);
        uint32_t n_on = 0, most = 0;
        for (double t_s = 3600; t_s <= 4500; t_s += 5) {
            mr_supply_advance(world.supply, t_s);
            most = now().n_rack_on > n_on && now().n_rack_on - n_on > most ? now().n_rack_on - n_on
                                                                           : most;
            n_on = now().n_rack_on;
        }
        assert_int_equal(n_on, 32);
        assert_int_equal(most, 1);
        end(1e-9);
    }
}

MR_TEST(curtailment_is_met_in_time)
{
    struct mr_supply_options o = options();
    begin("<layout name=\"s\"><grid limit=\"6 MW\"/>" HALL "</layout>", &o);
    want_all(130e3);
    mr_supply_advance(world.supply, 3600);
    const double before_w = now().grid_w;
    const struct mr_feed_target target = {
        .start_s = 3630, .end_s = 3630 + 3 * 3600, .limit_w = 0.75 * before_w};
    struct mr_err err = {0};
    assert_int_equal(mr_supply_set_target(world.supply, &target, &err), MR_OK);
    for (double t_s = 3660; t_s < target.end_s; t_s += 7.3) {
        mr_supply_advance(world.supply, t_s);
        assert_true(now().grid_w <= target.limit_w);
        assert_true(now().grid_w > 0.9 * target.limit_w);
        assert_true(now().is_compliant);
    }
    assert_int_equal(now().n_rack_capped, 32);
    mr_supply_advance(world.supply, target.end_s + 120);
    mr_assert_near(now().grid_w, before_w, 1e-9, 0);
    const struct mr_supply_total t = totals();
    assert_int_equal(t.n_breach, 0);
    assert_true(t.capped_j > 0.2 * before_w * 3 * 3600 * 0.9);
    static const char *const order[] = {"target_set", "start_ramp_down", "end_ramp_down",
                                        "start_ramp_up", "end_ramp_up"};
    size_t k = 0;
    for (size_t i = 0; i < world.n_event; i++)
        if (strcmp(world.event[i].kind, "grid.powerstate") == 0 &&
            strcmp(world.event[i].detail, "periodic") != 0) {
            assert_true(k < 5);
            assert_string_equal(world.event[i].detail, order[k++]);
        }
    assert_int_equal(k, 5);
    end(1e-9);
}

/* The same racks, but somebody else owns their clocks and obeys caps a second later. */
MR_TEST(told_loads_meet_the_target_too)
{
    struct mr_supply_options o = options();
    begin("<layout name=\"s\"><grid limit=\"6 MW\"/>" HALL "</layout>", &o);
    const double want_w = 130e3;
    const struct mr_feed_target target = {.start_s = 630, .end_s = 1800, .limit_w = 4e6};
    struct mr_err err = {0};
    bool was_over = false;
    for (int t = 0; t < 2400; t++) {
        if (t == 600)
            assert_int_equal(mr_supply_set_target(world.supply, &target, &err), MR_OK);
        for (uint32_t i = 0; i < world.site->n_rack; i++) {
            const double cap_w = mr_supply_rack_cap_w(world.supply, i);
            was_over |= mr_supply_rack_w(world.supply, i) > cap_w * (1 + 1e-9);
            mr_supply_set_load(world.supply, i, fmin(want_w, cap_w), want_w);
            assert_true(mr_supply_rack_is_on(world.supply, i));
        }
        mr_supply_advance(world.supply, t + 1);
        mr_assert_near(mr_supply_rack_w(world.supply, 3), fmin(want_w, now().rack_w / 32), 1e-9, 0);
        assert_true(t < 660 || t + 1 >= 1800 || now().grid_w <= target.limit_w);
    }
    assert_true(was_over); /* that second is seen, not hidden */
    assert_int_equal(totals().n_breach, 0);
    mr_assert_near(now().rack_w, 32 * want_w, 1e-12, 0);
    end(1e-9);
}

/* The loop of an owner of clocks, a second at a time: racks report what they draw and would draw;
 * then they are told caps, who is held, who has no supply. Watts follow the clock by a law of the
 * owner's; nothing here knows it. A rack whose lowest clock is above its cap stops its work. */
struct owned {
    double phi;
    bool works;
};

static double owned_w(const struct owned *rack)
{
    return 20e3 + (rack->works ? 110e3 * rack->phi * rack->phi * rack->phi : 0);
}

static void obey(struct owned *rack, uint32_t i)
{
    const double least = 0.5, room_w = mr_supply_rack_cap_w(world.supply, i) - 20e3;
    rack->works = mr_supply_rack_is_on(world.supply, i) &&
                  !mr_supply_rack_is_held(world.supply, i) && room_w > 0;
    rack->phi = least;
    while (rack->phi < 1 && 110e3 * pow(rack->phi + 0.01, 3) <= room_w)
        rack->phi = fmin(1, rack->phi + 0.01);
}

MR_TEST(an_owner_of_clocks)
{
    struct mr_supply_options o = options();
    o.params.suspend_frac = 0.16; /* 21 kW: hosts stay up */
    struct owned rack[32];
    begin("<layout name=\"s\"><grid limit=\"6 MW\"/><power ups=\"none\"/>" HALL "</layout>", &o);
    for (uint32_t i = 0; i < 32; i++) {
        rack[i] = (struct owned){1, true};
        mr_supply_set_tier(world.supply, i, i >= 16);
    }
    const struct mr_feed_target target = {.start_s = 100, .end_s = 700, .limit_w = 1.3e6};
    struct mr_err err = {0};
    assert_int_equal(mr_supply_set_target(world.supply, &target, &err), MR_OK);
    double told_j = 0;
    for (int t = 0; t < 1000; t++) {
        double drawn_w = 0;
        for (uint32_t i = 0; i < 32; i++) {
            const double w = mr_supply_rack_is_on(world.supply, i) ? owned_w(&rack[i]) : 0;
            mr_supply_set_load(world.supply, i, w, 130e3);
            drawn_w += w;
        }
        told_j += drawn_w;
        mr_supply_advance(world.supply, t + 1);
        for (uint32_t i = 0; i < 32; i++)
            obey(&rack[i], i);
        if (t >= 140 && t < 700) {
            assert_true(now().is_compliant && now().grid_w <= target.limit_w);
            for (uint32_t i = 16; i < 32; i++)
                assert_true(rack[i].works && rack[i].phi < 1);
        }
    }
    assert_true(count("power.rack_suspended") > 0 && count("power.rack_suspended") <= 16);
    assert_true(count("power.rack_resumed") >= count("power.rack_suspended"));
    for (uint32_t i = 0; i < 32; i++)
        assert_true(rack[i].works && rack[i].phi == 1 && mr_supply_rack_rate(world.supply, i) == 1);
    mr_assert_near(totals().rack_j, told_j, 1e-12, 0);
    end(1e-9);
}

/* A target of best effort stops nobody. */
MR_TEST(more_than_caps_can_give_is_a_breach)
{
    struct mr_supply_options o = options();
    begin("<layout name=\"s\"><grid limit=\"6 MW\"/>" HALL "</layout>", &o);
    want_all(130e3);
    mr_supply_advance(world.supply, 60);
    const struct mr_feed_target target = {
        .start_s = 100, .end_s = 1000, .limit_w = 1e6, .is_best_effort = true};
    struct mr_err err = {0};
    assert_int_equal(mr_supply_set_target(world.supply, &target, &err), MR_OK);
    mr_supply_advance(world.supply, 900);
    assert_true(totals().n_breach == 1 && totals().n_infeasible > 0);
    assert_true(count("power.budget_infeasible") > 0 && !now().is_compliant);
    mr_assert_near(now().rack_w, 32 * 0.35 * 132e3, 1e-9, 0); /* the lowest caps */
    end(1e-9);
}

/* 32 racks: lowest caps are 46.2 kW each, suspended ones draw 13.2 kW; a target of 1 MW leaves 984
 * kW or so for racks: 17 of the lower tiers must rest. Far below, racks are shut, too. */
MR_TEST(tiers_stop_in_order)
{
    struct mr_supply_options o = options();
    begin("<layout name=\"s\"><grid limit=\"6 MW\"/>" HALL "</layout>", &o);
    want_all(130e3);
    for (uint32_t i = 0; i < 32; i++)
        mr_supply_set_tier(world.supply, i, (uint8_t)(2 - i % 3));
    mr_supply_advance(world.supply, 60);
    struct mr_feed_target target = {.start_s = 100, .end_s = 1000, .limit_w = 1e6};
    struct mr_err err = {0};
    assert_int_equal(mr_supply_set_target(world.supply, &target, &err), MR_OK);
    for (double t_s = 130; t_s < 1000; t_s += 10) {
        mr_supply_advance(world.supply, t_s);
        assert_true(now().is_compliant && now().grid_w <= 1e6 && now().n_rack_on == 32);
    }
    uint32_t n_held[3] = {0};
    for (uint32_t i = 0; i < 32; i++) {
        n_held[2 - i % 3] += mr_supply_rack_is_held(world.supply, i);
        if (mr_supply_rack_is_held(world.supply, i))
            mr_assert_near(mr_supply_rack_w(world.supply, i), 13.2e3, 1e-9, 0);
        else
            assert_true(mr_supply_rack_w(world.supply, i) >= 46.2e3 * (1 - 1e-12));
    }
    /* 10 racks of tier 0, 11 of tiers 1 and 2 */
    assert_true(n_held[0] == 10 && n_held[1] > 0 && n_held[1] < 11 && n_held[2] == 0);
    assert_true(totals().n_breach == 0 && totals().n_shut == 0);
    mr_supply_advance(world.supply, 1200);
    assert_true(now().n_rack_held == 0 && now().rack_w > 32 * 129e3);
    assert_true(count("power.rack_resumed") == count("power.rack_suspended"));
    target = (struct mr_feed_target){.start_s = 1300, .end_s = 2000, .limit_w = 0.155e6};
    assert_int_equal(mr_supply_set_target(world.supply, &target, &err), MR_OK);
    mr_supply_advance(world.supply, 1900);
    assert_true(now().is_compliant && now().grid_w <= 0.155e6 && now().n_rack_held >= 31);
    assert_true(now().n_rack_on > 0 && now().n_rack_on < 11 && totals().n_shut > 21);
    for (uint32_t i = 0; i < 32; i++) /* of the highest tier */
        assert_true(!mr_supply_rack_is_on(world.supply, i) || i % 3 == 0);
    mr_supply_advance(world.supply, 2300);
    assert_true(now().n_rack_held == 0 && now().n_rack_on == 32);
    mr_assert_near(totals().held_j + totals().capped_j, totals().unserved_j, 1e-9, 0);
    end(1e-9);
}

/* Standing losses of a site are there whatever a rack draws: they take nothing from its room. */
MR_TEST(one_rack_among_idle_ones_is_not_capped)
{
    struct mr_supply_options o = options();
    begin("<layout name=\"s\"><grid limit=\"8 MW\"/><power redundancy=\"N\"/>" HALL "</layout>",
          &o);
    mr_supply_set_rack(world.supply, 0, 120e3);
    mr_supply_advance(world.supply, 3600);
    assert_true(now().loss_w > 0.4 * now().rack_w);
    assert_true(now().rack_w == 120e3 && totals().capped_rack_s == 0);
    end(1e-12);
}

/* From below, and never above: of the room a decision leaves a seventh at most. */
MR_TEST(a_budget_is_used_up)
{
    struct mr_supply_options o = options();
    begin("<layout name=\"s\"><grid limit=\"3 MW\"/>" HALL "</layout>", &o);
    want_all(20e3);
    mr_supply_advance(world.supply, 100);
    want_all(120e3);
    double rest_w = 0.99 * 3e6 - now().grid_w;
    for (int k = 0; k < 6; k++) {
        mr_supply_advance(world.supply, 107 + 10 * k);
        const double next_w = 0.99 * 3e6 - now().grid_w;
        if (!(next_w >= -1e-3 && next_w <= 0.15 * rest_w + 1))
            fail_msg("decision %d leaves %g W of %g W", k, next_w, rest_w);
        rest_w = next_w;
    }
    assert_true(rest_w < 100 && totals().n_breach == 0 && totals().peak_w <= 3e6);
    end(1e-12);
}

/* ---- limits and order under random loads ---- */

static double watched_limit_w;

static void watch_meter(void *context)
{
    (void)context;
    const struct mr_supply_reading r = now();
    if (!(r.grid_w <= watched_limit_w * (1 + 1e-9)))
        fail_msg("the meter shows %.17g W at %.17g s, the limit is %g W", r.grid_w,
                 mr_supply_now_s(world.supply), watched_limit_w);
}

/* Racks that obey their caps keep the connection's limit at every step, whatever they want: caps
 * add up to no more, under every policy, with panels that bind, too, and with the most that losses
 * can grow by. */
MR_TEST(random_loads_never_exceed_the_connection)
{
    static const char *const power[] = {"<power redundancy=\"N\"/>",
                                        "<power redundancy=\"2N\"><rpp rating=\"700 kW\"/></power>",
                                        "<power chain=\"dc800\"/>"};
    struct mr_rng rng = mr_rng_stream(1, MR_RNG_TEST, 17);
    for (int round = 0; round < 9; round++) {
        struct mr_supply_options o = options();
        char layout[512];
        o.params.govern.policy = round % 3;
        o.step = watch_meter;
        watched_limit_w = mr_rng_range(&rng, 1.9e6, 2.8e6);
        snprintf(layout, sizeof layout,
                 "<layout name=\"s\"><grid limit=\"%.17g W\"/>%s" HALL "</layout>", watched_limit_w,
                 power[round / 3]);
        begin(layout, &o);
        double t_s = 0;
        for (int k = 0; k < 60; k++) {
            for (uint32_t i = 0; i < world.site->n_rack; i++)
                if (mr_rng_f64(&rng) < 0.5)
                    mr_supply_set_rack(world.supply, i, mr_rng_range(&rng, 5e3, 140e3));
            mr_supply_advance(world.supply, t_s += mr_rng_exponential(&rng, 20));
        }
        assert_true(totals().n_breach == 0 && totals().peak_w > 0.8 * watched_limit_w);
        assert_int_equal(count("power.level_over"), 0);
        end(1e-9);
    }
}

/* A deep target stops racks by tier: who is held has nobody below him who is not, and so have those
 * who are shut. */
MR_TEST(nobody_rests_before_those_of_lower_tiers)
{
    struct mr_rng rng = mr_rng_stream(1, MR_RNG_TEST, 18);
    struct mr_err err = {0};
    bool has_mixed = false;
    for (int round = 0; round < 12; round++) {
        struct mr_supply_options o = options();
        uint8_t tier[32];
        begin(plain, &o);
        want_all(100e3);
        for (uint32_t i = 0; i < 32; i++) {
            tier[i] = (uint8_t)mr_rng_below(&rng, 4);
            mr_supply_set_tier(world.supply, i, tier[i]);
        }
        const struct mr_feed_target target = {
            .start_s = 60, .end_s = 600, .limit_w = mr_rng_range(&rng, 0.5e6, 2e6)};
        assert_int_equal(mr_supply_set_target(world.supply, &target, &err), MR_OK);
        mr_supply_advance(world.supply, 300);
        assert_true(now().grid_w <= target.limit_w);
        for (uint32_t i = 0; i < 32; i++)
            for (uint32_t k = 0; k < 32; k++) {
                const bool i_held = mr_supply_rack_is_held(world.supply, i);
                const bool k_held = mr_supply_rack_is_held(world.supply, k);
                const bool i_shut = !mr_supply_rack_is_on(world.supply, i);
                has_mixed |= i_held && !k_held;
                assert_true(!(i_held && !k_held) || tier[i] <= tier[k]);
                assert_true(!(i_shut && mr_supply_rack_is_on(world.supply, k)) ||
                            tier[i] <= tier[k]);
            }
        mr_supply_advance(world.supply, 3600);
        assert_int_equal(now().n_rack_on, 32);
        assert_int_equal(now().n_rack_held, 0);
        end(1e-12);
    }
    assert_true(has_mixed);
}

static void warned(const char *layout, const struct mr_supply_options *o, const char *why)
{
    struct mr_diags diags = {0};
    if (mr_layout_load_text("t", mr_str_of(layout), &world.site, &diags) != MR_OK ||
        mr_supply_create(world.site, o, &world.supply, &diags) != MR_OK)
        fail_msg("%s", diags.item[0].err.text);
    assert_int_equal(diags.n_item, why != NULL);
    if (why != NULL)
        mr_assert_contains(diags.item[0].err.text, why);
    end(0);
}

MR_TEST(contracts_and_batteries_that_are_too_small_are_told)
{
    struct mr_supply_options o = options();
    warned(backed, &o, NULL);
    warned("<layout name=\"s\"><grid limit=\"1 MW\"/>" HALL "</layout>", &o,
           "racks will be stopped, those of the lowest tier first");
    o.params.ups_s = 2;
    warned(backed, &o, "takes over after 10 s");
    /* halls that are alike are one finding, batteries of rows another */
    warned("<layout name=\"s\"><grid limit=\"20 MW\"/><power><generator/></power>" HALL HALL
           "</layout>",
           &o, "H0.upsA: holds");
    o.params.ups_s = 300;
    warned("<layout name=\"s\"><grid limit=\"6 MW\"/><power><generator/><bbu name=\"b\" rating=\"2 "
           "MW\" units=\"1\" energy=\"1 kWh\"/></power>" HALL "</layout>",
           &o, "b: holds 3.6e+06 J");
}

/* The chain alone loses more: nobody could keep it. Where a battery plant stands beside, one may.
 */
MR_TEST(a_contract_that_nobody_can_keep_is_refused)
{
    static const char *const beside[] = {"",
                                         "<power><bess rating=\"1 MW\" energy=\"1 MWh\"/></power>"};
    const struct mr_supply_options o = options();
    for (int k = 0; k < 2; k++) {
        struct mr_diags diags = {0};
        char layout[2048];
        snprintf(layout, sizeof layout,
                 "<layout name=\"s\"><grid limit=\"60 kW\"/>%s" HALL "</layout>", beside[k]);
        assert_int_equal(mr_layout_load_text("t", mr_str_of(layout), &world.site, &diags), MR_OK);
        assert_int_equal(mr_supply_create(world.site, &o, &world.supply, &diags),
                         k == 0 ? MR_RANGE : MR_OK);
        assert_true((k == 0) == (world.supply == NULL));
        assert_int_equal(diags.n_item, 1);
        mr_assert_contains(diags.item[0].err.text, k == 0 ? "it is exceeded with all racks stopped"
                                                          : "racks will be stopped");
        mr_supply_destroy(world.supply);
        mr_site_destroy(world.site);
    }
}

/* 32 racks of 132 kW, the lowest cap 46.2 kW, behind 1 MW: most rest from the start, each told
 * once, nobody who only seemed to draw anything; the meter is below the contract all the time. */
MR_TEST(a_contract_too_small_stops_racks_at_once)
{
    static const char *const limits[] = {"1 MW", "1.2 MW", "600 kW", "2.5 MW"};
    for (size_t k = 0; k < sizeof limits / sizeof *limits; k++) {
        char layout[256];
        struct mr_supply_options o = options();
        snprintf(layout, sizeof layout, "<layout name=\"s\"><grid limit=\"%s\"/>" HALL "</layout>",
                 limits[k]);
        begin(layout, &o);
        assert_int_equal(world.n_event, 0); /* nobody draws anything yet */
        want_all(132e3);
        mr_supply_advance(world.supply, 0);
        const struct mr_supply_reading r = now();
        const size_t n_told = count("power.rack_suspended") + count("power.rack_shut");
        assert_int_equal(n_told, r.n_rack_held);
        assert_int_equal(count("power.rack_resumed") + count("power.rack_back"), 0);
        assert_int_equal(count("power.stage_overload") + count("power.stage_overload_end"), 0);
        assert_int_equal(count("power.budget_infeasible"), n_told > 0);
        assert_true((n_told > 0) == (r.limit_w < 2e6));
        for (double t_s = 1; t_s <= 60; t_s++) {
            mr_supply_advance(world.supply, t_s);
            assert_true(now().grid_w <= r.limit_w * (1 + 1e-9));
        }
        assert_int_equal(now().n_rack_held, n_told); /* no to and fro */
        end(1e-12);
    }
}

/* All may rest and none go on: so many are shut that others run, as many as there is room for. */
MR_TEST(racks_are_shut_so_that_others_run)
{
    struct mr_supply_options o = options();
    begin("<layout name=\"s\"><grid limit=\"1.75 MW\"/>" HALL "</layout>", &o);
    for (uint32_t i = 0; i < 32; i++) {
        mr_supply_set_load(world.supply, i, 0, 120e3);
        mr_supply_set_least(world.supply, i, 90e3, 50e3);
    }
    for (int t = 0; t < 60; t++) { /* racks obey */
        mr_supply_advance(world.supply, t);
        for (uint32_t i = 0; i < 32; i++)
            if (mr_supply_rack_is_on(world.supply, i))
                mr_supply_set_load(world.supply, i,
                                   fmin(120e3, mr_supply_rack_cap_w(world.supply, i)), 120e3);
        assert_true(t < 2 || now().grid_w <= 1.75e6);
    }
    const uint32_t n_run = 32 - now().n_rack_held;
    const double room_w = 1.75e6 * (1 - o.params.margin) * (1 - o.params.resume_margin);
    assert_true(n_run > 0.9 * room_w / 1.07 / 90e3 && n_run < room_w / 90e3);
    for (uint32_t i = 0; i < 32; i++) {
        assert_true(mr_supply_rack_is_held(world.supply, i) == (i < 32 - n_run));
        assert_true(i < 32 - n_run || mr_supply_rack_w(world.supply, i) >= 90e3);
    }
    assert_true(count("power.rack_shut") > 0);
    assert_int_equal(count("power.rack_shut") + count("power.rack_suspended"), 32 - n_run);
    assert_int_equal(count("power.rack_resumed"), 0);
    end(1e-9);
}

/* A target that is told at its start is read then, or as soon as a command under way is in force;
 * one that is known before is met at its start. */
MR_TEST(a_target_does_not_wait_for_the_period)
{
    for (int late = 0; late <= 17; late++) {
        const bool is_known = late > 8;
        struct mr_supply_options o = options();
        struct mr_err err = {0};
        begin(plain, &o);
        want_all(120e3);
        const struct mr_feed_target target = {.start_s = 60 + late, .end_s = 1000, .limit_w = 3e6};
        mr_supply_advance(world.supply, is_known ? 30 : target.start_s);
        assert_int_equal(mr_supply_set_target(world.supply, &target, &err), MR_OK);
        mr_supply_advance(world.supply, target.start_s - 16.5 + (is_known ? 0 : 17));
        assert_true(now().grid_w > 3e6);
        const double reaction_s = o.params.govern.telemetry_s + o.params.govern.actuation_s;
        const double until_s = is_known
                                   ? target.start_s
                                   : target.start_s + reaction_s + (late % 10 < reaction_s ? 6 : 0);
        mr_supply_advance(world.supply, until_s + 1e-6);
        assert_true(now().grid_w <= 3e6);
        assert_int_equal(count("grid.powerbreach"), 0);
        end(1e-9);
    }
}

/* A contract of 3.5 MW, racks ask for more: they are capped until the turbine is there, have what
 * they ask for beside it, and the meter is never above the contract, nor below nothing. As it trips
 * caps answer within a latency. */
MR_TEST(a_turbine_gives_what_the_connection_does_not)
{
    struct mr_supply_options o = options();
    const double latency_s = mr_govern_latency_s(&o.params.govern);
    begin("<layout name=\"s\"><grid limit=\"3.5 MW\" voltage=\"20 kV\"/><power ups=\"none\">"
          "<turbine rating=\"2 MW\" units=\"1\" spare=\"0\"/></power>" HALL "</layout>",
          &o);
    want_all(128e3);
    for (double t_s = 1; t_s < 3600; t_s++) {
        mr_supply_advance(world.supply, t_s);
        assert_true(now().grid_w <= 3.5e6 && now().grid_w > 0);
        assert_true(t_s < 600 ? now().generator_w == 0 && now().n_rack_capped == 32
                              : t_s < 700 || now().n_rack_capped == 0);
    }
    mr_assert_near(now().generator_w, 0.9e6, 0, 1); /* its least load is more than is missing */
    assert_int_equal(count("power.gen_start"), 1);
    mr_supply_set_units_failed(world.supply, power_named("S.gt0"), 1);
    mr_supply_advance(world.supply, 3600);
    assert_true(now().grid_w > 3.5e6 && now().generator_w == 0);
    for (double t_s = 3600 + latency_s; t_s < 4200; t_s++) {
        mr_supply_advance(world.supply, t_s);
        assert_true(now().grid_w <= 3.5e6 && now().n_rack_capped == 32);
    }
    mr_supply_set_units_failed(world.supply, power_named("S.gt0"), 0);
    mr_supply_advance(world.supply, 6000);
    assert_true(now().n_rack_capped == 0);
    want_all(20e3); /* less than its least load: it leaves, and does not feed the grid */
    mr_supply_advance(world.supply, 6200);
    for (double t_s = 6200; t_s < 7200; t_s += 10) {
        mr_supply_advance(world.supply, t_s);
        assert_true(now().grid_w > 0 && now().generator_w == 0);
    }
    end(1e-9);
}

/* Sets are for outages: beside a grid they stand, whatever stands with them at its bus. */
MR_TEST(sets_stand_beside_a_grid)
{
    struct mr_supply_options o = options();
    begin("<layout name=\"s\"><grid limit=\"3.5 MW\"/><power><generator rating=\"2 MW\"/><bess "
          "rating=\"100 kW\" units=\"1\" energy=\"1 kWh\"/></power>" HALL "</layout>",
          &o);
    want_all(128e3);
    mr_supply_advance(world.supply, 300);
    mr_supply_set_house(world.supply, 0, 3.6e6); /* above the limit with no rack at all */
    mr_supply_advance(world.supply, 600);
    assert_true(now().grid_w > 3.5e6 && totals().generator_j == 0);
    assert_int_equal(count("power.gen_start"), 0);
    end(1e-9);
}

MR_TEST_MAIN(MR_TEST_ENTRY(a_turbine_gives_what_the_connection_does_not),
             MR_TEST_ENTRY(sets_stand_beside_a_grid),
             MR_TEST_ENTRY(a_target_does_not_wait_for_the_period),
             MR_TEST_ENTRY(racks_are_shut_so_that_others_run),
             MR_TEST_ENTRY(the_smaller_limit_of_the_connection_holds),
             MR_TEST_ENTRY(a_ramp_needs_no_limit), MR_TEST_ENTRY(curtailment_is_met_in_time),
             MR_TEST_ENTRY(told_loads_meet_the_target_too), MR_TEST_ENTRY(an_owner_of_clocks),
             MR_TEST_ENTRY(more_than_caps_can_give_is_a_breach), MR_TEST_ENTRY(tiers_stop_in_order),
             MR_TEST_ENTRY(one_rack_among_idle_ones_is_not_capped),
             MR_TEST_ENTRY(a_budget_is_used_up),
             MR_TEST_ENTRY(random_loads_never_exceed_the_connection),
             MR_TEST_ENTRY(nobody_rests_before_those_of_lower_tiers),
             MR_TEST_ENTRY(contracts_and_batteries_that_are_too_small_are_told),
             MR_TEST_ENTRY(a_contract_that_nobody_can_keep_is_refused),
             MR_TEST_ENTRY(a_contract_too_small_stops_racks_at_once))
