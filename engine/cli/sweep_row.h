/* SPDX-License-Identifier: Apache-2.0 */
/* One row of an experiment: its settings, its command line, what it costs. */
#ifndef MR_ENGINE_CLI_SWEEP_ROW_H
#define MR_ENGINE_CLI_SWEEP_ROW_H

#include "experiments/batch.h"
#include "experiments/design.h"

/* Zero-initialize but for the first two; mr_sweep_row_fini. */
struct mr_sweep_row {
    const struct mr_experiment *experiment;
    const struct mr_design *design;
    const char **set;    /* "PATH=VALUE", of the row asked for last */
    struct mr_place *at; /* where each is written */
    size_t n_set;
    struct mr_arena texts;
    struct mr_batch_command command;
    const char **argv;
};

struct mr_sweep_row_cost {
    double wall_s, bytes;
    uint64_t rss_bytes;
};

/** Settings of a row, its seed among them, in row->set. */
MR_CHECKED mr_status mr_sweep_row_settings(struct mr_sweep_row *row, size_t i, struct mr_err *err);

/** This program's `run` of a row into FOLDER/run_ID.h5. @param[out] command lent until the next */
MR_CHECKED mr_status mr_sweep_row_command(struct mr_sweep_row *row, size_t i, const char *folder,
                                          struct mr_batch_command *command, struct mr_err *err);

/** Run a row once in a folder of its own below `within` (NULL, or not there: the current folder),
 *  which is removed. */
MR_CHECKED mr_status mr_sweep_row_probe(struct mr_sweep_row *row, size_t i, const char *within,
                                        const struct mr_batch_options *options,
                                        struct mr_sweep_row_cost *cost, struct mr_err *err);

/** Path of this program. @param[out] out appended */
MR_CHECKED mr_status mr_sweep_row_program(struct mr_buf *out, struct mr_err *err);

void mr_sweep_row_fini(struct mr_sweep_row *row);

#endif
