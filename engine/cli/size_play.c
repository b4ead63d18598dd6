/* SPDX-License-Identifier: Apache-2.0 */
/* The runs of a round are the rows of a batch; their summaries say what came of them. */
#define _XOPEN_SOURCE 700 /* unlink */
#include "engine/cli/size_play.h"

#include "engine/base/mem.h"
#include "engine/cli/sweep_row.h"
#include "experiments/design.h"

#include <math.h>
#include <stdio.h>
#include <unistd.h>

enum {
    n_argv_more = 24
};

static const char *keep(struct mr_size_play *play, struct mr_buf *text, struct mr_err *err)
{
    const char *own = NULL;
    if (mr_buf_check(text, err) == MR_OK)
        own = mr_arena_text(&play->texts, (struct mr_str){text->text, text->n}, err);
    mr_buf_clear(text);
    return own;
}

static const char *file_of(struct mr_size_play *play, size_t i_run, const char *ending,
                           struct mr_err *err)
{
    char id[MR_DESIGN_ID];
    struct mr_buf text = {0};
    mr_buf_printf(&text, "%s/run_%s%s", play->folder, mr_design_id(i_run, id), ending);
    const char *own = keep(play, &text, err);
    mr_buf_fini(&text);
    return own;
}

/* ---- a child ---- */

/* millrace run of a build. @param[in] files "--json", PATH, "-o", PATH as they are wanted */
static mr_status make_command(struct mr_size_play *play, size_t i_build, size_t i_load,
                              const char *const *files, const char *log, struct mr_err *err)
{
    const struct mr_size_space *space = play->space;
    const struct mr_size_build *build = &space->build[i_build];
    struct mr_buf text = {0};
    size_t n = 0;
    mr_free(play->argv);
    play->argv = mr_alloc(2 * build->n_set + n_argv_more, sizeof *play->argv);
    if (play->argv == NULL)
        return mr_err_nomem(err, (2 * build->n_set + n_argv_more) * sizeof *play->argv);
    mr_status st = mr_sweep_row_program(&text, err);
    if (st == MR_OK) {
        play->argv[n++] = keep(play, &text, err);
        play->argv[n++] = "run";
        play->argv[n++] = "-q";
        play->argv[n++] = "-f";
    }
    for (; st == MR_OK && *files != NULL; files++)
        play->argv[n++] = *files;
    for (size_t k = 0; k < build->n_set && st == MR_OK; k++) {
        play->argv[n++] = "--set";
        play->argv[n++] = build->set[k];
    }
    if (space->load.path != NULL && st == MR_OK) {
        mr_buf_printf(&text, "%s=%s", space->load.path, space->load.value[i_load]);
        play->argv[n++] = "--set";
        play->argv[n++] = keep(play, &text, err);
    }
    if (play->until_s > 0 && st == MR_OK) {
        char until[MR_UNIT_CAP];
        mr_unit_format(play->until_s, MR_Q_TIME, until);
        mr_buf_printf(&text, "scenario/until=%s", until);
        play->argv[n++] = "--set"; /* the last of several counts */
        play->argv[n++] = keep(play, &text, err);
    }
    if (st == MR_OK) {
        play->argv[n++] = "--";
        play->argv[n++] = space->path;
        play->argv[n] = NULL;
    }
    mr_buf_fini(&text);
    for (size_t k = 0; k < n && st == MR_OK; k++)
        if (play->argv[k] == NULL)
            st = MR_NOMEM;
    play->command = (struct mr_batch_command){play->argv, log};
    return st;
}

static mr_status on_start(void *context, size_t row, struct mr_batch_command *command,
                          struct mr_err *err)
{
    struct mr_size_play *play = context;
    const struct mr_search_trial *trial = &play->trial[row];
    const size_t i_run = play->first + row;
    mr_arena_reset(&play->texts);
    const char *json = file_of(play, i_run, ".json", err);
    const char *result = file_of(play, i_run, ".h5", err), *log = file_of(play, i_run, ".log", err);
    const char *calls = file_of(play, i_run, ".csv", err);
    if (json == NULL || result == NULL || log == NULL || calls == NULL)
        return MR_NOMEM;
    const char *const own = play->keeps_results ? "-o" : play->keeps_calls ? "--requests" : NULL;
    const char *const files[] = {"--json", json, own, play->keeps_results ? result : calls, NULL};
    MR_TRY(make_command(play, trial->item, trial->load, files, log, err));
    *command = play->command;
    return MR_OK;
}

