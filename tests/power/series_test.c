/* SPDX-License-Identifier: Apache-2.0 */
/* power/series: prices and carbon of a real grid, integrals against sums, turns, dates, and files
 * that are refused. */
#include "power/series.h"

#include "engine/base/rng.h"
#include "tests/test.h"

static const double mwh_j = 3.6e9;

static struct mr_series read_data(struct mr_arena *arena, const char *name, const char *time,
                                  const char *value, double scale)
{
    struct mr_series series = {0};
    struct mr_err err = {0};
    const char *const path = mr_test_data(name);
    if (path == NULL)
        mr_test_skip("no %s", name);
    const struct mr_series_columns columns = {.time = time, .value = value, .scale = scale};
    if (mr_series_read(arena, path, &columns, &series, &err) != MR_OK)
        fail_msg("%s:%d: %s", err.file, err.line, err.text);
    return series;
}

MR_TEST(prices_of_a_year)
{
    struct mr_arena arena = {0};
    struct mr_series s =
        read_data(&arena, "grid/ercot_price_2024.csv", "Datetime (UTC)", "Price (USD/MWh)", 1);
    struct mr_series_summary summary;
    assert_int_equal(s.n, 8784);
    assert_int_equal(mr_series_summarize(&s, &summary, NULL), MR_OK);
    mr_assert_near(summary.mean, 28.082062, 1e-8, 0);
    mr_assert_near(summary.median, 19.945, 1e-12, 0);
    assert_true(summary.max == 2064.495);
    assert_int_equal(summary.n_negative, 15);
    assert_true(s.origin_s == 1704067200); /* 2024-01-01 */
    /* 100 MW for 1.5 h at 16.62 $/MWh */
    mr_assert_near(mr_series_weighted(&s, 0, 5400, 100e6, 100e6) / mwh_j, 2493.00, 1e-12, 0);
    /* the integral of the year is the mean times the year */
    mr_assert_near(mr_series_integral(&s, 0, 8784 * 3600.), summary.mean * 8784 * 3600, 1e-12, 0);
    mr_series_align(&s, 1704067200 + 86400); /* the run starts a day later */
    assert_true(mr_series_next_s(&s, 0) == 3600);
    mr_assert_near(mr_series_integral(&s, 0, 3600), s.value[24] * 3600, 1e-12, 0);
    mr_arena_fini(&arena);
}

MR_TEST(carbon_of_a_year)
{
    struct mr_arena arena = {0};
    struct mr_series s =
        read_data(&arena, "grid/erco_carbon_2022.csv", "timestamp", "avg_CI", 1e-3 / 3.6e6);
    struct mr_series_summary summary;
    assert_int_equal(s.n, 8760);
    assert_int_equal(mr_series_summarize(&s, &summary, NULL), MR_OK);
    const double g_kwh = 1e-3 / 3.6e6;
    mr_assert_near(summary.mean / g_kwh, 347.202, 2e-6, 0);
    mr_assert_near(summary.min / g_kwh, 110.747, 5e-6, 0);
    mr_assert_near(summary.max / g_kwh, 516.686, 2e-6, 0);
    mr_arena_fini(&arena);
}

static struct mr_series made(struct mr_arena *arena, const double *start_s, const double *value,
                             uint32_t n, double end_s)
{
    struct mr_series s = {0};
    assert_int_equal(mr_series_of(arena, start_s, value, n, end_s, &s, NULL), MR_OK);
    return s;
}

MR_TEST(steps_turns_and_shifts)
{
    struct mr_arena arena = {0};
    struct mr_series s = made(&arena, (double[]){0, 10, 30}, (double[]){1, -2, 5}, 3, 40);
    assert_true(mr_series_at(&s, 0) == 1 && mr_series_at(&s, 9.99) == 1);
    assert_true(mr_series_at(&s, 10) == -2 && mr_series_at(&s, 40) == 5);
    assert_true(mr_series_next_s(&s, 0) == 10 && mr_series_next_s(&s, 10) == 30);
    assert_true(mr_series_next_s(&s, 35) == (double)INFINITY);
    assert_true(mr_series_integral(&s, 5, 35) == 5 - 40 + 25);
    /* power rises from 0 to 40 W over the whole: 5 x 10 - 2 x 20 x 20 + 5 x 35 x 10 */
    mr_assert_near(mr_series_weighted(&s, 0, 40, 0, 40), 50 - 800 + 1750, 1e-14, 0);
    assert_int_equal(mr_series_check_span(&s, 0, 40, "price", NULL), MR_OK);
    struct mr_err err = {0};
    assert_int_equal(mr_series_check_span(&s, 0, 41, "price", &err), MR_RANGE);
    mr_assert_contains(err.text, "price: reaches from 0 s to 40 s of the run, which goes from 0 s "
                                 "to 41 s");
    s.wraps = true;
    assert_int_equal(mr_series_check_span(&s, 0, 41, "price", NULL), MR_OK);
    assert_true(mr_series_at(&s, 45) == 1 && mr_series_at(&s, -1) == 5);
    assert_true(mr_series_next_s(&s, 35) == 40 && mr_series_next_s(&s, 40) == 50);
    assert_true(mr_series_integral(&s, 0, 400) == 200);
    s.shift_s = 10;
    assert_true(mr_series_at(&s, 0) == -2 && mr_series_next_s(&s, 0) == 20);
    mr_arena_fini(&arena);
}

