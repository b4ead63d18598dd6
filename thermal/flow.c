/* SPDX-License-Identifier: Apache-2.0 */
/* Flow classes and paths. A path is monotone, so the class changes by one at a time and the date
 * is the inverse of the path at the border. */
#include "thermal/flow.h"

#include "engine/base/assert.h"
#include "engine/base/fmath.h"

static const double log_ratio = 0.048790164169432003; /* ln 1.05 */

int mr_flow_class(double frac)
{
    if (!(frac > 0))
        return MR_FLOW_NONE;
    const double class = floor(mr_log(frac) / log_ratio + MR_FLOW_DESIGN + 0.5);
    return class < 1 ? MR_FLOW_NONE : class >= MR_FLOW_N ? MR_FLOW_N - 1 : (int)class;
}

double mr_flow_of_class(int class)
{
    MR_ASSERT(class >= 0 && class < MR_FLOW_N);
    return class == MR_FLOW_NONE ? 0 : mr_exp(log_ratio * (class - MR_FLOW_DESIGN));
}

double mr_flow_class_floor(int class)
{
    MR_ASSERT(class >= 0 && class <= MR_FLOW_N);
    return class == MR_FLOW_NONE ? 0 : mr_exp(log_ratio * (class - MR_FLOW_DESIGN - 0.5));
}

struct mr_flow_path mr_flow_steady(double frac)
{
    return (struct mr_flow_path){.law = MR_FLOW_STEADY, .from_frac = frac, .to_frac = frac};
}

struct mr_flow_path mr_flow_coast(double t0_s, double from_frac, double tau_s)
{
    return (struct mr_flow_path){MR_FLOW_COAST, t0_s, from_frac, 0, tau_s};
}

struct mr_flow_path mr_flow_linear(double t0_s, double from_frac, double to_frac, double tau_s)
{
    return (struct mr_flow_path){MR_FLOW_LINEAR, t0_s, from_frac, to_frac, tau_s};
}

double mr_flow_at(const struct mr_flow_path *path, double t_s)
{
    const double t = t_s - path->t0_s;
    if (path->law == MR_FLOW_STEADY)
        return path->to_frac;
    if (path->law == MR_FLOW_COAST)
        return path->from_frac / (1 + t / path->tau_s);
    const double moved = t / path->tau_s, left = path->to_frac - path->from_frac;
    return moved >= fabs(left) ? path->to_frac : path->from_frac + copysign(moved, left);
}

/* When the flow is at `border`, which lies ahead of it. */
static double date_of(const struct mr_flow_path *path, double border)
{
    if (path->law == MR_FLOW_COAST)
        return path->t0_s + path->tau_s * (path->from_frac / border - 1);
    return path->t0_s + path->tau_s * fabs(border - path->from_frac);
}

double mr_flow_next_s(const struct mr_flow_path *path, int class, int *next_class)
{
    const int last = mr_flow_class(path->to_frac);
    *next_class = class;
    if (path->law == MR_FLOW_STEADY || class == last)
        return HUGE_VAL;
    *next_class = last < class ? class - 1 : class + 1;
    return date_of(path, mr_flow_class_floor(last < class ? class : class + 1));
}
