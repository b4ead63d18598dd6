/* SPDX-License-Identifier: Apache-2.0 */
/* Flows in a chain.
 * Map: dates to watch - a node's units and law - watts, bottom-up - who feeds whom, top-down -
 * settling and time - inputs - ticks. chain_read.c tells what flows. */
#include "engine/base/assert.h"
#include "engine/base/mem.h"
#include "power/chain_impl.h"

#include <math.h>

static const double never = (double)INFINITY;

/* What is watched for, by kind and node. */
enum {
    due_transfer,
    due_trip,
    due_alarm,
    n_due_kind
};

const char *mr_chain_event_name(int kind)
{
    static const char *const names[] = {
#define EVENT_NAME(name, text, unit, doc) text,
        MR_CHAIN_EVENT_LIST(EVENT_NAME)
#undef EVENT_NAME
    };
    return kind >= 0 && kind < MR_N_CHAIN_EVENT ? names[kind] : "unknown";
}

static void emit(struct mr_chain *chain, int kind, uint32_t node, double value, double limit)
{
    const struct mr_chain_event event = {chain->now_s, (uint32_t)kind, node, value, limit};
    if (chain->options.take != NULL)
        chain->options.take(chain->options.context, &event);
}

/* ---- dates: a list of the finite ones, since few are at any time ---- */

static void set_due(struct mr_chain *chain, int kind, uint32_t node, double t_s)
{
    const uint32_t key = (uint32_t)kind * (uint32_t)chain->tree->n_node + node;
    uint32_t *place = &chain->due_place[key];
    chain->due_s[key] = t_s;
    if (t_s < never && *place == MR_CIRCUIT_NONE) {
        *place = (uint32_t)chain->n_due;
        chain->due_list[chain->n_due++] = key;
    } else if (!(t_s < never) && *place != MR_CIRCUIT_NONE) {
        const uint32_t last = chain->due_list[--chain->n_due];
        chain->due_list[*place] = last;
        chain->due_place[last] = *place;
        *place = MR_CIRCUIT_NONE;
    }
}

/* The earliest, among equals the lowest kind and node: the order of the list does not matter. */
static uint32_t first_due(const struct mr_chain *chain)
{
    uint32_t best = MR_CIRCUIT_NONE;
    for (size_t i = 0; i < chain->n_due; i++) {
        const uint32_t key = chain->due_list[i];
        if (best == MR_CIRCUIT_NONE || chain->due_s[key] < chain->due_s[best] ||
            (key < best && chain->due_s[key] == chain->due_s[best]))
            best = key;
    }
    return best;
}

/* ---- marks ---- */

static void mark(struct mr_chain *chain, uint32_t node)
{
    const size_t rank = chain->tree->rank[node], word = rank / 64;
    chain->dirty[word] |= UINT64_C(1) << rank % 64;
    if (word > chain->top)
        chain->top = word;
}

static void mark_feeds(struct mr_chain *chain, uint32_t node)
{
    const struct mr_chain_node *f = &chain->flow[node];
    for (uint32_t e = f->first_edge; e < f->first_edge + f->n_edge; e++)
        if (chain->share[e] != 0)
            mark(chain, chain->tree->edge[e].parent);
}

/* ---- a node's units ---- */

/* n units as one: n c + l p + (q / n) p^2 */
static void set_law(struct mr_chain *chain, uint32_t node)
{
    const struct mr_stage *unit = &chain->tree->node[node].units.unit;
    const double n = chain->units[node].n_on;
    struct mr_chain_node *f = &chain->flow[node];
    f->law = (struct mr_stage){n * unit->standing_w, unit->linear,
                               n > 0 ? unit->square_per_w / n : 0, n * unit->rating_w};
    f->is_stale = true;
}

static void tell_units(struct mr_chain *chain, uint32_t node, bool is_more)
{
    emit(chain, is_more ? MR_CHAIN_UNIT_ON : MR_CHAIN_UNIT_OFF, node, chain->units[node].n_on,
         chain->tree->node[node].units.n_installed);
}

