/* SPDX-License-Identifier: Apache-2.0 */
/* Water-filling of a node, the two passes over the tree, policies and the controller's clock.
 *
 * Inside a tree every node is filled for itself, with its children's bounds added up. That spends
 * as much as the limits allow (the sum of caps is the maximum flow) and is fair among the children
 * of a node; it is not the fairest division over all leaves of the site, which would let a rack's
 * share depend on the limits inside another.
 * Map: parameters - filling a node - the tree - a pass - policies - measuring - the clock. */
#include "power/govern.h"

#include "engine/base/assert.h"

#include <math.h>

enum {
    n_newton = 8, /* steps before bounds are parted, too */
};

/* ---- parameters ---- */

static const char *const policies[] = {
#define POLICY_TEXT(name, text, doc) text,
    MR_GOVERN_POLICY_LIST(POLICY_TEXT)
#undef POLICY_TEXT
};

// clang-format off
#define P struct mr_govern_params
static const struct mr_param rows[] = {
    MR_PARAM_ONE_OF(P, policy, "policy", policies, "max_p", "What a package may draw"),
    MR_PARAM(P, period_s, "period", MR_Q_TIME, "10 s", 0, 86400, "Time between decisions; 0: caps are set once"),
    MR_PARAM(P, telemetry_s, "telemetry", MR_Q_TIME, "1 s", 0, 3600, "Age of the powers that are decided on"),
    MR_PARAM(P, actuation_s, "actuation", MR_Q_TIME, "5 s", 0, 3600, "Decision to new clock: 20 ms in band, 1-40 s out of band"),
    MR_PARAM(P, margin, "margin", MR_Q_COUNT, "1.1", 1, 100, "Cap over demand under max_lps"),
    MR_PARAM(P, max_q_frac, "max_q", MR_Q_FRACTION, "85 %", 0.01, 1, "Target under max_q, share of the maximum, where no card says it"),
    MR_PARAM_YES(P, lends_rest, "lends_rest", "yes", "What is left after all demand raises caps, too"),
};
#undef P
// clang-format on

static const struct mr_param_table table = {"governor", "Caps of packages under shared limits.",
                                            rows, sizeof rows / sizeof *rows};

const struct mr_param_table *mr_govern_table(void)
{
    return &table;
}

void mr_govern_defaults(struct mr_govern_params *params)
{
    uint8_t origin[sizeof rows / sizeof *rows];
    *params = (struct mr_govern_params){0};
    mr_param_defaults(&(struct mr_param_target){&table, params, origin, NULL, NULL});
}

mr_status mr_govern_check(const struct mr_govern_params *params, const char *name,
                          struct mr_err *err)
{
    if (params->policy == MR_GOVERN_POLICY_MAXLPS && params->period_s == 0)
        return mr_err_set(err, MR_RANGE, MR_NOWHERE,
                          "%s: max_lps with period 0 s: it lends watts anew each period (say how "
                          "long one is)",
                          name);
    if (params->period_s > 0 && params->period_s < params->telemetry_s)
        return mr_err_set(
            err, MR_RANGE, MR_NOWHERE,
            "%s: period %g s: shorter than telemetry %g s, so decisions would be made "
            "on powers from before the last one",
            name, params->period_s, params->telemetry_s);
    return MR_OK;
}

/* ---- filling a node ---- */

static double clamp(double x, double low, double high)
{
    x = x > low ? x : low;
    return x < high ? x : high;
}

static double sum_of(const struct mr_govern_children *child, const double *value_w, double fixed_w)
{
    double sum_w = fixed_w;
    for (uint32_t i = 0; i < child->n; i++)
        sum_w += child->gain[i] * value_w[i];
    return sum_w;
}

/* A level: who is below it at its minimum, above it at its maximum, others on it. Without branches,
 * for bounds are met at random. @param[out] slope of the sum, of those on the level
 * @return the sum, added in index order */
