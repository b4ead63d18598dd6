/* SPDX-License-Identifier: Apache-2.0 */
/* A run out of its own result file: the effective scenario is in it, the files it read
 * (run_files.h), and by path, size and SHA-256 those that are too large. One of those that is gone
 * or has changed since is an error, for the answer would be another one. */
#ifndef MR_ENGINE_CLI_RUN_REPEAT_H
#define MR_ENGINE_CLI_RUN_REPEAT_H

#include "engine/base/sha256.h"
#include "engine/cli/run_files.h"
#include "engine/twin/scenario.h"

enum {
    MR_RUN_REPEAT_FILES = MR_RUN_FILES_INPUTS
};

/** What file i is to a scenario: "weather". */
const char *mr_run_repeat_role(size_t i);

/** Where a scenario names file i < MR_RUN_REPEAT_FILES that it reads; NULL there: it reads none. */
const char **mr_run_repeat_file(struct mr_scenario *scenario, size_t i);

/** SHA-256 of a file as it is read: of a compressed one, of its contents. */
MR_CHECKED mr_status mr_run_repeat_hash(const char *path, char out[MR_SHA256_HEX],
                                        struct mr_err *err);

/** Files that a scenario reads, as a JSON array of {"role", "path", "sha256"}; absolute paths.
 *  @param[in] files of a scenario out of a result file: where its files were
 *  @param[in,out] hashes of files that were read
 *  @param[in] steps_singly goes with them: it makes a difference of rounding */
MR_CHECKED mr_status mr_run_repeat_inputs(const struct mr_scenario *scenario,
                                          const struct mr_run_files *files,
                                          struct mr_confighash *hashes, bool steps_singly,
                                          struct mr_buf *out, struct mr_err *err);

/** The scenario as the run names its files, whoever unpacked them where. Texts are lent. */
struct mr_scenario mr_run_repeat_shown(const struct mr_scenario *scenario,
                                       const struct mr_run_files *files);

/** The scenario of a result file. @param[in] set "PATH=VALUE", over the file's
 *  @param[out] scenario mr_scenario_fini, also after errors @param[out] steps_singly as it was
 *  @param[in,out] files zero; mr_run_files_forget when the scenario has been played */
MR_CHECKED mr_status mr_run_repeat_load(const char *path, const char *const *set, size_t n_set,
                                        struct mr_scenario *scenario, bool *steps_singly,
                                        struct mr_run_files *files, struct mr_diags *diags);

#endif
