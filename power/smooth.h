/* SPDX-License-Identifier: Apache-2.0 */
/* Power smoothing in a package: what it draws changes no faster than its ramps, and stays on a
 * floor for a while after work has ended, so that many packages in step do not shake the grid.
 *
 *   y follows max(x, floor) at the ramps        x wanted (piecewise constant), y drawn
 *   burn = y - x >= 0 becomes heat; where y < x work runs at y / x of its rate
 *
 * The floor is armed once x has been above it and is held for `hysteresis` after x fell below; then
 * the second floor, if any, holds. y is linear between corners, every corner is known ahead. Makers
 * also list multipliers of averaging windows that turn floors on; what they do is not published and
 * they are not here. */
#ifndef MR_POWER_SMOOTH_H
#define MR_POWER_SMOOTH_H

#include "engine/base/param.h"

struct mr_smooth_params {
    bool is_on;
    double floor_frac; /* of the package's limit, 0: none */
    double ramp_up_w_s, ramp_down_w_s;
    double hysteresis_s;
    double second_floor_w; /* held at all times, once armed */
    double activation_w;   /* so far above the floor x must have been to arm it */
};

const struct mr_param_table *mr_smooth_table(void);
void mr_smooth_defaults(struct mr_smooth_params *params);

/** @param[in] limit_w of the package */
MR_CHECKED mr_status mr_smooth_check(const struct mr_smooth_params *params, double limit_w,
                                     const char *name, struct mr_err *err);

struct mr_smooth {
    double t_s, want_w, draw_w, slope_w_s;
    double limit_w; /* of the package: what floor_frac is a share of */
    double hold_s;  /* the floor holds until then; INFINITY: x is above it; -INFINITY: not armed */
    double energy_j, burn_j; /* drawn; drawn beyond what was wanted */
    double missed_j;         /* wanted, not drawn */
};

/** Settled at `want_w`. The floor is armed if that is above it. */
struct mr_smooth mr_smooth_start(const struct mr_smooth_params *params, double limit_w, double t_s,
                                 double want_w);

/** To a later time, over as many corners as lie before it. */
void mr_smooth_advance(const struct mr_smooth_params *params, struct mr_smooth *smooth, double t_s);

/** Another power is wanted from now on. */
void mr_smooth_set(const struct mr_smooth_params *params, struct mr_smooth *smooth, double want_w);

/** The next time at which what is drawn changes its slope. @return INFINITY: settled */
double mr_smooth_next_s(const struct mr_smooth_params *params, const struct mr_smooth *smooth);

/** Rate of work now over its full rate: 1 unless a rise is delayed. */
double mr_smooth_rate(const struct mr_smooth *smooth);

#endif
