/* SPDX-License-Identifier: Apache-2.0 */
/* Readings of a supply: what it is at a date, sums since it began. Nothing here changes it, but for
 * the date that it is looked at. */
#include "engine/base/assert.h"
#include "power/supply_impl.h"

#include <math.h>

static const double never = (double)INFINITY;

const struct mr_feed_alert *mr_supply_alert(const struct mr_supply *s)
{
    return s->alert;
}

const struct mr_feed_status *mr_supply_status(const struct mr_supply *s)
{
    return s->status;
}

void mr_supply_look(struct mr_supply *s, double t_s)
{
    MR_ASSERT(t_s >= s->t_s);
    s->look_s = t_s;
}

void mr_supply_read(const struct mr_supply *s, struct mr_supply_reading *r)
{
    struct mr_chain_total total;
    double full_j = 0;
    mr_chain_total(s->chain, s->look_s, &total);
    *r = (struct mr_supply_reading){.t_s = s->look_s,
                                    .grid_w = s->grid_w,
                                    .meter_w = s->meter_w,
                                    .loss_w = total.loss_w,
                                    .budget_w = never,
                                    .target_w = never,
                                    .limit_w = never,
                                    .feed_event = s->feed_event,
                                    .price_usd_j = s->params.tariff.price_usd_j,
                                    .carbon_kg_j = s->params.tariff.carbon_kg_j,
                                    .frequency_hz = mr_supply_relay_hz(s),
                                    .has_grid = s->has_grid,
                                    .is_compliant = true};
    for (int i = 0; i < MR_N_STAGE; i++)
        r->stage_loss_w[i] = total.stage_loss_w[i];
    for (uint32_t i = 0; i < s->site->n_rack; i++) {
        const struct mr_supply_rack *rack = &s->rack[i];
        r->want_w += rack->want_w;
        r->rack_w += rack->draw_w;
        r->module_w += rack->module_w;
        for (uint8_t k = 0; k < rack->inside.n; k++)
            r->stage_loss_w[rack->inside.kind[k]] += rack->inside_w[k];
        r->n_rack_on += rack->state == MR_SUPPLY_RACK_ON;
        r->n_rack_held += rack->held != MR_SUPPLY_FREE && !mr_supply_is_off(rack);
        r->n_rack_capped += rack->state == MR_SUPPLY_RACK_ON && mr_supply_is_capped(rack);
    }
    r->house_w = total.served_w - r->rack_w;
    for (uint32_t i = 0; i < s->n_source; i++) {
        const struct mr_supply_source *source = &s->source[i];
        if (source->is_storage) {
            r->storage_w += source->mean_w;
            r->storage_j += mr_supply_source_energy_j(s, i);
            full_j += source->buffer_params.energy_j * (double)source->buffer_params.n_unit;
        } else if (source->is_solar) {
            r->solar_w += mr_supply_source_sun_w(s, source);
        } else {
            r->set_point_w += mr_generator_power_w(&source->block);
        }
    }
    r->generator_w = r->set_point_w;
    mr_supply_island_read(s, r);
    r->storage_w += mr_supply_shelf_w(s);
    r->shelf_j = mr_supply_shelf_j(s);
    r->storage_soc_frac = full_j > 0 ? r->storage_j / full_j : 0;
    if (s->options.price != NULL)
        r->price_usd_j = mr_series_at(s->options.price, s->look_s);
    if (s->options.carbon != NULL)
        r->carbon_kg_j = mr_series_at(s->options.carbon, s->look_s);
    if (s->has_feed) {
        r->limit_w = s->feed_params.limit_w;
        r->least_w = s->feed_params.min_w;
        r->in_flight = s->feed.phase == MR_FEED_RAMPING_DOWN || s->feed.phase == MR_FEED_RAMPING_UP;
        r->budget_w = mr_feed_budget_w(&s->feed, s->look_s);
        r->target_w = mr_feed_constraint_w(&s->feed_params, &s->feed);
        r->is_compliant = mr_feed_is_compliant(&s->feed_params, &s->feed);
    }
}

static void add_sources(const struct mr_supply *s, struct mr_supply_total *t)
{
    for (uint32_t i = 0; i < s->n_source; i++) {
        const struct mr_supply_source *source = &s->source[i];
        if (source->is_storage) {
            const struct mr_buffer first = mr_buffer_start(&source->buffer_params, 0);
            t->storage_in_j += source->buffer.in_j;
            t->storage_out_j += source->buffer.out_j;
            t->storage_loss_j += mr_buffer_loss_j(&source->buffer_params, &source->buffer);
            t->storage_change_j += source->buffer.energy_j - first.energy_j;
        } else if (source->is_solar) {
            t->solar_j += source->energy_j;
        } else {
            t->set_point_j += source->block.energy_j - source->first_j;
            t->fuel_j += source->block.fuel_j - source->first_fuel_j;
        }
    }
}

