/* SPDX-License-Identifier: Apache-2.0 */
/* thermal/chiller: the record's points, cycling, staging, the share-of-ideal model, refusals. */
#include "thermal/chiller.h"

#include "tests/thermal/sources.h"

static struct mr_chiller_params record_params(void)
{
    struct mr_chiller_params params;
    mr_chiller_defaults(&params);
    sources_hold(&mr_chiller_table, &params);
    params.model = MR_CHILLER_EIR;
    params.capacity_w = 471.2e3;
    return params;
}

static struct mr_chiller make(const struct mr_chiller_params *params, double te_c)
{
    struct mr_chiller chiller;
    struct mr_err err = {0};
    if (mr_chiller_make("C0", params, te_c, &chiller, &err) != MR_OK)
        fail_msg("%s", err.text);
    return chiller;
}

MR_TEST(points_of_the_record)
{
    const struct mr_chiller_params params = record_params();
    const struct mr_chiller chiller = make(&params, 8.89);
    const double full_w = mr_chiller_capacity_w(&chiller, 8.89, 26.67);
    mr_assert_near(full_w / 471.2e3, 0.99854, 1e-5, 0);
    struct mr_chiller_out out = mr_chiller_run(&chiller, full_w, 8.89, 26.67);
    mr_assert_near(out.work_w, 80.19e3, 1e-4, 0);
    mr_assert_near(out.part_frac, 1, 1e-14, 0);
    out = mr_chiller_run(&chiller, 235.6e3, 8.89, 26.67);
    mr_assert_near(out.work_w, 41.49e3, 2e-4, 0);
    mr_assert_near(out.heat_w / out.work_w, 5.678, 2e-4, 0);
    /* EIRFPLR(.5): power at half over power at full, times the curve's sum at 1 */
    const double half = mr_chiller_run(&chiller, 0.5 * full_w, 8.89, 26.67).work_w;
    mr_assert_near(half / 80.19e3 * (0.2778889 + 0.2338363 + 0.4883748), 0.51690, 1e-4, 0);
    /* EIRFT, which the full load holds once the capacity is known */
    mr_assert_near(80.19e3 / (full_w / 5.89) / (0.2778889 + 0.2338363 + 0.4883748), 1.00379, 1e-4,
                   0);
}

MR_TEST(never_more_than_it_can)
{
    const struct mr_chiller_params params = record_params();
    const struct mr_chiller chiller = make(&params, 8.89);
    const struct mr_chiller_out out = mr_chiller_run(&chiller, 1e6, 8.89, 20);
    assert_true(out.heat_w == mr_chiller_capacity_w(&chiller, 8.89, 20));
    assert_true(mr_chiller_run(&chiller, 0, 8.89, 20).work_w == 0);
    assert_true(mr_chiller_run(&chiller, -5, 8.89, 20).heat_w == 0);
    /* a condenser outside of the record is held at its bound, and told */
    assert_true(mr_chiller_run(&chiller, 1e5, 8.89, 40).is_clamped);
    assert_true(mr_chiller_run(&chiller, 1e5, 8.89, 40).work_w ==
                mr_chiller_run(&chiller, 1e5, 8.89, 26.67).work_w);
    assert_false(mr_chiller_run(&chiller, 1e5, 8.89, 20).is_clamped);
}

MR_TEST(below_the_least_part_load_it_cycles)
{
    const struct mr_chiller_params params = record_params();
    const struct mr_chiller chiller = make(&params, 8.89);
    const double full_w = mr_chiller_capacity_w(&chiller, 8.89, 26.67);
    const double at_least_w = mr_chiller_run(&chiller, 0.1 * full_w, 8.89, 26.67).work_w;
    mr_assert_near(mr_chiller_run(&chiller, 0.05 * full_w, 8.89, 26.67).work_w, 0.5 * at_least_w,
                   1e-12, 0);
    mr_assert_near(mr_chiller_run(&chiller, 0.0999999 * full_w, 8.89, 26.67).work_w, at_least_w,
                   1e-5, 0);
}

