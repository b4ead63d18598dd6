/* SPDX-License-Identifier: Apache-2.0 */
/* Racks: what they want, may, and do draw; the governor (its tree is supply_tree.c's); start
 * permits; the connection's targets and alerts.
 * Map: bounds - racks - a decision - what is due. */
#include "engine/base/assert.h"
#include "power/supply_back_impl.h"
#include "power/supply_impl.h"

#include <math.h>

static const double never = (double)INFINITY;

/* ---- bounds ---- */

static mr_status allocate(struct mr_supply *s, struct mr_err *err)
{
    const uint32_t n = mr_govern_n_node(s->tree);
    s->low_w = mr_arena_zero(&s->arena, n, sizeof(double), err);
    s->high_w = mr_arena_zero(&s->arena, n, sizeof(double), err);
    s->max_q_w = mr_arena_zero(&s->arena, n, sizeof(double), err);
    s->demand_w = mr_arena_zero(&s->arena, n, sizeof(double), err);
    s->tier = mr_arena_zero(&s->arena, n, sizeof *s->tier, err);
    s->part_want_w = mr_arena_zero(&s->arena, s->options.n_part + 1, sizeof(double), err);
    s->part_cap_w = mr_arena_zero(&s->arena, s->options.n_part + 1, sizeof(double), err);
    MR_TRY(mr_supply_part_init(s, err));
    if (s->low_w == NULL || s->high_w == NULL || s->max_q_w == NULL || s->demand_w == NULL ||
        s->tier == NULL || s->part_want_w == NULL || s->part_cap_w == NULL)
        return MR_NOMEM;
    for (uint32_t p = 0; p < s->options.n_part; p++)
        s->part_want_w[p] = -1; /* not told */
    return MR_OK;
}

static void describe(struct mr_supply *s, uint32_t i)
{
    const struct mr_rack *at = &s->site->rack[i];
    struct mr_supply_rack *rack = &s->rack[i];
    const double rated_w = at->rated_w > 0 ? at->rated_w : at->limit_w;
    rack->since_s = s->t_s;
    rack->inside = mr_inside_of(at, s->params.wire.rack_plane);
    rack->most_w = at->limit_w > 0 ? fmin(rated_w, at->limit_w) : rated_w;
    rack->package_w = s->options.package_w != NULL ? s->options.package_w[i] : 0;
}

void mr_supply_govern_bound(struct mr_supply *s, uint32_t i)
{
    const struct mr_rack *at = &s->site->rack[i];
    struct mr_supply_rack *rack = &s->rack[i];
    const double most_w = rack->most_w;
    const bool is_held = rack->decided != MR_SUPPLY_FREE;
    rack->low_w = fmin(most_w, mr_supply_part_low_w(s, rack));
    rack->high_w = is_held ? rack->low_w : most_w;
    rack->max_q_w =
        fmin(at->max_q_w > 0 ? at->max_q_w : most_w * s->params.govern.max_q_frac, rack->high_w);
    mr_supply_tree_bound(s, i);
}

mr_status mr_supply_govern_init(struct mr_supply *s, struct mr_err *err)
{
    for (uint32_t i = 0; i < s->site->n_rack; i++)
        describe(s, i);
    MR_TRY(mr_supply_tree_init(s, err));
    MR_TRY(allocate(s, err));
    MR_TRY(mr_govern_pass_init(&s->arena, s->tree, &s->pass, err));
    for (uint32_t i = 0; i < s->site->n_rack; i++)
        mr_supply_govern_bound(s, i);
    s->load = (struct mr_govern_load){.min_w = s->low_w,
                                      .max_w = s->high_w,
                                      .max_q_w = s->max_q_w,
                                      .demand_w = s->demand_w,
                                      .budget_w = never};
    s->clock = mr_govern_clock_start(s->t_s);
    s->clock.next_s += s->params.govern.period_s; /* the first decision is taken at once */
    return MR_OK;
}

/* ---- racks ---- */

void mr_supply_draw(struct mr_supply *s, uint32_t i, double w)
{
    struct mr_supply_rack *rack = &s->rack[i];
    const double dt_s = s->t_s - rack->since_s;
    for (uint8_t k = 0; k < rack->inside.n; k++)
        rack->inside_j[k] += rack->inside_w[k] * dt_s;
    rack->module_j += rack->module_w * dt_s;
    rack->since_s = s->t_s;
    rack->draw_w = w;
    rack->module_w = mr_inside_split(&rack->inside, w, rack->inside_w);
    mr_chain_set_demand(s->chain, s->wire.of_rack[i], w);
}

