/* SPDX-License-Identifier: Apache-2.0 */
/* A run of an open-loop workload, or of agents, on one pool of instances, or on two. Events are
 * played up to every arrival, then it is routed; after the last one until nothing runs, or until
 * the end that was asked for. Parts: pools - calls that end - the loop - life. */
#include "engine/twin/play.h"

#include "engine/base/assert.h"
#include "engine/base/csv.h"
#include "engine/base/file.h"
#include "engine/base/mem.h"
#include "engine/serve/cache_names.h"
#include "engine/twin/factory.h"
#include "engine/twin/gauge.h"
#include "engine/twin/outages.h"
#include "engine/twin/planner.h"
#include "engine/twin/pool.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

struct run {
    const struct mr_scenario *scenario;
    const struct mr_play_options *options;
    struct mr_play_result *result;
    struct mr_shelf *shelf;
    struct mr_pool pool, prefill; /* prefill: all 0 when there is none */
    struct mr_split_plan split;
    struct mr_cell cell;
    struct mr_outages *outages;
    struct mr_planner *planner;          /* NULL: all instances serve */
    struct mr_factory *factory;          /* NULL: no site */
    struct mr_arrivals_source *arrivals; /* or: */
    struct mr_agents *agents;
    const char *tier_name[MR_SCENARIO_TIERS];
    uint64_t n_sample;
    struct mr_cache_runs runs; /* of the call that comes */
    uint32_t *host;            /* of every seat, on options->net */
    struct mr_file_out requests;
    struct mr_buf row;
    mr_status st; /* of writing rows: sinks return nothing */
    struct mr_err err;
};

/* ---- pools ---- */

/* Hash ids name whole blocks only. */
static mr_status check_hashes(const struct run *run, uint64_t n_hash_tok, struct mr_err *err)
{
    if (!run->pool.serving.has_cache || n_hash_tok % run->pool.serving.block_tokens == 0)
        return MR_OK;
    return mr_err_set(err, MR_RANGE, (struct mr_place){run->scenario->path, 0, 0},
                      "workload: a hash id stands for %llu tokens, which are no whole blocks of %u "
                      "(\"hash_block\", or \"block\" of the deployment)",
                      (unsigned long long)n_hash_tok, run->pool.serving.block_tokens);
}

static mr_status open_pools(struct run *run, struct mr_diags *diags, struct mr_err *err)
{
    const struct mr_scenario *scenario = run->scenario;
    MR_TRY(mr_shelf_create(&run->shelf, err));
    MR_TRY(mr_pool_open(run->shelf, scenario, &scenario->deployment, "deployment", &run->pool,
                        diags, err));
    run->pool.serving.steps_singly = run->options->steps_singly;
    if (!scenario->has_agents && scenario->workload.file != NULL)
        MR_TRY(check_hashes(run, scenario->workload.n_hash_tok, err));
    if (!scenario->has_prefill)
        return MR_OK;
    MR_TRY(mr_pool_open(run->shelf, scenario, &scenario->prefill, "prefill", &run->prefill, diags,
                        err));
    run->prefill.serving.steps_singly = run->options->steps_singly;
    MR_TRY(mr_pool_split(scenario, &run->prefill, &run->pool, &run->split, err));
    run->split.net = run->options->net;
    return MR_OK;
}

static void close_pools(struct run *run)
{
    mr_pool_close(&run->pool);
    mr_pool_close(&run->prefill);
    mr_shelf_destroy(run->shelf);
}

/* ---- calls that end ---- */

static void put_instance(struct mr_csv_writer *w, uint32_t instance)
{
    if (instance != MR_ROUTER_NOWHERE)
        mr_csv_put_u64(w, instance);
    else
        mr_csv_put_f64(w, (double)NAN);
}

