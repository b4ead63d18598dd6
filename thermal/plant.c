/* SPDX-License-Identifier: Apache-2.0 */
/* The plant in time. One step, outwards then inwards:
 *   racks play their cohorts to the step's end; heat to liquid and air as integrals
 *   groups take the mean of that heat over the step, rooms and loops what those gave them
 *   at the plant's period heat rejection chooses its stage and its line heat over temperature
 *   supplies go inwards: facility water to groups and rooms, coolant and air to racks
 * Map: parameters - events - cohorts - racks - loops - steps. plant_build.c makes the
 * plant of a site, plant_settle.c finds where it rests, plant_draw.c says what racks draw,
 * plant_flow.c moves coolant and valves, plant_outage.c takes what fails, plant_ask.c answers
 * questions. */
#include "thermal/plant.h"

#include "engine/base/assert.h"
#include "engine/base/mem.h"
#include "thermal/plant_impl.h"

// clang-format off
#define P struct mr_plant_params
static const char *const leakages[] = {
#define LEAKAGE_NAME(name, text, doc) text,
    MR_PLANT_LEAKAGE_LIST(LEAKAGE_NAME)
#undef LEAKAGE_NAME
};
static const struct mr_param rows[] = {
    MR_PARAM(P, period_s, "period", MR_Q_TIME, "15 s", 1, 3600, "Heat rejection is asked this often"),
    MR_PARAM(P, band_k, "inlet_band", MR_Q_TEMPERATURE_DIFF, "0.25 K", 0.001, 5, "Racks see a new inlet when it moved by this much"),
    MR_PARAM_ONE_OF(P, leakage, "leakage", leakages, "included", "Powers told are with the leakage at design coolant, without leakage, or what is drawn at any temperature"),
    MR_PARAM_YES(P, may_float, "allow_float", "no", "Heat rejection may be smaller than the design heat"),
    MR_PARAM_YES(P, may_oversize, "allow_oversized", "no", "Racks may bring more heat than their CDUs are rated for"),
    MR_PARAM_YES(P, has_water, "water", "yes", "There is water for towers and pads"),
    MR_PARAM_YES(P, has_ups_pumps, "ups_pumps", "yes", "Pumps of coolant and facility water run on through an outage"),
    MR_PARAM_YES(P, starts_full, "pumps_full", "no", "Pumps of coolant begin at full flow, whatever racks draw then"),
    MR_PARAM(P, fouled_s, "fouled", MR_Q_TIME, "0 s", 0, 1e10, "Time since plates and exchangers were cleaned, at the start; 0: they stay clean"),
    MR_PARAM(P, recirculation_k, "recirculation", MR_Q_TEMPERATURE_DIFF, "2 K", 0, 20, "Air-cooled packages breathe room air this much warmer"),
    MR_PARAM_N(P, n_cohort, "cohorts", "64", 0, 100000000, "Room for parts of racks that are treated differently"),
};
#undef P
static const struct mr_limits_source sources[] = {
    {"period", MR_CONFIDENCE_ASSUMPTION, "15 s of 10-60 s"},
    {"inlet_band", MR_CONFIDENCE_ASSUMPTION, "bounds the error of die temperatures"},
    {"leakage", MR_CONFIDENCE_ASSUMPTION, "measured powers include it, at the temperatures they were measured at"},
    {"allow_float", MR_CONFIDENCE_ASSUMPTION, "a choice"},
    {"allow_oversized", MR_CONFIDENCE_ASSUMPTION, "a choice"},
    {"water", MR_CONFIDENCE_ASSUMPTION, "a choice"},
    {"ups_pumps", MR_CONFIDENCE_ASSUMPTION, "usual for liquid-cooled halls"},
    {"pumps_full", MR_CONFIDENCE_ASSUMPTION, "a choice"},
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

/* ---- cohorts ---- */

static void play(const struct mr_plant *plant, struct mr_plant_state *state,
                 struct mr_plant_cohort *pc, double t_s)
{
    const struct mr_package *package = plant->rack[pc->rack].package;
    while (pc->cohort.next_s <= t_s)
        mr_plant_handle(plant, state, pc, (int)mr_cohort_fire(package, &pc->cohort));
    mr_cohort_advance(package, &pc->cohort, t_s);
}

/* ---- racks ---- */

static const double least_c = -100, most_c = 400;

/* Nothing that a plant is made of is colder or warmer: what comes next would be no answer. */
static void look_for_fault(struct mr_plant_state *state, const char *kind, const char *name,
                           const char *what, double value_c, double inlet_c, double power_w)
{
    if (value_c >= least_c && value_c <= most_c)
        return;
    (void)mr_err_set(&state->fault, MR_DIVERGED, MR_NOWHERE,
                     "%s '%s': %s of %.4g degC at %.9g s is outside of %g .. %g degC (last inputs: "
                     "%.4g degC in, %.4g kW): no plant is like that, the run ends here",
                     kind, name, what, value_c, state->t_s, least_c, most_c, inlet_c,
                     power_w * 1e-3);
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
    uint32_t n_off = 0;
    for (uint32_t c = s->first; c != UINT32_MAX; c = state->cohort[c].next) {
        struct mr_plant_cohort *pc = &state->cohort[c];
        const double n = pc->cohort.n_package, before_in = pc->cohort.in_j;
        const double before_out = pc->cohort.out_j, before_s = pc->cohort.held_s;
        play(plant, state, pc, t_s);
        in_j += n * (pc->cohort.in_j - before_in);
        out_j += n * (pc->cohort.out_j - before_out);
        s->held_s += n * (pc->cohort.held_s - before_s);
        s->die_max_c = fmax(s->die_max_c, pc->cohort.worst_c[0]);
        n_off += pc->cohort.mode == MR_COHORT_OFF;
        look_for_fault(state, "rack", mr_plant_rack_name(plant, i), "die", pc->cohort.worst_c[0],
                       pc->cohort.inlet_c, mr_cohort_drawn_w(&pc->cohort));
    }
    s->renews |= n_off != s->n_off;
    s->n_off = n_off;
    const double all_j = in_j + other_j;
    const double air_j =
        mr_plant_is_air(r) ? out_j + other_j : fmin((1 - r->manifold.liquid_frac) * all_j, other_j);
    const double liquid_j = out_j + other_j - air_j;
    s->in_j += all_j;
    s->asked_j += s->demand_w * dt;
    s->air_j += air_j;
    s->liquid_j += liquid_j;
    s->liquid_w = liquid_j / dt;
    state->hall[r->hall].heat_j += air_j;
    if (!mr_plant_is_air(r))
        state->group_j[r->group] += liquid_j;
}

static void racks_step(const struct mr_plant *plant, struct mr_plant_state *state, double t_s)
{
    for (uint32_t i = 0; i < plant->n_rack; i++)
        rack_step(plant, state, i, t_s);
}

/* The rest of a rack switches off with its packages. A rack that has none of ours does it by itself
 * in coolant that it cannot live in, and every rack that breathes in such air; back well below. */
static void trip(const struct mr_plant *plant, struct mr_plant_state *state, uint32_t i,
                 double coolant_c)
{
    static const double back_k = 20;
    const struct mr_plant_rack *r = &plant->rack[i];
    struct mr_plant_rack_state *s = &state->rack[i];
    const double less_k = s->is_tripped ? back_k : 0;
    const double coolant_max_c = r->manifold.trip_c - less_k;
    const double air_c = state->hall[r->hall].inlet_c;
    const double air_max_c = r->manifold.trip_air_c - less_k;
    const bool has_air = mr_plant_is_air(r) || r->manifold.liquid_frac < 1;
    const bool is_air_hot = has_air && air_c > air_max_c;
    const bool is_stagnant = r->package == NULL && s->is_tripped && !mr_plant_is_air(r) &&
                             !(mr_plant_rack_frac(plant, state, i) > 0);
    const bool is_tripped =
        is_air_hot || is_stagnant || (r->package == NULL && coolant_c > coolant_max_c);
    if (is_tripped != s->is_tripped) {
        mr_plant_tell(
            plant, state,
            &(struct mr_plant_event){state->t_s, is_tripped ? MR_PLANT_SHUTDOWN : MR_PLANT_RESTART,
                                     mr_plant_rack_name(plant, i), has_air ? air_c : coolant_c,
                                     has_air ? air_max_c : coolant_max_c});
        s->renews = true;
    }
    s->is_tripped = is_tripped;
    if (s->renews)
        mr_plant_renew_power(plant, state, i);
    s->renews = false;
}

static void rack_inlet(const struct mr_plant *plant, struct mr_plant_state *state, uint32_t i)
{
    static const double back_k = 5; /* heat and flow do not fall together */
    const struct mr_plant_rack *r = &plant->rack[i];
    struct mr_plant_rack_state *s = &state->rack[i];
    const double inlet_c = mr_plant_is_air(r) ? state->hall[r->hall].inlet_c
                                              : mr_cdu_group_supply_c(&plant->group[r->group],
                                                                      &state->group[r->group]);
    const double return_c =
        mr_plant_is_air(r) ? inlet_c : mr_plant_return_c(plant, state, i, inlet_c);
    trip(plant, state, i, inlet_c);
    const bool is_hot = return_c > r->manifold.return_high_c - (s->is_hot ? back_k : 0);
    if (is_hot && !s->is_hot)
        mr_plant_tell(plant, state,
                      &(struct mr_plant_event){state->t_s, MR_PLANT_RACK_RETURN_HIGH,
                                               mr_plant_rack_name(plant, i), return_c,
                                               r->manifold.return_high_c});
    s->is_hot = is_hot;
    if (fabs(inlet_c - s->inlet_c) <= plant->p.band_k)
        return;
    s->inlet_c = inlet_c;
    for (uint32_t c = s->first; c != UINT32_MAX; c = state->cohort[c].next)
        mr_plant_handle(
            plant, state, &state->cohort[c],
            (int)mr_cohort_set_inlet(r->package, &state->cohort[c].cohort, state->t_s, inlet_c));
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
            mr_plant_handle(plant, state, pc, (int)event);
        else
            mr_plant_draw(plant, state, pc);
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
                      &(struct mr_plant_event){
                          notes->item[k].t_s, kinds[notes->item[k].event], g->name,
                          notes->item[k].event == MR_CDU_GROUP_NOFLOW ? 0 : notes->item[k].supply_c,
                          notes->item[k].event == MR_CDU_GROUP_NOFLOW        ? (double)NAN
                          : notes->item[k].event == MR_CDU_GROUP_SUPPLY_HIGH ? g->set_c + g->high_k
                                                                             : g->set_c});
}

