/* SPDX-License-Identifier: Apache-2.0 */
/* power/supply with a trace of the grid's frequency: who is shed when, who leaves, who comes back.
 */
#include "tests/power/supply_bed.h"

static struct mr_arena arena;
static struct mr_series trace;

/* 32 racks of 120 kW behind a trace; stages of 500 kW and 1 MW. */
static void begin_with(uint32_t n, const double *start_s, const double *hz)
{
    struct mr_supply_options o = options();
    arena = (struct mr_arena){0};
    assert_int_equal(mr_series_of(&arena, start_s, hz, n, 1e4, &trace, NULL), MR_OK);
    o.frequency = &trace;
    o.params.frequency.n_stage = 2;
    o.params.frequency.shed_w[0] = 500e3;
    o.params.frequency.shed_w[1] = 1e6;
    begin(plain, &o);
    want_all(120e3);
}

static void finish(void)
{
    end(1e-12);
    mr_arena_fini(&arena);
}

static double nth_s(const char *kind, size_t n)
{
    for (size_t i = 0; i < world.n_event; i++)
        if (strcmp(world.event[i].kind, kind) == 0 && n-- == 0)
            return world.event[i].t_s;
    return (double)INFINITY;
}

/* A dip of less than the delay sheds nobody. Both thresholds passed at once: in turn. Whoever was
 * shed comes back when the frequency is above all thresholds, not before. */
MR_TEST(stages_follow_the_trace)
{
    begin_with(7, (double[]){0, 10, 10.1, 20, 300, 600, 900},
               (double[]){60, 59.2, 59.98, 59.2, 58.8, 59.1, 60.02});
    mr_supply_advance(world.supply, 15);
    assert_true(count("grid.ufls") == 0 && now().n_rack_on == 32 && totals().low_hz == 59.2);
    assert_true(now().frequency_hz == 59.98);
    mr_supply_advance(world.supply, 299);
    mr_assert_near(nth_s("grid.ufls", 0), 20.2, 1e-12, 0);
    assert_true(count("grid.ufls") == 1 && count("power.rack_shut") == 5);
    assert_true(now().n_rack_on == 27);
    mr_supply_advance(world.supply, 899);
    mr_assert_near(nth_s("grid.ufls", 1), 300.2, 1e-12, 0);
    assert_true(count("grid.ufls") == 2 && count("power.rack_shut") == 14);
    assert_true(count("power.rack_resumed") == 0 && totals().low_hz == 58.8);
    mr_supply_advance(world.supply, 1100);
    assert_true(count("power.rack_resumed") == 14 && nth_s("power.rack_resumed", 0) > 900);
    assert_true(now().n_rack_on == 32 && now().n_rack_held == 0 && now().frequency_hz == 60.02);
    assert_true(totals().n_ufls == 2 && count("grid.lost") == 0);
    finish();
}

MR_TEST(stages_in_turn)
{
    begin_with(2, (double[]){0, 10}, (double[]){60, 58});
    mr_supply_advance(world.supply, 20);
    mr_assert_near(nth_s("grid.ufls", 0), 10.2, 1e-12, 0);
    mr_assert_near(nth_s("grid.ufls", 1), 10.4, 1e-12, 0);
    finish();
}

/* Below what machines stay at the grid is gone, as long as the ride-through curve lets it. */
MR_TEST(a_collapse_of_the_grid)
{
    begin_with(5, (double[]){0, 10, 10.01, 20, 25}, (double[]){60, 56, 60, 56.5, 60});
    mr_supply_advance(world.supply, 19);
    assert_true(count("grid.frequency") == 2 && count("grid.lost") == 0 && now().has_grid);
    mr_supply_advance(world.supply, 24);
    mr_assert_near(first_s("grid.lost"), 20.02, 1e-12, 0);
    assert_true(!now().has_grid && now().frequency_hz == 60); /* supplies carry it */
    mr_supply_set_voltage(world.supply, 1);                   /* says nothing new */
    assert_true(!now().has_grid);
    mr_supply_advance(world.supply, 200);
    mr_assert_near(first_s("grid.back"), 25 + 30, 1e-12, 0);
    assert_true(now().has_grid && totals().low_hz == 56);
    finish();
}

/* Advancing in parts is advancing at once. */
MR_TEST(parts_are_the_whole)
{
    double rack_j[2], grid_j[2];
    for (int k = 0; k < 2; k++) {
        begin_with(4, (double[]){0, 20, 300, 305}, (double[]){60, 59.2, 56, 60});
        for (int i = 1; i <= 100 && k == 1; i++)
            mr_supply_advance(world.supply, 7 * i);
        mr_supply_advance(world.supply, 700);
        rack_j[k] = totals().rack_j;
        grid_j[k] = totals().grid_j;
        assert_true(totals().n_ufls == 1 && totals().n_away == 1);
        finish();
    }
    mr_assert_near(rack_j[0], rack_j[1], 1e-9, 0);
    mr_assert_near(grid_j[0], grid_j[1], 1e-9, 0);
}

MR_TEST(impossible_traces)
{
    struct mr_supply_options o = options();
    struct mr_diags diags = {0};
    arena = (struct mr_arena){0};
    assert_int_equal(
        mr_series_of(&arena, (double[]){0, 10}, (double[]){50, 49.9}, 2, 20, &trace, NULL), MR_OK);
    o.frequency = &trace;
    const struct {
        const char *layout, *what;
    } bad[] = {
        {plain, "grid's frequency: frequencies about 49.95 Hz, the nominal is 60 Hz"},
        {"<layout name=\"s\"><grid interconnect=\"island\"/><power><turbine units=\"2\" "
         "rating=\"5 MW\"/></power>" HALL "</layout>",
         "s: a trace of the grid's frequency, and no grid"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        diags = (struct mr_diags){0};
        if (mr_layout_load_text("t", mr_str_of(bad[i].layout), &world.site, &diags) != MR_OK)
            fail_msg("%s", diags.item[0].err.text);
        diags = (struct mr_diags){0};
        assert_int_equal(mr_supply_create(world.site, &o, &world.supply, &diags), MR_RANGE);
        mr_assert_contains(diags.item[diags.n_item - 1].err.text, bad[i].what);
        mr_site_destroy(world.site);
    }
    mr_arena_fini(&arena);
}

MR_TEST_MAIN(MR_TEST_ENTRY(stages_follow_the_trace), MR_TEST_ENTRY(stages_in_turn),
             MR_TEST_ENTRY(a_collapse_of_the_grid), MR_TEST_ENTRY(parts_are_the_whole),
             MR_TEST_ENTRY(impossible_traces))
