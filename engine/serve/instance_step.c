/* SPDX-License-Identifier: Apache-2.0 */
/* Steps in closed form, from what the segment was priced with: nothing is kept for it. */
#include "engine/serve/instance_step.h"

#include <math.h>

/* With T_j = a + b j (segment.h) and joules idle_w T_j + work + grow j, step 0 has what is left of
 * it, and what it had before its clock changed. In each step every decoding call has 1 + extra
 * tokens more than in the step before, and a prompt one piece more. */
struct mr_instance_step mr_instance_step_of(const struct mr_instance *instance, uint64_t j)
{
    const struct mr_segment *segment = &instance->segment;
    const struct mr_batch *batch = &instance->batch;
    const struct mr_pricer *pricer = &instance->serving->pricer;
    const struct mr_power_leap *energy = &instance->energy;
    const double k = (double)j;
    const double left_s = j == 0 ? segment->first_s : segment->a_s + segment->b_s * k;
    const double more = batch->n_decode * (1 + instance->serving->accept.extra);
    struct mr_instance_step step = {
        .start_s = mr_segment_end_s(segment, j),
        .time_s = left_s,
        .n_decode = batch->n_decode,
        .prefill_tok = batch->chunk_tokens,
        .kv_tok = batch->kv_tokens + batch->chunk_kv_tokens + k * (more + batch->chunk_tokens),
        .package_j = energy->idle_w * left_s + energy->work_j + energy->work_grow_j * k,
        .phi = instance->phi};
    if (j == 0) {
        step.start_s -= instance->early_s;
        step.time_s += instance->early_s;
        step.package_j += instance->early_j - instance->done_frac * energy->work_j;
    }
    if (pricer->power == NULL || pricer->step == NULL)
        step.package_j = (double)NAN;
    return step;
}

void mr_instance_step_end(const struct mr_instance *instance, double now_s)
{
    const struct mr_segment *segment = &instance->segment;
    if (instance->watch == NULL || segment->n_step == 0 || instance->is_starting ||
        now_s <= segment->start_s)
        return;
    const uint64_t n = mr_segment_ended(segment, now_s - MR_SEGMENT_TIE_S);
    if (n > 0)
        instance->watch->ended(instance->watch->context, instance, n);
}
