/* SPDX-License-Identifier: Apache-2.0 */
/* Outages of a plant: what is told, what follows, leaks.
 * Map: kinds - what follows - leaks. */
#include "thermal/plant_outage.h"

#include "engine/base/assert.h"
#include "engine/base/mem.h"
#include "thermal/plant_impl.h"

static const struct mr_plant_outage_kind kinds[] = {
#define KIND_ROW(name, text, part, adds, doc) {text, doc, MR_PLANT_PART_##part, adds},
    MR_PLANT_OUTAGE_LIST(KIND_ROW)
#undef KIND_ROW
};
static const char *const part_names[] = {
#define PART_NAME(name, text) text,
    MR_PLANT_PART_LIST(PART_NAME)
#undef PART_NAME
};

/* ---- kinds ---- */

const struct mr_plant_outage_kind *mr_plant_outage_kind(int kind)
{
    MR_ASSERT(kind >= 0 && kind < MR_PLANT_N_OUTAGE);
    return &kinds[kind];
}

const char *mr_plant_part_name(int part)
{
    return part_names[part];
}

size_t mr_plant_n_part(const struct mr_plant *plant, int part)
{
    switch ((enum mr_plant_part)part) {
    case MR_PLANT_PART_CDU:
        return plant->n_group;
    case MR_PLANT_PART_LOOP:
        return plant->n_loop;
    case MR_PLANT_PART_HALL:
        return plant->n_hall;
    case MR_PLANT_PART_RACK:
        return plant->n_rack;
    case MR_PLANT_PART_SITE:
        break;
    }
    return 1;
}

static double most_of_loop(const struct mr_plant_loop *l, int kind)
{
    const struct mr_rejection *r = &l->rejection;
    if (l->has_orbit)
        return 0;
    switch (kind) {
    case MR_PLANT_OUT_FANS:
        return r->n_dry + r->n_tower > 0 ? 1 : 0;
    case MR_PLANT_OUT_CHILLERS:
        return (double)r->n_chiller;
    case MR_PLANT_OUT_WATER:
        return r->n_tower > 0 || r->has_pads ? 1 : 0;
    default:
        return (double)(l->facility.p.n_pump + l->facility.p.n_spare);
    }
}

double mr_plant_outage_most(const struct mr_plant *plant, int kind, uint32_t part)
{
    switch ((enum mr_plant_part)kinds[kind].part) {
    case MR_PLANT_PART_CDU:
        return kinds[kind].adds ? (double)plant->group[part].n_unit : 1;
    case MR_PLANT_PART_LOOP:
        return most_of_loop(&plant->loop[part], kind);
    case MR_PLANT_PART_HALL:
        return plant->room_loop[part] == MR_SITE_NONE
                   ? 0
                   : (double)(plant->room[part].p.n_unit + plant->room[part].p.n_spare);
    case MR_PLANT_PART_RACK:
        return mr_plant_is_air(&plant->rack[part]) ? 0 : 1;
    case MR_PLANT_PART_SITE:
        break;
    }
    return 1;
}

/* ---- what follows ---- */

static void tell(const struct mr_plant *plant, struct mr_plant_state *state, int kind,
                 const char *entity, double value)
{
    mr_plant_tell(plant, state,
                  &(struct mr_plant_event){state->t_s, kind, entity, value, (double)NAN});
}

static const char *name_of(const struct mr_plant *plant, int part, uint32_t i)
{
    switch ((enum mr_plant_part)part) {
    case MR_PLANT_PART_CDU:
        return plant->group[i].name;
    case MR_PLANT_PART_LOOP:
        return plant->loop[i].name;
    case MR_PLANT_PART_HALL:
        return plant->site->hall[i].name;
    case MR_PLANT_PART_RACK:
        return mr_plant_rack_name(plant, i);
    case MR_PLANT_PART_SITE:
        break;
    }
    return plant->site->name;
}

bool mr_plant_has_utility(const struct mr_plant_state *state)
{
    return !(state->told[MR_PLANT_OUT_UTILITY][0] > 0);
}

static void renew_group(const struct mr_plant *plant, struct mr_plant_state *state, uint32_t i)
{
    const struct mr_cdu_group *g = &plant->group[i];
    struct mr_cdu_group_state *s = &state->group[i];
    const double lost = state->told[MR_PLANT_OUT_UNITS][i] + state->unit_leak[i].n_known;
    const int n_lost = (int)fmin(lost, (double)g->n_unit);
    const int n_now = (int)(g->n_unit - s->n_running);
    if (n_lost != n_now)
        mr_cdu_group_lose(g, s, n_lost - n_now);
    mr_cdu_group_set_pumps(g, s,
                           !(state->told[MR_PLANT_OUT_PUMPS][i] > 0) && !state->is_unfed[i] &&
                               (g->has_ups_pumps || mr_plant_has_utility(state)));
    mr_plant_group_flow(plant, state, i);
}

