/* SPDX-License-Identifier: Apache-2.0 */
/* Reading: a record at a time, into the functions that build sessions, which check what they are
 * told. A record that says it is longer than the file is found out as its bytes arrive. Where a
 * message names a line it is the number of the record, the book being the first.
 * Parts: values - book - sessions - file. */
#include "engine/work/trace_pack.h"

#include "engine/base/mem.h"
#include "engine/work/trace_impl.h"

#include <math.h>

enum {
    chunk_bytes = 1 << 16
};

struct state {
    uint8_t *buf; /* read, not taken yet: from `at` to `n` */
    size_t at, n, cap;
    uint64_t n_session;
    uint32_t crc; /* of what was taken */
    bool is_over;
};

/* What is left of a record; reading beyond its end gives 0 and is_bad. */
struct cursor {
    const uint8_t *p, *end;
    bool is_bad;
};

/* ---- values ---- */

static uint64_t get_u64(struct cursor *c)
{
    uint64_t value = 0;
    if (c->p < c->end && *c->p < 128) /* most are */
        return *c->p++;
    for (int shift = 0; shift < 64 && c->p < c->end; shift += 7) {
        const uint8_t byte = *c->p++;
        value |= (uint64_t)(byte & 127) << shift;
        if (byte < 128) {
            c->is_bad |= shift == 63 && byte > 1;
            return value;
        }
    }
    c->is_bad = true;
    return 0;
}

static uint32_t get_u32(struct cursor *c)
{
    const uint64_t value = get_u64(c);
    c->is_bad |= value > UINT32_MAX;
    return (uint32_t)value;
}

/* Below n. */
static uint32_t get_below(struct cursor *c, uint64_t n)
{
    const uint64_t value = get_u64(c);
    c->is_bad |= value >= n;
    return value < n ? (uint32_t)value : 0;
}

/* Below n, or MR_SESSION_NONE. */
static uint32_t get_index(struct cursor *c, uint64_t n)
{
    const uint32_t i = get_below(c, n + 1);
    return i == 0 ? MR_SESSION_NONE : i - 1;
}

/* A number of things of which each takes a byte at least. */
static uint32_t get_count(struct cursor *c)
{
    return get_below(c, (uint64_t)(c->end - c->p) + 1);
}

static uint64_t get_fixed(struct cursor *c, int n)
{
    uint64_t value = 0;
    if (c->end - c->p < n) {
        c->is_bad = true;
        return 0;
    }
    for (int i = 0; i < n; i++)
        value |= (uint64_t)*c->p++ << (8 * i);
    return value;
}

/* Amounts and times: not negative, not infinite; NaN: not known. */
static void get_known(struct cursor *c, double *value, int n)
{
    const uint64_t mask = get_below(c, UINT64_C(1) << n);
    for (int i = 0; i < n; i++) {
        value[i] = (double)NAN;
        if ((mask >> i & 1) == 0)
            continue;
        const uint64_t bits = get_fixed(c, 8);
        memcpy(&value[i], &bits, sizeof bits);
        c->is_bad |= !(value[i] >= 0 && value[i] <= 1e15);
    }
}

/* @param[out] text p is NULL where there is none */
static void get_text(struct cursor *c, struct mr_str *text)
{
    const uint64_t n = get_u64(c);
    *text = (struct mr_str){0};
    if (n == 0)
        return;
    if (n - 1 > (uint64_t)(c->end - c->p) || memchr(c->p, '\0', n - 1) != NULL) {
        c->is_bad = true;
        return;
    }
    *text = (struct mr_str){(const char *)c->p, (size_t)n - 1};
    c->p += n - 1;
}

static mr_status get_session_text(struct cursor *c, struct mr_session *session, uint32_t *at,
                                  struct mr_err *err)
{
    struct mr_str text;
    get_text(c, &text);
    *at = MR_SESSION_NONE;
    return text.p != NULL ? mr_session_text_add(session, text, at, err) : MR_OK;
}

static mr_status check(const struct cursor *c, struct mr_err *err)
{
    return c->is_bad ? mr_err_set(err, MR_PARSE, MR_NOWHERE, "a record that is not valid") : MR_OK;
}

/* ---- book ---- */

/* Names count from 0 and are there once. */
static mr_status check_name(struct cursor *c, uint32_t i, uint32_t got, struct mr_err *err)
{
    c->is_bad |= i != got;
    return check(c, err);
}

static mr_status get_names(struct cursor *c, struct mr_intern *names, struct mr_err *err)
{
    const uint32_t n = get_count(c);
    for (uint32_t i = 0; i < n; i++) {
        struct mr_str text;
        uint32_t got;
        get_text(c, &text);
        MR_TRY(mr_intern_add(names, text, &got, err));
        MR_TRY(check_name(c, i, got, err));
    }
    return MR_OK;
}

