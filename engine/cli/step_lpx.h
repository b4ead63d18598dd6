/* SPDX-License-Identifier: Apache-2.0 */
/* The step verb with LPUs beside the GPUs: what fits, the step's parts, its leap, its watts. */
#ifndef MR_ENGINE_CLI_STEP_LPX_H
#define MR_ENGINE_CLI_STEP_LPX_H

#include "engine/base/shelf.h"
#include "engine/base/text.h"
#include "engine/cli/step.h"
#include "models/step.h"

/** Price and print. @param[in] setup the GPUs, checked */
MR_CHECKED mr_status mr_step_lpx_print(const struct mr_verb_call *call,
                                       const struct mr_step_setup *setup,
                                       const struct mr_batch *batch, struct mr_shelf *shelf,
                                       struct mr_buf *out, struct mr_err *err);

#endif
