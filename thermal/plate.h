/* SPDX-License-Identifier: Apache-2.0 */
/* Cold plates and heat sinks: resistance from case to coolant inlet over coolant flow,
 *
 *   R(V) = r0 + a V^-n
 *
 * with r0, a, n fitted to published measurements of one plate under a 1 kW accelerator. Another
 * package takes the shape of a law and its own resistance at its own design flow: a plate of twice
 * the power is two plates of the fit side by side, so V counts per kilowatt of the package.
 * Ignored: boiling, maldistribution inside a plate (the worst branch is thermal/package's). */
#ifndef MR_THERMAL_PLATE_H
#define MR_THERMAL_PLATE_H

#include "engine/base/status.h"

/* name, text, r0, a [K/W], n, valid from, to [L/min; air: of design], largest error of the fit,
 * source */
// clang-format off
#define MR_PLATE_LAW_LIST(X)                                                                       \
    X(PG25, "pg25", 0.01771, 0.00655, 1.257, 0.4, 2.4, 0.027,                                      \
      "OCP 1 kW OAM cold plate, 25 % propylene glycol (LBNL record OCP_1kW_OAM_PG25), fitted here") \
    X(WATER, "water", 0.01399, 0.00722, 1.171, 2, 5, 0.001,                                        \
      "OCP 1 kW OAM cold plate, water (LBNL record OCP_1kW_OAM_Water), fitted here")               \
    X(AIR, "air", 0, 1, 0.8, 0.2, 1.3, 0.1, "turbulent heat sink, flow^-0.8 of fan speed (estimated)")
// clang-format on

enum mr_plate_law {
#define MR_PLATE_LAW_ENUM(name, ...) MR_PLATE_LAW_##name,
    MR_PLATE_LAW_LIST(MR_PLATE_LAW_ENUM)
#undef MR_PLATE_LAW_ENUM
    MR_PLATE_N_LAW
};

/** Resistance of the fit's own plate [K/W]. @param[in] flow_lpm above 0; AIR: over design */
double mr_plate_law_k_w(int law, double flow_lpm);

/** Refuse a flow more than a fifth outside what the fit covers. */
MR_CHECKED mr_status mr_plate_law_check(int law, double flow_lpm, struct mr_err *err);

/* A package's plate. */
struct mr_plate {
    int law;
    double design_k_w; /* at design flow */
    double design_lpm; /* design flow as the law's plate sees it; AIR: 1 */
    double none_k_w;   /* without flow, and never more than this */
};

/** Resistance at a flow over design [K/W]. */
double mr_plate_k_w(const struct mr_plate *plate, double flow_frac);

/** The flow over design at which the resistance is this; inverse of mr_plate_k_w. 0: none is low
 *  enough. */
double mr_plate_flow_of(const struct mr_plate *plate, double k_w);

#endif
