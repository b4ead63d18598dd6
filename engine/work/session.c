/* SPDX-License-Identifier: Apache-2.0 */
/* Parts: arrays - nodes - blocks - checks. */
#include "engine/work/session.h"

#include "engine/base/assert.h"
#include "engine/base/mem.h"

#include <math.h>

/* ---- arrays ---- */

void mr_session_reset(struct mr_session *session)
{
#define EMPTY(name, type) session->n_##name = 0;
    MR_SESSION_ARRAY_LIST(EMPTY)
#undef EMPTY
    mr_buf_clear(&session->text);
    session->n_minted = 0;
    session->head = (struct mr_session_head){
        .arrival_s = (double)NAN,
        .ttft_s = (double)NAN,
        .tpot_s = (double)NAN,
        .deadline_s = (double)NAN,
        .id = MR_SESSION_NONE,
        .cron = MR_SESSION_NONE,
        .extra = MR_SESSION_NONE,
        .tenant = MR_SESSION_NONE,
        .tier = MR_SESSION_NONE,
    };
}

void mr_session_fini(struct mr_session *session)
{
#define FREE(name, type) mr_free(session->name);
    MR_SESSION_ARRAY_LIST(FREE)
#undef FREE
    mr_buf_fini(&session->text);
    mr_free(session->lane_llm);
    mr_free(session->lane_node);
    mr_free(session->scratch);
    *session = (struct mr_session){0};
}

mr_status mr_session_text_add(struct mr_session *session, struct mr_str text, uint32_t *at,
                              struct mr_err *err)
{
    const size_t start = session->text.n;
    *at = MR_SESSION_NONE;
    if (start + text.n >= MR_SESSION_NONE)
        return mr_err_set(err, MR_LIMIT, MR_NOWHERE, "session: more than 4 GB of texts");
    mr_buf_add(&session->text, text.p, text.n);
    mr_buf_char(&session->text, '\0');
    MR_TRY(mr_buf_check(&session->text, err));
    *at = (uint32_t)start;
    return MR_OK;
}

const char *mr_session_text(const struct mr_session *session, uint32_t at)
{
    return at == MR_SESSION_NONE ? NULL : session->text.text + at;
}

/* Room for one more element. */
#define GROW(session, name, err)                                               \
    mr_grow(&(session)->name, &(session)->cap_##name, (session)->n_##name + 1, \
            sizeof *(session)->name, (err))

/* ---- nodes ---- */

mr_status mr_session_lane_reach(struct mr_session *session, uint32_t lane, struct mr_err *err)
{
    if (lane > UINT16_MAX)
        return mr_err_set(err, MR_LIMIT, MR_NOWHERE, "lane %u: lanes count from 0 to 65535", lane);
    while (session->n_lane <= lane) {
        const size_t n = session->n_lane;
        MR_TRY(GROW(session, lane, err));
        MR_TRY(mr_grow(&session->lane_llm, &session->cap_lane_llm, n + 1, sizeof *session->lane_llm,
                       err));
        MR_TRY(mr_grow(&session->lane_node, &session->cap_lane_node, n + 1,
                       sizeof *session->lane_node, err));
        session->lane[n] = (struct mr_session_lane){.name = MR_SESSION_NONE};
        session->lane_llm[n] = MR_SESSION_NONE;
        session->lane_node[n] = MR_SESSION_NONE;
        session->n_lane++;
    }
    return MR_OK;
}

static mr_status add_llm(struct mr_session *session, uint32_t lane, struct mr_err *err)
{
    MR_TRY(GROW(session, llm, err));
    session->llm[session->n_llm++] = (struct mr_session_llm){
        .model = MR_SESSION_NONE,
        .base = session->lane_llm[lane],
        .run = (uint32_t)session->n_run,
        .hint = MR_SESSION_NONE,
        .name = MR_SESSION_NONE,
        .extra = MR_SESSION_NONE,
        .start_s = (double)NAN,
        .service_s = (double)NAN,
        .ttft_s = (double)NAN,
    };
    return MR_OK;
}

