/* SPDX-License-Identifier: Apache-2.0 */
/* What a run says to people. */
#include "engine/cli/run_table.h"

#include <math.h>

static void put_time(struct mr_buf *out, const char *label, const struct mr_hist *hist)
{
    char text[4][MR_UNIT_CAP];
    static const double quantiles[] = {0.5, 0.9, 0.99};
    if (hist->n == 0)
        return;
    for (int i = 0; i < 3; i++)
        mr_unit_human(mr_hist_quantile_s(hist, quantiles[i]), MR_Q_TIME, 4, text[i]);
    mr_unit_human(mr_hist_mean_s(hist), MR_Q_TIME, 4, text[3]);
    mr_buf_printf(out, "  %-24s %12s %12s %12s %12s\n", label, text[0], text[1], text[2], text[3]);
}

static void put_tier(struct mr_buf *out, const struct mr_scenario_tier *promised,
                     const struct mr_play_tier *tier)
{
    const char *name = promised->name;
    const bool has_goals = promised->ttft_s > 0 || promised->tpot_s > 0;
    mr_buf_printf(out, "%s: %llu calls, %llu finished", name, (unsigned long long)tier->n_arrived,
                  (unsigned long long)tier->n_finished);
    const uint64_t n_own = tier->n_arrived + tier->n_moved_in - tier->n_moved_out;
    for (int k = 0; k < MR_CELL_REFUSALS; k++)
        if (tier->n_refused[k] > 0)
            mr_buf_printf(out, ", %llu refused (%s, %.3g %%)",
                          (unsigned long long)tier->n_refused[k],
                          mr_play_outcome_name((uint8_t)(MR_PLAY_REFUSED + k)),
                          100 * (double)tier->n_refused[k] / (double)n_own);
    if (tier->n_moved_in + tier->n_moved_out > 0)
        mr_buf_printf(out, ", %llu from dearer tiers, %llu to cheaper ones",
                      (unsigned long long)tier->n_moved_in, (unsigned long long)tier->n_moved_out);
    const uint64_t n_settled = n_own - tier->n_in_flight + tier->n_late; /* as slo_met_frac */
    if (has_goals && n_settled > 0)
        mr_buf_printf(out, ", %.4g %% within objectives",
                      100 * (double)tier->n_met / (double)n_settled);
    mr_buf_char(out, '\n');
    if (tier->e2e.n > 0)
        mr_buf_printf(out, "  %-24s %12s %12s %12s %12s\n", "", "p50", "p90", "p99", "mean");
    put_time(out, "time to first token", &tier->ttft);
    put_time(out, "time per output token", &tier->tpot);
    put_time(out, "end to end", &tier->e2e);
}

/* Why packages were down: what there was of it. */
static void put_down(struct mr_buf *out, const struct mr_exchange_sums *x)
{
    static const char *const why[MR_EXCHANGE_DOWNS] = {
        [MR_EXCHANGE_DARK] = "without a feed",
        [MR_EXCHANGE_HELD] = "held for want of watts",
        [MR_EXCHANGE_OFF] = "off for heat, coolant or leaks"};
    const char *before = " (";
    for (int k = 0; k < MR_EXCHANGE_DOWNS; k++) {
        if (!(x->down_why_s[k] > 0))
            continue;
        mr_buf_printf(out, "%s%.4g %s", before, x->down_why_s[k], why[k]);
        before = ", ";
    }
    mr_buf_printf(out, "%s\n", x->down_package_s > 0 ? ")" : "");
}

/* Losses from the connection to the packages, in per cent of what was used. */
static void put_chain(struct mr_buf *out, const struct mr_play_result *result)
{
    const struct mr_exchange_sums *x = &result->site;
    const double percent = 100 / x->used_j;
    mr_buf_printf(out, "%-26s cooling %.3g %%", "of it", percent * x->house_j);
    for (int k = 0; k < MR_N_STAGE; k++)
        if (x->stage_loss_j[k] > 0)
            mr_buf_printf(out, ", %s %.3g %%", mr_stage_info(k)->name,
                          percent * x->stage_loss_j[k]);
    mr_buf_printf(out, "; packages %.4g %%, hosts and network %.4g %%\n", percent * x->package_j,
                  percent * (x->module_j - x->package_j));
}

