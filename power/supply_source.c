/* SPDX-License-Identifier: Apache-2.0 */
/* What stands beside the chain: batteries, generators, turbines, solar.
 * Map: what they can - who carries what - a step. */
#include "engine/base/assert.h"
#include "power/supply_beside_impl.h"

#include <math.h>

static const double never = (double)INFINITY;

/* ---- what they can ---- */

bool mr_supply_source_is_empty(const struct mr_supply_source *source, bool uses_reserve)
{
    const double floor_j = mr_buffer_floor_j(&source->buffer_params, uses_reserve);
    return source->buffer.energy_j <= floor_j * (1 + 1e-12) + 1e-9;
}

bool mr_supply_source_is_full(const struct mr_supply_source *source)
{
    return source->buffer.energy_j >= mr_buffer_ceiling_j(&source->buffer_params) * (1 - 1e-12);
}

static double discharge_w(const struct mr_supply_source *source)
{
    return source->buffer_params.discharge_w * (double)source->buffer_params.n_unit;
}

double mr_supply_source_sun_w(const struct mr_supply *s, const struct mr_supply_source *source)
{
    const struct mr_series *sun = s->options.sun;
    return source->rated_w * (sun != NULL ? mr_series_at(sun, s->t_s) : 0);
}

/* What a source could carry of a bar that has lost its feed, reserve included. */
static double carries_w(const struct mr_supply *s, const struct mr_supply_source *source)
{
    if (source->is_storage)
        return mr_supply_source_is_empty(source, true) ? 0 : discharge_w(source);
    if (source->is_solar)
        return mr_supply_source_sun_w(s, source);
    return mr_generator_n_running(&source->block) * source->block_params.rated_w;
}

double mr_supply_source_group_w(const struct mr_supply *s, const struct mr_supply_group *group)
{
    double sum_w = 0;
    for (uint32_t k = 0; k < group->n_source; k++)
        sum_w += carries_w(s, &s->source[group->source[k]]);
    return sum_w;
}

/* Is a unit on its way to the bar? */
static bool is_starting(const struct mr_supply *s, const struct mr_supply_group *group)
{
    for (uint32_t k = 0; k < group->n_source; k++) {
        const struct mr_supply_source *source = &s->source[group->source[k]];
        if (source->is_storage || source->is_solar)
            continue;
        for (uint32_t u = 0; u < source->block.n; u++)
            if (source->block.unit[u].state == MR_GENERATOR_CRANKING)
                return true;
    }
    return false;
}

/* What stands at bars of the chain, once nothing of it is starting; until then, or where there is
 * nothing, batteries of supplies. */
double mr_supply_source_capacity_w(const struct mr_supply *s)
{
    double plant_w = 0, ups_w = 0;
    bool is_waiting = false;
    if (s->has_grid)
        return never;
    for (uint32_t g = 0; g < s->n_group; g++) {
        const struct mr_supply_group *group = &s->group[g];
        if (!group->is_away)
            continue;
        is_waiting |= is_starting(s, group) && !group->is_backed;
        *(group->is_ups ? &ups_w : &plant_w) += mr_supply_source_group_w(s, group);
    }
    return plant_w > 0 && !is_waiting ? plant_w : ups_w;
}

bool mr_supply_source_moves(const struct mr_supply *s)
{
    for (uint32_t i = 0; i < s->n_source; i++) {
        const struct mr_supply_source *source = &s->source[i];
        if (!source->is_storage && !source->is_solar && source->block.arrive_s < never)
            return true;
    }
    return false;
}

/* ---- who carries what ---- */

void mr_supply_source_ask(struct mr_supply *s, struct mr_supply_source *source, double load_w,
                          double more_w)
{
    const struct mr_generator_params *p = &source->block_params;
    const double most_w = p->rated_w * (double)p->n_unit, asked_w = load_w + more_w;
    mr_generator_set_more(p, &source->block, load_w, more_w);
    if (asked_w > 0 && !source->has_started) {
        mr_supply_emit(s, MR_SUPPLY_GEN_START, source->name, "", asked_w, most_w);
        if (source->n_failed > 0)
            mr_supply_emit(s, MR_SUPPLY_GEN_FAIL, source->name, "did not start", source->n_failed,
                           source->block.n);
    }
    source->has_started = asked_w > 0;
}

