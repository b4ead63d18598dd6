/* SPDX-License-Identifier: Apache-2.0 */
/* What the processor counts while a benchmark runs, in user mode: numbers that neighbors on a
 * shared machine do not change. Where the kernel or the machine does not let programs count, it
 * says so. */
#ifndef MR_ENGINE_CLI_BENCH_BENCH_COUNTERS_H
#define MR_ENGINE_CLI_BENCH_BENCH_COUNTERS_H

#include <stdint.h>

/* name in JSON, text, what perf calls it */
#define MR_BENCH_COUNTER_LIST(X)                                   \
    X(INSTRUCTIONS, "instructions", PERF_COUNT_HW_INSTRUCTIONS)    \
    X(BRANCH_MISSES, "branch_misses", PERF_COUNT_HW_BRANCH_MISSES) \
    X(CACHE_MISSES, "cache_misses", PERF_COUNT_HW_CACHE_MISSES)

enum mr_bench_counter {
#define MR_BENCH_COUNTER_ENUM(name, text, event) MR_BENCH_##name,
    MR_BENCH_COUNTER_LIST(MR_BENCH_COUNTER_ENUM)
#undef MR_BENCH_COUNTER_ENUM
    MR_BENCH_COUNTERS
};

struct mr_bench_counters {
    int fd[MR_BENCH_COUNTERS]; /* -1: not counted */
    int error;                 /* errno of the first that is not; 0: all are */
};

const char *mr_bench_counter_name(int counter);

void mr_bench_counters_open(struct mr_bench_counters *counters);
void mr_bench_counters_close(struct mr_bench_counters *counters);

/** So far; a counter that is not there stays 0. */
void mr_bench_counters_read(const struct mr_bench_counters *counters,
                            uint64_t value[MR_BENCH_COUNTERS]);

#endif
