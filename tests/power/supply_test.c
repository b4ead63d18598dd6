/* SPDX-License-Identifier: Apache-2.0 */
/* power/supply: a hall through loss of the grid, curtailment, restarts, islands, failures; energies
 * that close whatever happens. */
#include "power/supply.h"

#include "engine/base/rng.h"
#include "platforms/layout.h"
#include "power/inside.h"
#include "power/series.h"
#include "tests/test.h"

#include <stdio.h>

struct world {
    struct mr_site *site;
    struct mr_supply *supply;
    struct mr_supply_event event[8192];
    size_t n_event;
};

static void take(void *context, const struct mr_supply_event *event)
{
    struct world *w = context;
    if (w->n_event < sizeof w->event / sizeof *w->event)
        w->event[w->n_event++] = *event;
}

static struct world world;

static struct mr_supply_options options(void)
{
    struct mr_supply_options o = {.take = take, .context = &world};
    mr_supply_defaults(&o.params);
    return o;
}

static void begin(const char *layout, const struct mr_supply_options *o)
{
    struct mr_diags diags = {0};
    world.n_event = 0;
    if (mr_layout_load_text("t", mr_str_of(layout), &world.site, &diags) != MR_OK)
        fail_msg("%s", diags.item[0].err.text);
    if (mr_supply_create(world.site, o, &world.supply, &diags) != MR_OK)
        fail_msg("%s", diags.item[0].err.text);
}

static void end(double closure_rel)
{
    struct mr_supply_total total;
    mr_supply_total(world.supply, &total);
    if (!(total.closure_rel <= closure_rel))
        fail_msg("energies do not close: %g", total.closure_rel);
    mr_supply_destroy(world.supply);
    mr_site_destroy(world.site);
}

static size_t count(const char *kind)
{
    size_t n = 0;
    for (size_t i = 0; i < world.n_event; i++)
        n += strcmp(world.event[i].kind, kind) == 0;
    return n;
}

static double first_s(const char *kind)
{
    for (size_t i = 0; i < world.n_event; i++)
        if (strcmp(world.event[i].kind, kind) == 0)
            return world.event[i].t_s;
    return (double)INFINITY;
}

static struct mr_supply_reading now(void)
{
    struct mr_supply_reading reading;
    mr_supply_read(world.supply, &reading);
    return reading;
}

static struct mr_supply_total totals(void)
{
    struct mr_supply_total total;
    mr_supply_total(world.supply, &total);
    return total;
}

static void want_all(double w)
{
    for (uint32_t i = 0; i < world.site->n_rack; i++)
        mr_supply_set_rack(world.supply, i, w);
}

static uint32_t power_named(const char *name)
{
    for (uint32_t i = 0; i < world.site->n_power; i++)
        if (strcmp(world.site->power[i].name, name) == 0)
            return i;
    fail_msg("no power node %s", name);
    return 0;
}

#define HALL "<hall><row count=\"4\"><rack card=\"gb200_nvl72\" count=\"8\"/></row></hall>"

/* 32 racks of 132 kW: 4.2 MW */
static const char *const plain = "<layout name=\"s\"><grid limit=\"6 MW\"/>" HALL "</layout>";
static const char *const backed =
    "<layout name=\"s\"><grid limit=\"6 MW\" ramp=\"2 MW/min\"/><power><generator/></power>" HALL
    "</layout>";

MR_TEST(a_day_without_events)
{
    struct mr_supply_options o = options();
    begin(plain, &o);
    want_all(100e3);
    mr_supply_set_house(world.supply, 0, 200e3);
    mr_supply_set_house(world.supply, MR_SITE_NONE, 50e3);
    mr_supply_advance(world.supply, 86400);
    const struct mr_supply_reading r = now();
    const struct mr_supply_total t = totals();
    mr_assert_near(r.rack_w, 3.2e6, 1e-14, 0);
    mr_assert_near(r.house_w, 250e3, 1e-9, 0);
    mr_assert_near(r.grid_w, 3.45e6 + r.loss_w, 1e-9, 0);
    mr_assert_near(t.rack_j, 3.2e6 * 86400, 1e-12, 0);
    mr_assert_near(t.grid_j, r.grid_w * 86400, 1e-9, 0);
    mr_assert_near(t.energy_usd, t.grid_j * 70 / 3.6e9, 1e-9, 0);
    assert_true(t.unserved_j == 0 && t.n_trip == 0 && r.n_rack_on == 32);
    assert_true(t.storage_change_j == 0);
    end(1e-12);
}

