/* SPDX-License-Identifier: Apache-2.0 */
/* Outages of a plant, rows for readers, sums and first-law residuals. */
#include "engine/base/assert.h"
#include "thermal/plant_impl.h"

/* ---- outages ---- */

static void tell(const struct mr_plant *plant, struct mr_plant_state *state, int kind,
                 const char *entity, double value)
{
    mr_plant_tell(plant, state,
                  &(struct mr_plant_event){state->t_s, kind, entity, value, (double)NAN});
}

/* Flow of every rack of a group follows it. */
static void group_changed(const struct mr_plant *plant, struct mr_plant_state *state,
                          uint32_t group)
{
    for (uint32_t i = 0; i < plant->n_rack; i++)
        if (plant->rack[i].group == group)
            mr_plant_rack_flow(plant, state, i);
}

void mr_plant_lose_units(const struct mr_plant *plant, struct mr_plant_state *state, uint32_t group,
                         int n)
{
    mr_cdu_group_lose(&plant->group[group], &state->group[group], n);
    if (n > 0)
        tell(plant, state, MR_PLANT_CDU_TRIP, plant->group[group].name, n);
    group_changed(plant, state, group);
}

void mr_plant_set_pumps(const struct mr_plant *plant, struct mr_plant_state *state, uint32_t group,
                        bool has_power)
{
    mr_cdu_group_set_pumps(&plant->group[group], &state->group[group], has_power);
    if (!has_power)
        tell(plant, state, MR_PLANT_PUMP_TRIP, plant->group[group].name, (double)NAN);
    group_changed(plant, state, group);
}

static void set_fans(struct mr_plant_loop_state *loop, double frac)
{
    loop->rejection.dry_fans_frac = frac;
    loop->rejection.tower_fans_frac = frac;
}

void mr_plant_set_fans(const struct mr_plant *plant, struct mr_plant_state *state, uint32_t loop,
                       double fans_frac)
{
    MR_ASSERT(fans_frac >= 0 && fans_frac <= 1);
    set_fans(&state->loop[loop], fans_frac);
    state->next_period_s = state->t_s; /* heat rejection is asked again at once */
    tell(plant, state, MR_PLANT_FAN_LOSS, plant->loop[loop].name, 1 - fans_frac);
}

void mr_plant_set_utility(const struct mr_plant *plant, struct mr_plant_state *state,
                          bool has_power)
{
    if (has_power == state->has_utility)
        return;
    state->has_utility = has_power;
    tell(plant, state, has_power ? MR_PLANT_UTILITY_BACK : MR_PLANT_UTILITY_LOSS, plant->site->name,
         (double)NAN);
    for (uint32_t i = 0; i < plant->n_group; i++)
        if (!plant->group[i].has_ups_pumps)
            mr_plant_set_pumps(plant, state, i, has_power);
    for (uint32_t i = 0; i < plant->n_loop; i++) {
        set_fans(&state->loop[i], has_power ? 1 : 0);
        state->loop[i].rejection.n_chiller_lost =
            has_power ? 0 : plant->loop[i].rejection.n_chiller;
    }
    state->next_period_s = state->t_s;
}

/* Packages of a tray become a cohort of their own, without power. */
static void darken_tray(const struct mr_plant *plant, struct mr_plant_state *state, uint32_t rack,
                        uint32_t n)
{
    struct mr_plant_rack_state *s = &state->rack[rack];
    struct mr_plant_cohort *pc = &state->cohort[s->first];
    while (pc->is_dark && pc->next != UINT32_MAX)
        pc = &state->cohort[pc->next];
    if (pc->is_dark)
        return;
    if (n >= pc->cohort.n_package || state->n_cohort == state->cap_cohort) {
        pc->is_dark = true;
        s->n_dark += pc->cohort.n_package;
        return;
    }
    const uint32_t own = (uint32_t)state->n_cohort++;
    struct mr_plant_cohort *other = &state->cohort[own];
    mr_cohort_advance(plant->rack[rack].package, &pc->cohort, state->t_s);
    *other = *pc;
    other->cohort = mr_cohort_split(&pc->cohort, n);
    other->is_dark = true;
    pc->next = own;
    s->n_dark += n;
}

