/* SPDX-License-Identifier: Apache-2.0 */
/* Mooncake rows and their relatives, one reader: what differs is which keys say to whom a row
 * belongs and what it waits for. Rows without a session are told at once, others are gathered.
 *   mooncake        session_id; turn k + 1 starts at the end of turn k + delay, or + the difference
 *                   of timestamps
 *   mooncake-delta  the same, where later turns hold only what is new: all before them is kept
 *   agentic v1      wait_for names calls; start = last of their ends + delay + tool_wait_ms
 *   agentic v2      a header, then plays of calls with dependencies
 *   bailian         chat_id and parent_chat_id
 * Members with no place in a session are kept as they stand. Inputs longer than their blocks are
 * cut, as the format's own tools do. Rows that are told at once leave nothing behind, so that
 * memory does not grow with them. Parts: keys - row - ends. */
#include "engine/base/mem.h"
#include "engine/work/trace_rows.h"

#include <math.h>

#define N(a) (sizeof(a) / sizeof *(a))

/* ---- keys ---- */

/* X: name, key. Those from policy_class on are kept as they stand. Second spellings of the first
 * ones stand after all of them. */
#define KEY_LIST(X)                   \
    X(time, "timestamp")              \
    X(input, "input_length")          \
    X(output, "output_length")        \
    X(ids, "hash_ids")                \
    X(name, "request_id")             \
    X(session, "session_id")          \
    X(parent, "parent_chat_id")       \
    X(play, "play_id")                \
    X(model, "model")                 \
    X(delay, "delay")                 \
    X(tool_wait, "tool_wait_ms")      \
    X(since, "not_before_ms")         \
    X(arrival, "arrival_ms")          \
    X(priority, "priority")           \
    X(strict, "strict_priority")      \
    X(wait_for, "wait_for")           \
    X(deps, "dependencies")           \
    X(tier, "tier")                   \
    X(policy, "policy_class")         \
    X(routing, "routing_constraints") \
    X(tools, "tools")                 \
    X(extra, "extra")                 \
    X(token_ids, "output_token_ids")  \
    X(branches, "branches")           \
    X(reset, "prefix_reset")          \
    X(kind, "request_kind")           \
    X(events, "tool_events")          \
    X(type, "type")                   \
    X(turn, "turn")                   \
    X(text, "text_input")             \
    X(messages, "messages")           \
    X(payload, "payload")

enum key {
#define KEY_ENUM(name, key) key_##name,
    KEY_LIST(KEY_ENUM)
#undef KEY_ENUM
    n_key
};

static const char *const keys[] = {
#define KEY_TEXT(name, key) key,
    KEY_LIST(KEY_TEXT)
#undef KEY_TEXT
        "created_time",
    "input_tokens",
    "output_tokens",
    "block_hashes",
    "chat_id",
    "session",
    "parent_id",
    "play",
    "model_name",
    "delay_ms"};

enum kind {
    kind_plain,
    kind_delta,
    kind_agentic1,
    kind_agentic2,
    kind_bailian
};

struct state {
    struct mr_trace_rows rows;
    enum kind kind;
    struct mr_buf name; /* of the row at hand */
    bool has_name;
    uint32_t *last; /* row of each play, for deltas and chats */
    size_t cap_last;
};

/* ---- row ---- */

static mr_status read_intern(struct mr_json *json, struct mr_intern *names, uint32_t *i,
                             struct mr_err *err)
{
    struct mr_str name;
    MR_TRY(mr_trace_name(json, &name, err));
    return mr_intern_add(names, name, i, err);
}

/* wait_for: a name or an array of them. */
static mr_status read_wait_for(struct mr_trace *trace, struct state *state,
                               struct mr_trace_row *row, struct mr_err *err)
{
    enum mr_json_token token;
    bool has_more = true;
    MR_TRY(mr_json_peek(trace->json, &token, err));
    const bool is_array = token == MR_JSON_BEGIN_ARRAY;
    if (is_array)
        MR_TRY(mr_json_enter_array(trace->json, err));
    while (has_more) {
        struct mr_trace_dep dep = {0};
        if (is_array)
            MR_TRY(mr_json_array_more(trace->json, &has_more, err));
        if (!has_more)
            break;
        MR_TRY(read_intern(trace->json, &state->rows.names, &dep.name, err));
        MR_TRY(mr_trace_rows_dep(&state->rows, row, dep, err));
        has_more = is_array;
    }
    return MR_OK;
}

