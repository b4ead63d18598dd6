/* SPDX-License-Identifier: Apache-2.0 */
/* Chunked prefill as in Sarathi, rule for rule Vidur's: decodes first, never refused for tokens;
 * then prompts being read, in order, with what is left of the step's tokens; then the queue. A
 * reading that gets nothing leads the next running list, by arrival; the others follow in the order
 * of the batch.
 *
 * A request that is restarted in the middle of its prompt goes on as if what it had read were the
 * prompt and the rest were output: a quirk, kept because recorded runs have it. */
#include "engine/base/assert.h"
#include "engine/serve/policy.h"
#include "engine/serve/policy_walk.h"

/* Readings without a chunk to the front of the running list, by arrival; the others to its end. */
static void reorder(struct mr_instance *instance)
{
    uint32_t after = MR_CALL_NONE;
    bool any_skipped = false;
    for (size_t i = 0; i < instance->n_part; i++)
        any_skipped |= instance->part[i].chunk == 0;
    if (!any_skipped && !instance->is_reordered)
        return;
    for (size_t i = 0; i < instance->n_part; i++) {
        const uint32_t call = instance->part[i].call;
        mr_instance_unlink(instance, call);
        if (instance->part[i].chunk > 0) {
            mr_instance_link_after(instance, call, instance->tail);
            continue;
        }
        /* few: behind those that came before it */
        uint32_t place = after;
        const double arrived_s = mr_instance_call(instance, call)->arrived_s;
        while (place != MR_CALL_NONE && mr_instance_call(instance, place)->arrived_s > arrived_s)
            place = mr_instance_link(instance, place)->previous;
        mr_instance_link_after(instance, call, place);
        after = place == after ? call : after;
    }
    instance->is_reordered = any_skipped;
}

/* The order of `part` is that of the running list. */
static void sort_parts(struct mr_instance *instance)
{
    size_t n = 0;
    if (!instance->is_reordered)
        return;
    for (uint32_t call = instance->head; call != MR_CALL_NONE && n < instance->n_part;
         call = mr_instance_link(instance, call)->next)
        if (mr_instance_call(instance, call)->state == MR_CALL_READING)
            instance->part[n++].call = call;
    MR_ASSERT(n == instance->n_part);
}

static bool admits(const struct mr_instance *instance, uint64_t n_free)
{
    uint64_t tokens = mr_instance_decode_tokens(instance);
    for (size_t i = 0; i < instance->n_part; i++)
        tokens += instance->part[i].chunk;
    return instance->n_run < instance->serving->batch_max &&
           tokens < instance->serving->token_max && mr_policy_walk_has_room(instance, n_free);
}

static mr_status form(struct mr_instance *instance, struct mr_err *err)
{
    const struct mr_serving *serving = instance->serving;
    MR_TRY(mr_policy_walk_decodes(instance, err));
    uint64_t tokens = mr_instance_decode_tokens(instance);
    sort_parts(instance);
    for (size_t i = 0; i < instance->n_part; i++) {
        const struct mr_call *c = mr_instance_call(instance, instance->part[i].call);
        const uint64_t left = tokens < serving->token_max ? serving->token_max - tokens : 0;
        const uint32_t rest = c->n_prompt - c->n_read;
        instance->part[i].chunk = rest < left ? rest : (uint32_t)left;
        tokens += instance->part[i].chunk;
    }
    reorder(instance);
    while (mr_instance_has_prompt(instance) && instance->n_run < serving->batch_max &&
           tokens < serving->token_max && mr_policy_walk_has_room(instance, instance->n_free)) {
        const struct mr_call *c = mr_instance_call(instance, mr_instance_waiting(instance));
        const uint64_t left = serving->token_max - tokens;
        const uint32_t chunk = c->n_prompt < left ? c->n_prompt : (uint32_t)left;
        instance->n_free -= mr_blocks_of(&instance->blocks, c->n_prompt);
        MR_TRY(mr_instance_admit(instance, chunk, err));
        tokens += chunk;
    }
    return MR_OK;
}

const struct mr_policy mr_policy_sarathi = {
    .name = "sarathi",
    .doc = "chunked prefill, prompts' blocks taken at once",
    .form = form,
    .admits = admits,
    .reserve = mr_policy_walk_reserve,
    .takes_blocks = true,
    .spare_blocks = 1,
};