static mr_status on_end(void *context, const struct mr_batch_end *end, struct mr_err *err)
{
    struct mr_size_play *play = context;
    struct mr_search_trial *trial = &play->trial[end->row];
    (void)err;
    trial->has_failed = end->state != MR_BATCH_DONE;
    if (!trial->has_failed)
        return MR_OK;
    const char *said = strstr(end->message, "error: ");
    snprintf(trial->why, sizeof trial->why, "%s%s",
             end->state == MR_BATCH_TIMEOUT ? "took too long; " : "",
             said != NULL ? said + strlen("error: ") : end->message);
    return MR_OK;
}

static void on_tell(void *context, const struct mr_batch_tell *tell)
{
    struct mr_size_play *play = context;
    struct mr_progress_state state = mr_progress_nothing();
    char what[64];
    snprintf(what, sizeof what, "%zu runs of %zu builds", play->first + tell->n_over,
             play->space->n_build);
    state.what = what;
    mr_progress_show(&play->progress, &state);
}

static mr_status run_batch(struct mr_size_play *play, size_t n, struct mr_err *err)
{
    const struct mr_batch_options options = {mr_batch_slots(play->space->opts->n_slot),
                                             play->space->opts->timeout_s, 5, 1};
    const struct mr_batch_hooks hooks = {play, on_start, on_end, on_tell};
    struct mr_batch_result result;
    size_t row[MR_SEARCH_ROUND];
    for (size_t i = 0; i < n; i++)
        row[i] = i;
    MR_TRY(mr_batch_run(row, n, &options, &hooks, &result, err));
    return result.n_left == 0 ? MR_OK
                              : mr_err_set(err, MR_STOPPED, MR_NOWHERE, "stopped by a signal");
}

/* ---- the judgment ---- */

/* Under a load that it holds. */
static bool is_short(const struct mr_size_play *play, const struct mr_figures *f, double tok_s,
                     char why[MR_SEARCH_WHY])
{
    if (!mr_sla_has_tokens(play->sla, f, why, MR_SEARCH_WHY))
        return true;
    if (tok_s < play->target_tok_s)
        snprintf(why, MR_SEARCH_WHY, "%.4g tok/s of %.4g tok/s", tok_s, play->target_tok_s);
    return tok_s < play->target_tok_s;
}

static bool judge(const struct mr_size_play *play, const struct mr_figures *f,
                  char why[MR_SEARCH_WHY])
{
    const double limit_mw = play->space->opts->limit_mw;
    const double peak_mw = mr_figures_value(f, "power.site_mw_peak");
    if (limit_mw > 0 && !(peak_mw <= limit_mw)) {
        snprintf(why, MR_SEARCH_WHY, "peak of %.4g MW taken by the site, %.4g MW may be", peak_mw,
                 limit_mw);
        return false;
    }
    return mr_sla_is_kept(play->sla, play->space->opts->met_frac, f, why, MR_SEARCH_WHY);
}

