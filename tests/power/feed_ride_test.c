/* SPDX-License-Identifier: Apache-2.0 */
/* power/feed_ride: the curve, dips that are ridden through and that are not, the staged return. */
#include "power/feed_ride.h"

#include "tests/test.h"

static struct mr_feed_ride_params plain(void)
{
    struct mr_feed_ride_params params;
    mr_feed_ride_defaults(&params);
    assert_int_equal(mr_feed_ride_check(&params, "site", NULL), MR_OK);
    return params;
}

MR_TEST(the_curve)
{
    const struct mr_feed_ride_params params = plain();
    assert_true(mr_feed_ride_may_s(&params, 0) == 0.02);
    assert_true(mr_feed_ride_may_s(&params, 0.69) == 0.02);
    assert_true(mr_feed_ride_may_s(&params, 0.7) == 0.5);
    assert_true(mr_feed_ride_may_s(&params, 0.8) == 10);
    assert_true(mr_feed_ride_may_s(&params, 0.9) == (double)INFINITY);
}

MR_TEST(short_dips_are_ridden_through)
{
    const struct mr_feed_ride_params params = plain();
    struct mr_feed_ride ride = mr_feed_ride_start(&params, 0);
    assert_true(mr_feed_ride_next_s(&params, &ride) == (double)INFINITY);
    mr_feed_ride_step(&params, &ride, 10, 0.75);
    assert_int_equal(ride.state, MR_FEED_RIDE_DIPPED);
    assert_true(mr_feed_ride_next_s(&params, &ride) == 10.5);
    mr_feed_ride_step(&params, &ride, 10.4, 1);
    assert_int_equal(ride.state, MR_FEED_RIDE_ON);
    /* down to 85 % for 9.5 s, then 60 %: 20 ms count from there, 10 s from before */
    mr_feed_ride_step(&params, &ride, 20, 0.85);
    mr_feed_ride_step(&params, &ride, 29.5, 0.6);
    mr_assert_near(mr_feed_ride_next_s(&params, &ride), 29.52, 1e-12, 0);
    mr_feed_ride_step(&params, &ride, 29.51, 0.85);
    assert_true(mr_feed_ride_next_s(&params, &ride) == 30);
    mr_feed_ride_step(&params, &ride, 29.9, 0.95);
    assert_true(mr_feed_ride_next_s(&params, &ride) == (double)INFINITY);
    assert_true(ride.n_dip == 2 && ride.n_away == 0);
    assert_true(mr_feed_ride_share_frac(&params, &ride) == 1);
}

MR_TEST(a_long_dip_is_left_and_the_return_is_staged)
{
    const struct mr_feed_ride_params params = plain();
    struct mr_feed_ride ride = mr_feed_ride_start(&params, 0);
    mr_feed_ride_step(&params, &ride, 10, 0.75);
    mr_feed_ride_step(&params, &ride, 12, 0.5);
    assert_int_equal(ride.state, MR_FEED_RIDE_AWAY); /* since 10.5 s */
    assert_true(mr_feed_ride_share_frac(&params, &ride) == 0 && ride.n_away == 1);
    assert_true(mr_feed_ride_next_s(&params, &ride) == (double)INFINITY);
    mr_feed_ride_step(&params, &ride, 20, 1);
    assert_int_equal(ride.state, MR_FEED_RIDE_WAITING);
    assert_true(mr_feed_ride_next_s(&params, &ride) == 50);
    mr_feed_ride_step(&params, &ride, 40, 0.8); /* not yet: the wait begins again */
    mr_feed_ride_step(&params, &ride, 41, 1);
    assert_true(mr_feed_ride_next_s(&params, &ride) == 71);
    const double share[] = {0.25, 0.5, 0.75, 1};
    for (int i = 0; i < 4; i++) {
        const double next_s = mr_feed_ride_next_s(&params, &ride);
        assert_true(next_s == 71 + 15 * i);
        mr_feed_ride_step(&params, &ride, next_s, 1);
        assert_true(mr_feed_ride_share_frac(&params, &ride) == share[i]);
    }
    assert_int_equal(ride.state, MR_FEED_RIDE_ON);
    /* a dip on the way back sends all of it away */
    mr_feed_ride_step(&params, &ride, 200, 0);
    mr_feed_ride_step(&params, &ride, 201, 1);
    mr_feed_ride_step(&params, &ride, 240, 1);
    assert_int_equal(ride.state, MR_FEED_RIDE_RETURNING);
    mr_feed_ride_step(&params, &ride, 241, 0.85);
    assert_int_equal(ride.state, MR_FEED_RIDE_AWAY);
    assert_true(mr_feed_ride_share_frac(&params, &ride) == 0);
    mr_feed_ride_step(&params, &ride, 250, 1);
    mr_feed_ride_step(&params, &ride, 400, 1);
    assert_int_equal(ride.state, MR_FEED_RIDE_ON);
}

MR_TEST(impossible_curves)
{
    struct mr_feed_ride_params params = plain();
    struct mr_err err = {0};
    params.may_s[1] = 0.01;
    assert_int_equal(mr_feed_ride_check(&params, "site", &err), MR_RANGE);
    mr_assert_contains(err.text, "site: 0.02 s below 0.7, 0.01 s below 0.8: both must rise");
    params = plain();
    params.level_frac[2] = 1.2;
    err = (struct mr_err){0};
    assert_int_equal(mr_feed_ride_check(&params, "site", &err), MR_RANGE);
    mr_assert_contains(err.text, "10 s below 1.2 of the voltage");
    params.n_level = 9;
    err = (struct mr_err){0};
    assert_int_equal(mr_feed_ride_check(&params, "site", &err), MR_LIMIT);
    mr_assert_contains(err.text, "9 levels, at most 8");
}

MR_TEST_MAIN(MR_TEST_ENTRY(the_curve), MR_TEST_ENTRY(short_dips_are_ridden_through),
             MR_TEST_ENTRY(a_long_dip_is_left_and_the_return_is_staged),
             MR_TEST_ENTRY(impossible_curves))
