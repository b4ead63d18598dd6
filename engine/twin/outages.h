/* SPDX-License-Identifier: Apache-2.0 */
/* When instances go down, drain, slow down and come back: dates that a scenario gives (<outage>),
 * and failures at random (<failures>: exponential times between the end of a repair and the next
 * failure, and exponential repairs, one stream per seat). Several reasons may hold a seat at once:
 * it is up again when the last of them has ended, and as slow as the slowest says. Others (power,
 * heat) may be reasons too. */
#ifndef MR_ENGINE_TWIN_OUTAGES_H
#define MR_ENGINE_TWIN_OUTAGES_H

#include "engine/serve/cell_outage.h"
#include "engine/twin/scenario.h"

/* X: text, meaning */
#define MR_OUTAGES_EVENT_LIST(X)                                           \
    X(DOWN, "serve.down", "", "an instance stops")                         \
    X(DOWN_END, "serve.down_end", "", "it may serve again")                \
    X(DRAIN, "serve.drain", "", "it takes no more calls")                  \
    X(DRAIN_END, "serve.drain_end", "", "it takes calls again")            \
    X(SLOW, "serve.slow", "", "another clock; value: over the full clock") \
    X(SLOW_END, "serve.slow_end", "", "its own clock again")               \
    X(FAILURE, "serve.failure", "", "it fails at random")                  \
    X(REPAIR, "serve.repair", "", "it is repaired")

struct mr_outages;

/* Instances of a cell among those of the scenario: some of those that decode, and some of those
 * that read prompts. Its seats are numbered as in cell_outage.h. */
struct mr_outages_span {
    uint32_t first, n;               /* that decode */
    uint32_t first_reader, n_reader; /* that read, counted from the first that reads */
};

/** @param[in] scenario lent; its outages name instances there are @param[out] out
 *  mr_outages_destroy */
MR_CHECKED mr_status mr_outages_create(const struct mr_scenario *scenario,
                                       const struct mr_outages_span *span, struct mr_outages **out,
                                       struct mr_err *err);
void mr_outages_destroy(struct mr_outages *outages);

/** Told of the events of the list, with the pool and number of the instance; NULL: nobody. */
void mr_outages_listen(struct mr_outages *outages,
                       void (*event)(void *context, double t_s, const char *kind,
                                     const char *entity, double value, double limit),
                       void *context);

/** The next date; INFINITY after the last. */
double mr_outages_next_s(const struct mr_outages *outages);

/** It happens. The cell has been played up to mr_outages_next_s. */
MR_CHECKED mr_status mr_outages_do(struct mr_outages *outages, struct mr_cell *cell,
                                   struct mr_err *err);

/** A reason from outside begins (+1) or ends (-1) to hold a seat down (cell_outage.h). */
MR_CHECKED mr_status mr_outages_hold(struct mr_outages *outages, struct mr_cell *cell,
                                     uint32_t seat, int more, double now_s, struct mr_err *err);

/** A seat is to start: held down so far, it is only kept from taking calls, until
 * mr_outages_drain ends it.
 */
void mr_outages_boot(struct mr_outages *outages, struct mr_cell *cell, uint32_t seat, double now_s);

/** A reason from outside begins (+1) or ends (-1) to keep a seat from taking calls. */
MR_CHECKED mr_status mr_outages_drain(struct mr_outages *outages, struct mr_cell *cell,
                                      uint32_t seat, int more, double now_s, struct mr_err *err);

/** The clock that others want a seat to have at most; 1: any. */
void mr_outages_clock(struct mr_outages *outages, struct mr_cell *cell, uint32_t seat, double phi,
                      double now_s);

#endif
