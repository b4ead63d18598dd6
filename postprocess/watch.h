/* SPDX-License-Identifier: Apache-2.0 */
/* A run at a glance, as lines of text: what it is doing now and how it came there. */
#ifndef MR_POSTPROCESS_WATCH_H
#define MR_POSTPROCESS_WATCH_H

#include "postprocess/runread.h"

/** Append what a terminal shows of the file as it is now. */
MR_CHECKED mr_status mr_watch_frame(struct mr_runread *run, struct mr_buf *out, struct mr_err *err);

#endif