static mr_status get_book(struct cursor *c, struct mr_session_book *book, struct mr_err *err)
{
    struct mr_str name, card;
    uint32_t got;
    book->block_tok = get_u32(c);
    book->is_global = get_below(c, 2) == 1;
    uint32_t n = get_count(c);
    for (uint32_t i = 0; i < n; i++) {
        get_text(c, &name);
        get_text(c, &card);
        MR_TRY(mr_session_book_model(book, name, card, &got, err));
        MR_TRY(check_name(c, i, got, err));
    }
    MR_TRY(get_names(c, &book->class, err));
    MR_TRY(get_names(c, &book->tenant, err));
    MR_TRY(get_names(c, &book->store, err));
    n = get_count(c);
    for (uint32_t i = 0; i < n; i++) {
        double price[4];
        get_text(c, &name);
        get_known(c, price, 4);
        MR_TRY(mr_session_book_tier(book, name, &got, err));
        MR_TRY(check_name(c, i, got, err));
        book->tier_price[i] = (struct mr_session_tier){price[0], price[1], price[2], price[3]};
    }
    n = get_count(c);
    for (uint32_t i = 0; i < n; i++) {
        get_text(c, &name);
        MR_TRY(mr_session_book_prefix(book, name, get_u32(c), &got, err));
        MR_TRY(check_name(c, i, got, err));
    }
    c->is_bad |= c->p != c->end;
    return check(c, err);
}

/* ---- sessions ---- */

static mr_status get_hint(struct cursor *c, struct mr_session *session, struct mr_err *err)
{
    struct mr_session_hint *hint;
    MR_TRY(mr_session_hint_add(session, &hint, err));
    get_known(c, &hint->ttl_s, 1);
    hint->n_expected = get_u32(c);
    hint->priority = (int32_t)(uint32_t)get_fixed(c, 4);
    const uint32_t flags = get_below(c, 128);
    hint->strict = (flags & 8) != 0 ? get_u32(c) : flags & 1;
    hint->is_truth = (flags & 16) != 0;
    hint->has_priority = (flags & 32) != 0 || hint->priority != 0; /* packs of before lack both */
    hint->has_strict = (flags & 64) != 0 || hint->strict > 0;
    hint->is_final = (flags & 2) != 0;
    hint->prefills = (flags & 4) != 0;
    return MR_OK;
}

static mr_status get_llm(struct cursor *c, struct mr_session *session,
                         const struct mr_session_book *book, struct mr_err *err)
{
    struct mr_session_llm *llm = &session->llm[session->n_llm - 1];
    const uint32_t node = (uint32_t)session->n_node - 1;
    double times[3];
    llm->model = get_below(c, book->model.n);
    llm->n_input = get_u32(c);
    llm->n_output = get_u32(c);
    llm->n_reason = get_u32(c);
    const uint32_t back = get_below(c, (uint64_t)node + 1);
    llm->base = back == 0 ? MR_SESSION_NONE : node - back;
    if (back != 0 && session->node[llm->base].kind != MR_SESSION_LLM) {
        c->is_bad = true;
        return check(c, err);
    }
    MR_TRY(mr_session_keep(session, get_u32(c), err));
    const uint32_t n_run = get_count(c);
    for (uint32_t i = 0; i < n_run; i++) {
        const uint64_t id = get_u64(c), n = get_below(c, UINT64_C(1) << 32);
        MR_TRY(mr_session_run_add(
            session,
            (struct mr_session_run){.id = id, .n = (uint32_t)(n >> 1), .is_minted = (n & 1) != 0},
            err));
    }
    get_known(c, times, 3);
    llm->start_s = times[0];
    llm->service_s = times[1];
    llm->ttft_s = times[2];
    MR_TRY(get_session_text(c, session, &llm->name, err));
    MR_TRY(get_session_text(c, session, &llm->extra, err));
    return get_below(c, 2) == 1 ? get_hint(c, session, err) : MR_OK;
}

static mr_status get_after(struct cursor *c, struct mr_session *session, struct mr_err *err)
{
    const uint32_t node = (uint32_t)session->n_node - 1;
    const uint32_t back = get_below(c, (uint64_t)node + 1);
    const uint32_t flags = get_below(c, 4 * (MR_SESSION_BARRIER + 1));
    struct mr_session_after after = {.node = back == 0 ? MR_SESSION_NONE : node - back,
                                     .relation = (uint8_t)(flags >> 2),
                                     .is_dispatch = (flags & 2) != 0};
    if ((flags & 1) != 0)
        get_known(c, &after.delay_s, 1);
    MR_TRY(check(c, err));
    return mr_session_after_add(session, after, err);
}

