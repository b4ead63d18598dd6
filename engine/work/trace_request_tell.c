/* SPDX-License-Identifier: Apache-2.0 */
/* Events in the order of their starts, and what waits for what, as their times tell. A tool follows
 * the call or tool of its lane that ended last before it; one that starts while the call still
 * streams, the call's start. A call follows the call before in its lane and the tools since; what
 * is left of the pause is a think. A call that begins before the one it follows has ended follows
 * its start; the first call that begins after both have ended waits for both. The first call of a
 * child follows the last call of the parent that began before it; the first call of the parent that
 * begins after the child's calls have ended waits for those. */
#include "engine/base/mem.h"
#include "engine/work/trace_request_impl.h"

#include <math.h>
#include <stdlib.h>

/* ---- order ---- */

struct key {
    double start_ms;
    uint32_t i;
};

static int compare(const void *a, const void *b)
{
    const struct key *x = a, *y = b;
    return x->start_ms < y->start_ms   ? -1
           : x->start_ms > y->start_ms ? 1
                                       : (x->i > y->i) - (x->i < y->i);
}

/* The session that a session descends from. */
static mr_status root_of(struct mr_trace *trace, uint32_t session, uint32_t *root,
                         struct mr_err *err)
{
    const struct mr_trace_request *state = trace->state;
    uint32_t n = 0;
    for (*root = session; state->known[*root].parent != MR_SESSION_NONE;
         *root = state->known[*root].parent)
        if (n++ > state->rows.plays.n)
            return mr_err_set(err, MR_REF, MR_NOWHERE, "session \"%s\" descends from itself",
                              mr_intern_text(&state->rows.plays, session));
    return MR_OK;
}

static mr_status add_to_group(struct mr_trace_request *state, uint32_t *group, uint32_t event,
                              struct mr_err *err)
{
    if (*group == MR_SESSION_NONE) {
        const size_t n = state->n_group + 1;
        MR_TRY(mr_grow(&state->first, &state->cap_first, n, sizeof *state->first, err));
        MR_TRY(mr_grow(&state->last, &state->cap_last, n, sizeof *state->last, err));
        *group = (uint32_t)state->n_group++;
        state->first[*group] = event;
    } else {
        state->event[state->last[*group]].next = event;
    }
    state->last[*group] = event;
    return MR_OK;
}

static mr_status form_groups(struct mr_trace *trace, struct key *key, struct mr_err *err)
{
    struct mr_trace_request *state = trace->state;
    for (size_t i = 0; i < state->n_event; i++)
        key[i] = (struct key){state->event[i].start_ms, (uint32_t)i};
    if (state->n_event > 1)
        qsort(key, state->n_event, sizeof *key, compare);
    for (size_t i = 0; i < state->n_event; i++) {
        const struct mr_trace_request_event *event = &state->event[key[i].i];
        uint32_t none = MR_SESSION_NONE, *group = &none;
        if (event->session != MR_SESSION_NONE) {
            uint32_t root;
            MR_TRY(root_of(trace, event->session, &root, err));
            group = &state->known[root].group;
        }
        MR_TRY(add_to_group(state, group, key[i].i, err));
    }
    state->origin_ms = state->n_event > 0 ? key[0].start_ms : 0;
    state->is_whole = true;
    if (trace->book.block_tok == 0)
        trace->book.block_tok = trace->options.block_tok > 0 ? trace->options.block_tok : 64;
    return MR_OK;
}

mr_status mr_trace_request_order(struct mr_trace *trace, struct mr_err *err)
{
    const struct mr_trace_request *state = trace->state;
    struct key *key = mr_alloc(state->n_event + 1, sizeof *key);
    if (key == NULL)
        return mr_err_nomem(err, state->n_event * sizeof *key);
    const mr_status st = form_groups(trace, key, err);
    mr_free(key);
    return st;
}

/* ---- lowering ---- */

