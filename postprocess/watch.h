/* SPDX-License-Identifier: Apache-2.0 */
/* A run at a glance, as lines of text: what it is doing now and how it came there. */
#ifndef MR_POSTPROCESS_WATCH_H
#define MR_POSTPROCESS_WATCH_H

#include "postprocess/runread.h"

enum {
    MR_WATCH_COLUMNS = 94, /* where nobody tells how many there are */
    MR_WATCH_COLUMNS_MIN = 40,
    MR_WATCH_COLUMNS_MAX = 200
};

struct mr_watch_look {
    size_t columns;  /* of the terminal; more or fewer than the bounds above: as the bounds */
    bool is_written; /* a process is at it: what is not at its end is running, else it was killed */
};

/* How a run ended. */
enum mr_watch_end {
    MR_WATCH_RUNNING,
    MR_WATCH_ENDED, /* complete, or ended early with its reason in the file */
    MR_WATCH_KILLED
};

/** Append what a terminal shows of the file as it is now: no line is longer than it is wide. */
MR_CHECKED mr_status mr_watch_frame(struct mr_runread *run, const struct mr_watch_look *look,
                                    struct mr_buf *out, struct mr_err *err);

enum mr_watch_end mr_watch_end(const struct mr_runread *run, const struct mr_watch_look *look);

#endif
