/* SPDX-License-Identifier: Apache-2.0 */
/* What agents say about their calls, once for each kind of saying it; and priorities, which are any
 * numbers, as the few classes that a queue tells apart. */
#ifndef MR_ENGINE_WORK_SCRIPT_HINT_H
#define MR_ENGINE_WORK_SCRIPT_HINT_H

#include "engine/base/intern.h"
#include "engine/work/script.h"

/* Classes of priority: 0 is that of calls that say none. */
enum {
    MR_SCRIPT_LEVEL_MIN = -8,
    MR_SCRIPT_LEVEL_MAX = 7,
    MR_SCRIPT_HINTS = UINT16_MAX /* kinds of a script */
};

/** Place of a hint, added when it is new.
 *  @param[in,out] kinds of this script's; zero-initialize, mr_intern_fini
 *  @param[out] out 0: there are MR_SCRIPT_HINTS others */
MR_CHECKED mr_status mr_script_hint_add(struct mr_script *script, struct mr_intern *kinds,
                                        const struct mr_script_hint *hint, uint16_t *out,
                                        struct mr_err *err);

/** Set all levels, when all hints are there: every priority has a class of its own, in order,
 *  where there are as few above and below 0 as classes; else neighbours share one.
 *  @param[out] n_above, n_below different priorities above and below 0 */
MR_CHECKED mr_status mr_script_hint_levels(struct mr_script *script, size_t *n_above,
                                           size_t *n_below, struct mr_err *err);

#endif
