/* SPDX-License-Identifier: Apache-2.0 */
/* What stands beside a living grid: battery plants shave, trade and assist, batteries of supplies
 * refill, turbines give what the budget does not. After an outage the load goes back to the grid
 * along a line at the connection's ramp: machines that have carried it give the rest, batteries of
 * supplies what these do not (walk-in). Groups decide one after the other, each on what the meter
 * would show after those before it; what batteries of supplies charge with is nobody's load before
 * it is their turn, so that no plant gives for it. */
#include "power/supply_beside_impl.h"

#include <math.h>

static const double never = (double)INFINITY;

/* ---- the meter ---- */

/* What the meter may show now, from where it stood over the last step. Where the connection's
 * budget falls faster than its ramp, the budget counts. */
static double ramp_most_w(const struct mr_supply *s)
{
    const double dt_s = fmin(s->t_s - s->ramp_s, s->params.tick_s);
    const double budget_w = s->has_feed ? mr_feed_budget_w(&s->feed, s->t_s) : never;
    return fmin(s->ramp_w + s->feed_params.ramp_up_w_s * dt_s, budget_w);
}

/* What the grid is to carry by now of a load that others have carried while it was away. Stairs
 * that get longer rise a little faster than their line: the margin covers that. */
static double return_w(const struct mr_supply *s)
{
    return s->feed_params.ramp_up_w_s * (1 - s->params.margin) * (s->t_s - s->back_s);
}

static bool keeps_ramp(const struct mr_supply *s)
{
    return s->params.assists && s->has_grid_ramp && !isnan(s->ramp_w);
}

/* A plant's power such that the meter stays within its ramp: what jumps is taken over, then given
 * to the grid in stairs. */
static double assisted_w(struct mr_supply *s, double asked_w, double without_w)
{
    if (!keeps_ramp(s))
        return asked_w;
    const double dt_s = fmin(s->t_s - s->ramp_s, s->params.tick_s), most_w = ramp_most_w(s);
    const double least_w = fmin(s->ramp_w - s->feed_params.ramp_down_w_s * dt_s, most_w);
    const double meter_w = without_w + asked_w, held_w = fmin(fmax(meter_w, least_w), most_w);
    s->is_assisting |= fabs(held_w - meter_w) > 1e-9 * fabs(meter_w);
    return held_w != meter_w ? held_w - without_w : asked_w;
}

/* Of the meter, at a rate that leaves the margin. */
static double step_w(const struct mr_supply *s)
{
    return s->feed_params.ramp_up_w_s * (1 - s->params.margin) *
           fmin(s->t_s - s->ramp_s, s->params.tick_s);
}

/* Batteries of supplies charge no faster than the meter may rise. After an outage they go on giving
 * what the grid is not to carry yet (walk-in); they are not spent on other jumps. */
static double walked_in_w(struct mr_supply *s, double charge_w, double without_w)
{
    if (!keeps_ramp(s))
        return charge_w;
    if (s->is_returning) {
        const double w = fmin(0, return_w(s) - without_w);
        s->is_handing |= w < 0;
        return w;
    }
    const double most_w = fmax(0, fmin(ramp_most_w(s), s->ramp_w + step_w(s)) - without_w);
    s->is_assisting |= most_w < charge_w;
    return fmin(charge_w, most_w);
}

/* Racks wait for permits, or the last one has not been paid for yet. */
static bool has_starts(const struct mr_supply *s)
{
    return s->n_waiting > 0 || (s->has_grid && s->permit.ready_s > s->t_s);
}

struct mr_buffer_plan mr_supply_plan_of(const struct mr_supply_params *params,
                                        const struct mr_buffer_params *p)
{
    const double never_usd_j = -1000 / 3.6e9; /* buy_below, when nobody has set it */
    const bool buys = params->buy_usd_j > never_usd_j * (1 - 1e-9);
    const double rests = buys && params->refill_frac == 1 ? 0 : params->refill_frac;
    return (struct mr_buffer_plan){.buy_usd_j = params->buy_usd_j,
                                   .sell_usd_j = params->sell_usd_j,
                                   .refill_frac = p->soc_min_frac +
                                                  rests * (p->soc_max_frac - p->soc_min_frac)};
}

/* Storages that carry nothing: those of supplies refill once racks are back, battery plants do what
 * they are for. */
