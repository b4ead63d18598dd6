/* SPDX-License-Identifier: Apache-2.0 */
/* Options become settings of the scenario, so that they are checked like its file. */
#include "engine/cli/run.h"

#include "engine/base/file.h"
#include "engine/base/mem.h"
#include "engine/base/wall.h"
#include "engine/cli/apart.h"
#include "engine/cli/confighash.h"
#include "engine/cli/progress.h"
#include "engine/cli/run_fail.h"
#include "engine/cli/run_flow.h"
#include "engine/cli/run_record.h"
#include "engine/cli/run_repeat.h"
#include "engine/cli/run_table.h"
#include "engine/cli/stop.h"
#include "engine/cli/verbs.h"
#include "engine/net/wiring.h"
#include "engine/record/rundata.h"
#include "engine/twin/network.h"
#include "engine/twin/play.h"
#include "platforms/open.h"

#include <stdio.h>
#include <string.h>

#define OPT struct mr_run_opts_values
static const struct mr_opt rows[] = {
    {MR_PARAM_STR(OPT, output, "output", NULL, "Write the result file, HDF5"), 'o', "FILE.h5"},
    {MR_PARAM_STR(OPT, json, "json", NULL, "Write the summary as JSON; - is standard output"), 0,
     "FILE"},
    {MR_PARAM_STR(OPT, requests, "requests", NULL, "Write a CSV row for every call"), 0, "FILE"},
    {MR_PARAM_STR(OPT, seed, "seed", NULL, "Seed, instead of the scenario's"), 0, "N"},
    {MR_PARAM_STR(OPT, until, "until", NULL, "End of the run, instead of the scenario's"), 0,
     "TIME"},
    {MR_PARAM_MANY(OPT, set, "set",
                   "Set ELEMENT/ATTRIBUTE=VALUE, where there are several of all of them or, with "
                   "ELEMENT[1], of the second; may be repeated"),
     0, "PATH=VALUE"},
    {MR_PARAM_STR(OPT, record_every, "record-every", NULL,
                  "Time between samples in the result file, of some kinds their own "
                  "(5s,racks=10s,site=1s), instead of the scenario's (" MR_RECORD_EVERY_DEFAULT
                  "); changes no result"),
     0, "TIME"},
    {MR_PARAM_STR(OPT, record, "record", NULL,
                  "What is recorded, a list of summary, site, rack, requests (=N, =1/N), die, "
                  "steps=RACK, instead of the scenario's (" MR_RECORD_LEVEL_DEFAULT ")"),
     0, "LEVEL"},
    {MR_PARAM_YES(OPT, is_live, "live", "no",
                  "Write a file that may be read while it grows (SWMR)"),
     0, NULL},
    {MR_PARAM_STR(OPT, flush, "flush", NULL,
                  "Real time between flushes: what a killed run loses, instead of the scenario's "
                  "(5 s)"),
     0, "TIME"},
    {MR_PARAM_MANY(OPT, fail_on, "fail-on",
                   "Exit code 1 if: violation, slo:TIER<FRAC, kpi:PATH<VALUE, kpi:PATH>VALUE; may "
                   "be repeated"),
     0, "WHAT"},
    {MR_PARAM_YES(OPT, is_strict, "strict", "no", "Exit code 1 after warnings, too"), 0, NULL},
    {MR_PARAM_MANY(OPT, sg_cfg, "sg-cfg", "Setting of SimGrid (transfers in mode flow)"), 0,
     "KEY:VALUE"},
    {MR_PARAM_STR(OPT, sg_log, "sg-log", NULL, "What SimGrid logs, as its --log"), 0, "SPEC"},
    {MR_PARAM_YES(OPT, has_no_leap, "no-leap", "no", "Play every step by itself"), 0, NULL},
    {MR_PARAM_YES(OPT, is_alone, "alone", "no",
                  "Be the whole run, also where mpirun or srun started several processes"),
     0, NULL},
    {MR_PARAM_YES(OPT, is_effective, "effective", "no",
                  "Print the scenario with all defaults filled in, play nothing"),
     0, NULL},
};
#undef OPT

const struct mr_opt_table mr_run_opts = {rows, sizeof rows / sizeof *rows};

/* ---- the verb ---- */

struct settings {
    const char **item;
    size_t n;
    struct mr_arena texts;
};

