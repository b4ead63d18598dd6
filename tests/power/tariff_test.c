/* SPDX-License-Identifier: Apache-2.0 */
/* power/tariff: bills by hand, in parts and at once, demand windows, the year of a flexible
 * connection. */
#include "power/tariff.h"

#include "engine/base/rng.h"
#include "tests/test.h"

static const double mwh_j = 3.6e9;

MR_TEST(a_bill_by_hand)
{
    struct mr_arena arena = {0};
    struct mr_series price, carbon;
    assert_int_equal(mr_series_of(&arena, (double[]){0, 3600},
                                  (double[]){16.62 / mwh_j, -5 / mwh_j}, 2, 7200, &price, NULL),
                     MR_OK);
    assert_int_equal(
        mr_series_of(&arena, (double[]){0}, (double[]){0.3 / 3.6e6}, 1, 7200, &carbon, NULL),
        MR_OK);
    struct mr_tariff_params params;
    mr_tariff_defaults(&params);
    assert_int_equal(mr_tariff_check(&params, "tariff", NULL), MR_OK);
    params.demand_usd_w = 10e-3; /* 10 USD/kW */
    struct mr_tariff tariff = mr_tariff_start(&params, 0);
    mr_tariff_advance(&params, &tariff, &price, &carbon, 3600, 100e6, 100e6);
    mr_assert_near(tariff.energy_usd, 1662, 1e-12, 0);
    mr_tariff_advance(&params, &tariff, &price, &carbon, 7200, 40e6, 40e6);
    mr_assert_near(tariff.energy_usd, 1662 - 200, 1e-12, 0);
    mr_assert_near(tariff.energy_j / mwh_j, 140, 1e-12, 0);
    mr_assert_near(tariff.carbon_kg, 140e3 * 0.3, 1e-12, 0);
    mr_assert_near(mr_tariff_demand_usd(&params, &tariff), 1e6, 1e-12, 0); /* 100 MW */
    mr_arena_fini(&arena);
}

MR_TEST(demand_is_the_highest_whole_window)
{
    struct mr_tariff_params params;
    mr_tariff_defaults(&params);
    params.demand_usd_w = 1;
    params.billing_s = 3600;
    struct mr_tariff tariff = mr_tariff_start(&params, 0);
    /* 5 minutes of 90 W, 10 of 30 W: 50 W. Then a ramp 0 to 80 W over a window: 40 W */
    mr_tariff_advance(&params, &tariff, NULL, NULL, 300, 90, 90);
    assert_true(tariff.peak_w == 0);
    mr_tariff_advance(&params, &tariff, NULL, NULL, 900, 30, 30);
    assert_true(tariff.peak_w == 50);
    mr_tariff_advance(&params, &tariff, NULL, NULL, 1800, 0, 80);
    assert_true(tariff.peak_w == 50 && tariff.demand_usd == 0);
    /* the bill is written after an hour; a new period begins from nothing */
    mr_tariff_advance(&params, &tariff, NULL, NULL, 3600, 10, 10);
    assert_true(tariff.demand_usd == 50 && tariff.peak_w == 0);
    mr_tariff_advance(&params, &tariff, NULL, NULL, 3 * 3600., 20, 20);
    assert_true(tariff.demand_usd == 90);
    assert_true(mr_tariff_demand_usd(&params, &tariff) == 90);
}

MR_TEST(what_is_delivered_is_paid_and_has_no_carbon)
{
    struct mr_tariff_params params;
    mr_tariff_defaults(&params);
    params.price_usd_j = 1;
    params.carbon_kg_j = 1;
    struct mr_tariff tariff = mr_tariff_start(&params, 0);
    mr_tariff_advance(&params, &tariff, NULL, NULL, 100, 10, -30); /* turns after 25 s */
    mr_assert_near(tariff.carbon_kg, 125, 1e-12, 0);
    mr_assert_near(tariff.energy_usd, 125 - 1125, 1e-12, 0);
    mr_assert_near(tariff.energy_j, -1000, 1e-12, 0);
}

