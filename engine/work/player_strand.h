/* SPDX-License-Identifier: Apache-2.0 */
/* What live sessions consist of (player.h). A strand is one line of 64 B: what a session does now.
 * Where a session forks there is a strand for every node under way, and a family that holds what
 * they share and the joins they wait for; the last one of them goes on without. */
#ifndef MR_ENGINE_WORK_PLAYER_STRAND_H
#define MR_ENGINE_WORK_PLAYER_STRAND_H

#include "engine/work/script.h"

#define MR_PLAYER_NONE UINT32_MAX

/* name, name in files, meaning */
#define MR_PLAYER_PART_LIST(X)                                     \
    X(QUEUE, "queue", "calls before their first step")             \
    X(LOAD, "kv_load", "contexts on their way to HBM")             \
    X(PREFILL, "prefill", "prompts being read")                    \
    X(DECODE, "decode", "tokens after the first")                  \
    X(GATEWAY, "gateway", "policy engine and privacy router")      \
    X(NETWORK, "network", "between agent and factory")             \
    X(TOOLS, "tools", "tools, had each a core to itself")          \
    X(CORES, "tool_queue", "waiting for sandboxes, sharing cores") \
    X(MEMORY, "memory", "reading and writing long-term memory")    \
    X(THINK, "think", "thinking of users")                         \
    X(DELAY, "delay", "delays of dependencies, retries, budgets, recorded starts")

enum mr_player_part {
#define MR_PLAYER_PART_ENUM(name, text, doc) MR_PLAYER_##name,
    MR_PLAYER_PART_LIST(MR_PLAYER_PART_ENUM)
#undef MR_PLAYER_PART_ENUM
    MR_PLAYER_PARTS
};

enum mr_player_state {
    MR_PLAYER_FREE,
    MR_PLAYER_BETWEEN, /* lives: the last one failed, the next one begins in a while */
    MR_PLAYER_WAITING, /* for its node's date */
    MR_PLAYER_AT_GATE,
    MR_PLAYER_AT_LOCAL, /* redirected */
    MR_PLAYER_CALLING,
    MR_PLAYER_RETURNING, /* over the network */
    MR_PLAYER_NO_SANDBOX,
    MR_PLAYER_BOOTING,
    MR_PLAYER_WORKING, /* in a pool */
    MR_PLAYER_RESTING  /* a time that is known: thinking, waiting of tools */
};

struct mr_player_strand {
    double since_s;               /* start of the state, or of the tool */
    double start_s;               /* of the session's life */
    struct mr_script_place place; /* of the lane's last call */
    uint32_t node, session;
    uint32_t space; /* of its blocks */
    uint32_t generation;
    union {
        uint32_t next; /* free, or waiting for a sandbox */
        float wait_s;  /* of the tool under way, after its work */
    };
    union {
        float sandbox_mb; /* 0: its session has none */
        uint32_t family;  /* has_family */
    };
    uint16_t tenant;
    uint8_t tier, state;
    uint8_t n_try;
    bool has_family : 1, has_failed : 1, was_put_off : 1;
    bool was_denied : 1, was_answered : 1; /* a call of its; at the gateway, by somebody */
    bool has_thought : 1; /* when its tool's event comes: the think behind the tool is over, too */
};

struct mr_player_ledger {
    double part_s[MR_PLAYER_PARTS];
};

/* Of calls that have ended. */
struct mr_player_tokens {
    uint64_t n_call, n_input, n_cached, n_output;
};

struct mr_player_family {
    double up_s; /* its sandbox is, from then on */
    uint32_t n_strand, open, next;
    uint32_t waiting; /* strands, for the sandbox that one of them is in the queue for */
    struct mr_player_tokens tokens; /* of strands that have ended */
    float sandbox_mb;
    bool has_failed, is_queued, was_denied, was_answered;
};

/* A node that some of its dependencies have told. */
struct mr_player_open {
    double start_s;
    double told_s; /* when the one that binds was there, before its delay */
    uint32_t node, n_left, next;
    struct mr_script_place place;
    struct mr_player_ledger ledger;
};

#endif
