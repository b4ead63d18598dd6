/* SPDX-License-Identifier: Apache-2.0 */
/* What ranks tell each other besides windows.h: work and orders of instances at an exchange, and
 * all sums at the end. Sums of doubles are taken over cells in their order, so that they do not
 * depend on how cells are owned. */
#include "engine/base/assert.h"
#include "engine/base/mem.h"
#include "engine/serve/handover.h"
#include "engine/twin/play_impl.h"
#include "engine/twin/pool_kv.h"

#include <inttypes.h>
#include <string.h>

/* ---- gathering ---- */

static uint32_t n_own(const struct mr_play_run *run)
{
    return run->windows.end - run->windows.first;
}

static size_t sum_of(const struct mr_play_run *run)
{
    size_t sum = 0;
    for (uint32_t r = 0; r < run->ranks->n; r++)
        sum += run->n_bytes[r];
    return sum;
}

mr_status mr_play_agree(struct mr_play_run *run, mr_status own, struct mr_err *err)
{
    const int64_t mine = own;
    int64_t *all = run->status;
    if (run->ranks->n == 1)
        return own;
    for (uint32_t r = 0; r < run->ranks->n; r++)
        run->n_bytes[r] = sizeof mine;
    MR_TRY(mr_ranks_gather(run->ranks, &mine, run->n_bytes, all, err));
    for (uint32_t r = 0; r < run->ranks->n; r++)
        if (all[r] != MR_OK && own == MR_OK)
            return mr_err_set(err, (mr_status)all[r], MR_NOWHERE,
                              "rank %" PRIu32 " of %" PRIu32 ": %s", r, run->ranks->n,
                              mr_status_text((mr_status)all[r]));
    return own;
}

/* n_bytes is filled; all ranks have room, or none goes on. */
static mr_status gather(struct mr_play_run *run, const void *mine, struct mr_err *err)
{
    const size_t n = sum_of(run);
    size_t *sizes = run->n_bytes + run->ranks->n;
    memcpy(sizes, run->n_bytes, run->ranks->n * sizeof *sizes);
    mr_status st = mr_grow(&run->gathered, &run->cap_gathered, n > 0 ? n : 1, 1, err);
    MR_TRY(mr_play_agree(run, st, err));
    return mr_ranks_gather(run->ranks, mine, sizes, run->gathered, err);
}

mr_status mr_play_gather(struct mr_play_run *run, const void *mine, size_t each, const void **all,
                         struct mr_err *err)
{
    const uint32_t *first = run->windows.rank_first;
    *all = mine;
    if (run->ranks->n == 1)
        return MR_OK;
    for (uint32_t r = 0; r < run->ranks->n; r++)
        run->n_bytes[r] = (first[r + 1] - first[r]) * each;
    MR_TRY(gather(run, mine, err));
    *all = run->gathered;
    return MR_OK;
}

mr_status mr_play_gather_bytes(struct mr_play_run *run, const void *mine, size_t n_mine,
                               const char **all, size_t *n_all, struct mr_err *err)
{
    const int64_t n = (int64_t)n_mine;
    *all = mine;
    *n_all = n_mine;
    if (run->ranks->n == 1)
        return MR_OK;
    for (uint32_t r = 0; r < run->ranks->n; r++)
        run->n_bytes[r] = sizeof n;
    MR_TRY(mr_ranks_gather(run->ranks, &n, run->n_bytes, run->status, err));
    for (uint32_t r = 0; r < run->ranks->n; r++)
        run->n_bytes[r] = (size_t)run->status[r];
    *n_all = sum_of(run);
    MR_TRY(gather(run, mine, err));
    *all = run->gathered;
    return MR_OK;
}

/* ---- exchanges ---- */

/* Instances of one pool lie in the order of cells: those of a rank are neighbours.
 * @param[in] base of the pool in the stand @param[in] n instances of the pool */
