/* SPDX-License-Identifier: Apache-2.0 */
/* The bounds of a parameter table applied to a struct that code filled: texts are checked where
 * they are read, values that come from cards or from another room are checked here. */
#ifndef MR_THERMAL_LIMITS_H
#define MR_THERMAL_LIMITS_H

#include "engine/base/param.h"

/** Refuse the first quantity or count that is not finite or outside of its row's bounds.
 *  @param[in] what names the object in the message, e.g. `dry_cooler "X1"` */
MR_CHECKED mr_status mr_limits_check(const char *what, const struct mr_param_table *table,
                                     const void *object, struct mr_err *err);

#endif
