/* SPDX-License-Identifier: Apache-2.0 */
/* engine/base/trig: against 80-bit libm, exact points, symmetry, special values. */
#include "engine/base/trig.h"

#include "tests/test.h"

#include <float.h>

MR_TEST(atan_within_one_and_a_half_ulp)
{
    double worst = 0;
    if (LDBL_MANT_DIG < 64)
        mr_test_skip("long double is no wider than double: no oracle here");
    for (int i = -400000; i <= 400000; i++) {
        const double x = (i % 3 == 0 ? 1e-5 : i % 3 == 1 ? 1.7e-5 : 3.1e-4) * i;
        const double y = mr_trig_atan(x);
        const double ulp = fabs(nextafter(y, 4) - y);
        const double off = (double)fabsl((long double)y - atanl((long double)x)) / ulp;
        worst = fmax(worst, off);
        assert_true(mr_trig_atan(-x) == -y);
    }
    print_message("atan: worst %.4f ulp\n", worst);
    assert_true(worst < 1.5 && worst > 0.4);
}

MR_TEST(atan_special)
{
    assert_true(mr_trig_atan(0) == 0);
    assert_true(mr_trig_atan(1) == 0x1.921fb54442d18p-1);
    assert_true(mr_trig_atan((double)INFINITY) == 0x1.921fb54442d18p+0);
    assert_true(mr_trig_atan(-(double)INFINITY) == -0x1.921fb54442d18p+0);
    assert_true(mr_trig_atan(1e-300) == 1e-300);
    assert_true(isnan(mr_trig_atan((double)NAN)));
}

MR_TEST_MAIN(MR_TEST_ENTRY(atan_within_one_and_a_half_ulp), MR_TEST_ENTRY(atan_special))
