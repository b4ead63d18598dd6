/* SPDX-License-Identifier: Apache-2.0 */
/* The files that a run read, inside its result file: the layout or platform of its site, cards, and
 * what it reads over time (weather, prices, traces) up to some size. A run out of its result file
 * reads them from there where the originals are gone or others. Of larger ones path, size and
 * SHA-256 are kept alone. */
#ifndef MR_ENGINE_CLI_RUN_FILES_H
#define MR_ENGINE_CLI_RUN_FILES_H

#include "engine/cli/confighash.h"

enum {
    MR_RUN_FILES_MAX_BYTES = 16 << 20,  /* of one XML file; a larger platform is not kept */
    MR_RUN_FILES_INPUT_BYTES = 4 << 20, /* of one file over time, as it is read */
    MR_RUN_FILES_INPUTS = 11            /* that a scenario may name: run_repeat.h */
};

/** Texts of the files, as one JSON array. @param[in,out] hashes of files that were read */
MR_CHECKED mr_status mr_run_files_write(const struct mr_scenario *scenario,
                                        struct mr_confighash *hashes, struct mr_buf *out,
                                        struct mr_err *err);

/* A scenario that came out of a result file; zero-initialize, mr_run_files_forget. Texts are the
 * scenario's. */
struct mr_run_files {
    struct mr_buf folder;                    /* of what was unpacked; "": nothing was */
    const char *shown[MR_RUN_FILES_INPUTS];  /* what the run's own scenario names; NULL: none */
    const char *origin[MR_RUN_FILES_INPUTS]; /* where the run found it */
    bool is_kept[MR_RUN_FILES_INPUTS];       /* in the result file */
};

/** Which inputs a result file keeps. @param[out] files is_kept */
MR_CHECKED mr_status mr_run_files_kept(struct mr_run_files *files, const char *run,
                                       struct mr_err *err);

/** Where a site, a card or an input is not what it was, unpack all of them into a folder of
 * temporary files, which inputs are read from and cards are found in: MILLRACE_PATH of this process
 * is changed.
 *  @param[in] run result file @param[in,out] scenario out of it
 *  @return MR_REF naming a card that stands in the way */
MR_CHECKED mr_status mr_run_files_restore(struct mr_run_files *files, const char *run,
                                          struct mr_scenario *scenario, struct mr_err *err);
void mr_run_files_forget(struct mr_run_files *files);

#endif
