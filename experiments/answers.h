/* SPDX-License-Identifier: Apache-2.0 */
/* DIR/kpi.csv: the figures that an experiment asks for, of every row (empty where it is not done):
 * those named by <output>, those made by <kpi>, which <constraint>s are broken, and why a figure is
 * none. Written anew at each end. DIR/asked.csv are the questions, for who merges the runs. */
#ifndef MR_EXPERIMENTS_ANSWERS_H
#define MR_EXPERIMENTS_ANSWERS_H

#include "experiments/ledger.h"

struct mr_answers_count {
    size_t n_row, n_met; /* rows that are done; of them those within all constraints */
    size_t n_noted;      /* with a figure that is no number */
    char note[160];      /* of the first of them */
};

/** Keep the questions. */
MR_CHECKED mr_status mr_answers_keep_asked(const struct mr_experiment *experiment,
                                           struct mr_ledger *ledger, struct mr_err *err);

/** @param[in] ledger its lock lets one process write at a time */
MR_CHECKED mr_status mr_answers_write(const struct mr_experiment *experiment,
                                      const struct mr_design *design, struct mr_ledger *ledger,
                                      struct mr_answers_count *count, struct mr_err *err);

#endif