static mr_status write_row(struct run *run, const struct mr_play_row *row)
{
    struct mr_csv_writer w = {.buf = &run->row};
    run->row.n = 0;
    mr_csv_put_u64(&w, row->id);
    mr_csv_put_u64(&w, row->session);
    mr_csv_put_text(&w, run->scenario->tier[row->tier].name);
    mr_csv_put_f64(&w, row->arrived_s);
    mr_csv_put_f64(&w, row->scheduled_s);
    mr_csv_put_f64(&w, row->first_token_s);
    mr_csv_put_f64(&w, row->finished_s);
    mr_csv_put_u64(&w, row->input);
    mr_csv_put_u64(&w, row->cached_input);
    mr_csv_put_u64(&w, row->output);
    mr_csv_put_u64(&w, row->restarts);
    put_instance(&w, row->instance);
    put_instance(&w, row->prefill_instance);
    mr_csv_put_text(&w, mr_play_outcome_name(row->outcome));
    mr_csv_put_end(&w);
    MR_TRY(mr_buf_check(&run->row, &run->err));
    return mr_file_out_add(&run->requests, run->row.text, run->row.n, &run->err);
}

/* As the workload numbers them. */
static uint32_t session_of(const struct run *run, const struct mr_ticket *ticket)
{
    if (run->agents != NULL)
        return mr_agents_session(run->agents, ticket);
    return ticket->is_alone ? ticket->session : mr_arrivals_session(run->arrivals, ticket->session);
}

/* @param[in] call NULL: it was refused */
static void put_row(struct run *run, const struct mr_ticket *ticket, const struct mr_call *call,
                    double arrived_s, double finished_s, uint8_t outcome)
{
    const double nan = (double)NAN;
    const struct mr_play_row row = {
        .id = ticket->id,
        .arrived_s = arrived_s,
        .scheduled_s = call != NULL && call->is_scheduled ? call->scheduled_s : nan,
        .first_token_s = call != NULL && call->has_first ? call->first_s : nan,
        .finished_s = finished_s,
        .session = session_of(run, ticket),
        .instance = ticket->instance,
        .input = ticket->n_prompt,
        .cached_input = call != NULL ? call->n_cached : 0,
        .output = ticket->n_output,
        .restarts = call != NULL ? call->n_restart : 0,
        .prefill_instance = ticket->prefill,
        .tier = ticket->tier,
        .outcome = outcome};
    if (run->st == MR_OK && run->options->requests_path != NULL)
        run->st = write_row(run, &row);
    if (run->st == MR_OK && run->options->on_call != NULL)
        run->st = run->options->on_call(run->options->context, &row, &run->err);
}

static void finished(void *context, const struct mr_ticket *ticket, const struct mr_call *call,
                     double now_s)
{
    struct run *run = context;
    struct mr_play_tier *tier = &run->result->tier[ticket->tier];
    const struct mr_scenario_tier *goal = &run->scenario->tier[ticket->tier];
    const double ttft_s = call->first_s - call->arrived_s;
    const double tpot_s =
        ticket->n_output > 1 ? (now_s - call->first_s) / (ticket->n_output - 1) : 0;
    tier->n_finished++;
    tier->n_input += ticket->n_prompt;
    tier->n_cached += ticket->n_cached;
    tier->n_output += ticket->n_output;
    mr_hist_add(&tier->ttft, ttft_s);
    if (ticket->n_output > 1)
        mr_hist_add(&tier->tpot, tpot_s);
    mr_hist_add(&tier->e2e, now_s - call->arrived_s);
    tier->n_met += (goal->ttft_s == 0 || ttft_s <= goal->ttft_s) &&
                   (goal->tpot_s == 0 || tpot_s <= goal->tpot_s);
    run->result->sim_s = fmax(run->result->sim_s, now_s);
    put_row(run, ticket, call, call->arrived_s, now_s, MR_PLAY_FINISHED);
    if (run->agents != NULL)
        mr_agents_finished(run->agents, ticket, call, now_s);
}

static void refused(void *context, const struct mr_ticket *ticket, double now_s,
                    enum mr_cell_refusal why)
{
    struct run *run = context;
    run->result->tier[ticket->tier].n_refused[why]++;
    put_row(run, ticket, NULL, now_s, (double)NAN, (uint8_t)(MR_PLAY_REFUSED + (int)why));
    if (run->agents != NULL)
        mr_agents_refused(run->agents, ticket, now_s, why);
}

