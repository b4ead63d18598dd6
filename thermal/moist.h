/* SPDX-License-Identifier: Apache-2.0 */
/* Moist air: what an outdoor point of dry bulb, humidity and pressure means to a tower, to pads and
 * to a fan. Humidity is relative, a fraction. */
#ifndef MR_THERMAL_MOIST_H
#define MR_THERMAL_MOIST_H

/** Pressure of saturated vapor over water [Pa], and the temperature at which it is saturated. */
double mr_moist_saturation_pa(double temperature_c);
double mr_moist_dew_point_c(double vapor_pa);

/** Wet bulb at sea level by a published fit, valid for 5-99 % (clamped) and -20..50 degC; outside
 *  of these temperatures by mr_moist_psychrometer_c at 1013.25 hPa. Never above the dry bulb. */
double mr_moist_wet_bulb_c(double dry_bulb_c, double rh_frac);

/** Humidity at which mr_moist_wet_bulb_c gives this wet bulb, within 5-99 %. */
double mr_moist_rh_of_wet_bulb(double dry_bulb_c, double wet_bulb_c);

/** Wet bulb at any pressure from the psychrometer equation, which the altitude of a site moves. */
double mr_moist_psychrometer_c(double dry_bulb_c, double rh_frac, double pressure_pa);

/** Of the standard atmosphere [Pa]. */
double mr_moist_pressure_pa(double elevation_m);

/** Humidity when the air warms by this much and keeps its vapor, within 5-99 % or unchanged. */
double mr_moist_rh_warmed(double dry_bulb_c, double rh_frac, double warmer_k);

#endif