/* Cards tell what racks draw at their inputs: how far it is followed inside moves no meter. */
MR_TEST(stages_inside_racks_divide_their_watts)
{
    struct mr_supply_total t[3];
    for (int plane = MR_PLANE_CORE; plane <= MR_PLANE_SHELF; plane++) {
        struct mr_supply_options o = options();
        o.params.wire.rack_plane = plane;
        begin(plain, &o);
        want_all(100e3);
        mr_supply_advance(world.supply, 600);
        want_all(50e3);
        mr_supply_advance(world.supply, 3600);
        t[plane] = totals();
        const struct mr_supply_reading r = now();
        assert_true(t[plane].grid_j == t[0].grid_j && t[plane].rack_j == t[0].rack_j);
        assert_true(t[plane].loss_j == t[0].loss_j);
        mr_assert_near(t[plane].module_j + t[plane].rack_loss_j, t[plane].rack_j, 1e-14, 0);
        mr_assert_near(r.module_w + r.stage_loss_w[MR_STAGE_SHELF] +
                           r.stage_loss_w[MR_STAGE_BUSBAR] + r.stage_loss_w[MR_STAGE_BRICK] +
                           r.stage_loss_w[MR_STAGE_VRM],
                       r.rack_w, 1e-14, 0);
        end(1e-12);
    }
    const struct mr_rack rack = {.rated_w = 132e3, .bus_v = 50};
    const struct mr_inside inside = mr_inside_of(&rack, MR_PLANE_MODULE);
    double full_w[mr_inside_max], half_w[mr_inside_max];
    (void)mr_inside_split(&inside, 100e3, full_w);
    (void)mr_inside_split(&inside, 50e3, half_w);
    for (int k = 0; k < 3; k++)
        mr_assert_near(t[MR_PLANE_MODULE].stage_loss_j[inside.kind[k]],
                       32 * (600 * full_w[k] + 3000 * half_w[k]), 1e-12, 0);
    assert_true(t[MR_PLANE_CORE].stage_loss_j[MR_STAGE_VRM] > 0);
    assert_true(t[MR_PLANE_MODULE].stage_loss_j[MR_STAGE_VRM] == 0);
    assert_true(t[MR_PLANE_SHELF].rack_loss_j == 0);
}

/* The controller was at work before: a load that fits is not capped at first, one that does not
 * fit never exceeds the budget, and what the meter shows at once it shows after a minute. */
MR_TEST(a_steady_load_starts_steady)
{
    for (int policy = MR_GOVERN_POLICY_MAXP; policy <= MR_GOVERN_POLICY_MAXLPS; policy++)
        for (int is_much = 0; is_much < 2; is_much++) {
            struct mr_supply_options o = options();
            o.params.govern.policy = policy;
            begin("<layout name=\"s\"><grid limit=\"4 MW\"/>" HALL "</layout>", &o);
            want_all(is_much ? 132e3 : 85e3); /* Max-Q allows 90 kW */
            mr_supply_set_house(world.supply, 0, 250e3);
            mr_supply_advance(world.supply, 0);
            const struct mr_supply_reading first = now();
            mr_supply_advance(world.supply, 60);
            const struct mr_supply_reading last = now();
            const struct mr_supply_total t = totals();
            mr_assert_near(first.grid_w, last.grid_w, 1e-3, 0);
            assert_true(t.n_overload == 0 && t.n_breach == 0 && t.peak_w <= last.limit_w);
            if (is_much)
                assert_true(first.n_rack_capped == 32 && first.grid_w > 0.8 * last.limit_w);
            else
                assert_true(first.n_rack_capped == 0 && t.capped_j == 0);
            end(1e-12);
        }
}

MR_TEST(loss_of_the_grid_is_ridden_through)
{
    struct mr_supply_options o = options();
    begin(backed, &o);
    want_all(120e3);
    mr_supply_advance(world.supply, 100);
    mr_supply_set_voltage(world.supply, 0);
    mr_supply_advance(world.supply, 100.01); /* 20 ms are ridden through */
    assert_true(now().has_grid);
    mr_supply_advance(world.supply, 101);
    struct mr_supply_reading r = now();
    assert_true(!r.has_grid && r.n_rack_on == 32 && r.grid_w == 0);
    assert_true(r.storage_w < -3.8e6 && r.generator_w == 0); /* batteries of the UPS */
    mr_supply_advance(world.supply, 400);
    r = now();
    assert_int_equal(r.n_rack_on, 32);
    mr_assert_near(r.generator_w, 3.84e6 + r.loss_w + r.storage_w, 1e-6, 0);
    assert_true(r.storage_w == 0 && r.storage_soc_frac == 1); /* filled up again meanwhile */
    mr_supply_set_voltage(world.supply, 1);
    mr_supply_advance(world.supply, 7200);
    r = now();
    assert_true(r.has_grid && r.n_rack_on == 32 && r.generator_w == 0);
    const struct mr_supply_total t = totals();
    assert_true(t.n_lost == 0 && t.dark_j == 0 && t.n_away == 1);
    assert_true(t.generator_j > 300 * 3.8e6 && t.fuel_j > t.generator_j);
    mr_assert_near(t.storage_change_j, 0, 0, 1e-3 * t.storage_out_j); /* full again */
    assert_int_equal(count("grid.lost"), 1);
    assert_int_equal(count("grid.back"), 1);
    end(1e-9);
}

/* Nobody's contract is in the way of batteries that refill: what racks leave of the transformers
 * is, all of them behind one and each behind its own. */
MR_TEST(batteries_refill_within_the_transformers)
{
    struct mr_supply_options o = options();
    o.params.return_s = 0;
    o.params.ups_s = 120;
    begin("<layout name=\"s\"><grid limit=\"100 MW\"/><power><substation units=\"1\" rating=\"10 "
          "MW\" "
          "spare=\"0\"/></power>" HALL HALL "</layout>",
          &o);
    want_all(128e3);
    mr_supply_advance(world.supply, 60);
    mr_supply_set_voltage(world.supply, 0);
    mr_supply_advance(world.supply, 120);
    mr_supply_set_voltage(world.supply, 1);
    mr_supply_advance(world.supply, 7200);
    assert_true(count("power.stage_overload") == 0 && count("power.rack_lost") == 0);
    mr_assert_near(now().storage_soc_frac, 1, 1e-9, 0);
    assert_true(totals().storage_in_j > 0.9 * totals().storage_out_j &&
                totals().storage_out_j > 4e8);
    end(1e-12);
}

