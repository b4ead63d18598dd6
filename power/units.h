/* SPDX-License-Identifier: Apache-2.0 */
/* How many of n equal units (modules of a UPS, supplies of a shelf) run: they share the load, and
 * each running one costs its standing loss. n of them lose
 *
 *   n c + l P + q P^2 / n         least at n = P sqrt(q / c), which in the law of data sheets is
 *                                 (P / S) sqrt(a2 / a0)
 *
 * so the best whole number is the floor or the ceiling of that. Units that the load needs run at
 * once; a change for the sake of efficiency waits until dwell_s after the last change. */
#ifndef MR_POWER_UNITS_H
#define MR_POWER_UNITS_H

#include "power/stage.h"

#define MR_UNITS_STAGING_LIST(X)                                                  \
    X(ALL, "all", "every unit that works runs")                                   \
    X(HYSTERESIS, "hysteresis", "one more above a load per unit, one less below") \
    X(OPTIMAL, "optimal", "the number with the least loss")

enum mr_units_staging {
#define MR_UNITS_ENUM(name, text, doc) MR_UNITS_##name,
    MR_UNITS_STAGING_LIST(MR_UNITS_ENUM)
#undef MR_UNITS_ENUM
    MR_N_UNITS_STAGING
};

struct mr_units {
    struct mr_stage unit;
    uint32_t n_installed;
    uint32_t n_spare; /* run beyond what the load needs */
    int staging;      /* enum mr_units_staging */
    double dwell_s;
    double high_frac, low_frac; /* HYSTERESIS: load per unit that adds one, that removes one */
};

struct mr_units_state {
    uint32_t n_on, n_failed;
    double change_s; /* when n_on last changed */
};

extern const double mr_units_dwell_s, mr_units_high_frac, mr_units_low_frac;

/** Refuse what cannot run. @return MR_OK or MR_RANGE */
MR_CHECKED mr_status mr_units_check(const struct mr_units *units, const char *what,
                                    struct mr_place at, struct mr_err *err);

/** All working units run, free to change. */
struct mr_units_state mr_units_start(const struct mr_units *units);

/** Units that must run: what the load needs and the spare ones, as far as they work. */
uint32_t mr_units_needed(const struct mr_units *units, const struct mr_units_state *state,
                         double out_w);

/** What the staging wants at this load, without waiting. */
uint32_t mr_units_wanted(const struct mr_units *units, const struct mr_units_state *state,
                         double out_w);

/** Bring n_on to what is wanted, as far as the dwell allows. @return units switched on (< 0: off)
 */
int mr_units_step(const struct mr_units *units, struct mr_units_state *state, double out_w,
                  double t_s);

/** Units fail or come back; failed ones do not run. A working one takes the place at once. */
void mr_units_set_failed(const struct mr_units *units, struct mr_units_state *state,
                         uint32_t n_failed, double out_w, double t_s);

#endif
