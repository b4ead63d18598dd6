/* SPDX-License-Identifier: Apache-2.0 */
/* The table of LPU figures. A model lives in SRAM or not at all: mr_lpu_n_for is a hard check, and
 * without an FP4 path 4-bit weights are stored as FP8. */
#include "models/lpu.h"

#include "engine/base/assert.h"
#include "engine/base/fmath.h"

// clang-format off
#define L struct mr_lpu_card
static const struct mr_param rows[] = {
    MR_PARAM(L, fp8_flop_s, "fp8", MR_Q_FLOP_RATE, NULL, 1e9, 1e19, "Dense FP8 rate"),
    MR_PARAM(L, fp4_flop_s, "fp4", MR_Q_FLOP_RATE, "0 flop/s", 0, 1e19, "Dense FP4 rate; 0: no FP4 path, weights are held as FP8"),
    MR_PARAM(L, sram_bytes, "sram", MR_Q_DATA, NULL, 1e3, 1e15, "SRAM of the package, all the memory there is"),
    MR_PARAM(L, sram_bytes_s, "sram.bandwidth", MR_Q_DATA_RATE, NULL, 1e9, 1e18, "Bandwidth of the SRAM"),
    MR_PARAM(L, reserve_frac, "sram.reserve", MR_Q_FRACTION, "0.1", 0, 0.9, "Share of the SRAM kept free of weights"),
    MR_PARAM(L, link_bytes_s, "c2c.bandwidth", MR_Q_DATA_RATE, NULL, 1e6, 1e15, "Bandwidth of all links to other packages, one way"),
    MR_PARAM(L, flop_frac, "flop.share", MR_Q_FRACTION, "0.75", 0.01, 1, "Share of the dense rate that products reach"),
    MR_PARAM(L, sram_frac, "sram.share", MR_Q_FRACTION, "0.8", 0.01, 1, "Share of the SRAM's bandwidth that weights and keys stream at"),
    MR_PARAM(L, link_frac, "c2c.share", MR_Q_FRACTION, "0.8", 0.01, 1, "Share of the links' bandwidth that messages reach"),
    MR_PARAM(L, near_latency_s, "c2c.latency", MR_Q_TIME, "0.35 us", 0, 1, "SRAM to SRAM when a model spans c2c.near"),
    MR_PARAM(L, near_bytes, "c2c.near", MR_Q_DATA, "8 GB", 1, 1e15, "SRAM that a model spans at c2c.latency"),
    MR_PARAM(L, far_latency_s, "c2c.far_latency", MR_Q_TIME, "2.95 us", 0, 1, "SRAM to SRAM when a model spans c2c.far"),
    MR_PARAM(L, far_bytes, "c2c.far", MR_Q_DATA, "1152 GB", 1, 1e16, "SRAM that a model spans at c2c.far_latency"),
    MR_PARAM_N(L, n_per_rack, "rack.packages", "256", 1, 100000, "Packages of a rack"),
    MR_PARAM_N(L, n_tray, "rack.trays", "32", 1, 1000, "Trays of a rack"),
    MR_PARAM(L, ddr_bytes, "rack.ddr", MR_Q_DATA, "0 B", 0, 1e16, "DDR of a rack, behind the fabric; 0: none"),
    MR_PARAM(L, ddr_tray_bytes_s, "tray.ddr_bandwidth", MR_Q_DATA_RATE, "0.4 TB/s", 0, 1e15, "DDR bandwidth of a tray"),
    MR_PARAM(L, gpu_path_latency_s, "gpu_path.latency", MR_Q_TIME, "5 us", 0, 1, "One way between a GPU and a package"),
    MR_PARAM(L, gpu_path_bytes_s, "gpu_path.bandwidth", MR_Q_DATA_RATE, "100 GB/s", 1e6, 1e15, "Bandwidth between GPUs and one tray, one way"),
    MR_PARAM(L, max_p_w, "power.max_p", MR_Q_POWER, NULL, 1, 1e5, "Power of the package at full rate"),
    MR_PARAM(L, idle_w, "power.idle", MR_Q_POWER, "30 W", 0, 1e5, "Power without work"),
    MR_PARAM(L, junction_max_c, "junction.max", MR_Q_TEMPERATURE, "105 degC", 0, 200, "Hottest junction in operation"),
};
#undef L
// clang-format on

static const struct mr_param_table table = {"lpu", "One LPU package; files models/lpus/ID.xml.",
                                            rows, sizeof rows / sizeof *rows};

static void check(const struct mr_card *card, struct mr_diags *diags)
{
    const struct mr_lpu_card *lpu = card->object;
    if (lpu->idle_w >= lpu->max_p_w)
        mr_card_refuse(card, "power.idle", diags, "not below power.max_p");
    if (lpu->far_bytes <= lpu->near_bytes)
        mr_card_refuse(card, "c2c.far", diags, "not above c2c.near");
    if (lpu->far_latency_s < lpu->near_latency_s)
        mr_card_refuse(card, "c2c.far_latency", diags, "below c2c.latency");
    if (lpu->n_per_rack % lpu->n_tray != 0)
        mr_card_refuse(card, "rack.trays", diags, "do not divide rack.packages");
}

const struct mr_card_kind mr_lpu_kind = {"lpu", "models/lpus", &table, sizeof(struct mr_lpu_card),
                                         check};

double mr_lpu_latency_s(const struct mr_lpu_card *lpu, double bytes)
{
    if (!(bytes > lpu->near_bytes))
        return lpu->near_latency_s;
    if (bytes >= lpu->far_bytes)
        return lpu->far_latency_s;
    const double share = mr_log(bytes / lpu->near_bytes) / mr_log(lpu->far_bytes / lpu->near_bytes);
    return lpu->near_latency_s + share * (lpu->far_latency_s - lpu->near_latency_s);
}

uint64_t mr_lpu_n_for(const struct mr_lpu_card *lpu, double bytes)
{
    const double n = ceil(bytes / (lpu->sram_bytes * (1 - lpu->reserve_frac)));
    MR_ASSERT(n >= 0 && n < 1e18);
    return (uint64_t)n;
}
