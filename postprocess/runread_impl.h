/* SPDX-License-Identifier: Apache-2.0 */
/* Between the files of runread. */
#ifndef MR_POSTPROCESS_RUNREAD_IMPL_H
#define MR_POSTPROCESS_RUNREAD_IMPL_H

#include "engine/base/arena.h"
#include "postprocess/runread.h"

struct mr_runread_texts {
    const char **item;
};

struct mr_runread {
    int64_t file; /* hid_t of HDF5 1.10 and later: headers do without the library's */
    const char *path;
    struct mr_arena arena;
    struct mr_runread_set *set;
    struct mr_runread_texts *texts; /* of each set, once read */
    size_t n_set, cap_set;
    struct mr_runread_attr *attr;
    size_t n_attr, cap_attr;
    bool is_complete;
};

/** What HDF5 could not do, with the reason it gives. @param[in] what "cannot be read" */
mr_status mr_runread_broken(struct mr_err *err, const char *path, const char *what);

/** A text of the file as text of ours: valid UTF-8 as far as it goes. */
const char *mr_runread_keep(struct mr_runread *run, const char *text, struct mr_err *err);

/** Everything that an open file holds. */
MR_CHECKED mr_status mr_runread_list(struct mr_runread *run, struct mr_err *err);

#endif
