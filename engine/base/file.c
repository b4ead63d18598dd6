/* SPDX-License-Identifier: Apache-2.0 */
/* Atomic output files. Whoever writes holds an advisory lock on the part; link() rather than
 * rename() where overwriting is not allowed, so that two writers cannot both win. The lock belongs
 * to the open file, not to the process: a library that opens and closes the same part (HDF5 does)
 * does not take it away. */
#define _GNU_SOURCE /* realpath, F_OFD_SETLK */
#include "engine/base/file.h"

#include "engine/base/gz.h"
#include "engine/base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    pending_cap = 1 << 16,
    gz_level = 6
};

static mr_status io_error(struct mr_err *err, const char *path, const char *what)
{
    const int why = errno;
    return mr_err_set(err, MR_IO, (struct mr_place){path, 0, 0}, "%s: %s", what, strerror(why));
}

static void release(struct mr_file_out *out)
{
    if (out->path != NULL && out->fd >= 0)
        close(out->fd);
    mr_free(out->path);
    mr_free(out->part);
    mr_free(out->pending);
    *out = (struct mr_file_out){.fd = -1};
}

/* Open and lock the part. A part that somebody renamed or removed between open and lock is another
 * file by now: try again. */
static mr_status open_part(struct mr_file_out *out, struct mr_err *err)
{
    for (int round = 0; round < 8; round++) {
        struct stat ours, named;
        out->fd = open(out->part, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
        if (out->fd < 0)
            return io_error(err, out->part, "cannot be created");
        struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
        if (fcntl(out->fd, F_OFD_SETLK, &lock) != 0)
            return mr_err_set(err, MR_IO, (struct mr_place){out->part, 0, 0},
                              "another process is writing this file");
        if (fstat(out->fd, &ours) != 0)
            return io_error(err, out->part, "cannot be inspected");
        if (stat(out->part, &named) == 0 && ours.st_ino == named.st_ino &&
            ours.st_dev == named.st_dev) {
            if (ftruncate(out->fd, 0) != 0)
                return io_error(err, out->part, "cannot be emptied");
            return MR_OK;
        }
        close(out->fd);
        out->fd = -1;
    }
    return mr_err_set(err, MR_IO, (struct mr_place){out->part, 0, 0},
                      "other processes keep replacing this file");
}

static bool is_device(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode);
}

static mr_status open_named(struct mr_file_out *out, const char *path, struct mr_err *err)
{
    char target[PATH_MAX];
    struct stat link;
    if (path[0] == '\0')
        return mr_err_set(err, MR_IO, MR_NOWHERE, "an empty name cannot be written to");
    /* what a link points to is replaced, not the link */
    if (lstat(path, &link) == 0 && S_ISLNK(link.st_mode) && realpath(path, target) != NULL)
        path = target;
    const size_t n = strlen(path);
    out->path = mr_alloc_text(path, n);
    if (out->path == NULL)
        return mr_err_nomem(err, n + 1);
    if (is_device(path)) { /* a pipe, /dev/null: there is nothing to rename */
        out->fd = open(path, O_WRONLY | O_CLOEXEC);
        return out->fd >= 0 ? MR_OK : io_error(err, path, "cannot be opened for writing");
    }
    struct mr_buf part = {0};
    mr_buf_text(&part, path);
    mr_buf_text(&part, ".part");
    out->part = part.text; /* the buffer's memory is ours from here */
    MR_TRY(mr_buf_check(&part, err));
    if (!out->may_overwrite && access(path, F_OK) == 0)
        return mr_err_set(err, MR_IO, (struct mr_place){path, 0, 0},
                          "exists already (-f overwrites it)");
    return open_part(out, err);
}

mr_status mr_file_out_open(struct mr_file_out *out, const char *path, bool may_overwrite,
                           struct mr_err *err)
{
    *out = (struct mr_file_out){.fd = -1, .may_overwrite = may_overwrite};
    out->pending = mr_alloc(pending_cap, 1);
    if (out->pending == NULL)
        return mr_err_nomem(err, pending_cap);
    if (strcmp(path, "-") == 0) {
        out->fd = STDOUT_FILENO;
        return MR_OK;
    }
    const size_t n_path = strlen(path);
    out->is_gz = n_path > 3 && strcmp(path + n_path - 3, ".gz") == 0;
    const mr_status st = open_named(out, path, err);
    if (st != MR_OK)
        release(out);
    return st;
}

static mr_status write_all(struct mr_file_out *out, const char *bytes, size_t n, struct mr_err *err)
{
    const char *name = out->part != NULL   ? out->part
                       : out->path != NULL ? out->path
                                           : "standard output";
    while (n > 0) {
        const ssize_t written = write(out->fd, bytes, n);
        if (written < 0) {
            if (errno == EINTR)
                continue;
            return io_error(err, name, "cannot be written");
        }
        bytes += written;
        n -= (size_t)written;
    }
    return MR_OK;
}

