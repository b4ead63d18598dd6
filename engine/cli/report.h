/* SPDX-License-Identifier: Apache-2.0 */
/* The report and compare verbs: a page about one run or several, a table for the terminal, CSV. */
#ifndef MR_ENGINE_CLI_REPORT_H
#define MR_ENGINE_CLI_REPORT_H

#include "engine/cli/opts.h"

struct mr_verb_call;

struct mr_report_opts_values {
    const char *output, *csv, *title;
    uint64_t baseline; /* from 1; of compare */
};

extern const struct mr_opt_table mr_report_opts, mr_report_compare_opts;

int mr_report_verb(const struct mr_verb_call *call);

#endif
