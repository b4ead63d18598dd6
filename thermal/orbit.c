/* SPDX-License-Identifier: Apache-2.0 */
/* With Te = ((Q + absorbed) / b)^(1/4), x = T / Te and tau = t b Te^3 / C the node is
 *
 *   dx/dtau = 1 - x^4,   tau = G(x) - G(x0),   G(x) = (log((1 + x) / |1 - x|) / 2 + atan x) / 2
 *
 * so times are explicit. Forward, the unknown is w = log |1 - x|, which stays exact as x comes near
 * 1: dw/dtau = -(1 + x)(1 + x^2) lies between its values at x0 and at 1 (which is -4), and these
 * two give the bracket of the root. Without any heat T^-3 = T0^-3 + 3 b t / C.
 * Energy emitted is what came in less what is stored.
 * Map: parameters - orbit - radiator - runs. */
#include "thermal/orbit.h"

#include "engine/base/fmath.h"
#include "engine/base/trig.h"
#include "thermal/root.h"

#include <math.h>

static const double sigma_w_m2k4 = 5.670374419e-8, kelvin = 273.15;
static const double same_k = 1e-7;
static const double inertia_s_k = 20; /* J/K for each watt of a card's capacity */

// clang-format off
#define O struct mr_orbit_params
static const struct mr_param rows[] = {
    MR_PARAM(O, area_m2, "area", MR_Q_AREA, "30 m2", 1e-4, 1e7, "Area of one side"),
    MR_PARAM(O, sides, "sides", MR_Q_COUNT, "2", 1, 2, "Sides that emit"),
    MR_PARAM(O, emissivity, "emissivity", MR_Q_FRACTION, "0.9", 0.01, 1, "Infrared emissivity"),
    MR_PARAM(O, absorptivity, "absorptivity", MR_Q_FRACTION, "0.1", 0, 1, "Share of sunlight absorbed"),
    MR_PARAM(O, view_frac, "view", MR_Q_FRACTION, "1", 0.01, 1, "View factor of space from the emitting sides"),
    MR_PARAM(O, fin_frac, "fins", MR_Q_FRACTION, "0.85", 0.05, 1, "Efficiency of the fins"),
    MR_PARAM(O, capacity_j_k, "capacity", MR_Q_HEAT_CAPACITY, "640 kJ/K", 1, 1e12, "Heat capacity of radiator and loop"),
    MR_PARAM(O, sun_w_m2, "sun", MR_Q_HEAT_FLUX, "1361 W/m2", 0, 1e5, "Sunlight outside of the eclipse"),
    MR_PARAM(O, sun_frac, "sun_share", MR_Q_FRACTION, "0.25", 0, 2, "Area that sunlight hits, projected, over the area of one side"),
    MR_PARAM(O, albedo_frac, "albedo", MR_Q_FRACTION, "0.3", 0, 1, "Sunlight that the Earth reflects"),
    MR_PARAM(O, earth_w_m2, "earth", MR_Q_HEAT_FLUX, "237 W/m2", 0, 1e4, "Infrared of the Earth"),
    MR_PARAM(O, earth_frac, "earth_share", MR_Q_FRACTION, "0.2", 0, 2, "View factor of the Earth, over the area of one side"),
    MR_PARAM(O, period_s, "period", MR_Q_TIME, "95 min", 60, 1e8, "Of the orbit"),
    MR_PARAM(O, eclipse_s, "eclipse", MR_Q_TIME, "35 min", 0, 1e8, "Time in the Earth's shadow"),
    MR_PARAM(O, phase_s, "phase", MR_Q_TIME, "0 s", 0, 1e8, "Time since sunrise at the start of the run"),
    MR_PARAM(O, approach_k, "approach", MR_Q_TEMPERATURE_DIFF, "5 K", 0, 60, "Coolant at the packages above the radiator"),
    MR_PARAM(O, high_c, "high", MR_Q_TEMPERATURE, "60 degC", -100, 300, "Radiator temperature that is reported as high"),
};
#undef O
// clang-format on

