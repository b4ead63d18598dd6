/* SPDX-License-Identifier: Apache-2.0 */
/* One frame where nobody looks at a terminal, or the run is over; else a frame at a time until it
 * is. A part is read while it is written: what was opened before a flush does not fit what is read
 * after it, so a look that fails is tried again, and counts only when it stays so. A part is empty
 * until its run begins. Who writes a part has it locked: one that nobody holds and that gives no
 * reason for its end was killed. A terminal is asked for its size before every frame; the last one,
 * when the run is over, is whole. */
#define _DEFAULT_SOURCE /* TIOCGWINSZ */
#include "engine/cli/watch.h"

#include "engine/base/file.h"
#include "engine/base/num.h"
#include "engine/cli/verbs.h"
#include "postprocess/watch.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    n_patience = 5, /* frames that fail before it gives up */
    n_again = 100,  /* looks for one frame of a part */
    n_gone = 3      /* looks for a file that is not there */
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

static size_t columns_now(void)
{
    struct winsize size;
    const char *text = getenv("COLUMNS");
    uint64_t n;
    if (isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        return size.ws_col;
    return text != NULL && mr_num_parse_u64(mr_str_of(text), &n) == MR_OK && n > 0 && n < 10000
               ? (size_t)n
               : MR_WATCH_COLUMNS;
}

/* 0: as many lines as there are. */
static size_t lines_now(void)
{
    struct winsize size;
    const bool is_known =
        isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 1;
    return is_known ? size.ws_row : 0;
}

/* What is drawn again and again does not scroll: what does not fit is counted in the last line. */
static void put_clipped(const char *frame, size_t n_line, struct mr_buf *out)
{
    size_t n_all = 0, n_kept = 0;
    for (const char *c = frame; *c != '\0'; c++)
        n_all += *c == '\n';
    if (n_line == 0 || n_all < n_line) {
        mr_buf_text(out, frame);
        return;
    }
    for (; n_kept + 2 < n_line; n_kept++) {
        const char *end = strchr(frame, '\n') + 1;
        mr_buf_printf(out, "%.*s", (int)(end - frame), frame);
        frame = end;
    }
    mr_buf_printf(out, "%zu more lines: a taller window\n", n_all - n_kept);
}

/* A terminal that changes its size ends the wait for the next frame. */
static void on_resize(int signal)
{
    (void)signal;
}

static void try_frame(struct mr_runread *run)
{
    const struct mr_watch_look widest = {MR_WATCH_COLUMNS_MAX, true};
    struct mr_buf frame = {0};
    struct mr_err ignored = {0};
    (void)!mr_watch_frame(run, &widest, &frame, &ignored);
    mr_buf_fini(&frame);
}

static void wait_s(double s)
{
    const time_t whole = (time_t)s;
    const struct timespec rest = {whole, (long)((s - (double)whole) * 1e9)};
    (void)nanosleep(&rest, NULL);
}

static mr_status look_once(const char *path, struct mr_watch_look *how, struct mr_buf *frame,
                           enum mr_watch_end *end, struct mr_err *err)
{
    const struct mr_runread_options options = {.may_be_torn = true, .trial = try_frame};
    struct mr_buf own = {0};
    struct mr_runread *run = NULL;
    struct stat info;
    mr_status st = MR_OK;
    if (is_a_part(path) && stat(path, &info) == 0 && info.st_size == 0) {
        *end = how->is_written ? MR_WATCH_RUNNING : MR_WATCH_KILLED;
        mr_buf_printf(frame, "%s: nothing is written before the first flush\n", path);
        return mr_buf_check(frame, err);
    }
    st = mr_runread_open(path, &options, &run, err);
    how->is_written = how->is_written || mr_file_is_held(path); /* one that begins anew */
    if (st == MR_OK)
        st = mr_watch_frame(run, how, &own, err);
    if (st == MR_OK) {
        mr_buf_text(frame, own.text);
        *end = mr_watch_end(run, how);
    }
    mr_runread_close(run);
    mr_buf_fini(&own);
    return st == MR_OK ? mr_buf_check(frame, err) : st;
}

static mr_status look(const char *path, struct mr_buf *frame, enum mr_watch_end *end,
                      struct mr_err *err)
{
    struct mr_watch_look how = {.columns = columns_now()};
    mr_status st = MR_OK;
    for (int i = 0; i < n_again; i++) {
        struct mr_buf found = {0};
        mr_buf_clear(frame);
        *err = (struct mr_err){0};
        *end = MR_WATCH_RUNNING;
        how.is_written = false;
        st = find(path, &found, err);
        if (st == MR_OK) {
            how.is_written = mr_file_is_held(found.text);
            st = look_once(found.text, &how, frame, end, err);
        }
        if (st != MR_OK && !how.is_written)
            *end = MR_WATCH_ENDED;
        if (st == MR_OK && *end == MR_WATCH_KILLED)
            st = mr_err_set(err, MR_IO, (struct mr_place){found.text, 0, 0},
                            "its run was killed: nobody writes this file any more, and it does not "
                            "say how it ended");
        /* a part may have got its own name since it was found, or while it was looked for */
        const bool is_gone = found.text != NULL && access(found.text, F_OK) != 0;
        mr_buf_fini(&found);
        if (st == MR_OK || (*end != MR_WATCH_RUNNING && (!is_gone || i == n_gone)))
            break;
        wait_s(again_s);
    }
    return st;
}

int mr_watch_verb(const struct mr_verb_call *call)
{
    const struct mr_watch_opts_values *o = call->opts;
    const bool is_live = isatty(STDOUT_FILENO) != 0;
    const struct sigaction resized = {.sa_handler = on_resize};
    int code = 0, n_failed = 0;
    if (is_live)
        (void)sigaction(SIGWINCH, &resized, NULL);
    for (enum mr_watch_end end = MR_WATCH_RUNNING; end == MR_WATCH_RUNNING && code == 0;) {
        struct mr_buf frame = {0}, shown = {0};
        struct mr_err err = {0};
        const mr_status st = look(call->arg[0], &frame, &end, &err);
        if (frame.n > 0) {
            mr_buf_text(&shown, is_live ? "\033[H\033[J" : "");
            put_clipped(frame.text, is_live && end == MR_WATCH_RUNNING ? lines_now() : 0, &shown);
            code = mr_ui_out(call->ui, &shown);
        }
        n_failed = st == MR_OK ? 0 : n_failed + 1;
        if (code == 0 && st != MR_OK &&
            (!is_live || end != MR_WATCH_RUNNING || n_failed == n_patience))
            code = mr_ui_error(call->ui, &err);
        mr_buf_fini(&frame);
        mr_buf_fini(&shown);
        if (!is_live)
            break;
        if (end == MR_WATCH_RUNNING && code == 0)
            wait_s(o->every_s);
    }
    return code;
}
