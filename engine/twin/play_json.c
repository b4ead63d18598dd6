/* SPDX-License-Identifier: Apache-2.0 */
/* The summary: stable keys. What the build does not model yet is null, never zero. */
#include "engine/base/jsonw.h"
#include "engine/base/wall.h"
#include "engine/twin/play.h"
#include "engine/twin/pool_kv.h"

#include <math.h>

static const double unknown = (double)NAN;

struct totals {
    uint64_t n_arrived, n_finished, n_shed, n_failed, n_input, n_cached, n_output;
    double revenue_usd;
};

/* Computed input is written to the prefix cache where there is one: all of it, since prices are by
 * the token and customers know no blocks. */
double mr_play_usd(const struct mr_scenario *scenario, const struct mr_play_result *result,
                   size_t tier)
{
    const struct mr_play_tier *sum = &result->tier[tier];
    return mr_tenants_usd(scenario, tier, (double)sum->n_input, (double)sum->n_cached,
                          (double)sum->n_output);
}

static struct totals totals_of(const struct mr_scenario *scenario,
                               const struct mr_play_result *result)
{
    struct totals t = {0};
    for (size_t i = 0; i < result->n_tier; i++) {
        const struct mr_play_tier *tier = &result->tier[i];
        t.n_arrived += tier->n_arrived;
        t.n_finished += tier->n_finished;
        for (int k = 0; k < MR_CELL_REFUSALS; k++)
            *(k == MR_CELL_REFUSAL_TOO_LONG ? &t.n_failed : &t.n_shed) += tier->n_refused[k];
        t.n_input += tier->n_input;
        t.n_cached += tier->n_cached;
        t.n_output += tier->n_output;
        t.revenue_usd += mr_play_usd(scenario, result, i);
    }
    return t;
}

static void put_hist(struct mr_jsonw *w, const char *key, const struct mr_hist *hist)
{
    mr_jsonw_key(w, key);
    mr_jsonw_object(w);
    mr_jsonw_key_f64(w, "p50", mr_hist_quantile_s(hist, 0.5));
    mr_jsonw_key_f64(w, "p90", mr_hist_quantile_s(hist, 0.9));
    mr_jsonw_key_f64(w, "p99", mr_hist_quantile_s(hist, 0.99));
    mr_jsonw_key_f64(w, "mean", mr_hist_mean_s(hist));
    mr_jsonw_end(w);
}

/* All tiers in one; large, so it is static memory of the caller. */
static void put_latencies(struct mr_jsonw *w, const struct mr_play_result *result,
                          struct mr_hist *sum, double *tpot_p50_s)
{
    static const struct {
        const char *key;
        size_t offset;
    } hists[] = {{"ttft_s", offsetof(struct mr_play_tier, ttft)},
                 {"tpot_s", offsetof(struct mr_play_tier, tpot)},
                 {"e2e_s", offsetof(struct mr_play_tier, e2e)}};
    for (size_t k = 0; k < sizeof hists / sizeof *hists; k++) {
        mr_hist_reset(sum);
        for (size_t i = 0; i < result->n_tier; i++)
            mr_hist_merge(sum, (const void *)((const char *)&result->tier[i] + hists[k].offset));
        put_hist(w, hists[k].key, sum);
        if (hists[k].offset == offsetof(struct mr_play_tier, tpot))
            *tpot_p50_s = mr_hist_quantile_s(sum, 0.5);
    }
}

static const char *const part_names[] = {
#define PART_NAME(name, text, doc) text,
    MR_PLAYER_PART_LIST(PART_NAME)
#undef PART_NAME
};

/* Mean time of a finished session by parts; they add up to the mean of its completion. */
static void put_parts(struct mr_jsonw *w, const double *part_s, uint64_t n_finished)
{
    mr_jsonw_key(w, "time_s");
    mr_jsonw_object(w);
    for (int i = 0; i < MR_PLAYER_PARTS; i++)
        mr_jsonw_key_f64(w, part_names[i],
                         n_finished > 0 ? part_s[i] / (double)n_finished : unknown);
    mr_jsonw_end(w);
}

static void put_session_counts(struct mr_jsonw *w, const struct mr_player_sums *sums)
{
    mr_jsonw_key_u64(w, "started", sums->n_started);
    mr_jsonw_key_u64(w, "finished", sums->n_finished);
    mr_jsonw_key_u64(w, "failed", sums->n_failed);
}