/* What nodes gave themselves that no group and no shelf stands behind: the hold-up of changing
 * switches. */
static double holdup_j(const struct mr_supply *s, const struct mr_chain_total *total)
{
    double rest_j = total->own_j - s->shelf_own_j;
    for (uint32_t g = 0; g < s->n_group; g++)
        for (uint32_t i = 0; i < s->group[g].n_at; i++) {
            struct mr_chain_flow flow;
            mr_chain_read(s->chain, s->group[g].at[i], s->t_s, &flow);
            rest_j -= flow.own_j;
        }
    return fabs(rest_j) > 1e-12 * fabs(total->own_j) ? rest_j : 0;
}

void mr_supply_total(const struct mr_supply *s, struct mr_supply_total *t)
{
    struct mr_chain_total total;
    mr_chain_total(s->chain, s->t_s, &total);
    *t = s->total;
    t->grid_j = total.source_j;
    t->loss_j = total.loss_j;
    for (int i = 0; i < MR_N_STAGE; i++)
        t->stage_loss_j[i] = total.stage_loss_j[i];
    for (uint32_t i = 0; i < s->site->n_rack; i++) {
        const struct mr_supply_rack *rack = &s->rack[i];
        const double dt_s = s->t_s - rack->since_s;
        t->rack_j += mr_supply_rack_j(s, i);
        t->module_j += rack->module_j + rack->module_w * dt_s;
        for (uint8_t k = 0; k < rack->inside.n; k++) {
            const double loss_j = rack->inside_j[k] + rack->inside_w[k] * dt_s;
            t->rack_loss_j += loss_j;
            t->stage_loss_j[rack->inside.kind[k]] += loss_j;
        }
    }
    t->house_j = total.served_j - t->rack_j;
    add_sources(s, t);
    t->generator_j = t->set_point_j + t->machine_rest_j;
    mr_supply_shelf_total(s, t);
    t->holdup_j = holdup_j(s, &total);
    t->ramp_up_w_s = s->ramp.up_w_s;
    t->ramp_down_w_s = s->ramp.down_w_s;
    t->fuel_usd = s->fuel_usd;
    t->fuel_kg = s->fuel_kg;
    t->energy_usd = s->tariff.energy_usd;
    t->carbon_kg = s->tariff.carbon_kg;
    t->demand_usd = mr_tariff_demand_usd(&s->params.tariff, &s->tariff);
    t->low_hz = s->low_hz;
    t->n_dip = s->ride.n_dip;
    t->n_away = s->ride.n_away;
    t->hold_w = mr_chain_hold_w(s->chain);
    const double in_j = t->grid_j + t->generator_j + t->solar_j + t->holdup_j + t->short_j;
    const double out_j =
        t->rack_j + t->house_j + t->loss_j + t->storage_loss_j + t->storage_change_j + t->dump_j;
    const double most_j = fmax(fmax(fabs(in_j), fabs(out_j)), t->storage_out_j); /* through it */
    const double rel = in_j != out_j ? fabs(in_j - out_j) / most_j : 0;
    t->closure_rel = fmax(total.closure_rel, rel);
    const double parts_j = t->module_j + t->rack_loss_j; /* of what racks were served */
    if (parts_j != t->rack_j)
        t->closure_rel = fmax(t->closure_rel, fabs(parts_j - t->rack_j) / most_j);
}

double mr_supply_rack_w(const struct mr_supply *s, uint32_t rack)
{
    return s->rack[rack].draw_w;
}

double mr_supply_rack_j(const struct mr_supply *s, uint32_t rack)
{
    return mr_chain_served_j(s->chain, s->wire.of_rack[rack], s->t_s);
}

double mr_supply_rack_cap_w(const struct mr_supply *s, uint32_t rack)
{
    return s->rack[rack].cap_w;
}

double mr_supply_part_cap_w(const struct mr_supply *s, uint32_t part)
{
    MR_ASSERT(part < s->options.n_part);
    return s->part_cap_w[part];
}

bool mr_supply_rack_is_on(const struct mr_supply *s, uint32_t rack)
{
    return s->rack[rack].state == MR_SUPPLY_RACK_ON;
}

bool mr_supply_rack_is_held(const struct mr_supply *s, uint32_t rack)
{
    return s->rack[rack].held != MR_SUPPLY_FREE;
}

double mr_supply_rack_rate(const struct mr_supply *s, uint32_t rack)
{
    return mr_supply_smooths(s, rack) ? mr_smooth_rate(&s->rack[rack].smooth) : 1;
}

const struct mr_chain *mr_supply_chain(const struct mr_supply *s)
{
    return s->chain;
}

const struct mr_wire *mr_supply_wire(const struct mr_supply *s)
{
    return &s->wire;
}
