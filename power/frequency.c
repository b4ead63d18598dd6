/* SPDX-License-Identifier: Apache-2.0 */
/* One bus. Both states are waves of one kind, y = ys + c (y0 - ys) + s (y0' - sigma (y0 - ys)),
 * with q = sigma^2 - det of A:
 *
 *   q < 0   c = e^(sigma t) cos(w t)   s = e^(sigma t) sin(w t) / w        w = sqrt(-q)
 *   q >= 0  c = (e^(l1 t) + e^(l2 t)) / 2, s = e^(l2 t) expm1(2 k t) / 2k   k = sqrt(q), l = sigma
 * +- k
 *
 * A wave's slope is a wave, too (y'' = 2 sigma y' - det (y - ys)), so its zeros, the extrema, are a
 * direction or a logarithm. Levels are looked for between extrema, where a wave is monotone.
 * Map: parameters - waves - crossing - modes - events - a trace. */
#include "power/frequency.h"

#include "engine/base/assert.h"
#include "engine/base/fmath.h"
#include "engine/base/turn.h"

#include <math.h>

static const double two_pi = 6.283185307179586476925;
static const double horizon = 40; /* time constants after which a wave stands still */

enum {
    n_piece_max = 400, /* extrema within the horizon that are looked at */
    n_halving = 80
};

/* ---- parameters ---- */

// clang-format off
#define P struct mr_frequency_params
#define STAGE(i, text, hz)                                                                                        \
    MR_PARAM(P, stage_hz[i], "shed" text "_below", MR_Q_FREQUENCY, hz, 1e-3, 1000, "Stage " text " sheds below this frequency"), \
    MR_PARAM(P, shed_w[i], "shed" text, MR_Q_POWER, "0 W", 0, 1e12, "Load that stage " text " sheds")
static const struct mr_param rows[] = {
    MR_PARAM(P, nominal_hz, "nominal", MR_Q_FREQUENCY, "60 Hz", 1, 1000, "Frequency that should be"),
    MR_PARAM(P, base_w, "base", MR_Q_POWER, "100 MW", 1, 1e12, "Rating of the machines, base of what is per unit"),
    MR_PARAM(P, inertia_s, "inertia", MR_Q_TIME, "5 s", 1e-3, 1000, "Energy of the rotors over the rating (H)"),
    MR_PARAM(P, damping, "damping", MR_Q_COUNT, "1", 0, 100, "Change of load with frequency, per unit of both (D)"),
    MR_PARAM(P, droop, "droop", MR_Q_FRACTION, "5 %", 0, 1, "Deviation that moves the governor by the full rating (R); 0: no governor"),
    MR_PARAM(P, governor_s, "governor", MR_Q_TIME, "0.5 s", 1e-3, 1000, "Time constant of governor and turbine (T)"),
    MR_PARAM(P, up_frac, "headroom_up", MR_Q_FRACTION, "100 %", 0, 100, "What governed machines can rise by, share of the rating"),
    MR_PARAM(P, down_frac, "headroom_down", MR_Q_FRACTION, "100 %", 0, 100, "What governed machines can fall by, share of the rating"),
    MR_PARAM_N(P, n_stage, "shed_stages", "0", 0, MR_FREQUENCY_STAGES, "Stages of load shedding that are used"),
    STAGE(0, "1", "59.3 Hz"),
    STAGE(1, "2", "58.9 Hz"),
    STAGE(2, "3", "58.5 Hz"),
    STAGE(3, "4", "58.3 Hz"),
    STAGE(4, "5", "58.1 Hz"),
    STAGE(5, "6", "57.9 Hz"),
    STAGE(6, "7", "57.7 Hz"),
    STAGE(7, "8", "57.5 Hz"),
    MR_PARAM(P, stage_delay_s, "shed_delay", MR_Q_TIME, "0.2 s", 0, 1000, "So long below a threshold before its load is shed"),
    MR_PARAM(P, trip_hz, "trip_below", MR_Q_FREQUENCY, "57 Hz", 0, 1000, "Machines leave the bus below it; 0: never"),
};
#undef STAGE
#undef P
// clang-format on

static const struct mr_param_table table = {"frequency", "Frequency of an island.", rows,
                                            sizeof rows / sizeof *rows};

const struct mr_param_table *mr_frequency_table(void)
{
    return &table;
}

void mr_frequency_defaults(struct mr_frequency_params *params)
{
    uint8_t origin[sizeof rows / sizeof *rows];
    *params = (struct mr_frequency_params){0};
    mr_param_defaults(&(struct mr_param_target){&table, params, origin, NULL, NULL});
}

