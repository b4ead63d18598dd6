/* SPDX-License-Identifier: Apache-2.0 */
/* Segments: the policy forms a batch, the pricer says what its steps last, and the segment ends at
 * the first of: a finish, the end of a prompt, blocks that may run out, an arrival that could join.
 *
 * An arrival that cannot join does not end a segment: during it blocks only shrink and slots do not
 * come free, so a queue whose head must wait goes on waiting, unless the arrival becomes its head.
 *
 * Parts: lists - segments - arrivals - life. */
#include "engine/serve/instance.h"

#include "engine/base/assert.h"
#include "engine/base/fetch.h"
#include "engine/base/mem.h"
#include "engine/serve/fill.h"
#include "engine/serve/handover.h"
#include "engine/serve/instance_cache.h"
#include "engine/serve/instance_segment.h"
#include "engine/serve/instance_step.h"
#include "engine/serve/instance_wait.h"
#include "engine/serve/onboard.h"
#include "engine/serve/policy.h"
#include "engine/serve/yield.h"

#include <math.h>
#include <string.h>

enum {
    finish_least = 128 /* calls: a heap begins with room for so many, and grows by as many */
};

/* ---- lists ---- */

void mr_instance_unlink(struct mr_instance *instance, uint32_t call)
{
    const struct mr_call_link own = *mr_instance_link(instance, call);
    if (own.previous != MR_CALL_NONE)
        mr_instance_link(instance, own.previous)->next = own.next;
    else
        instance->head = own.next;
    if (own.next != MR_CALL_NONE)
        mr_instance_link(instance, own.next)->previous = own.previous;
    else
        instance->tail = own.previous;
    instance->n_run--;
    instance->n_yield -= mr_instance_call(instance, call)->yields;
}

void mr_instance_link_after(struct mr_instance *instance, uint32_t call, uint32_t after)
{
    const struct mr_call_link own = {
        after != MR_CALL_NONE ? mr_instance_link(instance, after)->next : instance->head, after};
    *mr_instance_link(instance, call) = own;
    if (own.next != MR_CALL_NONE)
        mr_instance_link(instance, own.next)->previous = call;
    else
        instance->tail = call;
    if (after != MR_CALL_NONE)
        mr_instance_link(instance, after)->next = call;
    else
        instance->head = call;
    instance->n_run++;
    instance->n_yield += mr_instance_call(instance, call)->yields;
}

/* Calls of its rank that a call comes before, for their level is lower: they are the last ones. */
static size_t n_below(const struct mr_instance *instance, const struct mr_call *c)
{
    const size_t n = mr_queue_n(&instance->queue, c->rank);
    for (size_t k = 0; k < n; k++) {
        const uint32_t other = mr_queue_at(&instance->queue, c->rank, n - 1 - k);
        if (mr_call_level(mr_instance_call(instance, other)) >= mr_call_level(c))
            return k;
    }
    return n;
}

/* Those that stay before it even where it comes first, the first ones. */
static size_t n_above(const struct mr_instance *instance, const struct mr_call *c)
{
    const size_t n = mr_queue_n(&instance->queue, c->rank);
    for (size_t k = 0; k < n; k++) {
        const uint32_t other = mr_queue_at(&instance->queue, c->rank, k);
        if (mr_call_level(mr_instance_call(instance, other)) <= mr_call_level(c))
            return k;
    }
    return n;
}

/* ---- what policies do to calls ---- */

uint32_t mr_instance_next(struct mr_instance *instance)
{
    const uint32_t call = mr_queue_take(&instance->queue);
    const struct mr_call *c = mr_instance_call(instance, call);
    instance->n_waiting_tok -= mr_instance_wait_rest(c);
    if (instance->queue.n > 0) /* it is looked at when this one has been admitted */
        mr_fetch(mr_instance_call(instance, mr_instance_waiting(instance)));
    return call;
}

