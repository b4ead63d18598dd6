/* SPDX-License-Identifier: Apache-2.0 */
/* thermal/pump: affinity, speeds that meet a system on the curve, curves that are none. */
#include "thermal/pump.h"

#include "engine/base/fmath.h"
#include "tests/test.h"

MR_TEST(affinity)
{
    struct mr_pump pump;
    mr_pump_defaults(&pump);
    const double full_w = mr_pump_power_w(&pump, 1, 1);
    mr_assert_near(full_w, 0.03 * 580e3 / (0.75 * 0.95 * 0.97), 1e-12, 0);
    mr_assert_near(mr_pump_fluid_w(&pump, full_w), 0.75 * full_w, 1e-15, 0);
    /* similar points: a quadratic system at 75 % speed */
    const double head = mr_pump_head(&pump, 0.75, 0.75);
    mr_assert_near(head, 0.5625, 1e-14, 0);
    mr_assert_near(mr_pump_power_w(&pump, 0.75, head) / full_w, 0.421875, 1e-14, 0);
    mr_assert_near(mr_pump_speed(&pump, 0.75, head), 0.75, 1e-8, 0);
}

/* Points of rising systems, drop V^1.85: the speed found gives that head at that flow. */
MR_TEST(speeds_of_a_system)
{
    struct mr_pump pump;
    mr_pump_defaults(&pump);
    mr_assert_near(mr_pump_speed(&pump, 1, 1), 1, 1e-9, 0);
    for (double v = 0.25; v < 1.3; v += 0.07)
        for (double drop = 0.1; drop < 4; drop *= 1.4) {
            const double head = drop * mr_pow(v, 1.85);
            const double speed = mr_pump_speed(&pump, v, head);
            if (speed > pump.speed_min)
                mr_assert_near(mr_pump_head(&pump, speed, v), head, 1e-7, 0);
            else
                assert_true(mr_pump_head(&pump, speed, v) >= head);
        }
    /* a flat demand runs at the drive's lowest speed */
    assert_true(mr_pump_speed(&pump, 0.01, 0.01) == 0.25);
    assert_true(mr_pump_head(&pump, 0, 0.1) == 0);
    assert_true(mr_pump_head(&pump, 1, 50) == 0); /* beyond the curve's end */
}

static void refused(const struct mr_pump *pump, const char *part)
{
    struct mr_err err = {0};
    assert_int_equal(mr_pump_check(pump, "c1", &err), MR_RANGE);
    mr_assert_contains(err.text, part);
}

MR_TEST(impossible_curves)
{
    struct mr_pump pump;
    mr_pump_defaults(&pump);
    assert_int_equal(mr_pump_check(&pump, "c1", NULL), MR_OK);
    pump.head[2] = 3.7;
    refused(&pump, "pump of 'c1': point 3 (flow 0.5, head 3.7): flow must grow and head must fall");
    mr_pump_defaults(&pump);
    pump.head[4] = (double)NAN;
    refused(&pump, "point 5");
    mr_pump_defaults(&pump);
    pump.flow[0] = 0.1;
    refused(&pump, "a curve has 2 to 8 points and begins at no flow");
    mr_pump_defaults(&pump);
    pump.n_point = 1;
    refused(&pump, "a curve has 2 to 8 points");
}

MR_TEST_MAIN(MR_TEST_ENTRY(affinity), MR_TEST_ENTRY(speeds_of_a_system),
             MR_TEST_ENTRY(impossible_curves))
