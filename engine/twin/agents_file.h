/* SPDX-License-Identifier: Apache-2.0 */
/* The sessions that a scenario names, or drawn ones, as a script. */
#ifndef MR_ENGINE_TWIN_AGENTS_FILE_H
#define MR_ENGINE_TWIN_AGENTS_FILE_H

#include "engine/work/demand.h"
#include "engine/work/lower.h"
#include "engine/work/trace.h"
#include "engine/work/trace_pick.h"

struct mr_agents_file {
    const char *path; /* NULL: drawn */
    struct mr_trace_options options;
    uint64_t n_drawn;               /* synthetic sessions */
    bool is_timed;                  /* their arrivals matter, and so does their order */
    double from_s, until_s;         /* of arrivals; until_s 0: all */
    struct mr_trace_pick_plan pick; /* which of them are taken */
};

/** How the file of <agents> is read; its texts are lent. */
static inline struct mr_trace_options mr_agents_file_options(const struct mr_demand_spec *agents)
{
    return (struct mr_trace_options){.format = agents->format,
                                     .block_tok = (uint32_t)agents->file_block_tok,
                                     .basis = agents->basis};
}

/** @param[in,out] script zero-initialized; mr_script_fini, also after errors */
MR_CHECKED mr_status mr_agents_file_read(const struct mr_agents_file *file,
                                         const struct mr_lower_plan *lowering,
                                         struct mr_script *script, struct mr_diags *diags,
                                         struct mr_err *err);

#endif
