/* SPDX-License-Identifier: Apache-2.0 */
/* Packages of one type that share rack, flow, inlet and power: one record with the states of the
 * mean member and of the worst. Heat and energy count the mean times the number of members,
 * thresholds look at the worst.
 *
 * Lazy: a cohort stands at the date of its last change and knows the date of its next event. Every
 * change brings it up to date in closed form, takes a new tangent of leakage and predicts anew.
 * Readers advance a copy, so how often anybody looks changes nothing.
 *
 * Throttling. At t_slow the cohort is held: `allowed_w` is the largest power (without leakage) at
 * which the worst member settles at t_slow - hysteresis / 2, never below the type's floor. Whoever
 * owns clocks turns that into a clock and reports the power that results. Held cohorts are let go
 * when the worst member is below t_slow - hysteresis and would stay below t_slow at full clocks. If
 * the floor is not enough t_crit comes: the package is off, for at least restart_s and until
 * t_restart.
 *
 * Power is per package, in watts without leakage: leakage is this model's, from the die's own
 * temperature (types with leakage 0 take powers as they are). */
#ifndef MR_THERMAL_COHORT_H
#define MR_THERMAL_COHORT_H

#include "thermal/package.h"

#include <stdint.h>

enum mr_cohort_event {
    MR_COHORT_NONE,
    MR_COHORT_RELINEARIZE,  /* a new tangent of leakage: nobody is told */
    MR_COHORT_THROTTLE_ON,  /* worst die at t_slow: power is held */
    MR_COHORT_THROTTLE_OFF, /* full clocks again */
    MR_COHORT_HBM_LIMIT,    /* memory of the worst package at its limit */
    MR_COHORT_SHUTDOWN,     /* worst die at t_crit: packages are off */
    MR_COHORT_RESTART,      /* packages may start again */
    MR_COHORT_N_EVENT
};

enum mr_cohort_mode {
    MR_COHORT_RUN,
    MR_COHORT_HELD,
    MR_COHORT_OFF
};

struct mr_cohort {
    double t_s;
    double mean_c[2], worst_c[2]; /* die, plate */
    double power_w, demand_w;     /* drawn; at full clocks */
    double allowed_w;             /* INFINITY unless held; 0 when off */
    double inlet_c;
    double base_w, tangent_c, slope_w_k; /* P = base + slope (Tj - tangent) */
    double in_j, out_j;                  /* of one package: drawn, to the coolant */
    double held_s;                       /* time in which less was drawn than asked for */
    double next_s, restart_s;            /* next event; INFINITY: none */
    uint32_t n_package, generation;      /* the generation of `next_s`: older timers are stale */
    uint8_t flow, slope, mode, next;     /* classes; enum mr_cohort_mode; enum mr_cohort_event */
    bool is_memory_hot, is_gated;        /* gated: no leakage, power is what is told */
};

/** At rest, as warm as its coolant. */
void mr_cohort_start(const struct mr_package *package, struct mr_cohort *cohort, double t_s,
                     uint32_t n_package, double inlet_c, int flow);

/** Put at the steady state of its inputs (leakage included); stays put when there is none. Where
 *  that is above t_slow the cohort is held and its power is what is allowed. Energies stay. */
void mr_cohort_settle(const struct mr_package *package, struct mr_cohort *cohort);

/** Bring up to date; changes nothing else. @param[in] t_s not before the cohort's own date and not
 *  after its next event */
void mr_cohort_advance(const struct mr_package *package, struct mr_cohort *cohort, double t_s);

/* Inputs change at t_s. Each returns what that made happen at once: THROTTLE_OFF or NONE. */
enum mr_cohort_event mr_cohort_set_power(const struct mr_package *package, struct mr_cohort *cohort,
                                         double t_s, double power_w, double demand_w);
enum mr_cohort_event mr_cohort_set_inlet(const struct mr_package *package, struct mr_cohort *cohort,
                                         double t_s, double inlet_c);
enum mr_cohort_event mr_cohort_set_flow(const struct mr_package *package, struct mr_cohort *cohort,
                                        double t_s, int flow);

/** Without supply voltage nothing leaks. Holds from the next change of power on. */
void mr_cohort_set_gated(struct mr_cohort *cohort, bool is_gated);

/** The control tick: a held cohort is looked at again, with a new tangent. Others do nothing. */
enum mr_cohort_event mr_cohort_tick(const struct mr_package *package, struct mr_cohort *cohort,
                                    double t_s);

/** The event of date next_s happens. */
enum mr_cohort_event mr_cohort_fire(const struct mr_package *package, struct mr_cohort *cohort);

/** Power of one package now, leakage included [W]. */
double mr_cohort_drawn_w(const struct mr_cohort *cohort);

/** Memory of the worst member. */
double mr_cohort_memory_c(const struct mr_package *package, const struct mr_cohort *cohort);

/** Heat stored above 0 degC by one package [J]. */
double mr_cohort_stored_j(const struct mr_package *package, const struct mr_cohort *cohort);

/** Move `n` members into a new cohort that behaves the same until told otherwise. */
struct mr_cohort mr_cohort_split(struct mr_cohort *cohort, uint32_t n);

/** Die temperature of package `i_package` of the site: inlet + (mean - inlet)(1 + s), s its share
 * of the manufacturing spread, the same in every run with this seed. */
double mr_cohort_package_c(const struct mr_package *package, const struct mr_cohort *cohort,
                           uint64_t seed, uint32_t i_package);

#endif
