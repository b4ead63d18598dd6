/* SPDX-License-Identifier: Apache-2.0 */
/* A run whose transfers are SimGrid's flows: it happens inside an actor of SimGrid's, on the
 * platform that the scenario names. */
#ifndef MR_ENGINE_CLI_RUN_FLOW_H
#define MR_ENGINE_CLI_RUN_FLOW_H

#include "engine/net/platform.h"
#include "engine/serve/transfer.h"
#include "engine/twin/scenario.h"

/** Does the scenario want it? */
bool mr_run_flow_is_wanted(const struct mr_scenario *scenario);

/** Call body(context, net) where transfers may happen. Once per process.
 *  @param[in] options how SimGrid is started
 *  @return MR_OK when the body was called, whatever came of it */
MR_CHECKED mr_status mr_run_flow(const struct mr_scenario *scenario,
                                 const struct mr_platform_options *options,
                                 void (*body)(void *context, struct mr_transfer *net),
                                 void *context, struct mr_diags *diags);

#endif
