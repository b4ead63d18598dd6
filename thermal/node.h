/* SPDX-License-Identifier: Apache-2.0 */
/* One well-mixed volume between events, in closed form:
 *
 *   C dT/dt = q + r t - g (T - sink)
 *   T(t) = T0 + phi1 (q - g (T0 - sink)) / C + phi2 r / C
 *   phi1 = (1 - e^(-g t / C)) C / g        phi2 = (t - phi1) C / g
 *
 * with series where g t / C is small, so that g = 0 (no flow) is no special case. */
#ifndef MR_THERMAL_NODE_H
#define MR_THERMAL_NODE_H

/* Inputs between two events. */
struct mr_node_in {
    double heat_w, heat_w_s; /* into the node, and its change over time */
    double g_w_k, sink_c;    /* what it loses by: g (T - sink) */
};

/** T after dt_s. @param[out] lost_j energy through g in that time, NULL: not wanted; heat in =
 *  stored + lost holds to rounding */
double mr_node_advance(double capacity_j_k, double t_c, const struct mr_node_in *in, double dt_s,
                       double *lost_j);

/** The first time at which T, now at t_c, passes level_c; INFINITY: never. Needs heat_w_s = 0. */
double mr_node_crossing_s(double capacity_j_k, double t_c, const struct mr_node_in *in,
                          double level_c);

#endif
