/* SPDX-License-Identifier: Apache-2.0 */
/* Stranded power. Every node is failed once on a scratch chain without trips; what the panels have
 * left is then offered upwards in index order. */
#include "power/strand.h"

#include "engine/base/assert.h"

#include <math.h>

struct work {
    const struct mr_circuit *tree;
    struct mr_chain *chain;
    double *out_w;    /* delivered, with what was handed out so far */
    double *usable_w; /* delivered at most, kept free for failures */
    double *more_w;   /* scratch: of one panel's addition */
    double *share;    /* of every edge when all is well */
    double *least_w; /* on this panel of the smallest rack that takes anything of it; never: none */
    double *cool_w;  /* of its racks */
    bool *has_rack;  /* racks below, no rated node between */
};

static const double never = (double)INFINITY;

/* Transfers are over. */
static void come_to_rest(struct mr_chain *chain)
{
    mr_chain_settle(chain);
    while (mr_chain_next_s(chain) < never)
        mr_chain_advance(chain, mr_chain_next_s(chain));
}

static double out_w(const struct mr_chain *chain, uint32_t node)
{
    struct mr_chain_flow flow;
    mr_chain_read(chain, node, mr_chain_now_s(chain), &flow);
    return flow.out_w;
}

/* ---- failures ---- */

static void try_failures(const struct work *w, struct mr_strand_worst *worst)
{
    const struct mr_circuit *tree = w->tree;
    for (uint32_t i = 0; i < tree->n_node; i++) {
        const double normal_w = out_w(w->chain, i);
        worst[i] = (struct mr_strand_worst){normal_w, normal_w, MR_CIRCUIT_NONE};
    }
    for (uint32_t f = 0; f < tree->n_node; f++) {
        if (tree->node[f].is_load)
            continue;
        mr_chain_set_failed(w->chain, f, true);
        come_to_rest(w->chain);
        for (uint32_t i = 0; i < tree->n_node; i++) {
            const double failed_w = out_w(w->chain, i);
            if (failed_w > worst[i].failed_w * (1 + 1e-12) + 1e-9) {
                worst[i].failed_w = failed_w;
                worst[i].failure = f;
            }
        }
        mr_chain_set_failed(w->chain, f, false);
        come_to_rest(w->chain);
    }
}

static double usable_w(const struct mr_circuit_node *node, const struct mr_strand_worst *worst)
{
    const double rating_w = mr_circuit_rating_w(node);
    return worst->failed_w > 0 ? rating_w * worst->normal_w / worst->failed_w : rating_w;
}

/* ---- what is left ---- */

static double loss_w(const struct mr_circuit_node *node, double w)
{
    return mr_stage_loss_w(&node->units.unit, node->units.n_installed, w);
}

/* Let `panel` deliver `w` more. @return the largest share of w for which no node above is over */
static double climb(const struct work *w, uint32_t panel, double more_w)
{
    const struct mr_circuit *tree = w->tree;
    double fits = 1;
    for (uint32_t k = 0; k <= tree->rank[panel]; k++)
        w->more_w[tree->order[k]] = 0;
    w->more_w[panel] = more_w;
    for (uint32_t k = tree->rank[panel] + 1; k-- > 0;) {
        const uint32_t i = tree->order[k];
        const struct mr_circuit_node *node = &tree->node[i];
        const double add_w = w->more_w[i];
        if (!(add_w > 0))
            continue;
        if (w->out_w[i] + add_w > w->usable_w[i])
            fits = fmin(fits, fmax(0, (w->usable_w[i] - w->out_w[i]) / add_w));
        const double in_w = add_w + loss_w(node, w->out_w[i] + add_w) - loss_w(node, w->out_w[i]);
        for (uint32_t e = 0; e < node->n_edge; e++)
            w->more_w[tree->edge[node->first_edge + e].parent] +=
                w->share[node->first_edge + e] * in_w;
    }
    return fits;
}

/* Losses are convex, so a share of an addition needs at most that share of its way up: what fits of
 * it fits. A few rounds come as near as matters. @return what was handed out */
static double hand_out(const struct work *w, uint32_t panel, double wish_w)
{
    double given_w = 0;
    for (int round = 0; round < 6 && wish_w - given_w > 1e-6 * wish_w; round++) {
        const double add_w = (wish_w - given_w) * climb(w, panel, wish_w - given_w);
        if (!(add_w > 1e-9 * wish_w))
            break;
        (void)climb(w, panel, add_w);
        for (uint32_t k = 0; k <= w->tree->rank[panel]; k++)
            w->out_w[w->tree->order[k]] += w->more_w[w->tree->order[k]];
        given_w += add_w;
    }
    return given_w;
}

/* Racks may hang on bars, where storage stands: what these say of their racks belongs to the first
 * rated node above, the panel. Children first, so a bar is complete when it is handed up. */
static void hand_up_racks(const struct work *w, const double *cooling_w)
{
    const struct mr_circuit *tree = w->tree;
    for (uint32_t i = 0; i < tree->n_node; i++) {
        w->least_w[i] = never;
        for (uint32_t d = tree->first_down[i]; d < tree->first_down[i + 1]; d++)
            if (tree->node[tree->edge_child[tree->down[d]]].is_load)
                w->cool_w[i] = cooling_w != NULL ? cooling_w[i] : never;
    }
    for (size_t k = tree->n_node; k-- > 0;) {
        const uint32_t i = tree->order[k];
        const struct mr_circuit_node *node = &tree->node[i];
        const bool is_bar = w->has_rack[i] && isinf(mr_circuit_rating_w(node));
        for (uint32_t e = node->first_edge; e < node->first_edge + node->n_edge; e++) {
            const uint32_t up = tree->edge[e].parent;
            const double least_w = node->is_load ? mr_chain_in_w(w->chain, i) : w->least_w[i];
            if (!node->is_load && !is_bar)
                continue;
            w->has_rack[up] = true;
            if (!(w->share[e] * least_w > 0))
                continue;
            w->least_w[up] = fmin(w->least_w[up], w->share[e] * least_w);
            if (is_bar)
                w->cool_w[up] += w->share[e] * w->cool_w[i];
        }
    }
}

