/* SPDX-License-Identifier: Apache-2.0 */
/* The reader keeps one row contiguous in a buffer that grows to the longest row. A row is found and
 * split in one pass; quotes are taken out in place, since a field never grows by that.
 * Map: buffer - splitting a row - opening - columns - fields - writing. */
#include "engine/base/csv.h"

#include "engine/base/arena.h"
#include "engine/base/mem.h"
#include "engine/base/num.h"

#include <limits.h>

enum {
    read_bytes = 1 << 17,
    hint_names_max = 128
};

struct field {
    struct mr_str text; /* set when the whole row is there: until then only its offset holds */
    size_t offset;      /* from the begin of the row */
    int line, col;
};

struct mr_csv {
    struct mr_gz *gz;
    struct mr_csv_options options;
    char *buf;
    size_t cap, at, end; /* the next row begins at `at` */
    bool is_input_end;
    int line; /* of `at` */
    struct field *field;
    size_t n_field, cap_field;
    int row_line;
    struct mr_str *column; /* names, in the arena */
    size_t n_column;
    struct mr_arena arena;
};

/* ---- buffer ---- */

/* More bytes behind `end`; what lies before `at` may go. Moves the row: offsets, no pointers. */
static mr_status fill(struct mr_csv *csv, struct mr_err *err)
{
    if (csv->at > 0) {
        memmove(csv->buf, csv->buf + csv->at, csv->end - csv->at);
        csv->end -= csv->at;
        csv->at = 0;
    }
    if (csv->end > csv->options.row_max_bytes)
        return mr_err_set(err, MR_LIMIT, (struct mr_place){mr_gz_name(csv->gz), csv->line, 1},
                          "a row of more than %zu bytes (a quote that is never closed?)",
                          csv->options.row_max_bytes);
    MR_TRY(mr_grow(&csv->buf, &csv->cap, csv->end + read_bytes, 1, err));
    size_t got;
    MR_TRY(mr_gz_read(csv->gz, csv->buf + csv->end, read_bytes, &got, err));
    csv->end += got;
    csv->is_input_end = got == 0;
    return MR_OK;
}

/* ---- splitting a row ---- */

/* Where the splitter stands: offsets from csv->at, so that fill may move the bytes. */
struct cursor {
    size_t i, line_start; /* next byte; begin of the physical line */
    int line;
};

static struct mr_place place_at(const struct mr_csv *csv, const struct cursor *c, size_t i)
{
    const size_t col = i - c->line_start + 1;
    return (struct mr_place){mr_gz_name(csv->gz), c->line, col < INT_MAX ? (int)col : INT_MAX};
}

/* Byte at offset i, or -1 at the end of the input. */
static mr_status byte_at(struct mr_csv *csv, size_t i, int *byte, struct mr_err *err)
{
    while (csv->at + i >= csv->end && !csv->is_input_end)
        MR_TRY(fill(csv, err));
    *byte = csv->at + i < csv->end ? (unsigned char)csv->buf[csv->at + i] : -1;
    return MR_OK;
}

static mr_status add_field(struct mr_csv *csv, const struct cursor *c, size_t from, size_t start,
                           size_t n, struct mr_err *err)
{
    MR_TRY(mr_grow(&csv->field, &csv->cap_field, csv->n_field + 1, sizeof *csv->field, err));
    const struct mr_place at = place_at(csv, c, from);
    csv->field[csv->n_field++] = (struct field){{NULL, n}, start, at.line, at.col};
    return MR_OK;
}

/* A field in quotes; c->i is behind the opening one. Leaves c->i behind the closing one. */
static mr_status quoted(struct mr_csv *csv, struct cursor *c, struct mr_err *err)
{
    const size_t open = c->i - 1;
    const struct cursor begin = *c;
    size_t out = c->i;
    for (;;) {
        int byte;
        MR_TRY(byte_at(csv, c->i, &byte, err));
        if (byte < 0)
            return mr_err_set(err, MR_PARSE, place_at(csv, &begin, open),
                              "this quote is never closed");
        c->i++;
        if (byte == '"') {
            int next;
            MR_TRY(byte_at(csv, c->i, &next, err));
            if (next != '"')
                break;
            c->i++;
        } else if (byte == '\n') {
            c->line++;
            c->line_start = c->i;
        }
        csv->buf[csv->at + out++] = (char)byte;
    }
    MR_TRY(add_field(csv, &begin, open, open + 1, out - (open + 1), err));
    int byte;
    MR_TRY(byte_at(csv, c->i, &byte, err));
    if (byte >= 0 && byte != csv->options.separator && byte != '\n' && byte != '\r')
        return mr_err_set(err, MR_PARSE, place_at(csv, c, c->i),
                          "found \"%c\" after a closing quote, expected \"%c\" or the end of the "
                          "line",
                          byte >= 0x20 && byte < 0x7F ? byte : '?', csv->options.separator);
    return MR_OK;
}

