/* SPDX-License-Identifier: Apache-2.0 */
/* The bounds of a parameter table applied to a struct that code filled: texts are checked where
 * they are read, values that come from cards or from another room are checked here. */
#ifndef MR_THERMAL_LIMITS_H
#define MR_THERMAL_LIMITS_H

#include "engine/base/card.h"

/* Where the default of a row comes from; one entry per row, in the order of the rows. */
struct mr_limits_source {
    const char *row;
    enum mr_confidence confidence;
    const char *source;
};

/* A parameter table whose defaults have sources. */
struct mr_limits_table {
    struct mr_param_table param;
    const struct mr_limits_source *source;
};

/** Fill the struct with the defaults of its rows. Tables of at most 64 rows. */
void mr_limits_defaults(const struct mr_param_table *table, void *object);

/** Refuse the first quantity or count that is not finite or outside of its row's bounds.
 *  @param[in] what names the object in the message, e.g. `dry_cooler "X1"` */
MR_CHECKED mr_status mr_limits_check(const char *what, const struct mr_param_table *table,
                                     const void *object, struct mr_err *err);

#endif
