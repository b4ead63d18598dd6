/* SPDX-License-Identifier: Apache-2.0 */
/* One stream of beginnings, dealt like cards: a cell that asks for its next session draws from the
 * stream until one is its own, and leaves the others' on their hands. Parts: hands - life. */
#include "engine/twin/agents_deal.h"

#include "engine/base/mem.h"
#include "engine/base/shelf.h"
#include "engine/twin/agents_file.h"
#include "engine/twin/tenants.h"
#include "engine/work/script_hint.h"
#include "models/cpu.h"

#include <math.h>
#include <string.h>

static const double measured_min_s = 900; /* of a measured window */

struct hand {
    struct mr_agents_deal *deal;
    uint32_t cell;
    struct mr_player_start *start; /* i .. n - 1 are to come */
    size_t i, n, cap;
    uint64_t n_again;
};

struct mr_agents_deal {
    struct mr_agents_deal_plan plan;
    struct mr_script script;
    struct mr_life life; /* where live sessions are met first */
    struct mr_demand demand;
    struct mr_calendar_store store;
    struct mr_tools_spec tools;
    uint8_t tier_of_tenant[MR_DEMAND_TENANTS];
    struct mr_demand_price price[MR_DEMAND_TENANTS];
    double share[MR_SCENARIO_TIERS];
    uint64_t n_dealt;
    struct hand *hand; /* of first .. end - 1 */
    mr_status st;      /* of dealing: sources return nothing */
    struct mr_err err;
};

/* ---- hands ---- */

static bool deal_one(struct mr_agents_deal *deal)
{
    struct mr_player_start start;
    if (deal->st != MR_OK || !mr_demand_next(&deal->demand, &start))
        return false;
    const uint32_t cell = (uint32_t)(deal->n_dealt++ % deal->plan.n_cell);
    if (cell < deal->plan.first || cell >= deal->plan.end)
        return true;
    struct hand *hand = &deal->hand[cell - deal->plan.first];
    deal->st = mr_grow(&hand->start, &hand->cap, hand->n + 1, sizeof *hand->start, &deal->err);
    if (deal->st == MR_OK)
        hand->start[hand->n++] = start;
    return deal->st == MR_OK;
}

static bool next(void *context, struct mr_player_start *start)
{
    struct hand *hand = context;
    if (2 * hand->i >= hand->n && hand->n > 0) { /* what is left moves to the front */
        hand->n -= hand->i;
        memmove(hand->start, hand->start + hand->i, hand->n * sizeof *hand->start);
        hand->i = 0;
    }
    while (hand->n == 0)
        if (!deal_one(hand->deal))
            return false;
    *start = hand->start[hand->i++];
    return true;
}

static bool again(void *context, const struct mr_player_end *end, struct mr_player_start *start)
{
    struct hand *hand = context;
    const uint64_t number = hand->n_again++ * hand->deal->plan.n_cell + hand->cell;
    mr_demand_again(&hand->deal->demand, number, end->end_s, start);
    return true;
}

struct mr_player_source mr_agents_deal_to(struct mr_agents_deal *deal, uint32_t cell)
{
    return (struct mr_player_source){next, mr_demand_goes_on(&deal->demand) ? again : NULL,
                                     &deal->hand[cell - deal->plan.first]};
}

mr_status mr_agents_deal_check(const struct mr_agents_deal *deal, struct mr_err *err)
{
    if (deal->st != MR_OK)
        *err = deal->err;
    return deal->st;
}

/* ---- life ---- */

static uint32_t tier_named(const struct mr_scenario *scenario, const char *name)
{
    for (size_t i = 0; i < scenario->n_tier; i++)
        if (strcmp(scenario->tier[i].name, name) == 0)
            return (uint32_t)i;
    return MR_SCRIPT_NONE;
}

/* As players play it, with all to itself. */
static mr_status make_life(struct mr_agents_deal *deal, struct mr_err *err)
{
    const struct mr_scenario *scenario = deal->plan.scenario;
    const struct mr_demand_spec *spec = &scenario->agents;
    const struct mr_player_plan plan = {.script = &deal->script,
                                        .site = mr_tools_site(&scenario->tools),
                                        .timing = spec->timing,
                                        .think_factor = spec->think_factor,
                                        .idle_cap_s = spec->idle_cap_s > 0 ? spec->idle_cap_s
                                                                           : (double)INFINITY};
    if (spec->mode != MR_DEMAND_LIVE || !spec->is_warm)
        return MR_OK;
    return mr_life_init(&deal->life, &plan, err);
}

