/* SPDX-License-Identifier: Apache-2.0 */
/* Contexts are kept per call while a session is lowered: bases may lie in other lanes. */
#include "engine/work/lower.h"

#include "engine/base/mem.h"
#include "engine/base/rng.h"
#include "engine/work/script_hint.h"
#include "engine/work/session_context.h"
#include "engine/work/tool_class.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum {
    class_tok = 1024 /* prompts of tools: sizes within this are one size */
};

/* A quarter of all names each: ids as they stand, names that no file knows, numbers of ids that are
 * too large, and what calls know beyond their runs. */
static const uint64_t quarter = UINT64_C(1) << 30;

void mr_lower_init(struct mr_lower *lower, const struct mr_lower_plan *plan,
                   struct mr_script *script)
{
    *lower = (struct mr_lower){.plan = *plan, .script = script};
}

void mr_lower_fini(struct mr_lower *lower)
{
    for (size_t i = 0; i < lower->cap_blocks; i++)
        mr_session_context_fini(&lower->blocks[i]);
    for (size_t i = 0; i < lower->cap_large; i++)
        mr_session_context_fini(&lower->large[i]);
    mr_intern_fini(&lower->prefix);
    mr_intern_fini(&lower->hint);
    mr_block_names_fini(&lower->names);
    mr_coarse_fini(&lower->coarse);
    mr_script_names_fini(&lower->sequence);
    mr_free(lower->blocks);
    mr_free(lower->large);
    mr_free(lower->alias);
    mr_free(lower->run);
    mr_free(lower->after);
    mr_free(lower->context);
    mr_free(lower->last);
    *lower = (struct mr_lower){0};
}

/* ---- names ---- */

static mr_status space_of(struct mr_lower *lower, const char *name, uint32_t *space,
                          struct mr_err *err)
{
    MR_TRY(mr_intern_add(&lower->prefix, mr_str_of(name), space, err));
    ++*space;
    if (*space > lower->script->n_space)
        lower->script->n_space = *space;
    return MR_OK;
}

static mr_status add_run(struct mr_lower *lower, struct mr_script_run run, size_t *n,
                         struct mr_err *err)
{
    MR_TRY(mr_grow(&lower->run, &lower->cap_run, *n + 1, sizeof *lower->run, err));
    lower->run[(*n)++] = run;
    return MR_OK;
}

/* Prefixes that the session names, then, if asked, its tools and system prompt.
 * @param[out] own blocks of its own that these stand for */
static mr_status add_shared(struct mr_lower *lower, const struct mr_session *session,
                            const struct mr_session_book *book, uint32_t node, size_t *n,
                            uint32_t *own, struct mr_err *err)
{
    const uint32_t b = lower->plan.block_tok;
    const struct mr_session_llm *llm = mr_session_llm_of(session, node);
    uint64_t tok = 0;
    char name[96];
    uint32_t space;
    *own = 0;
    for (size_t i = 0; i < session->n_shared; i++) {
        const uint64_t from = tok / b;
        tok += book->prefix_tok[session->shared[i]];
        snprintf(name, sizeof name, "%u named %u", llm->model, session->shared[i]);
        MR_TRY(space_of(lower, name, &space, err));
        if (tok / b > from)
            MR_TRY(add_run(lower, (struct mr_script_run){space, 0, (uint32_t)(tok / b - from)}, n,
                           err));
    }
    const struct mr_session_lane *lane = &session->lane[session->node[node].lane];
    const uint32_t prompt_tok = lane->n_tool_tok + lane->n_system_tok;
    if (!lower->plan.shares || session->n_shared > 0 || prompt_tok < b)
        return MR_OK;
    *own = prompt_tok / b;
    snprintf(name, sizeof name, "%u prompt %u", llm->model, prompt_tok / class_tok);
    MR_TRY(space_of(lower, name, &space, err));
    return add_run(lower, (struct mr_script_run){space, 0, *own}, n, err);
}

/* ---- contexts ---- */

/* New blocks of a call, each of `per` engine blocks. Ids whose names would lie beyond the first
 * quarter get numbers, which begin where the third does. */
