/* SPDX-License-Identifier: Apache-2.0 */
/* The export verb: tables and traces out of a result file. */
#ifndef MR_ENGINE_CLI_EXPORT_H
#define MR_ENGINE_CLI_EXPORT_H

#include "engine/cli/opts.h"

struct mr_verb_call;

struct mr_export_opts_values {
    const char *table, *output;
    int format; /* enum mr_export_format */
};

extern const struct mr_opt_table mr_export_opts;

int mr_export_verb(const struct mr_verb_call *call);

#endif