static mr_status share_pool(struct mr_play_run *run, uint32_t base, uint64_t n, struct mr_err *err)
{
    const uint32_t *first = run->windows.rank_first;
    struct mr_factory_seen *seen = mr_factory_seen(run->factory) + base;
    for (uint32_t r = 0; r < run->ranks->n; r++)
        run->n_bytes[r] = (mr_play_first(n, first[r + 1], run->n_cell) -
                           mr_play_first(n, first[r], run->n_cell)) *
                          sizeof *seen;
    MR_TRY(gather(run, seen + mr_play_first(n, run->windows.first, run->n_cell), err));
    memcpy(seen, run->gathered, n * sizeof *seen);
    return MR_OK;
}

/* Cores x time of tools, of all cells. */
static mr_status share_tools(struct mr_play_run *run, double now_s, struct mr_err *err)
{
    const void *all = NULL;
    double sum = 0;
    for (uint32_t i = 0; i < n_own(run); i++) {
        const struct mr_agents *agents = run->cell[i].agents;
        run->tool_core_s[i] =
            agents != NULL ? mr_cores_busy_s(&mr_agents_player(agents)->cores, now_s) : 0;
    }
    MR_TRY(mr_play_gather(run, run->tool_core_s, sizeof *run->tool_core_s, &all, err));
    for (uint32_t c = 0; c < run->n_cell; c++)
        sum += ((const double *)all)[c];
    mr_exchange_set_tools(mr_factory_exchange(run->factory), sum);
    return MR_OK;
}

mr_status mr_play_share_seen(struct mr_play_run *run, double now_s, struct mr_err *err)
{
    const struct mr_scenario *scenario = run->scenario;
    const uint32_t n_decode = (uint32_t)scenario->deployment.n_instance;
    struct mr_factory_seen *seen = mr_factory_seen(run->factory);
    for (uint32_t i = 0; i < n_own(run); i++) {
        const struct mr_play_cell *own = &run->cell[i];
        const struct mr_outages_span *span = &own->span;
        mr_factory_look(&own->cell, 0, span->n, now_s, seen + span->first);
        mr_factory_look(&own->cell, span->n, span->n_reader, now_s,
                        seen + n_decode + span->first_reader);
    }
    if (scenario->has_agents)
        MR_TRY(share_tools(run, now_s, err));
    if (run->ranks->n == 1)
        return MR_OK;
    MR_TRY(share_pool(run, 0, n_decode, err));
    return scenario->has_prefill ? share_pool(run, n_decode, scenario->prefill.n_instance, err)
                                 : MR_OK;
}

mr_status mr_play_obey(struct mr_play_run *run, double now_s, struct mr_err *err)
{
    double lost_frac;
    const double tools_frac = mr_exchange_tools_frac(mr_factory_exchange(run->factory), &lost_frac);
    for (uint32_t i = 0; i < n_own(run); i++) {
        struct mr_play_cell *own = &run->cell[i];
        if (own->agents != NULL)
            MR_TRY(mr_agents_set_cores(own->agents, tools_frac, lost_frac, now_s, err));
        bool is_short = false;
        for (uint32_t seat = 0; seat < own->span.n + own->span.n_reader; seat++) {
            const uint32_t number = mr_play_cell_number(own, seat);
            MR_TRY(
                mr_factory_obey(run->factory, number, &own->cell, own->outages, seat, now_s, err));
            is_short |= mr_factory_is_short(run->factory, number);
        }
        MR_TRY(mr_cell_set_short(&own->cell, is_short, now_s, err));
    }
    return MR_OK;
}

/* ---- the sums of a cell ---- */

struct pool_sums {
    double busy_j, lpu_j, idle_s; /* busy_j: of a package of each instance; lpu_j: of all LPUs */
};

struct sums {
    uint64_t n_event, n_segment, n_iteration, n_restart, n_down, n_rerouted;
    uint64_t n_cached_block, n_all_block, n_block_evicted, n_live, n_live_max, session_bytes;
    double down_s, core_busy_s, made_tok;
    struct mr_cell_ahead_counts ahead;
    struct mr_agents_residency resided;
    struct mr_cell_little little;
    struct pool_sums pool[2];
    struct mr_split_counts split;
    struct mr_play_count count[MR_SCENARIO_TIERS];
    struct mr_play_count before; /* of all tiers, before what is measured */
    struct mr_player_sums sessions[MR_SCENARIO_TIERS];
    struct mr_play_memory memory[MR_ONBOARD_LEVELS];
    uint64_t n_load;
    double load_s;
};

