/* SPDX-License-Identifier: Apache-2.0 */
/* Vapor pressure: Magnus form with the coefficients of Alduchov and Eskridge (1996), -40..50 degC,
 * within 0.4 %. Wet bulb: Stull (2011), within -1..+0.65 K at 1013.25 hPa. Elsewhere the
 * psychrometer equation e = e_s(T_w) - A (1 + 0.00115 T_w) p (T - T_w). Ignored: ice below 0 degC,
 * enhancement of vapor pressure by air. */
#include "thermal/moist.h"

#include "engine/base/fmath.h"
#include "engine/base/trig.h"

#include <math.h>

static const double sea_level_pa = 101325;
static const double psychrometer_per_k = 6.6e-4;     /* ventilated, at 0 degC */
static const double rh_least = 0.05, rh_most = 0.99; /* of the fit */
static const double fit_least_c = -20, fit_most_c = 50;

double mr_moist_saturation_pa(double temperature_c)
{
    return 610.94 * mr_exp(17.625 * temperature_c / (temperature_c + 243.04));
}

double mr_moist_dew_point_c(double vapor_pa)
{
    const double x = mr_log(vapor_pa / 610.94);
    return 243.04 * x / (17.625 - x);
}

static double fit_c(double t, double rh_percent)
{
    const double r = rh_percent;
    return t * mr_trig_atan(0.151977 * sqrt(r + 8.313659)) + mr_trig_atan(t + r) -
           mr_trig_atan(r - 1.676331) + 0.00391838 * r * sqrt(r) * mr_trig_atan(0.023101 * r) -
           4.686035;
}

double mr_moist_wet_bulb_c(double dry_bulb_c, double rh_frac)
{
    if (dry_bulb_c < fit_least_c || dry_bulb_c > fit_most_c)
        return mr_moist_psychrometer_c(dry_bulb_c, rh_frac, sea_level_pa);
    const double rh = fmin(fmax(rh_frac, rh_least), rh_most);
    return fmin(fit_c(dry_bulb_c, 100 * rh), dry_bulb_c);
}

double mr_moist_rh_of_wet_bulb(double dry_bulb_c, double wet_bulb_c)
{
    double low = rh_least, high = rh_most;
    for (int i = 0; i < 50; i++) { /* the fit rises with humidity */
        const double middle = 0.5 * (low + high);
        if (mr_moist_wet_bulb_c(dry_bulb_c, middle) < wet_bulb_c)
            low = middle;
        else
            high = middle;
    }
    return 0.5 * (low + high);
}

/* The excess e_s(T_w) - A p (T - T_w) - e rises with T_w: at or below 0 at the dew point, at or
 * above 0 at the dry bulb. */
double mr_moist_psychrometer_c(double dry_bulb_c, double rh_frac, double pressure_pa)
{
    const double rh = fmin(fmax(rh_frac, 1e-3), 1);
    const double vapor_pa = rh * mr_moist_saturation_pa(dry_bulb_c);
    double low = fmin(mr_moist_dew_point_c(vapor_pa), dry_bulb_c), high = dry_bulb_c;
    for (int i = 0; i < 50; i++) {
        const double middle = 0.5 * (low + high);
        const double excess_pa =
            mr_moist_saturation_pa(middle) -
            psychrometer_per_k * (1 + 0.00115 * middle) * pressure_pa * (dry_bulb_c - middle) -
            vapor_pa;
        if (excess_pa < 0)
            low = middle;
        else
            high = middle;
    }
    return 0.5 * (low + high);
}

double mr_moist_pressure_pa(double elevation_m)
{
    return sea_level_pa * mr_pow(1 - 2.25577e-5 * elevation_m, 5.25588);
}

double mr_moist_rh_warmed(double dry_bulb_c, double rh_frac, double warmer_k)
{
    if (warmer_k == 0)
        return rh_frac;
    const double rh = rh_frac * mr_moist_saturation_pa(dry_bulb_c) /
                      mr_moist_saturation_pa(dry_bulb_c + warmer_k);
    /* a value that stood outside of the bounds before is not pulled in */
    return fmin(fmax(rh, fmin(rh_least, rh_frac)), fmax(rh_most, rh_frac));
}
