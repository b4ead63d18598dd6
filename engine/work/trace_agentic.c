/* SPDX-License-Identifier: Apache-2.0 */
/* Agentic Mooncake v2 has calls and nothing else: what stands between two calls (tools, thinks,
 * memory) becomes a delay, the longest way from one to the other. Lists of ids are written whole,
 * since that is what it knows: a call costs its blocks. It has no times of arrival, but calls that
 * start no earlier than some time after the play: those that wait for nothing else start with their
 * play's arrival, for whoever starts all plays together, and that arrival stands beside it for
 * those who do not.
 *
 * Plain Mooncake rows, too: they know sessions in which each call waits for the one before, and
 * blocks that mean the same in all. Parts: delays - rows - plain rows - version 2. */
#include "engine/base/jsonw.h"
#include "engine/base/mem.h"
#include "engine/base/num.h"
#include "engine/work/session_context.h"
#include "engine/work/trace_write.h"

#include <math.h>
#include <string.h>

static const char *const relations[] = {"sequence", "spawn", "join", "replay_barrier"};

/* ---- delays ---- */

/* How one node depends on an LLM call, or on the play's start (MR_SESSION_NONE). */
struct path {
    double delay_s;
    uint32_t llm;
    uint8_t relation;
    bool is_dispatch, is_direct; /* direct: with nothing in between */
};

struct paths {
    struct path *item; /* of all nodes */
    size_t n, cap;
    uint32_t *first; /* [n_node + 1] */
    size_t cap_first;
};

static double time_of(const struct mr_session *session, const struct mr_session_node *node)
{
    if (node->kind == MR_SESSION_THINK)
        return session->think[node->i].s;
    if (node->kind != MR_SESSION_TOOL)
        return 0;
    const struct mr_session_tool *tool = &session->tool[node->i];
    return !isnan(tool->wall_s) ? tool->wall_s : !isnan(tool->cpu_s) ? tool->cpu_s : 0;
}

/* One path more for the last node; a longer one to the same trigger replaces it, unless the session
 * says both. */
static mr_status add_path(struct paths *paths, uint32_t first, struct path path, struct mr_err *err)
{
    for (size_t i = first; i < paths->n; i++) {
        struct path *old = &paths->item[i];
        if (old->llm != path.llm || old->is_dispatch != path.is_dispatch ||
            (old->is_direct && path.is_direct && path.llm != MR_SESSION_NONE))
            continue;
        if (path.delay_s > old->delay_s)
            old->delay_s = path.delay_s;
        return MR_OK;
    }
    MR_TRY(mr_grow(&paths->item, &paths->cap, paths->n + 1, sizeof *paths->item, err));
    paths->item[paths->n++] = path;
    return MR_OK;
}

static mr_status find_paths(const struct mr_session *session, struct paths *paths,
                            struct mr_err *err)
{
    paths->n = 0;
    MR_TRY(
        mr_grow(&paths->first, &paths->cap_first, session->n_node + 1, sizeof *paths->first, err));
    for (uint32_t i = 0; i < session->n_node; i++) {
        const struct mr_session_node *node = &session->node[i];
        const uint32_t own = (uint32_t)paths->n;
        paths->first[i] = own;
        for (uint32_t k = 0; k < node->n_after; k++) {
            const struct mr_session_after *after = &session->after[node->after + k];
            const struct path direct = {after->delay_s, after->node, after->relation,
                                        after->is_dispatch, true};
            if (after->node == MR_SESSION_NONE ||
                session->node[after->node].kind == MR_SESSION_LLM) {
                MR_TRY(add_path(paths, own, direct, err));
                continue;
            }
            const double own_s =
                after->is_dispatch ? 0 : time_of(session, &session->node[after->node]);
            for (uint32_t p = paths->first[after->node]; p < paths->first[after->node + 1]; p++) {
                struct path path = paths->item[p];
                path.delay_s += own_s + after->delay_s;
                path.is_direct = false;
                if (after->relation != MR_SESSION_SEQ)
                    path.relation = after->relation;
                MR_TRY(add_path(paths, own, path, err));
            }
        }
        paths->first[i + 1] = (uint32_t)paths->n;
    }
    return MR_OK;
}

/* ---- rows ---- */

