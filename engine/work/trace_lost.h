/* SPDX-License-Identifier: Apache-2.0 */
/* What sessions say that other people's formats have no place for, counted by kind. */
#ifndef MR_ENGINE_WORK_TRACE_LOST_H
#define MR_ENGINE_WORK_TRACE_LOST_H

#include "engine/work/session.h"

/* name, sentence */
#define MR_TRACE_LOST_LIST(X)                                                 \
    X(tool, "tools: what they are; their time is kept as a delay")            \
    X(need, "needs of tools: place, memory, storage, network, CPU time")      \
    X(mem, "accesses of long-term memory")                                    \
    X(owner, "tenants, tiers, priorities, promises, schedules of sessions")   \
    X(hint, "hints of calls")                                                 \
    X(record, "recorded durations of calls")                                  \
    X(reason, "reasoning parts of outputs")                                   \
    X(prefix, "names of shared prefixes; their blocks are kept")              \
    X(graph, "calls that wait for others than the one before: told by dates") \
    X(extra, "members of other formats")

struct mr_trace_lost {
#define MR_TRACE_LOST_FIELD(name, doc) uint64_t name;
    MR_TRACE_LOST_LIST(MR_TRACE_LOST_FIELD)
#undef MR_TRACE_LOST_FIELD
};

/* What a format has a place for. */
enum mr_trace_keeps {
    MR_TRACE_KEEPS_TOOL = 1,     /* class, duration, result */
    MR_TRACE_KEEPS_PRIORITY = 2, /* of calls, and how strict */
    MR_TRACE_KEEPS_FINAL = 4,    /* the hint that a session ends */
    MR_TRACE_KEEPS_RECORD = 8,
    MR_TRACE_KEEPS_EXTRA = 16 /* of calls */
};

/** Count what of a session has no place. @param[in] keeps of enum mr_trace_keeps */
void mr_trace_lost_add(struct mr_trace_lost *lost, const struct mr_session *session,
                       unsigned keeps);
uint64_t mr_trace_lost_total(const struct mr_trace_lost *lost);

#endif
