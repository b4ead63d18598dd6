/* SPDX-License-Identifier: Apache-2.0 */
/* power/govern_odds: tails against published values, normal against binomial, what fits, who is cut
 * first. */
#include "power/govern_odds.h"

#include "engine/base/rng.h"
#include "tests/test.h"

MR_TEST(tail_of_the_normal_distribution)
{
    mr_assert_near(mr_govern_normal_tail(0), 0.5, 1e-16, 0);
    mr_assert_near(mr_govern_normal_tail(1), 0.15865525393145705, 1e-14, 0);
    mr_assert_near(mr_govern_normal_tail(-2), 0.9772498680518208, 1e-15, 0);
    mr_assert_near(mr_govern_normal_tail(3), 1.3498980316300945e-3, 1e-13, 0);
    mr_assert_near(mr_govern_normal_tail(6), 9.865876450376981e-10, 1e-13, 0);
    mr_assert_near(mr_govern_normal_tail(35), 1.124910706472406e-268, 1e-12, 0);
    /* the quantile is its inverse */
    for (int k = 1; k < 200; k++) {
        const double p = k / 200.;
        mr_assert_near(mr_govern_normal_tail(mr_rng_normal_quantile(1 - p)), p, 1e-12, 0);
    }
}

MR_TEST(exact_odds_by_hand)
{
    /* three packages of 1 or 2 W, busy half of the time: 5 W and more in 4 of 8 cases */
    const struct mr_govern_group three = {3, 1, 2, 0.5};
    mr_assert_near(mr_govern_odds_exact(&three, 4.5), 0.5, 1e-15, 0);
    mr_assert_near(mr_govern_odds_exact(&three, 5.5), 0.125, 1e-15, 0);
    mr_assert_near(mr_govern_odds_exact(&three, 2.9), 1, 1e-15, 0);
    assert_true(mr_govern_odds_exact(&three, 6) == 0); /* at the limit is not over it */
    const struct mr_govern_group always = {10, 1, 2, 1};
    assert_true(mr_govern_odds_exact(&always, 19) == 1 && mr_govern_odds_exact(&always, 20) == 0);
}

MR_TEST(normal_is_near_exact)
{
    const uint64_t n[] = {50, 1000, 100000};
    for (int i = 0; i < 3; i++)
        for (int k = -2; k <= 3; k++) {
            const struct mr_govern_group group = {n[i], 300, 2300, 0.4};
            const struct mr_govern_spread spread = mr_govern_spread_of(&group, 1, 0);
            /* half a package off the lattice, as the normal distribution has no steps */
            const double busy = floor((double)n[i] * 0.4 + k * sqrt((double)n[i] * 0.24)) + 0.5;
            const double limit_w = (double)n[i] * 300 + busy * 2000;
            const double exact = mr_govern_odds_exact(&group, limit_w);
            mr_assert_near(mr_govern_odds(&spread, limit_w), exact, 0.3 / sqrt((double)n[i]),
                           0.02 / sqrt((double)n[i]));
        }
}

MR_TEST(correlation_ends_averaging)
{
    const struct mr_govern_group group = {10000, 300, 2300, 0.5};
    const struct mr_govern_spread alone = mr_govern_spread_of(&group, 1, 0);
    const struct mr_govern_spread together = mr_govern_spread_of(&group, 1, 1);
    assert_true(alone.mean_w == 13e6 && together.mean_w == 13e6 && alone.peak_w == 23e6);
    mr_assert_near(alone.deviation_w, 1e5, 1e-12, 0);    /* sqrt(n) x 1 kW */
    mr_assert_near(together.deviation_w, 1e7, 1e-12, 0); /* n x 1 kW */
    assert_true(mr_govern_odds(&alone, 14e6) < 1e-20 && mr_govern_odds(&together, 14e6) > 0.4);
    assert_true(mr_govern_odds(&together, 23e6) == 0); /* never above all busy */
}

MR_TEST(as_many_as_fit)
{
    const struct mr_govern_group kind = {0, 300, 2300, 0.4};
    const double limit_w = 23e6; /* 10,000 at their peak */
    const uint64_t safe = mr_govern_odds_fit(&kind, 0, limit_w, 0);
    assert_int_equal(safe, 10000);
    const uint64_t some = mr_govern_odds_fit(&kind, 0, limit_w, 1e-3);
    assert_true(some > 20000 && some < 21000); /* mean 1,100 W */
    struct mr_govern_group trial = kind;
    trial.n = some;
    struct mr_govern_spread spread = mr_govern_spread_of(&trial, 1, 0);
    assert_true(mr_govern_odds(&spread, limit_w) <= 1e-3);
    trial.n++;
    spread = mr_govern_spread_of(&trial, 1, 0);
    assert_true(mr_govern_odds(&spread, limit_w) > 1e-3);
    const uint64_t tied = mr_govern_odds_fit(&kind, 0.05, limit_w, 1e-3);
    assert_true(tied > safe && tied < some);
    assert_int_equal(mr_govern_odds_fit(&(struct mr_govern_group){0, 2300, 2300, 0}, 0, 1000, 0.1),
                     0);
    assert_true(mr_govern_odds_fit(&(struct mr_govern_group){0}, 0, 1000, 0.1) >= UINT64_C(1)
                                                                                      << 52);
}

/* Two kinds of packages busy or not by dice: how often their sum is above a limit is what is said,
 * to three standard errors of the count and the normal distribution's own error. */
MR_TEST(odds_are_what_dice_show)
{
    enum {
        n_trial = 20000
    };
    struct mr_rng rng = mr_rng_stream(1, MR_RNG_TEST, 31);
    const struct mr_govern_group group[] = {{150, 300, 2300, 0.4}, {60, 140, 1000, 0.7}};
    const struct mr_govern_spread spread = mr_govern_spread_of(group, 2, 0);
    for (int k = -1; k <= 3; k++) {
        const double limit_w = spread.mean_w + k * 0.8 * spread.deviation_w;
        const double odds = mr_govern_odds(&spread, limit_w);
        int n_over = 0;
        for (int t = 0; t < n_trial; t++) {
            double sum_w = 0;
            for (int g = 0; g < 2; g++)
                for (uint64_t i = 0; i < group[g].n; i++)
                    sum_w +=
                        mr_rng_f64(&rng) < group[g].busy_frac ? group[g].high_w : group[g].low_w;
            n_over += sum_w > limit_w;
        }
        mr_assert_near((double)n_over / n_trial, odds, 0,
                       3 * sqrt(odds * (1 - odds) / n_trial) + 0.01);
    }
    /* as many as fit with one in a hundred are over in one of a hundred throws */
    struct mr_govern_group fit = group[0];
    const double limit_w = 200e3;
    fit.n = mr_govern_odds_fit(&fit, 0, limit_w, 0.01);
    int n_over = 0;
    for (int t = 0; t < n_trial; t++) {
        double sum_w = 0;
        for (uint64_t i = 0; i < fit.n; i++)
            sum_w += mr_rng_f64(&rng) < fit.busy_frac ? fit.high_w : fit.low_w;
        n_over += sum_w > limit_w;
    }
    assert_true(n_over > 0.005 * n_trial && n_over < 0.014 * n_trial);
}

MR_TEST_MAIN(MR_TEST_ENTRY(tail_of_the_normal_distribution), MR_TEST_ENTRY(exact_odds_by_hand),
             MR_TEST_ENTRY(normal_is_near_exact), MR_TEST_ENTRY(correlation_ends_averaging),
             MR_TEST_ENTRY(as_many_as_fit), MR_TEST_ENTRY(odds_are_what_dice_show))
