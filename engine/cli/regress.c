/* SPDX-License-Identifier: Apache-2.0 */
/* A table on standard output, one line per breach on standard error, exit 1 when there is any. */
#include "engine/cli/regress.h"

#include "engine/base/file.h"
#include "engine/base/mem.h"
#include "engine/cli/verbs.h"
#include "postprocess/regress.h"

#include <stdio.h>

// clang-format off
#define OPT struct mr_regress_opts_values
static const struct mr_opt rows[] = {
    {MR_PARAM_STR(OPT, baseline, "baseline", NULL, "The summary or result file to compare with"), 0, "BASE"},
    {MR_PARAM_STR(OPT, tolerance, "tolerance", NULL, "Limits, instead of the program's own where it names a figure"), 0, "FILE.xml"},
    {MR_PARAM_STR(OPT, junit, "junit", NULL, "Write the outcome as JUnit XML"), 0, "FILE"},
    {MR_PARAM_STR(OPT, github, "github-benchmark", NULL, "Write PREFIX-bigger.json and PREFIX-smaller.json for github-action-benchmark"), 0, "PREFIX"},
    {MR_PARAM_STR(OPT, bencher, "bencher", NULL, "Write Bencher Metric Format"), 0, "FILE"},
    {MR_PARAM_YES(OPT, is_strict, "strict", "no", "Compare nothing with a baseline of another scenario, configuration or seed"), 0, NULL},
    {MR_PARAM_YES(OPT, is_update, "update", "no", "Make the run's summary the baseline; compare nothing"), 0, NULL},
};
#undef OPT
// clang-format on

const struct mr_opt_table mr_regress_opts = {rows, sizeof rows / sizeof *rows};

static mr_status write_text(const struct mr_verb_call *call, const char *path,
                            const struct mr_buf *text, struct mr_err *err)
{
    MR_TRY(mr_buf_check(text, err));
    return mr_file_write(path, call->ui->may_overwrite, (struct mr_str){text->text, text->n}, err);
}

static mr_status write_github(const struct mr_verb_call *call, const struct mr_regress *regress,
                              const char *prefix, struct mr_err *err)
{
    static const struct {
        enum mr_kpi_better better;
        const char *ending;
    } files[] = {{MR_KPI_UP, "-bigger.json"}, {MR_KPI_DOWN, "-smaller.json"}};
    mr_status st = MR_OK;
    for (size_t i = 0; i < sizeof files / sizeof *files && st == MR_OK; i++) {
        struct mr_buf path = {0}, text = {0};
        mr_buf_printf(&path, "%s%s", prefix, files[i].ending);
        mr_regress_print_github(regress, files[i].better, &text);
        st = mr_buf_check(&path, err);
        if (st == MR_OK)
            st = write_text(call, path.text, &text, err);
        mr_buf_fini(&path);
        mr_buf_fini(&text);
    }
    return st;
}

static mr_status write_files(const struct mr_verb_call *call, const struct mr_regress *regress,
                             struct mr_err *err)
{
    const struct mr_regress_opts_values *o = call->opts;
    struct mr_buf text = {0};
    mr_status st = MR_OK;
    if (o->junit != NULL) {
        mr_regress_print_junit(regress, &text);
        st = write_text(call, o->junit, &text, err);
    }
    mr_buf_clear(&text);
    if (st == MR_OK && o->bencher != NULL) {
        mr_regress_print_bencher(regress, &text);
        st = write_text(call, o->bencher, &text, err);
    }
    mr_buf_fini(&text);
    return st == MR_OK && o->github != NULL ? write_github(call, regress, o->github, err) : st;
}

/* One line per breach, named by its run. */
static void tell_causes(const struct mr_verb_call *call, const struct mr_regress *regress)
{
    for (size_t i = 0; i < regress->n_row; i++) {
        const struct mr_regress_row *row = &regress->row[i];
        struct mr_buf cause = {0};
        struct mr_err err = {0};
        if (!mr_regress_is_failed(row))
            continue;
        mr_regress_print_cause(row, &cause);
        if (mr_buf_check(&cause, &err) == MR_OK)
            (void)mr_err_set(&err, MR_RANGE, (struct mr_place){regress->run[row->i_run].file, 0, 0},
                             "%s", cause.text);
        (void)mr_ui_error(call->ui, &err);
        mr_buf_fini(&cause);
    }
}

static int answer(const struct mr_verb_call *call, const struct mr_regress *regress)
{
    struct mr_buf table = {0};
    struct mr_err err = {0};
    if (write_files(call, regress, &err) != MR_OK)
        return mr_ui_error(call->ui, &err);
    mr_regress_print_table(regress, call->ui->verbosity > 0, &table);
    int code = mr_ui_out(call->ui, &table);
    mr_buf_fini(&table);
    tell_causes(call, regress);
    if (code == 0 && regress->n_failed > 0)
        code = 1;
    return code;
}

/* A renamed scenario is still the same one; another one is a mistake of whoever compares. So may
 * be the same name over other values, files or cards; hashes tell.
 * @return whether there was something to tell */
