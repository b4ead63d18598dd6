/* SPDX-License-Identifier: Apache-2.0 */
/* A run file's life. engine/base/file owns the part's name, its lock and the final rename; HDF5
 * writes through a handle of its own in the writing thread.
 *
 * A full disk: an unlinked file beside the part holds a few MiB back. When a write fails it is
 * closed, which gives HDF5 the room to write the state of the file and to close it. A limit on the
 * file's size (ulimit -f) is looked up before chunks are written, since nothing can be held back
 * there. */
#define _GNU_SOURCE /* O_TMPFILE */
#include "engine/base/assert.h"
#include "engine/base/file.h"
#include "engine/base/gz.h"
#include "engine/base/mem.h"
#include "engine/record/runfile_impl.h"
#include "engine/record/writer.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
    stream_bytes = sizeof(void *) /* a record begins with the stream it is for, NULL: a job */
};

struct posted {
    struct mr_runfile_stream *none;
    mr_runfile_fn *fn;
    void *arg; /* behind it in the ring */
};

enum stage {
    STAGE_DECLARING,
    STAGE_GROWING,
    STAGE_STOPPED,
    STAGE_FINISHED
};

struct mr_runfile {
    struct mr_runfile_options options;
    struct mr_file_out out;
    char *part; /* as out.part, which a commit frees */
    struct mr_writer *writer;
    enum stage stage; /* the producer's, and all streams it gave */
    struct mr_runfile_stream *given, **end_given;
    atomic_bool has_failed; /* set after `fault`, which is written once */
    struct mr_err fault;
    /* the writing thread's */
    struct mr_tape_tools tools;
    struct mr_runfile_stream *first, **end; /* those that grow */
    bool is_growing, is_swmr;
    bool is_whole; /* flushed once: what is on disk opens */
    bool is_lost;  /* that failed: it never will */
    int ballast;
};

static const char *const end_texts[] = {
#define END_ROW(name, text) text,
    MR_RUNFILE_END_LIST(END_ROW)
#undef END_ROW
};

struct mr_runfile_options mr_runfile_options_default(void)
{
    return (struct mr_runfile_options){
        .flush_s = 5, .ring_bytes = (size_t)8 << 20, .reserve_bytes = (size_t)4 << 20, .level = 4};
}

const char *mr_runfile_part(const struct mr_runfile *file)
{
    return file->part;
}

const struct mr_runfile_options *mr_runfile_options_of(const struct mr_runfile *file)
{
    return &file->options;
}

/* ---- the writing thread ---- */

static mr_status put_state(struct mr_hdf5_file at, const char *state, const char *reason,
                           struct mr_err *err)
{
    mr_hid root;
    MR_TRY(mr_hdf5_group(at, "/", &root, err));
    mr_status st = mr_hdf5_attr_text(at, root, "status", state, err);
    if (st == MR_OK)
        st = mr_hdf5_attr_text(at, root, "exit_reason", reason, err);
    mr_hdf5_group_close(root);
    return st;
}

/* On the way out after a failure: the first reason is the one that counts. */
static void forget(mr_status st)
{
    (void)st;
}

static void close_streams(struct mr_runfile *file)
{
    for (struct mr_runfile_stream *s = file->first; s != NULL; s = s->next)
        s->close(s);
}

static void drop_ballast(struct mr_runfile *file)
{
    if (file->ballast >= 0)
        (void)close(file->ballast);
    file->ballast = -1;
}

/* Half of it for rows; the other half is for the state of the file. */
static void thin_ballast(struct mr_runfile *file)
{
    if (file->ballast >= 0 &&
        ftruncate(file->ballast, (off_t)(file->options.reserve_bytes / 2)) != 0)
        drop_ballast(file);
}

/* Chunks stop this far before a limit on the file's size, or a share of it, so that closing fits.
 */
static uint64_t size_limit(size_t reserve_bytes, uint64_t share)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_FSIZE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
        return UINT64_MAX;
    const uint64_t most = limit.rlim_cur, margin = most / share;
    return most - (margin < reserve_bytes ? margin : reserve_bytes);
}

/* A live file is closed and opened again: SWMR ends with closing. */
static mr_status end_swmr(struct mr_runfile *file, struct mr_err *err)
{
    struct mr_hdf5_file *at = &file->tools.file;
    const mr_status st = mr_hdf5_close(*at, err);
    at->id = -1;
    file->is_swmr = false;
    MR_TRY(st);
    return mr_hdf5_reopen(at->path, at->slots, &at->id, err);
}