/* What the meter does not show: own machines and sun, and which way it turned. */
static void put_sources(struct mr_buf *out, const struct mr_play_result *result)
{
    const struct mr_exchange_sums *x = &result->site;
    const double given_j = x->site_j - x->grid_j;
    char given[MR_UNIT_CAP], taken[MR_UNIT_CAP], fed[MR_UNIT_CAP];
    if (!(given_j > 1e-9 * x->site_j) && !(x->export_j > 0))
        return;
    mr_unit_human(given_j / result->sim_s, MR_Q_POWER, 4, given);
    mr_unit_human(x->site_j / result->sim_s, MR_Q_POWER, 4, taken);
    mr_unit_human(x->export_j, MR_Q_ENERGY, 4, fed);
    mr_buf_printf(out,
                  "%-26s own machines and sun %s, taken by the site %s; fed into the grid %s\n",
                  "sources", given, taken, fed);
}

static void put_site(struct mr_buf *out, const struct mr_play_result *result)
{
    const struct mr_exchange_sums *x = &result->site;
    char mean[MR_UNIT_CAP], peak[MR_UNIT_CAP], it[MR_UNIT_CAP], feed[MR_UNIT_CAP], own[MR_UNIT_CAP];
    mr_unit_human(x->grid_j / result->sim_s, MR_Q_POWER, 4, mean);
    mr_unit_human(x->grid_peak_w, MR_Q_POWER, 4, peak);
    mr_unit_human(x->it_j / result->sim_s, MR_Q_POWER, 4, it);
    mr_unit_human(result->feed_limit_w, MR_Q_POWER, 4, feed);
    mr_unit_human((x->used_j - x->site_j) / result->sim_s, MR_Q_POWER, 4, own);
    const bool has_own = x->used_j > x->site_j * (1 + 1e-4); /* not the last drop of a UPS */
    mr_buf_printf(out, "%-26s %s at the meter, peak %s%s%s%s%s%s; racks %s, PUE %.4g\n", "site",
                  mean, peak, isfinite(result->feed_limit_w) ? " of " : "",
                  isfinite(result->feed_limit_w) ? feed : "", has_own ? ", and " : "",
                  has_own ? own : "", has_own ? " of what storages held" : "", it,
                  x->used_j / x->it_j);
    put_sources(out, result);
    put_chain(out, result);
    if (result->books.n_level > 0)
        mr_buf_printf(out,
                      "%-26s at worst %s: racks of %.4g kW on %.4g kW, asked for more %.3g %% of "
                      "the time (normal: %.2g)\n",
                      "oversubscription", result->books.level, result->books.odds.most_w * 1e-3,
                      result->books.odds.limit_w * 1e-3, 100 * result->books.odds.over_frac,
                      result->books.odds.odds);
    mr_flex_text(&result->books.flex, out);
    mr_buf_printf(out, "%-26s hottest die %.4g degC, warmest coolant %.4g degC\n", "heat",
                  x->die_max_c, x->supply_max_c);
    mr_buf_printf(out, "%-26s throttled %.4g, capped %.4g, down %.4g", "package seconds",
                  x->throttled_package_s, x->capped_package_s, x->down_package_s);
    put_down(out, x);
}

static void put_split(struct mr_buf *out, const struct mr_play_result *result)
{
    const struct mr_split_counts *split = &result->split;
    char data[MR_UNIT_CAP], time[MR_UNIT_CAP];
    mr_unit_human(split->sent_bytes, MR_Q_DATA, 4, data);
    mr_unit_human(split->n_transfer > 0 ? split->visible_s / (double)split->n_transfer : 0,
                  MR_Q_TIME, 4, time);
    mr_buf_printf(out, "%-26s %llu KV blocks of an instance, %llu prompts read elsewhere\n",
                  "prefill pool", (unsigned long long)result->n_prefill_block,
                  (unsigned long long)split->n_local);
    mr_buf_printf(out, "%-26s %s in %llu, %s after the prompt on the mean\n", "transfers", data,
                  (unsigned long long)split->n_transfer, time);
}

