/* SPDX-License-Identifier: Apache-2.0 */
/* One session as it was recorded, written down or drawn: a DAG of LLM calls, tool calls, thinks and
 * memory accesses. Readers fill it, writers take it, one session at a time; a player lowers it.
 *
 * A node starts at the latest of its dependencies: trigger time + delay. Dependencies refer back,
 * so a session has no cycles, and the order of nodes is an order of time. A lane is one trajectory
 * (0: the root, others: sub-agents) with one KV context; its LLM nodes form a chain.
 *
 * Contexts are differences: an LLM node keeps the first `keep` blocks of its base, the LLM node
 * before it in its lane unless it says otherwise, and goes on with runs of consecutive block ids.
 * Real agents keep 96 % of 100,000 tokens, so a call is one run, whatever its length. Blocks count
 * after the shared prefixes of the session, which stand in front of every lane. What fills no block
 * is never reused. A block is known by its id in the scope the book names; minted ones, which a
 * recording without ids gets, are the session's own in either scope.
 *
 * What is not known is NaN, MR_SESSION_NONE or 0. Texts are offsets into `text`. */
#ifndef MR_ENGINE_WORK_SESSION_H
#define MR_ENGINE_WORK_SESSION_H

#include "engine/work/session_book.h"

/* name, name in files */
#define MR_SESSION_KIND_LIST(X) \
    X(LLM, "llm")               \
    X(TOOL, "tool")             \
    X(THINK, "think")           \
    X(MEM, "mem")

enum mr_session_kind {
#define MR_SESSION_KIND_ENUM(name, text) MR_SESSION_##name,
    MR_SESSION_KIND_LIST(MR_SESSION_KIND_ENUM)
#undef MR_SESSION_KIND_ENUM
};

#define MR_SESSION_RELATION_LIST(X) \
    X(SEQ, "seq")                   \
    X(SPAWN, "spawn")               \
    X(JOIN, "join")                 \
    X(BARRIER, "barrier")

enum mr_session_relation {
#define MR_SESSION_RELATION_ENUM(name, text) MR_SESSION_##name,
    MR_SESSION_RELATION_LIST(MR_SESSION_RELATION_ENUM)
#undef MR_SESSION_RELATION_ENUM
};

/* Where a tool runs: a pool of CPUs, one of accelerators, or outside, where it takes time only. */
#define MR_SESSION_WHERE_LIST(X) \
    X(CPU, "cpu")                \
    X(GPU, "gpu")                \
    X(EXT, "ext")

enum mr_session_where {
#define MR_SESSION_WHERE_ENUM(name, text) MR_SESSION_##name,
    MR_SESSION_WHERE_LIST(MR_SESSION_WHERE_ENUM)
#undef MR_SESSION_WHERE_ENUM
};

struct mr_session_after {
    double delay_s;   /* at least 0 */
    uint32_t node;    /* index; MR_SESSION_NONE: the session's start */
    uint8_t relation; /* enum mr_session_relation */
    bool is_dispatch; /* its start counts, not its completion */
};

struct mr_session_node {
    uint32_t id;             /* in files; ascending */
    uint32_t i;              /* in the array of its kind */
    uint32_t after, n_after; /* dependencies; at least one */
    uint16_t lane;
    uint8_t kind; /* enum mr_session_kind */
};

struct mr_session_run {
    uint64_t id; /* blocks id, id + 1, ... */
    uint32_t n;
    bool is_minted; /* no file knows these: the session's own in any scope */
};

struct mr_session_llm {
    uint32_t model;                    /* in the book */
    uint32_t n_input, n_output;        /* tokens; input with all that is cached or shared */
    uint32_t n_reason;                 /* part of the output */
    uint32_t base;                     /* node whose blocks are kept; MR_SESSION_NONE: none */
    uint32_t keep, n_block;            /* blocks kept; kept + new */
    uint32_t run, n_run;               /* the new ones */
    uint32_t hint;                     /* in `hint`, or MR_SESSION_NONE */
    uint32_t name, extra;              /* texts: its id elsewhere; members of JSON not known here */
    double start_s, service_s, ttft_s; /* recorded: start after the session's, duration; or NaN */
};

