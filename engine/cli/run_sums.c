/* SPDX-License-Identifier: Apache-2.0 */
/* What a run's result file says of the whole run, written at its end: latencies of all calls,
 * tiers, tenants, key figures. Key figures are read back from the summary's text, so that both
 * always say the same. */
#include "engine/cli/run_sums.h"

#include "engine/base/assert.h"
#include "engine/base/mem.h"
#include "engine/cli/alone.h"
#include "engine/record/histogram.h"
#include "engine/twin/play_keys.h"
#include "postprocess/figures.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

// clang-format off
/* Of tiers, over the whole run. */
enum { fact_arrived, fact_finished, fact_tok_s, fact_met, fact_quantiles, n_quantile = 3, n_latency = 3,
       n_fact = fact_quantiles + n_latency * n_quantile };
#define FACT(name_, units_, long_name_) {.name = "" name_, .units = "" units_, .long_name = "" long_name_, .type = MR_CHANNEL_F64}
#define QUANTILES(name_, long_name_) \
    FACT(name_ "_p50_s", "s", long_name_ ", p50"), FACT(name_ "_p90_s", "s", long_name_ ", p90"), FACT(name_ "_p99_s", "s", long_name_ ", p99")
static const struct mr_channel tier_facts[n_fact] = {
    FACT("arrived", "1", "Calls that came"),
    FACT("finished", "1", "Calls that ended"),
    FACT("tok_s", "s-1", "Output tokens per second"),
    FACT("slo_met_frac", "1", "Calls within all objectives"),
    QUANTILES("ttft", "Time to the first token"),
    QUANTILES("tpot", "Time per output token"),
    QUANTILES("e2e", "Time of the whole call"),
};
#undef QUANTILES
#undef FACT

enum { latency_ttft, latency_tpot, latency_e2e };
#define LATENCY(name_, long_name_) \
    {.name = "" name_, .units = "1", .long_name = "" long_name_, .type = MR_CHANNEL_U64}
static const struct mr_channel latency_counts[n_latency] = {
    [latency_ttft] = LATENCY("ttft", "Ended calls by their time to the first token"),
    [latency_tpot] = LATENCY("tpot", "Ended calls by their time per output token after the first"),
    [latency_e2e] = LATENCY("e2e", "Ended calls by the time of the whole call"),
};
static const struct mr_channel read_counts[n_latency] = {
    [latency_ttft] = LATENCY("pool_ttft", "Ended calls by their time to the first token"),
    [latency_tpot] = LATENCY("pool_tpot", "Ended calls by their time per output token after the first"),
    [latency_e2e] = LATENCY("pool_e2e", "Ended calls by the time of the whole call"),
};
#undef LATENCY
/* histogram.h writes them */
static const struct mr_channel latency_edges[] = {
    {.name = "bin_lower", .units = "s", .long_name = "Lower edge, part of the bin", .type = MR_CHANNEL_F64},
    {.name = "bin_upper", .units = "s", .long_name = "Upper edge, not part of it", .type = MR_CHANNEL_F64},
};
static const struct mr_group own_groups[] = {
    MR_GROUP("/tiers", "tier", tier_facts, "Tiers over the whole run"),
    MR_GROUP("/histograms", "tier, bin", latency_counts, "Latencies of all calls by tier"),
    MR_GROUP("/histograms", "pool, bin", read_counts, "The same by the pool that read the prompt"),
    MR_GROUP("/histograms", "bin", latency_edges, "Edges of their bins"),
};
const struct mr_group_list mr_run_sums_groups = MR_GROUP_LIST("run", own_groups);
// clang-format on

#define N_OF(table) (sizeof(table) / sizeof *(table))

const char *const mr_run_pool_names[MR_RUN_POOLS] = {"deployment", "prefill"};

/* What is written, and where. */
struct sums {
    struct mr_runfile *file;
    const struct mr_scenario *scenario;
    const struct mr_play_result *result;
};

/* ---- latencies ---- */

/* Of whom, and their times: [n]. */
struct latencies {
    const struct mr_channel *channel;
    const char *axis, *axis_name;
    const char *const *name;
    size_t n;
    const struct mr_hist *(*of)[n_latency];
};

