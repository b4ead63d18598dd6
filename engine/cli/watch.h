/* SPDX-License-Identifier: Apache-2.0 */
/* The watch verb: a run in the terminal while it is written, or after. */
#ifndef MR_ENGINE_CLI_WATCH_H
#define MR_ENGINE_CLI_WATCH_H

#include "engine/cli/opts.h"

struct mr_verb_call;

struct mr_watch_opts_values {
    double every_s;
};

extern const struct mr_opt_table mr_watch_opts;

int mr_watch_verb(const struct mr_verb_call *call);

#endif
