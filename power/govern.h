/* SPDX-License-Identifier: Apache-2.0 */
/* Who may draw how much: caps of packages under the limits of every level above them (tray, rack,
 * row, feed, site).
 *
 * A node with budget B gives child i clamp(lambda w_i, min_i, max_i), one lambda for all, such that
 * the sum is B: nobody gets more while a neighbor of equal weight has less and could use it. A pass
 * adds minima and maxima up from the leaves, then fills down from the root, a few times through the
 * children of a node. The caps that come out never add up to more than any limit, to the last bit.
 *
 * Policies say what a leaf's maximum is: of its card (Max-P), a lower target (Max-Q), or what it
 * can use now (MaxLPS), so that watts nobody uses serve others. Nothing here knows clocks. */
#ifndef MR_POWER_GOVERN_H
#define MR_POWER_GOVERN_H

#include "engine/base/arena.h"
#include "engine/base/param.h"

/* name in files, meaning */
#define MR_GOVERN_POLICY_LIST(X)                                     \
    X(MAXP, "max_p", "every package may draw its card's maximum")    \
    X(MAXQ, "max_q", "every package may draw its efficiency target") \
    X(MAXLPS, "max_lps", "watts that some do not use are lent to others each period")

enum mr_govern_policy {
#define MR_GOVERN_POLICY_ENUM(name, text, doc) MR_GOVERN_POLICY_##name,
    MR_GOVERN_POLICY_LIST(MR_GOVERN_POLICY_ENUM)
#undef MR_GOVERN_POLICY_ENUM
};

struct mr_govern_params {
    int policy;                      /* enum mr_govern_policy */
    double period_s;                 /* of decisions; 0: caps are set once */
    double telemetry_s, actuation_s; /* age of what is decided on; decision to new clock */
    double margin;                   /* MaxLPS: maximum over demand */
    double max_q_frac;               /* Max-Q target where no card says it */
    bool lends_rest;                 /* MaxLPS: what is left after all demand raises caps, too */
};

const struct mr_param_table *mr_govern_table(void);
void mr_govern_defaults(struct mr_govern_params *params);

/** @param[in] name start of the message @return MR_OK or MR_RANGE */
MR_CHECKED mr_status mr_govern_check(const struct mr_govern_params *params, const char *name,
                                     struct mr_err *err);

/* ---- one node ---- */

/* Children of one node. `gain` is watts at the node per watt of the child (loss between them). */
struct mr_govern_children {
    uint32_t n;
    const double *min_w, *max_w, *weight, *gain; /* weight > 0, gain > 0 */
};

/** Fill one node. sum(gain alloc) <= budget_w - fixed_w, also as doubles added in index order onto
 *  fixed_w, and no more than n + 4 last bits of the budget below it. Too small a budget gives every
 * child its minimum.
 *  @return false when the minima do not fit */
bool mr_govern_fill(const struct mr_govern_children *child, double fixed_w, double budget_w,
                    double *alloc_w);

/* ---- the tree ---- */

/* Nodes level by level: a node's parent comes before it and parents never decrease, so the children
 * of a node stand together. Node 0 is the site; nodes without children are the governed loads. */
struct mr_govern_node {
    uint32_t parent; /* of node 0: not read */
    double limit_w;  /* INFINITY: none */
    double gain;     /* watts at the parent per watt here */
    double weight;   /* of a leaf; other nodes have the sum of their leaves' */
};

struct mr_govern_tree; /* const once built */

/** @param[in,out] arena owns the tree @return MR_OK, MR_RANGE, MR_NOMEM */
MR_CHECKED mr_status mr_govern_tree_build(struct mr_arena *arena, const struct mr_govern_node *node,
                                          uint32_t n, struct mr_govern_tree **out,
                                          struct mr_err *err);
uint32_t mr_govern_n_node(const struct mr_govern_tree *tree);
bool mr_govern_is_leaf(const struct mr_govern_tree *tree, uint32_t node);
double mr_govern_limit_w(const struct mr_govern_tree *tree, uint32_t node);

/* What the leaves want, one entry per node; entries of inner nodes are read in fixed_w only. */
struct mr_govern_load {
    const double *min_w, *max_w; /* of the card, min <= max */
    const double *max_q_w;       /* NULL: max_q_frac of max_w */
    const double *demand_w;      /* uncapped, MaxLPS only */
    const double *fixed_w;       /* drawn at the node itself, not governed; NULL: none */
    const uint8_t *tier;         /* 0 is cut first; NULL: all alike */
    uint8_t n_tier;
    double budget_w; /* of node 0 beside its limit; INFINITY: none */
};

/** Refuse leaves with min > max and limits below what lies under them at least. The message names
 *  node and cure. */
MR_CHECKED mr_status mr_govern_load_check(const struct mr_govern_tree *tree,
                                          const struct mr_govern_load *load, struct mr_err *err);

/* Arrays of one pass, sized once. */
struct mr_govern_pass {
    double *alloc_w; /* result: cap of a leaf, budget of an inner node */
    double *low_w, *high_w, *sum_w;
    uint32_t n_infeasible; /* nodes whose minima exceed their limit */
    uint32_t infeasible;   /* the first of them */
};

MR_CHECKED mr_status mr_govern_pass_init(struct mr_arena *arena, const struct mr_govern_tree *tree,
                                         struct mr_govern_pass *pass, struct mr_err *err);

/** One decision. Allocates nothing. */
void mr_govern_decide(const struct mr_govern_tree *tree, const struct mr_govern_params *params,
                      const struct mr_govern_load *load, struct mr_govern_pass *pass);

/** Power of every node from its leaves. @param[out] node_w leaves are copied */
void mr_govern_measure(const struct mr_govern_tree *tree, const double *leaf_w,
                       const double *fixed_w, double *node_w);

/** First node from `from` on that draws more than its limit, or the number of nodes. */
uint32_t mr_govern_over(const struct mr_govern_tree *tree, const double *node_w, uint32_t from);

/* ---- the controller's clock ---- */

#define MR_GOVERN_PHASE_LIST(X)                      \
    X(SAMPLE, "demand is read")                      \
    X(DECIDE, "what was read arrives: run the pass") \
    X(APPLY, "the packages follow: caps come in force")

enum mr_govern_phase {
#define MR_GOVERN_PHASE_ENUM(name, doc) MR_GOVERN_##name,
    MR_GOVERN_PHASE_LIST(MR_GOVERN_PHASE_ENUM)
#undef MR_GOVERN_PHASE_ENUM
};

/* One command is under way at a time: sampling waits until the last one is in force. */
struct mr_govern_clock {
    double next_s;
    double sampled_s; /* last sample */
    int phase;        /* what is due at next_s */
};

struct mr_govern_clock mr_govern_clock_start(double t_s);

/** Do what is due: returns the phase and moves on. next_s is INFINITY after the one decision of a
 *  controller without period. */
enum mr_govern_phase mr_govern_clock_step(struct mr_govern_clock *clock,
                                          const struct mr_govern_params *params);

/** Beats before t_s pass with nothing done: the caller knows that nothing would come of them. */
void mr_govern_clock_skip(struct mr_govern_clock *clock, const struct mr_govern_params *params,
                          double t_s);

/** Longest time from a change of demand or limit to caps that answer it. */
double mr_govern_latency_s(const struct mr_govern_params *params);

#endif
