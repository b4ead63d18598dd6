/* SPDX-License-Identifier: Apache-2.0 */
/* Files of the fidelity verb that measure watts: operators, and served models. */
#ifndef MR_ENGINE_CLI_FIDELITY_POWER_H
#define MR_ENGINE_CLI_FIDELITY_POWER_H

#include "engine/base/text.h"

enum mr_fidelity_file {
    MR_FIDELITY_FILE_TIMES,
    MR_FIDELITY_FILE_OPERATORS, /* latency, power, power_limit */
    MR_FIDELITY_FILE_POINTS     /* power_w_per_gpu */
};

/** What kind of file this is, by its columns. @param[out] kind enum mr_fidelity_file */
MR_CHECKED mr_status mr_fidelity_power_kind(const char *path, int *kind, struct mr_err *err);

/** Errors of power, all files of one kind together. @param[in] gpu card of the operator tables */
MR_CHECKED mr_status mr_fidelity_power_print(int kind, char *const *path, int n_path,
                                             const char *gpu, struct mr_buf *out,
                                             struct mr_err *err);

#endif
