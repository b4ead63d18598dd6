/* SPDX-License-Identifier: Apache-2.0 */
/* A call that one instance begins and another goes on with: it leaves after its prompt, its blocks
 * are held until what is in them has been copied; where it arrives its prompt counts as computed.
 * There it waits in the queue like any other, in order. It joins when there is a slot, and blocks
 * for its context, for its first step and for those of all that decode already, so that its coming
 * restarts nobody. While it waits its keys and values wait beside the blocks, in memory of the host
 * that is not counted. Restarted, it reads its prompt and what it has made where it is. */
#ifndef MR_ENGINE_SERVE_HANDOVER_H
#define MR_ENGINE_SERVE_HANDOVER_H

#include "engine/serve/instance.h"

/* ---- the instance it leaves ---- */

/** Its prompt has ended: out of the batch, blocks held. */
void mr_handover_leave(struct mr_instance *instance, uint32_t call);

/** Its keys and values have been copied: the blocks are free, and who waits for them may begin.
 *  Times as for mr_instance_arrive. */
MR_CHECKED mr_status mr_handover_release(struct mr_instance *instance, uint32_t call, double now_s,
                                         struct mr_err *err);

/** Blocks of a call that has read its prompt and is in no step: free within the segment. */
MR_CHECKED mr_status mr_handover_give_back(struct mr_instance *instance, uint32_t call,
                                           double now_s, struct mr_err *err);

/* ---- the instance it comes to ---- */

/** A call that has left another instance arrives, as with mr_instance_arrive. */
MR_CHECKED mr_status mr_handover_arrive(struct mr_instance *instance, uint32_t call, double now_s,
                                        struct mr_err *err);

/** Tokens of a prompt that the instance has cached and need neither be computed nor sent. What is
 *  cached gives way to the blocks that have been taken by now, whatever the length of the segment.
 *  @param[in] call need not have come */
uint64_t mr_handover_found(struct mr_instance *instance, const struct mr_call *call, double now_s);

/** What is cached gives way to the blocks that have been taken by now: whatever is counted of
 * caches and the memories below them is the same for any length of segments. */
void mr_handover_settle(struct mr_instance *instance, double now_s);

/** Blocks that are free at a time within the segment. Changes nothing. */
uint64_t mr_handover_free(const struct mr_instance *instance, double now_s);

/* ---- for segments ---- */

/** Could the head of the queue, its prompt computed, join a step that begins with `n_free` blocks
 * at a decode clock? */
bool mr_handover_joins(const struct mr_instance *instance, uint64_t n_free, uint64_t clock);

/** Let them join while they can: before the step is formed. */
MR_CHECKED mr_status mr_handover_join(struct mr_instance *instance, struct mr_err *err);

/** Could one join after the step that has been formed? A prompt stood before it in the queue. */
bool mr_handover_joins_next(const struct mr_instance *instance);

#endif
