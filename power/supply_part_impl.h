/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of a supply share of racks that rest in part (supply_part.c). */
#ifndef MR_POWER_SUPPLY_PART_IMPL_H
#define MR_POWER_SUPPLY_PART_IMPL_H

#include "power/supply_rack_impl.h"

MR_CHECKED mr_status mr_supply_part_init(struct mr_supply *s, struct mr_err *err);

/** Can some of its parts rest while others work? */
bool mr_supply_part_may_rest(const struct mr_supply *s, const struct mr_supply_rack *rack);

/** With the first n of its parts at work, the share of what all would draw beyond rest. */
double mr_supply_part_frac(const struct mr_supply *s, const struct mr_supply_rack *rack,
                           uint32_t n);

/** Lowest cap of a rack as it was decided for it and its parts. */
double mr_supply_part_low_w(const struct mr_supply *s, const struct mr_supply_rack *rack);

/** Is it decided that this one rests, in a rack that works? */
bool mr_supply_part_rests(const struct mr_supply *s, uint32_t part);

/** All work, or none is told apart. */
static inline bool mr_supply_is_whole(const struct mr_supply_rack *rack)
{
    return rack->n_awake == rack->n_part;
}

static inline void mr_supply_part_wake(struct mr_supply_rack *rack)
{
    rack->n_awake = rack->n_up = rack->n_part;
}

#endif
