/* SPDX-License-Identifier: Apache-2.0 */
/* What a run must not have come to, so that a script hears of it by the exit code (--fail-on):
 *   violation           any limit broken
 *   slo:TIER<FRAC       fewer calls of the tier within its objectives
 *   kpi:PATH<VALUE      a figure of the summary below a value; > : above it
 * FRAC and VALUE may be percentages; values are in the unit of the figure. */
#ifndef MR_ENGINE_CLI_RUN_FAIL_H
#define MR_ENGINE_CLI_RUN_FAIL_H

#include "engine/base/param.h"

/** Are these conditions? Told before anything is played. */
MR_CHECKED mr_status mr_run_fail_check(const struct mr_param_list *conditions, struct mr_err *err);

/** The same of the tiers of slo:, once the scenario is known. @param[in] tier n names */
MR_CHECKED mr_status mr_run_fail_check_tiers(const struct mr_param_list *conditions,
                                             const char *const *tier, size_t n, struct mr_err *err);

/** The conditions that the summary meets, "; " between them; none: nothing.
 *  @return MR_REF when it lacks a figure */
MR_CHECKED mr_status mr_run_fail_find(const struct mr_param_list *conditions, struct mr_str summary,
                                      struct mr_buf *out, struct mr_err *err);

#endif
