/* SPDX-License-Identifier: Apache-2.0 */
/* One list in the order of time: at its beginning those that are through and wait for a boundary to
 * decode, then those on their way. Both are few. */
#include "engine/serve/fill.h"

#include "engine/base/assert.h"
#include "engine/base/mem.h"
#include "engine/serve/handover.h"

#include <math.h>

double mr_fill_s(const struct mr_instance *instance, double step_s)
{
    const struct mr_step *step = instance->serving->pricer.step;
    return step != NULL ? step_s * mr_step_fill_frac(step, &instance->batch) : 0;
}

mr_status mr_fill_begin(struct mr_instance *instance, uint32_t call, double ready_s,
                        struct mr_err *err)
{
    const double before_s =
        instance->n_fill > 0 ? instance->fill[instance->n_fill - 1].ready_s : ready_s;
    MR_TRY(mr_grow(&instance->fill, &instance->fill_cap, instance->n_fill + 1,
                   sizeof *instance->fill, err));
    instance->fill[instance->n_fill++] = (struct mr_fill){fmax(ready_s, before_s), call};
    mr_instance_call(instance, call)->state = MR_CALL_FILLING;
    return MR_OK;
}

static struct mr_fill take(struct mr_instance *instance, size_t i)
{
    const struct mr_fill fill = instance->fill[i];
    for (instance->n_fill--; i < instance->n_fill; i++)
        instance->fill[i] = instance->fill[i + 1];
    return fill;
}

static void tell_first(struct mr_call *call, double ready_s)
{
    if (call->has_first)
        return;
    call->has_first = true;
    call->first_s = ready_s;
}

static bool decodes(const struct mr_call *call)
{
    return call->n_output > 1 && !call->leaves;
}

/* A call that goes on elsewhere, or has made all it had to. */
static mr_status let_go(struct mr_instance *instance, struct mr_fill fill,
                        const struct mr_instance_sink *sink, struct mr_err *err)
{
    struct mr_call *c = mr_instance_call(instance, fill.call);
    if (c->n_output > 1) {
        mr_handover_leave(instance, fill.call);
        sink->left(sink->context, fill.call, fill.ready_s);
        return MR_OK;
    }
    mr_instance_unlink(instance, fill.call);
    MR_TRY(mr_handover_give_back(instance, fill.call, fill.ready_s, err));
    c->state = MR_CALL_DONE;
    sink->finished(sink->context, fill.call, fill.ready_s);
    return MR_OK;
}

mr_status mr_fill_end(struct mr_instance *instance, const struct mr_instance_sink *sink,
                      struct mr_err *err)
{
    MR_ASSERT(instance->n_filled < instance->n_fill);
    const struct mr_fill fill = instance->fill[instance->n_filled];
    struct mr_call *c = mr_instance_call(instance, fill.call);
    tell_first(c, fill.ready_s);
    if (!decodes(c)) {
        (void)take(instance, instance->n_filled);
        MR_TRY(let_go(instance, fill, sink, err));
        mr_instance_reconsider(instance, fill.ready_s); /* its slot and blocks may be free */
        return MR_OK;
    }
    instance->n_filled++;
    mr_instance_interrupt(instance, fill.ready_s);
    return MR_OK;
}

mr_status mr_fill_join(struct mr_instance *instance, double now_s, struct mr_err *err)
{
    for (size_t i = 0; i < instance->n_fill;) {
        const struct mr_fill fill = instance->fill[i];
        struct mr_call *c = mr_instance_call(instance, fill.call);
        if (fill.ready_s > now_s + MR_SEGMENT_TIE_S)
            return MR_OK;
        if (!decodes(c)) { /* its own event is due */
            i++;
            continue;
        }
        tell_first(c, fill.ready_s);
        (void)take(instance, i);
        instance->n_filled -= i < instance->n_filled;
        MR_TRY(mr_instance_decode(instance, fill.call, err));
    }
    return MR_OK;
}

void mr_fill_forget(struct mr_instance *instance, uint32_t call)
{
    size_t i = 0;
    while (instance->fill[i].call != call)
        i++;
    (void)take(instance, i);
    instance->n_filled -= i < instance->n_filled;
}
