/* SPDX-License-Identifier: Apache-2.0 */
/* One file over the runs of a folder: figures and factors as columns over the axis `run` in /kpi,
 * and every series of any run as run x time x entity, where all that have it have the same times,
 * either by reference (virtual datasets: the file stays beside its runs) or as a copy that stands
 * alone. A run is NaN where it has none; one that is missing or not complete is named. */
#ifndef MR_POSTPROCESS_MERGE_H
#define MR_POSTPROCESS_MERGE_H

#include "engine/base/text.h"

enum {
    MR_MERGE_NAMED = 10 /* runs that a message names */
};

struct mr_merge_options {
    bool is_copy, may_overwrite;
};

struct mr_merge_result {
    size_t n_run, n_there, n_figure, n_factor, n_series;
    size_t n_partial;            /* series that not all runs have */
    size_t n_uneven;             /* runs that have other times or entities */
    struct mr_buf missing;       /* names of runs that are NaN, and why */
    struct mr_buf missing_first; /* of the first MR_MERGE_NAMED */
    struct mr_buf uneven;        /* groups that are left out for it */
    struct mr_buf uneven_files;  /* of those runs */
    size_t n_other;              /* runs that are not what the manifest asks for */
    struct mr_buf other_files;   /* the first MR_MERGE_NAMED */
};

/** DIR/manifest.csv says which runs there should be: run_id, factors, seed, config_hash.
 *  @param[out] result mr_merge_fini, after errors too */
MR_CHECKED mr_status mr_merge(const char *folder, const char *path,
                              const struct mr_merge_options *options,
                              struct mr_merge_result *result, struct mr_err *err);
void mr_merge_fini(struct mr_merge_result *result);

#endif
