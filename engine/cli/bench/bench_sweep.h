/* SPDX-License-Identifier: Apache-2.0 */
/* What a sweep costs beyond its runs. */
#ifndef MR_ENGINE_CLI_BENCH_BENCH_SWEEP_H
#define MR_ENGINE_CLI_BENCH_BENCH_SWEEP_H

#include "engine/cli/bench/bench.h"

extern const struct mr_bench_group mr_bench_sweep_group;

#endif
