/* SPDX-License-Identifier: Apache-2.0 */
/* Seats in four states; what is needed is found anew at every look. Parts: the load - seats -
 * changes - life. */
#include "engine/twin/planner.h"

#include "engine/base/assert.h"
#include "engine/base/mem.h"
#include "engine/serve/handover.h"
#include "engine/serve/instance_wait.h"
#include "models/memory.h"

#include <math.h>
#include <stdio.h>

enum seat_state {
    SERVING, /* or held by others */
    STARTING,
    DRAINING,
    OFF
};

struct seat {
    double ready_s, since_s; /* of a start; in its state, starting or off */
    uint8_t state;           /* enum seat_state */
    bool flips;              /* while it drains: for the other pool */
};

struct pool {
    double read_s, start_s; /* seconds of an uncached token; of a start */
    double changed_s;       /* last change */
    int way;                /* of it: +1 more, -1 fewer */
    uint32_t n_owed;        /* starts that wait for seats of the other pool to drain */
};

struct mr_planner {
    struct mr_planner_plan plan;
    struct seat *seat;
    struct pool pool[2];
    struct mr_cell_sums before;     /* at the last look */
    double cached_frac, output_tok; /* of calls that ended */
    double look_s, ready_s;
    struct mr_planner_counts counts;
};

double mr_planner_start_s(const struct mr_planner_spec *spec, const struct mr_pool *pool)
{
    struct mr_memory memory = {0};
    struct mr_err err = {0};
    double bytes = spec->weight_bytes;
    if (bytes == 0 && pool->step != NULL &&
        mr_memory_of(&pool->setup, 1, 1, &memory, &err) == MR_OK)
        bytes = memory.weight_bytes * mr_pool_packages(pool);
    return spec->allocate_s +
           (bytes / spec->load_bytes_s + spec->warm_s) / (spec->is_fast ? spec->fast : 1);
}

/* ---- the load ---- */

/* Seconds of an instance for one token of output: the batch that fits, each at half its output. */
static double output_s(const struct mr_planner *planner, const struct mr_serving *serving,
                       double prompt_tok)
{
    const double context = fmax(1, prompt_tok + planner->output_tok / 2);
    const double room = floor((double)serving->n_block * serving->block_tokens / context);
    const double n = fmax(1, fmin((double)serving->batch_max, room));
    const struct mr_batch batch = {
        .n_decode = n,
        .kv_tokens = n * context,
        .window_kv_tokens =
            serving->window_tokens == 0 ? 0 : n * fmin(context, (double)serving->window_tokens)};
    return mr_pricer_step_s(&serving->pricer, &batch, 1) / (n * (1 + serving->accept.extra));
}

static double kv_of(const struct mr_planner_pool *pool, const struct mr_cell *cell, double now_s)
{
    double n = 0;
    for (uint32_t seat = pool->from; seat < pool->from + pool->n; seat++)
        n += 1 - (double)mr_handover_free(mr_cell_instance(cell, seat), now_s) /
                     (double)pool->pool->serving.n_block;
    return n;
}

/* What came since the last look, a second. */
struct load {
    double read_tok_s, made_tok_s, prompt_tok;
};

static struct load look(struct mr_planner *planner, const struct mr_cell *cell)
{
    const struct mr_cell_sums *now = &cell->sums, *was = &planner->before;
    const double over_s = planner->plan.spec.interval_s;
    const double n_come = (double)(now->n_come - was->n_come);
    const double come_tok = (double)(now->come_tok - was->come_tok);
    if (now->n_done > was->n_done) {
        planner->cached_frac =
            (double)(now->cached_tok - was->cached_tok) / (double)(now->read_tok - was->read_tok);
        planner->output_tok =
            (double)(now->made_tok - was->made_tok) / (double)(now->n_done - was->n_done);
    }
    planner->before = *now;
    return (struct load){come_tok * (1 - planner->cached_frac) / over_s,
                         n_come * planner->output_tok / over_s, n_come > 0 ? come_tok / n_come : 0};
}