void mr_plant_leak_stage(const struct mr_plant *plant, struct mr_plant_state *state, uint32_t rack)
{
    const struct mr_plant_rack *r = &plant->rack[rack];
    struct mr_plant_rack_state *s = &state->rack[rack];
    const char *name = plant->site->rack[r->i_site].name;
    mr_leak_advance(&plant->p.leak, &s->leak);
    const bool is_whole = mr_leak_cuts_liquid(&s->leak);
    if (s->leak.stage == MR_LEAK_ISOLATING) {
        tell(plant, state, MR_PLANT_LEAK, name, s->leak.scope);
        if (s->first != UINT32_MAX && !is_whole)
            darken_tray(plant, state, rack, mr_leak_lost(&s->leak, r->n_package, r->n_tray));
        for (uint32_t c = s->first; is_whole && c != UINT32_MAX; c = state->cohort[c].next)
            state->cohort[c].is_dark = true;
        if (is_whole) {
            s->n_dark = r->n_package;
            s->valve_class = mr_flow_class(s->own_frac);
            s->valve = mr_flow_linear(state->t_s, s->own_frac, 0, plant->p.leak.isolation_s);
        }
    } else if (s->leak.stage == MR_LEAK_ISOLATED) {
        tell(plant, state, MR_PLANT_ISOLATED, name, s->leak.scope);
        if (is_whole) {
            s->own_frac = 0;
            s->valve = mr_flow_steady(0);
        }
    } else {
        for (uint32_t c = s->first; c != UINT32_MAX; c = state->cohort[c].next)
            state->cohort[c].is_dark = false;
        s->n_dark = 0;
        s->own_frac = 1;
        s->valve = mr_flow_steady(1);
    }
    mr_plant_renew_power(plant, state, rack);
}

void mr_plant_leak(const struct mr_plant *plant, struct mr_plant_state *state, uint32_t rack,
                   enum mr_leak_scope scope)
{
    const uint32_t row = plant->site->rack[plant->rack[rack].i_site].row;
    for (uint32_t i = 0; i < plant->n_rack; i++) {
        const bool is_hit = i == rack || (scope == MR_LEAK_SCOPE_ROW && row != MR_SITE_NONE &&
                                          plant->site->rack[plant->rack[i].i_site].row == row);
        if (is_hit && plant->rack[i].group != MR_SITE_NONE &&
            state->rack[i].leak.stage == MR_LEAK_NONE)
            state->rack[i].leak = mr_leak_start(scope, state->t_s);
    }
}

/* ---- readers ---- */

void mr_plant_rack_row(const struct mr_plant *plant, const struct mr_plant_state *state,
                       uint32_t rack, struct mr_plant_rack_row *row)
{
    const struct mr_plant_rack *r = &plant->rack[rack];
    const struct mr_plant_rack_state *s = &state->rack[rack];
    *row = (struct mr_plant_rack_row){.power_w = s->other_w,
                                      .supply_c = s->inlet_c,
                                      .return_c = s->inlet_c,
                                      .die_max_c = (double)NAN,
                                      .die_mean_c = (double)NAN,
                                      .is_leaking = s->leak.stage >= MR_LEAK_ISOLATING,
                                      .is_isolated = s->leak.stage == MR_LEAK_ISOLATED};
    if (r->group != MR_SITE_NONE && r->manifold.liquid_frac > 0) {
        const double frac = mr_cdu_group_flow(&state->group[r->group]) * s->own_frac;
        row->supply_c = mr_cdu_group_supply_c(&plant->group[r->group], &state->group[r->group]);
        row->flow_m3_s = frac * r->manifold.flow_m3_s;
        row->return_c = mr_manifold_return_c(&r->manifold, row->supply_c, s->liquid_w, frac);
    }
    double sum_c = 0, n_all = 0;
    for (uint32_t c = s->first; c != UINT32_MAX; c = state->cohort[c].next) {
        const struct mr_cohort *cohort = &state->cohort[c].cohort;
        const double n = cohort->n_package;
        row->power_w += n * mr_cohort_drawn_w(cohort);
        row->die_max_c = n_all > 0 ? fmax(row->die_max_c, cohort->worst_c[0]) : cohort->worst_c[0];
        sum_c += n * cohort->mean_c[0];
        n_all += n;
        if (cohort->mode == MR_COHORT_HELD && cohort->power_w < cohort->demand_w)
            row->n_throttled += cohort->n_package;
        if (cohort->mode == MR_COHORT_OFF || state->cohort[c].is_dark)
            row->n_off += cohort->n_package;
    }
    if (n_all > 0)
        row->die_mean_c = sum_c / n_all;
}

double mr_plant_rack_allowed_w(const struct mr_plant *plant, const struct mr_plant_state *state,
                               uint32_t rack)
{
    double most_w = 0;
    MR_ASSERT(rack < plant->n_rack);
    /* cohorts without power are nobody's to hold */
    for (uint32_t c = state->rack[rack].first; c != UINT32_MAX; c = state->cohort[c].next) {
        const struct mr_cohort *cohort = &state->cohort[c].cohort;
        if (!state->cohort[c].is_dark && cohort->mode != MR_COHORT_OFF)
            most_w = most_w > 0 ? fmin(most_w, cohort->allowed_w) : cohort->allowed_w;
    }
    return most_w;
}

double mr_plant_facility_c(const struct mr_plant *plant, const struct mr_plant_state *state,
                           uint32_t loop)
{
    MR_ASSERT(loop < plant->n_loop);
    return mr_plant_loop_supply_c(&state->loop[loop]);
}

/* ---- energy ---- */

static double cohort_stored_j(const struct mr_plant *plant, const struct mr_plant_cohort *pc)
{
    return mr_cohort_stored_j(plant->rack[pc->rack].package, &pc->cohort);
}

static double group_stored_j(const struct mr_plant *plant, const struct mr_plant_state *state,
                             uint32_t i)
{
    return plant->group[i].heat_j_k * state->group[i].return_c;
}

