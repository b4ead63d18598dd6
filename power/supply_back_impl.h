/* SPDX-License-Identifier: Apache-2.0 */
/* When a site goes back to a grid whose voltage is there. Private to power. */
#ifndef MR_POWER_SUPPLY_BACK_IMPL_H
#define MR_POWER_SUPPLY_BACK_IMPL_H

#include <stdbool.h>

struct mr_supply;

/** Will the grid be there before caps of the next decision? */
bool mr_supply_back_is_soon(const struct mr_supply *s);

/** Voltage is there, and who carries the racks goes on for a moment: until caps hold that count the
 *  connection. */
bool mr_supply_back_must_wait(struct mr_supply *s);

/** What the connection leaves to racks then, whoever carries them now (supply_budget.c). */
double mr_supply_back_budget_w(struct mr_supply *s);

#endif
