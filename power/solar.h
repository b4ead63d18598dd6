/* SPDX-License-Identifier: Apache-2.0 */
/* Photovoltaics from a series of sunshine: power = min(area efficiency irradiance, inverter). The
 * irradiance on the plane is the caller's (horizontal from a weather file is what most have).
 * Ignored: warm cells lose some 0.4 %/K, tilt, dirt, snow. */
#ifndef MR_POWER_SOLAR_H
#define MR_POWER_SOLAR_H

#include "power/series.h"

struct mr_solar_params {
    double area_m2, efficiency; /* electric power over sunshine, losses on the way included */
    double inverter_w;          /* where the inverters cut off */
};

double mr_solar_w(const struct mr_solar_params *params, double irradiance_w_m2);

/** Power at the steps of the irradiance; the same dates and turns. */
MR_CHECKED mr_status mr_solar_series(struct mr_arena *arena, const struct mr_solar_params *params,
                                     const struct mr_series *irradiance, struct mr_series *out,
                                     struct mr_err *err);

#endif
