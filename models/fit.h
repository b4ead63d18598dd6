/* SPDX-License-Identifier: Apache-2.0 */
/* Robust least squares with priors, for a few dozen parameters at most: Levenberg-Marquardt over
 * numeric derivatives, residuals weighed down beyond a scale (Cauchy), and every parameter drawn to
 * where it started with a strength of its own. Deterministic. */
#ifndef MR_MODELS_FIT_H
#define MR_MODELS_FIT_H

#include "engine/base/status.h"

#include <stdint.h>

enum {
    MR_FIT_PARAMS = 32
};

struct mr_fit_param {
    double start, low, high; /* in the space the residuals take them in */
    double doubt;            /* standard deviation of the prior around start; 0: fixed */
};

struct mr_fit_problem {
    size_t n_param, n_residual;
    struct mr_fit_param param[MR_FIT_PARAMS];
    double scale; /* residuals far beyond it count little; 0: plain least squares */
    int n_round;  /* most iterations */
    void *context;
    /* Fill n_residual values, in units of one standard deviation. */
    void (*residuals)(void *context, const double *x, double *residual);
};

struct mr_fit_report {
    double cost_before, cost_after; /* half the sum of weighed squares, priors included */
    int n_round;
};

/** @param[out] x the best parameters @return MR_OK or MR_NOMEM */
MR_CHECKED mr_status mr_fit_solve(const struct mr_fit_problem *problem, double *x,
                                  struct mr_fit_report *report, struct mr_err *err);

/** Whether a fit does not see what has that hash. What a smaller share holds out a larger one does,
 *  too; half of all are those with an odd hash. @param[in] frac 0: nothing */
bool mr_fit_is_held_out(uint64_t hash, double frac);

#endif
