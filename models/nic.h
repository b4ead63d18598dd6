/* SPDX-License-Identifier: Apache-2.0 */
/* Cards of network interfaces and DPUs (models/nics/ID.xml). */
#ifndef MR_MODELS_NIC_H
#define MR_MODELS_NIC_H

#include "engine/base/card.h"

/* name in files, meaning */
#define MR_NIC_ROLE_LIST(X)                          \
    X(NIC, "nic", "an interface of a GPU or a host") \
    X(DPU, "dpu", "an interface with its own computer")

enum mr_nic_role {
#define MR_NIC_ROLE_ENUM(name, text, doc) MR_NIC_ROLE_##name,
    MR_NIC_ROLE_LIST(MR_NIC_ROLE_ENUM)
#undef MR_NIC_ROLE_ENUM
};

struct mr_nic_card {
    int role; /* enum mr_nic_role */
    uint64_t generation, n_port;
    double port_bytes_s, latency_s, power_w; /* of one port, one way; of a message */
};

extern const struct mr_card_kind mr_nic_kind;

static inline const struct mr_nic_card *mr_nic_of(const struct mr_card *card)
{
    return card->object;
}

#endif