static const struct mr_limits_source sources[] = {
    {"area", MR_CONFIDENCE_ASSUMPTION, "the satellite says"},
    {"sides", MR_CONFIDENCE_ASSUMPTION, "a deployed panel"},
    {"emissivity", MR_CONFIDENCE_ASSUMPTION, "white paint, optical solar reflectors 0.8-0.92"},
    {"absorptivity", MR_CONFIDENCE_ASSUMPTION, "begin of life; it rises with the years"},
    {"view", MR_CONFIDENCE_ASSUMPTION, "nothing else in sight"},
    {"fins", MR_CONFIDENCE_ASSUMPTION, "between coolant tubes"},
    {"capacity", MR_CONFIDENCE_ASSUMPTION, "2,000 kJ/K per 100 kW"},
    {"sun", MR_CONFIDENCE_PUBLISHED, "solar constant"},
    {"sun_share", MR_CONFIDENCE_ASSUMPTION, "panels are turned from the sun"},
    {"albedo", MR_CONFIDENCE_PUBLISHED, "mean of the Earth"},
    {"earth", MR_CONFIDENCE_PUBLISHED, "mean of the Earth"},
    {"earth_share", MR_CONFIDENCE_ASSUMPTION, "panels stand edge-on to the Earth"},
    {"period", MR_CONFIDENCE_ASSUMPTION, "low orbit"},
    {"eclipse", MR_CONFIDENCE_ASSUMPTION, "low orbit; none on the terminator"},
    {"phase", MR_CONFIDENCE_ASSUMPTION, "sunrise"},
    {"approach", MR_CONFIDENCE_ASSUMPTION, "pumped single-phase loop"},
    {"high", MR_CONFIDENCE_ASSUMPTION, "design point of the card"},
};

const struct mr_limits_table mr_orbit_table = {
    {"orbit", "Radiator of a satellite and its orbit.", rows, sizeof rows / sizeof *rows}, sources};

void mr_orbit_defaults(struct mr_orbit_params *params)
{
    mr_limits_defaults(&mr_orbit_table.param, params);
}

void mr_orbit_of_card(const struct mr_reject_card *card, struct mr_orbit_params *params)
{
    params->area_m2 = card->area_m2;
    params->capacity_j_k = inertia_s_k * card->capacity_w;
    params->high_c = card->entering_c;
}

mr_status mr_orbit_make(const char *what, const struct mr_orbit_params *params,
                        struct mr_orbit *orbit, struct mr_err *err)
{
    const struct mr_orbit_params *p = params;
    MR_TRY(mr_limits_check(what, &mr_orbit_table.param, p, err));
    if (p->eclipse_s >= p->period_s)
        return mr_err_set(err, MR_RANGE, MR_NOWHERE,
                          "%s: eclipse %g min is not shorter than the orbit, %g min", what,
                          p->eclipse_s / 60, p->period_s / 60);
    if (p->phase_s >= p->period_s)
        return mr_err_set(err, MR_RANGE, MR_NOWHERE,
                          "%s: phase %g min is not within the orbit, %g min", what, p->phase_s / 60,
                          p->period_s / 60);
    const double earth_w = p->emissivity * p->earth_w_m2 * p->earth_frac * p->area_m2;
    const double sun_w =
        p->absorptivity * p->sun_w_m2 * p->area_m2 * (p->sun_frac + p->albedo_frac * p->earth_frac);
    *orbit = (struct mr_orbit){
        .p = *p,
        .emit_w_k4 =
            p->sides * p->emissivity * sigma_w_m2k4 * p->view_frac * p->area_m2 * p->fin_frac,
        .sunlit_w = sun_w + earth_w,
        .eclipse_w = earth_w,
    };
    return MR_OK;
}

mr_status mr_orbit_check_battery(const char *what, const struct mr_orbit *orbit, double load_w,
                                 double battery_j, struct mr_err *err)
{
    const double need_j = load_w * orbit->p.eclipse_s;
    if (battery_j >= need_j)
        return MR_OK;
    return mr_err_set(err, MR_RANGE, MR_NOWHERE,
                      "%s: battery %.3g kWh < %.3g kWh needed for %g min eclipse", what,
                      battery_j / 3.6e6, need_j / 3.6e6, orbit->p.eclipse_s / 60);
}

/* ---- where the satellite is ---- */

/* Time since the last sunrise, and that sunrise. */
static double since_sunrise_s(const struct mr_orbit *orbit, double t_s, double *sunrise_s)
{
    const double n = floor((t_s + orbit->p.phase_s) / orbit->p.period_s);
    *sunrise_s = n * orbit->p.period_s - orbit->p.phase_s;
    return t_s - *sunrise_s;
}

