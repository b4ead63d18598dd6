/* SPDX-License-Identifier: Apache-2.0 */
/* Building a supply, its time, what it is told. Readings: supply_read.c. */
#include "engine/base/assert.h"
#include "engine/base/mem.h"
#include "power/supply_impl.h"

#include <math.h>

static const double never = (double)INFINITY;

enum {
    n_settle_max = 12 /* rounds in which sources and racks answer each other */
};

/* ---- parameters ---- */

// clang-format off
#define P struct mr_supply_params
static const struct mr_param rows[] = {
    MR_PARAM(P, tick_s, "tick", MR_Q_TIME, "1 s", 1e-3, 3600, "Longest step while generators change their power"),
    MR_PARAM(P, return_s, "return", MR_Q_TIME, "30 s", 0, 86400, "A rack that was dark waits so long after its feed is back"),
    MR_PARAM(P, ups_s, "ups_time", MR_Q_TIME, "300 s", 0, 86400, "Battery of a UPS whose energy is not stated, at its rating"),
    MR_PARAM(P, ramp_window_s, "ramp_window", MR_Q_TIME, "60 s", 1e-2, 86400, "Windows between whose means ramps of the meter are taken"),
    MR_PARAM(P, rack_min_frac, "rack_min", MR_Q_FRACTION, "35 %", 0, 1, "Least cap of a running rack, share of its maximum"),
    MR_PARAM(P, margin, "margin", MR_Q_FRACTION, "1 %", 0, 0.5, "Share of a budget that the governor keeps free"),
    MR_PARAM(P, tray_limit_w, "tray_limit", MR_Q_POWER, "0 W", 0, 1e7, "Limit of every tray, packages and its share of the rack; 0: none is stated"),
    MR_PARAM(P, swing_tick_s, "swing_tick", MR_Q_TIME, "0.1 s", 1e-3, 60, "Longest step while an island's frequency or packages' ramps move"),
    MR_PARAM(P, suspend_frac, "suspended", MR_Q_FRACTION, "10 %", 0, 1, "What a suspended rack draws, share of its maximum"),
    MR_PARAM(P, shelf_j, "shelf_energy", MR_Q_ENERGY, "0 J", 0, 1e6, "Capacitors in the shelves of racks, for each package; 0: what cards say"),
    MR_PARAM(P, shelf_charge_frac, "shelf_charge", MR_Q_FRACTION, "1 %", 0.001, 1, "What they fill with beside the load, share of the rack's rating"),
    MR_PARAM(P, resume_margin, "resume_margin", MR_Q_FRACTION, "3 %", 0, 0.5, "Share of a budget that must be free before stopped racks go on"),
    MR_PARAM_YES(P, assists, "ramp_assist", "yes", "Battery plants hold the meter to the ramp of its connection"),
    MR_PARAM(P, refill_frac, "refill", MR_Q_FRACTION, "100 %", 0, 1, "Where battery plants rest, share of their window; all of it: by the price where they buy by it"),
    MR_PARAM(P, ups_refill_frac, "ups_refill", MR_Q_FRACTION, "2 %", 0, 0.5, "Share of a budget that racks leave to batteries of supplies until they are full"),
    MR_PARAM(P, buy_usd_j, "buy_below", MR_Q_ENERGY_PRICE, "-1000 USD/MWh", -MR_UNBOUNDED, MR_UNBOUNDED, "Battery plants charge below this price"),
    MR_PARAM(P, sell_usd_j, "sell_above", MR_Q_ENERGY_PRICE, "100000 USD/MWh", -MR_UNBOUNDED, MR_UNBOUNDED, "Battery plants discharge above this price"),
};
#undef P
// clang-format on

static const struct mr_param_table table = {"supply", "The electric side of a site in time.", rows,
                                            sizeof rows / sizeof *rows};

const struct mr_param_table *mr_supply_table(void)
{
    return &table;
}

