/* SPDX-License-Identifier: Apache-2.0 */
/* Few prompts are being read at once; those that wait are a sum. */
#include "engine/serve/instance_wait.h"

#include "engine/serve/handover.h"
#include "engine/serve/instance_cache.h"
#include "engine/serve/onboard.h"

#include <math.h>

/* Steps of the segment that have ended; a boundary of this instant has not been played yet. */
static uint64_t steps_by(const struct mr_instance *instance, double now_s)
{
    const struct mr_segment *segment = &instance->segment;
    if (segment->n_step < 2 || instance->is_starting)
        return 0;
    const uint64_t k = mr_segment_ended(segment, now_s - MR_SEGMENT_TIE_S);
    return k < segment->n_step ? k : segment->n_step - 1;
}

uint32_t mr_instance_wait_found(struct mr_instance *instance, const struct mr_call *call,
                                double now_s)
{
    const uint32_t size = instance->serving->block_tokens;
    const uint32_t n = (uint32_t)mr_handover_found(instance, call, now_s);
    return n + (instance->onboard != NULL ? mr_onboard_worth(instance, call, n / size, now_s) * size
                                          : 0);
}

uint64_t mr_instance_wait_tok(const struct mr_instance *instance, double now_s)
{
    const uint64_t n_step = steps_by(instance, now_s);
    uint64_t n = instance->n_waiting_tok;
    for (size_t k = 0; k < instance->n_part; k++) {
        const struct mr_part *part = &instance->part[k];
        const struct mr_call *c = mr_instance_call(instance, part->call);
        n += c->n_prompt - c->n_read - part->chunk * n_step;
    }
    return n;
}

uint64_t mr_instance_wait_whole_tok(const struct mr_instance *instance)
{
    uint64_t n = instance->n_waiting_tok;
    for (size_t k = 0; k < instance->n_part; k++) {
        const struct mr_call *c = mr_instance_call(instance, instance->part[k].call);
        n += c->n_prompt -
             (uint64_t)mr_instance_cache_held(instance, c) * instance->serving->block_tokens;
    }
    return n;
}

static struct mr_batch prompt_of(const struct mr_serving *serving, double before, double n)
{
    return (struct mr_batch){
        .chunk_tokens = n,
        .chunk_pairs = n * (before + n / 2),
        .chunk_window_pairs = mr_step_window_pairs(before, n, (double)serving->window_tokens),
        .chunk_kv_tokens = before + n,
        .n_prompt_end = 1,
    };
}

double mr_instance_wait_read_s(const struct mr_serving *serving, double before, double n)
{
    const struct mr_batch batch = prompt_of(serving, before, n);
    return mr_pricer_step_s(&serving->pricer, &batch, 1);
}

double mr_instance_wait_step_s(const struct mr_instance *instance, double context, double before,
                               double n, double now_s)
{
    const struct mr_serving *serving = instance->serving;
    const double window = (double)serving->window_tokens, n_run = instance->finish.n;
    const double n_step = instance->decodes ? (double)steps_by(instance, now_s) : 0;
    const double n_decode = n_run + (context > 0 ? 1 : 0);
    struct mr_batch batch = {0};
    if (n > 0)
        batch = prompt_of(serving, before, n);
    batch.n_decode = n_decode;
    batch.kv_tokens = context + (double)instance->kv_tokens +
                      (1 + serving->accept.extra) * ((double)instance->kv_steps + n_run * n_step);
    if (window > 0)
        batch.window_kv_tokens = fmin(batch.kv_tokens, n_decode * window);
    return mr_pricer_step_s(&serving->pricer, &batch, instance->phi);
}

double mr_instance_wait_pace_tok_s(const struct mr_serving *serving)
{
    return serving->token_max / mr_instance_wait_read_s(serving, 0, serving->token_max);
}

uint32_t mr_instance_wait_within(const struct mr_serving *serving, double before, double step_s)
{
    uint32_t least = 0, most = serving->token_max;
    while (least < most) {
        const uint32_t n = most - (most - least) / 2;
        if (mr_instance_wait_read_s(serving, before, n) <= step_s)
            least = n;
        else
            most = n - 1;
    }
    return least;
}

static double decode_s(const struct mr_serving *serving, double kv_tokens)
{
    const double window = (double)serving->window_tokens;
    const struct mr_batch batch = {.n_decode = 1,
                                   .kv_tokens = kv_tokens,
                                   .window_kv_tokens = kv_tokens < window ? kv_tokens : window};
    struct mr_pricer pricer = serving->pricer;
    pricer.power = NULL; /* only its time is asked */
    struct mr_power_leap none;
    return mr_pricer_leap(&pricer, &batch, 1, 0, &none).a_s;
}

double mr_instance_wait_beside_s(const struct mr_serving *serving, double n)
{
    return decode_s(serving, n) - decode_s(serving, 0);
}
