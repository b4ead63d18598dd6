/* SPDX-License-Identifier: Apache-2.0 */
/* V starts again at 0 whenever the pool is empty and is otherwise a sum of a few terms, so a job's
 * end in V is exact to rounding; what is left below `crumb` counts as done. */
#include "engine/work/cores.h"

#include "engine/base/assert.h"
#include "engine/base/mem.h"

#include <math.h>

static const double crumb_s = 1e-10; /* of one server */

/* ---- heap ---- */

static bool is_before(const struct mr_cores_job *a, const struct mr_cores_job *b)
{
    return a->end < b->end || (a->end == b->end && a->number < b->number);
}

static void push(struct mr_cores *cores, struct mr_cores_job job)
{
    size_t hole = cores->n++;
    while (hole > 0 && is_before(&job, &cores->job[(hole - 1) / 2])) {
        cores->job[hole] = cores->job[(hole - 1) / 2];
        hole = (hole - 1) / 2;
    }
    cores->job[hole] = job;
}

static struct mr_cores_job pop(struct mr_cores *cores)
{
    const struct mr_cores_job top = cores->job[0], last = cores->job[--cores->n];
    size_t hole = 0;
    for (size_t child = 1; child < cores->n; child = 2 * hole + 1) {
        child += child + 1 < cores->n && is_before(&cores->job[child + 1], &cores->job[child]);
        if (!is_before(&cores->job[child], &last))
            break;
        cores->job[hole] = cores->job[child];
        hole = child;
    }
    cores->job[hole] = last;
    return top;
}

/* ---- time ---- */

static double pace(const struct mr_cores *cores)
{
    const double m = (double)cores->n;
    return m > cores->n_server ? cores->speed * (cores->n_server / m) : cores->speed;
}

static void pass(struct mr_cores *cores, double dt_s)
{
    cores->given += dt_s * pace(cores);
    cores->busy_s += dt_s * fmin((double)cores->n, cores->n_server);
}

/* Seconds from now_s until the first job ends. There is one. */
static double left_s(const struct mr_cores *cores)
{
    const double work = fmax(0, cores->job[0].end - cores->given);
    return work > 0 && cores->n_server == 0 ? (double)INFINITY : work > 0 ? work / pace(cores) : 0;
}

mr_status mr_cores_advance(struct mr_cores *cores, double now_s, const struct mr_cores_sink *sink,
                           struct mr_err *err)
{
    while (cores->n > 0) {
        const double dt_s = left_s(cores);
        if (cores->now_s + dt_s > now_s + crumb_s)
            break;
        pass(cores, dt_s);
        cores->now_s = fmin(cores->now_s + dt_s, fmax(now_s, cores->now_s));
        const struct mr_cores_job job = pop(cores);
        const bool was_planned = job.number >= cores->unplanned;
        cores->given = fmax(cores->given, job.end);
        cores->n_unplanned -= !was_planned;
        MR_TRY(sink->ended(sink->context, job.id, cores->now_s, was_planned, err));
    }
    if (cores->n == 0)
        cores->given = 0;
    else if (now_s > cores->now_s)
        pass(cores, now_s - cores->now_s);
    cores->now_s = fmax(cores->now_s, now_s);
    return MR_OK;
}

mr_status mr_cores_start(struct mr_cores *cores, uint32_t id, double work, double now_s,
                         double *end_s, struct mr_err *err)
{
    MR_ASSERT(work >= 0 && now_s >= cores->now_s - crumb_s);
    MR_TRY(mr_grow(&cores->job, &cores->cap, cores->n + 1, sizeof *cores->job, err));
    cores->now_s = fmax(cores->now_s, now_s);
    push(cores, (struct mr_cores_job){cores->given + work, cores->n_started++, id});
    *end_s = now_s + work / cores->speed;
    if ((double)cores->n > cores->n_server) {
        cores->unplanned = cores->n_started;
        cores->n_unplanned = cores->n;
        *end_s = (double)NAN;
    }
    return MR_OK;
}

void mr_cores_resize(struct mr_cores *cores, double n_server, double lost_frac,
                     double (*work)(void *context, uint32_t id), void *context)
{
    static const double golden = 0.61803398874989484820; /* its multiples spread evenly over 0..1 */
    const size_t n = cores->n;
    size_t n_lost = 0;
    MR_ASSERT(isfinite(n_server) && n_server >= 0 && isfinite(cores->n_server));
    cores->n_server = n_server;
    cores->n = 0;
    for (size_t i = 0; i < n; i++) { /* in place: a job stands behind those that are pushed */
        struct mr_cores_job job = cores->job[i];
        const double turn = (double)job.number * golden;
        if (turn - floor(turn) < lost_frac) {
            job.end = cores->given + work(context, job.id);
            n_lost++;
        }
        push(cores, job);
    }
    if ((double)n > n_server || n_lost > 0) {
        cores->unplanned = cores->n_started;
        cores->n_unplanned = n;
    }
}

double mr_cores_busy_s(const struct mr_cores *cores, double now_s)
{
    return cores->busy_s + fmax(0, now_s - cores->now_s) * fmin((double)cores->n, cores->n_server);
}

double mr_cores_due_s(const struct mr_cores *cores)
{
    return cores->n_unplanned > 0 ? cores->now_s + left_s(cores) : (double)INFINITY;
}

/* ---- life ---- */

void mr_cores_init(struct mr_cores *cores, double n_server, double speed)
{
    MR_ASSERT(n_server > 0 && speed > 0);
    *cores = (struct mr_cores){.n_server = n_server, .speed = speed};
}

void mr_cores_fini(struct mr_cores *cores)
{
    mr_free(cores->job);
    *cores = (struct mr_cores){0};
}