/* Away from the grid. @param[in] more_w racks will ask for it once units are there */
static void ask_blocks(struct mr_supply *s, struct mr_supply_group *group, double load_w,
                       double more_w)
{
    for (uint32_t k = 0; k < group->n_source; k++) {
        struct mr_supply_source *source = &s->source[group->source[k]];
        if (source->is_storage || source->is_solar)
            continue;
        const struct mr_generator_params *p = &source->block_params;
        const double most_w = p->rated_w * (double)p->n_unit;
        const double part_w = fmin(load_w, most_w), rest_w = fmin(more_w, most_w - part_w);
        struct mr_generator *block = &source->block;
        const bool is_new = block->is_leaving || isfinite(block->room_w);
        block->is_leaving = false;
        block->n_most = block->n;
        block->room_w = never;
        if (is_new || part_w != block->load_w || rest_w != block->more_w)
            mr_supply_source_ask(s, source, part_w, rest_w);
        load_w -= part_w;
        more_w -= rest_w;
    }
}

/* Put a storage's or source's power on its bars: charging is a demand, giving an injection. */
static bool put_on_bars(struct mr_supply *s, const struct mr_supply_group *group, double given_w)
{
    bool has_changed = false;
    for (uint32_t i = 0; i < group->n_at; i++) {
        struct mr_chain_flow flow;
        mr_chain_read(s->chain, group->at[i], s->t_s, &flow);
        const double part_w = given_w / group->n_at;
        if (flow.inject_w == part_w)
            continue;
        mr_chain_set_inject(s->chain, group->at[i], part_w);
        has_changed |= fabs(flow.inject_w - part_w) > 1e-6 * (fabs(part_w) + 1);
    }
    return has_changed;
}

/* @return whether its bars have lost their feed, and what they ask for */
static bool look_at_bars(struct mr_supply *s, struct mr_supply_group *group, double *fed_w)
{
    bool is_away = false;
    group->own_w = 0;
    *fed_w = 0;
    for (uint32_t i = 0; i < group->n_at; i++) {
        struct mr_chain_flow flow;
        mr_chain_read(s->chain, group->at[i], s->t_s, &flow);
        group->own_w += flow.own_w;
        is_away |= !flow.is_live || flow.is_own || (s->is_island && group->at[i] == 0);
        *fed_w += flow.is_live ? flow.in_w + fmin(0, flow.inject_w) : 0; /* not what charges */
    }
    *fed_w = fmax(0, *fed_w); /* what gives to the grid asks for nothing */
    return is_away;
}

static void set_backed(struct mr_supply *s, struct mr_supply_group *group, bool is_backed)
{
    if (group->is_backed == is_backed)
        return;
    group->is_backed = is_backed;
    for (uint32_t i = 0; i < group->n_at; i++)
        mr_chain_set_backed(s->chain, group->at[i], is_backed);
}

/* Storages that carry their bars, set for the step to come: they make up what generators and sun do
 * not give now. Over the step that can only become less. */
static void preset(struct mr_supply *s, struct mr_supply_group *group)
{
    double rest = group->is_own ? group->own_w : 0;
    double sun_w = 0;
    for (uint32_t k = 0; k < group->n_source && group->is_own; k++) {
        const struct mr_supply_source *source = &s->source[group->source[k]];
        if (source->is_solar)
            sun_w += mr_supply_source_sun_w(s, source);
        else if (!source->is_storage)
            rest -= mr_generator_power_w(&source->block);
    }
    rest -= sun_w;
    for (uint32_t k = 0; k < group->n_source; k++) {
        struct mr_supply_source *source = &s->source[group->source[k]];
        if (!source->is_storage)
            continue;
        source->buffer.uses_reserve = true;
        source->mean_w = mr_buffer_set(&source->buffer_params, &source->buffer, -rest);
        rest += source->mean_w;
    }
    group->missing_w = rest + fmin(sun_w, fmax(0, -rest));
}

/* Only batteries take over without a gap. */
static bool can_take_over(const struct mr_supply *s, const struct mr_supply_group *group,
                          double load_w)
{
    double storage_w = 0;
    for (uint32_t k = 0; k < group->n_source; k++)
        if (s->source[group->source[k]].is_storage)
            storage_w += carries_w(s, &s->source[group->source[k]]);
    return storage_w > 0 && storage_w >= load_w * (1 - 1e-9);
}

