/* SPDX-License-Identifier: Apache-2.0 */
/* thermal/dry_cooler: the record's design point and published fan points, the cliff, limits of the
 * formula, fans against brute force, lost fans, thin air, hours that dry coolers cannot hold. */
#include "thermal/dry_cooler.h"

#include "tests/thermal/sources.h"
#include "thermal/moist.h"

static struct mr_dry_cooler_params plain(void)
{
    struct mr_dry_cooler_params params;
    mr_dry_cooler_defaults(&params);
    return params;
}

static struct mr_dry_cooler cooler_of(const struct mr_dry_cooler_params *params)
{
    struct mr_dry_cooler cooler;
    struct mr_err err = {0};
    if (mr_dry_cooler_make("X0", params, &cooler, &err) != MR_OK)
        fail_msg("%s", err.text);
    return cooler;
}

static struct mr_dry_cooler record(void)
{
    const struct mr_dry_cooler_params params = plain();
    return cooler_of(&params);
}

static const struct mr_dry_cooler_in design = {46.11, 1, 35, 1, 1, 0};

MR_TEST(design_point_of_the_record)
{
    const struct mr_dry_cooler cooler = record();
    const struct mr_dry_cooler_params params = plain();
    sources_hold(&mr_dry_cooler_table, &params);
    mr_assert_near(cooler.water_w_k, 527.2e3, 1e-3, 0);
    mr_assert_near(cooler.air_w_k, 528e3, 1e-4, 0);
    mr_assert_near(cooler.ua_w_k, 607.5e3, 2e-3, 0);
    const struct mr_dry_cooler_out out = mr_dry_cooler_run(&cooler, &design);
    mr_assert_near(out.heat_w, 2931e3, 1e-10, 0);
    mr_assert_near(out.leaving_c, 40.55, 1e-10, 0);
    mr_assert_near(out.fan_w, 117.68e3, 1e-12, 0);
    assert_true(out.speed_frac == 1 && out.is_saturated && !out.is_bypassed);
    /* fans at 60 and 30 % and the same difference of inlets */
    mr_assert_near(mr_dry_cooler_g_w_k(&cooler, 1, 0.6) * 11.11, 2211e3, 1e-3, 0);
    mr_assert_near(mr_dry_cooler_g_w_k(&cooler, 1, 0.3) * 11.11, 1352e3, 1e-3, 0);
}

MR_TEST(cliff)
{
    const struct mr_dry_cooler cooler = record();
    /* 38 degC outside, 41.5 degC wanted: 63.1 % of the heat at most, the rest is for others */
    double low = 0, high = 1;
    for (int i = 0; i < 60; i++) {
        const double middle = 0.5 * (low + high);
        if (mr_dry_cooler_limit_c(&cooler, middle, 41.5, 1) > 38)
            low = middle;
        else
            high = middle;
    }
    mr_assert_near(low, 0.631, 1e-3, 0);
    /* there the cooler itself says so */
    struct mr_dry_cooler_in in = design;
    in.air_c = 38;
    in.set_c = 41.5;
    in.entering_c = 41.5 + low * 2931e3 / cooler.water_w_k;
    struct mr_dry_cooler_out out = mr_dry_cooler_run(&cooler, &in);
    mr_assert_near(out.speed_frac, 1, 1e-8, 0);
    mr_assert_near(out.leaving_c, 41.5, 1e-9, 0);
    in.entering_c += 0.01;
    assert_true(mr_dry_cooler_run(&cooler, &in).is_saturated);
    /* full load with facility water of 41-42 degC holds to 35.5-36.5 degC outside */
    mr_assert_near(mr_dry_cooler_limit_c(&cooler, 1, 41, 1), 35.45, 1e-9, 0);
    mr_assert_near(mr_dry_cooler_limit_c(&cooler, 1, 42, 1), 36.45, 1e-9, 0);
}