static void groups_step(const struct mr_plant *plant, struct mr_plant_state *state, double t_s)
{
    const double dt = t_s - state->t_s;
    for (uint32_t i = 0; i < plant->n_group; i++) {
        struct mr_cdu_group_state *s = &state->group[i];
        struct mr_cdu_group_notes notes = {0};
        const double out_j = s->out_j, waste_j = s->electric_j - s->fluid_j;
        const double above_s = s->above_s;
        const uint32_t hall = plant->site->cdu[i].hall;
        state->group_w[i] = state->group_j[i] / dt;
        mr_cdu_group_advance(&plant->group[i], s, t_s, state->group_w[i], &notes);
        state->group_j[i] = 0;
        state->loop[plant->group_loop[i]].heat_j += s->out_j - out_j;
        state->hall[hall == MR_SITE_NONE ? 0 : hall].heat_j += s->electric_j - s->fluid_j - waste_j;
        state->group_high_s[i] += s->above_s - above_s;
        look_for_fault(state, "CDU group", plant->group[i].name, "coolant", s->return_c,
                       s->facility_c, state->group_w[i]);
        state->group_max_c[i] =
            fmax(state->group_max_c[i], mr_cdu_group_supply_c(&plant->group[i], s));
        tell_group(plant, state, i, &notes);
    }
}

