/* SPDX-License-Identifier: Apache-2.0 */
/* Millrace sessions: JSON Lines, a header and then one session on each line. Times are in ms. A
 * node is collected before it is added, since its keys come in any order. What keys say is in
 * trace_native_keys.h. Parts: header - nodes - sessions. */
#include "engine/base/mem.h"
#include "engine/work/trace_impl.h"
#include "engine/work/trace_native_keys.h"

#include <math.h>

#define NAME(name, text) text,
static const char *const kinds[] = {MR_SESSION_KIND_LIST(NAME)};
static const char *const relations[] = {MR_SESSION_RELATION_LIST(NAME)};
static const char *const wheres[] = {MR_SESSION_WHERE_LIST(NAME)};
#undef NAME

/* enum prefix_key, and names in its order */
#define NODE_KEY(name, key, kinds, doc)    key_##name,
#define SESSION_KEY(name, key, kinds, doc) session_##name,
#define HEADER_KEY(name, key, kinds, doc)  header_##name,
#define HINT_KEY(name, key, kinds, doc)    hint_##name,
#define KEY_TEXT(name, key, kinds, doc)    key,

#define N(a) (sizeof(a) / sizeof *(a))

/* ---- header ---- */

static mr_status read_models(struct mr_trace *trace, struct mr_err *err)
{
    struct mr_json *json = trace->json;
    mr_status st = MR_OK;
    MR_TRY(mr_json_enter_object(json, err));
    for (;;) {
        struct mr_str key, card;
        struct mr_buf alias = {0};
        bool has_more = false;
        uint32_t i;
        MR_TRY(mr_json_key(json, &key, &has_more, err));
        if (!has_more)
            return MR_OK;
        mr_buf_add(&alias, key.p, key.n);
        st = mr_buf_check(&alias, err);
        if (st == MR_OK)
            st = mr_json_str(json, &card, err);
        if (st == MR_OK)
            st = mr_session_book_model(&trace->book, (struct mr_str){alias.text, alias.n}, card, &i,
                                       err);
        mr_buf_fini(&alias);
        if (st != MR_OK)
            return st;
    }
}

static mr_status read_tiers(struct mr_trace *trace, struct mr_err *err)
{
    static const char *const names[] = {"in", "cache_write", "cache_read", "out"};
    struct mr_json *json = trace->json;
    MR_TRY(mr_json_enter_object(json, err));
    for (;;) {
        struct mr_str key;
        bool has_more = false;
        uint32_t i;
        size_t k;
        MR_TRY(mr_json_key(json, &key, &has_more, err));
        if (!has_more)
            return MR_OK;
        MR_TRY(mr_session_book_tier(&trace->book, key, &i, err));
        MR_TRY(mr_json_enter_object(json, err));
        for (;;) {
            MR_TRY(mr_trace_key(trace, names, N(names), &k, &has_more, err));
            if (!has_more)
                break;
            struct mr_session_tier *tier = &trace->book.tier_price[i];
            double *const to[] = {&tier->input, &tier->cache_write, &tier->cache_read,
                                  &tier->output};
            MR_TRY(mr_trace_amount(json, to[k], err));
        }
    }
}

static mr_status read_prefixes(struct mr_trace *trace, struct mr_err *err)
{
    MR_TRY(mr_json_enter_object(trace->json, err));
    for (;;) {
        struct mr_str key;
        bool has_more = false;
        uint32_t i;
        MR_TRY(mr_json_key(trace->json, &key, &has_more, err));
        if (!has_more)
            return MR_OK;
        MR_TRY(mr_session_book_prefix(&trace->book, key, 0, &i, err));
        MR_TRY(mr_trace_u32(trace->json, &trace->book.prefix_tok[i], err));
    }
}

