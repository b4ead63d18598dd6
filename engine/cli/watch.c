/* SPDX-License-Identifier: Apache-2.0 */
/* One frame where nobody looks at a terminal, or the run is over; else a frame at a time until it
 * is. A file in the middle of a flush may look broken: that counts only when it stays so. */
#include "engine/cli/watch.h"

#include "engine/cli/verbs.h"
#include "postprocess/watch.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum {
    n_patience = 5
};

#define OPT struct mr_watch_opts_values
static const struct mr_opt rows[] = {
    {MR_PARAM(OPT, every_s, "every", MR_Q_TIME, "2 s", 0.1, 3600, "Time between two looks"), 0,
     "TIME"},
};
#undef OPT

const struct mr_opt_table mr_watch_opts = {rows, sizeof rows / sizeof *rows};

/* A run that is not finished yet is beside its name. */
static mr_status find(const char *path, struct mr_buf *out, struct mr_err *err)
{
    mr_buf_clear(out);
    mr_buf_text(out, path);
    MR_TRY(mr_buf_check(out, err));
    if (access(out->text, F_OK) == 0)
        return MR_OK;
    mr_buf_text(out, ".part");
    MR_TRY(mr_buf_check(out, err));
    if (access(out->text, F_OK) != 0)
        return mr_err_set(err, MR_IO, (struct mr_place){path, 0, 0},
                          "there is neither this file nor its .part");
    return MR_OK;
}

static void try_frame(struct mr_runread *run)
{
    struct mr_buf frame = {0};
    struct mr_err ignored = {0};
    (void)!mr_watch_frame(run, &frame, &ignored);
    mr_buf_fini(&frame);
}

static mr_status look(const char *path, struct mr_buf *frame, bool *is_over, struct mr_err *err)
{
    const struct mr_runread_options options = {.may_be_torn = true, .trial = try_frame};
    struct mr_buf found = {0};
    struct mr_runread *run = NULL;
    mr_status st = find(path, &found, err);
    if (st == MR_OK)
        st = mr_runread_open(found.text, &options, &run, err);
    if (st == MR_OK)
        st = mr_watch_frame(run, frame, err);
    *is_over = run != NULL && mr_runread_is_complete(run);
    mr_runread_close(run);
    mr_buf_fini(&found);
    return st;
}

static void wait_s(double s)
{
    const time_t whole = (time_t)s;
    const struct timespec rest = {whole, (long)((s - (double)whole) * 1e9)};
    (void)nanosleep(&rest, NULL);
}

int mr_watch_verb(const struct mr_verb_call *call)
{
    const struct mr_watch_opts_values *o = call->opts;
    const bool is_live = isatty(STDOUT_FILENO) != 0;
    int code = 0, n_failed = 0;
    for (bool is_over = false; !is_over && code == 0;) {
        struct mr_buf frame = {0};
        struct mr_err err = {0};
        if (is_live)
            mr_buf_text(&frame, "\033[H\033[J");
        if (look(call->arg[0], &frame, &is_over, &err) == MR_OK) {
            n_failed = 0;
            code = mr_ui_out(call->ui, &frame);
        } else if (!is_live || ++n_failed == n_patience) {
            code = mr_ui_error(call->ui, &err);
        }
        mr_buf_fini(&frame);
        is_over = is_over || !is_live;
        if (!is_over && code == 0)
            wait_s(o->every_s);
    }
    return code;
}
