/* SPDX-License-Identifier: Apache-2.0 */
/* One representation for all sources: knots at equal steps. A constant is one knot on a circle; a
 * daily sine is 24 of them (the peak is a knot when it falls on a full hour; between knots the line
 * stays within 0.9 % of the swing). The heat wave is a trapezoid added to the dry bulb; the vapor
 * stays, so the dew point holds and relative humidity falls.
 * Ignored: daylight saving, the local heat that coolers give back to their own intake.
 * Map: parameters - making - reading - events and integrals. */
#include "thermal/weather.h"

#include "engine/base/mem.h"
#include "engine/base/turn.h"
#include "thermal/epw.h"
#include "thermal/limits.h"
#include "thermal/moist.h"

#include <math.h>

static const double hour_s = 3600, day_s = 86400;

enum {
    n_sine_knot = 24
};

/* ---- parameters ---- */

// clang-format off
#define W struct mr_weather_params
static const struct mr_param rows[] = {
    MR_PARAM_STR(W, file, "file", NULL, "EnergyPlus weather file (EPW); not given: the sine of the rows below"),
    MR_PARAM(W, dry_bulb_c, "dry_bulb", MR_Q_TEMPERATURE, "25 degC", -60, 60, "Mean of the day, without a file"),
    MR_PARAM(W, wet_bulb_c, "wet_bulb", MR_Q_TEMPERATURE, "18 degC", -60, 60, "At the mean of the day, without a file"),
    MR_PARAM(W, elevation_m, "elevation", MR_Q_LENGTH, "0 m", -430, 5000, "Above sea level, without a file: thins the air"),
    MR_PARAM(W, swing_k, "swing", MR_Q_TEMPERATURE_DIFF, "0 K", 0, 30, "Daily sine, peak above mean, without a file"),
    MR_PARAM(W, peak_s, "peak", MR_Q_TIME, "15 h", 0, 86400, "Time of day of the sine's peak"),
    MR_PARAM(W, start_s, "start", MR_Q_TIME, "0 s", 0, 31622400, "Start of the run in the year, local standard time"),
    MR_PARAM_YES(W, wraps, "wrap", "no", "A run may go on at the beginning of the year"),
    MR_PARAM(W, wave_k, "wave.peak", MR_Q_TEMPERATURE_DIFF, "0 K", 0, 20, "Heat wave: added at its height; 0: none"),
    MR_PARAM(W, wave_start_s, "wave.start", MR_Q_TIME, "0 s", 0, 1e9, "Heat wave: begins this long after the run does"),
    MR_PARAM(W, wave_rise_s, "wave.rise", MR_Q_TIME, "12 h", 60, 1e8, "Heat wave: time to its height"),
    MR_PARAM(W, wave_hold_s, "wave.hold", MR_Q_TIME, "3 d", 0, 1e8, "Heat wave: time at its height"),
    MR_PARAM(W, wave_fall_s, "wave.fall", MR_Q_TIME, "12 h", 60, 1e8, "Heat wave: time back to nothing"),
};
#undef W
// clang-format on

const struct mr_param_table mr_weather_table = {
    "weather", "Outdoor air: a file, else a constant or daily sine; a heat wave on top.", rows,
    sizeof rows / sizeof *rows};

void mr_weather_defaults(struct mr_weather_params *params)
{
    *params = (struct mr_weather_params){0};
    mr_limits_defaults(&mr_weather_table, params);
}

mr_status mr_weather_check(const struct mr_weather_params *params, struct mr_err *err)
{
    MR_TRY(mr_limits_check("weather", &mr_weather_table, params, err));
    if (params->file == NULL && params->wet_bulb_c > params->dry_bulb_c)
        return mr_err_set(err, MR_RANGE, MR_NOWHERE,
                          "weather: wet_bulb %g degC is above dry_bulb %g degC", params->wet_bulb_c,
                          params->dry_bulb_c);
    if (params->file == NULL && fabs(params->dry_bulb_c) + params->swing_k > 60)
        return mr_err_set(err, MR_RANGE, MR_NOWHERE,
                          "weather: dry_bulb %g degC with swing %g K leaves -60..60 degC",
                          params->dry_bulb_c, params->swing_k);
    return MR_OK;
}

/* ---- making ---- */

static mr_status alloc_knots(struct mr_weather *w, size_t n, struct mr_err *err)
{
    double **column[] = {&w->dry_bulb_c,  &w->dew_point_c, &w->rh_frac,
                         &w->pressure_pa, &w->ghi_w_m2,    &w->wind_m_s};
    w->n_knot = n;
    for (size_t i = 0; i < sizeof column / sizeof *column; i++) {
        *column[i] = mr_alloc(n, sizeof(double));
        if (*column[i] == NULL)
            return mr_err_nomem(err, n * sizeof(double));
    }
    return MR_OK;
}

