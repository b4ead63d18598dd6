/* SPDX-License-Identifier: Apache-2.0 */
/* The schema verb: reference pages from the tables the program itself reads with, so that they
 * cannot go out of date. */
#ifndef MR_ENGINE_CLI_SCHEMA_H
#define MR_ENGINE_CLI_SCHEMA_H

#include "engine/cli/opts.h"

struct mr_verb_call;

struct mr_schema_opts_values {
    bool as_json, as_md, as_man, as_rng;
};

extern const struct mr_opt_table mr_schema_opts;

/** @return the i-th kind of file, NULL past the last */
const char *mr_schema_kind(size_t i);

int mr_schema_run(const struct mr_verb_call *call);

#endif