MR_TEST(share_of_the_ideal)
{
    struct mr_chiller_params params;
    mr_chiller_defaults(&params);
    const struct mr_chiller chiller = make(&params, 40);
    /* 0.5 x 313.15 / 20 = 7.83 */
    mr_assert_near(mr_chiller_run(&chiller, 5e5, 40, 60).work_w, 5e5 / (0.5 * 313.15 / 20), 1e-14,
                   0);
    /* condenser no warmer than the water: the least lift would give 19.6, but 12 is the most */
    mr_assert_near(mr_chiller_run(&chiller, 5e5, 40, 38).work_w, 5e5 / 12, 1e-14, 0);
    struct mr_chiller_params far = params;
    far.condenser_k = 22;
    const struct mr_chiller other = make(&far, 40);
    assert_true(mr_chiller_run(&other, 5e5, 40, 38).work_w ==
                mr_chiller_run(&chiller, 5e5, 40, 60).work_w);
}

MR_TEST(fewest_units_share)
{
    const struct mr_chiller_params params = record_params();
    const struct mr_chiller chiller = make(&params, 8.89);
    const double each_w = mr_chiller_capacity_w(&chiller, 8.89, 25);
    for (int n = 1; n <= 4; n++) {
        const double heat_w = (n - 0.5) * each_w;
        const struct mr_chiller_out all = mr_chiller_run_n(&chiller, 4, heat_w, 8.89, 25);
        mr_assert_near(all.heat_w, heat_w, 1e-14, 0);
        mr_assert_near(all.part_frac, (n - 0.5) / n, 1e-12, 0);
        mr_assert_near(all.work_w, n * mr_chiller_run(&chiller, heat_w / n, 8.89, 25).work_w, 1e-14,
                       0);
    }
    mr_assert_near(mr_chiller_run_n(&chiller, 4, 9 * each_w, 8.89, 25).heat_w, 4 * each_w, 1e-14,
                   0);
    assert_true(mr_chiller_run_n(&chiller, 0, 1e5, 8.89, 25).heat_w == 0);
    /* exactly three units' worth runs three */
    mr_assert_near(mr_chiller_run_n(&chiller, 4, 3 * each_w, 8.89, 25).part_frac, 1, 1e-12, 0);
}

MR_TEST(impossible_chillers)
{
    struct mr_chiller_params params = record_params();
    struct mr_chiller chiller;
    struct mr_err err = {0};
    assert_int_equal(mr_chiller_make("chiller 'trim1'", &params, 38, &chiller, &err), MR_RANGE);
    assert_string_equal(err.text, "chiller 'trim1': te 38 is outside 7.22-12.78 of record "
                                  "mcquay_wsc_471; use model carnot");
    params.part_min = 0.9;
    params.part_max = 0.5;
    err = (struct mr_err){0};
    assert_int_equal(mr_chiller_make("C0", &params, 8, &chiller, &err), MR_RANGE);
    mr_assert_contains(err.text, "C0: part_min 0.9 is above part_max 0.5");
    params.part_max = 1.5;
    err = (struct mr_err){0};
    assert_int_equal(mr_chiller_make("C0", &params, 8, &chiller, &err), MR_RANGE);
    mr_assert_contains(err.text, "C0: part_max 1.5: must be");
}

MR_TEST(cards_choose_the_model)
{
    struct mr_chiller_params params;
    const struct mr_reject_card cold = {
        .capacity_w = 471.2e3, .electric_w = 80e3, .leaving_c = 8.89, .entering_c = 14};
    const struct mr_reject_card warm = {
        .capacity_w = 1e6, .electric_w = 100e3, .leaving_c = 35, .entering_c = 45};
    mr_chiller_defaults(&params);
    mr_chiller_of_card(&cold, &params);
    assert_true(params.model == MR_CHILLER_EIR && params.cop == 5.89);
    mr_chiller_defaults(&params);
    mr_chiller_of_card(&warm, &params);
    assert_true(params.model == MR_CHILLER_CARNOT && params.capacity_w == 1e6);
    assert_true(params.cop_max == 10);
}

MR_TEST_MAIN(MR_TEST_ENTRY(points_of_the_record), MR_TEST_ENTRY(never_more_than_it_can),
             MR_TEST_ENTRY(below_the_least_part_load_it_cycles), MR_TEST_ENTRY(share_of_the_ideal),
             MR_TEST_ENTRY(fewest_units_share), MR_TEST_ENTRY(impossible_chillers),
             MR_TEST_ENTRY(cards_choose_the_model))
