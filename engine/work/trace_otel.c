/* SPDX-License-Identifier: Apache-2.0 */
/* OpenTelemetry spans of generative AI, as OTLP JSON (resourceSpans): one document or many, spans
 * in any order, so all are gathered first. Spans tell what they are by gen_ai.operation.name: calls
 * (chat, text_completion, generate_content), execute_tool, invoke_agent; others only hold the tree
 * together. Calls and tools below an agent are those of a session: of the conversation they name,
 * or else of the trace; an agent below another is a child of that one's. From there on they are
 * told as the events of a serving frontend are (trace_request_tell.c).
 *
 * Inputs include what was read from a cache, and no block has a name: a call keeps what it found
 * cached, or all where that is not said. A tool below which calls are made takes their time, not
 * its own; a call around calls (a framework's around its client's) is those, and they are what
 * counts. What was said in prompts is nobody's business here. Parts: values - spans - tree - ends.
 */
#include "engine/base/mem.h"
#include "engine/work/trace_request_impl.h"

#include <math.h>

#define N(a) (sizeof(a) / sizeof *(a))

enum kind {
    kind_other,
    kind_call,
    kind_tool,
    kind_agent
};

struct span {
    uint32_t parent, trace; /* a span, MR_SESSION_NONE: none; in `traces` */
    uint32_t agent;         /* that it is below; MR_SESSION_NONE: none */
    uint32_t conversation;  /* its own, then that of what it is below; MR_SESSION_NONE: not said */
    uint32_t event;         /* of calls and tools */
    uint8_t kind;
    bool is_known, is_met, is_placed;
    bool has_calls; /* below it, with no agent between */
    bool is_around; /* those, with no tool between either */
};

struct state {
    struct mr_trace_request request; /* first: trace_request_tell.c takes it for the state */
    struct mr_intern ids, traces, conversations;
    struct span *span; /* by number of ids */
    uint32_t *stack;
    size_t cap_span, cap_stack;
    struct mr_buf key, value, own[2]; /* ids of a span and of its parent */
};

/* Attributes that are read. */
enum attribute {
    att_operation,
    att_input,
    att_output,
    att_cached,
    att_ttft,
    att_model,
    att_asked_model,
    att_tool,
    att_conversation,
    att_error
};

static const char *const attributes[] = {"gen_ai.operation.name",
                                         "gen_ai.usage.input_tokens",
                                         "gen_ai.usage.output_tokens",
                                         "gen_ai.usage.cache_read.input_tokens",
                                         "gen_ai.response.time_to_first_chunk",
                                         "gen_ai.response.model",
                                         "gen_ai.request.model",
                                         "gen_ai.tool.name",
                                         "gen_ai.conversation.id",
                                         "error.type"};

/* One span while it is read. */
struct reading {
    struct span span;
    struct mr_trace_request_event event;
    struct mr_trace_request_tool tool;
    struct mr_trace_row *row;
    uint32_t id;
    unsigned has; /* bits of attributes */
    bool is_traced;
};

/* ---- values ---- */

/* The value of an attribute as text; other than a text, number or truth value it is empty. */
static mr_status read_value(struct mr_json *json, struct mr_buf *value, struct mr_err *err)
{
    bool has_more = false;
    struct mr_str key;
    mr_buf_clear(value);
    MR_TRY(mr_json_enter_object(json, err));
    for (;;) {
        enum mr_json_token token;
        struct mr_str text = {0};
        MR_TRY(mr_json_key(json, &key, &has_more, err));
        if (!has_more)
            return mr_buf_check(value, err);
        MR_TRY(mr_json_peek(json, &token, err));
        if (token == MR_JSON_STRING)
            MR_TRY(mr_json_str(json, &text, err));
        else if (token == MR_JSON_BEGIN_ARRAY || token == MR_JSON_BEGIN_OBJECT)
            MR_TRY(mr_json_skip(json, err));
        else
            MR_TRY(mr_json_raw(json, &text, err));
        mr_buf_clear(value);
        mr_buf_add(value, text.p, text.n);
    }
}

/* A number of an attribute, which may stand there as text. */
static mr_status number_of(struct mr_trace *trace, double *number, struct mr_err *err)
{
    const struct state *state = trace->state;
    const struct mr_str text = {state->value.text, state->value.n};
    char shown[MR_QUOTE_CAP];
    if (mr_trace_scale(text, 0, number) == MR_OK)
        return MR_OK;
    return mr_json_error(trace->json, err, MR_SCHEMA, "%s: \"%s\" is not a number", state->key.text,
                         mr_text_quote(text, shown));
}