static mr_status add_tool(struct mr_session *session, struct mr_err *err)
{
    MR_TRY(GROW(session, tool, err));
    session->tool[session->n_tool++] = (struct mr_session_tool){
        .cpu_s = (double)NAN,
        .wall_s = (double)NAN,
        .memory_mb = (double)NAN,
        .io_mb = (double)NAN,
        .net_mb = (double)NAN,
        .class = MR_SESSION_NONE,
    };
    return MR_OK;
}

mr_status mr_session_node_add(struct mr_session *session, enum mr_session_kind kind, uint32_t lane,
                              uint32_t id, struct mr_err *err)
{
    if (session->n_node > 0 && id <= session->node[session->n_node - 1].id)
        return mr_err_set(err, MR_RANGE, MR_NOWHERE, "node %u: does not ascend, the last was %u",
                          id, session->node[session->n_node - 1].id);
    if (session->n_node >= MR_SESSION_NONE - 1 || session->n_run >= MR_SESSION_NONE)
        return mr_err_set(err, MR_LIMIT, MR_NOWHERE, "session: more nodes than are counted");
    MR_TRY(mr_session_lane_reach(session, lane, err));
    MR_TRY(GROW(session, node, err));
    size_t i = 0;
    switch (kind) {
    case MR_SESSION_LLM:
        i = session->n_llm;
        MR_TRY(add_llm(session, lane, err));
        session->lane_llm[lane] = (uint32_t)session->n_node;
        break;
    case MR_SESSION_TOOL:
        i = session->n_tool;
        MR_TRY(add_tool(session, err));
        break;
    case MR_SESSION_THINK:
        i = session->n_think;
        MR_TRY(GROW(session, think, err));
        session->think[session->n_think++] = (struct mr_session_think){0};
        break;
    case MR_SESSION_MEM:
        i = session->n_mem;
        MR_TRY(GROW(session, mem, err));
        session->mem[session->n_mem++] = (struct mr_session_mem){.tier = MR_SESSION_NONE};
        break;
    }
    session->node[session->n_node++] = (struct mr_session_node){.id = id,
                                                                .i = (uint32_t)i,
                                                                .after = (uint32_t)session->n_after,
                                                                .lane = (uint16_t)lane,
                                                                .kind = (uint8_t)kind};
    return MR_OK;
}

mr_status mr_session_after_add(struct mr_session *session, struct mr_session_after after,
                               struct mr_err *err)
{
    struct mr_session_node *node = &session->node[session->n_node - 1];
    if (after.node != MR_SESSION_NONE && after.node >= session->n_node - 1)
        return mr_err_set(err, MR_REF, MR_NOWHERE,
                          "node %u: waits for a node that is not before it", node->id);
    if (!(after.delay_s >= 0) || isinf(after.delay_s))
        return mr_err_set(err, MR_RANGE, MR_NOWHERE, "node %u: a delay of %g s", node->id,
                          after.delay_s);
    if (session->n_after >= MR_SESSION_NONE)
        return mr_err_set(err, MR_LIMIT, MR_NOWHERE, "session: more dependencies than are counted");
    MR_TRY(GROW(session, after, err));
    session->after[session->n_after++] = after;
    node->n_after++;
    session->lane_node[node->lane] = (uint32_t)session->n_node - 1;
    return MR_OK;
}

mr_status mr_session_after_lane(struct mr_session *session, double delay_s, struct mr_err *err)
{
    const uint32_t lane = session->node[session->n_node - 1].lane;
    return mr_session_after_add(
        session, (struct mr_session_after){.delay_s = delay_s, .node = session->lane_node[lane]},
        err);
}

