/* SPDX-License-Identifier: Apache-2.0 */
/* Rows for readers of a plant, what comes next, sums and first-law residuals. */
#include "engine/base/assert.h"
#include "engine/base/fmath.h"
#include "thermal/plant_impl.h"

/* ---- readers ---- */

static void liquid_row(const struct mr_plant *plant, const struct mr_plant_state *state,
                       uint32_t rack, struct mr_plant_rack_row *row)
{
    const struct mr_plant_rack *r = &plant->rack[rack];
    const struct mr_cdu_group_state *g = &state->group[r->group];
    const double frac = mr_plant_rack_frac(plant, state, rack);
    const double header = mr_cdu_group_header_frac(g);
    row->supply_c = mr_cdu_group_supply_c(&plant->group[r->group], g);
    row->flow_m3_s = frac * r->manifold.flow_m3_s;
    row->return_c = mr_plant_return_c(plant, state, rack, row->supply_c);
    row->header_set_pa = r->header_pa;
    const double header_share = mr_pow(header, r->manifold.exponent);
    row->header_pa = r->header_pa * header_share;
    row->drop_pa = r->manifold.drop_pa *
                   (1 + mr_cdu_group_drop_fouling(&plant->group[r->group], g)) *
                   (frac == header ? header_share : mr_pow(frac, r->manifold.exponent));
    row->valve_frac = mr_plant_valve(plant, state, rack);
}

static bool is_throttled(const struct mr_cohort *cohort)
{
    return cohort->mode == MR_COHORT_HELD && cohort->power_w < cohort->demand_w;
}

static bool is_dark(const struct mr_plant_rack_state *rack)
{
    return rack->is_told && rack->load.is_dark;
}

static bool is_off(const struct mr_plant_state *state, const struct mr_plant_rack_state *rack,
                   uint32_t cohort)
{
    const struct mr_plant_cohort *c = &state->cohort[cohort];
    return c->cohort.mode == MR_COHORT_OFF || c->n_dark > 0 || rack->n_cut > 0 || rack->is_tripped;
}

uint32_t mr_plant_rack_off(const struct mr_plant_state *state, uint32_t rack)
{
    const struct mr_plant_rack_state *s = &state->rack[rack];
    uint32_t n = 0;
    for (uint32_t c = s->first; c != UINT32_MAX; c = state->cohort[c].next)
        if (is_off(state, s, c))
            n += state->cohort[c].cohort.n_package;
    return n;
}

void mr_plant_rack_row(const struct mr_plant *plant, const struct mr_plant_state *state,
                       uint32_t rack, struct mr_plant_rack_row *row)
{
    const struct mr_plant_rack *r = &plant->rack[rack];
    const struct mr_plant_rack_state *s = &state->rack[rack];
    const double none = (double)NAN;
    const bool is_blind = state->told[MR_PLANT_OUT_SENSOR][rack] > 0;
    *row = (struct mr_plant_rack_row){.power_w = s->other_w,
                                      .supply_c = s->inlet_c,
                                      .return_c = s->inlet_c,
                                      .die_max_c = none,
                                      .die_mean_c = none,
                                      .header_pa = none,
                                      .header_set_pa = none,
                                      .drop_pa = none,
                                      .valve_frac = none,
                                      .n_off = mr_plant_rack_off(state, rack),
                                      .is_dark = is_dark(s),
                                      .is_leaking = s->n_known > 0 && !is_blind,
                                      .is_tray_leaking = s->n_tray > 0 && !is_blind,
                                      .is_sensor_faulty = is_blind,
                                      .is_liquid_requested = s->n_cut > 0,
                                      .is_liquid_isolated = s->n_isolated > 0,
                                      .is_power_requested = s->n_known > 0,
                                      .is_power_isolated = s->n_known > 0};
    if (!mr_plant_is_air(r))
        liquid_row(plant, state, rack, row);
    double sum_c = 0, n_all = 0;
    for (uint32_t c = s->first; c != UINT32_MAX; c = state->cohort[c].next) {
        const struct mr_cohort *cohort = &state->cohort[c].cohort;
        const double n = cohort->n_package;
        row->power_w += n * mr_cohort_drawn_w(cohort);
        row->die_max_c = n_all > 0 ? fmax(row->die_max_c, cohort->worst_c[0]) : cohort->worst_c[0];
        sum_c += n * cohort->mean_c[0];
        n_all += n;
        if (is_throttled(cohort))
            row->n_throttled += cohort->n_package;
    }
    if (n_all > 0)
        row->die_mean_c = sum_c / n_all;
    /* where flow all but stops, coolant does not leave in the steady state that the balance
     * assumes: nothing in the rack is hotter than the hottest die */
    if (n_all > 0)
        row->return_c = fmin(row->return_c, fmax(row->die_max_c, row->supply_c));
}

