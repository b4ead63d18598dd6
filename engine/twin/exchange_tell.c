/* SPDX-License-Identifier: Apache-2.0 */
/* What instances did becomes means of racks, and those what coolant and feeds are told. Map: racks
 * add up - watts. */
#include "engine/base/fmath.h"
#include "engine/twin/exchange_impl.h"

#include <math.h>

/* ---- racks add up ---- */

/* At its lowest clock. Until it has been free to work for a while that is what work may be. */
double mr_exchange_slow_w(const struct mr_exchange *x, uint32_t i)
{
    const struct mr_power *power = x->plan.power[i];
    const struct mr_exchange_member *m = &x->member[i];
    const double least = mr_power_factor(power, power->clock_min);
    const double w = m->dynamic_w * (1 - m->clocked_frac + m->clocked_frac * least);
    return m->free_s >= x->plan.params.warm_s
               ? w
               : fmax(w, m->first_w * (1 - m->first_frac + m->first_frac * least));
}

/* Who has lost its power begins anew; who has been held since the start has not begun. */
static void look_at_work(struct mr_exchange_member *m, double dt_s)
{
    if (m->order.is_up)
        m->free_s += dt_s;
    else if (!m->is_held)
        m->free_s = 0;
}

/* What members did since the last exchange. Dynamic watts at full clock from those at phi: with c
 * the clocked share at full clock, P(phi) = D ((1 - c) + c d(phi)). What c is at an exchange goes
 * with what was drawn just before it, the more so the shorter the interval is, and D of one is not
 * D of means: so c is a mean over longer than both, of when there was work. */
void mr_exchange_gather(struct mr_exchange *x, const struct mr_exchange_work *work, double dt_s)
{
    const struct mr_stand *stand = x->plan.stand;
    for (uint32_t r = 0; r < x->plan.site->n_rack; r++)
        x->rack[r].is_new = false;
    const double fresh = -mr_expm1(-dt_s / x->plan.params.memory_s);
    for (uint32_t i = 0; i < stand->n_instance; i++) {
        struct mr_exchange_member *m = &x->member[i];
        const struct mr_power *power = x->plan.power[i];
        const double idle_w = mr_power_idle_w(power, MR_EXCHANGE_REFERENCE_C);
        const double busy_s = m->order.is_up ? work[i].busy_s - m->last.busy_s : 0;
        const double beyond_j =
            m->order.is_up ? fmax(0, work[i].busy_j - m->last.busy_j - idle_w * busy_s) : 0;
        const double expected_w = m->dynamic_w, seen_frac = work[i].clocked_frac;
        if (!m->is_held && seen_frac >= 0) {
            m->clocked_frac += (m->has_worked ? fresh : 1) * (seen_frac - m->clocked_frac);
            m->has_worked = true;
        }
        const double c = m->clocked_frac;
        const double part = (1 - c) + c * mr_power_factor(power, m->order.phi);
        if (!m->is_held) {
            m->busy_frac = busy_s / dt_s;
            m->dynamic_w = part > 0 ? beyond_j / dt_s / part : 0;
        }
        look_at_work(m, dt_s);
        const double least_w = mr_exchange_slow_w(x, i);
        const bool is_seen = m->free_s >= x->plan.params.warm_s;
        const double free_part =
            (1 - m->clocked_frac) + m->clocked_frac * mr_power_factor(power, m->free_phi);
        const double more_j =
            m->free_phi > m->order.phi ? fmax(0, m->dynamic_w * free_part * dt_s - beyond_j) : 0;
        m->last = work[i];
        for (uint32_t k = stand->begin[i]; k < stand->begin[i + 1]; k++) {
            struct mr_exchange_load *rack = &x->rack[stand->span[k].rack];
            const double n = stand->span[k].n;
            rack->package_j += n * beyond_j;
            rack->more_j += n * more_j;
            rack->demand_j += n * m->dynamic_w * dt_s;
            rack->least_j += n * least_w * dt_s;
            rack->is_new |= !is_seen;
            rack->unseen_s += is_seen ? 0 : n * (dt_s - fmin(busy_s, dt_s));
            rack->busy_s += n * busy_s;
            rack->rested_s += m->is_held ? n * m->busy_frac * dt_s : 0;
        }
        /* work has just begun: as much as racks are rated for may come yet */
        if (x->t_s + dt_s < x->start_s + x->plan.params.warm_s && !m->is_held)
            m->dynamic_w = fmax(m->dynamic_w, expected_w);
        const double package_s = m->n_package * dt_s;
        if (!m->order.is_up) {
            x->down_s += package_s;
            x->down_why_s[m->down] += package_s;
        } else if (m->order.reason == MR_EXCHANGE_THERMAL) {
            x->throttled_s += package_s;
        } else if (m->order.reason == MR_EXCHANGE_CAP) {
            x->capped_s += package_s;
        }
    }
}