double mr_supply_govern_permit(struct mr_supply *s, uint32_t i, double from_s)
{
    const struct mr_supply_rack *rack = &s->rack[i];
    if (!s->has_permits || !s->has_grid)
        return from_s;
    return mr_feed_permit_take(&s->permit, from_s,
                               mr_supply_meter_per_rack * fmin(rack->want_w, rack->high_w));
}

/* A rack that is fed again waits, then asks for a permit. */
static void look_at_feed(struct mr_supply *s, uint32_t i)
{
    struct mr_supply_rack *rack = &s->rack[i];
    const bool is_live = mr_chain_is_live(s->chain, s->wire.of_rack[i]);
    if (!is_live && rack->state != MR_SUPPLY_RACK_DARK) {
        if (rack->state == MR_SUPPLY_RACK_ON) {
            mr_supply_emit(s, MR_SUPPLY_RACK_LOST, s->site->rack[i].name, "", rack->draw_w, 0);
            s->total.n_lost++;
        }
        rack->state = MR_SUPPLY_RACK_DARK;
        rack->held = rack->decided = MR_SUPPLY_FREE; /* it must start anew anyway */
        rack->is_away = false;
        mr_supply_part_wake(rack);
        mr_supply_govern_bound(s, i);
    } else if (is_live && rack->state == MR_SUPPLY_RACK_DARK) {
        rack->state = MR_SUPPLY_RACK_WAITING;
        rack->ready_s = mr_supply_govern_permit(s, i, s->t_s + s->params.return_s);
    }
}

static bool may_start(const struct mr_supply *s, const struct mr_supply_rack *rack)
{
    return rack->state == MR_SUPPLY_RACK_WAITING && rack->held != MR_SUPPLY_SHUT &&
           s->t_s >= rack->ready_s;
}

static double asked_w(const struct mr_supply_rack *rack)
{
    return rack->is_told ? rack->told_w : fmin(rack->want_w, rack->cap_w);
}

static void start_rack(struct mr_supply *s, uint32_t i)
{
    struct mr_supply_rack *rack = &s->rack[i];
    const double w = asked_w(rack);
    if (!may_start(s, rack) || !mr_supply_start_may(s, i, w))
        return;
    rack->state = MR_SUPPLY_RACK_ON;
    mr_supply_emit(s, MR_SUPPLY_RACK_BACK, s->site->rack[i].name, "", w, rack->cap_w);
}

/* Highest tier first, those of a tier by place. */
static void start_racks(struct mr_supply *s)
{
    mr_supply_start_begin(s);
    for (size_t end = s->site->n_rack, begin = end; end > 0; end = begin) {
        const uint8_t tier = s->rack[s->order[end - 1]].tier;
        while (begin > 0 && s->rack[s->order[begin - 1]].tier == tier)
            begin--;
        for (size_t k = begin; k < end; k++)
            start_rack(s, s->order[k]);
    }
}

bool mr_supply_govern_racks(struct mr_supply *s)
{
    bool has_changed = false;
    s->n_waiting = 0;
    for (uint32_t i = 0; i < s->site->n_rack; i++) {
        look_at_feed(s, i);
        s->n_waiting +=
            s->rack[i].state == MR_SUPPLY_RACK_WAITING && s->rack[i].held != MR_SUPPLY_SHUT;
    }
    if (s->n_waiting > 0)
        start_racks(s);
    for (uint32_t i = 0; i < s->site->n_rack; i++) {
        const struct mr_supply_rack *rack = &s->rack[i];
        const double w = asked_w(rack);
        const bool is_on = rack->state == MR_SUPPLY_RACK_ON;
        const double draw_w = mr_supply_smooths(s, i) ? mr_supply_smooth_w(s, i, is_on, w)
                              : is_on                 ? w
                                                      : 0;
        if (draw_w == rack->draw_w)
            continue;
        mr_supply_draw(s, i, draw_w);
        has_changed = true;
    }
    return has_changed;
}

/* ---- a decision ---- */

static void sample(struct mr_supply *s)
{
    for (uint32_t i = 0; i < s->site->n_rack; i++) {
        mr_supply_tree_want(s, i, s->rack[i].want_w);
        if (s->rack[i].least_w > 0 || s->rack[i].fixed_w > 0)
            mr_supply_govern_bound(s, i);
    }
    s->budget_w = mr_supply_budget_w(s);
    s->stop_w = mr_supply_stop_w(s, s->budget_w);
    s->is_sampled = mr_supply_back_is_soon(s);
}

