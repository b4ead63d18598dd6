/* SPDX-License-Identifier: Apache-2.0 */
/* Every row's scenario is loaded before the first run begins, so that a bad value is told at once
 * and its configuration has a hash; a row counts as done when its result file is there with the
 * same hash. What happens to rows is told on stderr, the count of them on stdout. */
#define _XOPEN_SOURCE 700 /* readlink */
#include "engine/cli/sweep.h"

#include "engine/base/mem.h"
#include "engine/base/wall.h"
#include "engine/cli/confighash.h"
#include "engine/cli/progress.h"
#include "engine/cli/sweep_dry.h"
#include "engine/cli/sweep_names.h"
#include "engine/cli/sweep_row.h"
#include "engine/cli/verbs.h"
#include "experiments/answers.h"
#include "platforms/open.h"
#include "postprocess/runread.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

// clang-format off
#define OPT struct mr_sweep_opts_values
static const struct mr_opt rows[] = {
    {MR_PARAM_STR(OPT, folder, "dir", NULL, "Folder of the sweep: manifest, status and results"), 'd', "DIR"},
    {MR_PARAM_N(OPT, n_slot, "jobs", "0", 0, 4096, "Rows at a time; 0: as many as there are cores"), 'j', "N"},
    {MR_PARAM_STR(OPT, shard, "shard", NULL, "Only part I of N, from 0 on: every N-th row"), 0, "I/N"},
    {MR_PARAM_STR(OPT, rows, "rows", NULL, "Only these rows, as in 3-7,12"), 0, "LIST"},
    {MR_PARAM_YES(OPT, resumes, "resume", "no", "Go on: rows that are done and have not changed stay"), 0, NULL},
    {MR_PARAM_YES(OPT, is_dry, "dry-run", "no", "Run up to three rows, tell how long all would take; leaves nothing"), 0, NULL},
    {MR_PARAM_N(OPT, n_retry, "retry", "1", 0, 1000, "Further attempts of a row that was killed or could not write"), 0, "K"},
    {MR_PARAM(OPT, timeout_s, "timeout", MR_Q_TIME, "0 s", 0, 1e9, "Longest wall time of a row; 0: any"), 0, "TIME"},
    {MR_PARAM(OPT, grace_s, "grace", MR_Q_TIME, "20 s", 0, 1e6, "Time that running rows have after INT, TERM or USR1"), 0, "TIME"},
};
#undef OPT
// clang-format on

const struct mr_opt_table mr_sweep_opts = {rows, sizeof rows / sizeof *rows};

enum {
    exit_failed = 1,
    exit_requeue = 75, /* EX_TEMPFAIL */
    n_named_max = 20   /* failed rows that are named at the end */
};

struct sweep {
    const struct mr_verb_call *call;
    const struct mr_sweep_opts_values *opts;
    struct mr_experiment experiment;
    struct mr_design design;
    struct mr_ledger ledger;
    struct mr_sweep_row row; /* the command of the row that is started */
    bool *is_on;             /* rows of this call */
    size_t *todo, n_todo, n_on, n_kept, n_stale;
    size_t failed[n_named_max], n_failed;
    struct mr_progress progress;
};

/* ---- what there is to do ---- */

static mr_status configure(struct mr_experiment *experiment, struct mr_design *design,
                           struct mr_diags *diags)
{
    const struct mr_confighash_options options = {experiment->run.has_no_leap};
    struct mr_confighash files = {0};
    struct mr_sweep_row row = {.experiment = experiment, .design = design};
    struct mr_sweep_names names = {0};
    struct mr_err err = {0};
    mr_status st = MR_OK;
    for (size_t i = 0; i < design->n_row && st == MR_OK; i++) {
        struct mr_scenario scenario = {0};
        const size_t n_error = diags->n_error;
        st = mr_sweep_row_settings(&row, i, &err);
        if (st == MR_OK)
            st = mr_scenario_load_at(experiment->top.scenario, row.set, row.at, row.n_set,
                                     &scenario, diags);
        if (st == MR_OK && scenario.site.file != NULL &&
            mr_open_check_changes(scenario.site.file, scenario.layout, scenario.n_layout, &err) !=
                MR_OK) {
            st = mr_diags_add_err(diags, MR_SEVERITY_ERROR, &err);
            err = (struct mr_err){0};
        }
        if (diags->n_error > n_error)
            mr_diags_add(diags, MR_SEVERITY_NOTE, st, (struct mr_place){experiment->path, 0, 0},
                         "in row %zu", i);
        design->seed[i] = scenario.top.seed;
        if (st == MR_OK)
            st = mr_confighash_of(&files, &scenario, &options, design->hash[i], &err);
        if (st == MR_OK)
            st = mr_sweep_names_add(&names, &scenario, &err);
        mr_scenario_fini(&scenario);
    }
    if (st == MR_OK)
        st = mr_sweep_names_check(&names, &experiment->asked, diags);
    mr_sweep_names_fini(&names);
    (void)mr_diags_add_err(diags, MR_SEVERITY_ERROR, &err);
    mr_confighash_fini(&files);
    mr_sweep_row_fini(&row);
    return st;
}