static void put_tier_sessions(struct mr_jsonw *w, const struct mr_play_result *result,
                              const struct mr_play_tier *tier)
{
    if (!result->has_agents)
        return;
    mr_jsonw_key_f64(w, "prefix_hit_frac",
                     tier->n_input > 0 ? (double)tier->n_cached / (double)tier->n_input : unknown);
    mr_jsonw_key(w, "sessions");
    mr_jsonw_object(w);
    put_session_counts(w, &tier->sessions);
    put_hist(w, "completion_s", &tier->completion);
    put_parts(w, tier->sessions.finished_part_s, tier->sessions.n_finished);
    mr_jsonw_end(w);
}

/* All tiers; only where there are sessions. */
static void put_sessions(struct mr_jsonw *w, const struct mr_play_result *result,
                         const struct totals *t, struct mr_hist *scratch)
{
    struct mr_player_sums sum = {0};
    if (!result->has_agents)
        return;
    mr_hist_reset(scratch);
    for (size_t i = 0; i < result->n_tier; i++) {
        const struct mr_player_sums *own = &result->tier[i].sessions;
        sum.n_started += own->n_started;
        sum.n_finished += own->n_finished;
        sum.n_failed += own->n_failed;
        sum.n_tool += own->n_tool;
        sum.n_tool_error += own->n_tool_error;
        sum.n_denied += own->n_denied;
        sum.n_redirected += own->n_redirected;
        sum.n_sandbox_cut += own->n_sandbox_cut;
        sum.n_shed_retry += own->n_shed_retry;
        sum.n_deadline += own->n_deadline;
        sum.n_in_time += own->n_in_time;
        for (int k = 0; k < MR_PLAYER_PARTS; k++)
            sum.finished_part_s[k] += own->finished_part_s[k];
        mr_hist_merge(scratch, &result->tier[i].completion);
    }
    mr_jsonw_key(w, "sessions");
    mr_jsonw_object(w);
    put_session_counts(w, &sum);
    mr_jsonw_key_u64(w, "live", result->n_live);
    mr_jsonw_key_u64(w, "live_max", result->n_live_max);
    put_hist(w, "completion_s", scratch);
    put_parts(w, sum.finished_part_s, sum.n_finished);
    mr_jsonw_key_f64(w, "prefix_hit_frac",
                     t->n_input > 0 ? (double)t->n_cached / (double)t->n_input : unknown);
    mr_jsonw_key_u64(w, "tools", sum.n_tool);
    mr_jsonw_key_u64(w, "tool_errors", sum.n_tool_error);
    mr_jsonw_key_u64(w, "denied_calls", sum.n_denied);
    mr_jsonw_key_u64(w, "redirected_calls", sum.n_redirected);
    mr_jsonw_key_u64(w, "sandboxes_cut", sum.n_sandbox_cut);
    mr_jsonw_key_u64(w, "shed_retries", sum.n_shed_retry);
    mr_jsonw_key_u64(w, "deadlines", sum.n_deadline);
    mr_jsonw_key_u64(w, "deadlines_met", sum.n_in_time);
    mr_jsonw_key_f64(w, "cores_busy_mean",
                     result->sim_s > 0 ? result->core_busy_s / result->sim_s : unknown);
    mr_jsonw_key_f64(w, "kv_cached_frac",
                     (double)result->n_cached_block / (double)result->n_all_block);
    const struct mr_agents_residency *r = &result->resided;
    mr_jsonw_key_f64(w, "kv_resident_mean_frac", r->whole > 0 ? r->area / r->whole : unknown);
    mr_jsonw_key_f64(w, "kv_resident_peak_frac", r->n_block > 0 ? r->peak / r->n_block : unknown);
    mr_jsonw_key_u64(w, "kv_blocks_evicted", result->n_block_evicted);
    mr_jsonw_key_u64(w, "read_ahead", result->ahead.n_begun);
    mr_jsonw_key_u64(w, "read_ahead_tok", result->ahead.n_tok);
    mr_jsonw_key_u64(w, "bytes", result->session_bytes);
    mr_jsonw_end(w);
}

