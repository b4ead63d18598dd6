/* SPDX-License-Identifier: Apache-2.0 */
/* What a step costs: a table made from cards (models/step.h), a profile (models/profile.h), or,
 * where LPUs help, cards asked anew for every batch (models/lpx_serve.h). */
#ifndef MR_ENGINE_SERVE_PRICER_H
#define MR_ENGINE_SERVE_PRICER_H

#include "models/lpx_serve.h"
#include "models/power.h"
#include "models/profile.h"
#include "models/step.h"

struct mr_pricer {
    const struct mr_step *step; /* one of the two */
    const struct mr_profile *profile;
    const struct mr_power *power;   /* of a package; NULL: watts are not asked for */
    const struct mr_lpx_serve *lpx; /* beside the step; NULL: no LPUs */
};

/* What LPUs add to an instance: of the running segment, and joules of all that have ended. */
struct mr_pricer_lpu {
    uint64_t n_step;             /* of the leap that are alike */
    struct mr_power_leap energy; /* of all LPUs beside GPUs */
    double ended_j;
};

/** Watts of an idle package of the instance, at the die temperature its figures are told for. */
static inline double mr_pricer_idle_w(const struct mr_pricer *pricer)
{
    static const double reference_c = 60;
    return pricer->power != NULL ? mr_power_idle_w(pricer->power, reference_c) : 0;
}

/** The segment of a batch where LPUs help, as mr_pricer_leap. Instances of LPUs alone have these as
 *  their packages.
 *  @param[out] lpu its leap's length and joules */
struct mr_step_leap mr_pricer_lpx(const struct mr_pricer *pricer, const struct mr_batch *batch,
                                  double phi, double idle_w, struct mr_power_leap *energy,
                                  struct mr_pricer_lpu *lpu);

/** Duration of one step [s], without its joules: for guesses. @param[in] phi 1: the full clock */
double mr_pricer_step_s(const struct mr_pricer *pricer, const struct mr_batch *batch, double phi);

/** Of the watts beyond idling that a batch takes at full clock, those that clocks drive: bytes of
 *  memory and links have clocks of their own. With power. */
double mr_pricer_clocked_frac(const struct mr_pricer *pricer, const struct mr_batch *batch);

/** The segment of a batch that stays: T_j = a + b j. A profile knows one clock only.
 *  @param[in] idle_w of mr_pricer_idle_w, which is asked once
 *  @param[out] energy joules of one package: those of step 0 beyond idling, and how they grow from
 *  step to step. Without power, or with a profile: none */
static inline struct mr_step_leap mr_pricer_leap(const struct mr_pricer *pricer,
                                                 const struct mr_batch *batch, double phi,
                                                 double idle_w, struct mr_power_leap *energy)
{
    if (pricer->step == NULL)
        return mr_profile_leap(pricer->profile, batch);
    if (pricer->power == NULL)
        return mr_step_leap(pricer->step, batch, phi);
    *energy = (struct mr_power_leap){.idle_w = idle_w};
    if (mr_step_has_joules(pricer->step, pricer->power, phi)) {
        const struct mr_step_leap leap =
            mr_step_joules(pricer->step, batch, &energy->work_j, &energy->work_grow_j);
        energy->step_s = leap.a_s;
        energy->step_grow_s = leap.b_s;
        return leap;
    }
    struct mr_work work, growth;
    const struct mr_step_leap leap = mr_step_price(pricer->step, batch, phi, &work, &growth);
    work.busy_s = leap.a_s - work.idle_s;
    growth.busy_s = leap.b_s;
    *energy = (struct mr_power_leap){
        .idle_w = idle_w,
        .step_s = leap.a_s,
        .step_grow_s = leap.b_s,
        .work_j = mr_power_work_j(pricer->power, &work, phi),
        .work_grow_j = mr_power_work_j(pricer->power, &growth, phi),
    };
    return leap;
}

#endif
