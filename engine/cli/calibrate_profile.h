/* SPDX-License-Identifier: Apache-2.0 */
/* The calibrate verb when its argument is a folder: a profile card from a layer profile. */
#ifndef MR_ENGINE_CLI_CALIBRATE_PROFILE_H
#define MR_ENGINE_CLI_CALIBRATE_PROFILE_H

#include "engine/base/shelf.h"

struct mr_verb_call;
struct mr_calibrate_out;

/** Is this a folder? */
bool mr_calibrate_profile_is(const char *path);

/** Fit the folder that is the call's argument.
 *  @param[out] out errors of the fit, and the profile card's XML
 *  @return MR_OK, or MR_REF when nothing says how many layers, and what reading returns */
MR_CHECKED mr_status mr_calibrate_profile_fit(const struct mr_verb_call *call,
                                              struct mr_shelf *shelf, struct mr_calibrate_out *out,
                                              struct mr_err *err);

#endif
