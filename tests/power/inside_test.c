/* SPDX-License-Identifier: Apache-2.0 */
/* power/inside: a rack's watts divided stage by stage; which stages a rack has. */
#include "power/inside.h"

#include "tests/test.h"

static struct mr_inside inside_of(uint64_t bus_v, int plane)
{
    const struct mr_rack rack = {.rated_w = 100e3, .bus_v = bus_v};
    return mr_inside_of(&rack, plane);
}

/* Half load at chips, by hand from the inside out: brick 51,178 W, busbar, shelf. */
MR_TEST(the_inverse_of_the_chain_by_hand)
{
    const struct mr_inside inside = inside_of(54, MR_PLANE_MODULE);
    double loss_w[mr_inside_max];
    const double brick_w = 450 + 0.006 * 50e3 + 0.0153e-5 * 2.5e9, at_w = 50e3 + brick_w;
    const double busbar_w = 0.0030e-5 * at_w * at_w, out_w = at_w + busbar_w;
    const double shelf_w = 500 + 0.001 * out_w + 0.0290e-5 * out_w * out_w;
    assert_int_equal(inside.n, 3);
    mr_assert_near(mr_inside_split(&inside, out_w + shelf_w, loss_w), 50e3, 1e-12, 0);
    mr_assert_near(loss_w[0], shelf_w, 1e-11, 0);
    mr_assert_near(loss_w[1], busbar_w, 1e-9, 0);
    mr_assert_near(loss_w[2], brick_w, 1e-11, 0);
    assert_true(inside.kind[0] == MR_STAGE_SHELF && inside.kind[1] == MR_STAGE_BUSBAR &&
                inside.kind[2] == MR_STAGE_BRICK);
}

MR_TEST(stages_by_bus_and_plane)
{
    const struct mr_rack bare = {.rated_w = 0}, granted = {.limit_w = 1e3, .bus_v = 54};
    const struct mr_inside dc = inside_of(800, MR_PLANE_CORE), ac = inside_of(0, MR_PLANE_MODULE);
    assert_int_equal(inside_of(54, MR_PLANE_CORE).n, 4);
    assert_true(dc.n == 3 && dc.kind[0] == MR_STAGE_BUSBAR && dc.kind[2] == MR_STAGE_VRM);
    assert_true(ac.n == 2 && ac.kind[0] == MR_STAGE_SHELF && ac.kind[1] == MR_STAGE_BRICK);
    assert_int_equal(inside_of(54, MR_PLANE_SHELF).n, 0);
    assert_int_equal(inside_of(54, MR_PLANE_METER).n, 0);
    assert_int_equal(mr_inside_of(&bare, MR_PLANE_MODULE).n, 0);
    assert_int_equal(mr_inside_of(&granted, MR_PLANE_MODULE).n, 3);
}

/* No stage stands twice, or nearer to the chips than what it feeds. */
MR_TEST(stages_are_those_that_the_plane_leaves_out)
{
    for (int plane = MR_PLANE_CORE; plane <= MR_PLANE_SHELF; plane++)
        for (uint64_t bus_v = 0; bus_v <= 800; bus_v += 54) {
            const struct mr_inside inside = inside_of(bus_v, plane);
            struct mr_err err = {0};
            int outwards[mr_inside_max];
            for (uint8_t i = 0; i < inside.n; i++)
                outwards[i] = inside.kind[inside.n - 1 - i];
            assert_int_equal(
                mr_stage_check(outwards, inside.n, plane, "rack \"r\"", MR_NOWHERE, &err), MR_OK);
        }
}

/* Nothing is made or lost on the way, from nothing to far beyond the rating. */
MR_TEST(parts_make_the_whole)
{
    double last_w = -1, loss_w[mr_inside_max];
    const struct mr_inside inside = inside_of(54, MR_PLANE_CORE);
    for (double in_w = 0; in_w < 300e3; in_w += 777) {
        const double out_w = mr_inside_split(&inside, in_w, loss_w);
        double sum_w = out_w;
        for (uint8_t i = 0; i < inside.n; i++) {
            assert_true(loss_w[i] >= 0);
            sum_w += loss_w[i];
        }
        mr_assert_near(sum_w, in_w, 1e-14, 0);
        assert_true(out_w >= 0 && out_w >= last_w && out_w <= in_w);
        last_w = out_w;
    }
    assert_true(mr_inside_split(&inside, 100, loss_w) == 0 && loss_w[0] == 100);
}

MR_TEST_MAIN(MR_TEST_ENTRY(the_inverse_of_the_chain_by_hand),
             MR_TEST_ENTRY(stages_by_bus_and_plane),
             MR_TEST_ENTRY(stages_are_those_that_the_plane_leaves_out),
             MR_TEST_ENTRY(parts_make_the_whole))
