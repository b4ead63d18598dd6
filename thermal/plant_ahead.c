/* SPDX-License-Identifier: Apache-2.0 */
/* What cooling may come to draw soon. Heat rejection is asked at the plant's period, so its next
 * steps follow from the heat that is on its way now: copies of a loop's water and of the air it
 * cools are played for a few periods with the heat that racks and CDUs gave over the last step.
 * Where there is no power they are played as if it came back at once, and air handlers, fans
 * and chillers that are out of service as if they were repaired: nobody asks them to wait. Pumps
 * stay as they are. */
#include "engine/base/assert.h"
#include "thermal/plant_ask.h"
#include "thermal/plant_impl.h"

#include <math.h>

struct ahead {
    const struct mr_plant *plant;
    const struct mr_plant_state *state;
    uint32_t loop;
    double t_s, end_s; /* of the running period */
    struct mr_facility_state water;
    struct mr_rejection_state rejection;
    struct mr_rejection_out out;
    double from_c, water_w_k;
};

static bool may_come_back(const struct ahead *a, uint32_t hall)
{
    return a->plant->room_loop[hall] == a->loop &&
           (!(a->state->hall[hall].given_w > 0) || a->state->told[MR_PLANT_OUT_AIR][hall] > 0);
}

/* Heat of the last step; air handlers that come back would take what the air has kept. */
static double heat_w(const struct ahead *a, double *fan_w)
{
    double w = a->state->loop[a->loop].heat_w;
    *fan_w = 0;
    for (uint32_t h = 0; h < a->plant->n_hall; h++) {
        const struct mr_plant_hall_state *s = &a->state->hall[h];
        if (!may_come_back(a, h))
            continue;
        struct mr_room_in in = {.heat_w = s->heat_w, .water_c = a->out.supply_c};
        const struct mr_room_out then = mr_room_control(&a->plant->room[h], &s->room, &in);
        in.n_lost = (uint64_t)a->state->told[MR_PLANT_OUT_AIR][h];
        const struct mr_room_out now = mr_room_control(&a->plant->room[h], &s->room, &in);
        const double drawn_w = s->given_w > 0 ? now.fan_w : 0;
        w += fmax(0, then.taken_w - s->given_w);
        *fan_w += fmax(0, then.fan_w - drawn_w);
    }
    return w;
}

static void ask(struct ahead *a)
{
    const struct mr_plant_loop *l = &a->plant->loop[a->loop];
    const struct mr_rejection_in in =
        mr_plant_rejection_in(a->plant, a->t_s, a->water.return_c, a->water_w_k);
    a->from_c = a->water.return_c;
    a->out = mr_rejection_run(&l->rejection, &a->rejection, a->t_s, &in);
}

/* @return the most of fans and compressors */
static double play(struct ahead *a, double until_s)
{
    const struct mr_facility *facility = &a->plant->loop[a->loop].facility;
    const uint64_t n_lost = mr_plant_pumps_lost(a->state, a->loop);
    double fan_w, most_w = a->out.fan_w + a->out.work_w;
    while (a->end_s < until_s || a->end_s == a->t_s) {
        const double dt_s = a->end_s - a->t_s;
        const struct mr_facility_in in = {
            .heat_w = heat_w(a, &fan_w),
            .rejected_w = a->out.heat_w + a->out.slope_w_k * (a->water.return_c - a->from_c),
            .slope_w_k = a->out.slope_w_k,
            .speed_frac = 1,
            .n_pump_lost = n_lost};
        if (dt_s > 0)
            (void)mr_facility_step(facility, &a->water, &in, dt_s);
        a->t_s = a->end_s;
        a->end_s += a->plant->p.period_s;
        ask(a);
        most_w = fmax(most_w, fan_w + a->out.fan_w + a->out.work_w);
    }
    return most_w;
}

/* @param[in] is_whole as if fans and chillers that are out of service were repaired now */
static double play_loop(const struct mr_plant *plant, const struct mr_plant_state *state,
                        uint32_t i, double until_s, bool is_whole)
{
    const struct mr_plant_loop_state *s = &state->loop[i];
    const struct mr_facility *facility = &plant->loop[i].facility;
    const uint64_t n_lost = mr_plant_pumps_lost(state, i);
    struct ahead a = {.plant = plant,
                      .state = state,
                      .loop = i,
                      .t_s = state->t_s,
                      .end_s = fmax(state->next_period_s, state->t_s),
                      .water = s->water,
                      .rejection = s->rejection,
                      .out = s->out,
                      .from_c = s->from_c};
    a.water_w_k = mr_facility_water_w_k(facility, mr_facility_flow_frac(facility, 1, n_lost));
    if (plant->loop[i].has_orbit || !(a.water_w_k > 0))
        return 0;
    const bool is_still = !(mr_plant_pump_speed(plant, state, i) > 0);
    if (is_still || is_whole || !mr_plant_has_utility(state)) {
        mr_plant_lose_rejection(plant, state, i, true, &a.rejection);
        a.end_s = a.t_s; /* it is asked at once */
    }
    if (is_whole) {
        a.rejection.dry_fans_frac = a.rejection.tower_fans_frac = 1;
        a.rejection.n_chiller_lost = 0;
    }
    return play(&a, until_s) + (is_still ? mr_facility_pump_w(facility, 1, n_lost) : 0);
}

static double loop_w(const struct mr_plant *plant, const struct mr_plant_state *state, uint32_t i,
                     double until_s)
{
    const double w = play_loop(plant, state, i, until_s, false);
    const bool is_out =
        state->told[MR_PLANT_OUT_FANS][i] > 0 || state->told[MR_PLANT_OUT_CHILLERS][i] > 0;
    return is_out ? fmax(w, play_loop(plant, state, i, until_s, true)) : w;
}

double mr_plant_ahead_w(const struct mr_plant *plant, const struct mr_plant_state *state,
                        double until_s)
{
    double w = 0;
    MR_ASSERT(until_s >= state->t_s);
    for (uint32_t i = 0; i < plant->n_loop; i++)
        w += loop_w(plant, state, i, until_s);
    return w;
}
