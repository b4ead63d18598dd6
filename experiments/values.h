/* SPDX-License-Identifier: Apache-2.0 */
/* Values of a factor as they are typed: "4:8:2" or "10 MW:30 MW:5 MW" from, to and step, "a, b, c"
 * one by one. */
#ifndef MR_EXPERIMENTS_VALUES_H
#define MR_EXPERIMENTS_VALUES_H

#include "engine/base/arena.h"

/** Append to a list. @param[in] what for messages: "--over"
 *  @param[in,out] value array of texts in the arena; owned by the caller: mr_free
 *  @return MR_OK, MR_PARSE, MR_UNIT, MR_RANGE, MR_LIMIT (more than n_max), MR_NOMEM */
MR_CHECKED mr_status mr_values_read(struct mr_str text, const char *what, size_t n_max,
                                    struct mr_arena *texts, const char ***value, size_t *n,
                                    size_t *cap, struct mr_err *err);

#endif
