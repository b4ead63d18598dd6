/* SPDX-License-Identifier: Apache-2.0 */
/* Work that servers share equally: tools on the cores of a CPU pool, bytes on the links of a
 * storage tier. A job uses one server at most; when there are more jobs m than servers C, all go
 * at the same lower pace:
 *
 *   pace = speed x min(1, C / m)          dV/dt = pace          a job ends when V = V(start) + work
 *
 * V, the work each job gets, is common to all, so a heap of ends in V is the whole state and a
 * start or an end costs O(log m). While no job has to share, its end is known when it starts
 * (`is_planned`): whoever started it plans that date and hears nothing more. Jobs that lived
 * through a moment with m > C are told at their ends instead, which mr_cores_due_s announces.
 * Servers may go and come back: with none left nothing ends until some are there again.
 * Ignored: jobs that use several servers, priorities among them. */
#ifndef MR_ENGINE_WORK_CORES_H
#define MR_ENGINE_WORK_CORES_H

#include "engine/base/status.h"

#include <stdint.h>

struct mr_cores_job {
    double end;      /* in V */
    uint64_t number; /* in the order of starts */
    uint32_t id;
};

struct mr_cores {
    double n_server;          /* INFINITY: nobody ever shares */
    double speed;             /* work per second of one server */
    double now_s;             /* V is of then */
    double given;             /* V */
    struct mr_cores_job *job; /* binary heap by (end, number) */
    size_t n, cap;
    uint64_t n_started;
    uint64_t unplanned; /* jobs with smaller numbers have no valid plan */
    size_t n_unplanned; /* of those in the heap */
    double busy_s;      /* servers x time in use, up to now_s */
};

/* Told of every job that ends. @param[in] was_planned its end was known at its start */
struct mr_cores_sink {
    mr_status (*ended)(void *context, uint32_t id, double now_s, bool was_planned,
                       struct mr_err *err);
    void *context;
};

/** Zero-initialized memory is not a valid object. @param[in] n_server > 0 @param[in] speed > 0 */
void mr_cores_init(struct mr_cores *cores, double n_server, double speed);
void mr_cores_fini(struct mr_cores *cores);

/** A job starts; the pool has been advanced to now.
 *  @param[out] end_s its end, if it is planned; NaN otherwise */
MR_CHECKED mr_status mr_cores_start(struct mr_cores *cores, uint32_t id, double work, double now_s,
                                    double *end_s, struct mr_err *err);

/** Tell of all jobs that end by a time, in their order. Times never go back. */
MR_CHECKED mr_status mr_cores_advance(struct mr_cores *cores, double now_s,
                                      const struct mr_cores_sink *sink, struct mr_err *err);

/** Servers x time in use up to a time that no job has ended before since the last advance. */
double mr_cores_busy_s(const struct mr_cores *cores, double now_s);

/** From now on there are n_server, 0 or more: the pool has been advanced to now. A share of its
 * jobs, spread over the order of their starts, has lost what was done of it and begins anew.
 *  @param[in] work all that a job takes */
void mr_cores_resize(struct mr_cores *cores, double n_server, double lost_frac,
                     double (*work)(void *context, uint32_t id), void *context);

/** When advance is needed next for the sake of jobs without a plan; INFINITY: not at all. */
double mr_cores_due_s(const struct mr_cores *cores);

#endif
