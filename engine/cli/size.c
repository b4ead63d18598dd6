/* SPDX-License-Identifier: Apache-2.0 */
/* Builds, promises, search, answer. */
#define _XOPEN_SOURCE 700 /* mkdtemp */
#include "engine/cli/size.h"

#include "engine/base/file.h"
#include "engine/base/wall.h"
#include "engine/cli/size_tell.h"
#include "engine/cli/verbs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

// clang-format off
#define OPT struct mr_size_opts_values
static const struct mr_opt rows[] = {
    {MR_PARAM_MANY(OPT, target, "target-tok-s", "Find the smallest build that makes so many, or TIER=X of a tier; may be repeated"), 0, "X"},
    {MR_PARAM(OPT, limit_mw, "limit-mw", MR_Q_COUNT, "0", 0, 1e6, "Megawatts of the connection, which no build may pass; 0: the layout's"), 0, "Y"},
    {MR_PARAM(OPT, budget_usd, "budget", MR_Q_MONEY, "0 USD", 0, 1e15, "Capital of racks and site that no build may cost; 0: any"), 0, "MONEY"},
    {MR_PARAM_STR(OPT, sla, "sla", NULL, "What tiers are promised (millrace schema sla)"), 0, "FILE"},
    {MR_PARAM(OPT, met_frac, "met", MR_Q_FRACTION, "95 %", 0, 1, "Calls of a tier within objectives, where no promise says more"), 0, "SHARE"},
    {MR_PARAM_MANY(OPT, over, "over", "What may vary, FROM:TO:STEP or A,B,C; may be repeated. Without: rows or racks, and grants"), 0, "PATH=VALUES"},
    {MR_PARAM_STR(OPT, load, "load", NULL, "Rising loads: a build is worth the heaviest it holds. Without: 1/8 to 16 times workload/rate"), 0, "PATH=VALUES"},
    {MR_PARAM_MANY(OPT, set, "set", "Set ELEMENT/ATTRIBUTE=VALUE of all; may be repeated"), 0, "PATH=VALUE"},
    {MR_PARAM_STR(OPT, until, "until", NULL, "End of each run, instead of the scenario's"), 0, "TIME"},
    {MR_PARAM_N(OPT, n_refine, "refine", "4", 0, 10000, "Builds next to the answer whose heaviest load is found out, too, not only that it is less"), 0, "N"},
    {MR_PARAM_N(OPT, n_slot, "jobs", "0", 0, 4096, "Runs at a time; 0: as many as there are cores. The answer is the same"), 'j', "N"},
    {MR_PARAM(OPT, timeout_s, "timeout", MR_Q_TIME, "0 s", 0, 1e9, "Longest wall time of a run; 0: any"), 0, "TIME"},
    {MR_PARAM_STR(OPT, output, "output", NULL, "Result file of the best build, as run writes it"), 'o', "FILE.h5"},
    {MR_PARAM_STR(OPT, folder, "dir", NULL, "Keep all runs in this folder, for merge"), 'd', "DIR"},
    {MR_PARAM_STR(OPT, csv, "csv", NULL, "Write a line per build; - is standard output"), 0, "FILE"},
    {MR_PARAM_STR(OPT, json, "json", NULL, "Write builds and runs as JSON; - is standard output"), 0, "FILE"},
};
#undef OPT
// clang-format on

const struct mr_opt_table mr_size_opts = {rows, sizeof rows / sizeof *rows};

struct sizing {
    const struct mr_verb_call *call;
    const struct mr_size_opts_values *opts;
    struct mr_size_space space;
    struct mr_sla sla;
    struct mr_size_play play;
    struct mr_buf folder;
    double target_tok_s; /* of all tiers */
};

/* ---- what is asked for ---- */

