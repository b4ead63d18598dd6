/* SPDX-License-Identifier: Apache-2.0 */
/* One cell of a run: what becomes of its calls, and its way to the end of a window. Events are
 * played up to every arrival, then it is routed; outages happen at their dates. */
#include "engine/base/mem.h"
#include "engine/twin/play_impl.h"

#include <math.h>

/* ---- calls that end ---- */

static void keep(struct mr_play_cell *own, mr_status st)
{
    if (own->st == MR_OK)
        own->st = st;
}

static struct mr_agents_goal goal_of(const struct mr_play_cell *own, const struct mr_ticket *ticket)
{
    const struct mr_scenario_tier *tier = &own->run->scenario->tier[ticket->tier];
    struct mr_agents_goal goal = {tier->ttft_s, tier->tpot_s};
    if (own->agents != NULL)
        mr_agents_goal(own->agents, ticket, &goal);
    return goal;
}

bool mr_play_cell_is_late(const struct mr_play_cell *own, const struct mr_ticket *ticket,
                          const struct mr_call *call, double now_s)
{
    const struct mr_agents_goal goal = goal_of(own, ticket);
    const double ttft_s = (call->has_first ? call->first_s : now_s) - call->arrived_s;
    return goal.ttft_s > 0 && ttft_s > goal.ttft_s;
}

static struct mr_play_hists *hists_of(const struct mr_play_cell *own, uint8_t tier)
{
    const struct mr_play_run *run = own->run;
    return &run->hists[(run->is_measured ? run->scenario->n_tier : 0) + tier];
}

static void finished(void *context, const struct mr_ticket *ticket, const struct mr_call *call,
                     double now_s)
{
    struct mr_play_cell *own = context;
    struct mr_play_count *count = &own->count[ticket->tier];
    const struct mr_agents_goal goal = goal_of(own, ticket);
    const double ttft_s = call->first_s - call->arrived_s;
    const double tpot_s =
        ticket->n_output > 1 ? (now_s - call->first_s) / (ticket->n_output - 1) : 0;
    const bool is_apart = ticket->prefill != MR_ROUTER_NOWHERE;
    const struct mr_pool *reader = is_apart ? &own->run->prefill : &own->run->pool;
    struct mr_play_latency *latency = &hists_of(own, ticket->tier)->read[is_apart];
    const uint32_t block_tokens = reader->serving.block_tokens;
    count->n_finished++;
    count->n_input += ticket->n_prompt;
    count->n_cached += ticket->n_cached;
    count->n_output += ticket->n_output;
    for (uint32_t k = 0; k < MR_ONBOARD_LEVELS; k++)
        count->n_loaded[k] += (uint64_t)mr_call_loaded(&own->cell.calls, call, k) * block_tokens;
    mr_hist_add(&latency->ttft, ttft_s);
    if (ticket->n_output > 1)
        mr_hist_add(&latency->tpot, tpot_s);
    mr_hist_add(&latency->e2e, now_s - call->arrived_s);
    count->n_met +=
        (goal.ttft_s == 0 || ttft_s <= goal.ttft_s) && (goal.tpot_s == 0 || tpot_s <= goal.tpot_s);
    own->last_s = fmax(own->last_s, now_s);
    if (own->st == MR_OK)
        keep(own, mr_play_rows_call(own, ticket, call, call->arrived_s, now_s, MR_PLAY_FINISHED,
                                    &own->err));
    if (own->agents != NULL)
        mr_agents_finished(own->agents, ticket, call, now_s);
}

static void refused(void *context, const struct mr_ticket *ticket, double now_s,
                    enum mr_cell_refusal why)
{
    struct mr_play_cell *own = context;
    own->count[ticket->tier].n_refused[why]++;
    own->last_s = fmax(own->last_s, now_s);
    if (own->st == MR_OK)
        keep(own, mr_play_rows_call(own, ticket, NULL, now_s, (double)NAN,
                                    (uint8_t)(MR_PLAY_REFUSED + (int)why), &own->err));
    if (own->agents != NULL)
        mr_agents_refused(own->agents, ticket, now_s, why);
}

/* It waited outside in vain. */
static void expired(void *context, const struct mr_ticket *ticket, const struct mr_call *call,
                    double now_s)
{
    struct mr_play_cell *own = context;
    own->count[ticket->tier].n_refused[MR_CELL_REFUSAL_EXPIRED]++;
    own->last_s = fmax(own->last_s, now_s);
    if (own->st == MR_OK)
        keep(own, mr_play_rows_call(own, ticket, NULL, call->arrived_s, (double)NAN,
                                    MR_PLAY_REFUSED + MR_CELL_REFUSAL_EXPIRED, &own->err));
    if (own->agents != NULL)
        mr_agents_refused(own->agents, ticket, now_s, MR_CELL_REFUSAL_EXPIRED);
}

