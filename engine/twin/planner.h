/* SPDX-License-Identifier: Apache-2.0 */
/* How many instances of each pool serve, by what comes in: at every interval
 *
 *   prompts   R_p = lambda_in t_in / u_p        uncached tokens that came a second, seconds of one
 *   outputs   R_d = max(lambda_out t_out, KV) / u_d   tokens to make a second, seconds of one at
 *             the batch that fits; KV: blocks in use over those of an instance
 *
 * instances are needed: ceil(R_p + R_d) where they do both, ceil(R_p) and ceil(R_d) where they do
 * one. How long outputs are and how much of prompts is cached is taken from the calls that ended.
 *
 *   off -> starting -> serving -> draining -> off
 *
 * A start takes T = allocation + weights / bandwidth + warm-up, or, fast from a running peer,
 * allocation + (weights / bandwidth + warm-up) / 7; meanwhile the instance draws idle power and
 * gets no calls. One that drains gets no calls either, ends those it has, and then is off with its
 * caches lost; off it draws nothing where no site is played, and idle power on a site. More are
 * started whenever they are needed; fewer serve only when so many fewer are needed, and neither
 * follows the other within the cooldown. With a most for both pools together one pool gives to the
 * other: what drains there starts here in the shorter time of a flip, for its weights are there. */
#ifndef MR_ENGINE_TWIN_PLANNER_H
#define MR_ENGINE_TWIN_PLANNER_H

#include "engine/twin/outages.h"
#include "engine/twin/pool.h"

/* X: text, meaning. Value: instances of the pool that are needed, limit: that serve. */
#define MR_PLANNER_EVENT_LIST(X)                                  \
    X(START, "plan.start", "instances", "an instance starts")     \
    X(READY, "plan.ready", "instances", "it serves")              \
    X(DRAIN, "plan.drain", "instances", "it takes no more calls") \
    X(STOP, "plan.stop", "instances", "it is off")                \
    X(FLIP, "plan.flip", "instances", "one starts in place of the other pool's")

/* One pool's, as the cell's seats are numbered. */
struct mr_planner_pool {
    const struct mr_pool *pool; /* lent */
    uint32_t from, n;           /* seats */
    const char *name;           /* in events */
    uint64_t n_min, n_max, n_start;
    bool reads, decodes;
};

struct mr_planner_plan {
    struct mr_planner_spec spec;
    struct mr_planner_pool pool[2];
    uint32_t n_pool;
    /* told of the events of the list; NULL: nobody */
    void (*event)(void *context, double t_s, const char *kind, const char *entity, double value,
                  double limit);
    void *context;
};

struct mr_planner_counts {
    uint64_t n_start, n_stop, n_flip;
    double starting_s; /* of all instances */
    uint64_t n_off;    /* times that instances went down for it, at the start, too */
    double off_s;
};

struct mr_planner;

/** @param[in] plan copied @param[out] out mr_planner_destroy */
MR_CHECKED mr_status mr_planner_create(const struct mr_planner_plan *plan, struct mr_planner **out,
                                       struct mr_err *err);
void mr_planner_destroy(struct mr_planner *planner);

/** At the start of the run: all but the first ones of each pool are off. */
MR_CHECKED mr_status mr_planner_begin(struct mr_planner *planner, struct mr_cell *cell,
                                      struct mr_outages *outages, struct mr_err *err);

/** The next look at the load, or the end of a start. */
double mr_planner_next_s(const struct mr_planner *planner);

/** It happens. The cell has been played up to then. */
MR_CHECKED mr_status mr_planner_do(struct mr_planner *planner, struct mr_cell *cell,
                                   struct mr_outages *outages, double now_s, struct mr_err *err);

/** Time to start an instance of a pool. */
double mr_planner_start_s(const struct mr_planner_spec *spec, const struct mr_pool *pool);

/** Up to now. */
struct mr_planner_counts mr_planner_counted(const struct mr_planner *planner, double now_s);

#endif
