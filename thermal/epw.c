/* SPDX-License-Identifier: Apache-2.0 */
/* EPW: header lines up to DATA PERIODS, then comma-separated records without quotes. Columns used,
 * counted from 1: 2-4 month, day, hour; 7 dry bulb, 8 dew point, 9 relative humidity, 10 pressure,
 * 14 global horizontal radiation, 22 wind. The year of a record is ignored: typical years are made
 * of months of different years. Map: lines and fields - header - records - gaps - bounds. */
#include "thermal/epw.h"

#include "engine/base/assert.h"
#include "engine/base/gz.h"
#include "engine/base/mem.h"
#include "engine/base/num.h"
#include "thermal/moist.h"

#include <math.h>
#include <stdio.h>

enum {
    file_max_bytes = 64 << 20,
    header_max_lines = 40, /* eight by the book; tools append comments */
    field_cap = 64,
    fill_max_h = 6,
    per_hour_max = 60
};

enum column {
    dry_bulb,
    dew_point,
    humidity,
    pressure,
    radiation,
    wind,
    n_column
};

/* A value at or above `missing` is none. */
static const struct {
    const char *name;
    int field; /* from 0 */
    double missing, scale, least, most;
    bool may_lack; /* the whole column may be missing */
} columns[n_column] = {
    [dry_bulb] = {"dry bulb", 6, 99.9, 1, -60, 60, false},
    [dew_point] = {"dew point", 7, 99.9, 1, -90, 60, true},
    [humidity] = {"relative humidity", 8, 999, 0.01, 0, 110, true},
    [pressure] = {"pressure", 9, 999999, 1, 31000, 120000, true},
    [radiation] = {"global radiation", 13, 9999, 1, 0, 2000, true},
    [wind] = {"wind speed", 21, 999, 1, 0, 120, true},
};

struct reader {
    const char *name;
    struct mr_str rest;
    int line;
    struct mr_str line_text, field[field_cap];
    int n_field;
    struct mr_epw *epw;
    int last_month, last_day; /* of DATA PERIODS */
    int first_data_line;      /* records follow each other line by line */
    size_t cap;               /* records */
    double *value[n_column];
    struct mr_err *err;
};

static mr_status refuse_at(struct reader *r, int line, mr_status st, const char *text)
{
    return mr_err_set(r->err, st, (struct mr_place){r->name, line, 0}, "%s", text);
}

/* ---- lines and fields ---- */

/* The next line that is not blank, split at commas. */
static bool next_line(struct reader *r)
{
    while (r->rest.n > 0) {
        const char *end = memchr(r->rest.p, '\n', r->rest.n);
        const size_t n = end != NULL ? (size_t)(end - r->rest.p) : r->rest.n;
        r->line_text = mr_str_trim((struct mr_str){r->rest.p, n});
        r->rest.p += end != NULL ? n + 1 : n;
        r->rest.n -= end != NULL ? n + 1 : n;
        r->line++;
        if (r->line_text.n > 0)
            return true;
    }
    return false;
}

static void split(struct reader *r)
{
    struct mr_str left = r->line_text;
    r->n_field = 0;
    while (r->n_field < field_cap) {
        const char *comma = left.n > 0 ? memchr(left.p, ',', left.n) : NULL;
        const size_t n = comma != NULL ? (size_t)(comma - left.p) : left.n;
        r->field[r->n_field++] = mr_str_trim((struct mr_str){left.p, n});
        if (comma == NULL)
            return;
        left.p += n + 1;
        left.n -= n + 1;
    }
}

static mr_status number(struct reader *r, int i, const char *what, double *value)
{
    char quoted[MR_QUOTE_CAP];
    const struct mr_str s = i < r->n_field ? r->field[i] : MR_STR("");
    if (mr_num_parse_f64(s, value) == MR_OK)
        return MR_OK;
    return mr_err_set(r->err, MR_PARSE, (struct mr_place){r->name, r->line, 0},
                      "field %d, %s: \"%s\" is not a number", i + 1, what,
                      mr_text_quote(s, quoted));
}