static void tell_infeasible(struct mr_supply *s)
{
    double least_w = 0;
    for (uint32_t i = 0; i < s->site->n_rack; i++)
        least_w += mr_supply_least_w(&s->params, &s->rack[i], MR_SUPPLY_FREE);
    s->total.n_infeasible++;
    mr_supply_emit(s, MR_SUPPLY_BUDGET, s->site->name, "", least_w, s->budget_w);
}

static void decide(struct mr_supply *s)
{
    mr_supply_hold_decide(s);
    s->load.budget_w = s->budget_w;
    mr_govern_decide(s->tree, &s->params.govern, &s->load, &s->pass);
    uint32_t n_on = 0;
    for (uint32_t i = 0; i < s->site->n_rack; i++)
        n_on += s->rack[i].state == MR_SUPPLY_RACK_ON;
    const bool was_infeasible = s->is_infeasible;
    s->is_infeasible = s->pass.n_infeasible > 0 && n_on > 0;
    if (s->is_infeasible && !was_infeasible && !s->is_probing)
        tell_infeasible(s);
}

static void apply(struct mr_supply *s)
{
    mr_supply_tree_apply(s);
    mr_supply_hold_apply(s);
    s->is_counted |= s->is_sampled;
}

/* What racks would draw: what they ask for, or all they could where somebody else owns their clocks
 * and has not begun. Those that the last decision has stopped would do so again if they went on. */
static void expect(struct mr_supply *s)
{
    for (uint32_t i = 0; i < s->site->n_rack; i++) {
        const struct mr_supply_rack *rack = &s->rack[i];
        const bool is_known = rack->want_w > 0 && !rack->is_told;
        mr_supply_tree_want(s, i, is_known ? rack->want_w : rack->most_w);
        mr_supply_govern_bound(s, i);
    }
}

static void decide_at_once(struct mr_supply *s)
{
    expect(s);
    s->budget_w = mr_supply_budget_w(s);
    s->stop_w = mr_supply_stop_w(s, s->budget_w);
    decide(s);
    apply(s);
}

void mr_supply_govern_at_once(struct mr_supply *s)
{
    sample(s);
    decide(s);
    apply(s);
}

/* Losses bend the way from a budget to the meter, so a few decisions follow each other, every one
 * at what its predecessor lets racks draw, from nothing upwards. Racks only seem to draw it: that
 * is over before time begins, and overloads and stops of it are nobody's. */
void mr_supply_govern_start(struct mr_supply *s)
{
    enum {
        n_decision = 8
    };
    s->is_probing = true;
    for (int k = 0; k < n_decision; k++) {
        s->grid_w = s->has_grid ? mr_chain_in_w(s->chain, 0) : 0;
        decide_at_once(s);
        for (uint32_t i = 0; i < s->site->n_rack; i++)
            if (s->rack[i].state == MR_SUPPLY_RACK_ON)
                mr_supply_draw(s, i, fmin(s->rack[i].demand_w, s->rack[i].cap_w));
        mr_chain_settle(s->chain);
    }
    for (uint32_t i = 0; i < s->site->n_rack; i++)
        mr_supply_draw(s, i, 0);
    mr_chain_settle(s->chain);
    s->is_probing = false;
}

/* No target asks for less yet: who is stopped now is stopped by the connection itself. */
void mr_supply_govern_tell_start(struct mr_supply *s)
{
    bool is_short = s->is_infeasible;
    for (uint32_t i = 0; i < s->site->n_rack; i++)
        is_short =
            is_short || s->rack[i].held != MR_SUPPLY_FREE || !mr_supply_is_whole(&s->rack[i]);
    if (is_short)
        tell_infeasible(s);
    mr_supply_hold_tell_start(s);
}

/* ---- what is due ---- */

/* From when on a decision counts the next target. */
static double known_s(const struct mr_supply *s)
{
    const double t_s = mr_feed_next_target_s(&s->feed) - mr_govern_latency_s(&s->params.govern);
    return t_s > s->t_s ? t_s : never;
}

double mr_supply_govern_next_s(const struct mr_supply *s)
{
    double next_s =
        s->has_feed ? fmin(mr_feed_next_s(&s->feed_params, &s->feed), known_s(s)) : never;
    if (!s->is_island)
        next_s = fmin(next_s, mr_feed_ride_next_s(&s->params.ride, &s->ride));
    for (uint32_t i = 0; i < s->site->n_rack; i++)
        if (s->rack[i].state == MR_SUPPLY_RACK_WAITING && s->rack[i].ready_s > s->t_s)
            next_s = fmin(next_s, s->rack[i].ready_s);
    return fmin(next_s, mr_supply_start_next_s(s));
}

