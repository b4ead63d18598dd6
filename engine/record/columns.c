/* SPDX-License-Identifier: Apache-2.0 */
/* A record of a table is some rows as the caller has them; the writing thread takes the columns
 * out. In a reservoir each row is preceded by its number. Rows of a dated table wait in the same
 * place, in their order, and so do those that are gathered. */
#include "engine/record/columns.h"

#include "engine/base/assert.h"
#include "engine/base/mem.h"
#include "engine/base/rng.h"
#include "engine/record/runfile_impl.h"

#include <math.h>
#include <stdlib.h>

enum {
    record_target_bytes = 1 << 16,
    n_gather = 64, /* a few kilobytes: what waits stays in the nearest cache */
    n_column_max = 1000
};

struct mr_columns {
    struct mr_runfile_stream stream;
    struct mr_columns_plan plan;
    struct mr_channel *column; /* of a reservoir: `row` first, offsets behind it */
    size_t n_column;
    size_t row_bytes;    /* in a record */
    size_t n_batch;      /* rows of the largest record */
    uint64_t n_row;      /* given */
    unsigned char *kept; /* of a reservoir, held rows of a dated table, or gathered ones */
    uint64_t n_kept;
    size_t cap_kept; /* of a dated table */
    /* the writing thread's */
    struct mr_tape *tape;
    mr_hid axis;
    struct mr_hdf5_shape axis_shape;
    uint64_t n_axis;
};

static const struct mr_channel row_column = {
    .name = "row",
    .units = "1",
    .long_name = "Place of the row among all that were given, from 0",
    .type = MR_CHANNEL_U64};

static struct mr_columns *of(struct mr_runfile_stream *stream)
{
    return (struct mr_columns *)stream;
}

/* ---- the writing thread ---- */

static mr_status extend_axis(struct mr_columns *c, struct mr_tape_tools *tools, struct mr_err *err)
{
    const uint64_t n = c->tape[0].n_file_row;
    if (c->n_axis == n)
        return MR_OK;
    MR_TRY(mr_hdf5_extend(tools->file, c->axis, c->plan.axis, &c->axis_shape, n, err));
    c->n_axis = n;
    return MR_OK;
}

/* All columns have the same chunks, so each takes the same number of rows at a time. */
static mr_status record(struct mr_runfile_stream *stream, struct mr_tape_tools *tools,
                        const void *bytes, size_t n_bytes, struct mr_err *err)
{
    struct mr_columns *c = of(stream);
    const unsigned char *row = bytes;
    MR_ASSERT(n_bytes % c->row_bytes == 0);
    for (size_t left = n_bytes / c->row_bytes, n; left > 0; left -= n) {
        n = left;
        mr_status st = MR_OK;
        for (size_t i = 0; i < c->n_column; i++) {
            const mr_status st_tape = mr_tape_put_column(
                &c->tape[i], tools, row + c->column[i].offset, c->row_bytes, &n, err);
            st = st == MR_OK ? st_tape : st; /* the rows are in memory of all: see salvage */
        }
        MR_TRY(st);
        row += n * c->row_bytes;
    }
    return extend_axis(c, tools, err);
}

static mr_status settle(struct mr_runfile_stream *stream, struct mr_tape_tools *tools, bool is_last,
                        struct mr_err *err)
{
    struct mr_columns *c = of(stream);
    for (size_t i = 0; i < c->n_column; i++)
        MR_TRY(mr_tape_settle(&c->tape[i], tools, is_last, err));
    return extend_axis(c, tools, err);
}

static mr_status describe(struct mr_runfile_stream *stream, struct mr_tape_tools *tools,
                          struct mr_err *err)
{
    struct mr_columns *c = of(stream);
    const struct {
        const char *name;
        const uint64_t *value;
    } row[] = {{"rows_given", &c->n_row}, {"seed", &c->plan.seed}};
    mr_hid group;
    if (c->plan.n_kept == 0)
        return MR_OK;
    MR_TRY(mr_hdf5_group(tools->file, c->plan.group, &group, err));
    mr_status st = MR_OK;
    for (size_t i = 0; i < sizeof row / sizeof *row && st == MR_OK; i++)
        st = mr_hdf5_attr_number(tools->file, group, row[i].name, MR_CHANNEL_U64, row[i].value, 0,
                                 err);
    mr_hdf5_group_close(group);
    return st;
}

