/* SPDX-License-Identifier: Apache-2.0 */
/* Rows as settings, settings as arguments: what a sweep runs, a person can type. */
#define _XOPEN_SOURCE 700 /* mkdtemp, readlink */
#include "engine/cli/sweep_row.h"

#include "engine/base/mem.h"
#include "engine/base/num.h"
#include "engine/base/unit.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *keep(struct mr_sweep_row *row, struct mr_buf *text, struct mr_err *err)
{
    const char *own = NULL;
    if (mr_buf_check(text, err) == MR_OK)
        own = mr_arena_text(&row->texts, (struct mr_str){text->text, text->n}, err);
    mr_buf_clear(text);
    return own;
}

static mr_status add(struct mr_sweep_row *row, struct mr_buf *text, struct mr_place at,
                     struct mr_err *err)
{
    row->at[row->n_set] = at;
    row->set[row->n_set] = keep(row, text, err);
    return row->set[row->n_set++] != NULL ? MR_OK : MR_NOMEM;
}

/* Factors go last, and so before what all rows have. */
mr_status mr_sweep_row_settings(struct mr_sweep_row *row, size_t i, struct mr_err *err)
{
    enum {
        n_beside = 2 /* how often it is recorded, the seed */
    };
    const struct mr_design *d = row->design;
    const struct mr_place own = {row->experiment->path, 0, 0};
    const double every_s = row->experiment->run.record_every_s;
    char every[MR_UNIT_CAP];
    struct mr_buf text = {0};
    mr_arena_reset(&row->texts);
    row->n_set = 0;
    if (row->set == NULL)
        row->set = mr_alloc(d->n_factor + n_beside, sizeof *row->set);
    if (row->at == NULL)
        row->at = mr_alloc(d->n_factor + n_beside, sizeof *row->at);
    if (row->set == NULL || row->at == NULL)
        return mr_err_nomem(err, (d->n_factor + n_beside) * sizeof *row->set);
    mr_status st = MR_OK;
    if (every_s > 0) {
        mr_unit_format(every_s, MR_Q_TIME, every);
        mr_buf_printf(&text, "record/every=%s", every);
        st = add(row, &text, own, err);
    }
    for (size_t k = 0; k < d->n_factor && st == MR_OK; k++) {
        if (d->value[i * d->n_factor + k] == NULL)
            continue;
        mr_buf_printf(&text, "%s=%s", d->path[k], d->value[i * d->n_factor + k]);
        st = add(row, &text, d->at[k], err);
    }
    if (d->has_seeds && st == MR_OK) {
        mr_buf_printf(&text, "scenario/seed=%llu", (unsigned long long)d->seed[i]);
        st = add(row, &text, own, err);
    }
    mr_buf_fini(&text);
    return st;
}

mr_status mr_sweep_row_program(struct mr_buf *out, struct mr_err *err)
{
    char path[PATH_MAX];
    const ssize_t n = readlink("/proc/self/exe", path, sizeof path);
    if (n > 0 && (size_t)n < sizeof path) {
        mr_buf_add(out, path, (size_t)n);
        return mr_buf_check(out, err);
    }
    /* a root without /proc: what the kernel was asked to start */
    const char *const asked = (const void *)(uintptr_t)getauxval(AT_EXECFN);
    if (asked == NULL || access(asked, X_OK) != 0)
        return mr_err_set(err, MR_IO, MR_NOWHERE, "this program cannot find itself: %s",
                          n < 0 ? strerror(errno) : "a path too long");
    mr_buf_text(out, asked);
    return mr_buf_check(out, err);
}

mr_status mr_sweep_row_command(struct mr_sweep_row *row, size_t i, const char *folder,
                               struct mr_batch_command *command, struct mr_err *err)
{
    const struct mr_experiment_run *run = &row->experiment->run;
    char id[MR_DESIGN_ID];
    struct mr_buf text = {0};
    MR_TRY(mr_sweep_row_settings(row, i, err));
    if (row->argv == NULL)
        row->argv = mr_alloc(2 * row->design->n_factor + 16, sizeof *row->argv);
    if (row->argv == NULL)
        return mr_err_nomem(err, (2 * row->design->n_factor + 16) * sizeof *row->argv);
    size_t n = 0;
    mr_status st = mr_sweep_row_program(&text, err);
    row->argv[n++] = keep(row, &text, err);
    row->argv[n++] = "run";
    row->argv[n++] = "--alone"; /* whatever started the sweep */
    row->argv[n++] = "-q";      /* errors only: they go to the log */
    row->argv[n++] = "-f";      /* the sweep knows that it may */
    row->argv[n++] = "-o";
    mr_buf_printf(&text, "%s/run_%s.h5", folder, mr_design_id(i, id));
    row->argv[n++] = keep(row, &text, err);
    if (run->has_no_leap)
        row->argv[n++] = "--no-leap";
    for (size_t k = 0; k < row->n_set; k++) {
        row->argv[n++] = "--set";
        row->argv[n++] = row->set[k];
    }
    row->argv[n++] = "--";
    row->argv[n++] = row->experiment->top.scenario;
    row->argv[n] = NULL;
    mr_buf_printf(&text, "%s/run_%s.log", folder, mr_design_id(i, id));
    row->command = (struct mr_batch_command){row->argv, keep(row, &text, err)};
    mr_buf_fini(&text);
    for (size_t k = 0; k < n && st == MR_OK; k++)
        if (row->argv[k] == NULL)
            st = MR_NOMEM;
    *command = row->command;
    return st == MR_OK && command->log == NULL ? MR_NOMEM : st;
}

