/* SPDX-License-Identifier: Apache-2.0 */
/* Entries are never searched for: a call says itself (is_growing, crosses) whether one is its own.
 */
#include "engine/serve/sliding.h"

#include "engine/base/mem.h"
#include "engine/clock/heap.h"

#include <math.h>

void mr_sliding_fini(struct mr_sliding *window)
{
    mr_free(window->cross);
    *window = (struct mr_sliding){.size = window->size};
}

static struct mr_heap heap_of(const struct mr_sliding *window)
{
    return (struct mr_heap){window->cross, (uint32_t)window->n_cross, (uint32_t)window->cap};
}

/* Until a context reaches the window. */
static uint64_t steps_below(const struct mr_sliding *window, uint64_t context)
{
    const uint64_t gap = window->size - context;
    return window->extra > 0 ? (uint64_t)ceil((double)gap / (1 + window->extra)) : gap;
}

mr_status mr_sliding_enter(struct mr_sliding *window, struct mr_call *call, uint32_t id,
                           uint64_t context, uint32_t clock, struct mr_err *err)
{
    call->is_growing = context < window->size;
    window->tokens += call->is_growing ? context : window->size;
    if (!call->is_growing)
        return MR_OK;
    MR_TRY(mr_grow(&window->cross, &window->cap, window->n_cross + 1, sizeof *window->cross, err));
    struct mr_heap heap = heap_of(window);
    call->crosses = (uint32_t)(clock + steps_below(window, context));
    mr_heap_push(&heap, mr_heap_key(call->crosses, id));
    window->n_cross = heap.n;
    window->n_growing++;
    return MR_OK;
}

void mr_sliding_leave(struct mr_sliding *window, struct mr_call *call, uint64_t context,
                      uint64_t n_step)
{
    window->tokens -= call->is_growing ? context + n_step : window->size;
    if (call->is_growing && window->extra > 0)
        window->steps -= n_step;
    window->n_growing -= call->is_growing;
    call->is_growing = false;
}

static bool is_own(const struct mr_call *calls, uint64_t key)
{
    const struct mr_call *call = &calls[mr_heap_key_id(key)];
    return call->is_growing && call->crosses == mr_heap_key_finish(key);
}

uint64_t mr_sliding_left(struct mr_sliding *window, const struct mr_call *calls, uint32_t clock)
{
    struct mr_heap heap = heap_of(window);
    while (heap.n > 0 && !is_own(calls, mr_heap_top(&heap)))
        mr_heap_pop(&heap);
    window->n_cross = heap.n;
    return heap.n > 0 ? mr_heap_key_finish(mr_heap_top(&heap)) - clock : UINT64_MAX;
}

void mr_sliding_step_some(struct mr_sliding *window, struct mr_call *calls, uint64_t n,
                          uint32_t clock)
{
    window->tokens += n * window->n_growing;
    if (window->extra > 0)
        window->steps += n * window->n_growing;
    struct mr_heap heap = heap_of(window);
    while (heap.n > 0 && mr_heap_key_finish(mr_heap_top(&heap)) <= clock) {
        const uint64_t key = mr_heap_pop(&heap);
        if (!is_own(calls, key))
            continue;
        struct mr_call *call = &calls[mr_heap_key_id(key)];
        call->is_growing = false;
        window->n_growing--;
        if (window->extra > 0) { /* else it has grown to the window exactly */
            const uint64_t context = (uint64_t)call->n_prompt + 1 - window->unread;
            const uint64_t n_step = steps_below(window, context);
            window->tokens += window->size - (context + n_step);
            window->steps -= n_step;
        }
    }
    window->n_cross = heap.n;
}

void mr_sliding_rebase(struct mr_sliding *window, struct mr_call *calls, uint32_t by)
{
    size_t n = 0;
    for (size_t i = 0; i < window->n_cross; i++)
        if (is_own(calls, window->cross[i]))
            window->cross[n++] = window->cross[i];
    struct mr_heap heap = {window->cross, 0, (uint32_t)window->cap};
    for (size_t i = 0; i < n; i++) {
        struct mr_call *call = &calls[mr_heap_key_id(window->cross[i])];
        if (is_own(calls, window->cross[i])) { /* of two equal entries the first */
            call->crosses -= by;
            mr_heap_push(&heap, mr_heap_key(call->crosses, mr_heap_key_id(window->cross[i])));
        }
    }
    window->n_cross = heap.n;
}
