/* SPDX-License-Identifier: Apache-2.0 */
/* The default is the BAC Trillium TDFS1238N-C60ET40B of the LBNL Modelica Buildings library: 2,931
 * kW at 35 degC air, coolant 46.11 -> 40.55 degC, fans 117.68 kW. Its effectiveness, 0.5005, gives
 * N = 1.15 by inverting the formula once. */
#include "thermal/dry_cooler.h"

#include "engine/base/fmath.h"
#include "thermal/moist.h"
#include "thermal/root.h"

// clang-format off
#define D struct mr_dry_cooler_params
static const struct mr_param rows[] = {
    MR_PARAM(D, capacity_w, "capacity", MR_Q_POWER, "2931 kW", 1e3, 1e9, "Heat of one unit at design"),
    MR_PARAM(D, fan_w, "fans", MR_Q_POWER, "117.68 kW", 0, 1e8, "Power of the fans at full speed"),
    MR_PARAM(D, air_c, "air", MR_Q_TEMPERATURE, "35 degC", -60, 60, "Outdoor air at design"),
    MR_PARAM(D, entering_c, "entering", MR_Q_TEMPERATURE, "46.11 degC", -60, 120, "Coolant that enters at design"),
    MR_PARAM(D, leaving_c, "leaving", MR_Q_TEMPERATURE, "40.55 degC", -60, 120, "Coolant that leaves at design"),
    MR_PARAM(D, air_rise_k, "air_rise", MR_Q_TEMPERATURE_DIFF, "5.551 K", 0.1, 60, "Air through the coil warms by this at design"),
    MR_PARAM(D, resistance_ratio, "resistance_ratio", MR_Q_COUNT, "0.5", 0.01, 100, "Resistance of the water side over that of the air side"),
    MR_PARAM(D, air_exponent, "air_exponent", MR_Q_COUNT, "0.8", 0.1, 1, "Air side: hA over flow"),
    MR_PARAM(D, water_exponent, "water_exponent", MR_Q_COUNT, "0.85", 0.1, 1, "Water side: hA over flow"),
    MR_PARAM(D, free_frac, "free", MR_Q_FRACTION, "0.125", 0.001, 0.9, "Air flow with fans off over design"),
    MR_PARAM(D, fan_exponent, "fan_exponent", MR_Q_COUNT, "3", 1, 4, "Fan power over speed"),
};
#undef D
// clang-format on

static const char record[] = "BAC Trillium TDFS1238N-C60ET40B, LBNL Modelica Buildings";

static const struct mr_limits_source sources[] = {
    {"capacity", MR_CONFIDENCE_PUBLISHED, record},
    {"fans", MR_CONFIDENCE_PUBLISHED, record},
    {"air", MR_CONFIDENCE_PUBLISHED, record},
    {"entering", MR_CONFIDENCE_PUBLISHED, record},
    {"leaving", MR_CONFIDENCE_PUBLISHED, record},
    {"air_rise", MR_CONFIDENCE_PUBLISHED, "528 kW/K of air, derived from the same record"},
    {"resistance_ratio", MR_CONFIDENCE_PUBLISHED, "LBNL Modelica Buildings"},
    {"air_exponent", MR_CONFIDENCE_PUBLISHED, "LBNL Modelica Buildings"},
    {"water_exponent", MR_CONFIDENCE_PUBLISHED, "LBNL Modelica Buildings"},
    {"free", MR_CONFIDENCE_PUBLISHED, "LBNL Modelica Buildings, EnergyPlus"},
    {"fan_exponent", MR_CONFIDENCE_ESTIMATED, "affinity law"},
};

const struct mr_limits_table mr_dry_cooler_table = {
    {"dry_cooler", "Dry cooler, heat to outdoor air.", rows, sizeof rows / sizeof *rows}, sources};

void mr_dry_cooler_defaults(struct mr_dry_cooler_params *params)
{
    mr_limits_defaults(&mr_dry_cooler_table.param, params);
}