static void restage(struct mr_chain *chain, uint32_t node, double out_w)
{
    const struct mr_units *units = &chain->tree->node[node].units;
    const int by = mr_units_step(units, &chain->units[node], out_w, chain->now_s);
    if (by == 0)
        return;
    set_law(chain, node);
    tell_units(chain, node, by > 0);
}

/* ---- watts ---- */

static double delivered_w(const struct mr_chain *chain, uint32_t node)
{
    const struct mr_circuit *tree = chain->tree;
    const struct mr_chain_node *f = &chain->flow[node];
    double sum_w = f->demand_w - f->inject_w;
    for (uint32_t d = tree->first_down[node]; d < tree->first_down[node + 1]; d++) {
        const uint32_t e = tree->down[d];
        if (chain->share[e] != 0)
            sum_w += chain->share[e] * chain->taken_w[tree->edge_child[e]];
    }
    return sum_w;
}

static void watch_breaker(struct mr_chain *chain, uint32_t node)
{
    const struct mr_breaker *breaker = &chain->tree->node[node].breaker;
    struct mr_breaker_state *state = &chain->breaker[node];
    const struct mr_chain_node *f = &chain->flow[node];
    const double n_on = fmax(1, chain->units[node].n_on);
    mr_breaker_set(breaker, state, fabs(f->out_w) / n_on * chain->tree->amp_per_w[node],
                   chain->now_s);
    set_due(chain, due_trip, node, mr_breaker_trip_s(breaker, state));
    set_due(chain, due_alarm, node, mr_breaker_alarm_s(breaker, state));
}

/* @return whether what is over is told later, if it still is */
static bool put_off(struct mr_chain *chain, uint32_t node)
{
    struct mr_chain_node *f = &chain->flow[node];
    if (chain->is_answering && !f->is_late) {
        f->is_late = true;
        chain->late[chain->n_late++] = node;
    }
    return chain->is_answering;
}

static void watch_load(struct mr_chain *chain, uint32_t node)
{
    struct mr_chain_node *f = &chain->flow[node];
    const double rating_w = f->law.rating_w * (1 + 1e-12);
    const bool is_over = f->is_live && fabs(f->out_w) > rating_w;
    if (is_over == f->is_over || put_off(chain, node))
        return;
    f->is_over = is_over;
    emit(chain, is_over ? MR_CHAIN_OVERLOAD : MR_CHAIN_OVERLOAD_END, node, f->out_w,
         f->law.rating_w);
}

static void watch_cables(struct mr_chain *chain, uint32_t node)
{
    const struct mr_chain_node *f = &chain->flow[node];
    for (uint32_t e = f->first_edge; e < f->first_edge + f->n_edge; e++) {
        const double w = fabs(f->in_w * chain->share[e]);
        const double rating_w = chain->tree->edge[e].rating_w;
        const bool is_over = w > rating_w * (1 + 1e-12);
        if (is_over == chain->is_cable_over[e] || put_off(chain, node))
            continue;
        if (is_over)
            emit(chain, MR_CHAIN_CABLE_OVERLOAD, node, w, rating_w);
        chain->is_cable_over[e] = is_over;
    }
}

static void recompute(struct mr_chain *chain, uint32_t node)
{
    struct mr_chain_node *f = &chain->flow[node];
    double out_w = 0, loss_w = 0;
    if (f->is_live) {
        out_w = delivered_w(chain, node);
        if (f->is_staged && fabs(out_w) > f->law.rating_w)
            restage(chain, node, out_w);
        loss_w = f->loss_w;
        if (f->is_stale || chain->options.loss_mode == MR_CHAIN_EVENT) {
            loss_w = mr_stage_loss_w(&f->law, 1, out_w);
            f->held_w = out_w;
            f->spread_w = 0;
            f->is_stale = false;
        }
        f->spread_w = fmax(f->spread_w, fabs(out_w - f->held_w));
    }
    const double in_w = out_w + loss_w;
    if (out_w != f->out_w || loss_w != f->loss_w) {
        mr_chain_account(chain, f);
        f->out_w = out_w;
        f->loss_w = loss_w;
    }
    if (f->has_breaker)
        watch_breaker(chain, node);
    watch_load(chain, node);
    if (in_w != f->in_w) {
        f->in_w = chain->taken_w[node] = in_w;
        mark_feeds(chain, node);
    }
    if (f->has_cable)
        watch_cables(chain, node);
}

