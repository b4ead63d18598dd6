/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions of SATF files: a tool is two nodes there, its call, which takes no time, and its result,
 * which takes the tool's. The tool of a session here starts where the result does; what waits for a
 * call waits for what the call waited for, so that no date changes. Nodes are told by when they
 * begin, those of one date by their names, so that it does not matter where they stand. Of the
 * calls that come after a call, by way of tools too, the one that has most of its blocks goes on in
 * its lane, or else the first; of the calls that a call comes after, it goes on from the one that
 * it has most blocks of, or else the last, and begins a lane where another call goes on. Starts
 * after the file's beginning (min_start_delay_us) are the session's arrival and, of what is left,
 * delays after it. */
#include "engine/base/mem.h"
#include "engine/work/trace_satf_impl.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- order ---- */

/* Edges by the node they end at, in the order of the file. */
static mr_status sort_edges(struct mr_trace *trace, struct mr_err *err)
{
    struct mr_trace_satf *state = trace->state;
    uint32_t n = 0;
    MR_TRY(mr_grow(&state->into, &state->cap_into, state->n_edge, sizeof *state->into, err));
    for (size_t e = 0; e < state->n_edge; e++) {
        const struct mr_trace_satf_edge *edge = &state->edge[e];
        const bool is_from = state->node[edge->from].is_known;
        if (!is_from || !state->node[edge->to].is_known)
            return mr_err_set(err, MR_REF, (struct mr_place){trace->name, trace->line, 0},
                              "an edge names \"%s\", which is no node of its session",
                              mr_intern_text(&state->names, is_from ? edge->to : edge->from));
        state->node[edge->to].n_edge++;
    }
    for (size_t i = 0; i < state->n_order; i++) {
        struct mr_trace_satf_node *node = &state->node[state->order[i]];
        node->edge = n;
        n += node->n_edge;
        node->n_edge = 0;
    }
    for (size_t e = 0; e < state->n_edge; e++) {
        struct mr_trace_satf_node *node = &state->node[state->edge[e].to];
        state->into[node->edge + node->n_edge++] = (uint32_t)e;
    }
    return MR_OK;
}

static double since_us(const struct mr_trace_satf *state, const struct mr_trace_satf_node *node)
{
    return isnan(node->least_us) ? 0 : fmax(0, node->least_us - state->arrival_us);
}

/* When it begins, as far as that is known, when all it waits for has a rank. */
static void rank_node(struct mr_trace_satf *state, struct mr_trace_satf_node *node)
{
    node->is_ranked = true;
    node->depth = 0;
    node->order_us = since_us(state, node);
    for (uint32_t e = 0; e < node->n_edge; e++) {
        const struct mr_trace_satf_edge *edge = &state->edge[state->into[node->edge + e]];
        const struct mr_trace_satf_node *from = &state->node[edge->from];
        const double end_us =
            from->kind == MR_TRACE_SATF_CALL || isnan(from->duration_us) ? 0 : from->duration_us;
        node->order_us = fmax(node->order_us, from->order_us + end_us + edge->delay_us);
        node->depth = from->depth >= node->depth ? from->depth + 1 : node->depth;
    }
}

/* What is waited for first. A node is on the stack twice: when it is met and when all it waits for
 * has a rank. */
static mr_status rank_nodes(struct mr_trace *trace, struct mr_err *err)
{
    struct mr_trace_satf *state = trace->state;
    for (size_t first = 0; first < state->n_order; first++) {
        size_t n = 0;
        MR_TRY(mr_grow(&state->stack, &state->cap_stack, 1, sizeof *state->stack, err));
        state->stack[n++] = state->order[first];
        while (n > 0) {
            struct mr_trace_satf_node *node = &state->node[state->stack[n - 1]];
            if (node->is_met || node->is_ranked) {
                n--;
                if (!node->is_ranked)
                    rank_node(state, node);
                continue;
            }
            node->is_met = true;
            for (uint32_t e = node->n_edge; e > 0; e--) {
                const uint32_t from = state->edge[state->into[node->edge + e - 1]].from;
                if (state->node[from].is_ranked)
                    continue;
                if (state->node[from].is_met)
                    return mr_err_set(err, MR_REF, (struct mr_place){trace->name, node->line, 0},
                                      "waits for \"%s\", which waits for it: a cycle",
                                      mr_intern_text(&state->names, from));
                MR_TRY(mr_grow(&state->stack, &state->cap_stack, n + 1, sizeof *state->stack, err));
                state->stack[n++] = from;
            }
        }
    }
    return MR_OK;
}

