/* SPDX-License-Identifier: Apache-2.0 */
/* The step verb: what one batch step costs, split by term. */
#ifndef MR_ENGINE_CLI_STEP_H
#define MR_ENGINE_CLI_STEP_H

#include "engine/cli/opts.h"

struct mr_verb_call;

struct mr_step_opts_values {
    const char *gpu, *llm, *software;
    uint64_t n_tp, n_dp, n_pp, n_ep, n_batch, n_context, n_prompt, n_draft, n_domain;
    double clock;
    int format, kv; /* enum mr_format, or MR_N_FORMAT: the card's own */
    bool as_json;
};

extern const struct mr_opt_table mr_step_opts;

int mr_step_run(const struct mr_verb_call *call);

#endif