void mr_supply_defaults(struct mr_supply_params *params)
{
    uint8_t origin[sizeof rows / sizeof *rows];
    const struct mr_param_target target = {
        .table = &table, .object = params, .origin = origin, .what = "supply"};
    *params = (struct mr_supply_params){0};
    mr_param_defaults(&target);
    mr_wire_defaults(&params->wire);
    mr_govern_defaults(&params->govern);
    mr_feed_defaults(&params->feed);
    mr_feed_ride_defaults(&params->ride);
    mr_frequency_defaults(&params->frequency);
    mr_smooth_defaults(&params->smooth);
    mr_tariff_defaults(&params->tariff);
}

/* ---- events ---- */

static const char *const event_names[] = {
#define EVENT_NAME(name, text, unit, doc) text,
    MR_SUPPLY_EVENT_LIST(EVENT_NAME)
#undef EVENT_NAME
};

const char *mr_supply_event_name(int kind)
{
    return kind >= 0 && kind < MR_N_SUPPLY_EVENT ? event_names[kind] : "unknown";
}

static void pass_on(struct mr_supply *s, const struct mr_supply_event *event)
{
    s->total.n_event++;
    if (s->options.take != NULL)
        s->options.take(s->options.context, event);
}

void mr_supply_emit(struct mr_supply *s, int kind, const char *entity, const char *detail,
                    double value, double limit)
{
    const struct mr_supply_event event = {s->t_s, event_names[kind], entity, detail, value, limit};
    pass_on(s, &event);
}

void mr_supply_emit_at(struct mr_supply *s, double t_s, int kind, const char *entity, double value,
                       double limit)
{
    const struct mr_supply_event event = {t_s, event_names[kind], entity, "", value, limit};
    pass_on(s, &event);
}

void mr_supply_emit_status(struct mr_supply *s, const struct mr_feed_status *status)
{
    s->status = status;
    mr_supply_emit(s, MR_SUPPLY_STATUS, s->site->name, mr_feed_event_text(status->event),
                   status->calculated_load_w, status->target_w);
    s->status = NULL;
}

void mr_supply_emit_alert(struct mr_supply *s, const struct mr_feed_alert *alert)
{
    const struct mr_supply_event event = {s->t_s,        event_names[MR_SUPPLY_BREACH],
                                          s->site->name, mr_feed_breach_text(alert->breach),
                                          alert->load_w, alert->target_w};
    s->alert = alert;
    pass_on(s, &event);
    s->alert = NULL;
}

static void take_chain(void *context, const struct mr_chain_event *event)
{
    struct mr_supply *s = context;
    if (s->is_probing && (event->kind == MR_CHAIN_OVERLOAD || event->kind == MR_CHAIN_OVERLOAD_END))
        return;
    s->total.n_trip += event->kind == MR_CHAIN_TRIP;
    s->total.n_alarm += event->kind == MR_CHAIN_ALARM;
    s->total.n_overload += event->kind == MR_CHAIN_OVERLOAD;
    s->total.n_transfer += event->kind == MR_CHAIN_TRANSFER;
    if (s->wire.tree->node[event->node].is_load) /* racks are told when they change state */
        return;
    const struct mr_supply_event told = {event->t_s,
                                         mr_chain_event_name((int)event->kind),
                                         s->wire.tree->node[event->node].name,
                                         "",
                                         event->value,
                                         event->limit};
    pass_on(s, &told);
}

/* ---- settling ---- */

static void update(struct mr_supply *s)
{
    bool has_changed = true;
    mr_chain_set_answering(s->chain, true);
    mr_chain_settle(s->chain);
    for (int i = 0; i < n_settle_max && has_changed; i++) {
        has_changed = mr_supply_govern_racks(s);
        if (has_changed)
            mr_supply_source_give_way(s);
        mr_chain_settle(s->chain);
        s->grid_w = s->has_grid ? mr_chain_in_w(s->chain, 0) : 0;
        has_changed |= mr_supply_source_decide(s);
        has_changed |= mr_supply_shelf_decide(s);
        mr_chain_settle(s->chain);
        s->grid_w = s->has_grid ? mr_chain_in_w(s->chain, 0) : 0;
    }
    mr_supply_source_carry(s);
    mr_chain_set_answering(s->chain, false);
    if (s->has_grid)
        s->meter_w = s->grid_w;
}

/* ---- building ---- */

/* The site states its connection, parameters may, too: of both the smaller holds. At their defaults
 * parameters state nothing. A ramp without a limit is a connection that is only watched and
 * permitted. */
