/* SPDX-License-Identifier: Apache-2.0 */
/* Pages about merged files: which configurations win, which factors matter, which act on each
 * other. A configuration is what runs with different seeds share; its figures are means over them,
 * with their spread. Those that break a constraint have no place, and say which they broke. */
#ifndef MR_POSTPROCESS_MERGED_H
#define MR_POSTPROCESS_MERGED_H

#include "postprocess/page.h"
#include "postprocess/runread.h"

/** Made by mr_merge, as its attribute says. */
bool mr_merged_is(const struct mr_runread *run);

/** A merged file among others. */
struct mr_merged_file {
    struct mr_runread *run;
    const char *label; /* "A"; "" where it is alone */
};

/** One page over all of them; several are compared configuration by configuration.
 *  @param[in] baseline which of them @param[out] page mr_page_fini, after errors too */
MR_CHECKED mr_status mr_merged_html(const struct mr_merged_file *file, size_t n, size_t baseline,
                                    const char *title, struct mr_page *page, struct mr_err *err);

/** Ranking, front and effects for the terminal. */
MR_CHECKED mr_status mr_merged_text(const struct mr_merged_file *file, size_t n, size_t baseline,
                                    struct mr_buf *out, struct mr_err *err);

#endif
