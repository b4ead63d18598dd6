/* SPDX-License-Identifier: Apache-2.0 */
/* What a workload is made of, one session at a time: counts and sums, exact. */
#ifndef MR_ENGINE_WORK_TRACE_STAT_H
#define MR_ENGINE_WORK_TRACE_STAT_H

#include "engine/work/session_context.h"
#include "engine/work/trace_seen.h"

/* name, sentence */
#define MR_TRACE_STAT_LIST(X)                                                                    \
    X(sessions, "sessions")                                                                      \
    X(calls, "LLM calls")                                                                        \
    X(root_calls, "LLM calls of lane 0")                                                         \
    X(lanes, "lanes beside lane 0: sub-agents")                                                  \
    X(tools, "tool calls")                                                                       \
    X(thinks, "thinks")                                                                          \
    X(mems, "accesses of long-term memory")                                                      \
    X(input_tok, "input tokens, cached or not")                                                  \
    X(root_input_tok, "input tokens of lane 0")                                                  \
    X(output_tok, "output tokens")                                                               \
    X(root_output_tok, "output tokens of lane 0")                                                \
    X(input_max_tok, "longest input")                                                            \
    X(blocks, "blocks of all inputs")                                                            \
    X(hits, "of them at the beginning of an input and seen before: what an endless cache holds") \
    X(keep, "blocks kept of the call before in the lane")                                        \
    X(runs, "runs of new blocks")                                                                \
    X(ids, "different blocks")                                                                   \
    X(ids_once, "of them those in one call only")                                                \
    X(transitions, "calls that follow another in their lane")                                    \
    X(resets, "of them those that keep less than half")                                          \
    X(arrivals, "sessions with a time of arrival")                                               \
    X(ticks, "different times of arrival, where they are in order")                              \
    X(unordered, "arrivals before the one above: whoever plays the file sorts them")

struct mr_trace_stat {
#define MR_TRACE_STAT_FIELD(name, doc) uint64_t name;
    MR_TRACE_STAT_LIST(MR_TRACE_STAT_FIELD)
#undef MR_TRACE_STAT_FIELD
    double tool_s, think_s;          /* sums of what is known */
    double first_s, last_s;          /* arrivals */
    double gap_sum_s, gap_square_s2; /* between arrivals as they stand */
    double before_s;
    struct mr_trace_seen seen;
    struct mr_session_context *context; /* by lane */
    size_t cap_context;
};

/** Zero-initialize first. */
MR_CHECKED mr_status mr_trace_stat_add(struct mr_trace_stat *stat, const struct mr_session *session,
                                       const struct mr_session_book *book, struct mr_err *err);

/** After the last session. */
void mr_trace_stat_end(struct mr_trace_stat *stat);

/** Deviation over mean of gaps between arrivals; NaN below two of them. */
double mr_trace_stat_gap_cv(const struct mr_trace_stat *stat);
void mr_trace_stat_fini(struct mr_trace_stat *stat);

#endif
