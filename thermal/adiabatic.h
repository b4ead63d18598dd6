/* SPDX-License-Identifier: Apache-2.0 */
/* Wetted pads before the coil of a dry cooler: the air gives sensible heat to water that evaporates
 * and comes out nearer to its wet bulb, T = dry bulb - effectiveness (dry bulb - wet bulb). The
 * pads' pressure drop and the minutes they stay wet are not modeled. */
#ifndef MR_THERMAL_ADIABATIC_H
#define MR_THERMAL_ADIABATIC_H

#include "thermal/limits.h"

struct mr_adiabatic_params {
    double effectiveness;
    double off_k; /* depression below which wetting is not worth its water */
};

extern const struct mr_limits_table mr_adiabatic_table;

void mr_adiabatic_defaults(struct mr_adiabatic_params *params);
MR_CHECKED mr_status mr_adiabatic_check(const char *what, const struct mr_adiabatic_params *params,
                                        struct mr_err *err);

/** Air behind the pads [degC]. */
double mr_adiabatic_air_c(const struct mr_adiabatic_params *params, double dry_bulb_c,
                          double wet_bulb_c);

/** Heat that evaporation takes from this much air [W]. @param[in] air_w_k its flow of heat capacity
 */
double mr_adiabatic_latent_w(const struct mr_adiabatic_params *params, double air_w_k,
                             double dry_bulb_c, double wet_bulb_c);

#endif
