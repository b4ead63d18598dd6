/* SPDX-License-Identifier: Apache-2.0 */
/* The reader keeps one row contiguous in a buffer that grows to the longest row. A row is found and
 * split in one pass; quotes are taken out in place, since a field never grows by that. Limits are
 * checked by position, so that no message depends on how the bytes arrive.
 * Map: buffer - splitting a row - opening - columns - rows and fields - writing. */
#include "engine/base/csv.h"

#include "engine/base/arena.h"
#include "engine/base/assert.h"
#include "engine/base/mem.h"
#include "engine/base/num.h"

#include <limits.h>

enum {
    read_bytes_default = 1 << 17,
    field_max_default = 1 << 20,
    row_max_default = 1 << 24,
    hint_names_max = 128
};

struct field {
    size_t offset, n; /* from the begin of the row, without quotes */
    int line, col;    /* of its first byte in the file, a quote included */
};

struct mr_csv {
    struct mr_gz *gz;
    struct mr_csv_options options;
    char *buf;
    size_t cap, at, end; /* the next row begins at `at` */
    bool is_input_end;
    int line;   /* of `at` */
    size_t row; /* the current row begins here */
    int row_line;
    struct field *field;
    size_t n_field, cap_field;
    struct mr_str *column;       /* names, in the arena */
    size_t n_column, n_expected; /* fields of every row, once known */
    int header_line;
    struct mr_arena arena;
    struct mr_err fault; /* what stopped the reader, told again on every later call */
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
    const size_t n = csv->options.read_bytes;
    MR_TRY(mr_grow(&csv->buf, &csv->cap, csv->end + n, 1, err));
    size_t got;
    MR_TRY(mr_gz_read(csv->gz, csv->buf + csv->end, n, &got, err));
    csv->end += got;
    csv->is_input_end = got == 0;
    return MR_OK;
}

/* Byte at offset i of the row, or -1 at the end of the input. */
static mr_status byte_at(struct mr_csv *csv, size_t i, int *byte, struct mr_err *err)
{
    while (csv->at + i >= csv->end && !csv->is_input_end)
        MR_TRY(fill(csv, err));
    *byte = csv->at + i < csv->end ? (unsigned char)csv->buf[csv->at + i] : -1;
    return MR_OK;
}

static int line_after(int line)
{
    return line < INT_MAX ? line + 1 : line;
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

/* First offset at which a field that begins at `start` is too long, or its row is. */
static size_t limit_of(const struct mr_csv *csv, size_t start)
{
    const size_t field = csv->options.field_max_bytes, row = csv->options.row_max_bytes;
    return start <= row && field < row - start ? start + field : row;
}

/* @param[in] begin where the field begins */
static mr_status too_long(const struct mr_csv *csv, const struct cursor *begin, size_t start,
                          struct mr_err *err)
{
    const bool is_row = limit_of(csv, start) == csv->options.row_max_bytes;
    const struct mr_place row = {mr_gz_name(csv->gz), csv->row_line, 1};
    return mr_err_set(err, MR_LIMIT, is_row ? row : place_at(csv, begin, start),
                      "a %s of more than %zu bytes (a quote that is never closed?)",
                      is_row ? "row" : "field",
                      is_row ? csv->options.row_max_bytes : csv->options.field_max_bytes);
}

/* @param[in] from first byte in the file @param[in] start, n the text without quotes */
static mr_status add_field(struct mr_csv *csv, const struct cursor *c, size_t from, size_t start,
                           size_t n, struct mr_err *err)
{
    if (csv->n_field == csv->cap_field)
        MR_TRY(mr_grow(&csv->field, &csv->cap_field, csv->n_field + 1, sizeof *csv->field, err));
    const struct mr_place at = place_at(csv, c, from);
    csv->field[csv->n_field++] = (struct field){start, n, at.line, at.col};
    return MR_OK;
}

/* What may follow a closing quote: the separator, a line end (its CR is taken), the end. */
static mr_status behind_quote(struct mr_csv *csv, struct cursor *c, struct mr_err *err)
{
    int byte, next = -1;
    MR_TRY(byte_at(csv, c->i, &byte, err));
    if (byte == '\r') {
        MR_TRY(byte_at(csv, c->i + 1, &next, err));
        if (next == '\n' || next < 0) {
            c->i++;
            return MR_OK;
        }
    }
    if (byte < 0 || byte == csv->options.separator || byte == '\n')
        return MR_OK;
    const char found = (char)byte;
    char quoted_found[MR_QUOTE_CAP];
    return mr_err_set(err, MR_PARSE, place_at(csv, c, c->i),
                      "found \"%s\" after a closing quote, expected \"%c\" or the end of the line",
                      mr_text_quote((struct mr_str){&found, 1}, quoted_found),
                      csv->options.separator);
}

/* A field in quotes; c->i is at the opening one. Leaves c->i at the separator or line feed. */
static mr_status quoted(struct mr_csv *csv, struct cursor *c, struct mr_err *err)
{
    const struct cursor begin = *c;
    const size_t open = c->i, limit = limit_of(csv, open);
    size_t out = ++c->i;
    for (;;) {
        int byte;
        MR_TRY(byte_at(csv, c->i, &byte, err));
        if (byte < 0)
            return mr_err_set(err, MR_PARSE, place_at(csv, &begin, open),
                              "this quote is never closed");
        if (++c->i > limit)
            return too_long(csv, &begin, open, err);
        if (byte == '"') {
            int next;
            MR_TRY(byte_at(csv, c->i, &next, err));
            if (next != '"')
                break;
            c->i++;
        } else if (byte == '\n') {
            c->line = line_after(c->line);
            c->line_start = c->i;
        }
        csv->buf[csv->at + out++] = (char)byte;
    }
    MR_TRY(add_field(csv, &begin, open, open + 1, out - (open + 1), err));
    return behind_quote(csv, c, err);
}

/* 0x80 in the lowest zero byte of v (and perhaps above it), 0 when there is none. */
static uint64_t zero_byte(uint64_t v)
{
    return (v - UINT64_C(0x0101010101010101)) & ~v & UINT64_C(0x8080808080808080);
}

/* First separator or line feed, or `end`; eight bytes at a time. */
static const char *field_end(const char *p, const char *end, char separator)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    const uint64_t separators = ones * (unsigned char)separator, line_feeds = ones * '\n';
    for (; end - p >= 8; p += 8) {
        uint64_t v;
        memcpy(&v, p, sizeof v);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
        v = __builtin_bswap64(v);
#endif
        const uint64_t hit = zero_byte(v ^ separators) | zero_byte(v ^ line_feeds);
        if (hit != 0)
            return p + __builtin_ctzll(hit) / 8;
    }
    while (p < end && *p != separator && *p != '\n')
        p++;
    return p;
}