static uint32_t needed(const struct mr_planner *planner, uint32_t p, const struct mr_cell *cell,
                       const struct load *load, double now_s)
{
    const struct mr_planner_spec *spec = &planner->plan.spec;
    const struct mr_planner_pool *pool = &planner->plan.pool[p];
    double n = 0;
    if (pool->reads)
        n += load->read_tok_s * planner->pool[p].read_s / spec->prompt_use;
    if (pool->decodes)
        n += fmax(load->made_tok_s * output_s(planner, &pool->pool->serving, load->prompt_tok),
                  kv_of(pool, cell, now_s)) /
             spec->output_use;
    return (uint32_t)fmin((double)pool->n_max, fmax((double)pool->n_min, ceil(n - 1e-9)));
}

/* ---- seats ---- */

static uint32_t count(const struct mr_planner *planner, uint32_t p, enum seat_state state)
{
    const struct mr_planner_pool *pool = &planner->plan.pool[p];
    uint32_t n = 0;
    for (uint32_t i = pool->from; i < pool->from + pool->n; i++)
        n += planner->seat[i].state == state;
    return n;
}

static void tell(const struct mr_planner *planner, uint32_t p, uint32_t seat, const char *kind,
                 double n_needed, double now_s)
{
    const struct mr_planner_pool *pool = &planner->plan.pool[p];
    char entity[64];
    if (planner->plan.event == NULL)
        return;
    snprintf(entity, sizeof entity, "%s %u", pool->name, seat - pool->from);
    planner->plan.event(planner->plan.context, now_s, kind, entity, n_needed,
                        count(planner, p, SERVING));
}

static void plan_ready(struct mr_planner *planner)
{
    planner->ready_s = (double)INFINITY;
    for (uint32_t p = 0; p < planner->plan.n_pool; p++)
        for (uint32_t i = 0; i < planner->plan.pool[p].n; i++) {
            const struct seat *s = &planner->seat[planner->plan.pool[p].from + i];
            if (s->state == STARTING)
                planner->ready_s = fmin(planner->ready_s, s->ready_s);
        }
}

/* The first one that is off. @return whether there is one */
static bool start(struct mr_planner *planner, uint32_t p, struct mr_cell *cell,
                  struct mr_outages *outages, double for_s, const char *kind, double n_needed,
                  double now_s)
{
    const struct mr_planner_pool *pool = &planner->plan.pool[p];
    uint32_t i = pool->from;
    while (i < pool->from + pool->n && planner->seat[i].state != OFF)
        i++;
    if (i == pool->from + pool->n)
        return false;
    planner->counts.off_s += now_s - planner->seat[i].since_s;
    planner->seat[i] = (struct seat){.state = STARTING, .since_s = now_s, .ready_s = now_s + for_s};
    planner->counts.n_start++;
    planner->pool[p].changed_s = now_s;
    planner->pool[p].way = 1;
    mr_outages_boot(outages, cell, i, now_s);
    tell(planner, p, i, kind, n_needed, now_s);
    plan_ready(planner);
    return true;
}

static mr_status get_ready(struct mr_planner *planner, struct mr_cell *cell,
                           struct mr_outages *outages, double now_s, struct mr_err *err)
{
    for (uint32_t p = 0; p < planner->plan.n_pool; p++)
        for (uint32_t k = 0; k < planner->plan.pool[p].n; k++) {
            const uint32_t i = planner->plan.pool[p].from + k;
            struct seat *s = &planner->seat[i];
            if (s->state != STARTING || s->ready_s > now_s)
                continue;
            s->state = SERVING;
            planner->counts.starting_s += now_s - s->since_s;
            MR_TRY(mr_outages_drain(outages, cell, i, -1, now_s, err));
            tell(planner, p, i, "plan.ready", (double)NAN, now_s);
        }
    plan_ready(planner);
    return MR_OK;
}

/* The one with the fewest calls, the last of equals. */
static mr_status drain(struct mr_planner *planner, uint32_t p, struct mr_cell *cell,
                       struct mr_outages *outages, bool flips, double n_needed, double now_s,
                       struct mr_err *err)
{
    const struct mr_planner_pool *pool = &planner->plan.pool[p];
    uint32_t best = UINT32_MAX;
    uint64_t least = UINT64_MAX;
    for (uint32_t i = pool->from; i < pool->from + pool->n; i++) {
        const struct mr_instance *instance = mr_cell_instance(cell, i);
        const uint64_t n = instance->n_run + instance->queue.n + instance->n_left;
        if (planner->seat[i].state != SERVING || n > least)
            continue;
        best = i;
        least = n;
    }
    MR_ASSERT(best != UINT32_MAX);
    planner->seat[best].state = DRAINING;
    planner->seat[best].flips = flips;
    planner->pool[p].changed_s = now_s;
    planner->pool[p].way = -1;
    MR_TRY(mr_outages_drain(outages, cell, best, 1, now_s, err));
    tell(planner, p, best, "plan.drain", n_needed, now_s);
    return MR_OK;
}

