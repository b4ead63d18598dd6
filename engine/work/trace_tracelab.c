/* SPDX-License-Identifier: Apache-2.0 */
/* TraceLab's rounds of coding agents: one call per line, with what the provider found cached, the
 * dates of what went in and came out, and the tools it asked for. Rounds of a session are a lane;
 * lines may stand in any order: all are gathered first (trace_request_tell.c).
 *
 * A round begins when the last of its inputs is there, and ends with the last of what it made.
 * Nothing names blocks: a round keeps what was cached, as far as its session had it. Sizes of
 * results are letters, four to a token. What users wrote and tools were told is nobody's business
 * here. */
#include "engine/base/date.h"
#include "engine/base/mem.h"
#include "engine/work/trace_request_impl.h"

#include <math.h>

#define N(a) (sizeof(a) / sizeof *(a))

enum {
    letters_per_tok = 4
};

/* One line as far as it has been read. */
struct reading {
    struct mr_trace_row *row;
    uint32_t session, n_prefix, n_new, n_total;
    double input_ms, first_ms, last_ms; /* last input before anything came out; first and last
                                           event; NaN: none */
    bool has_prefix, has_new, has_total, has_output, has_made;
};

/* ---- reading ---- */

/* A null, which is passed over. */
static bool is_null(struct mr_json *json, mr_status *st, struct mr_err *err)
{
    enum mr_json_token token = MR_JSON_NULL;
    *st = mr_json_peek(json, &token, err);
    if (*st != MR_OK || token != MR_JSON_NULL)
        return false;
    *st = mr_json_skip(json, err);
    return true;
}

/* A null stays unknown. */
static mr_status read_date(struct mr_trace *trace, double *ms, struct mr_err *err)
{
    struct mr_str text;
    double unix_s;
    mr_status st;
    if (is_null(trace->json, &st, err) || st != MR_OK)
        return st;
    MR_TRY(mr_json_str(trace->json, &text, err));
    if (!mr_date_parse(text, &unix_s, NULL))
        return mr_json_error(trace->json, err, MR_SCHEMA,
                             "not a date as in \"2026-06-01T05:40:20.151Z\"");
    *ms = unix_s * 1e3;
    return MR_OK;
}

static mr_status read_count(struct mr_trace *trace, uint32_t *n, bool *has, struct mr_err *err)
{
    mr_status st;
    if (is_null(trace->json, &st, err) || st != MR_OK)
        return st;
    *has = true;
    return mr_trace_u32(trace->json, n, err);
}

/* An event of the round: something that goes in, or comes out. */
static mr_status read_event(struct mr_trace *trace, struct reading *r, struct mr_err *err)
{
    static const char *const names[] = {"event_type",   "timestamp",    "source",
                                        "tool_call_id", "tool_name",    "is_error",
                                        "tool_index",   "result_chars", "content_chars"};
    double at_ms = (double)NAN;
    bool has_more = false, is_input = false;
    struct mr_str text;
    size_t k;
    MR_TRY(mr_json_enter_object(trace->json, err));
    for (;;) {
        MR_TRY(mr_trace_key(trace, names, N(names), &k, &has_more, err));
        if (!has_more)
            break;
        if (k == 0) {
            MR_TRY(mr_json_str(trace->json, &text, err));
            is_input = mr_str_is(text, "user_message") || mr_str_is(text, "tool_result");
        } else if (k == 1) {
            MR_TRY(read_date(trace, &at_ms, err));
        } else {
            MR_TRY(mr_json_skip(trace->json, err));
        }
    }
    r->first_ms = fmin(r->first_ms, at_ms);
    r->has_made |= !is_input && !isnan(at_ms);
    if (!is_input)
        r->last_ms = fmax(r->last_ms, at_ms);
    else if (!r->has_made)
        r->input_ms = fmax(r->input_ms, at_ms);
    return MR_OK;
}

static mr_status keep_tool(struct mr_trace *trace, const struct mr_trace_request_tool *tool,
                           double start_ms, double end_ms, struct mr_err *err)
{
    struct mr_trace_request *state = trace->state;
    if (isnan(start_ms) && isnan(end_ms)) { /* nobody knows when */
        trace->counts.lost++;
        return MR_OK;
    }
    const struct mr_trace_request_event event = {.start_ms = isnan(start_ms) ? end_ms : start_ms,
                                                 .end_ms = isnan(end_ms) ? start_ms : end_ms,
                                                 .session = MR_SESSION_NONE,
                                                 .i = (uint32_t)state->n_tool,
                                                 .is_tool = true};
    trace->counts.no_duration += isnan(start_ms) || isnan(end_ms);
    MR_TRY(mr_grow(&state->tool, &state->cap_tool, state->n_tool + 1, sizeof *state->tool, err));
    state->tool[state->n_tool++] = *tool;
    return mr_trace_request_keep(trace, event, err);
}