/* A leak is seen after its delay; a repair at once. */
static void renew_unit_leak(const struct mr_plant *plant, struct mr_plant_state *state, uint32_t i)
{
    struct mr_plant_unit_leak *l = &state->unit_leak[i];
    const uint32_t n = (uint32_t)state->told[MR_PLANT_OUT_UNIT_LEAK][i];
    if (n > l->n_known) {
        l->seen_s = fmin(l->seen_s, state->t_s + plant->p.leak.detect_s);
        return;
    }
    l->n_known = n;
    l->seen_s = HUGE_VAL;
    l->isolated_s = n > 0 ? l->isolated_s : HUGE_VAL;
    renew_group(plant, state, i);
}

void mr_plant_lose_rejection(const struct mr_plant *plant, const struct mr_plant_state *state,
                             uint32_t i, bool has_utility, struct mr_rejection_state *r)
{
    const double fans_frac = has_utility ? 1 - state->told[MR_PLANT_OUT_FANS][i] : 0;
    r->dry_fans_frac = r->tower_fans_frac = fans_frac;
    r->n_chiller_lost = has_utility ? (uint64_t)state->told[MR_PLANT_OUT_CHILLERS][i]
                                    : plant->loop[i].rejection.n_chiller;
    r->is_water_lost = state->told[MR_PLANT_OUT_WATER][i] > 0;
}

static void renew_loop(const struct mr_plant *plant, struct mr_plant_state *state, uint32_t i)
{
    mr_plant_lose_rejection(plant, state, i, mr_plant_has_utility(state),
                            &state->loop[i].rejection);
    state->next_period_s = state->t_s; /* heat rejection is asked again at once */
}

static void renew_rack(const struct mr_plant *plant, struct mr_plant_state *state, uint32_t i)
{
    mr_plant_move_valve(plant, state, i, plant->rack[i].manifold.stroke_s);
    if (state->told[MR_PLANT_OUT_SENSOR][i] > 0)
        return;
    for (size_t k = 0; k < state->n_leak; k++) { /* detectors begin to see now */
        struct mr_plant_leak *l = &state->leak[k];
        if (l->rack == i && l->leak.stage == MR_LEAK_UNSEEN)
            l->leak.since_s = fmax(l->leak.since_s, state->t_s);
    }
}

static void renew_site(const struct mr_plant *plant, struct mr_plant_state *state)
{
    for (uint32_t i = 0; i < plant->n_group; i++)
        renew_group(plant, state, i);
    for (uint32_t i = 0; i < plant->n_loop; i++)
        renew_loop(plant, state, i);
}

void mr_plant_set_outage(const struct mr_plant *plant, struct mr_plant_state *state, int kind,
                         uint32_t part, double value)
{
    static const int events[MR_PLANT_N_OUTAGE] = {
        [MR_PLANT_OUT_PUMPS] = MR_PLANT_PUMP_TRIP,
        [MR_PLANT_OUT_UNITS] = MR_PLANT_CDU_TRIP,
        [MR_PLANT_OUT_UNIT_LEAK] = -1, /* told when it is seen */
        [MR_PLANT_OUT_FANS] = MR_PLANT_FAN_LOSS,
        [MR_PLANT_OUT_CHILLERS] = MR_PLANT_CHILLER_TRIP,
        [MR_PLANT_OUT_WATER] = MR_PLANT_WATER_LIMIT,
        [MR_PLANT_OUT_LOOP_PUMPS] = MR_PLANT_LOOP_PUMP_TRIP,
        [MR_PLANT_OUT_AIR] = MR_PLANT_CRAH_TRIP,
        [MR_PLANT_OUT_VALVE] = MR_PLANT_VALVE_STUCK,
        [MR_PLANT_OUT_SENSOR] = MR_PLANT_SENSOR_FAULT,
        [MR_PLANT_OUT_UTILITY] = MR_PLANT_UTILITY_LOSS,
    };
    MR_ASSERT(part < mr_plant_n_part(plant, kinds[kind].part));
    MR_ASSERT(value >= 0 && value <= mr_plant_outage_most(plant, kind, part));
    double *told = &state->told[kind][part];
    const double before = *told;
    if (value == before)
        return;
    *told = value;
    /* what was lost by this, where several can be; else there is no number to tell */
    const bool counts = kinds[kind].adds || kind == MR_PLANT_OUT_VALVE;
    if (value > before && events[kind] >= 0)
        tell(plant, state, events[kind], name_of(plant, kinds[kind].part, part),
             counts ? value - (kinds[kind].adds ? before : 0) : (double)NAN);
    else if (kind == MR_PLANT_OUT_UTILITY)
        tell(plant, state, MR_PLANT_UTILITY_BACK, plant->site->name, (double)NAN);
    switch ((enum mr_plant_part)kinds[kind].part) {
    case MR_PLANT_PART_CDU:
        if (kind == MR_PLANT_OUT_UNIT_LEAK)
            renew_unit_leak(plant, state, part);
        else
            renew_group(plant, state, part);
        break;
    case MR_PLANT_PART_LOOP:
        renew_loop(plant, state, part);
        break;
    case MR_PLANT_PART_RACK:
        renew_rack(plant, state, part);
        break;
    case MR_PLANT_PART_SITE:
        renew_site(plant, state);
        break;
    case MR_PLANT_PART_HALL: /* looked at by every step */
        break;
    }
}

