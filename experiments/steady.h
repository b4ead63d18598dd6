/* SPDX-License-Identifier: Apache-2.0 */
/* Promises judged by the calls of one run, one by one, after a warm-up: an empty site flatters its
 * first calls. Every promise is a share of calls that must be within a limit, so that it is known
 * how far chance alone may move it. Calls that were under way at the end count as missed when their
 * first token is late already, else they are not judged. */
#ifndef MR_EXPERIMENTS_STEADY_H
#define MR_EXPERIMENTS_STEADY_H

#include "experiments/sla.h"

/* A tier's objectives. */
struct mr_steady_goal {
    const char *tier;
    double ttft_s, tpot_s; /* 0: none */
};

/* The promise that is broken, or else is nearest to it. */
struct mr_steady_verdict {
    bool is_kept, is_sure; /* sure: share and wanted are further apart than chance moves them */
    size_t n_call;         /* that were judged */
    double share, half95, wanted_frac;
    char what[120]; /* "tier all: within objectives" */
};

/** @param[in] path calls of a run as --requests writes them @param[in] from_s end of the warm-up
 *  @param[in] met_frac what tiers owe that `sla` does not name */
MR_CHECKED mr_status mr_steady_judge(const char *path, double from_s,
                                     const struct mr_steady_goal *goal, size_t n_goal,
                                     const struct mr_sla *sla, double met_frac,
                                     struct mr_steady_verdict *out, struct mr_err *err);

#endif
