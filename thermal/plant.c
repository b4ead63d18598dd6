/* SPDX-License-Identifier: Apache-2.0 */
/* The plant in time. One step, outwards then inwards:
 *   racks play their cohorts to the step's end; heat to liquid and air as integrals
 *   groups take the mean of that heat over the step, rooms and loops what those gave them
 *   at the plant's period heat rejection chooses its stage and its line heat over temperature
 *   supplies go inwards: facility water to groups and rooms, coolant and air to racks
 * Map: parameters - events - cohorts - racks - loops - steps - settling. plant_build.c makes the
 * plant of a site, plant_ask.c answers questions and takes outages. */
#include "thermal/plant.h"

#include "engine/base/assert.h"
#include "engine/base/mem.h"
#include "thermal/plant_impl.h"

// clang-format off
#define P struct mr_plant_params
static const struct mr_param rows[] = {
    MR_PARAM(P, period_s, "period", MR_Q_TIME, "15 s", 1, 3600, "Heat rejection is asked this often"),
    MR_PARAM(P, band_k, "inlet_band", MR_Q_TEMPERATURE_DIFF, "0.25 K", 0.001, 5, "Racks see a new inlet when it moved by this much"),
    MR_PARAM_YES(P, adds_leakage, "adds_leakage", "no", "Powers come without leakage, which is added from die temperatures"),
    MR_PARAM_YES(P, may_float, "allow_float", "no", "Heat rejection may be smaller than the design heat"),
    MR_PARAM_YES(P, may_oversize, "allow_oversized", "no", "Racks may bring more heat than their CDUs are rated for"),
    MR_PARAM_YES(P, has_water, "water", "yes", "There is water for towers and pads"),
    MR_PARAM_YES(P, has_ups_pumps, "ups_pumps", "yes", "Pumps of coolant and facility water run on through an outage"),
    MR_PARAM(P, fouled_s, "fouled", MR_Q_TIME, "0 s", 0, 1e10, "Time since plates and exchangers were cleaned, at the start; 0: they stay clean"),
    MR_PARAM(P, recirculation_k, "recirculation", MR_Q_TEMPERATURE_DIFF, "2 K", 0, 20, "Air-cooled packages breathe room air this much warmer"),
    MR_PARAM_N(P, n_cohort, "cohorts", "64", 0, 100000000, "Room for parts of racks that are treated differently"),
};
#undef P
static const struct mr_limits_source sources[] = {
    {"period", MR_CONFIDENCE_ASSUMPTION, "15 s of 10-60 s"},
    {"inlet_band", MR_CONFIDENCE_ASSUMPTION, "bounds the error of die temperatures"},
    {"adds_leakage", MR_CONFIDENCE_ASSUMPTION, "measured powers include it"},
    {"allow_float", MR_CONFIDENCE_ASSUMPTION, "a choice"},
    {"allow_oversized", MR_CONFIDENCE_ASSUMPTION, "a choice"},
    {"water", MR_CONFIDENCE_ASSUMPTION, "a choice"},
    {"ups_pumps", MR_CONFIDENCE_ASSUMPTION, "usual for liquid-cooled halls"},
    {"fouled", MR_CONFIDENCE_ASSUMPTION, "clean"},
    {"recirculation", MR_CONFIDENCE_ASSUMPTION, "contained aisles leak a little"},
    {"cohorts", MR_CONFIDENCE_ASSUMPTION, "memory"},
};
// clang-format on

const struct mr_limits_table mr_plant_table = {
    {"plant", "The coolant plant of a site.", rows, sizeof rows / sizeof *rows}, sources};

static const char *const event_names[] = {
#define EVENT_NAME(name, text, unit) text,
    MR_PLANT_EVENT_LIST(EVENT_NAME)
#undef EVENT_NAME
};

void mr_plant_defaults(struct mr_plant_params *params)
{
    *params = (struct mr_plant_params){0};
    mr_limits_defaults(&mr_plant_table.param, params);
    mr_leak_defaults(&params->leak);
}

const char *mr_plant_event_name(int kind)
{
    return event_names[kind];
}

/* ---- events ---- */

void mr_plant_tell(const struct mr_plant *plant, struct mr_plant_state *state,
                   const struct mr_plant_event *event)
{
    state->n_event[event->kind]++;
    if (plant->on_event != NULL)
        plant->on_event(plant->context, event);
}

