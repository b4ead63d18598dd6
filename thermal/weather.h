/* SPDX-License-Identifier: Apache-2.0 */
/* Outdoor air over a run: hourly knots of a weather file, a daily sine, or a constant, with a heat
 * wave on top. Between knots every quantity is a straight line (radiation: the mean of the hour
 * before its knot), so integrals, hours above a limit and the next crossing are exact.
 * Times are seconds of the run; its start is local standard time in the file's year. */
#ifndef MR_THERMAL_WEATHER_H
#define MR_THERMAL_WEATHER_H

#include "engine/base/param.h"

struct mr_weather_params {
    const char *file; /* EPW; NULL: none */
    double dry_bulb_c, wet_bulb_c, elevation_m;
    double swing_k, peak_s; /* daily sine: peak over mean; time of day of the peak */
    double start_s;         /* of the run in the year */
    bool wraps;             /* a run may go on from the end of the year at its beginning */
    double wave_k, wave_start_s, wave_rise_s, wave_hold_s, wave_fall_s;
};

/* Corners of the heat wave: 0 up to the first, `peak_k` between the middle ones. */
struct mr_weather_wave {
    double peak_k, corner_s[4];
};

/* Const after mr_weather_make. Knot i stands at (i + 1) step_s of the file. */
struct mr_weather {
    size_t n_knot;
    double step_s, start_s;
    bool is_cyclic; /* the last knot is also that of time 0 */
    bool wraps;
    double *dry_bulb_c, *dew_point_c, *rh_frac, *pressure_pa, *ghi_w_m2, *wind_m_s; /* owned */
    struct mr_weather_wave wave;
    double dry_min_c, dry_max_c; /* of the knots */
    double elevation_m;
    uint64_t n_filled; /* missing values of the file that a line replaced */
};

struct mr_weather_point {
    double dry_bulb_c, wet_bulb_c, dew_point_c, rh_frac, pressure_pa;
    double ghi_w_m2, wind_m_s; /* NaN: not known */
};

extern const struct mr_param_table mr_weather_table;

void mr_weather_defaults(struct mr_weather_params *params);
MR_CHECKED mr_status mr_weather_check(const struct mr_weather_params *params, struct mr_err *err);

/** Check, and read the file if there is one. @param[out] weather owned: mr_weather_fini */
MR_CHECKED mr_status mr_weather_make(const struct mr_weather_params *params,
                                     struct mr_weather *weather, struct mr_err *err);
void mr_weather_fini(struct mr_weather *weather);

/** Refuse a run that is longer than what the weather covers. */
MR_CHECKED mr_status mr_weather_check_span(const struct mr_weather *weather, double duration_s,
                                           struct mr_err *err);

double mr_weather_dry_bulb_c(const struct mr_weather *weather, double t_s);
struct mr_weather_point mr_weather_at(const struct mr_weather *weather, double t_s);

/** The first time after t at which a slope may change; INFINITY: never. */
double mr_weather_next_change_s(const struct mr_weather *weather, double t_s);

struct mr_weather_sum {
    double above_s;  /* time above the limit */
    double above_ks; /* excess over it, integrated [K s] */
    double dry_cs;   /* dry bulb, integrated [degC s] */
};

/** Exact integrals over [from, to] of the lines between knots, heat wave included. */
struct mr_weather_sum mr_weather_integrate(const struct mr_weather *weather, double from_s,
                                           double to_s, double limit_c);

/** Hours of the file whose record is above the limit, as weather statistics count them. */
double mr_weather_file_hours_above(const struct mr_weather *weather, double limit_c);

#endif
