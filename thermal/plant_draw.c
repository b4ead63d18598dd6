/* SPDX-License-Identifier: Apache-2.0 */
/* What packages and racks draw: watts told, with or without leakage, as far as they are allowed,
 * and by whom there is power at all. What happens to a cohort is told here and answered by what it
 * draws then. Map: leakage and wants - cohorts - racks. */
#include "engine/base/assert.h"
#include "thermal/plant_impl.h"

/* ---- leakage and wants ---- */

/* Leakage that a told power holds already: of a package that settles under it in design coolant. */
static double held_leak_w(const struct mr_package *package, double told_w)
{
    const double die_c = mr_package_settled_c(package, MR_FLOW_DESIGN, told_w, package->p.inlet_c);
    return mr_package_leak_w(package, die_c);
}

/* Told watts without leakage. A package that is told less than it would leak sleeps: its watts are
 * what they are. */
static double without_leak_w(const struct mr_plant *plant, const struct mr_package *package,
                             double told_w, bool *is_gated)
{
    *is_gated = !(told_w > 0) || plant->p.leakage == MR_PLANT_LEAKAGE_NONE;
    if (*is_gated || plant->p.leakage == MR_PLANT_LEAKAGE_ADDED)
        return told_w;
    const double leak_w = held_leak_w(package, told_w);
    *is_gated = !(told_w > leak_w);
    return *is_gated ? told_w : told_w - leak_w;
}

struct mr_plant_want mr_plant_want(const struct mr_plant *plant, const struct mr_plant_state *state,
                                   const struct mr_plant_cohort *pc, double allowed_w)
{
    const struct mr_plant_rack *r = &plant->rack[pc->rack];
    const struct mr_plant_rack_state *s = &state->rack[pc->rack];
    struct mr_plant_want want = {.is_gated = true};
    bool is_asleep;
    if (pc->n_dark > 0 || s->n_cut > 0 || s->is_tripped || (s->is_told && s->load.is_dark))
        return want;
    want.demand_w = without_leak_w(
        plant, r->package,
        s->is_told ? s->load.demand_w : r->share_frac * s->demand_w / r->n_package, &want.is_gated);
    want.power_w = fmin(
        want.demand_w,
        s->is_told ? without_leak_w(plant, r->package, s->load.package_w, &is_asleep) : allowed_w);
    return want;
}

double mr_plant_rack_allowed_w(const struct mr_plant *plant, const struct mr_plant_state *state,
                               uint32_t rack)
{
    enum {
        n_round = 60
    };
    const struct mr_package *package = plant->rack[rack].package;
    double most_w = 0;
    /* cohorts without power are nobody's to hold */
    for (uint32_t c = state->rack[rack].first; c != UINT32_MAX; c = state->cohort[c].next) {
        const struct mr_cohort *cohort = &state->cohort[c].cohort;
        if (state->cohort[c].n_dark == 0 && cohort->mode != MR_COHORT_OFF)
            most_w = most_w > 0 ? fmin(most_w, cohort->allowed_w) : cohort->allowed_w;
    }
    if (state->rack[rack].n_cut > 0)
        return 0;
    if (!(most_w > 0) || isinf(most_w) || plant->p.leakage != MR_PLANT_LEAKAGE_INCLUDED)
        return most_w;
    /* told watts that leave this without leakage: the slope of leakage is far below 1 */
    double told_w = most_w;
    for (int i = 0; i < n_round; i++)
        told_w = most_w + held_leak_w(package, told_w);
    return isfinite(told_w) ? told_w : most_w;
}

/* ---- cohorts ---- */

/* Draw what is asked for, as far as it is allowed, until nothing more follows from it. */
void mr_plant_draw(const struct mr_plant *plant, struct mr_plant_state *state,
                   struct mr_plant_cohort *pc)
{
    struct mr_cohort *c = &pc->cohort;
    const struct mr_package *package = plant->rack[pc->rack].package;
    struct mr_plant_want want = mr_plant_want(plant, state, pc, c->allowed_w);
    if (want.power_w == c->power_w && want.demand_w == c->demand_w &&
        want.is_gated == c->is_gated && c->t_s == state->t_s)
        return;
    mr_cohort_set_gated(c, want.is_gated);
    if (mr_cohort_set_power(package, c, c->t_s, want.power_w, want.demand_w) !=
        MR_COHORT_THROTTLE_OFF)
        return;
    mr_plant_tell(plant, state,
                  &(struct mr_plant_event){c->t_s, MR_PLANT_THROTTLE_OFF,
                                           mr_plant_rack_name(plant, pc->rack), c->worst_c[0],
                                           package->p.slow_c - package->p.hysteresis_k});
    want = mr_plant_want(plant, state, pc, HUGE_VAL);
    (void)mr_cohort_set_power(package, c, c->t_s, want.power_w, want.demand_w);
}