/* It waited outside in vain. */
static void expired(void *context, const struct mr_ticket *ticket, const struct mr_call *call,
                    double now_s)
{
    struct run *run = context;
    run->result->tier[ticket->tier].n_refused[MR_CELL_REFUSAL_EXPIRED]++;
    run->result->sim_s = fmax(run->result->sim_s, now_s);
    put_row(run, ticket, NULL, call->arrived_s, (double)NAN,
            MR_PLAY_REFUSED + MR_CELL_REFUSAL_EXPIRED);
    if (run->agents != NULL)
        mr_agents_refused(run->agents, ticket, now_s, MR_CELL_REFUSAL_EXPIRED);
}

static void moved(void *context, const struct mr_ticket *ticket, uint8_t from_tier)
{
    struct run *run = context;
    run->result->tier[from_tier].n_moved_out++;
    run->result->tier[ticket->tier].n_moved_in++;
}

static void arrived(void *context, uint8_t tier)
{
    struct run *run = context;
    run->result->tier[tier].n_arrived++;
}

static mr_status session_ended(void *context, const struct mr_agents_row *row, struct mr_err *err)
{
    struct run *run = context;
    run->result->sim_s = fmax(run->result->sim_s, row->finished_s);
    if (!row->failed)
        mr_hist_add(&run->result->tier[row->tier].completion, row->finished_s - row->started_s);
    if (run->options->on_session == NULL)
        return MR_OK;
    return run->options->on_session(run->options->context, row, err);
}

/* ---- looking on ---- */

static double idle_w(const struct mr_pool *pool)
{
    return pool->step != NULL ? mr_power_idle_w(&pool->power, 60) : (double)NAN;
}

/* Seconds in which a seat drew no more than idling: neither at work nor down. */
static double idle_s(const struct mr_cell *cell, uint32_t seat, double now_s)
{
    const struct mr_instance *instance = mr_cell_instance(cell, seat);
    const struct mr_segment *segment = &instance->segment;
    const bool is_busy = segment->n_step > 0 && !instance->is_starting && now_s > segment->start_s;
    const double busy_s = instance->busy_s + (is_busy ? now_s - segment->start_s : 0);
    return fmax(0, now_s - busy_s - mr_cell_down_s(cell, seat, now_s));
}

static struct mr_play_pool look_at(const struct run *run, const struct mr_pool *pool, uint32_t from,
                                   uint32_t n, double now_s)
{
    const struct mr_cell *cell = &run->cell;
    struct mr_play_pool p = {0};
    for (uint32_t seat = from; seat < from + n; seat++) {
        const struct mr_instance *instance = mr_cell_instance(cell, seat);
        const struct mr_gauge gauge = mr_gauge_of(instance, now_s);
        p.n_open += cell->seat[seat].state == MR_CELL_SEAT_UP;
        p.n_waiting += (double)instance->queue.n;
        p.n_running += instance->n_run;
        p.kv_used_frac += gauge.kv_used_frac;
        p.n_token += gauge.n_token;
        p.package_j += mr_pool_packages(pool) * (mr_instance_energy_j(instance, now_s) +
                                                 idle_s(cell, seat, now_s) * idle_w(pool));
    }
    p.kv_used_frac /= n;
    return p;
}

static void take_sample(struct run *run, double now_s)
{
    const struct mr_scenario *scenario = run->scenario;
    const uint32_t n_decode = run->cell.plan.n_instance;
    struct mr_play_sample sample = {.t_s = now_s, .factory = run->factory};
    sample.pool[0] = look_at(run, &run->pool, 0, n_decode, now_s);
    sample.pool[0].n_waiting += (double)run->cell.n_parked;
    if (run->cell.split != NULL)
        sample.pool[1] = look_at(run, &run->prefill, n_decode, run->split.n_instance, now_s);
    for (size_t i = 0; i < scenario->n_tier; i++) {
        const struct mr_play_tier *tier = &run->result->tier[i];
        struct mr_play_level *level = &sample.tier[i];
        level->n_arrived = (double)(tier->n_arrived + tier->n_moved_in - tier->n_moved_out);
        level->n_finished = (double)tier->n_finished;
        for (int k = 0; k < MR_CELL_REFUSALS; k++)
            level->n_refused += (double)tier->n_refused[k];
        level->n_output = (double)tier->n_output;
    }
    if (run->st == MR_OK)
        run->st = run->options->on_sample(run->options->context, &sample, &run->err);
}

