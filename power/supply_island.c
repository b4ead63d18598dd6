/* SPDX-License-Identifier: Apache-2.0 */
/* Frequency of bars that machines carry alone. What the load asks beyond the machines' set points,
 * storage and sun comes out of the rotors, then of the governors up to the headroom of the units
 * that run; set points follow at the units' ramps and relieve them. Base, headroom and imbalance
 * are constant over a step of swing_tick at most. How long it may be is foretold from what is
 * missing at its beginning, so that a swing is seen from the moment on that load or machines
 * change. */
#include "power/supply_impl.h"

#include <math.h>

static const double never = (double)INFINITY;

static const double still = 1e-7;      /* per unit: 6 microhertz */
static const double seen = 1e-4;       /* per unit: a swing worth telling */
static const double least_step = 1e-3; /* s, to a predicted date that lies at now */

/* Rating of the units that run, and their set points. */
static double machines_w(const struct mr_supply *s, const struct mr_supply_group *group,
                         double *given_w)
{
    double rated_w = 0;
    *given_w = 0;
    for (uint32_t k = 0; k < group->n_source; k++) {
        const struct mr_supply_source *source = &s->source[group->source[k]];
        if (source->is_storage || source->is_solar)
            continue;
        rated_w += mr_generator_n_running(&source->block) * source->block_params.rated_w;
        *given_w += mr_generator_power_w(&source->block);
    }
    return rated_w;
}

struct swing {
    struct mr_frequency_params params; /* base and headroom of what runs */
    struct mr_frequency state;
};

/* A group's swing with what runs, gives and is missing now. */
static struct swing swing_now(const struct mr_supply *s, const struct mr_supply_group *group,
                              double missing_w)
{
    struct swing now = {s->params.frequency, group->swing};
    struct mr_frequency_params *p = &now.params;
    double given_w;
    p->base_w = machines_w(s, group, &given_w);
    if (!(p->base_w > 0))
        return now;
    p->up_frac = fmin(p->up_frac, fmax(0, p->base_w - given_w) / p->base_w);
    p->down_frac = fmin(p->down_frac, given_w / p->base_w);
    mr_frequency_machines(p, group->swing_params.base_w, &now.state);
    now.state.step = fabs(missing_w) > still * p->base_w ? -missing_w / p->base_w : 0;
    return now;
}

static bool is_moving(const struct mr_frequency_params *p, const struct mr_frequency *swing)
{
    const double moves = swing->step + swing->g - p->damping * swing->f;
    const double governor = swing->is_held || p->droop == 0 ? 0 : swing->f / p->droop + swing->g;
    return fabs(moves) > still || fabs(governor) > still;
}

/* @param[out] now where it does */
static bool is_swinging(const struct mr_supply *s, const struct mr_supply_group *group,
                        struct swing *now)
{
    if (!group->is_balanced || !group->is_own)
        return false;
    *now = swing_now(s, group, group->missing_w);
    return now->params.base_w > 0 && is_moving(&now->params, &now->state);
}

void mr_supply_island_rest(struct mr_supply *s, struct mr_supply_group *group)
{
    group->is_balanced = false;
    group->swing = mr_frequency_start(s->t_s);
    group->n_told = 0;
    group->lowest_hz = 0;
}

static double rotor(const struct mr_supply_group *group)
{
    const struct mr_frequency *swing = &group->swing;
    return swing->step + swing->g - group->swing_params.damping * swing->f;
}

/* A fall has ended that went deeper than those before it. */
static void look_at_nadir(const struct mr_supply *s, struct mr_supply_group *group,
                          bool was_falling, double hz)
{
    if (!was_falling || rotor(group) < -still || group->swing.f > -seen ||
        (group->lowest_hz > 0 && hz > group->lowest_hz - seen * s->params.frequency.nominal_hz))
        return;
    group->nadir_hz = group->lowest_hz = hz;
}

