/* SPDX-License-Identifier: Apache-2.0 */
/* The calibrate verb: a software card fitted to measured rows, or a profile card fitted to a layer
 * profile, with its error inside. */
#ifndef MR_ENGINE_CLI_CALIBRATE_H
#define MR_ENGINE_CLI_CALIBRATE_H

#include "engine/cli/opts.h"

struct mr_verb_call;

struct mr_calibrate_opts_values {
    const char *backend, *output, *id;
    bool uses_all, is_quick;
    uint64_t n_layer; /* of a profile; 0: those of its LLM's card */
};

extern const struct mr_opt_table mr_calibrate_opts;

int mr_calibrate_run(const struct mr_verb_call *call);

#endif
