/* SPDX-License-Identifier: Apache-2.0 */
/* Linear systems of one or two states between events: values, integrals, ramps and crossing times
 * in closed form.
 *
 *   dx/dt = A x + g,  A = [a b; c d], b c > 0: eigenvalues l1 > l2 are real
 *   x(t) = x0 + phi1(l1,t) P1 f + phi1(l2,t) P2 f                    f = A x0 + g
 *   int_0^t x = x0 t + phi2(l1,t) P1 f + phi2(l2,t) P2 f
 *   phi1(l,t) = (e^(l t) - 1) / l     phi2(l,t) = (phi1(l,t) - t) / l     P1 = (A - l2 I) / (l1 -
 * l2)
 *
 * P2 = I - P1. No steady state is ever subtracted, so singular and unstable A are fine: a coolant
 * loop without flow is one, leakage that outruns a stagnant plate the other. */
#ifndef MR_THERMAL_TWO_STATE_H
#define MR_THERMAL_TWO_STATE_H

#include "engine/base/fmath.h"

#include <math.h>
#include <stdbool.h>

struct mr_two_state {
    double a[2][2];
    double l[2], inverse_l[2]; /* inverse of 0: 0, and never used */
    double p[2][2];            /* P1 */
};

/* phi1 and phi2 of one eigenvalue at one time. */
struct mr_two_state_phi {
    double one, two;
};

/** l t below this in size: phi2 by its series sum_j x^j / (j+2)! (error 1e-16 t^2), which keeps the
 * digits that the difference loses, and is faster. */
#define MR_TWO_STATE_SMALL 0.25

static inline struct mr_two_state_phi mr_two_state_phi_of(double l, double inverse_l, double t_s)
{
    const double x = l * t_s;
    struct mr_two_state_phi phi;
    if (x < MR_TWO_STATE_SMALL && x > -MR_TWO_STATE_SMALL) {
        const double y = x * x, z = y * y;
        const double a = (1.0 / 2 + x * (1.0 / 6)) + y * (1.0 / 24 + x * (1.0 / 120));
        const double b = (1.0 / 720 + x * (1.0 / 5040)) + y * (1.0 / 40320 + x * (1.0 / 362880));
        const double c = (1.0 / 3628800 + x * (1.0 / 39916800)) + y * (1.0 / 479001600);
        phi.two = t_s * t_s * (a + z * (b + z * c));
        phi.one = t_s + l * phi.two;
    } else {
        phi.one = mr_expm1(x) * inverse_l;
        phi.two = (phi.one - t_s) * inverse_l;
    }
    return phi;
}

/** @param[in] a row by row; a[0][1] and a[1][0] must have the same sign and not be 0 */
struct mr_two_state mr_two_state_of(const double a[2][2]);

/** Steady state of A x + g = 0. @return false when A is singular or has no stable one */
bool mr_two_state_steady(const struct mr_two_state *s, const double g[2], double x[2]);

/** x and its integral after t_s under g + ramp t. @param[in] ramp NULL: none
 *  @param[in,out] x @param[in,out] integral added to; NULL: not wanted. With a ramp the integral
 *  needs phi3, which nothing here asks for: NULL then. */
void mr_two_state_advance(const struct mr_two_state *s, const double g[2], const double ramp[2],
                          double t_s, double x[2], double integral[2]);

/* One component of a two-state system, or a one-state system: y(t) = y0 + sum_i w[i] phi1(l[i],t).
 */
struct mr_two_state_wave {
    double y0;
    double w[2], l[2], inverse_l[2]; /* l[0] > l[1] where w[1] is not 0 */
};

/** Component i under constant g. */
struct mr_two_state_wave mr_two_state_wave_of(const struct mr_two_state *s, const double g[2],
                                              const double x[2], int i);

/** One state: dx/dt = l x + g. */
struct mr_two_state_wave mr_two_state_wave_of_one(double l, double g, double x);

double mr_two_state_wave_at(const struct mr_two_state_wave *wave, double t_s);
double mr_two_state_wave_integral(const struct mr_two_state_wave *wave, double t_s);

/** Highest (direction 1) or lowest (-1) value that the wave can not exceed, without exp or log;
 *  infinite when it grows without end. */
static inline double mr_two_state_wave_bound(const struct mr_two_state_wave *wave, int direction)
{
    double y = wave->y0;
    for (int i = 0; i < 2; i++) {
        if (!(wave->w[i] * direction > 0))
            continue;
        if (!(wave->l[i] < 0))
            return direction * HUGE_VAL;
        y -= wave->w[i] * wave->inverse_l[i];
    }
    return y;
}

/** First time at which y is at or above the level and not falling (direction 1), or at or below and
 *  not rising (-1): 0 when that is so now, INFINITY when never. y has one extremum at most, so the
 *  search is two pieces. @param[in] tolerance_s of the answer, which is never early by more */
double mr_two_state_wave_crossing_s(const struct mr_two_state_wave *wave, double level,
                                    int direction, double tolerance_s);

#endif
