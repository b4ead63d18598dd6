/* SPDX-License-Identifier: Apache-2.0 */
/* engine/base/num: against strtod and printf of the C locale, and by round trips. */
#include "engine/base/num.h"

#include "tests/test.h"

/* A sequence for test input; nothing but speed and repeatability matter. */
static uint64_t next(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
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

static void check_read(const char *text)
{
    double got = 0;
    const size_t n = strlen(text);
    if (mr_num_scan_f64(text, n, &got) != n || bits_of(got) != bits_of(strtod(text, NULL)))
        fail_msg("\"%.80s\": %.17g, strtod says %.17g", text, got, strtod(text, NULL));
}

static void check_round_trip(double x)
{
    char text[MR_NUM_CAP];
    double back = 0;
    const size_t n = mr_num_format_f64(x, text);
    if (strlen(text) != n || mr_num_parse_f64((struct mr_str){text, n}, &back) != MR_OK ||
        bits_of(back) != bits_of(x))
        fail_msg("%.17g is written \"%s\" and read %.17g", x, text, back);
}

MR_TEST(hard_cases_against_strtod)
{
    static const char *const cases[] = {
        "0",
        "-0",
        "0.0",
        "1",
        "-1",
        "46",
        "0.15",
        "1234.5678",
        ".5",
        "5.",
        "1e5",
        "1E+5",
        "1e-5",
        "123456789012345678",
        "1234567890123456789",
        "12345678901234567890",
        "9007199254740993",
        "9007199254740992",
        "9007199254740991",
        "9007199254740995",
        "9007199254740993.00000000001",
        "1.7976931348623157e308",
        "1.7976931348623158e308",
        "1.7976931348623159e308",
        "1e309",
        "1e99999999999",
        "-1e99999999999",
        "1e-99999999999",
        "4.9e-324",
        "2.4703282292062327e-324",
        "2.4703282292062328e-324",
        "2.47032822920623272e-324",
        "5e-324",
        "1e-323",
        "1e-400",
        "2.2250738585072011e-308",
        "2.2250738585072014e-308",
        "2.2250738585072009e-308",
        "0.00000000000000000000000000000000000000000000000000000000000000000000000000000001",
        "100000000000000000000000000000000000000000000000000000000000000000000000000000000000",
        "179769313486231580793728971405303415079934132710037826936173778980444968292764750946649017"
        "977587207096330286416692887910946555547851940402630657488671505820681908902000708383676273"
        "854845817711531764475730270069855571366959622842914819860834936475292719074168444365510704"
        "342711559699508093042880177904174497791.9999999999999999999999999999",
        "179769313486231580793728971405303415079934132710037826936173778980444968292764750946649017"
        "977587207096330286416692887910946555547851940402630657488671505820681908902000708383676273"
        "854845817711531764475730270069855571366959622842914819860834936475292719074168444365510704"
        "342711559699508093042880177904174497792",
        "8.98846567431158e307",
        "6.631236846766476e-316",
        "3.2378839133029012895883524125015e-321",
        "0.500000000000000166533453693773481063544750213623046875",
        "3.518437208883201171875e13",
        "62.5364939768271845828",
        "8.10109172351e-10",
        "1.50000000000000011102230246251565",
        "2.5e-324",
        "72057594037927945",
        "36028797018963969",
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check_read(cases[i]);
}

MR_TEST(random_decimals_against_strtod)
{
    uint64_t state = 1;
    char text[128];
    for (int i = 0; i < 1000000; i++) {
        const uint64_t r = next(&state);
        const int n_digit = 1 + (int)(r % 40), exponent = (int)(r >> 8 & 1023) - 512;
        int n = 0;
        const int point = (int)(r >> 32 & 63);
        for (int d = 0; d < n_digit; d++) {
            if (d == point)
                text[n++] = '.';
            text[n++] = (char)('0' + next(&state) % 10);
        }
        if ((r >> 40 & 3) != 0)
            snprintf(text + n, sizeof text - (size_t)n, "e%d",
                     (r >> 40 & 3) == 1 ? exponent : exponent % 30);
        else
            text[n] = '\0';
        check_read(text);
    }
}

MR_TEST(exponents_that_undo_many_zeros)
{
    enum {
        n_zero = 1100000
    };
    char *text = malloc(n_zero + 32);
    double value = 0;
    memset(text, '0', n_zero + 1);
    text[0] = '1';
    size_t n = n_zero + 1 + (size_t)sprintf(text + n_zero + 1, "e-%d", n_zero);
    assert_int_equal(mr_num_scan_f64(text, n, &value), n);
    assert_true(value == 1);
    memset(text, '0', n_zero + 2);
    text[1] = '.';
    n = n_zero + 2 + (size_t)sprintf(text + n_zero + 2, "125e%d", n_zero);
    assert_int_equal(mr_num_scan_f64(text, n, &value), n);
    assert_true(value == 0.125);
    free(text);
}

/* Exact decimal expansions of midpoints between doubles, and of their near neighbors. */
MR_TEST(midpoints_against_strtod)
{
    uint64_t state = 2;
    static char text[1200];
    for (int i = 0; i < 4000; i++) {
        const uint64_t bits = next(&state) >> 1;
        const double x = of_bits(bits), up = of_bits(bits + 1);
        if (!isfinite(x) || !isfinite(up))
            continue;
        /* a midpoint has one more bit than a double: long double of x87 holds it exactly */
        const long double middle = ((long double)x + (long double)up) / 2;
        const int n = snprintf(text, sizeof text - 8, "%.1100Lg", middle);
        check_read(text);
        if (strchr(text, 'e') == NULL && strchr(text, '.') != NULL) {
            strcpy(text + n, "1");
            check_read(text);
        }
        text[n / 2] =
            text[n / 2] == '9' || text[n / 2] == '.' || text[n / 2] == 'e' || text[n / 2] == '-'
                ? text[n / 2]
                : (char)(text[n / 2] + 1);
        check_read(text);
    }
}

MR_TEST(random_bits_round_trip)
{
    uint64_t state = 3;
    for (int i = 0; i < 1000000; i++) {
        const double x = of_bits(next(&state));
        if (isfinite(x))
            check_round_trip(x);
    }
    for (uint64_t bits = 0; bits < 3000; bits++) { /* the smallest, and around powers of two */
        check_round_trip(of_bits(bits));
        if (bits < 2047)
            for (uint64_t d = 0; d < 3; d++)
                check_round_trip(of_bits((bits << 52) + d - (bits > 0)));
    }
}

/* Significant digits of a written number. */
static int n_significant(const char *text)
{
    int n = 0, trailing = 0;
    bool started = false;
    for (; *text != '\0' && *text != 'e'; text++) {
        if (*text < '0' || *text > '9')
            continue;
        started |= *text != '0';
        n += started;
        trailing = *text == '0' ? trailing + 1 : 0;
    }
    return n > trailing ? n - trailing : 1;
}

MR_TEST(nothing_shorter_reads_back)
{
    uint64_t state = 4;
    for (int i = 0; i < 60000; i++) {
        const uint64_t r = next(&state);
        const double x = i % 2 == 0 ? of_bits(r) : (double)(int64_t)(r >> 20) / 1000;
        char text[MR_NUM_CAP], tried[64];
        if (!isfinite(x) || x == 0)
            continue;
        mr_num_format_f64(x, text);
        int digits = 1;
        for (; digits < 17; digits++) {
            snprintf(tried, sizeof tried, "%.*e", digits - 1, x);
            if (bits_of(strtod(tried, NULL)) == bits_of(x))
                break;
        }
        if (n_significant(text) > digits)
            fail_msg("%.17g is written \"%s\", %d digits would do", x, text, digits);
    }
}

MR_TEST(how_numbers_look)
{
    static const struct {
        double value;
        const char *text;
    } cases[] = {
        {0, "0"},
        {-0.0, "-0"},
        {0.1, "0.1"},
        {1e-7, "1e-7"},
        {12345.678, "12345.678"},
        {1e22, "1e22"},
        {1e16, "10000000000000000"},
        {1e17, "1e17"},
        {123456789012345680.0, "1.2345678901234568e17"},
        {1e-5, "0.00001"},
        {9.5e-6, "9.5e-6"},
        {-2.5, "-2.5"},
        {5e-324, "5e-324"},
        {1.7976931348623157e308, "1.7976931348623157e308"},
        {100, "100"},
        {2e-5, "0.00002"},
        {1.5e300, "1.5e300"},
        {9007199254740993.0, "9007199254740992"},
        {2.2250738585072014e-308, "2.2250738585072014e-308"},
    };
    char text[MR_NUM_CAP];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        mr_num_format_f64(cases[i].value, text);
        assert_string_equal(text, cases[i].text);
    }
    mr_num_format_f64((double)INFINITY, text);
    assert_string_equal(text, "inf");
    mr_num_format_f64(-(double)INFINITY, text);
    assert_string_equal(text, "-inf");
    mr_num_format_f64((double)NAN, text);
    assert_string_equal(text, "nan");
}

MR_TEST(how_people_read_them)
{
    static const struct {
        double value;
        int digits;
        const char *text;
    } cases[] = {
        {1234.5678, 4, "1235"},
        {0.00012345, 4, "0.0001234"},
        {9999999, 3, "1e7"},
        {123456, 3, "123000"},
        {118.4, 4, "118.4"},
        {63, 3, "63"},
        {-2.0004, 4, "-2"},
        {1.9e12, 4, "1.9e12"},
        {0.00001234, 2, "1.2e-5"},
        {0, 4, "0"},
        {-0.0, 4, "0"},
        {999.96, 4, "1000"},
        {5, 0, "5"},
    };
    char text[MR_NUM_CAP];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        mr_num_format_human(cases[i].value, cases[i].digits, text);
        assert_string_equal(text, cases[i].text);
    }
}

