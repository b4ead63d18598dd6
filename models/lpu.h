/* SPDX-License-Identifier: Apache-2.0 */
/* LPU cards (models/lpus/ID.xml): one package, all of whose memory is SRAM, and what a rack gives
 * it. Compute is dense, bandwidths are one way. */
#ifndef MR_MODELS_LPU_H
#define MR_MODELS_LPU_H

#include "engine/base/card.h"

struct mr_lpu_card {
    double fp8_flop_s, fp4_flop_s; /* dense; fp4 0: no such path */
    double sram_bytes, sram_bytes_s, reserve_frac;
    double flop_frac, sram_frac, link_frac;      /* of the rates that programs reach */
    double link_bytes_s;                         /* all links to other LPUs */
    double near_latency_s, near_bytes;           /* SRAM to SRAM when a model spans near_bytes */
    double far_latency_s, far_bytes;             /* and when it spans far_bytes */
    uint64_t n_per_rack, n_tray;                 /* trays of a rack */
    double ddr_bytes, ddr_tray_bytes_s;          /* of a rack; of a tray */
    double gpu_path_latency_s, gpu_path_bytes_s; /* to GPUs; bandwidth of a tray */
    double max_p_w, idle_w;
    double junction_max_c;
};

extern const struct mr_card_kind mr_lpu_kind;

static inline const struct mr_lpu_card *mr_lpu_of(const struct mr_card *card)
{
    return card->object;
}

/** Latency of a message between LPUs of a model that spans `bytes` of SRAM [s]: linear in ln(bytes)
 *  between the two published points, flat outside. */
double mr_lpu_latency_s(const struct mr_lpu_card *lpu, double bytes);

/** LPUs that hold `bytes` of weights, the reserve left free. */
uint64_t mr_lpu_n_for(const struct mr_lpu_card *lpu, double bytes);

#endif
