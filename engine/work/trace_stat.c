/* SPDX-License-Identifier: Apache-2.0 */
/* Where ids are a session's own, what was seen is forgotten with it. */
#include "engine/work/trace_stat.h"

#include "engine/base/mem.h"

#include <math.h>

/* Leading blocks of the context seen before; then all of them are. */
static mr_status add_seen(struct mr_trace_stat *stat, const struct mr_session_context *context,
                          uint32_t keep, struct mr_err *err)
{
    uint32_t hit = 0, at = 0;
    bool is_hit = true;
    for (size_t i = 0; i < context->n_run; i++) {
        struct mr_session_run named = context->run[i], *const run = &named;
        if (run->is_minted) /* the session's own in any scope */
            run->id |= stat->sessions << 32;
        const uint32_t n = !is_hit               ? 0
                           : at + run->n <= keep ? run->n
                                                 : mr_trace_seen_count(&stat->seen, run);
        hit += n;
        is_hit = is_hit && n == run->n;
        at += run->n;
        MR_TRY(mr_trace_seen_add(&stat->seen, run, err));
    }
    stat->hits += hit;
    return MR_OK;
}

static mr_status add_call(struct mr_trace_stat *stat, const struct mr_session *session,
                          const struct mr_session_node *node, struct mr_err *err)
{
    const struct mr_session_llm *llm = &session->llm[node->i];
    struct mr_session_context *context = &stat->context[node->lane];
    const bool is_root = node->lane == 0;
    stat->calls++;
    stat->root_calls += is_root;
    stat->input_tok += llm->n_input;
    stat->root_input_tok += is_root ? llm->n_input : 0;
    stat->output_tok += llm->n_output;
    stat->root_output_tok += is_root ? llm->n_output : 0;
    if (llm->n_input > stat->input_max_tok)
        stat->input_max_tok = llm->n_input;
    stat->blocks += llm->n_block;
    stat->keep += llm->keep;
    stat->runs += llm->n_run;
    if (llm->base != MR_SESSION_NONE) {
        stat->transitions++;
        stat->resets += 2 * (uint64_t)llm->keep < mr_session_llm_of(session, llm->base)->n_block;
    }
    MR_TRY(mr_session_context_move(context, session, (uint32_t)(node - session->node), err));
    return add_seen(stat, context, llm->keep, err);
}

static void add_arrival(struct mr_trace_stat *stat, double arrival_s)
{
    if (isnan(arrival_s))
        return;
    if (stat->arrivals == 0) {
        stat->first_s = arrival_s;
        stat->ticks = 1;
    } else {
        const double gap_s = arrival_s - stat->before_s;
        stat->gap_sum_s += gap_s;
        stat->gap_square_s2 += gap_s * gap_s;
        stat->ticks += gap_s > 0;
        stat->unordered += gap_s < 0;
    }
    stat->last_s = stat->arrivals == 0 ? arrival_s : fmax(stat->last_s, arrival_s);
    stat->first_s = fmin(stat->first_s, arrival_s);
    stat->before_s = arrival_s;
    stat->arrivals++;
}

mr_status mr_trace_stat_add(struct mr_trace_stat *stat, const struct mr_session *session,
                            const struct mr_session_book *book, struct mr_err *err)
{
    const size_t before = stat->cap_context;
    MR_TRY(
        mr_grow(&stat->context, &stat->cap_context, session->n_lane, sizeof *stat->context, err));
    for (size_t i = before; i < stat->cap_context; i++)
        stat->context[i] = (struct mr_session_context){0};
    for (size_t i = 0; i < session->n_lane; i++)
        mr_session_context_cut(&stat->context[i], 0);
    stat->sessions++;
    stat->lanes += session->n_lane > 0 ? session->n_lane - 1 : 0;
    stat->tools += session->n_tool;
    stat->thinks += session->n_think;
    stat->mems += session->n_mem;
    for (size_t i = 0; i < session->n_tool; i++)
        if (!isnan(session->tool[i].wall_s))
            stat->tool_s += session->tool[i].wall_s;
    for (size_t i = 0; i < session->n_think; i++)
        stat->think_s += session->think[i].s;
    add_arrival(stat, session->head.arrival_s);
    for (size_t i = 0; i < session->n_node; i++)
        if (session->node[i].kind == MR_SESSION_LLM)
            MR_TRY(add_call(stat, session, &session->node[i], err));
    if (!book->is_global) {
        stat->ids += stat->seen.n_id;
        stat->ids_once += stat->seen.n_once;
        mr_trace_seen_clear(&stat->seen);
    }
    return MR_OK;
}

void mr_trace_stat_end(struct mr_trace_stat *stat)
{
    stat->ids += stat->seen.n_id;
    stat->ids_once += stat->seen.n_once;
}

double mr_trace_stat_gap_cv(const struct mr_trace_stat *stat)
{
    if (stat->arrivals < 3 || stat->gap_sum_s <= 0)
        return (double)NAN;
    const double n = (double)(stat->arrivals - 1), mean = stat->gap_sum_s / n;
    return sqrt(fmax(0, stat->gap_square_s2 / n - mean * mean)) / mean;
}

void mr_trace_stat_fini(struct mr_trace_stat *stat)
{
    for (size_t i = 0; i < stat->cap_context; i++)
        mr_session_context_fini(&stat->context[i]);
    mr_free(stat->context);
    mr_trace_seen_fini(&stat->seen);
}