static mr_status read_header(struct mr_trace *trace, struct mr_err *err)
{
    enum header_key {
        MR_NATIVE_HEADER_LIST(HEADER_KEY)
    };
    static const char *const names[] = {MR_NATIVE_HEADER_LIST(KEY_TEXT)};
    static const char *const scopes[] = {"local", "global"};
    static const char *const bases[] = {"ms"};
    struct mr_json *json = trace->json;
    bool has_more = false, is_ours = false, has_version = false;
    size_t k;
    uint8_t i;
    MR_TRY(mr_json_document(json, &has_more, err));
    if (!has_more)
        return mr_err_set(err, MR_SCHEMA, mr_json_place(json), "an empty file");
    MR_TRY(mr_json_enter_object(json, err));
    for (;;) {
        struct mr_str text;
        uint64_t number;
        MR_TRY(mr_trace_key(trace, names, N(names), &k, &has_more, err));
        if (!has_more)
            break;
        if (k == header_schema) {
            MR_TRY(mr_json_str(json, &text, err));
            is_ours = mr_str_is(text, "millrace.session");
        } else if (k == header_version) {
            MR_TRY(mr_json_u64(json, &number, err));
            if (number != 1)
                return mr_json_error(json, err, MR_SCHEMA, "version %llu is not known, 1 is",
                                     (unsigned long long)number);
            has_version = true;
        } else if (k == header_block_size) {
            MR_TRY(mr_trace_u32(json, &trace->book.block_tok, err));
            if (trace->book.block_tok == 0)
                return mr_json_error(json, err, MR_RANGE,
                                     "block_size is 0: without blocks it is not said");
        } else if (k == header_hash_scope) {
            MR_TRY(mr_trace_choice(json, scopes, N(scopes), &i, err));
            trace->book.is_global = i == 1;
        } else if (k == header_time_base) {
            MR_TRY(mr_trace_choice(json, bases, N(bases), &i, err));
        } else if (k == header_models) {
            MR_TRY(read_models(trace, err));
            trace->n_header_model = trace->book.model.n;
        } else if (k == header_tiers) {
            MR_TRY(read_tiers(trace, err));
        } else if (k == header_prefixes) {
            MR_TRY(read_prefixes(trace, err));
        } else {
            MR_TRY(mr_trace_source_read(trace, err));
        }
    }
    if (!is_ours || !has_version)
        return mr_json_error(
            json, err, MR_SCHEMA,
            "the first line must have \"schema\":\"millrace.session\",\"version\":1");
    return MR_OK;
}

/* ---- nodes ---- */

struct raw_after {
    uint64_t node; /* UINT64_MAX: the start */
    struct mr_session_after after;
};

struct state {
    struct mr_session_run *run;
    struct raw_after *after;
    size_t n_run, cap_run, n_after, cap_after;
};

enum node_key {
    MR_NATIVE_NODE_LIST(NODE_KEY) n_node_key
};

static const char *const node_keys[n_node_key] = {MR_NATIVE_NODE_LIST(KEY_TEXT)};

struct raw_node {
    uint32_t id, lane, keep, from, model, name, extra;
    uint8_t kind;
    bool has[n_node_key], has_hint;
    struct mr_session_llm llm;
    struct mr_session_hint hint;
    struct mr_session_tool tool;
    struct mr_session_think think;
    struct mr_session_mem mem;
};

static mr_status read_after(struct mr_trace *trace, struct mr_err *err)
{
    static const char *const triggers[] = {"c", "d"};
    struct state *state = trace->state;
    struct mr_json *json = trace->json;
    bool has_more = false, is_null = false;
    MR_TRY(mr_json_enter_array(json, err));
    for (;;) {
        struct raw_after raw = {.node = UINT64_MAX};
        uint8_t trigger = 0;
        MR_TRY(mr_json_array_more(json, &has_more, err));
        if (!has_more)
            return MR_OK;
        MR_TRY(mr_json_enter_array(json, err));
        for (int i = 0;; i++) {
            MR_TRY(mr_json_array_more(json, &has_more, err));
            if (!has_more && i >= 1)
                break;
            if (!has_more || i > 3)
                return mr_json_error(json, err, MR_SCHEMA,
                                     "a dependency is [node, trigger, delay, relation]");
            if (i == 0) {
                MR_TRY(mr_json_null(json, &is_null, err));
                if (!is_null)
                    MR_TRY(mr_json_u64(json, &raw.node, err));
            } else if (i == 1) {
                MR_TRY(mr_trace_choice(json, triggers, N(triggers), &trigger, err));
            } else if (i == 2) {
                MR_TRY(mr_trace_time(json, -3, &raw.after.delay_s, err));
            } else {
                MR_TRY(mr_trace_choice(json, relations, N(relations), &raw.after.relation, err));
            }
        }
        raw.after.is_dispatch = trigger == 1;
        MR_TRY(mr_grow(&state->after, &state->cap_after, state->n_after + 1, sizeof *state->after,
                       err));
        state->after[state->n_after++] = raw;
    }
}