MR_TEST(fans_meet_the_set_point)
{
    const struct mr_dry_cooler cooler = record();
    int n_part = 0, n_full = 0, n_still = 0;
    for (int air = -20; air <= 44; air += 4)
        for (int flow = 2; flow <= 12; flow += 2)
            for (int set = 20; set <= 44; set += 4) {
                struct mr_dry_cooler_in in = {46, flow / 10.0, air, 0.96, 0.9, set};
                const struct mr_dry_cooler_out out = mr_dry_cooler_run(&cooler, &in);
                const double water_w_k = cooler.water_w_k * in.flow_frac;
                /* three balances: water, air, coil */
                mr_assert_near(out.heat_w, water_w_k * (46 - out.leaving_c), 1e-9, 1e-3);
                mr_assert_near(out.heat_w, out.air_w_k * (out.air_out_c - air), 1e-9, 1e-3);
                assert_true(out.leaving_c >= set - 1e-9 && out.leaving_c >= air);
                mr_assert_near(out.fan_w, 117.68e3 * 0.96 * 0.9 * pow(out.speed_frac, 3), 1e-12, 0);
                const double g_w_k =
                    mr_dry_cooler_g_w_k(&cooler, in.flow_frac, out.air_w_k / cooler.air_w_k);
                if (out.is_bypassed) {
                    assert_true(g_w_k * (46 - air) >= out.heat_w);
                    n_still++;
                } else {
                    mr_assert_near(out.heat_w, g_w_k * (46 - air), 1e-8, 0);
                    n_part += out.speed_frac < 1;
                    n_full += out.speed_frac == 1;
                }
                /* a little slower would be too warm */
                if (!out.is_bypassed && !out.is_saturated) {
                    const double slower = 0.96 * fmax(0.999 * out.speed_frac * 0.9, 0.125);
                    assert_true(mr_dry_cooler_g_w_k(&cooler, in.flow_frac, slower) * (46 - air) <
                                out.heat_w);
                }
            }
    assert_true(n_part > 50 && n_full > 50 && n_still > 20);
}

MR_TEST(more_air_or_water_moves_more_heat)
{
    const struct mr_dry_cooler cooler = record();
    for (int i = 1; i <= 20; i++)
        for (int k = 1; k <= 20; k++) {
            const double g = mr_dry_cooler_g_w_k(&cooler, 0.1 * i, 0.1 * k);
            assert_true(mr_dry_cooler_g_w_k(&cooler, 0.1 * i + 0.01, 0.1 * k) > g);
            assert_true(mr_dry_cooler_g_w_k(&cooler, 0.1 * i, 0.1 * k + 0.01) > g);
            assert_true(g < fmin(0.1 * i * cooler.water_w_k, 0.1 * k * cooler.air_w_k));
        }
    assert_true(mr_dry_cooler_g_w_k(&cooler, 0, 1) == 0);
    assert_true(mr_dry_cooler_g_w_k(&cooler, 1, 0) == 0);
}

MR_TEST(nothing_to_do)
{
    const struct mr_dry_cooler cooler = record();
    static const struct {
        struct mr_dry_cooler_in in;
        bool is_saturated;
    } cases[] = {
        {{40, 1, 20, 1, 1, 41}, false}, /* cold enough already */
        {{40, 0, 20, 1, 1, 30}, true},  /* no flow */
        {{30, 1, 35, 1, 1, 28}, true},  /* air is warmer */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct mr_dry_cooler_out out = mr_dry_cooler_run(&cooler, &cases[i].in);
        assert_true(out.heat_w == 0 && out.fan_w == 0 && out.speed_frac == 0);
        assert_true(out.leaving_c == cases[i].in.entering_c);
        assert_int_equal(out.is_saturated, cases[i].is_saturated);
    }
}

MR_TEST(lost_fans_and_thin_air)
{
    const struct mr_dry_cooler cooler = record();
    struct mr_dry_cooler_in in = design;
    in.fans_frac = 0.6;
    mr_assert_near(mr_dry_cooler_run(&cooler, &in).heat_w, 2211e3, 1e-3, 0);
    mr_assert_near(mr_dry_cooler_run(&cooler, &in).fan_w, 0.6 * 117.68e3, 1e-12, 0);
    in.fans_frac = 0;
    const struct mr_dry_cooler_out still = mr_dry_cooler_run(&cooler, &in);
    assert_true(still.fan_w == 0);
    mr_assert_near(still.heat_w, mr_dry_cooler_g_w_k(&cooler, 1, 0.125) * 11.11, 1e-12, 0);
    in = design;
    in.density_frac = 0.83; /* 1,600 m */
    const struct mr_dry_cooler_out thin = mr_dry_cooler_run(&cooler, &in);
    assert_true(thin.heat_w < 0.95 * 2931e3 && thin.heat_w > 0.83 * 2931e3);
    assert_true(thin.fan_w < 0.84 * 117.68e3);
}

MR_TEST(impossible_coolers)
{
    static const char *const texts[] = {
        "X0: coolant must enter (40 degC) warmer than it leaves (40.55 degC)",
        "leave warmer than the air (41 degC)",
        "X0: no coil is that good: effectiveness",
        "X0: capacity 0 W: must be 1 kW .. 1 GW",
        "X0: free 0 %: must be",
        "X0: capacity nan",
    };
    static const double value[] = {40, 41, 40.5, 0, 0, (double)NAN};
    for (int i = 0; i < 6; i++) {
        struct mr_dry_cooler_params params = plain();
        double *const field[] = {&params.entering_c, &params.air_c,     &params.air_c,
                                 &params.capacity_w, &params.free_frac, &params.capacity_w};
        struct mr_dry_cooler cooler;
        struct mr_err err = {0};
        *field[i] = value[i];
        if (i == 2)
            params.air_rise_k = 12;
        assert_int_equal(mr_dry_cooler_make("X0", &params, &cooler, &err), MR_RANGE);
        mr_assert_contains(err.text, texts[i]);
    }
}

