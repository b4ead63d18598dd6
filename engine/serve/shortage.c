/* SPDX-License-Identifier: Apache-2.0 */
/* Steps in flight are time, too: of them only those that have ended are counted. */
#include "engine/serve/shortage.h"

#include "engine/serve/handover.h"
#include "engine/serve/instance_wait.h"

/* About as long as a call decodes: what it was promised is a mean over that. */
static const double memory_s = 10;

void mr_shortage_look(struct mr_shortage *shortage, const struct mr_instance *instance,
                      uint32_t n_instance, double now_s)
{
    double busy_s = 0, n_step = 0;
    for (uint32_t i = 0; i < n_instance; i++) {
        const struct mr_segment *segment = &instance[i].segment;
        busy_s += instance[i].busy_s;
        n_step += (double)instance[i].n_iteration;
        if (segment->n_step == 0 || instance[i].is_starting || now_s <= segment->start_s)
            continue;
        busy_s += now_s - segment->start_s;
        n_step += (double)mr_segment_ended(segment, now_s);
    }
    const double keep = memory_s / (memory_s + (now_s - shortage->look_s));
    shortage->late_s = keep * shortage->late_s + (busy_s - shortage->busy_s);
    shortage->n_late = keep * shortage->n_late + (n_step - shortage->n_step);
    shortage->busy_s = busy_s;
    shortage->n_step = n_step;
    shortage->look_s = now_s;
}

/* Nobody waits for a slot or blocks already, nor would it. */
static bool has_room(const struct mr_instance *instance, const struct mr_call *call, double now_s)
{
    const uint64_t n_block = mr_blocks_of(&instance->blocks, call->n_prompt);
    return instance->n_run + instance->queue.n < instance->serving->batch_max &&
           n_block <= mr_handover_free(instance, now_s);
}

bool mr_shortage_refuses(const struct mr_shortage *shortage, const struct mr_router_goal *spared,
                         const struct mr_call *call, const struct mr_instance *maker, double wait_s,
                         double now_s)
{
    if (spared->ttft_s > 0 && (wait_s > spared->ttft_s || !has_room(maker, call, now_s)))
        return true;
    if (spared->tpot_s == 0)
        return false;
    const double step_s = mr_instance_wait_step_s(maker, (double)call->n_prompt + 1, 0, 0, now_s);
    const double may_s = spared->tpot_s * (1 + maker->serving->accept.extra);
    return step_s > may_s || shortage->late_s > shortage->n_late * may_s;
}
