/* SPDX-License-Identifier: Apache-2.0 */
/* The verb show of a scenario, or of one out of a result file: pools, workload, tiers, and where
 * every value comes from; its site, for graphs. */
#ifndef MR_ENGINE_CLI_SHOW_SCENARIO_H
#define MR_ENGINE_CLI_SHOW_SCENARIO_H

#include "engine/base/status.h"

struct mr_site;
struct mr_verb_call;
struct mr_diags;

struct mr_show_scenario_options {
    bool as_json, is_effective;
};

/** @return exit code */
int mr_show_scenario(const struct mr_verb_call *call,
                     const struct mr_show_scenario_options *options);

/** The site that a scenario names, its changes made. @param[out] site owned by the caller
 *  @return MR_OK, or MR_REF: it names none */
MR_CHECKED mr_status mr_show_scenario_site(const char *path, struct mr_site **site,
                                           struct mr_diags *diags);

#endif