static void add_seats(const struct mr_play_cell *own, const struct mr_pool *pool, uint32_t from,
                      uint32_t n, struct pool_sums *p, struct sums *s)
{
    const double now_s = own->run->result->sim_s;
    for (uint32_t seat = from; seat < from + n; seat++) {
        struct mr_instance *instance = mr_cell_instance(&own->cell, seat);
        mr_handover_settle(instance, now_s);
        s->n_segment += instance->n_segment;
        s->n_iteration += instance->n_iteration;
        s->n_restart += instance->n_restart;
        s->n_cached_block += instance->cache.n_block;
        s->n_all_block += pool->serving.n_block;
        s->n_block_evicted += instance->cache.counts.n_evicted_block;
        s->n_down += own->cell.seat[seat].n_down;
        s->down_s += mr_cell_down_s(&own->cell, seat, now_s);
        s->made_tok += mr_gauge_of(instance, now_s).n_token;
        p->busy_j += mr_instance_energy_j(instance, now_s);
        p->lpu_j += mr_instance_lpu_j(instance, now_s);
        p->idle_s += mr_play_cell_idle_s(&own->cell, seat, now_s);
    }
}

static void add_memory(struct mr_play_memory *sum, const struct mr_play_memory *m)
{
    sum->n_byte += m->n_byte;
    sum->limit_bytes += m->limit_bytes;
    sum->loaded_bytes += m->loaded_bytes;
    sum->written_bytes += m->written_bytes;
    sum->energy_j += m->energy_j;
}

static struct mr_play_memory memory_of(const struct mr_cache_tier *tier)
{
    const double block_bytes = tier->params.block_bytes;
    return (struct mr_play_memory){
        .n_byte = tier->n_block * block_bytes,
        .limit_bytes = tier->n_limit < UINT32_MAX ? tier->n_limit * block_bytes : (double)INFINITY,
        .loaded_bytes = (double)tier->counts.n_loaded_block * block_bytes,
        .written_bytes = (double)tier->counts.n_written_block * block_bytes,
        .energy_j = mr_cache_tier_energy_j(tier)};
}

static void add_onboard(const struct mr_onboard_pool *pool, struct sums *s)
{
    for (uint32_t k = 0; pool != NULL && k < pool->plan->n_level; k++) {
        const bool is_shared = pool->plan->level[k].is_shared;
        for (uint32_t i = 0; i < (is_shared ? 1 : pool->n); i++) {
            const struct mr_play_memory m =
                memory_of(is_shared ? &pool->tier[k] : &pool->each[i].own[k]);
            add_memory(&s->memory[k], &m);
        }
    }
    for (uint32_t i = 0; pool != NULL && i < pool->n; i++) {
        s->n_load += pool->each[i].counts.n_load;
        s->load_s += pool->each[i].counts.load_s;
    }
}

static void add_before(struct mr_play_count *sum, const struct mr_play_count *c)
{
    sum->n_arrived += c->n_arrived;
    sum->n_finished += c->n_finished;
    sum->n_input += c->n_input;
    sum->n_cached += c->n_cached;
    sum->n_output += c->n_output;
    for (int k = 0; k < MR_CELL_REFUSALS; k++)
        sum->n_refused[k] += c->n_refused[k];
}

