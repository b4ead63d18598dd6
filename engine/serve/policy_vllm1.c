/* SPDX-License-Identifier: Apache-2.0 */
/* vLLM's engine of today: running requests in order, one token for each decode, the rest of the
 * step's tokens for the prompt being read; blocks come one by one as tokens are computed. When they
 * run out the last of the running list is preempted: it keeps its outputs and reads prompt and
 * outputs again; or the one of the last rank and level that came latest, which the walk may have
 * passed. A step that preempts admits nobody. Admission needs room for the whole prompt.
 *
 * With a prefix cache a prompt begins behind the blocks that are cached of it. Room is asked for as
 * if none were: cached blocks lie among the free ones, unless another call has pinned them, which
 * makes the question a little too careful. What is faster to load from memories below is loaded
 * first, and its call waits for it in the running list, in no step.
 *
 * A decode reads one token less than are known: the newest is what it computes. A reading prompt is
 * the last of the running list, for it alone left no tokens to admit others: so decodes always fit
 * (batch_max <= token_max, drafts counted) and all of them are in every step. */
#include "engine/base/assert.h"
#include "engine/serve/instance_cache.h"
#include "engine/serve/onboard.h"
#include "engine/serve/policy.h"
#include "engine/serve/yield.h"

static uint64_t held(const struct mr_instance *instance, const struct mr_call *c)
{
    return mr_blocks_of(&instance->blocks, c->state == MR_CALL_DECODING
                                               ? mr_instance_known(instance, c) - 1
                                               : c->n_read);
}

/* Of the step being formed. */
static uint64_t takes_of(const struct mr_instance *instance, const struct mr_call *c)
{
    return c->state == MR_CALL_DECODING ? mr_instance_takes(instance, c) : 0;
}

/* By rank, then by level, then by arrival. */
static bool is_next(const struct mr_call *c, const struct mr_call *than)
{
    const int lower = mr_call_level(than) - mr_call_level(c);
    if (c->rank != than->rank || lower != 0)
        return c->rank > than->rank || (c->rank == than->rank && lower > 0);
    return c->arrived_s >= than->arrived_s;
}

/* Whom to preempt when `call` needs blocks: background work first (yield.h). Does it stand before
 * `call`, with its blocks taken? */
static uint32_t victim(const struct mr_instance *instance, uint32_t call, bool *is_before)
{
    uint32_t worst = instance->tail;
    bool has_passed = false;
    *is_before = false;
    if (!instance->serving->preempts_lowest && instance->n_yield == 0)
        return worst;
    worst = instance->head;
    for (uint32_t i = worst; i != MR_CALL_NONE; i = mr_instance_link(instance, i)->next) {
        const struct mr_call *c = mr_instance_call(instance, i);
        const struct mr_call *w = mr_instance_call(instance, worst);
        has_passed |= i == call;
        if (!instance->serving->preempts_lowest ? c->yields || !w->yields : is_next(c, w)) {
            worst = i;
            *is_before = !has_passed;
        }
    }
    return worst;
}

/* @param[out] is_itself it was `call` */
static mr_status preempt(struct mr_instance *instance, uint32_t call, bool *is_itself,
                         struct mr_err *err)
{
    bool is_before;
    const uint32_t v = victim(instance, call, &is_before);
    const struct mr_call *c = mr_instance_call(instance, v);
    const uint64_t taken = is_before ? takes_of(instance, c) : 0;
    *is_itself = v == call;
    instance->is_single = true;
    MR_TRY(mr_instance_restart(instance, v, held(instance, c), false, err));
    instance->n_free += taken;
    return MR_OK;
}

/* Blocks do not suffice for all decodes: in order, until who is left can be served. Who is its own
 * victim leaves the others to be served: the engine would let them wait for the next step. */
static mr_status walk(struct mr_instance *instance, struct mr_err *err)
{
    uint32_t call = instance->head;
    while (call != MR_CALL_NONE) {
        const struct mr_call *c = mr_instance_call(instance, call);
        if (c->state == MR_CALL_READING)
            return MR_OK; /* the last one */
        const uint64_t takes = takes_of(instance, c);
        bool is_itself = false;
        uint32_t next = mr_instance_link(instance, call)->next;
        while (takes > instance->n_free && !is_itself) {
            MR_TRY(preempt(instance, call, &is_itself, err));
            next = is_itself ? next : mr_instance_link(instance, call)->next;
        }
        instance->n_free -= is_itself ? 0 : takes;
        call = next;
    }
    return MR_OK;
}

/* Of a prompt in a step that has so many tokens already. */
static uint32_t piece(const struct mr_instance *instance, const struct mr_call *c, uint64_t tokens)
{
    const uint32_t rest = c->n_prompt - c->n_read, most = mr_yield_tokens(instance, c, tokens);
    return rest < most ? rest : most;
}

/* Nobody reads behind a prompt that goes on in the next step. */
static bool is_through(const struct mr_instance *instance)
{
    if (instance->n_part == 0)
        return true;
    const struct mr_part *last = &instance->part[instance->n_part - 1];
    const struct mr_call *c = mr_instance_call(instance, last->call);
    return c->n_read + last->chunk == c->n_prompt;
}