static void salvage(struct mr_runfile_stream *stream, struct mr_tape_tools *tools)
{
    struct mr_columns *c = of(stream);
    for (size_t i = 0; i < c->n_column; i++)
        mr_tape_salvage(&c->tape[i], tools);
}

static void level(struct mr_runfile_stream *stream, struct mr_tape_tools *tools)
{
    struct mr_columns *c = of(stream);
    struct mr_err ignored = {0};
    const uint64_t n = mr_tape_level(c->tape, c->n_column, tools);
    mr_hdf5_dataset_renew(tools->file, c->plan.group, c->plan.axis, &c->axis);
    if (c->axis >= 0 && c->n_axis != n &&
        mr_hdf5_extend(tools->file, c->axis, c->plan.axis, &c->axis_shape, n, &ignored) == MR_OK)
        c->n_axis = n;
}

static void close_all(struct mr_runfile_stream *stream)
{
    struct mr_columns *c = of(stream);
    for (size_t i = 0; i < c->n_column; i++)
        mr_tape_close(&c->tape[i]);
    mr_hdf5_dataset_close(c->axis);
    c->axis = -1;
}

static void destroy(struct mr_runfile_stream *stream)
{
    struct mr_columns *c = of(stream);
    if (c->tape != NULL)
        for (size_t i = 0; i < c->n_column; i++)
            mr_tape_fini(&c->tape[i]);
    mr_hdf5_dataset_close(c->axis);
    mr_free(c->tape);
    mr_free(c->column);
    mr_free(c->kept);
    mr_free(c);
}

static mr_status declare(struct mr_columns *c, struct mr_tape_tools *tools, mr_hid group,
                         struct mr_err *err)
{
    const struct mr_tape_group at = {group, c->plan.group};
    struct mr_hdf5_shape shape;
    mr_tape_shape(1, true, sizeof(uint64_t), c->plan.n_kept > 0 ? c->plan.n_kept : c->plan.n_guess,
                  &shape);
    shape.rank = 1;
    c->axis_shape = shape;
    MR_TRY(mr_hdf5_bare_axis(tools->file, group, c->plan.axis, 0, shape.chunk[0], &c->axis, err));
    for (size_t i = 0; i < c->n_column; i++)
        MR_TRY(mr_tape_init(&c->tape[i], tools, at, &c->column[i], &shape, err));
    return mr_tape_attach(c->tape, c->n_column, tools, &c->axis, 1, err);
}

static mr_status create(void *arg, struct mr_tape_tools *tools, struct mr_err *err)
{
    struct mr_columns *c = *(struct mr_columns **)arg;
    mr_hid group;
    MR_TRY(mr_hdf5_group(tools->file, c->plan.group, &group, err));
    const mr_status st = declare(c, tools, group, err);
    mr_hdf5_group_close(group);
    return st;
}

/* ---- the producer ---- */

static mr_status send(struct mr_columns *c, const unsigned char *row, size_t n, struct mr_err *err)
{
    while (n > 0) {
        const size_t part = n < c->n_batch ? n : c->n_batch;
        void *to = mr_runfile_reserve(&c->stream, part * c->row_bytes);
        if (to == NULL)
            return mr_runfile_fault(c->stream.file, err);
        memcpy(to, row, part * c->row_bytes);
        mr_runfile_commit(&c->stream);
        row += part * c->row_bytes;
        n -= part;
    }
    return MR_OK;
}