bool mr_orbit_is_sunlit(const struct mr_orbit *orbit, double t_s)
{
    double sunrise_s;
    const double sunset_s = orbit->p.period_s - orbit->p.eclipse_s;
    return since_sunrise_s(orbit, t_s, &sunrise_s) < sunset_s;
}

double mr_orbit_next_edge_s(const struct mr_orbit *orbit, double t_s)
{
    double sunrise_s;
    if (orbit->p.eclipse_s == 0)
        return (double)INFINITY;
    (void)since_sunrise_s(orbit, t_s, &sunrise_s);
    const double sunset_s = sunrise_s + (orbit->p.period_s - orbit->p.eclipse_s);
    double edge_s = t_s < sunset_s ? sunset_s : sunrise_s + orbit->p.period_s;
    while (edge_s <= t_s) /* rounding */
        edge_s = nextafter(edge_s, (double)INFINITY);
    return edge_s;
}

double mr_orbit_absorbed_w(const struct mr_orbit *orbit, bool is_sunlit)
{
    return is_sunlit ? orbit->sunlit_w : orbit->eclipse_w;
}

static double fourth_root(double x)
{
    return sqrt(sqrt(x));
}

double mr_orbit_sink_k(const struct mr_orbit *orbit, bool is_sunlit)
{
    return fourth_root(mr_orbit_absorbed_w(orbit, is_sunlit) / orbit->emit_w_k4);
}

/* ---- the radiator ---- */

double mr_orbit_emitted_w(const struct mr_orbit *orbit, double radiator_k)
{
    const double square = radiator_k * radiator_k;
    return orbit->emit_w_k4 * square * square;
}

double mr_orbit_steady_k(const struct mr_orbit *orbit, double heat_w, bool is_sunlit)
{
    return fourth_root((heat_w + mr_orbit_absorbed_w(orbit, is_sunlit)) / orbit->emit_w_k4);
}

/* G with |1 - x| given, so that nothing is lost near 1 */
static double progress(double x, double w)
{
    return 0.25 * (mr_log(1 + x) - w) + 0.5 * mr_trig_atan(x);
}

static double scale_per_s(const struct mr_orbit *orbit, double steady_k)
{
    return orbit->emit_w_k4 / orbit->p.capacity_j_k * steady_k * steady_k * steady_k;
}

static double cooling_time_s(const struct mr_orbit *orbit, double from_k, double to_k)
{
    const double rate = 3 * orbit->emit_w_k4 / orbit->p.capacity_j_k;
    return (1 / (to_k * to_k * to_k) - 1 / (from_k * from_k * from_k)) / rate;
}

double mr_orbit_time_s(const struct mr_orbit *orbit, double heat_w, bool is_sunlit, double from_k,
                       double to_k)
{
    const double steady_k = mr_orbit_steady_k(orbit, heat_w, is_sunlit);
    if (to_k == from_k)
        return 0;
    if (steady_k == 0)
        return to_k < from_k && to_k > 0 ? cooling_time_s(orbit, from_k, to_k) : (double)INFINITY;
    const bool is_on_the_way =
        to_k > from_k ? to_k < steady_k : to_k > steady_k; /* it never turns, never arrives */
    if (!is_on_the_way)
        return (double)INFINITY;
    const double from = from_k / steady_k, to = to_k / steady_k;
    const double w0 = mr_log(fabs(steady_k - from_k) / steady_k);
    const double w1 = mr_log(fabs(steady_k - to_k) / steady_k);
    return (progress(to, w1) - progress(from, w0)) / scale_per_s(orbit, steady_k);
}

struct forward {
    double sign; /* of 1 - x */
    double goal;
};

static double excess_progress(double w, const void *context)
{
    const struct forward *f = context;
    return progress(1 - f->sign * mr_exp(w), w) - f->goal;
}