mr_status mr_instance_read(struct mr_instance *instance, uint32_t call, uint32_t chunk,
                           struct mr_err *err)
{
    MR_TRY(mr_grow(&instance->part, &instance->part_cap, instance->n_part + 1,
                   sizeof *instance->part, err));
    mr_instance_call(instance, call)->state = MR_CALL_READING;
    instance->part[instance->n_part++] = (struct mr_part){call, chunk};
    return MR_OK;
}

mr_status mr_instance_admit(struct mr_instance *instance, uint32_t chunk, struct mr_err *err)
{
    MR_TRY(mr_instance_read(instance, mr_instance_waiting(instance), chunk, err));
    const uint32_t call = mr_instance_next(instance);
    mr_instance_link_after(instance, call, instance->tail);
    return MR_OK;
}

/* Steps of a decoding call. A call without luck takes more than n / g while its context grows by g:
 * it ends before that would outgrow all blocks, which it may have to have for itself. */
static uint64_t steps_of(const struct mr_instance *instance, const struct mr_call *call)
{
    const struct mr_serving *serving = instance->serving;
    const struct mr_accept *accept = &serving->accept;
    const uint64_t n_token = call->n_output - 1;
    const uint64_t n_step = mr_accept_steps(accept, call->number, (uint32_t)n_token);
    if (!accept->is_each)
        return n_step;
    const double g = 1 + accept->extra, least = ceil((double)n_token / g);
    const uint64_t spare = instance->watermark > serving->policy->spare_blocks
                               ? instance->watermark
                               : serving->policy->spare_blocks;
    const double room = (double)(serving->n_block - spare) * serving->block_tokens -
                        (double)call->n_prompt - mr_accept_most(accept);
    const double most = fmax(least, floor(room / g));
    return (double)n_step < most ? n_step : (uint64_t)most;
}

static uint32_t finish_key(const struct mr_instance *instance, const struct mr_call *call)
{
    const bool is_plain = instance->serving->accept.extra == 0; /* a step makes a token */
    const uint64_t n_step = is_plain ? call->n_output - 1u : steps_of(instance, call);
    return (uint32_t)(mr_instance_entered(instance, call) + n_step - instance->clock_base);
}

/* Blocks are scarce so rarely that the heap keeps no positions. */
static void forget_finish(struct mr_instance *instance, uint32_t call)
{
    struct mr_heap *heap = &instance->finish;
    const uint64_t key = mr_heap_key(finish_key(instance, mr_instance_call(instance, call)), call);
    uint32_t i = 0;
    while (heap->key[i] != key)
        i++;
    const uint64_t last = heap->key[--heap->n];
    if (i == heap->n)
        return;
    /* rebuild what stood behind: pushes onto a heap of the first i */
    const uint32_t n = heap->n;
    heap->key[i] = last;
    heap->n = i;
    for (uint32_t k = i; k < n; k++)
        mr_heap_push(heap, heap->key[k]);
}

/* A decoding call is no longer in the sums. @return tokens known of it */
static uint64_t leave_sums(struct mr_instance *instance, struct mr_call *call)
{
    const struct mr_policy *policy = instance->serving->policy;
    const uint64_t y = mr_instance_known(instance, call), first = (uint64_t)call->n_prompt + 1;
    const uint64_t n_step = (uint32_t)instance->clock - call->entered;
    if (policy->takes_blocks)
        mr_blocks_leave(&instance->blocks, y, mr_instance_made(instance, instance->clock));
    instance->kv_tokens -= first;
    instance->kv_steps -= n_step;
    mr_sliding_leave(&instance->window, call, first - policy->n_unread, n_step);
    return y;
}