static mr_status make_demand(struct mr_agents_deal *deal, struct mr_err *err)
{
    struct mr_scenario const *scenario = deal->plan.scenario;
    for (size_t i = 0; i < scenario->n_tenant; i++) {
        const char *name = scenario->tenant[i].tier;
        const uint32_t tier = name != NULL ? tier_named(scenario, name) : 0;
        if (tier == MR_SCRIPT_NONE)
            return mr_err_set(err, MR_REF, (struct mr_place){scenario->path, 0, 0},
                              "tenant %zu: there is no <tier> named \"%s\"", i + 1, name);
        deal->tier_of_tenant[i] = (uint8_t)tier;
        const bool finds = scenario->deployment.has_cache;
        deal->price[i] =
            (struct mr_demand_price){.input = mr_tenants_usd(scenario, tier, 1, 0, 0),
                                     .cached = mr_tenants_usd(scenario, tier, 1, finds ? 1 : 0, 0),
                                     .output = mr_tenants_usd(scenario, tier, 0, 0, 1)};
    }
    for (size_t i = 0; i < scenario->n_tier; i++)
        deal->share[i] = scenario->tier[i].share;
    struct mr_demand_spec spec = scenario->agents;
    spec.start = spec.start != NULL ? spec.start : scenario->grid.start;
    const struct mr_demand_plan plan = {.spec = spec,
                                        .tenant = scenario->tenant,
                                        .n_tenant = scenario->n_tenant,
                                        .tier_of_tenant = deal->tier_of_tenant,
                                        .price = deal->price,
                                        .block_tok = deal->plan.block_tok,
                                        .tier_share = deal->share,
                                        .n_tier = scenario->n_tier,
                                        .script = &deal->script,
                                        .life = &deal->life,
                                        .seed = scenario->top.seed};
    MR_TRY(make_life(deal, err));
    return mr_demand_init(&deal->demand, &plan, err);
}

/* Hints that nothing here can follow are told, once each. */
static void tell_idle_hints(const struct mr_agents_deal *deal, struct mr_diags *diags)
{
    const struct mr_scenario *s = deal->plan.scenario;
    const bool has_cache = s->deployment.has_cache || (s->has_prefill && s->prefill.has_cache);
    bool prefills = false, drops = false;
    for (size_t i = 1; i < deal->script.n_hint; i++) {
        prefills |= deal->script.hint[i].prefills;
        drops |= deal->script.hint[i].is_final || deal->script.hint[i].ttl_s > 0;
    }
    if (prefills && (s->has_prefill || !s->deployment.has_cache))
        mr_diags_add(diags, MR_SEVERITY_WARNING, MR_REF, (struct mr_place){s->path, 0, 0},
                     "agents: speculative prefill: prompts are read ahead where they are decoded "
                     "and cached, not %s: ignored",
                     s->has_prefill ? "with <prefill>" : "without cache=\"yes\"");
    if (drops && !has_cache)
        mr_diags_add(diags, MR_SEVERITY_WARNING, MR_REF, (struct mr_place){s->path, 0, 0},
                     "agents: session ends and cache times: no pool keeps KV blocks of ended calls "
                     "(cache=\"yes\"): ignored");
}

/* A window too short to say much, or none. */
static void tell_warm_up(const struct mr_agents_deal *deal, struct mr_diags *diags)
{
    const struct mr_scenario *s = deal->plan.scenario;
    const double warm_up_s = s->agents.warm_up_s, rest_s = s->top.until_s - warm_up_s;
    char text[MR_UNIT_CAP];
    if (warm_up_s == 0 || s->top.until_s == 0 || rest_s >= measured_min_s)
        return;
    mr_unit_human(rest_s, MR_Q_TIME, 3, text);
    if (rest_s > 0)
        mr_diags_add(diags, MR_SEVERITY_WARNING, MR_RANGE, (struct mr_place){s->path, 0, 0},
                     "agents: behind \"warm_up\" %s are measured; 15 min or more say what is the "
                     "rule",
                     text);
    else
        mr_diags_add(diags, MR_SEVERITY_WARNING, MR_RANGE, (struct mr_place){s->path, 0, 0},
                     "agents: the run ends within \"warm_up\": nothing is measured");
}

