/* SPDX-License-Identifier: Apache-2.0 */
/* Chunks are filtered here and stored whole: HDF5's own pipeline would read a partly filled chunk
 * back.
 *
 * What a killed process leaves: metadata reaches the file at flushes only (hdf5_object.c), so the
 * file on disk is that of the last flush as long as nothing it points to is overwritten. A chunk
 * that is not full is therefore stored plain: its size never changes, it stays where it is, and
 * storing it again writes the same bytes for the rows that were there. When it is full it is stored
 * compressed somewhere else (hdf5_driver.c), and only when the metadata has been flushed its old
 * place is given to another chunk that is not full. With a SWMR reader, who may look at old
 * metadata for long, a chunk that was stored plain stays plain. */
#include "engine/base/assert.h"
#include "engine/base/gz.h"
#include "engine/base/mem.h"
#include "engine/base/text.h"
#include "engine/record/tape_impl.h"

#include <math.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "values are stored as they lie in memory");

enum {
    skip_none = 0,
    skip_deflate = 2,
    skip_all = 3,
    chunk_target_bytes = 1 << 18,
    col_max = 512,
    row_min = 128,
    row_max = 1024,
    column_rows = 1 << 14, /* of a table; of a series with one value per row, a quarter */
    n_guess_chunk = 8,     /* where the rows to come are known */
    guess_row_min = 32
};

/* Each dataset leaves room for a plain chunk behind in the file, and fills up its last one: both
 * are little where there are several chunks to come. Measured against chunks of full size: a minute
 * of the quickstart is 626 KB and not 633, where it was flushed 662 KB and not 3.2 MB, and takes
 * 171 and not 258 million instructions of the writing thread; twenty minutes of the heat wave by
 * the second are 1.9 MB and not 6.5. */
static uint64_t rows_of(uint64_t rows, uint64_t n_guess)
{
    const uint64_t few = n_guess < guess_row_min ? n_guess : guess_row_min;
    const uint64_t part = (n_guess + n_guess_chunk - 1) / n_guess_chunk;
    const uint64_t wanted = part > few ? part : few;
    return n_guess > 0 && wanted < rows ? wanted : rows;
}

/* Whole rows up to 512 entities, equal pieces of at most that beyond; then as many samples as give
 * 256 KiB, at least 128, at most 1024 (4096 when a row is one value). Reading one entity over an
 * hour of seconds touches 29 chunks, reading all of 5,500 at one moment 11. */
void mr_tape_shape(uint64_t n_col, bool is_table, size_t size, uint64_t n_guess,
                   struct mr_hdf5_shape *shape)
{
    MR_ASSERT(n_col > 0);
    *shape = (struct mr_hdf5_shape){.rank = 2, .dim = {0, n_col}, .is_growing = true};
    if (is_table || n_col == 1) {
        shape->chunk[0] = rows_of(is_table ? column_rows : column_rows / 4, n_guess);
        shape->chunk[1] = 1;
        return;
    }
    const uint64_t n_piece = (n_col + col_max - 1) / col_max;
    const uint64_t cols = (n_col + n_piece - 1) / n_piece;
    uint64_t rows = row_max;
    while (rows > row_min && rows * cols * size > chunk_target_bytes)
        rows /= 2;
    shape->chunk[0] = rows_of(rows, n_guess);
    shape->chunk[1] = cols;
}

static void fill(struct mr_tape *tape)
{
    const double nan = (double)NAN;
    const float nan_f = NAN;
    const size_t n = tape->n_block * tape->chunk_bytes;
    if (!mr_channel_is_float(tape->channel.type)) {
        memset(tape->block, 0, n);
        return;
    }
    for (size_t i = 0; i < n; i += tape->size)
        memcpy(tape->block + i, tape->size == 8 ? (const void *)&nan : (const void *)&nan_f,
               tape->size);
}

static mr_status widen(struct mr_tape_tools *tools, const struct mr_tape *tape, struct mr_err *err)
{
    MR_TRY(mr_grow(&tools->shuffled, &tools->cap_chunk, tape->chunk_bytes, 1, err));
    MR_TRY(mr_grow(&tools->packed, &tools->cap_row, tape->n_block * tape->chunk_bytes, 1, err));
    MR_TRY(mr_grow(&tools->packed_bytes, &tools->cap_block, tape->n_block,
                   sizeof *tools->packed_bytes, err));
    tools->n_tail += 2 * tape->n_block; /* no tape leaves more before a flush, nor holds more */
    return mr_grow(&tools->slots.item, &tools->slots.cap, tools->n_tail, sizeof *tools->slots.item,
                   err);
}

