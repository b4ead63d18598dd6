/* SPDX-License-Identifier: Apache-2.0 */
/* Workload files of many formats, told apart by their content, read one session at a time; plain or
 * gzip. Formats whose rows of one session stand apart are gathered: they need memory for all their
 * rows, 100 B each and 16 B per run of blocks. All others need one session's. Every error names
 * file and line. What a file has and no session can hold is counted, never guessed in silence. */
#ifndef MR_ENGINE_WORK_TRACE_H
#define MR_ENGINE_WORK_TRACE_H

#include "engine/work/session.h"

/* Time of a sub-agent's entry in recordings that name one only. */
#define MR_TRACE_BASIS_LIST(X)                                             \
    X(AUTO, "auto", "what fits the calls around it, each entry by itself") \
    X(START, "start", "its start")                                         \
    X(END, "end", "its end: it started by its duration before")

enum mr_trace_basis {
#define MR_TRACE_BASIS_ENUM(name, text, doc) MR_TRACE_BASIS_##name,
    MR_TRACE_BASIS_LIST(MR_TRACE_BASIS_ENUM)
#undef MR_TRACE_BASIS_ENUM
};

/* What becomes of values that no call can have: times below 0, lengths below 0 or beyond 4e9. In
 * the order of the schema of scenarios. */
enum mr_trace_bad {
    MR_TRACE_BAD_ERROR, /* with file, line and reason */
    MR_TRACE_BAD_SKIP,  /* the row is left out and counted */
    MR_TRACE_BAD_CLIP   /* set to the nearest possible value, the row is counted */
};

/* Zero means the default. */
struct mr_trace_options {
    const char *format;   /* NULL: by content */
    uint32_t block_tok;   /* of formats that do not say: 512, Bailian 16 */
    int basis;            /* enum mr_trace_basis */
    bool is_strict;       /* a key that is not known is an error */
    bool knows_names;     /* names of sessions are kept, and those of two counted (namesake) */
    bool is_single;       /* sessions are one call each; rows of others are an error */
    int bad;              /* enum mr_trace_bad; of tables and Mooncake rows */
    const char *bad_hint; /* ends the message of MR_TRACE_BAD_ERROR; NULL: nothing */
};

/* What readers did with what they could not take as it stands. name, sentence */
#define MR_TRACE_COUNT_LIST(X)                                                                   \
    X(unknown_key, "keys not known and passed over")                                             \
    X(no_output, "calls without output: played as one token")                                    \
    X(clipped_input, "inputs cut to what their blocks hold")                                     \
    X(delta_ids,                                                                                 \
      "later turns whose block ids name only what is new: taken as their session's own")         \
    X(no_block, "calls without block ids: they share nothing but their own session")             \
    X(beyond,                                                                                    \
      "calls that found more cached than their session had before: what is beyond is new to it") \
    X(no_duration, "calls without a recorded duration: taken as 0 s")                            \
    X(no_length, "calls whose input or output length nobody said: left out")                     \
    X(no_gap, "calls without a recorded think time: taken from their start")                     \
    X(cut_gap, "think times from before the last call: cut to the time since it began")          \
    X(overlap, "calls that begin before the one they follow ends: no gap")                       \
    X(orphan, "sub-agents whose time fits no call of their parent")                              \
    X(by_end, "sub-agents whose time is their end")                                              \
    X(by_start, "sub-agents whose time is their start")                                          \
    X(even, "arrivals in even steps, all of them: made up, not recorded")                        \
    X(no_call, "sessions without a call: left out")                                              \
    X(namesake, "sessions with the name of another one before: taken as different ones")         \
    X(around, "calls around calls: those are counted, not what goes around them")                \
    X(backward, "calls and tools that end before they begin: taken as 0 s")                      \
    X(total, "rows whose total is not the sum of their tokens")                                  \
    X(joined, "calls of a play that waits for another: told as that one's, in one namespace")    \
    X(lost, "fields that the format written has no place for")                                   \
    X(bad_row, "rows left out for values that no call can have")                                 \
    X(cut_row, "rows with values set to the nearest possible ones")

struct mr_trace_counts {
#define MR_TRACE_COUNT_FIELD(name, doc) uint64_t name;
    MR_TRACE_COUNT_LIST(MR_TRACE_COUNT_FIELD)
#undef MR_TRACE_COUNT_FIELD
};

struct mr_trace;

/** @param[in] path "-": standard input, read whole @param[in] options NULL: defaults; its texts are
 *  lent @param[out] out owned by the caller: mr_trace_close
 *  @return MR_SCHEMA: no format known, or not one of that name */
MR_CHECKED mr_status mr_trace_open(const char *path, const struct mr_trace_options *options,
                                   struct mr_trace **out, struct mr_err *err);

/** Read from memory that outlives the reader. @param[in] name used in messages, copied */
MR_CHECKED mr_status mr_trace_open_memory(const void *bytes, size_t n, const char *name,
                                          const struct mr_trace_options *options,
                                          struct mr_trace **out, struct mr_err *err);
void mr_trace_close(struct mr_trace *trace); /* NULL is fine */

/** The next session, checked (mr_session_check). After an error reading is over.
 *  @param[in,out] session zero-initialized or used before @param[out] has_session false at the end
 */
MR_CHECKED mr_status mr_trace_next(struct mr_trace *trace, struct mr_session *session,
                                   bool *has_session, struct mr_err *err);

/** Grows while sessions are read. Lent. */
struct mr_session_book *mr_trace_book(struct mr_trace *trace);
const struct mr_trace_counts *mr_trace_counted(const struct mr_trace *trace);

/** Where the last session begins; for errors found in it. */
struct mr_place mr_trace_place(const struct mr_trace *trace);

/** Keys that were passed over, each once. */
const struct mr_intern *mr_trace_unknown(const struct mr_trace *trace);
const char *mr_trace_format_name(const struct mr_trace *trace);

/** Names and sentences of all formats; NULL past the last. */
const char *mr_trace_format_at(size_t i, const char **doc);

#endif
