/* SPDX-License-Identifier: Apache-2.0 */
/* How fast storages may charge beside a living grid: the contract's budget is one limit
 * (supply_source.c), every rated node between a bar and the grid another. What a node has left is
 * its rating, less the governor's margin, less what it delivers without anybody charging; who
 * charges takes it, in the order of groups, so twenty batteries behind one transformer share what
 * the racks leave of it. Losses on the way are the margin's. Racks go first: they are not asked to
 * make room in nodes, and leave a share of the contract only (supply_budget.c). */
#include "power/supply_impl.h"

#include <math.h>

static const double never = (double)INFINITY;

mr_status mr_supply_refill_init(struct mr_supply *s, struct mr_err *err)
{
    const size_t n = s->wire.tree->n_node;
    s->room_w = mr_arena_zero(&s->arena, n, sizeof *s->room_w, err);
    s->way = mr_arena_zero(&s->arena, n, sizeof *s->way, err);
    s->seen = mr_arena_zero(&s->arena, n, sizeof *s->seen, err);
    return s->room_w != NULL && s->way != NULL && s->seen != NULL ? MR_OK : MR_NOMEM;
}

/* Each once. */
uint32_t mr_supply_refill_way(struct mr_supply *s, const struct mr_supply_group *group)
{
    const struct mr_circuit *tree = s->wire.tree;
    uint32_t n = 0;
    for (uint32_t i = 0; i < group->n_at; i++)
        if (!s->seen[group->at[i]]) {
            s->seen[group->at[i]] = true;
            s->way[n++] = group->at[i];
        }
    for (uint32_t k = 0; k < n; k++) {
        const struct mr_circuit_node *node = &tree->node[s->way[k]];
        for (uint32_t e = node->first_edge; e < node->first_edge + node->n_edge; e++) {
            const uint32_t parent = tree->edge[e].parent;
            if (s->seen[parent])
                continue;
            s->seen[parent] = true;
            s->way[n++] = parent;
        }
    }
    for (uint32_t k = 0; k < n; k++)
        s->seen[s->way[k]] = false;
    return n;
}

double mr_supply_refill_taken_w(const struct mr_supply *s, const struct mr_supply_group *group)
{
    double w = 0;
    for (uint32_t k = 0; k < group->n_source && !group->is_away; k++)
        if (s->source[group->source[k]].is_storage)
            w += fmax(0, s->source[group->source[k]].mean_w);
    return w;
}

static bool has_storage(const struct mr_supply *s, const struct mr_supply_group *group)
{
    for (uint32_t k = 0; k < group->n_source; k++)
        if (s->source[group->source[k]].is_storage)
            return true;
    return false;
}

void mr_supply_refill_begin(struct mr_supply *s)
{
    for (uint32_t g = 0; g < s->n_group; g++) {
        const uint32_t n = has_storage(s, &s->group[g]) ? mr_supply_refill_way(s, &s->group[g]) : 0;
        for (uint32_t k = 0; k < n; k++)
            s->room_w[s->way[k]] = -1; /* not looked at */
    }
    for (uint32_t g = 0; g < s->n_group; g++) {
        const double own_w = mr_supply_refill_taken_w(s, &s->group[g]);
        const uint32_t n = has_storage(s, &s->group[g]) ? mr_supply_refill_way(s, &s->group[g]) : 0;
        for (uint32_t k = 0; k < n; k++) {
            const uint32_t v = s->way[k];
            struct mr_chain_flow flow;
            if (s->room_w[v] < 0) {
                mr_chain_read(s->chain, v, s->t_s, &flow);
                s->room_w[v] =
                    fmax(0, mr_circuit_rating_w(&s->wire.tree->node[v]) * (1 - s->params.margin) -
                                flow.out_w);
            }
            s->room_w[v] += own_w;
        }
    }
}

double mr_supply_refill_w(struct mr_supply *s, const struct mr_supply_group *group, double w)
{
    const uint32_t n = s->has_grid ? mr_supply_refill_way(s, group) : 0;
    double may_w = n > 0 ? never : w;
    for (uint32_t k = 0; k < n; k++)
        may_w = fmin(may_w, s->room_w[s->way[k]]);
    may_w = fmax(0, fmin(may_w, w));
    for (uint32_t k = 0; k < n; k++)
        s->room_w[s->way[k]] -= may_w;
    return may_w;
}