MR_TEST(batteries_end_and_racks_come_back_under_the_ramp_limit)
{
    struct mr_supply_options o = options();
    o.params.ups_s = 120;
    begin("<layout name=\"s\"><grid limit=\"6 MW\" ramp=\"2 MW/min\"/>" HALL "</layout>", &o);
    want_all(120e3);
    mr_supply_advance(world.supply, 600);
    const double steady_w = now().grid_w;
    mr_supply_set_voltage(world.supply, 0);
    mr_supply_advance(world.supply, 1200);
    struct mr_supply_reading r = now();
    assert_true(r.n_rack_on == 0 && r.rack_w == 0);
    assert_int_equal(count("power.rack_lost"), 32);
    assert_true(count("power.source_short") >= 1);
    const uint64_t n_before = totals().n_ramp; /* the loss itself is as fast as it is */
    mr_supply_set_voltage(world.supply, 1);
    double last_w = 0, rise_w = 0;
    for (int minute = 1; minute <= 15; minute++) {
        mr_supply_advance(world.supply, 1200 + 60 * minute);
        rise_w = fmax(rise_w, now().rack_w - last_w);
        last_w = now().rack_w;
    }
    r = now();
    assert_int_equal(r.n_rack_on, 32);
    assert_true(rise_w <= 2e6 && rise_w > 1e6);
    assert_int_equal(totals().n_ramp, n_before);
    assert_true(r.grid_w >= steady_w); /* batteries charge */
    /* dark for the outage less what batteries gave, and the restart */
    assert_true(totals().dark_j > 3.84e6 * (600 - 200));
    end(1e-9);
}

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
    target = (struct mr_feed_target){.start_s = 1300, .end_s = 2000, .limit_w = 0.2e6};
    assert_int_equal(mr_supply_set_target(world.supply, &target, &err), MR_OK);
    mr_supply_advance(world.supply, 1900);
    assert_true(now().is_compliant && now().grid_w <= 0.2e6 && now().n_rack_held >= 31);
    assert_true(now().n_rack_on > 0 && now().n_rack_on < 11 && totals().n_shut > 21);
    for (uint32_t i = 0; i < 32; i++) /* of the highest tier */
        assert_true(!mr_supply_rack_is_on(world.supply, i) || i % 3 == 0);
    mr_supply_advance(world.supply, 2300);
    assert_true(now().n_rack_held == 0 && now().n_rack_on == 32);
    mr_assert_near(totals().held_j + totals().capped_j, totals().unserved_j, 1e-9, 0);
    end(1e-9);
}

/* One of three machines that run is lost: the frequency does what the closed form says of a step of
 * what it carried, on the base and headroom of the other two. */
MR_TEST(lost_turbine_moves_the_frequency)
{
    struct mr_supply_options o = options();
    o.params.swing_tick_s = 0.01;
    begin("<layout name=\"s\"><grid interconnect=\"island\"/><power ups=\"none\"><turbine "
          "rating=\"2 MW\" units=\"4\" spare=\"1\" name=\"gt\"/></power>" HALL "</layout>",
          &o);
    want_all(120e3);
    mr_supply_advance(world.supply, 3600);
    assert_true(now().frequency_hz == 60 && totals().low_hz == 60);
    const double lost_w = now().generator_w / 3;
    mr_supply_set_units_failed(world.supply, power_named("S.gt"), 1);
    mr_supply_advance(world.supply, 3605);
    struct mr_frequency_params p = o.params.frequency;
    p.base_w = 4e6;
    p.up_frac = (4e6 - 2 * lost_w) / 4e6;
    struct mr_frequency swing = mr_frequency_start(0);
    mr_frequency_disturb(&p, &swing, -lost_w);
    double hz;
    const double nadir_s = mr_frequency_extremum_s(&p, &swing, &hz);
    assert_true(nadir_s > 0.5 && nadir_s < 2 && hz < 59);
    /* set points rise meanwhile, at 29.4 kW/s each: by the nadir 1.5 % of the base, of 32 */
    assert_true(totals().low_hz > hz && totals().low_hz < hz + 0.05 * (60 - hz));
    mr_supply_advance(world.supply, 4200);
    assert_true(now().frequency_hz == 60 && now().n_rack_on == 32 && totals().n_ufls == 0);
    end(1e-9);
}

/* Of the steps of generators nothing depends: a swing begins with the event, and how deep it goes,
 * when relays open, whether machines leave is the same with a tick that is longer than all of it.
 */
