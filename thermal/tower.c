/* SPDX-License-Identifier: Apache-2.0 */
/* The coefficients are those of EnergyPlus' YorkCalc and the LBNL Modelica Buildings library; the
 * correlation gives 3.84 K at its design point, which is labeled 3.89 K. */
#include "thermal/tower.h"

#include "engine/base/fmath.h"
#include "thermal/root.h"

#include <math.h>

/* wet bulb fastest, then range, then flow ratio */
static const double york[27] = {
    -0.359741205,        -0.055053608,     0.0023850432,      //
    0.173926877,         -0.0248473764,    0.00048430224,     //
    -0.005589849456,     0.0005770079712,  -0.00001342427256, //
    2.84765801111111,    -0.121765149,     0.0014599242,      //
    1.680428651,         -0.0166920786,    -0.0007190532,     //
    -0.025485194448,     0.0000487491696,  0.00002719234152,  //
    -0.0653766255555556, -0.002278167,     0.0002500254,      //
    -0.0910565458,       0.00318176316,    0.000038621772,    //
    -0.0034285382352,    0.00000856589904, -0.000001516821552,
};

static const double wet_least_c = -34.4, wet_most_c = 26.7;
static const double range_least_k = 1.1, range_most_k = 22.2;
static const double approach_least_k = 1.1, approach_most_k = 40;
static const double ratio_least = 0.1, ratio_most = 8;

// clang-format off
#define T struct mr_tower_params
static const struct mr_param rows[] = {
    MR_PARAM(T, capacity_w, "capacity", MR_Q_POWER, "3 MW", 1e3, 1e9, "Heat of one unit at design"),
    MR_PARAM(T, fan_w, "fans", MR_Q_POWER, "30 kW", 0, 1e8, "Power of the fans at full speed"),
    MR_PARAM(T, entering_c, "entering", MR_Q_TEMPERATURE, "35 degC", -60, 120, "Water that enters at design"),
    MR_PARAM(T, leaving_c, "leaving", MR_Q_TEMPERATURE, "29.44 degC", -60, 120, "Water that leaves at design"),
    MR_PARAM(T, latent_frac, "latent", MR_Q_FRACTION, "1", 0.3, 1, "Share of the heat that leaves as vapor"),
    MR_PARAM(T, free_frac, "free", MR_Q_FRACTION, "0.125", 0.001, 0.9, "Air flow with fans off over design"),
    MR_PARAM(T, fan_exponent, "fan_exponent", MR_Q_COUNT, "3", 1, 4, "Fan power over speed"),
    MR_PARAM(T, cp_j_kgk, "cp", MR_Q_SPECIFIC_HEAT, "4.18 kJ/kgK", 2000, 5000, "Of the water, which gives the flow that drifts"),
};
#undef T
// clang-format on

static const struct mr_limits_source sources[] = {
    {"capacity", MR_CONFIDENCE_ASSUMPTION, "the correlation has no size"},
    {"fans", MR_CONFIDENCE_ASSUMPTION, "1 % of the heat"},
    {"entering", MR_CONFIDENCE_PUBLISHED, "range 5.56 K at design, EnergyPlus and LBNL"},
    {"leaving", MR_CONFIDENCE_PUBLISHED, "wet bulb 25.55 degC, approach 3.89 K at design"},
    {"latent", MR_CONFIDENCE_ASSUMPTION, "an upper bound of the water: 0.8-0.9 on dry cool days"},
    {"free", MR_CONFIDENCE_PUBLISHED, "EnergyPlus and LBNL"},
    {"fan_exponent", MR_CONFIDENCE_ESTIMATED, "affinity law"},
    {"cp", MR_CONFIDENCE_PUBLISHED, "steam tables"},
};

const struct mr_limits_table mr_tower_table = {
    {"tower", "Wet cooling tower.", rows, sizeof rows / sizeof *rows}, sources};

void mr_tower_defaults(struct mr_tower_params *params)
{
    mr_limits_defaults(&mr_tower_table.param, params);
}

void mr_tower_of_card(const struct mr_reject_card *card, struct mr_tower_params *params)
{
    params->capacity_w = card->capacity_w;
    params->fan_w = card->electric_w;
    params->entering_c = card->entering_c;
    params->leaving_c = card->leaving_c;
}

mr_status mr_tower_make(const char *what, const struct mr_tower_params *params,
                        struct mr_tower *tower, struct mr_err *err)
{
    const double range_k = params->entering_c - params->leaving_c;
    MR_TRY(mr_limits_check(what, &mr_tower_table.param, params, err));
    if (!(range_k >= range_least_k && range_k <= range_most_k))
        return mr_err_set(err, MR_RANGE, MR_NOWHERE,
                          "%s: design range %g K (entering %g, leaving %g degC) is outside of "
                          "%g..%g K of the York correlation",
                          what, range_k, params->entering_c, params->leaving_c, range_least_k,
                          range_most_k);
    *tower = (struct mr_tower){.p = *params, .water_w_k = params->capacity_w / range_k};
    return MR_OK;
}

