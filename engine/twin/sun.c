/* SPDX-License-Identifier: Apache-2.0 */
/* Sunshine from files. */
#include "engine/twin/sun.h"

#include "engine/base/mem.h"
#include "power/solar.h"
#include "thermal/epw.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const double rated_w_m2 = 1000;
static const double efficiency = 0.2; /* cancels with the area */

static bool ends_with(const char *text, const char *end)
{
    const size_t n = strlen(text), n_end = strlen(end);
    return n >= n_end && strcmp(text + n - n_end, end) == 0;
}

/* Hours of a weather file are those of the place, so many hours ahead of UTC. */
static mr_status place_in_year(const struct mr_epw *epw, const char *start, double unix_s,
                               struct mr_series *sun, struct mr_err *err)
{
    char first[32];
    double first_s = 0;
    snprintf(first, sizeof first, "%.4s-%02d-%02d", start, epw->first_month, epw->first_day);
    if (!mr_series_date(mr_str_of(first), &first_s))
        return mr_err_set(err, MR_RANGE, MR_NOWHERE, "start '%s': the weather begins at %s", start,
                          first);
    sun->origin_s = first_s - epw->zone_h * 3600;
    mr_series_align(sun, unix_s);
    return MR_OK;
}

static mr_status series_of(struct mr_arena *arena, const struct mr_epw *epw, const char *path,
                           struct mr_series *sun, struct mr_err *err)
{
    const struct mr_solar_params one_watt = {
        .area_m2 = 1 / (efficiency * rated_w_m2), .efficiency = efficiency, .inverter_w = 1};
    const double step_s = 3600 / (double)epw->per_hour;
    struct mr_series sunshine;
    if (isnan(epw->ghi_w_m2[0]))
        return mr_err_set(err, MR_RANGE, MR_NOWHERE, "%s: says nothing of global radiation", path);
    double *const start_s = mr_arena_alloc(arena, epw->n * sizeof *start_s, err);
    if (start_s == NULL)
        return MR_NOMEM;
    for (uint64_t i = 0; i < epw->n; i++)
        start_s[i] = (double)i * step_s;
    MR_TRY(mr_series_of(arena, start_s, epw->ghi_w_m2, (uint32_t)epw->n, (double)epw->n * step_s,
                        &sunshine, err));
    sunshine.wraps = epw->is_whole_year;
    return mr_solar_series(arena, &one_watt, &sunshine, sun, err);
}

mr_status mr_sun_read(struct mr_arena *arena, const char *path, const char *start,
                      struct mr_series *sun, struct mr_err *err)
{
    struct mr_epw epw;
    double unix_s = 0;
    if (start != NULL && !mr_series_date(mr_str_of(start), &unix_s))
        return mr_err_set(err, MR_PARSE, MR_NOWHERE,
                          "start '%s': a date such as 2024-07-01T00:00Z is wanted", start);
    if (!ends_with(path, ".epw") && !ends_with(path, ".epw.gz")) {
        MR_TRY(mr_series_read_known(arena, path, MR_SERIES_SHARE, sun, err));
        if (sun->origin_s != 0 && start != NULL)
            mr_series_align(sun, unix_s);
        return MR_OK;
    }
    MR_TRY(mr_epw_load(path, &epw, err));
    mr_status st = series_of(arena, &epw, path, sun, err);
    if (st == MR_OK && start != NULL)
        st = place_in_year(&epw, start, unix_s, sun, err);
    mr_epw_fini(&epw);
    return st;
}

void mr_sun_check(const struct mr_site *site, const struct mr_series *sun, struct mr_diags *diags)
{
    for (size_t i = 0; i < site->n_power && sun == NULL; i++)
        if (site->power[i].kind == MR_SITE_POWER_SOLAR) {
            mr_diags_add(diags, MR_SEVERITY_WARNING, MR_REF, MR_NOWHERE,
                         "%s: solar field %s gives nothing: no sun is given (--sun FILE, or sun in "
                         "a scenario's grid; CSV of shares or weather .epw)",
                         site->name, site->power[i].name);
            return;
        }
}
