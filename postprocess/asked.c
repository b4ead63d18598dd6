/* SPDX-License-Identifier: Apache-2.0 */
/* asked.csv has a line per question:
 *   what,name,formula,unit,better,min,max
 * with what = output, kpi, constraint, rank or against; fields that a question has no use for are
 * empty. A figure that is not there makes NaN, which keeps no constraint. */
#include "postprocess/asked.h"

#include "engine/base/csv.h"
#include "engine/base/mem.h"
#include "engine/base/num.h"
#include "postprocess/formula.h"

#include <math.h>
#include <unistd.h>

static const char *const columns[] = {"what", "name", "formula", "unit", "better", "min", "max"};
enum {
    at_what,
    at_name,
    at_formula,
    at_unit,
    at_better,
    at_min,
    at_max,
    n_column
};

static const char *const betters[] = {
    [MR_KPI_NEITHER] = "", [MR_KPI_UP] = "up", [MR_KPI_DOWN] = "down"};

bool mr_asked_is_any(const struct mr_asked *asked)
{
    return asked->n_kpi + asked->n_constraint + asked->n_output > 0;
}

void mr_asked_fini(struct mr_asked *asked)
{
    mr_free(asked->output);
    mr_free(asked->kpi);
    mr_free(asked->constraint);
    mr_arena_fini(&asked->texts);
    *asked = (struct mr_asked){0};
}

/* ---- writing ---- */

static void put_line(struct mr_csv_writer *w, const char *what, const char *name,
                     const struct mr_asked_kpi *kpi, int better)
{
    mr_csv_put_text(w, what);
    mr_csv_put_text(w, name);
    mr_csv_put_text(w, kpi != NULL ? kpi->formula : "");
    mr_csv_put_text(w, kpi != NULL ? kpi->unit : "");
    mr_csv_put_text(w, betters[better]);
}

/* Bounds that are none stay empty. */
static void put_bounds(struct mr_csv_writer *w, double min, double max)
{
    mr_csv_put_f64(w, min > -MR_ASKED_FAR ? min : (double)NAN);
    mr_csv_put_f64(w, max < MR_ASKED_FAR ? max : (double)NAN);
    mr_csv_put_end(w);
}

void mr_asked_print(const struct mr_asked *asked, struct mr_buf *out)
{
    struct mr_csv_writer w = {.buf = out};
    for (size_t i = 0; i < n_column; i++)
        mr_csv_put_text(&w, columns[i]);
    mr_csv_put_end(&w);
    for (size_t i = 0; i < asked->n_output; i++) {
        put_line(&w, "output", asked->output[i].path, NULL, MR_KPI_NEITHER);
        put_bounds(&w, -MR_ASKED_FAR, MR_ASKED_FAR);
    }
    for (size_t i = 0; i < asked->n_kpi; i++) {
        put_line(&w, "kpi", asked->kpi[i].name, &asked->kpi[i], asked->kpi[i].better);
        put_bounds(&w, -MR_ASKED_FAR, MR_ASKED_FAR);
    }
    for (size_t i = 0; i < asked->n_constraint; i++) {
        const struct mr_asked_constraint *c = &asked->constraint[i];
        put_line(&w, "constraint", c->path, NULL, MR_KPI_NEITHER);
        put_bounds(&w, c->min, c->max);
    }
    if (asked->rank.path != NULL) {
        put_line(&w, "rank", asked->rank.path, NULL, asked->rank.better);
        put_bounds(&w, -MR_ASKED_FAR, MR_ASKED_FAR);
    }
    if (asked->rank.against != NULL) {
        put_line(&w, "against", asked->rank.against, NULL, asked->rank.against_better);
        put_bounds(&w, -MR_ASKED_FAR, MR_ASKED_FAR);
    }
}

void mr_asked_print_constraint(const struct mr_asked_constraint *constraint, struct mr_buf *out)
{
    char number[MR_NUM_CAP];
    if (constraint->min > -MR_ASKED_FAR) {
        (void)mr_num_format_human(constraint->min, 6, number);
        mr_buf_printf(out, "%s <= ", number);
    }
    mr_buf_text(out, constraint->path);
    if (constraint->max < MR_ASKED_FAR) {
        (void)mr_num_format_human(constraint->max, 6, number);
        mr_buf_printf(out, " <= %s", number);
    }
}

/* ---- reading ---- */

static mr_status read_bound(const struct mr_csv *csv, size_t column, double none, double *value,
                            struct mr_err *err)
{
    *value = none;
    return mr_csv_field(csv, column).n > 0 ? mr_csv_f64(csv, column, value, err) : MR_OK;
}

static mr_status read_better(const struct mr_csv *csv, size_t column, int *better,
                             struct mr_err *err)
{
    const struct mr_str text = mr_csv_field(csv, column);
    for (*better = MR_KPI_NEITHER; *better <= MR_KPI_DOWN; ++*better)
        if (mr_str_is(text, betters[*better]))
            return MR_OK;
    *better = MR_KPI_NEITHER;
    return mr_csv_error(csv, column, err, MR_SCHEMA, "is neither up nor down");
}

