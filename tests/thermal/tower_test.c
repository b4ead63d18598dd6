/* SPDX-License-Identifier: Apache-2.0 */
/* thermal/tower: published points of the correlation, fans against it, bounds, heat given. */
#include "thermal/tower.h"

#include "tests/thermal/sources.h"

static struct mr_tower plain(void)
{
    struct mr_tower_params params;
    struct mr_tower tower;
    struct mr_err err = {0};
    mr_tower_defaults(&params);
    sources_hold(&mr_tower_table, &params);
    if (mr_tower_make("T0", &params, &tower, &err) != MR_OK)
        fail_msg("%s", err.text);
    return tower;
}

MR_TEST(points_of_the_correlation)
{
    bool is_clamped = false;
    mr_assert_near(mr_tower_approach_k(25.55, 5.56, 1, &is_clamped), 3.8445, 0, 1e-4);
    mr_assert_near(mr_tower_approach_k(20, 5.56, 1, &is_clamped), 5.0580, 0, 1e-4);
    mr_assert_near(mr_tower_approach_k(25.55, 5.56, 1.5, &is_clamped), 6.2647, 0, 1e-4);
    assert_false(is_clamped);
    static const double outside[][3] = {{27, 5, 1},  {-35, 5, 1},  {20, 1, 1},
                                        {20, 23, 1}, {20, 5, 8.5}, {20, 5, 0.05}};
    for (size_t i = 0; i < sizeof outside / sizeof *outside; i++) {
        is_clamped = false;
        const double k =
            mr_tower_approach_k(outside[i][0], outside[i][1], outside[i][2], &is_clamped);
        assert_true(is_clamped && k >= 1.1 && k <= 40);
    }
}

MR_TEST(fans_meet_the_set_point)
{
    const struct mr_tower tower = plain();
    int n_part = 0, n_full = 0, n_still = 0;
    for (int wet = 0; wet <= 26; wet += 2)
        for (int set = 12; set <= 34; set += 2) {
            const struct mr_tower_in in = {35, 0.9, wet, 1, 1, set};
            const struct mr_tower_out out = mr_tower_run(&tower, &in);
            bool ignored = false;
            mr_assert_near(out.heat_w, 0.9 * tower.water_w_k * (35 - out.leaving_c), 1e-9, 0);
            assert_true(out.leaving_c > wet);
            assert_true(out.latent_w == out.heat_w);
            mr_assert_near(out.fan_w, 30e3 * pow(out.speed_frac, 3), 1e-12, 0);
            const double approach_k = mr_tower_approach_k(
                wet, 35 - out.leaving_c, 0.9 / fmax(out.speed_frac, 0.125), &ignored);
            if (out.is_bypassed)
                assert_true(approach_k <= out.leaving_c - wet);
            else
                mr_assert_near(approach_k, out.leaving_c - wet, 1e-6, 0);
            assert_int_equal(out.is_saturated, out.leaving_c > set);
            n_still += out.is_bypassed;
            n_full += out.is_saturated;
            n_part += !out.is_bypassed && !out.is_saturated;
        }
    assert_true(n_part > 30 && n_full > 20 && n_still > 5);
}

MR_TEST(design_point)
{
    const struct mr_tower tower = plain();
    const struct mr_tower_in in = {35, 1, 25.55, 1, 1, 0};
    /* the correlation gives 3.84 K where the label says 3.89: a little more than its capacity */
    const struct mr_tower_out out = mr_tower_run(&tower, &in);
    assert_true(out.heat_w > 3e6 && out.heat_w < 3.05e6);
    /* the same heat given */
    const struct mr_tower_out same = mr_tower_of_heat(&tower, &in, out.heat_w);
    mr_assert_near(same.leaving_c, out.leaving_c, 1e-9, 0);
    assert_true(same.fan_w == 30e3);
    mr_assert_near(out.circulating_kg_s, tower.water_w_k / 4180, 1e-14, 0);
}

MR_TEST(nothing_to_do)
{
    const struct mr_tower tower = plain();
    static const struct mr_tower_in cases[] = {
        {28, 1, 20, 1, 1, 30},   /* cold enough */
        {28, 0, 20, 1, 1, 22},   /* no flow */
        {20, 1, 22, 1, 1, 18},   /* the air is wetter than the water is cold */
        {23, 1, 22.5, 1, 1, 18}, /* nearer than any approach */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct mr_tower_out out = mr_tower_run(&tower, &cases[i]);
        assert_true(out.heat_w == 0 && out.leaving_c == cases[i].entering_c);
    }
}

MR_TEST(lost_fans)
{
    const struct mr_tower tower = plain();
    struct mr_tower_in in = {35, 1, 25, 1, 0.5, 10};
    const double half_w = mr_tower_run(&tower, &in).heat_w;
    in.fans_frac = 0;
    const struct mr_tower_out still = mr_tower_run(&tower, &in);
    in.entering_c = 70; /* still air needs a large difference */
    assert_true(mr_tower_run(&tower, &in).heat_w > 0);
    in.entering_c = 35;
    in.fans_frac = 1;
    assert_true(still.fan_w == 0 && still.heat_w < half_w);
    assert_true(half_w < mr_tower_run(&tower, &in).heat_w);
}

MR_TEST(impossible_towers)
{
    struct mr_tower_params params;
    struct mr_tower tower;
    struct mr_err err = {0};
    mr_tower_defaults(&params);
    params.leaving_c = 34.5;
    assert_int_equal(mr_tower_make("T0", &params, &tower, &err), MR_RANGE);
    mr_assert_contains(err.text, "T0: design range 0.5 K (entering 35, leaving 34.5 degC) is "
                                 "outside of 1.1..22.2 K");
    mr_tower_defaults(&params);
    params.latent_frac = 0;
    err = (struct mr_err){0};
    assert_int_equal(mr_tower_make("T0", &params, &tower, &err), MR_RANGE);
    mr_assert_contains(err.text, "T0: latent 0 %: must be");
    const struct mr_reject_card card = {.capacity_w = 5e6, .entering_c = 40, .leaving_c = 30};
    mr_tower_of_card(&card, &params);
    assert_true(params.capacity_w == 5e6 && params.fan_w == 0 && params.entering_c == 40);
}

MR_TEST_MAIN(MR_TEST_ENTRY(points_of_the_correlation), MR_TEST_ENTRY(fans_meet_the_set_point),
             MR_TEST_ENTRY(design_point), MR_TEST_ENTRY(nothing_to_do), MR_TEST_ENTRY(lost_fans),
             MR_TEST_ENTRY(impossible_towers))
