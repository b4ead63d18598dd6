/* SPDX-License-Identifier: Apache-2.0 */
/* Bars that machines could not carry whole, and who comes back on what is left of them.
 *
 * A bar goes dark with all that hangs on it. It is tried again once its sources can carry what it
 * would ask for then: pumps and fans, racks below that something else feeds, and what it was short
 * of at the last try. Then its racks start one after the other, highest tier first and equal ones
 * in order of place, each when the sources have room for what its cap lets it draw, losses
 * included; where no battery takes the step, no faster than the units that run can ramp. The first
 * that has no room holds up those behind it, so none of a lower tier takes what it waits for. Dates
 * of racks themselves (return, permits) count as ever. */
#include "power/supply_impl.h"

#include <math.h>

static const double unknown_loss = 0.2; /* of one more watt, where none flows that would tell */

/* ---- who stands on what ---- */

mr_status mr_supply_start_init(struct mr_supply *s, struct mr_err *err)
{
    const size_t n = s->wire.tree->n_node;
    s->group_of = mr_arena_zero(&s->arena, n, sizeof *s->group_of, err);
    if (s->group_of == NULL)
        return MR_NOMEM;
    for (size_t i = 0; i < n; i++)
        s->group_of[i] = MR_SITE_NONE;
    for (uint32_t g = 0; g < s->n_group; g++)
        for (uint32_t i = 0; i < s->group[g].n_at; i++)
            s->group_of[s->group[g].at[i]] = g;
    return MR_OK;
}

/* Trees are a few levels deep, and few nodes have two feeds. */
static bool is_below(const struct mr_supply *s, uint32_t node, uint32_t group)
{
    const struct mr_circuit *tree = s->wire.tree;
    if (s->group_of[node] == group)
        return true;
    const uint32_t first = tree->node[node].first_edge;
    for (uint32_t e = first; e < first + tree->node[node].n_edge; e++)
        if (is_below(s, tree->edge[e].parent, group))
            return true;
    return false;
}

/* What carries a node now: the first group above it that gives to its own bar. NULL: the grid. */
static struct mr_supply_group *carrier_of(struct mr_supply *s, uint32_t node)
{
    const struct mr_circuit *tree = s->wire.tree;
    for (;;) {
        const uint32_t g = s->group_of[node];
        if (g != MR_SITE_NONE && s->group[g].is_own)
            return &s->group[g];
        uint32_t up = MR_CIRCUIT_NONE;
        const uint32_t first = tree->node[node].first_edge;
        for (uint32_t e = first; e < first + tree->node[node].n_edge; e++)
            if (up == MR_CIRCUIT_NONE && mr_chain_is_live(s->chain, tree->edge[e].parent))
                up = tree->edge[e].parent;
        if (up == MR_CIRCUIT_NONE)
            return NULL;
        node = up;
    }
}

/* ---- bars ---- */

static double dark_demand_w(const struct mr_supply *s, uint32_t node)
{
    struct mr_chain_flow flow;
    if (mr_chain_is_live(s->chain, node))
        return 0;
    mr_chain_read(s->chain, node, s->t_s, &flow);
    return flow.demand_w;
}

/* @param[in] group MR_SITE_NONE: of the whole site */
static double dark_house_w(const struct mr_supply *s, uint32_t group)
{
    double sum_w = 0;
    for (uint32_t h = 0; h <= s->site->n_hall; h++) {
        const uint32_t node = h < s->site->n_hall ? s->wire.of_hall[h] : s->wire.house;
        if (group == MR_SITE_NONE || is_below(s, node, group))
            sum_w += dark_demand_w(s, node);
    }
    return sum_w;
}

double mr_supply_start_house_w(const struct mr_supply *s)
{
    double w = dark_house_w(s, MR_SITE_NONE);
    for (uint32_t g = 0; g < s->n_group; g++)
        w += s->group[g].is_own ? 0 : s->group[g].beyond_w;
    return s->has_grid ? 0 : w;
}

double mr_supply_start_expected_w(const struct mr_supply *s, const struct mr_supply_group *group)
{
    const uint32_t g = (uint32_t)(group - s->group);
    double below_w =
        0; /* supplies below; with racks below that run otherwise: all that was there */
    for (uint32_t k = 0; k < s->n_group; k++)
        below_w += s->group[k].is_ups ? s->group[k].own_w : 0;
    below_w /= 1 - s->params.margin;
    for (uint32_t i = 0; i < s->site->n_rack && below_w == 0; i++)
        if (s->rack[i].state == MR_SUPPLY_RACK_ON && is_below(s, s->wire.of_rack[i], g))
            return group->load_w + group->beyond_w;
    return below_w + dark_house_w(s, g) + group->beyond_w;
}

/* ---- racks ---- */

void mr_supply_start_begin(struct mr_supply *s)
{
    for (uint32_t g = 0; g < s->n_group; g++) {
        s->group[g].promised_w = 0;
        s->group[g].is_waited_for = false;
    }
}

static double ramp_w_s(const struct mr_supply *s, const struct mr_supply_group *group)
{
    double sum_w_s = 0;
    for (uint32_t k = 0; k < group->n_source; k++) {
        const struct mr_supply_source *source = &s->source[group->source[k]];
        if (source->is_storage || source->is_solar)
            return (double)INFINITY;
        sum_w_s += mr_generator_n_running(&source->block) * source->block_params.ramp_w_s;
    }
    return sum_w_s > 0 ? sum_w_s : (double)INFINITY;
}

/* Of what the sources can give, less what the bars ask for now and what was promised since. */
static bool has_room(const struct mr_supply *s, const struct mr_supply_group *group, double w)
{
    struct mr_chain_total total;
    double own_w = 0, rack_w = 0;
    for (uint32_t i = 0; i < group->n_at; i++) {
        struct mr_chain_flow flow;
        mr_chain_read(s->chain, group->at[i], s->t_s, &flow);
        own_w += flow.own_w;
    }
    for (uint32_t i = 0; i < s->site->n_rack; i++)
        rack_w += s->rack[i].draw_w;
    mr_chain_total(s->chain, s->t_s, &total);
    const double slope =
        1 + (rack_w > 0 ? fmax(unknown_loss, 2 * total.loss_w / rack_w) : unknown_loss);
    const double most_w = mr_supply_source_group_w(s, group) * (1 - s->params.margin);
    return own_w + slope * (group->promised_w + w) <= most_w;
}

bool mr_supply_start_may(struct mr_supply *s, uint32_t rack, double w)
{
    struct mr_supply_group *group = carrier_of(s, s->wire.of_rack[rack]);
    if (group == NULL)
        return true;
    if (group->is_waited_for || s->t_s < group->start_s || !has_room(s, group, w)) {
        group->is_waited_for = true;
        return false;
    }
    group->promised_w += w;
    group->start_s = s->t_s + w / ramp_w_s(s, group);
    return true;
}

double mr_supply_start_next_s(const struct mr_supply *s)
{
    double next_s = (double)INFINITY;
    for (uint32_t g = 0; g < s->n_group && s->n_waiting > 0; g++)
        if (s->group[g].is_own && s->group[g].start_s > s->t_s)
            next_s = fmin(next_s, s->group[g].start_s);
    return next_s;
}