static void join_feed(struct mr_supply *s)
{
    const struct mr_grid *grid = &s->site->grid;
    struct mr_feed_params none, *p = &s->feed_params;
    mr_feed_defaults(&none);
    *p = s->params.feed;
    s->has_feed = s->has_grid && (grid->limit_w > 0 || p->limit_w < none.limit_w);
    if (grid->limit_w > 0)
        p->limit_w = fmin(p->limit_w, grid->limit_w);
    if (grid->ramp_w_s > 0) {
        p->ramp_up_w_s = fmin(p->ramp_up_w_s, grid->ramp_w_s);
        p->ramp_down_w_s = fmin(p->ramp_down_w_s, grid->ramp_w_s);
    }
    s->has_grid_ramp =
        s->has_grid && (p->ramp_up_w_s < none.ramp_up_w_s || p->ramp_down_w_s < none.ramp_down_w_s);
}

static mr_status make_feed(struct mr_supply *s, struct mr_err *err)
{
    const struct mr_grid *grid = &s->site->grid;
    s->is_island = grid->interconnect == MR_SITE_GRID_ISLAND;
    s->has_grid = !s->is_island;
    join_feed(s);
    s->ride = mr_feed_ride_start(&s->params.ride, s->t_s);
    s->ramp = mr_feed_ramp_start(s->t_s, s->params.ramp_window_s);
    s->ramp_w = s->ramp_s = (double)NAN;
    s->feed_event = MR_FEED_PERIODIC;
    s->low_hz = s->params.frequency.nominal_hz;
    s->tariff = mr_tariff_start(&s->params.tariff, s->t_s);
    MR_TRY(mr_govern_check(&s->params.govern, "governor", err));
    MR_TRY(mr_feed_ride_check(&s->params.ride, "ride-through", err));
    MR_TRY(mr_tariff_check(&s->params.tariff, "tariff", err));
    MR_TRY(mr_frequency_check(&s->params.frequency, "frequency", err));
    MR_TRY(mr_supply_relay_init(s, err));
    if (!s->has_feed && !s->has_grid_ramp)
        return MR_OK;
    MR_TRY(mr_feed_check(&s->feed_params, "grid connection", err));
    if (s->has_feed)
        mr_feed_start(&s->feed_params, s->t_s, 0, &s->feed);
    double step_w = 0;
    for (size_t i = 0; i < s->site->n_rack; i++)
        step_w = fmax(step_w, s->site->rack[i].limit_w * mr_supply_meter_per_rack);
    s->has_permits = s->has_grid_ramp && step_w > 0;
    if (!s->has_permits)
        return MR_OK;
    return mr_feed_permit_start(s->t_s, s->feed_params.ramp_up_w_s, s->params.ramp_window_s, step_w,
                                "start permits", &s->permit, err);
}

/* The smallest package decides whether floors and offsets fit. */
static mr_status check_smooth(const struct mr_supply *s, struct mr_err *err)
{
    for (uint32_t i = 0; i < s->site->n_rack; i++)
        if (mr_supply_smooths(s, i))
            MR_TRY(mr_smooth_check(&s->params.smooth,
                                   s->rack[i].high_w / s->site->rack[i].n_package,
                                   s->site->rack[i].name, err));
    return MR_OK;
}

static mr_status fill(struct mr_supply *s, struct mr_err *err)
{
    s->rack = mr_arena_zero(&s->arena, s->site->n_rack, sizeof *s->rack, err);
    if (s->rack == NULL)
        return MR_NOMEM;
    const struct mr_chain_options options = {.t_s = s->t_s, .take = take_chain, .context = s};
    MR_TRY(make_feed(s, err));
    MR_TRY(mr_chain_create(s->wire.tree, &options, &s->chain, err));
    MR_TRY(mr_supply_source_init(s, err));
    MR_TRY(mr_supply_refill_init(s, err));
    MR_TRY(mr_supply_start_init(s, err));
    MR_TRY(mr_supply_govern_init(s, err));
    MR_TRY(mr_supply_hold_init(s, err));
    MR_TRY(mr_supply_shelf_init(s, err));
    MR_TRY(check_smooth(s, err));
    if (s->is_island) { /* carried by what stands there from the start */
        (void)mr_supply_source_decide(s);
        mr_chain_set_source(s->chain, 0, false);
    }
    return MR_OK;
}

