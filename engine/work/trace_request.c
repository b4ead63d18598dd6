/* SPDX-License-Identifier: Apache-2.0 */
/* Request traces of a serving frontend (dynamo.request.trace.v1): one event per line, a call that
 * has ended or a tool, bare or inside {"timestamp", "event"}. Calls of one session are a lane,
 * those of a child session another one; a session with all its descendants is told as one. Events
 * may stand in any order: all are gathered first.
 *
 * Hashes of prompts are 64-bit names of whole prefixes: they get small numbers, in the order they
 * are met, that mean the same in all sessions. Without hashes a call keeps what it found cached.
 * Payloads are nobody's business here. */
#include "engine/base/mem.h"
#include "engine/work/trace_request_impl.h"

#include <math.h>

#define N(a) (sizeof(a) / sizeof *(a))

/* ---- reading ---- */

static mr_status read_hashes(struct mr_trace *trace, struct mr_err *err)
{
    struct mr_trace_request *state = trace->state;
    struct mr_trace_rows *rows = &state->rows;
    rows->n_id = 0;
    MR_TRY(mr_json_u64_array(trace->json, &rows->id, &rows->cap_id, &rows->n_id, err));
    for (size_t i = 0; i < rows->n_id; i++) {
        uint32_t number;
        MR_TRY(mr_block_names_of(&state->names, rows->id[i], &number, err));
        rows->id[i] = (uint64_t)number + 1; /* 0 goes on with nothing */
    }
    return MR_OK;
}

static mr_status read_replay(struct mr_trace *trace, struct mr_trace_row *row, bool *has_length,
                             struct mr_err *err)
{
    static const char *const names[] = {"trace_block_size", "input_length",
                                        "input_sequence_hashes"};
    struct mr_json *json = trace->json;
    uint32_t block_tok = 0;
    bool has_more = false, has_hashes = false;
    size_t k;
    MR_TRY(mr_json_enter_object(json, err));
    for (;;) {
        MR_TRY(mr_trace_key(trace, names, N(names), &k, &has_more, err));
        if (!has_more)
            break;
        if (k == 0)
            MR_TRY(mr_trace_u32(json, &block_tok, err));
        else if (k == 1)
            MR_TRY(mr_trace_u32(json, &row->n_input, err));
        else
            MR_TRY(read_hashes(trace, err));
        *has_length |= k == 1;
        has_hashes |= k == 2;
    }
    if (!has_hashes)
        return MR_OK;
    if (block_tok == 0)
        return mr_json_error(json, err, MR_SCHEMA, "hashes need a trace_block_size above 0");
    if (trace->book.block_tok != 0 && trace->book.block_tok != block_tok)
        return mr_json_error(json, err, MR_SCHEMA, "trace_block_size %u, it was %u before",
                             block_tok, trace->book.block_tok);
    trace->book.block_tok = block_tok;
    return mr_trace_rows_pack(&((struct mr_trace_request *)trace->state)->rows, row, err);
}

static mr_status read_request(struct mr_trace *trace, struct mr_trace_row *row,
                              struct mr_trace_request_event *event, struct mr_err *err)
{
    enum {
        id,
        model,
        input,
        output,
        cached,
        received,
        ttft,
        total,
        replay
    };
    static const char *const names[] = {
        "request_id",      "model",         "input_tokens",
        "output_tokens",   "cached_tokens", "request_received_ms",
        "ttft_ms",         "total_time_ms", "replay",
        "x_request_id",    "kv_hit_rate",   "kv_transfer_estimated_latency_ms",
        "queue_depth",     "avg_itl_ms",    "prefill_wait_time_ms",
        "prefill_time_ms", "worker",        "finish_reason_metadata"};
    struct mr_json *json = trace->json;
    bool has_more = false, has_length = false, has_output = false;
    uint32_t n_input = 0;
    struct mr_str text;
    size_t k;
    MR_TRY(mr_json_enter_object(json, err));
    for (;;) {
        MR_TRY(mr_trace_key(trace, names, N(names), &k, &has_more, err));
        if (!has_more)
            break;
        if (k == id) {
            MR_TRY(mr_trace_name(json, &text, err));
            MR_TRY(mr_intern_add(&((struct mr_trace_request *)trace->state)->rows.names, text,
                                 &row->name, err));
        } else if (k == model) {
            MR_TRY(mr_trace_name(json, &text, err));
            MR_TRY(mr_session_book_model(&trace->book, text, (struct mr_str){0}, &row->model, err));
        } else if (k == input) {
            MR_TRY(mr_trace_u32(json, &n_input, err));
        } else if (k == output) {
            MR_TRY(mr_trace_u32(json, &row->n_output, err));
        } else if (k == cached) {
            MR_TRY(mr_trace_u32(json, &row->n_keep_tok, err));
        } else if (k == received) {
            MR_TRY(mr_trace_amount(json, &event->start_ms, err));
        } else if (k == ttft) {
            MR_TRY(mr_trace_time(json, -3, &row->ttft_s, err));
        } else if (k == total) {
            MR_TRY(mr_trace_time(json, -3, &row->service_s, err));
        } else if (k == replay) {
            MR_TRY(read_replay(trace, row, &has_length, err));
        } else {
            MR_TRY(mr_json_skip(json, err));
        }
        has_output |= k == output;
        has_length |= k == input;
    }
    if (!has_length || !has_output)
        return mr_json_error(json, err, MR_SCHEMA, "a request needs its input and output lengths");
    if (row->n_input == 0)
        row->n_input = n_input;
    return MR_OK;
}

