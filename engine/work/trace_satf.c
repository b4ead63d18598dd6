/* SPDX-License-Identifier: Apache-2.0 */
/* SATF 2.0: one JSON document of sessions, each a graph of nodes (llm_infer, tool_call,
 * tool_result) and edges that wait for the end of their first node and a delay; read one session at
 * a time, so that what holds for all has to stand before them. Block ids mean the same in all
 * sessions. Which sessions are children of others is not told: no edge says when they begin. */
#include "engine/base/mem.h"
#include "engine/work/trace_satf_impl.h"

#include <math.h>

#define N(a) (sizeof(a) / sizeof *(a))

/* ---- reading ---- */

static mr_status node_named(struct mr_json *json, struct mr_trace_satf *state, uint32_t *i,
                            struct mr_err *err)
{
    struct mr_str text;
    const size_t n_before = state->names.n;
    MR_TRY(mr_trace_name(json, &text, err));
    MR_TRY(mr_intern_add(&state->names, text, i, err));
    MR_TRY(mr_grow(&state->node, &state->cap_node, (size_t)*i + 1, sizeof *state->node, err));
    if (*i == n_before)
        state->node[*i].is_known = false;
    return MR_OK;
}

static mr_status read_model(struct mr_trace *trace, struct mr_trace_row *row, struct mr_err *err)
{
    static const char *const names[] = {"model"};
    bool has_more = false;
    struct mr_str text;
    size_t k;
    MR_TRY(mr_json_enter_object(trace->json, err));
    for (;;) {
        MR_TRY(mr_trace_key(trace, names, N(names), &k, &has_more, err));
        if (!has_more)
            return MR_OK;
        MR_TRY(mr_trace_name(trace->json, &text, err));
        MR_TRY(mr_session_book_model(&trace->book, text, (struct mr_str){0}, &row->model, err));
    }
}

static mr_status read_class(struct mr_trace *trace, struct mr_trace_satf_node *node,
                            struct mr_err *err)
{
    struct mr_str text;
    MR_TRY(mr_trace_name(trace->json, &text, err));
    return mr_intern_add(&((struct mr_trace_satf *)trace->state)->classes, text, &node->tool, err);
}

/* Of a node of any kind: which it is may be said behind it. */
static mr_status read_payload(struct mr_trace *trace, struct mr_trace_satf_node *node,
                              struct mr_trace_row *row, unsigned *has, struct mr_err *err)
{
    enum {
        input,
        output,
        ids,
        parameters,
        tool,
        is_error,
        call
    };
    static const char *const names[] = {"input_tokens_total", "output_tokens", "kv_block_ids",
                                        "request_parameters", "tool_name",     "is_error",
                                        "tool_call_id"};
    struct mr_trace_rows *rows = &((struct mr_trace_satf *)trace->state)->rows;
    struct mr_json *json = trace->json;
    bool has_more = false;
    size_t k;
    MR_TRY(mr_json_enter_object(json, err));
    for (;;) {
        MR_TRY(mr_trace_key(trace, names, N(names), &k, &has_more, err));
        if (!has_more)
            return MR_OK;
        if ((*has & 1u << k) != 0)
            return mr_json_error(json, err, MR_SCHEMA, "given twice");
        *has |= 1u << k;
        if (k == input)
            MR_TRY(mr_trace_u32(json, &row->n_input, err));
        else if (k == output)
            MR_TRY(mr_trace_u32(json, &row->n_output, err));
        else if (k == parameters)
            MR_TRY(read_model(trace, row, err));
        else if (k == tool)
            MR_TRY(read_class(trace, node, err));
        else if (k == is_error)
            MR_TRY(mr_json_bool(json, &node->is_error, err));
        else if (k == call)
            MR_TRY(mr_json_skip(json, err));
        if (k != ids)
            continue;
        rows->n_id = 0;
        MR_TRY(mr_json_u64_array(json, &rows->id, &rows->cap_id, &rows->n_id, err));
        if (rows->n_id > 0) /* none: not said */
            MR_TRY(mr_trace_rows_pack(rows, row, err));
    }
}