static mr_status add_lane(struct mr_trace *trace, struct mr_session *session, uint32_t id,
                          uint32_t *lane, struct mr_err *err)
{
    struct mr_trace_request *state = trace->state;
    const size_t before = state->cap_lane;
    *lane = (uint32_t)state->n_lane;
    MR_TRY(mr_session_lane_reach(session, *lane, err));
    MR_TRY(mr_grow(&state->lane, &state->cap_lane, state->n_lane + 1, sizeof *state->lane, err));
    for (size_t i = before; i < state->cap_lane; i++)
        state->lane[i] = (struct mr_trace_request_lane){0};
    struct mr_trace_request_lane *own = &state->lane[state->n_lane++];
    own->session = id;
    own->call = MR_SESSION_NONE;
    own->child = own->sibling = 0;
    own->n_open = 0;
    if (id == MR_SESSION_NONE)
        return MR_OK;
    state->known[id].lane = *lane;
    return mr_session_text_add(session, mr_intern_str(&state->rows.plays, id),
                               &session->lane[*lane].name, err);
}

static struct mr_trace_request_lane *lane_of(const struct mr_trace_request *state, uint32_t session)
{
    const uint32_t lane = session != MR_SESSION_NONE ? state->known[session].lane : 0;
    return lane < state->n_lane && state->lane[lane].session == session ? &state->lane[lane] : NULL;
}

/* Of a session that has one. */
static struct mr_trace_request_lane *own_lane(const struct mr_trace_request *state,
                                              uint32_t session)
{
    return &state->lane[session != MR_SESSION_NONE ? state->known[session].lane : 0];
}

static double seconds(double from_ms, double to_ms)
{
    return fmax(0, to_ms - from_ms) / 1e3;
}

/* What comes after a call, at a date: after its end, or its start if it had not ended. */
static struct mr_session_after after_call(const struct mr_trace_request_lane *lane, double at_ms,
                                          uint8_t relation)
{
    const bool is_dispatch = at_ms < lane->end_ms;
    return (struct mr_session_after){
        .delay_s = seconds(is_dispatch ? lane->start_ms : lane->end_ms, at_ms),
        .node = lane->call,
        .relation = relation,
        .is_dispatch = is_dispatch};
}

static mr_status leave_open(struct mr_trace_request_lane *lane, struct mr_trace_request_open open,
                            struct mr_err *err)
{
    MR_TRY(mr_grow(&lane->open, &lane->cap_open, lane->n_open + 1, sizeof *lane->open, err));
    lane->open[lane->n_open++] = open;
    return MR_OK;
}

static mr_status tell_tool(struct mr_trace *trace, struct mr_session *session,
                           const struct mr_trace_request_event *event, double origin_ms,
                           struct mr_err *err)
{
    struct mr_trace_request *state = trace->state;
    struct mr_trace_request_lane *lane = own_lane(state, event->session);
    const struct mr_trace_request_tool *from = &state->tool[event->i];
    const uint32_t at = (uint32_t)(lane - state->lane);
    struct mr_session_after after = {.delay_s = seconds(origin_ms, event->start_ms),
                                     .node = MR_SESSION_NONE};
    double end_ms = -1;
    if (lane->call != MR_SESSION_NONE) {
        after = after_call(lane, event->start_ms, MR_SESSION_SEQ);
        end_ms = after.is_dispatch ? -1 : lane->end_ms;
    }
    for (size_t i = 0; i < lane->n_open; i++)
        if (lane->open[i].end_ms <= event->start_ms && lane->open[i].end_ms >= end_ms) {
            end_ms = lane->open[i].end_ms;
            after = (struct mr_session_after){.delay_s = seconds(end_ms, event->start_ms),
                                              .node = lane->open[i].node};
        }
    trace->line = from->line;
    MR_TRY(mr_session_node_add(session, MR_SESSION_TOOL, at, mr_session_next_id(session), err));
    struct mr_session_tool *tool = &session->tool[session->n_tool - 1];
    if (from->class != MR_SESSION_NONE)
        MR_TRY(mr_intern_add(&trace->book.class, mr_intern_str(&state->classes, from->class),
                             &tool->class, err));
    tool->n_output = from->n_output;
    tool->is_error = from->is_error;
    tool->wall_s = seconds(event->start_ms, event->end_ms);
    MR_TRY(mr_session_after_add(session, after, err));
    return leave_open(
        lane, (struct mr_trace_request_open){event->end_ms, (uint32_t)session->n_node - 1, false},
        err);
}

