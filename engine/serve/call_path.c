/* SPDX-License-Identifier: Apache-2.0 */
/* Paths keep their memory when they are given back. */
#include "engine/serve/call_path.h"

#include "engine/base/mem.h"
#include "engine/work/script.h"

#include <string.h>

static mr_status find_free(struct mr_calls *calls, uint32_t *out, struct mr_err *err)
{
    if (calls->free_path != 0) {
        *out = calls->free_path;
        calls->free_path = calls->path[*out - 1].next;
        return MR_OK;
    }
    MR_TRY(mr_grow(&calls->path, &calls->path_cap, calls->n_path + 1, sizeof *calls->path, err));
    calls->path[calls->n_path++] = (struct mr_call_path){0};
    *out = (uint32_t)calls->n_path;
    return MR_OK;
}

static void give(struct mr_calls *calls, uint32_t path)
{
    calls->path[path - 1].next = calls->free_path;
    calls->free_path = path;
}

mr_status mr_call_path_take(struct mr_calls *calls, const struct mr_cache_run *run, uint32_t n_run,
                            struct mr_call *call, struct mr_err *err)
{
    uint32_t i = 0;
    if (n_run == 0)
        return MR_OK;
    /* two more: what a path may end with */
    MR_TRY(mr_grow(&calls->scratch, &calls->scratch_cap, (size_t)n_run + 2, sizeof *calls->scratch,
                   err));
    MR_TRY(find_free(calls, &i, err));
    struct mr_call_path *path = &calls->path[i - 1];
    const mr_status st = mr_grow(&path->run, &path->cap, n_run, sizeof *path->run, err);
    if (st != MR_OK) {
        give(calls, i);
        return st;
    }
    memcpy(path->run, run, n_run * sizeof *run);
    path->n_run = n_run;
    call->path = i;
    call->is_named = true;
    return MR_OK;
}

void mr_call_path_give(struct mr_calls *calls, const struct mr_call *call)
{
    if (call->is_named)
        give(calls, call->path);
}

void mr_call_path_fini(struct mr_calls *calls)
{
    for (size_t i = 0; i < calls->n_path; i++)
        mr_free(calls->path[i].run);
    mr_free(calls->path);
    mr_free(calls->scratch);
    calls->path = NULL;
    calls->scratch = NULL;
    calls->n_path = calls->path_cap = calls->scratch_cap = 0;
    calls->free_path = 0;
}

static void name_known(const struct mr_calls *calls, const struct mr_call *call,
                       struct mr_cache_path *path)
{
    const struct mr_call_path *known = &calls->path[call->path - 1];
    struct mr_cache_run *run = calls->scratch;
    uint32_t n_run = 0, n_left = path->n_block;
    for (uint32_t i = 0; i < known->n_run && n_left > 0; i++) {
        run[n_run] = known->run[i];
        run[n_run].n = run[n_run].n < n_left ? run[n_run].n : n_left;
        n_left -= run[n_run++].n;
    }
    if (n_left > 0)
        run[n_run++] =
            (struct mr_cache_run){mr_cache_id(call->space, path->n_block - n_left), n_left};
    path->run = run;
    path->n_run = n_run;
}

/* Runs of a script's context, the session's own in its space; what is known beyond them goes on
 * with the last one's names. Runs are put down from the last one to the one that holds `from`. */
static void name_context(const struct mr_calls *calls, const struct mr_call *call, uint32_t from,
                         struct mr_cache_path *path)
{
    const struct mr_script_context *context = &calls->script->context[call->context];
    const struct mr_script_run *run = &calls->script->run[context->run];
    struct mr_cache_run *const last = calls->scratch + calls->scratch_cap, *first = last;
    uint32_t i = context->n_run, start = context->n_block, end = path->n_block;
    if (end > start && (i == 0 || run[i - 1].space != 0)) {
        *--first = (struct mr_cache_run){mr_cache_id(call->space, start), end - start};
        end = start;
    }
    while (end > from) {
        const struct mr_script_run *r = &run[--i];
        start -= r->n;
        if (start >= end)
            continue;
        *--first = (struct mr_cache_run){mr_cache_id(r->space == 0 ? call->space : r->space, r->id),
                                         end - start};
        end = start;
    }
    path->run = first;
    path->n_run = (uint32_t)(last - first);
}

static void name_session(const struct mr_call *call, uint32_t shared, struct mr_cache_run own[2],
                         struct mr_cache_path *path)
{
    const uint32_t n = path->n_block, n_shared = shared < n ? shared : n;
    uint32_t n_run = 0;
    if (n_shared > 0)
        own[n_run++] = (struct mr_cache_run){mr_cache_id(0, 0), n_shared};
    if (n > n_shared)
        own[n_run++] = (struct mr_cache_run){mr_cache_id(call->space, n_shared), n - n_shared};
    path->run = own;
    path->n_run = n_run;
}

void mr_call_path_of(const struct mr_calls *calls, const struct mr_call *call, uint64_t n_tok,
                     uint32_t block_tokens, uint32_t from, struct mr_cache_run own[2],
                     struct mr_cache_path *path)
{
    *path = (struct mr_cache_path){.n_block = mr_cache_whole(n_tok, block_tokens),
                                   .yields = call->yields};
    if (call->is_scripted)
        name_context(calls, call, from, path);
    else if (call->is_named)
        name_known(calls, call, path);
    else
        name_session(call, mr_cache_whole(call->n_prefix, block_tokens), own, path);
}
