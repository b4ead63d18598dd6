/* SPDX-License-Identifier: Apache-2.0 */
/* Fit, score on the half that was held out and on the rest, compare with no fit at all, and write a
 * card whose comment says all of it. Folders are layer profiles: calibrate_profile.c. */
#include "engine/cli/calibrate.h"

#include "engine/base/file.h"
#include "engine/base/mem.h"
#include "engine/base/xmlw.h"
#include "engine/cli/calibrate_profile.h"
#include "engine/cli/calibrate_tell.h"
#include "engine/cli/verbs.h"

#include <stdio.h>

static const struct mr_opt rows[] = {
    {MR_PARAM_STR(struct mr_calibrate_opts_values, output, "output", NULL,
                  "Card to write, - is standard output; not given: only the errors"),
     'o', "FILE"},
    {MR_PARAM_STR(struct mr_calibrate_opts_values, backend, "backend", NULL,
                  "Rows of this serving engine; not given: all"),
     0, "NAME"},
    {MR_PARAM_STR(
         struct mr_calibrate_opts_values, id, "id", NULL,
         "Id of the card, not given: the output file's name without .xml, else the backend's"),
     0, "ID"},
    {MR_PARAM(struct mr_calibrate_opts_values, holdout_frac, "holdout", MR_Q_FRACTION, "0.5", 0,
              0.95, "Share of the configurations that the fit does not see"),
     0, "FRAC"},
    {MR_PARAM_YES(struct mr_calibrate_opts_values, uses_all, "all", "no",
                  "Fit held-out configurations too, once their error has been seen"),
     0, NULL},
    {MR_PARAM_YES(struct mr_calibrate_opts_values, is_quick, "quick", "no",
                  "Do not fit again without each model"),
     0, NULL},
    {MR_PARAM_N(struct mr_calibrate_opts_values, n_layer, "layers", "0", 0, 10000,
                "Layers of a profiled LLM, 0: those of the card that its notes name"),
     0, "N"},
    {MR_PARAM_YES(struct mr_calibrate_opts_values, as_json, "json", "no", "One JSON object"), 0,
     NULL},
};

const struct mr_opt_table mr_calibrate_opts = {rows, sizeof rows / sizeof *rows};

static const struct mr_software_card *same_card(void *context, const struct mr_measured_row *row)
{
    (void)row;
    return context;
}

/* Errors of a card on this backend's clean rows, both halves. */
static mr_status score(const struct mr_measured *set, const struct mr_software_card *card,
                       const char *backend, bool is_fitted, struct mr_calibrate_told *told)
{
    struct mr_fidelity_case *cases = mr_alloc_zero(set->n, sizeof *cases);
    double *scratch = mr_alloc_zero(set->n, sizeof *scratch);
    struct mr_software_card copy = *card;
    if (cases != NULL && scratch != NULL) {
        mr_fidelity_cases(set, same_card, &copy, cases);
        for (int held_out = 0; held_out < 2; held_out++)
            for (int s = 0; s < MR_FIDELITY_SCORES; s++) {
                const struct mr_fidelity_filter filter = {
                    .score = s, .only_held_out = held_out, .backend = backend};
                const struct mr_fidelity_stat stat =
                    mr_fidelity_stat_of(set, cases, &filter, scratch);
                if (stat.n > 0)
                    told->score[told->n_score++] =
                        (struct mr_calibrate_score){s, is_fitted, held_out, stat};
            }
    }
    const mr_status st = cases != NULL && scratch != NULL ? MR_OK : MR_NOMEM;
    mr_free(cases);
    mr_free(scratch);
    return st;
}

/* Median error of time per token on one model's rows. */
static mr_status median_of(const struct mr_measured *set, const struct mr_software_card *card,
                           const char *backend, const char *model, struct mr_fidelity_stat *stat)
{
    struct mr_fidelity_case *cases = mr_alloc_zero(set->n, sizeof *cases);
    double *scratch = mr_alloc_zero(set->n, sizeof *scratch);
    struct mr_software_card copy = *card;
    const bool has_all = cases != NULL && scratch != NULL;
    if (has_all) {
        mr_fidelity_cases(set, same_card, &copy, cases);
        *stat = mr_fidelity_stat_of(
            set, cases,
            &(struct mr_fidelity_filter){
                .score = MR_FIDELITY_SCORE_TPOT_MIXED, .backend = backend, .model = model},
            scratch);
    }
    mr_free(cases);
    mr_free(scratch);
    return has_all ? MR_OK : MR_NOMEM;
}

