/* SPDX-License-Identifier: Apache-2.0 */
/* Coolant of racks on one header. At the pressure the pumps hold, each rack takes what its drop and
 * its valve let through; where pumps give less, the pressure falls until the sum of the racks is
 * what comes. All racks follow one power law, so with f = flow of the group over what racks would
 * take at full pressure
 *
 *   V_i = f V_i(header)        header now = f^1.85 header
 *
 * What settles in racks makes their own drop grow, so at the pressure that is held each takes less:
 * by 1 - (2 / 2.3)^(1/1.85) = 7.3 % where valve and rack share the pressure and the drop grew by 30
 * %.
 *
 * Pumps are asked for the flow of the neediest rack, so no rack's coolant warms by more than at
 * design: the others get more than they need, as valves stay where they were set.
 *
 * Valves move with constant speed; their flow goes through the classes of thermal/flow, each of
 * which is a step of the plant. */
#include "engine/base/assert.h"
#include "engine/base/fmath.h"
#include "thermal/plant_impl.h"

/* Coolant side as it is now: fouled, with the speed at which this valve moves. */
static struct mr_manifold moving(const struct mr_plant *plant, const struct mr_plant_state *state,
                                 uint32_t rack)
{
    const struct mr_plant_rack *r = &plant->rack[rack];
    struct mr_manifold m = r->manifold;
    m.stroke_s = fmax(state->rack[rack].stroke_s, 1e-3); /* isolation in no time: the next step */
    if (!mr_plant_is_air(r))
        m.drop_pa *=
            1 + mr_cdu_group_drop_fouling(&plant->group[r->group], &state->group[r->group]);
    return m;
}

double mr_plant_own_frac(const struct mr_plant *plant, const struct mr_plant_state *state,
                         uint32_t rack, double valve)
{
    const struct mr_manifold m = moving(plant, state, rack);
    return mr_manifold_flow(&m, plant->rack[rack].header_pa, valve);
}

void mr_plant_foul(const struct mr_plant *plant, struct mr_plant_state *state, uint32_t group)
{
    for (uint32_t i = 0; i < plant->n_rack; i++) {
        const struct mr_plant_rack *r = &plant->rack[i];
        struct mr_plant_rack_state *s = &state->rack[i];
        if (r->group == group && !mr_plant_is_air(r) && !s->is_moving)
            s->own_frac = mr_plant_own_frac(plant, state, i, s->valve.to);
    }
    mr_plant_group_flow(plant, state, group);
}

double mr_plant_valve(const struct mr_plant *plant, const struct mr_plant_state *state,
                      uint32_t rack)
{
    const struct mr_plant_rack_state *s = &state->rack[rack];
    const struct mr_manifold m = moving(plant, state, rack);
    return mr_manifold_stroke_at(&m, &s->valve, state->t_s);
}

void mr_plant_move_valve(const struct mr_plant *plant, struct mr_plant_state *state, uint32_t rack,
                         double stroke_s)
{
    const struct mr_plant_rack *r = &plant->rack[rack];
    struct mr_plant_rack_state *s = &state->rack[rack];
    const double open = 1 - state->told[MR_PLANT_OUT_VALVE][rack];
    const double to = s->n_cut > 0 ? 0 : fmin(r->valve_frac, open);
    const double from = mr_plant_valve(plant, state, rack);
    if (mr_plant_is_air(r) || to == s->valve.to)
        return;
    s->valve = (struct mr_manifold_stroke){state->t_s, from, to};
    s->stroke_s = stroke_s;
    s->is_moving = true;
    s->valve_class = mr_flow_class(s->own_frac);
}

static double end_of(const struct mr_manifold *m, const struct mr_plant_rack_state *s)
{
    return s->valve.t0_s + m->stroke_s * fabs(s->valve.to - s->valve.from);
}

/* Date at which it enters its next class, or rests: its end, where a class spans that. */
static double next_of(const struct mr_plant *plant, const struct mr_plant_state *state,
                      uint32_t rack, int *class)
{
    const struct mr_plant_rack_state *s = &state->rack[rack];
    const struct mr_manifold m = moving(plant, state, rack);
    const double end_s = end_of(&m, s), header_pa = plant->rack[rack].header_pa;
    return fmin(mr_manifold_next_s(&m, &s->valve, header_pa, s->valve_class, class), end_s);
}

double mr_plant_valves_next_s(const struct mr_plant *plant, const struct mr_plant_state *state)
{
    double t_s = HUGE_VAL;
    int class;
    for (uint32_t i = 0; i < plant->n_rack; i++)
        if (state->rack[i].is_moving)
            t_s = fmin(t_s, next_of(plant, state, i, &class));
    return t_s;
}

static bool advance_valve(const struct mr_plant *plant, struct mr_plant_state *state, uint32_t rack)
{
    struct mr_plant_rack_state *s = &state->rack[rack];
    int class;
    bool has_moved = false;
    while (s->is_moving && next_of(plant, state, rack, &class) <= state->t_s) {
        has_moved = true;
        s->valve_class = class;
        s->own_frac = mr_flow_of_class(class);
        const struct mr_manifold m = moving(plant, state, rack);
        if (state->t_s >= end_of(&m, s)) {
            s->is_moving = false;
            s->valve.from = s->valve.to;
            s->own_frac = mr_plant_own_frac(plant, state, rack, s->valve.to);
        }
    }
    return has_moved;
}