static void get_tool(struct cursor *c, struct mr_session_tool *tool,
                     const struct mr_session_book *book)
{
    double amounts[5];
    get_known(c, amounts, 5);
    tool->cpu_s = amounts[0];
    tool->wall_s = amounts[1];
    tool->memory_mb = amounts[2];
    tool->io_mb = amounts[3];
    tool->net_mb = amounts[4];
    tool->class = get_index(c, book->class.n);
    tool->n_output = get_u32(c);
    const uint32_t flags = get_below(c, 2 * (MR_SESSION_EXT + 1));
    tool->where = (uint8_t)(flags >> 1);
    tool->is_error = (flags & 1) != 0;
}

static mr_status get_node(struct cursor *c, struct mr_session *session,
                          const struct mr_session_book *book, struct mr_err *err)
{
    const uint32_t kind = get_below(c, MR_SESSION_MEM + 1);
    const uint64_t id =
        get_u32(c) + (session->n_node > 0 ? (uint64_t)mr_session_next_id(session) : 0);
    const uint32_t lane = get_below(c, session->n_lane), n_after = get_count(c);
    c->is_bad |= id > UINT32_MAX || n_after == 0;
    MR_TRY(check(c, err));
    MR_TRY(mr_session_node_add(session, (enum mr_session_kind)kind, lane, (uint32_t)id, err));
    for (uint32_t i = 0; i < n_after; i++)
        MR_TRY(get_after(c, session, err));
    switch ((enum mr_session_kind)kind) {
    case MR_SESSION_LLM:
        MR_TRY(get_llm(c, session, book, err));
        break;
    case MR_SESSION_TOOL:
        get_tool(c, &session->tool[session->n_tool - 1], book);
        break;
    case MR_SESSION_THINK:
        get_known(c, &session->think[session->n_think - 1].s, 1);
        c->is_bad |= isnan(session->think[session->n_think - 1].s);
        session->think[session->n_think - 1].is_uncapped = get_below(c, 2) == 1;
        break;
    case MR_SESSION_MEM: {
        struct mr_session_mem *mem = &session->mem[session->n_mem - 1];
        double amounts[2];
        get_known(c, amounts, 2);
        mem->read_mb = amounts[0];
        mem->write_mb = amounts[1];
        c->is_bad |= isnan(amounts[0]) || isnan(amounts[1]);
        mem->tier = get_index(c, book->store.n);
        break;
    }
    }
    return check(c, err);
}

static mr_status get_session(struct cursor *c, struct mr_session *session,
                             const struct mr_session_book *book, struct mr_err *err)
{
    struct mr_session_head *head = &session->head;
    double times[4];
    get_known(c, times, 4);
    head->arrival_s = times[0];
    head->ttft_s = times[1];
    head->tpot_s = times[2];
    head->deadline_s = times[3];
    MR_TRY(get_session_text(c, session, &head->id, err));
    MR_TRY(get_session_text(c, session, &head->cron, err));
    MR_TRY(get_session_text(c, session, &head->extra, err));
    head->tenant = get_index(c, book->tenant.n);
    head->tier = get_index(c, book->tier.n);
    head->priority = (int32_t)(uint32_t)get_fixed(c, 4);
    session->n_minted = get_u64(c);
    uint32_t n = get_count(c);
    for (uint32_t i = 0; i < n; i++) {
        const uint32_t prefix = get_below(c, book->prefix.n);
        MR_TRY(check(c, err));
        MR_TRY(mr_session_shared_add(session, book, prefix, err));
    }
    n = get_count(c);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t name;
        MR_TRY(mr_session_lane_reach(session, i, err));
        MR_TRY(get_session_text(c, session, &name, err));
        session->lane[i].name = name;
        session->lane[i].n_tool_tok = get_u32(c);
        session->lane[i].n_system_tok = get_u32(c);
    }
    n = get_count(c);
    for (uint32_t i = 0; i < n; i++)
        MR_TRY(get_node(c, session, book, err));
    c->is_bad |= c->p != c->end;
    return check(c, err);
}

/* ---- file ---- */

/* At least n bytes from state->at on, or an error; the buffer grows as they arrive. */
static mr_status need(struct mr_trace *trace, size_t n, struct mr_err *err)
{
    struct state *state = trace->state;
    if (state->n - state->at >= n)
        return MR_OK;
    if (state->buf != NULL && state->at > 0) {
        memmove(state->buf, state->buf + state->at, state->n - state->at);
        state->n -= state->at;
        state->at = 0;
    }
    while (state->n < n) {
        size_t got = 0;
        MR_TRY(mr_grow(&state->buf, &state->cap, state->n + chunk_bytes, 1, err));
        MR_TRY(mr_gz_read(trace->gz, state->buf + state->n, state->cap - state->n, &got, err));
        if (got == 0)
            return mr_err_set(err, MR_PARSE, MR_NOWHERE, "the file is cut off");
        state->n += got;
    }
    return MR_OK;
}

