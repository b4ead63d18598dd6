/* SPDX-License-Identifier: Apache-2.0 */
/* The elements of experiments: what reading and the grammar share. */
#ifndef MR_EXPERIMENTS_EXPERIMENT_IMPL_H
#define MR_EXPERIMENTS_EXPERIMENT_IMPL_H

#include "experiments/experiment.h"

enum mr_experiment_element {
    MR_EXPERIMENT_TOP,
    MR_EXPERIMENT_OF_GRID, /* in the order of enum mr_experiment_kind */
    MR_EXPERIMENT_OF_ZIP,
    MR_EXPERIMENT_OF_LATIN,
    MR_EXPERIMENT_OF_LIST,
    MR_EXPERIMENT_FACTOR,
    MR_EXPERIMENT_ROW,
    MR_EXPERIMENT_SET,
    MR_EXPERIMENT_SEEDS,
    MR_EXPERIMENT_RUN,
    MR_EXPERIMENT_OUTPUT,
    MR_EXPERIMENT_KPI,
    MR_EXPERIMENT_CONSTRAINT,
    MR_EXPERIMENT_RANK,
    MR_EXPERIMENT_ELEMENTS
};

struct mr_experiment_set {
    const char *path, *value;
};

extern const struct mr_param_table mr_experiment_tables[MR_EXPERIMENT_ELEMENTS];

#endif
