/* SPDX-License-Identifier: Apache-2.0 */
/* Coolant flow relative to design, on a geometric grid of classes, so that everything that depends
 * on flow is computed once per class and constant between events; and flows that change in time:
 * pumps that coast down or spin up, class by class.
 *
 *   coast down V(t) = V0 / (1 + t / tau)     spin up or down V(t) linear, from full to none in tau
 *
 * Class 0 is no flow (below 1 % of design). Between two classes lie 5 %, so a flow is at most 2.5 %
 * off its class and a plate's resistance 1.7 % (0.4 L/min; less above). */
#ifndef MR_THERMAL_FLOW_H
#define MR_THERMAL_FLOW_H

#include <math.h>

#define MR_FLOW_RATIO 1.05

enum {
    MR_FLOW_NONE = 0,
    MR_FLOW_DESIGN = 95, /* flow 1.05^(class - 95) of design */
    MR_FLOW_N = 121      /* up to 3.39 times design */
};

/** Class of a flow over design; flows above the last class are in it. */
int mr_flow_class(double frac);

/** Flow of a class over design. */
double mr_flow_of_class(int class);

/** Flow between a class and the one below; 0 for class 0. */
double mr_flow_class_floor(int class);

enum mr_flow_law {
    MR_FLOW_STEADY,
    MR_FLOW_COAST,
    MR_FLOW_LINEAR
};

/* From `from_frac` at t0_s to `to_frac`. */
struct mr_flow_path {
    enum mr_flow_law law;
    double t0_s, from_frac, to_frac, tau_s;
};

struct mr_flow_path mr_flow_steady(double frac);

/** Pumps without power: towards nothing. @param[in] tau_s time to half the flow */
struct mr_flow_path mr_flow_coast(double t0_s, double from_frac, double tau_s);

/** @param[in] tau_s time from full to none, or back */
struct mr_flow_path mr_flow_linear(double t0_s, double from_frac, double to_frac, double tau_s);

/** Flow at t_s >= t0_s. */
double mr_flow_at(const struct mr_flow_path *path, double t_s);

/** When the flow leaves the class it has at t_s: the date and the class it enters. INFINITY: it
 *  stays. */
double mr_flow_next_s(const struct mr_flow_path *path, int class, int *next_class);

#endif