static void put_sessions(struct mr_buf *out, const struct mr_scenario *scenario,
                         const struct mr_play_result *result)
{
    static const char *const names[] = {
#define PART_NAME(name, text, doc) text,
        MR_PLAYER_PART_LIST(PART_NAME)
#undef PART_NAME
    };
    for (size_t i = 0; i < result->n_tier; i++) {
        const struct mr_play_tier *tier = &result->tier[i];
        const struct mr_player_sums *s = &tier->sessions;
        if (s->n_started == 0)
            continue;
        mr_buf_printf(out,
                      "%s: %llu sessions, %llu finished, %llu failed, %.4g %% of input cached\n",
                      scenario->tier[i].name, (unsigned long long)s->n_started,
                      (unsigned long long)s->n_finished, (unsigned long long)s->n_failed,
                      tier->n_input > 0 ? 100 * (double)tier->n_cached / (double)tier->n_input : 0);
        put_time(out, "completion", &tier->completion);
        for (int k = 0; k < MR_PLAYER_PARTS && s->n_finished > 0; k++)
            if (s->finished_part_s[k] > 1e-9 * s->finished_s)
                mr_buf_printf(out, "  %-24s %11.3g %% of it\n", names[k],
                              100 * s->finished_part_s[k] / s->finished_s);
    }
}

static void put_tenants(struct mr_buf *out, const struct mr_scenario *scenario,
                        const struct mr_tenants *tenants, double sim_s)
{
    for (size_t i = 0; i < tenants->n; i++) {
        const struct mr_tenant *t = &tenants->tenant[i];
        const struct mr_demand_tenant *spec = &scenario->tenant[i];
        const double used_tok = (double)t->sum.n_input + (double)t->sum.n_output;
        mr_buf_printf(out, "tenant %s: %llu calls, %llu finished",
                      spec->name != NULL ? spec->name : "", (unsigned long long)t->sum.n_arrived,
                      (unsigned long long)t->sum.n_finished);
        if (t->sum.n_stopped + t->sum.n_downgraded + t->sum.n_delayed > 0)
            mr_buf_printf(out, ", beyond its budget %llu stopped, %llu downgraded, %llu throttled",
                          (unsigned long long)t->sum.n_stopped,
                          (unsigned long long)t->sum.n_downgraded,
                          (unsigned long long)t->sum.n_delayed);
        mr_buf_printf(
            out, "\n  %-24s %11.4g, %.4g %% of the input cached, %.4g USD\n", "tokens", used_tok,
            t->sum.n_input > 0 ? 100 * (double)t->sum.n_cached / (double)t->sum.n_input : 0,
            t->sum.usd);
        if (t->budget_tok > 0)
            mr_buf_printf(out, "  %-24s %11.4g %% of %.4g tokens\n", "budget used",
                          100 * used_tok / (t->budget_tok * sim_s / spec->period_s),
                          t->budget_tok * sim_s / spec->period_s);
        put_time(out, "time to first token", &t->hist.ttft);
        put_time(out, "completion", &t->hist.completion);
    }
}

/* Behind the warm-up, beside all of the run. */
static void put_measured(struct mr_buf *out, const struct mr_play_result *result)
{
    const struct mr_play_tier *m = result->measured;
    const double time_s = result->sim_s - result->measured_s;
    char from[MR_UNIT_CAP];
    if (!(time_s > 0)) {
        mr_buf_printf(out, "measured: nothing, the run ended within the warm-up\n");
        return;
    }
    mr_unit_human(result->measured_s, MR_Q_TIME, 5, from);
    mr_buf_printf(out, "measured from %s on: %llu calls, %llu finished", from,
                  (unsigned long long)m->n_arrived, (unsigned long long)m->n_finished);
    if (result->n_live > 0)
        mr_buf_printf(out, ", %.4g a second and session",
                      (double)m->n_arrived / time_s / result->n_live);
    mr_buf_printf(out, ", %.5g output tokens/s, %.4g %% of input cached\n",
                  (double)m->n_output / time_s,
                  m->n_input > 0 ? 100 * (double)m->n_cached / (double)m->n_input : 0);
    put_time(out, "time to first token", &m->ttft);
    put_time(out, "completion", &m->completion);
}

