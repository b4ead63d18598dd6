/* SPDX-License-Identifier: Apache-2.0 */
/* An air handler is sized so that it carries its capacity between set-point and design water; its
 * air flow is G over the coil's effectiveness. */
#include "thermal/room.h"

#include "thermal/root.h"

#include <math.h>

static const double catch_up_k = 0.5;

// clang-format off
#define R struct mr_room_params
static const struct mr_param rows[] = {
    MR_PARAM(R, design_heat_w, "heat", MR_Q_POWER, "300 kW", 1, 1e11, "Air heat of the hall at design"),
    MR_PARAM(R, capacity_w, "capacity", MR_Q_POWER, "300 kW", 1e3, 1e8, "Heat of one air handler at design"),
    MR_PARAM(R, fan_w, "fans", MR_Q_POWER, "9 kW", 0, 1e7, "Fans of one air handler at full speed"),
    MR_PARAM(R, set_c, "room", MR_Q_TEMPERATURE, "25 degC", 5, 50, "Set point of the room's air"),
    MR_PARAM(R, water_c, "water", MR_Q_TEMPERATURE, "18 degC", 0, 45, "Water at the coils at design"),
    MR_PARAM(R, effectiveness, "effectiveness", MR_Q_FRACTION, "0.6", 0.05, 1, "Of the coil"),
    MR_PARAM(R, heat_capacity_s_k, "inertia", MR_Q_COUNT, "40", 0.01, 1e5, "Heat capacity of air, racks and walls, J/K for each watt of design heat"),
    MR_PARAM(R, recirculation_k, "recirculation", MR_Q_TEMPERATURE_DIFF, "2 K", 0, 20, "Air that equipment breathes is this much warmer than the room"),
    MR_PARAM(R, inlet_max_c, "inlet_max", MR_Q_TEMPERATURE, "35 degC", 10, 60, "Warmest air that equipment may breathe"),
    MR_PARAM(R, speed_min_frac, "speed_min", MR_Q_FRACTION, "0.2", 0.01, 1, "Least speed of the fans"),
    MR_PARAM_N(R, n_unit, "units", "1", 1, 100000, "Air handlers that carry the design heat"),
    MR_PARAM_N(R, n_spare, "spare", "1", 0, 100000, "Air handlers beside them"),
};
#undef R
// clang-format on

static const struct mr_limits_source sources[] = {
    {"heat", MR_CONFIDENCE_ASSUMPTION, "the hall says"},
    {"capacity", MR_CONFIDENCE_ASSUMPTION, "size of a large unit"},
    {"fans", MR_CONFIDENCE_ASSUMPTION, "0.03 kW per kW at full speed"},
    {"room", MR_CONFIDENCE_ASSUMPTION, "inside the recommended envelope of 18-27 degC"},
    {"water", MR_CONFIDENCE_ASSUMPTION, "the loop says"},
    {"effectiveness", MR_CONFIDENCE_ASSUMPTION, "0.5-0.7 is usual"},
    {"inertia", MR_CONFIDENCE_ASSUMPTION, "40 kJ/K per kW of air heat"},
    {"recirculation", MR_CONFIDENCE_ASSUMPTION, "with containment"},
    {"inlet_max", MR_CONFIDENCE_ASSUMPTION, "ASHRAE class A2"},
    {"speed_min", MR_CONFIDENCE_ASSUMPTION, "motors with drives"},
    {"units", MR_CONFIDENCE_ASSUMPTION, "the hall says"},
    {"spare", MR_CONFIDENCE_ASSUMPTION, "N+1 is usual"},
};

const struct mr_limits_table mr_room_table = {
    {"room", "Air of a hall and its air handlers.", rows, sizeof rows / sizeof *rows}, sources};

void mr_room_defaults(struct mr_room_params *params)
{
    mr_limits_defaults(&mr_room_table.param, params);
}

void mr_room_of_card(const struct mr_reject_card *card, struct mr_room_params *params)
{
    params->capacity_w = card->capacity_w;
    params->fan_w = card->electric_w;
}

mr_status mr_room_make(const char *what, const struct mr_room_params *params, struct mr_room *room,
                       struct mr_err *err)
{
    const struct mr_room_params *p = params;
    MR_TRY(mr_limits_check(what, &mr_room_table.param, p, err));
    if (!(p->set_c > p->water_c))
        return mr_err_set(err, MR_RANGE, MR_NOWHERE,
                          "%s: room %g degC is not above water %g degC: no heat can flow", what,
                          p->set_c, p->water_c);
    if (!(p->inlet_max_c > p->set_c + p->recirculation_k))
        return mr_err_set(err, MR_RANGE, MR_NOWHERE,
                          "%s: room %g degC + recirculation %g K is not below inlet_max %g degC",
                          what, p->set_c, p->recirculation_k, p->inlet_max_c);
    const double fans_w = (double)p->n_unit * p->fan_w;
    const double rating_w = (double)p->n_unit * p->capacity_w;
    if (p->design_heat_w > rating_w)
        return mr_err_set(err, MR_RANGE, MR_NOWHERE,
                          "%s: %.0f kW of air heat on %.0f kW of air handlers (add units)", what,
                          p->design_heat_w / 1e3, rating_w / 1e3);
    if (fans_w >= rating_w)
        return mr_err_set(err, MR_RANGE, MR_NOWHERE,
                          "%s: fans of %g kW heat more than their unit carries, %g kW", what,
                          p->fan_w / 1e3, p->capacity_w / 1e3);
    *room = (struct mr_room){.p = *p,
                             .capacity_j_k = p->heat_capacity_s_k * p->design_heat_w,
                             .g_unit_w_k = p->capacity_w / (p->set_c - p->water_c)};
    room->air_unit_w_k = room->g_unit_w_k / p->effectiveness;
    return MR_OK;
}

