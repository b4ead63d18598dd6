/* SPDX-License-Identifier: Apache-2.0 */
/* The regress verb: key figures against a baseline, for people, JUnit and benchmark pages. */
#ifndef MR_ENGINE_CLI_REGRESS_H
#define MR_ENGINE_CLI_REGRESS_H

#include "engine/cli/opts.h"

struct mr_verb_call;

struct mr_regress_opts_values {
    const char *baseline, *tolerance, *junit, *github, *bencher;
    bool is_strict, is_update;
};

extern const struct mr_opt_table mr_regress_opts;

int mr_regress_verb(const struct mr_verb_call *call);

#endif
