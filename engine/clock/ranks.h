/* SPDX-License-Identifier: Apache-2.0 */
/* The only door to MPI. A build without MPI has one rank and says so. */
#ifndef MR_ENGINE_CLOCK_RANKS_H
#define MR_ENGINE_CLOCK_RANKS_H

#include "engine/base/status.h"

enum {
    MR_RANKS_VERSION_CAP = 128
};

/** First words of the MPI library's own version ("Open MPI v4.1.4"), or NULL in a build without
 * MPI. Needs no MPI_Init. @return out, or NULL */
const char *mr_ranks_library_version(char out[MR_RANKS_VERSION_CAP]);

/** SimGrid brings an MPI_Init of its own. When the link order let that one win, no run with several
 *  ranks can work: MR_LIMIT with a message that names the cure. Needs no MPI_Init. */
MR_CHECKED mr_status mr_ranks_check_library(struct mr_err *err);

#endif
