/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions of SATF files: a tool is two nodes there, its call, which takes no time, and its result,
 * which takes the tool's. The tool of a session here starts where the result does; what waits for a
 * call waits for what the call waited for, so that no date changes. A call goes on in the lane of
 * the call before it, by way of tools too, if nothing else has gone on there; otherwise it begins a
 * lane that goes on from there. Starts after the file's beginning (min_start_delay_us) are the
 * session's arrival and, of what is left, delays after it. */
#include "engine/base/mem.h"
#include "engine/work/trace_satf_impl.h"

#include <math.h>

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

/* Was a call told after another? MR_SESSION_NONE is none. */
static bool is_later(const struct mr_trace_satf *state, uint32_t call, uint32_t other)
{
    return call != MR_SESSION_NONE &&
           (other == MR_SESSION_NONE || state->node[call].at > state->node[other].at);
}

/* What a node waits for, calls of tools replaced by what they wait for; and when it began. */
static mr_status resolve(struct mr_trace *trace, struct mr_trace_satf_node *node,
                         struct mr_err *err)
{
    struct mr_trace_satf *state = trace->state;
    const double since_us = isnan(node->least_us) ? 0 : fmax(0, node->least_us - state->arrival_us);
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
    if (node->n_edge == 0 || since_us > 0)
        MR_TRY(add_dep(trace, node, (struct mr_trace_satf_dep){since_us, MR_SESSION_NONE}, err));
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

/* The latest call that it comes after and that nothing has gone on from in its lane; or else the
 * latest, from which a lane begins. */
static uint32_t base_of(const struct mr_trace_satf *state, const struct mr_session *session,
                        const struct mr_trace_satf_node *node, bool *goes_on)
{
    uint32_t base = MR_SESSION_NONE;
    *goes_on = false;
    for (uint32_t d = 0; d < node->n_dep; d++) {
        const uint32_t from = state->dep[node->dep + d].node;
        const uint32_t last = from != MR_SESSION_NONE ? state->node[from].last : MR_SESSION_NONE;
        if (last == MR_SESSION_NONE)
            continue;
        const uint32_t at = state->node[last].at;
        const bool is_free = session->lane_llm[session->node[at].lane] == at;
        if (base == MR_SESSION_NONE || (is_free && !*goes_on) || (is_free == *goes_on && at > base))
            base = at;
        *goes_on |= is_free;
    }
    return base;
}

static mr_status tell_call(struct mr_trace *trace, struct mr_session *session,
                           struct mr_trace_satf_node *node, uint32_t i, struct mr_err *err)
{
    struct mr_trace_satf *state = trace->state;
    struct mr_trace_row *row = &state->rows.row[node->row];
    const char *id = mr_session_text(session, session->head.id);
    bool goes_on;
    const uint32_t base = base_of(state, session, node, &goes_on);
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
    node->last = i;
    for (uint32_t d = 0; d < node->n_dep; d++) {
        const struct mr_trace_satf_dep *dep = &state->dep[node->dep + d];
        const uint32_t last =
            dep->node != MR_SESSION_NONE ? state->node[dep->node].last : MR_SESSION_NONE;
        const uint32_t at = last != MR_SESSION_NONE ? state->node[last].at : MR_SESSION_NONE;
        uint8_t relation = MR_SESSION_SEQ;
        if (at != MR_SESSION_NONE && session->node[at].lane != lane)
            relation = at == base ? MR_SESSION_SPAWN : MR_SESSION_JOIN;
        MR_TRY(add_after(session, state, dep, relation, err));
    }
    return MR_OK;
}

static mr_status tell_node(struct mr_trace *trace, struct mr_session *session, uint32_t i,
                           struct mr_err *err)
{
    struct mr_trace_satf *state = trace->state;
    struct mr_trace_satf_node *node = &state->node[i];
    node->is_told = true;
    MR_TRY(resolve(trace, node, err));
    if (node->kind == MR_TRACE_SATF_CALL)
        return MR_OK;
    trace->line = node->line;
    return node->kind == MR_TRACE_SATF_LLM ? tell_call(trace, session, node, i, err)
                                           : tell_tool(trace, session, node, err);
}

/* In the order of the file, but what is waited for first. A node is on the stack twice: when it is
 * met and when all it waits for was told. */
static mr_status tell_nodes(struct mr_trace *trace, struct mr_session *session, struct mr_err *err)
{
    struct mr_trace_satf *state = trace->state;
    for (size_t first = 0; first < state->n_order; first++) {
        size_t n = 0;
        MR_TRY(mr_grow(&state->stack, &state->cap_stack, 1, sizeof *state->stack, err));
        state->stack[n++] = state->order[first];
        while (n > 0) {
            const uint32_t i = state->stack[n - 1];
            struct mr_trace_satf_node *node = &state->node[i];
            if (node->is_met || node->is_told) {
                n--;
                if (!node->is_told)
                    MR_TRY(tell_node(trace, session, i, err));
                continue;
            }
            node->is_met = true;
            for (uint32_t e = node->n_edge; e > 0; e--) {
                const uint32_t from = state->edge[state->into[node->edge + e - 1]].from;
                if (state->node[from].is_told)
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
    MR_TRY(tell_nodes(trace, session, err));
    trace->line = line;
    return MR_OK;
}