/* One that is down for another reason goes down no more. */
static mr_status switch_off(struct mr_planner *planner, uint32_t seat, struct mr_cell *cell,
                            struct mr_outages *outages, double now_s, struct mr_err *err)
{
    const uint32_t n_down = cell->seat[seat].n_down;
    MR_TRY(mr_outages_hold(outages, cell, seat, 1, now_s, err));
    planner->counts.n_off += cell->seat[seat].n_down - n_down;
    return MR_OK;
}

/* Those that are done are off, and may start again in the other pool. */
static mr_status stop_empty(struct mr_planner *planner, struct mr_cell *cell,
                            struct mr_outages *outages, double now_s, struct mr_err *err)
{
    for (uint32_t p = 0; p < planner->plan.n_pool; p++)
        for (uint32_t k = 0; k < planner->plan.pool[p].n; k++) {
            const uint32_t i = planner->plan.pool[p].from + k;
            struct seat *s = &planner->seat[i];
            if (s->state != DRAINING || !mr_cell_is_empty(cell, i))
                continue;
            const bool flips = s->flips;
            *s = (struct seat){.state = OFF, .since_s = now_s};
            MR_TRY(switch_off(planner, i, cell, outages, now_s, err));
            MR_TRY(mr_outages_drain(outages, cell, i, -1, now_s, err));
            planner->counts.n_stop++;
            tell(planner, p, i, "plan.stop", (double)NAN, now_s);
            if (!flips)
                continue;
            struct pool *other = &planner->pool[1 - p];
            other->n_owed--;
            if (start(planner, 1 - p, cell, outages, planner->plan.spec.flip_s, "plan.flip",
                      (double)NAN, now_s))
                planner->counts.n_flip++;
        }
    return MR_OK;
}

/* ---- changes ---- */

/* Serving, starting, or to be flipped. */
static uint32_t have(const struct mr_planner *planner, uint32_t p)
{
    return count(planner, p, SERVING) + count(planner, p, STARTING) + planner->pool[p].n_owed;
}

static bool may_turn(const struct mr_planner *planner, uint32_t p, int way, double now_s)
{
    const struct pool *pool = &planner->pool[p];
    return pool->way == 0 || pool->way == way ||
           now_s >= pool->changed_s + planner->plan.spec.cooldown_s;
}

/* Fewer serve when so many fewer are needed. */
static uint32_t surplus(const struct mr_planner *planner, uint32_t p, uint32_t n_needed)
{
    const uint32_t n = count(planner, p, SERVING);
    const double slack = planner->plan.spec.slack_frac;
    return n > n_needed && (double)n_needed <= (1 - slack) * (double)n ? n - n_needed : 0;
}

static mr_status grow(struct mr_planner *planner, uint32_t p, const uint32_t n_needed[2],
                      struct mr_cell *cell, struct mr_outages *outages, double now_s,
                      struct mr_err *err)
{
    const struct mr_planner_plan *plan = &planner->plan;
    const uint32_t n_pool = plan->n_pool, other = 1 - p;
    while (have(planner, p) < n_needed[p] && may_turn(planner, p, 1, now_s)) {
        uint64_t n_all = 0;
        for (uint32_t i = 0; i < n_pool; i++)
            n_all += count(planner, i, SERVING) + count(planner, i, STARTING) +
                     count(planner, i, DRAINING);
        if (plan->spec.n_total == 0 || n_all < plan->spec.n_total) {
            if (!start(planner, p, cell, outages, planner->pool[p].start_s, "plan.start",
                       n_needed[p], now_s))
                return MR_OK;
            continue;
        }
        if (n_pool < 2 || count(planner, other, SERVING) <= n_needed[other] ||
            !may_turn(planner, other, -1, now_s))
            return MR_OK;
        MR_TRY(drain(planner, other, cell, outages, true, n_needed[other], now_s, err));
        planner->pool[p].n_owed++;
    }
    return MR_OK;
}

