/* SPDX-License-Identifier: Apache-2.0 */
/* Reader of EnergyPlus weather files: a year (8,760 or 8,784 hours, or several records per hour) or
 * a part of one, hour by hour without holes. Codes for missing values and empty fields are filled
 * along a straight line over at most six hours; longer gaps are errors with their line. */
#ifndef MR_THERMAL_EPW_H
#define MR_THERMAL_EPW_H

#include "engine/base/text.h"

/* Record i belongs to the interval that ends (i + 1) / per_hour hours after the start. Columns are
 * owned here; mr_epw_fini frees them. */
struct mr_epw {
    char place[96];
    double latitude_deg, longitude_deg, zone_h, elevation_m;
    uint64_t n, per_hour;
    bool is_whole_year; /* 1 January to 31 December */
    bool is_leap;       /* there is a 29 February */
    int first_month, first_day;
    uint64_t n_filled; /* missing values that a line replaced */
    double *dry_bulb_c, *dew_point_c, *rh_frac, *pressure_pa;
    double *ghi_w_m2, *wind_m_s; /* NaN where the whole column is missing */
};

/** Read a file, plain or gzip. @param[out] epw owned by the caller: mr_epw_fini */
MR_CHECKED mr_status mr_epw_load(const char *path, struct mr_epw *epw, struct mr_err *err);

/** As mr_epw_load, from text under a name. */
MR_CHECKED mr_status mr_epw_load_text(const char *name, struct mr_str text, struct mr_epw *epw,
                                      struct mr_err *err);
void mr_epw_fini(struct mr_epw *epw);

#endif
