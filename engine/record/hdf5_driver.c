/* SPDX-License-Identifier: Apache-2.0 */
/* A file driver for HDF5: plain reads and writes, like HDF5's own, but the place of new data is
 * ours to say. HDF5 would put a chunk into space that was freed a moment ago, which the file on
 * disk still points to until the next flush; a process killed in between would leave rows that were
 * flushed long ago overwritten. Here space is only ever taken at the end of the file, but for slots
 * that are handed back after a flush has made them free on disk too.
 *
 * Metadata is kept back until mr_hdf5_flush releases it, and then written so that the file hangs
 * together after each single write: its size; what nothing points to yet; heaps of texts, which
 * only grow; nodes of chunk indices, parents before children (a child that was split still has all
 * entries until its parent knows both halves); headers of objects, their later parts first. No
 * piece lies on two pages if it fits into one, for a kill stops a write between pages; larger ones
 * are written from their end, since their heads say how much of them counts. Nor does a piece ever
 * grow where it lies, or it would come to lie on two pages: behind each there is a gap, and HDF5
 * has to put what is more elsewhere. A file is empty until its first flush: values are kept back
 * so long as well.
 * Pieces that are in the file already are written by a helper process in our memory: killing this
 * one does not stop it, so a flush is there as a whole or not at all. Who kills both still leaves a
 * file that opens, where some datasets may know rows of the last flush that others lack.
 * A live file takes the same way; HDF5 orders what its readers may see, and headers come last.
 * The files are ordinary ones: any driver reads them. */
#define _GNU_SOURCE /* flock, clone */
#include "engine/base/mem.h"
#include "engine/record/hdf5_impl.h"

#include <hdf5.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    n_piece_first = 1 << 10,
    n_byte_first = 1 << 20,
    gap_bytes = 8,
    stack_bytes = 1 << 16 /* of the helper */
};

/* Metadata to be written, kept in the order in which it came. */
struct piece {
    haddr_t at;
    size_t n, from; /* where its bytes are */
    int rank;       /* lower ones first */
};

struct driven {
    H5FD_t head; /* HDF5's part, first */
    struct mr_hdf5_slots *slots;
    struct piece *piece;
    unsigned char *bytes, *stack;
    size_t n_piece, cap_piece, n_byte, cap_byte;
    haddr_t known;   /* end of what the file on disk may point to */
    bool is_ordered; /* HDF5 orders pieces for its readers (SWMR) */
    int fd;
    haddr_t eoa, eof;
    dev_t device;
    ino_t inode;
};

struct info {
    struct mr_hdf5_slots *slots;
};

static struct driven *of(H5FD_t *file)
{
    return (struct driven *)file;
}

static const struct driven *of_const(const H5FD_t *file)
{
    return (const struct driven *)file;
}

/* mr_hdf5_error looks for the number. */
static herr_t fail(const char *what)
{
    (void)H5Epush2(H5E_DEFAULT, __FILE__, what, __LINE__, H5E_ERR_CLS, H5E_IO, H5E_WRITEERROR,
                   "%s: errno = %d", what, errno);
    return -1;
}

static H5FD_t *open_file(const char *name, unsigned flags, hid_t access, haddr_t max)
{
    const struct info *info = H5Pget_driver_info(access);
    struct stat st;
    int how = (flags & H5F_ACC_RDWR) != 0 ? O_RDWR : O_RDONLY;
    if ((flags & H5F_ACC_TRUNC) != 0)
        how |= O_TRUNC;
    (void)max;
    if (info == NULL)
        return NULL;
    const int fd = open(name, how | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) != 0) {
        (void)fail("open");
        if (fd >= 0)
            (void)close(fd);
        return NULL;
    }
    struct driven *file = info->slots->driven; /* HDF5 opens one at a time */
    *file = (struct driven){.piece = file->piece,
                            .bytes = file->bytes,
                            .stack = file->stack,
                            .cap_piece = file->cap_piece,
                            .cap_byte = file->cap_byte,
                            .known = (haddr_t)st.st_size,
                            .slots = info->slots,
                            .fd = fd,
                            .eof = (haddr_t)st.st_size,
                            .device = st.st_dev,
                            .inode = st.st_ino};
    return &file->head;
}

static int compare(const H5FD_t *a, const H5FD_t *b)
{
    const struct driven *x = of_const(a), *y = of_const(b);
    if (x->device != y->device)
        return x->device < y->device ? -1 : 1;
    return (x->inode > y->inode) - (x->inode < y->inode);
}

