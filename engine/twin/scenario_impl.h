/* SPDX-License-Identifier: Apache-2.0 */
/* The elements of scenarios: what reading, writing and the grammar share. */
#ifndef MR_ENGINE_TWIN_SCENARIO_IMPL_H
#define MR_ENGINE_TWIN_SCENARIO_IMPL_H

#include "engine/twin/scenario.h"

enum mr_scenario_part_id {
    MR_SCENARIO_PART_SITE,
    MR_SCENARIO_PART_DEPLOYMENT,
    MR_SCENARIO_PART_PREFILL,
    MR_SCENARIO_PART_TRANSFER,
    MR_SCENARIO_PART_LPX,
    MR_SCENARIO_PART_KV,
    MR_SCENARIO_PART_WORKLOAD,
    MR_SCENARIO_PART_AGENTS,
    MR_SCENARIO_PART_TOOLS,
    MR_SCENARIO_PART_TENANT,
    MR_SCENARIO_PART_TIER,
    MR_SCENARIO_PART_OUTAGE,
    MR_SCENARIO_PART_FAILURES,
    MR_SCENARIO_PART_PLANNER,
    MR_SCENARIO_PART_RECORD,
    MR_SCENARIO_PART_TWIN, /* from here on: with a site */
    MR_SCENARIO_PART_WEATHER,
    MR_SCENARIO_PART_PLANT,
    MR_SCENARIO_PART_SUPPLY,
    MR_SCENARIO_PART_WIRE,
    MR_SCENARIO_PART_GOVERNOR,
    MR_SCENARIO_PART_FEED,
    MR_SCENARIO_PART_RIDE,
    MR_SCENARIO_PART_TARIFF,
    MR_SCENARIO_PART_FREQUENCY,
    MR_SCENARIO_PART_SMOOTHING,
    MR_SCENARIO_PART_GRID,
    MR_SCENARIO_PART_ECONOMY,
    MR_SCENARIO_PART_EVENT,
    MR_SCENARIO_PART_RACK,
    MR_SCENARIO_PART_PART,
    MR_SCENARIO_PART_LAYOUT,
    MR_SCENARIO_PARTS
};

/* Where a part's objects are in struct mr_scenario. */
struct mr_scenario_part {
    const struct mr_param_table *table;
    size_t offset;
    size_t n_offset; /* of a size_t that counts them; 0: there is one */
    size_t item_bytes, n_max;
};

extern const struct mr_param_table mr_scenario_top_table;

/** @param[in] part enum mr_scenario_part_id */
struct mr_scenario_part mr_scenario_part(int part);

/** Is a part written out, or is it nothing to this scenario? */
bool mr_scenario_has(const struct mr_scenario *scenario, int part);

/** Tiers of the header of the agents' file, with its prices: those of the scenario's own name are
 *  left as they are. @param[in] n_given tiers of the scenario's own, which stand first
 *  @return MR_OK also where the file cannot be read: whoever plays it tells; MR_LIMIT, MR_NOMEM */
MR_CHECKED mr_status mr_scenario_take_tiers(struct mr_scenario *scenario, size_t n_given,
                                            struct mr_err *err);

#endif
