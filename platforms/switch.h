/* SPDX-License-Identifier: Apache-2.0 */
/* Cards of switches (platforms/switches/ID.xml), scale-up and scale-out: what a fabric needs of
 * them. */
#ifndef MR_PLATFORMS_SWITCH_H
#define MR_PLATFORMS_SWITCH_H

#include "engine/base/card.h"

/* name in files, meaning */
#define MR_SWITCH_TECHNOLOGY_LIST(X)               \
    X(ETHERNET, "ethernet", "Spectrum and kin")    \
    X(INFINIBAND, "infiniband", "Quantum and kin") \
    X(NVLINK, "nvlink", "scale-up network of GPUs")

enum mr_switch_technology {
#define MR_SWITCH_TECHNOLOGY_ENUM(name, text, doc) MR_SWITCH_TECHNOLOGY_##name,
    MR_SWITCH_TECHNOLOGY_LIST(MR_SWITCH_TECHNOLOGY_ENUM)
#undef MR_SWITCH_TECHNOLOGY_ENUM
};

struct mr_switch_card {
    int technology; /* enum mr_switch_technology */
    uint64_t n_port, n_chip;
    double port_bytes_s, latency_s, power_w; /* of one port, one way; one pass; the chassis */
    bool has_cpo;
};

extern const struct mr_card_kind mr_switch_kind;

static inline const struct mr_switch_card *mr_switch_of(const struct mr_card *card)
{
    return card->object;
}

/** All ports together, one way [B/s]. */
double mr_switch_bytes_s(const struct mr_switch_card *sw);

#endif