/* HDF5 makes a dataset's index with its first chunk, and the header then tells where it is: in
 * another of its parts than how many rows there are, so that a killed process or a reader beside us
 * could meet one without the other. Here a chunk is put and taken back while nothing is in the file
 * yet. */
static mr_status make_index(struct mr_tape *tape, struct mr_tape_tools *tools, struct mr_err *err)
{
    const uint64_t at[mr_hdf5_rank_max] = {0, 0};
    const size_t n = tools->level > 0 ? 1 : tape->chunk_bytes; /* nobody unpacks it */
    const struct mr_hdf5_file file = tools->file;
    const char *name = tape->channel.name;
    MR_TRY(mr_hdf5_extend(file, tape->dataset, name, &tape->shape, 1, err));
    MR_TRY(mr_hdf5_chunk(file, tape->dataset, name, at, skip_none, tape->block, n, err));
    return mr_hdf5_extend(file, tape->dataset, name, &tape->shape, 0, err);
}

mr_status mr_tape_init(struct mr_tape *tape, struct mr_tape_tools *tools,
                       struct mr_tape_group group, const struct mr_channel *channel,
                       const struct mr_hdf5_shape *shape, struct mr_err *err)
{
    const uint64_t cols = shape->chunk[1], n_col = shape->rank > 1 ? shape->dim[1] : 1;
    *tape = (struct mr_tape){.channel = *channel, .shape = *shape, .dataset = -1};
    tape->group = group.path;
    tape->shape.level = tools->level;
    tape->size = mr_channel_stored_bytes(channel->type);
    tape->n_col = n_col;
    tape->n_block = (size_t)((n_col + cols - 1) / cols);
    tape->chunk_bytes = (size_t)(shape->chunk[0] * cols) * tape->size;
    tape->block = mr_alloc(tape->n_block, tape->chunk_bytes);
    tape->tail_place = mr_alloc(tape->n_block, sizeof *tape->tail_place);
    if (tape->block == NULL || tape->tail_place == NULL)
        return mr_err_nomem(err, tape->n_block * tape->chunk_bytes);
    fill(tape);
    MR_TRY(widen(tools, tape, err));
    MR_TRY(mr_hdf5_dataset(tools->file, group.id, channel, &tape->shape, &tape->dataset, err));
    return make_index(tape, tools, err);
}

mr_status mr_tape_attach(const struct mr_tape *tape, size_t n, struct mr_tape_tools *tools,
                         const mr_hid *scale, size_t n_axis, struct mr_err *err)
{
    mr_hid *dataset = mr_alloc(n + 1, sizeof *dataset);
    if (dataset == NULL)
        return mr_err_nomem(err, n * sizeof *dataset);
    for (size_t i = 0; i < n; i++)
        dataset[i] = tape[i].dataset;
    const mr_status st = mr_hdf5_attach(tools->file, dataset, n, scale, n_axis, err);
    mr_free(dataset);
    return st;
}

void mr_tape_close(struct mr_tape *tape)
{
    mr_hdf5_dataset_close(tape->dataset);
    tape->dataset = -1;
}

void mr_tape_fini(struct mr_tape *tape)
{
    mr_tape_close(tape);
    mr_free(tape->block);
    mr_free(tape->tail_place);
    *tape = (struct mr_tape){.dataset = -1};
}

/* ---- filters ---- */

/* HDF5's shuffle: all first bytes, then all second ones, ... */
static void shuffle(const unsigned char *bytes, size_t n, size_t size, unsigned char *out)
{
    const size_t n_value = n / size;
    for (size_t k = 0; k < size; k++)
        for (size_t i = 0; i < n_value; i++)
            out[k * n_value + i] = bytes[i * size + k];
}

/* Every chunk of the row into tools->packed, each in a place of its own. Length 0: deflate would
 * make it larger. */
