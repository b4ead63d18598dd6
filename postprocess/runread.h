/* SPDX-License-Identifier: Apache-2.0 */
/* A result file as tables: what is in it is listed once, values are read when they are asked for.
 * Finished files, parts of killed runs, live ones (SWMR) and merged ones serve alike; files of
 * other writers, and of later schemas, are refused. Everything lent lives until mr_runread_close.
 * Not for a process that writes a run file at the same moment. */
#ifndef MR_POSTPROCESS_RUNREAD_H
#define MR_POSTPROCESS_RUNREAD_H

#include "engine/base/text.h"

enum {
    MR_RUNREAD_SCHEMA = 1, /* of files that are read */
    MR_RUNREAD_RANK = 3    /* run, time, entity in merged files */
};

struct mr_runread;

/* A dataset. Texts are never NULL. */
struct mr_runread_set {
    const char *path, *group, *name;      /* "/racks/power_kw", "/racks", "power_kw" */
    const char *units, *long_name, *dsx;  /* "": none */
    const char *formula, *better, *asked; /* columns of merged files; "": none */
    const char *axis[MR_RUNREAD_RANK];    /* paths of the scales, "": none */
    const char *const *flag;              /* what values 0, 1, ... mean */
    const char *const *flag_unit; /* what such rows' other columns are in; NULL: none told */
    size_t n_flag, rank, dim[MR_RUNREAD_RANK]; /* rank 0: one value */
    bool is_text, is_integer;
    bool is_axis, is_bare; /* a scale; a scale without values of its own */
    bool is_before;        /* values are of the interval before their dates, not of the dates */
    bool is_peak, is_low;  /* of those: its largest, its least value */
};

/* An attribute of a group, numbers written as texts. */
struct mr_runread_attr {
    const char *group, *name, *text;
};

struct mr_runread_options {
    bool
        may_be_torn; /* read past the lock of a writer: what it changes meanwhile may look broken */
    /* all that the caller will read, for a child process to read it first; NULL: everything */
    void (*trial)(struct mr_runread *run);
};

/** @param[in] options NULL: defaults @param[out] out owned by the caller: mr_runread_close
 *  @return MR_IO when it cannot be read, MR_PARSE when it is no HDF5 file or does not hang
 * together, MR_SCHEMA when it is another program's or a later version's */
MR_CHECKED mr_status mr_runread_open(const char *path, const struct mr_runread_options *options,
                                     struct mr_runread **out, struct mr_err *err);
void mr_runread_close(struct mr_runread *run); /* NULL is fine */

/** A plain file that begins as HDF5 does. */
bool mr_runread_is(const char *path);

const char *mr_runread_path(const struct mr_runread *run);

/** Finished: its attribute `status` says so. Parts, and files that nobody finished, are not. */
bool mr_runread_is_complete(const struct mr_runread *run);

size_t mr_runread_n(const struct mr_runread *run);
const struct mr_runread_set *mr_runread_at(const struct mr_runread *run, size_t i);

/** The dataset of that path, or NULL. */
const struct mr_runread_set *mr_runread_find(const struct mr_runread *run, const char *path);

size_t mr_runread_n_attr(const struct mr_runread *run);
const struct mr_runread_attr *mr_runread_attr_at(const struct mr_runread *run, size_t i);

/** Text of a group's attribute, or NULL. */
const char *mr_runread_attr(const struct mr_runread *run, const char *group, const char *name);

/** Rows that a dataset and the first axis of it both have: a run that was cut off may have more of
 *  one than of the other. 1 at rank 0. */
size_t mr_runread_rows(const struct mr_runread *run, const struct mr_runread_set *set);

/** Values of one row: the product of the other dimensions. */
size_t mr_runread_width(const struct mr_runread_set *set);

/** Numbers of rows first .. first + n - 1. @param[out] value n * mr_runread_width of them */
MR_CHECKED mr_status mr_runread_f64(const struct mr_runread *run, const struct mr_runread_set *set,
                                    size_t first, size_t n, double *value, struct mr_err *err);

/** All numbers of mr_runread_rows, in fresh memory. @param[out] value owned by the caller: mr_free
 */
MR_CHECKED mr_status mr_runread_all(const struct mr_runread *run, const struct mr_runread_set *set,
                                    double **value, struct mr_err *err);

/** Every `stride`-th column of a dataset of two axes: one entity over time.
 *  @param[out] value mr_runread_rows of them */
MR_CHECKED mr_status mr_runread_column(const struct mr_runread *run,
                                       const struct mr_runread_set *set, size_t column,
                                       double *value, struct mr_err *err);

/** All texts of a dataset of at most one axis. Read once and kept. @param[out] text lent */
MR_CHECKED mr_status mr_runread_texts(struct mr_runread *run, const struct mr_runread_set *set,
                                      const char *const **text, struct mr_err *err);

#endif
