/* SPDX-License-Identifier: Apache-2.0 */
/* Drawn sessions, of coding agents and of chats. What is drawn depends on seed and number of the
 * session alone.
 *
 * Agents: fits to 676 recorded sessions (contexts, lengths, gaps, resets, sub-agents) and to logs
 * of tools. Sessions that begin with much context are short, so calls depend on the first context;
 * they are cut into turns of which many-turned sessions have short ones. Most agents compact their
 * context at 140,000 to 168,000 tokens, the others (all that begin beyond, 0.13 of the rest) at the
 * longest; other resets lose what was cached and keep the context. Against the records (of 10,000
 * sessions): calls 46 (44) median, 65 (65) mean; peaks <= 128 Ki 0.36 (0.35), <= 200,000 0.80
 * (0.79), <= 256 Ki 0.85 (0.84).
 *
 * A gap before a tool's result holds its tools, as far as they fit, and thinking for the
 * rest. So that they fit, long gaps have long tools: four tools of five have their gap's rank among
 * classes (mean 2.9 s, in the logs 2.93 s; with ranks of their own, 1.9 s). Tools of one call run
 * side by side: in the logs 0.236 of all tools overlap another, and 0.216 are not the only ones of
 * their call. A context that would be longer than the longest one begins anew, as agents compact
 * theirs.
 *
 * Chats: quantiles of 12,031 calls of a chat service, where a call that begins with all but the
 * last blocks of another one is its next turn: first inputs, outputs, turns, what is new in a turn,
 * gaps between turns. One that would be longer than the longest context ends.
 *
 * Arrivals, if asked for: gaps of a gamma distribution; a deviation as large as the mean makes them
 * Poisson, a larger one bursts. */
#ifndef MR_ENGINE_WORK_SYNTHETIC_H
#define MR_ENGINE_WORK_SYNTHETIC_H

#include "engine/work/session.h"

/* name, name in files */
#define MR_SYNTHETIC_KIND_LIST(X) \
    X(AGENTS, "agents")           \
    X(CHATS, "chats")

enum mr_synthetic_kind {
#define MR_SYNTHETIC_KIND_ENUM(name, text) MR_SYNTHETIC_##name,
    MR_SYNTHETIC_KIND_LIST(MR_SYNTHETIC_KIND_ENUM)
#undef MR_SYNTHETIC_KIND_ENUM
    MR_SYNTHETIC_KINDS
};

struct mr_synthetic {
    int kind; /* enum mr_synthetic_kind */
    uint64_t seed;
    uint32_t context_max; /* tokens of input and output; at least MR_SYNTHETIC_CONTEXT_LEAST */
    uint32_t block_tok;
};

#define MR_SYNTHETIC_CONTEXT_LEAST 32768

/** Time from the arrival of session i - 1 to that of session i [s].
 *  @param[in] rate_s mean of arrivals [1/s], above 0 @param[in] cv deviation over mean of gaps */
double mr_synthetic_gap_s(const struct mr_synthetic *synthetic, uint64_t i, double rate_s,
                          double cv);

/** Session number i. @param[in,out] session zero-initialized or used before
 *  @param[in,out] book of this kind of sessions only */
MR_CHECKED mr_status mr_synthetic_draw(const struct mr_synthetic *synthetic, uint64_t i,
                                       struct mr_session *session, struct mr_session_book *book,
                                       struct mr_err *err);

#endif
