/* SPDX-License-Identifier: Apache-2.0 */
/* Between the files of the chain: what a node carries. */
#ifndef MR_POWER_CHAIN_IMPL_H
#define MR_POWER_CHAIN_IMPL_H

#include "power/chain.h"

struct mr_chain_node {
    double out_w, loss_w, in_w, demand_w, inject_w;
    struct mr_stage law; /* of what runs, as one unit */
    double since_s;      /* energies stand at this time */
    double out_j, loss_j, in_j, own_j, inject_j, served_j, unserved_j;
    double held_w,
        spread_w; /* HOLD: delivered when the loss was computed, furthest from it since */
    uint32_t first_edge, n_edge;    /* as the tree has them, near at hand */
    bool is_live, is_own, is_stale; /* stale: the loss does not fit what runs */
    bool is_over, has_breaker, is_staged, has_cable;
    bool is_late; /* overloads are to be looked at */
};

/* A transfer switch, or any node's standing towards its feeds. */
struct mr_chain_feed {
    uint32_t now, next;       /* edge numbers; MR_CIRCUIT_NONE */
    double gap_s, change_s;   /* the gap began, the change is done */
    bool is_ridden;           /* nobody notices the gap */
    bool has_failed, is_open; /* is_open: switch of a node without a breaker */
    bool is_on, is_backed;
};

struct mr_chain {
    const struct mr_circuit *tree;
    struct mr_chain_options options;
    double now_s, hold_w;
    struct mr_chain_node *flow;
    double *taken_w; /* in_w of each node again, side by side: a busbar sums over thousands */
    struct mr_chain_feed *feed;
    struct mr_units_state *units;
    struct mr_breaker_state *breaker;
    double *share;       /* of each edge: what it takes of the child's input, 0: nothing */
    bool *is_cable_over; /* of each edge */
    uint64_t *dirty;     /* one bit per rank */
    size_t top;          /* no dirty word above */
    bool is_rewired;     /* who feeds whom must be looked at */
    double *due_s;       /* n_due_kind x n_node */
    uint32_t *due_place, *due_list;
    size_t n_due;
    double *carry_w; /* scratch of the tick */
    double *asked_w; /* of nodes: what if */
    bool *is_asked;  /* would be alive */
    uint32_t *staged, *late;
    size_t n_staged, n_late;
    bool is_answering; /* overloads wait */
    struct mr_arena arena;
};

/* Does a node work, whoever feeds it? */
static inline bool mr_chain_can_work(const struct mr_chain *chain, uint32_t node)
{
    const struct mr_chain_feed *feed = &chain->feed[node];
    return !feed->has_failed && !feed->is_open && !chain->breaker[node].is_open &&
           chain->units[node].n_failed < chain->tree->node[node].units.n_installed;
}

/* May a switch leave a feed that lives for a better one? Where nobody notices: a rack's own
 * capacitors last milliseconds. */
static inline bool mr_chain_may_return(const struct mr_chain *chain, uint32_t node)
{
    const struct mr_circuit_node *desc = &chain->tree->node[node];
    return (chain->feed[node].is_backed && !desc->is_load) ||
           desc->transfer_s <= chain->tree->holdup_s;
}

/* Energies up to now at the watts that held. */
static inline void mr_chain_account(const struct mr_chain *chain, struct mr_chain_node *f)
{
    const double dt_s = chain->now_s - f->since_s;
    if (!(dt_s > 0))
        return;
    f->since_s = chain->now_s;
    if (!f->is_live) {
        f->unserved_j += f->demand_w * dt_s;
        return;
    }
    const double in_j = f->in_w * dt_s;
    f->out_j += f->out_w * dt_s;
    f->loss_j += f->loss_w * dt_s;
    f->in_j += in_j;
    f->served_j += f->demand_w * dt_s;
    f->inject_j += f->inject_w * dt_s;
    if (f->is_own)
        f->own_j += in_j;
}

#endif
