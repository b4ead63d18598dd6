/* SPDX-License-Identifier: Apache-2.0 */
/* The table of host processor figures. */
#include "models/cpu.h"

// clang-format off
#define C struct mr_cpu_card
static const struct mr_param rows[] = {
    MR_PARAM_N(C, n_core, "cores", NULL, 1, 100000, "Cores of the processor"),
    MR_PARAM_N(C, n_thread, "threads", NULL, 1, 1000000, "Hardware threads of all cores"),
    MR_PARAM(C, memory_bytes, "memory", MR_Q_DATA, NULL, 1e6, 1e15, "Memory of the processor"),
    MR_PARAM(C, memory_bytes_s, "memory.bandwidth", MR_Q_DATA_RATE, NULL, 1e6, 1e15, "Memory bandwidth"),
    MR_PARAM(C, link_bytes_s, "c2c.bandwidth", MR_Q_DATA_RATE, "0 B/s", 0, 1e15, "Coherent link to GPUs, one way; 0: none"),
    MR_PARAM(C, min_w, "power.min", MR_Q_POWER, NULL, 0, 1e5, "Lowest power limit, memory included"),
    MR_PARAM(C, max_w, "power.max", MR_Q_POWER, NULL, 1, 1e5, "Power at full load, memory included"),
    MR_PARAM(C, memory_w, "power.memory", MR_Q_POWER, "30 W", 0.1, 1e5, "Of that, the memory modules"),
};
#undef C
// clang-format on

static const struct mr_param_table table = {"cpu", "One host processor; files models/cpus/ID.xml.",
                                            rows, sizeof rows / sizeof *rows};

static void check(const struct mr_card *card, struct mr_diags *diags)
{
    const struct mr_cpu_card *cpu = card->object;
    if (cpu->n_thread < cpu->n_core)
        mr_card_refuse(card, "threads", diags, "fewer than cores");
    if (cpu->min_w > cpu->max_w)
        mr_card_refuse(card, "power.min", diags, "above power.max");
    if (cpu->memory_w >= cpu->max_w)
        mr_card_refuse(card, "power.memory", diags,
                       "leaves nothing of power.max, which includes it");
}

const struct mr_card_kind mr_cpu_kind = {"cpu", "models/cpus", &table, sizeof(struct mr_cpu_card),
                                         check};