static double site_stored_j(const struct mr_plant *plant, const struct mr_plant_state *state)
{
    double sum_j = 0;
    for (size_t i = 0; i < state->n_cohort; i++)
        sum_j += state->cohort[i].cohort.n_package * cohort_stored_j(plant, &state->cohort[i]);
    for (uint32_t i = 0; i < plant->n_group; i++)
        sum_j += group_stored_j(plant, state, i);
    for (uint32_t i = 0; i < plant->n_loop; i++)
        sum_j += plant->loop[i].facility.capacity_j_k * state->loop[i].water.return_c;
    for (uint32_t i = 0; i < plant->n_hall; i++)
        if (plant->room_loop[i] != MR_SITE_NONE)
            sum_j += plant->room[i].capacity_j_k * state->hall[i].room.room_c;
    return sum_j;
}

void mr_plant_mark(const struct mr_plant *plant, struct mr_plant_state *state)
{
    for (size_t i = 0; i < state->n_cohort; i++)
        state->cohort[i].stored0_j = cohort_stored_j(plant, &state->cohort[i]);
    for (uint32_t i = 0; i < plant->n_group; i++)
        state->group0_j[i] = group_stored_j(plant, state, i);
    state->stored0_j = site_stored_j(plant, state);
}

static void note(double *residual, double off_j, double in_j)
{
    if (in_j > 0)
        *residual = fmax(*residual, fabs(off_j) / in_j);
}

static void rack_sums(const struct mr_plant *plant, const struct mr_plant_state *state, uint32_t i,
                      struct mr_plant_sums *sums)
{
    const struct mr_plant_rack_state *s = &state->rack[i];
    double kept_j = 0;
    for (uint32_t c = s->first; c != UINT32_MAX; c = state->cohort[c].next) {
        const struct mr_plant_cohort *pc = &state->cohort[c];
        const double stored_j = cohort_stored_j(plant, pc) - pc->stored0_j;
        note(&sums->residual[0], pc->cohort.in_j - pc->cohort.out_j - stored_j, pc->cohort.in_j);
        kept_j += pc->cohort.n_package * stored_j;
        sums->die_max_c = fmax(sums->die_max_c, s->die_max_c);
    }
    note(&sums->residual[1], s->in_j - s->liquid_j - s->air_j - kept_j, s->in_j);
    sums->it_j += s->in_j;
    sums->asked_j += s->asked_j;
    sums->throttled_s += s->held_s;
}

void mr_plant_sums(const struct mr_plant *plant, const struct mr_plant_state *state,
                   struct mr_plant_sums *sums)
{
    *sums = (struct mr_plant_sums){.die_max_c = -273.15, .supply_max_c = -273.15};
    double in_j = 0, out_j = 0;
    for (uint32_t i = 0; i < plant->n_rack; i++)
        rack_sums(plant, state, i, sums);
    for (uint32_t i = 0; i < plant->n_group; i++) {
        const struct mr_cdu_group_state *s = &state->group[i];
        const double group_in_j = s->in_j + s->fluid_j;
        note(&sums->residual[2],
             group_in_j - s->out_j - (group_stored_j(plant, state, i) - state->group0_j[i]),
             group_in_j);
        sums->cdu_j += s->electric_j;
        sums->supply_high_s += state->group_high_s[i];
        sums->supply_max_c = fmax(sums->supply_max_c, state->group_max_c[i]);
    }
    for (uint32_t i = 0; i < plant->n_loop; i++) {
        const struct mr_plant_loop_state *s = &state->loop[i];
        note(&sums->residual[2], mr_facility_residual(&plant->loop[i].facility, &s->water), 1);
        sums->facility_pump_j += mr_sum_of(s->water.pump_j);
        sums->fan_j += s->fan_j;
        sums->work_j += s->work_j;
        sums->ambient_j += s->ambient_j;
        sums->water_m3 += s->water_m3;
        sums->facility_high_s += s->high_s;
        for (int m = 0; m < MR_REJECTION_N_MODE; m++)
            sums->mode_s[m] += s->mode_s[m];
        in_j += mr_sum_of(s->water.pump_heat_j);
        out_j += mr_sum_of(s->water.rejected_j);
    }
    for (uint32_t i = 0; i < plant->n_hall; i++) {
        sums->air_j += mr_sum_of(state->hall[i].room.fan_j);
        out_j +=
            state->hall[i].heat_j; /* of halls without air handlers: lost to the surroundings */
    }
    sums->stored_j = site_stored_j(plant, state) - state->stored0_j;
    in_j += sums->it_j + sums->cdu_j + sums->air_j;
    note(&sums->residual[3], in_j - out_j - sums->stored_j, in_j);
}

double mr_plant_pue(const struct mr_plant_sums *sums)
{
    if (!(sums->it_j > 0))
        return (double)NAN;
    return 1 + (sums->cdu_j + sums->facility_pump_j + sums->fan_j + sums->work_j + sums->air_j) /
                   sums->it_j;
}