/* What an agent says about a call. */
struct mr_session_hint {
    double ttl_s;        /* blocks may go after this time without use; NaN: not said */
    uint32_t n_expected; /* output tokens; 0: not said */
    int32_t priority;    /* larger goes first */
    uint32_t strict;     /* above 0: beats the class of its tier; larger goes first */
    bool is_truth, has_priority, has_strict; /* strict as true or false; said, be it as 0 */
    bool is_final;                           /* nothing of the session is needed after this call */
    bool prefills;                           /* the next prompt may be read while its tools run */
};

struct mr_session_tool {
    double cpu_s, wall_s;            /* NaN: to be drawn from its class */
    double memory_mb, io_mb, net_mb; /* NaN: so too */
    uint32_t class;                  /* in the book; MR_SESSION_NONE: any */
    uint32_t n_output;               /* tokens of its result */
    uint8_t where;                   /* enum mr_session_where */
    bool is_error;
};

struct mr_session_think {
    double s;
    bool is_uncapped; /* no idle cap shortens it */
};

struct mr_session_mem {
    double read_mb, write_mb;
    uint32_t tier; /* in the book's stores; MR_SESSION_NONE: any */
};

struct mr_session_lane {
    uint32_t name;         /* text: of a sub-agent or session elsewhere */
    uint32_t n_tool_tok;   /* at the beginning of its context: tools and system prompt, 0 if not */
    uint32_t n_system_tok; /* known. Many sessions have the same, under other ids */
};

/* X: every growable array of a session, with its element */
#define MR_SESSION_ARRAY_LIST(X)      \
    X(node, struct mr_session_node)   \
    X(after, struct mr_session_after) \
    X(llm, struct mr_session_llm)     \
    X(run, struct mr_session_run)     \
    X(hint, struct mr_session_hint)   \
    X(tool, struct mr_session_tool)   \
    X(think, struct mr_session_think) \
    X(mem, struct mr_session_mem)     \
    X(lane, struct mr_session_lane)   \
    X(shared, uint32_t) /* prefixes of the book, in order, in front of every lane */

/* What one session is told to be, besides its nodes. */
struct mr_session_head {
    double arrival_s;                  /* NaN: whenever the player wants */
    double ttft_s, tpot_s, deadline_s; /* promised; NaN: by its tier */
    uint32_t id, cron, extra;          /* texts: its name; a schedule instead of arrivals; JSON */
    uint32_t tenant, tier;             /* in the book */
    uint32_t shared_tok;               /* sum over the shared prefixes */
    int32_t priority;
};

/* Zero-initialize, then mr_session_reset. */
struct mr_session {
    struct mr_session_head head;
#define MR_SESSION_FIELD(name, type) \
    type *name;                      \
    size_t n_##name, cap_##name;
    MR_SESSION_ARRAY_LIST(MR_SESSION_FIELD)
#undef MR_SESSION_FIELD
    struct mr_buf text;  /* terminated texts */
    uint32_t *lane_llm;  /* last LLM node of each lane, or MR_SESSION_NONE */
    uint32_t *lane_node; /* last node of each lane */
    size_t cap_lane_llm, cap_lane_node;
    uint64_t n_minted;
    uint32_t *scratch; /* of mr_session_check */
    size_t cap_scratch;
};

/* ---- building ---- */

/** Empty. The arrays are kept: once warm, filling a session allocates nothing. */
void mr_session_reset(struct mr_session *session);
void mr_session_fini(struct mr_session *session);

MR_CHECKED mr_status mr_session_text_add(struct mr_session *session, struct mr_str text,
                                         uint32_t *at, struct mr_err *err);

