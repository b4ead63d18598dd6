/* SPDX-License-Identifier: Apache-2.0 */
/* Fit, score on the half that was held out and on the rest, compare with no fit at all, and write a
 * card whose comment says all of it. */
#include "engine/cli/calibrate.h"

#include "engine/base/file.h"
#include "engine/base/mem.h"
#include "engine/base/xmlw.h"
#include "engine/cli/verbs.h"
#include "models/calibrate.h"

#include <stdio.h>

static const struct mr_opt rows[] = {
    {MR_PARAM_STR(struct mr_calibrate_opts_values, output, "output", NULL,
                  "Card to write, - is standard output; not given: only the errors"),
     'o', "FILE"},
    {MR_PARAM_STR(struct mr_calibrate_opts_values, backend, "backend", NULL,
                  "Rows of this serving engine; not given: all"),
     0, "NAME"},
    {MR_PARAM_STR(struct mr_calibrate_opts_values, id, "id", NULL,
                  "Id of the card, not given: the backend, else \"mine\""),
     0, "ID"},
    {MR_PARAM_YES(struct mr_calibrate_opts_values, uses_all, "all", "no",
                  "Fit held-out configurations too, once their error has been seen"),
     0, NULL},
};

const struct mr_opt_table mr_calibrate_opts = {rows, sizeof rows / sizeof *rows};

static const struct mr_software_card *same_card(void *context, const struct mr_measured_row *row)
{
    (void)row;
    return context;
}

static void put(struct mr_buf *out, const char *name, const struct mr_fidelity_stat *s)
{
    if (s->n > 0)
        mr_buf_printf(out, "%-52s %5zu rows, median %.1f %%, mean %.1f %%, p90 %.1f %%\n", name,
                      s->n, 100 * s->median, 100 * s->mean, 100 * s->p90);
}

/* Errors of a card on this backend's clean rows, both halves. */
static mr_status score(const struct mr_measured *set, const struct mr_software_card *card,
                       const char *backend, const char *what, struct mr_buf *out)
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
                char name[128];
                snprintf(name, sizeof name, "%s, %s, %s", mr_fidelity_score_name(s), what,
                         held_out ? "held out" : "all");
                put(out, name, &stat);
            }
    }
    const mr_status st = cases != NULL && scratch != NULL ? MR_OK : MR_NOMEM;
    mr_free(cases);
    mr_free(scratch);
    return st;
}

static void write_card(const struct mr_software_card *card, const char *id, const char *errors,
                       struct mr_buf *out)
{
    const struct mr_param_table *table = mr_software_kind.table;
    const size_t *fitted;
    const size_t n = mr_calibrate_figures(&fitted);
    mr_buf_printf(out,
                  "<?xml version=\"1.0\"?>\n<!-- SPDX-License-Identifier: Apache-2.0 -->\n"
                  "<!-- Fitted by millrace calibrate.\n%s-->\n<software id=\"%s\" name=\"%s\">\n",
                  errors, id, id);
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
        mr_software_defaults(&plain);
        mr_param_value(&table->row[i], card, &value);
        mr_param_value(&table->row[i], &plain, &usual);
        if (k == n && value.n > 0 && usual.n > 0 && strcmp(value.text, usual.text) != 0)
            mr_buf_printf(out,
                          " <figure name=\"%s\" value=\"%s\" confidence=\"assumption\" "
                          "source=\"unsourced\"/>\n",
                          table->row[i].name, value.text);
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

static mr_status fit(const struct mr_verb_call *call, struct mr_measured *set,
                     struct mr_shelf *shelf, struct mr_buf *text, struct mr_buf *card,
                     struct mr_err *err)
{
    const struct mr_calibrate_opts_values *opts = call->opts;
    struct mr_calibrate_result result;
    struct mr_software_card plain;
    mr_software_defaults(&plain);
    const char *id = opts->id != NULL ? opts->id : opts->backend != NULL ? opts->backend : "mine";
    MR_TRY(mr_calibrate_rows(set,
                             &(struct mr_calibrate_options){.backend = opts->backend,
                                                            .keep = card_now(shelf, id),
                                                            .uses_all = opts->uses_all},
                             &result, err));
    mr_buf_printf(text, "%zu rows fitted, %zu held out; cost %.4g, before %.4g\n", result.n_row,
                  result.n_held_out, result.cost_after, result.cost_before);
    MR_TRY(score(set, &plain, opts->backend, "no fit", text));
    MR_TRY(score(set, &result.card, opts->backend, "fitted", text));
    write_card(&result.card, id, text->text, card);
    MR_TRY(mr_buf_check(text, err));
    return mr_buf_check(card, err);
}

int mr_calibrate_run(const struct mr_verb_call *call)
{
    const struct mr_calibrate_opts_values *opts = call->opts;
    struct mr_measured set = {0};
    struct mr_shelf *shelf = NULL;
    struct mr_err err = {0};
    struct mr_buf text = {0}, card = {0};
    mr_status st = mr_shelf_create(&shelf, &err);
    for (int i = 0; i < call->n_arg && st == MR_OK; i++)
        st = mr_measured_read(call->arg[i], shelf, &set, &err);
    if (st == MR_OK)
        st = fit(call, &set, shelf, &text, &card, &err);
    if (st == MR_OK && opts->output != NULL)
        st = mr_file_write(opts->output, call->ui->may_overwrite,
                           (struct mr_str){card.text, card.n}, &err);
    int code = 0;
    if (st != MR_OK)
        code = mr_ui_error(call->ui, &err);
    else if (opts->output == NULL || strcmp(opts->output, "-") != 0)
        code = mr_ui_out(call->ui, &text);
    mr_buf_fini(&text);
    mr_buf_fini(&card);
    mr_measured_fini(&set);
    mr_shelf_destroy(shelf);
    return code;
}
