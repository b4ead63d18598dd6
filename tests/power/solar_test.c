/* SPDX-License-Identifier: Apache-2.0 */
/* power/solar: area, clipping, dates. */
#include "power/solar.h"

#include "tests/test.h"

MR_TEST(sunshine_to_watts)
{
    const struct mr_solar_params params = {1e4, 0.2, 1.5e6};
    assert_true(mr_solar_w(&params, 0) == 0 && mr_solar_w(&params, -1) == 0);
    mr_assert_near(mr_solar_w(&params, 500), 1e6, 1e-15, 0);
    assert_true(mr_solar_w(&params, 1000) == 1.5e6);
    struct mr_arena arena = {0};
    struct mr_series sun, power;
    assert_int_equal(mr_series_of(&arena, (double[]){0, 3600, 7200}, (double[]){0, 500, 1000}, 3,
                                  10800, &sun, NULL),
                     MR_OK);
    sun.wraps = true;
    sun.shift_s = 3600;
    assert_int_equal(mr_solar_series(&arena, &params, &sun, &power, NULL), MR_OK);
    mr_assert_near(mr_series_at(&power, 0), 1e6, 1e-15, 0);
    mr_assert_near(mr_series_integral(&power, 0, 10800), 2.5e6 * 3600, 1e-12, 0);
    mr_arena_fini(&arena);
}

MR_TEST_MAIN(MR_TEST_ENTRY(sunshine_to_watts))