void mr_plant_rack_brief(const struct mr_plant_state *state, uint32_t rack, double *power_w,
                         double *die_max_c)
{
    const struct mr_plant_rack_state *s = &state->rack[rack];
    *power_w = s->other_w;
    *die_max_c = (double)NAN;
    for (uint32_t c = s->first; c != UINT32_MAX; c = state->cohort[c].next) {
        const struct mr_cohort *cohort = &state->cohort[c].cohort;
        *power_w += cohort->n_package * mr_cohort_drawn_w(cohort);
        *die_max_c = fmax(*die_max_c, cohort->worst_c[0]); /* passes over NaN */
    }
}

double mr_plant_header_pa(const struct mr_plant *plant, const struct mr_plant_state *state,
                          uint32_t rack)
{
    const struct mr_plant_rack *r = &plant->rack[rack];
    if (mr_plant_is_air(r))
        return (double)NAN;
    return r->header_pa *
           mr_pow(mr_cdu_group_header_frac(&state->group[r->group]), r->manifold.exponent);
}

bool mr_plant_rack_is_held(const struct mr_plant_state *state, uint32_t rack)
{
    const struct mr_plant_rack_state *s = &state->rack[rack];
    if (is_dark(s))
        return true;
    for (uint32_t c = s->first; c != UINT32_MAX; c = state->cohort[c].next) {
        const struct mr_cohort *cohort = &state->cohort[c].cohort;
        if (cohort->n_package > 0 && (is_throttled(cohort) || is_off(state, s, c)))
            return true;
    }
    return false;
}

double mr_plant_facility_c(const struct mr_plant *plant, const struct mr_plant_state *state,
                           uint32_t loop)
{
    MR_ASSERT(loop < plant->n_loop);
    return mr_plant_loop_supply_c(plant, state, loop);
}

double mr_plant_die_c(const struct mr_plant *plant, const struct mr_plant_state *state,
                      uint64_t seed, uint32_t rack, uint32_t package)
{
    const struct mr_plant_rack *r = &plant->rack[rack];
    const uint32_t first = plant->site->rack[r->i_site].first_package;
    uint32_t before = 0;
    for (uint32_t c = state->rack[rack].first; c != UINT32_MAX; c = state->cohort[c].next) {
        const struct mr_cohort *cohort = &state->cohort[c].cohort;
        if (package - before < cohort->n_package)
            return mr_cohort_package_c(r->package, cohort, seed, first + package);
        before += cohort->n_package;
    }
    return (double)NAN;
}

/* ---- what comes next ---- */

static void consider(struct mr_plant_next *next, double t_s, int kind, const char *entity,
                     uint32_t rack)
{
    if (t_s < next->t_s)
        *next = (struct mr_plant_next){t_s, kind, entity, rack};
}

