/* SPDX-License-Identifier: Apache-2.0 */
/* Benchmarks of the prefix cache: a call of a growing session where all fits, and where every call
 * must evict. */
#ifndef MR_ENGINE_CLI_BENCH_BENCH_CACHE_H
#define MR_ENGINE_CLI_BENCH_BENCH_CACHE_H

#include "engine/cli/bench/bench.h"

extern const struct mr_bench_group mr_bench_cache_group;

#endif
