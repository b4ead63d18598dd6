/* SPDX-License-Identifier: Apache-2.0 */
/* postprocess/repeat: known means, spreads and quantiles. */
#include "postprocess/repeat.h"

#include "tests/test.h"

MR_TEST(means_and_spreads_are_known)
{
    struct mr_repeat r = {0};
    assert_true(isnan(mr_repeat_mean(&r)));
    mr_repeat_add(&r, 1e9 + 4);
    assert_true(isnan(mr_repeat_sd(&r)) && isnan(mr_repeat_half95(&r)));
    mr_repeat_add(&r, 1e9 + 7);
    mr_repeat_add(&r, (double)NAN);
    mr_repeat_add(&r, 1e9 + 13);
    mr_repeat_add(&r, 1e9 + 16);
    assert_int_equal(r.n, 4);
    assert_true(mr_repeat_mean(&r) == 1e9 + 10);
    assert_true(fabs(mr_repeat_sd(&r) - sqrt(30)) < 1e-9);
    assert_true(fabs(mr_repeat_half95(&r) - 3.18245 * sqrt(30) / 2) < 1e-4);
}

/* Student's distribution has closed quantiles for 1 and 2 degrees of freedom: tan(pi (p - 1/2)) and
 * (2 p - 1) sqrt(2 / (4 p (1 - p))). */
MR_TEST(quantiles_are_known)
{
    assert_true(fabs(mr_repeat_t95(1) - 12.706205) < 1e-4);
    assert_true(fabs(mr_repeat_t95(2) - 0.95 * sqrt(2 / (4 * 0.975 * 0.025))) < 1e-4);
    assert_true(fabs(mr_repeat_t95(40) - 2.021075) < 2e-5);
    assert_true(fabs(mr_repeat_t95(120) - 1.979930) < 2e-6);
    assert_true(fabs(mr_repeat_t95(1000000) - 1.959966) < 2e-6);
    assert_true(isnan(mr_repeat_t95(0)));
    for (size_t n = 2; n < 200; n++)
        assert_true(mr_repeat_t95(n) < mr_repeat_t95(n - 1));
}

MR_TEST_MAIN(MR_TEST_ENTRY(means_and_spreads_are_known), MR_TEST_ENTRY(quantiles_are_known))
