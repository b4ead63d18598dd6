/* SPDX-License-Identifier: Apache-2.0 */
/* Assertions for programmers. They stay on in every shipped build, print where the simulation stood
 * and abort. Never for user input: that returns a status (status.h). */
#ifndef MR_ENGINE_BASE_ASSERT_H
#define MR_ENGINE_BASE_ASSERT_H

#include "engine/base/status.h"

#include <stdint.h>

#define MR_ASSERT(cond) ((cond) ? (void)0 : mr_assert_fail(#cond, __FILE__, __LINE__, __func__))

/* What a failed assertion prints beside its expression. The clock keeps it current. */
struct mr_assert_context {
    double now_s;
    uint64_t n_event, seed;
};

/** Lend the run's position to failing assertions; NULL takes it back. The one mutable static of the
 *  program: it is read on the way to abort() and never by a model. One run per process. */
void mr_assert_context_set(const struct mr_assert_context *context);

MR_NORETURN void mr_assert_fail(const char *cond, const char *file, int line, const char *function);

#endif
