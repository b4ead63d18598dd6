/* SPDX-License-Identifier: Apache-2.0 */
/* What stands beside a living grid, as the decisions of sources and budgets need it. */
#ifndef MR_POWER_SUPPLY_BESIDE_IMPL_H
#define MR_POWER_SUPPLY_BESIDE_IMPL_H

#include "power/supply_impl.h"

/** Around the decisions of all groups. */
void mr_supply_beside_begin(struct mr_supply *s);
void mr_supply_beside_end(struct mr_supply *s);

/** Ask machines beside a grid; when what turbines are asked for falls. */
void mr_supply_beside_ask(struct mr_supply *s, const struct mr_supply_group *group);
double mr_supply_beside_next_s(const struct mr_supply *s);

/** Share of what turbines give that caps may count on until later ones hold. */
double mr_supply_beside_counted_frac(const struct mr_supply *s);

/** @return watts given to the bars, below 0: taken */
double mr_supply_beside_w(struct mr_supply *s, struct mr_supply_group *group);

#endif
