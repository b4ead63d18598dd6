/* SPDX-License-Identifier: Apache-2.0 */
/* Whole blocks are read, what is beyond them would be computed again anyway; and one token more, so
 * that the last of them counts as found. */
#include "engine/serve/cell_ahead.h"

#include "engine/base/mem.h"
#include "engine/serve/call_path.h"
#include "engine/serve/instance_cache.h"

mr_status mr_cell_ahead_want(struct mr_cell *cell, const struct mr_ticket *ticket,
                             struct mr_err *err)
{
    const struct mr_serving *serving = cell->plan.serving;
    const uint64_t known_tok = (uint64_t)ticket->n_prompt + ticket->n_output;
    const uint32_t next = ticket->next - 1;
    uint32_t n_block = mr_cache_whole(known_tok, serving->block_tokens);
    if (cell->split != NULL || !serving->has_cache)
        return MR_OK;
    if (n_block > cell->calls.script->context[next].n_block)
        n_block = cell->calls.script->context[next].n_block;
    if (n_block == 0)
        return MR_OK;
    MR_TRY(mr_grow(&cell->ahead, &cell->cap_ahead, cell->n_ahead + 1, sizeof *cell->ahead, err));
    cell->ahead[cell->n_ahead++] =
        (struct mr_ticket){.id = ticket->id,
                           .session = ticket->session,
                           .n_prompt = n_block * serving->block_tokens + 1,
                           .n_output = 1,
                           .context = ticket->next,
                           .space = ticket->space,
                           .instance = ticket->instance,
                           .prefill = MR_ROUTER_NOWHERE,
                           .tier = ticket->tier,
                           .is_alone = true,
                           .is_ahead = true};
    return MR_OK;
}

static mr_status begin(struct mr_cell *cell, const struct mr_ticket *ticket, double now_s,
                       struct mr_err *err)
{
    struct mr_instance *instance = &cell->instance[ticket->instance];
    const struct mr_call fresh = {.arrived_s = now_s,
                                  .n_prompt = ticket->n_prompt,
                                  .n_output = 1,
                                  .space = ticket->space,
                                  .context = ticket->context - 1,
                                  .is_scripted = true,
                                  .number = (uint32_t)ticket->id,
                                  .rank = MR_QUEUE_RANKS - 1};
    const uint64_t found = mr_instance_cache_found(instance, &fresh);
    uint32_t call;
    if (found + 1 >= ticket->n_prompt ||
        mr_tree_key(&cell->router.load, ticket->instance) == MR_TREE_NEVER ||
        !mr_instance_can_hold(instance, ticket->n_prompt, 1))
        return MR_OK;
    MR_TRY(mr_cell_take_call(cell, &call, err));
    mr_cell_keep_ticket(cell, call, ticket);
    cell->calls.call[call] = fresh;
    cell->ahead_counts.n_begun++;
    mr_cell_inside(cell, 1, now_s);
    return mr_cell_send(cell, call, instance, now_s, err);
}

mr_status mr_cell_ahead_begin(struct mr_cell *cell, double now_s, struct mr_err *err)
{
    while (cell->n_ahead > 0) {
        const struct mr_ticket ticket = cell->ahead[--cell->n_ahead];
        MR_TRY(begin(cell, &ticket, now_s, err));
    }
    return MR_OK;
}

void mr_cell_ahead_ended(struct mr_cell *cell, uint32_t call)
{
    const struct mr_call *c = &cell->calls.call[call];
    cell->ahead_counts.n_ended++;
    cell->ahead_counts.n_tok += mr_cell_ticket(cell, call).n_prompt - c->n_cached;
    mr_call_path_give(&cell->calls, &cell->calls.call[call]);
    mr_call_give_back(&cell->calls, call);
}
