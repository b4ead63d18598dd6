/* SPDX-License-Identifier: Apache-2.0 */
/* Fitting a software card to measured rows: the figures of models/software.h that time can tell, in
 * logarithms, drawn to where they start, on the half of the configurations that is not held out. */
#ifndef MR_MODELS_CALIBRATE_H
#define MR_MODELS_CALIBRATE_H

#include "models/fidelity.h"

struct mr_calibrate_options {
    const char *backend;                  /* rows of this one; NULL: all */
    const struct mr_software_card *keep;  /* figures that are not fitted; NULL: the defaults */
    const char *skip_system, *skip_model; /* leave out its rows; NULL: none */
    bool uses_all;                        /* no held-out half: for a last fit */
    const bool *uses; /* these rows of the set and no others, held out or not; NULL: see above */
    const struct mr_software_card *start; /* figures are drawn to it; NULL: to typical ones */
    int n_round;
};

struct mr_calibrate_result {
    struct mr_software_card card;
    size_t n_row, n_held_out;
    double cost_before, cost_after;
};

/** Which figures are fitted: row indices of the software table. @return how many */
size_t mr_calibrate_figures(const size_t **row);

/** Is it one of the figures without a scale, which are tried out and kept when rows fit better? */
bool mr_calibrate_chooses(const struct mr_param *row);

/** @return MR_OK, MR_RANGE (too few rows), MR_NOMEM */
MR_CHECKED mr_status mr_calibrate_rows(const struct mr_measured *set,
                                       const struct mr_calibrate_options *options,
                                       struct mr_calibrate_result *result, struct mr_err *err);

#endif
