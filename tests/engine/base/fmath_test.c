/* SPDX-License-Identifier: Apache-2.0 */
/* engine/base/fmath: error in ulp against 80-bit libm, special values, one golden hash of the bits.
 */
#include "engine/base/fmath.h"

#include "tests/test.h"

#include <float.h>

static uint64_t next(uint64_t *sequence)
{
    uint64_t z = *sequence += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static uint64_t bits_of(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static double of_bits(uint64_t bits)
{
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* Distance in units of the last place of a double of that size; denormals have one size. */
static double ulps(double got, long double want)
{
    const double rounded = (double)want;
    int exponent;
    if (isinf(rounded) || isinf(got)) /* overflow: the largest double or infinity, both within 1 */
        return rounded == got || fabsl(want) > (long double)DBL_MAX / 1.0000001L ? 0 : 1e9;
    (void)frexp(rounded == 0 ? DBL_TRUE_MIN : rounded, &exponent);
    const int place = exponent - 53 < -1074 ? -1074 : exponent - 53;
    return (double)fabsl(((long double)got - want) / ldexpl(1, place));
}

struct worst {
    double ulp, x, y;
};

static void keep_worst(struct worst *w, double ulp, double x, double y)
{
    if (ulp > w->ulp)
        *w = (struct worst){ulp, x, y};
}

static void check_worst(const char *name, const struct worst *w)
{
    print_message("%s: worst %.4f ulp at %a, %a\n", name, w->ulp, w->x, w->y);
    assert_true(w->ulp <= 1.0);
    assert_true(w->ulp >= 0.4); /* the measurement itself works */
}

#define NEEDS_WIDE_LONG_DOUBLE()                                                 \
    do {                                                                         \
        if (LDBL_MANT_DIG < 64)                                                  \
            mr_test_skip("long double is no wider than double: no oracle here"); \
    } while (0)

MR_TEST(exp_within_one_ulp)
{
    NEEDS_WIDE_LONG_DOUBLE();
    struct worst w = {0};
    uint64_t sequence = 1;
    for (long i = 0; i < 2000000; i++) {
        const uint64_t r = next(&sequence);
        const double u = (double)(r >> 11) * 0x1p-53;
        const double x = i % 4 == 0   ? -746 + u * 1456
                         : i % 4 == 1 ? (u - 0.5) * 8
                         : i % 4 == 2 ? -708 - u * 38
                                      : ldexp(u - 0.5, -(int)(r & 63));
        keep_worst(&w, ulps(mr_exp(x), expl((long double)x)), x, 0);
    }
    check_worst("exp", &w);
}

MR_TEST(expm1_within_one_ulp)
{
    NEEDS_WIDE_LONG_DOUBLE();
    struct worst w = {0};
    uint64_t sequence = 2;
    for (long i = 0; i < 2000000; i++) {
        const uint64_t r = next(&sequence);
        const double u = (double)(r >> 11) * 0x1p-53;
        const double x = i % 4 == 0   ? -45 + u * 755
                         : i % 4 == 1 ? (u - 0.5) * 2
                         : i % 4 == 2 ? (i % 8 == 2 ? 0.35 : -0.35) + (u - 0.5) * 0.01
                                      : ldexp(u - 0.5, -(int)(r % 1070));
        keep_worst(&w, ulps(mr_expm1(x), expm1l((long double)x)), x, 0);
    }
    check_worst("expm1", &w);
}

MR_TEST(log_within_one_ulp)
{
    NEEDS_WIDE_LONG_DOUBLE();
    struct worst w = {0};
    uint64_t sequence = 3;
    for (long i = 0; i < 2000000; i++) {
        const uint64_t r = next(&sequence);
        const double u = (double)(r >> 11) * 0x1p-53;
        const double x = i % 4 == 0   ? of_bits(r >> 1)
                         : i % 4 == 1 ? 0.5 + u * 1.5
                         : i % 4 == 2 ? 1 + ldexp(u - 0.5, -(int)(r & 51))
                                      : of_bits(r >> 12); /* denormals */
        if (x > 0 && isfinite(x))
            keep_worst(&w, ulps(mr_log(x), logl((long double)x)), x, 0);
    }
    check_worst("log", &w);
}

MR_TEST(pow_within_one_ulp)
{
    NEEDS_WIDE_LONG_DOUBLE();
    struct worst w = {0};
    uint64_t sequence = 4;
    for (long i = 0; i < 2000000; i++) {
        const uint64_t r = next(&sequence);
        const double u = (double)(next(&sequence) >> 11) * 0x1p-53;
        const double x = i % 3 == 0 ? of_bits(r >> 1)
                         : i % 3 == 1
                             ? 0.25 + (double)(r >> 11) * 0x1p-53 * 4
                             : 1 + ldexp((double)(r >> 11) * 0x1p-53 - 0.5, -(int)(r & 47));
        if (!(x > 0) || !isfinite(x) || x == 1)
            continue;
        /* over the whole range of results, and what models use */
        const double y = i % 4 < 2    ? (u - 0.5) * 1455 / (double)logl((long double)x)
                         : i % 4 == 2 ? u * 3
                                      : -u * 2;
        const long double want = powl((long double)x, (long double)y);
        keep_worst(&w, ulps(mr_pow(x, y), want), x, y);
    }
    check_worst("pow", &w);
}

MR_TEST(exact_cases)
{
    assert_true(mr_exp(0) == 1 && mr_exp(-0.0) == 1);
    assert_true(mr_log(1) == 0 && mr_expm1(0) == 0);
    assert_true(signbit(mr_expm1(-0.0)) != 0);
    for (int k = -1074; k <= 1023; k++)
        assert_true(mr_pow(2, k) == ldexp(1, k));
    for (int k = 0; k <= 22; k++)
        assert_true(
            mr_pow(10, k) ==
            strtod((char[]){'1', 'e', (char)('0' + k / 10), (char)('0' + k % 10), 0}, NULL));
    uint64_t sequence = 5;
    for (int i = 0; i < 100000; i++) {
        const double x = of_bits(next(&sequence));
        if (isnan(x))
            continue;
        assert_true(mr_pow(x, 0) == 1);
        assert_true(bits_of(mr_pow(x, 1)) == bits_of(x));
        assert_true(mr_pow(1, x) == 1);
    }
    assert_true(mr_pow(-3, 3) == -27 && mr_pow(-3, 4) == 81 && mr_pow(3, -1) == 1.0 / 3);
}

MR_TEST(special_values)
{
    const double inf = HUGE_VAL, nan = (double)NAN;
    const struct {
        double x, y, want;
    } pows[] = {
        {0, 3, 0},
        {-0.0, 3, -0.0},
        {-0.0, 4, 0},
        {0, -3, inf},
        {-0.0, -3, -inf},
        {-0.0, -4, inf},
        {0, 0.5, 0},
        {-0.0, -0.5, inf},
        {-1, inf, 1},
        {-1, -inf, 1},
        {0.5, inf, 0},
        {0.5, -inf, inf},
        {2, inf, inf},
        {2, -inf, 0},
        {inf, 2, inf},
        {inf, -2, 0},
        {-inf, 3, -inf},
        {-inf, 2, inf},
        {-inf, -3, -0.0},
        {-inf, -2, 0},
        {-inf, 0.5, inf},
        {nan, 0, 1},
        {1, nan, 1},
        {0, -inf, inf},
        {0, inf, 0},
        {1e300, 1e300, inf},
        {1e-300, 1e300, 0},
        {-1e300, 3, -inf},
        {-2, 1e300, inf},
        {-1, 9007199254740993.0, 1},
        {-1, 9007199254740991.0, -1},
        {2, 1024, inf},
        {2, -1075, 0},
        {2, -1074, DBL_TRUE_MIN},
        {1.0000000000000002, 1e-300, 1},
        {0x1p-1074, 1, 0x1p-1074},
        {-2, -1e300, 0},
        {-inf, -1e300, 0},
    };
    for (size_t i = 0; i < sizeof pows / sizeof *pows; i++)
        if (bits_of(mr_pow(pows[i].x, pows[i].y)) != bits_of(pows[i].want))
            fail_msg("pow(%g, %g) = %g, expected %g", pows[i].x, pows[i].y,
                     mr_pow(pows[i].x, pows[i].y), pows[i].want);
    assert_true(isnan(mr_pow(-2, 0.5)) && isnan(mr_pow(nan, 2)) && isnan(mr_pow(2, nan)));
    assert_true(mr_exp(inf) == inf && mr_exp(-inf) == 0 && mr_exp(710) == inf && mr_exp(-746) == 0);
    assert_true(mr_expm1(inf) == inf && mr_expm1(-inf) == -1 && mr_expm1(710) == inf &&
                mr_expm1(-50) == -1);
    assert_true(mr_log(inf) == inf && mr_log(0) == -inf && mr_log(-0.0) == -inf);
    assert_true(isnan(mr_log(-1)) && isnan(mr_log(nan)) && isnan(mr_exp(nan)) &&
                isnan(mr_expm1(nan)));
}

MR_TEST(exp_never_falls)
{
    double before_exp = 0, before_expm1 = -1;
    for (int i = 0; i < 1000000; i++) {
        const double x = -40 + i * 8e-5;
        assert_true(mr_exp(x) >= before_exp && mr_expm1(x) >= before_expm1);
        before_exp = mr_exp(x);
        before_expm1 = mr_expm1(x);
    }
}

/* Every compiler, optimization level and processor must give these bits. */
MR_TEST(golden_bits)
{
    uint64_t sequence = 6, hash = 0;
    for (int i = 0; i < 1000000; i++) {
        const uint64_t r = next(&sequence);
        const double u = (double)(r >> 11) * 0x1p-53, x = -30 + u * 40, z = of_bits(r >> 2);
        hash = hash * UINT64_C(0x9e3779b97f4a7c15) + bits_of(mr_exp(x));
        hash = hash * UINT64_C(0x9e3779b97f4a7c15) + bits_of(mr_expm1(x / 8));
        hash = hash * UINT64_C(0x9e3779b97f4a7c15) + bits_of(mr_log(z));
        hash = hash * UINT64_C(0x9e3779b97f4a7c15) + bits_of(mr_pow(u + 0.01, x));
    }
    print_message("golden hash %016llx\n", (unsigned long long)hash);
    assert_true(hash == UINT64_C(0x7d4a9b8c0c24304e));
}

MR_TEST_MAIN(MR_TEST_ENTRY(exp_within_one_ulp), MR_TEST_ENTRY(expm1_within_one_ulp),
             MR_TEST_ENTRY(log_within_one_ulp), MR_TEST_ENTRY(pow_within_one_ulp),
             MR_TEST_ENTRY(exact_cases), MR_TEST_ENTRY(special_values),
             MR_TEST_ENTRY(exp_never_falls), MR_TEST_ENTRY(golden_bits))