static mr_status load(const char *path, struct mr_experiment *experiment, struct mr_design *design,
                      struct mr_diags *diags)
{
    struct mr_err err = {0};
    MR_TRY(mr_experiment_load(path, experiment, diags));
    if (mr_design_expand(experiment, design, &err) != MR_OK)
        return mr_diags_add_err(diags, MR_SEVERITY_ERROR, &err);
    return configure(experiment, design, diags);
}

mr_status mr_sweep_check(const char *path, struct mr_diags *diags)
{
    struct mr_experiment experiment = {0};
    struct mr_design design = {0};
    const mr_status st = load(path, &experiment, &design, diags);
    mr_design_fini(&design);
    mr_experiment_fini(&experiment);
    return st;
}

static mr_status choose(struct sweep *s, struct mr_err *err)
{
    const size_t n = s->design.n_row;
    s->is_on = mr_alloc(n, sizeof *s->is_on);
    s->todo = mr_alloc(n, sizeof *s->todo);
    if (s->is_on == NULL || s->todo == NULL)
        return mr_err_nomem(err, n * sizeof *s->todo);
    for (size_t i = 0; i < n; i++)
        s->is_on[i] = true;
    MR_TRY(mr_design_shard(s->opts->shard, n, s->is_on, err));
    MR_TRY(mr_design_rows(s->opts->rows, n, s->is_on, err));
    for (size_t i = 0; i < n; i++)
        s->n_on += s->is_on[i];
    return MR_OK;
}

/* Attributes are all that is looked at. */
static void read_nothing(struct mr_runread *run)
{
    (void)run;
}

/* Is the row's result there, and of this configuration? */
static bool is_current(const char *path, const char *hash)
{
    const struct mr_runread_options options = {.trial = read_nothing};
    struct mr_runread *run = NULL;
    struct mr_err err = {0};
    if (mr_runread_open(path, &options, &run, &err) != MR_OK)
        return false;
    const char *own = mr_runread_attr(run, "/provenance", "config_hash");
    const bool is = mr_runread_is_complete(run) && own != NULL && strcmp(own, hash) == 0;
    mr_runread_close(run);
    return is;
}

static mr_status find_todo(struct sweep *s, struct mr_err *err)
{
    struct mr_buf path = {0};
    mr_status st = MR_OK;
    for (size_t i = 0; i < s->design.n_row && st == MR_OK; i++) {
        if (!s->is_on[i])
            continue;
        mr_buf_clear(&path);
        mr_ledger_path(&s->ledger, i, ".h5", &path);
        st = mr_buf_check(&path, err);
        const bool is_there = st == MR_OK && access(path.text, F_OK) == 0;
        if (is_there && !s->opts->resumes && !s->call->ui->may_overwrite)
            st = mr_err_set(err, MR_IO, (struct mr_place){path.text, 0, 0},
                            "exists already (--resume goes on, -f runs all rows again)");
        if (is_there && s->opts->resumes && is_current(path.text, s->design.hash[i])) {
            s->n_kept++;
            continue;
        }
        s->n_stale += is_there && s->opts->resumes;
        s->todo[s->n_todo++] = i;
    }
    mr_buf_fini(&path);
    return st;
}

/* ---- running ---- */