MR_TEST(parts_are_the_whole)
{
    struct mr_arena arena = {0};
    struct mr_series price;
    double start_s[48], value[48];
    for (int i = 0; i < 48; i++) {
        start_s[i] = 1800. * i;
        value[i] = (i * 37 % 23) - 3;
    }
    assert_int_equal(mr_series_of(&arena, start_s, value, 48, 86400, &price, NULL), MR_OK);
    struct mr_tariff_params params;
    mr_tariff_defaults(&params);
    params.demand_usd_w = 1;
    struct mr_tariff whole = mr_tariff_start(&params, 0), parts = whole;
    mr_tariff_advance(&params, &whole, &price, NULL, 80000, -2e6, 9e6);
    struct mr_rng rng = mr_rng_stream(1, MR_RNG_TEST, 1);
    for (double t_s = 0; t_s < 80000;) {
        const double end_s = fmin(80000, t_s + mr_rng_range(&rng, 0, 500));
        mr_tariff_advance(&params, &parts, &price, NULL, end_s, -2e6 + 11e6 * t_s / 80000,
                          -2e6 + 11e6 * end_s / 80000);
        t_s = end_s;
    }
    mr_assert_near(parts.energy_usd, whole.energy_usd, 1e-9, 0);
    mr_assert_near(parts.carbon_kg, whole.carbon_kg, 1e-9, 0);
    mr_assert_near(parts.peak_w, whole.peak_w, 1e-9, 0);
    mr_arena_fini(&arena);
}

MR_TEST(the_year_of_a_flexible_connection)
{
    /* 100 MW firm or 150 MW but for 50 h at 75 MW; 200 $/MWh earned, 300 $/kW-year to build */
    struct mr_tariff_flexible f = {.firm_w = 100e6,
                                   .flexible_w = 150e6,
                                   .curtailed_w = 75e6,
                                   .curtail_s_year = 50 * 3600.,
                                   .value_usd_j = 200 / mwh_j,
                                   .capital_usd_w_year = 0.3};
    struct mr_tariff_year year;
    assert_int_equal(mr_tariff_flexible_year(&f, "flex", &year, NULL), MR_OK);
    mr_assert_near(year.firm_usd, 100 * 8760 * 200., 1e-12, 0);
    mr_assert_near(year.gain_usd, 50 * 8760 * 200. - 75 * 50 * 200. - 15e6, 1e-12, 0);
    /* at break-even the gain is nothing */
    f.curtail_s_year = year.break_even_s;
    assert_int_equal(mr_tariff_flexible_year(&f, "flex", &year, NULL), MR_OK);
    mr_assert_near(year.gain_usd / year.firm_usd, 0, 0, 1e-12);
    f.curtailed_w = 110e6;
    struct mr_err err = {0};
    assert_int_equal(mr_tariff_flexible_year(&f, "flex", &year, &err), MR_RANGE);
    mr_assert_contains(err.text, "flex: curtailed 1.1e+08 W, firm 1e+08 W");
    f.curtailed_w = 0;
    f.curtail_s_year = -1;
    err = (struct mr_err){0};
    assert_int_equal(mr_tariff_flexible_year(&f, "flex", &year, &err), MR_RANGE);
    mr_assert_contains(err.text, "must be 0 to 8760");
}

MR_TEST(impossible_tariffs)
{
    struct mr_tariff_params params;
    struct mr_err err = {0};
    mr_tariff_defaults(&params);
    params.billing_s = 1000;
    assert_int_equal(mr_tariff_check(&params, "tariff", &err), MR_RANGE);
    mr_assert_contains(err.text, "tariff: billing period 1000 s: must be whole demand windows");
}

MR_TEST_MAIN(MR_TEST_ENTRY(a_bill_by_hand), MR_TEST_ENTRY(demand_is_the_highest_whole_window),
             MR_TEST_ENTRY(what_is_delivered_is_paid_and_has_no_carbon),
             MR_TEST_ENTRY(parts_are_the_whole), MR_TEST_ENTRY(the_year_of_a_flexible_connection),
             MR_TEST_ENTRY(impossible_tariffs))
