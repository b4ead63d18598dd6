/* SPDX-License-Identifier: Apache-2.0 */
/* thermal/root: roots of smooth, steep and flat functions, ends, and the number of steps. */
#include "thermal/root.h"

#include "tests/test.h"

static int n_call;

static double cubic(double x, const void *context)
{
    n_call++;
    return x * x * x - *(const double *)context;
}

static double steep(double x, const void *context)
{
    n_call++;
    return x < *(const double *)context ? -1e-9 : 1e9 * (x - *(const double *)context + 1e-3);
}

static double ninth(double x, const void *context)
{
    const double y = x - *(const double *)context, y3 = y * y * y;
    n_call++;
    return y3 * y3 * y3;
}

MR_TEST(roots_are_found_in_few_steps)
{
    for (int i = 1; i < 200; i++) {
        const double c = 0.005 * i, cube = c * c * c;
        n_call = 0;
        mr_assert_near(mr_root_of(cubic, &cube, 0, 1, 1e-13), c, 0, 1e-13);
        assert_true(n_call < 40);
        n_call = 0;
        mr_assert_near(mr_root_of(steep, &c, 0, 1, 1e-12), c, 0, 2e-12);
        assert_true(n_call < 125);
        n_call = 0;
        mr_assert_near(mr_root_of(ninth, &c, 0, 1, 1e-9), c, 0, 1e-8);
        assert_true(n_call < 125);
    }
}

MR_TEST(no_bracket_gives_the_nearer_end)
{
    const double cube = 8;
    assert_true(mr_root_of(cubic, &cube, 0, 1, 1e-12) == 1);
    assert_true(mr_root_of(cubic, &cube, 3, 4, 1e-12) == 3);
    assert_true(mr_root_of(cubic, &cube, 2, 4, 1e-12) == 2);
}

MR_TEST_MAIN(MR_TEST_ENTRY(roots_are_found_in_few_steps),
             MR_TEST_ENTRY(no_bracket_gives_the_nearer_end))
