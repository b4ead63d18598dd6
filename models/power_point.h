/* SPDX-License-Identifier: Apache-2.0 */
/* Power of served models: rows of (model, package, layout, batch, time between tokens, watts per
 * package) against the model of models/power.h. Work comes from the step's terms, time from the
 * row, so that what is judged is power alone. Contexts are not recorded: a typical one is assumed.
 */
#ifndef MR_MODELS_POWER_POINT_H
#define MR_MODELS_POWER_POINT_H

#include "models/measured.h"
#include "models/power.h"

struct mr_power_point_row {
    const char *model, *gpu; /* in the set's arena */
    double batch, itl_s, measured_w;
    double predicted_w; /* NaN: see lacks */
    const char *lacks;  /* why it is not predicted; NULL: it is */
};

struct mr_power_points {
    struct mr_power_point_row *row;
    size_t n, cap;
    struct mr_arena arena;
};

enum {
    MR_POWER_POINT_CONTEXT = 1024 /* tokens, assumed */
};

/** Read and predict. Columns: model, gpu, tp, ep, precision, avg_batch or max_num_seqs,
 *  median_itl_ms, power_w_per_gpu; ngpu for the copies of attention. */
MR_CHECKED mr_status mr_power_point_read(const char *path, struct mr_shelf *shelf,
                                         struct mr_power_points *set, struct mr_err *err);
void mr_power_point_fini(struct mr_power_points *set);

#endif
