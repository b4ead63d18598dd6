/* SPDX-License-Identifier: Apache-2.0 */
/* What instances of benchmarks are: DeepSeek-R1 in four bits on 16 GB300, chunked prefill, a prefix
 * cache, where agents are served; the five constants of the recorded runs elsewhere. */
#ifndef MR_ENGINE_CLI_BENCH_BENCH_SERVING_H
#define MR_ENGINE_CLI_BENCH_BENCH_SERVING_H

#include "engine/base/shelf.h"
#include "engine/cli/bench/bench.h"
#include "engine/serve/instance.h"

/* Zero before the first use. */
struct mr_bench_serving {
    struct mr_shelf *shelf;
    struct mr_step *step;
    struct mr_power power;
    struct mr_serving serving; /* lends step and power */
};

/** @param[in,out] it mr_bench_serving_fini, after errors too */
MR_CHECKED mr_status mr_bench_serving_make(struct mr_bench_serving *it, uint32_t block_tok,
                                           uint64_t n_block, bool steps_singly, struct mr_err *err);
void mr_bench_serving_fini(struct mr_bench_serving *it);

/** Chunked prefill of the five constants. @param[out] profile mr_profile_destroy, after errors too
 */
MR_CHECKED mr_status mr_bench_serving_constants(struct mr_serving *serving,
                                                struct mr_profile **profile, struct mr_err *err);

/** @return false: skipped, and the job says why */
bool mr_bench_serving_has_room(struct mr_bench_job *job, bool takes_long, uint64_t n_bytes);

#endif