/* What comes now is no answer to a try. Nor is it once a bar has been carried for as long as it
 * takes until caps have answered it: loads move from batteries below to the bar that has come back,
 * and cooling begins anew. */
static void forget_tries(struct mr_supply_group *group)
{
    group->tried_w = never;
    group->beyond_w = 0;
}

static void carry_or_wait(struct mr_supply *s, struct mr_supply_group *group)
{
    const char *name = s->wire.tree->node[group->at[0]].name;
    const double can_w = mr_supply_source_group_w(s, group);
    const bool was_own = group->is_own;
    group->is_own = group->own_w != 0 && group->own_w <= can_w * (1 + 1e-9);
    if (group->own_w != 0)
        group->load_w = fmax(0, group->own_w);
    if (group->is_own && !was_own) {
        group->since_s = s->t_s;
        mr_supply_emit(s, MR_SUPPLY_SOURCE_ON, name, "", group->own_w, can_w);
    }
    if (group->own_w != 0 && !group->is_own) {
        mr_supply_emit(s, MR_SUPPLY_SOURCE_SHORT, name, "", group->own_w, can_w);
        group->beyond_w += fmax(0, group->own_w - group->tried_w);
        set_backed(s, group, false);
    } else if (!(can_w > 0)) {
        set_backed(s, group, false);
    } else if (!group->is_backed) {
        const double expected_w =
            group->is_ups ? group->load_w : mr_supply_start_expected_w(s, group);
        group->tried_w = expected_w;
        set_backed(s, group, can_w >= expected_w * (1 - 1e-9));
    }
}

/* Racks that are held back for lack of units, stopped or wait for some: units start for them, too.
 * One that was told to stop and still draws is no less need of others. */
static double unmet_w(const struct mr_supply *s)
{
    double sum_w = 0;
    for (uint32_t i = 0; i < s->site->n_rack; i++)
        if (s->rack[i].state != MR_SUPPLY_RACK_DARK)
            sum_w += fmax(0, fmin(s->rack[i].want_w, s->rack[i].most_w) - s->rack[i].draw_w);
    return s->has_grid ? 0 : 1.1 * sum_w;
}

/* Sun comes first: machines give what it leaves, with units on the bus for what it could cease to
 * give. Of storages nothing is counted on: they fill the gaps. */
static void ask_beside_sun(struct mr_supply *s, struct mr_supply_group *group)
{
    const double load_w = group->own_w != 0 ? fmax(0, group->own_w) : group->load_w;
    double sun_w = 0;
    for (uint32_t k = 0; k < group->n_source; k++)
        if (s->source[group->source[k]].is_solar)
            sun_w += mr_supply_source_sun_w(s, &s->source[group->source[k]]);
    sun_w = fmin(sun_w, load_w);
    ask_blocks(s, group, load_w - sun_w, unmet_w(s) + sun_w);
}

/* Where bars share a group and only one has lost its feed, the group carries that one and rests on
 * the other. */
static bool decide(struct mr_supply *s, struct mr_supply_group *group)
{
    double fed_w;
    const bool was_backed = group->is_backed, was_own = group->is_own;
    bool has_changed;
    group->is_away = look_at_bars(s, group, &fed_w);
    if (group->is_away) {
        has_changed = put_on_bars(s, group, 0);
        ask_beside_sun(s, group);
        carry_or_wait(s, group);
        preset(s, group);
    } else {
        group->load_w = fed_w;
        group->is_own = false;
        forget_tries(group);
        mr_supply_island_rest(s, group);
        mr_supply_beside_ask(s, group);
        has_changed = put_on_bars(s, group, mr_supply_beside_w(s, group));
        set_backed(s, group, can_take_over(s, group, fed_w));
    }
    return has_changed || was_backed != group->is_backed || was_own != group->is_own;
}

/* Away from the grid: what plants carry leaves for storages that rest, counting what these take. */
static double spare_w(const struct mr_supply *s)
{
    double own_w = 0, taken_w = 0;
    for (uint32_t g = 0; g < s->n_group; g++) {
        const struct mr_supply_group *group = &s->group[g];
        own_w += group->is_ups ? 0 : group->own_w;
        taken_w += mr_supply_refill_taken_w(s, group);
    }
    const double most = 1 - s->params.margin;
    return own_w > 0 ? mr_supply_source_capacity_w(s) * most - own_w + taken_w : 0;
}