static mr_status on_start(void *context, size_t row, struct mr_batch_command *command,
                          struct mr_err *err)
{
    struct sweep *s = context;
    return mr_sweep_row_command(&s->row, row, s->ledger.folder, command, err);
}

static void remove_part(struct sweep *s, size_t row)
{
    struct mr_buf path = {0};
    mr_ledger_path(&s->ledger, row, ".h5.part", &path);
    if (mr_buf_check(&path, NULL) == MR_OK)
        (void)unlink(path.text);
    mr_buf_fini(&path);
}

static mr_status on_end(void *context, const struct mr_batch_end *end, struct mr_err *err)
{
    struct sweep *s = context;
    char id[MR_DESIGN_ID];
    if (end->state != MR_BATCH_DONE)
        remove_part(s, end->row);
    if (end->state == MR_BATCH_DROPPED)
        return MR_OK;
    if (end->state != MR_BATCH_DONE) {
        mr_progress_clear(&s->progress);
        mr_ui_say(s->call->ui, end->will_retry ? 0 : -1, "row %s: %s, exit %d%s%s%s",
                  mr_design_id(end->row, id),
                  end->state == MR_BATCH_TIMEOUT ? "took too long" : "failed", end->exit_code,
                  end->will_retry ? ", will be tried again" : "",
                  end->message[0] != '\0' ? ": " : "", end->message);
    }
    if (end->will_retry)
        return MR_OK;
    if (end->state != MR_BATCH_DONE && s->n_failed++ < n_named_max)
        s->failed[s->n_failed - 1] = end->row;
    return mr_ledger_note(&s->ledger, end, err);
}

static void on_tell(void *context, const struct mr_batch_tell *tell)
{
    struct sweep *s = context;
    struct mr_progress_state state = mr_progress_nothing();
    char what[96];
    snprintf(what, sizeof what, "%zu/%zu rows, %zu running, %zu failed", tell->n_over, tell->n_row,
             tell->n_running, tell->n_failed);
    state.what = what;
    state.done_frac = tell->n_row > 0 ? (double)tell->n_over / (double)tell->n_row : 1;
    mr_progress_show(&s->progress, &state);
}

/* What the experiment asks for, of all rows that are done by now. */
static mr_status answer(struct sweep *s, struct mr_buf *out, struct mr_err *err)
{
    struct mr_answers_count count;
    if (!mr_asked_is_any(&s->experiment.asked))
        return MR_OK;
    MR_TRY(mr_answers_write(&s->experiment, &s->design, &s->ledger, &count, err));
    if (s->experiment.asked.n_constraint > 0)
        mr_buf_printf(out, "%zu of %zu rows in %s/kpi.csv meet all constraints\n", count.n_met,
                      count.n_row, s->ledger.folder);
    if (count.n_noted > 0)
        mr_ui_say(s->call->ui, 0,
                  "%zu of %zu rows in %s/kpi.csv have figures that are no numbers "
                  "(its column note), the first: %s",
                  count.n_noted, count.n_row, s->ledger.folder, count.note);
    return MR_OK;
}

static int conclude(struct sweep *s, const struct mr_batch_result *result)
{
    struct mr_buf out = {0}, names = {0};
    char id[MR_DESIGN_ID];
    mr_buf_printf(&out, "%zu rows: %zu done, %zu kept, %zu failed, %zu left\n", s->n_on,
                  result->n_done, s->n_kept, result->n_failed, result->n_left);
    struct mr_err err = {0};
    int code = answer(s, &out, &err) == MR_OK ? 0 : mr_ui_error(s->call->ui, &err);
    const int of_out = mr_ui_out(s->call->ui, &out);
    code = code != 0 ? code : of_out;
    mr_buf_fini(&out);
    for (size_t i = 0; i < s->n_failed && i < n_named_max; i++)
        mr_buf_printf(&names, " %s", mr_design_id(s->failed[i], id));
    if (s->n_failed > 0 && mr_buf_check(&names, NULL) == MR_OK)
        mr_ui_say(s->call->ui, -1, "failed rows:%s%s (%s/run_ID.log, %s/status.csv)", names.text,
                  s->n_failed > n_named_max ? " ..." : "", s->ledger.folder, s->ledger.folder);
    mr_buf_fini(&names);
    if (result->n_left > 0)
        return exit_requeue;
    return code != 0 ? code : s->n_failed > 0 ? exit_failed : 0;
}

