/* SPDX-License-Identifier: Apache-2.0 */
/* Solar power over time for the supply, in shares of rated power: a CSV of shares as it is, or a
 * weather file (.epw), whose sunshine on the plane goes through the photovoltaics of a plant that
 * reaches its rating at 1000 W/m2, where panels are rated. */
#ifndef MR_ENGINE_TWIN_SUN_H
#define MR_ENGINE_TWIN_SUN_H

#include "platforms/site.h"
#include "power/series.h"

/** @param[in] start date of the run's time 0, 2024-07-01T00:00Z; NULL: where the file begins. Of a
 *  weather file only the season counts: it is laid on the year of the start, and a whole year
 *  begins again at its end (after 28 February of a leap year one day late, if it has 365). */
MR_CHECKED mr_status mr_sun_read(struct mr_arena *arena, const char *path, const char *start,
                                 struct mr_series *sun, struct mr_err *err);

/** Warn of solar fields that no series shines on. */
void mr_sun_check(const struct mr_site *site, const struct mr_series *sun, struct mr_diags *diags);

#endif
