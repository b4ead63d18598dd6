/* SPDX-License-Identifier: Apache-2.0 */
/* Sources and storages of a site as parts of its supply, and which of them carry their bars
 * together. */
#include "power/supply_impl.h"

#include <stdio.h>
#include <string.h>

/* ---- making ---- */

static void make_buffer(struct mr_supply *s, struct mr_supply_source *source,
                        const struct mr_power_node *power, enum mr_buffer_kind kind)
{
    struct mr_buffer_params *p = &source->buffer_params;
    source->is_storage = true;
    mr_buffer_defaults(p, kind);
    p->n_unit = power->n_unit;
    p->discharge_w = power->rating_w;
    p->charge_w = kind == MR_BUFFER_BESS ? power->rating_w : power->rating_w / 10;
    p->start_s = 0; /* told by the hold-up of what it feeds */
    /* usable energy of all units is what comes out of the window */
    const double window = (p->soc_max_frac - p->soc_min_frac) * p->discharge_eff;
    p->energy_j = power->energy_j > 0 ? power->energy_j / (double)power->n_unit / window
                                      : power->rating_w * s->params.ups_s / window;
    if (kind == MR_BUFFER_UPS)
        p->discharge_w *= 1.1; /* and its losses */
    source->buffer = mr_buffer_start(p, s->t_s);
    source->is_full = mr_supply_source_is_full(source); /* as it begins: no event */
    source->is_empty = mr_supply_source_is_empty(source, source->buffer.uses_reserve);
}

/* An island's turbines have been running for a while. */
static mr_status make_block(struct mr_supply *s, struct mr_supply_source *source,
                            const struct mr_power_node *power, struct mr_err *err)
{
    struct mr_generator_params *p = &source->block_params;
    source->is_turbine = power->kind == MR_SITE_POWER_TURBINE;
    mr_generator_defaults(p, source->is_turbine ? MR_GENERATOR_TURBINE : MR_GENERATOR_DIESEL);
    p->n_unit = power->n_unit;
    p->n_spare = power->n_spare;
    if (power->rating_w > 0) { /* ramps in proportion */
        p->ramp_w_s *= power->rating_w / p->rated_w;
        p->rated_w = power->rating_w;
    }
    const bool is_running = s->is_island;
    const double before_s = is_running ? p->start_s + 3600 : 0;
    MR_TRY(mr_generator_check(p, power->name, err));
    MR_TRY(mr_generator_init(&s->arena, p, s->t_s - before_s, &source->block, err));
    if (is_running)
        mr_generator_set(p, &source->block,
                         p->rated_w * (double)(p->n_unit - p->n_spare) * p->min_load_frac);
    mr_generator_advance(p, &source->block, s->t_s);
    source->first_j = source->block.energy_j;
    source->first_fuel_j = source->block.fuel_j;
    source->has_started = is_running;
    return MR_OK;
}

static mr_status make_source(struct mr_supply *s, uint32_t power, struct mr_err *err)
{
    const struct mr_power_node *node = &s->site->power[power];
    struct mr_supply_source *source = &s->source[s->n_source++];
    *source = (struct mr_supply_source){.power = power, .name = node->name};
    switch (node->kind) {
    case MR_SITE_POWER_UPS:
    case MR_SITE_POWER_UPS_ECO:
        make_buffer(s, source, node, MR_BUFFER_UPS);
        return MR_OK;
    case MR_SITE_POWER_BBU:
        make_buffer(s, source, node, MR_BUFFER_ROW);
        return MR_OK;
    case MR_SITE_POWER_BESS:
        make_buffer(s, source, node, MR_BUFFER_BESS);
        return MR_OK;
    case MR_SITE_POWER_SOLAR:
        source->is_solar = true;
        source->rated_w = node->rating_w * (double)node->n_unit;
        return MR_OK;
    default:
        return make_block(s, source, node, err);
    }
}

static mr_status check_storage(const struct mr_supply *s, const struct mr_supply_source *source,
                               struct mr_err *err)
{
    const struct mr_buffer_params *p = &source->buffer_params;
    if (!source->is_storage)
        return MR_OK;
    MR_TRY(mr_buffer_check(p, source->name, err));
    if (s->site->power[source->power].kind != MR_SITE_POWER_BESS)
        return MR_OK;
    const struct mr_buffer_plan plan = mr_supply_plan_of(&s->params, p);
    return mr_buffer_plan_check(&plan, p, source->name, err);
}

/* ---- doubts ---- */