/* Governors move fuel with the watts they add: at the slope of the units that run. */
static void burn(struct mr_supply *s, const struct mr_supply_group *group, double base_w, double j)
{
    for (uint32_t k = 0; k < group->n_source; k++) {
        struct mr_supply_source *source = &s->source[group->source[k]];
        const struct mr_generator_params *p = &source->block_params;
        if (source->is_storage || source->is_solar)
            continue;
        const double share = mr_generator_n_running(&source->block) * p->rated_w / base_w;
        const double fuel_j = share * j * (1 - p->idle_fuel_frac) / p->efficiency;
        mr_generator_drain(p, &source->block, fuel_j);
        s->total.fuel_j += fuel_j;
        s->fuel_usd += fuel_j * p->fuel_usd_j;
        s->fuel_kg += fuel_j * p->fuel_kg_j;
    }
}

bool mr_supply_island_step(struct mr_supply *s, struct mr_supply_group *group, double t_s,
                           double missing_w)
{
    struct mr_frequency_params *p = &group->swing_params;
    struct mr_frequency *swing = &group->swing;
    const struct swing now = swing_now(s, group, missing_w);
    const double base_w = now.params.base_w;
    s->total.machine_rest_j += base_w > 0 ? missing_w * (t_s - s->t_s) : 0;
    if (!(base_w > 0) || !group->is_balanced || !group->is_own) {
        mr_supply_island_rest(s, group);
        group->is_balanced = base_w > 0 && group->is_own && fabs(missing_w) <= still * base_w;
        group->swing.t_s = t_s;
        *p = s->params.frequency;
        p->base_w = base_w;
        return base_w > 0;
    }
    *p = now.params;
    *swing = now.state;
    const bool was_falling = rotor(group) < -still;
    const double low_hz = mr_frequency_advance(p, swing, t_s);
    const double governed_j = (swing->governor - now.state.governor) * base_w;
    s->total.governor_j += governed_j;
    s->total.inertia_j += (swing->rotor - now.state.rotor) * base_w;
    s->total.damping_j += (swing->damping - now.state.damping) * base_w;
    burn(s, group, base_w, governed_j);
    look_at_nadir(s, group, was_falling, low_hz);
    s->low_hz = fmin(s->low_hz, low_hz);
    group->has_collapsed |= low_hz < p->trip_hz;
    if (!is_moving(p, swing) && swing->step == 0 && swing->n_shed == group->n_told) {
        *swing = mr_frequency_start(t_s); /* relays are set back */
        group->n_told = 0;
        group->lowest_hz = 0;
    }
    return true;
}

static void collapse(struct mr_supply *s, struct mr_supply_group *group)
{
    s->total.n_collapse++;
    mr_supply_emit(s, MR_SUPPLY_COLLAPSE, s->wire.tree->node[group->at[0]].name, "",
                   mr_frequency_hz(&group->swing_params, &group->swing),
                   group->swing_params.trip_hz);
    for (uint32_t k = 0; k < group->n_source; k++) {
        struct mr_supply_source *source = &s->source[group->source[k]];
        for (uint32_t u = 0; !source->is_storage && !source->is_solar && u < source->block.n; u++)
            if (source->block.unit[u].state != MR_GENERATOR_FAILED)
                mr_generator_fail(&source->block_params, &source->block, u);
        if (!source->is_storage && !source->is_solar)
            mr_supply_tell_failed(s, source, "left the bus");
    }
    group->has_collapsed = false;
    mr_supply_island_rest(s, group);
}

void mr_supply_island_act(struct mr_supply *s)
{
    for (uint32_t g = 0; g < s->n_group; g++) {
        struct mr_supply_group *group = &s->group[g];
        for (; group->n_told < group->swing.n_shed; group->n_told++) {
            s->total.n_ufls++;
            mr_supply_emit(s, MR_SUPPLY_UFLS, s->wire.tree->node[group->at[0]].name, "",
                           mr_frequency_hz(&group->swing_params, &group->swing),
                           group->swing_params.stage_hz[group->n_told]);
            mr_supply_hold_shed(s, group->swing_params.shed_w[group->n_told],
                                s->t_s + s->params.return_s);
        }
        if (group->has_collapsed)
            collapse(s, group);
    }
}

