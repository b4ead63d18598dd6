/* SPDX-License-Identifier: Apache-2.0 */
/* A stack of runs: keeping cuts its top, growing adds to it or lengthens it. */
#include "engine/work/session_context.h"

#include "engine/base/assert.h"
#include "engine/base/mem.h"

void mr_session_context_cut(struct mr_session_context *context, uint32_t n_block)
{
    while (context->n_block > n_block) {
        struct mr_session_run *last = &context->run[context->n_run - 1];
        const uint32_t above = context->n_block - n_block, less = above < last->n ? above : last->n;
        last->n -= less;
        context->n_block -= less;
        context->n_run -= last->n == 0;
    }
}

mr_status mr_session_context_add(struct mr_session_context *context, struct mr_session_run run,
                                 struct mr_err *err)
{
    if (run.n == 0)
        return MR_OK;
    MR_ASSERT(run.n <= UINT32_MAX - context->n_block);
    context->n_block += run.n;
    if (context->n_run > 0 && mr_session_run_joins(&context->run[context->n_run - 1], &run)) {
        context->run[context->n_run - 1].n += run.n;
        return MR_OK;
    }
    const mr_status st =
        mr_grow(&context->run, &context->cap_run, context->n_run + 1, sizeof *context->run, err);
    if (st == MR_OK)
        context->run[context->n_run++] = run;
    else
        context->n_block -= run.n;
    return st;
}

mr_status mr_session_context_apply(struct mr_session_context *context,
                                   const struct mr_session *session,
                                   const struct mr_session_llm *llm, struct mr_err *err)
{
    MR_ASSERT(llm->keep <= context->n_block);
    mr_session_context_cut(context, llm->keep);
    for (uint32_t i = 0; i < llm->n_run; i++)
        MR_TRY(mr_session_context_add(context, session->run[llm->run + i], err));
    return MR_OK;
}

mr_status mr_session_context_move(struct mr_session_context *context,
                                  const struct mr_session *session, uint32_t node,
                                  struct mr_err *err)
{
    size_t n = 0;
    for (uint32_t at = node;; at = mr_session_llm_of(session, at)->base) {
        const struct mr_session_llm *llm = mr_session_llm_of(session, at);
        MR_TRY(mr_grow(&context->chain, &context->cap_chain, n + 1, sizeof *context->chain, err));
        context->chain[n++] = at;
        if (llm->base == MR_SESSION_NONE || llm->keep == 0)
            break;
        if (context->n_block > 0 && llm->base == context->node)
            break;
    }
    while (n > 0)
        MR_TRY(mr_session_context_apply(context, session,
                                        mr_session_llm_of(session, context->chain[--n]), err));
    context->node = node;
    return MR_OK;
}

uint32_t mr_session_context_common(const struct mr_session_context *context, const uint64_t *id,
                                   size_t n)
{
    size_t k = 0;
    for (size_t i = 0; i < context->n_run; i++) {
        const struct mr_session_run *run = &context->run[i];
        const size_t end = k + run->n < n ? k + run->n : n;
        uint64_t next = run->id;
        if (run->is_minted)
            break;
        while (k < end && id[k] == next) {
            k++;
            next++;
        }
        if (next - run->id < run->n)
            break;
    }
    return (uint32_t)k;
}

void mr_session_context_fini(struct mr_session_context *context)
{
    mr_free(context->run);
    mr_free(context->chain);
    *context = (struct mr_session_context){0};
}

mr_status mr_session_ids_add(struct mr_session *session, struct mr_session_context *context,
                             const uint64_t *id, size_t n, struct mr_err *err)
{
    if (n > UINT32_MAX)
        return mr_err_set(err, MR_LIMIT, MR_NOWHERE, "node %u: %zu blocks",
                          session->node[session->n_node - 1].id, n);
    size_t k = mr_session_context_common(context, id, n);
    MR_TRY(mr_session_keep(session, (uint32_t)k, err));
    while (k < n) {
        const size_t first = k++;
        while (k < n && id[k] == id[k - 1] + 1 && id[k] != 0)
            k++;
        MR_TRY(mr_session_run_add(
            session, (struct mr_session_run){.id = id[first], .n = (uint32_t)(k - first)}, err));
    }
    return mr_session_context_apply(context, session, &session->llm[session->n_llm - 1], err);
}