static mr_status read_deps(struct mr_trace *trace, struct state *state, struct mr_trace_row *row,
                           struct mr_err *err)
{
    static const char *const names[] = {"request_id", "trigger", "delay_ms", "relation"};
    static const char *const triggers[] = {"completion", "dispatch"};
    static const char *const relations[] = {"sequence", "spawn", "join", "replay_barrier"};
    struct mr_json *json = trace->json;
    bool has_more = false;
    size_t k;
    MR_TRY(mr_json_enter_array(json, err));
    for (;;) {
        struct mr_trace_dep dep = {.name = MR_SESSION_NONE};
        uint8_t trigger = 0;
        MR_TRY(mr_json_array_more(json, &has_more, err));
        if (!has_more)
            return MR_OK;
        MR_TRY(mr_json_enter_object(json, err));
        for (;;) {
            MR_TRY(mr_trace_key(trace, names, N(names), &k, &has_more, err));
            if (!has_more)
                break;
            if (k == 0)
                MR_TRY(read_intern(json, &state->rows.names, &dep.name, err));
            else if (k == 1)
                MR_TRY(mr_trace_choice(json, triggers, N(triggers), &trigger, err));
            else if (k == 2)
                MR_TRY(mr_trace_time(json, -3, &dep.delay_s, err));
            else
                MR_TRY(mr_trace_choice(json, relations, N(relations), &dep.relation, err));
        }
        if (dep.name == MR_SESSION_NONE)
            return mr_json_error(json, err, MR_SCHEMA, "a dependency needs request_id");
        dep.is_dispatch = trigger == 1;
        MR_TRY(mr_trace_rows_dep(&state->rows, row, dep, err));
    }
}

/* Appends to the object of members that are kept. */
static mr_status keep_raw(struct mr_trace *trace, struct state *state, enum key key,
                          struct mr_trace_row *row, struct mr_err *err)
{
    struct mr_buf *text = &state->rows.text;
    struct mr_str raw;
    MR_TRY(mr_json_raw(trace->json, &raw, err));
    if (key == key_text || key == key_messages || key == key_payload) {
        trace->counts.lost++; /* prompts themselves are nobody's business here */
        return MR_OK;
    }
    if (text->n + raw.n > MR_SESSION_NONE - 4096)
        return mr_err_set(err, MR_LIMIT, MR_NOWHERE, "more than 4 GB of extra members");
    if (row->extra == MR_SESSION_NONE)
        row->extra = (uint32_t)text->n;
    mr_buf_text(text, row->extra == text->n ? "{\"" : ",\"");
    mr_buf_text(text, keys[key]);
    mr_buf_text(text, "\":");
    mr_buf_add(text, raw.p, raw.n);
    return mr_buf_check(text, err);
}

/* The class of the event that lasted longest, of those that say one. */
static mr_status read_class(struct mr_json *json, struct mr_buf *class, struct mr_err *err)
{
    double longest_ms = -1;
    bool has_more = false;
    MR_TRY(mr_json_document(json, &has_more, err));
    MR_TRY(mr_json_enter_array(json, err));
    for (;;) {
        double lasted_ms = 0;
        const size_t n_before = class->n;
        bool has_class = false;
        MR_TRY(mr_json_array_more(json, &has_more, err));
        if (!has_more)
            return MR_OK;
        MR_TRY(mr_json_enter_object(json, err));
        for (;;) {
            struct mr_str key;
            enum mr_json_token token;
            MR_TRY(mr_json_key(json, &key, &has_more, err));
            if (!has_more)
                break;
            const bool is_class = mr_str_is(key, "tool_class");
            const bool is_time = mr_str_is(key, "duration_ms");
            MR_TRY(mr_json_peek(json, &token, err));
            if (is_class && token == MR_JSON_STRING && !has_class) {
                struct mr_str text;
                MR_TRY(mr_json_str(json, &text, err));
                mr_buf_add(class, text.p, text.n); /* behind the one before */
                MR_TRY(mr_buf_check(class, err));
                has_class = text.n > 0;
            } else if (is_time && token == MR_JSON_NUMBER) {
                MR_TRY(mr_json_f64(json, &lasted_ms, err));
            } else {
                MR_TRY(mr_json_skip(json, err));
            }
        }
        if (has_class && lasted_ms > longest_ms) {
            longest_ms = lasted_ms;
            memmove(class->text, class->text + n_before, class->n - n_before + 1);
            class->n -= n_before;
        } else if (has_class) {
            class->n = n_before;
        }
    }
}

