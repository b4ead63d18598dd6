/* SPDX-License-Identifier: Apache-2.0 */
/* vLLM's engine of today: running requests in order, one token for each decode, the rest of the
 * step's tokens for the prompt being read; blocks come one by one as tokens are computed. When they
 * run out the last of the running list is preempted: it keeps its outputs and reads prompt and
 * outputs again. A step that preempts admits nobody. Admission needs room for the whole prompt.
 *
 * With a prefix cache a prompt begins behind the blocks that are cached of it. Room is asked for as
 * if none were: cached blocks lie among the free ones, unless another call has pinned them, which
 * makes the question a little too careful.
 *
 * A decode reads one token less than are known: the newest is what it computes. A reading prompt is
 * the last of the running list, for it alone left no tokens to admit others: so decodes always fit
 * (batch_max <= token_max, drafts counted) and all of them are in every step. */
#include "engine/base/assert.h"
#include "engine/serve/instance_cache.h"
#include "engine/serve/policy.h"

static uint64_t held(const struct mr_instance *instance, const struct mr_call *c)
{
    return mr_blocks_of(&instance->blocks, c->state == MR_CALL_DECODING
                                               ? mr_instance_known(instance, c) - 1
                                               : c->n_read);
}

static mr_status preempt_last(struct mr_instance *instance, struct mr_err *err)
{
    const uint32_t call = instance->tail;
    instance->is_single = true;
    return mr_instance_restart(instance, call, held(instance, mr_instance_call(instance, call)),
                               false, err);
}

/* Blocks do not suffice for all decodes: in order, until who is left can be served. */
static mr_status walk(struct mr_instance *instance, struct mr_err *err)
{
    uint32_t call = instance->head;
    while (call != MR_CALL_NONE) {
        const struct mr_call *c = mr_instance_call(instance, call);
        if (c->state != MR_CALL_DECODING)
            return MR_OK; /* the last one */
        const uint64_t takes = mr_instance_takes(instance, c);
        while (takes > instance->n_free) {
            const bool is_last = instance->tail == call;
            MR_TRY(preempt_last(instance, err));
            if (is_last)
                return MR_OK;
        }
        instance->n_free -= takes;
        call = mr_instance_call(instance, call)->next;
    }
    return MR_OK;
}

/* The piece that tokens allow, if its blocks are there; else its call, the last one, is preempted.
 */
static mr_status read_on(struct mr_instance *instance, uint64_t *tokens, struct mr_err *err)
{
    MR_ASSERT(instance->n_part <= 1);
    if (instance->n_part == 0)
        return MR_OK;
    struct mr_part *part = instance->part;
    const struct mr_call *c = mr_instance_call(instance, part->call);
    const uint64_t left = instance->serving->token_max - *tokens;
    const uint32_t rest = c->n_prompt - c->n_read;
    const uint32_t chunk = rest < left ? rest : (uint32_t)left;
    const uint64_t more = mr_blocks_of(&instance->blocks, c->n_read + chunk) -
                          mr_blocks_of(&instance->blocks, c->n_read);
    if (more > instance->n_free)
        return preempt_last(instance, err);
    instance->n_free -= more;
    part->chunk = chunk;
    *tokens += chunk;
    return MR_OK;
}

static bool has_room(const struct mr_instance *instance, uint64_t n_free)
{
    const struct mr_call *c = mr_instance_call(instance, mr_instance_waiting(instance));
    return instance->n_run < instance->serving->batch_max &&
           n_free >= mr_blocks_of(&instance->blocks, c->n_prompt);
}

static bool admits(const struct mr_instance *instance, uint64_t n_free)
{
    uint64_t tokens = mr_instance_decode_tokens(instance);
    for (size_t i = 0; i < instance->n_part; i++)
        tokens += instance->part[i].chunk;
    return tokens < instance->serving->token_max && has_room(instance, n_free);
}

static mr_status form(struct mr_instance *instance, struct mr_err *err)
{
    const uint64_t demand = mr_instance_demand(instance, instance->clock, 1);
    instance->decodes = true;
    if (demand <= instance->n_free)
        instance->n_free -= demand;
    else
        MR_TRY(walk(instance, err));
    uint64_t tokens = mr_instance_decode_tokens(instance);
    MR_TRY(read_on(instance, &tokens, err));
    while (!instance->is_single && mr_instance_has_prompt(instance) &&
           tokens < instance->serving->token_max && has_room(instance, instance->n_free)) {
        struct mr_call *c = mr_instance_call(instance, mr_instance_waiting(instance));
        mr_instance_cache_yield(instance);
        MR_TRY(mr_instance_cache_take(instance, c, err));
        const uint64_t left = instance->serving->token_max - tokens;
        const uint32_t rest = c->n_prompt - c->n_read;
        const uint32_t chunk = rest < left ? rest : (uint32_t)left;
        instance->n_free -= mr_blocks_of(&instance->blocks, c->n_read + chunk) -
                            mr_blocks_of(&instance->blocks, c->n_read);
        MR_TRY(mr_instance_admit(instance, chunk, err));
        tokens += chunk;
    }
    return MR_OK;
}

static uint64_t reserve(const struct mr_instance *instance, uint32_t n_prompt, uint32_t n_output)
{
    (void)n_output;
    return mr_blocks_of(&instance->blocks, n_prompt);
}

const struct mr_policy mr_policy_vllm1 = {
    .name = "vllm1",
    .doc = "chunked prefill as vLLM does it today",
    .form = form,
    .admits = admits,
    .reserve = reserve,
    .takes_blocks = true,
    .reads_in_pieces = true,
    .n_unread = 1,
};
