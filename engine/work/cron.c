/* SPDX-License-Identifier: Apache-2.0 */
/* Sets of bits; the next date is looked for day by day, then in the day. */
#include "engine/work/cron.h"

#include "engine/base/date.h"

#include <math.h>

/* A whole number below 1,000. */
static bool parse_number(const char **at, uint64_t *out)
{
    const char *p = *at;
    for (*out = 0; *p >= '0' && *p <= '9' && *out < 100; p++)
        *out = 10 * *out + (uint64_t)(*p - '0');
    const bool is_number = p > *at && !(*p >= '0' && *p <= '9');
    *at = p;
    return is_number;
}

/* One of a list: "*", "N" or "N-M", each with "/S". */
static bool parse_range(const char **at, uint64_t low, uint64_t high, uint64_t *bits)
{
    uint64_t from = low, to = high, step = 1;
    if (**at == '*') {
        ++*at;
    } else {
        if (!parse_number(at, &from))
            return false;
        to = from;
        if (**at == '-' && (++*at, !parse_number(at, &to)))
            return false;
    }
    if (**at == '/' && (++*at, !parse_number(at, &step)))
        return false;
    if (from < low || to > high || from > to || step == 0)
        return false;
    for (uint64_t i = from; i <= to; i += step)
        *bits |= UINT64_C(1) << i;
    return true;
}

static bool parse_field(const char **at, uint64_t low, uint64_t high, uint64_t *bits)
{
    *bits = 0;
    do {
        if (!parse_range(at, low, high, bits))
            return false;
    } while (**at == ',' && *(*at)++ == ',');
    return **at == ' ' || **at == '\0';
}

enum {
    field_minute,
    field_hour,
    field_day,
    field_month,
    field_weekday,
    n_field
};

static const struct {
    const char *name;
    uint64_t low, high;
} fields[n_field] = {
    {"minute", 0, 59}, {"hour", 0, 23}, {"day", 1, 31}, {"month", 1, 12}, {"weekday", 0, 7}};

mr_status mr_cron_parse(const char *text, struct mr_cron *cron, struct mr_err *err)
{
    uint64_t bits[n_field];
    bool is_star[n_field];
    const char *p = text;
    for (size_t i = 0; i < n_field; i++) {
        while (*p == ' ')
            p++;
        is_star[i] = *p == '*';
        if (!parse_field(&p, fields[i].low, fields[i].high, &bits[i]))
            return mr_err_set(err, MR_PARSE, MR_NOWHERE,
                              "schedule \"%.64s\": %s: expected *, N, N-M or lists of them, from "
                              "%u to %u",
                              text, fields[i].name, (unsigned)fields[i].low,
                              (unsigned)fields[i].high);
    }
    while (*p == ' ')
        p++;
    if (*p != '\0')
        return mr_err_set(err, MR_PARSE, MR_NOWHERE, "schedule \"%.64s\": more than five fields",
                          text);
    *cron = (struct mr_cron){
        .minute = bits[field_minute],
        .hour = (uint32_t)bits[field_hour],
        .day = (uint32_t)bits[field_day],
        .month = (uint16_t)bits[field_month],
        .weekday = (uint8_t)((bits[field_weekday] & 127) | (bits[field_weekday] >> 7 & 1)),
        .is_any_day = !is_star[field_day] && !is_star[field_weekday]};
    return MR_OK;
}

static bool is_on_day(const struct mr_cron *cron, int64_t day)
{
    const struct mr_date date = mr_date_of_day(day);
    const bool has_day = (cron->day >> date.day & 1) != 0;
    const bool has_weekday = (cron->weekday >> date.weekday & 1) != 0;
    return (cron->month >> date.month & 1) != 0 &&
           (cron->is_any_day ? has_day || has_weekday : has_day && has_weekday);
}

double mr_cron_next_s(const struct mr_cron *cron, double after_s)
{
    static const int64_t year_days = 366, minutes_day = 1440;
    const int64_t first = (int64_t)floor(after_s / 60) + 1;
    const int64_t today = (int64_t)floor((double)first / (double)minutes_day);
    for (int64_t day = today; day <= today + 8 * year_days; day++) { /* leap days skip a century */
        if (!is_on_day(cron, day))
            continue;
        for (int64_t at = day == today ? first - day * minutes_day : 0; at < minutes_day; at++)
            if ((cron->minute >> (at % 60) & 1) != 0 && (cron->hour >> (at / 60) & 1) != 0)
                return 60 * (double)(day * minutes_day + at);
    }
    return (double)INFINITY;
}