mr_status mr_frequency_check(const struct mr_frequency_params *params, const char *name,
                             struct mr_err *err)
{
    if (params->n_stage > MR_FREQUENCY_STAGES)
        return mr_err_set(err, MR_LIMIT, MR_NOWHERE, "%s: %llu stages of shedding, at most %d",
                          name, (unsigned long long)params->n_stage, MR_FREQUENCY_STAGES);
    double above_hz = params->nominal_hz;
    for (uint64_t i = 0; i < params->n_stage; i++) {
        if (!(params->stage_hz[i] > 0 && params->stage_hz[i] < above_hz))
            return mr_err_set(err, MR_RANGE, MR_NOWHERE,
                              "%s: stage %llu sheds below %g Hz: must be below %g Hz", name,
                              (unsigned long long)i, params->stage_hz[i], above_hz);
        if (!(params->shed_w[i] >= 0 && isfinite(params->shed_w[i])))
            return mr_err_set(err, MR_RANGE, MR_NOWHERE, "%s: stage %llu sheds %g W: 0 W or more",
                              name, (unsigned long long)i, params->shed_w[i]);
        above_hz = params->stage_hz[i];
    }
    return MR_OK;
}

/* ---- waves ---- */

struct wave {
    double steady, value, slope; /* value and slope at time 0 */
    double sigma, q, det;
    bool is_first_order; /* slope decays with sigma alone; sigma 0: a line */
};

static double wave_at(const struct wave *w, double t_s)
{
    if (w->is_first_order)
        return w->value + w->slope * (w->sigma == 0 ? t_s : mr_expm1(w->sigma * t_s) / w->sigma);
    const double y = w->value - w->steady, v = w->slope - w->sigma * y;
    if (w->q < 0) {
        const double omega = sqrt(-w->q), decay = mr_exp(w->sigma * t_s);
        const struct mr_turn turn = mr_turn_of(omega * t_s / two_pi);
        return w->steady + decay * (turn.cos * y + turn.sin / omega * v);
    }
    const double k = sqrt(w->q), slow = mr_exp((w->sigma + k) * t_s);
    const double fast = mr_exp((w->sigma - k) * t_s);
    const double s = k == 0 ? t_s * fast : fast * mr_expm1(2 * k * t_s) / (2 * k);
    return w->steady + 0.5 * (slow + fast) * y + s * v;
}

/* First extremum after 0 and the time between two of them. @return INFINITY: none */
static double first_extremum_s(const struct wave *w, double *period_s)
{
    *period_s = (double)INFINITY;
    if (w->is_first_order)
        return (double)INFINITY;
    /* the slope: v0 c + u s with u = v0' - sigma v0 */
    const double v = w->slope, u = w->sigma * v - w->det * (w->value - w->steady);
    if (w->q < 0) {
        const double omega = sqrt(-w->q);
        *period_s = 0.5 * two_pi / omega;
        double turns = mr_turn_direction(u / omega, -v); /* tan(w t) = -v w / u */
        if (v == 0 && u == 0)
            return (double)INFINITY;
        while (turns <= 0)
            turns += 0.5;
        return (turns > 0.5 ? turns - 0.5 : turns) * two_pi / omega;
    }
    const double k = sqrt(w->q);
    if (u == 0)
        return (double)INFINITY;
    if (k == 0)
        return -v / u > 0 ? -v / u : (double)INFINITY;
    const double z = -v * k / u; /* tanh(k t) */
    return z > 0 && z < 1 ? 0.5 * mr_log((1 + z) / (1 - z)) / k : (double)INFINITY;
}

/* When nothing moves any more; a line never rests. */
static double rest_s(const struct wave *w)
{
    const double rate = w->is_first_order || w->q < 0 ? w->sigma : w->sigma + sqrt(w->q);
    return rate < 0 ? horizon / -rate : (double)INFINITY;
}

/* ---- crossing ---- */

static double halve(const struct wave *w, double level, double low_s, double high_s)
{
    const bool rises = wave_at(w, low_s) < level;
    for (int i = 0; i < n_halving; i++) {
        const double middle_s = 0.5 * (low_s + high_s);
        if ((wave_at(w, middle_s) < level) == rises)
            low_s = middle_s;
        else
            high_s = middle_s;
    }
    return high_s;
}

/* First time after 0 at which the wave passes the level, downwards or upwards as asked; a wave that
 * stands on the level and leaves it in that direction does so now. */