static mr_status take_attribute(struct mr_trace *trace, struct reading *r, size_t k,
                                struct mr_err *err)
{
    static const char *const calls[] = {"chat", "text_completion", "generate_content"};
    struct state *state = trace->state;
    const struct mr_str text = {state->value.text, state->value.n};
    struct mr_trace_row *row = r->row;
    double number;
    if (k == N(attributes) || text.n == 0)
        return MR_OK;
    r->has |= 1u << k;
    switch ((enum attribute)k) {
    case att_operation:
        if (mr_str_is(text, "execute_tool"))
            r->span.kind = kind_tool;
        else if (mr_str_is(text, "invoke_agent"))
            r->span.kind = kind_agent;
        for (size_t i = 0; i < N(calls); i++)
            if (mr_str_is(text, calls[i]))
                r->span.kind = kind_call;
        return MR_OK;
    case att_input:
    case att_output:
    case att_cached:
        MR_TRY(number_of(trace, &number, err));
        return mr_trace_tokens(trace, mr_json_place(trace->json), number,
                               k == att_input    ? &row->n_input
                               : k == att_output ? &row->n_output
                                                 : &row->n_keep_tok,
                               err);
    case att_ttft:
        MR_TRY(number_of(trace, &row->ttft_s, err));
        return mr_trace_when(trace, mr_json_place(trace->json), &row->ttft_s, err);
    case att_asked_model:
        if ((r->has & 1u << att_model) != 0)
            return MR_OK;
        return mr_session_book_model(&trace->book, text, (struct mr_str){0}, &row->model, err);
    case att_model:
        return mr_session_book_model(&trace->book, text, (struct mr_str){0}, &row->model, err);
    case att_tool:
        return mr_intern_add(&state->request.classes, text, &r->tool.class, err);
    case att_conversation:
        return mr_intern_add(&state->conversations, text, &r->span.conversation, err);
    case att_error:
        break;
    }
    r->tool.is_error = true;
    return MR_OK;
}

static mr_status read_attributes(struct mr_trace *trace, struct reading *r, struct mr_err *err)
{
    struct state *state = trace->state;
    struct mr_json *json = trace->json;
    bool has_more = false, has_member = false;
    MR_TRY(mr_json_enter_array(json, err));
    for (;;) {
        size_t k = N(attributes);
        bool has_key = false;
        MR_TRY(mr_json_array_more(json, &has_more, err));
        if (!has_more)
            return MR_OK;
        mr_buf_clear(&state->value);
        MR_TRY(mr_json_enter_object(json, err));
        for (;;) {
            struct mr_str key, text;
            MR_TRY(mr_json_key(json, &key, &has_member, err));
            if (!has_member)
                break;
            if (mr_str_is(key, "key")) {
                MR_TRY(mr_json_str(json, &text, err));
                k = mr_json_key_index(text, attributes, N(attributes));
                has_key = true;
                mr_buf_clear(&state->key);
                mr_buf_add(&state->key, text.p, text.n);
                MR_TRY(mr_buf_check(&state->key, err));
            } else if (mr_str_is(key, "value") && (!has_key || k < N(attributes))) {
                MR_TRY(read_value(json, &state->value, err));
            } else {
                MR_TRY(mr_json_skip(json, err)); /* whole prompts among them */
            }
        }
        MR_TRY(take_attribute(trace, r, k, err));
    }
}

/* ---- spans ---- */

/* Number of a span by its trace's number and its own id; that of none stays as it is. */
static mr_status span_named(struct mr_trace *trace, uint32_t in, const struct mr_buf *id,
                            uint32_t *i, struct mr_err *err)
{
    struct state *state = trace->state;
    const size_t n_before = state->ids.n;
    if (id->n == 0)
        return MR_OK;
    mr_buf_clear(&state->value);
    mr_buf_text(&state->value, mr_intern_text(&state->traces, in));
    mr_buf_char(&state->value, '/');
    mr_buf_add(&state->value, id->text, id->n);
    MR_TRY(mr_buf_check(&state->value, err));
    MR_TRY(mr_intern_add(&state->ids, (struct mr_str){state->value.text, state->value.n}, i, err));
    MR_TRY(mr_grow(&state->span, &state->cap_span, (size_t)*i + 1, sizeof *state->span, err));
    if (*i == n_before)
        state->span[*i] = (struct span){.is_known = false};
    return MR_OK;
}

