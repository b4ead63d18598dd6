/* SPDX-License-Identifier: Apache-2.0 */
/* Benchmarks of thermal: power events of packages, and sweeps over all of a large site. */
#ifndef MR_ENGINE_CLI_BENCH_BENCH_THERMAL_H
#define MR_ENGINE_CLI_BENCH_BENCH_THERMAL_H

#include "engine/cli/bench/bench.h"

extern const struct mr_bench_group mr_bench_thermal_group;

#endif
