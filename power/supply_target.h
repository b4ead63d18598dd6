/* SPDX-License-Identifier: Apache-2.0 */
/* Load targets of the connection to the grid. Of supply.h. */
#ifndef MR_POWER_SUPPLY_TARGET_H
#define MR_POWER_SUPPLY_TARGET_H

#include "power/feed.h"

struct mr_supply;

/** mr_feed_set of the site's connection, refused where no limit is stated. */
MR_CHECKED mr_status mr_supply_set_target(struct mr_supply *supply,
                                          const struct mr_feed_target *target, struct mr_err *err);

/** mr_feed_deepen, the same way. Targets that are set later relax it no more than earlier ones are
 *  by it, until it ends or another deepens. */
MR_CHECKED mr_status mr_supply_deepen_target(struct mr_supply *supply,
                                             const struct mr_feed_target *target,
                                             struct mr_err *err);

/** What a target that is set now is a share of: the draw before the first of those that are known,
 *  or now's. While the grid is away: of what it gave last. */
double mr_supply_target_base_w(const struct mr_supply *supply);

#endif