/* What tools a call waited for: kept as it stands, and the class read from there. */
static mr_status read_events(struct mr_trace *trace, struct state *state, struct mr_trace_row *row,
                             struct mr_err *err)
{
    const struct mr_buf *text = &state->rows.text;
    const size_t from = text->n + strlen(keys[key_events]) + 4; /* {"key": */
    struct mr_gz *gz;
    struct mr_json *json;
    MR_TRY(keep_raw(trace, state, key_events, row, err));
    MR_TRY(mr_gz_open_memory(text->text + from, text->n - from, trace->name, &gz, err));
    MR_TRY(mr_json_create(gz, NULL, &json, err));
    struct mr_err own = {0};
    struct mr_buf class = {0};
    mr_status st = read_class(json, &class, &own);
    if (st == MR_OK && class.n > 0)
        st = mr_intern_add(&trace->book.class, (struct mr_str){class.text, class.n}, &row->class,
                           &own);
    mr_json_close(json);
    mr_buf_fini(&class);
    return st == MR_OK ? MR_OK
                       : mr_err_set(err, st, (struct mr_place){trace->name, trace->line, 0},
                                    "tool_events: %s", own.text);
}

static mr_status read_parent(struct mr_trace *trace, struct state *state, struct mr_trace_row *row,
                             struct mr_err *err)
{
    struct mr_str name;
    struct mr_trace_dep dep = {0};
    MR_TRY(mr_trace_name(trace->json, &name, err));
    if (mr_str_is(name, "-1"))
        return MR_OK;
    const uint32_t id = mr_intern_find(&state->rows.names, name);
    if (id == MR_INTERN_NONE || id >= state->rows.cap_by_name ||
        state->rows.by_name[id] == MR_SESSION_NONE) {
        trace->counts.orphan++; /* the recording begins after it */
        return MR_OK;
    }
    dep.name = id;
    return mr_trace_rows_dep(&state->rows, row, dep, err);
}

/* A number of tokens that the options may mend. */
static mr_status read_tokens(struct mr_trace *trace, uint32_t *value, struct mr_err *err)
{
    double number;
    MR_TRY(mr_json_f64(trace->json, &number, err));
    return mr_trace_tokens(trace, mr_trace_place(trace), number, value, err);
}

static mr_status read_time(struct mr_trace *trace, int exp10, double *time_s, struct mr_err *err)
{
    MR_TRY(mr_trace_scaled(trace->json, exp10, time_s, err));
    return mr_trace_when(trace, mr_trace_place(trace), time_s, err);
}

/* Not among the names yet: a row that is alone needs no place there. */
static mr_status read_own_name(struct mr_trace *trace, struct state *state, struct mr_err *err)
{
    struct mr_str name;
    MR_TRY(mr_trace_name(trace->json, &name, err));
    mr_buf_clear(&state->name);
    mr_buf_add(&state->name, name.p, name.n);
    state->has_name = true;
    return mr_buf_check(&state->name, err);
}

