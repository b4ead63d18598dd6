/* SPDX-License-Identifier: Apache-2.0 */
/* One list of what is counted, less what a format keeps. */
#include "engine/work/trace_lost.h"

#include <math.h>

/* How many of these are said? */
static uint64_t n_true(const bool *field, size_t n)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += field[i];
    return sum;
}

#define N_TRUE(...) n_true((const bool[]){__VA_ARGS__}, sizeof(const bool[]){__VA_ARGS__})

void mr_trace_lost_add(struct mr_trace_lost *lost, const struct mr_session *session, unsigned keeps)
{
    const struct mr_session_head *head = &session->head;
    const bool keeps_tool = (keeps & MR_TRACE_KEEPS_TOOL) != 0,
               keeps_priority = (keeps & MR_TRACE_KEEPS_PRIORITY) != 0,
               keeps_record = (keeps & MR_TRACE_KEEPS_RECORD) != 0,
               keeps_extra = (keeps & MR_TRACE_KEEPS_EXTRA) != 0;
    lost->owner += N_TRUE(head->tenant != MR_SESSION_NONE, head->tier != MR_SESSION_NONE,
                          head->cron != MR_SESSION_NONE, head->priority != 0, !isnan(head->ttft_s),
                          !isnan(head->tpot_s), !isnan(head->deadline_s));
    lost->extra += head->extra != MR_SESSION_NONE;
    lost->prefix += session->n_shared;
    lost->mem += session->n_mem;
    lost->tool += keeps_tool ? 0 : session->n_tool;
    for (size_t i = 0; i < session->n_tool; i++) {
        const struct mr_session_tool *tool = &session->tool[i];
        lost->need +=
            N_TRUE(tool->where != MR_SESSION_CPU, !isnan(tool->memory_mb), !isnan(tool->io_mb),
                   !isnan(tool->net_mb), !isnan(tool->cpu_s) && !isnan(tool->wall_s));
    }
    for (size_t i = 0; i < session->n_hint; i++) {
        const struct mr_session_hint *hint = &session->hint[i];
        lost->hint +=
            N_TRUE(!isnan(hint->ttl_s), hint->n_expected > 0, hint->prefills,
                   !keeps_priority && hint->priority != 0, !keeps_priority && hint->strict > 0,
                   (keeps & MR_TRACE_KEEPS_FINAL) == 0 && hint->is_final);
    }
    for (size_t i = 0; i < session->n_llm; i++) {
        const struct mr_session_llm *llm = &session->llm[i];
        lost->record += keeps_record ? 0 : N_TRUE(!isnan(llm->service_s), !isnan(llm->ttft_s));
        lost->reason += llm->n_reason > 0;
        lost->extra += !keeps_extra && llm->extra != MR_SESSION_NONE;
    }
}

uint64_t mr_trace_lost_total(const struct mr_trace_lost *lost)
{
#define SUM(name, doc) +lost->name
    return 0 MR_TRACE_LOST_LIST(SUM);
#undef SUM
}
