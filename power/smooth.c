/* SPDX-License-Identifier: Apache-2.0 */
/* Three things can be next: what is drawn meets what it moves to, the floor is let go, or nothing.
 * What is drawn never passes what is wanted on the way, so the sign of y - x is constant between
 * corners and burn is a trapezoid. */
#include "power/smooth.h"

#include "engine/base/assert.h"

#include <math.h>

// clang-format off
#define P struct mr_smooth_params
static const struct mr_param rows[] = {
    MR_PARAM_YES(P, is_on, "enabled", "no", "Smooth what packages draw"),
    MR_PARAM(P, floor_frac, "floor", MR_Q_FRACTION, "65 %", 0, 1, "Floor after work has ended, share of the package's limit"),
    MR_PARAM(P, ramp_up_w_s, "ramp_up", MR_Q_RAMP, "1 kW/s", 1e-3, 1e9, "Fastest rise of one package"),
    MR_PARAM(P, ramp_down_w_s, "ramp_down", MR_Q_RAMP, "500 W/s", 1e-3, 1e9, "Fastest fall of one package"),
    MR_PARAM(P, hysteresis_s, "hysteresis", MR_Q_TIME, "2 s", 0, 3600, "How long the floor is held after the fall below it"),
    MR_PARAM(P, second_floor_w, "second_floor", MR_Q_POWER, "0 W", 0, 1e5, "Floor that stays when the first is let go"),
    MR_PARAM(P, activation_w, "activation_offset", MR_Q_POWER, "0 W", 0, 1e5, "So far above the floor work must have been to arm it"),
};
#undef P
// clang-format on

static const struct mr_param_table table = {"smoothing", "Power smoothing inside packages.", rows,
                                            sizeof rows / sizeof *rows};

const struct mr_param_table *mr_smooth_table(void)
{
    return &table;
}

void mr_smooth_defaults(struct mr_smooth_params *params)
{
    uint8_t origin[sizeof rows / sizeof *rows];
    *params = (struct mr_smooth_params){0};
    mr_param_defaults(&(struct mr_param_target){&table, params, origin, NULL, NULL});
}

mr_status mr_smooth_check(const struct mr_smooth_params *params, double limit_w, const char *name,
                          struct mr_err *err)
{
    const double floor_w = params->floor_frac * limit_w;
    if (!(limit_w > 0))
        return mr_err_set(err, MR_RANGE, MR_NOWHERE, "%s: limit %g W: smoothing needs one above 0",
                          name, limit_w);
    if (params->second_floor_w > floor_w)
        return mr_err_set(err, MR_RANGE, MR_NOWHERE,
                          "%s: second floor %g W: above the first, %g of %g W", name,
                          params->second_floor_w, params->floor_frac, limit_w);
    if (floor_w + params->activation_w > limit_w)
        return mr_err_set(err, MR_RANGE, MR_NOWHERE,
                          "%s: activation offset %g W: %g W above the floor are never drawn under "
                          "a limit of %g W",
                          name, params->activation_w, params->activation_w, limit_w);
    return MR_OK;
}

/* What is drawn moves there. */
static double target_w(const struct mr_smooth_params *params, const struct mr_smooth *s)
{
    if (!params->is_on || s->hold_s == -(double)INFINITY)
        return s->want_w;
    const double floor_w =
        s->t_s < s->hold_s ? params->floor_frac * s->limit_w : params->second_floor_w;
    return fmax(s->want_w, floor_w);
}

static void steer(const struct mr_smooth_params *params, struct mr_smooth *s)
{
    const double to_w = target_w(params, s);
    if (!params->is_on)
        s->draw_w = to_w;
    const double rate_w_s = to_w > s->draw_w ? params->ramp_up_w_s : -params->ramp_down_w_s;
    if (s->t_s + (to_w - s->draw_w) / rate_w_s == s->t_s)
        s->draw_w = to_w; /* nearer than dates are apart: it would never be met */
    s->slope_w_s = to_w != s->draw_w ? rate_w_s : 0;
}

static void arm(const struct mr_smooth_params *params, struct mr_smooth *s)
{
    const double floor_w = params->floor_frac * s->limit_w;
    if (s->want_w >= floor_w &&
        (s->want_w >= floor_w + params->activation_w || s->hold_s == (double)INFINITY))
        s->hold_s = (double)INFINITY;
    else if (s->hold_s == (double)INFINITY)
        s->hold_s = s->t_s + params->hysteresis_s;
}

struct mr_smooth mr_smooth_start(const struct mr_smooth_params *params, double limit_w, double t_s,
                                 double want_w)
{
    struct mr_smooth s = {.t_s = t_s,
                          .want_w = want_w,
                          .draw_w = want_w,
                          .limit_w = limit_w,
                          .hold_s = -(double)INFINITY};
    arm(params, &s);
    return s;
}

double mr_smooth_next_s(const struct mr_smooth_params *params, const struct mr_smooth *smooth)
{
    double next_s = (double)INFINITY;
    if (!params->is_on)
        return next_s;
    if (smooth->hold_s > smooth->t_s)
        next_s = smooth->hold_s;
    if (smooth->slope_w_s != 0)
        next_s = fmin(next_s, smooth->t_s +
                                  (target_w(params, smooth) - smooth->draw_w) / smooth->slope_w_s);
    return next_s;
}

static void run(struct mr_smooth *s, double t_s)
{
    const double dt_s = t_s - s->t_s, end_w = s->draw_w + s->slope_w_s * dt_s;
    const double energy_j = 0.5 * (s->draw_w + end_w) * dt_s,
                 beyond_j = energy_j - s->want_w * dt_s;
    s->energy_j += energy_j;
    if (beyond_j > 0)
        s->burn_j += beyond_j;
    else
        s->missed_j -= beyond_j;
    s->draw_w = end_w;
    s->t_s = t_s;
}

void mr_smooth_advance(const struct mr_smooth_params *params, struct mr_smooth *smooth, double t_s)
{
    MR_ASSERT(t_s >= smooth->t_s);
    for (;;) {
        const double to_w = target_w(params, smooth);
        const double next_s = mr_smooth_next_s(params, smooth);
        if (next_s > t_s)
            break;
        /* the floor may be let go just when it is reached: both happen */
        const bool meets = smooth->slope_w_s != 0 &&
                           smooth->t_s + (to_w - smooth->draw_w) / smooth->slope_w_s <= next_s;
        run(smooth, next_s);
        if (meets)
            smooth->draw_w = to_w;
        steer(params, smooth);
    }
    run(smooth, t_s);
    if (smooth->slope_w_s != 0)
        steer(params, smooth); /* it may have come nearer than dates are apart */
}

void mr_smooth_set(const struct mr_smooth_params *params, struct mr_smooth *smooth, double want_w)
{
    MR_ASSERT(want_w >= 0);
    smooth->want_w = want_w;
    arm(params, smooth);
    steer(params, smooth);
}

double mr_smooth_rate(const struct mr_smooth *smooth)
{
    return smooth->draw_w < smooth->want_w ? smooth->draw_w / smooth->want_w : 1;
}
