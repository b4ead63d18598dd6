/* SPDX-License-Identifier: Apache-2.0 */
/* Parameters of a package's heat path, defaults of the types we know with source and confidence,
 * and everything about a type that events need precomputed: propagators per flow class and leakage
 * slope, for the mean member of a cohort and for its worst.
 *
 *   C1 dTj/dt = P0 + k (Tj - T0) - (Tj - Tp)/R1          die, lid, memory; k slope of leakage
 *   C2 dTp/dt = (Tj - Tp)/R1 - (Tp - Tin)/R2             plate; R2 from case to coolant inlet
 *   leakage Pl(T) = Pl(60 degC) e^(beta (T - 60))
 *
 * The worst member has R (1 + spread) on both paths and the flow of the worst branch. The slope k
 * is one of a ladder of ratio 1.1, the tangent's point is exact. */
#ifndef MR_THERMAL_PACKAGE_H
#define MR_THERMAL_PACKAGE_H

#include "engine/base/card.h"
#include "thermal/flow.h"
#include "thermal/plate.h"
#include "thermal/two_state.h"

struct mr_package_params {
    double r1_k_w, r2_k_w, c1_j_k, c2_j_k;
    double tdp_w;
    double flow_m3_s; /* of one plate at design; 0: what warms by 10 K at tdp_w */
    double cp_j_kgk, rho_kg_m3;
    double leakage_frac, leakage_per_k; /* at 60 degC, of tdp_w */
    double slow_c, hysteresis_k, crit_c, memory_c, restart_c, restart_s;
    double floor_frac;                 /* of what is asked for, when nothing else is said */
    double spread_frac, branch_frac;   /* 3 sigma; worst branch over mean */
    double noflow_mult, relinearize_k; /* R2 without flow over design; width of a tangent */
    double inlet_c;                    /* design */
    uint64_t series_position;
    int law;       /* enum mr_plate_law */
    int reference; /* of r2: 0 coolant inlet, 1 coolant mean */
};

const struct mr_param_table *mr_package_table(void);

/* One default of one type. */
struct mr_package_figure {
    const char *type, *figure, *value, *source;
    enum mr_confidence confidence;
};

/** Rows of the table of types, in order; NULL past the last. What a type does not say is the
 *  parameter table's default, an assumption. */
const struct mr_package_figure *mr_package_figure(size_t i);

/** Parameters of a type: a card's id, such as "gb300".
 *  @return MR_OK, or MR_REF when there is none of that name (the nearest is told) */
MR_CHECKED mr_status mr_package_params(const char *type, struct mr_package_params *params,
                                       struct mr_err *err);

/* One member's propagator. */
struct mr_package_member {
    double g1_w_k, g2_w_k; /* 1/R1, 1/R2 */
    double l[2], inverse_l[2];
    double p[3]; /* P1: [0][0], [0][1], [1][0]; [1][1] = 1 - [0][0] */
};

struct mr_package_class {
    struct mr_package_member mean, worst;
};

enum {
    MR_PACKAGE_N_SLOPE = 72 /* slope 0, then 0.1 W/K x 1.1^i */
};

struct mr_package {
    const char *name;
    struct mr_package_params p;
    struct mr_plate plate;
    double inverse_c1, inverse_c2;
    double leakage_w;       /* at 60 degC */
    double index0, index_k; /* slope class = index0 + index_k T, before rounding */
    double slope_w_k[MR_PACKAGE_N_SLOPE];
    double flow_w_k[MR_FLOW_N];     /* m cp of one plate's flow */
    double worst_w_k[MR_FLOW_N];    /* 1 / (R1 + R2) of the worst member */
    double memory_share[MR_FLOW_N]; /* 0.25 R1 / (R1 + R2) of the worst member */
    double series_k_w[MR_FLOW_N];   /* inlet rise of plates upstream, per watt of one */
    struct mr_package_class *class; /* [flow][slope] */
};

/** Check parameters and build a type. All refusals name the package.
 *  @param[in] name lent for the life of the type
 *  @param[out] out owned by the caller: mr_package_destroy */
MR_CHECKED mr_status mr_package_create(const char *name, const struct mr_package_params *params,
                                       struct mr_package **out, struct mr_err *err);
void mr_package_destroy(struct mr_package *package);

static inline const struct mr_package_class *mr_package_class_of(const struct mr_package *package,
                                                                 int flow, int slope)
{
    return &package->class[flow * MR_PACKAGE_N_SLOPE + slope];
}

/** Where the memory sits between plate and die, as a share of R1 below the die. */
#define MR_PACKAGE_MEMORY_SHARE 0.25

/** Leakage at a die temperature [W]. */
double mr_package_leak_w(const struct mr_package *package, double die_c);

/** Slope class at a die temperature. */
int mr_package_slope(const struct mr_package *package, double die_c);

/** Die temperature that the mean member settles at, drawing `power_w` in all. */
double mr_package_settled_c(const struct mr_package *package, int flow, double power_w,
                            double inlet_c);

/** The flow class that a plate fouled to (1 + fouling) R2 behaves like. */
int mr_package_fouled(const struct mr_package *package, int flow, double fouling_frac);

/** "rubin at 2300 W, inlet 45 degC settles at 88.1 degC, above t_slow 87: it will throttle", of the
 *  worst member; nothing when it does not. @return whether anything was written */
bool mr_package_warn(const struct mr_package *package, struct mr_buf *out);

#endif
