/* SPDX-License-Identifier: Apache-2.0 */
/* Map: parameters - building - racks add up - heat - watts - clocks - the exchange - sums. */
#include "engine/twin/exchange.h"

#include "engine/base/assert.h"
#include "engine/base/fmath.h"
#include "engine/base/mem.h"

#include <stdio.h>

static const double reference_c = 60; /* die temperature that idle watts of cards hold for */

enum {
    clock_steps = 128
};

// clang-format off
#define P struct mr_exchange_params
static const struct mr_param rows[] = {
    MR_PARAM(P, tick_s, "tick", MR_Q_TIME, "1 s", 1e-3, 3600, "Time between two exchanges of watts, heat and clocks"),
    MR_PARAM(P, memory_s, "memory", MR_Q_TIME, "3 s", 1e-3, 3600, "Which share of an instance's watts clocks drive is a mean of about so long (assumption)"),
    MR_PARAM(P, warm_s, "warm", MR_Q_TIME, "3 s", 0, 3600, "So long after the start caps hold for what racks are rated for, whatever they draw (assumption)"),
    MR_PARAM(P, rest_idle_frac, "rest_idle", MR_Q_FRACTION, "50 %", 0, 1, "Hosts, links and fans of a rack without work, over their rating (assumption)"),
    MR_PARAM(P, support_frac, "support", MR_Q_FRACTION, "50 %", 0, 1, "Racks that no pool stands in, over their rating (assumption)"),
    MR_PARAM(P, lock, "clock", MR_Q_FRACTION, "100 %", 0.01, 1, "Highest clock of all packages, over the full clock"),
};
#undef P
// clang-format on

static const struct mr_param_table table = {"twin", "The loop of serving, heat and power.", rows,
                                            sizeof rows / sizeof *rows};

const struct mr_param_table *mr_exchange_table(void)
{
    return &table;
}

void mr_exchange_defaults(struct mr_exchange_params *params)
{
    uint8_t origin[sizeof rows / sizeof *rows];
    const struct mr_param_target target = {
        .table = &table, .object = params, .origin = origin, .what = "twin"};
    *params = (struct mr_exchange_params){0};
    mr_param_defaults(&target);
}

/* One rack, over the running interval. */
struct rack {
    double idle_w;    /* of one package of it, without leakage; of racks without a pool: 0 */
    double leakage_w; /* of one package at reference_c */
    double rest_w;    /* rating of what is not package */
    double least_w, at_rest_w; /* drawn at the lowest clock; without work */
    double busy_s;             /* sums over packages */
    double rested_s;           /* in which those would be busy that are told to rest */
    double package_j, demand_j, least_j;
    double last_in_j;                 /* of the plant, at the last exchange */
    double other_w;                   /* told */
    double told_w;                    /* of one package */
    uint32_t n_lit;                   /* packages with power */
    uint32_t n_free;                  /* packages that no instance stands on */
    double leakage_now_w;             /* of one package, over the last interval */
    double parts_want_w, parts_cap_w; /* sums over its parts */
    double more_j; /* what clocks below those that no ramp holds have kept back */
    double more_w, extra_w, served_j; /* the same; drawn beyond work; by the feeds */
    bool was_held;                    /* at the last orders: hosts rest, too */
    struct mr_exchange_rack row;
};

struct member {
    struct mr_exchange_work last;
    double dynamic_w, clocked_frac; /* beyond idling, of one package, at full clock */
    struct mr_exchange_order order;
    double free_phi; /* without ramps */
    uint32_t n_package;
    bool has_worked; /* clocked_frac is known */
    bool is_held;    /* told to rest for want of watts: would go on as it did */
    double busy_frac;
};

struct mr_exchange {
    struct mr_exchange_plan plan;
    struct mr_plant *plant;
    struct mr_plant_state *heat;
    struct mr_supply *supply;
    struct rack *rack;
    struct member *member;
    double *group_j, *loop_j, *hall_j; /* electric energy at the last exchange */
    double t_s, start_s;
    double house_j, site_peak_w;
    double meter_s, meter_j; /* where the window of a peak begins */
    double throttled_s, capped_s, down_s;
    bool has_utility, smooths;
    struct mr_supply_part *part; /* packages of instances, as the stand has them */
    double *package_w;           /* the most of one, of every rack */
    struct mr_plant_set *set;    /* plan's and ours */
    char (*text)[32];            /* of ours */
};

