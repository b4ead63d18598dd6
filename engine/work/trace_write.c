/* SPDX-License-Identifier: Apache-2.0 */
/* Defaults are left out: dependencies on the node before in the lane, the lane of the node before,
 * the first model, blocks nobody named. */
#include "engine/work/trace_write.h"

#include "engine/base/jsonw.h"
#include "engine/base/num.h"

#include <math.h>

static void put_text(struct mr_buf *buf, const char *text)
{
    struct mr_jsonw w;
    mr_jsonw_init(&w, buf, 0);
    mr_jsonw_text(&w, text);
}

static void put_number(struct mr_buf *buf, double value)
{
    char text[MR_NUM_CAP];
    mr_buf_add(buf, text, mr_num_format_f64(value, text));
}

static void put_u64(struct mr_buf *buf, uint64_t value)
{
    char text[MR_NUM_CAP];
    mr_buf_add(buf, text, mr_num_format_u64(value, text));
}

/* A key, with the comma before it unless it is the first of its object. */
static void put_key(struct mr_buf *buf, const char *key)
{
    if (buf->status == MR_OK && buf->text[buf->n - 1] != '{')
        mr_buf_char(buf, ',');
    put_text(buf, key);
    mr_buf_char(buf, ':');
}

static void put_key_u64(struct mr_buf *buf, const char *key, uint64_t value)
{
    put_key(buf, key);
    put_u64(buf, value);
}

static void put_key_text(struct mr_buf *buf, const char *key, const char *text)
{
    if (text == NULL)
        return;
    put_key(buf, key);
    put_text(buf, text);
}

static void put_key_known(struct mr_buf *buf, const char *key, double value)
{
    if (isnan(value))
        return;
    put_key(buf, key);
    put_number(buf, value);
}

static void put_key_ms(struct mr_buf *buf, const char *key, double value_s)
{
    if (isnan(value_s))
        return;
    put_key(buf, key);
    mr_trace_write_ms(buf, value_s);
}

void mr_trace_write_ms(struct mr_buf *buf, double value_s)
{
    char text[MR_NUM_CAP];
    struct mr_num_decimal decimal;
    const size_t n = mr_num_format_f64(value_s, text);
    mr_num_scan_decimal(text, n, &decimal);
    int exp10 = decimal.digits == 0 ? 0 : decimal.exp10 + 3;
    for (; exp10 < 0 && decimal.digits % 10 == 0; exp10++)
        decimal.digits /= 10;
    if (decimal.negative)
        mr_buf_char(buf, '-');
    if (exp10 > 0 && exp10 <= 3) {
        for (; exp10 > 0; exp10--)
            decimal.digits *= 10; /* at most 17 + 2 digits */
    }
    if (exp10 == 0) {
        put_u64(buf, decimal.digits);
        return;
    }
    const size_t k = mr_num_format_u64(decimal.digits, text), places = (size_t)-exp10;
    if (exp10 > 0 || places > k + 4) {
        mr_buf_add(buf, text, k);
        mr_buf_printf(buf, "e%d", exp10);
        return;
    }
    if (places >= k) {
        mr_buf_add(buf, "0.0000", 2 + places - k);
        mr_buf_add(buf, text, k);
        return;
    }
    mr_buf_add(buf, text, k - places);
    mr_buf_char(buf, '.');
    mr_buf_add(buf, text + k - places, places);
}

/* ---- header ---- */

static void put_source(struct mr_buf *buf, const struct mr_trace_source *source)
{
    if (source == NULL)
        return;
    put_key(buf, "source");
    mr_buf_char(buf, '{');
    put_key_text(buf, "format", source->format);
    put_key_text(buf, "digest", source->digest);
    put_key_text(buf, "license", source->license);
    mr_buf_char(buf, '}');
}