void mr_trace_write_agentic_header(struct mr_buf *buf, const struct mr_session_book *book,
                                   const struct mr_trace_source *source)
{
    struct mr_jsonw w;
    mr_jsonw_init(&w, buf, 0);
    mr_jsonw_object(&w);
    mr_jsonw_key_text(&w, "schema", "dynamo.agentic_mooncake");
    mr_jsonw_key_u64(&w, "version", 2);
    mr_jsonw_key_u64(&w, "block_size", book->block_tok > 0 ? book->block_tok : 1);
    mr_jsonw_key_text(&w, "hash_id_scope", book->is_global ? "global" : "local");
    if (source != NULL) {
        mr_jsonw_key(&w, "source");
        mr_jsonw_object(&w);
        if (source->format != NULL)
            mr_jsonw_key_text(&w, "format", source->format);
        if (source->digest != NULL)
            mr_jsonw_key_text(&w, "digest", source->digest);
        mr_jsonw_end(&w);
    }
    mr_jsonw_end(&w);
    mr_buf_char(buf, '\n');
}

static void put_key(struct mr_buf *buf, const char *key)
{
    if (buf->status == MR_OK && buf->text[buf->n - 1] != '{')
        mr_buf_char(buf, ',');
    mr_buf_printf(buf, "\"%s\":", key);
}

static void put_text(struct mr_buf *buf, const char *text)
{
    struct mr_jsonw w;
    mr_jsonw_init(&w, buf, 0);
    mr_jsonw_text(&w, text);
}

/* The call's own name, or one made from the play's number and the node's. */
static void put_name(struct mr_buf *buf, const struct mr_session *session, uint64_t number,
                     uint32_t node)
{
    const char *name = mr_session_text(session, mr_session_llm_of(session, node)->name);
    if (name != NULL)
        put_text(buf, name);
    else
        mr_buf_printf(buf, "\"p%llu.%u\"", (unsigned long long)number, session->node[node].id);
}

static void put_id(struct mr_buf *buf, uint64_t id)
{
    char text[MR_NUM_CAP];
    if (buf->status == MR_OK && buf->text[buf->n - 1] != '[')
        mr_buf_char(buf, ',');
    mr_buf_add(buf, text, mr_num_format_u64(id, text));
}

/* Shared prefixes and minted blocks get ids above all that files have: minted ones are the play's
 * own, those of a prefix the same in all plays. Where the two ends of a prompt fill a block more
 * than each by itself, that block is nobody else's. */
static void put_ids(struct mr_buf *buf, const struct mr_session_book *book,
                    const struct mr_session *session, const struct mr_session_context *context,
                    uint64_t number, uint32_t i)
{
    const uint64_t minted = UINT64_C(1) << 62 | number << 32, prefix = UINT64_C(1) << 63;
    const uint32_t block_tok = book->block_tok > 0 ? book->block_tok : 1;
    const struct mr_session_llm *llm = mr_session_llm_of(session, i);
    const uint32_t n_shared = session->n_shared > 0 ? session->head.shared_tok / block_tok : 0;
    put_key(buf, "hash_ids");
    mr_buf_char(buf, '[');
    for (uint32_t k = 0; k < n_shared; k++)
        put_id(buf, prefix | (uint64_t)session->shared[0] << 40 | k);
    for (size_t r = 0; r < context->n_run; r++)
        for (uint32_t k = 0; k < context->run[r].n; k++)
            put_id(buf, context->run[r].id + k + (context->run[r].is_minted ? minted : 0));
    if (session->n_shared > 0 && n_shared + llm->n_block < llm->n_input / block_tok)
        put_id(buf, minted | UINT64_C(1) << 31 | i);
    mr_buf_char(buf, ']');
}

/* In whole nanoseconds, so that a sum of short decimals is one. */
static double sum_s(double a_s, double b_s)
{
    return b_s > 0 ? floor((a_s + b_s) * 1e9 + 0.5) / 1e9 : a_s;
}

