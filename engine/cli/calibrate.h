/* SPDX-License-Identifier: Apache-2.0 */
/* The calibrate verb: a software card fitted to measured rows, or a profile card fitted to a layer
 * profile, with its error inside. */
#ifndef MR_ENGINE_CLI_CALIBRATE_H
#define MR_ENGINE_CLI_CALIBRATE_H

#include "engine/cli/opts.h"

struct mr_verb_call;

struct mr_calibrate_opts_values {
    const char *backend, *output, *id;
    double holdout_frac;
    bool uses_all, is_quick, as_json;
    uint64_t n_layer; /* of a profile; 0: those of its LLM's card */
};

extern const struct mr_opt_table mr_calibrate_opts;

/** The id of the card to be written: as given, else the name of the output file without ".xml",
 * else `otherwise`. Ids are names of files and stand in XML: letters, digits, ".", "_", "-".
 *  @param[in,out] id empty @return MR_OK, or MR_RANGE for any other text */
MR_CHECKED mr_status mr_calibrate_id(const struct mr_calibrate_opts_values *opts,
                                     const char *otherwise, struct mr_buf *id, struct mr_err *err);

int mr_calibrate_run(const struct mr_verb_call *call);

#endif