mr_status mr_instance_restart(struct mr_instance *instance, uint32_t call, uint64_t n_held,
                              bool forgets_prompt, struct mr_err *err)
{
    struct mr_call *c = mr_instance_call(instance, call);
    uint64_t n_computed = c->n_read;
    if (c->state == MR_CALL_DECODING) {
        const uint64_t all = (uint64_t)c->n_prompt + c->n_output;
        forget_finish(instance, call);
        uint64_t y = leave_sums(instance, c);
        n_computed = y - 1;
        y = y < all ? y : all - 1; /* with drafts blocks may be a token ahead */
        c->n_output = (uint32_t)(all - y);
        c->n_prompt = (uint32_t)y;
    } else if (c->state == MR_CALL_FILLING) {
        mr_fill_forget(instance, call);
    } else if (c->state == MR_CALL_LOADING) {
        mr_onboard_forget(instance, call);
    } else {
        size_t i = 0;
        while (instance->part[i].call != call)
            i++;
        for (instance->n_part--; i < instance->n_part; i++)
            instance->part[i] = instance->part[i + 1];
        if (forgets_prompt) {
            c->n_output += c->n_prompt - c->n_read;
            c->n_prompt = c->n_read;
        }
    }
    mr_instance_unlink(instance, call);
    if (instance->serving->has_cache)
        MR_TRY(mr_instance_cache_leave(instance, c, n_computed, err));
    else
        instance->n_free += n_held;
    instance->n_restart++;
    mr_call_restarted(c);
    c->n_read = 0;
    c->state = MR_CALL_WAITING;
    instance->n_waiting_tok += c->n_prompt;
    return mr_queue_return(&instance->queue, c->rank, call, n_above(instance, c), err);
}

/* ---- segments ---- */

static uint32_t n_decode(const struct mr_instance *instance)
{
    return instance->finish.n;
}

/* Readings that the policy left out of this step stay in `part` without a chunk. */
static mr_status begin(struct mr_instance *instance, double now_s, struct mr_err *err)
{
    instance->segment.n_step = 0;
    instance->is_single = false;
    mr_instance_cache_yield(instance);
    MR_TRY(mr_fill_join(instance, now_s, err));
    MR_TRY(mr_handover_join(instance, err));
    mr_onboard_look(instance, now_s);
    instance->formed_s = now_s;
    MR_TRY(instance->serving->policy->form(instance, err));
    instance->is_single |= mr_handover_joins_next(instance);
    if (instance->n_part == 0 && !(instance->decodes && n_decode(instance) > 0)) {
        /* can_hold: an empty instance admits its head, unless calls in no step hold blocks */
        MR_ASSERT(instance->queue.n == 0 || instance->n_left > 0 || instance->n_fill > 0 ||
                  mr_onboard_has_load(instance));
        return MR_OK;
    }
    for (size_t i = 0; i < instance->n_part; i++) {
        struct mr_call *c = mr_instance_call(instance, instance->part[i].call);
        if (instance->part[i].chunk > 0 && !c->is_scheduled) {
            c->is_scheduled = true;
            c->scheduled_s = now_s;
        }
    }
    mr_instance_segment_price(instance, now_s);
    mr_instance_segment_choose(instance);
    return MR_OK;
}

mr_status mr_instance_free_blocks(struct mr_instance *instance, struct mr_call *call,
                                  uint64_t n_computed, struct mr_err *err)
{
    const struct mr_policy *policy = instance->serving->policy;
    if (instance->serving->has_cache)
        return mr_instance_cache_leave(instance, call, n_computed, err);
    instance->n_free += policy->takes_blocks
                            ? mr_blocks_of(&instance->blocks, n_computed)
                            : policy->reserve(instance, call->n_prompt, call->n_output);
    return MR_OK;
}

static mr_status finish(struct mr_instance *instance, uint32_t call, uint64_t n_computed,
                        double now_s, const struct mr_instance_sink *sink, struct mr_err *err)
{
    struct mr_call *c = mr_instance_call(instance, call);
    mr_instance_unlink(instance, call);
    MR_TRY(mr_instance_free_blocks(instance, c, n_computed, err));
    c->state = MR_CALL_DONE;
    sink->finished(sink->context, call, now_s);
    return MR_OK;
}