static mr_status prepare(struct sweep *s, struct mr_err *err)
{
    struct mr_buf manifest = {0};
    bool was_replaced = false;
    MR_TRY(mr_ledger_open(s->opts->folder, &s->ledger, err));
    MR_TRY(mr_ledger_claim(&s->ledger, s->is_on, s->design.n_row, err));
    mr_design_manifest(&s->design, &manifest);
    mr_status st = mr_buf_check(&manifest, err);
    if (st == MR_OK)
        st = mr_ledger_manifest(&s->ledger, (struct mr_str){manifest.text, manifest.n},
                                s->opts->resumes || s->call->ui->may_overwrite, &was_replaced, err);
    mr_buf_fini(&manifest);
    if (st == MR_OK)
        st = mr_answers_keep_asked(&s->experiment, &s->ledger, err);
    if (was_replaced)
        mr_ui_say(s->call->ui, 0, "%s: the experiment has changed, its manifest is written again",
                  s->opts->folder);
    if (st == MR_OK)
        st = find_todo(s, err);
    if (st == MR_OK && s->n_stale > 0)
        mr_ui_say(s->call->ui, 0, "%s: %zu results are of other configurations, and run again",
                  s->opts->folder, s->n_stale);
    return st;
}

static int run(struct sweep *s)
{
    const struct mr_batch_options options = {mr_batch_slots(s->opts->n_slot), s->opts->timeout_s,
                                             s->opts->grace_s, s->opts->n_retry};
    const struct mr_batch_hooks hooks = {s, on_start, on_end, on_tell};
    struct mr_batch_result result;
    struct mr_err err = {0};
    mr_status st = prepare(s, &err);
    mr_progress_init(&s->progress, s->call->ui->with_progress, s->call->ui->is_err_tty,
                     mr_wall_ns());
    if (st == MR_OK)
        st = mr_batch_run(s->todo, s->n_todo, &options, &hooks, &result, &err);
    mr_progress_clear(&s->progress);
    return st == MR_OK ? conclude(s, &result) : mr_ui_error(s->call->ui, &err);
}

/* ---- how long it would take ---- */

static int probe(struct sweep *s)
{
    const struct mr_batch_options options = {1, s->opts->timeout_s, s->opts->grace_s, 0};
    struct mr_err err = {0};
    struct mr_buf out = {0};
    mr_buf_printf(&out, "%zu rows of %zu: %zu factors, %zu seeds\n", s->n_on, s->design.n_row,
                  s->design.n_factor, s->design.has_seeds ? s->experiment.n_seed : 1);
    mr_status st = mr_sweep_dry(&s->row, s->is_on, s->opts->folder, &options,
                                mr_batch_slots(s->opts->n_slot), &out, &err);
    const int code = st == MR_OK ? mr_ui_out(s->call->ui, &out) : mr_ui_error(s->call->ui, &err);
    mr_buf_fini(&out);
    return code;
}

int mr_sweep_verb(const struct mr_verb_call *call)
{
    struct sweep s = {.call = call, .opts = call->opts};
    struct mr_diags diags = {0};
    struct mr_err err = {0};
    s.ledger = (struct mr_ledger){.lock = -1, .status = -1};
    if (s.opts->folder == NULL && !s.opts->is_dry)
        return mr_ui_usage(call->ui, "sweep", "sweep: -d DIR is missing");
    mr_status st = load(call->arg[0], &s.experiment, &s.design, &diags);
    int code = mr_ui_diags(call->ui, &diags);
    if (st == MR_OK) {
        s.row = (struct mr_sweep_row){.experiment = &s.experiment, .design = &s.design};
        st = choose(&s, &err);
        code = st == MR_OK ? (s.opts->is_dry ? probe(&s) : run(&s)) : mr_ui_error(call->ui, &err);
    }
    mr_sweep_row_fini(&s.row);
    mr_ledger_close(&s.ledger);
    mr_free(s.is_on);
    mr_free(s.todo);
    mr_design_fini(&s.design);
    mr_experiment_fini(&s.experiment);
    return code;
}