static void put_deps(struct mr_buf *buf, const struct mr_session *session,
                     const struct paths *paths, uint64_t number, uint32_t node)
{
    double since_s = 0, arrival_s = (double)NAN;
    put_key(buf, "dependencies");
    mr_buf_char(buf, '[');
    for (uint32_t p = paths->first[node]; p < paths->first[node + 1]; p++) {
        const struct path *path = &paths->item[p];
        if (path->llm == MR_SESSION_NONE) {
            since_s = path->delay_s;
            arrival_s = session->head.arrival_s;
            continue;
        }
        if (buf->status == MR_OK && buf->text[buf->n - 1] != '[')
            mr_buf_char(buf, ',');
        mr_buf_text(buf, "{\"request_id\":");
        put_name(buf, session, number, path->llm);
        mr_buf_printf(buf, ",\"trigger\":\"%s\",\"delay_ms\":",
                      path->is_dispatch ? "dispatch" : "completion");
        mr_trace_write_ms(buf, path->delay_s);
        mr_buf_printf(buf, ",\"relation\":\"%s\"}", relations[path->relation]);
    }
    mr_buf_char(buf, ']');
    put_key(buf, "not_before_ms");
    mr_trace_write_ms(buf, isnan(arrival_s) ? since_s : sum_s(arrival_s, since_s));
    if (!isnan(arrival_s)) {
        put_key(buf, "arrival_ms");
        mr_trace_write_ms(buf, arrival_s);
    }
}

/* A play of the call's own, which comes first among the members that are kept.
 * @param[out] n letters of the text with its quotes; 0: there is none */
static const char *play_of(const char *object, size_t *n)
{
    static const char begin[] = "{\"play_id\":\"";
    *n = 0;
    if (object == NULL || strncmp(object, begin, sizeof begin - 1) != 0)
        return NULL;
    const char *text = object + sizeof begin - 2, *end = text + 1;
    while (*end != '\0' && *end != '"')
        end += *end == '\\' && end[1] != '\0' ? 2 : 1;
    *n = *end == '"' ? (size_t)(end + 1 - text) : 0;
    return text;
}

static void put_extra(struct mr_buf *buf, const char *object)
{
    size_t n_play;
    const char *play = play_of(object, &n_play);
    const char *from = n_play == 0 ? object : play + n_play;
    const size_t n = from != NULL ? strlen(from) : 0;
    if (n <= 2) /* {}, or the end of one */
        return;
    mr_buf_char(buf, ',');
    mr_buf_add(buf, from + 1, n - 2);
}

static void put_priority(struct mr_buf *buf, const struct mr_session *session,
                         const struct mr_session_llm *llm)
{
    if (llm->hint == MR_SESSION_NONE)
        return;
    const struct mr_session_hint *hint = &session->hint[llm->hint];
    if (hint->has_priority)
        mr_buf_printf(buf, ",\"priority\":%d", hint->priority);
    if (hint->has_strict && hint->is_truth)
        mr_buf_printf(buf, ",\"strict_priority\":%s", hint->strict > 0 ? "true" : "false");
    else if (hint->has_strict)
        mr_buf_printf(buf, ",\"strict_priority\":%u", hint->strict);
}

static void put_row(struct mr_buf *buf, const struct mr_session_book *book,
                    const struct mr_session *session, const struct paths *paths,
                    const struct mr_session_context *context, uint64_t number, uint32_t i)
{
    const struct mr_session_node *node = &session->node[i];
    const struct mr_session_llm *llm = &session->llm[node->i];
    const char *play = mr_session_text(session, session->head.id),
               *lane = mr_session_text(session, session->lane[node->lane].name);
    size_t n_own;
    mr_buf_char(buf, '{');
    put_key(buf, "request_id");
    put_name(buf, session, number, i);
    put_key(buf, "play_id");
    const char *own = play_of(mr_session_text(session, llm->extra), &n_own);
    if (n_own > 0)
        mr_buf_add(buf, own, n_own);
    else if (play != NULL)
        put_text(buf, play);
    else
        mr_buf_printf(buf, "\"p%llu\"", (unsigned long long)number);
    put_key(buf, "session_id");
    if (lane != NULL)
        put_text(buf, lane);
    else
        mr_buf_printf(buf, "\"p%llu.l%u\"", (unsigned long long)number, node->lane);
    put_key(buf, "model");
    put_text(buf, mr_intern_text(&book->model, llm->model));
    mr_buf_printf(buf, ",\"input_length\":%u,\"output_length\":%u", llm->n_input, llm->n_output);
    put_ids(buf, book, session, context, number, i);
    put_priority(buf, session, llm);
    put_deps(buf, session, paths, number, i);
    put_extra(buf, mr_session_text(session, llm->extra));
    mr_buf_text(buf, "}\n");
}

