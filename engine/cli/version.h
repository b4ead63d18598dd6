/* SPDX-License-Identifier: Apache-2.0 */
/* What this program is: version, revision, compiler and the libraries it runs with. */
#ifndef MR_ENGINE_CLI_VERSION_H
#define MR_ENGINE_CLI_VERSION_H

#include "engine/cli/opts.h"

struct mr_verb_call;

struct mr_version_opts_values {
    bool as_json;
};

extern const struct mr_opt_table mr_version_opts;

int mr_version_run(const struct mr_verb_call *call);

/** "0.1.0" */
const char *mr_version_number(void);

#endif
