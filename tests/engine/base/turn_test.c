/* SPDX-License-Identifier: Apache-2.0 */
/* engine/base/turn: against libm, exact corners, whole turns without end, direction as inverse. */
#include "engine/base/turn.h"

#include "engine/base/rng.h"
#include "tests/test.h"

static const double pi = 3.14159265358979323846;

MR_TEST(against_libm)
{
    struct mr_rng rng = mr_rng_stream(1, MR_RNG_TEST, 1);
    double worst = 0;
    for (int i = 0; i < 200000; i++) {
        const double x = mr_rng_range(&rng, -1, 1);
        const struct mr_turn t = mr_turn_of(x);
        worst = fmax(worst, fmax(fabs(t.cos - cos(2 * pi * x)), fabs(t.sin - sin(2 * pi * x))));
    }
    /* 2 pi x alone is rounded by up to 4e-16 before libm sees it */
    assert_true(worst < 1e-15);
    for (int i = 0; i < 200000; i++) { /* small angles keep their relative accuracy */
        const double x = mr_rng_range(&rng, -1e-3, 1e-3);
        mr_assert_near(mr_turn_of(x).sin, sin(2 * pi * x), 1e-15, 0);
    }
}

MR_TEST(quarters_are_exact)
{
    for (int k = -8; k <= 8; k++) {
        const struct mr_turn t = mr_turn_of(0.25 * k);
        const int q = ((k % 4) + 4) % 4;
        assert_true(t.cos == (q == 0) - (q == 2) && t.sin == (q == 1) - (q == 3));
    }
    mr_assert_near(mr_turn_of(0.125).cos, sqrt(0.5), 1e-15, 0);
    mr_assert_near(mr_turn_of(1. / 12).sin, 0.5, 1e-15, 0);
}

MR_TEST(whole_turns_change_nothing)
{
    const double fraction = 0x1.23456p-3;
    const struct mr_turn once = mr_turn_of(fraction);
    for (double n = 1; n < 0x1p30; n *= 2) {
        const struct mr_turn t = mr_turn_of(n + fraction);
        assert_true(t.cos == once.cos && t.sin == once.sin);
    }
}

MR_TEST(direction_is_the_inverse)
{
    struct mr_rng rng = mr_rng_stream(2, MR_RNG_TEST, 1);
    for (int i = 0; i < 200000; i++) {
        const double x = mr_rng_range(&rng, -0.5, 0.5);
        const struct mr_turn t = mr_turn_of(x);
        mr_assert_near(mr_turn_direction(3 * t.cos, 3 * t.sin), x, 1e-15, 1e-16);
        mr_assert_near(mr_turn_direction(t.cos, t.sin), atan2(t.sin, t.cos) / (2 * pi), 1e-15,
                       1e-16);
    }
    assert_true(mr_turn_direction(0, 0) == 0 && mr_turn_direction(5, 0) == 0);
    assert_true(mr_turn_direction(0, 2) == 0.25 && mr_turn_direction(0, -2) == -0.25);
    assert_true(mr_turn_direction(-1, 0) == 0.5 && mr_turn_direction(1, 1) == 0.125);
}

MR_TEST_MAIN(MR_TEST_ENTRY(against_libm), MR_TEST_ENTRY(quarters_are_exact),
             MR_TEST_ENTRY(whole_turns_change_nothing), MR_TEST_ENTRY(direction_is_the_inverse))
