/* SPDX-License-Identifier: Apache-2.0 */
/* engine/work/cron: schedules by hand, weekdays and days of months and years, a brute-force count,
 * and what is wrong with others. */
#include "engine/work/cron.h"

#include "engine/base/date.h"
#include "tests/test.h"

static const double day_s = 86400;
static const double monday_s = 1704067200; /* 2024-01-01 */

static double next_of(const char *text, double after_s)
{
    struct mr_cron cron;
    assert_int_equal(mr_cron_parse(text, &cron, NULL), MR_OK);
    return mr_cron_next_s(&cron, monday_s + after_s) - monday_s;
}

MR_TEST(schedules_by_hand)
{
    assert_true(next_of("0 9 * * 1-5", 0) == 9 * 3600);
    assert_true(next_of("0 9 * * 1-5", 9 * 3600) == day_s + 9 * 3600);
    assert_true(next_of("0 9 * * 1-5", 4 * day_s + 10 * 3600) == 7 * day_s + 9 * 3600);
    assert_true(next_of("30 0 * * 0", 0) == 6 * day_s + 1800);
    assert_true(next_of("30 0 * * 7", 0) == 6 * day_s + 1800);
    assert_true(next_of("*/15 * * * *", 901) == 1800);
    assert_true(next_of("5,50 1-3/2 * * *", 3600 + 3000) == 3 * 3600 + 300);
    assert_true(next_of("* * * * *", -1) == 0);
}

static double date_of(const char *text)
{
    double unix_s;
    assert_true(mr_date_parse(mr_str_of(text), &unix_s, NULL));
    return unix_s - monday_s;
}

MR_TEST(days_and_months)
{
    assert_true(next_of("0 6 1 * *", 0) == 6 * 3600);
    assert_true(next_of("0 6 1 * *", day_s) == date_of("2024-02-01T06:00"));
    assert_true(next_of("0 0 31 * *", date_of("2024-02-01")) == date_of("2024-03-31"));
    assert_true(next_of("0 0 29 2 *", date_of("2024-03-01")) == date_of("2028-02-29"));
    assert_true(next_of("0 0 29 2 *", date_of("2096-03-01")) == date_of("2104-02-29"));
    assert_true(next_of("59 23 31 12 *", 0) == date_of("2024-12-31T23:59"));
    assert_true(isinf(next_of("0 0 30 2 *", 0)));
    /* both a day and a weekday: either; with a star in one of them: both */
    assert_true(next_of("0 0 13 * 5", 0) == date_of("2024-01-05"));
    assert_true(next_of("0 0 13 * 5", date_of("2024-01-12")) == date_of("2024-01-13"));
    assert_true(next_of("0 0 */2 * 1", 0) == date_of("2024-01-15"));
}

/* Minute after minute of a year. */
MR_TEST(no_date_is_left_out)
{
    struct mr_cron cron;
    assert_int_equal(mr_cron_parse("7-58/17 3,22 2-30/9 */3 *", &cron, NULL), MR_OK);
    double next_s = mr_cron_next_s(&cron, monday_s - 1);
    int n = 0;
    for (int64_t i = 0; i < 366 * 1440; i++) {
        const struct mr_date date = mr_date_of_day((int64_t)(monday_s / day_s) + i / 1440);
        const int minute = (int)(i % 60), hour = (int)(i / 60 % 24);
        if (minute < 7 || minute > 58 || (minute - 7) % 17 != 0 || (hour != 3 && hour != 22) ||
            date.day < 2 || date.day > 30 || (date.day - 2) % 9 != 0 || (date.month - 1) % 3 != 0)
            continue;
        assert_true(next_s == monday_s + 60 * (double)i);
        next_s = mr_cron_next_s(&cron, next_s);
        n++;
    }
    assert_int_equal(n, 4 * 4 * 2 * 4);
}

MR_TEST(wrong_schedules_are_named)
{
    static const struct {
        const char *text, *part;
    } cases[] = {{"", "minute"},
                 {"60 * * * *", "minute"},
                 {"0 24 * * *", "hour"},
                 {"0 0 32 * *", "day"},
                 {"0 0 0 * *", "day"},
                 {"0 0 * 13 *", "month"},
                 {"0 0 * * 8", "weekday"},
                 {"0 0 * *", "weekday"},
                 {"0 0 * * * *", "five"},
                 {"5-1 * * * *", "minute"},
                 {"*/0 * * * *", "minute"},
                 {"1- * * * *", "minute"},
                 {"0 x * * *", "hour"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct mr_cron cron;
        struct mr_err err = {0};
        assert_int_equal(mr_cron_parse(cases[i].text, &cron, &err), MR_PARSE);
        mr_assert_contains(err.text, cases[i].part);
    }
}

MR_TEST_MAIN(MR_TEST_ENTRY(schedules_by_hand), MR_TEST_ENTRY(days_and_months),
             MR_TEST_ENTRY(no_date_is_left_out), MR_TEST_ENTRY(wrong_schedules_are_named))
