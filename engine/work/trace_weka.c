/* SPDX-License-Identifier: Apache-2.0 */
/* Recorded sessions of coding agents, plain (hash_ids) or packed (keep, new): one JSON object each.
 * A session is read whole, then lowered, since what a sub-agent's time means is seen only from the
 * calls around it.
 *
 * Gaps between calls: before a call that reads a tool's result the gap held a tool, whose class and
 * duration are drawn by the shares of tool calls (never longer than the gap), and what is left:
 * approvals and the harness, a think. All other gaps are thinks. The two add up to the gap, so a
 * session keeps its length whatever is drawn; draws belong to (session, call) and no seed of a run
 * moves them.
 *
 * Sub-agents are lanes. One that completed may be stamped with its start or with its end, which is
 * told by the parent's calls: that time is its start which comes at most fit_s after the end of one
 * of them. Its first call waits for the last call of the parent that began before it, by dispatch
 * if that had not ended; the first call of the parent after its end waits for its last.
 * Parts: reading - times - lowering. */
#include "engine/base/mem.h"
#include "engine/base/rng.h"
#include "engine/work/session_context.h"
#include "engine/work/tool_class.h"
#include "engine/work/trace_impl.h"

#include <math.h>

#define N(a) (sizeof(a) / sizeof *(a))

static const double fit_s = 5;
static const double never_s = (double)INFINITY;

struct call {
    double t_s, service_s, gap_s, ttft_s;                       /* NaN: not there */
    uint32_t n_input, n_output, model, keep, run, n_run, agent; /* agent 0: the parent */
    uint32_t node;                                              /* its LLM node in the session */
    bool is_result, has_blocks;
};

struct agent {
    double t_s, duration_s;
    uint32_t name, call, n_call, n_tool_tok, n_system_tok;
    bool is_async;
    double start_s, end_s; /* found */
};

struct state {
    struct call *call;
    struct agent *agent; /* [0]: the parent */
    struct mr_session_run *run;
    uint64_t *id;
    struct mr_session_context context;
    size_t n_call, cap_call, n_agent, cap_agent, n_run, cap_run, n_id, cap_id;
    uint32_t *order; /* entries: calls and agents of the parent, as they stand in the file */
    size_t n_order, cap_order;
    uint64_t number; /* of the session in the file */
};

#define AGENT_FLAG UINT32_C(0x80000000) /* an entry of the order that is an agent */

/* ---- reading ---- */

static mr_status is_result_in(struct mr_json *json, bool *is_in, struct mr_err *err)
{
    bool has_more = false;
    MR_TRY(mr_json_enter_array(json, err));
    for (;;) {
        struct mr_str text;
        MR_TRY(mr_json_array_more(json, &has_more, err));
        if (!has_more)
            return MR_OK;
        MR_TRY(mr_json_str(json, &text, err));
        *is_in = *is_in || mr_str_is(text, "tool_result");
    }
}

/* A list of ids as what it keeps of the stream's last call and runs. */
static mr_status pack_ids(struct state *state, struct call *call, struct mr_err *err)
{
    const size_t n = state->n_id;
    size_t k = mr_session_context_common(&state->context, state->id, n);
    call->keep = (uint32_t)k;
    mr_session_context_cut(&state->context, (uint32_t)k);
    while (k < n) {
        const size_t first = k++;
        while (k < n && state->id[k] == state->id[k - 1] + 1 && state->id[k] != 0)
            k++;
        const struct mr_session_run run = {.id = state->id[first], .n = (uint32_t)(k - first)};
        MR_TRY(mr_grow(&state->run, &state->cap_run, state->n_run + 1, sizeof *state->run, err));
        state->run[state->n_run++] = run;
        MR_TRY(mr_session_context_add(&state->context, run, err));
    }
    return MR_OK;
}

enum call_key {
    call_t,
    call_type,
    call_model,
    call_in,
    call_out,
    call_ids,
    call_keep,
    call_new,
    call_api,
    call_think,
    call_ttft,
    call_inputs,
    call_outputs,
    call_stop,
    call_agent_id,
    call_subagent_type,
    call_duration,
    call_total,
    call_tools,
    call_status,
    call_requests,
    call_models,
    call_tool_tok,
    call_system_tok,
    n_call_key
};

