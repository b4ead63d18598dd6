/* SPDX-License-Identifier: Apache-2.0 */
/* One LLM call inside an instance: one cache line, known by its index in the cell's array. Places
 * in running lists stand apart, eight bytes each: who ends touches its neighbors' places, and not
 * their lines. */
#ifndef MR_ENGINE_SERVE_CALL_H
#define MR_ENGINE_SERVE_CALL_H

#include "engine/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MR_CALL_NONE UINT32_MAX

enum {
    MR_CALL_RESTARTS = 4095,
    MR_CALL_LEVEL_MIN = -8,
    MR_CALL_LEVEL_MAX = 7
};

enum mr_call_state {
    MR_CALL_WAITING,
    MR_CALL_LOADING, /* a part of its context is on its way from a slower memory (onboard.h) */
    MR_CALL_READING, /* its prompt, in chunks */
    MR_CALL_FILLING, /* its last part is in the pipeline (fill.h) */
    MR_CALL_DECODING,
    MR_CALL_LEFT, /* its prompt is read, its blocks are held until it has arrived elsewhere */
    MR_CALL_DONE
};

struct mr_call {
    double arrived_s;
    double scheduled_s; /* start of the first step it was in */
    double first_s;     /* end of the step that first finished its prompt */
    uint32_t n_prompt;  /* tokens to read; after a restart also those it had made */
    uint32_t n_output;  /* tokens to make from here on, the one its prompt yields included */
    union {
        uint32_t n_read;  /* of the prompt, until it decodes; while it waits: tokens that were
                             there when it came, where somebody asks (instance_wait.h) */
        uint32_t entered; /* decode clock when it began to, modulo 2^32: mr_instance_entered */
    };
    union {
        uint32_t crosses;    /* clock at which its context reaches the sliding window */
        uint32_t generation; /* while it waits: of the extent `pinned`, 0: there is none */
    };
    uint32_t space;  /* of its session's blocks in the prefix cache */
    uint32_t pinned; /* extent of the prefix cache where its hold ends, 0: none; when it has ended:
                        where its context does, if that is still there; while it waits: where its
                        lane's last context does */
    union {
        uint32_t n_prefix; /* tokens at its beginning that many sessions share */
        uint32_t path;     /* is_named: names of its prompt's blocks (call_path.h) */
        uint32_t context;  /* is_scripted: of the script, names of its blocks */
    };
    uint32_t n_cached;       /* tokens found when it was first scheduled */
    uint32_t number;         /* that its draws are made from */
    uint16_t n_restart : 12; /* up to MR_CALL_RESTARTS */
    uint16_t level : 4;      /* within its rank: mr_call_level */
    uint8_t rank : 5;        /* in the queue: 0 is served first */
    uint8_t state : 3;       /* enum mr_call_state */
    bool is_scheduled : 1, has_first : 1, is_growing : 1;
    bool leaves : 1;      /* this instance after its prompt: another one decodes */
    bool is_computed : 1; /* its prompt, elsewhere: it waits to decode */
    bool is_named : 1;    /* its prompt's blocks are: path, not n_prefix */
    bool is_scripted : 1; /* context, not n_prefix */
    bool yields : 1;      /* background work (yield.h) */
};

struct mr_cache_run;

struct mr_call_path {
    struct mr_cache_run *run;
    size_t cap;
    uint32_t n_run, next; /* next: of a list of free ones */
};

struct mr_script;

/* What a call has loaded from slower memories (onboard.h): when it was first scheduled, and how
 * long it has waited for more since. */
struct mr_call_load {
    double load_s; /* from asking to arriving */
    uint32_t n_block[4];
    double again_s[2]; /* that after a preemption: before its first token, behind it */
};

struct mr_call_link {
    uint32_t next, previous; /* in the running list, or in a list of free calls */
};

/* Calls of a cell. The arrays may move when calls are added: hold indices, not pointers. All 0 but
 * for `free`: empty. */
struct mr_calls {
    struct mr_call *call; /* aligned to cache lines, inside `slab` */
    struct mr_call_link *link;
    void *slab;
    size_t n, cap;
    uint32_t free;                  /* first of a list, or MR_CALL_NONE */
    const struct mr_script *script; /* of calls that have contexts; lent */
    /* call_path.h */
    struct mr_call_path *path;
    size_t n_path, path_cap;
    uint32_t free_path; /* + 1; 0: none */
    struct mr_cache_run *scratch;
    size_t scratch_cap;
    struct mr_call_load *load; /* by call */
    size_t load_cap;           /* 0: no call has asked */
};

#define MR_CALLS_EMPTY ((struct mr_calls){.free = MR_CALL_NONE})

void mr_call_fini(struct mr_calls *calls);

/** Within its rank: larger is served first; 0 unless it was set. */
static inline int mr_call_level(const struct mr_call *call)
{
    return (int)(call->level ^ 8u) - 8;
}

/** @param[in] level cut to MR_CALL_LEVEL_MIN .. MR_CALL_LEVEL_MAX */
static inline void mr_call_set_level(struct mr_call *call, int level)
{
    const int most = level < MR_CALL_LEVEL_MAX ? level : MR_CALL_LEVEL_MAX;
    call->level = (unsigned)(most > MR_CALL_LEVEL_MIN ? most : MR_CALL_LEVEL_MIN) & 15u;
}

static inline void mr_call_restarted(struct mr_call *call)
{
    if (call->n_restart < MR_CALL_RESTARTS)
        call->n_restart++;
}

/** Blocks that it has loaded from a slower memory, counted from 0 on, when it was first scheduled.
 */
static inline uint32_t mr_call_loaded(const struct mr_calls *calls, const struct mr_call *call,
                                      uint32_t level)
{
    const size_t i = (size_t)(call - calls->call);
    return i < calls->load_cap ? calls->load[i].n_block[level] : 0;
}

/** How long it has waited for them: a part of the time before it was scheduled. */
static inline double mr_call_load_s(const struct mr_calls *calls, const struct mr_call *call)
{
    const size_t i = (size_t)(call - calls->call);
    return i < calls->load_cap ? calls->load[i].load_s : 0;
}

/** How long it has waited for loads after preemptions. @param[in] is_behind its first token */
static inline double mr_call_again_s(const struct mr_calls *calls, const struct mr_call *call,
                                     bool is_behind)
{
    const size_t i = (size_t)(call - calls->call);
    return i < calls->load_cap ? calls->load[i].again_s[is_behind] : 0;
}

/** A place for a call, whose content is for the caller to set. */
MR_CHECKED mr_status mr_call_take(struct mr_calls *calls, uint32_t *call, struct mr_err *err);
void mr_call_give_back(struct mr_calls *calls, uint32_t call);

#endif
