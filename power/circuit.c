/* SPDX-License-Identifier: Apache-2.0 */
/* Building and refusing chains. */
#include "power/circuit.h"

#include "engine/base/assert.h"
#include "engine/base/mem.h"

#include <math.h>

const double mr_circuit_sts_s = 0.008, mr_circuit_ats_s = 10, mr_circuit_holdup_s = 0.020;

static const double slack = 1 + 1e-9; /* of sums of ratings */

struct mr_circuit_node mr_circuit_node_of(const char *name, int kind, double rating_w)
{
    return (struct mr_circuit_node){
        .name = name,
        .kind = kind,
        .units = {.unit = mr_stage_of(kind, rating_w),
                  .n_installed = 1,
                  .dwell_s = mr_units_dwell_s,
                  .high_frac = mr_units_high_frac,
                  .low_frac = mr_units_low_frac},
        .n_phase = 3,
        .power_factor = 0.99,
        .breaker = mr_breaker_of(MR_BREAKER_NONE, 1),
    };
}

double mr_circuit_amp_per_w(const struct mr_circuit_node *node)
{
    if (!(node->voltage_v > 0))
        return 0;
    if (node->is_dc)
        return 1 / node->voltage_v;
    const double phases = node->n_phase == 3 ? sqrt(3) : 1;
    return 1 / (phases * node->voltage_v * node->power_factor);
}

double mr_circuit_rating_w(const struct mr_circuit_node *node)
{
    return node->units.unit.rating_w * (node->units.n_installed - node->units.n_spare);
}

/* ---- structure ---- */

static mr_status copy(struct mr_circuit *tree, const struct mr_circuit_node *node,
                      const struct mr_circuit_edge *edge, struct mr_err *err)
{
    const size_t n = tree->n_node, m = tree->n_edge;
    tree->node = mr_arena_zero(&tree->arena, n, sizeof *tree->node, err);
    tree->edge = mr_arena_zero(&tree->arena, m, sizeof *tree->edge, err);
    tree->edge_child = mr_arena_zero(&tree->arena, m, sizeof *tree->edge_child, err);
    tree->order = mr_arena_zero(&tree->arena, n, sizeof *tree->order, err);
    tree->rank = mr_arena_zero(&tree->arena, n, sizeof *tree->rank, err);
    tree->first_down = mr_arena_zero(&tree->arena, n + 1, sizeof *tree->first_down, err);
    tree->down = mr_arena_zero(&tree->arena, m, sizeof *tree->down, err);
    tree->amp_per_w = mr_arena_zero(&tree->arena, n, sizeof *tree->amp_per_w, err);
    if (tree->node == NULL || tree->edge == NULL || tree->edge_child == NULL ||
        tree->order == NULL || tree->rank == NULL || tree->first_down == NULL ||
        tree->down == NULL || tree->amp_per_w == NULL)
        return MR_NOMEM;
    for (size_t i = 0; i < m; i++)
        tree->edge[i] = edge[i];
    for (size_t i = 0; i < n; i++) {
        tree->node[i] = node[i];
        tree->node[i].name = mr_arena_text(&tree->arena, mr_str_of(node[i].name), err);
        if (tree->node[i].name == NULL)
            return MR_NOMEM;
        tree->amp_per_w[i] = mr_circuit_amp_per_w(&node[i]);
        for (uint32_t e = 0; e < node[i].n_edge; e++)
            tree->edge_child[node[i].first_edge + e] = (uint32_t)i;
    }
    return MR_OK;
}

static void tell(struct mr_diags *diags, const struct mr_circuit_node *node, const char *text)
{
    mr_diags_add(diags, MR_SEVERITY_ERROR, MR_RANGE, node->at, "%s \"%s\": %s",
                 mr_stage_info(node->kind)->name, node->name, text);
}

