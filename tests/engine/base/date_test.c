/* SPDX-License-Identifier: Apache-2.0 */
/* engine/base/date: known dates both ways, every day of 800 years in sequence, zones, and texts
 * that are no dates. */
#include "engine/base/date.h"

#include "tests/test.h"

MR_TEST(known_dates_both_ways)
{
    static const struct {
        const char *text;
        double unix_s, zone_s;
        int64_t year;
        int month, day, weekday; /* in UTC */
    } cases[] = {{"1970-01-01", 0, 0, 1970, 1, 1, 4},
                 {"2024-01-01", 1704067200, 0, 2024, 1, 1, 1},
                 {"2024-02-29T12:30Z", 1709209800, 0, 2024, 2, 29, 4},
                 {"2023-12-31 18:00:00-06:00", 1704067200, -21600, 2024, 1, 1, 1},
                 {"2024-01-01 05:29:59+05:30", 1704067199, 19800, 2023, 12, 31, 0},
                 {"2024-01-01 05:29:59.25+05:30", 1704067199.25, 19800, 2023, 12, 31, 0},
                 {"2024-01-01T00:00:00.1510000000000000000Z", 1704067200.151, 0, 2024, 1, 1, 1},
                 {"1969-12-31 23:59:59", -1, 0, 1969, 12, 31, 3}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double unix_s, zone_s;
        assert_true(mr_date_parse(mr_str_of(cases[i].text), &unix_s, &zone_s));
        assert_true(unix_s == cases[i].unix_s && zone_s == cases[i].zone_s);
        const struct mr_date date = mr_date_of_day((int64_t)floor(unix_s / 86400));
        assert_int_equal(date.year, cases[i].year);
        assert_int_equal(date.month, cases[i].month);
        assert_int_equal(date.day, cases[i].day);
        assert_int_equal(date.weekday, cases[i].weekday);
    }
}

/* Counted up by the rules that everybody knows. */
MR_TEST(days_follow_one_another)
{
    static const int length[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    double first_s;
    assert_true(mr_date_parse(mr_str_of("1600-01-01"), &first_s, NULL));
    const int64_t first = (int64_t)(first_s / 86400);
    struct mr_date own = {1600, 1, 1, 6};
    for (int64_t i = 0; own.year < 2400; i++) {
        const struct mr_date date = mr_date_of_day(first + i);
        assert_true(date.year == own.year && date.month == own.month && date.day == own.day &&
                    date.weekday == own.weekday);
        const bool is_leap = own.year % 4 == 0 && (own.year % 100 != 0 || own.year % 400 == 0);
        own.weekday = (own.weekday + 1) % 7;
        if (++own.day <= length[own.month - 1] + (own.month == 2 && is_leap))
            continue;
        own.day = 1;
        own.year += own.month == 12;
        own.month = own.month % 12 + 1;
    }
}

MR_TEST(zones)
{
    double zone_s;
    assert_true(mr_date_parse_zone(mr_str_of("-08:00"), &zone_s) && zone_s == -28800);
    assert_true(mr_date_parse_zone(mr_str_of("Z"), &zone_s) && zone_s == 0);
    assert_true(mr_date_parse_zone(mr_str_of(""), &zone_s) && zone_s == 0);
    static const char *const bad[] = {"8", "+8:00", "+24:00", "+08:60", "Zx", "+08:00x", "PST"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(mr_date_parse_zone(mr_str_of(bad[i]), &zone_s));
}

MR_TEST_MAIN(MR_TEST_ENTRY(known_dates_both_ways), MR_TEST_ENTRY(days_follow_one_another),
             MR_TEST_ENTRY(zones))