static mr_status read_tool(struct mr_trace *trace, struct mr_trace_request_tool *tool,
                           struct mr_trace_request_event *event, uint32_t *call, struct mr_err *err)
{
    enum {
        id,
        class,
        status,
        started,
        ended,
        duration,
        output
    };
    static const char *const names[] = {"tool_call_id",
                                        "tool_class",
                                        "status",
                                        "started_at_unix_ms",
                                        "ended_at_unix_ms",
                                        "duration_ms",
                                        "output_tokens",
                                        "output_bytes",
                                        "error_type",
                                        "source_request_id",
                                        "consumer_request_id",
                                        "child_session_id",
                                        "execution_mode",
                                        "name"};
    struct mr_json *json = trace->json;
    double duration_ms = (double)NAN;
    bool has_more = false;
    struct mr_str text;
    size_t k;
    MR_TRY(mr_json_enter_object(json, err));
    for (;;) {
        MR_TRY(mr_trace_key(trace, names, N(names), &k, &has_more, err));
        if (!has_more)
            break;
        if (k == id) {
            MR_TRY(mr_trace_name(json, &text, err));
            MR_TRY(mr_intern_add(&((struct mr_trace_request *)trace->state)->rows.lanes, text, call,
                                 err));
        } else if (k == class) {
            MR_TRY(mr_trace_name(json, &text, err));
            MR_TRY(mr_intern_add(&((struct mr_trace_request *)trace->state)->classes, text,
                                 &tool->class, err));
        } else if (k == status) {
            MR_TRY(mr_json_str(json, &text, err));
            tool->is_error |= mr_str_is(text, "failed") || mr_str_is(text, "error");
        } else if (k == started) {
            MR_TRY(mr_trace_amount(json, &event->start_ms, err));
        } else if (k == ended) {
            MR_TRY(mr_trace_amount(json, &event->end_ms, err));
        } else if (k == duration) {
            MR_TRY(mr_trace_amount(json, &duration_ms, err));
        } else if (k == output) {
            MR_TRY(mr_trace_u32(json, &tool->n_output, err));
        } else {
            MR_TRY(mr_json_skip(json, err));
        }
    }
    if (isnan(event->start_ms) && !isnan(event->end_ms))
        event->start_ms = event->end_ms - duration_ms;
    if (isnan(event->end_ms))
        event->end_ms = event->start_ms + duration_ms;
    return MR_OK;
}

mr_status mr_trace_request_session(struct mr_trace *trace, struct mr_str name, uint32_t *session,
                                   struct mr_err *err)
{
    struct mr_trace_request *state = trace->state;
    const size_t before = state->cap_known;
    MR_TRY(mr_intern_add(&state->rows.plays, name, session, err));
    MR_TRY(
        mr_grow(&state->known, &state->cap_known, (size_t)*session + 1, sizeof *state->known, err));
    for (size_t i = before; i < state->cap_known; i++)
        state->known[i] =
            (struct mr_trace_request_known){MR_SESSION_NONE, MR_SESSION_NONE, MR_SESSION_NONE};
    return MR_OK;
}

static mr_status read_agent(struct mr_trace *trace, struct mr_trace_request_event *event,
                            struct mr_err *err)
{
    static const char *const names[] = {"session_id", "parent_session_id", "session_final",
                                        "kv_hints"};
    struct mr_trace_request *state = trace->state;
    uint32_t parent = MR_SESSION_NONE;
    bool has_more = false;
    struct mr_str text;
    size_t k;
    MR_TRY(mr_json_enter_object(trace->json, err));
    for (;;) {
        MR_TRY(mr_trace_key(trace, names, N(names), &k, &has_more, err));
        if (!has_more)
            break;
        if (k < 2) {
            MR_TRY(mr_trace_name(trace->json, &text, err));
            MR_TRY(mr_trace_request_session(trace, text, k == 0 ? &event->session : &parent, err));
        } else if (k == 2) {
            MR_TRY(mr_json_bool(trace->json, &event->is_final, err));
        } else {
            trace->counts.lost++;
            MR_TRY(mr_json_skip(trace->json, err));
        }
    }
    if (parent == MR_SESSION_NONE)
        return MR_OK;
    if (event->session == MR_SESSION_NONE)
        return mr_json_error(trace->json, err, MR_SCHEMA, "a parent_session_id without session_id");
    struct mr_trace_request_known *known = &state->known[event->session];
    if (known->parent != MR_SESSION_NONE && known->parent != parent)
        return mr_json_error(trace->json, err, MR_SCHEMA, "the session has another parent, too");
    known->parent = parent;
    return MR_OK;
}

