/* SPDX-License-Identifier: Apache-2.0 */
/* The common part of verbs that drive one room alone. */
#include "engine/cli/alone.h"

#include "engine/base/assert.h"
#include "engine/base/file.h"
#include "engine/base/mem.h"
#include "engine/base/wall.h"
#include "engine/cli/verbs.h"
#include "platforms/fabric.h"
#include "platforms/open.h"
#include "postprocess/kpi.h"

#include <string.h>

/* ---- the call ---- */

static int play(const struct mr_alone *alone, const struct mr_ui *ui)
{
    struct mr_diags diags = {0};
    struct mr_err err = {0};
    struct mr_buf out = {0};
    mr_status st = alone->prepare(alone->job, &diags, &err);
    int code = mr_ui_diags(ui, &diags);
    if (st == MR_OK)
        st = alone->run(alone->job, &err);
    if (st != MR_OK)
        return err.status != MR_OK ? mr_ui_error(ui, &err) : code;
    if (alone->as_json)
        alone->print_json(alone->job, &out);
    else
        alone->print_table(alone->job, &out);
    code = mr_ui_out(ui, &out);
    mr_buf_fini(&out);
    return code;
}

static mr_status check_files(const struct mr_alone *alone, const char *site, struct mr_err *err)
{
    struct mr_apart_file file[16] = {{"SITE", site, true}};
    size_t n = 1;
    for (const struct mr_apart_file *f = alone->file; f->option != NULL; f++) {
        MR_ASSERT(n < sizeof file / sizeof *file);
        file[n++] = *f;
    }
    return mr_apart_check(file, n, err);
}

int mr_alone_run(const struct mr_alone *alone, const struct mr_verb_call *call)
{
    struct mr_diags diags = {0};
    struct mr_err err = {0};
    if (check_files(alone, call->arg[0], &err) != MR_OK)
        return mr_ui_error(call->ui, &err);
    const mr_status st = mr_open_site(call->arg[0], MR_FABRIC_LEVEL_AUTO, alone->site, &diags);
    const int code = mr_ui_diags(call->ui, &diags);
    return st == MR_OK ? play(alone, call->ui) : code;
}

/* ---- progress ---- */

void mr_alone_watch_begin(struct mr_alone_watch *watch, const struct mr_ui *ui)
{
    watch->n_step = 0;
    mr_progress_init(&watch->progress, ui->with_progress, ui->is_err_tty, mr_wall_ns());
}

bool mr_alone_watch_is_due(struct mr_alone_watch *watch, double now_s, double until_s)
{
    const uint64_t steps_between = 64; /* of microseconds; a clock costs tens of nanoseconds */
    return watch->progress.is_on && ++watch->n_step % steps_between == 0 &&
           mr_progress_is_due(&watch->progress, now_s / until_s, mr_wall_ns());
}

void mr_alone_watch_show(struct mr_alone_watch *watch, double now_s, double until_s, double power_w)
{
    struct mr_progress_state state = mr_progress_nothing();
    const double wall_s = 1e-9 * (double)(mr_wall_ns() - watch->progress.start_ns);
    state.sim_s = now_s;
    state.end_s = until_s;
    state.done_frac = now_s / until_s;
    state.events_per_s = (double)watch->n_step / wall_s;
    state.real_time = now_s / wall_s;
    state.site_mw = power_w * 1e-6;
    mr_progress_show(&watch->progress, &state);
}

void mr_alone_watch_end(struct mr_alone_watch *watch)
{
    mr_progress_clear(&watch->progress);
}

/* ---- files ---- */

mr_status mr_alone_write(const char *path, bool may_overwrite, const char *header,
                         const struct mr_buf *body, struct mr_err *err)
{
    struct mr_file_out file;
    if (path == NULL)
        return MR_OK;
    MR_TRY(mr_buf_check(body, err));
    MR_TRY(mr_file_out_open(&file, path, may_overwrite, err));
    mr_status st = mr_file_out_add(&file, header, strlen(header), err);
    if (st == MR_OK && body->n > 0)
        st = mr_file_out_add(&file, body->text, body->n, err);
    return mr_file_out_end(&file, st, err);
}

mr_status mr_alone_summary(void (*print_json)(const void *job, struct mr_buf *out), const void *job,
                           struct mr_buf *summary, struct mr_err *err)
{
    *summary = (struct mr_buf){0};
    print_json(job, summary);
    return mr_buf_check(summary, err);
}

