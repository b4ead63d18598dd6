/* SPDX-License-Identifier: Apache-2.0 */
/* What an instance shows to those who look on between events. Looking changes nothing. */
#ifndef MR_ENGINE_TWIN_GAUGE_H
#define MR_ENGINE_TWIN_GAUGE_H

#include "engine/serve/instance.h"

struct mr_gauge {
    double n_token;      /* made since the start, those of the running segment included */
    double kv_used_frac; /* of its blocks: held by calls that run, and pinned in the prefix cache */
    double kv_resident_frac; /* those, and what the prefix cache keeps beside them */
};

/** @param[in] now_s within the instance's segment, or after it */
struct mr_gauge mr_gauge_of(const struct mr_instance *instance, double now_s);

#endif
