/* SPDX-License-Identifier: Apache-2.0 */
/* Trip times of breakers. */
#include "power/breaker.h"

#include "engine/base/assert.h"
#include "engine/base/fmath.h"

#include <math.h>

static const double never = (double)INFINITY;

static const struct {
    const char *name;
    double k_s, alpha;
} laws[] = {
#define BREAKER_LAW(name, text, k, alpha, doc) {text, k, alpha},
    MR_BREAKER_LAW_LIST(BREAKER_LAW)
#undef BREAKER_LAW
};

const char *mr_breaker_law_name(int law)
{
    return law >= 0 && law < MR_N_BREAKER_LAW ? laws[law].name : "unknown";
}

struct mr_breaker mr_breaker_of(int law, double rated_a)
{
    MR_ASSERT(law >= 0 && law < MR_N_BREAKER_LAW);
    return (struct mr_breaker){.law = law,
                               .rated_a = rated_a,
                               .pickup_a = rated_a,
                               .tms = 1,
                               .reset_s = 10,
                               .tau_s = 600,
                               .trip_theta = 1.05 * 1.05,
                               .instant_frac = law == MR_BREAKER_NONE ? never : 8,
                               .continuous_frac = 0.8,
                               .alarm_s = 10};
}

mr_status mr_breaker_check(const struct mr_breaker *breaker, const char *what, struct mr_place at,
                           struct mr_err *err)
{
    const struct {
        const char *name;
        double value;
    } row[] = {
        {"rated current", breaker->rated_a}, {"pickup current", breaker->pickup_a},
        {"time multiplier", breaker->tms},   {"reset time", breaker->reset_s},
        {"time constant", breaker->tau_s},   {"instantaneous multiple", breaker->instant_frac},
    };
    if (breaker->law == MR_BREAKER_NONE)
        return MR_OK;
    for (size_t i = 0; i < sizeof row / sizeof *row; i++)
        if (!(row[i].value > 0))
            return mr_err_set(err, MR_RANGE, at, "breaker of %s: %s %g must be above 0", what,
                              row[i].name, row[i].value);
    if (breaker->law == MR_BREAKER_THERMAL && !(breaker->trip_theta >= 1))
        return mr_err_set(err, MR_RANGE, at,
                          "breaker of %s: trips at %g of its rated heat: at its rating it would "
                          "trip too (1 or more)",
                          what, breaker->trip_theta);
    if (!(breaker->continuous_frac > 0 && breaker->continuous_frac <= 1))
        return mr_err_set(err, MR_RANGE, at,
                          "breaker of %s: continuous share %g must be above 0, at most 1", what,
                          breaker->continuous_frac);
    if (!(breaker->alarm_s >= 0))
        return mr_err_set(err, MR_RANGE, at, "breaker of %s: alarm after %g s: 0 or more", what,
                          breaker->alarm_s);
    return MR_OK;
}

/* ---- laws ---- */

static double squared(double x)
{
    return x * x;
}

/* Time from D = 0 to a trip; not above the pickup: never. */
static double inverse_s(const struct mr_breaker *breaker, double current_a)
{
    const double ratio = current_a / breaker->pickup_a;
    if (!(ratio > 1))
        return never;
    return breaker->tms * laws[breaker->law].k_s / (mr_pow(ratio, laws[breaker->law].alpha) - 1);
}

double mr_breaker_heat(const struct mr_breaker *breaker, const struct mr_breaker_state *state,
                       double t_s)
{
    const double dt_s = t_s - state->t_s;
    MR_ASSERT(dt_s >= 0);
    if (breaker->law == MR_BREAKER_NONE)
        return 0;
    if (breaker->law == MR_BREAKER_THERMAL) {
        /* th = x^2 + (th0 - x^2) e^(-dt / tau) */
        const double goal = squared(state->current_a / breaker->rated_a);
        return state->heat + (state->heat - goal) * mr_expm1(-dt_s / breaker->tau_s);
    }
    const double full_s = inverse_s(breaker, state->current_a);
    if (full_s < never)
        return fmin(1, state->heat + dt_s / full_s);
    return fmax(0, state->heat - dt_s / breaker->reset_s);
}

struct mr_breaker_state mr_breaker_start(const struct mr_breaker *breaker, double current_a,
                                         double t_s)
{
    struct mr_breaker_state state = {.t_s = t_s, .high_since_s = never};
    if (breaker->law == MR_BREAKER_THERMAL)
        state.heat = fmin(squared(current_a / breaker->rated_a), breaker->trip_theta);
    mr_breaker_set(breaker, &state, current_a, t_s);
    return state;
}

void mr_breaker_set(const struct mr_breaker *breaker, struct mr_breaker_state *state,
                    double current_a, double t_s)
{
    if (breaker->law == MR_BREAKER_NONE || state->is_open)
        return;
    const double heat = mr_breaker_heat(breaker, state, t_s);
    state->heat = heat;
    state->t_s = t_s;
    state->current_a = current_a;
    if (current_a <= breaker->continuous_frac * breaker->rated_a) {
        state->high_since_s = never;
        state->has_alarm = false;
    } else if (isinf(state->high_since_s)) {
        state->high_since_s = t_s;
    }
}

double mr_breaker_trip_s(const struct mr_breaker *breaker, const struct mr_breaker_state *state)
{
    if (breaker->law == MR_BREAKER_NONE || state->is_open)
        return never;
    if (state->current_a > breaker->instant_frac * breaker->rated_a)
        return state->t_s;
    if (breaker->law == MR_BREAKER_THERMAL) {
        const double goal = squared(state->current_a / breaker->rated_a);
        if (!(goal > breaker->trip_theta))
            return never;
        /* tau ln((x^2 - th0) / (x^2 - th_trip)) */
        const double heat = fmin(state->heat, breaker->trip_theta);
        return state->t_s + breaker->tau_s * mr_log((goal - heat) / (goal - breaker->trip_theta));
    }
    const double full_s = inverse_s(breaker, state->current_a);
    return full_s < never ? state->t_s + (1 - state->heat) * full_s : never;
}

double mr_breaker_alarm_s(const struct mr_breaker *breaker, const struct mr_breaker_state *state)
{
    if (breaker->law == MR_BREAKER_NONE || state->is_open || state->has_alarm)
        return never;
    return state->high_since_s + breaker->alarm_s;
}

void mr_breaker_open(const struct mr_breaker *breaker, struct mr_breaker_state *state, double t_s)
{
    mr_breaker_set(breaker, state, 0, t_s);
    state->is_open = true;
}

void mr_breaker_close(const struct mr_breaker *breaker, struct mr_breaker_state *state, double t_s)
{
    if (!state->is_open)
        return;
    state->is_open = false;
    if (breaker->law != MR_BREAKER_THERMAL)
        state->heat = 0;
    mr_breaker_set(breaker, state, 0, t_s);
}
