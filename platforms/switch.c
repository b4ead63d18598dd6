/* SPDX-License-Identifier: Apache-2.0 */
/* The table of switch figures. */
#include "platforms/switch.h"

static const char *const technologies[] = {
#define TECHNOLOGY_TEXT(name, text, doc) text,
    MR_SWITCH_TECHNOLOGY_LIST(TECHNOLOGY_TEXT)
#undef TECHNOLOGY_TEXT
};

static const struct mr_param rows[] = {
    MR_PARAM_ONE_OF(struct mr_switch_card, technology, "technology", technologies, NULL,
                    "What network it is a switch of"),
    MR_PARAM_N(struct mr_switch_card, n_port, "ports", NULL, 1, 100000, "Ports of the switch"),
    MR_PARAM_N(struct mr_switch_card, n_chip, "chips", "1", 1, 1000, "Switch chips inside"),
    MR_PARAM(struct mr_switch_card, port_bytes_s, "port.bandwidth", MR_Q_DATA_RATE, NULL, 1e6, 1e13,
             "Bandwidth of one port, one way"),
    MR_PARAM(struct mr_switch_card, latency_s, "latency", MR_Q_TIME, "0.6 us", 0, 1,
             "Time of one pass through the switch"),
    MR_PARAM(struct mr_switch_card, power_w, "power", MR_Q_POWER, NULL, 1, 1e6,
             "Electric power of the chassis, pluggable and co-packaged optics apart"),
    MR_PARAM_YES(struct mr_switch_card, has_cpo, "cpo", "no", "Optics are co-packaged"),
};

static const struct mr_param_table table = {
    "switch", "One switch; files platforms/switches/ID.xml.", rows, sizeof rows / sizeof *rows};

const struct mr_card_kind mr_switch_kind = {"switch", "platforms/switches", &table,
                                            sizeof(struct mr_switch_card), NULL};

double mr_switch_bytes_s(const struct mr_switch_card *sw)
{
    return (double)sw->n_port * sw->port_bytes_s;
}