/* What the rack would draw at other clocks, over what it draws: parts outside packages follow the
 * work. */
static void look_ahead(const struct mr_exchange *x, struct mr_exchange_load *rack,
                       const struct mr_plant_load *load, double dt_s)
{
    const double lit_s = rack->n_lit * dt_s,
                 swing_w = (1 - x->plan.params.rest_idle_frac) * rack->rest_w;
    const bool is_at_work = rack->idle_w > 0 && lit_s > 0;
    const double use = is_at_work ? fmin(1, rack->busy_s / lit_s) : 0;
    const double full_use = is_at_work ? fmin(1, (rack->busy_s + rack->rested_s) / lit_s) : 0;
    const double more_w = swing_w * (full_use - use);
    rack->row.want_w = (load->demand_w - load->package_w) * rack->n_lit + more_w;
    const double most_use =
        is_at_work ? fmin(1, (rack->busy_s + rack->rested_s + rack->unseen_s) / lit_s) : 0;
    rack->least_w =
        is_at_work ? (rack->least_j - rack->package_j) / dt_s + swing_w * (most_use - use) : 0;
    rack->at_rest_w = is_at_work ? -rack->package_j / dt_s - swing_w * use : 0;
}

/* Of a rack that no pool stands in. @param[in] tool_use busy share of the cores that run tools */
static double support_w(const struct mr_exchange *x, uint32_t r, double tool_use)
{
    const double rated_w = x->plan.site->rack[r].rated_w, idle = x->plan.params.rest_idle_frac;
    const struct mr_exchange_tools *tools = x->plan.tools != NULL ? &x->plan.tools[r] : NULL;
    if (tools == NULL || tools->n_core <= 0)
        return x->plan.params.support_frac * rated_w;
    return tools->min_w + (tools->max_w - tools->min_w) * tool_use +
           fmax(0, rated_w - tools->max_w) * (idle + (1 - idle) * tool_use);
}

/* Busy share of the cores that run tools and are at work, over the interval. */
static double use_tools(struct mr_exchange *x, double dt_s)
{
    const double core_s = x->tool_core_s - x->last_tool_core_s;
    x->last_tool_core_s = x->tool_core_s;
    return dt_s > 0 && x->n_lit_core > 0 ? fmin(1, core_s / (x->n_lit_core * dt_s)) : 0;
}

/* Racks without packages are off as a whole: no power, cut off by a leak, too hot. */
static bool is_lit(const struct mr_exchange *x, uint32_t r)
{
    const struct mr_plant_rack_state *heat = &x->heat->rack[r];
    return mr_supply_rack_is_on(x->supply, r) && heat->n_cut == 0 && !heat->is_tripped;
}

void mr_exchange_look_at_tools(struct mr_exchange *x)
{
    double was = 0, lost = 0;
    if (x->plan.tools == NULL)
        return;
    x->n_lit_core = 0;
    for (uint32_t r = 0; r < x->plan.site->n_rack; r++) {
        struct mr_exchange_load *rack = &x->rack[r];
        const double n_core = x->plan.tools[r].n_core;
        const bool has_power = is_lit(x, r);
        was += rack->runs_tools ? n_core : 0;
        lost += rack->runs_tools && !has_power ? n_core : 0;
        rack->runs_tools = has_power && !mr_supply_rack_is_held(x->supply, r);
        x->n_lit_core += rack->runs_tools ? n_core : 0;
    }
    x->lost_core_frac = was > 0 ? lost / was : 0;
}

