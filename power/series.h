/* SPDX-License-Identifier: Apache-2.0 */
/* A step function of time from a file: prices, carbon intensity, sunshine, frequency. A value holds
 * from its row's time to the next row's; the last one holds as long as the one before it did.
 * Integrals are exact on the steps, also of value times a power that changes linearly. Rows must
 * follow each other without gaps: what is not in the file is not made up. */
#ifndef MR_POWER_SERIES_H
#define MR_POWER_SERIES_H

#include "engine/base/arena.h"

struct mr_series {
    uint32_t n;
    const double *start_s; /* of row i, start_s[0] = 0; start_s[n] is the end */
    const double *value;
    const double *area; /* integral up to row i, n + 1 entries */
    double origin_s;    /* of row 0, seconds since 1970-01-01 UTC; 0: times were plain seconds */
    double shift_s;     /* time of the run + shift_s = time of the series */
    bool wraps;         /* begins again at its end */
};

/** From arrays. @param[in] start_s n rising times, start_s[0] = 0 @param[in,out] arena owns copies
 *  @return MR_OK, MR_RANGE, MR_NOMEM */
MR_CHECKED mr_status mr_series_of(struct mr_arena *arena, const double *start_s,
                                  const double *value, uint32_t n, double end_s,
                                  struct mr_series *out, struct mr_err *err);

struct mr_series_columns {
    const char *time, *value; /* names in the header; time: ISO 8601 or seconds */
    double scale;             /* value in base units per value in the file, such as 1/3.6e9 */
    double gap_max_s;         /* longest time between two rows; 0: 1 h */
};

/** Read a CSV file (also gzip). Refuses gaps, times that do not rise, empty values, naming the
 * line.
 */
MR_CHECKED mr_status mr_series_read(struct mr_arena *arena, const char *path,
                                    const struct mr_series_columns *columns, struct mr_series *out,
                                    struct mr_err *err);

enum mr_series_kind {
    MR_SERIES_PRICE,  /* USD/J */
    MR_SERIES_CARBON, /* kg/J */
    MR_SERIES_SHARE,
    MR_SERIES_FREQUENCY /* Hz */
};

/** The same for files as they are handed out by price and carbon services, and for columns "time"
 *  and "usd_mwh", "g_kwh", "share" or "hz". Refuses a file of another kind. @param[in] kind enum
 *  mr_series_kind */
MR_CHECKED mr_status mr_series_read_known(struct mr_arena *arena, const char *path, int kind,
                                          struct mr_series *out, struct mr_err *err);

/** Let the run's time 0 be this date (seconds since 1970-01-01 UTC). */
void mr_series_align(struct mr_series *series, double unix_s);

/** "2024-01-01 06:30:00+00:00", "2024-01-01T06:30Z", without an offset: UTC.
 *  @return false when it is no date */
MR_CHECKED bool mr_series_date(struct mr_str text, double *unix_s);

/** Refuse a series that does not reach over from_s .. to_s and does not wrap. */
MR_CHECKED mr_status mr_series_check_span(const struct mr_series *series, double from_s,
                                          double to_s, const char *name, struct mr_err *err);

/* ---- reading; times are of the run and must lie within the span unless it wraps ---- */

double mr_series_at(const struct mr_series *series, double t_s);

/** When the next row begins, after t_s. INFINITY: none. */
double mr_series_next_s(const struct mr_series *series, double t_s);

/** Integral of value over time. */
double mr_series_integral(const struct mr_series *series, double from_s, double to_s);

/** Integral of value times a power that goes linearly from from_w to to_w: USD from USD/J. */
double mr_series_weighted(const struct mr_series *series, double from_s, double to_s, double from_w,
                          double to_w);

/* ---- what it looks like ---- */

struct mr_series_summary {
    double mean, median, min, max; /* mean over time, the others over rows */
    uint32_t n_negative;
};

MR_CHECKED mr_status mr_series_summarize(const struct mr_series *series,
                                         struct mr_series_summary *summary, struct mr_err *err);

/** 1 during the dearest (hottest, dirtiest) rows, `share` of the time in all, else 0: the hours of
 * a year in which a flexible connection gives way. Of equal rows the earlier. */
MR_CHECKED mr_status mr_series_highest(struct mr_arena *arena, const struct mr_series *series,
                                       double share_frac, struct mr_series *out,
                                       struct mr_err *err);

#endif