mr_status mr_session_hint_add(struct mr_session *session, struct mr_session_hint **hint,
                              struct mr_err *err)
{
    MR_TRY(GROW(session, hint, err));
    session->llm[session->n_llm - 1].hint = (uint32_t)session->n_hint;
    *hint = &session->hint[session->n_hint++];
    **hint = (struct mr_session_hint){.ttl_s = (double)NAN};
    return MR_OK;
}

mr_status mr_session_shared_add(struct mr_session *session, const struct mr_session_book *book,
                                uint32_t prefix, struct mr_err *err)
{
    const uint64_t n_tok = (uint64_t)session->head.shared_tok + book->prefix_tok[prefix];
    if (n_tok > UINT32_MAX)
        return mr_err_set(err, MR_RANGE, MR_NOWHERE, "session: shared prefixes of %llu tokens",
                          (unsigned long long)n_tok);
    MR_TRY(GROW(session, shared, err));
    session->shared[session->n_shared++] = prefix;
    session->head.shared_tok = (uint32_t)n_tok;
    return MR_OK;
}

/* ---- blocks ---- */

mr_status mr_session_keep(struct mr_session *session, uint32_t keep, struct mr_err *err)
{
    struct mr_session_llm *llm = &session->llm[session->n_llm - 1];
    const uint32_t most =
        llm->base == MR_SESSION_NONE ? 0 : mr_session_llm_of(session, llm->base)->n_block;
    if (keep > most)
        return mr_err_set(err, MR_RANGE, MR_NOWHERE,
                          "node %u: keeps %u blocks of a context that has %u",
                          session->node[session->n_node - 1].id, keep, most);
    MR_ASSERT(llm->n_run == 0);
    llm->keep = keep;
    llm->n_block = keep;
    return MR_OK;
}

mr_status mr_session_run_add(struct mr_session *session, struct mr_session_run run,
                             struct mr_err *err)
{
    struct mr_session_llm *llm = &session->llm[session->n_llm - 1];
    if ((uint64_t)llm->n_block + run.n > UINT32_MAX ||
        (run.n > 0 && run.n - 1 > UINT64_MAX - run.id))
        return mr_err_set(err, MR_RANGE, MR_NOWHERE, "node %u: a run of %u blocks from %llu",
                          session->node[session->n_node - 1].id, run.n, (unsigned long long)run.id);
    if (run.n == 0)
        return MR_OK;
    llm->n_block += run.n;
    if (llm->n_run > 0 && mr_session_run_joins(&session->run[session->n_run - 1], &run)) {
        session->run[session->n_run - 1].n += run.n;
        return MR_OK;
    }
    MR_TRY(GROW(session, run, err));
    session->run[session->n_run++] = run;
    llm->n_run++;
    return MR_OK;
}

mr_status mr_session_mint(struct mr_session *session, uint32_t block_tok, uint32_t keep,
                          struct mr_err *err)
{
    struct mr_session_llm *llm = &session->llm[session->n_llm - 1];
    const uint32_t shared = session->head.shared_tok;
    const uint32_t own = llm->n_input > shared ? llm->n_input - shared : 0;
    const uint32_t n = block_tok > 0 ? own / block_tok : 0;
    const uint32_t most =
        llm->base == MR_SESSION_NONE ? 0 : mr_session_llm_of(session, llm->base)->n_block;
    const uint32_t least = most < n ? most : n;
    const uint32_t kept = keep < least ? keep : least;
    MR_TRY(mr_session_keep(session, kept, err));
    MR_TRY(mr_session_run_add(
        session, (struct mr_session_run){.id = session->n_minted, .n = n - kept, .is_minted = true},
        err));
    session->n_minted += n - kept;
    return MR_OK;
}

/* ---- checks ---- */

/* Does `node` wait, over others, for `aim`, which is before it? Only what lies between them is
 * looked at. `seen` [n_node] holds the last node that asked. */