static mr_status read_metrics(struct mr_trace *trace, struct mr_trace_row *row, struct mr_err *err)
{
    static const char *const names[] = {"time_to_first_token_us", "source",
                                        "inter_token_latency_us", "queue_delay_us",
                                        "kv_cache_hit_rate",      "kv_transfer_latency_us"};
    bool has_more = false;
    size_t k;
    MR_TRY(mr_json_enter_object(trace->json, err));
    for (;;) {
        MR_TRY(mr_trace_key(trace, names, N(names), &k, &has_more, err));
        if (!has_more)
            return MR_OK;
        if (k == 0)
            MR_TRY(mr_trace_time(trace->json, -6, &row->ttft_s, err));
        else
            MR_TRY(mr_json_skip(trace->json, err));
    }
}

/* What one producer adds to a tool's result; anything else is nobody's business here. */
static mr_status read_extensions(struct mr_trace *trace, struct mr_trace_satf_node *node,
                                 struct mr_err *err)
{
    struct mr_json *json = trace->json;
    bool has_more = false;
    struct mr_str key;
    MR_TRY(mr_json_enter_object(json, err));
    for (;;) {
        enum mr_json_token token;
        MR_TRY(mr_json_key(json, &key, &has_more, err));
        if (!has_more)
            return MR_OK;
        const bool is_read = mr_str_is(key, "nvidia.dynamo");
        MR_TRY(mr_json_peek(json, &token, err));
        if (!is_read || token != MR_JSON_BEGIN_OBJECT) {
            MR_TRY(mr_json_skip(json, err));
            continue;
        }
        MR_TRY(mr_json_enter_object(json, err));
        for (;;) {
            MR_TRY(mr_json_key(json, &key, &has_more, err));
            if (!has_more)
                break;
            const bool is_length = mr_str_is(key, "output_tokens");
            const bool is_class = mr_str_is(key, "tool_class");
            MR_TRY(mr_json_peek(json, &token, err));
            if (is_length && token == MR_JSON_NUMBER)
                MR_TRY(mr_trace_u32(json, &node->n_result, err));
            else if (is_class && token == MR_JSON_STRING)
                MR_TRY(read_class(trace, node, err));
            else
                MR_TRY(mr_json_skip(json, err));
        }
    }
}

static mr_status keep_node(struct mr_trace *trace, struct mr_trace_satf_node node, uint32_t i,
                           unsigned has, struct mr_err *err)
{
    struct mr_trace_satf *state = trace->state;
    struct mr_json *json = trace->json;
    if (i == MR_SESSION_NONE)
        return mr_json_error(json, err, MR_SCHEMA, "a node needs an id");
    if (state->node[i].is_known)
        return mr_json_error(json, err, MR_SCHEMA, "node \"%s\" is in line %d, too",
                             mr_intern_text(&state->names, i), state->node[i].line);
    if (node.kind == MR_TRACE_SATF_LLM && (has & 3) != 3)
        return mr_json_error(json, err, MR_SCHEMA,
                             "a call needs input_tokens_total and output_tokens");
    if (node.kind == MR_TRACE_SATF_LLM && state->rows.row[node.row].has_blocks &&
        trace->book.block_tok == 0)
        return mr_json_error(json, err, MR_SCHEMA,
                             "kv_block_ids need a block_size_tokens, before the sessions");
    if (node.kind == MR_TRACE_SATF_LLM)
        state->rows.n_row++;
    node.is_known = true;
    state->node[i] = node;
    MR_TRY(
        mr_grow(&state->order, &state->cap_order, state->n_order + 1, sizeof *state->order, err));
    state->order[state->n_order++] = i;
    return MR_OK;
}

static mr_status read_us(struct mr_json *json, double *value_us, struct mr_err *err)
{
    char shown[MR_QUOTE_CAP];
    MR_TRY(mr_trace_scaled(json, 0, value_us, err));
    if (*value_us >= 0 && *value_us <= 1e15)
        return MR_OK;
    return mr_json_error(json, err, MR_RANGE, "%s is not a time",
                         mr_text_quote(mr_json_text(json), shown));
}