/* What is on disk where its first flush fails is no file yet, and will not be one. */
static void lose(struct mr_runfile *file, struct mr_err *err)
{
    static const char why[] = "; the part would not open, and is taken away";
    const size_t n = err != NULL ? strlen(err->text) : 0;
    file->is_lost = true;
    if (err != NULL && n + sizeof why <= sizeof err->text)
        memcpy(err->text + n, why, sizeof why);
}

/* The file cannot be written any more: remember why and close it as well as it goes, with the room
 * that was held back. Rows that only some datasets of a group could store are cut off, which SWMR
 * does not allow. */
static void fail(struct mr_runfile *file, const struct mr_err *err)
{
    struct mr_err ignored = {0};
    struct mr_hdf5_file *at = &file->tools.file;
    thin_ballast(file);
    file->tools.size_limit = size_limit(file->options.reserve_bytes / 2, 8);
    for (struct mr_runfile_stream *s = file->first; s != NULL; s = s->next)
        s->salvage(s, &file->tools);
    if (file->is_swmr) {
        forget(mr_hdf5_flush(*at, &ignored));
        close_streams(file);
        forget(end_swmr(file, &ignored));
    }
    drop_ballast(file);
    for (struct mr_runfile_stream *s = file->first; s != NULL && at->id >= 0; s = s->next)
        s->level(s, &file->tools);
    file->fault = *err;
    if ((at->id < 0 || put_state(*at, end_texts[MR_RUNFILE_FAILED], err->text, &ignored) != MR_OK ||
         mr_hdf5_flush(*at, &ignored) != MR_OK) &&
        !file->is_whole)
        lose(file, &file->fault);
    close_streams(file);
    if (at->id >= 0)
        forget(mr_hdf5_close(*at, &ignored));
    at->id = -1;
    atomic_store(&file->has_failed, true);
}

/* What is lost is not written again; it is closed at the end. */
static void give_up(struct mr_runfile *file, const struct mr_err *err)
{
    if (!file->is_lost) {
        fail(file, err);
        return;
    }
    file->fault = *err;
    atomic_store(&file->has_failed, true);
}

static void run_posted(struct mr_runfile *file, const struct posted *posted)
{
    struct mr_err err = {0};
    mr_hdf5_silence();
    if (posted->fn(posted->arg, &file->tools, &err) != MR_OK)
        give_up(file, &err);
}

static void on_record(void *context, const void *bytes, size_t n)
{
    struct mr_runfile *file = context;
    struct mr_runfile_stream *stream;
    struct mr_err err = {0};
    if (atomic_load_explicit(&file->has_failed, memory_order_relaxed))
        return;
    memcpy(&stream, bytes, stream_bytes);
    const unsigned char *payload = (const unsigned char *)bytes + stream_bytes;
    if (stream == NULL)
        run_posted(file, bytes);
    else if (stream->record(stream, &file->tools, payload, n - stream_bytes, &err) != MR_OK)
        fail(file, &err);
}

static mr_status settle_all(struct mr_runfile *file, bool is_last, struct mr_err *err)
{
    for (struct mr_runfile_stream *s = file->first; s != NULL; s = s->next)
        MR_TRY(s->settle(s, &file->tools, is_last, err));
    return mr_hdf5_flush(file->tools.file, err);
}

static void on_flush(void *context)
{
    struct mr_runfile *file = context;
    struct mr_err err = {0};
    if (file->tools.file.id >= 0 && file->is_growing && settle_all(file, false, &err) != MR_OK)
        fail(file, &err);
}

/* ---- calls into it ---- */

struct job {
    struct mr_runfile *file;
    mr_runfile_fn *fn;
    void *arg;
    struct mr_err *err;
    mr_status status;
};

static void run_job(void *arg)
{
    struct job *job = arg;
    mr_hdf5_silence();
    job->status = atomic_load(&job->file->has_failed)
                      ? mr_runfile_fault(job->file, job->err)
                      : job->fn(job->arg, &job->file->tools, job->err);
}

static mr_status run(struct mr_runfile *file, mr_runfile_fn *fn, void *arg, struct mr_err *err)
{
    struct mr_err reason = {0}; /* needed here even where the caller does not ask */
    struct job job = {file, fn, arg, &reason, MR_OK};
    mr_writer_call(file->writer, run_job, &job);
    if (err != NULL && err->status == MR_OK)
        *err = reason;
    return job.status;
}

