/* SPDX-License-Identifier: Apache-2.0 */
/* One frame where nobody looks at a terminal, or the run is over; else a frame at a time until it
 * is. A part is read while it is written: what was opened before a flush does not fit what is read
 * after it, so a look that fails is tried again, and counts only when it stays so. A part is empty
 * until its run begins. */
#include "engine/cli/watch.h"

#include "engine/cli/verbs.h"
#include "postprocess/watch.h"

#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    n_patience = 5, /* frames that fail before it gives up */
    n_again = 100   /* looks for one frame of a part */
};

static const double again_s = 0.02;

#define OPT struct mr_watch_opts_values
static const struct mr_opt rows[] = {
    {MR_PARAM(OPT, every_s, "every", MR_Q_TIME, "2 s", 0.1, 3600, "Time between two looks"), 0,
     "TIME"},
};
#undef OPT

const struct mr_opt_table mr_watch_opts = {rows, sizeof rows / sizeof *rows};

static bool is_a_part(const char *path)
{
    static const char end[] = ".part";
    const size_t n = strlen(path), n_end = sizeof end - 1;
    return n > n_end && strcmp(path + n - n_end, end) == 0;
}

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

static void wait_s(double s)
{
    const time_t whole = (time_t)s;
    const struct timespec rest = {whole, (long)((s - (double)whole) * 1e9)};
    (void)nanosleep(&rest, NULL);
}

static mr_status look_once(const char *path, struct mr_buf *frame, bool *is_over,
                           struct mr_err *err)
{
    const struct mr_runread_options options = {.may_be_torn = true, .trial = try_frame};
    struct mr_buf own = {0};
    struct mr_runread *run = NULL;
    struct stat info;
    mr_status st = MR_OK;
    if (is_a_part(path) && stat(path, &info) == 0 && info.st_size == 0) {
        mr_buf_printf(frame, "%s: nothing is written before the first flush\n", path);
        return mr_buf_check(frame, err);
    }
    st = mr_runread_open(path, &options, &run, err);
    if (st == MR_OK)
        st = mr_watch_frame(run, &own, err);
    if (st == MR_OK)
        mr_buf_text(frame, own.text);
    *is_over = run != NULL && mr_runread_is_complete(run);
    mr_runread_close(run);
    mr_buf_fini(&own);
    return st == MR_OK ? mr_buf_check(frame, err) : st;
}

static mr_status look(const char *path, struct mr_buf *frame, bool *is_over, struct mr_err *err)
{
    mr_status st = MR_OK;
    for (int i = 0; i < n_again; i++) {
        struct mr_buf found = {0};
        *err = (struct mr_err){0};
        st = find(path, &found, err);
        const bool is_part = st == MR_OK && is_a_part(found.text);
        if (st == MR_OK)
            st = look_once(found.text, frame, is_over, err);
        mr_buf_fini(&found);
        if (st == MR_OK || !is_part)
            break;
        wait_s(again_s);
    }
    return st;
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