static const char *const call_keys[n_call_key] = {"t",
                                                  "type",
                                                  "model",
                                                  "in",
                                                  "out",
                                                  "hash_ids",
                                                  "keep",
                                                  "new",
                                                  "api_time",
                                                  "think_time",
                                                  "ttft",
                                                  "input_types",
                                                  "output_types",
                                                  "stop",
                                                  "agent_id",
                                                  "subagent_type",
                                                  "duration_ms",
                                                  "total_tokens",
                                                  "tool_use_count",
                                                  "status",
                                                  "requests",
                                                  "models",
                                                  "tool_tokens",
                                                  "system_tokens"};

static mr_status read_requests(struct mr_trace *trace, struct mr_session *session, uint32_t agent,
                               struct mr_err *err);

static mr_status read_call_key(struct mr_trace *trace, struct mr_session *session,
                               enum call_key key, struct call *call, struct agent *agent,
                               bool *is_agent, struct mr_err *err)
{
    struct mr_json *json = trace->json;
    struct state *state = trace->state;
    struct mr_str text;
    switch (key) {
    case call_t:
        MR_TRY(mr_trace_time(json, 0, &call->t_s, err));
        agent->t_s = call->t_s;
        return MR_OK;
    case call_type:
        MR_TRY(mr_json_str(json, &text, err));
        *is_agent = mr_str_is(text, "subagent");
        if (!*is_agent && !mr_str_is(text, "n") && !mr_str_is(text, "s"))
            return mr_json_error(json, err, MR_SCHEMA, "neither n, s nor subagent");
        return MR_OK;
    case call_model:
        MR_TRY(mr_trace_name(json, &text, err));
        return mr_session_book_model(&trace->book, text, (struct mr_str){0}, &call->model, err);
    case call_in:
        return mr_trace_u32(json, &call->n_input, err);
    case call_out:
        return mr_trace_u32(json, &call->n_output, err);
    case call_ids:
        state->n_id = 0;
        MR_TRY(mr_json_u64_array(json, &state->id, &state->cap_id, &state->n_id, err));
        call->has_blocks = true;
        return pack_ids(state, call, err);
    case call_keep:
        return mr_trace_u32(json, &call->keep, err);
    case call_new:
        call->has_blocks = true;
        return mr_trace_runs(json, &state->run, &state->cap_run, &state->n_run, err);
    case call_api:
        return mr_trace_time(json, 0, &call->service_s, err);
    case call_think:
        return mr_trace_time(json, 0, &call->gap_s, err);
    case call_ttft:
        return mr_trace_time(json, 0, &call->ttft_s, err);
    case call_inputs:
        return is_result_in(json, &call->is_result, err);
    case call_agent_id:
        return mr_trace_text(json, session, &agent->name, err);
    case call_duration:
        return mr_trace_time(json, -3, &agent->duration_s, err);
    case call_status:
        MR_TRY(mr_json_str(json, &text, err));
        agent->is_async = mr_str_is(text, "async_launched");
        return MR_OK;
    case call_requests:
        if (call->agent != 0)
            return mr_json_error(json, err, MR_SCHEMA, "sub-agents of sub-agents are not known");
        agent->call = (uint32_t)state->n_call;
        MR_TRY(read_requests(trace, session, (uint32_t)state->n_agent, err));
        agent->n_call = (uint32_t)state->n_call - agent->call;
        return MR_OK;
    case call_tool_tok:
        return mr_trace_u32(json, &agent->n_tool_tok, err);
    case call_system_tok:
        return mr_trace_u32(json, &agent->n_system_tok, err);
    case call_outputs:
    case call_stop:
    case call_subagent_type:
    case call_total:
    case call_tools:
    case call_models:
    case n_call_key:
        break;
    }
    return mr_json_skip(json, err);
}

static mr_status add_order(struct state *state, uint32_t entry, struct mr_err *err)
{
    MR_TRY(
        mr_grow(&state->order, &state->cap_order, state->n_order + 1, sizeof *state->order, err));
    state->order[state->n_order++] = entry;
    return MR_OK;
}

