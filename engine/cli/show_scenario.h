/* SPDX-License-Identifier: Apache-2.0 */
/* The verb show of a scenario: pools, workload, tiers, and where every value comes from. */
#ifndef MR_ENGINE_CLI_SHOW_SCENARIO_H
#define MR_ENGINE_CLI_SHOW_SCENARIO_H

#include <stdbool.h>

struct mr_verb_call;

struct mr_show_scenario_options {
    bool as_json, is_effective;
};

/** @return exit code */
int mr_show_scenario(const struct mr_verb_call *call,
                     const struct mr_show_scenario_options *options);

#endif