/* Calls behind the warm-up, all tiers. Only where one is asked for. */
static void put_measured(struct mr_jsonw *w, const struct mr_play_result *result)
{
    const struct mr_play_tier *m = result->measured;
    const double time_s = result->sim_s - result->measured_s;
    uint64_t n_refused = 0;
    if (m == NULL)
        return;
    const double known = time_s > 0 ? 1 / time_s : unknown;
    for (int k = 0; k < MR_CELL_REFUSALS; k++)
        n_refused += m->n_refused[k];
    const bool is_any = time_s > 0; /* else the run has ended before */
    mr_jsonw_key(w, "measured");
    mr_jsonw_object(w);
    mr_jsonw_key_f64(w, "from_s", result->measured_s);
    mr_jsonw_key_u64(w, "arrived", is_any ? m->n_arrived : 0);
    mr_jsonw_key_u64(w, "finished", is_any ? m->n_finished : 0);
    mr_jsonw_key_u64(w, "refused", is_any ? n_refused : 0);
    mr_jsonw_key_f64(w, "calls_s", known * (double)m->n_arrived);
    mr_jsonw_key_f64(w, "calls_s_per_session",
                     result->n_live > 0 ? known * (double)m->n_arrived / result->n_live : unknown);
    mr_jsonw_key_f64(w, "input_tok_s", known * (double)m->n_input);
    mr_jsonw_key_f64(w, "output_tok_s", known * (double)m->n_output);
    mr_jsonw_key_f64(w, "prefix_hit_frac",
                     is_any && m->n_input > 0 ? (double)m->n_cached / (double)m->n_input : unknown);
    put_hist(w, "ttft_s", &m->ttft);
    put_hist(w, "tpot_s", &m->tpot);
    put_hist(w, "e2e_s", &m->e2e);
    put_hist(w, "completion_s", &m->completion);
    mr_jsonw_end(w);
}

/* Where a tier's input was found, as shares of it. Only with memories below HBM. */
static void put_hits(struct mr_jsonw *w, const struct mr_scenario *scenario,
                     const struct mr_play_result *result, const struct mr_play_tier *tier)
{
    const double n_input = tier->n_input > 0 ? (double)tier->n_input : unknown;
    uint64_t n_below = 0;
    if (result->n_memory == 0)
        return;
    for (uint32_t k = 0; k < result->n_memory; k++)
        n_below += tier->n_loaded[k];
    mr_jsonw_key(w, "kv_hit_frac");
    mr_jsonw_object(w);
    mr_jsonw_key_f64(w, "hbm", (double)(tier->n_cached - n_below) / n_input);
    for (uint32_t k = 0; k < result->n_memory; k++)
        mr_jsonw_key_f64(w, mr_pool_kv_name(scenario, k), (double)tier->n_loaded[k] / n_input);
    mr_jsonw_end(w);
}

static void put_memory(struct mr_jsonw *w, const struct mr_play_memory *m, double n_hit,
                       double n_input)
{
    mr_jsonw_key_f64(w, "hit_frac", n_hit / n_input);
    mr_jsonw_key_f64(w, "resident_bytes", m->n_byte);
    mr_jsonw_key_f64(w, "limit_bytes", isfinite(m->limit_bytes) ? m->limit_bytes : unknown);
    mr_jsonw_key_f64(w, "loaded_bytes", m->loaded_bytes);
    mr_jsonw_key_f64(w, "written_bytes", m->written_bytes);
    mr_jsonw_key_f64(w, "energy_j", m->energy_j);
}

/* Only with memories below HBM. */
static void put_kv(struct mr_jsonw *w, const struct mr_scenario *scenario,
                   const struct mr_play_result *result, const struct totals *t)
{
    const double n_input = t->n_input > 0 ? (double)t->n_input : unknown;
    double n_hbm = (double)t->n_cached;
    if (result->n_memory == 0)
        return;
    mr_jsonw_key(w, "kv");
    mr_jsonw_object(w);
    mr_jsonw_key_u64(w, "loads", result->n_load);
    mr_jsonw_key_f64(w, "load_s_mean",
                     result->n_load > 0 ? result->load_s / (double)result->n_load : unknown);
    for (uint32_t k = 0; k < result->n_memory; k++) {
        double n_hit = 0;
        for (size_t i = 0; i < result->n_tier; i++)
            n_hit += (double)result->tier[i].n_loaded[k];
        n_hbm -= n_hit;
        mr_jsonw_key(w, mr_pool_kv_name(scenario, k));
        mr_jsonw_object(w);
        put_memory(w, &result->memory[k], n_hit, n_input);
        mr_jsonw_end(w);
    }
    mr_jsonw_key(w, "hbm");
    mr_jsonw_object(w);
    mr_jsonw_key_f64(w, "hit_frac", n_hbm / n_input);
    mr_jsonw_end(w);
    mr_jsonw_end(w);
}