/* The end of a lane's last call and of those beside it that had not ended when it began. */
static double calls_end_ms(const struct mr_trace_request_lane *lane)
{
    double end_ms = lane->end_ms;
    for (size_t i = 0; i < lane->n_open; i++)
        if (lane->open[i].is_call)
            end_ms = fmax(end_ms, lane->open[i].end_ms);
    return end_ms;
}

/* All of them are waited for by a call of the lane's parent. */
static mr_status join(struct mr_session *session, const struct mr_trace_request_lane *child,
                      struct mr_err *err)
{
    struct mr_session_after after = {.node = child->call, .relation = MR_SESSION_JOIN};
    MR_TRY(mr_session_after_add(session, after, err));
    for (size_t i = 0; i < child->n_open; i++) {
        after.node = child->open[i].node;
        if (child->open[i].is_call)
            MR_TRY(mr_session_after_add(session, after, err));
    }
    return MR_OK;
}

/* What a call of a lane waits for besides the call before: tools, calls beside that one and
 * children that had ended. Those are no longer open. @param[in,out] end_ms the last end among them
 * and what was there before
 * @param[in] adds false: only the date is wanted */
static mr_status wait_for(struct mr_trace_request *state, struct mr_session *session,
                          struct mr_trace_request_lane *lane, double at_ms, bool adds,
                          double *end_ms, struct mr_err *err)
{
    size_t n_left = 0;
    for (size_t i = 0; i < lane->n_open; i++) {
        const struct mr_trace_request_open open = lane->open[i];
        const bool has_ended = open.end_ms <= at_ms;
        if (has_ended)
            *end_ms = fmax(*end_ms, open.end_ms);
        if (has_ended && adds)
            MR_TRY(
                mr_session_after_add(session, (struct mr_session_after){.node = open.node}, err));
        else
            lane->open[n_left++] = open;
    }
    lane->n_open = n_left;
    for (uint32_t *link = &lane->child; *link != 0;) {
        struct mr_trace_request_lane *child = &state->lane[*link];
        const double child_ms = calls_end_ms(child);
        const bool has_ended = child->call != MR_SESSION_NONE && child_ms <= at_ms;
        if (has_ended)
            *end_ms = fmax(*end_ms, child_ms);
        if (!has_ended || !adds) {
            link = &child->sibling;
            continue;
        }
        MR_TRY(join(session, child, err));
        *link = child->sibling;
    }
    return MR_OK;
}

/* Dependencies of the node just added: of a think before the call, or of the call itself. */
static mr_status add_waits(struct mr_trace *trace, struct mr_session *session,
                           struct mr_trace_request_lane *lane,
                           const struct mr_trace_request_event *event, double origin_ms,
                           struct mr_err *err)
{
    struct mr_trace_request *state = trace->state;
    double end_ms = 0;
    if (lane->call != MR_SESSION_NONE) {
        struct mr_session_after after = after_call(lane, event->start_ms, MR_SESSION_SEQ);
        trace->counts.overlap += after.is_dispatch;
        if (!after.is_dispatch)
            after.delay_s = 0; /* the pause is a think */
        MR_TRY(mr_session_after_add(session, after, err));
        return wait_for(state, session, lane, event->start_ms, true, &end_ms, err);
    }
    const struct mr_trace_request_known *known =
        event->session != MR_SESSION_NONE ? &state->known[event->session] : NULL;
    const struct mr_trace_request_lane *parent =
        known != NULL && known->parent != MR_SESSION_NONE ? lane_of(state, known->parent) : NULL;
    struct mr_session_after after = {.delay_s = seconds(origin_ms, event->start_ms),
                                     .node = MR_SESSION_NONE};
    if (parent != NULL && parent->call != MR_SESSION_NONE)
        after = after_call(parent, event->start_ms, MR_SESSION_SPAWN);
    MR_TRY(mr_session_after_add(session, after, err));
    return wait_for(state, session, lane, event->start_ms, true, &end_ms, err);
}

