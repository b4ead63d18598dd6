/* SPDX-License-Identifier: Apache-2.0 */
/* Help screens, manual pages and bash completion, all printed from the verb and option tables. */
#ifndef MR_ENGINE_CLI_HELP_H
#define MR_ENGINE_CLI_HELP_H

#include "engine/cli/opts.h"

struct mr_verb;
struct mr_verb_call;

struct mr_help_opts_values {
    bool as_man, as_completion;
};

extern const struct mr_opt_table mr_help_opts;

int mr_help_run(const struct mr_verb_call *call);

/** The overview: every verb, one line each. */
void mr_help_overview(struct mr_buf *out);

/** One verb: usage, what it does, options, two examples. */
void mr_help_verb(const struct mr_verb *verb, struct mr_buf *out);

/** troff (man macros): millrace(1) for NULL, millrace-VERB(1) otherwise. */
void mr_help_man(const struct mr_verb *verb, struct mr_buf *out);

#endif
