/* SPDX-License-Identifier: Apache-2.0 */
/* Parameters of an exchange, and how it comes to be: leakage told to the plant, leaves to the
 * governor, first orders for racks at their ratings. */
#include "engine/base/mem.h"
#include "engine/twin/exchange_impl.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

// clang-format off
#define P struct mr_exchange_params
static const char *const starts[] = {[MR_EXCHANGE_STEADY] = "steady", [MR_EXCHANGE_COLD] = "cold"};
static const struct mr_param rows[] = {
    MR_PARAM(P, tick_s, "tick", MR_Q_TIME, "1 s", 1e-3, 3600, "Time between two exchanges of watts, heat and clocks"),
    MR_PARAM(P, memory_s, "memory", MR_Q_TIME, "3 s", 1e-3, 3600, "Which share of an instance's watts clocks drive is a mean of about so long (assumption)"),
    MR_PARAM(P, warm_s, "warm", MR_Q_TIME, "3 s", 0, 3600, "So long after the start caps hold for what racks are rated for, whatever they draw (assumption)"),
    MR_PARAM(P, rest_idle_frac, "rest_idle", MR_Q_FRACTION, "50 %", 0, 1, "Hosts, links and fans of a rack without work, over their rating (assumption)"),
    MR_PARAM(P, support_frac, "support", MR_Q_FRACTION, "50 %", 0, 1, "Racks without packages of any pool, and no tools, over their rating (assumption)"),
    MR_PARAM(P, lock, "clock", MR_Q_FRACTION, "100 %", 0.01, 1, "Highest clock of all packages, over the full clock"),
    MR_PARAM_ONE_OF(P, start, "start", starts, "steady", "Temperatures when time begins: where the idle site rests, or the plant's set points with every die as cold as its coolant"),
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
    struct mr_exchange *x = context;
    x->has_lost_rack |= event->kind == mr_supply_event_name(MR_SUPPLY_RACK_LOST);
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
    x->pump_j = mr_alloc_zero(site->n_loop + 1, sizeof *x->pump_j);
    x->pump_w = mr_alloc_zero(site->n_loop + 1, sizeof *x->pump_w);
    x->fed_w = mr_alloc_zero(site->n_loop + 1, sizeof *x->fed_w);
    x->design_w = mr_alloc_zero(site->n_loop + 1, sizeof *x->design_w);
    x->is_fed = mr_alloc_zero(site->n_cdu + 1, sizeof *x->is_fed);
    x->has_air = mr_alloc_zero(site->n_hall + 1, sizeof *x->has_air);
    x->unserved_j = mr_alloc_zero(site->n_hall + site->n_cdu + 1, sizeof *x->unserved_j);
    x->part = mr_alloc_zero(x->plan.stand->n_span + 1, sizeof *x->part);
    x->package_w = mr_alloc_zero(site->n_rack + 1, sizeof *x->package_w);
    if (x->rack == NULL || x->member == NULL || x->group_j == NULL || x->loop_j == NULL ||
        x->hall_j == NULL || x->part == NULL || x->package_w == NULL || x->pump_j == NULL ||
        x->pump_w == NULL || x->fed_w == NULL || x->design_w == NULL || x->is_fed == NULL ||
        x->has_air == NULL || x->unserved_j == NULL)
        return mr_err_nomem(err, site->n_rack * sizeof *x->rack);
    return MR_OK;
}

/* The governor's leaves: what stands on the packages of a rack, and the most that one may draw.
 * Where not all can work, as many of each pool do: pools are lists of equals. */