/* Highest rank first: a node's children are done before it. */
static void flush(struct mr_chain *chain)
{
    for (size_t word = chain->top + 1; word-- > 0;)
        while (chain->dirty[word] != 0) {
            const int bit = 63 - __builtin_clzll(chain->dirty[word]);
            chain->dirty[word] &= ~(UINT64_C(1) << bit);
            recompute(chain, chain->tree->order[word * 64 + (size_t)bit]);
        }
    chain->top = 0;
}

/* ---- who feeds whom ---- */

static bool feed_is_live(const struct mr_chain *chain, const struct mr_circuit_node *desc,
                         uint32_t e)
{
    return chain->flow[chain->tree->edge[desc->first_edge + e].parent].is_live;
}

/* The first live feed. */
static uint32_t wanted_feed(const struct mr_chain *chain, const struct mr_circuit_node *desc)
{
    for (uint32_t e = 0; e < desc->n_edge; e++)
        if (feed_is_live(chain, desc, e))
            return e;
    return MR_CIRCUIT_NONE;
}

static void begin_change(struct mr_chain *chain, uint32_t node, uint32_t to)
{
    const struct mr_circuit_node *desc = &chain->tree->node[node];
    struct mr_chain_feed *feed = &chain->feed[node];
    if (feed->next == MR_CIRCUIT_NONE)
        feed->gap_s = chain->now_s;
    feed->now = MR_CIRCUIT_NONE;
    feed->next = to;
    feed->change_s = chain->now_s + desc->transfer_s;
    /* a node that was dark before has nothing to ride on */
    feed->is_ridden = chain->flow[node].is_live &&
                      feed->change_s - feed->gap_s <= chain->tree->holdup_s * (1 + 1e-12);
    set_due(chain, due_transfer, node, feed->change_s);
}

/* @return edge number that feeds the node now, or MR_CIRCUIT_NONE */
static uint32_t switched_feed(struct mr_chain *chain, uint32_t node)
{
    const struct mr_circuit_node *desc = &chain->tree->node[node];
    struct mr_chain_feed *feed = &chain->feed[node];
    const uint32_t to = wanted_feed(chain, desc);
    const bool may_return = mr_chain_may_return(chain, node);
    if (to == MR_CIRCUIT_NONE) {
        feed->now = feed->next = MR_CIRCUIT_NONE;
        set_due(chain, due_transfer, node, never);
        return MR_CIRCUIT_NONE;
    }
    if (feed->next == to && chain->now_s < feed->change_s)
        return MR_CIRCUIT_NONE;
    if (feed->next != to && feed->now != to) {
        /* back to a better feed only if nobody notices */
        if (feed->now != MR_CIRCUIT_NONE && feed_is_live(chain, desc, feed->now) && !may_return)
            return feed->now;
        begin_change(chain, node, to);
        if (desc->transfer_s > 0)
            return MR_CIRCUIT_NONE;
    }
    if (feed->next == to) {
        feed->now = to;
        feed->next = MR_CIRCUIT_NONE;
        set_due(chain, due_transfer, node, never);
        emit(chain, MR_CHAIN_TRANSFER, node, to, desc->n_edge);
    }
    return feed->now;
}

static void set_share(struct mr_chain *chain, uint32_t edge, double share)
{
    if (chain->share[edge] == share)
        return;
    chain->share[edge] = share;
    mark(chain, chain->tree->edge[edge].parent);
    mark(chain, chain->tree->edge_child[edge]); /* its cables */
}

