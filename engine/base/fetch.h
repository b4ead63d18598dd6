/* SPDX-License-Identifier: Apache-2.0 */
/* Bringing lines near the processor before they are needed. No effect on results. */
#ifndef MR_ENGINE_BASE_FETCH_H
#define MR_ENGINE_BASE_FETCH_H

/* For functions that do nothing else: gcc takes them to be without effect, and drops calls of them
 * unless they are always part of their callers. */
#define MR_FETCH static inline __attribute__((always_inline))

/** A line that will be written. Any address will do. */
MR_FETCH void mr_fetch(const void *line)
{
    __builtin_prefetch(line, 1);
}

#endif