static mr_status add_new(struct mr_lower *lower, struct mr_session_context *blocks,
                         struct mr_session_run run, uint32_t per, struct mr_err *err)
{
    const uint64_t end = quarter / per, base = (2 * quarter + per - 1) / per;
    const uint32_t n_small = run.id >= end          ? 0
                             : run.n < end - run.id ? run.n
                                                    : (uint32_t)(end - run.id);
    if (run.is_minted && n_small < run.n)
        return mr_err_set(err, MR_LIMIT, MR_NOWHERE,
                          "a session with more than 2^30 blocks that no file names");
    MR_TRY(mr_session_context_add(blocks, (struct mr_session_run){run.id, n_small, run.is_minted},
                                  err));
    for (uint32_t i = n_small; i < run.n; i++) {
        uint32_t number;
        MR_TRY(mr_block_names_of(&lower->names, run.id + i, &number, err));
        if ((base + number + 1) * per > 3 * quarter)
            return mr_err_set(
                err, MR_LIMIT, MR_NOWHERE,
                "block %llu: more than 2^30 engine blocks have ids that are too large "
                "to be names",
                (unsigned long long)run.id + i);
        MR_TRY(mr_session_context_add(blocks, (struct mr_session_run){.id = base + number, .n = 1},
                                      err));
    }
    return MR_OK;
}

/* The first alias that ends behind an id; n_alias: there is none. */
static size_t alias_behind(const struct mr_lower *lower, uint32_t id)
{
    size_t from = 0, to = lower->n_alias;
    while (from < to) {
        const size_t mid = from + (to - from) / 2;
        if (lower->alias[mid].id + lower->alias[mid].n > id)
            to = mid;
        else
            from = mid + 1;
    }
    return from;
}

/* Those of a damaged file may overlap: the first one stays. */
static mr_status add_alias(struct mr_lower *lower, struct mr_lower_alias alias, struct mr_err *err)
{
    const size_t at = alias_behind(lower, alias.id);
    if (at < lower->n_alias && lower->alias[at].id < alias.id + alias.n)
        return MR_OK;
    MR_TRY(
        mr_grow(&lower->alias, &lower->cap_alias, lower->n_alias + 1, sizeof *lower->alias, err));
    memmove(&lower->alias[at + 1], &lower->alias[at], (lower->n_alias - at) * sizeof *lower->alias);
    lower->alias[at] = alias;
    lower->n_alias++;
    return MR_OK;
}

/* Engine blocks that no file names, under the names that they are known by. */
static mr_status add_minted(struct mr_lower *lower, uint32_t id, uint32_t n_block, size_t *n,
                            struct mr_err *err)
{
    for (size_t i = alias_behind(lower, id); n_block > 0;) {
        const struct mr_lower_alias *alias = i < lower->n_alias ? &lower->alias[i] : NULL;
        struct mr_script_run run = {0, id, n_block};
        if (alias != NULL && alias->id <= id) {
            const uint32_t passed = id - alias->id, left = alias->n - passed;
            run.id = alias->name + passed;
            run.n = n_block < left ? n_block : left;
            i++;
        } else if (alias != NULL && alias->id - id < n_block) {
            run.n = alias->id - id;
        }
        MR_TRY(add_run(lower, run, n, err));
        id += run.n;
        n_block -= run.n;
    }
    return MR_OK;
}

/* A call that adds blocks of no name to all of its base goes on with what the base made.
 * @param[in] blocks the call's, `kept` of them the base's, each of `per` engine blocks
 * @param[in] n_front engine blocks that stand before `blocks` */
