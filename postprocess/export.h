/* SPDX-License-Identifier: Apache-2.0 */
/* What a result file holds in formats that other tools read. A table is a group of the file: its
 * rows are those of its first axis, or each pair of a time and an entity. Text goes to the caller
 * in pieces, so a table may be larger than memory. */
#ifndef MR_POSTPROCESS_EXPORT_H
#define MR_POSTPROCESS_EXPORT_H

#include "postprocess/runread.h"

/* name, word, sentence */
#define MR_EXPORT_LIST(X)                                                              \
    X(CSV, "csv", "rows with a header")                                                \
    X(JSONL, "jsonl", "one JSON object per row")                                       \
    X(DSX, "dsx", "one JSON object per value that has a name in DSX Exchange")         \
    X(TRACE, "trace", "calls, loads and events for a Chrome or Perfetto trace viewer") \
    X(REQUESTS, "requests", "dynamo.request.trace.v1, one event per call that ended")

enum mr_export_format {
#define MR_EXPORT_ENUM(name, word, doc) MR_EXPORT_##name,
    MR_EXPORT_LIST(MR_EXPORT_ENUM)
#undef MR_EXPORT_ENUM
    MR_EXPORT_N
};

/* Takes every piece. */
struct mr_export_sink {
    mr_status (*take)(void *context, struct mr_str text, struct mr_err *err);
    void *context;
};

/** "racks  50 rows x 12 rack  power_kw [kW], ..." for each table. */
void mr_export_list(const struct mr_runread *run, struct mr_buf *out);

/** A table as CSV, JSONL or DSX. @param[in] name group without its first '/', "plant/rejection" */
MR_CHECKED mr_status mr_export_table(struct mr_runread *run, const char *name,
                                     enum mr_export_format format,
                                     const struct mr_export_sink *sink, struct mr_err *err);

/** All tables with names in DSX Exchange, one after the other. @return MR_REF when there is none */
MR_CHECKED mr_status mr_export_dsx(struct mr_runread *run, const struct mr_export_sink *sink,
                                   struct mr_err *err);

/** The whole run as TRACE or REQUESTS. @return MR_REF when the file lacks what it needs */
MR_CHECKED mr_status mr_export_run(struct mr_runread *run, enum mr_export_format format,
                                   const struct mr_export_sink *sink, struct mr_err *err);

#endif
