/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of an experiment, and their list on disk: DIR/manifest.csv, one line per row with its
 * number, the value of every factor, the seed and the hash of its configuration. A row's number and
 * its values depend on the experiment alone. Parts of a sweep take every N-th row, so that dear
 * corners of a grid are shared out. */
#ifndef MR_EXPERIMENTS_DESIGN_H
#define MR_EXPERIMENTS_DESIGN_H

#include "engine/base/sha256.h"
#include "experiments/experiment.h"

enum {
    MR_DESIGN_ID = 16 /* text of a row's number with its NUL */
};

/* Owned by the caller: mr_design_fini; texts are the experiment's. */
struct mr_design {
    size_t n_row, n_factor;
    const char **path;   /* n_factor */
    struct mr_place *at; /* n_factor: where the experiment names it */
    const char **value;  /* n_row x n_factor; NULL: the scenario's own */
    uint64_t *seed;      /* n_row, when has_seeds; else to be filled in by whoever knows them */
    bool has_seeds;
    char (*hash)[MR_SHA256_HEX]; /* n_row, likewise */
};

MR_CHECKED mr_status mr_design_expand(const struct mr_experiment *experiment,
                                      struct mr_design *design, struct mr_err *err);
void mr_design_fini(struct mr_design *design);

/** "00417" */
const char *mr_design_id(size_t row, char out[MR_DESIGN_ID]);

/** The manifest as text. */
void mr_design_manifest(const struct mr_design *design, struct mr_buf *out);

/** Mark the rows of part "I/N" (0 <= I < N) or of "A-B,C"; NULL: no restriction.
 *  @param[in,out] is_on n_row of them, only ever cleared */
MR_CHECKED mr_status mr_design_shard(const char *text, size_t n_row, bool *is_on,
                                     struct mr_err *err);
MR_CHECKED mr_status mr_design_rows(const char *text, size_t n_row, bool *is_on,
                                    struct mr_err *err);

#endif
