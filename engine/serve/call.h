/* SPDX-License-Identifier: Apache-2.0 */
/* One LLM call inside an instance: a cache line, known by its index in the cell's array. */
#ifndef MR_ENGINE_SERVE_CALL_H
#define MR_ENGINE_SERVE_CALL_H

#include "engine/serve/cache.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MR_CALL_NONE UINT32_MAX

enum mr_call_state {
    MR_CALL_WAITING,
    MR_CALL_READING, /* its prompt, in chunks */
    MR_CALL_DECODING,
    MR_CALL_LEFT, /* its prompt is read, its blocks are held until it has arrived elsewhere */
    MR_CALL_DONE
};

struct mr_call {
    double arrived_s;
    double scheduled_s;      /* start of the first step it was in */
    double first_s;          /* end of the step that first finished its prompt */
    uint64_t entered;        /* decode clock when it began to decode */
    uint32_t n_prompt;       /* tokens to read; after a restart also those it had made */
    uint32_t n_output;       /* tokens to make from here on, the one its prompt yields included */
    uint32_t n_read;         /* of the prompt, while reading */
    uint32_t next, previous; /* in the running list, or in a list of free calls */
    uint32_t crosses;        /* clock at which its context reaches the sliding window */
    uint32_t space;          /* of its session's blocks in the prefix cache */
    uint32_t n_prefix;       /* tokens at its beginning that many sessions share */
    uint32_t n_cached;       /* tokens found when it was first scheduled */
    uint32_t number;         /* that its draws are made from */
    uint32_t path;           /* names of its prompt's blocks (call_path.h); 0: by its space */
    struct mr_cache_hold hold;
    uint16_t n_restart;
    uint8_t state; /* enum mr_call_state */
    uint8_t rank;  /* in the queue: 0 is served first */
    bool is_scheduled : 1, has_first : 1, is_growing : 1;
    bool leaves : 1;      /* this instance after its prompt: another one decodes */
    bool is_computed : 1; /* its prompt, elsewhere: it waits to decode */
};

struct mr_call_path {
    struct mr_cache_run *run;
    size_t cap;
    uint32_t n_run, next; /* next: of a list of free ones */
};

/* Calls of a cell. The array may move when calls are added: hold indices, not pointers. */
struct mr_calls {
    struct mr_call *call;
    size_t n, cap;
    uint32_t free; /* first of a list, or MR_CALL_NONE */
    /* call_path.h */
    struct mr_call_path *path;
    size_t n_path, path_cap;
    uint32_t free_path; /* + 1; 0: none */
    struct mr_cache_run *scratch;
    size_t scratch_cap;
};

#endif