static mr_status follow_output(struct mr_lower *lower, const struct mr_session *session,
                               const struct mr_session_llm *llm,
                               const struct mr_session_context *blocks, uint32_t kept, uint32_t per,
                               uint64_t n_front, struct mr_err *err)
{
    const struct mr_session_llm *base =
        llm->base != MR_SESSION_NONE ? mr_session_llm_of(session, llm->base) : NULL;
    if (base == NULL || llm->keep != base->n_block || llm->n_run != 1 ||
        !session->run[llm->run].is_minted || blocks->n_block <= kept)
        return MR_OK;
    const struct mr_script *script = lower->script;
    const struct mr_script_context before =
        script->context[lower->context[session->node[llm->base].i]];
    const struct mr_session_run *last = &blocks->run[blocks->n_run - 1];
    const uint32_t n_new = blocks->n_block - kept;
    if (before.n_block != n_front + (uint64_t)kept * per || !last->is_minted || last->n < n_new)
        return MR_OK;
    const uint64_t n_tok = (uint64_t)(base->n_input > 0 ? base->n_input : 1) +
                           (base->n_output > 0 ? base->n_output : 1);
    const uint64_t n_known = n_tok / lower->plan.block_tok, n_all = (uint64_t)n_new * per;
    const uint64_t n_made = n_known > before.n_block ? n_known - before.n_block : 0;
    const struct mr_script_run *end =
        before.n_run > 0 ? &script->run[before.run + before.n_run - 1] : NULL;
    const struct mr_lower_alias alias = {
        .id = (uint32_t)(quarter + (last->id + last->n - n_new) * per),
        .n = (uint32_t)(n_made < n_all ? n_made : n_all),
        .name = end != NULL && end->space == 0 ? end->id + end->n : before.n_block};
    return alias.n > 0 && alias.id != alias.name ? add_alias(lower, alias, err) : MR_OK;
}

/* Blocks of the recording cut into the engine's, the first `skip` of which are shared. */
static mr_status add_fine(struct mr_lower *lower, const struct mr_session_book *book,
                          const struct mr_session_context *blocks, uint32_t per, uint32_t skip,
                          size_t *n, struct mr_err *err)
{
    uint32_t space = 0;
    if (book->is_global)
        MR_TRY(space_of(lower, "all", &space, err));
    for (size_t i = 0; i < blocks->n_run; i++) {
        const struct mr_session_run *r = &blocks->run[i];
        const uint64_t n_block = (uint64_t)r->n * per;
        const uint64_t id = r->id * per + (r->is_minted ? quarter : 0);
        const uint32_t cut = n_block < skip ? (uint32_t)n_block : skip;
        skip -= cut;
        if (n_block > cut && r->is_minted)
            MR_TRY(add_minted(lower, (uint32_t)id + cut, (uint32_t)n_block - cut, n, err));
        else if (n_block > cut)
            MR_TRY(add_run(
                lower, (struct mr_script_run){space, (uint32_t)id + cut, (uint32_t)n_block - cut},
                n, err));
    }
    return MR_OK;
}

/* What a call keeps of the context of its base; NULL: it has none. */
static mr_status keep(struct mr_session_context *own, const struct mr_session_context *base,
                      uint32_t n_block, struct mr_err *err)
{
    mr_session_context_cut(own, 0);
    for (size_t k = 0; base != NULL && k < base->n_run; k++)
        MR_TRY(mr_session_context_add(own, base->run[k], err));
    mr_session_context_cut(own, n_block);
    return MR_OK;
}

static mr_status add_context(struct mr_lower *lower, const struct mr_session *session,
                             const struct mr_session_book *book, uint32_t node, uint32_t *context,
                             struct mr_err *err)
{
    const uint32_t i = session->node[node].i, b = lower->plan.block_tok, t = book->block_tok;
    const struct mr_session_llm *llm = &session->llm[i];
    const uint32_t base =
        llm->base != MR_SESSION_NONE ? session->node[llm->base].i : MR_SESSION_NONE;
    struct mr_session_context *blocks = &lower->blocks[i], *large = &lower->large[i];
    size_t n = 0;
    uint32_t own;
    MR_TRY(add_shared(lower, session, book, node, &n, &own, err));
    uint64_t n_front = 0;
    for (size_t k = 0; k < n; k++)
        n_front += lower->run[k].n;
    n_front -= own; /* which stand for blocks of the call */
    MR_TRY(keep(blocks, base != MR_SESSION_NONE ? &lower->blocks[base] : NULL, llm->keep, err));
    if (t % b == 0) { /* 0: no blocks at all */
        const uint32_t per = t == 0 ? 1 : t / b;
        for (uint32_t k = 0; k < llm->n_run; k++)
            MR_TRY(add_new(lower, blocks, session->run[llm->run + k], per, err));
        MR_TRY(follow_output(lower, session, llm, blocks, llm->keep, per, n_front, err));
        MR_TRY(add_fine(lower, book, blocks, per, own, &n, err));
    } else if (b % t == 0) {
        for (uint32_t k = 0; k < llm->n_run; k++)
            MR_TRY(mr_session_context_add(blocks, session->run[llm->run + k], err));
        MR_TRY(keep(large, base != MR_SESSION_NONE ? &lower->large[base] : NULL,
                    llm->keep / (b / t), err));
        const uint32_t kept = large->n_block;
        MR_TRY(mr_coarse_gather(&lower->coarse, blocks, b / t, large, err));
        MR_TRY(follow_output(lower, session, llm, large, kept, 1, n_front, err));
        MR_TRY(add_fine(lower, book, large, 1, own, &n, err));
    } else {
        return mr_err_set(err, MR_RANGE, MR_NOWHERE,
                          "blocks of %u tokens in the trace and %u in the engine: one must divide "
                          "the other",
                          t, b);
    }
    const uint32_t lane = session->node[node].lane;
    MR_TRY(mr_script_context_add(lower->script, lower->run, n, lower->last[lane], context, err));
    lower->context[i] = lower->last[lane] = *context;
    return MR_OK;
}