static double held(double x, double least, double most, bool *is_clamped)
{
    const double y = fmin(fmax(x, least), most);
    if (y != x)
        *is_clamped = true;
    return y;
}

double mr_tower_approach_k(double wet_bulb_c, double range_k, double ratio, bool *is_clamped)
{
    const double w = held(wet_bulb_c, wet_least_c, wet_most_c, is_clamped);
    const double r = held(range_k, range_least_k, range_most_k, is_clamped);
    const double l = held(ratio, ratio_least, ratio_most, is_clamped);
    double sum = 0;
    for (int i = 2; i >= 0; i--) { /* Horner in all three */
        double of_range = 0;
        for (int j = 2; j >= 0; j--) {
            const double *c = &york[9 * i + 3 * j];
            of_range = of_range * r + (c[0] + w * (c[1] + w * c[2]));
        }
        sum = sum * l + of_range;
    }
    return held(sum, approach_least_k, approach_most_k, is_clamped);
}

/* ---- a unit at work ---- */

static double air_frac(const struct mr_tower *tower, const struct mr_tower_in *in,
                       double speed_frac)
{
    return in->density_frac * fmax(speed_frac * in->fans_frac, tower->p.free_frac);
}

struct search {
    const struct mr_tower *tower;
    const struct mr_tower_in *in;
};

/* How far a range is below what full or still air gives: falls with the range. */
static double excess_range_k(double range_k, double air, const struct mr_tower_in *in)
{
    bool ignored = false;
    return in->entering_c - range_k - in->wet_bulb_c -
           mr_tower_approach_k(in->wet_bulb_c, range_k, in->flow_frac / air, &ignored);
}

static double excess_at_full(double range_k, const void *context)
{
    const struct search *s = context;
    return excess_range_k(range_k, air_frac(s->tower, s->in, 1), s->in);
}

/* How much colder than the set-point this speed would be. */
static double excess_speed_k(double speed_frac, const void *context)
{
    const struct search *s = context;
    return excess_range_k(s->in->entering_c - s->in->set_c, air_frac(s->tower, s->in, speed_frac),
                          s->in);
}

static void finish(const struct mr_tower *tower, const struct mr_tower_in *in,
                   struct mr_tower_out *out)
{
    const double air = air_frac(tower, in, out->speed_frac);
    (void)mr_tower_approach_k(in->wet_bulb_c, out->heat_w / (tower->water_w_k * in->flow_frac),
                              in->flow_frac / air, &out->is_clamped);
    out->latent_w = tower->p.latent_frac * out->heat_w;
    out->circulating_kg_s = tower->water_w_k * in->flow_frac / tower->p.cp_j_kgk;
    out->fan_w = tower->p.fan_w * in->density_frac * in->fans_frac *
                 mr_pow(out->speed_frac, tower->p.fan_exponent);
}

struct mr_tower_out mr_tower_run(const struct mr_tower *tower, const struct mr_tower_in *in)
{
    struct mr_tower_out out = {.leaving_c = in->entering_c};
    const double water_w_k = tower->water_w_k * in->flow_frac;
    const double drop_k = in->entering_c - in->set_c, itd_k = in->entering_c - in->wet_bulb_c;
    const struct search search = {tower, in};
    const double free_frac = tower->p.free_frac;
    out.is_saturated = drop_k > 0;
    out.is_bypassed = drop_k <= 0;
    if (!(water_w_k > 0 && drop_k > 0 && itd_k > 0))
        return out;
    if (excess_speed_k(1, &search) <= 0) {
        out.speed_frac = in->fans_frac > free_frac ? 1 : 0;
        out.heat_w =
            excess_at_full(0, &search) > 0
                ? water_w_k * fmin(mr_root_of(excess_at_full, &search, 0, itd_k, 1e-10), drop_k)
                : 0;
    } else {
        out.is_saturated = false;
        out.heat_w = water_w_k * drop_k;
        if (excess_speed_k(0, &search) >= 0)
            out.is_bypassed = true;
        else
            out.speed_frac =
                mr_root_of(excess_speed_k, &search, free_frac / in->fans_frac, 1, 1e-10);
    }
    out.leaving_c = out.is_saturated ? in->entering_c - out.heat_w / water_w_k : in->set_c;
    finish(tower, in, &out);
    return out;
}

struct mr_tower_out mr_tower_of_heat(const struct mr_tower *tower, const struct mr_tower_in *in,
                                     double heat_w)
{
    struct mr_tower_out out = {.heat_w = heat_w, .leaving_c = in->wet_bulb_c};
    if (!(in->flow_frac > 0))
        return out;
    out.speed_frac = in->fans_frac > tower->p.free_frac ? 1 : 0;
    out.leaving_c +=
        mr_tower_approach_k(in->wet_bulb_c, heat_w / (tower->water_w_k * in->flow_frac),
                            in->flow_frac / air_frac(tower, in, out.speed_frac), &out.is_clamped);
    finish(tower, in, &out);
    return out;
}
