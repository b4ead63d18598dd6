/* SPDX-License-Identifier: Apache-2.0 */
/* Sliding windows without touching requests: the sum of min(context, window) of all that decode. A
 * context below the window grows by one per step; when it reaches the window is known when it
 * begins, so a heap of these clocks says when the growth changes next. */
#ifndef MR_ENGINE_SERVE_WINDOW_H
#define MR_ENGINE_SERVE_WINDOW_H

#include "engine/base/status.h"
#include "engine/serve/call.h"

struct mr_window {
    uint64_t size; /* tokens; 0: the network has none */
    uint64_t tokens;
    uint32_t n_growing;
    uint64_t *cross; /* heap of clock << 32 | call; what has ended meanwhile is passed over */
    size_t n_cross, cap;
};

void mr_window_fini(struct mr_window *window);

/** A call of `context` tokens begins to decode at `clock`, counted from a base of the caller. */
MR_CHECKED mr_status mr_window_enter(struct mr_window *window, struct mr_call *call, uint32_t id,
                                     uint64_t context, uint32_t clock, struct mr_err *err);

/** It ends or stops. */
void mr_window_leave(struct mr_window *window, struct mr_call *call, uint64_t context);

/** Steps from `clock` until a context reaches the window; UINT64_MAX: none does. Looks past calls
 *  that are no longer there, and forgets them. */
uint64_t mr_window_left(struct mr_window *window, const struct mr_call *calls, uint32_t clock);

/** `n` steps were made, no more than mr_window_left; it is `clock` now. */
void mr_window_step(struct mr_window *window, struct mr_call *calls, uint64_t n, uint32_t clock);

/** The clock is counted from another base, `by` later. */
void mr_window_rebase(struct mr_window *window, struct mr_call *calls, uint32_t by);

#endif