/* A field without quotes: everything up to the separator or the end of the line. */
static mr_status plain(struct mr_csv *csv, struct cursor *c, struct mr_err *err)
{
    const char separator = csv->options.separator;
    const size_t start = c->i;
    for (;;) {
        const char *p = csv->buf + csv->at + c->i, *const end = csv->buf + csv->end;
        while (p < end && *p != separator && *p != '\n')
            p++;
        c->i = (size_t)(p - csv->buf) - csv->at;
        if (p < end || csv->is_input_end)
            break;
        MR_TRY(fill(csv, err));
    }
    size_t n = c->i - start;
    const char *const text = csv->buf + csv->at + start;
    const bool ends_line = csv->at + c->i >= csv->end || text[n] == '\n';
    if (n > 0 && ends_line && text[n - 1] == '\r')
        n--;
    return add_field(csv, c, start, start, n, err);
}

/* Split the row that begins at csv->at. @param[out] n bytes up to the next row */
static mr_status split(struct mr_csv *csv, size_t *n, struct mr_err *err)
{
    struct cursor c = {0, 0, csv->line};
    csv->n_field = 0;
    for (;;) {
        int byte;
        MR_TRY(byte_at(csv, c.i, &byte, err));
        if (byte == '"') {
            c.i++;
            MR_TRY(quoted(csv, &c, err));
        } else {
            MR_TRY(plain(csv, &c, err));
        }
        MR_TRY(byte_at(csv, c.i, &byte, err));
        if (byte == '\r') { /* behind a closing quote */
            c.i++;
            MR_TRY(byte_at(csv, c.i, &byte, err));
        }
        if (byte != csv->options.separator)
            break;
        c.i++;
    }
    if (csv->at + c.i < csv->end) { /* the line feed */
        c.i++;
        c.line++;
    }
    csv->line = c.line;
    *n = c.i;
    return MR_OK;
}

static mr_status skip_line(struct mr_csv *csv, struct mr_err *err)
{
    int byte;
    do {
        MR_TRY(byte_at(csv, 0, &byte, err));
        csv->at += byte >= 0;
    } while (byte >= 0 && byte != '\n');
    csv->line++;
    return MR_OK;
}

/* Blank lines and comments. @param[out] has_row false at the end */
static mr_status skip_to_row(struct mr_csv *csv, bool *has_row, struct mr_err *err)
{
    for (;;) {
        int byte, next = 0;
        MR_TRY(byte_at(csv, 0, &byte, err));
        if (byte == '\r')
            MR_TRY(byte_at(csv, 1, &next, err));
        *has_row = byte >= 0;
        const bool is_comment = csv->options.comment != 0 && byte == csv->options.comment;
        if (byte != '\n' && !(byte == '\r' && (next == '\n' || next < 0)) && !is_comment)
            return MR_OK;
        MR_TRY(skip_line(csv, err));
    }
}

static mr_status read_row(struct mr_csv *csv, bool *has_row, struct mr_err *err)
{
    size_t n;
    csv->n_field = 0;
    MR_TRY(skip_to_row(csv, has_row, err));
    if (!*has_row)
        return MR_OK;
    csv->row_line = csv->line;
    MR_TRY(split(csv, &n, err));
    for (size_t i = 0; i < csv->n_field; i++) /* now that nothing moves any more */
        csv->field[i].text.p = csv->buf + csv->at + csv->field[i].offset;
    csv->at += n;
    return MR_OK;
}

/* ---- opening ---- */

