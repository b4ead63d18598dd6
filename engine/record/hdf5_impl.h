/* SPDX-License-Identifier: Apache-2.0 */
/* What engine/record needs of HDF5, with errors told as ours: groups, attributes, dimension scales,
 * datasets. HDF5 itself is included by .c files only; its handles are mr_hid here.
 * All of it runs in the writing thread of a file. Texts are UTF-8 of variable length, which every
 * reader turns into plain strings. Creation order is tracked everywhere: netCDF-4 demands it. */
#ifndef MR_ENGINE_RECORD_HDF5_IMPL_H
#define MR_ENGINE_RECORD_HDF5_IMPL_H

#include "engine/record/channel.h"

#include <stdint.h>

typedef int64_t mr_hid; /* HDF5's hid_t; negative: none */

enum {
    mr_hdf5_rank_max = 2
};

/* Places in a file that are free, each of a plain chunk's size: the first n on disk too, the others
 * from the next flush on. */
struct mr_hdf5_slots {
    struct {
        uint64_t at, bytes;
    } * item;
    size_t n, n_all, cap;
    void *driven; /* the driver's open file; one at a time */
};
void mr_hdf5_slots_fini(struct mr_hdf5_slots *slots);

/* An open file and its name in messages. Lent. */
struct mr_hdf5_file {
    mr_hid id;
    const char *path;
    struct mr_hdf5_slots *slots; /* of mr_hdf5_drive */
};

/** Let the file opened with this access list take new space at its end or from the slots only.
 *  @param[in] slots outlive the file */
MR_CHECKED mr_status mr_hdf5_drive(mr_hid access, struct mr_hdf5_slots *slots, struct mr_err *err);

/** From now on metadata is written in the order in which HDF5 gives it, as SWMR demands. */
void mr_hdf5_order(struct mr_hdf5_file file);

/** Write the metadata that the driver holds; part of mr_hdf5_flush and of closing. */
MR_CHECKED mr_status mr_hdf5_release(struct mr_hdf5_file file, struct mr_err *err);

/** MR_IO with the text and, from HDF5's error stack, the reason: what the system said, else HDF5's
 *  innermost message. Call before any other call of HDF5. */
mr_status mr_hdf5_error(struct mr_err *err, const char *path, const char *fmt, ...) MR_PRINTF(3, 4);

/** HDF5 prints nothing by itself in this thread. */
void mr_hdf5_silence(void);

/** Create over an empty file. Metadata is written at flushes only, never between them, so a killed
 *  process leaves the state of the last flush, or an empty file.
 *  @param[in] slots of mr_hdf5_drive @param[in] is_live in the latest format, as SWMR needs it;
 *  else in the earliest that holds it all */
MR_CHECKED mr_status mr_hdf5_create(const char *path, struct mr_hdf5_slots *slots, bool is_live,
                                    mr_hid *id, struct mr_err *err);

/** Open a live file after its SWMR. */
MR_CHECKED mr_status mr_hdf5_reopen(const char *path, struct mr_hdf5_slots *slots, mr_hid *id,
                                    struct mr_err *err);
MR_CHECKED mr_status mr_hdf5_close(struct mr_hdf5_file file, struct mr_err *err);
MR_CHECKED mr_status mr_hdf5_start_swmr(struct mr_hdf5_file file, struct mr_err *err);
MR_CHECKED mr_status mr_hdf5_flush(struct mr_hdf5_file file, struct mr_err *err);

/** Room for n bytes more below a limit on the file's size. */
MR_CHECKED mr_status mr_hdf5_check_room(struct mr_hdf5_file file, uint64_t limit_bytes, size_t n,
                                        struct mr_err *err);

/** Open a group, "/" or "/a/b"; missing ones are created. */
MR_CHECKED mr_status mr_hdf5_group(struct mr_hdf5_file file, const char *path, mr_hid *group,
                                   struct mr_err *err);
void mr_hdf5_group_close(mr_hid group);
void mr_hdf5_dataset_close(mr_hid dataset);

/* ---- attributes of an open object: created, or replaced ---- */

