/* SPDX-License-Identifier: Apache-2.0 */
/* Which sessions matter to a cell: those with a call inside, and those of which some instance has
 * blocks cached. Of all others it knows no more than where they were last: it may forget them, and
 * their places may be given to others. */
#ifndef MR_ENGINE_SERVE_CELL_SESSIONS_H
#define MR_ENGINE_SERVE_CELL_SESSIONS_H

#include "engine/serve/cell.h"

/** Forget the sessions that do not matter. Costs as much as there are sessions, calls and extents:
 *  to be asked when there are twice as many sessions as were kept the last time.
 *  @param[in] n places of sessions in use are below it @param[out] is_kept [n] */
MR_CHECKED mr_status mr_cell_sessions_forget(struct mr_cell *cell, uint32_t n, bool *is_kept,
                                             struct mr_err *err);

#endif