static mr_status read_target(struct sizing *s, const char *text, struct mr_err *err)
{
    const char *equals = strrchr(text, '=');
    struct mr_buf number = {0};
    double tok_s = 0;
    /* a plain number is one of tokens per second */
    const char *from = equals != NULL ? equals + 1 : text;
    mr_buf_printf(&number, "%s%s", from, strstr(from, "tok") != NULL ? "" : " tok/s");
    mr_status st = mr_buf_check(&number, err);
    if (st == MR_OK)
        st = mr_unit_parse((struct mr_str){number.text, number.n}, MR_Q_TOKEN_RATE,
                           "--target-tok-s", MR_NOWHERE, &tok_s, err);
    mr_buf_fini(&number);
    MR_TRY(st);
    if (!(tok_s > 0))
        return mr_err_set(err, MR_RANGE, MR_NOWHERE, "--target-tok-s \"%s\": not above 0", text);
    if (equals == NULL) {
        s->target_tok_s = tok_s;
        return MR_OK;
    }
    struct mr_sla_tier *tier;
    MR_TRY(mr_sla_of(&s->sla, (struct mr_str){text, (size_t)(equals - text)}, s->opts->met_frac,
                     &tier, err));
    tier->tok_s = tok_s;
    return MR_OK;
}

static mr_status read_goal(struct sizing *s, struct mr_diags *diags)
{
    struct mr_err err = {0};
    if (s->opts->sla != NULL)
        MR_TRY(mr_sla_load(s->opts->sla, &s->sla, diags));
    for (size_t i = 0; i < s->opts->target.n; i++)
        if (read_target(s, s->opts->target.item[i], &err) != MR_OK)
            return mr_diags_add_err(diags, MR_SEVERITY_ERROR, &err);
    return MR_OK;
}

/* ---- where runs go ---- */

static mr_status make_folder(struct sizing *s, struct mr_err *err)
{
    if (s->opts->folder != NULL) {
        mr_buf_text(&s->folder, s->opts->folder);
        MR_TRY(mr_buf_check(&s->folder, err));
        if (mkdir(s->folder.text, 0777) != 0 && !(errno == EEXIST && s->call->ui->may_overwrite))
            return mr_err_set(err, MR_IO, (struct mr_place){s->folder.text, 0, 0}, "%s%s",
                              strerror(errno), errno == EEXIST ? " (-f writes into it)" : "");
        return MR_OK;
    }
    mr_buf_text(&s->folder, "size_XXXXXX");
    MR_TRY(mr_buf_check(&s->folder, err));
    if (mkdtemp(s->folder.text) == NULL)
        return mr_err_set(err, MR_IO, MR_NOWHERE, "no folder can be made here: %s",
                          strerror(errno));
    return MR_OK;
}

static mr_status check_output(const struct sizing *s, struct mr_err *err)
{
    const char *path = s->opts->output;
    if (path != NULL && !s->call->ui->may_overwrite && access(path, F_OK) == 0)
        return mr_err_set(err, MR_IO, (struct mr_place){path, 0, 0},
                          "exists already (-f overwrites it)");
    return MR_OK;
}

/* ---- answers ---- */

static mr_status write_text(const struct sizing *s, const char *path,
                            void (*tell)(const struct mr_size_told *, struct mr_buf *),
                            const struct mr_size_told *told, struct mr_err *err)
{
    struct mr_buf text = {0};
    if (path == NULL)
        return MR_OK;
    tell(told, &text);
    mr_status st = mr_buf_check(&text, err);
    if (st == MR_OK)
        st = mr_file_write(path, s->call->ui->may_overwrite, (struct mr_str){text.text, text.n},
                           err);
    mr_buf_fini(&text);
    return st;
}

static mr_status write_manifest(const struct sizing *s, const struct mr_size_told *told,
                                struct mr_err *err)
{
    struct mr_buf path = {0};
    if (s->opts->folder == NULL)
        return MR_OK;
    mr_buf_printf(&path, "%s/manifest.csv", s->opts->folder);
    mr_status st = mr_buf_check(&path, err);
    if (st == MR_OK)
        st = write_text(s, path.text, mr_size_tell_manifest, told, err);
    mr_buf_fini(&path);
    return st;
}

static bool is_stdout(const char *path)
{
    return path != NULL && strcmp(path, "-") == 0;
}

