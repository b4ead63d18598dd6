/* SPDX-License-Identifier: Apache-2.0 */
/* A dataset that grows row by row: rows gather in memory until a row of chunks is full, which is
 * then compressed and stored whole. Lives in the writing thread; allocates at its start only. */
#ifndef MR_ENGINE_RECORD_TAPE_IMPL_H
#define MR_ENGINE_RECORD_TAPE_IMPL_H

#include "engine/record/hdf5_impl.h"

struct mr_gz_deflater;

/* What all tapes of a file share. */
struct mr_tape_tools {
    struct mr_hdf5_file file;
    struct mr_hdf5_slots slots;      /* for chunks that are not full */
    struct mr_gz_deflater *deflater; /* NULL: nothing is compressed */
    unsigned char *shuffled;         /* one chunk */
    unsigned char *packed;           /* one row of chunks, compressed */
    size_t *packed_bytes;
    size_t cap_chunk, cap_row, cap_block, n_tail;
    uint64_t size_limit; /* of the file [bytes] */
    int level;
    bool is_live;
};

struct mr_tape {
    struct mr_channel channel; /* its texts are lent */
    const char *group;
    struct mr_hdf5_shape shape;
    mr_hid dataset;
    uint64_t n_row;      /* rows put */
    uint64_t n_file_row; /* rows in the file */
    uint64_t n_col;      /* values per row */
    size_t n_block;      /* chunks beside each other */
    size_t size, chunk_bytes;
    unsigned char *block;
    bool is_tail_in_file; /* the chunk being filled has been stored once: */
    uint64_t *tail_place; /* there, for each of n_block */
};

/** Rows and columns of a chunk for rows of n_col values of up to `size` bytes.
 *  @param[in] n_guess rows that are thought to come; 0: not known @param[out] shape rank, chunk */
void mr_tape_shape(uint64_t n_col, bool is_table, size_t size, uint64_t n_guess,
                   struct mr_hdf5_shape *shape);

/* Where a dataset is: the group, open, and its path. */
struct mr_tape_group {
    mr_hid id;
    const char *path;
};

/** Create the dataset. @param[in] group the path outlives the tape @param[in] channel so do its
 *  texts @param[in] shape by mr_tape_shape */
MR_CHECKED mr_status mr_tape_init(struct mr_tape *tape, struct mr_tape_tools *tools,
                                  struct mr_tape_group group, const struct mr_channel *channel,
                                  const struct mr_hdf5_shape *shape, struct mr_err *err);

/** Give n tapes their axes, once. */
MR_CHECKED mr_status mr_tape_attach(const struct mr_tape *tape, size_t n,
                                    struct mr_tape_tools *tools, const mr_hid *scale, size_t n_axis,
                                    struct mr_err *err);
void mr_tape_close(struct mr_tape *tape); /* the dataset: before its file is closed */
void mr_tape_fini(struct mr_tape *tape);

/** Put one row of stored values. */
MR_CHECKED mr_status mr_tape_put(struct mr_tape *tape, struct mr_tape_tools *tools, const void *row,
                                 struct mr_err *err);

/** Put up to n values of a column (n_col = 1), `stride` bytes apart, as given.
 *  @param[in,out] n how many; then how many of them fitted before a chunk was full */
MR_CHECKED mr_status mr_tape_put_column(struct mr_tape *tape, struct mr_tape_tools *tools,
                                        const void *given, size_t stride, size_t *n,
                                        struct mr_err *err);

/** Store the rows of the chunk being filled, so that a flush has them.
 *  @param[in] is_last no more rows will come: compress them */
MR_CHECKED mr_status mr_tape_settle(struct mr_tape *tape, struct mr_tape_tools *tools, bool is_last,
                                    struct mr_err *err);

/** After a failure, when there is room again: try to store the rows that are not in the file. */
void mr_tape_salvage(struct mr_tape *tape, struct mr_tape_tools *tools);

/** Then cut datasets that grow together to the rows that all have. They may have been closed.
 *  @return those */
uint64_t mr_tape_level(struct mr_tape *tape, size_t n, struct mr_tape_tools *tools);

void mr_tape_tools_fini(struct mr_tape_tools *tools);

#endif
