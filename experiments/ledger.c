/* SPDX-License-Identifier: Apache-2.0 */
/* Locks are POSIX record locks: they work on network file systems and tell who holds them. Two
 * bytes beyond all rows guard the manifest and the status file for the moment of writing. */
#define _XOPEN_SOURCE 700 /* gethostname, ftruncate */
#include "experiments/ledger.h"

#include "engine/base/csv.h"
#include "engine/base/file.h"
#include "engine/base/gz.h"
#include "engine/base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    byte_manifest = MR_EXPERIMENT_ROW_MAX,
    byte_status,
    manifest_max_bytes = 1 << 30
};

static mr_status io_error(const char *folder, const char *what, struct mr_err *err)
{
    return mr_err_set(err, MR_IO, (struct mr_place){folder, 0, 0}, "%s: %s", what, strerror(errno));
}

static mr_status open_in(const char *folder, const char *name, int flags, int *fd,
                         struct mr_err *err)
{
    struct mr_buf path = {0};
    mr_buf_printf(&path, "%s/%s", folder, name);
    mr_status st = mr_buf_check(&path, err);
    if (st == MR_OK) {
        *fd = open(path.text, O_RDWR | O_CREAT | O_CLOEXEC | flags, 0666);
        if (*fd < 0)
            st = io_error(path.text, "cannot be opened", err);
    }
    mr_buf_fini(&path);
    return st;
}

mr_status mr_ledger_open(const char *folder, struct mr_ledger *ledger, struct mr_err *err)
{
    *ledger = (struct mr_ledger){.folder = folder, .lock = -1, .status = -1};
    if (mkdir(folder, 0777) != 0 && errno != EEXIST)
        return io_error(folder, "cannot be made", err);
    if (gethostname(ledger->host, sizeof ledger->host - 1) != 0)
        snprintf(ledger->host, sizeof ledger->host, "unknown");
    MR_TRY(open_in(folder, "sweep.lock", 0, &ledger->lock, err));
    return open_in(folder, "status.csv", O_APPEND, &ledger->status, err);
}

void mr_ledger_close(struct mr_ledger *ledger)
{
    if (ledger->lock >= 0)
        close(ledger->lock);
    if (ledger->status >= 0)
        close(ledger->status);
    *ledger = (struct mr_ledger){.lock = -1, .status = -1};
}

/* ---- locks ---- */

static int lock_bytes(const struct mr_ledger *ledger, short type, size_t from, size_t n, bool waits)
{
    struct flock lock = {
        .l_type = type, .l_whence = SEEK_SET, .l_start = (off_t)from, .l_len = (off_t)n};
    int rc;
    do
        rc = fcntl(ledger->lock, waits ? F_SETLKW : F_SETLK, &lock);
    while (rc != 0 && errno == EINTR);
    return rc;
}

static mr_status claim_run(const struct mr_ledger *ledger, size_t from, size_t n,
                           struct mr_err *err)
{
    if (lock_bytes(ledger, F_WRLCK, from, n, false) == 0)
        return MR_OK;
    if (errno != EACCES && errno != EAGAIN)
        return io_error(ledger->folder, "cannot be locked", err);
    struct flock lock = {
        .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = (off_t)from, .l_len = (off_t)n};
    if (fcntl(ledger->lock, F_GETLK, &lock) != 0 || lock.l_type == F_UNLCK)
        lock = (struct flock){.l_start = (off_t)from};
    if (lock.l_start < (off_t)from)
        lock.l_start = (off_t)from; /* it may have rows before ours, too */
    return mr_err_set(err, MR_IO, (struct mr_place){ledger->folder, 0, 0},
                      "another sweep (process %ld) is running row %lld here", (long)lock.l_pid,
                      (long long)lock.l_start);
}

mr_status mr_ledger_claim(struct mr_ledger *ledger, const bool *is_on, size_t n_row,
                          struct mr_err *err)
{
    for (size_t i = 0; i < n_row;) {
        size_t n = 0;
        while (i + n < n_row && is_on[i + n])
            n++;
        if (n > 0)
            MR_TRY(claim_run(ledger, i, n, err));
        i += n > 0 ? n : 1;
    }
    return MR_OK;
}

/* ---- manifest ---- */

static mr_status compare(const char *path, struct mr_str text, bool *is_same, struct mr_err *err)
{
    struct mr_gz *file = NULL;
    char *old = NULL;
    size_t n = 0;
    mr_status st = mr_gz_open(path, &file, err);
    if (st == MR_OK)
        st = mr_gz_read_all(file, manifest_max_bytes, &old, &n, err);
    mr_gz_close(file);
    if (st == MR_OK)
        *is_same = mr_str_eq(text, (struct mr_str){old, n});
    mr_free(old);
    return st;
}