static double pour(const struct mr_govern_children *child, double lambda, double fixed_w,
                   double *alloc_w, double *slope)
{
    const double *const min_w = child->min_w, *const max_w = child->max_w;
    const double *const weight = child->weight, *const gain = child->gain;
    const uint32_t n = child->n;
    double sum_w = fixed_w, sum = 0;
    for (uint32_t i = 0; i < n; i++) {
        const double level_w = lambda * weight[i];
        const bool is_on = (level_w >= min_w[i]) & (level_w <= max_w[i]);
        const double w = clamp(level_w, min_w[i], max_w[i]);
        alloc_w[i] = w;
        sum_w += gain[i] * w;
        sum += gain[i] * weight[i] * is_on;
    }
    *slope = sum;
    return sum_w;
}

/* Parts the bounds between two levels by their mean; where there are none, the levels. */
static double middle_of(const struct mr_govern_children *child, double low, double high)
{
    double sum = 0;
    uint32_t n = 0;
    for (uint32_t i = 0; i < child->n; i++) {
        const double bound[] = {child->min_w[i] / child->weight[i],
                                child->max_w[i] / child->weight[i]};
        for (int k = 0; k < 2 && bound[0] < bound[1]; k++)
            if (bound[k] > low && bound[k] < high) {
                sum += bound[k];
                n++;
            }
    }
    return n > 0 ? sum / n : 0.5 * (low + high);
}

/* The sum rises with the level, linear from bound to bound, so a step of Newton's from a level is
 * exact once both ends are on one piece. Where it leaves what must hold the answer, or is one of
 * too many, the bounds in between are parted instead, so that the search ends. Sums of n doubles
 * are known to n of their last bits: within these, below the budget, is the answer. */
static void find_level(const struct mr_govern_children *child, double fixed_w, double budget_w,
                       double dust_w, double *alloc_w)
{
    double low = 0, high = (double)INFINITY, nudge = 0x1p-52, slope = 0;
    for (uint32_t i = 0; i < child->n; i++)
        slope += child->gain[i] * child->weight[i];
    double lambda = (budget_w - fixed_w) / slope;
    for (int k = 0;; k++) {
        const double rest_w = budget_w - pour(child, lambda, fixed_w, alloc_w, &slope);
        if (rest_w >= 0 && rest_w <= dust_w)
            return;
        if (rest_w > 0)
            low = lambda;
        else
            high = lambda;
        double next = lambda + rest_w / slope;
        if (rest_w < 0 && rest_w >= -dust_w) { /* a few last bits too high */
            next = fmin(next, lambda - lambda * nudge);
            nudge *= 2;
        }
        if (!(next > low && next < high) || (k >= n_newton && k % 2 == 0))
            next = middle_of(child, low, high);
        if (!(next > low && next < high)) { /* neighbors: the last below the budget */
            pour(child, low, fixed_w, alloc_w, &slope);
            return;
        }
        lambda = next;
    }
}

/* @param[in] low_w, high_w sums of minima and maxima */
static bool fill(const struct mr_govern_children *child, double fixed_w, double low_w,
                 double high_w, double budget_w, double *alloc_w)
{
    const double dust_w = budget_w * (child->n + 4) * 0x1p-52;
    if (high_w <= budget_w)
        memcpy(alloc_w, child->max_w, child->n * sizeof *alloc_w);
    else if (low_w >= budget_w - dust_w)
        memcpy(alloc_w, child->min_w, child->n * sizeof *alloc_w);
    else
        find_level(child, fixed_w, budget_w, dust_w, alloc_w);
    return low_w <= budget_w;
}

bool mr_govern_fill(const struct mr_govern_children *child, double fixed_w, double budget_w,
                    double *alloc_w)
{
    return fill(child, fixed_w, sum_of(child, child->min_w, fixed_w),
                sum_of(child, child->max_w, fixed_w), budget_w, alloc_w);
}

/* ---- the tree ---- */