/* All dates that come before the next event. */
static void watch(void *context, double before_s)
{
    struct run *run = context;
    while (run->cell.watch_s < before_s) {
        take_sample(run, run->cell.watch_s);
        run->cell.watch_s = (double)++run->n_sample * run->options->sample_s;
    }
}

static void watch_end(struct run *run)
{
    if (run->options->on_sample == NULL)
        return;
    watch(run, run->result->sim_s);
    take_sample(run, run->result->sim_s);
}

/* ---- the loop ---- */

/* Events before a time. */
static mr_status play_until(struct run *run, double until_s, struct mr_err *err)
{
    return run->agents != NULL ? mr_agents_play(run->agents, until_s, err)
                               : mr_cell_play(&run->cell, until_s, err);
}

/* Is anything left to come? */
static bool is_over(const struct run *run)
{
    const double due_s =
        run->agents != NULL ? mr_agents_due_s(run->agents) : mr_cell_due_s(&run->cell);
    return isinf(due_s) && run->cell.n_parked == 0;
}

static double next_date_s(const struct run *run)
{
    const double never_s = (double)INFINITY;
    const double site_s = run->factory != NULL ? mr_factory_next_s(run->factory) : never_s;
    const double plan_s = run->planner != NULL ? mr_planner_next_s(run->planner) : never_s;
    return fmin(mr_outages_next_s(run->outages), fmin(plan_s, site_s));
}

/* What is not of the cell happens. */
static mr_status do_date(struct run *run, double now_s, struct mr_err *err)
{
    if (mr_outages_next_s(run->outages) <= now_s)
        return mr_outages_do(run->outages, &run->cell, err);
    if (run->planner != NULL && mr_planner_next_s(run->planner) <= now_s)
        return mr_planner_do(run->planner, &run->cell, run->outages, now_s, err);
    return mr_factory_do(run->factory, &run->cell, run->outages, now_s, err);
}

static mr_status go_to(struct run *run, double to_s, struct mr_err *err)
{
    for (;;) {
        const double next_s = next_date_s(run);
        /* without an end: as long as there are calls */
        if (next_s > to_s || isinf(next_s) || (isinf(to_s) && is_over(run)))
            return play_until(run, to_s, err);
        MR_TRY(play_until(run, next_s, err));
        if (isinf(to_s) && is_over(run))
            return MR_OK;
        MR_TRY(do_date(run, next_s, err));
    }
}

/* ---- the site ---- */

/* Kinds of events that are limits passed. */
static const char *const bad_kinds[] = {"th.throttle_on",
                                        "th.hbm_limit",
                                        "th.shutdown",
                                        "th.supply_high",
                                        "th.rack_return_high",
                                        "th.room_high",
                                        "power.breaker_trip",
                                        "power.stage_overload",
                                        "power.cable_overload",
                                        "power.rack_lost",
                                        "power.budget_infeasible",
                                        "power.ramp_violation",
                                        "power.source_short",
                                        "grid.powerbreach"};

static void count_violation(struct mr_play_result *result, const struct mr_play_event *event)
{
    size_t k = 0, i = 0;
    while (k < sizeof bad_kinds / sizeof *bad_kinds && strcmp(bad_kinds[k], event->kind) != 0)
        k++;
    if (k == sizeof bad_kinds / sizeof *bad_kinds)
        return;
    while (i < result->n_violation && strcmp(result->violation[i].what, event->kind) != 0)
        i++;
    struct mr_play_violation *v = &result->violation[i];
    if (i == result->n_violation) {
        *v = (struct mr_play_violation){.what = bad_kinds[k], .first_s = event->t_s};
        snprintf(v->where, sizeof v->where, "%s", event->entity);
        result->n_violation++;
    }
    v->count++;
}

static void take_event(void *context, double t_s, const char *kind, const char *entity,
                       double value, double limit)
{
    struct run *run = context;
    const struct mr_play_event event = {t_s, kind, entity, value, limit};
    count_violation(run->result, &event);
    if (run->st == MR_OK && run->options->on_event != NULL)
        run->st = run->options->on_event(run->options->context, &event, &run->err);
}

