/* SPDX-License-Identifier: Apache-2.0 */
/* Series and rows as they come; what is known before, and at the end the sums (run_sums.h). */
#include "engine/cli/run_record.h"

#include "engine/base/mem.h"
#include "engine/base/rng.h"
#include "engine/base/wall.h"
#include "engine/cli/assumptions.h"
#include "engine/cli/confighash.h"
#include "engine/cli/run_origin.h"
#include "engine/cli/run_repeat.h"
#include "engine/cli/run_sums.h"
#include "engine/cli/site_record.h"
#include "engine/record/columns.h"
#include "engine/record/track.h"
#include "engine/twin/pool_kv.h"
#include "revision.h"

#include <math.h>
#include <stdio.h>

static const char *const outcomes[MR_PLAY_OUTCOMES] = {"finished", "in_flight",
#define OUTCOME_TEXT(name, text, doc) text,
                                                       MR_CELL_REFUSAL_LIST(OUTCOME_TEXT)
#undef OUTCOME_TEXT
};

// clang-format off
static const struct mr_channel call_columns[] = {
    MR_COLUMN(struct mr_play_row, id, U64, "1", "Number of the call, in the order of arrival"),
    MR_COLUMN(struct mr_play_row, session, U32, "1", "Number of its session"),
    MR_COLUMN(struct mr_play_row, tier, U8, "1", "Place of its tier on the axis of tiers"),
    MR_COLUMN(struct mr_play_row, instance, U32, "1", "Number of the instance that served it"),
    MR_COLUMN(struct mr_play_row, arrived_s, F64, "s", "Arrival of the call"),
    MR_COLUMN(struct mr_play_row, scheduled_s, F64, "s", "Start of the first step it was in"),
    MR_COLUMN(struct mr_play_row, first_token_s, F64, "s", "End of the step that read its prompt"),
    MR_COLUMN(struct mr_play_row, finished_s, F64, "s", "End of its last step; NaN: it did not end"),
    MR_COLUMN(struct mr_play_row, kv_load_s, F64, "s", "Of the time before its first step: its context on the way to HBM"),
    MR_COLUMN(struct mr_play_row, input, U32, "1", "Tokens of the prompt"),
    MR_COLUMN(struct mr_play_row, cached_input, U32, "1", "Of them found in the prefix cache"),
    MR_COLUMN(struct mr_play_row, output, U32, "1", "Tokens of the answer"),
    MR_COLUMN(struct mr_play_row, restarts, U32, "1", "How often it was preempted or its instance stopped"),
    {.name = "prefill_instance", .units = "1", .long_name = "Instance of the prefill pool that read its prompt; 4294967295: none", .type = MR_CHANNEL_U32,
     .offset = offsetof(struct mr_play_row, prefill_instance), .has_none = true},
    {.name = "outcome", .units = "1", .long_name = "What became of it", .type = MR_CHANNEL_U8,
     .offset = offsetof(struct mr_play_row, outcome), .flag = outcomes, .n_flag = MR_PLAY_OUTCOMES},
    {.name = "tenant", .units = "1", .long_name = "Place of its tenant on the axis of tenants, where there are tenants; 4294967295: of none", .type = MR_CHANNEL_U32,
     .offset = offsetof(struct mr_play_row, tenant), .has_none = true}, /* last: left out where there are none */
};
static const struct mr_channel step_columns[] = {
    MR_COLUMN(struct mr_play_step, rack, U8, "1", "Rack, its place among those asked for"),
    {.name = "pool", .units = "1", .long_name = "Pool of the instance", .type = MR_CHANNEL_U8,
     .offset = offsetof(struct mr_play_step, pool), .flag = mr_run_pool_names, .n_flag = MR_RUN_POOLS},
    MR_COLUMN(struct mr_play_step, instance, U32, "1", "Number of the instance in its pool, as calls have it"),
    MR_COLUMN(struct mr_play_step, start_s, F64, "s", "Start of the step"),
    MR_COLUMN(struct mr_play_step, time_s, F64, "s", "How long it lasted"),
    {.name = "decodes", .units = "1", .long_name = "Calls that decode in it", .type = MR_CHANNEL_U32,
     .offset = offsetof(struct mr_play_step, n_decode)},
    MR_COLUMN(struct mr_play_step, prefill_tok, U32, "1", "Tokens of prompts that it reads"),
    MR_COLUMN(struct mr_play_step, kv_tok, F64, "1", "Tokens of its calls whose keys and values it works with"),
    MR_COLUMN(struct mr_play_step, power_w, F64, "W", "Mean of the instance's packages on the rack; NaN: not known"),
    MR_COLUMN(struct mr_play_step, idle_w, F64, "W", "What these draw between steps; NaN: not known"),
    MR_COLUMN(struct mr_play_step, clock_frac, F64, "1", "Clock at its end, over the full clock"),
};
/* Series: instants, and rates of the interval that ends there. */
enum {
    pool_open, pool_waiting, pool_running, pool_kv, pool_resident, pool_host, pool_flash, pool_context, pool_storage,
    pool_tok_s, pool_power, pool_waiting_max, pool_running_max, pool_kv_max, pool_tok_s_max, pool_power_max, n_pool_channel,
    tier_in_flight = 0, tier_arrivals, tier_ends, tier_refusals, tier_tok_s, tier_in_flight_max, tier_arrivals_max,
    tier_refusals_max, n_tier_channel,
    n_tier_all = n_tier_channel + MR_CELL_REFUSALS /* with the reasons of refusals, those that there may be */
};
#define SERIES(name_, units_, long_name_) \
    {.name = "" name_, .units = "" units_, .long_name = "" long_name_, .type = MR_CHANNEL_F32_OF_F64, .cell_methods = "time: point"}
