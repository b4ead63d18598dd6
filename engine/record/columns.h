/* SPDX-License-Identifier: Apache-2.0 */
/* Tables that only grow: one dataset per column, one row per call, session or event. The caller has
 * a struct per row; the table of columns says which fields are recorded (channel.h, offset).
 * Declared before mr_runfile_start, owned by the file.
 * A reservoir keeps a fair sample of fixed size instead (algorithm R, Vitter 1985): every set of
 * that many rows is equally likely, the draw depends on the seed and on the number of rows before,
 * never on their content. It is in memory until mr_runfile_stop, so a killed process leaves none.
 */
#ifndef MR_ENGINE_RECORD_COLUMNS_H
#define MR_ENGINE_RECORD_COLUMNS_H

#include "engine/record/runfile.h"

#include <stddef.h>

struct mr_columns;

enum {
    MR_COLUMNS_FEW = 1 << 10 /* n_guess of a table that is thought to stay small */
};

/* One column: MR_COLUMN(struct call, arrived_s, F64, "s", "Arrival of the call") */
#define MR_COLUMN(row_type, field, type_, units_, long_name_)           \
    {                                                                   \
        .name = #field, .units = "" units_, .long_name = "" long_name_, \
        .type = MR_CHANNEL_##type_, .offset = offsetof(row_type, field) \
    }

/* Texts and columns outlive the file. */
struct mr_columns_plan {
    const char *group; /* "/requests" */
    const char *axis;  /* "request" */
    const struct mr_channel *column;
    size_t n_column;
    size_t row_bytes; /* sizeof the struct */
    uint64_t n_kept;  /* 0: every row; else a reservoir of that many, with a column `row` that tells
                         the place of each among all, and attributes rows_given and seed */
    uint64_t seed;    /* of the reservoir */
    uint64_t n_guess; /* rows that are thought to come, for the size of chunks; 0: not known */
    bool is_dated;    /* the first column is a date (F64), and rows come in its order, those of one
                         date as they were given: they are held until mr_columns_until */
    bool is_gathered; /* up to 64 rows wait for more, or for mr_columns_send: a process that is
                         killed leaves none of these. For tables that get many rows, singly */
};

/** @param[out] out lent until the file is destroyed */
MR_CHECKED mr_status mr_columns_create(struct mr_runfile *file, const struct mr_columns_plan *plan,
                                       struct mr_columns **out, struct mr_err *err);

/** Add n rows that lie together. */
MR_CHECKED mr_status mr_columns_add(struct mr_columns *columns, const void *row, size_t n,
                                    struct mr_err *err);

/** Of a dated table: all rows up to this date have been given. Rows that come later than that are
 *  written with the next ones. The file's stop takes whatever is left. */
MR_CHECKED mr_status mr_columns_until(struct mr_columns *columns, double t_s, struct mr_err *err);

/** Of a gathered table (else nothing): what waits is written with the next flush. The file's stop
 *  does it, too. */
MR_CHECKED mr_status mr_columns_send(struct mr_columns *columns, struct mr_err *err);

/** Rows given so far, kept or not. */
uint64_t mr_columns_rows(const struct mr_columns *columns);

#endif