mr_status mr_supply_create(const struct mr_site *site, const struct mr_supply_options *options,
                           struct mr_supply **out, struct mr_diags *diags)
{
    struct mr_err err = {0};
    struct mr_supply *s = mr_alloc_zero(1, sizeof *s);
    *out = NULL;
    if (s == NULL) {
        mr_err_nomem(&err, sizeof *s);
        return mr_diags_add_err(diags, MR_SEVERITY_ERROR, &err);
    }
    s->site = site;
    s->options = *options;
    s->params = options->params;
    s->t_s = s->look_s = options->t_s;
    mr_status st = mr_wire_of(site, &s->params.wire, &s->wire, diags);
    if (st == MR_OK) {
        st = fill(s, &err);
        if (st != MR_OK)
            mr_diags_add_err(diags, MR_SEVERITY_ERROR, &err);
    }
    if (st != MR_OK) {
        mr_supply_destroy(s);
        return st;
    }
    update(s);
    mr_supply_govern_start(s);
    update(s);
    mr_supply_tell_start(s);
    st = mr_supply_doubt(s, diags);
    if (st == MR_OK)
        *out = s;
    else
        mr_supply_destroy(s);
    return st;
}

void mr_supply_destroy(struct mr_supply *s)
{
    if (s == NULL)
        return;
    mr_chain_destroy(s->chain);
    mr_wire_fini(&s->wire);
    mr_arena_fini(&s->arena);
    mr_free(s);
}

/* ---- time ---- */

double mr_supply_now_s(const struct mr_supply *s)
{
    return s->t_s;
}

/* But for the controller. */
static double event_s(const struct mr_supply *s)
{
    double next_s = mr_supply_source_next_s(s);
    next_s = fmin(next_s, fmin(mr_chain_next_s(s->chain), mr_chain_staging_s(s->chain)));
    next_s = fmin(next_s, mr_supply_govern_next_s(s));
    next_s = fmin(next_s, fmin(mr_supply_shelf_next_s(s), mr_supply_relay_next_s(s)));
    if (mr_supply_source_moves(s) || s->is_assisting)
        next_s = fmin(next_s, s->t_s + s->params.tick_s);
    next_s = fmin(next_s, fmin(mr_supply_smooth_next_s(s), mr_supply_island_next_s(s)));
    return next_s;
}

double mr_supply_next_s(const struct mr_supply *s)
{
    return fmax(fmin(event_s(s), mr_supply_still_clock_s(s)), s->t_s);
}

static void count_racks(struct mr_supply *s, double dt_s)
{
    for (uint32_t i = 0; i < s->site->n_rack; i++) {
        const struct mr_supply_rack *rack = &s->rack[i];
        const double missed_j = (rack->want_w - rack->draw_w + rack->burn_w) * dt_s;
        s->total.want_j += rack->want_w * dt_s;
        s->total.burn_j += rack->burn_w * dt_s;
        s->total.unserved_j += missed_j;
        if (rack->held != MR_SUPPLY_FREE && !mr_supply_is_off(rack)) {
            s->total.held_j += missed_j;
            s->total.held_rack_s += dt_s;
        } else if (rack->state != MR_SUPPLY_RACK_ON) {
            s->total.dark_j += missed_j;
            s->total.dark_rack_s += dt_s;
        } else if (mr_supply_is_capped(rack)) {
            s->total.capped_j += missed_j;
            s->total.capped_rack_s += dt_s;
        } else {
            s->total.delayed_j += missed_j;
        }
    }
}