static double rest_w(struct mr_supply *s, const struct mr_supply_group *group,
                     struct mr_supply_source *source, double without_w)
{
    const struct mr_buffer_params *p = &source->buffer_params;
    const struct mr_supply_params *params = &s->params;
    source->buffer.uses_reserve = false;
    const double budget_w =
        s->has_feed ? mr_feed_budget_w(&s->feed, s->t_s) * (1 - params->margin) : never;
    if (s->site->power[source->power].kind != MR_SITE_POWER_BESS || !s->has_grid) {
        const bool may_charge =
            !mr_supply_source_is_full(source) && !(s->has_permits && has_starts(s));
        const double most_w = may_charge ? p->charge_w * (double)p->n_unit : 0;
        const double spare_w = s->has_grid ? budget_w - without_w : s->spare_w;
        const double charge_w = mr_supply_refill_w(s, group, fmax(0, fmin(most_w, spare_w)));
        s->spare_w -= charge_w;
        source->buffer.uses_reserve = s->has_grid && s->is_returning;
        return s->has_grid ? walked_in_w(s, charge_w, without_w) : charge_w;
    }
    const struct mr_buffer_plan plan = mr_supply_plan_of(params, p);
    const struct mr_buffer_need need = {.load_w = fmax(0, without_w),
                                        .limit_w = budget_w,
                                        .price_usd_j = s->options.price != NULL
                                                           ? mr_series_at(s->options.price, s->t_s)
                                                           : params->tariff.price_usd_j,
                                        .has_grid = true};
    const double w =
        assisted_w(s, mr_buffer_dispatch(p, &source->buffer, &plan, &need).power_w, without_w);
    return w > 0 ? mr_supply_refill_w(s, group, w) : w;
}

static double injected_w(const struct mr_supply *s, const struct mr_supply_group *group)
{
    double sum_w = 0;
    for (uint32_t i = 0; i < group->n_at; i++) {
        struct mr_chain_flow flow;
        mr_chain_read(s->chain, group->at[i], s->t_s, &flow);
        sum_w += flow.inject_w;
    }
    return sum_w;
}

/* What of that the planned meter shows: what batteries of supplies charge with is not in it. */
static double planned_of_w(const struct mr_supply *s, const struct mr_supply_group *group)
{
    return injected_w(s, group) + (group->is_ups ? mr_supply_refill_taken_w(s, group) : 0);
}

double mr_supply_beside_w(struct mr_supply *s, struct mr_supply_group *group)
{
    double given_w = 0;
    const double before_w = planned_of_w(s, group);
    double without_w = s->planned_w + before_w; /* what the meter would see without the group */
    for (uint32_t k = 0; k < group->n_source; k++) {
        struct mr_supply_source *source = &s->source[group->source[k]];
        if (source->is_solar)
            source->mean_w = mr_supply_source_sun_w(s, source);
        else if (source->is_storage)
            continue;
        else
            source->mean_w = mr_generator_power_w(&source->block);
        given_w += source->mean_w;
        without_w -= source->mean_w;
    }
    for (uint32_t k = 0; k < group->n_source; k++) {
        struct mr_supply_source *source = &s->source[group->source[k]];
        if (!source->is_storage)
            continue;
        const double asked_w = rest_w(s, group, source, without_w);
        source->mean_w = asked_w != source->buffer.power_w
                             ? mr_buffer_set(&source->buffer_params, &source->buffer, asked_w)
                             : asked_w;
        given_w -= source->mean_w;
        without_w += source->mean_w;
    }
    s->planned_w += before_w - given_w;
    return given_w;
}

/* Machines that have carried their bars until now give what the grid is not to carry yet. */
static double handed_over_w(struct mr_supply *s, const struct mr_supply_group *group)
{
    if (!s->is_returning || !keeps_ramp(s) || !group->has_machines)
        return 0;
    const double w = fmax(0, s->planned_w + injected_w(s, group) - return_w(s));
    s->is_handing |= w > 0;
    return w;
}

/* Sets beside a grid only hand their load back; turbines give what they are asked for, no more than
 * the site draws now, with no more units than can run at their least load on what it would draw. */
static void ask(struct mr_supply *s, struct mr_supply_source *source, double *handed_w,
                double *room_w)
{
    const struct mr_generator_params *p = &source->block_params;
    struct mr_generator *block = &source->block;
    const struct mr_generator was = *block;
    const double most_w = p->rated_w * (double)p->n_unit;
    double load_w = fmin(*handed_w, most_w), more_w = 0;
    *handed_w -= load_w;
    block->is_leaving = !source->is_turbine;
    if (source->is_turbine) {
        const double least_w = p->rated_w * p->min_load_frac;
        const double set_w = fmin(s->set_w, most_w), run_w = fmin(s->run_w, most_w);
        load_w = fmax(load_w, set_w);
        more_w = fmax(0, run_w - load_w);
        s->set_w -= set_w;
        s->run_w -= run_w;
        block->n_most = least_w > 0 && s->has_feed
                            ? (uint32_t)fmin(floor(s->bear_w / least_w), block->n)
                            : block->n;
        block->room_w = s->has_feed ? *room_w : never;
        s->bear_w -= fmin(s->bear_w, least_w * block->n_most);
        *room_w -= fmin(*room_w, load_w);
        if (block->n_most == 0)
            load_w = more_w = 0;
    }
    if (was.is_leaving != block->is_leaving || was.n_most != block->n_most ||
        was.room_w != block->room_w || was.load_w != load_w || was.more_w != more_w)
        mr_supply_source_ask(s, source, load_w, more_w);
}

