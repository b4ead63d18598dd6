/* SPDX-License-Identifier: Apache-2.0 */
/* What a step costs: a table made from cards (models/step.h), or a profile (models/profile.h). */
#ifndef MR_ENGINE_SERVE_PRICER_H
#define MR_ENGINE_SERVE_PRICER_H

#include "models/power.h"
#include "models/profile.h"
#include "models/step.h"

struct mr_pricer {
    const struct mr_step *step; /* one of the two */
    const struct mr_profile *profile;
    const struct mr_power *power; /* of a package; NULL: watts are not asked for */
};

/** The segment of a batch that stays: T_j = a + b j. A profile knows one clock only. */
static inline struct mr_step_leap mr_pricer_leap(const struct mr_pricer *pricer,
                                                 const struct mr_batch *batch, double phi)
{
    return pricer->step != NULL ? mr_step_leap(pricer->step, batch, phi)
                                : mr_profile_leap(pricer->profile, batch);
}

/** Joules of one package over the steps of a segment: those of step 0 beyond idling, and how they
 *  grow from step to step. Without power, or with a profile: none. */
static inline struct mr_power_leap mr_pricer_energy(const struct mr_pricer *pricer,
                                                    const struct mr_batch *batch,
                                                    struct mr_step_leap leap, double phi)
{
    static const double reference_c = 60;
    struct mr_work work, growth;
    if (pricer->power == NULL || pricer->step == NULL)
        return (struct mr_power_leap){0};
    mr_step_work(pricer->step, batch, &work);
    work.busy_s = leap.a_s - work.idle_s;
    mr_step_work_growth(pricer->step, batch, &growth);
    growth.busy_s = leap.b_s;
    return (struct mr_power_leap){
        .idle_w = mr_power_idle_w(pricer->power, reference_c),
        .step_s = leap.a_s,
        .step_grow_s = leap.b_s,
        .work_j = mr_power_work_j(pricer->power, &work, phi),
        .work_grow_j = mr_power_work_j(pricer->power, &growth, phi),
    };
}

#endif