static void pack(const struct mr_tape *tape, struct mr_tape_tools *tools)
{
    for (size_t b = 0; b < tape->n_block; b++) {
        const unsigned char *bytes = tape->block + b * tape->chunk_bytes;
        unsigned char *out = tools->packed + b * tape->chunk_bytes;
        shuffle(bytes, tape->chunk_bytes, tape->size, tools->shuffled);
        tools->packed_bytes[b] =
            mr_gz_deflater_run(tools->deflater, tools->shuffled, tape->chunk_bytes,
                               tape->chunk_bytes / tape->size, out, tape->chunk_bytes);
        if (tools->packed_bytes[b] == 0)
            memcpy(out, tools->shuffled, tape->chunk_bytes);
    }
}

/* ---- storing ---- */

/* A chunk that does not shrink stays plain where it is in the file already: HDF5 would write one of
 * the same size in place, which would then be no free slot. */
static bool stays_plain(const struct mr_tape *tape, const struct mr_tape_tools *tools, size_t b)
{
    return tape->is_tail_in_file &&
           (tools->packed_bytes[b] == 0 || tools->packed_bytes[b] >= tape->chunk_bytes);
}

static mr_status store(struct mr_tape *tape, struct mr_tape_tools *tools, bool is_packed,
                       struct mr_err *err)
{
    const uint64_t rows = tape->shape.chunk[0], row = (tape->n_row - 1) / rows * rows;
    const struct mr_hdf5_file file = tools->file;
    MR_TRY(mr_hdf5_check_room(file, tools->size_limit, tape->n_block * tape->chunk_bytes, err));
    if (is_packed)
        pack(tape, tools);
    if (tape->n_file_row < tape->n_row)
        MR_TRY(mr_hdf5_extend(file, tape->dataset, tape->channel.name, &tape->shape, tape->n_row,
                              err));
    for (size_t b = 0; b < tape->n_block; b++) {
        const uint64_t at[mr_hdf5_rank_max] = {row, b * tape->shape.chunk[1]};
        const unsigned char *bytes = tape->block + b * tape->chunk_bytes;
        size_t n = tape->chunk_bytes;
        uint32_t skipped = tools->level > 0 ? skip_all : skip_none;
        if (is_packed && stays_plain(tape, tools, b))
            continue;
        if (is_packed) {
            bytes = tools->packed + b * tape->chunk_bytes;
            skipped = tools->packed_bytes[b] > 0 ? skip_none : skip_deflate;
            if (tools->packed_bytes[b] > 0)
                n = tools->packed_bytes[b];
        }
        MR_TRY(mr_hdf5_chunk(file, tape->dataset, tape->channel.name, at, skipped, bytes, n, err));
    }
    tape->n_file_row = tape->n_row;
    return MR_OK;
}

/* The last time this chunk is stored. */
static mr_status store_for_good(struct mr_tape *tape, struct mr_tape_tools *tools,
                                struct mr_err *err)
{
    const bool was_in_file = tape->is_tail_in_file;
    const bool is_packed = tools->level > 0 && !(tools->is_live && was_in_file);
    if (is_packed &&
        was_in_file) /* needs no space: all rows are safe before a full disk can stop us */
        MR_TRY(store(tape, tools, false, err));
    MR_TRY(store(tape, tools, is_packed, err));
    for (size_t b = 0; b < tape->n_block && is_packed && was_in_file; b++) {
        if (stays_plain(tape, tools, b))
            continue;
        MR_ASSERT(tools->slots.n_all < tools->slots.cap);
        tools->slots.item[tools->slots.n_all].at = tape->tail_place[b];
        tools->slots.item[tools->slots.n_all++].bytes = tape->chunk_bytes;
    }
    tape->is_tail_in_file = false;
    return MR_OK;
}

/* The chunk being filled, as it is, and where it went. */
static mr_status store_for_now(struct mr_tape *tape, struct mr_tape_tools *tools,
                               struct mr_err *err)
{
    const uint64_t rows = tape->shape.chunk[0], row = (tape->n_row - 1) / rows * rows;
    MR_TRY(store(tape, tools, false, err));
    for (size_t b = 0; b < tape->n_block && !tape->is_tail_in_file; b++) {
        const uint64_t at[mr_hdf5_rank_max] = {row, b * tape->shape.chunk[1]};
        uint64_t bytes;
        MR_TRY(mr_hdf5_chunk_place(tools->file, tape->dataset, tape->channel.name, at,
                                   &tape->tail_place[b], &bytes, err));
        MR_ASSERT(bytes == tape->chunk_bytes);
    }
    tape->is_tail_in_file = true;
    return MR_OK;
}

