/* SPDX-License-Identifier: Apache-2.0 */
/* Points of the electric side in a result file, named as DSX Exchange names them: storages,
 * generators, breakers, meters. A group is there when the site has one of them. */
#ifndef MR_ENGINE_CLI_POWER_POINTS_H
#define MR_ENGINE_CLI_POWER_POINTS_H

#include "engine/cli/groups.h"
#include "engine/record/track.h"
#include "engine/twin/record_every.h"
#include "power/supply.h"

struct mr_power_points;

/* What it writes. */
extern const struct mr_group_list mr_power_points_groups;

/** Declared before the file starts; lent its tracks until it is destroyed. @param[out] out
 *  mr_power_points_destroy, also when this fails */
MR_CHECKED mr_status mr_power_points_create(struct mr_runfile *file, const struct mr_site *site,
                                            const struct mr_supply *supply,
                                            const struct mr_record_every *every,
                                            struct mr_power_points **out, struct mr_err *err);
void mr_power_points_destroy(struct mr_power_points *points);

/** From now on what meters take in is the mean since the look before; else it is what they take in
 *  now, and will until the next. */
void mr_power_points_look_back(struct mr_power_points *points);

/** As tracks have it. */
void mr_power_points_look(struct mr_power_points *points, double lasts_s);
MR_CHECKED mr_status mr_power_points_row(struct mr_power_points *points, double t_s, uint32_t due,
                                         struct mr_err *err);

#endif