enum kind {
    kind_request,
    kind_tool_start,
    kind_tool_end,
    kind_tool_error,
    kind_payload
};

/* One line as far as it has been read. */
struct reading {
    struct mr_trace_request_event event;
    struct mr_trace_row *row;
    struct mr_trace_request_tool tool;
    double time_ms;
    uint32_t call; /* name of the tool call */
    uint8_t kind;
    bool has_request, has_tool, has_kind;
};

static mr_status read_event(struct mr_trace *trace, struct reading *r, int depth,
                            struct mr_err *err)
{
    enum {
        schema,
        type,
        time,
        agent,
        session,
        request,
        tool,
        event
    };
    static const char *const names[] = {
        "schema", "event_type", "event_time_unix_ms", "agent_context", "session_id", "request",
        "tool",   "event",      "timestamp",          "event_source",  "payload"};
    static const char *const kinds[] = {"request_end", "tool_start", "tool_end", "tool_error",
                                        "request_payload"};
    struct mr_json *json = trace->json;
    bool has_more = false;
    struct mr_str text;
    size_t k;
    MR_TRY(mr_json_enter_object(json, err));
    if (depth == 0)
        trace->line = mr_json_place(json).line;
    for (;;) {
        MR_TRY(mr_trace_key(trace, names, N(names), &k, &has_more, err));
        if (!has_more)
            return MR_OK;
        if (k == schema) {
            MR_TRY(mr_json_str(json, &text, err));
            if (!mr_str_is(text, "dynamo.request.trace.v1"))
                return mr_json_error(json, err, MR_SCHEMA, "the schema is not that of this format");
        } else if (k == type) {
            MR_TRY(mr_trace_choice(json, kinds, N(kinds), &r->kind, err));
            r->has_kind = true;
        } else if (k == time) {
            MR_TRY(mr_trace_amount(json, &r->time_ms, err));
        } else if (k == agent) {
            MR_TRY(read_agent(trace, &r->event, err));
        } else if (k == session) {
            MR_TRY(mr_trace_name(json, &text, err));
            MR_TRY(mr_trace_request_session(trace, text, &r->event.session, err));
        } else if (k == request && !r->has_request) {
            r->has_request = true;
            MR_TRY(read_request(trace, r->row, &r->event, err));
        } else if (k == tool && !r->has_tool) {
            r->has_tool = true;
            MR_TRY(read_tool(trace, &r->tool, &r->event, &r->call, err));
        } else if (k == event && depth == 0) {
            MR_TRY(read_event(trace, r, 1, err));
        } else if (k > event) {
            MR_TRY(mr_json_skip(json, err));
        } else {
            return mr_json_error(json, err, MR_SCHEMA, "given twice");
        }
    }
}

mr_status mr_trace_request_keep(struct mr_trace *trace, struct mr_trace_request_event event,
                                struct mr_err *err)
{
    struct mr_trace_request *state = trace->state;
    if (isnan(event.start_ms) || isnan(event.end_ms))
        return mr_json_error(trace->json, err, MR_SCHEMA,
                             "neither its times nor end and duration are there");
    event.end_ms = fmax(event.start_ms, event.end_ms);
    event.next = MR_SESSION_NONE;
    MR_TRY(
        mr_grow(&state->event, &state->cap_event, state->n_event + 1, sizeof *state->event, err));
    state->event[state->n_event++] = event;
    return MR_OK;
}

static mr_status keep_request(struct mr_trace *trace, struct reading *r, struct mr_err *err)
{
    struct mr_trace_request *state = trace->state;
    struct mr_trace_row *row = r->row;
    const double service_ms = 1e3 * row->service_s;
    if (!r->has_request)
        return mr_json_error(trace->json, err, MR_SCHEMA, "request_end without a request");
    if (isnan(r->event.start_ms))
        r->event.start_ms = r->time_ms - service_ms;
    r->event.end_ms = isnan(service_ms) ? r->time_ms : r->event.start_ms + service_ms;
    if (isnan(r->event.end_ms)) {
        r->event.end_ms = r->event.start_ms;
        trace->counts.no_duration++;
    } else {
        row->service_s = fmax(0, r->event.end_ms - r->event.start_ms) / 1e3;
    }
    r->event.i = (uint32_t)state->rows.n_row;
    MR_TRY(mr_trace_rows_keep(trace, &state->rows, err));
    return mr_trace_request_keep(trace, r->event, err);
}

