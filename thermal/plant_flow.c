/* SPDX-License-Identifier: Apache-2.0 */
/* Coolant of racks on one header. At the pressure the pumps hold, each rack takes what its drop and
 * its valve let through; where pumps give less, the pressure falls until the sum of the racks is
 * what comes. All racks follow one power law, so with f = flow of the group over what racks would
 * take at full pressure
 *
 *   V_i = f V_i(header)        header now = f^1.85 header
 *
 * Valves move with constant speed; their flow goes through the classes of thermal/flow, each of
 * which is a step of the plant. */
#include "engine/base/assert.h"
#include "engine/base/fmath.h"
#include "thermal/plant_impl.h"

/* Coolant side with the speed at which this valve moves now. */
static struct mr_manifold moving(const struct mr_plant_rack *r, const struct mr_plant_rack_state *s)
{
    struct mr_manifold m = r->manifold;
    m.stroke_s = fmax(s->stroke_s, 1e-3); /* isolation in no time: the next step */
    return m;
}

double mr_plant_valve(const struct mr_plant *plant, const struct mr_plant_state *state,
                      uint32_t rack)
{
    const struct mr_plant_rack_state *s = &state->rack[rack];
    const struct mr_manifold m = moving(&plant->rack[rack], s);
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
static double next_of(const struct mr_plant_rack *r, const struct mr_plant_rack_state *s,
                      int *class)
{
    const struct mr_manifold m = moving(r, s);
    const double end_s = end_of(&m, s);
    return fmin(mr_manifold_next_s(&m, &s->valve, r->header_pa, s->valve_class, class), end_s);
}

double mr_plant_valves_next_s(const struct mr_plant *plant, const struct mr_plant_state *state)
{
    double t_s = HUGE_VAL;
    int class;
    for (uint32_t i = 0; i < plant->n_rack; i++)
        if (state->rack[i].is_moving)
            t_s = fmin(t_s, next_of(&plant->rack[i], &state->rack[i], &class));
    return t_s;
}

static bool advance_valve(const struct mr_plant_rack *r, struct mr_plant_rack_state *s, double t_s)
{
    int class;
    bool has_moved = false;
    while (s->is_moving && next_of(r, s, &class) <= t_s) {
        has_moved = true;
        s->valve_class = class;
        s->own_frac = mr_flow_of_class(class);
        const struct mr_manifold m = moving(r, s);
        if (t_s >= end_of(&m, s)) {
            s->is_moving = false;
            s->valve.from = s->valve.to;
            s->own_frac = mr_manifold_flow(&r->manifold, r->header_pa, s->valve.to);
        }
    }
    return has_moved;
}

void mr_plant_advance_valves(const struct mr_plant *plant, struct mr_plant_state *state)
{
    for (uint32_t i = 0; i < plant->n_rack; i++)
        if (state->rack[i].is_moving && advance_valve(&plant->rack[i], &state->rack[i], state->t_s))
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

void mr_plant_rack_flow(const struct mr_plant *plant, struct mr_plant_state *state, uint32_t i)
{
    const struct mr_plant_rack *r = &plant->rack[i];
    struct mr_plant_rack_state *s = &state->rack[i];
    if (mr_plant_is_air(r))
        return;
    const double frac = mr_plant_rack_frac(plant, state, i);
    const bool is_low = frac < r->manifold.low_frac;
    if (is_low && !s->is_low)
        mr_plant_tell(plant, state,
                      &(struct mr_plant_event){state->t_s, MR_PLANT_RACK_FLOW_LOW,
                                               plant->site->rack[r->i_site].name, frac,
                                               r->manifold.low_frac});
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