void mr_trace_write_header(struct mr_buf *buf, const struct mr_session_book *book,
                           const struct mr_trace_source *source)
{
    mr_buf_text(buf, "{\"schema\":\"millrace.session\",\"version\":1,\"time_base\":\"ms\"");
    if (book->block_tok > 0)
        put_key_u64(buf, "block_size", book->block_tok);
    put_key_text(buf, "hash_scope", book->is_global ? "global" : "local");
    put_key(buf, "models");
    mr_buf_char(buf, '{');
    for (uint32_t i = 0; i < book->model.n; i++)
        put_key_text(buf, mr_intern_text(&book->model, i),
                     mr_intern_text(&book->card, book->model_card[i]));
    mr_buf_char(buf, '}');
    if (book->tier.n > 0) {
        put_key(buf, "tiers");
        mr_buf_char(buf, '{');
        for (uint32_t i = 0; i < book->tier.n; i++) {
            const struct mr_session_tier *tier = &book->tier_price[i];
            put_key(buf, mr_intern_text(&book->tier, i));
            mr_buf_char(buf, '{');
            put_key_known(buf, "in", tier->input);
            put_key_known(buf, "cache_write", tier->cache_write);
            put_key_known(buf, "cache_read", tier->cache_read);
            put_key_known(buf, "out", tier->output);
            mr_buf_char(buf, '}');
        }
        mr_buf_char(buf, '}');
    }
    if (book->prefix.n > 0) {
        put_key(buf, "prefixes");
        mr_buf_char(buf, '{');
        for (uint32_t i = 0; i < book->prefix.n; i++)
            put_key_u64(buf, mr_intern_text(&book->prefix, i), book->prefix_tok[i]);
        mr_buf_char(buf, '}');
    }
    put_source(buf, source);
    mr_buf_text(buf, "}\n");
}

/* ---- nodes ---- */

static void put_after(struct mr_buf *buf, const struct mr_session *session,
                      const struct mr_session_node *node, uint32_t last)
{
    const struct mr_session_after *after = &session->after[node->after];
    if (node->n_after == 1 && after->node == last && after->delay_s == 0 && !after->is_dispatch &&
        after->relation == MR_SESSION_SEQ)
        return;
    put_key(buf, "after");
    for (uint32_t i = 0; i < node->n_after; i++, after++) {
        mr_buf_text(buf, i == 0 ? "[[" : ",[");
        if (after->node == MR_SESSION_NONE)
            mr_buf_text(buf, "null");
        else
            put_u64(buf, session->node[after->node].id);
        mr_buf_text(buf, after->is_dispatch ? ",\"d\"," : ",\"c\",");
        mr_trace_write_ms(buf, after->delay_s);
        mr_buf_char(buf, ',');
        put_text(buf, mr_session_relation_name((enum mr_session_relation)after->relation));
        mr_buf_char(buf, ']');
    }
    mr_buf_char(buf, ']');
}

static void put_blocks(struct mr_buf *buf, const struct mr_session *session,
                       const struct mr_session_llm *llm)
{
    const struct mr_session_run *run = llm->n_run > 0 ? &session->run[llm->run] : NULL;
    const bool is_minted = llm->n_run == 1 && run->is_minted;
    const uint32_t base =
        llm->base == MR_SESSION_NONE ? 0 : mr_session_llm_of(session, llm->base)->n_block;
    if (is_minted && llm->keep == base)
        return;
    put_key_u64(buf, "keep", llm->keep);
    if (is_minted)
        return;
    put_key(buf, "new");
    mr_buf_char(buf, '[');
    for (uint32_t i = 0; i < llm->n_run; i++) {
        mr_buf_text(buf, i == 0 ? "[" : ",[");
        put_u64(buf, run[i].id);
        mr_buf_char(buf, ',');
        put_u64(buf, run[i].n);
        mr_buf_char(buf, ']');
    }
    mr_buf_char(buf, ']');
}

static void put_hint(struct mr_buf *buf, const struct mr_session_hint *hint)
{
    put_key(buf, "hints");
    mr_buf_char(buf, '{');
    if (hint->has_priority) {
        put_key(buf, "prio");
        mr_buf_printf(buf, "%d", hint->priority);
    }
    if (hint->has_strict && hint->is_truth) {
        put_key(buf, "strict");
        mr_buf_text(buf, hint->strict > 0 ? "true" : "false");
    } else if (hint->has_strict) {
        put_key_u64(buf, "strict", hint->strict);
    }
    if (hint->n_expected > 0)
        put_key_u64(buf, "osl", hint->n_expected);
    if (hint->prefills) {
        put_key(buf, "spec_prefill");
        mr_buf_text(buf, "true");
    }
    put_key_ms(buf, "cache_ttl_ms", hint->ttl_s);
    if (hint->is_final) {
        put_key(buf, "session_final");
        mr_buf_text(buf, "true");
    }
    mr_buf_char(buf, '}');
}