static mr_status whole(struct reader *r, int i, const char *what, int least, int most, int *value)
{
    double x;
    MR_TRY(number(r, i, what, &x));
    if (!(x >= least && x <= most && x == floor(x)))
        return mr_err_set(r->err, MR_RANGE, (struct mr_place){r->name, r->line, 0},
                          "field %d, %s: %g is not a whole number in %d..%d", i + 1, what, x, least,
                          most);
    *value = (int)x;
    return MR_OK;
}

static int days_of(int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return days[month - 1];
}

static int day_of_year(int month, int day)
{
    int n = day;
    for (int m = 1; m < month; m++)
        n += days_of(m);
    return n;
}

/* ---- header ---- */

static mr_status read_location(struct reader *r)
{
    struct mr_epw *epw = r->epw;
    split(r);
    if (!mr_str_eq_nocase(r->field[0], MR_STR("LOCATION")))
        return refuse_at(r, r->line, MR_PARSE,
                         "not an EPW file: the first line must begin with LOCATION");
    if (r->n_field > 1)
        snprintf(epw->place, sizeof epw->place, "%.*s",
                 (int)(r->field[1].n < 90 ? r->field[1].n : 90), r->field[1].p);
    MR_TRY(number(r, 6, "latitude", &epw->latitude_deg));
    MR_TRY(number(r, 7, "longitude", &epw->longitude_deg));
    MR_TRY(number(r, 8, "time zone", &epw->zone_h));
    MR_TRY(number(r, 9, "elevation", &epw->elevation_m));
    if (!(fabs(epw->latitude_deg) <= 90 && fabs(epw->longitude_deg) <= 180 &&
          fabs(epw->zone_h) <= 14 && epw->elevation_m >= -1000 && epw->elevation_m <= 9999.9))
        return refuse_at(r, r->line, MR_RANGE,
                         "LOCATION: latitude within 90, longitude within 180, time zone within 14 "
                         "hours, elevation in -1000..9999.9 m");
    return MR_OK;
}

/* "7/ 4" or "7/4/2021" */
static mr_status read_date(struct reader *r, int i, int *month, int *day)
{
    char quoted[MR_QUOTE_CAP];
    const struct mr_str s = i < r->n_field ? r->field[i] : MR_STR("");
    const char *slash = s.n > 0 ? memchr(s.p, '/', s.n) : NULL;
    double m = 0, d = 0;
    size_t used = 0;
    if (slash != NULL &&
        mr_num_parse_f64(mr_str_trim((struct mr_str){s.p, (size_t)(slash - s.p)}), &m) == MR_OK) {
        const struct mr_str tail =
            mr_str_trim((struct mr_str){slash + 1, s.n - (size_t)(slash + 1 - s.p)});
        while (used < tail.n && tail.p[used] != '/')
            used++;
        if (mr_num_parse_f64(mr_str_trim((struct mr_str){tail.p, used}), &d) == MR_OK && m >= 1 &&
            m <= 12 && m == floor(m) && d == floor(d) && d >= 1 &&
            d <= days_of((int)m) + ((int)m == 2)) {
            *month = (int)m;
            *day = (int)d;
            return MR_OK;
        }
    }
    return mr_err_set(r->err, MR_PARSE, (struct mr_place){r->name, r->line, 0},
                      "DATA PERIODS: \"%s\" is not a date (expected month/day)",
                      mr_text_quote(s, quoted));
}

static mr_status read_periods(struct reader *r)
{
    struct mr_epw *epw = r->epw;
    int n_period, per_hour;
    MR_TRY(whole(r, 1, "number of data periods", 1, 1000, &n_period));
    MR_TRY(whole(r, 2, "records per hour", 1, per_hour_max, &per_hour));
    if (n_period != 1)
        return mr_err_set(r->err, MR_RANGE, (struct mr_place){r->name, r->line, 0},
                          "DATA PERIODS: %d periods: only one, without holes, can drive a run",
                          n_period);
    MR_TRY(read_date(r, 5, &epw->first_month, &epw->first_day));
    MR_TRY(read_date(r, 6, &r->last_month, &r->last_day));
    epw->per_hour = (uint64_t)per_hour;
    epw->is_whole_year =
        epw->first_month == 1 && epw->first_day == 1 && r->last_month == 12 && r->last_day == 31;
    return MR_OK;
}

