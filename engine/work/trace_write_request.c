/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions as events of a serving frontend (dynamo.request.trace.v1), for tools that read what such
 * a one has logged: calls that ended and tools, with dates: those of a factory that takes for each
 * call what was recorded, and no time where nothing was. A recorded start counts behind a call of
 * which no duration is known, if it is later: recordings round them, so that a call may seem to
 * begin before what it waits for has ended. A lane is a session,
 * the child of the one it was spawned from. Thinks are the pauses between; long-term memory, tiers,
 * tenants, resources of tools and most hints have no place and are counted.
 *
 * A hash names a whole prefix: it is made from the hash of the prefix that is a block shorter. */
#include "engine/base/jsonw.h"
#include "engine/base/mem.h"
#include "engine/base/num.h"
#include "engine/work/session_context.h"
#include "engine/work/trace_write.h"

#include <math.h>
#include <string.h>

/* One session on its way out. */
struct writer {
    struct mr_buf *buf;
    const struct mr_session_book *book;
    const struct mr_session *session;
    uint64_t number;
    double *start_s, *end_s; /* of nodes, after the session's start */
    uint32_t *parent;        /* of lanes */
    bool *is_vague;          /* nodes whose end hangs on a duration that is not known */
};

/* ---- dates ---- */

static double duration_s(const struct mr_session *session, const struct mr_session_node *node)
{
    double s = 0;
    if (node->kind == MR_SESSION_LLM)
        s = session->llm[node->i].service_s;
    else if (node->kind == MR_SESSION_THINK)
        s = session->think[node->i].s;
    else if (node->kind == MR_SESSION_TOOL)
        s = isnan(session->tool[node->i].wall_s) ? session->tool[node->i].cpu_s
                                                 : session->tool[node->i].wall_s;
    return isnan(s) ? 0 : s;
}

static void find_dates(const struct writer *w)
{
    const struct mr_session *session = w->session;
    for (uint32_t i = 0; i < session->n_node; i++) {
        const struct mr_session_node *node = &session->node[i];
        const bool is_call = node->kind == MR_SESSION_LLM;
        double at_s = 0;
        bool is_vague = false;
        for (uint32_t k = 0; k < node->n_after; k++) {
            const struct mr_session_after *after = &session->after[node->after + k];
            const double told_s = after->node == MR_SESSION_NONE ? 0
                                  : after->is_dispatch           ? w->start_s[after->node]
                                                                 : w->end_s[after->node];
            at_s = fmax(at_s, told_s + after->delay_s);
            is_vague |=
                after->node != MR_SESSION_NONE && !after->is_dispatch && w->is_vague[after->node];
        }
        if (is_call && is_vague)
            at_s = fmax(at_s, session->llm[node->i].start_s);
        w->is_vague[i] = is_call ? isnan(session->llm[node->i].service_s) : is_vague;
        w->start_s[i] = at_s;
        w->end_s[i] = at_s + duration_s(session, node);
    }
}

/* Where the first node of a lane waits for another lane, that one is its parent; else the first. */
static void find_parents(const struct writer *w)
{
    const struct mr_session *session = w->session;
    for (uint32_t lane = 0; lane < session->n_lane; lane++)
        w->parent[lane] = MR_SESSION_NONE;
    for (uint32_t i = 0; i < session->n_node; i++) {
        const struct mr_session_node *node = &session->node[i];
        uint32_t parent = 0;
        if (node->lane == 0 || w->parent[node->lane] != MR_SESSION_NONE)
            continue;
        for (uint32_t k = 0; k < node->n_after && parent == 0; k++) {
            const uint32_t before = session->after[node->after + k].node;
            if (before != MR_SESSION_NONE && session->node[before].lane != node->lane)
                parent = session->node[before].lane;
        }
        w->parent[node->lane] = parent;
    }
}

/* ---- parts of events ---- */

static void put_key(struct mr_buf *buf, const char *key)
{
    if (buf->status == MR_OK && buf->text[buf->n - 1] != '{')
        mr_buf_char(buf, ',');
    mr_buf_printf(buf, "\"%s\":", key);
}

static void put_key_ms(struct mr_buf *buf, const char *key, double value_s)
{
    put_key(buf, key);
    mr_trace_write_ms(buf, value_s);
}

static void put_text(struct mr_buf *buf, const char *text)
{
    struct mr_jsonw w;
    mr_jsonw_init(&w, buf, 0);
    mr_jsonw_text(&w, text);
}