static bool does_follow(const struct mr_session *session, uint32_t node, uint32_t aim,
                        uint32_t *seen, uint32_t *stack, uint64_t *n_step)
{
    size_t n = 0;
    stack[n++] = node;
    while (n > 0 && *n_step > 0) {
        const struct mr_session_node *at = &session->node[stack[--n]];
        for (uint32_t k = 0; *n_step > 0 && k < at->n_after; k++, --*n_step) {
            const uint32_t before = session->after[at->after + k].node;
            if (before == aim)
                return true;
            if (before == MR_SESSION_NONE || before < aim || seen[before] == node)
                continue;
            seen[before] = node;
            stack[n++] = before;
        }
    }
    return false;
}

static mr_status check_llm(const struct mr_session *session, const struct mr_session_book *book,
                           const struct mr_session_node *node, struct mr_err *err)
{
    const struct mr_session_llm *llm = &session->llm[node->i];
    const uint32_t shared = session->head.shared_tok;
    if (llm->n_input < shared)
        return mr_err_set(err, MR_RANGE, MR_NOWHERE,
                          "node %u: %u input tokens, its shared prefixes alone have %u", node->id,
                          llm->n_input, shared);
    if (book->block_tok == 0)
        return MR_OK;
    const uint32_t own = llm->n_input - shared, low = own / book->block_tok,
                   high = low + (own % book->block_tok != 0);
    if (llm->n_block != low && llm->n_block != high)
        return mr_err_set(err, MR_RANGE, MR_NOWHERE,
                          "node %u: %u blocks for %u tokens, %u to a block (should be %u)",
                          node->id, llm->n_block, own, book->block_tok, low);
    return MR_OK;
}

mr_status mr_session_check(struct mr_session *session, const struct mr_session_book *book,
                           struct mr_err *err)
{
    const size_t n = session->n_node;
    uint64_t n_step = UINT64_C(64) * n + 1000000; /* of hostile files; real ones take two a node */
    if (session->n_llm == 0)
        return mr_err_set(err, MR_RANGE, MR_NOWHERE, "session: no LLM call in it");
    MR_TRY(mr_grow(&session->scratch, &session->cap_scratch, 2 * n + session->n_lane,
                   sizeof *session->scratch, err));
    uint32_t *const seen = session->scratch, *const stack = seen + n, *const last = stack + n;
    memset(seen, 0xff, n * sizeof *seen);
    memset(last, 0xff, session->n_lane * sizeof *last);
    for (uint32_t i = 0; i < n; i++) {
        const struct mr_session_node *node = &session->node[i];
        MR_ASSERT(node->n_after > 0);
        if (node->kind != MR_SESSION_LLM)
            continue;
        MR_TRY(check_llm(session, book, node, err));
        const uint32_t before = last[node->lane];
        if (before != MR_SESSION_NONE && !does_follow(session, i, before, seen, stack, &n_step))
            return n_step == 0
                       ? mr_err_set(err, MR_LIMIT, MR_NOWHERE,
                                    "node %u: dependencies too tangled to be followed", node->id)
                       : mr_err_set(err, MR_REF, MR_NOWHERE,
                                    "node %u: does not wait for node %u, the LLM call "
                                    "before it in lane %u (give it a lane of its own)",
                                    node->id, session->node[before].id, node->lane);
        last[node->lane] = i;
    }
    return MR_OK;
}

#define NAME(name, text) [MR_SESSION_##name] = text,

const char *mr_session_kind_name(enum mr_session_kind kind)
{
    static const char *const names[] = {MR_SESSION_KIND_LIST(NAME)};
    return names[kind];
}

const char *mr_session_relation_name(enum mr_session_relation relation)
{
    static const char *const names[] = {MR_SESSION_RELATION_LIST(NAME)};
    return names[relation];
}

const char *mr_session_where_name(enum mr_session_where where)
{
    static const char *const names[] = {MR_SESSION_WHERE_LIST(NAME)};
    return names[where];
}