static mr_status advance(struct mr_tape *tape, struct mr_tape_tools *tools, size_t n,
                         struct mr_err *err)
{
    tape->n_row += n;
    if (tape->n_row % tape->shape.chunk[0] != 0)
        return MR_OK;
    MR_TRY(store_for_good(tape, tools, err));
    fill(tape);
    return MR_OK;
}

mr_status mr_tape_put(struct mr_tape *tape, struct mr_tape_tools *tools, const void *row,
                      struct mr_err *err)
{
    const size_t rows = (size_t)tape->shape.chunk[0], cols = (size_t)tape->shape.chunk[1];
    const size_t r = (size_t)(tape->n_row % rows), n_col = (size_t)tape->n_col;
    const unsigned char *from = row;
    for (size_t b = 0; b < tape->n_block; b++) {
        const size_t first = b * cols, n = n_col - first < cols ? n_col - first : cols;
        memcpy(tape->block + ((b * rows + r) * cols) * tape->size, from + first * tape->size,
               n * tape->size);
    }
    return advance(tape, tools, 1, err);
}

mr_status mr_tape_put_column(struct mr_tape *tape, struct mr_tape_tools *tools, const void *given,
                             size_t stride, size_t *n, struct mr_err *err)
{
    const size_t rows = (size_t)tape->shape.chunk[0], r = (size_t)(tape->n_row % rows);
    MR_ASSERT(tape->n_col == 1);
    if (*n > rows - r)
        *n = rows - r;
    mr_channel_store(&tape->channel, given, stride, *n, tape->block + r * tape->size);
    return advance(tape, tools, *n, err);
}

mr_status mr_tape_settle(struct mr_tape *tape, struct mr_tape_tools *tools, bool is_last,
                         struct mr_err *err)
{
    const bool is_full = tape->n_row % tape->shape.chunk[0] == 0;
    if (is_last)
        return is_full ? MR_OK : store_for_good(tape, tools, err);
    if (is_full || tape->n_file_row == tape->n_row)
        return MR_OK;
    return store_for_now(tape, tools, err);
}

/* A chunk that is full and could not be stored is still in the block: nothing came after it. What
 * needs room takes as little as it can. */
void mr_tape_salvage(struct mr_tape *tape, struct mr_tape_tools *tools)
{
    struct mr_err ignored = {0};
    if (tape->n_file_row == tape->n_row)
        return;
    mr_hdf5_dataset_renew(tools->file, tape->group, tape->channel.name, &tape->dataset);
    if (tape->dataset < 0 ||
        store(tape, tools, tools->level > 0 && !tape->is_tail_in_file, &ignored) != MR_OK)
        return; /* its rows stay those of n_file_row */
}

/* A store that failed half way has told the file of rows already. HDF5 fills up what is cut off a
 * chunk and writes it again, which may need room; what cannot be done stays as it is. */
uint64_t mr_tape_level(struct mr_tape *tape, size_t n, struct mr_tape_tools *tools)
{
    uint64_t n_row = UINT64_MAX;
    for (size_t i = 0; i < n; i++)
        n_row = tape[i].n_file_row < n_row ? tape[i].n_file_row : n_row;
    for (size_t i = 0; i < n; i++) {
        struct mr_err ignored = {0};
        struct mr_tape *t = &tape[i];
        if (t->n_row == n_row && t->n_file_row == n_row)
            continue;
        mr_hdf5_dataset_renew(tools->file, t->group, t->channel.name, &t->dataset);
        if (t->dataset >= 0 && mr_hdf5_extend(tools->file, t->dataset, t->channel.name, &t->shape,
                                              n_row, &ignored) == MR_OK)
            t->n_file_row = n_row;
    }
    return n_row;
}

void mr_tape_tools_fini(struct mr_tape_tools *tools)
{
    mr_gz_deflater_destroy(tools->deflater);
    mr_free(tools->shuffled);
    mr_free(tools->packed);
    mr_free(tools->packed_bytes);
    mr_hdf5_slots_fini(&tools->slots);
}