bool mr_supply_source_decide(struct mr_supply *s)
{
    bool has_changed = false;
    double fed_w;
    for (uint32_t g = 0; g < s->n_group; g++)
        s->group[g].is_away = look_at_bars(s, &s->group[g], &fed_w);
    s->spare_w = s->has_grid ? 0 : spare_w(s);
    mr_supply_refill_begin(s);
    mr_supply_beside_begin(s);
    for (int is_ups = 0; is_ups <= 1; is_ups++) /* batteries of supplies do what others leave */
        for (uint32_t g = 0; g < s->n_group; g++)
            if (s->group[g].is_ups == is_ups)
                has_changed |= decide(s, &s->group[g]);
    mr_supply_beside_end(s);
    return has_changed;
}

/* What rests beside bars that others carry has moved a little after these were looked at, by less
 * than another round is worth: who carries them carries that, too. */
void mr_supply_source_carry(struct mr_supply *s)
{
    double fed_w;
    for (uint32_t g = 0; g < s->n_group; g++)
        if (s->group[g].is_away) {
            (void)look_at_bars(s, &s->group[g], &fed_w);
            preset(s, &s->group[g]);
        }
}

/* What charges beside racks must not show together with what has taken its place. */
void mr_supply_source_give_way(struct mr_supply *s)
{
    for (uint32_t g = 0; g < s->n_group; g++) {
        struct mr_supply_group *group = &s->group[g];
        const double taken_w = mr_supply_refill_taken_w(s, group);
        if (!(taken_w > 0))
            continue;
        for (uint32_t i = 0; i < group->n_at; i++) {
            struct mr_chain_flow flow;
            mr_chain_read(s->chain, group->at[i], s->t_s, &flow);
            mr_chain_set_inject(s->chain, group->at[i], flow.inject_w + taken_w / group->n_at);
        }
        for (uint32_t k = 0; k < group->n_source; k++)
            if (s->source[group->source[k]].is_storage)
                s->source[group->source[k]].mean_w = fmin(0, s->source[group->source[k]].mean_w);
    }
}

/* ---- a step ---- */

/* Empty, full, and where a plant beside a grid stops filling, below full: power holds until then.
 */
static double storage_next_s(const struct mr_supply *s, const struct mr_supply_source *source)
{
    struct mr_buffer_params p = source->buffer_params;
    const double level = mr_supply_plan_of(&s->params, &p).refill_frac;
    enum mr_buffer_event event;
    if (source->buffer.power_w > 0 && mr_buffer_soc_frac(&p, &source->buffer) < level)
        p.soc_max_frac = fmin(p.soc_max_frac, level);
    return mr_buffer_next_s(&p, &source->buffer, &event);
}

/* Machines may be late by a part of a tick: what they gave is counted as it was. A storage beyond
 * its bound would draw, or give, what is not there; but whose bound is nearer than a date can tell
 * says "now" again and again, and time must pass. */
double mr_supply_source_next_s(const struct mr_supply *s)
{
    const double least_step = 0.1, least_step_s = 1e-6; /* of a tick */
    double next_s = s->options.sun != NULL ? mr_series_next_s(s->options.sun, s->t_s) : never;
    double bound_s = never;
    if (s->options.price != NULL &&
        (isfinite(s->params.buy_usd_j) || isfinite(s->params.sell_usd_j)))
        next_s = fmin(next_s, mr_series_next_s(s->options.price, s->t_s));
    next_s = fmin(next_s, mr_supply_beside_next_s(s));
    for (uint32_t i = 0; i < s->n_source; i++) {
        const struct mr_supply_source *source = &s->source[i];
        if (source->is_storage)
            bound_s = fmin(bound_s, storage_next_s(s, source));
        else if (!source->is_solar)
            next_s = fmin(next_s, mr_generator_next_s(&source->block_params, &source->block));
    }
    return fmin(fmax(next_s, s->t_s + least_step * s->params.tick_s),
                fmax(bound_s, s->t_s + least_step_s));
}

