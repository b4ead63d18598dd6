/* SPDX-License-Identifier: Apache-2.0 */
/* thermal/water and thermal/adiabatic: litres of a kilowatt-hour, pads between dry and wet bulb. */
#include "thermal/water.h"

#include "tests/thermal/sources.h"
#include "thermal/adiabatic.h"

MR_TEST(litres_of_a_kilowatt_hour)
{
    struct mr_water_params params;
    mr_water_defaults(&params);
    sources_hold(&mr_water_table, &params);
    const struct mr_water water = mr_water_of(&params, 1000, 0);
    mr_assert_near(water.evaporated_kg_s * 3600, 1.4815, 1e-4, 0);
    mr_assert_near(water.blow_down_kg_s * 3600, 0.3704, 1e-4, 0);
    mr_assert_near(mr_water_total_kg_s(&water) * 3600, 1.8519, 1e-4, 0);
    mr_assert_near(mr_water_m3_s(&params, &water) * 3600e3, 1.8519, 1e-4, 0);
    assert_true(mr_water_of(&params, 0, 50).drift_kg_s == 0.005);
    /* 2.6 million gallons for a megawatt-year */
    mr_assert_near(2.6e6 * 3.785411784 / 8760e3, 1.1235, 1e-4, 0);
    params.cycles = 1;
    struct mr_err err = {0};
    assert_int_equal(mr_water_check("tower \"T\"", &params, &err), MR_RANGE);
    mr_assert_contains(err.text, "tower \"T\": cycles 1: must be 1.1 .. 1000");
}

MR_TEST(pads_cool_towards_the_wet_bulb)
{
    struct mr_adiabatic_params params;
    struct mr_err err = {0};
    mr_adiabatic_defaults(&params);
    sources_hold(&mr_adiabatic_table, &params);
    mr_assert_near(mr_adiabatic_air_c(&params, 40, 20), 24, 1e-14, 0);
    assert_true(mr_adiabatic_air_c(&params, 20.4, 20) == 20.4); /* not worth it */
    assert_true(mr_adiabatic_air_c(&params, 20, 20) == 20);
    mr_assert_near(mr_adiabatic_latent_w(&params, 500e3, 40, 20), 8e6, 1e-14, 0);
    params.effectiveness = 1.2;
    assert_int_equal(mr_adiabatic_check("X", &params, &err), MR_RANGE);
    mr_assert_contains(err.text, "X: effectiveness 120 %: must be 0.05 .. 1");
}

MR_TEST_MAIN(MR_TEST_ENTRY(litres_of_a_kilowatt_hour),
             MR_TEST_ENTRY(pads_cool_towards_the_wet_bulb))
