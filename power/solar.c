/* SPDX-License-Identifier: Apache-2.0 */
/* Sunshine to watts. */
#include "power/solar.h"

#include <math.h>

// clang-format off
#define P struct mr_solar_params
static const struct mr_param rows[] = {
    MR_PARAM(P, area_m2, "area", MR_Q_AREA, "0 m2", 0, 1e9, "Area of the panels"),
    MR_PARAM(P, efficiency, "efficiency", MR_Q_FRACTION, "20 %", 0, 1, "Electric power over sunshine, losses on the way included"),
    MR_PARAM(P, inverter_w, "inverter", MR_Q_POWER, "1 MW", 0, 1e12, "Power at which the inverters cut off"),
};
#undef P
// clang-format on

static const struct mr_param_table table = {"solar", "Photovoltaics on the site.", rows,
                                            sizeof rows / sizeof *rows};

const struct mr_param_table *mr_solar_table(void)
{
    return &table;
}

void mr_solar_defaults(struct mr_solar_params *params)
{
    uint8_t origin[sizeof rows / sizeof *rows];
    *params = (struct mr_solar_params){0};
    mr_param_defaults(&(struct mr_param_target){&table, params, origin, NULL, NULL});
}

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
