/* SPDX-License-Identifier: Apache-2.0 */
/* Benchmarks of power: a day of a fixed-step twin's machine, and a site's days. */
#ifndef MR_ENGINE_CLI_BENCH_BENCH_POWER_H
#define MR_ENGINE_CLI_BENCH_BENCH_POWER_H

#include "engine/cli/bench/bench.h"

extern const struct mr_bench_group mr_bench_power_group;

#endif
