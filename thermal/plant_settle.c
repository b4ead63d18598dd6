/* SPDX-License-Identifier: Apache-2.0 */
/* Where a plant rests under the powers and the weather of now: heat outwards, temperatures inwards,
 * until leakage moves neither. */
#include "engine/base/mem.h"
#include "thermal/plant_impl.h"

/* Where the mean of an orbit's light would hold the radiator. */
static void settle_orbit(const struct mr_orbit *orbit, struct mr_plant_loop_state *s, double heat_w)
{
    const double dark_frac = orbit->p.eclipse_s / orbit->p.period_s;
    const double mean_w = dark_frac * mr_orbit_absorbed_w(orbit, false) +
                          (1 - dark_frac) * mr_orbit_absorbed_w(orbit, true);
    const double t_s = s->radiator.t_s;
    mr_orbit_start(&s->radiator, sqrt(sqrt((heat_w + mean_w) / orbit->emit_w_k4)));
    s->radiator.t_s = t_s;
}

/* Return temperature at which heat rejection takes this heat: Newton along its own slope. */
static mr_status settle_loop(const struct mr_plant *plant, struct mr_plant_state *state, uint32_t i,
                             double heat_w, struct mr_err *err)
{
    enum {
        n_round = 200
    };
    const struct mr_plant_loop *l = &plant->loop[i];
    struct mr_plant_loop_state *s = &state->loop[i];
    if (l->has_orbit) {
        settle_orbit(&l->orbit, s, heat_w);
        return MR_OK;
    }
    const double fluid_w =
        mr_facility_fluid_w(&l->facility, mr_facility_pump_w(&l->facility, 1, 0));
    const double all_w = heat_w + fluid_w;
    mr_facility_start(&s->water, l->rejection.p.set_c + all_w / l->facility.water_w_k);
    for (int k = 0; k < n_round; k++) {
        mr_rejection_start(&s->rejection);
        mr_plant_ask_rejection(plant, state, i);
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
                      "degC (lower the power, or give it a larger heat rejection)",
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
            mr_plant_is_air(r) ? all_w : fmin((1 - r->manifold.liquid_frac) * all_w, s->other_w);
        hall_w[r->hall] += air_w;
        if (!mr_plant_is_air(r))
            group_w[r->group] += all_w - air_w;
    }
}

static void settle_racks(const struct mr_plant *plant, struct mr_plant_state *state)
{
    for (uint32_t i = 0; i < plant->n_rack; i++) {
        const struct mr_plant_rack *r = &plant->rack[i];
        struct mr_plant_rack_state *s = &state->rack[i];
        s->inlet_c = mr_plant_is_air(r)
                         ? state->hall[r->hall].inlet_c
                         : mr_cdu_group_supply_c(&plant->group[r->group], &state->group[r->group]);
        for (uint32_t c = s->first; c != UINT32_MAX; c = state->cohort[c].next) {
            struct mr_cohort *cohort = &state->cohort[c].cohort;
            const struct mr_plant_want want =
                mr_plant_want(plant, state, &state->cohort[c], HUGE_VAL);
            (void)mr_cohort_set_inlet(r->package, cohort, state->t_s, s->inlet_c);
            mr_cohort_set_gated(cohort, want.is_gated);
            (void)mr_cohort_set_power(r->package, cohort, state->t_s, want.power_w, want.demand_w);
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
        if (plant->room_loop[i] == MR_SITE_NONE && mr_plant_bare_room_loop(plant) != MR_SITE_NONE)
            loop_w[mr_plant_bare_room_loop(plant)] += hall_w[i];
        else if (plant->room_loop[i] != MR_SITE_NONE)
            loop_w[plant->room_loop[i]] +=
                hall_w[i] + plant->room[i].p.fan_w * (double)plant->room[i].p.n_unit;
    for (uint32_t i = 0; i < plant->n_loop; i++)
        MR_TRY(settle_loop(plant, state, i, loop_w[i], err));
    for (uint32_t i = 0; i < plant->n_group; i++) {
        mr_cdu_group_set_facility(&plant->group[i], &state->group[i],
                                  mr_plant_loop_supply_c(plant, state, plant->group_loop[i]));
        mr_cdu_group_settle(&plant->group[i], &state->group[i], group_w[i]);
    }
    for (uint32_t i = 0; i < plant->n_hall; i++) {
        if (plant->room_loop[i] == MR_SITE_NONE)
            continue;
        /* as warm as its air handlers, at full speed, leave it; not below the set point */
        const struct mr_room *room = &plant->room[i];
        const double g_w_k = room->g_unit_w_k * (double)room->p.n_unit;
        const double fan_w = room->p.fan_w * (double)room->p.n_unit;
        const double water_c = mr_plant_loop_supply_c(plant, state, plant->room_loop[i]);
        mr_room_start(&state->hall[i].room,
                      fmax(room->p.set_c, water_c + (hall_w[i] + fan_w) / g_w_k));
        state->hall[i].inlet_c = mr_room_inlet_c(room, &state->hall[i].room);
    }
    settle_racks(plant, state);
    return MR_OK;
}

/* Pumps rest at the flow that is needed. */
static void settle_pumps(const struct mr_plant *plant, struct mr_plant_state *state)
{
    mr_plant_follow(plant, state);
    for (uint32_t i = 0; i < plant->n_group; i++) {
        mr_cdu_group_rest(&plant->group[i], &state->group[i]);
        mr_plant_group_flow(plant, state, i);
    }
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
    if (!plant->p.starts_full)
        settle_pumps(plant, state);
    mr_status st = MR_OK;
    for (int k = 0; k < n_round && st == MR_OK; k++)
        st = settle_once(plant, state, work, err);
    mr_free(work);
    MR_TRY(st);
    for (size_t i = 0; i < state->n_cohort; i++)
        if (state->cohort[i].cohort.mode == MR_COHORT_HELD)
            mr_plant_handle(plant, state, &state->cohort[i], MR_COHORT_THROTTLE_ON);
    mr_plant_hand_inwards(plant, state);
    mr_plant_mark(plant, state);
    return MR_OK;
}
