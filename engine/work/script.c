/* SPDX-License-Identifier: Apache-2.0 */
/* Edges are collected while a session's nodes are added and put into the order of their nodes when
 * it ends. */
#include "engine/work/script.h"

#include "engine/base/assert.h"
#include "engine/base/mem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- a session ---- */

mr_status mr_script_session_begin(struct mr_script *script, const struct mr_script_session *session,
                                  struct mr_err *err)
{
    MR_TRY(mr_grow(&script->session, &script->cap_session, script->n_session + 1,
                   sizeof *script->session, err));
    struct mr_script_session *own = &script->session[script->n_session];
    *own = *session;
    own->node = (uint32_t)script->n_node;
    own->n_node = 0;
    script->n_draft = 0;
    return MR_OK;
}

static mr_status add_draft(struct mr_script *script, uint32_t from, struct mr_script_edge edge,
                           struct mr_err *err)
{
    MR_TRY(mr_grow(&script->draft, &script->cap_draft, script->n_draft + 1, sizeof *script->draft,
                   err));
    script->draft[script->n_draft++] = (struct mr_script_draft){from, edge};
    return MR_OK;
}

mr_status mr_script_node_add(struct mr_script *script, const struct mr_script_node *node,
                             const struct mr_script_after *after, size_t n_after,
                             struct mr_err *err)
{
    struct mr_script_session *session = &script->session[script->n_session];
    if (script->n_node >= MR_SCRIPT_NONE - 1 || n_after > UINT16_MAX)
        return mr_err_set(err, MR_LIMIT, MR_NOWHERE, "more nodes or dependencies than are counted");
    if (n_after == 0)
        return mr_err_set(err, MR_RANGE, MR_NOWHERE, "node %u: nothing starts it", session->n_node);
    MR_TRY(
        mr_grow(&script->node, &script->cap_node, script->n_node + 2, sizeof *script->node, err));
    MR_TRY(mr_grow(&script->service_s, &script->cap_service, script->n_node + 1,
                   sizeof *script->service_s, err));
    for (size_t i = 0; i < n_after; i++) {
        const struct mr_script_edge edge = {session->n_node, after[i].delay_s,
                                            after[i].is_dispatch};
        if (after[i].node != MR_SCRIPT_NONE && after[i].node >= session->n_node)
            return mr_err_set(err, MR_RANGE, MR_NOWHERE,
                              "node %u waits for node %u, which is not before it", session->n_node,
                              after[i].node);
        if (!(after[i].delay_s >= 0))
            return mr_err_set(err, MR_RANGE, MR_NOWHERE, "node %u: a delay of %g s",
                              session->n_node, (double)after[i].delay_s);
        MR_TRY(add_draft(script, after[i].node, edge, err));
    }
    script->service_s[script->n_node] = (float)NAN;
    struct mr_script_node *own = &script->node[script->n_node++];
    *own = *node;
    own->n_dep = (uint16_t)n_after;
    own->is_plain = false;
    own->delay_s = 0;
    session->n_node++;
    return MR_OK;
}

/* By the node they come from, the session's start last; then as they were added. */
static int compare_drafts(const void *a, const void *b)
{
    const struct mr_script_draft *x = a, *y = b;
    if (x->from != y->from)
        return x->from < y->from ? -1 : 1;
    return (x->edge.to > y->edge.to) - (x->edge.to < y->edge.to);
}

/* Does this node tell the next one and no other, which waits for nobody else? */
static bool is_plain(const struct mr_script *script, uint32_t i, const struct mr_script_draft *own,
                     size_t n)
{
    const struct mr_script_session *session = &script->session[script->n_session];
    return n == 1 && !own->edge.is_dispatch && own->edge.to == i + 1 &&
           script->node[session->node + i + 1].n_dep == 1;
}

static size_t drafts_of(const struct mr_script *script, uint32_t from, size_t at)
{
    size_t n = 0;
    while (at + n < script->n_draft && script->draft[at + n].from == from)
        n++;
    return n;
}

static void copy_edges(const struct mr_script *script, size_t at, size_t n,
                       struct mr_script_edge *to, size_t *n_to)
{
    for (size_t i = at; i < at + n; i++) {
        to[*n_to] = script->draft[i].edge;
        to[(*n_to)++].to += script->session[script->n_session].node;
    }
}

