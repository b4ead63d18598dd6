/* SPDX-License-Identifier: Apache-2.0 */
/* The walk of Vidur's schedulers over the running list when blocks are scarce: shared by sarathi
 * and vllm0. A decoding request may be in the step only if at least one block is free, even if it
 * needs none; otherwise the last request that the walk has not reached is restarted, or itself. */
#ifndef MR_ENGINE_SERVE_POLICY_WALK_H
#define MR_ENGINE_SERVE_POLICY_WALK_H

#include "engine/serve/instance.h"

/** Take the blocks of this step's decodes: at once where they suffice, else walking. */
MR_CHECKED mr_status mr_policy_walk_decodes(struct mr_instance *instance, struct mr_err *err);

/** Blocks that admissions leave alone are free beside those of the head of the queue. */
bool mr_policy_walk_has_room(const struct mr_instance *instance, uint64_t n_free);

/** All blocks of a prompt are taken at admission. */
uint64_t mr_policy_walk_reserve(const struct mr_instance *instance, uint32_t n_prompt,
                                uint32_t n_output);

#endif