/* Of the meter, before anything is drawn: with racks at their lowest caps, and with none. */
static double meter_least_w(struct mr_supply *s, bool has_racks)
{
    mr_chain_ask_begin(s->chain);
    for (uint32_t i = 0; i < s->site->n_rack && has_racks; i++)
        mr_chain_ask_more(s->chain, s->wire.of_rack[i],
                          mr_supply_least_w(&s->params, &s->rack[i], MR_SUPPLY_FREE));
    return mr_chain_ask_w(s->chain);
}

static bool has_beside(const struct mr_supply *s)
{
    for (uint32_t i = 0; i < s->n_source; i++)
        if (s->source[i].is_solar || s->source[i].is_turbine ||
            s->site->power[s->source[i].power].kind == MR_SITE_POWER_BESS)
            return true;
    return false;
}

/* Cooling is not told yet, so what is said here is the least of it. With all racks stopped nobody
 * is left who could keep the contract: refused. Fewer racks than there are is an answer. */
static mr_status check_contract(struct mr_supply *s, struct mr_diags *diags)
{
    if (!s->has_feed || !s->has_grid)
        return MR_OK;
    const double limit_w = s->feed_params.limit_w, least_w = meter_least_w(s, true);
    const double standing_w = meter_least_w(s, false);
    if (standing_w > limit_w && !has_beside(s))
        return mr_diags_add(diags, MR_SEVERITY_ERROR, MR_RANGE, MR_NOWHERE,
                            "%s: the grid's contract is %.6g W, the chain alone loses %.6g W: it "
                            "is exceeded with all racks stopped, before pumps and fans (a larger "
                            "contract, or a smaller chain)",
                            s->site->name, limit_w, standing_w);
    if (least_w > limit_w)
        (void)mr_diags_add(diags, MR_SEVERITY_WARNING, MR_RANGE, MR_NOWHERE,
                           "%s: the grid's contract is %.6g W, the site needs %.6g W before pumps "
                           "and fans, with all racks at their lowest caps: racks will be stopped, "
                           "those of the lowest tier first, until the rest fits (a larger "
                           "contract, or fewer racks)",
                           s->site->name, limit_w, least_w);
    return MR_OK;
}

/* The block of sets that takes over first from batteries of a group: one that stands at a bar they
 * hang on. NULL: none. Turbines run beside a grid or not at all. */
static const struct mr_supply_source *relief_of(struct mr_supply *s,
                                                const struct mr_supply_group *group)
{
    const struct mr_supply_source *first = NULL;
    const uint32_t n = mr_supply_refill_way(s, group);
    for (uint32_t g = 0; g < s->n_group; g++) {
        const struct mr_supply_group *other = &s->group[g];
        bool is_above = false;
        for (uint32_t k = 0; k < n; k++)
            for (uint32_t i = 0; i < other->n_at; i++)
                is_above |= s->way[k] == other->at[i];
        for (uint32_t k = 0; is_above && k < other->n_source; k++) {
            const struct mr_supply_source *source = &s->source[other->source[k]];
            if (!source->is_storage && !source->is_solar && !source->is_turbine &&
                (first == NULL || source->block_params.start_s < first->block_params.start_s))
                first = source;
        }
    }
    return first;
}

/* Batteries of supplies and rows at their rating, until what relieves them runs. Those that are
 * alike follow each other: one finding. */
static void warn_bridge(struct mr_supply *s, struct mr_diags *diags)
{
    char last[sizeof((struct mr_err *)0)->text] = "";
    for (uint32_t g = 0; g < s->n_group; g++)
        for (uint32_t k = 0; k < s->group[g].n_source; k++) {
            const struct mr_supply_source *source = &s->source[s->group[g].source[k]];
            const struct mr_power_node *node = &s->site->power[source->power];
            const struct mr_supply_source *relief =
                source->is_storage && node->kind != MR_SITE_POWER_BESS ? relief_of(s, &s->group[g])
                                                                       : NULL;
            struct mr_err err = {0};
            if (relief == NULL || mr_buffer_check_bridge(&source->buffer_params,
                                                         node->rating_w * (double)node->n_unit,
                                                         relief->block_params.start_s * (1 - 1e-9),
                                                         node->name, relief->name, &err) == MR_OK)
                continue;
            const char *what = strchr(err.text, ':'); /* all but its name */
            if (what != NULL && strcmp(what, last) != 0)
                (void)mr_diags_add_err(diags, MR_SEVERITY_WARNING, &err);
            snprintf(last, sizeof last, "%s", what != NULL ? what : "");
        }
}

