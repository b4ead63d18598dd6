/* SPDX-License-Identifier: Apache-2.0 */
/* The condition for joining is monotone within a segment, as that for prompts: n_free - demand is
 * what the step at this clock leaves free, which only falls while nobody ends, and slots do not
 * come free. So a head that cannot join at one boundary cannot at a later one of the same segment.
 */
#include "engine/serve/handover.h"

#include "engine/base/assert.h"
#include "engine/serve/instance_cache.h"
#include "engine/serve/policy.h"
#include "engine/serve/yield.h"

/* ---- leaving ---- */

void mr_handover_leave(struct mr_instance *instance, uint32_t call)
{
    mr_instance_unlink(instance, call);
    mr_instance_call(instance, call)->state = MR_CALL_LEFT;
    instance->n_left++;
}

/* What is free now, of which the segment knows only what its first step has taken. */
uint64_t mr_handover_free(const struct mr_instance *instance, double now_s)
{
    const struct mr_segment *segment = &instance->segment;
    const struct mr_policy *policy = instance->serving->policy;
    uint64_t n_free = instance->n_free;
    if (segment->n_step < 2 || instance->is_starting)
        return n_free;
    /* a boundary of this instant has not been played yet */
    uint64_t k = mr_segment_ended(segment, now_s - MR_SEGMENT_TIE_S);
    k = k < segment->n_step ? k : segment->n_step - 1;
    if (policy->takes_blocks && instance->decodes)
        n_free -= mr_instance_demand(instance, instance->clock + 1, k);
    if (policy->reads_in_pieces && instance->n_part > 0) {
        const struct mr_part *part = instance->part;
        const uint64_t read = mr_instance_call(instance, part->call)->n_read + part->chunk;
        n_free -= mr_blocks_of(&instance->blocks, read + part->chunk * k) -
                  mr_blocks_of(&instance->blocks, read);
    }
    return n_free;
}

void mr_handover_settle(struct mr_instance *instance, double now_s)
{
    if (!instance->serving->has_cache)
        return;
    const uint64_t n_free = mr_handover_free(instance, now_s);
    if (mr_cache_evictable(&instance->cache) > n_free)
        (void)mr_cache_limit(&instance->cache, (uint32_t)(instance->cache.n_pinned + n_free));
}

mr_status mr_handover_give_back(struct mr_instance *instance, uint32_t call, double now_s,
                                struct mr_err *err)
{
    struct mr_call *c = mr_instance_call(instance, call);
    mr_handover_settle(instance, now_s);
    return mr_instance_free_blocks(instance, c, c->n_prompt, err);
}

mr_status mr_handover_release(struct mr_instance *instance, uint32_t call, double now_s,
                              struct mr_err *err)
{
    struct mr_call *c = mr_instance_call(instance, call);
    MR_ASSERT(c->state == MR_CALL_LEFT && instance->n_left > 0);
    MR_TRY(mr_handover_give_back(instance, call, now_s, err));
    instance->n_left--;
    mr_instance_reconsider(instance, now_s);
    return MR_OK;
}

/* ---- coming ---- */

mr_status mr_handover_arrive(struct mr_instance *instance, uint32_t call, double now_s,
                             struct mr_err *err)
{
    struct mr_call *c = mr_instance_call(instance, call);
    MR_ASSERT(c->n_output > 1); /* else its first token was its last */
    c->leaves = false;
    c->is_computed = true;
    instance->is_joined = true;
    return mr_instance_arrive(instance, call, now_s, err);
}

uint64_t mr_handover_found(struct mr_instance *instance, const struct mr_call *call, double now_s)
{
    if (!instance->serving->has_cache)
        return 0;
    mr_handover_settle(instance, now_s);
    return mr_instance_cache_found(instance, call);
}

/* ---- joining ---- */

/* Blocks that the head asks for before it joins the step at a clock: not what just this step makes,
 * which may be less in the next one. */
static uint64_t wants(const struct mr_instance *instance, uint64_t clock)
{
    const struct mr_policy *policy = instance->serving->policy;
    const struct mr_call *c = mr_instance_call(instance, mr_instance_waiting(instance));
    const uint32_t most = mr_accept_most(&instance->serving->accept);
    const uint64_t kept =
        instance->watermark > policy->spare_blocks ? instance->watermark : policy->spare_blocks;
    if (!policy->takes_blocks)
        return policy->reserve(instance, c->n_prompt, c->n_output);
    return mr_instance_demand(instance, clock, 1) +
           mr_blocks_of(&instance->blocks, (uint64_t)c->n_prompt + most) + kept;
}

bool mr_handover_joins(const struct mr_instance *instance, uint64_t n_free, uint64_t clock)
{
    return instance->n_run < instance->serving->batch_max && n_free >= wants(instance, clock);
}

/* Prompts being read stand last in some policies' running list, and stay there. */
static void put_in_line(struct mr_instance *instance, uint32_t call)
{
    uint32_t after = instance->tail;
    while (after != MR_CALL_NONE && mr_instance_call(instance, after)->state == MR_CALL_READING)
        after = mr_instance_link(instance, after)->previous;
    mr_instance_link_after(instance, call, after);
}

static mr_status join(struct mr_instance *instance, struct mr_err *err)
{
    const uint32_t call = mr_instance_next(instance);
    struct mr_call *c = mr_instance_call(instance, call);
    uint64_t n_block = instance->serving->policy->reserve(instance, c->n_prompt, c->n_output);
    mr_instance_cache_yield(instance);
    MR_TRY(mr_instance_cache_take(instance, c, err));
    n_block -= mr_instance_cache_held(instance, c);
    instance->n_free -= n_block;
    c->n_read = c->n_prompt;
    c->is_computed = false;
    put_in_line(instance, call);
    return mr_instance_decode(instance, call, err);
}

mr_status mr_handover_join(struct mr_instance *instance, struct mr_err *err)
{
    while (instance->is_joined && instance->queue.n > 0 && !mr_instance_has_prompt(instance)) {
        MR_TRY(mr_yield_make_room(instance, wants(instance, instance->clock), false, err));
        if (!mr_handover_joins(instance, instance->n_free, instance->clock) ||
            !mr_yield_has_time(instance))
            return MR_OK;
        MR_TRY(join(instance, err));
    }
    return MR_OK;
}

bool mr_handover_joins_next(const struct mr_instance *instance)
{
    return instance->is_joined && instance->queue.n > 0 && !mr_instance_has_prompt(instance) &&
           mr_handover_joins(instance, instance->n_free,
                             instance->clock + (instance->decodes ? 1 : 0));
}