/* A node with children, these from `first` on. What is the same for them at every decision stands
 * in blocks; nodes whose children are alike share one, so that thousands of racks read the same few
 * lines of the cache. */
struct branch {
    uint32_t node, first, n;
    uint32_t block;
    bool is_flat; /* all children are leaves */
};

struct mr_govern_tree {
    uint32_t n, n_branch;
    uint32_t *n_child;
    double *limit_w;
    struct branch *branch;                             /* by node */
    double *block_limit_w, *block_gain, *block_weight; /* of the children of a branch */
};

static mr_status check_node(const struct mr_govern_node *node, uint32_t i, struct mr_err *err)
{
    if (!(node[i].limit_w >= 0))
        return mr_err_set(err, MR_RANGE, MR_NOWHERE, "power node %u: limit %g W: must be 0 or more",
                          i, node[i].limit_w);
    if (!(node[i].gain > 0 && isfinite(node[i].gain)))
        return mr_err_set(err, MR_RANGE, MR_NOWHERE, "power node %u: gain %g: must be above 0", i,
                          node[i].gain);
    if (i > 0 && (node[i].parent >= i || (i > 1 && node[i].parent < node[i - 1].parent)))
        return mr_err_set(err, MR_REF, MR_NOWHERE,
                          "power node %u: parent %u: nodes must stand level by level, children of "
                          "a node together",
                          i, node[i].parent);
    return MR_OK;
}

static mr_status allocate(struct mr_arena *arena, struct mr_govern_tree *tree,
                          const struct mr_govern_node *node, uint32_t n, struct mr_err *err)
{
    uint32_t n_branch = 0;
    for (uint32_t i = 1; i < n; i++)
        n_branch += i == 1 || node[i].parent != node[i - 1].parent;
    tree->n = n;
    tree->n_child = mr_arena_zero(arena, n, sizeof *tree->n_child, err);
    tree->limit_w = mr_arena_zero(arena, n, sizeof *tree->limit_w, err);
    tree->branch = mr_arena_zero(arena, n_branch, sizeof *tree->branch, err);
    tree->block_limit_w = mr_arena_zero(arena, n, sizeof *tree->block_limit_w, err);
    tree->block_gain = mr_arena_zero(arena, n, sizeof *tree->block_gain, err);
    tree->block_weight = mr_arena_zero(arena, n, sizeof *tree->block_weight, err);
    return tree->n_child != NULL && tree->limit_w != NULL && tree->branch != NULL &&
                   tree->block_limit_w != NULL && tree->block_gain != NULL &&
                   tree->block_weight != NULL
               ? MR_OK
               : MR_NOMEM;
}

static bool is_same_block(const struct mr_govern_tree *tree, const struct branch *a,
                          const struct branch *b)
{
    const size_t size = a->n * sizeof(double);
    return a->n == b->n &&
           memcmp(tree->block_limit_w + a->block, tree->block_limit_w + b->block, size) == 0 &&
           memcmp(tree->block_gain + a->block, tree->block_gain + b->block, size) == 0 &&
           memcmp(tree->block_weight + a->block, tree->block_weight + b->block, size) == 0;
}

/* Blocks in the order of nodes; one that repeats the last is that. */
static void fill_blocks(struct mr_govern_tree *tree, const struct mr_govern_node *node,
                        const double *weight)
{
    uint32_t end = 0;
    for (uint32_t b = 0; b < tree->n_branch; b++) {
        struct branch *const branch = &tree->branch[b];
        branch->block = end;
        for (uint32_t k = 0; k < branch->n; k++) {
            const uint32_t i = branch->first + k;
            tree->block_limit_w[end + k] = node[i].limit_w;
            tree->block_gain[end + k] = node[i].gain;
            tree->block_weight[end + k] = weight[i];
        }
        if (b > 0 && is_same_block(tree, branch - 1, branch))
            branch->block = branch[-1].block;
        else
            end += branch->n;
    }
}

