/* SPDX-License-Identifier: Apache-2.0 */
/* A call as it comes to a cell, and as it is told of when it ends. */
#ifndef MR_ENGINE_SERVE_TICKET_H
#define MR_ENGINE_SERVE_TICKET_H

#include "engine/work/script.h"

struct mr_cache_run;

/* What a call is besides what its instance needs to know. */
struct mr_ticket {
    uint64_t id;
    uint32_t session, n_prompt, n_output, n_cached;
    uint32_t n_prefix; /* tokens of the prompt that all sessions share */
    uint32_t context;  /* of the cell's script, plus 1: names of its blocks; 0: none */
    uint32_t space;    /* with a context: of the session's own blocks */
    uint32_t instance; /* that decodes; with a context on arrival: that of its last call */
    uint32_t prefill;  /* instance of the other pool that reads the prompt, or MR_ROUTER_NOWHERE */
    uint32_t n_run;    /* names of the prompt's blocks, if known; lent until the call has come */
    uint16_t hint;     /* place in the hints of the cell's script; 0: none */
    uint8_t tier;
    bool is_alone : 1; /* the only call of its session: nothing is remembered of it */
    bool is_warm : 1;  /* its prompt counts as cached from the start, as after a long time */
    bool is_final : 1; /* nothing of its session's own blocks is needed afterwards */
    bool is_ahead : 1; /* nobody's call: a prompt that is read ahead (cell_ahead.h) */
    uint32_t next; /* context of its lane's next call, plus 1, if what is known of it may be read
                      ahead; 0: it may not */
    union {        /* lent until the call has come */
        const struct mr_cache_run *run;      /* [n_run] */
        const struct mr_script_place *place; /* with a context: of its lane's last call, or NULL */
    };
};

/* What is kept of a call's ticket beside the call: half a cache line. The rest stands in the call.
 */
struct mr_ticket_stub {
    uint64_t id;
    uint32_t session, n_output, instance, prefill;
    union {
        uint32_t next;     /* of a call that is scripted */
        uint32_t n_prefix; /* of any other */
    };
    uint16_t hint;
    uint8_t tier;
    bool is_alone : 1, is_warm : 1, is_final : 1, is_ahead : 1;
};

#endif
