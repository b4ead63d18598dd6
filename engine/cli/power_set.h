/* SPDX-License-Identifier: Apache-2.0 */
/* What the power verb is told by --set and --tier. */
#ifndef MR_ENGINE_CLI_POWER_SET_H
#define MR_ENGINE_CLI_POWER_SET_H

#include "power/spectrum.h"
#include "power/supply.h"

/** "SCOPE.NAME=VALUE" @return MR_REF naming the nearest scope, or what the parameter says */
MR_CHECKED mr_status mr_power_set(const char *text, struct mr_supply_params *p,
                                  struct mr_spectrum_params *spectrum, struct mr_err *err);

/** "NAME=TIER" */
MR_CHECKED mr_status mr_power_set_tier(const char *text, struct mr_supply *supply,
                                       struct mr_err *err);

#endif