void mr_plant_feed_group(const struct mr_plant *plant, struct mr_plant_state *state, uint32_t group,
                         bool has_power)
{
    bool *is_unfed = &state->is_unfed[group];
    if (*is_unfed == !has_power)
        return;
    *is_unfed = !has_power;
    if (!has_power && state->group[group].has_pumps)
        tell(plant, state, MR_PLANT_PUMP_TRIP, plant->group[group].name, (double)NAN);
    renew_group(plant, state, group);
}

void mr_plant_feed_loop(const struct mr_plant *plant, struct mr_plant_state *state, uint32_t loop,
                        bool has_power)
{
    bool *is_unfed = &state->is_unfed[plant->n_group + loop];
    if (*is_unfed == has_power)
        state->next_period_s = state->t_s; /* heat rejection is asked again at once */
    *is_unfed = !has_power;
}

void mr_plant_feed_hall(const struct mr_plant *plant, struct mr_plant_state *state, uint32_t hall,
                        bool has_power)
{
    const uint8_t supply = has_power ? MR_PLANT_SUPPLY_FED : MR_PLANT_SUPPLY_DARK;
    const bool is_new = state->air_supply[hall] != supply;
    state->air_supply[hall] = supply;
    if (is_new && !has_power && plant->room_loop[hall] != MR_SITE_NONE)
        tell(plant, state, MR_PLANT_CRAH_TRIP, plant->site->hall[hall].name, (double)NAN);
}

/* ---- leaks ---- */

/* A tray is packages that share everything, so any that still have power serve: first a cohort
 * that another leak of that size once made, else a part of the first that is left.
 * @return UINT32_MAX: none has power */
static uint32_t tray_of(const struct mr_plant *plant, struct mr_plant_state *state, uint32_t rack,
                        uint32_t n)
{
    uint32_t found = UINT32_MAX;
    for (uint32_t c = state->rack[rack].first; c != UINT32_MAX; c = state->cohort[c].next) {
        if (state->cohort[c].n_dark > 0)
            continue;
        if (state->cohort[c].cohort.n_package == n)
            return c;
        found = found == UINT32_MAX ? c : found;
    }
    if (found == UINT32_MAX || n >= state->cohort[found].cohort.n_package)
        return found;
    MR_ASSERT(state->n_cohort < state->cap_cohort); /* reserved when the leak began */
    struct mr_plant_cohort *pc = &state->cohort[found];
    const uint32_t own = (uint32_t)state->n_cohort++;
    mr_cohort_advance(plant->rack[rack].package, &pc->cohort, state->t_s);
    state->cohort[own] = *pc;
    state->cohort[own].cohort = mr_cohort_split(&pc->cohort, n);
    pc->next = own;
    return own;
}

static void see(const struct mr_plant *plant, struct mr_plant_state *state, struct mr_plant_leak *l,
                int step)
{
    const struct mr_plant_rack *r = &plant->rack[l->rack];
    struct mr_plant_rack_state *s = &state->rack[l->rack];
    const bool is_tray = l->leak.scope == MR_LEAK_SCOPE_TRAY;
    s->n_known += (uint32_t)step;
    s->n_tray += is_tray ? (uint32_t)step : 0;
    s->n_cut += is_tray ? 0 : (uint32_t)step;
    if (step > 0 && is_tray && s->first != UINT32_MAX)
        l->cohort = tray_of(plant, state, l->rack, mr_leak_lost(&l->leak, r->n_package, r->n_tray));
    if (l->cohort != UINT32_MAX)
        state->cohort[l->cohort].n_dark += (uint32_t)step;
    mr_plant_move_valve(plant, state, l->rack,
                        step > 0 ? plant->p.leak.isolation_s : r->manifold.stroke_s);
}