static mr_status read_node(struct mr_trace *trace, struct mr_err *err)
{
    enum {
        kind,
        id,
        duration,
        least,
        metrics,
        payload,
        extensions
    };
    static const char *const names[] = {
        "kind",    "id",        "duration_us", "min_start_delay_us", "performance_metrics",
        "payload", "extensions"};
    static const char *const kinds[] = {"llm_infer", "tool_call", "tool_result"};
    struct mr_trace_satf *state = trace->state;
    struct mr_json *json = trace->json;
    struct mr_trace_row *row;
    const double none = (double)NAN;
    struct mr_trace_satf_node node = {.least_us = none,
                                      .duration_us = none,
                                      .tool = MR_SESSION_NONE,
                                      .last = MR_SESSION_NONE,
                                      .row = (uint32_t)state->rows.n_row};
    uint32_t i = MR_SESSION_NONE;
    bool has_more = false, has_kind = false;
    unsigned has = 0;
    size_t k;
    MR_TRY(mr_trace_rows_new(&state->rows, &row, err));
    const size_t n_run = state->rows.n_run;
    MR_TRY(mr_json_enter_object(json, err));
    node.line = mr_json_place(json).line;
    for (;;) {
        MR_TRY(mr_trace_key(trace, names, N(names), &k, &has_more, err));
        if (!has_more)
            break;
        if (k == kind)
            MR_TRY(mr_trace_choice(json, kinds, N(kinds), &node.kind, err));
        else if (k == id)
            MR_TRY(node_named(json, state, &i, err));
        else if (k == duration)
            MR_TRY(read_us(json, &node.duration_us, err));
        else if (k == least)
            MR_TRY(read_us(json, &node.least_us, err));
        else if (k == metrics)
            MR_TRY(read_metrics(trace, row, err));
        else if (k == payload)
            MR_TRY(read_payload(trace, &node, row, &has, err));
        else
            MR_TRY(read_extensions(trace, &node, err));
        has_kind |= k == kind;
    }
    if (!has_kind)
        return mr_json_error(json, err, MR_SCHEMA, "a node needs a kind");
    if (node.kind == MR_TRACE_SATF_LLM)
        row->service_s = node.duration_us / 1e6;
    else
        state->rows.n_run = n_run;
    return keep_node(trace, node, i, has, err);
}

static mr_status read_edge(struct mr_trace *trace, struct mr_err *err)
{
    static const char *const names[] = {"from", "to", "delay_after_predecessor_us"};
    struct mr_trace_satf *state = trace->state;
    struct mr_trace_satf_edge edge = {0, MR_SESSION_NONE, MR_SESSION_NONE};
    bool has_more = false;
    size_t k;
    MR_TRY(mr_json_enter_object(trace->json, err));
    for (;;) {
        MR_TRY(mr_trace_key(trace, names, N(names), &k, &has_more, err));
        if (!has_more)
            break;
        if (k == 2)
            MR_TRY(read_us(trace->json, &edge.delay_us, err));
        else
            MR_TRY(node_named(trace->json, state, k == 0 ? &edge.from : &edge.to, err));
    }
    if (edge.from == MR_SESSION_NONE || edge.to == MR_SESSION_NONE)
        return mr_json_error(trace->json, err, MR_SCHEMA, "an edge needs from and to");
    if (state->n_edge >= mr_trace_satf_dep_max)
        return mr_json_error(trace->json, err, MR_LIMIT, "more than %d edges",
                             mr_trace_satf_dep_max);
    MR_TRY(mr_grow(&state->edge, &state->cap_edge, state->n_edge + 1, sizeof *state->edge, err));
    state->edge[state->n_edge++] = edge;
    return MR_OK;
}

static mr_status read_session(struct mr_trace *trace, struct mr_session *session,
                              struct mr_err *err)
{
    static const char *const names[] = {"session_id", "nodes", "edges", "extensions"};
    struct mr_json *json = trace->json;
    bool has_more = false;
    size_t k;
    MR_TRY(mr_json_enter_object(json, err));
    const int line = mr_json_place(json).line;
    for (;;) {
        MR_TRY(mr_trace_key(trace, names, N(names), &k, &has_more, err));
        if (!has_more)
            break;
        if (k == 0) {
            MR_TRY(mr_trace_text(json, session, &session->head.id, err));
            continue;
        }
        bool has_element = k < 3;
        MR_TRY(has_element ? mr_json_enter_array(json, err) : mr_json_skip(json, err));
        while (has_element) {
            MR_TRY(mr_json_array_more(json, &has_element, err));
            if (has_element)
                MR_TRY(k == 1 ? read_node(trace, err) : read_edge(trace, err));
        }
    }
    trace->line = line;
    return MR_OK;
}

/* ---- ends ---- */

