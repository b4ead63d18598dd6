/* SPDX-License-Identifier: Apache-2.0 */
/* Output files that are complete if and only if they exist under their name: written as PATH.part,
 * synced, then renamed. An existing file is kept unless overwriting was asked for; a PATH.part that
 * a living process holds is an error, a stale one is replaced. "-" is standard output. What a name
 * that ends in ".gz" stands for is compressed, in members of 64 kB and more. */
#ifndef MR_ENGINE_BASE_FILE_H
#define MR_ENGINE_BASE_FILE_H

#include "engine/base/text.h"

struct mr_file_out {
    char *path, *part; /* NULL for standard output */
    int fd;
    bool may_overwrite;
    bool is_gz, has_member; /* compressed; something of it has been written */
    bool is_part_kept; /* an abort or a failed commit leaves the part: for what is worth reading
                          when it is not complete */
    size_t n_pending;
    char *pending; /* buffered bytes */
};

/** Start writing. On error nothing is left open. */
MR_CHECKED mr_status mr_file_out_open(struct mr_file_out *out, const char *path, bool may_overwrite,
                                      struct mr_err *err);
MR_CHECKED mr_status mr_file_out_add(struct mr_file_out *out, const void *bytes, size_t n,
                                     struct mr_err *err);

/** Write what is pending, sync, rename and close. After an error the file is gone as by abort. */
MR_CHECKED mr_status mr_file_out_commit(struct mr_file_out *out, struct mr_err *err);

/** Close and remove the part, unless it is to be kept. */
void mr_file_out_abort(struct mr_file_out *out);

/** The end of both ways: commit what went well, else leave no file. @param[in] st of the writing
 *  @return st, or that of the commit */
MR_CHECKED mr_status mr_file_out_end(struct mr_file_out *out, mr_status st, struct mr_err *err);

/** Write a buffer, which is empty after that. */
MR_CHECKED mr_status mr_file_out_drain(struct mr_file_out *out, struct mr_buf *buf,
                                       struct mr_err *err);

/** Whether mr_file_write could: before an hour's work whose answer goes there. Nothing stays. */
MR_CHECKED mr_status mr_file_try(const char *path, bool may_overwrite, struct mr_err *err);

/** The three steps for text that is already there. */
MR_CHECKED mr_status mr_file_write(const char *path, bool may_overwrite, struct mr_str text,
                                   struct mr_err *err);

/** Whether a living process is writing this part. Where no lock can be asked for: true. */
bool mr_file_is_held(const char *part);

/** Append `path` as the file `base_file` means it: relative paths count from that file's folder. */
void mr_file_join(const char *base_file, const char *path, struct mr_buf *out);

#endif