/* ---- nodes ---- */

/* Its own, with the session's priority where it says none. */
static mr_status lower_hint(struct mr_lower *lower, const struct mr_session *session,
                            const struct mr_session_llm *llm, uint16_t *out, struct mr_err *err)
{
    struct mr_session_hint hint = {.ttl_s = (double)NAN};
    if (llm->hint == MR_SESSION_NONE && session->head.priority == 0)
        return MR_OK;
    if (llm->hint != MR_SESSION_NONE)
        hint = session->hint[llm->hint];
    if (!hint.has_priority)
        hint.priority = session->head.priority;
    const struct mr_script_hint own = {.priority = hint.priority,
                                       .is_strict = hint.strict > 0,
                                       .is_final = hint.is_final,
                                       .prefills = hint.prefills,
                                       .n_expected = hint.n_expected,
                                       .ttl_s = isnan(hint.ttl_s) ? 0 : (float)hint.ttl_s};
    MR_TRY(mr_script_hint_add(lower->script, &lower->hint, &own, out, err));
    lower->n_no_hint += *out == 0;
    return MR_OK;
}

static double draw(const struct mr_lower *lower, uint32_t node, uint64_t i)
{
    const uint64_t bits = mr_rng_u64_at(lower->plan.seed, MR_RNG_SESSION,
                                        (uint64_t)lower->script->n_session << 32 | node, i);
    return ((double)(bits >> 12) + 0.5) * 0x1p-52;
}

static void lower_tool(const struct mr_lower *lower, const struct mr_session_book *book,
                       const struct mr_session_tool *tool, uint32_t node,
                       struct mr_script_node *out)
{
    const struct mr_str name = tool->class != MR_SESSION_NONE
                                   ? mr_intern_str(&book->class, tool->class)
                                   : (struct mr_str){"", 0};
    const struct mr_tool_class *class = mr_tool_class_of(name, draw(lower, node, 0));
    double wall_s = tool->wall_s, cpu_s = tool->cpu_s;
    if (isnan(wall_s))
        wall_s = isnan(cpu_s) ? mr_tool_class_draw_s(class, draw(lower, node, 1)) : cpu_s;
    if (isnan(cpu_s))
        cpu_s = wall_s * class->core_frac;
    out->where = tool->where & 3u; /* of enum mr_script_where there are three */
    out->is_error = tool->is_error;
    out->tool.work_s = (float)cpu_s;
    out->tool.wait_s = (float)fmax(0, wall_s - cpu_s);
    out->tool.memory_mb = isnan(tool->memory_mb) ? 0 : (float)tool->memory_mb;
}

/* A session's start and that of a call are dates, not pauses. */
static double delay_of(const struct mr_lower_plan *plan, const struct mr_session_after *after)
{
    double delay_s = after->delay_s;
    if (after->node == MR_SESSION_NONE || after->is_dispatch)
        return delay_s;
    if (plan->gap_factor > 0)
        delay_s *= plan->gap_factor;
    return plan->gap_cap_s > 0 ? fmin(delay_s, plan->gap_cap_s) : delay_s;
}

