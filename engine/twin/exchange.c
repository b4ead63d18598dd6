/* SPDX-License-Identifier: Apache-2.0 */
/* Map: clocks - the exchange - readers. */
#include "engine/base/assert.h"
#include "engine/twin/exchange_impl.h"

#include <math.h>

enum {
    clock_steps = 128
};

/* ---- clocks ---- */

static double step_down(double phi, double least)
{
    return fmax(least, floor(phi * clock_steps) / clock_steps);
}

/* What the parts of a rack may draw in all, and how many of its packages are told to rest. */
static void add_parts(struct mr_exchange *x)
{
    const struct mr_stand *stand = x->plan.stand;
    for (uint32_t r = 0; r < x->plan.site->n_rack; r++) {
        x->rack[r].n_was_held = x->rack[r].n_held;
        x->rack[r].n_held = 0;
        x->rack[r].parts_cap_w = 0;
    }
    for (uint32_t k = 0; k < stand->n_span; k++) {
        struct mr_exchange_load *rack = &x->rack[stand->span[k].rack];
        rack->parts_cap_w += stand->span[k].n * mr_supply_part_cap_w(x->supply, k);
        rack->n_held += mr_supply_part_is_held(x->supply, k) ? stand->span[k].n : 0;
    }
}

/* Watts that one package of a part may draw without leakage. Caps of packages were cut out of their
 * rack's by what hosts would draw then: what they draw now is made up for, but where they rested,
 * or have not been seen at work, or are to rest in part from now on. Of a rack that was dark
 * nothing is seen: its hosts draw what they do for the work it was stopped in, its dies leak as
 * warm ones. Whoever may draw its card's maximum is held by nobody. */
static double capped_w(const struct mr_exchange *x, uint32_t r, uint32_t part)
{
    const struct mr_exchange_load *rack = &x->rack[r];
    const double cap_w = mr_supply_rack_cap_w(x->supply, r), most_w = x->package_w[r];
    if (!isfinite(cap_w) || rack->n_lit == 0)
        return (double)INFINITY;
    const bool is_back = !rack->was_on && mr_supply_rack_is_on(x->supply, r);
    const double leakage_w =
        is_back ? fmax(rack->leakage_w, rack->leakage_now_w) : rack->leakage_now_w;
    const double n_all = x->plant->rack[r].n_package;
    const double lit_w = rack->parts_cap_w * rack->n_lit / n_all;
    const double use = rack->is_new || rack->n_lit <= rack->n_held
                           ? 1
                           : rack->rested_frac * (1 - (double)rack->n_held / rack->n_lit);
    const double idle = x->plan.params.rest_idle_frac;
    const double other_w = rack->is_new || is_back
                               ? fmax(rack->rest_w * (idle + (1 - idle) * use), rack->other_w)
                               : rack->other_w;
    const double room_w =
        cap_w - other_w - rack->n_free * rack->n_lit / n_all * (rack->idle_w + leakage_w);
    const double scale = rack->n_held > rack->n_was_held && rack->n_held < rack->n_lit ? 1
                         : lit_w > 0 ? fmin(rack->n_held < rack->n_was_held ? 1 : (double)INFINITY,
                                            fmax(0, room_w) / lit_w)
                                     : 0;
    const double may_w = mr_supply_part_cap_w(x->supply, part) * scale;
    return may_w < most_w * (1 - 1e-9) ? fmax(0, may_w - leakage_w) : (double)INFINITY;
}

/* A cap that not even the lowest clock keeps: the package runs at that clock, and draws more. */
static void look_at_cap(struct mr_exchange *x, uint32_t i, const struct mr_power_point *point,
                        double cap_w)
{
    const struct mr_stand *stand = x->plan.stand;
    if (!point->is_infeasible || !(point->power_w > cap_w * (1 + 1e-9)))
        return;
    for (uint32_t k = stand->begin[i]; k < stand->begin[i + 1]; k++) {
        struct mr_exchange_load *rack = &x->rack[stand->span[k].rack];
        if (!rack->was_on || point->power_w - cap_w <= rack->over_least_w - rack->over_cap_w)
            continue;
        rack->over_least_w = point->power_w;
        rack->over_cap_w = cap_w;
    }
}

/* Told once, until caps have been kept for as long as it takes to make others. */
static void tell_caps(struct mr_exchange *x)
{
    for (uint32_t r = 0; r < x->plan.site->n_rack; r++) {
        struct mr_exchange_load *rack = &x->rack[r];
        if (!(rack->over_least_w > 0))
            continue;
        if (x->t_s > rack->over_until_s && x->plan.event != NULL)
            x->plan.event(x->plan.context, x->t_s, mr_supply_event_name(MR_SUPPLY_CAP_INFEASIBLE),
                          x->plan.site->rack[r].name, rack->over_least_w + rack->leakage_now_w,
                          rack->over_cap_w + rack->leakage_now_w);
        rack->over_until_s = x->t_s + x->foresight_s;
    }
}

