/* SPDX-License-Identifier: Apache-2.0 */
/* Windows: time cut into equal pieces, number k from k * window_s up to, not including,
 * (k + 1) * window_s, each product rounded once. That rounded product is the edge for everybody: a
 * time is never put into one window here and into its neighbour there. */
#ifndef MR_ENGINE_CLOCK_WINDOW_H
#define MR_ENGINE_CLOCK_WINDOW_H

#include "engine/base/assert.h"

/* 2^36 windows: two thousand years of seconds. All times from there on are in the last, which is
 * never played. */
#define MR_WINDOW_LAST ((UINT64_C(1) << 36) - 1)

struct mr_window_grid {
    double window_s, per_s; /* per_s = 1 / window_s, rounded */
};

struct mr_window {
    uint64_t index;
    double start_s, end_s; /* end_s: the next one's start, or earlier where a run ends */
};

/** @param[in] window_s positive, finite */
static inline struct mr_window_grid mr_window_grid_of(double window_s)
{
    MR_ASSERT(window_s > 0 && window_s <= 1e15 && window_s >= 1e-15);
    return (struct mr_window_grid){window_s, 1 / window_s};
}

static inline double mr_window_start_s(struct mr_window_grid grid, uint64_t index)
{
    MR_ASSERT(index <= MR_WINDOW_LAST);
    return (double)index * grid.window_s;
}

/** Number of the window a time is in. The quotient is off by at most 2^36 * 3 * 2^-53 < 1, so that
 *  one step either way with the edges themselves corrects it. @param[in] time_s >= 0, not NaN */
static inline uint64_t mr_window_of(struct mr_window_grid grid, double time_s)
{
    MR_ASSERT(time_s >= 0);
    if (time_s >= (double)MR_WINDOW_LAST * grid.window_s)
        return MR_WINDOW_LAST;
    int64_t k = (int64_t)(time_s * grid.per_s); /* signed: one instruction each way, not five */
    k -= time_s < (double)k * grid.window_s;
    k += time_s >= (double)(k + 1) * grid.window_s;
    return (uint64_t)k;
}

#endif
