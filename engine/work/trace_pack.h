/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions in binary: the same as Millrace's own form, several times faster to read. A file is
 *
 *   8 bytes        the magic
 *   u32            version
 *   u32 n, n bytes the book: names, block size, prices
 *   u32 n, n bytes one session; as often as there are sessions
 *   u32 0, u64     the end, number of sessions
 *   u32            CRC-32 of all bytes before
 *
 * Numbers that stand alone are little endian. Inside, whole numbers take seven bits to a byte, the
 * lowest first; times and amounts eight bytes; what is not known is left out, a bit says so. A
 * reader trusts nothing: sizes, indices and order are those of a session that is built call by
 * call, and the sum is looked at where the file ends. gzip is fine. */
#ifndef MR_ENGINE_WORK_TRACE_PACK_H
#define MR_ENGINE_WORK_TRACE_PACK_H

#include "engine/work/session.h"

enum {
    MR_TRACE_PACK_MAGIC = 8, /* bytes */
    MR_TRACE_PACK_VERSION = 1
};

extern const char mr_trace_pack_magic[MR_TRACE_PACK_MAGIC + 1];

struct mr_trace_pack {
    struct mr_buf record;
    uint64_t n_session;
    uint32_t crc;
};

/** Onto a growing buffer that the caller empties; its status is the caller's to check.
 *  @param[in] book with all names of the sessions to come */
void mr_trace_pack_begin(struct mr_trace_pack *pack, struct mr_buf *buf,
                         const struct mr_session_book *book);

/** @return MR_OK, MR_NOMEM, MR_LIMIT (a session of 4 GB) */
MR_CHECKED mr_status mr_trace_pack_add(struct mr_trace_pack *pack, struct mr_buf *buf,
                                       const struct mr_session *session, struct mr_err *err);

/** The end of the file, and of the packer. */
void mr_trace_pack_end(struct mr_trace_pack *pack, struct mr_buf *buf);

/** Without an end. */
void mr_trace_pack_abort(struct mr_trace_pack *pack);

#endif
