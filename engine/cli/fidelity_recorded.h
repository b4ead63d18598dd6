/* SPDX-License-Identifier: Apache-2.0 */
/* Recorded runs of a serving engine, played again: a folder with the requests as they came and went
 * (requests.jsonl), what the engine was started with (meta.json) and its layer profile
 * (profile/tpN). Nothing is fitted to the recording. */
#ifndef MR_ENGINE_CLI_FIDELITY_RECORDED_H
#define MR_ENGINE_CLI_FIDELITY_RECORDED_H

#include "engine/base/text.h"

/** One row per folder: means, recorded and played, and the error of single requests.
 *  @param[in] folder [n] */
MR_CHECKED mr_status mr_fidelity_recorded_print(char *const *folder, int n, bool as_json,
                                                struct mr_buf *out, struct mr_err *err);

#endif