static void order_one(struct mr_exchange *x, uint32_t i)
{
    const struct mr_stand *stand = x->plan.stand;
    struct mr_exchange_member *m = &x->member[i];
    const struct mr_power *power = x->plan.power[i];
    double allowed_w = (double)INFINITY, cap_w = (double)INFINITY, rate = 1;
    bool is_up = true, is_dark = false;
    m->is_held = false;
    for (uint32_t k = stand->begin[i]; k < stand->begin[i + 1]; k++) {
        const uint32_t r = stand->span[k].rack;
        const uint32_t n_dark = x->plant->rack[r].n_package - x->rack[r].n_lit;
        allowed_w = fmin(allowed_w, mr_plant_rack_allowed_w(x->plant, x->heat, r));
        cap_w = fmin(cap_w, capped_w(x, r, k));
        rate = fmin(rate, mr_supply_rack_rate(x->supply, r));
        const bool is_on = mr_supply_rack_is_on(x->supply, r);
        const bool is_away = mr_supply_is_away(x->supply, r); /* lost what it did */
        is_dark = is_dark || (!is_on && !is_away && !mr_supply_rack_is_held(x->supply, r));
        is_up = is_up && is_on && (n_dark == 0 || !mr_stand_is_hit(stand, i, r, n_dark));
        m->is_held = m->is_held || (mr_supply_part_is_held(x->supply, k) && !is_away);
    }
    is_up = is_up && !m->is_held;
    m->down = is_dark ? MR_EXCHANGE_DARK : m->is_held ? MR_EXCHANGE_HELD : MR_EXCHANGE_OFF;
    const double idle_w = mr_power_idle_w(power, MR_EXCHANGE_REFERENCE_C) - power->leakage_w;
    const struct mr_power_mix mix = {idle_w + (1 - m->clocked_frac) * m->dynamic_w,
                                     m->clocked_frac * m->dynamic_w};
    const double lock = x->plan.params.lock;
    const double hot = mr_power_operate(power, &mix, allowed_w, lock).clock;
    const struct mr_power_point by_cap = mr_power_operate(power, &mix, cap_w, lock);
    const double capped = by_cap.clock;
    if (is_up)
        look_at_cap(x, i, &by_cap, cap_w);
    struct mr_exchange_order *order = &m->order;
    const double phi = fmin(hot, capped);
    *order = (struct mr_exchange_order){
        .phi = phi < lock ? step_down(phi, power->clock_min) : lock,
        .reason = phi < lock ? hot <= capped ? MR_EXCHANGE_THERMAL : MR_EXCHANGE_CAP
                  : lock < 1 ? MR_EXCHANGE_LOCK
                             : MR_EXCHANGE_NONE,
        .is_up = is_up,
        .is_short = is_dark || m->is_held || (capped < lock && capped < hot)};
    m->free_phi = order->phi;
    if (rate < 1) {
        order->phi = step_down(rate * order->phi, power->clock_min);
        order->reason = MR_EXCHANGE_SMOOTHING;
    }
}

/* Racks of which all packages have gone off leave the feeds with them; when they may start again
 * they ask for room before anything is drawn. */
static void look_at_packages(struct mr_exchange *x)
{
    for (uint32_t r = 0; r < x->plan.site->n_rack; r++) {
        const uint32_t n = x->plant->rack[r].n_package;
        x->rack[r].n_lit = n - mr_plant_rack_off(x->heat, r);
        if (n > 0 && x->rack[r].n_lit == 0)
            mr_supply_leave(x->supply, r);
        else
            mr_supply_ask(x->supply, r);
    }
    if (mr_supply_admit(x->supply))
        mr_supply_advance(x->supply, x->t_s); /* they start now */
}

static void give_orders(struct mr_exchange *x, struct mr_exchange_order *order)
{
    for (uint32_t r = 0; r < x->plan.site->n_rack; r++) {
        const bool is_off = x->rack[r].n_lit == 0 && mr_supply_is_away(x->supply, r);
        x->rack[r].row.cap_w = is_off ? (double)INFINITY : mr_supply_rack_cap_w(x->supply, r);
        x->rack[r].row.phi_min = x->plan.params.lock;
        x->rack[r].over_least_w = x->rack[r].over_cap_w = 0;
    }
    add_parts(x);
    for (uint32_t r = 0; r < x->plan.site->n_rack; r++)
        x->rack[r].row.n_held = mr_supply_rack_is_on(x->supply, r) ? x->rack[r].n_held : 0;
    for (uint32_t i = 0; i < x->plan.stand->n_instance; i++) {
        order_one(x, i);
        order[i] = x->member[i].order;
        const struct mr_stand *stand = x->plan.stand;
        for (uint32_t k = stand->begin[i]; k < stand->begin[i + 1]; k++) {
            struct mr_exchange_rack *row = &x->rack[stand->span[k].rack].row;
            row->phi_min = fmin(row->phi_min, order[i].is_up ? order[i].phi : 0);
        }
    }
    tell_caps(x);
}

