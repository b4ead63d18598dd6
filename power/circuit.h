/* SPDX-License-Identifier: Apache-2.0 */
/* The power chain as a description: nodes from the grid connection to the racks, each fed by none
 * (a source), one, or several others; const after mr_circuit_create, which refuses chains that
 * cannot be. What flows in it is chain.h.
 *
 * A node is n equal units on one bar, a breaker at the output of each (they share the load, so they
 * trip together); a rack is a node too, that nothing hangs on. An edge is the cable from a node to
 * one that feeds it. With several feeds a node either shares its input among those that are alive
 * (dual cords, parallel rectifiers), in proportion to `share`, or takes all from the first that is
 * alive (a transfer switch). So 2N is two equal shares, 4N/3 two shares out of four systems, a
 * block catcher the second edge of a transfer switch; N+1 is a spare unit. Nothing else
 * distinguishes them. */
#ifndef MR_POWER_CIRCUIT_H
#define MR_POWER_CIRCUIT_H

#include "engine/base/arena.h"
#include "power/breaker.h"
#include "power/units.h"

#define MR_CIRCUIT_NONE UINT32_MAX

enum mr_circuit_split {
    MR_CIRCUIT_SHARE,   /* all live feeds at once */
    MR_CIRCUIT_TRANSFER /* the first live feed; changing over takes transfer_s */
};

extern const double mr_circuit_sts_s, mr_circuit_ats_s, mr_circuit_holdup_s; /* 8 ms, 10 s, 20 ms */

struct mr_circuit_edge {
    uint32_t parent;
    double share;    /* > 0 */
    double rating_w; /* of the cable, at the parent's end; INFINITY: none is stated */
};

struct mr_circuit_node {
    const char *name;
    int kind; /* enum mr_stage_kind: what messages and sums by stage call it */
    struct mr_units units;
    int split; /* enum mr_circuit_split */
    double transfer_s;
    double voltage_v; /* at its output; 0: not stated */
    bool is_dc;
    int n_phase;                 /* of alternating current: 1 or 3 */
    double power_factor;         /* of alternating current */
    struct mr_breaker breaker;   /* of one unit */
    bool is_load;                /* a rack: placed, and lost, as a whole */
    bool may_oversubscribe;      /* its children's ratings may add up to more than its own */
    uint32_t first_edge, n_edge; /* 0 edges: a source */
    struct mr_place at;
};

struct mr_circuit {
    struct mr_circuit_node *node;
    struct mr_circuit_edge *edge;
    uint32_t *edge_child; /* the node an edge belongs to */
    size_t n_node, n_edge;
    double holdup_s; /* a gap of supply that loads do not notice */
    /* made by mr_circuit_create */
    uint32_t *order;      /* nodes, parents before children */
    uint32_t *rank;       /* place in `order` */
    uint32_t *first_down; /* n_node + 1: into `down` */
    uint32_t *down;       /* edges by parent, in edge order */
    double *amp_per_w;    /* at the output; 0: no voltage is stated */
    struct mr_arena arena;
};

/** A node of one unit, three-phase, power factor 0.99, everything running, no breaker, no voltage,
 *  an instant changeover, which the caller may change.
 *  @param[in] name lent until mr_circuit_create copies it */
struct mr_circuit_node mr_circuit_node_of(const char *name, int kind, double rating_w);

/** Copy and check. All mistakes are added to `diags`; on any, *out is NULL: references, cycles,
 *  voltages that meet without a converter, phases, two sources in parallel, ratings that do not
 *  carry what hangs on them, breakers and units that cannot be.
 *  @param[in] node their edges are edge[first_edge .. first_edge + n_edge - 1] */
MR_CHECKED mr_status mr_circuit_create(const struct mr_circuit_node *node, size_t n_node,
                                       const struct mr_circuit_edge *edge, size_t n_edge,
                                       double holdup_s, struct mr_circuit **out,
                                       struct mr_diags *diags);
void mr_circuit_destroy(struct mr_circuit *tree);

/** Amperes of a node's output per watt: 1 / (sqrt 3 V pf), 1 / (V pf) with one phase, 1 / V. */
double mr_circuit_amp_per_w(const struct mr_circuit_node *node);

/** Rated output of the units that are not spare. */
double mr_circuit_rating_w(const struct mr_circuit_node *node);

static inline bool mr_circuit_is_leaf(const struct mr_circuit *tree, uint32_t node)
{
    return tree->first_down[node] == tree->first_down[node + 1];
}

#endif