static mr_status read_row_key(struct mr_trace *trace, struct state *state, enum key key,
                              struct mr_trace_row *row, struct mr_err *err)
{
    struct mr_trace_rows *rows = &state->rows;
    struct mr_json *json = trace->json;
    struct mr_str text;
    switch (key) {
    case key_time:
        return read_time(trace, state->kind == kind_bailian ? 0 : -3, &row->time_s, err);
    case key_input:
        return read_tokens(trace, &row->n_input, err);
    case key_output:
        return read_tokens(trace, &row->n_output, err);
    case key_ids:
        rows->n_id = 0;
        MR_TRY(mr_json_u64_array(json, &rows->id, &rows->cap_id, &rows->n_id, err));
        return mr_trace_rows_pack(rows, row, err);
    case key_name:
        return read_own_name(trace, state, err);
    case key_session:
        if (trace->options.is_single)
            return mr_json_error(json, err, MR_SCHEMA,
                                 "calls of a session wait for those before them, here calls come "
                                 "whatever becomes of those before: take \"session_id\" out");
        MR_TRY(mr_trace_name(json, &text, err));
        if (state->kind != kind_agentic2)
            MR_TRY(mr_intern_add(&rows->plays, text, &row->play, err));
        return mr_intern_add(&rows->lanes, text, &row->lane, err);
    case key_parent:
        return read_parent(trace, state, row, err);
    case key_play:
        return read_intern(json, &rows->plays, &row->play, err);
    case key_model:
        MR_TRY(mr_trace_name(json, &text, err));
        return mr_session_book_model(&trace->book, text, (struct mr_str){0}, &row->model, err);
    case key_delay:
        return mr_trace_time(json, -3, &row->delay_s, err);
    case key_tool_wait:
        return mr_trace_time(json, -3, &row->tool_s, err);
    case key_since:
        return mr_trace_time(json, -3, &row->time_s, err);
    case key_arrival:
        if (state->kind != kind_agentic2)
            break;
        return mr_trace_time(json, -3, &row->arrival_s, err);
    case key_priority:
        row->has_priority = true;
        return mr_trace_i32(json, &row->priority, err);
    case key_strict:
        row->has_strict = true;
        return mr_trace_strict(json, &row->strict, &row->is_truth, err);
    case key_wait_for:
        return read_wait_for(trace, state, row, err);
    case key_deps:
        return read_deps(trace, state, row, err);
    case key_events:
        return read_events(trace, state, row, err);
    case key_tier:
        MR_TRY(mr_trace_name(json, &text, err));
        return mr_session_book_tier(&trace->book, text, &row->tier, err);
    case key_policy:
    case key_routing:
    case key_tools:
    case key_extra:
    case key_token_ids:
    case key_branches:
    case key_reset:
    case key_kind:
    case key_type:
    case key_turn:
    case key_text:
    case key_messages:
    case key_payload:
    case n_key:
        break;
    }
    return keep_raw(trace, state, key, row, err);
}

/* Columns of the other spellings. */
static enum key key_of(size_t k)
{
    return (enum key)(k < n_key ? k : k - n_key);
}

static mr_status read_row(struct mr_trace *trace, struct state *state, struct mr_err *err)
{
    struct mr_trace_row row, *slot;
    bool has_more = false, has[n_key] = {false};
    size_t k;
    MR_TRY(mr_json_enter_object(trace->json, err));
    trace->line = mr_json_place(trace->json).line;
    MR_TRY(mr_trace_rows_new(&state->rows, &slot, err));
    row = *slot;
    state->has_name = false;
    for (;;) {
        MR_TRY(mr_trace_key(trace, keys, N(keys), &k, &has_more, err));
        if (!has_more)
            break;
        const enum key key = key_of(k);
        if (has[key])
            return mr_json_error(trace->json, err, MR_SCHEMA, "given twice");
        has[key] = true;
        MR_TRY(read_row_key(trace, state, key, &row, err));
    }
    if (!has[key_input] || !has[key_output])
        return mr_json_error(trace->json, err, MR_SCHEMA, "a row needs input and output lengths");
    if (row.extra != MR_SESSION_NONE) {
        mr_buf_add(&state->rows.text, "}", 2);
        MR_TRY(mr_buf_check(&state->rows.text, err));
    }
    *slot = row;
    return MR_OK;
}

/* It belongs to no other row. */
static bool is_alone(const struct state *state, const struct mr_trace_row *row)
{
    return row->play == MR_SESSION_NONE && row->n_dep == 0 && state->kind <= kind_delta;
}

/* Input and ids of a later turn are of what is new in it. Its context goes on behind an output of
 * which no ids are known, and that ends anywhere in a block: whose blocks its ids are cannot be
 * said, they only bound the input as those of any row do. */