static mr_status read_status(struct mr_trace *trace, struct reading *r, struct mr_err *err)
{
    bool has_more = false;
    struct mr_str key, text;
    MR_TRY(mr_json_enter_object(trace->json, err));
    for (;;) {
        MR_TRY(mr_json_key(trace->json, &key, &has_more, err));
        if (!has_more)
            return MR_OK;
        if (!mr_str_is(key, "code")) {
            MR_TRY(mr_json_skip(trace->json, err));
            continue;
        }
        MR_TRY(mr_trace_name(trace->json, &text, err));
        r->tool.is_error |= mr_str_is(text, "2") || mr_str_is(text, "STATUS_CODE_ERROR");
    }
}

/* Nanoseconds since 1970, a number or that as text, in milliseconds; 0 is a time not known. */
static mr_status read_ns(struct mr_trace *trace, double *time_ms, struct mr_err *err)
{
    struct mr_str text;
    char shown[MR_QUOTE_CAP];
    MR_TRY(mr_trace_name(trace->json, &text, err));
    if (mr_trace_scale(text, -6, time_ms) == MR_OK && *time_ms >= 0 && *time_ms <= 1e15) {
        if (*time_ms == 0)
            *time_ms = (double)NAN;
        return MR_OK;
    }
    return mr_json_error(trace->json, err, MR_RANGE, "\"%s\" is not a time",
                         mr_text_quote(text, shown));
}

/* A call or a tool: its row or tool, and an event whose session the tree says. */
static mr_status keep_event(struct mr_trace *trace, struct reading *r, struct mr_err *err)
{
    struct state *state = trace->state;
    struct mr_trace_request *request = &state->request;
    const unsigned lengths = 1u << att_input | 1u << att_output;
    const bool is_call = r->span.kind == kind_call;
    if (is_call && (r->has & lengths) != lengths) {
        trace->counts.no_length++; /* one that failed, mostly */
        trace->is_bad_row = trace->is_cut_row = false;
        r->span.kind = kind_other;
        return MR_OK;
    }
    if (!mr_trace_row_counts(trace)) {
        r->span.kind = kind_other;
        return MR_OK;
    }
    if (isnan(r->event.start_ms) || isnan(r->event.end_ms))
        return mr_json_error(trace->json, err, MR_SCHEMA,
                             "a call or a tool needs startTimeUnixNano and endTimeUnixNano, and 0 "
                             "is neither");
    trace->counts.backward += r->event.end_ms < r->event.start_ms;
    r->event.i = (uint32_t)(is_call ? request->rows.n_row : request->n_tool);
    r->event.is_tool = !is_call;
    if (is_call) {
        MR_TRY(mr_intern_add(&request->rows.names, mr_intern_str(&state->ids, r->id), &r->row->name,
                             err));
        r->row->service_s = fmax(0, r->event.end_ms - r->event.start_ms) / 1e3;
        MR_TRY(mr_trace_rows_keep(trace, &request->rows, err));
    } else {
        r->tool.line = trace->line;
        MR_TRY(mr_grow(&request->tool, &request->cap_tool, request->n_tool + 1,
                       sizeof *request->tool, err));
        request->tool[request->n_tool++] = r->tool;
    }
    r->span.event = (uint32_t)request->n_event;
    return mr_trace_request_keep(trace, r->event, err);
}

static mr_status keep_span(struct mr_trace *trace, struct reading *r, struct mr_err *err)
{
    struct state *state = trace->state;
    const bool is_whole = r->is_traced && state->own[0].n > 0;
    if (is_whole) {
        MR_TRY(span_named(trace, r->span.trace, &state->own[0], &r->id, err));
        MR_TRY(span_named(trace, r->span.trace, &state->own[1], &r->span.parent, err));
    }
    if (!is_whole)
        return mr_json_error(trace->json, err, MR_SCHEMA, "a span needs traceId and spanId");
    if (state->span[r->id].is_known)
        return mr_json_error(trace->json, err, MR_SCHEMA, "span \"%s\" is there twice",
                             mr_intern_text(&state->ids, r->id));
    if (r->span.kind == kind_call || r->span.kind == kind_tool)
        MR_TRY(keep_event(trace, r, err));
    trace->is_bad_row = trace->is_cut_row = false;
    r->span.is_known = true;
    state->span[r->id] = r->span;
    return MR_OK;
}

