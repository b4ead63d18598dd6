/* SPDX-License-Identifier: Apache-2.0 */
/* Benchmarks of the machine itself, which no code of ours is in: by them figures of two machines
 * are compared, and budgets that were set on one are read on another. */
#ifndef MR_ENGINE_CLI_BENCH_BENCH_MACHINE_H
#define MR_ENGINE_CLI_BENCH_BENCH_MACHINE_H

#include "engine/cli/bench/bench.h"

extern const struct mr_bench_group mr_bench_machine_group;

#endif
