/* SPDX-License-Identifier: Apache-2.0 */
/* One play of a supply under what the power verb was told: rows of a trace, steps of instances,
 * planned events, calls of a flexible connection, each at its date. Between them the supply steps
 * by itself. */
#ifndef MR_ENGINE_CLI_POWER_PLAY_H
#define MR_ENGINE_CLI_POWER_PLAY_H

#include "engine/cli/power_steps.h"
#include "power/flex.h"
#include "power/plan.h"

/* Lent. */
struct mr_power_play {
    const struct mr_site *site;
    struct mr_supply *supply;
    const struct mr_thermal_load *load;
    const struct mr_power_steps *steps; /* without racks: rows alone */
    const struct mr_plan *plan;
    struct mr_flex *flex;
    double house_frac, until_s;
    bool is_fine; /* steps alone move: what is recorded in rows stands at its mean */
    void (*ahead)(void *context, double to_s); /* nothing is told until to_s; or NULL */
    void (*step)(void *context);               /* powers hold until the next call */
    void *context;
};

MR_CHECKED mr_status mr_power_play(const struct mr_power_play *play, struct mr_err *err);

#endif