/* ---- plain rows ---- */

/* Ids mean the same in all rows: those of a session's own get its number above them, or, where
 * there is no room for it, are mixed with it. */
static uint64_t global_id(const struct mr_session_book *book, const struct mr_session_run *run,
                          uint32_t k, uint64_t number)
{
    const uint64_t id = run->id + k, own = number + 1;
    if (run->is_minted)
        return UINT64_C(1) << 62 | number << 32 | id;
    if (book->is_global)
        return id;
    if (id >> 32 == 0 && own >> 28 == 0)
        return own << 32 | id;
    uint64_t x = id + own * UINT64_C(0x9e3779b97f4a7c15); /* the finish of splitmix64 */
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return (x ^ x >> 31) | UINT64_C(1) << 63;
}

/* What fills no block has one of its own, for inputs longer than their blocks are cut. */
static void put_global_ids(struct mr_buf *buf, const struct mr_session_book *book,
                           const struct mr_session *session,
                           const struct mr_session_context *context, uint64_t number, uint32_t i)
{
    const struct mr_session_llm *llm = mr_session_llm_of(session, i);
    const uint32_t n_shared =
        session->n_shared > 0 ? session->head.shared_tok / book->block_tok : 0;
    put_key(buf, "hash_ids");
    mr_buf_char(buf, '[');
    for (uint32_t k = 0; k < n_shared; k++)
        put_id(buf, UINT64_C(3) << 62 | (uint64_t)session->shared[0] << 40 | k);
    for (size_t r = 0; r < context->n_run; r++)
        for (uint32_t k = 0; k < context->run[r].n; k++)
            put_id(buf, global_id(book, &context->run[r], k, number));
    if ((uint64_t)(n_shared + llm->n_block) * book->block_tok < llm->n_input)
        put_id(buf, UINT64_C(1) << 61 | number << 32 | i);
    mr_buf_char(buf, ']');
}

/* A lane is a session. Its first call has a date, later ones the delay after the call before; what
 * else they wait for is told by their dates.
 * @param[in,out] end_s of calls, after the play's start: recorded durations, or none
 * @param[in] before the call before in its lane, or MR_SESSION_NONE */
static void put_plain_time(struct mr_buf *buf, const struct mr_session *session,
                           const struct paths *paths, uint32_t i, uint32_t before, double *start_s,
                           double *end_s, uint64_t *n_graph)
{
    const double service_s = mr_session_llm_of(session, i)->service_s;
    double at_s = 0, delay_s = -1;
    for (uint32_t p = paths->first[i]; p < paths->first[i + 1]; p++) {
        const struct path *path = &paths->item[p];
        const bool is_start = path->llm == MR_SESSION_NONE;
        const double told_s = is_start            ? 0
                              : path->is_dispatch ? start_s[path->llm]
                                                  : end_s[path->llm];
        const bool is_next = !is_start && path->llm == before && !path->is_dispatch;
        at_s = fmax(at_s, told_s + path->delay_s);
        delay_s = is_next ? path->delay_s : delay_s;
        *n_graph +=
            before == MR_SESSION_NONE ? !is_start : !is_next && (!is_start || path->delay_s > 0);
    }
    start_s[i] = at_s;
    end_s[i] = at_s + (isnan(service_s) ? 0 : service_s);
    if (before == MR_SESSION_NONE) {
        const double arrival_s = session->head.arrival_s;
        put_key(buf, "timestamp");
        mr_trace_write_ms(buf, sum_s(isnan(arrival_s) ? 0 : arrival_s, at_s));
        return;
    }
    put_key(buf, "delay");
    mr_trace_write_ms(buf, delay_s >= 0 ? delay_s : sum_s(0, fmax(0, at_s - end_s[before])));
}