static mr_status finish_decodes(struct mr_instance *instance, double now_s,
                                const struct mr_instance_sink *sink, struct mr_err *err)
{
    struct mr_heap *heap = &instance->finish;
    const uint32_t at = (uint32_t)(instance->clock - instance->clock_base);
    while (heap->n > 0 && mr_heap_key_finish(mr_heap_top(heap)) <= at) {
        const uint32_t call = mr_heap_key_id(mr_heap_pop(heap));
        struct mr_call *c = mr_instance_call(instance, call);
        const uint64_t y = leave_sums(instance, c);
        MR_TRY(finish(instance, call, y - 1, now_s, sink, err));
    }
    return MR_OK;
}

/* The heap counts from clock_base: long before its 32 bits are used up it starts again. */
static void rebase(struct mr_instance *instance)
{
    const uint64_t by = instance->clock - instance->clock_base;
    if (by < UINT32_MAX / 4)
        return;
    mr_heap_rebase(&instance->finish, (uint32_t)by);
    mr_sliding_rebase(&instance->window, instance->calls->call, (uint32_t)by);
    instance->clock_base += by;
}

/* Room for one more: few instances ever fill their batch. */
static mr_status grow_finish(struct mr_instance *instance, struct mr_err *err)
{
    struct mr_heap *heap = &instance->finish;
    const uint32_t more = heap->cap / 4 > finish_least ? heap->cap / 4 : finish_least;
    const uint32_t cap = heap->cap + more;
    uint64_t *key = mr_alloc(cap, sizeof *key);
    if (key == NULL)
        return mr_err_nomem(err, cap * sizeof *key);
    if (heap->n > 0)
        memcpy(key, heap->key, heap->n * sizeof *key);
    mr_free(heap->key);
    heap->key = key;
    heap->cap = cap;
    return MR_OK;
}

mr_status mr_instance_decode(struct mr_instance *instance, uint32_t call, struct mr_err *err)
{
    struct mr_call *c = mr_instance_call(instance, call);
    if (instance->finish.n == instance->finish.cap)
        MR_TRY(grow_finish(instance, err));
    c->state = MR_CALL_DECODING;
    c->entered = (uint32_t)instance->clock;
    instance->kv_tokens += c->n_prompt + 1;
    if (instance->serving->policy->takes_blocks)
        mr_blocks_enter(&instance->blocks, c->n_prompt + 1,
                        mr_instance_made(instance, instance->clock));
    mr_heap_push(&instance->finish, mr_heap_key(finish_key(instance, c), call));
    return mr_sliding_enter(&instance->window, c, call,
                            c->n_prompt + 1 - instance->serving->policy->n_unread,
                            (uint32_t)(instance->clock - instance->clock_base), err);
}

static mr_status end_prompt(struct mr_instance *instance, uint32_t call, double now_s,
                            double fill_s, const struct mr_instance_sink *sink, struct mr_err *err)
{
    struct mr_call *c = mr_instance_call(instance, call);
    if (fill_s > 0)
        return mr_fill_begin(instance, call, now_s + fill_s, err);
    instance->n_prompt_end++;
    if (!c->has_first) {
        c->has_first = true;
        c->first_s = now_s;
    }
    if (c->n_output == 1)
        return finish(instance, call, c->n_prompt, now_s, sink, err);
    if (!c->leaves)
        return mr_instance_decode(instance, call, err);
    mr_handover_leave(instance, call);
    sink->left(sink->context, call, now_s);
    return MR_OK;
}