static herr_t query(const H5FD_t *file, unsigned long *flags)
{
    (void)file;
    /* no accumulation: pieces must stay what they are */
    *flags = H5FD_FEAT_SUPPORTS_SWMR_IO | H5FD_FEAT_DATA_SIEVE | H5FD_FEAT_POSIX_COMPAT_HANDLE |
             H5FD_FEAT_DEFAULT_VFD_COMPATIBLE;
    return 0;
}

static const haddr_t page = 4096;

/* A slot of just this size, else the end. Metadata does not lie across two pages where it fits into
 * one: a kill between the two would tear it. HDF5 extends what ends where the file ends. */
static haddr_t allocate(H5FD_t *head, H5FD_mem_t type, hid_t transfer, hsize_t size)
{
    struct driven *file = of(head);
    struct mr_hdf5_slots *slots = file->slots;
    (void)transfer;
    for (size_t i = 0; type == H5FD_MEM_DRAW && i < slots->n; i++)
        if (slots->item[i].bytes == size) {
            const haddr_t at = slots->item[i].at;
            slots->item[i] = slots->item[--slots->n];
            slots->item[slots->n] = slots->item[--slots->n_all];
            return at;
        }
    haddr_t at = file->eoa;
    if (type != H5FD_MEM_DRAW && size <= page && at % page + size > page)
        at += page - at % page;
    file->eoa = at + size + (type != H5FD_MEM_DRAW ? gap_bytes : 0);
    return at;
}

static haddr_t get_eoa(const H5FD_t *file, H5FD_mem_t type)
{
    (void)type;
    return of_const(file)->eoa;
}

static herr_t set_eoa(H5FD_t *file, H5FD_mem_t type, haddr_t eoa)
{
    (void)type;
    of(file)->eoa = eoa;
    return 0;
}

static haddr_t get_eof(const H5FD_t *file, H5FD_mem_t type)
{
    (void)type;
    return of_const(file)->eof;
}

static herr_t get_handle(H5FD_t *file, hid_t access, void **handle)
{
    (void)access;
    *handle = &of(file)->fd;
    return 0;
}