static mr_status rank_priorities(struct mr_agents_deal *deal, struct mr_diags *diags,
                                 struct mr_err *err)
{
    size_t n_above, n_below;
    MR_TRY(mr_script_hint_levels(&deal->script, &n_above, &n_below, err));
    if (n_above > MR_SCRIPT_LEVEL_MAX || n_below > -MR_SCRIPT_LEVEL_MIN)
        mr_diags_add(diags, MR_SEVERITY_WARNING, MR_LIMIT,
                     (struct mr_place){deal->plan.scenario->path, 0, 0},
                     "agents: calls have %zu priorities above 0 and %zu below: %d and %d classes "
                     "are told apart, neighbours share one",
                     n_above, n_below, MR_SCRIPT_LEVEL_MAX, -MR_SCRIPT_LEVEL_MIN);
    return MR_OK;
}

/* Cores and memory of the CPUs that are named, where they are not given. */
static mr_status take_cpus(const struct mr_scenario *scenario, struct mr_tools_spec *tools,
                           struct mr_diags *diags, struct mr_err *err)
{
    const struct mr_place at = {scenario->path, 0, 0};
    struct mr_shelf *shelf = NULL;
    if (tools->cpu == NULL)
        return MR_OK;
    if (tools->n_cpu == 0)
        return mr_err_set(err, MR_RANGE, at, "tools: how many \"cpus\" of \"%s\"?", tools->cpu);
    MR_TRY(mr_shelf_create(&shelf, err));
    const struct mr_card *card = mr_shelf_card(shelf, &mr_cpu_kind, tools->cpu, at, diags);
    const mr_status st = card != NULL ? MR_OK : diags->first_error;
    if (card != NULL) {
        const struct mr_cpu_card *cpu = card->object;
        const double n = (double)tools->n_cpu;
        tools->n_core = tools->n_core > 0 ? tools->n_core : n * (double)cpu->n_core;
        tools->memory_bytes = tools->memory_bytes > 0 ? tools->memory_bytes : n * cpu->memory_bytes;
    }
    mr_shelf_destroy(shelf);
    return st;
}

static mr_status make_hands(struct mr_agents_deal *deal, struct mr_err *err)
{
    const uint32_t n = deal->plan.end - deal->plan.first;
    deal->hand = mr_alloc_zero((size_t)n + 1, sizeof *deal->hand);
    if (deal->hand == NULL)
        return mr_err_nomem(err, ((size_t)n + 1) * sizeof *deal->hand);
    for (uint32_t i = 0; i < n; i++)
        deal->hand[i] = (struct hand){.deal = deal, .cell = deal->plan.first + i};
    return MR_OK;
}

/* What sessions may name. */
struct names {
    const char *tier[MR_SCENARIO_TIERS], *tenant[MR_DEMAND_TENANTS];
};

/* Sessions that begin again and again never end to come. */
static mr_status check_schedules(const struct mr_agents_deal *deal, struct mr_err *err)
{
    const struct mr_scenario *s = deal->plan.scenario;
    if (deal->script.n_cron == 0 || s->agents.mode != MR_DEMAND_OPEN || s->top.until_s > 0 ||
        s->agents.n_session > 0)
        return MR_OK;
    return mr_err_set(err, MR_RANGE, (struct mr_place){s->path, 0, 0},
                      "agents: sessions of the file have schedules and never end to come: say "
                      "\"until\" when the run ends");
}

