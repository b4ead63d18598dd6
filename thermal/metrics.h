/* SPDX-License-Identifier: Apache-2.0 */
/* Ratios that facilities are compared by, from exact energy integrals, and the history of one
 * temperature: its mean, extremes, time above a limit.
 *
 * IT has two boundaries here, of the Green Grid's categories: 1 output of the UPS, 3 input of the
 * racks' power shelves. Behind category 3 lies what computes: after shelves, fans and pumps inside
 * racks. Racks cooled by liquid alone move fan power out of IT, so PUE alone
 * misleads: TUE = PUE x ITUE does not. A ratio over no IT energy is NaN. */
#ifndef MR_THERMAL_METRICS_H
#define MR_THERMAL_METRICS_H

#include "thermal/sum.h"

/* What goes in. */
#define MR_METRICS_FLOW_LIST(X)                            \
    X(SITE, "at the meters, on-site generation included")  \
    X(UPS, "output of the UPS")                            \
    X(IT, "input of the racks' power shelves")             \
    X(COMPUTE, "behind shelves, rack fans and rack pumps") \
    X(PUMPS, "coolant and facility pumps")                 \
    X(FANS, "fans outside of racks")                       \
    X(CHILLERS, "compressors")

enum mr_metrics_flow {
#define MR_METRICS_FLOW_ENUM(name, doc) MR_METRICS_##name,
    MR_METRICS_FLOW_LIST(MR_METRICS_FLOW_ENUM)
#undef MR_METRICS_FLOW_ENUM
    MR_METRICS_N_FLOW
};

struct mr_metrics {
    struct mr_sum energy_j[MR_METRICS_N_FLOW];
    struct mr_sum water_m3;
};

/* name, text, formula */
#define MR_METRICS_LIST(X)                                         \
    X(PUE, "pue", "E_site / E_it, IT at the power shelves' input") \
    X(PUE_UPS, "pue_ups", "E_site / E_ups, category 1")            \
    X(ITUE, "itue", "E_it / E_compute")                            \
    X(TUE, "tue", "E_site / E_compute = PUE x ITUE")               \
    X(WUE, "wue", "water drawn / E_it")                            \
    X(COOLING, "cooling", "(E_pumps + E_fans + E_chillers) / E_it")

enum mr_metrics_kind {
#define MR_METRICS_ENUM(name, text, formula) MR_METRICS_##name,
    MR_METRICS_LIST(MR_METRICS_ENUM)
#undef MR_METRICS_ENUM
    MR_METRICS_N_KIND
};

const char *mr_metrics_name(int kind);
const char *mr_metrics_formula(int kind);

/** Add energy that was integrated elsewhere. */
void mr_metrics_add_j(struct mr_metrics *metrics, enum mr_metrics_flow flow, double energy_j);
void mr_metrics_add_water(struct mr_metrics *metrics, double volume_m3);

/** In SI units; NaN where it is not defined. */
double mr_metrics_value(const struct mr_metrics *metrics, int kind);

/* ---- one temperature, or an approach ---- */

struct mr_metrics_track {
    struct mr_sum time_s, value_s; /* time, and value integrated over it */
    struct mr_sum above_s, above_ks;
    double limit, least, most;
};

void mr_metrics_track_start(struct mr_metrics_track *track, double limit);

/** A straight line from one value to another in dt_s. */
void mr_metrics_track_add(struct mr_metrics_track *track, double from, double to, double dt_s);

/** Mean over time; NaN before anything was added. */
double mr_metrics_track_mean(const struct mr_metrics_track *track);

#endif