MR_TEST(a_swing_begins_with_its_event)
{
    enum {
        n_look = 5
    };
    const double ticks[] = {1, 0.05};
    double at_hz[2][n_look], ufls_s[2], nadir_s[2], collapse_s[2], low_hz[2];
    for (int falls = 0; falls <= 1; falls++) {
        for (int k = 0; k < 2; k++) {
            struct mr_supply_options o = options();
            o.params.tick_s = ticks[k];
            o.params.frequency.inertia_s = falls ? 1 : 5;
            o.params.frequency.governor_s = falls ? 0.3 : 0.5;
            o.params.frequency.trip_hz = falls ? 58.5 : 57;
            o.params.frequency.n_stage = !falls;
            o.params.frequency.stage_hz[0] = 59.7;
            o.params.frequency.shed_w[0] = 200e3;
            begin("<layout name=\"s\"><grid interconnect=\"island\"/><power ups=\"none\"><turbine "
                  "rating=\"2 MW\" units=\"4\" spare=\"1\" name=\"gt\"/></power>" HALL "</layout>",
                  &o);
            want_all(120e3);
            mr_supply_advance(world.supply, 3600);
            mr_supply_set_units_failed(world.supply, power_named("S.gt"), 1);
            mr_supply_advance(world.supply, 3600); /* what has failed is seen */
            for (int i = 0; i < n_look; i++) {     /* as records are taken, before the next step */
                mr_supply_look(world.supply, 3600 + 0.01 * i);
                at_hz[k][i] = now().frequency_hz;
            }
            mr_supply_look(world.supply, 3600);
            mr_supply_advance(world.supply, 3610);
            ufls_s[k] = first_s("grid.ufls");
            nadir_s[k] = first_s("grid.nadir");
            collapse_s[k] = first_s("grid.collapse");
            low_hz[k] = totals().low_hz;
            assert_int_equal(totals().n_collapse, falls);
            assert_int_equal(totals().n_ufls, !falls);
            end(1e-9);
        }
        mr_assert_near(low_hz[0], low_hz[1], 0, 0.005);
        if (falls) {
            assert_true(collapse_s[0] > 3600.05 && collapse_s[0] < 3600.4);
            mr_assert_near(collapse_s[0], collapse_s[1], 0, 0.01);
            continue;
        }
        assert_true(ufls_s[0] > 3600.2 && ufls_s[0] < 3600.5 && nadir_s[0] > ufls_s[0]);
        mr_assert_near(ufls_s[0], ufls_s[1], 0, 0.01);
        mr_assert_near(nadir_s[0], nadir_s[1], 0, 0.1);
        for (int i = 1; i < n_look; i++) {
            assert_true(at_hz[0][i] < at_hz[0][i - 1]);
            mr_assert_near(at_hz[0][i], at_hz[1][i], 0, 1e-6);
        }
    }
}

/* Load that comes faster than headroom: relays shed the lowest tier, which comes back later. */
MR_TEST(relays_shed_and_racks_come_back)
{
    struct mr_supply_options o = options();
    o.params.frequency.n_stage = 2;
    o.params.frequency.shed_w[0] = o.params.frequency.shed_w[1] = 300e3;
    begin("<layout name=\"s\"><grid interconnect=\"island\"/><power ups=\"none\"><turbine "
          "rating=\"2 MW\" units=\"3\" spare=\"1\" name=\"gt\"/></power>" HALL "</layout>",
          &o);
    for (uint32_t i = 0; i < 32; i++)
        mr_supply_set_tier(world.supply, i, i < 16);
    want_all(120e3);
    mr_supply_advance(world.supply, 3600);
    mr_supply_set_units_failed(world.supply, power_named("S.gt"), 1);
    mr_supply_advance(world.supply, 3602);
    /* two machines of 4 MW for 4 MW and losses: racks beyond are dark or capped, tier 1 stays */
    assert_true(totals().n_ufls >= 1 && count("grid.ufls") == totals().n_ufls);
    assert_true(totals().low_hz < 59.3 && totals().low_hz > 57 && totals().n_collapse == 0);
    uint32_t n_shut = 0;
    for (uint32_t i = 0; i < 32; i++) {
        assert_true(i >= 16 || mr_supply_rack_is_on(world.supply, i));
        n_shut += !mr_supply_rack_is_on(world.supply, i);
    }
    assert_int_equal(n_shut, 3 * totals().n_ufls);
    mr_supply_set_units_failed(world.supply, power_named("S.gt"), 0);
    mr_supply_advance(world.supply, 2 * 3600);
    assert_true(now().n_rack_on == 32 && now().frequency_hz == 60);
    mr_assert_near(now().rack_w, 32 * 120e3, 1e-9, 0);
    end(1e-9);
}

/* Slow governors: a jump by two fifths of the machines pulls the bus down before they answer. */
MR_TEST(machines_leave_a_bus_that_falls_too_far)
{
    struct mr_supply_options o = options();
    o.params.frequency.governor_s = 5;
    begin("<layout name=\"s\"><grid interconnect=\"island\"/><power ups=\"none\"><turbine "
          "rating=\"2 MW\" units=\"3\" name=\"gt\"/></power>" HALL "</layout>",
          &o);
    want_all(65e3);
    mr_supply_advance(world.supply, 3600);
    assert_true(now().n_rack_on == 32 && now().frequency_hz == 60);
    want_all(115e3);
    mr_supply_advance(world.supply, 3700);
    assert_true(totals().n_collapse == 1 && count("grid.collapse") == 1);
    assert_true(totals().low_hz < 57 && totals().low_hz > 56.5);
    assert_true(now().n_rack_on == 0 && now().generator_w == 0 && now().frequency_hz == 60);
    end(1e-9);
}

/* Smoothing: a fall of all packages burns, holds its floor, then leaves at the ramp: the corners
 * and the joules of one package, 72 times per rack. */
