/* SPDX-License-Identifier: Apache-2.0 */
/* Only where blocks may not suffice is the list walked; else the demand is one count. */
#include "engine/serve/policy_walk.h"

#include "engine/serve/policy.h"

/* Whoever the walk has not reached holds what it held after the step before. */
static mr_status restart(struct mr_instance *instance, uint32_t call, struct mr_err *err)
{
    const struct mr_call *c = mr_instance_call(instance, call);
    const uint64_t tokens =
        c->state == MR_CALL_DECODING ? mr_instance_known(instance, c) - 1 : c->n_prompt;
    return mr_instance_restart(instance, call, mr_blocks_of(&instance->blocks, tokens), true, err);
}

static mr_status walk(struct mr_instance *instance, struct mr_err *err)
{
    uint32_t call = instance->head;
    while (call != MR_CALL_NONE) {
        const struct mr_call *c = mr_instance_call(instance, call);
        if (c->state == MR_CALL_DECODING) {
            const uint64_t takes = mr_instance_takes(instance, c), least = takes > 1 ? takes : 1;
            while (instance->n_free < least && instance->tail != call)
                MR_TRY(restart(instance, instance->tail, err));
            if (instance->n_free < least)
                return restart(instance, call, err);
            instance->n_free -= takes;
        }
        call = mr_instance_link(instance, call)->next;
    }
    return MR_OK;
}

mr_status mr_policy_walk_decodes(struct mr_instance *instance, struct mr_err *err)
{
    const uint64_t demand = mr_instance_demand(instance, instance->clock, 1);
    instance->decodes = true;
    if (instance->n_free <= demand)
        return walk(instance, err);
    instance->n_free -= demand;
    return MR_OK;
}

bool mr_policy_walk_has_room(const struct mr_instance *instance, uint64_t n_free)
{
    const struct mr_call *c = mr_instance_call(instance, mr_instance_waiting(instance));
    return n_free >= mr_blocks_of(&instance->blocks, c->n_prompt) + instance->watermark;
}

uint64_t mr_policy_walk_reserve(const struct mr_instance *instance, uint32_t n_prompt,
                                uint32_t n_output)
{
    (void)n_output;
    return mr_blocks_of(&instance->blocks, n_prompt);
}