/* Of a model for which the file names a card, and another one than that which serves. Models of
 * recordings have none: what serves stands for them. */
static bool is_of_other_llm(const struct mr_lower *lower, const struct mr_session_book *book,
                            uint32_t model)
{
    if (lower->plan.llm == NULL || model == MR_SESSION_NONE)
        return false;
    const struct mr_str card = mr_intern_str(&book->card, book->model_card[model]);
    return !mr_str_eq(card, mr_intern_str(&book->model, model)) &&
           !mr_str_is(card, lower->plan.llm);
}

static mr_status lower_node(struct mr_lower *lower, const struct mr_session *session,
                            const struct mr_session_book *book, uint32_t i, struct mr_err *err)
{
    const struct mr_session_node *node = &session->node[i];
    struct mr_script_node out = {.lane = node->lane, .offset_s = (float)NAN};
    MR_TRY(mr_grow(&lower->after, &lower->cap_after, node->n_after + 1, sizeof *lower->after, err));
    for (uint32_t k = 0; k < node->n_after; k++) {
        const struct mr_session_after *a = &session->after[node->after + k];
        lower->after[k] =
            (struct mr_script_after){a->node == MR_SESSION_NONE ? MR_SCRIPT_NONE : a->node,
                                     (float)delay_of(&lower->plan, a), a->is_dispatch};
    }
    switch ((enum mr_session_kind)node->kind) {
    case MR_SESSION_LLM: {
        const struct mr_session_llm *llm = &session->llm[node->i];
        out.kind = MR_SCRIPT_LLM;
        out.llm.n_input = llm->n_input > 0 ? llm->n_input : 1;
        out.llm.n_output = llm->n_output > 0 ? llm->n_output : 1;
        out.offset_s = (float)llm->start_s;
        lower->n_other_llm += is_of_other_llm(lower, book, llm->model);
        MR_TRY(lower_hint(lower, session, llm, &out.hint, err));
        MR_TRY(add_context(lower, session, book, i, &out.llm.context, err));
        break;
    }
    case MR_SESSION_TOOL:
        out.kind = MR_SCRIPT_TOOL;
        lower_tool(lower, book, &session->tool[node->i], i, &out);
        break;
    case MR_SESSION_THINK:
        out.kind = MR_SCRIPT_THINK;
        out.think.s = (float)session->think[node->i].s;
        out.is_uncapped = session->think[node->i].is_uncapped;
        break;
    case MR_SESSION_MEM:
        out.kind = MR_SCRIPT_MEM;
        out.mem.read_mb = (float)session->mem[node->i].read_mb;
        out.mem.write_mb = (float)session->mem[node->i].write_mb;
        break;
    }
    MR_TRY(mr_script_node_add(lower->script, &out, lower->after, node->n_after, err));
    if (node->kind == MR_SESSION_LLM)
        lower->script->service_s[lower->script->n_node - 1] =
            (float)session->llm[node->i].service_s;
    return MR_OK;
}

static bool is_too_long(const struct mr_lower *lower, const struct mr_session *session)
{
    for (size_t i = 0; i < session->n_llm; i++)
        if (lower->plan.input_max > 0 &&
            (uint64_t)session->llm[i].n_input + session->llm[i].n_output > lower->plan.input_max)
            return true;
    return false;
}

static mr_status make_room(struct mr_lower *lower, size_t n_llm, size_t n_lane, struct mr_err *err)
{
    size_t before = lower->cap_blocks;
    MR_TRY(mr_grow(&lower->last, &lower->cap_last, n_lane, sizeof *lower->last, err));
    for (size_t i = 0; i < n_lane; i++)
        lower->last[i] = MR_SCRIPT_NONE;
    MR_TRY(mr_grow(&lower->context, &lower->cap_context, n_llm, sizeof *lower->context, err));
    MR_TRY(mr_grow(&lower->blocks, &lower->cap_blocks, n_llm, sizeof *lower->blocks, err));
    for (size_t i = before; i < lower->cap_blocks; i++)
        lower->blocks[i] = (struct mr_session_context){0};
    before = lower->cap_large;
    MR_TRY(mr_grow(&lower->large, &lower->cap_large, n_llm, sizeof *lower->large, err));
    for (size_t i = before; i < lower->cap_large; i++)
        lower->large[i] = (struct mr_session_context){0};
    return MR_OK;
}