static void meter(struct mr_supply *s, double t_s)
{
    const struct mr_feed_params *p = &s->feed_params;
    const double up_w_s = s->has_grid_ramp ? p->ramp_up_w_s : never;
    const double down_w_s = s->has_grid_ramp ? p->ramp_down_w_s : never;
    mr_tariff_advance(&s->params.tariff, &s->tariff, s->options.price, s->options.carbon, t_s,
                      s->grid_w, s->grid_w);
    for (double at_s = s->t_s; at_s < t_s;) { /* window by window: events have the dates of ends */
        at_s = mr_feed_ramp_next_s(&s->ramp, s->params.ramp_window_s, t_s, s->grid_w);
        const uint64_t n = mr_feed_ramp_advance(&s->ramp, s->params.ramp_window_s, up_w_s, down_w_s,
                                                at_s, s->grid_w, s->grid_w);
        if (n > 0)
            mr_supply_emit_at(s, at_s, MR_SUPPLY_RAMP, s->site->name, s->ramp.over_w_s,
                              s->ramp.over_w_s > 0 ? up_w_s : down_w_s);
        s->total.n_ramp += n;
    }
    s->total.peak_w = fmax(s->total.peak_w, s->grid_w);
}

/* Nothing happens between now and t_s. */
static void step(struct mr_supply *s, double t_s)
{
    const double dt_s = t_s - s->t_s;
    if (dt_s > 0) {
        mr_supply_smooth_step(s, t_s);
        mr_supply_relay_step(s, t_s);
        mr_supply_source_step(s, t_s);
        mr_supply_shelf_step(s, t_s);
        mr_chain_settle(s->chain); /* means of ramping sources */
        s->grid_w = s->has_grid ? mr_chain_in_w(s->chain, 0) : 0;
        s->total.export_j += fmax(0, -s->grid_w) * dt_s;
        count_racks(s, dt_s);
        meter(s, t_s);
        s->ramp_w = s->grid_w;
        s->ramp_s = s->t_s;
    }
    s->t_s = s->look_s = t_s;
    mr_chain_advance(s->chain, t_s);
}

void mr_supply_advance(struct mr_supply *s, double t_s)
{
    const bool is_first = !s->has_started;
    MR_ASSERT(t_s >= s->t_s);
    if (is_first) {
        s->has_started = true;
        mr_chain_settle(s->chain); /* pumps and fans are on before racks are */
        mr_supply_govern_start(s);
        mr_supply_govern_tell_start(s);
    }
    update(s);
    if (is_first) /* the site has been running so */
        mr_chain_warm(s->chain);
    mr_supply_govern_meter(s);
    while (s->t_s < t_s) {
        const double until_s = event_s(s);
        step(s, fmin(t_s, fmax(fmin(until_s, mr_supply_still_clock_s(s)), s->t_s)));
        if (s->t_s >= until_s)
            mr_supply_still_stir(s);
        if (mr_chain_staging_s(s->chain) <= s->t_s)
            mr_chain_tick(s->chain);
        mr_supply_govern_act(s);
        update(s);
        mr_supply_govern_meter(s);
        mr_supply_tell(s);
        if (s->options.step != NULL)
            s->options.step(s->options.context);
    }
}

/* ---- inputs ---- */

void mr_supply_set_rack(struct mr_supply *s, uint32_t rack, double w)
{
    MR_ASSERT(rack < s->site->n_rack && isfinite(w) && w >= 0);
    if (w != s->rack[rack].want_w || s->rack[rack].is_told)
        mr_supply_still_stir(s);
    s->rack[rack].want_w = w;
    s->rack[rack].is_told = false;
}

void mr_supply_set_load(struct mr_supply *s, uint32_t rack, double draw_w, double want_w)
{
    MR_ASSERT(rack < s->site->n_rack && isfinite(want_w) && draw_w >= 0 && want_w >= draw_w);
    mr_supply_still_stir(s);
    s->rack[rack].want_w = want_w;
    s->rack[rack].told_w = draw_w;
    s->rack[rack].is_told = true;
}

void mr_supply_set_least(struct mr_supply *s, uint32_t rack, double least_w, double rest_w)
{
    MR_ASSERT(rack < s->site->n_rack && rest_w >= 0 && least_w >= rest_w);
    s->rack[rack].least_w = least_w;
    s->rack[rack].rest_w = rest_w;
}

void mr_supply_set_fixed(struct mr_supply *s, uint32_t rack, double w)
{
    MR_ASSERT(rack < s->site->n_rack && w >= 0);
    s->rack[rack].fixed_w = w;
}

