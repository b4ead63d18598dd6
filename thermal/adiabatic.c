/* SPDX-License-Identifier: Apache-2.0 */
/* Pads of 0.7-0.85 effectiveness are usual; all the cold they make is heat of evaporation. */
#include "thermal/adiabatic.h"

// clang-format off
#define A struct mr_adiabatic_params
static const struct mr_param rows[] = {
    MR_PARAM(A, effectiveness, "effectiveness", MR_Q_FRACTION, "0.8", 0.05, 1, "Share of the way from dry to wet bulb"),
    MR_PARAM(A, off_k, "off", MR_Q_TEMPERATURE_DIFF, "0.5 K", 0, 20, "Below this difference of dry and wet bulb pads stay dry"),
};
#undef A
// clang-format on

static const struct mr_limits_source sources[] = {
    {"effectiveness", MR_CONFIDENCE_ESTIMATED, "range 0.70-0.85"},
    {"off", MR_CONFIDENCE_ASSUMPTION, "nothing to gain in damp air"},
};

const struct mr_limits_table mr_adiabatic_table = {
    {"adiabatic", "Evaporative pre-cooling of a dry cooler's air.", rows,
     sizeof rows / sizeof *rows},
    sources};

void mr_adiabatic_defaults(struct mr_adiabatic_params *params)
{
    mr_limits_defaults(&mr_adiabatic_table.param, params);
}

mr_status mr_adiabatic_check(const char *what, const struct mr_adiabatic_params *params,
                             struct mr_err *err)
{
    return mr_limits_check(what, &mr_adiabatic_table.param, params, err);
}

double mr_adiabatic_air_c(const struct mr_adiabatic_params *params, double dry_bulb_c,
                          double wet_bulb_c)
{
    const double depression_k = dry_bulb_c - wet_bulb_c;
    return depression_k > params->off_k ? dry_bulb_c - params->effectiveness * depression_k
                                        : dry_bulb_c;
}

double mr_adiabatic_latent_w(const struct mr_adiabatic_params *params, double air_w_k,
                             double dry_bulb_c, double wet_bulb_c)
{
    return air_w_k * (dry_bulb_c - mr_adiabatic_air_c(params, dry_bulb_c, wet_bulb_c));
}
