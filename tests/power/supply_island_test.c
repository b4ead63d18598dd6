/* SPDX-License-Identifier: Apache-2.0 */
/* power/supply on islands: machines that are lost, frequency, relays, a site without any grid. */
#include "power/series.h"
#include "tests/power/supply_bed.h"

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

/* A battery gives what the machine that is left cannot: all is in balance when that one arrives at
 * its rating, and stays so. */
MR_TEST(a_battery_beside_a_full_machine)
{
    struct mr_supply_options o = options();
    begin("<layout name=\"s\"><grid interconnect=\"island\"/><power ups=\"none\"><turbine "
          "rating=\"2.5 MW\" units=\"2\" spare=\"0\" name=\"gt\"/><bess rating=\"4 MW\" "
          "energy=\"2 MWh\"/></power>" HALL "</layout>",
          &o);
    want_all(120e3);
    mr_supply_advance(world.supply, 3600);
    mr_supply_set_units_failed(world.supply, power_named("S.gt"), 1);
    double full_s = 0;
    for (double t_s = 3601; t_s <= 4200 && full_s == 0; t_s++) {
        mr_supply_advance(world.supply, t_s);
        full_s = now().generator_w > 2.5e6 * (1 - 1e-6) && now().storage_w < 0 ? t_s : 0;
    }
    assert_true(full_s > 3610);
    mr_supply_advance(world.supply, full_s + 60);
    assert_true(now().storage_w < -1e6 && now().n_rack_on == 32);
    assert_true(totals().low_hz > 59.999 && totals().n_collapse == 0);
    end(1e-9);
}

/* Sun takes its watts from the machines' set points and their fuel, down to the least load of units
 * that stand by for it. Sun that goes is missing at once, and moves the frequency. */
MR_TEST(sun_on_an_island)
{
    struct mr_arena arena = {0};
    struct mr_err err = {0};
    struct mr_series sun;
    const double start_s[] = {0, 3600, 7200}, value[] = {0, 1, 0};
    assert_int_equal(mr_series_of(&arena, start_s, value, 3, 10800, &sun, &err), MR_OK);
    struct mr_supply_options o = options();
    o.sun = &sun;
    begin("<layout name=\"s\"><grid interconnect=\"island\"/><power ups=\"none\"><turbine "
          "rating=\"2 MW\" units=\"4\" spare=\"1\" name=\"gt\"/><solar rating=\"0.8 "
          "MW\"/></power>" HALL "</layout>",
          &o);
    want_all(120e3);
    mr_supply_advance(world.supply, 1800);
    const struct mr_supply_total at_first = totals();
    mr_supply_advance(world.supply, 3599);
    const double dark_j = totals().fuel_j - at_first.fuel_j, all_w = now().generator_w;
    mr_supply_advance(world.supply, 5400);
    const struct mr_supply_total then = totals();
    const double lit_w = now().generator_w;
    mr_assert_near(now().solar_w, 0.8e6, 1e-9, 0);
    mr_assert_near(lit_w, all_w - 0.8e6, 1e-3, 0);
    mr_supply_advance(world.supply, 7199);
    assert_true(totals().fuel_j - then.fuel_j < 0.9 * dark_j);
    assert_true(fabs(totals().machine_rest_j - then.machine_rest_j) < 1e-3 * totals().solar_j);
    assert_true(totals().low_hz > 59.9);
    mr_supply_advance(world.supply, 7260);
    assert_true(totals().low_hz < 59.9 && totals().low_hz > 59 && totals().n_collapse == 0);
    assert_int_equal(now().n_rack_on, 32);
    end(1e-9);
    mr_arena_fini(&arena);
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
    mr_supply_advance(world.supply, 3599);
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

/* Two of three sets start for what was asked for, and carry it all but the margin: the rack that
 * is held back has the third started, and comes back before the grid does. */
MR_TEST(an_idle_set_starts_for_a_rack_that_is_held)
{
    struct mr_supply_options o = options();
    begin("<layout name=\"s\"><grid limit=\"6 MW\"/><power ups=\"none\"><generator name=\"g\" "
          "rating=\"1.5 MW\" units=\"3\"/></power>" HALL "</layout>",
          &o);
    want_all(92400);
    mr_supply_advance(world.supply, 300);
    mr_supply_set_voltage(world.supply, 0);
    mr_supply_advance(world.supply, 1200);
    assert_true(now().grid_w == 0 && now().n_rack_held == 0);
    assert_int_equal(now().n_rack_on, 32);
    mr_assert_near(now().rack_w, 32 * 92400, 1e-9, 0);
    assert_int_equal(count("power.gen_on"), 2); /* two at once, then the third */
    end(1e-9);
}

MR_TEST_MAIN(MR_TEST_ENTRY(an_idle_set_starts_for_a_rack_that_is_held),
             MR_TEST_ENTRY(lost_turbine_moves_the_frequency),
             MR_TEST_ENTRY(a_swing_begins_with_its_event),
             MR_TEST_ENTRY(relays_shed_and_racks_come_back),
             MR_TEST_ENTRY(machines_leave_a_bus_that_falls_too_far),
             MR_TEST_ENTRY(island_loses_a_turbine), MR_TEST_ENTRY(solar_and_battery_in_orbit),
             MR_TEST_ENTRY(a_battery_beside_a_full_machine), MR_TEST_ENTRY(sun_on_an_island))