double mr_plant_loop_supply_c(const struct mr_plant *plant, const struct mr_plant_state *state,
                              uint32_t i)
{
    const struct mr_plant_loop_state *s = &state->loop[i];
    if (plant->loop[i].has_orbit)
        return mr_orbit_inlet_c(&plant->loop[i].orbit, s->radiator.radiator_k);
    const double taken_w = s->out.heat_w + s->out.slope_w_k * (s->water.return_c - s->from_c);
    return s->water_w_k > 0 ? s->water.return_c - fmax(taken_w, 0) / s->water_w_k
                            : s->water.return_c;
}

/* In orbit there are no surroundings: what no air handler takes is the radiator's too. */
uint32_t mr_plant_bare_room_loop(const struct mr_plant *plant)
{
    for (uint32_t i = 0; i < plant->n_loop; i++)
        if (plant->loop[i].has_orbit)
            return i;
    return MR_SITE_NONE;
}

static void bare_room(const struct mr_plant *plant, struct mr_plant_state *state,
                      struct mr_plant_hall_state *s)
{
    const uint32_t loop = mr_plant_bare_room_loop(plant);
    if (loop == MR_SITE_NONE)
        return; /* its heat waits to be counted as lost to the surroundings */
    state->loop[loop].heat_j += s->heat_j;
    s->heat_j = 0;
}