static bool has_edges(const struct mr_circuit *tree, struct mr_diags *diags)
{
    size_t next = 0;
    bool is_good = true;
    for (size_t i = 0; i < tree->n_node; i++) {
        const struct mr_circuit_node *node = &tree->node[i];
        MR_ASSERT(node->n_edge == 0 || node->first_edge == next);
        next += node->n_edge;
        MR_ASSERT(next <= tree->n_edge);
        for (uint32_t e = 0; e < node->n_edge; e++) {
            const struct mr_circuit_edge *edge = &tree->edge[node->first_edge + e];
            if (edge->parent >= tree->n_node) {
                mr_diags_add(diags, MR_SEVERITY_ERROR, MR_REF, node->at,
                             "%s \"%s\": feed %u is node %u of %zu",
                             mr_stage_info(node->kind)->name, node->name, e, edge->parent,
                             tree->n_node);
                is_good = false;
            } else if (!(edge->share > 0 && edge->rating_w > 0)) {
                tell(diags, node, "share and rating of a feed must be above 0");
                is_good = false;
            }
        }
    }
    return is_good;
}

/* Edges by parent, then parents before children: nodes whose last parent was placed. In index order
 * among those that are ready, so that the order is a property of the tree alone. */
static bool sort(struct mr_circuit *tree, uint32_t *n_up)
{
    size_t n_placed = 0;
    for (size_t e = 0; e < tree->n_edge; e++)
        tree->first_down[tree->edge[e].parent + 1]++;
    for (size_t i = 0; i < tree->n_node; i++)
        tree->first_down[i + 1] += tree->first_down[i];
    for (size_t e = tree->n_edge; e-- > 0;) {
        /* counts down, so that a parent's edges come out in edge order */
        const uint32_t p = tree->edge[e].parent;
        tree->down[--tree->first_down[p + 1]] = (uint32_t)e;
    }
    for (size_t i = 0; i < tree->n_node; i++) /* each was moved to its start: shift back */
        tree->first_down[i] = tree->first_down[i + 1];
    tree->first_down[tree->n_node] = (uint32_t)tree->n_edge;
    for (size_t i = 0; i < tree->n_node; i++) {
        n_up[i] = tree->node[i].n_edge;
        if (n_up[i] == 0)
            tree->order[n_placed++] = (uint32_t)i;
    }
    for (size_t k = 0; k < n_placed; k++) {
        const uint32_t i = tree->order[k];
        tree->rank[i] = (uint32_t)k;
        for (uint32_t d = tree->first_down[i]; d < tree->first_down[i + 1]; d++) {
            const uint32_t child = tree->edge_child[tree->down[d]];
            if (--n_up[child] == 0)
                tree->order[n_placed++] = child;
        }
    }
    return n_placed == tree->n_node;
}

/* ---- refusals ---- */

static void shown(double w, char text[MR_UNIT_CAP])
{
    mr_unit_human(w, MR_Q_POWER, 6, text);
}

static void check_voltage(const struct mr_circuit *tree, const struct mr_circuit_node *node,
                          struct mr_diags *diags)
{
    if (!node->is_dc && node->n_phase != 1 && node->n_phase != 3) {
        mr_diags_add(diags, MR_SEVERITY_ERROR, MR_RANGE, node->at,
                     "%s \"%s\": %d phases (1 or 3, or direct current)",
                     mr_stage_info(node->kind)->name, node->name, node->n_phase);
        return;
    }
    if (!node->is_dc && !(node->power_factor > 0 && node->power_factor <= 1))
        tell(diags, node, "power factor must be above 0, at most 1");
    if (node->voltage_v < 0 || isnan(node->voltage_v))
        tell(diags, node, "voltage must be 0 or more");
    if (mr_stage_info(node->kind)->is_converter || node->voltage_v == 0)
        return;
    for (uint32_t e = 0; e < node->n_edge; e++) {
        const struct mr_circuit_node *up = &tree->node[tree->edge[node->first_edge + e].parent];
        if (up->voltage_v == 0 || (up->voltage_v == node->voltage_v && up->is_dc == node->is_dc &&
                                   (node->is_dc || node->n_phase <= up->n_phase)))
            continue;
        mr_diags_add(diags, MR_SEVERITY_ERROR, MR_RANGE, node->at,
                     "%s \"%s\": takes %g V %s from %s \"%s\" of %g V %s (put a converter between)",
                     mr_stage_info(node->kind)->name, node->name, node->voltage_v,
                     node->is_dc ? "DC" : "AC", mr_stage_info(up->kind)->name, up->name,
                     up->voltage_v, up->is_dc ? "DC" : "AC");
    }
}