/* Few families of models cannot tell all figures apart: fit without each, and look at it. */
static mr_status leave_models_out(const struct mr_measured *set, const char *backend,
                                  const struct mr_software_card *plain,
                                  struct mr_calibrate_told *told)
{
    const char *seen[MR_CALIBRATE_MODELS];
    size_t n_seen = 0;
    for (size_t i = 0; i < set->n; i++) {
        const struct mr_measured_row *row = &set->row[i];
        struct mr_calibrate_result result;
        struct mr_fidelity_stat fitted, unfitted;
        size_t k = 0;
        if (row->fate != MR_MEASURED_FATE_GOOD || row->is_split ||
            (backend != NULL && strcmp(backend, row->backend) != 0))
            continue;
        while (k < n_seen && strcmp(seen[k], row->llm_id) != 0)
            k++;
        if (k < n_seen || n_seen == sizeof seen / sizeof *seen)
            continue;
        seen[n_seen++] = row->llm_id;
        const mr_status st =
            mr_calibrate_rows(set,
                              &(struct mr_calibrate_options){
                                  .backend = backend, .skip_model = row->llm_id, .uses_all = true},
                              &result, NULL);
        if (st == MR_NOMEM)
            return st;
        if (st != MR_OK)
            continue;
        MR_TRY(median_of(set, &result.card, backend, row->llm_id, &fitted));
        MR_TRY(median_of(set, plain, backend, row->llm_id, &unfitted));
        told->unseen[told->n_unseen++] =
            (struct mr_calibrate_unseen){row->llm_id, fitted.n, fitted.median, unfitted.median};
    }
    return MR_OK;
}

/* Ids of the models of a backend's good rows. */
static void model_ids(const struct mr_measured *set, const char *backend, struct mr_buf *out)
{
    for (size_t i = 0; i < set->n; i++) {
        const struct mr_measured_row *row = &set->row[i];
        if (row->fate != MR_MEASURED_FATE_GOOD ||
            (backend != NULL && strcmp(backend, row->backend) != 0))
            continue;
        const struct mr_software_card so_far = {.fitted_models = out->text};
        if (out->n > 0 && mr_software_knows(&so_far, row->llm_id))
            continue;
        if (out->n > 0)
            mr_buf_char(out, ' ');
        mr_buf_text(out, row->llm_id);
    }
}

static void write_card(const struct mr_software_card *card, const char *id, const char *errors,
                       const char *models, struct mr_buf *out)
{
    const struct mr_param_table *table = mr_software_kind.table;
    const size_t *fitted;
    const size_t n = mr_calibrate_figures(&fitted);
    mr_buf_printf(out,
                  "<?xml version=\"1.0\"?>\n<!-- SPDX-License-Identifier: Apache-2.0 -->\n"
                  "<!-- Fitted by millrace calibrate.\n%s-->\n<software id=\"%s\" name=\"%s\">\n",
                  errors, id, id);
    mr_buf_printf(out,
                  " <figure name=\"fitted.models\" value=\"%s\" confidence=\"estimated\" "
                  "source=\"fitted\"/>\n",
                  models);
    for (size_t i = 0; i < n; i++) {
        struct mr_buf value = {0};
        char text[MR_UNIT_CAP];
        const struct mr_param *row = &table->row[fitted[i]];
        const double x = *(const double *)(const void *)((const char *)card + row->offset);
        mr_unit_human(x, row->quantity, 4, text);
        mr_buf_printf(out,
                      " <figure name=\"%s\" value=\"%s\" confidence=\"estimated\" "
                      "source=\"fitted\"/>\n",
                      row->name, text);
        mr_buf_fini(&value);
    }
    for (size_t i = 0; i < table->n; i++) {
        struct mr_buf value = {0}, usual = {0};
        struct mr_software_card plain;
        size_t k = 0;
        while (k < n && fitted[k] != i)
            k++;
        if (table->row[i].kind == MR_PARAM_TEXT)
            continue;
        mr_software_defaults(&plain);
        mr_param_value(&table->row[i], card, &value);
        mr_param_value(&table->row[i], &plain, &usual);
        if (k == n && value.n > 0 && usual.n > 0 && strcmp(value.text, usual.text) != 0)
            mr_buf_printf(out, " <figure name=\"%s\" value=\"%s\" confidence=\"%s\"/>\n",
                          table->row[i].name, value.text,
                          mr_calibrate_chooses(&table->row[i]) ? "estimated\" source=\"fitted"
                                                               : "assumption\" source=\"unsourced");
        mr_buf_fini(&value);
        mr_buf_fini(&usual);
    }
    mr_buf_text(out, "</software>\n");
}

/* The card of that id as it is, for what is not fitted; NULL when there is none. */
static const struct mr_software_card *card_now(struct mr_shelf *shelf, const char *id)
{
    struct mr_diags ignored = {0};
    const struct mr_card *card = mr_shelf_card(shelf, &mr_software_kind, id, MR_NOWHERE, &ignored);
    return card != NULL ? mr_software_of(card) : NULL;
}

static bool is_id_char(char c, bool is_first)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (!is_first && (c == '.' || c == '_' || c == '-'));
}

