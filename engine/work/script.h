/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions as the player reads them: what every live session of one recording shares. Nodes of all
 * sessions stand in one array, 32 B each; a node that only follows the one before it needs nothing
 * else. Others have edges.
 *
 * The context of an LLM call is a list of runs of block names, in blocks of the serving engine.
 * Runs in space 0 are the session's own (each life of a session gives them a space of its own);
 * other spaces are prefixes that sessions share. What a call knows beyond its runs (the tail of its
 * prompt, the tokens it makes) is named in sequence after the last run: when the next call of the
 * lane goes on with these names it finds them.
 *
 * Durations are float: 6e-8 relative. */
#ifndef MR_ENGINE_WORK_SCRIPT_H
#define MR_ENGINE_WORK_SCRIPT_H

#include "engine/work/cron.h"

#include <stddef.h>
#include <stdint.h>

#define MR_SCRIPT_NONE UINT32_MAX

/* name, name in files, meaning */
#define MR_SCRIPT_KIND_LIST(X)               \
    X(LLM, "llm", "a call of an LLM")        \
    X(TOOL, "tool", "a tool call")           \
    X(THINK, "think", "a pause of the user") \
    X(MEM, "mem", "long-term memory, read or written")

enum mr_script_kind {
#define MR_SCRIPT_KIND_ENUM(name, text, doc) MR_SCRIPT_##name,
    MR_SCRIPT_KIND_LIST(MR_SCRIPT_KIND_ENUM)
#undef MR_SCRIPT_KIND_ENUM
};

/* Where a tool runs. */
enum mr_script_where {
    MR_SCRIPT_CPU,
    MR_SCRIPT_GPU, /* a pool of accelerators */
    MR_SCRIPT_EXT  /* elsewhere: it takes time only */
};

struct mr_script_node {
    uint8_t kind;         /* enum mr_script_kind */
    uint8_t where : 2;    /* enum mr_script_where, of a tool */
    bool is_plain : 1;    /* when it completes the next node, and no other, is told */
    bool is_uncapped : 1; /* a think that no idle cap shortens */
    bool is_error : 1;    /* a tool that failed when it was recorded */
    bool is_implied : 1;  /* a think that the recorded start of the call behind it tells, too */
    uint16_t hint;        /* place in the script's hints; 0: none */
    uint16_t n_dep;       /* edges that it waits for; 0: a root */
    uint16_t lane;
    uint32_t edge;  /* first of its own; they end where those of the next node begin */
    float delay_s;  /* after the node before, where that one is plain */
    float offset_s; /* recorded start, from the session's; NaN: not known */
    union {
        struct {
            uint32_t n_input, n_output, context;
        } llm;
        struct {
            float work_s, wait_s, memory_mb; /* of a core; without one; 0: drawn */
        } tool;
        struct {
            float s;
        } think;
        struct {
            float read_mb, write_mb;
        } mem;
    };
};

struct mr_script_edge {
    uint32_t to;
    float delay_s;
    bool is_dispatch; /* told when the node starts, not when it completes */
};

/* Blocks id, id + 1, ... of a space; 0: the session's own. */
struct mr_script_run {
    uint32_t space, id, n;
};

struct mr_script_context {
    uint32_t run, n_run;
    uint32_t n_block; /* of the runs */
    uint32_t base;    /* context of the call before it in its lane, or MR_SCRIPT_NONE */
    uint32_t n_keep;  /* blocks at the beginning that are the base's too, named alike */
};

/* Where the last call of a lane was served, for who serves the next one. */
struct mr_script_place {
    uint32_t instance;           /* MR_SCRIPT_NONE: there was none */
    uint32_t context;            /* of the script */
    uint32_t extent, generation; /* where it ends in the cache of that instance, as it says */
};

/* What an agent says about a call. */
struct mr_script_hint {
    int32_t priority;    /* larger goes first, within its tier */
    int8_t level;        /* its class among all of the script (script_hint.h) */
    bool is_strict;      /* priority beats the class of its tier */
    bool is_final;       /* nothing of the session is needed after this call */
    bool prefills;       /* the next prompt may be read while its tools run */
    uint32_t n_expected; /* output tokens; 0: not said */
    float ttl_s;         /* blocks may go after this time without use; 0: not said */
};