/* As a member of its own where the file is compressed: a reader takes all of them as one stream. */
static mr_status put(struct mr_file_out *out, const char *bytes, size_t n, struct mr_err *err)
{
    void *member = NULL;
    size_t n_member = 0;
    if (!out->is_gz)
        return write_all(out, bytes, n, err);
    MR_TRY(mr_gz_compress(bytes, n, gz_level, &member, &n_member, err));
    const mr_status st = write_all(out, member, n_member, err);
    out->has_member = true;
    mr_free(member);
    return st;
}

static mr_status flush(struct mr_file_out *out, struct mr_err *err)
{
    const size_t n = out->n_pending;
    out->n_pending = 0;
    return n > 0 ? put(out, out->pending, n, err) : MR_OK;
}

mr_status mr_file_out_add(struct mr_file_out *out, const void *bytes, size_t n, struct mr_err *err)
{
    if (n > pending_cap - out->n_pending)
        MR_TRY(flush(out, err));
    if (n >= pending_cap)
        return put(out, bytes, n, err);
    if (n > 0)
        memcpy(out->pending + out->n_pending, bytes, n);
    out->n_pending += n;
    return MR_OK;
}

static mr_status publish(struct mr_file_out *out, struct mr_err *err)
{
    if (fsync(out->fd) != 0)
        return io_error(err, out->part, "cannot be synced");
    if (out->may_overwrite) {
        if (rename(out->part, out->path) != 0)
            return io_error(err, out->path, "cannot be replaced");
        return MR_OK;
    }
    if (link(out->part, out->path) == 0) {
        (void)unlink(out->part);
        return MR_OK;
    }
    if (errno == EEXIST)
        return mr_err_set(err, MR_IO, (struct mr_place){out->path, 0, 0},
                          "was created meanwhile by somebody else (-f overwrites it)");
    /* file systems without hard links */
    if (access(out->path, F_OK) == 0 || rename(out->part, out->path) != 0)
        return io_error(err, out->path, "cannot be created");
    return MR_OK;
}

mr_status mr_file_out_commit(struct mr_file_out *out, struct mr_err *err)
{
    mr_status st = flush(out, err);
    if (st == MR_OK && out->is_gz && !out->has_member) /* nothing, compressed, is something */
        st = put(out, "", 0, err);
    if (st == MR_OK && out->part != NULL)
        st = publish(out, err);
    if (st != MR_OK)
        mr_file_out_abort(out);
    else
        release(out);
    return st;
}

void mr_file_out_abort(struct mr_file_out *out)
{
    if (out->part != NULL && out->fd >= 0 && !out->is_part_kept)
        (void)unlink(out->part);
    release(out);
}

mr_status mr_file_out_end(struct mr_file_out *out, mr_status st, struct mr_err *err)
{
    if (st == MR_OK)
        return mr_file_out_commit(out, err);
    mr_file_out_abort(out);
    return st;
}

mr_status mr_file_out_drain(struct mr_file_out *out, struct mr_buf *buf, struct mr_err *err)
{
    MR_TRY(mr_buf_check(buf, err));
    if (buf->n > 0)
        MR_TRY(mr_file_out_add(out, buf->text, buf->n, err));
    mr_buf_clear(buf);
    return MR_OK;
}

mr_status mr_file_try(const char *path, bool may_overwrite, struct mr_err *err)
{
    struct mr_file_out out;
    if (strcmp(path, "-") == 0 || is_device(path)) /* who reads a pipe would see it end */
        return MR_OK;
    MR_TRY(mr_file_out_open(&out, path, may_overwrite, err));
    mr_file_out_abort(&out);
    return MR_OK;
}

mr_status mr_file_write(const char *path, bool may_overwrite, struct mr_str text,
                        struct mr_err *err)
{
    struct mr_file_out out;
    MR_TRY(mr_file_out_open(&out, path, may_overwrite, err));
    return mr_file_out_end(&out, mr_file_out_add(&out, text.p, text.n, err), err);
}

bool mr_file_is_held(const char *part)
{
    const int fd = open(part, O_RDONLY | O_CLOEXEC);
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    const bool is_told = fd >= 0 && fcntl(fd, F_OFD_GETLK, &lock) == 0;
    const bool is_gone = fd < 0 && errno == ENOENT;
    if (fd >= 0)
        close(fd);
    return is_told ? lock.l_type != F_UNLCK : !is_gone;
}

void mr_file_join(const char *base_file, const char *path, struct mr_buf *out)
{
    const char *slash = base_file != NULL ? strrchr(base_file, '/') : NULL;
    if (path[0] != '/' && slash != NULL)
        mr_buf_add(out, base_file, (size_t)(slash - base_file) + 1);
    mr_buf_text(out, path);
}
