/* SPDX-License-Identifier: Apache-2.0 */
/* Benchmarks of the recorder: what a row costs the simulation, and what a whole file costs. */
#ifndef MR_ENGINE_CLI_BENCH_BENCH_RECORD_H
#define MR_ENGINE_CLI_BENCH_BENCH_RECORD_H

#include "engine/cli/bench/bench.h"

extern const struct mr_bench_group mr_bench_record_group;

#endif
