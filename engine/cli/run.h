/* SPDX-License-Identifier: Apache-2.0 */
/* The run verb: play a scenario once, print what came of it. */
#ifndef MR_ENGINE_CLI_RUN_H
#define MR_ENGINE_CLI_RUN_H

#include "engine/cli/opts.h"

struct mr_verb_call;

struct mr_run_opts_values {
    const char *output, *json, *requests, *seed, *until;
    struct mr_param_list set, fail_on, sg_cfg;
    const char *sg_log;
    const char *record, *record_every, *flush;
    bool is_live, is_alone, has_no_leap, is_effective, is_strict;
};

extern const struct mr_opt_table mr_run_opts;

int mr_run_verb(const struct mr_verb_call *call);

#endif