/* Place of a name among those that there are, plus 1; 0: none was said, or nobody asks.
 * @return MR_REF: it is none of them */
static mr_status find_name(const char *what, const struct mr_intern *names, uint32_t i,
                           const char *const *known, size_t n_known, uint32_t *out,
                           struct mr_err *err)
{
    char quoted[MR_QUOTE_CAP], hint[96];
    *out = 0;
    if (i == MR_SESSION_NONE || n_known == 0)
        return MR_OK;
    const struct mr_str name = mr_intern_str(names, i);
    for (size_t k = 0; k < n_known; k++)
        if (known[k] != NULL && mr_str_is(name, known[k])) {
            *out = (uint32_t)k + 1;
            return MR_OK;
        }
    mr_text_hint(name, known, n_known, hint, sizeof hint);
    return mr_err_set(err, MR_REF, MR_NOWHERE, "session: there is no <%s> named \"%s\"%s", what,
                      mr_text_quote(name, quoted), hint);
}

/* Many sessions have the same schedule. */
static mr_status add_cron(struct mr_script *script, const char *text, uint32_t *out,
                          struct mr_err *err)
{
    struct mr_cron cron;
    MR_TRY(mr_cron_parse(text, &cron, err));
    for (*out = 1; *out <= script->n_cron; ++*out) {
        const struct mr_cron *c = &script->cron[*out - 1];
        if (c->minute == cron.minute && c->hour == cron.hour && c->day == cron.day &&
            c->month == cron.month && c->weekday == cron.weekday &&
            c->is_any_day == cron.is_any_day)
            return MR_OK;
    }
    MR_TRY(
        mr_grow(&script->cron, &script->cap_cron, script->n_cron + 1, sizeof *script->cron, err));
    script->cron[script->n_cron++] = cron;
    return MR_OK;
}

static float promise(double time_s)
{
    return isnan(time_s) ? 0 : (float)time_s;
}

/* What a session says of itself. */
static mr_status lower_head(struct mr_lower *lower, const struct mr_session *session,
                            const struct mr_session_book *book, struct mr_script_session *own,
                            struct mr_err *err)
{
    const struct mr_lower_plan *plan = &lower->plan;
    const struct mr_session_head *head = &session->head;
    uint32_t tier;
    MR_TRY(find_name("tier", &book->tier, head->tier, plan->tier, plan->n_tier, &tier, err));
    MR_TRY(find_name("tenant", &book->tenant, head->tenant, plan->tenant, plan->n_tenant,
                     &own->tenant, err));
    lower->n_no_tenant += head->tenant != MR_SESSION_NONE && plan->n_tenant == 0;
    own->has_tier = tier > 0;
    own->tier = own->has_tier ? (uint8_t)(tier - 1) : 0;
    own->ttft_s = promise(head->ttft_s);
    own->tpot_s = promise(head->tpot_s);
    own->deadline_s = promise(head->deadline_s);
    if (head->cron != MR_SESSION_NONE)
        MR_TRY(add_cron(lower->script, mr_session_text(session, head->cron), &own->cron, err));
    return MR_OK;
}

mr_status mr_lower_add(struct mr_lower *lower, const struct mr_session *session,
                       const struct mr_session_book *book, struct mr_err *err)
{
    struct mr_script_session own = {.arrival_s = session->head.arrival_s};
    if (is_too_long(lower, session)) {
        lower->n_left_out++;
        return MR_OK;
    }
    MR_TRY(lower_head(lower, session, book, &own, err));
    MR_TRY(make_room(lower, session->n_llm, session->n_lane, err));
    lower->n_alias = 0;
    if (!book->is_global) {
        mr_block_names_clear(&lower->names);
        mr_coarse_clear(&lower->coarse);
    }
    MR_TRY(mr_script_session_begin(lower->script, &own, err));
    for (uint32_t i = 0; i < session->n_node; i++)
        MR_TRY(lower_node(lower, session, book, i, err));
    MR_TRY(mr_script_names_join(&lower->sequence, lower->script, lower->plan.block_tok, err));
    return mr_script_session_end(lower->script, err);
}
