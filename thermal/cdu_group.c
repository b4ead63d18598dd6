/* SPDX-License-Identifier: Apache-2.0 */
/* The coolant loop of a CDU group, exact between changes of mode and flow class.
 *
 * m cp > eps Cmin = G always, so with facility water below the set point the two laws meet at
 * T* = (m cp Tset - G Tfws) / (m cp - G) >= Tset; above it there is no regulation and saturation
 * begins where the coolant is warmer than the facility water.
 * Map: parameters - conductances - modes - time - inputs - questions. */
#include "thermal/cdu_group.h"

#include "engine/base/assert.h"
#include "engine/base/fmath.h"
#include "thermal/two_state.h"

static const double system_exponent = 1.85; /* drop over flow, as for racks */
static const double date_tolerance_s = 1e-9;

// clang-format off
#define G struct mr_cdu_group
static const struct mr_param rows[] = {
    MR_PARAM_N(G, n_unit, "units", "1", 0, 10000, "Units on the header"),
    MR_PARAM_N(G, n_spare, "spare", "0", 0, 10000, "Units not needed at design"),
    MR_PARAM(G, capacity_w, "capacity", MR_Q_POWER, "2 MW", 1, 1e9, "Heat of one unit at design (Project Deschutes)"),
    MR_PARAM(G, approach_k, "approach", MR_Q_TEMPERATURE_DIFF, "3 K", 0.01, 40, "Supply above facility water at design"),
    MR_PARAM(G, set_c, "supply", MR_Q_TEMPERATURE, "45 degC", 0, 80, "Set point of the supply to the racks"),
    MR_PARAM(G, it_kg_s, "flow.it", MR_Q_MASS_FLOW, "31.48 kg/s", 1e-3, 1e5, "Coolant of one unit at design"),
    MR_PARAM(G, facility_kg_s, "flow.facility", MR_Q_MASS_FLOW, "32.3 kg/s", 1e-3, 1e5, "Facility water of one unit at design"),
    MR_PARAM(G, duty_kg_s, "flow.duty", MR_Q_MASS_FLOW, "0 kg/s", 0, 1e5, "Coolant of one unit that its racks need; 0: the design flow"),
    MR_PARAM(G, electric_w, "electric", MR_Q_POWER, "74 kW", 0, 1e8, "Electric power of one unit at design; 0: from pump head and efficiencies"),
    MR_PARAM(G, header_pa, "header", MR_Q_PRESSURE, "0 kPa", 0, 1e7, "Pressure held between supply and return headers; 0: what the racks need for their design flow"),
    MR_PARAM(G, unit_m3, "volume.unit", MR_Q_VOLUME, "24 L", 0, 100, "Coolant in one unit (LBNL)"),
    MR_PARAM(G, rack_m3, "volume.rack", MR_Q_VOLUME, "40 L", 0, 100, "Coolant in pipes and manifold for each rack (assumption)"),
    MR_PARAM_N(G, n_rack, "racks", "1", 0, 1000000, "Racks on the header"),
    MR_PARAM(G, cp_j_kgk, "cp", MR_Q_SPECIFIC_HEAT, "3.9 kJ/kgK", 100, 1e4, "Specific heat of the coolant"),
    MR_PARAM(G, rho_kg_m3, "rho", MR_Q_DENSITY, "1.01 kg/L", 0.1, 2000, "Density of the coolant"),
    MR_PARAM(G, facility_cp_j_kgk, "facility.cp", MR_Q_SPECIFIC_HEAT, "4.18 kJ/kgK", 100, 1e4, "Specific heat of the facility water"),
    MR_PARAM(G, boost_frac, "boost", MR_Q_FRACTION, "1.15", 1, 2, "Rated flow times this is what a unit can give when others are lost"),
    MR_PARAM(G, least_frac, "flow.least", MR_Q_FRACTION, "0.5", 0.05, 1, "Least flow over design that pumps turn down to when racks draw less; 1: they do not (energy codes ask for half, or what makers allow: C403.4.4, WAC 51-11C-40344)"),
    MR_PARAM(G, trim_s, "flow.trim", MR_Q_TIME, "1 h", 1, 1e7, "Pumps slow down this slowly, from full flow to none; they speed up in their start time (trim and respond; the time is an assumption)"),
    MR_PARAM(G, high_k, "supply_high", MR_Q_TEMPERATURE_DIFF, "2 K", 0, 40, "Supply above its set point that raises an event"),
    MR_PARAM(G, fouling_exchanger_frac, "fouling.exchanger", MR_Q_FRACTION, "0.15", 0, 10, "Growth of the exchanger's resistance over one fouling time (assumption)"),
    MR_PARAM(G, fouling_drop_frac, "fouling.drop", MR_Q_FRACTION, "0.3", 0, 10, "Growth of the pressure drop over one fouling time (assumption)"),
    MR_PARAM(G, fouling_plate_frac, "fouling.plate", MR_Q_FRACTION, "0.2", 0, 10, "Growth of the plates' resistance over one fouling time (assumption)"),
    MR_PARAM(G, fouling_s, "fouling.time", MR_Q_TIME, "8760 h", 1, 1e12, "Fouling time: between two cleanings"),
    MR_PARAM_YES(G, runs_spares, "spares_run", "yes", "All units share the flow; no: spares stand still until one fails"),
    MR_PARAM_YES(G, has_ups_pumps, "ups", "yes", "Pumps run on through an outage"),
};
#undef G
// clang-format on

