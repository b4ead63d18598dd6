/* SPDX-License-Identifier: Apache-2.0 */
/* The sessions that a scenario names, or drawn ones, as a script. */
#ifndef MR_ENGINE_TWIN_AGENTS_FILE_H
#define MR_ENGINE_TWIN_AGENTS_FILE_H

#include "engine/work/lower.h"

struct mr_agents_file {
    const char *path; /* NULL: drawn */
    uint64_t n_drawn; /* synthetic sessions */
    bool is_timed;    /* their arrivals matter, and so does their order */
};

/** @param[in,out] script zero-initialized; mr_script_fini, also after errors */
MR_CHECKED mr_status mr_agents_file_read(const struct mr_agents_file *file,
                                         const struct mr_lower_plan *lowering,
                                         struct mr_script *script, struct mr_diags *diags,
                                         struct mr_err *err);

#endif