static mr_status read_prompts(struct mr_instance *instance, uint64_t n_step, double now_s,
                              const struct mr_instance_sink *sink, struct mr_err *err)
{
    const struct mr_segment *segment = &instance->segment;
    const double fill_s = mr_fill_s(instance, segment->a_s + segment->b_s * (double)(n_step - 1));
    size_t n_left = 0;
    for (size_t i = 0; i < instance->n_part; i++) {
        const struct mr_part part = instance->part[i];
        struct mr_call *c = mr_instance_call(instance, part.call);
        c->n_read += (uint32_t)(part.chunk * n_step);
        if (c->n_read == c->n_prompt)
            MR_TRY(end_prompt(instance, part.call, now_s, fill_s, sink, err));
        else
            instance->part[n_left++] = part;
    }
    instance->n_part = n_left;
    return MR_OK;
}

/* Joules of one package from the segment's start: k steps, and step k up to `share` of it. */
static double segment_j(const struct mr_instance *instance, const struct mr_power_leap *e,
                        uint64_t k, double share, double time_s)
{
    const double n = (double)k;
    const double steps_j = n * e->work_j + e->work_grow_j * (n * (n - 1) / 2);
    return e->idle_w * time_s + steps_j - instance->done_frac * e->work_j +
           share * (e->work_j + e->work_grow_j * n);
}

/* What a step takes that begins in the middle of a leap: form() does it for the first one. */
static void take_step_blocks(struct mr_instance *instance)
{
    const struct mr_policy *policy = instance->serving->policy;
    if (policy->takes_blocks && instance->decodes)
        instance->n_free -= mr_instance_demand(instance, instance->clock, 1);
    if (policy->reads_in_pieces && instance->n_part > 0) {
        const struct mr_call *c = mr_instance_call(instance, instance->part->call);
        instance->n_free -= mr_blocks_of(&instance->blocks, c->n_read + instance->part->chunk) -
                            mr_blocks_of(&instance->blocks, c->n_read);
    }
}

/* k steps of the segment have been made: sums and clocks; calls are looked at by who ends them. */
static void settle(struct mr_instance *instance, uint64_t k)
{
    const struct mr_policy *policy = instance->serving->policy;
    if (instance->watch != NULL && k > 0)
        instance->watch->ended(instance->watch->context, instance, k);
    instance->n_iteration += k;
    if (instance->decodes) {
        if (policy->takes_blocks && k > 1)
            instance->n_free -= mr_instance_demand(instance, instance->clock + 1, k - 1);
        instance->clock += k;
        instance->n_call_step += k * n_decode(instance);
        instance->kv_steps += k * n_decode(instance);
        mr_sliding_step(&instance->window, instance->calls->call, k,
                        (uint32_t)(instance->clock - instance->clock_base));
    }
    if (policy->reads_in_pieces && k > 1 && instance->n_part > 0) {
        const struct mr_call *c = mr_instance_call(instance, instance->part->call);
        const uint32_t chunk = instance->part->chunk;
        instance->n_free -= mr_blocks_of(&instance->blocks, c->n_read + chunk * k) -
                            mr_blocks_of(&instance->blocks, c->n_read + chunk);
    }
    mr_instance_cache_yield(instance); /* before anything of this boundary is given back */
}

mr_status mr_instance_advance(struct mr_instance *instance, const struct mr_instance_sink *sink,
                              struct mr_err *err)
{
    const uint64_t n_step = instance->segment.n_step;
    const double time_s = mr_segment_sum_s(&instance->segment, n_step);
    const double now_s = mr_segment_end_s(&instance->segment, n_step);
    const double lost_s = mr_segment_lost_s(&instance->segment, n_step);
    const double end_s = n_step > 0 ? now_s : (double)INFINITY;
    const double load_s = mr_onboard_due_s(instance);
    if (mr_fill_is_due(instance, fmin(end_s, load_s)))
        return mr_fill_end(instance, sink, err);
    if (load_s <= end_s && load_s < (double)INFINITY) {
        mr_onboard_arrived(instance);
        return MR_OK;
    }
    MR_ASSERT(n_step > 0);
    if (instance->is_starting) {
        instance->is_starting = false;
        return begin(instance, now_s, err);
    }
    instance->n_segment++;
    instance->busy_s += time_s;
    instance->busy_j += segment_j(instance, &instance->energy, n_step, 0, time_s);
    if (instance->serving->pricer.lpx != NULL)
        instance->lpu.ended_j += segment_j(instance, &instance->lpu.energy, n_step, 0, time_s);
    settle(instance, n_step);
    if (instance->decodes) {
        MR_TRY(finish_decodes(instance, now_s, sink, err));
        rebase(instance);
    }
    if (instance->n_part > 0)
        MR_TRY(read_prompts(instance, n_step, now_s, sink, err));
    MR_TRY(begin(instance, now_s, err));
    instance->segment.lost_s = lost_s;
    return MR_OK;
}

