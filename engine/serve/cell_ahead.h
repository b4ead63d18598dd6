/* SPDX-License-Identifier: Apache-2.0 */
/* Prompts that are read ahead: while the tools of an agent run what is already known of its next
 * prompt, the last one and the answer to it, can be put into the cache. That is nobody's call: it
 * waits behind all others, on the instance that served the session, makes the one token that its
 * prompt yields, and only its blocks are left of it. The next call finds them, or reads for itself
 * what is not there yet.
 *
 * Ignored: a prompt read ahead is not given up when its session's call comes first. None is in
 * cells with a prefill pool. */
#ifndef MR_ENGINE_SERVE_CELL_AHEAD_H
#define MR_ENGINE_SERVE_CELL_AHEAD_H

#include "engine/serve/cell.h"

/** A call has ended whose next one may be read ahead; instances may be at work. */
MR_CHECKED mr_status mr_cell_ahead_want(struct mr_cell *cell, const struct mr_ticket *ticket,
                                        struct mr_err *err);

/** Begin all that are wanted: no instance is at work. */
MR_CHECKED mr_status mr_cell_ahead_begin(struct mr_cell *cell, double now_s, struct mr_err *err);

/** One has ended: its place is given back. */
void mr_cell_ahead_ended(struct mr_cell *cell, uint32_t call);

#endif