/* Row i takes a place below n_kept with probability n_kept / (i + 1). */
static void keep(struct mr_columns *c, const unsigned char *row)
{
    uint64_t place = c->n_kept;
    if (c->n_kept < c->plan.n_kept) {
        c->n_kept++;
    } else {
        struct mr_rng rng = mr_rng_stream(c->plan.seed, MR_RNG_RESERVOIR, c->n_row);
        place = mr_rng_below(&rng, c->n_row + 1);
        if (place >= c->plan.n_kept)
            return;
    }
    unsigned char *to = c->kept + place * c->row_bytes;
    memcpy(to, &c->n_row, sizeof c->n_row);
    memcpy(to + sizeof c->n_row, row, c->plan.row_bytes);
}

static double date_of(const struct mr_columns *c, const unsigned char *row)
{
    double t_s;
    memcpy(&t_s, row + c->plan.column[0].offset, sizeof t_s);
    return t_s;
}

/* Behind all that are not later: most rows come last. */
static mr_status hold(struct mr_columns *c, const unsigned char *row, struct mr_err *err)
{
    MR_TRY(mr_grow(&c->kept, &c->cap_kept, (size_t)(c->n_kept + 1) * c->row_bytes, 1, err));
    const double t_s = date_of(c, row);
    uint64_t place = c->n_kept;
    while (place > 0 && date_of(c, c->kept + (place - 1) * c->row_bytes) > t_s)
        place--;
    unsigned char *to = c->kept + place * c->row_bytes;
    memmove(to + c->row_bytes, to, (size_t)(c->n_kept - place) * c->row_bytes);
    memcpy(to, row, c->row_bytes);
    c->n_kept++;
    c->n_row++;
    return MR_OK;
}

static int by_row(const void *a, const void *b)
{
    uint64_t x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return (x > y) - (x < y);
}

static mr_status stop(struct mr_runfile_stream *stream, struct mr_err *err)
{
    struct mr_columns *c = of(stream);
    if (c->n_kept == 0)
        return MR_OK;
    if (c->plan.is_dated)
        return mr_columns_until(c, (double)INFINITY, err);
    if (c->plan.is_gathered)
        return mr_columns_send(c, err);
    qsort(c->kept, (size_t)c->n_kept, c->row_bytes, by_row);
    return send(c, c->kept, (size_t)c->n_kept, err);
}

static mr_status check(const struct mr_columns_plan *plan, struct mr_err *err)
{
    MR_ASSERT(!plan->is_dated || (plan->n_kept == 0 && plan->column[0].type == MR_CHANNEL_F64));
    MR_ASSERT(!plan->is_gathered || (plan->n_kept == 0 && !plan->is_dated));
    MR_TRY(mr_runfile_check_group(plan->group, err));
    MR_TRY(mr_channel_check_name(plan->axis, "axis", err));
    MR_TRY(mr_channel_check(plan->column, plan->n_column, err));
    MR_ASSERT(plan->n_column > 0 && plan->n_column <= n_column_max);
    for (size_t i = 0; i < plan->n_column; i++) {
        const struct mr_channel *q = &plan->column[i];
        MR_ASSERT(q->offset + mr_channel_given_bytes(q->type) <= plan->row_bytes);
        if (strcmp(q->name, plan->axis) == 0 ||
            (plan->n_kept > 0 && strcmp(q->name, row_column.name) == 0))
            return mr_err_set(err, MR_SCHEMA, MR_NOWHERE,
                              "column \"%s\" of %s is called like something the table has already",
                              q->name, plan->group);
    }
    return MR_OK;
}

