/* SPDX-License-Identifier: Apache-2.0 */
/* The coolant side of a rack: flow through manifold and control valve, heat split between liquid
 * and air, return temperature.
 *
 *   header = (drop + valve / u_r^2) (V / V0)^1.85      u_r = Rv^(u - 1), u the valve's stroke 0..1
 *
 * The exponent is a fit of published rack measurements (OCP, in LBNL's library); branches are
 * parallel and share the flow, the worst one gets a little less (thermal/package). No state: what
 * the manifold holds is part of its loop. */
#ifndef MR_THERMAL_MANIFOLD_H
#define MR_THERMAL_MANIFOLD_H

#include "engine/base/param.h"

struct mr_manifold {
    double flow_m3_s;         /* design */
    double drop_pa, valve_pa; /* at design flow, valve open */
    double exponent, rangeability, stroke_s;
    double liquid_frac;        /* of the rack's heat */
    double trip_c, trip_air_c; /* warmer coolant or room air switches the rack off */
    double inlet_max_c, return_high_c, low_frac, least_m3_j;
    double cp_j_kgk, rho_kg_m3;
};

const struct mr_param_table *mr_manifold_table(void);
void mr_manifold_defaults(struct mr_manifold *manifold);

/** What a hall can not give a rack.
 *  @param[in] name of the rack @param[in] heat_w at design @param[in] supply_c set point of its
 * loop
 *  @param[in] row its row, for the message @param[in] has_loop whether coolant reaches it */
MR_CHECKED mr_status mr_manifold_check(const struct mr_manifold *manifold, const char *name,
                                       const char *row, double heat_w, double supply_c,
                                       bool has_loop, struct mr_err *err);

/** Header pressure that gives design flow with the valve open. */
double mr_manifold_design_pa(const struct mr_manifold *manifold);

/** Flow over design. */
double mr_manifold_flow(const struct mr_manifold *manifold, double header_pa, double valve);

/** The stroke that gives a flow over design; above 1: the header can not. */
double mr_manifold_valve(const struct mr_manifold *manifold, double header_pa, double flow_frac);

/* A valve on its way, at constant speed. */
struct mr_manifold_stroke {
    double t0_s, from, to;
};

double mr_manifold_stroke_at(const struct mr_manifold *manifold,
                             const struct mr_manifold_stroke *stroke, double t_s);

/** When the flow leaves its class (thermal/flow) while the valve moves against a constant header.
 *  @return INFINITY: never */
double mr_manifold_next_s(const struct mr_manifold *manifold,
                          const struct mr_manifold_stroke *stroke, double header_pa, int class,
                          int *next_class);

/** Return = supply + liquid heat / (m cp); the supply itself without flow. */
double mr_manifold_return_c(const struct mr_manifold *manifold, double supply_c, double liquid_w,
                            double flow_frac);

#endif
