/* SPDX-License-Identifier: Apache-2.0 */
/* Wall time, for progress, benchmarks and provenance only: nothing here may reach a result. */
#ifndef MR_ENGINE_BASE_WALL_H
#define MR_ENGINE_BASE_WALL_H

#include <stdint.h>

/** Monotonic time [ns] since an arbitrary moment. */
uint64_t mr_wall_ns(void);

enum {
    MR_WALL_UTC_CAP = 24
};

/** Now as "2026-01-31T12:00:00Z". */
void mr_wall_utc(char out[MR_WALL_UTC_CAP]);

/** Largest resident set of this process so far [bytes]. */
uint64_t mr_wall_peak_rss_bytes(void);

/** Resident set of this process now, and memory that the machine has free [bytes]; 0: not known. */
uint64_t mr_wall_rss_bytes(void);
uint64_t mr_wall_free_bytes(void);

#endif
