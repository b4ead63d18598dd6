/* SPDX-License-Identifier: Apache-2.0 */
/* The ride-through machine: one clock for each level of the curve. */
#include "power/feed_ride.h"

#include "engine/base/assert.h"

#include <math.h>

// clang-format off
#define P struct mr_feed_ride_params
#define LEVEL(i, text, frac, time)                                                                                       \
    MR_PARAM(P, level_frac[i], "level" text, MR_Q_FRACTION, frac, 1e-6, 1, "Level " text " of the curve, share of the nominal voltage"), \
    MR_PARAM(P, may_s[i], "time" text, MR_Q_TIME, time, 0, MR_UNBOUNDED, "How long the voltage may be below level " text)
static const struct mr_param rows[] = {
    MR_PARAM_N(P, n_level, "levels", "3", 0, MR_FEED_RIDE_LEVELS, "Levels of the curve that are used"),
    LEVEL(0, "1", "70 %", "20 ms"),
    LEVEL(1, "2", "80 %", "0.5 s"),
    LEVEL(2, "3", "90 %", "10 s"),
    LEVEL(3, "4", "95 %", "1 h"),
    LEVEL(4, "5", "96 %", "2 h"),
    LEVEL(5, "6", "97 %", "3 h"),
    LEVEL(6, "7", "98 %", "4 h"),
    LEVEL(7, "8", "99 %", "5 h"),
    MR_PARAM(P, return_delay_s, "return_delay", MR_Q_TIME, "30 s", 0, 86400, "Voltage must be good for so long before the site comes back"),
    MR_PARAM_N(P, n_stage, "return_stages", "4", 1, 1000, "Equal parts in which it comes back"),
    MR_PARAM(P, stage_s, "return_stage", MR_Q_TIME, "15 s", 0, 86400, "Time between two of them"),
};
#undef LEVEL
#undef P
// clang-format on

static const struct mr_param_table table = {"ride_through", "What the site does in voltage dips.",
                                            rows, sizeof rows / sizeof *rows};

const struct mr_param_table *mr_feed_ride_table(void)
{
    return &table;
}

void mr_feed_ride_defaults(struct mr_feed_ride_params *params)
{
    uint8_t origin[sizeof rows / sizeof *rows];
    *params = (struct mr_feed_ride_params){0};
    mr_param_defaults(&(struct mr_param_target){&table, params, origin, NULL, NULL});
}

mr_status mr_feed_ride_check(const struct mr_feed_ride_params *params, const char *name,
                             struct mr_err *err)
{
    if (params->n_level > MR_FEED_RIDE_LEVELS)
        return mr_err_set(err, MR_LIMIT, MR_NOWHERE, "%s: %llu levels, at most %d", name,
                          (unsigned long long)params->n_level, MR_FEED_RIDE_LEVELS);
    for (uint64_t i = 0; i < params->n_level; i++) {
        const double level = params->level_frac[i], may_s = params->may_s[i];
        if (!(level > 0 && level <= 1 && may_s >= 0))
            return mr_err_set(
                err, MR_RANGE, MR_NOWHERE,
                "%s: %g s below %g of the voltage: needs 0 s or more, a share up to 1", name, may_s,
                level);
        if (i > 0 && !(level > params->level_frac[i - 1] && may_s > params->may_s[i - 1]))
            return mr_err_set(err, MR_RANGE, MR_NOWHERE,
                              "%s: %g s below %g, %g s below %g: both must rise", name,
                              params->may_s[i - 1], params->level_frac[i - 1], may_s, level);
    }
    return MR_OK;
}

double mr_feed_ride_may_s(const struct mr_feed_ride_params *params, double voltage_frac)
{
    for (uint64_t i = 0; i < params->n_level; i++)
        if (voltage_frac < params->level_frac[i])
            return params->may_s[i];
    return (double)INFINITY;
}

struct mr_feed_ride mr_feed_ride_start(const struct mr_feed_ride_params *params, double t_s)
{
    struct mr_feed_ride ride = {.t_s = t_s, .voltage_frac = 1, .back_s = (double)INFINITY};
    for (uint64_t i = 0; i < params->n_level; i++)
        ride.below_s[i] = (double)INFINITY;
    return ride;
}

