/* SPDX-License-Identifier: Apache-2.0 */
/* thermal/leak: the stages of each scope, who loses power. */
#include "thermal/leak.h"

#include "tests/test.h"

MR_TEST(stages)
{
    struct mr_leak_params p;
    mr_leak_defaults(&p);
    for (int scope = 0; scope < MR_LEAK_N_SCOPE; scope++) {
        struct mr_leak leak = mr_leak_start((enum mr_leak_scope)scope, 100);
        assert_int_equal(leak.stage, MR_LEAK_UNSEEN);
        assert_true(mr_leak_next_s(&p, &leak) == 101);
        assert_int_equal(mr_leak_lost(&leak, 72, 18), 0);
        mr_leak_advance(&p, &leak);
        assert_int_equal(leak.stage, MR_LEAK_ISOLATING);
        assert_true(mr_leak_cuts_power(&leak));
        assert_int_equal(mr_leak_lost(&leak, 72, 18), scope == MR_LEAK_SCOPE_TRAY ? 4 : 72);
        assert_true(mr_leak_next_s(&p, &leak) == 111);
        mr_leak_advance(&p, &leak);
        assert_int_equal(leak.stage, MR_LEAK_ISOLATED);
        assert_true(isinf(mr_leak_next_s(&p, &leak)));
    }
}

MR_TEST(repair)
{
    struct mr_leak_params p;
    mr_leak_defaults(&p);
    p.repair_s = 3600;
    struct mr_leak leak = mr_leak_start(MR_LEAK_SCOPE_RACK, 0);
    mr_leak_advance(&p, &leak);
    mr_leak_advance(&p, &leak);
    assert_true(mr_leak_next_s(&p, &leak) == 3611);
    mr_leak_advance(&p, &leak);
    assert_int_equal(leak.stage, MR_LEAK_NONE);
    assert_true(isinf(mr_leak_next_s(&p, &leak)) && !mr_leak_cuts_power(&leak));
    assert_int_equal(mr_leak_lost(&leak, 72, 18), 0);
    /* trays that do not divide the packages: the largest */
    leak = mr_leak_start(MR_LEAK_SCOPE_TRAY, 0);
    mr_leak_advance(&p, &leak);
    assert_int_equal(mr_leak_lost(&leak, 10, 4), 3);
    assert_int_equal(mr_leak_lost(&leak, 10, 1), 10);
}

MR_TEST_MAIN(MR_TEST_ENTRY(stages), MR_TEST_ENTRY(repair))
