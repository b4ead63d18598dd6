/* SPDX-License-Identifier: Apache-2.0 */
/* What the power verb prints of a play that has ended. */
#ifndef MR_ENGINE_CLI_POWER_TELL_H
#define MR_ENGINE_CLI_POWER_TELL_H

#include "engine/cli/power_odds.h"
#include "engine/cli/power_spectrum.h"
#include "power/flex.h"
#include "power/strand.h"

/* Lent. */
struct mr_power_tell {
    const struct mr_site *site;
    double until_s;
    const struct mr_supply *supply;
    const struct mr_supply_params *params;
    const struct mr_strand_site *strand;
    const struct mr_flex *flex;
    const struct mr_power_odds *odds;
    const struct mr_power_spectrum *spectrum;
};

void mr_power_tell_table(const struct mr_power_tell *told, struct mr_buf *out);
void mr_power_tell_json(const struct mr_power_tell *told, struct mr_buf *out);

#endif