/* @return whether anything feeds it */
static bool set_shares(struct mr_chain *chain, uint32_t node, bool can_work)
{
    const struct mr_circuit_node *desc = &chain->tree->node[node];
    double sum = 0;
    uint32_t only = MR_CIRCUIT_NONE;
    const bool is_switch = desc->split == MR_CIRCUIT_TRANSFER;
    if (is_switch && can_work)
        only = switched_feed(chain, node);
    for (uint32_t e = 0; can_work && !is_switch && e < desc->n_edge; e++)
        if (feed_is_live(chain, desc, e))
            sum += chain->tree->edge[desc->first_edge + e].share;
    for (uint32_t e = 0; e < desc->n_edge; e++) {
        double share = 0;
        if (is_switch)
            share = e == only;
        else if (sum > 0 && feed_is_live(chain, desc, e))
            share = chain->tree->edge[desc->first_edge + e].share / sum;
        set_share(chain, desc->first_edge + e, share);
    }
    return sum > 0 || only != MR_CIRCUIT_NONE;
}

static void rewire_node(struct mr_chain *chain, uint32_t node)
{
    const struct mr_circuit_node *desc = &chain->tree->node[node];
    struct mr_chain_node *f = &chain->flow[node];
    struct mr_chain_feed *feed = &chain->feed[node];
    const bool can_work = mr_chain_can_work(chain, node);
    const bool is_fed = set_shares(chain, node, can_work);
    const bool is_riding = feed->next != MR_CIRCUIT_NONE && feed->is_ridden;
    const bool is_source = desc->n_edge == 0 && feed->is_on;
    const bool is_own = can_work && !is_fed && !is_source && (feed->is_backed || is_riding);
    const bool is_live = can_work && (is_fed || is_source || is_own);
    if (is_live == f->is_live && is_own == f->is_own)
        return;
    mr_chain_account(chain, f);
    if (f->is_live && !is_live && can_work)
        emit(chain, MR_CHAIN_FEED_LOST, node, f->out_w, 0);
    if (!f->is_live && is_live)
        emit(chain, MR_CHAIN_FEED_BACK, node, f->demand_w, 0);
    f->is_live = is_live;
    f->is_own = is_own;
    f->is_stale = true;
    mark(chain, node);
}

static void rewire(struct mr_chain *chain)
{
    chain->is_rewired = false;
    for (size_t k = 0; k < chain->tree->n_node; k++)
        rewire_node(chain, chain->tree->order[k]);
}

/* ---- time ---- */

static void fire(struct mr_chain *chain, uint32_t key)
{
    const uint32_t n = (uint32_t)chain->tree->n_node, node = key % n;
    const struct mr_circuit_node *desc = &chain->tree->node[node];
    struct mr_breaker_state *state = &chain->breaker[node];
    switch (key / n) {
    case due_transfer: /* rewiring sees that the gap is over */
        chain->is_rewired = true;
        break;
    case due_trip:
        emit(chain, MR_CHAIN_TRIP, node, state->current_a, desc->breaker.rated_a);
        mr_breaker_open(&desc->breaker, state, chain->now_s);
        set_due(chain, due_trip, node, never);
        set_due(chain, due_alarm, node, never);
        chain->is_rewired = true;
        break;
    default:
        emit(chain, MR_CHAIN_ALARM, node, state->current_a,
             desc->breaker.continuous_frac * desc->breaker.rated_a);
        state->has_alarm = true;
        set_due(chain, due_alarm, node, never);
        break;
    }
}

static void refresh(struct mr_chain *chain)
{
    if (chain->is_rewired)
        rewire(chain);
    flush(chain);
}

double mr_chain_next_s(const struct mr_chain *chain)
{
    const uint32_t key = first_due(chain);
    return key == MR_CIRCUIT_NONE ? never : chain->due_s[key];
}

double mr_chain_now_s(const struct mr_chain *chain)
{
    return chain->now_s;
}

