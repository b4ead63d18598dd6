/* SPDX-License-Identifier: Apache-2.0 */
/* The next segment of an instance whose batch is formed: what its steps cost, and how many there
 * are until something may change. */
#ifndef MR_ENGINE_SERVE_INSTANCE_SEGMENT_H
#define MR_ENGINE_SERVE_INSTANCE_SEGMENT_H

#include "engine/serve/instance.h"

/** A segment of one step begins now: its batch, durations and joules. */
void mr_instance_segment_price(struct mr_instance *instance, double now_s);

/** As many steps as the batch stays as it is. */
void mr_instance_segment_choose(struct mr_instance *instance);

/** Of n steps those before the first kink of their durations. */
uint64_t mr_instance_segment_within(const struct mr_instance *instance, uint64_t n);

#endif