static void sum_up(const struct mr_play_cell *own, struct sums *s)
{
    const struct mr_play_run *run = own->run;
    const size_t n_tier = run->scenario->n_tier;
    *s = (struct sums){.n_event = mr_play_cell_events(own), .n_rerouted = own->cell.n_rerouted};
    s->little = mr_cell_little(&own->cell);
    s->ahead = own->cell.ahead_counts;
    MR_ASSERT(s->little.rel < 1e-9);
    memcpy(s->count, own->count, n_tier * sizeof *s->count);
    for (size_t i = 0; i < n_tier; i++)
        add_before(&s->before, &own->before[i]);
    add_seats(own, &run->pool, 0, own->span.n, &s->pool[0], s);
    add_onboard(own->cell.onboard, s);
    if (own->cell.split != NULL) {
        s->split = own->cell.split->counts;
        add_seats(own, &run->prefill, own->span.n, own->span.n_reader, &s->pool[1], s);
        add_onboard(own->cell.split->onboard, s);
    }
    if (own->agents == NULL)
        return;
    const struct mr_player *player = mr_agents_player(own->agents);
    memcpy(s->sessions, player->sums, n_tier * sizeof *s->sessions);
    s->resided = mr_agents_resided(own->agents);
    s->n_live = player->n_live;
    s->n_live_max = player->n_live_max;
    s->core_busy_s = mr_cores_busy_s(&player->cores, run->result->sim_s);
    s->session_bytes = mr_player_bytes(player);
}

/* ---- the sums of all ---- */

static void add_sessions(struct mr_player_sums *sum, const struct mr_player_sums *s)
{
    sum->n_started += s->n_started;
    sum->n_finished += s->n_finished;
    sum->n_failed += s->n_failed;
    sum->n_call += s->n_call;
    sum->n_tool += s->n_tool;
    sum->n_tool_error += s->n_tool_error;
    sum->n_denied += s->n_denied;
    sum->n_redirected += s->n_redirected;
    sum->n_sandbox_cut += s->n_sandbox_cut;
    sum->n_shed_retry += s->n_shed_retry;
    sum->n_deadline += s->n_deadline;
    sum->n_in_time += s->n_in_time;
    sum->finished_s += s->finished_s;
    for (int i = 0; i < MR_PLAYER_PARTS; i++) {
        sum->part_s[i] += s->part_s[i];
        sum->finished_part_s[i] += s->finished_part_s[i];
    }
}

static void add_tier(struct mr_play_tier *sum, const struct mr_play_count *c)
{
    sum->n_arrived += c->n_arrived;
    sum->n_finished += c->n_finished;
    for (int k = 0; k < MR_CELL_REFUSALS; k++)
        sum->n_refused[k] += c->n_refused[k];
    sum->n_moved_in += c->n_moved_in;
    sum->n_moved_out += c->n_moved_out;
    sum->n_input += c->n_input;
    sum->n_cached += c->n_cached;
    sum->n_output += c->n_output;
    sum->n_met += c->n_met;
    sum->n_in_flight += c->n_in_flight;
    sum->n_late += c->n_late;
    for (int k = 0; k < MR_ONBOARD_LEVELS; k++)
        sum->n_loaded[k] += c->n_loaded[k];
}

/* All of a cell but what was before. */
static void add_measured(struct mr_play_tier *sum, const struct sums *s, size_t n_tier)
{
    for (size_t i = 0; i < n_tier; i++)
        add_tier(sum, &s->count[i]);
    sum->n_arrived -= s->before.n_arrived;
    sum->n_finished -= s->before.n_finished;
    sum->n_input -= s->before.n_input;
    sum->n_cached -= s->before.n_cached;
    sum->n_output -= s->before.n_output;
    for (int k = 0; k < MR_CELL_REFUSALS; k++)
        sum->n_refused[k] -= s->before.n_refused[k];
}

static void add_split(struct mr_split_counts *sum, const struct mr_split_counts *s)
{
    sum->n_local += s->n_local;
    sum->n_transfer += s->n_transfer;
    sum->sent_bytes += s->sent_bytes;
    sum->early_bytes += s->early_bytes;
    sum->n_lost += s->n_lost;
    sum->visible_s += s->visible_s;
}

/* Cells last as long as their last call: a mean over the time of each is near enough. */
static void add_little(struct mr_cell_little *sum, const struct mr_cell_little *s)
{
    const bool is_first = sum->rate_s == 0 && sum->inside_mean == 0;
    const double stay_s =
        (sum->rate_s * sum->stay_s + s->rate_s * s->stay_s) / (sum->rate_s + s->rate_s);
    if (s->rate_s == 0)
        return;
    sum->stay_s = is_first ? s->stay_s : stay_s;
    sum->inside_mean += s->inside_mean;
    sum->rate_s += s->rate_s;
    sum->rel = s->rel > sum->rel ? s->rel : sum->rel;
}