void mr_supply_set_part(struct mr_supply *s, uint32_t part, double want_w)
{
    MR_ASSERT(part < s->options.n_part && isfinite(want_w) && want_w >= 0);
    s->part_want_w[part] = want_w;
}

void mr_supply_set_tier(struct mr_supply *s, uint32_t rack, uint8_t tier)
{
    MR_ASSERT(rack < s->site->n_rack);
    s->rack[rack].tier = tier;
    mr_supply_hold_sort(s);
}

/* Names are paths: what is inside begins with the name and a dot. */
static bool is_in(const char *path, struct mr_str name)
{
    return strncmp(path, name.p, name.n) == 0 && (path[name.n] == '\0' || path[name.n] == '.');
}

mr_status mr_supply_set_tier_of(struct mr_supply *s, struct mr_str name, uint8_t tier,
                                struct mr_err *err)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < s->site->n_rack; i++)
        if (is_in(s->site->rack[i].name, name)) {
            s->rack[i].tier = tier;
            n++;
        }
    if (n == 0)
        return mr_err_set(err, MR_REF, MR_NOWHERE,
                          "tier of '%.*s': site '%s' has no such rack, row or hall", (int)name.n,
                          name.p, s->site->name);
    mr_supply_hold_sort(s);
    return MR_OK;
}

void mr_supply_set_racks(struct mr_supply *s, const double *w)
{
    for (uint32_t i = 0; i < s->site->n_rack; i++)
        mr_supply_set_rack(s, i, w[i]);
}

void mr_supply_set_house(struct mr_supply *s, uint32_t hall, double w)
{
    const uint32_t at = hall == MR_SITE_NONE ? s->wire.house : s->wire.of_hall[hall];
    if (mr_chain_set_demand(s->chain, at, w))
        mr_supply_still_stir(s);
}

void mr_supply_expect_house(struct mr_supply *s, double more_w)
{
    MR_ASSERT(isfinite(more_w) && more_w >= 0);
    mr_supply_still_stir(s);
    s->house_more_w = more_w;
}

void mr_supply_set_pumps(struct mr_supply *s, uint32_t cdu, double w)
{
    MR_ASSERT(s->params.wire.has_pumps && cdu < s->site->n_cdu);
    mr_supply_still_stir(s);
    mr_chain_set_demand(s->chain, s->wire.of_cdu[cdu], w);
}

void mr_supply_set_failed(struct mr_supply *s, uint32_t power, bool has_failed)
{
    mr_supply_still_stir(s);
    const uint32_t at = s->wire.of_power[power];
    if (at != MR_CIRCUIT_NONE)
        mr_chain_set_failed(s->chain, at, has_failed);
}

void mr_supply_set_units_failed(struct mr_supply *s, uint32_t power, uint32_t n_failed)
{
    mr_supply_still_stir(s);
    const uint32_t at = s->wire.of_power[power], source = mr_supply_source_of(s, power);
    if (at != MR_CIRCUIT_NONE)
        mr_chain_set_units_failed(s->chain, at, n_failed);
    else if (source != MR_SITE_NONE)
        mr_supply_source_set_units_failed(s, source, n_failed);
}

void mr_supply_close(struct mr_supply *s, uint32_t power)
{
    mr_supply_still_stir(s);
    const uint32_t at = s->wire.of_power[power];
    if (at != MR_CIRCUIT_NONE)
        mr_chain_set_open(s->chain, at, false);
}

void mr_supply_set_voltage(struct mr_supply *s, double voltage_frac)
{
    if (s->is_island)
        return;
    mr_supply_still_stir(s);
    const uint64_t n_dip = s->ride.n_dip;
    s->voltage_frac = voltage_frac;
    mr_feed_ride_step(&s->params.ride, &s->ride, s->t_s, mr_supply_relay_voltage_frac(s));
    if (s->ride.n_dip > n_dip)
        mr_supply_emit(s, MR_SUPPLY_DIP, s->site->name, "", voltage_frac, 1);
    mr_supply_govern_act(s);
}

void mr_supply_set_policy(struct mr_supply *s, int policy)
{
    mr_supply_still_stir(s);
    s->params.govern.policy = policy < 0 ? s->options.params.govern.policy : policy;
}