/* Options go last, so before --set. */
static mr_status collect(const struct mr_run_opts_values *opts, struct settings *set,
                         struct mr_err *err)
{
    const struct {
        const char *path, *value;
    } option[] = {{"scenario/seed", opts->seed}, {"scenario/until", opts->until},
                  {"record/what", opts->record}, {"record/every", opts->record_every},
                  {"record/flush", opts->flush}, {"record/live", opts->is_live ? "yes" : NULL}};
    const size_t n_option = sizeof option / sizeof *option;
    struct mr_buf text = {0};
    mr_status st = MR_OK;
    set->item = mr_alloc(opts->set.n + n_option, sizeof *set->item);
    if (set->item == NULL)
        return mr_err_nomem(err, (opts->set.n + n_option) * sizeof *set->item);
    for (size_t i = 0; i < opts->set.n; i++)
        set->item[set->n++] = opts->set.item[i];
    for (size_t i = 0; i < n_option && st == MR_OK; i++) {
        if (option[i].value == NULL)
            continue;
        mr_buf_clear(&text);
        mr_buf_printf(&text, "%s=%s", option[i].path, option[i].value);
        st = mr_buf_check(&text, err);
        const char *own =
            st == MR_OK ? mr_arena_text(&set->texts, mr_str_of(text.text), err) : NULL;
        set->item[set->n] = own;
        st = own != NULL ? MR_OK : MR_NOMEM;
        set->n += own != NULL;
    }
    mr_buf_fini(&text);
    return st;
}

/* Told as what was typed; the scenario's own are checked with it. */
static mr_status check_options(const struct mr_run_opts_values *opts, struct mr_err *err)
{
    struct mr_record_level level;
    if (opts->record != NULL)
        MR_TRY(mr_record_level_parse(opts->record, &level, err));
    return mr_run_fail_check(&opts->fail_on, err);
}

struct job {
    const struct mr_verb_call *call;
    const struct mr_scenario *scenario;
    const struct mr_run_files *files;
    struct mr_confighash *hashes; /* of what was read, once */
    struct mr_ranks *ranks;
    bool steps_singly;
    size_t n_warning; /* so far */
    int code;
};