/* Are the air handlers of a hall supplied? */
static bool has_air(const struct mr_plant_state *state, uint32_t hall)
{
    return state->air_supply[hall] == MR_PLANT_SUPPLY_NOT_TOLD
               ? mr_plant_has_utility(state)
               : state->air_supply[hall] == MR_PLANT_SUPPLY_FED;
}

static void rooms_step(const struct mr_plant *plant, struct mr_plant_state *state, double t_s)
{
    const double dt = t_s - state->t_s;
    for (uint32_t i = 0; i < plant->n_hall; i++) {
        struct mr_plant_hall_state *s = &state->hall[i];
        const uint32_t loop = plant->room_loop[i];
        if (loop == MR_SITE_NONE) {
            bare_room(plant, state, s);
            continue;
        }
        const struct mr_room *room = &plant->room[i];
        const uint64_t n_all = room->p.n_unit + room->p.n_spare;
        const struct mr_room_in in = {
            .heat_w = s->heat_j / dt,
            .water_c = mr_plant_loop_supply_c(plant, state, loop),
            .n_lost = has_air(state, i) ? (uint64_t)state->told[MR_PLANT_OUT_AIR][i] : n_all};
        const struct mr_room_out out = mr_room_control(room, &s->room, &in);
        const double given_j = mr_room_step(room, &s->room, &in, &out, dt);
        state->loop[loop].heat_j += given_j;
        s->heat_w = in.heat_w;
        s->given_w = given_j / dt;
        s->heat_j = 0;
        s->inlet_c = mr_room_inlet_c(room, &s->room);
        const bool is_high = s->inlet_c > room->p.inlet_max_c;
        if (is_high && !s->is_high)
            mr_plant_tell(plant, state,
                          &(struct mr_plant_event){t_s, MR_PLANT_ROOM_HIGH,
                                                   plant->site->hall[i].name, s->inlet_c,
                                                   room->p.inlet_max_c});
        s->is_high = is_high;
        look_for_fault(state, "hall", plant->site->hall[i].name, "air", s->inlet_c, in.water_c,
                       in.heat_w);
    }
}

double mr_plant_pump_speed(const struct mr_plant *plant, const struct mr_plant_state *state,
                           uint32_t i)
{
    const bool has_power = mr_plant_has_utility(state) || plant->p.has_ups_pumps;
    return has_power && !state->is_unfed[plant->n_group + i] ? 1 : 0;
}

static void tell_orbit(const struct mr_plant *plant, struct mr_plant_state *state, uint32_t i,
                       int kind, double t_s)
{
    const struct mr_orbit *orbit = &plant->loop[i].orbit;
    const double zero_k = 273.15;
    const bool is_high = kind == MR_PLANT_RADIATOR_HIGH;
    mr_plant_tell(plant, state,
                  &(struct mr_plant_event){t_s, kind, plant->loop[i].name,
                                           is_high ? orbit->p.high_c
                                                   : state->loop[i].radiator.radiator_k - zero_k,
                                           is_high ? orbit->p.high_c : (double)NAN});
}