static mr_status read_tool(struct mr_trace *trace, struct mr_err *err)
{
    enum {
        name,
        emitted,
        ended,
        wall,
        error,
        letters
    };
    static const char *const names[] = {
        "tool_name",    "emitted_at", "result_at",    "tool_wall_latency_ms",     "is_error",
        "result_chars", "tool_index", "tool_call_id", "tool_internal_latency_ms", "input",
        "input_chars"};
    struct mr_trace_request *state = trace->state;
    struct mr_json *json = trace->json;
    struct mr_trace_request_tool tool = {.class = MR_SESSION_NONE, .line = trace->line};
    double start_ms = (double)NAN, end_ms = (double)NAN, wall_ms = (double)NAN;
    uint32_t n_letter = 0;
    bool has_more = false, has_letters = false;
    struct mr_str text;
    mr_status st = MR_OK;
    size_t k;
    MR_TRY(mr_json_enter_object(json, err));
    for (;;) {
        MR_TRY(mr_trace_key(trace, names, N(names), &k, &has_more, err));
        if (!has_more)
            break;
        if (k == emitted) {
            MR_TRY(read_date(trace, &start_ms, err));
        } else if (k == ended) {
            MR_TRY(read_date(trace, &end_ms, err));
        } else if (k == letters) {
            MR_TRY(read_count(trace, &n_letter, &has_letters, err));
        } else if (k > letters) {
            MR_TRY(mr_json_skip(json, err));
        } else if (is_null(json, &st, err) || st != MR_OK) {
            MR_TRY(st);
        } else if (k == name) {
            MR_TRY(mr_trace_name(json, &text, err));
            MR_TRY(mr_intern_add(&state->classes, text, &tool.class, err));
        } else if (k == wall) {
            MR_TRY(mr_trace_amount(json, &wall_ms, err));
        } else {
            MR_TRY(mr_json_bool(json, &tool.is_error, err));
        }
    }
    tool.n_output = n_letter / letters_per_tok;
    if (isnan(end_ms))
        end_ms = start_ms + wall_ms;
    if (isnan(start_ms))
        start_ms = end_ms - wall_ms;
    return keep_tool(trace, &tool, start_ms, end_ms, err);
}

static mr_status read_list(struct mr_trace *trace, struct reading *r, bool is_tools,
                           struct mr_err *err)
{
    bool has_element = false;
    mr_status st;
    if (is_null(trace->json, &st, err) || st != MR_OK)
        return st;
    MR_TRY(mr_json_enter_array(trace->json, err));
    for (;;) {
        MR_TRY(mr_json_array_more(trace->json, &has_element, err));
        if (!has_element)
            return MR_OK;
        MR_TRY(is_tools ? read_tool(trace, err) : read_event(trace, r, err));
    }
}

static mr_status read_round(struct mr_trace *trace, struct reading *r, struct mr_err *err)
{
    enum {
        session,
        model,
        total,
        prefix,
        fresh,
        output,
        events,
        tools
    };
    static const char *const names[] = {"session_id",
                                        "model",
                                        "input_tokens_total",
                                        "prefix_tokens",
                                        "newly_append_tokens",
                                        "output_tokens",
                                        "timing_events",
                                        "tools",
                                        "provider",
                                        "project",
                                        "session_file",
                                        "round_index",
                                        "round_id",
                                        "turn_id",
                                        "claude_uncached_input_tokens",
                                        "claude_cache_creation_input_tokens",
                                        "claude_cache_read_input_tokens",
                                        "reasoning_output_tokens",
                                        "current_input_event_count",
                                        "current_user_message_count",
                                        "current_tool_result_count",
                                        "current_user_message_chars",
                                        "current_tool_result_chars",
                                        "current_input_chars",
                                        "first_input_event_type",
                                        "home",
                                        "user",
                                        "store",
                                        "cwd",
                                        "trace_key"};
    struct mr_json *json = trace->json;
    bool has_more = false;
    struct mr_str text;
    mr_status st;
    size_t k;
    MR_TRY(mr_json_enter_object(json, err));
    trace->line = mr_json_place(json).line;
    for (;;) {
        MR_TRY(mr_trace_key(trace, names, N(names), &k, &has_more, err));
        if (!has_more)
            return MR_OK;
        if (k == session) {
            MR_TRY(mr_trace_name(json, &text, err));
            MR_TRY(mr_trace_request_session(trace, text, &r->session, err));
        } else if (k == model) {
            if (is_null(json, &st, err))
                continue;
            MR_TRY(st);
            MR_TRY(mr_trace_name(json, &text, err));
            MR_TRY(
                mr_session_book_model(&trace->book, text, (struct mr_str){0}, &r->row->model, err));
        } else if (k == total) {
            MR_TRY(read_count(trace, &r->n_total, &r->has_total, err));
        } else if (k == prefix) {
            MR_TRY(read_count(trace, &r->n_prefix, &r->has_prefix, err));
        } else if (k == fresh) {
            MR_TRY(read_count(trace, &r->n_new, &r->has_new, err));
        } else if (k == output) {
            MR_TRY(read_count(trace, &r->row->n_output, &r->has_output, err));
        } else if (k == events || k == tools) {
            MR_TRY(read_list(trace, r, k == tools, err));
        } else {
            MR_TRY(mr_json_skip(json, err));
        }
    }
}

