/* SPDX-License-Identifier: Apache-2.0 */
/* thermal/moist: published points, inverses, the fit beside the psychrometer equation, altitude. */
#include "thermal/moist.h"

#include "tests/test.h"

MR_TEST(wet_bulb_of_the_published_fit)
{
    mr_assert_near(mr_moist_wet_bulb_c(20, 0.5), 13.699, 0, 5e-4);
    mr_assert_near(mr_moist_wet_bulb_c(40, 0.2), 22.704, 0, 5e-4);
    assert_true(mr_moist_wet_bulb_c(30, 0.01) == mr_moist_wet_bulb_c(30, 0.05)); /* clamped */
    for (int t = -40; t <= 60; t += 4)
        for (int rh = 5; rh <= 100; rh += 5)
            assert_true(mr_moist_wet_bulb_c(t, rh / 100.0) <= t);
}

MR_TEST(fit_and_psychrometer_agree_at_sea_level)
{
    /* the fit's own error bounds; its author excludes dry cold air, at 45 degC it is 0.75 K high */
    for (int t = 10; t <= 40; t += 5)
        for (int rh = 20; rh <= 95; rh += 5) {
            const double fit = mr_moist_wet_bulb_c(t, rh / 100.0);
            const double equation = mr_moist_psychrometer_c(t, rh / 100.0, 101325);
            assert_true(fit - equation > -1 && fit - equation < 0.65);
        }
}

MR_TEST(thin_air_cools_a_wet_bulb_further)
{
    const double sea = mr_moist_psychrometer_c(35, 0.2, 101325);
    const double high = mr_moist_psychrometer_c(35, 0.2, mr_moist_pressure_pa(1600));
    assert_true(high < sea - 0.3 && high > sea - 3);
    mr_assert_near(mr_moist_psychrometer_c(25, 1, 101325), 25, 0, 1e-9);
}

MR_TEST(inverses)
{
    for (int t = -30; t <= 50; t += 5)
        mr_assert_near(mr_moist_dew_point_c(mr_moist_saturation_pa(t)), t, 0, 1e-11);
    for (int t = 10; t <= 45; t += 5)
        for (int rh = 10; rh <= 95; rh += 5) {
            const double wet = mr_moist_wet_bulb_c(t, rh / 100.0);
            mr_assert_near(mr_moist_rh_of_wet_bulb(t, wet), rh / 100.0, 0, 1e-9);
        }
    /* air whose vapor stays keeps its dew point */
    const double rh = mr_moist_rh_warmed(30, 0.4, 5);
    mr_assert_near(mr_moist_dew_point_c(rh * mr_moist_saturation_pa(35)),
                   mr_moist_dew_point_c(0.4 * mr_moist_saturation_pa(30)), 0, 1e-10);
    assert_true(mr_moist_rh_warmed(30, 0.4, 0) == 0.4);
    assert_true(mr_moist_rh_warmed(30, 0.055, 6) == 0.05);
    assert_true(mr_moist_rh_warmed(30, 0.02, 1e-9) <= 0.02);
}

MR_TEST(known_air)
{
    mr_assert_near(mr_moist_saturation_pa(20), 2339, 4e-3, 0); /* steam tables */
    mr_assert_near(mr_moist_saturation_pa(45), 9590, 4e-3, 0);
    mr_assert_near(mr_moist_pressure_pa(0), 101325, 1e-15, 0);
    mr_assert_near(mr_moist_pressure_pa(1000), 89875, 1e-4, 0); /* standard atmosphere */
    mr_assert_near(mr_moist_pressure_pa(3000), 70109, 2e-4, 0);
}

MR_TEST_MAIN(MR_TEST_ENTRY(wet_bulb_of_the_published_fit),
             MR_TEST_ENTRY(fit_and_psychrometer_agree_at_sea_level),
             MR_TEST_ENTRY(thin_air_cools_a_wet_bulb_further), MR_TEST_ENTRY(inverses),
             MR_TEST_ENTRY(known_air))
