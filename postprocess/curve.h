/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers over time out of a result file: entities made one, rows thinned to what a chart can show;
 * and entities with time made one. What is of a date holds until the next one; means and extremes
 * are of the interval before their dates. NaN is what was not recorded: it is left out of sums,
 * means and extremes. */
#ifndef MR_POSTPROCESS_CURVE_H
#define MR_POSTPROCESS_CURVE_H

#include "postprocess/runread.h"

enum mr_curve_how {
    MR_CURVE_SUM,
    MR_CURVE_MEAN,
    MR_CURVE_MAX,
    MR_CURVE_MIN,
    MR_CURVE_TIME,  /* entities only: seconds in which the value is above 0 */
    MR_CURVE_PLAIN, /* thinning only: means of equals, whatever their dates are */
    MR_CURVE_ENDS   /* thinning only: the least and the largest sample of a part, as they are */
};

/* Owned by the caller: mr_curve_fini. */
struct mr_curve {
    double *t_s, *value;
    size_t n;
    const char *units; /* of the file */
    bool is_before;    /* a value is of the interval before its date; else it holds from there on */
};

/** Whether there are numbers over time under that path. */
bool mr_curve_is(const struct mr_runread *run, const char *path);

/** @param[in] how entities become one; without entities it does not matter
 *  @param[out] out mr_curve_fini; empty when there is no such series, and after errors */
MR_CHECKED mr_status mr_curve_read(const struct mr_runread *run, const char *path,
                                   enum mr_curve_how how, struct mr_curve *out, struct mr_err *err);

/** The same at n dates at most, as far apart as can be, the last one among them: of a long course
 *  little more is read than is shown. */
MR_CHECKED mr_status mr_curve_glance(const struct mr_runread *run, const char *path,
                                     enum mr_curve_how how, size_t n, struct mr_curve *out,
                                     struct mr_err *err);

/** One entity. */
MR_CHECKED mr_status mr_curve_one(const struct mr_runread *run, const char *path, size_t entity,
                                  struct mr_curve *out, struct mr_err *err);
void mr_curve_fini(struct mr_curve *series);

/** @param[out] out a second one; mr_curve_fini */
MR_CHECKED mr_status mr_curve_copy(const struct mr_curve *series, struct mr_curve *out,
                                   struct mr_err *err);

/** Values hold from their dates on: those of the interval before go to its beginning. The last one
 *  stands twice then, for no time. */
void mr_curve_hold(struct mr_curve *curve);

/** Curves of groups with axes of their own, made comparable: each has the dates that all of them
 *  have, and at each its mean over the time to the next, after mr_curve_hold. That is exact, for
 *  no interval is divided: intervals of 5 s and 60 s meet every minute, of 2 s and 3 s every 6 s.
 *  Empty curves stay empty. @param[in,out] curve n of them */
MR_CHECKED mr_status mr_curve_pair(struct mr_curve *curve, size_t n, struct mr_err *err);

/** Values in falling order over the share of the time [%]: from 0 for the highest to 100 for the
 *  lowest. What was not recorded counts for no time. */
MR_CHECKED mr_status mr_curve_duration(struct mr_curve *curve, struct mr_err *err);

/** How entities become one: extremes do not add up, their largest is the largest of all. Whatever
 *  else adds up is a sum, the rest is `other`. */
enum mr_curve_how mr_curve_way(const struct mr_runread_set *set, bool adds_up,
                               enum mr_curve_how other);

/** Make at most n_max points of equal numbers of neighbors: means, each weighed by its time, or
 *  extremes. */
void mr_curve_thin(struct mr_curve *series, size_t n_max, enum mr_curve_how how);

/** Take out points that a chart shows as well without: lines stay within one unit of every point,
 *  steps within one of every level. Gaps, first and last points stay.
 *  @param[in] unit_s, unit what cannot be seen, in the units of t_s and of value */
void mr_curve_straighten(struct mr_curve *series, double unit_s, double unit, bool is_step);

/** One number per entity. Largest value and mean are those of the series' own peaks and means where
 *  the file has them (power_max_kw, power_mean_kw of power_kw). @param[out] value owned by the
 * caller: mr_free; NULL without the series
 */
MR_CHECKED mr_status mr_curve_entities(const struct mr_runread *run, const char *path,
                                       enum mr_curve_how how, double **value, size_t *n,
                                       struct mr_err *err);

#endif