static bool is_panel(const struct work *w, uint32_t i)
{
    return w->has_rack[i] && !isinf(mr_circuit_rating_w(&w->tree->node[i]));
}

static struct mr_strand strand_of(const struct work *w, uint32_t i)
{
    const struct mr_circuit_node *node = &w->tree->node[i];
    struct mr_strand s = {.placed_w = w->out_w[i]};
    s.installed_w = node->units.unit.rating_w * node->units.n_installed;
    s.over_w = fmax(0, s.placed_w - s.installed_w);
    double left_w = fmax(0, s.installed_w - s.placed_w);
    s.redundancy_w = fmin(left_w, fmax(0, s.installed_w - w->usable_w[i]));
    left_w -= s.redundancy_w;
    const double given_w = hand_out(w, i, left_w);
    s.chain_w = left_w - given_w;
    const double cooled_w = fmin(given_w, fmax(0, w->cool_w[i]));
    s.cooling_w = given_w - cooled_w;
    const double rack_w = w->least_w[i];
    s.free_w =
        isinf(rack_w) ? cooled_w : fmin(cooled_w, floor(cooled_w / rack_w * (1 + 1e-9)) * rack_w);
    s.granularity_w = cooled_w - s.free_w;
    return s;
}

static void add(struct mr_strand *sum, const struct mr_strand *s)
{
    sum->installed_w += s->installed_w;
    sum->over_w += s->over_w;
    sum->placed_w += s->placed_w;
    sum->redundancy_w += s->redundancy_w;
    sum->chain_w += s->chain_w;
    sum->cooling_w += s->cooling_w;
    sum->granularity_w += s->granularity_w;
    sum->free_w += s->free_w;
}

/* ---- all of it ---- */

static void divide(const struct work *w, const double *cooling_w, struct mr_strand_site *site)
{
    const struct mr_circuit *tree = w->tree;
    for (uint32_t i = 0; i < tree->n_node; i++) {
        w->out_w[i] = site->worst[i].normal_w;
        w->usable_w[i] = usable_w(&tree->node[i], &site->worst[i]);
        for (uint32_t e = 0; e < tree->node[i].n_edge; e++) {
            const double in_w = mr_chain_in_w(w->chain, i);
            w->share[tree->node[i].first_edge + e] =
                in_w > 0 ? mr_chain_edge_w(w->chain, i, e) / in_w : 0;
        }
    }
    hand_up_racks(w, cooling_w);
    for (uint32_t i = 0; i < tree->n_node; i++) {
        if (!is_panel(w, i))
            continue;
        site->panel[i] = strand_of(w, i);
        add(&site->sum, &site->panel[i]);
        site->n_panel++;
    }
    for (uint32_t i = 0; i < tree->n_node; i++)
        if (tree->node[i].n_edge == 0 && !isinf(w->usable_w[i]))
            site->unused_source_w += fmax(0, w->usable_w[i] - w->out_w[i]);
}

static mr_status prepare(struct work *w, struct mr_strand_site *site, struct mr_err *err)
{
    const size_t n = w->tree->n_node, m = w->tree->n_edge;
    const struct mr_chain_options options = {.has_no_trips = true};
    site->panel = mr_arena_zero(&site->arena, n, sizeof *site->panel, err);
    site->worst = mr_arena_zero(&site->arena, n, sizeof *site->worst, err);
    w->out_w = mr_arena_zero(&site->arena, n, sizeof(double), err);
    w->usable_w = mr_arena_zero(&site->arena, n, sizeof(double), err);
    w->more_w = mr_arena_zero(&site->arena, n, sizeof(double), err);
    w->share = mr_arena_zero(&site->arena, m, sizeof(double), err);
    w->least_w = mr_arena_zero(&site->arena, n, sizeof(double), err);
    w->cool_w = mr_arena_zero(&site->arena, n, sizeof(double), err);
    w->has_rack = mr_arena_zero(&site->arena, n, sizeof *w->has_rack, err);
    if (site->panel == NULL || site->worst == NULL || w->out_w == NULL || w->usable_w == NULL ||
        w->more_w == NULL || w->share == NULL || w->least_w == NULL || w->cool_w == NULL ||
        w->has_rack == NULL)
        return MR_NOMEM;
    return mr_chain_create(w->tree, &options, &w->chain, err);
}

mr_status mr_strand_of(const struct mr_circuit *tree, const double *cooling_w,
                       struct mr_strand_site *site, struct mr_err *err)
{
    struct work w = {.tree = tree};
    *site = (struct mr_strand_site){0};
    const mr_status st = prepare(&w, site, err);
    if (st != MR_OK) {
        mr_strand_fini(site);
        return st;
    }
    for (uint32_t i = 0; i < tree->n_node; i++)
        if (tree->node[i].is_load && !isinf(mr_circuit_rating_w(&tree->node[i])))
            mr_chain_set_demand(w.chain, i, mr_circuit_rating_w(&tree->node[i]));
    come_to_rest(w.chain);
    try_failures(&w, site->worst);
    divide(&w, cooling_w, site);
    mr_chain_destroy(w.chain);
    return MR_OK;
}

void mr_strand_fini(struct mr_strand_site *site)
{
    mr_arena_fini(&site->arena);
    *site = (struct mr_strand_site){0};
}