void mr_plant_advance_valves(const struct mr_plant *plant, struct mr_plant_state *state)
{
    for (uint32_t i = 0; i < plant->n_rack; i++)
        if (state->rack[i].is_moving && advance_valve(plant, state, i))
            mr_plant_group_flow(plant, state, plant->rack[i].group);
}

double mr_plant_rack_frac(const struct mr_plant *plant, const struct mr_plant_state *state,
                          uint32_t rack)
{
    const struct mr_plant_rack *r = &plant->rack[rack];
    return mr_cdu_group_header_frac(&state->group[r->group]) * state->rack[rack].own_frac;
}

void mr_plant_group_flow(const struct mr_plant *plant, struct mr_plant_state *state, uint32_t group)
{
    double taken_m3_s = 0, design_m3_s = 0;
    for (uint32_t i = 0; i < plant->n_rack; i++) {
        const struct mr_plant_rack *r = &plant->rack[i];
        if (r->group != group || mr_plant_is_air(r))
            continue;
        taken_m3_s += r->manifold.flow_m3_s * state->rack[i].own_frac;
        design_m3_s += r->manifold.flow_m3_s;
    }
    mr_cdu_group_set_open(&plant->group[group], &state->group[group],
                          design_m3_s > 0 ? taken_m3_s / design_m3_s : 1);
    for (uint32_t i = 0; i < plant->n_rack; i++)
        if (plant->rack[i].group == group)
            mr_plant_rack_flow(plant, state, i);
}

/* ---- what pumps are asked for ---- */

/* Watts told, without leakage or with it, and heat as it comes, which lags behind: the larger. */
static double need_of(const struct mr_plant *plant, const struct mr_plant_state *state, uint32_t i)
{
    const struct mr_plant_rack *r = &plant->rack[i];
    const struct mr_plant_rack_state *s = &state->rack[i];
    const double told_w =
        s->is_told ? s->load.package_w * r->n_package + s->load.other_w : s->demand_w;
    const double need_w = fmax(told_w, s->liquid_w / r->manifold.liquid_frac);
    return r->granted_w > 0 ? need_w / r->granted_w : 1;
}

void mr_plant_follow(const struct mr_plant *plant, struct mr_plant_state *state)
{
    for (uint32_t g = 0; g < plant->n_group; g++)
        state->group_need[g] = 0;
    for (uint32_t i = 0; i < plant->n_rack; i++)
        if (!mr_plant_is_air(&plant->rack[i])) {
            double *need = &state->group_need[plant->rack[i].group];
            *need = fmax(*need, need_of(plant, state, i));
        }
    for (uint32_t g = 0; g < plant->n_group; g++)
        mr_cdu_group_set_need(&plant->group[g], &state->group[g], state->group_need[g]);
}

void mr_plant_need_more(const struct mr_plant *plant, struct mr_plant_state *state, uint32_t rack)
{
    const struct mr_plant_rack *r = &plant->rack[rack];
    if (mr_plant_is_air(r))
        return;
    const double need = need_of(plant, state, rack);
    if (need > state->group[r->group].need_frac)
        mr_cdu_group_set_need(&plant->group[r->group], &state->group[r->group], need);
}

/* ---- what racks feel ---- */

double mr_plant_return_c(const struct mr_plant *plant, const struct mr_plant_state *state,
                         uint32_t rack, double supply_c)
{
    const struct mr_plant_rack *r = &plant->rack[rack];
    const struct mr_plant_rack_state *s = &state->rack[rack];
    const double frac = mr_plant_rack_frac(plant, state, rack);
    double plate_c = s->first == UINT32_MAX && frac > 0 ? r->manifold.trip_c : supply_c;
    for (uint32_t c = s->first; c != UINT32_MAX; c = state->cohort[c].next)
        plate_c = fmax(plate_c, state->cohort[c].cohort.mean_c[1]);
    plate_c = fmax(plate_c, supply_c);
    return frac > 0 ? fmin(mr_manifold_return_c(&r->manifold, supply_c, s->liquid_w, frac), plate_c)
                    : plate_c;
}

void mr_plant_rack_flow(const struct mr_plant *plant, struct mr_plant_state *state, uint32_t i)
{
    const struct mr_plant_rack *r = &plant->rack[i];
    struct mr_plant_rack_state *s = &state->rack[i];
    if (mr_plant_is_air(r))
        return;
    const double frac = mr_plant_rack_frac(plant, state, i);
    /* of what pumps are asked for: a little flow for little heat is not low */
    const double low = r->manifold.low_frac * fmin(state->group[r->group].need_frac, 1);
    const bool is_low = frac < low;
    if (is_low && !s->is_low)
        mr_plant_tell(plant, state,
                      &(struct mr_plant_event){state->t_s, MR_PLANT_RACK_FLOW_LOW,
                                               plant->site->rack[r->i_site].name, frac, low});
    s->is_low = is_low;
    const double fouling =
        mr_cdu_group_plate_fouling(&plant->group[r->group], &state->group[r->group]);
    if (r->package == NULL || (frac == s->flow_frac && fouling == s->fouling_frac))
        return;
    s->flow_frac = frac;
    s->fouling_frac = fouling;
    const int flow = mr_package_fouled(r->package, mr_flow_class(frac), fouling);
    if (flow == s->flow)
        return;
    s->flow = flow;
    for (uint32_t c = s->first; c != UINT32_MAX; c = state->cohort[c].next)
        mr_plant_handle(
            plant, state, &state->cohort[c],
            (int)mr_cohort_set_flow(r->package, &state->cohort[c].cohort, state->t_s, flow));
}
