/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of formats in which the calls of a session stand apart: gathered until the file ends, then
 * put together play by play, in the order of their first rows. Rows belong together that name the
 * same play or wait for each other. Shared by trace*.c only. */
#ifndef MR_ENGINE_WORK_TRACE_ROWS_H
#define MR_ENGINE_WORK_TRACE_ROWS_H

#include "engine/work/session_context.h"
#include "engine/work/trace_impl.h"

struct mr_trace_dep {
    double delay_s;
    uint32_t name; /* of the row it waits for */
    uint8_t relation;
    bool is_dispatch;
};

struct mr_trace_row {
    double time_s;             /* recorded start or arrival; NaN: not known */
    double delay_s;            /* after the call before; NaN: not known */
    double arrival_s;          /* of its play, where that is said beside time_s; NaN: not known */
    double tool_s;             /* a tool's part of the pause before it; 0: none */
    double service_s, ttft_s;  /* recorded; NaN: not known */
    uint32_t line, play, lane; /* names; MR_SESSION_NONE: none */
    uint32_t name;             /* of the call; MR_SESSION_NONE: none */
    uint32_t model, n_input, n_output, n_keep_tok, run, n_run, dep, n_dep;
    uint32_t extra, tier; /* text in rows->text; the book's */
    uint32_t class;       /* of the tool that tool_s is of, the book's; MR_SESSION_NONE: not said */
    int32_t priority;
    uint32_t strict;
    bool is_truth;                 /* strict was said as true or false */
    bool has_priority, has_strict; /* said, be it as 0 */
    bool has_blocks;
    bool is_waiting; /* deps say when it starts, and time_s since when it may: after the play's
                        start */
    bool is_arrival; /* unless it is an arrival in the file's time */
    /* found by mr_trace_rows_begin */
    uint32_t group, next, node;
};

struct mr_trace_rows {
    struct mr_trace_row *row;
    struct mr_trace_dep *dep;
    struct mr_session_run *run;
    uint32_t *first, *last; /* rows of each group */
    uint32_t *by_name;      /* row of each name of a call */
    uint32_t *stack;
    uint64_t *id; /* of one call */
    size_t n_row, cap_row, n_dep, cap_dep, n_run, cap_run, n_group, cap_first, cap_last;
    size_t cap_by_name, cap_stack, n_id, cap_id;
    struct mr_intern names; /* of calls */
    struct mr_intern plays, lanes;
    struct mr_buf text;
    size_t at;      /* group told next */
    bool is_whole;  /* the file has been read */
    bool clips;     /* inputs longer than their blocks */
    bool has_plays; /* each row says its own, whatever it waits for */
};

/** A row with nothing known, not counted yet: mr_trace_rows_keep. */
MR_CHECKED mr_status mr_trace_rows_new(struct mr_trace_rows *rows, struct mr_trace_row **row,
                                       struct mr_err *err);

/** Ids of the row's blocks from rows->id as runs. */
MR_CHECKED mr_status mr_trace_rows_pack(struct mr_trace_rows *rows, struct mr_trace_row *row,
                                        struct mr_err *err);
MR_CHECKED mr_status mr_trace_rows_dep(struct mr_trace_rows *rows, struct mr_trace_row *row,
                                       struct mr_trace_dep dep, struct mr_err *err);

/** Done. @return MR_SCHEMA: its name was there before */
MR_CHECKED mr_status mr_trace_rows_keep(struct mr_trace *trace, struct mr_trace_rows *rows,
                                        struct mr_err *err);

/** The next play as a session; begins to tell when the file has been read. */
MR_CHECKED mr_status mr_trace_rows_next(struct mr_trace *trace, struct mr_trace_rows *rows,
                                        struct mr_session *session, bool *has_session,
                                        struct mr_err *err);

/** A row's call as a node of a lane, with its blocks; dependencies are the caller's to add.
 *  @param[in] base node whose context it goes on from, or MR_SESSION_NONE
 *  @param[in,out] context scratch: that of a call told before in this session, or empty */
MR_CHECKED mr_status mr_trace_rows_call(struct mr_trace *trace, const struct mr_trace_rows *rows,
                                        struct mr_session *session, struct mr_trace_row *row,
                                        uint32_t lane, uint32_t base,
                                        struct mr_session_context *context, struct mr_err *err);

/** Blocks that two lists of runs have in common at their beginnings.
 *  @param[out] r,skip where the second one goes on: a run, and how many of its blocks are behind */
uint32_t mr_trace_rows_common(const struct mr_session_run *base, size_t n_base,
                              const struct mr_session_run *run, uint32_t n_run, uint32_t *r,
                              uint32_t *skip);

/** One row as a session of its own. */
MR_CHECKED mr_status mr_trace_rows_single(struct mr_trace *trace, struct mr_trace_rows *rows,
                                          const struct mr_trace_row *row,
                                          struct mr_session *session, struct mr_err *err);
void mr_trace_rows_fini(struct mr_trace_rows *rows);

#endif
