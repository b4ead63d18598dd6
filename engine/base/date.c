/* SPDX-License-Identifier: Apache-2.0 */
/* Years begin in March, so that a leap day is the last of its year; 400 years have 146,097 days,
 * and 719,468 of them lie between the March of year 0 and 1970. */
#include "engine/base/date.h"

static const double day_s = 86400;

static int64_t days_of(int64_t year, int64_t month, int64_t day)
{
    year -= month <= 2;
    const int64_t era = (year >= 0 ? year : year - 399) / 400, of_era = year - era * 400;
    const int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

/* Of the day of an era: the leap days before it are taken out, then each year has 365. */
struct mr_date mr_date_of_day(int64_t day)
{
    const int64_t from = day + 719468;
    const int64_t era = (from >= 0 ? from : from - 146096) / 146097, of_era = from - era * 146097;
    const int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    const int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    const int64_t march = (5 * of_year + 2) / 153; /* months since it */
    const int month = (int)(march < 10 ? march + 3 : march - 9);
    const int weekday = (int)(((day + 4) % 7 + 7) % 7); /* day 0 was a Thursday */
    return (struct mr_date){year + era * 400 + (month <= 2), month,
                            (int)(of_year - (153 * march + 2) / 5 + 1), weekday};
}

static bool take_digits(struct mr_str *s, size_t n, int64_t low, int64_t high, int64_t *value)
{
    if (s->n < n)
        return false;
    *value = 0;
    for (size_t i = 0; i < n; i++) {
        if (!mr_char_is_digit(s->p[i]))
            return false;
        *value = *value * 10 + (s->p[i] - '0');
    }
    s->p += n;
    s->n -= n;
    return *value >= low && *value <= high;
}

static bool take(struct mr_str *s, char c)
{
    if (s->n == 0 || s->p[0] != c)
        return false;
    s->p++;
    s->n--;
    return true;
}

/* Digits behind a point; those beyond a double's are passed over. */
static bool take_part(struct mr_str *s, double *part)
{
    double value = 0, scale = 1;
    if (s->n == 0 || !mr_char_is_digit(s->p[0]))
        return false;
    for (; s->n > 0 && mr_char_is_digit(s->p[0]); s->p++, s->n--)
        if (scale < 1e15) {
            value = value * 10 + (s->p[0] - '0');
            scale *= 10;
        }
    *part = value / scale;
    return true;
}

bool mr_date_parse_zone(struct mr_str text, double *zone_s)
{
    struct mr_str s = text;
    int64_t hour, minute;
    *zone_s = 0;
    if (s.n == 0)
        return true;
    if (take(&s, 'Z'))
        return s.n == 0;
    const bool is_west = s.p[0] == '-';
    if (!take(&s, '+') && !take(&s, '-'))
        return false;
    if (!take_digits(&s, 2, 0, 23, &hour) || !take(&s, ':') || !take_digits(&s, 2, 0, 59, &minute))
        return false;
    *zone_s = (double)((is_west ? -1 : 1) * (hour * 3600 + minute * 60));
    return s.n == 0;
}

bool mr_date_parse(struct mr_str text, double *unix_s, double *zone_s)
{
    static const int length[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    struct mr_str s = mr_str_trim(text);
    int64_t year, month, day, hour = 0, minute = 0, second = 0;
    double own_zone_s, part_s = 0;
    if (!take_digits(&s, 4, 0, 9999, &year) || !take(&s, '-') ||
        !take_digits(&s, 2, 1, 12, &month) || !take(&s, '-') || !take_digits(&s, 2, 1, 31, &day))
        return false;
    const bool is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    if (day > length[month - 1] + (month == 2 && is_leap))
        return false;
    if (s.n > 0 && (take(&s, ' ') || take(&s, 'T'))) {
        if (!take_digits(&s, 2, 0, 23, &hour) || !take(&s, ':') ||
            !take_digits(&s, 2, 0, 59, &minute))
            return false;
        if (take(&s, ':') &&
            (!take_digits(&s, 2, 0, 59, &second) || (take(&s, '.') && !take_part(&s, &part_s))))
            return false;
    }
    if (!mr_date_parse_zone(s, &own_zone_s))
        return false;
    *unix_s = (double)days_of(year, month, day) * day_s +
              ((double)(hour * 3600 + minute * 60 + second) - own_zone_s + part_s);
    if (zone_s != NULL)
        *zone_s = own_zone_s;
    return true;
}
