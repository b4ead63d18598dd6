/* SPDX-License-Identifier: Apache-2.0 */
/* One event at a time of whichever is first, player or cell: a call that ends may make its session
 * call again before anything that is planned. At one time sessions come before boundaries of steps,
 * as all arrivals do. */
#include "engine/twin/agents.h"

#include "engine/base/mem.h"
#include "engine/serve/handover.h"
#include "engine/serve/warm.h"

#include <math.h>

struct mr_agents {
    const struct mr_scenario *scenario;
    struct mr_agents_options options;
    struct mr_agents_deal *deal;
    uint32_t i_cell;
    struct mr_cell *cell;
    const struct mr_script *script;
    struct mr_player player;
    bool has_player, is_open; /* a window */
    double window_end_s;
    double near_s; /* the window's events are near the processor up to then */
    uint64_t n_call;
    struct mr_tenants *tenants; /* NULL: none */
    struct mr_agents_residency resided;
    double resided_s; /* up to then */
    mr_status st;     /* of sinks, which return nothing */
    struct mr_err err;
};

/* ---- calls ---- */

/* Does its tenant have a budget for it? @param[in,out] tier perhaps lowered
 * @param[out] is_answered it was refused */
static mr_status ask_tenant(struct mr_agents *agents, uint32_t strand, double now_s, uint8_t *tier,
                            bool *is_answered, struct mr_err *err)
{
    const uint32_t tenant = agents->player.strand[strand].tenant;
    *is_answered = false;
    if (agents->tenants == NULL)
        return MR_OK;
    const struct mr_script_node *node = mr_player_node(&agents->player, strand);
    struct mr_tenants_call asked = {
        .n_input = node->llm.n_input, .n_output = node->llm.n_output, .tier = *tier};
    const enum mr_tenants_answer answer = mr_tenants_ask(agents->tenants, tenant, now_s, &asked);
    *tier = asked.tier;
    *is_answered = answer != MR_TENANTS_SERVE;
    if (answer == MR_TENANTS_LATER)
        return mr_player_call_put_off(&agents->player, strand, asked.until_s, now_s, err);
    return *is_answered ? mr_player_call_refused(&agents->player, strand, false, now_s, err)
                        : MR_OK;
}

/* Of its lane's next call, plus 1, if it may be read ahead; 0: it may not, or there is none. */
static uint32_t next_context(const struct mr_agents *agents, uint32_t strand,
                             const struct mr_script_node *node)
{
    const uint32_t s = agents->player.strand[strand].session;
    const struct mr_script_session *session = &agents->script->session[s];
    const struct mr_script_node *end = &agents->script->node[session->node + session->n_node];
    if (node->hint == 0 || !agents->script->hint[node->hint].prefills)
        return 0;
    for (const struct mr_script_node *next = node + 1; next < end; next++)
        if (next->kind == MR_SCRIPT_LLM && next->lane == node->lane)
            return next->llm.context + 1;
    return 0;
}

static mr_status call(void *context, uint32_t strand, double now_s, struct mr_err *err)
{
    struct mr_agents *agents = context;
    const struct mr_player_strand *s = &agents->player.strand[strand];
    const struct mr_script_node *node = mr_player_node(&agents->player, strand);
    const struct mr_script_session *session = &agents->script->session[s->session];
    const struct mr_demand_spec *spec = &agents->scenario->agents;
    const bool is_last = spec->drops_ended && s->node == session->last;
    const bool is_first = s->place.instance == MR_PLAYER_NONE &&
                          agents->script->context[node->llm.context].base != MR_SCRIPT_NONE;
    uint8_t tier = s->tier;
    bool is_answered;
    MR_TRY(ask_tenant(agents, strand, now_s, &tier, &is_answered, err));
    if (is_answered)
        return MR_OK;
    const struct mr_ticket ticket = {
        .next = next_context(agents, strand, node),
        .id = agents->n_call++ * mr_agents_deal_n_cell(agents->deal) + agents->i_cell,
        .session = strand,
        .n_prompt = node->llm.n_input,
        .n_output = node->llm.n_output,
        .is_alone = true, /* the player remembers */
        .context = node->llm.context + 1,
        .space = s->space,
        .instance = s->place.instance,
        .place = &s->place,
        .tier = tier,
        .hint = node->hint,
        .is_warm = spec->mode == MR_DEMAND_LIVE && spec->is_warm && is_first,
        .is_final = is_last || (node->hint > 0 && agents->script->hint[node->hint].is_final)};
    agents->options.arrived(agents->options.context, tier);
    return mr_cell_arrive(agents->cell, &ticket, now_s, err);
}