static const char *rack_name(const struct mr_plant *plant, uint32_t rack)
{
    return plant->site->rack[plant->rack[rack].i_site].name;
}

/* ---- cohorts ---- */

/* What one package of the rack asks for. */
static double package_w(const struct mr_plant *plant, const struct mr_plant_state *state,
                        uint32_t rack)
{
    const struct mr_plant_rack *r = &plant->rack[rack];
    const struct mr_plant_rack_state *s = &state->rack[rack];
    return s->is_told ? s->load.demand_w : r->share_frac * s->demand_w / r->n_package;
}

/* What it draws: all it asks for unless it is held, or what its owner says. */
static double drawn_w(const struct mr_plant_rack_state *s, double demand_w, double allowed_w)
{
    return s->is_told ? fmin(s->load.package_w, demand_w) : fmin(demand_w, allowed_w);
}

/* Draw what is asked for, as far as it is allowed, until nothing more follows from it. */
static void draw(const struct mr_plant *plant, struct mr_plant_state *state,
                 struct mr_plant_cohort *pc)
{
    struct mr_cohort *c = &pc->cohort;
    const struct mr_package *package = plant->rack[pc->rack].package;
    const struct mr_plant_rack_state *s = &state->rack[pc->rack];
    const bool is_dark = pc->is_dark || (s->is_told && s->load.is_dark);
    const double demand_w = is_dark ? 0 : package_w(plant, state, pc->rack);
    const double power_w = drawn_w(s, demand_w, c->allowed_w);
    if (power_w == c->power_w && demand_w == c->demand_w && is_dark == c->is_dark &&
        c->t_s == state->t_s)
        return;
    c->is_dark = is_dark;
    if (mr_cohort_set_power(package, c, c->t_s, power_w, demand_w) != MR_COHORT_THROTTLE_OFF)
        return;
    mr_plant_tell(plant, state,
                  &(struct mr_plant_event){c->t_s, MR_PLANT_THROTTLE_OFF,
                                           rack_name(plant, pc->rack), c->worst_c[0],
                                           package->p.slow_c});
    (void)mr_cohort_set_power(package, c, c->t_s, drawn_w(s, demand_w, HUGE_VAL), demand_w);
}

static void handle(const struct mr_plant *plant, struct mr_plant_state *state,
                   struct mr_plant_cohort *pc, enum mr_cohort_event event)
{
    static const int kinds[MR_COHORT_N_EVENT] = {[MR_COHORT_NONE] = -1,
                                                 [MR_COHORT_RELINEARIZE] = -1,
                                                 [MR_COHORT_THROTTLE_ON] = MR_PLANT_THROTTLE_ON,
                                                 [MR_COHORT_THROTTLE_OFF] = MR_PLANT_THROTTLE_OFF,
                                                 [MR_COHORT_HBM_LIMIT] = MR_PLANT_HBM_LIMIT,
                                                 [MR_COHORT_SHUTDOWN] = MR_PLANT_SHUTDOWN,
                                                 [MR_COHORT_RESTART] = MR_PLANT_RESTART};
    const struct mr_package_params *p = &plant->rack[pc->rack].package->p;
    const struct mr_cohort *c = &pc->cohort;
    struct mr_plant_rack_state *rack = &state->rack[pc->rack];
    rack->die_max_c = fmax(rack->die_max_c, c->worst_c[0]);
    if (kinds[event] >= 0)
        mr_plant_tell(plant, state,
                      &(struct mr_plant_event){c->t_s, kinds[event], rack_name(plant, pc->rack),
                                               c->worst_c[0],
                                               event == MR_COHORT_SHUTDOWN  ? p->crit_c
                                               : event == MR_COHORT_RESTART ? p->restart_c
                                                                            : p->slow_c});
    if (event != MR_COHORT_NONE && c->mode != MR_COHORT_OFF)
        draw(plant, state, pc);
}

static void play(const struct mr_plant *plant, struct mr_plant_state *state,
                 struct mr_plant_cohort *pc, double t_s)
{
    const struct mr_package *package = plant->rack[pc->rack].package;
    while (pc->cohort.next_s <= t_s)
        handle(plant, state, pc, mr_cohort_fire(package, &pc->cohort));
    mr_cohort_advance(package, &pc->cohort, t_s);
}

/* ---- racks ---- */

static bool is_air(const struct mr_plant_rack *rack)
{
    return rack->group == MR_SITE_NONE || rack->manifold.liquid_frac == 0;
}