static const struct mr_param_table table = {
    "cdu_group", "Coolant distribution units on one header and their loop.", rows,
    sizeof rows / sizeof *rows};

const struct mr_param_table *mr_cdu_group_table(void)
{
    return &table;
}

void mr_cdu_group_defaults(struct mr_cdu_group *group)
{
    uint8_t origin[sizeof rows / sizeof *rows];
    *group = (struct mr_cdu_group){.name = "cdu"};
    mr_param_defaults(&(struct mr_param_target){&table, group, origin, NULL, "cdu"});
    mr_pump_defaults(&group->pump);
}

mr_status mr_cdu_group_init(struct mr_cdu_group *group, struct mr_err *err)
{
    if (group->n_unit < 1)
        return mr_err_set(err, MR_RANGE, MR_NOWHERE, "cdu '%s': needs at least one unit",
                          group->name);
    if (group->n_spare >= group->n_unit)
        return mr_err_set(err, MR_RANGE, MR_NOWHERE,
                          "cdu '%s': %llu spare of %llu unit(s) leave none to run: N+1 needs two",
                          group->name, (unsigned long long)group->n_spare,
                          (unsigned long long)group->n_unit);
    const double hot_w_k = group->it_kg_s * group->cp_j_kgk;
    const double cold_w_k = group->facility_kg_s * group->facility_cp_j_kgk;
    struct mr_err why = {0};
    if (mr_exchanger_of(group->capacity_w, group->approach_k, hot_w_k, cold_w_k, &group->exchanger,
                        &why) != MR_OK)
        return mr_err_set(err, MR_RANGE, MR_NOWHERE, "cdu '%s': %s", group->name, why.text);
    const double n_duty = (double)(group->n_unit - group->n_spare);
    const double volume_m3 =
        (double)group->n_unit * group->unit_m3 + (double)group->n_rack * group->rack_m3;
    group->heat_j_k = volume_m3 * group->rho_kg_m3 * group->cp_j_kgk;
    if (!(group->heat_j_k > 0))
        return mr_err_set(err, MR_RANGE, MR_NOWHERE, "cdu '%s': holds no coolant: volume %g m3",
                          group->name, volume_m3);
    if (group->duty_kg_s == 0)
        group->duty_kg_s = group->it_kg_s;
    if (!(group->duty_kg_s <= group->it_kg_s * group->boost_frac))
        return mr_err_set(err, MR_RANGE, MR_NOWHERE,
                          "cdu '%s': racks need %.3g kg/s of a unit that gives %.3g (add units)",
                          group->name, group->duty_kg_s, group->it_kg_s * group->boost_frac);
    group->design_m3_s = n_duty * group->duty_kg_s / group->rho_kg_m3;
    group->pump.flow_m3_s = group->it_kg_s / group->rho_kg_m3;
    return mr_pump_check(&group->pump, group->name, err);
}

