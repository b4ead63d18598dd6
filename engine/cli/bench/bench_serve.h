/* SPDX-License-Identifier: Apache-2.0 */
/* Benchmarks of engine/serve: calls through one cell, with the five constants and with cards. */
#ifndef MR_ENGINE_CLI_BENCH_BENCH_SERVE_H
#define MR_ENGINE_CLI_BENCH_BENCH_SERVE_H

#include "engine/cli/bench/bench.h"

extern const struct mr_bench_group mr_bench_serve_group;

#endif