static void moved(void *context, const struct mr_ticket *ticket, uint8_t from_tier)
{
    struct mr_play_cell *own = context;
    own->count[from_tier].n_moved_out++;
    own->count[ticket->tier].n_moved_in++;
}

/* An outage began or ended. */
static void take_event(void *context, double t_s, const char *kind, const char *entity,
                       double value, double limit)
{
    struct mr_play_cell *own = context;
    const struct mr_play_event event = {t_s, kind, entity, value, limit};
    if (own->st == MR_OK)
        keep(own, mr_play_rows_event(own, &event, &own->err));
}

static void arrived(void *context, uint8_t tier)
{
    struct mr_play_cell *own = context;
    own->count[tier].n_arrived++;
}

static mr_status session_ended(void *context, const struct mr_agents_row *row, struct mr_err *err)
{
    struct mr_play_cell *own = context;
    own->last_s = fmax(own->last_s, row->finished_s);
    if (!row->failed)
        mr_hist_add(&hists_of(own, row->tier)->completion, row->finished_s - row->started_s);
    return mr_play_rows_session(own, row, err);
}

/* ---- time ---- */

double mr_play_cell_due_s(const struct mr_play_cell *own)
{
    return own->agents != NULL ? mr_agents_due_s(own->agents) : mr_cell_due_s(&own->cell);
}

bool mr_play_cell_is_over(const struct mr_play_cell *own)
{
    return isinf(mr_play_cell_due_s(own)) && own->cell.n_parked == 0 &&
           !(own->agents != NULL && mr_player_is_stuck(mr_agents_player(own->agents)));
}

uint64_t mr_play_cell_events(const struct mr_play_cell *own)
{
    return own->cell.n_event + (own->agents != NULL ? mr_agents_player(own->agents)->n_event : 0);
}

/* Events before a time. */
static mr_status play_until(struct mr_play_cell *own, double until_s, struct mr_err *err)
{
    return own->agents != NULL ? mr_agents_play(own->agents, until_s, err)
                               : mr_cell_play(&own->cell, until_s, err);
}

static double next_date_s(const struct mr_play_cell *own)
{
    const double plan_s = own->planner != NULL ? mr_planner_next_s(own->planner) : (double)INFINITY;
    return fmin(mr_outages_next_s(own->outages), plan_s);
}

static mr_status do_date(struct mr_play_cell *own, double now_s, struct mr_err *err)
{
    if (own->cell.n_parked > 0) /* calls wait for just that, in vain or not */
        own->last_s = fmax(own->last_s, now_s);
    if (mr_outages_next_s(own->outages) <= now_s)
        return mr_outages_do(own->outages, &own->cell, err);
    return mr_planner_do(own->planner, &own->cell, own->outages, now_s, err);
}

/* With outages and starts on the way. Without an end they matter as long as there are calls.
 * @param[in] is_last no more calls come to any cell */
static mr_status go_to(struct mr_play_cell *own, double to_s, bool is_last, struct mr_err *err)
{
    const bool may_end = is_last && isinf(own->run->end_s);
    for (;;) {
        const double next_s = next_date_s(own);
        if (next_s > to_s || isinf(next_s) || (may_end && mr_play_cell_is_over(own)))
            return play_until(own, to_s, err);
        MR_TRY(play_until(own, next_s, err));
        if (may_end && mr_play_cell_is_over(own))
            return MR_OK;
        MR_TRY(do_date(own, next_s, err));
    }
}

static mr_status take_call(struct mr_play_cell *own, struct mr_play_coming *coming,
                           struct mr_err *err)
{
    struct mr_ticket *ticket = &coming->ticket;
    ticket->run = ticket->n_run > 0 ? own->names.item + coming->run : NULL;
    MR_TRY(go_to(own, coming->arrived_s, false, err));
    mr_cell_tell(&own->cell, coming->arrived_s);
    arrived(own, ticket->tier);
    own->last_s = fmax(own->last_s, coming->arrived_s); /* it may wait for ever */
    if (!coming->is_too_long) {
        MR_TRY(mr_play_calls_seat(own, ticket, err));
        return mr_cell_arrive(&own->cell, ticket, coming->arrived_s, err);
    }
    ticket->is_alone = true; /* its session has no place */
    refused(own, ticket, coming->arrived_s, MR_CELL_REFUSAL_TOO_LONG);
    return MR_OK;
}