static mr_status weigh(const struct mr_govern_tree *tree, const struct mr_govern_node *node,
                       double *weight, struct mr_err *err)
{
    for (uint32_t i = 0; i < tree->n; i++) {
        if (tree->n_child[i] > 0)
            continue;
        if (!(node[i].weight > 0 && isfinite(node[i].weight)))
            return mr_err_set(err, MR_RANGE, MR_NOWHERE,
                              "power node %u: weight %g: must be above 0", i, node[i].weight);
        weight[i] = node[i].weight;
    }
    for (uint32_t b = tree->n_branch; b-- > 0;) {
        const struct branch *const branch = &tree->branch[b];
        for (uint32_t i = branch->first; i < branch->first + branch->n; i++)
            weight[branch->node] += weight[i];
    }
    return MR_OK;
}

mr_status mr_govern_tree_build(struct mr_arena *arena, const struct mr_govern_node *node,
                               uint32_t n, struct mr_govern_tree **out, struct mr_err *err)
{
    if (n == 0)
        return mr_err_set(err, MR_RANGE, MR_NOWHERE, "a power hierarchy needs a node");
    for (uint32_t i = 0; i < n; i++)
        MR_TRY(check_node(node, i, err));
    struct mr_govern_tree *const tree = mr_arena_zero(arena, 1, sizeof *tree, err);
    if (tree == NULL)
        return MR_NOMEM;
    MR_TRY(allocate(arena, tree, node, n, err));
    for (uint32_t i = 0; i < n; i++) {
        tree->limit_w[i] = node[i].limit_w;
        if (i > 0 && tree->n_child[node[i].parent]++ == 0)
            tree->branch[tree->n_branch++] = (struct branch){.node = node[i].parent, .first = i};
    }
    for (uint32_t b = 0; b < tree->n_branch; b++) {
        struct branch *const branch = &tree->branch[b];
        branch->n = tree->n_child[branch->node];
        branch->is_flat = true;
        for (uint32_t i = branch->first; i < branch->first + branch->n; i++)
            branch->is_flat = branch->is_flat && tree->n_child[i] == 0;
    }
    struct mr_arena scratch = {0};
    double *const weight = mr_arena_zero(&scratch, n, sizeof *weight, err);
    const mr_status st = weight != NULL ? weigh(tree, node, weight, err) : MR_NOMEM;
    if (st == MR_OK)
        fill_blocks(tree, node, weight);
    mr_arena_fini(&scratch);
    *out = tree;
    return st;
}

uint32_t mr_govern_n_node(const struct mr_govern_tree *tree)
{
    return tree->n;
}

bool mr_govern_is_leaf(const struct mr_govern_tree *tree, uint32_t node)
{
    return tree->n_child[node] == 0;
}

double mr_govern_limit_w(const struct mr_govern_tree *tree, uint32_t node)
{
    return tree->limit_w[node];
}

static double fixed_at(const double *fixed_w, uint32_t i)
{
    return fixed_w != NULL ? fixed_w[i] : 0;
}

static struct mr_govern_children children_of(const struct mr_govern_tree *tree,
                                             const struct branch *branch, const double *min_w,
                                             const double *max_w)
{
    return (struct mr_govern_children){.n = branch->n,
                                       .min_w = min_w + branch->first,
                                       .max_w = max_w + branch->first,
                                       .weight = tree->block_weight + branch->block,
                                       .gain = tree->block_gain + branch->block};
}

/* Values of leaves, added up. */
static void add_up(const struct mr_govern_tree *tree, const double *fixed_w, double *value_w)
{
    for (uint32_t b = tree->n_branch; b-- > 0;) {
        const struct branch *const branch = &tree->branch[b];
        const struct mr_govern_children child = children_of(tree, branch, value_w, value_w);
        value_w[branch->node] = sum_of(&child, child.min_w, fixed_at(fixed_w, branch->node));
    }
}