/* Heat of one rack over the step: packages' as they gave it to the coolant, the rest at once. Air
 * takes its share of the power out of what is not package; without liquid it takes all. */
static void rack_step(const struct mr_plant *plant, struct mr_plant_state *state, uint32_t i,
                      double t_s)
{
    const struct mr_plant_rack *r = &plant->rack[i];
    struct mr_plant_rack_state *s = &state->rack[i];
    const double dt = t_s - state->t_s, other_j = s->other_w * dt;
    double in_j = 0, out_j = 0;
    for (uint32_t c = s->first; c != UINT32_MAX; c = state->cohort[c].next) {
        struct mr_plant_cohort *pc = &state->cohort[c];
        const double n = pc->cohort.n_package, before_in = pc->cohort.in_j;
        const double before_out = pc->cohort.out_j, before_s = pc->cohort.held_s;
        play(plant, state, pc, t_s);
        in_j += n * (pc->cohort.in_j - before_in);
        out_j += n * (pc->cohort.out_j - before_out);
        s->held_s += n * (pc->cohort.held_s - before_s);
        s->die_max_c = fmax(s->die_max_c, pc->cohort.worst_c[0]);
    }
    const double all_j = in_j + other_j;
    const double air_j =
        is_air(r) ? out_j + other_j : fmin((1 - r->manifold.liquid_frac) * all_j, other_j);
    const double liquid_j = out_j + other_j - air_j;
    s->in_j += all_j;
    s->asked_j += s->demand_w * dt;
    s->air_j += air_j;
    s->liquid_j += liquid_j;
    s->liquid_w = liquid_j / dt;
    state->hall[r->hall].heat_j += air_j;
    if (!is_air(r))
        state->group_j[r->group] += liquid_j;
}

static void racks_step(const struct mr_plant *plant, struct mr_plant_state *state, double t_s)
{
    for (uint32_t i = 0; i < plant->n_rack; i++)
        rack_step(plant, state, i, t_s);
}

/* Flow class of a rack's plates, from its group, its own valve and fouling. */
void mr_plant_rack_flow(const struct mr_plant *plant, struct mr_plant_state *state, uint32_t i)
{
    const struct mr_plant_rack *r = &plant->rack[i];
    struct mr_plant_rack_state *s = &state->rack[i];
    if (is_air(r))
        return;
    const double frac = mr_cdu_group_flow(&state->group[r->group]) * s->own_frac;
    if (frac < r->manifold.low_frac && !s->is_low)
        mr_plant_tell(plant, state,
                      &(struct mr_plant_event){state->t_s, MR_PLANT_RACK_FLOW_LOW,
                                               rack_name(plant, i), frac, r->manifold.low_frac});
    s->is_low = frac < r->manifold.low_frac;
    if (r->package == NULL)
        return;
    const int flow = mr_package_fouled(
        r->package, mr_flow_class(frac),
        mr_cdu_group_plate_fouling(&plant->group[r->group], &state->group[r->group]));
    if (flow == s->flow)
        return;
    s->flow = flow;
    for (uint32_t c = s->first; c != UINT32_MAX; c = state->cohort[c].next)
        handle(plant, state, &state->cohort[c],
               mr_cohort_set_flow(r->package, &state->cohort[c].cohort, state->t_s, flow));
}

static void rack_inlet(const struct mr_plant *plant, struct mr_plant_state *state, uint32_t i)
{
    const struct mr_plant_rack *r = &plant->rack[i];
    struct mr_plant_rack_state *s = &state->rack[i];
    const double inlet_c =
        is_air(r) ? state->hall[r->hall].inlet_c
                  : mr_cdu_group_supply_c(&plant->group[r->group], &state->group[r->group]);
    const double return_c =
        is_air(r) ? inlet_c
                  : mr_manifold_return_c(&r->manifold, inlet_c, s->liquid_w,
                                         mr_cdu_group_flow(&state->group[r->group]) * s->own_frac);
    if (return_c > r->manifold.return_high_c && !s->is_hot)
        mr_plant_tell(plant, state,
                      &(struct mr_plant_event){state->t_s, MR_PLANT_RACK_RETURN_HIGH,
                                               rack_name(plant, i), return_c,
                                               r->manifold.return_high_c});
    s->is_hot = return_c > r->manifold.return_high_c;
    if (fabs(inlet_c - s->inlet_c) <= plant->p.band_k)
        return;
    s->inlet_c = inlet_c;
    for (uint32_t c = s->first; c != UINT32_MAX; c = state->cohort[c].next)
        handle(plant, state, &state->cohort[c],
               mr_cohort_set_inlet(r->package, &state->cohort[c].cohort, state->t_s, inlet_c));
}

