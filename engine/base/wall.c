/* SPDX-License-Identifier: Apache-2.0 */
/* The one file that asks the machine for time and memory. */
#include "engine/base/wall.h"

#include "engine/base/assert.h"

#include <stdio.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

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

uint64_t mr_wall_rss_bytes(void)
{
    unsigned long long n_all = 0, n_page = 0;
    FILE *const f = fopen("/proc/self/statm", "re");
    if (f == NULL)
        return 0;
    const int n = fscanf(f, "%llu %llu", &n_all, &n_page);
    (void)fclose(f);
    return n == 2 ? (uint64_t)n_page * (uint64_t)sysconf(_SC_PAGESIZE) : 0;
}

uint64_t mr_wall_free_bytes(void)
{
    const long n = sysconf(_SC_AVPHYS_PAGES);
    return n > 0 ? (uint64_t)n * (uint64_t)sysconf(_SC_PAGESIZE) : 0;
}
