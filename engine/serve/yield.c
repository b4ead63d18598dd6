/* SPDX-License-Identifier: Apache-2.0 */
/* The running list is walked only where somebody waits for those who yield. */
#include "engine/serve/yield.h"

#include "engine/serve/policy.h"

#include <math.h>

static const struct mr_call *head_of(const struct mr_instance *instance)
{
    return mr_instance_call(instance, mr_instance_waiting(instance));
}

/* Blocks that stopping a call makes free, as far as nobody shares them. */
static uint64_t gives(const struct mr_instance *instance, const struct mr_call *c, bool is_formed)
{
    const struct mr_blocks *blocks = &instance->blocks;
    if (c->state == MR_CALL_LOADING)
        return mr_blocks_of(blocks, c->n_prompt);
    if (c->state != MR_CALL_DECODING)
        return mr_blocks_of(blocks, c->n_read);
    return mr_blocks_of(blocks, mr_instance_known(instance, c) - 1) +
           (is_formed ? mr_instance_takes(instance, c) : 0);
}

/* May this one be stopped now? */
static bool is_one(const struct mr_call *c, bool stays_reading)
{
    return c->yields && !(stays_reading && c->state == MR_CALL_READING);
}

static bool has_room(const struct mr_instance *instance, uint64_t n_block)
{
    return instance->n_run < instance->serving->batch_max && instance->n_free >= n_block;
}

static bool suffices(const struct mr_instance *instance, uint64_t n_block, bool is_formed,
                     bool stays_reading)
{
    uint64_t n_free = instance->n_free;
    uint32_t n = 0;
    for (uint32_t i = instance->head; i != MR_CALL_NONE; i = mr_instance_link(instance, i)->next) {
        const struct mr_call *c = mr_instance_call(instance, i);
        if (!is_one(c, stays_reading))
            continue;
        n_free += gives(instance, c, is_formed);
        n++;
    }
    return instance->n_run - n < instance->serving->batch_max && n_free >= n_block;
}

static mr_status stop(struct mr_instance *instance, uint32_t call, bool is_formed,
                      struct mr_err *err)
{
    const struct mr_call *c = mr_instance_call(instance, call);
    const bool is_decoding = c->state == MR_CALL_DECODING;
    const uint64_t taken = is_decoding && is_formed ? mr_instance_takes(instance, c) : 0;
    const uint64_t tokens = is_decoding ? mr_instance_known(instance, c) - 1 : c->n_read;
    MR_TRY(
        mr_instance_restart(instance, call, mr_blocks_of(&instance->blocks, tokens), false, err));
    instance->n_free += taken;
    return MR_OK;
}

/* Would steps of all that decode and read, with the head of the queue, be short enough? */
static bool is_short(const struct mr_instance *instance)
{
    const struct mr_serving *serving = instance->serving;
    if (serving->yield_step_s == 0)
        return true;
    struct mr_batch batch = {.n_decode = (double)instance->finish.n + (double)instance->n_part + 1,
                             .kv_tokens = (double)instance->kv_tokens +
                                          (1 + serving->accept.extra) * (double)instance->kv_steps +
                                          head_of(instance)->n_prompt};
    for (size_t i = 0; i < instance->n_part; i++)
        batch.kv_tokens += mr_instance_call(instance, instance->part[i].call)->n_prompt;
    if (serving->window_tokens > 0)
        batch.window_kv_tokens =
            fmin(batch.kv_tokens, batch.n_decode * (double)serving->window_tokens);
    return mr_pricer_step_s(&serving->pricer, &batch, instance->phi) <= serving->yield_step_s;
}

bool mr_yield_has_time(const struct mr_instance *instance)
{
    return !head_of(instance)->yields || instance->n_run == instance->n_yield || is_short(instance);
}

mr_status mr_yield_make_room(struct mr_instance *instance, uint64_t n_block, bool is_formed,
                             struct mr_err *err)
{
    if (!mr_yield_may(instance) || (has_room(instance, n_block) && is_short(instance)) ||
        !suffices(instance, n_block, is_formed, is_formed))
        return MR_OK;
    uint32_t call = instance->tail;
    while (call != MR_CALL_NONE && !(has_room(instance, n_block) && is_short(instance))) {
        const uint32_t before = mr_instance_link(instance, call)->previous;
        if (is_one(mr_instance_call(instance, call), is_formed))
            MR_TRY(stop(instance, call, is_formed, err));
        call = before;
    }
    return MR_OK;
}

mr_status mr_yield_stop_reading(struct mr_instance *instance, uint64_t n_block, struct mr_err *err)
{
    if (instance->n_part == 0 || !mr_yield_may(instance))
        return MR_OK;
    const uint32_t call = instance->part->call;
    const struct mr_call *c = mr_instance_call(instance, call);
    const uint32_t most = mr_yield_tokens(instance, c, mr_instance_decode_tokens(instance));
    if (!c->yields || c->n_prompt - c->n_read < most || !suffices(instance, n_block, true, false))
        return MR_OK;
    return stop(instance, call, true, err);
}