/* ---- building ---- */

static void take_heat(void *context, const struct mr_plant_event *event)
{
    const struct mr_exchange *x = context;
    if (x->plan.event != NULL)
        x->plan.event(x->plan.context, event->t_s, mr_plant_event_name(event->kind), event->entity,
                      event->value, event->limit);
}

static void take_watts(void *context, const struct mr_supply_event *event)
{
    const struct mr_exchange *x = context;
    if (x->plan.event != NULL)
        x->plan.event(x->plan.context, event->t_s, event->kind, event->entity, event->value,
                      event->limit);
}

/* Leakage is the plant's to add, with the card's figures: share of the plant's own limit. */
static mr_status leakage_sets(struct mr_exchange *x, struct mr_err *err)
{
    const struct mr_exchange_plan *plan = &x->plan;
    enum {
        per_instance = 2
    };
    const size_t n = plan->n_set + (size_t)per_instance * plan->stand->n_instance;
    x->set = mr_alloc_zero(n + 1, sizeof *x->set);
    x->text = mr_alloc_zero((size_t)per_instance * plan->stand->n_instance + 1, sizeof *x->text);
    if (x->set == NULL || x->text == NULL)
        return mr_err_nomem(err, n * sizeof *x->set);
    size_t n_own = 0;
    const struct mr_power *last = NULL;
    for (uint32_t i = 0; i < plan->stand->n_instance; i++) {
        const struct mr_power *power = plan->power[i];
        const uint32_t at = plan->stand->span[plan->stand->begin[i]].rack;
        const char *card = plan->site->rack[at].package;
        struct mr_package_params p = {0};
        if (power == last) /* pools are lists of equals */
            continue;
        last = power;
        MR_TRY(mr_package_params(card, &p, err));
        snprintf(x->text[n_own], sizeof *x->text, "%.17g", power->leakage_w / p.tdp_w);
        x->set[n_own] = (struct mr_plant_set){card, "leakage", x->text[n_own]};
        n_own++;
        snprintf(x->text[n_own], sizeof *x->text, "%.17g 1/K", power->leakage_per_k);
        x->set[n_own] = (struct mr_plant_set){card, "leakage_slope", x->text[n_own]};
        n_own++;
    }
    for (size_t i = 0; i < plan->n_set; i++)
        x->set[n_own + i] = plan->set[i];
    x->plan.n_set = n_own + plan->n_set;
    return MR_OK;
}

static mr_status make_arrays(struct mr_exchange *x, struct mr_err *err)
{
    const struct mr_site *site = x->plan.site;
    x->rack = mr_alloc_zero(site->n_rack + 1, sizeof *x->rack);
    x->member = mr_alloc_zero(x->plan.stand->n_instance + 1, sizeof *x->member);
    x->group_j = mr_alloc_zero(site->n_cdu + 1, sizeof *x->group_j);
    x->loop_j = mr_alloc_zero(site->n_loop + 1, sizeof *x->loop_j);
    x->hall_j = mr_alloc_zero(site->n_hall + 1, sizeof *x->hall_j);
    x->part = mr_alloc_zero(x->plan.stand->n_span + 1, sizeof *x->part);
    x->package_w = mr_alloc_zero(site->n_rack + 1, sizeof *x->package_w);
    if (x->rack == NULL || x->member == NULL || x->group_j == NULL || x->loop_j == NULL ||
        x->hall_j == NULL || x->part == NULL || x->package_w == NULL)
        return mr_err_nomem(err, site->n_rack * sizeof *x->rack);
    return MR_OK;
}

