/* SPDX-License-Identifier: Apache-2.0 */
/* A session of a SATF file as trace_satf.c has read it and trace_satf_tell.c tells it: nodes by the
 * numbers of their names, edges between them. Times are in microseconds, as they stand there: whole
 * numbers, whose sums are exact. */
#ifndef MR_ENGINE_WORK_TRACE_SATF_IMPL_H
#define MR_ENGINE_WORK_TRACE_SATF_IMPL_H

#include "engine/work/trace_rows.h"

enum mr_trace_satf_kind {
    MR_TRACE_SATF_LLM,
    MR_TRACE_SATF_CALL,
    MR_TRACE_SATF_RESULT
};

enum {
    mr_trace_satf_dep_max = 1 << 24 /* of one session */
};

struct mr_trace_satf_edge {
    double delay_us;
    uint32_t from, to; /* nodes */
};

/* A wait for a node that takes time; MR_SESSION_NONE: for the session's start. */
struct mr_trace_satf_dep {
    double delay_us;
    uint32_t node;
};

struct mr_trace_satf_node {
    double least_us;         /* start after the file's beginning; NaN: not said */
    double duration_us;      /* NaN: not said */
    double start_us, end_us; /* as recorded, after the session's start; NaN: not known */
    double order_us;         /* likewise, with 0 for what is not known */
    uint32_t row;            /* MR_TRACE_SATF_LLM */
    uint32_t tool, n_result; /* class in `classes`, or MR_SESSION_NONE; tokens */
    uint32_t edge, n_edge;   /* in state->into: those that end here */
    uint32_t dep, n_dep;
    uint32_t rank, depth;  /* in the order of telling; longest way of edges to it */
    uint32_t heir, n_heir; /* call that goes on in its lane, blocks that both have; of calls */
    uint32_t at;           /* in the session */
    uint32_t last;         /* the call it comes after, or is; MR_SESSION_NONE: none */
    int line;
    uint8_t kind;
    bool is_known, is_error, is_met, is_ranked;
};

/* Of the order of nodes: when they begin, where what is not said takes no time. */
struct mr_trace_satf_key {
    double us;
    struct mr_str name;
    uint32_t depth, node;
};

struct mr_trace_satf {
    struct mr_trace_rows rows; /* of the session at hand */
    struct mr_session_context context;
    struct mr_intern classes;        /* of tools, those that are told and others */
    struct mr_intern names;          /* of nodes */
    struct mr_trace_satf_node *node; /* by number of names */
    uint32_t *order;                 /* nodes as they stand in the file, then as they are told */
    struct mr_trace_satf_key *key;
    struct mr_trace_satf_edge *edge;
    uint32_t *into; /* edges by the node they end at */
    struct mr_trace_satf_dep *dep;
    uint32_t *stack;
    size_t cap_node, n_order, cap_order, cap_key, n_edge, cap_edge, cap_into, n_dep, cap_dep,
        cap_stack;
    struct mr_buf name;
    double arrival_us;            /* of the session being told; 0: not said */
    bool is_inside, has_sessions; /* of the array of sessions: is it being read, was it met */
    bool is_over;
};

/** The nodes and edges at hand as a session, whose name it has; perhaps of no call. @return MR_REF:
 * an edge of no node, a cycle; MR_LIMIT, ... */
MR_CHECKED mr_status mr_trace_satf_tell(struct mr_trace *trace, struct mr_session *session,
                                        struct mr_err *err);

#endif
