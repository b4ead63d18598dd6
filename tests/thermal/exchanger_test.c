/* SPDX-License-Identifier: Apache-2.0 */
/* thermal/exchanger: effectiveness and its inverse, the limit of balanced flows, published design
 * points. */
#include "thermal/exchanger.h"

#include "engine/base/fmath.h"
#include "tests/test.h"

MR_TEST(effectiveness_and_inverse)
{
    for (double c = 0; c <= 1; c += 0.05)
        for (double n = 0.01; n < 12; n *= 1.5) {
            const double eps = mr_exchanger_effectiveness(n, c);
            assert_true(eps > 0 && eps < 1);
            mr_assert_near(mr_exchanger_n_transfer(eps, c), n, 1e-9, 0);
        }
    mr_assert_near(mr_exchanger_effectiveness(3, 0), 1 - mr_exp(-3), 1e-15, 0);
    mr_assert_near(mr_exchanger_effectiveness(3, 1), 0.75, 1e-15, 0);
    /* both formulas meet where they change over */
    mr_assert_near(mr_exchanger_effectiveness(3, 1 - 2e-9), 0.75, 2e-9, 0);
    mr_assert_near(mr_exchanger_n_transfer(0.75, 1 - 2e-9), 3, 1e-7, 0);
}

MR_TEST(design_points)
{
    struct mr_exchanger x;
    struct mr_err err = {0};
    /* Project Deschutes: 2 MW, 31.48 kg/s of PG25, 32.3 kg/s of water, 3 K */
    assert_int_equal(mr_exchanger_of(2e6, 3, 31.48 * 3900, 32.3 * 4180, &x, &err), MR_OK);
    mr_assert_near(x.ua_w_k, 542.1e3, 1e-4, 0);
    mr_assert_near(x.ua_w_k / (31.48 * 3900), 4.415, 2e-4, 0);
    mr_assert_near(mr_exchanger_w_k(&x, 1, 1, 0) / (31.48 * 3900), 0.8445, 6e-5, 0);
    /* the same with cp 3.97 kJ/kgK, as the record has it */
    assert_int_equal(mr_exchanger_of(2e6, 3, 31.48 * 3970, 32.3 * 4180, &x, &err), MR_OK);
    mr_assert_near(x.ua_w_k, 561e3, 1e-3, 0);
    /* XDU1350 */
    assert_int_equal(mr_exchanger_of(1368e3, 4, 20.6 * 3900, 20.6 * 4180, &x, &err), MR_OK);
    mr_assert_near(x.ua_w_k, 300.9e3, 3e-4, 0);
    mr_assert_near(mr_exchanger_w_k(&x, 1, 1, 0) / (20.6 * 3900), 0.8098, 1e-4, 0);
}

MR_TEST(off_design)
{
    struct mr_exchanger x;
    assert_int_equal(mr_exchanger_of(2e6, 3, 31.48 * 3900, 32.3 * 4180, &x, NULL), MR_OK);
    assert_true(mr_exchanger_w_k(&x, 0, 1, 0) == 0 && mr_exchanger_w_k(&x, 1, 0, 0) == 0);
    double before = 0;
    for (double v = 0.05; v < 1.3; v += 0.05) {
        const double g = mr_exchanger_w_k(&x, v, 1, 0);
        assert_true(g > before && g < v * x.hot_w_k && mr_exchanger_w_k(&x, v, 1, 0.15) < g);
        before = g;
    }
    /* less flow on both sides: more transfer units, conductance falls slower than flow */
    const double full = mr_exchanger_w_k(&x, 1, 1, 0), half = mr_exchanger_w_k(&x, 0.5, 0.5, 0);
    assert_true(half > 0.5 * full && half < 0.55 * full);
}

MR_TEST(impossible_exchangers)
{
    struct mr_exchanger x;
    struct mr_err err = {0};
    assert_int_equal(mr_exchanger_of(2e6, 3, 31.48 * 3900, 10 * 4180, &x, &err), MR_RANGE);
    mr_assert_contains(err.text, "no exchanger moves 2e+06 W at an approach of 3 K");
    assert_int_equal(mr_exchanger_of(0, 3, 1e5, 1e5, &x, NULL), MR_RANGE);
    assert_int_equal(mr_exchanger_of((double)NAN, 3, 1e5, 1e5, &x, NULL), MR_RANGE);
}

MR_TEST_MAIN(MR_TEST_ENTRY(effectiveness_and_inverse), MR_TEST_ENTRY(design_points),
             MR_TEST_ENTRY(off_design), MR_TEST_ENTRY(impossible_exchangers))