static void advance_block(struct mr_supply *s, struct mr_supply_source *source, double t_s)
{
    const struct mr_generator_params *p = &source->block_params;
    const double energy_j = source->block.energy_j, fuel_j = source->block.fuel_j;
    mr_generator_advance(p, &source->block, t_s);
    source->mean_w = (source->block.energy_j - energy_j) / (t_s - s->t_s);
    s->fuel_usd += (source->block.fuel_j - fuel_j) * p->fuel_usd_j;
    s->fuel_kg += (source->block.fuel_j - fuel_j) * p->fuel_kg_j;
}

/* Sun that nobody takes is not given. @return what is left that others have to take */
static double cut_sun(struct mr_supply *s, struct mr_supply_group *group, double beyond_w,
                      double dt_s)
{
    for (uint32_t k = 0; k < group->n_source; k++) {
        struct mr_supply_source *source = &s->source[group->source[k]];
        if (!source->is_solar)
            continue;
        const double cut_w = fmin(source->mean_w, beyond_w);
        source->mean_w -= cut_w;
        source->energy_j -= cut_w * dt_s;
        beyond_w -= cut_w;
    }
    return beyond_w;
}

/* What storages and short, dump make up for over the step: the load less the others' energy. These
 * have moved within it, so a bound may come nearer than it was predicted: what a storage can do
 * over the step, on the mean, it does. Beyond it there is less sun, then machines give less, or
 * more. */
static void carry(struct mr_supply *s, struct mr_supply_group *group, double given_w, double dt_s)
{
    double rest = group->own_w - given_w;
    for (uint32_t k = 0; k < group->n_source; k++) {
        struct mr_supply_source *source = &s->source[group->source[k]];
        if (!source->is_storage)
            continue;
        const double can_w =
            mr_buffer_mean_w(&source->buffer_params, &source->buffer, -rest, s->t_s + dt_s);
        source->mean_w = mr_buffer_set(&source->buffer_params, &source->buffer, can_w);
        rest += source->mean_w;
    }
    if (rest < 0)
        rest = -cut_sun(s, group, -rest, dt_s);
    if (mr_supply_island_step(s, group, s->t_s + dt_s, rest))
        return;
    if (rest > 0)
        s->total.short_j += rest * dt_s;
    else
        s->total.dump_j -= rest * dt_s;
}

static void tell_bounds(struct mr_supply *s, struct mr_supply_source *source, double t_s)
{
    const bool full = mr_supply_source_is_full(source),
               empty = mr_supply_source_is_empty(source, source->buffer.uses_reserve);
    if (full && !source->is_full)
        mr_supply_emit_at(s, t_s, MR_SUPPLY_BUFFER_FULL, source->name, source->buffer.energy_j,
                          mr_buffer_ceiling_j(&source->buffer_params));
    if (empty && !source->is_empty)
        mr_supply_emit_at(s, t_s, MR_SUPPLY_BUFFER_EMPTY, source->name, source->buffer.energy_j,
                          mr_buffer_floor_j(&source->buffer_params, source->buffer.uses_reserve));
    source->is_full = full;
    source->is_empty = empty;
}

/* Generators and sun over the step. @return their mean power */
static double give(struct mr_supply *s, struct mr_supply_group *group, double t_s)
{
    double given_w = 0;
    for (uint32_t k = 0; k < group->n_source; k++) {
        struct mr_supply_source *source = &s->source[group->source[k]];
        if (source->is_storage)
            continue;
        if (source->is_solar) {
            source->mean_w = mr_supply_source_sun_w(s, source);
            source->energy_j += source->mean_w * (t_s - s->t_s);
        } else {
            advance_block(s, source, t_s);
        }
        given_w += source->mean_w;
    }
    return given_w;
}

static double storage_w(const struct mr_supply *s, const struct mr_supply_group *group)
{
    double sum_w = 0;
    for (uint32_t k = 0; k < group->n_source; k++)
        if (s->source[group->source[k]].is_storage)
            sum_w += s->source[group->source[k]].mean_w;
    return sum_w;
}

static void advance_storage(struct mr_supply *s, struct mr_supply_source *source, double t_s)
{
    const double before_j = source->buffer.in_j - source->buffer.out_j;
    mr_buffer_advance(&source->buffer_params, &source->buffer, t_s);
    const double taken_j = source->buffer.in_j - source->buffer.out_j - before_j;
    /* a bound within the step: nothing more is given, or taken */
    const double missed_j = taken_j - source->mean_w * (t_s - s->t_s);
    *(missed_j > 0 ? &s->total.short_j : &s->total.dump_j) += fabs(missed_j);
    tell_bounds(s, source, t_s);
}