static mr_status read_span(struct mr_trace *trace, struct mr_err *err)
{
    enum {
        in,
        id,
        parent,
        start,
        end,
        atts,
        status
    };
    static const char *const names[] = {"traceId",
                                        "spanId",
                                        "parentSpanId",
                                        "startTimeUnixNano",
                                        "endTimeUnixNano",
                                        "attributes",
                                        "status",
                                        "name",
                                        "kind",
                                        "events",
                                        "links",
                                        "flags",
                                        "traceState",
                                        "droppedAttributesCount",
                                        "droppedEventsCount",
                                        "droppedLinksCount"};
    struct state *state = trace->state;
    const double none = (double)NAN;
    struct reading r = {.event = {.start_ms = none, .end_ms = none, .session = MR_SESSION_NONE},
                        .span = {.parent = MR_SESSION_NONE,
                                 .agent = MR_SESSION_NONE,
                                 .conversation = MR_SESSION_NONE},
                        .tool = {.class = MR_SESSION_NONE}};
    bool has_more = true;
    struct mr_str text;
    size_t k;
    MR_TRY(mr_trace_rows_new(&state->request.rows, &r.row, err));
    MR_TRY(mr_json_enter_object(trace->json, err));
    trace->line = mr_json_place(trace->json).line;
    mr_buf_clear(&state->own[0]);
    mr_buf_clear(&state->own[1]);
    for (;;) {
        MR_TRY(mr_trace_key(trace, names, N(names), &k, &has_more, err));
        if (!has_more)
            return keep_span(trace, &r, err);
        if (k <= parent)
            MR_TRY(mr_trace_name(trace->json, &text, err));
        if (k == in) {
            r.is_traced = text.n > 0;
            MR_TRY(mr_intern_add(&state->traces, text, &r.span.trace, err));
        } else if (k <= parent) {
            mr_buf_clear(&state->own[k - id]);
            mr_buf_add(&state->own[k - id], text.p, text.n);
            MR_TRY(mr_buf_check(&state->own[k - id], err));
        } else if (k == start || k == end) {
            MR_TRY(read_ns(trace, k == start ? &r.event.start_ms : &r.event.end_ms, err));
        } else if (k == atts) {
            MR_TRY(read_attributes(trace, &r, err));
        } else if (k == status) {
            MR_TRY(read_status(trace, &r, err));
        } else {
            MR_TRY(mr_json_skip(trace->json, err));
        }
    }
}

/* resourceSpans, scopeSpans, spans: arrays of objects that hold the next one. */
static mr_status read_level(struct mr_trace *trace, size_t level, struct mr_err *err)
{
    static const char *const names[] = {"resourceSpans", "scopeSpans", "spans"};
    bool has_more = false, has_element = false;
    struct mr_str key;
    if (level == N(names))
        return read_span(trace, err);
    MR_TRY(mr_json_enter_object(trace->json, err));
    for (;;) {
        MR_TRY(mr_json_key(trace->json, &key, &has_more, err));
        if (!has_more)
            return MR_OK;
        if (!mr_str_is(key, names[level])) {
            MR_TRY(mr_json_skip(trace->json, err));
            continue;
        }
        MR_TRY(mr_json_enter_array(trace->json, err));
        for (;;) {
            MR_TRY(mr_json_array_more(trace->json, &has_element, err));
            if (!has_element)
                break;
            MR_TRY(read_level(trace, level + 1, err));
        }
    }
}

/* ---- tree ---- */

/* Parents first: below which agent a span is, in which conversation. */
static mr_status place(struct mr_trace *trace, uint32_t i, struct mr_err *err)
{
    struct state *state = trace->state;
    size_t n = 0;
    for (;; i = state->span[i].parent) {
        struct span *span = &state->span[i];
        if (!span->is_known || span->is_placed)
            break;
        if (span->is_met)
            return mr_err_set(err, MR_REF, (struct mr_place){trace->name, trace->line, 0},
                              "span \"%s\" descends from itself", mr_intern_text(&state->ids, i));
        span->is_met = true;
        MR_TRY(mr_grow(&state->stack, &state->cap_stack, n + 1, sizeof *state->stack, err));
        state->stack[n++] = i;
        if (span->parent == MR_SESSION_NONE)
            break;
    }
    while (n > 0) {
        struct span *span = &state->span[state->stack[--n]];
        const uint32_t parent = span->parent;
        const struct span *above = parent != MR_SESSION_NONE ? &state->span[parent] : NULL;
        span->is_placed = true;
        if (above == NULL || !above->is_known) /* the recording begins below it */
            continue;
        span->agent = above->kind == kind_agent ? parent : above->agent;
        if (span->conversation == MR_SESSION_NONE)
            span->conversation = above->conversation;
    }
    return MR_OK;
}