static double pass_s(const struct wave *w, double level, bool downwards)
{
    const double sign = downwards ? -1 : 1;
    if (w->value == level && sign * w->slope > 0)
        return 0;
    if (w->is_first_order && w->sigma == 0) {
        const double t_s = w->slope != 0 ? (level - w->value) / w->slope : (double)INFINITY;
        return t_s > 0 && sign * w->slope > 0 ? t_s : (double)INFINITY;
    }
    double period_s, begin_s = 0;
    double end_s = first_extremum_s(w, &period_s);
    const double last_s = rest_s(w);
    for (int i = 0; i < n_piece_max && begin_s < last_s; i++) {
        end_s = fmin(end_s, last_s);
        const double a = wave_at(w, begin_s) - level, b = wave_at(w, end_s) - level;
        if (sign * a < 0 && sign * b >= 0)
            return halve(w, level, begin_s, end_s);
        begin_s = end_s;
        end_s += period_s;
    }
    return (double)INFINITY;
}

/* ---- modes ---- */

/* At which of the two bounds is g? Either may be 0: of machines at their rating, or at rest. */
static bool is_at_top(const struct mr_frequency_params *params, double g)
{
    return g > 0.5 * (params->up_frac - params->down_frac);
}

static double headroom(const struct mr_frequency_params *params, double g)
{
    return is_at_top(params, g) ? params->up_frac : -params->down_frac;
}

static bool is_free(const struct mr_frequency_params *params, const struct mr_frequency *fr)
{
    return params->droop > 0 && !fr->is_held;
}

static struct wave wave_of_f(const struct mr_frequency_params *params,
                             const struct mr_frequency *fr)
{
    const double h2 = 2 * params->inertia_s, d = params->damping;
    struct wave w = {.value = fr->f, .slope = (fr->step + fr->g - d * fr->f) / h2};
    if (!is_free(params, fr)) {
        w.is_first_order = true;
        w.sigma = -d / h2;
        return w;
    }
    const double t = params->governor_s, r = params->droop;
    w.sigma = 0.5 * (-d / h2 - 1 / t);
    w.det = (d + 1 / r) / (h2 * t);
    w.q = w.sigma * w.sigma - w.det;
    w.steady = fr->step / (d + 1 / r);
    return w;
}

static struct wave wave_of_g(const struct mr_frequency_params *params,
                             const struct mr_frequency *fr)
{
    if (!is_free(params, fr))
        return (struct wave){.value = fr->g, .is_first_order = true};
    struct wave w = wave_of_f(params, fr);
    w.steady = -w.steady / params->droop;
    w.value = fr->g;
    w.slope = (-fr->f / params->droop - fr->g) / params->governor_s;
    return w;
}

static double hz_of(const struct mr_frequency_params *params, double f)
{
    return params->nominal_hz * (1 + f);
}

static double f_of(const struct mr_frequency_params *params, double hz)
{
    return hz / params->nominal_hz - 1;
}

/* At its headroom, to the bound itself as rounding may have stopped short of it: held while more is
 * wanted. Where wanted and bound are one to rounding, the way f goes decides; it lets go a little
 * inside, or the two switches would answer each other without end. */
static void stay_at_bound(const struct mr_frequency_params *params, struct mr_frequency *fr)
{
    const double touching = 1e-9, small = 1e-6, bound = headroom(params, fr->g);
    const double sign = is_at_top(params, fr->g) ? 1 : -1;
    const double beyond = (-fr->f / params->droop - bound) * sign;
    const double outward = (params->damping * fr->f - fr->step - bound) * sign;
    const double inside = fabs(bound) > small ? bound * (1 - touching) : bound - sign * touching;
    fr->is_held = beyond > touching || (beyond > -touching && outward > 0);
    fr->g = fr->is_held ? bound : inside;
}

struct mr_frequency mr_frequency_start(double t_s)
{
    return (struct mr_frequency){.t_s = t_s, .below_s = (double)INFINITY};
}

double mr_frequency_hz(const struct mr_frequency_params *params,
                       const struct mr_frequency *frequency)
{
    return hz_of(params, frequency->f);
}

void mr_frequency_machines(const struct mr_frequency_params *params, double old_base_w,
                           struct mr_frequency *frequency)
{
    const double scale = old_base_w / params->base_w;
    frequency->step *= scale;
    frequency->g = fmin(frequency->g * scale, params->up_frac);
    frequency->g = fmax(frequency->g, -params->down_frac);
    frequency->is_held = false;
    if (params->droop > 0 &&
        (frequency->g >= params->up_frac || frequency->g <= -params->down_frac))
        stay_at_bound(params, frequency);
}

