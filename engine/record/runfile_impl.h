/* SPDX-License-Identifier: Apache-2.0 */
/* Between a run file and what grows in it. A stream is a series or a table: the file owns it, hands
 * its records to it in the writing thread and settles it before every flush. */
#ifndef MR_ENGINE_RECORD_RUNFILE_IMPL_H
#define MR_ENGINE_RECORD_RUNFILE_IMPL_H

#include "engine/record/runfile.h"
#include "engine/record/tape_impl.h"

/* First member of a stream's struct. */
struct mr_runfile_stream {
    mr_status (*record)(struct mr_runfile_stream *stream, struct mr_tape_tools *tools,
                        const void *bytes, size_t n, struct mr_err *err);
    mr_status (*settle)(struct mr_runfile_stream *stream, struct mr_tape_tools *tools, bool is_last,
                        struct mr_err *err);
    /* After a failure, with room again: store what is not in the file; then, in a file that may be
     * another opening of the same, leave the rows that all datasets have. */
    void (*salvage)(struct mr_runfile_stream *stream, struct mr_tape_tools *tools);
    void (*level)(struct mr_runfile_stream *stream, struct mr_tape_tools *tools);
    /* Before the last settling, in the producing thread: what it still holds. NULL: nothing */
    mr_status (*stop)(struct mr_runfile_stream *stream, struct mr_err *err);
    /* After the last settling: attributes that SWMR would not allow before. NULL: none */
    mr_status (*describe)(struct mr_runfile_stream *stream, struct mr_tape_tools *tools,
                          struct mr_err *err);
    /* In the writing thread: let go of the file; then free all. */
    void (*close)(struct mr_runfile_stream *stream);
    void (*destroy)(struct mr_runfile_stream *stream);
    struct mr_runfile *file;
    struct mr_runfile_stream *next, *next_given;
};

/** A group's absolute path, every name in it checked. */
MR_CHECKED mr_status mr_runfile_check_group(const char *group, struct mr_err *err);

/** Whatever the file was made with. Lent. */
const struct mr_runfile_options *mr_runfile_options_of(const struct mr_runfile *file);

/* What a job needs, copied to where it is read. */
struct mr_runfile_pack {
    unsigned char *to; /* NULL: only counted */
    size_t n;
};

/** Copies, aligned to 8; NULL of what is NULL, and where it is only counted. */
void *mr_runfile_pack(struct mr_runfile_pack *pack, const void *bytes, size_t n);
const char *mr_runfile_pack_text(struct mr_runfile_pack *pack, const char *text);
const char *const *mr_runfile_pack_texts(struct mr_runfile_pack *pack, const char *const *text,
                                         size_t n);

/* In the writing thread; and a copy of its argument with all it points to. */
typedef mr_status mr_runfile_fn(void *arg, struct mr_tape_tools *tools, struct mr_err *err);
typedef void *mr_runfile_copy(const void *arg, struct mr_runfile_pack *pack);

/** Of an argument that is a pointer, and of no more. */
void *mr_runfile_copy_pointer(const void *arg, struct mr_runfile_pack *pack);

/** Have fn run in the writing thread after all that was given before, and go on; where its argument
 *  is too large for the ring, wait. A failure is the file's. MR_LIMIT while a live file only grows.
 *  @param[in] what for the message @param[in] arg lent for the call */
MR_CHECKED mr_status mr_runfile_post(struct mr_runfile *file, const char *what, mr_runfile_fn *fn,
                                     mr_runfile_copy *copy, void *arg, struct mr_err *err);

/** Take over a stream whose records have up to record_bytes; it is declared next. On failure it
 *  stays the caller's. */
MR_CHECKED mr_status mr_runfile_add(struct mr_runfile *file, struct mr_runfile_stream *take_stream,
                                    size_t record_bytes, struct mr_err *err);

/** Room for one record of a stream, or NULL when the file has failed. */
void *mr_runfile_reserve(struct mr_runfile_stream *stream, size_t n);
void mr_runfile_commit(struct mr_runfile_stream *stream);

/** The failure that made reserve return NULL. */
mr_status mr_runfile_fault(const struct mr_runfile *file, struct mr_err *err);

/* ---- used in the writing thread ---- */

/** A text axis that is the scale of its own name, or without names a bare length. */
MR_CHECKED mr_status mr_runfile_make_axis(struct mr_tape_tools *tools, mr_hid group,
                                          const struct mr_channel *channel,
                                          const char *const *names, size_t n, mr_hid *axis,
                                          struct mr_err *err);

#endif
