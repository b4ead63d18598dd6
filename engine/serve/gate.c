/* SPDX-License-Identifier: Apache-2.0 */
/* Calls of a tier have the same patience, so the first of a line has its first deadline. */
#include "engine/serve/gate.h"

#include "engine/base/mem.h"
#include "engine/serve/cell.h"

#include <math.h>

void mr_gate_init(struct mr_cell *cell)
{
    struct mr_gate *gate = &cell->gate;
    const struct mr_cell_plan *plan = &cell->plan;
    gate->next_s = (double)INFINITY;
    for (uint32_t tier = 0; tier < 256; tier++) {
        uint32_t at = gate->n_order;
        if (!(plan->patience_s[tier] > 0))
            continue;
        for (; at > 0 && plan->rank[gate->order[at - 1]] > plan->rank[tier]; at--)
            gate->order[at] = gate->order[at - 1];
        gate->order[at] = (uint8_t)tier;
        gate->n_order++;
    }
}

void mr_gate_fini(struct mr_gate *gate)
{
    for (uint32_t k = 0; k < gate->n_order; k++)
        mr_free(gate->line[gate->order[k]].call);
}

static uint32_t first_of(const struct mr_gate_line *line)
{
    return line->call[line->first];
}

static void drop_first(struct mr_gate *gate, struct mr_gate_line *line)
{
    line->first = line->first + 1 < line->cap ? line->first + 1 : 0;
    line->n--;
    gate->n--;
}

static double deadline_s(const struct mr_cell *cell, uint8_t tier)
{
    return cell->calls.call[first_of(&cell->gate.line[tier])].arrived_s +
           cell->plan.patience_s[tier];
}

/* When must anybody be asked? A bucket that was found short is asked a moment later at the soonest,
 * whatever its sums round to. */
static void plan_next(struct mr_cell *cell, double now_s)
{
    struct mr_gate *gate = &cell->gate;
    gate->next_s = (double)INFINITY;
    for (uint32_t k = 0; k < gate->n_order && gate->n > 0; k++) {
        const uint8_t tier = gate->order[k];
        if (gate->line[tier].n == 0)
            continue;
        const struct mr_call *first = &cell->calls.call[first_of(&gate->line[tier])];
        const double full_s =
            mr_admission_full_s(&cell->admission[tier], &cell->plan.admission[tier],
                                (double)first->n_prompt + first->n_output);
        gate->next_s = fmin(gate->next_s, deadline_s(cell, tier));
        if (full_s > now_s - 1e-9)
            gate->next_s = fmin(gate->next_s, fmax(full_s, now_s + 1e-9));
    }
}

mr_status mr_gate_hold(struct mr_cell *cell, uint32_t call, double now_s, struct mr_err *err)
{
    struct mr_gate *gate = &cell->gate;
    struct mr_gate_line *line = &gate->line[cell->stub[call].tier];
    if (line->n == line->cap) { /* unrolled into a larger one */
        const size_t cap = line->cap > 0 ? 2 * line->cap : 16;
        uint32_t *larger = mr_alloc(cap, sizeof *larger);
        if (larger == NULL)
            return mr_err_nomem(err, cap * sizeof *larger);
        for (size_t i = 0; i < line->n; i++)
            larger[i] = line->call[(line->first + i) % line->cap];
        mr_free(line->call);
        *line = (struct mr_gate_line){.call = larger, .n = line->n, .cap = cap};
    }
    line->call[(line->first + line->n++) % line->cap] = call;
    gate->n++;
    plan_next(cell, now_s);
    return MR_OK;
}

mr_status mr_gate_ask(struct mr_cell *cell, double now_s, struct mr_err *err)
{
    struct mr_gate *gate = &cell->gate;
    gate->has_left = false;
    for (uint32_t k = 0; k < gate->n_order; k++) {
        const uint8_t tier = gate->order[k];
        while (gate->line[tier].n > 0) {
            const uint32_t call = first_of(&gate->line[tier]);
            const bool is_last = deadline_s(cell, tier) <= now_s;
            bool is_settled = false;
            if (is_last) /* before it is told: others may come then */
                drop_first(gate, &gate->line[tier]);
            MR_TRY(mr_cell_ask_again(cell, call, is_last, now_s, &is_settled, err));
            if (!is_settled)
                break;
            if (!is_last)
                drop_first(gate, &gate->line[tier]);
        }
    }
    plan_next(cell, now_s);
    return MR_OK;
}
