/* SPDX-License-Identifier: Apache-2.0 */
/* Benchmarks of engine/base: parsers on made and on real text, numbers, functions, draws, hashes.
 */
#ifndef MR_ENGINE_CLI_BENCH_BENCH_BASE_H
#define MR_ENGINE_CLI_BENCH_BENCH_BASE_H

#include "engine/cli/bench/bench.h"

extern const struct mr_bench_group mr_bench_base_group;

#endif