static mr_status read_header(struct reader *r)
{
    if (!next_line(r))
        return refuse_at(r, 0, MR_PARSE, "not an EPW file: it is empty");
    MR_TRY(read_location(r));
    for (int i = 0; i < header_max_lines && next_line(r); i++) {
        split(r);
        if (mr_str_eq_nocase(r->field[0], MR_STR("DATA PERIODS")))
            return read_periods(r);
    }
    return refuse_at(r, r->line, MR_PARSE,
                     "no line DATA PERIODS at the end of the header: which hours are these?");
}

/* ---- records ---- */

/* The date of a record must follow that of the one before: hours count 1..24, a 28 February may be
 * followed by a 29th or by March, 31 December by 1 January. */
struct clock {
    int month, day, hour;
};

static struct clock after(struct clock c, bool has_leap_day)
{
    if (c.hour < 24)
        return (struct clock){c.month, c.day, c.hour + 1};
    const int days = days_of(c.month) + (c.month == 2 && has_leap_day);
    if (c.day < days)
        return (struct clock){c.month, c.day + 1, 1};
    return (struct clock){c.month == 12 ? 1 : c.month + 1, 1, 1};
}

static bool is_same(struct clock a, struct clock b)
{
    return a.month == b.month && a.day == b.day && a.hour == b.hour;
}

static mr_status check_order(struct reader *r, struct clock now, struct clock *last, int *in_hour)
{
    const struct mr_epw *epw = r->epw;
    struct clock want = {epw->first_month, epw->first_day, 1};
    if (epw->n > 0 && *in_hour < (int)epw->per_hour)
        want = *last;
    else if (epw->n > 0)
        want = after(*last, now.month == 2 && now.day == 29);
    if (!is_same(now, want))
        return mr_err_set(r->err, MR_RANGE, (struct mr_place){r->name, r->line, 0},
                          "hour %d of %d/%d where hour %d of %d/%d must stand: records must follow "
                          "each other without holes",
                          now.hour, now.month, now.day, want.hour, want.month, want.day);
    *in_hour = epw->n > 0 && *in_hour < (int)epw->per_hour ? *in_hour + 1 : 1;
    *last = now;
    return MR_OK;
}

static mr_status grow(struct reader *r)
{
    /* columns grow one by one; the file's size is bounded, so is their number of records */
    const size_t need = r->epw->n + 1;
    if (need <= r->cap)
        return MR_OK;
    size_t cap = 0;
    for (int c = 0; c < n_column; c++) {
        cap = r->cap;
        MR_TRY(mr_grow(&r->value[c], &cap, need, sizeof(double), r->err));
    }
    r->cap = cap;
    return MR_OK;
}

static mr_status read_value(struct reader *r, int c, double *value)
{
    double x;
    const struct mr_str s = r->field[columns[c].field];
    *value = (double)NAN;
    if (s.n == 0)
        return MR_OK;
    MR_TRY(number(r, columns[c].field, columns[c].name, &x));
    if (x >= columns[c].missing)
        return MR_OK;
    if (!(x >= columns[c].least && x <= columns[c].most))
        return mr_err_set(r->err, MR_RANGE, (struct mr_place){r->name, r->line, 0},
                          "field %d, %s: %g is outside of %g..%g", columns[c].field + 1,
                          columns[c].name, x, columns[c].least, columns[c].most);
    *value = columns[c].scale * x;
    if (c == humidity)
        *value = fmin(*value, 1);
    return MR_OK;
}

