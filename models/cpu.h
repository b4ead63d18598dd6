/* SPDX-License-Identifier: Apache-2.0 */
/* Cards of host processors (models/cpus/ID.xml). Power includes the processor's memory. */
#ifndef MR_MODELS_CPU_H
#define MR_MODELS_CPU_H

#include "engine/base/card.h"

struct mr_cpu_card {
    uint64_t n_core, n_thread;
    double memory_bytes, memory_bytes_s;
    double link_bytes_s; /* to its GPUs, coherent, one way; 0: none */
    double min_w, max_w;
    double memory_w; /* of max_w */
};

extern const struct mr_card_kind mr_cpu_kind;

static inline const struct mr_cpu_card *mr_cpu_of(const struct mr_card *card)
{
    return card->object;
}

#endif