static void keep(struct mr_agents *agents, mr_status st)
{
    if (agents->st == MR_OK)
        agents->st = st;
}

void mr_agents_finished(struct mr_agents *agents, const struct mr_ticket *ticket,
                        const struct mr_call *call_, double now_s)
{
    agents->player.strand[ticket->session].place = mr_cell_place(agents->cell, ticket, call_);
    if (agents->tenants != NULL)
        mr_tenants_finished(agents->tenants, agents->player.strand[ticket->session].tenant, ticket,
                            call_, now_s);
    const struct mr_calls *calls = &agents->cell->calls;
    const struct mr_player_served served = {
        .scheduled_s = call_->scheduled_s,
        .first_s = call_->first_s,
        .load_s = mr_call_load_s(calls, call_),
        .again_s = {mr_call_again_s(calls, call_, 0), mr_call_again_s(calls, call_, 1)},
        .n_input = ticket->n_prompt,
        .n_cached = ticket->n_cached,
        .n_output = ticket->n_output};
    if (agents->st == MR_OK)
        keep(agents,
             mr_player_call_ended(&agents->player, ticket->session, &served, now_s, &agents->err));
}

void mr_agents_refused(struct mr_agents *agents, const struct mr_ticket *ticket, double now_s,
                       enum mr_cell_refusal why)
{
    if (agents->tenants != NULL)
        mr_tenants_refused(agents->tenants, agents->player.strand[ticket->session].tenant, ticket,
                           now_s);
    if (agents->st == MR_OK)
        keep(agents, mr_player_call_refused(&agents->player, ticket->session,
                                            why != MR_CELL_REFUSAL_TOO_LONG, now_s, &agents->err));
}

void mr_agents_goal(const struct mr_agents *agents, const struct mr_ticket *ticket,
                    struct mr_agents_goal *goal)
{
    const struct mr_player_strand *strand = &agents->player.strand[ticket->session];
    const struct mr_script_session *own = &agents->script->session[strand->session];
    goal->ttft_s = own->ttft_s > 0 ? (double)own->ttft_s : goal->ttft_s;
    goal->tpot_s = own->tpot_s > 0 ? (double)own->tpot_s : goal->tpot_s;
}

uint32_t mr_agents_session(const struct mr_agents *agents, const struct mr_ticket *ticket)
{
    return mr_player_life(&agents->player, ticket->session);
}

static uint32_t tenant_number(uint16_t tenant)
{
    return tenant != MR_PLAYER_NO_TENANT ? tenant : UINT32_MAX;
}

uint32_t mr_agents_tenant(const struct mr_agents *agents, const struct mr_ticket *ticket)
{
    return tenant_number(agents->player.strand[ticket->session].tenant);
}

static void ended(void *context, uint32_t strand, const struct mr_player_end *end)
{
    struct mr_agents *agents = context;
    const double *part_s = end->part_s;
    const struct mr_player_tokens none = {0}, *tokens = end->tokens != NULL ? end->tokens : &none;
    const struct mr_agents_row row = {.id = end->life,
                                      .script = end->session,
                                      .tenant = tenant_number(end->tenant),
                                      .tier = end->tier,
                                      .failed = end->has_failed,
                                      .started_s = end->start_s,
                                      .finished_s = end->end_s,
                                      .queue_s = part_s[MR_PLAYER_QUEUE],
                                      .kv_load_s = part_s[MR_PLAYER_LOAD],
                                      .prefill_s = part_s[MR_PLAYER_PREFILL],
                                      .decode_s = part_s[MR_PLAYER_DECODE],
                                      .gateway_s = part_s[MR_PLAYER_GATEWAY],
                                      .network_s = part_s[MR_PLAYER_NETWORK],
                                      .tools_s = part_s[MR_PLAYER_TOOLS],
                                      .tool_queue_s = part_s[MR_PLAYER_CORES],
                                      .memory_s = part_s[MR_PLAYER_MEMORY],
                                      .think_s = part_s[MR_PLAYER_THINK],
                                      .delay_s = part_s[MR_PLAYER_DELAY],
                                      .n_call = tokens->n_call,
                                      .n_input = tokens->n_input,
                                      .n_cached = tokens->n_cached,
                                      .n_output = tokens->n_output};
    (void)strand;
    if (agents->tenants != NULL)
        mr_tenants_ended(agents->tenants, end);
    if (agents->st == MR_OK)
        keep(agents, agents->options.on_session(agents->options.context, &row, &agents->err));
}