static mr_status read_hint(struct mr_trace *trace, struct mr_session_hint *hint, struct mr_err *err)
{
    enum {
        MR_NATIVE_HINT_LIST(HINT_KEY)
    };
    static const char *const names[] = {MR_NATIVE_HINT_LIST(KEY_TEXT)};
    bool has_more = false;
    size_t k;
    *hint = (struct mr_session_hint){.ttl_s = (double)NAN};
    MR_TRY(mr_json_enter_object(trace->json, err));
    for (;;) {
        MR_TRY(mr_trace_key(trace, names, N(names), &k, &has_more, err));
        if (!has_more)
            return MR_OK;
        hint->has_priority |= k == hint_prio;
        hint->has_strict |= k == hint_strict;
        if (k == hint_prio)
            MR_TRY(mr_trace_i32(trace->json, &hint->priority, err));
        else if (k == hint_osl)
            MR_TRY(mr_trace_u32(trace->json, &hint->n_expected, err));
        else if (k == hint_cache_ttl)
            MR_TRY(mr_trace_time(trace->json, -3, &hint->ttl_s, err));
        else if (k == hint_strict)
            MR_TRY(mr_trace_strict(trace->json, &hint->strict, &hint->is_truth, err));
        else
            MR_TRY(mr_json_bool(trace->json,
                                k == hint_spec_prefill ? &hint->prefills : &hint->is_final, err));
    }
}

/* An object of times in milliseconds. */
static mr_status read_times(struct mr_trace *trace, const char *const *names, double *const *to,
                            size_t n, struct mr_err *err)
{
    bool has_more = false;
    size_t k;
    MR_TRY(mr_json_enter_object(trace->json, err));
    for (;;) {
        MR_TRY(mr_trace_key(trace, names, n, &k, &has_more, err));
        if (!has_more)
            return MR_OK;
        MR_TRY(mr_trace_time(trace->json, -3, to[k], err));
    }
}

static mr_status read_record(struct mr_trace *trace, struct mr_session_llm *llm, struct mr_err *err)
{
    static const char *const names[] = {"api_ms", "ttft_ms", "start_ms"};
    double *const to[] = {&llm->service_s, &llm->ttft_s, &llm->start_s};
    return read_times(trace, names, to, N(names), err);
}

/* An interned name of the book. */
static mr_status read_intern(struct mr_trace *trace, struct mr_intern *names, uint32_t *i,
                             struct mr_err *err)
{
    struct mr_str name;
    MR_TRY(mr_trace_name(trace->json, &name, err));
    return mr_intern_add(names, name, i, err);
}

static mr_status read_model(struct mr_trace *trace, uint32_t *i, struct mr_err *err)
{
    struct mr_str name;
    char quoted[MR_QUOTE_CAP];
    MR_TRY(mr_trace_name(trace->json, &name, err));
    *i = mr_intern_find(&trace->book.model, name);
    if (*i != MR_INTERN_NONE)
        return MR_OK;
    if (trace->n_header_model > 0)
        return mr_err_set(err, MR_REF, mr_json_place(trace->json),
                          "\"m\": \"%s\" is none of the header's models",
                          mr_text_quote(name, quoted));
    return mr_session_book_model(&trace->book, name, (struct mr_str){0}, i, err);
}

static mr_status read_extra(struct mr_trace *trace, struct mr_session *session, uint32_t *at,
                            struct mr_err *err)
{
    struct mr_str raw;
    MR_TRY(mr_json_raw(trace->json, &raw, err));
    return mr_session_text_add(session, raw, at, err);
}

