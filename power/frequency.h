/* SPDX-License-Identifier: Apache-2.0 */
/* Grid frequency: that of an island with one bus, inertia and governed machines, or of a trace.
 *
 *   2 H f' = dP + g - D f        T g' = -f / R - g        per unit, f and g from where they stood
 *
 * linear, so x(t) = xs + e^(sigma t) (c I + s (A - sigma I)) (x0 - xs): oscillating as a rule. The
 * governor stops at the machines' headroom; then f is a plain exponential until it turns back. Load
 * is shed where f stays below a threshold (UFLS). All of that is predicted. Ignored: voltage, grids
 * of several machines that swing against each other, dead bands. */
#ifndef MR_POWER_FREQUENCY_H
#define MR_POWER_FREQUENCY_H

#include "engine/base/param.h"
#include "power/series.h"

enum {
    MR_FREQUENCY_STAGES = 8
};

struct mr_frequency_params {
    double nominal_hz, base_w;            /* base of the per-unit powers: rating of the machines */
    double inertia_s, damping;            /* H; D, per unit power per unit frequency */
    double droop, governor_s;             /* R, 0: no governor; T */
    double up_frac, down_frac;            /* headroom of the governed machines over base_w */
    uint64_t n_stage;                     /* load shedding */
    double stage_hz[MR_FREQUENCY_STAGES]; /* falling */
    double shed_w[MR_FREQUENCY_STAGES];
    double stage_delay_s; /* below the threshold for so long */
    double trip_hz;       /* told to whoever has machines; 0: none. Nothing trips by itself here */
};

const struct mr_param_table *mr_frequency_table(void);
void mr_frequency_defaults(struct mr_frequency_params *params);
MR_CHECKED mr_status mr_frequency_check(const struct mr_frequency_params *params, const char *name,
                                        struct mr_err *err);

struct mr_frequency {
    double t_s;
    double f, g;     /* deviation of frequency and of governed power, per unit */
    double step;     /* dP: generation less load but for the governor */
    bool is_held;    /* the governor is at its headroom */
    uint64_t n_shed; /* stages that are out */
    double below_s;  /* the next stage's threshold is undercut since; INFINITY: it is not */
    /* integrals since the start [s], exact; together they are that of -step: what the governor and
     * the rotors gave, and the load that went with the frequency */
    double governor, rotor, damping;
};

struct mr_frequency mr_frequency_start(double t_s);

/** Hz now. */
double mr_frequency_hz(const struct mr_frequency_params *params,
                       const struct mr_frequency *frequency);

/** Machines came, went or moved their set points: `params` has another base or headroom now. Rotors
 *  keep their speed, powers their watts as far as the headroom goes. */
void mr_frequency_machines(const struct mr_frequency_params *params, double old_base_w,
                           struct mr_frequency *frequency);

/** Generation less load changes by so much now (below 0: load came or a machine went). */
void mr_frequency_disturb(const struct mr_frequency_params *params, struct mr_frequency *frequency,
                          double step_w);

/** To a later time; headroom and shedding happen on the way. @return the lowest Hz on the way */
double mr_frequency_advance(const struct mr_frequency_params *params,
                            struct mr_frequency *frequency, double t_s);

#define MR_FREQUENCY_EVENT_LIST(X)                        \
    X(NONE, "nothing ahead")                              \
    X(HELD, "the governor is at its headroom")            \
    X(FREED, "the governor turns back from its headroom") \
    X(BELOW, "a threshold is undercut")                   \
    X(ABOVE, "back above the threshold before it shed")   \
    X(SHED, "a stage of load is shed")

enum mr_frequency_event {
#define MR_FREQUENCY_EVENT_ENUM(name, doc) MR_FREQUENCY_##name,
    MR_FREQUENCY_EVENT_LIST(MR_FREQUENCY_EVENT_ENUM)
#undef MR_FREQUENCY_EVENT_ENUM
};

/** When something happens next. @return INFINITY with NONE */
double mr_frequency_next_s(const struct mr_frequency_params *params,
                           const struct mr_frequency *frequency, enum mr_frequency_event *event);

/** First time from now on at which the frequency is `hz` if nothing else happens; INFINITY: never.
 */
double mr_frequency_cross_s(const struct mr_frequency_params *params,
                            const struct mr_frequency *frequency, double hz);

/** The next extremum (after a loss: the nadir), if nothing else happens. @return its time,
 * INFINITY: none @param[out] hz there */
double mr_frequency_extremum_s(const struct mr_frequency_params *params,
                               const struct mr_frequency *frequency, double *hz);

/** Where it settles under the present step, headroom respected [Hz]; -INFINITY or INFINITY when it
 *  does not (no damping, no governor). */
double mr_frequency_steady_hz(const struct mr_frequency_params *params,
                              const struct mr_frequency *frequency);

/* ---- a trace in Hz, which must not wrap ---- */

/** Frequencies that can be those of a grid with this nominal one. */
MR_CHECKED mr_status mr_frequency_trace_check(const struct mr_frequency_params *params,
                                              const struct mr_series *trace, const char *name,
                                              struct mr_err *err);

/** First time after t_s at which the trace is on the other side (below, or not) of one of n levels;
 *  INFINITY: it stays. */
double mr_frequency_trace_next_s(const struct mr_series *trace, double t_s, const double *hz,
                                 size_t n);

/** The lowest from from_s to to_s. */
double mr_frequency_trace_low_hz(const struct mr_series *trace, double from_s, double to_s);

#endif