static bool is_low(const struct mr_feed_ride_params *params, double voltage_frac)
{
    return params->n_level > 0 && voltage_frac < params->level_frac[params->n_level - 1];
}

static bool is_on_grid(const struct mr_feed_ride *ride)
{
    return ride->state == MR_FEED_RIDE_ON || ride->state == MR_FEED_RIDE_DIPPED ||
           ride->state == MR_FEED_RIDE_RETURNING;
}

/* When some level's time is over. */
static double leave_s(const struct mr_feed_ride_params *params, const struct mr_feed_ride *ride)
{
    double next_s = (double)INFINITY;
    for (uint64_t i = 0; i < params->n_level; i++)
        next_s = fmin(next_s, ride->below_s[i] + params->may_s[i]);
    return next_s;
}

double mr_feed_ride_next_s(const struct mr_feed_ride_params *params,
                           const struct mr_feed_ride *ride)
{
    const double next_s =
        is_on_grid(ride) ? fmin(leave_s(params, ride), ride->back_s) : ride->back_s;
    return fmax(next_s, ride->t_s);
}

static void leave(struct mr_feed_ride *ride)
{
    ride->state = MR_FEED_RIDE_AWAY;
    ride->n_back = 0;
    ride->n_away++;
    ride->back_s = (double)INFINITY;
}

static void come_back(const struct mr_feed_ride_params *params, struct mr_feed_ride *ride)
{
    const bool is_whole = ++ride->n_back >= params->n_stage;
    ride->state = is_whole ? MR_FEED_RIDE_ON : MR_FEED_RIDE_RETURNING;
    ride->back_s = is_whole ? (double)INFINITY : ride->t_s + params->stage_s;
}

static void feel(const struct mr_feed_ride_params *params, struct mr_feed_ride *ride,
                 double voltage_frac)
{
    const bool was_low = is_low(params, ride->voltage_frac), low = is_low(params, voltage_frac);
    for (uint64_t i = 0; i < params->n_level; i++)
        if (!(voltage_frac < params->level_frac[i]))
            ride->below_s[i] = (double)INFINITY;
        else if (ride->below_s[i] == (double)INFINITY)
            ride->below_s[i] = ride->t_s;
    ride->voltage_frac = voltage_frac;
    ride->n_dip += low && !was_low;
    if (ride->state == MR_FEED_RIDE_ON && low)
        ride->state = MR_FEED_RIDE_DIPPED;
    else if (ride->state == MR_FEED_RIDE_DIPPED && !low)
        ride->state = MR_FEED_RIDE_ON;
    else if (ride->state == MR_FEED_RIDE_RETURNING && low)
        leave(ride); /* not a second time */
    else if (ride->state == MR_FEED_RIDE_WAITING && low)
        ride->state = MR_FEED_RIDE_AWAY;
    if (ride->state == MR_FEED_RIDE_AWAY) {
        ride->back_s = low ? (double)INFINITY : ride->t_s + params->return_delay_s;
        ride->state = low ? MR_FEED_RIDE_AWAY : MR_FEED_RIDE_WAITING;
    }
}

void mr_feed_ride_step(const struct mr_feed_ride_params *params, struct mr_feed_ride *ride,
                       double t_s, double voltage_frac)
{
    MR_ASSERT(t_s >= ride->t_s);
    for (;;) {
        const double next_s = mr_feed_ride_next_s(params, ride);
        if (next_s > t_s)
            break;
        ride->t_s = next_s;
        if (is_on_grid(ride) && leave_s(params, ride) <= next_s)
            leave(ride);
        else
            come_back(params, ride);
    }
    ride->t_s = t_s;
    if (voltage_frac != ride->voltage_frac)
        feel(params, ride, voltage_frac);
}

double mr_feed_ride_share_frac(const struct mr_feed_ride_params *params,
                               const struct mr_feed_ride *ride)
{
    switch (ride->state) {
    case MR_FEED_RIDE_ON:
    case MR_FEED_RIDE_DIPPED:
        return 1;
    case MR_FEED_RIDE_RETURNING:
        return (double)ride->n_back / (double)params->n_stage;
    default:
        return 0;
    }
}
