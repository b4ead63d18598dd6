/* SPDX-License-Identifier: Apache-2.0 */
/* The XML files that a run read, inside its result file: the layout or platform of its site, and
 * cards. A run out of its result file reads them from there where the originals are gone or others.
 * Traces and series are too large for that: of them path, size and SHA-256 are kept. */
#ifndef MR_ENGINE_CLI_RUN_FILES_H
#define MR_ENGINE_CLI_RUN_FILES_H

#include "engine/twin/scenario.h"

enum {
    MR_RUN_FILES_MAX_BYTES = 16 << 20 /* of one file; a larger platform is not kept */
};

/** Texts of the files, as one JSON array. */
MR_CHECKED mr_status mr_run_files_write(const struct mr_scenario *scenario, struct mr_buf *out,
                                        struct mr_err *err);

/* Files that were unpacked; zero-initialize, mr_run_files_forget. */
struct mr_run_files {
    struct mr_buf folder; /* "": nothing was */
};

/** Does a result file keep the text of its site? */
bool mr_run_files_has(const char *run);

/** Where a site or a card is not what it was, unpack all of them into a folder of temporary files,
 *  which the site is read from and cards are found in: MILLRACE_PATH of this process is changed.
 *  @param[in] run result file @param[in,out] scenario out of it
 *  @return MR_REF naming a card that stands in the way */
MR_CHECKED mr_status mr_run_files_restore(struct mr_run_files *files, const char *run,
                                          struct mr_scenario *scenario, struct mr_err *err);
void mr_run_files_forget(struct mr_run_files *files);

#endif
