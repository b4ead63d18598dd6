/* SPDX-License-Identifier: Apache-2.0 */
/* Batching policies: who is in the next step. One file each, behind one small table. */
#ifndef MR_ENGINE_SERVE_POLICY_H
#define MR_ENGINE_SERVE_POLICY_H

#include "engine/serve/instance.h"

struct mr_policy {
    const char *name, *doc;

    /** Choose the next batch: take blocks, admit, restart. On return `part` holds the prompts of
     *  the step with their chunks, `decodes` says whether the decoding requests are in it. */
    mr_status (*form)(struct mr_instance *instance, struct mr_err *err);

    /** Could the head of the queue join a step that begins with `n_free` blocks, n_run as is? */
    bool (*admits)(const struct mr_instance *instance, uint64_t n_free);

    /** Blocks a call holds from its admission on, as far as they do not come one by one. */
    uint64_t (*reserve)(const struct mr_instance *instance, uint32_t n_prompt, uint32_t n_output);

    bool takes_blocks;     /* decodes take blocks one by one; else the reserve is all */
    bool reads_whole;      /* prompts are never cut */
    bool reads_in_pieces;  /* reading calls hold only the blocks they have read into */
    uint32_t spare_blocks; /* must be free after each step of a leap */
    uint32_t n_unread;     /* of y, tokens a decode does not read: 0, or 1 (the newest) */
};

/** All of them, in the order of the documentation; NULL after the last. */
const struct mr_policy *mr_policy_at(size_t i);

extern const struct mr_policy mr_policy_sarathi, mr_policy_vllm0, mr_policy_vllm1, mr_policy_orca,
    mr_policy_static;

/* ---- what a step takes ---- */

/** Tokens of a step that all decodes take, drafts included. */
static inline uint64_t mr_instance_decode_tokens(const struct mr_instance *instance)
{
    return (uint64_t)instance->finish.n * (1 + instance->serving->accept.n_draft);
}

/** Blocks that the decodes take in `n_step` steps from a clock on. */
static inline uint64_t mr_instance_demand(const struct mr_instance *instance, uint64_t clock,
                                          uint64_t n_step)
{
    const uint64_t from = mr_instance_made(instance, clock);
    return mr_blocks_demand_of(&instance->blocks, from,
                               mr_instance_made(instance, clock + n_step) - from);
}

/** Blocks that one decoding call takes in the step at the segment's start. */
static inline uint64_t mr_instance_takes(const struct mr_instance *instance,
                                         const struct mr_call *call)
{
    const uint64_t stored = mr_instance_known(instance, call) - 1;
    const uint64_t more = mr_instance_made(instance, instance->clock + 1) -
                          mr_instance_made(instance, instance->clock);
    return mr_blocks_of(&instance->blocks, stored + more) - mr_blocks_of(&instance->blocks, stored);
}

#endif
