/* SPDX-License-Identifier: Apache-2.0 */
/* The only door to MPI. A process that no launcher started, and a build without MPI, is one rank.
 * What ranks exchange is bytes in rank order, never in the order of arrival. */
#ifndef MR_ENGINE_CLOCK_RANKS_H
#define MR_ENGINE_CLOCK_RANKS_H

#include "engine/base/status.h"

#include <stdint.h>

enum {
    MR_RANKS_VERSION_CAP = 128
};

/** First words of the MPI library's own version ("Open MPI v4.1.4"), or NULL in a build without
 * MPI. Needs no MPI_Init. @return out, or NULL */
const char *mr_ranks_library_version(char out[MR_RANKS_VERSION_CAP]);

/** SimGrid brings an MPI_Init of its own. When the link order let that one win, no run with several
 *  ranks can work: MR_LIMIT with a message that names the cure. Needs no MPI_Init. */
MR_CHECKED mr_status mr_ranks_check_library(struct mr_err *err);

struct mr_ranks {
    uint32_t n, i;  /* n >= 1 ranks, this one is i */
    bool uses_mpi;  /* MPI_Init was called here */
    int *count[2];  /* [n] bytes per rank, what MPI wants as int; out and in */
    int *offset[2]; /* [n] */
};

/** Join the other ranks if a launcher (mpirun, srun) started this process; else be the only one,
 *  without touching MPI. Once per process. */
MR_CHECKED mr_status mr_ranks_open(struct mr_ranks *ranks, struct mr_err *err);

/** Be the only rank whatever started this process, and never touch MPI: for parts of a program that
 *  run whole on each rank. */
MR_CHECKED mr_status mr_ranks_alone(struct mr_ranks *ranks, struct mr_err *err);

/** Leave. All ranks do. Zeroed ones may be closed too. */
void mr_ranks_close(struct mr_ranks *ranks);

/** Every rank gives n_bytes[its number] bytes and gets those of all, in rank order. All ranks call
 *  with the same n_bytes. @param[in] n_bytes [n], their sum below 2 GiB @param[out] all may not
 *  overlap `mine` */
MR_CHECKED mr_status mr_ranks_gather(struct mr_ranks *ranks, const void *mine,
                                     const size_t *n_bytes, void *all, struct mr_err *err);

/** Every rank sends out_bytes[r] bytes to rank r and gets in_bytes[r] from it; both sides lie in
 *  rank order. @param[in] out_bytes, in_bytes [n], each sum below 2 GiB */
MR_CHECKED mr_status mr_ranks_swap(struct mr_ranks *ranks, const void *out, const size_t *out_bytes,
                                   void *in, const size_t *in_bytes, struct mr_err *err);

#endif