static mr_status read_records(struct reader *r)
{
    struct mr_epw *epw = r->epw;
    struct clock last = {0, 0, 0};
    int in_hour = 0;
    while (next_line(r)) {
        struct clock now = {1, 1, 1};
        split(r);
        if (r->n_field <= columns[wind].field)
            return mr_err_set(r->err, MR_PARSE, (struct mr_place){r->name, r->line, 0},
                              "%d fields: a record has 35, at least %d are needed", r->n_field,
                              columns[wind].field + 1);
        MR_TRY(whole(r, 1, "month", 1, 12, &now.month));
        MR_TRY(whole(r, 2, "day", 1, days_of(now.month) + (now.month == 2), &now.day));
        MR_TRY(whole(r, 3, "hour", 1, 24, &now.hour));
        MR_TRY(check_order(r, now, &last, &in_hour));
        epw->is_leap |= now.month == 2 && now.day == 29;
        if (epw->n == 0)
            r->first_data_line = r->line;
        MR_TRY(grow(r));
        for (int c = 0; c < n_column; c++)
            MR_TRY(read_value(r, c, &r->value[c][epw->n]));
        epw->n++;
    }
    return MR_OK;
}

static mr_status check_count(struct reader *r)
{
    const struct mr_epw *epw = r->epw;
    int days =
        day_of_year(r->last_month, r->last_day) - day_of_year(epw->first_month, epw->first_day) + 1;
    if (days <= 0)
        days += 365;
    /* 29 February has the number of 1 March: counted when it lies inside, not when it is an end */
    days += epw->is_leap && !(r->last_month == 2 && r->last_day == 29);
    const uint64_t want = (uint64_t)days * 24 * epw->per_hour;
    if (epw->n == want)
        return MR_OK;
    return mr_err_set(r->err, MR_RANGE, (struct mr_place){r->name, r->line, 0},
                      "%llu records, but %d/%d to %d/%d are %llu%s", (unsigned long long)epw->n,
                      epw->first_month, epw->first_day, r->last_month, r->last_day,
                      (unsigned long long)want,
                      epw->is_whole_year && !epw->is_leap ? " (8784 hours with 29 February)" : "");
}

/* ---- gaps ---- */

/* Fill missing values [from, to) between known neighbors; a whole year is a circle, elsewhere an
 * end without neighbor keeps the one value it has. */
static mr_status fill_gap(struct reader *r, int c, uint64_t from, uint64_t n_gap)
{
    const struct mr_epw *epw = r->epw;
    double *v = r->value[c];
    const bool wraps = epw->is_whole_year;
    if (n_gap > fill_max_h * epw->per_hour)
        return mr_err_set(r->err, MR_RANGE,
                          (struct mr_place){r->name, r->first_data_line + (int)from, 0},
                          "%s: missing for %llu records from here on: at most %d hours are filled",
                          columns[c].name, (unsigned long long)n_gap, (int)fill_max_h);
    const uint64_t next = from + n_gap;
    double before = from > 0 || wraps ? v[(from + epw->n - 1) % epw->n] : (double)NAN;
    double behind = next < epw->n || wraps ? v[next % epw->n] : (double)NAN;
    if (isnan(before))
        before = behind;
    if (isnan(behind))
        behind = before;
    for (uint64_t i = 0; i < n_gap; i++)
        v[(from + i) % epw->n] = before + (behind - before) * (double)(i + 1) / (double)(n_gap + 1);
    return MR_OK;
}

static mr_status fill_column(struct reader *r, int c)
{
    struct mr_epw *epw = r->epw;
    double *v = r->value[c];
    uint64_t first = 0, n_known = 0;
    MR_ASSERT(v != NULL); /* there is a record */
    for (uint64_t i = epw->n; i-- > 0;)
        if (!isnan(v[i])) {
            first = i;
            n_known++;
        }
    if (n_known == epw->n)
        return MR_OK;
    if (n_known == 0)
        return columns[c].may_lack
                   ? MR_OK
                   : refuse_at(r, r->first_data_line, MR_RANGE, "dry bulb: missing everywhere");
    epw->n_filled += epw->n - n_known;
    /* walk the circle from a known value on, so that a gap over the year's end is one */
    for (uint64_t k = 0; k < epw->n;) {
        const uint64_t i = (first + k) % epw->n;
        uint64_t n_gap = 0;
        while (k + n_gap < epw->n && isnan(v[(i + n_gap) % epw->n]) &&
               (epw->is_whole_year || n_gap == 0 || (i + n_gap) % epw->n != 0))
            n_gap++;
        if (n_gap > 0)
            MR_TRY(fill_gap(r, c, i, n_gap));
        k += n_gap > 0 ? n_gap : 1;
    }
    return MR_OK;
}