static mr_status open_site(struct run *run, struct mr_diags *diags)
{
    const struct mr_scenario *scenario = run->scenario;
    const struct mr_factory_sink sink = {take_event, run};
    if (scenario->site.file == NULL)
        return MR_OK;
    return mr_factory_open(scenario, &run->pool, scenario->has_prefill ? &run->prefill : NULL,
                           &sink, &run->factory, diags);
}

/* An instance talks from the host of its first package. */
static mr_status find_hosts(struct run *run, struct mr_err *err)
{
    if (run->options->net == NULL || run->cell.split == NULL)
        return MR_OK;
    const struct mr_stand *stand = mr_factory_stand(run->factory);
    const struct mr_site *site = mr_factory_site(run->factory);
    run->host = mr_alloc(stand->n_instance, sizeof *run->host);
    if (run->host == NULL)
        return mr_err_nomem(err, stand->n_instance * sizeof *run->host);
    for (uint32_t i = 0; i < stand->n_instance; i++) {
        const struct mr_stand_span *span = &stand->span[stand->begin[i]];
        run->host[i] = run->options->host_of(site, span->rack, span->first);
    }
    run->cell.split->plan.host = run->host;
    return MR_OK;
}

/* To the end of the run, then the sums. */
static mr_status close_books(struct run *run, struct mr_err *err)
{
    struct mr_play_result *result = run->result;
    if (run->factory == NULL)
        return MR_OK;
    struct mr_exchange *exchange = mr_factory_exchange(run->factory);
    if (result->sim_s > mr_exchange_now_s(exchange))
        MR_TRY(mr_factory_do(run->factory, &run->cell, run->outages, result->sim_s, err));
    result->has_site = true;
    mr_exchange_sums(exchange, &result->site);
    result->capital_usd = mr_factory_capital_usd(run->factory);
    const double limit_w = mr_factory_site(run->factory)->grid.limit_w;
    result->feed_limit_w = limit_w > 0 ? limit_w : (double)INFINITY;
    return MR_OK;
}

/* Whole blocks of a prompt that a trace's hash ids name: each id stands for as many names in
 * sequence as it has blocks. The highest bit keeps them apart from names by session and place. */
static mr_status name_blocks(struct run *run, const struct mr_arrival *arrival, struct mr_err *err)
{
    static const uint64_t apart = (uint64_t)1 << 63;
    const uint64_t per_hash = mr_arrivals_hash_tok(run->arrivals) / run->pool.serving.block_tokens;
    uint64_t n_left = arrival->n_input / run->pool.serving.block_tokens;
    run->runs.n = 0;
    for (size_t i = 0; i < arrival->n_hash && n_left > 0; i++) {
        const uint64_t n = per_hash < n_left ? per_hash : n_left;
        const struct mr_cache_run blocks = {apart ^ arrival->hash[i] * per_hash, (uint32_t)n};
        MR_TRY(mr_cache_names_run(&run->runs, blocks, err));
        n_left -= n;
    }
    return MR_OK;
}

static mr_status play_arrivals(struct run *run, double end_s, struct mr_err *err)
{
    const struct mr_scenario *scenario = run->scenario;
    struct mr_arrival arrival;
    for (uint64_t id = 0;; id++) {
        bool has_call;
        MR_TRY(mr_arrivals_next(run->arrivals, &arrival, &has_call, err));
        if (!has_call || arrival.arrived_s >= end_s)
            break;
        MR_TRY(name_blocks(run, &arrival, err));
        const struct mr_ticket ticket = {
            .id = id,
            .session = arrival.session,
            .n_prompt = arrival.n_input,
            .n_output = arrival.n_output,
            .n_prefix = (uint32_t)fmin(arrival.n_input, scenario->workload.prefix_tok),
            .instance = MR_ROUTER_NOWHERE,
            .prefill = MR_ROUTER_NOWHERE,
            .tier = arrival.tier,
            .is_alone = arrival.is_alone,
            .n_run = (uint32_t)run->runs.n,
            .run = run->runs.item};
        MR_TRY(go_to(run, arrival.arrived_s, err));
        mr_cell_tell(&run->cell, arrival.arrived_s);
        run->result->tier[arrival.tier].n_arrived++;
        if ((uint64_t)arrival.n_input + arrival.n_output > run->pool.serving.context_max)
            refused(run, &ticket, arrival.arrived_s, MR_CELL_REFUSAL_TOO_LONG);
        else
            MR_TRY(mr_cell_arrive(&run->cell, &ticket, arrival.arrived_s, err));
        if (run->st != MR_OK)
            break;
    }
    return go_to(run, end_s, err);
}

