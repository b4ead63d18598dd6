/* SPDX-License-Identifier: Apache-2.0 */
/* Schedules, dates and zones: the first byte picks one. What a schedule accepts must come when its
 * bits say, and never again before it has come; a date that is accepted must be the same day when
 * it is written again; what is refused must say why. */
#include "engine/base/date.h"
#include "engine/work/cron.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "broken: %s\n", what);
        abort();
    }
}

static int is_due(const struct mr_cron *cron, double at_s)
{
    const int64_t minute = (int64_t)(at_s / 60), day = minute / 1440;
    const struct mr_date date = mr_date_of_day(day);
    const int has_day = (cron->day >> date.day & 1) != 0;
    const int has_weekday = (cron->weekday >> date.weekday & 1) != 0;
    return (cron->minute >> (minute % 60) & 1) != 0 &&
           (cron->hour >> (minute / 60 % 24) & 1) != 0 && (cron->month >> date.month & 1) != 0 &&
           (cron->is_any_day ? has_day || has_weekday : has_day && has_weekday);
}

static void schedule(const char *text)
{
    struct mr_cron cron;
    struct mr_err err = {0};
    double at_s = 1704067199.5; /* before the first of 2024 */
    const mr_status st = mr_cron_parse(text, &cron, &err);
    require(st == err.status, "the status is the error's");
    require(st == MR_OK || strncmp(err.text, "schedule ", 9) == 0, "a refusal says why");
    for (int i = 0; st == MR_OK && i < 3 && isfinite(at_s); i++) {
        const double next_s = mr_cron_next_s(&cron, at_s);
        require(next_s > at_s, "time goes on");
        require(isinf(next_s) || is_due(&cron, next_s), "it comes when it is due");
        for (double t = 60 * floor(at_s / 60) + 60; t < fmin(next_s, at_s + 5000); t += 60)
            require(!is_due(&cron, t), "it does not come late");
        at_s = next_s;
    }
}

static void date(struct mr_str text)
{
    double unix_s = (double)NAN, zone_s = (double)NAN, again_s = (double)NAN;
    char written[64];
    if (!mr_date_parse(text, &unix_s, &zone_s))
        return;
    require(isfinite(unix_s) && fabs(zone_s) <= 86400, "an accepted date is one");
    const int64_t day = (int64_t)floor(unix_s / 86400);
    const struct mr_date d = mr_date_of_day(day);
    require(d.month >= 1 && d.month <= 12 && d.day >= 1 && d.day <= 31, "a day of a month");
    require(d.weekday == (int)(((day + 4) % 7 + 7) % 7), "and of a week");
    if (d.year < 1000 || d.year > 9999)
        return;
    snprintf(written, sizeof written, "%04lld-%02d-%02d", (long long)d.year, d.month, d.day);
    require(mr_date_parse(mr_str_of(written), &again_s, NULL), "what is written can be read");
    require(again_s <= unix_s && unix_s < again_s + 86400, "as the same day");
}

static void zone(struct mr_str text)
{
    double zone_s = (double)NAN;
    if (mr_date_parse_zone(text, &zone_s))
        require(fabs(zone_s) <= 86400, "an accepted zone is within a day");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    char *text = malloc(size);
    if (text == NULL)
        return 0;
    memcpy(text, data + 1, size - 1);
    text[size - 1] = '\0';
    if (data[0] == 'c')
        schedule(text);
    else if (data[0] == 'd')
        date((struct mr_str){text, size - 1});
    else
        zone((struct mr_str){text, size - 1});
    free(text);
    return 0;
}