/* The session's own name; of another lane its name behind that, unless it begins like that. */
static void put_lane(const struct writer *w, uint32_t lane)
{
    const struct mr_session *session = w->session;
    const char *root = mr_session_text(session, session->head.id);
    const char *own = lane > 0 ? mr_session_text(session, session->lane[lane].name) : NULL;
    struct mr_buf name = {0};
    if (root != NULL)
        mr_buf_text(&name, root);
    else
        mr_buf_printf(&name, "p%llu", (unsigned long long)w->number);
    if (own != NULL && name.status == MR_OK && strncmp(own, name.text, name.n) == 0)
        name.n = 0;
    else if (lane > 0)
        mr_buf_char(&name, '/');
    if (own != NULL)
        mr_buf_text(&name, own);
    else if (lane > 0)
        mr_buf_printf(&name, "%u", lane);
    if (name.status == MR_OK)
        put_text(w->buf, name.text);
    else
        w->buf->status = name.status;
    mr_buf_fini(&name);
}

static void begin_event(const struct writer *w, const char *type, uint32_t i)
{
    const uint32_t lane = w->session->node[i].lane;
    const double origin_s = isnan(w->session->head.arrival_s) ? 0 : w->session->head.arrival_s;
    mr_buf_printf(w->buf, "{\"schema\":\"dynamo.request.trace.v1\",\"event_type\":\"%s\"", type);
    put_key_ms(w->buf, "event_time_unix_ms", origin_s + w->end_s[i]);
    put_key(w->buf, "agent_context");
    mr_buf_char(w->buf, '{');
    put_key(w->buf, "session_id");
    put_lane(w, lane);
    if (lane > 0) {
        put_key(w->buf, "parent_session_id");
        put_lane(w, w->parent[lane]);
    }
}

/* ---- hashes ---- */