static void add(struct mr_play_result *result, const struct sums *s, struct pool_sums pool[2])
{
    result->n_event += s->n_event;
    result->n_segment += s->n_segment;
    result->n_iteration += s->n_iteration;
    result->n_restart += s->n_restart;
    result->n_cached_block += s->n_cached_block;
    result->n_all_block += s->n_all_block;
    result->n_block_evicted += s->n_block_evicted;
    result->n_down += s->n_down;
    result->n_rerouted += s->n_rerouted;
    result->down_s += s->down_s;
    result->made_tok += s->made_tok;
    result->n_live += (uint32_t)s->n_live;
    result->n_live_max += (uint32_t)s->n_live_max;
    result->core_busy_s += s->core_busy_s;
    result->ahead.n_begun += s->ahead.n_begun;
    result->ahead.n_ended += s->ahead.n_ended;
    result->ahead.n_tok += s->ahead.n_tok;
    result->resided.area += s->resided.area;
    result->resided.whole += s->resided.whole;
    result->resided.peak += s->resided.peak;
    result->resided.n_block += s->resided.n_block;
    result->session_bytes += s->session_bytes;
    for (int k = 0; k < MR_ONBOARD_LEVELS; k++)
        add_memory(&result->memory[k], &s->memory[k]);
    result->n_load += s->n_load;
    result->load_s += s->load_s;
    for (size_t i = 0; i < result->n_tier; i++) {
        add_tier(&result->tier[i], &s->count[i]);
        add_sessions(&result->tier[i].sessions, &s->sessions[i]);
    }
    if (result->measured != NULL)
        add_measured(result->measured, s, result->n_tier);
    add_split(&result->split, &s->split);
    add_little(&result->little, &s->little);
    for (int i = 0; i < 2; i++) {
        pool[i].busy_j += s->pool[i].busy_j;
        pool[i].lpu_j += s->pool[i].lpu_j;
        pool[i].idle_s += s->pool[i].idle_s;
    }
}

static void add_pool(struct mr_play_run *run, const struct mr_pool *pool, uint64_t n,
                     const struct pool_sums *p)
{
    struct mr_play_result *result = run->result;
    const double packages = mr_pool_packages(pool);
    const uint64_t n_package = (uint64_t)(packages * (double)n);
    result->n_package += n_package;
    result->n_lpu += mr_pool_lpx_beside(&pool->lpx) * n;
    result->package_j += packages * (p->busy_j + p->idle_s * mr_play_idle_w(pool)) + p->lpu_j +
                         p->idle_s * mr_play_lpu_w(pool, false);
    result->package_peak_w += (double)n * mr_play_lpu_w(pool, true);
    result->package_peak_w +=
        pool->step != NULL ? (double)n_package * pool->power.limit_w : (double)NAN;
}

static void add_latency(struct mr_play_tier *tier, struct mr_play_latency *pool,
                        const struct mr_play_latency *more)
{
    mr_hist_merge(&tier->ttft, &more->ttft);
    mr_hist_merge(&tier->tpot, &more->tpot);
    mr_hist_merge(&tier->e2e, &more->e2e);
    mr_hist_merge(&pool->ttft, &more->ttft);
    mr_hist_merge(&pool->tpot, &more->tpot);
    mr_hist_merge(&pool->e2e, &more->e2e);
}

