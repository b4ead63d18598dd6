/* SPDX-License-Identifier: Apache-2.0 */
/* Benchmarks of the clock: heaps, trees, calendars, windows and histograms at three sizes each,
 * beside a plain binary heap of the same size. */
#ifndef MR_ENGINE_CLI_BENCH_BENCH_CLOCK_H
#define MR_ENGINE_CLI_BENCH_BENCH_CLOCK_H

#include "engine/cli/bench/bench.h"

extern const struct mr_bench_group mr_bench_clock_group;

#endif
