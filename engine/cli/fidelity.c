/* SPDX-License-Identifier: Apache-2.0 */
/* Reads rows, predicts each with the software card of its backend, prints errors: the table of
 * scores first (clean rows, held-out half, raw), then groups. */
#include "engine/cli/fidelity.h"

#include "engine/base/csv.h"
#include "engine/base/file.h"
#include "engine/base/jsonw.h"
#include "engine/base/mem.h"
#include "engine/base/num.h"
#include "engine/cli/calibrate_profile.h"
#include "engine/cli/fidelity_power.h"
#include "engine/cli/fidelity_recorded.h"
#include "engine/cli/fidelity_targets.h"
#include "engine/cli/scatter.h"
#include "engine/cli/verbs.h"
#include "models/calibrate.h"

#include <math.h>
#include <stdio.h>

static const char *const leave_outs[] = {"none", "system", "model"};

enum {
    leave_none,
    leave_system,
    leave_model
};

static const struct mr_opt rows[] = {
    {MR_PARAM_STR(
         struct mr_fidelity_opts_values, software, "software", NULL,
         "Card for all rows, \"spec\" for no fit; not given: the card of each row's backend"),
     0, "ID"},
    {MR_PARAM_STR(struct mr_fidelity_opts_values, gpu, "gpu", NULL,
                  "Card that tables of operator power are held against; not given: b200_sxm"),
     0, "ID"},
    {MR_PARAM_ONE_OF(
         struct mr_fidelity_opts_values, leave_out, "leave-out", leave_outs, "none",
         "Predict each system or model by a fit without it, known or not: system, model, none"),
     0, "WHAT"},
    {MR_PARAM_YES(struct mr_fidelity_opts_values, with_targets, "targets", "no",
                  "Fit without each system, and with 8 rows of it, for the targets that ask so"),
     0, NULL},
    {MR_PARAM_STR(struct mr_fidelity_opts_values, csv, "csv", NULL, "Predictions of every row"), 0,
     "FILE"},
    {MR_PARAM_STR(struct mr_fidelity_opts_values, svg, "svg", NULL,
                  "Scatter plot, predicted over measured"),
     0, "FILE"},
    {MR_PARAM_YES(struct mr_fidelity_opts_values, as_json, "json", "no", "One JSON object"), 0,
     NULL},
};

const struct mr_opt_table mr_fidelity_opts = {rows, sizeof rows / sizeof *rows};

/* A card fitted without a group. */
struct fitted {
    const char *backend, *without; /* lent by the rows */
    bool is_there;                 /* else: too few rows were left */
    struct mr_software_card card;
};

/* Rows, cards and predictions of one call. */
struct bench {
    int leave_out;
    struct fitted *fitted;
    size_t n_fitted, cap_fitted;
    struct mr_measured set;
    struct mr_shelf *shelf;
    struct mr_fidelity_case *cases;
    double *scratch;
    const char *software; /* for all rows, or NULL */
    struct mr_fidelity_targets targets;
    struct mr_diags diags;
};

static const struct mr_software_card *fitted_for(const struct bench *b,
                                                 const struct mr_measured_row *row)
{
    const char *without = b->leave_out == leave_system ? row->system : row->llm_id;
    for (size_t i = 0; i < b->n_fitted; i++)
        if (strcmp(b->fitted[i].backend, row->backend) == 0 &&
            strcmp(b->fitted[i].without, without) == 0)
            return b->fitted[i].is_there ? &b->fitted[i].card : NULL;
    return NULL;
}

