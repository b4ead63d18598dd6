/* SPDX-License-Identifier: Apache-2.0 */
/* Comma-separated values (RFC 4180), streaming, plain or gzip: quoted fields that may hold
 * separators, doubled quotes and line ends; LF and CRLF; a byte order mark, blank lines and a
 * missing last newline are fine. Every message carries file, line, column and the name of the
 * column. One row is in memory at a time; once warm, reading allocates nothing. */
#ifndef MR_ENGINE_BASE_CSV_H
#define MR_ENGINE_BASE_CSV_H

#include "engine/base/gz.h"
#include "engine/base/text.h"

/* Zero means the default. */
struct mr_csv_options {
    char separator;         /* ',' */
    char comment;           /* lines that begin with it are skipped; none */
    bool has_no_header;     /* the first row is data; columns have no names */
    bool may_be_ragged;     /* rows may have any number of fields, else as many as the first */
    size_t n_skip;          /* lines before the header */
    size_t field_max_bytes; /* 1 MiB, quotes included */
    size_t row_max_bytes;   /* 16 MiB */
    size_t read_bytes;      /* 128 KiB at a time; changes no result */
};

struct mr_csv; /* one reader; belongs to one thread */

/** Open a file. @param[in] options NULL: defaults @param[out] out owned by the caller: mr_csv_close
 */
MR_CHECKED mr_status mr_csv_open(const char *path, const struct mr_csv_options *options,
                                 struct mr_csv **out, struct mr_err *err);

/** Read from an open stream, which belongs to the reader from here on, also after an error. */
MR_CHECKED mr_status mr_csv_create(struct mr_gz *take_gz, const struct mr_csv_options *options,
                                   struct mr_csv **out, struct mr_err *err);
void mr_csv_close(struct mr_csv *csv); /* NULL is fine */

/** The stream it reads. Lent; what is read from it the reader does not see. */
struct mr_gz *mr_csv_stream(const struct mr_csv *csv);

/* ---- columns ---- */

/** Columns of the header; of the current row where there is none. */
size_t mr_csv_n_column(const struct mr_csv *csv);
struct mr_str mr_csv_column_name(const struct mr_csv *csv, size_t column);

/** Index of a column by its exact name (white space around header names does not count).
 *  @return MR_OK, or MR_SCHEMA: none (with the nearest name) or two of that name */
MR_CHECKED mr_status mr_csv_column(const struct mr_csv *csv, const char *name, size_t *column,
                                   struct mr_err *err);

/** The first column of that name, SIZE_MAX when there is none: for columns that may be absent. */
size_t mr_csv_find_column(const struct mr_csv *csv, const char *name);

/* ---- rows ---- */

/** Go to the next row. After a row with too many or too few fields (MR_SCHEMA) reading can go on;
 *  every other error is told again. @param[out] has_row false at the end and after such errors */
MR_CHECKED mr_status mr_csv_next(struct mr_csv *csv, bool *has_row, struct mr_err *err);

size_t mr_csv_n_field(const struct mr_csv *csv);

/** Field of the current row, without quotes, "" when the row is too short; valid until the next
 * row. */
struct mr_str mr_csv_field(const struct mr_csv *csv, size_t column);

/** The whole field as a number; white space around it is fine, an empty field is MR_PARSE. */
MR_CHECKED mr_status mr_csv_f64(const struct mr_csv *csv, size_t column, double *value,
                                struct mr_err *err);
MR_CHECKED mr_status mr_csv_u64(const struct mr_csv *csv, size_t column, uint64_t *value,
                                struct mr_err *err);
MR_CHECKED mr_status mr_csv_i64(const struct mr_csv *csv, size_t column, int64_t *value,
                                struct mr_err *err);

/** Where a field of the current row begins; column mr_csv_n_field: the row. The file name is lent.
 */
struct mr_place mr_csv_place(const struct mr_csv *csv, size_t column);

/** An error about a field: `column "rate": text` at its place. @return st */
mr_status mr_csv_error(const struct mr_csv *csv, size_t column, struct mr_err *err, mr_status st,
                       const char *fmt, ...) MR_PRINTF(5, 6);

/* ---- writing: fields are separated and quoted where they must be ---- */

struct mr_csv_writer {
    struct mr_buf *buf; /* lent; look at its status once at the end */
    bool has_field;
};

void mr_csv_put_str(struct mr_csv_writer *w, struct mr_str s);
void mr_csv_put_text(struct mr_csv_writer *w, const char *text);
void mr_csv_put_f64(struct mr_csv_writer *w, double value); /* shortest round-trip; NaN is empty */
void mr_csv_put_u64(struct mr_csv_writer *w, uint64_t value);
void mr_csv_put_i64(struct mr_csv_writer *w, int64_t value);
void mr_csv_put_end(struct mr_csv_writer *w); /* of the row: LF */

#endif
