/* SPDX-License-Identifier: Apache-2.0 */
/* GPU cards (models/gpus/ID.xml): one package. Compute is dense, bandwidths are one way. */
#ifndef MR_MODELS_GPU_H
#define MR_MODELS_GPU_H

#include "engine/base/card.h"

struct mr_gpu_card {
    double fp4_flop_s, fp8_flop_s, bf16_flop_s; /* dense; 0: no such path */
    double memory_bytes, memory_bytes_s;
    uint64_t nvlink_generation, domain_packages;
    double nvlink_bytes_s, nvlink_latency_s; /* one way; one message, its switch included */
    bool nvlink_reduces;                     /* switches add what they pass on */
    double scaleout_bytes_s, scaleout_latency_s;
    double max_p_w, max_q_w; /* limits of the package; max_q 0: none published */
    double clock_min, clock_knee, power_exponent; /* operating point: phi_min, phi_k, g */
    double idle_w, context_w;                     /* no kernel runs; CUDA context resident */
    double leakage_w, leakage_per_k;              /* at 60 degC; growth per kelvin */
    double flop_bf16_j, flop_fp8_j, flop_fp4_j;   /* per FLOP at full clock */
    double byte_j, link_byte_j;                   /* per byte of memory, of links */
    double compute_w; /* drawn by running at all (clocks, schedulers), at full clock */
    double serving_w; /* drawn by a serving engine whose kernels stall and wait, at full clock */
    double memory_temperature_c;
};

extern const struct mr_card_kind mr_gpu_kind;

static inline const struct mr_gpu_card *mr_gpu_of(const struct mr_card *card)
{
    return card->object;
}

#endif