bool mr_supply_island_moves(const struct mr_supply *s)
{
    struct swing now;
    for (uint32_t g = 0; g < s->n_group; g++)
        if (is_swinging(s, &s->group[g], &now))
            return true;
    return false;
}

double mr_supply_island_next_s(const struct mr_supply *s)
{
    double next_s = never;
    for (uint32_t g = 0; g < s->n_group; g++) {
        struct swing now;
        enum mr_frequency_event event;
        if (!is_swinging(s, &s->group[g], &now))
            continue;
        /* at its headroom a governor lets go of the wave that other dates are foretold from */
        double date_s = mr_frequency_next_s(&now.params, &now.state, &event);
        if (now.params.trip_hz > 0)
            date_s =
                fmin(date_s, mr_frequency_cross_s(&now.params, &now.state, now.params.trip_hz));
        double hz; /* a step ends at the lowest frequency, so that it is told as it is */
        date_s = fmin(date_s, mr_frequency_extremum_s(&now.params, &now.state, &hz));
        date_s = fmax(date_s, s->t_s + least_step);
        next_s = fmin(next_s, fmin(s->t_s + s->params.swing_tick_s, date_s));
    }
    return next_s;
}

double mr_supply_island_hz(const struct mr_supply *s)
{
    double hz = s->params.frequency.nominal_hz;
    for (uint32_t g = 0; g < s->n_group; g++) {
        struct swing now;
        if (!s->group[g].is_balanced)
            continue;
        if (is_swinging(s, &s->group[g], &now) && s->look_s > now.state.t_s)
            (void)mr_frequency_advance(&now.params, &now.state, s->look_s);
        else
            now.state = s->group[g].swing;
        hz = fmin(hz, mr_frequency_hz(&s->params.frequency, &now.state));
    }
    return hz;
}

/* ---- readings ---- */

/* What bars of a group ask for now that others of it do not give; its sun, its machines' set
 * points.
 */
static double rest_w(const struct mr_supply *s, const struct mr_supply_group *group, double *sun_w)
{
    double rest_w = 0;
    *sun_w = 0;
    for (uint32_t i = 0; i < group->n_at && group->is_own; i++) {
        struct mr_chain_flow flow;
        mr_chain_read(s->chain, group->at[i], s->t_s, &flow);
        rest_w += flow.own_w;
    }
    for (uint32_t k = 0; k < group->n_source; k++) {
        const struct mr_supply_source *source = &s->source[group->source[k]];
        if (source->is_storage)
            rest_w += source->mean_w;
        else if (source->is_solar)
            *sun_w += mr_supply_source_sun_w(s, source);
        else
            rest_w -= mr_generator_power_w(&source->block);
    }
    return rest_w - *sun_w;
}

/* Beyond set points governors give, rotors, load that goes with the frequency; the rest is load
 * that machines still take over, before a frequency is followed. */
void mr_supply_island_read(const struct mr_supply *s, struct mr_supply_reading *r)
{
    for (uint32_t g = 0; g < s->n_group; g++) {
        const struct mr_supply_group *group = &s->group[g];
        double sun_w, given_w;
        if (!group->is_away)
            continue;
        const double asked_w = rest_w(s, group, &sun_w);
        const double cut_w = fmin(sun_w, fmax(0, -asked_w)), missing_w = asked_w + cut_w;
        r->solar_w -= cut_w; /* sun that nobody takes is not given */
        if (!(machines_w(s, group, &given_w) > 0))
            continue;
        r->generator_w += missing_w;
        if (!group->is_balanced || !group->is_own)
            continue;
        struct swing now = swing_now(s, group, missing_w);
        if (s->look_s > now.state.t_s)
            (void)mr_frequency_advance(&now.params, &now.state, s->look_s);
        const double base_w = now.params.base_w, governor_w = now.state.g * base_w;
        const double damping_w = -now.params.damping * now.state.f * base_w;
        r->governor_w += governor_w;
        r->damping_w += damping_w;
        r->inertia_w += missing_w - governor_w - damping_w;
    }
}
