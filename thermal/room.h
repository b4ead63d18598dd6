/* SPDX-License-Identifier: Apache-2.0 */
/* Air of a hall: heat of air-cooled racks and what liquid-cooled ones leave behind, taken by room
 * air handlers (CRAH) whose coils give it to chilled or facility water.
 *
 *   C dT/dt = Q + fans - G (T - water)      G = eps C_air ~ fan speed, fans ~ speed^3
 *
 * Regulated: G is what makes the set-point the steady state; below the fans' least speed the coil's
 * valve does it. Saturated, or 0.5 K above the set-point: full speed.
 *
 * Fan heat stays in the room. Packages that breathe room air get it recirculation_k warmer.
 * Stratification and leakage between aisles are not modeled. */
#ifndef MR_THERMAL_ROOM_H
#define MR_THERMAL_ROOM_H

#include "platforms/reject.h"
#include "thermal/limits.h"
#include "thermal/node.h"
#include "thermal/sum.h"

struct mr_room_params {
    double design_heat_w;     /* air heat of the hall */
    double capacity_w;        /* of one air handler */
    double fan_w;             /* of one at full speed */
    double set_c;             /* room air */
    double water_c;           /* design: water at the coils */
    double effectiveness;     /* of the coil; gives the air flow */
    double heat_capacity_s_k; /* C over design heat [J/K/W] */
    double recirculation_k;
    double inlet_max_c; /* limit of air-cooled equipment */
    double speed_min_frac;
    uint64_t n_unit, n_spare;
};

/* Const after mr_room_make. */
struct mr_room {
    struct mr_room_params p;
    double capacity_j_k;
    double g_unit_w_k;   /* of one air handler at full speed */
    double air_unit_w_k; /* its flow of heat capacity */
};

struct mr_room_state {
    double room_c;
    struct mr_sum heat_j, fan_j, taken_j;
    double high_s; /* time above the inlet limit */
    double started_c;
};

struct mr_room_in {
    double heat_w;   /* from racks and losses, fans of the air handlers apart */
    double water_c;  /* at the coils */
    uint64_t n_lost; /* air handlers out of service */
};

struct mr_room_out {
    double taken_w;    /* by the coils at the start of the period */
    double speed_frac; /* of all units in service */
    double fan_w;
    double g_w_k; /* heat for each kelvin between room and water at that speed */
    bool is_saturated;
};

extern const struct mr_limits_table mr_room_table;

void mr_room_defaults(struct mr_room_params *params);

/** Size, fans and set-point of a card. */
void mr_room_of_card(const struct mr_reject_card *card, struct mr_room_params *params);

/** Refuses air heat above what the air handlers carry. */
MR_CHECKED mr_status mr_room_make(const char *what, const struct mr_room_params *params,
                                  struct mr_room *room, struct mr_err *err);

void mr_room_start(struct mr_room_state *state, double room_c);

/** Speed of the fans for this heat: what holds the set-point, or full. */
struct mr_room_out mr_room_control(const struct mr_room *room, const struct mr_room_state *state,
                                   const struct mr_room_in *in);

/** Advance over dt_s at that speed. @return heat given to the water in that time [J] */
double mr_room_step(const struct mr_room *room, struct mr_room_state *state,
                    const struct mr_room_in *in, const struct mr_room_out *out, double dt_s);

/** Air that equipment breathes. */
double mr_room_inlet_c(const struct mr_room *room, const struct mr_room_state *state);

double mr_room_residual(const struct mr_room *room, const struct mr_room_state *state);

#endif