MR_TEST(smoothing_in_the_racks)
{
    struct mr_supply_options o = options();
    o.params.smooth.is_on = true;
    begin(plain, &o);
    const double high_w = 132e3, floor_w = 0.65 * high_w, n = 72;
    want_all(120e3);
    mr_supply_advance(world.supply, 10);
    mr_assert_near(now().rack_w, 32 * 120e3, 1e-12, 0);
    want_all(20e3);
    /* down at 500 W/s a package: the floor after (120 - 85.8) / 36 = 0.95 s, left at 2 s */
    const double down_w_s = 500 * n, to_floor_s = (120e3 - floor_w) / down_w_s;
    for (double t_s = 0.1; t_s < 7; t_s += 0.1) {
        mr_supply_advance(world.supply, 10 + t_s);
        const double w = t_s < to_floor_s ? 120e3 - down_w_s * t_s
                         : t_s < 2        ? floor_w
                                          : fmax(20e3, floor_w - down_w_s * (t_s - 2));
        mr_assert_near(now().rack_w, 32 * w, 1e-9, 0);
    }
    const double burn_j = 0.5 * (100e3 + floor_w - 20e3) * to_floor_s +
                          (floor_w - 20e3) * (2 - to_floor_s) +
                          0.5 * (floor_w - 20e3) * (floor_w - 20e3) / down_w_s;
    mr_assert_near(totals().burn_j, 32 * burn_j, 1e-9, 0);
    assert_true(totals().delayed_j < 1e-6 * burn_j);
    want_all(120e3); /* up at 1 kW/s a package */
    mr_supply_advance(world.supply, 10 + 7);
    const double rate = mr_supply_rack_rate(world.supply, 5);
    assert_true(rate > 0.1 && rate < 1);
    mr_supply_advance(world.supply, 60);
    mr_assert_near(totals().delayed_j, 32 * 0.5 * 100e3 * 100e3 / (1000 * n), 1e-9, 0);
    mr_assert_near(totals().unserved_j, totals().delayed_j, 1e-9, 0);
    end(1e-12);
}

/* A jump of 1.2 MW on a connection of 0.6 MW/min: the battery carries a triangle of two minutes. */
MR_TEST(battery_plant_holds_the_ramp)
{
    struct mr_supply_options o = options();
    o.params.refill_frac = 0.7;
    begin("<layout name=\"s\"><grid limit=\"6 MW\" ramp=\"0.6 MW/min\" voltage=\"20 kV\"/>"
          "<power><bess rating=\"1 MW\" units=\"2\" duration=\"1 h\"/></power>" HALL "</layout>",
          &o);
    want_all(60e3);
    mr_supply_advance(world.supply, 3600);
    const double low_w = now().grid_w, before_j = totals().storage_out_j;
    assert_true(now().storage_w == 0);
    want_all(60e3 + 1.2e6 / 32);
    double last_w = low_w;
    for (int t = 0; t < 300; t++) {
        mr_supply_advance(world.supply, 3600 + t + 1);
        assert_true(now().grid_w - last_w <= (t == 0 ? 20e3 : 10e3) * (1 + 1e-9)); /* two stairs */
        last_w = now().grid_w;
    }
    const double rise_w = last_w - low_w;
    assert_true(rise_w > 1.2e6 && rise_w < 1.4e6);
    /* a stair stands above the line by half a step: 0.5 x 1 s x the jump */
    mr_assert_near(totals().storage_out_j - before_j, 0.5 * rise_w * rise_w / 10e3, 0, rise_w);
    want_all(60e3);
    for (int t = 300; t < 600; t++) {
        mr_supply_advance(world.supply, 3600 + t + 1);
        assert_true(last_w - now().grid_w <= (t == 300 ? 20e3 : 10e3) * (1 + 1e-9));
        last_w = now().grid_w;
    }
    assert_int_equal(totals().n_ramp, 0);
    end(1e-9);
    o.params.assists = false;
    begin("<layout name=\"s\"><grid limit=\"6 MW\" ramp=\"0.6 MW/min\" voltage=\"20 kV\"/>"
          "<power><bess rating=\"1 MW\" units=\"2\" duration=\"1 h\"/></power>" HALL "</layout>",
          &o);
    want_all(60e3);
    mr_supply_advance(world.supply, 3600);
    want_all(60e3 + 1.2e6 / 32);
    mr_supply_advance(world.supply, 4000);
    assert_true(totals().n_ramp > 0);
    end(1e-9);
}

MR_TEST(battery_plant_shaves_the_peak)
{
    struct mr_supply_options o = options();
    begin("<layout name=\"s\"><grid limit=\"5 MW\" voltage=\"20 kV\"/>"
          "<power><bess rating=\"1 MW\" units=\"2\" duration=\"1 h\"/></power>" HALL "</layout>",
          &o);
    want_all(100e3);
    mr_supply_advance(world.supply, 600);
    assert_true(now().storage_w == 0);
    mr_supply_set_house(world.supply, 0, 2e6); /* a hot hour: 5.2 MW and losses */
    mr_supply_advance(world.supply, 1200);
    struct mr_supply_reading r = now();
    assert_true(r.storage_w < -0.3e6 && r.grid_w < 5e6);
    mr_supply_set_house(world.supply, 0, 0);
    mr_supply_advance(world.supply, 7200);
    r = now();
    mr_assert_near(totals().storage_change_j, 0, 0, 1e-9 * r.storage_j); /* filled again */
    assert_true(totals().storage_loss_j > 0);
    end(1e-9);
}

