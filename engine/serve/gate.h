/* SPDX-License-Identifier: Apache-2.0 */
/* Calls that wait outside until their tier lets them in (admission.h), first come first served in
 * each tier, each at most as long as its tier says.
 *
 * Who waits first is asked again when a call of the cell has ended, when the tier's bucket holds
 * its tokens (a date known in advance), and at its deadline for the last time: then it goes to a
 * cheaper tier, if there is one that takes it, or is refused. Tiers are asked in the order of
 * their calls in queues; behind a call that waits all others of its tier wait as well. */
#ifndef MR_ENGINE_SERVE_GATE_H
#define MR_ENGINE_SERVE_GATE_H

#include "engine/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mr_cell;

struct mr_gate_line {
    uint32_t *call; /* a ring */
    size_t first, n, cap;
};

/* All 0 but for next_s, INFINITY: nobody waits. */
struct mr_gate {
    struct mr_gate_line line[256]; /* of each tier */
    uint8_t order[256];            /* tiers that may wait, [n_order] */
    uint32_t n_order, n;           /* n: calls that wait, of all tiers */
    double next_s;                 /* of a bucket, or a deadline */
    double left_s;                 /* when a call ended last */
    bool has_left;                 /* since they were asked last */
};

/** Tiers with patience, in the order of their ranks. */
void mr_gate_init(struct mr_cell *cell);
void mr_gate_fini(struct mr_gate *gate);

/** Does anybody of a tier wait? */
static inline bool mr_gate_has(const struct mr_gate *gate, uint8_t tier)
{
    return gate->line[tier].n > 0;
}

/** It waits behind those of its tier. */
MR_CHECKED mr_status mr_gate_hold(struct mr_cell *cell, uint32_t call, double now_s,
                                  struct mr_err *err);

/** All who may come in now do; deadlines that have passed are kept. */
MR_CHECKED mr_status mr_gate_ask(struct mr_cell *cell, double now_s, struct mr_err *err);

#endif
