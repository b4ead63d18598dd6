/* SPDX-License-Identifier: Apache-2.0 */
/* Between the files of the plant. */
#ifndef MR_THERMAL_PLANT_IMPL_H
#define MR_THERMAL_PLANT_IMPL_H

#include "thermal/plant.h"

void mr_plant_tell(const struct mr_plant *plant, struct mr_plant_state *state,
                   const struct mr_plant_event *event);

static inline const char *mr_plant_rack_name(const struct mr_plant *plant, uint32_t rack)
{
    return plant->site->rack[plant->rack[rack].i_site].name;
}

bool mr_plant_has_utility(const struct mr_plant_state *state);

/** Supply of a loop now. */
double mr_plant_loop_supply_c(const struct mr_plant *plant, const struct mr_plant_state *state,
                              uint32_t i);

/** The loop that takes the heat of halls without air handlers; MR_SITE_NONE: nobody does. */
uint32_t mr_plant_bare_room_loop(const struct mr_plant *plant);

/** A loop asks heat rejection for the next period. */
void mr_plant_ask_rejection(const struct mr_plant *plant, struct mr_plant_state *state, uint32_t i);

/** Units that a loop's heat rejection has lost. */
void mr_plant_lose_rejection(const struct mr_plant *plant, const struct mr_plant_state *state,
                             uint32_t i, bool has_utility, struct mr_rejection_state *rejection);

/** What it is asked at a date for water that comes back so warm. */
struct mr_rejection_in mr_plant_rejection_in(const struct mr_plant *plant, double t_s,
                                             double return_c, double water_w_k);

/** Of a loop's pumps: 0 where they have no power. */
double mr_plant_pump_speed(const struct mr_plant *plant, const struct mr_plant_state *state,
                           uint32_t i);

static inline uint64_t mr_plant_pumps_lost(const struct mr_plant_state *state, uint32_t i)
{
    return (uint64_t)state->told[MR_PLANT_OUT_LOOP_PUMPS][i];
}

/** Supplies go from loops to groups and from there to racks. */
void mr_plant_hand_inwards(const struct mr_plant *plant, struct mr_plant_state *state);

static inline bool mr_plant_is_air(const struct mr_plant_rack *rack)
{
    return rack->group == MR_SITE_NONE || rack->manifold.liquid_frac == 0;
}

/* ---- plant_draw.c ---- */

/** Power of everything in the rack follows what was told and who has power at all. */
void mr_plant_renew_power(const struct mr_plant *plant, struct mr_plant_state *state,
                          uint32_t rack);

/** What a cohort's packages draw, are asked for and leak follows the rack. */
void mr_plant_draw(const struct mr_plant *plant, struct mr_plant_state *state,
                   struct mr_plant_cohort *pc);

/** What happened to a cohort is told and answered. @param[in] event enum mr_cohort_event */
void mr_plant_handle(const struct mr_plant *plant, struct mr_plant_state *state,
                     struct mr_plant_cohort *pc, int event);

/** What one package of the rack asks for, and draws when a hold allows no more than `allowed_w`;
 *  without leakage where the plant adds it. `is_gated`: it has no leakage to add. */
struct mr_plant_want {
    double demand_w, power_w;
    bool is_gated;
};
struct mr_plant_want mr_plant_want(const struct mr_plant *plant, const struct mr_plant_state *state,
                                   const struct mr_plant_cohort *pc, double allowed_w);

/* ---- plant_flow.c ---- */

/** The rack's valve begins to move to where it should be. */
void mr_plant_move_valve(const struct mr_plant *plant, struct mr_plant_state *state, uint32_t rack,
                         double stroke_s);

/** Stroke of the valve now. */
double mr_plant_valve(const struct mr_plant *plant, const struct mr_plant_state *state,
                      uint32_t rack);

/** Valves whose date has come; the date of the next. */
void mr_plant_advance_valves(const struct mr_plant *plant, struct mr_plant_state *state);
double mr_plant_valves_next_s(const struct mr_plant *plant, const struct mr_plant_state *state);

/** Flow of a rack over its design. */
double mr_plant_rack_frac(const struct mr_plant *plant, const struct mr_plant_state *state,
                          uint32_t rack);

/** What the racks of a group let through, and then the flow of each. */
void mr_plant_group_flow(const struct mr_plant *plant, struct mr_plant_state *state,
                         uint32_t group);

/** What a rack's valve lets through at the header's pressure, over design: what has settled in its
 *  plates holds some back. */
double mr_plant_own_frac(const struct mr_plant *plant, const struct mr_plant_state *state,
                         uint32_t rack, double valve);

/** Racks of a group that is older now let less through. */
void mr_plant_foul(const struct mr_plant *plant, struct mr_plant_state *state, uint32_t group);

/** Pumps of all groups follow their neediest rack: what it asks for, or gave in the last step. */
void mr_plant_follow(const struct mr_plant *plant, struct mr_plant_state *state);

/** Pumps speed up where this rack needs more than they are going to. */
void mr_plant_need_more(const struct mr_plant *plant, struct mr_plant_state *state, uint32_t rack);

/** Coolant that leaves a rack: warmer by its heat over its flow, but never warmer than the plates
 *  that warm it, or than what switches a rack off that has none of ours. Where it stands still it
 *  is as warm as they are. */
double mr_plant_return_c(const struct mr_plant *plant, const struct mr_plant_state *state,
                         uint32_t rack, double supply_c);

/** The flow class of a rack's plates follows its flow. */
void mr_plant_rack_flow(const struct mr_plant *plant, struct mr_plant_state *state, uint32_t rack);

/* ---- plant_outage.c ---- */

void mr_plant_advance_leaks(const struct mr_plant *plant, struct mr_plant_state *state);
double mr_plant_leaks_next_s(const struct mr_plant *plant, const struct mr_plant_state *state);

/* ---- plant_ask.c ---- */

/** Remember what is stored: energy counts from here. */
void mr_plant_mark(const struct mr_plant *plant, struct mr_plant_state *state);

#endif