/* Throttled packages are looked at again. */
static void tick_cohorts(const struct mr_plant *plant, struct mr_plant_state *state)
{
    for (size_t i = 0; i < state->n_cohort; i++) {
        struct mr_plant_cohort *pc = &state->cohort[i];
        if (pc->cohort.mode != MR_COHORT_HELD)
            continue;
        const struct mr_package *package = plant->rack[pc->rack].package;
        const enum mr_cohort_event event = mr_cohort_tick(package, &pc->cohort, state->t_s);
        if (event != MR_COHORT_NONE)
            handle(plant, state, pc, event);
        else
            draw(plant, state, pc);
    }
}

/* ---- groups, rooms, loops ---- */

static void tell_group(const struct mr_plant *plant, struct mr_plant_state *state, uint32_t i,
                       const struct mr_cdu_group_notes *notes)
{
    static const int kinds[] = {MR_PLANT_CDU_SATURATED, MR_PLANT_CDU_REGULATED,
                                MR_PLANT_SUPPLY_HIGH, MR_PLANT_NOFLOW};
    const struct mr_cdu_group *g = &plant->group[i];
    for (size_t k = 0; k < notes->n && k < MR_CDU_GROUP_NOTES; k++)
        mr_plant_tell(plant, state,
                      &(struct mr_plant_event){notes->item[k].t_s, kinds[notes->item[k].event],
                                               g->name, notes->item[k].supply_c,
                                               g->set_c + g->high_k});
}

static void groups_step(const struct mr_plant *plant, struct mr_plant_state *state, double t_s)
{
    const double dt = t_s - state->t_s;
    for (uint32_t i = 0; i < plant->n_group; i++) {
        struct mr_cdu_group_state *s = &state->group[i];
        struct mr_cdu_group_notes notes = {0};
        const double out_j = s->out_j, waste_j = s->electric_j - s->fluid_j;
        const uint32_t hall = plant->site->cdu[i].hall;
        mr_cdu_group_advance(&plant->group[i], s, t_s, state->group_j[i] / dt, &notes);
        state->group_j[i] = 0;
        state->loop[plant->group_loop[i]].heat_j += s->out_j - out_j;
        state->hall[hall == MR_SITE_NONE ? 0 : hall].heat_j += s->electric_j - s->fluid_j - waste_j;
        if (s->is_high)
            state->group_high_s[i] += dt;
        state->group_max_c[i] =
            fmax(state->group_max_c[i], mr_cdu_group_supply_c(&plant->group[i], s));
        tell_group(plant, state, i, &notes);
    }
}

static double supply_of(const struct mr_plant_loop_state *s)
{
    const double taken_w = s->out.heat_w + s->out.slope_w_k * (s->water.return_c - s->from_c);
    return s->water_w_k > 0 ? s->water.return_c - fmax(taken_w, 0) / s->water_w_k
                            : s->water.return_c;
}

double mr_plant_loop_supply_c(const struct mr_plant_loop_state *loop)
{
    return supply_of(loop);
}

static void rooms_step(const struct mr_plant *plant, struct mr_plant_state *state, double t_s)
{
    const double dt = t_s - state->t_s;
    for (uint32_t i = 0; i < plant->n_hall; i++) {
        struct mr_plant_hall_state *s = &state->hall[i];
        const uint32_t loop = plant->room_loop[i];
        if (loop == MR_SITE_NONE)
            continue; /* its heat waits to be counted as lost to the surroundings */
        const struct mr_room *room = &plant->room[i];
        const struct mr_room_in in = {
            .heat_w = s->heat_j / dt,
            .water_c = supply_of(&state->loop[loop]),
            .n_lost = state->has_utility ? 0 : room->p.n_unit + room->p.n_spare};
        const struct mr_room_out out = mr_room_control(room, &s->room, &in);
        state->loop[loop].heat_j += mr_room_step(room, &s->room, &in, &out, dt);
        s->heat_j = 0;
        s->inlet_c = mr_room_inlet_c(room, &s->room);
        const bool is_high = s->inlet_c > room->p.inlet_max_c;
        if (is_high && !s->is_high)
            mr_plant_tell(plant, state,
                          &(struct mr_plant_event){t_s, MR_PLANT_ROOM_HIGH,
                                                   plant->site->hall[i].name, s->inlet_c,
                                                   room->p.inlet_max_c});
        s->is_high = is_high;
    }
}