void mr_chain_advance(struct mr_chain *chain, double t_s)
{
    MR_ASSERT(t_s >= chain->now_s);
    refresh(chain);
    for (;;) {
        const uint32_t key = first_due(chain);
        if (key == MR_CIRCUIT_NONE || chain->due_s[key] > t_s)
            break;
        chain->now_s = fmax(chain->now_s, chain->due_s[key]);
        fire(chain, key);
        refresh(chain);
    }
    chain->now_s = t_s;
}

void mr_chain_settle(struct mr_chain *chain)
{
    mr_chain_advance(chain, chain->now_s);
}

void mr_chain_set_answering(struct mr_chain *chain, bool is_answering)
{
    chain->is_answering = is_answering;
    for (size_t i = 0; i < chain->n_late && !is_answering; i++) {
        const uint32_t node = chain->late[i];
        chain->flow[node].is_late = false;
        watch_load(chain, node);
        watch_cables(chain, node);
    }
    chain->n_late = is_answering ? chain->n_late : 0;
}

void mr_chain_warm(struct mr_chain *chain)
{
    mr_chain_settle(chain);
    for (uint32_t i = 0; i < chain->tree->n_node; i++) {
        const struct mr_breaker *breaker = &chain->tree->node[i].breaker;
        struct mr_breaker_state *state = &chain->breaker[i];
        if (!chain->flow[i].has_breaker || state->is_open)
            continue;
        watch_breaker(chain, i);
        const double most_a = isinf(mr_breaker_trip_s(breaker, state))
                                  ? state->current_a
                                  : breaker->continuous_frac * breaker->rated_a;
        state->heat = mr_breaker_start(breaker, most_a, chain->now_s).heat;
        set_due(chain, due_trip, i, mr_breaker_trip_s(breaker, state));
    }
}

/* ---- building ---- */

static void *zero(struct mr_chain *chain, size_t n, size_t size, struct mr_err *err)
{
    return mr_arena_zero(&chain->arena, n, size, err);
}

static mr_status allocate(struct mr_chain *chain, struct mr_err *err)
{
    const size_t n = chain->tree->n_node, m = chain->tree->n_edge;
    chain->flow = zero(chain, n, sizeof *chain->flow, err);
    chain->taken_w = zero(chain, n, sizeof *chain->taken_w, err);
    chain->feed = zero(chain, n, sizeof *chain->feed, err);
    chain->units = zero(chain, n, sizeof *chain->units, err);
    chain->breaker = zero(chain, n, sizeof *chain->breaker, err);
    chain->share = zero(chain, m, sizeof *chain->share, err);
    chain->is_cable_over = zero(chain, m, sizeof *chain->is_cable_over, err);
    chain->dirty = zero(chain, n / 64 + 1, sizeof *chain->dirty, err);
    chain->due_s = zero(chain, n_due_kind * n, sizeof *chain->due_s, err);
    chain->due_place = zero(chain, n_due_kind * n, sizeof *chain->due_place, err);
    chain->due_list = zero(chain, n_due_kind * n, sizeof *chain->due_list, err);
    chain->carry_w = zero(chain, n, sizeof *chain->carry_w, err);
    chain->asked_w = zero(chain, n, sizeof *chain->asked_w, err);
    chain->is_asked = zero(chain, n, sizeof *chain->is_asked, err);
    chain->staged = zero(chain, n, sizeof *chain->staged, err);
    chain->late = zero(chain, n, sizeof *chain->late, err);
    if (chain->flow == NULL || chain->taken_w == NULL || chain->feed == NULL ||
        chain->units == NULL || chain->breaker == NULL || chain->share == NULL ||
        chain->is_cable_over == NULL || chain->dirty == NULL || chain->due_s == NULL ||
        chain->due_place == NULL || chain->due_list == NULL || chain->carry_w == NULL ||
        chain->asked_w == NULL || chain->is_asked == NULL || chain->staged == NULL ||
        chain->late == NULL)
        return MR_NOMEM;
    return MR_OK;
}