static mr_status answer(struct sizing *s, size_t best, struct mr_err *err)
{
    const struct mr_size_told told = {&s->space, &s->play, best, s->opts->target.n > 0};
    struct mr_buf out = {0};
    MR_TRY(write_manifest(s, &told, err));
    if (s->opts->output != NULL && best < s->space.n_build)
        MR_TRY(mr_size_play_result(&s->play, best, (size_t)s->space.item[best].lo, s->opts->output,
                                   err));
    MR_TRY(write_text(s, s->opts->csv, mr_size_tell_csv, &told, err));
    MR_TRY(write_text(s, s->opts->json, mr_size_tell_json, &told, err));
    if (is_stdout(s->opts->csv) || is_stdout(s->opts->json))
        return MR_OK;
    mr_size_tell_text(&told, &out);
    mr_status st = mr_buf_check(&out, err);
    if (st == MR_OK)
        st = mr_file_write("-", true, (struct mr_str){out.text, out.n}, err);
    mr_buf_fini(&out);
    return st;
}

/* ---- the verb ---- */

/* Could a build be the answer if the one before it is not? */
static bool is_candidate(const struct sizing *s, size_t i)
{
    const struct mr_search_item *item = &s->space.item[i];
    return item->lo >= 0 && item->fate != MR_SEARCH_FAILED && !item->is_short;
}

/* The answer, then those that come next to it. @return how many */
static size_t next_to(const struct sizing *s, size_t best, size_t out[MR_SIZE_CONFIRMED])
{
    const struct mr_size_told told = {&s->space, &s->play, best, s->opts->target.n > 0};
    size_t n = 0;
    out[n++] = best;
    while (n < MR_SIZE_CONFIRMED) {
        size_t next = s->space.n_build;
        for (size_t i = 0; i < s->space.n_build; i++) {
            bool is_in = false;
            for (size_t k = 0; k < n; k++)
                is_in = is_in || out[k] == i;
            if (!is_in && is_candidate(s, i) &&
                (next == s->space.n_build || mr_size_tell_is_before(&told, i, next)))
                next = i;
        }
        if (next == s->space.n_build)
            break;
        out[n++] = next;
    }
    return n;
}

/* Each under the heaviest load that it held, then under lighter ones, until it holds one, makes too
 * few tokens under it, or has failed so many times. */
static mr_status play_longer(struct sizing *s, struct mr_err *err)
{
    enum {
        n_step_max = 8
    };
    struct mr_size_play *play = &s->play;
    bool is_over[MR_SIZE_CONFIRMED] = {false};
    for (int step = 0; step < n_step_max; step++) {
        struct mr_size_confirm round[MR_SIZE_CONFIRMED] = {0};
        size_t of[MR_SIZE_CONFIRMED], n = 0;
        for (size_t i = 0; i < play->n_confirm; i++)
            if (!is_over[i]) {
                of[n] = i;
                round[n++] = play->confirm[i];
            }
        if (n == 0)
            return MR_OK;
        MR_TRY(mr_size_play_confirm(play, round, n, err));
        for (size_t k = 0; k < n; k++) {
            struct mr_size_confirm *c = &play->confirm[of[k]];
            const bool is_last = step + 1 == n_step_max || round[k].trial.load == 0;
            *c = round[k];
            is_over[of[k]] = c->holds || c->trial.is_short || c->trial.has_failed || is_last;
            if (!is_over[of[k]])
                c->trial.load--;
        }
    }
    return MR_OK;
}

/* The load of a build is the one that it held in the longer run. */
static void take_confirmed(struct sizing *s, const struct mr_size_confirm *c)
{
    struct mr_search_item *item = &s->space.item[c->trial.item];
    if (item->lo == (long)c->trial.load)
        return;
    item->lo = (long)c->trial.load;
    item->hi = item->lo + 1;
    item->tok_s = c->tok_s;
}

/* Short runs propose, longer ones decide: with a target the first that reaches it in one is the
 * answer, without one that which holds the heaviest load. */