mr_status mr_cdu_group_check(const struct mr_cdu_group *group, double heat_w, double facility_c,
                             bool may_be_oversized, struct mr_err *err)
{
    const double n_duty = (double)(group->n_unit - group->n_spare);
    if (heat_w > n_duty * group->capacity_w * (1 + 1e-9) && !may_be_oversized)
        return mr_err_set(err, MR_RANGE, MR_NOWHERE,
                          "cdu '%s': %.4g kW design heat on %g x %.4g kW CDU (allow it, or add "
                          "units)",
                          group->name, heat_w * 1e-3, n_duty, group->capacity_w * 1e-3);
    if (facility_c + group->approach_k > group->set_c + 1e-9)
        return mr_err_set(err, MR_RANGE, MR_NOWHERE,
                          "cdu '%s': facility %g + approach %g > supply set-point %g", group->name,
                          facility_c, group->approach_k, group->set_c);
    return MR_OK;
}

/* ---- conductances ---- */

static double fouling(const struct mr_cdu_group *group, const struct mr_cdu_group_state *s,
                      double full_frac)
{
    return full_frac * s->age_s / group->fouling_s;
}

/* Units that share the flow. */
static double busy_units(const struct mr_cdu_group *group, uint64_t n_running)
{
    const uint64_t n_duty = group->n_unit - group->n_spare;
    return (double)(group->runs_spares || n_running < n_duty ? n_running : n_duty);
}

/* Head of a unit over design: racks whose valves have closed, and what has settled in pipes and
 * exchangers. The header's part does not grow: it is held, fouled racks take less (plant_flow). */
static double head_of(const struct mr_cdu_group *group, const struct mr_cdu_group_state *s,
                      double unit_frac)
{
    const double held = fmin(group->header_pa / group->pump.head_pa, 1);
    return mr_pow(unit_frac / fmin(s->open_frac, 1), system_exponent) *
           (1 + (1 - held) * fouling(group, s, group->fouling_drop_frac));
}

/* What follows from flow class, running units and fouling. */
static void condition(const struct mr_cdu_group *group, struct mr_cdu_group_state *s)
{
    const double flow = mr_cdu_group_flow(s);
    const double n_duty = (double)(group->n_unit - group->n_spare);
    const double n_busy = busy_units(group, s->n_running);
    if (!(flow > 0) && s->coolant_w_k > 0) {
        s->held_c = mr_cdu_group_supply_c(group, s);
        s->stopped_c = s->return_c;
    }
    s->coolant_w_k = flow * group->design_m3_s * group->rho_kg_m3 * group->cp_j_kgk;
    s->limit_w_k = s->electric_w = s->fluid_w = 0;
    if (!(flow > 0) || !(n_busy > 0))
        return;
    const double unit_frac = flow * n_duty / n_busy * group->duty_kg_s / group->it_kg_s;
    s->limit_w_k = n_busy * mr_exchanger_w_k(&group->exchanger, unit_frac, 1,
                                             fouling(group, s, group->fouling_exchanger_frac));
    if (!s->has_pumps)
        return; /* it only coasts */
    const double head = head_of(group, s, unit_frac);
    s->electric_w =
        n_busy * (group->electric_w > 0 ? group->electric_w * unit_frac * head
                                        : mr_pump_power_w(&group->pump, unit_frac, head));
    s->fluid_w = mr_pump_fluid_w(&group->pump, s->electric_w);
}

