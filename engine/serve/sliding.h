/* SPDX-License-Identifier: Apache-2.0 */
/* Sliding windows without touching requests: the sum of min(context, window) of all that decode. A
 * context below the window grows by one per step, or by 1 + extra with drafts (accept.h); when it
 * reaches the window is known when it begins, so a heap of these clocks says when the growth
 * changes next. The sum is tokens + extra x steps: whole numbers times a constant never drift. */
#ifndef MR_ENGINE_SERVE_SLIDING_H
#define MR_ENGINE_SERVE_SLIDING_H

#include "engine/base/status.h"
#include "engine/serve/call.h"

struct mr_sliding {
    uint64_t size;   /* tokens; 0: the network has none */
    double extra;    /* that contexts grow by per step, beyond one */
    uint32_t unread; /* a context begins with prompt + 1 tokens less this; read with extra only */
    uint64_t tokens; /* the sum, had contexts grown by one per step below the window */
    uint64_t steps;  /* made below the window by those below it, where extra > 0 */
    uint32_t n_growing;
    uint64_t *cross; /* heap of clock << 32 | call; what has ended meanwhile is passed over */
    size_t n_cross, cap;
};

void mr_sliding_fini(struct mr_sliding *window);

/** A call of `context` tokens begins to decode at `clock`, counted from a base of the caller. */
MR_CHECKED mr_status mr_sliding_enter(struct mr_sliding *window, struct mr_call *call, uint32_t id,
                                      uint64_t context, uint32_t clock, struct mr_err *err);

/** It ends or stops. @param[in] context it began with @param[in] n_step made since */
void mr_sliding_leave(struct mr_sliding *window, struct mr_call *call, uint64_t context,
                      uint64_t n_step);

static inline double mr_sliding_sum(const struct mr_sliding *window)
{
    return window->size > 0 ? (double)window->tokens + window->extra * (double)window->steps : 0;
}

/** Steps from `clock` until a context reaches the window; UINT64_MAX: none does. Looks past calls
 *  that are no longer there, and forgets them. */
uint64_t mr_sliding_left(struct mr_sliding *window, const struct mr_call *calls, uint32_t clock);

void mr_sliding_step_some(struct mr_sliding *window, struct mr_call *calls, uint64_t n,
                          uint32_t clock);

/** `n` steps were made, no more than mr_sliding_left; it is `clock` now. Who grows has an entry. */
static inline void mr_sliding_step(struct mr_sliding *window, struct mr_call *calls, uint64_t n,
                                   uint32_t clock)
{
    if (window->n_cross > 0)
        mr_sliding_step_some(window, calls, n, clock);
}

/** The clock is counted from another base, `by` later. */
void mr_sliding_rebase(struct mr_sliding *window, struct mr_call *calls, uint32_t by);

#endif