static mr_status play(struct run *run, struct mr_err *err)
{
    const struct mr_scenario *scenario = run->scenario;
    const double end_s = scenario->top.until_s > 0 ? scenario->top.until_s : (double)INFINITY;
    if (run->agents != NULL)
        MR_TRY(go_to(run, end_s, err));
    else
        MR_TRY(play_arrivals(run, end_s, err));
    if (scenario->top.until_s > 0)
        run->result->sim_s = scenario->top.until_s;
    MR_TRY(close_books(run, err));
    watch_end(run);
    *err = run->st != MR_OK ? run->err : *err;
    return run->st;
}

/* The sums of one pool. */
static void add_pool(struct run *run, const struct mr_pool *pool, uint32_t from, uint32_t n)
{
    struct mr_play_result *result = run->result;
    const double packages = mr_pool_packages(pool);
    double busy_j = 0, sum_idle_s = 0;
    for (uint32_t seat = from; seat < from + n; seat++) {
        const struct mr_instance *instance = mr_cell_instance(&run->cell, seat);
        result->n_segment += instance->n_segment;
        result->n_iteration += instance->n_iteration;
        result->n_restart += instance->n_restart;
        result->n_cached_block += instance->cache.n_block;
        result->n_all_block += pool->serving.n_block;
        result->n_block_evicted += instance->cache.counts.n_evicted_block;
        result->n_down += run->cell.seat[seat].n_down;
        result->down_s += mr_cell_down_s(&run->cell, seat, result->sim_s);
        busy_j += mr_instance_energy_j(instance, result->sim_s);
        sum_idle_s += idle_s(&run->cell, seat, result->sim_s);
    }
    result->n_package += (uint64_t)(packages * n);
    result->package_j += packages * (busy_j + sum_idle_s * idle_w(pool));
    result->package_peak_w +=
        pool->step != NULL ? (double)(uint64_t)(packages * n) * pool->power.limit_w : (double)NAN;
}

static void settle_agents(struct run *run)
{
    const struct mr_player *player = mr_agents_player(run->agents);
    struct mr_play_result *result = run->result;
    for (size_t i = 0; i < result->n_tier; i++)
        result->tier[i].sessions = player->sums[i];
    result->has_agents = true;
    result->n_event = player->n_event;
    result->n_live = player->n_live;
    result->n_live_max = player->n_live_max;
    result->core_busy_s = player->cores.busy_s;
    result->session_bytes = mr_agents_bytes(run->agents);
}

/* What still runs when the end has come; then the sums. */
static void settle(struct run *run)
{
    const struct mr_cell *cell = &run->cell;
    struct mr_play_result *result = run->result;
    for (size_t i = 0; i < cell->calls.n; i++)
        if (cell->calls.call[i].state != MR_CALL_DONE)
            put_row(run, &cell->ticket[i], &cell->calls.call[i], cell->calls.call[i].arrived_s,
                    (double)NAN, MR_PLAY_IN_FLIGHT);
    result->little = mr_cell_little(cell);
    MR_ASSERT(result->little.rel < 1e-9);
    if (run->agents != NULL)
        settle_agents(run);
    result->n_event += cell->n_event;
    result->n_block = run->pool.serving.n_block;
    result->n_rerouted = cell->n_rerouted;
    if (run->arrivals != NULL)
        result->rows = mr_arrivals_counted(run->arrivals);
    add_pool(run, &run->pool, 0, cell->plan.n_instance);
    if (cell->split == NULL)
        return;
    result->has_split = true;
    result->split = cell->split->counts;
    result->n_prefill_block = run->prefill.serving.n_block;
    add_pool(run, &run->prefill, cell->plan.n_instance, cell->split->plan.n_instance);
}

/* What a planner switched off was not lost. */
static void settle_planner(struct run *run)
{
    struct mr_play_result *result = run->result;
    result->has_planner = run->planner != NULL;
    if (run->planner == NULL)
        return;
    result->planner = mr_planner_counted(run->planner, result->sim_s);
    result->n_down -= result->planner.n_off;
    result->down_s = fmax(0, result->down_s - result->planner.off_s);
}

