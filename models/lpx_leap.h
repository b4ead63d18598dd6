/* SPDX-License-Identifier: Apache-2.0 */
/* Durations that are a maximum of linear functions of the step: T_j = max_i (a_i + b_i j), j = 0,
 * 1, 2 ... Over a leap that is a few linear pieces, found once, equal to stepping. Such are steps
 * whose parts overlap: attention against experts, drafts against verification, SRAM against DDR. */
#ifndef MR_MODELS_LPX_LEAP_H
#define MR_MODELS_LPX_LEAP_H

#include <stdint.h>

enum {
    MR_LPX_LEAP_PIECES = 4
};

struct mr_lpx_leap_line {
    double a_s, b_s; /* b_s at least 0 */
};

/* T_j = a_s + b_s j for the steps j from `first` to the next piece's. */
struct mr_lpx_leap_piece {
    uint64_t first;
    double a_s, b_s;
};

struct mr_lpx_leap {
    int n_piece;
    struct mr_lpx_leap_piece piece[MR_LPX_LEAP_PIECES];
};

/** Pieces of the maximum of 1 to MR_LPX_LEAP_PIECES lines. */
struct mr_lpx_leap mr_lpx_leap_of(const struct mr_lpx_leap_line *line, int n);

/** T_j [s] */
double mr_lpx_leap_step_s(const struct mr_lpx_leap *leap, uint64_t j);

/** Sum of T_j over the first `n_step` steps [s]. */
double mr_lpx_leap_sum_s(const struct mr_lpx_leap *leap, uint64_t n_step);

/** Every duration times `factor`. */
struct mr_lpx_leap mr_lpx_leap_scaled(const struct mr_lpx_leap *leap, double factor);

#endif
