/* SPDX-License-Identifier: Apache-2.0 */
/* The size verb: which build reaches a target, or makes the most of what there is. */
#ifndef MR_ENGINE_CLI_SIZE_H
#define MR_ENGINE_CLI_SIZE_H

#include "engine/cli/opts.h"

struct mr_verb_call;

struct mr_size_opts_values {
    struct mr_param_list target, over, set;
    const char *sla, *load, *until, *output, *folder, *csv, *json;
    double limit_mw, budget_usd, met_frac, timeout_s;
    uint64_t n_slot, n_refine;
};

extern const struct mr_opt_table mr_size_opts;

int mr_size_verb(const struct mr_verb_call *call);

#endif