static mr_status add_entry(struct mr_trace *trace, const struct call *call,
                           const struct agent *agent, bool is_agent, bool has_call,
                           struct mr_err *err)
{
    struct state *state = trace->state;
    if (is_agent) {
        if (isnan(agent->t_s))
            return mr_json_error(trace->json, err, MR_SCHEMA, "a sub-agent needs t");
        if (agent->n_call == 0)
            return MR_OK; /* nothing of it was recorded */
        MR_TRY(mr_grow(&state->agent, &state->cap_agent, state->n_agent + 1, sizeof *state->agent,
                       err));
        state->agent[state->n_agent] = *agent;
        return add_order(state, (uint32_t)state->n_agent++ | AGENT_FLAG, err);
    }
    if (agent->n_call > 0)
        return mr_json_error(trace->json, err, MR_SCHEMA, "requests in what is no subagent");
    if (!has_call || isnan(call->t_s))
        return mr_json_error(trace->json, err, MR_SCHEMA, "a call needs t, in and out");
    MR_TRY(mr_grow(&state->call, &state->cap_call, state->n_call + 1, sizeof *state->call, err));
    state->call[state->n_call] = *call;
    state->call[state->n_call].n_run = (uint32_t)(state->n_run - call->run);
    if (call->agent == 0)
        MR_TRY(add_order(state, (uint32_t)state->n_call, err));
    state->n_call++;
    return MR_OK;
}

/* Contexts are differences to the call before in the same list; a sub-agent's list begins anew, the
 * parent's goes on after it. */
static mr_status read_requests(struct mr_trace *trace, struct mr_session *session, uint32_t agent,
                               struct mr_err *err)
{
    struct state *state = trace->state;
    struct mr_json *json = trace->json;
    const double none = (double)NAN;
    const struct mr_session_context kept = state->context;
    bool has_more = false;
    state->context = (struct mr_session_context){0};
    mr_status st = mr_json_enter_array(json, err);
    while (st == MR_OK) {
        struct call call = {none, none, none, none, .model = MR_SESSION_NONE, .agent = agent};
        struct agent own = {.t_s = none, .duration_s = none, .name = MR_SESSION_NONE};
        bool has[n_call_key] = {false}, is_agent = false;
        size_t k;
        call.run = (uint32_t)state->n_run;
        st = mr_json_array_more(json, &has_more, err);
        if (st != MR_OK || !has_more)
            break;
        st = mr_json_enter_object(json, err);
        while (st == MR_OK) {
            st = mr_trace_key(trace, call_keys, n_call_key, &k, &has_more, err);
            if (st != MR_OK || !has_more)
                break;
            if (has[k])
                st = mr_json_error(json, err, MR_SCHEMA, "given twice");
            else
                st = read_call_key(trace, session, (enum call_key)k, &call, &own, &is_agent, err);
            has[k] = true;
        }
        if (st == MR_OK)
            st = add_entry(trace, &call, &own, is_agent, has[call_in] && has[call_out], err);
    }
    mr_session_context_fini(&state->context);
    state->context = kept;
    return st;
}

static mr_status read_document(struct mr_trace *trace, struct mr_session *session,
                               struct mr_err *err)
{
    enum {
        id,
        models,
        block_size,
        scope,
        tool_tok,
        system_tok,
        requests,
        totals,
        n_key
    };
    static const char *const names[n_key] = {
        "id",          "models",        "block_size", "hash_id_scope",
        "tool_tokens", "system_tokens", "requests",   "totals"};
    static const char *const scopes[] = {"local", "global"};
    struct state *state = trace->state;
    struct mr_json *json = trace->json;
    bool has_more = false, has[n_key] = {false};
    uint32_t block_tok = 64;
    uint8_t is_global = 0;
    size_t k;
    MR_TRY(mr_json_enter_object(json, err));
    trace->line = mr_json_place(json).line;
    for (;;) {
        MR_TRY(mr_trace_key(trace, names, n_key, &k, &has_more, err));
        if (!has_more)
            break;
        if (has[k])
            return mr_json_error(json, err, MR_SCHEMA, "given twice");
        has[k] = true;
        if (k == id)
            MR_TRY(mr_trace_text(json, session, &session->head.id, err));
        else if (k == block_size)
            MR_TRY(mr_trace_u32(json, &block_tok, err));
        else if (k == scope)
            MR_TRY(mr_trace_choice(json, scopes, N(scopes), &is_global, err));
        else if (k == tool_tok)
            MR_TRY(mr_trace_u32(json, &state->agent[0].n_tool_tok, err));
        else if (k == system_tok)
            MR_TRY(mr_trace_u32(json, &state->agent[0].n_system_tok, err));
        else if (k == requests)
            MR_TRY(read_requests(trace, session, 0, err));
        else
            MR_TRY(mr_json_skip(json, err));
    }
    if (!has[requests])
        return mr_json_error(json, err, MR_SCHEMA, "a session without requests");
    if (block_tok == 0)
        return mr_json_error(json, err, MR_RANGE, "block_size is 0");
    if (state->number > 0 &&
        (trace->book.block_tok != block_tok || trace->book.is_global != (is_global == 1)))
        return mr_json_error(json, err, MR_SCHEMA,
                             "block_size or hash_id_scope is not that of the sessions before");
    trace->book.block_tok = block_tok;
    trace->book.is_global = is_global == 1;
    return MR_OK;
}