mr_status mr_alone_file(const char *path, bool may_overwrite, const char *title,
                        struct mr_runfile **file, struct mr_err *err)
{
    struct mr_runfile_options options = mr_runfile_options_default();
    options.may_overwrite = may_overwrite;
    MR_TRY(mr_runfile_create(path, &options, file, err));
    mr_status st = mr_runfile_attr_text(*file, "/", "Conventions", "CF-1.8", err);
    if (st == MR_OK)
        st = mr_runfile_attr_text(*file, "/", "title", title, err);
    if (st == MR_OK)
        st = mr_runfile_attr_u64(*file, "/", "schema", 1, err);
    if (st != MR_OK)
        mr_runfile_destroy(*file);
    return st;
}

/* ---- key figures ---- */

static mr_status put_texts(struct mr_runfile *file, const char *name, const char *long_name,
                           const char *const *text, size_t n, struct mr_err *err)
{
    const struct mr_channel channel = {
        .name = name, .units = "1", .long_name = long_name, .type = MR_CHANNEL_U8};
    const struct mr_runfile_array array = {
        .group = "/kpi", .channel = &channel, .axis = {"kpi", NULL}, .n = {n, 0}, .texts = text};
    return mr_runfile_put(file, &array, err);
}

/* Figures whose table says nothing of it have none. */
static mr_status put_better(struct mr_runfile *file, const struct mr_alone_figure *figure, size_t n,
                            struct mr_err *err)
{
    static const char *const texts[] = {
        [MR_KPI_NEITHER] = "neither", [MR_KPI_UP] = "up", [MR_KPI_DOWN] = "down"};
    static const struct mr_channel channel = {.name = "better",
                                              .units = "1",
                                              .long_name = "Which way is better",
                                              .type = MR_CHANNEL_U8,
                                              .flag = texts,
                                              .n_flag = sizeof texts / sizeof *texts};
    uint8_t *better = mr_alloc_zero(n + 1, sizeof *better);
    if (better == NULL)
        return mr_err_nomem(err, n);
    for (size_t i = 0; i < n; i++) {
        const struct mr_kpi *kpi = mr_kpi_find(figure[i].name);
        better[i] = (uint8_t)(kpi != NULL ? kpi->better : MR_KPI_NEITHER);
    }
    const struct mr_runfile_array array = {
        .group = "/kpi", .channel = &channel, .axis = {"kpi", NULL}, .n = {n, 0}, .values = better};
    const mr_status st = mr_runfile_put(file, &array, err);
    mr_free(better);
    return st;
}

static mr_status put_columns(struct mr_runfile *file, const struct mr_alone_figure *figure,
                             size_t n, const char **text, double *value, struct mr_err *err)
{
    const char **name = text, **units = text + n, **formula = text + 2 * n;
    for (size_t i = 0; i < n; i++) {
        name[i] = figure[i].name;
        units[i] = figure[i].units;
        formula[i] = figure[i].formula;
        value[i] = figure[i].value;
    }
    static const struct mr_channel channel = {
        .name = "value", .units = "1", .long_name = "In its unit", .type = MR_CHANNEL_F64};
    const struct mr_runfile_array array = {
        .group = "/kpi", .channel = &channel, .axis = {"kpi", NULL}, .n = {n, 0}, .values = value};
    MR_TRY(mr_runfile_axis(file, "/kpi", "kpi", "Key figures, by their path in the summary", name,
                           n, err));
    MR_TRY(mr_runfile_put(file, &array, err));
    MR_TRY(put_texts(file, "unit", "Unit of the figure", units, n, err));
    MR_TRY(put_texts(file, "formula", "What it is", formula, n, err));
    return put_better(file, figure, n, err);
}

mr_status mr_alone_put_figures(struct mr_runfile *file, const struct mr_alone_figure *figure,
                               size_t n, struct mr_err *err)
{
    const char **text = mr_alloc(3 * n + 1, sizeof *text);
    double *value = mr_alloc(n + 1, sizeof *value);
    const mr_status st = text != NULL && value != NULL
                             ? put_columns(file, figure, n, text, value, err)
                             : mr_err_nomem(err, 3 * n * sizeof *text);
    mr_free(text);
    mr_free(value);
    return st;
}
