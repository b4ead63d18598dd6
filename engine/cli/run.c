/* SPDX-License-Identifier: Apache-2.0 */
/* Options become settings of the scenario, so that they are checked like its file. */
#include "engine/cli/run.h"

#include "engine/base/file.h"
#include "engine/base/mem.h"
#include "engine/base/wall.h"
#include "engine/cli/run_flow.h"
#include "engine/cli/run_record.h"
#include "engine/cli/run_repeat.h"
#include "engine/cli/verbs.h"
#include "engine/net/wiring.h"
#include "engine/record/rundata.h"
#include "engine/twin/network.h"
#include "engine/twin/play.h"
#include "platforms/open.h"

#include <math.h>
#include <stdio.h>

#define OPT struct mr_run_opts_values
static const struct mr_opt rows[] = {
    {MR_PARAM_STR(OPT, output, "output", NULL, "Write the result file, HDF5"), 'o', "FILE.h5"},
    {MR_PARAM_STR(OPT, json, "json", NULL, "Write the summary as JSON; - is standard output"), 0,
     "FILE"},
    {MR_PARAM_STR(OPT, requests, "requests", NULL, "Write a CSV row for every call"), 0, "FILE"},
    {MR_PARAM_STR(OPT, seed, "seed", NULL, "Seed, instead of the scenario's"), 0, "N"},
    {MR_PARAM_STR(OPT, until, "until", NULL, "End of the run, instead of the scenario's"), 0,
     "TIME"},
    {MR_PARAM_MANY(OPT, set, "set", "Set ELEMENT/ATTRIBUTE=VALUE; may be repeated"), 0,
     "PATH=VALUE"},
    {MR_PARAM(OPT, record_every_s, "record-every", MR_Q_TIME, "1 s", 1e-6, 1e9,
              "Time between samples in the result file; changes no result"),
     0, "TIME"},
    {MR_PARAM_YES(OPT, has_no_leap, "no-leap", "no", "Play every step by itself"), 0, NULL},
    {MR_PARAM_YES(OPT, is_effective, "effective", "no",
                  "Print the scenario with all defaults filled in, play nothing"),
     0, NULL},
};
#undef OPT

const struct mr_opt_table mr_run_opts = {rows, sizeof rows / sizeof *rows};

/* ---- the table ---- */

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

static void put_tier(struct mr_buf *out, const char *name, const struct mr_play_tier *tier)
{
    mr_buf_printf(out, "%s: %llu calls, %llu finished", name, (unsigned long long)tier->n_arrived,
                  (unsigned long long)tier->n_finished);
    for (int k = 0; k < MR_CELL_REFUSALS; k++)
        if (tier->n_refused[k] > 0)
            mr_buf_printf(out, ", %llu refused (%s)", (unsigned long long)tier->n_refused[k],
                          mr_play_outcome_name((uint8_t)(MR_PLAY_REFUSED + k)));
    if (tier->n_moved_in + tier->n_moved_out > 0)
        mr_buf_printf(out, ", %llu from dearer tiers, %llu to cheaper ones",
                      (unsigned long long)tier->n_moved_in, (unsigned long long)tier->n_moved_out);
    const uint64_t n_own = tier->n_arrived + tier->n_moved_in - tier->n_moved_out;
    mr_buf_printf(out, ", %.4g %% within objectives\n",
                  n_own > 0 ? 100 * (double)tier->n_met / (double)n_own : 0);
    mr_buf_printf(out, "  %-24s %12s %12s %12s %12s\n", "", "p50", "p90", "p99", "mean");
    put_time(out, "time to first token", &tier->ttft);
    put_time(out, "time per output token", &tier->tpot);
    put_time(out, "end to end", &tier->e2e);
}