static mr_status read_block_size(struct mr_trace *trace, struct mr_err *err)
{
    const struct mr_trace_satf *state = trace->state;
    MR_TRY(mr_trace_u32(trace->json, &trace->book.block_tok, err));
    if (trace->book.block_tok == 0 || state->has_sessions)
        return mr_json_error(trace->json, err, MR_SCHEMA,
                             "must be above 0 and stand before the sessions");
    return MR_OK;
}

static void forget(struct mr_trace_satf *state)
{
    mr_intern_fini(&state->names);
    state->names = (struct mr_intern){0};
    state->rows.n_row = state->rows.n_run = 0;
    state->n_order = state->n_edge = state->n_dep = 0;
    mr_session_context_cut(&state->context, 0);
}

/* The document up to its sessions; or after them. */
static mr_status read_document(struct mr_trace *trace, struct mr_err *err)
{
    static const char *const names[] = {
        "format",   "format_version", "time_base", "block_size_tokens",
        "sessions", "producer",       "extensions"};
    struct mr_trace_satf *state = trace->state;
    struct mr_json *json = trace->json;
    bool has_more = false;
    struct mr_str text;
    size_t k;
    for (;;) {
        MR_TRY(mr_trace_key(trace, names, N(names), &k, &has_more, err));
        if (!has_more) {
            state->is_over = true;
            return mr_json_end(json, err);
        }
        if (k < 3)
            MR_TRY(mr_json_str(json, &text, err));
        if (k == 0 && !mr_str_is(text, "satf"))
            return mr_json_error(json, err, MR_SCHEMA, "the format is not \"satf\"");
        if (k == 1 && (text.n < 2 || memcmp(text.p, "2.", 2) != 0))
            return mr_json_error(json, err, MR_SCHEMA, "versions 2.x are read");
        if (k == 2 && !mr_str_is(text, "us"))
            return mr_json_error(json, err, MR_SCHEMA, "times must be in \"us\"");
        if (k == 3)
            MR_TRY(read_block_size(trace, err));
        if (k == 4 && state->has_sessions)
            return mr_json_error(json, err, MR_SCHEMA, "given twice");
        if (k == 4) {
            state->has_sessions = state->is_inside = true;
            return mr_json_enter_array(json, err);
        }
        if (k > 4)
            MR_TRY(mr_json_skip(json, err));
    }
}

static mr_status next(struct mr_trace *trace, struct mr_session *session, bool *has_session,
                      struct mr_err *err)
{
    struct mr_trace_satf *state = trace->state;
    while (!state->is_over) {
        if (state->is_inside)
            MR_TRY(mr_json_array_more(trace->json, &state->is_inside, err));
        if (!state->is_inside) {
            MR_TRY(read_document(trace, err));
            continue;
        }
        forget(state);
        mr_session_reset(session);
        MR_TRY(read_session(trace, session, err));
        MR_TRY(mr_trace_satf_tell(trace, session, err));
        if (session->n_llm == 0) {
            trace->counts.no_call++;
            continue;
        }
        *has_session = true;
        return MR_OK;
    }
    return MR_OK;
}

static mr_status begin(struct mr_trace *trace, struct mr_err *err)
{
    bool has_more = false;
    trace->state = mr_alloc_zero(1, sizeof(struct mr_trace_satf));
    if (trace->state == NULL)
        return mr_err_nomem(err, sizeof(struct mr_trace_satf));
    trace->book.is_global = true;
    trace->book.block_tok = trace->options.block_tok;
    MR_TRY(mr_json_document(trace->json, &has_more, err));
    return mr_json_enter_object(trace->json, err);
}

static void end(struct mr_trace *trace)
{
    struct mr_trace_satf *state = trace->state;
    if (state == NULL)
        return;
    mr_trace_rows_fini(&state->rows);
    mr_session_context_fini(&state->context);
    mr_intern_fini(&state->names);
    mr_intern_fini(&state->classes);
    mr_buf_fini(&state->name);
    mr_free(state->node);
    mr_free(state->order);
    mr_free(state->key);
    mr_free(state->edge);
    mr_free(state->into);
    mr_free(state->dep);
    mr_free(state->stack);
}

const struct mr_trace_format mr_trace_format_satf = {
    .name = "satf",
    .doc = "SATF 2: graphs of calls and tools, ids of blocks that all sessions share",
    .begin = begin,
    .next = next,
    .end = end};
