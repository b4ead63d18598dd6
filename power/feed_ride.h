/* SPDX-License-Identifier: Apache-2.0 */
/* Voltage dips: what the site rides through on the grid, when it leaves for its UPS and batteries,
 * and how it comes back. The curve says how long the voltage may stay below each level; the clock
 * of a level runs from when the voltage fell below it. After the return of the voltage the site
 * waits, then comes back in equal stages, so that the grid is not hit twice. */
#ifndef MR_POWER_FEED_RIDE_H
#define MR_POWER_FEED_RIDE_H

#include "engine/base/param.h"

enum {
    MR_FEED_RIDE_LEVELS = 8
};

struct mr_feed_ride_params {
    uint64_t n_level;
    double level_frac[MR_FEED_RIDE_LEVELS]; /* rising shares of the nominal voltage */
    double may_s[MR_FEED_RIDE_LEVELS];      /* how long below that level */
    double return_delay_s, stage_s;
    uint64_t n_stage; /* of the return, stage_s apart */
};

const struct mr_param_table *mr_feed_ride_table(void);

/** 0 % for 20 ms, 70 % for 0.5 s, 80 % for 10 s, 90 % for ever. */
void mr_feed_ride_defaults(struct mr_feed_ride_params *params);
MR_CHECKED mr_status mr_feed_ride_check(const struct mr_feed_ride_params *params, const char *name,
                                        struct mr_err *err);

/** How long a dip to this voltage is ridden through; INFINITY: for ever. */
double mr_feed_ride_may_s(const struct mr_feed_ride_params *params, double voltage_frac);

#define MR_FEED_RIDE_STATE_LIST(X)                            \
    X(ON, "on", "on the grid")                                \
    X(DIPPED, "dipped", "on the grid, its voltage low")       \
    X(AWAY, "away", "the grid has lost the load")             \
    X(WAITING, "waiting", "voltage is back, not trusted yet") \
    X(RETURNING, "returning", "coming back in stages")

enum mr_feed_ride_state {
#define MR_FEED_RIDE_STATE_ENUM(name, text, doc) MR_FEED_RIDE_##name,
    MR_FEED_RIDE_STATE_LIST(MR_FEED_RIDE_STATE_ENUM)
#undef MR_FEED_RIDE_STATE_ENUM
};

struct mr_feed_ride {
    double t_s, voltage_frac;
    double below_s[MR_FEED_RIDE_LEVELS]; /* since when; INFINITY: it is not */
    double back_s;                       /* when the wait, or a stage, is over */
    int state;                           /* enum mr_feed_ride_state */
    uint64_t n_back;                     /* stages that are back */
    uint64_t n_dip, n_away;              /* since the start */
};

struct mr_feed_ride mr_feed_ride_start(const struct mr_feed_ride_params *params, double t_s);

/** To a later time at the voltage as it was; then it changes. */
void mr_feed_ride_step(const struct mr_feed_ride_params *params, struct mr_feed_ride *ride,
                       double t_s, double voltage_frac);

/** When something happens next if the voltage stays. @return INFINITY: nothing */
double mr_feed_ride_next_s(const struct mr_feed_ride_params *params,
                           const struct mr_feed_ride *ride);

/** Share of the site's load that is on the grid. */
double mr_feed_ride_share_frac(const struct mr_feed_ride_params *params,
                               const struct mr_feed_ride *ride);

#endif