MR_TEST(island_loses_a_turbine)
{
    struct mr_supply_options o = options();
    begin("<layout name=\"s\"><grid interconnect=\"island\"/><power><turbine rating=\"2 MW\" "
          "units=\"4\" spare=\"1\" name=\"gt\"/></power>" HALL "</layout>",
          &o);
    want_all(120e3);
    mr_supply_advance(world.supply, 3600);
    struct mr_supply_reading r = now();
    assert_true(r.grid_w == 0 && r.n_rack_on == 32);
    mr_assert_near(r.generator_w, r.rack_w + r.loss_w + r.storage_w, 1e-6, 0);
    mr_supply_set_units_failed(world.supply, power_named("S.gt"), 1); /* the spare one runs */
    mr_supply_advance(world.supply, 3720);
    assert_true(now().n_rack_on == 32 && now().n_rack_capped == 0 && now().storage_w == 0);
    /* two more: batteries of the UPS carry until caps have come down to what one turbine gives */
    mr_supply_set_units_failed(world.supply, power_named("S.gt"), 3);
    mr_supply_advance(world.supply, 3725);
    assert_true(now().storage_w < -3.8e6 && now().n_rack_on == 32);
    mr_supply_advance(world.supply, 3800);
    r = now();
    assert_true(r.n_rack_on == 32 && r.n_rack_capped == 32 && r.generator_w <= 2e6);
    mr_assert_near(r.generator_w, 2e6, 0.06, 0);
    mr_supply_set_units_failed(world.supply, power_named("S.gt"), 0);
    mr_supply_advance(world.supply, 3 * 3600);
    assert_int_equal(now().n_rack_on, 32);
    mr_assert_near(now().rack_w, 3.84e6, 1e-9, 0);
    assert_true(totals().n_lost == 0 && totals().dark_j == 0);
    end(1e-9);
}

MR_TEST(solar_and_battery_in_orbit)
{
    struct mr_arena arena = {0};
    struct mr_series sun;
    struct mr_err err = {0};
    const double start_s[] = {0, 3600, 5700}, value[] = {1, 0, 1};
    assert_int_equal(mr_series_of(&arena, start_s, value, 3, 9300, &sun, &err), MR_OK);
    struct mr_supply_options o = options();
    o.sun = &sun;
    struct mr_diags diags = {0};
    char path[1024];
    snprintf(path, sizeof path, "%s/platforms/examples/space-1.layout.xml", MR_SOURCE_DIR);
    world.n_event = 0;
    assert_int_equal(mr_layout_load(path, &world.site, &diags), MR_OK);
    assert_int_equal(mr_supply_create(world.site, &o, &world.supply, &diags), MR_OK);
    want_all(80e3 / (double)world.site->n_rack);
    mr_supply_advance(world.supply, 3600);
    assert_true(now().solar_w > 0 && now().n_rack_on == world.site->n_rack);
    const double full_j = now().storage_j;
    mr_supply_advance(world.supply, 5600); /* in shadow */
    assert_true(now().solar_w == 0 && now().storage_j < full_j - 80e3 * 1900);
    assert_int_equal(now().n_rack_on, world.site->n_rack);
    mr_supply_advance(world.supply, 9200);
    assert_true(now().storage_j > full_j - 80e3 * 1900);
    end(1e-9);
    mr_arena_fini(&arena);
}

MR_TEST(failures_of_the_chain)
{
    struct mr_supply_options o = options();
    begin("<layout name=\"s\"><grid limit=\"12 MW\" voltage=\"20 kV\"/><power "
          "redundancy=\"2N\"/>" HALL "</layout>",
          &o);
    want_all(130e3);
    mr_supply_advance(world.supply, 100);
    mr_supply_set_failed(world.supply, power_named("H0.upsA"), true);
    mr_supply_advance(world.supply, 200);
    assert_true(now().n_rack_on == 32 && totals().n_lost == 0);
    mr_supply_set_failed(world.supply, power_named("H0.R1.rppB"), true);
    mr_supply_advance(world.supply, 300);
    assert_int_equal(now().n_rack_on, 24);
    mr_supply_set_failed(world.supply, power_named("H0.R1.rppB"), false);
    mr_supply_advance(world.supply, 400);
    assert_int_equal(now().n_rack_on, 32);
    mr_assert_near(totals().dark_j, 8 * 130e3 * 130, 1e-9, 0); /* 100 s and the wait of 30 s */
    end(1e-9);
}

static const char *const eventful[] = {
    "<layout name=\"s\"><grid limit=\"6 MW\" ramp=\"2 MW/min\"/><power><bess rating=\"1 MW\" "
    "units=\"2\" duration=\"1 h\"/><generator/></power>" HALL "</layout>",
    "<layout name=\"s\"><grid limit=\"6 MW\"/><power "
    "redundancy=\"2N\"><generator/></power>" HALL "</layout>",
    "<layout name=\"s\"><grid interconnect=\"island\"/><power><turbine rating=\"2 MW\" "
    "units=\"3\"/><bess rating=\"2 MW\" units=\"2\" duration=\"1 h\"/></power>" HALL "</layout>"};