static mr_status keep_tool(struct mr_trace *trace, struct reading *r, struct mr_err *err)
{
    struct mr_trace_request *state = trace->state;
    const size_t before = state->cap_tool_start;
    if (!r->has_tool || r->event.session == MR_SESSION_NONE)
        return mr_json_error(trace->json, err, MR_SCHEMA, "a tool needs a session and a tool");
    if (r->call != MR_SESSION_NONE) {
        MR_TRY(mr_grow(&state->tool_start_ms, &state->cap_tool_start, (size_t)r->call + 1,
                       sizeof *state->tool_start_ms, err));
        for (size_t i = before; i < state->cap_tool_start; i++)
            state->tool_start_ms[i] = (double)NAN;
    }
    if (r->kind == kind_tool_start) {
        if (r->call != MR_SESSION_NONE)
            state->tool_start_ms[r->call] =
                isnan(r->event.start_ms) ? r->time_ms : r->event.start_ms;
        return MR_OK;
    }
    if (isnan(r->event.end_ms))
        r->event.end_ms = r->time_ms;
    if (isnan(r->event.start_ms) && r->call != MR_SESSION_NONE)
        r->event.start_ms = state->tool_start_ms[r->call];
    r->tool.is_error |= r->kind == kind_tool_error;
    r->tool.line = trace->line;
    r->event.is_tool = true;
    r->event.i = (uint32_t)state->n_tool;
    MR_TRY(mr_grow(&state->tool, &state->cap_tool, state->n_tool + 1, sizeof *state->tool, err));
    state->tool[state->n_tool++] = r->tool;
    return mr_trace_request_keep(trace, r->event, err);
}

static mr_status read_line(struct mr_trace *trace, struct mr_err *err)
{
    struct mr_trace_request *state = trace->state;
    struct mr_trace_rows *rows = &state->rows;
    const double none = (double)NAN;
    struct reading r = {.event = {.start_ms = none, .end_ms = none, .session = MR_SESSION_NONE},
                        .tool = {.class = MR_SESSION_NONE},
                        .time_ms = none,
                        .call = MR_SESSION_NONE};
    MR_TRY(mr_trace_rows_new(rows, &r.row, err));
    const size_t n_run = rows->n_run;
    MR_TRY(read_event(trace, &r, 0, err));
    if (!r.has_kind)
        return mr_json_error(trace->json, err, MR_SCHEMA, "a line without event_type");
    if (r.kind == kind_request)
        return keep_request(trace, &r, err);
    rows->n_run = n_run;
    return r.kind == kind_payload ? MR_OK : keep_tool(trace, &r, err);
}

/* ---- life ---- */

static mr_status next(struct mr_trace *trace, struct mr_session *session, bool *has_session,
                      struct mr_err *err)
{
    const struct mr_trace_request *state = trace->state;
    bool has_more = !state->is_whole;
    while (has_more) {
        MR_TRY(mr_json_document(trace->json, &has_more, err));
        if (has_more)
            MR_TRY(read_line(trace, err));
    }
    if (!state->is_whole)
        MR_TRY(mr_trace_request_order(trace, err));
    return mr_trace_request_tell(trace, session, has_session, err);
}

static mr_status begin(struct mr_trace *trace, struct mr_err *err)
{
    trace->state = mr_alloc_zero(1, sizeof(struct mr_trace_request));
    trace->book.is_global = true;
    return trace->state != NULL ? MR_OK : mr_err_nomem(err, sizeof(struct mr_trace_request));
}

void mr_trace_request_fini(struct mr_trace_request *state)
{
    for (size_t i = 0; i < state->cap_lane; i++)
        mr_free(state->lane[i].open);
    mr_trace_rows_fini(&state->rows);
    mr_intern_fini(&state->classes);
    mr_session_context_fini(&state->context);
    mr_free(state->event);
    mr_free(state->tool);
    mr_free(state->known);
    mr_free(state->lane);
    mr_free(state->tool_start_ms);
    mr_block_names_fini(&state->names);
    mr_free(state->first);
    mr_free(state->last);
}

static void end(struct mr_trace *trace)
{
    if (trace->state != NULL)
        mr_trace_request_fini(trace->state);
}

const struct mr_trace_format mr_trace_format_request = {
    .name = "dynamo.request.trace",
    .doc = "events of a serving frontend: calls that ended, tools",
    .is_lines = true,
    .begin = begin,
    .next = next,
    .end = end};
