/* SPDX-License-Identifier: Apache-2.0 */
/* engine/base/rng: published vectors, independence of streams, distributions, one golden hash. */
#include "engine/base/rng.h"

#include "tests/test.h"

enum {
    n_draw = 200000
};

MR_TEST(published_vectors)
{
    static const struct {
        uint32_t counter[4], key[2], out[4];
    } cases[] = {
        {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{~0u, ~0u, ~0u, ~0u}, {~0u, ~0u}, {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
         {0xa4093822, 0x299f31d0},
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint32_t out[4];
        mr_rng_philox(cases[i].counter, cases[i].key, out);
        assert_memory_equal(out, cases[i].out, sizeof out);
    }
}

MR_TEST(any_position_without_stepping)
{
    struct mr_rng a = mr_rng_stream(7, MR_RNG_TOOL, 1u << 20);
    for (uint64_t i = 0; i < 1001; i++) {
        struct mr_rng b = mr_rng_stream(7, MR_RNG_TOOL, 1u << 20);
        mr_rng_seek(&b, i);
        const uint64_t x = mr_rng_u64(&a);
        assert_true(x == mr_rng_u64(&b));
        assert_true(x == mr_rng_u64_at(7, MR_RNG_TOOL, 1u << 20, i));
    }
    struct mr_rng copy = a;
    assert_true(mr_rng_u64(&a) == mr_rng_u64(&copy));
}

/* |correlation| of two streams of uniforms is below 5 / sqrt(n). */
static void check_independent(struct mr_rng a, struct mr_rng b)
{
    double sum = 0;
    for (int i = 0; i < n_draw; i++)
        sum += (mr_rng_f64(&a) - 0.5) * (mr_rng_f64(&b) - 0.5);
    assert_true(fabs(sum * 12 / n_draw) < 5 / sqrt(n_draw));
}

MR_TEST(neighbors_are_independent)
{
    const struct mr_rng a = mr_rng_stream(1, 2, 3);
    check_independent(a, mr_rng_stream(2, 2, 3));
    check_independent(a, mr_rng_stream(1, 3, 3));
    check_independent(a, mr_rng_stream(1, 2, 4));
    check_independent(a, mr_rng_stream(1, 2, 3 + (UINT64_C(1) << 32)));
    check_independent(a, mr_rng_stream(1 + (UINT64_C(1) << 32), 2, 3));
    struct mr_rng shifted = a;
    (void)mr_rng_u64(&shifted);
    check_independent(a, shifted);
}

/* Mean and variance of draws against theory, 5 standard errors (of kurtosis k for the variance). */
static void check_moments(double (*draw)(struct mr_rng *), double mean, double variance, double k)
{
    struct mr_rng rng = mr_rng_stream(11, MR_RNG_TEST, 5);
    double sum = 0, square = 0;
    for (int i = 0; i < n_draw; i++) {
        const double x = draw(&rng) - mean;
        sum += x;
        square += x * x;
    }
    mr_assert_near(sum / n_draw, 0, 0, 5 * sqrt(variance / n_draw));
    mr_assert_near(square / n_draw, variance, 0, 5 * variance * sqrt((k - 1) / n_draw));
}

static double exponential_3(struct mr_rng *rng)
{
    return mr_rng_exponential(rng, 3);
}
static double gamma_half(struct mr_rng *rng)
{
    return mr_rng_gamma(rng, 0.5, 2);
}
static double gamma_four(struct mr_rng *rng)
{
    return mr_rng_gamma(rng, 4, 0.5);
}
static double weibull_two(struct mr_rng *rng)
{
    return mr_rng_weibull(rng, 2, 1);
}
static double lognormal(struct mr_rng *rng)
{
    return mr_rng_lognormal(rng, 0.5, 0.25);
}
static double range(struct mr_rng *rng)
{
    return mr_rng_range(rng, -2, 4);
}

MR_TEST(moments)
{
    const double pi = 3.14159265358979323846;
    check_moments(mr_rng_f64, 0.5, 1.0 / 12, 1.8);
    check_moments(mr_rng_open, 0.5, 1.0 / 12, 1.8);
    check_moments(range, 1, 3, 1.8);
    check_moments(mr_rng_normal, 0, 1, 3);
    check_moments(exponential_3, 3, 9, 9);
    check_moments(gamma_half, 1, 2, 3 + 6 / 0.5);
    check_moments(gamma_four, 2, 1, 3 + 6 / 4.0);
    check_moments(weibull_two, sqrt(pi) / 2, 1 - pi / 4, 3.25);
    const double s2 = 0.0625;
    check_moments(lognormal, exp(0.5 + s2 / 2), (exp(s2) - 1) * exp(1 + s2), 4.1);
}

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double normal_cdf(double x)
{
    return 0.5 * erfc(-x / sqrt(2));
}
static double exponential_cdf(double x)
{
    return 1 - exp(-x / 3);
}
static double gamma_four_cdf(double x) /* Erlang: shape 4, scale 1/2 */
{
    const double t = 2 * x;
    return 1 - exp(-t) * (1 + t + t * t / 2 + t * t * t / 6);
}
static double gamma_half_cdf(double x) /* chi square of one degree */
{
    return erf(sqrt(x / 2));
}

/* Kolmogorov-Smirnov: sqrt(n) D < 2.2 fails a right generator once in 10,000 seeds. */
static void check_shape(double (*draw)(struct mr_rng *), double (*cdf)(double))
{
    static double x[n_draw];
    struct mr_rng rng = mr_rng_stream(13, MR_RNG_TEST, 9);
    double d = 0;
    for (int i = 0; i < n_draw; i++)
        x[i] = draw(&rng);
    qsort(x, n_draw, sizeof *x, by_value);
    for (int i = 0; i < n_draw; i++)
        d = fmax(d, fmax(cdf(x[i]) - (double)i / n_draw, (double)(i + 1) / n_draw - cdf(x[i])));
    assert_true(d * sqrt(n_draw) < 2.2);
}

MR_TEST(shapes)
{
    check_shape(mr_rng_normal, normal_cdf);
    check_shape(exponential_3, exponential_cdf);
    check_shape(gamma_four, gamma_four_cdf);
    check_shape(gamma_half, gamma_half_cdf);
}

MR_TEST(bounded_draws_are_even)
{
    struct mr_rng rng = mr_rng_stream(3, MR_RNG_TEST, 1);
    int count[7] = {0};
    for (int i = 0; i < n_draw; i++)
        count[mr_rng_below(&rng, 7)]++;
    double chi2 = 0;
    for (int i = 0; i < 7; i++)
        chi2 += (count[i] - n_draw / 7.0) * (count[i] - n_draw / 7.0) / (n_draw / 7.0);
    assert_true(chi2 < 30); /* 6 degrees: once in 25,000 */
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(mr_rng_below(&rng, 1), 0);
        assert_true(mr_rng_below(&rng, (UINT64_C(1) << 63) + 1) <= UINT64_C(1) << 63);
    }
}

MR_TEST(quantiles_of_the_normal)
{
    static const struct {
        double p, x;
    } known[] = {{0.5, 0},
                 {0.975, 1.959963984540054},
                 {0.001, -3.090232306167813},
                 {1e-10, -6.361340902404056},
                 {0.9, 1.2815515655446004}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        mr_assert_near(mr_rng_normal_quantile(known[i].p), known[i].x, 1e-14, 1e-16);
    for (int i = 1; i < 1000; i++)
        mr_assert_near(normal_cdf(mr_rng_normal_quantile(i / 1000.0)), i / 1000.0, 1e-13, 0);
}

MR_TEST(open_interval_never_touches_its_ends)
{
    struct mr_rng rng = mr_rng_stream(1, MR_RNG_TEST, 1);
    for (int i = 0; i < n_draw; i++) {
        const double u = mr_rng_open(&rng), v = mr_rng_f64(&rng),
                     w = mr_rng_range(&rng, 5, 5.0000000000000018);
        assert_true(u > 0 && u < 1 && v >= 0 && v < 1 && w >= 5 && w < 5.0000000000000018);
    }
}

static uint64_t hash_of(uint64_t hash, double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return (hash ^ bits) * UINT64_C(0x100000001b3) + 1;
}

MR_TEST(golden_bits)
{
    uint64_t hash = 0;
    for (uint64_t entity = 0; entity < 100; entity++) {
        struct mr_rng rng = mr_rng_stream(42, MR_RNG_ARRIVAL, entity);
        for (int i = 0; i < 1000; i++) {
            hash = hash_of(hash, mr_rng_f64(&rng));
            hash = hash_of(hash, mr_rng_normal(&rng));
            hash = hash_of(hash, mr_rng_lognormal(&rng, 5.56, 0.89));
            hash = hash_of(hash, mr_rng_gamma(&rng, 0.7, 2));
            hash = hash_of(hash, mr_rng_weibull(&rng, 1.3, 2));
            hash = hash_of(hash, (double)mr_rng_below(&rng, 1000));
        }
    }
    print_message("golden hash %016llx\n", (unsigned long long)hash);
    assert_true(hash == UINT64_C(0xa4e847876e6d261a));
}

MR_TEST_MAIN(MR_TEST_ENTRY(published_vectors), MR_TEST_ENTRY(any_position_without_stepping),
             MR_TEST_ENTRY(neighbors_are_independent), MR_TEST_ENTRY(moments),
             MR_TEST_ENTRY(shapes), MR_TEST_ENTRY(bounded_draws_are_even),
             MR_TEST_ENTRY(quantiles_of_the_normal),
             MR_TEST_ENTRY(open_interval_never_touches_its_ends), MR_TEST_ENTRY(golden_bits))
