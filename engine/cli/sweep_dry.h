/* SPDX-License-Identifier: Apache-2.0 */
/* What a sweep will cost: hours and bytes of all its rows, from the rows with the least, the middle
 * and the most to do, played now. */
#ifndef MR_ENGINE_CLI_SWEEP_DRY_H
#define MR_ENGINE_CLI_SWEEP_DRY_H

#include "engine/cli/sweep_row.h"

/** @param[in] is_on rows that would run @param[in] within, options as for mr_sweep_row_probe
 *  @param[in] n_slot rows at a time @param[out] out appended */
MR_CHECKED mr_status mr_sweep_dry(struct mr_sweep_row *row, const bool *is_on, const char *within,
                                  const struct mr_batch_options *options, size_t n_slot,
                                  struct mr_buf *out, struct mr_err *err);

#endif
