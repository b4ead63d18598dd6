/* SPDX-License-Identifier: Apache-2.0 */
/* Which network transfers between the pools go over when a scenario leaves it open. */
#ifndef MR_ENGINE_TWIN_NETWORK_H
#define MR_ENGINE_TWIN_NETWORK_H

#include "engine/serve/transfer_choice.h"
#include "engine/twin/scenario.h"

/** Network `auto` becomes another one: `flow` where few transfers are expected at once
 *  (transfer_choice.h), else `shared`. Expected is what drawn prompts send over the links of the
 *  instances that decode; of recorded calls and agents, as many as prefill instances have slots.
 *  @param[in] has_platform else there are no links for flows
 *  @param[out] why one sentence; empty where nothing was left open
 *  @return MR_OK, or why the pools cannot be */
MR_CHECKED mr_status mr_network_choose(struct mr_scenario *scenario, bool has_platform,
                                       char why[MR_TRANSFER_CHOICE_CAP], struct mr_diags *diags);

#endif