mr_status mr_govern_load_check(const struct mr_govern_tree *tree, const struct mr_govern_load *load,
                               struct mr_err *err)
{
    for (uint32_t i = 0; i < tree->n; i++)
        if (tree->n_child[i] == 0 &&
            !(load->min_w[i] >= 0 && load->min_w[i] <= load->max_w[i] && isfinite(load->max_w[i])))
            return mr_err_set(err, MR_RANGE, MR_NOWHERE,
                              "power node %u: minimum %g W, maximum %g W: must rise from 0 on", i,
                              load->min_w[i], load->max_w[i]);
    struct mr_arena scratch = {0};
    double *const low_w = mr_arena_zero(&scratch, tree->n, sizeof *low_w, err);
    mr_status st = low_w != NULL ? MR_OK : MR_NOMEM;
    if (st == MR_OK)
        mr_govern_measure(tree, load->min_w, load->fixed_w, low_w);
    for (uint32_t i = tree->n; i-- > 0 && st == MR_OK;)
        if (low_w[i] > tree->limit_w[i])
            st = mr_err_set(err, MR_RANGE, MR_NOWHERE,
                            "power node %u: limit %g W: what lies below it draws %g W at least "
                            "(fewer packages, or a higher limit)",
                            i, tree->limit_w[i], low_w[i]);
    mr_arena_fini(&scratch);
    return st;
}

/* ---- a pass ---- */

mr_status mr_govern_pass_init(struct mr_arena *arena, const struct mr_govern_tree *tree,
                              struct mr_govern_pass *pass, struct mr_err *err)
{
    *pass = (struct mr_govern_pass){0};
    pass->alloc_w = mr_arena_zero(arena, tree->n, sizeof *pass->alloc_w, err);
    pass->low_w = mr_arena_zero(arena, tree->n, sizeof *pass->low_w, err);
    pass->high_w = mr_arena_zero(arena, tree->n, sizeof *pass->high_w, err);
    pass->sum_w = mr_arena_zero(arena, tree->n_branch, sizeof *pass->sum_w, err);
    return pass->alloc_w != NULL && pass->low_w != NULL && pass->high_w != NULL &&
                   pass->sum_w != NULL
               ? MR_OK
               : MR_NOMEM;
}

/* What a round gives to leaves: at least `low_w`, at most factor x base within the card's bounds,
 * to tiers from `least` up; others keep the least. Caps go to `out_w`. */
struct round {
    const double *low_w, *base_w;
    double factor;
    int least;
    double *out_w;
};

static void bound_leaves(const struct mr_govern_load *load, const struct round *round,
                         uint32_t first, uint32_t end, double *high_w)
{
    const double *const low_w = round->low_w, *const base_w = round->base_w;
    const double *const min_w = load->min_w, *const max_w = load->max_w, factor = round->factor;
    for (uint32_t i = first; i < end; i++) {
        const double w = clamp(factor * base_w[i], min_w[i], max_w[i]);
        high_w[i] = w > low_w[i] ? w : low_w[i];
    }
    for (uint32_t i = first; load->tier != NULL && i < end; i++)
        if (load->tier[i] < round->least)
            high_w[i] = low_w[i];
}

/* The minima of a branch's children: of leaves the round's, which are only copied where they stand
 * among other nodes. */
static const double *bound_children(const struct mr_govern_tree *tree,
                                    const struct mr_govern_load *load, const struct round *round,
                                    const struct branch *branch, struct mr_govern_pass *pass)
{
    const uint32_t first = branch->first, end = first + branch->n;
    if (branch->is_flat) {
        bound_leaves(load, round, first, end, pass->high_w);
        return round->low_w;
    }
    for (uint32_t i = first; i < end; i++)
        if (tree->n_child[i] == 0) {
            bound_leaves(load, round, i, i + 1, pass->high_w);
            pass->low_w[i] = round->low_w[i];
        }
    return pass->low_w;
}

