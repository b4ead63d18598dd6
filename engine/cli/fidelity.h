/* SPDX-License-Identifier: Apache-2.0 */
/* The fidelity verb: how far predictions are from measured rows. */
#ifndef MR_ENGINE_CLI_FIDELITY_H
#define MR_ENGINE_CLI_FIDELITY_H

#include "engine/cli/opts.h"

struct mr_verb_call;

struct mr_fidelity_opts_values {
    const char *software, *gpu, *csv, *svg;
    int leave_out; /* index of its words */
    bool with_targets, as_json;
};

extern const struct mr_opt_table mr_fidelity_opts;

int mr_fidelity_run(const struct mr_verb_call *call);

#endif