static mr_status write_manifest(const char *path, struct mr_str text, bool may_replace,
                                bool *was_replaced, struct mr_err *err)
{
    bool is_same = false;
    if (access(path, F_OK) == 0) {
        MR_TRY(compare(path, text, &is_same, err));
        if (is_same)
            return MR_OK;
        if (!may_replace)
            return mr_err_set(err, MR_IO, (struct mr_place){path, 0, 0},
                              "is of another experiment, or of another version of this one "
                              "(--resume runs again what has changed)");
        *was_replaced = true;
    }
    return mr_file_write(path, true, text, err);
}

mr_status mr_ledger_hold(struct mr_ledger *ledger, struct mr_err *err)
{
    return lock_bytes(ledger, F_WRLCK, byte_manifest, 1, true) == 0
               ? MR_OK
               : io_error(ledger->folder, "cannot be locked", err);
}

void mr_ledger_let(struct mr_ledger *ledger)
{
    (void)lock_bytes(ledger, F_UNLCK, byte_manifest, 1, true);
}

mr_status mr_ledger_manifest(struct mr_ledger *ledger, struct mr_str text, bool may_replace,
                             bool *was_replaced, struct mr_err *err)
{
    struct mr_buf path = {0};
    *was_replaced = false;
    mr_buf_printf(&path, "%s/manifest.csv", ledger->folder);
    mr_status st = mr_buf_check(&path, err);
    if (st == MR_OK)
        st = mr_ledger_hold(ledger, err);
    if (st == MR_OK) {
        st = write_manifest(path.text, text, may_replace, was_replaced, err);
        mr_ledger_let(ledger);
    }
    mr_buf_fini(&path);
    return st;
}

/* ---- status ---- */

static void put_line(const struct mr_ledger *ledger, const struct mr_batch_end *end,
                     struct mr_buf *out)
{
    static const char *const states[] = {"done", "failed", "timeout", "dropped"};
    struct mr_csv_writer w = {.buf = out};
    char id[MR_DESIGN_ID];
    mr_csv_put_text(&w, mr_design_id(end->row, id));
    mr_csv_put_text(&w, states[end->state]);
    mr_csv_put_i64(&w, end->exit_code);
    mr_csv_put_f64(&w, end->wall_s);
    mr_csv_put_u64(&w, end->rss_bytes);
    mr_csv_put_text(&w, ledger->host);
    mr_csv_put_text(&w, end->message);
    mr_csv_put_end(&w);
}

/* A line that a dying machine cut off is ended first. */
static mr_status append(const struct mr_ledger *ledger, struct mr_str line, struct mr_err *err)
{
    static const char header[] = "run_id,state,exit,wall_s,rss,host,message\n";
    const off_t size = lseek(ledger->status, 0, SEEK_END);
    char last = '\n';
    if (size > 0 && pread(ledger->status, &last, 1, size - 1) != 1)
        return io_error(ledger->folder, "status.csv cannot be read", err);
    if (size == 0 && write(ledger->status, header, sizeof header - 1) != (ssize_t)sizeof header - 1)
        return io_error(ledger->folder, "status.csv cannot be written", err);
    if ((last != '\n' && write(ledger->status, "\n", 1) != 1) ||
        write(ledger->status, line.p, line.n) != (ssize_t)line.n)
        return io_error(ledger->folder, "status.csv cannot be written", err);
    return MR_OK;
}

mr_status mr_ledger_note(struct mr_ledger *ledger, const struct mr_batch_end *end,
                         struct mr_err *err)
{
    struct mr_buf line = {0};
    put_line(ledger, end, &line);
    mr_status st = mr_buf_check(&line, err);
    if (st == MR_OK && lock_bytes(ledger, F_WRLCK, byte_status, 1, true) != 0)
        st = io_error(ledger->folder, "cannot be locked", err);
    if (st == MR_OK)
        st = append(ledger, (struct mr_str){line.text, line.n}, err);
    (void)lock_bytes(ledger, F_UNLCK, byte_status, 1, true);
    mr_buf_fini(&line);
    return st;
}

void mr_ledger_path(const struct mr_ledger *ledger, size_t row, const char *ending,
                    struct mr_buf *out)
{
    char id[MR_DESIGN_ID];
    mr_buf_printf(out, "%s/run_%s%s", ledger->folder, mr_design_id(row, id), ending);
}
