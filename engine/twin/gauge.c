/* SPDX-License-Identifier: Apache-2.0 */
/* Decode steps of a segment that have ended make a token for each call, and what guessing ahead
 * adds to it; a prompt that ends makes one. */
#include "engine/twin/gauge.h"

#include "engine/serve/handover.h"

#include <math.h>

static double tokens_of(const struct mr_instance *instance, double now_s)
{
    const struct mr_segment *segment = &instance->segment;
    const double per_step = 1 + instance->serving->accept.extra;
    double n = (double)instance->n_prompt_end + per_step * (double)instance->n_call_step;
    if (segment->n_step > 0 && !instance->is_starting && instance->decodes)
        n += per_step * (double)instance->finish.n * (double)mr_segment_ended(segment, now_s);
    return n;
}

/* Cached blocks give way to those that calls have taken since the last event. */
struct mr_gauge mr_gauge_of(const struct mr_instance *instance, double now_s)
{
    const struct mr_serving *serving = instance->serving;
    const double n_free = (double)mr_handover_free(instance, now_s);
    const double n_cached = serving->has_cache ? mr_cache_evictable(&instance->cache) : 0;
    const double used_frac = 1 - n_free / (double)serving->n_block;
    return (struct mr_gauge){tokens_of(instance, now_s), used_frac,
                             fmin(1, used_frac + n_cached / (double)serving->n_block)};
}