static mr_status finish_delta(struct mr_trace *trace, struct state *state, struct mr_trace_row *row,
                              struct mr_err *err)
{
    struct mr_trace_rows *rows = &state->rows;
    const size_t before = state->cap_last;
    const uint64_t held_tok = (uint64_t)rows->n_id * trace->book.block_tok;
    if (row->has_blocks && row->n_input > held_tok) {
        trace->counts.clipped_input++;
        row->n_input = (uint32_t)held_tok;
    }
    MR_TRY(mr_grow(&state->last, &state->cap_last, row->play + 1, sizeof *state->last, err));
    memset(state->last + before, 0xff, (state->cap_last - before) * sizeof *state->last);
    const uint32_t last = state->last[row->play];
    if (last != MR_SESSION_NONE) {
        const uint64_t n_input =
            (uint64_t)row->n_input + rows->row[last].n_input + rows->row[last].n_output;
        if (n_input > 4000000000)
            return mr_json_error(trace->json, err, MR_RANGE, "a context of more than 4e9 tokens");
        row->n_input = (uint32_t)n_input;
        trace->counts.delta_ids += row->has_blocks;
        rows->n_run = row->run;
        row->has_blocks = false;
        row->n_run = 0;
    }
    state->last[row->play] = (uint32_t)rows->n_row;
    return MR_OK;
}

/* What a row of each kind still needs to be told before it is kept. */
static mr_status finish_row(struct mr_trace *trace, struct state *state, struct mr_trace_row *row,
                            struct mr_err *err)
{
    struct mr_trace_rows *rows = &state->rows;
    if (state->has_name)
        MR_TRY(mr_intern_add(&rows->names, (struct mr_str){state->name.text, state->name.n},
                             &row->name, err));
    switch (state->kind) {
    case kind_agentic2:
        row->is_waiting = true;
        if (row->name == MR_SESSION_NONE || row->play == MR_SESSION_NONE)
            return mr_json_error(trace->json, err, MR_SCHEMA,
                                 "a row of this version needs request_id and play_id");
        return MR_OK;
    case kind_agentic1:
        row->is_waiting = true;
        for (uint32_t d = 0; d < row->n_dep; d++)
            rows->dep[row->dep + d].delay_s = isnan(row->delay_s) ? 0 : row->delay_s;
        row->is_arrival = row->n_dep == 0;
        if (row->n_dep > 0)
            row->time_s = (double)NAN; /* recorded, not a rule */
        return MR_OK;
    case kind_bailian:
        if (row->n_dep > 0) { /* rows of a chat: the one it follows is in the file */
            const uint32_t parent = rows->by_name[rows->dep[row->dep].name];
            row->play = rows->row[parent].play;
            rows->n_dep -= row->n_dep;
            row->n_dep = 0;
        }
        if (row->play == MR_SESSION_NONE)
            MR_TRY(mr_intern_add(&rows->plays,
                                 row->name != MR_SESSION_NONE
                                     ? mr_intern_str(&rows->names, row->name)
                                     : MR_STR("chats without a name"),
                                 &row->play, err));
        return MR_OK;
    case kind_delta:
    case kind_plain:
        break;
    }
    return state->kind == kind_plain ? MR_OK : finish_delta(trace, state, row, err);
}

static mr_status tell_alone(struct mr_trace *trace, struct state *state,
                            const struct mr_trace_row *row, struct mr_session *session,
                            struct mr_err *err)
{
    MR_TRY(mr_trace_rows_single(trace, &state->rows, row, session, err));
    return state->has_name
               ? mr_session_text_add(session, (struct mr_str){state->name.text, state->name.n},
                                     &session->llm[0].name, err)
               : MR_OK;
}

static mr_status next(struct mr_trace *trace, struct mr_session *session, bool *has_session,
                      struct mr_err *err)
{
    struct state *state = trace->state;
    struct mr_trace_rows *rows = &state->rows;
    while (!rows->is_whole) {
        bool has_more = false;
        const size_t n_text = rows->text.n;
        MR_TRY(mr_json_document(trace->json, &has_more, err));
        if (!has_more)
            break;
        MR_TRY(read_row(trace, state, err));
        struct mr_trace_row *row = &rows->row[rows->n_row];
        const bool counts = mr_trace_row_counts(trace);
        if (counts && !is_alone(state, row)) {
            MR_TRY(finish_row(trace, state, row, err));
            MR_TRY(mr_trace_rows_keep(trace, rows, err));
            continue;
        }
        *has_session = counts;
        if (counts)
            MR_TRY(tell_alone(trace, state, row, session, err));
        rows->n_run = row->run; /* of this row only */
        rows->n_dep = row->dep;
        rows->text.n = n_text;
        if (counts)
            return MR_OK;
    }
    return mr_trace_rows_next(trace, rows, session, has_session, err);
}