/* A node's maximum is its limit at most. @return whether that binds */
static bool cut(uint32_t i, double limit_w, double low_w, struct mr_govern_pass *pass)
{
    if (!(pass->high_w[i] > limit_w))
        return false;
    if (low_w > limit_w) {
        pass->n_infeasible++;
        pass->infeasible = i < pass->infeasible ? i : pass->infeasible;
    }
    pass->high_w[i] = low_w > limit_w ? low_w : limit_w;
    return true;
}

/* Bounds of all nodes, added up while those of the children are at hand.
 * @return whether some limit is below the maxima */
static bool gather(const struct mr_govern_tree *tree, const struct mr_govern_load *load,
                   const struct round *round, struct mr_govern_pass *pass)
{
    bool is_tight = false;
    pass->n_infeasible = 0;
    pass->infeasible = tree->n;
    if (tree->n_branch == 0) {
        bound_leaves(load, round, 0, 1, pass->high_w);
        pass->low_w[0] = round->low_w[0];
    }
    for (uint32_t b = tree->n_branch; b-- > 0;) {
        const struct branch *const branch = &tree->branch[b];
        const uint32_t first = branch->first;
        const double *const limit_w = tree->block_limit_w + branch->block;
        const double *const gain = tree->block_gain + branch->block;
        const double *const low_w = bound_children(tree, load, round, branch, pass) + first;
        const double *const high_w = pass->high_w + first;
        double least_w = fixed_at(load->fixed_w, branch->node), most_w = least_w;
        for (uint32_t k = 0; k < branch->n; k++) {
            if (high_w[k] > limit_w[k])
                is_tight |= cut(first + k, limit_w[k], low_w[k], pass);
            least_w += gain[k] * low_w[k];
            most_w += gain[k] * high_w[k];
        }
        pass->low_w[branch->node] = least_w;
        pass->high_w[branch->node] = pass->sum_w[b] = most_w;
    }
    return cut(0, fmin(tree->limit_w[0], load->budget_w), pass->low_w[0], pass) || is_tight;
}

static void spread(const struct mr_govern_tree *tree, const struct mr_govern_load *load,
                   const struct round *round, struct mr_govern_pass *pass)
{
    double *const budget_w = pass->alloc_w;
    budget_w[0] = pass->high_w[0];
    if (tree->n_branch == 0)
        round->out_w[0] = budget_w[0];
    for (uint32_t b = 0; b < tree->n_branch; b++) {
        const struct branch *const branch = &tree->branch[b];
        const struct mr_govern_children child =
            children_of(tree, branch, branch->is_flat ? round->low_w : pass->low_w, pass->high_w);
        (void)fill(&child, fixed_at(load->fixed_w, branch->node), pass->low_w[branch->node],
                   pass->sum_w[b], budget_w[branch->node],
                   (branch->is_flat ? round->out_w : budget_w) + branch->first);
        for (uint32_t i = branch->first; !branch->is_flat && i < branch->first + branch->n; i++)
            if (tree->n_child[i] == 0)
                round->out_w[i] = budget_w[i];
    }
}

/* ---- policies ---- */

static struct round ceilings(const struct mr_govern_params *params,
                             const struct mr_govern_load *load)
{
    const double *const max_q_w = load->max_q_w;
    switch (params->policy) {
    case MR_GOVERN_POLICY_MAXQ:
        return (struct round){.low_w = load->min_w,
                              .base_w = max_q_w != NULL ? max_q_w : load->max_w,
                              .factor = max_q_w != NULL ? 1 : params->max_q_frac};
    case MR_GOVERN_POLICY_MAXLPS:
        return (struct round){
            .low_w = load->min_w, .base_w = load->demand_w, .factor = params->margin};
    default:
        return (struct round){.low_w = load->min_w, .base_w = load->max_w, .factor = 1};
    }
}

/* Everybody gets the minimum; then, where not all can have their ceilings, tiers are served from
 * the highest down, each filled on top of what is given already; the rest may raise caps. A round
 * reads the caps of the last and writes to the other of two arrays, so that it ends in alloc_w. */
