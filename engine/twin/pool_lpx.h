/* SPDX-License-Identifier: Apache-2.0 */
/* LPUs of a deployment: from what a scenario says to what prices its instances, and what of them
 * must fit. */
#ifndef MR_ENGINE_TWIN_POOL_LPX_H
#define MR_ENGINE_TWIN_POOL_LPX_H

#include "engine/base/shelf.h"
#include "engine/twin/scenario.h"
#include "models/lpx_serve.h"

/* Points into itself: must not move while it is open. */
struct mr_pool_lpx {
    struct mr_lpx_serve serve;
    const struct mr_lpx_serve *used; /* NULL: no LPUs */
    struct mr_llm_card attention;    /* afd: what stays on the GPUs */
    struct mr_step_setup held;       /* what GPUs hold in their memory */
};

/** @param[in] setup of the deployment's GPUs, lives as long; LPUs that draft are told to it
 *  @return MR_OK; MR_LIMIT when weights do not fit, saying what would hold them */
MR_CHECKED mr_status mr_pool_lpx_open(struct mr_shelf *shelf, const struct mr_scenario *scenario,
                                      struct mr_step_setup *setup, struct mr_pool_lpx *lpx,
                                      struct mr_diags *diags, struct mr_err *err);

/** Blocks of an instance: those that GPUs have room for, and LPUs too.
 *  @param[in] asked what the scenario says; 0: what fits */
MR_CHECKED mr_status mr_pool_lpx_blocks(const struct mr_pool_lpx *lpx, double n_sequence,
                                        uint64_t asked, uint64_t block_tokens, uint64_t *n_block,
                                        struct mr_err *err);

/** LPUs of an instance beside its packages: 0 where they are its packages. */
uint64_t mr_pool_lpx_beside(const struct mr_pool_lpx *lpx);

/** Bytes a second that an instance of LPUs alone receives. */
double mr_pool_lpx_link_bytes_s(const struct mr_pool_lpx *lpx);

#endif
