/* SPDX-License-Identifier: Apache-2.0 */
/* Sums of a run in its result file: latencies, tiers, tenants, every number of the summary as a key
 * figure named by its path. */
#ifndef MR_ENGINE_CLI_RUN_SUMS_H
#define MR_ENGINE_CLI_RUN_SUMS_H

#include "engine/cli/groups.h"
#include "engine/record/runfile.h"
#include "engine/twin/play.h"

enum {
    MR_RUN_POOLS = 2 /* "deployment", "prefill" */
};
extern const char *const mr_run_pool_names[MR_RUN_POOLS];

/* What it writes. */
extern const struct mr_group_list mr_run_sums_groups;

/** The axis of tiers is there already. @param[in] file no more rows come @param[in] json the
 *  summary */
MR_CHECKED mr_status mr_run_sums_put(struct mr_runfile *file, const struct mr_scenario *scenario,
                                     const struct mr_play_result *result, struct mr_str json,
                                     struct mr_err *err);

#endif
