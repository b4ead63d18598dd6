/* SPDX-License-Identifier: Apache-2.0 */
/* What a file says of a client whose calls are drawn: windows of rates, or histograms of lengths.
 */
#ifndef MR_ENGINE_CLI_TRACE_CLIENT_H
#define MR_ENGINE_CLI_TRACE_CLIENT_H

#include "engine/base/text.h"

/** Is it such a file? */
bool mr_trace_client_is(const char *path);

/** Its statistics. */
MR_CHECKED mr_status mr_trace_client_info(const char *path, bool as_json, struct mr_buf *out,
                                          struct mr_err *err);

#endif