MR_TEST(cards_give_the_design_point)
{
    const struct mr_reject_card card = {
        .capacity_w = 1e6, .electric_w = 3e4, .air_c = 30, .entering_c = 45, .leaving_c = 38};
    struct mr_dry_cooler_params params = plain();
    mr_dry_cooler_of_card(&card, &params);
    const struct mr_dry_cooler cooler = cooler_of(&params);
    const struct mr_dry_cooler_in in = {45, 1, 30, 1, 1, 0};
    const struct mr_dry_cooler_out out = mr_dry_cooler_run(&cooler, &in);
    mr_assert_near(out.heat_w, 1e6, 1e-10, 0);
    mr_assert_near(out.leaving_c, 38, 1e-10, 0);
    mr_assert_near(out.fan_w, 3e4, 1e-12, 0);
}

/* 45 degC to the racks, CDU approach 3 or 4 K: facility water of 42 or 41 degC at full load. */
MR_TEST(hours_that_dry_coolers_cannot_hold)
{
    static const struct {
        const char *name;
        double facility_c, records_h; /* records above facility_c - 5.55 */
    } cases[] = {
        {"weather/USA_AZ_Phoenix-Sky.Harbor.epw", 42, 1187},
        {"weather/USA_AZ_Phoenix-Sky.Harbor.epw", 41, 1472},
        {"weather/USA_TX_Dallas-Fort.Worth.epw", 42, 137},
        {"weather/USA_TX_Dallas-Fort.Worth.epw", 41, 263},
    };
    const struct mr_dry_cooler cooler = record();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct mr_weather_params params;
        struct mr_weather weather;
        struct mr_err err = {0};
        mr_weather_defaults(&params);
        params.file = mr_test_data(cases[i].name);
        if (params.file == NULL)
            mr_test_skip("no %s under MILLRACE_DATA", cases[i].name);
        if (mr_weather_make(&params, &weather, &err) != MR_OK)
            fail_msg("%s", err.text);
        const double facility_c = cases[i].facility_c, year_s = 8760 * 3600.0;
        /* at sea level the limit is 5.55 K below, and the file's records count */
        const double limit_c = mr_dry_cooler_limit_c(&cooler, 1, facility_c, 1);
        assert_true(mr_weather_file_hours_above(&weather, limit_c) == cases[i].records_h);
        /* brute force with the air of the place: run a cooler at full load every ten minutes */
        const double density = mr_moist_pressure_pa(weather.elevation_m) / 101325;
        const struct mr_weather_sum sum =
            mr_dry_cooler_short(&cooler, &weather, 1, facility_c, 0, year_s);
        double short_h = 0;
        for (double t_s = 300; t_s < year_s; t_s += 600) {
            const struct mr_dry_cooler_in in = {facility_c + 2931e3 / cooler.water_w_k,
                                                1,
                                                mr_weather_dry_bulb_c(&weather, t_s),
                                                density,
                                                1,
                                                facility_c};
            short_h += mr_dry_cooler_run(&cooler, &in).is_saturated ? 1 / 6.0 : 0;
        }
        print_message("%s, %g degC: %.0f records, %.1f h on the line, thin air %.1f h\n",
                      cases[i].name, facility_c, cases[i].records_h,
                      mr_weather_integrate(&weather, 0, year_s, limit_c).above_s / 3600,
                      sum.above_s / 3600);
        mr_assert_near(sum.above_s / 3600, short_h, 0.01, 0);
        mr_assert_near(sum.above_s / 3600, cases[i].records_h, 0.1, 0);
        /* at 30 % of the heat Dallas has no such hour */
        if (i == 2)
            assert_true(
                mr_dry_cooler_short(&cooler, &weather, 0.3, facility_c, 0, year_s).above_s == 0);
        mr_weather_fini(&weather);
    }
}

MR_TEST_MAIN(MR_TEST_ENTRY(design_point_of_the_record), MR_TEST_ENTRY(cliff),
             MR_TEST_ENTRY(fans_meet_the_set_point),
             MR_TEST_ENTRY(more_air_or_water_moves_more_heat), MR_TEST_ENTRY(nothing_to_do),
             MR_TEST_ENTRY(lost_fans_and_thin_air), MR_TEST_ENTRY(impossible_coolers),
             MR_TEST_ENTRY(cards_give_the_design_point),
             MR_TEST_ENTRY(hours_that_dry_coolers_cannot_hold))