static mr_status look_at(struct mr_size_play *play, struct mr_search_trial *trial, size_t i_run,
                         struct mr_err *err)
{
    const double n = (double)NAN;
    struct mr_size_run run = {
        trial->item, trial->load, trial->has_failed, false, n, n, n, n, n, n, n, n};
    struct mr_figures f = {0};
    if (!trial->has_failed) {
        const char *json = file_of(play, i_run, ".json", err);
        const mr_status st = json != NULL ? mr_figures_load(json, &f, err) : MR_NOMEM;
        if (st != MR_OK) {
            mr_figures_fini(&f);
            return st;
        }
        run.tok_s = trial->tok_s = mr_sla_tok_s(&f, NULL);
        run.peak_mw = mr_figures_value(&f, "power.site_mw_peak");
        run.mean_mw = mr_figures_value(&f, "power.site_mw_mean");
        run.usd_mtok = mr_figures_value(&f, "economy.usd_per_mtok");
        run.user_tok_s = mr_figures_value(&f, "tok_s.output_per_user_p50");
        run.n_violation = mr_figures_value(&f, "violations");
        trial->holds = judge(play, &f, trial->why);
        trial->is_short = trial->holds && is_short(play, &f, run.tok_s, trial->why);
        run.holds = trial->holds && !trial->is_short;
        run.open_frac =
            mr_figures_value(&f, "requests.in_flight") / mr_figures_value(&f, "requests.arrived");
        mr_figures_fini(&f);
    }
    MR_TRY(mr_grow(&play->run, &play->cap_run, play->n_run + 1, sizeof *play->run, err));
    play->run[play->n_run++] = run;
    return MR_OK;
}

mr_status mr_size_play_round(void *context, struct mr_search_trial *trial, size_t n,
                             struct mr_err *err)
{
    struct mr_size_play *play = context;
    play->trial = trial;
    play->first = play->n_run;
    MR_TRY(run_batch(play, n, err));
    mr_arena_reset(&play->texts);
    for (size_t i = 0; i < n; i++)
        MR_TRY(look_at(play, &trial[i], play->first + i, err));
    return MR_OK;
}

const struct mr_size_run *mr_size_play_find(const struct mr_size_play *play, size_t build,
                                            long load)
{
    for (size_t i = play->n_run; i-- > 0;)
        if (play->run[i].build == build && (long)play->run[i].load == load)
            return &play->run[i];
    return NULL;
}

/* ---- longer runs ---- */

/* Calls after the warm-up say whether promises are kept; the meter and tokens are those of the
 * whole run. */
static mr_status judge_calls(struct mr_size_play *play, size_t i_run, const struct mr_figures *f,
                             struct mr_size_confirm *confirm, struct mr_err *err)
{
    const struct mr_size_space *space = play->space;
    const double limit_mw = space->opts->limit_mw;
    struct mr_search_trial *trial = &confirm->trial;
    struct mr_steady_verdict *v = &confirm->verdict;
    const char *calls = file_of(play, i_run, ".csv", err);
    if (calls == NULL)
        return MR_NOMEM;
    MR_TRY(mr_steady_judge(calls, space->until_s, space->goal, space->n_goal, play->sla,
                           space->opts->met_frac, v, err));
    trial->holds = false;
    trial->is_short = false;
    if (limit_mw > 0 && !(confirm->peak_mw <= limit_mw)) {
        snprintf(trial->why, MR_SEARCH_WHY, "peak of %.4g MW taken by the site, %.4g MW may be",
                 confirm->peak_mw, limit_mw);
    } else if (!v->is_kept) {
        snprintf(trial->why, MR_SEARCH_WHY, "%s: %.4g %% of %zu calls, %.4g %% wanted", v->what,
                 100 * v->share, v->n_call, 100 * v->wanted_frac);
    } else {
        trial->is_short = is_short(play, f, confirm->tok_s, trial->why);
        trial->holds = !trial->is_short;
    }
    return MR_OK;
}

static mr_status judge_longer(struct mr_size_play *play, size_t i_run,
                              struct mr_size_confirm *confirm, struct mr_err *err)
{
    static const char *const endings[] = {".json", ".csv"};
    const struct mr_size_run *run = &play->run[i_run];
    struct mr_figures f = {0};
    mr_status st = MR_OK;
    confirm->tok_s = run->tok_s;
    confirm->peak_mw = run->peak_mw;
    confirm->trial.holds = confirm->trial.holds && !confirm->trial.has_failed;
    if (!confirm->trial.has_failed) {
        const char *json = file_of(play, i_run, ".json", err);
        st = json != NULL ? mr_figures_load(json, &f, err) : MR_NOMEM;
        if (st == MR_OK)
            st = judge_calls(play, i_run, &f, confirm, err);
        mr_figures_fini(&f);
    }
    confirm->holds = st == MR_OK && confirm->trial.holds;
    for (size_t k = 0; k < 2; k++) {
        const char *path = st == MR_OK ? file_of(play, i_run, endings[k], err) : NULL;
        if (path != NULL)
            (void)unlink(path);
    }
    return st;
}

