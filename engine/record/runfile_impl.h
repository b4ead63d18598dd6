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
    struct mr_runfile_stream *next;
};

/** A group's absolute path, every name in it checked. */
MR_CHECKED mr_status mr_runfile_check_group(const char *group, struct mr_err *err);

/** Whatever the file was made with. Lent. */
const struct mr_runfile_options *mr_runfile_options_of(const struct mr_runfile *file);

/** Run fn in the writing thread and wait; MR_LIMIT while a live file only grows. */
typedef mr_status mr_runfile_fn(void *arg, struct mr_tape_tools *tools, struct mr_err *err);
MR_CHECKED mr_status mr_runfile_do(struct mr_runfile *file, const char *what, mr_runfile_fn *fn,
                                   void *arg, struct mr_err *err);

/** Take over a stream whose records have up to record_bytes. On failure it stays the caller's. */
MR_CHECKED mr_status mr_runfile_add(struct mr_runfile *file, struct mr_runfile_stream *take_stream,
                                    size_t record_bytes, struct mr_err *err);

/** Free a stream that was not added, in the writing thread. */
void mr_runfile_discard(struct mr_runfile *file, void (*fn)(void *arg), void *arg);

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