/* One fit per backend and group that has rows. */
static mr_status fit_all(struct bench *b, struct mr_err *err)
{
    for (size_t i = 0; i < b->set.n; i++) {
        const struct mr_measured_row *row = &b->set.row[i];
        const char *without = b->leave_out == leave_system ? row->system : row->llm_id;
        size_t k = 0;
        if (row->fate != MR_MEASURED_FATE_GOOD)
            continue;
        while (k < b->n_fitted && (strcmp(b->fitted[k].backend, row->backend) != 0 ||
                                   strcmp(b->fitted[k].without, without) != 0))
            k++;
        if (k < b->n_fitted)
            continue;
        struct mr_calibrate_result result;
        struct mr_err few = {0};
        const mr_status st =
            mr_calibrate_rows(&b->set,
                              &(struct mr_calibrate_options){
                                  .backend = row->backend,
                                  .skip_system = b->leave_out == leave_system ? without : NULL,
                                  .skip_model = b->leave_out == leave_model ? without : NULL,
                                  .uses_all = true},
                              &result, &few);
        if (st == MR_NOMEM) {
            *err = few;
            return st;
        }
        MR_TRY(mr_grow(&b->fitted, &b->cap_fitted, b->n_fitted + 1, sizeof *b->fitted, err));
        b->fitted[b->n_fitted++] = (struct fitted){row->backend, without, st == MR_OK, result.card};
    }
    return MR_OK;
}

static const struct mr_software_card *card_for(void *context, const struct mr_measured_row *row)
{
    struct bench *b = context;
    if (b->leave_out != leave_none)
        return fitted_for(b, row);
    const char *id = b->software != NULL       ? b->software
                     : row->backend[0] != '\0' ? row->backend
                                               : "spec";
    const struct mr_card *card =
        mr_shelf_card(b->shelf, &mr_software_kind, id, MR_NOWHERE, &b->diags);
    const bool is_strange = card == NULL || !mr_software_knows(mr_software_of(card), row->llm_id);
    if (is_strange && b->software == NULL)
        card = mr_shelf_card(b->shelf, &mr_software_kind, "spec", MR_NOWHERE, &b->diags);
    return card != NULL ? mr_software_of(card) : NULL;
}

static mr_status prepare(const struct mr_verb_call *call, struct bench *b, struct mr_err *err)
{
    const struct mr_fidelity_opts_values *opts = call->opts;
    MR_TRY(mr_shelf_create(&b->shelf, err));
    for (int i = 0; i < call->n_arg; i++)
        MR_TRY(mr_measured_read(call->arg[i], b->shelf, &b->set, err));
    if (b->set.strange != NULL)
        mr_ui_say(call->ui, 0, "warning: columns that mean nothing here: %s", b->set.strange);
    b->software = opts->software;
    b->leave_out = opts->leave_out;
    if (b->leave_out != leave_none)
        MR_TRY(fit_all(b, err));
    b->cases = mr_alloc_zero(b->set.n, sizeof *b->cases);
    b->scratch = mr_alloc_zero(b->set.n, sizeof *b->scratch);
    if (b->cases == NULL || b->scratch == NULL)
        return mr_err_nomem(err, b->set.n * sizeof *b->cases);
    mr_fidelity_cases(&b->set, card_for, b, b->cases);
    const struct mr_card *spec =
        mr_shelf_card(b->shelf, &mr_software_kind, "spec", MR_NOWHERE, &b->diags);
    if (spec == NULL)
        return MR_OK; /* the shelf has said why */
    return mr_fidelity_targets_of(&b->set, b->cases, mr_software_of(spec), opts->with_targets,
                                  &b->targets, err);
}

static void finish(struct bench *b)
{
    mr_free(b->fitted);
    mr_free(b->scratch);
    mr_free(b->cases);
    mr_measured_fini(&b->set);
    mr_shelf_destroy(b->shelf);
}

/* ---- tables ---- */

static void put_stat(struct mr_buf *out, const char *name, const struct mr_fidelity_stat *s)
{
    if (s->n == 0)
        return;
    mr_buf_printf(out, "%-44s %5zu %7.1f %7.1f %7.1f %+7.1f %6.0f %%\n", name, s->n,
                  100 * s->median, 100 * s->mean, 100 * s->p90, 100 * s->bias, 100 * s->near_frac);
}

