/* SPDX-License-Identifier: Apache-2.0 */
/* Policies whose calls reserve all their blocks when they begin, so that nothing is ever restarted:
 * orca admits at every step, static only when all of the batch before have ended. Whole prompts,
 * mixed with decodes. */
#include "engine/serve/policy.h"

static bool has_room(const struct mr_instance *instance, uint64_t n_free)
{
    const struct mr_call *c = mr_instance_call(instance, mr_instance_waiting(instance));
    return instance->n_run < instance->serving->batch_max &&
           n_free >= instance->serving->policy->reserve(instance, c->n_prompt, c->n_output);
}

static mr_status admit_all(struct mr_instance *instance, struct mr_err *err)
{
    while (mr_instance_has_prompt(instance) && has_room(instance, instance->n_free)) {
        const struct mr_call *c = mr_instance_call(instance, mr_instance_waiting(instance));
        instance->n_free -= instance->serving->policy->reserve(instance, c->n_prompt, c->n_output);
        MR_TRY(mr_instance_admit(instance, c->n_prompt, err));
    }
    return MR_OK;
}

static mr_status form_orca(struct mr_instance *instance, struct mr_err *err)
{
    instance->decodes = true;
    return admit_all(instance, err);
}

/* The longest context there may be, whatever the call is going to need. */
static uint64_t reserve_longest(const struct mr_instance *instance, uint32_t n_prompt,
                                uint32_t n_output)
{
    const uint64_t needed = (uint64_t)n_prompt + n_output, most = instance->serving->context_max;
    return mr_blocks_of(&instance->blocks, needed > most ? needed : most);
}

static bool admits_static(const struct mr_instance *instance, uint64_t n_free)
{
    (void)instance, (void)n_free;
    return false; /* a step that runs has somebody in it */
}

static mr_status form_static(struct mr_instance *instance, struct mr_err *err)
{
    instance->decodes = true;
    return instance->n_run == 0 ? admit_all(instance, err) : MR_OK;
}

static uint64_t reserve_own(const struct mr_instance *instance, uint32_t n_prompt,
                            uint32_t n_output)
{
    return mr_blocks_of(&instance->blocks, (uint64_t)n_prompt + n_output);
}

const struct mr_policy mr_policy_orca = {
    .name = "orca",
    .doc = "every step may begin whole prompts; the longest context is reserved",
    .form = form_orca,
    .admits = has_room,
    .reserve = reserve_longest,
};

const struct mr_policy mr_policy_static = {
    .name = "static",
    .doc = "a batch runs until all of it have ended",
    .form = form_static,
    .admits = admits_static,
    .reserve = reserve_own,
};