/* The governor's leaves: what stands on the packages of a rack, and the most that one may draw. */
static void make_parts(struct mr_exchange *x)
{
    const struct mr_stand *stand = x->plan.stand;
    for (uint32_t r = 0; r < x->plan.site->n_rack; r++)
        x->rack[r].n_free = x->plan.site->rack[r].n_package;
    for (uint32_t i = 0; i < stand->n_instance; i++)
        for (uint32_t k = stand->begin[i]; k < stand->begin[i + 1]; k++) {
            const struct mr_stand_span *span = &stand->span[k];
            x->part[k] = (struct mr_supply_part){span->rack, span->first, span->n};
            x->package_w[span->rack] = x->plan.power[i]->limit_w;
            x->rack[span->rack].n_free -= span->n;
        }
}

/* Of a package while its rack draws what it is rated for; INFINITY: nothing is stated. */
static double full_w(const struct mr_exchange *x, uint32_t r)
{
    const struct mr_plant_rack *rack = &x->plant->rack[r];
    const double all_w = rack->share_frac * x->plan.site->rack[r].rated_w;
    return all_w > 0 && rack->n_package > 0 ? all_w / rack->n_package : (double)INFINITY;
}

/* Of the work nothing is known before it begins: first orders are for racks at their ratings, so
 * that caps hold whatever comes. */
static void describe(struct mr_exchange *x)
{
    const struct mr_stand *stand = x->plan.stand;
    for (uint32_t r = 0; r < x->plan.site->n_rack; r++) {
        const double rated_w = x->plan.site->rack[r].rated_w;
        x->rack[r].rest_w = (1 - x->plant->rack[r].share_frac) * rated_w;
        x->rack[r].n_lit = x->plant->rack[r].n_package;
    }
    for (uint32_t i = 0; i < stand->n_instance; i++) {
        x->member[i].order =
            (struct mr_exchange_order){x->plan.params.lock, MR_EXCHANGE_NONE, true};
        const double rest_w = mr_power_idle_w(x->plan.power[i], reference_c);
        x->member[i].dynamic_w = fmax(0, x->plan.power[i]->limit_w - rest_w);
        x->member[i].clocked_frac = 1;
        x->member[i].free_phi = x->plan.params.lock;
        for (uint32_t k = stand->begin[i]; k < stand->begin[i + 1]; k++) {
            struct rack *rack = &x->rack[stand->span[k].rack];
            const struct mr_power *power = x->plan.power[i];
            rack->leakage_w = power->leakage_w;
            rack->idle_w = mr_power_idle_w(power, reference_c) - power->leakage_w;
            x->member[i].n_package += stand->span[k].n;
            x->member[i].dynamic_w =
                fmin(x->member[i].dynamic_w, fmax(0, full_w(x, stand->span[k].rack) - rest_w));
        }
    }
}

static void tell_racks(struct mr_exchange *x, double dt_s);
static void tell_feeds(struct mr_exchange *x, double dt_s);
static void expect_house(struct mr_exchange *x);

static mr_status build(struct mr_exchange *x, struct mr_diags *diags, struct mr_err *err)
{
    const struct mr_exchange_plan *plan = &x->plan;
    struct mr_plant_params plant = plan->plant;
    plant.leakage = MR_PLANT_LEAKAGE_ADDED;
    plant.starts_full = true; /* load is about to come, nobody knows how much */
    MR_TRY(leakage_sets(x, err));
    MR_TRY(make_arrays(x, err));
    MR_TRY(
        mr_plant_create(plan->site, plan->weather, &plant, x->set, plan->n_set, &x->plant, diags));
    x->plant->on_event = take_heat;
    x->plant->context = x;
    MR_TRY(mr_plant_state_create(x->plant, plan->supply.t_s, &x->heat, err));
    struct mr_supply_options options = plan->supply;
    options.take = take_watts;
    options.context = x;
    make_parts(x);
    options.part = x->part;
    options.n_part = (uint32_t)plan->stand->n_span;
    options.package_w = x->package_w;
    MR_TRY(mr_supply_create(plan->site, &options, &x->supply, diags));
    describe(x);
    x->t_s = x->start_s = x->meter_s = plan->supply.t_s;
    x->has_utility = true;
    x->smooths = options.params.smooth.is_on;
    tell_racks(x, 0);
    MR_TRY(mr_plant_settle(x->plant, x->heat, err));
    tell_feeds(x, 0);
    expect_house(x);
    mr_supply_advance(x->supply, x->t_s);
    for (uint32_t r = 0; r < x->plan.site->n_rack; r++) {
        x->rack[r].row.cap_w = mr_supply_rack_cap_w(x->supply, r);
        x->rack[r].row.phi_min = x->plan.params.lock;
    }
    return MR_OK;
}