/* Steps end at the edges of eclipses, so one begins in light or in shadow as a whole. */
static void orbit_step(const struct mr_plant *plant, struct mr_plant_state *state, uint32_t i,
                       double t_s)
{
    const double dt = t_s - state->t_s, zero_k = 273.15;
    const struct mr_orbit *orbit = &plant->loop[i].orbit;
    struct mr_plant_loop_state *s = &state->loop[i];
    const double heat_w = s->heat_j / dt, limit_k = orbit->p.high_c + zero_k;
    const bool was_sunlit = mr_orbit_is_sunlit(orbit, state->t_s);
    const double high_s = s->radiator.radiator_k < limit_k
                              ? mr_orbit_crossing_s(orbit, &s->radiator, heat_w, t_s, limit_k)
                              : state->t_s;
    if (high_s <= t_s && !s->is_high)
        tell_orbit(plant, state, i, MR_PLANT_RADIATOR_HIGH, high_s);
    mr_orbit_run(orbit, &s->radiator, heat_w, t_s);
    s->is_high = s->radiator.radiator_k >= limit_k;
    if (mr_orbit_is_sunlit(orbit, t_s) != was_sunlit)
        tell_orbit(plant, state, i, was_sunlit ? MR_PLANT_ECLIPSE_IN : MR_PLANT_ECLIPSE_OUT, t_s);
    s->heat_j = 0;
    s->high_s = s->radiator.high_s;
    s->water.return_c = mr_plant_loop_supply_c(plant, state, i) + heat_w / s->water_w_k;
    s->out.heat_w = heat_w;
    look_for_fault(state, "loop", plant->loop[i].name, "radiator", s->radiator.radiator_k - zero_k,
                   s->water.return_c, heat_w);
}

static void loops_step(const struct mr_plant *plant, struct mr_plant_state *state, double t_s)
{
    const double dt = t_s - state->t_s;
    for (uint32_t i = 0; i < plant->n_loop; i++) {
        static const double same_k = 1e-6;
        struct mr_plant_loop_state *s = &state->loop[i];
        const struct mr_rejection_out *out = &s->out;
        if (plant->loop[i].has_orbit) {
            orbit_step(plant, state, i, t_s);
            continue;
        }
        const struct mr_facility_in in = {
            .heat_w = s->heat_j / dt,
            .rejected_w = out->heat_w + out->slope_w_k * (s->water.return_c - s->from_c),
            .slope_w_k = out->slope_w_k,
            .speed_frac = mr_plant_pump_speed(plant, state, i),
            .n_pump_lost = mr_plant_pumps_lost(state, i)};
        s->ambient_j +=
            mr_facility_step(&plant->loop[i].facility, &s->water, &in, dt) + out->work_w * dt;
        s->heat_w = in.heat_w;
        s->heat_j = 0;
        s->fan_j += out->fan_w * dt;
        s->work_j += out->work_w * dt;
        s->water_m3 += mr_water_m3_s(&plant->loop[i].rejection.water, &out->water) * dt;
        s->mode_s[out->mode] += dt;
        if (mr_plant_loop_supply_c(plant, state, i) > plant->loop[i].rejection.p.set_c + same_k)
            s->high_s += dt;
        look_for_fault(state, "loop", plant->loop[i].name, "facility water", s->water.return_c,
                       out->supply_c, in.heat_w);
    }
}

struct mr_rejection_in mr_plant_rejection_in(const struct mr_plant *plant, double t_s,
                                             double return_c, double water_w_k)
{
    const struct mr_weather_point air = mr_weather_at(plant->weather, t_s);
    return (struct mr_rejection_in){.return_c = return_c,
                                    .water_w_k = water_w_k,
                                    .dry_bulb_c = air.dry_bulb_c,
                                    .wet_bulb_c = air.wet_bulb_c,
                                    .pressure_pa = air.pressure_pa};
}

/* A loop asks heat rejection for the next period. */
void mr_plant_ask_rejection(const struct mr_plant *plant, struct mr_plant_state *state, uint32_t i)
{
    const struct mr_plant_loop *l = &plant->loop[i];
    struct mr_plant_loop_state *s = &state->loop[i];
    const double flow = mr_facility_flow_frac(&l->facility, mr_plant_pump_speed(plant, state, i),
                                              mr_plant_pumps_lost(state, i));
    s->from_c = s->water.return_c;
    s->water_w_k = mr_facility_water_w_k(&l->facility, flow);
    if (!(s->water_w_k > 0)) {
        s->out = (struct mr_rejection_out){.mode = MR_REJECTION_FLOAT, .supply_c = s->from_c};
        return;
    }
    const struct mr_rejection_in in =
        mr_plant_rejection_in(plant, state->t_s, s->from_c, s->water_w_k);
    s->out = mr_rejection_run(&l->rejection, &s->rejection, state->t_s, &in);
}

