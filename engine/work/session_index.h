/* SPDX-License-Identifier: Apache-2.0 */
/* Dense places of sessions by their numbers, which may be any: tables beside it grow with how many
 * sessions there are, not with the largest number, nor with those that were forgotten.
 * Zero-initialize. */
#ifndef MR_ENGINE_WORK_SESSION_INDEX_H
#define MR_ENGINE_WORK_SESSION_INDEX_H

#include "engine/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mr_session_index {
    uint64_t *slot;   /* open addressing: number << 32 | place + 1; 0: empty */
    size_t n_slot;    /* a power of two */
    uint32_t *number; /* by place; of a free one: the next free one, + 1 */
    size_t cap;
    uint32_t n;    /* places ever used */
    uint32_t free; /* + 1; 0: none */
    uint32_t n_free;
};

/** Place of a session, one that is free or the next one when it is new. @param[in] session below
 * UINT32_MAX */
MR_CHECKED mr_status mr_session_index_at(struct mr_session_index *index, uint32_t session,
                                         uint32_t *place, struct mr_err *err);

/** Forget all sessions but some: their places are free. @param[in] is_kept [n], by place;
 *  false for those that are free already */
void mr_session_index_keep(struct mr_session_index *index, const bool *is_kept);
void mr_session_index_fini(struct mr_session_index *index);

#endif
