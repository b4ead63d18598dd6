/* SPDX-License-Identifier: Apache-2.0 */
/* The summary of a run as a table. */
#ifndef MR_ENGINE_CLI_RUN_TABLE_H
#define MR_ENGINE_CLI_RUN_TABLE_H

#include "engine/twin/play.h"

/** @param[in] wall_s the run took */
void mr_run_table(const struct mr_scenario *scenario, const struct mr_play_result *result,
                  double wall_s, struct mr_buf *out);

#endif