static void put_score(struct bench *b, struct mr_buf *out, const char *suffix,
                      struct mr_fidelity_filter filter)
{
    for (int score = 0; score < MR_FIDELITY_SCORES; score++) {
        char name[96];
        filter.score = score;
        const struct mr_fidelity_stat stat =
            mr_fidelity_stat_of(&b->set, b->cases, &filter, b->scratch);
        snprintf(name, sizeof name, "%s%s", mr_fidelity_score_name(score), suffix);
        put_stat(out, name, &stat);
    }
}

/* Distinct values of a text of the rows, in order of first sight. */
static size_t distinct(const struct bench *b, size_t offset, const char *found[64])
{
    size_t n = 0;
    for (size_t i = 0; i < b->set.n; i++) {
        const char *text;
        memcpy(&text, (const char *)&b->set.row[i] + offset, sizeof text);
        size_t k = 0;
        while (k < n && (text == NULL || strcmp(found[k], text) != 0))
            k++;
        if (k == n && n < 64 && text != NULL)
            found[n++] = text;
    }
    return n;
}

static void put_groups(struct bench *b, struct mr_buf *out, int score)
{
    static const struct {
        const char *name;
        size_t row_offset, filter_offset;
    } groups[] = {
        {"system", offsetof(struct mr_measured_row, system),
         offsetof(struct mr_fidelity_filter, system)},
        {"model", offsetof(struct mr_measured_row, llm_id),
         offsetof(struct mr_fidelity_filter, model)},
        {"backend", offsetof(struct mr_measured_row, backend),
         offsetof(struct mr_fidelity_filter, backend)},
    };
    for (size_t g = 0; g < sizeof groups / sizeof *groups; g++) {
        const char *found[64];
        const size_t n = distinct(b, groups[g].row_offset, found);
        for (size_t i = 0; i < n; i++) {
            struct mr_fidelity_filter filter = {.score = score};
            char name[96];
            memcpy((char *)&filter + groups[g].filter_offset, &found[i], sizeof found[i]);
            const struct mr_fidelity_stat stat =
                mr_fidelity_stat_of(&b->set, b->cases, &filter, b->scratch);
            snprintf(name, sizeof name, "  %s %s", groups[g].name, found[i]);
            put_stat(out, name, &stat);
        }
    }
}

static void print_tables(struct bench *b, struct mr_buf *out)
{
    const char *comma = ": ";
    mr_buf_printf(out, "%zu rows", b->set.n);
    for (int f = 0; f < MR_MEASURED_FATES; f++)
        if (b->set.n_fate[f] > 0) {
            mr_buf_printf(out, "%s%zu %s", comma, b->set.n_fate[f], mr_measured_fate_name(f));
            comma = ", ";
        }
    mr_buf_text(out, "\nnear: TPOT within 20 %, TTFT within a factor of 2\n");
    mr_buf_printf(out, "\n%-44s %5s %7s %7s %7s %7s %8s\n", "absolute error [%]", "rows", "median",
                  "mean", "p90", "bias", "near");
    put_score(b, out, "", (struct mr_fidelity_filter){0});
    mr_buf_text(out, "\nheld-out configurations\n");
    put_score(b, out, "", (struct mr_fidelity_filter){.only_held_out = true});
    mr_buf_char(out, '\n');
    mr_fidelity_targets_print(&b->targets, out);
    mr_buf_text(out, "\nwithout networks that may have used unrecorded drafts\n");
    put_score(b, out, "", (struct mr_fidelity_filter){.without_drafts = true});
    put_score(b, out, ", held out",
              (struct mr_fidelity_filter){.without_drafts = true, .only_held_out = true});
    mr_buf_text(out, "\nthe same rows as the first table, read as if two drafts were used\n");
    put_score(b, out, "", (struct mr_fidelity_filter){.as_drafted = true});
    mr_buf_text(out, "\nraw: rows dominated by queues, too\n");
    put_score(b, out, "", (struct mr_fidelity_filter){.is_raw = true});
    for (int score = 0; score < MR_FIDELITY_SCORES; score++) {
        const struct mr_fidelity_filter all = {.score = score};
        if (mr_fidelity_stat_of(&b->set, b->cases, &all, b->scratch).n == 0)
            continue;
        mr_buf_printf(out, "\n%s\n", mr_fidelity_score_name(score));
        put_groups(b, out, score);
    }
}

