/* SPDX-License-Identifier: Apache-2.0 */
/* Breakers and protection relays. Between changes the current is constant, so when one trips is a
 * closed form. Three laws, the first or second by choice, the third always:
 *
 *   inverse time   dD/dt = 1 / t(I) above the pickup, t = TMS k / ((I / pickup)^alpha - 1); below
 * it D runs back to 0 within reset_s of a full one; trips at D = 1 (IEC 60255-151) thermal image
 * tau dth/dt = (I / rated)^2 - th; trips at th = trip_theta instantaneous  above instant_frac times
 * the rated current
 *
 * At design time a load that lasts may take continuous_frac of the rating; beyond it for alarm_s
 * there is an alarm. Ignored: tolerance bands, asymmetry of fault currents. */
#ifndef MR_POWER_BREAKER_H
#define MR_POWER_BREAKER_H

#include "engine/base/status.h"

/* name, text, k [s], alpha, meaning */
#define MR_BREAKER_LAW_LIST(X)                  \
    X(NONE, "none", 0, 0, "does not trip")      \
    X(SI, "si", 0.14, 0.02, "standard inverse") \
    X(VI, "vi", 13.5, 1, "very inverse")        \
    X(EI, "ei", 80, 2, "extremely inverse")     \
    X(LI, "li", 120, 1, "long-time inverse")    \
    X(THERMAL, "thermal", 0, 0, "thermal image of what it protects")

enum mr_breaker_law {
#define MR_BREAKER_ENUM(name, text, k, alpha, doc) MR_BREAKER_##name,
    MR_BREAKER_LAW_LIST(MR_BREAKER_ENUM)
#undef MR_BREAKER_ENUM
    MR_N_BREAKER_LAW
};

struct mr_breaker {
    int law; /* enum mr_breaker_law */
    double rated_a;
    double pickup_a, tms, reset_s; /* inverse-time laws */
    double tau_s, trip_theta;      /* thermal image */
    double instant_frac;           /* of rated_a; INFINITY: none */
    double continuous_frac, alarm_s;
};

struct mr_breaker_state {
    double t_s, current_a; /* constant since t_s */
    double heat;           /* thermal image, or D of an inverse-time law */
    double high_since_s;   /* above continuous_frac since; INFINITY: not */
    bool has_alarm, is_open;
};

/** Defaults of a law: pickup at the rating, TMS 1, reset 10 s; tau 600 s, trip at 1.05^2;
 *  instantaneous at 8 times, continuous 0.8 with an alarm after 10 s. */
struct mr_breaker mr_breaker_of(int law, double rated_a);

MR_CHECKED mr_status mr_breaker_check(const struct mr_breaker *breaker, const char *what,
                                      struct mr_place at, struct mr_err *err);

/** Closed, in the steady state of a current (which must not trip it: heat is held below). */
struct mr_breaker_state mr_breaker_start(const struct mr_breaker *breaker, double current_a,
                                         double t_s);

/** The current from now on. No effect on an open breaker. */
void mr_breaker_set(const struct mr_breaker *breaker, struct mr_breaker_state *state,
                    double current_a, double t_s);

/** Heat, or D, at a time not before state->t_s. */
double mr_breaker_heat(const struct mr_breaker *breaker, const struct mr_breaker_state *state,
                       double t_s);

/** When it trips if the current stays; INFINITY: never, or open already. */
double mr_breaker_trip_s(const struct mr_breaker *breaker, const struct mr_breaker_state *state);

/** When the alarm is raised if the current stays; INFINITY: never, or raised already. */
double mr_breaker_alarm_s(const struct mr_breaker *breaker, const struct mr_breaker_state *state);

void mr_breaker_open(const struct mr_breaker *breaker, struct mr_breaker_state *state, double t_s);

/** Close again: what was heated cools on; D starts at 0. */
void mr_breaker_close(const struct mr_breaker *breaker, struct mr_breaker_state *state, double t_s);

const char *mr_breaker_law_name(int law);

#endif