/* A sixteenth of an octave from a tenth of a millisecond to a day: bins of the run's own counts,
 * four by four. @param[in] has_bins they are in the file already */
static mr_status put_counts(const struct sums *r, const struct latencies *l, bool has_bins,
                            struct mr_err *err)
{
    const struct mr_histogram_plan plan = {.lower = 1e-4,
                                           .upper = 1e5,
                                           .bits = 4,
                                           .units = "s",
                                           .channel = l->channel,
                                           .n_channel = n_latency,
                                           .axis = l->axis,
                                           .axis_name = l->axis_name,
                                           .name = l->name,
                                           .n_entity = l->n};
    struct mr_histogram histogram = {0};
    mr_status st = mr_histogram_init(&histogram, &plan, err);
    for (size_t i = 0; i < l->n && st == MR_OK; i++)
        for (size_t k = 0; k < n_latency; k++)
            mr_histogram_add_hist(&histogram, k, i, l->of[i][k]);
    if (st == MR_OK)
        st = has_bins ? mr_histogram_put_beside(&histogram, r->file, "/histograms", err)
                      : mr_histogram_put(&histogram, r->file, "/histograms", err);
    mr_histogram_fini(&histogram);
    return st;
}

static mr_status put_latency(const struct sums *r, struct mr_err *err)
{
    const char *name[MR_SCENARIO_TIERS];
    const struct mr_hist *of_tier[MR_SCENARIO_TIERS][n_latency], *of_pool[MR_RUN_POOLS][n_latency];
    for (size_t i = 0; i < r->result->n_tier; i++) {
        const struct mr_play_tier *tier = &r->result->tier[i];
        name[i] = r->scenario->tier[i].name;
        of_tier[i][latency_ttft] = &tier->ttft;
        of_tier[i][latency_tpot] = &tier->tpot;
        of_tier[i][latency_e2e] = &tier->e2e;
    }
    for (size_t i = 0; i < MR_RUN_POOLS; i++) {
        const struct mr_play_latency *pool = &r->result->read[i];
        of_pool[i][latency_ttft] = &pool->ttft;
        of_pool[i][latency_tpot] = &pool->tpot;
        of_pool[i][latency_e2e] = &pool->e2e;
    }
    const struct latencies tiers = {
        latency_counts,    "tier", "Tiers in the order of the scenario", name,
        r->result->n_tier, of_tier};
    const struct latencies pools = {read_counts,
                                    "pool",
                                    "Pools of instances",
                                    mr_run_pool_names,
                                    r->scenario->has_prefill ? MR_RUN_POOLS : 1,
                                    of_pool};
    MR_TRY(put_counts(r, &tiers, false, err));
    return put_counts(r, &pools, true, err);
}

/* ---- key figures ---- */

/* "tiers[].ttft_s" is the key of tiers.gold.ttft_s.p50. */
static bool is_key_of(const struct mr_play_key *key, const char *path)
{
    char pattern[128];
    size_t n = strcspn(key->path, "[");
    if (strncmp(key->path, path, n) != 0) /* nearly all */
        return false;
    n = 0;
    for (const char *p = key->path; *p != '\0' && n + 4 < sizeof pattern; p++)
        if (p[0] == '[' && p[1] == ']') {
            pattern[n++] = '.';
            pattern[n++] = '*';
            p++;
        } else {
            pattern[n++] = *p;
        }
    (void)snprintf(pattern + n, sizeof pattern - n, "%s", mr_play_key_is_times(key) ? ".*" : "");
    return mr_kpi_match(pattern, path);
}

static const struct mr_play_key *key_of(const char *path)
{
    const struct mr_play_key *key = NULL;
    for (size_t i = 0; (key = mr_play_key(i)) != NULL && !is_key_of(key, path);)
        i++;
    return key;
}

/* Units and sentences are those of the summary's keys, else of the table of key figures. How fast
 * the program was is no result: equal runs have equal figures. */
