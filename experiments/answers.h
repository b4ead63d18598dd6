/* SPDX-License-Identifier: Apache-2.0 */
/* DIR/kpi.csv: the figures that an experiment asks for, of every row that is done: those named by
 * <output>, those made by <kpi>, and whether the <constraint>s hold. Written anew at each end. */
#ifndef MR_EXPERIMENTS_ANSWERS_H
#define MR_EXPERIMENTS_ANSWERS_H

#include "experiments/ledger.h"

struct mr_answers_count {
    size_t n_row, n_met; /* rows that are done; of them those within all constraints */
};

/** Does the experiment ask for any? */
bool mr_answers_are_asked(const struct mr_experiment *experiment);

/** @param[in] ledger its lock lets one process write at a time */
MR_CHECKED mr_status mr_answers_write(const struct mr_experiment *experiment,
                                      const struct mr_design *design, struct mr_ledger *ledger,
                                      struct mr_answers_count *count, struct mr_err *err);

#endif
