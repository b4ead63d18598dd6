/* SPDX-License-Identifier: Apache-2.0 */
/* Sunshine to watts. */
#include "power/solar.h"

#include <math.h>

double mr_solar_w(const struct mr_solar_params *params, double irradiance_w_m2)
{
    return fmin(params->area_m2 * params->efficiency * fmax(irradiance_w_m2, 0),
                params->inverter_w);
}

mr_status mr_solar_series(struct mr_arena *arena, const struct mr_solar_params *params,
                          const struct mr_series *irradiance, struct mr_series *out,
                          struct mr_err *err)
{
    const uint32_t n = irradiance->n;
    double *const power_w = mr_arena_alloc(arena, n * sizeof *power_w, err);
    if (power_w == NULL)
        return MR_NOMEM;
    for (uint32_t i = 0; i < n; i++)
        power_w[i] = mr_solar_w(params, irradiance->value[i]);
    MR_TRY(mr_series_of(arena, irradiance->start_s, power_w, n, irradiance->start_s[n], out, err));
    out->origin_s = irradiance->origin_s;
    out->shift_s = irradiance->shift_s;
    out->wraps = irradiance->wraps;
    return MR_OK;
}