/* A new tangent is nobody's business but ours: what lies behind it is foreseen on a copy. */
static void consider_cohort(const struct mr_plant *plant, const struct mr_plant_cohort *pc,
                            struct mr_plant_next *next)
{
    static const int kinds[MR_COHORT_N_EVENT] = {
        [MR_COHORT_THROTTLE_ON] = MR_PLANT_THROTTLE_ON,
        [MR_COHORT_HBM_LIMIT] = MR_PLANT_HBM_LIMIT,
        [MR_COHORT_SHUTDOWN] = MR_PLANT_SHUTDOWN,
        [MR_COHORT_RESTART] = MR_PLANT_RESTART,
    };
    enum {
        n_tangent = 64 /* 5 K each: from the coldest to the warmest */
    };
    const struct mr_package *package = plant->rack[pc->rack].package;
    struct mr_cohort copy = pc->cohort;
    for (int i = 0; i < n_tangent && copy.next == MR_COHORT_RELINEARIZE; i++) {
        if (!(copy.next_s < next->t_s))
            return;
        (void)mr_cohort_fire(package, &copy);
    }
    if (copy.next != MR_COHORT_NONE && copy.next != MR_COHORT_RELINEARIZE)
        consider(next, copy.next_s, kinds[copy.next], mr_plant_rack_name(plant, pc->rack),
                 pc->rack);
}

struct mr_plant_next mr_plant_next_crossing(const struct mr_plant *plant,
                                            const struct mr_plant_state *state)
{
    struct mr_plant_next next = {HUGE_VAL, -1, NULL, MR_SITE_NONE};
    for (size_t i = 0; i < state->n_cohort; i++)
        consider_cohort(plant, &state->cohort[i], &next);
    for (uint32_t i = 0; i < plant->n_group; i++) {
        const struct mr_cdu_group *g = &plant->group[i];
        const struct mr_cdu_group_state *s = &state->group[i];
        consider(&next, mr_cdu_group_saturated_s(g, s, state->group_w[i]), MR_PLANT_CDU_SATURATED,
                 g->name, MR_SITE_NONE);
        consider(&next, mr_cdu_group_high_s(g, s, state->group_w[i]), MR_PLANT_SUPPLY_HIGH, g->name,
                 MR_SITE_NONE);
    }
    return next;
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
        sum_j += plant->loop[i].has_orbit
                     ? plant->loop[i].orbit.p.capacity_j_k * state->loop[i].radiator.radiator_k
                     : plant->loop[i].facility.capacity_j_k * state->loop[i].water.return_c;
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
    }
    if (s->first != UINT32_MAX && s->die_max_c > sums->die_max_c) {
        sums->die_max_c = s->die_max_c;
        sums->die_limit_c = plant->rack[i].package->p.slow_c;
    }
    note(&sums->residual[1], s->in_j - s->liquid_j - s->air_j - kept_j, s->in_j);
    sums->it_j += s->in_j;
    sums->asked_j += s->asked_j;
    sums->throttled_s += s->held_s;
}

void mr_plant_sums(const struct mr_plant *plant, const struct mr_plant_state *state,
                   struct mr_plant_sums *sums)
{
    *sums = (struct mr_plant_sums){.die_max_c = -273.15,
                                   .supply_max_c = -273.15,
                                   .die_limit_c = (double)NAN,
                                   .supply_limit_c = (double)NAN};
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
        if (state->group_max_c[i] > sums->supply_max_c) {
            sums->supply_max_c = state->group_max_c[i];
            sums->supply_limit_c = plant->group[i].set_c + plant->group[i].high_k;
        }
    }
    for (uint32_t i = 0; i < plant->n_loop; i++) {
        const struct mr_plant_loop_state *s = &state->loop[i];
        if (plant->loop[i].has_orbit) {
            note(&sums->residual[2], mr_orbit_residual(&plant->loop[i].orbit, &s->radiator), 1);
            sums->facility_high_s += s->high_s;
            sums->absorbed_j += mr_sum_of(s->radiator.absorbed_j);
            in_j += mr_sum_of(s->radiator.absorbed_j);
            out_j += mr_sum_of(s->radiator.emitted_j);
            continue;
        }
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