static double pump_speed(const struct mr_plant *plant, const struct mr_plant_state *state)
{
    return state->has_utility || plant->p.has_ups_pumps ? 1 : 0;
}

static void loops_step(const struct mr_plant *plant, struct mr_plant_state *state, double t_s)
{
    const double dt = t_s - state->t_s;
    for (uint32_t i = 0; i < plant->n_loop; i++) {
        struct mr_plant_loop_state *s = &state->loop[i];
        const struct mr_rejection_out *out = &s->out;
        const struct mr_facility_in in = {
            .heat_w = s->heat_j / dt,
            .rejected_w = out->heat_w + out->slope_w_k * (s->water.return_c - s->from_c),
            .slope_w_k = out->slope_w_k,
            .speed_frac = pump_speed(plant, state)};
        s->ambient_j +=
            mr_facility_step(&plant->loop[i].facility, &s->water, &in, dt) + out->work_w * dt;
        s->heat_j = 0;
        s->fan_j += out->fan_w * dt;
        s->work_j += out->work_w * dt;
        s->water_m3 += mr_water_m3_s(&plant->loop[i].rejection.water, &out->water) * dt;
        s->mode_s[out->mode] += dt;
        if (s->is_high)
            s->high_s += dt;
    }
}

/* A loop asks heat rejection for the next period. */
static void ask(const struct mr_plant *plant, struct mr_plant_state *state, uint32_t i)
{
    const struct mr_plant_loop *l = &plant->loop[i];
    struct mr_plant_loop_state *s = &state->loop[i];
    const struct mr_weather_point air = mr_weather_at(plant->weather, state->t_s);
    const double flow = mr_facility_flow_frac(&l->facility, pump_speed(plant, state), 0);
    s->from_c = s->water.return_c;
    s->water_w_k = mr_facility_water_w_k(&l->facility, flow);
    if (!(s->water_w_k > 0)) {
        s->out = (struct mr_rejection_out){.mode = MR_REJECTION_FLOAT, .supply_c = s->from_c};
        return;
    }
    const struct mr_rejection_in in = {.return_c = s->from_c,
                                       .water_w_k = s->water_w_k,
                                       .dry_bulb_c = air.dry_bulb_c,
                                       .wet_bulb_c = air.wet_bulb_c,
                                       .pressure_pa = air.pressure_pa};
    s->out = mr_rejection_run(&l->rejection, &s->rejection, state->t_s, &in);
}

static void look_at_loop(const struct mr_plant *plant, struct mr_plant_state *state, uint32_t i)
{
    const struct mr_rejection_params *p = &plant->loop[i].rejection.p;
    struct mr_plant_loop_state *s = &state->loop[i];
    if (s->out.mode != s->mode)
        mr_plant_tell(plant, state,
                      &(struct mr_plant_event){state->t_s, MR_PLANT_MODE, plant->loop[i].name,
                                               s->out.mode, s->mode});
    s->mode = s->out.mode;
    const double supply_c = supply_of(s);
    const bool is_high = supply_c > p->set_c + p->dead_band_k;
    if (is_high && !s->is_high)
        mr_plant_tell(plant, state,
                      &(struct mr_plant_event){state->t_s, MR_PLANT_FWS_HIGH, plant->loop[i].name,
                                               supply_c, p->set_c + p->dead_band_k});
    s->is_high = is_high;
}

/* ---- steps ---- */

static void hand_inwards(const struct mr_plant *plant, struct mr_plant_state *state)
{
    for (uint32_t i = 0; i < plant->n_group; i++)
        mr_cdu_group_set_facility(&plant->group[i], &state->group[i],
                                  supply_of(&state->loop[plant->group_loop[i]]));
    for (uint32_t i = 0; i < plant->n_rack; i++) {
        mr_plant_rack_flow(plant, state, i);
        rack_inlet(plant, state, i);
    }
}