/* Air that the card does not speak of warms as much as the coolant cools, as in the record. */
void mr_dry_cooler_of_card(const struct mr_reject_card *card, struct mr_dry_cooler_params *params)
{
    params->capacity_w = card->capacity_w;
    params->fan_w = card->electric_w;
    params->air_c = card->air_c;
    params->entering_c = card->entering_c;
    params->leaving_c = card->leaving_c;
    params->air_rise_k *= (card->entering_c - card->leaving_c) / (46.11 - 40.55);
}

/* ---- effectiveness ---- */

static double effectiveness(double n, double c)
{
    return -mr_expm1(mr_pow(n, 0.22) / c * mr_expm1(-c * mr_pow(n, 0.78)));
}

struct wanted {
    double c, effectiveness;
};

static double excess_effectiveness(double n, const void *context)
{
    const struct wanted *w = context;
    return effectiveness(n, w->c) - w->effectiveness;
}

mr_status mr_dry_cooler_make(const char *what, const struct mr_dry_cooler_params *params,
                             struct mr_dry_cooler *cooler, struct mr_err *err)
{
    const struct mr_dry_cooler_params *p = params;
    const double n_max = 100;
    MR_TRY(mr_limits_check(what, &mr_dry_cooler_table.param, p, err));
    if (!(p->entering_c > p->leaving_c && p->leaving_c > p->air_c))
        return mr_err_set(err, MR_RANGE, MR_NOWHERE,
                          "%s: coolant must enter (%g degC) warmer than it leaves (%g degC), and "
                          "leave warmer than the air (%g degC)",
                          what, p->entering_c, p->leaving_c, p->air_c);
    *cooler = (struct mr_dry_cooler){.p = *p};
    cooler->water_w_k = p->capacity_w / (p->entering_c - p->leaving_c);
    cooler->air_w_k = p->capacity_w / p->air_rise_k;
    const double least_w_k = fmin(cooler->water_w_k, cooler->air_w_k);
    const struct wanted want = {least_w_k / fmax(cooler->water_w_k, cooler->air_w_k),
                                p->capacity_w / (least_w_k * (p->entering_c - p->air_c))};
    if (!(want.effectiveness < effectiveness(n_max, want.c)))
        return mr_err_set(
            err, MR_RANGE, MR_NOWHERE,
            "%s: no coil is that good: effectiveness %.4f at design, at most %.4f with "
            "these flows (larger difference to the air, or smaller air_rise)",
            what, want.effectiveness, effectiveness(n_max, want.c));
    cooler->ua_w_k =
        least_w_k * mr_root_of(excess_effectiveness, &want, 1e-3, n_max, 1e-13 * n_max);
    cooler->air_hw = cooler->ua_w_k * (1 + p->resistance_ratio);
    cooler->water_hw = cooler->air_hw / p->resistance_ratio;
    return MR_OK;
}

double mr_dry_cooler_g_w_k(const struct mr_dry_cooler *cooler, double flow_frac, double air_frac)
{
    if (!(flow_frac > 0 && air_frac > 0))
        return 0;
    const double water_w_k = cooler->water_w_k * flow_frac, air_w_k = cooler->air_w_k * air_frac;
    const double least_w_k = fmin(water_w_k, air_w_k), most_w_k = fmax(water_w_k, air_w_k);
    const double air_hw = cooler->air_hw * mr_pow(air_frac, cooler->p.air_exponent);
    const double water_hw = cooler->water_hw * mr_pow(flow_frac, cooler->p.water_exponent);
    const double ua_w_k = air_hw * water_hw / (air_hw + water_hw);
    return least_w_k * effectiveness(ua_w_k / least_w_k, least_w_k / most_w_k);
}

/* ---- a unit at work ---- */