/* ---- rounds ---- */

/* Input is what was cached and what was not; a sum that says something else is an error. */
static mr_status take_lengths(struct mr_trace *trace, const struct reading *r, struct mr_err *err)
{
    const uint64_t sum = (uint64_t)r->n_prefix + r->n_new;
    const bool has_parts = r->has_prefix && r->has_new;
    if (!r->has_output || (!r->has_total && !has_parts))
        return mr_json_error(trace->json, err, MR_SCHEMA,
                             "a round needs output_tokens, and prefix_tokens with "
                             "newly_append_tokens, or input_tokens_total");
    if (has_parts && (sum > UINT32_MAX || (r->has_total && sum != r->n_total)))
        return mr_json_error(trace->json, err, MR_RANGE,
                             "prefix_tokens and newly_append_tokens are %llu, input_tokens_total "
                             "is %u",
                             (unsigned long long)sum, r->n_total);
    r->row->n_input = has_parts ? (uint32_t)sum : r->n_total;
    r->row->n_keep_tok = r->n_prefix;
    if (r->n_prefix > r->row->n_input)
        return mr_json_error(trace->json, err, MR_RANGE, "prefix_tokens %u of %u in all",
                             r->n_prefix, r->row->n_input);
    return MR_OK;
}

static mr_status read_line(struct mr_trace *trace, struct mr_err *err)
{
    struct mr_trace_request *state = trace->state;
    const double none = (double)NAN;
    const size_t n_before = state->n_event;
    struct reading r = {
        .session = MR_SESSION_NONE, .input_ms = none, .first_ms = none, .last_ms = none};
    MR_TRY(mr_trace_rows_new(&state->rows, &r.row, err));
    MR_TRY(read_round(trace, &r, err));
    if (r.session == MR_SESSION_NONE)
        return mr_json_error(trace->json, err, MR_SCHEMA, "a round without session_id");
    MR_TRY(take_lengths(trace, &r, err));
    struct mr_trace_request_event event = {.start_ms = isnan(r.input_ms) ? r.first_ms : r.input_ms,
                                           .end_ms = r.last_ms,
                                           .session = r.session,
                                           .i = (uint32_t)state->rows.n_row};
    if (isnan(event.start_ms))
        return mr_json_error(trace->json, err, MR_SCHEMA,
                             "a round without a timestamp in timing_events");
    if (isnan(event.end_ms)) {
        event.end_ms = event.start_ms;
        trace->counts.no_duration++;
    } else {
        r.row->service_s = fmax(0, event.end_ms - event.start_ms) / 1e3;
    }
    for (size_t i = n_before; i < state->n_event; i++) /* its tools */
        state->event[i].session = r.session;
    MR_TRY(mr_trace_rows_keep(trace, &state->rows, err));
    return mr_trace_request_keep(trace, event, err);
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
    return trace->state != NULL ? MR_OK : mr_err_nomem(err, sizeof(struct mr_trace_request));
}

static void end(struct mr_trace *trace)
{
    if (trace->state != NULL)
        mr_trace_request_fini(trace->state);
}

const struct mr_trace_format mr_trace_format_rounds = {
    .name = "tracelab",
    .doc = "TraceLab's rounds of coding agents: calls with what was cached, tools",
    .is_lines = true,
    .begin = begin,
    .next = next,
    .end = end};