/* ---- time ---- */

static double pools_due_s(const struct mr_player *player)
{
    return fmin(mr_cores_due_s(&player->cores),
                fmin(mr_cores_due_s(&player->accelerators), mr_cores_due_s(&player->storage)));
}

/* Without an open window: no event of either is before it. */
static double lower_bound_s(const struct mr_agents *agents)
{
    const struct mr_player *player = &agents->player;
    const uint64_t window = mr_calendar_next_window(&player->calendar);
    const double asleep_s = window == MR_CALENDAR_NEVER
                                ? (double)INFINITY
                                : mr_window_start_s(player->calendar.grid, window);
    return fmin(fmin(asleep_s, pools_due_s(player)), mr_cell_due_s(agents->cell));
}

double mr_agents_due_s(const struct mr_agents *agents)
{
    const double player_s = agents->is_open ? mr_player_due_s(&agents->player) : (double)INFINITY;
    const double due_s = fmin(player_s, mr_cell_due_s(agents->cell));
    return agents->is_open && due_s < agents->window_end_s ? due_s : lower_bound_s(agents);
}

static mr_status open_window(struct mr_agents *agents, double from_s, struct mr_err *err)
{
    struct mr_calendar *calendar = &agents->player.calendar;
    uint64_t window = mr_window_of(calendar->grid, from_s);
    window = window < calendar->next ? calendar->next : window;
    MR_TRY(mr_player_open_window(&agents->player, window, err));
    agents->is_open = true;
    agents->window_end_s = mr_window_start_s(calendar->grid, window + 1);
    agents->near_s = 0;
    mr_warm_instances(agents->cell);
    return MR_OK;
}

/* The events of a window that are before a time. */
static mr_status play_window(struct mr_agents *agents, double before_s, struct mr_err *err)
{
    for (;;) {
        const double player_s = mr_player_due_s(&agents->player);
        const double cell_s = mr_cell_due_s(agents->cell);
        const double due_s = player_s < cell_s ? player_s : cell_s;
        if (!(due_s < before_s))
            return MR_OK;
        if (due_s >= agents->near_s)
            agents->near_s = mr_warm_player(agents->cell, &agents->player, due_s);
        if (player_s <= cell_s + MR_SEGMENT_TIE_S)
            MR_TRY(mr_player_step(&agents->player, err));
        else
            MR_TRY(mr_cell_play(agents->cell, cell_s + 2 * MR_SEGMENT_TIE_S, err));
        if (agents->st != MR_OK) {
            *err = agents->err;
            return agents->st;
        }
    }
}

static void look_at_blocks(struct mr_agents *agents)
{
    const struct mr_cell *cell = agents->cell;
    struct mr_agents_residency *r = &agents->resided;
    const double time_s = agents->window_end_s - agents->resided_s;
    double n_kept = 0;
    for (uint32_t i = 0; i < cell->plan.n_instance; i++) {
        const struct mr_instance *instance = &cell->instance[i];
        const double n_free = (double)mr_handover_free(instance, agents->window_end_s);
        const uint32_t n_cached =
            cell->plan.serving->has_cache ? mr_cache_evictable(&instance->cache) : 0;
        /* what is cached gives way to blocks in use at the next step at the latest */
        n_kept += (double)cell->plan.serving->n_block - n_free + fmin(n_cached, n_free);
    }
    r->n_block = (double)cell->plan.serving->n_block * cell->plan.n_instance;
    r->area += n_kept * time_s;
    r->whole += r->n_block * time_s;
    r->peak = fmax(r->peak, n_kept);
    agents->resided_s = agents->window_end_s;
}

