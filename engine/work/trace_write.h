/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions as text: Millrace's own form, which keeps everything, and two for other people's tools.
 * Agentic Mooncake v2 has no place for tools, thinks, tiers and prefixes: their time goes into
 * delays. Request traces have calls and tools with dates, and nothing of what waits for what. What
 * is lost is counted. Call by call onto a growing buffer that the caller empties. */
#ifndef MR_ENGINE_WORK_TRACE_WRITE_H
#define MR_ENGINE_WORK_TRACE_WRITE_H

#include "engine/work/trace.h"
#include "engine/work/trace_lost.h"

/* Where a workload comes from, for its header. NULL: not said. */
struct mr_trace_source {
    const char *format, *digest, *license;
};

/** @return buf->status is the caller's to check, for all of these */
void mr_trace_write_header(struct mr_buf *buf, const struct mr_session_book *book,
                           const struct mr_trace_source *source);
void mr_trace_write_session(struct mr_buf *buf, const struct mr_session_book *book,
                            const struct mr_session *session);

/** A time in ms with the fewest digits that read back to the same double in s. */
void mr_trace_write_ms(struct mr_buf *buf, double value_s);

void mr_trace_write_agentic_header(struct mr_buf *buf, const struct mr_session_book *book,
                                   const struct mr_trace_source *source);

/** @param[in,out] lost what has no place @param[in] number of the session, for its name
 *  @return MR_OK, MR_NOMEM, MR_LIMIT (ids that are not written: more than 2^32 blocks) */
MR_CHECKED mr_status mr_trace_write_agentic(struct mr_buf *buf, const struct mr_session_book *book,
                                            const struct mr_session *session, uint64_t number,
                                            struct mr_trace_lost *lost, struct mr_err *err);

/** Mooncake rows of one session: a lane is one of theirs. Parameters as of mr_trace_write_agentic.
 */
MR_CHECKED mr_status mr_trace_write_mooncake(struct mr_buf *buf, const struct mr_session_book *book,
                                             const struct mr_session *session, uint64_t number,
                                             struct mr_trace_lost *lost, struct mr_err *err);

/** Events of one session, in the order of its nodes. Parameters as of mr_trace_write_agentic. */
MR_CHECKED mr_status mr_trace_write_request(struct mr_buf *buf, const struct mr_session_book *book,
                                            const struct mr_session *session, uint64_t number,
                                            struct mr_trace_lost *lost, struct mr_err *err);

struct mr_json;

/** The next recorded session of a coding agent, plain or packed, as a line of one of the two, with
 *  all its members as they stand. @param[out] has_more false at the end of the file */
MR_CHECKED mr_status mr_trace_write_weka(struct mr_json *json, bool packs, struct mr_buf *buf,
                                         bool *has_more, struct mr_err *err);

#endif
