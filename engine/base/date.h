/* SPDX-License-Identifier: Apache-2.0 */
/* Dates of the Gregorian calendar as seconds since 1970-01-01, and back. Zones are offsets from
 * UTC; no zone changes its offset in summer. */
#ifndef MR_ENGINE_BASE_DATE_H
#define MR_ENGINE_BASE_DATE_H

#include "engine/base/status.h"
#include "engine/base/text.h"

#include <stdint.h>

struct mr_date {
    int64_t year;
    int month, day, weekday; /* from 1, from 1, from 0 for Sunday */
};

/** "2024-01-01 06:30:00+00:00", "2024-01-01T06:30Z", "2024-01-01", "2024-01-01T06:30:00.25Z".
 *  @param[out] unix_s since 1970-01-01 UTC; without a zone the text's is UTC
 *  @param[out] zone_s of the text, east of Greenwich above 0; NULL: not wanted
 *  @return false when it is no date */
MR_CHECKED bool mr_date_parse(struct mr_str text, double *unix_s, double *zone_s);

/** "Z", "+05:30", "-08:00" or nothing. @return false when it is no zone */
MR_CHECKED bool mr_date_parse_zone(struct mr_str text, double *zone_s);

/** @param[in] day since 1970-01-01 */
struct mr_date mr_date_of_day(int64_t day);

#endif