static mr_status read_header(struct mr_csv *csv, struct mr_err *err)
{
    bool has_row;
    int byte[3];
    for (size_t i = 0; i < 3; i++)
        MR_TRY(byte_at(csv, i, &byte[i], err));
    if (byte[0] == 0xEF && byte[1] == 0xBB && byte[2] == 0xBF)
        csv->at += 3;
    for (size_t i = 0; i < csv->options.n_skip; i++)
        MR_TRY(skip_line(csv, err));
    if (csv->options.has_no_header)
        return MR_OK;
    MR_TRY(read_row(csv, &has_row, err));
    if (!has_row)
        return mr_err_set(err, MR_PARSE, (struct mr_place){mr_gz_name(csv->gz), 1, 1},
                          "no header: the file is empty");
    csv->n_column = csv->n_field;
    csv->column = mr_arena_zero(&csv->arena, csv->n_column, sizeof *csv->column, err);
    if (csv->column == NULL)
        return MR_NOMEM;
    for (size_t i = 0; i < csv->n_column; i++) {
        const struct mr_str name = mr_str_trim(csv->field[i].text);
        const char *copy = mr_arena_text(&csv->arena, name, err);
        if (copy == NULL)
            return MR_NOMEM;
        csv->column[i] = (struct mr_str){copy, name.n};
    }
    return MR_OK;
}

mr_status mr_csv_create(struct mr_gz *take_gz, const struct mr_csv_options *options,
                        struct mr_csv **out, struct mr_err *err)
{
    struct mr_csv *csv = mr_alloc_zero(1, sizeof *csv);
    *out = NULL;
    if (csv == NULL) {
        mr_gz_close(take_gz);
        return mr_err_nomem(err, sizeof *csv);
    }
    csv->gz = take_gz;
    csv->line = 1;
    if (options != NULL)
        csv->options = *options;
    if (csv->options.separator == 0)
        csv->options.separator = ',';
    if (csv->options.row_max_bytes == 0)
        csv->options.row_max_bytes = (size_t)16 << 20;
    const mr_status st = read_header(csv, err);
    if (st != MR_OK) {
        mr_csv_close(csv);
        return st;
    }
    *out = csv;
    return MR_OK;
}

mr_status mr_csv_open(const char *path, const struct mr_csv_options *options, struct mr_csv **out,
                      struct mr_err *err)
{
    struct mr_gz *gz;
    *out = NULL;
    MR_TRY(mr_gz_open(path, &gz, err));
    return mr_csv_create(gz, options, out, err);
}

void mr_csv_close(struct mr_csv *csv)
{
    if (csv == NULL)
        return;
    mr_gz_close(csv->gz);
    mr_arena_fini(&csv->arena);
    mr_free(csv->buf);
    mr_free(csv->field);
    mr_free(csv);
}

/* ---- columns ---- */

size_t mr_csv_n_column(const struct mr_csv *csv)
{
    return csv->options.has_no_header ? csv->n_field : csv->n_column;
}

struct mr_str mr_csv_column_name(const struct mr_csv *csv, size_t column)
{
    return column < csv->n_column ? csv->column[column] : MR_STR("");
}

size_t mr_csv_find_column(const struct mr_csv *csv, const char *name)
{
    for (size_t i = 0; i < csv->n_column; i++)
        if (mr_str_is(csv->column[i], name))
            return i;
    return SIZE_MAX;
}

mr_status mr_csv_column(const struct mr_csv *csv, const char *name, size_t *column,
                        struct mr_err *err)
{
    const char *names[hint_names_max];
    char hint[96];
    const size_t n = csv->n_column < hint_names_max ? csv->n_column : hint_names_max;
    *column = mr_csv_find_column(csv, name);
    if (*column != SIZE_MAX)
        return MR_OK;
    for (size_t i = 0; i < n; i++)
        names[i] = csv->column[i].p;
    mr_text_hint(mr_str_of(name), names, n, hint, sizeof hint);
    return mr_err_set(err, MR_SCHEMA, (struct mr_place){mr_gz_name(csv->gz), 1, 0},
                      "no column \"%s\"%s", name, hint);
}

/* ---- rows and fields ---- */

mr_status mr_csv_next(struct mr_csv *csv, bool *has_row, struct mr_err *err)
{
    MR_TRY(read_row(csv, has_row, err));
    const size_t expected = csv->n_column;
    if (!*has_row || csv->options.may_be_ragged || csv->options.has_no_header ||
        csv->n_field == expected)
        return MR_OK;
    return mr_err_set(err, MR_SCHEMA, (struct mr_place){mr_gz_name(csv->gz), csv->row_line, 1},
                      "%zu fields, the header has %zu", csv->n_field, expected);
}

size_t mr_csv_n_field(const struct mr_csv *csv)
{
    return csv->n_field;
}

