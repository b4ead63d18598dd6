/* SPDX-License-Identifier: Apache-2.0 */
/* Parts of racks: packages that are governed one by one, and may rest while others of their rack
 * work. Of supply.h, which has what is asked of racks as wholes. */
#ifndef MR_POWER_SUPPLY_PART_H
#define MR_POWER_SUPPLY_PART_H

#include <stdbool.h>
#include <stdint.h>

struct mr_supply;

/* Packages [first, first + n) of a rack, all alike; no two parts share one. Where there are not
 * watts for all parts of a rack, those of the highest turn rest first, of equal ones the last. */
struct mr_supply_part {
    uint32_t rack, first, n;
    double turn;
};

/** What one package of a part draws at its lowest clock, and without work. Racks of which all parts
 *  are told can rest in part. */
void mr_supply_set_part_least(struct mr_supply *supply, uint32_t part, double least_w,
                              double rest_w);

/** Has a decision stopped the work of a part, or of all its rack? Its cap is what it draws at rest.
 */
bool mr_supply_part_is_held(const struct mr_supply *supply, uint32_t part);

#endif