/* Counts in bins are the same in any order. */
static mr_status share_hists(struct mr_play_run *run, struct mr_err *err)
{
    const size_t n_tier = run->scenario->n_tier, n = 2 * n_tier * sizeof *run->hists;
    struct mr_play_tier *measured = run->result->measured;
    for (uint32_t r = 0; r < run->ranks->n; r++)
        run->n_bytes[r] = n;
    MR_TRY(gather(run, run->hists, err));
    for (uint32_t r = 0; r < run->ranks->n; r++)
        for (size_t i = 0; i < 2 * n_tier; i++) {
            const struct mr_play_hists *h =
                (const void *)(run->gathered + r * n + i * sizeof *run->hists);
            struct mr_play_tier *tier = &run->result->tier[i % n_tier];
            for (int k = 0; k < 2; k++)
                add_latency(tier, &run->result->read[k], &h->read[k]);
            mr_hist_merge(&tier->completion, &h->completion);
            if (i < n_tier || measured == NULL)
                continue;
            for (int k = 0; k < 2; k++) {
                mr_hist_merge(&measured->ttft, &h->read[k].ttft);
                mr_hist_merge(&measured->tpot, &h->read[k].tpot);
                mr_hist_merge(&measured->e2e, &h->read[k].e2e);
            }
            mr_hist_merge(&measured->completion, &h->completion);
        }
    return MR_OK;
}

/* Of tenants: sums of cells in their order, histograms of ranks. @param[out] mine sums of own cells
 * @param[out] hists of this rank */
static void sum_tenants(const struct mr_play_run *run, struct mr_tenant_sums *mine,
                        struct mr_tenant_hists *hists)
{
    const size_t n = run->scenario->n_tenant;
    for (uint32_t c = 0; c < n_own(run); c++) {
        const struct mr_tenants *tenants = mr_agents_tenants(run->cell[c].agents);
        for (size_t i = 0; i < n; i++) {
            mine[c * n + i] = tenants->tenant[i].sum;
            mr_tenants_add_hists(&hists[i], &tenants->tenant[i].hist);
        }
    }
}

static mr_status gather_tenants(struct mr_play_run *run, const struct mr_tenant_sums *mine,
                                const struct mr_tenant_hists *hists, struct mr_err *err)
{
    struct mr_tenants *tenants = run->result->tenants;
    const size_t n = tenants->n;
    const void *all = NULL;
    MR_TRY(mr_play_gather(run, mine, n * sizeof *mine, &all, err));
    const struct mr_tenant_sums *sums = all;
    for (size_t k = 0; k < n * run->n_cell; k++)
        mr_tenants_add_sums(&tenants->tenant[k % n].sum, &sums[k]);
    for (uint32_t r = 0; r < run->ranks->n; r++)
        run->n_bytes[r] = n * sizeof *hists;
    MR_TRY(gather(run, hists, err));
    for (size_t k = 0; k < n * run->ranks->n; k++)
        mr_tenants_add_hists(&tenants->tenant[k % n].hist,
                             (const void *)(run->gathered + k * sizeof *hists));
    return MR_OK;
}

static mr_status share_tenants(struct mr_play_run *run, struct mr_err *err)
{
    const size_t n = run->scenario->n_tenant;
    if (run->deal == NULL || n == 0)
        return MR_OK;
    struct mr_tenant_sums *mine = mr_alloc_zero(n_own(run) * n + 1, sizeof *mine);
    struct mr_tenant_hists *hists = mr_alloc_zero(n, sizeof *hists);
    mr_status st = mr_tenants_create(run->scenario, 1, &run->result->tenants, err);
    if (mine == NULL || hists == NULL)
        st = mr_err_nomem(err, n * sizeof *hists);
    else if (st == MR_OK)
        sum_tenants(run, mine, hists);
    st = mr_play_agree(run, st, err);
    if (st == MR_OK)
        st = gather_tenants(run, mine, hists, err);
    mr_free(mine);
    mr_free(hists);
    return st;
}