/* Means of the interval, to the plant. */
void mr_exchange_tell_racks(struct mr_exchange *x, double dt_s)
{
    const double tool_use = use_tools(x, dt_s);
    for (uint32_t r = 0; r < x->plan.site->n_rack; r++) {
        struct mr_exchange_load *rack = &x->rack[r];
        const struct mr_plant_rack *p = &x->plant->rack[r];
        const bool is_on = mr_supply_rack_is_on(x->supply, r);
        struct mr_plant_load load = {0};
        if (!is_on) {
            load.is_dark = true;
        } else if (rack->idle_w <= 0) { /* no pool stands here */
            const double all_w = support_w(x, r, rack->runs_tools ? tool_use : 0);
            const double package_w = p->n_package > 0 ? p->share_frac * all_w / p->n_package : 0;
            load.package_w = load.demand_w = package_w;
            load.other_w = all_w - package_w * p->n_package;
        } else {
            const double n_lit = rack->n_lit > 0 ? rack->n_lit : 1;
            const double lit_s = dt_s > 0 ? n_lit * dt_s : 1;
            const double use = fmin(1, rack->busy_s / lit_s);
            const double idle = x->plan.params.rest_idle_frac;
            load.package_w = rack->idle_w + rack->package_j / lit_s;
            load.demand_w = fmax(load.package_w, rack->idle_w + rack->demand_j / lit_s);
            load.other_w = rack->rest_w * (idle + (1 - idle) * use);
        }
        rack->told_w = load.package_w;
        rack->more_w = dt_s > 0 ? rack->more_j / dt_s : 0;
        if (is_on && p->n_package > 0) { /* of the feeds: not of the work */
            load.package_w = fmax(0, load.package_w + rack->extra_w / p->n_package);
            load.demand_w = fmax(load.demand_w, load.package_w);
        }
        rack->other_w = load.other_w;
        rack->rested_frac =
            p->n_package > 0 && dt_s > 0 ? fmin(1, rack->rested_s / (p->n_package * dt_s)) : 0;
        look_ahead(x, rack, &load, dt_s);
        rack->package_j = rack->demand_j = rack->least_j = rack->busy_s = rack->rested_s = 0;
        rack->more_j = rack->unseen_s = 0;
        mr_plant_set_load(x->plant, x->heat, r, &load);
    }
}

/* ---- watts ---- */

/* What every part would draw at full clocks; the rest of its rack is not governed. */
static void tell_parts(struct mr_exchange *x)
{
    const struct mr_stand *stand = x->plan.stand;
    for (uint32_t r = 0; r < x->plan.site->n_rack; r++)
        x->rack[r].parts_want_w = 0;
    for (uint32_t i = 0; i < stand->n_instance; i++)
        for (uint32_t k = stand->begin[i]; k < stand->begin[i + 1]; k++) {
            struct mr_exchange_load *rack = &x->rack[stand->span[k].rack];
            const bool is_on = mr_supply_rack_is_on(x->supply, stand->span[k].rack);
            const double rest_w = rack->idle_w + (is_on ? rack->leakage_now_w : rack->leakage_w);
            const double want_w = rack->idle_w + x->member[i].dynamic_w + rack->leakage_now_w;
            mr_supply_set_part(x->supply, k, want_w);
            if (stand->begin[i + 1] - stand->begin[i] == 1) /* others rest with all their racks */
                mr_supply_set_part_least(x->supply, k, rest_w + mr_exchange_slow_w(x, i), rest_w);
            rack->parts_want_w += stand->span[k].n * want_w;
        }
    for (uint32_t r = 0; r < x->plan.site->n_rack; r++)
        if (x->rack[r].parts_want_w > 0)
            mr_supply_set_fixed(x->supply, r,
                                fmax(0, x->rack[r].row.want_w - x->rack[r].parts_want_w));
}

/* Leakage of one package. While dies grow warm the lowest clock and rest come to take more: as much
 * as leakage rises until caps of the decision after the next one hold, at the pace it has. */
static void look_at_leakage(struct mr_exchange *x, struct mr_exchange_load *rack, double dt_s)
{
    const double last_w = rack->leakage_now_w;
    rack->leakage_now_w =
        rack->n_lit > 0 ? fmax(0, (rack->row.drawn_w - rack->other_w) / rack->n_lit - rack->told_w)
                        : 0;
    if (dt_s > 0)
        rack->rise_w_s += -mr_expm1(-dt_s / x->plan.params.memory_s) *
                          (rack->n_lit * (rack->leakage_now_w - last_w) / dt_s - rack->rise_w_s);
    const double rise_w = fmax(0, rack->rise_w_s) * x->foresight_s;
    rack->least_w += rise_w;
    rack->at_rest_w += rise_w;
}

/* Clocks cannot hold back what work draws at the lowest of them, so it is what has been drawn so in
 * any second of late that counts: who is let on beside it stays on. Shorter intervals are gathered
 * until they make a second: the most of halves of it is more than of wholes, and would have more
 * racks rest the more often they are asked. */
static double most_of_late(const struct mr_exchange *x, struct mr_exchange_load *rack, double dt_s)
{
    const double second_s = 1, w = rack->least_w - rack->at_rest_w;
    if (!(dt_s > 0)) {
        rack->slow_most_w = w;
        return rack->least_w;
    }
    rack->slow_j += w * dt_s;
    rack->slow_s += dt_s;
    if (rack->slow_s >= second_s * (1 - 1e-9)) {
        const double mean_w = rack->slow_j / rack->slow_s;
        const double fresh =
            mean_w > rack->slow_most_w ? 1 : -mr_expm1(-rack->slow_s / x->foresight_s);
        rack->slow_most_w += fresh * (mean_w - rack->slow_most_w);
        rack->slow_j = rack->slow_s = 0;
    }
    return rack->at_rest_w + rack->slow_most_w;
}

