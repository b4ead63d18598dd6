/* SPDX-License-Identifier: Apache-2.0 */
/* thermal/plate: the published measurements within the errors the laws state, scaling, inverse. */
#include "thermal/plate.h"

#include "tests/test.h"
#include "thermal/flow.h"

MR_TEST(laws_meet_the_published_points)
{
    static const double pg25[][2] = {{.4, .0389},  {.5, .0325},  {.6, .0300},  {.7, .0280},
                                     {.8, .0265},  {.9, .0255},  {1, .0245},   {1.2, .0230},
                                     {1.4, .0220}, {1.6, .0214}, {1.8, .0209}, {2, .0204},
                                     {2.2, .0200}, {2.4, .0197}};
    static const double water[][2] = {{2, .0172}, {3, .0160}, {4, .0154}, {5, .0151}};
    double worst = 0;
    for (int i = 0; i < 14; i++) {
        const double r = mr_plate_law_k_w(MR_PLATE_LAW_PG25, pg25[i][0]);
        mr_assert_near(r, pg25[i][1], 0.027, 0);
        worst = fmax(worst, fabs(r / pg25[i][1] - 1));
    }
    assert_true(worst > 0.02); /* what the fit states is what it has */
    for (int i = 0; i < 4; i++)
        mr_assert_near(mr_plate_law_k_w(MR_PLATE_LAW_WATER, water[i][0]), water[i][1], 0.0015, 0);
}

MR_TEST(ranges_are_told)
{
    struct mr_err err = {0};
    assert_int_equal(mr_plate_law_check(MR_PLATE_LAW_PG25, 2.8, &err), MR_OK);
    assert_int_equal(mr_plate_law_check(MR_PLATE_LAW_PG25, 0.33, &err), MR_OK);
    assert_int_equal(mr_plate_law_check(MR_PLATE_LAW_PG25, 6.1, &err), MR_RANGE);
    assert_string_equal(err.text,
                        "flow 6.1 L/min is outside 0.4-2.4 of fit pg25: give r2 directly");
    assert_int_equal(mr_plate_law_check(MR_PLATE_LAW_PG25, (double)NAN, NULL), MR_RANGE);
    assert_int_equal(mr_plate_law_check(MR_PLATE_LAW_WATER, 1, NULL), MR_RANGE);
}

MR_TEST(another_plate_has_the_shape)
{
    const struct mr_plate plate = {MR_PLATE_LAW_PG25, 0.018, 1.523, 0.36};
    assert_true(mr_plate_k_w(&plate, 1) == 0.018);
    assert_true(mr_plate_k_w(&plate, 0) == 0.36);
    double before = 1;
    for (double v = 0.001; v < 3; v *= 1.1) {
        const double r = mr_plate_k_w(&plate, v);
        assert_true(r <= before && r <= 0.36);
        before = r;
        if (r < 0.36)
            mr_assert_near(mr_plate_flow_of(&plate, r), v, 1e-11, 0);
    }
    assert_true(mr_plate_flow_of(&plate, 0.4) == 0);
    assert_true(isinf(mr_plate_flow_of(&plate, 0.001)));
    /* fans: half the speed, 1.74 times the resistance */
    const struct mr_plate sink = {MR_PLATE_LAW_AIR, 0.06, 1, 1.2};
    mr_assert_near(mr_plate_k_w(&sink, 0.5), 0.06 * 1.7411011, 1e-7, 0);
}

/* What a class costs in accuracy: half a class off at the low end of the fit. */
MR_TEST(a_class_is_close_enough)
{
    const struct mr_plate plate = {MR_PLATE_LAW_PG25, mr_plate_law_k_w(MR_PLATE_LAW_PG25, 1), 1, 1};
    double worst = 0;
    for (double v = 0.4; v < 2.4; v += 0.0007) {
        const double r = mr_plate_k_w(&plate, mr_flow_of_class(mr_flow_class(v)));
        worst = fmax(worst, fabs(r / mr_plate_law_k_w(MR_PLATE_LAW_PG25, v) - 1));
    }
    assert_true(worst < 0.0172 && worst > 0.01);
}

MR_TEST_MAIN(MR_TEST_ENTRY(laws_meet_the_published_points), MR_TEST_ENTRY(ranges_are_told),
             MR_TEST_ENTRY(another_plate_has_the_shape), MR_TEST_ENTRY(a_class_is_close_enough))
