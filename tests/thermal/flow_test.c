/* SPDX-License-Identifier: Apache-2.0 */
/* thermal/flow: the grid and its inverse, paths walked class by class against the path itself. */
#include "thermal/flow.h"

#include "engine/base/fmath.h"
#include "tests/test.h"

MR_TEST(classes_are_a_geometric_grid)
{
    assert_int_equal(mr_flow_class(0), MR_FLOW_NONE);
    assert_int_equal(mr_flow_class(-1), MR_FLOW_NONE);
    assert_int_equal(mr_flow_class((double)NAN), MR_FLOW_NONE);
    assert_int_equal(mr_flow_class(0.009), MR_FLOW_NONE);
    assert_int_equal(mr_flow_class(1), MR_FLOW_DESIGN);
    assert_int_equal(mr_flow_class(1000), MR_FLOW_N - 1);
    assert_true(mr_flow_of_class(MR_FLOW_NONE) == 0 && mr_flow_of_class(MR_FLOW_DESIGN) == 1);
    for (int c = 1; c < MR_FLOW_N; c++) {
        const double v = mr_flow_of_class(c), floor = mr_flow_class_floor(c);
        assert_int_equal(mr_flow_class(v), c);
        if (c > 1)
            mr_assert_near(v / mr_flow_of_class(c - 1), MR_FLOW_RATIO, 1e-14, 0);
        assert_int_equal(mr_flow_class(floor * (1 + 1e-12)), c);
        assert_int_equal(mr_flow_class(floor * (1 - 1e-12)), c - 1);
    }
}

/* Follow a path by its events; every class must be entered when the path is there. */
static int walk(const struct mr_flow_path *path, double from_s, double *end_s)
{
    int class = mr_flow_class(mr_flow_at(path, from_s)), next, n = 0;
    double t_s;
    *end_s = from_s;
    while ((t_s = mr_flow_next_s(path, class, &next)) < HUGE_VAL) {
        assert_true(t_s >= *end_s && abs(next - class) == 1);
        mr_assert_near(mr_flow_at(path, t_s), mr_flow_class_floor(next < class ? class : next),
                       1e-12, 0);
        class = next;
        *end_s = t_s;
        n++;
    }
    assert_int_equal(class, mr_flow_class(path->to_frac));
    return n;
}

MR_TEST(paths_are_walked_class_by_class)
{
    double end_s;
    const struct mr_flow_path coast = mr_flow_coast(100, 1, 3);
    mr_assert_near(mr_flow_at(&coast, 103), 0.5, 1e-15, 0);
    assert_int_equal(walk(&coast, 100, &end_s), MR_FLOW_DESIGN);
    mr_assert_near(end_s, 100 + 3 * (1 / mr_flow_class_floor(1) - 1), 1e-12, 0);
    const struct mr_flow_path up = mr_flow_linear(5, 0.2, 1.1, 30);
    assert_true(walk(&up, 5, &end_s) > 30 && end_s < 5 + 0.9 * 30);
    assert_true(mr_flow_at(&up, 5 + 27) == 1.1 && mr_flow_at(&up, 1000) == 1.1);
    const struct mr_flow_path down = mr_flow_linear(0, 1, 0, 10);
    assert_int_equal(walk(&down, 0, &end_s), MR_FLOW_DESIGN);
    assert_true(end_s < 10);
    const struct mr_flow_path still = mr_flow_steady(0.7);
    assert_int_equal(walk(&still, 3, &end_s), 0);
}

MR_TEST_MAIN(MR_TEST_ENTRY(classes_are_a_geometric_grid),
             MR_TEST_ENTRY(paths_are_walked_class_by_class))
