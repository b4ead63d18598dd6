/* SPDX-License-Identifier: Apache-2.0 */
/* perf_event_open has no wrapper in libc. Counters stand alone, not in a group: what one processor
 * has, another lacks. */
#define _DEFAULT_SOURCE /* syscall */

#include "engine/cli/bench/bench_counters.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

static const struct {
    const char *name;
    uint64_t event;
} rows[MR_BENCH_COUNTERS] = {
#define MR_BENCH_COUNTER_ROW(name, text, event) {text, event},
    MR_BENCH_COUNTER_LIST(MR_BENCH_COUNTER_ROW)
#undef MR_BENCH_COUNTER_ROW
};

const char *mr_bench_counter_name(int counter)
{
    return rows[counter].name;
}

void mr_bench_counters_open(struct mr_bench_counters *counters)
{
    counters->error = 0;
    for (int i = 0; i < MR_BENCH_COUNTERS; i++) {
        struct perf_event_attr attr = {.type = PERF_TYPE_HARDWARE,
                                       .size = sizeof attr,
                                       .config = rows[i].event,
                                       .exclude_kernel = 1,
                                       .exclude_hv = 1};
        counters->fd[i] = (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
        if (counters->fd[i] < 0 && counters->error == 0)
            counters->error = errno;
    }
}

void mr_bench_counters_close(struct mr_bench_counters *counters)
{
    for (int i = 0; i < MR_BENCH_COUNTERS; i++)
        if (counters->fd[i] >= 0)
            (void)close(counters->fd[i]);
}

void mr_bench_counters_read(const struct mr_bench_counters *counters,
                            uint64_t value[MR_BENCH_COUNTERS])
{
    for (int i = 0; i < MR_BENCH_COUNTERS; i++) {
        value[i] = 0;
        if (counters->fd[i] >= 0 &&
            read(counters->fd[i], &value[i], sizeof value[i]) != (ssize_t)sizeof value[i])
            value[i] = 0;
    }
}
