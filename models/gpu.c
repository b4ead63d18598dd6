/* SPDX-License-Identifier: Apache-2.0 */
/* The table of GPU figures. Power defaults are those of a package whose full-rate prefill draws its
 * limit; cards with measurements say their own. */
#include "models/gpu.h"

// clang-format off
#define G struct mr_gpu_card
static const struct mr_param rows[] = {
    MR_PARAM(G, fp4_flop_s, "fp4", MR_Q_FLOP_RATE, "0 flop/s", 0, 1e19, "Dense FP4 rate; 0: no FP4 path"),
    MR_PARAM(G, fp8_flop_s, "fp8", MR_Q_FLOP_RATE, "0 flop/s", 0, 1e19, "Dense FP8 rate; 0: no FP8 path"),
    MR_PARAM(G, bf16_flop_s, "bf16", MR_Q_FLOP_RATE, NULL, 1e9, 1e19, "Dense BF16 rate"),
    MR_PARAM(G, memory_bytes, "memory", MR_Q_DATA, NULL, 1e6, 1e15, "Memory of the package"),
    MR_PARAM(G, memory_bytes_s, "memory.bandwidth", MR_Q_DATA_RATE, NULL, 1e9, 1e16, "Memory bandwidth"),
    MR_PARAM_N(G, nvlink_generation, "nvlink.generation", "0", 0, 20, "NVLink generation; 0: none"),
    MR_PARAM_N(G, domain_packages, "nvlink.packages", "1", 1, 100000, "Packages of a full scale-up domain"),
    MR_PARAM(G, nvlink_bytes_s, "nvlink.bandwidth", MR_Q_DATA_RATE, "0 B/s", 0, 1e15, "Scale-up bandwidth, one way"),
    MR_PARAM(G, nvlink_latency_s, "nvlink.latency", MR_Q_TIME, "1 us", 0, 1, "Time of a small message inside the domain, its switch included"),
    MR_PARAM_YES(G, nvlink_reduces, "nvlink.reduces", "no", "Switches of the domain add what they pass on"),
    MR_PARAM(G, scaleout_bytes_s, "scaleout.bandwidth", MR_Q_DATA_RATE, "0 B/s", 0, 1e15, "Scale-out bandwidth, one way"),
    MR_PARAM(G, scaleout_latency_s, "scaleout.latency", MR_Q_TIME, "5 us", 0, 1, "Time of a small message between domains"),
    MR_PARAM(G, max_p_w, "power.max_p", MR_Q_POWER, NULL, 1, 1e5, "Power limit at Max-P"),
    MR_PARAM(G, max_q_w, "power.max_q", MR_Q_POWER, "0 W", 0, 1e5, "Power limit at Max-Q; 0: none published"),
    MR_PARAM(G, idle_w, "power.idle", MR_Q_POWER, NULL, 0, 1e5, "Idle, leakage at 60 degC included"),
    MR_PARAM(G, context_w, "power.context", MR_Q_POWER, "45 W", 0, 1e4, "More once a process holds the package"),
    MR_PARAM(G, leakage_w, "power.leakage", MR_Q_POWER, "0 W", 0, 1e5, "Leakage at 60 degC, inside the idle power"),
    MR_PARAM(G, leakage_per_k, "power.leakage_slope", MR_Q_TEMPERATURE_COEFF, "0.02 1/K", 0, 0.1, "Leakage grows by this share per kelvin"),
    MR_PARAM(G, compute_w, "power.compute", MR_Q_POWER, "0 W", 0, 1e5, "More while kernels run, whatever they do, at full clock"),
    MR_PARAM(G, serving_w, "power.serving", MR_Q_POWER, "0 W", 0, 1e5, "More while a serving engine steps but neither multiplies nor reads at full rate, at full clock"),
    MR_PARAM(G, flop_bf16_j, "energy.bf16", MR_Q_ENERGY, "0 J", 0, 1e-6, "Per BF16 FLOP at full clock; 0: what fills the limit"),
    MR_PARAM(G, flop_fp8_j, "energy.fp8", MR_Q_ENERGY, "0 J", 0, 1e-6, "Per FP8 FLOP at full clock; 0: what fills the limit"),
    MR_PARAM(G, flop_fp4_j, "energy.fp4", MR_Q_ENERGY, "0 J", 0, 1e-6, "Per FP4 FLOP at full clock; 0: what fills the limit"),
    MR_PARAM(G, byte_j, "energy.byte", MR_Q_ENERGY, "5e-11 J", 0, 1e-6, "Per byte of memory traffic"),
    MR_PARAM(G, link_byte_j, "energy.link_byte", MR_Q_ENERGY, "4e-11 J", 0, 1e-6, "Per byte of link traffic"),
    MR_PARAM(G, clock_min, "clock.min", MR_Q_FRACTION, "0.35", 0.05, 1, "Lowest clock over the full clock"),
    MR_PARAM(G, clock_knee, "clock.knee", MR_Q_FRACTION, "0.6", 0.05, 1, "Below it voltage is at its floor and power falls with the clock alone"),
    MR_PARAM(G, power_exponent, "clock.exponent", MR_Q_COUNT, "2.6", 1, 4, "Dynamic power = full x clock^exponent above the knee"),
    MR_PARAM(G, memory_temperature_c, "memory.temperature", MR_Q_TEMPERATURE, "95 degC", 0, 150, "Limit of the memory's temperature"),
};
#undef G
// clang-format on

static const struct mr_param_table table = {"gpu", "One GPU package; files models/gpus/ID.xml.",
                                            rows, sizeof rows / sizeof *rows};

static void check(const struct mr_card *card, struct mr_diags *diags)
{
    const struct mr_gpu_card *gpu = card->object;
    if (gpu->max_q_w > gpu->max_p_w)
        mr_card_refuse(card, "power.max_q", diags, "above power.max_p");
    if (gpu->idle_w + gpu->context_w + gpu->compute_w + gpu->serving_w >= gpu->max_p_w)
        mr_card_refuse(card, "power.idle", diags,
                       "idle, context, compute and serving leave nothing of power.max_p for work");
    if (gpu->leakage_w > gpu->idle_w)
        mr_card_refuse(card, "power.leakage", diags, "above power.idle, which includes it");
    if (gpu->clock_knee < gpu->clock_min)
        mr_card_refuse(card, "clock.knee", diags, "below clock.min");
    if (gpu->domain_packages > 1 && gpu->nvlink_bytes_s <= 0)
        mr_card_refuse(card, "nvlink.bandwidth", diags,
                       "a scale-up domain of several packages needs it");
}

const struct mr_card_kind mr_gpu_kind = {"gpu", "models/gpus", &table, sizeof(struct mr_gpu_card),
                                         check};