/* What racks drew, leakage and darkness included, and what cooled them: means of the interval. */
void mr_exchange_tell_feeds(struct mr_exchange *x, double dt_s)
{
    const struct mr_site *site = x->plan.site;
    for (uint32_t r = 0; r < site->n_rack; r++) {
        struct mr_exchange_load *rack = &x->rack[r];
        const double in_j = x->heat->rack[r].in_j;
        double drawn_w = 0;
        if (dt_s > 0) {
            drawn_w = fmax(0, (in_j - rack->last_in_j) / dt_s - rack->extra_w);
        } else {
            struct mr_plant_rack_row row;
            mr_plant_rack_row(x->plant, x->heat, r, &row);
            drawn_w = row.power_w;
        }
        rack->last_in_j = in_j;
        rack->row.drawn_w = drawn_w;
        rack->row.want_w += drawn_w;
        rack->at_rest_w = fmax(0, drawn_w + rack->at_rest_w);
        rack->least_w = fmax(rack->at_rest_w, drawn_w + rack->least_w);
        rack->row.host_j += rack->other_w * dt_s;
        look_at_leakage(x, rack, dt_s);
        const bool is_on = mr_supply_rack_is_on(x->supply, r);
        if (rack->idle_w <= 0 && is_on && (rack->was_on || dt_s <= 0))
            rack->first_least_w = rack->first_rest_w = drawn_w;
        /* a rack that waits for its feed, or for room, wants to idle, at least */
        const bool is_off = x->plant->rack[r].n_package > 0 && rack->n_lit == 0;
        if (!is_on && !is_off)
            rack->row.want_w = fmax(drawn_w, rack->idle_w * x->plant->rack[r].n_package +
                                                 x->plan.params.rest_idle_frac * rack->rest_w);
        if (!is_on && rack->idle_w <= 0) /* its hosts work again as they did, whoever calls */
            rack->row.want_w = fmax(rack->row.want_w, rack->first_rest_w);
        if (!is_on)
            rack->at_rest_w = fmax(rack->at_rest_w, rack->first_rest_w);
        if (dt_s <= 0 || !is_on)
            rack->least_w = fmax(rack->at_rest_w, rack->first_least_w);
        rack->least_w = most_of_late(x, rack, dt_s);
        const double free_w = drawn_w + rack->more_w;
        rack->row.want_w = fmax(rack->row.want_w, free_w);
        const bool draws_at_once = /* where its feed comes back it is not asked */
            !is_on && !mr_supply_is_away(x->supply, r);
        mr_supply_set_load(x->supply, r, draws_at_once ? rack->row.want_w : free_w,
                           rack->row.want_w);
        mr_supply_set_least(x->supply, r, rack->least_w, rack->at_rest_w);
        rack->was_on = is_on;
    }
    tell_parts(x);
}

/* Ramps' heat follows an interval later, so where packages smooth nothing is compared. */
void mr_exchange_meter_racks(struct mr_exchange *x)
{
    for (uint32_t r = 0; r < x->plan.site->n_rack && !x->smooths; r++) {
        struct mr_exchange_load *rack = &x->rack[r];
        const double fed_j = mr_supply_rack_j(x->supply, r), taken_j = x->heat->rack[r].in_j;
        const double off_j = (taken_j - rack->taken_j) - (fed_j - rack->fed_j);
        const bool is_steady =
            rack->was_on == mr_supply_rack_is_on(x->supply, r) && !x->has_lost_rack;
        *(is_steady ? &rack->off_j : &x->astray_j) += is_steady ? off_j : fabs(off_j);
        rack->fed_j = fed_j;
        rack->taken_j = taken_j;
    }
    x->has_lost_rack = false;
}

double mr_exchange_rack_residual(const struct mr_exchange *x)
{
    double worst = 0;
    for (uint32_t r = 0; r < x->plan.site->n_rack; r++)
        if (x->rack[r].taken_j > 0)
            worst = fmax(worst, fabs(x->rack[r].off_j) / x->rack[r].taken_j);
    return worst;
}

/* What ramps have made of the racks' watts. */
void mr_exchange_look_at_ramps(struct mr_exchange *x, double dt_s)
{
    for (uint32_t r = 0; r < x->plan.site->n_rack && x->smooths; r++) {
        struct mr_exchange_load *rack = &x->rack[r];
        const double served_j = mr_supply_rack_j(x->supply, r);
        rack->extra_w = (served_j - rack->served_j) / dt_s - rack->row.drawn_w;
        rack->served_j = served_j;
    }
}
