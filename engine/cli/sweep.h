/* SPDX-License-Identifier: Apache-2.0 */
/* The sweep verb: the rows of an experiment as child processes of this program's `run`. */
#ifndef MR_ENGINE_CLI_SWEEP_H
#define MR_ENGINE_CLI_SWEEP_H

#include "engine/cli/opts.h"

struct mr_verb_call;

struct mr_sweep_opts_values {
    const char *folder, *shard, *rows;
    uint64_t n_slot, n_retry;
    double timeout_s, grace_s;
    bool resumes, is_dry;
};

extern const struct mr_opt_table mr_sweep_opts;

int mr_sweep_verb(const struct mr_verb_call *call);

/** Read an experiment and every scenario it makes; findings are added to `diags`. */
mr_status mr_sweep_check(const char *path, struct mr_diags *diags);

#endif
