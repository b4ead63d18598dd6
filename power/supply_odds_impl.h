/* SPDX-License-Identifier: Apache-2.0 */
/* How often a supply's levels and its contract are asked for more than they give: sums over time.
 */
#ifndef MR_POWER_SUPPLY_ODDS_IMPL_H
#define MR_POWER_SUPPLY_ODDS_IMPL_H

struct mr_supply;
struct mr_supply_level;

/** What is asked of a level holds for so long. */
void mr_supply_odds_add(struct mr_supply_level *level, double dt_s);

/** The contract, since levels were watched last. */
void mr_supply_odds_watch(struct mr_supply *s);

#endif