struct mr_str mr_csv_field(const struct mr_csv *csv, size_t column)
{
    return column < csv->n_field ? csv->field[column].text : MR_STR("");
}

struct mr_place mr_csv_place(const struct mr_csv *csv, size_t column)
{
    if (column < csv->n_field)
        return (struct mr_place){mr_gz_name(csv->gz), csv->field[column].line,
                                 csv->field[column].col};
    return (struct mr_place){mr_gz_name(csv->gz), csv->row_line, 1};
}

mr_status mr_csv_error(const struct mr_csv *csv, size_t column, struct mr_err *err, mr_status st,
                       const char *fmt, ...)
{
    struct mr_err what = {0};
    char quoted_name[MR_QUOTE_CAP];
    va_list args;
    va_start(args, fmt);
    (void)mr_err_vset(&what, st, MR_NOWHERE, fmt, args);
    va_end(args);
    if (column < csv->n_column)
        return mr_err_set(err, st, mr_csv_place(csv, column), "column \"%s\": %s",
                          mr_text_quote(csv->column[column], quoted_name), what.text);
    return mr_err_set(err, st, mr_csv_place(csv, column), "column %zu: %s", column + 1, what.text);
}

static mr_status number_error(const struct mr_csv *csv, size_t column, mr_status st,
                              const char *kind, struct mr_err *err)
{
    char quoted_text[MR_QUOTE_CAP];
    return mr_csv_error(csv, column, err, st, "\"%s\" is %s %s",
                        mr_text_quote(mr_csv_field(csv, column), quoted_text),
                        st == MR_RANGE ? "out of the range of" : "not", kind);
}

mr_status mr_csv_f64(const struct mr_csv *csv, size_t column, double *value, struct mr_err *err)
{
    const mr_status st = mr_num_parse_f64(mr_str_trim(mr_csv_field(csv, column)), value);
    return st == MR_OK ? st : number_error(csv, column, st, "a number", err);
}

mr_status mr_csv_u64(const struct mr_csv *csv, size_t column, uint64_t *value, struct mr_err *err)
{
    const mr_status st = mr_num_parse_u64(mr_str_trim(mr_csv_field(csv, column)), value);
    return st == MR_OK ? st : number_error(csv, column, st, "a whole number", err);
}

mr_status mr_csv_i64(const struct mr_csv *csv, size_t column, int64_t *value, struct mr_err *err)
{
    const mr_status st = mr_num_parse_i64(mr_str_trim(mr_csv_field(csv, column)), value);
    return st == MR_OK ? st : number_error(csv, column, st, "a whole number", err);
}

/* ---- writing ---- */

static void separate(struct mr_csv_writer *w)
{
    if (w->has_field)
        mr_buf_char(w->buf, ',');
    w->has_field = true;
}

static bool needs_quotes(struct mr_str s)
{
    if (s.n == 0)
        return false;
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] == ',' || s.p[i] == '"' || s.p[i] == '\n' || s.p[i] == '\r')
            return true;
    /* a byte order mark at the begin of a file would be lost */
    return (unsigned char)s.p[0] == 0xEF;
}

void mr_csv_put_str(struct mr_csv_writer *w, struct mr_str s)
{
    const bool is_first = !w->has_field;
    separate(w);
    /* a row of one empty field would read as a blank line */
    if (!needs_quotes(s) && !(is_first && s.n == 0)) {
        mr_buf_add(w->buf, s.p, s.n);
        return;
    }
    mr_buf_char(w->buf, '"');
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '"')
            mr_buf_char(w->buf, '"');
        mr_buf_char(w->buf, s.p[i]);
    }
    mr_buf_char(w->buf, '"');
}

void mr_csv_put_text(struct mr_csv_writer *w, const char *text)
{
    mr_csv_put_str(w, mr_str_of(text));
}

void mr_csv_put_f64(struct mr_csv_writer *w, double value)
{
    char text[MR_NUM_CAP];
    separate(w);
    if (value == value)
        mr_buf_add(w->buf, text, mr_num_format_f64(value, text));
}

void mr_csv_put_u64(struct mr_csv_writer *w, uint64_t value)
{
    char text[MR_NUM_CAP];
    separate(w);
    mr_buf_add(w->buf, text, mr_num_format_u64(value, text));
}

void mr_csv_put_end(struct mr_csv_writer *w)
{
    mr_buf_char(w->buf, '\n');
    w->has_field = false;
}