double mr_orbit_advance_k(const struct mr_orbit *orbit, double heat_w, bool is_sunlit,
                          double from_k, double dt_s)
{
    const double steady_k = mr_orbit_steady_k(orbit, heat_w, is_sunlit);
    if (dt_s <= 0 || from_k == steady_k)
        return from_k;
    if (steady_k == 0) {
        const double rate = 3 * orbit->emit_w_k4 / orbit->p.capacity_j_k;
        const double cube = from_k * from_k * from_k;
        return from_k / mr_pow(1 + rate * dt_s * cube, 1.0 / 3);
    }
    const double x = from_k / steady_k, tau = dt_s * scale_per_s(orbit, steady_k);
    const double w = mr_log(fabs(steady_k - from_k) / steady_k);
    const double at_start = (1 + x) * (1 + x * x), at_end = 4;
    const struct forward f = {from_k < steady_k ? 1 : -1, progress(x, w) + tau};
    const double low = w - tau * fmax(at_start, at_end), high = w - tau * fmin(at_start, at_end);
    const double root = mr_root_of(excess_progress, &f, low, high, 1e-14);
    return steady_k - f.sign * steady_k * mr_exp(root);
}

/* ---- runs ---- */

void mr_orbit_start(struct mr_orbit_state *state, double radiator_k)
{
    *state = (struct mr_orbit_state){.radiator_k = radiator_k, .started_k = radiator_k};
}

void mr_orbit_run(const struct mr_orbit *orbit, struct mr_orbit_state *state, double heat_w,
                  double t_s)
{
    const double limit_k = orbit->p.high_c + kelvin;
    while (state->t_s < t_s) {
        const double until_s = fmin(mr_orbit_next_edge_s(orbit, state->t_s), t_s);
        const double dt_s = until_s - state->t_s, from_k = state->radiator_k;
        const bool is_sunlit = mr_orbit_is_sunlit(orbit, state->t_s);
        const double to_k = mr_orbit_advance_k(orbit, heat_w, is_sunlit, from_k, dt_s);
        const double absorbed_j = mr_orbit_absorbed_w(orbit, is_sunlit) * dt_s;
        mr_sum_add(&state->heat_j, heat_w * dt_s);
        mr_sum_add(&state->absorbed_j, absorbed_j);
        mr_sum_add(&state->emitted_j,
                   heat_w * dt_s + absorbed_j - orbit->p.capacity_j_k * (to_k - from_k));
        if ((from_k > limit_k) != (to_k > limit_k)) {
            const double at_s =
                fmin(mr_orbit_time_s(orbit, heat_w, is_sunlit, from_k, limit_k), dt_s);
            state->high_s += from_k > limit_k ? at_s : dt_s - at_s;
        } else if (from_k > limit_k) {
            state->high_s += dt_s;
        }
        state->radiator_k = to_k;
        state->t_s = until_s;
    }
}

double mr_orbit_crossing_s(const struct mr_orbit *orbit, const struct mr_orbit_state *state,
                           double heat_w, double to_s, double level_k)
{
    double t_s = state->t_s, radiator_k = state->radiator_k;
    /* a radiator that a crossing brought to the level is not announced once more for its rounding;
     * until the next edge it only moves away */
    bool is_there = fabs(radiator_k - level_k) < same_k;
    while (t_s < to_s) {
        const double until_s = fmin(mr_orbit_next_edge_s(orbit, t_s), to_s);
        const bool is_sunlit = mr_orbit_is_sunlit(orbit, t_s);
        const double at_s = t_s + mr_orbit_time_s(orbit, heat_w, is_sunlit, radiator_k, level_k);
        if (!is_there && at_s <= until_s)
            return fmax(at_s, nextafter(state->t_s, (double)INFINITY));
        is_there = false;
        radiator_k = mr_orbit_advance_k(orbit, heat_w, is_sunlit, radiator_k, until_s - t_s);
        t_s = until_s;
    }
    return (double)INFINITY;
}

double mr_orbit_inlet_c(const struct mr_orbit *orbit, double radiator_k)
{
    return radiator_k - kelvin + orbit->p.approach_k;
}

double mr_orbit_residual(const struct mr_orbit *orbit, const struct mr_orbit_state *state)
{
    const double in_j = mr_sum_of(state->heat_j) + mr_sum_of(state->absorbed_j);
    const double stored_j = orbit->p.capacity_j_k * (state->radiator_k - state->started_k);
    return in_j > 0 ? (in_j - stored_j - mr_sum_of(state->emitted_j)) / in_j : 0;
}
