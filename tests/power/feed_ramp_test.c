/* SPDX-License-Identifier: Apache-2.0 */
/* power/feed_ramp: slopes of windows, the restart of 100 MW rack by rack, random steps. */
#include "power/feed_ramp.h"

#include "engine/base/rng.h"
#include "tests/test.h"

static const double mw_min = 1e6 / 60; /* W/s */

MR_TEST(slopes_are_between_windows)
{
    struct mr_feed_ramp ramp = mr_feed_ramp_start(0, 60);
    assert_int_equal(mr_feed_ramp_advance(&ramp, 60, 10 * mw_min, 5 * mw_min, 600, 0, 100e6), 0);
    mr_assert_near(ramp.worst_w_s / mw_min, 10, 1e-9, 0); /* exactly the limit */
    /* down at 10 MW/min is twice too fast: 9 windows see it whole, the first half of it */
    mr_feed_ramp_advance(&ramp, 60, 10 * mw_min, 5 * mw_min, 660, 100e6, 100e6);
    assert_int_equal(mr_feed_ramp_advance(&ramp, 60, 10 * mw_min, 5 * mw_min, 1260, 100e6, 0), 9);
    assert_true(ramp.first_s == 780 && ramp.n_violation == 9);
    mr_assert_near(fabs(ramp.worst_w_s) / mw_min, 10, 1e-9, 0);
    mr_assert_near(fmax(ramp.up_w_s, ramp.down_w_s) / mw_min, 10, 1e-9, 0);
    assert_true(ramp.up_w_s >= 0 && ramp.down_w_s >= 0);
}

/* 500 racks of 200 kW under 10 MW/min. */
MR_TEST(a_restart_of_a_hundred_megawatts)
{
    struct mr_feed_permit permit;
    struct mr_err err = {0};
    double at_s[500];
    assert_int_equal(mr_feed_permit_start(1000, 10 * mw_min, 60, 200e3, "grid", &permit, &err),
                     MR_OK);
    for (int i = 0; i < 500; i++)
        at_s[i] = mr_feed_permit_take(&permit, 1000, 200e3);
    assert_true(at_s[0] == 1000);
    mr_assert_near(at_s[499] - 1000, 499 * 0.2 / 9.8 * 60, 1e-9, 0); /* 10.2 minutes */
    struct mr_feed_ramp ramp = mr_feed_ramp_start(900, 60), rush = ramp;
    double before_s = 900;
    for (int i = 0; i <= 500; i++) {
        const double t_s = i < 500 ? at_s[i] : 3000;
        mr_feed_ramp_advance(&ramp, 60, 10 * mw_min, 10 * mw_min, t_s, i * 200e3, i * 200e3);
        before_s = t_s;
    }
    assert_true(before_s == 3000);
    assert_int_equal(ramp.n_violation, 0);
    assert_true(ramp.worst_w_s > 9.5 * mw_min);
    /* all at once */
    mr_feed_ramp_advance(&rush, 60, 10 * mw_min, 10 * mw_min, 1000, 0, 0);
    mr_feed_ramp_advance(&rush, 60, 10 * mw_min, 10 * mw_min, 3000, 100e6, 100e6);
    assert_int_equal(rush.n_violation, 2); /* it falls into one window, 20 s before its end */
    mr_assert_near(rush.worst_w_s / mw_min, 100 * 40. / 60, 1e-9, 0);
    assert_true(rush.up_w_s == rush.worst_w_s && rush.down_w_s == 0);
    assert_int_equal(mr_feed_permit_start(0, 1 * mw_min, 60, 1.5e6, "grid", &permit, &err),
                     MR_RANGE);
    mr_assert_contains(err.text, "grid: a step of 1.5e+06 W breaks the ramp limit of 1 MW/min over "
                                 "60 s by itself");
}

/* No window of any position gets more than its limit. */
MR_TEST(permits_keep_every_window)
{
    for (uint64_t seed = 0; seed < 100; seed++) {
        struct mr_rng rng = mr_rng_stream(seed, MR_RNG_TEST, 1);
        const double window_s = mr_rng_range(&rng, 5, 120), up_w_s = mr_rng_range(&rng, 1e4, 1e6);
        const double most_w = up_w_s * window_s * mr_rng_range(&rng, 0.01, 0.9);
        struct mr_feed_permit permit;
        assert_int_equal(mr_feed_permit_start(0, up_w_s, window_s, most_w, "grid", &permit, NULL),
                         MR_OK);
        double at_s[200], step_w[200], t_s = 0;
        for (int i = 0; i < 200; i++) {
            step_w[i] = mr_rng_range(&rng, 0, most_w);
            t_s += mr_rng_below(&rng, 10) == 0 ? mr_rng_range(&rng, 0, window_s) : 0;
            at_s[i] = mr_feed_permit_take(&permit, t_s, step_w[i]);
        }
        for (int i = 0; i < 200; i++) {
            double sum_w = 0;
            for (int k = i; k < 200 && at_s[k] < at_s[i] + window_s; k++)
                sum_w += step_w[k];
            assert_true(sum_w <= up_w_s * window_s * (1 + 1e-12));
        }
    }
}

MR_TEST_MAIN(MR_TEST_ENTRY(slopes_are_between_windows),
             MR_TEST_ENTRY(a_restart_of_a_hundred_megawatts),
             MR_TEST_ENTRY(permits_keep_every_window))