static bool tell_names(const struct mr_verb_call *call, const struct mr_figures *base,
                       const struct mr_figures *run)
{
    bool is_told = false;
    for (int i = 0; i < call->n_arg; i++) {
        const bool is_other = strcmp(run[i].name, base->name) != 0;
        if (is_other)
            mr_ui_say(call->ui, 0,
                      "%s: warning: this is scenario \"%s\", the baseline is of \"%s\"",
                      run[i].file, run[i].name, base->name);
        else if (run[i].asked != NULL && base->asked != NULL &&
                 strcmp(run[i].asked, base->asked) != 0)
            mr_ui_say(call->ui, 0,
                      "%s: warning: its configuration (scenario, defaults, files it reads, cards) "
                      "is not the baseline's: what differs may be meant",
                      run[i].file);
        else
            continue;
        is_told = true;
    }
    return is_told;
}

/* Runs of several seeds may be told together, if the baseline's is among them. */
static bool tell_seeds(const struct mr_verb_call *call, const struct mr_figures *base,
                       const struct mr_figures *run)
{
    for (int i = 0; i < call->n_arg; i++)
        if (!(run[i].seed < base->seed || run[i].seed > base->seed)) /* NaN: not told */
            return false;
    mr_ui_say(call->ui, 0,
              "%s: warning: seed %.17g, but %.17g of the baseline: what differs may be chance",
              run[0].file, run[0].seed, base->seed);
    return true;
}

static int compare(const struct mr_verb_call *call, const struct mr_figures *base,
                   const struct mr_figures *run)
{
    const struct mr_regress_opts_values *o = call->opts;
    struct mr_tolerance tolerance = {0};
    struct mr_regress regress = {0};
    struct mr_diags diags = {0};
    struct mr_err err = {0};
    mr_status st = MR_OK;
    int code;
    const bool is_other = tell_names(call, base, run), is_drawn = tell_seeds(call, base, run);
    if (o->is_strict && (is_other || is_drawn)) {
        (void)mr_err_set(&err, MR_REF, (struct mr_place){o->baseline, 0, 0},
                         "is no baseline of this run: see above (run it anew and --update, or "
                         "leave out --strict)");
        return mr_ui_error(call->ui, &err);
    }
    if (o->tolerance != NULL)
        st = mr_tolerance_load(o->tolerance, &tolerance, &diags);
    if (st == MR_OK)
        st = mr_tolerance_check(&tolerance, base, &run[0], &diags);
    if (st != MR_OK)
        code = mr_ui_diags(call->ui, &diags);
    else if (mr_regress_compare(base, run, (size_t)call->n_arg, &tolerance, &regress, &err) !=
             MR_OK)
        code = mr_ui_error(call->ui, &err);
    else if (!mr_regress_has_common(&regress)) {
        (void)mr_err_set(&err, MR_SCHEMA, (struct mr_place){o->baseline, 0, 0},
                         "has no figure in common with %s: nothing would be compared", run[0].file);
        code = mr_ui_error(call->ui, &err);
    } else {
        code = answer(call, &regress);
    }
    mr_regress_fini(&regress);
    mr_tolerance_fini(&tolerance);
    return code;
}

static int update(const struct mr_verb_call *call, const struct mr_figures *run)
{
    const struct mr_regress_opts_values *o = call->opts;
    struct mr_err err = {0};
    mr_status st;
    if (run->json == NULL)
        st = mr_err_set(&err, MR_REF, (struct mr_place){run->file, 0, 0},
                        "holds no summary that could become a baseline");
    else
        st = mr_file_write(o->baseline, call->ui->may_overwrite, mr_str_of(run->json), &err);
    return st == MR_OK ? 0 : mr_ui_error(call->ui, &err);
}

/* Figures of a part would be the measure of whole runs. */
static mr_status check_baseline(const struct mr_figures *base, struct mr_err *err)
{
    return !base->is_partial
               ? MR_OK
               : mr_err_set(err, MR_REF, (struct mr_place){base->file, 0, 0},
                            "cannot be a baseline: the run did not reach its end (partial); run it "
                            "anew, to its end, and --update");
}

int mr_regress_verb(const struct mr_verb_call *call)
{
    const struct mr_regress_opts_values *o = call->opts;
    const size_t n = (size_t)call->n_arg;
    struct mr_figures base = {0};
    struct mr_err err = {0};
    int code = 0;
    if (o->baseline == NULL)
        return mr_ui_usage(call->ui, "regress", "regress: --baseline BASE is missing");
    if (o->is_update && n > 1)
        return mr_ui_usage(call->ui, "regress", "regress: --update takes one run");
    struct mr_figures *run = mr_alloc_zero(n, sizeof *run);
    if (run == NULL) {
        (void)mr_err_nomem(&err, n * sizeof *run);
        return mr_ui_error(call->ui, &err);
    }
    mr_status st = MR_OK;
    for (size_t i = 0; i < n && st == MR_OK; i++)
        st = mr_figures_load(call->arg[i], &run[i], &err);
    if (st == MR_OK && !o->is_update)
        st = mr_figures_load(o->baseline, &base, &err);
    if (st == MR_OK)
        st = check_baseline(o->is_update ? &run[0] : &base, &err);
    if (st != MR_OK)
        code = mr_ui_error(call->ui, &err);
    else
        code = o->is_update ? update(call, &run[0]) : compare(call, &base, run);
    mr_figures_fini(&base);
    for (size_t i = 0; i < n; i++)
        mr_figures_fini(&run[i]);
    mr_free(run);
    return code;
}
