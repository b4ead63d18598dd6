/* SPDX-License-Identifier: Apache-2.0 */
/* The verbs of millrace: one table that drives dispatch, help, the man page and completion. */
#ifndef MR_ENGINE_CLI_VERBS_H
#define MR_ENGINE_CLI_VERBS_H

#include "engine/cli/opts.h"
#include "engine/cli/ui.h"

/* What a verb is called with. */
struct mr_verb_call {
    const struct mr_ui *ui;
    const void *opts; /* the verb's own options struct */
    int n_arg;
    char **arg; /* positional arguments */
};

struct mr_verb {
    const char *name, *args; /* args: "SCENARIO|run.h5" */
    const char *summary;     /* a few words for the overview */
    const char *doc;         /* the paragraph of its help and man page */
    const char *example[2];
    const struct mr_opt_table *opts; /* NULL: none of its own */
    size_t opts_bytes;
    int n_arg_min, n_arg_max;                    /* -1: any number */
    int (*run)(const struct mr_verb_call *call); /* exit code */
};

extern const struct mr_verb mr_verbs_table[];
extern const size_t mr_verbs_n;

/** @return the verb, or NULL */
const struct mr_verb *mr_verbs_find(const char *name);

/** Nearest verb to a misspelled one, or NULL. */
const char *mr_verbs_nearest(const char *name);

#endif