static bool is_absent(const double *v)
{
    return isnan(v[0]); /* after filling: all or none */
}

/* What a whole missing column can be made from: humidity and dew point from each other, pressure
 * from the height of the place. */
static mr_status derive(struct reader *r)
{
    const struct mr_epw *epw = r->epw;
    double *dry = r->value[dry_bulb], *dew = r->value[dew_point], *rh = r->value[humidity];
    const bool no_dew = is_absent(dew), no_rh = is_absent(rh);
    const bool no_pressure = is_absent(r->value[pressure]);
    const double pressure_pa = mr_moist_pressure_pa(fmin(fmax(epw->elevation_m, -1000), 9999.9));
    if (no_dew && no_rh)
        return refuse_at(r, r->first_data_line, MR_RANGE,
                         "dew point and relative humidity are both missing everywhere");
    for (uint64_t i = 0; i < epw->n; i++) {
        const double saturation_pa = mr_moist_saturation_pa(dry[i]);
        if (no_rh)
            rh[i] = fmin(mr_moist_saturation_pa(dew[i]) / saturation_pa, 1);
        if (no_dew)
            dew[i] = mr_moist_dew_point_c(fmax(rh[i], 0.001) * saturation_pa);
        if (no_pressure)
            r->value[pressure][i] = pressure_pa;
    }
    return MR_OK;
}

/* ---- public ---- */

static mr_status read_all(struct reader *r)
{
    MR_TRY(read_header(r));
    MR_TRY(read_records(r));
    if (r->epw->n == 0)
        return refuse_at(r, r->line, MR_PARSE, "no records after the header");
    MR_TRY(check_count(r));
    for (int c = 0; c < n_column; c++)
        MR_TRY(fill_column(r, c));
    return derive(r);
}

mr_status mr_epw_load_text(const char *name, struct mr_str text, struct mr_epw *epw,
                           struct mr_err *err)
{
    struct reader r = {.name = name, .rest = text, .epw = epw, .err = err};
    *epw = (struct mr_epw){0};
    if (text.n >= 3 && memcmp(text.p, "\xEF\xBB\xBF", 3) == 0) {
        r.rest.p += 3;
        r.rest.n -= 3;
    }
    const mr_status st = read_all(&r);
    epw->dry_bulb_c = r.value[dry_bulb];
    epw->dew_point_c = r.value[dew_point];
    epw->rh_frac = r.value[humidity];
    epw->pressure_pa = r.value[pressure];
    epw->ghi_w_m2 = r.value[radiation];
    epw->wind_m_s = r.value[wind];
    if (st != MR_OK)
        mr_epw_fini(epw);
    return st;
}

mr_status mr_epw_load(const char *path, struct mr_epw *epw, struct mr_err *err)
{
    struct mr_gz *gz;
    char *bytes = NULL;
    size_t n = 0;
    *epw = (struct mr_epw){0};
    MR_TRY(mr_gz_open(path, &gz, err));
    mr_status st = mr_gz_read_all(gz, file_max_bytes, &bytes, &n, err);
    mr_gz_close(gz);
    if (st == MR_OK)
        st = mr_epw_load_text(path, (struct mr_str){bytes, n}, epw, err);
    mr_free(bytes);
    return st;
}

void mr_epw_fini(struct mr_epw *epw)
{
    double **column[] = {&epw->dry_bulb_c,  &epw->dew_point_c, &epw->rh_frac,
                         &epw->pressure_pa, &epw->ghi_w_m2,    &epw->wind_m_s};
    for (size_t i = 0; i < sizeof column / sizeof *column; i++) {
        mr_free(*column[i]);
        *column[i] = NULL;
    }
    epw->n = 0;
}
