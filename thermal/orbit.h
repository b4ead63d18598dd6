/* SPDX-License-Identifier: Apache-2.0 */
/* Radiator of a satellite: one node that emits to space and takes sunlight, albedo and the Earth's
 * infrared; eclipses at fixed times of the orbit.
 *
 *   C dT/dt = Q + absorbed(t) - b T^4      b = sides x emissivity x sigma x view x area x fins
 *
 * Between eclipse edges and changes of Q everything is closed form (orbit.c). Temperatures of the
 * state are kelvin; degrees Celsius where the name says so. Attitude, beta angle and the loop
 * between packages and radiator are parameters, not models. */
#ifndef MR_THERMAL_ORBIT_H
#define MR_THERMAL_ORBIT_H

#include "platforms/reject.h"
#include "thermal/limits.h"
#include "thermal/sum.h"

struct mr_orbit_params {
    double area_m2; /* of one side */
    double sides;   /* that emit: 1 or 2 */
    double emissivity, absorptivity;
    double view_frac; /* of space from the emitting sides */
    double fin_frac;  /* efficiency of the fins */
    double capacity_j_k;
    double sun_w_m2, sun_frac; /* sunlight; area it hits over the area of one side */
    double albedo_frac, earth_w_m2, earth_frac; /* reflection, infrared; area that sees the Earth */
    double period_s, eclipse_s, phase_s;        /* phase: where in its sunlit part the run begins */
    double approach_k;                          /* coolant at the packages above the radiator */
    double high_c;                              /* radiator limit */
};

/* Const after mr_orbit_make. */
struct mr_orbit {
    struct mr_orbit_params p;
    double emit_w_k4;           /* b */
    double sunlit_w, eclipse_w; /* absorbed */
};

struct mr_orbit_state {
    double t_s, radiator_k;
    struct mr_sum heat_j, absorbed_j, emitted_j;
    double high_s; /* time above the limit */
    double started_k;
};

extern const struct mr_limits_table mr_orbit_table;

void mr_orbit_defaults(struct mr_orbit_params *params);

/** Area of a card; its capacity sets the heat capacity at 20 J/K for each watt. */
void mr_orbit_of_card(const struct mr_reject_card *card, struct mr_orbit_params *params);
MR_CHECKED mr_status mr_orbit_make(const char *what, const struct mr_orbit_params *params,
                                   struct mr_orbit *orbit, struct mr_err *err);

/** Refuse a battery that does not carry this load through an eclipse. */
MR_CHECKED mr_status mr_orbit_check_battery(const char *what, const struct mr_orbit *orbit,
                                            double load_w, double battery_j, struct mr_err *err);

/* ---- where the satellite is ---- */

bool mr_orbit_is_sunlit(const struct mr_orbit *orbit, double t_s);

/** The next edge of an eclipse after t; INFINITY without eclipses. */
double mr_orbit_next_edge_s(const struct mr_orbit *orbit, double t_s);

double mr_orbit_absorbed_w(const struct mr_orbit *orbit, bool is_sunlit);

/** Temperature of a radiator without load: what it is in balance with. */
double mr_orbit_sink_k(const struct mr_orbit *orbit, bool is_sunlit);

/* ---- the radiator ---- */

double mr_orbit_emitted_w(const struct mr_orbit *orbit, double radiator_k);

/** Where it settles under this heat. */
double mr_orbit_steady_k(const struct mr_orbit *orbit, double heat_w, bool is_sunlit);

/** Time from one temperature to another; INFINITY when it never gets there. No edge in between. */
double mr_orbit_time_s(const struct mr_orbit *orbit, double heat_w, bool is_sunlit, double from_k,
                       double to_k);

/** Temperature after dt_s without an edge. */
double mr_orbit_advance_k(const struct mr_orbit *orbit, double heat_w, bool is_sunlit,
                          double from_k, double dt_s);

void mr_orbit_start(struct mr_orbit_state *state, double radiator_k);

/** Go on to t_s with constant heat, across edges. */
void mr_orbit_run(const struct mr_orbit *orbit, struct mr_orbit_state *state, double heat_w,
                  double t_s);

/** The first time in (state's, to] at which the radiator passes level_k; INFINITY: none. */
double mr_orbit_crossing_s(const struct mr_orbit *orbit, const struct mr_orbit_state *state,
                           double heat_w, double to_s, double level_k);

/** Coolant that reaches the packages [degC]. */
double mr_orbit_inlet_c(const struct mr_orbit *orbit, double radiator_k);

double mr_orbit_residual(const struct mr_orbit *orbit, const struct mr_orbit_state *state);

#endif