static void put_tiers(struct mr_jsonw *w, const struct mr_scenario *scenario,
                      const struct mr_play_result *result)
{
    mr_jsonw_key(w, "tiers");
    mr_jsonw_array(w);
    for (size_t i = 0; i < result->n_tier; i++) {
        const struct mr_play_tier *tier = &result->tier[i];
        const struct mr_scenario_tier *price = &scenario->tier[i];
        const double usd = mr_play_usd(scenario, result, i);
        const uint64_t n_own = tier->n_arrived + tier->n_moved_in - tier->n_moved_out;
        const uint64_t n_settled = n_own - tier->n_in_flight + tier->n_late;
        uint64_t n_refused = 0;
        for (int k = 0; k < MR_CELL_REFUSALS; k++)
            n_refused += tier->n_refused[k];
        mr_jsonw_object(w);
        mr_jsonw_key_text(w, "name", price->name);
        mr_jsonw_key_u64(w, "arrived", tier->n_arrived);
        mr_jsonw_key_u64(w, "finished", tier->n_finished);
        mr_jsonw_key_u64(w, "moved_in", tier->n_moved_in);
        mr_jsonw_key_u64(w, "moved_out", tier->n_moved_out);
        mr_jsonw_key(w, "refused");
        mr_jsonw_object(w);
        for (int k = 0; k < MR_CELL_REFUSALS; k++)
            mr_jsonw_key_u64(w, mr_play_outcome_name((uint8_t)(MR_PLAY_REFUSED + k)),
                             tier->n_refused[k]);
        mr_jsonw_end(w);
        mr_jsonw_key_f64(w, "refused_frac",
                         n_own > 0 ? (double)n_refused / (double)n_own : unknown);
        mr_jsonw_key_u64(w, "in_flight", tier->n_in_flight);
        mr_jsonw_key_u64(w, "in_flight_late", tier->n_late);
        mr_jsonw_key_f64(w, "tok_s",
                         result->sim_s > 0 ? (double)tier->n_output / result->sim_s : 0);
        mr_jsonw_key_f64(w, "revenue_usd_h", result->sim_s > 0 ? usd / result->sim_s * 3600 : 0);
        mr_jsonw_key_f64(w, "slo_met_frac",
                         n_settled > 0 ? (double)tier->n_met / (double)n_settled : unknown);
        put_hist(w, "ttft_s", &tier->ttft);
        put_hist(w, "tpot_s", &tier->tpot);
        put_hist(w, "e2e_s", &tier->e2e);
        put_hits(w, scenario, result, tier);
        put_tier_sessions(w, result, tier);
        mr_jsonw_end(w);
    }
    mr_jsonw_end(w);
}

static void put_tokens(struct mr_jsonw *w, uint64_t n_input, uint64_t n_cached, uint64_t n_output)
{
    mr_jsonw_key(w, "tokens");
    mr_jsonw_object(w);
    mr_jsonw_key_u64(w, "input", n_input);
    mr_jsonw_key_u64(w, "cached_input", n_cached);
    mr_jsonw_key_u64(w, "output", n_output);
    mr_jsonw_end(w);
}

