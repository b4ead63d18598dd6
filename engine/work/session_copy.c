/* SPDX-License-Identifier: Apache-2.0 */
/* Field by field: structures have gaps. */
#include "engine/work/session_copy.h"

#include "engine/base/mem.h"

#include <math.h>

mr_status mr_session_copy(const struct mr_session *from, struct mr_session *to, struct mr_err *err)
{
    mr_session_reset(to);
#define COPY(name, type)                                                                \
    MR_TRY(mr_grow(&to->name, &to->cap_##name, from->n_##name, sizeof *to->name, err)); \
    if (from->n_##name > 0)                                                             \
        memcpy(to->name, from->name, from->n_##name * sizeof *to->name);                \
    to->n_##name = from->n_##name;
    MR_SESSION_ARRAY_LIST(COPY)
#undef COPY
    const size_t n = from->n_lane;
    MR_TRY(mr_grow(&to->lane_llm, &to->cap_lane_llm, n, sizeof *to->lane_llm, err));
    MR_TRY(mr_grow(&to->lane_node, &to->cap_lane_node, n, sizeof *to->lane_node, err));
    if (n > 0) {
        memcpy(to->lane_llm, from->lane_llm, n * sizeof *to->lane_llm);
        memcpy(to->lane_node, from->lane_node, n * sizeof *to->lane_node);
    }
    mr_buf_add(&to->text, from->text.text, from->text.n);
    to->head = from->head;
    to->n_minted = from->n_minted;
    return mr_buf_check(&to->text, err);
}

static bool is_same(double a, double b)
{
    return a == b || (isnan(a) && isnan(b));
}

static bool is_same_text(const struct mr_session *a, uint32_t a_at, const struct mr_session *b,
                         uint32_t b_at)
{
    const char *x = mr_session_text(a, a_at), *y = mr_session_text(b, b_at);
    return x == NULL || y == NULL ? x == y : strcmp(x, y) == 0;
}

static bool is_same_head(const struct mr_session *a, const struct mr_session *b)
{
    const struct mr_session_head *x = &a->head, *y = &b->head;
    return is_same(x->arrival_s, y->arrival_s) && is_same(x->ttft_s, y->ttft_s) &&
           is_same(x->tpot_s, y->tpot_s) && is_same(x->deadline_s, y->deadline_s) &&
           is_same_text(a, x->id, b, y->id) && is_same_text(a, x->cron, b, y->cron) &&
           is_same_text(a, x->extra, b, y->extra) && x->tenant == y->tenant && x->tier == y->tier &&
           x->shared_tok == y->shared_tok && x->priority == y->priority;
}

static bool is_same_llm(const struct mr_session *a, const struct mr_session_llm *x,
                        const struct mr_session *b, const struct mr_session_llm *y)
{
    bool is = x->model == y->model && x->n_input == y->n_input && x->n_output == y->n_output &&
              x->n_reason == y->n_reason && x->base == y->base && x->keep == y->keep &&
              x->n_block == y->n_block && x->n_run == y->n_run && x->hint == y->hint &&
              is_same_text(a, x->name, b, y->name) && is_same_text(a, x->extra, b, y->extra) &&
              is_same(x->start_s, y->start_s) && is_same(x->service_s, y->service_s) &&
              is_same(x->ttft_s, y->ttft_s);
    for (uint32_t i = 0; is && i < x->n_run; i++) {
        const struct mr_session_run *p = &a->run[x->run + i], *q = &b->run[y->run + i];
        is = p->id == q->id && p->n == q->n && p->is_minted == q->is_minted;
    }
    return is;
}

static bool is_same_side(const struct mr_session *a, const struct mr_session *b)
{
    bool is = true;
    for (size_t i = 0; is && i < a->n_hint; i++) {
        const struct mr_session_hint *x = &a->hint[i], *y = &b->hint[i];
        is = is_same(x->ttl_s, y->ttl_s) && x->n_expected == y->n_expected &&
             x->priority == y->priority && x->strict == y->strict && x->is_truth == y->is_truth &&
             x->has_priority == y->has_priority && x->has_strict == y->has_strict &&
             x->is_final == y->is_final && x->prefills == y->prefills;
    }
    for (size_t i = 0; is && i < a->n_tool; i++) {
        const struct mr_session_tool *x = &a->tool[i], *y = &b->tool[i];
        is = is_same(x->cpu_s, y->cpu_s) && is_same(x->wall_s, y->wall_s) &&
             is_same(x->memory_mb, y->memory_mb) && is_same(x->io_mb, y->io_mb) &&
             is_same(x->net_mb, y->net_mb) && x->class == y->class && x->n_output == y->n_output &&
             x->where == y->where && x->is_error == y->is_error;
    }
    for (size_t i = 0; is && i < a->n_think; i++)
        is = a->think[i].s == b->think[i].s && a->think[i].is_uncapped == b->think[i].is_uncapped;
    for (size_t i = 0; is && i < a->n_mem; i++)
        is = a->mem[i].read_mb == b->mem[i].read_mb && a->mem[i].write_mb == b->mem[i].write_mb &&
             a->mem[i].tier == b->mem[i].tier;
    for (size_t i = 0; is && i < a->n_lane; i++)
        is = is_same_text(a, a->lane[i].name, b, b->lane[i].name) &&
             a->lane[i].n_tool_tok == b->lane[i].n_tool_tok &&
             a->lane[i].n_system_tok == b->lane[i].n_system_tok;
    for (size_t i = 0; is && i < a->n_shared; i++)
        is = a->shared[i] == b->shared[i];
    return is;
}

bool mr_session_is_equal(const struct mr_session *a, const struct mr_session *b)
{
    bool is = is_same_head(a, b);
#define COUNT(name, type) is = is && a->n_##name == b->n_##name;
    MR_SESSION_ARRAY_LIST(COUNT)
#undef COUNT
    for (size_t i = 0; is && i < a->n_node; i++) {
        const struct mr_session_node *x = &a->node[i], *y = &b->node[i];
        is = x->id == y->id && x->i == y->i && x->n_after == y->n_after && x->lane == y->lane &&
             x->kind == y->kind;
        for (uint32_t k = 0; is && k < x->n_after; k++) {
            const struct mr_session_after *p = &a->after[x->after + k],
                                          *q = &b->after[y->after + k];
            is = p->delay_s == q->delay_s && p->node == q->node && p->relation == q->relation &&
                 p->is_dispatch == q->is_dispatch;
        }
    }
    for (size_t i = 0; is && i < a->n_llm; i++)
        is = is_same_llm(a, &a->llm[i], b, &b->llm[i]);
    return is && is_same_side(a, b);
}