/* ---- modes ---- */

/* Return temperatures between which the set point is held; empty when first = second. */
struct borders {
    double open_c, limit_c;
};

static struct borders borders_of(const struct mr_cdu_group *group,
                                 const struct mr_cdu_group_state *s)
{
    if (s->limit_w_k == 0)
        return (struct borders){HUGE_VAL, HUGE_VAL};
    if (s->facility_c >= group->set_c)
        return (struct borders){s->facility_c, s->facility_c};
    return (struct borders){group->set_c,
                            (s->coolant_w_k * group->set_c - s->limit_w_k * s->facility_c) /
                                (s->coolant_w_k - s->limit_w_k)};
}

static void choose_mode(const struct mr_cdu_group *group, struct mr_cdu_group_state *s)
{
    const struct borders b = borders_of(group, s);
    s->mode = s->return_c > b.limit_c  ? MR_CDU_GROUP_LIMITED
              : s->return_c > b.open_c ? MR_CDU_GROUP_REGULATING
                                       : MR_CDU_GROUP_BYPASS;
}

static struct mr_two_state_wave wave_of(const struct mr_cdu_group *group,
                                        const struct mr_cdu_group_state *s, double heat_w)
{
    const double in_w = heat_w + s->fluid_w;
    double slope_w_k = 0, zero_c = 0;
    if (s->mode == MR_CDU_GROUP_REGULATING) {
        slope_w_k = s->coolant_w_k;
        zero_c = group->set_c;
    } else if (s->mode == MR_CDU_GROUP_LIMITED) {
        slope_w_k = s->limit_w_k;
        zero_c = s->facility_c;
    }
    return mr_two_state_wave_of_one(-slope_w_k / group->heat_j_k,
                                    (in_w + slope_w_k * zero_c) / group->heat_j_k, s->return_c);
}

/* When a mode ends and which one follows. */
struct turn {
    double t_s;
    enum mr_cdu_group_mode mode;
};

static void consider(struct turn *turn, const struct mr_cdu_group_state *s,
                     const struct mr_two_state_wave *wave, double level_c, int direction,
                     enum mr_cdu_group_mode mode)
{
    if (!(fabs(level_c) < HUGE_VAL))
        return;
    const double t_s =
        s->t_s + mr_two_state_wave_crossing_s(wave, level_c, direction, date_tolerance_s);
    if (t_s < turn->t_s)
        *turn = (struct turn){t_s, mode};
}

static struct turn next_turn(const struct mr_cdu_group *group, const struct mr_cdu_group_state *s,
                             const struct mr_two_state_wave *wave)
{
    const struct borders b = borders_of(group, s);
    const bool can_regulate = b.limit_c > b.open_c;
    struct turn turn = {HUGE_VAL, s->mode};
    switch (s->mode) {
    case MR_CDU_GROUP_BYPASS:
        consider(&turn, s, wave, b.open_c, 1,
                 can_regulate ? MR_CDU_GROUP_REGULATING : MR_CDU_GROUP_LIMITED);
        break;
    case MR_CDU_GROUP_REGULATING:
        consider(&turn, s, wave, b.limit_c, 1, MR_CDU_GROUP_LIMITED);
        consider(&turn, s, wave, b.open_c, -1, MR_CDU_GROUP_BYPASS);
        break;
    case MR_CDU_GROUP_LIMITED:
        consider(&turn, s, wave, b.limit_c, -1,
                 can_regulate ? MR_CDU_GROUP_REGULATING : MR_CDU_GROUP_BYPASS);
        break;
    }
    return turn;
}

/* ---- time ---- */

static void tell(struct mr_cdu_group_notes *notes, double t_s, double supply_c,
                 enum mr_cdu_group_event event)
{
    if (notes == NULL)
        return;
    if (notes->n < MR_CDU_GROUP_NOTES)
        notes->item[notes->n] = (struct mr_cdu_group_note){t_s, supply_c, event};
    notes->n++;
}