static mr_status read_row(const struct mr_csv *csv, const size_t *column, struct mr_asked *out,
                          struct mr_err *err)
{
    const struct mr_str what = mr_csv_field(csv, column[at_what]);
    const char *text[n_column] = {NULL};
    struct mr_asked_constraint c = {0};
    int better;
    for (size_t i = at_name; i <= at_unit; i++) {
        text[i] = mr_arena_text(&out->texts, mr_csv_field(csv, column[i]), err);
        if (text[i] == NULL)
            return MR_NOMEM;
    }
    MR_TRY(read_better(csv, column[at_better], &better, err));
    MR_TRY(read_bound(csv, column[at_min], -MR_ASKED_FAR, &c.min, err));
    MR_TRY(read_bound(csv, column[at_max], MR_ASKED_FAR, &c.max, err));
    if (mr_str_is(what, "output")) {
        MR_TRY(
            mr_grow(&out->output, &out->cap_output, out->n_output + 1, sizeof *out->output, err));
        out->output[out->n_output++] = (struct mr_asked_output){text[at_name], MR_NOWHERE};
    } else if (mr_str_is(what, "kpi")) {
        MR_TRY(mr_grow(&out->kpi, &out->cap_kpi, out->n_kpi + 1, sizeof *out->kpi, err));
        out->kpi[out->n_kpi++] = (struct mr_asked_kpi){text[at_name], text[at_formula],
                                                       text[at_unit], better, MR_NOWHERE};
    } else if (mr_str_is(what, "constraint")) {
        MR_TRY(
            mr_grow(&out->constraint, &out->cap_constraint, out->n_constraint + 1, sizeof c, err));
        c.path = text[at_name];
        out->constraint[out->n_constraint++] = c;
    } else if (mr_str_is(what, "rank")) {
        out->rank.path = text[at_name];
        out->rank.better = better;
    } else if (mr_str_is(what, "against")) {
        out->rank.against = text[at_name];
        out->rank.against_better = better;
    } else {
        return mr_csv_error(csv, column[at_what], err, MR_SCHEMA, "is no kind of question");
    }
    return MR_OK;
}

mr_status mr_asked_load(const char *folder, struct mr_asked *out, struct mr_err *err)
{
    struct mr_buf path = {0};
    struct mr_csv *csv = NULL;
    size_t column[n_column];
    bool has_row = true;
    *out = (struct mr_asked){0};
    mr_buf_printf(&path, "%s/asked.csv", folder);
    mr_status st = mr_buf_check(&path, err);
    const bool is_there = st == MR_OK && access(path.text, F_OK) == 0;
    if (is_there)
        st = mr_csv_open(path.text, NULL, &csv, err);
    for (size_t i = 0; i < n_column && st == MR_OK && is_there; i++)
        st = mr_csv_column(csv, columns[i], &column[i], err);
    while (st == MR_OK && is_there && has_row) {
        st = mr_csv_next(csv, &has_row, err);
        if (st == MR_OK && has_row)
            st = read_row(csv, column, out, err);
    }
    mr_csv_close(csv);
    mr_buf_fini(&path);
    return st;
}

/* ---- answers ---- */

struct looking {
    const struct mr_asked *asked;
    const struct mr_figures *figures;
    struct mr_asked_answer *answer;
    const char *of; /* the figure that is made */
};

double mr_asked_value(const struct mr_asked *asked, const struct mr_figures *figures,
                      const struct mr_asked_answer *answer, struct mr_str path)
{
    for (size_t i = 0; i < answer->n_derived; i++)
        if (mr_str_is(path, asked->kpi[i].name))
            return answer->derived[i];
    for (size_t i = 0; i < figures->n_item; i++)
        if (mr_str_is(path, figures->item[i].path))
            return figures->item[i].value;
    return (double)NAN;
}

static void begin_note(struct mr_asked_answer *answer)
{
    if (answer->note.n > 0)
        mr_buf_text(&answer->note, "; ");
}

static double value_of(const void *context, struct mr_str path)
{
    const struct looking *l = context;
    const double value = mr_asked_value(l->asked, l->figures, l->answer, path);
    if (isnan(value)) {
        begin_note(l->answer);
        mr_buf_printf(&l->answer->note, "%s: the run has no %.*s", l->of, (int)path.n, path.p);
    }
    return value;
}

mr_status mr_asked_look(const struct mr_asked *asked, const struct mr_figures *figures,
                        struct mr_asked_answer *answer, struct mr_err *err)
{
    struct looking l = {asked, figures, answer, NULL};
    mr_free(answer->derived);
    answer->derived = mr_alloc(asked->n_kpi + 1, sizeof *answer->derived);
    answer->n_derived = 0;
    mr_buf_clear(&answer->broken);
    mr_buf_clear(&answer->note);
    if (answer->derived == NULL)
        return mr_err_nomem(err, asked->n_kpi * sizeof *answer->derived);
    for (size_t i = 0; i < asked->n_kpi; i++) {
        const char *why;
        double value;
        l.of = asked->kpi[i].name;
        MR_TRY(mr_formula_value(asked->kpi[i].formula, value_of, &l, &value, &why, err));
        if (why[0] != '\0') {
            begin_note(answer);
            mr_buf_printf(&answer->note, "%s: %s", l.of, why);
        }
        answer->derived[i] = value;
        answer->n_derived = i + 1;
    }
    for (size_t i = 0; i < asked->n_constraint; i++) {
        const struct mr_asked_constraint *c = &asked->constraint[i];
        const double value = mr_asked_value(asked, figures, answer, mr_str_of(c->path));
        if (value >= c->min && value <= c->max) /* NaN is neither */
            continue;
        if (answer->broken.n > 0)
            mr_buf_text(&answer->broken, "; ");
        mr_asked_print_constraint(c, &answer->broken);
        if (isnan(value)) {
            begin_note(answer);
            mr_buf_printf(&answer->note, "constraint: the run has no %s", c->path);
        }
    }
    answer->is_feasible = answer->broken.n == 0;
    MR_TRY(mr_buf_check(&answer->broken, err));
    return mr_buf_check(&answer->note, err);
}

void mr_asked_answer_fini(struct mr_asked_answer *answer)
{
    mr_free(answer->derived);
    mr_buf_fini(&answer->broken);
    mr_buf_fini(&answer->note);
    *answer = (struct mr_asked_answer){0};
}
