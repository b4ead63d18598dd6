/* SPDX-License-Identifier: Apache-2.0 */
/* Readings as means. Powers of a supply change when something happens, so a reading right after
 * that is not what the time before it was like. Energies are exact: means are made of them. */
#ifndef MR_POWER_SUPPLY_MEAN_H
#define MR_POWER_SUPPLY_MEAN_H

#include "power/supply.h"

/* Energies up to a date, and the reading that was made of the time before it. */
struct mr_supply_mean {
    double t_s;
    struct mr_supply_total total;
    struct mr_supply_reading reading;
};

/** The time to come begins now. Until it has, the reading is that of now. */
void mr_supply_mean_begin(struct mr_supply_mean *mean, const struct mr_supply *supply);

/** The reading of now, with powers that are means of the time since this was asked last (`meter_w`,
 *  what is allowed, prices and states are those of now). No time has passed: powers stay. */
void mr_supply_mean_read(struct mr_supply_mean *mean, const struct mr_supply *supply);

#endif
