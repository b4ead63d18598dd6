/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of merging share: its state, and writing HDF5. Its handles (hid_t) are int64_t in
 * HDF5 1.10 and later: headers do without the library's. */
#ifndef MR_POSTPROCESS_MERGE_IMPL_H
#define MR_POSTPROCESS_MERGE_IMPL_H

#include "postprocess/asked.h"
#include "postprocess/merge.h"
#include "postprocess/runread.h"

struct mr_merge_run {
    const char *id, *file; /* file: "run_00001.h5" */
    const char *hash;      /* of what the manifest asks for; NULL: it does not say */
    const char **value;    /* of the factors */
    bool is_there;
};

/* Times or entities, as in the first run that has them. */
struct mr_merge_axis {
    const struct mr_runread_set *set; /* its own copy: no run stays open */
    const char **text;                /* names; NULL: values */
    double *value;
    bool is_same; /* in the run that is looked at, where it is there */
};

struct mr_merge_series {
    const struct mr_runread_set *set; /* of the first run that has it, copied */
    size_t i_axis[2];                 /* as many as its rank */
    size_t n_run;                     /* that have it; others are NaN */
    bool is_even;                     /* all that have it, over the same times and entities */
    int64_t dataset;                  /* while values are copied */
};

struct mr_merge_column;

struct mr_merge {
    struct mr_arena arena;
    const char *folder, *path;
    const struct mr_merge_options *options;
    struct mr_merge_result *result;
    const char **factor;
    size_t n_factor;
    struct mr_merge_run *run;
    size_t n_run, cap_run;
    struct mr_merge_column *column;
    size_t n_column, cap_column;
    struct mr_asked asked;
    double *feasible;    /* of each run, when there are constraints: 1, 0, NaN */
    const char **broken; /* likewise */
    struct mr_merge_axis *axis;
    struct mr_merge_series *series;
    size_t n_axis, cap_axis, n_series, cap_series;
    int64_t file;
};

/* ---- writing: on false or a negative number the caller says what failed ---- */

mr_status mr_merge_failed(const struct mr_merge *m, struct mr_err *err, const char *what);
bool mr_merge_put_text(int64_t object, const char *name, const char *text); /* an attribute */

/** Groups on the way are made too. */
int64_t mr_merge_group(const struct mr_merge *m, const char *path);
bool mr_merge_track_order(int64_t list);

/** A column of doubles or of texts. @return the open dataset */
int64_t mr_merge_put_column(int64_t group, const char *name, const char *units,
                            const char *long_name, const double *value, const char *const *text,
                            size_t n);

/** The axis of runs in a group. */
int64_t mr_merge_put_run_axis(const struct mr_merge *m, int64_t group);

/* ---- series ---- */

/** Those of a run: new ones are added, those over other times or entities than in the run that had
 *  them first are uneven from here on. */
MR_CHECKED mr_status mr_merge_take_series(struct mr_merge *m, const struct mr_merge_run *run,
                                          struct mr_runread *data, struct mr_err *err);

/** Write all that are even. */
MR_CHECKED mr_status mr_merge_put_series(struct mr_merge *m, struct mr_err *err);
void mr_merge_forget_series(struct mr_merge *m);

#endif
