/* SPDX-License-Identifier: Apache-2.0 */
/* The trace verb: what a workload file holds, in other forms, in part, or drawn. */
#ifndef MR_ENGINE_CLI_TRACE_H
#define MR_ENGINE_CLI_TRACE_H

#include "engine/cli/opts.h"

struct mr_verb_call;

struct mr_trace_opts_values {
    const char *format, *output, *to, *model, *windows, *lengths;
    uint64_t block_tok, seed, n_session, skip, context_max;
    uint64_t call_min, call_max, longest_tok, n_sample;
    double from_s, until_s, tick_s, rate_s, cv, factor;
    int basis;
    bool is_once, as_json, is_strict;
};

extern const struct mr_opt_table mr_trace_opts;

int mr_trace_run(const struct mr_verb_call *call);

#endif
