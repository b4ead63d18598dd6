/* SPDX-License-Identifier: Apache-2.0 */
/* The step verb: what one batch step costs, split by term. */
#ifndef MR_ENGINE_CLI_STEP_H
#define MR_ENGINE_CLI_STEP_H

#include "engine/cli/opts.h"

struct mr_verb_call;

struct mr_step_opts_values {
    const char *gpu, *llm, *software, *profile, *lpu, *draft_llm;
    uint64_t n_tp, n_dp, n_pp, n_ep, n_batch, n_context, n_prompt, n_draft, n_domain, n_block;
    uint64_t n_lpu, n_micro;
    double clock, cap_w, accepted; /* accepted 0: of the LLM's card */
    int format, kv;                /* enum mr_format, or MR_N_FORMAT: the card's own */
    int way;                       /* enum mr_step_way */
    bool expands, is_forced, as_json;
};

/* What LPUs do beside the GPUs. */
enum mr_step_way {
    MR_STEP_WAY_AFD,
    MR_STEP_WAY_DECODE,
    MR_STEP_WAY_DRAFT
};

extern const struct mr_opt_table mr_step_opts;

int mr_step_run(const struct mr_verb_call *call);

#endif
