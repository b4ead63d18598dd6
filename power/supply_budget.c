/* SPDX-License-Identifier: Apache-2.0 */
/* What all racks together may draw, from the budget of the meter, or away from the grid from what
 * machines and batteries carry.
 *
 * The meter's answer to racks that draw more, or less, is asked of the chain (mr_chain_ask_w) and
 * bends upwards: between what racks draw now and a point beyond the answer its chord lies above it,
 * so a budget taken from the chord is kept. The question counts what is to come until caps of the
 * next decision hold: cooling that is told to step up (mr_supply_expect_house), machines and
 * batteries that only hand their load back to the grid. Storages that charge beside racks give way
 * at once, so what these take is room; so is what battery plants shave as soon as it is asked for,
 * all that they can keep up until caps come that count less. A grid that comes back sooner
 * than a later decision could answer is met with caps that its budget allows: what racks draw
 * meanwhile is drawn elsewhere. */
#include "power/supply_back_impl.h"
#include "power/supply_beside_impl.h"

#include <math.h>

const double mr_supply_meter_per_rack = 1.15;

static const double never = (double)INFINITY;

static const double least_shave_frac = 0.01; /* of a plant's rating */
static const double half = 0.5;

/* ---- the meter ---- */

/* What a battery plant shaves when racks ask for more than the connection gives: its rating, as
 * long as what is above its reserve gives that until caps that count less are in force, and those
 * after them; then a share of what is left. So it falls off within a minute, and caps with it, and
 * it is never empty before they are low. The last percent is kept for loads that rise between two
 * decisions. A plant that has come down to that is not counted before it is half full again: racks
 * that are stopped for it would start and stop with every minute of charging. */
static double shaves_w(const struct mr_supply *s, struct mr_supply_source *source)
{
    const struct mr_buffer_params *p = &source->buffer_params;
    const double n = (double)p->n_unit, rated_w = p->discharge_w * n;
    const double floor_j = mr_buffer_floor_j(p, false), above_j = source->buffer.energy_j - floor_j;
    const double rest_j = mr_supply_plan_of(&s->params, p).refill_frac * p->energy_j * n;
    const double full_j = rest_j > floor_j ? rest_j : mr_buffer_ceiling_j(p);
    const double lasts_s = 2 * mr_govern_latency_s(&s->params.govern);
    const double w = fmax(0, fmin(rated_w, above_j * p->discharge_eff / lasts_s));
    if (w < least_shave_frac * rated_w)
        source->is_spent = true;
    else if (above_j >= half * (full_j - floor_j))
        source->is_spent = false;
    return source->is_spent ? 0 : w;
}

/* @return what a group gives now and is not counted on; below 0: it is counted on for more */
static double injected_once_w(const struct mr_supply *s, const struct mr_supply_group *group)
{
    double w = 0;
    for (uint32_t k = 0; k < group->n_source; k++) {
        struct mr_supply_source *source = &s->source[group->source[k]];
        const bool is_bess = s->site->power[source->power].kind == MR_SITE_POWER_BESS;
        if (source->is_storage && (is_bess || s->is_returning))
            w += fmax(0, -source->mean_w) - (is_bess ? shaves_w(s, source) : 0);
        else if (source->is_turbine)
            w += source->mean_w * (1 - mr_supply_beside_counted_frac(s));
        else if (s->is_returning && !source->is_storage && !source->is_solar)
            w += source->mean_w;
    }
    return w;
}

/* What is drawn, or given, beside racks now and will not be once they draw otherwise. */
static void ask_sources(struct mr_supply *s)
{
    for (uint32_t g = 0; g < s->n_group; g++) {
        const struct mr_supply_group *group = &s->group[g];
        const double w =
            group->is_away ? 0 : injected_once_w(s, group) - mr_supply_refill_taken_w(s, group);
        for (uint32_t i = 0; i < group->n_at && w != 0; i++)
            mr_chain_ask_more(s->chain, group->at[i], w / group->n_at);
    }
}

/* @param[in] sum_w of what racks draw; 0: they divide it by what they may */
static double meter_w(struct mr_supply *s, double more_w, double sum_w)
{
    double most_w = 0;
    mr_chain_ask_begin(s->chain);
    ask_sources(s);
    mr_chain_ask_more(s->chain, s->wire.house, s->house_more_w);
    for (uint32_t i = 0; i < s->site->n_rack; i++)
        most_w += s->rack[i].most_w;
    for (uint32_t i = 0; i < s->site->n_rack && more_w != 0; i++)
        mr_chain_ask_more(s->chain, s->wire.of_rack[i],
                          sum_w > 0 ? more_w * s->rack[i].draw_w / sum_w
                                    : more_w * s->rack[i].most_w / most_w);
    return mr_chain_ask_w(s->chain);
}