static void dice(struct mr_rng *rng)
{
    const double die = mr_rng_f64(rng);
    const uint32_t power = (uint32_t)mr_rng_below(rng, world.site->n_power);
    if (die < 0.1)
        mr_supply_set_voltage(world.supply, mr_rng_f64(rng) < 0.6 ? 1 : 0.5);
    else if (die < 0.2)
        mr_supply_set_failed(world.supply, power, mr_rng_f64(rng) < 0.3);
    else if (die < 0.3)
        mr_supply_set_units_failed(world.supply, power, mr_rng_f64(rng) < 0.3);
    else if (die < 0.35)
        mr_supply_close(world.supply, power);
    else
        for (uint32_t i = 0; i < world.site->n_rack; i++)
            mr_supply_set_rack(world.supply, i, mr_rng_range(rng, 20e3, 140e3));
}

/* Whatever happens: energies close, caps hold, the connection's limit after the controller's time.
 */
static void random_events(uint64_t seed)
{
    struct mr_rng rng = mr_rng_stream(seed, MR_RNG_TEST, 10);
    for (int round = 0; round < 9; round++) {
        struct mr_supply_options o = options();
        o.params.ups_s = 60;
        o.params.govern.policy = round % 3;
        begin(eventful[round / 3], &o);
        double t_s = 0;
        for (int k = 0; k < 150; k++) {
            dice(&rng);
            mr_supply_advance(world.supply, t_s += mr_rng_exponential(&rng, 60));
            for (uint32_t i = 0; i < world.site->n_rack; i++)
                assert_true(mr_supply_rack_w(world.supply, i) <=
                            mr_supply_rack_cap_w(world.supply, i));
        }
        end(1e-9);
    }
}

/* In the second a bar that turbines feed gives to its generators' bar; in the third a bar comes
 * back for what is left of its load while batteries below still carry the rest. */
MR_TEST(random_events_close)
{
    static const uint64_t seed[] = {1, 8, 41};
    for (size_t i = 0; i < sizeof seed / sizeof *seed; i++)
        random_events(seed[i]);
}

/* The same with ramps in packages, tiers, relays and targets that no cap can meet: nothing is drawn
 * by who is held beyond a suspended rack's share once ramps are over; joules add up. */
MR_TEST(random_events_close_with_ramps_and_tiers)
{
    struct mr_rng rng = mr_rng_stream(1, MR_RNG_TEST, 13);
    for (int round = 0; round < 6; round++) {
        struct mr_supply_options o = options();
        struct mr_err err = {0};
        o.params.ups_s = 60;
        o.params.smooth.is_on = round % 2 == 0;
        o.params.refill_frac = 0.6;
        o.params.frequency.n_stage = 2;
        o.params.frequency.shed_w[0] = o.params.frequency.shed_w[1] = 400e3;
        begin(eventful[round / 2], &o);
        for (uint32_t i = 0; i < world.site->n_rack; i++)
            mr_supply_set_tier(world.supply, i, (uint8_t)mr_rng_below(&rng, 4));
        double t_s = 0;
        for (int k = 0; k < 100; k++) {
            const struct mr_feed_target target = {
                .start_s = t_s + 30, .end_s = t_s + 300, .limit_w = mr_rng_range(&rng, 0.3e6, 5e6)};
            dice(&rng);
            if (round < 4 && k % 10 == 0)
                (void)!mr_supply_set_target(world.supply, &target, &err); /* one at a time */
            mr_supply_advance(world.supply, t_s += mr_rng_exponential(&rng, 60));
            for (uint32_t i = 0; i < world.site->n_rack && !o.params.smooth.is_on; i++) {
                assert_true(mr_supply_rack_w(world.supply, i) <=
                            mr_supply_rack_cap_w(world.supply, i));
                assert_true(!mr_supply_rack_is_held(world.supply, i) ||
                            mr_supply_rack_w(world.supply, i) <= 0.1 * 132e3 * (1 + 1e-12));
            }
        }
        const struct mr_supply_total t = totals();
        mr_assert_near(t.capped_j + t.dark_j + t.held_j + t.delayed_j, t.unserved_j, 1e-9, 0);
        mr_assert_near(t.want_j - t.unserved_j + t.burn_j, t.rack_j, 1e-9, 0);
        assert_true(o.params.smooth.is_on ? t.burn_j > 0 : t.burn_j == 0);
        end(1e-9);
    }
}

/* Nothing comes in: the storage gives, then all is dark. */
MR_TEST(a_storage_alone_closes)
{
    struct mr_supply_options o = options();
    begin("<layout name=\"o\"><power chain=\"none\" redundancy=\"N\"><solar name=\"a\" "
          "rating=\"6 MW\" voltage=\"800 V\"/><bess name=\"b\" rating=\"6 MW\" units=\"1\" "
          "energy=\"2 MWh\" voltage=\"800 V\"/><busway per=\"site\" name=\"bus\" rating=\"6 MW\" "
          "units=\"1\" voltage=\"800 V\" parent=\"a b\"/></power>" HALL "</layout>",
          &o);
    want_all(100e3);
    mr_supply_advance(world.supply, 86400);
    assert_true(now().n_rack_on == 0);
    mr_assert_near(totals().storage_out_j, 7.2e9, 1e-9, 0);
    end(1e-12);
}

