/* SPDX-License-Identifier: Apache-2.0 */
/* The page about a merged file: which runs win, which factors matter, which act on each other. */
#ifndef MR_POSTPROCESS_MERGED_H
#define MR_POSTPROCESS_MERGED_H

#include "postprocess/page.h"
#include "postprocess/runread.h"

/** Made by mr_merge, as its attribute says. */
bool mr_merged_is(const struct mr_runread *run);

/** @param[out] page mr_page_fini, after errors too */
MR_CHECKED mr_status mr_merged_html(struct mr_runread *run, const char *title, struct mr_page *page,
                                    struct mr_err *err);

/** The front and the ranking for the terminal. */
MR_CHECKED mr_status mr_merged_text(struct mr_runread *run, struct mr_buf *out, struct mr_err *err);

#endif