mr_status mr_exchange_create(const struct mr_exchange_plan *plan, struct mr_exchange **out,
                             struct mr_diags *diags)
{
    struct mr_exchange *x = mr_alloc_zero(1, sizeof *x);
    struct mr_err err = {0};
    *out = NULL;
    if (x == NULL) {
        (void)mr_err_nomem(&err, sizeof *x);
        return mr_diags_add_err(diags, MR_SEVERITY_ERROR, &err);
    }
    x->plan = *plan;
    const mr_status st = build(x, diags, &err);
    if (st != MR_OK) {
        if (err.status != MR_OK)
            (void)mr_diags_add_err(diags, MR_SEVERITY_ERROR, &err);
        mr_exchange_destroy(x);
        return st;
    }
    *out = x;
    return MR_OK;
}

void mr_exchange_destroy(struct mr_exchange *x)
{
    if (x == NULL)
        return;
    mr_supply_destroy(x->supply);
    mr_plant_state_destroy(x->heat);
    mr_plant_destroy(x->plant);
    mr_free(x->rack);
    mr_free(x->member);
    mr_free(x->group_j);
    mr_free(x->loop_j);
    mr_free(x->hall_j);
    mr_free(x->part);
    mr_free(x->package_w);
    mr_free(x->set);
    mr_free(x->text);
    mr_free(x);
}

/* ---- racks add up ---- */

/* What members did since the last exchange. Dynamic watts at full clock from those at phi: with c
 * the clocked share at full clock, P(phi) = D ((1 - c) + c d(phi)). What c is at an exchange goes
 * with what was drawn just before it, the more so the shorter the interval is, and D of one is not
 * D of means: so c is a mean over longer than both, of when there was work. */
static void gather(struct mr_exchange *x, const struct mr_exchange_work *work, double dt_s)
{
    const struct mr_stand *stand = x->plan.stand;
    const double fresh = -mr_expm1(-dt_s / x->plan.params.memory_s);
    for (uint32_t i = 0; i < stand->n_instance; i++) {
        struct member *m = &x->member[i];
        const struct mr_power *power = x->plan.power[i];
        const double idle_w = mr_power_idle_w(power, reference_c);
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
        const double at_least =
            1 - m->clocked_frac + m->clocked_frac * mr_power_factor(power, power->clock_min);
        const double free_part =
            (1 - m->clocked_frac) + m->clocked_frac * mr_power_factor(power, m->free_phi);
        const double more_j =
            m->free_phi > m->order.phi ? fmax(0, m->dynamic_w * free_part * dt_s - beyond_j) : 0;
        m->last = work[i];
        for (uint32_t k = stand->begin[i]; k < stand->begin[i + 1]; k++) {
            struct rack *rack = &x->rack[stand->span[k].rack];
            const double n = stand->span[k].n;
            rack->package_j += n * beyond_j;
            rack->more_j += n * more_j;
            rack->demand_j += n * m->dynamic_w * dt_s;
            rack->least_j += n * m->dynamic_w * dt_s * at_least;
            rack->busy_s += n * busy_s;
            rack->rested_s += m->is_held ? n * m->busy_frac * dt_s : 0;
        }
        /* work has just begun: as much as racks are rated for may come yet */
        if (x->t_s + dt_s < x->start_s + x->plan.params.warm_s && !m->is_held)
            m->dynamic_w = fmax(m->dynamic_w, expected_w);
        const double package_s = m->n_package * dt_s;
        if (!m->order.is_up)
            x->down_s += package_s;
        else if (m->order.reason == MR_EXCHANGE_THERMAL)
            x->throttled_s += package_s;
        else if (m->order.reason == MR_EXCHANGE_CAP)
            x->capped_s += package_s;
    }
}

/* What the rack would draw at other clocks, over what it draws: parts outside packages follow the
 * work. */
