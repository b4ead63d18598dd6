/* SPDX-License-Identifier: Apache-2.0 */
/* The one file that asks the machine for time and memory. */
#include "engine/base/wall.h"

#include "engine/base/assert.h"

#include <stdio.h>
#include <sys/resource.h>
#include <time.h>

uint64_t mr_wall_ns(void)
{
    struct timespec t;
    const int failed = clock_gettime(CLOCK_MONOTONIC, &t);
    MR_ASSERT(!failed);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

void mr_wall_utc(char out[MR_WALL_UTC_CAP])
{
    const time_t now = time(NULL);
    struct tm utc;
    if (gmtime_r(&now, &utc) == NULL ||
        strftime(out, MR_WALL_UTC_CAP, "%Y-%m-%dT%H:%M:%SZ", &utc) == 0)
        snprintf(out, MR_WALL_UTC_CAP, "unknown");
}

uint64_t mr_wall_peak_rss_bytes(void)
{
    struct rusage usage;
    if (getrusage(RUSAGE_SELF, &usage) != 0)
        return 0;
    return (uint64_t)usage.ru_maxrss * 1024u; /* Linux counts in KiB */
}
