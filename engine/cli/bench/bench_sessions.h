/* SPDX-License-Identifier: Apache-2.0 */
/* Benchmarks of live sessions: engine/work's player alone, and on cells of instances with prefix
 * caches, on drawn and on recorded sessions, with and without room for their contexts. */
#ifndef MR_ENGINE_CLI_BENCH_BENCH_SESSIONS_H
#define MR_ENGINE_CLI_BENCH_BENCH_SESSIONS_H

#include "engine/cli/bench/bench.h"

extern const struct mr_bench_group mr_bench_sessions_group;

#endif