/* ---- files ---- */

static mr_status write_csv(const struct bench *b, const char *path, bool may_overwrite,
                           struct mr_err *err)
{
    struct mr_buf out = {0};
    struct mr_csv_writer w = {.buf = &out};
    static const char *const header[] = {
        "id",       "system",   "model",       "backend",     "mode",
        "fate",     "held_out", "concurrency", "isl",         "osl",
        "ttft_s",   "tpot_s",   "ttft_pred_s", "tpot_pred_s", "tpot_drafted_s",
        "n_decode", "decode_s", "prefill_s"};
    for (size_t i = 0; i < sizeof header / sizeof *header; i++)
        mr_csv_put_text(&w, header[i]);
    mr_csv_put_end(&w);
    for (size_t i = 0; i < b->set.n; i++) {
        const struct mr_measured_row *row = &b->set.row[i];
        const struct mr_fidelity_case *it = &b->cases[i];
        mr_csv_put_text(&w, row->id);
        mr_csv_put_text(&w, row->system);
        mr_csv_put_text(&w, row->llm_id != NULL ? row->llm_id : row->model);
        mr_csv_put_text(&w, row->backend);
        mr_csv_put_text(&w, row->is_split ? "disagg" : "agg");
        mr_csv_put_text(&w, mr_measured_fate_name(row->fate));
        mr_csv_put_u64(&w, it->is_held_out);
        mr_csv_put_f64(&w, row->concurrency);
        mr_csv_put_f64(&w, row->input);
        mr_csv_put_f64(&w, row->output);
        mr_csv_put_f64(&w, row->ttft_s);
        mr_csv_put_f64(&w, row->tpot_s);
        const double nan = (double)NAN;
        mr_csv_put_f64(&w, it->is_scored ? it->plain.ttft_s : nan);
        mr_csv_put_f64(&w, it->is_scored ? it->plain.tpot_s : nan);
        mr_csv_put_f64(&w, it->is_scored && it->may_draft ? it->drafted.tpot_s : nan);
        mr_csv_put_f64(&w, it->is_scored ? it->plain.n_decode : nan);
        mr_csv_put_f64(&w, it->is_scored ? it->plain.decode_s : nan);
        mr_csv_put_f64(&w, it->is_scored ? it->plain.prefill_s : nan);
        mr_csv_put_end(&w);
    }
    mr_status st = mr_buf_check(&out, err);
    if (st == MR_OK)
        st = mr_file_write(path, may_overwrite, (struct mr_str){out.text, out.n}, err);
    mr_buf_fini(&out);
    return st;
}

