/* SPDX-License-Identifier: Apache-2.0 */
/* Memories below the HBM of a pool (<kv>): what is not given is that of a usual machine. */
#ifndef MR_ENGINE_TWIN_POOL_KV_H
#define MR_ENGINE_TWIN_POOL_KV_H

#include "engine/serve/onboard.h"
#include "engine/twin/scenario.h"

/** Which memory a level of the plan is: levels are in the order of enum mr_scenario_memory.
 *  @return MR_SCENARIO_NO_MEMORY past the last */
int mr_pool_kv_memory(const struct mr_scenario *scenario, uint32_t level);

/** Its name: "host". */
const char *mr_pool_kv_name(const struct mr_scenario *scenario, uint32_t level);

/** @param[in] serving of the pool, all else set; may have no prefix cache: then there are no levels
 *  @param[in] n_package of an instance @param[in] n_instance of the pool
 *  @param[in] token_bytes keys and values of a token */
MR_CHECKED mr_status mr_pool_kv_plan(const struct mr_scenario *scenario,
                                     const struct mr_serving *serving, double n_package,
                                     double n_instance, double token_bytes,
                                     struct mr_onboard_plan *plan, struct mr_err *err);

#endif