MR_TEST(random_integrals_against_sums)
{
    for (uint64_t seed = 0; seed < 200; seed++) {
        struct mr_rng rng = mr_rng_stream(seed, MR_RNG_TEST, 1);
        struct mr_arena arena = {0};
        double start_s[50], value[50], t_s = 0;
        const uint32_t n = 1 + (uint32_t)mr_rng_below(&rng, 50);
        for (uint32_t i = 0; i < n; i++) {
            start_s[i] = t_s;
            t_s += mr_rng_range(&rng, 0.1, 10);
            value[i] = mr_rng_range(&rng, -5, 20);
        }
        struct mr_series s = made(&arena, start_s, value, n, t_s);
        s.wraps = true;
        s.shift_s = mr_rng_range(&rng, -100, 100);
        const double a_s = mr_rng_range(&rng, 0, 200), b_s = a_s + mr_rng_range(&rng, 0.1, 200);
        const double p0 = mr_rng_range(&rng, 0, 10), p1 = mr_rng_range(&rng, 0, 10);
        double sum = 0, weighted = 0;
        for (double at_s = a_s; at_s < b_s;) {
            const double next_s = fmin(mr_series_next_s(&s, at_s), b_s);
            const double middle_s = 0.5 * (at_s + next_s);
            assert_true(next_s > at_s);
            sum += mr_series_at(&s, middle_s) * (next_s - at_s);
            weighted += mr_series_at(&s, middle_s) * (next_s - at_s) *
                        (p0 + (p1 - p0) * (middle_s - a_s) / (b_s - a_s));
            at_s = next_s;
        }
        mr_assert_near(mr_series_integral(&s, a_s, b_s), sum, 1e-9, 1e-9);
        mr_assert_near(mr_series_weighted(&s, a_s, b_s, p0, p1), weighted, 1e-9, 1e-9);
        mr_arena_fini(&arena);
    }
}

MR_TEST(the_dearest_hours)
{
    struct mr_arena arena = {0};
    const double start_s[] = {0, 1, 2, 3, 4, 5, 6, 7}, value[] = {3, 9, 1, 9, -4, 7, 3, 0};
    struct mr_series s = made(&arena, start_s, value, 8, 8), high;
    const double expected[] = {1, 1, 0, 1, 0, 1, 0, 0}; /* 4 of 8; of the two 3s the earlier */
    assert_int_equal(mr_series_highest(&arena, &s, 0.5, &high, NULL), MR_OK);
    for (int i = 0; i < 8; i++)
        assert_true(high.value[i] == expected[i]);
    assert_true(mr_series_integral(&high, 0, 8) == 4);
    assert_int_equal(mr_series_highest(&arena, &s, 0, &high, NULL), MR_OK);
    assert_true(mr_series_integral(&high, 0, 8) == 0);
    struct mr_err err = {0};
    assert_int_equal(mr_series_highest(&arena, &s, 1.5, &high, &err), MR_RANGE);
    mr_assert_contains(err.text, "share 1.5 of a series");
    mr_arena_fini(&arena);
}