static mr_status open_requests(struct run *run, struct mr_err *err)
{
    static const char head[] = "id,session,tier,arrived_s,scheduled_s,first_token_s,finished_s,"
                               "input,cached_input,output,restarts,instance,prefill_instance,"
                               "outcome\n";
    if (run->options->requests_path == NULL)
        return MR_OK;
    MR_TRY(mr_file_out_open(&run->requests, run->options->requests_path,
                            run->options->may_overwrite, err));
    run->st = mr_file_out_add(&run->requests, head, sizeof head - 1, &run->err);
    return MR_OK;
}

static mr_status close_requests(struct run *run, mr_status st, struct mr_err *err)
{
    if (run->options->requests_path == NULL)
        return st;
    if (st == MR_OK)
        return mr_file_out_commit(&run->requests, err);
    mr_file_out_abort(&run->requests);
    return st;
}

static mr_status make_cell(struct run *run, struct mr_err *err)
{
    const struct mr_scenario *scenario = run->scenario;
    struct mr_cell_plan plan = {.serving = &run->pool.serving,
                                .n_instance = (uint32_t)scenario->deployment.n_instance,
                                .router = scenario->deployment.router,
                                .call_s = scenario->deployment.call_s,
                                .seed = scenario->top.seed,
                                .split = scenario->has_prefill ? &run->split : NULL};
    for (size_t i = 0; i < scenario->n_tier; i++) {
        const struct mr_scenario_tier *tier = &scenario->tier[i];
        plan.admission[i] = (struct mr_admission_rule){tier->n_inside, tier->rate_tok_s,
                                                       tier->burst_tok, tier->late_s};
        plan.wait_max[i] = (uint32_t)fmin(UINT32_MAX, (double)mr_scenario_shed_at(scenario, i));
        plan.patience_s[i] = tier->patience_s;
        plan.goal[i] = (struct mr_router_goal){tier->ttft_s, tier->tpot_s};
        plan.cheaper[i] = mr_scenario_cheaper(scenario, i);
        plan.rank[i] = (uint8_t)mr_scenario_rank(scenario, i);
    }
    MR_TRY(mr_cell_init(&run->cell, &plan, &(struct mr_cell_sink){finished, refused, run}, err));
    run->cell.moved = moved;
    run->cell.expired = expired;
    run->cell.router.affinity_excess = (double)scenario->deployment.n_affinity;
    if (run->cell.split != NULL)
        run->cell.split->router.affinity_excess = (double)scenario->prefill.n_affinity;
    if (run->options->on_sample != NULL) {
        run->cell.watch = watch;
        run->cell.watch_context = run;
        run->cell.watch_s = 0;
    }
    MR_TRY(mr_outages_create(scenario, &run->outages, err));
    mr_outages_listen(run->outages, take_event, run);
    return MR_OK;
}

/* How many instances serve. */
static mr_status open_planner(struct run *run, struct mr_err *err)
{
    const struct mr_scenario *scenario = run->scenario;
    const struct mr_planner_spec *spec = &scenario->planner;
    const uint32_t n_decode = (uint32_t)scenario->deployment.n_instance;
    const bool is_apart = scenario->has_prefill;
    struct mr_planner_plan plan = {.spec = *spec,
                                   .pool[0] = {.pool = &run->pool,
                                               .n = n_decode,
                                               .name = "deployment",
                                               .n_min = spec->n_min,
                                               .n_max = spec->n_max,
                                               .n_start = spec->n_start,
                                               .reads = !is_apart,
                                               .decodes = true},
                                   .n_pool = 1,
                                   .event = take_event,
                                   .context = run};
    if (spec->interval_s == 0)
        return MR_OK;
    if (is_apart)
        plan.pool[plan.n_pool++] =
            (struct mr_planner_pool){.pool = &run->prefill,
                                     .from = n_decode,
                                     .n = (uint32_t)scenario->prefill.n_instance,
                                     .name = "prefill",
                                     .n_min = spec->prefill_min,
                                     .n_max = spec->prefill_max,
                                     .n_start = spec->prefill_start,
                                     .reads = true};
    MR_TRY(mr_planner_create(&plan, &run->planner, err));
    return mr_planner_begin(run->planner, &run->cell, run->outages, err);
}

