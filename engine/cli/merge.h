/* SPDX-License-Identifier: Apache-2.0 */
/* The merge verb: one file over the runs of a folder. */
#ifndef MR_ENGINE_CLI_MERGE_H
#define MR_ENGINE_CLI_MERGE_H

#include "engine/cli/opts.h"

struct mr_verb_call;

struct mr_merge_opts_values {
    const char *output;
    bool is_copy;
};

extern const struct mr_opt_table mr_merge_opts;

int mr_merge_verb(const struct mr_verb_call *call);

#endif