/* ---- clocks ---- */

/* Joules of the running segment by now. */
static double running_j(const struct mr_instance *instance, const struct mr_power_leap *energy,
                        double now_s)
{
    const struct mr_segment *segment = &instance->segment;
    if (segment->n_step == 0 || instance->is_starting || now_s <= segment->start_s)
        return 0;
    uint64_t k = mr_segment_ended(segment, now_s);
    k = k < segment->n_step ? k : segment->n_step - 1;
    const double share = mr_segment_share(segment, k, now_s, instance->done_frac);
    return segment_j(instance, energy, k, share, now_s - segment->start_s);
}

double mr_instance_energy_j(const struct mr_instance *instance, double now_s)
{
    return instance->busy_j + running_j(instance, &instance->energy, now_s);
}

double mr_instance_lpu_j(const struct mr_instance *instance, double now_s)
{
    return instance->serving->pricer.lpx == NULL
               ? 0
               : instance->lpu.ended_j + running_j(instance, &instance->lpu.energy, now_s);
}

/* Up to now: whole steps that have ended by `by_s`, and time and joules. @param[out] share done of
 * the step in flight @return the steps */
static uint64_t settle_by(struct mr_instance *instance, double by_s, double now_s, double *share)
{
    const struct mr_segment before = instance->segment;
    uint64_t k = mr_segment_ended(&before, by_s);
    k = k < before.n_step ? k : before.n_step - 1;
    const double time_s = now_s - before.start_s;
    *share = fmin(1, mr_segment_share(&before, k, now_s, instance->done_frac));
    instance->busy_s += time_s;
    instance->busy_j += segment_j(instance, &instance->energy, k, *share, time_s);
    if (instance->serving->pricer.lpx != NULL)
        instance->lpu.ended_j += segment_j(instance, &instance->lpu.energy, k, *share, time_s);
    settle(instance, k);
    for (size_t i = 0; i < instance->n_part; i++)
        mr_instance_call(instance, instance->part[i].call)->n_read +=
            (uint32_t)(instance->part[i].chunk * k);
    return k;
}

/* Joules of step k in flight, of which `share` is done, `time_s` after its start in the segment. */
static double step_j(const struct mr_instance *instance, uint64_t k, double share, double time_s)
{
    const struct mr_power_leap *e = &instance->energy;
    const double before_frac = k == 0 ? instance->done_frac : 0;
    const double before_j = k == 0 ? instance->early_j : 0;
    return before_j + e->idle_w * time_s +
           (share - before_frac) * (e->work_j + e->work_grow_j * (double)k);
}

/* Step k in flight becomes step 0 of a segment that begins now. Where it began in the middle of a
 * leap, its blocks have not been taken yet. */
