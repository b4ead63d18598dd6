/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks of a recording gathered into the engine's larger ones: as many that follow one another are
 * one, and two of these have the same name if and only if all their blocks have. */
#ifndef MR_ENGINE_WORK_COARSE_H
#define MR_ENGINE_WORK_COARSE_H

#include "engine/work/block_names.h"
#include "engine/work/session_context.h"

/* Zero-initialize. */
struct mr_coarse {
    struct mr_block_names id;   /* of the recording's ids */
    struct mr_block_names pair; /* of sequences: one that is a block shorter, and its last block */
    struct mr_block_names name; /* of whole sequences that the file names */
    struct mr_block_names own;  /* of those with blocks that no file names */
};

/** Gather what `large` does not hold yet; what does not fill a block is left out.
 *  @param[in] per blocks for one; at least 2
 *  @param[in,out] large a beginning of the same context; then the whole. Names below 2^30 */
MR_CHECKED mr_status mr_coarse_gather(struct mr_coarse *coarse,
                                      const struct mr_session_context *small, uint32_t per,
                                      struct mr_session_context *large, struct mr_err *err);

/** Forget all names, and keep the memory. */
void mr_coarse_clear(struct mr_coarse *coarse);
void mr_coarse_fini(struct mr_coarse *coarse);

#endif