static mr_status tell_call(struct mr_trace *trace, struct mr_session *session,
                           const struct mr_trace_request_event *event, double origin_ms,
                           struct mr_err *err)
{
    struct mr_trace_request *state = trace->state;
    struct mr_trace_request_lane *lane = own_lane(state, event->session);
    struct mr_trace_row *row = &state->rows.row[event->i];
    const uint32_t at = (uint32_t)(lane - state->lane), base = lane->call;
    double end_ms = lane->end_ms;
    uint32_t think = MR_SESSION_NONE;
    trace->line = (int)row->line;
    MR_TRY(wait_for(state, session, lane, event->start_ms, false, &end_ms, err));
    if (base != MR_SESSION_NONE && lane->end_ms <= event->start_ms && end_ms < event->start_ms) {
        MR_TRY(
            mr_session_node_add(session, MR_SESSION_THINK, at, mr_session_next_id(session), err));
        session->think[session->n_think - 1].s = seconds(end_ms, event->start_ms);
        think = (uint32_t)session->n_node - 1;
        MR_TRY(add_waits(trace, session, lane, event, origin_ms, err));
    }
    MR_TRY(mr_trace_rows_call(trace, &state->rows, session, row, at, base, &state->context, err));
    session->llm[session->n_llm - 1].start_s = seconds(origin_ms, event->start_ms);
    if (event->is_final) {
        struct mr_session_hint *hint;
        MR_TRY(mr_session_hint_add(session, &hint, err));
        hint->is_final = true;
    }
    if (think != MR_SESSION_NONE)
        MR_TRY(mr_session_after_add(session, (struct mr_session_after){.node = think}, err));
    else
        MR_TRY(add_waits(trace, session, lane, event, origin_ms, err));
    if (base != MR_SESSION_NONE && lane->end_ms > event->start_ms)
        MR_TRY(leave_open(lane, (struct mr_trace_request_open){lane->end_ms, base, true}, err));
    lane->start_ms = event->start_ms;
    lane->end_ms = event->end_ms;
    lane->call = row->node;
    return MR_OK;
}

/* The lane of an event's session, and those of its parents before it. */
static mr_status reach_lane(struct mr_trace *trace, struct mr_session *session, uint32_t id,
                            struct mr_err *err)
{
    struct mr_trace_request *state = trace->state;
    uint32_t lane;
    while (lane_of(state, id) == NULL) { /* from the top down, one at a time */
        uint32_t top = id;
        while (state->known[top].parent != MR_SESSION_NONE &&
               lane_of(state, state->known[top].parent) == NULL)
            top = state->known[top].parent;
        MR_TRY(add_lane(trace, session, top, &lane, err));
        if (state->known[top].parent == MR_SESSION_NONE)
            continue;
        struct mr_trace_request_lane *parent = own_lane(state, state->known[top].parent);
        state->lane[lane].sibling = parent->child;
        parent->child = lane;
    }
    return MR_OK;
}

static mr_status tell_group(struct mr_trace *trace, struct mr_session *session, uint32_t first,
                            struct mr_err *err)
{
    struct mr_trace_request *state = trace->state;
    const double origin_ms = state->event[first].start_ms;
    uint32_t root = state->event[first].session, lane;
    state->n_lane = 0;
    mr_session_context_cut(&state->context, 0);
    session->head.arrival_s = seconds(state->origin_ms, origin_ms);
    if (root == MR_SESSION_NONE) {
        MR_TRY(add_lane(trace, session, MR_SESSION_NONE, &lane, err));
    } else {
        MR_TRY(root_of(trace, root, &root, err));
        MR_TRY(mr_session_text_add(session, mr_intern_str(&state->rows.plays, root),
                                   &session->head.id, err));
    }
    for (uint32_t i = first; i != MR_SESSION_NONE; i = state->event[i].next) {
        const struct mr_trace_request_event *event = &state->event[i];
        if (event->session != MR_SESSION_NONE)
            MR_TRY(reach_lane(trace, session, event->session, err));
        MR_TRY(event->is_tool ? tell_tool(trace, session, event, origin_ms, err)
                              : tell_call(trace, session, event, origin_ms, err));
    }
    return MR_OK;
}

mr_status mr_trace_request_tell(struct mr_trace *trace, struct mr_session *session,
                                bool *has_session, struct mr_err *err)
{
    struct mr_trace_request *state = trace->state;
    while (state->at < state->n_group) {
        const uint32_t first = state->first[state->at++];
        mr_session_reset(session);
        MR_TRY(tell_group(trace, session, first, err));
        if (session->n_llm > 0) {
            *has_session = true;
            return MR_OK;
        }
        trace->counts.no_call++;
    }
    return MR_OK;
}