mr_status mr_play_cell_play(struct mr_play_cell *own, double end_s, struct mr_err *err)
{
    const bool is_last = own->run->arrivals == NULL || !own->run->has_next;
    for (size_t i = 0; i < own->n_coming && own->st == MR_OK; i++)
        MR_TRY(take_call(own, &own->coming[i], err));
    own->n_coming = 0;
    own->names.n = 0;
    MR_TRY(go_to(own, end_s, is_last, err));
    if (own->st != MR_OK)
        *err = own->err;
    return own->st;
}

/* ---- readers ---- */

double mr_play_cell_idle_s(const struct mr_cell *cell, uint32_t seat, double now_s)
{
    const struct mr_instance *instance = mr_cell_instance(cell, seat);
    const struct mr_segment *segment = &instance->segment;
    const bool is_busy = segment->n_step > 0 && !instance->is_starting && now_s > segment->start_s;
    const double busy_s = instance->busy_s + (is_busy ? now_s - segment->start_s : 0);
    return fmax(0, now_s - busy_s - mr_cell_down_s(cell, seat, now_s));
}

double mr_play_idle_w(const struct mr_pool *pool)
{
    return pool->step != NULL ? mr_power_idle_w(&pool->power, 60) : (double)NAN;
}

double mr_play_lpu_w(const struct mr_pool *pool, bool is_most)
{
    const double n = (double)mr_pool_lpx_beside(&pool->lpx);
    const struct mr_lpu_card *lpu = pool->lpx.serve.lpx.lpu;
    return n > 0 ? n * (is_most ? lpu->max_p_w : lpu->idle_w) : 0;
}

uint32_t mr_play_cell_number(const struct mr_play_cell *own, uint32_t seat)
{
    const struct mr_outages_span *span = &own->span;
    return seat < span->n ? span->first + seat
                          : (uint32_t)own->run->scenario->deployment.n_instance +
                                span->first_reader + seat - span->n;
}

/* ---- life ---- */

static struct mr_outages_span span_of(const struct mr_play_run *run, uint32_t i)
{
    const uint64_t n = run->scenario->deployment.n_instance;
    const uint64_t n_reader = run->scenario->has_prefill ? run->scenario->prefill.n_instance : 0;
    const uint32_t first = mr_play_first(n, i, run->n_cell);
    const uint32_t first_reader = mr_play_first(n_reader, i, run->n_cell);
    return (struct mr_outages_span){first, mr_play_first(n, i + 1, run->n_cell) - first,
                                    first_reader,
                                    mr_play_first(n_reader, i + 1, run->n_cell) - first_reader};
}

/* What a tier is allowed at a time or in a second is divided among cells; a limit stays at least 1,
 * for 0 is none. What may come at once is not: a call has to fit in. */
static void divide_tiers(const struct mr_play_cell *own, struct mr_cell_plan *plan)
{
    const struct mr_scenario *scenario = own->run->scenario;
    const uint64_t n_all = scenario->deployment.n_instance;
    const double share = (double)own->span.n / (double)n_all;
    for (size_t i = 0; i < scenario->n_tier; i++) {
        const struct mr_scenario_tier *tier = &scenario->tier[i];
        const uint64_t inside = tier->n_inside * own->span.n / n_all;
        plan->admission[i] =
            (struct mr_admission_rule){tier->n_inside > 0 && inside == 0 ? 1 : inside,
                                       tier->rate_tok_s * share, tier->burst_tok, tier->late_s};
        plan->wait_max[i] = (uint32_t)fmin(UINT32_MAX, (double)mr_scenario_shed_at(scenario, i));
        plan->patience_s[i] = tier->patience_s;
        plan->goal[i] = (struct mr_router_goal){tier->ttft_s, tier->tpot_s};
        const struct mr_scenario_spared spared = mr_scenario_spared(scenario, i);
        plan->spared[i] = (struct mr_router_goal){spared.ttft_s, spared.tpot_s};
        plan->cheaper[i] = mr_scenario_cheaper(scenario, i);
        plan->rank[i] = (uint8_t)mr_scenario_rank(scenario, i);
        plan->yields[i] = tier->yields;
    }
}

static void set_affinity(struct mr_router *router, const struct mr_scenario_deployment *deployment)
{
    router->affinity_share = deployment->affinity_share;
    router->affinity_excess = (double)deployment->n_affinity;
}

