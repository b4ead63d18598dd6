/* SPDX-License-Identifier: Apache-2.0 */
/* Writing: node by node, in their order. */
#include "engine/base/gz.h"
#include "engine/work/trace_pack.h"

#include <math.h>
#include <string.h>

const char mr_trace_pack_magic[] = "\x89MRPACK\n";

/* ---- values ---- */

static void put_u64(struct mr_buf *buf, uint64_t value)
{
    char bytes[10];
    size_t n = 0;
    for (; value > 127; value >>= 7)
        bytes[n++] = (char)(value | 128);
    bytes[n++] = (char)value;
    mr_buf_add(buf, bytes, n);
}

static void put_fixed(struct mr_buf *buf, uint64_t value, int n)
{
    for (; n > 0; n--, value >>= 8)
        mr_buf_char(buf, (char)(value & 255));
}

/* An index, or MR_SESSION_NONE. */
static void put_index(struct mr_buf *buf, uint32_t i)
{
    put_u64(buf, i == MR_SESSION_NONE ? 0 : (uint64_t)i + 1);
}

static void put_text(struct mr_buf *buf, const char *text)
{
    const size_t n = text != NULL ? strlen(text) : 0;
    put_u64(buf, text != NULL ? n + 1 : 0);
    mr_buf_add(buf, text != NULL ? text : "", n);
}

/* A bit for each that is known, then those. */
static void put_known(struct mr_buf *buf, const double *value, int n)
{
    uint64_t mask = 0;
    for (int i = 0; i < n; i++)
        mask |= isnan(value[i]) ? 0 : UINT64_C(1) << i;
    put_u64(buf, mask);
    for (int i = 0; i < n; i++) {
        uint64_t bits;
        memcpy(&bits, &value[i], sizeof bits);
        if (!isnan(value[i]))
            put_fixed(buf, bits, 8);
    }
}

static void put_names(struct mr_buf *buf, const struct mr_intern *names)
{
    put_u64(buf, names->n);
    for (uint32_t i = 0; i < names->n; i++)
        put_text(buf, mr_intern_text(names, i));
}

/* ---- sessions ---- */

static void put_llm(struct mr_buf *buf, const struct mr_session *session, uint32_t node)
{
    const struct mr_session_llm *llm = mr_session_llm_of(session, node);
    const double times[] = {llm->start_s, llm->service_s, llm->ttft_s};
    put_u64(buf, llm->model);
    put_u64(buf, llm->n_input);
    put_u64(buf, llm->n_output);
    put_u64(buf, llm->n_reason);
    put_u64(buf, llm->base == MR_SESSION_NONE ? 0 : node - llm->base);
    put_u64(buf, llm->keep);
    put_u64(buf, llm->n_run);
    for (uint32_t i = 0; i < llm->n_run; i++) {
        const struct mr_session_run *run = &session->run[llm->run + i];
        put_u64(buf, run->id);
        put_u64(buf, (uint64_t)run->n << 1 | run->is_minted);
    }
    put_known(buf, times, 3);
    put_text(buf, mr_session_text(session, llm->name));
    put_text(buf, mr_session_text(session, llm->extra));
    put_u64(buf, llm->hint != MR_SESSION_NONE);
    if (llm->hint == MR_SESSION_NONE)
        return;
    const struct mr_session_hint *hint = &session->hint[llm->hint];
    put_known(buf, &hint->ttl_s, 1);
    put_u64(buf, hint->n_expected);
    put_fixed(buf, (uint32_t)hint->priority, 4);
    put_u64(buf, (uint64_t)(hint->strict > 0) | (uint64_t)hint->is_final << 1 |
                     (uint64_t)hint->prefills << 2 | (uint64_t)(hint->strict > 1) << 3 |
                     (uint64_t)hint->is_truth << 4 | (uint64_t)hint->has_priority << 5 |
                     (uint64_t)hint->has_strict << 6);
    if (hint->strict > 1)
        put_u64(buf, hint->strict);
}

static void put_node(struct mr_buf *buf, const struct mr_session *session, uint32_t i)
{
    const struct mr_session_node *node = &session->node[i];
    put_u64(buf, node->kind);
    put_u64(buf, i == 0 ? node->id : node->id - session->node[i - 1].id - 1);
    put_u64(buf, node->lane);
    put_u64(buf, node->n_after);
    for (uint32_t k = 0; k < node->n_after; k++) {
        const struct mr_session_after *after = &session->after[node->after + k];
        const bool has_delay = after->delay_s > 0;
        put_u64(buf, after->node == MR_SESSION_NONE ? 0 : i - after->node);
        put_u64(buf, (uint64_t)after->relation << 2 | (uint64_t)after->is_dispatch << 1 |
                         (uint64_t)has_delay);
        if (has_delay)
            put_known(buf, &after->delay_s, 1);
    }
    switch ((enum mr_session_kind)node->kind) {
    case MR_SESSION_LLM:
        put_llm(buf, session, i);
        break;
    case MR_SESSION_TOOL: {
        const struct mr_session_tool *tool = &session->tool[node->i];
        const double amounts[] = {tool->cpu_s, tool->wall_s, tool->memory_mb, tool->io_mb,
                                  tool->net_mb};
        put_known(buf, amounts, 5);
        put_index(buf, tool->class);
        put_u64(buf, tool->n_output);
        put_u64(buf, (uint64_t)tool->where << 1 | tool->is_error);
        break;
    }
    case MR_SESSION_THINK:
        put_known(buf, &session->think[node->i].s, 1);
        put_u64(buf, session->think[node->i].is_uncapped);
        break;
    case MR_SESSION_MEM: {
        const struct mr_session_mem *mem = &session->mem[node->i];
        const double amounts[] = {mem->read_mb, mem->write_mb};
        put_known(buf, amounts, 2);
        put_index(buf, mem->tier);
        break;
    }
    }
}