static mr_status read_node_key(struct mr_trace *trace, struct mr_session *session,
                               enum node_key key, struct raw_node *raw, struct mr_err *err)
{
    struct mr_json *json = trace->json;
    struct state *state = trace->state;
    switch (key) {
    case key_n:
        return mr_trace_u32(json, &raw->id, err);
    case key_k:
        return mr_trace_choice(json, kinds, N(kinds), &raw->kind, err);
    case key_after:
        return read_after(trace, err);
    case key_lane:
        return mr_trace_u32(json, &raw->lane, err);
    case key_m:
        return read_model(trace, &raw->model, err);
    case key_in:
        return mr_trace_u32(json, &raw->llm.n_input, err);
    case key_out:
        return mr_trace_u32(json, &raw->llm.n_output, err);
    case key_reason:
        return mr_trace_u32(json, &raw->llm.n_reason, err);
    case key_keep:
        return mr_trace_u32(json, &raw->keep, err);
    case key_new:
        return mr_trace_runs(json, &state->run, &state->cap_run, &state->n_run, err);
    case key_from:
        return mr_trace_u32(json, &raw->from, err);
    case key_hints:
        return read_hint(trace, &raw->hint, err);
    case key_rec:
        return read_record(trace, &raw->llm, err);
    case key_class:
        return read_intern(trace, &trace->book.class, &raw->tool.class, err);
    case key_where:
        return mr_trace_choice(json, wheres, N(wheres), &raw->tool.where, err);
    case key_cpu:
        return mr_trace_time(json, -3, &raw->tool.cpu_s, err);
    case key_wall:
        return mr_trace_time(json, -3, &raw->tool.wall_s, err);
    case key_mem:
        return mr_trace_amount(json, &raw->tool.memory_mb, err);
    case key_io:
        return mr_trace_amount(json, &raw->tool.io_mb, err);
    case key_net:
        return mr_trace_amount(json, &raw->tool.net_mb, err);
    case key_out_tokens:
        return mr_trace_u32(json, &raw->tool.n_output, err);
    case key_err:
        return mr_json_bool(json, &raw->tool.is_error, err);
    case key_ms:
        return mr_trace_time(json, -3, &raw->think.s, err);
    case key_cap: {
        bool is_capped = true;
        MR_TRY(mr_json_bool(json, &is_capped, err));
        raw->think.is_uncapped = !is_capped;
        return MR_OK;
    }
    case key_rd:
        return mr_trace_amount(json, &raw->mem.read_mb, err);
    case key_wr:
        return mr_trace_amount(json, &raw->mem.write_mb, err);
    case key_tier:
        return read_intern(trace, &trace->book.store, &raw->mem.tier, err);
    case key_name:
        return mr_trace_text(json, session, &raw->name, err);
    case key_x:
        return read_extra(trace, session, &raw->extra, err);
    case n_node_key:
        break;
    }
    return MR_OK;
}

/* Index of the node with that id; ids ascend. */
static bool find_node(const struct mr_session *session, uint64_t id, uint32_t *node)
{
    size_t low = 0, high = session->n_node;
    while (low < high) {
        const size_t mid = (low + high) / 2;
        if (session->node[mid].id < id)
            low = mid + 1;
        else
            high = mid;
    }
    *node = (uint32_t)low;
    return low < session->n_node && session->node[low].id == id;
}

static mr_status add_blocks(struct mr_trace *trace, struct mr_session *session,
                            const struct raw_node *raw, struct mr_err *err)
{
    const struct state *state = trace->state;
    struct mr_session_llm *llm = &session->llm[session->n_llm - 1];
    if (raw->has[key_from]) {
        uint32_t node;
        if (!find_node(session, raw->from, &node) || session->node[node].kind != MR_SESSION_LLM ||
            node == session->n_node - 1)
            return mr_err_set(err, MR_REF, MR_NOWHERE,
                              "node %u: from %u, which is no LLM call before it", raw->id,
                              raw->from);
        llm->base = node;
    }
    const uint32_t most =
        llm->base == MR_SESSION_NONE ? 0 : mr_session_llm_of(session, llm->base)->n_block;
    if (raw->has[key_keep] && raw->keep > most)
        return mr_err_set(err, MR_RANGE, MR_NOWHERE, "node %u: keeps %u blocks of %u", raw->id,
                          raw->keep, most);
    if (!raw->has[key_new])
        return mr_session_mint(session, trace->book.block_tok,
                               raw->has[key_keep] ? raw->keep : UINT32_MAX, err);
    MR_TRY(mr_session_keep(session, raw->keep, err));
    for (size_t i = 0; i < state->n_run; i++)
        MR_TRY(mr_session_run_add(session, state->run[i], err));
    return MR_OK;
}

static mr_status add_llm(struct mr_trace *trace, struct mr_session *session,
                         const struct raw_node *raw, struct mr_err *err)
{
    struct mr_session_llm *llm = &session->llm[session->n_llm - 1];
    const uint32_t base = llm->base, run = llm->run;
    if (!raw->has[key_in] || !raw->has[key_out])
        return mr_err_set(err, MR_SCHEMA, MR_NOWHERE, "node %u: an LLM call needs in and out",
                          raw->id);
    *llm = raw->llm;
    llm->base = base;
    llm->run = run;
    llm->hint = MR_SESSION_NONE;
    llm->model = raw->model;
    llm->name = raw->name;
    llm->extra = raw->extra;
    if (raw->model == MR_SESSION_NONE) {
        if (trace->book.model.n == 0)
            MR_TRY(mr_session_book_model(&trace->book, MR_STR("default"), (struct mr_str){0},
                                         &llm->model, err));
        llm->model = 0;
    }
    MR_TRY(add_blocks(trace, session, raw, err));
    if (raw->has[key_hints]) {
        struct mr_session_hint *hint;
        MR_TRY(mr_session_hint_add(session, &hint, err));
        *hint = raw->hint;
    }
    return MR_OK;
}

