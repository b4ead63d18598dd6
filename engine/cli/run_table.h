/* SPDX-License-Identifier: Apache-2.0 */
/* The summary of a run as a table. */
#ifndef MR_ENGINE_CLI_RUN_TABLE_H
#define MR_ENGINE_CLI_RUN_TABLE_H

#include "engine/twin/play.h"

/** Key figures, then violations, then where the result is.
 *  @param[in] wall_s the run took @param[in] path of the result file; NULL: none was asked for */
void mr_run_table(const struct mr_scenario *scenario, const struct mr_play_result *result,
                  double wall_s, const char *path, struct mr_buf *out);

#endif
