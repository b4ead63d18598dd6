/* SPDX-License-Identifier: Apache-2.0 */
/* Instances that are alike: from the cards a deployment names to how they serve and what they draw.
 */
#ifndef MR_ENGINE_TWIN_POOL_H
#define MR_ENGINE_TWIN_POOL_H

#include "engine/base/shelf.h"
#include "engine/serve/instance.h"
#include "engine/serve/onboard.h"
#include "engine/serve/split.h"
#include "engine/twin/pool_lpx.h"
#include "engine/twin/scenario.h"

/* Points into itself: must not move while it is open. */
struct mr_pool {
    struct mr_step_setup setup;
    struct mr_step *step;       /* NULL with a profile */
    struct mr_profile *profile; /* NULL without */
    struct mr_power power;      /* of a package; not with a profile */
    const char *card;           /* of the packages */
    struct mr_pool_lpx lpx;
    struct mr_onboard_plan onboard; /* no levels: none */
    struct mr_serving serving;
};

/** @param[in] element of the deployment, for messages @param[in] shelf lives as long
 *  @param[out] pool mr_pool_close, also after errors */
MR_CHECKED mr_status mr_pool_open(struct mr_shelf *shelf, const struct mr_scenario *scenario,
                                  const struct mr_scenario_deployment *deployment,
                                  const char *element, struct mr_pool *pool, struct mr_diags *diags,
                                  struct mr_err *err);
void mr_pool_close(struct mr_pool *pool);

/** Packages of one instance. */
double mr_pool_packages(const struct mr_pool *pool);

/** Watts of a package beyond idling, at its lowest clock and in whichever batch draws most then: no
 *  cap that is lower can be kept by clocks. Not with a profile.
 *  @param[in] decodes false: its instances read prompts only
 *  @param[in] context_tok mean of the calls; INFINITY: any that fits */
double mr_pool_slow_w(const struct mr_pool *pool, bool decodes, double context_tok);

/** How a prefill pool and the deployment's work together. Both are open.
 *  @param[out] plan checked; lends the serving of `prefill` */
MR_CHECKED mr_status mr_pool_split(const struct mr_scenario *scenario,
                                   const struct mr_pool *prefill, const struct mr_pool *decode,
                                   struct mr_split_plan *plan, struct mr_err *err);

#endif