static void make_parts(struct mr_exchange *x)
{
    const struct mr_stand *stand = x->plan.stand;
    for (uint32_t r = 0; r < x->plan.site->n_rack; r++)
        x->rack[r].n_free = x->plan.site->rack[r].n_package;
    for (uint32_t i = 0, first = 0, end = 0; i < stand->n_instance; i++) {
        first = i == end ? i : first;
        while (end < stand->n_instance && x->plan.power[end] == x->plan.power[first])
            end++;
        for (uint32_t k = stand->begin[i]; k < stand->begin[i + 1]; k++) {
            const struct mr_stand_span *span = &stand->span[k];
            const double turn = (double)(i - first) / (end - first);
            x->part[k] = (struct mr_supply_part){span->rack, span->first, span->n, turn};
            x->package_w[span->rack] = x->plan.power[i]->limit_w;
            x->rack[span->rack].n_free -= span->n;
        }
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
 * that caps hold whatever comes, and for work that clocks drive as little of as can be. */
static void expect_work(struct mr_exchange *x, uint32_t i)
{
    const struct mr_power *power = x->plan.power[i];
    struct mr_exchange_member *m = &x->member[i];
    const double least = mr_power_factor(power, power->clock_min);
    m->clocked_frac = 1;
    if (x->plan.slow_w != NULL)
        m->clocked_frac = m->dynamic_w > x->plan.slow_w[i] && least < 1
                              ? fmin(1, (1 - x->plan.slow_w[i] / m->dynamic_w) / (1 - least))
                              : 0;
    m->first_w = m->dynamic_w;
    m->first_frac = m->clocked_frac;
}

static void describe(struct mr_exchange *x)
{
    const struct mr_stand *stand = x->plan.stand;
    for (uint32_t r = 0; r < x->plan.site->n_rack; r++) {
        const double rated_w = x->plan.site->rack[r].rated_w;
        x->rack[r].rest_w = (1 - x->plant->rack[r].share_frac) * rated_w;
        x->rack[r].n_lit = x->plant->rack[r].n_package;
        x->rack[r].is_new = true;
        x->n_tool_core += x->plan.tools != NULL ? x->plan.tools[r].n_core : 0;
        x->rack[r].runs_tools = true;
    }
    x->n_lit_core = x->n_tool_core;
    for (uint32_t i = 0; i < stand->n_instance; i++) {
        x->member[i].order =
            (struct mr_exchange_order){x->plan.params.lock, MR_EXCHANGE_NONE, true, false};
        const double rest_w = mr_power_idle_w(x->plan.power[i], MR_EXCHANGE_REFERENCE_C);
        x->member[i].dynamic_w = fmax(0, x->plan.power[i]->limit_w - rest_w);
        x->member[i].free_phi = x->plan.params.lock;
        for (uint32_t k = stand->begin[i]; k < stand->begin[i + 1]; k++) {
            struct mr_exchange_load *rack = &x->rack[stand->span[k].rack];
            const struct mr_power *power = x->plan.power[i];
            rack->leakage_w = power->leakage_w;
            rack->idle_w = mr_power_idle_w(power, MR_EXCHANGE_REFERENCE_C) - power->leakage_w;
            x->member[i].n_package += stand->span[k].n;
            x->member[i].dynamic_w =
                fmin(x->member[i].dynamic_w, fmax(0, full_w(x, stand->span[k].rack) - rest_w));
        }
        expect_work(x, i);
    }
}

static bool has_package(const struct mr_site *site, size_t r, const char *package)
{
    return site->rack[r].package != NULL && strcmp(site->rack[r].package, package) == 0;
}

/* Racks that no instance stands in idle as packages of their kind do where instances stand. Told
 * once, by the first of them. */
static void describe_free(struct mr_exchange *x, struct mr_diags *diags)
{
    const struct mr_stand *stand = x->plan.stand;
    const struct mr_site *site = x->plan.site;
    size_t n = 0, first = 0;
    for (uint32_t i = 0; i < stand->n_instance; i++) {
        const uint32_t at = stand->span[stand->begin[i]].rack;
        if (i > 0 && x->plan.power[i] == x->plan.power[i - 1]) /* pools are lists of equals */
            continue;
        for (size_t r = 0; r < site->n_rack && site->rack[at].package != NULL; r++)
            if (!(x->rack[r].idle_w > 0) && has_package(site, r, site->rack[at].package)) {
                x->rack[r].idle_w = x->rack[at].idle_w;
                x->rack[r].leakage_w = x->rack[at].leakage_w;
                first = n == 0 || r < first ? r : first;
                n++;
            }
    }
    if (n > 0)
        (void)mr_diags_add(diags, MR_SEVERITY_WARNING, MR_RANGE, MR_NOWHERE,
                           "%s: no instance stands on its packages, and they idle (as those of %zu "
                           "of %zu racks): deployment/instances fill fewer racks than there are",
                           site->rack[first].name, n, site->n_rack);
}

/* At the lowest clocks, with dies as warm as cards say. */
static void expect_racks(struct mr_exchange *x)
{
    const struct mr_stand *stand = x->plan.stand;
    for (uint32_t r = 0; r < x->plan.site->n_rack; r++) {
        struct mr_exchange_load *rack = &x->rack[r];
        const double idle_w = x->plant->rack[r].n_package * (rack->idle_w + rack->leakage_w);
        if (rack->idle_w <= 0)
            continue;
        rack->first_rest_w = x->plan.params.rest_idle_frac * rack->rest_w + idle_w;
        rack->first_least_w = rack->n_free < x->plan.site->rack[r].n_package ? rack->rest_w + idle_w
                                                                             : rack->first_rest_w;
    }
    for (uint32_t i = 0; i < stand->n_instance; i++)
        for (uint32_t k = stand->begin[i]; k < stand->begin[i + 1]; k++)
            x->rack[stand->span[k].rack].first_least_w +=
                stand->span[k].n * mr_exchange_slow_w(x, i);
}

/* What racks draw is known at the end of an interval, and caps become clocks at one: beside the
 * controller's own time that is two of them. */
static void doubt_tick(double tick_s, double period_s, double latency_s, struct mr_diags *diags)
{
    if (!isfinite(latency_s) || !(tick_s > period_s))
        return;
    (void)mr_diags_add(
        diags, MR_SEVERITY_WARNING, MR_RANGE, MR_NOWHERE,
        "a tick of %.6g s is longer than the governor's period of %.6g s: a limit or "
        "target may be exceeded for %.6g s where work changes (its latency of %.6g s "
        "and two ticks; twin/tick, governor/period)",
        tick_s, period_s, latency_s + 2 * tick_s, latency_s);
}

/* Racks that no clock brings down to what they are granted: told once, by the first of them. */
static void doubt_grants(const struct mr_exchange *x, struct mr_diags *diags)
{
    const struct mr_site *site = x->plan.site;
    size_t n = 0, first = 0;
    for (size_t r = site->n_rack; r-- > 0;)
        if (x->rack[r].idle_w > 0 && site->rack[r].limit_w > 0 &&
            x->rack[r].first_least_w > site->rack[r].limit_w) {
            n++;
            first = r;
        }
    if (n == 0)
        return;
    (void)mr_diags_add(diags, MR_SEVERITY_WARNING, MR_RANGE, MR_NOWHERE,
                       "%s: granted %.6g W, it draws %.6g W at its lowest clocks and %.6g W at "
                       "rest (as %zu of %zu racks): it works in part, rests, or is shut where it "
                       "rests above its grant (raise its limit, or provision fewer racks)",
                       site->rack[first].name, site->rack[first].limit_w,
                       x->rack[first].first_least_w, x->rack[first].first_rest_w, n, site->n_rack);
}

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
    options.params.wire.has_pumps = true;
    options.params.wire.backs_pumps = plant.has_ups_pumps;
    MR_TRY(mr_supply_create(plan->site, &options, &x->supply, diags));
    for (size_t i = 0; i < plan->n_tier; i++)
        MR_TRY(mr_supply_set_tier_of(x->supply, mr_str_of(plan->tier[i].name), plan->tier[i].tier,
                                     err));
    describe(x);
    describe_free(x, diags);
    expect_racks(x);
    doubt_grants(x, diags);
    x->t_s = x->start_s = x->meter_s = plan->supply.t_s;
    x->site_w = (double)NAN;
    const double latency_s = mr_govern_latency_s(&options.params.govern);
    /* caps that are set once answer nothing, so there is nothing to foresee for them */
    x->foresight_s = plan->params.tick_s + (isfinite(latency_s) ? latency_s : 0);
    doubt_tick(plan->params.tick_s, options.params.govern.period_s, latency_s, diags);
    mr_exchange_begin_house(x);
    x->smooths = options.params.smooth.is_on;
    mr_exchange_tell_racks(x, 0);
    if (plan->params.start == MR_EXCHANGE_STEADY)
        MR_TRY(mr_plant_settle(x->plant, x->heat, err));
    mr_exchange_tell_feeds(x, 0);
    mr_exchange_expect_house(x);
    mr_supply_advance(x->supply, x->t_s);
    for (uint32_t r = 0; r < x->plan.site->n_rack; r++) {
        x->rack[r].row.cap_w = mr_supply_rack_cap_w(x->supply, r);
        x->rack[r].row.phi_min = x->plan.params.lock;
        x->rack[r].over_until_s = -(double)INFINITY;
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
    mr_free(x->pump_j);
    mr_free(x->pump_w);
    mr_free(x->fed_w);
    mr_free(x->design_w);
    mr_free(x->is_fed);
    mr_free(x->has_air);
    mr_free(x->unserved_j);
    mr_free(x->part);
    mr_free(x->package_w);
    mr_free(x->set);
    mr_free(x->text);
    mr_free(x);
}
