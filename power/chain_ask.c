/* SPDX-License-Identifier: Apache-2.0 */
/* What the grid would give for other demands, or if it were there: one walk from the loads up, by
 * the loss law of every node. What has failed, is open or has tripped stays so; transfer switches
 * have changed over. */
#include "power/chain_impl.h"

#include <string.h>

void mr_chain_ask_begin(struct mr_chain *chain)
{
    for (size_t i = 0; i < chain->tree->n_node; i++)
        chain->asked_w[i] = chain->flow[i].demand_w - chain->flow[i].inject_w;
}

void mr_chain_ask_more(struct mr_chain *chain, uint32_t node, double w)
{
    chain->asked_w[node] += w;
}

static bool is_fed(const struct mr_chain *chain, const struct mr_circuit_node *desc, uint32_t e)
{
    return chain->is_asked[chain->tree->edge[desc->first_edge + e].parent];
}

/* @param[out] only the feed that a switch would take @return sum of the shares of all that live */
static double find_feeds(const struct mr_chain *chain, uint32_t node, uint32_t *only)
{
    const struct mr_circuit_node *desc = &chain->tree->node[node];
    const uint32_t now = mr_chain_may_return(chain, node) ? MR_CIRCUIT_NONE : chain->feed[node].now;
    double sum = 0;
    *only = MR_CIRCUIT_NONE;
    for (uint32_t e = 0; e < desc->n_edge; e++) {
        if (!is_fed(chain, desc, e))
            continue;
        sum += chain->tree->edge[desc->first_edge + e].share;
        if (desc->split == MR_CIRCUIT_TRANSFER && (*only == MR_CIRCUIT_NONE || e == now))
            *only = e;
    }
    return sum;
}

static bool would_live(const struct mr_chain *chain, uint32_t node)
{
    uint32_t only;
    if (!mr_chain_can_work(chain, node))
        return false;
    if (chain->tree->node[node].n_edge == 0)
        return node == 0 || chain->feed[node].is_on;
    return find_feeds(chain, node, &only) > 0;
}

/* To the feeds of a node. */
static void hand_up(struct mr_chain *chain, uint32_t node, double in_w, double *sum_w)
{
    const struct mr_circuit_node *desc = &chain->tree->node[node];
    uint32_t only;
    const double all = find_feeds(chain, node, &only);
    for (uint32_t e = 0; e < desc->n_edge; e++) {
        const struct mr_circuit_edge *edge = &chain->tree->edge[desc->first_edge + e];
        if (!chain->is_asked[edge->parent] || (only != MR_CIRCUIT_NONE && e != only))
            continue;
        sum_w[edge->parent] += only != MR_CIRCUIT_NONE ? in_w : in_w * edge->share / all;
    }
}

double mr_chain_ask_w(struct mr_chain *chain)
{
    const struct mr_circuit *tree = chain->tree;
    double *sum_w = chain->carry_w, in_w = 0;
    memcpy(sum_w, chain->asked_w, tree->n_node * sizeof *sum_w);
    for (size_t k = 0; k < tree->n_node; k++)
        chain->is_asked[tree->order[k]] = would_live(chain, tree->order[k]);
    for (size_t k = tree->n_node; k-- > 0;) {
        const uint32_t i = tree->order[k];
        if (!chain->is_asked[i])
            continue;
        const double w = sum_w[i] + mr_stage_loss_w(&chain->flow[i].law, 1, sum_w[i]);
        hand_up(chain, i, w, sum_w);
        in_w = i == 0 ? w : in_w;
    }
    return in_w;
}