/* The source a node is synchronous with: its own where direct current starts, the common one of its
 * feeds, or MR_CIRCUIT_NONE. A transfer switch is synchronous with its first feed. */
static uint32_t *sources(const struct mr_circuit *tree, uint32_t *source)
{
    for (size_t k = 0; k < tree->n_node; k++) {
        const uint32_t i = tree->order[k];
        const struct mr_circuit_node *node = &tree->node[i];
        source[i] = node->n_edge == 0 ? i : source[tree->edge[node->first_edge].parent];
    }
    return source;
}

/* Rectifiers and double-conversion supplies take from several sources; transformers and bars that
 * did would close two grids on each other. Loads have a supply behind each cord. */
static bool may_mix(const struct mr_circuit *tree, uint32_t i)
{
    const int kind = tree->node[i].kind;
    return mr_circuit_is_leaf(tree, i) || tree->node[i].is_dc || kind == MR_STAGE_SST ||
           kind == MR_STAGE_SHELF || kind == MR_STAGE_UPS || kind == MR_STAGE_BRICK;
}

static void check_sources(const struct mr_circuit *tree, const uint32_t *source,
                          struct mr_diags *diags)
{
    for (uint32_t i = 0; i < tree->n_node; i++) {
        const struct mr_circuit_node *node = &tree->node[i];
        if (node->split == MR_CIRCUIT_TRANSFER || may_mix(tree, i))
            continue;
        for (uint32_t e = 1; e < node->n_edge; e++) {
            const uint32_t first = source[tree->edge[node->first_edge].parent];
            const uint32_t other = source[tree->edge[node->first_edge + e].parent];
            if (first == other)
                continue;
            mr_diags_add(diags, MR_SEVERITY_ERROR, MR_RANGE, node->at,
                         "%s \"%s\": joins the sources \"%s\" and \"%s\" without a transfer switch",
                         mr_stage_info(node->kind)->name, node->name, tree->node[first].name,
                         tree->node[other].name);
            break;
        }
    }
}

/* What a node asks of one feed when all is well. */
static double normal_w(const struct mr_circuit *tree, const struct mr_circuit_node *node,
                       uint32_t e)
{
    double sum = 0;
    if (node->split == MR_CIRCUIT_TRANSFER)
        return e == 0 ? mr_circuit_rating_w(node) : 0;
    for (uint32_t k = 0; k < node->n_edge; k++)
        sum += tree->edge[node->first_edge + k].share;
    return mr_circuit_rating_w(node) * tree->edge[node->first_edge + e].share / sum;
}

static void check_rating(const struct mr_circuit *tree, uint32_t i, struct mr_diags *diags)
{
    const struct mr_circuit_node *node = &tree->node[i];
    const double rating_w = mr_circuit_rating_w(node);
    char has[MR_UNIT_CAP], needs[MR_UNIT_CAP];
    double sum_w = 0;
    if (node->may_oversubscribe || isinf(rating_w))
        return;
    shown(rating_w, has);
    for (uint32_t d = tree->first_down[i]; d < tree->first_down[i + 1]; d++) {
        const uint32_t c = tree->edge_child[tree->down[d]];
        const struct mr_circuit_node *child = &tree->node[c];
        const double w = normal_w(tree, child, tree->down[d] - child->first_edge);
        sum_w += isinf(w) ? 0 : w;
        if (!mr_circuit_is_leaf(tree, c) || isinf(w) || w <= rating_w * slack)
            continue;
        shown(w, needs);
        mr_diags_add(diags, MR_SEVERITY_ERROR, MR_RANGE, node->at,
                     "%s \"%s\" %s cannot carry \"%s\" %s: granularity (feed it from two, or from "
                     "an 800 VDC row)",
                     mr_stage_info(node->kind)->name, node->name, has, child->name, needs);
        return;
    }
    if (sum_w <= rating_w * slack)
        return;
    shown(sum_w, needs);
    mr_diags_add(diags, MR_SEVERITY_ERROR, MR_RANGE, node->at,
                 "%s \"%s\": carries %s, what hangs on it is rated %s (allow oversubscription, add "
                 "a unit, or move loads)",
                 mr_stage_info(node->kind)->name, node->name, has, needs);
}