#define RATE(name_, units_, long_name_) \
    {.name = "" name_, .units = "" units_, .long_name = "" long_name_ ", mean of the interval before", .type = MR_CHANNEL_F32_OF_F64, .cell_methods = "time: mean"}
/* Most of all whole seconds since the sample before: instants, and means of a second. */
#define PEAK(name_, units_, long_name_) \
    {.name = "" name_, .units = "" units_, .long_name = "" long_name_ " since the sample before", .type = MR_CHANNEL_F32_OF_F64, MR_CHANNEL_OVER_MAX}
static const struct mr_channel pool_series[n_pool_channel] = {
    [pool_open] = SERIES("open", "1", "Instances that take calls"),
    [pool_waiting] = SERIES("waiting", "1", "Calls that wait"),
    [pool_running] = SERIES("running", "1", "Calls that run"),
    [pool_kv] = SERIES("kv_used_frac", "1", "Share of the KV blocks that running calls hold"),
    [pool_resident] = SERIES("kv_resident_frac", "1", "Share of the KV blocks that calls hold or the prefix cache keeps"),
    [pool_host] = SERIES("kv_host_gb", "GB", "Contexts in host memory; NaN: there is none"),
    [pool_flash] = SERIES("kv_flash_gb", "GB", "Contexts on flash; NaN: there is none"),
    [pool_context] = SERIES("kv_context_gb", "GB", "Contexts in the context store; NaN: there is none"),
    [pool_storage] = SERIES("kv_storage_gb", "GB", "Contexts in shared storage; NaN: there is none"),
    [pool_tok_s] = RATE("tok_s", "s-1", "Tokens made per second"),
    [pool_power] = RATE("power_kw", "kW", "Drawn by the packages"),
    [pool_waiting_max] = PEAK("waiting_max", "1", "Most calls that waited at a full second"),
    [pool_running_max] = PEAK("running_max", "1", "Most calls that ran at a full second"),
    [pool_kv_max] = PEAK("kv_used_max_frac", "1", "Largest share of the KV blocks that running calls held at a full second"),
    [pool_tok_s_max] = PEAK("tok_s_max", "s-1", "Most tokens made in a second"),
    [pool_power_max] = PEAK("power_max_kw", "kW", "The most that the packages drew, mean of a second,"),
};
/* Does not change. */
static const struct mr_channel pool_batch =
    {.name = "batch", .units = "1", .long_name = "Calls of an instance that run at once, at most", .type = MR_CHANNEL_F64};
