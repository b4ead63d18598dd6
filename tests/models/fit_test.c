/* SPDX-License-Identifier: Apache-2.0 */
/* models/fit: known parameters come back, outliers do not matter, priors hold what data do not say.
 */
#include "models/fit.h"

#include "tests/test.h"

#include <math.h>

enum {
    n_point = 40
};

/* y = a exp(-b t), b unknown in logarithm, some points far off */
struct decay {
    double y[n_point];
};

static double decay_at(double a, double b, int i)
{
    return a * exp(-b * i / 10.0);
}

static void decay_residuals(void *context, const double *x, double *residual)
{
    const struct decay *d = context;
    for (int i = 0; i < n_point; i++)
        residual[i] = (decay_at(x[0], exp(x[1]), i) - d->y[i]) / 0.01;
}

static struct mr_fit_problem problem_of(struct decay *d, double scale)
{
    return (struct mr_fit_problem){.n_param = 2,
                                   .n_residual = n_point,
                                   .param = {{.start = 1, .low = 0, .high = 10, .doubt = 10},
                                             {.start = 0, .low = -5, .high = 5, .doubt = 10}},
                                   .scale = scale,
                                   .n_round = 50,
                                   .context = d,
                                   .residuals = decay_residuals};
}

MR_TEST(known_parameters_come_back)
{
    struct decay d;
    struct mr_fit_report report;
    double x[2];
    for (int i = 0; i < n_point; i++)
        d.y[i] = decay_at(3, 0.7, i);
    const struct mr_fit_problem p = problem_of(&d, 0);
    assert_int_equal(mr_fit_solve(&p, x, &report, NULL), MR_OK);
    mr_assert_near(x[0], 3, 1e-4, 0);
    mr_assert_near(exp(x[1]), 0.7, 1e-4, 0);
    assert_true(report.cost_after < report.cost_before * 1e-3);
    assert_int_equal(mr_test_live_allocations(), 0);
}

MR_TEST(outliers_count_little)
{
    struct decay d;
    struct mr_fit_report report;
    double plain[2], robust[2];
    for (int i = 0; i < n_point; i++)
        d.y[i] = decay_at(3, 0.7, i) + (i % 8 == 3 ? 2 : 0);
    const struct mr_fit_problem squares = problem_of(&d, 0), cauchy = problem_of(&d, 2);
    assert_int_equal(mr_fit_solve(&squares, plain, &report, NULL), MR_OK);
    assert_int_equal(mr_fit_solve(&cauchy, robust, &report, NULL), MR_OK);
    assert_true(fabs(robust[0] - 3) < 0.01);
    assert_true(fabs(plain[0] - 3) > 10 * fabs(robust[0] - 3));
}

/* A parameter that no residual sees stays; one that is fixed stays even if they see it; bounds
 * hold. */
MR_TEST(priors_and_bounds)
{
    struct decay d;
    struct mr_fit_report report;
    double x[3];
    for (int i = 0; i < n_point; i++)
        d.y[i] = decay_at(3, 0.7, i);
    struct mr_fit_problem p = problem_of(&d, 0);
    p.n_param = 3;
    p.param[2] = (struct mr_fit_param){.start = 5, .low = 0, .high = 9, .doubt = 1};
    assert_int_equal(mr_fit_solve(&p, x, &report, NULL), MR_OK);
    mr_assert_near(x[2], 5, 1e-9, 0);
    p.param[0].doubt = 0;
    assert_int_equal(mr_fit_solve(&p, x, &report, NULL), MR_OK);
    assert_true(x[0] == 1);
    p = problem_of(&d, 0);
    p.param[0].high = 2;
    assert_int_equal(mr_fit_solve(&p, x, &report, NULL), MR_OK);
    assert_true(x[0] <= 2);
}

MR_TEST(the_same_bits_again)
{
    struct decay d;
    struct mr_fit_report report;
    double a[2], b[2];
    for (int i = 0; i < n_point; i++)
        d.y[i] = decay_at(3, 0.7, i) + 0.01 * (i % 3);
    const struct mr_fit_problem p = problem_of(&d, 2);
    assert_int_equal(mr_fit_solve(&p, a, &report, NULL), MR_OK);
    assert_int_equal(mr_fit_solve(&p, b, &report, NULL), MR_OK);
    assert_memory_equal(a, b, sizeof a);
}

static mr_status solve_once(void *context, struct mr_err *err)
{
    const struct mr_fit_problem *p = context;
    struct mr_fit_report report;
    double x[2];
    return mr_fit_solve(p, x, &report, err);
}

MR_TEST(every_failing_allocation)
{
    static struct decay d;
    static struct mr_fit_problem p;
    p = problem_of(&d, 0);
    mr_test_every_nomem(solve_once, &p);
}

/* Half are the odd ones; a smaller share is part of a larger one; of none there is nothing. */
MR_TEST(shares_are_held_out)
{
    static const double share[] = {0, 0.1, 0.3, 0.5, 0.8};
    size_t n_held[5] = {0};
    const uint64_t n = 20000;
    for (uint64_t i = 0; i < n; i++) {
        const uint64_t hash = i * 0x9e3779b97f4a7c15u;
        bool was_held = false;
        for (size_t k = 0; k < 5; k++) {
            const bool is_held = mr_fit_is_held_out(hash, share[k]);
            assert_true(is_held || !was_held);
            n_held[k] += is_held;
            was_held = is_held;
        }
        assert_int_equal(mr_fit_is_held_out(hash, 0.5), hash & 1);
    }
    for (size_t k = 0; k < 5; k++)
        mr_assert_near((double)n_held[k] / (double)n, share[k], 0, 0.01);
}

MR_TEST_MAIN(MR_TEST_ENTRY(shares_are_held_out), MR_TEST_ENTRY(known_parameters_come_back),
             MR_TEST_ENTRY(outliers_count_little), MR_TEST_ENTRY(priors_and_bounds),
             MR_TEST_ENTRY(the_same_bits_again), MR_TEST_ENTRY(every_failing_allocation))