static mr_status change(struct mr_planner *planner, struct mr_cell *cell,
                        struct mr_outages *outages, double now_s, struct mr_err *err)
{
    const struct load load = look(planner, cell);
    uint32_t n_needed[2] = {0};
    for (uint32_t p = 0; p < planner->plan.n_pool; p++)
        n_needed[p] = needed(planner, p, cell, &load, now_s);
    for (uint32_t p = 0; p < planner->plan.n_pool; p++)
        MR_TRY(grow(planner, p, n_needed, cell, outages, now_s, err));
    for (uint32_t p = 0; p < planner->plan.n_pool; p++)
        for (uint32_t n = surplus(planner, p, n_needed[p]);
             n > 0 && may_turn(planner, p, -1, now_s); n--)
            MR_TRY(drain(planner, p, cell, outages, false, n_needed[p], now_s, err));
    return MR_OK;
}

double mr_planner_next_s(const struct mr_planner *planner)
{
    return fmin(planner->look_s, planner->ready_s);
}

mr_status mr_planner_do(struct mr_planner *planner, struct mr_cell *cell,
                        struct mr_outages *outages, double now_s, struct mr_err *err)
{
    MR_TRY(get_ready(planner, cell, outages, now_s, err));
    if (now_s < planner->look_s)
        return MR_OK;
    planner->look_s += planner->plan.spec.interval_s;
    MR_TRY(stop_empty(planner, cell, outages, now_s, err));
    return change(planner, cell, outages, now_s, err);
}

/* ---- life ---- */

mr_status mr_planner_begin(struct mr_planner *planner, struct mr_cell *cell,
                           struct mr_outages *outages, struct mr_err *err)
{
    for (uint32_t p = 0; p < planner->plan.n_pool; p++) {
        const struct mr_planner_pool *pool = &planner->plan.pool[p];
        for (uint32_t i = pool->from + (uint32_t)pool->n_start; i < pool->from + pool->n; i++) {
            planner->seat[i].state = OFF;
            MR_TRY(switch_off(planner, i, cell, outages, 0, err));
        }
    }
    return MR_OK;
}

mr_status mr_planner_create(const struct mr_planner_plan *plan, struct mr_planner **out,
                            struct mr_err *err)
{
    uint32_t n_seat = 0;
    *out = NULL;
    struct mr_planner *planner = mr_alloc_zero(1, sizeof *planner);
    if (planner == NULL)
        return mr_err_nomem(err, sizeof *planner);
    planner->plan = *plan;
    for (uint32_t p = 0; p < plan->n_pool; p++) {
        struct mr_planner_pool *pool = &planner->plan.pool[p];
        pool->n_max = pool->n_max == 0 || pool->n_max > pool->n ? pool->n : pool->n_max;
        pool->n_min = pool->n_min > pool->n_max ? pool->n_max : pool->n_min;
        pool->n_start = pool->n_start == 0 || pool->n_start > pool->n_max ? pool->n_max
                        : pool->n_start < pool->n_min                     ? pool->n_min
                                                                          : pool->n_start;
        planner->pool[p].read_s = 1 / mr_instance_wait_pace_tok_s(&pool->pool->serving);
        planner->pool[p].start_s = mr_planner_start_s(&plan->spec, pool->pool);
        n_seat += pool->n;
    }
    planner->look_s = plan->spec.interval_s;
    planner->ready_s = (double)INFINITY;
    planner->seat = mr_alloc_zero(n_seat, sizeof *planner->seat);
    if (planner->seat == NULL) {
        mr_planner_destroy(planner);
        return mr_err_nomem(err, n_seat * sizeof *planner->seat);
    }
    *out = planner;
    return MR_OK;
}

void mr_planner_destroy(struct mr_planner *planner)
{
    if (planner == NULL)
        return;
    mr_free(planner->seat);
    mr_free(planner);
}

struct mr_planner_counts mr_planner_counted(const struct mr_planner *planner, double now_s)
{
    struct mr_planner_counts counts = planner->counts;
    for (uint32_t p = 0; p < planner->plan.n_pool; p++)
        for (uint32_t k = 0; k < planner->plan.pool[p].n; k++) {
            const struct seat *s = &planner->seat[planner->plan.pool[p].from + k];
            counts.off_s += s->state == OFF ? now_s - s->since_s : 0;
            counts.starting_s += s->state == STARTING ? now_s - s->since_s : 0;
        }
    return counts;
}