/* Time per token and first tokens of all clean rows, colored by system. */
static mr_status write_svg(const struct bench *b, const char *path, bool may_overwrite,
                           struct mr_err *err)
{
    static const int scores[][2] = {{MR_FIDELITY_SCORE_TPOT_MIXED, MR_FIDELITY_SCORE_TPOT_SPLIT},
                                    {MR_FIDELITY_SCORE_TTFT_MIXED, MR_FIDELITY_SCORE_TTFT_SPLIT}};
    const char *systems[64];
    const size_t n_system = distinct(b, offsetof(struct mr_measured_row, system), systems);
    struct mr_scatter_point *point = mr_alloc(2 * b->set.n, sizeof *point);
    struct mr_scatter_panel panel[2] = {{"time per output token", 1.2, point, 0},
                                        {"time to first token", 2, NULL, 0}};
    struct mr_buf out = {0};
    if (point == NULL)
        return mr_err_nomem(err, 2 * b->set.n * sizeof *point);
    panel[1].point = point + b->set.n;
    for (int k = 0; k < 2; k++)
        for (size_t i = 0; i < b->set.n; i++)
            for (int s = 0; s < 2; s++) {
                const struct mr_measured_row *row = &b->set.row[i];
                const struct mr_fidelity_filter filter = {.score = scores[k][s]};
                const double ratio = mr_fidelity_ratio(row, &b->cases[i], &filter);
                const double measured_s = k == 0 ? row->tpot_s : row->ttft_s;
                int group = 0;
                while (group < (int)n_system && strcmp(systems[group], row->system) != 0)
                    group++;
                if (!isnan(ratio))
                    point[(size_t)k * b->set.n + panel[k].n++] =
                        (struct mr_scatter_point){measured_s, ratio * measured_s, group};
            }
    mr_scatter_svg(panel, 2, systems, n_system, &out);
    mr_status st = mr_buf_check(&out, err);
    if (st == MR_OK)
        st = mr_file_write(path, may_overwrite, (struct mr_str){out.text, out.n}, err);
    mr_buf_fini(&out);
    mr_free(point);
    return st;
}

/* ---- JSON ---- */

static void json_scores(struct bench *b, const char *key, struct mr_fidelity_filter filter,
                        struct mr_jsonw *w)
{
    mr_jsonw_key(w, key);
    mr_jsonw_array(w);
    for (int score = 0; score < MR_FIDELITY_SCORES; score++) {
        filter.score = score;
        const struct mr_fidelity_stat s =
            mr_fidelity_stat_of(&b->set, b->cases, &filter, b->scratch);
        mr_jsonw_object(w);
        mr_jsonw_key_text(w, "score", mr_fidelity_score_name(score));
        mr_jsonw_key_u64(w, "rows", s.n);
        mr_jsonw_key_f64(w, "median", s.median);
        mr_jsonw_key_f64(w, "mean", s.mean);
        mr_jsonw_key_f64(w, "p90", s.p90);
        mr_jsonw_key_f64(w, "bias", s.bias);
        mr_jsonw_key_f64(w, "near", s.near_frac);
        mr_jsonw_end(w);
    }
    mr_jsonw_end(w);
}

static void print_json(struct bench *b, struct mr_buf *out)
{
    struct mr_jsonw w;
    mr_jsonw_init(&w, out, 2);
    mr_jsonw_object(&w);
    mr_jsonw_key_u64(&w, "schema", 1);
    mr_jsonw_key_u64(&w, "rows", b->set.n);
    for (int f = 0; f < MR_MEASURED_FATES; f++)
        mr_jsonw_key_u64(&w, mr_measured_fate_name(f), b->set.n_fate[f]);
    json_scores(b, "clean", (struct mr_fidelity_filter){0}, &w);
    json_scores(b, "held_out", (struct mr_fidelity_filter){.only_held_out = true}, &w);
    json_scores(b, "without_drafts", (struct mr_fidelity_filter){.without_drafts = true}, &w);
    json_scores(b, "as_drafted", (struct mr_fidelity_filter){.as_drafted = true}, &w);
    json_scores(b, "raw", (struct mr_fidelity_filter){.is_raw = true}, &w);
    mr_fidelity_targets_json(&b->targets, &w);
    mr_jsonw_end(&w);
    mr_buf_char(out, '\n');
}

static int run_times(const struct mr_verb_call *call)
{
    const struct mr_fidelity_opts_values *opts = call->opts;
    struct bench b = {0};
    struct mr_err err = {0};
    struct mr_buf out = {0};
    mr_status st = prepare(call, &b, &err);
    if (st == MR_OK && opts->as_json)
        print_json(&b, &out);
    else if (st == MR_OK)
        print_tables(&b, &out);
    if (st == MR_OK && opts->csv != NULL)
        st = write_csv(&b, opts->csv, call->ui->may_overwrite, &err);
    if (st == MR_OK && opts->svg != NULL)
        st = write_svg(&b, opts->svg, call->ui->may_overwrite, &err);
    int code = mr_ui_diags(call->ui, &b.diags);
    if (st != MR_OK)
        code = mr_ui_error(call->ui, &err);
    else if (code == 0)
        code = mr_ui_out(call->ui, &out);
    mr_buf_fini(&out);
    finish(&b);
    return code;
}