/* ---- times ---- */

static double end_of(const struct call *call)
{
    return call->t_s + (isnan(call->service_s) ? 0 : call->service_s);
}

/* Does the time come right after the end of a call of the parent? */
static bool fits(const struct state *state, double t_s)
{
    for (size_t i = 0; i < state->n_order; i++)
        if ((state->order[i] & AGENT_FLAG) == 0 &&
            fabs(t_s - end_of(&state->call[state->order[i]])) <= fit_s)
            return true;
    return false;
}

static void place_agent(struct mr_trace *trace, struct agent *agent)
{
    struct state *state = trace->state;
    const struct call *first = &state->call[agent->call], *last = first + agent->n_call - 1;
    const int basis = trace->options.basis;
    const bool is_open = agent->is_async || isnan(agent->duration_s);
    const double by_end_s = is_open ? agent->t_s : agent->t_s - agent->duration_s;
    bool is_end = !is_open && basis != MR_TRACE_BASIS_START;
    if (!is_open && basis == MR_TRACE_BASIS_AUTO && !fits(state, by_end_s)) {
        is_end = !fits(state, agent->t_s);
        trace->counts.orphan += is_end;
    }
    trace->counts.by_end += is_end;
    trace->counts.by_start += !is_end;
    agent->start_s = fmax(0, is_end ? by_end_s : agent->t_s);
    /* times of its calls count from its start, unless the first is not near 0: then they do not */
    if (first->t_s > fit_s && fabs(first->t_s - agent->start_s) <= fit_s)
        for (uint32_t i = 0; i < agent->n_call; i++)
            state->call[agent->call + i].t_s =
                fmax(0, state->call[agent->call + i].t_s - agent->start_s);
    agent->end_s = is_open ? agent->start_s + end_of(last) : agent->start_s + agent->duration_s;
}

/* Time between the end of the call before and this one. Recorders count it from the last end they
 * know: behind a call without one it holds that call and all before it of the same kind, and is cut
 * to what lies behind that call's start. */
static double gap_of(struct mr_trace *trace, const struct call *call, const struct call *before)
{
    double gap_s = call->gap_s;
    trace->counts.no_duration += isnan(call->service_s) ? 1 : 0;
    if (!isnan(gap_s)) {
        if (before == NULL || !isnan(before->service_s) || gap_s <= call->t_s - before->t_s)
            return gap_s;
        trace->counts.cut_gap++;
        return fmax(0, call->t_s - before->t_s);
    }
    trace->counts.no_gap++;
    gap_s = before != NULL ? call->t_s - end_of(before) : call->t_s;
    trace->counts.overlap += gap_s < 0;
    return fmax(0, gap_s);
}

/* ---- lowering ---- */

static mr_status add_think(struct mr_session *session, uint32_t lane, double s,
                           struct mr_session_after after, struct mr_err *err)
{
    MR_TRY(mr_session_node_add(session, MR_SESSION_THINK, lane, mr_session_next_id(session), err));
    session->think[session->n_think - 1].s = s;
    return mr_session_after_add(session, after, err);
}