static void look_at_loop(const struct mr_plant *plant, struct mr_plant_state *state, uint32_t i)
{
    const struct mr_rejection_params *p = &plant->loop[i].rejection.p;
    struct mr_plant_loop_state *s = &state->loop[i];
    if (s->out.is_clamped && !s->is_clamped)
        mr_plant_tell(plant, state,
                      &(struct mr_plant_event){state->t_s, MR_PLANT_TOWER_BOUNDS,
                                               plant->loop[i].name, (double)NAN, (double)NAN});
    s->is_clamped = s->out.is_clamped;
    if (s->out.mode != s->mode)
        mr_plant_tell(plant, state,
                      &(struct mr_plant_event){state->t_s, MR_PLANT_MODE, plant->loop[i].name,
                                               s->out.mode, s->mode});
    s->mode = s->out.mode;
    const double supply_c = mr_plant_loop_supply_c(plant, state, i);
    const bool is_high = supply_c > p->set_c + p->dead_band_k;
    if (is_high && !s->is_high)
        mr_plant_tell(plant, state,
                      &(struct mr_plant_event){state->t_s, MR_PLANT_FWS_HIGH, plant->loop[i].name,
                                               supply_c, p->set_c + p->dead_band_k});
    s->is_high = is_high;
}

/* ---- steps ---- */

void mr_plant_hand_inwards(const struct mr_plant *plant, struct mr_plant_state *state)
{
    for (uint32_t i = 0; i < plant->n_group; i++)
        mr_cdu_group_set_facility(&plant->group[i], &state->group[i],
                                  mr_plant_loop_supply_c(plant, state, plant->group_loop[i]));
    for (uint32_t i = 0; i < plant->n_rack; i++) {
        mr_plant_rack_flow(plant, state, i);
        rack_inlet(plant, state, i);
    }
}

static void period(const struct mr_plant *plant, struct mr_plant_state *state)
{
    for (uint32_t i = 0; i < plant->n_loop; i++) {
        if (plant->loop[i].has_orbit)
            continue;
        mr_plant_ask_rejection(plant, state, i);
        look_at_loop(plant, state, i);
    }
    for (uint32_t i = 0; i < plant->n_group && plant->p.fouled_s > 0; i++) {
        mr_cdu_group_set_age(&plant->group[i], &state->group[i], plant->p.fouled_s + state->t_s);
        mr_plant_foul(plant, state, i);
    }
    mr_plant_follow(plant, state);
    tick_cohorts(plant, state);
    state->next_period_s += plant->p.period_s;
}

static double own_next_s(const struct mr_plant *plant, const struct mr_plant_state *state)
{
    double t_s = state->next_period_s;
    for (uint32_t i = 0; i < plant->n_group; i++)
        t_s = fmin(t_s, mr_cdu_group_flow_next_s(&state->group[i]));
    for (uint32_t i = 0; i < plant->n_loop; i++)
        if (plant->loop[i].has_orbit)
            t_s = fmin(t_s, mr_orbit_next_edge_s(&plant->loop[i].orbit, state->t_s));
    t_s = fmin(t_s, mr_plant_leaks_next_s(plant, state));
    t_s = fmin(t_s, mr_plant_valves_next_s(plant, state));
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
    mr_plant_advance_leaks(plant, state);
    mr_plant_advance_valves(plant, state);
    if (t_s >= state->next_period_s)
        period(plant, state);
    mr_plant_hand_inwards(plant, state);
}

void mr_plant_advance(const struct mr_plant *plant, struct mr_plant_state *state, double t_s)
{
    MR_ASSERT(t_s >= state->t_s);
    while (state->t_s < t_s && state->fault.status == MR_OK)
        go(plant, state, fmin(t_s, own_next_s(plant, state)));
}

void mr_plant_step(const struct mr_plant *plant, struct mr_plant_state *state, double t_s)
{
    MR_ASSERT(t_s >= state->t_s);
    if (state->fault.status == MR_OK)
        go(plant, state, fmin(t_s, own_next_s(plant, state)));
}

mr_status mr_plant_fault(const struct mr_plant_state *state, struct mr_err *err)
{
    if (state->fault.status != MR_OK && err != NULL && err->status == MR_OK)
        *err = state->fault;
    return state->fault.status;
}

double mr_plant_step_end_s(const struct mr_plant *plant, const struct mr_plant_state *state)
{
    return own_next_s(plant, state);
}
