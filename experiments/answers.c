/* SPDX-License-Identifier: Apache-2.0 */
/* A figure that is not there is an empty field, and fails its constraint. */
#include "experiments/answers.h"

#include "engine/base/csv.h"
#include "engine/base/file.h"
#include "engine/base/mem.h"

#include <math.h>
#include <stdio.h>
#include <unistd.h>

static void put_row(const struct mr_asked *asked, const struct mr_figures *figures,
                    const struct mr_asked_answer *answer, struct mr_csv_writer *w)
{
    for (size_t i = 0; i < asked->n_output; i++)
        mr_csv_put_f64(w, mr_asked_value(asked, figures, answer, mr_str_of(asked->output[i].path)));
    for (size_t i = 0; i < asked->n_kpi; i++)
        mr_csv_put_f64(w, answer->derived[i]);
    if (asked->n_constraint > 0) {
        mr_csv_put_text(w, answer->is_feasible ? "yes" : "no");
        mr_csv_put_str(w, (struct mr_str){answer->broken.text, answer->broken.n});
    }
    mr_csv_put_str(w, (struct mr_str){answer->note.text, answer->note.n});
    mr_csv_put_end(w);
}

/* A row that is not done has no figures; it is named all the same. */
static void put_missing(const struct mr_asked *asked, struct mr_csv_writer *w)
{
    for (size_t i = 0; i < asked->n_output + asked->n_kpi; i++)
        mr_csv_put_f64(w, (double)NAN);
    if (asked->n_constraint > 0) {
        mr_csv_put_text(w, "");
        mr_csv_put_text(w, "");
    }
    mr_csv_put_text(w, "not done");
    mr_csv_put_end(w);
}

static void put_header(const struct mr_asked *asked, struct mr_csv_writer *w)
{
    mr_csv_put_text(w, "run_id");
    for (size_t i = 0; i < asked->n_output; i++)
        mr_csv_put_text(w, asked->output[i].path);
    for (size_t i = 0; i < asked->n_kpi; i++)
        mr_csv_put_text(w, asked->kpi[i].name);
    if (asked->n_constraint > 0) {
        mr_csv_put_text(w, "constraints_met");
        mr_csv_put_text(w, "broken");
    }
    mr_csv_put_text(w, "note");
    mr_csv_put_end(w);
}

static void count_row(const struct mr_asked_answer *answer, struct mr_answers_count *count)
{
    count->n_row++;
    count->n_met += answer->is_feasible;
    if (answer->note.n > 0 && count->n_noted++ == 0)
        (void)snprintf(count->note, sizeof count->note, "%s", answer->note.text);
}

static mr_status put_rows(const struct mr_asked *asked, const struct mr_design *design,
                          const struct mr_ledger *ledger, struct mr_csv_writer *w,
                          struct mr_answers_count *count, struct mr_err *err)
{
    struct mr_asked_answer answer = {0};
    struct mr_buf path = {0};
    mr_status st = MR_OK;
    for (size_t i = 0; i < design->n_row && st == MR_OK; i++) {
        struct mr_figures figures = {0};
        char id[MR_DESIGN_ID];
        mr_buf_clear(&path);
        mr_ledger_path(ledger, i, ".h5", &path);
        st = mr_buf_check(&path, err);
        mr_csv_put_text(w, mr_design_id(i, id));
        if (st == MR_OK && access(path.text, F_OK) != 0) {
            put_missing(asked, w);
            continue;
        }
        if (st == MR_OK)
            st = mr_figures_load(path.text, &figures, err);
        if (st == MR_OK)
            st = mr_asked_look(asked, &figures, &answer, err);
        if (st == MR_OK) {
            put_row(asked, &figures, &answer, w);
            count_row(&answer, count);
        }
        mr_figures_fini(&figures);
    }
    mr_asked_answer_fini(&answer);
    mr_buf_fini(&path);
    return st;
}

static mr_status write_file(const struct mr_ledger *ledger, const char *name, struct mr_buf *text,
                            struct mr_err *err)
{
    struct mr_buf path = {0};
    mr_buf_printf(&path, "%s/%s", ledger->folder, name);
    mr_status st = mr_buf_check(&path, err);
    if (st == MR_OK)
        st = mr_buf_check(text, err);
    if (st == MR_OK)
        st = mr_file_write(path.text, true, (struct mr_str){text->text, text->n}, err);
    mr_buf_fini(&path);
    return st;
}

mr_status mr_answers_keep_asked(const struct mr_experiment *experiment, struct mr_ledger *ledger,
                                struct mr_err *err)
{
    struct mr_buf text = {0};
    mr_asked_print(&experiment->asked, &text);
    mr_status st = mr_ledger_hold(ledger, err);
    if (st == MR_OK) {
        st = write_file(ledger, "asked.csv", &text, err);
        mr_ledger_let(ledger);
    }
    mr_buf_fini(&text);
    return st;
}

mr_status mr_answers_write(const struct mr_experiment *experiment, const struct mr_design *design,
                           struct mr_ledger *ledger, struct mr_answers_count *count,
                           struct mr_err *err)
{
    struct mr_buf text = {0};
    struct mr_csv_writer w = {.buf = &text};
    *count = (struct mr_answers_count){0};
    mr_status st = mr_ledger_hold(ledger, err);
    if (st == MR_OK) {
        put_header(&experiment->asked, &w);
        st = put_rows(&experiment->asked, design, ledger, &w, count, err);
        if (st == MR_OK)
            st = write_file(ledger, "kpi.csv", &text, err);
        mr_ledger_let(ledger);
    }
    mr_buf_fini(&text);
    return st;
}