static void look_ahead(const struct mr_exchange *x, struct rack *rack,
                       const struct mr_plant_load *load, double dt_s)
{
    const double lit_s = rack->n_lit * dt_s,
                 swing_w = (1 - x->plan.params.rest_idle_frac) * rack->rest_w;
    const bool is_at_work = rack->idle_w > 0 && lit_s > 0;
    const double use = is_at_work ? fmin(1, rack->busy_s / lit_s) : 0;
    const double full_use = is_at_work ? fmin(1, (rack->busy_s + rack->rested_s) / lit_s) : 0;
    const double more_w = swing_w * (full_use - use);
    rack->row.want_w = (load->demand_w - load->package_w) * rack->n_lit + more_w;
    rack->least_w = is_at_work ? (rack->least_j - rack->package_j) / dt_s + more_w : 0;
    rack->at_rest_w = is_at_work ? -rack->package_j / dt_s - swing_w * use : 0;
}

/* Means of the interval, to the plant. */
static void tell_racks(struct mr_exchange *x, double dt_s)
{
    for (uint32_t r = 0; r < x->plan.site->n_rack; r++) {
        struct rack *rack = &x->rack[r];
        const struct mr_plant_rack *p = &x->plant->rack[r];
        const bool is_on = mr_supply_rack_is_on(x->supply, r);
        struct mr_plant_load load = {0};
        if (!is_on) {
            load.is_dark = true;
        } else if (rack->idle_w <= 0) { /* nobody works here */
            const double all_w = x->plan.params.support_frac * x->plan.site->rack[r].rated_w;
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
        look_ahead(x, rack, &load, dt_s);
        rack->package_j = rack->demand_j = rack->least_j = rack->busy_s = rack->rested_s = 0;
        rack->more_j = 0;
        mr_plant_set_load(x->plant, x->heat, r, &load);
    }
}

/* ---- watts ---- */

/* What every part would draw at full clocks; the rest of its rack is not governed. */
static void tell_parts(struct mr_exchange *x)
{
    const struct mr_stand *stand = x->plan.stand;
    for (uint32_t r = 0; r < x->plan.site->n_rack; r++) {
        struct rack *rack = &x->rack[r];
        rack->parts_want_w = 0;
        rack->leakage_now_w =
            rack->n_lit > 0
                ? fmax(0, (rack->row.drawn_w - rack->other_w) / rack->n_lit - rack->told_w)
                : 0;
    }
    for (uint32_t i = 0; i < stand->n_instance; i++)
        for (uint32_t k = stand->begin[i]; k < stand->begin[i + 1]; k++) {
            struct rack *rack = &x->rack[stand->span[k].rack];
            const double want_w = rack->idle_w + x->member[i].dynamic_w + rack->leakage_now_w;
            mr_supply_set_part(x->supply, k, want_w);
            rack->parts_want_w += stand->span[k].n * want_w;
        }
    for (uint32_t r = 0; r < x->plan.site->n_rack; r++)
        if (x->rack[r].parts_want_w > 0)
            mr_supply_set_fixed(x->supply, r,
                                fmax(0, x->rack[r].row.want_w - x->rack[r].parts_want_w));
}

/* What racks drew, leakage and darkness included, and what cooled them: means of the interval. */
static void tell_feeds(struct mr_exchange *x, double dt_s)
{
    const struct mr_site *site = x->plan.site;
    for (uint32_t r = 0; r < site->n_rack; r++) {
        struct rack *rack = &x->rack[r];
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
        /* a rack that waits for its feed wants to idle, at least */
        if (!mr_supply_rack_is_on(x->supply, r))
            rack->row.want_w = fmax(drawn_w, rack->idle_w * x->plant->rack[r].n_package +
                                                 x->plan.params.rest_idle_frac * rack->rest_w);
        const double free_w = drawn_w + rack->more_w;
        rack->row.want_w = fmax(rack->row.want_w, free_w);
        mr_supply_set_load(x->supply, r,
                           mr_supply_rack_is_on(x->supply, r) ? free_w : rack->row.want_w,
                           rack->row.want_w);
        mr_supply_set_least(x->supply, r, rack->least_w, rack->at_rest_w);
    }
    tell_parts(x);
}

static double since(double *last_j, double now_j)
{
    const double j = now_j - *last_j;
    *last_j = now_j;
    return j;
}

/* Cooling draws where it stands. */
static void tell_house(struct mr_exchange *x, double dt_s)
{
    const struct mr_site *site = x->plan.site;
    double site_w = 0;
    for (uint32_t h = 0; h < site->n_hall; h++) {
        double j = since(&x->hall_j[h], mr_sum_of(x->heat->hall[h].room.fan_j));
        for (uint32_t g = 0; g < x->plant->n_group; g++)
            if (site->cdu[g].hall == h)
                j += since(&x->group_j[g], x->heat->group[g].electric_j);
        x->house_j += j;
        mr_supply_set_house(x->supply, h, j / dt_s);
    }
    for (uint32_t g = 0; g < x->plant->n_group; g++)
        if (site->cdu[g].hall == MR_SITE_NONE || site->cdu[g].hall >= site->n_hall)
            site_w += since(&x->group_j[g], x->heat->group[g].electric_j) / dt_s;
    for (uint32_t l = 0; l < x->plant->n_loop; l++) {
        const struct mr_plant_loop_state *s = &x->heat->loop[l];
        site_w += since(&x->loop_j[l], mr_sum_of(s->water.pump_j) + s->fan_j + s->work_j) / dt_s;
    }
    x->house_j += site_w * dt_s;
    mr_supply_set_house(x->supply, MR_SITE_NONE, site_w);
}

/* The same before time begins: pumps run full, fans and compressors as the plant has settled. Fans
 * of air handlers are told after the first interval. */
static void expect_house(struct mr_exchange *x)
{
    const struct mr_site *site = x->plan.site;
    double site_w = 0;
    for (uint32_t h = 0; h < site->n_hall; h++) {
        double hall_w = 0;
        for (uint32_t g = 0; g < x->plant->n_group; g++)
            hall_w += site->cdu[g].hall == h ? x->heat->group[g].electric_w : 0;
        mr_supply_set_house(x->supply, h, hall_w);
    }
    for (uint32_t g = 0; g < x->plant->n_group; g++)
        if (site->cdu[g].hall == MR_SITE_NONE || site->cdu[g].hall >= site->n_hall)
            site_w += x->heat->group[g].electric_w;
    for (uint32_t l = 0; l < x->plant->n_loop; l++) {
        const struct mr_rejection_out *out = &x->heat->loop[l].out;
        if (!x->plant->loop[l].has_orbit)
            site_w +=
                mr_facility_pump_w(&x->plant->loop[l].facility, 1, 0) + out->fan_w + out->work_w;
    }
    mr_supply_set_house(x->supply, MR_SITE_NONE, site_w);
}

/* What ramps have made of the racks' watts. */
static void look_at_ramps(struct mr_exchange *x, double dt_s)
{
    for (uint32_t r = 0; r < x->plan.site->n_rack && x->smooths; r++) {
        struct rack *rack = &x->rack[r];
        const double served_j = mr_supply_rack_j(x->supply, r);
        rack->extra_w = (served_j - rack->served_j) / dt_s - rack->row.drawn_w;
        rack->served_j = served_j;
    }
}

/* Pumps and fans live as long as the bars they hang on. */
static void look_at_house(struct mr_exchange *x)
{
    const struct mr_chain *chain = mr_supply_chain(x->supply);
    const struct mr_wire *wire = mr_supply_wire(x->supply);
    bool has_power = mr_chain_is_live(chain, wire->house);
    for (uint32_t h = 0; h < x->plan.site->n_hall && has_power; h++)
        has_power = mr_chain_is_live(chain, wire->of_hall[h]);
    if (has_power != x->has_utility)
        mr_plant_set_outage(x->plant, x->heat, MR_PLANT_OUT_UTILITY, 0, has_power ? 0 : 1);
    x->has_utility = has_power;
}

/* ---- clocks ---- */

static double step_down(double phi, double least)
{
    return fmax(least, floor(phi * clock_steps) / clock_steps);
}

/* What the parts of a rack may draw in all. */
static void add_parts(struct mr_exchange *x)
{
    const struct mr_stand *stand = x->plan.stand;
    for (uint32_t r = 0; r < x->plan.site->n_rack; r++)
        x->rack[r].parts_cap_w = 0;
    for (uint32_t k = 0; k < stand->n_span; k++)
        x->rack[stand->span[k].rack].parts_cap_w +=
            stand->span[k].n * mr_supply_part_cap_w(x->supply, k);
}

/* Watts that one package of a part may draw without leakage. Caps of packages were cut out of their
 * rack's by what hosts would draw then: what they draw now is made up for, but where they rested.
 * Whoever may draw its card's maximum is held by nobody. */
static double capped_w(const struct mr_exchange *x, uint32_t r, uint32_t part)
{
    const struct rack *rack = &x->rack[r];
    const double cap_w = mr_supply_rack_cap_w(x->supply, r), most_w = x->package_w[r];
    if (!isfinite(cap_w) || rack->n_lit == 0)
        return (double)INFINITY;
    const double leakage_w = rack->leakage_now_w, n_all = x->plant->rack[r].n_package;
    const double lit_w = rack->parts_cap_w * rack->n_lit / n_all;
    const double room_w =
        cap_w - rack->other_w - rack->n_free * rack->n_lit / n_all * (rack->idle_w + leakage_w);
    const double scale =
        lit_w > 0 ? fmin(rack->was_held ? 1 : (double)INFINITY, fmax(0, room_w) / lit_w) : 0;
    const double may_w = mr_supply_part_cap_w(x->supply, part) * scale;
    return may_w < most_w * (1 - 1e-9) ? fmax(0, may_w - leakage_w) : (double)INFINITY;
}

static void order_one(struct mr_exchange *x, uint32_t i)
{
    const struct mr_stand *stand = x->plan.stand;
    struct member *m = &x->member[i];
    const struct mr_power *power = x->plan.power[i];
    double allowed_w = (double)INFINITY, cap_w = (double)INFINITY, rate = 1;
    bool is_up = true;
    m->is_held = false;
    for (uint32_t k = stand->begin[i]; k < stand->begin[i + 1]; k++) {
        const uint32_t r = stand->span[k].rack;
        const uint32_t n_dark = x->plant->rack[r].n_package - x->rack[r].n_lit;
        allowed_w = fmin(allowed_w, mr_plant_rack_allowed_w(x->plant, x->heat, r));
        cap_w = fmin(cap_w, capped_w(x, r, k));
        rate = fmin(rate, mr_supply_rack_rate(x->supply, r));
        is_up = is_up && mr_supply_rack_is_on(x->supply, r) &&
                (n_dark == 0 || !mr_stand_is_hit(stand, i, r, n_dark));
        m->is_held = m->is_held || mr_supply_rack_is_held(x->supply, r);
    }
    is_up = is_up && !m->is_held;
    const double idle_w = mr_power_idle_w(power, reference_c) - power->leakage_w;
    const struct mr_power_mix mix = {idle_w + (1 - m->clocked_frac) * m->dynamic_w,
                                     m->clocked_frac * m->dynamic_w};
    const double lock = x->plan.params.lock;
    const double hot = mr_power_operate(power, &mix, allowed_w, lock).clock;
    const double capped = mr_power_operate(power, &mix, cap_w, lock).clock;
    struct mr_exchange_order *order = &m->order;
    const double phi = fmin(hot, capped);
    *order = (struct mr_exchange_order){.phi = phi < lock ? step_down(phi, power->clock_min) : lock,
                                        .reason = phi < lock ? hot <= capped ? MR_EXCHANGE_THERMAL
                                                                             : MR_EXCHANGE_CAP
                                                  : lock < 1 ? MR_EXCHANGE_LOCK
                                                             : MR_EXCHANGE_NONE,
                                        .is_up = is_up};
    m->free_phi = order->phi;
    if (rate < 1) {
        order->phi = step_down(rate * order->phi, power->clock_min);
        order->reason = MR_EXCHANGE_SMOOTHING;
    }
}

static void give_orders(struct mr_exchange *x, struct mr_exchange_order *order)
{
    for (uint32_t r = 0; r < x->plan.site->n_rack; r++) {
        struct mr_plant_rack_row row;
        mr_plant_rack_row(x->plant, x->heat, r, &row);
        x->rack[r].n_lit = x->plant->rack[r].n_package - row.n_off;
        x->rack[r].row.cap_w = mr_supply_rack_cap_w(x->supply, r);
        x->rack[r].row.phi_min = x->plan.params.lock;
    }
    add_parts(x);
    for (uint32_t i = 0; i < x->plan.stand->n_instance; i++) {
        order_one(x, i);
        order[i] = x->member[i].order;
        const struct mr_stand *stand = x->plan.stand;
        for (uint32_t k = stand->begin[i]; k < stand->begin[i + 1]; k++) {
            struct mr_exchange_rack *row = &x->rack[stand->span[k].rack].row;
            row->phi_min = fmin(row->phi_min, order[i].is_up ? order[i].phi : 0);
        }
    }
    for (uint32_t r = 0; r < x->plan.site->n_rack; r++)
        x->rack[r].was_held = mr_supply_rack_is_held(x->supply, r);
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

static double site_j(const struct mr_supply_total *watts)
{
    return watts->grid_j + watts->generator_j + watts->solar_j;
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
    x->site_peak_w = fmax(x->site_peak_w, (site_j(&watts) - x->meter_j) / dt_s);
    x->meter_s = x->t_s;
    x->meter_j = site_j(&watts);
}

mr_status mr_exchange_do(struct mr_exchange *x, double t_s, const struct mr_exchange_work *work,
                         struct mr_exchange_order *order, struct mr_err *err)
{
    const double dt_s = t_s - x->t_s;
    MR_ASSERT(dt_s >= 0);
    if (dt_s > 0) {
        gather(x, work, dt_s);
        tell_racks(x, dt_s);
        mr_plant_advance(x->plant, x->heat, t_s);
        tell_feeds(x, dt_s);
        tell_house(x, dt_s);
        mr_supply_advance(x->supply, t_s);
        x->t_s = t_s;
        look_at_ramps(x, dt_s);
        look_at_house(x);
        look_at_meter(x);
    }
    give_orders(x, order);
    return look_at_range(x, err);
}

/* ---- readers ---- */

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

void mr_exchange_sums(const struct mr_exchange *x, struct mr_exchange_sums *sums)
{
    struct mr_plant_sums heat;
    struct mr_supply_total watts;
    mr_plant_sums(x->plant, x->heat, &heat);
    mr_supply_total(x->supply, &watts);
    const double rest_s = x->t_s - x->meter_s; /* of a run shorter than a window */
    *sums = (struct mr_exchange_sums){.time_s = x->t_s - x->start_s,
                                      .site_j = site_j(&watts),
                                      .it_j = watts.rack_j,
                                      .house_j = watts.house_j,
                                      .site_peak_w = x->site_peak_w > 0 ? x->site_peak_w
                                                     : rest_s > 0
                                                         ? (site_j(&watts) - x->meter_j) / rest_s
                                                         : 0,
                                      .closure_rel = fmax(heat.residual[3], watts.closure_rel),
                                      .die_max_c = heat.die_max_c,
                                      .supply_max_c = heat.supply_max_c,
                                      .water_m3 = heat.water_m3,
                                      .throttled_package_s = x->throttled_s,
                                      .capped_package_s = x->capped_s,
                                      .down_package_s = x->down_s,
                                      .energy_usd = watts.energy_usd + watts.demand_usd,
                                      .carbon_kg = watts.carbon_kg,
                                      .ramp_up_w_s = watts.ramp_up_w_s,
                                      .cap_events = (double)watts.n_cap,
                                      .trip_events = (double)watts.n_trip,
                                      .ramp_down_w_s = watts.ramp_down_w_s,
                                      .burn_j = watts.burn_j,
                                      .loss_j = watts.loss_j,
                                      .module_j = watts.module_j,
                                      .package_j = heat.it_j};
    sums->storage_j = sums->site_j - watts.loss_j - watts.house_j - watts.rack_j;
    for (uint32_t r = 0; r < x->plan.site->n_rack; r++)
        sums->package_j -= x->rack[r].row.host_j;
    for (int k = 0; k < MR_N_STAGE; k++)
        sums->stage_loss_j[k] = watts.stage_loss_j[k];
}