/* ---- the exchange ---- */

double mr_exchange_now_s(const struct mr_exchange *x)
{
    return x->t_s;
}

double mr_exchange_next_s(const struct mr_exchange *x)
{
    const double tick_s = x->plan.params.tick_s, least_s = 0.01 * tick_s;
    const double n_tick = floor((x->t_s - x->start_s) / tick_s * (1 + 1e-12)) + 1;
    return fmin(x->start_s + n_tick * tick_s,
                fmax(mr_plant_alarm_s(x->plant, x->heat), x->t_s + least_s));
}

/* Taken by the site: at the grid's meter, from own machines, and of the sun what somebody took. */
static double site_j(const struct mr_supply_total *watts)
{
    return watts->grid_j + watts->generator_j + watts->solar_j - watts->dump_j;
}

/* Nothing that the product serves is as hot or as cold. */
static mr_status look_at_range(const struct mr_exchange *x, struct mr_err *err)
{
    const double low_c = -100, high_c = 400;
    MR_TRY(mr_plant_fault(x->heat, err));
    for (uint32_t r = 0; r < x->plan.site->n_rack; r++) {
        const struct mr_plant_rack_state *s = &x->heat->rack[r];
        if (!(s->die_max_c < high_c && s->inlet_c > low_c && s->inlet_c < high_c))
            return mr_err_set(err, MR_DIVERGED, MR_NOWHERE,
                              "rack '%s' at %.6g s: die at %.4g degC, coolant at %.4g degC: out of "
                              "every range (last told: %.4g W a package)",
                              x->plan.site->rack[r].name, x->t_s, s->die_max_c, s->inlet_c,
                              x->rack[r].told_w);
    }
    return MR_OK;
}

/* Means of a second and more: what a peak is does not depend on the tick, nor on extra exchanges.
 */
static void look_at_meter(struct mr_exchange *x)
{
    const double window_s = 1, dt_s = x->t_s - x->meter_s;
    if (dt_s < window_s * (1 - 1e-9))
        return;
    struct mr_supply_total watts;
    mr_supply_total(x->supply, &watts);
    x->site_w = (site_j(&watts) - x->meter_j) / dt_s;
    x->site_peak_w = fmax(x->site_peak_w, x->site_w);
    x->grid_peak_w = fmax(x->grid_peak_w, (watts.grid_j - x->meter_grid_j) / dt_s);
    x->meter_s = x->t_s;
    x->meter_j = site_j(&watts);
    x->meter_grid_j = watts.grid_j;
}

mr_status mr_exchange_do(struct mr_exchange *x, double t_s, const struct mr_exchange_work *work,
                         struct mr_exchange_order *order, struct mr_err *err)
{
    const double dt_s = t_s - x->t_s;
    MR_ASSERT(dt_s >= 0);
    if (dt_s > 0) {
        mr_exchange_gather(x, work, dt_s);
        mr_exchange_tell_racks(x, dt_s);
        mr_plant_advance(x->plant, x->heat, t_s);
        mr_exchange_tell_feeds(x, dt_s);
        mr_exchange_tell_house(x, dt_s);
        mr_exchange_foresee_house(x);
        mr_supply_advance(x->supply, t_s);
        x->t_s = t_s;
        mr_exchange_look_at_ramps(x, dt_s);
        mr_exchange_meter_racks(x);
        mr_exchange_meter_house(x);
        mr_exchange_look_at_house(x);
        look_at_meter(x);
    }
    look_at_packages(x);
    give_orders(x, order);
    mr_exchange_look_at_tools(x);
    return look_at_range(x, err);
}

void mr_exchange_set_tools(struct mr_exchange *x, double core_s)
{
    x->tool_core_s = fmax(x->tool_core_s, core_s);
}

double mr_exchange_tools_frac(const struct mr_exchange *x, double *lost_frac)
{
    *lost_frac = x->lost_core_frac;
    return x->n_tool_core > 0 ? x->n_lit_core / x->n_tool_core : 1;
}

void mr_exchange_look(struct mr_exchange *x)
{
    mr_supply_advance(x->supply, x->t_s); /* whatever follows at once */
    mr_exchange_look_at_house(x);
}

/* ---- readers ---- */

double mr_exchange_site_w(const struct mr_exchange *x)
{
    return x->site_w;
}

struct mr_supply *mr_exchange_supply(struct mr_exchange *x)
{
    return x->supply;
}

