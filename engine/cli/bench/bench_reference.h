/* SPDX-License-Identifier: Apache-2.0 */
/* The four recorded runs of another simulator that tests play request for request: the engine's
 * loop alone, from calls in memory to calls that have ended. */
#ifndef MR_ENGINE_CLI_BENCH_BENCH_REFERENCE_H
#define MR_ENGINE_CLI_BENCH_BENCH_REFERENCE_H

#include "engine/cli/bench/bench.h"

/** Cases of the serving group. @return MR_IO without MILLRACE_DATA: a case to skip */
MR_CHECKED mr_status mr_bench_reference_setup(const struct mr_bench_case *self,
                                              struct mr_bench_job *job, struct mr_err *err);
uint64_t mr_bench_reference_work(void *data);
uint64_t mr_bench_reference_steps(void *data); /* the same with every step by itself */
void mr_bench_reference_free(void *data);

#endif