static mr_status add_node(struct mr_trace *trace, struct mr_session *session,
                          const struct raw_node *raw, struct mr_err *err)
{
    const struct state *state = trace->state;
    if (!raw->has[key_n] || !raw->has[key_k])
        return mr_json_error(trace->json, err, MR_SCHEMA, "a node needs n and k");
    MR_TRY(mr_session_node_add(session, (enum mr_session_kind)raw->kind, raw->lane, raw->id, err));
    if (raw->kind == MR_SESSION_LLM)
        MR_TRY(add_llm(trace, session, raw, err));
    else if (raw->kind == MR_SESSION_TOOL)
        session->tool[session->n_tool - 1] = raw->tool;
    else if (raw->kind == MR_SESSION_THINK)
        session->think[session->n_think - 1] = raw->think;
    else
        session->mem[session->n_mem - 1] = raw->mem;
    for (size_t i = 0; i < state->n_after; i++) {
        struct mr_session_after after = state->after[i].after;
        after.node = MR_SESSION_NONE;
        if (state->after[i].node != UINT64_MAX &&
            (!find_node(session, state->after[i].node, &after.node) ||
             after.node == session->n_node - 1))
            return mr_err_set(err, MR_REF, MR_NOWHERE,
                              "node %u: waits for %llu, which is no node before it", raw->id,
                              (unsigned long long)state->after[i].node);
        MR_TRY(mr_session_after_add(session, after, err));
    }
    return state->n_after == 0 ? mr_session_after_lane(session, 0, err) : MR_OK;
}

static mr_status read_nodes(struct mr_trace *trace, struct mr_session *session, struct mr_err *err)
{
    struct state *state = trace->state;
    const double none = (double)NAN;
    uint32_t lane = 0;
    MR_TRY(mr_json_enter_array(trace->json, err));
    for (;;) {
        bool has_more = false;
        struct raw_node raw = {
            .lane = lane,
            .model = MR_SESSION_NONE,
            .name = MR_SESSION_NONE,
            .extra = MR_SESSION_NONE,
            .llm = {.start_s = none, .service_s = none, .ttft_s = none},
            .tool = {none, none, none, none, none, .class = MR_SESSION_NONE},
            .mem = {.tier = MR_SESSION_NONE},
        };
        MR_TRY(mr_json_array_more(trace->json, &has_more, err));
        if (!has_more)
            return MR_OK;
        state->n_run = 0;
        state->n_after = 0;
        MR_TRY(mr_json_enter_object(trace->json, err));
        trace->line = mr_json_place(trace->json).line;
        for (;;) {
            size_t k;
            MR_TRY(mr_trace_key(trace, node_keys, n_node_key, &k, &has_more, err));
            if (!has_more)
                break;
            if (raw.has[k])
                return mr_json_error(trace->json, err, MR_SCHEMA, "given twice");
            MR_TRY(read_node_key(trace, session, (enum node_key)k, &raw, err));
            raw.has[k] = true;
        }
        lane = raw.lane;
        MR_TRY(add_node(trace, session, &raw, err));
    }
}

/* ---- sessions ---- */

static mr_status read_slo(struct mr_trace *trace, struct mr_session_head *head, struct mr_err *err)
{
    static const char *const names[] = {"ttft_ms", "tpot_ms", "deadline_ms"};
    double *const to[] = {&head->ttft_s, &head->tpot_s, &head->deadline_s};
    return read_times(trace, names, to, N(names), err);
}

static mr_status read_shared(struct mr_trace *trace, struct mr_session *session, struct mr_err *err)
{
    bool has_more = false;
    MR_TRY(mr_json_enter_array(trace->json, err));
    for (;;) {
        struct mr_str name;
        MR_TRY(mr_json_array_more(trace->json, &has_more, err));
        if (!has_more)
            return MR_OK;
        MR_TRY(mr_trace_name(trace->json, &name, err));
        const uint32_t i = mr_intern_find(&trace->book.prefix, name);
        if (i == MR_INTERN_NONE)
            return mr_json_error(trace->json, err, MR_REF, "no prefix of that name in the header");
        MR_TRY(mr_session_shared_add(session, &trace->book, i, err));
    }
}

