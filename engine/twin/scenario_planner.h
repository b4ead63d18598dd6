/* SPDX-License-Identifier: Apache-2.0 */
/* <planner> of a scenario. */
#ifndef MR_ENGINE_TWIN_SCENARIO_PLANNER_H
#define MR_ENGINE_TWIN_SCENARIO_PLANNER_H

#include <stdbool.h>
#include <stdint.h>

/* planner.h */
struct mr_planner_spec {
    double interval_s;             /* 0: no planner */
    double prompt_use, output_use; /* of an instance: u_p, u_d */
    double slack_frac, cooldown_s;
    uint64_t n_min, n_max, n_start; /* of the deployment; n_max, n_start 0: all */
    uint64_t prefill_min, prefill_max, prefill_start;
    uint64_t n_total; /* of both pools, serving or about to; 0: any number */
    double allocate_s, warm_s, flip_s;
    double load_bytes_s, weight_bytes; /* of an instance; weight_bytes 0: the network's */
    double fast;                       /* load and warm-up are divided by it with is_fast */
    bool is_fast;
};

#endif
