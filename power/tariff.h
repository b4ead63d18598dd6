/* SPDX-License-Identifier: Apache-2.0 */
/* What the meter costs: energy at a price that changes, carbon, and the demand charge, which bills
 * the highest average over a quarter of an hour in a billing period. Power changes linearly between
 * calls; every integral is exact. And what a flexible connection earns in a year. */
#ifndef MR_POWER_TARIFF_H
#define MR_POWER_TARIFF_H

#include "engine/base/param.h"
#include "power/series.h"

struct mr_tariff_params {
    double price_usd_j, carbon_kg_j; /* where there is no series */
    double demand_usd_w;             /* for each watt of the highest average, each period */
    double demand_window_s, billing_s;
};

const struct mr_param_table *mr_tariff_table(void);
void mr_tariff_defaults(struct mr_tariff_params *params);
MR_CHECKED mr_status mr_tariff_check(const struct mr_tariff_params *params, const char *name,
                                     struct mr_err *err);

struct mr_tariff {
    double t_s;
    double energy_j, energy_usd, carbon_kg;
    double window_j, window_end_s; /* energy of the window that is running */
    double peak_w;                 /* highest whole window of this billing period */
    double billing_end_s;
    double demand_usd; /* of the billing periods that are over */
};

struct mr_tariff mr_tariff_start(const struct mr_tariff_params *params, double t_s);

/** Power went linearly from from_w to to_w until t_s; below 0 is delivered to the grid, paid at the
 *  same price, and counts as 0 for carbon. @param[in] price, carbon NULL: the constants */
void mr_tariff_advance(const struct mr_tariff_params *params, struct mr_tariff *tariff,
                       const struct mr_series *price, const struct mr_series *carbon, double t_s,
                       double from_w, double to_w);

/** Demand charge so far, the running period as if it ended now, windows that are over only. */
double mr_tariff_demand_usd(const struct mr_tariff_params *params, const struct mr_tariff *tariff);

/* ---- flexible connection: more megawatts now, some hours a year with fewer ---- */

struct mr_tariff_flexible {
    double firm_w, flexible_w; /* always; all but the curtailed hours */
    double curtailed_w;        /* what may be drawn in those hours, at most firm_w */
    double curtail_s_year;
    double value_usd_j;        /* revenue less all other cost that follows energy */
    double capital_usd_w_year; /* of what is built for the watts above firm_w */
};

struct mr_tariff_year {
    double firm_usd, flexible_usd; /* net of a year with each connection */
    double gain_usd;
    double break_even_s; /* curtailed time at which the gain is 0; INFINITY: never */
};

MR_CHECKED mr_status mr_tariff_flexible_year(const struct mr_tariff_flexible *flexible,
                                             const char *name, struct mr_tariff_year *year,
                                             struct mr_err *err);

#endif