void mr_supply_source_step(struct mr_supply *s, double t_s)
{
    double fed_w;
    for (uint32_t g = 0; g < s->n_group; g++) {
        struct mr_supply_group *group = &s->group[g];
        group->given_w = give(s, group, t_s);
        if (!group->is_away)
            put_on_bars(s, group, group->given_w - storage_w(s, group));
    }
    mr_chain_settle(s->chain); /* the means have moved what the bars ask for */
    for (uint32_t g = 0; g < s->n_group; g++) {
        struct mr_supply_group *group = &s->group[g];
        if (!group->is_away)
            continue;
        (void)look_at_bars(s, group, &fed_w);
        if (group->is_own && t_s >= group->since_s + mr_govern_latency_s(&s->params.govern))
            forget_tries(group);
        carry(s, group, group->given_w, t_s - s->t_s);
    }
    for (uint32_t i = 0; i < s->n_source; i++)
        if (s->source[i].is_storage)
            advance_storage(s, &s->source[i], t_s);
}

void mr_supply_source_set_units_failed(struct mr_supply *s, uint32_t i, uint32_t n_failed)
{
    struct mr_supply_source *source = &s->source[i];
    const char *why = "stands";
    if (source->is_storage || source->is_solar)
        return;
    for (uint32_t u = 0; u < source->block.n; u++) {
        const int state = source->block.unit[u].state;
        const bool has_failed = source->block.unit[u].state == MR_GENERATOR_FAILED;
        if (u < n_failed && !has_failed) {
            why = state == MR_GENERATOR_CRANKING ? "did not start"
                  : state == MR_GENERATOR_OFF    ? why
                                                 : "was on the bus";
            mr_generator_fail(&source->block_params, &source->block, u);
        }
        if (u >= n_failed && has_failed)
            mr_generator_repair(&source->block_params, &source->block, u);
    }
    mr_supply_tell_failed(s, source, why);
}

/* ---- readings ---- */

uint32_t mr_supply_n_source(const struct mr_supply *s)
{
    return s->n_source;
}

static struct mr_buffer buffer_then(const struct mr_supply *s,
                                    const struct mr_supply_source *source)
{
    struct mr_buffer buffer = source->buffer;
    if (s->look_s > s->t_s)
        mr_buffer_advance(&source->buffer_params, &buffer, s->look_s);
    return buffer;
}

double mr_supply_source_energy_j(const struct mr_supply *s, uint32_t source)
{
    return buffer_then(s, &s->source[source]).energy_j;
}

static int status_of(const struct mr_supply_source *source, double power_w)
{
    uint32_t n_failed = 0;
    if (source->is_storage)
        return mr_supply_source_is_empty(source, true) ? MR_SUPPLY_STATUS_ALARM
               : power_w != 0                          ? MR_SUPPLY_STATUS_ON
                                                       : MR_SUPPLY_STATUS_OFF;
    for (uint32_t u = 0; u < source->block.n; u++)
        n_failed += source->block.unit[u].state == MR_GENERATOR_FAILED;
    if (!source->is_solar && n_failed == source->block.n)
        return MR_SUPPLY_STATUS_FAILED;
    return power_w > 0 ? MR_SUPPLY_STATUS_ON : MR_SUPPLY_STATUS_OFF;
}

void mr_supply_source_read(const struct mr_supply *s, uint32_t i,
                           struct mr_supply_source_reading *r)
{
    const struct mr_supply_source *source = &s->source[i];
    *r = (struct mr_supply_source_reading){.name = source->name,
                                           .kind = s->site->power[source->power].kind};
    if (source->is_storage) {
        r->power_w = -source->mean_w;
        const struct mr_buffer buffer = buffer_then(s, source);
        r->energy_j = buffer.energy_j;
        r->soc_frac = mr_buffer_soc_frac(&source->buffer_params, &buffer);
    } else {
        r->power_w = source->is_solar ? source->mean_w : mr_generator_power_w(&source->block);
    }
    r->status = status_of(source, r->power_w);
    r->is_available = r->status != MR_SUPPLY_STATUS_FAILED && r->status != MR_SUPPLY_STATUS_ALARM;
}
