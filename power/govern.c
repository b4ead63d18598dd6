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
    run_length = 12,   /* sorted by insertion */
    n_shrink_max = 64, /* halvings of the rest, each doubles the step */
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

static bool before(const struct mr_govern_break *a, const struct mr_govern_break *b)
{
    return a->at < b->at || (a->at == b->at && a->i < b->i);
}

static void sort_run(struct mr_govern_break *item, uint32_t n)
{
    for (uint32_t k = 1; k < n; k++) {
        const struct mr_govern_break x = item[k];
        uint32_t j = k;
        for (; j > 0 && before(&x, &item[j - 1]); j--)
            item[j] = item[j - 1];
        item[j] = x;
    }
}

static void merge(const struct mr_govern_break *a, uint32_t n_a, const struct mr_govern_break *b,
                  uint32_t n_b, struct mr_govern_break *out)
{
    uint32_t i = 0, j = 0;
    while (i < n_a || j < n_b)
        if (j == n_b || (i < n_a && !before(&b[j], &a[i])))
            *out++ = a[i++];
        else
            *out++ = b[j++];
}

/* Stable merge sort without recursion. @return where the sorted items are, in one of the two */
static struct mr_govern_break *sort(struct mr_govern_break *item, struct mr_govern_break *other,
                                    uint32_t n)
{
    for (uint32_t k = 0; k < n; k += run_length)
        sort_run(item + k, n - k < run_length ? n - k : run_length);
    for (uint32_t run = run_length; run < n; run *= 2) {
        for (uint32_t k = 0; k < n; k += 2 * run) {
            const uint32_t n_a = n - k < run ? n - k : run;
            const uint32_t n_b = n - k - n_a < run ? n - k - n_a : run;
            merge(item + k, n_a, item + k + n_a, n_b, other + k);
        }
        struct mr_govern_break *const swap = item;
        item = other;
        other = swap;
    }
    return item;
}

static double clamp(double x, double low, double high)
{
    return x < low ? low : x > high ? high : x;
}

static double sum_of(const struct mr_govern_children *child, const double *value_w, double fixed_w)
{
    double sum_w = fixed_w;
    for (uint32_t i = 0; i < child->n; i++)
        sum_w += child->gain[i] * value_w[i];
    return sum_w;
}

static double pour(const struct mr_govern_children *child, double lambda, double fixed_w,
                   double *alloc_w)
{
    double sum_w = fixed_w;
    for (uint32_t i = 0; i < child->n; i++) {
        alloc_w[i] = clamp(lambda * child->weight[i], child->min_w[i], child->max_w[i]);
        sum_w += child->gain[i] * alloc_w[i];
    }
    return sum_w;
}

/* The water level: walk the sum, piecewise linear in lambda, to the piece where it is the budget;
 * then solve that piece afresh, without what rounding gathered on the way. */
static double level_of(const struct mr_govern_children *child, double low_w, double budget_w,
                       double fixed_w, struct mr_govern_break *scratch)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < child->n; i++) {
        if (!(child->max_w[i] > child->min_w[i]))
            continue;
        const double w = child->weight[i], slope = child->gain[i] * w;
        scratch[n++] = (struct mr_govern_break){child->min_w[i] / w, slope, 2 * i};
        scratch[n++] = (struct mr_govern_break){child->max_w[i] / w, -slope, 2 * i + 1};
    }
    const struct mr_govern_break *const item = sort(scratch, scratch + n, n);
    double sum_w = low_w, slope = 0, lambda = 0;
    for (uint32_t k = 0; k < n; k++) {
        const double next_w = sum_w + slope * (item[k].at - lambda);
        if (next_w >= budget_w)
            break;
        sum_w = next_w;
        lambda = item[k].at;
        slope += item[k].slope;
    }
    double held_w = fixed_w, free_slope = 0;
    for (uint32_t i = 0; i < child->n; i++) {
        const double w = child->weight[i];
        if (child->min_w[i] / w > lambda || !(child->max_w[i] > child->min_w[i]))
            held_w += child->gain[i] * child->min_w[i];
        else if (child->max_w[i] / w <= lambda)
            held_w += child->gain[i] * child->max_w[i];
        else
            free_slope += child->gain[i] * w;
    }
    return free_slope > 0 ? fmax((budget_w - held_w) / free_slope, 0) : lambda;
}

