/* SPDX-License-Identifier: Apache-2.0 */
/* Without a table and with a format of tables it lists what there is. */
#include "engine/cli/export.h"

#include "engine/base/file.h"
#include "engine/cli/verbs.h"
#include "postprocess/export.h"

static const char *const formats[] = {
#define FORMAT_WORD(name, word, doc) word,
    MR_EXPORT_LIST(FORMAT_WORD)
#undef FORMAT_WORD
};

// clang-format off
#define OPT struct mr_export_opts_values
static const struct mr_opt rows[] = {
    {MR_PARAM_STR(OPT, table, "table", NULL, "A group of the file: racks, plant/rejection, requests, events; none: list them (dsx: all)"), 0, "NAME"},
    {MR_PARAM_ONE_OF(OPT, format, "format", formats, "csv", "csv or jsonl; dsx: values by their DSX names; trace: Chrome; requests: Dynamo's trace"), 0, "FORMAT"},
    {MR_PARAM_STR(OPT, output, "output", "-", "Where to; - is standard output"), 'o', "FILE"},
};
#undef OPT
// clang-format on

const struct mr_opt_table mr_export_opts = {rows, sizeof rows / sizeof *rows};

static mr_status take(void *context, struct mr_str text, struct mr_err *err)
{
    return mr_file_out_add(context, text.p, text.n, err);
}

static mr_status write_all(const struct mr_verb_call *call, struct mr_runread *run,
                           struct mr_err *err)
{
    const struct mr_export_opts_values *o = call->opts;
    const enum mr_export_format format = (enum mr_export_format)o->format;
    const bool is_of_run = format == MR_EXPORT_TRACE || format == MR_EXPORT_REQUESTS;
    struct mr_file_out out;
    const struct mr_export_sink sink = {take, &out};
    MR_TRY(mr_file_out_open(&out, o->output, call->ui->may_overwrite, err));
    const mr_status st = is_of_run          ? mr_export_run(run, format, &sink, err)
                         : o->table == NULL ? mr_export_dsx(run, &sink, err)
                                            : mr_export_table(run, o->table, format, &sink, err);
    return mr_file_out_end(&out, st, err);
}

int mr_export_verb(const struct mr_verb_call *call)
{
    const struct mr_export_opts_values *o = call->opts;
    const bool is_of_run = o->format == MR_EXPORT_TRACE || o->format == MR_EXPORT_REQUESTS;
    struct mr_runread *run = NULL;
    struct mr_err err = {0};
    int code = 0;
    if (is_of_run && o->table != NULL)
        return mr_ui_usage(call->ui, "export",
                           "export: --format %s is of the whole run: no --table",
                           formats[o->format]);
    const bool is_list = o->table == NULL && !is_of_run && o->format != MR_EXPORT_DSX;
    if (is_list && strcmp(o->output, "-") != 0)
        return mr_ui_usage(call->ui, "export",
                           "export: which --table is to be written? Without -o they are listed");
    if (mr_runread_open(call->arg[0], NULL, &run, &err) != MR_OK)
        return mr_ui_error(call->ui, &err);
    if (is_list) {
        struct mr_buf list = {0};
        mr_export_list(run, &list);
        code = mr_ui_out(call->ui, &list);
        mr_buf_fini(&list);
    } else if (write_all(call, run, &err) != MR_OK) {
        code = mr_ui_error(call->ui, &err);
    }
    mr_runread_close(run);
    return code;
}