static mr_status put_rows(const struct sums *r, const struct mr_figures *f, struct mr_err *err)
{
    struct mr_alone_figure *row = mr_alloc(f->n_item + 1, sizeof *row);
    size_t n = 0;
    if (row == NULL)
        return mr_err_nomem(err, f->n_item * sizeof *row);
    const struct mr_play_key *seed = key_of("seed");
    MR_ASSERT(seed != NULL);
    row[n++] = (struct mr_alone_figure){"seed", seed->unit, seed->doc, f->seed};
    for (size_t i = 0; i < f->n_item; i++) {
        const struct mr_figures_item *item = &f->item[i];
        const struct mr_play_key *key = key_of(item->path);
        if (mr_kpi_is_speed(item->path) || strcmp(item->path, "engine.ranks") == 0)
            continue;
        row[n] = (struct mr_alone_figure){item->path, item->unit, item->doc, item->value};
        if (key != NULL) {
            row[n].units = key->unit;
            row[n].formula = key->doc;
        } else if (item->kpi == NULL) {
            row[n].units = "1";
        }
        n++;
    }
    const mr_status st = mr_alone_put_figures(r->file, row, n, err);
    mr_free(row);
    return st;
}

static mr_status put_figures(const struct sums *r, struct mr_str json, struct mr_err *err)
{
    struct mr_figures figures = {0};
    mr_status st = mr_figures_of(json, "summary", &figures, err);
    if (st == MR_OK)
        st = put_rows(r, &figures, err);
    mr_figures_fini(&figures);
    return st;
}

/* ---- tiers ---- */

static mr_status put_tiers(const struct sums *r, struct mr_err *err)
{
    const struct mr_play_result *result = r->result;
    static const double quantile[n_quantile] = {0.5, 0.9, 0.99};
    double value[n_fact][MR_SCENARIO_TIERS];
    for (size_t i = 0; i < result->n_tier; i++) {
        const struct mr_play_tier *tier = &result->tier[i];
        const struct mr_hist *const latency[n_latency] = {&tier->ttft, &tier->tpot, &tier->e2e};
        const double n_arrived = (double)tier->n_arrived;
        value[fact_arrived][i] = n_arrived;
        value[fact_finished][i] = (double)tier->n_finished;
        value[fact_tok_s][i] = result->sim_s > 0 ? (double)tier->n_output / result->sim_s : 0;
        value[fact_met][i] = n_arrived > 0 ? (double)tier->n_met / n_arrived : (double)NAN;
        for (int k = 0; k < n_latency * n_quantile; k++)
            value[fact_quantiles + k][i] =
                mr_hist_quantile_s(latency[k / n_quantile], quantile[k % n_quantile]);
    }
    for (int k = 0; k < n_fact; k++) {
        const struct mr_runfile_array array = {.group = "/tiers",
                                               .channel = &tier_facts[k],
                                               .axis = {"tier", NULL},
                                               .n = {r->scenario->n_tier, 0},
                                               .values = value[k]};
        MR_TRY(mr_runfile_put(r->file, &array, err));
    }
    return MR_OK;
}

/* ---- tenants ---- */

/* What is told of a tenant, by the name of its dataset. */
static double figure_of(const struct mr_tenant *t, size_t k, double sim_s)
{
    const double n_finished = (double)(t->sum.n_ended - t->sum.n_failed);
    const double values[] = {
        (double)t->sum.n_arrived,
        (double)t->sum.n_finished,
        (double)t->sum.n_refused,
        (double)t->sum.n_stopped,
        (double)t->sum.n_downgraded,
        (double)t->sum.n_delayed,
        (double)t->sum.n_input,
        (double)t->sum.n_cached,
        (double)t->sum.n_output,
        sim_s > 0 ? (double)t->sum.n_output / sim_s : 0,
        t->sum.usd,
        mr_hist_quantile_s(&t->hist.ttft, 0.5),
        mr_hist_quantile_s(&t->hist.ttft, 0.99),
        mr_hist_quantile_s(&t->hist.tpot, 0.5),
        mr_hist_quantile_s(&t->hist.tpot, 0.99),
        n_finished,
        (double)t->sum.n_failed,
        mr_hist_mean_s(&t->hist.completion),
    };
    return values[k];
}

