/* SPDX-License-Identifier: Apache-2.0 */
/* Names of the blocks of prompts that are known beforehand, as a trace's hash ids are: runs of a
 * call, kept beside the calls, for few runs have them. What a call makes is named by its space. */
#ifndef MR_ENGINE_SERVE_CALL_PATH_H
#define MR_ENGINE_SERVE_CALL_PATH_H

#include "engine/serve/cache.h"
#include "engine/serve/call.h"

/** A copy of the runs, given back with the call, which is named by them from now on. No runs: the
 *  call stays as it is. */
MR_CHECKED mr_status mr_call_path_take(struct mr_calls *calls, const struct mr_cache_run *run,
                                       uint32_t n_run, struct mr_call *call, struct mr_err *err);
void mr_call_path_give(struct mr_calls *calls, const struct mr_call *call);
void mr_call_path_fini(struct mr_calls *calls);

/** The context of a call up to some tokens, in whole blocks: names that are known; or those of a
 *  script's context; or the shared prefix in space 0, then the call's own space, by place. Lent
 *  until the next of these calls.
 *  @param[in] from runs that end before this block may be left out: nobody will look at them
 *  @param[in] own room for two runs @param[out] path without a hint */
void mr_call_path_of(const struct mr_calls *calls, const struct mr_call *call, uint64_t n_tok,
                     uint32_t block_tokens, uint32_t from, struct mr_cache_run own[2],
                     struct mr_cache_path *path);

#endif
