/* SPDX-License-Identifier: Apache-2.0 */
/* One run, or several side by side, as a page and as a table for the terminal. Each section takes
 * what the files hold and says what they do not. */
#ifndef MR_POSTPROCESS_REPORT_H
#define MR_POSTPROCESS_REPORT_H

#include "postprocess/figures.h"
#include "postprocess/page.h"
#include "postprocess/runread.h"

struct mr_report_file {
    struct mr_runread *run; /* NULL: a summary in JSON, which has figures only */
    struct mr_figures figures;
    char label[24]; /* "A"; of a single file "" */
};

/* Owned by the caller: mr_report_fini. */
struct mr_report {
    struct mr_report_file *file;
    size_t n, baseline;
    bool is_whole; /* sheets of charts have every sample, not those that are drawn */
};

/** @param[in] baseline index of the file the others are compared with
 *  @param[out] out mr_report_fini, after errors too */
MR_CHECKED mr_status mr_report_load(const char *const *path, size_t n, size_t baseline,
                                    struct mr_report *out, struct mr_err *err);
void mr_report_fini(struct mr_report *report);

/** @param[out] page mr_page_fini, after errors too */
MR_CHECKED mr_status mr_report_html(const struct mr_report *report, const char *title,
                                    struct mr_page *page, struct mr_err *err);

/** Key figures, and the Pareto plot in characters. */
void mr_report_text(const struct mr_report *report, struct mr_buf *out);

#endif