static mr_status take_fixed(struct mr_trace *trace, int n, uint64_t *value, struct mr_err *err)
{
    struct state *state = trace->state;
    MR_TRY(need(trace, (size_t)n, err));
    struct cursor c = {state->buf + state->at, state->buf + state->at + n, false};
    state->crc = mr_gz_crc32(state->crc, c.p, (size_t)n);
    *value = get_fixed(&c, n);
    state->at += (size_t)n;
    return MR_OK;
}

/* The next record; c->p is NULL at the end of them. Lent until the next one. */
static mr_status take_record(struct mr_trace *trace, struct cursor *c, struct mr_err *err)
{
    struct state *state = trace->state;
    uint64_t n = 0;
    *c = (struct cursor){0};
    trace->line++;
    MR_TRY(take_fixed(trace, 4, &n, err));
    if (n == 0)
        return MR_OK;
    MR_TRY(need(trace, n, err));
    *c = (struct cursor){state->buf + state->at, state->buf + state->at + n, false};
    state->crc = mr_gz_crc32(state->crc, c->p, n);
    state->at += n;
    return MR_OK;
}

static mr_status begin(struct mr_trace *trace, struct mr_err *err)
{
    struct state *state = mr_alloc_zero(1, sizeof *state);
    struct cursor c;
    uint64_t version = 0;
    trace->state = state;
    if (state == NULL)
        return mr_err_nomem(err, sizeof *state);
    MR_TRY(mr_grow(&state->buf, &state->cap, chunk_bytes, 1, err));
    MR_TRY(need(trace, MR_TRACE_PACK_MAGIC, err));
    if (memcmp(state->buf, mr_trace_pack_magic, MR_TRACE_PACK_MAGIC) != 0)
        return mr_err_set(err, MR_SCHEMA, (struct mr_place){trace->name, 0, 0},
                          "not a packed trace (its first bytes are others)");
    state->crc = mr_gz_crc32(0, state->buf, MR_TRACE_PACK_MAGIC);
    state->at = MR_TRACE_PACK_MAGIC;
    MR_TRY(take_fixed(trace, 4, &version, err));
    if (version != MR_TRACE_PACK_VERSION)
        return mr_err_set(err, MR_SCHEMA, (struct mr_place){trace->name, 0, 0},
                          "a packed trace of version %llu, this program reads %d: pack it again",
                          (unsigned long long)version, MR_TRACE_PACK_VERSION);
    MR_TRY(take_record(trace, &c, err));
    if (c.p == NULL)
        return mr_err_set(err, MR_PARSE, (struct mr_place){trace->name, 1, 0},
                          "a file without names");
    return get_book(&c, &trace->book, err);
}

static mr_status take_end(struct mr_trace *trace, struct mr_err *err)
{
    struct state *state = trace->state;
    uint64_t n_session = 0, crc = 0;
    size_t got = 0;
    char more;
    MR_TRY(take_fixed(trace, 8, &n_session, err));
    const uint32_t own_crc = state->crc;
    MR_TRY(take_fixed(trace, 4, &crc, err));
    if (crc != own_crc || n_session != state->n_session)
        return mr_err_set(err, MR_PARSE, MR_NOWHERE,
                          "the sum at its end is not that of the file: it is damaged");
    state->is_over = true;
    MR_TRY(mr_gz_read(trace->gz, &more, 1, &got, err));
    return got > 0 || state->at < state->n
               ? mr_err_set(err, MR_PARSE, MR_NOWHERE, "there is more behind its end")
               : MR_OK;
}

static mr_status next(struct mr_trace *trace, struct mr_session *session, bool *has_session,
                      struct mr_err *err)
{
    struct state *state = trace->state;
    struct cursor c;
    if (state->is_over)
        return MR_OK;
    MR_TRY(take_record(trace, &c, err));
    if (c.p == NULL)
        return take_end(trace, err);
    *has_session = true;
    state->n_session++;
    return get_session(&c, session, &trace->book, err);
}

static void end(struct mr_trace *trace)
{
    struct state *state = trace->state;
    if (state != NULL)
        mr_free(state->buf);
}

const struct mr_trace_format mr_trace_format_pack = {.name = "pack",
                                                     .doc = "Millrace's own form in binary",
                                                     .is_binary = true,
                                                     .begin = begin,
                                                     .next = next,
                                                     .end = end};
