/* SPDX-License-Identifier: Apache-2.0 */
/* Events of a supply, found and on their way out. */
#ifndef MR_POWER_SUPPLY_EMIT_IMPL_H
#define MR_POWER_SUPPLY_EMIT_IMPL_H

#include "power/supply.h"

struct mr_supply_source;

/** Now. @param[in] kind enum of MR_SUPPLY_EVENT_LIST */
void mr_supply_emit(struct mr_supply *s, int kind, const char *entity, const char *detail,
                    double value, double limit);

/** Within or at the end of the running step. */
void mr_supply_emit_at(struct mr_supply *s, double t_s, int kind, const char *entity, double value,
                       double limit);
void mr_supply_emit_status(struct mr_supply *supply, const struct mr_feed_status *status);
void mr_supply_emit_alert(struct mr_supply *supply, const struct mr_feed_alert *alert);

/* ---- supply_tell.c ---- */

/** What runs from the start is no event. */
void mr_supply_tell_start(struct mr_supply *s);

/** Events of what has changed since the last step. */
void mr_supply_tell(struct mr_supply *s);

/** Units of a block have failed, and why, or are repaired. */
void mr_supply_tell_failed(struct mr_supply *s, struct mr_supply_source *source, const char *why);

#endif