mr_status mr_agents_play(struct mr_agents *agents, double until_s, struct mr_err *err)
{
    for (;;) {
        if (!agents->is_open) {
            const double from_s = lower_bound_s(agents);
            if (!(from_s < until_s))
                return MR_OK;
            MR_TRY(open_window(agents, from_s, err));
        }
        MR_TRY(play_window(agents, fmin(until_s, agents->window_end_s), err));
        if (agents->window_end_s > until_s)
            return MR_OK;
        mr_player_close_window(&agents->player);
        look_at_blocks(agents);
        agents->is_open = false;
        MR_TRY(mr_agents_deal_check(agents->deal, err));
    }
}

/* ---- life ---- */

static mr_status make_player(struct mr_agents *agents, double share, struct mr_err *err)
{
    const struct mr_scenario *scenario = agents->scenario;
    const struct mr_demand_spec *spec = &scenario->agents;
    const struct mr_player_plan plan = {.script = agents->script,
                                        .site = mr_agents_deal_site(agents->deal, share),
                                        .source = mr_agents_deal_to(agents->deal, agents->i_cell),
                                        .sink = {call, ended, agents},
                                        .seed = scenario->top.seed,
                                        .cell = agents->i_cell,
                                        .n_cell = mr_agents_deal_n_cell(agents->deal),
                                        .window_s = 1,
                                        .timing = spec->timing,
                                        .think_factor = spec->think_factor,
                                        .speed = spec->mode == MR_DEMAND_OPEN ? spec->speed : 1,
                                        .idle_cap_s = spec->idle_cap_s > 0 ? spec->idle_cap_s
                                                                           : (double)INFINITY,
                                        .n_tier = (uint32_t)scenario->n_tier,
                                        .has_ledger = true,
                                        .has_tokens = agents->options.wants_tokens};
    MR_TRY(mr_player_check_sandboxes(agents->script, plan.site.memory_mb, err));
    agents->has_player = true;
    MR_TRY(mr_player_init(&agents->player, &plan, mr_agents_deal_store(agents->deal), err));
    return mr_cell_take_script(agents->cell, agents->script, err);
}

mr_status mr_agents_open(const struct mr_agents_plan *plan, struct mr_cell *cell,
                         struct mr_agents **out, struct mr_err *err)
{
    struct mr_agents *agents = mr_alloc_zero(1, sizeof *agents);
    *out = agents;
    if (agents == NULL)
        return mr_err_nomem(err, sizeof *agents);
    agents->scenario = plan->scenario;
    agents->options = plan->options;
    agents->deal = plan->deal;
    agents->i_cell = plan->i_cell;
    agents->cell = cell;
    agents->script = mr_agents_deal_script(plan->deal);
    if (plan->scenario->n_tenant > 0)
        MR_TRY(mr_tenants_create(plan->scenario, mr_agents_deal_n_cell(plan->deal),
                                 &agents->tenants, err));
    return make_player(agents, plan->share, err);
}

void mr_agents_close(struct mr_agents *agents)
{
    if (agents == NULL)
        return;
    if (agents->has_player)
        mr_player_fini(&agents->player);
    mr_tenants_destroy(agents->tenants);
    mr_free(agents);
}

/* ---- what came of it ---- */

const struct mr_player *mr_agents_player(const struct mr_agents *agents)
{
    return &agents->player;
}

mr_status mr_agents_set_cores(struct mr_agents *agents, double frac, double lost_frac, double now_s,
                              struct mr_err *err)
{
    return mr_player_set_cores(&agents->player, frac, lost_frac, now_s, err);
}

struct mr_agents_residency mr_agents_resided(const struct mr_agents *agents)
{
    return agents->resided;
}

const struct mr_tenants *mr_agents_tenants(const struct mr_agents *agents)
{
    return agents->tenants;
}