MR_CHECKED mr_status mr_hdf5_attr_text(struct mr_hdf5_file file, mr_hid object, const char *name,
                                       const char *text, struct mr_err *err);
MR_CHECKED mr_status mr_hdf5_attr_number(struct mr_hdf5_file file, mr_hid object, const char *name,
                                         enum mr_channel_type type, const void *value, size_t n,
                                         struct mr_err *err);

/* ---- datasets ---- */

struct mr_hdf5_shape {
    int rank;
    uint64_t dim[mr_hdf5_rank_max];
    uint64_t chunk[mr_hdf5_rank_max]; /* 0: not chunked */
    bool is_growing;                  /* the first axis has no limit */
    int level;                        /* of deflate, after a shuffle; 0: as it is */
};

/** Create a dataset with units, long_name, vocabulary and, for floats, NaN where nothing is. */
MR_CHECKED mr_status mr_hdf5_dataset(struct mr_hdf5_file file, mr_hid group,
                                     const struct mr_channel *channel,
                                     const struct mr_hdf5_shape *shape, mr_hid *dataset,
                                     struct mr_err *err);

/** Write all of it at once. @param[in] bytes in the stored type */
MR_CHECKED mr_status mr_hdf5_write(struct mr_hdf5_file file, mr_hid dataset,
                                   const struct mr_channel *channel, const void *bytes,
                                   struct mr_err *err);

/** A dataset of n texts along one axis, or of one text without an axis (n = SIZE_MAX). */
MR_CHECKED mr_status mr_hdf5_texts(struct mr_hdf5_file file, mr_hid group,
                                   const struct mr_channel *channel, const char *const *text,
                                   size_t n, mr_hid *dataset, struct mr_err *err);

/** A netCDF dimension without values; its extent is the axis. */
MR_CHECKED mr_status mr_hdf5_bare_axis(struct mr_hdf5_file file, mr_hid group, const char *name,
                                       uint64_t n, uint64_t chunk, mr_hid *dataset,
                                       struct mr_err *err);

/** Make a dataset the scale of its axis. @param[in] label as H5DSset_scale's name */
MR_CHECKED mr_status mr_hdf5_scale(struct mr_hdf5_file file, mr_hid dataset, const char *label,
                                   struct mr_err *err);

/** Give n datasets their axes, all of them, once: scale[i] is that of axis i. */
MR_CHECKED mr_status mr_hdf5_attach(struct mr_hdf5_file file, const mr_hid *dataset, size_t n,
                                    const mr_hid *scale, size_t n_axis, struct mr_err *err);

/** Give a dataset the axes of those names, in the same group, which must be n[i] long (MR_REF). */
MR_CHECKED mr_status mr_hdf5_attach_named(struct mr_hdf5_file file, mr_hid group, mr_hid dataset,
                                          const char *const *name, const uint64_t *n, size_t n_axis,
                                          struct mr_err *err);

/* ---- growing ones ---- */

MR_CHECKED mr_status mr_hdf5_extend(struct mr_hdf5_file file, mr_hid dataset, const char *name,
                                    const struct mr_hdf5_shape *shape, uint64_t n_row,
                                    struct mr_err *err);

/** Close a dataset, if it is open, and open it again: after a failed write HDF5 still believes in a
 * chunk that never came to be. -1 when it cannot. */
void mr_hdf5_dataset_renew(struct mr_hdf5_file file, const char *group, const char *name,
                           mr_hid *dataset);

/** Store the bytes of one whole chunk as they are.
 *  @param[in] skipped filters that were not applied: bit 0 shuffle, bit 1 deflate */
MR_CHECKED mr_status mr_hdf5_chunk(struct mr_hdf5_file file, mr_hid dataset, const char *name,
                                   const uint64_t *at, uint32_t skipped, const void *bytes,
                                   size_t n, struct mr_err *err);

/** Where the chunk at these rows and columns lies, and its size there. */
MR_CHECKED mr_status mr_hdf5_chunk_place(struct mr_hdf5_file file, mr_hid dataset, const char *name,
                                         const uint64_t *at, uint64_t *place, uint64_t *bytes,
                                         struct mr_err *err);

#endif