MR_TEST(prefixes_and_garbage)
{
    static const struct {
        const char *text;
        size_t used;
    } cases[] = {
        {"", 0},         {"-", 0},      {"+", 0},         {".", 0},
        {"-.", 0},       {"e5", 0},     {"inf", 0},       {"nan", 0},
        {" 1", 0},       {"0x10", 1},   {"1e", 1},        {"1e+", 1},
        {"1.8 TB/s", 3}, {"45degC", 2}, {"1.2.3", 3},     {"+5", 2},
        {"1e5e5", 3},    {"00012", 5},  {"12345678x", 8}, {"1234567890123456789012345x", 25},
        {"5.e3", 4},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double value;
        struct mr_num_decimal decimal;
        assert_int_equal(mr_num_scan_f64(cases[i].text, strlen(cases[i].text), &value),
                         cases[i].used);
        assert_int_equal(mr_num_scan_decimal(cases[i].text, strlen(cases[i].text), &decimal),
                         cases[i].used);
    }
    double value = 7;
    assert_int_equal(mr_num_parse_f64(MR_STR("1.5x"), &value), MR_PARSE);
    assert_int_equal(mr_num_parse_f64(MR_STR(""), &value), MR_PARSE);
    assert_int_equal(mr_num_parse_f64(MR_STR("1e999"), &value), MR_RANGE);
    assert_true(value == 7);
}

