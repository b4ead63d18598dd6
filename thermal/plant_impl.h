/* SPDX-License-Identifier: Apache-2.0 */
/* Between the files of the plant. */
#ifndef MR_THERMAL_PLANT_IMPL_H
#define MR_THERMAL_PLANT_IMPL_H

#include "thermal/plant.h"

void mr_plant_tell(const struct mr_plant *plant, struct mr_plant_state *state,
                   const struct mr_plant_event *event);

/** Supply of a loop now. */
double mr_plant_loop_supply_c(const struct mr_plant_loop_state *loop);

/** Look at a rack's flow again. */
void mr_plant_rack_flow(const struct mr_plant *plant, struct mr_plant_state *state, uint32_t i);

/** Who has power, or may draw how much, has changed. */
void mr_plant_renew_power(const struct mr_plant *plant, struct mr_plant_state *state,
                          uint32_t rack);

/** A leak enters its next stage. */
void mr_plant_leak_stage(const struct mr_plant *plant, struct mr_plant_state *state, uint32_t rack);

/** Remember what is stored: energy counts from here. */
void mr_plant_mark(const struct mr_plant *plant, struct mr_plant_state *state);

#endif
