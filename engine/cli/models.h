/* SPDX-License-Identifier: Apache-2.0 */
/* models: the cards of all kinds, every figure with source and confidence. */
#ifndef MR_ENGINE_CLI_MODELS_H
#define MR_ENGINE_CLI_MODELS_H

#include "engine/cli/opts.h"

struct mr_verb_call;

struct mr_models_opts_values {
    bool as_md, as_json, assumptions;
};

extern const struct mr_opt_table mr_models_opts;

int mr_models_run(const struct mr_verb_call *call);

#endif
