/* SPDX-License-Identifier: Apache-2.0 */
/* Racks that go off by themselves and ask to come back. Of supply.h. */
#ifndef MR_POWER_SUPPLY_ADMIT_H
#define MR_POWER_SUPPLY_ADMIT_H

#include <stdbool.h>
#include <stdint.h>

struct mr_supply;

/** A rack goes off by itself, and draws nothing. It may start again: it is on once there is room
 *  for it. mr_supply_admit(): @return whether there is for all who ask; they start by the next
 *  advance. */
void mr_supply_leave(struct mr_supply *supply, uint32_t rack);
void mr_supply_ask(struct mr_supply *supply, uint32_t rack);
bool mr_supply_admit(struct mr_supply *supply);

/** Has it left, and not come back yet? */
bool mr_supply_is_away(const struct mr_supply *supply, uint32_t rack);

#endif
