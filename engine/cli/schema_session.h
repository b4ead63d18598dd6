/* SPDX-License-Identifier: Apache-2.0 */
/* The page of the native form of sessions: what its lines hold, and a session in it. */
#ifndef MR_ENGINE_CLI_SCHEMA_SESSION_H
#define MR_ENGINE_CLI_SCHEMA_SESSION_H

#include "engine/base/text.h"

void mr_schema_session_md(struct mr_buf *out);
void mr_schema_session_man(struct mr_buf *out);
void mr_schema_session_json(struct mr_buf *out);

#endif
