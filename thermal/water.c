/* SPDX-License-Identifier: Apache-2.0 */
/* 2,430 kJ/kg at 30 degC gives 1.481 L of vapor for a kilowatt-hour; five cycles of concentration
 * add a quarter of it. Ignored: leaks, filter washing, the heat that drained water carries. */
#include "thermal/water.h"

// clang-format off
#define W struct mr_water_params
static const struct mr_param rows[] = {
    MR_PARAM(W, latent_j_kg, "latent", MR_Q_SPECIFIC_ENERGY, "2430 kJ/kg", 2e6, 2.6e6, "Heat of evaporation"),
    MR_PARAM(W, cycles, "cycles", MR_Q_COUNT, "5", 1.1, 1000, "Cycles of concentration: salts of the basin over those of the supply"),
    MR_PARAM(W, drift_frac, "drift", MR_Q_FRACTION, "0.0001", 0, 0.05, "Droplets lost, of the circulating flow"),
    MR_PARAM(W, density_kg_m3, "density", MR_Q_DENSITY, "1 kg/L", 900, 1100, "Of the supply"),
};
#undef W
// clang-format on

static const struct mr_limits_source sources[] = {
    {"latent", MR_CONFIDENCE_PUBLISHED, "steam tables, 30 degC"},
    {"cycles", MR_CONFIDENCE_ASSUMPTION, "common practice 3-7"},
    {"drift", MR_CONFIDENCE_PUBLISHED, "HewlettPackard/dc-rl"},
    {"density", MR_CONFIDENCE_PUBLISHED, "steam tables"},
};

const struct mr_limits_table mr_water_table = {
    {"water", "Water of towers and pads.", rows, sizeof rows / sizeof *rows}, sources};

void mr_water_defaults(struct mr_water_params *params)
{
    mr_limits_defaults(&mr_water_table.param, params);
}

mr_status mr_water_check(const char *what, const struct mr_water_params *params, struct mr_err *err)
{
    return mr_limits_check(what, &mr_water_table.param, params, err);
}

struct mr_water mr_water_of(const struct mr_water_params *params, double latent_w,
                            double circulating_kg_s)
{
    const double evaporated_kg_s = latent_w / params->latent_j_kg;
    return (struct mr_water){
        .evaporated_kg_s = evaporated_kg_s,
        .blow_down_kg_s = evaporated_kg_s / (params->cycles - 1),
        .drift_kg_s = params->drift_frac * circulating_kg_s,
    };
}

double mr_water_m3_s(const struct mr_water_params *params, const struct mr_water *water)
{
    return mr_water_total_kg_s(water) / params->density_kg_m3;
}
