/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions that outlive the reader's: copies, and whether two are the same. */
#ifndef MR_ENGINE_WORK_SESSION_COPY_H
#define MR_ENGINE_WORK_SESSION_COPY_H

#include "engine/work/session.h"

/** A copy of everything. @param[in,out] to initialized; its arrays are reused */
MR_CHECKED mr_status mr_session_copy(const struct mr_session *from, struct mr_session *to,
                                     struct mr_err *err);

/** Same content: texts by their letters, NaN equal to NaN; books must be the same. */
bool mr_session_is_equal(const struct mr_session *a, const struct mr_session *b);

#endif