static void put_tenant(struct mr_jsonw *w, const struct mr_scenario *scenario,
                       const struct mr_play_result *result, size_t i)
{
    const struct mr_tenant *t = &result->tenants->tenant[i];
    const struct mr_demand_tenant *spec = &scenario->tenant[i];
    const uint64_t n_finished = t->sum.n_ended - t->sum.n_failed;
    const double used_tok = (double)t->sum.n_input + (double)t->sum.n_output,
                 hours = result->sim_s / 3600;
    const double budget_tok = t->budget_tok * result->sim_s / spec->period_s;
    const double budget_usd = t->budget_usd * result->sim_s / spec->period_s;
    mr_jsonw_object(w);
    mr_jsonw_key_text(w, "name", spec->name);
    mr_jsonw_key(w, "calls");
    mr_jsonw_object(w);
    mr_jsonw_key_u64(w, "arrived", t->sum.n_arrived);
    mr_jsonw_key_u64(w, "finished", t->sum.n_finished);
    mr_jsonw_key_u64(w, "refused", t->sum.n_refused);
    mr_jsonw_key_u64(w, "stopped", t->sum.n_stopped);
    mr_jsonw_key_u64(w, "downgraded", t->sum.n_downgraded);
    mr_jsonw_key_u64(w, "throttled", t->sum.n_delayed);
    mr_jsonw_end(w);
    put_tokens(w, t->sum.n_input, t->sum.n_cached, t->sum.n_output);
    mr_jsonw_key_f64(w, "budget_tok", budget_tok > 0 ? budget_tok : unknown);
    mr_jsonw_key_f64(w, "budget_used_frac", budget_tok > 0 ? used_tok / budget_tok : unknown);
    mr_jsonw_key_f64(w, "budget_usd", budget_usd > 0 ? budget_usd : unknown);
    mr_jsonw_key_f64(w, "budget_usd_used_frac", budget_usd > 0 ? t->sum.usd / budget_usd : unknown);
    mr_jsonw_key_f64(w, "revenue_usd", t->sum.usd);
    mr_jsonw_key_f64(w, "revenue_usd_h", hours > 0 ? t->sum.usd / hours : 0);
    mr_jsonw_key_f64(w, "usd_per_mtok", used_tok > 0 ? 1e6 * t->sum.usd / used_tok : unknown);
    mr_jsonw_key_f64(w, "prefix_hit_frac",
                     t->sum.n_input > 0 ? (double)t->sum.n_cached / (double)t->sum.n_input
                                        : unknown);
    put_hist(w, "ttft_s", &t->hist.ttft);
    put_hist(w, "tpot_s", &t->hist.tpot);
    put_hist(w, "e2e_s", &t->hist.e2e);
    mr_jsonw_key(w, "sessions");
    mr_jsonw_object(w);
    mr_jsonw_key_u64(w, "finished", n_finished);
    mr_jsonw_key_u64(w, "failed", t->sum.n_failed);
    put_hist(w, "completion_s", &t->hist.completion);
    put_parts(w, t->sum.part_s, n_finished);
    mr_jsonw_end(w);
    mr_jsonw_end(w);
}

static void put_tenants(struct mr_jsonw *w, const struct mr_scenario *scenario,
                        const struct mr_play_result *result)
{
    if (result->tenants == NULL)
        return;
    mr_jsonw_key(w, "tenants");
    mr_jsonw_array(w);
    for (size_t i = 0; i < result->tenants->n; i++)
        put_tenant(w, scenario, result, i);
    mr_jsonw_end(w);
}

#define GROUP(w, name, ...)                                                          \
    mr_jsonw_key_figures((w), (name), (const struct mr_jsonw_figure[]){__VA_ARGS__}, \
                         sizeof((const struct mr_jsonw_figure[]){__VA_ARGS__}) /     \
                             sizeof(struct mr_jsonw_figure))

static void put_counts(struct mr_jsonw *w, const struct totals *t)
{
    mr_jsonw_key(w, "requests");
    mr_jsonw_object(w);
    mr_jsonw_key_u64(w, "arrived", t->n_arrived);
    mr_jsonw_key_u64(w, "finished", t->n_finished);
    mr_jsonw_key_u64(w, "failed", t->n_failed);
    mr_jsonw_key_u64(w, "shed", t->n_shed);
    mr_jsonw_key_u64(w, "in_flight", t->n_arrived - t->n_finished - t->n_failed - t->n_shed);
    mr_jsonw_end(w);
    put_tokens(w, t->n_input, t->n_cached, t->n_output);
}

static void put_engine(struct mr_jsonw *w, const struct mr_play_result *result,
                       const struct totals *t, double wall_s)
{
    mr_jsonw_key(w, "engine");
    mr_jsonw_object(w);
    mr_jsonw_key_u64(w, "events", result->n_event);
    mr_jsonw_key_u64(w, "leaps", result->n_segment);
    mr_jsonw_key_u64(w, "iterations", result->n_iteration);
    mr_jsonw_key_u64(w, "restarts", result->n_restart);
    mr_jsonw_key_f64(w, "requests_per_s", (double)t->n_finished / wall_s);
    mr_jsonw_key_f64(w, "ns_per_output_token",
                     t->n_output > 0 ? 1e9 * wall_s / (double)t->n_output : unknown);
    mr_jsonw_key_f64(w, "real_time_factor", result->sim_s / wall_s);
    mr_jsonw_key_u64(w, "rss_bytes", mr_wall_peak_rss_bytes());
    mr_jsonw_key_u64(w, "ranks", result->n_rank);
    mr_jsonw_key_u64(w, "cells", result->n_cell);
    mr_jsonw_end(w);
}

