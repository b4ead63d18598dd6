/* SPDX-License-Identifier: Apache-2.0 */
/* Drawn sessions of coding agents. Distributions are fits to 676 recorded sessions (contexts,
 * lengths, gaps, resets, sub-agents) and to logs of tools; what is drawn depends on seed and number
 * of the session alone. A gap before a tool's result holds its tools, as far as they fit, and
 * thinking for the rest; where several tools of a call overlap they run side by side.
 *
 * A context that would be longer than the longest one begins anew, as agents compact theirs. */
#ifndef MR_ENGINE_WORK_SYNTHETIC_H
#define MR_ENGINE_WORK_SYNTHETIC_H

#include "engine/work/session.h"

struct mr_synthetic {
    uint64_t seed;
    uint32_t context_max; /* tokens of input and output; at least 32,768 */
    uint32_t block_tok;
};

/** Session number i. @param[in,out] session zero-initialized or used before
 *  @param[in,out] book of this kind of sessions only */
MR_CHECKED mr_status mr_synthetic_draw(const struct mr_synthetic *synthetic, uint64_t i,
                                       struct mr_session *session, struct mr_session_book *book,
                                       struct mr_err *err);

#endif
