/* SPDX-License-Identifier: Apache-2.0 */
/* Water that evaporation takes: what becomes vapor, what is drained so that salts do not pile up
 * (blow-down = evaporation / (cycles - 1)), what drifts away as droplets. */
#ifndef MR_THERMAL_WATER_H
#define MR_THERMAL_WATER_H

#include "thermal/limits.h"

struct mr_water_params {
    double latent_j_kg; /* heat of evaporation */
    double cycles;      /* salts of the basin over those of the supply */
    double drift_frac;  /* of the circulating flow */
    double density_kg_m3;
};

/* Flows of mass [kg/s]; their sum is drawn from the supply. */
struct mr_water {
    double evaporated_kg_s, blow_down_kg_s, drift_kg_s;
};

extern const struct mr_limits_table mr_water_table;

void mr_water_defaults(struct mr_water_params *params);
MR_CHECKED mr_status mr_water_check(const char *what, const struct mr_water_params *params,
                                    struct mr_err *err);

struct mr_water mr_water_of(const struct mr_water_params *params, double latent_w,
                            double circulating_kg_s);

static inline double mr_water_total_kg_s(const struct mr_water *water)
{
    return water->evaporated_kg_s + water->blow_down_kg_s + water->drift_kg_s;
}

/** Volume drawn [m3/s]. */
double mr_water_m3_s(const struct mr_water_params *params, const struct mr_water *water);

#endif