/* Tools above a call or an agent, up to the next agent, last as long as those do; calls above a
 * call, up to the next tool, are that one. */
static void mark_above(struct state *state, uint32_t i)
{
    bool is_around = state->span[i].kind == kind_call;
    for (i = state->span[i].parent; i != MR_SESSION_NONE; i = state->span[i].parent) {
        struct span *span = &state->span[i];
        if (!span->is_known || span->kind == kind_agent ||
            (span->has_calls && (span->is_around || !is_around)))
            return;
        span->has_calls = true;
        span->is_around |= is_around;
        is_around &= span->kind != kind_tool;
    }
}

/* Is it a call or a tool of its own, not what is below it? */
static bool stands_alone(const struct span *span)
{
    return span->is_known && ((span->kind == kind_call && !span->is_around) ||
                              (span->kind == kind_tool && !span->has_calls));
}

/* The session that what is right below an agent belongs to, or what is below none. */
static mr_status name_session(struct mr_trace *trace, uint32_t agent, uint32_t of,
                              uint32_t *session, struct mr_err *err)
{
    const struct state *state = trace->state;
    const struct span *span = &state->span[agent != MR_SESSION_NONE ? agent : of];
    struct mr_str name = mr_intern_str(&state->traces, span->trace);
    if (agent != MR_SESSION_NONE && span->agent != MR_SESSION_NONE)
        name = mr_intern_str(&state->ids, agent);
    else if (span->conversation != MR_SESSION_NONE)
        name = mr_intern_str(&state->conversations, span->conversation);
    return mr_trace_request_session(trace, name, session, err);
}

static mr_status find_session(struct mr_trace *trace, uint32_t i, uint32_t *session,
                              struct mr_err *err)
{
    const struct state *state = trace->state;
    uint32_t agent = state->span[i].agent, child, parent;
    MR_TRY(name_session(trace, agent, i, session, err));
    for (child = *session; agent != MR_SESSION_NONE; child = parent) {
        agent = state->span[agent].agent;
        if (agent == MR_SESSION_NONE || state->request.known[child].parent != MR_SESSION_NONE)
            break;
        MR_TRY(name_session(trace, agent, i, &parent, err));
        state->request.known[child].parent = parent;
    }
    return MR_OK;
}

static mr_status grow_tree(struct mr_trace *trace, struct mr_err *err)
{
    struct state *state = trace->state;
    struct mr_trace_request *request = &state->request;
    size_t n = 0;
    for (uint32_t i = 0; i < state->ids.n; i++)
        MR_TRY(place(trace, i, err));
    for (uint32_t i = 0; i < state->ids.n; i++)
        if (state->span[i].is_known &&
            (state->span[i].kind == kind_call || state->span[i].kind == kind_agent))
            mark_above(state, i);
    for (uint32_t i = 0; i < state->ids.n; i++) {
        const struct span *span = &state->span[i];
        if (stands_alone(span))
            MR_TRY(find_session(trace, i, &request->event[span->event].session, err));
        else
            trace->counts.around += span->is_known && span->kind == kind_call;
    }
    for (size_t i = 0; i < request->n_event; i++) /* others are the calls below them */
        if (request->event[i].session != MR_SESSION_NONE)
            request->event[n++] = request->event[i];
    request->n_event = n;
    return MR_OK;
}

/* ---- ends ---- */

static mr_status next(struct mr_trace *trace, struct mr_session *session, bool *has_session,
                      struct mr_err *err)
{
    const struct state *state = trace->state;
    bool has_more = !state->request.is_whole;
    while (has_more) {
        MR_TRY(mr_json_document(trace->json, &has_more, err));
        if (has_more)
            MR_TRY(read_level(trace, 0, err));
    }
    if (!state->request.is_whole) {
        MR_TRY(grow_tree(trace, err));
        MR_TRY(mr_trace_request_order(trace, err));
    }
    return mr_trace_request_tell(trace, session, has_session, err);
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
    mr_trace_request_fini(&state->request);
    mr_intern_fini(&state->ids);
    mr_intern_fini(&state->traces);
    mr_intern_fini(&state->conversations);
    mr_buf_fini(&state->key);
    mr_buf_fini(&state->value);
    mr_buf_fini(&state->own[0]);
    mr_buf_fini(&state->own[1]);
    mr_free(state->span);
    mr_free(state->stack);
}

const struct mr_trace_format mr_trace_format_otel = {
    .name = "otel",
    .doc = "OpenTelemetry spans of generative AI as OTLP JSON",
    .begin = begin,
    .next = next,
    .end = end};
