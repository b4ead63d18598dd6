/* SPDX-License-Identifier: Apache-2.0 */
/* All blocks of one LLM node of a session as runs: its differences applied, one after the other. */
#ifndef MR_ENGINE_WORK_SESSION_CONTEXT_H
#define MR_ENGINE_WORK_SESSION_CONTEXT_H

#include "engine/work/session.h"

/* Zero-initialize. */
struct mr_session_context {
    struct mr_session_run *run;
    size_t n_run, cap_run;
    uint32_t n_block;
    uint32_t node;   /* whose it is, kept by mr_session_context_move; 0 blocks: any */
    uint32_t *chain; /* scratch */
    size_t cap_chain;
};

/** Cut to the first `n_block` blocks. */
void mr_session_context_cut(struct mr_session_context *context, uint32_t n_block);
MR_CHECKED mr_status mr_session_context_add(struct mr_session_context *context,
                                            struct mr_session_run run, struct mr_err *err);

/** From the context of its base to its own: O(new runs) when the base was applied before. */
MR_CHECKED mr_status mr_session_context_apply(struct mr_session_context *context,
                                              const struct mr_session *session,
                                              const struct mr_session_llm *llm, struct mr_err *err);

/** The context of an LLM node, whatever it held before of the same session: O(new runs) where that
 *  was its base, else as many steps as there are bases before it. Begin a session by a cut to 0.
 */
MR_CHECKED mr_status mr_session_context_move(struct mr_session_context *context,
                                             const struct mr_session *session, uint32_t node,
                                             struct mr_err *err);

/** Blocks that the context and a list of ids have in common at their beginnings. O(runs + common)
 */
uint32_t mr_session_context_common(const struct mr_session_context *context, const uint64_t *id,
                                   size_t n);
void mr_session_context_fini(struct mr_session_context *context);

/** Blocks of the last LLM node as a list of ids. @param[in,out] context that of its base; then its
 *  own */
MR_CHECKED mr_status mr_session_ids_add(struct mr_session *session,
                                        struct mr_session_context *context, const uint64_t *id,
                                        size_t n, struct mr_err *err);

#endif
