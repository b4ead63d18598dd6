/* SPDX-License-Identifier: Apache-2.0 */
/* Series and tables read back out of a run file, finished or left as PATH.part: one dataset time x
 * entity, its times, the names of its entities, its unit; columns side by side. Axes are found by
 * the file's own dimension scales, so files of other netCDF-4 writers serve as well. Not for the
 * moments in which this process writes a run file itself: HDF5's high-level calls are not safe
 * beside the writing thread. */
#ifndef MR_ENGINE_RECORD_RUNDATA_H
#define MR_ENGINE_RECORD_RUNDATA_H

#include "engine/base/text.h"

enum {
    MR_RUNDATA_UNITS = 32
};

/* Owned by the caller: mr_rundata_fini. */
struct mr_rundata {
    size_t n_time, n_entity;
    double *time_s; /* finite, rises */
    double *value;  /* [time * n_entity + entity], in `units`; NaN where nothing was recorded */
    char **name;    /* of entities */
    char units[MR_RUNDATA_UNITS];
};

/** A plain file that begins as HDF5 does. */
bool mr_rundata_is(const char *path);

/** Read a dataset of floats over time and entity.
 *  @param[in] dataset "/racks/power_kw" @param[out] out mr_rundata_fini, after errors too
 *  @return MR_IO when the file cannot be read, MR_REF without that dataset, MR_SCHEMA when it is
 *  not of that kind */
MR_CHECKED mr_status mr_rundata_read(const char *path, const char *dataset, struct mr_rundata *out,
                                     struct mr_err *err);
void mr_rundata_fini(struct mr_rundata *data);

/* A column of a table: the caller says its name. */
struct mr_rundata_column {
    const char *name;
    double *value; /* [row], owned by the caller: mr_rundata_columns_fini */
};

/** Read columns of numbers of a table (columns.h), all as far as the shortest.
 *  @param[in] group "/steps" @param[in,out] column their values, NULL where this fails
 *  @return MR_IO when the file cannot be read, MR_REF without one of them, MR_SCHEMA when it is not
 *  of that kind */
MR_CHECKED mr_status mr_rundata_columns(const char *path, const char *group,
                                        struct mr_rundata_column *column, size_t n_column,
                                        size_t *n_row, struct mr_err *err);
void mr_rundata_columns_fini(struct mr_rundata_column *column, size_t n_column);

/** Is it a file of this program, and not of a later version?
 *  @return MR_IO when the file cannot be read, MR_SCHEMA when it is not */
MR_CHECKED mr_status mr_rundata_check(const char *path, struct mr_err *err);

/** Is there such a group or dataset? False where the file cannot be read. */
bool mr_rundata_has(const char *path, const char *object);

/** Read an attribute of a dataset that is a text, such as flag_meanings.
 *  @param[out] out appended @return as mr_rundata_text */
MR_CHECKED mr_status mr_rundata_attr(const char *path, const char *dataset, const char *attr,
                                     struct mr_buf *out, struct mr_err *err);

/** Read a text (mr_runfile_text). @param[out] out appended
 *  @return MR_IO, MR_REF without it, MR_SCHEMA when it is something else */
MR_CHECKED mr_status mr_rundata_text(const char *path, const char *dataset, struct mr_buf *out,
                                     struct mr_err *err);

#endif
