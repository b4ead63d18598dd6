/* SPDX-License-Identifier: Apache-2.0 */
/* The table of network interface figures. */
#include "models/nic.h"

static const char *const roles[] = {
#define ROLE_TEXT(name, text, doc) text,
    MR_NIC_ROLE_LIST(ROLE_TEXT)
#undef ROLE_TEXT
};

// clang-format off
#define N struct mr_nic_card
static const struct mr_param rows[] = {
    MR_PARAM_ONE_OF(N, role, "role", roles, "nic", "An interface, or one with its own computer"),
    MR_PARAM_N(N, generation, "generation", NULL, 1, 100, "Generation of its family"),
    MR_PARAM_N(N, n_port, "ports", "1", 1, 1000, "Ports of the interface"),
    MR_PARAM(N, port_bytes_s, "port.bandwidth", MR_Q_DATA_RATE, NULL, 1e6, 1e13, "Bandwidth of one port, one way"),
    MR_PARAM(N, latency_s, "latency", MR_Q_TIME, "2 us", 0, 1, "Latency of a message, one way"),
    MR_PARAM(N, power_w, "power", MR_Q_POWER, NULL, 0.1, 1e4, "Power of the interface"),
};
#undef N
// clang-format on

static const struct mr_param_table table = {
    "nic", "One network interface or DPU; files models/nics/ID.xml.", rows,
    sizeof rows / sizeof *rows};

const struct mr_card_kind mr_nic_kind = {"nic", "models/nics", &table, sizeof(struct mr_nic_card),
                                         NULL};
