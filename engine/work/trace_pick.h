/* SPDX-License-Identifier: Apache-2.0 */
/* Which sessions of a workload to take, where that is known only when all have been read: those of
 * some size and model, one of each set of copies, some drawn at random. And arrivals that were
 * rounded to ticks, spread over them again. 40 B for each session. */
#ifndef MR_ENGINE_WORK_TRACE_PICK_H
#define MR_ENGINE_WORK_TRACE_PICK_H

#include "engine/work/session.h"

/* Zero: no such rule. */
struct mr_trace_pick_plan {
    uint64_t call_min, call_max; /* LLM calls */
    uint64_t context_max;        /* tokens of an input with its output */
    const char *model;           /* of a call of theirs; lent */
    uint64_t n_sample, seed;     /* how many, drawn at random */
    bool is_once;  /* of those whose first three calls of lane 0 have the same input and
                         output only the one with most calls is taken */
    double tick_s; /* arrivals of one time are spread evenly at random over this time after it */
};

struct mr_trace_pick_item {
    double arrival_s;
    uint64_t number, key, n_call;
    uint64_t rank; /* at random */
};

/* Zero-initialize, set plan. */
struct mr_trace_pick {
    struct mr_trace_pick_plan plan;
    struct mr_trace_pick_item *item; /* in the order of their numbers */
    size_t n, cap;
    size_t at;
};

/** Does the plan need all sessions before it can say? */
bool mr_trace_pick_is_needed(const struct mr_trace_pick_plan *plan);

/** A session of the first reading. @param[in] number ascends */
MR_CHECKED mr_status mr_trace_pick_add(struct mr_trace_pick *pick,
                                       const struct mr_session_book *book,
                                       const struct mr_session *session, uint64_t number,
                                       struct mr_err *err);

/** All have been read: choose. */
MR_CHECKED mr_status mr_trace_pick_choose(struct mr_trace_pick *pick, struct mr_err *err);

/** Is it taken? Numbers ascend between rewinds. @param[out] arrival_s of one that is, as spread */
bool mr_trace_pick_takes(struct mr_trace_pick *pick, uint64_t number, double *arrival_s);
void mr_trace_pick_rewind(struct mr_trace_pick *pick);
void mr_trace_pick_fini(struct mr_trace_pick *pick);

#endif
