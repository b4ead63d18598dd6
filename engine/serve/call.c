/* SPDX-License-Identifier: Apache-2.0 */
/* A slab with a free list. It grows to twice its size in fresh memory, for no allocator that keeps
 * a place promises to keep it aligned. */
#include "engine/serve/call.h"

#include "engine/base/mem.h"

#include <string.h>

enum {
    line_bytes = 64,
    cap_first = 8
};

_Static_assert(sizeof(struct mr_call) == line_bytes, "a call is one cache line");

void mr_call_fini(struct mr_calls *calls)
{
    mr_free(calls->slab);
    mr_free(calls->load);
    *calls = MR_CALLS_EMPTY;
}

static mr_status grow(struct mr_calls *calls, struct mr_err *err)
{
    const size_t cap = calls->cap > 0 ? 2 * calls->cap : cap_first;
    const size_t each = sizeof *calls->call + sizeof *calls->link;
    char *const slab = mr_alloc(cap + 1, each); /* the one more is at least a line */
    if (slab == NULL)
        return mr_err_nomem(err, (cap + 1) * each);
    char *const aligned = slab + (line_bytes - (uintptr_t)slab % line_bytes) % line_bytes;
    struct mr_call *const call = (struct mr_call *)(void *)aligned;
    struct mr_call_link *const link = (struct mr_call_link *)(void *)(call + cap);
    if (calls->n > 0) {
        memcpy(call, calls->call, calls->n * sizeof *call);
        memcpy(link, calls->link, calls->n * sizeof *link);
    }
    mr_free(calls->slab);
    calls->slab = slab;
    calls->call = call;
    calls->link = link;
    calls->cap = cap;
    return MR_OK;
}

mr_status mr_call_take(struct mr_calls *calls, uint32_t *call, struct mr_err *err)
{
    if (calls->free != MR_CALL_NONE) {
        *call = calls->free;
        calls->free = calls->link[*call].next;
        return MR_OK;
    }
    if (calls->n == MR_CALL_NONE)
        return mr_err_set(err, MR_LIMIT, MR_NOWHERE, "more than 2^32 - 1 calls in flight");
    if (calls->n == calls->cap)
        MR_TRY(grow(calls, err));
    *call = (uint32_t)calls->n++;
    return MR_OK;
}

void mr_call_give_back(struct mr_calls *calls, uint32_t call)
{
    if (call < calls->load_cap)
        calls->load[call] = (struct mr_call_load){0};
    calls->link[call].next = calls->free;
    calls->free = call;
}
