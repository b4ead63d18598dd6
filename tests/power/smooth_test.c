/* SPDX-License-Identifier: Apache-2.0 */
/* power/smooth: the known corners, random loads against small steps of the rule itself, limits of
 * slopes, energy, settings that cannot be. */
#include "power/smooth.h"

#include "engine/base/rng.h"
#include "tests/test.h"

#include <math.h>

static struct mr_smooth_params plain(void)
{
    struct mr_smooth_params params;
    mr_smooth_defaults(&params);
    params.is_on = true;
    params.floor_frac = 0.6;
    return params;
}

/* 1000 W fall to 200 W; 600 W for 2 s after the fall; 500 W/s. */
MR_TEST(known_corners)
{
    const struct mr_smooth_params params = plain();
    struct mr_smooth s = mr_smooth_start(&params, 1000, 0, 1000);
    assert_true(mr_smooth_next_s(&params, &s) == (double)INFINITY);
    mr_smooth_set(&params, &s, 200);
    const double corner_s[] = {0.8, 2.0, 2.8}, at_w[] = {600, 600, 200};
    for (int i = 0; i < 3; i++) {
        const double next_s = mr_smooth_next_s(&params, &s);
        mr_assert_near(next_s, corner_s[i], 1e-15, 0);
        mr_smooth_advance(&params, &s, next_s);
        mr_assert_near(s.draw_w, at_w[i], 1e-12, 0);
    }
    assert_true(mr_smooth_next_s(&params, &s) == (double)INFINITY);
    mr_assert_near(s.burn_j, 1120, 1e-12, 0);
    mr_assert_near(s.energy_j, 2.8 * 200 + 1120, 1e-12, 0);
    /* the way back: 0.8 s at 1000 W/s, work runs at half its rate at first */
    mr_smooth_advance(&params, &s, 10);
    mr_smooth_set(&params, &s, 1000);
    assert_true(mr_smooth_rate(&s) == 0.2);
    mr_assert_near(mr_smooth_next_s(&params, &s), 10.8, 1e-15, 0);
    mr_smooth_advance(&params, &s, 10.3);
    mr_assert_near(mr_smooth_rate(&s), 0.5, 1e-12, 0);
    mr_smooth_advance(&params, &s, 20);
    assert_true(mr_smooth_rate(&s) == 1 && s.draw_w == 1000);
    mr_assert_near(s.missed_j, 0.5 * 800 * 0.8, 1e-12, 0);
}

/* A wish that differs by rounding is met at once, however late it is: dates must pass. */
MR_TEST(a_hair_is_no_ramp)
{
    const struct mr_smooth_params params = plain();
    struct mr_smooth s = mr_smooth_start(&params, 1000, 1e5, 1000);
    mr_smooth_set(&params, &s, 1000 - 1e-11);
    assert_true(s.slope_w_s == 0 && s.draw_w == 1000 - 1e-11);
    mr_smooth_set(&params, &s, 1000 - 1e-3);
    assert_true(s.slope_w_s == -500 && mr_smooth_next_s(&params, &s) > 1e5);
}

/* Whoever stops a hair before a corner is asked for a later date next, or would never pass it. */
MR_TEST(a_corner_is_met_from_a_hair_before)
{
    const struct mr_smooth_params params = plain();
    struct mr_rng rng = mr_rng_stream(6, MR_RNG_TEST, 2);
    for (int i = 0; i < 20000; i++) {
        const double t_s = mr_rng_range(&rng, 0, i % 2 == 0 ? 1 : 100);
        struct mr_smooth s = mr_smooth_start(&params, 1000, t_s, mr_rng_range(&rng, 0, 1000));
        mr_smooth_set(&params, &s, mr_rng_range(&rng, 0, 1000));
        for (int k = 0; k < 8 && mr_smooth_next_s(&params, &s) < (double)INFINITY; k++) {
            const double next_s = mr_smooth_next_s(&params, &s);
            assert_true(next_s > s.t_s);
            const double mid_s = mr_rng_range(&rng, s.t_s, next_s);
            if (k % 3 == 0 && mid_s > s.t_s)
                mr_smooth_advance(&params, &s, fmin(mid_s, next_s));
            mr_smooth_advance(&params, &s, k % 3 < 2 ? fmax(s.t_s, nextafter(next_s, 0)) : next_s);
        }
    }
}