/* One that was told as high stays so within rounding of the crossing. */
static void look_at_supply(const struct mr_cdu_group *group, struct mr_cdu_group_state *s,
                           struct mr_cdu_group_notes *notes)
{
    static const double rounding_k = 1e-6;
    const double supply_c = mr_cdu_group_supply_c(group, s);
    const bool is_high = supply_c > group->set_c + group->high_k - (s->is_high ? rounding_k : 0);
    if (is_high && !s->is_high)
        tell(notes, s->t_s, supply_c, MR_CDU_GROUP_SUPPLY_HIGH);
    s->is_high = is_high;
}

/* Date at which the supply passes its limit on this wave. Of the return it is
 *   bypass     Tsup = Tret
 *   saturated  Tsup = Tret - g (Tret - Tfws)   g = G / (m cp) < 1
 * so the limit is a level of Tret: (Tlimit - g Tfws) / (1 - g). */
static double high_s(const struct mr_cdu_group *group, const struct mr_cdu_group_state *s,
                     const struct mr_two_state_wave *wave)
{
    const bool is_limited = s->mode == MR_CDU_GROUP_LIMITED;
    if (s->is_high || s->mode == MR_CDU_GROUP_REGULATING || !(s->coolant_w_k > 0))
        return HUGE_VAL;
    const double g = is_limited ? s->limit_w_k / s->coolant_w_k : 0;
    if (!(g < 1))
        return HUGE_VAL;
    const double level_c = (group->set_c + group->high_k - g * s->facility_c) / (1 - g);
    return s->t_s + mr_two_state_wave_crossing_s(wave, level_c, 1, date_tolerance_s);
}

static void look_at_mode(const struct mr_cdu_group *group, struct mr_cdu_group_state *s,
                         struct mr_cdu_group_notes *notes)
{
    const bool is_saturated = s->mode == MR_CDU_GROUP_LIMITED;
    if (is_saturated != s->is_saturated && (is_saturated || s->mode == MR_CDU_GROUP_REGULATING)) {
        tell(notes, s->t_s, mr_cdu_group_supply_c(group, s),
             is_saturated ? MR_CDU_GROUP_SATURATED : MR_CDU_GROUP_REGULATED);
        s->is_saturated = is_saturated;
    }
}

/* Time of dt in which the supply is above its set point: all of it where the exchangers are at
 * their limit, which begins there; a supply that is the return passes it once at most. */
static double above_s(const struct mr_cdu_group *group, const struct mr_cdu_group_state *s,
                      const struct mr_two_state_wave *wave, double dt)
{
    static const double same_k = 1e-6;
    const double set_c = group->set_c + same_k;
    if (!(s->coolant_w_k > 0))
        return mr_cdu_group_supply_c(group, s) > set_c ? dt : 0;
    if (s->mode != MR_CDU_GROUP_BYPASS)
        return s->mode == MR_CDU_GROUP_LIMITED ? dt : 0;
    const bool is_above = s->return_c > set_c;
    const double at_s =
        mr_two_state_wave_crossing_s(wave, set_c, is_above ? -1 : 1, date_tolerance_s);
    return is_above ? fmin(at_s, dt) : fmax(dt - at_s, 0);
}

static void step(const struct mr_cdu_group *group, struct mr_cdu_group_state *s, double t_s,
                 double heat_w, const struct mr_two_state_wave *wave)
{
    const double dt = t_s - s->t_s, after_c = mr_two_state_wave_at(wave, dt);
    s->above_s += above_s(group, s, wave, dt);
    s->in_j += heat_w * dt;
    s->fluid_j += s->fluid_w * dt;
    s->electric_j += s->electric_w * dt;
    s->out_j += (heat_w + s->fluid_w) * dt - group->heat_j_k * (after_c - s->return_c);
    s->return_c = after_c;
    s->t_s = t_s;
}