static void put_plain_row(struct mr_buf *buf, const struct mr_session_book *book,
                          const struct mr_session *session,
                          const struct mr_session_context *context, uint64_t number, uint32_t i)
{
    const struct mr_session_node *node = &session->node[i];
    const struct mr_session_llm *llm = &session->llm[node->i];
    const char *play = mr_session_text(session, session->head.id);
    if (session->n_llm > 1) {
        struct mr_buf name = {0};
        if (play != NULL)
            mr_buf_text(&name, play);
        else
            mr_buf_printf(&name, "p%llu", (unsigned long long)number);
        if (node->lane > 0)
            mr_buf_printf(&name, "/%u", node->lane);
        put_key(buf, "session_id");
        if (name.status == MR_OK)
            put_text(buf, name.text);
        else
            buf->status = name.status;
        mr_buf_fini(&name);
    }
    put_key(buf, "input_length");
    mr_buf_printf(buf, "%u,\"output_length\":%u", llm->n_input, llm->n_output);
    put_key(buf, "model");
    put_text(buf, mr_intern_text(&book->model, llm->model));
    if (book->block_tok > 0)
        put_global_ids(buf, book, session, context, number, i);
    put_priority(buf, session, llm);
    put_extra(buf, mr_session_text(session, llm->extra));
    mr_buf_text(buf, "}\n");
}

static mr_status put_plain_rows(struct mr_buf *buf, const struct mr_session_book *book,
                                const struct mr_session *session, uint64_t number,
                                struct paths *paths, double *start_s, double *end_s,
                                struct mr_trace_lost *lost, struct mr_err *err)
{
    struct mr_session_context context = {0};
    uint32_t *before = mr_alloc(session->n_lane, sizeof *before);
    mr_status st = MR_OK;
    if (before == NULL)
        return mr_err_nomem(err, session->n_lane * sizeof *before);
    for (size_t i = 0; st == MR_OK && i < session->n_lane; i++)
        before[i] = MR_SESSION_NONE;
    for (uint32_t i = 0; st == MR_OK && i < session->n_node; i++) {
        if (session->node[i].kind != MR_SESSION_LLM)
            continue;
        st = mr_session_context_move(&context, session, i, err);
        if (st != MR_OK)
            break;
        uint32_t *last = &before[session->node[i].lane];
        mr_buf_char(buf, '{');
        put_plain_time(buf, session, paths, i, *last, start_s, end_s, &lost->graph);
        put_plain_row(buf, book, session, &context, number, i);
        *last = i;
    }
    mr_session_context_fini(&context);
    mr_free(before);
    return st;
}

mr_status mr_trace_write_mooncake(struct mr_buf *buf, const struct mr_session_book *book,
                                  const struct mr_session *session, uint64_t number,
                                  struct mr_trace_lost *lost, struct mr_err *err)
{
    struct paths paths = {0};
    double *start_s = mr_alloc(2 * session->n_node + 1, sizeof *start_s);
    if (start_s == NULL)
        return mr_err_nomem(err, 2 * session->n_node * sizeof *start_s);
    mr_status st = find_paths(session, &paths, err);
    mr_trace_lost_add(lost, session, MR_TRACE_KEEPS_PRIORITY | MR_TRACE_KEEPS_EXTRA);
    if (st == MR_OK)
        st = put_plain_rows(buf, book, session, number, &paths, start_s, start_s + session->n_node,
                            lost, err);
    mr_free(start_s);
    mr_free(paths.item);
    mr_free(paths.first);
    return st == MR_OK ? mr_buf_check(buf, err) : st;
}

/* ---- version 2 ---- */

mr_status mr_trace_write_agentic(struct mr_buf *buf, const struct mr_session_book *book,
                                 const struct mr_session *session, uint64_t number,
                                 struct mr_trace_lost *lost, struct mr_err *err)
{
    struct paths paths = {0};
    struct mr_session_context context = {0};
    mr_status st = find_paths(session, &paths, err);
    mr_trace_lost_add(lost, session, MR_TRACE_KEEPS_PRIORITY | MR_TRACE_KEEPS_EXTRA);
    for (uint32_t i = 0; st == MR_OK && i < session->n_node; i++) {
        if (session->node[i].kind != MR_SESSION_LLM)
            continue;
        st = mr_session_context_move(&context, session, i, err);
        if (st == MR_OK)
            put_row(buf, book, session, &paths, &context, number, i);
    }
    mr_session_context_fini(&context);
    mr_free(paths.item);
    mr_free(paths.first);
    return st == MR_OK ? mr_buf_check(buf, err) : st;
}