static mr_status make_cell(struct mr_play_cell *own, struct mr_err *err)
{
    struct mr_play_run *run = own->run;
    const struct mr_scenario *scenario = run->scenario;
    struct mr_split_plan split = run->split;
    split.n_instance = own->span.n_reader;
    split.seed += (uint64_t)own->i << 32;
    struct mr_cell_plan plan = {.serving = &run->pool.serving,
                                .n_instance = own->span.n,
                                .router = scenario->deployment.router,
                                .call_s = scenario->deployment.call_s,
                                .seed = scenario->top.seed + ((uint64_t)own->i << 32),
                                .split = scenario->has_prefill ? &split : NULL};
    divide_tiers(own, &plan);
    MR_TRY(mr_cell_init(&own->cell, &plan, &(struct mr_cell_sink){finished, refused, own}, err));
    own->has_cell = true;
    own->cell.moved = moved;
    own->cell.expired = expired;
    set_affinity(&own->cell.router, &scenario->deployment);
    if (own->cell.split != NULL) {
        set_affinity(&own->cell.split->router, &scenario->prefill);
        own->cell.split->plan.host = run->host;
    }
    return MR_OK;
}

mr_status mr_play_cell_init(struct mr_play_run *run, uint32_t i, struct mr_play_cell *own,
                            struct mr_err *err)
{
    *own = (struct mr_play_cell){.run = run, .i = i, .span = span_of(run, i)};
    own->count = mr_alloc_zero(run->scenario->n_tier, sizeof *own->count);
    own->before = mr_alloc_zero(run->scenario->n_tier, sizeof *own->before);
    if (own->count == NULL || own->before == NULL)
        return mr_err_nomem(err, run->scenario->n_tier * sizeof *own->count);
    MR_TRY(make_cell(own, err));
    MR_TRY(mr_outages_create(run->scenario, &own->span, &own->outages, err));
    mr_outages_listen(own->outages, take_event, own);
    return MR_OK;
}

/* How many instances serve: of a run of one cell. */
static mr_status open_planner(struct mr_play_cell *own, struct mr_err *err)
{
    struct mr_play_run *run = own->run;
    const struct mr_scenario *scenario = run->scenario;
    const struct mr_planner_spec *spec = &scenario->planner;
    const bool is_apart = scenario->has_prefill;
    struct mr_planner_plan plan = {.spec = *spec,
                                   .pool[0] = {.pool = &run->pool,
                                               .n = own->span.n,
                                               .name = "deployment",
                                               .n_min = spec->n_min,
                                               .n_max = spec->n_max,
                                               .n_start = spec->n_start,
                                               .reads = !is_apart,
                                               .decodes = true},
                                   .n_pool = 1,
                                   .event = mr_play_take_event,
                                   .context = run};
    if (spec->interval_s == 0)
        return MR_OK;
    if (is_apart)
        plan.pool[plan.n_pool++] = (struct mr_planner_pool){.pool = &run->prefill,
                                                            .from = own->span.n,
                                                            .n = own->span.n_reader,
                                                            .name = "prefill",
                                                            .n_min = spec->prefill_min,
                                                            .n_max = spec->prefill_max,
                                                            .n_start = spec->prefill_start,
                                                            .reads = true};
    MR_TRY(mr_planner_create(&plan, &own->planner, err));
    return mr_planner_begin(own->planner, &own->cell, own->outages, err);
}

mr_status mr_play_cell_start(struct mr_play_cell *own, struct mr_err *err)
{
    struct mr_play_run *run = own->run;
    const double share = (double)own->span.n / (double)run->scenario->deployment.n_instance;
    if (run->deal == NULL)
        return open_planner(own, err);
    const struct mr_agents_plan plan = {
        .scenario = run->scenario,
        .options = {arrived, session_ended, own, run->options->wants_sessions},
        .deal = run->deal,
        .i_cell = own->i,
        .share = share};
    MR_TRY(mr_agents_open(&plan, &own->cell, &own->agents, err));
    return open_planner(own, err);
}

void mr_play_cell_fini(struct mr_play_cell *own)
{
    mr_outages_destroy(own->outages);
    mr_planner_destroy(own->planner);
    mr_agents_close(own->agents);
    if (own->has_cell)
        mr_cell_fini(&own->cell);
    mr_cache_names_runs_fini(&own->names);
    mr_free(own->coming);
    mr_session_index_fini(&own->sessions);
    mr_free(own->count);
    mr_free(own->before);
    mr_free(own->sample);
    mr_free(own->post);
    mr_free(own->watch);
}