const struct mr_plant *mr_exchange_plant(const struct mr_exchange *x)
{
    return x->plant;
}

struct mr_plant_state *mr_exchange_plant_state(struct mr_exchange *x)
{
    return x->heat;
}

const struct mr_exchange_rack *mr_exchange_rack(const struct mr_exchange *x, uint32_t rack)
{
    MR_ASSERT(rack < x->plan.site->n_rack);
    return &x->rack[rack].row;
}

/* A storage that is emptier at the end than it was at the start owes what it gave: at the mean of
 * what came in, or at the price of now where nothing did. */
static void put_costs(const struct mr_exchange *x, const struct mr_supply_total *watts,
                      struct mr_exchange_sums *sums)
{
    struct mr_supply_reading now;
    mr_supply_read(x->supply, &now);
    const double usd = watts->energy_usd + watts->fuel_usd, kg = watts->carbon_kg + watts->fuel_kg;
    const double in_j = site_j(watts), owed_j = -watts->storage_change_j;
    const double usd_j = in_j > 0 ? usd / in_j : now.price_usd_j;
    const double kg_j = in_j > 0 ? kg / in_j : now.carbon_kg_j;
    sums->energy_usd = usd + watts->demand_usd + owed_j * usd_j;
    sums->carbon_kg = kg + owed_j * kg_j;
}

void mr_exchange_sums(const struct mr_exchange *x, struct mr_exchange_sums *sums)
{
    struct mr_plant_sums heat;
    struct mr_supply_total watts;
    mr_plant_sums(x->plant, x->heat, &heat);
    mr_supply_total(x->supply, &watts);
    const double rest_s = x->t_s - x->meter_s; /* of a run shorter than a window */
    *sums = (struct mr_exchange_sums){
        .time_s = x->t_s - x->start_s,
        .site_j = site_j(&watts),
        .grid_j = watts.grid_j,
        .export_j = watts.export_j,
        .untaken_j = watts.dump_j,
        .grid_peak_w = x->site_peak_w > 0 ? x->grid_peak_w
                       : rest_s > 0       ? fmax(0, (watts.grid_j - x->meter_grid_j) / rest_s)
                                          : 0,
        .it_j = watts.rack_j,
        .house_j = watts.house_j,
        .site_peak_w = x->site_peak_w > 0 ? x->site_peak_w
                       : rest_s > 0       ? (site_j(&watts) - x->meter_j) / rest_s
                                          : 0,
        .closure_rel =
            fmax(fmax(heat.residual[3], watts.closure_rel), mr_exchange_rack_residual(x)),
        .astray_j = x->astray_j,
        .unfed_j = x->unfed_j,
        .die_max_c = heat.die_max_c,
        .supply_max_c = heat.supply_max_c,
        .die_limit_c = heat.die_limit_c,
        .supply_limit_c = heat.supply_limit_c,
        .water_m3 = heat.water_m3,
        .throttled_package_s = x->throttled_s,
        .down_package_s = x->down_s,
        .capped_package_s = x->capped_s,
        .used_j = watts.rack_j + watts.house_j + watts.loss_j + watts.storage_loss_j,
        .ramp_up_w_s = watts.ramp_up_w_s,
        .cap_events = (double)watts.n_cap,
        .trip_events = (double)watts.n_trip,
        .ramp_down_w_s = watts.ramp_down_w_s,
        .burn_j = watts.burn_j,
        .loss_j = watts.loss_j,
        .module_j = watts.module_j,
        .package_j = heat.it_j};
    for (int k = 0; k < MR_EXCHANGE_DOWNS; k++)
        sums->down_why_s[k] = x->down_why_s[k];
    sums->storage_j = sums->site_j - watts.loss_j - watts.house_j - watts.rack_j;
    put_costs(x, &watts, sums);
    const double given_j = watts.rack_j + watts.house_j + watts.loss_j;
    if (given_j > 0)
        sums->closure_rel =
            fmax(sums->closure_rel, fabs(mr_exchange_unpaid_j(x, &heat, watts.house_j)) / given_j);
    for (uint32_t r = 0; r < x->plan.site->n_rack; r++)
        sums->package_j -= x->rack[r].row.host_j;
    for (int k = 0; k < MR_N_STAGE; k++)
        sums->stage_loss_j[k] = watts.stage_loss_j[k];
}

mr_status mr_exchange_sums_check(const struct mr_exchange_sums *sums, const char *site,
                                 struct mr_err *err)
{
    const double most = 1e-6;
    if (!(sums->closure_rel > most)) /* nothing passed through: no share of it */
        return MR_OK;
    return mr_err_set(err, MR_DIVERGED, MR_NOWHERE,
                      "%s: energies do not close: %.1e of what passed through (%g at most)", site,
                      sums->closure_rel, most);
}
