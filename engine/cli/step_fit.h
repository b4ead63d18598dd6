/* SPDX-License-Identifier: Apache-2.0 */
/* What the step verb refuses: batches that do not fit, options that mean nothing. */
#ifndef MR_ENGINE_CLI_STEP_FIT_H
#define MR_ENGINE_CLI_STEP_FIT_H

#include "engine/cli/step.h"
#include "engine/cli/verbs.h"
#include "models/memory.h"

/** Are contexts no longer than the LLM knows? With --force-fit it says so and goes on.
 *  @return MR_OK or MR_RANGE */
MR_CHECKED mr_status mr_step_fit_context(const struct mr_verb_call *call, const char *llm_id,
                                         const struct mr_llm_card *llm, bool *fits,
                                         struct mr_err *err);

/** Do weights and the batch's keys and values fit the packages? With --force-fit it says what is
 *  missing and goes on. @param[in,out] fits cleared when forced
 *  @return MR_OK or MR_LIMIT */
MR_CHECKED mr_status mr_step_fit_memory(const struct mr_verb_call *call,
                                        const struct mr_step_setup *setup, struct mr_memory *memory,
                                        bool *fits, struct mr_err *err);

/** The same of a number of blocks, per copy of attention that shares them. */
MR_CHECKED mr_status mr_step_fit_blocks(const struct mr_step_opts_values *opts, double n_block,
                                        double block_tokens, double n_copy, struct mr_err *err);

/** A profile knows time alone: options that ask for more are refused by name. */
MR_CHECKED mr_status mr_step_fit_profile_opts(const struct mr_step_opts_values *opts,
                                              struct mr_err *err);

#endif