static mr_status put_tenant_parts(const struct sums *r, const struct mr_tenants *tenants,
                                  double *value, struct mr_err *err)
{
    static const char *const parts[] = {
#define PART_NAME(name, text, doc) text,
        MR_PLAYER_PART_LIST(PART_NAME)
#undef PART_NAME
    };
    static const struct mr_channel channel = {
        .name = "time_s",
        .units = "s",
        .long_name = "Mean time of a finished session by parts; they add up to its completion",
        .type = MR_CHANNEL_F64};
    MR_TRY(mr_runfile_axis(r->file, "/tenants", "part", "Parts of a session's time", parts,
                           MR_PLAYER_PARTS, err));
    for (size_t i = 0; i < tenants->n; i++) {
        const struct mr_tenant *t = &tenants->tenant[i];
        const double n = (double)(t->sum.n_ended - t->sum.n_failed);
        for (size_t k = 0; k < MR_PLAYER_PARTS; k++)
            value[i * MR_PLAYER_PARTS + k] = n > 0 ? t->sum.part_s[k] / n : (double)NAN;
    }
    return mr_runfile_put(r->file,
                          &(struct mr_runfile_array){.group = "/tenants",
                                                     .channel = &channel,
                                                     .axis = {"tenant", "part"},
                                                     .n = {tenants->n, MR_PLAYER_PARTS},
                                                     .values = value},
                          err);
}

static mr_status put_tenants(const struct sums *r, struct mr_err *err)
{
    static const struct mr_channel channels[] = {
#define FIGURE(name_, units_, doc) \
    {.name = (name_), .units = (units_), .long_name = (doc), .type = MR_CHANNEL_F64}
        FIGURE("arrived", "1", "Calls that came"),
        FIGURE("finished", "1", "Calls that ended"),
        FIGURE("refused", "1", "Calls that were refused"),
        FIGURE("stopped", "1", "Calls not served, beyond the budget"),
        FIGURE("downgraded", "1", "Calls served by a lower tier, beyond the budget"),
        FIGURE("throttled", "1", "Calls put off, beyond the budget"),
        FIGURE("input_tok", "1", "Input tokens of calls that ended"),
        FIGURE("cached_tok", "1", "Of them cached"),
        FIGURE("output_tok", "1", "Output tokens of calls that ended"),
        FIGURE("tok_s", "s-1", "Output tokens per second"),
        FIGURE("revenue_usd", "USD", "Paid, by the tier that served"),
        FIGURE("ttft_p50_s", "s", "Time to the first token, p50"),
        FIGURE("ttft_p99_s", "s", "Time to the first token, p99"),
        FIGURE("tpot_p50_s", "s", "Time per output token, p50"),
        FIGURE("tpot_p99_s", "s", "Time per output token, p99"),
        FIGURE("sessions_finished", "1", "Sessions that finished"),
        FIGURE("sessions_failed", "1", "Sessions that failed"),
        FIGURE("completion_mean_s", "s", "Mean time of finished sessions"),
#undef FIGURE
    };
    const struct mr_tenants *tenants = r->result->tenants;
    const char *names[MR_DEMAND_TENANTS];
    double value[MR_DEMAND_TENANTS * MR_PLAYER_PARTS];
    if (tenants == NULL)
        return MR_OK;
    for (size_t i = 0; i < tenants->n; i++)
        names[i] = r->scenario->tenant[i].name != NULL ? r->scenario->tenant[i].name : "";
    MR_TRY(mr_runfile_axis(r->file, "/tenants", "tenant", "Whose agents they are", names,
                           tenants->n, err));
    for (size_t k = 0; k < N_OF(channels); k++) {
        for (size_t i = 0; i < tenants->n; i++)
            value[i] = figure_of(&tenants->tenant[i], k, r->result->sim_s);
        MR_TRY(mr_runfile_put(r->file,
                              &(struct mr_runfile_array){.group = "/tenants",
                                                         .channel = &channels[k],
                                                         .axis = {"tenant", NULL},
                                                         .n = {tenants->n, 0},
                                                         .values = value},
                              err));
    }
    return put_tenant_parts(r, tenants, value, err);
}

mr_status mr_run_sums_put(struct mr_runfile *file, const struct mr_scenario *scenario,
                          const struct mr_play_result *result, struct mr_str json,
                          struct mr_err *err)
{
    const struct sums sums = {file, scenario, result};
    MR_TRY(put_latency(&sums, err));
    MR_TRY(put_tiers(&sums, err));
    MR_TRY(put_tenants(&sums, err));
    return put_figures(&sums, json, err);
}