void *mr_runfile_pack(struct mr_runfile_pack *pack, const void *bytes, size_t n)
{
    void *copy = pack->to != NULL && bytes != NULL ? pack->to + pack->n : NULL;
    if (copy != NULL)
        memcpy(copy, bytes, n);
    if (bytes != NULL)
        pack->n += (n + 7) & ~(size_t)7;
    return copy;
}

const char *mr_runfile_pack_text(struct mr_runfile_pack *pack, const char *text)
{
    return mr_runfile_pack(pack, text, text != NULL ? strlen(text) + 1 : 0);
}

const char *const *mr_runfile_pack_texts(struct mr_runfile_pack *pack, const char *const *text,
                                         size_t n)
{
    const char **copy = mr_runfile_pack(pack, text, n * sizeof *text);
    for (size_t i = 0; text != NULL && i < n; i++) {
        const char *own = mr_runfile_pack_text(pack, text[i]);
        if (copy != NULL)
            copy[i] = own;
    }
    return copy;
}

mr_status mr_runfile_post(struct mr_runfile *file, const char *what, mr_runfile_fn *fn,
                          mr_runfile_copy *copy, void *arg, struct mr_err *err)
{
    struct mr_runfile_pack pack = {.n = sizeof(struct posted)};
    MR_ASSERT(file->stage != STAGE_FINISHED);
    if (file->stage == STAGE_GROWING && file->options.is_live)
        return mr_err_set(err, MR_LIMIT, (struct mr_place){file->part, 0, 0},
                          "%s: while a live file grows nothing but rows can be written (before it "
                          "starts or after it stops)",
                          what);
    if (atomic_load_explicit(&file->has_failed, memory_order_acquire))
        return mr_runfile_fault(file, err);
    (void)copy(arg, &pack);
    if (pack.n > mr_writer_most(file->writer))
        return run(file, fn, arg, err);
    unsigned char *record = mr_writer_reserve(file->writer, pack.n);
    pack = (struct mr_runfile_pack){record, sizeof(struct posted)};
    const struct posted posted = {.fn = fn, .arg = copy(arg, &pack)};
    memcpy(record, &posted, sizeof posted);
    mr_writer_commit(file->writer);
    return MR_OK;
}

mr_status mr_runfile_fault(const struct mr_runfile *file, struct mr_err *err)
{
    if (err != NULL && err->status == MR_OK)
        *err = file->fault;
    return file->fault.status;
}

void *mr_runfile_copy_pointer(const void *arg, struct mr_runfile_pack *pack)
{
    return mr_runfile_pack(pack, arg, sizeof(void *));
}

static mr_status add_stream(void *arg, struct mr_tape_tools *tools, struct mr_err *err)
{
    struct mr_runfile_stream *const stream = *(struct mr_runfile_stream **)arg;
    struct mr_runfile *file = stream->file;
    (void)tools;
    (void)err;
    *file->end = stream;
    file->end = &stream->next;
    return MR_OK;
}

mr_status mr_runfile_add(struct mr_runfile *file, struct mr_runfile_stream *take_stream,
                         size_t record_bytes, struct mr_err *err)
{
    take_stream->file = file;
    take_stream->next = take_stream->next_given = NULL;
    MR_TRY(mr_writer_widen(file->writer, record_bytes + stream_bytes, err));
    MR_TRY(
        mr_runfile_post(file, "a stream", add_stream, mr_runfile_copy_pointer, &take_stream, err));
    *file->end_given = take_stream;
    file->end_given = &take_stream->next_given;
    return MR_OK;
}

void *mr_runfile_reserve(struct mr_runfile_stream *stream, size_t n)
{
    struct mr_runfile *file = stream->file;
    MR_ASSERT(file->stage == STAGE_GROWING);
    if (atomic_load_explicit(&file->has_failed, memory_order_acquire))
        return NULL;
    unsigned char *record = mr_writer_reserve(file->writer, stream_bytes + n);
    memcpy(record, &stream, stream_bytes);
    return record + stream_bytes;
}

void mr_runfile_commit(struct mr_runfile_stream *stream)
{
    mr_writer_commit(stream->file->writer);
}

/* ---- create ---- */

/* The folder's own file system, so that what is given back is what the run file gets. Where nothing
 * can be held back, a run does without. */