static void start_node(struct mr_chain *chain, uint32_t i)
{
    const struct mr_circuit_node *desc = &chain->tree->node[i];
    chain->units[i] = mr_units_start(&desc->units);
    chain->breaker[i] = mr_breaker_start(&desc->breaker, 0, chain->now_s);
    chain->feed[i] =
        (struct mr_chain_feed){.next = MR_CIRCUIT_NONE, .is_on = true, .gap_s = chain->now_s};
    chain->flow[i] = (struct mr_chain_node){
        .since_s = chain->now_s,
        .first_edge = desc->first_edge,
        .n_edge = desc->n_edge,
        .is_live = true,
        .has_breaker = desc->breaker.law != MR_BREAKER_NONE && !chain->options.has_no_trips,
        .is_staged = desc->units.staging != MR_UNITS_ALL && desc->units.n_installed > 1};
    for (uint32_t e = desc->first_edge; e < desc->first_edge + desc->n_edge; e++)
        chain->flow[i].has_cable |= !isinf(chain->tree->edge[e].rating_w);
    if (chain->flow[i].is_staged)
        chain->staged[chain->n_staged++] = i;
    set_law(chain, i);
    mark(chain, i);
}

mr_status mr_chain_create(const struct mr_circuit *tree, const struct mr_chain_options *options,
                          struct mr_chain **out, struct mr_err *err)
{
    struct mr_chain *chain = mr_alloc_zero(1, sizeof *chain);
    *out = NULL;
    if (chain == NULL)
        return mr_err_nomem(err, sizeof *chain);
    MR_ASSERT(tree->n_node * n_due_kind < MR_CIRCUIT_NONE);
    chain->tree = tree;
    chain->options = *options;
    chain->now_s = options->t_s;
    if (allocate(chain, err) != MR_OK) {
        mr_chain_destroy(chain);
        return MR_NOMEM;
    }
    for (size_t i = 0; i < n_due_kind * tree->n_node; i++) {
        chain->due_s[i] = never;
        chain->due_place[i] = MR_CIRCUIT_NONE;
    }
    for (uint32_t i = 0; i < tree->n_node; i++)
        start_node(chain, i);
    rewire(chain);
    flush(chain);
    *out = chain;
    return MR_OK;
}

void mr_chain_destroy(struct mr_chain *chain)
{
    if (chain == NULL)
        return;
    mr_arena_fini(&chain->arena);
    mr_free(chain);
}

/* ---- inputs ---- */

bool mr_chain_set_demand(struct mr_chain *chain, uint32_t node, double w)
{
    struct mr_chain_node *f = &chain->flow[node];
    MR_ASSERT(isfinite(w));
    if (w == f->demand_w)
        return false;
    mr_chain_account(chain, f);
    f->demand_w = w;
    mark(chain, node);
    return true;
}

void mr_chain_set_demands(struct mr_chain *chain, uint32_t first, size_t n, const double *w)
{
    MR_ASSERT(first + n <= chain->tree->n_node);
    for (size_t i = 0; i < n; i++)
        (void)mr_chain_set_demand(chain, first + (uint32_t)i, w[i]);
}

void mr_chain_set_inject(struct mr_chain *chain, uint32_t node, double w)
{
    struct mr_chain_node *f = &chain->flow[node];
    MR_ASSERT(isfinite(w));
    if (w == f->inject_w)
        return;
    mr_chain_account(chain, f);
    f->inject_w = w;
    mark(chain, node);
}

static void set_flag(struct mr_chain *chain, bool *flag, bool value)
{
    if (*flag != value)
        chain->is_rewired = true;
    *flag = value;
}

void mr_chain_set_source(struct mr_chain *chain, uint32_t node, bool is_on)
{
    MR_ASSERT(chain->tree->node[node].n_edge == 0);
    set_flag(chain, &chain->feed[node].is_on, is_on);
}

void mr_chain_set_backed(struct mr_chain *chain, uint32_t node, bool is_backed)
{
    set_flag(chain, &chain->feed[node].is_backed, is_backed);
}

void mr_chain_set_failed(struct mr_chain *chain, uint32_t node, bool has_failed)
{
    set_flag(chain, &chain->feed[node].has_failed, has_failed);
}

