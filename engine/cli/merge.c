/* SPDX-License-Identifier: Apache-2.0 */
/* The merged file goes beside its runs unless told otherwise; what is missing is a warning. */
#include "engine/cli/merge.h"

#include "engine/cli/verbs.h"
#include "postprocess/merge.h"

#define OPT struct mr_merge_opts_values
static const struct mr_opt rows[] = {
    {MR_PARAM_STR(OPT, output, "output", NULL, "The merged file; without: DIR/sweep.h5"), 'o',
     "FILE.h5"},
    {MR_PARAM_YES(OPT, is_copy, "copy", "no",
                  "Copy values, so that the file stands alone, instead of referring to the runs"),
     0, NULL},
};
#undef OPT

const struct mr_opt_table mr_merge_opts = {rows, sizeof rows / sizeof *rows};

static int tell(const struct mr_verb_call *call, const char *path,
                const struct mr_merge_result *result)
{
    struct mr_diags diags = {0};
    struct mr_buf text = {0};
    const size_t n_missing = result->n_run - result->n_there;
    if (n_missing > 0)
        (void)mr_diags_add(
            &diags, MR_SEVERITY_WARNING, MR_REF, (struct mr_place){path, 0, 0},
            "%zu of %zu runs are NaN: %s%s", n_missing, result->n_run, result->missing_first.text,
            n_missing > MR_MERGE_NAMED ? ", ... (all are in the attribute \"missing\" of /kpi)"
                                       : "");
    if (result->uneven.n > 0)
        (void)mr_diags_add(&diags, MR_SEVERITY_WARNING, MR_RANGE, (struct mr_place){path, 0, 0},
                           "left out, since %zu runs have other times or entities than the first "
                           "(%s%s): %s",
                           result->n_uneven, result->uneven_files.text,
                           result->n_uneven > MR_MERGE_NAMED ? ", ..." : "", result->uneven.text);
    if (result->n_other > 0)
        (void)mr_diags_add(&diags, MR_SEVERITY_WARNING, MR_REF, (struct mr_place){path, 0, 0},
                           "%zu runs are not what the manifest asks for (another config_hash): "
                           "%s%s (millrace sweep --resume runs them anew)",
                           result->n_other, result->other_files.text,
                           result->n_other > MR_MERGE_NAMED ? ", ..." : "");
    (void)mr_ui_diags(call->ui, &diags);
    mr_buf_printf(&text, "%s: %zu of %zu runs, %zu factors, %zu figures, %zu series", path,
                  result->n_there, result->n_run, result->n_factor, result->n_figure,
                  result->n_series);
    if (result->n_partial > 0)
        mr_buf_printf(&text, " (%zu of some runs only)", result->n_partial);
    mr_buf_char(&text, '\n');
    const int code = mr_ui_out(call->ui, &text);
    mr_buf_fini(&text);
    return code;
}

int mr_merge_verb(const struct mr_verb_call *call)
{
    const struct mr_merge_opts_values *o = call->opts;
    const struct mr_merge_options options = {o->is_copy, call->ui->may_overwrite};
    struct mr_merge_result result = {0};
    struct mr_buf path = {0};
    struct mr_err err = {0};
    if (o->output != NULL)
        mr_buf_text(&path, o->output);
    else
        mr_buf_printf(&path, "%s/sweep.h5", call->arg[0]);
    mr_status st = mr_buf_check(&path, &err);
    if (st == MR_OK)
        st = mr_merge(call->arg[0], path.text, &options, &result, &err);
    const int code = st == MR_OK ? tell(call, path.text, &result) : mr_ui_error(call->ui, &err);
    mr_merge_fini(&result);
    mr_buf_fini(&path);
    return code;
}
