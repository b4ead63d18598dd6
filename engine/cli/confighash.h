/* SPDX-License-Identifier: Apache-2.0 */
/* The identity of a run's configuration: SHA-256 of the scenario with every default filled in, of
 * the contents of the files it reads, and of the program's version. Where files are does not count,
 * nor how often a result file is flushed. A layout counts as what it says with its changes, however
 * both are spelled; a platform as its bytes. Cards are files, too, wherever they are found: those
 * that the scenario and its layout name, and for a platform, or a layout that cannot be read, all
 * of platforms/ that could be named. What was asked for alone, whoever answers and however it is
 * kept, has a hash of its own: without seed, recording and version. */
#ifndef MR_ENGINE_CLI_CONFIGHASH_H
#define MR_ENGINE_CLI_CONFIGHASH_H

#include "engine/base/jsonw.h"
#include "engine/base/sha256.h"
#include "engine/twin/scenario.h"

enum {
    MR_CONFIGHASH_FILES = 128
};

/* Hashes of files that were read before; zero-initialize, mr_confighash_fini. */
struct mr_confighash {
    char *path[MR_CONFIGHASH_FILES];
    char hash[MR_CONFIGHASH_FILES][MR_SHA256_HEX];
    size_t n;
    char *site; /* whose cards these are, path and layout, or NULL */
    char of_site[MR_SHA256_HEX];
    struct mr_jsonw *list; /* where cards are listed, or NULL */
};

struct mr_confighash_options {
    bool steps_singly;
};

/** Of one file, read once. */
MR_CHECKED mr_status mr_confighash_file(struct mr_confighash *files, const char *path,
                                        char out[MR_SHA256_HEX], struct mr_err *err);

/** @param[in] options NULL: of what was asked for alone */
MR_CHECKED mr_status mr_confighash_of(struct mr_confighash *files,
                                      const struct mr_scenario *scenario,
                                      const struct mr_confighash_options *options,
                                      char out[MR_SHA256_HEX], struct mr_err *err);
/** {"role", "path", "sha256"} of every card that counts, into an array that is open. */
MR_CHECKED mr_status mr_confighash_list(struct mr_confighash *files,
                                        const struct mr_scenario *scenario, struct mr_jsonw *list,
                                        struct mr_err *err);
void mr_confighash_fini(struct mr_confighash *files);

#endif