/* ---- the probe ---- */

struct probe {
    struct mr_sweep_row *row;
    const char *folder;
    struct mr_batch_end end;
    char message[256];
};

static mr_status on_start(void *context, size_t i, struct mr_batch_command *command,
                          struct mr_err *err)
{
    struct probe *p = context;
    return mr_sweep_row_command(p->row, i, p->folder, command, err);
}

static mr_status on_end(void *context, const struct mr_batch_end *end, struct mr_err *err)
{
    struct probe *p = context;
    (void)err;
    p->end = *end;
    snprintf(p->message, sizeof p->message, "%s", end->message);
    return MR_OK;
}

static mr_status run_probe(struct probe *p, size_t i, const struct mr_batch_options *options,
                           struct mr_sweep_row_cost *cost, struct mr_err *err)
{
    const struct mr_batch_hooks hooks = {p, on_start, on_end, NULL};
    struct mr_batch_result result;
    struct stat st;
    struct mr_buf path = {0};
    char id[MR_DESIGN_ID];
    MR_TRY(mr_batch_run(&i, 1, options, &hooks, &result, err));
    if (result.n_done == 0)
        return mr_err_set(err, result.n_left > 0 ? MR_STOPPED : MR_IO, MR_NOWHERE,
                          "row %s: exit %d: %s", mr_design_id(i, id), p->end.exit_code, p->message);
    mr_buf_printf(&path, "%s/run_%s.h5", p->folder, mr_design_id(i, id));
    mr_status status = mr_buf_check(&path, err);
    if (status == MR_OK && stat(path.text, &st) == 0)
        *cost = (struct mr_sweep_row_cost){p->end.wall_s, (double)st.st_size, p->end.rss_bytes};
    else if (status == MR_OK)
        status = mr_err_set(err, MR_IO, (struct mr_place){path.text, 0, 0}, "is missing: %s",
                            strerror(errno));
    mr_buf_fini(&path);
    return status;
}

static void remove_files(const char *folder, size_t i)
{
    static const char *const endings[] = {".h5", ".h5.part", ".log"};
    char id[MR_DESIGN_ID];
    struct mr_buf path = {0};
    for (size_t k = 0; k < sizeof endings / sizeof *endings; k++) {
        mr_buf_clear(&path);
        mr_buf_printf(&path, "%s/run_%s%s", folder, mr_design_id(i, id), endings[k]);
        if (mr_buf_check(&path, NULL) == MR_OK)
            (void)unlink(path.text);
    }
    mr_buf_fini(&path);
    (void)rmdir(folder);
}

mr_status mr_sweep_row_probe(struct mr_sweep_row *row, size_t i, const char *within,
                             const struct mr_batch_options *options, struct mr_sweep_row_cost *cost,
                             struct mr_err *err)
{
    struct mr_buf folder = {0};
    const bool is_there = within != NULL && access(within, W_OK) == 0;
    mr_buf_printf(&folder, "%s/probe_XXXXXX", is_there ? within : ".");
    mr_status st = mr_buf_check(&folder, err);
    if (st == MR_OK && mkdtemp(folder.text) == NULL)
        st = mr_err_set(err, MR_IO, (struct mr_place){folder.text, 0, 0}, "cannot be made: %s",
                        strerror(errno));
    if (st == MR_OK) {
        struct probe p = {.row = row, .folder = folder.text};
        st = run_probe(&p, i, options, cost, err);
        remove_files(folder.text, i);
    }
    mr_buf_fini(&folder);
    return st;
}

void mr_sweep_row_fini(struct mr_sweep_row *row)
{
    mr_free(row->set);
    mr_free(row->at);
    mr_free(row->argv);
    mr_arena_fini(&row->texts);
}
