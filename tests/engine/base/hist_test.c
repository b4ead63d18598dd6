/* SPDX-License-Identifier: Apache-2.0 */
/* engine/base/hist: quantiles against sorted values, exact sums, order of merging, limits. */
#include "engine/base/hist.h"

#include "engine/base/rng.h"
#include "tests/test.h"

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The rule of the header on the values themselves. */
static double quantile(const double *sorted, size_t n, double q)
{
    const double p = q * (double)(n - 1);
    const size_t k = (size_t)p;
    return k + 1 < n ? sorted[k] + (p - (double)k) * (sorted[k + 1] - sorted[k]) : sorted[n - 1];
}

static void compare_quantiles(const struct mr_hist *hist, double *x_s, size_t n)
{
    qsort(x_s, n, sizeof *x_s, by_value);
    double before = 0;
    for (int i = 0; i <= 1000; i++) {
        const double q = i / 1000.0, got = mr_hist_quantile_s(hist, q);
        mr_assert_near(got, quantile(x_s, n, q), 1.0 / 128, 1e-9);
        assert_true(got >= before);
        before = got;
    }
    assert_true(mr_hist_quantile_s(hist, 0) == x_s[0]);
    assert_true(mr_hist_quantile_s(hist, 1) == x_s[n - 1]);
    assert_true(hist->min_s == x_s[0] && hist->max_s == x_s[n - 1]);
    assert_true(hist->n == n);
}

enum {
    n_draw = 1000000
};

MR_TEST(quantiles_of_many_shapes)
{
    double *x_s = malloc(n_draw * sizeof *x_s);
    struct mr_hist *hist = malloc(sizeof *hist);
    for (int shape = 0; shape < 5; shape++) {
        struct mr_rng rng = mr_rng_stream(1, MR_RNG_TEST, 200 + (uint64_t)shape);
        mr_hist_reset(hist);
        for (int i = 0; i < n_draw; i++) {
            x_s[i] = shape == 0   ? mr_rng_lognormal(&rng, -3, 2)
                     : shape == 1 ? mr_rng_exponential(&rng, 1e-9) /* around the first bin */
                     : shape == 2 ? (double)mr_rng_below(&rng, 3)  /* steps, zeros among them */
                     : shape == 3 ? mr_rng_range(&rng, 0.99, 1.01)
                                  : mr_rng_weibull(&rng, 0.1, 1e-3); /* thirty decades */
            x_s[i] = fmin(x_s[i], 1e10);
            mr_hist_add(hist, x_s[i]);
        }
        compare_quantiles(hist, x_s, n_draw);
    }
    free(x_s);
    free(hist);
}

MR_TEST(few_values)
{
    struct mr_hist *hist = malloc(sizeof *hist);
    struct mr_rng rng = mr_rng_stream(1, MR_RNG_TEST, 210);
    for (int turn = 0; turn < 20000; turn++) {
        double x_s[5];
        const size_t n = 1 + mr_rng_below(&rng, 5);
        mr_hist_reset(hist);
        for (size_t i = 0; i < n; i++)
            mr_hist_add(hist, x_s[i] = mr_rng_below(&rng, 4) == 0 ? 0 : mr_rng_f64(&rng));
        qsort(x_s, n, sizeof *x_s, by_value);
        for (int i = 0; i <= 20; i++)
            mr_assert_near(mr_hist_quantile_s(hist, i / 20.0), quantile(x_s, n, i / 20.0),
                           1.0 / 128, 1e-9);
    }
    mr_hist_reset(hist);
    assert_true(isnan(mr_hist_quantile_s(hist, 0.5)) && isnan(mr_hist_mean_s(hist)));
    assert_true(mr_hist_sum_s(hist) == 0);
    mr_hist_add(hist, 0.3);
    assert_true(mr_hist_quantile_s(hist, 0.5) == 0.3 && mr_hist_mean_s(hist) == 0.3);
    free(hist);
}

MR_TEST(both_sides_of_every_edge)
{
    struct mr_hist *hist = malloc(sizeof *hist);
    for (int e = MR_HIST_EXP_FIRST; e < MR_HIST_EXP_FIRST + MR_HIST_OCTAVES; e++)
        for (int m = 0; m < 64; m++) {
            const double low = ldexp(1 + m / 64.0, e), high = ldexp(1 + (m + 1) / 64.0, e);
            const double inside[] = {low, nextafter(high, 0)};
            for (int side = 0; side < 2; side++) {
                mr_hist_reset(hist);
                mr_hist_add(hist, 0);
                mr_hist_add_n(hist, inside[side], 3);
                mr_hist_add(hist, nextafter(MR_HIST_END_S, 0));
                assert_int_equal(hist->bin[(e - MR_HIST_EXP_FIRST) * 64 + m],
                                 3 + (inside[side] >= 0x1.fcp33));
                /* an inner rank: the middle of the bin */
                assert_true(mr_hist_quantile_s(hist, 0.5) == (low + high) / 2);
            }
        }
    free(hist);
}