/* The gap before a call that follows `after`. @param[out] after what the call itself follows */
static mr_status add_gap(struct mr_trace *trace, struct mr_session *session,
                         const struct call *call, double gap_s, struct mr_session_after *after,
                         struct mr_err *err)
{
    const struct state *state = trace->state;
    if (gap_s > 0 && call->is_result) {
        struct mr_rng rng = mr_rng_stream(state->number, MR_RNG_TOOL, session->n_llm);
        const struct mr_tool_class *class = mr_tool_class_of((struct mr_str){0}, mr_rng_open(&rng));
        const double tool_s = fmin(gap_s, mr_tool_class_draw_s(class, mr_rng_open(&rng)));
        MR_TRY(mr_session_node_add(session, MR_SESSION_TOOL, call->agent,
                                   mr_session_next_id(session), err));
        struct mr_session_tool *tool = &session->tool[session->n_tool - 1];
        MR_TRY(mr_intern_add(&trace->book.class, mr_str_of(class->name), &tool->class, err));
        tool->wall_s = tool_s;
        tool->where = class->is_outside ? MR_SESSION_EXT : MR_SESSION_CPU;
        MR_TRY(mr_session_after_add(session, *after, err));
        *after = (struct mr_session_after){.node = (uint32_t)session->n_node - 1};
        gap_s -= tool_s;
    }
    if (gap_s > 0) {
        MR_TRY(add_think(session, call->agent, gap_s, *after, err));
        *after = (struct mr_session_after){.node = (uint32_t)session->n_node - 1};
    }
    return MR_OK;
}

static mr_status add_call(struct mr_trace *trace, struct mr_session *session, struct call *call,
                          double origin_s, struct mr_session_after after, struct mr_err *err)
{
    const struct state *state = trace->state;
    MR_TRY(mr_session_node_add(session, MR_SESSION_LLM, call->agent, mr_session_next_id(session),
                               err));
    struct mr_session_llm *llm = &session->llm[session->n_llm - 1];
    call->node = (uint32_t)session->n_node - 1;
    llm->n_input = call->n_input;
    llm->n_output = call->n_output;
    llm->model = call->model;
    if (call->model == MR_SESSION_NONE)
        MR_TRY(mr_session_book_model(&trace->book, MR_STR("default"), (struct mr_str){0},
                                     &llm->model, err));
    llm->start_s = origin_s + call->t_s;
    llm->service_s = call->service_s;
    llm->ttft_s = call->ttft_s;
    if (call->has_blocks) {
        MR_TRY(mr_session_keep(session, call->keep, err));
        for (uint32_t i = 0; i < call->n_run; i++)
            MR_TRY(mr_session_run_add(session, state->run[call->run + i], err));
    } else {
        trace->counts.no_block++;
        MR_TRY(mr_session_mint(session, trace->book.block_tok, UINT32_MAX, err));
    }
    return mr_session_after_add(session, after, err);
}

/* Calls of a sub-agent, after the last call of the parent that began before it. */
static mr_status add_agent(struct mr_trace *trace, struct mr_session *session, uint32_t i,
                           const struct call *spawner, struct mr_err *err)
{
    struct state *state = trace->state;
    const struct agent *agent = &state->agent[i];
    const struct call *before = NULL;
    struct mr_session_after after = {.node = MR_SESSION_NONE, .relation = MR_SESSION_SPAWN};
    MR_TRY(mr_session_lane_reach(session, i, err));
    session->lane[i] =
        (struct mr_session_lane){agent->name, agent->n_tool_tok, agent->n_system_tok};
    if (spawner != NULL) {
        after.node = spawner->node;
        after.is_dispatch = agent->start_s < end_of(spawner);
        after.delay_s =
            fmax(0, agent->start_s - (after.is_dispatch ? spawner->t_s : end_of(spawner)));
    } else {
        after.delay_s = agent->start_s;
    }
    for (uint32_t k = 0; k < agent->n_call; k++) {
        struct call *call = &state->call[agent->call + k];
        const double gap_s = gap_of(trace, call, before);
        if (before != NULL)
            after = (struct mr_session_after){.node = before->node};
        MR_TRY(add_gap(trace, session, call, gap_s, &after, err));
        MR_TRY(add_call(trace, session, call, agent->start_s, after, err));
        before = call;
    }
    return MR_OK;
}

