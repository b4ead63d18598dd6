/* SPDX-License-Identifier: Apache-2.0 */
/* Schedules: "minute hour day month weekday", each "*", N, N-M, with steps and in lists. As usual,
 * where both a day and a weekday are said either will do. Resolution: a minute. Times are local:
 * seconds since 1970-01-01, midnight, where the schedule is kept. */
#ifndef MR_ENGINE_WORK_CRON_H
#define MR_ENGINE_WORK_CRON_H

#include "engine/base/status.h"

#include <stdint.h>

/* A bit for every minute, hour, day of the month, month and day of the week. */
struct mr_cron {
    uint64_t minute;
    uint32_t hour, day;
    uint16_t month;
    uint8_t weekday; /* bit 0: Sunday */
    bool is_any_day; /* either of the two days will do */
};

/** @return MR_OK, MR_PARSE naming the field */
MR_CHECKED mr_status mr_cron_parse(const char *text, struct mr_cron *cron, struct mr_err *err);

/** The first date after a time; INFINITY: there is none. */
double mr_cron_next_s(const struct mr_cron *cron, double after_s);

#endif