/* Only where there is a second pool: a run without one says nothing of it. */
static void put_split(struct mr_jsonw *w, const struct mr_play_result *result)
{
    const struct mr_split_counts *split = &result->split;
    if (!result->has_split)
        return;
    mr_jsonw_key(w, "prefill");
    mr_jsonw_object(w);
    mr_jsonw_key_u64(w, "local", split->n_local);
    mr_jsonw_key_u64(w, "transfers", split->n_transfer);
    mr_jsonw_key_f64(w, "sent_bytes", split->sent_bytes);
    mr_jsonw_key_f64(w, "early_bytes", split->early_bytes);
    mr_jsonw_key_f64(w, "transfer_s_mean",
                     split->n_transfer > 0 ? split->visible_s / (double)split->n_transfer
                                           : unknown);
    mr_jsonw_end(w);
}

static void put_rows(struct mr_jsonw *w, const struct mr_play_result *result)
{
    mr_jsonw_key(w, "workload");
    mr_jsonw_object(w);
    mr_jsonw_key_u64(w, "skipped", result->rows.n_skipped);
    mr_jsonw_key_u64(w, "clipped", result->rows.n_clipped);
    mr_jsonw_key_u64(w, "empty", result->rows.n_empty);
    mr_jsonw_end(w);
}

/* L = lambda W of the calls that came in. */
static void put_little(struct mr_jsonw *w, const struct mr_play_result *result)
{
    const struct mr_cell_little *little = &result->little;
    GROUP(w, "little", {"in_system_mean", little->inside_mean}, {"arrivals_s", little->rate_s},
          {"in_system_s_mean", little->stay_s}, {"difference_rel", little->rel});
}

/* Only with a planner. */
static void put_planner(struct mr_jsonw *w, const struct mr_play_result *result)
{
    const struct mr_planner_counts *counts = &result->planner;
    if (!result->has_planner)
        return;
    mr_jsonw_key(w, "planner");
    mr_jsonw_object(w);
    mr_jsonw_key_u64(w, "started", counts->n_start);
    mr_jsonw_key_u64(w, "stopped", counts->n_stop);
    mr_jsonw_key_u64(w, "flipped", counts->n_flip);
    mr_jsonw_key_f64(w, "starting_s", counts->starting_s);
    mr_jsonw_key_f64(w, "off_s", counts->off_s);
    mr_jsonw_end(w);
}

/* Only where an instance was down. */
static void put_outages(struct mr_jsonw *w, const struct mr_play_result *result)
{
    if (result->n_down == 0)
        return;
    mr_jsonw_key(w, "outages");
    mr_jsonw_object(w);
    mr_jsonw_key_u64(w, "down", result->n_down);
    mr_jsonw_key_f64(w, "down_s", result->down_s);
    mr_jsonw_key_u64(w, "rerouted", result->n_rerouted);
    if (result->has_split)
        mr_jsonw_key_u64(w, "transfers_lost", result->split.n_lost);
    mr_jsonw_end(w);
}

/* Losses of the whole chain, from the connection to the packages. */
static void put_stages(struct mr_jsonw *w, const struct mr_play_result *result)
{
    mr_jsonw_key(w, "losses_j");
    mr_jsonw_object(w);
    for (int k = MR_STAGE_NONE + 1; k < MR_N_STAGE; k++)
        mr_jsonw_key_f64(w, mr_stage_info(k)->name,
                         result->has_site ? result->site.stage_loss_j[k] : unknown);
    mr_jsonw_end(w);
}

/* Of the level of the supply that is most often asked for more than it may deliver. */
static void put_odds(struct mr_jsonw *w, const struct mr_play_result *result)
{
    const struct mr_factory_books *b = &result->books;
    const struct mr_supply_odds *o = &b->odds;
    const double known = result->has_site && b->n_level > 0 ? 1 : unknown;
    mr_jsonw_key(w, "oversubscription");
    mr_jsonw_object(w);
    mr_jsonw_key_u64(w, "levels", result->has_site ? b->n_level : 0);
    mr_jsonw_key_text(w, "worst", result->has_site ? b->level : "");
    mr_jsonw_key_f64(w, "limit_kw", known * o->limit_w * 1e-3);
    mr_jsonw_key_f64(w, "ceilings_kw", known * o->most_w * 1e-3);
    mr_jsonw_key_f64(w, "asked_kw_mean", known * o->mean_w * 1e-3);
    mr_jsonw_key_f64(w, "asked_kw_deviation", known * o->deviation_w * 1e-3);
    mr_jsonw_key_f64(w, "odds", known * o->odds);
    mr_jsonw_key_f64(w, "over_frac", known * o->over_frac);
    mr_jsonw_end(w);
}