/* Where calls come from. */
static mr_status open_calls(struct run *run, struct mr_diags *diags, struct mr_err *err)
{
    const struct mr_scenario *scenario = run->scenario;
    const struct mr_serving *serving = &run->pool.serving;
    const struct mr_agents_options options = {arrived, session_ended, run};
    if (!scenario->has_agents) {
        for (size_t i = 0; i < scenario->n_tier; i++)
            run->tier_name[i] = scenario->tier[i].name;
        const struct mr_arrivals_served served = {scenario->deployment.llm, serving->context_max,
                                                  run->tier_name, scenario->n_tier};
        MR_TRY(mr_arrivals_open(&scenario->workload, scenario->top.seed, &served, &run->arrivals,
                                err));
        return check_hashes(run, mr_arrivals_hash_tok(run->arrivals), err);
    }
    return mr_agents_open(scenario, &options, serving->block_tokens, serving->context_max,
                          &run->cell, &run->agents, diags, err);
}

static mr_status run_all(struct run *run, struct mr_diags *diags, struct mr_err *err)
{
    const struct mr_scenario *scenario = run->scenario;
    run->result->tier = mr_alloc_zero(scenario->n_tier, sizeof *run->result->tier);
    if (run->result->tier == NULL)
        return mr_err_nomem(err, scenario->n_tier * sizeof *run->result->tier);
    run->result->n_tier = scenario->n_tier;
    MR_TRY(open_pools(run, diags, err));
    MR_TRY(make_cell(run, err));
    MR_TRY(open_site(run, diags));
    if (run->options->on_begin != NULL)
        MR_TRY(run->options->on_begin(run->options->context, run->factory, err));
    MR_TRY(open_calls(run, diags, err));
    MR_TRY(open_planner(run, err));
    MR_TRY(find_hosts(run, err));
    MR_TRY(open_requests(run, err));
    mr_status st = play(run, err);
    if (st == MR_OK) {
        settle(run);
        settle_planner(run);
        st = run->st;
        *err = st != MR_OK ? run->err : *err;
    }
    return close_requests(run, st, err);
}

/* ---- life ---- */

mr_status mr_play(const struct mr_scenario *scenario, const struct mr_play_options *options,
                  struct mr_play_result *result, struct mr_diags *diags)
{
    struct run run = {.scenario = scenario, .options = options, .result = result};
    struct mr_err err = {0};
    *result = (struct mr_play_result){0};
    const mr_status st = run_all(&run, diags, &err);
    if (st != MR_OK && diags->first_error == MR_OK)
        (void)mr_diags_add_err(diags, MR_SEVERITY_ERROR, &err);
    mr_arrivals_close(run.arrivals);
    mr_factory_close(run.factory);
    mr_outages_destroy(run.outages);
    mr_planner_destroy(run.planner);
    mr_agents_close(run.agents);
    if (run.cell.instance != NULL)
        mr_cell_fini(&run.cell);
    close_pools(&run);
    mr_cache_names_runs_fini(&run.runs);
    mr_free(run.host);
    mr_buf_fini(&run.row);
    return st;
}

mr_status mr_play_check(const struct mr_scenario *scenario, struct mr_diags *diags)
{
    const struct mr_play_options options = {0};
    struct run run = {.scenario = scenario, .options = &options};
    struct mr_err err = {0};
    const mr_status st = open_pools(&run, diags, &err);
    if (st != MR_OK && diags->first_error == MR_OK)
        (void)mr_diags_add_err(diags, MR_SEVERITY_ERROR, &err);
    close_pools(&run);
    return st;
}

const char *mr_play_outcome_name(uint8_t outcome)
{
    static const char *const names[] = {"finished", "in_flight",
#define OUTCOME_TEXT(name, text, doc) text,
                                        MR_CELL_REFUSAL_LIST(OUTCOME_TEXT)
#undef OUTCOME_TEXT
    };
    return names[outcome];
}

void mr_play_fini(struct mr_play_result *result)
{
    mr_free(result->tier);
    *result = (struct mr_play_result){0};
}