static const struct mr_channel tier_series[n_tier_channel] = {
    [tier_in_flight] = SERIES("in_flight", "1", "Calls that have come and not ended"),
    [tier_arrivals] = RATE("arrivals_s", "s-1", "Arrivals per second"),
    [tier_ends] = RATE("ends_s", "s-1", "Calls ended per second"),
    [tier_refusals] = RATE("refusals_s", "s-1", "Calls refused per second"),
    [tier_tok_s] = RATE("ended_tok_s", "s-1", "Output tokens of ended calls per second"),
    [tier_in_flight_max] = PEAK("in_flight_max", "1", "Most calls that had come and not ended at a full second"),
    [tier_arrivals_max] = PEAK("arrivals_max_s", "s-1", "Most arrivals in a second"),
    [tier_refusals_max] = PEAK("refusals_max_s", "s-1", "Most calls refused in a second"),
};
/* Of the refusals, where a tier has what may be a reason. */
static const struct mr_channel refusal_series[MR_CELL_REFUSALS] = {
#define REFUSAL_SERIES(name, text, doc) \
    [MR_CELL_REFUSAL_##name] = RATE("refused_" text "_s", "s-1", "Calls refused per second, since " doc),
    MR_CELL_REFUSAL_LIST(REFUSAL_SERIES)
#undef REFUSAL_SERIES
};
#undef SERIES
#undef RATE
#undef PEAK
static const struct mr_channel session_columns[] = {
    MR_COLUMN(struct mr_agents_row, id, U32, "1", "Number of the session, as calls have it"),
    MR_COLUMN(struct mr_agents_row, script, U32, "1", "Place of what it plays among the recordings"),
    MR_COLUMN(struct mr_agents_row, tier, U8, "1", "Place of its tier on the axis of tiers"),
    {.name = "tenant", .units = "1", .long_name = "Place of its tenant on the axis of tenants; 4294967295: of none", .type = MR_CHANNEL_U32,
     .offset = offsetof(struct mr_agents_row, tenant), .has_none = true},
    MR_COLUMN(struct mr_agents_row, failed, U8, "1", "Was it given up?"),
    MR_COLUMN(struct mr_agents_row, started_s, F64, "s", "Start of the session"),
    MR_COLUMN(struct mr_agents_row, finished_s, F64, "s", "End of its last node"),
    MR_COLUMN(struct mr_agents_row, queue_s, F64, "s", "Of its critical path: calls before their first step"),
    MR_COLUMN(struct mr_agents_row, kv_load_s, F64, "s", "Contexts on their way to HBM, after preemptions, too"),
    MR_COLUMN(struct mr_agents_row, prefill_s, F64, "s", "Prompts being read"),
    MR_COLUMN(struct mr_agents_row, decode_s, F64, "s", "Tokens after the first"),
    MR_COLUMN(struct mr_agents_row, gateway_s, F64, "s", "Policy engine and privacy router"),
    MR_COLUMN(struct mr_agents_row, network_s, F64, "s", "Between agent and factory"),
    MR_COLUMN(struct mr_agents_row, tools_s, F64, "s", "Tools, had each a core to itself"),
    MR_COLUMN(struct mr_agents_row, tool_queue_s, F64, "s", "Waiting for sandboxes, sharing cores"),
    MR_COLUMN(struct mr_agents_row, memory_s, F64, "s", "Reading and writing long-term memory"),
    MR_COLUMN(struct mr_agents_row, think_s, F64, "s", "Thinking of users"),
    MR_COLUMN(struct mr_agents_row, delay_s, F64, "s", "Delays of dependencies, retries, recorded starts"),
    {.name = "calls", .units = "1", .long_name = "Its calls that ended here, on all its ways", .type = MR_CHANNEL_U64,
     .offset = offsetof(struct mr_agents_row, n_call)},
    {.name = "input", .units = "1", .long_name = "Tokens of their prompts", .type = MR_CHANNEL_U64,
     .offset = offsetof(struct mr_agents_row, n_input)},
    {.name = "cached_input", .units = "1", .long_name = "Of them found in the prefix cache", .type = MR_CHANNEL_U64,
     .offset = offsetof(struct mr_agents_row, n_cached)},
    {.name = "output", .units = "1", .long_name = "Tokens of their answers", .type = MR_CHANNEL_U64,
     .offset = offsetof(struct mr_agents_row, n_output)},
};

static const struct mr_group own_groups[] = {
    MR_GROUP("/pools", "time, pool", pool_series, "Pools of instances over time"),
    {"/pools", "pool", "Constants of the pools", &pool_batch, 1},
    MR_GROUP("/tiers", "time, tier", tier_series, "Tiers over time"),
    MR_GROUP("/tiers", "time, tier", refusal_series, "Refusals by reason, each where some tier has the rule that may be the reason"),
    MR_GROUP("/requests", "request", call_columns, "One row per LLM call"),
    MR_GROUP("/sessions", "session", session_columns, "One row per session, where agents are played"),
    MR_GROUP("/steps", "step", step_columns, "One row per step of instances on selected racks, those of an instance by time"),
};
const struct mr_group_list mr_run_groups = MR_GROUP_LIST("run", own_groups);
// clang-format on

#define N_OF(table) (sizeof(table) / sizeof *(table))

struct mr_run_record {
    uint64_t began_ns; /* on the wall */
    const struct mr_scenario *scenario;
    struct mr_run_record_options options;
    struct mr_runfile *file;
    struct mr_columns *calls, *sessions, *steps;       /* NULL: not recorded */
    struct mr_channel step_column[N_OF(step_columns)]; /* with names of racks */
    const char *step_rack[MR_RECORD_LEVEL_STEPS];      /* in the buffer */
    struct mr_buf step_names;
    struct mr_site_record *site;
    struct mr_record_level level;
    struct mr_record_every every;
    struct mr_track *pools, *tiers;
    const char *tier[MR_SCENARIO_TIERS];        /* names */
    enum mr_cell_refusal why[MR_CELL_REFUSALS]; /* that there may be */
    size_t n_why;
    struct mr_record_dates dates;
    struct mr_play_sample pools_before, tiers_before, looked_before; /* rates are differences */
    bool has_sample;
};

/* ---- series ---- */

static mr_status put_batches(struct mr_run_record *r, struct mr_err *err)
{
    const double n_batch[] = {(double)r->scenario->deployment.n_batch,
                              (double)r->scenario->prefill.n_batch};
    const struct mr_runfile_array array = {.group = "/pools",
                                           .channel = &pool_batch,
                                           .axis = {"pool", NULL},
                                           .n = {r->scenario->has_prefill ? 2 : 1, 0},
                                           .values = n_batch};
    return mr_runfile_put(r->file, &array, err);
}

/* May a call of some tier be refused for it? */
static bool may_refuse(const struct mr_scenario *scenario, enum mr_cell_refusal why)
{
    bool may = why == MR_CELL_REFUSAL_TOO_LONG;
    for (size_t i = 0; i < scenario->n_tier; i++) {
        const struct mr_scenario_tier *tier = &scenario->tier[i];
        const struct mr_scenario_spared spared = mr_scenario_spared(scenario, i);
        const bool has[MR_CELL_REFUSALS] = {
            [MR_CELL_REFUSAL_SHED] = mr_scenario_shed_at(scenario, i) > 0,
            [MR_CELL_REFUSAL_LIMIT] = tier->n_inside > 0,
            [MR_CELL_REFUSAL_RATE] = tier->rate_tok_s > 0,
            [MR_CELL_REFUSAL_LATE] = tier->late_s > 0,
            [MR_CELL_REFUSAL_WATTS] = spared.ttft_s > 0 || spared.tpot_s > 0,
            [MR_CELL_REFUSAL_EXPIRED] = tier->patience_s > 0};
        may = may || has[why];
    }
    return may;
}

/* @param[out] channel [n_tier_all] @return of them */
static size_t tier_channels(struct mr_run_record *r, struct mr_channel *channel)
{
    memcpy(channel, tier_series, sizeof tier_series);
    for (int k = 0; k < MR_CELL_REFUSALS; k++)
        if (may_refuse(r->scenario, (enum mr_cell_refusal)k)) {
            channel[n_tier_channel + r->n_why] = refusal_series[k];
            r->why[r->n_why++] = (enum mr_cell_refusal)k;
        }
    return n_tier_channel + r->n_why;
}

static mr_status declare_series(struct mr_run_record *r, struct mr_err *err)
{
    struct mr_channel tier_channel[n_tier_all];
    const size_t n_channel = tier_channels(r, tier_channel);
    const struct mr_track_plan pools = {.group = "/pools",
                                        .axis = "pool",
                                        .axis_name = "Pools of instances",
                                        .name = mr_run_pool_names,
                                        .n_entity = r->scenario->has_prefill ? 2 : 1,
                                        .interval_s = r->every.every_s[MR_RECORD_POOLS],
                                        .channel = pool_series,
                                        .n_channel = n_pool_channel};
    const struct mr_track_plan of_tiers = {.group = "/tiers",
                                           .axis = "tier",
                                           .axis_name = "Tiers in the order of the scenario",
                                           .name = r->tier,
                                           .n_entity = r->scenario->n_tier,
                                           .interval_s = r->every.every_s[MR_RECORD_TIERS],
                                           .channel = tier_channel,
                                           .n_channel = n_channel};
    if (!r->level.has_site) /* tiers have figures */
        return mr_runfile_axis(r->file, of_tiers.group, of_tiers.axis, of_tiers.axis_name, r->tier,
                               of_tiers.n_entity, err);
    MR_TRY(mr_track_create(r->file, &pools, &r->pools, err));
    MR_TRY(put_batches(r, err));
    return mr_track_create(r->file, &of_tiers, &r->tiers, err);
}

/* NaN where there is no interval. */
static double rate(double now, double before, double time_s)
{
    return time_s > 0 ? (now - before) / time_s : (double)NAN;
}

/* @param[out] value of each memory that there can be below HBM, in their order */
static void put_memories(const struct mr_scenario *scenario, const struct mr_play_pool *p, int i,
                         double (*value)[2])
{
    int memory;
    for (int k = 0; k < MR_SCENARIO_MEMORIES - 1; k++)
        value[k][i] = (double)NAN;
    for (uint32_t k = 0; (memory = mr_pool_kv_memory(scenario, k)) != MR_SCENARIO_NO_MEMORY; k++)
        value[memory - 1][i] = p->kv_bytes[k] * 1e-9;
}

/* Rates since `before`. @param[out] lent n_pool_channel pointers into value */
static void pool_values(const struct mr_run_record *r, const struct mr_play_sample *now,
                        const struct mr_play_sample *before, double (*value)[2], const void **lent)
{
    const double time_s = now->t_s - before->t_s;
    for (int i = 0; i < 2; i++) {
        const struct mr_play_pool *p = &now->pool[i], *b = &before->pool[i];
        value[pool_open][i] = p->n_open;
        value[pool_waiting][i] = value[pool_waiting_max][i] = p->n_waiting;
        value[pool_running][i] = value[pool_running_max][i] = p->n_running;
        value[pool_kv][i] = value[pool_kv_max][i] = p->kv_used_frac;
        value[pool_resident][i] = p->kv_resident_frac;
        put_memories(r->scenario, p, i, &value[pool_host]);
        value[pool_tok_s][i] = value[pool_tok_s_max][i] = rate(p->n_token, b->n_token, time_s);
        value[pool_power][i] = value[pool_power_max][i] =
            rate(p->package_j, b->package_j, time_s) * 1e-3;
    }
    for (int k = 0; k < n_pool_channel; k++)
        lent[k] = value[k];
}

static double refused(const struct mr_play_level *level)
{
    double n = 0;
    for (int k = 0; k < MR_CELL_REFUSALS; k++)
        n += level->n_refused[k];
    return n;
}

/* The same of tiers. */
static void tier_values(const struct mr_run_record *r, const struct mr_play_sample *now,
                        const struct mr_play_sample *before, double (*value)[MR_SCENARIO_TIERS],
                        const void **lent)
{
    const double time_s = now->t_s - before->t_s;
    for (size_t i = 0; i < r->scenario->n_tier; i++) {
        const struct mr_play_level *t = &now->tier[i], *b = &before->tier[i];
        const double n_refused = refused(t);
        value[tier_in_flight][i] = value[tier_in_flight_max][i] =
            t->n_arrived - t->n_finished - n_refused;
        value[tier_arrivals][i] = value[tier_arrivals_max][i] =
            rate(t->n_arrived, b->n_arrived, time_s);
        value[tier_ends][i] = rate(t->n_finished, b->n_finished, time_s);
        value[tier_refusals][i] = value[tier_refusals_max][i] = rate(n_refused, refused(b), time_s);
        value[tier_tok_s][i] = rate(t->n_output, b->n_output, time_s);
        for (size_t k = 0; k < r->n_why; k++)
            value[n_tier_channel + k][i] =
                rate(t->n_refused[r->why[k]], b->n_refused[r->why[k]], time_s);
    }
    for (int k = 0; k < n_tier_all; k++)
        lent[k] = value[k];
}

static mr_status put_pools(struct mr_run_record *r, const struct mr_play_sample *now,
                           struct mr_err *err)
{
    double value[n_pool_channel][2];
    const void *lent[n_pool_channel];
    pool_values(r, now, &r->pools_before, value, lent);
    r->pools_before = *now;
    return mr_track_row(r->pools, now->t_s, lent, err);
}

static mr_status put_tiers(struct mr_run_record *r, const struct mr_play_sample *now,
                           struct mr_err *err)
{
    double value[n_tier_all][MR_SCENARIO_TIERS] = {{0}};
    const void *lent[n_tier_all];
    tier_values(r, now, &r->tiers_before, value, lent);
    r->tiers_before = *now;
    return mr_track_row(r->tiers, now->t_s, lent, err);
}

/* For peaks between samples. The beginning brings no time. */
static void look(struct mr_run_record *r, const struct mr_play_sample *now)
{
    double of_pools[n_pool_channel][2], of_tiers[n_tier_all][MR_SCENARIO_TIERS] = {{0}};
    const void *lent[n_pool_channel + n_tier_all];
    const double lasted_s = now->t_s - r->looked_before.t_s;
    if (!(lasted_s > 0))
        return;
    pool_values(r, now, &r->looked_before, of_pools, lent);
    mr_track_look(r->pools, lasted_s, lent);
    tier_values(r, now, &r->looked_before, of_tiers, lent);
    mr_track_look(r->tiers, lasted_s, lent);
    r->looked_before = *now;
}

/* Kinds of which an interval is due. */
static uint32_t kinds_of(const struct mr_run_record *r, uint32_t due)
{
    uint32_t kinds = 0;
    for (int k = 0; k < MR_RECORD_KINDS; k++)
        kinds |= (uint32_t)((r->dates.due[k] & due) != 0) << k;
    return kinds;
}

static mr_status send(struct mr_columns *table, struct mr_err *err)
{
    return table != NULL ? mr_columns_send(table, err) : MR_OK;
}

/* A sample has all that came before it in the file at the next flush. */
static mr_status send_tables(struct mr_run_record *r, struct mr_err *err)
{
    MR_TRY(send(r->calls, err));
    MR_TRY(send(r->sessions, err));
    return send(r->steps, err);
}

mr_status mr_run_record_sample(void *record, const struct mr_play_sample *now, struct mr_err *err)
{
    struct mr_run_record *r = record;
    const uint32_t kinds = kinds_of(r, now->due);
    if (!r->has_sample)
        r->pools_before = r->tiers_before = r->looked_before = *now;
    r->has_sample = true;
    MR_TRY(send_tables(r, err));
    if ((now->due & r->dates.look) != 0)
        look(r, now);
    if (mr_record_is_due(kinds, MR_RECORD_POOLS))
        MR_TRY(put_pools(r, now, err));
    MR_TRY(mr_site_record_row(r->site, now->t_s, kinds, err));
    return mr_record_is_due(kinds, MR_RECORD_TIERS) ? put_tiers(r, now, err) : MR_OK;
}

void mr_run_record_exchange(void *record, double now_s)
{
    mr_site_record_look(((struct mr_run_record *)record)->site, now_s);
}

/* ---- life ---- */

/* Names of racks are told by the column itself: files without racks over time have them, too. */
static mr_status declare_steps(struct mr_run_record *r, struct mr_err *err)
{
    const struct mr_columns_plan steps = {.group = "/steps",
                                          .axis = "step",
                                          .column = r->step_column,
                                          .n_column = N_OF(step_columns),
                                          .row_bytes = sizeof(struct mr_play_step),
                                          .is_gathered = true};
    const size_t n = r->level.n_step_rack;
    if (n == 0)
        return MR_OK;
    for (size_t i = 0; i < n; i++)
        mr_buf_printf(&r->step_names, "%.*s%c", (int)r->level.step_rack[i].n,
                      r->level.step_rack[i].p, '\0');
    MR_TRY(mr_buf_check(&r->step_names, err));
    const char *name = r->step_names.text;
    for (size_t i = 0; i < n; i++) {
        r->step_rack[i] = name;
        name += r->level.step_rack[i].n + 1;
    }
    memcpy(r->step_column, step_columns, sizeof step_columns);
    r->step_column[0].flag = r->step_rack;
    r->step_column[0].n_flag = n;
    return mr_columns_create(r->file, &steps, &r->steps, err);
}

/* What is not known is 0. */
static uint64_t guess(double n)
{
    return n < 1e15 ? (uint64_t)n : 0;
}

static mr_status declare(struct mr_run_record *r, struct mr_err *err)
{
    const struct mr_scenario *scenario = r->scenario;
    const struct mr_columns_plan sessions = {.group = "/sessions",
                                             .axis = "session",
                                             .column = session_columns,
                                             .n_column = N_OF(session_columns),
                                             .row_bytes = sizeof(struct mr_agents_row),
                                             .n_kept = r->level.n_kept,
                                             .seed = scenario->top.seed,
                                             .is_gathered = r->level.n_kept == 0};
    const struct mr_columns_plan calls = {.group = "/requests",
                                          .axis = "request",
                                          .column = call_columns,
                                          .n_column =
                                              N_OF(call_columns) - (scenario->n_tenant == 0),
                                          .row_bytes = sizeof(struct mr_play_row),
                                          .n_kept = r->level.n_kept,
                                          .seed = scenario->top.seed,
                                          .n_guess = guess(mr_scenario_guess_calls(scenario)),
                                          .is_gathered = r->level.n_kept == 0};
    const char *name = scenario->top.name != NULL ? scenario->top.name : "";
    for (size_t i = 0; i < scenario->n_tier; i++)
        r->tier[i] = scenario->tier[i].name;
    MR_TRY(mr_runfile_attr_text(r->file, "/", "Conventions", "CF-1.8", err));
    MR_TRY(mr_runfile_attr_text(r->file, "/", "title", name, err));
    MR_TRY(mr_runfile_attr_text(r->file, "/provenance", "program", "millrace " MR_VERSION, err));
    MR_TRY(mr_runfile_attr_text(r->file, "/provenance", "revision", MR_GIT_HASH, err));
    MR_TRY(mr_runfile_attr_text(r->file, "/provenance", "scenario", scenario->path, err));
    MR_TRY(mr_runfile_attr_u64(r->file, "/provenance", "seed", scenario->top.seed, err));
    r->began_ns = mr_wall_ns();
    MR_TRY(mr_run_origin_put(r->file, err));
    MR_TRY(declare_series(r, err));
    const char *site = mr_run_repeat_shown(scenario, r->options.files).site.file;
    MR_TRY(mr_runfile_attr_text(r->file, "/site", "name", site != NULL ? site : "", err));
    if (scenario->site.file == NULL)
        MR_TRY(
            mr_runfile_attr_text(r->file, "/racks", "comment", "the scenario names no site", err));
    MR_TRY(declare_steps(r, err));
    if (!r->level.has_calls)
        return MR_OK;
    MR_TRY(mr_columns_create(r->file, &calls, &r->calls, err));
    MR_TRY(mr_runfile_attr_u64(r->file, "/requests", "one_in",
                               r->level.one_in_n > 0 ? r->level.one_in_n : 1, err));
    return scenario->has_agents ? mr_columns_create(r->file, &sessions, &r->sessions, err) : MR_OK;
}

static mr_status put_text(struct mr_run_record *r, const char *group, const char *name,
                          const char *long_name, struct mr_buf *text, struct mr_err *err)
{
    mr_status st = mr_buf_check(text, err);
    if (st == MR_OK)
        st = mr_runfile_text(r->file, group, name, long_name, text->n > 0 ? text->text : "", err);
    mr_buf_fini(text);
    return st;
}

/* By it a sweep knows a row that is done already. */
static mr_status put_hash(struct mr_run_record *r, struct mr_err *err)
{
    const struct mr_confighash_options options = {r->options.steps_singly};
    char hash[MR_SHA256_HEX];
    MR_TRY(mr_confighash_of(r->options.hashes, r->scenario, &options, hash, err));
    return mr_runfile_attr_text(r->file, "/provenance", "config_hash", hash, err);
}

static mr_status put_config(struct mr_run_record *r, struct mr_err *err)
{
    const struct mr_scenario *scenario = r->scenario;
    const struct {
        const char *name, *long_name;
        const struct mr_buf *list;
    } lists[] = {{"used", "Paths that the scenario gives", &scenario->given},
                 {"defaulted", "Paths that have their default", &scenario->defaulted},
                 {"overridden", "Paths that were set from outside", &scenario->overridden}};
    struct mr_buf text = {0};
    MR_TRY(put_hash(r, err));
    const struct mr_scenario shown = mr_run_repeat_shown(scenario, r->options.files);
    mr_scenario_write(&shown, &text);
    MR_TRY(put_text(r, "/config", "effective", "The scenario with all defaults filled in", &text,
                    err));
    for (size_t i = 0; i < N_OF(lists); i++)
        MR_TRY(mr_runfile_text(r->file, "/config", lists[i].name, lists[i].long_name,
                               lists[i].list->n > 0 ? lists[i].list->text : "", err));
    const mr_status st = mr_run_repeat_inputs(scenario, r->options.files, r->options.hashes,
                                              r->options.steps_singly, &text, err);
    if (st != MR_OK) {
        mr_buf_fini(&text);
        return st;
    }
    MR_TRY(put_text(r, "/provenance", "inputs", "Files that were read, by path and SHA-256", &text,
                    err));
    const mr_status st_files = mr_run_files_write(scenario, r->options.hashes, &text, err);
    if (st_files != MR_OK) {
        mr_buf_fini(&text);
        return st_files;
    }
    return put_text(r, "/config", "files",
                    "Texts of the site and of cards, packed ones of smaller inputs, as JSON", &text,
                    err);
}

static mr_status open_file(struct mr_run_record *r, const char *path, struct mr_err *err)
{
    struct mr_runfile_options options = mr_runfile_options_default();
    options.may_overwrite = r->options.may_overwrite;
    options.is_live = r->scenario->record.is_live;
    options.flush_s = r->scenario->record.flush_s;
    options.guess_s = mr_scenario_guess_s(r->scenario);
    MR_TRY(mr_runfile_create(path, &options, &r->file, err));
    MR_TRY(put_config(r, err));
    return declare(r, err);
}

mr_status mr_run_record_create(const char *path, const struct mr_run_record_options *options,
                               const struct mr_scenario *scenario, struct mr_run_record **out,
                               struct mr_err *err)
{
    struct mr_run_record *r = mr_alloc_zero(1, sizeof *r);
    *out = NULL;
    if (r == NULL)
        return mr_err_nomem(err, sizeof *r);
    r->scenario = scenario;
    r->options = *options;
    mr_status st = mr_record_level_parse(scenario->record.what, &r->level, err);
    if (st == MR_OK)
        st = mr_record_every_parse(scenario->record.every, &r->every, err);
    if (st == MR_OK)
        mr_record_every_dates(&r->every, &r->level, &r->dates);
    if (st == MR_OK)
        st = open_file(r, path, err);
    if (st != MR_OK) {
        mr_run_record_destroy(r);
        return st;
    }
    *out = r;
    return MR_OK;
}

void mr_run_record_destroy(struct mr_run_record *record)
{
    if (record == NULL)
        return;
    mr_site_record_destroy(record->site);
    mr_runfile_destroy(record->file);
    mr_buf_fini(&record->step_names);
    mr_free(record);
}

mr_status mr_run_record_begin(void *record, struct mr_factory *factory, struct mr_err *err)
{
    struct mr_run_record *r = record;
    const struct mr_site_record_options options = {r->every, r->level.has_site, r->level.has_racks,
                                                   r->level.has_dies, r->scenario};
    const struct mr_site *site = factory != NULL ? mr_factory_site(factory) : NULL;
    struct mr_buf text = {0};
    const mr_status st = mr_assumptions_write(r->scenario, site, &text, err);
    if (st != MR_OK) {
        mr_buf_fini(&text);
        return st;
    }
    MR_TRY(put_text(r, "/config", "assumptions",
                    "Figures of cards in use that are assumed or estimated", &text, err));
    MR_TRY(mr_site_record_create(r->file, factory, &options, &r->site, err));
    return mr_runfile_start(r->file, err);
}

mr_status mr_run_record_event(void *record, const struct mr_play_event *event, struct mr_err *err)
{
    return mr_site_record_event(((struct mr_run_record *)record)->site, event, err);
}

/* One in n, by a draw of its own: of sessions where there are, so that what is kept is whole. */
static bool is_kept(const struct mr_run_record *r, uint64_t key)
{
    if (r->level.one_in_n == 0)
        return true;
    struct mr_rng rng = mr_rng_stream(r->scenario->top.seed, MR_RNG_RESERVOIR, key);
    return mr_rng_below(&rng, r->level.one_in_n) == 0;
}

mr_status mr_run_record_call(void *record, const struct mr_play_row *row, struct mr_err *err)
{
    struct mr_run_record *r = record;
    if (r->calls == NULL || !is_kept(r, r->scenario->has_agents ? row->session : row->id))
        return MR_OK;
    return mr_columns_add(r->calls, row, 1, err);
}

mr_status mr_run_record_session(void *record, const struct mr_agents_row *row, struct mr_err *err)
{
    struct mr_run_record *r = record;
    if (r->sessions == NULL || !is_kept(r, row->id))
        return MR_OK;
    return mr_columns_add(r->sessions, row, 1, err);
}

mr_status mr_run_record_step(void *record, const struct mr_play_step *step, struct mr_err *err)
{
    return mr_columns_add(((struct mr_run_record *)record)->steps, step, 1, err);
}

mr_status mr_run_record_finish(struct mr_run_record *record, const struct mr_play_result *result,
                               struct mr_str json, struct mr_err *err)
{
    MR_TRY(mr_runfile_stop(record->file, err));
    MR_TRY(mr_site_record_finish(record->site, err));
    MR_TRY(mr_run_sums_put(record->file, record->scenario, result, json, err));
    MR_TRY(mr_runfile_text(record->file, "/provenance", "summary", "Summary as JSON", json.p, err));
    MR_TRY(mr_run_origin_end(record->file, result->n_rank,
                             1e-9 * (double)(mr_wall_ns() - record->began_ns), err));
    return result->is_partial
               ? mr_runfile_finish(record->file, MR_RUNFILE_PARTIAL, "stopped by a signal", err)
               : mr_runfile_finish(record->file, MR_RUNFILE_COMPLETE, "done", err);
}

void mr_run_record_give_up(struct mr_run_record *record, enum mr_runfile_end end,
                           const char *reason)
{
    struct mr_err err = {0};
    /* there is an error already; where the disk is it, the part is as of its last flush */
    const mr_status st = mr_runfile_finish(record->file, end, reason, &err);
    (void)st;
}