mr_status mr_calibrate_id(const struct mr_calibrate_opts_values *opts, const char *otherwise,
                          struct mr_buf *id, struct mr_err *err)
{
    const char *name = opts->id != NULL ? opts->id : otherwise;
    size_t n = strlen(name);
    if (opts->id == NULL && opts->output != NULL && strcmp(opts->output, "-") != 0) {
        const char *slash = strrchr(opts->output, '/');
        name = slash != NULL ? slash + 1 : opts->output;
        n = strlen(name);
        if (n > 4 && strcmp(name + n - 4, ".xml") == 0)
            n -= 4;
    }
    for (size_t i = 0; i < n; i++)
        if (!is_id_char(name[i], i == 0))
            return mr_err_set(err, MR_RANGE, MR_NOWHERE,
                              "\"%.*s\" cannot be the id of a card: letters, digits, then also "
                              "\".\", \"_\", \"-\" (--id)",
                              (int)n, name);
    if (n == 0)
        return mr_err_set(err, MR_RANGE, MR_NOWHERE, "the id of a card cannot be empty (--id)");
    mr_buf_printf(id, "%.*s", (int)n, name);
    return mr_buf_check(id, err);
}

static mr_status fit(const struct mr_verb_call *call, struct mr_measured *set,
                     struct mr_shelf *shelf, const struct mr_buf *id, struct mr_calibrate_out *out,
                     struct mr_err *err)
{
    const struct mr_calibrate_opts_values *opts = call->opts;
    struct mr_calibrate_told told = {.id = id->text, .holdout_frac = opts->holdout_frac};
    struct mr_software_card plain;
    mr_software_defaults(&plain);
    MR_TRY(mr_calibrate_rows(set,
                             &(struct mr_calibrate_options){.backend = opts->backend,
                                                            .keep = card_now(shelf, id->text),
                                                            .uses_all = opts->uses_all},
                             &told.result, err));
    MR_TRY(score(set, &plain, opts->backend, false, &told));
    MR_TRY(score(set, &told.result.card, opts->backend, true, &told));
    if (!opts->is_quick)
        MR_TRY(leave_models_out(set, opts->backend, &plain, &told));
    mr_calibrate_tell_text(&told, &out->text);
    if (opts->as_json)
        mr_calibrate_tell_json(&told, &out->json);
    struct mr_buf models = {0};
    model_ids(set, opts->backend, &models);
    if (out->text.status == MR_OK)
        write_card(&told.result.card, id->text, out->text.text, models.n > 0 ? models.text : "",
                   &out->card);
    if (models.status != MR_OK)
        out->card.status = models.status;
    mr_buf_fini(&models);
    return mr_calibrate_out_check(out, err);
}

static mr_status fit_rows(const struct mr_verb_call *call, struct mr_shelf *shelf,
                          struct mr_calibrate_out *out, struct mr_err *err)
{
    const struct mr_calibrate_opts_values *opts = call->opts;
    struct mr_measured set = {.has_holdout = true, .holdout_frac = opts->holdout_frac};
    struct mr_buf id = {0};
    mr_status st = mr_calibrate_id(opts, opts->backend != NULL ? opts->backend : "mine", &id, err);
    for (int i = 0; i < call->n_arg && st == MR_OK; i++)
        st = mr_measured_read(call->arg[i], shelf, &set, err);
    if (st == MR_OK && set.strange != NULL)
        mr_ui_say(call->ui, 0, "warning: columns that mean nothing here: %s", set.strange);
    if (st == MR_OK)
        st = fit(call, &set, shelf, &id, out, err);
    mr_buf_fini(&id);
    mr_measured_fini(&set);
    return st;
}

int mr_calibrate_run(const struct mr_verb_call *call)
{
    const struct mr_calibrate_opts_values *opts = call->opts;
    struct mr_shelf *shelf = NULL;
    struct mr_err err = {0};
    struct mr_calibrate_out out = {0};
    const bool is_profile = mr_calibrate_profile_is(call->arg[0]);
    const bool is_to_stdout = opts->output != NULL && strcmp(opts->output, "-") == 0;
    if (is_profile && (call->n_arg > 1 || opts->backend != NULL))
        return mr_ui_usage(call->ui, "calibrate",
                           "calibrate: a folder is one layer profile: no other file, no --backend");
    if (!is_profile && opts->n_layer > 0)
        return mr_ui_usage(call->ui, "calibrate", "calibrate: --layers goes with a folder");
    if (is_to_stdout && opts->as_json)
        return mr_ui_usage(call->ui, "calibrate",
                           "calibrate: -o - and --json both write to standard output");
    mr_status st = mr_shelf_create(&shelf, &err);
    if (st == MR_OK)
        st = is_profile ? mr_calibrate_profile_fit(call, shelf, &out, &err)
                        : fit_rows(call, shelf, &out, &err);
    if (st == MR_OK && opts->output != NULL)
        st = mr_file_write(opts->output, call->ui->may_overwrite,
                           (struct mr_str){out.card.text, out.card.n}, &err);
    int code = 0;
    if (st != MR_OK)
        code = mr_ui_error(call->ui, &err);
    else if (!is_to_stdout)
        code = mr_ui_out(call->ui, opts->as_json ? &out.json : &out.text);
    mr_calibrate_out_fini(&out);
    mr_shelf_destroy(shelf);
    return code;
}