/* @return whether it is still there */
static bool next_stage(const struct mr_plant *plant, struct mr_plant_state *state,
                       struct mr_plant_leak *l)
{
    const char *name = name_of(plant, MR_PLANT_PART_RACK, l->rack);
    struct mr_plant_rack_state *s = &state->rack[l->rack];
    mr_leak_advance(&plant->p.leak, &l->leak);
    if (l->leak.stage == MR_LEAK_ISOLATING) {
        tell(plant, state, MR_PLANT_LEAK, name, l->leak.scope);
        see(plant, state, l, 1);
    } else if (l->leak.stage == MR_LEAK_ISOLATED) {
        tell(plant, state, MR_PLANT_ISOLATED, name, l->leak.scope);
        s->n_isolated++;
    } else {
        s->n_isolated--;
        s->n_leak--;
        see(plant, state, l, -1);
    }
    mr_plant_renew_power(plant, state, l->rack);
    return l->leak.stage != MR_LEAK_NONE;
}

static double stage_s(const struct mr_plant *plant, const struct mr_plant_state *state,
                      const struct mr_plant_leak *l)
{
    const bool is_blind =
        l->leak.stage == MR_LEAK_UNSEEN && state->told[MR_PLANT_OUT_SENSOR][l->rack] > 0;
    return is_blind ? HUGE_VAL : mr_leak_next_s(&plant->p.leak, &l->leak);
}

double mr_plant_leaks_next_s(const struct mr_plant *plant, const struct mr_plant_state *state)
{
    double t_s = HUGE_VAL;
    for (size_t i = 0; i < state->n_leak; i++)
        t_s = fmin(t_s, stage_s(plant, state, &state->leak[i]));
    for (uint32_t i = 0; i < plant->n_group; i++)
        t_s = fmin(t_s, fmin(state->unit_leak[i].seen_s, state->unit_leak[i].isolated_s));
    return t_s;
}

static void advance_unit_leak(const struct mr_plant *plant, struct mr_plant_state *state,
                              uint32_t i)
{
    struct mr_plant_unit_leak *l = &state->unit_leak[i];
    const char *name = plant->group[i].name;
    if (l->seen_s <= state->t_s) {
        const uint32_t n = (uint32_t)state->told[MR_PLANT_OUT_UNIT_LEAK][i];
        tell(plant, state, MR_PLANT_LEAK, name, (double)NAN);
        tell(plant, state, MR_PLANT_CDU_TRIP, name, n - l->n_known);
        l->n_known = n;
        l->seen_s = HUGE_VAL;
        l->isolated_s = state->t_s + plant->p.leak.isolation_s;
        renew_group(plant, state, i);
    }
    if (l->isolated_s <= state->t_s) {
        tell(plant, state, MR_PLANT_ISOLATED, name, (double)NAN);
        l->isolated_s = HUGE_VAL;
    }
}

void mr_plant_advance_leaks(const struct mr_plant *plant, struct mr_plant_state *state)
{
    size_t n = 0;
    for (size_t i = 0; i < state->n_leak; i++) {
        struct mr_plant_leak l = state->leak[i];
        bool is_there = true;
        if (stage_s(plant, state, &l) <= state->t_s)
            is_there = next_stage(plant, state, &l);
        if (is_there)
            state->leak[n++] = l;
    }
    state->n_leak = n;
    for (uint32_t i = 0; i < plant->n_group; i++)
        advance_unit_leak(plant, state, i);
}

mr_status mr_plant_leak(const struct mr_plant *plant, struct mr_plant_state *state, uint32_t rack,
                        enum mr_leak_scope scope, struct mr_err *err)
{
    const uint32_t row = plant->site->rack[plant->rack[rack].i_site].row;
    const size_t n_rack = scope == MR_LEAK_SCOPE_ROW ? plant->n_rack : 1;
    MR_TRY(
        mr_grow(&state->leak, &state->cap_leak, state->n_leak + n_rack, sizeof *state->leak, err));
    /* one cohort more for each leak of a tray that has not been seen yet */
    MR_TRY(mr_grow(&state->cohort, &state->cap_cohort, state->n_cohort + state->n_leak + 1,
                   sizeof *state->cohort, err));
    for (uint32_t i = 0; i < plant->n_rack; i++) {
        const bool is_hit = i == rack || (scope == MR_LEAK_SCOPE_ROW && row != MR_SITE_NONE &&
                                          plant->site->rack[plant->rack[i].i_site].row == row);
        if (!is_hit || mr_plant_is_air(&plant->rack[i]))
            continue;
        state->leak[state->n_leak++] =
            (struct mr_plant_leak){mr_leak_start(scope, state->t_s), i, UINT32_MAX};
        state->rack[i].n_leak++;
    }
    return MR_OK;
}