bool mr_size_play_can_confirm(const struct mr_size_play *play)
{
    return play->space->until_s > 0 && isfinite(play->space->until_s);
}

mr_status mr_size_play_confirm(struct mr_size_play *play, struct mr_size_confirm *confirm, size_t n,
                               struct mr_err *err)
{
    const bool keeps_results = play->keeps_results;
    struct mr_search_trial trial[MR_SIZE_CONFIRMED] = {0};
    for (size_t i = 0; i < n; i++)
        trial[i] =
            (struct mr_search_trial){.item = confirm[i].trial.item, .load = confirm[i].trial.load};
    play->until_s = MR_SIZE_LONGER * play->space->until_s;
    play->keeps_results = false;
    play->keeps_calls = true;
    mr_status st = mr_size_play_round(play, trial, n, err);
    play->keeps_calls = false;
    play->keeps_results = keeps_results;
    play->until_s = 0;
    MR_TRY(st);
    play->n_run -= n; /* no trials of the search */
    for (size_t i = 0; i < n && st == MR_OK; i++) {
        confirm[i].trial = trial[i];
        st = judge_longer(play, play->n_run + i, &confirm[i], err);
    }
    return st;
}

/* ---- the result ---- */

struct last {
    struct mr_size_play *play;
    size_t build, load;
    const char *path;
    struct mr_search_trial trial;
};

static mr_status on_last(void *context, size_t row, struct mr_batch_command *command,
                         struct mr_err *err)
{
    struct last *last = context;
    const char *const files[] = {"-o", last->path, NULL};
    (void)row;
    mr_arena_reset(&last->play->texts);
    const char *log = file_of(last->play, last->play->n_run, ".log", err);
    if (log == NULL)
        return MR_NOMEM;
    MR_TRY(make_command(last->play, last->build, last->load, files, log, err));
    *command = last->play->command;
    return MR_OK;
}

static mr_status on_last_end(void *context, const struct mr_batch_end *end, struct mr_err *err)
{
    struct last *last = context;
    if (end->state == MR_BATCH_DONE || end->will_retry)
        return MR_OK;
    return mr_err_set(err, MR_IO, (struct mr_place){last->path, 0, 0}, "not written: %s",
                      end->message);
}

mr_status mr_size_play_result(struct mr_size_play *play, size_t build, size_t load,
                              const char *path, struct mr_err *err)
{
    struct last last = {.play = play, .build = build, .load = load, .path = path};
    const struct mr_batch_options options = {1, 0, 5, 1};
    const struct mr_batch_hooks hooks = {&last, on_last, on_last_end, NULL};
    struct mr_batch_result result;
    const size_t row = 0;
    MR_TRY(mr_batch_run(&row, 1, &options, &hooks, &result, err));
    return result.n_left == 0 ? MR_OK
                              : mr_err_set(err, MR_STOPPED, MR_NOWHERE, "stopped by a signal");
}

/* ---- life ---- */

void mr_size_play_remove(const struct mr_size_play *play)
{
    static const char *const endings[] = {".json",      ".h5",  ".h5.part", ".log",
                                          ".json.part", ".csv", ".csv.part"};
    struct mr_buf path = {0};
    char id[MR_DESIGN_ID];
    for (size_t i = 0; i < play->n_run + MR_SEARCH_ROUND; i++)
        for (size_t k = 0; k < sizeof endings / sizeof *endings; k++) {
            mr_buf_clear(&path);
            mr_buf_printf(&path, "%s/run_%s%s", play->folder, mr_design_id(i, id), endings[k]);
            if (mr_buf_check(&path, NULL) == MR_OK)
                (void)unlink(path.text);
        }
    mr_buf_fini(&path);
    (void)rmdir(play->folder);
}

void mr_size_play_fini(struct mr_size_play *play)
{
    mr_free(play->run);
    mr_free(play->argv);
    mr_arena_fini(&play->texts);
}