MR_TEST(integers_are_exact)
{
    uint64_t u;
    int64_t i;
    assert_int_equal(mr_num_parse_u64(MR_STR("18446744073709551615"), &u), MR_OK);
    assert_true(u == UINT64_MAX);
    assert_int_equal(mr_num_parse_u64(MR_STR("18446744073709551616"), &u), MR_RANGE);
    assert_int_equal(mr_num_parse_u64(MR_STR("99999999999999999999999"), &u), MR_RANGE);
    assert_int_equal(mr_num_parse_u64(MR_STR("-1"), &u), MR_PARSE);
    assert_int_equal(mr_num_parse_u64(MR_STR("1.0"), &u), MR_PARSE);
    assert_int_equal(mr_num_parse_u64(MR_STR(""), &u), MR_PARSE);
    assert_int_equal(mr_num_parse_i64(MR_STR("-9223372036854775808"), &i), MR_OK);
    assert_true(i == INT64_MIN);
    assert_int_equal(mr_num_parse_i64(MR_STR("-9223372036854775809"), &i), MR_RANGE);
    assert_int_equal(mr_num_parse_i64(MR_STR("9223372036854775808"), &i), MR_RANGE);
    assert_int_equal(mr_num_parse_i64(MR_STR("--1"), &i), MR_PARSE);
    char text[MR_NUM_CAP];
    mr_num_format_u64(UINT64_MAX, text);
    assert_string_equal(text, "18446744073709551615");
    mr_num_format_i64(INT64_MIN, text);
    assert_string_equal(text, "-9223372036854775808");
}

MR_TEST(decimals_scale_before_they_round)
{
    struct mr_num_decimal d;
    assert_int_equal(mr_num_scan_decimal("-1.80", 5, &d), 5);
    assert_true(d.negative && d.is_exact);
    assert_true(mr_num_from_decimal(d.digits, d.exp10 + 12) == 1.8e12);
    assert_true(mr_num_from_decimal(18446744073709551615u, -3) == 18446744073709551.615);
    assert_true(mr_num_from_decimal(18446744073709551615u, 0) == 18446744073709551615.0);
    assert_true(mr_num_from_decimal(0, 5) == 0);
    assert_int_equal(mr_num_scan_decimal("12345678901234567890123", 23, &d), 23);
    assert_false(d.is_exact);
    uint64_t state = 5;
    for (int i = 0; i < 200000; i++) {
        char text[64];
        const uint64_t w = next(&state) >> (next(&state) % 64);
        const int q = (int)(next(&state) % 700) - 350;
        snprintf(text, sizeof text, "%llue%d", (unsigned long long)w, q);
        if (bits_of(mr_num_from_decimal(w, q)) != bits_of(strtod(text, NULL)))
            fail_msg("%s", text);
    }
}

MR_TEST_MAIN(MR_TEST_ENTRY(hard_cases_against_strtod),
             MR_TEST_ENTRY(random_decimals_against_strtod),
             MR_TEST_ENTRY(exponents_that_undo_many_zeros), MR_TEST_ENTRY(midpoints_against_strtod),
             MR_TEST_ENTRY(random_bits_round_trip), MR_TEST_ENTRY(nothing_shorter_reads_back),
             MR_TEST_ENTRY(how_numbers_look), MR_TEST_ENTRY(how_people_read_them),
             MR_TEST_ENTRY(prefixes_and_garbage), MR_TEST_ENTRY(integers_are_exact),
             MR_TEST_ENTRY(decimals_scale_before_they_round))