mr_status mr_agents_deal_open(const struct mr_agents_deal_plan *plan, struct mr_agents_deal **out,
                              struct mr_diags *diags, struct mr_err *err)
{
    const struct mr_scenario *scenario = plan->scenario;
    struct mr_agents_deal *deal = mr_alloc_zero(1, sizeof *deal);
    *out = deal;
    if (deal == NULL)
        return mr_err_nomem(err, sizeof *deal);
    deal->plan = *plan;
    struct names names;
    for (size_t i = 0; i < scenario->n_tier; i++)
        names.tier[i] = scenario->tier[i].name;
    for (size_t i = 0; i < scenario->n_tenant; i++)
        names.tenant[i] = scenario->tenant[i].name != NULL ? scenario->tenant[i].name : "";
    const uint64_t most =
        scenario->agents.length_max > 0 ? scenario->agents.length_max : plan->context_max;
    const struct mr_demand_spec *agents = &scenario->agents;
    const bool is_recorded = agents->timing == MR_PLAYER_BY_ORIGINAL;
    const struct mr_lower_plan lowering = {
        .block_tok = plan->block_tok,
        .seed = scenario->top.seed,
        .shares = scenario->agents.shares,
        .gap_cap_s = is_recorded ? 0 : agents->idle_cap_s,
        .gap_factor = agents->timing == MR_PLAYER_BY_SCALE ? agents->think_factor : 0,
        .input_max = (uint32_t)fmin((double)most, 4e9),
        .tier = names.tier,
        .tenant = names.tenant,
        .n_tier = scenario->n_tier,
        .n_tenant = scenario->n_tenant,
        .llm = scenario->deployment.profile == NULL ? scenario->deployment.llm : NULL};
    const struct mr_agents_file file = {.path = agents->file,
                                        .options = mr_agents_file_options(agents),
                                        .n_drawn = agents->n_drawn,
                                        .is_timed = agents->mode == MR_DEMAND_OPEN,
                                        .from_s = agents->from_s,
                                        .until_s = agents->until_s,
                                        .pick = {.call_min = agents->call_min,
                                                 .call_max = agents->call_max,
                                                 .model = agents->model,
                                                 .n_sample = agents->n_sample,
                                                 .seed = scenario->top.seed,
                                                 .is_once = agents->is_once,
                                                 .tick_s = agents->tick_s}};
    MR_TRY(mr_agents_file_read(&file, &lowering, &deal->script, diags, err));
    MR_TRY(check_schedules(deal, err));
    MR_TRY(rank_priorities(deal, diags, err));
    tell_idle_hints(deal, diags);
    tell_warm_up(deal, diags);
    MR_TRY(make_demand(deal, err));
    deal->tools = scenario->tools;
    MR_TRY(take_cpus(scenario, &deal->tools, diags, err));
    return make_hands(deal, err);
}

void mr_agents_deal_close(struct mr_agents_deal *deal)
{
    if (deal == NULL)
        return;
    for (uint32_t i = 0; deal->hand != NULL && i < deal->plan.end - deal->plan.first; i++)
        mr_free(deal->hand[i].start);
    mr_free(deal->hand);
    mr_calendar_store_fini(&deal->store);
    mr_demand_fini(&deal->demand);
    mr_life_fini(&deal->life);
    mr_script_fini(&deal->script);
    mr_free(deal);
}

/* ---- for cells ---- */

const struct mr_script *mr_agents_deal_script(const struct mr_agents_deal *deal)
{
    return &deal->script;
}

struct mr_calendar_store *mr_agents_deal_store(struct mr_agents_deal *deal)
{
    return &deal->store;
}

uint32_t mr_agents_deal_n_cell(const struct mr_agents_deal *deal)
{
    return deal->plan.n_cell;
}

/* What all share is divided; a gateway has at least one server. */
struct mr_player_site mr_agents_deal_site(const struct mr_agents_deal *deal, double share)
{
    struct mr_player_site site = mr_tools_site(&deal->tools);
    site.n_core *= share;
    site.n_accelerator *= share;
    site.memory_mb *= share;
    site.storage_bytes_s *= share;
    site.n_gate = site.n_gate > 0 ? (uint32_t)fmax(1, floor(site.n_gate * share + 0.5)) : 0;
    site.n_local = site.n_local > 0 ? (uint32_t)fmax(1, floor(site.n_local * share + 0.5)) : 0;
    return site;
}

size_t mr_agents_deal_bytes(const struct mr_agents_deal *deal)
{
    const struct mr_script *script = &deal->script;
    return script->cap_node * sizeof *script->node + script->cap_run * sizeof *script->run +
           script->cap_context * sizeof *script->context;
}
