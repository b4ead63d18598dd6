/* SPDX-License-Identifier: Apache-2.0 */
/* What fits into the memory of an instance: weights, reserve, and KV blocks for the rest. */
#ifndef MR_MODELS_MEMORY_H
#define MR_MODELS_MEMORY_H

#include "models/step.h"

struct mr_memory {
    double package_bytes;  /* given to the engine, per package */
    double weight_bytes;   /* per package */
    double reserve_bytes;  /* per package */
    double kv_token_bytes; /* per token, on every package that keeps it */
    double sequence_bytes; /* once per sequence, per package: windows, state */
    double kv_bytes;       /* left for keys and values, per package; below 0: does not fit */
    uint64_t n_block;      /* KV blocks of the instance, all copies of attention together */
    uint64_t block_tokens;
};

/** @param[in] n_sequence sequences whose windows and states are kept at once
 *  @param[in] n_block number of blocks when the engine says it; 0: what fits
 *  @return MR_OK, or MR_LIMIT naming the shortfall per package */
MR_CHECKED mr_status mr_memory_of(const struct mr_step_setup *setup, double n_sequence,
                                  uint64_t n_block, struct mr_memory *memory, struct mr_err *err);

#endif
