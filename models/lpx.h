/* SPDX-License-Identifier: Apache-2.0 */
/* LPUs beside GPUs, three ways:
 *
 *   afd     attention on the GPUs, MLPs and experts in the SRAM of LPUs, layer by layer
 *   draft   a small LLM on LPUs proposes tokens, the GPUs verify them
 *   decode  all of an LLM on LPUs, GPUs only read prompts
 *
 * Weights are in SRAM or nowhere: mr_lpx_fit_of refuses, says how much is missing and what would
 * hold it. The duration of steps with a fixed batch is a maximum of linear functions of the step,
 * so a leap has a few linear pieces. All structs are values of the caller; nothing allocates. */
#ifndef MR_MODELS_LPX_H
#define MR_MODELS_LPX_H

#include "models/lpu.h"
#include "models/lpx_leap.h"
#include "models/step.h"

/* What of an LLM lies on the LPUs. */
enum mr_lpx_part {
    MR_LPX_FFN, /* MLPs, experts, routers */
    MR_LPX_ALL
};

/* LPUs and the LLM on them. */
struct mr_lpx {
    const struct mr_lpu_card *lpu;
    const struct mr_llm_card *llm;
    uint64_t n_lpu;
    uint64_t n_layer_lpu;            /* that share one layer; 0: n_lpu / layers, at least 1 */
    int dense_format, expert_format; /* enum mr_format of the weights as they are published */
    bool expands;                    /* weights without a path are held as FP8 instead of refused */
    double kv_element_bytes;         /* of keys and values on LPUs; afd: not used */
};

struct mr_lpx_fit {
    double weight_bytes;
    double room_bytes;              /* of all LPUs, the reserve left free */
    double kv_bytes;                /* of the room, left for keys and values */
    double spill_bytes;             /* DDR of their racks */
    uint64_t n_lpu_min, n_rack_min; /* that would hold the weights */
};

/** Do the weights fit, in a format the LPU has?
 *  @return MR_OK; MR_RANGE: no such path or layout; MR_LIMIT: too large, naming the shortfall */
MR_CHECKED mr_status mr_lpx_fit_of(const struct mr_lpx *lpx, enum mr_lpx_part part,
                                   struct mr_lpx_fit *fit, struct mr_err *err);

/** Are weights held in another format than they are published in? */
bool mr_lpx_is_expanded(const struct mr_lpx *lpx);

/** LPUs that share one layer. */
uint64_t mr_lpx_layer_lpus(const struct mr_lpx *lpx);

/** Load of the busiest of `n_group` groups when each gets `mean` on average, dealt at random. */
double mr_lpx_busiest(double mean, double n_group);

/** Energy of all LPUs over the first `n_step` steps [J]: idle all the time, the rest of the power
 *  while active.
 *  @param[in] step durations @param[in] active LPU-seconds of work per step */
double mr_lpx_energy_j(const struct mr_lpx *lpx, const struct mr_lpx_leap *step,
                       const struct mr_lpx_leap *active, uint64_t n_step);

/* ---- attention on GPUs, the rest of a layer on LPUs ---- */

struct mr_lpx_afd_setup {
    struct mr_lpx lpx;
    const struct mr_step_setup *gpu; /* the instance that keeps attention; pp 1 */
    uint32_t n_micro;                /* micro-batches of a step */
};

/* Times of one layer and one micro-batch, and what comes of them. */
struct mr_lpx_stage {
    double attention_s, ffn_s, out_s, back_s;
};

struct mr_lpx_afd {
    struct mr_lpx_stage stage;
    double attention_growth_s; /* of stage.attention_s, per step */
    double head_s;             /* host and logits, once per step */
    double time_s;
    struct mr_lpx_leap step, active;
    struct mr_work gpu_work; /* of one GPU package in this step */
};

/** (L-1) max(m tau, l) + l + (m-1) tau + head [s] */
double mr_lpx_pipeline_s(const struct mr_lpx_stage *stage, double n_layer, double n_micro,
                         double head_s);

/** The LLM without what LPUs take over: for the memory (models/memory.h) and the power of GPUs. */
void mr_lpx_attention_llm(const struct mr_llm_card *llm, struct mr_llm_card *out);

/** @return MR_OK, or as mr_lpx_fit_of and mr_step_check */
MR_CHECKED mr_status mr_lpx_afd_check(const struct mr_lpx_afd_setup *setup, struct mr_err *err);

/** One step of a setup that was checked; leaps assume that the batch stays as it is. */
void mr_lpx_afd_step(const struct mr_lpx_afd_setup *setup, const struct mr_batch *batch, double phi,
                     struct mr_lpx_afd *out);

/* ---- everything on LPUs ---- */

struct mr_lpx_decode {
    double weights_s, kv_s, c2c_s, head_s; /* of time_s; state is in kv_s */
    double spill_bytes, spill_s;           /* keys and values in DDR */
    double time_s;
    struct mr_lpx_leap step, active;
};

/** One step. Tokens of chunks pass one by one, as decodes do: each reads the keys that it sees.
 *  @return MR_OK, as mr_lpx_fit_of, or MR_LIMIT when keys and values exceed SRAM and DDR */
MR_CHECKED mr_status mr_lpx_decode_step(const struct mr_lpx *lpx, const struct mr_batch *batch,
                                        struct mr_lpx_decode *out, struct mr_err *err);

/* ---- drafts on LPUs ---- */

struct mr_lpx_draft_setup {
    struct mr_lpx lpx;                  /* of the draft LLM */
    const struct mr_step_setup *verify; /* n_draft: proposed tokens; accepted: kept ones */
    bool overlaps;                      /* the next drafts are made while these are verified */
};

struct mr_lpx_draft {
    double draft_s;  /* all drafts of a step and the two ways */
    double verify_s; /* on the GPUs */
    double accepted; /* mean tokens of a step */
    double time_s;
    struct mr_lpx_leap step, active;
};

/** Chunks are read by the GPUs alone. @return MR_OK, or as mr_lpx_decode_step and mr_step_check */
MR_CHECKED mr_status mr_lpx_draft_step(const struct mr_lpx_draft_setup *setup,
                                       const struct mr_batch *batch, double phi,
                                       struct mr_lpx_draft *out, struct mr_err *err);

#endif