/* The finish of splitmix64: a bijection of the sum, so that one block more never collides. */
static uint64_t longer(uint64_t hash, uint64_t id)
{
    uint64_t x = hash + (id + 1) * UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

static void put_hash(struct mr_buf *buf, uint64_t hash)
{
    char text[MR_NUM_CAP];
    if (buf->status == MR_OK && buf->text[buf->n - 1] != '[')
        mr_buf_char(buf, ',');
    mr_buf_add(buf, text, mr_num_format_u64(hash, text));
}

/* Blocks of a prefix are the same in all sessions, the others where ids mean the same in all and no
 * block was made up. Where the two ends of a prompt fill a block more than each by itself, that one
 * is nobody else's. */
static void put_hashes(const struct writer *w, const struct mr_session_context *context, uint32_t i)
{
    const struct mr_session *session = w->session;
    const uint32_t block_tok = w->book->block_tok > 0 ? w->book->block_tok : 1;
    const struct mr_session_llm *llm = mr_session_llm_of(session, i);
    const uint32_t n_shared = session->n_shared > 0 ? session->head.shared_tok / block_tok : 0;
    uint64_t hash = 0;
    put_key(w->buf, "input_sequence_hashes");
    mr_buf_char(w->buf, '[');
    for (uint32_t k = 0; k < n_shared; k++)
        put_hash(w->buf, hash = longer(hash, (uint64_t)session->shared[0] + 1));
    for (size_t r = 0; r < context->n_run; r++) {
        const struct mr_session_run *run = &context->run[r];
        const uint64_t own = run->is_minted || !w->book->is_global ? w->number + 1 : 0;
        for (uint32_t k = 0; k < run->n; k++)
            put_hash(w->buf, hash = longer(longer(hash, own), 2 * (run->id + k) + run->is_minted));
    }
    if (session->n_shared > 0 && n_shared + llm->n_block < llm->n_input / block_tok)
        put_hash(w->buf, longer(longer(hash, w->number + 1), ~(uint64_t)i));
    mr_buf_char(w->buf, ']');
}

/* ---- events ---- */

static void put_call(const struct writer *w, const struct mr_session_context *context, uint32_t i)
{
    const struct mr_session *session = w->session;
    const struct mr_session_node *node = &session->node[i];
    const struct mr_session_llm *llm = &session->llm[node->i];
    const char *name = mr_session_text(session, llm->name);
    const double origin_s = isnan(session->head.arrival_s) ? 0 : session->head.arrival_s;
    struct mr_buf *buf = w->buf;
    begin_event(w, "request_end", i);
    if (llm->hint != MR_SESSION_NONE && session->hint[llm->hint].is_final)
        mr_buf_text(buf, ",\"session_final\":true");
    mr_buf_text(buf, "},\"request\":{\"request_id\":");
    if (name != NULL)
        put_text(buf, name);
    else
        mr_buf_printf(buf, "\"p%llu.%u\"", (unsigned long long)w->number, node->id);
    put_key(buf, "model");
    put_text(buf, mr_intern_text(&w->book->model, llm->model));
    mr_buf_printf(buf, ",\"input_tokens\":%u,\"output_tokens\":%u", llm->n_input, llm->n_output);
    put_key_ms(buf, "request_received_ms", origin_s + w->start_s[i]);
    if (!isnan(llm->ttft_s))
        put_key_ms(buf, "ttft_ms", llm->ttft_s);
    if (!isnan(llm->service_s))
        put_key_ms(buf, "total_time_ms", llm->service_s);
    mr_buf_printf(buf, ",\"replay\":{\"trace_block_size\":%u,\"input_length\":%u",
                  w->book->block_tok > 0 ? w->book->block_tok : 1, llm->n_input);
    if (w->book->block_tok > 0)
        put_hashes(w, context, i);
    mr_buf_text(buf, "}}}\n");
}

static void put_tool(const struct writer *w, uint32_t i)
{
    const struct mr_session *session = w->session;
    const struct mr_session_node *node = &session->node[i];
    const struct mr_session_tool *tool = &session->tool[node->i];
    const double origin_s = isnan(session->head.arrival_s) ? 0 : session->head.arrival_s;
    struct mr_buf *buf = w->buf;
    begin_event(w, tool->is_error ? "tool_error" : "tool_end", i);
    mr_buf_printf(buf, "},\"tool\":{\"tool_call_id\":\"p%llu.%u\"", (unsigned long long)w->number,
                  node->id);
    if (tool->class != MR_SESSION_NONE) {
        put_key(buf, "tool_class");
        put_text(buf, mr_intern_text(&w->book->class, tool->class));
    }
    mr_buf_printf(buf, ",\"status\":\"%s\"", tool->is_error ? "failed" : "succeeded");
    put_key_ms(buf, "started_at_unix_ms", origin_s + w->start_s[i]);
    put_key_ms(buf, "ended_at_unix_ms", origin_s + w->end_s[i]);
    put_key_ms(buf, "duration_ms", duration_s(session, node));
    if (tool->n_output > 0)
        mr_buf_printf(buf, ",\"output_tokens\":%u", tool->n_output);
    mr_buf_text(buf, "}}\n");
}

static mr_status put_events(const struct writer *w, struct mr_session_context *context,
                            struct mr_err *err)
{
    for (uint32_t i = 0; i < w->session->n_node; i++) {
        if (w->session->node[i].kind == MR_SESSION_TOOL)
            put_tool(w, i);
        if (w->session->node[i].kind != MR_SESSION_LLM)
            continue;
        MR_TRY(mr_session_context_move(context, w->session, i, err));
        put_call(w, context, i);
    }
    return mr_buf_check(w->buf, err);
}

mr_status mr_trace_write_request(struct mr_buf *buf, const struct mr_session_book *book,
                                 const struct mr_session *session, uint64_t number,
                                 struct mr_trace_lost *lost, struct mr_err *err)
{
    struct mr_session_context context = {0};
    struct writer w = {.buf = buf,
                       .book = book,
                       .session = session,
                       .number = number,
                       .start_s = mr_alloc(session->n_node + 1, sizeof *w.start_s),
                       .end_s = mr_alloc(session->n_node + 1, sizeof *w.end_s),
                       .parent = mr_alloc(session->n_lane + 1, sizeof *w.parent),
                       .is_vague = mr_alloc(session->n_node + 1, sizeof *w.is_vague)};
    mr_status st;
    if (w.start_s == NULL || w.end_s == NULL || w.parent == NULL || w.is_vague == NULL) {
        st = mr_err_nomem(err, (session->n_node + 1) * sizeof *w.start_s);
    } else {
        find_dates(&w);
        find_parents(&w);
        mr_trace_lost_add(lost, session,
                          MR_TRACE_KEEPS_TOOL | MR_TRACE_KEEPS_FINAL | MR_TRACE_KEEPS_RECORD);
        st = put_events(&w, &context, err);
    }
    mr_session_context_fini(&context);
    mr_free(w.start_s);
    mr_free(w.end_s);
    mr_free(w.parent);
    mr_free(w.is_vague);
    return st;
}
