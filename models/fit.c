/* SPDX-License-Identifier: Apache-2.0 */
/* One round: residuals r and derivatives J at x; weights w = 1 / (1 + (r / scale)^2), which make
 * steps of weighted least squares descend on the Cauchy loss s^2/2 ln(1 + (r/s)^2); solve (J'WJ + P
 * + lambda diag) dx = -(J'Wr + P (x - start)), P = 1 / doubt^2; keep the step if the cost falls,
 * with a smaller lambda, else try a larger one. */
#include "models/fit.h"

#include "engine/base/arena.h"
#include "engine/base/fmath.h"

#include <math.h>

static const double difference = 1e-4; /* of a parameter, for derivatives */

struct work {
    const struct mr_fit_problem *problem;
    double *r, *moved; /* residuals, and those with one parameter moved */
    double *slope;     /* n_param columns of n_residual */
};

static double cost_of(const struct mr_fit_problem *p, const double *r, const double *x)
{
    double cost = 0;
    for (size_t i = 0; i < p->n_residual; i++)
        cost += p->scale > 0
                    ? 0.5 * p->scale * p->scale * mr_log(1 + r[i] * r[i] / (p->scale * p->scale))
                    : 0.5 * r[i] * r[i];
    for (size_t k = 0; k < p->n_param; k++)
        if (p->param[k].doubt > 0) {
            const double z = (x[k] - p->param[k].start) / p->param[k].doubt;
            cost += 0.5 * z * z;
        }
    return cost;
}

static double clamp(const struct mr_fit_param *param, double x)
{
    return fmin(param->high, fmax(param->low, x));
}

static void slopes(const struct work *w, const double *x)
{
    const struct mr_fit_problem *p = w->problem;
    double at[MR_FIT_PARAMS];
    for (size_t k = 0; k < p->n_param; k++)
        at[k] = x[k];
    for (size_t k = 0; k < p->n_param; k++) {
        double *column = w->slope + k * p->n_residual;
        if (!(p->param[k].doubt > 0)) {
            for (size_t i = 0; i < p->n_residual; i++)
                column[i] = 0;
            continue;
        }
        /* away from the nearer bound */
        const double step = x[k] + difference <= p->param[k].high ? difference : -difference;
        at[k] = x[k] + step;
        p->residuals(p->context, at, w->moved);
        at[k] = x[k];
        for (size_t i = 0; i < p->n_residual; i++)
            column[i] = (w->moved[i] - w->r[i]) / step;
    }
}

/* Cholesky in place; a row without a positive pivot keeps its parameter. */
static void solve(size_t n, double m[MR_FIT_PARAMS][MR_FIT_PARAMS], double b[MR_FIT_PARAMS])
{
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j <= i; j++) {
            double sum = m[i][j];
            for (size_t k = 0; k < j; k++)
                sum -= m[i][k] * m[j][k];
            if (i == j)
                m[i][i] = sum > 0 ? sqrt(sum) : HUGE_VAL;
            else
                m[i][j] = sum / m[j][j];
        }
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < i; k++)
            b[i] -= m[i][k] * b[k];
        b[i] /= m[i][i];
    }
    for (size_t i = n; i-- > 0;) {
        for (size_t k = i + 1; k < n; k++)
            b[i] -= m[k][i] * b[k];
        b[i] /= m[i][i];
    }
}

static void normal_equations(const struct work *w, const double *x,
                             double m[MR_FIT_PARAMS][MR_FIT_PARAMS], double b[MR_FIT_PARAMS])
{
    const struct mr_fit_problem *p = w->problem;
    for (size_t k = 0; k < p->n_param; k++) {
        b[k] = 0;
        for (size_t j = 0; j < p->n_param; j++)
            m[k][j] = 0;
    }
    for (size_t i = 0; i < p->n_residual; i++) {
        const double z = p->scale > 0 ? w->r[i] / p->scale : 0;
        const double weight = 1 / (1 + z * z);
        for (size_t k = 0; k < p->n_param; k++) {
            const double s = weight * w->slope[k * p->n_residual + i];
            b[k] -= s * w->r[i];
            for (size_t j = 0; j <= k; j++)
                m[k][j] += s * w->slope[j * p->n_residual + i];
        }
    }
    for (size_t k = 0; k < p->n_param; k++) {
        const double doubt = p->param[k].doubt;
        const double prior = doubt > 0 ? 1 / (doubt * doubt) : 1;
        m[k][k] += prior;
        if (doubt > 0)
            b[k] -= prior * (x[k] - p->param[k].start);
    }
}

/* @return did the cost fall? */
static bool try_step(const struct work *w, double *x, double *cost, double lambda)
{
    const struct mr_fit_problem *p = w->problem;
    static const double enough = 1e-7;
    double m[MR_FIT_PARAMS][MR_FIT_PARAMS], b[MR_FIT_PARAMS], next[MR_FIT_PARAMS];
    normal_equations(w, x, m, b);
    for (size_t k = 0; k < p->n_param; k++)
        m[k][k] *= 1 + lambda;
    solve(p->n_param, m, b);
    for (size_t k = 0; k < p->n_param; k++)
        next[k] = clamp(&p->param[k], x[k] + b[k]);
    p->residuals(p->context, next, w->moved);
    const double now = cost_of(p, w->moved, next);
    if (!(now < *cost * (1 - enough)))
        return false;
    *cost = now;
    for (size_t k = 0; k < p->n_param; k++)
        x[k] = next[k];
    for (size_t i = 0; i < p->n_residual; i++)
        w->r[i] = w->moved[i];
    return true;
}

mr_status mr_fit_solve(const struct mr_fit_problem *problem, double *x,
                       struct mr_fit_report *report, struct mr_err *err)
{
    struct mr_arena arena = {0};
    const size_t n = problem->n_residual;
    const struct work w = {problem, mr_arena_zero(&arena, n, sizeof(double), err),
                           mr_arena_zero(&arena, n, sizeof(double), err),
                           mr_arena_zero(&arena, n * problem->n_param, sizeof(double), err)};
    if (w.r == NULL || w.moved == NULL || w.slope == NULL) {
        mr_arena_fini(&arena);
        return MR_NOMEM;
    }
    for (size_t k = 0; k < problem->n_param; k++)
        x[k] = clamp(&problem->param[k], problem->param[k].start);
    problem->residuals(problem->context, x, w.r);
    double cost = cost_of(problem, w.r, x), lambda = 1e-2;
    *report = (struct mr_fit_report){.cost_before = cost};
    for (int round = 0; round < problem->n_round; round++) {
        bool fell = false;
        slopes(&w, x);
        for (int i = 0; i < 8 && !fell; i++) {
            fell = try_step(&w, x, &cost, lambda);
            lambda = fell ? fmax(lambda / 5, 1e-9) : lambda * 5;
        }
        report->n_round = round + 1;
        if (!fell)
            break;
    }
    report->cost_after = cost;
    mr_arena_fini(&arena);
    return MR_OK;
}

/* The hash's bits, the lowest first, as a number below 1: its lowest says in which half it is. */
bool mr_fit_is_held_out(uint64_t hash, double frac)
{
    double place = 0, bit = 0.5;
    for (int i = 0; i < 53; i++) {
        place += (hash >> i & 1) != 0 ? bit : 0;
        bit /= 2;
    }
    return place >= 1 - frac;
}
