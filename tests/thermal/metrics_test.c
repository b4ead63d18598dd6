/* SPDX-License-Identifier: Apache-2.0 */
/* thermal/metrics and thermal/sum: ratios of known energies, what is undefined, units, lines above
 * a limit, sums of very many terms. */
#include "thermal/metrics.h"

#include "tests/test.h"

MR_TEST(ratios)
{
    struct mr_metrics m = {0};
    for (int i = 0; i < 24; i++) {
        mr_metrics_add_j(&m, MR_METRICS_SITE, 12e6 * 3600);
        mr_metrics_add_j(&m, MR_METRICS_UPS, 11e6 * 3600);
        mr_metrics_add_j(&m, MR_METRICS_IT, 10e6 * 3600);
        mr_metrics_add_j(&m, MR_METRICS_COMPUTE, 8e6 * 3600);
        mr_metrics_add_j(&m, MR_METRICS_FANS, 0.4e6 * 3600);
        mr_metrics_add_j(&m, MR_METRICS_PUMPS, 0.1e6 * 3600);
        mr_metrics_add_water(&m, 10e3 * 1.8519e-3); /* of 10 MWh, all of it evaporated */
    }
    static const struct {
        int kind;
        double value;
    } want[] = {
        {MR_METRICS_PUE, 1.2}, {MR_METRICS_PUE_UPS, 12 / 11.0},     {MR_METRICS_ITUE, 1.25},
        {MR_METRICS_TUE, 1.5}, {MR_METRICS_WUE, 1.8519e-3 / 3.6e6}, {MR_METRICS_COOLING, 0.05},
    };
    for (size_t i = 0; i < sizeof want / sizeof *want; i++)
        mr_assert_near(mr_metrics_value(&m, want[i].kind), want[i].value, 1e-14, 0);
}

MR_TEST(nothing_is_not_zero)
{
    struct mr_metrics m = {0};
    mr_metrics_add_j(&m, MR_METRICS_SITE, 1e9);
    for (int kind = 0; kind < MR_METRICS_N_KIND; kind++)
        assert_true(isnan(mr_metrics_value(&m, kind)));
}

MR_TEST(every_metric_has_a_formula)
{
    for (int kind = 0; kind < MR_METRICS_N_KIND; kind++) {
        assert_true(strlen(mr_metrics_name(kind)) > 2);
        mr_assert_contains(mr_metrics_formula(kind), " / E_");
    }
}

MR_TEST(lines_above_a_limit)
{
    struct mr_metrics_track track;
    mr_metrics_track_start(&track, 40);
    assert_true(isnan(mr_metrics_track_mean(&track)));
    mr_metrics_track_add(&track, 30, 50, 100); /* half of it above, 5 K on average */
    mr_metrics_track_add(&track, 50, 45, 10);
    mr_metrics_track_add(&track, 40, 20, 10);
    mr_metrics_track_add(&track, 90, 90, 0);
    mr_assert_near(mr_sum_of(track.above_s), 60, 1e-14, 0);
    mr_assert_near(mr_sum_of(track.above_ks), 250 + 75, 1e-14, 0);
    mr_assert_near(mr_metrics_track_mean(&track), (4000 + 475 + 300) / 120.0, 1e-14, 0);
    assert_true(track.least == 20 && track.most == 50);
}

MR_TEST(many_terms_lose_nothing)
{
    struct mr_sum sum = {0, 0};
    double plain = 0;
    for (int i = 0; i < 1000000; i++) {
        mr_sum_add(&sum, 0.1);
        plain += 0.1;
    }
    mr_assert_near(mr_sum_of(sum), 1e5, 1e-15, 0);
    assert_true(fabs(plain - 1e5) > 1e-7);
    struct mr_sum order = {0, 0};
    mr_sum_add(&order, 1);
    mr_sum_add(&order, 1e100);
    mr_sum_add(&order, 1);
    mr_sum_add(&order, -1e100);
    assert_true(mr_sum_of(order) == 2);
}

MR_TEST_MAIN(MR_TEST_ENTRY(ratios), MR_TEST_ENTRY(nothing_is_not_zero),
             MR_TEST_ENTRY(every_metric_has_a_formula), MR_TEST_ENTRY(lines_above_a_limit),
             MR_TEST_ENTRY(many_terms_lose_nothing))