void mr_room_start(struct mr_room_state *state, double room_c)
{
    *state = (struct mr_room_state){.room_c = room_c, .started_c = room_c};
}

/* ---- control ---- */

static double units_left(const struct mr_room *room, uint64_t n_lost)
{
    const uint64_t n = room->p.n_unit + room->p.n_spare;
    return n_lost < n ? (double)(n - n_lost) : 0;
}

struct balance {
    const struct mr_room *room;
    double n, heat_w, lift_k;
};

/* What the coils would take at the set-point beyond heat and fans: rises with the speed as long as
 * the fans' own heat, s^3, rises less than what they move, s. */
static double excess_w(double speed_frac, const void *context)
{
    const struct balance *b = context;
    const double fan_w = b->n * b->room->p.fan_w * speed_frac * speed_frac * speed_frac;
    return b->n * b->room->g_unit_w_k * speed_frac * b->lift_k - b->heat_w - fan_w;
}

struct mr_room_out mr_room_control(const struct mr_room *room, const struct mr_room_state *state,
                                   const struct mr_room_in *in)
{
    const double least = room->p.speed_min_frac, n = units_left(room, in->n_lost);
    const struct balance balance = {room, n, in->heat_w, room->p.set_c - in->water_c};
    struct mr_room_out out = {0};
    if (n == 0) {
        out.is_saturated = true;
        return out;
    }
    out.is_saturated = excess_w(1, &balance) < 0;
    const bool is_late = state->room_c > room->p.set_c + catch_up_k;
    if (out.is_saturated || is_late)
        out.speed_frac = 1;
    else if (excess_w(least, &balance) >= 0)
        out.speed_frac = least;
    else
        out.speed_frac = mr_root_of(excess_w, &balance, least, 1, 1e-12);
    out.fan_w = n * room->p.fan_w * out.speed_frac * out.speed_frac * out.speed_frac;
    out.g_w_k = n * room->g_unit_w_k * out.speed_frac;
    if (!out.is_saturated && !is_late) /* the valve takes what the fans' least speed is too much */
        out.g_w_k = fmin(out.g_w_k, fmax(in->heat_w + out.fan_w, 0) / balance.lift_k);
    out.taken_w = out.g_w_k * (state->room_c - in->water_c);
    return out;
}

/* ---- the node ---- */

static struct mr_node_in node_of(const struct mr_room_in *in, const struct mr_room_out *out)
{
    return (struct mr_node_in){
        .heat_w = in->heat_w + out->fan_w, .g_w_k = out->g_w_k, .sink_c = in->water_c};
}

double mr_room_inlet_c(const struct mr_room *room, const struct mr_room_state *state)
{
    return state->room_c + room->p.recirculation_k;
}

/* Between two events the room only warms or only cools: it passes the limit at most once. */
static double time_high_s(const struct mr_room *room, double from_c, const struct mr_node_in *node,
                          double to_c, double dt_s)
{
    const double limit_c = room->p.inlet_max_c - room->p.recirculation_k;
    if ((from_c > limit_c) == (to_c > limit_c))
        return from_c > limit_c ? dt_s : 0;
    const double at_s = fmin(mr_node_crossing_s(room->capacity_j_k, from_c, node, limit_c), dt_s);
    return from_c > limit_c ? at_s : dt_s - at_s;
}

double mr_room_step(const struct mr_room *room, struct mr_room_state *state,
                    const struct mr_room_in *in, const struct mr_room_out *out, double dt_s)
{
    const struct mr_node_in node = node_of(in, out);
    const double before_c = state->room_c;
    double taken_j;
    state->room_c = mr_node_advance(room->capacity_j_k, before_c, &node, dt_s, &taken_j);
    mr_sum_add(&state->heat_j, in->heat_w * dt_s);
    mr_sum_add(&state->fan_j, out->fan_w * dt_s);
    mr_sum_add(&state->taken_j, taken_j);
    state->high_s += time_high_s(room, before_c, &node, state->room_c, dt_s);
    return taken_j;
}

double mr_room_residual(const struct mr_room *room, const struct mr_room_state *state)
{
    const double in_j = mr_sum_of(state->heat_j) + mr_sum_of(state->fan_j);
    const double stored_j = room->capacity_j_k * (state->room_c - state->started_c);
    const double size_j = fmax(fabs(in_j), fmax(fabs(stored_j), fabs(mr_sum_of(state->taken_j))));
    return size_j > 0 ? (in_j - stored_j - mr_sum_of(state->taken_j)) / size_j : 0;
}