void mr_frequency_disturb(const struct mr_frequency_params *params, struct mr_frequency *frequency,
                          double step_w)
{
    frequency->step += step_w / params->base_w;
}

/* ---- events ---- */

/* Free: g reaches its headroom. Held: what the governor wants comes back to it. */
static double switch_s(const struct mr_frequency_params *params, const struct mr_frequency *fr)
{
    if (params->droop == 0)
        return (double)INFINITY;
    if (fr->is_held) {
        const struct wave f = wave_of_f(params, fr);
        return pass_s(&f, -headroom(params, fr->g) * params->droop, !is_at_top(params, fr->g));
    }
    const struct wave g = wave_of_g(params, fr);
    return fmin(pass_s(&g, params->up_frac, false), pass_s(&g, -params->down_frac, true));
}

static double stage_s(const struct mr_frequency_params *params, const struct mr_frequency *fr,
                      enum mr_frequency_event *event)
{
    *event = MR_FREQUENCY_NONE;
    if (fr->n_shed >= params->n_stage)
        return (double)INFINITY;
    const struct wave f = wave_of_f(params, fr);
    const double level = f_of(params, params->stage_hz[fr->n_shed]);
    if (fr->below_s == (double)INFINITY) {
        *event = MR_FREQUENCY_BELOW;
        return fr->f < level ? 0 : pass_s(&f, level, true);
    }
    const double shed_s = fmax(fr->below_s + params->stage_delay_s - fr->t_s, 0);
    const double above_s = pass_s(&f, level, false);
    *event = above_s < shed_s ? MR_FREQUENCY_ABOVE : MR_FREQUENCY_SHED;
    return fmin(above_s, shed_s);
}

double mr_frequency_next_s(const struct mr_frequency_params *params,
                           const struct mr_frequency *frequency, enum mr_frequency_event *event)
{
    const double staged_s = stage_s(params, frequency, event);
    const double switched_s = switch_s(params, frequency);
    if (switched_s < staged_s)
        *event = frequency->is_held ? MR_FREQUENCY_FREED : MR_FREQUENCY_HELD;
    const double next_s = frequency->t_s + fmin(staged_s, switched_s);
    if (next_s == (double)INFINITY)
        *event = MR_FREQUENCY_NONE;
    return next_s;
}

/* Both equations over a piece: 2 H df = step dt + G - D F, T dg = -F / R - G. A governor that
 * stands gives G = g dt. */
static void add_integrals(const struct mr_frequency_params *params,
                          const struct mr_frequency *before, double dt_s, struct mr_frequency *fr)
{
    const double spun = 2 * params->inertia_s * (fr->f - before->f), a = spun - before->step * dt_s;
    double governed = before->g * dt_s, damped = governed - a;
    if (is_free(params, before)) {
        const double b = params->governor_s * (before->g - fr->g);
        damped = params->damping * (b - a) / (1 / params->droop + params->damping);
        governed = a + damped;
    }
    fr->governor += governed;
    fr->rotor -= spun;
    fr->damping -= damped;
}

/* Without an event before t_s. Extrema alternate: of those of a wave that decays the first two hold
 * the lowest; a third one is higher than the first. @return the lowest f on the way */
static double run(const struct mr_frequency_params *params, struct mr_frequency *fr, double t_s)
{
    const struct wave f = wave_of_f(params, fr), g = wave_of_g(params, fr);
    const double dt_s = t_s - fr->t_s;
    double low_f = fr->f, period_s;
    if (dt_s > 0) {
        const double first_s = first_extremum_s(&f, &period_s), second_s = first_s + period_s;
        if (first_s < dt_s)
            low_f = fmin(low_f, wave_at(&f, first_s));
        if (second_s < dt_s)
            low_f = fmin(low_f, wave_at(&f, second_s));
        const struct mr_frequency before = *fr;
        fr->f = wave_at(&f, dt_s);
        fr->g = wave_at(&g, dt_s);
        add_integrals(params, &before, dt_s, fr);
    }
    fr->t_s = t_s;
    return fmin(low_f, fr->f);
}

