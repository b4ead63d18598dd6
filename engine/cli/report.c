/* SPDX-License-Identifier: Apache-2.0 */
/* Without --output only the table: nothing is written that was not asked for. */
#include "engine/cli/report.h"

#include "engine/base/file.h"
#include "engine/base/mem.h"
#include "engine/cli/verbs.h"
#include "postprocess/merged.h"
#include "postprocess/report.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

// clang-format off
#define OPT struct mr_report_opts_values
#define SHARED \
    {MR_PARAM_STR(OPT, output, "output", NULL, "Write the page"), 'o', "FILE.html"}, \
    {MR_PARAM_STR(OPT, csv, "csv", NULL, "Write every table and every sample of every chart into a folder"), 0, "DIR"}, \
    {MR_PARAM_STR(OPT, title, "title", NULL, "Title of the page"), 0, "TEXT"}
static const struct mr_opt rows[] = {SHARED};
static const struct mr_opt compare_rows[] = {
    SHARED,
    {MR_PARAM_N(OPT, baseline, "baseline", "1", 1, 1e6, "Which of the files the others are compared with"), 0, "N"},
};
#undef OPT
// clang-format on

const struct mr_opt_table mr_report_opts = {rows, sizeof rows / sizeof *rows};
const struct mr_opt_table mr_report_compare_opts = {compare_rows,
                                                    sizeof compare_rows / sizeof *compare_rows};

static mr_status write_sheets(const struct mr_verb_call *call, const char *folder,
                              const struct mr_page *page, struct mr_err *err)
{
    mr_status st = MR_OK;
    if (mkdir(folder, 0777) != 0 && errno != EEXIST)
        return mr_err_set(err, MR_IO, (struct mr_place){folder, 0, 0},
                          "the folder cannot be made: %s", strerror(errno));
    for (size_t i = 0; i < page->n_sheet && st == MR_OK; i++) {
        const struct mr_page_sheet *sheet = &page->sheet[i];
        struct mr_buf path = {0};
        mr_buf_printf(&path, "%s/%s.csv", folder, sheet->name);
        st = mr_buf_check(&path, err);
        if (st == MR_OK)
            st = mr_file_write(path.text, call->ui->may_overwrite,
                               (struct mr_str){sheet->csv.text, sheet->csv.n}, err);
        mr_buf_fini(&path);
    }
    return st;
}

static mr_status write_out(const struct mr_verb_call *call, const struct mr_page *page,
                           struct mr_err *err)
{
    const struct mr_report_opts_values *o = call->opts;
    if (o->output != NULL)
        MR_TRY(mr_file_write(o->output, call->ui->may_overwrite,
                             (struct mr_str){page->out.text, page->out.n}, err));
    return o->csv != NULL ? write_sheets(call, o->csv, page, err) : MR_OK;
}

static bool wants_page(const struct mr_report_opts_values *o)
{
    return o->output != NULL || o->csv != NULL;
}

static bool wants_text(const struct mr_report_opts_values *o)
{
    return o->output == NULL || strcmp(o->output, "-") != 0;
}

static bool is_merged(const struct mr_report *report, size_t i)
{
    return report->file[i].run != NULL && mr_merged_is(report->file[i].run);
}

/* Files of sweeps, one or several: a page of their own. */
static mr_status answer_merged(const struct mr_verb_call *call, const struct mr_report *report,
                               size_t baseline, struct mr_buf *text, struct mr_err *err)
{
    const struct mr_report_opts_values *o = call->opts;
    struct mr_page page = {0};
    struct mr_merged_file *file = mr_alloc(report->n, sizeof *file);
    if (file == NULL)
        return mr_err_nomem(err, report->n * sizeof *file);
    mr_status st = MR_OK;
    for (size_t i = 0; i < report->n && st == MR_OK; i++) {
        file[i] = (struct mr_merged_file){report->file[i].run, report->file[i].label};
        if (!is_merged(report, i))
            st = mr_err_set(err, MR_SCHEMA, (struct mr_place){call->arg[i], 0, 0},
                            "is one run, and others are merged ones: compare it with runs");
    }
    if (st == MR_OK && wants_page(o)) {
        const char *title = report->n > 1 ? "Sweeps side by side" : mr_runread_path(file[0].run);
        st = mr_merged_html(file, report->n, baseline, o->title != NULL ? o->title : title, &page,
                            err);
        if (st == MR_OK)
            st = write_out(call, &page, err);
        mr_page_fini(&page);
    }
    if (st == MR_OK && wants_text(o))
        st = mr_merged_text(file, report->n, baseline, text, err);
    mr_free(file);
    return st;
}

static mr_status answer(const struct mr_verb_call *call, struct mr_report *report,
                        struct mr_buf *text, struct mr_err *err)
{
    const struct mr_report_opts_values *o = call->opts;
    struct mr_page page = {0};
    char title[160] = "";
    for (size_t i = 0; i < report->n && i < 4; i++) {
        const size_t n = strlen(title);
        (void)snprintf(title + n, sizeof title - n, "%s%s%s%s", i > 0 ? " | " : "",
                       report->file[i].label, report->n > 1 ? " " : "",
                       report->file[i].figures.name);
    }
    mr_status st = MR_OK;
    if (wants_page(o)) {
        report->is_whole = o->csv != NULL;
        st = mr_report_html(report, o->title != NULL ? o->title : title, &page, err);
        if (st == MR_OK)
            st = write_out(call, &page, err);
        mr_page_fini(&page);
    }
    if (st == MR_OK && wants_text(o))
        mr_report_text(report, text);
    return st;
}

int mr_report_verb(const struct mr_verb_call *call)
{
    const struct mr_report_opts_values *o = call->opts;
    const size_t n = (size_t)call->n_arg;
    const size_t baseline = o->baseline > 0 ? (size_t)o->baseline - 1 : 0; /* report has none */
    struct mr_report report = {0};
    struct mr_buf text = {0};
    struct mr_err err = {0};
    if (baseline >= n)
        return mr_ui_usage(call->ui, "compare", "compare: --baseline %zu of %zu files",
                           baseline + 1, n);
    mr_status st = mr_report_load((const char *const *)call->arg, n, baseline, &report, &err);
    bool has_merged = false;
    for (size_t i = 0; i < n && st == MR_OK; i++)
        has_merged = has_merged || is_merged(&report, i);
    if (st == MR_OK && has_merged)
        st = answer_merged(call, &report, baseline, &text, &err);
    else if (st == MR_OK && n == 1 && o->baseline > 0) /* compare */
        st = mr_err_set(&err, MR_SCHEMA, (struct mr_place){call->arg[0], 0, 0},
                        "is one run: compare takes two, or the merged file of a sweep");
    else if (st == MR_OK)
        st = answer(call, &report, &text, &err);
    const int code = st == MR_OK ? mr_ui_out(call->ui, &text) : mr_ui_error(call->ui, &err);
    mr_buf_fini(&text);
    mr_report_fini(&report);
    return code;
}