/* The summary as text. */
static mr_status summarize(const struct job *job, const struct mr_play_result *result,
                           double wall_s, struct mr_buf *json, struct mr_err *err)
{
    char asked[MR_SHA256_HEX];
    MR_TRY(mr_confighash_of(job->hashes, job->scenario, NULL, asked, err));
    struct mr_hist *scratch = mr_alloc_zero(1, sizeof *scratch);
    if (scratch == NULL)
        return mr_err_nomem(err, sizeof *scratch);
    mr_play_json(job->scenario, result, &(struct mr_play_told){asked, wall_s}, scratch, json);
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

/* What is to fail fails last, when everything is written. @return 0, 1 or an error's code */
static int judge(const struct mr_verb_call *call, struct mr_str json, size_t n_warning)
{
    const struct mr_run_opts_values *opts = call->opts;
    struct mr_buf met = {0};
    struct mr_err err = {0}, why = {0};
    int code = 0;
    if (mr_run_fail_find(&opts->fail_on, json, &met, &err) != MR_OK) {
        code = mr_ui_error(call->ui, &err);
    } else if (met.n > 0) {
        (void)mr_err_set(&why, MR_RANGE, MR_NOWHERE, "--fail-on %s", met.text);
        (void)mr_ui_error(call->ui, &why);
        code = 1;
    }
    mr_buf_fini(&met);
    if (code == 0 && opts->is_strict && n_warning > 0) {
        (void)mr_err_set(&why, MR_RANGE, MR_NOWHERE, "--strict: %zu warning%s", n_warning,
                         n_warning > 1 ? "s" : "");
        (void)mr_ui_error(call->ui, &why);
        code = 1;
    }
    return code;
}

static int report(const struct job *job, struct mr_run_record *record,
                  const struct mr_play_result *result, double wall_s, size_t n_warning)
{
    const struct mr_verb_call *call = job->call;
    const struct mr_run_opts_values *opts = call->opts;
    struct mr_buf table = {0}, json = {0};
    struct mr_err err = {0};
    int code;
    mr_status st = summarize(job, result, wall_s, &json, &err);
    if (st == MR_OK)
        st = write_files(call, record, result, (struct mr_str){json.text, json.n}, &err);
    if (st != MR_OK) {
        code = mr_ui_error(call->ui, &err);
    } else if (opts->json != NULL && strcmp(opts->json, "-") == 0) {
        code = mr_ui_out(call->ui, &json);
    } else {
        mr_run_table(job->scenario, result, wall_s, opts->output, &table);
        code = mr_ui_out(call->ui, &table);
    }
    if (code == 0)
        code = judge(call, (struct mr_str){json.text, json.n}, n_warning);
    mr_buf_fini(&table);
    mr_buf_fini(&json);
    return code;
}

static const char *first_error(const struct mr_diags *diags)
{
    for (size_t i = 0; i < diags->n_item; i++)
        if (diags->item[i].severity == MR_SEVERITY_ERROR)
            return diags->item[i].err.text;
    return "failed";
}

/* A call of the verb, on one of perhaps several ranks. Only rank 0 writes; of an error that all of
 * them meet it alone tells, of any other one the first rank that met it. */
/* @param[in] st of this rank @return what all agree on; *speaks: this one has to say why */
static mr_status agree(struct mr_ranks *ranks, mr_status st, bool knows, bool *speaks)
{
    const int64_t mine[2] = {st, knows};
    struct mr_err err = {0};
    *speaks = true;
    if (ranks->n == 1)
        return st;
    size_t *n_bytes = mr_alloc(ranks->n, sizeof *n_bytes);
    int64_t *all = mr_alloc(ranks->n, sizeof mine);
    for (uint32_t r = 0; n_bytes != NULL && r < ranks->n; r++)
        n_bytes[r] = sizeof mine;
    if (n_bytes != NULL && all != NULL &&
        mr_ranks_gather(ranks, mine, n_bytes, all, &err) == MR_OK) {
        uint32_t first = 0;
        while (first + 1 < ranks->n && !(all[2 * first] != MR_OK && all[2 * first + 1] != 0))
            first++;
        const bool is_well = all[2 * first] == MR_OK;
        *speaks = ranks->i == (is_well ? 0 : first);
        st = st == MR_OK && !is_well ? (mr_status)all[2 * first] : st;
    }
    mr_free(n_bytes);
    mr_free(all);
    return st;
}

/* All ranks come here. @return exit code */
static int tell(const struct job *job, mr_status st, const struct mr_diags *diags)
{
    bool speaks;
    /* a rank that only heard of another's error has that in its message */
    const bool knows = diags->n_item > 0 && strncmp(diags->item[0].err.text, "rank ", 5) != 0;
    const mr_status agreed = agree(job->ranks, st, knows, &speaks);
    const int code = speaks ? mr_ui_diags(job->call->ui, diags) : 0;
    return code != 0 || agreed == MR_OK ? code : mr_status_exit_code(agreed);
}

struct watched {
    struct mr_progress progress;
    uint64_t from_ns;
};

static void show_progress(void *context, const struct mr_play_reading *now)
{
    struct watched *w = context;
    struct mr_progress_state state = mr_progress_nothing();
    const double wall_s = 1e-9 * (double)(mr_wall_ns() - w->from_ns);
    state.sim_s = now->now_s;
    state.end_s = now->end_s;
    state.done_frac = now->now_s / now->end_s; /* without an end: 0 */
    state.events_per_s = (double)now->n_event / wall_s;
    state.real_time = now->now_s / wall_s;
    state.site_mw = now->site_w * 1e-6;
    mr_progress_show(&w->progress, &state);
}

static mr_status play(const struct job *job, struct mr_run_record *record, struct mr_transfer *net,
                      struct mr_play_result *result, struct mr_diags *diags)
{
    const struct mr_run_opts_values *opts = job->call->opts;
    const struct mr_scenario_record *recording = &job->scenario->record;
    const bool has_output = opts->output != NULL;
    struct mr_record_level level = {0};
    struct mr_record_every every;
    struct mr_record_dates dates = {.n = 0};
    struct mr_err err = {0};
    /* all ranks have to know whose steps are wanted */
    if (has_output && (mr_record_level_parse(recording->what, &level, &err) != MR_OK ||
                       mr_record_every_parse(recording->every, &every, &err) != MR_OK))
        return mr_diags_add_err(diags, MR_SEVERITY_ERROR, &err);
    struct mr_play_options options = {.on_begin = record != NULL ? mr_run_record_begin : NULL,
                                      .on_call = record != NULL ? mr_run_record_call : NULL,
                                      .on_event = record != NULL ? mr_run_record_event : NULL,
                                      .on_session = record != NULL ? mr_run_record_session : NULL,
                                      .on_step = record != NULL ? mr_run_record_step : NULL,
                                      .step_rack = level.step_rack,
                                      .n_step_rack = level.n_step_rack,
                                      .context = record,
                                      .on_sample = record != NULL ? mr_run_record_sample : NULL,
                                      .on_exchange = record != NULL ? mr_run_record_exchange : NULL,
                                      .wants_calls = level.has_calls,
                                      .wants_sessions = level.has_calls,
                                      .wants_events = has_output,
                                      .net = net,
                                      .host_of = mr_wiring_host,
                                      .steps_singly = job->steps_singly,
                                      .requests_path = opts->requests,
                                      .may_overwrite = job->call->ui->may_overwrite,
                                      .ranks = job->ranks,
                                      .stop = mr_stop_asked};
    const struct mr_ui *ui = job->call->ui;
    struct watched watched = {.from_ns = mr_wall_ns()};
    mr_progress_init(&watched.progress, ui->with_progress && job->ranks->i == 0, ui->is_err_tty,
                     watched.from_ns);
    options.on_window = watched.progress.is_on ? show_progress : NULL;
    options.window_context = &watched;
    if (has_output)
        mr_record_every_dates(&every, &level, &dates);
    options.n_every = dates.n;
    memcpy(options.every_s, dates.every_s, dates.n * sizeof *dates.every_s);
    const mr_status st = mr_play(job->scenario, &options, result, diags);
    mr_progress_clear(&watched.progress);
    return st;
}

static mr_status open_record(const struct job *job, struct mr_run_record **record,
                             struct mr_diags *diags)
{
    const struct mr_run_opts_values *opts = job->call->opts;
    const struct mr_run_record_options recording = {job->call->ui->may_overwrite, job->steps_singly,
                                                    job->files, job->hashes};
    struct mr_err err = {0};
    mr_status st = MR_OK;
    if (job->ranks->i > 0)
        return MR_OK;
    if (opts->json != NULL)
        st = mr_file_try(opts->json, job->call->ui->may_overwrite, &err);
    if (st == MR_OK && opts->output != NULL)
        st = mr_run_record_create(opts->output, &recording, job->scenario, record, &err);
    return st == MR_OK ? MR_OK : mr_diags_add_err(diags, MR_SEVERITY_ERROR, &err);
}

static int play_with(const struct job *job, struct mr_transfer *net)
{
    struct mr_run_record *record = NULL;
    struct mr_play_result result = {0};
    struct mr_diags diags = {0};
    mr_stop_listen();
    int code = tell(job, open_record(job, &record, &diags), &diags);
    if (code == 0) {
        const uint64_t from_ns = mr_wall_ns();
        const mr_status st = play(job, record, net, &result, &diags);
        const double wall_s = 1e-9 * (double)(mr_wall_ns() - from_ns);
        code = tell(job, st, &diags);
        if (code != 0 && record != NULL)
            mr_run_record_give_up(record, MR_RUNFILE_FAILED, first_error(&diags));
        if (code == 0 && job->ranks->i == 0)
            code = report(job, record, &result, wall_s, job->n_warning + diags.n_warning);
        if (code == 0 && result.is_partial)
            code = 128 + result.stop;
    }
    mr_play_fini(&result);
    mr_run_record_destroy(record);
    return code;
}

/* Inside the actor that transfers happen in. */
static void play_flow(void *context, struct mr_transfer *net)
{
    struct job *job = context;
    job->code = play_with(job, net);
}

static int play_scenario(struct job *job, struct mr_scenario *scenario)
{
    struct mr_diags diags = {0};
    char why[MR_TRANSFER_CHOICE_CAP] = "";
    const bool has_platform =
        scenario->site.file != NULL && mr_open_is_platform(scenario->site.file);
    const int code = tell(job, mr_network_choose(scenario, has_platform, why, &diags), &diags);
    if (code != 0)
        return code;
    job->n_warning += diags.n_warning;
    if (why[0] != '\0' && job->ranks->i == 0)
        mr_ui_say(job->call->ui, 0, "transfer network %s", why);
    const struct mr_run_opts_values *opts = job->call->opts;
    const struct mr_platform_options simgrid = {
        .config = opts->sg_cfg.item, .n_config = opts->sg_cfg.n, .log = opts->sg_log};
    if (!mr_run_flow_is_wanted(scenario)) {
        if ((simgrid.n_config > 0 || simgrid.log != NULL) && job->ranks->i == 0)
            mr_ui_say(job->call->ui, 0,
                      "--sg-cfg and --sg-log do nothing: no transfers are SimGrid's here");
        return play_with(job, NULL);
    }
    diags = (struct mr_diags){0};
    const mr_status st = mr_run_flow(scenario, &simgrid, play_flow, job, &diags);
    const int flow_code = mr_ui_diags(job->call->ui, &diags);
    return st == MR_OK ? job->code : flow_code;
}

static int print_effective(const struct job *job)
{
    struct mr_buf text = {0};
    if (job->ranks->i > 0)
        return 0;
    const struct mr_scenario shown = mr_run_repeat_shown(job->scenario, job->files);
    mr_scenario_write(&shown, &text);
    const int code = mr_ui_out(job->call->ui, &text);
    mr_buf_fini(&text);
    return code;
}

static mr_status check_tiers(const struct mr_run_opts_values *opts,
                             const struct mr_scenario *scenario, struct mr_diags *diags)
{
    const char *name[MR_SCENARIO_TIERS];
    struct mr_err err = {0};
    for (size_t i = 0; i < scenario->n_tier; i++)
        name[i] = scenario->tier[i].name;
    return mr_run_fail_check_tiers(&opts->fail_on, name, scenario->n_tier, &err) == MR_OK
               ? MR_OK
               : mr_diags_add_err(diags, MR_SEVERITY_ERROR, &err);
}

static int load_and_play(const struct mr_verb_call *call, const struct settings *set,
                         struct mr_ranks *ranks)
{
    const struct mr_run_opts_values *opts = call->opts;
    struct mr_scenario scenario = {0};
    struct mr_diags diags = {0};
    struct mr_run_files files = {0};
    struct mr_confighash hashes = {0};
    bool steps_singly = false;
    mr_status st = mr_rundata_is(call->arg[0])
                       ? mr_run_repeat_load(call->arg[0], set->item, set->n, &scenario,
                                            &steps_singly, &files, &diags)
                       : mr_scenario_load(call->arg[0], set->item, set->n, &scenario, &diags);
    struct job job = {.call = call,
                      .scenario = &scenario,
                      .files = &files,
                      .hashes = &hashes,
                      .ranks = ranks,
                      .steps_singly = steps_singly || opts->has_no_leap,
                      .n_warning = diags.n_warning};
    if (st == MR_OK)
        st = check_tiers(opts, &scenario, &diags);
    int code = tell(&job, st, &diags);
    if (code == 0)
        code = opts->is_effective ? print_effective(&job) : play_scenario(&job, &scenario);
    mr_scenario_fini(&scenario);
    mr_confighash_fini(&hashes);
    mr_run_files_forget(&files);
    return code;
}

int mr_run_verb(const struct mr_verb_call *call)
{
    const struct mr_run_opts_values *opts = call->opts;
    struct settings set = {0};
    struct mr_ranks ranks = {0};
    struct mr_err err = {0};
    struct mr_record_every every;
    /* a result file may be replaced by its own repetition */
    const struct mr_apart_file file[] = {
        {"SCENARIO", mr_rundata_is(call->arg[0]) ? NULL : call->arg[0], true},
        {"--output", opts->output, false},
        {"--json", opts->json, false},
        {"--requests", opts->requests, false}};
    if (mr_apart_check(file, sizeof file / sizeof *file, &err) != MR_OK)
        return mr_ui_error(call->ui, &err);
    if (opts->record_every != NULL &&
        mr_record_every_parse(opts->record_every, &every, &err) != MR_OK)
        return mr_ui_usage(call->ui, "run", "run: %s", err.text);
    mr_status st = check_options(opts, &err);
    if (st == MR_OK)
        st = collect(opts, &set, &err);
    if (st == MR_OK)
        st = opts->is_alone ? mr_ranks_alone(&ranks, &err) : mr_ranks_open(&ranks, &err);
    const int code = st == MR_OK ? load_and_play(call, &set, &ranks) : mr_ui_error(call->ui, &err);
    mr_ranks_close(&ranks);
    mr_arena_fini(&set.texts);
    mr_free(set.item);
    return code;
}