static void happen(const struct mr_frequency_params *params, struct mr_frequency *fr,
                   enum mr_frequency_event event)
{
    switch (event) {
    case MR_FREQUENCY_HELD: /* to the bound itself: rounding may have stopped short of it */
        stay_at_bound(params, fr);
        break;
    case MR_FREQUENCY_FREED:
        fr->is_held = false;
        break;
    case MR_FREQUENCY_BELOW:
        fr->below_s = fr->t_s;
        break;
    case MR_FREQUENCY_ABOVE:
        fr->f = fmax(fr->f, f_of(params, params->stage_hz[fr->n_shed]));
        fr->below_s = (double)INFINITY;
        break;
    case MR_FREQUENCY_SHED:
        fr->step += params->shed_w[fr->n_shed++] / params->base_w;
        fr->below_s = (double)INFINITY;
        break;
    case MR_FREQUENCY_NONE:
        break;
    }
}

double mr_frequency_advance(const struct mr_frequency_params *params,
                            struct mr_frequency *frequency, double t_s)
{
    MR_ASSERT(t_s >= frequency->t_s);
    double low_f = frequency->f;
    for (;;) {
        enum mr_frequency_event event;
        const double next_s = mr_frequency_next_s(params, frequency, &event);
        if (next_s > t_s || event == MR_FREQUENCY_NONE)
            break;
        low_f = fmin(low_f, run(params, frequency, next_s));
        happen(params, frequency, event);
    }
    return hz_of(params, fmin(low_f, run(params, frequency, t_s)));
}

double mr_frequency_cross_s(const struct mr_frequency_params *params,
                            const struct mr_frequency *frequency, double hz)
{
    const struct wave f = wave_of_f(params, frequency);
    const double level = f_of(params, hz);
    return frequency->t_s +
           (f.value == level ? 0 : fmin(pass_s(&f, level, true), pass_s(&f, level, false)));
}

double mr_frequency_extremum_s(const struct mr_frequency_params *params,
                               const struct mr_frequency *frequency, double *hz)
{
    const struct wave f = wave_of_f(params, frequency);
    double period_s;
    const double dt_s = first_extremum_s(&f, &period_s);
    *hz = hz_of(params, dt_s < (double)INFINITY ? wave_at(&f, dt_s) : f.value);
    return frequency->t_s + dt_s;
}

double mr_frequency_steady_hz(const struct mr_frequency_params *params,
                              const struct mr_frequency *frequency)
{
    const double d = params->damping, step = frequency->step;
    if (params->droop > 0) {
        const double f = step / (d + 1 / params->droop), g = -f / params->droop;
        if (g <= params->up_frac && g >= -params->down_frac)
            return hz_of(params, f);
    }
    const double rest = step + (params->droop > 0 ? headroom(params, -step) : 0);
    return hz_of(params, d > 0 ? rest / d : rest > 0 ? (double)INFINITY : -(double)INFINITY);
}

/* ---- a trace ---- */

mr_status mr_frequency_trace_check(const struct mr_frequency_params *params,
                                   const struct mr_series *trace, const char *name,
                                   struct mr_err *err)
{
    const double most = 0.05;
    struct mr_series_summary summary;
    MR_TRY(mr_series_summarize(trace, &summary, err));
    if (summary.min < 0)
        return mr_err_set(err, MR_RANGE, MR_NOWHERE, "%s: %g Hz: frequencies are 0 or more", name,
                          summary.min);
    if (fabs(summary.median - params->nominal_hz) > most * params->nominal_hz)
        return mr_err_set(err, MR_RANGE, MR_NOWHERE,
                          "%s: frequencies about %g Hz, the nominal is %g Hz (frequency.nominal)",
                          name, summary.median, params->nominal_hz);
    return MR_OK;
}

double mr_frequency_trace_next_s(const struct mr_series *trace, double t_s, const double *hz,
                                 size_t n)
{
    MR_ASSERT(!trace->wraps);
    const double now_hz = mr_series_at(trace, t_s);
    for (;;) {
        t_s = mr_series_next_s(trace, t_s);
        if (t_s == (double)INFINITY)
            return t_s;
        const double then_hz = mr_series_at(trace, t_s);
        for (size_t i = 0; i < n; i++)
            if ((then_hz < hz[i]) != (now_hz < hz[i]))
                return t_s;
    }
}

double mr_frequency_trace_low_hz(const struct mr_series *trace, double from_s, double to_s)
{
    double hz = mr_series_at(trace, from_s);
    while ((from_s = mr_series_next_s(trace, from_s)) < to_s)
        hz = fmin(hz, mr_series_at(trace, from_s));
    return hz;
}
