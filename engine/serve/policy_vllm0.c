/* SPDX-License-Identifier: Apache-2.0 */
/* Prefill first, as in vLLM before its version 1: as long as prompts can be admitted a step reads
 * whole prompts and nothing else; padded to the longest they must fit the step's tokens. Otherwise
 * all decode, in the order of arrival. */
#include "engine/serve/policy.h"
#include "engine/serve/policy_walk.h"

/* The running list is kept in the order of arrival; calls come nearly in that order. */
static void sort_last(struct mr_instance *instance)
{
    const uint32_t call = instance->tail;
    const double arrived_s = mr_instance_call(instance, call)->arrived_s;
    uint32_t after = mr_instance_link(instance, call)->previous;
    if (after == MR_CALL_NONE || mr_instance_call(instance, after)->arrived_s <= arrived_s)
        return;
    while (after != MR_CALL_NONE && mr_instance_call(instance, after)->arrived_s > arrived_s)
        after = mr_instance_link(instance, after)->previous;
    mr_instance_unlink(instance, call);
    mr_instance_link_after(instance, call, after);
}

static bool fits(const struct mr_instance *instance, uint64_t longest)
{
    return (instance->n_part + 1) * longest <= instance->serving->token_max;
}

static bool admits(const struct mr_instance *instance, uint64_t n_free)
{
    return instance->n_run < instance->serving->batch_max &&
           mr_policy_walk_has_room(instance, n_free);
}

static mr_status form(struct mr_instance *instance, struct mr_err *err)
{
    uint64_t longest = 0;
    while (mr_instance_has_prompt(instance) && admits(instance, instance->n_free)) {
        const struct mr_call *c = mr_instance_call(instance, mr_instance_waiting(instance));
        longest = c->n_prompt > longest ? c->n_prompt : longest;
        if (!fits(instance, longest))
            break;
        instance->n_free -= mr_blocks_of(&instance->blocks, c->n_prompt);
        MR_TRY(mr_instance_admit(instance, c->n_prompt, err));
        sort_last(instance);
    }
    instance->decodes = false;
    if (instance->n_part > 0)
        return MR_OK;
    /* who is restarted may find room in the next step already */
    const uint64_t n_restart = instance->n_restart;
    MR_TRY(mr_policy_walk_decodes(instance, err));
    instance->is_single = instance->n_restart > n_restart;
    return MR_OK;
}

const struct mr_policy mr_policy_vllm0 = {
    .name = "vllm0",
    .doc = "whole prompts first, then decodes",
    .form = form,
    .admits = admits,
    .reserve = mr_policy_walk_reserve,
    .takes_blocks = true,
    .reads_whole = true,
    .spare_blocks = 1,
};