/* Only with a flexible connection. */
static void put_flexible(struct mr_jsonw *w, const struct mr_play_result *result)
{
    if (!result->has_site || !result->books.flex.is_on)
        return;
    mr_jsonw_key(w, "flexible");
    mr_flex_json(&result->books.flex, w);
}

/* What the site drew and what that cost. Without one all of it is unknown but for the packages,
 * which tokens per megawatt then are of. */
static void put_site(struct mr_jsonw *w, const struct mr_scenario *scenario,
                     const struct mr_play_result *result, const struct totals *t)
{
    const double n = unknown;
    const struct mr_exchange_sums none = {n, n, n, n, n, n, n, n, n,         n,  n, n,
                                          n, n, n, n, n, n, n, n, n,         n,  n, n,
                                          n, n, n, n, n, n, n, n, {n, n, n}, {0}};
    const struct mr_strand unplaced = {n, n, n, n, n, n, n, n};
    const struct mr_exchange_sums *x = result->has_site ? &result->site : &none;
    const struct mr_strand *strand = result->has_site ? &result->books.strand : &unplaced;
    const double compute_j = result->has_site ? result->books.compute_j : unknown;
    const struct mr_scenario_economy *e = &scenario->economy;
    const double s = result->sim_s, output = (double)t->n_output, hour_s = 3600, kwh_j = 3.6e6;
    const double feed_w = result->has_site ? result->feed_limit_w : unknown;
    const double paid_j = result->has_site ? x->used_j : result->package_j;
    const double energy_usd_h = x->energy_usd / s * hour_s;
    /* a ramp is between means of two windows: one alone has none */
    const double per_min = s >= 2 * scenario->supply.ramp_window_s ? 60e-6 : unknown;
    const double building_w = isfinite(feed_w) ? feed_w : x->site_peak_w;
    const double capital_usd_h =
        result->has_site
            ? (result->capital_usd / e->life_s + building_w * e->site_usd_w / e->site_life_s) *
                  hour_s
            : unknown;
    GROUP(w, "power", {"site_mw_mean", x->site_j / s * 1e-6},
          {"site_mw_peak", x->site_peak_w * 1e-6}, {"grid_mw_mean", x->grid_j / s * 1e-6},
          {"grid_mw_peak", x->grid_peak_w * 1e-6}, {"it_mw_mean", x->it_j / s * 1e-6},
          {"pue", x->used_j / x->it_j}, {"itue", x->it_j / compute_j},
          {"pue_ups", x->used_j / (x->it_j + x->stage_loss_j[MR_STAGE_BUSWAY])},
          {"tue", x->used_j / compute_j},
          {"feed_limit_mw", isfinite(feed_w) ? feed_w * 1e-6 : unknown},
          {"cooling_mw_mean", x->house_j / s * 1e-6},
          {"packages_mw_mean", s > 0 ? result->package_j / s * 1e-6 : unknown},
          {"packages_mw_limit", result->package_peak_w * 1e-6},
          {"capped_gpu_s", x->capped_package_s}, {"down_gpu_s", x->down_package_s},
          {"dark_gpu_s", x->down_why_s[MR_EXCHANGE_DARK]},
          {"held_gpu_s", x->down_why_s[MR_EXCHANGE_HELD]}, {"cap_events", x->cap_events},
          {"trip_events", x->trip_events},
          {"ramp_max_mw_min", fmax(x->ramp_up_w_s, x->ramp_down_w_s) * per_min},
          {"ramp_up_max_mw_min", x->ramp_up_w_s * per_min},
          {"ramp_down_max_mw_min", x->ramp_down_w_s * per_min},
          {"stranded_cooling_kw", strand->cooling_w * 1e-3},
          {"stranded_chain_kw", strand->chain_w * 1e-3},
          {"stranded_redundancy_kw", strand->redundancy_w * 1e-3},
          {"stranded_granularity_kw", strand->granularity_w * 1e-3});
    GROUP(w, "energy", {"site_j", x->site_j}, {"grid_j", x->grid_j}, {"export_j", x->export_j},
          {"untaken_j", x->untaken_j}, {"it_j", x->it_j}, {"closure_rel", x->closure_rel},
          {"packages_j", result->package_j}, {"burn_j", x->burn_j}, {"losses_j", x->loss_j},
          {"cooling_j", x->house_j}, {"storage_j", x->storage_j}, {"used_j", x->used_j},
          {"unfed_j", x->unfed_j}, {"astray_j", x->astray_j},
          {"rack_losses_j", x->it_j - x->module_j}, {"modules_j", x->module_j},
          {"rack_packages_j", x->package_j});
    put_stages(w, result);
    put_odds(w, result);
    put_flexible(w, result);
    mr_jsonw_key_f64(w, "tok_s_per_mw", s > 0 ? output / (paid_j * 1e-6) : unknown);
    mr_jsonw_key_f64(w, "j_per_tok", output > 0 ? paid_j / output : unknown);
    GROUP(w, "thermal", {"die_c_max", x->die_max_c}, {"die_limit_c", x->die_limit_c},
          {"supply_c_max", x->supply_max_c}, {"supply_limit_c", x->supply_limit_c},
          {"throttle_gpu_s", x->throttled_package_s}, {"off_gpu_s", x->down_why_s[MR_EXCHANGE_OFF]},
          {"water_l", x->water_m3 * 1e3},
          {"wue_l_kwh", x->it_j > 0 ? x->water_m3 * 1e3 / (x->it_j / kwh_j) : unknown});
    GROUP(w, "economy", {"revenue_usd_h", s > 0 ? t->revenue_usd / s * hour_s : 0},
          {"energy_usd_h", energy_usd_h}, {"capital_usd_h", capital_usd_h},
          {"usd_per_mtok", (energy_usd_h + capital_usd_h) / (output / s * hour_s * 1e-6)},
          {"co2_kg_h", x->carbon_kg / s * hour_s},
          {"cue_kg_kwh", x->it_j > 0 ? x->carbon_kg / (x->it_j / kwh_j) : unknown});
}