void mr_instance_set_clock(struct mr_instance *instance, double phi, double now_s)
{
    const struct mr_segment before = instance->segment;
    const bool is_running = before.n_step > 0 && !instance->is_starting;
    double share = 0;
    MR_ASSERT(phi > 0 && phi <= 1);
    if (phi == instance->phi)
        return;
    const uint64_t k = is_running ? settle_by(instance, now_s, now_s, &share) : 0;
    instance->phi = phi;
    if (!is_running)
        return;
    const double from_s = mr_segment_end_s(&before, k);
    const double early_s = now_s - from_s + (k == 0 ? instance->early_s : 0);
    const double early_j = step_j(instance, k, share, now_s - from_s);
    if (k > 0)
        take_step_blocks(instance);
    mr_instance_segment_price(instance, now_s);
    instance->early_s = early_s;
    instance->early_j = early_j;
    instance->done_frac = share;
    instance->segment.first_s = (1 - share) * instance->segment.a_s;
    instance->segment.n_step = mr_instance_segment_within(instance, before.n_step - k);
}

void mr_instance_halt(struct mr_instance *instance, double now_s)
{
    double share;
    /* a boundary of this instant has not been played yet: its step is lost with leaps, too */
    if (instance->segment.n_step > 0 && !instance->is_starting)
        (void)settle_by(instance, now_s - MR_SEGMENT_TIE_S, now_s, &share);
    instance->segment.n_step = 0;
    instance->is_starting = false;
}

/* ---- arrivals ---- */

static bool can_join(const struct mr_instance *instance, uint64_t n_free, uint64_t clock)
{
    if (mr_yield_may(instance))
        return true;
    return mr_instance_has_prompt(instance) ? instance->serving->policy->admits(instance, n_free)
                                            : mr_handover_joins(instance, n_free, clock);
}

static void shorten(struct mr_instance *instance, double now_s)
{
    struct mr_segment *segment = &instance->segment;
    if (segment->n_step == 1)
        return;
    const uint64_t n = mr_segment_until(segment, now_s);
    if (n >= segment->n_step)
        return;
    uint64_t n_free = instance->n_free;
    if (instance->serving->policy->takes_blocks && instance->decodes)
        n_free -= mr_instance_demand(instance, instance->clock + 1, n - 1);
    if (can_join(instance, n_free, instance->clock + (instance->decodes ? n : 0)))
        segment->n_step = n;
}

void mr_instance_interrupt(struct mr_instance *instance, double now_s)
{
    struct mr_segment *segment = &instance->segment;
    if (segment->n_step == 0) {
        *segment = (struct mr_segment){.start_s = now_s, .n_step = 1};
        instance->is_starting = true;
    } else if (segment->n_step > 1) {
        segment->n_step = mr_segment_until(segment, now_s);
    }
}

void mr_instance_reconsider(struct mr_instance *instance, double now_s)
{
    if (instance->queue.n == 0)
        return;
    if (instance->segment.n_step == 0)
        mr_instance_interrupt(instance, now_s);
    else
        shorten(instance, now_s);
}

mr_status mr_instance_arrive(struct mr_instance *instance, uint32_t call, double now_s,
                             struct mr_err *err)
{
    struct mr_call *c = mr_instance_call(instance, call);
    MR_ASSERT(c->n_output > 0 && c->n_prompt > 0);
    c->state = MR_CALL_WAITING;
    c->n_read = instance->is_asked ? mr_instance_wait_found(instance, c, now_s) : 0;
    MR_TRY(mr_queue_add(&instance->queue, c->rank, call, n_below(instance, c), err));
    instance->n_waiting_tok += mr_instance_wait_rest(c);
    if (mr_instance_waiting(instance) == call) /* only the head of the queue can join */
        mr_instance_reconsider(instance, now_s);
    return MR_OK;
}

/* ---- life ---- */