void mr_run_table(const struct mr_scenario *scenario, const struct mr_play_result *result,
                  double wall_s, const char *path, struct mr_buf *out)
{
    uint64_t n_output = 0, n_finished = 0;
    char time[MR_UNIT_CAP], power[MR_UNIT_CAP];
    for (size_t i = 0; i < result->n_tier; i++) {
        put_tier(out, &scenario->tier[i], &result->tier[i]);
        n_output += result->tier[i].n_output;
        n_finished += result->tier[i].n_finished;
    }
    if (result->has_agents)
        put_sessions(out, scenario, result);
    if (result->measured != NULL)
        put_measured(out, result);
    else if (scenario->has_agents && scenario->agents.mode == MR_DEMAND_LIVE)
        mr_buf_printf(out, "measured: all of the run, its start with it; agents/warm_up tells what "
                           "is behind by itself (30 min of it are usual)\n");
    if (result->tenants != NULL && result->sim_s > 0)
        put_tenants(out, scenario, result->tenants, result->sim_s);
    mr_unit_human(result->sim_s, MR_Q_TIME, 5, time);
    mr_buf_printf(out, "\n%-26s %s\n", "simulated", time);
    if (result->sim_s > 0) {
        const double tok_s = (double)n_output / result->sim_s;
        mr_buf_printf(out, "%-26s %.5g, %.4g per package\n", "output tokens/s", tok_s,
                      tok_s / (double)result->n_package);
        if (!isnan(result->package_j)) {
            mr_unit_human(result->package_j / result->sim_s, MR_Q_POWER, 4, power);
            mr_buf_printf(out, "%-26s %s of %llu packages", "power", power,
                          (unsigned long long)result->n_package);
            if (result->n_lpu > 0)
                mr_buf_printf(out, " and %llu LPUs", (unsigned long long)result->n_lpu);
            mr_buf_printf(out, ", %.4g J per output token\n", result->package_j / (double)n_output);
        }
    }
    if (result->has_site && result->sim_s > 0)
        put_site(out, result);
    mr_buf_printf(out, "%-26s %llu of an instance, %llu restarts\n", "KV blocks",
                  (unsigned long long)result->n_block, (unsigned long long)result->n_restart);
    if (result->has_split)
        put_split(out, result);
    if (result->rows.n_skipped + result->rows.n_clipped + result->rows.n_empty > 0)
        mr_buf_printf(out, "%-26s %llu skipped, %llu clipped, %llu without input or output\n",
                      "rows of the workload", (unsigned long long)result->rows.n_skipped,
                      (unsigned long long)result->rows.n_clipped,
                      (unsigned long long)result->rows.n_empty);
    if (result->n_down > 0) {
        mr_unit_human(result->down_s, MR_Q_TIME, 4, time);
        mr_buf_printf(out, "%-26s %llu of instances, %s in all, %llu calls moved\n", "outages",
                      (unsigned long long)result->n_down, time,
                      (unsigned long long)result->n_rerouted);
    }
    mr_buf_printf(out, "%-26s %llu steps in %llu leaps\n", "engine",
                  (unsigned long long)result->n_iteration, (unsigned long long)result->n_segment);
    mr_buf_printf(out, "%-26s %.3g s, %.3g calls/s, %.3g times real time\n", "wall time", wall_s,
                  (double)n_finished / wall_s, result->sim_s / wall_s);
    for (size_t i = 0; i < result->n_violation; i++)
        mr_buf_printf(out, "%-26s %s at %s, %llu times, first at %.6g s\n",
                      i == 0 ? "violations" : "", result->violation[i].what,
                      result->violation[i].where, (unsigned long long)result->violation[i].count,
                      result->violation[i].first_s);
    if (path != NULL)
        mr_buf_printf(out, "%-26s %s%s\n", "result", path,
                      result->is_partial ? ".part, stopped before its end" : "");
}