/* Files that measure watts have tables of their own. All files of a call are of one kind. */
static mr_status print_power(const struct mr_verb_call *call, int kind, struct mr_buf *out,
                             struct mr_err *err)
{
    const struct mr_fidelity_opts_values *opts = call->opts;
    for (int i = 1; i < call->n_arg; i++) {
        int other;
        MR_TRY(mr_fidelity_power_kind(call->arg[i], &other, err));
        if (other != kind)
            return mr_err_set(err, MR_SCHEMA, (struct mr_place){call->arg[i], 1, 1},
                              "measures something else than the first file");
    }
    return mr_fidelity_power_print(kind, call->arg, call->n_arg,
                                   opts->gpu != NULL ? opts->gpu : "b200_sxm", out, err);
}

/* The first option given that means nothing but for measured rows of times; NULL: none. */
static const char *of_times_only(const struct mr_fidelity_opts_values *opts, bool as_json)
{
    const struct {
        bool is_given;
        const char *name;
    } options[] = {
        {opts->software != NULL, "--software"}, {opts->leave_out != leave_none, "--leave-out"},
        {opts->with_targets, "--targets"},      {opts->csv != NULL, "--csv"},
        {opts->svg != NULL, "--svg"},           {opts->as_json && !as_json, "--json"}};
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        if (options[i].is_given)
            return options[i].name;
    return NULL;
}

/* Folders: recorded runs. */
static int run_recorded(const struct mr_verb_call *call)
{
    const struct mr_fidelity_opts_values *opts = call->opts;
    const char *strange = opts->gpu != NULL ? "--gpu" : of_times_only(opts, true);
    struct mr_err err = {0};
    struct mr_buf out = {0};
    if (strange != NULL)
        return mr_ui_usage(call->ui, "fidelity",
                           "fidelity: %s goes with measured rows, %s is a recorded run", strange,
                           call->arg[0]);
    const mr_status st =
        mr_fidelity_recorded_print(call->arg, call->n_arg, opts->as_json, &out, &err);
    if (st == MR_OK && opts->as_json)
        mr_buf_char(&out, '\n');
    const int code = st == MR_OK ? mr_ui_out(call->ui, &out) : mr_ui_error(call->ui, &err);
    mr_buf_fini(&out);
    return code;
}

int mr_fidelity_run(const struct mr_verb_call *call)
{
    struct mr_err wrong = {0};
    int kind;
    if (mr_calibrate_profile_is(call->arg[0]))
        return run_recorded(call);
    if (mr_fidelity_power_kind(call->arg[0], &kind, &wrong) != MR_OK)
        return mr_ui_error(call->ui, &wrong);
    const struct mr_fidelity_opts_values *opts = call->opts;
    if (opts->gpu != NULL && kind != MR_FIDELITY_FILE_OPERATORS)
        return mr_ui_usage(call->ui, "fidelity",
                           "fidelity: --gpu goes with tables of operator power, the rows of %s "
                           "name their packages themselves",
                           call->arg[0]);
    if (kind != MR_FIDELITY_FILE_TIMES) {
        struct mr_buf text = {0};
        const char *strange = of_times_only(call->opts, false);
        if (strange != NULL)
            return mr_ui_usage(call->ui, "fidelity",
                               "fidelity: %s goes with measured times, %s measures watts", strange,
                               call->arg[0]);
        const mr_status printed = print_power(call, kind, &text, &wrong);
        const int done =
            printed == MR_OK ? mr_ui_out(call->ui, &text) : mr_ui_error(call->ui, &wrong);
        mr_buf_fini(&text);
        return done;
    }
    return run_times(call);
}