/* Machines whose units cannot go as low as all racks together: they dump the rest all the time. */
static void warn_least(const struct mr_supply *s, struct mr_diags *diags)
{
    double most_w = 0;
    for (uint32_t i = 0; i < s->site->n_rack; i++)
        most_w += s->rack[i].most_w;
    for (uint32_t i = 0; i < s->n_source; i++) {
        const struct mr_supply_source *source = &s->source[i];
        const struct mr_generator_params *p = &source->block_params;
        if (source->is_storage || source->is_solar || !(most_w > 0))
            continue;
        const double frac = mr_generator_least_frac(p, most_w);
        if (frac < 1)
            (void)mr_diags_add(diags, MR_SEVERITY_WARNING, MR_RANGE, MR_NOWHERE,
                               "%s: the units that racks need, with its spares, run at %.6g W at "
                               "least, all racks draw %.6g W at most: below its least stable load "
                               "all the time, the rest is dumped (fewer or smaller units)",
                               source->name, most_w / frac, most_w);
    }
}

mr_status mr_supply_doubt(struct mr_supply *s, struct mr_diags *diags)
{
    warn_least(s, diags);
    warn_bridge(s, diags);
    return check_contract(s, diags);
}

/* ---- groups ---- */

static void nodes_of(const struct mr_supply *s, const struct mr_supply_source *source,
                     uint32_t at[2], uint32_t *n)
{
    const struct mr_power_node *power = &s->site->power[source->power];
    *n = 0;
    if (s->wire.of_power[source->power] != MR_CIRCUIT_NONE) {
        at[(*n)++] = s->wire.of_power[source->power]; /* a UPS's own */
        return;
    }
    for (int p = 0; p < 2; p++)
        if (power->parent[p] != MR_SITE_NONE &&
            !mr_wire_is_source(s->site->power[power->parent[p]].kind))
            at[(*n)++] = s->wire.bar_of[power->parent[p]];
    if (*n == 0)
        at[(*n)++] = 0;
}

static bool stands_at(const struct mr_supply_group *group, uint32_t node)
{
    for (uint32_t i = 0; i < group->n_at; i++)
        if (group->at[i] == node)
            return true;
    return false;
}

static mr_status join(struct mr_supply *s, uint32_t i, struct mr_err *err)
{
    struct mr_supply_source *source = &s->source[i];
    uint32_t at[2], n, g = 0;
    nodes_of(s, source, at, &n);
    while (g < s->n_group && !stands_at(&s->group[g], at[0]) &&
           !(n > 1 && stands_at(&s->group[g], at[1])))
        g++;
    struct mr_supply_group *group = &s->group[g];
    if (g == s->n_group) {
        *group =
            (struct mr_supply_group){.is_ups = s->wire.of_power[source->power] != MR_CIRCUIT_NONE};
        group->source = mr_arena_zero(&s->arena, s->site->n_power, sizeof(uint32_t), err);
        if (group->source == NULL)
            return MR_NOMEM;
        s->n_group++;
    }
    group->source[group->n_source++] = i;
    group->is_plant |= source->is_turbine || source->is_solar ||
                       s->site->power[source->power].kind == MR_SITE_POWER_BESS;
    group->has_machines |= !source->is_storage && !source->is_solar;
    for (uint32_t k = 0; k < n; k++)
        if (!stands_at(group, at[k])) {
            if (group->n_at == mr_supply_stand_max)
                return mr_err_set(err, MR_LIMIT, MR_NOWHERE,
                                  "\"%s\": sources that share bars stand at more than %d of them",
                                  source->name, mr_supply_stand_max);
            group->at[group->n_at++] = at[k];
        }
    return MR_OK;
}

static bool has_source(int kind)
{
    return mr_wire_is_source(kind) || kind == MR_SITE_POWER_UPS || kind == MR_SITE_POWER_UPS_ECO;
}

mr_status mr_supply_source_init(struct mr_supply *s, struct mr_err *err)
{
    const size_t n = s->site->n_power;
    s->source = mr_arena_zero(&s->arena, n, sizeof *s->source, err);
    s->group = mr_arena_zero(&s->arena, n, sizeof *s->group, err);
    if (s->source == NULL || s->group == NULL)
        return MR_NOMEM;
    for (uint32_t i = 0; i < n; i++)
        if (has_source(s->site->power[i].kind)) {
            MR_TRY(make_source(s, i, err));
            MR_TRY(check_storage(s, &s->source[s->n_source - 1], err));
            MR_TRY(join(s, s->n_source - 1, err));
        }
    return MR_OK;
}

uint32_t mr_supply_source_of(const struct mr_supply *s, uint32_t power)
{
    for (uint32_t i = 0; i < s->n_source; i++)
        if (s->source[i].power == power)
            return i;
    return MR_SITE_NONE;
}