/* Racks go first: what charges gives way at once, so it is no reason to cap anybody. */
MR_TEST(charging_leaves_racks_their_power)
{
    struct mr_supply_options o = options();
    begin("<layout name=\"s\"><grid limit=\"8 MW\"/><power ups=\"none\"><bess rating=\"6 MW\" "
          "energy=\"1 MWh\" units=\"1\"/></power>" HALL "</layout>",
          &o);
    want_all(120e3);
    mr_supply_advance(world.supply, 300);
    mr_supply_set_voltage(world.supply, 0);
    mr_supply_advance(world.supply, 1500);
    assert_true(now().n_rack_on == 0 && now().storage_soc_frac < 0.2);
    const uint64_t n_overload = totals().n_overload;
    mr_supply_set_voltage(world.supply, 1);
    mr_supply_advance(world.supply, 1531); /* the voltage is trusted, racks wait */
    assert_true(now().storage_w > 5.9e6 && now().rack_w == 0);
    for (double t_s = 1560; t_s <= 1800; t_s += 10) {
        mr_supply_advance(world.supply, t_s);
        const struct mr_supply_reading r = now();
        mr_assert_near(r.rack_w, 32 * 120e3, 1e-12, 0);
        assert_true(r.n_rack_capped == 0 && r.n_rack_held == 0 && r.grid_w <= 8e6);
        mr_assert_near(r.grid_w, 0.99 * 8e6, 1e-3, 0); /* the battery has all the rest */
        assert_true(r.storage_w > 3e6);
    }
    assert_true(totals().capped_j == 0 && totals().n_suspended == 0 &&
                totals().n_overload == n_overload);
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

/* A site that has been running has warm breakers: the same failure trips as late in its first
 * minutes as after hours, ln((x^2 - x0^2) / (x^2 - 1.05^2)) time constants after it. */
MR_TEST(breakers_of_a_running_site_are_warm)
{
    for (int late = 0; late < 2; late++) {
        const double fail_s = late ? 7200 : 300;
        struct mr_supply_options o = options();
        o.params.wire.breaker_frac = 0.6;
        begin("<layout name=\"s\"><grid limit=\"8 MW\"/><power redundancy=\"2N\"/>" HALL
              "</layout>",
              &o);
        want_all(132e3);
        mr_supply_advance(world.supply, fail_s);
        const uint32_t b = power_named("H0.R0.rppB");
        const uint32_t at = mr_supply_wire(world.supply)->of_power[b];
        const struct mr_breaker *breaker = &mr_supply_wire(world.supply)->tree->node[at].breaker;
        struct mr_chain_flow before, after;
        mr_chain_read(mr_supply_chain(world.supply), at, fail_s, &before);
        mr_supply_set_failed(world.supply, power_named("H0.R0.rppA"), true);
        mr_supply_advance(world.supply, fail_s + 1);
        mr_chain_read(mr_supply_chain(world.supply), at, fail_s + 1, &after);
        const double x0 = before.current_a / before.n_on / breaker->rated_a;
        const double x = after.current_a / after.n_on / breaker->rated_a;
        assert_true(x0 > 0.5 && x > 1.9 * x0);
        mr_assert_near(after.trip_s - fail_s, 600 * log((x * x - x0 * x0) / (x * x - 1.1025)), 1e-4,
                       0);
        end(1e-12);
    }
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
           "the lowest caps of all racks need");
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

MR_TEST_MAIN(
    MR_TEST_ENTRY(a_storage_alone_closes),
    MR_TEST_ENTRY(contracts_and_batteries_that_are_too_small_are_told),
    MR_TEST_ENTRY(a_day_without_events), MR_TEST_ENTRY(stages_inside_racks_divide_their_watts),
    MR_TEST_ENTRY(a_steady_load_starts_steady), MR_TEST_ENTRY(loss_of_the_grid_is_ridden_through),
    MR_TEST_ENTRY(batteries_refill_within_the_transformers),
    MR_TEST_ENTRY(batteries_end_and_racks_come_back_under_the_ramp_limit),
    MR_TEST_ENTRY(curtailment_is_met_in_time),
    MR_TEST_ENTRY(the_smaller_limit_of_the_connection_holds), MR_TEST_ENTRY(a_ramp_needs_no_limit),
    MR_TEST_ENTRY(told_loads_meet_the_target_too),
    MR_TEST_ENTRY(more_than_caps_can_give_is_a_breach), MR_TEST_ENTRY(tiers_stop_in_order),
    MR_TEST_ENTRY(an_owner_of_clocks), MR_TEST_ENTRY(lost_turbine_moves_the_frequency),
    MR_TEST_ENTRY(a_swing_begins_with_its_event), MR_TEST_ENTRY(relays_shed_and_racks_come_back),
    MR_TEST_ENTRY(machines_leave_a_bus_that_falls_too_far), MR_TEST_ENTRY(smoothing_in_the_racks),
    MR_TEST_ENTRY(battery_plant_holds_the_ramp), MR_TEST_ENTRY(battery_plant_shaves_the_peak),
    MR_TEST_ENTRY(island_loses_a_turbine), MR_TEST_ENTRY(solar_and_battery_in_orbit),
    MR_TEST_ENTRY(failures_of_the_chain), MR_TEST_ENTRY(random_events_close),
    MR_TEST_ENTRY(random_events_close_with_ramps_and_tiers),
    MR_TEST_ENTRY(a_contract_too_small_stops_racks_at_once),
    MR_TEST_ENTRY(random_loads_never_exceed_the_connection),
    MR_TEST_ENTRY(nobody_rests_before_those_of_lower_tiers),
    MR_TEST_ENTRY(charging_leaves_racks_their_power),
    MR_TEST_ENTRY(one_rack_among_idle_ones_is_not_capped), MR_TEST_ENTRY(a_budget_is_used_up),
    MR_TEST_ENTRY(breakers_of_a_running_site_are_warm))
