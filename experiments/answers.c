/* SPDX-License-Identifier: Apache-2.0 */
/* A formula may use figures of the run and derived ones above it. A figure that is not there is an
 * empty field, and fails its constraint. */
#include "experiments/answers.h"

#include "engine/base/csv.h"
#include "engine/base/file.h"
#include "engine/base/mem.h"
#include "experiments/formula.h"
#include "postprocess/figures.h"

#include <unistd.h>

struct row {
    const struct mr_experiment *experiment;
    const struct mr_figures *figures;
    double *derived; /* of the first n_derived kpi elements */
    size_t n_derived;
};

bool mr_answers_are_asked(const struct mr_experiment *experiment)
{
    return experiment->n_kpi + experiment->n_constraint + experiment->n_output > 0;
}

static double value_of(const void *context, struct mr_str path)
{
    const struct row *row = context;
    for (size_t i = 0; i < row->n_derived; i++)
        if (mr_str_is(path, row->experiment->kpi[i].name))
            return row->derived[i];
    for (size_t i = 0; i < row->figures->n_item; i++)
        if (mr_str_is(path, row->figures->item[i].path))
            return row->figures->item[i].value;
    return (double)NAN;
}

static bool is_met(const struct mr_experiment_constraint *c, double value)
{
    return value >= c->min && value <= c->max; /* NaN is neither */
}

static mr_status put_row(struct row *row, struct mr_csv_writer *w, bool *meets, struct mr_err *err)
{
    const struct mr_experiment *e = row->experiment;
    const char *broken = NULL;
    row->n_derived = 0;
    for (size_t i = 0; i < e->n_output; i++)
        mr_csv_put_f64(w, value_of(row, mr_str_of(e->output[i].path)));
    for (size_t i = 0; i < e->n_kpi; i++) {
        MR_TRY(mr_formula_value(e->kpi[i].formula, value_of, row, &row->derived[i], err));
        mr_csv_put_f64(w, row->derived[i]);
        row->n_derived = i + 1;
    }
    for (size_t i = 0; i < e->n_constraint && broken == NULL; i++)
        if (!is_met(&e->constraint[i], value_of(row, mr_str_of(e->constraint[i].path))))
            broken = e->constraint[i].path;
    *meets = broken == NULL;
    if (e->n_constraint > 0) {
        mr_csv_put_text(w, *meets ? "yes" : "no");
        mr_csv_put_text(w, broken != NULL ? broken : "");
    }
    mr_csv_put_end(w);
    return MR_OK;
}

static void put_header(const struct mr_experiment *e, struct mr_csv_writer *w)
{
    mr_csv_put_text(w, "run_id");
    for (size_t i = 0; i < e->n_output; i++)
        mr_csv_put_text(w, e->output[i].path);
    for (size_t i = 0; i < e->n_kpi; i++)
        mr_csv_put_text(w, e->kpi[i].name);
    if (e->n_constraint > 0) {
        mr_csv_put_text(w, "constraints_met");
        mr_csv_put_text(w, "first_broken");
    }
    mr_csv_put_end(w);
}

static mr_status put_rows(struct row *row, const struct mr_design *design,
                          const struct mr_ledger *ledger, struct mr_csv_writer *w,
                          struct mr_answers_count *count, struct mr_err *err)
{
    struct mr_buf path = {0};
    mr_status st = MR_OK;
    for (size_t i = 0; i < design->n_row && st == MR_OK; i++) {
        struct mr_figures figures = {0};
        char id[MR_DESIGN_ID];
        bool meets = false;
        mr_buf_clear(&path);
        mr_ledger_path(ledger, i, ".h5", &path);
        st = mr_buf_check(&path, err);
        if (st != MR_OK || access(path.text, F_OK) != 0)
            continue;
        st = mr_figures_load(path.text, &figures, err);
        row->figures = &figures;
        if (st == MR_OK) {
            mr_csv_put_text(w, mr_design_id(i, id));
            st = put_row(row, w, &meets, err);
        }
        mr_figures_fini(&figures);
        row->figures = NULL;
        count->n_row++;
        count->n_met += meets;
    }
    mr_buf_fini(&path);
    return st;
}

static mr_status write_file(const struct mr_ledger *ledger, struct mr_buf *text, struct mr_err *err)
{
    struct mr_buf path = {0};
    mr_buf_printf(&path, "%s/kpi.csv", ledger->folder);
    mr_status st = mr_buf_check(&path, err);
    if (st == MR_OK)
        st = mr_buf_check(text, err);
    if (st == MR_OK)
        st = mr_file_write(path.text, true, (struct mr_str){text->text, text->n}, err);
    mr_buf_fini(&path);
    return st;
}

mr_status mr_answers_write(const struct mr_experiment *experiment, const struct mr_design *design,
                           struct mr_ledger *ledger, struct mr_answers_count *count,
                           struct mr_err *err)
{
    struct row row = {.experiment = experiment};
    struct mr_buf text = {0};
    struct mr_csv_writer w = {.buf = &text};
    *count = (struct mr_answers_count){0};
    row.derived = mr_alloc(experiment->n_kpi, sizeof *row.derived);
    if (row.derived == NULL)
        return mr_err_nomem(err, experiment->n_kpi * sizeof *row.derived);
    mr_status st = mr_ledger_hold(ledger, err);
    if (st == MR_OK) {
        put_header(experiment, &w);
        st = put_rows(&row, design, ledger, &w, count, err);
        if (st == MR_OK)
            st = write_file(ledger, &text, err);
        mr_ledger_let(ledger);
    }
    mr_buf_fini(&text);
    mr_free(row.derived);
    return st;
}