static mr_status hold_back(struct mr_runfile *file, struct mr_err *err)
{
    struct mr_buf folder = {0};
    mr_file_join(file->part, ".", &folder);
    const mr_status st = mr_buf_check(&folder, err);
    if (st == MR_OK)
        file->ballast = open(folder.text, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    mr_buf_fini(&folder);
    if (file->ballast >= 0 &&
        posix_fallocate(file->ballast, 0, (off_t)file->options.reserve_bytes) != 0)
        drop_ballast(file);
    return st;
}

static mr_status create_file(void *arg, struct mr_tape_tools *tools, struct mr_err *err)
{
    struct mr_runfile *file = arg;
    const uint64_t number = MR_RUNFILE_SCHEMA;
    mr_hid root;
    if (file->options.reserve_bytes > 0) /* here, where a limit on files raises no signal */
        MR_TRY(hold_back(file, err));
    MR_TRY(mr_hdf5_create(file->part, &tools->slots, file->options.is_live, &tools->file.id, err));
    MR_TRY(put_state(tools->file, end_texts[MR_RUNFILE_PARTIAL], "", err));
    MR_TRY(mr_hdf5_group(tools->file, "/", &root, err));
    mr_status st = mr_hdf5_attr_text(tools->file, root, "Conventions", "CF-1.8", err);
    if (st == MR_OK)
        st = mr_hdf5_attr_number(tools->file, root, "schema", MR_CHANNEL_U64, &number, 0, err);
    mr_hdf5_group_close(root);
    return st;
}

static mr_status init(struct mr_runfile *file, const char *path, struct mr_err *err)
{
    const struct mr_writer_client client = {on_record, on_flush, file};
    MR_TRY(mr_file_out_open(&file->out, path, file->options.may_overwrite, err));
    if (file->out.part == NULL)
        return mr_err_set(err, MR_IO, (struct mr_place){path, 0, 0},
                          "a run file needs a name on a disk, not a stream or a device");
    file->part = mr_alloc_text(file->out.part, strlen(file->out.part));
    if (file->part == NULL)
        return mr_err_nomem(err, strlen(file->out.part) + 1);
    file->tools.file.path = file->part;
    file->tools.file.slots = &file->tools.slots;
    file->tools.level = file->options.level;
    file->tools.is_live = file->options.is_live;
    file->tools.size_limit = size_limit(file->options.reserve_bytes, 4);
    if (file->options.level > 0)
        MR_TRY(mr_gz_deflater_create(file->options.level, &file->tools.deflater, err));
    MR_TRY(mr_writer_create(&client, file->options.ring_bytes, file->options.flush_s, &file->writer,
                            err));
    return run(file, create_file, file, err);
}

mr_status mr_runfile_create(const char *path, const struct mr_runfile_options *options,
                            struct mr_runfile **out, struct mr_err *err)
{
    MR_ASSERT(options->level >= 0 && options->level <= 9);
    *out = NULL;
    struct mr_runfile *file = mr_alloc_zero(1, sizeof *file);
    if (file == NULL)
        return mr_err_nomem(err, sizeof *file);
    file->options = *options;
    file->out.fd = -1;
    file->ballast = -1;
    file->tools.file.id = -1;
    file->end = &file->first;
    file->end_given = &file->given;
    const mr_status st = init(file, path, err);
    if (st == MR_OK) {
        file->out.is_part_kept = true;
        *out = file;
        return MR_OK;
    }
    mr_runfile_destroy(file);
    return st;
}

/* ---- stages ---- */

static mr_status flush_file(struct mr_runfile *file, struct mr_err *err)
{
    const mr_status st = mr_hdf5_flush(file->tools.file, err);
    if (st == MR_OK)
        file->is_whole = true;
    else if (!file->is_whole)
        lose(file, err);
    return st;
}

static mr_status start(void *arg, struct mr_tape_tools *tools, struct mr_err *err)
{
    struct mr_runfile *file = *(struct mr_runfile **)arg;
    MR_TRY(flush_file(file, err));
    if (file->options.is_live)
        MR_TRY(mr_hdf5_start_swmr(tools->file, err));
    file->is_swmr = file->options.is_live;
    file->is_growing = true;
    return MR_OK;
}

mr_status mr_runfile_start(struct mr_runfile *file, struct mr_err *err)
{
    MR_ASSERT(file->stage == STAGE_DECLARING);
    MR_TRY(mr_runfile_post(file, "the start", start, mr_runfile_copy_pointer, &file, err));
    file->stage = STAGE_GROWING;
    return MR_OK;
}

static mr_status flush(void *arg, struct mr_tape_tools *tools, struct mr_err *err)
{
    struct mr_runfile *file = arg;
    const mr_status st = file->is_growing ? settle_all(file, false, err) : flush_file(file, err);
    (void)tools;
    if (st != MR_OK)
        give_up(file, err);
    return st;
}

mr_status mr_runfile_flush(struct mr_runfile *file, struct mr_err *err)
{
    MR_ASSERT(file->stage != STAGE_FINISHED);
    return run(file, flush, file, err);
}

static mr_status stop(void *arg, struct mr_tape_tools *tools, struct mr_err *err)
{
    struct mr_runfile *file = arg;
    mr_status st = settle_all(file, true, err);
    file->is_growing = false;
    if (st == MR_OK)
        close_streams(file);
    if (st == MR_OK && file->is_swmr)
        st = end_swmr(file, err);
    for (struct mr_runfile_stream *s = file->first; s != NULL && st == MR_OK; s = s->next)
        if (s->describe != NULL)
            st = s->describe(s, tools, err);
    if (st != MR_OK)
        fail(file, err);
    return st;
}

mr_status mr_runfile_stop(struct mr_runfile *file, struct mr_err *err)
{
    MR_ASSERT(file->stage == STAGE_GROWING);
    mr_status st = MR_OK;
    for (struct mr_runfile_stream *s = file->given; s != NULL && st == MR_OK; s = s->next_given)
        if (s->stop != NULL)
            st = s->stop(s, err);
    const mr_status st_file = run(file, stop, file, err);
    file->stage = STAGE_STOPPED;
    return st != MR_OK ? st : st_file;
}

struct ending {
    struct mr_runfile *file;
    const char *state, *reason;
};

static mr_status close_file(void *arg, struct mr_tape_tools *tools, struct mr_err *err)
{
    const struct ending *ending = arg;
    mr_status st = put_state(tools->file, ending->state, ending->reason, err);
    if (st == MR_OK)
        st = flush_file(ending->file, err);
    if (st != MR_OK)
        give_up(ending->file, err);
    MR_TRY(st);
    close_streams(ending->file); /* where rows never started */
    st = mr_hdf5_close(tools->file, err);
    tools->file.id = -1;
    drop_ballast(ending->file);
    return st;
}

/* Slots of chunks that were not full are behind us now: give their disk space back. What the file
 * system cannot do stays as it is. */
static void punch_slots(struct mr_runfile *file)
{
    const struct mr_hdf5_slots *slots = &file->tools.slots;
    for (size_t i = 0; i < slots->n; i++)
        (void)fallocate(file->out.fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                        (off_t)slots->item[i].at, (off_t)slots->item[i].bytes);
}

mr_status mr_runfile_finish(struct mr_runfile *file, enum mr_runfile_end end, const char *reason,
                            struct mr_err *err)
{
    struct ending ending = {file, end_texts[end], reason};
    mr_status st = MR_OK;
    MR_ASSERT(file->stage != STAGE_FINISHED);
    if (file->stage == STAGE_GROWING)
        st = mr_runfile_stop(file, err);
    file->stage = STAGE_FINISHED;
    if (st == MR_OK)
        st = run(file, close_file, &ending, err);
    if (file->is_lost) {
        file->out.is_part_kept = false; /* the abort takes it away */
        st = st == MR_OK ? MR_IO : st;
    }
    if (st == MR_OK)
        punch_slots(file);
    if (st == MR_OK && end == MR_RUNFILE_COMPLETE)
        return mr_file_out_commit(&file->out, err);
    mr_file_out_abort(&file->out);
    return st;
}

static void destroy_streams(void *arg)
{
    struct mr_runfile *file = arg;
    struct mr_err ignored = {0};
    mr_hdf5_silence();
    for (struct mr_runfile_stream *s = file->given, *next; s != NULL; s = next) {
        next = s->next_given;
        s->destroy(s);
    }
    if (file->tools.file.id >= 0) /* not even created to its end */
        forget(mr_hdf5_close(file->tools.file, &ignored));
}

void mr_runfile_destroy(struct mr_runfile *file)
{
    struct mr_err ignored = {0};
    if (file == NULL)
        return;
    if (file->out.is_part_kept && file->stage != STAGE_FINISHED)
        forget(mr_runfile_finish(file, MR_RUNFILE_PARTIAL, "not finished", &ignored));
    if (file->writer != NULL)
        mr_writer_call(file->writer, destroy_streams, file);
    mr_writer_destroy(file->writer);
    drop_ballast(file);
    mr_file_out_abort(&file->out);
    mr_tape_tools_fini(&file->tools);
    mr_free(file->part);
    mr_free(file);
}
