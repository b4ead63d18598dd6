/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions that are drawn: agents, chats, and single calls of a client. */
#ifndef MR_ENGINE_CLI_TRACE_GENERATE_H
#define MR_ENGINE_CLI_TRACE_GENERATE_H

#include "engine/base/status.h"

struct mr_trace_opts_values;

/** Write them in Millrace's own form. @param[in] kind name of what is drawn */
MR_CHECKED mr_status mr_trace_generate(const struct mr_trace_opts_values *opts, const char *kind,
                                       bool may_overwrite, struct mr_err *err);

#endif
