/* SPDX-License-Identifier: Apache-2.0 */
/* What readers of events (trace_request.c, trace_otel.c) have gathered when they begin to tell
 * (trace_request_tell.c); it is the format's state or stands first in it. */
#ifndef MR_ENGINE_WORK_TRACE_REQUEST_IMPL_H
#define MR_ENGINE_WORK_TRACE_REQUEST_IMPL_H

#include "engine/work/block_names.h"
#include "engine/work/trace_rows.h"

struct mr_trace_request_tool {
    uint32_t class, n_output;
    int line;
    bool is_error;
};

/* A call or a tool. */
struct mr_trace_request_event {
    double start_ms, end_ms;
    uint32_t session; /* MR_SESSION_NONE: a call of no session */
    uint32_t i;       /* row or tool */
    uint32_t next;    /* of its group, in the order of time */
    bool is_tool, is_final;
};

/* A session of the file. */
struct mr_trace_request_known {
    uint32_t parent, group; /* group: while they are formed */
    uint32_t lane;          /* of the group being told */
};

/* A tool, or a call that had not ended when the next one of its lane began. */
struct mr_trace_request_open {
    double end_ms;
    uint32_t node;
    bool is_call;
};

/* A lane while its group is told. */
struct mr_trace_request_lane {
    double start_ms, end_ms; /* of its last call */
    uint32_t session, call;  /* node of its last call, or MR_SESSION_NONE */
    uint32_t child, sibling; /* children that nobody has waited for yet: lanes; 0: none */
    struct mr_trace_request_open *open; /* that no call has waited for yet */
    size_t n_open, cap_open;
};

struct mr_trace_request {
    struct mr_trace_rows rows; /* calls */
    struct mr_intern classes;  /* of tools, in the order of the file */
    struct mr_trace_request_event *event;
    struct mr_trace_request_tool *tool;
    struct mr_trace_request_known *known; /* by number of rows.plays */
    struct mr_trace_request_lane *lane;
    double *tool_start_ms; /* by number of rows.lanes: names of tool calls here; NaN: not known */
    struct mr_block_names names; /* of prompts' hashes */
    uint32_t *first, *last;
    struct mr_session_context context;
    size_t n_event, cap_event, n_tool, cap_tool, cap_known, n_lane, cap_lane, cap_tool_start;
    size_t n_group, cap_first, cap_last, at;
    double origin_ms;
    bool is_whole;
};

/** Number of a session by its name. */
MR_CHECKED mr_status mr_trace_request_session(struct mr_trace *trace, struct mr_str name,
                                              uint32_t *session, struct mr_err *err);

/** One more event. @return MR_SCHEMA: without its times */
MR_CHECKED mr_status mr_trace_request_keep(struct mr_trace *trace,
                                           struct mr_trace_request_event event, struct mr_err *err);

/** All events are there: put them into groups, in the order of time. */
MR_CHECKED mr_status mr_trace_request_order(struct mr_trace *trace, struct mr_err *err);

/** The next group that has a call, as a session. */
MR_CHECKED mr_status mr_trace_request_tell(struct mr_trace *trace, struct mr_session *session,
                                           bool *has_session, struct mr_err *err);
void mr_trace_request_fini(struct mr_trace_request *state);

#endif