MR_TEST(dates)
{
    double t_s;
    const struct {
        const char *text;
        double unix_s;
    } good[] = {
        {"1970-01-01", 0},
        {"2024-01-01 00:00:00+00:00", 1704067200},
        {"2024-02-29T12:30Z", 1709209800},
        {"2023-12-31 18:00:00-06:00", 1704067200},
        {"1969-12-31 23:59:59", -1},
        {" 2000-03-01 ", 951868800},
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_true(mr_series_date(mr_str_of(good[i].text), &t_s));
        assert_true(t_s == good[i].unix_s);
    }
    const char *const bad[] = {"",
                               "2024",
                               "2024-13-01",
                               "2023-02-29",
                               "1900-02-29",
                               "2024-01-32",
                               "2024-01-01 24:00",
                               "2024-01-01 1:00",
                               "2024-01-01x",
                               "2024-01-01 00:00+1",
                               "2024-01-01 00:00Zx",
                               "2024-01-01 00:00:61"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(mr_series_date(mr_str_of(bad[i]), &t_s));
}

static void refused(const char *text, const char *part, int line)
{
    struct mr_arena arena = {0};
    struct mr_series s;
    struct mr_err err = {0};
    const struct mr_series_columns columns = {.time = "t", .value = "v", .scale = 1};
    assert_true(mr_series_read(&arena, mr_test_write("s.csv", text, strlen(text)), &columns, &s,
                               &err) != MR_OK);
    mr_assert_contains(err.text, part);
    assert_int_equal(err.line, line);
    mr_arena_fini(&arena);
}

MR_TEST(files_that_are_refused)
{
    refused("t,v\n2024-01-01 00:00,1\n2024-01-01 02:00,2\n", "a gap: 7200 s after the row before",
            3);
    refused("t,v\n2024-01-01 01:00,1\n2024-01-01 00:00,2\n", "times must rise", 3);
    refused("t,v\n0,1\n0,2\n", "0 s after the row before: times must rise", 3);
    refused("t,v\n0,1\n10,\n", "column \"v\"", 3);
    refused("t,v\n0,1\n10,nan\n", "column \"v\"", 3);
    refused("t,v\nyesterday,1\n", "column \"t\"", 2);
    refused("t,v\n2024-01-01,1\n7,2\n", "\"7\" is no date", 3);
    refused("t,w\n0,1\n", "v", 1);
    struct mr_arena arena = {0};
    struct mr_series s;
    struct mr_err err = {0};
    assert_int_equal(mr_series_of(&arena, (double[]){0, 5}, (double[]){1, 2}, 2, 5, &s, &err),
                     MR_RANGE);
    mr_assert_contains(err.text, "row 1 of a series");
    assert_int_equal(mr_series_of(&arena, NULL, NULL, 0, 5, &s, NULL), MR_RANGE);
    mr_arena_fini(&arena);
}

MR_TEST(plain_seconds)
{
    struct mr_arena arena = {0};
    struct mr_series s;
    const char text[] = "t,v\n100,1\n160,2\n220,3\n";
    const struct mr_series_columns columns = {.time = "t", .value = "v", .scale = 10};
    const char *const path = mr_test_write("p.csv", text, sizeof text - 1);
    assert_int_equal(mr_series_read(&arena, path, &columns, &s, NULL), MR_OK);
    assert_true(mr_series_at(&s, 100) == 10 && mr_series_at(&s, 170) == 20);
    assert_int_equal(mr_series_check_span(&s, 100, 280, "v", NULL), MR_OK);
    assert_int_equal(mr_series_check_span(&s, 0, 280, "v", NULL), MR_RANGE);
    mr_arena_fini(&arena);
}

static mr_status read_rank(void *context, struct mr_err *err)
{
    struct mr_arena arena = {0};
    struct mr_series s, high;
    struct mr_series_summary summary;
    const struct mr_series_columns columns = {.time = "t", .value = "v", .scale = 1};
    mr_status st = mr_series_read(&arena, context, &columns, &s, err);
    if (st == MR_OK)
        st = mr_series_summarize(&s, &summary, err);
    if (st == MR_OK)
        st = mr_series_highest(&arena, &s, 0.5, &high, err);
    mr_arena_fini(&arena);
    return st;
}

MR_TEST(memory_may_run_out)
{
    const char text[] = "t,v\n0,1\n60,2\n120,3\n";
    char path[512];
    snprintf(path, sizeof path, "%s", mr_test_write("m.csv", text, sizeof text - 1));
    mr_test_every_nomem(read_rank, path);
}

MR_TEST_MAIN(MR_TEST_ENTRY(prices_of_a_year), MR_TEST_ENTRY(carbon_of_a_year),
             MR_TEST_ENTRY(steps_turns_and_shifts), MR_TEST_ENTRY(random_integrals_against_sums),
             MR_TEST_ENTRY(the_dearest_hours), MR_TEST_ENTRY(dates),
             MR_TEST_ENTRY(files_that_are_refused), MR_TEST_ENTRY(plain_seconds),
             MR_TEST_ENTRY(memory_may_run_out))
