/* SPDX-License-Identifier: Apache-2.0 */
/* Benchmarks of the trace readers: whole files in memory, read to sessions. */
#ifndef MR_ENGINE_CLI_BENCH_BENCH_WORK_H
#define MR_ENGINE_CLI_BENCH_BENCH_WORK_H

#include "engine/cli/bench/bench.h"

extern const struct mr_bench_group mr_bench_work_group;

#endif