/* ---- ends ---- */

static mr_status start(struct mr_trace *trace, enum kind kind, uint32_t block_tok, bool is_global,
                       struct mr_err *err)
{
    struct state *state = mr_alloc_zero(1, sizeof *state);
    if (state == NULL)
        return mr_err_nomem(err, sizeof *state);
    trace->state = state;
    state->kind = kind;
    state->rows.clips = kind != kind_agentic2;
    state->rows.has_plays = kind == kind_agentic2;
    trace->book.block_tok = trace->options.block_tok > 0 ? trace->options.block_tok : block_tok;
    trace->book.is_global = is_global;
    return MR_OK;
}

static mr_status begin_plain(struct mr_trace *trace, struct mr_err *err)
{
    return start(trace, kind_plain, 512, true, err);
}

static mr_status begin_delta(struct mr_trace *trace, struct mr_err *err)
{
    return start(trace, kind_delta, 512, true, err);
}

static mr_status begin_agentic1(struct mr_trace *trace, struct mr_err *err)
{
    return start(trace, kind_agentic1, 512, false, err);
}

static mr_status begin_bailian(struct mr_trace *trace, struct mr_err *err)
{
    return start(trace, kind_bailian, 16, true, err);
}

static mr_status begin_agentic2(struct mr_trace *trace, struct mr_err *err)
{
    static const char *const names[] = {"schema", "version", "block_size", "hash_id_scope",
                                        "source"};
    static const char *const scopes[] = {"local", "global"};
    struct mr_json *json = trace->json;
    bool has_more = false;
    uint64_t version = 0;
    uint8_t scope = 0;
    size_t k;
    MR_TRY(start(trace, kind_agentic2, 0, false, err));
    MR_TRY(mr_json_document(json, &has_more, err));
    if (!has_more)
        return mr_err_set(err, MR_SCHEMA, (struct mr_place){trace->name, 1, 1}, "an empty file");
    MR_TRY(mr_json_enter_object(json, err));
    for (;;) {
        MR_TRY(mr_trace_key(trace, names, N(names), &k, &has_more, err));
        if (!has_more)
            break;
        if (k == 1)
            MR_TRY(mr_json_u64(json, &version, err));
        else if (k == 2)
            MR_TRY(mr_trace_u32(json, &trace->book.block_tok, err));
        else if (k == 3)
            MR_TRY(mr_trace_choice(json, scopes, N(scopes), &scope, err));
        else if (k == 4)
            MR_TRY(mr_trace_source_read(trace, err));
        else
            MR_TRY(mr_json_skip(json, err));
    }
    trace->book.is_global = scope == 1;
    if (version != 2 || trace->book.block_tok == 0)
        return mr_json_error(json, err, MR_SCHEMA,
                             "the header must have version 2 and a block_size above 0");
    return MR_OK;
}

static void end(struct mr_trace *trace)
{
    struct state *state = trace->state;
    if (state == NULL)
        return;
    mr_trace_rows_fini(&state->rows);
    mr_buf_fini(&state->name);
    mr_free(state->last);
}

#define FORMAT(symbol, text, sentence, start)                 \
    const struct mr_trace_format mr_trace_format_##symbol = { \
        .name = text, .doc = sentence, .is_lines = true, .begin = start, .next = next, .end = end}

FORMAT(mooncake, "mooncake", "Mooncake rows, with sessions and delays if there", begin_plain);
FORMAT(mooncake_delta, "mooncake-delta", "the same where later turns hold only what is new",
       begin_delta);
FORMAT(agentic1, "agentic_mooncake1", "Mooncake rows that wait for each other", begin_agentic1);
FORMAT(agentic2, "agentic_mooncake", "version 2: plays of calls with dependencies", begin_agentic2);
FORMAT(bailian, "bailian", "chats with their parents, 16 tokens to a block", begin_bailian);
