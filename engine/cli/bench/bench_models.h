/* SPDX-License-Identifier: Apache-2.0 */
/* Benchmarks of models: what it costs to price a batch, once from cards and then from tables. */
#ifndef MR_ENGINE_CLI_BENCH_BENCH_MODELS_H
#define MR_ENGINE_CLI_BENCH_BENCH_MODELS_H

#include "engine/cli/bench/bench.h"

extern const struct mr_bench_group mr_bench_models_group;

#endif