void mr_cdu_group_advance(const struct mr_cdu_group *group, struct mr_cdu_group_state *state,
                          double t_s, double heat_w, struct mr_cdu_group_notes *notes)
{
    enum {
        n_turn_max = 100000 /* classes and modes of one call; more is a bug, not a hot day */
    };
    MR_ASSERT(t_s >= state->t_s);
    look_at_mode(group, state, notes); /* what changed with the inputs */
    look_at_supply(group, state, notes);
    for (int i = 0; state->t_s < t_s; i++) {
        MR_ASSERT(i < n_turn_max);
        int class = state->flow;
        const struct mr_two_state_wave wave = wave_of(group, state, heat_w);
        const struct turn turn = next_turn(group, state, &wave);
        const double flow_s = mr_flow_next_s(&state->path, state->flow, &class);
        const double to_s = fmin(t_s, fmax(fmin(turn.t_s, flow_s), state->t_s));
        const double passed_s = high_s(group, state, &wave);
        step(group, state, to_s, heat_w, &wave);
        if (passed_s <= to_s) {
            tell(notes, passed_s, group->set_c + group->high_k, MR_CDU_GROUP_SUPPLY_HIGH);
            state->is_high = true;
        }
        if (turn.t_s <= to_s)
            state->mode = turn.mode;
        if (flow_s <= to_s) {
            state->flow = class;
            condition(group, state);
            choose_mode(group, state);
            if (class == MR_FLOW_NONE)
                tell(notes, to_s, mr_cdu_group_supply_c(group, state), MR_CDU_GROUP_NOFLOW);
        }
        look_at_mode(group, state, notes);
        look_at_supply(group, state, notes);
    }
}

double mr_cdu_group_next_s(const struct mr_cdu_group *group, const struct mr_cdu_group_state *state,
                           double heat_w)
{
    const struct mr_two_state_wave wave = wave_of(group, state, heat_w);
    return fmin(next_turn(group, state, &wave).t_s, mr_cdu_group_flow_next_s(state));
}

double mr_cdu_group_saturated_s(const struct mr_cdu_group *group,
                                const struct mr_cdu_group_state *state, double heat_w)
{
    const struct mr_two_state_wave wave = wave_of(group, state, heat_w);
    const struct turn turn = next_turn(group, state, &wave);
    return turn.mode == MR_CDU_GROUP_LIMITED && state->mode != MR_CDU_GROUP_LIMITED ? turn.t_s
                                                                                    : HUGE_VAL;
}

double mr_cdu_group_high_s(const struct mr_cdu_group *group, const struct mr_cdu_group_state *state,
                           double heat_w)
{
    const struct mr_two_state_wave wave = wave_of(group, state, heat_w);
    const double t_s = high_s(group, state, &wave);
    return t_s <= mr_cdu_group_next_s(group, state, heat_w) ? t_s : HUGE_VAL;
}

double mr_cdu_group_flow_next_s(const struct mr_cdu_group_state *state)
{
    int class;
    return mr_flow_next_s(&state->path, state->flow, &class);
}

void mr_cdu_group_start(const struct mr_cdu_group *group, struct mr_cdu_group_state *state,
                        double t_s, double facility_c)
{
    *state = (struct mr_cdu_group_state){.t_s = t_s,
                                         .return_c = facility_c,
                                         .facility_c = facility_c,
                                         .n_running = group->n_unit,
                                         .has_pumps = true,
                                         .path = mr_flow_steady(1),
                                         .flow = MR_FLOW_DESIGN,
                                         .open_frac = 1,
                                         .need_frac = 1};
    condition(group, state);
    choose_mode(group, state);
}