/* The drafts of one node become its edges. @return how many there are */
static size_t place_edges(struct mr_script *script, uint32_t from, size_t at)
{
    const struct mr_script_session *session = &script->session[script->n_session];
    const size_t n = drafts_of(script, from, at);
    struct mr_script_node *node = &script->node[session->node + from];
    node->edge = (uint32_t)script->n_edge;
    node->is_plain = is_plain(script, from, &script->draft[at], n);
    if (node->is_plain)
        node[1].delay_s = script->draft[at].edge.delay_s;
    else
        copy_edges(script, at, n, script->edge, &script->n_edge);
    return n;
}

static mr_status place_roots(struct mr_script *script, size_t at, struct mr_err *err)
{
    struct mr_script_session *session = &script->session[script->n_session];
    const size_t n = drafts_of(script, MR_SCRIPT_NONE, at);
    MR_TRY(
        mr_grow(&script->root, &script->cap_root, script->n_root + n, sizeof *script->root, err));
    session->root = (uint32_t)script->n_root;
    session->n_root = (uint32_t)n;
    copy_edges(script, at, n, script->root, &script->n_root);
    return MR_OK;
}

/* Does a node wait until this one has ended? */
static bool has_follower(const struct mr_script_edge *edge, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        if (!edge[i].is_dispatch)
            return true;
    return false;
}

/* Where a session could begin as if all before had been: an LLM call that no edge passes by. The
 * last call is one of these with nothing before it that nobody waits for: all ways lead to it. */
static mr_status find_cuts(struct mr_script *script, struct mr_err *err)
{
    struct mr_script_session *session = &script->session[script->n_session];
    uint32_t reach = 0;
    bool has_stray = false;
    session->last = MR_SCRIPT_NONE;
    MR_TRY(mr_grow(&script->cut, &script->cap_cut, script->n_cut + session->n_node,
                   sizeof *script->cut, err));
    for (size_t i = 0; i < session->n_root; i++) {
        const uint32_t to = script->root[session->root + i].to;
        reach = to > reach ? to : reach;
    }
    session->cut = (uint32_t)script->n_cut;
    for (uint32_t k = session->node; k < session->node + session->n_node; k++) {
        const struct mr_script_node *node = &script->node[k];
        uint32_t n_edge;
        const struct mr_script_edge *edge = mr_script_edges(script, k, &n_edge);
        const bool is_call = node->kind == MR_SCRIPT_LLM, is_cut = is_call && reach <= k;
        if (is_call)
            session->last = is_cut && !has_stray ? k : MR_SCRIPT_NONE;
        if (is_cut)
            script->cut[script->n_cut++] = k;
        has_stray |= !node->is_plain && !has_follower(edge, n_edge);
        for (uint32_t i = 0; i < n_edge; i++)
            reach = edge[i].to > reach ? edge[i].to : reach;
        if (node->is_plain && k + 1 > reach)
            reach = k + 1;
    }
    session->n_cut = (uint32_t)script->n_cut - session->cut;
    return MR_OK;
}

/* Its sandbox has room for any of its tools. */
static void look_at_sandbox(struct mr_script_session *session, const struct mr_script_node *node)
{
    if (node->kind != MR_SCRIPT_TOOL || node->where != MR_SCRIPT_CPU)
        return;
    session->draws_sandbox |= !(node->tool.memory_mb > 0);
    if (node->tool.memory_mb > session->sandbox_mb)
        session->sandbox_mb = node->tool.memory_mb;
}

/* From the last node on: is the call behind a think of known start? */
static void find_implied(struct mr_script *script, const struct mr_script_session *session)
{
    bool is_known = false;
    for (uint32_t i = session->n_node; i-- > 0;) {
        struct mr_script_node *node = &script->node[session->node + i];
        if (node->kind == MR_SCRIPT_LLM)
            is_known = !isnan(node->offset_s);
        node->is_implied = node->kind == MR_SCRIPT_THINK && is_known;
    }
}