/* The day's vapor is that of the mean; where a cold night could not hold it, the air is at 99 %. */
static mr_status make_sine(const struct mr_weather_params *p, struct mr_weather *w,
                           struct mr_err *err)
{
    const size_t n = p->swing_k > 0 ? n_sine_knot : 1;
    const double pressure_pa = mr_moist_pressure_pa(p->elevation_m);
    const double mean_rh = mr_moist_rh_of_wet_bulb(p->dry_bulb_c, p->wet_bulb_c);
    MR_TRY(alloc_knots(w, n, err));
    w->step_s = n > 1 ? hour_s : day_s;
    for (size_t i = 0; i < n; i++) {
        const double turn = ((double)(i + 1) * w->step_s - p->peak_s) / day_s + 0.25;
        const double dry_c = p->dry_bulb_c + (n > 1 ? p->swing_k * mr_turn_of(turn).sin : 0);
        w->dry_bulb_c[i] = dry_c;
        w->rh_frac[i] = mr_moist_rh_warmed(p->dry_bulb_c, mean_rh, dry_c - p->dry_bulb_c);
        w->dew_point_c[i] = mr_moist_dew_point_c(w->rh_frac[i] * mr_moist_saturation_pa(dry_c));
        w->pressure_pa[i] = pressure_pa;
        w->ghi_w_m2[i] = w->wind_m_s[i] = (double)NAN;
    }
    w->is_cyclic = w->wraps = true;
    w->elevation_m = p->elevation_m;
    return MR_OK;
}

static mr_status make_file(const struct mr_weather_params *p, struct mr_weather *w,
                           struct mr_err *err)
{
    struct mr_epw epw;
    MR_TRY(mr_epw_load(p->file, &epw, err));
    w->n_knot = epw.n;
    w->step_s = hour_s / (double)epw.per_hour;
    w->is_cyclic = epw.is_whole_year;
    w->wraps = p->wraps;
    w->elevation_m = epw.elevation_m;
    w->n_filled = epw.n_filled;
    w->dry_bulb_c = epw.dry_bulb_c; /* from here on owned by the weather */
    w->dew_point_c = epw.dew_point_c;
    w->rh_frac = epw.rh_frac;
    w->pressure_pa = epw.pressure_pa;
    w->ghi_w_m2 = epw.ghi_w_m2;
    w->wind_m_s = epw.wind_m_s;
    if (p->wraps && !epw.is_whole_year)
        return mr_err_set(err, MR_RANGE, (struct mr_place){p->file, 0, 0},
                          "weather: wrap needs a whole year, this file is a part of one");
    if (p->start_s >= (double)w->n_knot * w->step_s)
        return mr_err_set(err, MR_RANGE, (struct mr_place){p->file, 0, 0},
                          "weather: start %g h is behind the end of the file, %g h",
                          p->start_s / hour_s, (double)w->n_knot * w->step_s / hour_s);
    return MR_OK;
}

mr_status mr_weather_make(const struct mr_weather_params *params, struct mr_weather *weather,
                          struct mr_err *err)
{
    *weather = (struct mr_weather){0};
    MR_TRY(mr_weather_check(params, err));
    const mr_status st =
        params->file != NULL ? make_file(params, weather, err) : make_sine(params, weather, err);
    if (st != MR_OK) {
        mr_weather_fini(weather);
        return st;
    }
    const double first_s = params->wave_start_s, second_s = first_s + params->wave_rise_s;
    const double third_s = second_s + params->wave_hold_s;
    weather->start_s = params->start_s;
    weather->wave = (struct mr_weather_wave){
        params->wave_k, {first_s, second_s, third_s, third_s + params->wave_fall_s}};
    weather->dry_min_c = weather->dry_max_c = weather->dry_bulb_c[0];
    for (size_t i = 1; i < weather->n_knot; i++) {
        weather->dry_min_c = fmin(weather->dry_min_c, weather->dry_bulb_c[i]);
        weather->dry_max_c = fmax(weather->dry_max_c, weather->dry_bulb_c[i]);
    }
    return MR_OK;
}

void mr_weather_fini(struct mr_weather *weather)
{
    double *column[] = {weather->dry_bulb_c,  weather->dew_point_c, weather->rh_frac,
                        weather->pressure_pa, weather->ghi_w_m2,    weather->wind_m_s};
    for (size_t i = 0; i < sizeof column / sizeof *column; i++)
        mr_free(column[i]);
    *weather = (struct mr_weather){0};
}

mr_status mr_weather_check_span(const struct mr_weather *weather, double duration_s,
                                struct mr_err *err)
{
    const double rest_s = (double)weather->n_knot * weather->step_s - weather->start_s;
    if (weather->wraps || duration_s <= rest_s)
        return MR_OK;
    return mr_err_set(err, MR_RANGE, MR_NOWHERE,
                      "weather: the run lasts %g h, the file has %g h from its start on (give "
                      "wrap=\"yes\" to go on at the beginning of the year)",
                      duration_s / hour_s, rest_s / hour_s);
}