void mr_cdu_group_settle(const struct mr_cdu_group *group, struct mr_cdu_group_state *state,
                         double heat_w)
{
    const double in_w = heat_w + state->fluid_w;
    if (state->limit_w_k == 0)
        return;
    const double held_c = group->set_c + in_w / state->coolant_w_k;
    const double limited_c = state->facility_c + in_w / state->limit_w_k;
    state->return_c = fmax(held_c, limited_c);
    choose_mode(group, state);
    state->is_saturated = state->mode == MR_CDU_GROUP_LIMITED;
}

/* ---- inputs ---- */

void mr_cdu_group_set_facility(const struct mr_cdu_group *group, struct mr_cdu_group_state *state,
                               double facility_c)
{
    state->facility_c = facility_c;
    choose_mode(group, state);
}

/* Where the flow should be: what is needed when enough units run, else what the rest can give. */
static double wanted_frac(const struct mr_cdu_group *group, const struct mr_cdu_group_state *s)
{
    const double n_duty = (double)(group->n_unit - group->n_spare);
    if (!s->has_pumps)
        return 0;
    const double most = group->boost_frac * group->it_kg_s / group->duty_kg_s;
    return fmin(s->need_frac, (double)s->n_running * most / n_duty);
}

static void take_class(const struct mr_cdu_group *group, struct mr_cdu_group_state *s)
{
    s->flow = mr_flow_class(mr_flow_at(&s->path, s->t_s));
    condition(group, s);
    choose_mode(group, s);
}

void mr_cdu_group_lose(const struct mr_cdu_group *group, struct mr_cdu_group_state *state, int n)
{
    const double n_busy = busy_units(group, state->n_running);
    const double now = mr_flow_at(&state->path, state->t_s);
    const int64_t left = (int64_t)state->n_running - n;
    state->n_running = left < 0                         ? 0
                       : (uint64_t)left < group->n_unit ? (uint64_t)left
                                                        : group->n_unit;
    /* it is units at work that fail; the others give up to their boost at once */
    const double wanted = wanted_frac(group, state);
    const double kept = n > 0 && n_busy > 0 ? now * fmax(n_busy - n, 0) / n_busy : now;
    const double at_once = n > 0 ? fmax(kept, fmin(wanted, kept * group->boost_frac)) : now;
    if (state->has_pumps)
        state->path = mr_flow_linear(state->t_s, at_once, wanted, group->pump.start_s);
    else
        state->path = mr_flow_coast(state->t_s, kept, group->pump.coast_s);
    take_class(group, state);
}

void mr_cdu_group_set_pumps(const struct mr_cdu_group *group, struct mr_cdu_group_state *state,
                            bool has_power)
{
    const double now = mr_flow_at(&state->path, state->t_s);
    if (has_power == state->has_pumps)
        return;
    state->has_pumps = has_power;
    state->path =
        has_power ? mr_flow_linear(state->t_s, now, wanted_frac(group, state), group->pump.start_s)
                  : mr_flow_coast(state->t_s, now, group->pump.coast_s);
    take_class(group, state);
}

/* Two classes, so that a load that trembles does not move pumps. */
void mr_cdu_group_set_need(const struct mr_cdu_group *group, struct mr_cdu_group_state *state,
                           double need_frac)
{
    static const double tremble = MR_FLOW_RATIO * MR_FLOW_RATIO * (1 - 1e-9);
    const double least = fmin(fmax(need_frac, group->least_frac), 1);
    const double class = mr_flow_of_class(mr_flow_class(least));
    const double need = fmin(class < least ? class * MR_FLOW_RATIO : class, 1);
    if (need == state->need_frac || (need < state->need_frac && need * tremble > state->need_frac))
        return;
    state->need_frac = need;
    if (!state->has_pumps)
        return;
    const double now = mr_flow_at(&state->path, state->t_s), wanted = wanted_frac(group, state);
    state->path =
        mr_flow_linear(state->t_s, now, wanted, wanted > now ? group->pump.start_s : group->trim_s);
    take_class(group, state);
}