MR_TEST(at_once_in_one_leap)
{
    const struct mr_smooth_params params = plain();
    struct mr_smooth s = mr_smooth_start(&params, 1000, 0, 1000);
    mr_smooth_set(&params, &s, 200);
    mr_smooth_advance(&params, &s, 100);
    mr_assert_near(s.burn_j, 1120, 1e-12, 0);
    assert_true(s.draw_w == 200);
}

MR_TEST(off_follows_at_once)
{
    struct mr_smooth_params params = plain();
    params.is_on = false;
    struct mr_smooth s = mr_smooth_start(&params, 1000, 0, 1000);
    mr_smooth_set(&params, &s, 200);
    assert_true(s.draw_w == 200 && mr_smooth_rate(&s) == 1);
    assert_true(mr_smooth_next_s(&params, &s) == (double)INFINITY);
    mr_smooth_advance(&params, &s, 5);
    assert_true(s.energy_j == 1000 && s.burn_j == 0);
}

MR_TEST(a_floor_must_be_armed)
{
    struct mr_smooth_params params = plain();
    struct mr_smooth s = mr_smooth_start(&params, 1000, 0, 300); /* never above 600 W */
    mr_smooth_set(&params, &s, 100);
    mr_smooth_advance(&params, &s, 10);
    assert_true(s.draw_w == 100);
    mr_assert_near(s.burn_j, 0.5 * 200 * 0.4, 1e-12, 0);
    /* and a second floor stays once the first is let go */
    params.second_floor_w = 250;
    mr_smooth_set(&params, &s, 800);
    mr_smooth_advance(&params, &s, 20);
    mr_smooth_set(&params, &s, 100);
    mr_smooth_advance(&params, &s, 21);
    assert_true(s.draw_w == 600);
    mr_smooth_advance(&params, &s, 40);
    assert_true(s.draw_w == 250);
    /* with an offset 650 W do not arm 600 W, 700 W do */
    params.second_floor_w = 0;
    params.activation_w = 100;
    s = mr_smooth_start(&params, 1000, 0, 650);
    mr_smooth_set(&params, &s, 100);
    mr_smooth_advance(&params, &s, 1.5);
    assert_true(s.draw_w == 100);
    mr_smooth_set(&params, &s, 700);
    mr_smooth_advance(&params, &s, 5);
    mr_smooth_set(&params, &s, 100);
    mr_smooth_advance(&params, &s, 6.5);
    assert_true(s.draw_w == 600);
}

MR_TEST(a_short_dip_does_not_end_the_hold)
{
    const struct mr_smooth_params params = plain();
    struct mr_smooth s = mr_smooth_start(&params, 1000, 0, 1000);
    for (int i = 0; i < 10; i++) { /* 1.5 s of work, 1.5 s of waiting: the floor never goes */
        mr_smooth_advance(&params, &s, 3 * i + 1.5);
        mr_smooth_set(&params, &s, 100);
        mr_smooth_advance(&params, &s, 3 * i + 3);
        assert_true(s.draw_w == 600);
        mr_smooth_set(&params, &s, 1000);
    }
}