/* A field without quotes: everything up to the separator or the end of the line. */
static mr_status plain(struct mr_csv *csv, struct cursor *c, struct mr_err *err)
{
    const char separator = csv->options.separator;
    const size_t start = c->i, limit = limit_of(csv, start);
    for (;;) {
        const char *const end = csv->buf + csv->end;
        const char *const p = field_end(csv->buf + csv->at + c->i, end, separator);
        c->i = (size_t)(p - csv->buf) - csv->at;
        if (c->i > limit)
            return too_long(csv, c, start, err);
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
    for (;;) {
        int byte;
        MR_TRY(byte_at(csv, c.i, &byte, err));
        MR_TRY(byte == '"' ? quoted(csv, &c, err) : plain(csv, &c, err));
        if (csv->at + c.i >= csv->end) /* both looked ahead: this is the end of the input */
            break;
        c.i++; /* the separator or the line feed */
        if (csv->buf[csv->at + c.i - 1] == '\n') {
            c.line = line_after(c.line);
            break;
        }
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
    csv->line = line_after(csv->line);
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
    size_t n = 0;
    csv->n_field = 0;
    MR_TRY(skip_to_row(csv, has_row, err));
    if (!*has_row)
        return MR_OK;
    csv->row_line = csv->line;
    MR_TRY(split(csv, &n, err));
    csv->row = csv->at; /* nothing moves any more until the next row is read */
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
    const bool is_utf16 =
        (byte[0] == 0xFF && byte[1] == 0xFE) || (byte[0] == 0xFE && byte[1] == 0xFF);
    if (is_utf16)
        return mr_err_set(err, MR_PARSE, (struct mr_place){mr_gz_name(csv->gz), 1, 1},
                          "found UTF-16 (convert the file to UTF-8)");
    for (size_t i = 0; i < csv->options.n_skip; i++)
        MR_TRY(skip_line(csv, err));
    if (csv->options.has_no_header)
        return MR_OK;
    MR_TRY(read_row(csv, &has_row, err));
    if (!has_row)
        return mr_err_set(err, MR_PARSE, (struct mr_place){mr_gz_name(csv->gz), 1, 1},
                          "no header: the file is empty");
    csv->header_line = csv->row_line;
    csv->n_column = csv->n_expected = csv->n_field;
    csv->column = mr_arena_zero(&csv->arena, csv->n_column, sizeof *csv->column, err);
    if (csv->column == NULL)
        return MR_NOMEM;
    for (size_t i = 0; i < csv->n_column; i++) {
        const struct mr_str name = mr_str_trim(mr_csv_field(csv, i));
        const char *copy = mr_arena_text(&csv->arena, name, err);
        if (copy == NULL)
            return MR_NOMEM;
        csv->column[i] = (struct mr_str){copy, name.n};
    }
    return MR_OK;
}

static struct mr_csv_options filled_in(const struct mr_csv_options *options)
{
    struct mr_csv_options o = options != NULL ? *options : (struct mr_csv_options){0};
    if (o.separator == 0)
        o.separator = ',';
    if (o.field_max_bytes == 0)
        o.field_max_bytes = field_max_default;
    if (o.row_max_bytes == 0)
        o.row_max_bytes = row_max_default;
    if (o.read_bytes == 0)
        o.read_bytes = read_bytes_default;
    /* ASCII, because bytes are compared one by one */
    MR_ASSERT(o.separator > 0 && o.separator != '"' && o.separator != '\n' && o.separator != '\r');
    MR_ASSERT(o.comment >= 0 && o.comment != o.separator);
    return o;
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
    csv->options = filled_in(options);
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

struct mr_gz *mr_csv_stream(const struct mr_csv *csv)
{
    return csv->gz;
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

static size_t find_from(const struct mr_csv *csv, const char *name, size_t from)
{
    for (size_t i = from; i < csv->n_column; i++)
        if (mr_str_is(csv->column[i], name))
            return i;
    return SIZE_MAX;
}

size_t mr_csv_find_column(const struct mr_csv *csv, const char *name)
{
    return find_from(csv, name, 0);
}

mr_status mr_csv_column(const struct mr_csv *csv, const char *name, size_t *column,
                        struct mr_err *err)
{
    const struct mr_place header = {mr_gz_name(csv->gz), csv->header_line, 0};
    *column = find_from(csv, name, 0);
    const size_t twin = *column != SIZE_MAX ? find_from(csv, name, *column + 1) : SIZE_MAX;
    if (twin != SIZE_MAX)
        return mr_err_set(err, MR_SCHEMA, header, "columns %zu and %zu are both called \"%s\"",
                          *column + 1, twin + 1, name);
    if (*column != SIZE_MAX)
        return MR_OK;
    const char *names[hint_names_max];
    char quoted_name[MR_QUOTE_CAP];
    const size_t n = csv->n_column < hint_names_max ? csv->n_column : hint_names_max;
    for (size_t i = 0; i < n; i++)
        names[i] = csv->column[i].p;
    const char *nearest = mr_text_nearest(mr_str_of(name), names, n);
    if (nearest == NULL)
        return mr_err_set(err, MR_SCHEMA, header, "no column \"%s\"", name);
    return mr_err_set(err, MR_SCHEMA, header, "no column \"%s\" (did you mean \"%s\"?)", name,
                      mr_text_quote(mr_str_of(nearest), quoted_name));
}

/* ---- rows and fields ---- */

mr_status mr_csv_next(struct mr_csv *csv, bool *has_row, struct mr_err *err)
{
    if (csv->fault.status == MR_OK)
        (void)read_row(csv, has_row, &csv->fault);
    if (csv->fault.status != MR_OK) {
        csv->n_field = 0;
        *has_row = false;
        if (err != NULL && err->status == MR_OK)
            *err = csv->fault;
        return csv->fault.status;
    }
    if (!*has_row || csv->options.may_be_ragged)
        return MR_OK;
    if (csv->n_expected == 0)
        csv->n_expected = csv->n_field;
    if (csv->n_field == csv->n_expected)
        return MR_OK;
    return mr_err_set(err, MR_SCHEMA, (struct mr_place){mr_gz_name(csv->gz), csv->row_line, 1},
                      "%zu fields, the %s has %zu", csv->n_field,
                      csv->options.has_no_header ? "first row" : "header", csv->n_expected);
}

size_t mr_csv_n_field(const struct mr_csv *csv)
{
    return csv->n_field;
}

struct mr_str mr_csv_field(const struct mr_csv *csv, size_t column)
{
    if (column >= csv->n_field)
        return MR_STR("");
    const struct field *field = &csv->field[column];
    return (struct mr_str){csv->buf + csv->row + field->offset, field->n};
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
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] == ',' || s.p[i] == '"' || s.p[i] == '\n' || s.p[i] == '\r')
            return true;
    /* at the begin of a file or line these would be a byte order mark, gzip, a comment */
    return s.n > 0 && ((unsigned char)s.p[0] == 0xEF || s.p[0] == 0x1f || s.p[0] == '#');
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
    const size_t n = value == value ? mr_num_format_f64(value, text) : 0;
    mr_csv_put_str(w, (struct mr_str){text, n});
}

void mr_csv_put_u64(struct mr_csv_writer *w, uint64_t value)
{
    char text[MR_NUM_CAP];
    separate(w);
    mr_buf_add(w->buf, text, mr_num_format_u64(value, text));
}

void mr_csv_put_i64(struct mr_csv_writer *w, int64_t value)
{
    char text[MR_NUM_CAP];
    separate(w);
    mr_buf_add(w->buf, text, mr_num_format_i64(value, text));
}

void mr_csv_put_end(struct mr_csv_writer *w)
{
    mr_buf_char(w->buf, '\n');
    w->has_field = false;
}