bool mr_instance_can_hold(const struct mr_instance *instance, uint32_t n_prompt, uint32_t n_output)
{
    const struct mr_serving *serving = instance->serving;
    const struct mr_policy *policy = serving->policy;
    /* the last of its steps with drafts may have room for more than is left to make */
    const uint64_t spill = serving->accept.extra > 0 ? mr_accept_most(&serving->accept) : 0;
    const uint64_t at_last =
        mr_blocks_of(&instance->blocks, (uint64_t)n_prompt + n_output - 1 + spill);
    /* once restarted its prompt is all it has made */
    if (policy->reads_whole && (uint64_t)n_prompt + n_output - 1 > serving->token_max)
        return false;
    if (!policy->takes_blocks)
        return policy->reserve(instance, n_prompt, n_output) <= serving->n_block;
    /* alone it must neither run out of blocks nor, once restarted, wait for more than there are */
    const uint64_t kept =
        instance->watermark > policy->spare_blocks ? instance->watermark : policy->spare_blocks;
    return at_last + kept <= serving->n_block;
}

mr_status mr_instance_check(const struct mr_serving *serving, struct mr_err *err)
{
    const uint32_t b = serving->block_tokens;
    if (b == 0 || b > 1u << 20 || (b & (b - 1)) != 0)
        return mr_err_set(err, MR_RANGE, MR_NOWHERE,
                          "blocks of %u tokens: must be a power of two, at most 2^20", b);
    if (serving->batch_max == 0 || serving->token_max == 0 || serving->n_block == 0)
        return mr_err_set(err, MR_RANGE, MR_NOWHERE,
                          "batch, tokens of a step and blocks must be above 0");
    const uint64_t n_each = 1 + (uint64_t)serving->accept.n_draft;
    if (serving->policy == &mr_policy_vllm1 && serving->token_max < serving->batch_max * n_each)
        return mr_err_set(err, MR_RANGE, MR_NOWHERE,
                          "a step of %u tokens cannot hold a batch of %u decodes of %llu tokens",
                          serving->token_max, serving->batch_max, (unsigned long long)n_each);
    if (serving->pricer.step == NULL && serving->accept.n_draft > 0)
        return mr_err_set(err, MR_RANGE, MR_NOWHERE,
                          "drafts: a profile of measured steps does not know what they cost");
    MR_TRY(mr_accept_check(&serving->accept, err));
    if (serving->has_cache && serving->policy != &mr_policy_vllm1)
        return mr_err_set(err, MR_RANGE, MR_NOWHERE, "policy %s: has no prefix cache (vllm1 has)",
                          serving->policy->name);
    if (serving->has_cache && serving->n_block > UINT32_MAX)
        return mr_err_set(err, MR_RANGE, MR_NOWHERE, "a prefix cache has at most 2^32 - 1 blocks");
    return MR_OK;
}

mr_status mr_instance_init(struct mr_instance *instance, const struct mr_serving *serving,
                           struct mr_calls *calls, struct mr_err *err)
{
    *instance = (struct mr_instance){
        .serving = serving,
        .calls = calls,
        .n_free = serving->n_block,
        .phi = 1,
        .idle_w = mr_pricer_idle_w(&serving->pricer),
        .head = MR_CALL_NONE,
        .tail = MR_CALL_NONE,
        .window = {.size = serving->window_tokens,
                   .extra = serving->accept.extra,
                   .unread = serving->policy->n_unread},
        .watermark = (uint64_t)(serving->watermark_frac * (double)serving->n_block),
        .yield_spare =
            (uint64_t)(serving->has_cache ? serving->yield_spare_frac * (double)serving->n_block
                                          : 0)};
    MR_TRY(mr_blocks_init(&instance->blocks, serving->block_tokens, err));
    if (serving->has_cache)
        MR_TRY(mr_cache_init(&instance->cache, (uint32_t)serving->n_block, err));
    return MR_OK;
}

void mr_instance_fini(struct mr_instance *instance)
{
    mr_blocks_fini(&instance->blocks);
    mr_sliding_fini(&instance->window);
    if (instance->serving != NULL && instance->serving->has_cache)
        mr_cache_fini(&instance->cache);
    mr_free(instance->finish.key);
    mr_free(instance->part);
    mr_free(instance->fill);
    mr_queue_fini(&instance->queue);
    *instance = (struct mr_instance){0};
}
