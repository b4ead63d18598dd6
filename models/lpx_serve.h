/* SPDX-License-Identifier: Apache-2.0 */
/* An instance with LPUs (lpx.h) as a serving engine asks for it: batch after batch, what a run of
 * steps lasts, and the work of its GPUs and LPUs, until the next kink of the leap. Within that time
 * and work grow by the same from step to step, so that leaping and stepping agree. */
#ifndef MR_MODELS_LPX_SERVE_H
#define MR_MODELS_LPX_SERVE_H

#include "models/lpx.h"
#include "models/power.h"

enum mr_lpx_way {
    MR_LPX_AFD,
    MR_LPX_DRAFT,
    MR_LPX_DECODE
};

struct mr_lpx_serve {
    int way;                           /* enum mr_lpx_way */
    struct mr_lpx lpx;                 /* draft: of the LLM that drafts */
    const struct mr_step_setup *setup; /* of the GPUs; decode: not read */
    uint32_t n_micro;                  /* afd: micro-batches of a step */
    bool overlaps;                     /* draft: the next drafts are made during verification */
};

struct mr_lpx_price {
    struct mr_step_leap step;    /* of steps 0 to n_step - 1 */
    uint64_t n_step;             /* at least 1 */
    struct mr_work work, growth; /* of one GPU package, in step 0 and more in each; decode: none */
    double active_s, active_grow_s; /* LPU-seconds of work, all LPUs */
};

/** Can it serve at all, and do weights fit?
 *  @return MR_OK, or as mr_lpx_afd_check, mr_step_check, mr_lpx_fit_of */
MR_CHECKED mr_status mr_lpx_serve_check(const struct mr_lpx_serve *serve, struct mr_err *err);

/** Tokens of context that the LPUs hold keys and values of, beside what `n_sequence` sequences keep
 *  once; INFINITY where GPUs hold them all. Of a serve that was checked. */
double mr_lpx_serve_kv_tok(const struct mr_lpx_serve *serve, double n_sequence);

/** A batch; contexts beyond that, of guesses, are priced as what fits. */
void mr_lpx_serve_price(const struct mr_lpx_serve *serve, const struct mr_batch *batch, double phi,
                        struct mr_lpx_price *price);

/** Watts of an LPU: idle, and the rest while it works. It has one clock and leaks nothing that
 *  anybody has told. */
struct mr_power mr_lpx_serve_power(const struct mr_lpu_card *lpu);

#endif