static void put_site(struct mr_buf *out, const struct mr_play_result *result)
{
    const struct mr_exchange_sums *x = &result->site;
    char mean[MR_UNIT_CAP], peak[MR_UNIT_CAP], it[MR_UNIT_CAP], feed[MR_UNIT_CAP];
    mr_unit_human(x->site_j / result->sim_s, MR_Q_POWER, 4, mean);
    mr_unit_human(x->site_peak_w, MR_Q_POWER, 4, peak);
    mr_unit_human(x->it_j / result->sim_s, MR_Q_POWER, 4, it);
    mr_unit_human(result->feed_limit_w, MR_Q_POWER, 4, feed);
    mr_buf_printf(out, "%-26s %s at the meter, peak %s%s%s; racks %s, PUE %.4g\n", "site", mean,
                  peak, isfinite(result->feed_limit_w) ? " of " : "",
                  isfinite(result->feed_limit_w) ? feed : "", it, x->site_j / x->it_j);
    mr_buf_printf(out, "%-26s hottest die %.4g degC, warmest coolant %.4g degC\n", "heat",
                  x->die_max_c, x->supply_max_c);
    mr_buf_printf(out, "%-26s throttled %.4g, capped %.4g, down %.4g\n", "package seconds",
                  x->throttled_package_s, x->capped_package_s, x->down_package_s);
    for (size_t i = 0; i < result->n_violation; i++)
        mr_buf_printf(out, "%-26s %s at %s, %llu times, first at %.6g s\n",
                      i == 0 ? "violations" : "", result->violation[i].what,
                      result->violation[i].where, (unsigned long long)result->violation[i].count,
                      result->violation[i].first_s);
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

static void print_table(const struct mr_scenario *scenario, const struct mr_play_result *result,
                        double wall_s, struct mr_buf *out)
{
    uint64_t n_output = 0, n_finished = 0;
    char time[MR_UNIT_CAP], power[MR_UNIT_CAP];
    for (size_t i = 0; i < result->n_tier; i++) {
        put_tier(out, scenario->tier[i].name, &result->tier[i]);
        n_output += result->tier[i].n_output;
        n_finished += result->tier[i].n_finished;
    }
    if (result->has_agents)
        put_sessions(out, scenario, result);
    mr_unit_human(result->sim_s, MR_Q_TIME, 5, time);
    mr_buf_printf(out, "\n%-26s %s\n", "simulated", time);
    if (result->sim_s > 0) {
        const double tok_s = (double)n_output / result->sim_s;
        mr_buf_printf(out, "%-26s %.5g, %.4g per package\n", "output tokens/s", tok_s,
                      tok_s / (double)result->n_package);
        if (!isnan(result->package_j)) {
            mr_unit_human(result->package_j / result->sim_s, MR_Q_POWER, 4, power);
            mr_buf_printf(out, "%-26s %s of %llu packages, %.4g J per output token\n", "power",
                          power, (unsigned long long)result->n_package,
                          result->package_j / (double)n_output);
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
}

/* ---- the verb ---- */

struct settings {
    const char **item;
    size_t n;
    char seed[64], until[96];
};

static mr_status collect(const struct mr_run_opts_values *opts, struct settings *set,
                         struct mr_err *err)
{
    set->item = mr_alloc(opts->set.n + 2, sizeof *set->item);
    if (set->item == NULL)
        return mr_err_nomem(err, (opts->set.n + 2) * sizeof *set->item);
    for (size_t i = 0; i < opts->set.n; i++)
        set->item[set->n++] = opts->set.item[i];
    if (opts->seed != NULL) {
        snprintf(set->seed, sizeof set->seed, "scenario/seed=%s", opts->seed);
        set->item[set->n++] = set->seed;
    }
    if (opts->until != NULL) {
        snprintf(set->until, sizeof set->until, "scenario/until=%s", opts->until);
        set->item[set->n++] = set->until;
    }
    return MR_OK;
}

/* The summary as text. */
static mr_status summarize(const struct mr_scenario *scenario, const struct mr_play_result *result,
                           double wall_s, struct mr_buf *json, struct mr_err *err)
{
    struct mr_hist *scratch = mr_alloc_zero(1, sizeof *scratch);
    if (scratch == NULL)
        return mr_err_nomem(err, sizeof *scratch);
    mr_play_json(scenario, result, wall_s, scratch, json);
    mr_free(scratch);
    return mr_buf_check(json, err);
}

static mr_status write_files(const struct mr_verb_call *call, struct mr_run_record *record,
                             const struct mr_play_result *result, struct mr_str json,
                             struct mr_err *err)
{
    const struct mr_run_opts_values *opts = call->opts;
    if (record != NULL)
        MR_TRY(mr_run_record_finish(record, result, json, err));
    if (opts->json == NULL || strcmp(opts->json, "-") == 0)
        return MR_OK;
    return mr_file_write(opts->json, call->ui->may_overwrite, json, err);
}

static int report(const struct mr_verb_call *call, const struct mr_scenario *scenario,
                  struct mr_run_record *record, const struct mr_play_result *result, double wall_s)
{
    const struct mr_run_opts_values *opts = call->opts;
    struct mr_buf table = {0}, json = {0};
    struct mr_err err = {0};
    int code;
    mr_status st = summarize(scenario, result, wall_s, &json, &err);
    if (st == MR_OK)
        st = write_files(call, record, result, (struct mr_str){json.text, json.n}, &err);
    if (st != MR_OK) {
        code = mr_ui_error(call->ui, &err);
    } else if (opts->json != NULL && strcmp(opts->json, "-") == 0) {
        code = mr_ui_out(call->ui, &json);
    } else {
        print_table(scenario, result, wall_s, &table);
        code = mr_ui_out(call->ui, &table);
    }
    mr_buf_fini(&table);
    mr_buf_fini(&json);
    return code;
}

static int play(const struct mr_verb_call *call, const struct mr_scenario *scenario,
                bool steps_singly, struct mr_transfer *net)
{
    const struct mr_run_opts_values *opts = call->opts;
    const struct mr_run_record_options recording = {call->ui->may_overwrite, steps_singly,
                                                    opts->record_every_s};
    struct mr_run_record *record = NULL;
    struct mr_err err = {0};
    if (opts->output != NULL &&
        mr_run_record_create(opts->output, &recording, scenario, &record, &err) != MR_OK)
        return mr_ui_error(call->ui, &err);
    const struct mr_play_options options = {
        .on_begin = record != NULL ? mr_run_record_begin : NULL,
        .on_call = record != NULL ? mr_run_record_call : NULL,
        .on_event = record != NULL ? mr_run_record_event : NULL,
        .on_session = record != NULL ? mr_run_record_session : NULL,
        .context = record,
        .on_sample = record != NULL ? mr_run_record_sample : NULL,
        .sample_s = opts->record_every_s,
        .net = net,
        .host_of = mr_wiring_host,
        .steps_singly = steps_singly,
        .requests_path = opts->requests,
        .may_overwrite = call->ui->may_overwrite};
    struct mr_play_result result;
    struct mr_diags diags = {0};
    const uint64_t from_ns = mr_wall_ns();
    const mr_status st = mr_play(scenario, &options, &result, &diags);
    const double wall_s = 1e-9 * (double)(mr_wall_ns() - from_ns);
    int code = mr_ui_diags(call->ui, &diags);
    if (st == MR_OK)
        code = report(call, scenario, record, &result, wall_s);
    mr_play_fini(&result);
    mr_run_record_destroy(record);
    return code;
}

/* Inside the actor that transfers happen in. */
struct playing {
    const struct mr_verb_call *call;
    const struct mr_scenario *scenario;
    bool steps_singly;
    int code;
};

static void play_flow(void *context, struct mr_transfer *net)
{
    struct playing *p = context;
    p->code = play(p->call, p->scenario, p->steps_singly, net);
}

static int play_scenario(const struct mr_verb_call *call, struct mr_scenario *scenario,
                         bool steps_singly)
{
    struct playing p = {call, scenario, steps_singly, 0};
    struct mr_diags diags = {0};
    char why[MR_TRANSFER_CHOICE_CAP];
    const bool has_platform =
        scenario->site.file != NULL && mr_open_is_platform(scenario->site.file);
    if (mr_network_choose(scenario, has_platform, why, &diags) != MR_OK)
        return mr_ui_diags(call->ui, &diags);
    if (why[0] != '\0')
        mr_ui_say(call->ui, 0, "transfer network %s", why);
    if (!mr_run_flow_is_wanted(scenario))
        return play(call, scenario, steps_singly, NULL);
    const mr_status st = mr_run_flow(scenario, play_flow, &p, &diags);
    const int code = mr_ui_diags(call->ui, &diags);
    return st == MR_OK ? p.code : code;
}

int mr_run_verb(const struct mr_verb_call *call)
{
    const struct mr_run_opts_values *opts = call->opts;
    struct mr_scenario scenario = {0};
    struct settings set = {0};
    struct mr_diags diags = {0};
    struct mr_err err = {0};
    if (collect(opts, &set, &err) != MR_OK)
        return mr_ui_error(call->ui, &err);
    bool steps_singly = false;
    const mr_status st =
        mr_rundata_is(call->arg[0])
            ? mr_run_repeat_load(call->arg[0], set.item, set.n, &scenario, &steps_singly, &diags)
            : mr_scenario_load(call->arg[0], set.item, set.n, &scenario, &diags);
    int code = mr_ui_diags(call->ui, &diags);
    if (st == MR_OK && opts->is_effective) {
        struct mr_buf text = {0};
        mr_scenario_write(&scenario, &text);
        code = mr_ui_out(call->ui, &text);
        mr_buf_fini(&text);
    } else if (st == MR_OK) {
        code = play_scenario(call, &scenario, steps_singly || opts->has_no_leap);
    }
    mr_scenario_fini(&scenario);
    mr_free(set.item);
    return code;
}
