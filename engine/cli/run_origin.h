/* SPDX-License-Identifier: Apache-2.0 */
/* Where a result file comes from: machine, build, libraries, command line, job of the cluster. Goes
 * to /provenance, the only group in which equal runs may differ. */
#ifndef MR_ENGINE_CLI_RUN_ORIGIN_H
#define MR_ENGINE_CLI_RUN_ORIGIN_H

#include "engine/record/runfile.h"

MR_CHECKED mr_status mr_run_origin_put(struct mr_runfile *file, struct mr_err *err);

/** When it was over, on how many ranks, how long it took, and the most memory of this one. */
MR_CHECKED mr_status mr_run_origin_end(struct mr_runfile *file, uint32_t n_rank, double wall_s,
                                       struct mr_err *err);

#endif