/* Multiples of 2^-20 s below 2^20 s: their sum is an integer we can keep beside. */
MR_TEST(sums_are_exact)
{
    struct mr_hist *hist = malloc(sizeof *hist);
    struct mr_rng rng = mr_rng_stream(1, MR_RNG_TEST, 220);
    uint64_t sum = 0;
    mr_hist_reset(hist);
    for (int i = 0; i < n_draw; i++) {
        const uint64_t units = mr_rng_u64(&rng) >> (24 + mr_rng_below(&rng, 40));
        sum += units;
        mr_hist_add(hist, (double)units * 0x1p-20);
    }
    assert_true(mr_hist_sum_s(hist) == (double)sum * 0x1p-20);
    /* one huge value does not swallow a million small ones */
    mr_hist_reset(hist);
    mr_hist_add(hist, 0x1p33);
    mr_hist_add_n(hist, 0x1p-21, 1 << 20);
    mr_hist_add_n(hist, 0x1p-82, 1 << 20);
    mr_hist_add_n(hist, 0x1p-40, UINT64_C(1) << 39);
    assert_true(mr_hist_sum_s(hist) == 0x1p33 + 1);
    /* tiny ones: 2^20 units of 2^-82 s and 2^39 times 2^42 of them */
    assert_true(hist->sum[0].low == 1 << 20 && hist->sum[0].high == 1 << 17);
    mr_hist_reset(hist);
    mr_hist_add_n(hist, nextafter(MR_HIST_END_S, 0), UINT64_MAX / 2);
    mr_assert_near(mr_hist_sum_s(hist), 0x1p97, 1e-15, 0);
    assert_true(mr_hist_quantile_s(hist, 0.999) == nextafter(MR_HIST_END_S, 0));
    free(hist);
}

MR_TEST(merging_is_exact_in_any_order)
{
    enum {
        n_part = 8
    };
    struct mr_hist *part = calloc(n_part, sizeof *part), *whole = calloc(2, sizeof *whole);
    struct mr_rng rng = mr_rng_stream(1, MR_RNG_TEST, 230);
    for (int i = 0; i < n_draw; i++) {
        const double x_s = fmin(mr_rng_weibull(&rng, 0.1, 1e-3), 1e10);
        mr_hist_add(&whole[0], x_s);
        mr_hist_add(&part[mr_rng_below(&rng, n_part - 1)], x_s); /* the last stays empty */
    }
    for (int turn = 0; turn < n_part; turn++) {
        mr_hist_reset(&whole[1]);
        for (int i = 0; i < n_part; i++)
            mr_hist_merge(&whole[1], &part[(i * 3 + turn) % n_part]);
        assert_memory_equal(&whole[0], &whole[1], sizeof *whole);
    }
    free(part);
    free(whole);
}

MR_TEST(many_at_once_is_one_by_one)
{
    struct mr_hist *hist = calloc(2, sizeof *hist);
    struct mr_rng rng = mr_rng_stream(1, MR_RNG_TEST, 240);
    for (int i = 0; i < 20000; i++) {
        const double x_s = mr_rng_below(&rng, 10) == 0 ? 0x1p-50 : mr_rng_lognormal(&rng, 0, 3);
        const uint64_t n = mr_rng_below(&rng, 20);
        mr_hist_add_n(&hist[0], x_s, n);
        for (uint64_t k = 0; k < n; k++)
            mr_hist_add(&hist[1], x_s);
    }
    assert_memory_equal(&hist[0], &hist[1], sizeof *hist);
    free(hist);
}

static const double refused[] = {(double)NAN, -0x1p-1074, -1, MR_HIST_END_S, (double)INFINITY};

static void add_refused(void *x_s)
{
    struct mr_hist hist = {0};
    mr_hist_add(&hist, *(const double *)x_s);
}

static void quantile_refused(void *q)
{
    struct mr_hist hist = {0};
    mr_hist_add(&hist, 1);
    (void)mr_hist_quantile_s(&hist, *(const double *)q);
}

MR_TEST(nonsense_is_refused)
{
    double q[] = {-0.01, 1.01, (double)NAN};
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        double x_s = refused[i];
        mr_assert_refused(add_refused, &x_s, "x_s >= 0");
    }
    for (int i = 0; i < 3; i++)
        mr_assert_refused(quantile_refused, &q[i], "q >= 0 && q <= 1");
    struct mr_hist hist = {0}, zero = {0};
    mr_hist_add(&hist, -0.0);
    mr_hist_add(&zero, 0);
    assert_memory_equal(&hist, &zero, sizeof hist);
}

MR_TEST_MAIN(MR_TEST_ENTRY(quantiles_of_many_shapes), MR_TEST_ENTRY(few_values),
             MR_TEST_ENTRY(both_sides_of_every_edge), MR_TEST_ENTRY(sums_are_exact),
             MR_TEST_ENTRY(merging_is_exact_in_any_order),
             MR_TEST_ENTRY(many_at_once_is_one_by_one), MR_TEST_ENTRY(nonsense_is_refused))
