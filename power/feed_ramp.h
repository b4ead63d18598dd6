/* SPDX-License-Identifier: Apache-2.0 */
/* How fast the site may change, and whether it does. Loads come in steps (a rack is on or off), so
 * the slope is taken between averages over windows, as meters do. Start permits release racks one
 * by one such that no window can exceed the limit. */
#ifndef MR_POWER_FEED_RAMP_H
#define MR_POWER_FEED_RAMP_H

#include "engine/base/status.h"

#include <stdint.h>

/* Watches one limit pair on windows that follow each other. */
struct mr_feed_ramp {
    double t_s, window_end_s, window_j;
    double mean_w;           /* of the window before; NAN: none yet */
    double worst_w_s;        /* fastest change seen, either way */
    double up_w_s, down_w_s; /* the same by direction, both from 0 on */
    double over_w_s;         /* of the last violation; below 0: down */
    uint64_t n_violation;
    double first_s; /* of the first violation; INFINITY: none */
};

struct mr_feed_ramp mr_feed_ramp_start(double t_s, double window_s);

/** Power went linearly from from_w to to_w until t_s.
 *  @return violations that ended in this piece, the last in over_w_s */
uint64_t mr_feed_ramp_advance(struct mr_feed_ramp *ramp, double window_s, double up_w_s,
                              double down_w_s, double t_s, double from_w, double to_w);

/** When the next window ends that may tell something if power stays; t_s at most. */
double mr_feed_ramp_next_s(const struct mr_feed_ramp *ramp, double window_s, double t_s,
                           double power_w);

/* ---- start permits ---- */

struct mr_feed_permit {
    double rate_w_s; /* at which permits are given */
    double ready_s;  /* of the next one */
};

/** Permits for steps of at most `step_w` under a limit that is checked over `window_s`: between two
 *  steps pass step / (limit - step_w / window), so that even a window with one step more than its
 *  share keeps the limit. Refuses steps that a window cannot take. */
MR_CHECKED mr_status mr_feed_permit_start(double t_s, double up_w_s, double window_s, double step_w,
                                          const char *name, struct mr_feed_permit *permit,
                                          struct mr_err *err);

/** Take a permit for a step. @return when it may happen, t_s at the earliest */
double mr_feed_permit_take(struct mr_feed_permit *permit, double t_s, double step_w);

#endif
