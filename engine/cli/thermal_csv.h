/* SPDX-License-Identifier: Apache-2.0 */
/* Tables of the thermal verb: the site and its racks at a date, dies at the end. May include base
 * and thermal. */
#ifndef MR_ENGINE_CLI_THERMAL_CSV_H
#define MR_ENGINE_CLI_THERMAL_CSV_H

#include "engine/base/text.h"
#include "thermal/plant.h"

/** A row of the site; a row per rack. @param[in] t_s their date */
void mr_thermal_csv_site(const struct mr_plant *plant, const struct mr_plant_state *state,
                         double t_s, struct mr_buf *out);
void mr_thermal_csv_racks(const struct mr_plant *plant, const struct mr_plant_state *state,
                          double t_s, struct mr_buf *out);

/** A row per package, now. */
void mr_thermal_csv_dies(const struct mr_plant *plant, const struct mr_plant_state *state,
                         uint64_t seed, struct mr_buf *out);

#endif