struct mr_script_session {
    uint32_t node, n_node;
    uint32_t root, n_root; /* edges of the script's roots: to the nodes that start with it */
    uint32_t cut, n_cut; /* LLM nodes at which it could begin: nothing before them is waited for */
    uint32_t last;       /* LLM node that starts when all other calls have ended; NONE: no such */
    uint32_t tenant;     /* plus 1; 0: of none */
    uint32_t cron;       /* a schedule in place of its arrival, plus 1; 0: none */
    double arrival_s;    /* NaN: not recorded */
    float ttft_s, tpot_s, deadline_s; /* promised; 0: by its tier, by nobody */
    float sandbox_mb;                 /* most that one of its tools on CPUs says */
    uint8_t tier;
    bool has_tier;
    bool draws_sandbox; /* one of them does not say */
};

/* An edge that is not in its place yet. */
struct mr_script_draft {
    uint32_t from;
    struct mr_script_edge edge;
};

/* Growable arrays; zero-initialize. Written by those that build a script, then const. */
struct mr_script {
    struct mr_script_node *node; /* one more than n_node, for the end of the last edges */
    float *service_s; /* of nodes: how long a call was recorded to take; NaN: not known */
    struct mr_script_edge *edge, *root;
    struct mr_script_session *session;
    struct mr_script_run *run;
    struct mr_script_context *context;
    struct mr_script_hint *hint; /* from 1 */
    struct mr_cron *cron;        /* of sessions */
    uint32_t *cut;
    struct mr_script_draft *draft; /* of the session that is being built */
    size_t n_draft, cap_draft;
    size_t n_node, n_edge, n_root, n_session, n_run, n_context, n_hint, n_cut, n_cron;
    size_t cap_node, cap_service, cap_edge, cap_root, cap_session, cap_run, cap_context, cap_hint,
        cap_cut, cap_cron;
    uint32_t n_space; /* shared prefixes: spaces 1 .. n_space */
    uint32_t run_max; /* most runs of a context */
};

/* One dependency of a node that is being added. */
struct mr_script_after {
    uint32_t node; /* of the session, from 0; MR_SCRIPT_NONE: the session's start */
    float delay_s;
    bool is_dispatch;
};

/** Begin a session: fields of nodes are not read. Nodes follow by mr_script_node_add, then
 *  mr_script_session_end. */
MR_CHECKED mr_status mr_script_session_begin(struct mr_script *script,
                                             const struct mr_script_session *session,
                                             struct mr_err *err);

/** @param[in] node its edges, dependencies and flags of order are found out here
 *  @param[in] after [n_after] at least one */
MR_CHECKED mr_status mr_script_node_add(struct mr_script *script, const struct mr_script_node *node,
                                        const struct mr_script_after *after, size_t n_after,
                                        struct mr_err *err);

/** @return MR_OK, MR_RANGE (no LLM call), MR_LIMIT, MR_NOMEM */
MR_CHECKED mr_status mr_script_session_end(struct mr_script *script, struct mr_err *err);

/** A context from runs; adjacent ones are joined. @param[in] base of the call before it in its
 *  lane, or MR_SCRIPT_NONE @param[out] context its index */
MR_CHECKED mr_status mr_script_context_add(struct mr_script *script,
                                           const struct mr_script_run *run, size_t n_run,
                                           uint32_t base, uint32_t *context, struct mr_err *err);

/** Blocks that a context begins with and another one, too, both with what may follow their runs.
 *  @param[in] base the other one, or MR_SCRIPT_NONE */
uint32_t mr_script_common(const struct mr_script *script, const struct mr_script_context *context,
                          uint32_t base);

void mr_script_fini(struct mr_script *script);

/** Edges of a node. */
static inline const struct mr_script_edge *mr_script_edges(const struct mr_script *script,
                                                           uint32_t node, uint32_t *n)
{
    *n = script->node[node + 1].edge - script->node[node].edge;
    return &script->edge[script->node[node].edge];
}

#endif