/* By date, then what is waited for first; names as numbers are: short ones before long ones. */
static int compare(const void *a, const void *b)
{
    const struct mr_trace_satf_key *x = a, *y = b;
    if (x->us < y->us || x->us > y->us)
        return x->us < y->us ? -1 : 1;
    if (x->depth != y->depth)
        return x->depth < y->depth ? -1 : 1;
    if (x->name.n != y->name.n)
        return x->name.n < y->name.n ? -1 : 1;
    return memcmp(x->name.p, y->name.p, x->name.n);
}

static mr_status order_nodes(struct mr_trace *trace, struct mr_err *err)
{
    struct mr_trace_satf *state = trace->state;
    const size_t n = state->n_order;
    MR_TRY(rank_nodes(trace, err));
    MR_TRY(mr_grow(&state->key, &state->cap_key, n, sizeof *state->key, err));
    for (size_t k = 0; k < n; k++) {
        const uint32_t i = state->order[k];
        state->key[k] = (struct mr_trace_satf_key){.us = state->node[i].order_us,
                                                   .name = mr_intern_str(&state->names, i),
                                                   .depth = state->node[i].depth,
                                                   .node = i};
    }
    if (n > 1)
        qsort(state->key, n, sizeof *state->key, compare);
    for (size_t k = 0; k < n; k++) {
        state->order[k] = state->key[k].node;
        state->node[state->order[k]].rank = (uint32_t)k;
    }
    return MR_OK;
}

/* ---- telling ---- */

static mr_status add_dep(struct mr_trace *trace, struct mr_trace_satf_node *node,
                         struct mr_trace_satf_dep dep, struct mr_err *err)
{
    struct mr_trace_satf *state = trace->state;
    if (state->n_dep >= mr_trace_satf_dep_max)
        return mr_err_set(err, MR_LIMIT, (struct mr_place){trace->name, node->line, 0},
                          "calls of tools wait for each other in more than %d ways",
                          mr_trace_satf_dep_max);
    MR_TRY(mr_grow(&state->dep, &state->cap_dep, state->n_dep + 1, sizeof *state->dep, err));
    state->dep[state->n_dep++] = dep;
    node->n_dep++;
    return MR_OK;
}

/* Is a call told after another? MR_SESSION_NONE is none. */
static bool is_later(const struct mr_trace_satf *state, uint32_t call, uint32_t other)
{
    return call != MR_SESSION_NONE &&
           (other == MR_SESSION_NONE || state->node[call].rank > state->node[other].rank);
}

/* What a node waits for, calls of tools replaced by what they wait for; and when it began. */
static mr_status resolve(struct mr_trace *trace, struct mr_trace_satf_node *node,
                         struct mr_err *err)
{
    struct mr_trace_satf *state = trace->state;
    const double least_us = since_us(state, node);
    node->dep = (uint32_t)state->n_dep;
    for (uint32_t e = 0; e < node->n_edge; e++) {
        const struct mr_trace_satf_edge *edge = &state->edge[state->into[node->edge + e]];
        const struct mr_trace_satf_node *from = &state->node[edge->from];
        if (from->kind != MR_TRACE_SATF_CALL)
            MR_TRY(
                add_dep(trace, node, (struct mr_trace_satf_dep){edge->delay_us, edge->from}, err));
        else if (from->tool != MR_SESSION_NONE)
            node->tool = from->tool; /* the call says which tool it is of */
        for (uint32_t d = 0; from->kind == MR_TRACE_SATF_CALL && d < from->n_dep; d++) {
            const struct mr_trace_satf_dep dep = state->dep[from->dep + d];
            MR_TRY(add_dep(trace, node,
                           (struct mr_trace_satf_dep){dep.delay_us + edge->delay_us, dep.node},
                           err));
        }
    }
    if (node->n_edge == 0 || least_us > 0)
        MR_TRY(add_dep(trace, node, (struct mr_trace_satf_dep){least_us, MR_SESSION_NONE}, err));
    node->start_us = 0;
    for (uint32_t d = 0; d < node->n_dep; d++) {
        const struct mr_trace_satf_dep *dep = &state->dep[node->dep + d];
        const struct mr_trace_satf_node *from =
            dep->node != MR_SESSION_NONE ? &state->node[dep->node] : NULL;
        const double at_us = dep->delay_us + (from != NULL ? from->end_us : 0);
        if (isnan(at_us) || at_us > node->start_us) /* one that is not known stays that */
            node->start_us = at_us;
        if (from != NULL && is_later(state, from->last, node->last))
            node->last = from->last;
    }
    node->end_us = node->start_us + (node->kind == MR_TRACE_SATF_CALL ? 0 : node->duration_us);
    return MR_OK;
}