void mr_cdu_group_rest(const struct mr_cdu_group *group, struct mr_cdu_group_state *state)
{
    state->path = mr_flow_steady(wanted_frac(group, state));
    take_class(group, state);
}

void mr_cdu_group_set_open(const struct mr_cdu_group *group, struct mr_cdu_group_state *state,
                           double open_frac)
{
    if (open_frac == state->open_frac)
        return;
    state->open_frac = open_frac;
    condition(group, state);
    choose_mode(group, state);
}

void mr_cdu_group_set_age(const struct mr_cdu_group *group, struct mr_cdu_group_state *state,
                          double age_s)
{
    state->age_s = age_s;
    condition(group, state);
    choose_mode(group, state);
}

/* ---- questions ---- */

double mr_cdu_group_rejected_w(const struct mr_cdu_group *group,
                               const struct mr_cdu_group_state *state)
{
    switch (state->mode) {
    case MR_CDU_GROUP_REGULATING:
        return state->coolant_w_k * (state->return_c - group->set_c);
    case MR_CDU_GROUP_LIMITED:
        return state->limit_w_k * (state->return_c - state->facility_c);
    case MR_CDU_GROUP_BYPASS:
        break;
    }
    return 0;
}

double mr_cdu_group_supply_c(const struct mr_cdu_group *group,
                             const struct mr_cdu_group_state *state)
{
    if (!(state->coolant_w_k > 0))
        return state->held_c + (state->return_c - state->stopped_c);
    if (state->mode == MR_CDU_GROUP_BYPASS)
        return state->return_c;
    if (state->mode == MR_CDU_GROUP_REGULATING)
        return group->set_c;
    return state->return_c - mr_cdu_group_rejected_w(group, state) / state->coolant_w_k;
}

double mr_cdu_group_flow(const struct mr_cdu_group_state *state)
{
    const double given = state->flow == mr_flow_class(state->path.to_frac)
                             ? state->path.to_frac
                             : mr_flow_of_class(state->flow);
    return fmin(given, state->open_frac);
}

double mr_cdu_group_header_frac(const struct mr_cdu_group_state *state)
{
    return state->open_frac > 0 ? mr_cdu_group_flow(state) / state->open_frac : 1;
}

/* The operating point: flow of a unit in service against racks whose valves have closed. */
double mr_cdu_group_speed_frac(const struct mr_cdu_group *group,
                               const struct mr_cdu_group_state *state)
{
    const double n_busy = busy_units(group, state->n_running);
    const double n_duty = (double)(group->n_unit - group->n_spare);
    const double flow = mr_cdu_group_flow(state);
    if (!state->has_pumps || !(flow > 0) || !(n_busy > 0))
        return 0;
    const double unit_frac = flow * n_duty / n_busy * group->duty_kg_s / group->it_kg_s;
    return mr_pump_speed(&group->pump, unit_frac, head_of(group, state, unit_frac));
}

/* Saturated: open. Regulated: heat over what the exchangers could take, in proportion. */
double mr_cdu_group_valve_frac(const struct mr_cdu_group *group,
                               const struct mr_cdu_group_state *state)
{
    const double most_w = state->limit_w_k * (state->return_c - state->facility_c);
    if (state->mode == MR_CDU_GROUP_LIMITED)
        return 1;
    if (state->mode == MR_CDU_GROUP_BYPASS || !(most_w > 0))
        return 0;
    return fmin(mr_cdu_group_rejected_w(group, state) / most_w, 1);
}

double mr_cdu_group_plate_fouling(const struct mr_cdu_group *group,
                                  const struct mr_cdu_group_state *state)
{
    return fouling(group, state, group->fouling_plate_frac);
}

double mr_cdu_group_drop_fouling(const struct mr_cdu_group *group,
                                 const struct mr_cdu_group_state *state)
{
    return fouling(group, state, group->fouling_drop_frac);
}
