/* SPDX-License-Identifier: Apache-2.0 */
/* Decode steps of a segment that have ended make a token for each call, and what guessing ahead
 * adds to it; a prompt that ends makes one. */
#include "engine/twin/gauge.h"

#include "engine/serve/handover.h"

static double tokens_of(const struct mr_instance *instance, double now_s)
{
    const struct mr_segment *segment = &instance->segment;
    const double per_step = 1 + instance->serving->accept.extra;
    double n = (double)instance->n_prompt_end + per_step * (double)instance->n_call_step;
    if (segment->n_step > 0 && !instance->is_starting && instance->decodes)
        n += per_step * (double)instance->finish.n * (double)mr_segment_ended(segment, now_s);
    return n;
}

struct mr_gauge mr_gauge_of(const struct mr_instance *instance, double now_s)
{
    const double n_free = (double)mr_handover_free(instance, now_s);
    return (struct mr_gauge){tokens_of(instance, now_s),
                             1 - n_free / (double)instance->serving->n_block};
}