void mr_supply_beside_ask(struct mr_supply *s, const struct mr_supply_group *group)
{
    double handed_w = handed_over_w(s, group);
    double room_w = s->planned_w + planned_of_w(s, group);
    for (uint32_t k = 0; k < group->n_source; k++)
        if (s->source[group->source[k]].is_solar)
            room_w -= mr_supply_source_sun_w(s, &s->source[group->source[k]]);
    room_w = fmax(0, room_w);
    for (uint32_t k = 0; k < group->n_source; k++) {
        struct mr_supply_source *source = &s->source[group->source[k]];
        if (!source->is_storage && !source->is_solar)
            ask(s, source, &handed_w, &room_w);
    }
}

/* ---- what turbines are for ---- */

/* The meter, if no rack were capped and nothing but the sun gave beside it, or took. */
static double uncapped_w(struct mr_supply *s)
{
    mr_chain_ask_begin(s->chain);
    for (uint32_t g = 0; g < s->n_group; g++) {
        const struct mr_supply_group *group = &s->group[g];
        double w = injected_w(s, group);
        for (uint32_t k = 0; k < group->n_source; k++)
            if (s->source[group->source[k]].is_solar)
                w -= mr_supply_source_sun_w(s, &s->source[group->source[k]]);
        for (uint32_t i = 0; i < group->n_at && !group->is_away; i++)
            mr_chain_ask_more(s->chain, group->at[i], w / group->n_at);
    }
    for (uint32_t i = 0; i < s->site->n_rack; i++) {
        const struct mr_supply_rack *rack = &s->rack[i];
        if (rack->state != MR_SUPPLY_RACK_DARK)
            mr_chain_ask_more(s->chain, s->wire.of_rack[i],
                              fmax(0, fmin(rack->want_w, rack->most_w) - rack->draw_w));
    }
    return mr_chain_ask_w(s->chain);
}

/* Caps that count on a turbine hold for a latency of the governor: what it gives stays for two. */
static double set_s(const struct mr_supply *s)
{
    return 2 * mr_govern_latency_s(&s->params.govern);
}

static void hold(struct mr_supply_turbine_ask *a, double w, double t_s, double for_s)
{
    if (a->now_w >= a->held_w && w < a->held_w) /* until now it was wanted */
        a->since_s = t_s;
    if (w >= a->held_w || t_s >= a->since_s + for_s)
        a->held_w = w;
    a->now_w = w;
}

/* Units stay on the bus, or on their way to it, as long as they would have to stay on it. */
static void look_ahead(struct mr_supply *s)
{
    double start_s = -1, stay_s = 0;
    for (uint32_t i = 0; i < s->n_source; i++)
        if (s->source[i].is_turbine) {
            start_s = fmax(start_s, s->source[i].block_params.start_s);
            stay_s = fmax(stay_s, s->source[i].block_params.min_run_s);
        }
    s->set_w = s->run_w = s->bear_w = 0;
    s->stay_s = stay_s;
    if (!(start_s >= 0) || !s->has_feed || !s->has_grid)
        return;
    const double w = uncapped_w(s), kept = 1 - s->params.margin;
    const double latency_s = fmin(mr_govern_latency_s(&s->params.govern), start_s);
    const double then_w = mr_feed_least_budget_w(&s->feed_params, &s->feed, s->t_s + latency_s);
    const double far_w = mr_feed_least_budget_w(&s->feed_params, &s->feed, s->t_s + start_s);
    hold(&s->set, fmax(0, w - then_w * kept), s->t_s, set_s(s));
    hold(&s->run, fmax(0, w - far_w * kept), s->t_s, stay_s);
    s->set_w = s->set.held_w;
    s->run_w = s->run.held_w;
    s->bear_w = fmax(0, w);
}

static double falls_s(const struct mr_supply_turbine_ask *a, double for_s)
{
    return a->now_w < a->held_w ? a->since_s + for_s : never;
}

double mr_supply_beside_next_s(const struct mr_supply *s)
{
    return s->has_grid && s->has_feed
               ? fmin(falls_s(&s->set, set_s(s)), falls_s(&s->run, s->stay_s))
               : never;
}

double mr_supply_beside_counted_frac(const struct mr_supply *s)
{
    const double then_s = s->t_s + mr_govern_latency_s(&s->params.govern);
    return falls_s(&s->set, set_s(s)) > then_s ? 1 : s->set.now_w / s->set.held_w;
}

void mr_supply_beside_begin(struct mr_supply *s)
{
    look_ahead(s);
    s->is_assisting = s->is_handing = false;
    s->planned_w = s->grid_w;
    for (uint32_t g = 0; g < s->n_group; g++)
        if (s->group[g].is_ups)
            s->planned_w -= mr_supply_refill_taken_w(s, &s->group[g]);
}

void mr_supply_beside_end(struct mr_supply *s)
{
    s->is_assisting |= s->is_handing;
    if (!s->is_handing && s->t_s > s->back_s)
        s->is_returning = false;
}
