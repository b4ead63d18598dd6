/* SPDX-License-Identifier: Apache-2.0 */
/* What a prompt has to wait for at an instance: an estimate from what its gateway may know. Prompts
 * before it are read at the pace of full steps; what decodes meanwhile is not counted. */
#ifndef MR_ENGINE_SERVE_INSTANCE_WAIT_H
#define MR_ENGINE_SERVE_INSTANCE_WAIT_H

#include "engine/serve/instance.h"

/** Of a prompt that comes: tokens that are in HBM, and those that are worth loading from below. */
uint32_t mr_instance_wait_found(struct mr_instance *instance, const struct mr_call *call,
                                double now_s);

/** Of a call that waits: tokens that are still to be read, as far as is known. */
static inline uint32_t mr_instance_wait_rest(const struct mr_call *call)
{
    return call->is_computed ? 0 : call->n_prompt - call->n_read;
}

/** Tokens of prompts that wait or are being read, without those that have been read by now. */
uint64_t mr_instance_wait_tok(const struct mr_instance *instance, double now_s);

/** The same without looking at the progress of those being read: it changes with the batch only,
 *  so that it can be kept. */
uint64_t mr_instance_wait_whole_tok(const struct mr_instance *instance);

/** Tokens of prompts a second in full steps. */
double mr_instance_wait_pace_tok_s(const struct mr_serving *serving);

/** Seconds of a step, at the clock of now, of all that decode by now, one more behind `context`
 * tokens unless that is 0, and `n` tokens of a prompt behind `before` cached ones unless that is 0.
 */
double mr_instance_wait_step_s(const struct mr_instance *instance, double context, double before,
                               double n, double now_s);

/** Seconds to read `n` tokens behind `before` cached ones, in one piece, at the full clock. */
double mr_instance_wait_read_s(const struct mr_serving *serving, double before, double n);

/** Tokens of a step that read in so many seconds, behind `before` cached ones. */
uint32_t mr_instance_wait_within(const struct mr_serving *serving, double before, double step_s);

/** What a decoding call with a context of n tokens adds to the step of the others: reading it. */
double mr_instance_wait_beside_s(const struct mr_serving *serving, double n);

#endif
