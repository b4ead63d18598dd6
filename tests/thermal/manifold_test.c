/* SPDX-License-Identifier: Apache-2.0 */
/* thermal/manifold: flow law and its inverse, a valve walked class by class, heat split, racks that
 * a hall can not cool. */
#include "thermal/manifold.h"

#include "tests/test.h"
#include "thermal/flow.h"

static struct mr_manifold plain(void)
{
    struct mr_manifold m;
    mr_manifold_defaults(&m);
    return m;
}

MR_TEST(flow_follows_the_header)
{
    const struct mr_manifold m = plain();
    const double full_pa = mr_manifold_design_pa(&m);
    assert_true(mr_manifold_flow(&m, full_pa, 1) == 1);
    mr_assert_near(mr_manifold_flow(&m, 0.5 * full_pa, 1), 0.6875, 1e-4, 0);
    assert_true(mr_manifold_flow(&m, full_pa, 0) == 0 && mr_manifold_flow(&m, 0, 1) == 0);
    for (double u = 0.05; u <= 1; u += 0.05) {
        const double v = mr_manifold_flow(&m, full_pa, u);
        mr_assert_near(mr_manifold_valve(&m, full_pa, v), u, 1e-10, 0);
    }
    assert_true(isinf(mr_manifold_valve(&m, 0.5 * m.drop_pa, 1))); /* not even without valve */
    assert_true(mr_manifold_valve(&m, full_pa, 0) == 0);
}

MR_TEST(a_valve_closes_class_by_class)
{
    const struct mr_manifold m = plain();
    const double header_pa = mr_manifold_design_pa(&m);
    const struct mr_manifold_stroke down = {50, 1, 0}, up = {0, 0.2, 0.9};
    int class = MR_FLOW_DESIGN, next;
    double before_s = 50, t_s;
    while ((t_s = mr_manifold_next_s(&m, &down, header_pa, class, &next)) < HUGE_VAL) {
        assert_true(t_s >= before_s && t_s <= 170 && next == class - 1);
        if (t_s < 170)
            mr_assert_near(mr_manifold_flow(&m, header_pa, mr_manifold_stroke_at(&m, &down, t_s)),
                           mr_flow_class_floor(class), 1e-9, 0);
        class = next;
        before_s = t_s;
    }
    assert_true(class == MR_FLOW_NONE && before_s == 170);
    class = mr_flow_class(mr_manifold_flow(&m, header_pa, 0.2));
    while ((t_s = mr_manifold_next_s(&m, &up, header_pa, class, &next)) < HUGE_VAL) {
        assert_int_equal(next, class + 1);
        mr_assert_near(mr_manifold_flow(&m, header_pa, mr_manifold_stroke_at(&m, &up, t_s)),
                       mr_flow_class_floor(next), 1e-9, 0);
        class = next;
    }
    assert_int_equal(class, mr_flow_class(mr_manifold_flow(&m, header_pa, 0.9)));
    assert_true(mr_manifold_stroke_at(&m, &up, 84.1) == 0.9);
}

MR_TEST(return_temperature)
{
    struct mr_manifold m = plain();
    m.flow_m3_s = 203 / 60e3; /* GB300 at 10 K */
    mr_assert_near(mr_manifold_return_c(&m, 40, 0.94 * 142e3, 1), 50, 0.01, 0);
    mr_assert_near(mr_manifold_return_c(&m, 40, 0.94 * 142e3, 0.5), 60, 0.02, 0);
    assert_true(mr_manifold_return_c(&m, 40, 1e5, 0) == 40);
}

static void refused(const struct mr_manifold *m, double heat_w, double supply_c, bool has_loop,
                    const char *part)
{
    struct mr_err err = {0};
    assert_true(mr_manifold_check(m, "r12", "R3", heat_w, supply_c, has_loop, &err) != MR_OK);
    mr_assert_contains(err.text, part);
}

MR_TEST(racks_that_can_not_be_cooled)
{
    struct mr_manifold m = plain();
    assert_int_equal(mr_manifold_check(&m, "r12", "R3", 130e3, 40, true, NULL), MR_OK);
    refused(&m, 130e3, 40, false, "rack 'r12' needs liquid but row 'R3' has no CDU");
    refused(&m, 130e3, 47, true, "coolant of 47 degC is above the 45 degC its maker allows");
    m.flow_m3_s = 0.62 * 130 / 60e3;
    refused(&m, 130e3, 40, true, "rack 'r12': 0.62 L/min/kW gives dT 24.6 K");
    m = plain();
    m.liquid_frac = 1.2;
    refused(&m, 130e3, 40, true, "must be in 0 .. 1");
    m.liquid_frac = (double)NAN;
    refused(&m, 130e3, 40, true, "must be in 0 .. 1");
    m.liquid_frac = 0; /* air: no loop needed */
    assert_int_equal(mr_manifold_check(&m, "r12", "R3", 130e3, 40, false, NULL), MR_OK);
}

MR_TEST_MAIN(MR_TEST_ENTRY(flow_follows_the_header), MR_TEST_ENTRY(a_valve_closes_class_by_class),
             MR_TEST_ENTRY(return_temperature), MR_TEST_ENTRY(racks_that_can_not_be_cooled))