void mr_chain_set_units_failed(struct mr_chain *chain, uint32_t node, uint32_t n_failed)
{
    const struct mr_units *units = &chain->tree->node[node].units;
    const uint32_t n_on = chain->units[node].n_on;
    mr_units_set_failed(units, &chain->units[node], n_failed, chain->flow[node].out_w,
                        chain->now_s);
    chain->is_rewired = true;
    if (chain->units[node].n_on == n_on)
        return;
    set_law(chain, node);
    mark(chain, node);
    tell_units(chain, node, chain->units[node].n_on > n_on);
}

void mr_chain_set_open(struct mr_chain *chain, uint32_t node, bool is_open)
{
    struct mr_breaker_state *state = &chain->breaker[node];
    const struct mr_breaker *breaker = &chain->tree->node[node].breaker;
    set_flag(chain, &chain->feed[node].is_open, is_open);
    if (!is_open && state->is_open) {
        mr_breaker_close(breaker, state, chain->now_s);
        chain->is_rewired = true;
    }
}

/* ---- ticks ---- */

/* With the delivered power off by up to d, a loss that was held is off by no more than the slope at
 * the largest |power| times d, and what feeds the node is off by that too. */
static double held_bound_w(struct mr_chain *chain)
{
    const struct mr_circuit *tree = chain->tree;
    double sum_w = 0;
    for (size_t i = 0; i < tree->n_node; i++)
        chain->carry_w[i] = 0;
    for (size_t k = tree->n_node; k-- > 0;) {
        const uint32_t i = tree->order[k];
        const struct mr_chain_node *f = &chain->flow[i];
        const double off_w = f->spread_w + chain->carry_w[i];
        if (!(off_w > 0))
            continue;
        const double load_w =
            fmin(fabs(f->held_w) + off_w, mr_stage_clip * f->law.rating_w * (1 - 1e-15));
        const double loss_w = off_w * (f->law.linear + 2 * f->law.square_per_w * load_w);
        sum_w += loss_w;
        for (uint32_t e = 0; e < tree->node[i].n_edge; e++) {
            const uint32_t edge = tree->node[i].first_edge + e;
            chain->carry_w[tree->edge[edge].parent] +=
                chain->share[edge] * (loss_w + chain->carry_w[i]);
        }
    }
    return sum_w;
}

double mr_chain_staging_s(const struct mr_chain *chain)
{
    double next_s = never;
    for (size_t i = 0; i < chain->n_staged; i++) {
        const uint32_t node = chain->staged[i];
        const struct mr_units *units = &chain->tree->node[node].units;
        const struct mr_units_state *state = &chain->units[node];
        if (chain->flow[node].is_live &&
            mr_units_wanted(units, state, chain->flow[node].out_w) != state->n_on)
            next_s = fmin(next_s, fmax(chain->now_s, state->change_s + units->dwell_s));
    }
    return next_s;
}

void mr_chain_tick(struct mr_chain *chain)
{
    mr_chain_settle(chain);
    for (size_t i = 0; i < chain->n_staged; i++) {
        const uint32_t node = chain->staged[i];
        if (!chain->flow[node].is_live)
            continue;
        restage(chain, node, chain->flow[node].out_w);
        if (chain->flow[node].is_stale)
            mark(chain, node);
    }
    if (chain->options.loss_mode == MR_CHAIN_HOLD) {
        chain->hold_w = fmax(chain->hold_w, held_bound_w(chain));
        for (uint32_t i = 0; i < chain->tree->n_node; i++)
            if (chain->flow[i].spread_w > 0) {
                chain->flow[i].is_stale = true;
                mark(chain, i);
            }
        /* a loss made exact changes what its feeds deliver: their losses follow in the same pass */
        chain->options.loss_mode = MR_CHAIN_EVENT;
        mr_chain_settle(chain);
        chain->options.loss_mode = MR_CHAIN_HOLD;
        return;
    }
    mr_chain_settle(chain);
}