static mr_status confirm(struct sizing *s, size_t *best, struct mr_err *err)
{
    const bool has_target = s->opts->target.n > 0;
    size_t build[MR_SIZE_CONFIRMED];
    const struct mr_size_confirm *first = NULL;
    if (*best == s->space.n_build || !mr_size_play_can_confirm(&s->play))
        return MR_OK;
    s->play.n_confirm = next_to(s, *best, build);
    for (size_t i = 0; i < s->play.n_confirm; i++)
        s->play.confirm[i].trial =
            (struct mr_search_trial){.item = build[i], .load = (size_t)s->space.item[build[i]].lo};
    MR_TRY(play_longer(s, err));
    for (size_t i = 0; i < s->play.n_confirm; i++) {
        const struct mr_size_confirm *c = &s->play.confirm[i];
        if (!c->holds)
            continue;
        take_confirmed(s, c);
        if (first == NULL || (!has_target && c->trial.load > first->trial.load))
            first = c;
    }
    if (first == NULL || first->trial.item == *best)
        return MR_OK;
    struct mr_search_item *old = &s->space.item[*best];
    old->fate = MR_SEARCH_UNCONFIRMED;
    snprintf(old->why, sizeof old->why, "less in a longer run: %.150s",
             s->play.confirm[0].holds ? "it holds a lighter load alone"
                                      : s->play.confirm[0].trial.why);
    s->space.item[first->trial.item].fate = MR_SEARCH_BEST;
    *best = first->trial.item;
    return MR_OK;
}

static mr_status search(struct sizing *s, size_t *best, struct mr_err *err)
{
    const struct mr_search_plan plan = {.n_item = s->space.n_build,
                                        .n_load =
                                            s->space.load.n_value > 0 ? s->space.load.n_value : 1,
                                        .has_target = s->opts->target.n > 0,
                                        .target_tok_s = s->target_tok_s,
                                        .first_load = s->space.first_load,
                                        .n_refine = (size_t)s->opts->n_refine,
                                        .context = &s->play,
                                        .play = mr_size_play_round};
    MR_TRY(check_output(s, err));
    MR_TRY(make_folder(s, err));
    s->play = (struct mr_size_play){.space = &s->space,
                                    .sla = &s->sla,
                                    .target_tok_s = s->target_tok_s,
                                    .folder = s->folder.text,
                                    .keeps_results = s->opts->folder != NULL};
    mr_progress_init(&s->play.progress, s->call->ui->with_progress, s->call->ui->is_err_tty,
                     mr_wall_ns());
    mr_status st = mr_search_run(&plan, s->space.item, best, err);
    if (st == MR_OK)
        st = confirm(s, best, err);
    mr_progress_clear(&s->play.progress);
    return st;
}

/* Exit code 1: there is no such build. */
static int find(struct sizing *s)
{
    struct mr_err err = {0};
    size_t best = s->space.n_build;
    mr_status st = search(s, &best, &err);
    if (st == MR_OK)
        st = answer(s, best, &err);
    if (s->opts->folder == NULL && s->play.folder != NULL)
        mr_size_play_remove(&s->play);
    if (st != MR_OK)
        return mr_ui_error(s->call->ui, &err);
    return best < s->space.n_build ? 0 : 1;
}

int mr_size_verb(const struct mr_verb_call *call)
{
    struct sizing s = {.call = call, .opts = call->opts};
    struct mr_diags diags = {0};
    s.space.path = call->arg[0];
    s.space.opts = s.opts;
    s.space.sla = &s.sla;
    mr_status st = read_goal(&s, &diags);
    if (st == MR_OK)
        st = mr_size_space_make(&s.space, s.target_tok_s, &diags);
    int code = mr_ui_diags(call->ui, &diags);
    if (st == MR_OK)
        code = find(&s);
    else if (code == 0)
        code = mr_status_exit_code(st);
    mr_size_play_fini(&s.play);
    mr_size_space_fini(&s.space);
    mr_sla_fini(&s.sla);
    mr_buf_fini(&s.folder);
    return code;
}