static void put_llm(struct mr_buf *buf, const struct mr_session_book *book,
                    const struct mr_session *session, const struct mr_session_node *node,
                    uint32_t base)
{
    const struct mr_session_llm *llm = &session->llm[node->i];
    if (llm->model != 0 && llm->model != MR_SESSION_NONE)
        put_key_text(buf, "m", mr_intern_text(&book->model, llm->model));
    put_key_u64(buf, "in", llm->n_input);
    put_key_u64(buf, "out", llm->n_output);
    if (llm->n_reason > 0)
        put_key_u64(buf, "reason", llm->n_reason);
    if (llm->base != base)
        put_key_u64(buf, "from", session->node[llm->base].id);
    put_blocks(buf, session, llm);
    if (llm->hint != MR_SESSION_NONE)
        put_hint(buf, &session->hint[llm->hint]);
    if (!isnan(llm->service_s) || !isnan(llm->ttft_s) || !isnan(llm->start_s)) {
        put_key(buf, "rec");
        mr_buf_char(buf, '{');
        put_key_ms(buf, "start_ms", llm->start_s);
        put_key_ms(buf, "api_ms", llm->service_s);
        put_key_ms(buf, "ttft_ms", llm->ttft_s);
        mr_buf_char(buf, '}');
    }
    put_key_text(buf, "name", mr_session_text(session, llm->name));
    if (llm->extra != MR_SESSION_NONE) {
        put_key(buf, "x");
        mr_buf_text(buf, mr_session_text(session, llm->extra));
    }
}

static void put_tool(struct mr_buf *buf, const struct mr_session_book *book,
                     const struct mr_session_tool *tool)
{
    if (tool->class != MR_SESSION_NONE)
        put_key_text(buf, "class", mr_intern_text(&book->class, tool->class));
    if (tool->where != MR_SESSION_CPU)
        put_key_text(buf, "where", mr_session_where_name((enum mr_session_where)tool->where));
    put_key_ms(buf, "cpu_ms", tool->cpu_s);
    put_key_ms(buf, "wall_ms", tool->wall_s);
    put_key_known(buf, "mem_mb", tool->memory_mb);
    put_key_known(buf, "io_mb", tool->io_mb);
    put_key_known(buf, "net_mb", tool->net_mb);
    if (tool->n_output > 0)
        put_key_u64(buf, "out_tokens", tool->n_output);
    if (tool->is_error) {
        put_key(buf, "err");
        mr_buf_text(buf, "true");
    }
}

static void put_mem(struct mr_buf *buf, const struct mr_session_book *book,
                    const struct mr_session_mem *mem)
{
    put_key_known(buf, "rd_mb", mem->read_mb);
    put_key_known(buf, "wr_mb", mem->write_mb);
    if (mem->tier != MR_SESSION_NONE)
        put_key_text(buf, "tier", mr_intern_text(&book->store, mem->tier));
}

/* The last node and the last LLM node of its lane before node i, by walking back: neighbours. */
static uint32_t last_of_lane(const struct mr_session *session, uint32_t i, bool is_llm)
{
    const uint16_t lane = session->node[i].lane;
    while (i > 0) {
        const struct mr_session_node *node = &session->node[--i];
        if (node->lane == lane && (!is_llm || node->kind == MR_SESSION_LLM))
            return i;
    }
    return MR_SESSION_NONE;
}

