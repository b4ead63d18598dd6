/* SPDX-License-Identifier: Apache-2.0 */
/* The governor's tree of a supply: what it is told of racks, and what they get. */
#ifndef MR_POWER_SUPPLY_TREE_IMPL_H
#define MR_POWER_SUPPLY_TREE_IMPL_H

#include "engine/base/status.h"

#include <stdint.h>

struct mr_supply;

/** The governor's tree, from racks whose maxima are known. */
MR_CHECKED mr_status mr_supply_tree_init(struct mr_supply *s, struct mr_err *err);

/** A rack's bounds, demand, tier go to its leaves; caps of leaves to racks and parts. */
void mr_supply_tree_bound(struct mr_supply *s, uint32_t rack);
void mr_supply_tree_want(struct mr_supply *s, uint32_t rack, double w);
void mr_supply_tree_tier(struct mr_supply *s, uint32_t rack, uint8_t tier);
void mr_supply_tree_apply(struct mr_supply *s);

/** Levels above racks that draw more than their limit are told. */
void mr_supply_tree_watch(struct mr_supply *s);

#endif