static mr_status add_after(struct mr_session *session, const struct mr_trace_satf *state,
                           const struct mr_trace_satf_dep *dep, uint8_t relation,
                           struct mr_err *err)
{
    const uint32_t node =
        dep->node != MR_SESSION_NONE ? state->node[dep->node].at : MR_SESSION_NONE;
    return mr_session_after_add(session,
                                (struct mr_session_after){.delay_s = dep->delay_us / 1e6,
                                                          .node = node,
                                                          .relation = relation},
                                err);
}

static mr_status tell_tool(struct mr_trace *trace, struct mr_session *session,
                           struct mr_trace_satf_node *node, struct mr_err *err)
{
    const struct mr_trace_satf *state = trace->state;
    const uint32_t lane =
        node->last != MR_SESSION_NONE ? session->node[state->node[node->last].at].lane : 0;
    MR_TRY(mr_session_node_add(session, MR_SESSION_TOOL, lane, mr_session_next_id(session), err));
    struct mr_session_tool *tool = &session->tool[session->n_tool - 1];
    tool->wall_s = node->duration_us / 1e6;
    if (node->tool != MR_SESSION_NONE)
        MR_TRY(mr_intern_add(&trace->book.class, mr_intern_str(&state->classes, node->tool),
                             &tool->class, err));
    tool->n_output = node->n_result;
    tool->is_error = node->is_error;
    node->at = (uint32_t)session->n_node - 1;
    for (uint32_t d = 0; d < node->n_dep; d++)
        MR_TRY(add_after(session, state, &state->dep[node->dep + d], MR_SESSION_SEQ, err));
    return MR_OK;
}

/* The call that a wait of a call comes after; MR_SESSION_NONE: none. */
static uint32_t call_of(const struct mr_trace_satf *state, const struct mr_trace_satf_node *node,
                        uint32_t d)
{
    const uint32_t from = state->dep[node->dep + d].node;
    return from != MR_SESSION_NONE ? state->node[from].last : MR_SESSION_NONE;
}

static uint32_t common(const struct mr_trace_satf *state, const struct mr_trace_satf_node *base,
                       const struct mr_trace_satf_node *node)
{
    const struct mr_trace_row *old = &state->rows.row[base->row],
                              *now = &state->rows.row[node->row];
    uint32_t r, skip;
    if (!old->has_blocks || !now->has_blocks)
        return 0;
    return mr_trace_rows_common(&state->rows.run[old->run], old->n_run, &state->rows.run[now->run],
                                now->n_run, &r, &skip);
}

/* Which call goes on in the lane of each one that it comes after? */
static void find_heirs(struct mr_trace_satf *state, uint32_t i)
{
    const struct mr_trace_satf_node *node = &state->node[i];
    for (uint32_t d = 0; d < node->n_dep; d++) {
        const uint32_t call = call_of(state, node, d);
        if (call == MR_SESSION_NONE)
            continue;
        struct mr_trace_satf_node *base = &state->node[call];
        const uint32_t n = common(state, base, node);
        if (base->heir != MR_SESSION_NONE && n <= base->n_heir)
            continue;
        base->heir = i;
        base->n_heir = n;
    }
}

/* The call that it goes on from, and whether in its lane. */
static uint32_t base_of(const struct mr_trace_satf *state, uint32_t i, bool *goes_on)
{
    const struct mr_trace_satf_node *node = &state->node[i];
    uint32_t best = MR_SESSION_NONE, n_best = 0;
    *goes_on = false;
    for (uint32_t d = 0; d < node->n_dep; d++) {
        const uint32_t call = call_of(state, node, d);
        if (call == MR_SESSION_NONE)
            continue;
        const bool is_heir = state->node[call].heir == i;
        const uint32_t n = common(state, &state->node[call], node);
        if (best != MR_SESSION_NONE && (n != n_best           ? n < n_best
                                        : is_heir != *goes_on ? !is_heir
                                                              : !is_later(state, call, best)))
            continue;
        best = call;
        n_best = n;
        *goes_on = is_heir;
    }
    return best != MR_SESSION_NONE ? state->node[best].at : MR_SESSION_NONE;
}

