/* SPDX-License-Identifier: Apache-2.0 */
/* What a step costs: a table made from cards (models/step.h), or a profile (models/profile.h). */
#ifndef MR_ENGINE_SERVE_PRICER_H
#define MR_ENGINE_SERVE_PRICER_H

#include "models/profile.h"
#include "models/step.h"

struct mr_pricer {
    const struct mr_step *step; /* one of the two */
    const struct mr_profile *profile;
};

/** The segment of a batch that stays: T_j = a + b j. A profile knows one clock only. */
static inline struct mr_step_leap mr_pricer_leap(const struct mr_pricer *pricer,
                                                 const struct mr_batch *batch, double phi)
{
    return pricer->step != NULL ? mr_step_leap(pricer->step, batch, phi)
                                : mr_profile_leap(pricer->profile, batch);
}

#endif
