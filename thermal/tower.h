/* SPDX-License-Identifier: Apache-2.0 */
/* Wet cooling tower by the York correlation: approach = leaving water - wet bulb as a polynomial of
 * wet bulb, range (entering - leaving) and the ratio of water to air flow, both over design. One
 * unit; fans as in dry_cooler.h. Heat leaves as vapor (latent_frac of it). Outside of the
 * correlation's bounds its arguments are held at them and the result says so. */
#ifndef MR_THERMAL_TOWER_H
#define MR_THERMAL_TOWER_H

#include "platforms/reject.h"
#include "thermal/limits.h"
#include "thermal/water.h"

struct mr_tower_params {
    double capacity_w, fan_w; /* at design */
    double entering_c, leaving_c;
    double latent_frac; /* of the heat; the rest warms air */
    double free_frac, fan_exponent;
    double cp_j_kgk; /* of its water, for drift */
};

struct mr_tower {
    struct mr_tower_params p;
    double water_w_k; /* at design */
};

struct mr_tower_in {
    double entering_c, flow_frac;
    double wet_bulb_c, density_frac;
    double fans_frac, set_c;
};

struct mr_tower_out {
    double heat_w, leaving_c, latent_w;
    double speed_frac, fan_w;
    double circulating_kg_s;
    bool is_saturated, is_bypassed;
    bool is_clamped; /* outside of the correlation's bounds */
};

extern const struct mr_limits_table mr_tower_table;

void mr_tower_defaults(struct mr_tower_params *params);
void mr_tower_of_card(const struct mr_reject_card *card, struct mr_tower_params *params);
MR_CHECKED mr_status mr_tower_make(const char *what, const struct mr_tower_params *params,
                                   struct mr_tower *tower, struct mr_err *err);

/** The correlation. @param[in] ratio water flow over air flow, both over design
 *  @param[out] is_clamped set when an argument or the result was held at a bound */
double mr_tower_approach_k(double wet_bulb_c, double range_k, double ratio, bool *is_clamped);

/** Fans at the speed that gives the set-point, or at full speed. */
struct mr_tower_out mr_tower_run(const struct mr_tower *tower, const struct mr_tower_in *in);

/** At full fans with a heat given, as for a condenser: leaving water follows. `entering_c` and
 *  `set_c` are not read. */
struct mr_tower_out mr_tower_of_heat(const struct mr_tower *tower, const struct mr_tower_in *in,
                                     double heat_w);

#endif