static double beside_grid_w(struct mr_supply *s, double budget_w, double rack_w)
{
    const double now_w = meter_w(s, 0, rack_w);
    const double room_w = budget_w - now_w, far_w = fmax(room_w, -rack_w);
    if (far_w == 0)
        return rack_w;
    const double there_w = meter_w(s, far_w, rack_w);
    if (!(fabs(there_w - now_w) > 1e-9 * fabs(far_w))) /* nobody is fed */
        return rack_w + far_w;
    return fmax(0, rack_w + far_w * fmin(1, room_w / (there_w - now_w)));
}

/* ---- away from it ---- */

/* A watt less at a rack is a watt less at the machines at least. Of a watt more a node that takes
 * n c + l p + (q / n) p^2 beside the p it delivers asks its feeds for 1 + l + 2 (q / n) p: no more
 * than 1 + 2 loss / p, where its standing loss n c is small beside the rest, and no more than at
 * its rating in any case, which for the dearest chain is mr_supply_meter_per_rack. So where hardly
 * anything is drawn standing losses take no room, and a decision leaves a share of the room that is
 * less than that slope is above 1, for the next. */
static double beside_machines_w(const struct mr_supply *s, double budget_w, double rack_w)
{
    struct mr_chain_total total;
    double charge_w = 0;
    for (uint32_t g = 0; g < s->n_group; g++)
        charge_w += mr_supply_refill_taken_w(s, &s->group[g]);
    mr_chain_total(s->chain, s->t_s, &total);
    const double own_w = total.own_w + mr_supply_start_house_w(s);
    const double room_w = budget_w - own_w + charge_w, most = mr_supply_meter_per_rack;
    const double slope = rack_w > 0 ? fmin(1 + 2 * total.loss_w / rack_w, most) : most;
    return fmax(0, rack_w + (room_w > 0 ? room_w / slope : room_w));
}

bool mr_supply_reads_house(const struct mr_supply *s, double t_s)
{
    return s->has_feed &&
           (!s->has_grid || (s->clock.phase == MR_GOVERN_SAMPLE && s->clock.next_s <= t_s));
}

/* Racks under a limit that binds would leave nothing to batteries of supplies, and the next outage
 * would find them empty: until they are full a share of the budget is theirs. */
static double kept_w(const struct mr_supply *s, double budget_w)
{
    double w = 0;
    for (uint32_t g = 0; g < s->n_group; g++) {
        const struct mr_supply_group *group = &s->group[g];
        for (uint32_t k = 0; k < group->n_source && group->is_ups && !group->is_away; k++) {
            const struct mr_supply_source *source = &s->source[group->source[k]];
            if (source->is_storage && !mr_supply_source_is_full(source))
                w += source->buffer_params.charge_w * (double)source->buffer_params.n_unit;
        }
    }
    return fmin(w, s->params.ups_refill_frac * budget_w);
}

/* When caps of a later decision hold. */
static double then_s(const struct mr_supply *s)
{
    return s->t_s + mr_govern_latency_s(&s->params.govern);
}

static double drawn_w(const struct mr_supply *s)
{
    double w = 0;
    for (uint32_t i = 0; i < s->site->n_rack; i++)
        w += s->rack[i].draw_w;
    return w;
}

/* @param[in] feed_w of the meter */
static double of_grid_w(struct mr_supply *s, double feed_w)
{
    const double budget_w = feed_w * (1 - s->params.margin);
    return beside_grid_w(s, budget_w - kept_w(s, budget_w), drawn_w(s));
}

static double all_racks_w(struct mr_supply *s, double feed_w)
{
    const double carried_w = mr_supply_source_capacity_w(s) * (1 - s->params.margin);
    const double w = s->has_feed && mr_supply_back_is_soon(s) ? of_grid_w(s, feed_w) : never;
    return isinf(carried_w) ? w : fmin(w, beside_machines_w(s, carried_w, drawn_w(s)));
}

double mr_supply_back_budget_w(struct mr_supply *s)
{
    return of_grid_w(s, mr_feed_least_budget_w(&s->feed_params, &s->feed, then_s(s)));
}

/* What the connection gives now, or less where that falls until then. */
double mr_supply_budget_w(struct mr_supply *s)
{
    return all_racks_w(s, s->has_feed ? mr_feed_least_budget_w(&s->feed_params, &s->feed, then_s(s))
                                      : never);
}

double mr_supply_stop_w(struct mr_supply *s, double budget_w)
{
    if (!s->has_grid || !s->has_feed || !mr_feed_is_best_effort(&s->feed, then_s(s)))
        return budget_w;
    return all_racks_w(s, mr_feed_hard_budget_w(&s->feed_params, &s->feed, then_s(s)));
}