/* Dependencies of a call of the parent on sub-agents that ended before it, each once. */
static mr_status add_joins(struct state *state, struct mr_session *session, const struct call *call,
                           struct mr_err *err)
{
    for (size_t i = 1; i < state->n_agent; i++) {
        struct agent *agent = &state->agent[i];
        const struct call *last = &state->call[agent->call + agent->n_call - 1];
        if (last->node == MR_SESSION_NONE || !(agent->end_s <= call->t_s))
            continue;
        MR_TRY(mr_session_after_add(
            session, (struct mr_session_after){.node = last->node, .relation = MR_SESSION_JOIN},
            err));
        agent->end_s = never_s;
    }
    return MR_OK;
}

static const struct call *spawner_of(const struct state *state, size_t n_order,
                                     const struct agent *agent)
{
    const struct call *found = NULL;
    for (size_t i = 0; i < n_order; i++)
        if ((state->order[i] & AGENT_FLAG) == 0) {
            const struct call *call = &state->call[state->order[i]];
            if (found == NULL || (call->t_s <= agent->start_s && call->t_s >= found->t_s))
                found = call->t_s <= agent->start_s ? call : found;
        }
    return found;
}

static mr_status lower(struct mr_trace *trace, struct mr_session *session, struct mr_err *err)
{
    struct state *state = trace->state;
    const struct call *before = NULL;
    for (size_t i = 0; i < state->n_call; i++)
        state->call[i].node = MR_SESSION_NONE;
    for (size_t i = 1; i < state->n_agent; i++)
        place_agent(trace, &state->agent[i]);
    MR_TRY(mr_session_lane_reach(session, 0, err));
    session->lane[0] = (struct mr_session_lane){MR_SESSION_NONE, state->agent[0].n_tool_tok,
                                                state->agent[0].n_system_tok};
    for (size_t i = 0; i < state->n_order; i++) {
        const uint32_t entry = state->order[i];
        if ((entry & AGENT_FLAG) != 0) {
            const uint32_t a = entry & ~AGENT_FLAG;
            MR_TRY(add_agent(trace, session, a, spawner_of(state, i, &state->agent[a]), err));
            continue;
        }
        struct call *call = &state->call[entry];
        struct mr_session_after after = {.node = before != NULL ? before->node : MR_SESSION_NONE};
        const double gap_s = gap_of(trace, call, before);
        MR_TRY(add_gap(trace, session, call, gap_s, &after, err));
        MR_TRY(add_call(trace, session, call, 0, after, err));
        MR_TRY(add_joins(state, session, call, err));
        before = call;
    }
    return MR_OK;
}

static mr_status next(struct mr_trace *trace, struct mr_session *session, bool *has_session,
                      struct mr_err *err)
{
    struct state *state = trace->state;
    MR_TRY(mr_json_document(trace->json, has_session, err));
    if (!*has_session)
        return MR_OK;
    state->n_call = 0;
    state->n_run = 0;
    state->n_order = 0;
    state->n_agent = 1;
    MR_TRY(mr_grow(&state->agent, &state->cap_agent, 1, sizeof *state->agent, err));
    state->agent[0] = (struct agent){.name = MR_SESSION_NONE};
    MR_TRY(read_document(trace, session, err));
    MR_TRY(lower(trace, session, err));
    state->number++;
    return MR_OK;
}

static mr_status begin(struct mr_trace *trace, struct mr_err *err)
{
    trace->state = mr_alloc_zero(1, sizeof(struct state));
    return trace->state != NULL ? MR_OK : mr_err_nomem(err, sizeof(struct state));
}

static void end(struct mr_trace *trace)
{
    struct state *state = trace->state;
    if (state == NULL)
        return;
    mr_free(state->call);
    mr_free(state->agent);
    mr_free(state->run);
    mr_free(state->id);
    mr_free(state->order);
    mr_session_context_fini(&state->context);
}

const struct mr_trace_format mr_trace_format_weka = {.name = "weka",
                                                     .doc =
                                                         "recorded coding agents, plain or packed",
                                                     .begin = begin,
                                                     .next = next,
                                                     .end = end};
