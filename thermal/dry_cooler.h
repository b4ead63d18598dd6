/* SPDX-License-Identifier: Apache-2.0 */
/* Dry cooler: cross-flow coil, both sides unmixed, with variable fans.
 *
 *   heat = G (entering - air)      G = eps C_min
 *   eps = 1 - exp(N^0.22 / c (exp(-c N^0.78) - 1))     N = UA / C_min, c = C_min / C_max
 *   1/UA = 1/hA_air + 1/hA_water   hA_air ~ air flow^0.8, hA_water ~ water flow^0.85
 *
 * Fans move volume: air flow follows speed and density, power speed^3 and density. With fans off
 * free convection carries a share. Everything here is one unit; a bypass keeps the set-point where
 * even still air would cool below it. Fouling, recirculation between units and freezing are not
 * modeled. */
#ifndef MR_THERMAL_DRY_COOLER_H
#define MR_THERMAL_DRY_COOLER_H

#include "platforms/reject.h"
#include "thermal/limits.h"
#include "thermal/weather.h"

struct mr_dry_cooler_params {
    double capacity_w, fan_w;            /* at design */
    double air_c, entering_c, leaving_c; /* design: outdoor air, coolant */
    double air_rise_k;                   /* of the air through the coil at design */
    double resistance_ratio;             /* water side over air side at design */
    double air_exponent, water_exponent; /* of hA over flow */
    double free_frac;                    /* air flow with fans off over design */
    double fan_exponent;                 /* of power over speed */
};

/* Const after mr_dry_cooler_make. */
struct mr_dry_cooler {
    struct mr_dry_cooler_params p;
    double water_w_k, air_w_k, ua_w_k; /* at design */
    double air_hw, water_hw;           /* hA of the sides at design [W/K] */
};

/* What a unit meets. */
struct mr_dry_cooler_in {
    double entering_c, flow_frac; /* coolant; over design flow */
    double air_c, density_frac;   /* at its coil; air density over sea level */
    double fans_frac;             /* share of fans that can run */
    double set_c;                 /* wanted leaving temperature */
};

struct mr_dry_cooler_out {
    double heat_w, leaving_c;
    double speed_frac, fan_w; /* of the fans that can run */
    double air_w_k, air_out_c;
    bool is_saturated; /* leaves warmer than wanted */
    bool is_bypassed;  /* fans off, a part of the coolant goes around the coil */
};

extern const struct mr_limits_table mr_dry_cooler_table;

void mr_dry_cooler_defaults(struct mr_dry_cooler_params *params);

/** The design point of a card over whatever `params` holds. */
void mr_dry_cooler_of_card(const struct mr_reject_card *card, struct mr_dry_cooler_params *params);

/** Check and derive. @param[in] what names the unit in messages, `dry_cooler "X0"` */
MR_CHECKED mr_status mr_dry_cooler_make(const char *what, const struct mr_dry_cooler_params *params,
                                        struct mr_dry_cooler *cooler, struct mr_err *err);

/** Heat for each kelvin between entering coolant and air [W/K], at air flow over design. */
double mr_dry_cooler_g_w_k(const struct mr_dry_cooler *cooler, double flow_frac, double air_frac);

/** Fans at the speed that gives the set-point, or at full speed. */
struct mr_dry_cooler_out mr_dry_cooler_run(const struct mr_dry_cooler *cooler,
                                           const struct mr_dry_cooler_in *in);

/** The warmest air in which a unit at design flow and full fans sends this share of its design heat
 *  away and still delivers `leaving_c`. */
double mr_dry_cooler_limit_c(const struct mr_dry_cooler *cooler, double heat_frac, double leaving_c,
                             double density_frac);

/** Time in [from, to] in which dry coolers alone, each with this share of its design heat, cannot
 *  deliver `leaving_c`, and how far the weather is beyond that, as sums of mr_weather_integrate.
 *  The air is that of the place's altitude. */
struct mr_weather_sum mr_dry_cooler_short(const struct mr_dry_cooler *cooler,
                                          const struct mr_weather *weather, double heat_frac,
                                          double leaving_c, double from_s, double to_s);

#endif