static void put_violations(struct mr_jsonw *w, const struct mr_play_result *result)
{
    mr_jsonw_key(w, "violations");
    mr_jsonw_array(w);
    for (size_t i = 0; i < result->n_violation; i++) {
        const struct mr_play_violation *v = &result->violation[i];
        mr_jsonw_object(w);
        mr_jsonw_key_text(w, "what", v->what);
        mr_jsonw_key_text(w, "where", v->where);
        mr_jsonw_key_u64(w, "count", v->count);
        mr_jsonw_key_f64(w, "first_s", v->first_s);
        mr_jsonw_end(w);
    }
    mr_jsonw_end(w);
}

void mr_play_json(const struct mr_scenario *scenario, const struct mr_play_result *result,
                  const struct mr_play_told *told, struct mr_hist *scratch, struct mr_buf *out)
{
    const struct totals t = totals_of(scenario, result);
    const double s = result->sim_s, output = (double)t.n_output;
    double tpot_s = unknown;
    struct mr_jsonw w;
    mr_jsonw_init(&w, out, 1);
    mr_jsonw_object(&w);
    mr_jsonw_key_u64(&w, "schema", 1);
    mr_jsonw_key_text(&w, "scenario", scenario->top.name != NULL ? scenario->top.name : "");
    mr_jsonw_key_u64(&w, "seed", scenario->top.seed);
    mr_jsonw_key_f64(&w, "sim_s", s);
    mr_jsonw_key_text(&w, "asked_sha256", told->asked_sha256);
    mr_jsonw_key_f64(&w, "wall_s", told->wall_s);
    mr_jsonw_key_bool(&w, "partial", result->is_partial);
    put_counts(&w, &t);
    put_latencies(&w, result, scratch, &tpot_s);
    GROUP(&w, "tok_s", {"input", s > 0 ? (double)t.n_input / s : 0},
          {"output", s > 0 ? output / s : 0},
          {"output_per_gpu", s > 0 ? output / s / (double)result->n_package : 0},
          {"output_per_user_p50", 1 / tpot_s}, {"made", s > 0 ? result->made_tok / s : 0});
    put_site(&w, scenario, result, &t);
    put_tiers(&w, scenario, result);
    put_tenants(&w, scenario, result);
    put_sessions(&w, result, &t, scratch);
    put_measured(&w, result);
    put_rows(&w, result);
    put_kv(&w, scenario, result, &t);
    put_split(&w, result);
    put_outages(&w, result);
    put_planner(&w, result);
    put_little(&w, result);
    put_violations(&w, result);
    put_engine(&w, result, &t, told->wall_s);
    mr_jsonw_end(&w);
    mr_buf_char(out, '\n');
}