/* The piece that tokens allow, as soon as its blocks are there; the last one of the list may be its
 * own victim. @param[out] tokens of the step so far */
static mr_status read_on(struct mr_instance *instance, uint64_t *tokens, struct mr_err *err)
{
    bool is_itself = false;
    MR_ASSERT(instance->n_part <= 1);
    *tokens = mr_instance_decode_tokens(instance);
    while (instance->n_part > 0 && !is_itself) {
        struct mr_part *part = instance->part;
        const struct mr_call *c = mr_instance_call(instance, part->call);
        const uint32_t chunk = piece(instance, c, *tokens);
        const uint64_t more = mr_blocks_of(&instance->blocks, c->n_read + chunk) -
                              mr_blocks_of(&instance->blocks, c->n_read);
        if (more <= instance->n_free) {
            instance->n_free -= more;
            part->chunk = chunk;
            *tokens += chunk;
            return MR_OK;
        }
        MR_TRY(preempt(instance, part->call, &is_itself, err));
        *tokens = mr_instance_decode_tokens(instance); /* fewer decodes may be left */
    }
    return MR_OK;
}

/* Head of the queue; there is one. */
static struct mr_call *head_of(const struct mr_instance *instance)
{
    return mr_instance_call(instance, mr_instance_waiting(instance));
}

/* That a call which waits asks for. */
static uint64_t asks(const struct mr_instance *instance, const struct mr_call *c)
{
    return mr_blocks_of(&instance->blocks, c->n_prompt);
}

/* Background work leaves room for the contexts of others between their calls. */
static uint64_t spare(const struct mr_instance *instance, const struct mr_call *c)
{
    return c->yields && instance->n_run > 0 ? instance->yield_spare : 0;
}

static bool has_room(const struct mr_instance *instance, const struct mr_call *c, uint64_t n_free)
{
    return instance->n_run < instance->serving->batch_max &&
           n_free >= asks(instance, c) + spare(instance, c);
}

static bool admits(const struct mr_instance *instance, uint64_t n_free)
{
    uint64_t tokens = mr_instance_decode_tokens(instance);
    for (size_t i = 0; i < instance->n_part; i++)
        tokens += instance->part[i].chunk;
    return tokens < instance->serving->token_max && is_through(instance) &&
           has_room(instance, head_of(instance), n_free);
}

/* A piece of a prompt that has its slot: as much as tokens allow. */
static uint32_t first_piece(struct mr_instance *instance, const struct mr_call *c, uint64_t *tokens)
{
    const uint32_t chunk = piece(instance, c, *tokens);
    instance->n_free -= mr_blocks_of(&instance->blocks, c->n_read + chunk) -
                        mr_blocks_of(&instance->blocks, c->n_read);
    *tokens += chunk;
    return chunk;
}

/* Calls whose contexts have arrived from slower memories come before those that wait. */
static mr_status read_loaded(struct mr_instance *instance, uint64_t *tokens, struct mr_err *err)
{
    while (!instance->is_single && mr_onboard_has_ready(instance) &&
           *tokens < instance->serving->token_max && is_through(instance)) {
        uint32_t call;
        MR_TRY(mr_onboard_take(instance, &call, err));
        const struct mr_call *c = mr_instance_call(instance, call);
        MR_TRY(mr_instance_read(instance, call, first_piece(instance, c, tokens), err));
    }
    return MR_OK;
}

static mr_status form(struct mr_instance *instance, struct mr_err *err)
{
    const uint64_t demand = mr_instance_demand(instance, instance->clock, 1);
    instance->decodes = true;
    if (demand <= instance->n_free)
        instance->n_free -= demand;
    else
        MR_TRY(walk(instance, err));
    uint64_t tokens;
    if (!instance->is_single && mr_yield_may(instance) && mr_instance_has_prompt(instance))
        MR_TRY(mr_yield_stop_reading(instance, asks(instance, head_of(instance)), err));
    MR_TRY(read_on(instance, &tokens, err));
    MR_TRY(read_loaded(instance, &tokens, err));
    while (!instance->is_single && mr_instance_has_prompt(instance) &&
           tokens < instance->serving->token_max && is_through(instance)) {
        if (mr_yield_may(instance)) {
            const uint64_t decoding = mr_instance_decode_tokens(instance);
            MR_TRY(mr_yield_make_room(instance, asks(instance, head_of(instance)), true, err));
            tokens -= decoding - mr_instance_decode_tokens(instance);
        }
        struct mr_call *c = head_of(instance);
        if (!has_room(instance, c, instance->n_free) || (c->yields && !mr_yield_has_time(instance)))
            return MR_OK;
        mr_instance_cache_yield(instance);
        bool loads;
        MR_TRY(mr_instance_cache_take(instance, c, err));
        MR_TRY(mr_onboard_begin(instance, instance->formed_s, &loads, err));
        if (!loads)
            MR_TRY(mr_instance_admit(instance, first_piece(instance, c, &tokens), err));
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