/* What has just changed is read now, not at the next beat, unless a command is under way. */
static void hurry(struct mr_supply *s)
{
    if (s->clock.phase != MR_GOVERN_APPLY)
        s->clock = mr_govern_clock_start(s->t_s);
}

void mr_supply_govern_hurry(struct mr_supply *s)
{
    s->is_hurried |= s->clock.phase == MR_GOVERN_APPLY;
    hurry(s);
}

/* A target that begins is read at once, or as soon as a command under way is in force. */
static void tell_feed(struct mr_supply *s)
{
    for (uint32_t i = 0; i < s->feed.n_status; i++) {
        const struct mr_feed_status *status = &s->feed.status[i];
        if (status->event == MR_FEED_START_RAMP_DOWN)
            mr_supply_govern_hurry(s);
        s->feed_event = status->event != MR_FEED_PERIODIC ? status->event : s->feed_event;
        mr_supply_emit_status(s, status);
    }
    for (uint32_t i = 0; i < s->feed.n_alert; i++) {
        const struct mr_feed_alert *alert = &s->feed.alert[i];
        s->total.n_breach += alert->breach == MR_FEED_ACTIVE;
        mr_supply_emit_alert(s, alert);
    }
    s->feed.n_status = s->feed.n_alert = 0;
}

void mr_supply_govern_meter(struct mr_supply *s)
{
    if (!s->has_feed)
        return;
    mr_feed_step(&s->feed_params, &s->feed, s->t_s, s->grid_w);
    tell_feed(s);
}

static bool is_on_grid(int state)
{
    return state == MR_FEED_RIDE_ON || state == MR_FEED_RIDE_DIPPED ||
           state == MR_FEED_RIDE_RETURNING;
}

static void look_at_grid(struct mr_supply *s)
{
    mr_feed_ride_step(&s->params.ride, &s->ride, s->t_s, mr_supply_relay_voltage_frac(s));
    const bool has_voltage = is_on_grid(s->ride.state);
    const bool waits = has_voltage && !s->has_grid && mr_supply_back_must_wait(s);
    const bool has_grid = has_voltage && !waits;
    const bool is_coming = s->ride.state == MR_FEED_RIDE_WAITING || waits;
    if (waits && !s->is_coming)
        mr_supply_govern_hurry(s);
    else if (is_coming && !s->is_coming)
        hurry(s);
    s->back_s = is_coming && !s->is_coming ? s->t_s : s->back_s;
    s->is_coming = is_coming;
    if (has_grid == s->has_grid)
        return;
    s->has_grid = has_grid;
    mr_chain_set_source(s->chain, 0, has_grid);
    mr_supply_emit(s, has_grid ? MR_SUPPLY_GRID_BACK : MR_SUPPLY_GRID_LOST, s->site->name, "",
                   s->grid_w, 0);
    s->is_returning = has_grid;
    s->back_s = s->t_s;
    if (has_grid)
        hurry(s);
    s->is_sampled = s->is_counted = has_grid;
    if (!has_grid) { /* a decision may be due now: about what stands there now */
        mr_chain_settle(s->chain);
        (void)mr_supply_source_decide(s);
    }
    if (has_grid && s->has_permits) /* permits begin anew: nothing was given meanwhile */
        s->permit.ready_s = fmax(s->permit.ready_s, s->t_s);
}

void mr_supply_govern_act(struct mr_supply *s)
{
    mr_supply_odds_watch(s);
    mr_supply_relay_act(s);
    if (!s->is_island)
        look_at_grid(s);
    mr_supply_island_act(s);
    mr_supply_tree_watch(s);
    if (s->has_feed) {
        mr_feed_advance(&s->feed_params, &s->feed, s->t_s);
        tell_feed(s);
    }
    mr_govern_clock_skip(&s->clock, &s->params.govern, s->t_s);
    while (s->clock.next_s <= s->t_s) {
        switch (mr_govern_clock_step(&s->clock, &s->params.govern)) {
        case MR_GOVERN_SAMPLE:
            sample(s);
            break;
        case MR_GOVERN_DECIDE:
            decide(s);
            break;
        case MR_GOVERN_APPLY:
            apply(s);
            if (s->is_hurried)
                s->clock = mr_govern_clock_start(s->t_s);
            s->is_hurried = false;
            break;
        }
        mr_supply_still_look(s);
    }
    if (s->is_coming && s->is_counted) /* it has waited for that */
        look_at_grid(s);
}
