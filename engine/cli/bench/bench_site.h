/* SPDX-License-Identifier: Apache-2.0 */
/* Benchmarks of sites: what it takes to have a gigawatt, or 256 racks package by package, in
 * memory, on paper and in SimGrid. */
#ifndef MR_ENGINE_CLI_BENCH_BENCH_SITE_H
#define MR_ENGINE_CLI_BENCH_BENCH_SITE_H

#include "engine/cli/bench/bench.h"

extern const struct mr_bench_group mr_bench_site_group;

#endif