mr_status mr_script_session_end(struct mr_script *script, struct mr_err *err)
{
    struct mr_script_session *session = &script->session[script->n_session];
    bool has_call = false;
    MR_TRY(mr_grow(&script->edge, &script->cap_edge, script->n_edge + script->n_draft + 1,
                   sizeof *script->edge, err));
    if (script->n_draft > 0)
        qsort(script->draft, script->n_draft, sizeof *script->draft, compare_drafts);
    size_t at = 0;
    for (uint32_t i = 0; i < session->n_node; i++) {
        const struct mr_script_node *node = &script->node[session->node + i];
        at += place_edges(script, i, at);
        has_call |= node->kind == MR_SCRIPT_LLM;
        look_at_sandbox(session, node);
    }
    script->node[script->n_node].edge = (uint32_t)script->n_edge;
    MR_TRY(place_roots(script, at, err));
    if (!has_call)
        return mr_err_set(err, MR_RANGE, MR_NOWHERE, "session %zu has no LLM call",
                          script->n_session);
    find_implied(script, session);
    MR_TRY(find_cuts(script, err));
    script->n_session++;
    return MR_OK;
}

/* ---- contexts ---- */

/* The names of a context from block `at` on, as many as stand in sequence. Behind its runs they go
 * on with the last one, if that is its own, or by place.
 * @param[in,out] i, start run that a smaller `at` was in, and block at which it begins */
static struct mr_script_run names_at(const struct mr_script *script,
                                     const struct mr_script_context *context, uint32_t at,
                                     uint32_t *i, uint32_t *start)
{
    const struct mr_script_run *run = &script->run[context->run];
    while (*i < context->n_run && at - *start >= run[*i].n)
        *start += run[(*i)++].n;
    if (*i < context->n_run)
        return (struct mr_script_run){run[*i].space, run[*i].id + (at - *start),
                                      run[*i].n - (at - *start)};
    const struct mr_script_run *last = *i > 0 ? &run[*i - 1] : NULL;
    const uint32_t id = last != NULL && last->space == 0 ? last->id + last->n - *start : 0;
    return (struct mr_script_run){0, id + at, UINT32_MAX - at};
}

uint32_t mr_script_common(const struct mr_script *script, const struct mr_script_context *context,
                          uint32_t base)
{
    if (base == MR_SCRIPT_NONE)
        return 0;
    const struct mr_script_context *b = &script->context[base];
    uint32_t at = 0, i = 0, k = 0, start_a = 0, start_b = 0;
    while (at < UINT32_MAX) {
        const struct mr_script_run x = names_at(script, context, at, &i, &start_a);
        const struct mr_script_run y = names_at(script, b, at, &k, &start_b);
        if (x.space != y.space || x.id != y.id)
            break;
        at += x.n < y.n ? x.n : y.n;
    }
    return at;
}

mr_status mr_script_context_add(struct mr_script *script, const struct mr_script_run *run,
                                size_t n_run, uint32_t base, uint32_t *context, struct mr_err *err)
{
    MR_TRY(mr_grow(&script->context, &script->cap_context, script->n_context + 1,
                   sizeof *script->context, err));
    MR_TRY(mr_grow(&script->run, &script->cap_run, script->n_run + n_run + 1, sizeof *script->run,
                   err));
    struct mr_script_context own = {.run = (uint32_t)script->n_run, .base = base};
    for (size_t i = 0; i < n_run; i++) {
        struct mr_script_run *last = own.n_run > 0 ? &script->run[script->n_run - 1] : NULL;
        if (run[i].n == 0)
            continue;
        own.n_block += run[i].n;
        if (last != NULL && last->space == run[i].space && last->id + last->n == run[i].id) {
            last->n += run[i].n;
            continue;
        }
        script->run[script->n_run++] = run[i];
        own.n_run++;
    }
    script->run_max = own.n_run > script->run_max ? own.n_run : script->run_max;
    own.n_keep = mr_script_common(script, &own, base);
    *context = (uint32_t)script->n_context;
    script->context[script->n_context++] = own;
    return MR_OK;
}

/* ---- life ---- */

void mr_script_fini(struct mr_script *script)
{
    mr_free(script->node);
    mr_free(script->service_s);
    mr_free(script->edge);
    mr_free(script->root);
    mr_free(script->session);
    mr_free(script->run);
    mr_free(script->context);
    mr_free(script->hint);
    mr_free(script->cron);
    mr_free(script->cut);
    mr_free(script->draft);
    *script = (struct mr_script){0};
}