static mr_status init(struct mr_columns *c, struct mr_runfile *file, struct mr_err *err)
{
    const struct mr_columns_plan *plan = &c->plan;
    const size_t extra = plan->n_kept > 0;
    c->row_bytes = plan->row_bytes + extra * sizeof(uint64_t);
    c->n_batch = record_target_bytes / c->row_bytes;
    if (c->n_batch == 0)
        c->n_batch = 1;
    c->column = mr_alloc(plan->n_column + extra, sizeof *c->column);
    c->tape = mr_alloc_zero(plan->n_column + extra, sizeof *c->tape);
    if (c->column == NULL || c->tape == NULL)
        return mr_err_nomem(err, plan->n_column * sizeof *c->tape);
    const uint64_t n_place = plan->is_gathered ? n_gather : plan->n_kept;
    if (n_place > 0) {
        c->kept = mr_alloc((size_t)n_place, c->row_bytes);
        if (c->kept == NULL)
            return mr_err_nomem(err, (size_t)n_place * c->row_bytes);
    }
    if (plan->n_kept > 0)
        c->column[0] = row_column;
    for (size_t i = 0; i < plan->n_column; i++) {
        c->column[i + extra] = plan->column[i];
        c->column[i + extra].offset += extra * sizeof(uint64_t);
    }
    c->n_column = plan->n_column + extra;
    for (size_t i = 0; i < c->n_column; i++)
        c->tape[i].dataset = -1;
    return mr_runfile_add(file, &c->stream, c->n_batch * c->row_bytes, err);
}

mr_status mr_columns_create(struct mr_runfile *file, const struct mr_columns_plan *plan,
                            struct mr_columns **out, struct mr_err *err)
{
    *out = NULL;
    MR_TRY(check(plan, err));
    struct mr_columns *c = mr_alloc_zero(1, sizeof *c);
    if (c == NULL)
        return mr_err_nomem(err, sizeof *c);
    c->stream = (struct mr_runfile_stream){.record = record,
                                           .settle = settle,
                                           .salvage = salvage,
                                           .level = level,
                                           .close = close_all,
                                           .stop = stop,
                                           .describe = describe,
                                           .destroy = destroy};
    c->plan = *plan;
    c->axis = -1;
    const mr_status st = init(c, file, err);
    if (st != MR_OK) {
        destroy(&c->stream);
        return st;
    }
    MR_TRY(mr_runfile_post(file, plan->group, create, mr_runfile_copy_pointer, &c, err));
    *out = c;
    return MR_OK;
}

/* One row at a time costs the writing thread more than its columns do: it takes them out of a
 * record. */
static mr_status gather(struct mr_columns *c, const unsigned char *row, size_t n,
                        struct mr_err *err)
{
    for (size_t i = 0; i < n; i++, c->n_row++) {
        memcpy(c->kept + c->n_kept * c->row_bytes, row + i * c->row_bytes, c->row_bytes);
        if (++c->n_kept == n_gather)
            MR_TRY(mr_columns_send(c, err));
    }
    return MR_OK;
}

mr_status mr_columns_send(struct mr_columns *c, struct mr_err *err)
{
    const size_t n = (size_t)c->n_kept;
    if (!c->plan.is_gathered)
        return MR_OK;
    c->n_kept = 0;
    return send(c, c->kept, n, err);
}

mr_status mr_columns_add(struct mr_columns *c, const void *row, size_t n, struct mr_err *err)
{
    if (c->plan.is_gathered)
        return gather(c, row, n, err);
    for (size_t i = 0; i < n && c->plan.is_dated; i++)
        MR_TRY(hold(c, (const unsigned char *)row + i * c->row_bytes, err));
    if (c->plan.is_dated)
        return MR_OK;
    if (c->plan.n_kept == 0) {
        MR_TRY(send(c, row, n, err));
        c->n_row += n;
        return MR_OK;
    }
    for (size_t i = 0; i < n; i++, c->n_row++)
        keep(c, (const unsigned char *)row + i * c->plan.row_bytes);
    return MR_OK;
}

mr_status mr_columns_until(struct mr_columns *c, double t_s, struct mr_err *err)
{
    MR_ASSERT(c->plan.is_dated);
    uint64_t n = c->n_kept;
    while (n > 0 && date_of(c, c->kept + (n - 1) * c->row_bytes) > t_s)
        n--;
    if (n == 0)
        return MR_OK;
    MR_TRY(send(c, c->kept, (size_t)n, err));
    c->n_kept -= n;
    memmove(c->kept, c->kept + n * c->row_bytes, (size_t)c->n_kept * c->row_bytes);
    return MR_OK;
}

uint64_t mr_columns_rows(const struct mr_columns *c)
{
    return c->n_row;
}
