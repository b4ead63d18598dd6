/* SPDX-License-Identifier: Apache-2.0 */
/* Background work: calls that yield run in what others leave, and are stopped when one that does
 * not yield waits for a slot, for blocks or for tokens of the step. They keep what they have made,
 * and of what they have computed what the prefix cache keeps. None is stopped for nothing: only if
 * all of them together make enough room. Within a segment that room only shrinks, for those who
 * stay take blocks; so who finds too little at one boundary need not look again before its end.
 *
 * They are let in only while blocks are left for the contexts of others (yield_spare), unless
 * nobody runs. Beside others steps of decodes stay short (yield_step_s): no more of them are let in
 * than that, and who comes first among them stops as many as make steps too long; alone they run as
 * others do. Their prompts are read in pieces that keep steps short, too (yield_token_max). A piece
 * that does not end its prompt is the step's last, as one that fills the step is. */
#ifndef MR_ENGINE_SERVE_YIELD_H
#define MR_ENGINE_SERVE_YIELD_H

#include "engine/serve/instance.h"

/** Does the head of the queue come before somebody that runs? */
static inline bool mr_yield_may(const struct mr_instance *instance)
{
    return instance->n_yield > 0 && instance->queue.n > 0 &&
           !mr_instance_call(instance, mr_instance_waiting(instance))->yields;
}

/** Tokens of a prompt that a step with so many tokens already has room for. */
static inline uint32_t mr_yield_tokens(const struct mr_instance *instance,
                                       const struct mr_call *call, uint64_t tokens)
{
    const uint32_t left = instance->serving->token_max - (uint32_t)tokens;
    const uint32_t most = instance->serving->yield_token_max;
    return call->yields && most > 0 && most < left ? most : left;
}

/** May the head of the queue begin, if it yields: do only those run that do, or would steps of all
 *  that decode and read, with it, be short enough (yield_step_s)? Prompts whose contexts are on
 *  their way are not counted. */
bool mr_yield_has_time(const struct mr_instance *instance);

/** Stop calls that yield, the last of the running list first, until there is a slot, `n_block`
 *  blocks are free and steps are short or none of them runs, if mr_yield_may.
 *  @param[in] is_formed the step's decodes have taken their blocks: prompts being read stay
 *  @return MR_OK, or what restarting a call met */
MR_CHECKED mr_status mr_yield_make_room(struct mr_instance *instance, uint64_t n_block,
                                        bool is_formed, struct mr_err *err);

/** The prompt being read would fill the step: if it yields, and `n_block` blocks can be had, it is
 *  stopped. Decodes have taken their blocks. */
MR_CHECKED mr_status mr_yield_stop_reading(struct mr_instance *instance, uint64_t n_block,
                                           struct mr_err *err);

#endif