/** NULL for MR_SESSION_NONE. Lent until the next text is added. */
const char *mr_session_text(const struct mr_session *session, uint32_t at);

/** Make lanes 0 .. lane exist. */
MR_CHECKED mr_status mr_session_lane_reach(struct mr_session *session, uint32_t lane,
                                           struct mr_err *err);

/** A node of a lane; its dependencies follow by mr_session_after_add. The array of its kind gets
 *  one element with nothing known, which the caller fills: the last one. An LLM node's base is the
 *  one before it in the lane.
 *  @param[in] id as in files; larger than those before (mr_session_next_id)
 *  @return MR_OK, MR_RANGE (id), MR_LIMIT (65,536 lanes, 4 G nodes), MR_NOMEM */
MR_CHECKED mr_status mr_session_node_add(struct mr_session *session, enum mr_session_kind kind,
                                         uint32_t lane, uint32_t id, struct mr_err *err);

/** A dependency of the last node. @return MR_OK, MR_REF (not before it), MR_RANGE (delay), ... */
MR_CHECKED mr_status mr_session_after_add(struct mr_session *session, struct mr_session_after after,
                                          struct mr_err *err);

/** The default: the last node before it in its lane, completion, no delay; else the start. */
MR_CHECKED mr_status mr_session_after_lane(struct mr_session *session, double delay_s,
                                           struct mr_err *err);

/** Blocks of the last LLM node that it keeps of its base. @return MR_OK, MR_RANGE: it has fewer */
MR_CHECKED mr_status mr_session_keep(struct mr_session *session, uint32_t keep, struct mr_err *err);

/** More blocks of the last LLM node, joined with its last run where they continue it. */
MR_CHECKED mr_status mr_session_run_add(struct mr_session *session, struct mr_session_run run,
                                        struct mr_err *err);

/** Blocks for an LLM node of which no file says any: all that the context keeps (at most `keep`
 *  blocks), fresh ones for the rest of floor((input - shared) / block_tok). */
MR_CHECKED mr_status mr_session_mint(struct mr_session *session, uint32_t block_tok, uint32_t keep,
                                     struct mr_err *err);

/** A hint of the last LLM node, which has none yet: all fields not said. */
MR_CHECKED mr_status mr_session_hint_add(struct mr_session *session, struct mr_session_hint **hint,
                                         struct mr_err *err);

/** A shared prefix, before any node. */
MR_CHECKED mr_status mr_session_shared_add(struct mr_session *session,
                                           const struct mr_session_book *book, uint32_t prefix,
                                           struct mr_err *err);

/** Rules that hold between nodes: at least one LLM call; block counts are the floor or the ceiling
 *  of the tokens'; inputs hold the shared prefixes; LLM nodes of one lane follow one another.
 *  @return MR_OK, MR_RANGE, MR_REF, MR_LIMIT (too tangled), MR_NOMEM; the message names the node */
MR_CHECKED mr_status mr_session_check(struct mr_session *session,
                                      const struct mr_session_book *book, struct mr_err *err);

static inline uint32_t mr_session_next_id(const struct mr_session *session)
{
    return session->n_node == 0 ? 1 : session->node[session->n_node - 1].id + 1;
}

/** Does a run continue another? */
static inline bool mr_session_run_joins(const struct mr_session_run *last,
                                        const struct mr_session_run *run)
{
    return last->is_minted == run->is_minted && last->id + last->n == run->id && run->id != 0 &&
           (uint64_t)last->n + run->n <= UINT32_MAX;
}

static inline const struct mr_session_llm *mr_session_llm_of(const struct mr_session *session,
                                                             uint32_t node)
{
    return &session->llm[session->node[node].i];
}

const char *mr_session_kind_name(enum mr_session_kind kind);
const char *mr_session_relation_name(enum mr_session_relation relation);
const char *mr_session_where_name(enum mr_session_where where);

#endif