static void period(const struct mr_plant *plant, struct mr_plant_state *state)
{
    for (uint32_t i = 0; i < plant->n_loop; i++) {
        ask(plant, state, i);
        look_at_loop(plant, state, i);
    }
    if (plant->p.fouled_s > 0)
        for (uint32_t i = 0; i < plant->n_group; i++)
            mr_cdu_group_set_age(&plant->group[i], &state->group[i],
                                 plant->p.fouled_s + state->t_s);
    tick_cohorts(plant, state);
    state->next_period_s += plant->p.period_s;
}

/* Leaks and closing valves whose date has come. */
static void advance_leaks(const struct mr_plant *plant, struct mr_plant_state *state)
{
    for (uint32_t i = 0; i < plant->n_rack; i++) {
        struct mr_plant_rack_state *s = &state->rack[i];
        if (s->leak.stage != MR_LEAK_NONE && mr_leak_next_s(&plant->p.leak, &s->leak) <= state->t_s)
            mr_plant_leak_stage(plant, state, i);
        int class = s->valve_class;
        while (s->valve.law != MR_FLOW_STEADY &&
               mr_flow_next_s(&s->valve, s->valve_class, &class) <= state->t_s) {
            s->valve_class = class;
            s->own_frac = mr_flow_of_class(class);
            if (class == mr_flow_class(s->valve.to_frac)) {
                s->own_frac = s->valve.to_frac;
                s->valve = mr_flow_steady(s->own_frac);
            }
        }
    }
}

static double own_next_s(const struct mr_plant *plant, const struct mr_plant_state *state)
{
    double t_s = state->next_period_s;
    int class;
    for (uint32_t i = 0; i < plant->n_group; i++)
        t_s = fmin(t_s, mr_cdu_group_flow_next_s(&state->group[i]));
    for (uint32_t i = 0; i < plant->n_rack; i++) {
        const struct mr_plant_rack_state *s = &state->rack[i];
        if (s->leak.stage != MR_LEAK_NONE)
            t_s = fmin(t_s, mr_leak_next_s(&plant->p.leak, &s->leak));
        if (s->valve.law != MR_FLOW_STEADY)
            t_s = fmin(t_s, mr_flow_next_s(&s->valve, s->valve_class, &class));
    }
    return fmax(t_s, state->t_s);
}

static void go(const struct mr_plant *plant, struct mr_plant_state *state, double t_s)
{
    if (t_s > state->t_s) {
        racks_step(plant, state, t_s);
        groups_step(plant, state, t_s);
        rooms_step(plant, state, t_s);
        loops_step(plant, state, t_s);
        state->t_s = t_s;
    }
    advance_leaks(plant, state);
    if (t_s >= state->next_period_s)
        period(plant, state);
    hand_inwards(plant, state);
}

void mr_plant_advance(const struct mr_plant *plant, struct mr_plant_state *state, double t_s)
{
    MR_ASSERT(t_s >= state->t_s);
    while (state->t_s < t_s)
        go(plant, state, fmin(t_s, own_next_s(plant, state)));
}

void mr_plant_step(const struct mr_plant *plant, struct mr_plant_state *state, double t_s)
{
    MR_ASSERT(t_s >= state->t_s);
    go(plant, state, fmin(t_s, own_next_s(plant, state)));
}

double mr_plant_step_end_s(const struct mr_plant *plant, const struct mr_plant_state *state)
{
    return own_next_s(plant, state);
}

double mr_plant_next_s(const struct mr_plant *plant, const struct mr_plant_state *state)
{
    double t_s = own_next_s(plant, state);
    for (size_t i = 0; i < state->n_cohort; i++)
        t_s = fmin(t_s, state->cohort[i].cohort.next_s);
    return t_s;
}

double mr_plant_alarm_s(const struct mr_plant *plant, const struct mr_plant_state *state)
{
    double t_s = (double)INFINITY;
    (void)plant;
    for (size_t i = 0; i < state->n_cohort; i++) {
        const struct mr_cohort *c = &state->cohort[i].cohort;
        if (c->next == MR_COHORT_THROTTLE_ON || c->next == MR_COHORT_SHUTDOWN)
            t_s = fmin(t_s, c->next_s);
    }
    return t_s;
}

/* Share of the rack's rest that has power. */
static double lit_frac(const struct mr_plant_rack *r, const struct mr_plant_rack_state *s)
{
    return r->n_package > 0               ? 1 - (double)s->n_dark / r->n_package
           : mr_leak_cuts_power(&s->leak) ? 0
                                          : 1;
}

