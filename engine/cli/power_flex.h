/* SPDX-License-Identifier: Apache-2.0 */
/* What the grid connection tells, as tables of a result file: a row for every status (the trace of
 * compliance) and one each time an alert of a breach is told, in the fields of DSX Flex. */
#ifndef MR_ENGINE_CLI_POWER_FLEX_H
#define MR_ENGINE_CLI_POWER_FLEX_H

#include "engine/cli/groups.h"
#include "engine/record/columns.h"
#include "power/supply.h"

/* What it writes. */
extern const struct mr_group_list mr_power_flex_groups;

struct mr_power_flex {
    struct mr_columns *statuses, *alerts; /* lent by the file */
    double need_w;                        /* over the target when the breach in force began */
};

MR_CHECKED mr_status mr_power_flex_create(struct mr_runfile *file, struct mr_power_flex *flex,
                                          struct mr_err *err);

/** What the supply is telling just now; nothing where its event is of something else.
 *  @param[in] t_s of the event */
MR_CHECKED mr_status mr_power_flex_take(struct mr_power_flex *flex, const struct mr_supply *supply,
                                        double t_s, struct mr_err *err);

#endif
