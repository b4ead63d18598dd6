/* SPDX-License-Identifier: Apache-2.0 */
/* Bounds of a segment: the first of a finish, the end of a prompt, blocks that may run out, a
 * context that reaches the sliding window, a kink of prices with LPUs. */
#include "engine/serve/instance_segment.h"

#include "engine/serve/policy.h"

static uint32_t n_decode(const struct mr_instance *instance)
{
    return instance->finish.n;
}

static void add_decodes(const struct mr_instance *instance, struct mr_batch *batch)
{
    const struct mr_serving *serving = instance->serving;
    const uint64_t n = n_decode(instance);
    batch->n_decode = (double)n;
    batch->kv_tokens =
        (double)(instance->kv_tokens + instance->kv_steps - serving->policy->n_unread * n) +
        serving->accept.extra * (double)instance->kv_steps;
    batch->window_kv_tokens = mr_sliding_sum(&instance->window);
    batch->n_growing = (double)instance->window.n_growing;
}

static void add_part(const struct mr_instance *instance, struct mr_part part,
                     struct mr_batch *batch)
{
    const struct mr_call *c = mr_instance_call(instance, part.call);
    const double chunk = part.chunk, before = c->n_read;
    batch->chunk_tokens += chunk;
    batch->chunk_pairs += chunk * (before + chunk / 2);
    if (instance->serving->window_tokens > 0)
        batch->chunk_window_pairs +=
            mr_step_window_pairs(before, chunk, (double)instance->serving->window_tokens);
    batch->chunk_kv_tokens += before + chunk;
    batch->n_prompt_end += c->n_read + part.chunk == c->n_prompt;
}

void mr_instance_segment_price(struct mr_instance *instance, double now_s)
{
    const struct mr_serving *serving = instance->serving;
    struct mr_batch *batch = &instance->batch;
    *batch = (struct mr_batch){0};
    if (instance->decodes && n_decode(instance) > 0)
        add_decodes(instance, batch);
    for (size_t i = 0; i < instance->n_part; i++)
        add_part(instance, instance->part[i], batch);
    const struct mr_step_leap leap =
        serving->pricer.lpx != NULL
            ? mr_pricer_lpx(&serving->pricer, batch, instance->phi, instance->idle_w,
                            &instance->energy, &instance->lpu)
            : mr_pricer_leap(&serving->pricer, batch, instance->phi, instance->idle_w,
                             &instance->energy);
    instance->done_frac = 0;
    instance->early_s = instance->early_j = 0;
    instance->segment = (struct mr_segment){
        .start_s = now_s, .first_s = leap.a_s, .a_s = leap.a_s, .b_s = leap.b_s, .n_step = 1};
}

/* Steps until the one prompt of the batch, read in pieces of the same size, has its last piece. */
static uint64_t steps_of_prompt(const struct mr_instance *instance)
{
    const struct mr_part *part = instance->part;
    const struct mr_call *c = mr_instance_call(instance, part->call);
    if (instance->n_part > 1 || part->chunk == 0)
        return 1;
    /* pieces below the window are not alike */
    if (c->n_read < instance->serving->window_tokens)
        return 1;
    /* a piece that is not the last one fills the step: nobody can join */
    const uint64_t pieces = (c->n_prompt - c->n_read - 1) / part->chunk;
    return pieces > 1 ? pieces : 1;
}

/* Of n steps after the first, those that leave what the policy wants to have free. */
static uint64_t safe_steps(const struct mr_instance *instance, uint64_t n)
{
    const uint64_t clock = instance->clock + 1, from = mr_instance_made(instance, clock);
    const uint64_t most = mr_instance_made(instance, clock + n) - from;
    const uint64_t n_token = mr_blocks_safe(&instance->blocks, from, most, instance->n_free,
                                            instance->serving->policy->spare_blocks);
    return mr_accept_within(&instance->serving->accept, clock, n, n_token);
}

/* Durations with LPUs have kinks: a segment ends at the first. */
uint64_t mr_instance_segment_within(const struct mr_instance *instance, uint64_t n)
{
    const bool has_kinks = instance->serving->pricer.lpx != NULL;
    return has_kinks && n > instance->lpu.n_step ? instance->lpu.n_step : n;
}

void mr_instance_segment_choose(struct mr_instance *instance)
{
    const struct mr_policy *policy = instance->serving->policy;
    uint64_t n = UINT64_MAX;
    instance->segment.n_step = 1;
    if (instance->serving->steps_singly || instance->is_single)
        return;
    if (instance->n_part > 0) {
        n = steps_of_prompt(instance);
        if (n == 1)
            return;
        if (policy->reads_in_pieces) { /* one block more than its pieces fill, at most, each */
            const struct mr_blocks *blocks = &instance->blocks;
            const uint32_t most = mr_accept_most(&instance->serving->accept);
            const uint64_t per_step = mr_blocks_of(blocks, instance->part->chunk) + 1 +
                                      mr_blocks_of(blocks, most) * n_decode(instance);
            const uint64_t fit = instance->n_free / per_step;
            n = n < fit + 1 ? n : fit + 1;
            if (n == 1)
                return;
        }
    }
    if (instance->decodes && n_decode(instance) > 0) {
        const uint64_t left = mr_heap_key_finish(mr_heap_top(&instance->finish)) -
                              (instance->clock - instance->clock_base);
        n = n < left ? n : left;
        if (instance->window.n_growing > 0) {
            const uint64_t grow =
                mr_sliding_left(&instance->window, instance->calls->call,
                                (uint32_t)(instance->clock - instance->clock_base));
            n = n < grow ? n : grow;
        }
        if (policy->takes_blocks && n > 1)
            n = 1 + safe_steps(instance, n - 1);
    }
    instance->segment.n_step = mr_instance_segment_within(instance, n);
}