/* Power of everything in the rack follows what is asked for and who has power at all. */
void mr_plant_renew_power(const struct mr_plant *plant, struct mr_plant_state *state, uint32_t rack)
{
    const struct mr_plant_rack *r = &plant->rack[rack];
    struct mr_plant_rack_state *s = &state->rack[rack];
    s->other_w =
        (s->is_told ? s->load.other_w : (1 - r->share_frac) * s->demand_w) * lit_frac(r, s);
    for (uint32_t c = s->first; c != UINT32_MAX; c = state->cohort[c].next)
        if (state->cohort[c].cohort.mode != MR_COHORT_OFF)
            draw(plant, state, &state->cohort[c]);
}

void mr_plant_set_power(const struct mr_plant *plant, struct mr_plant_state *state, uint32_t rack,
                        double power_w)
{
    MR_ASSERT(power_w >= 0 && isfinite(power_w));
    state->rack[rack].demand_w = power_w;
    state->rack[rack].is_told = false;
    mr_plant_renew_power(plant, state, rack);
}

void mr_plant_set_load(const struct mr_plant *plant, struct mr_plant_state *state, uint32_t rack,
                       const struct mr_plant_load *load)
{
    struct mr_plant_rack_state *s = &state->rack[rack];
    MR_ASSERT(load->package_w >= 0 && isfinite(load->package_w));
    MR_ASSERT(load->demand_w >= load->package_w && isfinite(load->demand_w));
    MR_ASSERT(load->other_w >= 0 && isfinite(load->other_w));
    s->load = *load;
    s->is_told = true;
    s->demand_w = load->demand_w * plant->rack[rack].n_package + load->other_w;
    mr_plant_renew_power(plant, state, rack);
}

/* ---- settling ---- */

/* Return temperature at which heat rejection takes this heat: Newton along its own slope. */
static mr_status settle_loop(const struct mr_plant *plant, struct mr_plant_state *state, uint32_t i,
                             double heat_w, struct mr_err *err)
{
    enum {
        n_round = 200
    };
    const struct mr_plant_loop *l = &plant->loop[i];
    struct mr_plant_loop_state *s = &state->loop[i];
    const double fluid_w =
        mr_facility_fluid_w(&l->facility, mr_facility_pump_w(&l->facility, 1, 0));
    const double all_w = heat_w + fluid_w;
    mr_facility_start(&s->water, l->rejection.p.set_c + all_w / l->facility.water_w_k);
    for (int k = 0; k < n_round; k++) {
        mr_rejection_start(&s->rejection);
        ask(plant, state, i);
        const double off_w = all_w - s->out.heat_w;
        if (fabs(off_w) <= 1e-9 * (all_w + 1)) {
            s->mode = s->out.mode;
            mr_facility_start(&s->water, s->water.return_c);
            return MR_OK;
        }
        const double slope_w_k = fmax(s->out.slope_w_k, 0.02 * s->water_w_k);
        s->water.return_c += off_w / slope_w_k;
        if (!(fabs(s->water.return_c) < 400))
            break;
    }
    return mr_err_set(err, MR_DIVERGED, MR_NOWHERE,
                      "loop '%s': no steady state: %.4g kW of heat on its heat rejection at %.1f "
                      "degC (lower the power, or start=cold)",
                      l->name, all_w * 1e-3, mr_weather_at(plant->weather, state->t_s).dry_bulb_c);
}

/* Steady heat of racks to groups and halls when every package draws what it asks for. */
static void steady_heat(const struct mr_plant *plant, struct mr_plant_state *state, double *group_w,
                        double *hall_w)
{
    for (uint32_t i = 0; i < plant->n_rack; i++) {
        const struct mr_plant_rack *r = &plant->rack[i];
        const struct mr_plant_rack_state *s = &state->rack[i];
        double drawn_w = 0;
        for (uint32_t c = s->first; c != UINT32_MAX; c = state->cohort[c].next)
            drawn_w +=
                state->cohort[c].cohort.n_package * mr_cohort_drawn_w(&state->cohort[c].cohort);
        const double all_w = drawn_w + s->other_w;
        const double air_w =
            is_air(r) ? all_w : fmin((1 - r->manifold.liquid_frac) * all_w, s->other_w);
        hall_w[r->hall] += air_w;
        if (!is_air(r))
            group_w[r->group] += all_w - air_w;
    }
}

