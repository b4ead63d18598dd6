/* SPDX-License-Identifier: Apache-2.0 */
/* What flows in a chain, now or at a later date if nothing happens until then, and whether the sums
 * close. */
#include "engine/base/assert.h"
#include "power/chain_impl.h"

#include <math.h>

double mr_chain_in_w(const struct mr_chain *chain, uint32_t node)
{
    return chain->flow[node].in_w;
}

bool mr_chain_is_live(const struct mr_chain *chain, uint32_t node)
{
    return chain->flow[node].is_live;
}

bool mr_chain_is_own(const struct mr_chain *chain, uint32_t node)
{
    return chain->flow[node].is_own;
}

double mr_chain_edge_w(const struct mr_chain *chain, uint32_t node, uint32_t e)
{
    const struct mr_circuit_node *desc = &chain->tree->node[node];
    MR_ASSERT(e < desc->n_edge);
    return chain->flow[node].in_w * chain->share[desc->first_edge + e];
}

double mr_chain_edge_a(const struct mr_chain *chain, uint32_t node, uint32_t e)
{
    const struct mr_circuit_node *desc = &chain->tree->node[node];
    return fabs(mr_chain_edge_w(chain, node, e)) *
           chain->tree->amp_per_w[chain->tree->edge[desc->first_edge + e].parent];
}

/* The state as it will be at a later time if nothing happens. */
static struct mr_chain_node later(const struct mr_chain *chain, uint32_t node, double t_s)
{
    const struct mr_chain then = {.now_s = t_s};
    struct mr_chain_node f = chain->flow[node];
    MR_ASSERT(t_s >= chain->now_s);
    mr_chain_account(&then, &f);
    return f;
}

void mr_chain_read(const struct mr_chain *chain, uint32_t node, double t_s,
                   struct mr_chain_flow *flow)
{
    const struct mr_chain_node f = later(chain, node, t_s);
    const struct mr_breaker *breaker = &chain->tree->node[node].breaker;
    const struct mr_breaker_state *state = &chain->breaker[node];
    *flow = (struct mr_chain_flow){
        .out_w = f.out_w,
        .loss_w = f.loss_w,
        .in_w = f.in_w,
        .own_w = f.is_own ? f.in_w : 0,
        .demand_w = f.demand_w,
        .inject_w = f.inject_w,
        .out_j = f.out_j,
        .loss_j = f.loss_j,
        .in_j = f.in_j,
        .own_j = f.own_j,
        .inject_j = f.inject_j,
        .served_j = f.served_j,
        .unserved_j = f.unserved_j,
        .current_a = fabs(f.out_w) * chain->tree->amp_per_w[node],
        .load_frac = f.law.rating_w > 0 ? f.out_w / f.law.rating_w : 0,
        .heat = f.has_breaker ? mr_breaker_heat(breaker, state, fmax(t_s, state->t_s)) : 0,
        .trip_s = f.has_breaker ? mr_breaker_trip_s(breaker, state) : (double)INFINITY,
        .n_on = chain->units[node].n_on,
        .is_live = f.is_live,
        .is_own = f.is_own,
        .is_open = state->is_open || chain->feed[node].is_open,
        .has_failed = chain->feed[node].has_failed,
    };
}

double mr_chain_served_j(const struct mr_chain *chain, uint32_t node, double t_s)
{
    return later(chain, node, t_s).served_j;
}

static double residual(double in, double out)
{
    return in != out ? fabs(in - out) / fmax(fabs(in), fabs(out)) : 0;
}

void mr_chain_total(const struct mr_chain *chain, double t_s, struct mr_chain_total *total)
{
    const struct mr_circuit *tree = chain->tree;
    *total = (struct mr_chain_total){0};
    for (uint32_t i = 0; i < tree->n_node; i++) {
        const struct mr_chain_node f = later(chain, i, t_s);
        const int kind = tree->node[i].kind;
        if (tree->node[i].n_edge == 0) {
            total->source_w += f.is_own ? 0 : f.in_w;
            total->source_j += f.in_j - f.own_j;
        }
        total->own_w += f.is_own ? f.in_w : 0;
        total->own_j += f.own_j;
        total->inject_w += f.is_live ? f.inject_w : 0;
        total->inject_j += f.inject_j;
        total->served_w += f.is_live ? f.demand_w : 0;
        total->served_j += f.served_j;
        total->unserved_w += f.is_live ? 0 : f.demand_w;
        total->unserved_j += f.unserved_j;
        total->loss_w += f.loss_w;
        total->loss_j += f.loss_j;
        total->stage_loss_w[kind] += f.loss_w;
        total->stage_loss_j[kind] += f.loss_j;
        total->closure_rel = fmax(total->closure_rel, residual(f.in_j, f.out_j + f.loss_j));
    }
    total->closure_rel =
        fmax(total->closure_rel, residual(total->source_j + total->own_j + total->inject_j,
                                          total->served_j + total->loss_j));
}

double mr_chain_hold_w(const struct mr_chain *chain)
{
    return chain->hold_w;
}