/* Air flow over design mass flow: fans that run, or what rises by itself. */
static double air_frac(const struct mr_dry_cooler *cooler, const struct mr_dry_cooler_in *in,
                       double speed_frac)
{
    return in->density_frac * fmax(speed_frac * in->fans_frac, cooler->p.free_frac);
}

struct search {
    const struct mr_dry_cooler *cooler;
    const struct mr_dry_cooler_in *in;
    double g_w_k;
};

static double excess_g(double speed_frac, const void *context)
{
    const struct search *s = context;
    return mr_dry_cooler_g_w_k(s->cooler, s->in->flow_frac,
                               air_frac(s->cooler, s->in, speed_frac)) -
           s->g_w_k;
}

struct mr_dry_cooler_out mr_dry_cooler_run(const struct mr_dry_cooler *cooler,
                                           const struct mr_dry_cooler_in *in)
{
    struct mr_dry_cooler_out out = {.leaving_c = in->entering_c, .air_out_c = in->air_c};
    const double water_w_k = cooler->water_w_k * in->flow_frac;
    const double itd_k = in->entering_c - in->air_c, drop_k = in->entering_c - in->set_c;
    out.air_w_k = cooler->air_w_k * air_frac(cooler, in, 0);
    out.is_saturated = drop_k > 0;
    out.is_bypassed = drop_k <= 0;
    if (!(water_w_k > 0 && itd_k > 0 && drop_k > 0))
        return out;
    const double wanted_w_k = water_w_k * drop_k / itd_k; /* above water_w_k when set_c < air_c */
    const struct search search = {cooler, in, wanted_w_k};
    const double least_frac = cooler->p.free_frac / fmax(in->fans_frac, cooler->p.free_frac);
    if (in->fans_frac <= cooler->p.free_frac) /* too few fans to beat still air */
        out.speed_frac = 0;
    else if (excess_g(1, &search) <= 0)
        out.speed_frac = 1;
    else if (excess_g(0, &search) < 0)
        out.speed_frac = mr_root_of(excess_g, &search, least_frac, 1, 1e-10);
    const double air = air_frac(cooler, in, out.speed_frac);
    const double reach_w_k = mr_dry_cooler_g_w_k(cooler, in->flow_frac, air);
    const double met_w = 1e-9 * water_w_k; /* a nanokelvin */
    out.air_w_k = cooler->air_w_k * air;
    out.is_saturated = (wanted_w_k - reach_w_k) * itd_k > met_w;
    out.is_bypassed = out.speed_frac == 0 && !out.is_saturated;
    out.heat_w = out.is_saturated ? reach_w_k * itd_k : water_w_k * drop_k;
    out.leaving_c = out.is_saturated ? in->entering_c - out.heat_w / water_w_k : in->set_c;
    out.air_out_c = in->air_c + out.heat_w / out.air_w_k;
    out.fan_w = cooler->p.fan_w * in->density_frac * in->fans_frac *
                mr_pow(out.speed_frac, cooler->p.fan_exponent);
    return out;
}

/* ---- prediction ---- */

/* At full fans heat = G (entering - air) and entering = leaving + heat / C: the air's temperature
 * is linear in both. */
double mr_dry_cooler_limit_c(const struct mr_dry_cooler *cooler, double heat_frac, double leaving_c,
                             double density_frac)
{
    const double heat_w = heat_frac * cooler->p.capacity_w;
    return leaving_c + heat_w / cooler->water_w_k -
           heat_w / mr_dry_cooler_g_w_k(cooler, 1, density_frac);
}

struct mr_weather_sum mr_dry_cooler_short(const struct mr_dry_cooler *cooler,
                                          const struct mr_weather *weather, double heat_frac,
                                          double leaving_c, double from_s, double to_s)
{
    const double density_frac =
        mr_moist_pressure_pa(weather->elevation_m) / mr_moist_pressure_pa(0);
    const double limit_c = mr_dry_cooler_limit_c(cooler, heat_frac, leaving_c, density_frac);
    return mr_weather_integrate(weather, from_s, to_s, limit_c);
}