static void settle_racks(const struct mr_plant *plant, struct mr_plant_state *state)
{
    for (uint32_t i = 0; i < plant->n_rack; i++) {
        const struct mr_plant_rack *r = &plant->rack[i];
        struct mr_plant_rack_state *s = &state->rack[i];
        s->inlet_c = is_air(r)
                         ? state->hall[r->hall].inlet_c
                         : mr_cdu_group_supply_c(&plant->group[r->group], &state->group[r->group]);
        for (uint32_t c = s->first; c != UINT32_MAX; c = state->cohort[c].next) {
            struct mr_cohort *cohort = &state->cohort[c].cohort;
            const double demand_w = state->cohort[c].is_dark ? 0 : package_w(plant, state, i);
            (void)mr_cohort_set_inlet(r->package, cohort, state->t_s, s->inlet_c);
            (void)mr_cohort_set_power(r->package, cohort, state->t_s,
                                      drawn_w(s, demand_w, HUGE_VAL), demand_w);
            mr_cohort_settle(r->package, cohort);
        }
    }
}

static mr_status settle_once(const struct mr_plant *plant, struct mr_plant_state *state,
                             double *work, struct mr_err *err)
{
    double *group_w = work, *hall_w = group_w + plant->n_group, *loop_w = hall_w + plant->n_hall;
    memset(work, 0, (plant->n_group + plant->n_hall + plant->n_loop) * sizeof *work);
    steady_heat(plant, state, group_w, hall_w);
    for (uint32_t i = 0; i < plant->n_group; i++) {
        const struct mr_cdu_group_state *s = &state->group[i];
        const uint32_t hall = plant->site->cdu[i].hall;
        loop_w[plant->group_loop[i]] += group_w[i] + s->fluid_w;
        hall_w[hall == MR_SITE_NONE ? 0 : hall] += s->electric_w - s->fluid_w;
    }
    for (uint32_t i = 0; i < plant->n_hall; i++)
        if (plant->room_loop[i] != MR_SITE_NONE)
            loop_w[plant->room_loop[i]] +=
                hall_w[i] + plant->room[i].p.fan_w * (double)plant->room[i].p.n_unit;
    for (uint32_t i = 0; i < plant->n_loop; i++)
        MR_TRY(settle_loop(plant, state, i, loop_w[i], err));
    for (uint32_t i = 0; i < plant->n_group; i++) {
        mr_cdu_group_set_facility(&plant->group[i], &state->group[i],
                                  supply_of(&state->loop[plant->group_loop[i]]));
        mr_cdu_group_settle(&plant->group[i], &state->group[i], group_w[i]);
    }
    for (uint32_t i = 0; i < plant->n_hall; i++) {
        if (plant->room_loop[i] == MR_SITE_NONE)
            continue;
        /* as warm as its air handlers, at full speed, leave it; not below the set point */
        const struct mr_room *room = &plant->room[i];
        const double g_w_k = room->g_unit_w_k * (double)room->p.n_unit;
        const double fan_w = room->p.fan_w * (double)room->p.n_unit;
        const double water_c = supply_of(&state->loop[plant->room_loop[i]]);
        mr_room_start(&state->hall[i].room,
                      fmax(room->p.set_c, water_c + (hall_w[i] + fan_w) / g_w_k));
        state->hall[i].inlet_c = mr_room_inlet_c(room, &state->hall[i].room);
    }
    settle_racks(plant, state);
    return MR_OK;
}

mr_status mr_plant_settle(const struct mr_plant *plant, struct mr_plant_state *state,
                          struct mr_err *err)
{
    enum {
        n_round = 4 /* leakage moves heat a little with temperature; nothing else feeds back */
    };
    double *work = mr_alloc_zero(plant->n_group + plant->n_hall + plant->n_loop + 1, sizeof *work);
    if (work == NULL)
        return mr_err_nomem(err, (plant->n_group + plant->n_hall + plant->n_loop) * sizeof *work);
    mr_status st = MR_OK;
    for (int k = 0; k < n_round && st == MR_OK; k++)
        st = settle_once(plant, state, work, err);
    mr_free(work);
    MR_TRY(st);
    for (size_t i = 0; i < state->n_cohort; i++)
        if (state->cohort[i].cohort.mode == MR_COHORT_HELD)
            handle(plant, state, &state->cohort[i], MR_COHORT_THROTTLE_ON);
    hand_inwards(plant, state);
    mr_plant_mark(plant, state);
    return MR_OK;
}
