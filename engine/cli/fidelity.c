/* SPDX-License-Identifier: Apache-2.0 */
/* Reads rows, predicts each with the software card of its backend, prints errors: the table of
 * scores first (clean rows, held-out half, raw), then groups. */
#include "engine/cli/fidelity.h"

#include "engine/base/csv.h"
#include "engine/base/file.h"
#include "engine/base/jsonw.h"
#include "engine/base/mem.h"
#include "engine/base/num.h"
#include "engine/cli/verbs.h"
#include "models/fidelity.h"

#include <math.h>
#include <stdio.h>

static const struct mr_opt rows[] = {
    {MR_PARAM_STR(
         struct mr_fidelity_opts_values, software, "software", NULL,
         "Card for all rows, \"spec\" for no fit; not given: the card of each row's backend"),
     0, "ID"},
    {MR_PARAM_STR(struct mr_fidelity_opts_values, csv, "csv", NULL, "Predictions of every row"), 0,
     "FILE"},
    {MR_PARAM_STR(struct mr_fidelity_opts_values, svg, "svg", NULL,
                  "Scatter plot, predicted over measured"),
     0, "FILE"},
    {MR_PARAM_YES(struct mr_fidelity_opts_values, as_json, "json", "no", "One JSON object"), 0,
     NULL},
};

const struct mr_opt_table mr_fidelity_opts = {rows, sizeof rows / sizeof *rows};

/* Rows, cards and predictions of one call. */
struct bench {
    struct mr_measured set;
    struct mr_shelf *shelf;
    struct mr_fidelity_case *cases;
    double *scratch;
    const char *software; /* for all rows, or NULL */
    struct mr_diags diags;
};

static const struct mr_software_card *card_for(void *context, const struct mr_measured_row *row)
{
    struct bench *b = context;
    const char *id = b->software != NULL       ? b->software
                     : row->backend[0] != '\0' ? row->backend
                                               : "spec";
    const struct mr_card *card =
        mr_shelf_card(b->shelf, &mr_software_kind, id, MR_NOWHERE, &b->diags);
    if (card == NULL && b->software == NULL)
        card = mr_shelf_card(b->shelf, &mr_software_kind, "spec", MR_NOWHERE, &b->diags);
    return card != NULL ? mr_software_of(card) : NULL;
}

static mr_status prepare(const struct mr_verb_call *call, struct bench *b, struct mr_err *err)
{
    const struct mr_fidelity_opts_values *opts = call->opts;
    MR_TRY(mr_shelf_create(&b->shelf, err));
    for (int i = 0; i < call->n_arg; i++)
        MR_TRY(mr_measured_read(call->arg[i], b->shelf, &b->set, err));
    b->software = opts->software;
    b->cases = mr_alloc_zero(b->set.n, sizeof *b->cases);
    b->scratch = mr_alloc_zero(b->set.n, sizeof *b->scratch);
    if (b->cases == NULL || b->scratch == NULL)
        return mr_err_nomem(err, b->set.n * sizeof *b->cases);
    mr_fidelity_cases(&b->set, card_for, b, b->cases);
    return MR_OK;
}

static void finish(struct bench *b)
{
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
    mr_buf_printf(out, "%zu rows:", b->set.n);
    for (int f = 0; f < MR_MEASURED_FATES; f++)
        if (b->set.n_fate[f] > 0)
            mr_buf_printf(out, " %zu %s,", b->set.n_fate[f], mr_measured_fate_name(f));
    mr_buf_printf(out, "\n\n%-44s %5s %7s %7s %7s %7s %8s\n", "absolute error [%]", "rows",
                  "median", "mean", "p90", "bias", "near");
    put_score(b, out, "", (struct mr_fidelity_filter){0});
    mr_buf_text(out, "\nheld-out configurations\n");
    put_score(b, out, "", (struct mr_fidelity_filter){.only_held_out = true});
    mr_buf_text(out, "\nwithout networks that may have used unrecorded drafts\n");
    put_score(b, out, "", (struct mr_fidelity_filter){.without_drafts = true});
    put_score(b, out, ", held out",
              (struct mr_fidelity_filter){.without_drafts = true, .only_held_out = true});
    mr_buf_text(out, "\nthe same rows as the first table, read as if two drafts were used\n");
    put_score(b, out, "", (struct mr_fidelity_filter){.as_drafted = true});
    mr_buf_text(out, "\nraw: rows dominated by queues, too\n");
    put_score(b, out, "", (struct mr_fidelity_filter){.is_raw = true});
    for (int score = 0; score < MR_FIDELITY_SCORES; score++) {
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

int mr_fidelity_run(const struct mr_verb_call *call)
{
    const struct mr_fidelity_opts_values *opts = call->opts;
    struct bench b = {0};
    struct mr_err err = {0};
    struct mr_buf out = {0};
    mr_status st = prepare(call, &b, &err);
    if (st == MR_OK)
        print_tables(&b, &out);
    if (st == MR_OK && opts->csv != NULL)
        st = write_csv(&b, opts->csv, call->ui->may_overwrite, &err);
    int code = mr_ui_diags(call->ui, &b.diags);
    if (st != MR_OK)
        code = mr_ui_error(call->ui, &err);
    else if (code == 0)
        code = mr_ui_out(call->ui, &out);
    mr_buf_fini(&out);
    finish(&b);
    return code;
}