static void check_node(const struct mr_circuit *tree, uint32_t i, struct mr_diags *diags)
{
    const struct mr_circuit_node *node = &tree->node[i];
    struct mr_err units = {0}, breaker = {0};
    if (mr_units_check(&node->units, node->name, node->at, &units) != MR_OK)
        mr_diags_add_err(diags, MR_SEVERITY_ERROR, &units);
    if (mr_breaker_check(&node->breaker, node->name, node->at, &breaker) != MR_OK)
        mr_diags_add_err(diags, MR_SEVERITY_ERROR, &breaker);
    if (node->breaker.law != MR_BREAKER_NONE && node->voltage_v == 0)
        tell(diags, node, "has a breaker and no voltage: its current is not known");
    if (!(node->transfer_s >= 0))
        tell(diags, node, "transfer time must be 0 or more");
    check_voltage(tree, node, diags);
    check_rating(tree, i, diags);
}

static mr_status build(struct mr_circuit *tree, const struct mr_circuit_node *node,
                       const struct mr_circuit_edge *edge, struct mr_diags *diags,
                       struct mr_err *err)
{
    MR_TRY(copy(tree, node, edge, err));
    uint32_t *scratch = mr_arena_zero(&tree->arena, tree->n_node, sizeof *scratch, err);
    if (scratch == NULL)
        return MR_NOMEM;
    if (!has_edges(tree, diags))
        return MR_OK;
    if (!sort(tree, scratch)) {
        size_t i = 0;
        while (scratch[i] == 0)
            i++;
        tell(diags, &tree->node[i], "feeds itself in a circle (feeds must point to the grid)");
        return MR_OK;
    }
    check_sources(tree, sources(tree, scratch), diags);
    for (uint32_t i = 0; i < tree->n_node; i++)
        check_node(tree, i, diags);
    return MR_OK;
}

mr_status mr_circuit_create(const struct mr_circuit_node *node, size_t n_node,
                            const struct mr_circuit_edge *edge, size_t n_edge, double holdup_s,
                            struct mr_circuit **out, struct mr_diags *diags)
{
    struct mr_err err = {0};
    const size_t n_error = diags->n_error;
    struct mr_circuit *tree = mr_alloc_zero(1, sizeof *tree);
    mr_status st = MR_OK;
    *out = NULL;
    MR_ASSERT(n_node > 0 && n_node < MR_CIRCUIT_NONE && n_edge < MR_CIRCUIT_NONE && holdup_s >= 0);
    if (tree == NULL) {
        st = mr_err_nomem(&err, sizeof *tree);
    } else {
        tree->n_node = n_node;
        tree->n_edge = n_edge;
        tree->holdup_s = holdup_s;
        st = build(tree, node, edge, diags, &err);
    }
    if (st != MR_OK)
        mr_diags_add_err(diags, MR_SEVERITY_ERROR, &err);
    else if (diags->n_error > n_error)
        st = diags->first_error;
    if (st != MR_OK) {
        mr_circuit_destroy(tree);
        return st;
    }
    *out = tree;
    return MR_OK;
}

void mr_circuit_destroy(struct mr_circuit *tree)
{
    if (tree == NULL)
        return;
    mr_arena_fini(&tree->arena);
    mr_free(tree);
}