bool mr_govern_fill(const struct mr_govern_children *child, double fixed_w, double budget_w,
                    double *alloc_w, struct mr_govern_break *scratch)
{
    const double low_w = sum_of(child, child->min_w, fixed_w);
    if (low_w >= budget_w) {
        memcpy(alloc_w, child->min_w, child->n * sizeof *alloc_w);
        return low_w == budget_w;
    }
    if (sum_of(child, child->max_w, fixed_w) <= budget_w) {
        memcpy(alloc_w, child->max_w, child->n * sizeof *alloc_w);
        return true;
    }
    double lambda = level_of(child, low_w, budget_w, fixed_w, scratch);
    /* rounding may have put the sum some last bits above the budget: down by 1, 2, 4 ... of them */
    double step = 0x1p-52;
    for (int k = 0; pour(child, lambda, fixed_w, alloc_w) > budget_w; k++) {
        MR_ASSERT(k < n_shrink_max);
        lambda -= lambda * fmin(step, 1);
        step *= 2;
    }
    return true;
}

/* ---- the tree ---- */

struct mr_govern_tree {
    uint32_t n, n_child_max;
    uint32_t *first, *n_child; /* children of a node; first is 0 where there are none */
    double *limit_w, *gain, *weight;
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
    tree->n = n;
    tree->first = mr_arena_zero(arena, n, sizeof *tree->first, err);
    tree->n_child = mr_arena_zero(arena, n, sizeof *tree->n_child, err);
    tree->limit_w = mr_arena_zero(arena, n, sizeof *tree->limit_w, err);
    tree->gain = mr_arena_zero(arena, n, sizeof *tree->gain, err);
    tree->weight = mr_arena_zero(arena, n, sizeof *tree->weight, err);
    if (tree->first == NULL || tree->n_child == NULL || tree->limit_w == NULL ||
        tree->gain == NULL || tree->weight == NULL)
        return MR_NOMEM;
    for (uint32_t i = 0; i < n; i++) {
        tree->limit_w[i] = node[i].limit_w;
        tree->gain[i] = node[i].gain;
        if (i > 0 && tree->n_child[node[i].parent]++ == 0)
            tree->first[node[i].parent] = i;
    }
    for (uint32_t i = 0; i < n; i++) {
        if (tree->n_child[i] > tree->n_child_max)
            tree->n_child_max = tree->n_child[i];
        if (tree->n_child[i] == 0 && !(node[i].weight > 0 && isfinite(node[i].weight)))
            return mr_err_set(err, MR_RANGE, MR_NOWHERE,
                              "power node %u: weight %g: must be above 0", i, node[i].weight);
    }
    for (uint32_t i = n; i-- > 0;) {
        double sum = tree->n_child[i] == 0 ? node[i].weight : 0;
        for (uint32_t k = 0; k < tree->n_child[i]; k++)
            sum += tree->weight[tree->first[i] + k];
        tree->weight[i] = sum;
    }
    *out = tree;
    return MR_OK;
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

/* fixed + sum of gain x value over the children, in index order: the one way sums are made here */
static double up(const struct mr_govern_tree *tree, uint32_t i, const double *value_w,
                 double fixed_w)
{
    double sum_w = fixed_w;
    const uint32_t first = tree->first[i], end = first + tree->n_child[i];
    for (uint32_t k = first; k < end; k++)
        sum_w += tree->gain[k] * value_w[k];
    return sum_w;
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
    for (uint32_t i = tree->n; i-- > 0 && st == MR_OK;) {
        const bool is_leaf = tree->n_child[i] == 0;
        low_w[i] = is_leaf ? load->min_w[i] : up(tree, i, low_w, fixed_at(load->fixed_w, i));
        if (low_w[i] > tree->limit_w[i])
            st = mr_err_set(err, MR_RANGE, MR_NOWHERE,
                            "power node %u: limit %g W: what lies below it draws %g W at least "
                            "(fewer packages, or a higher limit)",
                            i, tree->limit_w[i], low_w[i]);
    }
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
    pass->scratch =
        mr_arena_zero(arena, (size_t)tree->n_child_max * 4 + 1, sizeof *pass->scratch, err);
    const bool is_whole = pass->alloc_w != NULL && pass->low_w != NULL && pass->high_w != NULL &&
                          pass->scratch != NULL;
    return is_whole ? MR_OK : MR_NOMEM;
}

static double limit_of(const struct mr_govern_tree *tree, const struct mr_govern_load *load,
                       uint32_t i)
{
    return i == 0 ? fmin(tree->limit_w[0], load->budget_w) : tree->limit_w[i];
}

/* Bounds of the leaves are set: add them up. @return whether some limit is below the maxima */
static bool gather(const struct mr_govern_tree *tree, const struct mr_govern_load *load,
                   struct mr_govern_pass *pass)
{
    bool is_tight = false;
    pass->n_infeasible = 0;
    for (uint32_t i = tree->n; i-- > 0;) {
        const double limit_w = limit_of(tree, load, i);
        if (tree->n_child[i] > 0) {
            const double fixed_w = fixed_at(load->fixed_w, i);
            pass->low_w[i] = up(tree, i, pass->low_w, fixed_w);
            pass->high_w[i] = up(tree, i, pass->high_w, fixed_w);
        }
        if (pass->low_w[i] > limit_w) {
            pass->n_infeasible++;
            pass->infeasible = i;
        }
        if (pass->high_w[i] > limit_w) {
            is_tight = true;
            pass->high_w[i] = fmax(limit_w, pass->low_w[i]);
        }
    }
    return is_tight;
}

static void spread(const struct mr_govern_tree *tree, const struct mr_govern_load *load,
                   struct mr_govern_pass *pass)
{
    pass->alloc_w[0] = pass->high_w[0];
    for (uint32_t i = 0; i < tree->n; i++) {
        const uint32_t first = tree->first[i];
        if (tree->n_child[i] == 0)
            continue;
        const struct mr_govern_children child = {
            .n = tree->n_child[i],
            .min_w = pass->low_w + first,
            .max_w = pass->high_w + first,
            .weight = tree->weight + first,
            .gain = tree->gain + first,
        };
        mr_govern_fill(&child, fixed_at(load->fixed_w, i), pass->alloc_w[i], pass->alloc_w + first,
                       pass->scratch);
    }
}

/* ---- policies ---- */

static double ceiling_w(const struct mr_govern_params *params, const struct mr_govern_load *load,
                        uint32_t i)
{
    const double min_w = load->min_w[i], max_w = load->max_w[i];
    switch (params->policy) {
    case MR_GOVERN_POLICY_MAXQ:
        return clamp(load->max_q_w != NULL ? load->max_q_w[i] : params->max_q_frac * max_w, min_w,
                     max_w);
    case MR_GOVERN_POLICY_MAXLPS:
        return clamp(params->margin * load->demand_w[i], min_w, max_w);
    default:
        return max_w;
    }
}

/* Tiers from `least` up may rise to their ceilings, the others keep what they have. */
static void open_tiers(const struct mr_govern_tree *tree, const struct mr_govern_params *params,
                       const struct mr_govern_load *load, int least, struct mr_govern_pass *pass)
{
    for (uint32_t i = 0; i < tree->n; i++)
        if (tree->n_child[i] == 0)
            pass->high_w[i] = load->tier == NULL || load->tier[i] >= least
                                  ? fmax(ceiling_w(params, load, i), pass->low_w[i])
                                  : pass->low_w[i];
}

/* What was given becomes the least of the next round. */
static void keep(const struct mr_govern_tree *tree, struct mr_govern_pass *pass)
{
    for (uint32_t i = 0; i < tree->n; i++)
        if (tree->n_child[i] == 0)
            pass->low_w[i] = pass->alloc_w[i];
}

/* Everybody gets the minimum; then, where not all can have their ceilings, tiers are served from
 * the highest down, each filled on top of what is given already; the rest may raise caps. */
void mr_govern_decide(const struct mr_govern_tree *tree, const struct mr_govern_params *params,
                      const struct mr_govern_load *load, struct mr_govern_pass *pass)
{
    for (uint32_t i = 0; i < tree->n; i++)
        if (tree->n_child[i] == 0)
            pass->low_w[i] = load->min_w[i];
    open_tiers(tree, params, load, 0, pass);
    const bool is_tight = gather(tree, load, pass);
    const uint32_t n_infeasible = pass->n_infeasible, infeasible = pass->infeasible;
    if (is_tight && load->tier != NULL && load->n_tier > 1)
        for (int tier = load->n_tier - 1; tier > 0; tier--) {
            open_tiers(tree, params, load, tier, pass);
            gather(tree, load, pass);
            spread(tree, load, pass);
            keep(tree, pass);
            if (tier == 1) {
                open_tiers(tree, params, load, 0, pass);
                gather(tree, load, pass);
            }
        }
    spread(tree, load, pass);
    if (params->policy == MR_GOVERN_POLICY_MAXLPS && params->lends_rest) {
        keep(tree, pass);
        for (uint32_t i = 0; i < tree->n; i++)
            if (tree->n_child[i] == 0)
                pass->high_w[i] = load->max_w[i];
        gather(tree, load, pass);
        spread(tree, load, pass);
    }
    pass->n_infeasible = n_infeasible;
    pass->infeasible = infeasible;
}

/* ---- measuring ---- */

void mr_govern_measure(const struct mr_govern_tree *tree, const double *leaf_w,
                       const double *fixed_w, double *node_w)
{
    for (uint32_t i = tree->n; i-- > 0;)
        node_w[i] = tree->n_child[i] == 0 ? leaf_w[i] : up(tree, i, node_w, fixed_at(fixed_w, i));
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

/* Just after a sample something changes: the next sample, its way here, the command's way back. */
double mr_govern_latency_s(const struct mr_govern_params *params)
{
    const double reaction_s = params->telemetry_s + params->actuation_s;
    return params->period_s > 0 ? fmax(params->period_s, reaction_s) + reaction_s
                                : (double)INFINITY;
}