void mr_govern_decide(const struct mr_govern_tree *tree, const struct mr_govern_params *params,
                      const struct mr_govern_load *load, struct mr_govern_pass *pass)
{
    struct round round = ceilings(params, load);
    const bool lends = params->policy == MR_GOVERN_POLICY_MAXLPS && params->lends_rest;
    const bool is_tight = gather(tree, load, &round, pass);
    const uint32_t n_infeasible = pass->n_infeasible, infeasible = pass->infeasible;
    int n_left = is_tight && load->tier != NULL && load->n_tier > 1 ? load->n_tier : 1;
    for (bool is_first = n_left == 1; n_left-- > 0; is_first = false) {
        round.least = n_left;
        if (!is_first)
            gather(tree, load, &round, pass);
        round.out_w = (n_left + lends) % 2 == 0 ? pass->alloc_w : pass->low_w;
        spread(tree, load, &round, pass);
        round.low_w = round.out_w;
    }
    if (lends) {
        round = (struct round){round.low_w, load->max_w, 1, 0, pass->alloc_w};
        gather(tree, load, &round, pass);
        spread(tree, load, &round, pass);
    }
    pass->n_infeasible = n_infeasible;
    pass->infeasible = infeasible;
}

/* ---- measuring ---- */

void mr_govern_measure(const struct mr_govern_tree *tree, const double *leaf_w,
                       const double *fixed_w, double *node_w)
{
    for (uint32_t i = 0; i < tree->n; i++)
        node_w[i] = leaf_w[i];
    add_up(tree, fixed_w, node_w);
}

uint32_t mr_govern_over(const struct mr_govern_tree *tree, const double *node_w, uint32_t from)
{
    while (from < tree->n && !(node_w[from] > tree->limit_w[from]))
        from++;
    return from;
}

/* ---- the controller's clock ---- */

struct mr_govern_clock mr_govern_clock_start(double t_s)
{
    return (struct mr_govern_clock){.next_s = t_s, .sampled_s = t_s, .phase = MR_GOVERN_SAMPLE};
}

enum mr_govern_phase mr_govern_clock_step(struct mr_govern_clock *clock,
                                          const struct mr_govern_params *params)
{
    const enum mr_govern_phase due = (enum mr_govern_phase)clock->phase;
    const double decided_s = clock->sampled_s + params->telemetry_s;
    const double applied_s = decided_s + params->actuation_s;
    switch (due) {
    case MR_GOVERN_SAMPLE:
        clock->sampled_s = clock->next_s;
        clock->next_s += params->telemetry_s;
        clock->phase = MR_GOVERN_DECIDE;
        break;
    case MR_GOVERN_DECIDE:
        clock->next_s = applied_s;
        clock->phase = MR_GOVERN_APPLY;
        break;
    case MR_GOVERN_APPLY:
        clock->next_s = params->period_s > 0 ? fmax(clock->sampled_s + params->period_s, applied_s)
                                             : (double)INFINITY;
        clock->phase = MR_GOVERN_SAMPLE;
        break;
    }
    return due;
}

void mr_govern_clock_skip(struct mr_govern_clock *clock, const struct mr_govern_params *params,
                          double t_s)
{
    const double round_s = fmax(params->period_s, params->telemetry_s + params->actuation_s);
    const double n = params->period_s > 0 ? floor((t_s - clock->next_s) / round_s) : 0;
    if (n > 0) {
        clock->sampled_s += n * round_s;
        clock->next_s += n * round_s;
    }
    while (clock->next_s < t_s)
        (void)mr_govern_clock_step(clock, params);
}

/* Just after a sample something changes: the next sample, its way here, the command's way back. */
double mr_govern_latency_s(const struct mr_govern_params *params)
{
    const double reaction_s = params->telemetry_s + params->actuation_s;
    return params->period_s > 0 ? fmax(params->period_s, reaction_s) + reaction_s
                                : (double)INFINITY;
}
