/* SPDX-License-Identifier: Apache-2.0 */
/* Which figures the runs of an experiment will have, known before the first of them: the keys of
 * summaries, with the tiers and tenants of its scenarios. What an experiment asks for is checked
 * against them. */
#ifndef MR_ENGINE_CLI_SWEEP_NAMES_H
#define MR_ENGINE_CLI_SWEEP_NAMES_H

#include "engine/twin/scenario.h"
#include "postprocess/asked.h"

/* Zero-initialize; mr_sweep_names_fini. */
struct mr_sweep_names {
    struct mr_arena texts;
    const char **name; /* "ttft_s.p99" */
    size_t n_name, cap_name;
    const char **tier, **tenant; /* that were added already */
    size_t n_tier, cap_tier, n_tenant, cap_tenant;
    bool has_site, has_agents, has_plain; /* plain: the names that all have were added */
};

/** Add those of one row's scenario. */
MR_CHECKED mr_status mr_sweep_names_add(struct mr_sweep_names *names,
                                        const struct mr_scenario *scenario, struct mr_err *err);

/** Names that no run will have are errors, with the nearest that it will. Names of derived figures
 *  are added. @return MR_OK, or the status of the first error */
MR_CHECKED mr_status mr_sweep_names_check(struct mr_sweep_names *names,
                                          const struct mr_asked *asked, struct mr_diags *diags);
void mr_sweep_names_fini(struct mr_sweep_names *names);

#endif