/* ---- reading ---- */

/* Two knots and the share of the way between them. */
struct between {
    size_t left, right;
    double share;
};

static struct between find(const struct mr_weather *w, double t_s)
{
    const double n = (double)w->n_knot;
    double x = (w->start_s + t_s) / w->step_s;
    if (w->is_cyclic)
        x -= n * floor(x / n);
    const double whole = fmin(fmax(floor(x), 0), n);
    const size_t i = (size_t)whole;
    if (i >= w->n_knot) /* the very end, or behind it: the last value holds */
        return (struct between){w->n_knot - 1, w->is_cyclic ? 0 : w->n_knot - 1, 0};
    if (i == 0) /* before the first knot a year joins its last one, a part of it holds */
        return (struct between){w->is_cyclic ? w->n_knot - 1 : 0, 0, fmax(x, 0)};
    return (struct between){i - 1, i, x - whole};
}

static double line(const double *v, struct between b)
{
    return v[b.left] + b.share * (v[b.right] - v[b.left]);
}

static double wave_k(const struct mr_weather_wave *wave, double t_s)
{
    const double *c = wave->corner_s;
    if (wave->peak_k == 0 || t_s <= c[0] || t_s >= c[3])
        return 0;
    if (t_s < c[1])
        return wave->peak_k * ((t_s - c[0]) / (c[1] - c[0]));
    return t_s <= c[2] ? wave->peak_k : wave->peak_k * ((c[3] - t_s) / (c[3] - c[2]));
}

double mr_weather_dry_bulb_c(const struct mr_weather *weather, double t_s)
{
    return line(weather->dry_bulb_c, find(weather, t_s)) + wave_k(&weather->wave, t_s);
}

struct mr_weather_point mr_weather_at(const struct mr_weather *weather, double t_s)
{
    const struct between b = find(weather, t_s);
    const double warmer_k = wave_k(&weather->wave, t_s);
    const double dry_c = line(weather->dry_bulb_c, b);
    struct mr_weather_point point = {
        .dry_bulb_c = dry_c + warmer_k,
        .dew_point_c = line(weather->dew_point_c, b),
        .rh_frac = mr_moist_rh_warmed(dry_c, line(weather->rh_frac, b), warmer_k),
        .pressure_pa = line(weather->pressure_pa, b),
        .ghi_w_m2 = weather->ghi_w_m2[b.right],
        .wind_m_s = line(weather->wind_m_s, b),
    };
    point.wet_bulb_c = mr_moist_wet_bulb_c(point.dry_bulb_c, point.rh_frac);
    return point;
}

/* ---- events and integrals ---- */

double mr_weather_next_change_s(const struct mr_weather *weather, double t_s)
{
    double next_s = (double)INFINITY;
    if (weather->n_knot > 1) {
        double k = floor((weather->start_s + t_s) / weather->step_s) + 1;
        while (k * weather->step_s - weather->start_s <= t_s) /* rounding */
            k++;
        if (weather->is_cyclic || k <= (double)weather->n_knot)
            next_s = k * weather->step_s - weather->start_s;
    }
    for (int i = 0; i < 4 && weather->wave.peak_k != 0; i++)
        if (weather->wave.corner_s[i] > t_s)
            next_s = fmin(next_s, weather->wave.corner_s[i]);
    return next_s;
}

struct mr_weather_sum mr_weather_integrate(const struct mr_weather *weather, double from_s,
                                           double to_s, double limit_c)
{
    struct mr_weather_sum sum = {0};
    double a_s = from_s, a_c = mr_weather_dry_bulb_c(weather, from_s);
    while (a_s < to_s) {
        const double b_s = fmin(mr_weather_next_change_s(weather, a_s), to_s);
        const double b_c = mr_weather_dry_bulb_c(weather, b_s), dt_s = b_s - a_s;
        const double top_k = fmax(a_c, b_c) - limit_c, least_k = fmin(a_c, b_c) - limit_c;
        sum.dry_cs += 0.5 * (a_c + b_c) * dt_s;
        if (least_k >= 0 && top_k > 0) {
            sum.above_s += dt_s;
            sum.above_ks += 0.5 * (top_k + least_k) * dt_s;
        } else if (top_k > 0) { /* a triangle */
            const double above_s = dt_s * (top_k / (top_k - least_k));
            sum.above_s += above_s;
            sum.above_ks += 0.5 * top_k * above_s;
        }
        a_s = b_s;
        a_c = b_c;
    }
    return sum;
}

double mr_weather_file_hours_above(const struct mr_weather *weather, double limit_c)
{
    uint64_t n = 0;
    for (size_t i = 0; i < weather->n_knot; i++)
        n += weather->dry_bulb_c[i] > limit_c;
    return (double)n * weather->step_s / hour_s;
}