static void put_session(struct mr_buf *buf, const struct mr_session *session)
{
    const struct mr_session_head *head = &session->head;
    const double times[] = {head->arrival_s, head->ttft_s, head->tpot_s, head->deadline_s};
    put_known(buf, times, 4);
    put_text(buf, mr_session_text(session, head->id));
    put_text(buf, mr_session_text(session, head->cron));
    put_text(buf, mr_session_text(session, head->extra));
    put_index(buf, head->tenant);
    put_index(buf, head->tier);
    put_fixed(buf, (uint32_t)head->priority, 4);
    put_u64(buf, session->n_minted);
    put_u64(buf, session->n_shared);
    for (size_t i = 0; i < session->n_shared; i++)
        put_u64(buf, session->shared[i]);
    put_u64(buf, session->n_lane);
    for (size_t i = 0; i < session->n_lane; i++) {
        put_text(buf, mr_session_text(session, session->lane[i].name));
        put_u64(buf, session->lane[i].n_tool_tok);
        put_u64(buf, session->lane[i].n_system_tok);
    }
    put_u64(buf, session->n_node);
    for (uint32_t i = 0; i < session->n_node; i++)
        put_node(buf, session, i);
}

/* ---- file ---- */

static void put_hashed(struct mr_trace_pack *pack, struct mr_buf *buf, size_t from)
{
    if (buf->status == MR_OK)
        pack->crc = mr_gz_crc32(pack->crc, buf->text + from, buf->n - from);
}

static void put_record(struct mr_trace_pack *pack, struct mr_buf *buf)
{
    const size_t from = buf->n;
    put_fixed(buf, pack->record.n, 4);
    if (pack->record.n > 0)
        mr_buf_add(buf, pack->record.text, pack->record.n);
    put_hashed(pack, buf, from);
    mr_buf_clear(&pack->record);
}

void mr_trace_pack_begin(struct mr_trace_pack *pack, struct mr_buf *buf,
                         const struct mr_session_book *book)
{
    struct mr_buf *record = &pack->record;
    const size_t from = buf->n;
    *pack = (struct mr_trace_pack){0};
    mr_buf_add(buf, mr_trace_pack_magic, MR_TRACE_PACK_MAGIC);
    put_fixed(buf, MR_TRACE_PACK_VERSION, 4);
    put_hashed(pack, buf, from);
    put_u64(record, book->block_tok);
    put_u64(record, book->is_global);
    put_u64(record, book->model.n);
    for (uint32_t i = 0; i < book->model.n; i++) {
        put_text(record, mr_intern_text(&book->model, i));
        put_text(record, mr_intern_text(&book->card, book->model_card[i]));
    }
    put_names(record, &book->class);
    put_names(record, &book->tenant);
    put_names(record, &book->store);
    put_u64(record, book->tier.n);
    for (uint32_t i = 0; i < book->tier.n; i++) {
        const struct mr_session_tier *t = &book->tier_price[i];
        put_text(record, mr_intern_text(&book->tier, i));
        put_known(record, (const double[]){t->input, t->cache_write, t->cache_read, t->output}, 4);
    }
    put_u64(record, book->prefix.n);
    for (uint32_t i = 0; i < book->prefix.n; i++) {
        put_text(record, mr_intern_text(&book->prefix, i));
        put_u64(record, book->prefix_tok[i]);
    }
    if (record->status != MR_OK)
        buf->status = record->status;
    put_record(pack, buf);
}

mr_status mr_trace_pack_add(struct mr_trace_pack *pack, struct mr_buf *buf,
                            const struct mr_session *session, struct mr_err *err)
{
    put_session(&pack->record, session);
    MR_TRY(mr_buf_check(&pack->record, err));
    if (pack->record.n >= UINT32_MAX)
        return mr_err_set(err, MR_LIMIT, MR_NOWHERE, "session %llu: %zu bytes are too many",
                          (unsigned long long)pack->n_session, pack->record.n);
    put_record(pack, buf);
    pack->n_session++;
    return MR_OK;
}

void mr_trace_pack_end(struct mr_trace_pack *pack, struct mr_buf *buf)
{
    const size_t from = buf->n;
    put_fixed(buf, 0, 4);
    put_fixed(buf, pack->n_session, 8);
    put_hashed(pack, buf, from);
    put_fixed(buf, pack->crc, 4);
    mr_buf_fini(&pack->record);
}

void mr_trace_pack_abort(struct mr_trace_pack *pack)
{
    mr_buf_fini(&pack->record);
}