static herr_t read_disk(const struct driven *file, haddr_t at, size_t n, void *to)
{
    unsigned char *p = to;
    while (n > 0) {
        const ssize_t got = pread(file->fd, p, n, (off_t)at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return fail("read");
        if (got == 0) { /* what was never written reads as zeros */
            memset(p, 0, n);
            return 0;
        }
        p += got;
        at += (haddr_t)got;
        n -= (size_t)got;
    }
    return 0;
}

/* With what is kept back over it. */
static herr_t read_at(H5FD_t *head, H5FD_mem_t type, hid_t transfer, haddr_t at, size_t n, void *to)
{
    const struct driven *file = of(head);
    (void)type;
    (void)transfer;
    if (read_disk(file, at, n, to) < 0)
        return -1;
    for (size_t i = 0; i < file->n_piece; i++) {
        const struct piece *p = &file->piece[i];
        const haddr_t from = p->at > at ? p->at : at;
        const haddr_t end = p->at + p->n < at + n ? p->at + p->n : at + n;
        if (from < end)
            memcpy((unsigned char *)to + (from - at), file->bytes + p->from + (from - p->at),
                   (size_t)(end - from));
    }
    return 0;
}

/* @return 0 or what the system says */
static int write_disk(struct driven *file, haddr_t at, size_t n, const unsigned char *p)
{
    while (n > 0) {
        const ssize_t put = pwrite(file->fd, p, n, (off_t)at);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return errno;
        p += put;
        at += (haddr_t)put;
        n -= (size_t)put;
    }
    if (at > file->eof)
        file->eof = at;
    return 0;
}

/* ---- metadata ---- */

enum {
    rank_size,                    /* the superblock, which knows the file's size */
    rank_new,                     /* nothing points to it yet */
    rank_heap,                    /* texts; the first that must not be torn from the rest */
    rank_index,                   /* less the level of the node, which is below 256 */
    rank_more = rank_index + 256, /* later parts of headers: where a dataset's index is */
    rank_rest,                    /* headers of objects: how many rows a dataset has */
    rank_first                    /* the superblock of a file that is none yet */
};

static bool begins_with(const unsigned char *bytes, size_t n, const char *mark)
{
    return n >= strlen(mark) && memcmp(bytes, mark, strlen(mark)) == 0;
}

/* The index of a live file is a structure of its own, whose parts SWMR orders; headers come last
 * there too. */
static int rank_of(const struct driven *file, H5FD_mem_t type, haddr_t at, size_t n,
                   const unsigned char *bytes)
{
    const size_t i_level = 5;
    if (at == 0)
        return file->known > 0 ? rank_size : rank_first;
    if (at >= file->known)
        return rank_new;
    if (begins_with(bytes, n, "OCHK"))
        return rank_more;
    if (type == H5FD_MEM_GHEAP || file->is_ordered)
        return begins_with(bytes, n, "OHDR") ? rank_rest : rank_heap;
    if (n > i_level && begins_with(bytes, n, "TREE"))
        return rank_index + 255 - bytes[i_level];
    return rank_rest;
}

/* A page is written whole or not at all, as far as a killed process goes. */
static int write_from_end(struct driven *file, const struct piece *piece)
{
    for (size_t n = piece->n; n > 0;) {
        const haddr_t last = (piece->at + n - 1) / page * page;
        const size_t skipped = last > piece->at ? (size_t)(last - piece->at) : 0;
        const int rc =
            write_disk(file, piece->at + skipped, n - skipped, file->bytes + piece->from + skipped);
        if (rc != 0)
            return rc;
        n = skipped;
    }
    return 0;
}

static int write_pieces(struct driven *file, size_t first, size_t end)
{
    int rc = 0;
    for (size_t i = first; i < end && rc == 0; i++)
        rc = write_from_end(file, &file->piece[i]);
    return rc;
}

static int by_place(const void *a, const void *b)
{
    const struct piece *x = a, *y = b;
    if (x->at != y->at)
        return x->at < y->at ? -1 : 1;
    return (x->from > y->from) - (x->from < y->from);
}

static int by_rank(const void *a, const void *b)
{
    const struct piece *x = a, *y = b;
    if (x->rank != y->rank)
        return x->rank < y->rank ? -1 : 1;
    return (x->from > y->from) - (x->from < y->from);
}

/* What was written twice, once: as it was the last time. */
static void join(struct driven *file)
{
    size_t n = 0;
    qsort(file->piece, file->n_piece, sizeof *file->piece, by_place);
    for (size_t i = 0; i < file->n_piece; i++) {
        const struct piece *piece = &file->piece[i];
        if (n > 0 && file->piece[n - 1].at == piece->at && file->piece[n - 1].n <= piece->n)
            n--;
        file->piece[n++] = *piece;
    }
    file->n_piece = n;
}

/* ---- the helper ---- */

struct errand {
    struct driven *file;
    size_t first;
    int rc;
};

/* The superblock may name no end that is not there. */
static int extend(struct driven *file)
{
    if (file->eoa <= file->eof)
        return 0;
    if (ftruncate(file->fd, (off_t)file->eoa) != 0)
        return errno;
    file->eof = file->eoa;
    return 0;
}

static void run_errand(struct errand *errand)
{
    const int rc = extend(errand->file);
    errand->rc = rc != 0 ? rc : write_pieces(errand->file, errand->first, errand->file->n_piece);
}

/* In a group of its own: what is sent to all of ours does not stop it either. */
static int help(void *arg)
{
    (void)setpgid(0, 0);
    run_errand(arg);
    return 0;
}

/* This thread sleeps until the helper is done; its end is nobody's signal. What one does not bring
 * to its end can be done again. */
static int write_by_helper(struct driven *file, size_t first)
{
    struct errand errand = {file, first, -1};
    if (file->n_piece - first > 1) {
        const pid_t pid =
            clone(help, file->stack + stack_bytes, CLONE_VM | CLONE_VFORK | CLONE_FILES, &errand);
        while (pid > 0 && waitpid(pid, NULL, (int)__WCLONE) < 0 && errno == EINTR)
            continue;
    }
    if (errand.rc < 0)
        run_errand(&errand);
    return errand.rc;
}

/* ---- all of a flush ---- */

/* What a full disk stops has changed nothing that was in the file, and stays to be written. */
static herr_t release(struct driven *file)
{
    const bool is_first = file->known == 0; /* the file is empty, and then whole */
    size_t n_new = 0;
    if (file->n_piece == 0)
        return 0;
    join(file);
    qsort(file->piece, file->n_piece, sizeof *file->piece, by_rank);
    while (n_new < file->n_piece && !is_first && file->piece[n_new].rank <= rank_new)
        n_new++;
    errno = is_first ? 0 : extend(file);
    if (errno == 0)
        errno = write_pieces(file, 0, n_new);
    if (errno == 0)
        errno = write_by_helper(file, n_new);
    if (errno != 0)
        return fail("write");
    file->n_piece = file->n_byte = 0;
    file->known = file->eoa;
    file->slots->n = file->slots->n_all;
    return 0;
}

static herr_t keep(struct driven *file, H5FD_mem_t type, haddr_t at, size_t n, const void *from)
{
    if (mr_grow(&file->piece, &file->cap_piece, file->n_piece + 1, sizeof *file->piece, NULL) !=
            MR_OK ||
        mr_grow(&file->bytes, &file->cap_byte, file->n_byte + n, 1, NULL) != MR_OK) {
        errno = ENOMEM;
        return fail("keep");
    }
    file->piece[file->n_piece++] =
        (struct piece){at, n, file->n_byte, rank_of(file, type, at, n, from)};
    memcpy(file->bytes + file->n_byte, from, n);
    file->n_byte += n;
    return 0;
}

static herr_t close_file(H5FD_t *head)
{
    const herr_t st = release(of(head));
    return close(of(head)->fd) == 0 ? st : fail("close");
}

static herr_t write_at(H5FD_t *head, H5FD_mem_t type, hid_t transfer, haddr_t at, size_t n,
                       const void *from)
{
    (void)transfer;
    if (type != H5FD_MEM_DRAW || of(head)->known == 0)
        return keep(of(head), type, at, n, from);
    errno = write_disk(of(head), at, n, from);
    return errno == 0 ? 0 : fail("write");
}

/* HDF5 sets the size just before it asks for a flush. That of an empty file is the helper's to set:
 * a kill in between would leave zeros that are no file. */
static herr_t truncate_file(H5FD_t *head, hid_t transfer, hbool_t is_closing)
{
    struct driven *file = of(head);
    (void)transfer;
    (void)is_closing;
    if (file->eoa == file->eof || file->known == 0)
        return 0;
    if (ftruncate(file->fd, (off_t)file->eoa) != 0)
        return fail("truncate");
    file->eof = file->eoa;
    return 0;
}

/* Readers that lock are refused while this file is written, as with HDF5's own driver. One that
 * came first does not stop us: writers keep each other out by a lock of engine/base/file. */
static herr_t lock(H5FD_t *file, hbool_t is_writer)
{
    (void)flock(of(file)->fd, (is_writer ? LOCK_EX : LOCK_SH) | LOCK_NB);
    return 0;
}

static herr_t unlock(H5FD_t *file)
{
    (void)flock(of(file)->fd, LOCK_UN);
    return 0;
}

static const H5FD_class_t driver = {
    .name = "millrace",
    .maxaddr = INT64_MAX,
    .fc_degree = H5F_CLOSE_STRONG,
    .fapl_size = sizeof(struct info),
    .open = open_file,
    .close = close_file,
    .cmp = compare,
    .query = query,
    .alloc = allocate,
    .get_eoa = get_eoa,
    .set_eoa = set_eoa,
    .get_eof = get_eof,
    .get_handle = get_handle,
    .read = read_at,
    .write = write_at,
    .truncate = truncate_file,
    .lock = lock,
    .unlock = unlock,
    .fl_map = H5FD_FLMAP_DICHOTOMY,
};

mr_status mr_hdf5_drive(mr_hid access, struct mr_hdf5_slots *slots, struct mr_err *err)
{
    const struct info info = {slots};
    if (slots->driven == NULL)
        slots->driven = mr_alloc_zero(1, sizeof(struct driven));
    struct driven *file = slots->driven;
    if (file == NULL)
        return mr_err_nomem(err, sizeof *file);
    if (file->stack == NULL)
        file->stack = mr_alloc(stack_bytes, 1);
    if (file->stack == NULL)
        return mr_err_nomem(err, stack_bytes);
    MR_TRY(mr_grow(&file->piece, &file->cap_piece, n_piece_first, sizeof *file->piece, err));
    MR_TRY(mr_grow(&file->bytes, &file->cap_byte, n_byte_first, 1, err));
    const hid_t id = H5FDregister(&driver);
    const bool is_good = id >= 0 && H5Pset_driver(access, id, &info) >= 0;
    if (id >= 0)
        (void)H5FDunregister(id); /* the list and then the file hold it */
    return is_good ? MR_OK : mr_hdf5_error(err, NULL, "the file driver cannot be set");
}

void mr_hdf5_order(struct mr_hdf5_file file)
{
    struct driven *driven = file.slots->driven;
    driven->is_ordered = true;
}

mr_status mr_hdf5_release(struct mr_hdf5_file file, struct mr_err *err)
{
    return release(file.slots->driven) >= 0
               ? MR_OK
               : mr_hdf5_error(err, file.path, "the run file cannot be written");
}

void mr_hdf5_slots_fini(struct mr_hdf5_slots *slots)
{
    struct driven *file = slots->driven;
    if (file != NULL) {
        mr_free(file->piece);
        mr_free(file->bytes);
        mr_free(file->stack);
    }
    mr_free(file);
    mr_free(slots->item);
}
