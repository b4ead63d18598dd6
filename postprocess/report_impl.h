/* SPDX-License-Identifier: Apache-2.0 */
/* The sections of a page, and what they share. */
#ifndef MR_POSTPROCESS_REPORT_IMPL_H
#define MR_POSTPROCESS_REPORT_IMPL_H

#include "engine/base/num.h"
#include "postprocess/chart.h"
#include "postprocess/curve.h"
#include "postprocess/report.h"

enum {
    MR_REPORT_LINES = 24, /* series of one chart */
    MR_REPORT_POINTS = 200,
    MR_REPORT_DOTS = 120
};

/* A chart while its series are gathered. Zero-initialize; mr_report_chart_fini. */
struct mr_report_chart {
    struct mr_curve series[MR_REPORT_LINES];
    struct mr_curve whole[MR_REPORT_LINES]; /* before it was thinned; empty where it was not */
    bool is_whole;                          /* keep them */
    bool has_peaks, has_lows;               /* thinned to largest values; to least ones */
    bool has_ends, has_dots; /* to the ends of what samples span; dots, to means of equals */
    bool has_failed;         /* no memory; told when it is put */
    char name[MR_REPORT_LINES][96];
    enum mr_chart_style style[MR_REPORT_LINES];
    size_t n;
    struct mr_chart_mark mark[6];
    char mark_label[6][96];
    size_t n_mark;
};

/** Take a series, thinned; an empty or a surplus one is dropped. */
void mr_report_chart_add(struct mr_report_chart *chart, struct mr_curve *take_series,
                         enum mr_chart_style style, const char *fmt, ...) MR_PRINTF(4, 5);

/** A level with a label; NaN is none. */
void mr_report_chart_mark(struct mr_report_chart *chart, double at, bool is_upright,
                          const char *fmt, ...) MR_PRINTF(4, 5);

struct mr_report_axes {
    const char *title, *x_label, *y_label;
    const char *sheet; /* of its numbers */
    bool is_over_time; /* x is seconds: the unit is chosen and x_label ignored */
    bool is_from_zero;
    double shade_x; /* NaN: none */
};

/** Draw it and add its sheet. @return false: there was nothing to draw */
bool mr_report_chart_put(struct mr_report_chart *chart, const struct mr_report_axes *axes,
                         struct mr_page *page);
void mr_report_chart_fini(struct mr_report_chart *chart);

/** A number for people, in so many digits. @return out */
const char *mr_report_human(double value, int digits, char out[MR_NUM_CAP]);

/** "A" and a space in front of a name where there are several files. @return out */
const char *mr_report_named(const struct mr_report_file *file, const char *name, char out[96]);

/** Power at the meter, or that of the racks. @param[out] what says which; "" when there is none */
MR_CHECKED mr_status mr_report_load_kw(const struct mr_report_file *file, struct mr_curve *out,
                                       const char **what, struct mr_err *err);

/** Texts of an axis; NULL and 0 where the file has none. @param[out] name lent */
MR_CHECKED mr_status mr_report_names(struct mr_runread *run, const char *path,
                                     const char *const **name, size_t *n, struct mr_err *err);

/* Columns of /requests that all have the same rows; NULL where the file lacks one. */
struct mr_report_calls {
    double *arrived_s, *scheduled_s, *first_s, *finished_s, *load_s, *output, *tier, *session;
    size_t n;
};

/** @param[out] calls mr_report_calls_fini, after errors too */
MR_CHECKED mr_status mr_report_calls(const struct mr_report_file *file,
                                     struct mr_report_calls *calls, struct mr_err *err);
void mr_report_calls_fini(struct mr_report_calls *calls);

void mr_report_verdict(const struct mr_report *report, struct mr_page *page);
/** The dozen that a person looks at first, or all others. */
void mr_report_figures(const struct mr_report *report, bool is_headline, struct mr_page *page);
MR_CHECKED mr_status mr_report_floor(const struct mr_report *report, struct mr_page *page,
                                     struct mr_err *err);
void mr_report_front(const struct mr_report *report, struct mr_page *page);
MR_CHECKED mr_status mr_report_power(const struct mr_report *report, struct mr_page *page,
                                     struct mr_err *err);
/** Limits of breakers beside the load's duration curve: a chart, inside a grid of charts. */
MR_CHECKED mr_status mr_report_fullest(const struct mr_report *report, struct mr_page *page,
                                       struct mr_err *err);
MR_CHECKED mr_status mr_report_meters(const struct mr_report *report, struct mr_page *page,
                                      struct mr_err *err);
MR_CHECKED mr_status mr_report_heat(const struct mr_report *report, struct mr_page *page,
                                    struct mr_err *err);
MR_CHECKED mr_status mr_report_groups(const struct mr_report *report, struct mr_page *page,
                                      struct mr_err *err);
void mr_report_money(const struct mr_report *report, struct mr_page *page);
/** What agents did behind their warm-up, beside the whole run. */
void mr_report_measured(const struct mr_report *report, struct mr_page *page);
/** @return whether the run was asked for it */
bool mr_report_is_measured(const struct mr_figures *figures);
MR_CHECKED mr_status mr_report_limits(const struct mr_report *report, struct mr_page *page,
                                      struct mr_err *err);
/** " (why; why)" of the calls that were turned away; nothing without reasons. */
void mr_report_refusals(const struct mr_report_file *file, struct mr_buf *out);
MR_CHECKED mr_status mr_report_events(const struct mr_report *report, struct mr_page *page,
                                      struct mr_err *err);
MR_CHECKED mr_status mr_report_latency(const struct mr_report *report, struct mr_page *page,
                                       struct mr_err *err);
MR_CHECKED mr_status mr_report_task(const struct mr_report *report, struct mr_page *page,
                                    struct mr_err *err);
MR_CHECKED mr_status mr_report_source(const struct mr_report *report, struct mr_page *page,
                                      struct mr_err *err);

#endif