static mr_status read_lanes(struct mr_trace *trace, struct mr_session *session, struct mr_err *err)
{
    static const char *const names[] = {"name", "tools", "system"};
    bool has_more = false;
    size_t k;
    MR_TRY(mr_json_enter_array(trace->json, err));
    for (uint32_t lane = 0;; lane++) {
        MR_TRY(mr_json_array_more(trace->json, &has_more, err));
        if (!has_more)
            return MR_OK;
        MR_TRY(mr_session_lane_reach(session, lane, err));
        MR_TRY(mr_json_enter_object(trace->json, err));
        for (;;) {
            MR_TRY(mr_trace_key(trace, names, N(names), &k, &has_more, err));
            if (!has_more)
                break;
            struct mr_session_lane *to = &session->lane[lane];
            if (k == 0)
                MR_TRY(mr_trace_text(trace->json, session, &to->name, err));
            else
                MR_TRY(
                    mr_trace_u32(trace->json, k == 1 ? &to->n_tool_tok : &to->n_system_tok, err));
        }
    }
}

enum session_key {
    MR_NATIVE_SESSION_LIST(SESSION_KEY) n_session_key
};

static const char *const session_keys[n_session_key] = {MR_NATIVE_SESSION_LIST(KEY_TEXT)};

static mr_status read_session_key(struct mr_trace *trace, struct mr_session *session,
                                  enum session_key key, struct mr_err *err)
{
    struct mr_session_head *head = &session->head;
    switch (key) {
    case session_id:
        return mr_trace_text(trace->json, session, &head->id, err);
    case session_arrival:
        return mr_trace_time(trace->json, -3, &head->arrival_s, err);
    case session_tenant:
        return read_intern(trace, &trace->book.tenant, &head->tenant, err);
    case session_tier: {
        struct mr_str name;
        MR_TRY(mr_trace_name(trace->json, &name, err));
        return mr_session_book_tier(&trace->book, name, &head->tier, err);
    }
    case session_slo:
        return read_slo(trace, head, err);
    case session_priority:
        return mr_trace_i32(trace->json, &head->priority, err);
    case session_cron:
        return mr_trace_text(trace->json, session, &head->cron, err);
    case session_shared:
        if (session->n_node > 0)
            return mr_json_error(trace->json, err, MR_SCHEMA, "must come before nodes");
        return read_shared(trace, session, err);
    case session_lanes:
        return read_lanes(trace, session, err);
    case session_nodes:
        return read_nodes(trace, session, err);
    case session_x:
        return read_extra(trace, session, &head->extra, err);
    case n_session_key:
        break;
    }
    return MR_OK;
}

static mr_status next(struct mr_trace *trace, struct mr_session *session, bool *has_session,
                      struct mr_err *err)
{
    bool has_more = false, has[n_session_key] = {false};
    size_t k;
    MR_TRY(mr_json_document(trace->json, has_session, err));
    if (!*has_session)
        return MR_OK;
    MR_TRY(mr_json_enter_object(trace->json, err));
    trace->line = mr_json_place(trace->json).line;
    for (;;) {
        MR_TRY(mr_trace_key(trace, session_keys, n_session_key, &k, &has_more, err));
        if (!has_more)
            return MR_OK;
        if (has[k])
            return mr_json_error(trace->json, err, MR_SCHEMA, "given twice");
        has[k] = true;
        MR_TRY(read_session_key(trace, session, (enum session_key)k, err));
    }
}

static mr_status begin(struct mr_trace *trace, struct mr_err *err)
{
    trace->state = mr_alloc_zero(1, sizeof(struct state));
    if (trace->state == NULL)
        return mr_err_nomem(err, sizeof(struct state));
    return read_header(trace, err);
}

static void end(struct mr_trace *trace)
{
    struct state *state = trace->state;
    if (state == NULL)
        return;
    mr_free(state->run);
    mr_free(state->after);
}

const struct mr_trace_format mr_trace_format_native = {.name = "millrace",
                                                       .doc = "Millrace sessions, JSON Lines",
                                                       .is_lines = true,
                                                       .begin = begin,
                                                       .next = next,
                                                       .end = end};