static mr_status tell_call(struct mr_trace *trace, struct mr_session *session,
                           struct mr_trace_satf_node *node, uint32_t i, struct mr_err *err)
{
    struct mr_trace_satf *state = trace->state;
    struct mr_trace_row *row = &state->rows.row[node->row];
    const char *id = mr_session_text(session, session->head.id);
    bool goes_on;
    const uint32_t base = base_of(state, i, &goes_on);
    const uint32_t lane = goes_on               ? session->node[base].lane
                          : session->n_llm == 0 ? 0
                                                : (uint32_t)session->n_lane;
    MR_TRY(mr_trace_rows_call(trace, &state->rows, session, row, lane, base, &state->context, err));
    struct mr_session_llm *llm = &session->llm[session->n_llm - 1];
    llm->start_s = node->start_us / 1e6;
    trace->counts.no_duration += isnan(node->duration_us) ? 1 : 0;
    if (id != NULL) { /* names of nodes are those of one session */
        mr_buf_clear(&state->name);
        mr_buf_printf(&state->name, "%s/%s", id, mr_intern_text(&state->names, i));
        MR_TRY(mr_buf_check(&state->name, err));
        MR_TRY(mr_session_text_add(session, (struct mr_str){state->name.text, state->name.n},
                                   &session->llm[session->n_llm - 1].name, err));
    }
    node->at = row->node;
    for (uint32_t d = 0; d < node->n_dep; d++) {
        const struct mr_trace_satf_dep *dep = &state->dep[node->dep + d];
        const uint32_t last = call_of(state, node, d);
        const uint32_t at = last != MR_SESSION_NONE ? state->node[last].at : MR_SESSION_NONE;
        uint8_t relation = MR_SESSION_SEQ;
        if (at != MR_SESSION_NONE && session->node[at].lane != lane)
            relation = at == base ? MR_SESSION_SPAWN : MR_SESSION_JOIN;
        MR_TRY(add_after(session, state, dep, relation, err));
    }
    return MR_OK;
}

static mr_status tell_nodes(struct mr_trace *trace, struct mr_session *session, struct mr_err *err)
{
    struct mr_trace_satf *state = trace->state;
    for (size_t k = 0; k < state->n_order; k++) {
        const uint32_t i = state->order[k];
        MR_TRY(resolve(trace, &state->node[i], err));
        if (state->node[i].kind != MR_TRACE_SATF_LLM)
            continue;
        find_heirs(state, i);
        state->node[i].last = i;
        state->node[i].heir = MR_SESSION_NONE;
    }
    for (size_t k = 0; k < state->n_order; k++) {
        struct mr_trace_satf_node *node = &state->node[state->order[k]];
        trace->line = node->line;
        if (node->kind == MR_TRACE_SATF_LLM)
            MR_TRY(tell_call(trace, session, node, state->order[k], err));
        else if (node->kind == MR_TRACE_SATF_RESULT)
            MR_TRY(tell_tool(trace, session, node, err));
    }
    return MR_OK;
}

/* The first date at which something may start; NaN: no date is said. */
static double arrival_of(const struct mr_trace_satf *state)
{
    double arrival_us = (double)INFINITY;
    bool has_date = false;
    for (size_t i = 0; i < state->n_order; i++) {
        const struct mr_trace_satf_node *node = &state->node[state->order[i]];
        has_date |= !isnan(node->least_us);
        if (node->n_edge == 0)
            arrival_us = fmin(arrival_us, isnan(node->least_us) ? 0 : node->least_us);
    }
    return has_date && arrival_us < (double)INFINITY ? arrival_us : (double)NAN;
}

mr_status mr_trace_satf_tell(struct mr_trace *trace, struct mr_session *session, struct mr_err *err)
{
    struct mr_trace_satf *state = trace->state;
    const int line = trace->line;
    MR_TRY(sort_edges(trace, err));
    const double arrival_us = arrival_of(state);
    state->arrival_us = isnan(arrival_us) ? 0 : arrival_us;
    session->head.arrival_s = arrival_us / 1e6;
    MR_TRY(order_nodes(trace, err));
    MR_TRY(tell_nodes(trace, session, err));
    trace->line = line;
    return MR_OK;
}