/* What still runs when the end has come. */
static mr_status tell_the_rest(struct mr_play_run *run, struct mr_err *err)
{
    char *mine = NULL;
    const char *all;
    size_t n = 0, cap = 0, n_all;
    mr_status st = MR_OK;
    for (uint32_t i = 0; i < n_own(run) && st == MR_OK; i++) {
        struct mr_play_cell *own = &run->cell[i];
        const struct mr_calls *calls = &own->cell.calls;
        st = mr_play_steps_end(own, err); /* behind what the last exchange has ended */
        for (uint32_t k = 0; k < calls->n && st == MR_OK; k++) {
            const struct mr_ticket ticket = mr_cell_ticket(&own->cell, k);
            if (calls->call[k].state == MR_CALL_DONE || ticket.is_ahead)
                continue;
            own->count[ticket.tier].n_in_flight++;
            own->count[ticket.tier].n_late +=
                mr_play_cell_is_late(own, &ticket, &calls->call[k], run->result->sim_s);
            st = mr_play_rows_call(own, &ticket, &calls->call[k], calls->call[k].arrived_s,
                                   (double)NAN, MR_PLAY_IN_FLIGHT, err);
        }
        if (st == MR_OK)
            st = mr_grow(&mine, &cap, n + own->n_post + 1, 1, err);
        if (st == MR_OK && mine != NULL && own->n_post > 0)
            memcpy(mine + n, own->post, own->n_post);
        n += own->n_post;
    }
    st = mr_play_agree(run, st, err);
    if (st == MR_OK)
        st = mr_play_gather_bytes(run, mine, n, &all, &n_all, err);
    if (st == MR_OK && run->ranks->i == 0)
        st = mr_play_rows_tell(run, all, n_all, err);
    mr_free(mine);
    return mr_play_agree(run, st, err);
}

static mr_status add_cells(struct mr_play_run *run, struct mr_err *err)
{
    struct mr_play_result *result = run->result;
    struct pool_sums pool[2] = {{0, 0, 0}, {0, 0, 0}};
    const void *all = NULL;
    struct sums *mine = mr_alloc_zero((size_t)n_own(run) + 1, sizeof *mine);
    mr_status st = mine != NULL ? MR_OK : mr_err_nomem(err, n_own(run) * sizeof *mine);
    for (uint32_t i = 0; mine != NULL && i < n_own(run); i++)
        sum_up(&run->cell[i], &mine[i]);
    st = mr_play_agree(run, st, err);
    if (st == MR_OK)
        st = mr_play_gather(run, mine, sizeof *mine, &all, err);
    const struct sums *sums = all;
    for (uint32_t c = 0; c < run->n_cell && st == MR_OK; c++)
        add(result, &sums[c], pool);
    mr_free(mine);
    MR_TRY(st);
    add_pool(run, &run->pool, run->scenario->deployment.n_instance, &pool[0]);
    if (run->scenario->has_prefill)
        add_pool(run, &run->prefill, run->scenario->prefill.n_instance, &pool[1]);
    return MR_OK;
}

/* What a planner switched off was not lost. All ranks have to know, and one has the cell. */
static mr_status settle_planner(struct mr_play_run *run, struct mr_err *err)
{
    struct mr_play_result *result = run->result;
    const struct mr_planner_counts *counts = &result->planner;
    struct mr_planner_counts mine = {0};
    const void *all = NULL;
    result->has_planner = run->scenario->planner.interval_s > 0;
    if (!result->has_planner)
        return MR_OK;
    if (n_own(run) > 0)
        mine = mr_planner_counted(run->cell[0].planner, result->sim_s);
    MR_TRY(mr_play_gather(run, &mine, sizeof mine, &all, err));
    memcpy(&result->planner, all, sizeof mine);
    result->n_down -= counts->n_off;
    result->down_s = result->down_s > counts->off_s ? result->down_s - counts->off_s : 0;
    return MR_OK;
}

mr_status mr_play_settle(struct mr_play_run *run, struct mr_err *err)
{
    struct mr_play_result *result = run->result;
    MR_TRY(tell_the_rest(run, err));
    MR_TRY(add_cells(run, err));
    MR_TRY(share_hists(run, err));
    MR_TRY(share_tenants(run, err));
    MR_TRY(settle_planner(run, err));
    result->n_block = run->pool.serving.n_block;
    result->has_split = run->scenario->has_prefill;
    while (mr_pool_kv_memory(run->scenario, result->n_memory) != MR_SCENARIO_NO_MEMORY)
        result->n_memory++;
    result->n_prefill_block = run->prefill.serving.n_block;
    result->has_agents = run->deal != NULL;
    if (run->deal != NULL)
        result->session_bytes += mr_agents_deal_bytes(run->deal);
    if (run->arrivals != NULL)
        result->rows = mr_arrivals_counted(run->arrivals);
    return MR_OK;
}