/* The rule, stepped: y moves towards max(x, floor) by at most ramp x dt. */
MR_TEST(random_loads_against_small_steps)
{
    for (uint64_t seed = 0; seed < 50; seed++) {
        struct mr_rng rng = mr_rng_stream(seed, MR_RNG_TEST, 1);
        struct mr_smooth_params params = plain();
        params.hysteresis_s = mr_rng_range(&rng, 0, 3);
        params.second_floor_w = mr_rng_range(&rng, 0, 300);
        struct mr_smooth s = mr_smooth_start(&params, 1000, 0, 0);
        double y = 0, hold_s = -1, burn_j = 0, energy_j = 0, t_s = 0;
        bool is_above = false, is_armed = false;
        const double dt_s = 1e-3;
        for (int k = 0; k < 20; k++) {
            const double x = mr_rng_range(&rng, 0, 1000);
            const int n = 1 + (int)mr_rng_below(&rng, 4000);
            mr_smooth_set(&params, &s, x);
            if (x >= 600) {
                is_above = is_armed = true;
            } else if (is_above) {
                hold_s = t_s + params.hysteresis_s;
                is_above = false;
            }
            for (int i = 0; i < n; i++) {
                const double now_s = t_s + i * dt_s;
                const double floor_w = !is_armed                    ? 0
                                       : is_above || now_s < hold_s ? 600
                                                                    : params.second_floor_w;
                const double to_w = fmax(x, floor_w);
                const double next_w =
                    to_w > y ? fmin(to_w, y + 1000 * dt_s) : fmax(to_w, y - 500 * dt_s);
                energy_j += 0.5 * (y + next_w) * dt_s;
                burn_j += fmax(0.5 * (y + next_w) - x, 0) * dt_s;
                y = next_w;
            }
            t_s += n * dt_s;
            mr_smooth_advance(&params, &s, t_s);
            mr_assert_near(s.draw_w, y, 1e-3, 2);
        }
        mr_assert_near(s.energy_j, energy_j, 1e-3, 0);
        mr_assert_near(s.burn_j, burn_j, 1e-2, 1);
        /* drawn = wanted + burn - missed is how run() splits; parts of a leap agree */
        assert_true(s.burn_j > 0 && s.missed_j > 0);
    }
}

MR_TEST(parts_are_the_whole)
{
    const struct mr_smooth_params params = plain();
    struct mr_smooth whole = mr_smooth_start(&params, 1000, 0, 1000), parts = whole;
    const double want_w[] = {100, 900, 300, 1000, 0};
    for (int k = 0; k < 5; k++) {
        mr_smooth_set(&params, &whole, want_w[k]);
        mr_smooth_set(&params, &parts, want_w[k]);
        for (int i = 1; i <= 100; i++)
            mr_smooth_advance(&params, &parts, 4 * k + 0.04 * i);
        mr_smooth_advance(&params, &whole, 4 * k + 0.04 * 100);
    }
    mr_assert_near(whole.burn_j, parts.burn_j, 1e-12, 0);
    mr_assert_near(whole.missed_j, parts.missed_j, 1e-12, 0);
    mr_assert_near(whole.draw_w, parts.draw_w, 1e-12, 1e-9);
}

#define REFUSED(change, part)                                                      \
    do {                                                                           \
        struct mr_smooth_params params_ = plain();                                 \
        struct mr_err err_ = {0};                                                  \
        params_.change;                                                            \
        assert_int_equal(mr_smooth_check(&params_, 1000, "gpu", &err_), MR_RANGE); \
        mr_assert_contains(err_.text, part);                                       \
    } while (0)

MR_TEST(impossible_settings)
{
    struct mr_smooth_params params;
    mr_smooth_defaults(&params);
    assert_true(!params.is_on && params.floor_frac == 0.65 && params.hysteresis_s == 2);
    assert_int_equal(mr_smooth_check(&params, 1400, "gpu", NULL), MR_OK);
    REFUSED(second_floor_w = 700, "gpu: second floor 700 W: above the first, 0.6 of 1000 W");
    REFUSED(activation_w = 500, "gpu: activation offset 500 W");
    struct mr_err err = {0};
    assert_int_equal(mr_smooth_check(&params, 0, "gpu", &err), MR_RANGE);
    mr_assert_contains(err.text, "limit 0 W");
}

MR_TEST_MAIN(MR_TEST_ENTRY(known_corners), MR_TEST_ENTRY(a_hair_is_no_ramp),
             MR_TEST_ENTRY(a_corner_is_met_from_a_hair_before), MR_TEST_ENTRY(at_once_in_one_leap),
             MR_TEST_ENTRY(off_follows_at_once), MR_TEST_ENTRY(a_floor_must_be_armed),
             MR_TEST_ENTRY(a_short_dip_does_not_end_the_hold),
             MR_TEST_ENTRY(random_loads_against_small_steps), MR_TEST_ENTRY(parts_are_the_whole),
             MR_TEST_ENTRY(impossible_settings))