static void put_node(struct mr_buf *buf, const struct mr_session_book *book,
                     const struct mr_session *session, uint32_t i)
{
    const struct mr_session_node *node = &session->node[i];
    mr_buf_char(buf, '{');
    put_key_u64(buf, "n", node->id);
    put_key_text(buf, "k", mr_session_kind_name((enum mr_session_kind)node->kind));
    if (node->lane != (i == 0 ? 0 : session->node[i - 1].lane))
        put_key_u64(buf, "lane", node->lane);
    put_after(buf, session, node, last_of_lane(session, i, false));
    switch ((enum mr_session_kind)node->kind) {
    case MR_SESSION_LLM:
        put_llm(buf, book, session, node, last_of_lane(session, i, true));
        break;
    case MR_SESSION_TOOL:
        put_tool(buf, book, &session->tool[node->i]);
        break;
    case MR_SESSION_THINK:
        put_key_ms(buf, "ms", session->think[node->i].s);
        if (session->think[node->i].is_uncapped) {
            put_key(buf, "cap");
            mr_buf_text(buf, "false");
        }
        break;
    case MR_SESSION_MEM:
        put_mem(buf, book, &session->mem[node->i]);
        break;
    }
    mr_buf_char(buf, '}');
}

/* ---- sessions ---- */

static void put_head(struct mr_buf *buf, const struct mr_session_book *book,
                     const struct mr_session *session)
{
    const struct mr_session_head *head = &session->head;
    put_key_text(buf, "id", mr_session_text(session, head->id));
    put_key_ms(buf, "arrival_ms", head->arrival_s);
    if (head->tenant != MR_SESSION_NONE)
        put_key_text(buf, "tenant", mr_intern_text(&book->tenant, head->tenant));
    if (head->tier != MR_SESSION_NONE)
        put_key_text(buf, "tier", mr_intern_text(&book->tier, head->tier));
    if (!isnan(head->ttft_s) || !isnan(head->tpot_s) || !isnan(head->deadline_s)) {
        put_key(buf, "slo");
        mr_buf_char(buf, '{');
        put_key_ms(buf, "ttft_ms", head->ttft_s);
        put_key_ms(buf, "tpot_ms", head->tpot_s);
        put_key_ms(buf, "deadline_ms", head->deadline_s);
        mr_buf_char(buf, '}');
    }
    if (head->priority != 0) {
        put_key(buf, "priority");
        mr_buf_printf(buf, "%d", head->priority);
    }
    put_key_text(buf, "cron", mr_session_text(session, head->cron));
}

static void put_lanes(struct mr_buf *buf, const struct mr_session *session)
{
    bool is_known = false;
    for (size_t i = 0; i < session->n_lane; i++)
        is_known = is_known || session->lane[i].name != MR_SESSION_NONE ||
                   session->lane[i].n_tool_tok > 0 || session->lane[i].n_system_tok > 0;
    if (!is_known)
        return;
    put_key(buf, "lanes");
    for (size_t i = 0; i < session->n_lane; i++) {
        mr_buf_text(buf, i == 0 ? "[{" : ",{");
        put_key_text(buf, "name", mr_session_text(session, session->lane[i].name));
        if (session->lane[i].n_tool_tok > 0)
            put_key_u64(buf, "tools", session->lane[i].n_tool_tok);
        if (session->lane[i].n_system_tok > 0)
            put_key_u64(buf, "system", session->lane[i].n_system_tok);
        mr_buf_char(buf, '}');
    }
    mr_buf_char(buf, ']');
}

void mr_trace_write_session(struct mr_buf *buf, const struct mr_session_book *book,
                            const struct mr_session *session)
{
    mr_buf_char(buf, '{');
    put_head(buf, book, session);
    if (session->n_shared > 0) {
        put_key(buf, "shared");
        for (size_t i = 0; i < session->n_shared; i++) {
            mr_buf_char(buf, i == 0 ? '[' : ',');
            put_text(buf, mr_intern_text(&book->prefix, session->shared[i]));
        }
        mr_buf_char(buf, ']');
    }
    put_lanes(buf, session);
    put_key(buf, "nodes");
    mr_buf_char(buf, '[');
    for (uint32_t i = 0; i < session->n_node; i++) {
        if (i > 0)
            mr_buf_char(buf, ',');
        put_node(buf, book, session, i);
    }
    mr_buf_char(buf, ']');
    if (session->head.extra != MR_SESSION_NONE) {
        put_key(buf, "x");
        mr_buf_text(buf, mr_session_text(session, session->head.extra));
    }
    mr_buf_text(buf, "}\n");
}