/* What an event of a cohort tells: the temperature that crossed, and its limit. Memory sits a
 * quarter of R1 below the die. */
static struct mr_plant_event event_of(const struct mr_plant *plant,
                                      const struct mr_plant_cohort *pc, int kind)
{
    const struct mr_package *package = plant->rack[pc->rack].package;
    const struct mr_package_params *p = &package->p;
    const struct mr_cohort *c = &pc->cohort;
    struct mr_plant_event e = {c->t_s, kind, mr_plant_rack_name(plant, pc->rack), c->worst_c[0],
                               p->slow_c};
    if (kind == MR_PLANT_THROTTLE_OFF)
        e.limit = p->slow_c - p->hysteresis_k;
    else if (kind == MR_PLANT_SHUTDOWN)
        e.limit = p->crit_c;
    else if (kind == MR_PLANT_RESTART)
        e.limit = p->restart_c;
    if (kind == MR_PLANT_HBM_LIMIT) {
        e.value = mr_cohort_memory_c(package, c);
        e.limit = p->memory_c;
    }
    return e;
}

void mr_plant_handle(const struct mr_plant *plant, struct mr_plant_state *state,
                     struct mr_plant_cohort *pc, int event)
{
    static const int kinds[MR_COHORT_N_EVENT] = {[MR_COHORT_NONE] = -1,
                                                 [MR_COHORT_RELINEARIZE] = -1,
                                                 [MR_COHORT_THROTTLE_ON] = MR_PLANT_THROTTLE_ON,
                                                 [MR_COHORT_THROTTLE_OFF] = MR_PLANT_THROTTLE_OFF,
                                                 [MR_COHORT_HBM_LIMIT] = MR_PLANT_HBM_LIMIT,
                                                 [MR_COHORT_SHUTDOWN] = MR_PLANT_SHUTDOWN,
                                                 [MR_COHORT_RESTART] = MR_PLANT_RESTART};
    struct mr_plant_rack_state *rack = &state->rack[pc->rack];
    rack->die_max_c = fmax(rack->die_max_c, pc->cohort.worst_c[0]);
    if (kinds[event] >= 0) {
        const struct mr_plant_event told = event_of(plant, pc, kinds[event]);
        mr_plant_tell(plant, state, &told);
    }
    if (event != MR_COHORT_NONE && pc->cohort.mode != MR_COHORT_OFF)
        mr_plant_draw(plant, state, pc);
}

/* ---- racks ---- */

/* Share of the rack's rest that has power: it goes with the packages of its trays. */
static double lit_frac(const struct mr_plant *plant, const struct mr_plant_state *state, uint32_t i)
{
    const struct mr_plant_rack *r = &plant->rack[i];
    const struct mr_plant_rack_state *s = &state->rack[i];
    if (s->n_cut > 0 || s->is_tripped)
        return 0;
    if (r->n_package == 0)
        return r->n_tray > 0 ? fmax(1 - (double)s->n_tray / r->n_tray, 0) : s->n_tray == 0;
    uint32_t n_dark = 0;
    for (uint32_t c = s->first; c != UINT32_MAX; c = state->cohort[c].next)
        if (state->cohort[c].n_dark > 0 || state->cohort[c].cohort.mode == MR_COHORT_OFF)
            n_dark += state->cohort[c].cohort.n_package;
    return 1 - (double)n_dark / r->n_package;
}

void mr_plant_renew_power(const struct mr_plant *plant, struct mr_plant_state *state, uint32_t rack)
{
    const struct mr_plant_rack *r = &plant->rack[rack];
    struct mr_plant_rack_state *s = &state->rack[rack];
    const double other_w = s->is_told ? s->load.other_w : (1 - r->share_frac) * s->demand_w;
    s->other_w = other_w * lit_frac(plant, state, rack);
    for (uint32_t c = s->first; c != UINT32_MAX; c = state->cohort[c].next)
        if (state->cohort[c].cohort.mode != MR_COHORT_OFF)
            mr_plant_draw(plant, state, &state->cohort[c]);
    mr_plant_need_more(plant, state, rack);
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
